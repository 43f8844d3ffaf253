"""Every fault at every request: one line, nothing half done, and the same call again completes it.

The table in ``docs/how-to/publish.md`` is what comes out here; ``UPDATE_DOCS=1`` writes it anew, to be read in the diff.
"""

from __future__ import annotations

import copy
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from huggingface_hub import HfApi, constants

from tests.hub.loopback import TOKEN, Fault, Hub, serve
from thaiwiki_clean.hub import PublishError, publish

REPO = "user/wiki"
PAGE = Path(__file__).resolve().parents[2] / "docs/how-to/publish.md"

FAULTS: dict[int | str, str] = {
    401: "401, the token is not known",
    403: "403, the token may not",
    404: "404, not there, or hidden from this token",
    409: "409, a conflict",
    412: "412, somebody was quicker",
    429: "429, too many requests",
    503: "503, the Hub is in trouble",
    "drop": "the connection breaks before anything was done",
    "lost": "it is done, and the connection breaks before the answer",
    "cut": "it is done, and half of the answer comes",
    "page": "a proxy answers with a page of its own",
}

#: Request of the loopback -> what a person would call it, in the order in which they come.
STEPS = {
    "info": "look",
    "tree": "look",
    "resolve (HEAD)": "look",
    "resolve": "look",
    "refs": "look",
    "create": "create",
    "validate card": "send",
    "preupload": "send",
    "lfs batch": "send",
    "put object": "send",
    "commit": "commit",
    "tag": "tag",
}

#: Where the Hub gives an answer that it does not give everywhere; the table leaves the others out, the tests do not.
ANSWERED_AT: dict[int | str, tuple[str, ...]] = {409: ("commit", "tag"), 412: ("commit",)}


class Outcome(NamedTuple):
    line: str  #: what the user sees; empty when the client overcame the fault
    state: str  #: of the Hub after the first run
    again: str  #: what the second run did
    asked: bool  #: whether the request that was to fail came at all


class Bench:
    """One Hub that is put back to the same state for every case: an older build is there, or for ``create`` nothing."""

    def __init__(self, hub: Hub, built: Path, other: Path) -> None:
        self.hub, self.built, self.other = hub, built, other
        self.api = HfApi(endpoint=hub.url, token=TOKEN)
        publish(other, REPO, api=self.api)
        self.before = copy.deepcopy(hub.repos)
        self.contents = dict(hub.contents)
        publish(built, REPO, tag="v1", api=self.api)
        self.wanted = hub.listing(REPO)
        self.outcomes: dict[tuple[int | str, str], Outcome] = {}

    def reset(self, *, there: bool) -> None:
        self.hub.repos = copy.deepcopy(self.before) if there else {}
        self.hub.contents = dict(self.contents) if there else {}
        self.hub.requests.clear()

    def outcome(self, kind: int | str, request: str) -> Outcome:
        """What comes of a fault that strikes a request as often as it is made."""
        if (kind, request) not in self.outcomes:
            self.reset(there=request != "create")
            fault = Fault(kind, lambda number, name: name == request)
            line = self.run(fault)
            asked, state = request in self.hub.requests, self.state()
            self.outcomes[kind, request] = Outcome(line, state, self.again(), asked)
        return self.outcomes[kind, request]

    def run(self, fault: Fault | None) -> str:
        self.hub.fault = fault
        try:
            publish(self.built, REPO, tag="v1", api=self.api)
        except PublishError as error:
            return str(error).replace(self.hub.url, "https://huggingface.co")
        finally:
            self.hub.fault = None
        return ""

    def state(self) -> str:
        """What is on the Hub, in words; fails when that is half of anything."""
        if REPO not in self.hub.repos:
            return "as before"
        repo = self.hub.repos[REPO]
        if set(repo.files) == {".gitattributes"}:
            return "an empty data set"
        if repo.files == self.before[REPO].files:
            assert repo.tags == {}
            return "as before"
        assert self.data(repo.files) == self.data(self.wanted)
        return "published and tagged" if repo.tags == {"v1": repo.head} else "published, no tag"

    @staticmethod
    def data(files: dict[str, str]) -> dict[str, str]:
        return {path: name for path, name in files.items() if path != "README.md"}

    def again(self) -> str:
        was = self.state()
        line = self.run(None)
        assert line == ""
        assert self.state() == "published and tagged"
        commits = [message for message in self.hub.repos[REPO].messages if message.startswith("thaiwiki-clean")]
        assert len(commits) == 1 + (self.before[REPO].messages[-1] in self.hub.repos[REPO].messages[:2])
        return {"published and tagged": "finds all of it there", "published, no tag": "sets the tag"}.get(was, "publishes")


@pytest.fixture(scope="module")
def bench(built: Path, other: Path) -> Iterator[Bench]:
    was, constants.HF_HUB_DISABLE_XET = constants.HF_HUB_DISABLE_XET, True
    with serve() as hub:
        try:
            yield Bench(hub, built, other)
        finally:
            constants.HF_HUB_DISABLE_XET = was


