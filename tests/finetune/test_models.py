"""Each preset on a tiny model of its architecture: template, stop token, 4 bits, gradients; and what cannot be loaded is said in one line."""

from __future__ import annotations

import doctest
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from finetune import models, presets
from finetune.config import Config
from finetune.models import (
    adapter_layers,
    fingerprint,
    guard,
    linear_layers,
    load_model,
    load_tokenizer,
    quantisation_record,
    stop_token_id,
)
from finetune.presets import PRESETS, Preset, find, preset
from finetune.tiny import make_tiny

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")
pytest.importorskip("peft", reason="peft is not installed")
pytest.importorskip("bitsandbytes", reason="bitsandbytes is not installed")
pytestmark = pytest.mark.filterwarnings("ignore")  # torch's, transformers' and bitsandbytes' own

QUESTION, ANSWER = "แมวคืออะไร", "แมวเป็นสัตว์เลี้ยง\nมันนอนกลางวัน"
TURNS = [{"role": "user", "content": QUESTION}, {"role": "assistant", "content": ANSWER}]
SYSTEM = {"role": "system", "content": "ตอบสั้น ๆ"}
AGAIN = [{"role": "user", "content": "แล้วหมา"}, {"role": "assistant", "content": "หมาก็เป็นสัตว์"}]

each_preset = pytest.mark.parametrize("one", PRESETS, ids=[one.name for one in PRESETS])


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """The folder of a preset's tiny model, made once."""
    made: dict[str, str] = {}

    def folder(name: str) -> str:
        if name not in made:
            made[name] = str(make_tiny(name, tmp_path_factory.mktemp(name)))
        return made[name]

    return folder


def on_cpu(base: str | Path, **settings: Any) -> Config:
    return Config(base=str(base), data="none", device="cpu", **settings)


# --------------------------------------------------------------------------- templates


@each_preset
@pytest.mark.parametrize("before", [[], [SYSTEM], TURNS, [SYSTEM, *TURNS]], ids=["plain", "system", "second", "system-second"])
def test_training_begins_with_the_very_prompt_of_generation(one: Preset, tiny: Callable[[str], str], before: list[dict[str, str]]) -> None:
    tokenizer = load_tokenizer(tiny(one.name), one)
    turns = [*before, *(AGAIN if TURNS[0] in before else TURNS)]
    prompt = tokenizer.apply_chat_template(turns[:-1], add_generation_prompt=True, return_dict=False)
    whole = tokenizer.apply_chat_template(turns, return_dict=False)
    assert whole[: len(prompt)] == prompt
    answered = whole[len(prompt) :]
    assert tokenizer.decode(answered[: answered.index(stop_token_id(tokenizer))]).strip() == turns[-1]["content"]


@each_preset
def test_the_loss_is_on_each_answer_and_its_stop_token(one: Preset, tiny: Callable[[str], str]) -> None:
    tokenizer = load_tokenizer(tiny(one.name), one)
    out = tokenizer.apply_chat_template([SYSTEM, *TURNS, *AGAIN], return_dict=True, return_assistant_tokens_mask=True)
    runs: list[list[int]] = [[]]
    for token, trained in zip(out["input_ids"], out["assistant_masks"], strict=True):
        if trained:
            runs[-1].append(token)
        elif runs[-1]:
            runs.append([])
    spoken = [tokenizer.decode(run) for run in runs if run]
    assert [text.strip() for text in spoken] == [ANSWER + one.stop_token, AGAIN[1]["content"] + one.stop_token]


@each_preset
def test_one_begin_token_where_the_model_has_one(one: Preset, tiny: Callable[[str], str]) -> None:
    tokenizer = load_tokenizer(tiny(one.name), one)
    ids = tokenizer.apply_chat_template([SYSTEM, *TURNS, *AGAIN], return_dict=False)
    assert [i for i, token in enumerate(ids) if token == tokenizer.bos_token_id] == ([0] if one.bos_token else [])


