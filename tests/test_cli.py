"""The command: what it prints, where, and how it ends. In process where that says enough, as a process where it does not."""

from __future__ import annotations

import importlib
import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from thaiwiki_clean import Page, clean, explain
from thaiwiki_clean.cli import cli
from thaiwiki_clean.engines import ENGINES
from thaiwiki_clean.instruct import KINDS
from thaiwiki_clean.marks import from_marked
from thaiwiki_clean.reasons import REASONS, VERDICTS
from thaiwiki_clean.repetition import FINEWEB2_LIMITS, LIMITS
from thaiwiki_clean.words import ENGINES as WORD_ENGINES

PROSE = (
    "แมวเป็นสัตว์เลี้ยงลูกด้วยนมขนาดเล็กในวงศ์เสือและแมว มนุษย์เลี้ยงแมวไว้จับหนูมานานหลายพันปี และยังเลี้ยงเป็นเพื่อนในบ้าน "
    "แมวนอนวันละประมาณสิบหกชั่วโมงและออกหากินในเวลากลางคืน ตาของแมวมองเห็นได้ดีในที่มืดเพราะมีชั้นสะท้อนแสงอยู่หลังจอตา"
)
DIRTY = PROSE.replace("แมวเป็น", "แมว () เป็น", 1) + "[1]\n== ดูเพิ่ม ==\nเสือ \nสิงโต "
CAT = {"id": "7", "title": "แมว", "source": "thaiwikipedia", "text": DIRTY}
DOG = {"id": "8", "title": "หมา", "source": "thaiwikipedia", "text": PROSE.replace("แมว", "หมา")}
PLANT = {"id": "9", "title": "ผำ (พืช)", "source": "thaiwikipedia", "text": "redirect ผำ"}


@pytest.fixture
def run() -> Callable[..., Result]:
    """Runs the command in this process."""

    def invoke(*args: object, **rest: object) -> Result:
        result = CliRunner().invoke(cli, [str(arg) for arg in args], **rest)  # type: ignore[arg-type]
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    """A source of three pages: one dirty, one clean, one redirect."""
    path = tmp_path / "pages.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in (CAT, DOG, PLANT)), "utf-8")
    return path


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """One dirty page in a file."""
    path = tmp_path / "page.txt"
    path.write_text(DIRTY + "\n", "utf-8", newline="\n")
    return path


def process(*args: object, **rest: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "thaiwiki_clean", *map(str, args)]
    return subprocess.run(command, capture_output=True, encoding="utf-8", timeout=60, check=False, **rest)  # type: ignore[call-overload, no-any-return]


COMMANDS: list[tuple[str, click.Command]] = [("", cli), *cli.commands.items()]


# explain


def test_explain_prints_the_page_with_its_edits(run: Callable[..., Result], page: Path) -> None:
    raw, edits = from_marked(run("explain", page).stdout.removesuffix("\n"))
    assert (raw, tuple(edits)) == (DIRTY, explain(DIRTY).edits)


def test_explain_reads_stdin(run: Callable[..., Result], page: Path) -> None:
    assert run("explain", "-", input=page.read_bytes()).stdout == run("explain", page).stdout


def test_explain_notes_go_to_stderr_and_can_be_silenced(run: Callable[..., Result], page: Path) -> None:
    assert REASONS["empty_brackets"] in run("explain", page).stderr
    assert run("explain", page, "-q").stderr == ""


def test_explain_json_gives_offsets(run: Callable[..., Result], page: Path) -> None:
    told = json.loads(run("explain", page, "--json").stdout)
    assert told["text"] == clean(DIRTY)
    assert told["verdict"] is None
    assert all(DIRTY[edit["start"] : edit["end"]] == edit["removed"] for edit in told["edits"])
    assert [edit["reason"] for edit in told["edits"]] == [edit.reason for edit in explain(DIRTY).edits]


@pytest.mark.parametrize("by", [("--title", "แมว"), ("--id", "7"), ("--title", "แมว", "--id", "7")])
def test_explain_finds_a_page_of_a_source(run: Callable[..., Result], pages: Path, page: Path, by: tuple[str, ...]) -> None:
    assert run("explain", "--source", pages, *by).stdout == run("explain", page).stdout


def test_explain_says_why_a_page_falls(run: Callable[..., Result], pages: Path) -> None:
    result = run("explain", "--source", pages, "--id", "9")
    assert f"dropped: redirect. {VERDICTS['redirect']}" in result.stderr
    assert json.loads(run("explain", "--source", pages, "--id", "9", "--json").stdout)["verdict"] == "redirect"


