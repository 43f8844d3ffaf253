"""Where things are in a page: lines, headers, letters, all as offsets; and what a line looks like.

Everything here is a pure function of the text, and the ones that split it remember the last few texts,
because every rule asks the same questions of the same page.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, wraps
from itertools import accumulate
from typing import NamedTuple

import regex

from thaiwiki_clean import vocabulary
from thaiwiki_clean.edits import Edit, apply, compose

__all__ = ["Header", "Lines", "clauses", "drop_lines", "goes_on", "headers", "is_citation", "is_name", "is_paragraph", "is_sentence", "lines", "lines_opening", "settled", "short_lines", "split", "whole_line"]

#: A name, a link or a category is shorter than this many characters; longer lines are taken for prose unless something says otherwise.
#: 99 % of the titles, categories and list items of the gold pages are below 90.
NAME_LENGTH = 100
#: A name longer than this has parts: a bracket, a dash, a comma or a number.
LONE_NAME_LENGTH = 70
_SEPARATOR = re.compile(r"[(,;–—/\"“«]| - |\d")
#: A paragraph: this long, with this many clause words. No list item of the pages we read reaches both.
PARAGRAPH_LENGTH = 100
PARAGRAPH_CLAUSES = 3


class Lines(NamedTuple):
    """The lines of a text, without their newlines, and where each begins; ``start`` has one entry more."""

    line: list[str]
    start: list[int]


@lru_cache(maxsize=8)
def split(text: str) -> list[str]:
    r"""The lines of ``text``. Only ``\n`` ends a line: ``str.splitlines`` knows nine more.

    >>> split("ก\nขค\n")
    ['ก', 'ขค', '']
    """
    return text.split("\n")


@lru_cache(maxsize=8)
def lines(text: str) -> Lines:
    r"""The lines of ``text`` with their places; where only the lines are needed, :func:`split` is cheaper.

    >>> lines("ก\nขค")
    Lines(line=['ก', 'ขค'], start=[0, 2, 5])
    """
    found = split(text)
    return Lines(found, [0, *accumulate([len(line) + 1 for line in found])])


@lru_cache(maxsize=8)
def short_lines(text: str) -> list[tuple[int, str]]:
    r"""The lines that may be a name, a link, a header: number and line of each that is not empty and no longer than NAME_LENGTH.

    >>> short_lines("แมว\n\nเสือ")
    [(0, 'แมว'), (2, 'เสือ')]
    """
    return [(i, line) for i, line in enumerate(split(text)) if 0 < len(line) <= NAME_LENGTH]


def drop_lines(text: str, first: int, last: int, reason: str) -> Edit:
    r"""The edit that drops the lines ``first`` to ``last`` (included) with their newlines.

    >>> drop_lines("ก\nข\nค", 1, 1, "url")
    Edit(start=2, end=4, reason='url', new='')
    """
    start = lines(text).start
    return Edit(start[first], min(start[last + 1], len(text)), reason)


def whole_line(text: str, i: int, reason: str) -> Edit:
    r"""The edit that empties line ``i`` and leaves its newline.

    >>> whole_line("ก\nข\nค", 1, "url")
    Edit(start=2, end=3, reason='url', new='')
    """
    start = lines(text).start
    return Edit(start[i], start[i + 1] - 1, reason)


@lru_cache(maxsize=8)
def _opened(text: str) -> dict[str, list[int]]:
    kinds_of = vocabulary.openers()
    out: dict[str, list[int]] = {}
    for i, line in enumerate(split(text)):
        if kinds := kinds_of[line[:2]]:
            for kind in kinds:
                if kind in out:
                    out[kind].append(i)
                else:
                    out[kind] = [i]
    return out


def lines_opening(text: str, kind: str) -> Sequence[int]:
    """The numbers of the lines that begin as lines of a kind do (vocabulary/openers.tsv).

    >>> lines_opening("ดูเพิ่ม\\nแมว\\n* ข", "hatnote")
    [0, 2]
    """
    return _opened(text).get(kind, ())


#: No page that we read nests dirt of one kind deeper than three times.
MAX_PASSES = 20


def settled(signs: str) -> Callable[[Callable[[str], list[Edit]]], Callable[[str], list[Edit]]]:
    """A rule that repeats a step until it finds nothing more, for dirt that is nested in itself.

    A line that is nested deeper than ``MAX_PASSES`` loses all its ``signs``, a set of characters as ``re`` writes it,
    without which the step finds nothing: so hostile text takes a bounded number of passes.
    """
    sign = re.compile(f"[{signs}]+")

    def settle(step: Callable[[str], list[Edit]]) -> Callable[[str], list[Edit]]:
        @wraps(step)
        def rule(text: str) -> list[Edit]:
            edits = fresh = step(text)
            passes = 1
            while fresh:
                text = apply(text, fresh)
                fresh = step(text) if passes < MAX_PASSES else _all_signs(text, step(text), sign)
                edits = compose(edits, fresh)
                passes += 1
            return edits

        return rule

    return settle


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
_GOES_ON = re.compile(r"และ|กับ|ของ|ใน|ที่(?!ว่าการ|ราบ|สูง|ดิน|ทำการ|พัก)|จาก|ต่อ|เพื่อ|ด้วย|เช่น|สำหรับ|ตาม|ไป|มา(?=จาก|ที่|ใน)|รวม|ตั้งแต่|จน|[,.;:)\]]|ๆ|\d+ (?=\D)")
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


@lru_cache(maxsize=1 << 14)
def _clauses(line: str) -> int:
    return len(vocabulary.clause_pattern().findall(line))


def is_sentence(line: str) -> bool:
    """Whether a line says something, so that it is not a name, a link or a category.

    >>> is_sentence("แมวเป็นสัตว์เลี้ยงลูกด้วยนม"), is_sentence("สมาคมดาราศาสตร์ไทย"), is_sentence("   ")
    (True, False, False)
    """
    return len(line) > NAME_LENGTH or (_clauses(line) > 0 and not vocabulary.is_category(line.strip()))


def is_name(line: str) -> bool:
    """Whether a line may be a bare name: short, without a clause, not the rest of a sentence.

    >>> is_name("จังหวัดเชียงใหม่ "), is_name("และในประเทศไทย"), is_name("")
    (True, False, False)
    """
    return 0 < len(line) <= NAME_LENGTH and _is_name(line)


@lru_cache(maxsize=1 << 14)
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


# --------------------------------------------------------------------------- headers


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
_OTHER = regex.compile(r"(?:(Section:{2,4})|(\#{1,6})[ \t]+)?([^\n]{2,80}?)(\.?)[ \t]*$")
_ONE_DOT = regex.compile(r"\p{Thai}{4,}\.[ \t]*$")


@lru_cache(maxsize=8)
def headers(text: str) -> tuple[Header, ...]:
    """The section headers of a page in the five forms that Thai wiki dumps hold.

    >>> [(h.level, h.title, h.bare) for h in headers("== ประวัติ ==\\nSection::::ดูเพิ่ม.\\n## อ้างอิง.\\nแหล่งข้อมูลอื่น")]
    [(2, 'ประวัติ', False), (2, 'ดูเพิ่ม', True), (2, 'อ้างอิง', True), (2, 'แหล่งข้อมูลอื่น', True)]

    A bare line counts when its title is known; with ``Section::::``, or with ``##`` and a full stop, any title does.
    """
    bare = vocabulary.bare_titles()
    return tuple(
        [
            Header(i, *shape)
            for i, line in short_lines(text)
            if (line[0] in _HEADER_FIRST or line in bare or line[-1] in _HEADER_LAST) and (shape := _shape(line)) is not None
        ]
    )


# What a header's line may begin or end with; a bare title is one of few words, blanks and a colon behind it aside.
_HEADER_FIRST = frozenset("=#S '\"\t")
_HEADER_LAST = frozenset(". :：'\"\t")

# Level, title, whether it stands bare, and kind: a header but for its place.
_Shape = tuple[int, str, bool, str]


@lru_cache(maxsize=1 << 14)
def _shape(line: str) -> _Shape | None:
    if line[0] == "=" or (line[0] in " \t" and line.lstrip(" \t")[:1] == "="):
        return _equals_header(line)
    return _other_header(line)


def _equals_header(line: str) -> _Shape | None:
    """``== x ==`` with blanks missing, doubled or trailing; the signs behind may be fewer, or be missing, as happens in the wild."""
    bare = line.strip(" \t")
    left = len(bare) - len(bare.lstrip("="))
    right = len(bare) - len(bare.rstrip("="))
    title = bare.strip("=").strip(" \t")
    if not title or left > MAX_LEVEL or (not right and (left < 2 or "=" in title)) or (left == 1 and clauses(title) and (right != 1 or "=" in title)):
        return None
    return min(left, right or MAX_LEVEL), title, False, vocabulary.title_kind(title)


def _other_header(line: str) -> _Shape | None:
    if kind := vocabulary.bare_title_kind(line):
        return 2, line.strip(), True, kind
    if line[0] == "#" or line[-1] == "." or line.startswith("Section::"):
        match = _OTHER.match(line)
        if match is None:
            return None
        prefix, hashes, title, dot = match.groups()
        kind = vocabulary.title_kind(title)
        if prefix or (kind and (hashes or dot)) or (hashes and dot) or (dot and _ONE_DOT.match(title[-40:] + dot) and "." not in title and is_name(line)):
            return len(hashes) if hashes else 2, title, True, kind
    return None
