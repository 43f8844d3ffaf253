"""What is left of tables and templates: lines that begin with a bar or an exclamation mark."""

from __future__ import annotations

import re
from collections.abc import Iterator

import regex

from thaiwiki_clean.edits import Edit, merge
from thaiwiki_clean.markup import drop_lines, drop_runs, heads, is_intro, is_sentence, lines, split

__all__ = ["table"]

#: A cell shorter than this is a name or a figure, whatever words it holds.
SENTENCE_LENGTH = 20
_CLOSE = re.compile(r"[ \t:]*\|\}{1,2}")
_ROW = re.compile(r"[ \t]*\|[-+]")
_SPLIT = re.compile(r"\|\||!!")
# A lone line like this is mathematics: |x| is at least 0.
_ABSOLUTE = re.compile(r"[ \t]*\|[^|\s]{1,12}\|")
# What an attribute of a cell is set to.
_VALUE = r"(?:\"[^\"|\n]{0,200}\"|'[^'|\n]{0,200}'|[^\s|\"']{1,80}+)"
_ATTRIBUTE = rf"[\w-]+[ \t]*=[ \t]*{_VALUE}[ \t]*"
# The attributes of a cell whose bar was at the end of the line before, and their own bar.
_NAMED = (
    r"(?:(?:style|class|align|valign|colspan|rowspan|scope|width|height|bgcolor|nowrap|border|cellpadding|cellspacing)[ \t]*=[ \t]*"
    rf"{_VALUE}[ \t]*)+\|(?!\|)"
)
_ATTRIBUTES = re.compile(rf"[ \t]*{_NAMED}", re.IGNORECASE)
_CODE = re.compile(r"[(){};=&]")
# What may stand before a cell's words: its bar, and attributes that end in another bar; and what would be cut as such when that is gone.
_BEFORE = rf"(?:{_ATTRIBUTE})*\|?(?!\|)[ \t]*"
_LEAD = regex.compile(rf"[ \t]*[|!]?[ \t]*{_BEFORE}(?:(?:\|[ \t]+|(?=(?i:{_NAMED}))){_BEFORE})*")


def table(text: str) -> list[Edit]:
    """Table lines: openers, rows, captions, closers, and cells that hold no sentence; for a cell with a sentence only its bars.

    >>> text = "ก่อนหน้า\\n{| border=1\\n|-\\n| 2547 || ชนะ\\n| ภาพยนตร์เรื่องนี้ได้รับรางวัลเมื่อ พ.ศ. 2547\\n|}"
    >>> from thaiwiki_clean.edits import apply
    >>> apply(text, table(text)).split("\\n")
    ['ก่อนหน้า', 'ภาพยนตร์เรื่องนี้ได้รับรางวัลเมื่อ พ.ศ. 2547', '']

    Inside a table a short line without a bar is a cell too. A line that only announces the table goes with it.
    Spared: a bar at the start of a lone line of prose, as in ``|x| คือค่าสัมบูรณ์ของ x``.
    """
    if "|" not in text and ("!" not in text or "!!" not in text):
        return []
    found = split(text)
    kinds = _kinds(text, found)
    if not any(kinds):
        return []
    intros: list[int] = []
    runs: list[tuple[int, int]] = []
    cells: list[Edit] = []
    start = lines(text).start
    run = None  # first line of the run of dropped lines
    for i, kind in enumerate([*kinds, ""]):
        inside = kind == "table" or (kind == "cell" and not _keeps_sentence(found[i]))
        if inside and run is None:
            run = i
        elif not inside and run is not None:
            if run and is_intro(found[run - 1]):
                intros.append(run - 1)
            runs.append((run, i - 1))
            run = None
        if kind == "cell" and not inside:
            cells += _unbar(found[i], start[i])
    return merge([*cells, *drop_lines(text, intros, "list_intro"), *drop_runs(text, runs, "table")])


def _kinds(text: str, found: list[str]) -> list[str]:
    """For every line: ``table`` (no words to keep), ``cell`` (maybe), or "" (not of a table)."""
    out = [""] * len(found)
    depth = 0
    titles = heads(text)
    for i, line in enumerate(found):
        if not (depth or "|" in line or "!" in line):
            continue
        head = line.lstrip(" \t:")[:2]
        if head == "{|":
            depth, out[i] = depth + 1, "table"
        elif head == "|}" and _CLOSE.match(line):
            depth, out[i] = max(0, depth - 1), "table" if not is_sentence(line) else "cell"
        elif head in ("|-", "|+") and _ROW.match(line):
            out[i] = "table" if head == "|-" or not is_sentence(line) else "cell"
        elif (head[:1] == "|" and (depth or head in ("|", "||", "| ") or _neighbour(out, found, i))) or (
            head[:1] == "!" and (depth or "!!" in line or _neighbour(out, found, i))
        ):
            out[i] = "cell"
        elif depth and line.strip():
            if i in titles or is_sentence(line):
                depth = 0  # a table that was never closed must not swallow the page
            else:
                out[i] = "table"
        elif "|" in line and _loose(line, out, found, i):
            out[i] = "cell"
    return out


def _loose(line: str, out: list[str], found: list[str], i: int) -> bool:
    """Whether a line that begins with no bar is one of cells: attributes and a bar, or double bars between names and figures."""
    if "=" in line and _ATTRIBUTES.match(line):
        return True
    bars = line.count("||")
    if not bars or "!!" in line or is_sentence(line):
        return False
    return (bars > 1 and not _CODE.search(line)) or _neighbour(out, found, i)


def _neighbour(out: list[str], found: list[str], i: int) -> bool:
    """Whether the line before belongs to a table, or the line behind looks it."""
    if i and out[i - 1]:
        return True
    behind = found[i + 1] if i + 1 < len(found) else ""
    after = behind.lstrip(" \t:")[:2]
    if after in ("|-", "|}", "{|", "||", "| ", "|+"):
        return True
    # Two lines in a row that begin with a sign of cells are no chance.
    return after[:1] in ("|", "!") and not _ABSOLUTE.match(behind) and not _ABSOLUTE.match(found[i])


def _keeps_sentence(line: str) -> bool:
    return any(True for _ in _sentences(line))


def _sentences(line: str) -> Iterator[tuple[int, int]]:
    """Where the cells of a line stand that hold a sentence."""
    at = 0
    for end in [*(m.start() for m in _SPLIT.finditer(line, 1)), len(line)]:
        if end - at < SENTENCE_LENGTH:
            at = end + 2
            continue
        lead = _LEAD.match(line, at, end)
        start = lead.end() if lead else at
        if end - start >= SENTENCE_LENGTH and is_sentence(line[start:end]):
            yield start, end
        at = end + 2


def _unbar(line: str, offset: int) -> list[Edit]:
    """The edits that leave only the sentences of a cell line, parted by one blank."""
    edits = []
    at = 0
    for start, end in _sentences(line):
        if start > at:
            edits.append(Edit(offset + at, offset + start, "table", " " if at else ""))
        at = end
    if at < len(line):
        edits.append(Edit(offset + at, offset + len(line), "table"))
    return edits