@each_preset
def test_the_text_of_a_prompt_is_what_the_preset_says(one: Preset, tiny: Callable[[str], str]) -> None:
    tokenizer = load_tokenizer(tiny(one.name), one)
    text = tokenizer.apply_chat_template([SYSTEM, *TURNS, *AGAIN], tokenize=False)
    places = [text.index(piece) for piece in (SYSTEM["content"], QUESTION, one.roles[1], ANSWER, one.stop_token)[1:4]]
    assert places == sorted(places)
    assert one.roles[0] in text
    assert "\\n" not in text  # two characters that the starting project taught its model
    assert text.count(QUESTION) == text.count(ANSWER) == text.count(SYSTEM["content"]) == 1


PROMPTS = {
    "mistral.jinja": "<s>[INST] ก [/INST]",
    "llama2.jinja": "<s>[INST] ก [/INST]",
    "seallm.jinja": "<s><|im_start|>user\nก</s><|im_start|>assistant\n",
    "chatml.jinja": "<|im_start|>user\nก<|im_end|>\n<|im_start|>assistant\n",
    "sailor_chat.jinja": "<|im_start|>question\nก<|im_end|>\n<|im_start|>answer\n",
    "qwen3.jinja": "<|im_start|>user\nก<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n",
    "llama3.jinja": "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nก<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
    "gemma.jinja": "<bos><start_of_turn>user\nก<end_of_turn>\n<start_of_turn>model\n",
}


ANSWERS = {
    "mistral.jinja": " ข</s>",
    "llama2.jinja": " ข</s>",
    "seallm.jinja": "ข</s>",
    "llama3.jinja": "ข<|eot_id|>",
    "gemma.jinja": "ข<end_of_turn>\n",
}


@pytest.mark.parametrize("template", PROMPTS)
def test_each_template_letter_by_letter(template: str, tiny: Callable[[str], str]) -> None:
    one = next(one for one in PRESETS if one.template == template)
    tokenizer = load_tokenizer(tiny(one.name), one)
    turns = [{"role": "user", "content": "ก"}, {"role": "assistant", "content": "ข"}]
    assert tokenizer.apply_chat_template(turns, tokenize=False) == PROMPTS[template] + ANSWERS.get(template, "ข<|im_end|>\n")
    assert (
        tokenizer.apply_chat_template([{"role": "user", "content": "ก"}], tokenize=False, add_generation_prompt=True) == PROMPTS[template]
    )


def test_every_template_of_ours_is_used_and_proved() -> None:
    there = {path.name for path in models.TEMPLATES.glob("*.jinja")}
    assert there == {one.template for one in PRESETS} == set(PROMPTS)


@each_preset
def test_a_turn_of_another_role_is_refused(one: Preset, tiny: Callable[[str], str]) -> None:
    tokenizer = load_tokenizer(tiny(one.name), one)
    with pytest.raises(Exception, match="a turn of tool; this template knows system, user and assistant"):
        tokenizer.apply_chat_template([*TURNS, {"role": "tool", "content": "๓"}], tokenize=False)


# --------------------------------------------------------------------------- tokenizers


@each_preset
def test_the_stop_token_is_found_and_padding_is_another(one: Preset, tiny: Callable[[str], str]) -> None:
    tokenizer = load_tokenizer(tiny(one.name), one)
    stop = stop_token_id(tokenizer)
    assert tokenizer.convert_ids_to_tokens(stop) == one.stop_token
    assert tokenizer.pad_token_id not in (None, stop)
    if one.pad_token:
        assert tokenizer.pad_token == one.pad_token


# What sail/Sailor-4B-Chat publishes, in short: nothing stands behind the last answer.
SAILOR = (
    "{% for m in messages %}{% if m['role'] == 'user' %}{{ '<|im_start|>question\n' + m['content'] + '<|im_end|>\n<|im_start|>answer\n' }}"
    "{% else %}{{ m['content'] }}{% if not loop.last %}{{ '<|im_end|>\n' }}{% endif %}{% endif %}{% endfor %}"
)
PLAIN_END = "{% for m in messages %}{{ '### ' + m['role'] + '\n' + m['content'] + ' ###\n' }}{% endfor %}"
OTHER_PROMPT = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant now:\n' }}{% endif %}"
)


