"""One row into one page: what is checked, what a bad row becomes, where a missing id comes from."""

from __future__ import annotations

import re
from typing import NamedTuple

from thaiwiki_clean.page import Page, page_url
from thaiwiki_clean.readers.records import Shard, SourceError

__all__ = ["Row", "not_utf8", "to_page"]

_SURROGATE = re.compile("[\ud800-\udfff]")


class Row(NamedTuple):
    """The cells of one row as they came, and what is wrong with the row as a whole."""

    number: int  #: in its file, counted from 1
    text: object = None
    title: object = None
    source: object = None
    url: object = None
    id: object = None
    fault: str = ""  #: "" or what came and what was expected, such as a line that is no JSON


def to_page(row: Row, shard: Shard, strict: bool) -> Page:
    """The page of a row.

    A page keeps the id of its row. Without one it is called ``FILE:N`` after its row number: that stays when rows are
    added behind it, and no two pages share it, whatever their titles. Ids of the source are kept as they are, repeated ones too.

    A bad row becomes a page with ``dropped="bad_row"``; its ``raw`` is what could be saved, and ``detail`` says
    ``FILE row N: what came, expected what``. With ``strict`` that line is raised as SourceError.
    Bad is: a text that is null, a cell that is no string, bytes that are not UTF-8, half of a surrogate pair (``"\\ud800"``
    in JSON; no file could hold it later; U+FFFD stands for both in ``raw``), and a NUL, which says that the file is damaged.
    An empty text is not bad: that is for the verdicts to say.
    """
    faults = [row.fault] if row.fault else []
    cells = []
    for name, cell in zip(("text", "title", "source", "url"), row[1:5], strict=True):
        if type(cell) is str and cell.isascii() and "\0" not in cell:  # most urls and sources: nothing to look for
            cells.append(cell)
            continue
        value, fault = _string(name, cell)
        cells.append(value)
        if fault:
            faults.append(fault)
    text, title, source, url = cells
    name, fault = _id(row.id)
    if fault:
        faults.append(fault)
    source = source or shard.columns.default_source
    page = Page(name or f"{shard.file}:{row.number}", title, source, url or page_url(source, title), text)
    if not faults:
        return page
    line = f"{shard.file} row {row.number}: {faults[0]}"
    if strict:
        raise SourceError(line)
    return Page(page.id, page.title, page.source, page.url, page.raw, dropped="bad_row", detail=line)


def _string(name: str, cell: object) -> tuple[str, str]:
    """The cell as a string that any file can hold, and what was wrong with it."""
    if cell is None:
        return "", "the text is null, expected a string" if name == "text" else ""
    if isinstance(cell, bytes):
        return (cell.decode(errors="replace"), f"the {name} is {fault}") if (fault := not_utf8(cell)) else _string(name, cell.decode())
    if not isinstance(cell, str):
        return "", f"the {name} is {_kind(cell)}, expected a string"
    at = cell.find("\0")
    if at >= 0:
        return _SURROGATE.sub("\ufffd", cell), f"the {name} holds a NUL (character {at}), expected text"
    half = _SURROGATE.search(cell)
    if half:
        return _SURROGATE.sub(
            "\ufffd", cell
        ), f"the {name} holds half of a surrogate pair ({half[0]!a} at character {half.start()}), expected whole letters"
    return cell, ""


def not_utf8(raw: bytes) -> str:
    """What is wrong with bytes that are not UTF-8; "" when they are.

    >>> not_utf8("แมว".encode()[:-1])
    'not UTF-8 (byte 0xe0 at 6), expected UTF-8'
    """
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        return f"not UTF-8 (byte 0x{raw[error.start]:02x} at {error.start}), expected UTF-8"
    return ""


def _id(cell: object) -> tuple[str, str]:
    """The id as a string, "" where there is none. pandas turns whole numbers into floats when one is missing: 12.0 is 12."""
    if isinstance(cell, float) and cell != cell:
        cell = None
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    if isinstance(cell, int) and not isinstance(cell, bool):
        return str(cell), ""
    if cell is not None and not isinstance(cell, (str, bytes)):
        return "", f"the id is {_kind(cell)}, expected a string or a whole number"
    return _string("id", cell)


def _kind(cell: object) -> str:
    shown = repr(cell)
    return f"{type(cell).__name__} ({shown if len(shown) <= 30 else shown[:29] + '…'})"
