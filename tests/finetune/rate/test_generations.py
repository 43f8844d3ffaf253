"""Files of answers at the door: what is read, and the one line that says why another is not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from finetune.rate.generations import Answers, check, read

GOOD = {"prompt_id": "p1", "prompt": "แมวคืออะไร", "answer": "สัตว์", "system": "base"}


def file(tmp_path: Path, *rows: dict[str, Any], name: str = "a.jsonl") -> Path:
    path = tmp_path / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("row", "key", "answer"),
    [
        (GOOD, "p1", "สัตว์"),
        ({**GOOD, "prompt_id": 17}, "17", "สัตว์"),
        ({**GOOD, "answer": ""}, "p1", ""),  # a model may stop at once
        ({**GOOD, "answer": "ก\r\nข\x00\u202e"}, "p1", "ก\r\nข\x00\u202e"),  # any text is an answer
        ({**GOOD, "stop": "eos", "seed": 3}, "p1", "สัตว์"),
    ],
)
def test_a_record_is_read_as_it_stands(tmp_path: Path, row: dict[str, Any], key: str, answer: str) -> None:
    assert read(file(tmp_path, row)) == Answers("base", {key: "แมวคืออะไร"}, {key: answer})


def test_parquet_reads_as_jsonl_does(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    rows = [{**GOOD, "prompt_id": n, "extra": 1.5} for n in range(3)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    assert read(tmp_path / "a.parquet") == read(file(tmp_path, *rows))


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([], "no records"),
        ([GOOD, GOOD], "a.jsonl:2: prompt_id 'p1' stands twice"),
        ([GOOD, {**GOOD, "prompt_id": "p2", "system": "tuned"}], "a.jsonl:2: system 'tuned' after 'base'"),
        ([{**GOOD, "prompt": " \n"}], "a.jsonl:1: prompt is empty"),
        ([{**GOOD, "system": ""}], "system is empty"),
        ([{**GOOD, "answer": None}], "no answer; a record needs"),
        ([{"prompt_id": "p1"}], "no prompt, answer, system"),
        ([{**GOOD, "answer": ["a"]}], "answer is list, expected str"),
        ([{**GOOD, "prompt_id": True}], "prompt_id is bool, expected str"),
        ([{**GOOD, "answer": "\ud800"}], "half a surrogate pair"),
        ([{**GOOD, "answer": "ก" * 200_001}], "200,001 characters"),
    ],
)
def test_a_wrong_file_is_refused_with_one_line(tmp_path: Path, rows: list[dict[str, Any]], says: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        read(file(tmp_path, *rows))
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"{not json}\n", b"\xff\xfe\n", b"[1]\n", b"[" * 100_000])
def test_what_is_no_json_object_is_refused_with_its_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"a\.jsonl:1: "):
        read(path)


def test_what_is_no_parquet_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(ValueError, match="not readable as Parquet"):
        read(tmp_path / "a.parquet")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no such file"):
        read(tmp_path / "nowhere.jsonl")


@pytest.mark.parametrize(
    ("other", "says"),
    [
        (Answers("tuned", {"p2": "x"}, {"p2": ""}), "2 prompt_ids stand in only one"),
        (Answers("tuned", {"p1": "another"}, {"p1": ""}), "is another prompt in 'tuned'"),
        (Answers("base", {"p1": "x"}, {"p1": ""}), "'base' comes in two files"),
        (None, "needs two or more systems"),
    ],
)
def test_files_that_do_not_fit_each_other_are_refused(other: Answers | None, says: str) -> None:
    first = Answers("base", {"p1": "x"}, {"p1": "y"})
    with pytest.raises(ValueError, match=says):
        check([first, other] if other else [first])
