"""The material of the experiment: what is held out stays out of the rows and of the base, and chance is a seed."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

import thaiwiki_clean as tw
from finetune.arms import Arm, Article
from finetune.data import read_rows
from finetune.study import PROMPT, Material, articles, base_texts, generated_pages, material, prompts, shared_folder, write_arm
from thaiwiki_clean.instruct.splits import title_family
from thaiwiki_clean.testing import thai_sentence

WORDS = ("แมว", "ปลา", "วัด", "ข้าว", "ช้าง", "ดาว", "ภูเขา", "เพลง", "นก", "เกาะ", "ตลาด", "เชียงใหม่")
FORMS = ("{}", "{} (แก้ความกำกวม)", "{}_(วงดนตรี)", "{} ")


def article(number: int, title: str, text: str) -> Article:
    return Article(str(number), title, text, text)


def found(*, one_of_a_family: bool = False, least: int = 0) -> st.SearchStrategy[list[Article]]:
    """Articles with ids of their own; some share a title family, some a passage."""
    title = st.builds(str.format, st.sampled_from(FORMS), st.sampled_from(WORDS))
    text = st.lists(thai_sentence(), min_size=1, max_size=3).map(" ".join)
    rows = st.lists(
        st.tuples(title, text), min_size=least, max_size=12, unique_by=(lambda row: title_family(row[0])) if one_of_a_family else None
    )
    return rows.map(lambda rows: [article(i, *row) for i, row in enumerate(rows)])


def passages(text: str) -> set[str]:
    """Every run of 50 letters, counted plainly."""
    letters = regex.sub(r"[^\p{L}\p{M}\p{N}]+", "", text).lower()
    return {letters[at : at + 50] for at in range(len(letters) - 49)}


class Numbers(NamedTuple):
    """How many articles of each side, and the seed."""

    n_train: int
    n_held_out: int
    seed: int = 0


SEEDS = st.integers(0, 99)
NUMBERS = st.builds(Numbers, st.integers(0, 5), st.integers(1, 4), SEEDS)


def drawn(found: Sequence[Article], asked: Numbers, fits: Callable[[Article], bool] = lambda _: True) -> Material:
    return material(found, **asked._asdict(), fits=fits)


def drawn_or_none(found: Sequence[Article], asked: Numbers, fits: Callable[[Article], bool] = lambda _: True) -> Material | None:
    try:
        return drawn(found, asked, fits)
    except ValueError:
        return None


#: Twelve articles that share neither a family nor a passage.
APART = [article(i, word, f"{word}มีเรื่องราวของตัวเอง{word}ลำดับที่{i}" * 3) for i, word in enumerate(WORDS)]

# --------------------------------------------------------------------------- material


@given(found(least=4), NUMBERS)
def test_no_title_family_is_on_both_sides(found: list[Article], numbers: Numbers) -> None:
    if study := drawn_or_none(found, numbers):
        train, held_out = ({title_family(a.title) for a in side} for side in study)
        assert train & held_out == set()


@given(found(least=4), NUMBERS)
def test_no_training_article_shares_a_passage_with_a_held_out_one(found: list[Article], numbers: Numbers) -> None:
    if study := drawn_or_none(found, numbers):
        asked = {passage for a in study.held_out for passage in passages(a.text)}
        assert [a for a in study.train if passages(a.text) & asked] == []


@given(found(least=4), NUMBERS)
def test_the_numbers_are_those_asked_for_and_nothing_stands_twice(found: list[Article], numbers: Numbers) -> None:
    if study := drawn_or_none(found, numbers):
        assert (len(study.train), len(study.held_out)) == numbers[:2]
        assert len({a.id for side in study for a in side}) == numbers.n_train + numbers.n_held_out
        assert len({title_family(a.title) for a in study.held_out}) == numbers.n_held_out


@given(found(least=4), NUMBERS)
def test_training_articles_fit_and_held_out_ones_need_not(found: list[Article], numbers: Numbers) -> None:
    short = drawn_or_none(found, numbers, lambda a: len(a.text) < 80)
    if short:
        assert all(len(a.text) < 80 for a in short.train)
        assert short.held_out == drawn(found, numbers._replace(n_train=0)).held_out


@given(found(least=4), NUMBERS)
def test_it_says_too_few_when_there_are_too_few(found: list[Article], numbers: Numbers) -> None:
    families = len({title_family(a.title) for a in found})
    if families < numbers.n_held_out:
        assert drawn_or_none(found, numbers) is None
        return
    held_out = drawn(found, numbers._replace(n_train=0)).held_out
    asked = {passage for a in held_out for passage in passages(a.text)}
    names = {title_family(a.title) for a in held_out}
    free = [a for a in found if title_family(a.title) not in names and not passages(a.text) & asked]
    assert (drawn_or_none(found, numbers) is None) == (len(free) < numbers.n_train)


def test_too_few_are_said_with_their_numbers() -> None:
    with pytest.raises(
        ValueError, match=r"^12 articles give 9 rows that fit beside 3 held-out titles; the study needs 10: give more pages$"
    ):
        drawn(APART, Numbers(10, 3))
    with pytest.raises(ValueError, match=r"^12 articles give 12 held-out titles; the study needs 13: give more pages$"):
        drawn(APART, Numbers(1, 13))


@given(found(least=4, one_of_a_family=True).flatmap(lambda each: st.tuples(st.just(each), st.permutations(each))), NUMBERS)
def test_the_order_of_the_articles_does_not_matter(both: tuple[list[Article], list[Article]], numbers: Numbers) -> None:
    assert drawn_or_none(both[0], numbers) == drawn_or_none(both[1], numbers)


def test_the_order_does_not_matter_within_a_family() -> None:
    family = [article(20, "แมว", "แมวเป็นสัตว์เลี้ยงลูกด้วยนม"), article(21, "แมว (วงดนตรี)", "แมวเป็นวงดนตรีไทย")]
    assert drawn(family, Numbers(0, 1)) == drawn(family[::-1], Numbers(0, 1))


def test_the_same_seed_draws_the_same_and_another_seed_another() -> None:
    assert drawn(APART, Numbers(6, 4, 0)) == drawn(APART, Numbers(6, 4, 0))
    one, other = drawn(APART, Numbers(6, 4, 0)), drawn(APART, Numbers(6, 4, 1))
    assert set(one.held_out) != set(other.held_out)
    assert set(one.train) != set(other.train)


def test_what_a_seed_draws_is_the_same_everywhere() -> None:
    study = drawn(APART, Numbers(3, 3, 0))
    assert [[a.title for a in side] for side in study] == [["เกาะ", "นก", "ปลา"], ["ช้าง", "แมว", "เชียงใหม่"]]


# --------------------------------------------------------------------------- prompts and rows


def test_a_prompt_asks_for_each_held_out_title() -> None:
    asked = prompts(APART)
    assert [prompt.title for prompt in asked] == list(WORDS)
    assert [prompt.text for prompt in asked] == [PROMPT.format(title=word) for word in WORDS]
    assert len({prompt.id for prompt in asked}) == len(WORDS)


def test_rows_ask_as_the_prompts_do_and_answer_as_the_arm_does(tmp_path: Path) -> None:
    file = write_arm(tmp_path / "raw.jsonl", Arm("raw", "", lambda a: f"{a.raw}!"), APART)
    rows = read_rows(file)
    assert [row.prompt for row in rows] == [prompt.turns for prompt in prompts(APART)]
    assert [(row.answer, row.title, row.id) for row in rows] == [(f"{a.raw}!", a.title, a.id) for a in APART]


def test_rows_without_an_arm_are_the_text_of_the_build(tmp_path: Path) -> None:
    page = APART[0]._replace(raw="ไม่ใช่")
    assert [row.answer for row in read_rows(write_arm(tmp_path / "held_out.jsonl", None, [page]))] == [page.text]


# --------------------------------------------------------------------------- articles


def write_pages(file: Path, pages: Sequence[dict[str, str]]) -> Path:
    file.write_text("".join(json.dumps(page, ensure_ascii=False) + "\n" for page in pages), encoding="utf-8")
    return file


def test_articles_are_the_pages_that_the_build_keeps_raw_and_clean(tmp_path: Path) -> None:
    raw = "แมวเป็นสัตว์เลี้ยงลูกด้วยนมที่คนเลี้ยงไว้ในบ้าน[1] ()\n== ดูเพิ่ม ==\nเสือ \n"
    pages = [
        {"id": "1", "title": "แมว", "text": raw, "source": "thaiwikipedia"},
        {"id": "2", "title": "แมวบ้าน", "text": "เปลี่ยนทาง แมว", "source": "thaiwikipedia"},
        {"id": "3", "title": "สุภาษิต", "text": "ปลาหมอตายเพราะปากเป็นสุภาษิตที่เตือนให้ระวังคำพูดของตน", "source": "thaiwikiquote"},
    ]
    file = write_pages(tmp_path / "pages.jsonl", pages)
    first = articles(file, tmp_path / "build")
    assert [(a.id, a.title, a.raw, a.text) for a in first] == [("1", "แมว", raw, "แมวเป็นสัตว์เลี้ยงลูกด้วยนมที่คนเลี้ยงไว้ในบ้าน")]
    assert articles(file, tmp_path / "build") == first  # the build that is there


# --------------------------------------------------------------------------- texts of the base

LAKE = "ทะเลสาบแห่งนี้เป็นทะเลสาบน้ำจืดขนาดใหญ่ที่สุดในภาคใต้ของประเทศและตื้นเขินลงทุกปี"
RIVER = "แม่น้ำสายนี้ไหลผ่านสี่จังหวัดก่อนจะลงสู่อ่าวไทยที่ปากน้ำซึ่งมีเรือประมงจอดอยู่มาก"


def prose(file: Path, texts: Sequence[str]) -> Path:
    return write_pages(file, [{"id": str(i), "text": text} for i, text in enumerate(texts)])


def test_texts_that_share_a_passage_with_a_held_out_article_are_left_out(tmp_path: Path) -> None:
    texts = [f"คนเขียนไว้ว่า {LAKE[:20]} {LAKE[20:]} อีกด้วย", RIVER, LAKE[:50], LAKE[:49]]
    kept = base_texts([prose(tmp_path / "a.jsonl", texts)], [article(0, "ทะเลสาบ", LAKE)], seed=0, limit=10)
    assert sorted(kept) == sorted([RIVER, LAKE[:49]])


@settings(max_examples=settings().max_examples // 4)  # each writes and reads a file
@given(st.lists(st.lists(thai_sentence(), min_size=1, max_size=4).map(" ".join), min_size=1, max_size=8), found(least=1), SEEDS)
def test_no_text_of_the_base_shares_a_passage_with_what_is_held_out(texts: list[str], held_out: list[Article], seed: int) -> None:
    import tempfile

    asked = {passage for a in held_out for passage in passages(a.text)}
    with tempfile.TemporaryDirectory() as folder:
        kept = base_texts([prose(Path(folder, "a.jsonl"), texts)], held_out, seed=seed, limit=100)
    assert sorted(kept) == sorted(text for text in map(tw.clean, texts) if text and not passages(text) & asked)


def test_texts_of_the_base_are_clean_and_none_is_empty(tmp_path: Path) -> None:
    texts = [f"{RIVER}[1] ()\n== ดูเพิ่ม ==\nเสือ", "== ดูเพิ่ม ==\nเสือ"]
    assert base_texts([prose(tmp_path / "a.jsonl", texts)], APART, seed=0, limit=10) == [RIVER]


def test_each_file_gives_no_more_texts_than_the_limit(tmp_path: Path) -> None:
    many, few = [f"ข้อความที่ {i} ของแฟ้มแรก" for i in range(30)], [f"ข้อความที่ {i} ของแฟ้มที่สอง" for i in range(3)]
    kept = base_texts([prose(tmp_path / "a.jsonl", many), prose(tmp_path / "b.jsonl", few)], APART, seed=0, limit=5)
    assert (sum("แรก" in text for text in kept), sum("สอง" in text for text in kept)) == (5, 3)


def test_the_texts_of_several_files_are_mixed(tmp_path: Path) -> None:
    files = [prose(tmp_path / f"{name}.jsonl", [f"ข้อความที่ {i} ของแฟ้ม{name}" for i in range(9)]) for name in "กข"]
    order = [text[-1] for text in base_texts(files, APART, seed=0, limit=9)]
    assert order not in (sorted(order), sorted(order, reverse=True))


def test_the_texts_and_their_order_are_drawn_by_the_seed(tmp_path: Path) -> None:
    texts = [f"ข้อความที่ {i} ของแฟ้มแรก" for i in range(30)]
    file = prose(tmp_path / "a.jsonl", texts)

    def draw(seed: int, limit: int) -> list[str]:
        return base_texts([file], APART, seed=seed, limit=limit)

    assert draw(0, 5) == draw(0, 5)
    assert set(draw(0, 5)) != set(draw(1, 5))
    assert sorted(draw(0, 30)) == sorted(draw(1, 30)) == sorted(texts)
    assert draw(0, 30) != draw(1, 30)
    assert draw(0, 30) != texts


# --------------------------------------------------------------------------- generated pages

GENERATOR = """
import argparse, json, sys
parser = argparse.ArgumentParser()
for name in ("passages", "rows", "seed", "out"):
    parser.add_argument("--" + name)
