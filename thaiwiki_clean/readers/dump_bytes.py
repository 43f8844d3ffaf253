"""The bytes of a dump: where it can be cut, and its content from any cut on. Plain, .bz2, .gz and .zst.

A bzip2 file is a row of blocks that know nothing of each other, of at most 900 kB each. Their beginnings are found by their
48-bit mark, at any bit, and a block is a bzip2 file of its own once it has a head and a foot: so ``bzip2recover`` saves damaged
archives, and so every core reads its own part here, whether the dump is one stream or many, with or without an index beside it.
"""

from __future__ import annotations

import bz2
import gzip
import io
import mmap
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

__all__ = ["DamagedError", "Piece", "cuts", "kind_of", "pieces"]

#: Shards of a large dump, and the fewest bytes of one: each reads one block (0.1-0.2 MB packed) that belongs to the next, and the
#: last shards should end together. Thai Wikipedia (some 0.4 GB) makes 64.
SHARDS, SMALLEST = 64, 4 << 20
#: Bytes read at once from a file that is not cut into blocks.
READ = 1 << 20


class Piece(NamedTuple):
    """Content, and the place in the file where it begins: a byte; for bzip2 a bit."""

    place: int
    data: bytes


class DamagedError(Exception):
    """The file cannot be read on from this byte."""

    def __init__(self, byte: int, what: str) -> None:
        super().__init__(f"{what} at byte {byte:,}")
        self.byte, self.what = byte, what


def kind_of(path: str | Path) -> str:
    """``bz2``, ``gz``, ``zst`` or ``xml``, by the first bytes of a file; its name may lie.

    Raises ValueError when it is none of them.
    """
    with open(path, "rb") as file:
        head = file.read(1 << 10)
    for kind, mark in (("bz2", b"BZh"), ("gz", b"\x1f\x8b"), ("zst", b"\x28\xb5\x2f\xfd"), ("xml", b"<")):
        if head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(mark):
            return kind
    what = "is empty" if not head else f"begins with {head[:8]!r}"
    raise ValueError(f"{path}: {what}; a dump is XML, plain or packed as .bz2, .gz or .zst")


