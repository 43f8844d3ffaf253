"""The whole flow: a source in, a folder out that ``datasets.load_dataset`` reads, with a reason for everything that is gone.

Read it aloud at :func:`_flow`. Every stage is a list of tasks, one file each, in ``OUT/.work``; a file that is there is whole
(:mod:`~thaiwiki_clean.shards`), so a run that was killed goes on with the files that are missing, and nobody keeps books.
"""

from __future__ import annotations

import dataclasses
import hashlib
import platform
import shlex
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from thaiwiki_clean import published, stages
from thaiwiki_clean._version import __version__
from thaiwiki_clean.budget import CHARACTERS
from thaiwiki_clean.card import card
from thaiwiki_clean.clean import RULES_VERSION
from thaiwiki_clean.engines import EngineError, open_engine
from thaiwiki_clean.folder import BuildError, claim, finished, publish
from thaiwiki_clean.manifest import NAME, Manifest, gather
from thaiwiki_clean.progress import Meter, Planned, Progress, progress_bar
from thaiwiki_clean.report import write_report
from thaiwiki_clean.shards import stats, write_text
from thaiwiki_clean.tally import DRAWN

if TYPE_CHECKING:
    from thaiwiki_clean.readers import Columns, Source

__all__ = ["BuildError", "Progress", "build", "progress_bar"]

#: Rows of a published file: 20,000 of v3's pages are some 128 MB of text, 30 MB packed.
FILE_ROWS = 20_000


def build(
    source: str,
    out: str | Path,
    *,
    columns: Columns | None = None,
    split: str | None = None,
    revision: str | None = None,
    strict: bool = False,
    workers: int | None = None,
    engine: str = "process",
    scheduler: str | None = None,
    words: bool | str | None = True,
    dedup: bool = True,
    kinds: Sequence[str] = ("definition",),
    tokenizer: str | None = None,
    max_tokens: int | None = None,
    evaluation: Sequence[str | Path] = (),
    seed: int = 0,
    progress: Progress | None = None,
) -> Manifest:
    """Build a data set from ``source`` in the folder ``out``, and give back its manifest.

    ``source`` is a Hub id, a parquet, jsonl or csv file, a folder or glob of them, or a MediaWiki dump.
    ``words`` is the engine of :func:`thaiwiki_clean.words`: True for the default, None to count no words.
    ``workers``, ``engine`` and ``scheduler`` say who does the work (:func:`thaiwiki_clean.engines.open_engine`);
    the bytes that come out do not depend on them.

    A run that was killed goes on where it stopped when it is called again. A folder that is finished is left as it is.
    Raises BuildError when ``out`` holds something else: another configuration, source or version, or files of somebody's own;
    SourceError when the source cannot be read, and with ``strict`` at the first bad row.
    """
    from thaiwiki_clean.readers import Columns, open_source

    columns = Columns() if columns is None else columns
    engine_of_words = _words_engine(words)
    opened = open_source(source, columns=columns, split=split, revision=revision)
    configuration = {
        "columns": dataclasses.asdict(columns),
        "split": split,
        "revision": revision,
        "strict": strict,
        "words": engine_of_words,
        "dedup": dedup,
        "kinds": list(kinds),
        **_budget(tokenizer, max_tokens, engine_of_words),
        "evaluation": {Path(path).name: _sha256(Path(path)) for path in evaluation},
        "seed": seed,
    }
    identity = _identity(opened, configuration)
    folder = Path(out)
    if (done := finished(folder, identity)) is not None:
        return done
    command = _command(opened.name, configuration)
    try:
        with claim(folder, identity) as work, open_engine(engine, workers=workers, scheduler=scheduler) as run:
            if (done := finished(folder, identity)) is not None:  # by another build, between the question above and the claim
                return done
            if not (work / "whole").exists():
                _flow(opened, work, identity, command, evaluation, Meter(run, progress))
            publish(work, folder)
    except EngineError as error:
        raise BuildError(str(error)) from None
    except OSError as error:
        raise BuildError(f"{folder}: {error}; when that is mended run the same command again, it goes on where it stopped") from error
    return Manifest.read(folder)


