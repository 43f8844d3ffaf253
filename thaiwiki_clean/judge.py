"""Verdicts on whole pages: which pages say too little, or nothing of their own, to learn from."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from itertools import islice

import regex

from thaiwiki_clean.markup import NAME_LENGTH, clauses, lines
from thaiwiki_clean.page import Page
from thaiwiki_clean.rules.redirects import redirect_target

__all__ = ["judge"]

#: A Thai encyclopaedia page has at least this share of Thai among its letters. Of 1,912 real passages the lowest 1 % have .63
#: of all characters; the rest is blanks, digits and names (facts: thresholds). FineWeb2 asks the language model instead.
THAI_SHARE = 0.3
#: A clean text with fewer letters than this says one thing at most: the shortest 1 % of real passages have 151 characters.
STUB_LETTERS = 32
#: A page that announces a list is one when fewer than this many letters of prose are left; one that does not,
#: when next to nothing is left and more than this share of its characters were lists and tables.
LIST_LETTERS = 120
LIST_SHARE = 0.5

#: The ruler is laid on a text only when zlib shrinks it below this share. 1,156 real passages and 3,000 news keep .205 at least
#: (bytes at level 1); a page of one phrase said again .04. Shorter texts compress badly whatever they say.
REPEAT_SHARE = 0.2
REPEAT_BYTES = 400
#: A line that only introduces a list is shorter than this.
INTRO_LENGTH = 160

_LETTER = regex.compile(r"\p{L}")


def judge(page: Page | str) -> str | None:
    """Why a page should fall, or None when it may stay; the reasons are the keys of ``reasons.VERDICTS``.

    >>> judge(Page("1", "ไข่แหน", "thaiwikipedia", "", raw="redirect ผำ"))
    'redirect'
    >>> judge("แมวเป็นสัตว์เลี้ยงลูกด้วยนมขนาดเล็กที่มนุษย์เลี้ยงไว้ในบ้านมานานหลายพันปี") is None
    True

    The verdict is about content: a page that a reader or an earlier stage has dropped keeps that reason.
    Give a page that was cleaned, or a raw text, which is cleaned here. Short true articles stay.
    Raises TypeError on anything else.
    """
    if isinstance(page, str):
        from thaiwiki_clean.clean import explain

        done = explain(page)
        page = Page("", "", "", "", page, done.text, done.edits)
    elif not isinstance(page, Page):
        raise TypeError(f"judge takes a Page or a str, got {type(page).__name__}")
    if page.dropped is not None:
        return page.dropped
    return next((name for name, holds in _VERDICTS if holds(page)), None)


def is_redirect(page: Page) -> bool:
    """The page only points to another one, by itself or once what no reader sees is gone."""
    return redirect_target(page.raw) is not None or (not page.text and any(edit.reason == "redirect" for edit in page.edits))


_DISAMBIGUATION_TITLE = re.compile(r"\((?:แก้ความกำกวม|แก้กำกวม|ความหมายอื่น|disambiguation)\)$")
_DISAMBIGUATION = regex.compile(
    r"[^\n]{1,150}?(?:อาจ(?:จะ)?|สามารถ|หรืออาจ)?(?:หมายถึง|หมายความถึง|มีความหมายถึง|อ้างถึง|เป็นชื่อ(?:ของ|ที่ใช้เรียก)?)"
    r"(?:สิ่งต่อไปนี้|สิ่งใดสิ่งหนึ่งต่อไปนี้|บทความต่อไปนี้|อย่างใดอย่างหนึ่ง(?:ต่อไปนี้)?|ได้หลายอย่าง|ได้หลายความหมาย|หลายสิ่ง|ดังต่อไปนี้|ต่อไปนี้|ดังนี้|ได้แก่|ได้ดังนี้|ได้ดังต่อไปนี้|:|ถึง)?[ ]?[:：]?[ ]*"
    r"|[^\n]{1,150}?(?:อาจหมายถึง|สามารถหมายถึง|มีหลายความหมาย|มีความหมายหลายอย่าง|สามารถอ้างถึง|อาจเป็น)[^\n]{0,40}?[:：]?[ ]*"
    r"|[^\n]{1,150}?(?:หมายถึงได้หลาย|มีความหมายได้หลาย|มีได้หลายความหมาย)[^\n]{0,40}"
    r"|(?:หน้าแก้ความกำกวม|หน้านี้เป็นหน้าแก้ความกำกวม)[^\n]*"
)
_MAY_MEAN = re.compile(
    r"อาจ(?:จะ)?(?:หมายถึง|หมายความถึง|อ้างถึง|มีความหมาย)|สามารถ(?:หมายถึง|อ้างถึง)|หมายถึงได้หลาย|มีหลายความหมาย|แก้ความกำกวม|หมายถึง[ ]?[:：]?$"
)


def is_disambiguation(page: Page) -> bool:
    """The page lists what its title may mean: it says so in its title or first line, and hardly says anything else."""
    lead = _lead(page.raw)
    if not lead:
        return False
    if _DISAMBIGUATION_TITLE.search(page.title) is None:
        if len(lead) > INTRO_LENGTH or not _MAY_MEAN.search(lead[:200].rstrip()) or clauses(lead) > 6:
            return False
        if len(lead) >= 60 and not _DISAMBIGUATION.fullmatch(lead.rstrip()):
            return False
    said = [line for line in page.raw.split("\n", HEAD_LINES)[:HEAD_LINES] if line and not line.isspace()]
    return sum(len(line) > 100 and clauses(line) >= 2 for line in said[1:]) * 3 < max(1, len(said) - 1)


#: So many lines tell whether a page is a disambiguation, however long it is.
HEAD_LINES = 400


def _lead(text: str) -> str:
    """The first line that is not blank."""
    start = 0
    while start < len(text):
        end = text.find("\n", start)
        line = text[start : end if end >= 0 else len(text)]
        if line and not line.isspace():
            return line
        start = end + 1 if end >= 0 else len(text)
    return ""


_LIST_TITLE = re.compile(r"(?:รายชื่อ|รายนาม|รายการ(?=\S*(?:ใน|ของ|ตาม|ที่))|ลำดับ|ทำเนียบ|บัญชีรายชื่อ|ดัชนี)|.*(?:ปฏิทิน|รายชื่อ)")
_LIST_LEAD = regex.compile(
    r"(?:ต่อไปนี้|ด้านล่างนี้|ข้างล่างนี้|เนื้อหาในหน้านี้|หน้านี้|บทความนี้|นี่)?(?:เป็น|คือ|แสดง|รวบรวม|รวม)*(?:หน้า|การ)?(?:รวม|แสดง)?(?:รายชื่อ|รายนาม|รายการ|บัญชีรายชื่อ|ทำเนียบ)"
)


def is_list_page(page: Page) -> bool:
    """The page announces a list, in its title or first line, and cleaning left no prose; or nearly all of it was list."""
    said = _lead(page.raw).strip()
    listed = sum([end - start for start, end, reason, _ in page.edits if reason in _LISTS])
    titled = _LIST_TITLE.match(page.title) is not None
    if titled or _announces_list(said):
        prose = _letters(_sayings(page.text), LIST_LETTERS)
        return prose < LIST_LETTERS and (listed > 0 or not prose or _announces_list(said))
    return listed > LIST_SHARE * len(page.raw) and _letters(page.text, STUB_LETTERS) < STUB_LETTERS


_LISTS = frozenset(("link_list", "table", "list_intro"))


def _announces_list(line: str) -> bool:
    """Whether a page's first line introduces a list, and says nothing behind that."""
    if len(line) >= INTRO_LENGTH or ("ราย" not in line and "ทำเนียบ" not in line):
        return False
    match = _LIST_LEAD.match(line)
    return match is not None and clauses(line[match.end() :]) <= 1