def with_template(folder: str, template: str, to: Path) -> str:
    shutil.copytree(folder, to)
    (to / "chat_template.jinja").write_text(template, encoding="utf-8")
    return str(to)


@pytest.mark.parametrize(
    ("template", "message"),
    [
        (SAILOR, "the chat template writes nothing behind an answer, so no model learns to stop"),
        (PLAIN_END, "the chat template ends an answer with the plain text '###', which no generation stops at"),
        (OTHER_PROMPT, "which begins otherwise; name a preset"),
    ],
    ids=["nothing", "plain", "prompt"],
)
def test_a_template_from_which_no_model_learns_to_stop_is_refused(
    tiny: Callable[[str], str], tmp_path: Path, template: str, message: str
) -> None:
    base = with_template(tiny("sailor-chat"), template, tmp_path / "base")
    with pytest.raises(ValueError, match=message):
        load_tokenizer(base, None)
    load_tokenizer(base, preset("sailor-chat"))  # ours in its place mends it


def test_an_unknown_model_keeps_its_own_template(tiny: Callable[[str], str], tmp_path: Path) -> None:
    own = OTHER_PROMPT.replace(" now:", "")
    tokenizer = load_tokenizer(with_template(tiny("sailor"), own, tmp_path / "base"), None)
    assert tokenizer.chat_template == own
    assert tokenizer.convert_ids_to_tokens(stop_token_id(tokenizer)) == "<|im_end|>"


def test_a_base_without_template_asks_for_a_preset(tiny: Callable[[str], str], tmp_path: Path) -> None:
    shutil.copytree(tiny("typhoon-7b"), tmp_path / "base")
    (tmp_path / "base/chat_template.jinja").unlink()
    with pytest.raises(ValueError, match=r"the tokenizer has no chat template: name a preset \(model=\.\.\.\)"):
        load_tokenizer(str(tmp_path / "base"), None)
    load_tokenizer(str(tmp_path / "base"), preset("typhoon-7b"))


def test_a_preset_for_another_family_is_refused(tiny: Callable[[str], str]) -> None:
    with pytest.raises(ValueError, match=r"has no token <\|im_end\|>; it is no sailor: give another model"):
        load_tokenizer(tiny("typhoon-7b"), preset("sailor"))


def test_a_pad_token_that_is_the_stop_token_is_replaced(tiny: Callable[[str], str], tmp_path: Path) -> None:
    shutil.copytree(tiny("typhoon-7b"), tmp_path / "base")
    file = tmp_path / "base/tokenizer_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text(encoding="utf-8")), "pad_token": "</s>"}), encoding="utf-8")
    for one in (None, preset("typhoon-7b")):
        assert load_tokenizer(str(tmp_path / "base"), one).pad_token == "<unk>"


def test_padding_falls_back_to_the_stop_token_when_there_is_no_other(tiny: Callable[[str], str]) -> None:
    tokenizer = load_tokenizer(tiny("sailor"), preset("sailor"))
    only = {"<|im_end|>": stop_token_id(tokenizer)}
    tokenizer.get_vocab = lambda: only
    models._set_pad(tokenizer, stop_token_id(tokenizer), "")
    assert tokenizer.pad_token == "<|im_end|>"


# --------------------------------------------------------------------------- models


def with_adapter(model: Any) -> Any:
    """The model under an adapter whose weights are not zero, so that every layer's gradient depends on those above it."""
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(0)
    tuned = get_peft_model(model, LoraConfig(r=4, lora_dropout=0.0, target_modules="all-linear", task_type="CAUSAL_LM"))
    for weight in tuned.parameters():
        if weight.requires_grad:
            weight.data = torch.randn_like(weight, dtype=torch.float32) * 0.05
    return tuned


