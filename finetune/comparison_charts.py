"""Where the marks of the charts stand: figures in, places out; the page's template draws them as inline SVG."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from finetune.comparison import PUBLISHED, Arm, Comparison, Contrasted
from finetune.comparison_text import answer, both_intervals, data_against_output, p_value, signed
from finetune.measure import number

__all__ = ["Axis", "Curve", "Forest", "Scatter", "axis", "curves", "forest", "scatters"]


class Axis(NamedTuple):
    """A scale from ``low`` to ``high`` with round ticks."""

    low: float
    high: float
    ticks: tuple[float, ...]

    def share(self, value: float) -> float:
        """Where a value stands, from 0 to 1."""
        return (value - self.low) / (self.high - self.low)

    def label(self, value: float) -> str:
        """A tick's label, with as many places as the steps need."""
        step = self.ticks[1] - self.ticks[0]
        return f"{value + 0.0:.{max(0, -math.floor(math.log10(step) + 1e-9))}f}".replace("-", "−")


def axis(values: Sequence[float], steps: int = 5) -> Axis:
    """An axis that holds all ``values``, and 0.

    >>> axis([0.02, 0.47]).ticks
    (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)
    """
    low, high = min([0.0, *values]), max([0.0, *values])
    reach = high - low if high - low > 1e-9 else 1.0  # all the same: any scale will do
    power = 10 ** math.floor(math.log10(reach / steps))
    step = next(size * power for size in (1, 2, 5, 10) if reach / (size * power) <= steps + 1e-9)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = tuple(round(step * i, 12) for i in range(first, max(last, first + 1) + 1))
    return Axis(ticks[0], ticks[-1], ticks)


# ---- one row for a contrast


class Row(NamedTuple):
    """A contrast in the forest plot; places are shares of the width."""

    name: str
    question: str
    says: str
    value: str
    bootstrap: str
    t: str
    p: str
    at: float
    low: float
    high: float
    t_low: float | None
    t_high: float | None
    seeds: tuple[float, ...]
    differs: bool
    disputed: bool


class Forest(NamedTuple):
    """Rows of arms by themselves, rows of differences, and the scale under each; both have the same."""

    levels: tuple[Row, ...]
    differences: tuple[Row, ...]
    zero: float
    ticks: tuple[tuple[float, str], ...]


def forest(c: Comparison) -> Forest:
    """The contrasts that say something in the headline's measure and setting."""
    there = [each for each in c.contrasts if c.measure in each.effects[c.setting]]
    found = [each.effects[c.setting][c.measure] for each in there]
    scale = axis([v for e in found for v in (e.low, e.high, e.value, *e.per_seed, *_bounded(e.two_way, found, e.low, e.high))])
    rows = [(each, _row(each, c, scale)) for each in there]
    return Forest(
        levels=tuple(row for each, row in rows if not each.contrast.b),
        differences=tuple(row for each, row in rows if each.contrast.b),
        zero=scale.share(0),
        ticks=tuple((scale.share(tick), scale.label(tick)) for tick in scale.ticks),
    )


# A t interval over two seeds may be many times as wide as all the others; it is cut where it would make them dots.
_WIDE = 2.0


def _bounded(two_way: tuple[float, float] | None, found: Sequence[Any], low: float, high: float) -> Sequence[float]:
    reach = max((max(abs(e.low), abs(e.high)) for e in found), default=1.0) * _WIDE
    return () if two_way is None else [min(max(bound, -reach), reach) for bound in two_way]


def _row(each: Contrasted, c: Comparison, scale: Axis) -> Row:
    e, difference = each.effects[c.setting][c.measure], bool(each.contrast.b)
    places = [min(1.0, max(0.0, scale.share(bound))) for bound in e.two_way] if e.two_way else [None, None]
    shown = both_intervals(e, c.measure, difference=difference)
    return Row(
        name=each.contrast.name,
        question=each.contrast.question,
        says=answer(each, c.setting, c.measure),
        value=signed(e.value, c.measure) if difference else number(e.value, c.measure),
        bootstrap=shown[0],
        t=shown[1],
        p=p_value(e.p) + (f", Holm {p_value(e.p_holm)}" if e.p_holm is not None else "") if difference else "",
        at=scale.share(e.value),
        low=scale.share(e.low),
        high=scale.share(e.high),
        t_low=places[0],
        t_high=places[1],
        seeds=tuple(scale.share(value) for value in e.per_seed) if len(e.per_seed) > 1 else (),
        differs=e.differs,
        disputed=e.disputed,
    )


# ---- data against output


class Frame(NamedTuple):
    """Where the axes of a drawing stand, in its own units."""

    left: float
    top: float
    width: float
    height: float


SCATTER = Frame(46, 12, 258, 190)


class Point(NamedTuple):
    """A point of a scatter and the place of its number, in units of the drawing."""

    number: int
    name: str
    x: float
    y: float
    label_x: float
    label_y: float
    says: str


