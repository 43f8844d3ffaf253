"""The records of a comparison: what was asked, what was estimated, what is shown. No reading, no statistics, no words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from finetune.bootstrap import Estimate
from finetune.comparable import Difference

__all__ = [
    *("Arm", "Comparison", "Contrast", "Contrasted", "Shown", "Study"),
    *("BESIDE", "ESTIMATED", "HEADLINE", "PUBLISHED", "PUBLISHED_UNTUNED", "SECONDARY"),
]

HEADLINE = "mass"
BESIDE = ("no_stop", "header_echo", "n_tokens", "n_graphemes")
SECONDARY = ("dup_line_chars", "rep16g", "seq_rep_4", "diversity")
#: In which a difference is estimated; rep_2 is pooled over answers, as its paper does, and has no value for one prompt.
ESTIMATED = (HEADLINE, *BESIDE, *SECONDARY)

#: "Repetition In Repetition Out" (Li et al., NeurIPS 2023, arXiv 2310.10226): QLoRA on Llama-2-7B, rep-2 in percent of the
#: fine-tuning data and of the greedy answers on WikiText-103. Their words are between blanks, ours are PyThaiNLP's.
PUBLISHED = (("Alpaca", 5.54, 15.08), ("Alpaca and WikiText-103", 9.67, 41.63), ("WikiText-103", 10.31, 54.10))
PUBLISHED_UNTUNED = 47.79


class Contrast(NamedTuple):
    """A question put to the arms: ``a`` less ``b``; without ``b`` how much ``a`` has by itself.

    ``a`` and ``b`` are names of arms. "x + y" against "u + v" takes the sums, so that
    ``raw_nostop + clean`` against ``raw + clean_nostop`` is the interaction of two dials.
    """

    a: str
    b: str = ""
    label: str = ""
    question: str = ""
    dial: tuple[str, ...] = ()  #: the fields in which these arms may differ; (): one of the comparison's
    seeds: tuple[int, ...] = ()  #: the seeds to compare; (): all, and both sides must have the same

    @property
    def name(self) -> str:
        """What tables call it."""
        return self.label or (f"{self.a} − {self.b}" if self.b else self.a)

    def sides(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The arms that are added, and those that are taken away."""
        return tuple(self.a.split(" + ")), tuple(self.b.split(" + ")) if self.b else ()


class Study(NamedTuple):
    """What was written down before the runs; the report prints it before any result."""

    question: str = ""
    hypothesis: str = ""
    measure: str = ""
    stopping_rule: str = ""


class Contrasted(NamedTuple):
    """A contrast with its estimates: setting -> measure -> estimate."""

    contrast: Contrast
    differs: tuple[Difference, ...]  #: in which fields the two arms differ
    seeds: tuple[int, ...]  #: empty where only the untrained base takes part
    effects: Mapping[str, Mapping[str, Estimate]]
    held_out: Estimate | None  #: difference of the held-out losses, paired by seed


@dataclass(frozen=True)
class Arm:
    """What one arm was trained on, and what it wrote."""

    name: str
    trained: bool
    seeds: tuple[int, ...]
    runs: tuple[str, ...]  #: names of the folders, in the order of the seeds
    config: Mapping[str, Any]  #: of the first seed
    data: Mapping[str, Any]  #: what run.json says of the training rows, without titles
    training: Mapping[str, Any]  #: means over the training answers
    longest: int | None  #: tokens of the longest training answer
    levels: Mapping[str, Mapping[str, Estimate]]  #: setting -> measure -> mean
    rep_2: Mapping[str, float | None]  #: setting -> rep-2 pooled over all answers
    held_out: tuple[float, ...]  #: held-out loss by seed; empty where it was not watched
    steps: tuple[int, ...]
    trained_tokens: tuple[int, ...]
    seconds: tuple[float, ...]
    losses: tuple[Sequence[Mapping[str, Any]], ...]  #: by seed


class Shown(NamedTuple):
    """A prompt with what each arm answered in its first seed."""

    prompt: str
    title: str
    why: str
    answers: tuple[tuple[str, str, Mapping[str, Any]], ...]  #: arm, answer, its measures


@dataclass(frozen=True)
class Comparison:
    """Everything that the report says."""

    study: Study
    arms: tuple[Arm, ...]
    contrasts: tuple[Contrasted, ...]
    headline: Contrasted
    measure: str  #: the headline's
    setting: str  #: the headline's
    settings: tuple[Mapping[str, Any], ...]
    n_prompts: int
    shown: tuple[Shown, ...]
    notes: tuple[str, ...]
    draws: int
    seed: int

    @property
    def attribution(self) -> tuple[Contrasted, ...]:
        """The contrasts that answer a question."""
        return tuple(each for each in self.contrasts if each.contrast.question)

    def arm(self, name: str) -> Arm:
        """The arm with this name."""
        return next(arm for arm in self.arms if arm.name == name)

    def tuned(self, each: Contrasted) -> bool:
        """Whether all arms of a contrast were trained."""
        return all(self.arm(name).trained for side in each.contrast.sides() for name in side)