def gradients(tuned: Any) -> dict[str, Any]:
    ids = torch.arange(10, 42, device=tuned.device).reshape(2, 16)
    tuned.train()
    tuned.zero_grad()
    tuned(input_ids=ids, labels=ids, use_cache=False).loss.backward()
    return {name: weight.grad.clone() for name, weight in tuned.named_parameters() if weight.grad is not None}


def evaluate(tuned: Any) -> None:
    tuned.eval()
    with torch.no_grad():
        tuned(input_ids=torch.arange(10, 42, device=tuned.device).reshape(2, 16), use_cache=False)


@each_preset
def test_four_bits_on_a_cpu_and_every_layer_learns(one: Preset, tiny: Callable[[str], str]) -> None:
    model = load_model(on_cpu(tiny(one.name)))
    assert type(model).__name__ == one.architecture
    layers = [name for name, _ in linear_layers(model)]
    assert {name.rpartition(".")[2] for name in layers} == set(one.lora_targets)
    assert quantisation_record(model) == {
        "quantisation": "nf4",
        "double_quant": True,
        "compute_dtype": "bfloat16",
        "layers": {"nf4": len(layers)},
    }
    record = quantisation_record(model)
    tuned = with_adapter(model)
    assert quantisation_record(tuned) == record
    before = gradients(tuned)
    assert len(before) == 2 * len(layers)  # A and B of each: an adapter on every layer, and on nothing else
    assert all(gradient.abs().sum() > 0 for gradient in before.values())
    evaluate(tuned)
    after = gradients(tuned)
    assert all(torch.equal(before[name], after[name]) for name in before)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_four_bits_on_a_gpu_are_the_same_record_and_sound_gradients(tiny: Callable[[str], str]) -> None:
    config = Config(base=tiny("typhoon-7b"), data="none", device="auto")
    tuned = with_adapter(load_model(config))
    assert tuned.device.type == "cuda"
    assert quantisation_record(tuned) == quantisation_record(load_model(on_cpu(config.base)))
    before = gradients(tuned)
    evaluate(tuned)
    after = gradients(tuned)
    assert all(torch.allclose(before[name], after[name], rtol=1e-3, atol=1e-6) for name in before)


