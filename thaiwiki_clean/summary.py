"""What a build did, or would do, as a few lines for a terminal: pages and verdicts, characters, reasons."""

from __future__ import annotations

import dataclasses
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from thaiwiki_clean.reasons import REASONS, VERDICTS
from thaiwiki_clean.repetition import FINEWEB2_LIMITS, LIMITS, Repetition, over_limits, repetition

if TYPE_CHECKING:
    from thaiwiki_clean.page import Page
    from thaiwiki_clean.pipeline.manifest import Manifest

__all__ = ["Cost", "Summary", "built", "percentiles", "summary"]

Number = TypeVar("Number", int, float)

#: The shares of articles, in per cent, that :func:`percentiles` tells the length of.
POINTS = (5, 25, 50, 75, 95)
#: The shares, in per cent, that say where a measure of repetition ends: most pages repeat nothing.
TAIL = (50, 90, 95, 99)

# Measures that need no words; the others are told only where words are counted.
_WITHOUT_WORDS = ("mass", "dup_line_frac", "dup_line_chars", "compression")
_SIZES = ("n_words", "n_lines", "longest_loop")  # told elsewhere, or no share of a text


@dataclasses.dataclass(frozen=True)
class Cost:
    """What one threshold costs: the articles that are over it."""

    measure: str
    above: float
    whose: str  #: "ours", which makes the verdict ``repetitive``, or "FineWeb2's"
    articles: int


@dataclasses.dataclass(frozen=True)
class Summary:
    """What cleaning takes out of the pages of a source, counted without writing."""

    pages: int
    articles: int
    dropped: dict[str, int]  #: verdict -> pages
    edits: dict[str, dict[str, int]]  #: reason -> edits, pages, and characters that are gone
    characters: dict[str, int]  #: of all pages, raw and cleaned
    length: dict[str, int]  #: characters of an article: smallest, percentiles, largest
    words: dict[str, int] | None  #: words of an article, the same; None when they were not counted
    measures: dict[str, dict[str, float]]  #: measure of repetition -> its percentiles, over articles and repetitive pages
    costs: list[Cost]  #: every threshold, and what it costs; those of FineWeb2 cost nothing unless you ask for them

    def to_text(self) -> str:
        """The summary as lines."""
        lines = [*_pages(self.pages, self.articles, self.dropped), _characters(self.characters)]
        lines += [_spread("characters of an article", self.length)] if self.length else []
        lines += [_spread("words of an article", self.words)] if self.words else []
        return "\n".join([*lines, *_reasons(self.edits), *_measures(self.measures), *_costs(self.costs, self.articles)])


def summary(pages: Iterable[Page], *, words: str | None = "nlpo3") -> Summary:
    """Clean and judge ``pages``, and count. ``words`` is an engine of :func:`thaiwiki_clean.words.words`, None for no words.

    Memory grows by some hundred bytes a page. Duplicates and recurring lines are not looked for.
    """
    from thaiwiki_clean.clean import clean_page
    from thaiwiki_clean.judge import judge
    from thaiwiki_clean.pipeline.tally import Tally
    from thaiwiki_clean.words import words as tokens

    tally = Tally()
    verdicts: Counter[str] = Counter()
    lengths, word_counts = array("q"), array("q")
    told = [name for name in Repetition._fields if (name in _WITHOUT_WORDS or words) and name not in _SIZES]
    measures = {name: array("f") for name in told}
    over: Counter[tuple[str, str]] = Counter()
    for page in pages:
        cleaned = page if page.dropped else clean_page(page)
        tally.add([cleaned])
        if verdict := cleaned.dropped or judge(cleaned):
            verdicts[verdict] += 1
            continue
        found = repetition(cleaned.text, tokens(cleaned.text, words) if words else ())
        for name, values in measures.items():
            values.append(getattr(found, name))
        for whose, limits in _LIMITS.items():
            over.update((whose, name) for name in over_limits(found, limits))
        if over_limits(found):
            verdicts["repetitive"] += 1
            continue
        lengths.append(len(cleaned.text))
        word_counts.append(found.n_words)
    return Summary(
        pages=len(lengths) + verdicts.total(),
        articles=len(lengths),
        dropped={verdict: verdicts[verdict] for verdict in _in_order(verdicts, VERDICTS)},
        edits={
            r: {"edits": tally.edits[r], "pages": tally.pages[r], "characters": tally.characters[r]}
            for r in _in_order(tally.edits, REASONS)
        },
        characters={"raw": tally.raw, "text": tally.text},
        length=percentiles(lengths),
        words=percentiles(word_counts) if words else None,
        measures={name: percentiles(values, TAIL) for name, values in measures.items() if values},
        costs=[
            Cost(limit.measure, limit.above, whose, over[whose, limit.measure])
            for whose, limits in _LIMITS.items()
            for limit in limits
            if limit.measure in measures
        ],
    )


