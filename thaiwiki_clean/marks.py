r"""A page with its edits marked in place: as plain text for files, in colours for a terminal, as HTML for a browser.

The plain form holds everything, and reads back::

    >>> raw = "เว็บ () 9.4&nbsp;°C"
    >>> print(to_marked(raw, [Edit(4, 7, "empty_brackets"), Edit(11, 17, "html_entity", " ")]))
    เว็บ⟦empty_brackets│ ()⟧ 9.4⟦html_entity│&nbsp;→ ⟧°C
    >>> from_marked("แมว⟦invisible│\\u200b⟧ไทย")
    ('แมว\u200bไทย', [Edit(start=3, end=4, reason='invisible', new='')])

What a reader could not see is written as an escape, inside marks and outside: ``\u200b``, ``\t``, ``\r``, the blank at the
end of a line (``\u0020``), a combining mark with no letter before it. A backslash is ``\\``. Newlines stay newlines, so
that a removed section keeps its lines; only where a mark holds nothing but blanks and newlines are they ``\n``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import regex

from thaiwiki_clean.edits import Edit, apply, check
from thaiwiki_clean.reasons import REASONS, VERDICTS

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

__all__ = [
    "ReasonCount",
    "count",
    "edits_css",
    "edits_html",
    "from_marked",
    "look",
    "templates",
    "to_ansi",
    "to_html",
    "to_marked",
    "visible",
    "without_controls",
]

# What shows nothing: controls, formats, odd blanks, default-ignorable characters, the blank Braille cell. Unassigned ones are
# left alone: a character that is unassigned today is an emoji tomorrow, and golden pages would change with Unicode's version.
_UNSEEN = r"[[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Z}\p{Default_Ignorable_Code_Point}\u2800]--[\x20\n]]"
_HIDDEN = rf"""
    {_UNSEEN}                           |
    \x20(?=\n)                          |   # editors strip the blank at the end of a line
    (?<![^\n])\p{{GCB=Extend}}+             # would sit on the bracket before it, or on nothing