def test_without_the_guard_an_evaluation_spoils_the_gradients(tiny: Callable[[str], str]) -> None:
    from bitsandbytes.nn import Linear4bit
    from bitsandbytes.nn.modules import has_avx512bf16

    if not has_avx512bf16():
        pytest.skip("this CPU has no AVX512-BF16, for which bitsandbytes packs its weights")
    tuned = with_adapter(load_model(on_cpu(tiny("typhoon-7b"))))
    for module in tuned.modules():
        if isinstance(module, Linear4bit):
            module.support_avx512bf16_for_cpu = True
    before = gradients(tuned)
    evaluate(tuned)
    after = gradients(tuned)
    changed = [float((before[name] - after[name]).norm() / before[name].norm()) for name in before]
    assert sorted(changed)[len(changed) // 2] > 0.3  # half of them, by more than a third: the fault is still there


def test_the_guard_reaches_a_model_loaded_elsewhere(tiny: Callable[[str], str]) -> None:
    from bitsandbytes.nn import Linear4bit

    model = load_model(on_cpu(tiny("typhoon-7b")))
    for module in model.modules():
        if isinstance(module, Linear4bit):
            module.support_avx512bf16_for_cpu = True
    guard(with_adapter(model))
    assert {module.support_avx512bf16_for_cpu for module in model.modules() if isinstance(module, Linear4bit)} == {False}


@pytest.mark.parametrize(
    ("settings", "record"),
    [
        ({"quantisation": "none"}, {"quantisation": "none", "layers": {"bfloat16": 14}}),
        ({"quantisation": "none", "compute_dtype": "float32"}, {"quantisation": "none", "layers": {"float32": 14}}),
        (
            {"double_quant": False, "compute_dtype": "float32"},
            {"quantisation": "nf4", "double_quant": False, "compute_dtype": "float32", "layers": {"nf4": 14}},
        ),
    ],
)
def test_the_record_says_what_is_in_memory(tiny: Callable[[str], str], settings: dict[str, Any], record: dict[str, Any]) -> None:
    model = load_model(on_cpu(tiny("typhoon-7b"), **settings))
    assert quantisation_record(model) == record
    evaluate(model)
    assert quantisation_record(model) == record


def test_the_record_shows_a_mixture(tiny: Callable[[str], str]) -> None:
    model = load_model(on_cpu(tiny("typhoon-7b")))
    model.model.layers[0].mlp.up_proj = torch.nn.Linear(64, 128)
    assert quantisation_record(model)["layers"] == {"nf4": 13, "float32": 1}


# --------------------------------------------------------------------------- what cannot be loaded


def changed(base: str, to: Path, **values: Any) -> str:
    """A copy of a model whose config.json says something else."""
    shutil.copytree(base, to)
    file = to / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text(encoding="utf-8")), **values}), encoding="utf-8")
    return str(to)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"model_type": "zzz"}, r"transformers \S+ does not know this model"),
        ({"model_type": "t5"}, "is a t5, expected a causal language model"),
        ({"model_type": "zzz", "auto_map": {"AutoConfig": "x.X"}}, r"transformers \S+ does not know this model .*custom code"),
        ({"quantization_config": {"quant_method": "gptq", "bits": 4}}, "is quantised already; give the 16-bit weights"),
        ({"intermediate_size": 96}, r"layers\.0\.mlp\.down_proj has 96 inputs and 64 outputs; 4-bit on a CPU needs multiples of 64 and 32"),
        ({"hidden_size": 128}, "the weights of .* cannot be read"),
        ({"num_hidden_layers": 3}, r"the weights of .* lack model\.layers\.2\.\S+ and 8 more"),
    ],
    ids=["unknown", "no-causal", "code", "quantised", "odd", "shape", "missing"],
)
def test_a_base_that_cannot_be_trained_is_refused_in_one_line(
    tiny: Callable[[str], str], tmp_path: Path, values: dict[str, Any], message: str
) -> None:
    base = changed(tiny("typhoon-7b"), tmp_path / "base", **values)
    # transformers 5.17 looks at shapes only where it does not quantise; there the first forward pass fails.
    settings = {"quantisation": "none"} if "hidden_size" in values else {}
    with pytest.raises(ValueError, match=message) as raised:
        load_model(on_cpu(base, **settings))
    assert "\n" not in str(raised.value)


def test_odd_layers_are_fine_without_four_bits(tmp_path: Path) -> None:
    import transformers

    sizes = {"hidden_size": 96, "intermediate_size": 96, "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 2}
    transformers.LlamaForCausalLM(transformers.LlamaConfig(vocab_size=64, **sizes)).save_pretrained(tmp_path)
    load_model(on_cpu(tmp_path, quantisation="none"))


def test_missing_broken_and_foreign_folders_are_refused_in_one_line(tiny: Callable[[str], str], tmp_path: Path) -> None:
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text("{}", encoding="utf-8")
    torn = Path(changed(tiny("typhoon-7b"), tmp_path / "torn"))
    weights = torn / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:999])
    empty = Path(changed(tiny("typhoon-7b"), tmp_path / "empty"))
    (empty / "model.safetensors").unlink()
    cases: list[tuple[Callable[[], object], str]] = [
        (lambda: load_model(on_cpu(tmp_path / "no")), "no model '.*no': give a folder with a config.json, or a Hub id"),
        (lambda: load_tokenizer(str(tmp_path / "no"), None), "no tokenizer '.*no': give a folder that holds one, or a Hub id"),
        (lambda: fingerprint(str(tmp_path)), "expected config.json and .*safetensors; give the folder of a base model"),
        (lambda: load_model(on_cpu(torn)), "the weights of '.*torn' cannot be read"),
        (lambda: load_model(on_cpu(empty)), "the weights of '.*empty' cannot be read: Error no file named model.safetensors"),
        (lambda: load_model(on_cpu(adapter)), "holds an adapter, not a base model; give the base that it was trained on"),
        (lambda: load_tokenizer(str(adapter), None), "holds an adapter, not a base model"),
        (lambda: fingerprint(str(adapter)), "holds an adapter, not a base model"),
    ]
    for call, message in cases:
        with pytest.raises(ValueError, match=message) as raised:
            call()
        assert "\n" not in str(raised.value)


