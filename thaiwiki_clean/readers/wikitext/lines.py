"""Lines: headings, list marks, quotes and blanks; and the brackets that a template left half empty."""

from __future__ import annotations

import re

from thaiwiki_clean.readers.wikitext.entities import decode
from thaiwiki_clean.readers.wikitext.tags import BREAK
from thaiwiki_clean.readers.wikitext.templates import KNOWN, UNKNOWN
from thaiwiki_clean.readers.wikitext.vocabulary import Words

__all__ = ["mend", "tidy"]

_SWITCH = re.compile(r"__[^\W_][^\W_]{1,60}(?:_[^\W_]{1,30}){0,3}__")
_HEADING = re.compile(r"^(={1,6})([^\n]*?)(={1,6})[ \t\x01\x02]*$", re.MULTILINE)
_START = re.compile(r"^[ \t\x01\x02]*(?:[*#:;]+[ \t]*|-{4,}[ \t]*)?", re.MULTILINE)
_BLANKS = re.compile(r"[ \t]{2,}|\t")
_EDGES = re.compile(r"[ \t]*\n[ \t\n]*")
_BRACKETS = re.compile(r"([ \t]*)\(([^()\n]*)\)")
_MARKED = re.compile(r"[\x01\x02]")
_GAP = re.compile(r"(?<=[^\n\x01\x02])(?:[ \t]*\x02)+(?=[ \t]*[^\s\x01\x02,.;:)])")
_SEPARATOR = re.compile(r"([;,/]|[·•])")


def mend(text: str, words: Words) -> tuple[str, int]:
    """Takes out what a template's loss left behind, and counts what cannot be mended.

    >>> from thaiwiki_clean.readers.wikitext.vocabulary import words_of
    >>> mend("กา (เกิด \\x02; Crow) มีพื้นที่ \\x02 ตารางกิโลเมตร", words_of("th"))
    ('กา (Crow) มีพื้นที่  ตารางกิโลเมตร', 1)

    In round brackets, a part that held a template and nothing else but a word such as เกิด or อังกฤษ: goes with it. A template
    that nobody knows, with words before and behind it on the line, is counted: a number or a name may be missing there.
    """
    if KNOWN not in text and UNKNOWN not in text:
        return text, 0
    if "(" in text:
        text = _BRACKETS.sub(lambda m: _mend_brackets(m, words) if _MARKED.search(m[2]) else m[0], text)
    damage = len(_GAP.findall(text)) if UNKNOWN in text else 0
    return _MARKED.sub("", text), damage


def _mend_brackets(found: re.Match[str], words: Words) -> str:
    """The brackets without the parts that are empty now; nothing, with the blank before it, when no part is left."""
    parts = _SEPARATOR.split(found[2])
    kept: list[str] = []
    for number in range(0, len(parts), 2):
        part = parts[number]
        rest = _MARKED.sub("", part).strip()
        if _MARKED.search(part) and (not rest or rest.endswith(":") or rest.lower() in words.lead_words):
            continue
        if not rest and kept:
            continue
        if kept:
            kept.append(parts[number - 1])
        kept.append(part if not _MARKED.search(part) else f"{' ' if part[:1] == ' ' else ''}{part.strip(f' {KNOWN}')}")
    inside = "".join(kept)
    if not inside.strip(f" {KNOWN}{UNKNOWN}"):
        return ""
    return f"{found[1]}({inside.lstrip()})"


def tidy(text: str, words: Words) -> str:
    """One paragraph a line: headings as ``== x ==``, no list marks, quotes for bold, doubled blanks or empty lines.

    >>> from thaiwiki_clean.readers.wikitext.vocabulary import words_of
    >>> tidy("==\'\'\'ก\'\'\'==\\n* ข&nbsp;ค\\n\\n:;ง  จ __NOTOC__", words_of("th"))
    '== ก ==\\nข ค\\nง จ'

    Lines are not joined: Thai has no blank between words, and a line of a poem or a list ends where it ends.
    """
    if "''" in text:
        text = text.replace("'''", "").replace("''", "")
    if "__" in text:
        text = _SWITCH.sub(lambda m: "" if m[0].lower() in words.switches else m[0], text)
    if "=" in text:
        text = _HEADING.sub(_heading, text)
    text = _START.sub("", text.replace(BREAK, "\n"))
    text = decode(text)
    return _EDGES.sub("\n", _BLANKS.sub(" ", text)).strip(" \n")


def _heading(found: re.Match[str]) -> str:
    """MediaWiki takes the shorter side as the level; what is over belongs to the title."""
    left, title, right = found[1], found[2], found[3]
    level = min(len(left), len(right))
    title = (left[level:] + title + right[level:]).replace(BREAK, " ").strip(f" \t{KNOWN}{UNKNOWN}")
    title = title.strip("*#:; \t") or title
    return f"{'=' * level} {title} {'=' * level}" if title.strip("= ") else ""