def test_explain_of_an_unknown_title_fails(run: Callable[..., Result], pages: Path) -> None:
    result = run("explain", "--source", pages, "--title", "เสือ")
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", f"error: {pages}: no page with title 'เสือ'\n")


@pytest.mark.parametrize(
    "args",
    [
        (),
        ("page.txt", "--title", "แมว"),
        ("--source", "pages.jsonl"),
        ("--title", "แมว"),
        ("pages.jsonl",),
        ("page.txt", "--json", "--html", "-"),
    ],
)
def test_explain_without_one_page_is_wrong_usage(run: Callable[..., Result], args: tuple[str, ...]) -> None:
    assert run("explain", *args).exit_code == 2


def test_explain_html_writes_a_page(run: Callable[..., Result], pages: Path, tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    assert run("explain", "--source", pages, "--title", "แมว", "--html", out).stdout == ""
    written = out.read_text("utf-8")
    assert written.startswith("<!doctype html>")
    assert '<h1 lang="th">แมว</h1>' in written
    assert run("explain", "--source", pages, "--title", "แมว", "--html", "-").stdout == written + "\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["page.html", "pages.jsonl"]


def test_explain_html_into_no_folder_is_one_line(run: Callable[..., Result], page: Path, tmp_path: Path) -> None:
    result = run("explain", page, "--html", tmp_path / "no" / "page.html")
    assert (result.exit_code, result.stdout) == (1, "")
    assert re.fullmatch(r"error: .*page\.html: there is no folder .*\n", result.stderr)


def test_explain_colours_only_when_it_may(run: Callable[..., Result], page: Path) -> None:
    assert "\x1b[" not in run("explain", page).stdout
    assert "\x1b[" not in run("explain", page, "--color", "never").stdout
    shown = run("explain", page, "--color", "always").stdout
    assert "\x1b[9;" in shown
    assert "[empty_brackets]" in shown


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a pseudo-terminal")
@pytest.mark.parametrize(("no_color", "coloured"), [(None, True), ("", True), ("1", False)])
def test_a_terminal_gets_colours_unless_no_color_is_set(page: Path, no_color: str | None, coloured: bool) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"} | (
        {} if no_color is None else {"NO_COLOR": no_color}
    )
    reader, writer = os.openpty()
    subprocess.run([sys.executable, "-m", "thaiwiki_clean", "explain", "-q", page], stdout=writer, env=environment, timeout=60, check=True)
    os.close(writer)
    shown = os.read(reader, 100_000)
    os.close(reader)
    assert (b"\x1b[9;" in shown) == coloured


def test_explain_context_folds_untouched_text(run: Callable[..., Result], page: Path) -> None:
    folded = run("explain", page, "--context", "10").stdout
    assert len(folded) < len(DIRTY)
    assert re.search(r"\[…[0-9]+ characters…\]", folded)


# check


def test_check_of_clean_texts_is_silent_and_ends_with_0(run: Callable[..., Result], tmp_path: Path) -> None:
    text = tmp_path / "clean.txt"
    text.write_text(PROSE + "\n", "utf-8", newline="\n")
    result = run("check", text, text)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "2 texts, 0 of them dirty\n")


def test_check_names_file_row_id_reason_and_offsets(run: Callable[..., Result], pages: Path) -> None:
    result = run("check", pages)
    assert result.exit_code == 1
    assert result.stderr == "3 texts, 2 of them dirty\n"
    first, second = result.stdout.splitlines()
    brackets = next(edit for edit in explain(DIRTY).edits if edit.reason == "empty_brackets")
    assert first.startswith("pages.jsonl:1 id 7: ")
    assert f"empty_brackets [{brackets.start}:{brackets.end}]" in first
    assert second.startswith("pages.jsonl:3 id 9: redirect [0:11]")


def test_check_json_is_one_finding_a_line(run: Callable[..., Result], pages: Path) -> None:
    found = [json.loads(line) for line in run("check", pages, "--json").stdout.splitlines()]
    assert [(f["place"], f["id"], f["title"]) for f in found] == [("pages.jsonl:1", "7", "แมว"), ("pages.jsonl:3", "9", "ผำ (พืช)")]
    assert [edit["reason"] for edit in found[0]["edits"]] == [edit.reason for edit in explain(DIRTY).edits]


def test_check_finds_rows_that_cannot_be_read(run: Callable[..., Result], tmp_path: Path) -> None:
    path = tmp_path / "pages.jsonl"
    path.write_text(json.dumps(DOG) + "\n" + json.dumps({**DOG, "text": None}) + "\n", "utf-8")
    result = run("check", path)
    assert result.exit_code == 1
    assert re.match(r"pages.jsonl:2 id 8: bad_row pages.jsonl row 2: .*null", result.stdout)


