"""The base models that we know: which tokens and which template they speak, and where each fact was seen."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import PurePath

__all__ = ["Preset", "PRESETS", "preset", "find", "choose"]

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
    bos_token: str
    eos_token: str
    pad_token: str
    source: str  #: where each fact was seen; "from memory" marks what nobody could look up
    roles: tuple[str, str] = ("user", "assistant")  #: as the template writes them
    lora_targets: tuple[str, ...] = _ALL_LINEAR  #: every linear layer but the output head
    special_tokens: tuple[str, ...] = ()  #: further ones that the tokenizer holds as one token each
    note: str = ""


# Tokens that a family's tokenizer holds as one token each.
_CHATML = ("<|im_start|>", "<|im_end|>")
_LLAMA3 = ("<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>")
_GEMMA = ("<start_of_turn>", "<end_of_turn>", "<unk>")


PRESETS: tuple[Preset, ...] = (
    Preset(
        name="typhoon-7b",
        ids=("scb10x/typhoon-7b",),
        architecture="MistralForCausalLM",
        template="mistral.jinja",
        stop_token="</s>",
        bos_token="<s>",
        eos_token="</s>",
        pad_token="",
        roles=("[INST]", "[/INST]"),
        special_tokens=("<unk>",),
        source="configs derived from it, wannaphong/han-llm-7b-v1 and TheBloke/typhoon-7B-GPTQ; arXiv 2312.13951",
        note="A pre-trained model without a template: the [INST] form of the starting project, with one <s> and real blanks.",
    ),
    Preset(
        name="seallm-7b-v2",
        ids=("SeaLLMs/SeaLLM-7B-v2",),
        architecture="MistralForCausalLM",
        template="seallm.jinja",
        stop_token="</s>",
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<unk>",
        special_tokens=("<unk>",),
        source="PrunaAI's copies of tokenizer_config.json; sail-sg/sailor-llm eval/configs, seallm_7b_v2.py",
        note="<|im_start|> is plain text. A rendered prompt that is tokenised again gets a second <s>.",
    ),
    Preset(
        name="seallm-7b-v2.5",
        ids=("SeaLLMs/SeaLLM-7B-v2.5",),
        architecture="GemmaForCausalLM",
        template="seallm.jinja",
        stop_token="<eos>",
        bos_token="<bos>",
        eos_token="<eos>",
        pad_token="<pad>",
        special_tokens=("<unk>",),
        source="README of DAMO-NLP-SG/SeaLLMs; SeaLLM-7B-v2.5-GGUF preset; <bos> and <pad> from memory (Gemma)",
        note="Turns end with <eos>, not with Gemma's <end_of_turn>. Asks for a repetition penalty of 1.",
    ),
    Preset(
        name="seallms-v3-chat",
        ids=("SeaLLMs/SeaLLMs-v3-7B-Chat", "SeaLLMs/SeaLLMs-v3-1.5B-Chat"),
        architecture="Qwen2ForCausalLM",
        template="chatml.jinja",
        stop_token="<|im_end|>",
        eos_token="<|im_end|>",
        bos_token="",
        pad_token="<|endoftext|>",
        special_tokens=_CHATML,
        source="Hub pages of SeaLLMs-v3-7B-Chat at bc77ed4 and 30d2966; the template and the tokenizer's eos from memory (Qwen ChatML)",
        note="Its first generation_config stopped at <|endoftext|> only, which no turn ends with.",
    ),
    Preset(
        name="sailor",
        ids=("sail/Sailor-0.5B", "sail/Sailor-1.8B", "sail/Sailor-4B", "sail/Sailor-7B"),
        architecture="Qwen2ForCausalLM",
        template="chatml.jinja",
        stop_token="<|im_end|>",
        eos_token="<|endoftext|>",
        bos_token="",
        pad_token="<|endoftext|>",
        special_tokens=_CHATML,
        source="PrunaAI's copies of sail/Sailor-7B; the other sizes from memory",
        note="A pre-trained model: <|im_end|> is in its vocabulary, and how much it was trained is not known.",
    ),
    Preset(
        name="sailor-chat",
        ids=("sail/Sailor-0.5B-Chat", "sail/Sailor-1.8B-Chat", "sail/Sailor-4B-Chat", "sail/Sailor-7B-Chat"),
        architecture="Qwen2ForCausalLM",
        template="sailor_chat.jinja",
        stop_token="<|im_end|>",
        eos_token="<|endoftext|>",
        bos_token="",
        pad_token="<|endoftext|>",
        special_tokens=_CHATML,
        roles=("question", "answer"),
        source="sail/Sailor-4B-Chat at ca090f1, 7B at 4e5b5f1, 1.8B at fe867e0; LLaMA-Factory's template sailor; 0.5B from memory",
        note="The published template writes no end token behind the last answer; ours does.",
    ),
    Preset(
        name="sailor-14b-chat",
        ids=("sail/Sailor-14B-Chat",),
        architecture="Qwen2ForCausalLM",
        template="chatml.jinja",
        stop_token="<|im_end|>",
        eos_token="<|im_end|>",
        bos_token="",
        pad_token="<|endoftext|>",
        special_tokens=_CHATML,
        source="PrunaAI's copy of its tokenizer_config.json",
        note="Roles user and assistant, unlike the smaller Sailor chat models.",
    ),
    Preset(
        name="sailor2-chat",
        ids=("sail/Sailor2-1B-Chat", "sail/Sailor2-8B-Chat", "sail/Sailor2-20B-Chat"),
        architecture="Qwen2ForCausalLM",
        template="chatml.jinja",
        stop_token="<|im_end|>",
        eos_token="<|im_end|>",
        bos_token="",
        pad_token="<|endoftext|>",
        special_tokens=_CHATML,
        source="README of sail-sg/sailor2; the tokenizer's eos from memory (Qwen2.5)",
        note="The published template puts a text about Sailor2 into the system turn; ours puts only what the row says.",
    ),
    Preset(
        name="openthaigpt-1.0-beta-13b",
        ids=("openthaigpt/openthaigpt-1.0.0-beta-13b-chat-hf",),
        architecture="LlamaForCausalLM",
        template="llama2.jinja",
        stop_token="</s>",
        bos_token="<s>",
        eos_token="</s>",
        pad_token="",
        roles=("[INST]", "[/INST]"),
        special_tokens=("<unk>",),
        source="openthaigpt.aieat.or.th, release of 20 December 2023; iapp-technology/openthaigpt-website, docs of 1.0.0; pad token from memory",
        note="The web page prints <<SYS> with one bracket too few; its code has <<SYS>>.",
    ),
    Preset(
        name="openthaigpt-1.5",
        ids=(
            "openthaigpt/openthaigpt1.5-7b-instruct",
            "openthaigpt/openthaigpt1.5-14b-instruct",
            "openthaigpt/openthaigpt1.5-72b-instruct",
        ),
        architecture="Qwen2ForCausalLM",
        template="chatml.jinja",
        stop_token="<|im_end|>",
        eos_token="<|im_end|>",
        bos_token="",
        pad_token="<|endoftext|>",
        special_tokens=_CHATML,
        source="OpenThaiGPT/openthaigpt1.5_api_examples; the paper (made from Qwen2.5-Instruct); the tokenizer's eos from memory (Qwen2.5)",
    ),
    Preset(
        name="typhoon-1.5x",
        ids=("scb10x/llama-3-typhoon-v1.5x-8b-instruct", "scb10x/llama-3-typhoon-v1.5x-70b-instruct"),
        architecture="LlamaForCausalLM",
        template="llama3.jinja",
        stop_token="<|eot_id|>",
        bos_token="<|begin_of_text|>",
        eos_token="<|eot_id|>",
        pad_token="",
        special_tokens=_LLAMA3,
        source="README on the Hub (Llama 3, stops at <|eot_id|>); eos and pad token from memory",
    ),
    Preset(
        name="typhoon-2",
        ids=(
            "scb10x/llama3.2-typhoon2-1b-instruct",
            "scb10x/llama3.2-typhoon2-3b-instruct",
            "scb10x/llama3.1-typhoon2-8b-instruct",
            "scb10x/llama3.1-typhoon2-70b-instruct",
        ),
        architecture="LlamaForCausalLM",
        template="llama3.jinja",
        stop_token="<|eot_id|>",
        bos_token="<|begin_of_text|>",
        eos_token="<|eot_id|>",
        pad_token="",
        special_tokens=(*_LLAMA3, "<|finetune_right_pad_id|>"),
        source="arXiv 2412.13702; Hub page of the 70B at 42ea3b1; ids of the small ones, eos and pad token from memory",
        note="The 70B's generation_config stops at <|end_of_text|> only, which no turn ends with.",
    ),
    Preset(
        name="typhoon-2-qwen2.5",
        ids=("scb10x/typhoon2-qwen2.5-7b-instruct",),
        architecture="Qwen2ForCausalLM",
        template="chatml.jinja",
        stop_token="<|im_end|>",
        eos_token="<|im_end|>",
        bos_token="",
        pad_token="<|endoftext|>",
        special_tokens=_CHATML,
        source="arXiv 2412.13702; id and eos from memory (Qwen2.5)",
    ),
    Preset(
        name="typhoon-2.1",
        ids=("scb10x/typhoon2.1-gemma3-4b", "scb10x/typhoon2.1-gemma3-12b"),
        architecture="Gemma3ForCausalLM",
        template="gemma.jinja",
        stop_token="<end_of_turn>",
        bos_token="<bos>",
        eos_token="<eos>",
        pad_token="<pad>",
        roles=("user", "model"),
        special_tokens=_GEMMA,
        source="chat_template.jinja of scb10x/typhoon2.1-gemma3-12b-mlx-4bit at 4a9d791; eos and architecture from memory (Gemma 3)",
        note="The published template puts a text about Typhoon before the first question; ours puts only what the row says.",
    ),
    Preset(
        name="typhoon-2.5",
        ids=("scb10x/typhoon2.5-qwen3-4b", "typhoon-ai/typhoon2.5-qwen3-4b"),
        architecture="Qwen3ForCausalLM",
        template="chatml.jinja",
        stop_token="<|im_end|>",
        eos_token="<|im_end|>",
        bos_token="",
        pad_token="<|endoftext|>",
        special_tokens=_CHATML,
        source="ids seen in public repositories; that it answers without <think>, and its eos, from memory (Qwen3 Instruct)",
        note="The 30B-A3B is a mixture of experts, whose expert weights are no linear layers: not covered.",
    ),
    Preset(
        name="chinda-qwen3",
        ids=("iapp/chinda-qwen3-4b",),
        architecture="Qwen3ForCausalLM",
        template="qwen3.jinja",
        stop_token="<|im_end|>",
        eos_token="<|im_end|>",
        bos_token="",
        pad_token="<|endoftext|>",
        special_tokens=(*_CHATML, "<think>", "</think>"),
        source="model card (Qwen3-4B, enable_thinking); the tokens from memory (Qwen3)",
        note="It thinks unless told not to: an empty <think> block is part of the prompt, in training as in generation.",
    ),
    Preset(
        name="sea-lion-v3-gemma2",
        ids=("aisingapore/gemma2-9b-cpt-sea-lionv3-instruct", "aisingapore/Gemma-SEA-LION-v3-9B-IT"),
        architecture="Gemma2ForCausalLM",
        template="gemma.jinja",
        stop_token="<end_of_turn>",
        bos_token="<bos>",
        eos_token="<eos>",
        pad_token="<pad>",
        roles=("user", "model"),
        special_tokens=_GEMMA,
        source="aisingapore/sealion models/*.md; docs.sea-lion.ai; the tokens from memory (Gemma 2)",
    ),
    Preset(
        name="sea-lion-v3-llama",
        ids=(
            "aisingapore/llama3.1-8b-cpt-sea-lionv3-instruct",
            "aisingapore/Llama-SEA-LION-v3-8B-IT",
            "aisingapore/Llama-SEA-LION-v3-70B-IT",
        ),
        architecture="LlamaForCausalLM",
        template="llama3.jinja",
        stop_token="<|eot_id|>",
        bos_token="<|begin_of_text|>",
        eos_token="<|eot_id|>",
        pad_token="",
        special_tokens=(*_LLAMA3, "<|finetune_right_pad_id|>"),
        source="aisingapore/sealion models/*.md; ids in public repositories; eos and pad token from memory (Llama 3.1)",
    ),
)


def preset(name: str) -> Preset:
    """The preset of that name, or of the model of that name.

    >>> preset("Sailor-4B-Chat").name
    'sailor-chat'
    >>> preset("typhoon7b")
    Traceback (most recent call last):
    ValueError: no preset 'typhoon7b'; did you mean typhoon-7b?
    """
    if found := find(name):
        return found
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


def choose(model: str | None, base: str) -> Preset | None:
    """The preset that a run asked for, or else that of its base; None where neither is known."""
    return preset(model) if model else find(base)
