"""Training as a whole, by the real trainer: what a kill changes (nothing), what a seed decides, what is recorded, and what has a loss."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from finetune.run import read_json, read_jsonl
from finetune.train import train
from tests.finetune.small import ARTICLES, HELD_OUT, Small, files, settings, write_rows

pytestmark = pytest.mark.filterwarnings("ignore")  # those of torch, transformers, trl and bitsandbytes

REPORTERS = ("tensorboard", "trackio")
# The runs that are killed take twenty seconds between them, most of it for starting a process of its own for each.
with_kills = pytest.mark.slow

ADAPTER = "adapter_model.safetensors"


def quietly(config: Any, out: Path, **options: Any) -> dict[str, Any]:
    return train(config, out, say=None, progress=False, **options)


# --------------------------------------------------------------------------- killed


@pytest.fixture(scope="module")
def killed(small: Small, root: Path) -> dict[str, tuple[Path, list[int]]]:
    """Case -> folder, and how each of its processes ended."""
    watched = small.config(
        eval_data=str(small.held_out),
        lora_dropout=0.1,
        learning_rate=2e-2,
        schedule="cosine",
        batch_size=2,
        gradient_accumulation=2,
        max_steps=8,  # three make an epoch, so no checkpoint falls on the end of one
        eval_steps=4,
        save_steps=0,
    )
    patient = dataclasses.replace(watched, learning_rate=0.1, eval_steps=1, patience=2)
    coarse = dataclasses.replace(watched, adapter_dtype="bfloat16", max_steps=3, eval_steps=2)
    cases: dict[str, tuple[Any, list[tuple[str, int]], bool]] = {
        "whole": (watched, [], True),
        "behind a checkpoint": (watched, [("save", 4)], True),
        "between checkpoints": (watched, [("step", 6)], True),
        "again and again": (watched, [("step", 2), ("save", 4), ("within save", 8), ("end", 0)], True),
        "patient, whole": (patient, [], True),
        "patient, killed": (patient, [("save", 2), ("end", 0)], True),
        "patient, left": (patient, [("save", 2)], False),
        "patient, left when it was over": (patient, [("save", 3)], False),
        "coarse, whole": (coarse, [], True),
        "coarse, killed": (coarse, [("save", 2)], True),
    }
    if reporters := tuple(name for name in REPORTERS if find_spec(name)):
        cases["reported"] = (small.config(report_to=reporters, epochs=1.0), [], True)
    folders = {name: small.folder / "killed" / name for name in cases}
    orders = [
        {"arguments": ["train", "--quiet", "--out", str(folders[name]), *settings(config)], "kills": kills, "finish": finish}
        for name, (config, kills, finish) in cases.items()
    ]
    command = [sys.executable, "-m", "tests.finetune.killed", json.dumps(orders)]
    where = {**os.environ, "TRACKIO_DIR": str(small.folder / "killed" / "trackio")}
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=root, env=where)
    ends = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("[")]
    assert len(ends) == len(cases), done.stderr
    return {name: (folders[name], end) for name, end in zip(cases, ends, strict=True)}


@with_kills
@pytest.mark.parametrize("name", ["behind a checkpoint", "between checkpoints", "again and again"])
def test_a_killed_run_ends_as_if_it_had_not_been_killed(killed: dict[str, tuple[Path, list[int]]], name: str) -> None:
    folder, ends = killed[name]
    assert ends == [-9] * (len(ends) - 1) + [0]
    same_run(folder, killed["whole"][0])


@with_kills
def test_a_killed_run_is_no_less_patient(killed: dict[str, tuple[Path, list[int]]]) -> None:
    whole = killed["patient, whole"][0]
    assert [entry["step"] for entry in read_json(whole / "record.json")["losses"]] == [1, 2, 3]  # of eight: two looks without a lower loss
    assert killed["patient, killed"][1] == [-9, -9, 0]
    same_run(killed["patient, killed"][0], whole)


@with_kills
def test_an_adapter_in_bfloat16_stays_one_when_its_run_goes_on(killed: dict[str, tuple[Path, list[int]]]) -> None:
    assert killed["coarse, killed"][1] == [-9, 0]
    same_run(killed["coarse, killed"][0], killed["coarse, whole"][0])


@with_kills
@pytest.mark.parametrize("name", ["patient, left", "patient, left when it was over"])
def test_a_run_that_was_moved_keeps_its_best_checkpoint(killed: dict[str, tuple[Path, list[int]]], tmp_path: Path, name: str) -> None:
    from finetune.run import read_config

    left = killed[name][0]
    moved = shutil.copytree(left, tmp_path / "moved")
    gone = left.rename(tmp_path / "gone")
    try:
        quietly(read_config(moved), moved)
    finally:
        gone.rename(left)
    same_run(moved, killed["patient, whole"][0])  # whose best is step 1, before the kill


def same_run(one: Path, other: Path) -> None:
    """The same losses step by step, and the same adapter byte for byte."""
    mine, whole = read_json(one / "record.json"), read_json(other / "record.json")
    assert mine["losses"] == whole["losses"]
    assert [mine[name] for name in ("steps", "best_eval_loss", "tokens_seen")] == [
        whole[name] for name in ("steps", "best_eval_loss", "tokens_seen")
    ]
    assert (one / ADAPTER).read_bytes() == (other / ADAPTER).read_bytes()


@with_kills
@pytest.mark.parametrize("what", ["data", "eval_data", "base"])
def test_a_run_goes_on_over_the_same_files_only(killed: dict[str, tuple[Path, list[int]]], small: Small, tmp_path: Path, what: str) -> None:
    from finetune.run import read_config, write_json

    left = shutil.copytree(killed["patient, left"][0], tmp_path / "left")
    copied = tmp_path / f"{what}.jsonl"
    if what == "base":
        shutil.copytree(small.base, copied)
    config = dataclasses.replace(read_config(left), **{what: str(copied)})
    write_json(left / "run.json", {**read_json(left / "run.json"), "config": dataclasses.asdict(config)})
    if what == "base":
        (copied / "model.safetensors").write_bytes((small.other / "model.safetensors").read_bytes())
    else:
        write_rows(copied, {**(ARTICLES if what == "data" else HELD_OUT), "ลิง": "ลิงเป็นสัตว์ที่ชอบปีนต้นไม้"})
    with pytest.raises(ValueError, match=rf"begun with another {what} .*choose another --out") as error:
        quietly(config, left)
    assert "\n" not in str(error.value)


@with_kills
def test_a_finished_run_is_left_as_it_is(killed: dict[str, tuple[Path, list[int]]], monkeypatch: pytest.MonkeyPatch) -> None:
    from finetune.run import read_config

    whole = killed["whole"][0]
    before = files(whole)
    monkeypatch.setattr("finetune.models.load_tokenizer", None)  # nothing is even looked at
    assert quietly(read_config(whole), whole) == read_json(whole / "record.json")
    assert files(whole) == before


# --------------------------------------------------------------------------- seeds


@pytest.fixture(scope="module")
def seeded(small: Small, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Three runs of few steps with dropout: seed 3 twice, and seed 4."""
    folder = tmp_path_factory.mktemp("seeds")
    for name, seed in (("3", 3), ("3 again", 3), ("4", 4)):
        quietly(small.config(seed=seed, lora_dropout=0.1, epochs=1.0), folder / name)
    return {name: folder / name for name in ("3", "3 again", "4")}


