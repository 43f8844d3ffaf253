"""Shards: files of rows on their way through a build. Pages as Arrow tables, files written beside and renamed, rows cut to fixed sizes.

A file that is there is whole: it was written under another name and renamed when it was done. What a file says about itself
(:func:`stats`) lies inside it, so that there is no second file to be lost.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import uuid
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, get_type_hints

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from thaiwiki_clean.edits import Edit
from thaiwiki_clean.page import Page
from thaiwiki_clean.repetition import Repetition

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "EDITS",
    "GROUP",
    "MEASURES",
    "N_CHARS_RAW",
    "PAGES",
    "ROW",
    "VERDICTS",
    "WORD_ENDS",
    "ShardPages",
    "beside",
    "pack_ends",
    "read_group",
    "read_tables",
    "row_count",
    "settled",
    "stats",
    "sweep",
    "to_pages",
    "to_table",
    "unpack_ends",
    "write",
    "write_text",
]

EDITS = pa.list_(pa.struct([("start", pa.int32()), ("end", pa.int32()), ("reason", pa.string()), ("new", pa.string())]))

#: One column for every field of :class:`~thaiwiki_clean.Page`.
PAGES = pa.schema(
    [(name, pa.string()) for name in ("id", "title", "source", "url", "raw", "text")]
    + [("edits", EDITS)]
    + [(name, pa.string()) for name in ("dropped", "detail", "revision", "timestamp", "cluster")]
)

_KINDS = {int: pa.int32(), float: pa.float32()}

#: Measures of a page, null for one that fell, and where they need words and there are none.
MEASURES = pa.schema([(name, _KINDS[kind]) for name, kind in get_type_hints(Repetition).items()])

#: Characters of the raw text, for the stages that do not read it.
N_CHARS_RAW = pa.field("n_chars_raw", pa.int32())

#: Where the words of a text end, for the stages that count words in its pieces; null for a page that fell or was not segmented.
WORD_ENDS = pa.field("word_ends", pa.binary())

#: The row of a shard that stands here as it is now.
ROW = pa.field("row", pa.int32())

#: The last verdicts, a row group a shard.
VERDICTS = pa.schema([("dropped", pa.string()), ("cluster", pa.string())])

#: Rows in a row group: some 6 MB of text in v3's pages, so that a reader holds little and a writer packs well.
GROUP = 1000

_TMP = ".tmp"
# What is published: the chunks and the page index that the Hub uses to send and to read only what changed or is asked for.
_PUBLISHED = {"compression": "zstd", "compression_level": 3, "use_content_defined_chunking": True, "write_page_index": True}
# What is read again in a minute and then thrown away. Looking for values that come again costs a third of writing and half of reading.
_PASSING = {"compression": "lz4", "use_dictionary": False}


def to_table(pages: Sequence[Page], more: Mapping[str, Sequence[Any]] | None = None, schema: pa.Schema = PAGES) -> pa.Table:
    """The pages as a table; edits become a list of structs. ``more`` holds the columns of ``schema`` that pages have not."""
    columns = dict(more or {})
    for name in PAGES.names:
        columns[name] = [getattr(page, name) for page in pages]
    columns["edits"] = _edits_array(columns["edits"])
    return pa.table([columns[name] for name in schema.names], schema=schema)


def to_pages(table: pa.Table) -> list[Page]:
    """The pages of a table that :func:`to_table` made; other columns are left alone, and ``raw`` or ``edits`` may be missing.

    >>> page = Page("7", "แมว", "thaiwikipedia", "", "แมว ()", "แมว", (Edit(3, 6, "empty_brackets"),))
    >>> to_pages(to_table([page])) == [page]
    True
    """
    there = set(table.column_names)
    missing = {"raw": [""] * len(table), "edits": [()] * len(table)}
    columns = [
        missing[name] if name not in there else table.column(name).to_pylist() if name != "edits" else _edits_lists(table.column(name))
        for name in PAGES.names
    ]
    return [Page(*row) for row in zip(*columns, strict=True)]


def pack_ends(ends: Sequence[int] | NDArray[np.int64]) -> bytes:
    """Offsets as bytes, four each: half the time of a list in a table, both ways."""
    return np.asarray(ends, np.uint32).tobytes()


def unpack_ends(packed: bytes) -> array[int]:
    """The offsets that :func:`pack_ends` made into bytes.

    >>> unpack_ends(pack_ends([3, 7, 70_000])).tolist()
    [3, 7, 70000]
    """
    return array("I", packed)


def _edits_array(edits: Sequence[Sequence[Edit]]) -> pa.Array:
    offsets = pa.array(itertools.accumulate(map(len, edits), initial=0), pa.int32())
    flat = list(itertools.chain.from_iterable(edits))
    fields = list(EDITS.value_type)
    children = [pa.array([edit[i] for edit in flat], field.type) for i, field in enumerate(fields)]
    return pa.ListArray.from_arrays(offsets, pa.StructArray.from_arrays(children, fields=fields))


def _edits_lists(column: pa.ChunkedArray) -> list[tuple[Edit, ...]]:
    # Child by child: a dict per edit, as to_pylist makes them, costs more than reading the text.
    out: list[tuple[Edit, ...]] = []
    for chunk in column.chunks:
        flat = iter(list(map(Edit, *(child.to_pylist() for child in chunk.flatten().flatten()))))
        out += [tuple(itertools.islice(flat, n)) for n in chunk.value_lengths().to_pylist()]
    return out


def write(
    path: Path,
    schema: pa.Schema,
    tables: Iterable[pa.Table],
    *,
    about: Callable[[], dict[str, Any]] | None = None,
    group: int | None = GROUP,
    publish: bool = False,
) -> None:
    """Write a parquet file beside and rename it.

    Rows are dealt into row groups of ``group`` rows, however the tables came, so that the same rows give the same bytes;
    with ``None`` every table is a row group. ``about`` is asked last and its answer kept in the file for :func:`stats`.
    """
    with beside(path) as tmp, pq.ParquetWriter(tmp, schema, **(_PUBLISHED if publish else _PASSING)) as writer:
        for table in tables if group is None else _deal(tables, group):
            writer.write_table(table.combine_chunks(), row_group_size=max(1, len(table)))
        if about is not None:
            writer.add_key_value_metadata({"stats": json.dumps(about(), ensure_ascii=False)})


def _deal(tables: Iterable[pa.Table], size: int) -> Iterator[pa.Table]:
    held: list[pa.Table] = []
    rows = 0
    for table in tables:
        held.append(table)
        rows += len(table)
        while rows >= size:
            joined = pa.concat_tables(held)
            yield joined.slice(0, size)
            held, rows = [joined.slice(size)], rows - size
    if rows:
        yield pa.concat_tables(held)


def read_tables(path: Path, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
    """The row groups of a file, one at a time."""
    with pq.ParquetFile(path) as file:
        for number in range(file.num_row_groups):
            yield file.read_row_group(number, columns=columns, use_threads=False)  # the workers are the threads


def read_group(path: Path, number: int, columns: Sequence[str] | None = None) -> pa.Table:
    """One row group of a file."""
    with pq.ParquetFile(path) as file:
        return file.read_row_group(number, columns=columns, use_threads=False)


class ShardPages(NamedTuple):
    """The pages of a shard: a file with all of them, and one with those that have changed since, each with its :data:`ROW`."""

    file: Path
    changed: Path | None = None

    @property
    def latest(self) -> Path:
        """The file whose :func:`stats` are those of the pages as they are now."""
        return self.changed or self.file

    def tables(self, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
        """The row groups, one at a time."""
        changed = self._read_changed(columns)
        first = 0
        for table in read_tables(self.file, columns):
            yield _with_changed(table, changed, first)
            first += len(table)

    def group(self, number: int, columns: Sequence[str] | None = None) -> pa.Table:
        """One row group."""
        return _with_changed(read_group(self.file, number, columns), self._read_changed(columns), number * GROUP)

    def _read_changed(self, columns: Sequence[str] | None) -> pa.Table | None:
        if self.changed is None:
            return None
        return pq.read_table(self.changed, columns=None if columns is None else [*columns, ROW.name], use_threads=False)


def _with_changed(table: pa.Table, changed: pa.Table | None, first: int) -> pa.Table:
    """The table, whose rows are those of a shard from ``first`` on, with the rows that have changed."""
    if changed is None:
        return table
    rows = changed[ROW.name].to_numpy() - first
    inside = (rows >= 0) & (rows < len(table))
    if not inside.any():
        return table
    order = np.arange(len(table))
    order[rows[inside]] = len(table) + np.arange(np.count_nonzero(inside))
    return pa.concat_tables([table, changed.drop_columns(ROW.name).filter(pa.array(inside))]).take(pa.array(order))


def settled(source: ShardPages, duplicates: Path, number: int, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
    """The pages of shard ``number`` with their last verdicts."""
    verdicts = read_group(duplicates, number)
    at = 0
    for table in source.tables(columns):
        for name in VERDICTS.names:
            table = table.set_column(table.schema.get_field_index(name), name, verdicts[name].slice(at, len(table)))
        at += len(table)
        yield table


def row_count(path: Path) -> int:
    """How many rows a file holds."""
    return int(pq.read_metadata(path).num_rows)


def stats(path: Path) -> dict[str, Any]:
    """What the writer of a file said about it."""
    told: dict[str, Any] = json.loads(pq.read_metadata(path).metadata[b"stats"])
    return told


@contextlib.contextmanager
def beside(path: Path) -> Iterator[Path]:
    """A path to write to; it takes the place of ``path`` when the block ends well, and goes away when it does not."""
    path.parent.mkdir(parents=True, exist_ok=True)
    tmp = path.with_name(f"{path.name}.{uuid.uuid4().hex}{_TMP}")  # not the process id: two machines may share one
    try:
        yield tmp
        os.replace(tmp, path)
    except BaseException:
        tmp.unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str) -> None:
    """Write a text file beside and rename it."""
    with beside(path) as tmp:
        tmp.write_text(text, "utf-8")


def sweep(folder: Path) -> None:
    """Remove what writers that were killed left behind."""
    for path in folder.rglob(f"*{_TMP}"):
        path.unlink(missing_ok=True)
