"""The votes as records: one row per vote that stands, with the systems named. What leaves the database leaves from here."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from finetune.rate.schema import reading, study
from finetune.rate.store import MARKS

__all__ = ["Study", "Vote", "own_votes", "read_study", "write_jsonl", "write_parquet"]


class Vote(NamedTuple):
    """One vote. ``winner`` is the preferred system, None when the answers were equal or both bad (see ``choice``)."""

    rater: str
    prompt_id: str
    left: str  #: the system whose answer stood on the left
    right: str
    choice: str  #: left, right, tie or both_bad
    winner: str | None
    off_topic_left: bool
    off_topic_right: bool
    repeats_left: bool
    repeats_right: bool
    note: str
    repeat: bool  #: the second, swapped showing of an item
    seconds: float  #: from the page sent to the vote received
    at: str  #: time of the vote, ISO 8601, UTC


class Study(NamedTuple):
    """All that a report needs: the systems in the order of the files, prompts and answers, and every vote that stands."""

    systems: tuple[str, ...]
    prompts: dict[str, str]  #: prompt id -> prompt
    answers: dict[tuple[str, str], str]  #: (prompt id, system) -> answer
    votes: tuple[Vote, ...]
    raters: tuple[str, ...]
    tasks: int  #: showings planned for the raters who joined


def read_study(path: Path) -> Study:
    """The study in the database ``path``. Raises ValueError when there is none."""
    if not path.is_file():
        raise ValueError(f"{path}: no such file; rate first: python -m finetune rate GENERATIONS_A GENERATIONS_B --out {path}")
    with reading(path) as db:
        study(db)
        systems = tuple(name for (name,) in db.execute("SELECT name FROM system ORDER BY id"))
        prompts = dict(db.execute("SELECT prompt_id, text FROM prompt ORDER BY id").fetchall())
        answers = {
            (key, system): text
            for key, system, text in db.execute(
                "SELECT prompt_id, name, answer.text FROM answer JOIN prompt ON prompt.id = prompt JOIN system ON system.id = system ORDER BY prompt.id"
            )
        }
        rows = db.execute(
            f"SELECT rater.name, prompt_id, x.name, y.name, swapped, choice, {', '.join(MARKS)}, note, repeat, seconds, at FROM vote"
            " JOIN task USING (rater, slot) JOIN rater ON rater.id = vote.rater JOIN item ON item.id = task.item JOIN prompt ON prompt.id = item.prompt"
            " JOIN system x ON x.id = item.x JOIN system y ON y.id = item.y WHERE undone IS NULL ORDER BY vote.id"
        ).fetchall()
        raters = tuple(name for (name,) in db.execute("SELECT name FROM rater ORDER BY id"))
        (tasks,) = db.execute("SELECT count(*) FROM task").fetchone()
    return Study(systems, prompts, answers, tuple(_vote(*row) for row in rows), raters, tasks)


def own_votes(path: Path, rater: int) -> list[dict[str, object]]:
    """One rater's votes for that rater: left and right as they stood, without a word about whose they were."""
    with reading(path) as db:
        rows = db.execute(
            f"SELECT slot, prompt.text AS prompt, choice, {', '.join(MARKS)}, note, seconds, at FROM vote JOIN task USING (rater, slot)"
            " JOIN item ON item.id = task.item JOIN prompt ON prompt.id = item.prompt WHERE vote.rater = ? AND undone IS NULL ORDER BY slot",
            (rater,),
        ).fetchall()
    return [{key: bool(row[key]) if key in MARKS else row[key] for key in row.keys()} for row in rows]  # noqa: SIM118 - a Row iterates over values


def write_jsonl(votes: Sequence[Vote], path: Path) -> None:
    """The votes as one JSON object per line."""
    beside = path.with_name(path.name + ".part")
    with beside.open("w", encoding="utf-8", newline="\n") as out:
        out.writelines(json.dumps(vote._asdict(), ensure_ascii=False) + "\n" for vote in votes)
    os.replace(beside, path)


def write_parquet(votes: Sequence[Vote], path: Path) -> None:
    """The same rows as Parquet, with the same columns also when there are no votes yet."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = {**dict.fromkeys((*MARKS, "repeat"), pa.bool_()), "seconds": pa.float64()}
    schema = pa.schema([pa.field(name, kinds.get(name, pa.string())) for name in Vote._fields])
    beside = path.with_name(path.name + ".part")
    pq.write_table(pa.Table.from_pylist([vote._asdict() for vote in votes], schema=schema), beside)
    os.replace(beside, path)


def _vote(
    rater: str, prompt_id: str, x: str, y: str, swapped: int, choice: str,
    a: int, b: int, c: int, d: int, note: str, repeat: int, seconds: float, at: str,
) -> Vote:  # fmt: skip
    left, right = (y, x) if swapped else (x, y)
    winner = {"left": left, "right": right}.get(choice)
    return Vote(rater, prompt_id, left, right, choice, winner, bool(a), bool(b), bool(c), bool(d), note, bool(repeat), seconds, at)
