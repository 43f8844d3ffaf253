"""What a run will hold in memory, reckoned from the base's config.json before any weight is read."""

from __future__ import annotations

import contextlib
import re
import resource
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from finetune.config import Config
from finetune.models import adapter_layers, linear_layers, pick_device, skeleton

__all__ = ["Estimate", "check_memory", "estimate_memory", "forget_peak", "free_memory", "peak_memory"]

GB = 1e9
_FORGET, _STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")
CGROUP = Path("/sys/fs/cgroup")  #: where Linux tells a container its limits

_BYTES = {"float32": 4, "float16": 2, "bfloat16": 2}
_OPTIMIZER = {
    "paged_adamw_32bit": 8,
    "paged_adamw_8bit": 2,
    "adamw_8bit": 2,
}  #: bytes for each weight trained; torch's has two of its own type

# NF4 keeps one constant for each block of 64 weights, in float32; double quantisation keeps it in 8 bits, and one float32
# for each 256 of those (QLoRA, arXiv 2305.14314, section 3).
_NF4 = 0.5 + 4 / 64
_NF4_DOUBLE = 0.5 + 1 / 64 + 4 / (64 * 256)


@dataclass(frozen=True)
class Estimate:
    """Bytes, by what they are for.

    >>> Estimate(weights=4_000_000_000, adapter=160_000_000, gradients=160_000_000, optimizer=320_000_000, activations=2_000_000_000).line()
    'about 6.6 GB: weights 4.0, adapter 0.2, gradients 0.2, optimizer 0.3, activations 2.0'
    """

    weights: int
    adapter: int
    gradients: int
    optimizer: int
    activations: int

    @property
    def total(self) -> int:
        """All of it, as if all peaks fell together: a little more than is needed."""
        return self.weights + self.adapter + self.gradients + self.optimizer + self.activations

    def line(self) -> str:
        """One sentence, in GB of 1,000,000,000 bytes."""
        parts = ("weights", "adapter", "gradients", "optimizer", "activations")
        return f"about {self.total / GB:.1f} GB: " + ", ".join(f"{name} {getattr(self, name) / GB:.1f}" for name in parts)


class _Shape(NamedTuple):
    """The numbers of a model that memory goes by, each an int."""

    in_layers: int  #: weights in linear layers
    others: int  #: weights elsewhere: embeddings, output head, norms
    trained: int  #: weights of the adapter
    biggest: int  #: weights of the largest linear layer
    outputs: int  #: features that one block's linear layers give
    inputs: int  #: features that one block's adapters read
    layers: int
    hidden: int
    feed_forward: int
    vocabulary: int


def _shape(config: Config) -> _Shape:
    model = skeleton(config.base)
    linear = [layer for _, layer in linear_layers(model)]
    adapted = [layer for _, layer in adapter_layers(model, config)]
    held = {id(layer.weight) for layer in linear}
    text = model.config.get_text_config()
    return _Shape(
        in_layers=sum(layer.weight.numel() for layer in linear),
        others=sum(weight.numel() for weight in model.parameters() if id(weight) not in held),
        trained=sum(config.lora_r * (layer.in_features + layer.out_features) for layer in adapted),
        biggest=max(layer.weight.numel() for layer in linear),
        outputs=sum(layer.out_features for layer in linear) // text.num_hidden_layers,
        inputs=sum(layer.in_features for layer in adapted) // text.num_hidden_layers,
        layers=text.num_hidden_layers,
        hidden=text.hidden_size,
        feed_forward=text.intermediate_size,
        vocabulary=text.vocab_size,
    )


def estimate_memory(config: Config, *, longest: int | None = None) -> Estimate:
    """How much the run will hold at most, weights and activations together.

    ``longest`` is the number of tokens of the longest row; without it rows are as long as ``max_length``.
    What torch itself takes, and what the allocator loses between tensors, is not in it: count on a tenth more on a GPU.
    """
    shape, device = _shape(config), pick_device(config.device)
    dense, adapter = _BYTES[config.compute_dtype], _BYTES[config.adapter_dtype]
    in_memory = dense if config.quantisation == "none" else _NF4_DOUBLE if config.double_quant else _NF4
    optimizer = "paged_adamw_32bit" if config.optimizer == "auto" and device == "cuda" else config.optimizer
    tokens = config.batch_size * (config.max_length if config.packing or longest is None else min(longest, config.max_length))
    return Estimate(
        weights=round(shape.in_layers * in_memory) + shape.others * dense,
        adapter=shape.trained * adapter,
        gradients=shape.trained * adapter,
        optimizer=shape.trained * _OPTIMIZER.get(optimizer, 2 * adapter),
        activations=_activations(config, shape, tokens, device),
    )