def _flow(source: Source, work: Path, identity: dict[str, Any], command: str, evaluation: Sequence[str | Path], meter: Meter) -> None:
    """Every stage in order; the result stands in ``work/whole``."""
    settings = identity["configuration"]
    numbers = range(len(source.shards))
    across = settings["dedup"]  # whether pages are compared with each other

    def each(name: str) -> list[Path]:
        return [work / name / f"{n:05}.parquet" for n in numbers]

    lines, recurring = (each("1-lines"), work / "2-recurring.json") if across else ([], None)
    signed = each("3-signatures") if across else []
    cleaned, measured, examples = each("1-clean"), each("3-measure"), each("6-examples")
    duplicates, families = work / "4-duplicates.parquet", work / "5-families.json"
    staged = work / "out"
    asked = {name: settings[name] for name in ("kinds", "tokenizer", "max_tokens", "seed")}
    asked["evaluation"] = [str(Path(path).resolve()) for path in evaluation]

    meter.run(
        "reading and cleaning",
        [(cleaned[n], stages.clean_shard, (source.shards[n], settings["strict"], lines[n] if across else None)) for n in numbers],
    )
    if recurring:
        meter.run("recurring lines", [(recurring, stages.find_recurring, (lines,))])
    meter.run(
        "words and verdicts",
        [
            (measured[n], stages.measure_shard, (cleaned[n], n, settings["words"], recurring, signed[n] if across else None))
            for n in numbers
        ],
    )
    meter.run("duplicates", [(duplicates, stages.find_duplicates, (measured, signed))])
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
    tallies = [stats(path) for path in measured]
    shown = published.to_show([tally["show"] | more for tally, more in zip(tallies, told["show"], strict=True)])
    shown += published.draw([tally["drawn"] for tally in tallies], DRAWN)
    samples = staged / "samples.parquet"
    files.append((samples, published.write_samples, (shown, [measured[number] for _, number, _ in shown], duplicates)))
    meter.run("writing", files)

    manifest = gather(
        {"identity": identity, "source": {**identity["source"], "name": source.name}, "command": command},
        cleaned=cleaned,
        measured=measured,
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


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _words_engine(words: bool | str | None) -> str | None:
    """The name of the word engine that ``words`` asks for."""
    if not words:
        return None
    from thaiwiki_clean.words import ENGINES

    name = ENGINES[0] if words is True else words
    if name not in ENGINES:
        raise ValueError(f"no word engine {name!r}; there are {' and '.join(ENGINES)}")
    return name


# Without word segmentation a budget is counted in characters; Thai has some four to a word (facts of the sample in the docs).
_BUDGET = 1024
_CHARACTERS_PER_WORD = 4


def _budget(tokenizer: str | None, max_tokens: int | None, words: str | None) -> dict[str, Any]:
    """How long an example may be, and in what that is counted."""
    if tokenizer is None and words is None:
        return {"tokenizer": CHARACTERS, "max_tokens": max_tokens or _BUDGET * _CHARACTERS_PER_WORD}
    return {"tokenizer": tokenizer, "max_tokens": max_tokens or _BUDGET}


def _identity(source: Source, configuration: dict[str, Any]) -> dict[str, Any]:
    """What decides the bytes: builds that agree in this are the same build."""
    from thaiwiki_clean.words import engine_version

    words = configuration["words"]
    return {
        "versions": {
            "thaiwiki_clean": __version__,
            "rules": RULES_VERSION,
            "python": ".".join(platform.python_version_tuple()[:2]),
            "pyarrow": version("pyarrow"),
            "regex": version("regex"),
            "words": engine_version(words) if words else None,
        },
        "configuration": configuration,
        "source": {"kind": source.kind, "fingerprint": source.fingerprint},
    }


def _command(source: str, configuration: Mapping[str, Any]) -> str:
    """What to type to build the same again.

    >>> _command("pages.jsonl", {"columns": {"text": "body"}, "strict": True, "dedup": False, "words": None, "seed": 0})
    'thaiwiki-clean build pages.jsonl OUT --text-column body --strict --words none --no-dedup'
    """
    said = ["thaiwiki-clean", "build", source, "OUT"]
    named = {f"{name}-column": configuration["columns"].get(name) for name in ("text", "title", "id", "source", "url")}
    for name, value in {**named, **{name: configuration.get(name) for name in ("split", "revision")}}.items():
        said += [f"--{name}", str(value)] if value is not None else []
    said += ["--strict"] if configuration["strict"] else []
    said += ["--words", configuration["words"] or "none"]
    said += [] if configuration["dedup"] else ["--no-dedup"]
    said += ["--seed", str(configuration["seed"])] if configuration["seed"] else []
    return shlex.join(said)
