"""A base model and its tokenizer, as training, generation and merging all load them: one place, so that they cannot differ."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from finetune.config import Config
from finetune.presets import PRESETS, Preset, choose, find, preset

__all__ = [
    "Preset",
    "PRESETS",
    "preset",
    "find",
    "choose",
    "load_tokenizer",
    "stop_token_id",
    "load_model",
    "guard",
    "quantisation_record",
    "fingerprint",
]

TEMPLATES = Path(__file__).parent / "templates"
_TRAIN = "pip install 'thaiwiki-clean[train]'"

# The 4-bit kernels of a CPU need whole blocks of 64 inputs; with others training goes on and is silently wrong.
CPU_IN, CPU_OUT = 64, 32

# Tokens that models set aside and never say, the best first: a pad token must be none that the model is to learn.
_PADS = (
    "<pad>",
    "<|pad|>",
    "[PAD]",
    "<|finetune_right_pad_id|>",
    "<|reserved_special_token_0|>",
    "<unk>",
    "<|endoftext|>",
    "<|end_of_text|>",
)

_QUESTION, _ANSWER = "ก", "ข"


def load_tokenizer(base: str, preset: Preset | None) -> Any:
    """The tokenizer of ``base``, with the preset's chat template put in, and a pad token that is not the stop token.

    Raises ValueError, one line, when there is no tokenizer, no chat template, or a template from which no model learns to stop:
    it has to write one token of its own behind an answer, and to begin as the prompt of generation does.
    """
    transformers = _transformers()
    _not_an_adapter(base)
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(base, trust_remote_code=False)
    except (OSError, ValueError, KeyError) as error:
        raise ValueError(
            f"no tokenizer {base!r}: give a folder that holds one, or a Hub id that can be reached from here ({_line(error)})"
        ) from None
    if preset is not None:
        for token in filter(None, (preset.stop_token, preset.bos_token, *preset.special_tokens)):
            if tokenizer.convert_tokens_to_ids(token) in (None, tokenizer.unk_token_id) and token != tokenizer.unk_token:
                raise ValueError(
                    f"the tokenizer of {base} has no token {token}; it is no {preset.name}: give another model, or the right base"
                )
        if preset.template:
            tokenizer.chat_template = (TEMPLATES / preset.template).read_text(encoding="utf-8")
    stop = stop_token_id(tokenizer)
    if preset is not None and stop != tokenizer.convert_tokens_to_ids(preset.stop_token):
        raise ValueError(
            f"the template ends an answer with {tokenizer.decode([stop])}, expected {preset.stop_token} of {preset.name}; give another model"
        )
    _check_prompt(tokenizer)
    _set_pad(tokenizer, stop, preset.pad_token if preset else "")
    return tokenizer


def stop_token_id(tokenizer: Any) -> int:
    """The token that the chat template writes behind an answer: what a model has to learn to say in order to stop.

    Blanks and newlines behind it do not count. ``tokenizer.eos_token`` is not asked: with several published models it is another token.
    Raises ValueError when there is no template, or when it leaves an answer open, or ends it in plain text.
    """
    if not getattr(tokenizer, "chat_template", None):
        raise ValueError("the tokenizer has no chat template: name a preset (model=...), or put a template into the tokenizer")
    turns = _turns()
    tail = tokenizer.apply_chat_template(turns, tokenize=False).rpartition(_ANSWER)[2]
    if not tail.strip():
        raise ValueError(
            "the chat template writes nothing behind an answer, so no model learns to stop: name a preset (model=...), or mend it"
        )
    ids = _ids(tokenizer, turns)
    special = set(tokenizer.added_tokens_decoder) | set(tokenizer.all_special_ids)
    while ids and ids[-1] not in special and not tokenizer.decode([ids[-1]]).strip():
        ids.pop()
    if not ids or ids[-1] not in special:
        raise ValueError(
            f"the chat template ends an answer with the plain text {tail.strip()!r}, which no generation stops at; expected one special token"
        )
    return ids[-1]


def _check_prompt(tokenizer: Any) -> None:
    """What is trained has to begin with what is asked, or the model never sees the prompt that it learnt."""
    turns = _turns()
    whole, prompt = _ids(tokenizer, turns), _ids(tokenizer, turns[:1], add_generation_prompt=True)
    if whole[: len(prompt)] != prompt:
        raise ValueError(
            f"the chat template asks with {tokenizer.decode(prompt)!r} and trains {tokenizer.decode(whole)!r}, which begins otherwise;"
            " name a preset (model=...), or mend the template"
        )


def _turns() -> list[dict[str, str]]:
    return [{"role": "user", "content": _QUESTION}, {"role": "assistant", "content": _ANSWER}]


def _ids(tokenizer: Any, turns: Sequence[dict[str, str]], **options: Any) -> list[int]:
    return list(tokenizer.apply_chat_template(list(turns), tokenize=True, return_dict=False, **options))


def _set_pad(tokenizer: Any, stop: int, wanted: str) -> None:
    """A pad token that is not the stop token: some collators take the loss from every token that looks like padding."""
    known = tokenizer.get_vocab()
    for token in (wanted, tokenizer.pad_token, *_PADS):
        if token and token in known and known[token] != stop:
            tokenizer.pad_token = token
            return
    # Nothing is left; our own loss mask does not go by the token, so this is safe here.
    tokenizer.pad_token = tokenizer.convert_ids_to_tokens(stop)


def load_model(config: Config) -> Any:
    """The base model on its device, quantised as the config says, with gradients that an evaluation cannot spoil.

    Raises ValueError or ImportError, one line: no such model, no weights, an unknown architecture, no CUDA, no bitsandbytes,
    a base that is quantised already, or layers that a CPU's 4-bit kernels get wrong.
    """
    transformers = _transformers()
    import torch

    device = pick_device(config.device)
    _check_dtype(config, device)
    base = base_config(config.base)
    if getattr(base, "quantization_config", None):
        raise ValueError(f"{config.base} is quantised already; give the 16-bit weights that it was made from")
    options: dict[str, Any] = {"dtype": getattr(torch, config.compute_dtype), "device_map": {"": device}}
    if config.quantisation == "nf4":
        if device == "cpu":
            _check_layers(config.base)
        options["quantization_config"] = _nf4(config)
    from safetensors import SafetensorError

    try:
        model, loaded = transformers.AutoModelForCausalLM.from_pretrained(config.base, **options, output_loading_info=True)
    except (OSError, RuntimeError, SafetensorError) as error:
        raise ValueError(f"the weights of {config.base!r} cannot be read: {_line(error)}") from None
    if missing := sorted(loaded["missing_keys"]):  # transformers would fill them with random numbers and go on
        raise ValueError(f"the weights of {config.base!r} lack {missing[0]}" + (f" and {len(missing) - 1} more" if missing[1:] else ""))
    return guard(model)


def pick_device(wanted: str) -> str:
    """``"cuda"`` or ``"cpu"``: what ``auto`` means here, or what was wanted if it is there."""
    import torch

    if wanted == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if wanted == "cuda" and not torch.cuda.is_available():
        raise ValueError("device: cuda was asked for and torch sees no CUDA device; use device=cpu or device=auto")
    return wanted


def _check_dtype(config: Config, device: str) -> None:
    """A number format that the device computes badly in costs hours (a V100 emulates bfloat16) or the gradients (a CPU scales no float16)."""
    import torch

    if device == "cpu" and config.compute_dtype == "float16":
        raise ValueError("compute_dtype: float16 loses small gradients on a CPU; take bfloat16 or float32")
    if device == "cuda" and config.compute_dtype == "bfloat16" and not torch.cuda.is_bf16_supported(including_emulation=False):
        raise ValueError(f"compute_dtype: {torch.cuda.get_device_name()} has no bfloat16; take float16")


def base_config(base: str) -> Any:
    """The base model's own config; ValueError, one line, when it is none that we can train."""
    transformers = _transformers()
    _not_an_adapter(base)
    try:
        config = transformers.AutoConfig.from_pretrained(base, trust_remote_code=False)
    except OSError as error:
        raise ValueError(
            f"no model {base!r}: give a folder with a config.json, or a Hub id that can be reached from here ({_line(error)})"
        ) from None
    except (ValueError, KeyError) as error:
        raise ValueError(f"{base}: transformers {transformers.__version__} does not know this model ({_line(error)})") from None
    if type(config) not in transformers.MODEL_FOR_CAUSAL_LM_MAPPING:
        raise ValueError(f"{base} is a {config.model_type}, expected a causal language model")
    return config


