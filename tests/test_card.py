"""The dataset card: what the Hub reads of it is right, and what people read comes from the run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thaiwiki_clean.build import build
from thaiwiki_clean.card import LICENSES, SIZE_CATEGORIES, card, metadata, size_category, to_yaml
from thaiwiki_clean.pipeline.manifest import Manifest, differences, identity_hash
from thaiwiki_clean.reasons import REASONS

ARTICLE = "จังหวัดน่านเป็นจังหวัดหนึ่งในภาคเหนือของประเทศไทย ตั้งอยู่ริมแม่น้ำน่าน และมีภูเขาล้อมรอบทุกด้าน ()\n== ดูเพิ่ม ==\nแพร่ \nพะเยา \n"


def built(folder: Path, source: str = "thaiwikipedia") -> Path:
    rows = [
        {"id": "1", "title": "น่าน", "source": source, "text": ARTICLE},
        {"id": "2", "title": "ทาง", "source": source, "text": "redirect น่าน"},
    ]
    (folder / "pages.jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    build(str(folder / "pages.jsonl"), folder / "out", engine="serial")
    return folder / "out"


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("card"))


# ---- laws

scalars = st.one_of(st.text(max_size=12), st.integers(), st.booleans(), st.none())
names = st.from_regex(r"k[a-z_]{1,8}", fullmatch=True)  # not "no" or "on", which YAML takes for a truth value
flat = st.dictionaries(names, scalars, min_size=1, max_size=3)
values = st.one_of(scalars, st.lists(scalars, max_size=3), flat, st.lists(flat, max_size=3))


@given(st.dictionaries(names, values, max_size=4))
def test_yaml_is_read_back_as_it_was_written(value: dict[str, Any]) -> None:
    yaml = pytest.importorskip("yaml", reason="no YAML reader here")
    # A list or mapping without anything in it has no lines: the card writes none.
    full = {name: item for name, item in value.items() if item not in ([], {})}
    assert (yaml.safe_load(to_yaml(full)) or {}) == full


@given(st.integers(0, 10**13))
def test_every_number_of_rows_has_a_size_category(rows: int) -> None:
    name = size_category(rows)
    assert rows >= 10**12 if name == "n>1T" else rows < SIZE_CATEGORIES[name]


@given(st.dictionaries(st.text(max_size=3), scalars, max_size=4), st.dictionaries(st.text(max_size=3), scalars, max_size=4))
def test_identities_that_differ_say_where(a: dict[str, Any], b: dict[str, Any]) -> None:
    assert bool(differences(a, b)) == (identity_hash(a) != identity_hash(b))


# ---- the card of a run


def test_the_metadata_is_what_the_hub_takes(out: Path) -> None:
    told = metadata(out, Manifest.read(out))
    assert told["license"] in LICENSES
    assert set(told["size_categories"]) <= set(SIZE_CATEGORIES)
    assert [config["config_name"] for config in told["configs"]] == ["default", "articles", "dropped"]


def test_features_are_those_that_datasets_would_write(out: Path) -> None:
    datasets = pytest.importorskip("datasets", reason="the datasets library is an extra")
    told = {info["config_name"]: info["features"] for info in metadata(out, Manifest.read(out))["dataset_info"]}
    for config, folder in (("default", "data"), ("articles", "articles"), ("dropped", "dropped")):
        schema = pq.read_schema(next((out / folder).iterdir()))
        assert told[config] == datasets.Features.from_arrow_schema(schema)._to_yaml_list()


def test_every_data_file_of_the_card_is_there(out: Path) -> None:
    patterns = [file["path"] for config in metadata(out, Manifest.read(out))["configs"] for file in config["data_files"]]
    assert all(list(out.glob(pattern)) for pattern in patterns)


def test_only_splits_with_rows_are_named(out: Path) -> None:
    told = Manifest.read(out).examples
    (default,) = (config for config in metadata(out, Manifest.read(out))["configs"] if config["config_name"] == "default")
    assert {file["split"] for file in default["data_files"]} == {split for split, n in told.items() if n} != set(told)


def test_the_card_is_that_of_the_folder(out: Path) -> None:
    assert (out / "README.md").read_text("utf-8") == card(out, Manifest.read(out))


@pytest.mark.parametrize(
    "piece", ["load_dataset(", "CC BY-SA", "`url`", "thaiwiki-clean build pages.jsonl OUT", "| `redirect` | 1 |", "ทาง"]
)
def test_the_card_says(out: Path, piece: str) -> None:
    assert piece in (out / "README.md").read_text("utf-8")


def test_every_reason_of_the_run_has_its_row(out: Path) -> None:
    text = (out / "README.md").read_text("utf-8")
    edits = Manifest.read(out).edits
    assert "empty_brackets" in edits
    for name, n in edits.items():
        assert f"| `{name}` | {n['edits']:,} | {n['pages']:,} | {n['characters']:,} | {REASONS[name]} |" in text


def test_no_licence_is_claimed_for_pages_from_elsewhere(tmp_path: Path) -> None:
    out = built(tmp_path, source="ข่าวรัฐบาล")
    assert metadata(out, Manifest.read(out))["license"] == "unknown"
    assert "CC BY-SA" not in (out / "README.md").read_text("utf-8")


@pytest.mark.parametrize("held", ["", "[]", '{"rows": 1}'])
def test_a_manifest_of_somebody_else_is_named(tmp_path: Path, held: str) -> None:
    (tmp_path / "manifest.json").write_text(held, "utf-8")
    with pytest.raises(ValueError, match=r"manifest\.json is no manifest of this version"):
        Manifest.read(tmp_path)


def test_a_folder_without_a_manifest_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no manifest\.json in .*thaiwiki-clean build"):
        Manifest.read(tmp_path)
