"""The order in which a rater sees the items, and which answer stands on the left."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["Task", "plan"]


class Task(NamedTuple):
    """One showing of an item to one rater; ``swapped`` puts the item's second system on the left."""

    item: int
    swapped: bool
    repeat: bool = False


def plan(items: Sequence[int], *, seed: int, rater: str, share: float) -> list[Task]:
    """Every item once in the rater's own order, and ``share`` of them a second time with the sides swapped.

    >>> [task.item for task in plan([1, 2, 3, 4], seed=7, rater="ก้อย", share=0.25)]
    [2, 1, 3, 2, 4]

    Each system stands on the left in half of a rater's items, so a habit of choosing the left one helps neither.
    A repeat comes half the items after its first showing or later, when the answer is no longer fresh in mind.
    The seed is mixed with the rater's name: two raters see different orders, the same rater always the same one.
    Raises ValueError unless ``share`` lies between 0 and 0.5.
    """
    if not 0 <= share <= 0.5:
        raise ValueError(f"a share of {share} repeats; expected 0 to 0.5, at most every second item twice")
    chance = random.Random(f"{seed}\n{rater}")
    order = list(items)
    chance.shuffle(order)
    odd = chance.randrange(2)  # of an odd number of items, either side may get the one more
    sides = [(number + odd) % 2 == 1 for number in range(len(order))]
    chance.shuffle(sides)
    tasks = [Task(item, swapped) for item, swapped in zip(order, sides, strict=True)]
    half = (len(tasks) + 1) // 2
    again = [Task(task.item, not task.swapped, repeat=True) for task in tasks[: round(share * len(tasks))]]
    # The i-th task returns in the second half, behind at least i other repeats: never closer than half the items.
    places = set(chance.sample(range(len(tasks) - half + len(again)), len(again)))
    late, repeats = iter(tasks[half:]), iter(again)
    return tasks[:half] + [next(repeats if place in places else late) for place in range(len(tasks) - half + len(again))]