def test_check_reads_stdin(run: Callable[..., Result]) -> None:
    assert run("check", "-", input=PROSE).exit_code == 0
    assert run("check", "-", input=DIRTY).exit_code == 1


# stats


def test_stats_counts_and_writes_nothing(run: Callable[..., Result], pages: Path) -> None:
    told = json.loads(run("stats", pages, "--json", "--words", "none").stdout)
    assert (told["pages"], told["articles"], told["dropped"], told["words"]) == (3, 2, {"redirect": 1}, None)
    assert told["characters"]["raw"] == sum(len(row["text"]) for row in (CAT, DOG, PLANT))
    assert told["edits"]["empty_brackets"] == {"edits": 1, "pages": 1, "characters": 3}
    assert told["length"]["max"] == max(len(clean(DIRTY)), len(DOG["text"]))
    assert [path.name for path in pages.parent.iterdir()] == ["pages.jsonl"]


def test_stats_accounts_for_every_character(run: Callable[..., Result], pages: Path) -> None:
    told = json.loads(run("stats", pages, "--json", "--words", "none").stdout)
    gone = sum(counts["characters"] for counts in told["edits"].values())
    assert told["characters"]["raw"] - told["characters"]["text"] == gone


def test_stats_for_people(run: Callable[..., Result], pages: Path) -> None:
    shown = run("stats", pages, "--words", "none").stdout
    assert re.search(r"^ +3  pages$", shown, re.MULTILINE)
    assert re.search(r"^ +1  dropped: redirect \(33\.3%\)$", shown, re.MULTILINE)
    assert re.search(r"^empty_brackets +1 +1 +3$", shown, re.MULTILINE)


def test_stats_of_words(run: Callable[..., Result], pages: Path) -> None:
    pytest.importorskip("nlpo3")
    told = json.loads(run("stats", pages, "--json").stdout)
    assert 20 < told["words"]["p50"] < told["length"]["p50"]


def test_stats_tells_what_every_threshold_costs(run: Callable[..., Result], tmp_path: Path) -> None:
    pytest.importorskip("nlpo3")
    again = "ปลาตัวที่ {} เป็นปลาน้ำจืดที่พบได้ในแหล่งน้ำทั่วประเทศไทยและชอบอยู่ตามพื้นน้ำที่มีโคลน "
    rows = [{"title": "แมว", "text": clean(DIRTY)}, {"title": "ปลา", "text": "".join(again.format(n) for n in range(20))}]
    source = tmp_path / "pages.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    told = json.loads(run("stats", source, "--json").stdout)
    over = {(cost["whose"], cost["measure"]): cost["articles"] for cost in told["costs"]}
    assert {(whose, limit.measure) for whose, limits in (("ours", LIMITS), ("FineWeb2's", FINEWEB2_LIMITS)) for limit in limits} == set(
        over
    )
    assert (over["ours", "dup_5gram"], over["FineWeb2's", "dup_5gram"], over["ours", "mass"]) == (1, 1, 0)
    assert (told["pages"], told["articles"], told["dropped"]) == (2, 1, {"repetitive": 1})
    assert told["measures"]["dup_5gram"]["p50"] < 0.1 < told["measures"]["dup_5gram"]["max"]


# build


