"""Sections of a clean page: the headers are gone from its text, and its edits still know where they stood."""

from __future__ import annotations

import html
from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import NamedTuple

import regex

from thaiwiki_clean.edits import Edit
from thaiwiki_clean.markup import headers, lines
from thaiwiki_clean.page import Page

__all__ = ["Section", "placing", "sections"]

#: Reasons of edits that take a header out and leave the prose below it.
HEADER_REASONS = ("section_header", "bare_header")


class Section(NamedTuple):
    """A stretch of a clean text under one header, up to the next header of any level.

    ``path`` holds the titles from the outermost section to this one; it is empty for the lead.
    """

    path: tuple[str, ...]
    start: int
    end: int


def sections(page: Page) -> list[Section]:
    r"""The sections of ``page.text`` that hold text, in order; the first may be the lead.

    >>> raw = "แมวเป็นสัตว์\n== ประวัติ ==\nแมวมาจากอียิปต์\n=== ในไทย ===\nแมวไทยมีหลายพันธุ์"
    >>> edits = (Edit(13, 27, "section_header"), Edit(43, 57, "section_header"))
    >>> page = Page("1", "แมว", "thaiwikipedia", "", raw, "แมวเป็นสัตว์\nแมวมาจากอียิปต์\nแมวไทยมีหลายพันธุ์", edits)
    >>> [("/".join(s.path), page.text[s.start : s.end]) for s in sections(page)]
    [('', 'แมวเป็นสัตว์'), ('ประวัติ', 'แมวมาจากอียิปต์'), ('ประวัติ/ในไทย', 'แมวไทยมีหลายพันธุ์')]

    Together they hold every letter of the text once. A header that cleaning left in the text begins no section.
    Raises ValueError when the edits do not lead from ``raw`` to ``text``.
    """
    place = placing(page)
    found: list[tuple[int, int, int, str]] = []  # header's start and end in the clean text, level, title
    for start, end, level, title in _headers(page.raw, page.edits):
        here, behind = place(start), place(end)
        if not page.text[here:behind].strip():
            found.append((here, behind, level, title))
    out: list[Section] = []
    open_: list[tuple[int, str]] = []  # the sections we stand in
    at = 0
    for here, behind, level, title in [*found, (len(page.text), len(page.text), 1, "")]:
        _append(out, page.text, tuple(name for _, name in open_), at, here)
        while open_ and open_[-1][0] >= level:
            open_.pop()
        open_.append((level, title))
        at = max(at, behind)
    return out


def placing(page: Page) -> Callable[[int], int]:
    """A function from offsets in ``page.raw`` to offsets in ``page.text``; what was removed lies where it stood.

    Raises ValueError when the edits do not lead from ``raw`` to ``text``.
    """
    edits = page.edits
    starts = [edit.start for edit in edits]
    shift = [0, *accumulate(edit.end - edit.start - len(edit.new) for edit in edits)]
    if len(page.raw) - shift[-1] != len(page.text):
        raise ValueError(
            f"page {page.id!r}: {len(edits)} edits leave {len(page.raw) - shift[-1]} of {len(page.raw)} raw characters, "
            f"its text has {len(page.text)}; give the page its raw text and edits, or clean it again"
        )

    def place(offset: int) -> int:
        i = bisect_right(starts, offset)
        if i and offset < edits[i - 1].end:
            return edits[i - 1].start - shift[i - 1]
        return offset - shift[i]

    return place


def _append(out: list[Section], text: str, path: tuple[str, ...], start: int, end: int) -> None:
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    if start < end:
        out.append(Section(path, start, end))


def _headers(raw: str, edits: Sequence[Edit]) -> list[tuple[int, int, int, str]]:
    """``(start, end, level, title)`` of every header line of the raw text, and of headers that only the rules recognised."""
    start = lines(raw).start
    found = {h.line: (h.level, _title(h.title)) for h in headers(raw)}
    for edit in edits:
        if edit.reason in HEADER_REASONS:
            first, last = bisect_right(start, edit.start) - 1, bisect_right(start, edit.end - 1) - 1
            titled = [i for i in range(first, last + 1) if lines(raw).line[i].strip()]
            if titled and not any(i in found for i in titled):
                line = lines(raw).line[titled[0]].strip()
                signs = len(line) - len(line.lstrip("="))
                found[titled[0]] = (signs or 2, _title(line.strip("=")))
    return [(start[i], min(start[i + 1], len(raw)), *found[i]) for i in sorted(found)]


_LINK = regex.compile(r"\[\[(?:[^|\]\n]*\|)?([^\]\n]*)\]\]")
_MARKUP = regex.compile(r"<[^>\n]*>|\[[0-9]+\]|\[แก้(?:ไข)?\]|'{2,}|\{\{[^{}]*\}\}")


def _title(title: str) -> str:
    """A header's title as a reader sees it: ``'''[[แมว|แมวไทย]]'''&nbsp;[1]`` is แมวไทย."""
    return " ".join(html.unescape(_MARKUP.sub("", _LINK.sub(r"\1", title))).split())
