"""Lengths and repetition before and after: as numbers for the tables, and as charts of the same numbers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from thaiwiki_clean.repetition import LIMITS
from thaiwiki_clean.report import charts
from thaiwiki_clean.report.run import Run
from thaiwiki_clean.summary import percentiles

__all__ = ["POINTS", "Classes", "draw", "lengths", "repetition_classes"]

#: The points of :func:`thaiwiki_clean.summary.percentiles` as a reader would say them.
POINTS = {
    "min": "the shortest",
    "p5": "the 5th",
    "p25": "the 25th",
    "p50": "the middle one",
    "p75": "the 75th",
    "p95": "the 95th",
    "max": "the longest",
}


class Classes(NamedTuple):
    """The shares of texts in classes of a measure, before and after."""

    name: str
    caption: str
    measure: str
    labels: tuple[str, ...]
    came: list[float]
    left: list[float]


# Measures that need no words, with the edges of their classes; the last edge is the limit above which a page falls.
_LIMITS = {limit.measure: limit.above for limit in LIMITS}
_MEASURES = (
    ("mass", "Pages by mass", "mass", (0, 0.01, 0.03, 0.1)),
    ("dup_line_frac", "Pages by the share of lines that were said before", "lines said before", (0, 0.05, 0.1, 0.2)),
)


def lengths(run: Run) -> dict[str, dict[str, int]]:
    """Percentiles of the characters of pages as they came and of articles as they leave; empty without pages."""
    came, left = run.lengths
    named = (("as they came", came), ("as articles leave", left))
    return {what: points for what, values in named if (points := percentiles(values))}


def repetition_classes(run: Run) -> list[Classes]:
    """How much the drawn pages repeat themselves; empty without pages."""
    if not run.drawn:
        return []
    out = []
    for name, caption, measure, edges in _MEASURES:
        limits = (*edges, _LIMITS[name])
        came, left = (_classes([getattr(one, name) for one in side], limits) for side in run.measured)
        labels = ("0", *(f"to {100 * edge:.3g} %" for edge in limits[1:]), "more")
        out.append(Classes(name, caption, measure, labels, came, left))
    return out


def _classes(values: Sequence[float], edges: Sequence[float]) -> list[float]:
    """The share of values up to each edge and above the one before; the last is the share above all.

    >>> _classes([0, 0, 0.02, 0.5], (0, 0.01, 0.03))
    [0.5, 0.0, 0.25, 0.25]
    """
    below = [sum(value <= edge for value in values) for edge in edges]
    counts = [below[0], *(b - a for a, b in pairwise(below)), len(values) - below[-1]]
    return [count / max(1, len(values)) for count in counts]


def draw(run: Run, classes: Sequence[Classes]) -> dict[str, Any]:
    """The charts; needs matplotlib."""
    came, left = (percentiles(values) or {"p50": 0} for values in run.lengths)
    says = f"Histogram of lengths. The middle page came with {came['p50']:,} characters; the middle article leaves with {left['p50']:,}."
    return {
        "lengths": charts.histogram(*run.lengths, name="lengths", says=says, unit="characters"),
        "repetition": [
            # Most pages repeat nothing: their bar would leave no room for the others.
            charts.bars(
                c.labels[1:],
                c.came[1:],
                c.left[1:],
                name=c.name,
                says=f"{c.caption}, without those at 0. The numbers are in the table below.",
                unit=f"{c.measure} (the other pages have none)",
            )
            for c in classes
        ],
    }
