"""What a run is: one frozen record, read from YAML or TOML, checked at the door, saved beside what it made."""

from __future__ import annotations

import dataclasses
import difflib
import math
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["Config", "load", "from_mapping", "to_dict", "HYPER"]

#: Named sets of hyper-parameters: a file and ``--set`` come after them and win.
HYPER: dict[str, dict[str, Any]] = {
    "default": {},
    # What the starting project wrote down, taken over from qlora.py (lora_dropout and weight_decay from memory).
    # Repaired on purpose, because the rest of this package does it so for every run: the stop token is trained, the loss
    # is on the answer only, a row that is too long is left out and not cut, and there is a seed.
    # Its warmup of 0.03 is 0 here: a constant schedule never read it.
    "seed-project": {
        "lora_r": 64,
        "lora_alpha": 16,
        "lora_dropout": 0.1,
        "lora_targets": ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj"),
        "learning_rate": 2e-4,
        "schedule": "constant",
        "warmup_steps": 0,
        "weight_decay": 0.001,
        "max_grad_norm": 0.3,
        "optimizer": "paged_adamw_32bit",
        "batch_size": 4,
        "epochs": 1.0,
        "max_length": 1024,
        "double_quant": True,
    },
}


@dataclass(frozen=True)
class Config:
    """One training run, enough to repeat it.

    >>> Config(base="tiny", data="clean").learning_rate
    0.0002
    >>> Config(base="tiny", data="clean", lora_r=0)
    Traceback (most recent call last):
    ValueError: lora_r: got 0, expected a whole number, at least 1

    Raises ValueError, one line, for a value of the wrong type or outside its range, and for two values that contradict each other.
    """

    base: str  #: Hub id or folder of the base model
    data: str  #: a build's folder, or a file of rows
    model: str | None = None  #: name of a preset; None: found from ``base``, else the tokenizer's own chat template
    eval_data: str | None = None  #: held-out rows; None: the build's validation split; "": none
    arm: str = ""  #: the name under which a comparison shows this run; "": the data's name
    seed: int = 0  #: of the adapter's start, the order of the rows and the dropout

    max_length: int = 1024  #: tokens of prompt, answer and stop token together
    too_long: str = "leave_out"  #: a longer row is left out, or an "error"; it is never cut
    train_stop: bool = True  #: False: the stop token gets no loss, and the model never learns to stop
    packing: bool = False  #: several whole rows in one sequence

    quantisation: str = "nf4"  #: of the base in memory: "nf4" or "none"
    double_quant: bool = True  #: quantise NF4's block constants too: 0.4 bits less for each weight
    compute_dtype: str = "bfloat16"  #: in which matrices are multiplied
    device: str = "auto"  #: "auto": CUDA where there is one

    lora_r: int = 16  #: rank of the adapter
    lora_alpha: int = 32  #: the adapter's output is scaled by alpha / r
    lora_dropout: float = 0.05  #: share of the adapter's input that is dropped in training
    adapter_dtype: str = "float32"  #: of the adapter's weights; in bfloat16 a step of a small learning rate is rounded to none
    lora_targets: str | tuple[str, ...] = "all-linear"  #: "all-linear", a regular expression, or names of layers

    learning_rate: float = 2e-4  #: at its highest
    schedule: str = "cosine"  #: how the learning rate falls
    warmup_steps: int = 10  #: steps in which the learning rate rises from 0
    weight_decay: float = 0.0  #: of the adapter's weights
    max_grad_norm: float = 1.0  #: longer gradients are shortened to this
    epochs: float = 1.0  #: times that each row is seen
    max_steps: int = -1  #: optimizer steps; -1: as many as ``epochs`` says
    batch_size: int = 8  #: rows (sequences when packing) for one forward pass
    gradient_accumulation: int = 1  #: forward passes for one optimizer step
    optimizer: str = "auto"  #: "auto": paged_adamw_32bit on CUDA, adamw_torch on a CPU
    gradient_checkpointing: bool = True  #: compute activations twice rather than keep them

    eval_steps: int = 0  #: optimizer steps between two looks at the held-out rows; 0: after each epoch; -1: never
    patience: int = 0  #: stop after so many looks without a lower held-out loss; 0: never
    save_steps: int = 0  #: optimizer steps between two checkpoints; 0: with each look, or after each epoch where there is none; -1: never
    report_to: tuple[str, ...] = ()  #: trackio, tensorboard, wandb; all of them offline

    def __post_init__(self) -> None:
        for name, law in LAWS.items():
            value = getattr(self, name)
            if not law.holds(value):
                raise ValueError(f"{name}: got {value!r}, expected {law.expected}")
        for message in _contradictions(self):
            raise ValueError(message)