def _nf4(config: Config) -> Any:
    import torch

    transformers = _transformers()
    try:
        import bitsandbytes  # noqa: F401
    except ImportError:
        raise ImportError(f"quantisation=nf4 needs bitsandbytes: {_TRAIN}; or set quantisation=none") from None
    return transformers.BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=config.double_quant,
        bnb_4bit_compute_dtype=getattr(torch, config.compute_dtype),
    )


def skeleton(base: str) -> Any:
    """The base model without its weights, on torch's meta device: shapes and names cost neither memory nor time."""
    import torch

    transformers = _transformers()
    config = base_config(base)
    with torch.device("meta"):
        return transformers.AutoModelForCausalLM.from_config(config)


def linear_layers(model: Any) -> Iterator[tuple[str, Any]]:
    """Name and module of each linear layer but the output head: those that are quantised, and that an adapter sits on."""
    import torch

    head = model.get_output_embeddings()
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Linear) and module is not head and "lora_" not in name:
            yield name, module


def adapter_layers(model: Any, config: Config) -> list[tuple[str, Any]]:
    """Name and module of each linear layer that gets an adapter, as peft reads ``lora_targets``. Raises ValueError when it is none."""
    layers, wanted = list(linear_layers(model)), config.lora_targets
    if wanted == "all-linear":
        return layers
    if isinstance(wanted, str):
        found = [(name, layer) for name, layer in layers if re.fullmatch(wanted, name)]
    else:
        found = [(name, layer) for name, layer in layers if any(f".{name}".endswith(f".{end}") for end in wanted)]
    if not found:
        names = sorted({name.rpartition(".")[2] for name, _ in layers})
        raise ValueError(f"lora_targets: {wanted} fits no layer of {config.base}; it has {', '.join(names)}")
    return found


