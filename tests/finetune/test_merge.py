"""A merged model is the model that was trained, or it is not kept; a naive merge is another one, and says by how much."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from finetune import merge as merging
from finetune.generate import answers, load_run, setting
from finetune.merge import WAYS, Agreement, merge
from finetune.run import read_json
from finetune.train import train
from tests.finetune.small import Small, files

pytestmark = pytest.mark.filterwarnings("ignore")  # those of torch, transformers, peft and bitsandbytes

TOKENS = 48


@pytest.fixture(scope="module")
def merged(tuned: Path, small: Small, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Agreement]:
    out = tmp_path_factory.mktemp("merged") / "dequantise"
    return out, merge(tuned, out, small.asked, max_new_tokens=TOKENS)


@pytest.fixture(scope="module")
def naive(tuned: Path, small: Small, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Agreement]:
    out = tmp_path_factory.mktemp("merged") / "naive"
    return out, merge(tuned, out, small.asked, way="naive", max_new_tokens=TOKENS)


# --------------------------------------------------------------------------- the same model


def test_a_merged_model_gives_the_very_answers_of_the_adapter(merged: tuple[Path, Agreement], small: Small) -> None:
    found = merged[1]
    assert (found.prompts, found.same) == (len(small.asked), len(small.asked))
    assert found.stopped[0] == found.stopped[1]


def test_its_logits_differ_by_rounding_alone(merged: tuple[Path, Agreement]) -> None:
    """By 1e-6 here. Where the 4-bit layers unpack into float32 for the comparison, and not as in training, it is 1e-3, and answers tip over."""
    assert merged[1].max_logit_difference < 1e-4


def test_the_adapter_matters(tuned: Path, small: Small, merged: tuple[Path, Agreement]) -> None:
    """Else a merge that lost it would pass."""
    base, tokenizer, _ = load_run(tuned, adapter=False)
    alone = answers(base, tokenizer, small.asked, setting("greedy", max_new_tokens=TOKENS))
    said = plainly(merged[0], tokenizer, small)
    assert not any(one.text == other for one, other in zip(alone, said, strict=True))


def plainly(folder: Path, tokenizer: Any, small: Small, max_new_tokens: int = TOKENS) -> list[str]:
    """What transformers alone makes of a merged folder: its own settings, one prompt at a time."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model, own = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    said = []
    for prompt in small.asked:
        ids = own.apply_chat_template(list(prompt.turns), add_generation_prompt=True, return_tensors="pt", return_dict=False)
        with torch.inference_mode():
            out = model.generate(ids, max_new_tokens=max_new_tokens)[0, ids.shape[1] :].tolist()
        said.append(own.decode(out, skip_special_tokens=True).removeprefix(" "))
    return said


def test_anybody_can_load_it_and_it_stops(merged: tuple[Path, Agreement], tuned: Path, small: Small) -> None:
    model, tokenizer, _ = load_run(tuned)
    merging._compute_in_float32(model)
    wanted = answers(model, tokenizer, small.asked, setting("greedy", max_new_tokens=TOKENS))
    assert any(answer.stop == "stop_token" for answer in wanted)
    assert plainly(merged[0], tokenizer, small) == [answer.text for answer in wanted]
    stop = read_json(merged[0] / "generation_config.json")["eos_token_id"]
    assert tokenizer.convert_ids_to_tokens(stop) == "</s>"


def test_it_is_a_whole_model_in_float32(merged: tuple[Path, Agreement]) -> None:
    from safetensors.torch import load_file

    weights = load_file(merged[0] / "model.safetensors")
    assert {str(weight.dtype) for weight in weights.values()} == {"torch.float32"}
    assert not any("lora" in name or "absmax" in name for name in weights)
    assert "quantization_config" not in read_json(merged[0] / "config.json")
    assert not (merged[0] / "adapter_config.json").exists()


def test_its_weights_are_those_that_training_multiplied_with(merged: tuple[Path, Agreement], tuned: Path, small: Small) -> None:
    """Each 4-bit layer, asked by training's own kernel what it multiplies with, and the adapter added in float64."""
    import torch
    from safetensors.torch import load_file

    from finetune.models import load_model
    from finetune.run import read_config

    base, adapter, whole = (
        load_model(read_config(tuned)),
        load_file(tuned / "adapter_model.safetensors"),
        load_file(merged[0] / "model.safetensors"),
    )
    layers = {name: layer for name, layer in base.named_modules() if hasattr(layer, "compute_dtype")}
    assert len(layers) == 14
    for name, layer in layers.items():
        with torch.inference_mode():
            weight = layer(torch.eye(layer.in_features, dtype=torch.bfloat16)).T.double()
        a, b = (adapter[f"base_model.model.{name}.lora_{half}.weight"].double() for half in "AB")
        assert torch.allclose(whole[f"{name}.weight"].double(), weight + 2.0 * b @ a, atol=1e-6), name  # alpha / r is 2


