"""Two cleanings of the same page, told from each other by their edits alone: both have offsets into the same raw text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from thaiwiki_clean.edits import Edit
from thaiwiki_clean.marks import visible
from thaiwiki_clean.report.excerpts import WITHIN_LETTER

__all__ = ["GONE", "Piece", "Span", "pieces", "spans"]


class Span(NamedTuple):
    """A span of the raw page, and what two cleanings did with it.

    ``was`` and ``now`` are the reasons it was removed for, empty where it was kept. ``text`` is what stands there in the raw page;
    it is empty where both removed it, for then neither text holds it. ``new`` is the character that the one which removed it left.
    """

    was: str
    now: str
    characters: int
    text: str
    new: str = ""


class _State(NamedTuple):
    start: int
    end: int
    reason: str
    piece: str  # the kept text, or the character put in place of a removed one


def spans(a: str, edits_a: Iterable[Edit], b: str, edits_b: Iterable[Edit], length: int) -> list[Span] | None:
    """The raw page, ``length`` characters long, in spans; None when the two texts are not of one raw page.

    >>> spans("แมว [1]", [], "แมว", [Edit(3, 7, "reference")], 7)
    [Span(was='', now='', characters=3, text='แมว', new=''), Span(was='', now='reference', characters=4, text=' [1]', new='')]
    """
    out: list[Span] = []
    for (was, old), (now, new), characters in _overlaps(_states(a, edits_a, length), _states(b, edits_b, length)):
        if not was and not now:
            if old != new or len(old) != characters:
                return None
            span = Span("", "", characters, old)
        elif not was or not now:
            span = Span(was, now, characters, new if was else old, old if was else new)
            if len(span.text) != characters:
                return None
        else:
            span = Span(was, now, characters, "", new if was != now else "")
        if out and (out[-1].was, out[-1].now) == (span.was, span.now) and not out[-1].new:
            before = out.pop()
            span = Span(span.was, span.now, before.characters + span.characters, before.text + span.text, span.new)
        out.append(span)
    return out


def _states(text: str, edits: Iterable[Edit], length: int) -> Iterator[_State]:
    """The raw page in spans that were kept, with their text, and spans that were removed."""
    at = text_at = 0
    for edit in edits:
        if at < edit.start:
            yield _State(at, edit.start, "", text[text_at : text_at + edit.start - at])
            text_at += edit.start - at
        yield _State(edit.start, edit.end, edit.reason, edit.new)
        text_at += len(edit.new)
        at = edit.end
    if at < length or text[text_at:]:
        yield _State(at, max(at, length), "", text[text_at:])


def _overlaps(a: Iterator[_State], b: Iterator[_State]) -> Iterator[tuple[tuple[str, str], tuple[str, str], int]]:
    """Reason and piece on both sides, and how many characters they have in common, in order."""
    x, y = next(a, None), next(b, None)
    at = 0
    while x and y:
        end = min(x.end, y.end)
        yield _part(x, at, end), _part(y, at, end), end - at
        at = end
        if x.end <= at:
            x = next(a, None)
        if y and y.end <= at:
            y = next(b, None)


def _part(state: _State, start: int, end: int) -> tuple[str, str]:
    """A state cut to ``[start, end)``; what was put in place of a span stands at its beginning."""
    if state.reason:
        return state.reason, state.piece if start == state.start else ""
    return "", state.piece[start - state.start : end - state.start if end < state.end else None]


#: What stands for text that both cleanings removed.
GONE = "⋯"
_CONTEXT = 60


class Piece(NamedTuple):
    """A piece of a page as it is shown: ``what`` is kept, skipped, removed (now, not before) or back (removed before)."""

    what: str
    text: str
    reason: str = ""
    new: str = ""


def pieces(found: Sequence[Span]) -> list[Piece]:
    """The spans as a reader sees them: what differs, with some text around it.

    >>> for piece in pieces([Span("", "", 200, "ก" * 200), Span("", "url", 3, "www"), Span("url", "url", 9, "")]):
    ...     print(piece.what, len(piece.text), piece.reason or "-")
    skipped 3 -
    kept 60 -
    removed 3 url
    kept 1 -
    """
    out: list[Piece] = []
    alike: list[str] = []
    for span in found:
        if span.text and span.was != span.now:
            out += _folded("".join(alike), first=not out, last=False)
            # A newline at the start stands before the label: the span belongs to the lines that follow.
            body = span.text.lstrip("\n") if span.text.strip(" \n") else span.text
            out += [Piece("kept", span.text[: -len(body)])] if body != span.text else []
            out.append(Piece("removed" if span.now else "back", visible(body), span.now or span.was, visible(span.new)))
            alike = []
        else:
            alike += [span.text or GONE] if span.text or alike[-1:] != [GONE] else []
    return out + _folded("".join(alike), first=not out, last=True)


def _folded(text: str, *, first: bool, last: bool) -> list[Piece]:
    head, tail = 0 if first else _CONTEXT, 0 if last else _CONTEXT
    start, end = head, len(text) - tail
    if end - start <= 40:  # the note takes as much room
        return [Piece("kept", text)] if text else []
    while start < len(text) and WITHIN_LETTER.match(text, start):
        start += 1
    while end > start and WITHIN_LETTER.match(text, end):
        end -= 1
    note = Piece("skipped", f"{end - start:,}")
    return [piece for piece in (Piece("kept", text[:start]), note, Piece("kept", text[end:])) if piece.text]
