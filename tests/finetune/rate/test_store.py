"""Votes get to disk exactly once, and only their own rater can give or take them."""

from __future__ import annotations

import sqlite3
import stat
import tempfile
from pathlib import Path
from threading import Thread

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from finetune.rate import store
from finetune.rate.generations import Answers, read
from finetune.rate.plan import plan
from finetune.rate.schema import connect, create
from finetune.rate.store import Ballot, Rater
from finetune.rate.votes import read_study

TIE = Ballot("tie")


def vote(ratings: Path, rater: Rater, ballot: Ballot = TIE) -> str:
    return store.vote(ratings, rater, store.showing(ratings, rater, 1000).ticket, ballot, 3500)


def test_a_vote_is_read_back_with_everything_in_it(ratings: Path, systems: tuple[str, str]) -> None:
    rater, _ = store.join(ratings, "ก้อย")
    ballot = Ballot("left", (True, False, False, True), "เพราะสั้นกว่า\nและตรง")
    assert vote(ratings, rater, ballot) == "stored"
    (found,) = read_study(ratings).votes
    task = plan(range(1, 6), seed=1, rater="ก้อย", share=0.2)[0]
    left, right = systems[::-1] if task.swapped else systems
    assert found[:-1] == ("ก้อย", f"p{task.item - 1}", left, right, "left", left, True, False, False, True, ballot.note, False, 2.5)


def test_the_same_ticket_twice_is_one_vote(ratings: Path) -> None:
    rater, _ = store.join(ratings, "ก้อย")
    ticket = store.showing(ratings, rater, 0).ticket
    assert [store.vote(ratings, rater, ticket, Ballot(choice), 1) for choice in ("left", "right")] == ["stored", "same"]
    assert [v.choice for v in read_study(ratings).votes] == ["left"]


def test_the_second_of_two_tabs_does_not_vote(ratings: Path) -> None:
    rater, _ = store.join(ratings, "ก้อย")
    one, two = (store.showing(ratings, rater, ms).ticket for ms in (1, 2))
    assert store.vote(ratings, rater, one, TIE, 3) == "stored"
    assert store.vote(ratings, rater, two, TIE, 3) == "stale"


def test_a_tab_from_before_an_undo_does_not_vote(ratings: Path) -> None:
    rater, _ = store.join(ratings, "ก้อย")
    old = [store.showing(ratings, rater, ms).ticket for ms in (1, 2)]
    store.vote(ratings, rater, old[0], TIE, 3)
    store.undo(ratings, rater, store.showing(ratings, rater, 4).undo_ticket)
    assert [store.vote(ratings, rater, ticket, TIE, 5) for ticket in old] == ["same", "stale"]
    assert not read_study(ratings).votes


def test_an_undo_brings_the_item_back_with_what_was_said(ratings: Path) -> None:
    rater, _ = store.join(ratings, "ก้อย")
    before = store.showing(ratings, rater, 0)
    ballot = Ballot("right", (False, True, False, False), "ลองดู")
    vote(ratings, rater, ballot)
    assert store.undo(ratings, rater, store.showing(ratings, rater, 0).undo_ticket) == "stored"
    again = store.showing(ratings, rater, 0)
    assert (again.prompt, again.left, again.right, again.before, again.done) == (before.prompt, before.left, before.right, ballot, 0)


def test_an_undo_sent_twice_takes_one_vote_back(ratings: Path) -> None:
    rater, _ = store.join(ratings, "ก้อย")
    vote(ratings, rater)
    vote(ratings, rater)
    ticket = store.showing(ratings, rater, 0).undo_ticket
    assert [store.undo(ratings, rater, ticket) for _ in range(2)] == ["stored", "same"]
    assert len(read_study(ratings).votes) == 1


def test_a_ticket_of_another_rater_is_forged(ratings: Path) -> None:
    noi, koi = (store.join(ratings, name)[0] for name in ("น้อย", "ก้อย"))
    vote(ratings, koi)
    seen = store.showing(ratings, koi, 0)
    assert store.vote(ratings, noi, seen.ticket, TIE, 1) == "forged"
    assert store.undo(ratings, noi, seen.undo_ticket) == "forged"
    assert len(read_study(ratings).votes) == 1


@pytest.mark.parametrize("ticket", ["", ".", "1.0.0.", "1.0.0." + "0" * 64, "1.0.0.ก", "\ud800", "9" * 9999])
def test_a_made_up_ticket_is_forged(ratings: Path, ticket: str) -> None:
    rater, _ = store.join(ratings, "ก้อย")
    assert store.vote(ratings, rater, ticket, TIE, 1) == "forged"
    assert store.undo(ratings, rater, ticket) == "forged"


def test_a_code_proves_its_rater_and_a_new_one_replaces_it(ratings: Path) -> None:
    rater, code = store.join(ratings, " ก้อย  ใจดี ")
    assert store.rater_of(ratings, code) == rater == Rater(1, "ก้อย ใจดี")
    fresh = store.new_code(ratings, "ก้อย ใจดี")
    assert store.rater_of(ratings, code) is None
    assert store.rater_of(ratings, fresh) == rater


