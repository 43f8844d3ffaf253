"""The compiled wheel does what the source does: the same edits and tokens of every text, the same errors, and it can be sent to other processes."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings

import thaiwiki_clean as tw
from thaiwiki_clean.newmm import Newmm
from thaiwiki_clean.testing import rough_text

_ASK = """
import json, pickle, sys
import thaiwiki_clean as tw
from thaiwiki_clean.readers.wikitext import extract
from thaiwiki_clean.newmm import Newmm
from thaiwiki_clean.rules import lists

dictionary, texts = json.load(sys.stdin)
segmenter = Newmm(dictionary)
try:
    tw.explain(b"x")
except TypeError as error:
    refusal = str(error)
json.dump({
    "compiled": not lists.__file__.endswith(".py"),
    "edits": [tw.explain(text).edits for text in texts],
    "tokens": [segmenter.segment(line) for text in texts for line in text.split("\\n")],
    "extracted": [extract(text).text for text in texts],
    "refusal": refusal,
    "sent": pickle.loads(pickle.dumps(tw.Cleaner())) == tw.Cleaner(),
}, sys.stdout)
"""


def texts(root: Path) -> list[str]:
    drawn: list[str] = []

    @settings(max_examples=3000, derandomize=True, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(rough_text())
    def draw(text: str) -> None:
        drawn.append(text)

    draw()
    sample = (root / "thaiwiki_clean" / "samples" / "pages.jsonl").read_text("utf-8").splitlines()
    pages = [page for line in sample if isinstance(page := json.loads(line).get("text"), str)]
    return [*pages, "\n".join(pages), *drawn]


def words(root: Path) -> list[str]:
    """A dictionary of what stands between blanks in the sample, and of its beginnings: most places are the end of several words."""
    pages = (root / "thaiwiki_clean" / "samples" / "pages.jsonl").read_text("utf-8")
    return sorted({run[i : i + n] for run in pages.split() for i in range(0, len(run), 3) for n in (1, 2, 3, 5, 8)})


def extensions(root: Path) -> set[Path]:
    return {*root.glob("*.so"), *(root / "thaiwiki_clean").rglob("*.so")}


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that a compiled wheel unpacks to."""
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")[0]
    if shutil.which(compiler) is None or not Path(sysconfig.get_paths()["include"], "Python.h").is_file():
        pytest.skip(f"no C compiler ({compiler}), or no Python.h")
    folder = tmp_path_factory.mktemp("wheel")
    there = extensions(root)
    env = {**os.environ, "HATCH_BUILD_HOOK_ENABLE_CUSTOM": "1", "THAIWIKI_OPT_LEVEL": "0"}
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(root)]
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert extensions(root) == there, "an extension beside its source would go on being imported"
    (built,) = folder.glob("*.whl")
    assert "none-any" not in built.name
    with zipfile.ZipFile(built) as packed:
        packed.extractall(folder / "site")
    return folder / "site"


@pytest.mark.slow  # a C compiler at work: half a minute
def test_compiled_and_source_give_the_same(wheel: Path, root: Path) -> None:
    asked, dictionary = texts(root), words(root)
    env = {**os.environ, "PYTHONPATH": str(wheel)}
    done = subprocess.run(
        [sys.executable, "-c", _ASK], input=json.dumps([dictionary, asked]), env=env, cwd=wheel, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    came = json.loads(done.stdout)
    assert came["compiled"]
    assert came["sent"]
    from thaiwiki_clean.readers.wikitext import extract

    for text, edits, extracted in zip(asked, came["edits"], came["extracted"], strict=True):
        assert [tuple(edit) for edit in edits] == [tuple(edit) for edit in tw.explain(text).edits], text
        assert extracted == extract(text).text, text
    segmenter = Newmm(dictionary)
    for line, tokens in zip((line for text in asked for line in text.split("\n")), came["tokens"], strict=True):
        assert tokens == segmenter.segment(line), line
    with pytest.raises(TypeError) as refused:
        tw.explain(b"x")  # type: ignore[arg-type]
    assert came["refusal"] == str(refused.value)
