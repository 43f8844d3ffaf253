"""Which files a path, a folder or a glob means, and of what kind they are."""

from __future__ import annotations

import glob
import json
import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from thaiwiki_clean.addresses import local_path
from thaiwiki_clean.readers.records import SourceError
from thaiwiki_clean.readers.streams import PACKED

__all__ = ["READABLE", "File", "choose", "find_files", "glob_root", "in_folder", "kind_of", "of_split", "saved_names"]

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

    A folder is searched to the bottom. A ``datasets`` folder is read by its own list. ``split`` takes the files that bear its name.
    """
    source = local_path(source) or source
    path = Path(os.path.abspath(os.path.expanduser(source)))
    if path.is_dir():
        names = [p.relative_to(path).as_posix() for p in path.rglob("*") if p.is_file()]
        name, root = path.name, path
        if (listed := saved_names(name, names, lambda file: (path / file).read_bytes(), split)) is not None:
            return name, [File(path / file, file, "arrow") for file in listed]
        names = in_folder(names)
    elif path.is_file():
        name, root, names = path.name, path.parent, [path.name]
    elif glob.has_magic(source):
        above = glob_root(source)
        root = Path(os.path.abspath(os.path.expanduser(above or ".")))
        name = source[len(above) :].lstrip("/\\")
        names = [p.relative_to(root).as_posix() for p in map(Path, glob.glob(str(root / name), recursive=True)) if p.is_file()]
    else:
        return None
    return name, [file._replace(path=root / file.name) for file in choose(names, split, source)]


def glob_root(pattern: str) -> str:
    """The folder that a glob begins in.

    >>> glob_root("data/th-*/*.parquet"), glob_root("*.parquet")
    ('data', '')
    """
    return os.path.dirname(re.split(r"[*?[]", pattern, maxsplit=1)[0])


def in_folder(names: Iterable[str]) -> list[str]:
    """The files of pages in a folder: no hidden ones, none that begin with ``_``, and no ``.json``, which there holds settings."""
    return [name for name in names if kind_of(name) and not name.endswith(".json") and not re.search(r"(^|/)[._]", name)]


def choose(names: Iterable[str], split: str | None, source: str) -> list[File]:
    """The files to read, in order and all of one kind, by their names; where they lie is not said yet."""
    files = [File(Path(), name, kind_of(name) or "") for name in names]
    if not files:
        raise SourceError(f"{source}: no file to read; readable are {READABLE}")
    strange = next((f for f in files if not f.kind), None)
    if strange:
        raise SourceError(f"{strange.name}: a file of unknown kind; readable are {READABLE}")
    return _one_kind(of_split(files, split, source), source)


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


def _one_kind(files: list[File], source: str) -> list[File]:
    """The files, when all are of one kind: a folder with pages.parquet and pages.csv would be read twice."""
    kinds = sorted({f.kind for f in files})
    if len(kinds) > 1:
        raise SourceError(
            f"{source}: files of several kinds ({', '.join(kinds)}), expected one; name them, such as {source.rstrip('/')}/*.{kinds[-1]}"
        )
    return files


def saved_names(folder: str, names: Iterable[str], read: Callable[[str], bytes], split: str | None) -> list[str] | None:
    """The Arrow files of a folder written by ``save_to_disk``, by its own list, for caches lie beside them; None for any other folder.

    ``names`` are the files that lie in it, ``read`` gives the bytes of one.
    """
    there = set(names)
    try:
        if "dataset_dict.json" in there:
            splits = json.loads(read("dataset_dict.json"))["splits"]
            if split is not None and split not in splits:
                raise SourceError(f"{folder}: no split {split!r} among {', '.join(splits)}")
            return [f"{part}/{name}" for part in sorted([split] if split else splits) for name in _listed(read, f"{part}/")]
        if "state.json" in there:
            if split is not None:
                raise SourceError(f"{folder}: one saved split, not several: leave out split {split!r}")
            return _listed(read, "")
    except (OSError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise SourceError(f"{folder}: a datasets folder whose state.json or dataset_dict.json cannot be read ({error!r})") from error
    return None


def _listed(read: Callable[[str], bytes], part: str) -> list[str]:
    return [entry["filename"] for entry in json.loads(read(f"{part}state.json"))["_data_files"]]