@pytest.mark.parametrize("name", ["", "  ", "ก" * 41, "a\x00b", "a\u202eb", "\ud800"])
def test_a_name_that_nobody_could_read_is_refused(ratings: Path, name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        store.join(ratings, name)


@pytest.mark.parametrize(("first", "second"), [("Noi", "nOI"), ("น้อย", " น้อย "), ("Ａ", "a")])
def test_a_name_is_taken_however_it_is_typed(ratings: Path, first: str, second: str) -> None:
    store.join(ratings, first)
    with pytest.raises(ValueError, match="taken"):
        store.join(ratings, second)


def test_the_same_study_goes_on(ratings: Path, generations: list[Path]) -> None:
    rater, code = store.join(ratings, "ก้อย")
    vote(ratings, rater)
    assert not create(ratings, [read(path) for path in generations], seed=1, repeat=0.2)
    assert store.rater_of(ratings, code) == rater
    assert len(read_study(ratings).votes) == 1


@pytest.mark.parametrize(("seed", "repeat", "change"), [(2, 0.2, ""), (1, 0.1, ""), (1, 0.2, "!")])
def test_another_study_is_not_mixed_in(ratings: Path, generations: list[Path], seed: int, repeat: float, change: str) -> None:
    first, second = (read(path) for path in generations)
    changed = Answers(second.system, second.prompts, {key: answer + change for key, answer in second.answers.items()})
    with pytest.raises(ValueError, match="holds a study with"):
        create(ratings, [first, changed], seed=seed, repeat=repeat)


def test_a_file_of_something_else_is_left_alone(tmp_path: Path, generations: list[Path]) -> None:
    text, other = tmp_path / "notes.txt", tmp_path / "other.sqlite"
    text.write_text("บันทึก " * 300, encoding="utf-8")
    db = sqlite3.connect(other)
    db.execute("CREATE TABLE mine (x)")
    db.close()
    files = [read(path) for path in generations]
    for path, says in ((text, "not a rating database"), (other, "another program")):
        before = path.read_bytes()
        with pytest.raises(ValueError, match=says):
            create(path, files, seed=1, repeat=0.1)
        assert path.read_bytes() == before


def test_only_the_owner_reads_the_key(ratings: Path) -> None:
    assert stat.S_IMODE(ratings.stat().st_mode) == 0o600


def test_a_commit_waits_for_the_disk(ratings: Path) -> None:
    db = connect(ratings)
    assert db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert db.execute("PRAGMA synchronous").fetchone()[0] == 2  # FULL
    db.close()


def test_two_raters_at_once_lose_nothing(ratings: Path) -> None:
    raters = [store.join(ratings, name)[0] for name in ("น้อย", "ก้อย", "แก้ว")]
    threads = [Thread(target=lambda rater: [vote(ratings, rater) for _ in range(6)], args=(rater,)) for rater in raters]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(read_study(ratings).votes) == 18
    assert all(store.showing(ratings, rater, 0).ticket == "" for rater in raters)


class TwoRaters(RuleBasedStateMachine):
    """Votes, undos, retries and old tabs of two raters in any order, held against two lists."""

    @initialize()
    def open(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "r.sqlite"
        prompts = {f"p{n}": "?" for n in range(4)}
        create(self.path, [Answers(name, prompts, dict.fromkeys(prompts, name)) for name in "ab"], seed=3, repeat=0.5)
        self.raters = [store.join(self.path, name)[0] for name in ("น้อย", "ก้อย")]
        self.said: list[list[str]] = [[], []]
        self.tickets: list[list[str]] = [[], []]

    @rule(who=st.integers(0, 1), choice=st.sampled_from(["left", "right", "tie", "both_bad"]))
    def votes(self, who: int, choice: str) -> None:
        ticket = store.showing(self.path, self.raters[who], 0).ticket
        if ticket:
            assert store.vote(self.path, self.raters[who], ticket, Ballot(choice), 1) == "stored"
            self.said[who].append(choice)
            self.tickets[who].append(ticket)

    @rule(who=st.integers(0, 1))
    def takes_back(self, who: int) -> None:
        ticket = store.showing(self.path, self.raters[who], 0).undo_ticket
        assert bool(ticket) == bool(self.said[who])
        if ticket:
            assert store.undo(self.path, self.raters[who], ticket) == "stored"
            self.said[who].pop()

    @rule(who=st.integers(0, 1), whose=st.integers(0, 1), data=st.data())
    def sends_an_old_ticket(self, who: int, whose: int, data: st.DataObject) -> None:
        if self.tickets[whose]:
            ticket = data.draw(st.sampled_from(self.tickets[whose]))
            assert store.vote(self.path, self.raters[who], ticket, TIE, 1) == ("same" if who == whose else "forged")

    @invariant()
    def the_database_says_what_was_said(self) -> None:
        if hasattr(self, "path"):
            votes = read_study(self.path).votes
            assert [[v.choice for v in votes if v.rater == rater.name] for rater in self.raters] == self.said

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.folder.cleanup()


TestTwoRaters = TwoRaters.TestCase
# One example writes to disk some hundred times, each waiting for it.
TestTwoRaters.settings = settings(max_examples=max(5, settings().max_examples // 20), stateful_step_count=15, deadline=None)
