"""The statistics: exact where they must be, against independent computations, and by simulation where the truth is known.

Simulated: seeds' effects, prompts' effects and the rest are normal with the spreads given, the true effect is 0.3, intervals of 95 %,
1,000 studies each (the tests run 250 and allow for chance). Share of intervals that hold the truth:

    seeds x prompts: sd of seeds, prompts, rest | bootstrap | prompts anew for each seed | prompts only | t over seeds | t, two-way
    5 x 200: .06 .15 .35 (as in the first runs)  | .943      | .89                        | .65          | .95          | .955
    5 x 200: .12 .15 .35                         | .886      | .84                        | .42          | .95          | .951
    5 x 200: .25 .20 .20 (seeds differ most)     | .849      | .83                        | .22          | .96          | .954
    5 x 200: .00 .30 .30 (seeds do not differ)   | .974      | .81                        | .95          | .69          | .958
    3 x  96: .06 .15 .35                         | .932      | .86                        | .76          | .94          | .944
    3 x  96: .12 .20 .30                         | .832      | .77                        | .52          | .94          | .928
    10 x 200: .06 .15 .35                        | .957      | .89                        | .73          | .92          | .948

(2,000 draws; the third column from 400 studies.) Without an effect the bootstrap's p is below 0.05 in .056, .113, .148, .025, .067, .165
and .042 of the studies: where seeds differ much, a lone small p of a few seeds is not to be trusted.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

np = pytest.importorskip("numpy", reason="numpy is not installed")
stats = pytest.importorskip("scipy.stats", reason="scipy is not installed")

from finetune.bootstrap import Estimate, estimate, over_seeds, two_way  # noqa: E402 - needs numpy

EFFECT = 0.3


def simulated(chance: Any, seeds: int, prompts: int, sd: tuple[float, float, float], effect: float = EFFECT) -> Any:
    of_seed, of_prompt, rest = sd
    return (
        effect
        + chance.normal(0, of_seed, (seeds, 1))
        + chance.normal(0, of_prompt, (1, prompts))
        + chance.normal(0, rest, (seeds, prompts))
    )


def test_arms_that_are_alike_differ_by_nothing() -> None:
    found = estimate(np.zeros((5, 30)), draws=500, seed=0)
    assert (found.value, found.low, found.high, found.p, found.two_way) == (0, 0, 0, 1, (0, 0))
    assert not found.differs


@given(st.integers(0, 2**32), st.integers(2, 6), st.integers(2, 40))
@settings(max_examples=30, deadline=None)
def test_swapping_the_arms_flips_the_sign(seed: int, seeds: int, prompts: int) -> None:
    values = simulated(np.random.default_rng(seed), seeds, prompts, (0.1, 0.2, 0.3))
    one, other = estimate(values, draws=300, seed=1), estimate(-values, draws=300, seed=1)
    assert (one.value, one.low, one.high) == pytest.approx((-other.value, -other.high, -other.low))
    assert one.p == other.p
    assert one.two_way is not None
    assert other.two_way is not None
    assert one.two_way == pytest.approx((-other.two_way[1], -other.two_way[0]))


def test_the_seed_decides_the_draws() -> None:
    values = simulated(np.random.default_rng(0), 5, 50, (0.1, 0.2, 0.3))
    assert estimate(values, draws=300, seed=1) == estimate(values, draws=300, seed=1)
    assert estimate(values, draws=300, seed=1).low != estimate(values, draws=300, seed=2).low


def test_the_interval_is_that_of_drawing_one_by_one() -> None:
    values = simulated(np.random.default_rng(3), 4, 30, (0.1, 0.2, 0.3))
    chance = np.random.default_rng(9)
    means = []
    for _ in range(20_000):
        rows = values[chance.integers(4, size=4)]
        means.append(rows[:, chance.integers(30, size=30)].mean())  # one set of prompts for all drawn seeds
    low, high = np.quantile(means, [0.025, 0.975])
    found = estimate(values, draws=20_000, seed=0)
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.006)
    assert np.std(means) > 0.05  # so the tolerance is small


def test_per_seed_values_are_the_means_over_prompts() -> None:
    found = estimate(np.array([[0.0, 1.0], [0.5, 0.5], [1.0, 1.0]]), draws=100, seed=0)
    assert found.per_seed == (0.5, 0.5, 1.0)
    assert found.value == pytest.approx(2 / 3)
    assert (found.n_seeds, found.n_prompts) == (3, 2)


def test_with_one_seed_prompts_alone_are_drawn() -> None:
    found = estimate(simulated(np.random.default_rng(0), 1, 40, (0.1, 0.2, 0.3)), draws=400, seed=0)
    assert (found.low, found.high) == pytest.approx(found.prompts_only)
    assert found.two_way is None
    assert not found.disputed


@pytest.mark.parametrize("shape", [(0, 5), (5, 0)])
def test_nothing_has_no_mean(shape: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="one of each at least"):
        estimate(np.zeros(shape), draws=100, seed=0)


def test_no_p_value_is_zero() -> None:
    assert estimate(np.full((3, 20), 0.5), draws=999, seed=0).p == pytest.approx(2 / 1000)


@pytest.mark.parametrize(
    ("interval", "second", "disputed"),
    [
        ((0.1, 0.2), (-0.1, 0.3), True),
        ((0.1, 0.2), (0.05, 0.3), False),
        ((-0.1, 0.2), (-0.2, 0.3), False),
        ((-0.1, 0.2), (0.01, 0.1), True),
    ],
)
def test_intervals_that_disagree_about_zero_are_a_dispute(
    interval: tuple[float, float], second: tuple[float, float], disputed: bool
) -> None:
    assert Estimate(0.15, *interval, 0.05, (0.1, 0.2), interval, second, 2, 10).disputed is disputed


def test_the_second_interval_has_the_mean_squares_of_an_analysis_of_variance() -> None:
    api = pytest.importorskip("statsmodels.formula.api", reason="statsmodels is not installed")
    anova = pytest.importorskip("statsmodels.stats.anova", reason="statsmodels is not installed")
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    values = simulated(np.random.default_rng(4), 5, 12, (0.2, 0.2, 0.2))
    table = pandas.DataFrame([(str(s), str(p), values[s, p]) for s in range(5) for p in range(12)], columns=["seed", "prompt", "y"])
    squares = anova.anova_lm(api.ols("y ~ C(seed) + C(prompt)", table).fit())
    of_seed, of_prompt, rest = squares["mean_sq"]
    total = of_seed + of_prompt - rest
    freedom = total**2 / (of_seed**2 / 4 + of_prompt**2 / 11 + rest**2 / 44)
    reach = stats.t.ppf(0.975, freedom) * (total / 60) ** 0.5
    assert two_way(values) == pytest.approx((values.mean() - reach, values.mean() + reach))


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=8).filter(lambda values: np.std(values) > 1e-6))
def test_over_seeds_is_students_t(values: list[float]) -> None:
    found, other = over_seeds(np.array(values)), stats.ttest_1samp(values, 0)
    assert found.p == pytest.approx(float(other.pvalue))
    assert (found.low, found.high) == pytest.approx(tuple(other.confidence_interval()))


def test_one_run_proves_nothing() -> None:
    assert over_seeds(np.array([0.4])).p == 1
    assert over_seeds(np.zeros(3)).p == 1


# ---- simulation


def covered(seeds: int, prompts: int, sd: tuple[float, float, float], studies: int = 250) -> dict[str, float]:
    chance = np.random.default_rng(20)
    held = {"bootstrap": 0, "two_way": 0, "prompts": 0}
    for _ in range(studies):
        found = estimate(simulated(chance, seeds, prompts, sd), draws=600, seed=0)
        assert found.two_way is not None
        held["bootstrap"] += found.low <= EFFECT <= found.high
        held["two_way"] += found.two_way[0] <= EFFECT <= found.two_way[1]
        held["prompts"] += found.prompts_only[0] <= EFFECT <= found.prompts_only[1]
    return {name: count / studies for name, count in held.items()}


# With 250 studies chance moves a share by 0.03 (two standard errors).


def test_intervals_hold_the_truth_where_seeds_and_prompts_differ_as_measured() -> None:
    share = covered(5, 200, (0.06, 0.15, 0.35))
    assert share["bootstrap"] > 0.90
    assert share["two_way"] > 0.92
    assert share["prompts"] < 0.75  # the prompts alone would promise too much


def test_intervals_hold_the_truth_where_only_prompts_differ() -> None:
    share = covered(5, 200, (0.0, 0.3, 0.3))
    assert share["bootstrap"] > 0.91
    assert share["two_way"] > 0.91


def test_few_seeds_that_differ_much_need_the_second_interval() -> None:
    share = covered(5, 200, (0.25, 0.2, 0.2))
    assert share["bootstrap"] < 0.89  # known and said: five values drawn from five vary too little
    assert share["two_way"] > 0.91


def test_where_nothing_differs_few_studies_find_something() -> None:
    chance = np.random.default_rng(21)
    found = [estimate(simulated(chance, 5, 100, (0.06, 0.15, 0.35), 0.0), draws=600, seed=0) for _ in range(250)]
    assert sum(each.p < 0.05 for each in found) / 250 < 0.12
    assert sum(each.differs and not each.disputed for each in found) / 250 < 0.09


def test_more_prompts_narrow_the_interval_and_more_seeds_too() -> None:
    def width(seeds: int, prompts: int) -> float:
        chance = np.random.default_rng(5)
        found = [estimate(simulated(chance, seeds, prompts, (0.1, 0.3, 0.3)), draws=400, seed=0) for _ in range(20)]
        return float(np.mean([each.high - each.low for each in found]))

    assert width(5, 200) < width(5, 50)
    assert width(10, 100) < width(4, 100)
