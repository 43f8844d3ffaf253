"""Parquet and Arrow files: shards are runs of rows, read a batch at a time and the named columns only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from thaiwiki_clean.page import Page
from thaiwiki_clean.readers.columns import find_columns
from thaiwiki_clean.readers.records import Columns, Shard, SourceError
from thaiwiki_clean.readers.rows import Row, to_page
from thaiwiki_clean.readers.streams import one_line

__all__ = ["arrow_shards", "parquet_shards", "read_arrow", "read_parquet"]

#: Bytes of text, unpacked. Small row groups are taken together up to here, a big one is cut into slices of this size.
SHARD_BYTES = 16 << 20

#: Whoever reads a slice must unpack all that stands before it in its row group (about 1 GB a second on one core):
#: 16 slices cost 8 unpackings in all. pandas and pyarrow write a million rows a group: v3 as one file is one group.
_SLICES = 16

#: A batch that is held as Python objects; 64 pages of v3 are 0.4 MB.
_BATCH_ROWS = 64


def parquet_shards(path: Path, file: str, columns: Columns) -> tuple[list[Shard], int]:
    """The shards of a parquet file, and how many rows it has.

    Raises SourceError when the file is damaged, or its text column is missing or holds no strings.
    """
    with _damage(file, "parquet"), _parquet(path) as parquet:
        found = _columns(parquet.schema_arrow, file, columns)
        groups = [parquet.metadata.row_group(i) for i in range(parquet.metadata.num_row_groups)]
        sizes = [(group.num_rows, _text_bytes(group, found.text)) for group in groups]
        return _shards(path, file, "parquet", _runs(sizes), found), parquet.metadata.num_rows


def read_parquet(shard: Shard, strict: bool) -> Iterator[Page]:
    """The pages of a shard; one batch and the pages it was unpacked from are in memory, whatever the size of a row group."""
    with _damage(shard.file, "parquet"), _parquet(Path(shard.path)) as parquet:
        first = 0
        groups = []
        for i in range(parquet.metadata.num_row_groups):
            rows = parquet.metadata.row_group(i).num_rows
            if first < shard.stop and first + rows > shard.start:
                groups.append((i, first))
            first += rows
        if not groups:
            return
        batches = parquet.iter_batches(_BATCH_ROWS, row_groups=[i for i, _ in groups], columns=_names(shard.columns), use_threads=False)
        yield from _pages(batches, groups[0][1], shard, strict)


def arrow_shards(path: Path, file: str, columns: Columns) -> tuple[list[Shard], int]:
    """The shards of an Arrow file, as ``Dataset.save_to_disk`` leaves them, and how many rows it has."""
    with _damage(file, "arrow"), _arrow(path) as (schema, batches):
        found = _columns(schema, file, columns)
        # Views into the mapped file: no text is read to know its size.
        sizes = [(batch.num_rows, batch.column(batch.schema.get_field_index(found.text)).nbytes) for batch in batches]
        return _shards(path, file, "arrow", _runs(sizes), found), sum(rows for rows, _ in sizes)


def read_arrow(shard: Shard, strict: bool) -> Iterator[Page]:
    """The pages of a shard; the file is mapped, and batches before the shard are passed over unread."""
    with _damage(shard.file, "arrow"), _arrow(Path(shard.path)) as (_, batches):
        names = _names(shard.columns)

        def small() -> Iterator[Any]:
            for batch in batches:
                for at in range(0, batch.num_rows, _BATCH_ROWS):
                    yield batch.select(names).slice(at, _BATCH_ROWS)

        yield from _pages(small(), 0, shard, strict)


def _pages(batches: Iterator[Any], first: int, shard: Shard, strict: bool) -> Iterator[Page]:
    """The pages of rows ``[shard.start, shard.stop)``; ``first`` is the number of the first row that comes, from 0."""
    names = shard.columns
    wanted = (names.text, names.title, names.source, names.url, names.id)
    for batch in batches:
        if first >= shard.stop:
            return
        start, stop = max(first, shard.start), min(first + batch.num_rows, shard.stop)
        if start < stop:
            part = batch.slice(start - first, stop - start)
            cells = [[None] * len(part) if name is None else _values(part.column(name)) for name in wanted]
            for number, row in enumerate(zip(*cells, strict=True), start + 1):
                yield to_page(Row(number, *row), shard, strict)
        first += batch.num_rows


def _values(column: Any) -> list[object]:
    """Python values; the bytes themselves where not all of them are UTF-8, so that every row is judged by itself."""
    try:
        return list(column.to_pylist())
    except UnicodeDecodeError:
        plain = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
        return list(plain.cast(pa.large_binary()).to_pylist())


def _columns(schema: Any, file: str, columns: Columns) -> Columns:
    found = find_columns(schema.names, columns, file)
    for role in ("text", "title", "source", "url"):
        name = getattr(found, role)
        if name is not None and not _stringy(schema.field(name).type):
            raise SourceError(
                f"{file}: the {role} column {name!r} holds {schema.field(name).type}, expected strings; there are {', '.join(map(repr, schema.names))}"
            )
    return found


def _stringy(kind: Any) -> bool:
    is_ = pa.types
    if is_.is_dictionary(kind):
        kind = kind.value_type
    tests = (is_.is_string, is_.is_large_string, is_.is_string_view, is_.is_binary, is_.is_large_binary, is_.is_binary_view, is_.is_null)
    return any(test(kind) for test in tests)


def _names(columns: Columns) -> list[str]:
    named = (columns.text, columns.title, columns.source, columns.url, columns.id)
    return list(dict.fromkeys(name for name in named if name is not None))


def _text_bytes(group: Any, name: str | None) -> int:
    for i in range(group.num_columns):
        if group.column(i).path_in_schema == name:
            return int(group.column(i).total_uncompressed_size)
    return int(group.total_byte_size)


def _runs(sizes: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """``[start, stop)`` of rows for groups of ``(rows, bytes)``: small ones together, big ones sliced.

    >>> mb = 1 << 20
    >>> _runs([(10, 6 * mb), (10, 6 * mb), (10, 6 * mb), (100, 32 * mb), (5, mb)])
    [(0, 30), (30, 80), (80, 130), (130, 135)]
    """
    runs: list[tuple[int, int]] = []
    start = row = held = 0
    for rows, size in sizes:
        if rows and size >= 2 * SHARD_BYTES:
            if row > start:
                runs.append((start, row))
            step = -(-rows // min(size // SHARD_BYTES, _SLICES))
            runs += [(at, min(at + step, row + rows)) for at in range(row, row + rows, step)]
            row += rows
            start, held = row, 0
            continue
        row, held = row + rows, held + size
        if held >= SHARD_BYTES:
            runs.append((start, row))
            start, held = row, 0
    return [*runs, (start, row)] if row > start else runs


def _shards(path: Path, file: str, kind: str, runs: list[tuple[int, int]], columns: Columns) -> list[Shard]:
    return [Shard(f"{file}#{n:05}", str(path), kind, n, start, stop, columns, start + 1) for n, (start, stop) in enumerate(runs)]


@contextmanager
def _parquet(path: Path) -> Iterator[Any]:
    # A buffer and no reading ahead: else a row group is held whole (95 MB instead of 380 MB for one of 920 MB).
    with pq.ParquetFile(path, pre_buffer=False, buffer_size=1 << 20) as parquet:
        yield parquet


@contextmanager
def _arrow(path: Path) -> Iterator[tuple[Any, Iterator[Any]]]:
    """Schema and batches of an Arrow stream, or of an Arrow file (feather)."""
    with pa.memory_map(str(path)) as mapped:
        if mapped.read(6) == b"ARROW1":
            file = pa.ipc.open_file(mapped)
            yield file.schema, (file.get_batch(i) for i in range(file.num_record_batches))
        else:
            mapped.seek(max(0, mapped.size() - 8))
            if mapped.read(8) != b"\xff\xff\xff\xff\0\0\0\0":  # a stream cut between two batches reads as a shorter one
                raise pa.ArrowInvalid("no end of stream")
            mapped.seek(0)
            stream = pa.ipc.open_stream(mapped)
            yield stream.schema, iter(stream)


@contextmanager
def _damage(file: str, kind: str) -> Iterator[None]:
    """What pyarrow says about a file that it cannot read, as one line."""
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        raise SourceError(
            f"{file}: {kind} that cannot be read ({one_line(error)}); the file is damaged or cut off, fetch it again"
        ) from error
