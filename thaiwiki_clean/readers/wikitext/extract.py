"""Wikitext to the text that an editor sees, in the order of the passes."""

from __future__ import annotations

import dataclasses
import re

from thaiwiki_clean.readers.wikitext.braces import expand
from thaiwiki_clean.readers.wikitext.lines import mend, tidy
from thaiwiki_clean.readers.wikitext.links import strip_links
from thaiwiki_clean.readers.wikitext.tables import strip_tables
from thaiwiki_clean.readers.wikitext.tags import Verbatim, strip_tags
from thaiwiki_clean.readers.wikitext.vocabulary import Words, words_of

__all__ = ["Extracted", "extract", "redirect_target"]

# Our own marks between the passes; XML allows none of them, so only a text that never was in a dump loses any.
_OURS = "\x00\x01\x02\x03\x04\x05\x06"
_VARIANT = re.compile(r"-\{(?:[^{}|:;]{0,40}\|)?([^{}]{0,400})\}-")


@dataclasses.dataclass(frozen=True, slots=True)
class Extracted:
    """What a page's wikitext says."""

    text: str
    categories: tuple[str, ...] = ()
    evidence: tuple[tuple[str, str], ...] = ()  #: (verdict, template that speaks for it)
    damage: int = 0  #: places where words are missing: a template nobody knows inside a line, braces without a partner


def extract(wikitext: str, words: Words | None = None, *, title: str = "") -> Extracted:
    """The text of a page: headings as ``== x ==``, one paragraph a line, no markup.

    >>> extract("'''สยาม''' ({{lang-en|Siam}}; {{IPA-th|sajam}}) คือ[[ประเทศไทย|ไทย]]<ref>ก</ref>\\n[[หมวดหมู่:ประเทศ]]")
    Extracted(text='สยาม (Siam) คือไทย', categories=('ประเทศ',), evidence=(), damage=0)

    Never raises on a str; takes time in proportion to its length, however the markup is nested. No word is put in that the
    wikitext does not hold, but for the names of units and months.
    """
    words = words or words_of()
    verbatim = Verbatim()
    text = wikitext
    if any(mark in text for mark in _OURS):
        text = text.translate(dict.fromkeys(map(ord, _OURS)))
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    # Order matters. Tags first: <nowiki> switches all else off. Braces before tables and links: both may stand in a template's
    # arguments. Tables before links: a row's bars are no link's. Lines last: a mark counts only where a line begins in the end.
    text = strip_tags(text, verbatim)
    expanded = expand(text, words, title)
    text = strip_tables(expanded.text)
    linked = strip_links(text, words)
    text = linked.text
    if "-{" in text:
        text = _VARIANT.sub(lambda m: m[1].partition(";")[0].rpartition(":")[2], text)
    text, gaps = mend(text, words)
    text = verbatim.show(tidy(text, words))
    return Extracted(text.strip("\n"), linked.categories, expanded.evidence, gaps + expanded.broken + linked.broken)


def redirect_target(wikitext: str, words: Words | None = None) -> str | None:
    """Where a redirect leads; None for any other page.

    >>> redirect_target("#เปลี่ยนทาง [[พ่อ]]"), redirect_target("พ่อ")
    ('พ่อ', None)
    """
    found = (words or words_of()).redirect.match(wikitext)
    return found[1].strip() if found else None