"""
_FLAGS = regex.VERSION1 | regex.VERBOSE
_OUTSIDE = regex.compile(rf"[\\⟦⟧] | {_HIDDEN}", _FLAGS)
_INSIDE = regex.compile(rf"[\\⟦⟧│→] | {_HIDDEN}", _FLAGS)
_SHOWN = regex.compile(_HIDDEN, _FLAGS)
_BLANKS = regex.compile(r"[ \n]+")
# What must not stand in HTML, or would turn the page around it: controls and the bidirectional overrides.
_CONTROLS = regex.compile(r"[[\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069]--[\n]]", _FLAGS)
_WITHIN_LETTER = regex.compile(r"[\p{GCB=Extend}\p{GCB=SpacingMark}\p{GCB=ZWJ}]")

# 256-colour codes near Okabe and Ito's palette that can be read on black and on white.
_ANSI = (172, 67, 36, 142, 33, 166, 169)

_NAMED = {"\n": "n", "\r": "r", "\t": "t"} | {char: char for char in "\\⟦⟧│→"}
_NAMES = {name: char for char, name in _NAMED.items()}

_PLAIN = regex.compile(r"(?:[^\\⟦⟧]|\\.)*+", regex.DOTALL)
_FIELD = r"((?:[^\\⟦⟧│→]|\\.)*+)"
_PART = regex.compile(rf"({_PLAIN.pattern})(?:⟦{_FIELD}│{_FIELD}(?:→{_FIELD})?⟧|\Z)", regex.DOTALL)
_ESCAPE = regex.compile(r"\\(?:u([0-9a-f]{4})|U([0-9a-f]{8})|(.))", regex.DOTALL)


def to_marked(raw: str, edits: Sequence[Edit]) -> str:
    r"""``raw`` as readable text with every edit in place: ``⟦reason│removed⟧``, ``⟦reason│old→new⟧``.

    >>> print(to_marked("แมว\n== ดูเพิ่ม ==\nเสือ \nสิงโต", [Edit(3, 29, "boilerplate_section")]))
    แมว⟦boilerplate_section│
    == ดูเพิ่ม ==
    เสือ\u0020
    สิงโต⟧

    :func:`from_marked` gives both back, whatever they hold. Raises ValueError when the edits do not fit.
    """
    marked = "".join(_mark(piece, edit) for piece, edit in _walk(raw, edits))
    return marked[:-1] + r"\u0020" if marked.endswith(" ") else marked


def from_marked(marked: str) -> tuple[str, list[Edit]]:
    r"""The raw text and the edits that ``marked`` was made from.

    >>> from_marked("น⟦thai_vowel│ํา→ำ⟧")
    ('นํา', [Edit(start=1, end=3, reason='thai_vowel', new='ำ')])

    Marks written by hand need no escapes but those of backslash and brackets. Raises ValueError, with the line, on a mark
    or an escape that cannot be read.
    """
    raw: list[str] = []
    edits: list[Edit] = []
    at = length = 0
    while True:
        part = _PART.match(marked, at)
        if part is None:
            stop = _PLAIN.match(marked, at).end()
            raise _unreadable(marked, stop, "a mark is ⟦reason│removed⟧ or ⟦reason│old→new⟧")
        kept, reason, old, new = (_field(part, group) for group in (1, 2, 3, 4))
        raw.append(kept)
        length += len(kept)
        if part.end() == part.end(1):
            return "".join(raw), edits
        if not old or part[4] == "" or len(new) > 1:
            raise _unreadable(marked, part.end(1), "a mark removes at least one character, or folds it into one")
        raw.append(old)
        edits.append(Edit(length, length + len(old), reason, new))
        length, at = length + len(old), part.end()


def to_ansi(raw: str, edits: Sequence[Edit], *, colour: bool = True, context: int | None = None) -> str:
    """``raw`` for a terminal: removed text struck through, in its reason's colour and with its name behind it.

    >>> print(to_ansi("กรุงเทพมหานคร () เป็นเมืองหลวงและนครที่มีประชากรมากที่สุดของไทย", [Edit(14, 17, "empty_brackets")], colour=False, context=9))
    กรุงเทพมหานคร ⟦empty_brackets│() ⟧เป็นเมือง[…37 characters…]

    Without ``colour`` it is :func:`to_marked`. ``context`` is how many untouched characters to show beside an edit; the rest
    is folded, at whole letters. Control characters of the text never reach the terminal: they are shown as escapes.
    """
    if not colour and context is None:
        return to_marked(raw, edits)
    parts = list(_walk(raw, edits))
    out: list[str] = []
    for i, (piece, edit) in enumerate(parts):
        if edit is not None:
            out.append(_painted(piece, edit) if colour else _mark(piece, edit))
            continue
        first, last = i == 0, i == len(parts) - 1
        head, folded, tail = (piece, "", "") if context is None else _fold(piece, 0 if first else context, 0 if last else context)
        note = f"[…{len(folded):,} characters…]" if folded else ""
        if colour:
            out += (_seen(_chips(head)), f"\x1b[2m{note}\x1b[22m" if note else "", _seen(_chips(tail)))
        else:
            out += (_mark(head, None), note, _mark(tail, None))
    return "".join(out)


def to_html(raw: str, edits: Sequence[Edit], title: str = "", *, verdict: str | None = None) -> str:
    """One HTML page that shows ``raw`` with every edit coloured and named, and counts them.

    The page needs nothing else: no script, no font, no request. ``verdict`` says why the page as a whole was dropped.
    """
    kept = apply(raw, edits)
    return (
        templates()
        .get_template("page.html")
        .render(
            title=without_controls(title),
            verdict=verdict,
            verdict_says=VERDICTS.get(verdict or "", ""),
            edits=edits_html(raw, edits),
            legend=[row._replace(reason=_one_line(row.reason)) for row in count(raw, edits)],
            n_edits=len(edits),
            n_raw=len(raw),
            n_text=len(kept),
        )
    )


class ReasonCount(NamedTuple):
    """How often a reason occurs on a page, how many raw characters it took, and how it looks."""

    reason: str
    says: str
    edits: int
    characters: int
    look: str


def count(raw: str, edits: Sequence[Edit]) -> list[ReasonCount]:
    """The reasons of ``edits`` in the order of :data:`~thaiwiki_clean.reasons.REASONS`, with counts."""
    found: dict[str, list[int]] = {}
    for edit in edits:
        found.setdefault(edit.reason, []).append(edit.end - edit.start)
    order = [*(reason for reason in REASONS if reason in found), *sorted(found.keys() - REASONS.keys())]
    return [ReasonCount(r, REASONS.get(r, ""), len(found[r]), sum(found[r]), look(r)) for r in order]


def edits_html(raw: str, edits: Sequence[Edit]) -> Markup:
    """The marked text alone, a ``<div class="marked">`` for a page whose style holds :func:`edits_css`."""
    from markupsafe import Markup

    pieces = [_kept_view(piece) if edit is None else _edit_view(piece, edit) for piece, edit in _walk(raw, edits)]
    return Markup(templates().get_template("edits.html").module.marked(pieces))  # type: ignore[attr-defined]


def visible(removed: str) -> str:
    r"""Text that was removed, as a reader sees it: what shows nothing is written as an escape, blanks alone as signs.

    >>> print(visible("แมว\u200b"), visible(" "))
    แมว\u200b ␣
    """
    return "".join(text for text, _ in _removed_chips(removed, "\n"))


def without_controls(text: str) -> str:
    """``text`` with what must not stand in HTML written as escapes: controls, halves of surrogate pairs, bidirectional overrides."""
    return str(_CONTROLS.sub(_escape, text))


def edits_css() -> Markup:
    """The style of :func:`edits_html`, light and dark; the text of a ``<style>`` element."""
    from markupsafe import Markup

    return Markup(templates().get_template("edits.css").render())


@cache
def templates() -> Environment:
    """Where the HTML comes from; what is put into a template is text, and is escaped."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("thaiwiki_clean"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


