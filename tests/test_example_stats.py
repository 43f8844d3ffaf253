"""Lengths, what truncation cuts, and packing."""

from __future__ import annotations

import importlib.util
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thaiwiki_clean.instruct.example_stats import example_stats, packs
from thaiwiki_clean.instruct.formats import Example

SIZES = st.lists(st.integers(1, 20), max_size=40)


@given(SIZES)
def test_packs_hold_everything_and_at_most_one_is_less_than_half_full(sizes: list[int]) -> None:
    assert sum(sizes) <= packs(sizes, 20) * 20 <= 2 * sum(sizes) + 20


@given(SIZES)
def test_packs_are_those_of_the_plain_algorithm(sizes: list[int]) -> None:
    free: list[int] = []
    for size in sorted(sizes, reverse=True):
        fitting = [room for room in free if room >= size]
        if fitting:
            free.remove(min(fitting))
            free.append(min(fitting) - size)
        else:
            free.append(20 - size)
    assert packs(sizes, 20) == len(free)


@pytest.mark.filterwarnings("ignore")
@given(SIZES.filter(bool))
@settings(max_examples=20, deadline=None)
def test_packs_are_trls(sizes: list[int]) -> None:
    if not importlib.util.find_spec("trl"):
        pytest.skip("needs trl")
    from datasets import Dataset
    from trl.data_utils import pack_dataset

    rows = Dataset.from_dict({"input_ids": [[0] * size for size in sizes]})
    assert len(pack_dataset(rows, seq_length=20, strategy="bfd")) == packs(sizes, 20)


EXAMPLES = [Example("ก", "ข" * n, kind="definition", split="train") for n in range(1, 101)]


def test_lengths_are_nearest_ranks() -> None:
    stats = example_stats(EXAMPLES, "characters", max_length=200)
    assert stats["length"] == {"total": 5050 + 400, "p5": 9, "p50": 54, "p95": 99, "p99": 103, "max": 104}


def test_what_is_over_the_length_loses_its_stop_token() -> None:
    stats = example_stats(EXAMPLES, "characters", max_length=54)
    assert (stats["share_over_max_length"], stats["share_keeps_stop"]) == (0.5, 0.5)


def test_a_template_without_a_stop_token_keeps_none() -> None:
    class Sailor:
        chat_template = "yes"

        def encode(self, text: str, *, add_special_tokens: bool) -> list[str]:
            return list(text)

        def apply_chat_template(self, turns: Any, *, tokenize: bool = True, return_dict: bool = False) -> Any:
            text = "\n".join(turn["content"] for turn in turns) + "\n"
            return list(text) if tokenize else text

    assert example_stats(EXAMPLES, Sailor(), max_length=500)["share_keeps_stop"] == 0.0  # type: ignore[arg-type]


def test_no_examples_are_no_error() -> None:
    stats = example_stats([], "characters")
    assert (stats["rows"], stats["length"]["max"], stats["packs"], stats["share_keeps_stop"]) == (0, 0, 0, 0.0)


def test_an_example_that_fits_no_pack_is_refused() -> None:
    with pytest.raises(ValueError, match="21 tokens does not fit a pack of 20"):
        packs([21], 20)


def test_a_length_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="max_length should be positive, got 0"):
        example_stats([], "characters", max_length=0)