def cuts(path: str | Path) -> list[tuple[int, int]]:
    """Places between which a dump can be read apart, ``[start, stop)``; one pair for .gz and .zst, which have no such places.

    The same file gives the same cuts, whoever reads it and with however many hands.
    """
    size = os.path.getsize(path)
    kind = kind_of(path)
    if kind in ("gz", "zst"):
        return [(0, size)]
    step = max(-(-size // SHARDS), SMALLEST)
    places = list(range(0, size, step))
    if kind == "bz2":
        with _mapped(path) as data:
            places = [0, *(at for place in places[1:] if (at := _Marks(data, place * 8).block()) is not None)]
            size *= 8
    ends = sorted(set(places))
    return list(zip(ends, [*ends[1:], size], strict=True))


def pieces(path: str | Path, start: int = 0, stop: int | None = None) -> Iterator[Piece]:
    """The content from a cut to the end of the file; no piece lies on both sides of ``stop``.

    Raises DamagedError where the file cannot be read on; all pieces before it have been given by then.
    """
    kind = kind_of(path)
    if kind == "bz2":
        yield from _blocks(path, start)
    elif kind == "xml":
        with open(path, "rb") as file:
            file.seek(start)
            at = start
            while data := file.read(READ if stop is None or not at < stop <= at + READ else stop - at):
                yield Piece(at, data)
                at += len(data)
    else:
        yield from _packed(path, kind)


def _packed(path: str | Path, kind: str) -> Iterator[Piece]:
    with open(path, "rb") as file:
        at = 0
        try:
            content = _opened(file, kind)
            while data := content.read(READ):
                yield Piece(at, data)
                at = max(at, min(file.tell(), os.path.getsize(path)) - 1)
        except (EOFError, OSError, ValueError, zlib.error) as error:
            raise DamagedError(file.tell(), f"{kind} data broken ({error})") from None


def _opened(file: BinaryIO, kind: str) -> BinaryIO:
    if kind == "gz":
        return cast(BinaryIO, gzip.open(file))
    import pyarrow as pa

    return cast(BinaryIO, pa.CompressedInputStream(cast(io.IOBase, file), "zstd"))


_BLOCK, _FOOT = 0x314159265359, 0x177245385090  # the digits of pi, and of its root


def _blocks(path: str | Path, start: int) -> Iterator[Piece]:
    with _mapped(path) as data:
        marks = _Marks(data, start)
        at = marks.block()
        if at is None and start == 0:
            raise DamagedError(0, "no bzip2 block")
        while at is not None:
            content, after = _block(data, marks, at)
            yield Piece(at, content)
            at = marks.block(after)


def _block(data: mmap.mmap, marks: _Marks, start: int) -> tuple[bytes, int]:
    """The content of a block, and the bit where it ends."""
    end = marks.any(start + 48)
    for _ in range(3):  # the mark of a block can stand inside one by chance, once in 2**48 bits: then the next one is tried
        if end is None:
            break
        try:
            return bz2.decompress(_as_file(data, start, end)), end
        except (OSError, EOFError, ValueError):
            end = marks.any(end + 1)
    raise DamagedError(start // 8, "bzip2 block broken or cut off")


def _as_file(data: mmap.mmap, start: int, end: int) -> bytes:
    """The bits of one block with a head and a foot. The block's check sum, 32 bits after its mark, is that of the whole then."""
    bits = int.from_bytes(data[start // 8 : -(-end // 8)], "big") >> (-end % 8)
    length = end - start
    bits &= (1 << length) - 1
    check = bits >> (length - 80) & 0xFFFFFFFF
    bits = bits << 80 | _FOOT << 32 | check
    length += 80
    return b"BZh9" + (bits << (-length % 8)).to_bytes(-(-length // 8), "big")


class _Marks:
    """Finds the marks of bzip2 blocks and feet behind a bit. Every pattern remembers its last answer: the file is searched once."""

    def __init__(self, data: mmap.mmap, start: int) -> None:
        self.data = data
        self.start = start
        self._next: dict[tuple[int, int], int | None] = {}

    def block(self, after: int | None = None) -> int | None:
        """The bit where the next block begins, at or behind ``after``."""
        return self._first((_BLOCK,), self.start if after is None else after)

    def any(self, after: int) -> int | None:
        """The bit where the next block or foot begins."""
        return self._first((_BLOCK, _FOOT), after)

    def _first(self, marks: tuple[int, ...], after: int) -> int | None:
        found = [at for mark in marks for shift in range(8) if (at := self._of(mark, shift, after)) is not None]
        return min(found, default=None)

    def _of(self, mark: int, shift: int, after: int) -> int | None:
        """The next place of ``mark`` whose bit is ``shift`` behind a byte."""
        known = self._next.get((mark, shift), -1)
        if known is None or known >= after:
            return known
        whole = (mark << (8 - shift) % 8).to_bytes(7, "big")[(shift == 0) :] if shift else mark.to_bytes(6, "big")
        inner = whole[1:-1] if shift else whole
        at = after // 8
        while (at := self.data.find(inner, at)) >= 0:
            begin = at - 1 if shift else at
            bit = begin * 8 + shift
            if begin >= 0 and bit >= after and self._holds(mark, bit):
                self._next[mark, shift] = bit
                return bit
            at += 1
        self._next[mark, shift] = None
        return None

    def _holds(self, mark: int, bit: int) -> bool:
        end = bit + 48
        bits = int.from_bytes(self.data[bit // 8 : -(-end // 8)], "big") >> (-end % 8)
        return bits & ((1 << 48) - 1) == mark and end <= len(self.data) * 8


@contextmanager
def _mapped(path: str | Path) -> Iterator[mmap.mmap]:
    """A file as a row of bytes that is not read into memory."""
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        yield data
