"""Compare arms: what the dial did to repetition, how sure that is, and how much of it stood in the data already.

    runs -> arms (finetune.comparable refuses what may not differ) -> estimates (finetune.bootstrap) -> Comparison -> JSON, Markdown, HTML

The headline is one measure, in one setting, of one pair of arms, named before the runs. Everything else stands beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np

from finetune.bootstrap import Estimate, Floats, estimate, over_seeds
from finetune.comparable import Arms, Difference, Run, check_prompts, common_differences, differences, group, read_runs
from finetune.comparison import ESTIMATED, HEADLINE, SECONDARY, Arm, Comparison, Contrast, Contrasted, Shown, Study
from finetune.comparison_notes import notes
from finetune.comparison_plan import pair_of, read_study
from finetune.measure import answer_files, summary

__all__ = ["compare", "compare_command", "read_study", "write"]


def compare(
    runs: Iterable[Path | str],
    *,
    contrasts: Iterable[Sequence[Any]] = (),
    attribution: Iterable[Sequence[Any]] = (),
    dial: Sequence[str] = ("data",),
    headline: tuple[str, str] | tuple[str, str, str] | None = None,
    settings: Sequence[str] = (),
    study: Study = Study(),  # noqa: B008 - a tuple
    draws: int = 10_000,
    seed: int = 0,
) -> Comparison:
    """The comparison of finished runs with their answers; the order of ``runs`` does not matter.

    ``contrasts`` are pairs (a, b) or :class:`Contrast`; ``attribution`` are (label, a, b, question). ``headline`` is a pair, and a measure
    where it is not the repetition mass; without one the first contrast is it. The first of ``settings`` is the headline's, "greedy"
    where nothing is said. Raises ValueError, one line, for runs that cannot be compared.
    """
    found = read_runs(map(Path, runs), settings)
    if not found:
        raise ValueError("no runs to compare; name their folders")
    arms = group(found)
    asked = [Contrast(*each) for each in contrasts] + [Contrast(a, b, label, question) for label, a, b, question in attribution]
    main, measure = _headline(asked, headline, arms)
    if all((each.a, each.b) != (main.a, main.b) for each in asked):
        asked.insert(0, main)
    names = tuple(settings) or tuple(answer_settings(found[0]))
    _check_all(arms)
    if measure not in ESTIMATED:
        raise ValueError(f"no measure {measure!r} has a value for each prompt; there are {', '.join(ESTIMATED)}")
    if missing := [name for name in names if name not in found[0].answers]:
        raise ValueError(f"no answers in the setting {missing[0]!r}; there are {', '.join(found[0].answers)}")
    values = _Values(arms, names)
    done = [_contrasted(each, arms, tuple(dial), values, draws, seed) for each in asked]
    at = next(i for i, each in enumerate(done) if (each.contrast.a, each.contrast.b) == (main.a, main.b))
    done = _beside_the_headline(done, at, measure)
    first = done[at]
    if measure not in first.effects[names[0]]:
        raise ValueError(f"the answers do not say {measure} in {names[0]}: they lack token ids or the reason why they stopped")
    order = _order(arms, asked)
    return Comparison(
        study=study,
        arms=tuple(_arm(name, arms[name], values, draws, seed) for name in order),
        contrasts=tuple(done),
        headline=first,
        measure=measure,
        setting=names[0],
        settings=tuple({"name": name} | {k: v for k, v in found[0].generation[name].items() if k not in _NOT_SETTING} for name in names),
        n_prompts=len(values.prompts),
        shown=tuple(_shown(first, measure, names[0], arms, order, values, seed)),
        notes=tuple(notes(arms, done, names, measure)),
        draws=draws,
        seed=seed,
    )


_NOT_SETTING = frozenset({"arm", "run_seed", "adapter_sha256", "quantisation", "base_fingerprint", "prompts_sha256"})


def answer_settings(run: Run) -> list[str]:
    """The settings of a run's answers, greedy first."""
    return [name for name in answer_files(run.folder) if name in run.answers]


def _headline(asked: Sequence[Contrast], headline: Sequence[str] | None, arms: Arms) -> tuple[Contrast, str]:
    if headline:
        pair, measure = tuple(headline[:2]), headline[2] if len(headline) > 2 else HEADLINE
        return next((each for each in asked if (each.a, each.b) == pair), Contrast(headline[0], headline[1])), measure
    pairs = [each for each in asked if each.b]
    if not pairs:
        raise ValueError(f"which arms are compared? Name two of {', '.join(sorted(arms))}: --headline A:B")
    return pairs[0], HEADLINE


