"""newmm: token by token what PyThaiNLP gives, with its dictionary and with any other; its cost is in benchmarks/words.py."""

from __future__ import annotations

import functools
import importlib.metadata
import itertools
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

pytest.importorskip("pythainlp", reason="the [words] extra is not installed")

from pythainlp.corpus import thai_words
from pythainlp.tokenize.newmm import segment as theirs
from pythainlp.tokenize.tcc_p import _PAT_TCC, tcc_pos_array
from pythainlp.util import Trie

from thaiwiki_clean import newmm
from thaiwiki_clean.newmm import Newmm


@functools.cache
def ours() -> Callable[[str], list[str]]:
    return Newmm(thai_words()).segment


#: Letters of which rules for clusters are made; the rest of the block, other scripts and digits come rarely.
cluster_letters = st.sampled_from("กงรวยอสเแโไะัาำิีืุู็่์ๆ")
letters = st.one_of(
    cluster_letters,
    cluster_letters,
    st.characters(min_codepoint=0x0E00, max_codepoint=0x0E7F),
    st.sampled_from(" \t\r-.,x19๑٣…é漢🙂\x00\ud800\u200b"),
)
words = st.sampled_from(sorted(thai_words()))
clusters = st.from_regex(_PAT_TCC, fullmatch=True)
lines = st.one_of(
    st.lists(clusters | clusters | cluster_letters).map("".join),
    st.text(letters),
    st.lists(words | words | st.text(letters, max_size=3)).map("".join),
    st.builds(lambda piece, n, after: piece * n + after, words | st.text(cluster_letters, max_size=4), st.integers(1, 60), words),
)


@settings.get_profile("laws")
@given(lines)
@example("")
@example("เตี้ยะเตียะเดียวเสียงเกี่ยว")
@example("เกาะเคาะเครือข่ายเมือ่ะเมื่ออยู่")
@example("แกะแข็งแพทย์แห่งแกร็งแสตมป์")
@example("ธรรม์กรรมพันธุ์สิทธิ์เกียรติ์")
@example("ตัวะผัวะขุดรัฐธรรมนูญ")
@example("เลื่อยเคยเงินเดินเสริฐ์กเกิน")
@example("พ.ศ. 2,560.5 (Airstrip) abc-12x ๑๒,๐๐๐ 漢字a\r")
@example("มหาวิทยาลัย" * 40)
@example("์\r์\r")
def test_tokens_are_those_of_pythainlp(line: str) -> None:
    assert ours()(line) == theirs(line)


def clusters_differ(line: str) -> bool:
    return [bool(mark) for mark in newmm._cluster_ends(line + newmm._PAD, len(line))] != [bool(mark) for mark in tcc_pos_array(line)]


@settings.get_profile("laws")
@given(lines)
def test_clusters_are_those_of_pythainlp(line: str) -> None:
    assert not clusters_differ(line)


def test_clusters_of_all_short_lines_are_those_of_pythainlp() -> None:
    """One letter for each kind that a rule knows: every four of them, and every six of those that the longer rules are made of."""
    kinds = "กรยอะัาำิีืุ็่์เแโใx"
    lines = ["".join(letters) for letters in itertools.product(kinds, repeat=4)]
    lines += ["".join(letters) for letters in itertools.product("กเแโ", *["กยะาิี็่์"] * 5)]
    assert [line for line in lines if clusters_differ(line)] == []


# Of few letters, so that words overlap and cuts are seldom certain.
small_words = st.lists(st.text(st.sampled_from("กขาแ่ x."), min_size=1, max_size=6).filter(lambda word: word == word.strip()), min_size=1)


@settings.get_profile("laws")
@given(small_words, st.text(st.sampled_from("กขาแ่ x.1"), max_size=120))
@example(["ก" * n for n in range(1, 30)], "ก" * 100)
@example(["ก", "กข", *("ข" * n for n in range(1, 60))], "ก" + "ข" * 49)  # the last edge that is let in
@example(["ก", "กข", *("ข" * n for n in range(1, 60))], "ก" + "ข" * 50)  # and the first that is not
@example(["กข", "ข"], "กกขข")
@example(["ก", "กก", "กกก", "ขก"], "กกกกกขกขก ")
def test_any_dictionary_gives_the_tokens_that_pythainlp_gives(dictionary: list[str], line: str) -> None:
    assert Newmm(dictionary).segment(line) == theirs(line, Trie(dictionary))


@given(st.lists(st.text(letters, min_size=1)), st.text(letters))
def test_tokens_joined_are_the_line(dictionary: list[str], line: str) -> None:
    tokens = Newmm(dictionary).segment(line)
    assert "".join(tokens) == line
    assert all(tokens)


def test_order_and_copies_in_a_dictionary_mean_nothing() -> None:
    dictionary = ["ตา", "ตาก", "กลม", "ลม", ""]
    assert Newmm(dictionary).segment("ตากลม") == Newmm([*dictionary[::-1], "ตา"]).segment("ตากลม") == ["ตา", "กลม"]


def test_without_words_tokens_are_kinds() -> None:
    assert Newmm([]).segment("แมว 12 cats") == ["แมว", " ", "12", " ", "cats"]


def test_the_pythainlp_that_is_installed_is_the_one_it_was_written_after() -> None:
    """With another one its tokens may change: compare, and move :data:`PYTHAINLP`."""
    assert importlib.metadata.version("pythainlp").startswith(f"{newmm.PYTHAINLP}.")
