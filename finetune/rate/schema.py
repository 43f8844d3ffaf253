"""The rating database: its tables, how a connection is opened, and how a study is laid down in it."""

from __future__ import annotations

import hashlib
import json
import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import combinations
from pathlib import Path

from finetune.rate.generations import Answers, check

__all__ = ["connect", "create", "reading", "study", "writing"]

APPLICATION_ID = 0x7457_5261  #: "tWRa", in the header of the file: this SQLite file is ours
TABLES = """
CREATE TABLE study (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE system (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE prompt (id INTEGER PRIMARY KEY, prompt_id TEXT NOT NULL UNIQUE, text TEXT NOT NULL) STRICT;
CREATE TABLE answer (prompt INTEGER NOT NULL, system INTEGER NOT NULL, text TEXT NOT NULL, PRIMARY KEY (prompt, system)) STRICT, WITHOUT ROWID;
CREATE TABLE item (id INTEGER PRIMARY KEY, prompt INTEGER NOT NULL, x INTEGER NOT NULL, y INTEGER NOT NULL) STRICT;
CREATE TABLE rater (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, folded TEXT NOT NULL UNIQUE, code TEXT NOT NULL UNIQUE, joined TEXT NOT NULL
) STRICT;
CREATE TABLE task (
    rater INTEGER NOT NULL, slot INTEGER NOT NULL, item INTEGER NOT NULL, swapped INTEGER NOT NULL, repeat INTEGER NOT NULL,
    PRIMARY KEY (rater, slot)
) STRICT, WITHOUT ROWID;
CREATE TABLE vote (
    id INTEGER PRIMARY KEY AUTOINCREMENT, rater INTEGER NOT NULL, slot INTEGER NOT NULL, ticket TEXT NOT NULL UNIQUE,
    choice TEXT NOT NULL CHECK (choice IN ('left', 'right', 'tie', 'both_bad')),
    off_topic_left INTEGER NOT NULL, off_topic_right INTEGER NOT NULL, repeats_left INTEGER NOT NULL, repeats_right INTEGER NOT NULL,
    note TEXT NOT NULL, seconds REAL NOT NULL, at TEXT NOT NULL, undone TEXT,
    FOREIGN KEY (rater, slot) REFERENCES task (rater, slot)
) STRICT;
CREATE UNIQUE INDEX one_vote_per_task ON vote (rater, slot) WHERE undone IS NULL;
"""


def connect(path: Path) -> sqlite3.Connection:
    """A connection on which a commit returns only when the disk has it. Raises ValueError when the file is not ours."""
    db = sqlite3.connect(path, timeout=30, isolation_level=None)
    try:
        (mark,) = db.execute("PRAGMA application_id").fetchone()
        (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if tables and mark != APPLICATION_ID:
            raise ValueError(f"{path}: an SQLite file of another program; name another file")
        db.execute("PRAGMA journal_mode = WAL")  # written into the file, so only now that it is known to be ours
        db.execute("PRAGMA synchronous = FULL")  # in WAL mode the default waits for the disk only at a checkpoint
        db.execute("PRAGMA foreign_keys = ON")
    except sqlite3.DatabaseError as error:
        db.close()
        raise ValueError(f"{path}: not a rating database ({error}); name another file") from None
    except ValueError:
        db.close()
        raise
    db.row_factory = sqlite3.Row
    return db


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that sees one state of the database from first to last query."""
    db = connect(path)
    try:
        db.execute("BEGIN")
        yield db
    finally:
        db.close()


@contextmanager
def writing(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that holds the only write lock; everything done on it is on disk at the end, or nothing is."""
    db = connect(path)
    try:
        db.execute("BEGIN IMMEDIATE")  # taken before the first read, so that what was read still holds at the write
        yield db
        db.execute("COMMIT")
    finally:
        db.close()  # without a commit SQLite rolls back


def create(path: Path, files: Sequence[Answers], *, seed: int, repeat: float) -> bool:
    """Lay the study down in ``path``; False when it already stands there and raters go on where they were.

    Raises ValueError when the files do not fit each other, or when ``path`` holds another study: two are never mixed.
    """
    check(files)
    if not path.parent.is_dir():
        raise ValueError(f"{path}: no folder {path.parent}; make it first")
    path.touch(mode=0o600)  # the key that signs the forms lies in it; other accounts on the machine have no business there
    terms = {"version": "1", "seed": str(seed), "repeat": repr(repeat), "generations": fingerprint(files)}
    with writing(path) as db:
        if db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            there = study(db)
            for key, value in terms.items():
                if there.get(key) != value:
                    raise ValueError(
                        f"{path}: holds a study with {key} {there.get(key)}, not {value}; go on with the old files and options, or name another --out"
                    )
            return False
        for statement in TABLES.split(";\n"):
            db.execute(statement)
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.executemany("INSERT INTO study VALUES (?, ?)", [*terms.items(), ("key", secrets.token_hex(32))])
        db.executemany("INSERT INTO system VALUES (?, ?)", [(number, one.system) for number, one in enumerate(files, 1)])
        for number, (key, prompt) in enumerate(files[0].prompts.items(), 1):
            db.execute("INSERT INTO prompt VALUES (?, ?, ?)", (number, key, prompt))
            db.executemany("INSERT INTO answer VALUES (?, ?, ?)", [(number, at, one.answers[key]) for at, one in enumerate(files, 1)])
            pairs = combinations(range(1, len(files) + 1), 2)
            db.executemany("INSERT INTO item (prompt, x, y) VALUES (?, ?, ?)", [(number, x, y) for x, y in pairs])
    return True


def study(db: sqlite3.Connection) -> dict[str, str]:
    """The study's terms: version, seed, share of repeats, fingerprint of the generations, and the key that signs forms."""
    try:
        return dict(db.execute("SELECT key, value FROM study").fetchall())
    except sqlite3.OperationalError:
        raise ValueError("the file holds no study; make one with: python -m finetune rate GENERATIONS_A GENERATIONS_B --out FILE") from None


def fingerprint(files: Sequence[Answers]) -> str:
    """A hash of everything a rater could see; the order of the records does not matter, that of the systems does."""
    content = [(one.system, sorted((key, one.prompts[key], answer) for key, answer in one.answers.items())) for one in files]
    return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()[:16]
