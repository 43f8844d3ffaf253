"""Repetition: the quick measures equal their definitions written out, hostile texts cost linear time, real prose passes."""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path

import pytest
import regex
from hypothesis import example, given
from hypothesis import strategies as st

pytest.importorskip("numpy", reason="the [words] extra is not installed")

from thaiwiki_clean.repetition import (
    FINEWEB2_LIMITS,
    LIMITS,
    Repetition,
    graphemes,
    is_repetitive,
    loops,
    over_limits,
    rep_n,
    repetition,
)

piece = st.text(st.sampled_from("กขค่้ำ \n\u200bเa1"), max_size=8)
looping = st.lists(st.builds(lambda p, n: p * n, piece, st.integers(1, 9)), max_size=6).map("".join)
anything = st.text(st.characters()) | looping
words = st.lists(st.sampled_from(["แมว", "ปลา", "กิน", "ก", "น้ำ"]) | st.sampled_from(["ดิน", "ฟ้า"]), max_size=60)


# ---- laws: the definitions, written out without any short cut


def plain_loops(units: list[str]) -> set[int]:
    """Every unit in three or more back-to-back copies of one piece, 12 units or more: the definition, in cubic time."""
    inside: set[int] = set()
    for period in range(1, 151):
        start = 0
        while start + period < len(units):
            end = start + period
            while end < len(units) and units[end] == units[end - period]:
                end += 1
            if end - start >= max(3 * period, 12):
                inside.update(range(start, end))
            start = max(start + 1, end - period + 1) if end - start > period else start + 1
    return inside


def plain_mass(text: str) -> float:
    flat = "\n".join(line.strip(" \r") for line in regex.sub("[ \t\u00a0\u200b\ufeff]+", " ", text).split("\n"))
    units = regex.findall(r"\X", flat)
    inside = plain_loops(units)
    seen: set[str] = set()
    at = 0
    for line in flat.split("\n"):
        n = len(regex.findall(r"\X", line))
        if line and line in seen:
            inside.update(range(at, at + n))
        seen.add(line)
        at += n + 1
    return len(inside) / len(units) if units else 0.0


@given(looping)
@example("\u0e01\u0e48" * 12)
@example("aaaa" * 3)
@example("ก ข " * 4)
@example("x" + "ab" * 6)
def test_mass_is_its_definition(text: str) -> None:
    assert repetition(text, ()).mass == plain_mass(text)


@given(st.integers(1, 60), st.integers(3, 5), st.randoms(use_true_random=False), st.text(max_size=30), st.text(max_size=30))
def test_no_loop_is_overlooked(period: int, copies: int, random, before: str, after: str) -> None:
    said = "".join(chr(0x0E01 + random.randrange(40)) for _ in range(period))
    text = before + said * copies + after
    assert repetition(text, ()).mass == plain_mass(text)


@given(st.lists(st.integers(0, 3), max_size=80))
def test_loops_are_their_definition(units: list[int]) -> None:
    found = loops(units)
    assert {i for start, end in found for i in range(start, end)} == plain_loops(units)
    assert all(end - start >= 12 for start, end in found)


@given(st.text(st.sampled_from([chr(c) for c in (10, 32, 65, 0xA9, 0xAE, *range(0x0E01, 0x0E5C), *range(0x2010, 0x2028))])) | anything)
def test_graphemes_are_those_of_unicode(text: str) -> None:
    assert graphemes(text) == regex.findall(r"\X", text)


def datatrove_again(tokens: list[str], n: int) -> float:
    """Characters in sequences met before, as datatrove's find_all_duplicate counts them."""
    seen: set[tuple[str, ...]] = set()
    characters = i = 0
    while i < len(tokens) - n + 1:
        gram = tuple(tokens[i : i + n])
        if gram in seen:
            characters += sum(map(len, gram))
            i += n
        else:
            seen.add(gram)
            i += 1
    return characters / sum(map(len, tokens)) if tokens else 0.0


@given(words)
def test_said_again_is_counted_as_datatrove_counts(tokens: list[str]) -> None:
    measured = repetition("", tokens)
    for n in range(5, 11):
        assert getattr(measured, f"dup_{n}gram") == datatrove_again(tokens, n)


@given(words)
def test_the_commonest_sequence_and_distinct_are_their_definitions(tokens: list[str]) -> None:
    measured = repetition("", tokens)
    product = 1.0
    for n in range(1, 5):
        grams = [tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)]
        counts = Counter(grams)
        distinct = len(counts) / len(grams) if grams else 1.0
        if n <= 3:
            assert getattr(measured, f"distinct_{n}") == pytest.approx(distinct)
        if n >= 2:
            product *= distinct
            most = max(counts.values(), default=0)
            longest = max((len("".join(gram)) for gram, count in counts.items() if count == most), default=0)
            share = min(1.0, most * longest / len("".join(tokens))) if most > 1 else 0.0
            assert getattr(measured, f"top_{n}gram") == pytest.approx(share)
    assert measured.diversity == pytest.approx(product)


@given(anything)
def test_every_text_has_measures_and_shares_are_shares(text: str) -> None:
    measured = repetition(text, list(text))
    assert json.loads(json.dumps(measured._asdict())) == measured._asdict()
    shares = measured._asdict()
    for name in ("n_words", "n_lines", "longest_loop", "compression"):
        assert shares.pop(name) >= 0
    assert all(0 <= share <= 1 for share in shares.values()), shares


