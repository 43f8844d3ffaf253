"""Tables: cells that hold prose stay, one a line; the rest goes."""

from __future__ import annotations

import re

__all__ = ["strip_tables"]

#: A cell of at least so many characters is prose: a plot, a description. Shorter ones are names, numbers and notes, which say
#: nothing without their row and column: of 36,936 names and places in the 78 monument lists, 17 are as long.
PROSE = 100

_LINK = re.compile(r"\[\[(?:[^\[\]|\n]*\|)?|\]\]|[\x00-\x05]|'{2,}")
_ROW = re.compile(r"\n(?:[ \t:*]*\{)?\|")
_ATTRIBUTES = re.compile(r"[^|\[\]{}\n]{0,400}\|(?!\|)")


def strip_tables(text: str) -> str:
    """``text`` without tables, but for their cells of prose.

    >>> strip_tables("ก\\n{| class=x\\n! ปี !! เรื่อง\\n|-\\n| 2500 || ข\\n|}\\nค")
    'ก\\nค'

    A table that is not closed ends where its last row does: MediaWiki would put the rest of the page into it. Rows without a
    table, as they stand on pages whose table begins in a template, are read the same way.
    """
    if "{|" not in text and "\n|" not in text and text[:1] != "|":
        return text
    text = "\n" + text
    first = _ROW.search(text)
    if not first:
        return text[1:]
    lines = text[first.start() + 1 :].split("\n")
    closed = _closed(text)
    out: list[str] = []
    cell: list[str] = []
    depth = 0
    loose = False  # in rows that no table holds
    opened = 0
    for line in lines:
        bare = line.lstrip(_INDENT) if line[:1] in _INDENT else line
        mark = bare[:2]
        if mark[:1] not in _SIGNS:
            if depth:
                cell.append(line)
            else:
                loose = loose and not line.strip()
                out.append(line)
            continue
        if mark == "{|":
            if cell:
                cell = _flushed(cell, out)
            depth += opened in closed
            opened += 1
            loose = depth == 0
        elif mark == "|}":
            if cell:
                cell = _flushed(cell, out)
            depth -= depth > 0
            if len(bare) > 2 and (rest := bare[2:].strip()):
                (cell if depth else out).append(rest)
        elif mark[0] == "|" or (mark[0] == "!" and (depth or loose)):
            if cell:
                cell = _flushed(cell, out)
            loose = depth == 0
            if mark not in _ROWS:
                for part in _cells(bare):
                    if cell:
                        cell = _flushed(cell, out)
                    attributes = _ATTRIBUTES.match(part) if "|" in part else None
                    cell.append(part[attributes.end() :] if attributes else part)
                if not depth and cell:
                    cell = _flushed(cell, out)
        elif depth:
            cell.append(line)
        else:
            loose = False
            out.append(line)
    _flushed(cell, out)
    return (text[: first.start() + 1] + "\n".join(out))[1:]


_INDENT = " \t:*"
_SIGNS = frozenset("{|!")
_ROWS = frozenset(("|-", "|+", "|"))


def _cells(row: str) -> list[str]:
    """What stands in a line of cells, behind its first sign."""
    if row[0] == "!":
        return re.split(r"\|\||!!", row[1:])
    return row[1:].split("||") if "||" in row else [row[1:]]


_EDGE = re.compile(r"\n[ \t:*]*(?:(\{\|)|\|\})")


def _closed(text: str) -> set[int]:
    """Which tables are closed further down, counted from 0 as they begin."""
    stack: list[int] = []
    closed: set[int] = set()
    opened = 0
    for edge in _EDGE.finditer(text):
        if edge[1]:
            stack.append(opened)
            opened += 1
        elif stack:
            closed.add(stack.pop())
    return closed


def _flushed(cell: list[str], out: list[str]) -> list[str]:
    """Ends a cell: to the text with it when it holds prose. Gives an empty one."""
    for line in cell:
        if len(line) >= PROSE and len(_LINK.sub("", line).strip()) >= PROSE:
            out += cell
            break
    return []
