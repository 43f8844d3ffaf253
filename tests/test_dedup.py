"""Duplicates: keys fold what they say and nothing else, one page survives, and no order shows in the answer."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

pytest.importorskip("numpy", reason="the [words] extra is not installed")

import numpy as np

from thaiwiki_clean import dedup
from thaiwiki_clean.dedup import NEAR_LENGTH, THRESHOLD, Member, clusters, fold, jaccard, key, signatures

LETTERS = [chr(c) for c in range(0x0E01, 0x0E5C) if chr(c) not in "\u0e3b\u0e3c\u0e3d\u0e3e"]
thai = st.text(st.sampled_from([*LETTERS, " "]), max_size=30)


def prose(seed: object, n: int = 400) -> str:
    """Letters that stand for a page of prose; another seed shares nothing with it."""
    rng = random.Random(f"prose {seed}")
    return "".join(rng.choice("กขคงจชซดตทนบปพฟมยรลวสหอ เแาิีุูะั่้") for _ in range(n))


def revised(text: str, at: int = 200) -> str:
    return text[:at] + "แก้" + text[at + 3 :]


# Families of pages that are all alike, and chains: windows on one text, of which neighbours are alike and the ends are not.
revisions = st.builds(lambda family, change: revised(prose(family), 40 * change), st.integers(0, 3), st.integers(0, 3))
windows = st.builds(
    lambda family, start, n: prose(("chain", family), 600)[start : start + n],
    st.integers(0, 1),
    st.sampled_from(range(0, 100, 10)),
    st.sampled_from(range(400, 480, 10)),
)
# Beginnings of one text about as long as a page must be to be a near duplicate.
short = st.builds(lambda family, n: prose(("short", family))[:n], st.integers(0, 1), st.integers(NEAR_LENGTH - 5, NEAR_LENGTH + 5))
families = st.lists(revisions | windows | short, max_size=12).map(lambda texts: [(str(i), text) for i, text in enumerate(texts)])


def found(pages: Sequence[tuple[str, str]], **options: float) -> dict[str, Member]:
    return clusters([signatures(pages)], reader(pages), **options)


def alike(a: str, b: str) -> bool:
    return key(a) == key(b) or (min(len(fold(a)), len(fold(b))) >= NEAR_LENGTH and jaccard(a, b) >= THRESHOLD)


def reader(pages: Sequence[tuple[str, str]]) -> Callable[[Sequence[str]], Mapping[str, str]]:
    texts = dict(pages)
    return lambda ids: {page_id: texts[page_id] for page_id in ids}


# ---- keys


@given(thai | st.text(" \n\t\u200b\u00a0\u3000กเแำา\u0e4d", max_size=12))
def test_folding_settles(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(thai | st.text(" \n\t\u200b\u00a0\u3000กเแำา\u0e4d", max_size=12))
def test_folding_does_what_it_says(text: str) -> None:
    seen = "".join(character for character in text if character not in dedup._NO_WIDTH)
    assert fold(text) == " ".join(seen.split()).replace("ํา", "ำ").replace("เเ", "แ")


@given(thai, st.data())
def test_another_letter_vowel_or_tone_gives_another_key(text: str, data: st.DataObject) -> None:
    letters = [i for i, c in enumerate(text) if c != " "]
    if not letters:
        return
    at = data.draw(st.sampled_from(letters))
    new = data.draw(st.sampled_from(["", *LETTERS]))
    other = text[:at] + new + text[at + 1 :]
    # What the key may take for the same is written out here: the two spellings of ำ and of แ, and blanks.
    same = " ".join(text.replace("ํา", "ำ").replace("เเ", "แ").split()) == " ".join(other.replace("ํา", "ำ").replace("เเ", "แ").split())
    assert (key(text) == key(other)) == same


@given(thai, st.data())
def test_blanks_and_characters_of_no_width_do_not_count(text: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(text)))
    assert key(text[:at] + data.draw(st.sampled_from(["\u200b", "\ufeff", "\u2060", "\u200d"])) + text[at:]) == key(text)
    assert key(text.replace(" ", data.draw(st.sampled_from(["  ", "\n", "\u00a0", " \u200b ", "\t"])))) == key(text)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("ป่า", "ป้า"),
        ("ป่า", "ปา"),
        ("ปา", "ป๋า"),
        ("ปลา", "ปลำ"),
        ("2560", "2561"),
        ("๑", "1"),
        ("A", "a"),
        ("แมว", "เมว"),
        ("ก", ""),
        ("ตากลม", "ตาก ลม"),
        ("(ก)", "ก"),
    ],
)
def test_keys_that_differ(a: str, b: str) -> None:
    assert key(a) != key(b)


@pytest.mark.parametrize(("a", "b"), [("นํา", "นำ"), ("เเมว", "แมว"), (" แมว\n\nปลา ", "แมว ปลา"), ("แมว\u200bปลา", "แมวปลา"), ("", " \n")])
def test_keys_that_are_the_same(a: str, b: str) -> None:
    assert key(a) == key(b)


# ---- similarity


@given(thai, thai)
def test_similarity_is_that_of_the_sets_of_5_grams(a: str, b: str) -> None:
    def grams(text: str) -> set[str]:
        text = fold(text).ljust(5, "\0")
        return {text[i : i + 5] for i in range(len(text) - 4)}

    assert jaccard(a, b) == pytest.approx(len(grams(a) & grams(b)) / len(grams(a) | grams(b)))


@given(thai | st.text())
@example("")
@example("\ud800")
def test_every_text_has_a_signature(text: str) -> None:
    row = signatures([("1", text)]).to_pylist()[0]
    assert (len(row["key"]), len(row["bands"]), len(row["minima"])) == (16, 21, 128)
    assert row["n_chars"] == len(fold(text))


@given(st.text(max_size=60), st.integers(1, 50))
def test_a_signature_does_not_know_order_or_count(text: str, n: int) -> None:
    once = signatures([("1", (text + " ") * 6)]).to_pylist()[0]["bands"]
    assert signatures([("1", (text + " ") * (n + 6))]).to_pylist()[0]["bands"] == once


@pytest.mark.parametrize("n", [60, 150, 400, 3000])
def test_minima_tell_how_alike_texts_are(n: int) -> None:
    off = []
    for seed in range(60):
        a = prose((n, seed), n)
        b = a[: int(n * 0.9)] + prose(("other", n, seed), n - int(n * 0.9))
        minima = [dedup._minima(dedup._hashes(fold(t))) for t in (a, b)]
        off.append(float((minima[0] == minima[1]).mean()) - jaccard(a, b))
    assert abs(sum(off) / len(off)) < 0.03


# ---- clusters


@given(families, st.randoms(use_true_random=False), st.integers(1, 10))
def test_no_order_and_no_sharding_shows(pages: list[tuple[str, str]], rng: random.Random, size: int) -> None:
    mixed = list(pages)
    rng.shuffle(mixed)
    shards = [signatures(mixed[i : i + size]) for i in range(0, len(mixed), size)] or [signatures([])]
    assert clusters(shards, reader(pages)) == found(pages)


@given(families)
def test_exactly_one_page_of_a_cluster_survives(pages: list[tuple[str, str]]) -> None:
    members = found(pages)
    by_cluster: dict[str, list[str]] = {}
    for page_id, member in members.items():
        by_cluster.setdefault(member.cluster, []).append(page_id)
    for cluster, ids in by_cluster.items():
        assert len(ids) > 1
        assert [page_id for page_id in ids if members[page_id].verdict is None] == [cluster]


@given(families)
def test_survivors_have_no_duplicates_left(pages: list[tuple[str, str]]) -> None:
    members = found(pages)
    assert found([(i, text) for i, text in pages if i not in members or members[i].verdict is None]) == {}


@given(families)
def test_a_page_falls_only_for_one_that_it_is_itself_alike_to(pages: list[tuple[str, str]]) -> None:
    texts = dict(pages)
    for page_id, member in found(pages).items():
        assert alike(texts[page_id], texts[member.cluster])


@given(families)
def test_a_page_stands_when_none_that_stands_and_is_preferred_is_alike(pages: list[tuple[str, str]]) -> None:
    def preference(page: tuple[str, str]) -> tuple[int, int]:
        return -math.floor(math.log(len(fold(page[1]))) / math.log(1 / 0.97)), int(page[0])

    standing: list[tuple[str, str]] = []
    for page_id, text in sorted(pages, key=preference):
        if not any(alike(text, other) for _, other in standing):
            standing.append((page_id, text))
    fallen = {page_id for page_id, member in found(pages).items() if member.verdict}
    assert {page_id for page_id, _ in pages} - fallen == {page_id for page_id, _ in standing}


@given(families)
def test_duplicates_are_the_pages_of_equal_key(pages: list[tuple[str, str]]) -> None:
    texts = dict(pages)
    members = found(pages)
    for page_id, text in pages:
        for other, other_text in pages:
            if key(text) == key(other_text) and page_id != other:
                assert members[page_id].cluster == members[other].cluster
    for page_id, member in members.items():
        if member.verdict is not None:
            assert (member.verdict == "duplicate") == (key(texts[page_id]) == key(texts[member.cluster]))


def test_the_smallest_number_survives_of_those_of_one_step_of_length() -> None:
    text = prose(1)
    assert {m.cluster for m in found([("2", text), ("10", text), ("3", text)]).values()} == {"2"}
    assert {m.cluster for m in found([("2", text), ("10", text + "ยาว")]).values()} == {"2"}


def test_a_page_longer_by_more_than_a_step_survives() -> None:
    text = prose(1)
    assert {m.cluster for m in found([("2", text), ("10", text + prose(9, len(text) // 20))]).values()} == {"10"}


def test_a_chain_is_no_cluster() -> None:
    whole = prose("chain", 460)
    links = [whole[start : start + 400] for start in (0, 20, 40)]
    assert jaccard(links[0], links[2]) < THRESHOLD <= min(jaccard(links[0], links[1]), jaccard(links[1], links[2]))
    assert found([("1", links[0]), ("2", links[1]), ("3", links[2])]) == {"1": Member("1", None), "2": Member("1", "near_duplicate")}
    assert {m.cluster for m in found([("2", links[0]), ("1", links[1]), ("3", links[2])]).values()} == {"1"}


def test_a_page_falls_for_the_likeliest() -> None:
    whole = prose("likeliest", 460)
    far, near, page = (whole[start : start + 400] for start in (0, 24, 18))
    assert jaccard(far, near) < THRESHOLD <= jaccard(far, page)
    assert found([("1", far), ("2", near), ("3", page)]) == {"2": Member("2", None), "3": Member("2", "near_duplicate")}


def test_the_copies_of_a_page_that_falls_fall_with_it() -> None:
    text = prose(1)
    pages = [("1", text), ("2", revised(text)), ("3", revised(text))]
    assert found(pages) == {"1": Member("1", None), "2": Member("1", "near_duplicate"), "3": Member("1", "near_duplicate")}


def test_a_revision_is_a_near_duplicate() -> None:
    text = prose(1)
    assert found([("1", text), ("2", revised(text)), ("3", prose(2))]) == {"1": Member("1", None), "2": Member("1", "near_duplicate")}


def test_a_short_page_is_a_duplicate_or_another_page() -> None:
    frame = "หมู่บ้านแห่งหนึ่งในอำเภอเมือง ตั้งอยู่ริมแม่น้ำซึ่งไหลผ่านที่ราบกว้างทางตะวันออกของจังหวัด ชาวบ้านปลูกข้าวและเลี้ยงปลา มีวัดเก่าแก่และโรงเรียนเล็ก ๆ ชื่อว่าบ้าน"
    assert jaccard(f"{frame}ดง", f"{frame}นา") >= THRESHOLD
    assert found([("1", f"{frame}ดง"), ("2", f"{frame}นา")]) == {}
    assert found([("1", f"{frame}ดง"), ("2", f"{frame}ดง\u200b")]) == {"1": Member("1", None), "2": Member("1", "duplicate")}


def test_pages_of_one_template_are_no_duplicates() -> None:
    frame = "{0} เป็นตำบลในอำเภอ{1} จังหวัด{2} มีประชากร {3} คน แบ่งเขตการปกครองออกเป็น {4} หมู่บ้าน ก่อตั้งเมื่อ พ.ศ. {5}"
    pages = [(str(i), frame.format(*(prose((i, k), 8) for k in range(3)), 1000 + 37 * i, i % 9 + 2, 2400 + i)) for i in range(40)]
    assert found(pages) == {}


def stubs(count: int) -> list[tuple[str, str]]:
    """Pages of one template, alike by .85: below the threshold, and so near it that they share bands."""
    frame = prose("frame", 260)
    return [(str(i), prose((i, 1), 9) + frame[:130] + prose((i, 2), 9) + frame[130:]) for i in range(count)]


def test_revisions_among_stubs_of_one_template_are_found() -> None:
    pages = stubs(60)
    copies = [(f"{i}00", revised(text, 200)) for i, text in pages]
    members = found(pages + copies)
    assert [members[f"{i}00"] for i, _ in pages] == [Member(i, "near_duplicate") for i, _ in pages]


def test_stubs_of_one_template_are_compared_a_bounded_number_of_times_each(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = stubs(200)
    assert 0.8 < jaccard(pages[0][1], pages[1][1]) < THRESHOLD
    texts_compared: list[int] = []
    rows_compared: list[int] = []
    exactly, by_minima = dedup._jaccard, np.count_nonzero
    monkeypatch.setattr(dedup, "_jaccard", lambda a, b: texts_compared.append(1) or exactly(a, b))
    monkeypatch.setattr(np, "count_nonzero", lambda rows, axis: rows_compared.append(len(rows)) or by_minima(rows, axis=axis))
    monkeypatch.setattr(dedup, "_LEADERS", 5)
    monkeypatch.setattr(dedup, "_LOOKS", 4)
    found(pages)
    assert 200 < len(texts_compared) <= 4 * len(pages)
    assert max(rows_compared) <= 21 * 5


def test_the_threshold_is_what_it_says() -> None:
    a = prose(1, 1000)
    b = a[:920] + prose(2, 80)
    assert 0.8 < jaccard(a, b) < THRESHOLD
    assert found([("1", a), ("2", b)]) == {}
    assert len(found([("1", a), ("2", b)], threshold=0.8)) == 2


def test_only_texts_that_may_be_alike_are_read() -> None:
    asked: list[str] = []
    pages = [(str(i), prose(i)) for i in range(30)] + [("30", revised(prose(7)))]

    def texts(ids: Sequence[str]) -> Mapping[str, str]:
        asked.extend(ids)
        return dict(pages)

    clusters([signatures(pages)], texts)
    assert sorted(asked) == ["30", "7"]


def test_batches_of_texts_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = [(str(i), revised(prose(i // 3), 40 * (i % 3 + 1))) for i in range(30)]
    whole = found(pages)
    monkeypatch.setattr(dedup, "_BATCH", 4)
    calls: list[int] = []

    def texts(ids: Sequence[str]) -> Mapping[str, str]:
        calls.append(len(ids))
        return reader(pages)(ids)

    assert clusters([signatures(pages)], texts) == whole
    assert len(whole) == 30
    assert len(calls) > 3
    assert max(calls) <= 6


def test_near_duplicates_are_found() -> None:
    pages = []
    for i in range(200):
        text = prose(("recall", i), 300 + 20 * i)
        pages += [(f"{i}", text), (f"{i}b", revised(text, 100))]
    assert len(found(pages)) >= 0.99 * len(pages)


def test_no_pages_no_clusters() -> None:
    assert found([]) == {}


def test_an_id_that_comes_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="ids come twice"):
        found([("1", "แมว"), ("1", "ปลา")])


def test_a_page_is_compared_within_every_band_that_it_shares() -> None:
    text = "แมวเป็นสัตว์เลี้ยงลูกด้วยนมขนาดเล็กที่มนุษย์เลี้ยงไว้ในบ้าน" * 3
    texts = {0: "ปลาช่อนอยู่ในน้ำจืด", 1: text, 2: f"{text}ก"}
    minima = np.zeros((3, 128), np.uint8)
    for groups in ([(0, 2), (1, 2)], [(1, 2), (0, 2)]):
        assert dedup._fallen(groups, texts, minima, 0.9) == {2: 1}
