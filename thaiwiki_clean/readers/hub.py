"""Data sets on the Hub: their parquet (or jsonl, csv) files, fetched by the Hub's own client into its cache."""

from __future__ import annotations

import glob
import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from thaiwiki_clean.readers.files import File, kind_of, of_split
from thaiwiki_clean.readers.records import SourceError
from thaiwiki_clean.readers.streams import one_line

__all__ = ["fetch", "hub_id"]

_ID = re.compile(r"(?:hf://datasets/)?(\w[\w.-]*/[\w.-]+)(?:/(.+))?")

#: Folders that hold splits, not configurations.
_SPLITS = re.compile(r"(^|/)(data|train|training|test|testing|dev|val|valid|validation|eval)$")


def hub_id(source: str) -> tuple[str, str] | None:
    """The id and the folder or glob behind it; None when ``source`` is none.

    >>> hub_id("pythainlp/thai-wiki-dataset-v3"), hub_id("wikimedia/wikipedia/20231101.th"), hub_id("data/pages.parquet")
    (('pythainlp/thai-wiki-dataset-v3', ''), ('wikimedia/wikipedia', '20231101.th'), None)
    """
    match = _ID.fullmatch(source.rstrip("/"))
    if not match or (kind_of(source) and not source.startswith("hf://")):
        return None  # data/pages.parquet is a file that is missing; one file of the Hub is hf://datasets/owner/name/FILE
    return match[1], match[2] or ""


def fetch(repo: str, inside: str, split: str | None, revision: str | None) -> tuple[str, list[File]]:
    """The commit and the files of a data set, all of them on this machine.

    What the cache holds is not fetched again. Without a network the cache is used when it is known to be whole.
    The token is the client's own affair. Raises SourceError in one line, ImportError without the client.
    """
    try:
        import huggingface_hub as hub
    except ImportError as error:
        raise ImportError("reading from the Hub needs its client: pip install 'thaiwiki-clean[hub]'") from error
    try:
        names, commit = _names(hub, repo, revision)
        files = choose(names, repo, inside, split)
        wanted = [glob.escape(f.name) for f in files]
        folder = Path(hub.snapshot_download(repo, repo_type="dataset", revision=revision, allow_patterns=wanted))
    except SourceError:
        raise
    except Exception as error:  # the client's errors share no base: HTTP, files, cache, its own
        raise SourceError(_said(error, repo, revision)) from error
    if commit not in (None, folder.name):
        raise SourceError(f"{repo}: changed while it was fetched; run it again")
    if missing := [f.name for f in files if not (folder / f.name).is_file()]:
        raise SourceError(f"{repo}: {len(missing)} files are missing after the download, such as {missing[0]}; run it again")
    return folder.name, [f._replace(path=folder / f.name) for f in files]


def choose(names: list[str], repo: str, inside: str, split: str | None) -> list[File]:
    """The files to read among those of a repository: parquet before others, one configuration, the split asked for."""
    pattern = inside.rstrip("/")
    there = [name for name in names if not re.search(r"(^|/)[._]", name) and not name.endswith(".json")]
    if pattern:
        there = [name for name in there if name.startswith(pattern + "/") or fnmatchcase(name, pattern)]
    files = [File(Path(), name, kind) for name in there if (kind := kind_of(name)) and kind != "arrow"]
    for kind in ("parquet", "jsonl", "csv", "tsv", "dump"):
        if chosen := [f for f in files if f.kind == kind]:
            break
    else:
        where = f" under {inside!r}" if inside else ""
        raise SourceError(f"{repo}: no parquet, jsonl or csv files{where}; the Hub may have made some: try revision refs/convert/parquet")
    folders = sorted({_SPLITS.sub("", f.name.rpartition("/")[0]) for f in chosen})
    if len(folders) > 1:
        shown = ", ".join(folders[:5]) + (" ..." if len(folders) > 5 else "")
        raise SourceError(f"{repo}: {len(folders)} configurations ({shown}), expected one; add it: {repo}/{folders[-1]}")
    return of_split(chosen, split, repo)


def _names(hub: Any, repo: str, revision: str | None) -> tuple[list[str], str | None]:
    """The files of the repository and its commit: asked for, or the files as the client noted them down when it fetched them."""
    try:
        info = hub.HfApi().dataset_info(repo, revision=revision)
        return [file.rfilename for file in info.siblings or ()], info.sha
    except Exception as error:
        if getattr(error, "response", None) is not None:  # the Hub answered: the cache knows no better
            raise
        try:
            return [f.path for f in hub.get_cached_repo_tree(repo, repo_type="dataset", revision=revision)], None
        except Exception:  # nothing noted, or a client that takes no notes
            raise error from None


def _said(error: Exception, repo: str, revision: str | None) -> str:
    status = getattr(getattr(error, "response", None), "status_code", None)
    name = type(error).__name__
    at = f" at revision {revision!r}" if revision else ""
    if name == "RevisionNotFoundError":
        return f"{repo}: no revision {revision!r} on the Hub; look at its branches and tags"
    if name == "GatedRepoError" or status == 403:
        return f"{repo}: access is by request; ask for it on its page, then: hf auth login"
    if name == "RepositoryNotFoundError" or status in (401, 404):
        return f"{repo}: no such file, folder or data set on the Hub, or a private one; check the name, or: hf auth login"
    if status is not None:
        return f"{repo}: the Hub answered {status}{at}; try again later"
    return (
        f"{repo}: no such file or folder, and the Hub cannot be reached{at} ({name}: {one_line(error)[:120]}); where there is a network: "
        f"hf download {repo} --repo-type dataset --local-dir FOLDER; then read FOLDER"
    )
