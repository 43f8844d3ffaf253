"""Where things are in a page: lines, headers, letters, all as offsets; and what a line looks like.

Everything here is a pure function of the text, and the ones that split it remember the last few texts,
because every rule asks the same questions of the same page.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

import regex

from thaiwiki_clean import vocabulary
from thaiwiki_clean.edits import Edit, apply, compose, edit_of

__all__ = [
    "Header",
    "Lines",
    "Shape",
    "Sketch",
    "Span",
    "clauses",
    "drop_lines",
    "drop_runs",
    "drop_spans",
    "empty_lines",
    "goes_on",
    "headers",
    "heads",
    "is_citation",
    "is_intro",
    "is_name",
    "is_paragraph",
    "is_sentence",
    "lines",
    "lines_opening",
    "lines_with",
    "settle",
    "sketch",
    "split",
]

#: A name, a link or a category is shorter than this many characters; longer lines are taken for prose unless something says otherwise.
#: 99 % of the titles, categories and list items of the gold pages are below 90.
NAME_LENGTH = 100
#: A name longer than this has parts: a bracket, a dash, a comma or a number.
LONE_NAME_LENGTH = 70
_SEPARATOR = re.compile(r"[(,;–—/\"“«]| - |\d")
#: A paragraph: this long, with this many clause words. No list item of the pages we read reaches both.
PARAGRAPH_LENGTH = 100
PARAGRAPH_CLAUSES = 3


#: How many short lines a test of lines remembers: the names and titles of a wiki come again and again.
MANY = 1 << 14


class Lines(NamedTuple):
    """The lines of a text, without their newlines, and where each begins; ``start`` has one entry more."""

    line: list[str]
    start: list[int]


class Sketch(NamedTuple):
    """What every rule asks of a page, found in one walk over its lines. Lines are named by their numbers."""

    line: list[str]
    short: list[int]  # not empty, and no longer than NAME_LENGTH
    intros: list[int]  # the lines that only announce what follows
    heads: dict[int, Shape]  # the section headers


@lru_cache(maxsize=8)
def sketch(text: str) -> Sketch:
    r"""The lines of a page, and which of them may be something else than prose.

    >>> page = sketch("แมวเป็นสัตว์\n== สายพันธุ์ ==\nได้แก่\n* วิเชียรมาศ")
    >>> page.short, page.intros, list(page.heads)
    ([0, 1, 2, 3], [2], [1])
    """
    found = text.split("\n")
    short: list[int] = []
    intros: list[int] = []
    heads: dict[int, Shape] = {}
    for i, line in enumerate(found):
        if not line:
            continue
        if len(line) <= NAME_LENGTH:
            short.append(i)
            if (looks := _looks(line)) is None:
                continue
            announces, shape = looks
            if shape is not None:
                heads[i] = shape
        else:
            announces = is_intro(line)
        if announces:
            intros.append(i)
    return Sketch(found, short, intros, heads)


@lru_cache(maxsize=MANY)
def _looks(line: str) -> tuple[bool, Shape | None] | None:
    """What a short line may be, by itself: whether it announces, its shape as a header; None when neither."""
    may = line[0] in _HEADER_FIRST or line[-1] in _HEADER_LAST or line in vocabulary.bare_titles()
    announces, shape = is_intro(line), _shape(line) if may else None
    return (announces, shape) if announces or shape else None


def heads(text: str) -> dict[int, Shape]:
    """The section headers of a page by the numbers of their lines; :func:`headers` gives the same as records.

    >>> [(i, shape.title) for i, shape in heads("แมว\\n== สายพันธุ์ ==").items()]
    [(1, 'สายพันธุ์')]
    """
    return sketch(text).heads


def split(text: str) -> list[str]:
    r"""The lines of ``text``. Only ``\n`` ends a line: ``str.splitlines`` knows nine more.

    >>> split("ก\nขค\n")
    ['ก', 'ขค', '']
    """
    return sketch(text).line


@lru_cache(maxsize=8)
def lines(text: str) -> Lines:
    r"""The lines of ``text`` with their places; where only the lines are needed, :func:`split` is cheaper.

    >>> lines("ก\nขค")
    Lines(line=['ก', 'ขค'], start=[0, 2, 5])
    """
    found = split(text)
    return Lines(found, [0, *accumulate([len(line) + 1 for line in found])])


def drop_lines(text: str, numbers: Sequence[int], reason: str) -> list[Edit]:
    r"""The edits that drop these lines, each with its newline.

    >>> drop_lines("ก\nข\nค", [1], "url")
    [Edit(start=2, end=4, reason='url', new='')]
    """
    return drop_runs(text, [(i, i) for i in numbers], reason) if numbers else []


def drop_runs(text: str, runs: Sequence[tuple[int, int]], reason: str) -> list[Edit]:
    r"""The edits that drop runs of lines, named by their first and last, with their newlines.

    >>> drop_runs("ก\nข\nค", [(0, 1)], "url")
    [Edit(start=0, end=4, reason='url', new='')]
    """
    if not runs:
        return []
    start = lines(text).start
    edits = [edit_of((start[first], start[last + 1], reason, "")) for first, last in runs]
    begin, end, _, _ = edits[-1]
    if end > len(text):  # the last line has no newline
        edits[-1] = Edit(begin, len(text), reason)
    return edits


def empty_lines(text: str, numbers: Sequence[int], reason: str) -> list[Edit]:
    r"""The edits that empty these lines and leave their newlines: a blank line parts one section from the next.

    >>> empty_lines("ก\nข\nค", [1], "url")
    [Edit(start=2, end=3, reason='url', new='')]
    """
    if not numbers:
        return []
    start = lines(text).start
    return [edit_of((start[i], start[i + 1] - 1, reason, "")) for i in numbers]


#: Where a line stands: its first character, and its end, without the newline.
Span = tuple[int, int]


def lines_opening(text: str, kind: str) -> Sequence[Span]:
    """Where the lines stand that begin as lines of a kind do (vocabulary/openers.tsv).

    >>> lines_opening("ดูเพิ่ม\\nแมว\\n* ข", "hatnote")
    [(0, 7), (12, 15)]
    """
    return _opening(text).get(kind, ())


@lru_cache(maxsize=8)
def _opening(text: str) -> dict[str, list[Span]]:
    """The lines that begin as lines of some kind do, by their kinds."""
    opening: dict[str, list[Span]] = {}
    kinds_of = vocabulary.openers()
    for m in vocabulary.opener_pattern().finditer("\n" + text):
        start, end = m.span()  # with the newline before it, which pushed the text by one
        for kind in kinds_of.get(text[start : start + 2]) or kinds_of[text[start]]:
            if kind in opening:
                opening[kind].append((start, end - 1))
            else:
                opening[kind] = [(start, end - 1)]
    return opening


def lines_with(text: str, sign: re.Pattern[str]) -> list[Span]:
    r"""Where the lines stand that hold a sign.

    >>> lines_with("ก.\nข\nค..", re.compile(r"\."))
    [(0, 2), (5, 8)]
    """
    out: list[Span] = []
    end = -1
    for m in sign.finditer(text):
        if (at := m.start()) > end:
            end = text.find("\n", at)
            if end < 0:
                end = len(text)
            out.append((text.rfind("\n", 0, at) + 1, end))
    return out


def drop_spans(text: str, spans: Iterable[Span], reason: str) -> list[Edit]:
    r"""The edits that drop lines, named by where they stand, each with its newline.

    >>> drop_spans("ก\nข\nค", [(2, 3)], "url")
    [Edit(start=2, end=4, reason='url', new='')]
    """
    return [edit_of((start, min(end + 1, len(text)), reason, "")) for start, end in spans]


#: No page that we read nests dirt of one kind deeper than three times.
MAX_PASSES = 6


def settle(text: str, step: Callable[[str], list[Edit]], signs: str) -> list[Edit]:
    """The edits of a step that is repeated until it finds nothing more, for dirt that is nested in itself.

    A line that is nested deeper than ``MAX_PASSES`` loses all its ``signs``, a set of characters as ``re`` writes it,
    without which the step finds nothing: so hostile text takes a bounded number of passes.
    """
    edits = fresh = step(text)
    passes = 1
    while fresh:
        text = apply(text, fresh)
        fresh = step(text) if passes < MAX_PASSES else _all_signs(text, step(text), re.compile(f"[{signs}]+"))
        edits = compose(edits, fresh)
        passes += 1
    return edits


def _all_signs(text: str, found: list[Edit], sign: re.Pattern[str]) -> list[Edit]:
    """Every sign in the lines in which something is found."""
    edits: list[Edit] = []
    done = 0
    for edit in found:
        if edit.end > done:
            first = max(done, text.rfind("\n", 0, edit.start) + 1)
            done = text.find("\n", edit.end)
            if done < 0:
                done = len(text)
            edits += [Edit(m.start(), m.end(), edit.reason) for m in sign.finditer(text, first, done)]
    return edits


# --------------------------------------------------------------------------- what a line says

# What opens a line that goes on from the one before.
_GOES_ON = re.compile(
    r"และ|กับ|ของ|ใน|ที่(?!ว่าการ|ราบ|สูง|ดิน|ทำการ|พัก)|จาก|ต่อ|เพื่อ|ด้วย|เช่น|สำหรับ|ตาม|ไป|มา(?=จาก|ที่|ใน)|รวม|ตั้งแต่|จน|[,.;:)\]]|ๆ|\d+ (?=\D)"
)
# Marks of a citation; see also is_citation.
_CITATION = re.compile(
    r"สืบค้น|เรียกข้อมูล|เข้าถึงเมื่อ|พิมพ์ครั้งที่|สำนักพิมพ์|ISBN|ISSN|doi|หน้า \d|\bpp?\. ?\d|\bRetrieved\b|\bArchived\b|เก็บถาวร|https?://|ราชกิจจานุเบกษา|เล่มที่? \d|\bVol\.|กรุงเทพฯ? ?:|(?:19|20|24|25)\d\d\)?[.,]?\s*$",
)


#: Longer lines are not remembered: they hardly come twice, and a page of one line may be large.
REMEMBERED = 400


def clauses(line: str) -> int:
    """How many clause words (vocabulary/clauses.tsv) stand in a line; a title has none.

    >>> clauses("ดาวเคราะห์น้อย"), clauses("แมวเป็นสัตว์ที่ถูกเลี้ยงไว้ในบ้าน")
    (0, 4)
    """
    return _clauses(line) if len(line) <= REMEMBERED else len(vocabulary.clause_pattern().findall(line))


@lru_cache(maxsize=MANY)
def _clauses(line: str) -> int:
    return len(vocabulary.clause_pattern().findall(line))


def is_sentence(line: str) -> bool:
    """Whether a line says something, so that it is not a name, a link or a category.

    >>> is_sentence("แมวเป็นสัตว์เลี้ยงลูกด้วยนม"), is_sentence("สมาคมดาราศาสตร์ไทย"), is_sentence("   ")
    (True, False, False)
    """
    return len(line) > NAME_LENGTH or (vocabulary.clause_pattern().search(line) is not None and not vocabulary.is_category(line.strip()))


def is_name(line: str) -> bool:
    """Whether a line may be a bare name: short, without a clause, not the rest of a sentence.

    >>> is_name("จังหวัดเชียงใหม่ "), is_name("และในประเทศไทย"), is_name("")
    (True, False, False)
    """
    return 0 < len(line) <= NAME_LENGTH and _is_name(line)


@lru_cache(maxsize=MANY)
def _is_name(line: str) -> bool:
    if len(line) > LONE_NAME_LENGTH and _SEPARATOR.search(line) is None:
        return False
    return not line.isspace() and not goes_on(line) and not is_sentence(line)


def goes_on(line: str) -> bool:
    """Whether a line begins like the rest of a sentence.

    >>> goes_on("และในประเทศไทย"), goes_on("ประเทศไทย")
    (True, False)
    """
    return _GOES_ON.match(line) is not None


def is_citation(line: str) -> bool:
    """Whether a line names a book, an article or an address, with the year, page or date that goes with it.

    >>> is_citation("สมชาย ใจดี. ปลาไทย. กรุงเทพฯ : มติชน, 2547."), is_citation("ปลาไทยมีหลายชนิด")
    (True, False)
    """
    return bool(_CITATION.search(line))


def is_paragraph(line: str) -> bool:
    """Whether a line is prose beyond doubt: long, with several clauses, and no citation."""
    return len(line) >= PARAGRAPH_LENGTH and clauses(line) >= PARAGRAPH_CLAUSES and not is_citation(line)


# --------------------------------------------------------------------------- lines that announce

_INTRO = re.compile(
    r"(?P<before>[^\n]{0,60}?)(?:มี)?(?:รายชื่อ|รายละเอียด|รายการ|ดัง|ตัวอย่าง)?(?:ดังนี้|ดังต่อไปนี้|ต่อไปนี้|ได้แก่|ตัวอย่างเช่น|เช่น|ประกอบด้วย|ตามตาราง|ดังตารางต่อไปนี้|ดังตาราง)[ ]?[:：]?[ \t]*"
    r"|[^\n]{1,120}?(?:อาจหมายถึง|สามารถหมายถึง|อาจหมายความถึง|หมายถึงได้หลายอย่าง|มีหลายความหมาย|อาจเป็น|อาจจะหมายถึง|มีความหมายดังนี้|อาจหมายถึงสิ่งต่อไปนี้)[^\n]{0,30}?[:：]?[ \t]*"
    r"|(?:ต่อไปนี้|ด้านล่างนี้|ข้างล่างนี้|เนื้อหาในหน้านี้|หน้านี้|บทความนี้|นี่)(?:เป็น|คือ|แสดง|รวบรวม|รวม)?(?:หน้า|การ)?(?:รวม|แสดง)?(?:รายชื่อ|รายการ|บัญชี|ราย)[^\n]{0,140}"
    r"|(?:รายชื่อ|รายนาม|บัญชีรายชื่อ)[^\n]{0,140}"
)


#: A line that only announces something is no longer than this.
INTRO_LENGTH = 160
# Cheap signs that a line may match _INTRO at all.
_INTRO_ENDS = ("นี้", "ได้แก่", "เช่น", "ประกอบด้วย", "ตาราง", "ถึง", "อย่าง", "ความหมาย", "เป็น")
_INTRO_STARTS = ("ต่อไปนี้", "ด้านล่างนี้", "ข้างล่างนี้", "เนื้อหาในหน้า", "หน้านี้", "บทความนี้", "นี่", "รายชื่อ", "รายนาม", "บัญชีรายชื่อ")


# The last two characters of a line that may announce something, with or without blanks and a colon behind it.
_INTRO_LAST = frozenset(word[-2:] for word in _INTRO_ENDS) | {
    last + tail for last in {word[-1] for word in _INTRO_ENDS} | set(" \t:：") for tail in " \t:："
}
_INTRO_FIRST = frozenset(word[:3] for word in _INTRO_STARTS)


def is_intro(line: str) -> bool:
    """Whether a line only announces what follows.

    >>> is_intro("มีรายละเอียดดังนี้"), is_intro("กา อาจหมายถึง:"), is_intro("กาเป็นนกสีดำ")
    (True, True, False)
    """
    return len(line) <= INTRO_LENGTH and (line[-2:] in _INTRO_LAST or line[:3] in _INTRO_FIRST) and _is_intro(line)


def _is_intro(line: str) -> bool:
    if not (line.startswith(_INTRO_STARTS) or line.rstrip(" \t:：").endswith(_INTRO_ENDS)):
        return False
    if (match := _INTRO.fullmatch(line)) is None:
        return False
    return not match.group("before") or not clauses(match.group("before"))


# --------------------------------------------------------------------------- headers


class Shape(NamedTuple):
    """What a header's line says by itself: a :class:`Header` but for its place."""

    level: int
    title: str
    bare: bool
    kind: str


