"""Checks of the configuration, the base's own files and the machine."""

from __future__ import annotations

import math
import re

from finetune.checks.subject import Finding, Subject, error, warning
from finetune.run import ANSWERS, read_config

__all__ = ["compute_dtype", "held_out", "lora_scale", "lora_targets", "out_folder", "pinned_base", "remote_code", "warmup"]

#: The linear layers of one block of Llama, Mistral, Qwen and Gemma, with the module that holds them.
LAYERS = {
    **dict.fromkeys(("q_proj", "k_proj", "v_proj", "o_proj"), "self_attn"),
    **dict.fromkeys(("gate_proj", "up_proj", "down_proj"), "mlp"),
}

#: The adapter's output is scaled by alpha / r. Between these lie the recipes that we know (1 and 2), with room on both sides.
SCALES = (0.5, 4.0)


def held_out(about: Subject) -> Finding | None:
    """A held-out loss stands beside the training loss."""
    if about.eval_rows and about.config.eval_steps >= 0:
        return None
    why = "there are no held-out rows" if not about.eval_rows else "eval_steps=-1 looks at none of the held-out rows"
    return warning(
        f"{why}: a training loss alone cannot tell learning from learning by heart",
        "give --eval FILE (eval_data=FILE), or a build's folder, which holds out 2 % of the titles"
        if not about.eval_rows
        else "eval_steps=0 looks after each epoch",
    )


def compute_dtype(about: Subject) -> Finding | None:
    """The machine multiplies in the dtype that the config asks for."""
    if about.machine is None:
        return None
    dtype, (device, name, bfloat16) = about.config.compute_dtype, about.machine
    if device == "cuda" and dtype == "bfloat16" and not bfloat16:
        return error(f"{name or 'this GPU'} has no bfloat16 of its own and imitates it, several times slower", "compute_dtype=float16")
    if device == "cpu" and dtype == "float16":
        return error("a CPU computes float16 slowly, and small gradients are lost in it", "compute_dtype=bfloat16, or float32")
    return None


def lora_targets(about: Subject) -> Finding | None:
    """The adapter sits on every linear layer."""
    wanted = about.config.lora_targets
    if wanted == "all-linear":
        return None
    names = about.preset.lora_targets if about.preset else tuple(LAYERS)
    missing = [name for name in names if not _targeted(name, wanted)]
    if not missing:
        return None
    return warning(
        f"the adapter skips {', '.join(missing)}; QLoRA's paper found that it needs every linear layer to match full tuning",
        "lora_targets=all-linear",
    )


def lora_scale(about: Subject) -> Finding | None:
    """Alpha fits the rank."""
    scale = about.config.lora_alpha / about.config.lora_r
    if SCALES[0] <= scale <= SCALES[1]:
        return None
    return warning(
        f"lora_alpha / lora_r is {about.config.lora_alpha} / {about.config.lora_r} = {scale:.2g}, so the adapter speaks "
        f"{'softly' if scale < 1 else 'loudly'} at this learning rate",
        f"lora_alpha={2 * about.config.lora_r}, which is twice the rank; or choose the learning rate for this scale",
    )


def warmup(about: Subject) -> Finding | None:
    """The warmup ends well before the run does."""
    config = about.config
    if about.prepared is None or not about.prepared.rows or not config.warmup_steps:
        return None
    sequences = about.prepared.stats["packs"] if config.packing else len(about.prepared.rows)
    per_epoch = math.ceil(math.ceil(sequences / config.batch_size) / config.gradient_accumulation)
    steps = config.max_steps if config.max_steps > 0 else math.ceil(per_epoch * config.epochs)
    if config.warmup_steps <= steps / 2:
        return None
    return warning(
        f"the learning rate rises for {config.warmup_steps} of {steps} steps, and hardly trains at its full height",
        f"warmup_steps={max(0, round(steps * 0.03))}, or more steps",
    )


def out_folder(about: Subject) -> Finding | None:
    """The folder of the run is new, or holds this very run, which goes on."""
    if about.out is None or not about.out.exists():
        return None
    if not about.out.is_dir():
        return error(f"{about.out} is a file, and a run is a folder", "name a new folder")
    there = sorted(path.name for path in about.out.iterdir() if path.name != ANSWERS)  # a base may have answered there before
    if not there or _is_this_run(about):
        return None
    return error(f"{about.out} holds {', '.join(there[:3])}{' …' if len(there) > 3 else ''}, of another run", "name a new folder")


def pinned_base(about: Subject) -> Finding | None:
    """The base cannot change between two runs."""
    if about.base:
        return None
    return warning(
        f"{about.config.base} is read from the Hub as it stands there today: a later run may tune other weights",
        f"hf download {about.config.base} --revision COMMIT --local-dir bases/{about.config.base.rpartition('/')[2]}, and give that folder",
    )


def remote_code(about: Subject) -> Finding | None:
    """The base needs no program code of its own."""
    files = [name for name, values in about.base.items() if values.get("auto_map")]
    if not files:
        return None
    return error(
        f"{' and '.join(files)} of {about.config.base} ask for program code of the model's own (auto_map), which is never run here",
        "take a base whose architecture transformers knows, or remove auto_map if it does",
    )


def _targeted(name: str, wanted: str | tuple[str, ...]) -> bool:
    """Whether an adapter sits on layers of this name, as peft reads its ``target_modules``."""
    if isinstance(wanted, str):
        return re.fullmatch(wanted, f"model.layers.0.{LAYERS.get(name, 'mlp')}.{name}") is not None
    return any(name == one.rpartition(".")[2] for one in wanted)


def _is_this_run(about: Subject) -> bool:
    assert about.out is not None
    try:
        return read_config(about.out) == about.config
    except (ValueError, KeyError):
        return False
