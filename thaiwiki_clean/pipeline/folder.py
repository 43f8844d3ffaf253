"""The place that a build writes to, and the folder that it works in: whose they are, whether it is finished, and who is at work."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from thaiwiki_clean.pipeline.manifest import NAME, Manifest, differences
from thaiwiki_clean.pipeline.places import WORK, Folder, Place
from thaiwiki_clean.pipeline.progress import BuildError
from thaiwiki_clean.pipeline.shards import sweep, write_text

try:
    import fcntl
except ImportError:  # Windows has none: two builds in one folder are then not told from each other
    fcntl = None  # type: ignore[assignment]

__all__ = ["IDENTITY", "claim", "finished", "publish", "work_folder"]

#: In a folder of work, and in an unfinished place: the identity of the build.
IDENTITY = "identity.json"


def finished(place: Place, work: Path, identity: dict[str, Any]) -> Manifest | None:
    """The manifest of a place that is already what is asked for, and no work left behind; None when there is work to do.

    Raises BuildError when something else is in the way.
    """
    held = place.names()
    if NAME in held and (told := place.read(NAME)) is not None:
        try:
            manifest = Manifest.from_json(told, f"{place}/{NAME}")
        except ValueError as error:
            raise BuildError(str(error)) from None
        _agree(place, manifest.identity, identity)
        sizes = place.sizes(manifest.files)
        for name, about in manifest.files.items():
            if sizes.get(name) != about["bytes"]:
                raise BuildError(
                    f"{place}/{name} is not the file that {NAME} names; it was changed after the build: build into another folder"
                )
        if WORK in held:
            place.remove(WORK)
        _forget(work)
        return manifest
    if WORK in held and (begun := place.read(f"{WORK}/{IDENTITY}")) is not None:
        _agree(place, json.loads(begun), identity)
    elif foreign := [name for name in held if name != WORK]:
        shown = ", ".join(foreign[:3]) + (f" and {len(foreign) - 3} more" if len(foreign) > 3 else "")
        raise BuildError(f"{place} holds what no build made ({shown}); give a new or an empty folder")
    return None


def _agree(place: Place, old: dict[str, Any], new: dict[str, Any]) -> None:
    if changed := differences(old, new):
        raise BuildError(f"{place} holds a build that differs ({'; '.join(changed)}); build into another folder, or remove this one first")


def work_folder(place: Place, work: str | Path | None) -> Path:
    """Where to work: in the place itself if that is a folder, else in one of our own in ``work``, by default in the user's cache.

    The same place has the same one every time, so that a build that was killed is found again.
    """
    if isinstance(place, Folder):
        if work is None:
            return place.path.absolute() / WORK
        place = Folder(place.path.absolute())
    if work is None:
        work = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "thaiwiki-clean"
    ours = re.sub(r"[^\w.-]+", "-", str(place).rpartition("/")[2])[-40:]
    return Path(work).absolute() / f"{ours}-{hashlib.sha256(str(place).encode(errors='surrogateescape')).hexdigest()[:12]}"


@contextlib.contextmanager
def claim(place: Place, work: Path, identity: dict[str, Any]) -> Iterator[None]:
    """The folder of the work, ours alone; what writers that were killed left there is swept out.

    The place is marked as ours, too: whoever may not write there learns it now, and not after hours of work.
    """
    work.mkdir(parents=True, exist_ok=True)
    with (work / "lock").open("w") as lock:
        if fcntl is not None:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BuildError(f"another build is at work in {place}; wait for it or give another folder") from None
        sweep(work)
        _take_up(work, identity)
        if not _inside(work, place):
            place.send({f"{WORK}/{IDENTITY}": work / IDENTITY})
        yield
    if not (work / IDENTITY).exists():
        _forget(work)  # now, with the lock closed: NFS keeps a file that is open, and the folder with it


def _take_up(work: Path, identity: dict[str, Any]) -> None:
    """Go on with the work that was begun; what was begun for another build, which its place has forgotten, is thrown away."""
    path = work / IDENTITY
    if path.exists():
        if not differences(json.loads(path.read_text("utf-8")), identity):
            return
        path.unlink()  # first: without it the rest is nobody's
    for other in work.iterdir():
        if other.is_dir():
            shutil.rmtree(other)
    write_text(path, json.dumps(identity, ensure_ascii=False))


def _inside(work: Path, place: Place) -> bool:
    return isinstance(place, Folder) and work == place.path.absolute() / WORK


def publish(work: Path, place: Place) -> Manifest:
    """Put what is whole to where it belongs, the manifest last, and call the work done."""
    whole = work / "whole"
    sweep(whole)  # a worker that died while it wrote one of these files left its half here
    told = (whole / NAME).read_bytes()
    if isinstance(place, Folder) and _inside(work, place):
        for path in sorted(whole.iterdir(), key=lambda path: path.name == NAME):
            path.rename(place.path / path.name)
    else:
        files = {path.relative_to(whole).as_posix(): path for path in sorted(whole.rglob("*")) if path.is_file()}
        place.send({name: path for name, path in files.items() if name != NAME})
        place.send({NAME: files[NAME]})
        place.remove(WORK)
    (work / IDENTITY).unlink()
    return Manifest.from_json(told, f"{place}/{NAME}")


def _forget(work: Path) -> None:
    """Remove a folder of work, the identity first: half of what was whole must never be taken for it."""
    (work / IDENTITY).unlink(missing_ok=True)
    shutil.rmtree(work, ignore_errors=True)
