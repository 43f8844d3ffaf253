"""Edits: laws against a model that works character by character, and the words of the errors."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.strategies import edits_of, overlapping_edits_of, short_text
from thaiwiki_clean.edits import Edit, apply, check, compose, merge, pieces, undo

laws = settings.get_profile("laws")

#: A text and edits that fit it.
edited = short_text().flatmap(lambda text: st.tuples(st.just(text), edits_of(text)))
#: A text, edits that fit it, and edits that fit what they leave.
edited_twice = edited.flatmap(lambda pair: st.tuples(st.just(pair[0]), st.just(pair[1]), edits_of(apply(*pair))))


# --------------------------------------------------------------------------- a model

#: One character of a text on its way: what it is now, and which raw characters it was made of.
Cell = tuple[str, frozenset[int]]


def model(raw: str, *rounds: Sequence[Edit]) -> tuple[str, dict[int, str]]:
    """What is left of ``raw`` after every round, and the reason that each missing raw character has: the plain and slow way.

    The first reason stands, but that a fold takes an earlier fold with it: the pair of characters became one, then another.
    """
    cells: list[Cell] = [(char, frozenset((i,))) for i, char in enumerate(raw)]
    why: dict[int, str] = {}
    for edits in rounds:
        for edit in reversed(edits):
            gone = frozenset[int]().union(*(origin for _, origin in cells[edit.start : edit.end]))
            why = {**dict.fromkeys(gone, edit.reason), **why} if not edit.new else {**why, **dict.fromkeys(gone, edit.reason)}
            cells[edit.start : edit.end] = [(edit.new, leading_run(gone))] if edit.new else []
    return "".join(char for char, _ in cells), why


def leading_run(places: frozenset[int]) -> frozenset[int]:
    """The places up to the first hole: a fold that reaches over a dropped piece leaves its character on this side of it."""
    run = {min(places)}
    while max(run) + 1 in places:
        run.add(max(run) + 1)
    return frozenset(run)


def reasons(edits: Sequence[Edit]) -> dict[int, str]:
    return {i: edit.reason for edit in edits for i in range(edit.start, edit.end)}


# --------------------------------------------------------------------------- laws


@laws
@given(edited)
def test_apply_is_the_model(pair: tuple[str, list[Edit]]) -> None:
    assert apply(*pair) == model(*pair)[0]


@laws
@given(edited)
def test_undo_gives_the_raw_text_back(pair: tuple[str, list[Edit]]) -> None:
    raw, edits = pair
    assert undo(apply(raw, edits), edits, pieces(raw, edits)) == raw


@laws
@given(edited)
def test_pieces_and_kept_characters_are_the_whole_text(pair: tuple[str, list[Edit]]) -> None:
    raw, edits = pair
    kept = apply(raw, [edit._replace(new="") for edit in edits])
    assert sorted("".join(pieces(raw, edits)) + kept) == sorted(raw)


@laws
@given(edited_twice)
@example(("กขคง", [Edit(1, 2, "url")], [Edit(0, 2, "html", "แ")]))
def test_composed_edits_do_what_both_do(case: tuple[str, list[Edit], list[Edit]]) -> None:
    raw, first, then = case
    assert apply(raw, compose(first, then)) == apply(apply(raw, first), then) == model(raw, first, then)[0]


@laws
@given(edited_twice)
def test_composed_edits_fit(case: tuple[str, list[Edit], list[Edit]]) -> None:
    raw, first, then = case
    check(raw, compose(first, then))


@laws
@given(edited_twice)
def test_the_first_reason_stands_but_for_a_fold_that_is_folded_again(case: tuple[str, list[Edit], list[Edit]]) -> None:
    raw, first, then = case
    then = [edit._replace(reason=f"later_{edit.reason}") for edit in then]
    assert reasons(compose(first, then)) == model(raw, first, then)[1]


@laws
@given(st.data())
def test_composing_may_begin_at_either_end(data: st.DataObject) -> None:
    raw, first, then = data.draw(edited_twice)
    last = data.draw(edits_of(apply(apply(raw, first), then)))
    assert apply(raw, compose(compose(first, then), last)) == apply(raw, compose(first, compose(then, last)))


@laws
@given(edited)
def test_composing_with_nothing_changes_nothing(pair: tuple[str, list[Edit]]) -> None:
    _, edits = pair
    assert compose(edits, []) == compose([], edits) == edits


@laws
@given(short_text().flatmap(lambda text: st.lists(overlapping_edits_of(text), max_size=3)))
def test_of_edits_that_overlap_the_one_of_the_earlier_group_stands(groups: list[list[Edit]]) -> None:
    standing: list[Edit] = []
    for group in groups:
        for edit in sorted(group, key=lambda edit: edit.start):
            if all(edit.end <= other.start or other.end <= edit.start for other in standing):
                standing.append(edit)
    assert merge(*groups) == sorted(standing)


def fits(raw: str, edits: Sequence[Edit]) -> bool:
    ends = [0, *(place for edit in edits for place in (edit.start, edit.end)), len(raw)]
    return ends == sorted(ends) and all(edit.start < edit.end and len(edit.new) < 2 for edit in edits)


wild = st.lists(st.builds(Edit, st.integers(-1, 6), st.integers(-1, 6), st.just("url"), st.sampled_from(["", "แ", "แม"])), max_size=3)


@laws
@given(st.text("กข", max_size=5), wild | wild.map(sorted))
def test_edits_that_do_not_fit_are_refused_and_no_others(raw: str, edits: list[Edit]) -> None:
    outcomes = []
    for function in (check, apply):
        try:
            function(raw, edits)
            outcomes.append(True)
        except ValueError:
            outcomes.append(False)
    assert outcomes == [fits(raw, edits)] * 2


# --------------------------------------------------------------------------- tables

REFUSED = [
    ([Edit(2, 2, "url")], "url: [2:2] does not fit after 0 in a text of 5 characters"),
    ([Edit(3, 2, "url")], "url: [3:2] does not fit after 0 in a text of 5 characters"),
    ([Edit(-1, 2, "url")], "url: [-1:2] does not fit after 0 in a text of 5 characters"),
    ([Edit(4, 6, "html")], "html: [4:6] does not fit after "),
    ([Edit(0, 3, "url"), Edit(2, 4, "html")], "html: [2:4] does not fit after 3 in a text of 5 characters"),
    ([Edit(3, 4, "url"), Edit(0, 1, "html")], "html: [0:1] does not fit after 4 in a text of 5 characters"),
    ([Edit(0, 1, "html", "แม")], "html: [0:1] puts in 2 characters 'แม'; an edit may leave one at most"),
]


@pytest.mark.parametrize(("edits", "message"), REFUSED)
@pytest.mark.parametrize("function", [apply, check])
def test_the_refusal_names_the_reason_and_the_numbers(function, edits: list[Edit], message: str) -> None:
    with pytest.raises(ValueError, match=r"^.+$") as refusal:
        function("แมวดำ", edits)
    assert str(refusal.value).startswith(message)


def test_undo_refuses_pieces_of_another_number() -> None:
    with pytest.raises(ValueError, match="1 edits need as many removed pieces, got 0"):
        undo("แมว", [Edit(0, 1, "url")], [])


def test_undo_refuses_a_piece_of_another_length() -> None:
    with pytest.raises(ValueError, match=r"url: \[0:1\] needs a piece of 1 characters, got 2"):
        undo("แมว", [Edit(0, 1, "url")], ["กข"])


def test_side_by_side_edits_stay_two() -> None:
    assert compose([Edit(0, 1, "url")], [Edit(0, 1, "html")]) == [Edit(0, 1, "url"), Edit(1, 2, "html")]
