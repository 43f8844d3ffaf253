"""The real client against a Hub of forty lines on this machine: fetched once, read again when it is gone."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

huggingface_hub = pytest.importorskip("huggingface_hub")
REPO = "somebody/pages"
SHA = "0123456789abcdef0123456789abcdef01234567"
FILES = {f"data/{split}.jsonl": json.dumps({"title": split, "text": "แมว"}).encode() + b"\n" for split in ("train", "test")}


class Hub(BaseHTTPRequestHandler):
    """One data set: its commit, its list of files, and the files."""

    protocol_version = "HTTP/1.1"
    fetched: list[str] = []  # noqa: RUF012  # emptied by the fixture

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path in (f"/api/datasets/{REPO}", f"/api/datasets/{REPO}/revision/main"):
            self._send(json.dumps({"id": REPO, "sha": SHA, "siblings": [{"rfilename": name} for name in FILES]}).encode())
        elif path == f"/api/datasets/{REPO}/tree/{SHA}":
            listed = [{"type": "file", "path": name, "size": len(body), "oid": _oid(body)} for name, body in FILES.items()]
            self._send(json.dumps(listed).encode())
        elif (name := path.removeprefix(f"/datasets/{REPO}/resolve/{SHA}/")) in FILES:
            if self.command == "GET":
                self.fetched.append(name)
            self._send(FILES[name], {"ETag": f'"{_oid(FILES[name])}"', "X-Repo-Commit": SHA})
        else:
            self._send(b"{}", {"X-Error-Code": "RepoNotFound"}, 404)

    do_HEAD = do_GET  # noqa: N815

    def _send(self, body: bytes, headers: dict[str, str] | None = None, status: int = 200) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), "Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Nothing: the test says what happened."""


def _oid(body: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(body) + body).hexdigest()


@pytest.fixture
def endpoint() -> Iterator[str]:
    Hub.fetched.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def reads(source: str, endpoint: str, home: Path, root: Path, split: str = "None", **settings: str) -> str:
    """The titles that a fresh process reads, or what it says."""
    code = f"""
from thaiwiki_clean.readers import *
try:
    print([page.title for page in read({source!r}, split={split})], open_source({source!r}, split={split}).fingerprint[:8])
except SourceError as error:
    print(error)
"""
    env = {
        **{name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")},
        "HF_ENDPOINT": endpoint, "HF_HOME": str(home), "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1", "PYTHONPATH": str(root), "PYTHONIOENCODING": "utf-8", **settings,
    }  # fmt: skip
    return subprocess.run([sys.executable, "-c", code], env=env, cwd=home, capture_output=True, text=True, encoding="utf-8").stdout


def test_a_data_set_is_fetched_once_and_read_again_offline(endpoint, tmp_path, root):
    online = reads(REPO, endpoint, tmp_path, root)
    assert online.startswith("['test', 'train'] ")
    assert sorted(Hub.fetched) == sorted(FILES)
    if hasattr(huggingface_hub, "get_cached_repo_tree"):
        assert reads(REPO, endpoint, tmp_path, root, HF_HUB_OFFLINE="1") == online


def test_of_a_split_only_its_files_are_fetched_and_the_rest_is_not_taken_for_it_offline(endpoint, tmp_path, root):
    assert reads(REPO, endpoint, tmp_path, root, split="'train'").startswith("['train'] ")
    assert Hub.fetched == ["data/train.jsonl"]
    assert "the Hub cannot be reached (" in reads(REPO, endpoint, tmp_path, root, HF_HUB_OFFLINE="1")


def test_a_data_set_that_is_not_there(endpoint, tmp_path, root):
    assert reads("somebody/else", endpoint, tmp_path, root) == (
        "somebody/else: no such file, folder or data set on the Hub, or a private one; check the name, or: hf auth login\n"
    )
