"""What of a built folder is published, and whether it is still what the build wrote."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

from thaiwiki_clean.hub.errors import PublishError
from thaiwiki_clean.pipeline.manifest import NAME, Manifest

__all__ = ["SHARD", "Local", "hash_like", "local", "size"]

#: Data files of a build: those on the Hub that this build has not are of an older one.
SHARD = re.compile(r"(?:data|articles|dropped)/[^/]+\.parquet")


@dataclasses.dataclass(frozen=True)
class Local:
    """What a build would publish: path -> file, or bytes."""

    folder: Path
    manifest: Manifest
    files: Mapping[str, Path | bytes]
    notes: tuple[str, ...]


def local(folder: Path) -> Local:
    """What there is to publish. Raises PublishError when the folder is no finished build, or was changed after it."""
    try:
        manifest = Manifest.read(folder)
    except (ValueError, OSError) as error:
        raise PublishError(str(error)) from None
    if (folder / ".work").exists():
        raise PublishError(
            f"{folder} holds a build that was not finished; run it again first, it goes on where it stopped: {manifest.command}"
        )
    if not any(SHARD.fullmatch(name) for name in manifest.files):
        raise PublishError(f"{folder} holds a build without a row; there is nothing to publish")
    names = ["README.md", NAME, *(["report.html"] if (folder / "report.html").exists() else []), *manifest.files]
    for name in names:
        path, about = folder / name, manifest.files.get(name)
        if not path.is_file() or (about and (path.stat().st_size != about["bytes"] or _sha256(path) != about["sha256"])):
            raise PublishError(f"{path} is not the file that the build wrote; build again into another folder, or put it back")
    others = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    foreign = [name for name in others if name not in names]
    notes = (f"not sent, no build made them: {', '.join(foreign[:5])}{' …' if len(foreign) > 5 else ''}",) if foreign else ()
    return Local(folder, manifest, {name: folder / name for name in names}, notes)


def hash_like(content: Path | bytes, like: str) -> str:
    """SHA-256 when ``like`` is one, else the name that git gives the content."""
    if len(like) == 64:
        return _sha256(content)
    data = content if isinstance(content, bytes) else content.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def _sha256(content: Path | bytes) -> str:
    if isinstance(content, bytes):
        return hashlib.sha256(content).hexdigest()
    with content.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def size(content: Path | bytes) -> int:
    """Bytes of a file, or of what would be one."""
    return len(content) if isinstance(content, bytes) else content.stat().st_size