def test_an_unreachable_hub_is_refused_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    for call in (lambda: load_model(on_cpu("nobody/nothing")), lambda: fingerprint("nobody/nothing")):
        with pytest.raises(
            ValueError, match=r"no model 'nobody/nothing': give a folder with a config\.json, or a Hub id that can be reached"
        ):
            call()
    with pytest.raises(ValueError, match="no tokenizer 'nobody/nothing'"):
        load_tokenizer("nobody/nothing", None)


def test_a_missing_gpu_is_said_in_one_line(tiny: Callable[[str], str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="device: cuda was asked for and torch sees no CUDA device; use device=cpu or device=auto"):
        load_model(Config(base=tiny("typhoon-7b"), data="none", device="cuda"))


def test_a_number_format_that_the_device_is_bad_at_is_refused(tiny: Callable[[str], str], monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="compute_dtype: float16 loses small gradients on a CPU; take bfloat16 or float32"):
        load_model(on_cpu(tiny("typhoon-7b"), compute_dtype="float16"))
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: including_emulation)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Tesla V100")
    with pytest.raises(ValueError, match="compute_dtype: Tesla V100 has no bfloat16; take float16"):
        models._check_dtype(on_cpu("x"), "cuda")


@pytest.mark.parametrize(
    ("module", "message"),
    [
        ("bitsandbytes", r"quantisation=nf4 needs bitsandbytes: pip install 'thaiwiki-clean\[train\]'; or set quantisation=none"),
        ("transformers", r"this needs torch and transformers: pip install 'thaiwiki-clean\[train\]'"),
    ],
)
def test_a_missing_library_is_named(tiny: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, module: str, message: str) -> None:
    base = tiny("typhoon-7b")
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=message):
        load_model(on_cpu(base))


# --------------------------------------------------------------------------- fingerprints, layers, names


