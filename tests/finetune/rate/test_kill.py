"""Four people rate at once while the server is killed twice: every vote is there, and once."""

from __future__ import annotations

import json
import random
import re
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from finetune.rate.votes import read_study

ITEMS = 200
RATERS = ("น้อย", "ก้อย", "แก้ว", "ต้น")
KILLS = (230, 560)  # votes in all, of 800, at which the server dies

Forms = Callable[[str], dict[str, dict[str, str]]]


def persist(send: Callable[[], Any]) -> Any:
    """What a person does when the page does not come: try again."""
    httpx = pytest.importorskip("httpx2", reason="httpx2 is not installed")
    deadline = time.monotonic() + 60
    while True:
        try:
            return send()
        except httpx.TransportError:
            assert time.monotonic() < deadline, "the server did not come back"
            time.sleep(0.05)


def rate_all(url: str, name: str, forms: Forms, said: list[str], lost: list[int]) -> None:
    httpx = pytest.importorskip("httpx2", reason="httpx2 is not installed")
    chance = random.Random(name)
    with httpx.Client(base_url=url, timeout=30) as browser:
        form = forms(persist(lambda: browser.get("/")).text)["/join"]
        assert persist(lambda: browser.post("/join", data={**form, "name": name})).status_code == 303
        while "/vote" in (found := forms(persist(lambda: browser.get("/rate")).text)):
            vote = {**found["/vote"], "choice": chance.choice(["left", "right", "tie", "both_bad"])}
            tries = [0]

            def send(vote: dict[str, str] = vote, tries: list[int] = tries) -> Any:
                tries[0] += 1
                return browser.post("/vote", data=vote)

            assert persist(send).status_code == 303
            lost.append(tries[0] - 1)
            said.append(vote["choice"])
            if chance.random() < 0.1:  # a double click
                assert persist(send).status_code == 303


def test_four_raters_and_two_kills_lose_and_double_nothing(
    tmp_path: Path, serve: Callable[..., tuple[str, subprocess.Popen[str]]], forms: Forms
) -> None:
    pytest.importorskip("httpx2", reason="httpx2 is not installed")
    files = []
    for system in ("base", "tuned"):
        files.append(tmp_path / f"{system}.jsonl")
        rows = ({"prompt_id": n, "prompt": f"คำถามที่ {n}", "answer": f"คำตอบ {n}", "system": system} for n in range(ITEMS))
        files[-1].write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    url, server = serve("--repeat", "0", files=files)
    port = re.findall(r":(\d+)/", url)[0]
    said: dict[str, list[str]] = {name: [] for name in RATERS}
    lost: list[int] = []
    raters = [Thread(target=rate_all, args=(url, name, forms, said[name], lost)) for name in RATERS]
    for rater in raters:
        rater.start()
    for votes in KILLS:
        while sum(map(len, said.values())) < votes and any(rater.is_alive() for rater in raters):
            time.sleep(0.002)
        server.kill()  # SIGKILL: no handler runs, no buffer is flushed
        server.wait()
        _, server = serve("--repeat", "0", "--port", port, files=files)
    for rater in raters:
        rater.join()

    stored = read_study(tmp_path / "served.sqlite").votes
    assert len(stored) == len(RATERS) * ITEMS
    assert max(Counter((vote.rater, vote.prompt_id) for vote in stored).values()) == 1
    assert {name: [vote.choice for vote in stored if vote.rater == name] for name in RATERS} == said
    print(f"{len(stored)} votes stored; {sum(lost)} sent again because the server was dead")
