"""Counts of a shard: what was taken out, what could not be read, pages to show for it. The manifest and the report add them up."""

from __future__ import annotations

import hashlib
import heapq
from collections import Counter
from collections.abc import Iterable
from typing import Any, TypeVar

from thaiwiki_clean.page import Page

__all__ = ["DRAWN", "Damage", "Tally"]

Rank = TypeVar("Rank", tuple[bool, int], tuple[int, int])

# A page that is shown fits on a screen and says something; where a shard has none for a reason, its first page serves.
_FIT_TO_SHOW = range(200, 3000)
_SHOWN = 2  # pages of a shard for every reason: one may turn out to be a duplicate
_DAMAGE_SHOWN = 20
#: Pages of a build that are drawn by chance, to be read and to be measured as they came; so many of every shard stand for it.
DRAWN = 400


class Damage:
    """How many rows there are, how many could not be read, and the first of these."""

    def __init__(self) -> None:
        self.rows = self.damaged = 0
        self.first: list[dict[str, str]] = []

    def add(self, pages: Iterable[Page]) -> None:
        """See some more pages."""
        for page in pages:
            self.rows += 1
            if page.dropped == "bad_row":  # a dump knows redirects and other namespaces by its own marks
                self.damaged += 1
                if len(self.first) < _DAMAGE_SHOWN:
                    self.first.append({"id": page.id, "detail": page.detail})

    def about(self) -> dict[str, Any]:
        """All of it, as it is kept in a file."""
        return {"rows": self.rows, "damaged": self.damaged, "damage": self.first}


class Tally:
    """What was taken out of the pages seen so far, by reason."""

    def __init__(self) -> None:
        self.edits: Counter[str] = Counter()
        self.pages: Counter[str] = Counter()
        self.characters: Counter[str] = Counter()
        self.wikis: Counter[str] = Counter()
        self.show: dict[str, list[tuple[bool, int]]] = {}
        self.drawn: list[tuple[int, int]] = []
        self.rows = self.raw = self.text = 0

    def add(self, pages: Iterable[Page]) -> None:
        """See some more pages."""
        for page in pages:
            self.wikis[page.source] += 1
            self.raw += len(page.raw)
            self.text += len(page.text)
            for edit in page.edits:
                self.edits[edit.reason] += 1
                self.characters[edit.reason] += edit.end - edit.start - len(edit.new)
            reasons = sorted({edit.reason for edit in page.edits})  # a set has no order that lasts
            self.pages.update(reasons)
            for reason in dict.fromkeys((*reasons, *([page.dropped] if page.dropped else []))):  # redirect is both
                self._show(reason, page)
            _keep(self.drawn, (-_chance(page), -self.rows), DRAWN)
            self.rows += 1

    def _show(self, reason: str, page: Page) -> None:
        # The best by (does not fit, row); negated, for the heap gives its least.
        _keep(self.show.setdefault(reason, []), (len(page.raw) in _FIT_TO_SHOW, -self.rows), _SHOWN)

    def about(self) -> dict[str, Any]:
        """All counts, as they are kept in a file."""
        return {
            "edits": self.edits,
            "pages": self.pages,
            "removed": self.characters,
            "wikis": self.wikis,
            "show": {reason: sorted((not fit, -row) for fit, row in best) for reason, best in sorted(self.show.items())},
            "drawn": sorted((-chance, -row) for chance, row in self.drawn),
            "raw": self.raw,
            "text": self.text,
        }


def _keep(best: list[Rank], rank: Rank, most: int) -> None:
    """Put ``rank`` into a heap of the ``most`` greatest."""
    if len(best) < most:
        heapq.heappush(best, rank)
    else:
        heapq.heappushpop(best, rank)


def _chance(page: Page) -> int:
    """A number that has nothing to do with what a page says; the same however the pages are dealt into shards."""
    name = f"{page.source}\n{page.id}\n{page.title}".encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(name, digest_size=6).digest())
