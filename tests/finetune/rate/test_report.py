"""The report: every figure from votes counted by hand, in every form, and the votes themselves as files."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner

from finetune.cli import main
from finetune.rate import store
from finetune.rate.generations import collect
from finetune.rate.store import Ballot
from finetune.rate.votes import Study, Vote, read_study, write_jsonl, write_parquet

for module in ("numpy", "scipy", "evalica"):
    pytest.importorskip(module, reason=f"{module} is not installed")
from finetune.rate.report import markdown_table, section, summarise, to_html, to_json, to_text  # noqa: E402 - needs numpy


def vote(rater: str, prompt: int, choice: str, *, left: str = "base", repeat: bool = False, seconds: float = 10, marks: str = "") -> Vote:
    right = {"base": "tuned", "tuned": "base"}[left]
    winner = {"left": left, "right": right}.get(choice)
    marked = [name in marks for name in ("OL", "OR", "RL", "RR")]
    return Vote(rater, f"p{prompt}", left, right, choice, winner, *marked, "", repeat, seconds, "2026-01-01T00:00:00+00:00")


def study(*votes: Vote, prompts: int = 4) -> Study:
    keys = {f"p{n}": f"คำถาม {n}" for n in range(prompts)}
    answers = {(key, system): f"{system} {key}" for key in keys for system in ("base", "tuned")}
    return Study(("base", "tuned"), keys, answers, votes, tuple(sorted({v.rater for v in votes})), prompts * 2)


#: base wins p0 by both raters, tuned wins p1 by both, p2 is one to one, p3 is a tie and both bad.
BY_HAND = study(
    vote("ก", 0, "left", marks="RR"),
    vote("ข", 0, "right", left="tuned", marks="RL OL"),
    vote("ก", 1, "right"),
    vote("ข", 1, "left", left="tuned", seconds=20),
    vote("ก", 2, "left"),
    vote("ข", 2, "right", seconds=30),
    vote("ก", 3, "tie"),
    vote("ข", 3, "both_bad"),
    vote("ก", 0, "left", left="tuned", repeat=True),  # turned round
    vote("ก", 3, "tie", left="tuned", repeat=True),  # the same
)


def test_the_figures_are_those_counted_by_hand() -> None:
    found = summarise(BY_HAND)
    (pair,) = found.pairs
    assert (pair.votes, pair.prompts, pair.wins_x, pair.wins_y, pair.ties, pair.both_bad) == (8, 4, 3, 3, 1, 1)
    assert (pair.prompts_x, pair.prompts_y, pair.p) == (1, 1, 1.0)
    assert pair.rate.value == pytest.approx(0.5)
    assert found.left is not None
    assert found.left.value == 3 / 6
    assert (found.repeats, found.flips) == (2, 1)
    assert found.consistency is not None
    assert found.consistency.value == 0.5
    assert [(r.name, r.votes, r.same_on_repeats) for r in found.raters] == [("ก", 4, (1, 2)), ("ข", 4, (0, 0))]
    assert found.raters[1].seconds[1] == 15
    marks = {y.name: [share and share.value for share in (y.repeats, y.off_topic)] for y in found.systems}
    assert marks == {"base": [0, 0], "tuned": [2 / 8, 1 / 8]}


def test_a_repeat_counts_for_consistency_alone() -> None:
    without = BY_HAND._replace(votes=tuple(v for v in BY_HAND.votes if not v.repeat))
    assert summarise(without).pairs == summarise(BY_HAND).pairs


def test_the_same_votes_and_seed_give_the_same_figures() -> None:
    assert summarise(BY_HAND, seed=5) == summarise(BY_HAND, seed=5)


def test_three_systems_are_ranked_and_their_p_values_corrected() -> None:
    names = ("good", "fair", "poor")
    keys = {f"p{n}": "?" for n in range(30)}
    votes = []
    for n, key in enumerate(keys):
        for x, y in (("good", "fair"), ("good", "poor"), ("fair", "poor")):
            winner, choice = (y, "right") if n % 5 == 0 else (x, "left")
            votes.append(Vote("ก", key, x, y, choice, winner, False, False, False, False, "", False, 5.0, ""))
    found = summarise(Study(names, keys, {}, tuple(votes), ("ก",), 90))
    assert len(found.pairs) == 3
    strengths = [system.strength for system in found.systems]
    assert strengths == sorted(strengths, reverse=True)
    assert all(pair.p_holm is not None and pair.p is not None and pair.p_holm == pytest.approx(min(1, 3 * pair.p)) for pair in found.pairs)


def test_no_votes_are_no_report() -> None:
    with pytest.raises(ValueError, match="no votes yet"):
        summarise(study())


def test_json_holds_every_figure() -> None:
    found = json.loads(to_json(summarise(BY_HAND)))
    assert found["pairs"][0]["rate"]["value"] == pytest.approx(0.5)
    assert set(found) == set(summarise(BY_HAND)._fields)


def test_the_text_says_who_wins_first() -> None:
    lines = to_text(summarise(BY_HAND)).split("\n")
    assert re.fullmatch(r"base is preferred to tuned in 50\.0% \[\d+\.\d%, \d+\.\d%\] of votes .*", lines[0])
    assert any(line.startswith("base : tuned") for line in lines)


def test_the_preferred_system_comes_first() -> None:
    votes = tuple(vote("ก", n, "right" if n else "tie") for n in range(4))
    (pair,) = summarise(study(*votes)).pairs
    assert (pair.x, pair.wins_x, pair.wins_y) == ("base", 0, 3)
    assert to_text(summarise(study(*votes))).startswith("tuned is preferred to base in 87.5%")
    turned = pair.turned()
    assert (turned.x, turned.wins_x, turned.prompts_x, turned.votes) == ("tuned", 3, 3, 4)
    assert turned.rate.low == pytest.approx(1 - pair.rate.high)


def test_the_section_stands_in_the_page() -> None:
    found = summarise(BY_HAND)
    assert section(found) in to_html(found)


def test_a_name_in_the_report_is_text() -> None:
    evil = "<script>alert(1)</script>"
    votes = tuple(v._replace(rater=evil) for v in BY_HAND.votes if v.rater == "ก")

    class Tags(HTMLParser):
        found: set[str] = set()  # noqa: RUF012 - one parser, one page

        def handle_starttag(self, tag: str, attrs: object) -> None:
            self.found.add(tag)

    tags = Tags()
    tags.feed(to_html(summarise(BY_HAND._replace(votes=votes, raters=(evil,)))))
    assert "script" not in tags.found
    assert "table" in tags.found


@pytest.mark.parametrize(
    ("answer", "cell"),
    [
        ("แมว", "แมว"),
        ("", ""),
        ("ก | ข\nค", "ก &#124; ข<br>ค"),
        ("<img src=x>", "&lt;img src=x&gt;"),
        ("[x](javascript:1)", r"\[x\](javascript:1)"),
        ("`a` *b* \\", r"\`a\` \*b\* \\"),
        ("a\r\nb\rc", "a<br>b<br>c"),
    ],
)
def test_an_answer_in_the_markdown_table_is_text(answer: str, cell: str) -> None:
    one = BY_HAND._replace(answers={**BY_HAND.answers, ("p0", "base"): answer})
    lines = markdown_table(one).split("\n")
    assert lines[0] == "| prompt | base | tuned | votes |"
    assert lines[2] == f"| คำถาม 0 | {cell} | tuned p0 | base 2 |"
    assert len(lines) == 2 + 4 + 1


def test_jsonl_and_parquet_hold_the_same_votes(tmp_path: Path) -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    write_jsonl(BY_HAND.votes, tmp_path / "v.jsonl")
    write_parquet(BY_HAND.votes, tmp_path / "v.parquet")
    lines = [json.loads(line) for line in (tmp_path / "v.jsonl").read_text(encoding="utf-8").splitlines()]
    assert pq.read_table(tmp_path / "v.parquet").to_pylist() == lines == [v._asdict() for v in BY_HAND.votes]
    write_parquet((), tmp_path / "none.parquet")
    assert pq.read_table(tmp_path / "none.parquet").schema.equals(pq.read_table(tmp_path / "v.parquet").schema)
    assert {path.name for path in tmp_path.iterdir()} == {"v.jsonl", "v.parquet", "none.parquet"}


def test_the_command_writes_every_form(tmp_path: Path, ratings: Path) -> None:
    rater, _ = store.join(ratings, "ก้อย")
    while ticket := store.showing(ratings, rater, 0).ticket:
        store.vote(ratings, rater, ticket, Ballot("left"), 1)
    files = {option: tmp_path / f"out.{option}" for option in ("json", "html", "jsonl", "parquet", "table")}
    found = CliRunner().invoke(
        main, ["rate-report", str(ratings), *(part for option, path in files.items() for part in (f"--{option}", str(path)))]
    )
    assert found.exit_code == 0, found.output
    assert "is preferred to" in found.output
    assert all(path.stat().st_size for path in files.values())
    assert len(files["jsonl"].read_text(encoding="utf-8").splitlines()) == len(read_study(ratings).votes) == 6


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["rate-report", "nowhere.sqlite"], "no such file"),
        (["rate-report", "{ratings}"], "no votes yet"),
        (["rate", "{a}", "--out", "{tmp}/new.sqlite"], "needs two or more systems"),
        (["rate", "{a}", "{a}", "--out", "{tmp}/new.sqlite"], "comes in two files"),
        (["rate", "{a}", "{b}", "--out", "{tmp}/no/new.sqlite"], "make it first"),
        (["rate", "{a}", "{b}", "--out", "{ratings}", "--seed", "9"], "holds a study with seed 1, not 9"),
        (["rate", "{a}", "{b}", "--out", "{ratings}", "--repeat", "0.2", "--code", "ใคร"], "no rater 'ใคร'"),
        (["rate", "{a}", "{b}", "--out", "{ratings}", "--repeat", "0.2", "--host", "203.0.113.7"], "cannot listen on 203.0.113.7"),
        (["rate", "{a}", "{b}", "--out", "{ratings}", "--repeat", "0.2", "--host", "no such host"], "cannot listen on no such host"),
    ],
)
def test_a_wrong_call_ends_with_one_line(ratings: Path, generations: list[Path], tmp_path: Path, arguments: list[str], says: str) -> None:
    filled = [part.format(ratings=ratings, a=generations[0], b=generations[1], tmp=tmp_path) for part in arguments]
    found = CliRunner().invoke(main, filled)
    assert found.exit_code == 1
    assert says in found.output
    assert found.output.startswith("Error: ")
    assert found.output.count("\n") == 1
    assert not (tmp_path / "new.sqlite").exists()


def test_a_lost_code_is_made_anew(ratings: Path, generations: list[Path]) -> None:
    rater, _ = store.join(ratings, "ก้อย")
    found = CliRunner().invoke(main, ["rate", *map(str, generations), "--out", str(ratings), "--repeat", "0.2", "--code", "ก้อย"])
    assert store.rater_of(ratings, found.output.strip()) == rater


def test_the_how_to_page_names_what_there_is(root: Path) -> None:
    page = (root / "docs/how-to/rate-two-models-by-hand.md").read_text(encoding="utf-8")
    (record,) = re.findall(r"```json\n(.+)\n```", page)
    assert collect([(1, json.loads(record))], "page").system == "base"
    rate, report = (main.get_command(main, name) for name in ("rate", "rate-report"))  # type: ignore[arg-type]
    there = {option for command in (rate, report) for parameter in command.params for option in parameter.opts}  # type: ignore[union-attr]
    assert set(re.findall(r"--[a-z]+", page)) <= there
    assert all((root / "docs/how-to" / picture).is_file() for picture in re.findall(r"\]\((img/[^)]+)\)", page))


def test_help_loads_nothing_heavy(root: Path) -> None:
    code = "import sys; from finetune.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass\nprint(sorted({'torch', 'numpy', 'starlette', 'pandas', 'scipy', 'pyarrow'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert found.stdout.strip().endswith("[]")
    assert "rate-report" in found.stdout
