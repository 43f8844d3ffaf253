"""The published files: which columns they have, and which rows of which shard go into each.

Rows stand in the order of the source and files hold a fixed number of them, so that nobody can tell how many workers wrote them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from thaiwiki_clean.pipeline.shards import (
    EDITS,
    GROUP,
    MEASURES,
    N_CHARS_RAW,
    PAGES,
    VERDICTS,
    ShardPages,
    read_group,
    read_tables,
    settled,
    write,
)


class Slice(NamedTuple):
    """Rows ``[start, stop)`` of those of shard ``number`` that are asked for, such as its articles."""

    number: int
    start: int
    stop: int


def slices(counts: Sequence[int], size: int) -> list[list[Slice]]:
    """How files of ``size`` rows are put together from shards that hold ``counts`` rows. No rows, no file.

    >>> slices([3, 0, 2], size=4)
    [[Slice(number=0, start=0, stop=3), Slice(number=2, start=0, stop=1)], [Slice(number=2, start=1, stop=2)]]
    """
    out: list[list[Slice]] = []
    room = 0
    for number, count in enumerate(counts):
        at = 0
        while at < count:
            if not room:
                out.append([])
                room = size
            step = min(room, count - at)
            out[-1].append(Slice(number, at, at + step))
            at += step
            room -= step
    return out


ARTICLES = pa.schema(
    [PAGES.field(name) for name in ("id", "title", "source", "url", "text")]
    + [("n_chars", pa.int32()), N_CHARS_RAW, *MEASURES, ("cluster", pa.string()), ("edits", EDITS)]
)
DROPPED = pa.schema(
    [PAGES.field(name) for name in ("id", "title", "source", "url")]
    + [("reason", pa.string()), ("detail", pa.string()), ("text", pa.string())]
    + [("n_chars", pa.int32()), N_CHARS_RAW, ("cluster", pa.string()), ("edits", EDITS)]
)


def deal_articles(parts: Sequence[Slice], sources: Sequence[ShardPages], duplicates: Path, out: Path) -> None:
    """One published file of articles; ``sources`` are the shards of ``parts``."""
    _deal_pages(parts, sources, duplicates, ARTICLES, pc.is_null, out)


def deal_dropped(parts: Sequence[Slice], sources: Sequence[ShardPages], duplicates: Path, out: Path) -> None:
    """One published file of pages that fell."""
    _deal_pages(parts, sources, duplicates, DROPPED, pc.is_valid, out)


def _deal_pages(
    parts: Sequence[Slice],
    sources: Sequence[ShardPages],
    duplicates: Path,
    schema: pa.Schema,
    wanted: Callable[[pa.Array], pa.Array],
    out: Path,
) -> None:
    columns = ["dropped", *(name for name in schema.names if name not in ("n_chars", "reason"))]

    def tables() -> Iterator[pa.Table]:
        for part, source in zip(parts, sources, strict=True):
            rows = (table.filter(wanted(table["dropped"])) for table in settled(source, duplicates, part.number, columns))
            yield from map(published, cut(rows, part.start, part.stop))

    def published(table: pa.Table) -> pa.Table:
        told = {"n_chars": pc.utf8_length(table["text"]), "reason": table["dropped"]}
        return pa.table([told[name] if name in told else table[name] for name in schema.names], schema=schema)

    write(out, schema, tables(), publish=True)


def deal_examples(parts: Sequence[Slice], sources: Sequence[Path], split: str, out: Path) -> None:
    """One published file of instruction examples."""

    def tables() -> Iterator[pa.Table]:
        for part, source in zip(parts, sources, strict=True):
            rows = (table.filter(pc.equal(table["split"], split)).select(EXAMPLES.names) for table in read_tables(source))
            yield from cut(rows, part.start, part.stop)

    write(out, EXAMPLES, tables(), publish=True)


def cut(tables: Iterable[pa.Table], start: int, stop: int) -> Iterator[pa.Table]:
    """Rows ``[start, stop)`` of the rows of ``tables``."""
    at = 0
    for table in tables:
        if at >= stop:
            return
        if piece := table.slice(max(0, start - at), max(0, min(stop - at, len(table)) - max(0, start - at))):
            yield piece
        at += len(table)


SPLITS = ("train", "validation", "test")
EXAMPLES = pa.schema(
    [
        ("id", pa.string()),
        ("messages", pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))),
        ("title", pa.string()),
        ("section", pa.list_(pa.string())),
        ("kind", pa.string()),
        ("template", pa.string()),
        ("n_words", pa.int32()),
        ("n_tokens", pa.int32()),
        ("shortened", pa.bool_()),
        ("url", pa.string()),
        ("page_id", pa.string()),
        ("source", pa.string()),
    ]
)


def write_samples(rows: Sequence[tuple[str, int, int]], sources: Sequence[ShardPages], duplicates: Path, out: Path) -> None:
    """Pages to show, with their raw text, as ``(reason, shard, row)``: for every reason and verdict a few, and some by chance.

    The raw text of all pages is not published; whoever has the source has it.
    """

    found: dict[tuple[int, int], pa.Table] = {}
    for number, source, group in sorted({(number, source, row // GROUP) for (_, number, row), source in zip(rows, sources, strict=True)}):
        pages, verdicts = source.group(group, PAGES.names), read_group(duplicates, number)
        for row in {row for _, n, row in rows if n == number and row // GROUP == group}:
            page = pages.take(pa.array([row % GROUP]))  # a slice would hold the whole row group
            for name in VERDICTS.names:
                page = page.set_column(page.schema.get_field_index(name), name, verdicts[name].slice(row, 1))
            found[number, row] = page

    def tables() -> Iterator[pa.Table]:
        for reason, number, row in rows:
            yield found[number, row].append_column(SAMPLES.field("shows"), pa.array([reason]))

    write(out, SAMPLES, tables(), publish=True)


SAMPLES = pa.schema([*PAGES, ("shows", pa.string())])


#: What pages show that were drawn by chance.
BY_CHANCE = "by chance"


def draw(told: Sequence[Sequence[tuple[int, int]]], most: int) -> list[tuple[str, int, int]]:
    """The ``most`` pages with the least numbers, from what every shard has to offer.

    >>> draw([[(30, 0), (90, 5)], [(10, 2)]], most=2)
    [('by chance', 1, 2), ('by chance', 0, 0)]
    """
    offers = sorted((chance, number, row) for number, shard in enumerate(told) for chance, row in shard)
    return [(BY_CHANCE, number, row) for _, number, row in offers[:most]]


def to_show(told: Sequence[Mapping[str, Sequence[tuple[bool, int]]]], most: int = 3) -> list[tuple[str, int, int]]:
    """The pages to show, from what every shard has to offer: those that fit a screen first, else in the order of the source.

    >>> to_show([{"url": [(True, 4)]}, {"url": [(False, 7)], "stub": [(False, 1)]}], most=1)
    [('stub', 1, 1), ('url', 1, 7)]
    """
    offers: dict[str, list[tuple[bool, int, int]]] = {}
    for number, shard in enumerate(told):
        for reason, ranks in shard.items():
            offers.setdefault(reason, []).extend((unfit, number, row) for unfit, row in ranks)
    return [(reason, number, row) for reason in sorted(offers) for _, number, row in sorted(offers[reason])[:most]]
