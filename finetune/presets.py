"""The base models that we know: which tokens and which template they speak, and where each fact was seen."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import PurePath

__all__ = ["Preset", "PRESETS", "preset", "find"]

_ALL_LINEAR = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


@dataclass(frozen=True)
class Preset:
    """What has to be right about one family of base models before a row is tokenised.

    >>> PRESETS[0].name, PRESETS[0].stop_token
    ('typhoon-7b', '</s>')

    ``bos_token``, ``eos_token`` and ``pad_token`` are those of the published tokenizer, "" where it has none;
    ``stop_token`` is what ends an answer, and is not always the eos token.
    """

    name: str
    ids: tuple[str, ...]  #: on the Hub
    architecture: str
    template: str  #: a file in finetune/templates; "": the tokenizer's own
    stop_token: str
    source: str  #: where the facts were seen; "from memory" where they were not
    bos_token: str = ""
    eos_token: str = ""
    pad_token: str = ""
    roles: tuple[str, str] = ("user", "assistant")  #: as the template writes them
    lora_targets: tuple[str, ...] = _ALL_LINEAR  #: every linear layer but the output head
    special_tokens: tuple[str, ...] = ()  #: further ones that the tokenizer holds as one token each
    note: str = ""


_CHATML = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
_LLAMA3 = (
    "<|begin_of_text|>",
    "<|end_of_text|>",
    "<|eot_id|>",
    "<|start_header_id|>",
    "<|end_header_id|>",
    "<|finetune_right_pad_id|>",
)
_GEMMA = ("<pad>", "<eos>", "<bos>", "<unk>", "<start_of_turn>", "<end_of_turn>")

PRESETS: tuple[Preset, ...] = (
    Preset(
        "typhoon-7b",
        ("scb10x/typhoon-7b",),
        "MistralForCausalLM",
        "mistral.jinja",
        "</s>",
        "configs derived from it: wannaphong/han-llm-7b-v1, TheBloke/typhoon-7B-GPTQ; arXiv 2312.13951",
        bos_token="<s>",
        eos_token="</s>",
        special_tokens=("<unk>",),
        note="a base model without a template: [INST] as the starting project wrote it, with one <s> and real blanks",
    ),
)


def preset(name: str) -> Preset:
    """The preset of that name.

    >>> preset("typhoon7b")
    Traceback (most recent call last):
    ValueError: no preset 'typhoon7b'; did you mean typhoon-7b?
    """
    for one in PRESETS:
        if one.name.lower() == name.lower():
            return one
    names = [one.name for one in PRESETS]
    near = difflib.get_close_matches(name.lower(), names, n=1, cutoff=0.5)
    raise ValueError(f"no preset {name!r}; " + (f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"))


def find(base: str) -> Preset | None:
    """The preset for a Hub id or a folder that is named after the model; None when we know nothing about it.

    >>> find("/models/typhoon-7b/").name
    'typhoon-7b'
    >>> find("my-own-model") is None
    True
    """
    name = PurePath(base).name.lower()
    for one in PRESETS:
        if any(name == PurePath(known).name.lower() for known in (one.name, *one.ids)):
            return one
    return None
