"""Runs read from their folders, and what may not differ between two of them: a comparison has one dial.

A difference is refused by name, with both values: whatever else differs would stand in the result, and nobody could tell it from the dial.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from finetune.measure import TRAINING, measure_run
from finetune.run import ANSWERS, CONFIG, RECORD, TRAINING_ANSWERS, about, read_json, read_jsonl

__all__ = ["Arms", "Difference", "Run", "check_prompts", "common_differences", "differences", "group", "read_runs"]

#: What no base decides by its own, so that a base without an adapter has no say in it: it was not trained.
_OF_BASES = ("model", "quantisation", "double_quant", "compute_dtype", "device")
#: What differs between any two runs, or is told by a fingerprint instead of a place.
_OWN = frozenset({"arm", "seed", "base", "data"})
_OWN_SETTING = frozenset({"arm", "run_seed", "adapter_sha256"})

Rows = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Run:
    """One run as its folder tells it."""

    folder: Path
    arm: str
    seed: int
    trained: bool  #: False: the base by itself
    about: Mapping[str, Any]  #: run.json
    record: Mapping[str, Any]  #: record.json; empty for a base
    generation: Mapping[str, Mapping[str, Any]]  #: setting -> how its answers were drawn
    answers: Mapping[str, Rows]  #: setting -> prompt id -> the answer as it was written
    measures: Mapping[str, Rows]  #: setting -> prompt id -> the measures of the answer
    training: Sequence[Mapping[str, Any]]  #: measures of the answers that it was trained on
    titles: frozenset[str]  #: of the articles that it was trained on

    @property
    def name(self) -> str:
        """How messages call it."""
        return self.folder.name

    @property
    def held_out(self) -> float | None:
        """The held-out loss of the weights that answered: the best one seen, where these were kept; else the last."""
        best = self.record.get("best_eval_loss")
        seen = [entry["eval_loss"] for entry in self.record.get("losses", ()) if entry.get("eval_loss") is not None]
        return float(best) if best is not None else float(seen[-1]) if seen else None

    @property
    def watched(self) -> Any:
        """What the held-out loss was measured on."""
        watched = self.about.get("eval_data")
        return watched.get("fingerprint") if isinstance(watched, dict) else self.about.get("config", {}).get("eval_data")


class Difference(NamedTuple):
    """A field in which two runs differ, and its values."""

    field: str
    a: Any
    b: Any

    def says(self, a: str, b: str) -> str:
        """The difference as half a sentence."""
        return f"{self.field}: {self.a!r} in {a}, {self.b!r} in {b}"


#: Arm -> seed -> run.
Arms = Mapping[str, Mapping[int, Run]]


def read_runs(folders: Iterable[Path], settings: Collection[str] = ()) -> list[Run]:
    """The runs in ``folders``, sorted by arm and seed, with the answers of ``settings``, or of all there are.

    Raises ValueError for a folder that is no run, or whose answers do not belong to it.
    """
    known: dict[str, list[dict[str, Any]]] = {}
    runs = [_read(Path(folder), settings, known) for folder in folders]
    return sorted(runs, key=lambda run: (run.arm, run.seed, str(run.folder)))


def _read(folder: Path, settings: Collection[str], known: dict[str, list[dict[str, Any]]]) -> Run:
    told = _json(folder / CONFIG) if (folder / CONFIG).exists() else about(folder)
    measured = measure_run(folder, known)["settings"]
    names = [name for name in measured if name != TRAINING and (not settings or name in settings)]
    answers = {name: _by_prompt(folder / ANSWERS / f"{name}.jsonl") for name in names}
    generation = {name: _json(folder / ANSWERS / f"{name}.json") for name in names}
    config = told.get("config", {})
    trained = told.get("adapter", True) is not None and all(how.get("adapter_sha256", True) is not None for how in generation.values())
    if trained and TRAINING not in measured:
        raise ValueError(f"{folder}: no {TRAINING_ANSWERS}, so nobody knows what it was trained on; train it again")
    trained_on = read_jsonl(folder / TRAINING_ANSWERS) if trained else []
    arm = config.get("arm") or next((how["arm"] for how in generation.values() if how.get("arm")), folder.name)
    run = Run(
        folder=folder,
        arm=str(arm),
        seed=int(config.get("seed", told.get("seed", 0))),
        trained=trained,
        about=told,
        record=_json(folder / RECORD) if trained and (folder / RECORD).exists() else {},
        generation=generation,
        answers=answers,
        measures={name: dict(zip(answers[name], measured[name]["rows"], strict=True)) for name in names},
        training=measured[TRAINING]["rows"] if trained else (),
        titles=frozenset(_title(row.get("title") or "") for row in trained_on)
        | frozenset(map(_title, told.get("data", {}).get("titles") or () if trained else ())),
    )
    _check_own(run)
    return run


def _json(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = read_json(path)
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from None
    return found


def _by_prompt(path: Path) -> dict[str, dict[str, Any]]:
    rows: dict[str, dict[str, Any]] = {}
    for number, row in enumerate(read_jsonl(path), 1):
        key = str(row.get("prompt_id", ""))
        if not key or key in rows:
            raise ValueError(f"{path}:{number}: prompt_id {key!r} {'stands twice' if key else 'is missing'}; answers are paired by it")
        rows[key] = row
    if not rows:
        raise ValueError(f"{path} holds no answer; generate them again")
    return rows


def _title(title: str) -> str:
    return " ".join(title.replace("_", " ").split()).casefold()


def _check_own(run: Run) -> None:
    """The answers are of this run's base, in the precision it was trained in, and ask for no title it was trained on."""
    for name, how in run.generation.items():
        for field in ("base_fingerprint", "quantisation"):
            if field in how and field in run.about and how[field] != run.about[field]:
                raise ValueError(
                    f"{run.folder}: {field} is {_short(run.about[field])} in {CONFIG}, {_short(how[field])} in {ANSWERS}/{name}.json; "
                    "the answers are another model's: generate them again"
                )
        both = sorted({_title(row.get("title") or "") for row in run.answers[name].values()} & run.titles - {""})
        if both:
            raise ValueError(
                f"{run.folder}: {len(both)} titles that are asked for stand among its training titles, {both[0]!r} is one; "
                "ask for titles that no arm was trained on"
            )


