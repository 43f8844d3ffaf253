"""The whole flow, as it stands: which stages there are, in which order, and which file comes from which.

Read it aloud at :func:`flow`. Every stage is a list of tasks, one file each, in ``OUT/.work``; a file that is there is whole
(:mod:`~thaiwiki_clean.pipeline.shards`), so a run that was killed goes on with the files that are missing, and nobody keeps books.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from thaiwiki_clean.card import card
from thaiwiki_clean.pipeline import published, stages
from thaiwiki_clean.pipeline.manifest import NAME, gather
from thaiwiki_clean.pipeline.progress import Meter, Planned
from thaiwiki_clean.pipeline.shards import ShardPages, stats, write_text
from thaiwiki_clean.pipeline.tally import DRAWN
from thaiwiki_clean.report import write_report

if TYPE_CHECKING:
    from thaiwiki_clean.readers import Source

__all__ = ["FILE_ROWS", "flow"]

#: Rows of a published file: 20,000 of v3's pages are some 128 MB of text, 30 MB packed.
FILE_ROWS = 20_000


def flow(source: Source, work: Path, identity: dict[str, Any], command: str, evaluation: Sequence[str | Path], meter: Meter) -> None:
    """Every stage in order; the result stands in ``work/whole``."""
    settings = identity["configuration"]
    numbers = range(len(source.shards))
    across = settings["dedup"]  # whether pages are compared with each other

    def each(name: str) -> list[Path]:
        return [work / name / f"{n:05}.parquet" for n in numbers]

    pages, lines, signed = each("1-pages"), each("1-lines"), each("1-signatures")
    recurring, duplicates, families = work / "2-recurring.json", work / "4-duplicates.parquet", work / "5-families.json"
    examples = each("6-examples")
    staged = work / "out"
    asked = {name: settings[name] for name in ("kinds", "tokenizer", "max_tokens", "seed")}
    asked["evaluation"] = [str(Path(path).resolve()) for path in evaluation]
    words = settings["words"]

    def read(n: int) -> Planned:
        beside = (lines[n], signed[n]) if across else (None, None)
        return pages[n], stages.read_shard, (source.shards[n], n, settings["strict"], words, *beside)

    meter.run("cleaning and words", [read(n) for n in numbers])
    measured = [ShardPages(path) for path in pages]
    if across:
        meter.run("recurring lines", [(recurring, stages.find_recurring, (lines,))])
        changed, signed_again = each("3-pages"), each("3-signatures")
        some = stages.shards_with(recurring, lines)
        meter.run(
            "taking them out", [(changed[n], stages.take_out, (pages[n], n, words, recurring, signed[n], signed_again[n])) for n in some]
        )
        for n in some:
            measured[n], signed[n] = ShardPages(pages[n], changed[n]), signed_again[n]
    meter.run("duplicates", [(duplicates, stages.find_duplicates, (measured, signed if across else []))])
    meter.run("families", [(families, stages.join_families, (measured, duplicates, settings["seed"]))])
    meter.run("examples", [(examples[n], stages.make_examples, (measured[n], duplicates, families, n, asked)) for n in numbers])

    told = stats(duplicates)
    files: list[Planned] = []
    for name, kind, deal in (("articles", "kept", published.deal_articles), ("dropped", "dropped", published.deal_dropped)):
        for path, parts in _files(staged / name, name, told[kind]):
            files.append((path, deal, (parts, [measured[part.number] for part in parts], duplicates)))
    counts = [stats(path)["splits"] for path in examples]
    for split in published.SPLITS:
        for path, parts in _files(staged / "data", split, [count[split] for count in counts]):
            files.append((path, published.deal_examples, (parts, [examples[part.number] for part in parts], split)))
    tallies = [stats(shard.latest) for shard in measured]
    shown = published.to_show([tally["show"] | more for tally, more in zip(tallies, told["show"], strict=True)])
    shown += published.draw([tally["drawn"] for tally in tallies], DRAWN)
    samples = staged / "samples.parquet"
    files.append((samples, published.write_samples, (shown, [measured[number] for _, number, _ in shown], duplicates)))
    meter.run("writing", files)

    manifest = gather(
        {"identity": identity, "source": {**identity["source"], "name": source.name}, "command": command},
        read=pages,
        measured=[shard.latest for shard in measured],
        duplicates=duplicates,
        examples=examples,
        files={path.relative_to(staged).as_posix(): path for path, _, _ in files},
    )
    write_text(staged / NAME, manifest.to_json())
    write_text(staged / "README.md", card(staged, manifest))
    write_report(staged)
    staged.rename(work / "whole")


def _files(folder: Path, name: str, counts: Sequence[int]) -> list[tuple[Path, list[published.Slice]]]:
    """The published files ``name-00000-of-0000N.parquet`` and the rows that go into each; none when there are no rows.

    ``datasets`` cannot load a split without rows: a file that says so would make the whole folder unreadable.
    """
    parts = published.slices(counts, FILE_ROWS)
    return [(folder / f"{name}-{n:05}-of-{len(parts):05}.parquet", part) for n, part in enumerate(parts)]