def test_the_same_seed_makes_the_same_adapter(seeded: dict[str, Path]) -> None:
    same_run(seeded["3 again"], seeded["3"])


def test_another_seed_makes_another_adapter(seeded: dict[str, Path]) -> None:
    assert (seeded["3"] / ADAPTER).read_bytes() != (seeded["4"] / ADAPTER).read_bytes()


def test_a_seed_decides_how_the_adapter_begins_and_how_the_rows_are_ordered(small: Small, tmp_path: Path) -> None:
    """Another seed without dropout, with all rows in one batch, still begins elsewhere; with a rate near zero it still reads other rows."""
    for seed in (0, 1):
        quietly(small.config(seed=seed, epochs=1.0, batch_size=12), tmp_path / f"one-{seed}")
        quietly(small.config(seed=seed, epochs=1.0, batch_size=1, max_steps=1, learning_rate=1e-9), tmp_path / f"order-{seed}")
    assert (tmp_path / "one-0" / ADAPTER).read_bytes() != (tmp_path / "one-1" / ADAPTER).read_bytes()
    first = [read_json(tmp_path / f"order-{seed}" / "record.json")["losses"][0]["loss"] for seed in (0, 1)]
    assert abs(first[0] - first[1]) > 0.01


# --------------------------------------------------------------------------- held out


