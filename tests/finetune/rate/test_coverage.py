"""Simulated raters with known preferences: the intervals cover the truth at their nominal rate.

More simulations than the default, with a line for each case:
``RATE_SIMULATIONS=2000 python -m pytest -s tests/finetune/rate/test_coverage.py``
"""

from __future__ import annotations

import os
from typing import NamedTuple

import pytest

np = pytest.importorskip("numpy", reason="numpy is not installed")
scipy_stats = pytest.importorskip("scipy.stats", reason="scipy is not installed")
pytest.importorskip("evalica", reason="evalica is not installed")

from finetune.rate.stats import Interval, bradley_terry, prompts_needed, share_by_prompt, wilson  # noqa: E402 - needs numpy

SIMULATIONS = int(os.environ.get("RATE_SIMULATIONS", "200"))
RESAMPLES = 300


class Crowd(NamedTuple):
    """Raters who prefer x with log odds ``lead + spread * (what the prompt does)``, after ``ties`` of them are tied."""

    prompts: int
    raters: int
    lead: float
    spread: float = 0.0
    ties: float = 0.0

    def rate(self, chance: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Votes by prompt for x, for y, and for neither."""
        odds = self.lead + self.spread * chance.standard_normal(self.prompts)
        for_x = 1 / (1 + np.exp(-odds))
        neither = chance.binomial(self.raters, self.ties, self.prompts)
        wins = chance.binomial(self.raters - neither, for_x)
        return wins, self.raters - neither - wins

    def truth(self) -> tuple[float, float]:
        """The win rate with ties half, and the share of prompts with more votes for x among those not level."""
        wins, losses = self._replace(prompts=1_000_000).rate(np.random.default_rng(0))
        return float(0.5 + (wins - losses).mean() / 2 / self.raters), float((wins > losses).sum() / (wins != losses).sum())


CROWDS = [
    Crowd(20, 1, 0.4),
    Crowd(40, 3, 0.5, 1.0, 0.2),
    Crowd(60, 1, 1.5, 0.0, 0.1),
    Crowd(100, 4, 0.0, 1.5, 0.2),
    Crowd(200, 4, 0.6, 1.5, 0.2),
]


def counts(wins: np.ndarray, losses: np.ndarray, raters: int) -> tuple[np.ndarray, np.ndarray]:
    table, ties = np.zeros((len(wins), 2, 2)), np.zeros((len(wins), 2, 2))
    table[:, 0, 1], table[:, 1, 0] = wins, losses
    ties[:, 0, 1] = ties[:, 1, 0] = raters - wins - losses
    return table, ties


def assert_nominal(covered: int, of: int, label: str) -> None:
    """95 %, give or take what this many simulations can tell, and two points for the small samples of the bootstrap."""
    low, high = scipy_stats.binom.ppf([0.0005, 0.9995], of, 0.95)
    print(f"{label}: {covered / of:.1%} of {of}")
    assert low - 0.02 * of <= covered <= high + 0.02 * of


@pytest.mark.parametrize("crowd", CROWDS, ids=str)
def test_the_win_rate_and_the_prompts_won_are_covered(crowd: Crowd) -> None:
    rate, won = crowd.truth()
    covered = covered_won = naive = 0
    for seed in range(SIMULATIONS):
        wins, losses = crowd.rate(np.random.default_rng(seed + 1))
        found = bradley_terry(*counts(wins, losses, crowd.raters), seed=seed, resamples=RESAMPLES)
        covered += found.low[0, 1] <= rate <= found.high[0, 1]
        prompts = wilson(int((wins > losses).sum()), int((wins != losses).sum()))
        covered_won += prompts is not None and prompts.low <= won <= prompts.high
        votes = wilson(int(wins.sum()), int((wins + losses).sum()))
        decided = rate - crowd.ties / 2
        naive += votes is not None and votes.low <= decided / (1 - crowd.ties) <= votes.high
    assert_nominal(covered, SIMULATIONS, f"{crowd} win rate {rate:.3f}, bootstrap of prompts")
    assert_nominal(covered_won, SIMULATIONS, f"{crowd} prompts won {won:.3f}, Wilson of prompts")
    print(f"{crowd} for comparison, Wilson of votes as if independent: {naive / SIMULATIONS:.1%}")
    if crowd.spread > 1:  # the reason for all this
        assert naive < covered


def test_three_systems_are_covered() -> None:
    strength = np.array([0.8, 0.2, 0.0])
    rates = 1 / (1 + np.exp(strength[None, :] - strength[:, None]))
    covered = 0
    number = max(40, SIMULATIONS // 5)  # each draw is fitted by evalica, which takes half a millisecond
    for seed in range(number):
        chance = np.random.default_rng(seed)
        wins = np.zeros((60, 3, 3))
        for x, y in ((0, 1), (0, 2), (1, 2)):
            wins[:, x, y] = chance.binomial(2, rates[x, y], 60)
            wins[:, y, x] = 2 - wins[:, x, y]
        found = bradley_terry(wins, np.zeros_like(wins), seed=seed, resamples=RESAMPLES)
        covered += found.low[0, 1] <= rates[0, 1] <= found.high[0, 1]
    assert_nominal(covered, number, "three systems, first over second, bootstrap of prompts")


def test_marks_are_covered() -> None:
    covered = 0
    for seed in range(SIMULATIONS):
        chance = np.random.default_rng(seed)
        looping = chance.random(80) < 0.3  # an answer loops or does not; raters see it nine times in ten
        found = share_by_prompt(
            chance.binomial(3, np.where(looping, 0.9, 0.02)).astype(float), np.full(80, 3.0), seed=seed, resamples=RESAMPLES
        )
        covered += found is not None and found.low <= 0.3 * 0.9 + 0.7 * 0.02 <= found.high
    assert_nominal(covered, SIMULATIONS, "marks of 80 prompts by 3 raters")


def test_as_many_prompts_as_were_said_to_be_needed_give_the_width() -> None:
    first = Crowd(80, 3, 0.5, 1.0, 0.2)
    found = bradley_terry(*counts(*first.rate(np.random.default_rng(1)), 3), seed=1)
    needed = prompts_needed(Interval(*(float(m[0, 1]) for m in found[:3])), first.prompts, 0.08)
    widths = []
    for seed in range(20):
        more = bradley_terry(*counts(*first._replace(prompts=needed).rate(np.random.default_rng(seed)), 3), seed=seed, resamples=RESAMPLES)
        widths.append(more.high[0, 1] - more.low[0, 1])
    print(f"{needed} prompts for a width of 0.08: mean width {np.mean(widths):.4f}")
    assert np.mean(widths) == pytest.approx(0.08, rel=0.15)
