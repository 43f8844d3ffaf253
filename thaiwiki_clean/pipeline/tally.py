"""Counts of a shard: what was taken out, what could not be read, pages to show for it. The manifest and the report add them up."""

from __future__ import annotations

import hashlib
import heapq
from collections import Counter
from collections.abc import Iterable, Mapping
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
    """What was taken out of the pages of a shard, by reason. ``about`` is what an earlier one said, to go on from."""

    def __init__(self, about: Mapping[str, Any] | None = None) -> None:
        self.edits: Counter[str] = Counter()
        self.pages: Counter[str] = Counter()
        self.characters: Counter[str] = Counter()
        self.wikis: Counter[str] = Counter()
        self.show: dict[str, list[tuple[bool, int]]] = {}
        self.drawn: list[tuple[int, int]] = []
        self.raw = self.text = 0
        if about:
            self.edits, self.pages, self.characters, self.wikis = (Counter(about[name]) for name in ("edits", "pages", "removed", "wikis"))
            self.show = {reason: [(not unfit, -row) for unfit, row in reversed(best)] for reason, best in about["show"].items()}
            self.drawn = [(-chance, -row) for chance, row in reversed(about["drawn"])]  # from the least: a heap
            self.raw, self.text = about["raw"], about["text"]

    def add(self, pages: Iterable[Page], first: int = 0) -> None:
        """See some more pages, of which the first is row ``first`` of the shard."""
        for row, page in enumerate(pages, first):
            self._count(page, 1)
            self._show(row, page)
            _keep(self.drawn, (-_chance(page), -row), DRAWN)

    def replace(self, row: int, before: Page, now: Page) -> None:
        """See what became of the page of a row."""
        self._count(before, -1)
        self._count(now, 1)
        for best in self.show.values():
            best[:] = sorted(rank for rank in best if rank[1] != -row)
        self._show(row, now)

    def _count(self, page: Page, once: int) -> None:
        self.wikis[page.source] += once
        self.raw += once * len(page.raw)
        self.text += once * len(page.text)
        for edit in page.edits:
            self.edits[edit.reason] += once
            self.characters[edit.reason] += once * (edit.end - edit.start - len(edit.new))
        for reason in sorted({edit.reason for edit in page.edits}):  # a set has no order that lasts
            self.pages[reason] += once

    def _show(self, row: int, page: Page) -> None:
        # The best by (does not fit, row); negated, for the heap gives its least.
        for reason in {edit.reason for edit in page.edits} | ({page.dropped} if page.dropped else set()):  # redirect is both
            _keep(self.show.setdefault(reason, []), (len(page.raw) in _FIT_TO_SHOW, -row), _SHOWN)

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