@with_kills
def test_the_best_adapter_is_kept(killed: dict[str, tuple[Path, list[int]]]) -> None:
    folder = killed["patient, whole"][0]
    record = read_json(folder / "record.json")
    assert record["best_eval_loss"] == min(entry["eval_loss"] for entry in record["losses"]) == record["losses"][0]["eval_loss"]
    assert (folder / ADAPTER).read_bytes() == (folder / "checkpoint-1" / ADAPTER).read_bytes()
    assert (folder / ADAPTER).read_bytes() != (folder / "checkpoint-3" / ADAPTER).read_bytes()


def test_the_held_out_loss_is_that_of_the_adapter_that_is_kept(small: Small, tmp_path: Path) -> None:
    """Computed again here, from the files alone: mean over the answers' tokens and their stop tokens."""
    config = small.config(eval_data=str(small.held_out), save_steps=0, compute_dtype="float32", quantisation="none")
    record = quietly(config, tmp_path / "run")
    assert loss_of(tmp_path / "run", HELD_OUT) == pytest.approx(record["best_eval_loss"], abs=1e-4)


def test_the_held_out_loss_counts_the_stop_token_in_an_arm_that_does_not_train_it(small: Small, tmp_path: Path) -> None:
    """So that the losses of arms are of one kind."""
    config = small.config(eval_data=str(small.held_out), epochs=1.0, compute_dtype="float32", quantisation="none", train_stop=False)
    record = quietly(config, tmp_path / "run", allow=("stop_trained",))
    assert loss_of(tmp_path / "run", HELD_OUT) == pytest.approx(record["losses"][-1]["eval_loss"], abs=1e-4)


def test_looking_at_held_out_rows_changes_no_step(small: Small, tmp_path: Path) -> None:
    """It did, in silence, with 4-bit weights on a CPU with AVX512-BF16, before the layers were guarded."""
    looks = quietly(small.config(eval_data=str(small.held_out), eval_steps=1), tmp_path / "looks")
    blind = quietly(small.config(), tmp_path / "blind")
    assert [entry["loss"] for entry in looks["losses"]] == [entry["loss"] for entry in blind["losses"]]
    assert (tmp_path / "looks" / ADAPTER).read_bytes() == (tmp_path / "blind" / ADAPTER).read_bytes()
    assert all("eval_loss" in entry for entry in looks["losses"])


@pytest.mark.parametrize(("eval_steps", "save_steps"), [(0, 3), (2, 3)])
def test_checkpoints_between_two_looks_are_refused_before_the_folder_is_taken(
    small: Small, tmp_path: Path, eval_steps: int, save_steps: int
) -> None:
    config = small.config(eval_data=str(small.held_out), eval_steps=eval_steps, save_steps=save_steps)
    with pytest.raises(ValueError, match=rf"^save_steps: {save_steps} with eval_steps {eval_steps} .*multiple"):
        quietly(config, tmp_path / "run")
    assert not files(tmp_path / "run")


