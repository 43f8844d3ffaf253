"""Recurring lines: only what stands at the same end of many pages goes, whatever shard counted it, and text stays settled."""

from __future__ import annotations

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from thaiwiki_clean.edits import apply, check, compose, pieces, undo
from thaiwiki_clean.recurring import line_counts, merge_counts, recurring, recurring_edits

line = st.sampled_from(["", "แมว", "ปลา", "กลับหน้าแรก", "แมวเป็นสัตว์ที่มีขน", "ก่", "นํา", " "])
page = st.lists(line, max_size=12).map("\n".join) | st.text(max_size=20)


def body(name: str, lines: int = 6) -> str:
    return "\n".join(f"เรื่องที่ {i} {name}" for i in range(lines))


TOWNS = [f"เมือง{i}" for i in range(60)]
NOTICE = "กลับหน้าแรก"
SENTENCE = "บทความนี้เป็นโครง ช่วยเพิ่มเติมข้อมูลได้ที่หน้านี้"


def found(pages: list[str], min_pages: int = 50) -> frozenset[int]:
    return recurring(merge_counts([line_counts(pages)]), min_pages)


@given(st.lists(page, max_size=8), st.lists(page, max_size=8))
def test_counts_of_shards_add_up(a: list[str], b: list[str]) -> None:
    whole = merge_counts([line_counts(a + b)])
    assert merge_counts([line_counts(b), line_counts(a)]).equals(whole)
    assert merge_counts([merge_counts([line_counts(a)]), line_counts(b)]).equals(whole)


@given(page, st.sets(line))
def test_edits_fit_and_can_be_undone(text: str, lines: set[str]) -> None:
    hashes = {row["line"] for one in lines for row in line_counts(["\n".join([one] * 7)]).to_pylist()}
    edits = recurring_edits(text, hashes)
    check(text, edits)
    left = apply(text, edits)
    assert undo(left, edits, pieces(text, edits)) == text
    assert not edits or left.strip()
    boundaries = {m.start() for m in regex.finditer(r"\X", text)} | {len(text)}
    assert all(e.start in boundaries and e.end in boundaries for e in edits)


@given(st.lists(line.filter(str.strip), min_size=1, max_size=12), st.sets(line), st.sampled_from(["\n", "\n\n"]))
def test_no_blank_line_is_left_over(lines: list[str], gone: set[str], between: str) -> None:
    hashes = {row["line"] for one in gone for row in line_counts(["\n".join([one] * 7)]).to_pylist()}
    text = between.join(lines)
    left = apply(text, recurring_edits(text, hashes))
    assert "\n\n\n" not in left
    assert left == left.strip("\n")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f"{{}}\n{NOTICE}", "{}"),
        (f"{NOTICE}\n{{}}", "{}"),
        (f"{NOTICE}\n\n{{}}\n\n{NOTICE}\n", "{}"),
        (f"\n\n{NOTICE}\n\n{{}}", "{}"),
        (f"ต้น\n{NOTICE}\n{{}}", "ต้น\n{}"),
    ],
)
def test_a_notice_at_the_end_of_many_pages_goes(before: str, after: str) -> None:
    hashes = found([f"{body(town)}\n{NOTICE}" for town in TOWNS])
    text = before.format(body("น่าน"))
    assert apply(text, recurring_edits(text, hashes)) == after.format(body("น่าน"))


def test_the_first_page_loses_it_too() -> None:
    pages = [f"{body(town)}\n{NOTICE}" for town in TOWNS]
    assert all(recurring_edits(text, found(pages)) for text in pages)


@pytest.mark.parametrize(
    ("name", "pages"),
    [
        ("too few pages", [f"{body(town)}\n{NOTICE}" for town in TOWNS[:49]]),
        ("often on one page", [body(town) for town in TOWNS] + [f"{body('ก')}\n" + f"{NOTICE}\n" * 90]),
        ("an item of lists, anywhere", [f"{body(t, i % 9)}\n{NOTICE}\n{body(t + 'ข', 9 - i % 9)}" for i, t in enumerate(TOWNS)]),
        ("at either end", [f"{body(t)}\n{NOTICE}" if i % 2 else f"{NOTICE}\n{body(t)}" for i, t in enumerate(TOWNS)]),
        ("pages without a middle", [f"{town}\n{NOTICE}" for town in TOWNS]),
        ("a sentence", [f"{body(town)}\n{SENTENCE}" for town in TOWNS]),
    ],
)
def test_kept(name: str, pages: list[str]) -> None:
    assert found(pages) == frozenset()


def test_a_sentence_goes_on_ten_times_as_many_pages() -> None:
    assert len(found([f"{body(town)}\n{SENTENCE}" for town in TOWNS], min_pages=6)) == 1


def test_what_is_all_of_a_page_stays() -> None:
    hashes = found([f"{body(town)}\n{NOTICE}" for town in TOWNS])
    assert recurring_edits(f"{NOTICE}\n{NOTICE}", hashes) == []


def test_in_the_middle_it_stays() -> None:
    hashes = found([f"{body(town)}\n{NOTICE}" for town in TOWNS])
    assert recurring_edits(f"{body('ก')}\n{NOTICE}\n{body('ข')}", hashes) == []


def test_edits_compose_with_those_of_cleaning() -> None:
    from thaiwiki_clean.edits import Edit

    hashes = found([f"{body(town)}\n{NOTICE}" for town in TOWNS])
    raw = f"{body('ก')} \n{NOTICE}"
    cleaned = [Edit(len(body("ก")), len(body("ก")) + 1, "spacing")]
    edits = compose(cleaned, recurring_edits(apply(raw, cleaned), hashes))
    assert apply(raw, edits) == body("ก")


def test_one_page_is_no_recurrence() -> None:
    with pytest.raises(ValueError, match="recurs on two pages at least, got min_pages=1"):
        recurring(line_counts([]), 1)
