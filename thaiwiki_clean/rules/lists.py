"""Lists of links and names, what announces them, what points elsewhere, and categories at the end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

import regex

from thaiwiki_clean.edits import Edit, merge
from thaiwiki_clean.markup import NAME_LENGTH, clauses, drop_lines, headers, is_name, is_sentence, lines, lines_opening
from thaiwiki_clean.rules.sections import boilerplate_lines
from thaiwiki_clean.vocabulary import is_category

__all__ = ["category", "hatnote", "is_intro", "link_list", "list_intro", "list_marker", "navigation", "source_line"]

#: So many names in a row make a list; two may be a heading and a caption.
LIST_LENGTH = 3
#: Unless its lines show markers or the blanks of vanished icons: of the short lines around a run, this share must be names before any of them counts as a list item.
#: Hard-wrapped prose and poems fall below it: there most lines hold a clause.
NAME_SHARE = 0.75


@lru_cache(maxsize=8)
def link_lists(text: str) -> tuple[tuple[int, int], ...]:
    """First and last line of every list of names, as :func:`link_list` drops them."""
    return tuple(_link_lists(text))


def _link_lists(text: str) -> Iterator[tuple[int, int]]:
    found = lines(text).line
    if sum([0 < len(line) <= NAME_LENGTH for line in found]) < LIST_LENGTH:
        return
    titles = {head.line for head in headers(text)}
    intros = _intros(text)
    gone = boilerplate_lines(text)
    block: list[int] = []  # the short lines since the last header or paragraph
    for i, line in enumerate([*found, ""]):
        if 0 < len(line) <= NAME_LENGTH and i not in titles and i not in intros and i not in gone and not line.isspace():
            block.append(i)
            continue
        if block:
            yield from _lists_of(found, block)
            block = []


def _lists_of(found: list[str], block: list[int]) -> Iterator[tuple[int, int]]:
    """The lists in one block of short lines."""
    if len(block) < LIST_LENGTH:
        return
    names = {i for i in block if is_name(found[i])}
    if len(names) < LIST_LENGTH:
        return
    mostly = len(names) >= NAME_SHARE * len(block) and not _is_verse(found, block)
    run: list[int] = []
    for i in [*block, -1]:
        if i in names:
            run.append(i)
            continue
        if len({found[j] for j in run}) >= LIST_LENGTH and (mostly or sum(_is_item(found[j]) for j in run) * 2 > len(run)):
            yield run[0], run[-1]
        run = []


def _is_item(line: str) -> bool:
    """Whether a line shows that it was a list item: a marker in front, or the blank that a vanished icon left behind it."""
    return line[-1] == " " or line[0] in "*#:;•"


#: So many short lines of nearly one length are verse: a klon line has eight or nine syllables, give or take one.
VERSE_LINES = 4
VERSE_SPREAD = 0.2


def _is_verse(found: list[str], block: list[int]) -> bool:
    lengths = [len(found[i]) for i in block]
    mean = sum(lengths) / len(lengths)
    if len(block) < VERSE_LINES or not 15 <= mean <= 60 or any(char in "(0123456789" for i in block for char in found[i]):
        return False
    return (sum((n - mean) ** 2 for n in lengths) / len(lengths)) ** 0.5 < VERSE_SPREAD * mean and not any(_is_item(found[i]) for i in block)


def link_list(text: str) -> list[Edit]:
    """Runs of three or more lines that are names or links and say nothing, wherever they stand.

    >>> text = "สัตว์ในวงศ์เสือและแมวมีอยู่ทั่วโลก\\nเสือโคร่ง \\nสิงโต\\n* เสือดาว\\n"
    >>> from thaiwiki_clean.edits import apply
    >>> apply(text, link_list(text))
    'สัตว์ในวงศ์เสือและแมวมีอยู่ทั่วโลก\\n'

    Spared: lists whose items hold sentences, definitions, steps, quotations and poems, since most of their lines hold a clause;
    one or two names between paragraphs.
    """
    return [drop_lines(text, first, last, "link_list") for first, last in link_lists(text)]


_INTRO = regex.compile(
    r"(?P<before>[^\n]{0,60}?)(?:มี)?(?:รายชื่อ|รายละเอียด|รายการ|ดัง|ตัวอย่าง)?(?:ดังนี้|ดังต่อไปนี้|ต่อไปนี้|ได้แก่|ตัวอย่างเช่น|เช่น|ประกอบด้วย|ตามตาราง|ดังตารางต่อไปนี้|ดังตาราง)[ ]?[:：]?[ \t]*"
    r"|[^\n]{1,120}?(?:อาจหมายถึง|สามารถหมายถึง|อาจหมายความถึง|หมายถึงได้หลายอย่าง|มีหลายความหมาย|อาจเป็น|อาจจะหมายถึง|มีความหมายดังนี้|อาจหมายถึงสิ่งต่อไปนี้)[^\n]{0,30}?[:：]?[ \t]*"
    r"|(?:ต่อไปนี้|ด้านล่างนี้|ข้างล่างนี้|เนื้อหาในหน้านี้|หน้านี้|บทความนี้|นี่)(?:เป็น|คือ|แสดง|รวบรวม|รวม)?(?:หน้า|การ)?(?:รวม|แสดง)?(?:รายชื่อ|รายการ|บัญชี|ราย)[^\n]{0,140}"
    r"|(?:รายชื่อ|รายนาม|บัญชีรายชื่อ)[^\n]{0,140}"
)


# Cheap signs that a line may match _INTRO at all.
_INTRO_ENDS = ("นี้", "ได้แก่", "เช่น", "ประกอบด้วย", "ตาราง", "ถึง", "อย่าง", "ความหมาย", "เป็น")
_INTRO_STARTS = ("ต่อไปนี้", "ด้านล่างนี้", "ข้างล่างนี้", "เนื้อหาในหน้า", "หน้านี้", "บทความนี้", "นี่", "รายชื่อ", "รายนาม", "บัญชีรายชื่อ")


@lru_cache(maxsize=1 << 14)
def is_intro(line: str) -> bool:
    """Whether a line only announces what follows.

    >>> is_intro("มีรายละเอียดดังนี้"), is_intro("กา อาจหมายถึง:"), is_intro("กาเป็นนกสีดำ")
    (True, True, False)
    """
    if len(line) > 160 or not (line.startswith(_INTRO_STARTS) or line.rstrip(" \t:：").endswith(_INTRO_ENDS)):
        return False
    if (match := _INTRO.fullmatch(line)) is None:
        return False
    return not match.group("before") or not clauses(match.group("before"))


_INTRO_LAST = frozenset(word[-2:] for word in _INTRO_ENDS)
_INTRO_FIRST = frozenset(word[:3] for word in _INTRO_STARTS)


@lru_cache(maxsize=8)
def _intros(text: str) -> tuple[int, ...]:
    """The lines that announce something."""
    return tuple([i for i, line in enumerate(lines(text).line) if 2 < len(line) <= 160 and (line[-2:] in _INTRO_LAST or line[:3] in _INTRO_FIRST or line[-1] in " :：") and is_intro(line)])


def list_intro(text: str) -> list[Edit]:
    """A line that announces a list which is about to go, or which the parser took.

    >>> [(e.start, e.end) for e in list_intro("กา อาจหมายถึง\\nกา (นก)\\nกา (เพลง)\\nกา (เมือง)")]
    [(0, 14)]

    Spared: one over a list whose items hold sentences, and a paragraph that ends in such words.
    """
    found = lines(text).line
    intros = _intros(text)
    if not intros:
        return []
    listed = {first for first, _ in link_lists(text)}
    titles = {head.line for head in headers(text)}
    edits = []
    for i in intros:
        after = i + 1
        while after < len(found) and (not found[after] or found[after].isspace()):
            after += 1
        if after >= len(found) or after in listed or after in titles:
            edits.append(drop_lines(text, i, i, "list_intro"))
    return edits


_PREFIXED = regex.compile(r"[ \t*:]*\[{0,2}:?(?:หมวดหมู่|Category|category)[ \t]*:[^\n]*")
#: A category or sort key left at the end of a page is this short; the longest of 2,761 on the gold pages has 69 characters.
CATEGORY_LENGTH = 75


def category(text: str) -> list[Edit]:
    """Category names and sort keys at the end of a page, and lines such as ``หมวดหมู่:แมว`` anywhere.

    >>> text = "แมวเป็นสัตว์เลี้ยงลูกด้วยนมขนาดเล็ก\\nสัตว์เลี้ยง\\nบุคคลที่ยังมีชีวิตอยู่\\n*"
    >>> from thaiwiki_clean.edits import apply
    >>> apply(text, category(text))
    'แมวเป็นสัตว์เลี้ยงลูกด้วยนมขนาดเล็ก\\n'

    At the end a line counts when it is a bare name. The first line of a page is never a category.
    """
    found = lines(text).line
    edits = []
    if ":" in text and ("หมวดหมู่" in text or "ategory" in text):
        edits = [drop_lines(text, i, i, "category") for i, line in enumerate(found) if line and _PREFIXED.fullmatch(line)]
    prefixed = {edit.start for edit in edits}
    start = lines(text).start
    gone = boilerplate_lines(text)
    i = len(found) - 1
    tail = len(found)
    while i > 0:
        line = found[i].strip()
        if line and start[i] not in prefixed and i not in gone:
            if not _is_category_line(line):
                break
            tail = i
        i -= 1
    tail = _attached(found, tail)
    if tail < len(found) and _trusted(found, tail):
        edits += [drop_lines(text, j, j, "category") for j in range(tail, len(found)) if found[j].strip() and start[j] not in prefixed and j not in gone]
    return sorted(edits)


_NO_CATEGORY = regex.compile(r"[\"“”'(\[{<>=/\\|•–—-]|\d+[.)]|.*[.,;:!?…]$|.*[;=]|.*\d{1,2} (?:มกราคม|กุมภาพันธ์|มีนาคม|เมษายน|พฤษภาคม|มิถุนายน|กรกฎาคม|สิงหาคม|กันยายน|ตุลาคม|พฤศจิกายน|ธันวาคม)")


def _is_category_line(line: str) -> bool:
    if len(line) == 1 or is_category(line):
        return True
    return len(line) <= CATEGORY_LENGTH and is_name(line) and _NO_CATEGORY.match(line) is None


#: A line above the tail that is shorter than this may be hard-wrapped prose, and a name below it the end of its sentence.
WRAPPED_LENGTH = 130
# A name that no sentence ends with: one word, or a word with a year, a number or a bracket behind it.
_ONE_NAME = regex.compile(r"\S+(?: (?:\(.*\)|(?:พ\.ศ\.|ค\.ศ\.|ครั้งที่|ที่)? ?[\d–-]+))?")


#: A line above the tail that is longer than this says something, clause word or not.
SAYING_LENGTH = 25


def _attached(found: list[str], tail: int) -> int:
    """The tail without the names at its top that may still belong to the prose above."""
    while tail < len(found):
        line = found[tail].strip()
        above = found[tail - 1].strip()
        if line and (is_category(line) or _ONE_NAME.fullmatch(line) or (line.count(" ") == 1 and is_sentence(above) and len(above) > WRAPPED_LENGTH)):
            break
        tail += 1
    return tail


def _trusted(found: list[str], tail: int) -> bool:
    """Whether the run of names from line ``tail`` to the end may be cut: something must be said above it."""
    return any(is_sentence(line) or (len(line) > SAYING_LENGTH and " " in line) for line in found[:tail])


_HATNOTE = regex.compile(
    r"""[ \t*:'"]*(?:
      (?:โปรด|กรุณา)?(?:ดู|อ่าน)(?:ที่)?[ ]?(?:บทความหลัก|รายละเอียดเพิ่มเติม|รายละเอียด|เพิ่มเติม|เพิ่ม|ข้อมูลเพิ่มเติม|หน้าหลัก|บทความ)[ ]?(?:ที่|ได้ที่|ใน|:|เรื่อง|จาก)[ ]?\S.{0,160}
    | (?:บทความหลัก|บทความหลักที่|ข้อมูลเพิ่มเติม|รายละเอียดเพิ่มเติม|ดูเพิ่มเติม|ดูเพิ่ม|ดูอีก|อ่านเพิ่มเติม|ดูบทความหลัก)[ ]?(?:ที่)?[ ]?[:：][ ]?.{1,160}
    | (?:บทความหลัก|ดูบทความหลัก)[ ].{1,100}
    | ดู(?:เพิ่ม)?(?:ที่|เพิ่มที่)[ ].{1,100}
    | (?:อย่า|ไม่ควร|ระวัง|โปรดระวัง)(?:จำ)?สับสน(?:กับ|ระหว่าง).{1,160}
    | สำหรับ.{1,120}?(?:ให้)?(?:ดู|โปรดดู|อ่าน)(?:ที่|เพิ่มที่|เพิ่มเติมที่|ได้ที่)?[ ].{1,120}
    | บทความนี้(?:เกี่ยวกับ|กล่าวถึง|เป็นเรื่องเกี่ยวกับ|มีเนื้อหาเกี่ยวกับ).{1,160}?(?:สำหรับ|ดูที่|โปรดดู|ดูเพิ่ม).{1,120}
    | .{1,80}เปลี่ยนทางมาที่นี่.{0,160}
    | \(เปลี่ยนทางจาก[ ].{1,120}\)
    )[ \t'"]*""",
    regex.VERBOSE,
)
_HATNOTE_START = re.compile(r"[ \t*:'\"]*(?:ดู|โปรด|กรุณา|อ่าน|บทความ|ข้อมูลเพิ่มเติม|รายละเอียดเพิ่มเติม|อย่า|ไม่ควร|ระวัง|สำหรับ|\(เปลี่ยนทางจาก)|.{1,80}เปลี่ยนทางมาที่นี่")


