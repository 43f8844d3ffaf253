"""The statistics against independent computations: scipy, statsmodels, published figures, and formulas written out."""

from __future__ import annotations

from collections import Counter
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

np = pytest.importorskip("numpy", reason="numpy is not installed")
for module in ("scipy", "evalica"):
    pytest.importorskip(module, reason=f"{module} is not installed")

from finetune.rate.stats import (  # noqa: E402 - needs numpy
    Interval,
    _fitted,
    _share,
    agreement,
    bradley_terry,
    holm,
    prompts_needed,
    share_by_prompt,
    sign_test,
    wilson,
)


# Imported once and outside the laws: the first import of statsmodels takes seconds.
@pytest.fixture(scope="session")
def proportion() -> Any:
    return pytest.importorskip("statsmodels.stats.proportion", reason="statsmodels is not installed")


@pytest.fixture(scope="session")
def multitest() -> Any:
    return pytest.importorskip("statsmodels.stats.multitest", reason="statsmodels is not installed")


@pytest.fixture(scope="session")
def api() -> Any:
    return pytest.importorskip("statsmodels.api", reason="statsmodels is not installed")


def ballots(votes: list[tuple[int, int, int, float]], prompts: int, systems: int) -> tuple[Any, Any]:
    """(prompt, winner, loser, 1) or (prompt, one, other, 0.5) as the arrays that bradley_terry takes."""
    wins, ties = np.zeros((prompts, systems, systems)), np.zeros((prompts, systems, systems))
    for at, x, y, credit in votes:
        if credit == 1:
            wins[at, x, y] += 1
        else:
            ties[at, x, y] += 1
            ties[at, y, x] += 1
    return wins, ties


@given(successes=st.integers(0, 300), failures=st.integers(0, 300))
def test_wilson_is_that_of_statsmodels(successes: int, failures: int, proportion: Any) -> None:
    found = wilson(successes, successes + failures)
    if successes + failures == 0:
        assert found is None
    else:
        assert found == pytest.approx(
            (successes / (successes + failures), *proportion.proportion_confint(successes, successes + failures, method="wilson")), abs=1e-9
        )


@given(st.integers(0, 60), st.integers(0, 60))
def test_the_sign_test_is_the_binomial_sum(wins: int, losses: int) -> None:
    from math import comb

    n = wins + losses
    as_rare = sum(comb(n, k) for k in range(n + 1) if comb(n, k) <= comb(n, wins)) / 2**n
    assert sign_test(wins, losses) == (None if n == 0 else pytest.approx(as_rare))


@settings(max_examples=max(10, settings().max_examples // 5), deadline=None)  # statsmodels takes 0.1 s for each
@given(values=st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_is_that_of_statsmodels(values: list[float], multitest: Any) -> None:
    assert holm(values) == pytest.approx(list(multitest.multipletests(values, method="holm")[1]))


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32), systems=st.integers(2, 4))
def test_bradley_terry_is_logistic_regression(seed: int, systems: int, api: Any) -> None:
    chance = np.random.default_rng(seed)
    strength = chance.normal(0, 0.7, systems)
    rows, said, votes = [], [], []
    for prompt in range(60):
        for x, y in permutations(range(systems), 2):
            if x < y:
                won = chance.random() < 1 / (1 + np.exp(strength[y] - strength[x]))
                row = np.zeros(systems)
                row[x], row[y] = 1, -1
                rows.append(row)
                said.append(float(won))
                votes.append((prompt, x, y, 1.0) if won else (prompt, y, x, 1.0))
    fit = api.GLM(said, np.array(rows)[:, 1:], family=api.families.Binomial()).fit()  # the first system is the origin
    beta = np.concatenate([[0.0], fit.params])
    found = bradley_terry(*ballots(votes, 60, systems), seed=1, resamples=2)
    assert found.rates == pytest.approx(1 / (1 + np.exp(beta[None, :] - beta[:, None])), abs=1e-4)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 200), st.integers(1, 200), st.integers(0, 100))
def test_for_two_systems_the_fit_is_the_share_of_votes(wins: int, losses: int, ties: int) -> None:
    credit = np.array([[0, wins + ties / 2], [losses + ties / 2, 0]])
    assert _fitted(credit) == pytest.approx(_share(credit), abs=1e-6)
    assert _share(credit)[0, 1] == pytest.approx((wins + ties / 2) / (wins + losses + ties))


