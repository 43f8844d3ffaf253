"""The XML of a MediaWiki export: bytes to page records, in bounded memory. The bytes are trusted with nothing.

Expat, with whatever a dump has no use for refused: a document type (and so every entity, its own or from elsewhere), a tag
longer than 16 MB, a text longer than 64 MB. MediaWiki itself saves no page over 2 MB.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote
from xml.parsers import expat

from thaiwiki_clean.readers.dump_bytes import DamagedError, Piece, kind_of, pieces

__all__ = ["MAX_TEXT", "Record", "Site", "records", "site_of"]

MAX_TEXT = 64 << 20
_MAX_TAG = 16 << 20
_PAGE = re.compile(rb"<page[\s>]")
_END = b"</mediawiki>"


@dataclasses.dataclass(frozen=True, slots=True)
class Site:
    """What the head of a dump says about its wiki."""

    dbname: str = ""
    base: str = ""
    language: str = ""
    namespaces: tuple[tuple[int, str], ...] = ()

    @property
    def source(self) -> str:
        """The wiki's name as v3 writes it: thwiktionary is thaiwiktionary, another language keeps its code.

        >>> Site(dbname="thwiki").source, Site(dbname="lowikibooks").source, Site(dbname="commonswiki").source
        ('thaiwikipedia', 'lowikibooks', 'commonswiki')
        """
        found = re.fullmatch(r"([a-z]{2,3}(?:_[a-z_]+)?)(wiki(?:books|quote|source|news|versity|voyage)?|wiktionary)", self.dbname)
        if not found:
            return self.dbname or "wiki"
        project = "wikipedia" if found[2] == "wiki" else found[2]
        return ("thai" if found[1] == "th" else found[1]) + project

    def url(self, title: str) -> str:
        """A page's address, from the address of the main page.

        >>> Site(base="https://th.wikipedia.org/wiki/หน้าหลัก").url("ไข่ ผำ")
        'https://th.wikipedia.org/wiki/%E0%B9%84%E0%B8%82%E0%B9%88_%E0%B8%9C%E0%B8%B3'
        """
        if not self.base.startswith(("https://", "http://")) or not title:
            return ""
        return self.base[: self.base.rfind("/") + 1] + quote(title.replace(" ", "_"), safe="/:(),")


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


def site_of(path: str | Path) -> Site:
    """The site that a dump comes from.

    Raises DamagedError when the file does not begin as a MediaWiki export.
    """
    head = _Head()
    parser = _parser()
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = head.start, head.end, head.data
    fed = 0
    try:
        for piece in pieces(path):
            for at in range(0, len(piece.data), 1 << 16):
                parser.Parse(piece.data[at : at + (1 << 16)])
                fed += 1 << 16
                if fed > _MAX_TAG:
                    return head.site()
        parser.Parse(b"", True)
    except StopIteration:
        pass  # what lies behind the siteinfo is not read here
    except RefusedError as refused:
        raise DamagedError(parser.CurrentByteIndex, str(refused)) from None
    except expat.ExpatError as error:
        raise DamagedError(parser.ErrorByteIndex, f"not the XML of a MediaWiki export ({error})") from None
    return head.site()


def records(path: str | Path, start: int, stop: int) -> Iterator[Record]:
    """The pages whose ``<page>`` begins between two cuts. Raises DamagedError where the file cannot be read on, after the last whole page.

    ``start`` and ``stop`` are :func:`~thaiwiki_clean.readers.dump_bytes.cuts`; any page belongs to exactly one pair of them.
    """
    pages = _Pages()
    parser = _parser()
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
            if fed - parser.CurrentByteIndex > _MAX_TAG:
                raise RefusedError("a tag longer than 16 MB")
            if pages.done or (not pages.open and fed - pages.limit > len(b"<page>")):
                return
        if fed > root and not pages.closed:
            where = f"in page {pages.title!r}" if pages.open else "between two pages"
            raise DamagedError(_byte(path, place), f"the file ends {where}, before </mediawiki>,")
    except RefusedError as refused:
        yield from pages.take()
        raise DamagedError(_byte(path, place), f"{refused}{pages.where()}") from None
    except expat.ExpatError as error:
        yield from pages.take()
        raise DamagedError(_byte(path, place), f"broken XML{pages.where()} ({expat.ErrorString(error.code)})") from None
    except DamagedError as damaged:
        yield from pages.take()
        raise DamagedError(damaged.byte, f"{damaged.what}{pages.where()}") from None


def _byte(path: str | Path, place: int) -> int:
    return place // 8 if kind_of(path) == "bz2" else place


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


class RefusedError(Exception):
    """Something that no dump holds."""


def _refuse(*declared: object) -> None:
    raise RefusedError("a document type or an entity is declared, which no MediaWiki export does")


def _parser() -> expat.XMLParserType:
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.buffer_size = 1 << 16
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    return parser


class _Head:
    """Collects the siteinfo; raises StopIteration where it ends."""

    def __init__(self) -> None:
        self.language = ""
        self.words: dict[str, str] = {}
        self.namespaces: list[tuple[int, str]] = []
        self._text: list[str] = []
        self._key: int | None = None
        self._depth = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if self._depth == 0 and name != "mediawiki":
            raise RefusedError(f"the first element is <{name[:40]}>, not <mediawiki>: no MediaWiki export")
        self._depth += 1
        self._text = []
        if name == "mediawiki":
            self.language = attributes.get("xml:lang", "")
        elif name == "namespace":
            key = attributes.get("key", "")
            self._key = int(key) if re.fullmatch(r"-?\d{1,9}", key) else None
        elif name == "page":
            raise StopIteration

    def data(self, text: str) -> None:
        if len(self._text) < 1000:
            self._text.append(text)

    def end(self, name: str) -> None:
        self._depth -= 1
        text = "".join(self._text).strip()
        if name == "namespace" and self._key is not None:
            self.namespaces.append((self._key, text))
        elif name in ("dbname", "base"):
            self.words[name] = text
        elif name == "siteinfo":
            raise StopIteration

    def site(self) -> Site:
        return Site(self.words.get("dbname", ""), self.words.get("base", ""), self.language, tuple(self.namespaces))


_FIELDS = {("page", "title"), ("page", "ns"), ("page", "id"), ("revision", "id"), ("revision", "timestamp"), ("revision", "model"), ("revision", "text")}


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
