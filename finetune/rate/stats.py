"""What the votes say, and how sure that is. Pure functions of counts; the report puts them together.

Votes on one prompt are not independent of each other: where an answer loops, every rater sees it. So the prompt is the
unit everywhere: the bootstrap draws prompts, Wilson and the sign test count prompts. Counting votes instead would make
intervals too short, the more so the more raters there are.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["Interval", "Strengths", "agreement", "bradley_terry", "holm", "prompts_needed", "share_by_prompt", "sign_test", "wilson"]

LEVEL = 0.95
RESAMPLES = 2000

Floats = npt.NDArray[np.float64]


class Interval(NamedTuple):
    """An estimate with the interval that covers the truth in 95 % of studies."""

    value: float
    low: float
    high: float


class Strengths(NamedTuple):
    """Bradley-Terry: how likely each system is preferred to each other one; ``rates[i, j]`` for row over column."""

    rates: Floats
    low: Floats
    high: Floats
    separated: bool  #: no chain of wins leads from each system to each other one, so a tie was added to every pair


def wilson(successes: int, trials: int) -> Interval | None:
    """Wilson's score interval of a share; None without trials.

    >>> [round(bound, 3) for bound in wilson(8, 10)]
    [0.8, 0.49, 0.943]
    """
    if not trials:
        return None
    from scipy.stats import binomtest

    found = binomtest(successes, trials).proportion_ci(LEVEL, method="wilson")
    return Interval(successes / trials, float(found.low), float(found.high))


def sign_test(wins: int, losses: int) -> float | None:
    """Two-sided p value of a fair coin giving a split as uneven as this; ties stay out. None when all are ties."""
    if not wins + losses:
        return None
    from scipy.stats import binomtest

    return float(binomtest(wins, wins + losses).pvalue)


def holm(values: Sequence[float]) -> list[float]:
    """p values corrected for how many there are (Holm 1979), in the order given.

    >>> holm([0.03, 0.01, 0.04])
    [0.06, 0.03, 0.06]
    """
    out = [0.0] * len(values)
    worst = 0.0
    for rank, at in enumerate(sorted(range(len(values)), key=values.__getitem__)):
        worst = max(worst, min(1.0, (len(values) - rank) * values[at]))
        out[at] = worst
    return out


def bradley_terry(wins: Floats, ties: Floats, *, seed: int, resamples: int = RESAMPLES) -> Strengths:
    """Bradley-Terry strengths from votes by prompt, with a bootstrap that draws whole prompts.

    ``wins``: (prompts, systems, systems) float64, votes for row over column; ``ties``: the same shape, symmetric, each
    tie once on either side of the diagonal. A tie counts half for both. With two systems the rate is the share of
    votes won. Percentile intervals, drawn out for few prompts as Hesterberg (2015, "What Teachers Should Know About
    the Bootstrap", 4.3) advises.

    Raises ValueError when no prompt has a vote.
    """
    credit = wins + ties / 2
    credit = credit[credit.sum(axis=(1, 2)) > 0]
    prompts, systems = credit.shape[:2]
    if not prompts:
        raise ValueError("no votes yet: nothing to compare")
    separated = not _connected(credit.sum(axis=0))
    value = _fitted(_mended(credit.sum(axis=0), separated))
    rates = _share if systems == 2 else _fitted  # for two the fit is the share of votes won; a test holds them together
    chance = np.random.default_rng(seed)
    flat = credit.reshape(prompts, -1)
    draws = np.empty((resamples, systems, systems))
    for number in range(resamples):
        drawn = np.bincount(chance.integers(prompts, size=prompts), minlength=prompts) @ flat
        draws[number] = rates(_mended(drawn.reshape(systems, systems), separated))
    tail = _drawn_out_tail(prompts)
    low, high = np.quantile(draws, [tail, 1 - tail], axis=0)
    # When every prompt says the same, every draw does, and the bootstrap has no width: Wilson on prompts does not fall for that.
    floor = wilson(prompts, prompts)
    assert floor is not None
    for x, y in zip(*np.nonzero(~np.eye(systems, dtype=bool)), strict=True):
        if high[x, y] - low[x, y] < 1e-9 and value[x, y] != 0.5:
            low[x, y], high[x, y] = (floor.low, 1.0) if value[x, y] > 0.5 else (0.0, 1 - floor.low)
    return Strengths(value, low, high, separated)


def share_by_prompt(marked: Floats, shown: Floats, *, seed: int, resamples: int = RESAMPLES) -> Interval | None:
    """Share of showings that were marked, with an interval from a bootstrap of prompts; None without showings.

    ``marked`` and ``shown``: (prompts,) float64, how often the system's answer was marked, and shown.
    """
    kept = shown > 0
    marked, shown = marked[kept], shown[kept]
    if not len(shown):
        return None
    value = float(marked.sum() / shown.sum())
    if value in (0.0, 1.0):  # no spread to draw from
        whole = wilson(round(value * len(shown)), len(shown))
        assert whole is not None
        return whole
    drawn = np.random.default_rng(seed).integers(len(shown), size=(resamples, len(shown)))
    tail = _drawn_out_tail(len(shown))
    low, high = np.quantile(marked[drawn].sum(axis=1) / shown[drawn].sum(axis=1), [tail, 1 - tail])
    return Interval(value, float(low), float(high))


def agreement(choices: Mapping[str, Mapping[Hashable, int]]) -> float | None:
    """Krippendorff's alpha over nominal choices: rater -> item -> choice. None unless two raters share an item.

    1 is perfect agreement, 0 what chance gives. Where all raters always say the same one thing there is nothing to
    tell agreement from habit by, and alpha is not defined: None.
    """
    from evalica import alpha
    from pandas import DataFrame

    items = sorted({item for said in choices.values() for item in said}, key=repr)
    shared = [item for item in items if sum(item in said for said in choices.values()) > 1]
    if not shared or len({said[item] for said in choices.values() for item in shared if item in said}) < 2:
        return None
    found = alpha(DataFrame([[said.get(item) for item in shared] for said in choices.values()], dtype="float64"))
    return float(found.alpha)


def prompts_needed(interval: Interval, prompts: int, width: float) -> int:
    """About how many prompts in all give an interval of ``width``: its square shrinks as the prompts grow.

    >>> prompts_needed(Interval(0.6, 0.5, 0.7), 100, 0.1)
    400
    """
    return math.ceil(prompts * ((interval.high - interval.low) / width) ** 2 - 1e-9)


def _mended(credit: Floats, separated: bool) -> Floats:
    """Votes with one tie more per pair where a system won, or lost, everything.

    Without a chain of wins between all systems the likelihood has no maximum, and evalica's scores fall to their floor
    together, which reads as 0.5 where one system won every vote.
    """
    if not separated and _connected(credit):
        return credit
    mended: Floats = credit + 0.5 * (1 - np.eye(len(credit)))
    return mended


def _share(credit: Floats) -> Floats:
    share: Floats = (credit + np.eye(len(credit))) / (credit + credit.T + 2 * np.eye(len(credit)))
    return share


def _fitted(credit: Floats) -> Floats:
    """How likely row is preferred to column, by evalica's Bradley-Terry on (systems, systems) votes."""
    from evalica import Winner, bradley_terry

    rows, columns = np.nonzero(~np.eye(len(credit), dtype=bool))
    votes = credit[rows, columns].tolist()
    found = bradley_terry(rows.tolist(), columns.tolist(), [Winner.X] * len(rows), weights=votes, tolerance=1e-9, limit=10_000)
    scores = found.scores.loc[list(range(len(credit)))].to_numpy()
    fitted: Floats = scores[:, None] / (scores[:, None] + scores[None, :])
    return fitted


def _connected(credit: Floats) -> bool:
    """Whether wins lead from every system to every other one (Ford 1957: else there is no finite estimate)."""
    reach = (credit > 0) | np.eye(len(credit), dtype=bool)
    for _ in range(len(credit)):
        reach = reach @ reach
    return bool(reach.all())


def _drawn_out_tail(prompts: int) -> float:
    """The share of draws to leave out on each side: less than 2.5 % when there are few prompts."""
    from scipy.stats import norm, t

    if prompts < 2:
        return 0.0
    return float(norm.cdf(math.sqrt(prompts / (prompts - 1)) * t.ppf((1 - LEVEL) / 2, prompts - 1)))
