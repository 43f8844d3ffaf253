"""Raters and their votes: who is next with what, and how a vote gets to disk exactly once.

A form carries a *ticket*, signed with the study's key for one rater, one task and one showing of it. A vote without a
ticket of this rater is forged; one whose task is no longer the rater's next is stale; the same ticket twice is one vote.
So a browser may send a vote again after a crash, and neither a second tab nor a foreign page can add one.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import sqlite3
import unicodedata
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, NamedTuple

from finetune.rate.plan import plan
from finetune.rate.schema import reading, study, writing

__all__ = ["Ballot", "Rater", "Showing", "join", "new_code", "rater_of", "same", "showing", "sign", "undo", "vote"]

NAME_CHARACTERS = 40
NOTE_CHARACTERS = 2000
MAX_RATERS = 500  #: a guard against a script that joins without end
MARKS = ("off_topic_left", "off_topic_right", "repeats_left", "repeats_right")

Outcome = Literal["stored", "same", "stale", "forged"]


class Rater(NamedTuple):
    """A person who rates; the name is shown to that person alone and stands in the export."""

    id: int
    name: str


class Ballot(NamedTuple):
    """What a rater says about one showing."""

    choice: str
    marks: tuple[bool, bool, bool, bool] = (False, False, False, False)  #: in the order of MARKS
    note: str = ""


class Showing(NamedTuple):
    """What the page shows next: the texts without their systems, the progress, and the tickets for its forms."""

    done: int
    total: int
    prompt: str
    left: str
    right: str
    ticket: str  #: empty when everything is rated
    undo_ticket: str  #: empty when there is nothing to take back
    before: Ballot | None  #: the vote that was taken back, to start from


def sign(key: str, *parts: object) -> str:
    """A signature over ``parts`` that nobody without the study's key can make."""
    text = "\n".join(map(str, parts))
    return hmac.new(bytes.fromhex(key), text.encode(), hashlib.sha256).hexdigest()


def join(path: Path, name: str) -> tuple[Rater, str]:
    """A new rater and the code that proves it later; only the code's hash is kept.

    Raises ValueError, in words for the rater, when the name is empty, too long or taken.
    """
    name, folded = _name(name)
    code = secrets.token_urlsafe(16)
    with writing(path) as db:
        terms = study(db)
        if db.execute("SELECT 1 FROM rater WHERE folded = ?", (folded,)).fetchone():
            raise ValueError("taken")
        if db.execute("SELECT count(*) FROM rater").fetchone()[0] >= MAX_RATERS:
            raise ValueError("full")
        row = db.execute(
            "INSERT INTO rater (name, folded, code, joined) VALUES (?, ?, ?, ?) RETURNING id", (name, folded, _hash(code), _now())
        ).fetchone()
        items = [item for (item,) in db.execute("SELECT id FROM item ORDER BY id")]
        tasks = plan(items, seed=int(terms["seed"]), rater=folded, share=float(terms["repeat"]))
        db.executemany("INSERT INTO task VALUES (?, ?, ?, ?, ?)", [(row["id"], slot, *task) for slot, task in enumerate(tasks, 1)])
    return Rater(row["id"], name), code


def new_code(path: Path, name: str) -> str:
    """A fresh code for a rater who lost theirs; the old one stops working. Raises ValueError when nobody has the name."""
    code = secrets.token_urlsafe(16)
    with writing(path) as db:
        study(db)
        if not db.execute("UPDATE rater SET code = ? WHERE folded = ?", (_hash(code), _name(name)[1])).rowcount:
            raise ValueError(
                f"{path}: no rater {name!r}; the names are {', '.join(n for (n,) in db.execute('SELECT name FROM rater')) or 'none yet'}"
            )
    return code


def rater_of(path: Path, code: str) -> Rater | None:
    """The rater whom ``code`` proves, if any."""
    with reading(path) as db:
        row = db.execute("SELECT id, name FROM rater WHERE code = ?", (_hash(code),)).fetchone()
    return Rater(*row) if row else None


