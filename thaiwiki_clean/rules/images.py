"""What is left of images: file lines, gallery lines, option words."""

from __future__ import annotations

from functools import cache

import regex

from thaiwiki_clean.edits import Edit
from thaiwiki_clean.markup import drop_lines, lines
from thaiwiki_clean.vocabulary import terms

__all__ = ["image"]

_EXTENSIONS = "jpe?g|png|svg|gif|tiff?|webp|bmp|xcf|pdf|djvu|og[gvax]|opus|web[mp]|midi?|wav|flac|mp[34]|stl"
_FILE_NAME = regex.compile(rf"[^\n|]{{1,150}}\.(?:{_EXTENSIONS})[ \t]*(?:\|.*)?", regex.IGNORECASE)
_SIZE = r"\d{1,4}(?:x\d{1,4})?(?:px|พิกเซล)|x\d{1,4}(?:px|พิกเซล)|upright=[\d.]{1,5}"


@cache
def _patterns() -> tuple[regex.Pattern[str], regex.Pattern[str], regex.Pattern[str], regex.Pattern[str]]:
    options = "|".join(sorted((regex.escape(row[1]) for row in terms("images") if row[0] == "option"), key=len, reverse=True))
    latin = "|".join(sorted((row[1] for row in terms("images") if row[0] == "option" and row[1].isascii() and len(row[1]) > 3), key=len, reverse=True))
    prefixes = "|".join(row[1] for row in terms("images") if row[0] == "prefix")
    # A whole line: a file with its options and caption; or nothing but option words, a caption behind them.
    line = regex.compile(rf"[ \t*:]*\[{{0,2}}:?(?:{prefixes})[ \t]*:.*|[ \t]*(?:{options}|{_SIZE})[ \t]*(?:\|.*)?", regex.IGNORECASE)
    # Option words, or a file's name, that stuck to the first word of a paragraph when the brackets went.
    glued = regex.compile(rf"(?:(?:{latin}|{_SIZE})[ \t]*\|?[ \t]*)+(?=\p{{Thai}})|[^\n|]{{1,120}}?\.(?:{_EXTENSIONS})(?=\p{{Thai}})", regex.IGNORECASE)
    link = regex.compile(rf"\[\[[ ]?(?:{prefixes})[ ]?:(?:[^\[\]\n]|\[\[[^\[\]\n]{{0,300}}\]\]){{0,1000}}\]\]", regex.IGNORECASE)
    start = regex.compile(rf"[ \t*:]*\[{{0,2}}:?(?:{prefixes})[ \t]*:", regex.IGNORECASE)
    return line, glued, link, start


def image(text: str) -> list[Edit]:
    """Lines that name a file, gallery lines, lines of option words, and such words stuck to the first word of a paragraph.

    >>> text = "thumb\\nไฟล์:Wat Arun.jpg|วัด\\nthumbแมวเป็นสัตว์\\nแผนที่.png"
    >>> from thaiwiki_clean.edits import apply
    >>> apply(text, image(text))
    'แมวเป็นสัตว์\\n'

    Captions go with their picture. Spared: a file's name inside a sentence.
    """
    whole, glued, link, start = _patterns()
    edits: list[Edit] = []
    if "[[" in text:
        edits = [Edit(m.start(), m.end(), "image") for m in link.finditer(text)]
    linked = {edit.start for edit in edits}
    found = lines(text)
    for i, line in enumerate(found.line):
        if not line:
            continue
        first = line[0]
        if first < "\x80":
            if whole.fullmatch(line) and found.start[i] not in linked:
                edits.append(drop_lines(text, i, i, "image"))
                continue
            if first.isalnum() and (m := glued.match(line)):
                edits.append(Edit(found.start[i], found.start[i] + m.end(), "image"))
                continue
        elif first in "ไภสซขกธยรศม" and start.match(line):
            edits.append(drop_lines(text, i, i, "image"))
            continue
        elif len(line) < 12 and whole.fullmatch(line):
            edits.append(drop_lines(text, i, i, "image"))
            continue
        if "." in line[-6:] and _FILE_NAME.fullmatch(line):
            edits.append(drop_lines(text, i, i, "image"))
        elif "." in line[:150] and not first.isspace() and (m := glued.match(line)) and line[m.end() - 4 : m.end()].isascii():
            edits.append(Edit(found.start[i], found.start[i] + m.end(), "image"))
    edits.sort()
    return [edit for at, edit in enumerate(edits) if not at or edit.start >= edits[at - 1].end]