def hatnote(text: str) -> list[Edit]:
    """Lines that point to another page: ``ดูบทความหลักที่ ...``, ``สำหรับความหมายอื่น ดูที่ ...``

    >>> hatnote("ดูบทความหลักที่ แมวบ้าน\\nดูแลแมวให้ดีทุกวัน")
    [Edit(start=0, end=24, reason='hatnote', new='')]
    """
    found = lines(text).line
    may = lines_opening(text, "hatnote")
    if "เปลี่ยนทางมาที่นี่" in text:
        may = [i for i, line in enumerate(found) if i in may or "เปลี่ยนทางมาที่นี่" in line]
    return [drop_lines(text, i, i, "hatnote") for i in may if 5 < len(found[i]) < 330 and _HATNOTE_START.match(found[i]) and _HATNOTE.fullmatch(found[i]) and clauses(found[i]) <= 3]


_NAV = r"ก่อนหน้า|ก่อนหน้านี้|ถัดไป|ต่อไป|สารบัญ|กลับ|กลับไป|กลับสารบัญ|ขึ้น|ขึ้นบน|ขึ้นข้างบน|หน้าหลัก|หน้าแรก|หน้าก่อน|หน้าก่อนหน้า|หน้าถัดไป|หน้าต่อไป|บทก่อน|บทก่อนหน้า|บทถัดไป|บทต่อไป|ตอนก่อน|ตอนก่อนหน้า|ตอนถัดไป|ตอนต่อไป|เนื้อหา|ดัชนี|previous|prev|next|contents|index|home|up|back"
_ARROW = r"[←→↑«»‹›<>◄►▲▼]"
_NAV_PART = regex.compile(rf"\s*(?:{_ARROW}+\s*)?(?:{_NAV})?\s*(?:{_ARROW}+)?\s*", regex.IGNORECASE)
# Without one of these no line links to the page before and the page after.
_NAV_SIGN = re.compile(rf"[|/•·]|{_ARROW}| [-–—] ")
_NAV_NAMED = regex.compile(rf"\s*(?:{_NAV})\s*[:：]\s*.{{1,60}}", regex.IGNORECASE)
_NAV_WORD = regex.compile(rf"(?<!\p{{L}})(?:{_NAV})(?!\p{{L}}|\p{{M}})|{_ARROW}", regex.IGNORECASE)
_NAV_SPLIT = regex.compile(r"\s*[|·•/]\s*|\s+[-–—]\s+")
_CHROME = regex.compile(r"จาก วิกิพีเดีย สารานุกรมเสรี|จากวิกิพีเดีย สารานุกรมเสรี|รับข้อมูลจาก [\"“].*|เนื้อหา \[?ซ่อน\]?|ดึงข้อมูลจาก [\"“].*|ข้ามไปยัง.{0,40}|ไปยังการนำทาง.{0,40}")


