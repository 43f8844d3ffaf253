"""Sections: boilerplate to its true end, then the headers of all others."""

from __future__ import annotations

from thaiwiki_clean.edits import Edit
from thaiwiki_clean.markup import Header, drop_lines, headers, is_name, is_paragraph, is_sentence, lines

__all__ = ["bare_header", "boilerplate_section", "section_header"]


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
    heads = headers(text)
    if not heads:
        return []
    found = lines(text).line
    edits: list[Edit] = []
    done = -1  # last line that is gone already
    for at, head in enumerate(heads):
        if head.line <= done or head.kind not in ("certain", "maybe", "linkage"):
            continue
        end = _end(heads, at, found)
        body = range(head.line + 1, end)
        if head.kind == "certain":
            last = next((i for i in body if is_paragraph(found[i])), end) - 1
        elif any(is_sentence(found[i]) for i in body):
            continue
        else:
            last = end - 1
        edits.append(drop_lines(text, head.line, last, "boilerplate_section"))
        done = last
    return edits


def _end(heads: tuple[Header, ...], at: int, found: list[str]) -> int:
    """The line where the section of header ``at`` ends: the next header of its level or above."""
    head = heads[at]
    for other in heads[at + 1 :]:
        if other.level <= head.level or (other.kind == "certain" and not other.bare):
            # A bare known title among links is one more link, unless something is said below it.
            if other.bare and not head.bare and other.kind != "certain" and not _opens_prose(found, other.line):
                continue
            return other.line
    return len(found)


def _opens_prose(found: list[str], i: int) -> bool:
    after = next((line for line in found[i + 1 :] if line and not line.isspace()), "")
    return is_sentence(after)


def section_header(text: str) -> list[Edit]:
    """Headers in equals signs, with the blank lines below them; the section's body stays.

    >>> [(e.start, e.end) for e in section_header("== ประวัติ ==\\n\\nแมวเป็นสัตว์\\n===ก=== \\nข")]
    [(0, 15), (28, 37)]

    Spared: an equals sign inside a line, as in ``a == b``.
    """
    if "=" not in text:
        return []
    found = lines(text).line
    edits = []
    for head in headers(text):
        if not head.bare:
            edits.append(drop_lines(text, head.line, _through_blanks(found, head.line), "section_header"))
    edits += [drop_lines(text, i, i, "section_header") for i, line in enumerate(found) if line[:2] == "==" and not line.strip("= \t")]
    return sorted(edits)


def _through_blanks(found: list[str], i: int) -> int:
    """The last of the blank lines that follow line ``i``; an image stood there."""
    while i + 1 < len(found) and (not found[i + 1] or found[i + 1].isspace()):
        i += 1
    return i


#: A page speaks the dialect of bare titles when it has this many known ones and no header in equals signs.
DIALECT = 2
#: An unknown bare title is this short at most ...
TITLE_LENGTH = 60
#: ... and a paragraph of at least this length stands below it.
BODY_LENGTH = 60


def bare_header(text: str) -> list[Edit]:
    """Section titles without equals signs: ``ประวัติ``, ``ประวัติ.``, ``## ประวัติ.``, ``Section::::ประวัติ.``

    >>> [(e.start, e.end) for e in bare_header("ประวัติ\\nแมวเป็นสัตว์\\nSection::::สายพันธุ์.\\nมีหลายสายพันธุ์")]
    [(0, 8), (21, 43)]

    A known title alone on a line counts anywhere. An unknown one counts on a page that has two known ones and no other headers,
    and there only as a short line without a clause over a paragraph.
    """
    heads = headers(text)
    found = lines(text).line
    titles = {head.line for head in heads if head.bare}
    if len(titles) >= DIALECT and len(titles) == len(heads):
        for i in range(1, len(found) - 1):
            line = found[i]
            if len(line) <= TITLE_LENGTH and is_name(line) and len(found[i + 1].strip() or _next(found, i)) >= BODY_LENGTH and _next_says(found, i) and not is_name(found[i - 1]):
                titles.add(i)
    return [drop_lines(text, i, _through_blanks(found, i), "bare_header") for i in sorted(titles)]


def _next(found: list[str], i: int) -> str:
    return next((line for line in found[i + 1 :] if line and not line.isspace()), "")


def _next_says(found: list[str], i: int) -> bool:
    return is_sentence(_next(found, i))
