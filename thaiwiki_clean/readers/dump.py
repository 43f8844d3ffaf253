"""A MediaWiki dump as pages: https://dumps.wikimedia.org/thwiki/, ``thwiki-latest-pages-articles.xml.bz2`` and its like."""

from __future__ import annotations

import os
from collections.abc import Iterator

from thaiwiki_clean.page import Page
from thaiwiki_clean.readers.dump_bytes import DamagedError, cuts
from thaiwiki_clean.readers.dump_site import Site, site_of
from thaiwiki_clean.readers.dump_xml import MAX_TEXT, Record, records
from thaiwiki_clean.readers.records import BrokenOffError, Columns, Shard, SourceError
from thaiwiki_clean.readers.wikitext import Extracted, Words, extract, redirect_target, words_of

__all__ = ["dump_shards", "read_dump_shard"]

#: A page that is a list by its title or its categories is dropped as one when it holds fewer characters of prose than this:
#: two lines of a lead. Lines of prose are those of 80 characters or more.
LIST_PROSE, PROSE_LINE = 240, 80


def dump_shards(path: str, name: str = "") -> tuple[Shard, ...]:
    """The parts of a dump that can be read apart, in the order of the file.

    Plain XML is cut at any byte, .bz2 between any two blocks (of one stream or many, no index needed); .gz and .zst are one
    part. The cuts depend on the file alone. Raises SourceError when it is no MediaWiki dump.
    """
    try:
        site_of(path)
        places = cuts(path)
    except (DamagedError, ValueError) as error:
        raise SourceError(f"{path}: {error}" if isinstance(error, DamagedError) else str(error)) from None
    name = name or os.path.basename(path)
    return tuple(Shard(f"{name}#{part:05d}", path, "dump", part, start, stop, Columns()) for part, (start, stop) in enumerate(places))


def read_dump_shard(shard: Shard, strict: bool = False) -> Iterator[Page]:
    """The pages of one part, every one of them: redirects, talk pages and the like come with the reason why they fall.

    Raises BrokenOffError after the last whole page when the dump is damaged, with the page and the byte. With ``strict``, a page
    that cannot be used (no title, a text over 64 MB) raises SourceError too; without, it falls as ``bad_row``.
    """
    path, read = shard.path, 0
    try:
        site = site_of(path)
        words = words_for(site)
        for record in records(path, shard.start, shard.stop):
            page = to_page(record, site, words)
            if strict and page.dropped == "bad_row":
                raise SourceError(f"{shard.file}: page {record.title[:80]!r} (id {record.id or 'none'}): {page.detail}")
            read += 1
            yield page
    except DamagedError as error:
        raise BrokenOffError(
            f"{shard.file}: {error}; the {read:,} pages before it in this part were read. Fetch the dump again and compare its check sum (…-sha1sums.txt)"
        ) from None


def words_for(site: Site) -> Words:
    """The vocabulary of a wiki: that of its language, and the namespaces its dump names."""
    language = site.language or site.dbname.partition("wik")[0].replace("_", "-") or "th"
    return words_of(language).with_namespaces({name: key for key, name in site.namespaces})


def to_page(record: Record, site: Site, words: Words) -> Page:
    """One page element as a page, its text extracted.

    >>> site = Site("thwiki", "https://th.wikipedia.org/wiki/หน้าหลัก", "th", ((14, "หมวดหมู่"),))
    >>> page = to_page(Record("7", "กา", 0, text="'''กา'''เป็นนก {{แก้กำกวม}}"), site, words_for(site))
    >>> page.raw, page.dropped, page.detail, page.source
    ('กาเป็นนก', 'disambiguation', 'disambiguation: {{แก้กำกวม}}', 'thaiwikipedia')

    What a page falls for here is known from the wiki's own marks; what its text says is left to :func:`thaiwiki_clean.judge`.
    """
    page = Page(
        id=record.id,
        title=record.title,
        source=site.source,
        url=site.url(record.title),
        raw="",
        revision=record.revision,
        timestamp=record.timestamp,
    )

    def falls(reason: str, detail: str, raw: str = "") -> Page:
        return _with(page, raw, reason, detail)

    if not record.title or record.too_long:
        return falls("bad_row", f"the text is longer than {MAX_TEXT >> 20} million characters" if record.title else "no title")
    namespace = _namespace(record, words)
    if namespace != 0:
        return falls("other_namespace", f"{namespace} {dict(site.namespaces).get(namespace, '')}".strip())
    target = record.redirect if record.redirect is not None else redirect_target(record.text[:2000], words)
    if target is not None:
        return falls("redirect", f"-> {target}", record.text[:500].strip())
    if record.model != "wikitext":
        return falls("other_model", record.model)
    found = extract(record.text, words, title=record.title)
    verdict, detail = evidence(record.title, found, words)
    return _with(page, found.text, verdict, detail)


def evidence(title: str, found: Extracted, words: Words) -> tuple[str | None, str]:
    """What a page is by its title, templates and categories, and the words that say so.

    >>> words = words_of("th")
    >>> evidence("กา", extract("ก {{โครงสัตว์}} {{ใครรู้}} ข"), words)
    (None, 'stub: {{โครงสัตว์}}; damage: 1')

    A stub mark is only noted: it stands on many a page with more to say. A list falls when hardly any prose is left.
    """
    signs: dict[str, str] = {}
    for verdict, name in found.evidence:
        signs.setdefault(verdict, f"{{{{{name}}}}}")
    for category in found.categories:
        if known := words.categories(category.lower()):
            signs.setdefault(known, f"[[{category}]]")
    for part, known in words.titles:
        if title.lower().startswith(part):
            signs.setdefault(known, "title")
    for part, known in words.title_ends:
        if title.lower().endswith(part):
            signs.setdefault(known, "title")
    fallen = None
    if "disambiguation" in signs:
        fallen = "disambiguation"
    elif "list_page" in signs and sum(len(line) for line in found.text.split("\n") if len(line) >= PROSE_LINE) < LIST_PROSE:
        fallen = "list_page"
    said = [f"{sign}: {word}" for sign, word in signs.items()]
    return fallen, "; ".join([*said, f"damage: {found.damage}"] if found.damage else said)


def _namespace(record: Record, words: Words) -> int:
    """The number in the dump; old exports have none, then the title says it."""
    if record.namespace is not None:
        return record.namespace
    before, colon, _ = record.title.partition(":")
    return words.namespaces.get(before.strip().lower(), 0) if colon else 0


def _with(page: Page, raw: str, dropped: str | None, detail: str) -> Page:
    return Page(
        page.id, page.title, page.source, page.url, raw, dropped=dropped, detail=detail, revision=page.revision, timestamp=page.timestamp
    )
