"""``explain`` and what it gives; golden pages: every reason is shown in one, and has its place in the documents."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest
import regex
from hypothesis import given

import thaiwiki_clean as tw
from tests.strategies import thai_text
from thaiwiki_clean.clean import clean_page
from thaiwiki_clean.marks import from_marked
from thaiwiki_clean.reasons import REASONS
from thaiwiki_clean.rules.brackets import empty_brackets
from thaiwiki_clean.rules.spacing import spacing

PAGES = sorted((Path(__file__).parent / "pages").glob("*.txt"))
#: These need more than one page: a stage of the build makes them, and its tests show them.
OF_MANY_PAGES = {"recurring_line"}

RAW = "กรุงเทพ () เป็นเมืองหลวง [1]\n== ดูเพิ่ม ==\nเชียงใหม่ \n"


# --------------------------------------------------------------------------- explain


def test_explain_gives_raw_text_edits_and_pieces() -> None:
    done = tw.explain(RAW)
    assert done.raw == RAW
    assert done.text == "กรุงเทพ เป็นเมืองหลวง"
    assert done.removed() == [
        ("empty_brackets", " ()"),
        ("reference", " [1]"),
        ("spacing", "\n"),
        ("boilerplate_section", "== ดูเพิ่ม ==\nเชียงใหม่ \n"),
    ]


def test_marked_reads_back() -> None:
    done = tw.explain(RAW)
    assert from_marked(done.marked()) == (RAW, list(done.edits))


def test_html_names_every_reason() -> None:
    page = tw.explain(RAW).to_html()
    assert [reason for reason, _ in tw.explain(RAW).removed() if reason not in page] == []


def test_clean_page_fills_text_and_edits_and_nothing_else() -> None:
    page = tw.Page("1", "กรุงเทพ", "thaiwikipedia", "https://th.wikipedia.org/wiki/กรุงเทพ", RAW)
    done = clean_page(page)
    assert (done.text, done.edits) == (tw.clean(RAW), tw.explain(RAW).edits)
    assert (done.id, done.title, done.source, done.url, done.raw, done.dropped) == (page.id, page.title, page.source, page.url, RAW, None)


# --------------------------------------------------------------------------- rules of one's own


def test_only_the_rules_that_are_passed_run() -> None:
    assert tw.clean(RAW, (empty_brackets,)) == "กรุงเทพ เป็นเมืองหลวง [1]\n== ดูเพิ่ม ==\nเชียงใหม่ \n"


def test_no_rules_change_nothing() -> None:
    assert tw.explain(RAW, ()).edits == ()


def test_a_rule_may_yield() -> None:
    def stars(text: str):
        yield from (tw.Edit(i, i + 1, "star") for i, char in enumerate(text) if char == "*")

    assert tw.explain("แมว**เป็น*สัตว์", (stars,)).removed() == [("star", "*"), ("star", "*"), ("star", "*")]


def test_a_rule_of_ones_own_runs_to_a_fixed_point_with_ours() -> None:
    def first_star(text: str) -> list[tw.Edit]:
        return [tw.Edit(text.index("*"), text.index("*") + 1, "star")] if "*" in text else []

    assert tw.clean("แมว * * * เป็นสัตว์", (first_star, spacing)) == "แมว เป็นสัตว์"


def test_a_bad_edit_of_a_rule_is_refused_by_name() -> None:
    def far(text: str) -> list[tw.Edit]:
        return [tw.Edit(0, 99, "far")]

    with pytest.raises(ValueError, match=r"far: \[0:99\] does not fit after \d+ in a text of 3 characters"):
        tw.clean("แมว", (far,))


def test_rules_that_fold_to_and_fro_are_named() -> None:
    def swap(text: str) -> list[tw.Edit]:
        return [tw.Edit(0, 1, "swap", "ข" if text[0] == "ก" else "ก")]

    with pytest.raises(AssertionError, match="rules do not settle after 50 rounds: swap"):
        tw.clean("ก", (swap,))


@given(thai_text(max_lines=2))
def test_the_order_of_other_peoples_rules_is_theirs(text: str) -> None:
    def eat(text: str) -> list[tw.Edit]:
        return [tw.Edit(0, 1, "eat")] if len(text) > 3 else []

    def grow(text: str) -> list[tw.Edit]:
        return [tw.Edit(3, len(text), "cut")] if len(text) > 3 else []

    assert {reason for reason, _ in tw.explain(text, (grow, eat)).removed()} == {"cut"}


# --------------------------------------------------------------------------- golden pages and documents


def test_every_reason_is_shown_in_a_golden_page() -> None:
    """The pages themselves are compared in test_marks.py; ``UPDATE_PAGES=1`` writes them anew."""
    shown = {edit.reason for path in PAGES for edit in from_marked(path.read_text("utf-8"))[1]}
    assert (REASONS.keys() - shown - OF_MANY_PAGES, shown - REASONS.keys()) == (set(), set())


PARTS = ["What it does", "Why", "Example", "What it spares", "Source"]


def test_every_reason_has_its_section_in_the_reference(root: Path) -> None:
    text = (root / "docs/reference/rules.md").read_text("utf-8")
    assert regex.findall(r"(?m)^### `(\w+)`$", text) == list(REASONS)


@pytest.mark.parametrize("reason", REASONS)
def test_a_section_of_the_reference_says_all_five_things(reason: str, root: Path) -> None:
    text = (root / "docs/reference/rules.md").read_text("utf-8")
    section = regex.search(rf"(?ms)^### `{reason}`$(.*?)(?=^##|\Z)", text)[1]  # type: ignore[index]
    assert regex.findall(r"(?m)^\*\*(.+?)\*\*", section) == PARTS


@pytest.mark.parametrize("reason", [reason for reason in REASONS if reason not in OF_MANY_PAGES])
def test_the_example_of_the_reference_is_true(reason: str, root: Path) -> None:
    """Each example is a marked text: cleaned and marked again it is the same, and it shows its reason."""
    text = (root / "docs/reference/rules.md").read_text("utf-8")
    section = regex.search(rf"(?ms)^### `{reason}`$(.*?)(?=^##|\Z)", text)[1]  # type: ignore[index]
    marked = regex.search(r"(?s)```text\n(.*?)\n```", section)[1]  # type: ignore[index]
    assert tw.explain(from_marked(marked)[0]).marked() == marked
    assert reason in {edit.reason for edit in from_marked(marked)[1]}


# The page itself is not ours to copy: what is stored is where something goes, why, and a hash of the page it fits.
ASTRONOMY = Path(__file__).parent / "pages" / "astronomy.edits.json"


def test_the_real_row_of_astronomy_is_edited_as_it_was_read(shared: Path) -> None:
    path = shared / "data" / "real_dev.jsonl"
    if not path.exists():
        pytest.skip(f"no {path}: the real pages are no part of the repository")
    rows = (json.loads(line) for line in path.read_text("utf-8").split("\n") if line)
    raw = next(row["text"] for row in rows if row["title"] == "ดาราศาสตร์" and row["source"] == "thaiwikipedia")
    now = {"sha256": hashlib.sha256(raw.encode()).hexdigest(), "edits": [list(edit) for edit in tw.explain(raw).edits]}
    if os.environ.get("UPDATE_PAGES"):
        edits = ",\n".join(f"  {json.dumps(edit, ensure_ascii=False)}" for edit in now["edits"])
        ASTRONOMY.write_text(f'{{"sha256": "{now["sha256"]}", "edits": [\n{edits}\n]}}\n', "utf-8", newline="\n")
    assert json.loads(ASTRONOMY.read_text("utf-8")) == now
