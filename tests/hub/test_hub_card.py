"""The card on the Hub: what a person wrote is never lost, and our part is there once."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from thaiwiki_clean.card import LICENSES, SIZE_CATEGORIES, to_yaml
from thaiwiki_clean.hub.card import BEGIN, END, LICENSE_IDS, CardError, features, merge_card, metadata_of, problems

yaml = pytest.importorskip("yaml", reason="comes with the Hub client, an extra")

OURS = {
    "license": "cc-by-sa-4.0",
    "language": ["th"],
    "tags": ["thai", "wikipedia"],
    "size_categories": ["n<1K"],
    "configs": [{"config_name": "default", "default": True, "data_files": [{"split": "train", "path": "data/train-*.parquet"}]}],
    "dataset_info": [{"config_name": "default", "features": [{"name": "id", "dtype": "string"}]}],
}
NEW = f"---\n{to_yaml(OURS)}---\n\n# Thai Wikipedia, cleaned\n\nMade by a build.\n"
PART = f"{BEGIN}\n\n# Thai Wikipedia, cleaned\n\nMade by a build.\n\n{END}"


def body_of(card: str) -> str:
    return card.split("---\n", 2)[2]


# ---- laws

pieces = st.sampled_from([BEGIN, END, "---", "# Title", "ข้อความ", "", " ", "<!-- note -->", f" {BEGIN}", f"`{END}`", "a: b", "\r"])
bodies = (
    st.lists(st.one_of(pieces, st.text(max_size=8)), max_size=8).map("\n".join).filter(lambda text: not text.startswith(("---", "\ufeff")))
)
plain = st.one_of(st.text(max_size=8), st.integers(-9, 9), st.booleans(), st.none(), st.dates().map(str))
keys = st.sampled_from(["license", "language", "tags", "pretty_name", "annotations_creators", "my-key", "size_categories"])
metadata = st.dictionaries(keys, st.one_of(plain, st.lists(plain, max_size=3)), max_size=4)
foreign = st.builds(
    lambda names: {"configs": [{"config_name": name, "data_files": f"{name}/*.csv"} for name in names]} if names else {},
    st.lists(st.sampled_from(["extra", "words", "default", "articles"]), unique=True, max_size=3),
)


@st.composite
def cards(draw: st.DrawFn) -> str:
    told = draw(metadata) | draw(foreign)
    front = yaml.safe_dump(told, allow_unicode=True, sort_keys=False) if told else ""
    notes = "".join(f"# {n}\n" for n in draw(st.lists(st.integers(0, 9), max_size=2)))
    return (f"---\n{notes}{front}---\n" if told or notes else "") + draw(bodies)


@given(bodies)
@example(f"{BEGIN}\nmine\n")
@example(f"{END}\n{BEGIN}\nmine")
def test_a_body_that_has_no_part_of_ours_is_kept_whole_above_it(body: str) -> None:
    assume(merge_card(body, NEW).count(PART) == 1)
    assume(not _has_part(body))
    merged = body_of(merge_card(body, NEW))
    assert merged == f"{_above(body)}{PART}\n"
    assert merged.startswith(body) or not body.strip()


def _above(body: str) -> str:
    return "\n" if not body.strip() else body + "\n" * max(0, 2 - (len(body) - len(body.rstrip("\n"))))


def _has_part(body: str) -> bool:
    lines = [line.rstrip(" \t\r") for line in body.split("\n")]
    return BEGIN in lines and END in lines[lines.index(BEGIN) :]


@given(bodies, bodies)
def test_what_stands_around_our_part_stays(above: str, below: str) -> None:
    assume(not any(mark in above + below for mark in (BEGIN, END)))
    old = f"{above}\n{BEGIN}\nof an older build\n{END}\n{below}"
    assert body_of(merge_card(old, NEW)) == f"{above}\n{PART}\n{below}"


@given(cards())
def test_merging_again_changes_nothing(card: str) -> None:
    once = merge_card(card, NEW)
    assert merge_card(once, NEW) == once


@given(cards())
def test_our_part_is_there_once(card: str) -> None:
    assert merge_card(card, NEW).count(PART) == 1


@given(cards())
def test_no_name_and_no_word_of_the_metadata_is_lost(card: str) -> None:
    was, now = metadata_of(card), metadata_of(merge_card(card, NEW))
    assert set(now) == {*was, *OURS}
    for name, value in was.items():
        if name in ("size_categories", "configs"):
            continue
        kept = now[name] if isinstance(now[name], list) else [now[name]]
        for item in value if isinstance(value, list) else [value]:
            assert item in kept or item is None or (name, item) == ("license", "unknown")


@given(cards())
def test_configurations_of_others_are_kept_and_ours_are_new(card: str) -> None:
    was, now = metadata_of(card).get("configs", []), metadata_of(merge_card(card, NEW))["configs"]
    assert [entry for entry in was if entry["config_name"] in ("extra", "words")] == now[1:]
    assert now[:1] == OURS["configs"]


@given(cards())
def test_comments_above_the_metadata_stay(card: str) -> None:
    comments = [line for line in card.partition("\n---\n")[0].split("\n") if line.startswith("# ")] if card.startswith("---") else []
    merged = merge_card(card, NEW)
    assert all(merged.count(line) >= comments.count(line) for line in comments)


# ---- cards that people have


@pytest.mark.parametrize(
    "empty", ["", "\n", "---\n---\n", "---\nlicense: unknown\n---\n\n"], ids=["nothing", "line", "no metadata", "unknown"]
)
def test_an_empty_card_becomes_ours(empty: str) -> None:
    merged = merge_card(empty, NEW)
    assert metadata_of(merged) == OURS
    assert body_of(merged) == f"\n{PART}\n"


def test_a_build_that_was_uploaded_by_hand_gets_its_marks_and_no_second_part() -> None:
    assert merge_card(NEW, NEW) == merge_card("", NEW)


def test_a_card_with_windows_lines_is_read() -> None:
    merged = merge_card("---\r\nlicense: mit\r\ntags:\r\n- mine\r\n---\r\n# Mine\r\n", NEW)
    assert metadata_of(merged)["license"] == "mit"
    assert metadata_of(merged)["tags"] == ["mine", "thai", "wikipedia"]
    assert "# Mine\r\n" in merged


def test_a_second_copy_of_our_part_goes() -> None:
    assert body_of(merge_card(f"a\n{PART}\nb\n{PART}\nc\n", NEW)) == f"a\n{PART}\nb\n\nc\n"


def test_marks_in_the_text_of_a_page_do_not_end_our_part() -> None:
    new = NEW.replace("Made by a build.", f"Made\n{END}\nby a build.")
    once = merge_card("mine\n", new)
    assert once.count(END) == 1
    assert merge_card(once, new) == once


def test_lines_that_are_kept_are_kept_as_they_are_written() -> None:
    old = "---\n# asked a lawyer\nlicense: mit   # since 2020\ntags: [mine,   thai, wikipedia]\nlanguage: th\n---\n"
    merged = merge_card(old, NEW)
    assert merged.startswith("---\n# asked a lawyer\nlicense: mit   # since 2020\ntags: [mine,   thai, wikipedia]\nlanguage: th\n")


def test_old_configurations_of_ours_go_with_their_data() -> None:
    told = OURS | {"configs": [*OURS["configs"], {"config_name": "dropped", "data_files": "dropped/*"}]}  # type: ignore[misc]
    assert metadata_of(merge_card(f"---\n{to_yaml(told)}---\n", NEW))["configs"] == OURS["configs"]


@pytest.mark.parametrize(
    ("front", "line"),
    [
        ("a: [1\n", "are no YAML"),
        ("- a\n- b\n", "are no mapping"),
        ("configs:\n- config_name: mine\n  default: true\n", "2 default configurations"),
        ("configs: all\n", "must be lists of mappings"),
        ("{license: mit,\n tags: [a]}\n", "write each key on a line of its own"),
        ("a: &x [1]\ntags: *x\n", "no YAML"),
    ],
    ids=["no yaml", "a list", "two defaults", "configs", "flow", "anchor"],
)
def test_metadata_that_cannot_be_merged_without_loss_are_refused(front: str, line: str) -> None:
    with pytest.raises(CardError, match=line) as caught:
        merge_card(f"---\n{front}---\n", NEW)
    assert "\n" not in str(caught.value)


# ---- what the Hub takes


def test_every_licence_that_a_build_may_carry_is_one_of_the_hubs() -> None:
    assert set(LICENSES) <= LICENSE_IDS


def test_the_metadata_of_a_build_have_no_problem() -> None:
    assert problems(OURS, ["data/train-00000-of-00001.parquet"]) == []


@pytest.mark.parametrize("size", [*SIZE_CATEGORIES, "n>1T"])
def test_every_size_of_ours_is_taken(size: str) -> None:
    assert problems({"size_categories": [size]}, []) == []


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"license": ["mit", "cc-by-4.0"]},
        {"license": "other", "license_name": "mine"},
        {"language": ["th", "zh-Hant", "code", "multilingual", "sjp"]},
        {"configs": [{"config_name": "mine", "data_files": "nowhere/*"}]},
        {"pretty_name": "ข้อความ", "tags": ["a"], "x": 1},
    ],
    ids=lambda told: next(iter(told), "nothing"),
)
def test_these_are_taken(told: dict[str, Any]) -> None:
    assert problems(told, []) == []


@pytest.mark.parametrize(
    ("told", "line"),
    [
        ({"license": "CC-BY-SA-4.0"}, "no id of the Hub's"),
        ({"license": ["mit", "mine"]}, "'mine' is no id"),
        ({"license": "other"}, "needs a license_name"),
        ({"size_categories": "1K-10K"}, "is none of"),
        ({"language": "Thai"}, "no language code"),
        ({"language": False}, "put it in quotation marks"),
        ({"tags": [2024]}, "put it in quotation marks"),
        ({"pretty_name": 7}, "put it in quotation marks"),
        ({"configs": [{"config_name": "a"}, {"config_name": "a"}]}, "a is there twice"),
        ({"configs": [{"config_name": "default", "data_files": "data/*.parquet"}]}, "no such file will be there"),
    ],
)
def test_these_are_not(told: dict[str, Any], line: str) -> None:
    (found,) = problems(told, ["articles/x.parquet"])
    assert line in found


def test_features_are_read_of_one_configuration_and_of_many() -> None:
    column = {"name": "id", "dtype": "string"}
    one = {"dataset_info": {"features": [column]}}
    many = {"dataset_info": [{"config_name": "a", "features": [column]}, {"config_name": "b"}]}
    assert features(one) == {"default": {"id": {"dtype": "string"}}}
    assert features(many) == {"a": {"id": {"dtype": "string"}}, "b": {}}
