"""Lines: headings, list marks, quotes and blanks; and the brackets that a template left half empty."""

from __future__ import annotations

import re

from thaiwiki_clean.readers.wikitext.entities import decode
from thaiwiki_clean.readers.wikitext.tags import BREAK
from thaiwiki_clean.readers.wikitext.templates import KNOWN, UNKNOWN
from thaiwiki_clean.readers.wikitext.vocabulary import Words

__all__ = ["mend", "tidy"]

_SWITCH = re.compile(r"__[^\s_]{2,60}(?:_[^\s_]{1,30}){0,3}__")
_BLANKS = re.compile(r"  +")
#: Round brackets that held a template. No part of the expression can match in two ways: it is linear.
_BRACKETS = re.compile(r"\(([^()\n\x01\x02]*[\x01\x02][^()\n]*)\)")
#: Where an unknown template stood with words before and behind it on its line. Possessive: no run of marks is tried twice.
_GAP = re.compile(r"[^ \t*#:;\n\x05\x01\x02][ \x01]{0,3}+\x02[ \x01\x02]*+(?=[^\n.,;:)\x05])")
_SEPARATOR = re.compile(r"([;,/]|[·•])")
#: What stands at the beginning of a line and makes it a list item, an indent or a definition; ``----`` is a rule.
_MARKS = " \t*#:;"
_STARTS = re.compile(r"\n[ \n*#:;]+(?:----+[ \n*#:;-]*)?|\n----+[ \n*#:;-]*")
_HEADING = re.compile(r"\n=[^\n]*")
_EMPTY = re.compile(r"\n\n+")
#: Left where brackets went: the blank before them goes too.
_GONE = "\x06"


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
    text = _BRACKETS.sub(lambda m: _mend_brackets(m[1], words), text)
    damage = len(_GAP.findall(text)) if UNKNOWN in text else 0
    return text.replace(KNOWN, "").replace(UNKNOWN, "").replace(" " + _GONE, "").replace(_GONE, ""), damage


def _mend_brackets(inside: str, words: Words) -> str:
    """The brackets without the parts that are empty now; nothing when no part is left."""
    parts = _SEPARATOR.split(inside)
    kept: list[str] = []
    for number in range(0, len(parts), 2):
        part = parts[number]
        rest = part.replace(KNOWN, "").replace(UNKNOWN, "").strip()
        if rest != part.strip() and (not rest or rest.endswith(":") or rest.lower() in words.lead_words):
            continue
        if kept:
            kept.append(parts[number - 1])
        kept.append(part if rest == part.strip() else _closed_up(part))
    text = "".join(kept).lstrip()
    return f"({text})" if text else _GONE


def _closed_up(part: str) -> str:
    """A part without the marks of known templates and the blanks around them; the blank behind an open date, "2504 – ", stays."""
    part = part.replace(KNOWN, "")
    inside = part.strip(" ")
    return f"{' ' if part[:1] == ' ' else ''}{inside}{' ' if inside[-1:] in '-–—' and part[-1:] == ' ' else ''}"


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
    if "&" in text:
        text = decode(text)
    if "\t" in text:
        text = text.replace("\t", " ")
    if "  " in text:
        text = _BLANKS.sub(" ", text)
    text = "\n" + text
    if BREAK in text:
        text = _HEADING.sub(lambda m: m[0].replace(BREAK, " "), text).replace(BREAK, "\n")
    text = _STARTS.sub("\n", text).replace(" \n", "\n")
    if "\n=" in text:
        text = _EMPTY.sub("\n", _HEADING.sub(_heading, text))
    return text.strip("\n ")


def _heading(found: re.Match[str]) -> str:
    """A heading in its plain form. MediaWiki takes the shorter side as the level; what is over belongs to the title."""
    line = found[0][1:].rstrip(" ")
    left = len(line) - len(line.lstrip("="))
    right = len(line) - len(line.rstrip("="))
    if left == len(line) or not right:
        return "\n" if left == len(line) else f"\n{line}"
    level = min(left, right, 6)
    title = line[level : len(line) - level].strip(_MARKS)
    return f"\n{'=' * level} {title} {'=' * level}" if title.strip("= ") else "\n"
