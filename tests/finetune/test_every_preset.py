"""Each preset on a tiny model of its architecture: trained, asked, measured and merged, by the code that real weights go through."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from finetune.config import Config
from finetune.generate import generate, setting
from finetune.measure import measure_file
from finetune.merge import merge
from finetune.presets import PRESETS, Preset
from finetune.run import read_json, read_jsonl
from finetune.tiny import make_tiny
from finetune.train import train
from tests.finetune.small import ARTICLES, Small

pytestmark = pytest.mark.filterwarnings("ignore")  # those of torch, transformers, trl and bitsandbytes


@pytest.mark.parametrize("one", PRESETS, ids=[one.name for one in PRESETS])
def test_a_preset_trains_answers_is_measured_and_merges(one: Preset, small: Small, tmp_path: Path) -> None:
    from finetune.models import load_tokenizer

    base = make_tiny(one, tmp_path / one.name, texts=[*ARTICLES.values()])  # found by the name of its folder
    config = Config(
        base=str(base),
        data=str(small.data),
        eval_data=str(small.held_out),
        arm=one.name,
        max_length=512,
        device="cpu",
        max_steps=2,
        batch_size=3,
        learning_rate=1e-2,
        schedule="constant",
        warmup_steps=0,
        save_steps=-1,
    )
    run = tmp_path / "run"
    record = train(config, run, say=None, progress=False)
    assert [entry["step"] for entry in record["losses"]] == [1, 2]
    assert all(0 < entry["grad_norm"] < 100 and 3 < entry["loss"] < 12 for entry in record["losses"])
    about = read_json(run / "run.json")
    assert about["quantisation"] == {"quantisation": "nf4", "double_quant": True, "compute_dtype": "bfloat16", "layers": {"nf4": 14}}
    assert about["data"]["share_stop_trained"] == 1.0

    few = small.asked[:4]
    file = generate(run, few, [setting("greedy", max_new_tokens=8)])["greedy"]
    rows = read_jsonl(file)
    assert [row["system"] for row in rows] == [one.name] * 4
    special = load_tokenizer(str(base), one).all_special_tokens
    assert not any(token in row["answer"] for row in rows for token in special)
    assert len(measure_file(file)) == 4

    found = merge(run, tmp_path / "merged", few, max_new_tokens=8)
    assert (found.same, found.prompts) == (4, 4)
    assert found.max_logit_difference < 1e-4
    stop = json.loads((tmp_path / "merged" / "generation_config.json").read_text("utf-8"))["eos_token_id"]
    assert load_tokenizer(str(tmp_path / "merged"), one).convert_ids_to_tokens(stop) == one.stop_token
