"""Generations: the answers of each system, read from JSONL or Parquet and checked at the door.

One record is one answer; a file holds one system::

    {"prompt_id": "p-001", "prompt": "แมวคืออะไร", "answer": "แมวเป็นสัตว์เลี้ยง", "system": "base"}

``prompt_id`` is a str or an int, the other three are str. ``answer`` may be empty: a model may stop at once.
Other fields are left alone. All files answer the same prompts, word for word.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["Answers", "check", "read"]

FIELDS = ("prompt_id", "prompt", "answer", "system")
MAX_CHARACTERS = 200_000  #: a prompt or an answer longer than this is no text that a person rates


class Answers(NamedTuple):
    """What one system said: ``prompts`` and ``answers`` by prompt id, in the order of the file."""

    system: str
    prompts: dict[str, str]
    answers: dict[str, str]


def read(path: Path) -> Answers:
    """The answers in a ``.jsonl`` or ``.parquet`` file. Raises ValueError with the file and line that is wrong."""
    if not path.is_file():
        raise ValueError(f"{path}: no such file; a GENERATIONS file is .jsonl or .parquet with the fields {', '.join(FIELDS)}")
    rows = _parquet(path) if path.suffix == ".parquet" else _jsonl(path)
    return collect(rows, str(path))


def collect(rows: Iterable[tuple[int, Mapping[str, Any]]], name: str) -> Answers:
    """Numbered records of one system as :class:`Answers`; ``name`` is what an error calls the file.

    >>> collect([(1, {"prompt_id": 7, "prompt": "แมวคืออะไร", "answer": "สัตว์", "system": "base"})], "a.jsonl")
    Answers(system='base', prompts={'7': 'แมวคืออะไร'}, answers={'7': 'สัตว์'})
    """
    prompts: dict[str, str] = {}
    answers: dict[str, str] = {}
    system = ""
    for number, row in rows:
        where = f"{name}:{number}"
        key, prompt, answer, this = _fields(row, where)
        if key in prompts:
            raise ValueError(f"{where}: prompt_id {key!r} stands twice; a file holds one answer per prompt, rate one sample at a time")
        if system and this != system:
            raise ValueError(f"{where}: system {this!r} after {system!r}; give each system a file of its own")
        system = this
        prompts[key], answers[key] = prompt, answer
    if not prompts:
        raise ValueError(f"{name}: no records; one line per answer with the fields {', '.join(FIELDS)}")
    return Answers(system, prompts, answers)


def check(files: Sequence[Answers]) -> None:
    """Raise ValueError unless the files are two or more systems that answer the same prompts."""
    if len(files) < 2:
        raise ValueError(f"{len(files)} GENERATIONS file: a comparison needs two or more systems")
    first = files[0]
    seen: set[str] = set()
    for one in files:
        if one.system in seen:
            raise ValueError(f"system {one.system!r} comes in two files; name each system differently")
        seen.add(one.system)
        odd = sorted(first.prompts.keys() ^ one.prompts.keys())
        if odd:
            raise ValueError(
                f"{first.system!r} and {one.system!r} do not answer the same prompts: {len(odd)} prompt_ids stand in only one of them, "
                f"such as {', '.join(map(repr, odd[:3]))}; generate both from one list of prompts"
            )
        for key, prompt in one.prompts.items():
            if prompt != first.prompts[key]:
                raise ValueError(
                    f"prompt_id {key!r} is another prompt in {one.system!r} than in {first.system!r}; generate both from one list of prompts"
                )


def _fields(row: Mapping[str, Any], where: str) -> tuple[str, str, str, str]:
    missing = [field for field in FIELDS if row.get(field) is None]
    if missing:
        raise ValueError(f"{where}: no {', '.join(missing)}; a record needs {', '.join(FIELDS)}")
    key = row["prompt_id"]
    if isinstance(key, int) and not isinstance(key, bool):
        key = str(key)
    values = (key, row["prompt"], row["answer"], row["system"])
    for field, value in zip(FIELDS, values, strict=True):
        if not isinstance(value, str):
            raise ValueError(f"{where}: {field} is {type(value).__name__}, expected str")
        if not value.strip() and field != "answer":
            raise ValueError(f"{where}: {field} is empty")
        if len(value) > MAX_CHARACTERS:
            raise ValueError(f"{where}: {field} has {len(value):,} characters, more than the {MAX_CHARACTERS:,} that a person would rate")
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise ValueError(f"{where}: {field} holds half a surrogate pair, which no file can store; write the text as UTF-8")
    return values


def _jsonl(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
            except (ValueError, RecursionError) as error:  # a decoding error is a ValueError too
                raise ValueError(f"{path}:{number}: not a line of JSON in UTF-8 ({error})") from None
            if not isinstance(row, dict):
                raise ValueError(f"{path}:{number}: a {type(row).__name__}, expected an object with {', '.join(FIELDS)}")
            yield number, row


def _parquet(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
        columns = [field for field in FIELDS if field in file.schema_arrow.names]
        number = 0
        for batch in file.iter_batches(columns=columns):
            for row in batch.to_pylist():
                number += 1
                yield number, row
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"{path}: not readable as Parquet ({str(error).splitlines()[0]})") from None