def _walk(raw: str, edits: Sequence[Edit]) -> Iterator[tuple[str, Edit | None]]:
    """The raw text in pieces: kept ones with None, removed ones with their edit."""
    check(raw, edits)
    at = 0
    for edit in edits:
        if at < edit.start:
            yield raw[at : edit.start], None
        yield raw[edit.start : edit.end], edit
        at = edit.end
    if at < len(raw):
        yield raw[at:], None


def _mark(piece: str, edit: Edit | None) -> str:
    if edit is None:
        return str(_OUTSIDE.sub(_escape, piece))
    removed = _one_line(piece) if _BLANKS.fullmatch(piece) else _INSIDE.sub(_escape, piece)
    return f"⟦{_one_line(edit.reason)}│{removed}{'→' if edit.new else ''}{_one_line(edit.new)}⟧"


def _one_line(piece: str) -> str:
    return str(_INSIDE.sub(_escape, piece)).replace("\n", r"\n")


def _escape(found: regex.Match[str]) -> str:
    return "".join(f"\\{_NAMED[c]}" if c in _NAMED else f"\\u{ord(c):04x}" if ord(c) < 0x10000 else f"\\U{ord(c):08x}" for c in found[0])


def _field(part: regex.Match[str], group: int) -> str:
    """One field of a mark with its escapes read; empty where the mark has no such field."""

    def char(escape: regex.Match[str]) -> str:
        short, long, name = escape.groups()
        if name in _NAMES:
            return _NAMES[name]
        if name or int(short or long, 16) > 0x10FFFF:
            raise _unreadable(part.string, part.start(group) + escape.start(), r"escapes are \n \r \t \\ \⟦ \⟧ \│ \→ \u200b \U000e0001")
        return chr(int(short or long, 16))

    return str(_ESCAPE.sub(char, part[group] or ""))


