"""Measures of answers: what counts and what does not, and the definitions of the papers written out again beside ours."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("pythainlp", reason="pythainlp is not installed")

from finetune.measure import Measures, header_echo, measure, measure_command, measure_file, measure_run, summary
from thaiwiki_clean import vocabulary
from thaiwiki_clean.repetition import graphemes, rep_n, repetition
from thaiwiki_clean.words import words

PROSE = (
    "ปลาช่อนเป็นปลาน้ำจืดชนิดหนึ่ง มีรูปร่างเรียวยาว ลำตัวกลม หัวคล้ายงู พบได้ตามหนองน้ำและคลองทั่วประเทศ",
    "ดาวอังคารเป็นดาวเคราะห์ลำดับที่สี่จากดวงอาทิตย์\nพื้นผิวมีสีแดงเพราะมีสนิมเหล็กปนอยู่มาก\nมีดวงจันทร์บริวารสองดวง คือ โฟบอสและดีมอส",
    "ข้าวเหนียวเป็นข้าวที่เมื่อสุกแล้วเมล็ดติดกัน นิยมกินกันมากในภาคเหนือและภาคอีสาน เช่น ข้าวเหนียวมะม่วง ข้าวหลาม และข้าวต้มมัด",
    "โทรศัพท์ 1555 และ 191 ใช้ได้ตลอด 24 ชั่วโมง ... ส่วนเสียงหัวเราะเขียนว่า 555",
)
LOOPS = (
    "ปลาช่อนเป็นปลา\n" + "ปลาช่อน\n" * 20,
    "ปลาช่อนเป็นปลา\n" + "ปลาช่อน \n" * 20 + "ปลาช่",  # blanks at the ends of lines, and the last copy cut short
    "แมวกินปลาและ" * 10,
    "ๆ" * 40,
    "\n".join(f"{name}เป็นสัตว์" for name in ("แมว", "หมา", "นก", "แมว", "หมา", "นก", "แมว", "หมา", "นก")),
)


@pytest.mark.parametrize("text", PROSE)
def test_prose_has_no_mass(text: str) -> None:
    assert measure(text).mass == 0
    assert measure(text).header_echo == 0


@pytest.mark.parametrize("text", LOOPS)
def test_a_loop_is_mass(text: str) -> None:
    assert measure(text).mass > 0.5


def test_real_passages_have_no_mass() -> None:
    file = Path(__file__).resolve().parents[4] / "shared/data/passages_dev.jsonl"
    if not file.exists():
        pytest.skip("the passages are not beside the repository")
    with file.open(encoding="utf-8") as lines:
        masses = [repetition(json.loads(line)["text"], ()).mass for line in lines]
    assert sum(mass > 0 for mass in masses) <= 1
    assert max(masses) < 0.021


@pytest.mark.parametrize("text", [*PROSE, *LOOPS, ""])
def test_the_ruler_is_that_of_the_corpus(text: str) -> None:
    ours, ruler = measure(text), repetition(text)
    assert (ours.mass, ours.dup_line_chars, ours.diversity) == (ruler.mass, ruler.dup_line_chars, ruler.diversity)
    assert ours.n_graphemes == len(graphemes(text))
    assert ours.rep16g == rep_n(graphemes(text), 16)


def test_an_empty_answer_repeats_nothing() -> None:
    assert measure("", stop="stop_token", token_ids=[]) == Measures(0.0, 0.0, 0.0, 0, 0, 0.0, 0.0, 0.0, 1.0, 0.0, 0)


@pytest.mark.parametrize(("stop", "expected"), [("length", 1.0), ("stop_token", 0.0), (None, None)])
def test_no_stop_is_the_limit(stop: str | None, expected: float | None) -> None:
    assert measure("แมว", stop=stop).no_stop == expected


def test_another_reason_to_stop_is_refused() -> None:
    with pytest.raises(ValueError, match="'stop_token' or 'length', got 'eos'"):
        measure("แมว", stop="eos")


def test_what_is_not_known_is_none() -> None:
    found = measure("แมวกินปลา")
    assert (found.no_stop, found.n_tokens, found.seq_rep_4) == (None, None, None)


# ---- headers


@pytest.mark.parametrize(
    "line",
    [
        "== ประวัติ ==",
        "==แหล่งข้อมูลอื่น==",
        "=== สายพันธุ์ ===  ",
        "== แหล่งข้อมู",  # the limit came before the closing signs
        "ดูเพิ่ม",
        "แหล่งข้อมูลอื่น ",
        "อ้างอิง",
        "หมายเหตุ",
        "## อ้างอิง",
        "Section::::แหล่งข้อมูลอื่น.",
    ],
)
def test_headers_of_a_wiki_are_an_echo(line: str) -> None:
    assert header_echo(f"แมวเป็นสัตว์เลี้ยงลูกด้วยนม\n{line}\nเสือ") == 1


@pytest.mark.parametrize(
    "line",
    [
        "ประวัติ",
        "ดูเพิ่มเรื่องเสือและสิงโต",
        "เขาอ้างอิงงานของนักวิทยาศาสตร์หลายคน",
        "เมื่อ a == b แล้ว b == a",
        "E = mc2",
        "ผลลัพธ์ = 5",
        "แมวไทย",
        "- แมวไทย",
        "",
    ],
)
def test_what_people_write_is_no_echo(line: str) -> None:
    assert header_echo(f"แมวเป็นสัตว์เลี้ยงลูกด้วยนม\n{line}\nเสือเป็นสัตว์ป่า") == 0


def test_the_titles_that_count_are_those_of_the_vocabulary() -> None:
    told = {row[0]: row[1] for row in vocabulary.terms("sections")}
    odd = [title for title, kind in told.items() if header_echo(title) != (kind in ("certain", "maybe"))]
    assert odd == []


# ---- the papers


def welleck(ids: list[int], n: int) -> float:
    """Unlikelihood training, custom/metrics.py, ngram_metrics: 1 - unique n-grams / n-grams of one sequence."""
    counts: dict[tuple[int, ...], int] = {}
    for at in range(len(ids) - n + 1):
        gram = tuple(ids[at : at + n])
        counts[gram] = counts.get(gram, 0) + 1
    return 1 - len(counts) / sum(counts.values()) if counts else 0.0


@given(st.lists(st.integers(0, 3), max_size=60))
def test_seq_rep_4_is_that_of_welleck(ids: list[int]) -> None:
    assert measure("แมว", token_ids=ids).seq_rep_4 == pytest.approx(welleck(ids, 4), abs=1e-12)


def again(units: list[str], n: int) -> tuple[int, int]:
    """Repetition In Repetition Out, utils/evaluation.py, eval_text: n-grams met before, and n-grams."""
    seen, count = set(), 0
    grams = [tuple(units[at : at + n]) for at in range(len(units) - n + 1)]
    for gram in grams:
        count += gram in seen
        seen.add(gram)
    return count, len(grams)


TEXTS = st.lists(st.sampled_from(("แมว", "ปลา", "กิน", "น้ำ", " ", "\n", "ช้าง")), max_size=40).map("".join)


@settings(deadline=None)
@given(TEXTS)
def test_diversity_is_the_product_of_simctg(text: str) -> None:
    units = [word for word in words(text) if not word.isspace()]
    expected = 1.0
    for n in (2, 3, 4):
        repeated, total = again(units, n)
        expected *= 1 - repeated / total if total else 1
    assert measure(text).diversity == pytest.approx(expected, abs=1e-12)


@settings(deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=5))
def test_rep_2_over_texts_is_that_of_repetition_in_repetition_out(texts: list[str]) -> None:
    told = [again([word for word in words(text) if not word.isspace()], 2) for text in texts]
    total = sum(pairs for _, pairs in told)
    expected = sum(repeated for repeated, _ in told) / total if total else None
    assert summary(map(measure, texts)).get("rep_2") == (expected if expected is None else pytest.approx(expected, abs=1e-12))


# ---- files


def test_measures_of_a_file_name_their_prompts(fake: Callable[..., Path]) -> None:
    rows = measure_file(fake("raw") / "answers/greedy.jsonl")
    assert [row["prompt_id"] for row in rows] == [f"p-{number:03d}" for number in range(12)]
    assert rows[0]["n_tokens"] > 0
    assert rows[0]["seq_rep_4"] is not None


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", r"a\.jsonl:2 is no JSON"),
        ("[]", r"a\.jsonl:2: expected an object, got list"),
        ('{"prompt_id": "p"}', r"a\.jsonl:2: an answer is text under 'answer', got None"),
        ('{"answer": "", "stop": "eos"}', r"a\.jsonl:2: an answer stops by"),
    ],
)
def test_a_line_that_is_no_answer_is_named(tmp_path: Path, line: str, message: str) -> None:
    (tmp_path / "a.jsonl").write_text(f'{{"answer": "แมว"}}\n{line}\n', encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        measure_file(tmp_path / "a.jsonl")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"a\.jsonl cannot be read: No such file"):
        measure_file(tmp_path / "a.jsonl")


def test_means_leave_out_what_is_not_known() -> None:
    assert summary([measure("แมว", stop="length"), measure("แมว")])["no_stop"] == 1
    assert summary([measure("แมว")])["no_stop"] is None


def test_a_run_has_its_training_answers_measured_too(fake: Callable[..., Path]) -> None:
    found = measure_run(fake("raw", settings=("sampled", "greedy")))["settings"]
    assert list(found) == ["greedy", "sampled", "training"]
    assert found["training"]["summary"]["mass"] > 0
    assert found["training"]["summary"]["no_stop"] is None


def test_what_was_measured_is_not_measured_again(fake: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    folder = fake("clean")
    CliRunner().invoke(measure_command, [str(folder)], catch_exceptions=False)
    first = measure_run(folder)
    monkeypatch.setattr("finetune.measure.measure_file", lambda path: pytest.fail(f"{path} was measured again"))
    assert measure_run(folder) == first


def test_other_answers_are_measured_again(fake: Callable[..., Path]) -> None:
    folder = fake("clean")
    CliRunner().invoke(measure_command, [str(folder)], catch_exceptions=False)
    (folder / "answers/greedy.jsonl").write_text('{"prompt_id": "p", "answer": "แมว", "stop": "length"}\n', encoding="utf-8")
    assert measure_run(folder)["settings"]["greedy"]["summary"]["no_stop"] == 1


def test_another_ruler_measures_again(fake: Callable[..., Path], alter: Callable[..., None]) -> None:
    folder = fake("clean")
    CliRunner().invoke(measure_command, [str(folder)], catch_exceptions=False)
    before = measure_run(folder)
    alter(folder / "measures.json", ruler={"thaiwiki_clean": "0", "words": "another"}, settings__greedy__rows=[])
    assert measure_run(folder) == before


@pytest.mark.parametrize("text", ["", "[]", '{"settings": []}', '{"ruler": 1, "settings": 2}'])
def test_a_broken_file_of_measures_is_no_obstacle(fake: Callable[..., Path], text: str) -> None:
    folder = fake("clean")
    (folder / "measures.json").write_text(text, encoding="utf-8")
    assert measure_run(folder)["settings"]["greedy"]["summary"]["n"] == 12


def test_a_folder_without_answers_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"holds no answers .*python -m finetune generate"):
        measure_run(tmp_path)


def test_the_command_prints_a_table_and_writes_the_measures(fake: Callable[..., Path]) -> None:
    folder = fake("raw")
    done = CliRunner().invoke(measure_command, [str(folder)], catch_exceptions=False)
    assert done.exit_code == 0
    head, greedy, training = done.output.strip().split("\n")
    assert head.split()[:4] == ["run", "answers", "n", "mass"]
    assert greedy.split()[1:3] == ["greedy", "12"]
    assert training.split()[4] == "-"  # nothing is known of how a training answer stopped
    told: dict[str, Any] = json.loads((folder / "measures.json").read_text(encoding="utf-8"))
    assert len(told["settings"]["greedy"]["rows"]) == 12


def test_the_command_prints_json(fake: Callable[..., Path]) -> None:
    folder = fake("raw")
    done = CliRunner().invoke(measure_command, [str(folder), "--json"], catch_exceptions=False)
    assert json.loads(done.output)[str(folder)]["greedy"]["n"] == 12
