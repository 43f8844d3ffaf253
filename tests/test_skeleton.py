"""The repository itself: what installs, what is imported, what a newcomer is told."""

from __future__ import annotations

import ast
import doctest
import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import regex

import thaiwiki_clean as tw
from thaiwiki_clean import samples

ROOT = Path(__file__).resolve().parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
HEAVY = ("torch", "datasets", "pandas", "pythainlp", "pyarrow", "nlpo3", "huggingface_hub", "transformers", "matplotlib")


def python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT).stdout


def imports(path: Path) -> set[str]:
    """Every module that the file names in an import, wherever it stands."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def test_import_is_light() -> None:
    loaded = python(f"import sys, thaiwiki_clean; print(*[m for m in {HEAVY!r} if m in sys.modules])")
    assert loaded.split() == []


@pytest.mark.skipif(shutil.which("git") is None or not (ROOT / ".git").exists(), reason="no git checkout: what is ignored cannot be asked")
def test_nothing_that_is_built_is_tracked() -> None:
    tracked = subprocess.run(["git", "ls-files"], capture_output=True, text=True, check=True, cwd=ROOT).stdout.split("\n")
    assert [name for name in tracked if regex.match(r"(\.venv|demo-out|site|build|dist)/", name)] == []


def test_the_package_does_not_know_the_training_side() -> None:
    files = sorted((ROOT / "thaiwiki_clean").rglob("*.py"))
    assert [str(path) for path in files if any(name.split(".")[0] == "finetune" for name in imports(path))] == []


@pytest.mark.parametrize("module", ["thaiwiki_clean/edits.py", "thaiwiki_clean/reasons.py"], ids=["edits", "reasons"])
def test_the_lowest_modules_import_nothing_of_the_package(module: str) -> None:
    assert [name for name in imports(ROOT / module) if name.startswith("thaiwiki_clean")] == []


def test_rules_know_nothing_of_the_flow() -> None:
    allowed = {"edits", "markup", "reasons", "rules", "vocabulary"}
    names = {name for path in (ROOT / "thaiwiki_clean/rules").rglob("*.py") for name in imports(path) if name.startswith("thaiwiki_clean.")}
    assert {name.split(".")[1] for name in names} - allowed == set()


def test_the_demo_takes_extras_that_exist_and_none_with_torch() -> None:
    extras = PYPROJECT["project"]["optional-dependencies"]
    chosen = regex.search(r"(?m)^EXTRAS := (\S+)$", MAKEFILE)[1].split(",")  # type: ignore[index]
    assert set(chosen) <= set(extras)
    assert [need for name in chosen for need in extras[name] if regex.match(r"torch|transformers|trl|peft|accelerate", need)] == []


def test_every_make_target_is_described() -> None:
    targets = regex.search(r"(?m)^\.PHONY: (.+)$", MAKEFILE)[1].split()  # type: ignore[index]
    assert [name for name in targets if not regex.search(rf"(?m)^{name}:.*  ## \S", MAKEFILE)] == []


def test_ci_runs_the_checks_and_the_tests() -> None:
    script = ROOT / ".ci/run"
    assert os.access(script, os.X_OK)
    assert regex.findall(r"(?m)^make (\w+)$", script.read_text(encoding="utf-8")) == ["check", "test"]


def test_the_licence_is_apache_2_whole() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Version 2.0, January 2004" in text
    assert "limitations under the License." in text
    assert PYPROJECT["project"]["license"] == "Apache-2.0"


def test_readme_names_make_targets_and_links_to_files_that_exist() -> None:
    missing = []
    for name in ["README.md", "CONTRIBUTING.md", "thaiwiki_clean/samples/README.md"]:
        text = (ROOT / name).read_text(encoding="utf-8")
        links = regex.findall(r"\]\(([^)#]+)\)", text)
        missing += [link for link in links if "://" not in link and not ((ROOT / name).parent / link).exists()]
        missing += [target for target in regex.findall(r"\bmake ([a-z]+)\b`", text) if f"\n{target}:" not in MAKEFILE]
    assert missing == []


def test_readme_examples_run() -> None:
    outcome = doctest.testfile(str(ROOT / "README.md"), module_relative=False)
    assert outcome.attempted > 0
    assert outcome.failed == 0


def test_readme_shows_what_really_comes_out() -> None:
    """The page named in the command of the README, in its two blocks of text; ``UPDATE_PAGES=1`` writes them anew, to be read in the diff."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    title = regex.search(r"explain --title (\S+)", readme)[1]  # type: ignore[index]
    rows = [json.loads(line) for line in samples.path().read_text(encoding="utf-8").split("\n") if line]
    page = tw.explain(next(row["text"] for row in rows if row["title"] == title))
    blocks = iter([page.marked(), page.text])
    now = regex.sub(r"(?s)(?<=```text\n).*?(?=\n```)", lambda _: next(blocks), readme)
    assert next(blocks, None) is None
    if os.environ.get("UPDATE_PAGES"):
        (ROOT / "README.md").write_text(now, encoding="utf-8", newline="\n")
    else:
        assert now == readme