def _check_all(arms: Arms) -> None:
    """All runs answered the same prompts; bases, precision, versions and settings are one. What arms were trained on is asked later."""
    runs = [run for seeds in arms.values() for run in seeds.values()]
    for run in runs[1:]:
        check_prompts(runs[0], run)
        for found in common_differences(runs[0], run):
            raise ValueError(f"{found.says(runs[0].name, run.name)}; runs that are compared have it in common")


# ---- values


class _Values:
    """The measures as arrays; prompts in the order of their ids, seeds in theirs."""

    def __init__(self, arms: Arms, settings: Sequence[str]) -> None:
        self.arms = arms
        self.settings = settings
        first = next(iter(next(iter(arms.values())).values()))
        self.prompts = sorted(first.answers[settings[0]])

    def of(self, arm: str, setting: str, measure: str, seeds: Sequence[int] = ()) -> Floats:
        """(seeds, prompts) float64; nan where an answer lacks the measure. A base by itself has one row, whatever the seeds."""
        runs = self.arms[arm]
        wanted = [runs[seed] for seed in seeds if seed in runs] if seeds and next(iter(runs.values())).trained else [*runs.values()]
        rows = [[run.measures[setting][key].get(measure) for key in self.prompts] for run in wanted]
        return np.array([[np.nan if value is None else value for value in row] for row in rows], np.float64)


def _contrasted(contrast: Contrast, arms: Arms, dial: tuple[str, ...], values: _Values, draws: int, seed: int) -> Contrasted:
    a, b = contrast.sides()
    for name in (*a, *b):
        if name not in arms:
            raise ValueError(f"no arm {name!r}; there are {', '.join(sorted(arms))}")
    if b and len(a) != len(b):
        raise ValueError(f"{contrast.name}: {len(a)} arms against {len(b)}; a sum of arms is compared with a sum of as many")
    seeds = _seeds(contrast, arms)
    differs = _allowed(contrast, arms, dial, seeds)
    effects: dict[str, dict[str, Estimate]] = {}
    for setting in values.settings:
        effects[setting] = {}
        for measure in ESTIMATED:
            difference = sum(values.of(arm, setting, measure, seeds) for arm in a) - sum(
                values.of(arm, setting, measure, seeds) for arm in b
            )
            if not np.isnan(difference).any():
                effects[setting][measure] = estimate(np.atleast_2d(difference), draws=draws, seed=seed)
        effects[setting] = _corrected(effects[setting])
    return Contrasted(contrast, differs, seeds, effects, _held_out_difference(a, b, arms, seeds))


def _corrected(found: Mapping[str, Estimate]) -> dict[str, Estimate]:
    """The secondary measures with p values after Holm: they are several chances to find something."""
    from finetune.rate.stats import holm

    names = [name for name in SECONDARY if name in found]
    return {**found, **{name: found[name]._replace(p_holm=p) for name, p in zip(names, holm([found[n].p for n in names]), strict=True)}}


def _beside_the_headline(done: Sequence[Contrasted], headline: int, measure: str) -> list[Contrasted]:
    """The other differences with p values after Holm: one question was asked beforehand, they are many chances more."""
    from finetune.rate.stats import holm

    effects = [{setting: dict(found) for setting, found in each.effects.items()} for each in done]
    for setting in done[headline].effects:
        among = [i for i, each in enumerate(done) if i != headline and each.contrast.b and measure in each.effects[setting]]
        for i, p in zip(among, holm([effects[i][setting][measure].p for i in among]), strict=True):
            effects[i][setting][measure] = effects[i][setting][measure]._replace(p_holm=p)
    return [each._replace(effects=found) for each, found in zip(done, effects, strict=True)]


def _seeds(contrast: Contrast, arms: Arms) -> tuple[int, ...]:
    """The seeds of a contrast: those that it names, else those of its trained arms, which must be the same."""
    trained = {name: set(arms[name]) for side in contrast.sides() for name in side if next(iter(arms[name].values())).trained}
    wanted = set(contrast.seeds) or set().union(*trained.values())
    for name, there in trained.items():
        if missing := sorted(wanted - there):
            raise ValueError(
                f"seed: {contrast.name} needs {sorted(wanted)}, arm {name!r} has {sorted(there)}, without {missing[0]}; "
                "train it, or name the seeds of this contrast"
            )
    return tuple(sorted(wanted))


