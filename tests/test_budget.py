"""Answers are shortened at an end or not at all, and fit."""

from __future__ import annotations

import builtins
import importlib.util
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thaiwiki_clean.instruct.budget import ruler, shorten
from thaiwiki_clean.instruct.sentences import ends

SENTENCE = "ทะเลสาบแห่งนี้เป็นทะเลสาบน้ำจืดขนาดใหญ่ที่สุดในภาคใต้ของประเทศ"
TEXTS = st.lists(
    st.sampled_from([SENTENCE, "ต่อมาได้ตื้นเขินลงมากจนเรือใหญ่เข้าไม่ได้แล้ว", "ได้แก่", "แมว", " ", "\n", "(", ")"]), min_size=1, max_size=15
).map("".join)
WORD_BY_WORD = ruler(lambda text: text.split())
DEAR_TOGETHER = ruler(lambda text: len(text) ** 2 // 100)  # more for the whole than for its pieces


@given(TEXTS, st.integers(1, 400))
@pytest.mark.parametrize("measure", [ruler("characters"), WORD_BY_WORD, DEAR_TOGETHER], ids=["characters", "blanks", "dear"])
def test_a_shortened_answer_fits_and_ends_at_an_end(measure: Any, text: str, budget: int) -> None:
    answer = shorten(text, "แมวคืออะไร", measure, budget)
    assert not answer or (len(answer) in ends(text) and text.startswith(answer) and measure.size("แมวคืออะไร", answer) <= budget)


@given(TEXTS)
def test_an_answer_that_fits_and_reads_finished_stays_whole(text: str) -> None:
    if ends(text)[-1:] == [len(text)]:
        assert shorten(text, "แมว", ruler("characters"), 10_000) == text


@given(TEXTS, st.integers(1, 400))
def test_nothing_is_left_out_that_has_an_end_within_the_budget(text: str, budget: int) -> None:
    measure = ruler("characters")
    if any(measure.size("แมว", text[:end]) <= budget for end in ends(text)):
        assert shorten(text, "แมว", measure, budget)


def test_the_size_of_the_whole_has_the_last_word() -> None:
    assert shorten("\n\n".join([SENTENCE] * 3), "", DEAR_TOGETHER, 150) == SENTENCE


def test_a_paragraph_is_the_better_end() -> None:
    text = f"{SENTENCE} {SENTENCE}\n\nทะเลสาบนี้มีเกาะเล็กเกาะน้อยอยู่มากมายหลายเกาะ ต่อมามีคนไปอยู่"
    assert len(ends(text)) == 3
    assert shorten(text, "", ruler("characters"), len(text)) == f"{SENTENCE} {SENTENCE}"


def test_a_paragraph_that_keeps_little_is_not() -> None:
    text = f"แมว\n{SENTENCE} ต่อมา{SENTENCE} ต่อมา{SENTENCE}"
    assert len(shorten(text, "", ruler("characters"), 180)) > 100


def test_a_callable_gives_tokens_or_their_number() -> None:
    assert ruler(lambda text: len(text) * 2).count("แมว") == ruler(lambda text: list(text) * 2).count("แมว") == 6


def test_words_are_pythainlps() -> None:
    if not importlib.util.find_spec("pythainlp"):
        pytest.skip("words need pythainlp")
    assert (ruler().unit, ruler().count("แมวกินปลา และนอน")) == ("words", 5)


def test_a_named_tokenizer_without_transformers_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "transformers":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"thaiwiki-clean\[train\]"):
        ruler("no/such-tokenizer")


class Tokenizer:
    """As much of a transformers tokenizer as the ruler asks for: a token a character, ``<u>``, ``<a>`` and a stop token around."""

    def __init__(self, stop: str = "$") -> None:
        self.chat_template = "yes"
        self.stop = stop

    def encode(self, text: str, *, add_special_tokens: bool) -> list[str]:
        assert not add_special_tokens
        return list(text)

    def __call__(self, text: str) -> dict[str, list[str]]:
        """What a real tokenizer gives: a mapping, whose length is 2 and no number of tokens."""
        return {"input_ids": list(text), "attention_mask": list(text)}

    def apply_chat_template(self, turns: list[dict[str, str]], *, tokenize: bool = True, return_dict: bool = False) -> Any:
        text = "<u>" + turns[0]["content"] + "<a>" + turns[1]["content"] + self.stop
        return list(text) if tokenize else text


def test_a_tokenizer_counts_its_chat_template() -> None:
    assert ruler(Tokenizer()).size("แมว", "สัตว์") == 3 + 3 + 3 + 5 + 1


def test_a_tokenizer_object_counts_tokens_and_no_columns() -> None:
    assert ruler(Tokenizer()).count("แมวกินปลา") == 9


def test_a_template_that_writes_no_stop_token_is_seen() -> None:
    assert (ruler(Tokenizer()).stops, ruler(Tokenizer(stop="\n")).stops) == (True, False)
