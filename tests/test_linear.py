"""Hostile texts take a bounded number of steps. Times are in benchmarks/speed.py; what is counted here is the work."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import thaiwiki_clean as tw
from thaiwiki_clean import markup, rounds
from thaiwiki_clean.edits import Edit

# Dirt that is nested in itself: each layer shows only when the one inside it is gone.
NESTED: dict[str, Callable[[int], str]] = {
    "brackets": lambda depth: "(" * depth + ")" * depth,
    "brackets with separators": lambda depth: "(; " * depth + " ;)" * depth,
    "links": lambda depth: "[[" * depth + "]]" * depth,
    "templates": lambda depth: "{{" * depth + "}}" * depth,
    "quotes in links": lambda depth: "['" * depth + "]'" * depth,
    "tags": lambda depth: "<b" * depth + ">" * depth,
    "comments": lambda depth: "<!-" * depth + "<!-- -->" + "- -->" * depth,
    "references": lambda depth: "<ref>" * depth + "ก" + "</ref>" * depth,
    "entities": lambda depth: "&" + "amp;" * depth,
    "entities in entities": lambda depth: "&am" * depth + "&#112;" + ";" * depth,
    "marks": lambda depth: "ก" + "ุ์" * depth,
    "SARA AM and tones": lambda depth: "ก" + "ำ่" * depth,
    "options of images": lambda depth: "thumb " * depth,
    "options between bars": lambda depth: "|thumb " * depth,
    "attributes": lambda depth: "style=a" * depth + " x|y",
    "attributes before two bars": lambda depth: "|" + "a=" * depth + "||",
    "list markers": lambda depth: ": " * depth,
    "announcements": lambda depth: "\n".join(f"ปลา {number} มีดังนี้" for number in range(depth)),
    "titles": lambda depth: "\n".join("ก" * 9 * number for number in range(1, depth)),
    "sections": lambda depth: "\n".join(f"{'=' * (1 + number % 6)} หมายเหตุ {'=' * (1 + number % 6)}" for number in range(depth)),
}
nested = pytest.mark.parametrize("page", NESTED.values(), ids=NESTED.keys())


def rounds_of(text: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """How often explain() goes over a text."""
    count = 0
    once = rounds._round

    def counted(*about: object) -> tuple[str, list[Edit]]:
        nonlocal count
        count += 1
        result: tuple[str, list[Edit]] = once(*about)
        return result

    monkeypatch.setattr(rounds, "_round", counted)
    tw.explain(text)
    return count


@nested
def test_depth_does_not_cost_rounds(page: Callable[[int], str], monkeypatch: pytest.MonkeyPatch) -> None:
    # The most that is known: a title on the line above takes a round, may have 120 characters, and grows by nine a line.
    assert rounds_of(page(400), monkeypatch) <= 15


# Dirt of two kinds, each of which shows only when the other is gone.
TURNS = {
    "bars and markers": "|\t••",
    "bars, references and markers": "|\t<ref>;",
    "addresses and options of images": "mailto:frame&nbsp;250px",
    "announcements and a lone mark": "ุ\nดังนี้\n",
}


@pytest.mark.parametrize("dirt", TURNS.values(), ids=TURNS.keys())
def test_rules_that_take_turns_do_not_cost_rounds_without_end(dirt: str, monkeypatch: pytest.MonkeyPatch) -> None:
    said = "แมวเป็นสัตว์เลี้ยงลูกด้วยนมที่มนุษย์เลี้ยงไว้ในบ้าน"
    for text in (f"{said}\n{dirt * 400}", f"{dirt * 400} {said}"):
        assert rounds_of(text, monkeypatch) <= 25
        done = tw.explain(text)
        assert said in done.text
        assert not tw.explain(done.text).edits


@nested
def test_dirt_of_any_depth_is_settled(page: Callable[[int], str]) -> None:
    text = tw.clean(page(400))
    assert tw.clean(text) == text


@nested
def test_the_raw_page_comes_back_from_any_depth(page: Callable[[int], str]) -> None:
    done = tw.explain(page(400))
    assert tw.undo(done.text, done.edits, [piece for _, piece in done.removed()]) == done.raw


def test_a_step_is_repeated_a_bounded_number_of_times() -> None:
    seen = 0

    def innermost(text: str) -> list[Edit]:
        nonlocal seen
        seen += 1
        at = text.find("()")
        return [Edit(at, at + 2, "empty_brackets")] if at >= 0 else []

    text = "ก " + "(" * 1000 + ")" * 1000
    assert tw.apply(text, markup.settle(text, innermost, "()")) == "ก "
    assert seen < 20


def test_runs_of_one_sign_are_one_edit() -> None:
    for sign in "[{'~":
        assert len(tw.explain("แมวเป็นสัตว์" + sign * 1000 + "เลี้ยง").edits) == 1, sign


def test_long_lines_are_not_remembered() -> None:
    before = markup._clauses.cache_info().currsize, markup._is_name.cache_info().currsize
    line = "แมวเป็นสัตว์เลี้ยงลูกด้วยนม" * 100
    assert markup.clauses(line) > 0
    assert not markup.is_name(line)
    assert (markup._clauses.cache_info().currsize, markup._is_name.cache_info().currsize) == before
