"""Comments and tags: the first pass over wikitext. What only a reader of the source sees goes; what is shown as typed is set aside."""

from __future__ import annotations

import re
from functools import cache

from thaiwiki_clean.readers.wikitext.entities import decode

__all__ = ["BREAK", "Verbatim", "strip_tags"]

#: Stands for a line break that a tag makes; a heading turns it into a blank, everything else into a new line.
BREAK = "\x05"

_TAG = re.compile(r"<(?:!--|(/?)([a-zA-Z][a-zA-Z0-9]*)((?:[\s/][^<>]*)?)>)")
_SMALL_NUMBER = re.compile(r"<(su[bp])>([0-9+\-−n]{1,4})</\1>")
_RAISED = {"sup": str.maketrans("0123456789+-−n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻ⁿ"), "sub": str.maketrans("0123456789+-−n", "₀₁₂₃₄₅₆₇₈₉₊₋₋ₙ")}
# Nine in ten tags are references without a tag inside. Not where a tag may be shown as typed.
_REFERENCE = re.compile(r"<ref(?:\s[^<>]*)?(?:/>|(?<!/)>[^<]*</ref>)")
_SHOWN = re.compile(r"<(?:nowiki|pre|syntaxhighlight|source|!--)", re.IGNORECASE)
_HIDDEN = re.compile(r"display\s*:\s*none", re.IGNORECASE)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Tags that go with all they hold. Each holds notes, pictures, data, or text for other pages.
_DROPPED = _words(
    "ref references gallery timeline score graph templatestyles templatedata imagemap mapframe maplink categorytree "
    "inputbox hiero includeonly style script indicator section pages pagelist pagequality dynamicpagelist charinsert "
    "phonos listing rss quiz"
)
#: Tags whose content is shown as typed: no markup inside. True where entities are still decoded.
_VERBATIM = {"nowiki": True, "pre": True, "math": False, "chem": False, "ce": False, "syntaxhighlight": False, "source": False}
_BLOCKS = _words("br p div center blockquote poem li ul ol dl dt dd hr pre article aside caption")
_TABLES = {"table": ("\n{|\n", "\n|}\n"), "tr": ("\n|-\n", "\n"), "td": ("\n|", "\n"), "th": ("\n|", "\n")}
_HEADINGS = {f"h{level}": "=" * level for level in range(1, 7)}
_INLINE = _words(
    "span small big b i u s em strong sup sub font code tt kbd samp var cite q del ins strike abbr bdi bdo dfn mark rb "
    "rp rt rtc ruby noinclude onlyinclude nobr wbr time data a img tbody thead tfoot col colgroup translate tvar "
    "languages"
)


class Verbatim:
    """Pieces of text that later passes must not touch; each leaves a mark in its place."""

    _MARK = re.compile("\x00([0-9]+)\x00")

    def __init__(self) -> None:
        self.pieces: list[str] = []

    def hide(self, piece: str) -> str:
        """The mark that stands for ``piece``; empty for an empty piece."""
        if not piece.strip():
            return piece
        self.pieces.append(piece)
        return f"\x00{len(self.pieces) - 1}\x00"

    def show(self, text: str) -> str:
        """``text`` with every mark turned back. A mark that a template repeated is shown as often."""
        return self._MARK.sub(lambda m: self.pieces[int(m[1])], text) if self.pieces else text


def strip_tags(text: str, verbatim: Verbatim) -> str:
    """``text`` without comments and tags.

    >>> strip_tags("9.4<!-- ร่าง --> กม.<sup>2</sup><ref>ก</ref> <b>ข</b> 3 < 5", Verbatim())
    '9.4 กม.² ข 3 < 5'

    A tag that MediaWiki does not know is text, and so is a lone ``<``. A ``<ref>`` that is never closed takes its own line only:
    MediaWiki prints an error there, wiki-dump-reader loses everything up to the next reference.
    """
    if "<" not in text:
        return text
    text = _SMALL_NUMBER.sub(lambda m: m[2].translate(_RAISED[m[1]]), text)
    if "<ref" in text and not _SHOWN.search(text):
        text = _REFERENCE.sub("", text)
    ends = _Ends(text)
    out: list[str] = []
    at = 0
    while found := _TAG.search(text, at):
        out.append(text[at : found.start()])
        new, at = _replace(found, ends, verbatim)
        out.append(new)
    out.append(text[at:])
    return "".join(out)


def _replace(found: re.Match[str], ends: _Ends, verbatim: Verbatim) -> tuple[str, int]:
    """What stands for a tag (and all it holds), and where to read on."""
    text, after = found.string, found.end()
    if found[2] is None:
        end = ends.of("-->", after)
        return "", end.end() if end else len(text)  # MediaWiki: a comment without an end runs to the end of the page
    name, closes, attributes = found[2].lower(), bool(found[1]), found[3]
    empty = closes or attributes.endswith("/")
    if name in _DROPPED:
        return "", after if empty else _skip(name, after, ends)
    if name in _VERBATIM:
        end = None if empty else ends.of(name, after)
        return (_verbatim(name, text[after : end.start()], verbatim), end.end()) if end else ("", after)
    if name in _TABLES:
        return _TABLES[name][closes], after
    if name in _HEADINGS:
        return (f" {_HEADINGS[name]}\n" if closes else f"\n{_HEADINGS[name]} "), after
    known = name in _BLOCKS or name in _INLINE
    if known and not empty and _HIDDEN.search(attributes):
        return "", _skip(name, after, ends)
    if not known:
        return found[0], after
    return BREAK if name in _BLOCKS else "", after


def _skip(name: str, after: int, ends: _Ends) -> int:
    """Where to read on behind what a tag holds."""
    end = ends.of(name, after)
    if name == "ref" and (end is None or _REF.search(ends.text, after, end.start())):
        return _line_of_references(ends.text, after)
    return end.end() if end else after


_REF = re.compile(r"<(/?)ref(?:\s[^<>]*)?(?<!/)>", re.IGNORECASE)


def _line_of_references(text: str, after: int) -> int:
    """Where a reference ends that has another one inside, or no end: at its own end on this line, else with the line."""
    line_end = text.find("\n", after)
    line_end = len(text) if line_end < 0 else line_end
    depth = 1
    for found in _REF.finditer(text, after, line_end):
        depth += -1 if found[1] else 1
        if not depth:
            return found.end()
    return line_end


def _verbatim(name: str, content: str, verbatim: Verbatim) -> str:
    if name in ("math", "chem", "ce"):
        return verbatim.hide(" ".join(content.split()))
    if _VERBATIM[name]:
        content = decode(content)
    if name == "nowiki":
        return verbatim.hide(content)
    return BREAK + verbatim.hide(re.sub(r"</?nowiki>", "", content).strip("\n")) + BREAK


class _Ends:
    """Finds the closing tag after a place. Remembers the last answer of each name, so that a page is searched once a name."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._last: dict[str, re.Match[str] | None] = {}

    def of(self, name: str, after: int) -> re.Match[str] | None:
        last = self._last.get(name, _UNSEEN)
        if last is _UNSEEN or (last is not None and last.start() < after):
            last = self._last[name] = _end_of(name).search(self.text, after)
        return last


_UNSEEN = re.match("", "")
assert _UNSEEN is not None


@cache
def _end_of(name: str) -> re.Pattern[str]:
    return re.compile("-->" if name == "-->" else rf"</{name}\s*>", re.IGNORECASE)
