"""Bytes of a file, unpacked where it is packed, and lines of them that end at ``\\n`` only."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Literal, cast

from thaiwiki_clean.readers.records import SourceError

__all__ = ["PACKED", "lines", "one_line", "open_bytes", "sha256"]

#: Endings of packed files; pyarrow, which is there anyhow, unpacks all three.
PACKED: dict[str, Literal["gzip", "bz2", "zstd"]] = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd"}

#: No article is near this long (the longest page MediaWiki takes is 2 MB): such a line is a damaged file or no text at all.
LONGEST_LINE = 256 << 20

_BOMS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}


@contextmanager
def open_bytes(path: str) -> Iterator[BinaryIO]:
    """The unpacked bytes of a file, behind its byte order mark.

    Raises SourceError when the file is missing, is UTF-16, or turns out to be damaged or cut off while it is read.
    """
    import pyarrow as pa

    codec = next((codec for ending, codec in PACKED.items() if path.lower().endswith(ending)), None)
    try:
        with open(path, "rb") as file:
            stream = cast(BinaryIO, io.BufferedReader(pa.CompressedInputStream(file, codec), 1 << 20)) if codec else file
            head = stream.peek(3)[:3] if isinstance(stream, io.BufferedReader) else b""
            if head[:2] in _BOMS:
                raise SourceError(f"{path}: {_BOMS[head[:2]]} text, expected UTF-8; turn it: iconv -f UTF-16 -t UTF-8 FILE")
            if head == b"\xef\xbb\xbf":
                stream.read(3)
            yield stream
    except (OSError, pa.ArrowException) as error:
        raise SourceError(f"{path}: {one_line(error)}" + ("; the file is damaged or cut off, fetch it again" if codec else "")) from error


def lines(stream: BinaryIO) -> Iterator[bytes]:
    """Lines with their ends. Of a line longer than ``LONGEST_LINE`` only so much comes, without an end: it cannot be held."""
    while line := stream.readline(LONGEST_LINE):
        yield line
        while len(line) == LONGEST_LINE and not line.endswith(b"\n"):
            line = stream.readline(LONGEST_LINE)


def one_line(error: BaseException) -> str:
    """What an error says, in one line."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return " ".join(str(error).split()) or type(error).__name__


def sha256(path: Path) -> str:
    """The sha256 of a file. Raises SourceError where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise SourceError(f"{path}: {one_line(error)}") from error
