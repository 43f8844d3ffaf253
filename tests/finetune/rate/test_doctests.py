"""The examples in the docstrings run as they stand."""

from __future__ import annotations

import doctest
from importlib import import_module

import pytest

NEEDS = {"guard": "starlette", "stats": "scipy"}


@pytest.mark.parametrize("name", ["fold", "generations", "guard", "plan", "stats"])
def test_examples_run(name: str) -> None:
    if name in NEEDS:
        pytest.importorskip(NEEDS[name], reason=f"{NEEDS[name]} is not installed")
    found = doctest.testmod(import_module(f"finetune.rate.{name}"))
    assert found.attempted
    assert not found.failed