def navigation(text: str) -> list[Edit]:
    """Lines of links to the page before, the page after and the contents, and the wiki's own page frame.

    >>> navigation("ก่อนหน้า | สารบัญ | ถัดไป\\nบทต่อไปว่าด้วยแมว")
    [Edit(start=0, end=26, reason='navigation', new='')]

    At least two parts must be such words, or one with an arrow; a chapter's name may stand between.
    """
    found = lines(text).line
    edits = [drop_lines(text, i, i, "navigation") for i in lines_opening(text, "frame") if len(found[i]) < 160 and _CHROME.fullmatch(found[i])]
    links = [i for i in lines_opening(text, "navigation") if 3 < len(line := found[i]) < 160 and _NAV_SIGN.search(line) and _NAV_WORD.search(line) and _is_navigation(line)]
    return merge(edits, [drop_lines(text, i, i, "navigation") for i in links]) if links else edits


def _is_navigation(line: str) -> bool:
    parts = [part for part in _NAV_SPLIT.split(line) if part.strip()]
    words = sum(1 for part in parts if _NAV_PART.fullmatch(part) or _NAV_NAMED.fullmatch(part))
    if words >= 2 and words * 2 >= len(parts):
        return True
    arrows = len(regex.findall(_ARROW, line))
    return arrows >= 1 and len(parts) >= 2 and not is_sentence(line) and (words >= 1 or arrows >= 2)


