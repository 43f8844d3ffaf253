"""Rows: prompts and answers, read from a build or from a file in any form that trainers know.

    >>> row_of({"instruction": "อธิบายคำต่อไปนี้", "input": "แมว", "output": "สัตว์เลี้ยง", "title": "แมว"})
    Row(prompt=({'role': 'user', 'content': 'อธิบายคำต่อไปนี้ แมว'},), answer='สัตว์เลี้ยง', title='แมว', id='')

Texts are taken as they stand: cleaning is done before, and what is wrong with them is told by ``finetune.preflight``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["Row", "data_fingerprint", "read_rows", "row_of"]


class Row(NamedTuple):
    """One answer to learn, and the turns of the chat that stand before it."""

    prompt: tuple[dict[str, str], ...]  #: turns of ``role`` and ``content``; the last one asks
    answer: str
    title: str = ""  #: of the article; "" where the data names none
    id: str = ""


def read_rows(source: str | Path, split: str = "train") -> list[Row]:
    """The rows of a build's folder, or of a ``.parquet``, ``.jsonl`` or ``.json`` file.

    A folder is read by its split, ``data/train-*.parquet``. A file is taken whole; only rows that name another split
    in their own column ``split`` stay out of it, for they may be held out.
    Raises ValueError, with file and row, where there is nothing to read or a row holds no answer.
    """
    path = Path(source)
    files = _of_folder(path, split) if path.is_dir() else [path]
    rows: list[Row] = []
    others: set[str] = set()
    for file in files:
        for number, raw in enumerate(_read(file), 1):
            named = raw.get("split") or split
            if named != split:
                others.add(str(named))
                continue
            try:
                rows.append(row_of(raw))
            except ValueError as error:
                raise ValueError(f"{file}, row {number}: {error}") from None
    if not rows:
        there = f"its rows are of split {', '.join(sorted(others))}" if others else "it is empty"
        raise ValueError(f"{source} holds no rows of split {split!r}: {there}")
    return rows


def _of_folder(folder: Path, split: str) -> list[Path]:
    files = sorted((folder / "data").glob(f"{split}-*.parquet"))
    if not files:
        raise ValueError(
            f"{folder} holds no data/{split}-*.parquet; give the folder that `thaiwiki-clean build` wrote, or a .parquet or .jsonl file"
        )
    return files


def _read(path: Path) -> Iterator[Mapping[str, Any]]:
    if not path.is_file():
        raise ValueError(f"{path}: no such file or folder; give a build's folder, or a .parquet, .jsonl or .json file of rows")
    if path.suffix == ".parquet":
        return _parquet(path)
    if path.suffix in (".jsonl", ".json"):
        return _json(path)
    raise ValueError(f"{path}: rows are read from .parquet, .jsonl or .json, not from {path.suffix or 'a file without a suffix'}")


def _parquet(path: Path) -> Iterator[Mapping[str, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches():
                yield from batch.to_pylist()
    except pa.ArrowInvalid as error:
        raise ValueError(f"{path} is no parquet file ({error})") from None


def _json(path: Path) -> Iterator[Mapping[str, Any]]:
    try:
        with path.open(encoding="utf-8") as file:
            if path.suffix == ".json":
                rows: Iterable[Any] = json.load(file)
            else:
                rows = (json.loads(line) for line in file if line.strip())
            for row in rows:
                if not isinstance(row, dict):
                    raise ValueError(f"a row is an object with columns, got {type(row).__name__}")
                yield row
    except ValueError as error:  # broken JSON and broken UTF-8 are ValueErrors too
        raise ValueError(f"{path} cannot be read as rows: {error}") from None


# ---- one row


def row_of(raw: Mapping[str, Any]) -> Row:
    """One row, from its columns: ``messages``, ``conversations``, ``prompt`` and ``completion``, or ``instruction`` and ``output``.

    >>> row_of({"prompt": "แมวคืออะไร\\n", "completion": "สัตว์"}).prompt
    ({'role': 'user', 'content': 'แมวคืออะไร'},)

    The texts join as in :mod:`thaiwiki_clean.instruct.formats`, but a prompt may have several lines, and a chat several turns:
    its last answer is the one to learn. Raises ValueError where no answer is to be found.
    """
    turns = _turns(raw)
    if not turns or turns[-1]["role"] != "assistant":
        last = f"its last turn is of {turns[-1]['role']!r}" if turns else "it has no turns"
        raise ValueError(f"no answer to learn: {last}; the last turn of a row should be the assistant's")
    *prompt, answer = turns
    if not prompt or prompt[-1]["role"] != "user":
        raise ValueError("no question before the answer; the turn before the last should be the user's")
    for name, turn in (("prompt", prompt[-1]), ("answer", answer)):
        if not turn["content"].strip():
            raise ValueError(f"the {name} is empty; leave such rows out of the data")
    for turn in turns:
        try:
            turn["content"].encode()
        except UnicodeEncodeError as error:
            raise ValueError(
                f"half a character (a lone surrogate) at {error.start} of the turn of {turn['role']!r}: no tokenizer reads it; mend the text"
            ) from None
    return Row(tuple(prompt), answer["content"], str(raw.get("title") or ""), str(raw.get("id") or ""))


# What chat rows of other projects call the two sides.
_ROLES = {"human": "user", "gpt": "assistant", "bot": "assistant", "model": "assistant"}


def _turns(raw: Mapping[str, Any]) -> list[dict[str, str]]:
    if "messages" in raw:
        return _chat(raw["messages"], "messages")
    if "conversations" in raw:
        return _chat(raw["conversations"], "conversations")
    if "prompt" in raw and "completion" in raw:
        if isinstance(raw["prompt"], list):
            return _chat(raw["prompt"], "prompt") + _chat(raw["completion"], "completion")
        return _pair(_string(raw, "prompt").removesuffix("\n"), _string(raw, "completion"))
    if "instruction" in raw and "output" in raw:
        given = raw.get("input") or ""
        instruction = _string(raw, "instruction")
        return _pair(f"{instruction} {given}" if given else instruction, _string(raw, "output"))
    if "text" in raw:
        raise ValueError(
            "a row of plain text does not say where its answer begins; give messages, or prompt and completion "
            "(rows of our own text form: thaiwiki_clean.to_messages(thaiwiki_clean.instruct.formats.from_text(row)))"
        )
    raise ValueError(
        f"no columns to train on among {', '.join(map(repr, raw)) or 'none'}; "
        "expected messages, conversations, prompt and completion, or instruction and output"
    )


def _pair(prompt: str, answer: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]


def _chat(turns: Any, column: str) -> list[dict[str, str]]:
    if not isinstance(turns, Sequence) or isinstance(turns, str):
        raise ValueError(f"{column} should be a list of turns, got {type(turns).__name__}")
    out = []
    for turn in turns:
        who = turn.get("role") or turn.get("from") if isinstance(turn, Mapping) else None
        what = (turn["content"] if "content" in turn else turn.get("value")) if isinstance(turn, Mapping) else None
        if not isinstance(who, str) or not isinstance(what, str):
            raise ValueError(f"a turn in {column} should have role and content, both text, got {str(turn)[:80]}")
        out.append({"role": _ROLES.get(who, who), "content": what})
    return out


def _string(raw: Mapping[str, Any], name: str) -> str:
    value = raw[name]
    if not isinstance(value, str):
        raise ValueError(f"{name} should be text, got {type(value).__name__}")
    return value


def data_fingerprint(rows: Iterable[Row]) -> str:
    """A sha256 over the rows in their order: the same on every machine, another one when a letter or the order changes.

    >>> data_fingerprint([Row(({"role": "user", "content": "แมว"},), "สัตว์")])[:12]
    '679b1cc10efe'
    """
    digest = hashlib.sha256()
    for row in rows:
        line = json.dumps([[[turn["role"], turn["content"]] for turn in row.prompt], row.answer, row.title, row.id])
        digest.update(line.encode("ascii") + b"\n")
    return digest.hexdigest()
