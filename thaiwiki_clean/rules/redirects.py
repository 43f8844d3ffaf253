"""Redirect pages."""

from __future__ import annotations

import re

import regex

from thaiwiki_clean.edits import Edit
from thaiwiki_clean.markup import LONE_NAME_LENGTH, clauses, is_name, lines

__all__ = ["redirect", "redirect_target"]

_REDIRECT = regex.compile(
    r"\s*#?\s*(?:redirect|เปลี่ยนทาง)(?:ไปยัง|ไปที่|ไป)?[ \t]*[:：]?[ \t]*\n?[ \t]*(?:\[\[)?[ \t]*:?([^\[\]|\n#]{0,255})[^\n]*", regex.IGNORECASE
)
_BEGINS = re.compile(r"\s{0,30}#?\s{0,30}(?:redirect|เปลี่ยนทาง)", re.IGNORECASE)
#: A redirect page holds its target and, at most, a few categories.
REDIRECT_LINES = 6


def redirect_target(text: str) -> str | None:
    """Where a page points when it is nothing but a redirect, else None. The target may be empty.

    >>> redirect_target("redirect ผำ"), redirect_target("เปลี่ยนทางไข่ผำ#ลักษณะ\\nหน้าเปลี่ยนทาง"), redirect_target("REDIRECT: [[ก|ข]]")
    ('ผำ', 'ไข่ผำ', 'ก')
    >>> redirect_target("เปลี่ยนทางเดินรถเป็นทางเดียวเมื่อ พ.ศ. 2510 ถนนสายนี้จึงมีรถน้อยลงมาก") is None
    True
    """
    if len(text) > 1000 or _BEGINS.match(text) is None:
        return None
    match = _REDIRECT.match(text)
    if match is None or _is_prose(match):
        return None
    rest = [line for line in text[match.end() :].split("\n") if line.strip()]
    if len(rest) > REDIRECT_LINES or not all(is_name(line) for line in rest):
        return None
    target: str = match.group(1)
    return target.strip()


def _is_prose(match: regex.Match[str]) -> bool:
    """Whether the word begins a sentence: glued to words that make two clauses or a long line, or before three clauses."""
    target: str = match.group(1)
    if "[[" in match.group():
        return False
    glued = match.group()[: match.start(1) - match.start()].lower().endswith(("ทาง", "ทางไป"))
    return clauses(target) > 2 or (glued and (clauses(target) > 1 or len(target) > LONE_NAME_LENGTH))


def redirect(text: str) -> list[Edit]:
    """The whole text of a page that only points to another one.

    >>> redirect("#เปลี่ยนทาง [[ก]]")
    [Edit(start=0, end=17, reason='redirect', new='')]

    Spared: prose that begins with the same word.
    """
    if _BEGINS.match(text) is None:
        return []
    if redirect_target(text) is not None:
        return [Edit(0, len(text), "redirect")]
    first = lines(text).line[0]  # a redirect line over a page that was written below it
    return [Edit(0, len(first), "redirect")] if first and redirect_target(first) is not None else []