class Header(NamedTuple):
    """A section header: its line, its level (1 to 6), its title, whether it stands in equals signs or bare, and what its title promises."""

    line: int
    level: int
    title: str
    bare: bool
    kind: str  # a kind of vocabulary.title_kind: certain, maybe, linkage, content, or "" for an unknown title


#: MediaWiki knows six levels of headers.
MAX_LEVEL = 6
# Section::::x.   ## x.   x.
_OTHER = re.compile(r"(?:(Section:{2,4})|(\#{1,6})[ \t]+)?([^\n]{2,80}?)(\.?)[ \t]*$")
_ONE_DOT = regex.compile(r"\p{Thai}{4,}\.[ \t]*$")


def headers(text: str) -> tuple[Header, ...]:
    """The section headers of a page in the five forms that Thai wiki dumps hold.

    >>> [(h.level, h.title, h.bare) for h in headers("== ประวัติ ==\\nSection::::ดูเพิ่ม.\\n## อ้างอิง.\\nแหล่งข้อมูลอื่น")]
    [(2, 'ประวัติ', False), (2, 'ดูเพิ่ม', True), (2, 'อ้างอิง', True), (2, 'แหล่งข้อมูลอื่น', True)]

    A bare line counts when its title is known; with ``Section::::``, or with ``##`` and a full stop, any title does.
    """
    return tuple(Header(i, *shape) for i, shape in heads(text).items())


