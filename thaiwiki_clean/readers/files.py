"""Which files a path, a folder or a glob means, and of what kind they are."""

from __future__ import annotations

import glob
import json
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from thaiwiki_clean.pipeline.places import is_address, local_path
from thaiwiki_clean.readers.records import SourceError
from thaiwiki_clean.readers.streams import PACKED

__all__ = ["File", "find_files", "kind_of", "of_split", "one_kind"]

_KINDS = {
    ".parquet": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".csv": "csv",
    ".tsv": "tsv",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".xml": "dump",
}
_CAN_BE_PACKED = {"jsonl", "csv", "tsv", "dump"}

READABLE = ".parquet .jsonl .csv .tsv .arrow, a MediaWiki dump .xml (text packed as .gz .bz2 .zst too)"


class File(NamedTuple):
    """One file to read."""

    path: Path
    name: str  #: in the source, with ``/``: what shards, page ids and messages say
    kind: str


def kind_of(name: str) -> str | None:
    """The kind of a file by its name; None when no reader takes it.

    >>> kind_of("train-00000.parquet"), kind_of("pages.JSONL.gz"), kind_of("thwiki.xml.bz2"), kind_of("a.parquet.gz"), kind_of("README.md")
    ('parquet', 'jsonl', 'dump', None, None)
    """
    stem, ending = os.path.splitext(name.lower())
    if ending not in PACKED:
        return _KINDS.get(ending)
    kind = _KINDS.get(os.path.splitext(stem)[1])
    return kind if kind in _CAN_BE_PACKED else None


def find_files(source: str, split: str | None) -> tuple[str, list[File]] | None:
    """The source's name and its files in order; None when ``source`` names nothing on this machine.

    A folder is searched to the bottom, without hidden files, those that begin with ``_``, and ``.json``, which there holds
    settings and not pages. A ``datasets`` folder is read by its own list. ``split`` takes the files that bear its name.
    """
    if source.startswith("hf://"):
        return None
    if (local := local_path(source)) is not None:
        source = local
    elif is_address(source):
        fetch = f"curl -LO {source}" if source.startswith("http") else "the client of its store"
        raise SourceError(f"{source}: pages are read from this machine or from the Hub; fetch them first, with {fetch}, and name the file")
    path = Path(os.path.abspath(os.path.expanduser(source)))
    if path.is_dir():
        if (path / "state.json").is_file() or (path / "dataset_dict.json").is_file():
            return path.name, _saved(path, split)
        files = [File(p, p.relative_to(path).as_posix(), kind_of(p.name) or "") for p in path.rglob("*") if p.is_file()]
        files = [f for f in files if f.kind and f.path.suffix != ".json" and not re.search(r"(^|/)[._]", f.name)]
        name = path.name
    elif path.is_file():
        files, name = [File(path, path.name, kind_of(path.name) or "")], path.name
    elif glob.has_magic(source):
        root = os.path.dirname(source[: re.search(r"[*?[]", source).start()])  # type: ignore[union-attr]  # has_magic found one
        base = Path(os.path.abspath(os.path.expanduser(root or ".")))
        name = source[len(root) :].lstrip("/\\")
        found = (Path(p) for p in glob.glob(str(base / name), recursive=True))
        files = [File(p, p.relative_to(base).as_posix(), kind_of(p.name) or "") for p in found if p.is_file()]
    else:
        return None
    if not files:
        raise SourceError(f"{source}: no file to read; readable are {READABLE}")
    strange = next((f for f in files if not f.kind), None)
    if strange:
        raise SourceError(f"{strange.name}: a file of unknown kind; readable are {READABLE}")
    return name, one_kind(of_split(files, split, source), source)


def of_split(files: Iterable[File], split: str | None, source: str) -> list[File]:
    """The files whose name, or a folder above them, is the split or begins with it; all of them for None."""
    every = sorted(files, key=lambda f: f.name)
    if split is None:
        return every
    bears = re.compile(rf"(^|/){re.escape(split)}([-._/]|$)")
    if not (chosen := [f for f in every if bears.search(f.name)]):
        names = ", ".join(f.name for f in every[:5])
        raise SourceError(f"{source}: no file of split {split!r} among {names}{' ...' if len(every) > 5 else ''}")
    return chosen


def one_kind(files: list[File], source: str) -> list[File]:
    """The files, when all are of one kind: a folder with pages.parquet and pages.csv would be read twice."""
    kinds = sorted({f.kind for f in files})
    if len(kinds) > 1:
        raise SourceError(
            f"{source}: files of several kinds ({', '.join(kinds)}), expected one; name them, such as {source.rstrip('/')}/*.{kinds[-1]}"
        )
    return files


def _saved(folder: Path, split: str | None) -> list[File]:
    """The Arrow files of a folder written by ``save_to_disk``, by its own list: caches lie beside them."""
    try:
        if not (folder / "dataset_dict.json").is_file():
            if split is not None:
                raise SourceError(f"{folder.name}: one saved split, not several: leave out split {split!r}")
            listed = json.loads((folder / "state.json").read_text("utf-8"))["_data_files"]
            return [File(folder / entry["filename"], entry["filename"], "arrow") for entry in listed]
        splits = json.loads((folder / "dataset_dict.json").read_text("utf-8"))["splits"]
        if split is not None and split not in splits:
            raise SourceError(f"{folder.name}: no split {split!r} among {', '.join(splits)}")
        names = [split] if split else splits
        return [File(f.path, f"{name}/{f.name}", f.kind) for name in sorted(names) for f in _saved(folder / name, None)]
    except (OSError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise SourceError(f"{folder.name}: a datasets folder whose state.json or dataset_dict.json cannot be read ({error!r})") from error