@pytest.mark.parametrize("request_name", STEPS)
@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_leaves_nothing_half_done_and_a_second_run_completes_it(bench: Bench, kind: int | str, request_name: str) -> None:
    """That nothing is half done, and that the second run completes it in one commit, is asserted where the outcome is taken."""
    told = bench.outcome(kind, request_name)
    assert told.asked
    if told.line:
        assert told.line.startswith("user/wiki: ")
        assert "\n" not in told.line
        assert len(told.line) < 400
        assert TOKEN not in told.line
        assert "s3cr3t" not in told.line  # the signature in the address of an upload
    else:
        assert told.state == "published and tagged"


@pytest.mark.parametrize("number", [*range(9), *range(14, 17)])
@pytest.mark.parametrize("kind", [503, "drop", "lost"])
def test_a_fault_that_comes_once_is_overcome_or_told(bench: Bench, kind: int | str, number: int) -> None:
    """By number, not by name: among requests of one kind the second may fail too. Those in between are uploads like the eighth."""
    bench.reset(there=False)
    line = bench.run(Fault(kind, lambda n, name: n == number))
    assert bool(line) == (bench.state() != "published and tagged" or "setting the tag" in line)
    bench.again()


def test_the_token_and_signed_addresses_are_in_no_log(
    bench: Bench, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """In what is shown unless somebody asks for more: the HTTP library names every address at INFO."""
    caplog.set_level("WARNING")
    for kind in (503, "drop", 403):
        bench.reset(there=False)
        bench.run(Fault(kind, lambda number, name: name == "put object"))
    heard = caplog.text + "".join(capfd.readouterr())
    assert TOKEN not in heard
    assert "s3cr3t" not in heard


def test_the_log_of_the_client_is_as_before(bench: Bench) -> None:
    import logging

    log = logging.getLogger("huggingface_hub")
    before = log.level
    bench.reset(there=False)
    bench.run(Fault(503, lambda number, name: name == "info"))
    assert log.level == before


def _shown(line: str) -> str:
    """A line as the table has it: without what differs from run to run, and with what every line says in short."""
    line = re.sub(r"^user/wiki: (?:looking at what is there: |creating the data set: |sending \d+ files: )?", "", line)
    line = re.sub(r"commit \w{12}", "commit …", re.sub(r"LFS object \w+", "LFS object …", line))
    line = re.sub(r"(?<=failed or broke )\(\w+\)", "(…)", line)  # how it breaks is a matter of microseconds
    line = line.replace("run the same command again, it goes on with what is missing", "*again*")
    return re.sub(r"(?<=HTTP \d\d\d: )injected …", "what the Hub says", line)


@pytest.mark.parametrize("request_name", ["xet token", "xorb", "shard"])
@pytest.mark.parametrize(
    ("kind", "line"),
    [
        (401, "does not take this token.*HTTP 401"),
        (403, "this token may not do that.*HTTP 403"),
        (503, "the Hub is in trouble.*HTTP 503"),
        ("drop", "the connection to .* failed or broke"),
        ("page", "is not the Hub, or not all of it"),
    ],
)
def test_a_fault_of_xet_is_the_same_line(
    built: Path, hub: Hub, api: HfApi, monkeypatch: pytest.MonkeyPatch, kind: int | str, request_name: str, line: str
) -> None:
    pytest.importorskip("hf_xet", reason="no Xet on this platform")
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", False)
    hub.fault = Fault(kind, lambda number, name: name == request_name)
    with pytest.raises(PublishError, match=f"^user/wiki: sending .* files: .*{line}"):
        publish(built, REPO, api=api)
    assert set(hub.listing(REPO)) == {".gitattributes"}
    hub.fault = None
    assert publish(built, REPO, api=api).commit == hub.repos[REPO].head


def rows(bench: Bench) -> list[str]:
    """The table: for each fault, the steps that end alike in one row."""
    out = []
    for kind, name in FAULTS.items():
        groups: dict[tuple[str, str, str], list[str]] = {}
        for request, step in STEPS.items():
            if step not in ANSWERED_AT.get(kind, step):
                continue
            told = bench.outcome(kind, request)
            line = _shown(told.line) or "(nothing: the client tries again and gets through)"
            steps = groups.setdefault((line, told.state, told.again), [])
            steps += [step] if step not in steps else []
        out += [f"| {name} | {', '.join(steps)} | {line} | {state} | {again} |" for (line, state, again), steps in groups.items()]
    return out


def test_the_table_in_the_docs_is_what_happens(bench: Bench) -> None:
    head = "| fault | at | what you see | the Hub after it | the second run |\n| --- | --- | --- | --- | --- |\n"
    table = head + "\n".join(rows(bench)) + "\n"
    text = PAGE.read_text("utf-8")
    now = re.sub(r"(?s)(?<=<!-- faults -->\n\n).*?(?=<!-- end of faults -->)", lambda _: table + "\n", text)
    if os.environ.get("UPDATE_DOCS"):
        PAGE.write_text(now, encoding="utf-8", newline="\n")
    else:
        assert text == now
    assert table in now
