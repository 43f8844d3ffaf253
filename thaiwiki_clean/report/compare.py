"""Two builds side by side: what did the new rules change?

Pages are told by wiki, id and title. A text that both builds kept or only one of them kept can be shown; what both removed is not
stored in either, and stands as a count. Raw pages are not needed.
"""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from thaiwiki_clean.edits import Edit
from thaiwiki_clean.pipeline.manifest import Manifest, differences
from thaiwiki_clean.pipeline.shards import read_group, read_tables
from thaiwiki_clean.reasons import REASONS, VERDICTS
from thaiwiki_clean.report.diff import GONE, Span, pieces, spans
from thaiwiki_clean.report.run import Run

__all__ = ["Change", "ChangedPage", "Comparison", "Move", "compare"]

_PAGES_OF_A_KIND = 2
_PAGES_SHOWN = 40
_MOVED_SHOWN = 8
_LONGEST_SHOWN = 6000


class Move(NamedTuple):
    """Pages whose verdict changed; a verdict is empty where the page stays."""

    was: str
    now: str
    pages: int
    some: list[tuple[str, str]]  #: title and address of some of them


class Change(NamedTuple):
    """Characters that went for another reason than before; a reason is empty where they are kept."""

    was: str
    now: str
    pages: int
    characters: int


class ChangedPage(NamedTuple):
    """A page whose text differs."""

    title: str
    url: str
    spans: list[Span]


@dataclasses.dataclass(frozen=True)
class Comparison:
    """What is different between two builds."""

    a: Manifest
    b: Manifest
    settings: list[str]  #: versions, configuration and source, as ``name: old -> new``
    pages: dict[str, int]  #: in both builds, only in a, only in b, with another text in the source, with another text after cleaning
    moves: list[Move]
    changes: list[Change]  #: on pages whose text differs, the largest first
    shown: list[ChangedPage]

    def reasons(self) -> list[tuple[str, dict[str, int], dict[str, int]]]:
        """Every reason with its counts in both builds."""
        none = {"edits": 0, "pages": 0, "characters": 0}
        return [(name, self.a.edits.get(name, none), self.b.edits.get(name, none)) for name in _both(self.a.edits, self.b.edits, REASONS)]

    def verdicts(self) -> list[tuple[str, int, int]]:
        """Every verdict with its pages in both builds."""
        return [
            (name, self.a.dropped.get(name, 0), self.b.dropped.get(name, 0)) for name in _both(self.a.dropped, self.b.dropped, VERDICTS)
        ]

    def totals(self) -> list[tuple[str, int, int]]:
        """What came in and what went out of both builds."""
        sides = [
            {
                "pages": told.rows,
                "articles": told.articles,
                "characters that came": told.characters["raw"],
                "characters that are left": told.characters["text"],
                "instruction examples": sum(told.examples.values()),
            }
            for told in (self.a, self.b)
        ]
        return [(name, sides[0][name], sides[1][name]) for name in sides[0]]

    def to_json(self) -> dict[str, Any]:
        """All counts, for a program."""
        return {
            "settings": self.settings,
            "totals": {name: [a, b] for name, a, b in self.totals()},
            "pages": self.pages,
            "verdicts": {name: [a, b] for name, a, b in self.verdicts()},
            "edits": {name: [a, b] for name, a, b in self.reasons()},
            "moves": [{"was": move.was or None, "now": move.now or None, "pages": move.pages} for move in self.moves],
            "changes": [{**change._asdict(), "was": change.was or None, "now": change.now or None} for change in self.changes],
        }

    def to_text(self) -> str:
        """The same for a person at a terminal; what did not change is left out."""
        lines = ["settings that differ", *(f"  {setting}" for setting in self.settings)] if self.settings else ["the same settings"]
        table = [row for row in self.totals() if row[1] != row[2]]
        table += [(f"dropped: {name}", a, b) for name, a, b in self.verdicts() if a != b]
        table += [(f"removed: {name}", a["characters"], b["characters"]) for name, a, b in self.reasons() if a != b]
        width = max((len(name) for name, _, _ in table), default=0)
        lines += ["", *(f"{name:<{width}}  {a:>12,}  {b:>12,}  {b - a:>+12,}" for name, a, b in table)] if table else []
        lines += ["", f"{self.pages['both']:,} pages are in both builds; {self.pages['changed']:,} of them leave with another text"]
        for name, says in (("only_a", "only in the first"), ("only_b", "only in the second"), ("other_source", "came with another text")):
            lines += [f"{self.pages[name]:,} pages {says}"] if self.pages[name] else []
        lines += [f"{move.pages:>12,}  pages: {move.was or 'stayed'} -> {move.now or 'stays'}" for move in self.moves]
        lines += [f"{c.characters:>12,}  characters on {c.pages:,} pages: {c.was or 'kept'} -> {c.now or 'kept'}" for c in self.changes]
        return "\n".join(lines)

    def to_html(self) -> str:
        """The same as one HTML page, with the pages that changed."""
        from thaiwiki_clean.report import render

        return render("compare.html", c=self, gone=GONE, pages=[(page, pieces(page.spans)) for page in self.shown])


