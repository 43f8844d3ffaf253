"""What is left of images: file lines, gallery lines, option words."""

from __future__ import annotations

import re
from functools import cache

import regex

from thaiwiki_clean.edits import Edit
from thaiwiki_clean.markup import drop_lines, lines, lines_opening
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


@cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str], regex.Pattern[str], re.Pattern[str]]:
    latin = "|".join(sorted((word for word in _options() if word.isascii() and len(word) > 3), key=len, reverse=True))
    prefixes = "|".join(row[1] for row in terms("images") if row[0] == "prefix")
    size = re.compile(_SIZE, re.IGNORECASE)
    # Option words that stuck to the first word of a paragraph, likewise.
    glued = re.compile(rf"(?:(?:{latin}|{_SIZE})[ \t]*\|?[ \t]*)+(?=[\u0e01-\u0e4e0-9\"“(]|(?<=px)[a-z])", re.IGNORECASE)
    link = regex.compile(rf"\[\[[ ]?(?:{prefixes})[ ]?:(?:[^\[\]\n]|\[\[[^\[\]\n]{{0,300}}\]\]){{0,1000}}\]\]", regex.IGNORECASE)
    start = re.compile(rf"[ \t*:]*\[{{0,2}}:?(?:{prefixes})[ \t]*:", re.IGNORECASE)
    return size, glued, link, start


def image(text: str) -> list[Edit]:
    """Lines that name a file, gallery lines, lines of option words, and such words stuck to the first word of a paragraph.

    >>> text = "thumb\\nไฟล์:Wat Arun.jpg|วัด\\nthumbแมวเป็นสัตว์\\nแผนที่.png"
    >>> from thaiwiki_clean.edits import apply
    >>> apply(text, image(text))
    'แมวเป็นสัตว์\\n'

    Captions go with their picture. Spared: a file's name inside a sentence.
    """
    size, glued, link, start = _patterns()
    edits: list[Edit] = []
    if "[[" in text:
        edits = [Edit(m.start(), m.end(), "image") for m in link.finditer(text)]
    linked = {edit.start for edit in edits}
    options = _options()
    files = _EXTENSION.search(text) is not None
    found = lines(text)
    for i in range(len(found.line)) if files else lines_opening(text, "image"):
        line = found.line[i]
        if not line or found.start[i] in linked:
            continue
        if (line[0] in _FIRST and start.match(line)) or (len(line) < 300 and ((word := line.partition("|")[0].strip(" \t").lower()) in options or (word[:1] in "x0123456789u" and size.fullmatch(word)))):
            edits.append(drop_lines(text, i, i, "image"))
        elif line[0] in _GLUED_FIRST and (m := glued.match(line)):
            edits.append(Edit(found.start[i], found.start[i] + m.end(), "image"))
        elif files and _FILE_LINE.fullmatch(line):
            edits.append(drop_lines(text, i, i, "image"))
        elif files and (m := _FILE_GLUED.match(line)):
            edits.append(Edit(found.start[i], found.start[i] + m.end(), "image"))
    edits.sort()
    return [edit for at, edit in enumerate(edits) if not at or edit.start >= edits[at - 1].end]


# What an image line, and a stuck option word, may begin with.
_FIRST = set(" \t*:[ไภสFIMfim")
_GLUED_FIRST = set("0123456789xtfblrcnubsmTFBLRCNUBSM")
