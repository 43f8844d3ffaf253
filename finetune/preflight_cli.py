"""The command ``preflight``: read the rows, tokenise them, say what is wrong. Exit status 0, 1 with errors, 2 for wrong usage."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from finetune.config import Config
    from finetune.data import Prepared
    from finetune.preflight import Finding
    from finetune.presets import Preset

__all__ = ["preflight_command"]


class _Refused(click.ClickException):
    """Something that no check can be made of, in one line."""

    exit_code = 2


@click.command("preflight")
@click.argument("data", required=False)
@click.option(
    "--config", "config_file", type=click.Path(path_type=Path, dir_okay=False), help="A run's YAML or TOML file; options win over it."
)
@click.option("--base", help="Folder or Hub id of the base model; only its tokenizer and small files are read.")
@click.option("--model", help="Preset of the model; without --base its first Hub id is the base.")
@click.option("--eval", "eval_data", help="File or build of held-out rows; unless said the validation split of a build.")
@click.option("--max-length", type=int, help="Tokens of a row at most.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder that the run will write: is it free?")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Any setting of a run; may be given again.")
@click.option("--allow", multiple=True, metavar="CHECK", help="Make the errors of a check warnings; may be given again.")
@click.option("--json", "as_json", is_flag=True, help="Print findings and statistics as JSON.")
@click.pass_context
def preflight_command(
    ctx: click.Context,
    data: str | None,
    config_file: Path | None,
    base: str | None,
    model: str | None,
    eval_data: str | None,
    max_length: int | None,
    out: Path | None,
    settings: tuple[str, ...],
    allow: tuple[str, ...],
    as_json: bool,
) -> None:
    """Check DATA, a build's folder or a file of rows, against the base model that is to be tuned on it.

    No weights are loaded. Exits with 1 when there are errors.
    """
    from finetune.config import load

    given = {"data": data, "base": base, "model": model, "eval_data": eval_data, "max_length": max_length}
    typed = [f"{key}={value}" for key, value in given.items() if value is not None]
    try:
        if base is None and model is not None and not any(one.startswith("base=") for one in settings) and config_file is None:
            from finetune.presets import preset

            typed.append(f"base={preset(model).ids[0]}")
        config = load(config_file, [*typed, *settings])
        findings, prepared = _look(config, out, allow)
    except (ValueError, ImportError) as problem:
        raise _Refused(" ".join(str(problem).split())) from None
    from finetune.preflight import report, to_json

    click.echo((to_json if as_json else report)(findings, prepared))
    ctx.exit(1 if any(finding.level == "error" for finding in findings) else 0)


def _look(config: Config, out: Path | None, allow: tuple[str, ...]) -> tuple[list[Finding], Prepared | None]:
    """The findings, and the tokens of the rows where there are any."""
    from finetune.data import prepare, read_rows
    from finetune.preflight import machine, preflight
    from finetune.presets import choose
    from finetune.train import held_out_rows

    rows, watched = read_rows(config.data), held_out_rows(config)
    tokenizer, problem = _tokenizer(config.base, choose(config.model, config.base))
    try:
        prepared = None if problem else prepare(rows, tokenizer, max_length=config.max_length, train_stop=config.train_stop)
    except ValueError:
        prepared = None  # rows_tokenise says which, and why
    findings = preflight(config, tokenizer, rows, prepared, watched, machine=machine(config.device), out=out, allow=allow)
    if problem and not any(finding.level == "error" for finding in findings):
        raise problem
    return findings, prepared


def _tokenizer(base: str, model: Preset | None) -> tuple[Any, ValueError | None]:
    """The tokenizer of a run; where a run would refuse it the tokenizer as it is, for the checks to say what is wrong, and why."""
    from finetune.models import load_tokenizer

    try:
        return load_tokenizer(base, model), None
    except ValueError as problem:
        from transformers import AutoTokenizer

        try:
            return AutoTokenizer.from_pretrained(base), problem
        except (OSError, ValueError, KeyError):
            raise problem from None
