"""An adapter folded into its base, in the one way that gives the model that was trained: dequantise NF4, merge in float32, save.

Merging into the 16-bit weights that the 4-bit ones were made from gives another model, whose loss looks the same and whose answers do
not; folding into NF4 rounds the adapter away. The first is done on demand and says how far it is off, the second is refused.
"""

from __future__ import annotations

import dataclasses
import functools
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from finetune import models
from finetune.config import Config
from finetune.generate import Prompt, answers, load_run, setting
from finetune.run import about, write_json

__all__ = ["WAYS", "Agreement", "merge"]

#: How to merge -> what it is.
WAYS = {
    "dequantise": "the 4-bit weights as the training saw them, in float32, and the adapter added: the model that was trained",
    "naive": "the 16-bit weights and the adapter added: another model; how far off is measured and written down",
}


class Agreement(NamedTuple):
    """Greedy answers of the merged model beside those of the 4-bit base with its adapter."""

    prompts: int
    same: int  #: answers that are the same token for token
    max_logit_difference: float  #: over the last position of the prompts
    stopped: tuple[int, int]  #: answers that came to their end: adapter, merged


def merge(
    run: Path, out: Path, prompts: Sequence[Prompt], *, way: str = "dequantise", base: str | None = None, max_new_tokens: int = 128
) -> Agreement:
    """Write the merged model of a run into ``out``, after its greedy answers to ``prompts`` were compared.

    Both models compute in float32 for the comparison, so that no rounding stands between equal weights. With ``way="dequantise"``
    every answer has to be the same, or nothing is kept and ValueError is raised; ``naive`` is kept with its difference on record.
    Raises ValueError, too, when ``out`` holds something already, and for ``way="nf4"``.
    """
    if way == "nf4":
        raise ValueError(
            "merging into NF4 is refused: 4 bits round the adapter away; merge by dequantise, or keep the adapter beside its base"
        )
    if way not in WAYS:
        raise ValueError(f"no way {way!r} to merge; there are {', '.join(WAYS)}")
    if out.exists() and any(out.iterdir()):
        raise ValueError(f"{out} is not empty; choose another --out")
    if not prompts:
        raise ValueError("no prompts to compare answers on; give the held-out ones")
    from transformers import GenerationConfig

    model, tokenizer, config = load_run(run, base=base)
    _compute_in_float32(model)
    how = setting("greedy", max_new_tokens=max_new_tokens)
    tuned, tuned_logits = answers(model, tokenizer, prompts, how), _logits(model, tokenizer, prompts)
    half = out.with_name(f".{out.name}-half")
    shutil.rmtree(half, ignore_errors=True)
    del model
    merged = merged_model(run, config, way)
    # Whoever loads the merged model stops where it was taught to: several bases name another token as their end.
    merged.generation_config = GenerationConfig(eos_token_id=models.stop_token_id(tokenizer), pad_token_id=tokenizer.pad_token_id)
    merged.save_pretrained(half)
    tokenizer.save_pretrained(half)
    del merged
    again = models.load_model(dataclasses.replace(config, base=str(half), quantisation="none", compute_dtype="float32"))
    said, logits = answers(again, tokenizer, prompts, how), _logits(again, tokenizer, prompts)
    agreement = Agreement(
        len(prompts),
        sum(a.token_ids == b.token_ids and a.stop == b.stop for a, b in zip(tuned, said, strict=True)),
        max(abs(a - b) for one, other in zip(tuned_logits, logits, strict=True) for a, b in zip(one, other, strict=True)),
        (sum(a.stop == "stop_token" for a in tuned), sum(a.stop == "stop_token" for a in said)),
    )
    if way == "dequantise" and agreement.same < agreement.prompts:
        shutil.rmtree(half)
        raise ValueError(
            f"the merged model gives other greedy answers to {agreement.prompts - agreement.same} of {agreement.prompts} prompts "
            f"(logits differ by {agreement.max_logit_difference:.2g} at most), so it is not the model that was trained; nothing was kept"
        )
    write_json(half / "merge.json", {"way": way, "about": WAYS[way], "run": about(run), "agreement": agreement._asdict()})
    if out.exists():
        out.rmdir()
    half.rename(out)
    return agreement


def merged_model(run: Path, config: Config, way: str) -> Any:
    """The base in float32, from its 4-bit weights or from those that they were made from, with the adapter added to its weights."""
    import torch
    from peft import PeftModel

    if way == "dequantise":
        # The very numbers that training multiplied with: 4 bits unpacked into the dtype that it computed in, or 16 bits as they were loaded.
        plain = models.load_model(config)
        plain = (plain.dequantize() if config.quantisation == "nf4" else plain).to(torch.float32)
    else:
        plain = models.load_model(dataclasses.replace(config, quantisation="none", compute_dtype="float32"))
    return PeftModel.from_pretrained(plain, str(run)).merge_and_unload()


def _compute_in_float32(model: Any) -> None:
    """Multiply in float32, with the weights that training multiplied with.

    A 4-bit layer that is only told to compute in float32 unpacks its weights into float32 too, other numbers by up to 0.4 %.
    """
    import torch

    for module in model.modules():
        if hasattr(module, "compute_dtype"):  # a 4-bit layer
            module.forward = functools.partial(_multiply, module)
    for parameter in model.parameters():
        if parameter.is_floating_point():  # 4-bit weights are bytes
            parameter.data = parameter.data.to(torch.float32)


def _multiply(layer: Any, x: Any) -> Any:
    """What a 4-bit layer gives, in float32."""
    import torch
    from bitsandbytes.functional import dequantize_4bit

    weight = dequantize_4bit(layer.weight.data, layer.weight.quant_state).to(torch.float32)
    return torch.nn.functional.linear(x, weight, None if layer.bias is None else layer.bias.to(torch.float32))


def _logits(model: Any, tokenizer: Any, prompts: Sequence[Prompt]) -> list[list[float]]:
    """Logits of the first token of each answer."""
    import torch

    from finetune.data import prompt_ids

    with torch.inference_mode():
        return [
            model(torch.tensor([prompt_ids(prompt.turns, tokenizer)], device=model.device)).logits[0, -1].float().tolist()
            for prompt in prompts
        ]
