"""Lists of links and names, what announces them, what points elsewhere, and categories at the end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

import regex

from thaiwiki_clean.edits import Edit
from thaiwiki_clean.markup import (
    MANY,
    NAME_LENGTH,
    clauses,
    drop_lines,
    drop_runs,
    drop_spans,
    heads,
    is_name,
    is_sentence,
    lines_opening,
    lines_with,
    sketch,
)
from thaiwiki_clean.rules.sections import boilerplate_lines
from thaiwiki_clean.vocabulary import is_category

__all__ = ["category", "hatnote", "link_list", "list_intro", "list_marker", "navigation", "source_line"]

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
    found, short, intros, named = sketch(text)
    if len(short) < LIST_LENGTH:
        return
    apart = {*named, *boilerplate_lines(text), *intros} if named or intros else ()
    rest = [i for i in short if i not in apart] if apart else short
    if len(rest) < LIST_LENGTH:
        return
    block: list[int] = []  # the short lines since the last header or paragraph
    for i in rest:
        if found[i].isspace():
            continue
        if block and block[-1] != i - 1:
            if len(block) >= LIST_LENGTH:
                yield from _lists_of(found, block)
            block = []
        block.append(i)
    if len(block) >= LIST_LENGTH:
        yield from _lists_of(found, block)


def _lists_of(found: list[str], block: list[int]) -> Iterator[tuple[int, int]]:
    """The lists in one block of short lines."""
    names = {i for i in block if is_name(found[i])}
    if len(names) < LIST_LENGTH:
        return
    mostly = len(names) >= NAME_SHARE * len(block) and not _is_verse(found, block)
    run: list[int] = []
    for i in [*block, -1]:
        if i in names:
            run.append(i)
            continue
        if (
            len(run) >= LIST_LENGTH
            and len({found[j] for j in run}) >= LIST_LENGTH
            and (mostly or sum(_is_item(found[j]) for j in run) * 2 > len(run))
        ):
            yield run[0], run[-1]
        run = []


def _is_item(line: str) -> bool:
    """Whether a line shows that it was a list item: a marker in front, or the blank that a vanished icon left behind it."""
    return line[-1] == " " or line[0] in "*#:;•"


#: So many short lines of nearly one length are verse: a klon line has eight or nine syllables, give or take one.
VERSE_LINES = 4
VERSE_SPREAD = 0.2
_FIGURE = re.compile(r"[(0-9]")


def _is_verse(found: list[str], block: list[int]) -> bool:
    lengths = [len(found[i]) for i in block]
    mean = sum(lengths) / len(lengths)
    if len(block) < VERSE_LINES or not 15 <= mean <= 60 or any(_FIGURE.search(found[i]) for i in block):
        return False
    return (sum((n - mean) ** 2 for n in lengths) / len(lengths)) ** 0.5 < VERSE_SPREAD * mean and not any(
        _is_item(found[i]) for i in block
    )


def link_list(text: str) -> list[Edit]:
    """Runs of three or more lines that are names or links and say nothing, wherever they stand.

    >>> text = "สัตว์ในวงศ์เสือและแมวมีอยู่ทั่วโลก\\nเสือโคร่ง \\nสิงโต\\n* เสือดาว\\n"
    >>> from thaiwiki_clean.edits import apply
    >>> apply(text, link_list(text))
    'สัตว์ในวงศ์เสือและแมวมีอยู่ทั่วโลก\\n'

    Spared: lists whose items hold sentences, definitions, steps, quotations and poems, since most of their lines hold a clause;
    one or two names between paragraphs.
    """
    runs = link_lists(text)
    return drop_runs(text, runs, "link_list") if runs else []


def list_intro(text: str) -> list[Edit]:
    """A line that announces a list which is about to go, or which the parser took.

    >>> [(e.start, e.end) for e in list_intro("กา อาจหมายถึง\\nกา (นก)\\nกา (เพลง)\\nกา (เมือง)")]
    [(0, 14)]

    Spared: one over a list whose items hold sentences, and a paragraph that ends in such words.
    """
    page = sketch(text)
    if not page.intros:
        return []
    found = page.line
    listed = {first for first, _ in link_lists(text)}
    gone: list[int] = []
    after = len(found)  # the next line below that stays and is not blank
    below = len(found)
    for i in reversed(page.intros):
        for j in range(i + 1, below):
            if found[j] and not found[j].isspace():
                after = j
                break
        below = i
        if after == len(found) or after in listed or after in heads(text):
            gone.append(i)
        else:
            after = i
    return drop_lines(text, gone[::-1], "list_intro")


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
    found, _, _, titles = sketch(text)
    prefixed: set[int] = set()
    if ":" in text and ("หมวดหมู่" in text or "ategory" in text):
        prefixed = {i for i, line in enumerate(found) if ":" in line and _PREFIXED.fullmatch(line)}
    if not titles and not prefixed and len(found[-1]) > NAME_LENGTH and not found[-1].isspace():
        return []  # most clean pages end in a paragraph
    gone = boilerplate_lines(text) if titles else frozenset()
    # Above a section that goes only because nothing in it says anything, no tail is looked for: this rule may have emptied it.
    unsure = {i for i, shape in titles.items() if shape.kind != "certain"} if gone else gone
    tail = len(found)
    bottom = tail - 1
    while bottom and not found[bottom]:
        bottom -= 1
    for i in range(bottom, 0, -1):
        if i in unsure:
            break
        if i in gone or i in prefixed:
            continue
        if len(found[i]) > NAME_LENGTH and not found[i].isspace():
            break
        if line := found[i].strip():
            if not _is_category_line(line):
                break
            tail = i
    if tail < len(found):
        tail = _attached(found, tail)
    if tail < len(found) and _trusted(found, tail):
        prefixed |= {i for i in range(tail, len(found)) if i not in gone and found[i].strip()}
    return drop_lines(text, sorted(prefixed), "category") if prefixed else []


_NO_CATEGORY = re.compile(
    r"[\"“”'(\[{<>=/\\|•–—-]|\d+[.)]|.*[.,;:!?…]$|.*[;=]|.*\d{1,2} (?:มกราคม|กุมภาพันธ์|มีนาคม|เมษายน|พฤษภาคม|มิถุนายน|กรกฎาคม|สิงหาคม|กันยายน|ตุลาคม|พฤศจิกายน|ธันวาคม)"
)


@lru_cache(maxsize=MANY)
def _is_category_line(line: str) -> bool:
    return len(line) == 1 or (len(line) <= CATEGORY_LENGTH and is_name(line) and _NO_CATEGORY.match(line) is None) or is_category(line)


#: A line above the tail that is shorter than this may be hard-wrapped prose, and a name below it the end of its sentence.
WRAPPED_LENGTH = 130
# A name that no sentence ends with: one word, or a word with a year, a number or a bracket behind it.
_ONE_NAME = re.compile(r"\S+(?: (?:\(.*\)|(?:พ\.ศ\.|ค\.ศ\.|ครั้งที่|ที่)? ?[\d–-]+))?")


#: A line above the tail that is longer than this says something, clause word or not.
SAYING_LENGTH = 25


def _attached(found: list[str], tail: int) -> int:
    """The tail without the names at its top that may still belong to the prose above."""
    while tail < len(found):
        line = found[tail].strip()
        above = found[tail - 1].strip()
        if line and (
            is_category(line) or _ONE_NAME.fullmatch(line) or (line.count(" ") == 1 and is_sentence(above) and len(above) > WRAPPED_LENGTH)
        ):
            break
        tail += 1
    return tail


def _trusted(found: list[str], tail: int) -> bool:
    """Whether the run of names from line ``tail`` to the end may be cut: something must be said above it."""
    return any(is_sentence(line) or (len(line) > SAYING_LENGTH and " " in line) for line in found[:tail])


_HATNOTE = re.compile(
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
    re.VERBOSE,
)
# What a template says about the article as such. Nothing else begins so.
_NOTICE = re.compile(
    r"[ \t*:'\"]*บทความ(?:เกี่ยวกับ.{1,80})?นี้(?:ยัง)?(?:เป็นโครง|ไม่มี(?:การ|แหล่ง|แหล่งที่มา)?อ้างอิง|ขาด(?:การ|แหล่ง)?อ้างอิง|(?:อาจ)?ต้องการ(?:การ|แหล่ง)?(?:อ้างอิง|ตรวจสอบ|พิสูจน์อักษร|จัดรูปแบบ|เก็บกวาด)|ถูกเสนอให้ลบ).{0,300}"
)
_HATNOTE_START = re.compile(
    r"[ \t*:'\"]*(?:ดู|โปรด|กรุณา|อ่าน|บทความ|ข้อมูลเพิ่มเติม|รายละเอียดเพิ่มเติม|อย่า|ไม่ควร|ระวัง|สำหรับ|\(เปลี่ยนทางจาก)|.{1,80}เปลี่ยนทางมาที่นี่"
)


def hatnote(text: str) -> list[Edit]:
    """Lines that point to another page, ``ดูบทความหลักที่ ...``, ``สำหรับความหมายอื่น ดูที่ ...``, or speak of the article: ``บทความนี้ยังเป็นโครง ...``

    >>> hatnote("ดูบทความหลักที่ แมวบ้าน\\nดูแลแมวให้ดีทุกวัน")
    [Edit(start=0, end=24, reason='hatnote', new='')]
    """
    may = lines_opening(text, "hatnote")
    if "เปลี่ยนทางมาที่นี่" in text:
        may = sorted({*may, *lines_with(text, _REDIRECTED)})
    gone = [(start, end) for start, end in may if 5 < end - start < HATNOTE_LENGTH and _is_hatnote(text[start:end])]
    return drop_spans(text, gone, "hatnote")


_REDIRECTED = re.compile("เปลี่ยนทางมาที่นี่")


#: Hatnotes are shorter than this.
HATNOTE_LENGTH = 330


@lru_cache(maxsize=MANY)
def _is_hatnote(line: str) -> bool:
    if _HATNOTE_START.match(line) is None:
        return False
    return _NOTICE.fullmatch(line) is not None or (_HATNOTE.fullmatch(line) is not None and clauses(line) <= 3)


_NAV = r"ก่อนหน้า|ก่อนหน้านี้|ถัดไป|ต่อไป|สารบัญ|กลับ|กลับไป|กลับสารบัญ|ขึ้น|ขึ้นบน|ขึ้นข้างบน|หน้าหลัก|หน้าแรก|หน้าก่อน|หน้าก่อนหน้า|หน้าถัดไป|หน้าต่อไป|บทก่อน|บทก่อนหน้า|บทถัดไป|บทต่อไป|ตอนก่อน|ตอนก่อนหน้า|ตอนถัดไป|ตอนต่อไป|เนื้อหา|ดัชนี|previous|prev|next|contents|index|home|up|back"
_ARROW = r"[←→↑«»‹›<>◄►▲▼]"
_NAV_PART = regex.compile(rf"\s*(?:{_ARROW}+\s*)?(?:{_NAV})?\s*(?:{_ARROW}+)?\s*", regex.IGNORECASE)
# Without one of these no line links to the page before and the page after.
_NAV_SIGN = re.compile(rf"[|/•·]|{_ARROW}| [-–—] ")
_NAV_NAMED = regex.compile(rf"\s*(?:{_NAV})\s*[:：]\s*.{{1,60}}", regex.IGNORECASE)
_NAV_WORD = regex.compile(rf"(?<!\p{{L}})(?:{_NAV})(?!\p{{L}}|\p{{M}})|{_ARROW}", regex.IGNORECASE)
_NAV_SPLIT = regex.compile(r"\s*[|·•/]\s*|\s+[-–—]\s+")
_CHROME = re.compile(
    r"จาก วิกิพีเดีย สารานุกรมเสรี|จากวิกิพีเดีย สารานุกรมเสรี|รับข้อมูลจาก [\"“].*|เนื้อหา \[?ซ่อน\]?|ดึงข้อมูลจาก [\"“].*|ข้ามไปยัง.{0,40}|ไปยังการนำทาง.{0,40}"
)


def navigation(text: str) -> list[Edit]:
    """Lines of links to the page before, the page after and the contents, and the wiki's own page frame.

    >>> navigation("ก่อนหน้า | สารบัญ | ถัดไป\\nบทต่อไปว่าด้วยแมว")
    [Edit(start=0, end=26, reason='navigation', new='')]

    At least two parts must be such words, or one with an arrow; a chapter's name may stand between.
    """
    gone = {(start, end) for start, end in lines_opening(text, "frame") if end - start < 160 and _CHROME.fullmatch(text, start, end)}
    for start, end in lines_opening(text, "navigation"):
        if (
            3 < end - start < 160
            and _NAV_SIGN.search(text, start, end)
            and _NAV_WORD.search(line := text[start:end])
            and _is_navigation(line)
        ):
            gone.add((start, end))
    return drop_spans(text, sorted(gone), "navigation")


def _is_navigation(line: str) -> bool:
    parts = [part for part in _NAV_SPLIT.split(line) if part.strip()]
    words = sum(1 for part in parts if _NAV_PART.fullmatch(part) or _NAV_NAMED.fullmatch(part))
    if words >= 2 and words * 2 >= len(parts):
        return True
    arrows = len(regex.findall(_ARROW, line))
    return arrows >= 1 and len(parts) >= 2 and not is_sentence(line) and (words >= 1 or arrows >= 2)


_SOURCE = regex.compile(
    r"[ \t*#:;–—-]*[(\[]?(?:ที่มา|แหล่งที่มา|แหล่งอ้างอิง|อ้างอิง|อ้างอิงจาก|ข้อมูลจาก|ที่มาของข้อมูล|source|ref(?:erence)?)[ ]?[:：=].{0,200}"
    r"|(?:\d{1,3}[.)][ ])?[↑^][ ].{1,280}",  # a note and its way back, as the page shows them
    regex.IGNORECASE,
)


def source_line(text: str) -> list[Edit]:
    """Lines that only name a source: ``* ที่มา: สำนักพิมพ์, 2507``, and notes with their way back: ``1. ↑ สมชาย. แมวไทย``

    >>> source_line("รักดีหามจั่ว\\n* ที่มา: สุภาษิตไทย, 2507")
    [Edit(start=13, end=38, reason='source_line', new='')]

    Spared: a line that goes on to say something in three clauses or more.
    """
    may = lines_opening(text, "source")
    if "↑" in text:
        may = sorted({*may, *((start, end) for start, end in lines_with(text, _WAY_BACK) if "↑" in text[start : min(start + 6, end)])})
    gone = [(start, end) for start, end in may if end - start < SOURCE_LENGTH and _is_source(text[start:end])]
    return drop_spans(text, gone, "source_line")


_WAY_BACK = re.compile("↑")


#: Lines that only name a source are shorter than this.
SOURCE_LENGTH = 300


@lru_cache(maxsize=MANY)
def _is_source(line: str) -> bool:
    return _SOURCE.fullmatch(line) is not None and clauses(line) < 3


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
# A face, or a pair of colons as in "std::", with something behind it that is no letter.
_SMILEY = regex.compile(r"[:;]\)|:[D(](?=[ \t]|$)|::[:* \t;#]{0,80}+(?![\p{L}\p{N}]).")


def list_marker(text: str) -> list[Edit]:
    """List and indent markers that the parser left at the start of a line; a line of nothing else goes whole.

    >>> [(e.start, e.end) for e in list_marker("* ก\\n: ข\\n*\\n#1 ของโลก")]
    [(0, 2), (4, 6), (8, 10)]

    Spared: ``- ก``, ``1. ก``, ``#1``, ``:)``.
    """
    may = lines_opening(text, "marker")
    if not may:
        return []
    edits: list[Edit] = []
    for start, end in may:
        line = text[start:end]
        lead = len(line) - len(line.lstrip(" \t"))
        if after := _after_markers(line, lead):
            if after == len(line):  # nothing else
                edits += drop_spans(text, [(start, end)], "list_marker")
            else:
                edits.append(Edit(start + lead, start + after, "list_marker"))
    return edits


#: No list is nested deeper. A line with more markers than this is nothing but signs, and all of them go.
MARKERS = 20
_SIGNS = re.compile(r"[*•·:;# \t]*")


def _after_markers(line: str, lead: int) -> int:
    """Where the text of a line begins behind its markers; 0 when it has none."""
    end = lead
    for _ in range(MARKERS):
        if _SMILEY.match(line, end) or not (m := _MARKER.match(line, end)):
            return end if end > lead else 0
        end = m.end()
    return _SIGNS.match(line, end).end()  # type: ignore[union-attr]  # it matches everywhere
