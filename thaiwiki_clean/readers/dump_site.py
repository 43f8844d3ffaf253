"""The head of a dump: which wiki it comes from, and a parser that believes nothing.

Expat, with whatever a dump has no use for refused: a document type, and so every entity, its own or from elsewhere.
"""

from __future__ import annotations

import dataclasses
import os
import re
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote
from xml.parsers import expat

from thaiwiki_clean.readers.dump_bytes import DamagedError, pieces

__all__ = ["MAX_TAG", "RefusedError", "Site", "new_parser", "site_of"]

#: Bytes of one tag, and of a head: many times what any wiki needs.
MAX_TAG = 16 << 20


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


def site_of(path: str | Path) -> Site:
    """The site that a dump comes from.

    Raises DamagedError when the file does not begin as a MediaWiki export.
    """
    about = os.stat(path)
    return _site_of(str(path), about.st_size, about.st_mtime_ns)


@lru_cache(maxsize=64)
def _site_of(path: str, size: int, changed: int) -> Site:
    """A worker reads many parts of one file: its head once."""
    head = _Head()
    parser = new_parser()
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = head.start, head.end, head.data
    fed = 0
    try:
        for piece in pieces(path):
            for at in range(0, len(piece.data), 1 << 16):
                parser.Parse(piece.data[at : at + (1 << 16)])
                fed += 1 << 16
                if fed > MAX_TAG:
                    return head.site()
        parser.Parse(b"", True)
    except StopIteration:
        pass  # what lies behind the siteinfo is not read here
    except RefusedError as refused:
        raise DamagedError(parser.CurrentByteIndex, str(refused)) from None
    except expat.ExpatError as error:
        raise DamagedError(parser.ErrorByteIndex, f"not the XML of a MediaWiki export ({error})") from None
    return head.site()


class RefusedError(Exception):
    """Something that no dump holds."""


def _refuse(*declared: object) -> None:
    raise RefusedError("a document type or an entity is declared, which no MediaWiki export does")


def new_parser() -> expat.XMLParserType:
    """An expat parser that refuses declarations. Raises RefusedError out of ``Parse`` when there is one."""
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