def _activations(config: Config, shape: _Shape, tokens: int, device: str) -> int:
    """What a forward pass leaves for the backward pass, and what the backward pass needs for a moment.

    With checkpointing one hidden state for each block, and all that one block computes; without it, all that each block computes.
    """
    dense = _BYTES[config.compute_dtype]
    unpacked = shape.biggest * dense if config.quantisation == "nf4" else 0  # the layer that is being multiplied
    scoring = _scoring(shape, tokens, dense, device)
    block = tokens * _inside(config, shape, device)
    if config.gradient_checkpointing:
        # The output head and the block that is computed again come one after the other.
        return tokens * shape.hidden * (dense * shape.layers + 4) + max(block + unpacked, scoring)
    return tokens * shape.hidden * 4 + block * shape.layers + max(unpacked, scoring)


def _inside(config: Config, shape: _Shape, device: str) -> int:
    """Bytes for each token that one block keeps for its backward pass."""
    dense = _BYTES[config.compute_dtype]
    # Which inputs were dropped: torch remembers it in a byte on CUDA, in a float on a CPU.
    mask = 0 if not config.lora_dropout else 1 if device == "cuda" else 4
    return (
        shape.outputs * dense  # of each linear layer
        + shape.inputs * (dense + mask)  # the adapters' own copies
        + 3 * shape.hidden * dense  # queries and keys once more, turned by their place; the attention's output
        + 2 * shape.hidden * 4  # what the two norms read, in float32
        + 2 * shape.feed_forward * dense  # the activation, and its product with the other half
    )


def _scoring(shape: _Shape, tokens: int, dense: int, device: str) -> int:
    """The tiles in which trl scores tokens, instead of all logits at once (trl 1.16, kernels/chunked_logprob.py)."""
    rows, columns = min(tokens, 4096), 32768
    tile = rows * columns * dense
    if device == "cuda":
        return tile
    return tile + 7 * 4 * rows * min(columns, shape.vocabulary)  # a CPU folds a tile in seven steps of float32


def check_memory(config: Config, *, longest: int | None = None, free: int | None = None) -> str:
    """The estimate as one sentence. Raises ValueError, one line, when it is more than what is free (bytes; measured if not given)."""
    device = pick_device(config.device)
    estimate = estimate_memory(config, longest=longest)
    there = free_memory(device) if free is None else free
    if there is not None and estimate.total > there:
        raise ValueError(
            f"the run needs {estimate.line()}; {there / GB:.1f} GB are free on this {'GPU' if device == 'cuda' else 'machine'};"
            f" take {_smaller(config, estimate)}"
        )
    return f"memory: {estimate.line()}" + (f"; {there / GB:.1f} GB are free" if there is not None else "")


def _smaller(config: Config, estimate: Estimate) -> str:
    """What helps most, first."""
    if estimate.activations > estimate.weights:
        steps = []
        if not config.gradient_checkpointing:
            steps.append("gradient_checkpointing=true")
        if config.batch_size > 1:
            half = config.batch_size // 2
            steps.append(f"batch_size={half} and gradient_accumulation={-(-config.batch_size * config.gradient_accumulation // half)}")
        return ", ".join([*steps, "a smaller max_length"])
    return "quantisation=nf4" if config.quantisation == "none" else "a smaller base"


def free_memory(device: str) -> int | None:
    """Bytes that a run can still take on the device, None where the system does not say."""
    if device == "cuda":
        import torch

        return int(torch.cuda.mem_get_info()[0])
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    kilobytes = {line.split(":")[0]: int(line.split()[1]) for line in lines}
    return min(kilobytes["MemAvailable"] * 1024, _left_to_container())


def _left_to_container() -> int:
    """What a container's own limit leaves; very much where there is none. Pages of files that were read do not count as used."""
    try:
        limit, used = ((CGROUP / name).read_text(encoding="ascii").strip() for name in ("memory.max", "memory.current"))
        files = dict(line.split() for line in (CGROUP / "memory.stat").read_text(encoding="ascii").splitlines())["inactive_file"]
    except (OSError, KeyError, ValueError):
        return 1 << 62
    return 1 << 62 if limit == "max" else int(limit) - int(used) + int(files)


def forget_peak() -> None:
    """Let :func:`peak_memory` count from now on: several runs may follow each other in one process.

    On a GPU and on Linux; elsewhere the peak stays that of the whole process.
    """
    torch = sys.modules.get("torch")
    if torch and torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    with contextlib.suppress(OSError):
        _FORGET.write_text("5", encoding="ascii")  # proc(5): sets the peak to what is held now


def peak_memory(device: str) -> int:
    """Bytes held at most: on a GPU by torch, there; on a CPU by the process, libraries and all."""
    if device == "cuda":
        import torch

        return int(torch.cuda.max_memory_allocated())
    with contextlib.suppress(OSError):
        found = re.search(r"^VmHWM:\s*(\d+) kB$", _STATUS.read_text(encoding="utf-8"), re.MULTILINE)
        if found:
            return 1024 * int(found[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
