"""The folder of a run: what stands in it, how it is claimed, and how it is read again.

    run.json               what was asked for, and what was really in memory: versions, quantisation, fingerprints, seed
    adapter_model...       the adapter and the tokenizer with its chat template
    record.json            losses step by step, tokens a second, peak memory, time; written last: a folder that has one is finished
    loss.svg               the two losses
    training_answers.jsonl what it was trained on, for the same measures on the data
    answers/               what it wrote, one file a setting

The adapter's own ``adapter_config.json`` records neither the quantisation nor the data nor the seed; that is why ``run.json`` is here; ``config.json`` is a name that transformers reads.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from finetune.config import Config, from_mapping, to_dict

__all__ = ["claim", "finished", "read_config", "read_json", "read_jsonl", "sha256", "versions", "write_json", "write_jsonl"]

CONFIG, RECORD, ANSWERS, TRAINING_ANSWERS = "run.json", "record.json", "answers", "training_answers.jsonl"

_PACKAGES = ("torch", "transformers", "trl", "peft", "bitsandbytes", "accelerate", "datasets", "tokenizers")


def claim(out: Path, config: Config) -> None:
    """Make ``out`` the folder of this run, or go on with it.

    Raises ValueError when it holds another run or files of somebody's own: nothing is mixed and nothing is written over.
    """
    if (out / CONFIG).exists():
        there, asked = to_dict(read_config(out)), to_dict(config)
        for name in asked:
            if there.get(name) != asked[name]:
                raise ValueError(
                    f"{out} holds a run with {name}={there.get(name)!r}, this one has {asked[name]!r}; choose another --out, or remove it"
                )
    elif out.is_file():
        raise ValueError(f"{out} is a file, and a run is a folder; choose another --out")
    elif out.exists() and any(path for path in out.iterdir() if path.name != ANSWERS):
        raise ValueError(f"{out} is no run of ours and is not empty; choose another --out")
    out.mkdir(parents=True, exist_ok=True)


def finished(out: Path) -> bool:
    """Whether the run in this folder came to its end."""
    return (out / RECORD).exists()


def read_config(run: Path) -> Config:
    """The configuration of the run in a folder. Raises ValueError when there is none, or none that we can read."""
    found = about(run).get("config")
    if not isinstance(found, dict):
        raise ValueError(f"{run / CONFIG} holds no config; a run is written by `finetune train`")
    try:
        return from_mapping(found)
    except ValueError as error:
        raise ValueError(f"{run / CONFIG}: {error}") from None


def about(run: Path) -> dict[str, Any]:
    """All of ``run.json``. Raises ValueError when the folder is no run."""
    if not (run / CONFIG).is_file():
        raise ValueError(f"{run}: no {CONFIG}, so this is no run of `finetune train`; name the folder that --out named")
    try:
        found = read_json(run / CONFIG)
    except ValueError as error:
        raise ValueError(f"{run / CONFIG} is broken: {error}") from None
    return found if isinstance(found, dict) else {}


def versions() -> dict[str, str]:
    """Versions of everything that has a hand in the numbers."""
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def read_json(path: Path) -> Any:
    """The value in a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write a JSON file whole or not at all."""
    from thaiwiki_clean.pipeline.shards import write_text  # it brings pyarrow, and reading a run should not

    write_text(path, json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    """The records of a JSONL file. Raises ValueError with the file and the line that is no record."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8: {error}") from None
    records = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                record = json.loads(line)
            except ValueError as error:
                raise ValueError(f"{path}:{number} is no JSON: {error}") from None
            if not isinstance(record, dict):
                raise ValueError(f"{path}:{number}: expected an object, got {type(record).__name__}")
            records.append(record)
    return records


def write_jsonl(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write a JSONL file whole or not at all."""
    from thaiwiki_clean.pipeline.shards import write_text  # it brings pyarrow, and reading a run should not

    write_text(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def sha256(path: Path) -> str:
    """Of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
