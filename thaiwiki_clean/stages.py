"""The stages of a build: plain functions from files to one file, over shards. :mod:`~thaiwiki_clean.build` says in which order.

A stage neither adds, drops nor reorders pages: a page that falls carries its verdict to the end and is dealt to ``dropped/`` there.
Every function here may run twice, on any machine that sees the folder, and writes the same bytes.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, get_type_hints

import pyarrow as pa
import pyarrow.compute as pc

from thaiwiki_clean.clean import clean_page
from thaiwiki_clean.page import Page
from thaiwiki_clean.repetition import Repetition, over_limits, repetition
from thaiwiki_clean.shards import EDITS, GROUP, PAGES, beside, read_group, read_tables, to_pages, to_table, with_columns, write
from thaiwiki_clean.words import words as segment

if TYPE_CHECKING:
    from thaiwiki_clean.instruct import Plan
    from thaiwiki_clean.readers import Shard

T = TypeVar("T")


class Slice(NamedTuple):
    """Rows ``[start, stop)`` of those of shard ``number`` that are asked for, such as its articles."""

    number: int
    start: int
    stop: int


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """``items`` in lists of ``size``, the last one shorter.

    >>> list(batches("กขคง", 3))
    [['ก', 'ข', 'ค'], ['ง']]
    """
    iterator = iter(items)
    while batch := list(itertools.islice(iterator, size)):
        yield batch


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


def clean_shard(shard: Shard, strict: bool, out: Path) -> None:
    """Read a shard and clean its pages."""
    from thaiwiki_clean.readers import read_shard

    rows = 0
    damage = _Damage()

    def tables() -> Iterator[pa.Table]:
        nonlocal rows
        for pages in batches(read_shard(shard, strict=strict), GROUP):
            rows += len(pages)
            damage.see(pages)
            yield to_table([page if page.dropped else clean_page(page) for page in pages])

    write(out, PAGES, tables(), about=lambda: {"rows": rows, **damage.about()})


_KINDS = {int: pa.int32(), float: pa.float32()}
_WITHOUT_WORDS = ("n_lines", "mass", "longest_loop", "dup_line_frac", "dup_line_chars", "compression")

#: Columns that :func:`measure_shard` adds to those of a page; null for a page that fell, and where they need words and there are none.
MEASURES = pa.schema([(name, _KINDS[kind]) for name, kind in get_type_hints(Repetition).items()])


def measure_shard(source: Path, words: str | None, out: Path) -> None:
    """Judge the pages of a shard, count their words, and measure how much they repeat."""
    tally = Tally()

    def tables() -> Iterator[pa.Table]:
        for table in read_tables(source):
            pages, measures = zip(*(_measured(_judged(page), words) for page in to_pages(table)), strict=True)
            tally.add(pages)
            yield with_columns(to_table(pages), {name: [m.get(name) for m in measures] for name in MEASURES.names}, MEASURES)

    write(out, pa.schema([*PAGES, *MEASURES]), tables(), about=tally.about)


def _measured(page: Page, words: str | None) -> tuple[Page, dict[str, float]]:
    """The page and its measures; the page falls when they say that it repeats itself."""
    if page.dropped:
        return page, {}
    tokens = segment(page.text, words) if words else ()
    found = repetition(page.text, tokens)
    measures = found._asdict() if words else {name: getattr(found, name) for name in _WITHOUT_WORDS}
    over = over_limits(found)
    return (dataclasses.replace(page, dropped="repetitive", detail=", ".join(over)) if over else page), measures


def _judged(page: Page) -> Page:
    from thaiwiki_clean.judge import judge
    from thaiwiki_clean.rules.redirects import redirect_target

    if page.dropped or not (verdict := judge(page)):
        return page
    return dataclasses.replace(page, dropped=verdict, detail=redirect_target(page.raw) or "" if verdict == "redirect" else "")


DUPLICATES = pa.schema([("dropped", pa.string()), ("cluster", pa.string())])


def find_duplicates(sources: Sequence[Path], dedup: bool, out: Path) -> None:
    """The last verdict on every page: what it had before, or that another page says the same. A row group is a shard."""
    kept: list[int] = []
    fallen: list[int] = []
    verdicts: Counter[str] = Counter()

    def tables() -> Iterator[pa.Table]:
        for source in sources:
            table = pa.concat_tables(read_tables(source, ["dropped", "cluster"]))
            verdicts.update(table["dropped"].drop_null().to_pylist())
            fallen.append(len(table) - table["dropped"].null_count)
            kept.append(table["dropped"].null_count)
            yield table

    write(out, DUPLICATES, tables(), about=lambda: {"kept": kept, "dropped": fallen, "verdicts": verdicts, "duplicates": {}}, group=None)


def settled(source: Path, duplicates: Path, number: int, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
    """The pages of shard ``number`` with their last verdicts."""
    verdicts = read_group(duplicates, number)
    at = 0
    for table in read_tables(source, columns):
        for name in DUPLICATES.names:
            table = table.set_column(table.schema.get_field_index(name), name, verdicts[name].slice(at, len(table)))
        at += len(table)
        yield table


ARTICLES = pa.schema(
    [PAGES.field(name) for name in ("id", "title", "source", "url", "text")]
    + [("n_chars", pa.int32()), ("n_chars_raw", pa.int32()), *MEASURES, ("cluster", pa.string()), ("edits", EDITS)]
)
DROPPED = pa.schema(
    [PAGES.field(name) for name in ("id", "title", "source", "url")]
    + [("reason", pa.string()), ("detail", pa.string()), ("text", pa.string())]
    + [("n_chars", pa.int32()), ("n_chars_raw", pa.int32()), ("cluster", pa.string()), ("edits", EDITS)]
)


def deal_articles(parts: Sequence[Slice], sources: Sequence[Path], duplicates: Path, out: Path) -> None:
    """One published file of articles; ``sources`` are the shards of ``parts``."""
    _deal_pages(parts, sources, duplicates, ARTICLES, pc.is_null, out)


def deal_dropped(parts: Sequence[Slice], sources: Sequence[Path], duplicates: Path, out: Path) -> None:
    """One published file of pages that fell."""
    _deal_pages(parts, sources, duplicates, DROPPED, pc.is_valid, out)


def _deal_pages(
    parts: Sequence[Slice], sources: Sequence[Path], duplicates: Path, schema: pa.Schema, wanted: Callable[[pa.Array], pa.Array], out: Path
) -> None:
    def tables() -> Iterator[pa.Table]:
        for part, source in zip(parts, sources, strict=True):
            rows = (table.filter(wanted(table["dropped"])) for table in settled(source, duplicates, part.number))
            yield from map(published, cut(rows, part.start, part.stop))

    def published(table: pa.Table) -> pa.Table:
        lengths = {"n_chars": pc.utf8_length(table["text"]), "n_chars_raw": pc.utf8_length(table["raw"]), "reason": table["dropped"]}
        return pa.table([lengths[name] if name in lengths else table[name] for name in schema.names], schema=schema)

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


def join_families(sources: Sequence[Path], duplicates: Path, seed: int, out: Path) -> None:
    """The side of every page family that has more than one title, as JSON; every other page draws its own."""
    from thaiwiki_clean.splits import split_families

    def pages() -> Iterator[Page]:
        for number, source in enumerate(sources):
            for table in settled(source, duplicates, number, ["id", "title", "source", "detail", "dropped", "cluster"]):
                for row in table.to_pylist():
                    # The text of a redirect is not read again for its target: measure_shard left that in ``detail``.
                    raw = f"redirect {row.pop('detail')}" if row["dropped"] == "redirect" else ""
                    yield Page(**row, url="", raw=raw)

    with beside(out) as tmp:
        tmp.write_text(json.dumps(dict(split_families(pages(), seed=seed).joined), ensure_ascii=False), "utf-8")


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
_ALL_SPLITS = pa.schema([*EXAMPLES, ("split", pa.string())])


def make_examples(source: Path, duplicates: Path, families: Path, number: int, asked: Mapping[str, Any], out: Path) -> None:
    """The instruction examples of a shard's articles, of all splits together."""
    from thaiwiki_clean.formats import Example, to_messages
    from thaiwiki_clean.instruct import page_examples

    plan = _plan(families, json.dumps(asked))
    counts = Counter(dict.fromkeys(SPLITS, 0))
    left_out: Counter[str] = Counter()

    def tables() -> Iterator[pa.Table]:
        for table in settled(source, duplicates, number):
            rows = []
            for page in to_pages(table.filter(pc.is_null(table["dropped"]))):
                for made in page_examples(page, plan):
                    if isinstance(made, Example):
                        counts[made.split] += 1
                        rows.append(to_messages(made))
                    else:
                        left_out[made.reason] += 1
            yield pa.Table.from_pylist(rows, _ALL_SPLITS)

    write(out, _ALL_SPLITS, tables(), about=lambda: {"splits": counts, "left_out": left_out})


