"""Examples that share a passage with an evaluation set are found, and no others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thaiwiki_clean.instruct.contamination import Index, contaminated, read_evaluation

LETTERS = st.text("กขค", max_size=40)


def longest_common_run(a: str, b: str) -> int:
    return max((n for i in range(len(a)) for n in range(1, len(a) - i + 1) if a[i : i + n] in b), default=0)


@given(LETTERS, LETTERS, st.integers(2, 12))
def test_found_just_when_a_run_is_shared(answer: str, text: str, run: int) -> None:
    index = Index.of({"set": [text, "ง"]}, run=run)
    assert bool(contaminated("prompt", answer, index)) == (longest_common_run(answer, text) >= run)


@given(st.text("กขค", min_size=20, max_size=40), st.lists(st.sampled_from([" ", ", ", "\n", "“"]), min_size=1, max_size=5))
def test_blanks_and_punctuation_hide_nothing(text: str, marks: list[str]) -> None:
    spaced = "".join(char + marks[i % len(marks)] for i, char in enumerate(text))
    assert contaminated("prompt", spaced, Index.of({"set": [text]}, run=20)) == "set"


def test_a_question_of_the_set_is_no_prompt() -> None:
    index = Index.of({"quiz": ["แมวคืออะไร?"]})
    assert contaminated("แมว คืออะไร", "สัตว์", index) == "quiz"
    assert contaminated("หมาคืออะไร", "แมวคืออะไร", index) == ""


PASSAGE = "ดาวพฤหัสบดีเป็นดาวเคราะห์ดวงที่ห้านับจากดวงอาทิตย์และมีขนาดใหญ่ที่สุดในระบบสุริยะ"
SQUAD = {
    "data": [
        {"paragraphs": [{"context": PASSAGE, "qas": [{"question": "ดาวใดใหญ่ที่สุด", "answers": [{"text": "ดาวพฤหัสบดี", "answer_start": 0}]}]}]}
    ]
}


def parquet(path: Path) -> None:
    import pyarrow
    from pyarrow import parquet

    parquet.write_table(pyarrow.table({"context": [PASSAGE], "answers": [{"text": ["ดาว"]}], "n": [1]}), path)


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("xquad.json", lambda path: path.write_text(json.dumps(SQUAD), encoding="utf-8")),
        ("xquad.jsonl", lambda path: path.write_text(json.dumps({"context": PASSAGE}) + "\n\n", encoding="utf-8")),
        ("xquad.txt", lambda path: path.write_text(f"บรรทัดแรก\n{PASSAGE}\n", encoding="utf-8")),
        ("xquad.parquet", parquet),
    ],
)
def test_a_file_of_every_kind_is_read(name: str, write: object, tmp_path: Path) -> None:
    write(tmp_path / name)  # type: ignore[operator]
    index = read_evaluation([tmp_path / name])
    assert contaminated("ดาวคืออะไร", f"กล่าวกันว่า {PASSAGE} แล้ว", index) == name


def test_another_suffix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"quiz\.csv: an evaluation set is a"):
        read_evaluation([tmp_path / "quiz.csv"])


def test_an_empty_set_is_refused(tmp_path: Path) -> None:
    (tmp_path / "quiz.txt").write_text("\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"'quiz\.txt' holds no text"):
        read_evaluation([tmp_path / "quiz.txt"])