def _allowed(contrast: Contrast, arms: Arms, dial: tuple[str, ...], seeds: Sequence[int]) -> tuple[Difference, ...]:
    """The fields in which the two sides differ. Raises ValueError for one that is no dial, and for two dials that nobody asked for."""
    a, b = contrast.sides()
    may = set(contrast.dial or dial)
    found: dict[str, Difference] = {}
    for one, other in ((x, y) for x in a for y in b):
        for difference in _between(arms[one], arms[other], seeds):
            if difference.field not in may:
                raise ValueError(
                    f"{difference.says(one, other)}; {contrast.name} may differ in {', '.join(sorted(may))} alone (--dial names another field)"
                )
            found.setdefault(difference.field, difference)
    if len(found) > 1 and len(a) == 1 and not contrast.dial:
        both = " and ".join(sorted(found))
        raise ValueError(f"{contrast.name} differs in {both}: nobody could tell which did it; name both as the dial of this contrast")
    return tuple(found.values())


def _between(a: Mapping[int, Run], b: Mapping[int, Run], seeds: Sequence[int]) -> list[Difference]:
    first = next((seed for seed in seeds if seed in a and seed in b), None)
    return differences(*((a[first], b[first]) if first is not None else (next(iter(a.values())), next(iter(b.values())))))


def _held_out_difference(a: Sequence[str], b: Sequence[str], arms: Arms, seeds: Sequence[int]) -> Estimate | None:
    if len(a) != 1 or len(b) != 1 or not seeds or not all(seed in arms[name] for name in (*a, *b) for seed in seeds):
        return None
    pairs = [(arms[a[0]][seed], arms[b[0]][seed]) for seed in seeds]
    losses = [(one.held_out, other.held_out) for one, other in pairs]
    if any(one is None or other is None for one, other in losses) or any(x.watched != y.watched or x.watched is None for x, y in pairs):
        return None
    return over_seeds(np.array([one - other for one, other in losses if one is not None and other is not None]))


# ---- arms


def _order(arms: Arms, asked: Sequence[Contrast]) -> list[str]:
    """The base first, then arms as the contrasts name them, then the others."""
    named = list(dict.fromkeys(name for each in asked for side in each.sides() for name in side))
    bases = [name for name in sorted(arms) if not next(iter(arms[name].values())).trained]
    return list(dict.fromkeys([*bases, *named, *sorted(arms)]))


def _arm(name: str, runs: Mapping[int, Run], values: _Values, draws: int, seed: int) -> Arm:
    first = next(iter(runs.values()))
    levels: dict[str, dict[str, Estimate]] = {}
    for setting in values.settings:
        known = {measure: values.of(name, setting, measure) for measure in ESTIMATED}
        levels[setting] = {m: estimate(level, draws=draws, seed=seed) for m, level in known.items() if not np.isnan(level).any()}
    lengths = [row["n_tokens"] for row in first.training if row.get("n_tokens") is not None]
    return Arm(
        name=name,
        trained=first.trained,
        seeds=tuple(runs) if first.trained else (),
        runs=tuple(run.name for run in runs.values()),
        config=first.about.get("config", {}),
        data={k: v for k, v in first.about.get("data", {}).items() if k != "titles"} if first.trained else {},
        training=summary(first.training) if first.trained else {},
        longest=max(lengths, default=None),
        levels=levels,
        rep_2={s: _number(summary(row for run in runs.values() for row in run.measures[s].values()).get("rep_2")) for s in values.settings},
        held_out=tuple(loss for run in runs.values() if (loss := run.held_out) is not None),
        steps=_recorded(runs, "steps"),
        trained_tokens=_recorded(runs, "trained_tokens"),
        seconds=_recorded(runs, "seconds"),
        losses=tuple(run.record.get("losses", ()) for run in runs.values()) if first.trained else (),
    )


def _number(value: float | int | None) -> float | None:
    return None if value is None else float(value)


def _recorded(runs: Mapping[int, Run], name: str) -> tuple[Any, ...]:
    return tuple(run.record[name] for run in runs.values() if run.record.get(name) is not None)


# ---- what is shown


