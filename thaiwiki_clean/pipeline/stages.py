"""The stages of a build: plain functions from files to one file, over shards. :mod:`~thaiwiki_clean.pipeline.flow` says in which order.

A stage neither adds, drops nor reorders pages: a page that falls carries its verdict to the end and is dealt to ``dropped/`` there.
Every function here may run twice, on any machine that sees the folder, and writes the same bytes.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from thaiwiki_clean import dedup, recurring
from thaiwiki_clean.clean import clean_page
from thaiwiki_clean.edits import Edit, apply, compose
from thaiwiki_clean.page import Page
from thaiwiki_clean.pipeline.published import EXAMPLES, SPLITS
from thaiwiki_clean.pipeline.shards import (
    GROUP,
    MEASURES,
    N_CHARS_RAW,
    PAGES,
    ROW,
    VERDICTS,
    WORD_ENDS,
    ShardPages,
    pack_ends,
    read_group,
    read_tables,
    settled,
    stats,
    to_pages,
    to_table,
    unpack_ends,
    write,
    write_text,
)
from thaiwiki_clean.pipeline.tally import Damage, Tally
from thaiwiki_clean.recurring import recurring_edits
from thaiwiki_clean.repetition import over_limits, repetition
from thaiwiki_clean.words import word_arrays
from thaiwiki_clean.words import words as segment

if TYPE_CHECKING:
    from thaiwiki_clean.instruct import Plan
    from thaiwiki_clean.readers import Shard

T = TypeVar("T")


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """``items`` in lists of ``size``, the last one shorter.

    >>> list(batches("กขคง", 3))
    [['ก', 'ข', 'ค'], ['ง']]
    """
    iterator = iter(items)
    while batch := list(itertools.islice(iterator, size)):
        yield batch


def read_shard(shard: Shard, number: int, strict: bool, words: str | None, lines: Path | None, signatures: Path | None, out: Path) -> None:
    """Read a shard, clean its pages and judge them, count their words, measure repetition; count lines, and sign what stands.

    What stands before a damage is kept; with ``strict`` the damage raises.
    """
    from thaiwiki_clean.readers import read_shard as read

    damage, tally = Damage(), Tally()
    texts: list[str] = []
    standing: list[tuple[str, str]] = []
    broken_off: list[str] = []

    def tables() -> Iterator[pa.Table]:
        pages = read(shard, strict=strict)
        for came in batches(pages if strict else _before_damage(pages, broken_off), GROUP):
            first = damage.rows
            damage.add(came)
            cleaned = [page if page.dropped else clean_page(page) for page in came]
            texts.extend(page.text for page in cleaned)
            judged, table = _measured(cleaned, words)
            tally.add(judged, first)
            standing.extend((_name(page.id, number, row), page.text) for row, page in enumerate(judged, first) if not page.dropped)
            yield table
        if lines and signatures:  # before the pages: where these are, all three are
            for path, made in ((lines, recurring.line_counts(texts)), (signatures, dedup.signatures(standing))):
                write(path, made.schema, [made])

    write(out, _MEASURED, tables(), about=lambda: damage.about() | {"broken_off": broken_off} | tally.about())


def _before_damage(pages: Iterable[Page], found: list[str]) -> Iterator[Page]:
    """The pages up to where the file is damaged; what is wrong there goes to ``found``."""
    from thaiwiki_clean.readers.records import BrokenOffError

    try:
        yield from pages
    except BrokenOffError as error:
        found.append(str(error))


def find_recurring(lines: Sequence[Path], out: Path) -> None:
    """The lines that recur across pages, as hashes."""
    counts = recurring.merge_counts(table for path in lines for table in read_tables(path))
    write_text(out, json.dumps(sorted(recurring.recurring(counts))))


def shards_with(recurring: Path, lines: Sequence[Path]) -> list[int]:
    """The numbers of the shards that hold a line that recurs."""
    hashes = pa.array(json.loads(recurring.read_text("utf-8")), pa.uint64())
    if not len(hashes):
        return []
    return [n for n, path in enumerate(lines) if any(pc.any(pc.is_in(table["line"], hashes)).as_py() for table in read_tables(path))]


def take_out(source: Path, number: int, words: str | None, recurring: Path, signed: Path, signatures: Path, out: Path) -> None:
    """The pages of a shard that held a line that recurs across pages, without it, judged and measured again; and all signatures."""
    hashes = frozenset(json.loads(recurring.read_text("utf-8")))
    tally = Tally(stats(source))
    again: dict[str, Page] = {}

    def tables() -> Iterator[pa.Table]:
        first = 0
        for group, texts in enumerate(read_tables(source, ["text"])):
            found = {row: edits for row, text in enumerate(texts["text"].to_pylist()) if (edits := recurring_edits(text, hashes))}
            if found:
                had = to_pages(read_group(source, group, PAGES.names).take(pa.array(found)))
                pages, table = _measured(map(_without, had, found.values()), words)
                yield table.append_column(ROW, pa.array([first + row for row in found], ROW.type))
                for row, before, now in zip(found, had, pages, strict=True):
                    tally.replace(first + row, before, now)
                    again[_name(now.id, number, first + row)] = now
            first += len(texts)
        before = pa.concat_tables([dedup.signatures(()), *read_tables(signed)])
        kept = before.filter(pc.invert(pc.is_in(before["id"], pa.array(again, pa.string()))))
        made = dedup.signatures((name, page.text) for name, page in again.items() if not page.dropped)
        write(signatures, made.schema, [pa.concat_tables([kept, made])])

    write(out, _MEASURED.append(ROW), tables(), about=tally.about)


def _without(page: Page, edits: Sequence[Edit]) -> Page:
    """The page after some more edits, before any verdict."""
    return dataclasses.replace(page, text=apply(page.text, edits), edits=tuple(compose(page.edits, edits)), dropped=None, detail="")


_MEASURED = pa.schema([*PAGES, *MEASURES, N_CHARS_RAW, WORD_ENDS])
_WITHOUT_WORDS = ("n_lines", "mass", "longest_loop", "dup_line_frac", "dup_line_chars", "compression")


def _measured(cleaned: Iterable[Page], words: str | None) -> tuple[list[Page], pa.Table]:
    """The pages with verdicts, and with their measures as a table."""
    judged = map(_judged, cleaned)
    found = [measured for some in _portions(judged) for measured in _measured_together(some, words)]
    pages = [page for page, _, _ in found]
    columns: dict[str, Sequence[Any]] = {name: [measures.get(name) for _, measures, _ in found] for name in MEASURES.names}
    columns |= {N_CHARS_RAW.name: [len(page.raw) for page in pages], WORD_ENDS.name: [ends for _, _, ends in found]}
    return pages, to_table(pages, columns, _MEASURED)


def _name(page_id: str, number: int, row: int) -> str:
    """A page's id with its place behind it, for ids of a source may come twice. Sorts as the id does, by length and letters.

    >>> _name("42", 3, 7)
    '42\\t0000000300000007'
    """
    return f"{page_id}\t{number:08}{row:08}"


def _place(name: str) -> tuple[int, int]:
    """Number of the shard and of the row in it, from what :func:`_name` made."""
    return int(name[-16:-8]), int(name[-8:])


# So many characters are segmented before any of them is measured: the dictionary stays in the processor's cache, which saves a
# seventh of the time of both. They are some 200 of v3's pages, and their tokens 15 MB; a third of them saves three per cent less.
_TOGETHER = 500_000

_Measured = tuple[Page, dict[str, float], bytes | None]


def _portions(pages: Iterable[Page]) -> Iterator[list[Page]]:
    """``pages`` in lists that end with the page whose text brings them to :data:`_TOGETHER` characters."""
    portion: list[Page] = []
    room = _TOGETHER
    for page in pages:
        portion.append(page)
        room -= len(page.text)
        if room <= 0:
            yield portion
            portion, room = [], _TOGETHER
    if portion:
        yield portion


def _measured_together(pages: Sequence[Page], words: str | None) -> list[_Measured]:
    """Each page, its measures, and where its words end; a page falls when the measures say that it repeats itself."""
    tokens = [segment(page.text, words) if words and not page.dropped else () for page in pages]
    return [_measured_page(page, of_page, words) for page, of_page in zip(pages, tokens, strict=True)]


def _measured_page(page: Page, tokens: Sequence[str], words: str | None) -> _Measured:
    if page.dropped:
        return page, {}, None
    found = word_arrays(tokens)
    measured = repetition(page.text, tokens, found)
    measures = measured._asdict() if words else {name: getattr(measured, name) for name in _WITHOUT_WORDS}
    over = over_limits(measured)
    if over:
        return dataclasses.replace(page, dropped="repetitive", detail=", ".join(over)), measures, None
    return page, measures, pack_ends(found.ends) if words else None


def _judged(page: Page) -> Page:
    from thaiwiki_clean.judge import judge
    from thaiwiki_clean.rules.redirects import redirect_target

    if page.dropped or not (verdict := judge(page)):
        return page
    return dataclasses.replace(page, dropped=verdict, detail=redirect_target(page.raw) or "" if verdict == "redirect" else "")


def find_duplicates(sources: Sequence[ShardPages], signatures: Sequence[Path], out: Path) -> None:
    """The last verdict on every page: what it had before, or that another page says the same. A row group is a shard."""
    signed = [table for path in signatures for table in read_tables(path)]
    members = dedup.clusters(signed, functools.partial(_texts, sources)) if signed else {}
    kept: list[int] = []
    fallen: list[int] = []
    show: list[dict[str, list[tuple[bool, int]]]] = []
    verdicts: Counter[str] = Counter()

    def tables() -> Iterator[pa.Table]:
        for number, source in enumerate(sources):
            rows = [row for table in source.tables(["id", "dropped"]) for row in table.to_pylist()]
            found = [members.get(_name(row["id"], number, at), _ALONE) for at, row in enumerate(rows)]
            dropped = [row["dropped"] or member.verdict for row, member in zip(rows, found, strict=True)]
            verdicts.update(verdict for verdict in dropped if verdict)
            fallen.append(sum(verdict is not None for verdict in dropped))
            kept.append(len(dropped) - fallen[-1])
            show.append(
                {name: [(False, at) for at, m in enumerate(found) if m.verdict == name][:2] for name in ("duplicate", "near_duplicate")}
            )
            yield pa.table({"dropped": dropped, "cluster": [member.cluster.rpartition("\t")[0] for member in found]}, VERDICTS)

    def about() -> dict[str, Any]:
        duplicates = {"clusters": len({member.cluster for member in members.values()}), "pages": len(members)}
        return {"kept": kept, "dropped": fallen, "verdicts": verdicts, "duplicates": duplicates, "show": show}

    write(out, VERDICTS, tables(), about=about, group=None)


_ALONE = dedup.Member("", None)


def _texts(sources: Sequence[ShardPages], names: Sequence[str]) -> dict[str, str]:
    """The texts of some pages, for :func:`thaiwiki_clean.dedup.clusters`; every row group is read once."""
    wanted: dict[tuple[int, int], list[tuple[int, str]]] = {}
    for name in names:
        number, row = _place(name)
        wanted.setdefault((number, row // GROUP), []).append((row % GROUP, name))
    out: dict[str, str] = {}
    for (number, group), rows in sorted(wanted.items()):
        texts = sources[number].group(group, ["text"])["text"]
        out |= {name: texts[row].as_py() for row, name in rows}
    return out


def join_families(sources: Sequence[ShardPages], duplicates: Path, seed: int, out: Path) -> None:
    """The side of every page family that has more than one title, as JSON; every other page draws its own."""
    from thaiwiki_clean.instruct.splits import split_families

    def pages() -> Iterator[Page]:
        for number, source in enumerate(sources):
            for table in settled(source, duplicates, number, ["id", "title", "source", "detail", "dropped", "cluster"]):
                for row in table.to_pylist():
                    # The text of a redirect is not read again for its target: read_shard left that in ``detail``.
                    raw = f"redirect {row.pop('detail')}" if row["dropped"] == "redirect" else ""
                    yield Page(**row, url="", raw=raw)

    write_text(out, json.dumps(dict(split_families(pages(), seed=seed).joined), ensure_ascii=False))


_ALL_SPLITS = pa.schema([*EXAMPLES, ("split", pa.string())])


def make_examples(source: ShardPages, duplicates: Path, families: Path, number: int, asked: Mapping[str, Any], out: Path) -> None:
    """The instruction examples of a shard's articles, of all splits together."""
    from thaiwiki_clean.instruct import page_examples
    from thaiwiki_clean.instruct.formats import Example, to_messages

    plan = _plan(families.read_text("utf-8"), json.dumps(asked))
    counts = Counter(dict.fromkeys(SPLITS, 0))
    left_out: Counter[str] = Counter()

    # Without sections the text is enough: where a header stood in the raw page, only its edits know.
    unread = () if set(plan.kinds) - {"definition", "varied"} else ("raw", "edits")
    columns = [name for name in (*PAGES.names, WORD_ENDS.name) if name not in unread]

    def tables() -> Iterator[pa.Table]:
        for table in settled(source, duplicates, number, columns):
            rows = []
            table = table.filter(pc.is_null(table["dropped"]))
            for page, packed in zip(to_pages(table), table[WORD_ENDS.name].to_pylist(), strict=True):
                for made in page_examples(page, plan, None if packed is None else unpack_ends(packed)):
                    if isinstance(made, Example):
                        counts[made.split] += 1
                        rows.append(to_messages(made))
                    else:
                        left_out[made.reason] += 1
            yield pa.Table.from_pylist(rows, _ALL_SPLITS)

    write(out, _ALL_SPLITS, tables(), about=lambda: {"splits": counts, "left_out": left_out})


@functools.lru_cache(maxsize=1)  # a worker makes the examples of many shards of one build
def _plan(families: str, asked: str) -> Plan:
    from thaiwiki_clean.instruct import Plan
    from thaiwiki_clean.instruct.contamination import read_evaluation
    from thaiwiki_clean.instruct.splits import Splits

    told = json.loads(asked)
    seed, evaluation = told["seed"], told.pop("evaluation")
    splits = Splits(seed=seed, joined=json.loads(families))
    return Plan(**{**told, "kinds": tuple(told["kinds"])}, splits=splits, evaluation=read_evaluation(evaluation) if evaluation else None)
