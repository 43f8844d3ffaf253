"""A small base model, trained here from nothing: what the experiment tunes where no real weights can be had.

A Mistral of one to thirty million parameters and a tokenizer of its own, both from plain Thai prose. It writes Thai words and little
sense; like every small model it loops by itself, and how much it does is the first number of the study.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from finetune.quiet import one_bar, silence
from thaiwiki_clean.readers.remote import cache_folder

__all__ = ["SIZES", "Size", "cached_base", "make_base"]


class Size(NamedTuple):
    """Shape and training of a base. Widths are multiples of 64: 4-bit layers of other widths are silently wrong on a CPU."""

    hidden: int
    intermediate: int
    layers: int
    heads: int
    vocabulary: int
    context: int  #: tokens; holds prompt and answer of every later run, or positions are met there for the first time
    batch: int  #: blocks of ``context`` tokens a step
    steps: int
    learning_rate: float


#: smoke: says whether the code runs. cpu: some four minutes on two cores. gpu: some four minutes on one H100.
SIZES: dict[str, Size] = {
    "smoke": Size(64, 128, 2, 2, 2048, 384, 4, 100, 4e-3),
    "cpu": Size(128, 384, 4, 4, 4096, 512, 4, 1500, 4e-3),
    "gpu": Size(512, 1408, 8, 8, 8192, 768, 64, 1500, 1e-3),
}

_BOS, _EOS, _PAD, _UNKNOWN = "<s>", "</s>", "<pad>", "<unk>"


def cached_base(texts: Sequence[str], size: Size, *, seed: int = 0, cache: Path | None = None, device: str = "cpu") -> Path:
    """The folder of the base for these texts, this size and seed: from the cache, or trained into it.

    The cache is outside the repository: ``$THAIWIKI_CACHE``, else ``~/.cache/thaiwiki-clean``.
    A base that is only half written is never found: it is renamed into place when it is whole.
    """
    digest = hashlib.sha256(json.dumps([size, seed, device], default=list).encode())
    for text in texts:
        digest.update(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())
    folder = (cache or cache_folder()) / f"base-{digest.hexdigest()[:16]}"
    if not folder.exists():
        half = folder.with_name(f".{folder.name}-{os.getpid()}")
        shutil.rmtree(half, ignore_errors=True)
        make_base(texts, half, size, seed=seed, device=device)
        half.rename(folder)
    return folder


def make_base(texts: Sequence[str], folder: Path, size: Size, *, seed: int = 0, device: str = "cpu") -> Path:
    """Train a tokenizer and a model of ``size`` on ``texts`` and save both in ``folder``, with ``base.json`` that says how.

    One text in fifty is held out, of fewer than 500 some ten in all; its loss, in nats per token and bits per character, stands in ``base.json``.
    """
    import torch
    from transformers import MistralConfig, MistralForCausalLM, set_seed

    silence()
    started = time.monotonic()
    tokenizer = _tokenizer(texts[:20_000], size.vocabulary, size.context)
    every = min(50, max(2, len(texts) // 10))
    held_out = list(texts[::every])
    train = _blocks([text for i, text in enumerate(texts) if i % every], tokenizer, size, enough=size.steps * size.batch)
    watch = _blocks(held_out, tokenizer, size, enough=64)
    set_seed(seed)
    model = MistralForCausalLM(
        MistralConfig(
            vocab_size=len(tokenizer),
            hidden_size=size.hidden,
            intermediate_size=size.intermediate,
            num_hidden_layers=size.layers,
            num_attention_heads=size.heads,
            num_key_value_heads=max(1, size.heads // 2),
            max_position_embeddings=2 * size.context,
            sliding_window=None,
            tie_word_embeddings=True,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )
    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError("the base was asked for on cuda, but torch sees no GPU; use --size cpu")
    loss = _train(model, train, watch, size, folder, seed=seed, device=device)
    model.to(torch.float32).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    characters = sum(map(len, held_out)) / max(1, sum(len(ids) for ids in tokenizer(held_out, add_special_tokens=False)["input_ids"]))
    about = {
        "size": size._asdict(),
        "seed": seed,
        "device": device,
        "parameters": model.num_parameters(),
        "texts": len(texts),
        "tokens_seen": size.steps * size.batch * size.context,
        "held_out_loss": loss,
        "held_out_bits_per_character": loss / 0.6931471805599453 / characters,
        "characters_per_token": characters,
        "seconds": round(time.monotonic() - started, 1),
    }
    (folder / "base.json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    return folder


def _tokenizer(texts: Iterable[str], vocabulary: int, context: int) -> Any:
    """Byte-pair encoding on whole stretches between blanks, as sentencepiece does: one that splits at ``\\p{L}+`` cuts Thai at every vowel mark."""
    from tokenizers import Tokenizer, decoders, models, normalizers, trainers
    from transformers import PreTrainedTokenizerFast

    bytes_ = [f"<0x{i:02X}>" for i in range(256)]
    core = Tokenizer(models.BPE(unk_token=_UNKNOWN, byte_fallback=True, fuse_unk=True))
    core.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    core.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(content=" ", left=1)]
    )
    # Without a pre-tokeniser a piece could be a whole paragraph; newlines part them, and 24 characters are a long Thai word.
    from tokenizers import Regex, pre_tokenizers

    core.pre_tokenizer = pre_tokenizers.Split(Regex(r"\n|▁?[^▁\n]{1,24}|▁"), "isolated")
    core.train_from_iterator(
        list(texts), trainers.BpeTrainer(vocab_size=vocabulary, special_tokens=[_UNKNOWN, _BOS, _EOS, _PAD, *bytes_], show_progress=False)
    )
    plain = json.loads(core.to_str())
    plain["added_tokens"] = [token for token in plain["added_tokens"] if token["content"] not in bytes_]  # else decoding drops them
    core = Tokenizer.from_str(json.dumps(plain))
    return PreTrainedTokenizerFast(
        tokenizer_object=core, bos_token=_BOS, eos_token=_EOS, pad_token=_PAD, unk_token=_UNKNOWN, model_max_length=2 * context
    )


def _blocks(texts: Sequence[str], tokenizer: Any, size: Size, *, enough: int) -> list[list[int]]:
    """Full blocks of ``context`` tokens, no more than ``enough``: texts one behind the other, each between BOS and EOS."""
    blocks: list[list[int]] = []
    rest: list[int] = []
    for start in range(0, len(texts), 256):
        for ids in tokenizer(list(texts[start : start + 256]), add_special_tokens=False)["input_ids"]:
            rest += [tokenizer.bos_token_id, *ids, tokenizer.eos_token_id]
        while len(rest) >= size.context and len(blocks) < enough:
            blocks.append(rest[: size.context])
            rest = rest[size.context :]
        if len(blocks) >= enough:
            break
    if not blocks:
        raise ValueError(f"{len(texts)} texts give less than one block of {size.context} tokens; give more prose")
    return blocks


def _train(model: Any, train: list[list[int]], watch: list[list[int]], size: Size, folder: Path, *, seed: int, device: str) -> float:
    """Next-token prediction by ``transformers.Trainer``; the held-out loss at the end."""
    from transformers import Trainer, TrainingArguments

    trainer = Trainer(
        model=model,
        args=TrainingArguments(
            output_dir=str(folder / "trainer"),
            per_device_train_batch_size=size.batch,
            per_device_eval_batch_size=size.batch,
            max_steps=size.steps,
            learning_rate=size.learning_rate,
            lr_scheduler_type="cosine",
            warmup_steps=max(1, size.steps // 20),
            weight_decay=0.1,
            bf16=True,
            use_cpu=device == "cpu",
            save_strategy="no",
            logging_steps=10,
            report_to="none",
            seed=seed,
        ),
        train_dataset=_Blocks(train),
        eval_dataset=_Blocks(watch),
    )
    one_bar(trainer)
    trainer.train()
    loss: float = trainer.evaluate()["eval_loss"]
    shutil.rmtree(folder / "trainer", ignore_errors=True)
    return loss


class _Blocks:
    """Blocks as a map-style data set; the labels are the tokens."""

    def __init__(self, blocks: list[list[int]]) -> None:
        self._blocks = blocks

    def __len__(self) -> int:
        return len(self._blocks)

    def __getitem__(self, i: int) -> dict[str, list[int]]:
        return {"input_ids": self._blocks[i], "labels": self._blocks[i]}