@given(looping)
def test_blanks_at_line_ends_hide_no_repetition(text: str) -> None:
    assert repetition(text.replace("\n", " \u200b\r\n"), ()).mass == pytest.approx(repetition(text, ()).mass)


# ---- tables


@pytest.mark.parametrize(
    ("text", "mass", "longest"),
    [
        ("", 0, 0),
        ("ก", 0, 0),
        ("\n\n", 0, 0),
        ("ๆ" * 11, 0, 0),
        ("ๆ" * 12, 1, 12),
        ("555" * 3, 0, 0),
        ("ไก่จิกเด็กตายบนปากโอ่ง" * 2, 0, 0),
        ("ไก่จิกเด็กตายบนปากโอ่ง" * 3, 1, 54),
        ("แมว\nปลา\nแมว\nปลา", 6 / 15, 0),
        ("แมว \nแมว", 3 / 7, 0),
        ("น้ำ" * 11, 0, 0),
        ("น้ำ" * 12, 1, 12),
    ],
)
def test_mass(text: str, mass: float, longest: int) -> None:
    measured = repetition(text, ())
    assert (measured.mass, measured.longest_loop) == (pytest.approx(mass), longest)


def test_a_loop_inside_one_line_counts() -> None:
    measured = repetition("วันศุกร์คือวันที่หก " + "ของสัปดาห์ " * 20, ())
    assert measured.n_lines == 1
    assert measured.mass > 0.8


def test_lines_said_before() -> None:
    measured = repetition("แมว\nปลา\n\nแมว\nแมว\n", ())
    assert (measured.n_lines, measured.dup_line_frac, measured.dup_line_chars) == (4, 0.5, 0.5)


def test_a_sequence_said_once_is_no_top_sequence() -> None:
    assert repetition("", ["แมว", "กิน", "ปลา"]).top_2gram == 0


def test_rep_n() -> None:
    assert rep_n([1, 2, 1, 2], 2) == pytest.approx(1 / 3)
    assert rep_n([1, 2, 3], 4) == 0
    assert rep_n(graphemes("น้ำ" * 20), 16) == pytest.approx(0.8)


REPETITIVE = {
    "one letter": "ๆ" * 300,
    "a title again and again": "ปลาช่อนเป็นปลาน้ำจืด\n" + "ปลาช่อน \n" * 12,
    "one sentence in one line": "แมวเป็นสัตว์เลี้ยงลูกด้วยนม " * 30,
    "lines in turn": "กรุงเทพมหานครเป็นเมืองหลวง\nเชียงใหม่อยู่ทางเหนือ\nสงขลาอยู่ทางใต้\n" * 4,
}
FINE = {
    "nothing": "",
    "a short page": "ปลาช่อนเป็นปลาน้ำจืดชนิดหนึ่ง มีรูปร่างเรียวยาว",
    "a name said often": "สมเด็จพระเจ้าตากสินมหาราช สมเด็จพระเจ้าตากสินมหาราชทรงกู้ชาติ",
    "a line said twice": "แมวกินปลา\nปลากินหญ้า\nแมวกินปลา\nสุนัขกินกระดูกและเนื้อสัตว์หลายชนิด",
    "dots": "สารบัญ.......... 15",
}


@pytest.mark.parametrize("name", REPETITIVE)
def test_repetitive(name: str) -> None:
    pytest.importorskip("nlpo3")
    assert is_repetitive(repetition(REPETITIVE[name]))


@pytest.mark.parametrize("name", FINE)
def test_not_repetitive(name: str) -> None:
    pytest.importorskip("nlpo3")
    assert over_limits(repetition(FINE[name])) == []


def test_limits_name_measures_and_sources() -> None:
    for limit in LIMITS + FINEWEB2_LIMITS:
        assert limit.measure in Repetition._fields
        assert limit.source


def test_few_words_are_no_evidence() -> None:
    assert over_limits(Repetition(n_words=99, top_2gram=0.9)) == []
    assert over_limits(Repetition(n_words=100, top_2gram=0.9)) == ["top_2gram"]


def test_few_lines_are_no_evidence() -> None:
    assert over_limits(Repetition(n_lines=5, dup_line_frac=0.4)) == []
    assert over_limits(Repetition(n_lines=6, dup_line_frac=0.4)) == ["dup_line_frac"]


@pytest.mark.parametrize("said", ["ก", "ปลาช่อน\n", "แมวเป็นสัตว์เลี้ยงลูกด้วยนม "])
def test_a_hostile_text_costs_linear_time(said: str) -> None:
    def seconds(n: int) -> float:
        text = (said * n)[:n]
        tokens = [said.strip()] * (n // len(said))
        start = time.process_time()
        assert repetition(text, tokens).mass > 0.99
        return time.process_time() - start

    seconds(1000)
    # Ten times the text takes ten times as long, in quadratic time a hundred times. Between the two is what a busy machine does:
    # the quickest of three is the one that it disturbed least.
    small, large = (min(seconds(n) for _ in range(3)) for n in (20_000, 200_000))
    assert large < 40 * max(small, 0.01)


def test_no_real_passage_is_repetitive(shared: Path) -> None:
    pytest.importorskip("nlpo3")
    lines = (shared / "data/passages_dev.jsonl").read_text(encoding="utf-8").splitlines()
    measured = [repetition(json.loads(line)["text"]) for line in lines[::4]]
    assert not any(map(is_repetitive, measured))
    assert max(r.mass for r in measured) <= 0.03
    assert sum(bool(over_limits(r, FINEWEB2_LIMITS)) for r in measured) / len(measured) < 0.02
