"""Floors of accuracy on the labelled pages: the bounds that the rules were accepted by. ``benchmarks/accuracy.py`` prints them all."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

BENCHMARK = Path(__file__).resolve().parent.parent / "benchmarks" / "accuracy.py"


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("accuracy", BENCHMARK)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


accuracy = load()
GOLD = [pytest.param(target, id=target.key) for target in accuracy.GOLD_TARGETS]
REAL = [pytest.param(target, id=target.key) for target in accuracy.REAL_TARGETS]


def figures(shared: Path, name: str) -> dict[str, Any]:
    path = shared / "data" / name
    if not path.exists():
        pytest.skip(f"no {path}: the labelled pages are no part of the repository")
    score: dict[str, Any] = accuracy.score(accuracy.rows(path))
    return score


@pytest.fixture(scope="module")
def gold(shared: Path) -> dict[str, Any]:
    return figures(shared, "gold_dev.jsonl")


@pytest.fixture(scope="module")
def real(shared: Path) -> dict[str, Any]:
    return figures(shared, "real_dev.jsonl")


@pytest.mark.parametrize("target", GOLD)
def test_gold_pages_come_out_as_well_as_was_asked(target, gold: dict[str, Any]) -> None:
    assert target.reached(gold[target.key]), f"{target.name}: {gold[target.key]}, wanted {target.bound}"


@pytest.mark.parametrize("target", REAL)
def test_real_pages_come_out_as_well_as_was_asked(target, real: dict[str, Any]) -> None:
    assert target.reached(real[target.key]), f"{target.name}: {real[target.key]}, wanted {target.bound}"


@pytest.mark.parametrize(("value", "reached"), [(0.9, True), (0.89, False), (1.0, True), (0.0, False)])
def test_a_floor_is_a_floor(value: float, reached: bool) -> None:
    assert accuracy.Target("", "", 0.9, True).reached(value) is reached


@pytest.mark.parametrize(("value", "reached"), [(0.1, True), (0.11, False), (0.0, True)])
def test_a_ceiling_is_a_ceiling(value: float, reached: bool) -> None:
    assert accuracy.Target("", "", 0.1, False).reached(value) is reached


def test_cleaner_gives_nothing_for_a_page_that_falls() -> None:
    assert accuracy.cleaner("redirect ผำ") == ""


def test_cleaner_gives_the_clean_text_of_a_page_that_stays() -> None:
    page = "แมวเป็นสัตว์เลี้ยงลูกด้วยนมขนาดเล็กที่มนุษย์เลี้ยงไว้ในบ้านมานานหลายพันปี"
    assert accuracy.cleaner(f"{page} [1]\n== ดูเพิ่ม ==\nเสือ") == page


def test_missing_pages_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THAIWIKI_SHARED", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["accuracy.py"])
    with pytest.raises(SystemExit, match=r"^no labelled pages at .*gold_dev.jsonl: .* THAIWIKI_SHARED$"):
        accuracy.main()


def test_a_missing_scorer_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THAIWIKI_SHARED", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"^no scorer at .*score_cleaner.py: .* THAIWIKI_SHARED$"):
        accuracy.scorer()
