"""Page: the one record that flows through every stage, from a reader to the written files."""

from __future__ import annotations

import dataclasses
from urllib.parse import quote

from thaiwiki_clean.edits import Edit

__all__ = ["Page", "page_url"]

#: Where the pages of each value of v3's ``source`` column live.
HOSTS = {
    "thaiwikipedia": "th.wikipedia.org",
    "thaiwikibooks": "th.wikibooks.org",
    "thaiwikiquote": "th.wikiquote.org",
    "thaiwikisource": "th.wikisource.org",
    "thaiwiktionary": "th.wiktionary.org",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Page:
    """One wiki page.

    ``raw`` is the text as it came, ``text`` as it leaves, ``edits`` lead from one to the other.
    A page that falls is not taken out of the stream: ``dropped`` names the verdict and ``detail`` says more.
    Stages give back new pages (:func:`dataclasses.replace`); nothing is changed in place.
    """

    id: str
    title: str
    source: str
    url: str
    raw: str
    text: str = ""
    edits: tuple[Edit, ...] = ()
    dropped: str | None = None
    detail: str = ""
    revision: str = ""  #: revision id of the wikitext, where the source has one
    timestamp: str = ""  #: time of that revision, ISO 8601, where the source has one
    cluster: str = ""  #: id of the duplicate cluster; the id of its survivor


def page_url(source: str, title: str) -> str:
    """The page's address, for attribution; empty when ``source`` is not a Thai Wikimedia project.

    >>> page_url("thaiwikipedia", "ไข่ ผำ")
    'https://th.wikipedia.org/wiki/%E0%B9%84%E0%B8%82%E0%B9%88_%E0%B8%9C%E0%B8%B3'
    """
    host = HOSTS.get(source)
    return f"https://{host}/wiki/{quote(title.replace(' ', '_'), safe='/:(),')}" if host and title else ""
