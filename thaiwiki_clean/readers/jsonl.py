"""JSON lines: one object a line; a plain file is cut into byte ranges at line ends, a packed one is read in one go."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from thaiwiki_clean.page import Page
from thaiwiki_clean.readers import streams
from thaiwiki_clean.readers.columns import find_columns
from thaiwiki_clean.readers.records import Columns, Shard, SourceError
from thaiwiki_clean.readers.rows import Row, not_utf8, to_page

__all__ = ["jsonl_shards", "read_jsonl"]

#: A second of cleaning or less: fine enough to share out, coarse enough that opening a file costs nothing.
SHARD_BYTES = 16 << 20

#: Lines that are looked at for the names of the columns.
_HEAD = 100


def jsonl_shards(path: Path, file: str, columns: Columns) -> tuple[list[Shard], int | None]:
    """The shards of a file, and how many rows it has where it is not packed. A blank line is no row.

    A cut is the first line end at or behind each multiple of ``SHARD_BYTES``: lines added behind move none of them.
    Raises SourceError when the first lines hold no JSON object or no text column.
    """
    found = _columns(path, file, columns)
    if found is None:
        return [], 0
    if path.suffix.lower() in streams.PACKED:
        return [Shard(f"{file}#00000", str(path), "jsonl", 0, 0, path.stat().st_size, found)], None
    cuts, rows = [(0, 1)], 0
    at, number, blank = 0, 1, True
    with path.open("rb") as stream:
        for piece in iter(lambda: stream.readline(1 << 20), b""):
            at += len(piece)
            blank = blank and not piece.strip()
            if piece.endswith(b"\n"):
                number += 1
                rows += not blank
                blank = True
                if at >= cuts[-1][0] // SHARD_BYTES * SHARD_BYTES + SHARD_BYTES:
                    cuts.append((at, number))
    rows += not blank
    if len(cuts) > 1 and cuts[-1][0] == at:
        del cuts[-1]
    stops = [start for start, _ in cuts[1:]] + [at]
    shards = [
        Shard(f"{file}#{part:05}", str(path), "jsonl", part, start, stop, found, row)
        for part, ((start, row), stop) in enumerate(zip(cuts, stops, strict=True))
    ]
    return shards, rows


def read_jsonl(shard: Shard, strict: bool) -> Iterator[Page]:
    """The pages of a shard; a row's number is that of its line."""
    with streams.open_bytes(shard.path) as stream:
        packed = Path(shard.path).suffix.lower() in streams.PACKED
        if shard.start:
            stream.seek(shard.start)
        at = shard.start if packed else stream.tell()
        for number, line in enumerate(streams.lines(stream), shard.row):
            if line.strip():
                yield to_page(_row(line, number, shard.columns), shard, strict)
            at += len(line)
            if at >= shard.stop and not packed:
                break


def _row(line: bytes, number: int, columns: Columns) -> Row:
    fault = not_utf8(line)
    fault = fault and f"the line is {fault}"
    decoded = line.decode(errors="replace").rstrip("\r\n")
    try:
        row = json.loads(decoded)
    except json.JSONDecodeError as error:
        long = "too long, " if len(line) == streams.LONGEST_LINE else ""
        return Row(number, decoded, fault=fault or f"{long}no JSON ({error.msg} at character {error.pos}), expected an object a line")
    except (ValueError, RecursionError) as error:  # a number of 5,000 digits, brackets nested without end
        return Row(number, decoded, fault=fault or f"no JSON that can be read ({streams.one_line(error)}), expected an object a line")
    if not isinstance(row, dict):
        return Row(number, decoded, fault=fault or f"a JSON {type(row).__name__}, expected an object")
    if columns.text not in row:
        fault = fault or f"no {columns.text!r} among {', '.join(map(repr, row)) or 'no keys'}"
    names = (columns.text, columns.title, columns.source, columns.url, columns.id)
    text, title, source, url, page_id = (row.get(name) if name else None for name in names)
    return Row(number, text, title, source, url, page_id, fault)


def _columns(path: Path, file: str, columns: Columns) -> Columns | None:
    """The columns that the first objects have among them; None when the file holds nothing but blanks."""
    names: dict[str, None] = {}
    seen = 0
    with streams.open_bytes(str(path)) as stream:
        for line in streams.lines(stream):
            if not line.strip():
                continue
            seen += 1
            try:
                row = json.loads(line)
            except (ValueError, RecursionError):
                row = None
            if isinstance(row, dict):
                names.update(dict.fromkeys(row))
            elif seen == 1 and line.lstrip().startswith(b"["):
                raise SourceError(f"{file}: a JSON array, expected an object a line; turn it: jq -c '.[]' FILE > FILE.jsonl")
            if seen == _HEAD:
                break
    if not seen:
        return None
    if not names:
        raise SourceError(f"{file}: none of the first {seen} lines is a JSON object, expected an object a line")
    return find_columns(list(names), columns, file)
