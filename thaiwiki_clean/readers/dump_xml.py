"""The pages of a dump: bytes to records, in bounded memory.

A tag longer than 16 MB and a text longer than 64 million characters are refused; MediaWiki itself saves no page over 2 MB.
"""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from xml.parsers import expat

from thaiwiki_clean.readers.dump_bytes import DamagedError, Piece, kind_of, pieces
from thaiwiki_clean.readers.dump_site import MAX_TAG, RefusedError, new_parser

__all__ = ["MAX_TEXT", "Record", "records"]

#: Characters of one page's text.
MAX_TEXT = 64 << 20
_PAGE = re.compile(rb"<page[\s>]")
_END = b"</mediawiki>"


@dataclasses.dataclass(frozen=True, slots=True)
class Record:
    """One ``<page>`` element: of several revisions the last one."""

    id: str = ""
    title: str = ""
    namespace: int | None = None
    redirect: str | None = None
    revision: str = ""
    timestamp: str = ""
    model: str = "wikitext"
    text: str = ""
    too_long: bool = False


def records(path: str | Path, start: int, stop: int) -> Iterator[Record]:
    """The pages whose ``<page>`` begins between two cuts. Raises DamagedError where the file cannot be read on, after the last whole page.

    ``start`` and ``stop`` are :func:`~thaiwiki_clean.readers.dump_bytes.cuts`; any page belongs to exactly one pair of them.
    """
    pages = _Pages()
    parser = new_parser()
    parser.StartElementHandler, parser.EndElementHandler = pages.start, pages.end
    pages.parser = parser
    parser.Parse(b"<mediawiki>")
    root = len(b"<mediawiki>")
    place = start
    fed = root
    try:
        for piece in _from_first_page(pieces(path, start, stop), stop):
            place = piece.place
            if place >= stop:
                pages.limit = min(pages.limit, fed)
            parser.Parse(piece.data)
            fed += len(piece.data)
            yield from pages.take()
            if fed - parser.CurrentByteIndex > MAX_TAG:
                raise RefusedError("a tag longer than 16 MB")
            if pages.done or (not pages.open and fed - pages.limit > len(b"<page>")):
                return
        if fed > root and not pages.closed:
            raise DamagedError(os.path.getsize(path), "the file ends before </mediawiki>,")
    except RefusedError as refused:
        yield from pages.take()
        raise DamagedError(_byte(path, place, parser.CurrentByteIndex - fed), f"{refused}{pages.where()}") from None
    except expat.ExpatError as error:
        yield from pages.take()
        raise DamagedError(
            _byte(path, place, parser.ErrorByteIndex - fed), f"broken XML{pages.where()} ({expat.ErrorString(error.code)})"
        ) from None
    except DamagedError as damaged:
        yield from pages.take()
        raise DamagedError(damaged.byte, f"{damaged.what}{pages.where()}") from None


def _byte(path: str | Path, place: int, behind: int) -> int:
    """The byte of the file: in a packed one that of the piece, in plain XML the very byte, so many behind where the piece begins."""
    kind = kind_of(path)
    return place // 8 if kind == "bz2" else place + max(behind, 0) * (kind == "xml")


def _from_first_page(source: Iterable[Piece], stop: int) -> Iterator[Piece]:
    """The pieces from the first ``<page>`` on; none when it begins behind ``stop``. A tag may lie across two pieces."""
    before = data = b""
    found = False
    place = 0
    for piece in source:
        place = piece.place
        if found:
            yield piece
            continue
        data = before + piece.data
        if (at := _PAGE.search(data)) and (piece.place < stop or at.start() < len(before)):
            found = True
            if at.start() < len(before) and piece.place >= stop:  # begins in the last bytes before the cut
                yield Piece(stop - 1, data[at.start() : len(before)])
                yield piece
            else:
                yield Piece(piece.place, data[at.start() :])
        elif piece.place >= stop:
            return
        before = data[-len(b"<page") :]
    tail = data[-64:].rstrip()
    if not found and not tail.endswith(_END) and not _END.endswith(tail):  # the cut may lie inside the last tag
        raise DamagedError(place, "the file ends before </mediawiki>,")


_FIELDS = {
    ("page", "title"),
    ("page", "ns"),
    ("page", "id"),
    ("revision", "id"),
    ("revision", "timestamp"),
    ("revision", "model"),
    ("revision", "text"),
}


class _Pages:
    """Collects page elements. Text is only looked at inside the elements that count."""

    parser: expat.XMLParserType

    def __init__(self) -> None:
        self.limit = 1 << 62  # pages that begin from here on are not ours
        self.done = self.closed = self.open = False
        self.title = self.last = ""
        self._ready: list[Record] = []
        self._path: list[str] = []
        self._fields: dict[tuple[str, str], str] = {}
        self._redirect: str | None = None
        self._text: list[str] = []
        self._length = 0

    def take(self) -> Iterator[Record]:
        """The pages that are whole by now."""
        ready, self._ready = self._ready, []
        yield from ready

    def where(self) -> str:
        """Words for a message."""
        if self.open:
            return f" in page {self.title!r}"
        return f" after page {self.last!r}" if self.last else ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        path = self._path
        if name == "page" and len(path) == 1:
            if self.parser.CurrentByteIndex >= self.limit:
                self.done = True
            self.open = not self.done
            self._fields, self._redirect, self.title = {}, None, ""
        elif name == "redirect" and path[-1:] == ["page"]:
            self._redirect = attributes.get("title", "")
        elif name == "revision":
            self._fields = {key: value for key, value in self._fields.items() if key[0] == "page"}
        if path and (path[-1], name) in _FIELDS and not self.done:
            self._text, self._length = [], 0
            self.parser.CharacterDataHandler = self._data
        path.append(name)

    def _data(self, text: str) -> None:
        self._length += len(text)
        if self._length <= MAX_TEXT:
            self._text.append(text)
        else:
            self._text.clear()

    def end(self, name: str) -> None:
        path = self._path
        path.pop()
        if self.done:
            return
        if path and (path[-1], name) in _FIELDS:
            self.parser.CharacterDataHandler = None
            self._fields[path[-1], name] = "".join(self._text)
            if name == "text":
                self._fields["revision", "length"] = str(self._length)
            elif name == "title":
                self.title = self._fields["page", "title"][:200]
        elif name == "page" and len(path) == 1:
            self._ready.append(self._record())
            self.open, self.last = False, self.title
        elif not path:
            self.closed = True

    def _record(self) -> Record:
        get = self._fields.get
        number = get(("page", "ns"), "").strip()
        return Record(
            id=get(("page", "id"), "").strip(),
            title=get(("page", "title"), ""),
            namespace=int(number) if re.fullmatch(r"-?\d{1,9}", number) else None,
            redirect=self._redirect,
            revision=get(("revision", "id"), "").strip(),
            timestamp=get(("revision", "timestamp"), "").strip(),
            model=get(("revision", "model"), "").strip() or "wikitext",
            text=get(("revision", "text"), ""),
            too_long=int(get(("revision", "length"), "0")) > MAX_TEXT,
        )
