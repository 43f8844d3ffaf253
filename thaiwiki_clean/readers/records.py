"""The records of reading: which column is what, what a source is, and the shards it is read in."""

from __future__ import annotations

import dataclasses

__all__ = ["BrokenOffError", "Columns", "Shard", "Source", "SourceError"]


class SourceError(ValueError):
    """A source, a file or (with ``strict``) a row that cannot be read, said in one line."""


class BrokenOffError(SourceError):
    """A shard that cannot be read on: what stands before the damage was read, and is to be kept. Names the file, never its place."""


@dataclasses.dataclass(frozen=True, slots=True)
class Columns:
    """Which column holds what; None for "find it by its name" (:mod:`thaiwiki_clean.readers.columns`)."""

    text: str | None = None
    title: str | None = None
    source: str | None = None
    url: str | None = None
    id: str | None = None
    default_source: str = ""  #: what ``Page.source`` says where the rows do not, such as ``thaiwikipedia``


@dataclasses.dataclass(frozen=True, slots=True)
class Shard:
    """One unit of work: a run of rows of one file that any worker reads by itself.

    How a file is cut depends on the file alone, never on who reads it.
    """

    name: str  #: ``train-00000.parquet#00003``: the file's name in the source, and ``part``; sorts in source order
    path: str  #: where the file lies
    kind: str  #: parquet, jsonl, csv, tsv, arrow or dump
    part: int  #: number of the shard in its file, from 0
    start: int  #: first row (parquet, arrow) or byte (jsonl) of the shard in its file
    stop: int  #: the one behind its last
    columns: Columns
    row: int = 1  #: number of its first row in the file, counted from 1

    @property
    def file(self) -> str:
        """The file's name in the source: what messages and page ids name.

        >>> Shard("data/a.parquet#00003", "/tmp/data/a.parquet", "parquet", 3, 0, 9, Columns()).file
        'data/a.parquet'
        """
        return self.name.rpartition("#")[0]


@dataclasses.dataclass(frozen=True, slots=True)
class Source:
    """What :func:`thaiwiki_clean.readers.open_source` found: the shards in order, and what tells these bytes from others."""

    name: str  #: file or folder name, the glob, or the Hub id; never the way to it on this machine
    shards: tuple[Shard, ...]
    fingerprint: str  #: sha256 over names and contents of the files; over id, commit and file names for the Hub
    rows: int | None  #: None where counting would mean reading everything
    kind: str  #: kind of its files: parquet, jsonl, csv, tsv, arrow or dump
