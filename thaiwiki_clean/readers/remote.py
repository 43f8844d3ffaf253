"""Pages at an address that fsspec knows, such as ``s3://bucket/pages/*.parquet``: their files, fetched whole into a cache of this machine."""

from __future__ import annotations

import contextlib
import errno
import glob
import hashlib
import importlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from thaiwiki_clean.addresses import open_address, protocol_of, told, trimmed
from thaiwiki_clean.readers.files import READABLE, File, choose, glob_root, in_folder, kind_of, saved_names
from thaiwiki_clean.readers.records import SourceError
from thaiwiki_clean.readers.streams import one_line

try:
    import fcntl
except ImportError:  # Windows has none: of two commands that fetch the same file at a time one may fail
    fcntl = None  # type: ignore[assignment]

__all__ = ["cache_folder", "fetch_address"]

#: What stores call that by which a changed file is known. Their other words, such as the time of the last access, do not tell.
_STATE = re.compile(r"etag|md5|crc|sha\d*$|checksum|chksum|digest|hash|blob_id|modif|mtime|write_time|updated|created", re.IGNORECASE)

#: Said by the disk of this machine, not by the store.
_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG}


class Remote(NamedTuple):
    """One file in a store."""

    path: str
    size: int | None  #: bytes; None where the store does not say
    state: str  #: another one when the file is another one; empty where the store does not say


def fetch_address(address: str, split: str | None, options: Mapping[str, Any]) -> tuple[str, list[File]]:
    """The name of what lies at an address, and its files, all of them on this machine; ``options`` are fsspec's for the store.

    A file, a folder and a glob mean what they mean on this machine. A web server lists nothing: there it is one file.
    The files go to ``$THAIWIKI_CACHE``, else ``~/.cache/thaiwiki-clean``. None is ever half there.
    One that is there is not fetched again while the store says the same of it: of size alone it may not be the same file, and is fetched.
    What the address has no more is removed.

    Raises SourceError in one line, ImportError with what to install when a package is missing.
    """
    address = trimmed(address)
    if _on_the_web(address):
        _one_file(address)
        options = {**_web_options(), **options}
    fs, root = open_address(address, options, SourceError)
    with told(address, "read", SourceError):
        fs.invalidate_cache()
        name, there, is_folder = _list(fs, root, address)
        chosen = _choose(fs, name, there, split, address) if is_folder else choose(there, split, address)
    key = hashlib.sha256(json.dumps([address, options], sort_keys=True, default=str).encode(errors="surrogateescape")).hexdigest()
    folder = cache_folder() / "sources" / key[:16]
    kept = {name: folder / _kept_as(name, remote) for name, remote in there.items()}
    try:
        with _alone(folder):
            _sweep(folder, kept.values())
            for file in chosen:
                _fetch(fs, there[file.name], kept[file.name], address)
    except OSError as error:
        raise SourceError(_no_room(folder, error)) from error
    return name or protocol_of(address), [file._replace(path=kept[file.name]) for file in chosen]


def _list(fs: Any, root: str, address: str) -> tuple[str, dict[str, Remote], bool]:
    """The name of what lies there, its files by their names in it, and whether it is a folder."""
    try:
        about = fs.info(root)
    except FileNotFoundError as error:
        if _on_the_web(root) and error.__cause__ is not None and getattr(error.__cause__, "status", None) != 404:
            raise error.__cause__ from None  # fsspec calls whatever a web server says "not found"
        about = None
    if about is not None and about["type"] != "directory":
        name = _last(root)
        return name, {name: _remote(root, about)}, False
    if about is not None:
        return _last(root), _below(root, fs.find(root, detail=True)), True
    if _on_the_web(root) or not glob.has_magic(root):
        raise SourceError(f"{address}: no such file or folder; check the address and your credentials for it")
    above = glob_root(root)
    pattern = root[len(above) :].lstrip("/")
    found = _below(above, fs.glob(root, detail=True))
    hidden = re.compile(r"(^|/)\.")
    return pattern, {name: remote for name, remote in found.items() if hidden.search(pattern) or not hidden.search(name)}, False


def _below(folder: str, found: Mapping[str, Mapping[str, Any]]) -> dict[str, Remote]:
    """The files among what was found, by their names in the folder. A store's folder may be an empty object of its name."""
    named = {path.strip("/").removeprefix(folder.strip("/")).strip("/"): path for path in found if not path.endswith("/")}
    return {name: _remote(path, found[path]) for name, path in named.items() if name and found[path]["type"] != "directory"}


