"""Sections: boilerplate to its true end, then the headers of all others."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import chain

import regex

from thaiwiki_clean.edits import Edit
from thaiwiki_clean.markup import (
    PARAGRAPH_CLAUSES,
    PARAGRAPH_LENGTH,
    Shape,
    clauses,
    drop_runs,
    empty_lines,
    goes_on,
    is_citation,
    is_name,
    is_paragraph,
    is_sentence,
    sketch,
)

__all__ = ["bare_header", "boilerplate_lines", "boilerplate_section", "section_header"]


def boilerplate_section(text: str) -> list[Edit]:
    """Sections of links, references and translations, from their header to their true end, nested subsections with them.

    >>> text = "แมวเป็นสัตว์\\n== ดูเพิ่ม ==\\nเสือ\\n=== สิงโต ===\\nวงศ์เสือ\\n== ลักษณะ ==\\nแมวมีขนสั้นและมีเล็บแหลม"
    >>> from thaiwiki_clean.edits import apply
    >>> apply(text, boilerplate_section(text)).split("\\n")
    ['แมวเป็นสัตว์', '== ลักษณะ ==', 'แมวมีขนสั้นและมีเล็บแหลม']

    A title of kind ``certain`` ends at the next header of its level or above, or where a paragraph of prose begins.
    ``maybe`` (หมายเหตุ, เว็บไซต์, เพิ่มเติม ...) and ``linkage`` go only when no line below says anything; else their header alone goes.
    Source of the titles: vocabulary/sections.tsv, each with where it was seen.
    """
    runs = _boilerplate(text)
    return drop_runs(text, runs, "boilerplate_section") if runs else []


@lru_cache(maxsize=8)
def boilerplate_lines(text: str) -> frozenset[int]:
    """The lines that :func:`boilerplate_section` drops; rules of the same stage need not look at them."""
    return frozenset(chain.from_iterable([range(first, last + 1) for first, last in _boilerplate(text)]))


# The kinds of titles whose sections may go.
_BOILERPLATE = frozenset(("certain", "maybe", "linkage"))


@lru_cache(maxsize=8)
def _boilerplate(text: str) -> list[tuple[int, int]]:
    """First and last line of every section that goes."""
    page = sketch(text)
    if not page.heads:
        return []
    titles, found = list(page.heads.items()), page.line
    regions: list[tuple[int, int]] = []
    done = -1  # last line that is gone already
    for at, (first, head) in enumerate(titles):
        if first <= done or head.kind not in _BOILERPLATE:
            continue
        end = _end(titles, at, found)
        body = found[first + 1 : end]
        last = end - 1
        if head.kind == "certain":
            for i, line in enumerate(body, first):
                if len(line) >= PARAGRAPH_LENGTH and line[-1] != " " and is_paragraph(line):
                    last = i
                    break
        elif any(map(_says, body)):
            continue
        regions.append((first, last))
        done = last
    return regions


#: In a section that may hold prose, a longer line that is no citation counts as prose even without a clause word.
SAYS_LENGTH = 60


def _says(line: str) -> bool:
    if not line or line.isspace():
        return False
    if clauses(line) >= PARAGRAPH_CLAUSES:
        return True
    if is_citation(line):
        return False
    return is_sentence(line) or len(line) > SAYS_LENGTH or not is_name(line)


def _end(titles: Sequence[tuple[int, Shape]], at: int, found: list[str]) -> int:
    """The line where the section of header ``at`` ends: the next header of its level or above."""
    _, head = titles[at]
    for number in range(at + 1, len(titles)):  # a slice would be copied, or walked to, for every header of a long page
        i, other = titles[number]
        if other.level <= head.level or (other.kind == "certain" and not other.bare):
            # A bare known title among links is one more link, unless something is said below it.
            if other.bare and not head.bare and other.kind != "certain" and not _opens_prose(found, i):
                continue
            return i
    return len(found)


def _opens_prose(found: list[str], i: int) -> bool:
    return is_sentence(_next(found, i))


def section_header(text: str) -> list[Edit]:
    """Headers in equals signs. The section's body stays, and a blank line where the header stood.

    >>> [(e.start, e.end) for e in section_header("== ประวัติ ==\\nแมวเป็นสัตว์\\n===ก=== \\nข")]
    [(0, 13), (27, 35)]

    Spared: an equals sign inside a line, as in ``a == b``.
    """
    if "=" not in text:
        return []
    edits = empty_lines(text, [i for i, shape in sketch(text).heads.items() if not shape.bare], "section_header")
    if nameless := [Edit(m.start(), m.end() - 1, "section_header") for m in _NAMELESS.finditer("\n" + text)]:
        edits = sorted({*edits, *nameless})  # "== == ==" is a header whose title is "=="
    return edits


# Equals signs and nothing else.
_NAMELESS = re.compile(r"\n==[= \t]*$", re.MULTILINE)


#: A page speaks the dialect of bare titles when it has this many known ones and no header in equals signs.
DIALECT = 2
#: One word of this length at most ...
ALONE_LENGTH = 40
#: ... between two lines of at least this length is a title: on 1,560 gold pages no prose line is.
NEIGHBOUR_LENGTH = 80
# One word, with a number, a year or a bracket behind it.
_ONE_NAME = regex.compile(r"[ \t]*[\p{L}\d][^\s:：]*(?: (?:\(\S+\)|(?:พ\.ศ\.|ค\.ศ\.|ครั้งที่|ที่)? ?[\d–-]+))?[ \t]*")
#: An unknown bare title is this short at most ...
TITLE_LENGTH = 60
#: ... and a paragraph of at least this length stands below it.
BODY_LENGTH = 60


def bare_header(text: str) -> list[Edit]:
    """Section titles without equals signs: ``ประวัติ``, ``ประวัติ.``, ``## ประวัติ.``, ``Section::::ประวัติ.``

    >>> [(e.start, e.end) for e in bare_header("ประวัติ\\nแมวเป็นสัตว์\\nSection::::สายพันธุ์.\\nมีหลายสายพันธุ์")]
    [(0, 7), (21, 42)]

    A known title alone on a line counts anywhere, and so does one word between two long paragraphs.
    Another unknown one counts on a page that has two known ones and no other headers,
    and there only as a short line over a paragraph that says no clause.
    """
    found, short, _, shapes = sketch(text)
    titles = {i for i, shape in shapes.items() if shape.bare}
    last = len(found) - 1
    for i in short:
        if (
            0 < i < last
            and len(found[i - 1]) >= NEIGHBOUR_LENGTH
            and len(found[i + 1]) >= NEIGHBOUR_LENGTH
            and _stands_alone(line := found[i])
            and is_name(line)
            and is_sentence(found[i + 1])
        ):
            titles.add(i)
    if not titles:
        return []
    if len(titles) >= DIALECT and _is_dialect(found, titles) and all(shape.bare for shape in shapes.values()):
        for i in short:
            line = found[i]
            if 0 < i < last and len(line) <= TITLE_LENGTH and _may_be_title(line) and not is_name(found[i - 1]):
                after = _next(found, i)
                if len(after) >= BODY_LENGTH and is_sentence(after):
                    titles.add(i)
    return empty_lines(text, sorted(titles), "bare_header")


def _is_dialect(found: list[str], titles: Iterable[int]) -> bool:
    return sum(found[i][-1] not in ".：:" and found[i][0] not in "#S" for i in titles) >= DIALECT


def _stands_alone(line: str) -> bool:
    return 1 < len(line) <= ALONE_LENGTH and line.strip(" \t")[:1] not in "=|!" and _ONE_NAME.fullmatch(line) is not None


def _next(found: list[str], i: int) -> str:
    """The next line that is not blank."""
    for number in range(i + 1, len(found)):
        if (line := found[number]) and not line.isspace():
            return line
    return ""


_NO_TITLE = regex.compile(r"[\d\s\"“'(\[-]|.*[.,;:!?…)\]\s]$")

# What a title begins with that names an act or a time, so that one clause word may follow.
_NOUN_START = regex.compile(r"การ|ความ|งาน|ระหว่าง|เหตุการณ์|ช่วง|สมัย|บทบาท|ผล|ปัญหา|ข้อ|เครื่อง|ตำแหน่ง")


def _may_be_title(line: str) -> bool:
    if not line or goes_on(line) or _NO_TITLE.match(line):
        return False
    return not clauses(line) or (clauses(line) == 1 and _NOUN_START.match(line) is not None)