def _both(a: Mapping[str, Any], b: Mapping[str, Any], known: Mapping[str, str]) -> list[str]:
    return [name for name in known if name in a or name in b] + sorted((a.keys() | b.keys()) - known.keys())


def compare(a: Path | str, b: Path | str) -> Comparison:
    """What is different between the builds in two folders.

    Every published page is read once; of a page a few hundred bytes are held. Raises as :meth:`Run.read` does.
    """
    old, new = Run.read(a), Run.read(b)
    was, now = _index(old), _index(new)
    both = [key for key in was if key in now]
    changed = _Changes(old, new)
    for key in both:
        if was[key].text != now[key].text or was[key].raw != now[key].raw:
            changed.add(was[key], now[key])
    moved: dict[tuple[str, str], list[tuple[str, str, str]]] = defaultdict(list)
    for key in both:
        if was[key].verdict != now[key].verdict:
            moved[was[key].verdict, now[key].verdict].append((key[2], key[1], now[key].url))
    return Comparison(
        a=old.manifest,
        b=new.manifest,
        settings=differences(old.manifest.identity, new.manifest.identity),
        pages={
            "both": len(both),
            "only_a": len(was) - len(both),
            "only_b": len(now) - len(both),
            "other_source": changed.other_source,
            "changed": changed.pages,
        },
        moves=[
            Move(*verdicts, len(found), [(title or name, url) for title, name, url in found[:_MOVED_SHOWN]])
            for verdicts, found in sorted(moved.items(), key=lambda item: (-len(item[1]), item[0]))
        ],
        changes=changed.changes(),
        shown=changed.shown(),
    )


class _Known(NamedTuple):
    """What is held of a page: its verdict, its text as a hash, its raw length, its address, and where its row is."""

    verdict: str
    text: bytes
    raw: int
    url: str
    path: Path
    group: int
    row: int


_Key = tuple[str, str, str, int]  # wiki, id, title, and how many such there were before


def _index(run: Run) -> dict[_Key, _Known]:
    out: dict[_Key, _Known] = {}
    seen: Counter[tuple[str, str, str]] = Counter()
    for name, verdict in (("articles", ()), ("dropped", ("reason",))):
        for path in run.files(name):
            for group, table in enumerate(read_tables(path, ["id", "title", "source", "url", "text", "n_chars_raw", *verdict])):
                for row, page in enumerate(table.to_pylist()):
                    key = (page["source"] or "", page["id"] or "", page["title"] or "")
                    digest = blake2b((page["text"] or "").encode("utf-8", "surrogatepass"), digest_size=8).digest()
                    out[*key, seen[key]] = _Known(
                        page.get("reason") or "", digest, page["n_chars_raw"], page["url"] or "", path, group, row
                    )
                    seen[key] += 1
    return out


class _Changes:
    """Counts of what differs in the pages seen so far, and some of the pages."""

    def __init__(self, old: Run, new: Run) -> None:
        self.pages = self.other_source = 0
        self._pages: Counter[tuple[str, str]] = Counter()
        self._characters: Counter[tuple[str, str]] = Counter()
        self._some: dict[tuple[str, str], list[ChangedPage]] = defaultdict(list)
        # Rows come in the order of the source, so that a few row groups at hand are enough.
        self._old, self._new = (lru_cache(maxsize=4)(_group) for _ in (old, new))

    def add(self, was: _Known, now: _Known) -> None:
        """See a page whose text or source differs."""
        a, b = self._old(was.path, was.group).slice(was.row, 1), self._new(now.path, now.group).slice(now.row, 1)
        found = spans(a["text"][0].as_py() or "", _edits(a), b["text"][0].as_py() or "", _edits(b), was.raw) if was.raw == now.raw else None
        if found is None:
            self.other_source += 1
            return
        self.pages += 1
        kinds: Counter[tuple[str, str]] = Counter()
        for span in found:
            if span.was != span.now:
                kinds[span.was, span.now] += span.characters
        self._characters.update(kinds)
        self._pages.update(kinds.keys())
        page = ChangedPage(b["title"][0].as_py() or b["id"][0].as_py() or "", now.url, found)
        if sum(len(span.text) for span in found if span.was != span.now) <= _LONGEST_SHOWN:
            for kind in kinds:
                if "" in kind and len(self._some[kind]) < _PAGES_OF_A_KIND:
                    self._some[kind].append(page)

    def changes(self) -> list[Change]:
        """What went for another reason, the most characters first."""
        return [Change(*kind, self._pages[kind], n) for kind, n in sorted(self._characters.items(), key=lambda item: (-item[1], item[0]))]

    def shown(self) -> list[ChangedPage]:
        """Some pages for every change, each once."""
        out: list[ChangedPage] = []
        for change in self.changes():
            out += [page for page in self._some.get((change.was, change.now), []) if page not in out]
        return out[:_PAGES_SHOWN]


def _group(path: Path, number: int) -> pa.Table:
    return read_group(path, number, ["id", "title", "text", "edits"])


def _edits(row: pa.Table) -> Iterator[Edit]:
    return (Edit(**edit) for edit in row["edits"][0].as_py() or ())
