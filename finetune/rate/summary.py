"""The figures of a report, computed from a study's votes."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from finetune.rate.stats import Floats, Interval, agreement, bradley_terry, holm, prompts_needed, share_by_prompt, sign_test, wilson
from finetune.rate.votes import Study, Vote

__all__ = ["Pair", "RaterFigures", "Summary", "SystemFigures", "summarise"]


class Pair(NamedTuple):
    """Two systems side by side."""

    x: str
    y: str
    votes: int
    prompts: int
    wins_x: int
    wins_y: int
    ties: int
    both_bad: int
    rate: Interval  #: how likely x is preferred to y: Bradley-Terry, ties half, bootstrap of prompts
    prompts_x: int  #: prompts on which more votes went to x; level prompts count for neither
    prompts_y: int
    wilson: Interval | None  #: prompts_x among the prompts that are not level
    p: float | None  #: sign test on the same
    p_holm: float | None  #: corrected for the number of pairs
    prompts_needed: int  #: prompts in all for an interval of the wanted width
    votes_needed: int  #: votes still to come, if each new prompt gets as many as the old ones

    def turned(self) -> Pair:
        """The same pair with the preferred system first."""
        if self.rate.value >= 0.5:
            return self
        return self._replace(
            x=self.y,
            y=self.x,
            wins_x=self.wins_y,
            wins_y=self.wins_x,
            prompts_x=self.prompts_y,
            prompts_y=self.prompts_x,
            rate=_against(self.rate),
            wilson=self.wilson and _against(self.wilson),
        )


class SystemFigures(NamedTuple):
    """One system: its strength against an average other one, and the marks its answers got."""

    name: str
    strength: float
    repeats: Interval | None
    off_topic: Interval | None


class RaterFigures(NamedTuple):
    """One rater: votes, and the seconds between page and vote."""

    name: str
    votes: int
    seconds: tuple[float, float, float]  #: lower quartile, median, upper quartile
    same_on_repeats: tuple[int, int]  #: as many repeats judged the same, of so many


class Summary(NamedTuple):
    """All figures of a report. Repeats count for consistency and for nothing else."""

    votes: int
    repeats: int
    planned: int
    prompts: int
    width: float
    pairs: tuple[Pair, ...]
    systems: tuple[SystemFigures, ...]
    raters: tuple[RaterFigures, ...]
    separated: bool
    agreement: float | None
    left: Interval | None  #: share of decided votes that went to the left answer
    left_p: float | None
    consistency: Interval | None  #: share of repeats judged as at first, sides swapped
    flips: int  #: repeats where the preference went to the other system
    seconds: tuple[float, float, float]


def summarise(study: Study, *, width: float = 0.1, seed: int = 1) -> Summary:
    """The figures of ``study``; ``width`` is the wanted width of a win rate's interval. Raises ValueError without votes."""
    firsts = [vote for vote in study.votes if not vote.repeat]
    if not firsts:
        raise ValueError("no votes yet: nothing to compare")
    place = {name: at for at, name in enumerate(study.systems)}
    row = {prompt: at for at, prompt in enumerate(study.prompts)}
    wins, ties = _counts(firsts, place, row)
    strengths = bradley_terry(wins, ties, seed=seed)
    pairs = [
        _pair(firsts, x, y, Interval(*(float(m[place[x], place[y]]) for m in strengths[:3])), width)
        for x, y in combinations(study.systems, 2)
        if any({vote.left, vote.right} == {x, y} for vote in firsts)
    ]
    tested = [pair.p for pair in pairs if pair.p is not None]
    corrected = iter(holm(tested))
    others = max(1, len(study.systems) - 1)
    decided = [vote for vote in firsts if vote.winner is not None]
    left = sum(vote.choice == "left" for vote in decided)
    same, flips, repeats = _repeats(study.votes)
    return Summary(
        votes=len(firsts),
        repeats=repeats,
        planned=study.tasks,
        prompts=len({vote.prompt_id for vote in firsts}),
        width=width,
        pairs=tuple(pair._replace(p_holm=None if pair.p is None else next(corrected)) for pair in pairs),
        systems=tuple(
            SystemFigures(
                name,
                float((strengths.rates[at].sum() - 0.5) / others),
                *(_marks(firsts, name, kind, row, seed) for kind in ("repeats", "off_topic")),
            )
            for name, at in place.items()
        ),
        raters=tuple(_rater(name, [vote for vote in study.votes if vote.rater == name]) for name in study.raters),
        separated=strengths.separated,
        agreement=agreement(_choices(firsts, place)),
        left=wilson(left, len(decided)),
        left_p=sign_test(left, len(decided) - left),
        consistency=wilson(same, repeats),
        flips=flips,
        seconds=_quartiles([vote.seconds for vote in study.votes]),
    )


