"""Where a build ends up: a folder of this machine, or an address that fsspec knows, such as ``s3://bucket/clean``.

Both can do five things, and that is all a build asks of its place. ``fsspec`` is loaded when an address is given, not before.
"""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

from thaiwiki_clean.addresses import address_of, is_address, local_path, open_address, protocol_of, told, trimmed
from thaiwiki_clean.pipeline.progress import BuildError
from thaiwiki_clean.pipeline.shards import beside

__all__ = ["WORK", "Address", "Folder", "Place", "open_place"]

#: In a place that is not finished: whose build it is, and what is on its way. ``datasets`` looks into no hidden folder.
WORK = ".work"

#: Where a file is there whole or not at all, so that it may be written under its own name. Elsewhere it is written in WORK and moved.
_AT_ONCE = {"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "oss", "oci", "hf"}


class Place(Protocol):
    """What a build asks of the place it ends up in; names are relative to it, with ``/``."""

    def names(self) -> list[str]:
        """What lies in it, not what lies deeper; nothing when it is not there. Raises BuildError when it is a file."""

    def read(self, name: str) -> bytes | None:
        """A small file; None when it is not there."""

    def sizes(self, names: Iterable[str]) -> dict[str, int]:
        """The bytes of those of ``names`` that are there."""

    def send(self, files: Mapping[str, Path]) -> None:
        """Put files there; none is ever seen half. What is there in its full size is not sent again."""

    def remove(self, name: str) -> None:
        """Remove a folder in it, if it is there."""


def open_place(out: str | Path, options: Mapping[str, Any] | None = None) -> Place:
    """The place that ``out`` names; ``options`` are fsspec's for it.

    ``file://`` and ``local://`` are folders of this machine. Raises BuildError for an address that nothing can be written to,
    ImportError with what to install when a package is missing.
    """
    text = str(out)
    if isinstance(out, Path) and (address := address_of(out)):
        raise BuildError(f"{text}: a Path has lost a slash of this address; give it as text: {address!r}")
    if (local := local_path(text)) is not None:
        return Folder(Path(local))
    if not is_address(text):
        if options:
            raise BuildError(f"{text}: storage_options go with an address such as s3://bucket/clean, and this is a folder")
        return Folder(Path(out))
    return _address(trimmed(text), options or {})


@dataclasses.dataclass(frozen=True)
class Folder:
    """A folder of this machine, or one that it sees."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)

    def names(self) -> list[str]:
        """What lies in it."""
        if self.path.exists() and not self.path.is_dir():
            raise BuildError(f"{self.path} is a file; a build needs a folder of its own")
        return sorted(path.name for path in self.path.iterdir()) if self.path.exists() else []

    def read(self, name: str) -> bytes | None:
        """A small file."""
        path = self.path / name
        return path.read_bytes() if path.exists() else None

    def sizes(self, names: Iterable[str]) -> dict[str, int]:
        """The bytes of those that are there."""
        return {name: (self.path / name).stat().st_size for name in names if (self.path / name).exists()}

    def send(self, files: Mapping[str, Path]) -> None:
        """Copy each file beside its name and rename it."""
        there = self.sizes(files)
        for name, path in files.items():
            if there.get(name) != path.stat().st_size:
                with beside(self.path / name) as tmp:
                    shutil.copyfile(path, tmp)

    def remove(self, name: str) -> None:
        """Remove a folder in it."""
        shutil.rmtree(self.path / name, ignore_errors=True)


@dataclasses.dataclass(frozen=True)
class Address:
    """A folder, or what a store has in place of one, that fsspec reaches."""

    url: str
    fs: Any  # an fsspec.AbstractFileSystem
    root: str

    def __str__(self) -> str:
        return self.url

    def names(self) -> list[str]:
        """What lies in it."""
        with told(self.url, "read", BuildError):
            self.fs.invalidate_cache()
            if self.root and self.fs.isfile(self.root):
                raise BuildError(f"{self.url} is a file; a build needs a folder of its own")
            try:
                found = self.fs.ls(self.root, detail=False)
            except FileNotFoundError:
                return []
            # A store's folder may be an empty object of its name.
            return sorted({name for path in found if (name := self._relative(path))})

    def read(self, name: str) -> bytes | None:
        """A small file."""
        with told(self.url, "read", BuildError):
            try:
                return bytes(self.fs.cat_file(self._at(name)))
            except FileNotFoundError:
                return None

    def sizes(self, names: Iterable[str]) -> dict[str, int]:
        """The bytes of those that are there, by one listing."""
        with told(self.url, "read", BuildError):
            self.fs.invalidate_cache()
            try:
                found = self.fs.find(self.root, detail=True)
            except FileNotFoundError:
                found = {}
        there = {self._relative(path): about["size"] for path, about in found.items()}
        return {name: there[name] for name in names if name in there}

    def send(self, files: Mapping[str, Path]) -> None:
        """Send what is not there, and ask for its size afterwards."""
        wanted = {name: path.stat().st_size for name, path in files.items()}
        there = self.sizes(files)
        if not (missing := [name for name in files if there.get(name) != wanted[name]]):
            return
        protocols = {self.fs.protocol} if isinstance(self.fs.protocol, str) else {*self.fs.protocol}
        with told(self.url, "written", BuildError):
            if _AT_ONCE & protocols:
                self.fs.put([str(files[name]) for name in missing], [self._at(name) for name in missing])
            else:
                for name in missing:
                    self._move_in(name, files[name], replace=name in there)
        came = self.sizes(files)
        if short := [name for name in files if came.get(name) != wanted[name]]:
            raise BuildError(
                f"{self.url}/{short[0]} has {came.get(short[0], 0):,} bytes where {wanted[short[0]]:,} were sent; run the same command again"
            )

    def _move_in(self, name: str, path: Path, *, replace: bool) -> None:
        passing = f"{WORK}/{uuid.uuid4().hex}"
        for other in (passing, name):
            self.fs.makedirs(self._at(other).rpartition("/")[0], exist_ok=True)
        self.fs.put_file(str(path), self._at(passing))
        if replace:  # not every file system moves over what is there
            self.fs.rm_file(self._at(name))
        self.fs.mv(self._at(passing), self._at(name))

    def remove(self, name: str) -> None:
        """Remove a folder in it."""
        with told(self.url, "written", BuildError), contextlib.suppress(FileNotFoundError):
            self.fs.rm(self._at(name), recursive=True)

    def _at(self, name: str) -> str:
        return f"{self.root.rstrip('/')}/{name}" if self.root else name

    def _relative(self, path: str) -> str:
        return path.strip("/").removeprefix(self.root.strip("/")).strip("/")


def _address(url: str, options: Mapping[str, Any]) -> Address:
    protocol = protocol_of(url)
    if protocol in ("http", "https"):
        raise BuildError(f"{url}: a web server can be read, not written to; give a folder or a store, such as s3://bucket/clean")
    if protocol == "hf" and not url.partition("hf://")[2].startswith("buckets/"):
        raise BuildError(f"{url}: a repository of the Hub takes one commit for a build: build into a folder, then: thaiwiki-clean publish")
    return Address(url, *open_address(url, options, BuildError))