@functools.lru_cache(maxsize=1)  # a worker makes the examples of many shards of one build
def _plan(families: Path, asked: str) -> Plan:
    from thaiwiki_clean.contamination import read_evaluation
    from thaiwiki_clean.instruct import Plan
    from thaiwiki_clean.splits import Splits

    told = json.loads(asked)
    seed, evaluation = told["seed"], told.pop("evaluation")
    splits = Splits(seed=seed, joined=json.loads(families.read_text("utf-8")))
    return Plan(**{**told, "kinds": tuple(told["kinds"])}, splits=splits, evaluation=read_evaluation(evaluation) if evaluation else None)


class _Damage:
    """The first pages that could not be read, and how many there are."""

    def __init__(self) -> None:
        self.pages = 0
        self.first: list[dict[str, str]] = []

    def see(self, pages: Iterable[Page]) -> None:
        for page in pages:
            if page.dropped:
                self.pages += 1
                if len(self.first) < 20:
                    self.first.append({"id": page.id, "detail": page.detail})

    def about(self) -> dict[str, Any]:
        return {"damaged": self.pages, "damage": self.first}


class Tally:
    """What was taken out of the pages seen so far, by reason."""

    def __init__(self) -> None:
        self.edits: Counter[str] = Counter()
        self.pages: Counter[str] = Counter()
        self.characters: Counter[str] = Counter()
        self.wikis: Counter[str] = Counter()
        self.raw = self.text = 0

    def add(self, pages: Iterable[Page]) -> None:
        """See some more pages."""
        for page in pages:
            self.wikis[page.source] += 1
            self.raw += len(page.raw)
            self.text += len(page.text)
            for edit in page.edits:
                self.edits[edit.reason] += 1
                self.characters[edit.reason] += edit.end - edit.start - len(edit.new)
            self.pages.update({edit.reason for edit in page.edits})

    def about(self) -> dict[str, Any]:
        """All counts, as they are kept in a file."""
        return {
            "edits": self.edits,
            "pages": self.pages,
            "removed": self.characters,
            "wikis": self.wikis,
            "raw": self.raw,
            "text": self.text,
        }
