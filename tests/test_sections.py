"""Sections of a clean page, found again through its edits."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thaiwiki_clean.edits import Edit, apply
from thaiwiki_clean.instruct.sections import sections
from thaiwiki_clean.page import Page

PROSE = ["แมวเป็นสัตว์เลี้ยงลูกด้วยนม", "ในปี พ.ศ. 2540 เขาย้ายไปอยู่ที่เชียงใหม่", "ปลากัดอยู่ในวงศ์ปลากัด"]
HEADERS = [(2, "== ชีวิต =="), (3, "=== วัยเด็ก ==="), (2, "==ผลงาน== "), (4, "==== บ้าน ====")]


def page(parts: list[tuple[str, str]]) -> Page:
    """A page of ``(reason, line)``; a line with a reason is removed."""
    raw, edits = "", []
    for reason, line in parts:
        if reason:
            edits.append(Edit(len(raw), len(raw) + len(line) + 1, reason))
        raw += line + "\n"
    return Page("1", "แมว", "thaiwikipedia", "", raw, apply(raw, edits), tuple(edits))


PARTS = st.lists(
    st.sampled_from(
        [("", line) for line in PROSE] + [("section_header", header) for _, header in HEADERS] + [("link_list", "เสือ"), ("", "")]
    ),
    max_size=12,
)


def titles(p: Page) -> list[str]:
    return ["/".join(s.path) for s in sections(p)]


@given(PARTS)
def test_sections_hold_every_letter_of_the_text_once(parts: list[tuple[str, str]]) -> None:
    p = page(parts)
    found = sections(p)
    assert "".join("".join(p.text[s.start : s.end].split()) for s in found) == "".join(p.text.split())
    assert all(a.end <= b.start for a, b in pairwise(found))


@given(PARTS)
def test_text_stands_under_the_header_that_it_stood_under(parts: list[tuple[str, str]]) -> None:
    """The header before a line of prose is the last of the path of its section."""
    p = page(parts)
    expected, last = [], ""
    for reason, line in parts:
        if reason == "section_header":
            last = line.strip("= ")
        elif not reason and line:
            expected.append((last, line))
    got = [((s.path or ("",))[-1], line) for s in sections(p) for line in p.text[s.start : s.end].split("\n") if line]
    assert got == expected


def test_a_deeper_header_stands_inside_and_a_level_one_skipped_too() -> None:
    p = page(
        [
            ("section_header", "== ก้าวแรก =="),
            ("", PROSE[0]),
            ("section_header", "==== บ้าน ===="),
            ("", PROSE[1]),
            ("section_header", "=== วัยเด็ก ==="),
            ("", PROSE[2]),
        ]
    )
    assert titles(p) == ["ก้าวแรก", "ก้าวแรก/บ้าน", "ก้าวแรก/วัยเด็ก"]


def test_a_section_without_text_is_none() -> None:
    p = page([("", PROSE[0]), ("section_header", "== ว่าง =="), ("section_header", "== ชีวิต =="), ("", PROSE[1])])
    assert titles(p) == ["", "ชีวิต"]


def test_a_boilerplate_section_ends_the_one_before() -> None:
    p = page(
        [
            ("section_header", "== ชีวิต =="),
            ("", PROSE[0]),
            ("boilerplate_section", "== ดูเพิ่ม ==\nเสือ"),
            ("section_header", "=== ย่อย ==="),
            ("", PROSE[1]),
        ]
    )
    assert titles(p) == ["ชีวิต", "ดูเพิ่ม/ย่อย"]


def test_a_header_line_that_was_kept_is_text() -> None:
    p = page([("", "== ชีวิต =="), ("", PROSE[0])])
    assert titles(p) == [""]


def test_a_bare_header_is_of_level_two() -> None:
    p = page([("section_header", "== ชีวิต =="), ("", PROSE[0]), ("bare_header", "ผลงานเด่น"), ("", PROSE[1])])
    assert titles(p) == ["ชีวิต", "ผลงานเด่น"]


def test_a_header_counts_when_a_later_edit_took_it_in() -> None:
    raw = f"{PROSE[0]}\n\n== ชีวิต ==\n\n{PROSE[1]}"
    start = len(PROSE[0]) + 1
    edits = (Edit(start, raw.index(PROSE[1]), "spacing"),)
    assert titles(Page("1", "แมว", "thaiwikipedia", "", raw, apply(raw, edits), edits)) == ["", "ชีวิต"]


@pytest.mark.parametrize(
    ("header", "title"),
    [
        ("== '''ชีวิต''' ==", "ชีวิต"),
        ("== [[แมว|แมวไทย]] ==", "แมวไทย"),
        ("== ชีวิต[1] ==", "ชีวิต"),
        ("== ชีวิต&nbsp;วัยเด็ก ==", "ชีวิต วัยเด็ก"),
        ("== ชีวิต [แก้] ==", "ชีวิต"),
    ],
)
def test_a_title_as_a_reader_sees_it(header: str, title: str) -> None:
    assert titles(page([("section_header", header), ("", PROSE[0])])) == [title]


def test_an_empty_page_has_no_section() -> None:
    assert sections(Page("1", "แมว", "thaiwikipedia", "", "")) == []


def test_edits_of_another_text_are_refused() -> None:
    with pytest.raises(ValueError, match="page '1': 0 edits leave 3 of 3 raw characters, its text has 2"):
        sections(Page("1", "แมว", "thaiwikipedia", "", "แมว", "แม"))
