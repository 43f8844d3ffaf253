"""What a trainer wants to know of examples before a run: lengths in its tokens, what truncation would cut, how well they pack."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from thaiwiki_clean.instruct import budget
from thaiwiki_clean.instruct.formats import Example

__all__ = ["example_stats", "packs"]


def example_stats(examples: Iterable[Example], tokenizer: str | budget.Counter | None = None, max_length: int = 1024) -> dict[str, Any]:
    """Counts and lengths of ``examples`` as a trainer with this tokenizer and ``max_length`` will see them.

    >>> stats = example_stats([Example("แมวคืออะไร", "แมวเป็นสัตว์")], "characters", max_length=50)
    >>> stats["rows"], stats["length"]["p50"], stats["share_over_max_length"], stats["share_keeps_stop"], stats["packing_efficiency"]
    (1, 25, 0.0, 1.0, 0.5)

    ``length`` is that of whole examples, stop token included, in the ``unit`` of the ruler.
    A trainer cuts from the right, so an example over ``max_length`` loses its stop token;
    none keeps it when the chat template writes nothing after an answer.
    ``packing_efficiency`` is the share of positions that hold a token after best-fit decreasing, what TRL calls ``bfd``.
    Raises ValueError when ``max_length`` is not positive.
    """
    if max_length < 1:
        raise ValueError(f"max_length should be positive, got {max_length}")
    measure = budget.ruler(tokenizer)
    sizes: list[int] = []
    kinds: Counter[str] = Counter()
    sides: Counter[str] = Counter()
    characters = shortened = 0
    for example in examples:
        sizes.append(measure.size(example.prompt, example.answer))
        kinds[example.kind] += 1
        sides[example.split] += 1
        characters += len(example.prompt) + len(example.answer)
        shortened += example.shortened
    sizes.sort()
    rows = len(sizes)
    over = sum(size > max_length for size in sizes)
    cut = [min(size, max_length) for size in sizes]
    bins = packs(cut, max_length)
    return {
        "rows": rows,
        "by_kind": dict(sorted(kinds.items())),
        "by_split": dict(sorted(sides.items())),
        "characters": characters,
        "unit": measure.unit,
        "max_length": max_length,
        "length": {
            "total": sum(sizes),
            **{f"p{share}": _percentile(sizes, share) for share in (5, 50, 95, 99)},
            "max": sizes[-1] if sizes else 0,
        },
        "share_shortened": _share(shortened, rows),
        "share_over_max_length": _share(over, rows),
        "share_keeps_stop": _share(rows - over, rows) if measure.stops else 0.0,
        "packs": bins,
        "packing_efficiency": _share(sum(cut), bins * max_length),
    }


def packs(sizes: Iterable[int], room: int) -> int:
    """How many packs of ``room`` tokens hold ``sizes`` by best-fit decreasing: longest first, each where it leaves the least room.

    >>> packs([6, 5, 4, 3, 2], 10)
    2

    Raises ValueError when one is longer than ``room``.
    """
    free = Counter[int]()  # free room -> number of packs that have it
    open_ = 0  # bit i is set when some pack has room i: the best fit is the lowest set bit from the size on
    count = 0
    for size in sorted(sizes, reverse=True):
        if size > room:
            raise ValueError(f"an example of {size} tokens does not fit a pack of {room}")
        at_least = open_ >> size
        if at_least:
            best = size + (at_least & -at_least).bit_length() - 1
            free[best] -= 1
            if not free[best]:
                open_ &= ~(1 << best)
        else:
            best = room
            count += 1
        free[best - size] += 1
        open_ |= 1 << (best - size)
    return count


def _percentile(ordered: Sequence[int], share: int) -> int:
    """The nearest rank: a length that occurs; 0 when there is none."""
    return ordered[max(0, -(-len(ordered) * share // 100) - 1)] if ordered else 0


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