_LIMITS = {"ours": LIMITS, "FineWeb2's": FINEWEB2_LIMITS}


def percentiles(values: Sequence[Number], points: Sequence[int] = POINTS) -> dict[str, Number]:
    """The smallest value, those at ``points`` per cent by nearest rank, and the largest; empty when there are none.

    >>> percentiles([5, 1, 4, 2, 3])
    {'min': 1, 'p5': 1, 'p25': 2, 'p50': 3, 'p75': 4, 'p95': 5, 'max': 5}
    """
    if not values:
        return {}
    ranked = sorted(values)
    at = {f"p{point}": ranked[max(0, -(-point * len(ranked) // 100) - 1)] for point in points}
    return {"min": ranked[0], **at, "max": ranked[-1]}


def built(manifest: Manifest, out: Path) -> str:
    """A finished build as lines: what went in, what came out, what took most, and where to look next."""
    look = [(name, says) for name, says in _LOOK if (out / name).exists()]
    return "\n".join(
        [
            *_pages(manifest.rows, manifest.articles, manifest.dropped),
            *([f"{sum(manifest.examples.values()):>12,}  instruction examples"] if manifest.examples else []),
            _characters(manifest.characters),
            *_reasons(manifest.edits, most=5),
            "",
            "Look at",
            *(f"  {(out / name).as_posix():<{max(len((out / n).as_posix()) for n, _ in look)}}  {says}" for name, says in look),
        ]
    )


_LOOK = (
    ("report.html", "what was removed and why, for the browser"),
    ("README.md", "the dataset card"),
    ("articles", "the cleaned pages with their edits"),
    ("dropped", "the pages that fell, each with its verdict"),
    ("data", "instruction examples"),
    ("manifest.json", "all counts, and what is needed to build the same again"),
)


def _in_order(found: Iterable[str], known: Mapping[str, str]) -> list[str]:
    names = set(found)
    return [*(name for name in known if name in names), *sorted(names - known.keys())]


def _pages(pages: int, articles: int, dropped: Mapping[str, int]) -> list[str]:
    lines = [f"{pages:>12,}  pages", f"{articles:>12,}  articles{_share(articles, pages)}"]
    return lines + [f"{n:>12,}  dropped: {verdict}{_share(n, pages)}" for verdict, n in dropped.items()]


def _characters(characters: Mapping[str, int]) -> str:
    raw, text = characters["raw"], characters["text"]
    return f"{raw:>12,}  characters came, {text:,} are left{_share(text, raw)}"


def _spread(what: str, values: Mapping[str, int]) -> str:
    return f"{values['p50']:>12,}  {what} at the middle; " + ", ".join(f"{name} {n:,}" for name, n in values.items() if name != "p50")


def _share(part: int, whole: int) -> str:
    return f" ({part / whole:.1%})" if whole else ""


def _reasons(edits: Mapping[str, Mapping[str, int]], most: int | None = None) -> list[str]:
    """A table of reasons; with ``most`` only those that took the most characters."""
    rows = list(edits.items())
    if most is not None:
        rows = sorted(rows, key=lambda row: -row[1]["characters"])[:most]
    if not rows:
        return []
    head = "removed most by" if most is not None and len(rows) < len(edits) else "removed by"
    width = max(len(name) for name in (head, *(reason for reason, _ in rows)))
    table = [f"{reason:<{width}}  {n['edits']:>10,}  {n['pages']:>10,}  {n['characters']:>12,}" for reason, n in rows]
    return ["", f"{head:<{width}}  {'edits':>10}  {'pages':>10}  {'characters':>12}", *table]


def _measures(measures: Mapping[str, Mapping[str, float]]) -> list[str]:
    if not measures:
        return []
    head = [f"p{point}" for point in TAIL]
    rows = [f"{name:<20}" + "".join(f"{at[point]:>8.3f}" for point in (*head, "max")) for name, at in measures.items()]
    return ["", f"{'repetition':<20}" + "".join(f"{name:>8}" for name in (*head, "max")), *rows]


def _costs(costs: Sequence[Cost], articles: int) -> list[str]:
    if not costs:
        return []
    rows = [f"{c.measure:<14} > {c.above:<6} {c.whose:<12} {c.articles:>10,}{_share(c.articles, articles)}" for c in costs]
    return ["", f"{'threshold':<14}   {'':<6} {'whose':<12} {'pages over':>10}", *rows]
