"""Edits: what was taken out of a text, where, and why.

An edit drops a span of characters or folds it into one character; it never inserts.
Whoever holds the raw text and the edits can check everything that was done::

    >>> raw = "กรุงเทพ () เป็นเมืองหลวง"
    >>> edits = [Edit(7, 10, "empty_brackets")]
    >>> apply(raw, edits)
    'กรุงเทพ เป็นเมืองหลวง'
    >>> undo(apply(raw, edits), edits, pieces(raw, edits)) == raw
    True

Offsets count Python characters (code points), ``start`` included, ``end`` not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from operator import itemgetter
from typing import NamedTuple, cast

__all__ = ["Edit", "apply", "check", "compose", "edit_of", "merge", "pieces", "undo"]


_START = itemgetter(0)


class Edit(NamedTuple):
    """One span ``[start, end)`` that is dropped, or folded into the one character ``new``."""

    start: int
    end: int
    reason: str
    new: str = ""


#: An edit from the tuple of its four fields, in half the time of ``Edit(...)``: for rules that make many.
edit_of = cast("Callable[[tuple[int, int, str, str]], Edit]", partial(tuple.__new__, Edit))


def apply(raw: str, edits: Iterable[Edit]) -> str:
    """The text that is left of ``raw``.

    >>> apply("9.4&nbsp;°C", [Edit(3, 9, "html_entity", " ")])
    '9.4 °C'

    Raises ValueError when an edit is empty, out of order, overlapping, outside the text, or inserts.
    """
    out: list[str] = []
    at = 0
    for edit in edits:
        start, end, _, new = edit
        if not at <= start < end or len(new) > 1:
            raise _bad(edit, at, len(raw))
        out.append(raw[at:start])
        if new:
            out.append(new)
        at = end
    if at > len(raw):
        raise _bad(edit, at, len(raw))
    out.append(raw[at:])
    return "".join(out)


def check(raw: str, edits: Iterable[Edit]) -> None:
    """Raise ValueError with the reason and the numbers when ``edits`` do not fit ``raw``."""
    at = 0
    for edit in edits:
        if not at <= edit.start < edit.end <= len(raw) or len(edit.new) > 1:
            raise _bad(edit, at, len(raw))
        at = edit.end


def pieces(raw: str, edits: Iterable[Edit]) -> list[str]:
    """The raw characters under each edit, in order: with them and the edits, :func:`undo` gives ``raw`` back."""
    return [raw[edit.start : edit.end] for edit in edits]


def undo(text: str, edits: Sequence[Edit], removed: Sequence[str]) -> str:
    """The raw text that ``edits`` made ``text`` from; ``removed`` holds the piece under each edit.

    >>> undo("9.4 °C", [Edit(3, 9, "html_entity", " ")], ["&nbsp;"])
    '9.4&nbsp;°C'

    Raises ValueError when the pieces do not belong to the edits.
    """
    if len(edits) != len(removed):
        raise ValueError(f"{len(edits)} edits need as many removed pieces, got {len(removed)}")
    out: list[str] = []
    at = raw_at = 0
    for edit, piece in zip(edits, removed, strict=True):
        if edit.end - edit.start != len(piece):
            raise ValueError(
                f"{edit.reason}: [{edit.start}:{edit.end}] needs a piece of {edit.end - edit.start} characters, got {len(piece)}"
            )
        kept = edit.start - raw_at
        out += (text[at : at + kept], piece)
        at += kept + len(edit.new)
        raw_at = edit.end
    out.append(text[at:])
    return "".join(out)


def merge(*groups: Iterable[Edit]) -> list[Edit]:
    """Edits of one text in order; where two overlap, the one of the earlier group stands.

    >>> merge([Edit(4, 9, "table")], [Edit(0, 2, "url"), Edit(5, 6, "url")])
    [Edit(start=0, end=2, reason='url', new=''), Edit(start=4, end=9, reason='table', new='')]
    """
    ranked = sorted([(edit[0], rank, edit) for rank, group in enumerate(groups) for edit in group], key=_START)
    out: list[Edit] = []
    at = last = 0  # where the last edit that stands ends, and its group
    for start, rank, edit in ranked:
        if start >= at:
            out.append(edit)
            at, last = edit[1], rank
        elif rank < last:
            break  # it takes the place of one that was let in, and what that one kept out may stand after all
    else:
        return out
    out = []
    ordered = [[edit for _, mine, edit in ranked if mine == rank] for rank in range(len(groups))]
    for group in ordered:
        old, out, i = out, [], 0
        for edit in group:
            while i < len(old) and old[i].end <= edit.start:
                out.append(old[i])
                i += 1
            if (i == len(old) or old[i].start >= edit.end) and (not out or out[-1].end <= edit.start):
                out.append(edit)
        out += old[i:]
    return out


def compose(first: Sequence[Edit], then: Sequence[Edit]) -> list[Edit]:
    """One list of edits on the raw text that does what ``first`` and, on its result, ``then`` do.

    >>> first = [Edit(3, 5, "template")]                  # "ก (; ) ข" becomes "ก () ข"
    >>> [(e.start, e.end, e.reason) for e in compose(first, [Edit(1, 4, "empty_brackets")])]
    [(1, 3, 'empty_brackets'), (3, 5, 'template'), (5, 6, 'empty_brackets')]

    What was removed first keeps its reason: a later drop that reaches over a drop or a fold is split around it,
    and the fold becomes a drop. Only a later fold takes an earlier fold with it, reason and all.
    """
    if not first:
        return list(then)
    out: list[Edit] = []
    i, n = 0, len(first)
    shift = 0  # raw offset minus offset in the text between, behind the edits passed so far
    for edit in then:
        start, end, reason, new = edit
        while i < n:
            e = first[i]
            old_start, old_end, _, old_new = e
            if old_start - shift + len(old_new) > start:
                break
            out.append(e)  # shows wholly before this edit
            shift += old_end - old_start - len(old_new)
            i += 1
        at = start + shift  # raw offset from which this edit has not been written down yet
        folds = new != ""
        while i < n and first[i].start - shift < end:
            e = first[i]
            if not (e.new and folds):
                if e.start > at:
                    out.append(edit_of((at, e.start, reason, new)))
                    new = ""
                out.append(Edit(e.start, e.end, e.reason) if e.new else e)
                at = e.end
            shift += e.end - e.start - len(e.new)
            i += 1
        if at < end + shift:
            out.append(edit_of((at, end + shift, reason, new)))
    out += first[i:]
    return out


def _bad(edit: Edit, at: int, length: int) -> ValueError:
    if len(edit.new) > 1:
        return ValueError(
            f"{edit.reason}: [{edit.start}:{edit.end}] puts in {len(edit.new)} characters {edit.new!r}; an edit may leave one at most"
        )
    return ValueError(f"{edit.reason}: [{edit.start}:{edit.end}] does not fit after {at} in a text of {length} characters")
