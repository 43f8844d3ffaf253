"""A model small enough for a test, of the architecture and with the special tokens of a real one; its weights are random.

What a tiny model can show is that our code speaks a model's language: template, stop token, begin token, names of layers, 4-bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from finetune.models import CPU_IN, TEMPLATES, Preset, preset

__all__ = ["make_tiny"]

#: What the tokenizer learns its pieces from.
SENTENCES = (
    "อธิบายความหมายและให้ข้อมูลของคำดังต่อไปนี้",
    "แมวเป็นสัตว์เลี้ยงลูกด้วยนมขนาดเล็ก มักนอนในเวลากลางวันและออกหากินในเวลากลางคืน",
    "ปลาช่อนเป็นปลาน้ำจืดที่พบได้ทั่วประเทศไทย อาศัยอยู่ในแม่น้ำ ลำคลอง หนอง และบึง",
    "จังหวัดน่านตั้งอยู่ทางภาคเหนือของประเทศไทย มีแม่น้ำน่านไหลผ่านตัวเมือง",
    "ดาวพฤหัสบดีเป็นดาวเคราะห์ดวงใหญ่ที่สุดในระบบสุริยะ และมีดวงจันทร์เป็นบริวารหลายสิบดวง",
    "ข้าวเหนียวมะม่วงเป็นขนมไทย ทำจากข้าวเหนียวมูนกับกะทิ กินกับมะม่วงสุก",
    "การเขียนโปรแกรมคือการสั่งให้คอมพิวเตอร์ทำงานตามลำดับขั้นตอนที่กำหนดไว้",
    "ภาษาไทยเขียนโดยไม่เว้นวรรคระหว่างคำ และมีเครื่องหมายวรรณยุกต์สี่รูป",
    "== ดูเพิ่ม ==",
    "The cat sat on the mat in 1999.",
)
PIECES = 320  # learnt beside the 256 bytes: enough that a Thai word is a few tokens and not twenty

#: Architecture -> the config class of transformers, and what it needs beyond the sizes that all share.
ARCHITECTURES: dict[str, tuple[str, dict[str, Any]]] = {
    "MistralForCausalLM": ("MistralConfig", {"sliding_window": 4096}),
    "LlamaForCausalLM": ("LlamaConfig", {}),
    "Qwen2ForCausalLM": ("Qwen2Config", {}),
    "Qwen3ForCausalLM": ("Qwen3Config", {"head_dim": 16}),
    "GemmaForCausalLM": ("GemmaConfig", {"head_dim": 16}),
    "Gemma2ForCausalLM": ("Gemma2Config", {"head_dim": 16, "query_pre_attn_scalar": 16}),
    "Gemma3ForCausalLM": ("Gemma3TextConfig", {"head_dim": 16, "query_pre_attn_scalar": 16}),
}


def make_tiny(model: Preset | str, folder: Path, *, seed: int = 0, hidden: int = 64, layers: int = 2, texts: Sequence[str] = ()) -> Path:
    """A random model and its tokenizer in ``folder``, read by the same code as real weights; the same seed gives the same files.

    ``texts`` are further lines for the tokenizer to learn from. Raises ValueError for an unknown preset, or when ``hidden`` is no
    multiple of 64, which 4-bit on a CPU needs.
    """
    one = preset(model) if isinstance(model, str) else model
    if hidden < CPU_IN or hidden % CPU_IN:
        raise ValueError(f"hidden: got {hidden}, expected a multiple of {CPU_IN}")
    tokenizer = _tokenizer(one, texts)
    tokenizer.save_pretrained(folder)
    _model(one, tokenizer, seed=seed, hidden=hidden, layers=layers).save_pretrained(folder)
    return folder


def _model(one: Preset, tokenizer: Any, *, seed: int, hidden: int, layers: int) -> Any:
    import torch
    import transformers

    kind, extra = ARCHITECTURES[one.architecture]
    config = getattr(transformers, kind)(
        vocab_size=len(tokenizer),
        hidden_size=hidden,
        intermediate_size=2 * hidden,
        num_hidden_layers=layers,
        num_attention_heads=hidden // 16,
        num_key_value_heads=hidden // 32,
        max_position_embeddings=4096,
        tie_word_embeddings=one.architecture.startswith("Gemma"),
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        **extra,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return getattr(transformers, one.architecture)(config)


def _tokenizer(one: Preset, texts: Sequence[str]) -> Any:
    """BPE on characters with bytes to fall back on, as sentencepiece makes it, or on bytes, as Qwen and Llama 3 do."""
    from tokenizers import processors
    from transformers import PreTrainedTokenizerFast

    fast: Any = PreTrainedTokenizerFast

    core = _bytes(one, texts) if one.bos_token in ("", "<|begin_of_text|>") else _metaspace(one, texts)
    if one.bos_token:
        bos = (one.bos_token, core.token_to_id(one.bos_token))
        core.post_processor = processors.TemplateProcessing(
            single=[one.bos_token, "$A"], pair=[one.bos_token, "$A", "$B"], special_tokens=[bos]
        )
    named = {"bos_token": one.bos_token, "eos_token": one.eos_token, "pad_token": one.pad_token}
    if "<unk>" in one.special_tokens:
        named["unk_token"] = "<unk>"
    tokenizer = fast(tokenizer_object=core, **{name: token for name, token in named.items() if token})
    if one.template:
        tokenizer.chat_template = (TEMPLATES / one.template).read_text(encoding="utf-8")
    return tokenizer


def _specials(one: Preset) -> list[str]:
    return list(dict.fromkeys(filter(None, (*one.special_tokens, one.bos_token, one.eos_token, one.pad_token, one.stop_token))))


def _metaspace(one: Preset, texts: Sequence[str]) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    specials = _specials(one)
    raw = [f"<0x{value:02X}>" for value in range(256)]
    core = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    core.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    core.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    # The trainer can only be told of the bytes as special tokens; left special, they would vanish when an answer is decoded.
    trainer = trainers.BpeTrainer(vocab_size=len(specials) + 256 + PIECES, special_tokens=[*specials, *raw], show_progress=False)
    core.train_from_iterator([*SENTENCES, *texts], trainer)
    return _without_special(core, set(raw))


def _without_special(core: Any, names: set[str]) -> Any:
    import json

    from tokenizers import Tokenizer

    stored = json.loads(core.to_str())
    stored["added_tokens"] = [token for token in stored["added_tokens"] if token["content"] not in names]
    return Tokenizer.from_str(json.dumps(stored))


def _bytes(one: Preset, texts: Sequence[str]) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    specials = _specials(one)
    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=len(specials) + 256 + PIECES,
        special_tokens=specials,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    core.train_from_iterator([*SENTENCES, *texts], trainer)
    return core
