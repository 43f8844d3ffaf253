"""``Cleaner``: in ``datasets.map``, across processes, and when it is used wrongly."""

from __future__ import annotations

import dataclasses
import os
import pickle
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

import thaiwiki_clean as tw

DIRTY = ["แมวเป็นสัตว์ [1]", None, "กรุงเทพ () เป็นเมืองหลวงของประเทศไทย"]
CLEAN = ["แมวเป็นสัตว์", None, "กรุงเทพ เป็นเมืองหลวงของประเทศไทย"]


def no_rule(text: str) -> list[tw.Edit]:
    return []


# --------------------------------------------------------------------------- laws


@given(st.text())
def test_a_text_is_what_clean_makes_of_it(text):
    assert tw.Cleaner()(text) == tw.clean(text)


@given(st.lists(st.none() | st.text()))
def test_a_batch_is_its_texts_one_by_one(texts):
    assert tw.Cleaner()({"text": texts})["text"] == [None if text is None else tw.clean(text) for text in texts]


def test_a_row_is_a_batch_of_one():
    assert tw.Cleaner()({"text": DIRTY[0], "n": 1}) == {"text": CLEAN[0], "n": 1}


def test_a_row_without_text_stays():
    assert tw.Cleaner()({"text": None}) == {"text": None}


def test_the_batch_that_came_is_not_changed():
    batch = {"text": list(DIRTY)}
    tw.Cleaner()(batch)
    assert batch == {"text": DIRTY}


def test_another_column_can_be_named():
    assert tw.Cleaner(column="body")({"body": DIRTY, "text": DIRTY}) == {"body": CLEAN, "text": DIRTY}


def test_rules_can_be_passed():
    assert tw.Cleaner(rules=(no_rule,))(DIRTY[0]) == DIRTY[0]


def test_a_cleaner_survives_the_way_to_another_process():
    assert pickle.loads(pickle.dumps(tw.Cleaner())) == tw.Cleaner()


def test_a_cleaner_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        tw.Cleaner().column = "body"


# --------------------------------------------------------------------------- errors


def test_a_batch_without_the_column_says_what_there_is():
    with pytest.raises(KeyError, match=r"no column 'text' among 'body', 'title'; name it: Cleaner\(column=...\)"):
        tw.Cleaner()({"body": DIRTY, "title": DIRTY})


@pytest.mark.parametrize("value", [1, b"x", 1.5, ["x"]], ids=str)
def test_a_value_that_is_no_text_is_refused(value):
    with pytest.raises(TypeError, match=f"a text is a str, got {type(value).__name__}; decode bytes as UTF-8"):
        tw.Cleaner()({"text": ["ก", value]})


# --------------------------------------------------------------------------- datasets


@pytest.fixture
def datasets(tmp_path, monkeypatch):
    library = pytest.importorskip("datasets")
    library.disable_progress_bars()
    monkeypatch.setattr(library.config, "HF_DATASETS_CACHE", tmp_path)
    yield library
    library.enable_progress_bars()


@pytest.mark.parametrize("batched", [True, False])
def test_map_cleans_the_column_and_keeps_the_rest(batched, datasets):
    rows = datasets.Dataset.from_dict({"text": DIRTY, "title": ["ก", "ข", "ค"]})
    done = rows.map(tw.Cleaner(), batched=batched)
    assert done.to_dict() == {"text": CLEAN, "title": ["ก", "ข", "ค"]}
    assert done.features == rows.features


def test_map_of_a_stream(datasets):
    rows = datasets.Dataset.from_dict({"text": DIRTY}).to_iterable_dataset()
    assert [row["text"] for row in rows.map(tw.Cleaner(), batched=True)] == CLEAN


def test_a_second_map_finds_the_rows_that_the_first_one_left(datasets, tmp_path):
    datasets.Dataset.from_dict({"text": DIRTY}).to_parquet(tmp_path / "p.parquet")

    def cached() -> list[str]:
        rows = datasets.load_dataset("parquet", data_files=str(tmp_path / "p.parquet"), split="train", cache_dir=str(tmp_path / "cache"))
        return [file["filename"] for file in rows.map(tw.Cleaner(), batched=True).cache_files]

    assert cached() == cached()


def fingerprint(seed: str, code: str = "tw.Cleaner()") -> str:
    """The fingerprint of a cleaner in a fresh process: sets and strings are hashed there with another seed."""
    script = f"import thaiwiki_clean as tw, dataclasses\nfrom datasets.fingerprint import Hasher\nprint(Hasher.hash({code}))"
    path = os.pathsep.join(filter(None, [os.path.dirname(os.path.dirname(tw.__file__)), os.environ.get("PYTHONPATH")]))
    env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": path, "HF_HUB_OFFLINE": "1"}
    return subprocess.run([sys.executable, "-c", script], env=env, check=True, capture_output=True, text=True).stdout


def test_the_fingerprint_is_the_same_in_every_process(datasets):
    assert fingerprint("1") == fingerprint("2")


@pytest.mark.parametrize(
    "change",
    [{"version": "another"}, {"rules": tw.RULES[1:]}, {"rules": (no_rule,)}, {"column": "body"}],
    ids=["version", "rules", "no rule", "column"],
)
def test_the_fingerprint_changes_with(change, datasets):
    from datasets.fingerprint import Hasher

    assert Hasher.hash(dataclasses.replace(tw.Cleaner(), **change)) != Hasher.hash(tw.Cleaner())


def test_the_version_is_that_of_the_rules():
    from thaiwiki_clean.clean import RULES_VERSION

    assert tw.Cleaner().version == RULES_VERSION
