"""An answer as the page shows it: a loop once with its count, and a very long answer with its end folded away.

Nothing is lost: what is folded stands in the page and opens with a click. This is about reading, not measuring;
the measures of repetition are :mod:`thaiwiki_clean.repetition`'s.
"""

from __future__ import annotations

from typing import NamedTuple

import regex

__all__ = ["Folded", "Piece", "fold"]

VISIBLE = 2500  #: characters before the rest folds: about three screens of a phone
LOOP = 60  #: characters in all copies together; below, "555555" and "....." stand as they are
LOOKED_AT = 10_000  #: characters in which loops are looked for; what lies behind is in the fold anyway

# A piece said three times or more in a row. No copy begins with a mark, and none is cut from the mark after it; nor does
# one begin with a blank, so that "แมว แมว แมว" repeats "แมว " and the count stands on a line of its own. But for blanks alone.
_RUN = regex.compile(r"(?![\p{M}ำ])(?:(?!\s)|(?=\s{60}))(.{1,400}?)\1{2,}(?![\p{M}ำ])", regex.DOTALL)
_BLANKS = regex.compile(r"(?:[ \n](?![\p{M}ำ]))*")
# Control characters as their Unicode pictures: U+0007 shows as a small BEL instead of not at all.
_PICTURES = {code: 0x2400 + code for code in range(32) if chr(code) not in "\t\n\r"} | {0x7F: 0x2421}


class Piece(NamedTuple):
    """A stretch of an answer: ``text`` shown, and the ``copies - 1`` further copies of it folded away in ``hidden``."""

    text: str
    copies: int = 1
    hidden: str = ""


class Folded(NamedTuple):
    """An answer in pieces; ``rest`` opens with a click and counts ``characters``."""

    shown: tuple[Piece, ...]
    rest: tuple[Piece, ...]
    characters: int


def fold(text: str) -> Folded:
    """``text`` in pieces that, put together, are the text again, but for control characters, shown as pictures.

    >>> [(piece.text, piece.copies) for piece in fold("แมวคือ " + "สัตว์เลี้ยง " * 14).shown]
    [('แมวคือ ', 1), ('สัตว์เลี้ยง ', 14)]
    """
    shown: list[Piece] = []
    rest: list[Piece] = []
    seen = 0
    for piece in _loops(text.translate(_PICTURES)):
        room = VISIBLE - seen
        if rest or room <= 0:
            rest.append(piece)
        elif piece.copies > 1 or len(piece.text) <= room * 1.2:  # a last fifth is not worth a click
            shown.append(piece)
        else:
            at = _blank_before(piece.text, room)
            shown.append(Piece(piece.text[:at]))
            rest.append(Piece(piece.text[at:]))
        seen += len(piece.text)
    return Folded(tuple(shown), tuple(rest), sum(len(piece.text) + len(piece.hidden) for piece in rest))


def _loops(text: str) -> list[Piece]:
    pieces: list[Piece] = []
    at = look = 0
    while run := _RUN.search(text, look, LOOKED_AT):
        start, look = run.span()
        if look - start < LOOP:
            continue
        copies = (look - start) // len(run[1])
        look = _BLANKS.match(text, look).end()  # left to stand behind the fold, they would be an empty line
        if start > at:
            pieces.append(Piece(text[at:start]))
        pieces.append(Piece(run[1], copies, text[start + len(run[1]) : look]))
        at = look
    if at < len(text):
        pieces.append(Piece(text[at:]))
    return pieces


def _blank_before(text: str, end: int) -> int:
    """The last place at or before ``end`` that stands behind a blank or line end; failing that, between two letters."""
    for at in range(end, end // 2, -1):
        if text[at - 1] in " \n":
            return at
    while 0 < end < len(text) and regex.match(r"[\p{M}ำ]", text[end]):
        end -= 1
    return end
