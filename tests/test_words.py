"""Words: nothing is lost, lines are segmented alone, and no text takes the engines' exponential path."""

from __future__ import annotations

import importlib
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

pytest.importorskip("pythainlp", reason="the [words] extra is not installed")
pytest.importorskip("nlpo3", reason="the [words] extra is not installed")

from thaiwiki_clean.words import ENGINES, engine_version, n_words, word_ends, words

module = importlib.import_module("thaiwiki_clean.words")  # the package has a function of that name

thai = st.text(st.characters(min_codepoint=0x0E01, max_codepoint=0x0E5B))
pieces = st.sampled_from(
    ["แมว", "กรอ", "ส", "ก่", "ํา", " ", "\n", "\r\n", "\t", "\x00", "\ud800", "\u200b", "🙂", "abc", "1,250", "นานา ", "์"]
)
hostile = st.builds(lambda before, piece, n, after: before + piece * n + after, thai | pieces, pieces, st.integers(1, 700), thai)
anything = st.text(st.characters()) | thai | hostile | st.lists(pieces).map("".join)


@given(st.lists(pieces))
def test_as_many_words_end_as_there_are(tokens: list[str]) -> None:
    found = word_ends(tokens)
    assert len(found) == n_words(tokens)
    assert all("".join(tokens)[:end].endswith(token) for token, end in zip([t for t in tokens if not t.isspace()], found, strict=True))


@pytest.mark.parametrize("engine", ENGINES)
@settings(deadline=None)
@given(text=anything)
@example(text="")
@example(text="\n")
@example(text="แมว\n\n \nปลา\n")
@example(text="\udc00" + "ส" * 900)
@example(text="ก" + "่" * 900)
@example(text="ใน กรอกรอกรอกรอกรอกรอกรอกรอกรอ และ")
def test_tokens_joined_are_the_text(engine: str, text: str) -> None:
    assert "".join(words(text, engine)) == text


@pytest.mark.parametrize("engine", ENGINES)
@settings(deadline=None)
@given(a=anything, b=anything)
def test_lines_are_segmented_alone(engine: str, a: str, b: str) -> None:
    assert words(f"{a}\n{b}", engine) == [*words(a, engine), "\n", *words(b, engine)]


@settings(deadline=None)
@given(text=anything)
def test_no_token_is_empty(text: str) -> None:
    assert all(words(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("ก", ["ก"]),
        ("\n", ["\n"]),
        ("แมวกินปลา", ["แมว", "กิน", "ปลา"]),
        ("แมว กิน", ["แมว", " ", "กิน"]),
        ("พ.ศ. 2560", ["พ.ศ.", " ", "2560"]),
        ("แมว\r\nปลา", ["แมว", "\r", "\n", "ปลา"]),
        ("แมว\ud800ปลา", ["แมว", "\ud800", "ปลา"]),
    ],
)
def test_tokens(text: str, expected: list[str]) -> None:
    assert words(text) == expected


def test_newmm_gives_the_tokens_of_newmm() -> None:
    from pythainlp.tokenize.newmm import segment

    text = "(Airstrip) ทางวิ่งของเครื่องบินยาว 1,250 เมตร"
    assert words(text, "newmm") == segment(text)


def test_plain_lines_get_the_tokens_of_nlpo3() -> None:
    from pythainlp.tokenize.nlpo3 import segment

    text = "กรุงเทพมหานคร เป็นเมืองหลวงและนครที่มีประชากรมากที่สุดของประเทศไทย เป็นศูนย์กลางการปกครอง"
    assert words(text) == segment(text)


@pytest.mark.parametrize("piece", ["กรอ", "ส", "กรกช", "เครียส"])
def test_a_run_that_blows_up_is_linear(piece: str) -> None:
    # nlpo3 alone takes 0.1 to 0.2 ms a character here (and more, the longer the run): two seconds and up.
    text = (piece * 20_000)[:20_000]
    words(text[:50])  # the engines load their dictionaries
    start = time.process_time()
    words(text)
    assert time.process_time() - start < 1.0


def test_only_hostile_runs_go_to_newmm() -> None:
    prose = "เป็นศูนย์กลางการปกครองการศึกษาการคมนาคมขนส่งการเงินการธนาคารการพาณิชย์การสื่อสาร"
    assert not module._may_blow_up(prose)
    assert module._may_blow_up("กรอ" * 10)
    assert module._may_blow_up("กสเสตงหนอกกรกชกรอกมรอมรมรอมองกร")


def test_a_window_ends_where_a_word_ends() -> None:
    sentence = "เป็นศูนย์กลางการปกครองและการศึกษาของประเทศไทย"  # 45 characters: windows of 400 would end inside its words
    assert len(words(sentence)) > 5
    assert words(sentence * 60) == words(sentence) * 60


def test_no_window_ends_between_a_letter_and_its_mark() -> None:
    # one token without end: the cut is the window's own
    tokens = module._windows(lambda piece: [piece], 10, "ก" * 9 + "ก้" + "ก" * 5)
    assert tokens == ["ก" * 9 + "ก้", "ก" * 5]


def test_words_are_counted_without_blanks() -> None:
    assert n_words(words("แมว กินปลา\n ปลา (2)")) == 7


def test_versions_stand_in_the_name() -> None:
    assert engine_version("nlpo3").startswith("nlpo3 1")
    assert engine_version("newmm").startswith("newmm 5.4, pythainlp 5")


@pytest.mark.parametrize("call", [words, lambda text, engine: engine_version(engine)])
def test_unknown_engine_is_refused(call) -> None:
    with pytest.raises(ValueError, match="no word engine 'deepcut'; there are nlpo3 and newmm"):
        call("แมว", "deepcut")


def test_a_missing_extra_names_its_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "nlpo3", None)
    module._segmenter.cache_clear()
    try:
        with pytest.raises(ImportError, match=r"pip install 'thaiwiki-clean\[words\]'"):
            words("แมว")
    finally:
        module._segmenter.cache_clear()
