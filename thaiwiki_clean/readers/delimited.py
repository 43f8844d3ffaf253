"""CSV and TSV with a header: quoted fields may hold line ends, so a file is one shard, read as a stream."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from thaiwiki_clean.page import Page
from thaiwiki_clean.readers import streams
from thaiwiki_clean.readers.columns import find_columns
from thaiwiki_clean.readers.records import Columns, Shard, SourceError
from thaiwiki_clean.readers.rows import Row, not_utf8, to_page

__all__ = ["csv_shards", "read_csv"]

_DELIMITERS = {"csv": ",", "tsv": "\t"}

#: Characters; csv's own limit of 131,072 is shorter than long articles. A quotation mark that is never closed ends here.
_LONGEST_FIELD = 16 << 20


class _Record(NamedTuple):
    line: int  #: of its first line in the file, counted from 1
    cells: list[str]
    lines: tuple[str, ...]  #: its lines as they came
    fault: str


def csv_shards(path: Path, file: str, columns: Columns, kind: str) -> tuple[list[Shard], int | None]:
    """The one shard of a file; how many rows it has is known only by reading it.

    Raises SourceError when the header cannot be read or holds no text column.
    """
    with streams.open_bytes(str(path)) as stream:
        header = next(_records(stream, kind), None)
    if header is None:
        return [], 0
    if header.fault:
        raise SourceError(f"{file}: the header: {header.fault}")
    found = find_columns(header.cells, columns, file)
    return [Shard(f"{file}#00000", str(path), kind, 0, 0, path.stat().st_size, found)], None


def read_csv(shard: Shard, strict: bool) -> Iterator[Page]:
    """The pages of a file. Rows are counted behind the header; blank lines are none."""
    names = shard.columns
    with streams.open_bytes(shard.path) as stream:
        records = _records(stream, shard.kind)
        header = next(records).cells
        places = [header.index(name) if name else None for name in (names.text, names.title, names.source, names.url, names.id)]
        for number, record in enumerate(records, 1):
            fault = record.fault
            if not fault and len(record.cells) != len(header):
                fault = f"{len(record.cells)} fields, expected {len(header)}"
            where = f" (line {record.line})" if fault else ""
            if len(record.cells) == len(header):
                text, title, source, url, page_id = (None if at is None else record.cells[at] for at in places)
                row = Row(number, text, title, source, url, page_id, fault + where)
            else:  # nobody knows which cell is the text: keep the row as it came
                row = Row(number, "".join(record.lines), fault=fault + where)
            yield to_page(row, shard, strict)


def _records(stream: BinaryIO, kind: str) -> Iterator[_Record]:
    """Header and rows. Strict about quotation marks: a lenient reader takes the rest of the file into a field and says nothing."""
    if csv.field_size_limit() < _LONGEST_FIELD:
        csv.field_size_limit(_LONGEST_FIELD)
    taken: list[str] = []
    faults: list[str] = []
    line = 1

    def decoded() -> Iterator[str]:
        for raw in streams.lines(stream):
            if fault := not_utf8(raw):
                faults.append(fault)
            taken.append(raw.decode(errors="replace"))
            yield taken[-1]

    reader = csv.reader(decoded(), delimiter=_DELIMITERS[kind], strict=True)
    while True:
        try:
            cells = next(reader, None)
            if cells is None:
                return
        except csv.Error as error:
            cells = []
            faults.insert(0, f"broken {kind} ({error}), expected fields in closed quotation marks, a mark inside them doubled")
        if cells or faults:
            yield _Record(line, cells, tuple(taken), faults[0] if faults else "")
        line += len(taken)
        taken.clear()
        faults.clear()