_SOURCE = regex.compile(r"[ \t*#:;–—-]*[(\[]?(?:ที่มา|แหล่งที่มา|แหล่งอ้างอิง|อ้างอิง|อ้างอิงจาก|ข้อมูลจาก|ที่มาของข้อมูล|source|ref(?:erence)?)[ ]?[:：=].{0,200}", regex.IGNORECASE)


def source_line(text: str) -> list[Edit]:
    """Lines that only name the source of the line above: ``* ที่มา: สำนักพิมพ์, 2507``

    >>> source_line("รักดีหามจั่ว\\n* ที่มา: สุภาษิตไทย, 2507")
    [Edit(start=13, end=38, reason='source_line', new='')]

    Spared: a line that goes on to say something in three clauses or more.
    """
    if ":" not in text and "：" not in text and "=" not in text:
        return []
    return [drop_lines(text, i, i, "source_line") for i in lines_opening(text, "source") if _SOURCE.fullmatch(line := lines(text).line[i]) and clauses(line) < 3]


_MARKER = regex.compile(
    r"""
      BULLET::::[-–*\d.]*[ ]?      # WikiExtractor's own
    | [*•·]+[*\#:;•·]*[ \t]*       # * or a deeper mix
    | [:;]+[*\#:;]*[ \t]*          # indents
    | \#+[*:;]+[\#*:;]*[ \t]*      # numbered with something below
    | \#+(?:[ \t]+|(?=\p{Thai}))   # numbered: "# ก", but not "#1"
    """,
    regex.VERBOSE,
)




def list_marker(text: str) -> list[Edit]:
    """List and indent markers that the parser left at the start of a line; a line of nothing else goes whole.

    >>> [(e.start, e.end) for e in list_marker("* ก\\n: ข\\n*\\n#1 ของโลก")]
    [(0, 2), (4, 6), (8, 10)]

    Spared: ``- ก``, ``1. ก``, ``#1``, ``:)``.
    """
    found = lines(text)
    edits = []
    for i in lines_opening(text, "marker"):
        if line := found.line[i]:
            lead = len(line) - len(line.lstrip(" \t"))
            m = _MARKER.match(line, lead)
            if m is None or (line[lead : lead + 2] in (":)", ";)", ":D", ":(", "::") and not line[lead:].strip(":* \t;#")[:1].isalnum() and line[lead:].strip(":*;# \t")):
                continue
            if m.end() == len(line):
                edits.append(drop_lines(text, i, i, "list_marker"))
            else:
                edits.append(Edit(found.start[i] + lead, found.start[i] + m.end(), "list_marker"))
    return edits
