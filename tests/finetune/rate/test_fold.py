"""Folding is for the eye: every character stays in the page, and no letter is cut."""

from __future__ import annotations

import pytest
import regex
from hypothesis import example, given
from hypothesis import strategies as st

from finetune.rate.fold import VISIBLE, Piece, fold

WORDS = ["แมว", "น้ำ", "กำ", "เก้าอี้", " ", "\n", "a", "🐈", "\u0e49", "ๆ", ". ", "ดูเพิ่ม "]
#: Short pieces, often repeated: what a looping model writes. Plain random text hardly ever repeats.
LOOPING = st.lists(
    st.tuples(st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map("".join), st.integers(1, 40)).map(lambda x: x[0] * x[1]),
    max_size=6,
).map("".join)


def pieces(text: str) -> tuple[Piece, ...]:
    folded = fold(text)
    return folded.shown + folded.rest


@given(LOOPING | st.text())
def test_the_pieces_are_the_text(text: str) -> None:
    together = "".join(piece.text + piece.hidden for piece in pieces(text))
    assert together == "".join(
        c if c in "\t\n\r" or (c > "\x1f" and c != "\x7f") else chr(0x2400 + ord(c)) if c < " " else "\u2421" for c in text
    )


@given(LOOPING)
@example("แมว" * 20 + " \u0e49")
def test_no_letter_is_cut_from_its_marks(text: str) -> None:
    clusters = {match.start() for match in regex.finditer(r"\X", text)} | {len(text)}
    at = 0
    for piece in pieces(text):
        assert at in clusters
        at += len(piece.text)
        assert at in clusters
        at += len(piece.hidden)


@given(LOOPING)
def test_the_count_is_that_of_the_copies(text: str) -> None:
    for piece in pieces(text):
        assert (
            piece.copies == 1
            or (piece.text * (piece.copies - 1)).strip() == piece.hidden.strip()
            or (piece.text * (piece.copies - 1)).startswith(piece.hidden.rstrip(" \n"))
        )


@given(LOOPING | st.text())
def test_a_fold_hides_at_least_what_a_click_is_worth(text: str) -> None:
    for piece in pieces(text):
        assert piece.copies == 1 or (piece.copies >= 3 and len(piece.text + piece.hidden) >= 60)


@pytest.mark.parametrize("text", ["", "ก", "5555555555", "." * 50, "แมว แมว", "=" * 20 + "\n" + "ก" * 30, "จริง ๆ " * 2])
def test_what_is_short_stays_as_it_is(text: str) -> None:
    assert pieces(text) == ((Piece(text),) if text else ())


def test_a_long_answer_folds_at_a_blank() -> None:
    text = "".join(f"คำที่{n} " for n in range(2000))
    folded = fold(text)
    assert sum(len(p.text) for p in folded.shown) <= VISIBLE
    assert folded.shown[-1].text.endswith(" ")
    assert folded.characters == len(text) - sum(len(p.text) for p in folded.shown)


@pytest.mark.parametrize("text", ["กขค" * 70_000, "".join(map(str, range(40_000))), "ก" * 200_000, "ab" * 9_999 + "c" * 100_000])
def test_the_longest_answers_fold_in_time(text: str) -> None:
    from time import perf_counter

    start = perf_counter()
    fold(text)
    assert perf_counter() - start < 5  # a loop in the pattern itself would take minutes