class Law(NamedTuple):
    """What a field may hold: how a text from the command line is read, which values are allowed, and how to say so."""

    read: Callable[[Any], Any]
    holds: Callable[[Any], bool]
    expected: str


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, str) and re.fullmatch(r"[+-]?\d+", value.strip()) else value


def _number(value: Any) -> Any:
    # YAML 1.1 reads 2e-4, without a dot, as a text.
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value
    return float(value) if _is_int(value) else value


def _yes_or_no(value: Any) -> Any:
    return {"true": True, "false": False}.get(value.strip().lower(), value) if isinstance(value, str) else value


def _names(value: Any) -> Any:
    """A tuple of names from a list, or from a text with commas; "" and "none" are no names."""
    if isinstance(value, str):
        value = [] if value.strip().lower() in ("", "none") else [part.strip() for part in value.split(",")]
    return tuple(value) if isinstance(value, list) else value


def _targets(value: Any) -> Any:
    return _names(value) if not isinstance(value, str) or _is_list(value) else value


def _is_list(targets: str) -> bool:
    """True when a text of targets is a list of names with commas, not "all-linear", one name or a regular expression."""
    return "," in targets and all(part.strip().isidentifier() for part in targets.split(","))


def _or_none(value: Any) -> Any:
    return None if isinstance(value, str) and value.strip().lower() in ("none", "null") else value


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _are_names(value: Any) -> bool:
    return isinstance(value, tuple) and all(isinstance(name, str) and bool(name) for name in value)


def _text(expected: str = "a text that is not empty", *, empty: bool = False, none: bool = False) -> Law:
    def holds(value: Any) -> bool:
        return (none and value is None) or (isinstance(value, str) and (empty or bool(value.strip())))

    return Law(_or_none if none else lambda value: value, holds, expected)


def _at_least(low: int) -> Law:
    return Law(_whole, lambda value: _is_int(value) and value >= low, f"a whole number, at least {low}")


def _number_that(holds: Callable[[float], bool], expected: str) -> Law:
    def good(value: Any) -> bool:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and holds(value)

    return Law(_number, good, expected)


def _one_of(*choices: str) -> Law:
    return Law(lambda value: value, lambda value: isinstance(value, str) and value in choices, f"one of {', '.join(choices)}")


_FLAG = Law(_yes_or_no, lambda value: isinstance(value, bool), "true or false")
_POSITIVE = _number_that(lambda value: value > 0, "a number above 0")
_NOT_NEGATIVE = _number_that(lambda value: value >= 0, "a number, at least 0")
_REPORTS = ("trackio", "tensorboard", "wandb")

#: Field -> its law, in the order of the record.
LAWS: dict[str, Law] = {
    "base": _text("the Hub id or the folder of a base model"),
    "data": _text("the folder of a build, or a file of rows"),
    "model": _text("the name of a preset, or nothing", none=True),
    "eval_data": _text('a file of rows, "" for none, or nothing for the validation split', empty=True, none=True),
    "arm": _text("a text", empty=True),
    "seed": _at_least(0),
    "max_length": _at_least(8),  # a prompt, a letter of answer and a stop token hardly need less
    "too_long": _one_of("leave_out", "error"),
    "train_stop": _FLAG,
    "packing": _FLAG,
    "quantisation": _one_of("nf4", "none"),
    "double_quant": _FLAG,
    "compute_dtype": _one_of("bfloat16", "float16", "float32"),
    "device": _one_of("auto", "cpu", "cuda"),
    "lora_r": _at_least(1),
    "lora_alpha": _at_least(1),
    "lora_dropout": _number_that(lambda value: 0 <= value < 1, "a number from 0, below 1"),
    "adapter_dtype": _one_of("bfloat16", "float32"),
    "lora_targets": Law(
        _targets,
        lambda value: bool(value) and (isinstance(value, str) or _are_names(value)),
        '"all-linear", a regular expression, or a list of names of layers',
    ),
    "learning_rate": _POSITIVE,
    "schedule": _one_of("cosine", "linear", "constant", "constant_with_warmup"),
    "warmup_steps": _at_least(0),
    "weight_decay": _NOT_NEGATIVE,
    "max_grad_norm": _NOT_NEGATIVE,
    "epochs": _POSITIVE,
    "max_steps": Law(_whole, lambda value: _is_int(value) and (value == -1 or value >= 1), "a whole number above 0, or -1"),
    "batch_size": _at_least(1),
    "gradient_accumulation": _at_least(1),
    "optimizer": _one_of("auto", "adamw_torch", "paged_adamw_32bit", "paged_adamw_8bit", "adamw_8bit"),
    "gradient_checkpointing": _FLAG,
    "eval_steps": _at_least(-1),
    "patience": _at_least(0),
    "save_steps": _at_least(-1),
    "report_to": Law(_names, lambda value: _are_names(value) and set(value) <= set(_REPORTS), f"none or some of {', '.join(_REPORTS)}"),
}


