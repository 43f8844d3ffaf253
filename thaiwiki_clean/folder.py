"""The folder that a build writes: whose it is, whether it is finished, and who is at work in it."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from thaiwiki_clean.manifest import NAME, Manifest, differences
from thaiwiki_clean.progress import BuildError
from thaiwiki_clean.shards import sweep, write_text

try:
    import fcntl
except ImportError:  # Windows has none: two builds in one folder are then not told from each other
    fcntl = None  # type: ignore[assignment]

__all__ = ["claim", "finished", "publish"]

_WORK = ".work"


def finished(folder: Path, identity: dict[str, Any]) -> Manifest | None:
    """The manifest of a folder that is already what is asked for; None when there is work to do.

    Raises BuildError when something else is in the way.
    """
    if folder.exists() and not folder.is_dir():
        raise BuildError(f"{folder} is a file; a build needs a folder of its own")
    held = sorted(path.name for path in folder.iterdir()) if folder.exists() else []
    if NAME in held:
        try:
            manifest = Manifest.read(folder)
        except ValueError as error:
            raise BuildError(str(error)) from None
        _agree(folder, manifest.identity, identity)
        for name, about in manifest.files.items():
            path = folder / name
            if not path.exists() or path.stat().st_size != about["bytes"]:
                raise BuildError(f"{path} is not the file that {NAME} names; it was changed after the build: build into another folder")
        shutil.rmtree(folder / _WORK, ignore_errors=True)
        return manifest
    if (begun := _begun(folder)) is not None:
        _agree(folder, begun, identity)
    elif foreign := [name for name in held if name != _WORK]:
        shown = ", ".join(foreign[:3]) + (f" and {len(foreign) - 3} more" if len(foreign) > 3 else "")
        raise BuildError(f"{folder} holds what no build made ({shown}); give a new or an empty folder")
    return None


def _begun(folder: Path) -> dict[str, Any] | None:
    """The identity of the build that was begun in ``folder``."""
    path = folder / _WORK / "identity.json"
    return json.loads(path.read_text("utf-8")) if path.exists() else None


def _agree(folder: Path, old: dict[str, Any], new: dict[str, Any]) -> None:
    if changed := differences(old, new):
        raise BuildError(f"{folder} holds a build that differs ({'; '.join(changed)}); build into another folder, or remove this one first")


@contextlib.contextmanager
def claim(folder: Path, identity: dict[str, Any]) -> Iterator[Path]:
    """The folder of the work, ours alone; what writers that were killed left there is swept out."""
    work = folder / _WORK
    work.mkdir(parents=True, exist_ok=True)
    with (work / "lock").open("w") as lock:
        if fcntl is not None:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BuildError(f"another build is at work in {folder}; wait for it or give another folder") from None
        sweep(work)
        if _begun(folder) is None:
            write_text(work / "identity.json", json.dumps(identity, ensure_ascii=False))
        yield work


def publish(work: Path, folder: Path) -> None:
    """Move what is whole to where it belongs, the manifest last, and leave no work behind."""
    whole = work / "whole"
    for path in sorted(whole.iterdir(), key=lambda path: path.name == NAME):
        path.rename(folder / path.name)
    shutil.rmtree(work)