def _sayings(text: str) -> str:
    """The lines of a text that say something, but for those that only announce a list."""
    return "\n".join(
        line
        for line in lines(text).line
        if (len(line) > NAME_LENGTH or clauses(line) >= 2) and not (len(line) < 200 and _LIST_LEAD.match(line))
    )


def is_empty(page: Page) -> bool:
    """Nothing is left, or nothing with a letter in it."""
    return _LETTER.search(page.text) is None


def is_not_thai(page: Page) -> bool:
    """Too few of the letters that are left are Thai."""
    text = page.text
    for part in (text[: len(text) * 3 // 5], text):  # in most texts the first part holds Thai enough for all of it
        letters = part.encode("cp874", "replace")  # Thai and Latin letters are one byte each, all others a question mark
        thai = len(letters) - len(letters.translate(None, _THAI_BYTES))
        if thai >= THAI_SHARE * len(text):
            return False
    other = len(letters) - len(letters.translate(None, _OTHER_BYTES))
    return thai + other > 0 and thai < THAI_SHARE * (thai + other)


_THAI_BYTES = bytes(range(0xA1, 0xDB))
_OTHER_BYTES = b"?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def is_stub(page: Page) -> bool:
    """The text that is left is shorter than one full sentence."""
    return _letters(page.text, STUB_LETTERS) < STUB_LETTERS


def is_repetitive_page(page: Page) -> bool:
    """The text says the same thing again and again, by the measures of the ruler that need no words; a build looks at words too."""
    if not _comes_again(page.text):
        return False
    data = page.text.encode("utf-8", "surrogatepass")
    if len(data) < REPEAT_BYTES or len(zlib.compress(data, 1)) > REPEAT_SHARE * len(data):
        return False
    from thaiwiki_clean.repetition import is_repetitive, repetition

    return is_repetitive(repetition(page.text, tokens=()))


#: Of so many pieces of so many characters, taken from all over a text, two must come again before the text is looked at more closely.
#: In a text that shrinks to a fifth nearly every piece does; in 4 of 100 real passages two do.
PROBES = 5
PROBE_LENGTH = 12


def _comes_again(text: str) -> bool:
    """Whether a few pieces of the text stand in it more than once: a look that costs a tenth of compressing it."""
    step = len(text) // (PROBES + 1)
    if step < PROBE_LENGTH:
        return True
    again = 0
    for left in range(PROBES, 0, -1):
        at = left * step
        piece = text[at : at + PROBE_LENGTH]
        again += text.find(piece) < at or text.find(piece, at + 1) >= 0
        if again == 2 or again + left < 3:  # two have come again, or the rest are too few
            return again == 2
    return False


def _letters(text: str, enough: int) -> int:
    """How many letters stand in a text; counting stops at ``enough`` or somewhat later."""
    head = text[: 4 * enough].encode("cp874", "replace")
    plain = len(head) - len(head.translate(None, _PLAIN_LETTERS))  # the first letters of nearly every page are enough
    return plain if plain >= enough else sum(1 for _ in islice(_LETTER.finditer(text), enough))


# The letters of the Thai code page, marks aside.
_PLAIN_LETTERS = bytes(code for code in range(128, 256) if bytes([code]).decode("cp874", "replace").isalpha()) + _OTHER_BYTES[1:]


# Verdicts that know what a page is stand before those that only measure it.
_VERDICTS: tuple[tuple[str, Callable[[Page], bool]], ...] = (
    ("redirect", is_redirect),
    ("disambiguation", is_disambiguation),
    ("list_page", is_list_page),
    ("empty", is_empty),
    ("not_thai", is_not_thai),
    ("stub", is_stub),
    ("repetitive", is_repetitive_page),
)