def test_who_wins_everything_is_not_half() -> None:
    # evalica alone gives both systems its floor here, which reads as 50 %.
    found = bradley_terry(*ballots([(at, 0, 1, 1.0) for at in range(10)], 10, 2), seed=1, resamples=50)
    assert found.separated
    assert found.rates[0, 1] == pytest.approx(10.5 / 11)
    assert found.low[0, 1] == pytest.approx(wilson(10, 10).low)  # type: ignore[union-attr]
    assert found.high[0, 1] == 1


def test_whole_prompts_are_drawn() -> None:
    # Ten raters who agree on every prompt know as much as one: drawing votes would give an interval a third as wide.
    one = [(at, at % 5 == 0, at % 5 != 0, 1.0) for at in range(50)]
    alone = bradley_terry(*ballots([(a, int(x), int(y), c) for a, x, y, c in one], 50, 2), seed=1)
    together = bradley_terry(*ballots([(a, int(x), int(y), c) for a, x, y, c in one] * 10, 50, 2), seed=1)
    assert together.high[0, 1] - together.low[0, 1] == pytest.approx(alone.high[0, 1] - alone.low[0, 1], abs=1e-9)


def test_no_votes_are_no_comparison() -> None:
    with pytest.raises(ValueError, match="no votes yet"):
        bradley_terry(np.zeros((3, 2, 2)), np.zeros((3, 2, 2)), seed=1)


# Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011), example C: four observers, twelve units, nominal 0.743.
PUBLISHED = (
    (1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None),
    (1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3),
    (None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None),
    (1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None),
)


def said(table: tuple[tuple[int | None, ...], ...]) -> dict[str, dict[Any, int]]:
    return {str(rater): {item: value for item, value in enumerate(row) if value is not None} for rater, row in enumerate(table)}


def test_alpha_is_the_published_one() -> None:
    assert agreement(said(PUBLISHED)) == pytest.approx(0.743, abs=0.0005)


@given(st.lists(st.lists(st.none() | st.integers(0, 3), min_size=6, max_size=6).map(tuple), min_size=2, max_size=4).map(tuple))
def test_alpha_is_one_minus_observed_over_expected_disagreement(table: tuple[tuple[int | None, ...], ...]) -> None:
    units = [[value for value in column if value is not None] for column in zip(*table, strict=True)]
    units = [unit for unit in units if len(unit) > 1]
    everything = Counter(value for unit in units for value in unit)
    n = sum(everything.values())
    expected = sum(everything[a] * everything[b] for a, b in permutations(everything, 2)) / (n - 1) if n else 0
    found = agreement(said(table))
    if not expected:
        assert found is None
    else:
        observed = sum(sum(a != b for a, b in permutations(unit, 2)) / (len(unit) - 1) for unit in units)
        assert found == pytest.approx(1 - observed / expected)


@pytest.mark.parametrize("table", [((1, None), (None, 2)), ((1, 2),), ((1, 1), (1, 1)), ((None,), (None,))])
def test_where_nothing_can_be_told_there_is_no_alpha(table: tuple[tuple[int | None, ...], ...]) -> None:
    assert agreement(said(table)) is None


def test_marks_are_shares_of_showings() -> None:
    found = share_by_prompt(np.array([2.0, 0, 1, 0, 0]), np.array([2.0, 2, 2, 2, 0]), seed=1)
    assert found is not None
    assert found.value == 3 / 8
    assert 0 <= found.low < 3 / 8 < found.high <= 1
    assert share_by_prompt(np.zeros(4), np.full(4, 3.0), seed=1) == wilson(0, 4)  # no mark at all: not sure to be none ever
    assert share_by_prompt(np.zeros(2), np.zeros(2), seed=1) is None


@given(st.integers(1, 500), st.floats(0.02, 0.5))
def test_no_more_prompts_are_needed_where_the_width_is_reached(prompts: int, width: float) -> None:
    assert prompts_needed(Interval(0.5, 0.5 - width / 2, 0.5 + width / 2), prompts, width) in (prompts, prompts + 1)
