"""Which column is what, told by its name."""

from __future__ import annotations

from collections.abc import Sequence

from thaiwiki_clean.readers.records import Columns, SourceError

__all__ = ["SYNONYMS", "find_columns"]

#: Names of a column in the order in which they are tried; case and blanks around do not count.
#: v3 has title, text, source; wikimedia/wikipedia has id, url, title, text; the rest are what other wiki data sets write.
#: ``__index_level_0__`` is no id: pandas leaves it behind when tables are put together, and it then starts again for every wiki.
#: Whoever knows better names it: ``Columns(id="__index_level_0__")``.
SYNONYMS: dict[str, tuple[str, ...]] = {
    "text": ("text", "content", "article", "body", "page_text", "article_text", "raw_text", "document", "passage", "ข้อความ", "เนื้อหา"),
    "title": ("title", "page_title", "article_title", "name", "headline", "ชื่อเรื่อง", "ชื่อ"),
    "source": ("source", "wiki", "project", "site"),
    "url": ("url", "page_url", "link", "permalink", "uri"),
    "id": ("id", "page_id", "pageid", "curid", "article_id", "doc_id", "_id"),
}


def find_columns(there: Sequence[str], wanted: Columns, file: str) -> Columns:
    """``wanted`` with every None filled in from the names of the columns that are there; None stays where none fits.

    >>> find_columns(["ID", "Content", "Title"], Columns(), "pages.csv")
    Columns(text='Content', title='Title', source=None, url=None, id='ID', default_source='')

    Raises SourceError when there is no text column, when a column that was named is missing, or when a name stands twice.
    """
    folded: dict[str, str] = {}
    for column in there:
        folded.setdefault(column.strip().casefold(), column)
    found: dict[str, str | None] = {
        role: getattr(wanted, role) or next((folded[name] for name in names if name in folded), None) for role, names in SYNONYMS.items()
    }
    for role, name in found.items():
        if name is None:
            continue
        if name not in there:
            raise SourceError(f"{file}: no column {name!r} for the {role}; there are {_listed(there)}")
        if there.count(name) > 1:
            raise SourceError(f"{file}: column {name!r} stands {there.count(name)} times; a {role} column must be one")
    if found["text"] is None:
        raise SourceError(f"{file}: no text column; there are {_listed(there)}; name it with Columns(text=...) or --text-column")
    return Columns(**found, default_source=wanted.default_source)


def _listed(names: Sequence[str], most: int = 20) -> str:
    shown = ", ".join(map(repr, names[:most])) or "none"
    return shown + (f" and {len(names) - most} more" if len(names) > most else "")