class Scatter(NamedTuple):
    """Repetition in the data against repetition in the output."""

    name: str
    title: str
    x: Axis
    y: Axis
    points: tuple[Point, ...]
    ours: bool

    def ticks(self, which: str) -> list[tuple[float, str]]:
        """Places and labels of an axis."""
        scale = self.x if which == "x" else self.y
        return [(scale.share(tick), scale.label(tick)) for tick in scale.ticks]

    @property
    def diagonal(self) -> float:
        """Up to which value output and data are both on the axes."""
        return min(self.x.high, self.y.high)


def scatters(c: Comparison) -> tuple[Scatter, ...]:
    """The headline's measure and rep-2 for the arms, and the published figures on their own axes."""
    told = [(number_, arm, data_against_output(arm, c)) for number_, arm in enumerate((arm for arm in c.arms if arm.trained), 1)]
    what = c.measure
    drawn = [
        _scatter("mass", f"Our arms: {what}", [(n, arm.name, data, out) for n, arm, (data, out, *_) in told], ours=True),
        _scatter("rep2", "Our arms: rep-2, pairs of Thai words", [(n, arm.name, data, out) for n, arm, (*_, data, out) in told], ours=True),
        _scatter(
            "published",
            "Published: rep-2, pairs of words between blanks",
            [(n, name, data / 100, out / 100) for n, (name, data, out) in enumerate(PUBLISHED, 1)],
            ours=False,
        ),
    ]
    return tuple(each for each in drawn if each.points)


def _scatter(name: str, title: str, points: Sequence[tuple[int, str, float | None, float | None]], *, ours: bool) -> Scatter:
    known = [(n, arm, x, y) for n, arm, x, y in points if x is not None and y is not None]
    across, up = axis([x for _, _, x, _ in known], 4), axis([y for *_, y in known], 4)
    places = [(SCATTER.left + across.share(x) * SCATTER.width, SCATTER.top + (1 - up.share(y)) * SCATTER.height) for _, _, x, y in known]
    placed = [
        Point(n, arm, *place, *label, f"{arm}: {number(x)} in the data, {number(y)} in the output")
        for (n, arm, x, y), place, label in zip(known, places, labels(places), strict=True)
    ]
    return Scatter(name, title, across, up, tuple(placed), ours)


# A number is about as wide as this, and as far from its point; where many points are near it goes further out.
_LABEL, _REACHES = 13.0, (11.0, 20.0, 30.0, 40.0, 52.0, 64.0)


def labels(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """A place near each point for its number, where neither a point nor a number is yet; arms that hardly differ lie on one spot."""
    taken: list[tuple[float, float]] = []
    for x, y in points:
        around = [
            (x + reach * math.cos(turn), y - reach * math.sin(turn)) for reach in _REACHES for turn in (k * math.pi / 6 for k in range(12))
        ]
        inside = [
            place
            for place in around
            if SCATTER.left < place[0] < SCATTER.left + SCATTER.width and SCATTER.top < place[1] < SCATTER.top + SCATTER.height
        ]
        free = [
            place
            for place in inside
            if all(math.dist(place, other) >= _LABEL for other in taken) and all(math.dist(place, dot) >= 9 for dot in points)
        ]
        taken.append((free or inside or around)[0])
    return taken


# ---- losses


class Curve(NamedTuple):
    """The losses of one arm, a line for each seed: points as shares of steps and of loss."""

    arm: str
    training: tuple[tuple[tuple[float, float], ...], ...]
    held_out: tuple[tuple[tuple[float, float], ...], ...]
    says: str


def curves(c: Comparison) -> tuple[tuple[Curve, ...], Axis, Axis]:
    """One small chart an arm, all on the same axes: steps and loss."""
    arms = [arm for arm in c.arms if any(arm.losses)]
    runs = [run for arm in arms for run in arm.losses]
    steps = axis([entry["step"] for run in runs for entry in run], 4)
    values = [y for run in runs for key in ("loss", "eval_loss") for _, y in _points(run, key)]
    scale = axis(values, 4)
    return tuple(_curve(arm, steps, scale) for arm in arms), steps, scale


def _curve(arm: Arm, steps: Axis, scale: Axis) -> Curve:
    lines = {
        key: tuple(tuple((steps.share(x), scale.share(y)) for x, y in _points(run, key)) for run in arm.losses if _points(run, key))
        for key in ("loss", "eval_loss")
    }
    ends = [points[-1][1] for run in arm.losses if (points := _points(run, "loss"))]
    says = f"{arm.name}: training loss ends at {number(sum(ends) / len(ends))}" if ends else arm.name
    if arm.held_out:
        says += f", held-out loss {number(sum(arm.held_out) / len(arm.held_out))}"
    return Curve(arm.name, lines["loss"], lines["eval_loss"], says)


# More points than pixels say nothing.
_MOST_POINTS = 80


def _points(run: Sequence[Mapping[str, Any]], key: str) -> list[tuple[float, float]]:
    """Step and loss; where there are many steps, means over runs of steps."""
    found = [(float(entry["step"]), float(entry[key])) for entry in run if entry.get(key) is not None]
    size = math.ceil(len(found) / _MOST_POINTS) or 1
    groups = [found[i : i + size] for i in range(0, len(found), size)]
    return [(sum(x for x, _ in g) / len(g), sum(y for _, y in g) / len(g)) for g in groups]
