"""The examples in the docstrings run as they stand."""

from __future__ import annotations

import doctest
from importlib import import_module

import pytest

pytest.importorskip("pythainlp", reason="pythainlp is not installed")
pytest.importorskip("scipy", reason="scipy is not installed")


@pytest.mark.parametrize("name", ["bootstrap", "comparison_charts", "comparison_text", "measure"])
def test_examples_run(name: str) -> None:
    found = doctest.testmod(import_module(f"finetune.{name}"))
    assert found.attempted
    assert not found.failed