def showing(path: Path, rater: Rater, now_ms: int) -> Showing:
    """What ``rater`` sees now; ``now_ms`` is signed into the ticket, the time spent is counted from it."""
    with reading(path) as db:
        key = study(db)["key"]
        done, total = _progress(db, rater)
        last = db.execute("SELECT max(id) FROM vote WHERE rater = ? AND undone IS NULL", (rater.id,)).fetchone()[0]
        undo_ticket = f"{last}.{sign(key, 'undo', rater.id, last)}" if last else ""
        task = _next(db, rater)
        if task is None:
            return Showing(done, total, "", "", "", "", undo_ticket, None)
        tries = _tries(db, rater, task["slot"])
        stamp = f"{task['slot']}.{tries}.{now_ms}"
        x, y = (
            db.execute("SELECT text FROM answer WHERE prompt = ? AND system = ?", (task["prompt"], task[side])).fetchone()[0]
            for side in "xy"
        )
        left, right = (y, x) if task["swapped"] else (x, y)
        old = db.execute(
            f"SELECT choice, {', '.join(MARKS)}, note FROM vote WHERE rater = ? AND slot = ? ORDER BY id DESC", (rater.id, task["slot"])
        ).fetchone()
    before = Ballot(old["choice"], (bool(old[1]), bool(old[2]), bool(old[3]), bool(old[4])), old["note"]) if old else None
    return Showing(done, total, task["text"], left, right, f"{stamp}.{sign(key, 'vote', rater.id, stamp)}", undo_ticket, before)


def vote(path: Path, rater: Rater, ticket: str, ballot: Ballot, now_ms: int) -> Outcome:
    """Store a vote; when this returns "stored", the disk has it."""
    stamp, _, mac = ticket.rpartition(".")
    with writing(path) as db:
        if not same(mac, sign(study(db)["key"], "vote", rater.id, stamp)):
            return "forged"
        slot, tries, shown_ms = map(int, stamp.split("."))
        if db.execute("SELECT 1 FROM vote WHERE ticket = ?", (mac,)).fetchone():
            return "same"
        task = _next(db, rater)
        if task is None or task["slot"] != slot or _tries(db, rater, slot) != tries:
            return "stale"
        seconds = max(0, now_ms - shown_ms) / 1000
        values = (rater.id, slot, mac, ballot.choice, *map(int, ballot.marks), ballot.note, seconds, _now())
        db.execute(f"INSERT INTO vote (rater, slot, ticket, choice, {', '.join(MARKS)}, note, seconds, at) VALUES ({'?, ' * 10}?)", values)
    return "stored"


def undo(path: Path, rater: Rater, ticket: str) -> Outcome:
    """Take the rater's last vote back; the row stays in the file with the time at which it was taken back."""
    number, _, mac = ticket.rpartition(".")
    with writing(path) as db:
        if not same(mac, sign(study(db)["key"], "undo", rater.id, number)):
            return "forged"
        last = db.execute("SELECT max(id) FROM vote WHERE rater = ? AND undone IS NULL", (rater.id,)).fetchone()[0]
        if last != int(number):
            return "same" if db.execute("SELECT 1 FROM vote WHERE id = ? AND undone IS NOT NULL", (number,)).fetchone() else "stale"
        db.execute("UPDATE vote SET undone = ? WHERE id = ?", (_now(), last))
    return "stored"


def _progress(db: sqlite3.Connection, rater: Rater) -> tuple[int, int]:
    done = db.execute("SELECT count(*) FROM vote WHERE rater = ? AND undone IS NULL", (rater.id,)).fetchone()[0]
    return done, db.execute("SELECT count(*) FROM task WHERE rater = ?", (rater.id,)).fetchone()[0]


def _next(db: sqlite3.Connection, rater: Rater) -> sqlite3.Row | None:
    """The rater's first task without a vote that stands."""
    row: sqlite3.Row | None = db.execute(
        "SELECT slot, swapped, prompt, x, y, prompt.text FROM task JOIN item ON item.id = task.item JOIN prompt ON prompt.id = item.prompt"
        " WHERE rater = ?1 AND slot NOT IN (SELECT slot FROM vote WHERE rater = ?1 AND undone IS NULL) ORDER BY slot LIMIT 1",
        (rater.id,),
    ).fetchone()
    return row


def _tries(db: sqlite3.Connection, rater: Rater, slot: int) -> int:
    """How often a vote on this task was taken back: part of the ticket, so that an old tab cannot vote after an undo."""
    tries: int = db.execute("SELECT count(*) FROM vote WHERE rater = ? AND slot = ? AND undone IS NOT NULL", (rater.id, slot)).fetchone()[0]
    return tries


def _name(name: str) -> tuple[str, str]:
    """The name as shown, and as compared: ``Noi`` and ``noi`` are one person."""
    name = " ".join(unicodedata.normalize("NFC", name).split())
    if not 0 < len(name) <= NAME_CHARACTERS or any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn") for c in name):
        raise ValueError("name")
    return name, unicodedata.normalize("NFKC", name).casefold()


def same(given: str, expected: str) -> bool:
    """Whether two secrets are equal, in a time that does not tell how much of them is."""
    return hmac.compare_digest(given.encode(errors="replace"), expected.encode())


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode(errors="replace")).hexdigest()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