def _short(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True) if isinstance(value, dict) else repr(value)


def group(runs: Iterable[Run]) -> dict[str, dict[int, Run]]:
    """The runs by arm and seed.

    Raises ValueError for two runs with one arm and seed, and for runs of one arm that differ in anything but the seed.
    """
    arms: dict[str, dict[int, Run]] = {}
    for run in runs:
        seeds = arms.setdefault(run.arm, {})
        if run.seed in seeds:
            raise ValueError(f"{seeds[run.seed].folder} and {run.folder} are both arm {run.arm!r}, seed {run.seed}; give one of them")
        if seeds:
            first = next(iter(seeds.values()))
            check_prompts(first, run)
            if found := differences(first, run):
                raise ValueError(f"arm {run.arm!r}: its runs may differ in the seed alone, found {found[0].says(first.name, run.name)}")
        seeds[run.seed] = run
    return arms


def check_prompts(a: Run, b: Run) -> None:
    """Raises ValueError unless two runs answered the same prompts in the same settings."""
    if set(a.answers) != set(b.answers):
        name = sorted(set(a.answers) ^ set(b.answers))[0]
        has, lacks = (a, b) if name in a.answers else (b, a)
        raise ValueError(
            f"answers/{name}.jsonl: in {has.name}, not in {lacks.name}; generate it there, or name the settings that both have (--setting)"
        )
    for name in a.answers:
        asked, other = a.answers[name], b.answers[name]
        if odd := sorted(set(asked) ^ set(other)):
            has, lacks = (a, b) if odd[0] in asked else (b, a)
            raise ValueError(f"prompts: {odd[0]!r} is answered in {has.name}, not in {lacks.name} ({name}); arms answer the same prompts")
        for key, row in asked.items():
            if row.get("prompt") != other[key].get("prompt"):
                raise ValueError(
                    f"prompts: {key!r} asks {row.get('prompt')!r} in {a.name}, {other[key].get('prompt')!r} in {b.name} ({name}); "
                    "arms answer the same prompts"
                )


def differences(a: Run, b: Run) -> list[Difference]:
    """Every field but arm and seed in which two runs differ; of a base without an adapter, only what makes a base."""
    both = a.trained and b.trained
    configured = _different(_config(a, both), _config(b, both), "")
    return [*configured, *common_differences(a, b), *(_different_data(a, b) if both else [])]


def common_differences(a: Run, b: Run) -> list[Difference]:
    """What no dial turns: the base, what was in memory, versions, and how answers were drawn."""
    found: list[Difference] = []
    for name in ("base_fingerprint", "quantisation", "versions", "device"):
        found += _different({name: a.about.get(name)}, {name: b.about.get(name)}, "")
    for setting, how in a.generation.items():
        one, other = ({k: v for k, v in each.items() if k not in _OWN_SETTING} for each in (how, b.generation[setting]))
        found += _different(one, other, f"{setting}.")
    return found


def _config(run: Run, trained: bool) -> dict[str, Any]:
    config: dict[str, Any] = run.about.get("config", {})
    return {k: v for k, v in config.items() if k not in _OWN and (trained or k in _OF_BASES)}


def _different_data(a: Run, b: Run) -> list[Difference]:
    """Rows are told by their fingerprint: the same file may lie in two places, and another one in the same place."""
    paths = [run.about.get("config", {}).get("data") for run in (a, b)]
    prints = [run.about.get("data", {}).get("fingerprint") for run in (a, b)]
    if prints[0] == prints[1] and (prints[0] is not None or paths[0] == paths[1]):
        return []
    return [Difference("data", *(paths if paths[0] != paths[1] else prints))]


def _different(a: Mapping[str, Any], b: Mapping[str, Any], prefix: str) -> Iterator[Difference]:
    for name in dict.fromkeys([*a, *b]):
        one, other = a.get(name), b.get(name)
        if isinstance(one, dict) and isinstance(other, dict):
            yield from _different(one, other, f"{prefix}{name}.")
        elif one != other:
            yield Difference(f"{prefix}{name}", one, other)
