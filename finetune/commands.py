"""The commands that train, generate, merge and run the study: options in, one call, a few lines out."""

from __future__ import annotations

from pathlib import Path

import click

__all__ = ["experiment_command", "generate_command", "merge_command", "train_command"]

_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
_FOLDER = click.Path(path_type=Path, file_okay=False)
_RUN = click.Path(path_type=Path, file_okay=False, exists=True)


@click.command("train")
@click.argument("config_file", metavar="[CONFIG]", required=False, type=_FILE)
@click.option("--out", required=True, type=_FOLDER, help="The run's folder; a run that was killed goes on in it.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Any field of the configuration; may be given again.")
@click.option("--preset", metavar="NAME", help="Hyper-parameters to begin with: default or seed-project.")
@click.option("--allow", multiple=True, metavar="CHECK", help="Make the errors of a preflight check warnings; may be given again.")
@click.option("-q", "--quiet", is_flag=True, help="No bar and no notes.")
def train_command(
    config_file: Path | None, out: Path, settings: tuple[str, ...], preset: str | None, allow: tuple[str, ...], quiet: bool
) -> None:
    """Train as CONFIG, a YAML or TOML file, says.

    \b
    Examples:
      python -m finetune train --out run --set base=scb10x/typhoon-7b --set data=clean/
      python -m finetune train run.yaml --out run --set seed=1
    """
    from finetune.config import load
    from finetune.train import train

    record = train(
        load(config_file, settings, preset),
        out,
        allow=allow,
        say=None if quiet else lambda line: click.echo(line, err=True),
        progress=not quiet,
    )
    last = record["losses"][-1] if record["losses"] else {}
    losses = ", ".join(f"{name} {last[key]:.3f}" for key, name in (("loss", "loss"), ("eval_loss", "held-out loss")) if key in last)
    click.echo(
        f"{out}: {record['steps']} steps, {losses}; {record['tokens_per_second']:,.0f} tokens/s, "
        f"{record['peak_memory_bytes'] / 1e9:.2f} GB at most, {record['seconds']:,.0f} s"
    )


@click.command("generate")
@click.argument("runs", nargs=-1, required=True, type=_RUN)
@click.option("--prompts", required=True, type=_FILE, help="JSONL: prompt or messages in each line, prompt_id and title where known.")
@click.option("--setting", "names", multiple=True, default=("greedy",), show_default=True, help="greedy, sampled or greedy-penalty1.1.")
@click.option(
    "--max-new-tokens", default=512, show_default=True, type=click.IntRange(1), help="1.5 times the longest training answer, or more."
)
@click.option("--batch-size", default=64, show_default=True, type=click.IntRange(1))
@click.option("--base", help="Where the base lies now. Another base than the one trained on is refused.")
def generate_command(
    runs: tuple[Path, ...], prompts: Path, names: tuple[str, ...], max_new_tokens: int, batch_size: int, base: str | None
) -> None:
    """Write the answers of RUNS to the prompts into RUN/answers, one file a setting."""
    from finetune.generate import generate, read_prompts, setting

    asked = read_prompts(prompts)
    settings = [setting(name, max_new_tokens=max_new_tokens, batch_size=batch_size) for name in names]
    for run in runs:
        for file in generate(run, asked, settings, base=base).values():
            click.echo(file)


@click.command("merge")
@click.argument("run", type=_RUN)
@click.option("--out", required=True, type=_FOLDER, help="Folder of the merged model.")
@click.option("--prompts", required=True, type=_FILE, help="JSONL: the questions on which the greedy answers must agree.")
@click.option("--way", default="dequantise", show_default=True, help="dequantise, or naive: onto the 16-bit weights, another model.")
@click.option("--base", help="Where the base lies now.")
@click.option("--max-new-tokens", default=128, show_default=True, type=click.IntRange(1), help="Of the answers that are compared.")
def merge_command(run: Path, out: Path, prompts: Path, way: str, base: str | None, max_new_tokens: int) -> None:
    """Fold the adapter of RUN into its base, and compare greedy answers before anything is kept."""
    from finetune.generate import read_prompts
    from finetune.merge import merge

    found = merge(run, out, read_prompts(prompts), way=way, base=base, max_new_tokens=max_new_tokens)
    click.echo(
        f"{out}: {found.same} of {found.prompts} greedy answers are the same, logits differ by {found.max_logit_difference:.3g} at most; "
        f"stopped {found.stopped[0]} before and {found.stopped[1]} after"
    )


@click.command("experiment")
@click.option("--size", default="cpu", show_default=True, type=click.Choice(["smoke", "cpu", "gpu"]), help="How large a study.")
@click.option("--out", required=True, type=_FOLDER, help="Folder of the study; one that was killed goes on in it.")
@click.option("--pages", help="Raw pages: any source that `thaiwiki-clean build` reads.  [default: generated]")
@click.option("--prose", multiple=True, type=click.Path(path_type=Path, exists=True), help="Clean texts for the base, with a column text.")
@click.option("--base", help="A real model, Hub id or folder, instead of a base made here.")
@click.option("--ablate/--no-ablate", default=None, help="Leave out every single rule of cleaning in turn.  [default: as the size says]")
@click.option("--arm", "arms", multiple=True, metavar="NAME", help="Run only these arms, beside raw and clean; may be given again.")
@click.option("--setting", "settings", multiple=True, metavar="NAME", help="Draw answers only so; the first is the headline's.")
@click.option("--seeds", type=click.IntRange(1), help="Runs of each arm.")
@click.option("--workers", type=click.IntRange(1), help="Runs at a time.")
@click.option("--learning-rate", type=click.FloatRange(0, min_open=True), help="Of the tuning.  [default: as the size says]")
@click.option("--seed", default=0, show_default=True, help="Of pages, held-out titles and base.")
def experiment_command(
    size: str,
    out: Path,
    pages: str | None,
    prose: tuple[Path, ...],
    base: str | None,
    ablate: bool | None,
    arms: tuple[str, ...],
    settings: tuple[str, ...],
    seeds: int | None,
    workers: int | None,
    learning_rate: float | None,
    seed: int,
) -> None:
    """Raw against clean pages, with and without the stop token, each group of rules left out: what does what to repetition?

    Smoke takes minutes and says whether it runs; cpu takes an hour on two cores; gpu takes a GPU.
    """
    from finetune.experiment import SIZES, experiment

    done = experiment(
        out, SIZES[size], pages=pages, prose=prose, base=base, ablate=ablate, arms=arms, settings=settings, seeds=seeds, workers=workers,
        learning_rate=learning_rate, seed=seed, say=lambda line: click.echo(line, err=True),
    )  # fmt: skip
    click.echo(done / "comparison.html")
