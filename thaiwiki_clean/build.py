"""The whole flow: a source in, a folder out that ``datasets.load_dataset`` reads, with a reason for everything that is gone.

This is the door: what is asked for, whether it was done before, and who does it. The stages are :mod:`~thaiwiki_clean.pipeline.flow`'s.
It loads nothing heavy before it is called.
"""

from __future__ import annotations

import dataclasses
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from thaiwiki_clean._version import __version__
from thaiwiki_clean.clean import RULES_VERSION
from thaiwiki_clean.pipeline.progress import BuildError, Progress, progress_bar

if TYPE_CHECKING:
    from thaiwiki_clean.pipeline.manifest import Manifest
    from thaiwiki_clean.readers import Columns, Source

__all__ = ["BuildError", "Progress", "build", "progress_bar"]


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
    work: str | Path | None = None,
    source_options: Mapping[str, Any] | None = None,
    storage_options: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> Manifest:
    """Build a data set from ``source`` in ``out``, a folder or an address, and give back its manifest.

    ``source`` is a Hub id, a parquet, jsonl or csv file, a folder or glob of them, or a MediaWiki dump; files may be at an address,
    with its ``source_options``, and are then fetched first (:func:`thaiwiki_clean.readers.open_source`).
    ``words`` is the engine of :func:`thaiwiki_clean.words`: True for the default, None to count no words.
    ``workers``, ``engine`` and ``scheduler`` say who does the work (:func:`thaiwiki_clean.engines.open_engine`);
    the bytes that come out do not depend on them.
    An address is fsspec's, such as ``s3://bucket/clean``, with its ``storage_options``. The build then works in a folder
    of its own in ``work``, by default in the user's cache, and sends the files at the end, the manifest last.
    On a cluster ``work`` must be named, and all machines must see it.

    A run that was killed goes on where it stopped when it is called again. A folder that is finished is left as it is.
    Raises BuildError when ``out`` cannot be written to, or holds something else: another configuration, source or version,
    or files of somebody's own; ImportError when the package of an address is missing;
    SourceError when the source cannot be read, and with ``strict`` at the first bad row.
    """
    from thaiwiki_clean.engines import EngineError, open_engine
    from thaiwiki_clean.pipeline.flow import flow
    from thaiwiki_clean.pipeline.folder import IDENTITY, claim, finished, publish, work_folder
    from thaiwiki_clean.pipeline.places import Folder, open_place
    from thaiwiki_clean.pipeline.progress import Meter
    from thaiwiki_clean.readers import Columns, open_source
    from thaiwiki_clean.readers.streams import sha256

    place = open_place(out, storage_options)
    if scheduler is not None and work is None and not isinstance(place, Folder):
        raise BuildError(f"{place}: a cluster works in a folder that all its machines see under the same path; name one with --work")
    columns = Columns() if columns is None else columns
    engine_of_words = _words_engine(words)
    opened = open_source(source, columns=columns, split=split, revision=revision, source_options=source_options)
    configuration = {
        "columns": dataclasses.asdict(columns),
        "split": split,
        "revision": revision,
        "strict": strict,
        "words": engine_of_words,
        "dedup": dedup,
        "kinds": list(kinds),
        **_budget(tokenizer, max_tokens, engine_of_words),
        "evaluation": {Path(path).name: sha256(Path(path)) for path in evaluation},
        "seed": seed,
    }
    identity = _identity(opened, configuration)
    bench = work_folder(place, work)
    if (done := finished(place, bench, identity)) is not None:
        return done
    command = _command(opened.name, configuration)
    try:
        with (
            claim(place, bench, identity),
            open_engine(engine, workers=workers, scheduler=scheduler, seen=bench / IDENTITY) as run,
        ):
            if (done := finished(place, bench, identity)) is not None:  # by another build, between the question above and the claim
                return done
            if not (bench / "whole").exists():
                flow(opened, bench, identity, command, evaluation, Meter(run, progress))
            if progress is not None:
                progress("publishing", 1.0)
            return publish(bench, place)
    except EngineError as error:
        raise BuildError(str(error)) from None
    except OSError as error:
        where = place if isinstance(place, Folder) else bench
        raise BuildError(f"{where}: {error}; when that is mended run the same command again, it goes on where it stopped") from error


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
    from thaiwiki_clean.instruct.budget import CHARACTERS

    if tokenizer is None and words is None:
        return {"tokenizer": CHARACTERS, "max_tokens": max_tokens or _BUDGET * _CHARACTERS_PER_WORD}
    return {"tokenizer": tokenizer, "max_tokens": max_tokens or _BUDGET}


def _identity(source: Source, configuration: dict[str, Any]) -> dict[str, Any]:
    """What decides the bytes: builds that agree in this are the same build."""
    from importlib.metadata import version

    from thaiwiki_clean.words import engine_version

    words = configuration["words"]
    return {
        "versions": {
            "thaiwiki_clean": __version__,
            "rules": RULES_VERSION,
            "python": ".".join(map(str, sys.version_info[:2])),
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
