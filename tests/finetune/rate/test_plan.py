"""The order of the items: complete, balanced, repeats swapped and far from their first showing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune.rate.plan import plan

NUMBERS = st.integers(0, 60)
SHARES = st.floats(0, 0.5)
NAMES = st.text(min_size=1, max_size=8)


@given(NUMBERS, st.integers(), NAMES, SHARES)
def test_every_item_is_shown_once_first(number: int, seed: int, rater: str, share: float) -> None:
    tasks = plan(range(number), seed=seed, rater=rater, share=share)
    assert sorted(task.item for task in tasks if not task.repeat) == list(range(number))


@given(NUMBERS, st.integers(), NAMES, SHARES)
def test_each_system_stands_left_in_half_of_the_items(number: int, seed: int, rater: str, share: float) -> None:
    tasks = plan(range(number), seed=seed, rater=rater, share=share)
    assert sum(task.swapped for task in tasks if not task.repeat) in (number // 2, (number + 1) // 2)


@given(NUMBERS, st.integers(), NAMES, SHARES)
def test_a_repeat_is_swapped_and_far_from_its_first_showing(number: int, seed: int, rater: str, share: float) -> None:
    tasks = plan(range(number), seed=seed, rater=rater, share=share)
    first = {task.item: (at, task.swapped) for at, task in enumerate(tasks) if not task.repeat}
    repeats = [(at, task) for at, task in enumerate(tasks) if task.repeat]
    assert len(repeats) == len({task.item for _, task in repeats}) == round(share * number)
    for at, task in repeats:
        before, swapped = first[task.item]
        assert task.swapped != swapped
        assert at - before >= number // 2


def test_two_raters_see_different_orders_and_one_rater_always_the_same() -> None:
    noi, koi = (plan(range(40), seed=1, rater=name, share=0.1) for name in ("น้อย", "ก้อย"))
    assert noi != koi
    assert noi == plan(range(40), seed=1, rater="น้อย", share=0.1)


@pytest.mark.parametrize("share", [-0.1, 0.6, float("nan")])
def test_a_share_that_cannot_be_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match=r"expected 0 to 0\.5"):
        plan([1], seed=1, rater="ก", share=share)
