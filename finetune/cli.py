"""``python -m finetune COMMAND``: each command lives with the stage it runs and is imported when it is called."""

from __future__ import annotations

from importlib import import_module

import click

from thaiwiki_clean.doors import Doors

__all__ = ["main"]

#: command -> (module, name of the click command in it, what ``--help`` of the group says about it)
COMMANDS = {
    "preflight": ("finetune.preflight_cli", "preflight_command", "Check data against a base model before anything is loaded."),
    "train": ("finetune.commands", "train_command", "Train an adapter over a 4-bit base into a run folder."),
    "generate": ("finetune.commands", "generate_command", "Let runs answer prompts, over the base that they were trained on."),
    "measure": ("finetune.measure", "measure_command", "Measure the repetition in the answers of runs."),
    "compare": ("finetune.compare", "compare_command", "Compare arms: effects with intervals, as JSON, Markdown and HTML."),
    "merge": ("finetune.commands", "merge_command", "Fold an adapter into its base, and prove that it is the same model."),
    "experiment": ("finetune.commands", "experiment_command", "The whole study: what does cleaning do to degenerate repetition?"),
    "rate": ("finetune.rate.cli", "rate", "Serve a page on which people compare answers without knowing whose they are."),
    "rate-report": ("finetune.rate.cli", "rate_report", "Win rates, agreement and the votes themselves from a rating database."),
}


class _Lazy(Doors):
    """A group that knows its commands by name and imports one only when it is called; what the world gets wrong is one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, name, _ = COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        # From the table, not from the commands: listing them must not import torch.
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, _, text) in COMMANDS.items()])


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Train on a built data set, generate, measure, compare, and let people judge."""