given = parser.parse_args()
with open(given.out, "w") as file:
    file.write(json.dumps([given.rows, given.seed, given.passages]))
    {then}
"""


def shared_with(folder: Path, then: str = "pass") -> Path:
    """A folder of data and tools with a generator that does something at its end."""
    (folder / "tools").mkdir(parents=True)
    (folder / "tools" / "make_v3like.py").write_text(GENERATOR.replace("{then}", then), encoding="utf-8")
    return folder


def generate(folder: Path, shared: Path) -> Path:
    return generated_pages(folder / "pages.jsonl", shared, rows=7, seed=3)


def test_pages_come_from_the_generator_with_its_rows_and_seed(tmp_path: Path) -> None:
    shared = shared_with(tmp_path / "shared")
    assert json.loads(generate(tmp_path, shared).read_text()) == ["7", "3", str(shared / "data" / "passages_dev.jsonl")]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pages.jsonl", "shared"]


def test_pages_that_are_there_are_not_generated_again(tmp_path: Path) -> None:
    (tmp_path / "pages.jsonl").write_text("มีอยู่แล้ว", encoding="utf-8")
    assert generate(tmp_path, shared_with(tmp_path / "shared", "sys.exit(1)")).read_text("utf-8") == "มีอยู่แล้ว"


def test_without_a_generator_it_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^no pages: there is no .*make_v3like\.py; give raw pages yourself: --pages FILE \(.*\)$"):
        generate(tmp_path, tmp_path / "nothing")


def test_a_generator_that_fails_is_said_in_one_line(tmp_path: Path) -> None:
    shared = shared_with(tmp_path / "shared", "raise ModuleNotFoundError('wiki_dump_reader')")
    with pytest.raises(
        ValueError, match=r"failed: ModuleNotFoundError: wiki_dump_reader; it needs wiki-dump-reader: pip install \S+$"
    ) as caught:
        generate(tmp_path, shared)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("then", ["sys.exit(1)", "import os; os.kill(os.getpid(), 9)"])
def test_half_pages_are_never_taken_for_pages(tmp_path: Path, then: str) -> None:
    with pytest.raises(ValueError, match="failed"):
        generate(tmp_path, shared_with(tmp_path / "broken", then))
    assert not (tmp_path / "pages.jsonl").exists()
    assert generate(tmp_path, shared_with(tmp_path / "whole")).read_text().startswith('["7"')


def test_a_generator_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="failed"):
        generate(tmp_path, shared_with(tmp_path / "shared", "sys.exit(1)"))
    assert [path.name for path in tmp_path.iterdir()] == ["shared"]


def test_the_generator_runs_in_this_python(tmp_path: Path) -> None:
    shared = shared_with(tmp_path / "shared", "file.seek(0); file.write(sys.executable)")
    assert generate(tmp_path, shared).read_text().startswith(sys.executable)


def test_the_shared_folder_is_beside_the_repository_or_where_it_is_said(monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
    monkeypatch.setenv("THAIWIKI_SHARED", "/somewhere")
    assert shared_folder() == Path("/somewhere")
    monkeypatch.delenv("THAIWIKI_SHARED")
    assert shared_folder() == root.parent / "shared"
