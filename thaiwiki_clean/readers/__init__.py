"""Readers: whatever holds wiki pages becomes :class:`thaiwiki_clean.page.Page`, with nothing skipped in silence.

A source is a parquet, jsonl, csv, tsv or Arrow file, a folder or a glob of them, a folder written by ``save_to_disk``,
the id of a data set on the Hub, or a MediaWiki dump; and all of them but the id may be at an address that fsspec knows.
It is cut into shards, which any number of workers read independently and in bounded memory::

    for page in read("pythainlp/thai-wiki-dataset-v3"):
        ...
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from thaiwiki_clean.addresses import is_address, local_path
from thaiwiki_clean.page import Page
from thaiwiki_clean.readers.records import Columns, Shard, Source, SourceError

if TYPE_CHECKING:
    from thaiwiki_clean.readers.files import File

__all__ = ["Columns", "Shard", "Source", "SourceError", "open_source", "read", "read_shard"]


def open_source(
    source: str,
    *,
    columns: Columns = Columns(),  # noqa: B008  # frozen
    split: str | None = None,
    revision: str | None = None,
    source_options: Mapping[str, Any] | None = None,
) -> Source:
    """What ``source`` holds, cut into shards.

    What lies on this machine goes before the Hub, as in ``datasets``. ``owner/name/FOLDER`` names one configuration there.
    ``split`` takes the files of one split, ``revision`` a branch, tag or commit of the Hub.
    From an address such as ``s3://bucket/pages/*.parquet``, with its ``source_options`` for fsspec, files are fetched whole into
    ``$THAIWIKI_CACHE``, else ``~/.cache/thaiwiki-clean``, and not again while they are the same.
    A file that is empty has no shards. Files that are not the Hub's are read once, for their hash.

    Raises SourceError in one line: nothing there, no text column, damaged, of several kinds;
    ImportError when the package of an address is missing.
    """
    name, files, identity = _found(source, split, revision, source_options)
    shards: list[Shard] = []
    rows: int | None = 0
    for file in files:
        cut, count = _cut(file.path, file.name, file.kind, columns)
        shards += cut
        rows = None if rows is None or count is None else rows + count
    fingerprint = hashlib.sha256(json.dumps(identity, ensure_ascii=False).encode(errors="surrogateescape")).hexdigest()
    return Source(name, tuple(sorted(shards, key=lambda shard: shard.name)), fingerprint, rows, files[0].kind)


def read_shard(shard: Shard, *, strict: bool = False) -> Iterator[Page]:
    """The pages of one shard: ``raw`` is filled in, ``text`` is not yet.

    A bad row is a page with ``dropped="bad_row"`` and the file, the row, what came and what was expected in ``detail``;
    with ``strict`` that line is raised as SourceError. A damaged file always raises, after the pages before the damage.
    """
    if shard.kind == "jsonl":
        from thaiwiki_clean.readers.jsonl import read_jsonl

        return read_jsonl(shard, strict)
    if shard.kind in ("csv", "tsv"):
        from thaiwiki_clean.readers.delimited import read_csv

        return read_csv(shard, strict)
    if shard.kind == "dump":
        from thaiwiki_clean.readers.dump import read_dump_shard

        return read_dump_shard(shard, strict)
    from thaiwiki_clean.readers.tables import read_arrow, read_parquet

    return read_arrow(shard, strict) if shard.kind == "arrow" else read_parquet(shard, strict)


def read(
    source: str,
    *,
    columns: Columns = Columns(),  # noqa: B008  # frozen
    split: str | None = None,
    revision: str | None = None,
    source_options: Mapping[str, Any] | None = None,
    strict: bool = False,
) -> Iterator[Page]:
    """All pages of a source, in order; see :func:`open_source` and :func:`read_shard`."""
    for shard in open_source(source, columns=columns, split=split, revision=revision, source_options=source_options).shards:
        yield from read_shard(shard, strict=strict)


def _found(
    source: str, split: str | None, revision: str | None, source_options: Mapping[str, Any] | None
) -> tuple[str, list[File], list[object]]:
    """The name of a source, its files, and what they are known by: their bytes, or the commit of the Hub."""
    from thaiwiki_clean.readers.files import READABLE, find_files
    from thaiwiki_clean.readers.hub import fetch, hub_id
    from thaiwiki_clean.readers.remote import fetch_address
    from thaiwiki_clean.readers.streams import sha256

    repo = hub_id(source)
    elsewhere = is_address(source) and local_path(source) is None
    if source_options and (not elsewhere or repo):
        raise SourceError(f"{source}: source_options go with an address such as s3://bucket/pages.parquet, and this is none")
    if elsewhere and repo is None:
        if revision is not None:
            raise SourceError(f"{source}: an address of a store; a revision ({revision!r}) is for data sets of the Hub")
        name, files = fetch_address(source, split, source_options or {})
    elif not elsewhere and (found := find_files(source, split)) is not None:
        if revision is not None:
            raise SourceError(f"{source}: lies on this machine; a revision ({revision!r}) is for data sets of the Hub")
        name, files = found
    elif repo is not None:
        commit, files = fetch(*repo, split, revision)
        return "/".join(filter(None, repo)), files, [repo[0], commit, [file.name for file in files]]
    else:
        raise SourceError(f"{source}: no such file or folder, and no Hub id (owner/name); readable are {READABLE}")
    return name, files, [[file.name, sha256(file.path)] for file in files]


def _cut(path: Path, name: str, kind: str, columns: Columns) -> tuple[list[Shard], int | None]:
    """The shards of one file, and its rows where they can be counted."""
    if kind == "jsonl":
        from thaiwiki_clean.readers.jsonl import jsonl_shards

        return jsonl_shards(path, name, columns)
    if kind in ("csv", "tsv"):
        from thaiwiki_clean.readers.delimited import csv_shards

        return csv_shards(path, name, columns, kind)
    if kind == "dump":
        from thaiwiki_clean.readers.dump import dump_shards

        return list(dump_shards(str(path), name)), None
    from thaiwiki_clean.readers.tables import arrow_shards, parquet_shards

    return arrow_shards(path, name, columns) if kind == "arrow" else parquet_shards(path, name, columns)