def _contradictions(config: Config) -> list[str]:
    """What no single field can know, each with what to do about it."""
    found = []
    if config.patience and (config.eval_steps == -1 or config.eval_data == ""):
        found.append(f"patience: {config.patience} needs held-out rows to look at; give eval_data and eval_steps >= 0, or patience=0")
    kept = config.save_steps == 0 or (config.save_steps > 0 < config.eval_steps and config.save_steps % config.eval_steps == 0)
    if config.patience and not kept:
        found.append(
            f"save_steps: {config.save_steps} with eval_steps {config.eval_steps} leaves the best checkpoint unsaved;"
            " take a multiple of eval_steps, or save_steps=0"
        )
    if config.schedule == "constant" and config.warmup_steps:
        found.append(
            f"warmup_steps: {config.warmup_steps} does nothing with schedule=constant; take constant_with_warmup, or warmup_steps=0"
        )
    return found


def load(path: Path | None, settings: Sequence[str] = (), preset: str | None = None) -> Config:
    """The config from a YAML or TOML file, then ``key=value`` settings on top; a preset of hyper-parameters lies below both.

    >>> load(None, ["base=tiny", "data=clean", "learning_rate=1e-3"], "seed-project").lora_r
    64

    Raises ValueError when the file is not there, cannot be read, or says what no config may say.
    """
    if preset is not None and preset not in HYPER:
        raise ValueError(f"no hyper-parameters {preset!r}; there are {', '.join(HYPER)}")
    values = {**HYPER[preset or "default"], **(_read(path) if path is not None else {}), **dict(map(_setting, settings))}
    try:
        return from_mapping(values)
    except ValueError as error:
        raise ValueError(f"{path}: {error}" if path is not None else str(error)) from None


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: cannot be read as a config: {getattr(error, 'strerror', None) or 'not UTF-8'}") from None
    parsers: dict[str, Callable[[str], Any]] = {".yaml": _yaml, ".yml": _yaml, ".toml": tomllib.loads}
    if path.suffix.lower() not in parsers:
        raise ValueError(f"{path}: got the ending {path.suffix!r}, expected .yaml, .yml or .toml")
    try:
        values = parsers[path.suffix.lower()](text)
    except ValueError as error:
        raise ValueError(f"{path}: {' '.join(str(error).split())}") from None
    if not isinstance(values, dict):
        raise ValueError(
            f"{path}: got {type(values).__name__}, expected lines of `key: value`" + (" (the file is empty)" if values is None else "")
        )
    return values


def _yaml(text: str) -> Any:
    try:
        import yaml  # type: ignore[import-untyped]
    except ImportError:
        raise ImportError("a YAML config needs PyYAML: pip install 'thaiwiki-clean[train]'; or write it as TOML") from None
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from None


def _setting(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise ValueError(f"--set {text}: expected key=value")
    return key.strip(), value.strip()


def from_mapping(values: Mapping[str, Any]) -> Config:
    """The config that a mapping describes: a parsed file, or what :func:`to_dict` gave.

    >>> from_mapping({"base": "tiny", "data": "clean", "lora_rank": 8})
    Traceback (most recent call last):
    ValueError: lora_rank: no such setting; did you mean lora_r?

    Texts are read as numbers and flags where the field holds such. Raises ValueError, one line, for the first thing that is wrong.
    """
    for key in values:
        if key not in LAWS:
            near = difflib.get_close_matches(str(key), LAWS, n=1, cutoff=0.5)
            raise ValueError(f"{key}: no such setting; " + (f"did you mean {near[0]}?" if near else f"there are {', '.join(LAWS)}"))
    for field in dataclasses.fields(Config):
        if field.default is dataclasses.MISSING and field.name not in values:
            raise ValueError(f"{field.name}: missing, expected {LAWS[field.name].expected}")
    return Config(**{key: LAWS[key].read(value) for key, value in values.items()})


def to_dict(config: Config) -> dict[str, Any]:
    """The config as JSON can hold it; ``from_mapping`` gives the same config back.

    >>> to_dict(Config(base="tiny", data="clean", report_to=("wandb",)))["report_to"]
    ['wandb']
    """
    return {key: list(value) if isinstance(value, tuple) else value for key, value in dataclasses.asdict(config).items()}