def _against(interval: Interval) -> Interval:
    return Interval(1 - interval.value, 1 - interval.high, 1 - interval.low)


def _counts(votes: Sequence[Vote], place: dict[str, int], row: dict[str, int]) -> tuple[Floats, Floats]:
    wins = np.zeros((len(row), len(place), len(place)))
    ties = np.zeros_like(wins)
    for vote in votes:
        left, right = place[vote.left], place[vote.right]
        at = row[vote.prompt_id]
        if vote.winner is None:  # "both bad" prefers neither either
            ties[at, left, right] += 1
            ties[at, right, left] += 1
        else:
            wins[at, place[vote.winner], left + right - place[vote.winner]] += 1
    return wins, ties


def _pair(votes: Sequence[Vote], x: str, y: str, rate: Interval, width: float) -> Pair:
    here = [vote for vote in votes if {vote.left, vote.right} == {x, y}]
    kinds = Counter(vote.winner or vote.choice for vote in here)
    lead: Counter[str] = Counter()
    for vote in here:
        lead[vote.prompt_id] += (vote.winner == x) - (vote.winner == y)
    prompts = len(lead)
    for_x, for_y = sum(n > 0 for n in lead.values()), sum(n < 0 for n in lead.values())
    needed = prompts_needed(rate, prompts, width)
    more = max(0, math.ceil((needed - prompts) * len(here) / prompts))
    wins_x, wins_y = (sum(vote.winner == name for vote in here) for name in (x, y))
    return Pair(
        x, y, len(here), prompts, wins_x, wins_y, kinds["tie"], kinds["both_bad"], rate, for_x, for_y,
        wilson(for_x, for_x + for_y), sign_test(for_x, for_y), None, needed, more,
    )  # fmt: skip


def _marks(votes: Sequence[Vote], system: str, kind: str, row: dict[str, int], seed: int) -> Interval | None:
    marked, shown = np.zeros(len(row)), np.zeros(len(row))
    for vote in votes:
        for side in ("left", "right"):
            if getattr(vote, side) == system:
                shown[row[vote.prompt_id]] += 1
                marked[row[vote.prompt_id]] += getattr(vote, f"{kind}_{side}")
    return share_by_prompt(marked, shown, seed=seed)


def _choices(votes: Sequence[Vote], place: dict[str, int]) -> dict[str, dict[Hashable, int]]:
    """Rater -> item -> what was said of it: the system preferred, or one of two ways to prefer none."""
    said: dict[str, dict[Hashable, int]] = defaultdict(dict)
    for vote in votes:
        item = (vote.prompt_id, *sorted((place[vote.left], place[vote.right])))
        said[vote.rater][item] = _verdict(vote, place)
    return said


def _verdict(vote: Vote, place: dict[str, int]) -> int:
    return place[vote.winner] if vote.winner is not None else len(place) + (vote.choice == "tie")


def _repeats(votes: Sequence[Vote]) -> tuple[int, int, int]:
    """Repeats judged the same, those turned to the other system, and all whose first showing has a vote too."""
    first = {(vote.rater, vote.prompt_id, frozenset((vote.left, vote.right))): vote for vote in votes if not vote.repeat}
    same = flips = number = 0
    for vote in votes:
        before = first.get((vote.rater, vote.prompt_id, frozenset((vote.left, vote.right))))
        if vote.repeat and before is not None:
            number += 1
            same += (vote.winner or vote.choice) == (before.winner or before.choice)
            flips += None not in (vote.winner, before.winner) and vote.winner != before.winner
    return same, flips, number


def _rater(name: str, votes: Sequence[Vote]) -> RaterFigures:
    same, _, repeats = _repeats(votes)
    return RaterFigures(name, sum(not vote.repeat for vote in votes), _quartiles([vote.seconds for vote in votes]), (same, repeats))


def _quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75]) if values else (0.0, 0.0, 0.0)
    return float(low), float(middle), float(high)