def test_a_build_is_watched_by_its_own_validation_split(small: Small, tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from finetune.train import held_out_rows

    (tmp_path / "data").mkdir()
    for split, articles in (("train", ARTICLES), ("validation", HELD_OUT)):
        rows = [{"title": title, "prompt": title, "completion": answer} for title, answer in articles.items()]
        pq.write_table(pa.Table.from_pylist(rows), tmp_path / "data" / f"{split}-00000-of-00001.parquet")
    config = small.config(data=str(tmp_path), eval_data=None)
    assert [row.title for row in held_out_rows(config)] == list(HELD_OUT)
    assert held_out_rows(dataclasses.replace(config, eval_data="")) == []
    assert held_out_rows(small.config(eval_data=None)) == []  # a file of rows has no splits


# --------------------------------------------------------------------------- what has a loss


def loss_of(run: Path, articles: dict[str, str], *, stop: bool = True, prompt: bool = False) -> float:
    """Mean loss of a run's model over the tokens of answers, by torch's own cross entropy."""
    import torch

    from finetune.data import Row, tokenise
    from finetune.generate import load_run
    from tests.finetune.small import asked

    model, tokenizer, _ = load_run(run)
    model.eval()
    total = tokens = 0.0
    for one, answer in zip(asked(tuple(articles)), articles.values(), strict=True):
        row = tokenise(Row(one.turns, answer), tokenizer)
        ids = torch.tensor([row.input_ids])
        begin = 1 if prompt else row.n_prompt
        end = len(row.input_ids) - (not stop)
        with torch.no_grad():
            scores = torch.log_softmax(model(ids).logits[0].float(), dim=-1)
        total -= sum(scores[at - 1, row.input_ids[at]].item() for at in range(begin, end))
        tokens += end - begin
    return total / tokens


@pytest.mark.parametrize("train_stop", [True, False])
def test_the_stop_token_has_a_loss_if_it_is_trained(small: Small, tmp_path: Path, train_stop: bool) -> None:
    article = dict([*ARTICLES.items()][:1])
    config = small.config(
        data=str(write_rows(tmp_path / "one.jsonl", article)),
        train_stop=train_stop,
        max_steps=1,
        learning_rate=1e-12,  # the adapter stays what it was: nothing
        compute_dtype="float32",
        quantisation="none",
    )
    loss = quietly(config, tmp_path / "run", allow=("stop_trained",))["losses"][0]["loss"]
    with_stop, without = (loss_of(tmp_path / "run", article, stop=stop) for stop in (True, False))
    assert abs(with_stop - without) > 0.01  # else this test says nothing
    assert loss == pytest.approx(with_stop if train_stop else without, abs=1e-4)
    assert abs(loss - loss_of(tmp_path / "run", article, prompt=True)) > 0.01  # the prompt has none


def test_a_step_is_the_same_in_one_batch_in_several_and_packed(small: Small, tmp_path: Path) -> None:
    """A mean over tokens, not over rows and then over batches: short answers weigh no more in one than in the other."""
    config = small.config(epochs=1.0, batch_size=12, compute_dtype="float32", learning_rate=1e-3)
    whole = quietly(config, tmp_path / "whole")["losses"]
    for name, changes in {
        "parts": {"batch_size": 3, "gradient_accumulation": 4},
        "packed": {"packing": True, "max_length": 512},
        "again": {"gradient_checkpointing": True},
    }.items():
        other = quietly(dataclasses.replace(config, **changes), tmp_path / name)["losses"]
        assert len(other) == len(whole) == 1
        assert other[0]["loss"] == pytest.approx(whole[0]["loss"], abs=1e-4), name
        assert other[0]["grad_norm"] == pytest.approx(whole[0]["grad_norm"], rel=1e-3), name


def test_a_step_too_small_for_bfloat16_is_taken(small: Small, tmp_path: Path) -> None:
    from safetensors.torch import load_file

    def moved(name: str, **changes: Any) -> float:
        """The share of the weights that lie elsewhere after three steps."""
        for rate in (1e-12, 1e-5):
            quietly(small.config(max_steps=3, learning_rate=rate, **changes), tmp_path / f"{name}-{rate}")
        before, after = (load_file(tmp_path / f"{name}-{rate}" / ADAPTER) for rate in (1e-12, 1e-5))
        first = [weights for weights in before if "lora_A" in weights]
        return sum((before[name] != after[name]).float().mean().item() for name in first) / len(first)

    assert moved("coarse", adapter_dtype="bfloat16") < 0.2
    assert moved("fine") > 0.9


# --------------------------------------------------------------------------- what is written


@pytest.fixture(scope="module")
def asked_for(small: Small, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with a row that is too long, by four bits."""
    folder = tmp_path_factory.mktemp("written")
    data = write_rows(folder / "rows.jsonl", {**ARTICLES, "ยาว": "ยาวมาก" + " ยาวกว่านั้นอีก" * 80 + "จบ"})
    quietly(small.config(data=str(data), seed=5, eval_data=str(small.held_out), double_quant=False), folder / "run")
    return folder / "run"


def test_what_was_asked_for_and_what_was_in_memory_is_recorded(asked_for: Path, small: Small) -> None:
    from importlib.metadata import version

    from finetune.models import fingerprint
    from finetune.run import read_config

    about = read_json(asked_for / "run.json")
    assert read_config(asked_for).seed == about["config"]["seed"] == 5
    assert about["versions"] == {
        name: version(name)
        for name in ("torch", "transformers", "trl", "peft", "bitsandbytes", "accelerate", "datasets", "tokenizers")
    }  # fmt: skip
    assert about["device"] == "cpu"
    assert about["quantisation"] == {"quantisation": "nf4", "double_quant": False, "compute_dtype": "bfloat16", "layers": {"nf4": 14}}
    assert about["base_fingerprint"] == fingerprint(str(small.base))
    assert about["data"]["titles"] == sorted(ARTICLES)
    assert about["data"]["left_out"] == {"too_long": 1}
    assert about["data"]["rows"] == len(ARTICLES)
    assert about["data"]["fingerprint"] != about["eval_data"]["fingerprint"]
    assert about["eval_data"]["rows"] == len(HELD_OUT)


def test_losses_speed_memory_and_time_are_recorded(asked_for: Path) -> None:
    record = read_json(asked_for / "record.json")
    assert [entry["step"] for entry in record["losses"]] == [1, 2, 3, 4]
    assert all(entry["loss"] > 0 and entry["grad_norm"] > 0 and entry["learning_rate"] == 5e-3 for entry in record["losses"])
    assert ["eval_loss" in entry for entry in record["losses"]] == [False, True, False, True]  # at the end of each epoch
    assert record["steps"] == 4
    assert record["resumed"] is False
    data = read_json(asked_for / "run.json")["data"]
    assert record["tokens_seen"] == 2 * data["tokens"]["total"]  # two epochs, padding not counted
    assert record["tokens_per_second"] == pytest.approx(record["tokens_seen"] / record["seconds"])
    assert record["trained_tokens"] == data["trained_tokens"]
    assert 50e6 < record["peak_memory_bytes"] < 64e9


def test_what_was_trained_on_is_written_for_the_same_measures(asked_for: Path) -> None:
    rows = read_jsonl(asked_for / "training_answers.jsonl")
    assert {row["title"]: row["answer"] for row in rows} == ARTICLES  # without the row that was left out
    assert sum(row["n_tokens"] for row in rows) == read_json(asked_for / "run.json")["data"]["answer_tokens"]["total"]


def test_the_curve_is_a_picture_of_both_losses(asked_for: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib draws the curve")
    root = ElementTree.parse(asked_for / "loss.svg").getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    said = " ".join(root.itertext())
    assert all(words in said for words in ("training, each step", "held out", "optimizer step", "loss, nats per trained token"))


def test_the_tokenizer_lies_beside_the_adapter_with_its_template(asked_for: Path) -> None:
    from transformers import AutoTokenizer

    from finetune.models import TEMPLATES

    assert AutoTokenizer.from_pretrained(asked_for).chat_template == (TEMPLATES / "mistral.jinja").read_text("utf-8")


@with_kills
@pytest.mark.parametrize("name", REPORTERS)
def test_a_run_is_reported_on_this_machine(killed: dict[str, tuple[Path, list[int]]], name: str) -> None:
    pytest.importorskip(name, reason=f"{name} is not installed")
    run, ends = killed["reported"]
    assert ends == [0]
    written = files(run / "runs" if name == "tensorboard" else run.parent / "trackio")
    assert any(b"train/loss" in data for data in written.values()), list(written)


# --------------------------------------------------------------------------- at the door


def test_bad_data_is_refused_before_any_weight_is_read(small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def load_model(config: Any) -> Any:
        raise AssertionError("the weights are read")

    monkeypatch.setattr("finetune.models.load_model", load_model)
    dirty = {title: f"{answer}\\n" for title, answer in ARTICLES.items()}  # a backslash and an n, as the starting project wrote it
    config = small.config(data=str(write_rows(tmp_path / "dirty.jsonl", dirty)))
    with pytest.raises(ValueError, match=r"^preflight: escapes: ") as error:
        quietly(config, tmp_path / "run")
    assert "\n" not in str(error.value)
    assert not files(tmp_path / "run")
    with pytest.raises(AssertionError, match="the weights are read"):
        quietly(config, tmp_path / "run", allow=("escapes",))


def test_a_run_that_does_not_fit_is_refused_before_any_weight_is_read(
    small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("finetune.models.load_model", None)
    monkeypatch.setattr("finetune.memory.free_memory", lambda device: 1000)
    with pytest.raises(ValueError, match=r"the run needs about .* free on this machine"):
        quietly(small.config(), tmp_path / "run")
    assert not files(tmp_path / "run")


def test_warnings_and_the_estimate_are_said(small: Small, tmp_path: Path) -> None:
    said: list[str] = []
    train(small.config(max_steps=1), tmp_path / "run", say=said.append, progress=False)
    assert said[0].startswith("warning: held_out: ")
    assert said[-1].startswith("memory: about ")
