"""What may not differ: one test for each, and its message names the field and both values."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pythainlp", reason="pythainlp is not installed")
pytest.importorskip("scipy", reason="scipy is not installed")

from finetune.compare import compare
from finetune.comparison import Comparison, Contrast

Maker = Callable[..., Path]
Alter = Callable[..., None]


def raw_and_clean(runs: list[Path], **more: Any) -> Comparison:
    return compare(runs, **({"headline": ("raw", "clean"), "draws": 200} | more))


def test_arms_that_differ_in_their_data_alone_are_compared(fake: Maker) -> None:
    found = raw_and_clean([fake("raw"), fake("clean")])
    assert [(d.field, d.a, d.b) for d in found.headline.differs] == [("data", "raw.jsonl", "clean.jsonl")]


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("learning_rate", 0.001, r"learning_rate: 0\.0002 in raw, 0\.001 in clean"),
        ("lora_r", 8, "lora_r: 16 in raw, 8 in clean"),
        ("epochs", 3.0, r"epochs: 1\.0 in raw, 3\.0 in clean"),
        ("max_steps", 40, "max_steps: -1 in raw, 40 in clean"),
        ("batch_size", 2, "batch_size: 8 in raw, 2 in clean"),
        ("max_length", 512, "max_length: 1024 in raw, 512 in clean"),
        ("packing", True, "packing: False in raw, True in clean"),
        ("eval_data", "other.jsonl", r"eval_data: 'held-out\.jsonl' in raw, 'other\.jsonl' in clean"),
        ("quantisation", "none", "quantisation: 'nf4' in raw, 'none' in clean"),
        ("train_stop", False, "train_stop: True in raw, False in clean"),
    ],
)
def test_a_configuration_that_differs_beside_the_dial_is_refused(fake: Maker, field: str, value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message + r"; raw − clean may differ in data alone"):
        raw_and_clean([fake("raw"), fake("clean", **{field: value})])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"base_fingerprint": "0ff"}, "base_fingerprint: '0ff' in clean-0, 'b45e' in raw-0"),
        ({"versions__trl": "1.15.0"}, r"versions\.trl: '1\.15\.0' in clean-0, '1\.16\.0' in raw-0"),
        ({"quantisation__double_quant": False}, r"^quantisation\.double_quant: False in clean-0, True in raw-0"),
        ({"device": "NVIDIA A100"}, "device: 'NVIDIA A100' in clean-0, 'cpu' in raw-0"),
    ],
)
def test_what_was_in_memory_may_not_differ(fake: Maker, alter: Alter, values: dict[str, Any], message: str) -> None:
    runs = [fake("raw"), fake("clean")]
    alter(runs[1] / "run.json", **values)
    how = {name: value for name, value in values.items() if name.split("__")[0] in ("base_fingerprint", "quantisation")}
    alter(runs[1] / "answers/greedy.json", **how)
    with pytest.raises(ValueError, match=message):
        raw_and_clean(runs)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"repetition_penalty": 1.1}, r"greedy\.repetition_penalty: 1\.1 in clean-0, 1\.0 in raw-0"),
        ({"max_new_tokens": 200}, r"greedy\.max_new_tokens: 200 in clean-0, 512 in raw-0"),
        ({"temperature": 0.7}, r"greedy\.temperature: 0\.7 in clean-0, 1\.0 in raw-0"),
        ({"do_sample": True}, r"greedy\.do_sample: True in clean-0, False in raw-0"),
        ({"seed": 3}, r"greedy\.seed: 3 in clean-0, 0 in raw-0"),
        ({"top_k": 50}, r"greedy\.top_k: 50 in clean-0, None in raw-0"),
    ],
)
def test_answers_are_drawn_alike(fake: Maker, alter: Alter, values: dict[str, Any], message: str) -> None:
    runs = [fake("raw"), fake("clean")]
    alter(runs[1] / "answers/greedy.json", **values)
    with pytest.raises(ValueError, match=message):
        raw_and_clean(runs)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"base_fingerprint": "0ff"}, r"base_fingerprint is 'b45e' in run\.json, '0ff' in answers/greedy\.json"),
        (
            {"quantisation": {"quant_type": "none"}},
            r'quantisation is \{"double_quant": true, "quant_type": "nf4"\} in run\.json, \{"quant_type": "none"\}',
        ),
    ],
)
def test_answers_of_another_base_than_the_trained_one_are_refused(fake: Maker, alter: Alter, values: dict[str, Any], message: str) -> None:
    runs = [fake("raw"), fake("clean")]
    alter(runs[0] / "answers/greedy.json", **values)
    with pytest.raises(ValueError, match=message):
        raw_and_clean(runs)


# ---- prompts


def rewrite(path: Path, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> None:
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in change(rows)), encoding="utf-8")


def test_a_prompt_that_one_run_lacks_is_named(fake: Maker) -> None:
    runs = [fake("raw"), fake("clean")]
    rewrite(runs[1] / "answers/greedy.jsonl", lambda rows: rows[:-1])
    with pytest.raises(ValueError, match="prompts: 'p-011' is answered in raw-0, not in clean-0"):
        raw_and_clean(runs)


def test_a_prompt_with_other_words_is_named(fake: Maker) -> None:
    runs = [fake("raw"), fake("clean")]
    rewrite(runs[1] / "answers/greedy.jsonl", lambda rows: [rows[0] | {"prompt": "แมวคืออะไร"}, *rows[1:]])
    with pytest.raises(ValueError, match=r"prompts: 'p-000' asks 'แมวคืออะไร' in clean-0, 'อธิบาย.*' in raw-0"):
        raw_and_clean(runs)


def test_a_prompt_that_stands_twice_is_named(fake: Maker) -> None:
    runs = [fake("raw"), fake("clean")]
    rewrite(runs[1] / "answers/greedy.jsonl", lambda rows: [*rows, rows[0]])
    with pytest.raises(ValueError, match=r"greedy\.jsonl:13: prompt_id 'p-000' stands twice"):
        raw_and_clean(runs)


def test_an_answer_without_a_prompt_id_is_named(fake: Maker) -> None:
    runs = [fake("raw"), fake("clean")]
    rewrite(runs[1] / "answers/greedy.jsonl", lambda rows: [{"answer": "แมว"}, *rows[1:]])
    with pytest.raises(ValueError, match=r"greedy\.jsonl:1: prompt_id '' is missing"):
        raw_and_clean(runs)


def test_the_order_of_the_answers_does_not_matter(fake: Maker) -> None:
    runs = [fake("raw"), fake("clean")]
    before = raw_and_clean(runs).headline.effects
    rewrite(runs[1] / "answers/greedy.jsonl", lambda rows: rows[::-1])
    assert raw_and_clean(runs).headline.effects == before


def test_a_setting_that_one_run_lacks_is_named(fake: Maker) -> None:
    runs = [fake("raw", settings=("greedy", "sampled")), fake("clean")]
    with pytest.raises(ValueError, match=r"answers/sampled\.jsonl: in raw-0, not in clean-0"):
        raw_and_clean(runs)
    assert raw_and_clean(runs, settings=["greedy"]).setting == "greedy"


def test_a_setting_that_no_run_has_is_named(fake: Maker) -> None:
    with pytest.raises(ValueError, match="no answers in the setting 'beam'"):
        raw_and_clean([fake("raw"), fake("clean")], settings=["greedy", "beam"])


def test_a_title_that_was_trained_on_may_not_be_asked_for(fake: Maker) -> None:
    runs = [fake("raw"), fake("clean")]
    rewrite(runs[1] / "training_answers.jsonl", lambda rows: [rows[0] | {"title": "  ดาวอังคาร "}, *rows[1:]])
    with pytest.raises(ValueError, match="1 titles that are asked for stand among its training titles, 'ดาวอังคาร' is one"):
        raw_and_clean(runs)


def test_training_titles_are_also_those_of_the_record(fake: Maker, alter: Alter) -> None:
    runs = [fake("raw"), fake("clean")]
    alter(runs[0] / "run.json", data__titles=["พริก"])
    with pytest.raises(ValueError, match="'พริก' is one"):
        raw_and_clean(runs)


# ---- seeds and arms


def test_a_missing_seed_is_named(fake: Maker) -> None:
    runs = [fake("raw", 0), fake("raw", 1), fake("clean", 0)]
    with pytest.raises(ValueError, match=r"seed: raw − clean needs \[0, 1\], arm 'clean' has \[0\], without 1"):
        raw_and_clean(runs)


def test_seeds_that_a_contrast_names_are_compared(fake: Maker) -> None:
    runs = [fake("raw", 0), fake("raw", 1), fake("clean", 0)]
    found = raw_and_clean(runs, contrasts=[Contrast("raw", "clean", seeds=(0,))])
    assert found.headline.seeds == (0,)
    assert found.headline.effects["greedy"]["mass"].n_seeds == 1


def test_one_run_given_twice_is_named(fake: Maker) -> None:
    run = fake("raw")
    with pytest.raises(ValueError, match="are both arm 'raw', seed 0"):
        raw_and_clean([run, run, fake("clean")])


def test_runs_of_one_arm_differ_in_the_seed_alone(fake: Maker) -> None:
    runs = [fake("raw", 0), fake("raw", 1, data="raw-2.jsonl"), fake("clean", 0), fake("clean", 1)]
    with pytest.raises(
        ValueError, match=r"arm 'raw': its runs may differ in the seed alone, found data: 'raw\.jsonl' in raw-0, 'raw-2\.jsonl' in raw-1"
    ):
        raw_and_clean(runs)


def test_the_same_rows_in_another_place_are_the_same_data(fake: Maker, alter: Alter) -> None:
    runs = [fake("raw", 0), fake("raw", 1), fake("clean", 0), fake("clean", 1)]
    alter(runs[1] / "run.json", config__data="/elsewhere/raw.jsonl")
    assert raw_and_clean(runs).headline.seeds == (0, 1)


def test_other_rows_in_the_same_place_are_other_data(fake: Maker, alter: Alter) -> None:
    runs = [fake("raw", 0), fake("raw", 1), fake("clean", 0), fake("clean", 1)]
    alter(runs[1] / "run.json", data__fingerprint="77")
    with pytest.raises(ValueError, match=r"found data: 'raw\.jsonl' in raw-0, '77' in raw-1"):
        raw_and_clean(runs)


def test_an_arm_that_there_is_not_is_named(fake: Maker) -> None:
    with pytest.raises(ValueError, match="no arm 'dirty'; there are clean, raw"):
        raw_and_clean([fake("raw"), fake("clean")], contrasts=[("dirty", "clean")])


# ---- dials


def test_another_dial_is_named_by_the_caller(fake: Maker) -> None:
    runs = [fake("clean"), fake("clean_nostop")]
    found = compare(runs, headline=("clean_nostop", "clean"), dial=("train_stop",), draws=200)
    assert [d.field for d in found.headline.differs] == ["train_stop"]


def test_two_dials_in_one_contrast_are_refused(fake: Maker) -> None:
    runs = [fake("raw_nostop"), fake("clean")]
    with pytest.raises(ValueError, match="raw_nostop − clean differs in data and train_stop: nobody could tell which did it"):
        compare(runs, headline=("raw_nostop", "clean"), dial=("data", "train_stop"), draws=200)


def test_a_contrast_may_name_both_dials(fake: Maker) -> None:
    both = Contrast("raw_nostop", "clean", dial=("data", "train_stop"))
    found = compare([fake("raw_nostop"), fake("clean")], contrasts=[both], draws=200)
    assert {d.field for d in found.headline.differs} == {"data", "train_stop"}


def test_every_arm_of_a_sum_is_held_to_the_dial(fake: Maker) -> None:
    runs = [fake("raw_nostop", epochs=2.0), fake("clean"), fake("raw"), fake("clean_nostop", epochs=2.0)]
    both = Contrast("clean + raw_nostop", "raw + clean_nostop")
    with pytest.raises(ValueError, match=r"epochs: 1\.0 in clean, 2\.0 in clean_nostop"):  # the first arms of both sides agree
        compare(runs, contrasts=[Contrast("clean", "raw"), both], dial=("data", "train_stop"), draws=200)


def test_the_base_is_held_to_what_makes_a_base(fake: Maker, alter: Alter) -> None:
    base = fake("base", learning_rate=0.5, data="nothing.jsonl")
    found = compare([base, fake("clean", 0), fake("clean", 1)], headline=("clean", "base"), draws=200)
    assert found.headline.seeds == (0, 1)
    alter(base / "run.json", config__compute_dtype="float32")
    with pytest.raises(ValueError, match="compute_dtype: 'bfloat16' in clean, 'float32' in base"):
        compare([base, fake("clean", 0), fake("clean", 1)], headline=("clean", "base"), draws=200)


# ---- folders


def test_a_folder_that_is_no_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no run\.json"):
        compare([tmp_path], headline=("raw", "clean"))


def test_a_run_without_answers_says_what_to_do(fake: Maker) -> None:
    run = fake("raw")
    (run / "answers/greedy.jsonl").unlink()
    with pytest.raises(ValueError, match="holds no answers"):
        raw_and_clean([run, fake("clean")])


def test_a_run_of_which_nobody_knows_its_training_is_refused(fake: Maker) -> None:
    run = fake("raw")
    (run / "training_answers.jsonl").unlink()
    with pytest.raises(ValueError, match=r"no training_answers\.jsonl, so nobody knows what it was trained on"):
        raw_and_clean([run, fake("clean")])


def test_a_broken_record_is_named(fake: Maker) -> None:
    run = fake("raw")
    (run / "record.json").write_text("{", encoding="utf-8")
    with pytest.raises(ValueError, match=r"record\.json cannot be read"):
        raw_and_clean([run, fake("clean")])


def test_answers_without_their_setting_are_named(fake: Maker) -> None:
    run = fake("raw")
    (run / "answers/greedy.json").unlink()
    with pytest.raises(ValueError, match=r"greedy\.json cannot be read"):
        raw_and_clean([run, fake("clean")])


def test_no_runs_are_no_comparison() -> None:
    with pytest.raises(ValueError, match="no runs to compare"):
        compare([])
