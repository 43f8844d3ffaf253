"""Words: what a wiki calls its namespaces, switches and templates, from the data files of a language."""

from __future__ import annotations

import contextlib
import dataclasses
import re
from collections.abc import Callable, Mapping
from functools import cache

from thaiwiki_clean.vocabulary import terms

__all__ = ["DEFAULT_LANGUAGE", "Words", "words_of"]

#: A language without a data file of its own is read with the common one alone.
DEFAULT_LANGUAGE = "th"

#: What a template does, by its name; see ``docs/explanation/wikitext.md`` for the actions.
Action = str


@dataclasses.dataclass(frozen=True)
class Words:
    """The vocabulary of one wiki. Names are in small letters, with blanks for underscores."""

    language: str
    namespaces: Mapping[str, int]  #: name in front of a colon -> number
    foreign: frozenset[str]  #: names in front of a colon that lead to another wiki
    languages: frozenset[str]  #: those of them that are languages: such a link stands beside the page, not in it
    switches: frozenset[str]  #: ``__notoc__`` and its like
    redirect: re.Pattern[str]
    action: Callable[[str], Action | None]  #: what to do with a template of this name; None when nobody knows
    units: Mapping[str, str]
    months: Mapping[str, str]
    dates: Mapping[str, str]
    lead_words: frozenset[str]
    categories: Callable[[str], str | None]  #: category -> verdict it is evidence for
    titles: tuple[tuple[str, str], ...]  #: (how a title begins, verdict)
    title_ends: tuple[tuple[str, str], ...]

    def with_namespaces(self, namespaces: Mapping[str, int]) -> Words:
        """The same words, and the namespaces that a dump says its wiki has."""
        return dataclasses.replace(self, namespaces={**self.namespaces, **{_name(name): key for name, key in namespaces.items() if name}})


@cache
def words_of(language: str = DEFAULT_LANGUAGE) -> Words:
    """The words of a language, over the words that all wikis share.

    >>> words_of("th").action("โครงประเทศ"), words_of("th").namespaces["หมวดหมู่"], words_of("lo").language
    ('stub', 14, 'lo')

    Another language is another data file ``vocabulary/wikitext/<code>.tsv``; without one, the common file serves alone.
    """
    rows = terms("wikitext/common")
    with contextlib.suppress(FileNotFoundError):
        rows += terms(f"wikitext/{language}") if re.fullmatch(r"[a-z-]{2,12}", language) else ()
    of: dict[str, dict[str, str]] = {}
    for kind, name, value, _ in rows:
        of.setdefault(kind, {})[_name(name) if kind in ("namespace", "template", "category", "magic_word") else name] = value
    languages = frozenset(of["languages"][""].split())
    starts = "|".join(re.escape(word) for word in of["redirect"])
    return Words(
        language=language,
        namespaces={name: int(key) for name, key in of["namespace"].items()},
        foreign=languages | frozenset(of["interwiki"]),
        languages=languages,
        switches=frozenset(of["magic_word"]),
        redirect=re.compile(rf"\s*(?:{starts})\s*:?\s*\[\[\s*:?([^\[\]|\n]+)", re.IGNORECASE),
        action=_lookup(of["template"]),
        units=of["unit"],
        months=of["month"],
        dates=of["date"],
        lead_words=frozenset(of["lead_word"]),
        categories=_lookup(of["category"]),
        titles=tuple(of["title"].items()),
        title_ends=tuple(of["title_end"].items()),
    )


def _name(name: str) -> str:
    return name.replace("_", " ").strip().lower() if not name.startswith("__") else name.lower()


def _lookup(table: Mapping[str, str]) -> Callable[[str], str | None]:
    """Name -> value; a name with ``*`` at its end or beginning stands for all names that begin or end so. The longest wins."""
    exact = {name: value for name, value in table.items() if "*" not in name or name == "*"}
    starts = sorted(
        ((name[:-1], value) for name, value in table.items() if name.endswith("*") and name != "*"), key=lambda row: -len(row[0])
    )
    ends = sorted(
        ((name[1:], value) for name, value in table.items() if name.startswith("*") and name != "*"), key=lambda row: -len(row[0])
    )
    known: dict[str, str | None] = {}

    def find(name: str) -> str | None:
        if name in exact:
            return exact[name]
        if name not in known:
            if len(known) > 1 << 16:
                known.clear()
            known[name] = next((v for p, v in starts if name.startswith(p)), None) or next((v for p, v in ends if name.endswith(p)), None)
        return known[name]

    return find