def _unreadable(marked: str, at: int, expected: str) -> ValueError:
    return ValueError(f"line {marked.count(chr(10), 0, at) + 1}: {expected}; got {marked[at : at + 30]!r}")


def _kept_view(piece: str) -> dict[str, object]:
    return {"reason": None, "kept": list(_chips(piece, _CONTROLS))}


def _edit_view(piece: str, edit: Edit) -> dict[str, object]:
    # The label goes behind a newline at the start: it belongs to the lines that follow.
    lead = "" if _BLANKS.fullmatch(piece) else piece[: len(piece) - len(piece.lstrip("\n"))]
    old, new = _removed_chips(piece[len(lead) :], "\n"), _removed_chips(edit.new, "\n")
    return {
        "reason": _one_line(edit.reason),
        "look": look(edit.reason),
        "says": REASONS.get(edit.reason, ""),
        "lead": lead,
        "old": list(old),
        "new": list(new),
    }


def _fold(piece: str, before: int, after: int) -> tuple[str, str, str]:
    """``piece`` as its first ``before`` characters, what is folded away, and its last ``after``; no letter is cut."""
    start, end = min(before, len(piece)), max(len(piece) - after, 0)
    while start < len(piece) and _WITHIN_LETTER.match(piece, start):
        start += 1
    while 0 < end < len(piece) and _WITHIN_LETTER.match(piece, end):
        end -= 1
    # The note that stands for the fold is about 20 characters itself.
    return (piece[:start], piece[start:end], piece[end:]) if end - start > 20 else (piece, "", "")


def _chips(piece: str, hidden: regex.Pattern[str] = _SHOWN) -> Iterator[tuple[str, bool]]:
    """``piece`` in runs: as they stand with False, made visible with True."""
    at = 0
    for found in hidden.finditer(piece):
        if at < found.start():
            yield piece[at : found.start()], False
        yield _escape(found).replace(r"\u0020", "␣"), True
        at = found.end()
    if at < len(piece):
        yield piece[at:], False


def _removed_chips(piece: str, newline: str) -> Iterator[tuple[str, bool]]:
    """The same for what was removed: where that is nothing but blanks and newlines, they are made visible too."""
    if not _BLANKS.fullmatch(piece):
        yield from _chips(piece)
        return
    for char in piece:
        yield ("␣" if char == " " else "↵"), True
        if char == "\n" and newline:
            yield newline, False


def _painted(piece: str, edit: Edit) -> str:
    """A removed piece in its colour, line by line: pagers forget the colour at the end of a line."""
    colour = f"38;5;{_ANSI[_hue_and_line(edit.reason)[0]]}" if edit.reason in REASONS else "90"
    old = _seen(_removed_chips(piece, ""))
    body, newline = (old[:-1], "\n") if old.endswith("\n") and not edit.new else (old, "")
    lines = "\n".join(f"\x1b[9;{colour}m{line}\x1b[0m" if line else "" for line in body.split("\n"))
    new = f"\x1b[4;{colour}m→{_seen(_removed_chips(edit.new, ''))}\x1b[0m" if edit.new else ""
    return f"{lines}{new}\x1b[{colour}m[{_one_line(edit.reason)}]\x1b[0m{newline}"


def _seen(chips: Iterable[tuple[str, bool]]) -> str:
    return "".join(f"\x1b[7m{text}\x1b[27m" if hidden else text for text, hidden in chips)


def look(reason: str) -> str:
    """Two classes, a hue and a line style: together they differ for every reason, so that hue is never alone."""
    return "h{} p{}".format(*_hue_and_line(reason)) if reason in REASONS else "h7 p0"


def _hue_and_line(reason: str) -> tuple[int, int]:
    rank = list(REASONS).index(reason)
    line = rank // len(_ANSI)
    return (rank + line) % len(_ANSI), line  # shifted by one in every row: the frequent spacing is not boilerplate's blue
