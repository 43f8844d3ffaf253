"""Two builds of the sample, and a Hub on this machine that the real client talks to."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

# Read when hf_xet starts: the loopback takes chunks as they are, and nobody is told how fast that was.
os.environ.setdefault("HF_XET_XORB_COMPRESSION_POLICY", "none")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("HF_XET_CLIENT_RETRY_BASE_DELAY", "10ms")
os.environ.setdefault("HF_XET_CACHE", tempfile.mkdtemp(prefix="xet-"))  # what it knows of a Hub on this port is for this session

pytest.importorskip("huggingface_hub", reason="the Hub client is an extra")

from huggingface_hub import HfApi, constants, file_download
from huggingface_hub.utils import _http, disable_progress_bars

from tests.hub.loopback import TOKEN, Hub, serve
from thaiwiki_clean import samples
from thaiwiki_clean.build import build


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("built") / "out"
    build(str(samples.path()), out, engine="serial")
    return out


@pytest.fixture(scope="session")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same pages, dealt out by another seed: the examples differ, articles and dropped pages do not."""
    out = tmp_path_factory.mktemp("other") / "out"
    build(str(samples.path()), out, engine="serial", seed=7)
    return out


@pytest.fixture(autouse=True)
def client(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The client as a user has it, but it does not wait between its tries, and has no token but the one it is given."""
    disable_progress_bars()
    for module in (_http, file_download):
        monkeypatch.setattr(module, "time", SimpleNamespace(**{**vars(time), "sleep": lambda seconds: None}))
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no-token"))
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def hub() -> Iterator[Hub]:
    with serve() as hub:
        yield hub


@pytest.fixture
def api(hub: Hub) -> HfApi:
    return HfApi(endpoint=hub.url, token=TOKEN)
