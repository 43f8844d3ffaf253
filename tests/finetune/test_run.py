"""The folder of a run: whose it is, when it is done, and that no half file is ever in it. The curve beside it."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from finetune.config import Config
from finetune.curve import loss_curve
from finetune.run import about, claim, finished, read_config, read_json, read_jsonl, versions, write_json, write_jsonl
from tests.finetune.small import files

CONFIG = Config(base="bases/mine", data="rows.jsonl", report_to=("wandb",), lora_targets=("q_proj", "v_proj"))


def run_of(config: Config, folder: Path) -> Path:
    from finetune.config import to_dict

    write_json(folder / "run.json", {"config": to_dict(config), "seed": config.seed})
    return folder


# --------------------------------------------------------------------------- whose it is


def test_a_new_folder_is_made_with_those_above_it(tmp_path: Path) -> None:
    claim(tmp_path / "runs" / "one", CONFIG)
    assert (tmp_path / "runs" / "one").is_dir()


@pytest.mark.parametrize(
    "there",
    [{}, {"answers/greedy.jsonl": "{}\n"}, {"run.json": "", "checkpoint-4/x": "1", "adapter_config.json": "{}"}],
    ids=["empty", "answers of the base", "the same run"],
)
def test_a_folder_that_is_free_or_this_runs_own_is_taken(tmp_path: Path, there: dict[str, str]) -> None:
    for name, text in there.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    if "run.json" in there:
        run_of(CONFIG, tmp_path)
    before = files(tmp_path)
    claim(tmp_path, CONFIG)
    assert files(tmp_path) == before


@pytest.mark.parametrize(
    ("field", "value"),
    [("seed", 1), ("data", "other.jsonl"), ("lora_targets", "all-linear"), ("train_stop", False), ("learning_rate", 1e-3)],
)
def test_another_run_is_refused_by_the_name_of_what_differs(tmp_path: Path, field: str, value: object) -> None:
    before = files(run_of(CONFIG, tmp_path))
    with pytest.raises(ValueError, match=rf"holds a run with {field}=.*choose another --out") as error:
        claim(tmp_path, dataclasses.replace(CONFIG, **{field: value}))
    assert repr(list(value) if isinstance(value, tuple) else value) in str(error.value)
    assert files(tmp_path) == before


@pytest.mark.parametrize("name", ["thesis.txt", "adapter_model.safetensors", "config.json", ".hidden"])
def test_a_folder_with_files_of_somebodys_own_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine", "utf-8")
    with pytest.raises(ValueError, match=r"no run of ours and is not empty; choose another --out"):
        claim(tmp_path, CONFIG)
    assert files(tmp_path) == {name: b"mine"}


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("mine", "utf-8")
    with pytest.raises(ValueError, match=r"run is a file, and a run is a folder; choose another --out"):
        claim(tmp_path / "run", CONFIG)


# --------------------------------------------------------------------------- how it is read


def test_the_configuration_is_read_as_it_was_written(tmp_path: Path) -> None:
    assert read_config(run_of(CONFIG, tmp_path)) == CONFIG
    assert about(tmp_path)["seed"] == 0


@pytest.mark.parametrize("there", [None, "run.json"], ids=["nothing", "a folder of that name"])
def test_a_folder_without_a_run_is_said_so(tmp_path: Path, there: str | None) -> None:
    if there:
        (tmp_path / there).mkdir()
    with pytest.raises(ValueError, match=r"no run.json, so this is no run of `finetune train`; name the folder that --out named"):
        read_config(tmp_path)


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"config": 3}'])
def test_a_broken_record_of_a_run_is_one_line_that_names_it(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.json").write_text(text, "utf-8")
    with pytest.raises(ValueError, match=r"run\.json") as error:
        read_config(tmp_path)
    assert "\n" not in str(error.value)


def test_a_run_is_finished_when_its_record_is_there(tmp_path: Path) -> None:
    assert not finished(run_of(CONFIG, tmp_path))
    write_json(tmp_path / "record.json", {})
    assert finished(tmp_path)


def test_versions_are_those_that_are_installed() -> None:
    from importlib.metadata import version

    found = versions()
    assert all(version(name) == said for name, said in found.items())
    assert "numpy" not in found  # only what has a hand in the numbers


# --------------------------------------------------------------------------- how it is written


def test_thai_is_written_as_thai_and_read_again(tmp_path: Path) -> None:
    rows = [{"answer": "แมว\nบรรทัดที่สอง\u2028บรรทัดที่สาม"}, {"answer": "𝄞\u200b"}, {}]
    write_jsonl(tmp_path / "deep" / "rows.jsonl", rows)
    assert read_jsonl(tmp_path / "deep" / "rows.jsonl") == rows
    assert "แมว" in (tmp_path / "deep" / "rows.jsonl").read_text("utf-8")
    write_json(tmp_path / "one.json", rows[0])
    assert read_json(tmp_path / "one.json") == rows[0]


@pytest.mark.parametrize("write", [write_json, lambda path, value: write_jsonl(path, [value])], ids=["json", "jsonl"])
def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path, write: object, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "one", {"value": 1})  # type: ignore[operator]
    before = (tmp_path / "one").read_bytes()

    def killed(source: Path, target: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "one", {"value": 2})  # type: ignore[operator]
    assert (tmp_path / "one").read_bytes() == before


def test_what_cannot_be_written_leaves_the_old_file(tmp_path: Path) -> None:
    write_json(tmp_path / "one", {"value": 1})
    with pytest.raises(TypeError):
        write_json(tmp_path / "one", {"value": {1, 2}})
    assert json.loads((tmp_path / "one").read_text("utf-8")) == {"value": 1}


# --------------------------------------------------------------------------- the curve


LOSSES = [{"step": 1, "loss": 2.0}, {"step": 2, "loss": 1.5, "eval_loss": 1.75}, {"step": 3, "eval_loss": 1.7}]


@pytest.mark.parametrize(
    ("losses", "drawn"), [(LOSSES, 2), (LOSSES[:1], 1), (LOSSES[2:], 1), ([], 0)], ids=["both", "training", "held out", "none"]
)
@pytest.mark.filterwarnings("ignore")  # matplotlib's own
def test_a_curve_is_drawn_for_each_loss_there_is(tmp_path: Path, losses: list[dict[str, float]], drawn: int) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib draws the curve")
    loss_curve(losses, tmp_path / "loss.svg")
    said = " ".join(ElementTree.parse(tmp_path / "loss.svg").getroot().itertext())
    assert ("training, each step" in said) + ("held out" in said) == drawn


@pytest.mark.filterwarnings("ignore")
def test_the_same_losses_are_the_same_bytes(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib draws the curve")
    for name in ("a", "b"):
        loss_curve(LOSSES, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_without_matplotlib_there_is_no_curve_and_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    loss_curve(LOSSES, tmp_path / "loss.svg")
    assert not (tmp_path / "loss.svg").exists()