def test_a_base_in_sixteen_bits_is_merged_as_it_was_trained(small: Small, tmp_path: Path) -> None:
    """Its file holds float32, training rounded it to bfloat16: the merged model begins with the rounded weights."""
    train(small.config(quantisation="none", epochs=4.0), tmp_path / "run", say=None, progress=False)
    found = merge(tmp_path / "run", tmp_path / "out", small.asked, max_new_tokens=TOKENS)
    assert found.same == found.prompts
    assert found.max_logit_difference < 1e-4


def test_how_it_was_merged_is_recorded(merged: tuple[Path, Agreement], tuned: Path) -> None:
    told = read_json(merged[0] / "merge.json")
    assert told["way"] == "dequantise"
    assert told["about"] == WAYS["dequantise"]
    assert told["run"] == read_json(tuned / "run.json")
    assert told["agreement"] == {**merged[1]._asdict(), "stopped": list(merged[1].stopped)}


def test_the_run_is_left_as_it_was(merged: tuple[Path, Agreement], tuned: Path) -> None:
    assert read_json(tuned / "run.json")["config"]["quantisation"] == "nf4"
    assert (tuned / "adapter_model.safetensors").is_file()


# --------------------------------------------------------------------------- another model


def test_a_naive_merge_is_kept_with_its_difference(naive: tuple[Path, Agreement], merged: tuple[Path, Agreement]) -> None:
    out, found = naive
    assert found.same < found.prompts
    assert found.max_logit_difference > 100 * merged[1].max_logit_difference
    told = read_json(out / "merge.json")
    assert told["way"] == "naive"
    assert told["agreement"]["same"] == found.same
    assert told["agreement"]["max_logit_difference"] == found.max_logit_difference


@pytest.mark.parametrize("broken", ["weights", "stop token"])
def test_a_merge_that_gives_other_answers_leaves_nothing(
    tuned: Path, small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    made = merging.merged_model

    def spoilt(*args: Any) -> Any:
        import torch

        model = made(*args)
        with torch.no_grad():
            if broken == "weights":  # of one layer, by a third
                model.model.layers[1].mlp.down_proj.weight.mul_(1.33)
            else:  # said a little sooner
                model.lm_head.weight[2].mul_(1.2)
        return model

    monkeypatch.setattr(merging, "merged_model", spoilt)
    with pytest.raises(ValueError, match=r"gives other greedy answers to \d+ of 15 prompts .*nothing was kept") as error:
        merge(tuned, tmp_path / "out", small.asked, max_new_tokens=TOKENS)
    assert "\n" not in str(error.value)
    assert not [*tmp_path.iterdir()]


def test_an_adapter_that_was_forgotten_is_noticed(tuned: Path, small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from finetune.models import load_model

    monkeypatch.setattr(merging, "merged_model", lambda run, config, way: load_model(config).dequantize().to(torch.float32))
    with pytest.raises(ValueError, match=r"gives other greedy answers to 15 of 15 prompts"):
        merge(tuned, tmp_path / "out", small.asked, max_new_tokens=TOKENS)


def test_what_a_killed_merge_left_is_no_hindrance(tuned: Path, small: Small, tmp_path: Path) -> None:
    (tmp_path / ".out-half").mkdir()
    (tmp_path / ".out-half" / "adapter_config.json").write_text("half", "utf-8")
    merge(tuned, tmp_path / "out", small.asked[:1], max_new_tokens=1)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert not (tmp_path / "out" / "adapter_config.json").exists()


# --------------------------------------------------------------------------- refused


@pytest.fixture
def no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("finetune.models.load_model", None)


@pytest.mark.usefixtures("no_model")
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"way": "nf4"}, r"merging into NF4 is refused: 4 bits round the adapter away"),
        ({"way": "quick"}, r"no way 'quick' to merge; there are dequantise, naive"),
        ({"prompts": []}, r"no prompts to compare answers on"),
        ({"base": "other"}, r"was trained on a base with fingerprint"),
    ],
)
def test_what_cannot_be_merged_is_refused(tuned: Path, small: Small, tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    options: dict[str, Any] = {"prompts": small.asked, **changes}
    if "base" in options:
        options["base"] = str(small.other)
    with pytest.raises(ValueError, match=message):
        merge(tuned, tmp_path / "out", **options)
    assert not [*tmp_path.iterdir()]


@pytest.mark.usefixtures("no_model")
def test_a_folder_that_is_not_empty_is_not_written_into(tuned: Path, small: Small, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine", "utf-8")
    with pytest.raises(ValueError, match=r"is not empty; choose another --out"):
        merge(tuned, tmp_path, small.asked)
    assert files(tmp_path) == {"mine.txt": b"mine"}


@pytest.mark.usefixtures("no_model")
def test_a_run_that_did_not_end_is_not_merged(tuned: Path, small: Small, tmp_path: Path) -> None:
    run = shutil.copytree(tuned, tmp_path / "run")
    (run / "adapter_config.json").unlink()
    with pytest.raises(ValueError, match=r"holds no adapter"):
        merge(run, tmp_path / "out", small.asked)


def test_an_empty_folder_is_filled(tuned: Path, small: Small, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    merge(tuned, tmp_path / "out", small.asked[:1], max_new_tokens=1)
    assert (tmp_path / "out" / "merge.json").is_file()
