"""A study small enough to read, with every kind of answer that the page must bear."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

SYSTEMS = ("ระบบลับหมายเลขหนึ่ง", "zq-secret-tuned")  # names that stand in no template: finding one in a page means a leak
INJECTION = '<script>document.title="hacked"</script><img src=x onerror="document.title=1">\'"&amp;{{ 7*7 }}</div></form>'
LOOP = "แมวเป็นสัตว์เลี้ยงลูกด้วยนมในวงศ์เสือและแมว "

ANSWERS = (
    (
        "อธิบายความหมายและให้ข้อมูลของคำดังต่อไปนี้ ดาราศาสตร์",
        "ดาราศาสตร์ คือวิชาวิทยาศาสตร์ที่ศึกษาวัตถุในท้องฟ้า เช่น ดาวฤกษ์ ดาวเคราะห์ ดาวหาง และดาราจักร รวมทั้งปรากฏการณ์ทางธรรมชาติต่าง ๆ "
        "ที่เกิดขึ้นนอกชั้นบรรยากาศของโลก\n\nนักดาราศาสตร์ใช้กล้องโทรทรรศน์สังเกตแสงจากวัตถุเหล่านี้ แล้วอธิบายด้วยฟิสิกส์และเคมี",
        "ดาราศาสตร์ เป็นวิชาที่ศึกษาเกี่ยวกับดวงดาว " + "ดูเพิ่ม ดาราศาสตร์ แหล่งข้อมูลอื่น " * 24,
    ),
    ("อธิบายความหมายและให้ข้อมูลของคำดังต่อไปนี้ แมว", LOOP * 30, "แมวเป็นสัตว์เลี้ยงลูกด้วยนม ชื่อวิทยาศาสตร์ Felis catus"),
    ("อธิบายความหมายและให้ข้อมูลของคำดังต่อไปนี้ น้ำ", "", "น้ำเป็นสารประกอบเคมี สูตร H₂O"),
    (f"คำถามที่มี {INJECTION}", INJECTION, "คำตอบที่มีอักขระ \u202eกลับด้าน\u202c และ \x07"),
    (
        "กรุงเทพมหานครคืออะไร",
        "กรุงเทพมหานครเป็นเมืองหลวงของประเทศไทย " + "".join(f"เขตที่ {n} มีประชากร {n * 7919} คน " for n in range(200)),
        "เมืองหลวง",
    ),
)


@pytest.fixture
def systems() -> tuple[str, str]:
    return SYSTEMS


@pytest.fixture
def answers() -> tuple[tuple[str, str, str], ...]:
    return ANSWERS


@pytest.fixture
def generations(tmp_path: Path) -> list[Path]:
    """Two JSONL files of the same prompts."""
    paths = []
    for number, system in enumerate(SYSTEMS):
        path = tmp_path / f"{number}.jsonl"
        rows = [{"prompt_id": f"p{at}", "prompt": row[0], "answer": row[1 + number], "system": system} for at, row in enumerate(ANSWERS)]
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
        paths.append(path)
    return paths


@pytest.fixture
def ratings(tmp_path: Path, generations: list[Path]) -> Path:
    """A fresh database of that study, a fifth of the items repeated."""
    from finetune.rate.generations import read
    from finetune.rate.schema import create

    path = tmp_path / "ratings.sqlite"
    create(path, [read(one) for one in generations], seed=1, repeat=0.2)
    return path


class Forms(HTMLParser):
    """The forms of a page: action -> name -> value, as a browser would send them without a button pressed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: dict[str, dict[str, str]] = {}
        self._now: dict[str, str] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        have = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._now = self.found.setdefault(have["action"], {})
        is_field = tag in ("input", "button", "textarea") and have.get("name", "choice") != "choice"
        if is_field and (have.get("type") != "checkbox" or "checked" in have):
            self._now[have["name"]] = have.get("value", "")


@pytest.fixture
def forms() -> Callable[[str], dict[str, dict[str, str]]]:
    return lambda page: Forms(page).found


@pytest.fixture
def client(ratings: Path) -> Callable[..., Any]:
    """Makes browsers on the page, each with its own cookies; ``client("ก้อย")`` has joined already."""
    testing = pytest.importorskip("starlette.testclient", reason="starlette and httpx2 are not installed")
    from finetune.rate.app import build_app

    def make(name: str = "", **options: Any) -> Any:
        browser = testing.TestClient(build_app(ratings, **options), base_url="http://127.0.0.1:8017")
        if name:
            form = Forms(browser.get("/").text).found["/join"]
            assert browser.post("/join", data={**form, "name": name}).status_code == 200
        return browser

    return make


@pytest.fixture
def serve(tmp_path: Path, generations: list[Path], root: Path) -> Iterator[Callable[..., tuple[str, subprocess.Popen[str]]]]:
    """Starts the real command on a free port, or the port named; gives its link and the process."""
    pytest.importorskip("uvicorn", reason="uvicorn is not installed")
    running: list[subprocess.Popen[str]] = []

    def start(*options: str, files: list[Path] = generations) -> tuple[str, subprocess.Popen[str]]:
        command = [sys.executable, "-u", "-m", "finetune", "rate", *map(str, files), "--out", str(tmp_path / "served.sqlite")]
        if "--port" not in options:
            options = (*options, "--port", "0")
        server = subprocess.Popen([*command, *options], cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        running.append(server)
        assert server.stdout
        said = ""
        for line in server.stdout:
            said += line
            if found := re.search(r"http://\S+", line):
                return found[0], server
        raise AssertionError(f"the command ended: {said}")

    yield start
    for server in running:
        server.kill()
        server.wait()
        assert server.stdout
        server.stdout.close()
