"""What is left of images: file lines, gallery lines, option words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import NamedTuple

import regex

from thaiwiki_clean.edits import Edit, merge
from thaiwiki_clean.markup import MANY, REMEMBERED, drop_spans, lines_opening, lines_with
from thaiwiki_clean.vocabulary import terms

__all__ = ["image"]

_EXTENSIONS = "jpe?g|png|svg|gif|tiff?|webp|bmp|xcf|pdf|djvu|og[gvax]|opus|web[mp]|midi?|wav|flac|mp[34]|stl"
_EXTENSION = re.compile("|".join(rf"\.(?:{case(_EXTENSIONS)})(?![a-z])" for case in (str.lower, str.upper)))
_FILE_LINE = re.compile(rf"[^\n|]{{1,150}}\.(?:{_EXTENSIONS})[ \t]*(?:\|.*)?", re.IGNORECASE)
# A file's name that stuck to the first word of a paragraph when its brackets went.
_FILE_GLUED = re.compile(rf"[^\n|]{{1,120}}?\.(?:{_EXTENSIONS})(?=[\u0e01-\u0e4e])", re.IGNORECASE)
_SIZE = r"\d{1,4}(?:x\d{1,4})?(?:px|พิกเซล)|x\d{1,4}(?:px|พิกเซล)|upright=[\d.]{1,5}"


@cache
def _options() -> frozenset[str]:
    return frozenset(row[1] for row in terms("images") if row[0] == "option")


class _Patterns(NamedTuple):
    size: re.Pattern[str]
    glued: re.Pattern[str]
    link: regex.Pattern[str]
    start: re.Pattern[str]
    run: re.Pattern[str]


@cache
def _patterns() -> _Patterns:
    latin = "|".join(sorted((word for word in _options() if word.isascii() and len(word) > 3), key=len, reverse=True))
    prefixes = "|".join(row[1] for row in terms("images") if row[0] == "prefix")
    size = re.compile(_SIZE, re.IGNORECASE)
    # Option words that stuck to the first word of a paragraph, likewise.
    # A lone word with a blank behind it is a word of the sentence: "left และ right".
    # thumb and a size stick to a Latin caption, too: no word goes on like "thumbSleep".
    # Blanks stand in one place each, before the bar or behind it: in two, "thumb thumb thumb" would be read in 2 ** n ways.
    word, behind = rf"(?:{latin}|{_SIZE})", '(?=[\u0e01-\u0e4e0-9"“(]|(?<=px)[a-z]|(?<=thumb)(?-i:[A-Z]))'
    glued = re.compile(rf"{word}(?:[ \t]*\|[ \t]*|[ \t]*(?={word})|{behind})(?:{word}[ \t]*(?:\|[ \t]*)?)*{behind}", re.IGNORECASE)
    link = regex.compile(rf"\[\[[ ]?(?:{prefixes})[ ]?:(?:[^\[\]\n]|\[\[[^\[\]\n]{{0,300}}\]\]){{0,1000}}\]\]", regex.IGNORECASE)
    start = re.compile(rf"[ \t*:]*\[{{0,2}}:?(?:{prefixes})[ \t]*:", re.IGNORECASE)
    option = rf"\|[ ]?(?:{'|'.join(sorted(_options(), key=len, reverse=True))}|{_SIZE})[ ]?"
    run = re.compile(rf"{option}(?:{option}){{1,19}}\|?", re.IGNORECASE)  # begins with a plain bar, to which the engine skips
    return _Patterns(size, glued, link, start, run)


def image(text: str) -> list[Edit]:
    """Lines that name a file, gallery lines, lines of option words, such words stuck to the first word of a paragraph or in a row between bars.

    >>> text = "thumb\\nไฟล์:Wat Arun.jpg|วัด\\nthumbแมวเป็นสัตว์\\nแผนที่.png"
    >>> from thaiwiki_clean.edits import apply
    >>> apply(text, image(text))
    'แมวเป็นสัตว์\\n'

    Captions go with their picture. Spared: a file's name inside a sentence.
    """
    edits: list[Edit] = []
    if "[" in text and "[[" in text and "]]" in text:
        edits = [Edit(m.start(), m.end(), "image") for m in _patterns().link.finditer(text)]
    whole = _lines_of_images(text, edits)
    runs: list[Edit] = []
    if "|" in text:
        runs = [Edit(m.start(), m.end(), "image") for m in _patterns().run.finditer(text) if _SURE.search(m.group())]
    return merge(edits, whole, runs) if edits or whole or runs else []


def _lines_of_images(text: str, links: Sequence[Edit]) -> list[Edit]:
    """Lines that go whole, and what stuck to the first word of one; where a link stands the line is the link's."""
    may = lines_opening(text, "image")
    if "." in text and (files := lines_with(text, _EXTENSION)):
        may = sorted({*may, *files})
    linked = {edit.start for edit in links}
    edits: list[Edit] = []
    for start, end in may:
        line = text[start:end]
        lead = _lead(line) if len(line) <= REMEMBERED else _lead.__wrapped__(line)
        if lead == _WHOLE and start not in linked:
            edits += drop_spans(text, [(start, end)], "image")
        elif lead and start not in linked:
            edits.append(Edit(start, start + lead, "image"))
    return edits


#: The line goes with its newline.
_WHOLE = -1
# Options that no table holds; "|ซ้าย|ขวา|" may be cells.
_SURE = re.compile(r"thumb|frame|upright|px|พิกเซล", re.IGNORECASE)


@lru_cache(maxsize=MANY)
def _lead(line: str) -> int:
    """How many characters at the start of a line belong to an image."""
    if not line:
        return 0
    patterns = _patterns()
    if line[0] in _FIRST and patterns.start.match(line):
        return _WHOLE
    if len(line) < 300:
        word = line.partition("|")[0].strip(" \t").lower()
        if word in _options() or (word[:1] in _SIZE_FIRST and patterns.size.fullmatch(word)):
            return _WHOLE
    if line[0] in _GLUED_FIRST and (m := patterns.glued.match(line)):
        return m.end()
    if "." in line and _EXTENSION.search(line):
        if _FILE_LINE.fullmatch(line):
            return _WHOLE
        if m := _FILE_GLUED.match(line):
            return m.end()
    return 0


# What an image line, and a stuck option word, may begin with.
_FIRST = set(" \t*:[ไภสFIMfim")
_SIZE_FIRST = frozenset("x0123456789u")
_GLUED_FIRST = set("0123456789xtfblrcnubsmTFBLRCNUBSM")