# What a header's line may begin or end with; a bare title is one of few words, blanks and a colon behind it aside.
_HEADER_FIRST = frozenset("=#S '\"\t")
_HEADER_LAST = frozenset(". :：'\"\t")


def _shape(line: str) -> Shape | None:
    if line[0] == "=" or (line[0] in " \t" and line.lstrip(" \t")[:1] == "="):
        return _equals_header(line)
    return _other_header(line)


def _equals_header(line: str) -> Shape | None:
    """``== x ==`` with blanks missing, doubled or trailing; the signs behind may be fewer, or be missing, as happens in the wild."""
    bare = line.strip(" \t")
    left = len(bare) - len(bare.lstrip("="))
    right = len(bare) - len(bare.rstrip("="))
    title = bare.strip("=").strip(" \t")
    if (
        not title
        or left > MAX_LEVEL
        or (not right and (left < 2 or "=" in title))
        or (left == 1 and clauses(title) and (right != 1 or "=" in title))
    ):
        return None
    return Shape(min(left, right or MAX_LEVEL), title, False, vocabulary.title_kind(title))


def _other_header(line: str) -> Shape | None:
    if kind := vocabulary.bare_title_kind(line):
        return Shape(2, line.strip(), True, kind)
    if line[0] == "#" or line[-1] == "." or line.startswith("Section::"):
        match = _OTHER.match(line)
        if match is None:
            return None
        prefix, hashes, title, dot = match.groups()
        kind = vocabulary.title_kind(title)
        if (
            prefix
            or (kind and (hashes or dot))
            or (hashes and dot)
            or (dot and _ONE_DOT.match(title[-40:] + dot) and "." not in title and is_name(line))
        ):
            return Shape(len(hashes) if hashes else 2, title, True, kind)
    return None
