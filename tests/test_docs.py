"""The documents: their code runs, their links lead somewhere, and the index knows every page."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest
import regex

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted((ROOT / "docs").rglob("*.md"))
IDS = [str(page.relative_to(ROOT / "docs")) for page in PAGES]


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_fenced_examples_run(page: Path) -> None:
    outcome = doctest.testfile(str(page), module_relative=False)
    assert outcome.failed == 0


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_relative_links_lead_to_a_file(page: Path) -> None:
    targets = regex.findall(r"\]\((?!https?://|#|mailto:)([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_the_index_names_every_page() -> None:
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    assert [name for name in IDS if name != "index.md" and f"({name})" not in index] == []


def test_python_blocks_parse() -> None:
    broken = []
    for page in PAGES:
        for block in regex.findall(r"(?ms)^```python\n(.*?)^```", page.read_text(encoding="utf-8")):
            if ">>>" not in block:
                try:
                    compile(block, str(page), "exec")
                except SyntaxError as error:
                    broken.append(f"{page.name}: {error}")
    assert broken == []