def _check_layers(base: str) -> None:
    for name, layer in linear_layers(skeleton(base)):
        if layer.in_features % CPU_IN or layer.out_features % CPU_OUT:
            raise ValueError(
                f"{base}: {name} has {layer.in_features} inputs and {layer.out_features} outputs; 4-bit on a CPU needs multiples of"
                f" {CPU_IN} and {CPU_OUT}, and computes nonsense otherwise; set quantisation=none, or use CUDA"
            )


def guard(model: Any) -> Any:
    """The same model, with bitsandbytes' packed CPU weights switched off.

    On a CPU with AVX512-BF16, bitsandbytes 0.50 repacks a 4-bit layer in its first forward pass in eval mode, for speed, and every
    later training pass takes that kernel too, through which no gradient flows: the loss looks right, and the layers below learn
    from wrong gradients. Without the packing evaluation is slower and training is right. Elsewhere this changes nothing.
    """
    for module in _four_bit(model):
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False
    return model


def _four_bit(model: Any) -> Iterator[Any]:
    # By name, so that a model without 4-bit layers needs no bitsandbytes.
    return (
        m for m in model.modules() if any(c.__name__ == "Linear4bit" and c.__module__.startswith("bitsandbytes") for c in type(m).__mro__)
    )


def quantisation_record(model: Any) -> dict[str, Any]:
    """How the weights really lie in memory, whatever the config wanted: an adapter's own files do not say it.

    ``layers`` counts the linear layers by kind; the output head, which stays as it is, is not among them.
    """
    states = [layer.weight.quant_state for layer in _four_bit(model)]
    kinds = Counter(
        state.quant_type if (state := getattr(layer.weight, "quant_state", None)) else _dtype(layer.weight.dtype)
        for _, layer in linear_layers(model)
    )
    if not states:
        return {"quantisation": "none", "layers": dict(kinds)}
    return {
        "quantisation": _only({state.quant_type for state in states}),
        "double_quant": _only({bool(state.nested) for state in states}),
        "compute_dtype": _only({_dtype(layer.compute_dtype) for layer in _four_bit(model)}),
        "layers": dict(kinds),
    }


def _dtype(dtype: Any) -> str:
    return str(dtype).removeprefix("torch.")


def _only(values: set[Any]) -> Any:
    """The one value, or a text of all of them: a mixture is worth seeing."""
    return values.pop() if len(values) == 1 else " and ".join(sorted(map(str, values)))


def fingerprint(base: str) -> str:
    """What tells two bases apart: a hash over the config and the weights of a folder, or the id and revision of a Hub model.

    Raises ValueError when there is neither.
    """
    _not_an_adapter(base)
    folder = Path(base)
    if not folder.is_dir():
        config = base_config(base)
        return f"{base}@{getattr(config, '_commit_hash', None) or 'unknown'}"
    weights = sorted(folder.glob("*.safetensors")) or sorted(folder.glob("pytorch_model*.bin"))
    if not weights or not (folder / "config.json").is_file():
        raise ValueError(f"{base}: expected config.json and *.safetensors; give the folder of a base model")
    digest = hashlib.sha256()
    for path in (folder / "config.json", *weights):
        with path.open("rb") as file:
            digest.update(f"{path.name} {hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return f"sha256:{digest.hexdigest()}"


def _not_an_adapter(base: str) -> None:
    folder = Path(base)
    if (folder / "adapter_config.json").is_file() and not (folder / "config.json").is_file():
        raise ValueError(f"{base} holds an adapter, not a base model; give the base that it was trained on")


def _transformers() -> Any:
    try:
        import torch  # noqa: F401
        import transformers
    except ImportError:
        raise ImportError(f"this needs torch and transformers: {_TRAIN}") from None
    return transformers


def _line(error: BaseException) -> str:
    """The first line of an error, without the advice that follows in transformers' ones."""
    return " ".join((str(error).strip() or type(error).__name__).split("\n")[0].split())