def test_build_tells_what_it_did_and_where_to_look(run: Callable[..., Result], pages: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = run("build", pages, out, "--engine", "serial", "--words", "none")
    assert (result.exit_code, result.stderr) == (0, "")
    assert re.search(r"^ +2  articles \(66\.7%\)$", result.stdout, re.MULTILINE)
    assert "empty_brackets" in result.stdout
    looked_at = re.findall(rf"^  {re.escape(out.as_posix())}/(\S+)", result.stdout, re.MULTILINE)
    assert {"README.md", "articles", "dropped", "data", "manifest.json"} <= set(looked_at)
    assert all((out / name).exists() for name in looked_at)
    assert run("check", out / "articles").exit_code == 0


def test_build_json_is_the_manifest(run: Callable[..., Result], pages: Path, tmp_path: Path) -> None:
    result = run("build", pages, tmp_path / "out", "--engine", "serial", "--words", "none", "--json", "-q")
    assert result.stdout == (tmp_path / "out" / "manifest.json").read_text("utf-8")


def test_build_hands_every_option_on(run: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: dict[str, object] = {}

    class SeenError(ValueError):
        pass

    def build(source: str, out: str, **options: object) -> None:
        told.update(options, source=source, out=out)
        raise SeenError("seen")

    monkeypatch.setattr(importlib.import_module("thaiwiki_clean.build"), "build", build)
    options = (
        "--text-column a --title-column b --id-column c --source-column d --url-column e --default-source f --split g --revision h --strict"
    )
    options += (
        " --workers 3 --engine dask --scheduler i --words newmm --no-dedup --kind question --kind summary --tokenizer j --max-tokens 9"
    )
    result = run("build", "x", tmp_path, *options.split(), "--evaluation", "k", "--seed", "5", "--work", "l")
    assert (result.exit_code, result.stderr) == (1, "error: seen\n")
    columns = told.pop("columns")
    assert [getattr(columns, name) for name in ("text", "title", "id", "source", "url", "default_source")] == list("abcdef")
    del told["progress"]
    assert told == {
        "source": "x",
        "out": str(tmp_path),
        "split": "g",
        "revision": "h",
        "strict": True,
        "workers": 3,
        "engine": "dask",
        "scheduler": "i",
        "words": "newmm",
        "dedup": False,
        "kinds": ("question", "summary"),
        "tokenizer": "j",
        "max_tokens": 9,
        "evaluation": ("k",),
        "seed": 5,
        "work": "l",
    }


def test_the_command_in_the_manifest_builds_the_same_again(run: Callable[..., Result], pages: Path, tmp_path: Path) -> None:
    options = ["--words", "none", "--strict", "--no-dedup", "--seed", "3", "--title-column", "title"]
    run("build", pages, tmp_path / "a", "--engine", "serial", *options)
    told = json.loads((tmp_path / "a" / "manifest.json").read_text("utf-8"))
    program, *typed = shlex.split(told["command"])
    assert program == "thaiwiki-clean"
    again = [{"pages.jsonl": pages, "OUT": tmp_path / "b"}.get(word, word) for word in typed]
    assert run(*again, "--engine", "serial").exit_code == 0
    assert (tmp_path / "b" / "manifest.json").read_bytes() == (tmp_path / "a" / "manifest.json").read_bytes()


def test_build_offers_what_there_is() -> None:
    offered = {param.name: list(param.type.choices) for param in cli.commands["build"].params if isinstance(param.type, click.Choice)}
    assert offered == {
        "kinds": list(KINDS),
        "words": [*WORD_ENGINES, "none"],
        "engine": sorted(ENGINES, key=["process", "serial", "dask"].index),
    }


def test_build_into_a_foreign_folder_is_one_line(run: Callable[..., Result], pages: Path) -> None:
    result = run("build", pages, pages.parent, "--engine", "serial", "--words", "none")
    assert (result.exit_code, result.stdout) == (1, "")
    assert re.fullmatch(r"error: .*pages.jsonl.*\n", result.stderr)


# errors and exits


@pytest.mark.parametrize("command", [("explain",), ("check",), ("stats",), ("build", "--words", "none", "--engine", "serial")])
def test_what_is_not_there_is_one_line(run: Callable[..., Result], tmp_path: Path, command: tuple[str, ...]) -> None:
    missing = tmp_path / "missing.jsonl"
    args = (
        ("explain", "--source", missing, "--id", "1")
        if command == ("explain",)
        else (*command, missing, *([tmp_path / "o"] * (command[0] == "build")))
    )
    result = run(*args)
    assert (result.exit_code, result.stdout) == (1, "")
    assert re.fullmatch(r"error: .*missing\.jsonl: .*\n", result.stderr)


def test_bad_utf_8_is_named_by_its_offset(run: Callable[..., Result], tmp_path: Path) -> None:
    path = tmp_path / "old.txt"
    path.write_bytes(b"abc " + "แมว".encode("tis-620"))
    result = run("explain", path)
    assert result.exit_code == 1
    assert (
        result.stderr == f"error: {path}: byte 0xe1 at offset 4 is not UTF-8; if it is an old Thai file: iconv -f TIS-620 -t UTF-8 {path}\n"
    )


def test_a_missing_extra_is_one_line_that_names_it(run: Callable[..., Result], pages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object, **__: object) -> None:
        raise ImportError("words need PyThaiNLP:\n pip install 'thaiwiki-clean[words]'")

    monkeypatch.setattr("thaiwiki_clean.summary.summary", missing)
    result = run("stats", pages)
    assert (result.exit_code, result.stderr) == (1, "error: words need PyThaiNLP: pip install 'thaiwiki-clean[words]'\n")


@pytest.mark.parametrize("problem", [AssertionError("rules do not settle"), ImportError("cannot import name 'x'"), KeyError("x")])
def test_our_own_mistakes_are_not_hidden(
    run: Callable[..., Result], pages: Path, monkeypatch: pytest.MonkeyPatch, problem: Exception
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise problem

    monkeypatch.setattr("thaiwiki_clean.summary.summary", broken)
    with pytest.raises(type(problem)):
        run("stats", pages)


def test_traceback_shows_where_an_error_came_from(run: Callable[..., Result], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"missing\.jsonl"):
        run("--traceback", "stats", tmp_path / "missing.jsonl")


def test_wrong_usage_ends_with_2() -> None:
    assert process("bulid").returncode == 2
    assert process("build").returncode == 2
    assert process("stats", "x", "--words", "many").returncode == 2


def test_half_a_surrogate_pair_can_be_printed(run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, page: Path) -> None:
    monkeypatch.setattr("thaiwiki_clean.doors.text_page", lambda file: Page("1", "", "", "", "แมว\ud800 ()"))
    assert json.loads(run("explain", page, "--json").stdout)["raw"] == "แมว\ud800 ()"
    assert r"\ud800" in run("explain", page, "--html", "-").stdout


def heed_ctrl_c() -> None:
    """Tests that a shell runs in the background inherit that Ctrl-C is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture
def checking(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that has begun to print more findings than a pipe holds."""
    path = tmp_path / "many.jsonl"
    path.write_text((json.dumps(CAT) + "\n") * 100_000, "utf-8")
    command = [sys.executable, "-m", "thaiwiki_clean", "check", str(path)]
    before = None if sys.platform == "win32" else heed_ctrl_c
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=before) as running:
        assert running.stdout is not None
        assert running.stdout.readline().startswith(b"many.jsonl:1 id 7")
        yield running
        running.kill()


def test_a_reader_that_goes_away_is_no_error(checking: subprocess.Popen[bytes]) -> None:
    assert checking.stdout is not None
    assert checking.stderr is not None
    checking.stdout.close()
    assert checking.stderr.read() == b""
    assert checking.wait(60) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_ctrl_c_ends_with_130(checking: subprocess.Popen[bytes]) -> None:
    checking.send_signal(signal.SIGINT)
    _, err = checking.communicate(timeout=60)
    assert (checking.returncode, err) == (130, b"stopped\n")


def test_output_is_utf_8_whatever_the_terminal_says(page: Path) -> None:
    result = process("explain", page, env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"})
    assert "แมว" in result.stdout
    assert result.returncode == 0


# help


def test_help_is_light() -> None:
    code = "import sys; sys.argv = ['x', '--help']\ntry:\n  from thaiwiki_clean.cli import main; main()\nexcept SystemExit: print(*sys.modules)"
    loaded = set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())
    assert "click" in loaded
    assert not loaded & {"datasets", "torch", "pandas", "pythainlp", "nlpo3", "pyarrow", "jinja2", "tqdm", "huggingface_hub", "numpy"}


@pytest.mark.parametrize(("name", "command"), COMMANDS, ids=lambda value: value if isinstance(value, str) else "")
def test_help_shows_examples_that_can_be_typed(name: str, command: click.Command) -> None:
    text = command.get_help(click.Context(command, info_name=name))
    assert "Examples:" in text
    typed = re.findall(r"thaiwiki-clean (\w+)(.*)", text.split("Examples:")[1].split("Options:")[0])
    assert typed
    for used, rest in typed:
        known = {flag for param in cli.commands[used].params for flag in (*param.opts, *param.secondary_opts)}
        assert set(re.findall(r"\s(--?[a-z-]+)\b", rest.split("|")[0])) <= known


@pytest.mark.parametrize(("name", "command"), COMMANDS, ids=lambda value: value if isinstance(value, str) else "")
def test_every_option_is_in_the_reference(name: str, command: click.Command, root: Path) -> None:
    page = (root / "docs" / "reference" / "command-line.md").read_text("utf-8")
    assert not name or f"\n## {name}\n" in page
    named = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", page))
    options = [param for param in command.params if isinstance(param, click.Option)]
    assert {flag for option in options for flag in (*option.opts, *option.secondary_opts)} - named == set()


def test_the_reference_names_no_option_that_is_not_there(root: Path) -> None:
    page = (root / "docs" / "reference" / "command-line.md").read_text("utf-8")
    known = {"--help", *(flag for _, command in COMMANDS for param in command.params for flag in (*param.opts, *param.secondary_opts))}
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", page)) <= known
