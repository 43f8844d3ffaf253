"""Which pages to show, and how much of each: every reason once, long texts folded, letters whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import regex

from thaiwiki_clean.edits import Edit
from thaiwiki_clean.page import Page

__all__ = ["WITHIN_LETTER", "Excerpt", "Sight", "cover", "excerpt", "sights"]

# No excerpt begins here: within a letter, or between a Thai consonant and a vowel that is written before or after it.
WITHIN_LETTER = regex.compile(r"[\p{GCB=Extend}\p{GCB=SpacingMark}\p{GCB=ZWJ}ะาๅๆฯ] | (?<=[เแโใไ])\p{Thai}", regex.VERBOSE)

#: Of a long removed span so many characters are shown at its start, and a third of them at its end.
_SPAN = 240


class Excerpt(NamedTuple):
    """A piece of a raw text with the edits inside it, and how many characters are left out before it."""

    raw: str
    edits: list[Edit]
    skipped: int


class Sight(NamedTuple):
    """One edit in its surroundings."""

    page: Page
    excerpt: list[Excerpt]


def cover(pages: Sequence[Page]) -> list[Page]:
    """Few pages that together have every reason that some page has: the one with most new reasons first, the shorter one of two.

    >>> a = Page("1", "", "", "", raw="ก () [1]", edits=(Edit(1, 4, "empty_brackets"), Edit(4, 8, "reference")))
    >>> b = Page("2", "", "", "", raw="ก ()", edits=(Edit(1, 4, "empty_brackets"),))
    >>> [page.id for page in cover([b, a])]
    ['1']
    """
    reasons = [{edit.reason for edit in page.edits} for page in pages]
    wanted, out = set().union(*reasons), []
    while wanted:
        best = max(range(len(pages)), key=lambda n: (len(reasons[n] & wanted), -len(pages[n].raw), -n))
        out.append(pages[best])
        wanted -= reasons[best]
    return out


def sights(reason: str, pages: Iterable[Page], most: int = 3, context: int = 40) -> list[Sight]:
    """Edits of ``reason`` in their surroundings, of pages as different as there are, what is seen most easily first.

    An edit of a letter or more is preferred to one of blanks alone, and one that has neighbours it can be told by.
    """
    found: list[tuple[int, int, Page, Edit]] = []
    for rank, page in enumerate(pages):
        mine = [edit for edit in page.edits if edit.reason == reason]
        if mine:
            edit = min(mine, key=lambda edit: (not page.raw[edit.start : edit.end].strip(), edit.end - edit.start > _SPAN, edit.start))
            found.append((not page.raw[edit.start : edit.end].strip(), rank, page, edit))
    found.sort(key=lambda item: item[:2])
    return [Sight(page, excerpt(page, (edit,), context=context)) for _, _, page, edit in found[:most]]


def excerpt(page: Page, around: Sequence[Edit] | None = None, *, context: int = 160, most: int = 6000) -> list[Excerpt]:
    """The raw text around some edits, all of them unless said, with what lies between them left out.

    A removed span that is long is shown by its beginning and its end. At most about ``most`` characters are shown; where there is
    more to show, the edits whose reason was not shown yet come first. The last piece may be empty: it says what is left out at the end.
    """
    raw = page.raw
    if around is None and len(raw) <= most:
        return [Excerpt(raw, list(page.edits), 0)]
    chosen: list[tuple[int, int]] = []
    room = most
    for edit in _new_reasons_first(page.edits if around is None else around):
        spans = [_whole(raw, *span) for span in _spans(edit, context, len(raw))]
        room -= sum(b - a for a, b in spans)
        if chosen and room < 0:
            break
        chosen += spans
    if not chosen:  # nothing was edited: the beginning
        chosen = [_whole(raw, 0, min(most, len(raw)))]
    out, at = [], 0
    for start, end in _joined(chosen):
        out.append(Excerpt(raw[start:end], list(_within(page.edits, start, end)), start - at))
        at = end
    return [*out, Excerpt("", [], len(raw) - at)] if at < len(raw) else out


def _new_reasons_first(edits: Sequence[Edit]) -> list[Edit]:
    seen: set[str] = set()
    first: list[Edit] = []
    rest: list[Edit] = []
    for edit in edits:
        (rest if edit.reason in seen else first).append(edit)
        seen.add(edit.reason)
    return first + rest


def _spans(edit: Edit, context: int, length: int) -> list[tuple[int, int]]:
    start, end = max(0, edit.start - context), min(length, edit.end + context)
    if edit.end - edit.start <= 2 * _SPAN:
        return [(start, end)]
    return [(start, edit.start + _SPAN), (edit.end - _SPAN // 3, end)]


def _whole(raw: str, start: int, end: int) -> tuple[int, int]:
    """The span with the letters at its ends whole."""
    while start > 0 and WITHIN_LETTER.match(raw, start):
        start -= 1
    while end < len(raw) and WITHIN_LETTER.match(raw, end):
        end += 1
    return start, end


def _joined(spans: Iterable[tuple[int, int]], gap: int = 40) -> list[tuple[int, int]]:
    """Spans in order; those with less than ``gap`` between them become one, for a note takes as much room.

    >>> _joined([(100, 120), (0, 10), (5, 90)])
    [(0, 120)]
    """
    out: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if out and start < out[-1][1] + gap:
            out[-1] = (out[-1][0], max(end, out[-1][1]))
        else:
            out.append((start, end))
    assert all(a[1] < b[0] for a, b in pairwise(out))
    return out


def _within(edits: Iterable[Edit], start: int, end: int) -> Iterator[Edit]:
    """The edits inside ``[start, end)``, cut to it, with offsets from ``start``."""
    for edit in edits:
        a, b = max(edit.start, start), min(edit.end, end)
        if a < b:
            yield edit._replace(start=a - start, end=b - start)