def _remote(path: str, about: Mapping[str, Any]) -> Remote:
    if about["type"] == "link":  # on sftp, which tells of the link, not of the file behind it
        return Remote(path, None, "")
    said = {name: str(value) for name, value in sorted(about.items()) if _STATE.search(name) and value}
    return Remote(path, about.get("size"), json.dumps([about.get("size"), said]) if said else "")


def _choose(fs: Any, folder: str, there: Mapping[str, Remote], split: str | None, address: str) -> list[File]:
    """The files to read of a folder."""
    listed = saved_names(folder, there, lambda name: bytes(fs.cat_file(there[name].path)), split)
    if listed is None:
        return choose(in_folder(there), split, address)
    if missing := [name for name in listed if name not in there]:
        raise SourceError(f"{address}: {missing[0]} is missing, which the list of this datasets folder names; copy it there again")
    return [File(Path(), name, "arrow") for name in listed]


def _fetch(fs: Any, remote: Remote, path: Path, address: str) -> None:
    """Fetch a file beside its name and rename it, unless it is there."""
    if path.exists() and remote.state:
        return
    from fsspec.callbacks import TqdmCallback

    half = path.with_name(f"{path.name}.tmp")
    bar = {
        "desc": f"fetching {_last(remote.path)}",
        "unit": "B",
        "unit_scale": True,
        "leave": False,
        "disable": None,
    }  # None: where nobody looks
    try:
        half.touch()
        with told(address, "read", SourceError):
            try:
                with TqdmCallback(tqdm_kwargs=bar) as callback:
                    fs.get_file(remote.path, str(half), callback=callback)
            except OSError as error:
                if error.errno in _DISK:
                    raise SourceError(_no_room(path.parent, error)) from error
                raise
        if remote.size not in (None, came := half.stat().st_size):
            raise SourceError(f"{address}: {came:,} bytes of {remote.path} came, expected {remote.size:,}; run the same command again")
        half.replace(path)
    finally:
        half.unlink(missing_ok=True)


def _no_room(folder: Path, error: OSError) -> str:
    return f"{folder}: {one_line(error)}; what is fetched is kept there: make room, or name another folder with THAIWIKI_CACHE, then run it again"


def _kept_as(name: str, remote: Remote) -> str:
    """What a file is called in the cache: another name for another state of it, so that what is there needs no second look."""
    state = hashlib.sha256(json.dumps([name, remote.state]).encode()).hexdigest()[:16]
    return f"{state}-{re.sub(r'[^A-Za-z0-9_.-]+', '-', _last(name))[-60:]}"


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """The folder of an address, ours alone: a second command waits, and finds the files of the first."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        if fcntl is not None:
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _sweep(folder: Path, kept: Iterable[Path]) -> None:
    """Remove what the address has no more, and what a command that was killed left half."""
    keep = {folder / "lock", *kept}
    for path in folder.iterdir():
        if path not in keep:
            path.unlink()


def cache_folder() -> Path:
    """Where what was fetched or made is kept: ``$THAIWIKI_CACHE``, else ``~/.cache/thaiwiki-clean``."""
    return Path(
        os.environ.get("THAIWIKI_CACHE") or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "thaiwiki-clean"
    ).absolute()


def _on_the_web(text: str) -> bool:
    return re.match(r"https?://", text, re.IGNORECASE) is not None


def _last(path: str) -> str:
    """The last name of a path; of a web address without what stands behind ``?``, and as it was before it was quoted.

    >>> _last("bucket/pages/a.jsonl"), _last("https://host/a%20b.jsonl?token=1/2")
    ('a.jsonl', 'a b.jsonl')
    """
    return unquote(urlsplit(path).path.rpartition("/")[2]) if _on_the_web(path) else path.rpartition("/")[2]


def _one_file(address: str) -> None:
    """Refuse a folder or a glob of a web server."""
    if glob.has_magic(urlsplit(address).path) or kind_of(_last(address)) is None:
        raise SourceError(f"{address}: a web server lists no files, expected the address of one; readable are {READABLE}")


def _web_options() -> dict[str, Any]:
    """What a file of the web takes: all the time it needs, where aiohttp ends after five minutes, and its bytes as they lie there.

    A server may say of ``pages.jsonl.gz`` that its coding is gzip, and aiohttp would unpack it.
    """
    try:
        aiohttp = importlib.import_module("aiohttp")
    except ImportError:  # fsspec will say so
        return {}
    patience = aiohttp.ClientTimeout(total=None, sock_connect=60, sock_read=300)
    return {"headers": {"Accept-Encoding": "identity"}, "client_kwargs": {"auto_decompress": False, "timeout": patience}}