def test_the_fingerprint_is_of_config_and_weights_alone(tiny: Callable[[str], str], tmp_path: Path) -> None:
    same, other = (Path(changed(tiny("typhoon-7b"), tmp_path / name)) for name in ("same", "other"))
    (same / "README.md").write_text("x", encoding="utf-8")
    (same / "training_args.bin").write_bytes(b"x")
    weights = bytearray((other / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (other / "model.safetensors").write_bytes(bytes(weights))
    first = fingerprint(changed(tiny("typhoon-7b"), tmp_path / "first"))
    assert fingerprint(str(same)) == first
    assert fingerprint(str(other)) != first
    assert fingerprint(changed(str(same), tmp_path / "longer", max_position_embeddings=8)) != first


@pytest.mark.parametrize(
    ("targets", "names"),
    [
        ("all-linear", {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}),
        (("q_proj", "v_proj"), {"q_proj", "v_proj"}),
        (("self_attn.q_proj",), {"q_proj"}),
        (r".*\.(gate|up)_proj", {"gate_proj", "up_proj"}),
    ],
)
def test_targets_are_read_as_peft_reads_them(tiny: Callable[[str], str], targets: Any, names: set[str]) -> None:
    from peft import LoraConfig, get_peft_model

    config = on_cpu(tiny("typhoon-7b"), lora_targets=targets, quantisation="none")
    model = load_model(config)
    ours = {name for name, _ in adapter_layers(model, config)}
    assert {name.rpartition(".")[2] for name in ours} == names
    asked = targets if isinstance(targets, str) else list(targets)
    tuned = get_peft_model(model, LoraConfig(r=2, target_modules=asked, task_type="CAUSAL_LM"))
    assert ours == {name.removeprefix("base_model.model.") for name, layer in tuned.named_modules() if hasattr(layer, "lora_A")}


@pytest.mark.parametrize("targets", [("query",), ("_proj",), r".*\.q", "q_proj"])
def test_targets_that_fit_no_layer_are_refused(tiny: Callable[[str], str], targets: Any) -> None:
    config = on_cpu(tiny("typhoon-7b"), lora_targets=targets)
    with pytest.raises(ValueError, match=r"lora_targets: .* fits no layer of .*; it has down_proj, gate_proj, k_proj"):
        adapter_layers(models.skeleton(config.base), config)


def test_a_name_belongs_to_one_preset() -> None:
    owners: dict[str, set[str]] = {}
    for one in PRESETS:
        for name in (one.name, *one.ids):
            owners.setdefault(name.rpartition("/")[2].lower(), set()).add(one.name)
    assert {name: owner for name, owner in owners.items() if len(owner) > 1} == {}


@pytest.mark.parametrize(
    ("base", "name"),
    [
        ("scb10x/typhoon-7b", "typhoon-7b"),
        ("/models/Typhoon-7B/", "typhoon-7b"),
        ("sail/Sailor-4B", "sailor"),
        ("sail/Sailor-4B-Chat", "sailor-chat"),
        ("someone/Sailor-14B-Chat", "sailor-14b-chat"),
        ("sail/Sailor2-8B-Chat", "sailor2-chat"),
        ("SeaLLMs/SeaLLM-7B-v2", "seallm-7b-v2"),
        ("SeaLLMs/SeaLLM-7B-v2.5", "seallm-7b-v2.5"),
    ],
)
def test_a_base_is_found_by_its_name(base: str, name: str) -> None:
    assert (found := find(base)) is not None
    assert found.name == name


@pytest.mark.parametrize("base", ["out/tiny", "typhoon", "typhoon-7b-mine", "Sailor-3B", ""])
def test_another_base_is_not_taken_for_a_known_one(base: str) -> None:
    assert find(base) is None


def test_an_unknown_preset_names_the_nearest() -> None:
    with pytest.raises(ValueError, match=r"no preset 'typhon-7b'; did you mean typhoon-7b\?"):
        preset("typhon-7b")
    with pytest.raises(ValueError, match="no preset 'กขค'; there are typhoon-7b, seallm-7b-v2"):
        preset("กขค")


@pytest.mark.parametrize("module", [models, presets], ids=["models", "presets"])
def test_examples_run(module: Any) -> None:
    found = doctest.testmod(module)
    assert not found.failed
    assert found.attempted or module is models


# --------------------------------------------------------------------------- the reference


def _rows(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in text.splitlines() if line.startswith("| `")]


def _code(text: str) -> str:
    return f"`{text}`".replace("|", "\\|") if text else "–"


def test_the_reference_tells_every_preset(root: Path) -> None:
    text = (root / "docs/reference/models.md").read_text(encoding="utf-8")
    told = _rows(text.partition("\n## Presets")[2].partition("\n## ")[0])
    assert told == [
        [
            _code(one.name),
            _code(one.architecture.removesuffix("ForCausalLM")),
            _code(one.template.removesuffix(".jinja")),
            *map(_code, (one.stop_token, one.bos_token, one.eos_token, one.pad_token)),
            f"{_code(one.roles[0])}, {_code(one.roles[1])}",
        ]
        for one in PRESETS
    ]


def test_the_reference_says_where_each_fact_was_seen(root: Path) -> None:
    text = (root / "docs/reference/models.md").read_text(encoding="utf-8")
    for one in PRESETS:
        part = text.partition(f"\n### `{one.name}`\n")[2].partition("\n##")[0]
        plain = " ".join(part.replace("`", "").split())
        assert [line for line in (*one.ids, one.source, one.note) if line not in plain] == [], one.name


def test_the_reference_shows_each_prompt(root: Path) -> None:
    text = (root / "docs/reference/models.md").read_text(encoding="utf-8").partition("\n## Templates")[2]
    for template, prompt in PROMPTS.items():
        shown = text.partition(f"\n### `{template.removesuffix('.jinja')}`\n")[2].partition("\n##")[0]
        assert json.dumps(prompt, ensure_ascii=False) in shown, template