def _shown(first: Contrasted, measure: str, setting: str, arms: Arms, order: Sequence[str], values: _Values, seed: int) -> Iterable[Shown]:
    """About a dozen prompts: where the headline is furthest to either side, two in the middle, and some that nobody chose."""
    a, b = first.contrast.sides()
    sides = [sum(values.of(arm, setting, measure, first.seeds) for arm in side) for side in (a, b)]
    by_prompt = np.atleast_2d(sides[0] - sides[1]).mean(axis=0)
    ranked = np.argsort(-by_prompt, kind="stable").tolist()
    middle = np.argsort(np.abs(by_prompt - np.median(by_prompt)), kind="stable").tolist()
    drawn = np.random.default_rng([seed, len(ranked)]).permutation(len(ranked)).tolist()
    why: dict[int, str] = {}
    for number, places, says in (
        (4, ranked, f"among those where {first.contrast.a} is highest{' against ' + first.contrast.b if b else ''}"),
        (2, ranked[::-1], f"among those where {first.contrast.a} is lowest{' against ' + first.contrast.b if b else ''}"),
        (2, middle, "in the middle"),
        (4, drawn, "drawn by chance"),
    ):
        for place in [place for place in places if place not in why][:number]:
            why[place] = says
    names = list(dict.fromkeys([*a, *b, *(name for name in order if not next(iter(arms[name].values())).trained), *order]))
    firsts = {name: next(iter(arms[name].values())) for name in names}
    for place, says in why.items():
        key = values.prompts[place]
        row = firsts[names[0]].answers[setting][key]
        answers = tuple((n, str(firsts[n].answers[setting][key]["answer"]), firsts[n].measures[setting][key]) for n in names)
        yield Shown(str(row.get("prompt", "")), str(row.get("title") or ""), says, answers)


# ---- doors


def write(comparison: Comparison, out: Path) -> dict[str, Path]:
    """Write ``comparison.json``, ``comparison.md`` and ``comparison.html`` into ``out``; form -> file."""
    from finetune.comparison_page import to_html
    from finetune.comparison_text import to_json, to_markdown
    from thaiwiki_clean.pipeline.shards import write_text

    out.mkdir(parents=True, exist_ok=True)
    files = {form: out / f"comparison.{form}" for form in ("json", "md", "html")}
    for form, text in (("json", to_json(comparison)), ("md", to_markdown(comparison)), ("html", to_html(comparison))):
        write_text(files[form], text)
    return files


@click.command("compare")
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder for comparison.json, .md and .html.")
@click.option("--headline", metavar="A:B", help="The pair that the study is about: arm A less arm B. [default: the first contrast]")
@click.option("--measure", "measure", help=f"The headline's measure. [default: {HEADLINE}]")
@click.option("--contrast", "pairs", metavar="A:B", multiple=True, help="Another pair; may be given again.")
@click.option(
    "--dial", multiple=True, metavar="FIELD", help="A field in which the arms of a contrast may differ; may be given again. [default: data]"
)
@click.option(
    "--setting", "settings", multiple=True, help="Compare the answers of this setting; the first one is the headline's. [default: all]"
)
@click.option(
    "--study", "file", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="TOML or JSON: question, contrasts, ..."
)
@click.option("--draws", default=10_000, show_default=True, type=click.IntRange(100), help="Of the bootstrap.")
@click.option("--seed", default=0, show_default=True, help="Of the bootstrap, and of the prompts shown.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON instead of the headline.")
def compare_command(
    runs: tuple[Path, ...],
    out: Path,
    headline: str | None,
    measure: str | None,
    pairs: tuple[str, ...],
    dial: tuple[str, ...],
    settings: tuple[str, ...],
    file: Path | None,
    draws: int,
    seed: int,
    as_json: bool,
) -> None:
    """Compare the arms in the folders RUNS: effects with intervals, written as JSON, Markdown and one HTML page."""
    from finetune.comparison_text import answer, to_json

    planned = read_study(file) if file else {}
    if headline or measure:
        there = planned.get("headline", ())
        pair = pair_of(headline) if headline else there[:2]
        if not pair:
            raise ValueError("--measure needs the pair that it is the headline of: --headline A:B")
        planned["headline"] = (*pair, measure or (there[2] if len(there) > 2 else HEADLINE))
    planned["contrasts"] = [*planned.get("contrasts", ()), *(Contrast(*pair_of(pair)) for pair in pairs)]
    if dial:
        planned["dial"] = dial
    if settings:
        planned["settings"] = settings
    comparison = compare(runs, draws=draws, seed=seed, **planned)
    files = write(comparison, out)
    if as_json:
        click.echo(to_json(comparison), nl=False)
        return
    click.echo(answer(comparison.headline, comparison.setting, comparison.measure))
    for each in comparison.contrasts:
        if each is not comparison.headline and comparison.measure in each.effects[comparison.setting]:
            click.echo(f"  {each.contrast.name}: {answer(each, comparison.setting, comparison.measure)}")
    for note in comparison.notes:
        click.echo(f"note: {note}", err=True)
    click.echo(f"wrote {', '.join(map(str, files.values()))}", err=True)
