"""``python -m finetune COMMAND``: each command lives with the stage it runs and is imported when it is called."""

from __future__ import annotations

from importlib import import_module

import click

__all__ = ["main"]

#: command -> (module, name of the click command in it, what ``--help`` of the group says about it)
COMMANDS = {
    "rate": ("finetune.rate.cli", "rate", "Serve a page on which people compare answers without knowing whose they are."),
    "rate-report": ("finetune.rate.cli", "rate_report", "Win rates, agreement and the votes themselves from a rating database."),
}


class _Lazy(click.Group):
    """A group that knows its commands by name and imports one only when it is called."""

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
