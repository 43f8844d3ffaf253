"""Where a command meets the world: what is typed, read and printed, and how a run ends.

Data goes to stdout in UTF-8, notes and bars to stderr. Exit status: 0 all is well, 1 findings or a failure, 2 wrong usage, 130 Ctrl-C.
What can go wrong outside of our code, a file, a network, a missing extra, is one line; our own mistakes keep their traceback.
"""

from __future__ import annotations

import functools
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import click

from thaiwiki_clean.page import Page

__all__ = [
    *("Doors", "Failure", "Where", "bar", "colour", "data", "json_option", "json_data"),
    *("note", "quiet_option", "source_options", "text_page", "write"),
]

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")

# A file whose name ends so is one text; anything else is a source of many pages.
_TEXT = {"", ".txt", ".text", ".md"}


class Failure(click.ClickException):
    """An error that was to be expected, as one line."""

    def show(self, file: Any = None) -> None:
        click.echo(f"error: {self.message}", file=file, err=True)


class Doors(click.Group):
    """Runs a command, and turns what can go wrong outside of our code into one line and an exit status."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except KeyboardInterrupt:
            click.echo("stopped", err=True)
            ctx.exit(130)
        except Exception as problem:
            if ctx.params.get("traceback") or not _expected(problem):
                raise
            raise Failure(_one_line(problem)) from problem


def _expected(problem: Exception) -> bool:
    """Whether the world, not our code, is to blame: input, files, network, an extra that is not installed."""
    from thaiwiki_clean.pipeline.progress import BuildError

    if isinstance(problem, ImportError):
        return "pip install" in str(problem)  # what the message of a missing extra names; any other is our own mistake
    return isinstance(problem, (BuildError, ValueError, OSError))


def _one_line(problem: Exception) -> str:
    if isinstance(problem, OSError) and problem.filename and problem.strerror:
        return f"{problem.filename}: {problem.strerror}"
    return " ".join(str(problem).split()) or type(problem).__name__


class Where(NamedTuple):
    """Which part of a source to read, and where its columns are."""

    columns: dict[str, str]
    split: str | None
    revision: str | None

    def pages(self, source: str) -> Iterator[tuple[str, Page]]:
        """The pages of a source, each with its file and row."""
        from thaiwiki_clean.readers import Columns, open_source, read_shard

        for shard in open_source(source, columns=Columns(**self.columns), split=self.split, revision=self.revision).shards:
            for row, page in enumerate(read_shard(shard), shard.row):
                yield f"{shard.file}:{row}", page

    def texts(self, name: str) -> Iterator[tuple[str, Page]]:
        """The same, and where ``name`` is - or a file of plain text, the one text in it."""
        if name == "-" or (Path(name).suffix in _TEXT and Path(name).is_file()):
            yield name, text_page(name)
        else:
            yield from self.pages(name)


def source_options(command: F) -> F:
    """The options of every command that reads a source, gathered into ``where``."""
    names = ("text", "title", "id", "source", "url")

    @functools.wraps(command)
    def gathered(*args: Any, split: str | None, revision: str | None, **rest: Any) -> Any:
        options = {name: rest.pop(f"{name}_column") for name in names} | {"default_source": rest.pop("default_source")}
        columns = {name: value for name, value in options.items() if value is not None}
        return command(*args, where=Where(columns, split, revision), **rest)

    options = [
        click.option(f"--{name}-column", metavar="NAME", help=f"Column of the {name}; found by its name unless said.") for name in names
    ]
    options += [
        click.option("--default-source", metavar="WIKI", help="The wiki where no column says it, such as thaiwikipedia."),
        click.option("--split", metavar="NAME", help="Read this split of a Hub data set only."),
        click.option("--revision", metavar="REV", help="Branch, tag or commit of a Hub data set."),
    ]
    for option in reversed(options):
        gathered = option(gathered)
    return gathered  # type: ignore[return-value]


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
quiet_option = click.option("-q", "--quiet", is_flag=True, help="No notes and no bars on stderr.")


def text_page(file: str) -> Page:
    """The text of a file, - for stdin, as a page; the newline that ends the file is no part of it."""
    data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    name = "stdin" if file == "-" else file
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as bad:
        hint = f"iconv -f TIS-620 -t UTF-8 {file}"
        raise Failure(
            f"{name}: byte 0x{data[bad.start]:02x} at offset {bad.start:,} is not UTF-8; if it is an old Thai file: {hint}"
        ) from None
    return Page(id=name, title="", source="", url="", raw=text.removesuffix("\n"))


def colour(choice: str) -> bool:
    """Whether to print colours: as the option says, else in a terminal where NO_COLOR is not set (https://no-color.org)."""
    return choice == "always" or (choice == "auto" and sys.stdout.isatty() and not os.environ.get("NO_COLOR"))


def bar(items: Iterable[T], what: str, *, quiet: bool) -> Iterable[T]:
    """``items``, with a bar on stderr where that is a terminal."""
    from tqdm import tqdm

    shown: Iterable[T] = tqdm(items, desc=what, unit=" pages", leave=False, disable=True if quiet else None)
    return shown


def data(text: str) -> None:
    """Print output, in UTF-8 whatever the terminal says; half a surrogate pair is written as JSON writes it."""
    click.echo(text.encode("utf-8", "backslashreplace"))


def json_data(value: dict[str, Any]) -> None:
    """Print one line of JSON."""
    data(json.dumps(value, ensure_ascii=False))


def note(text: str, *, quiet: bool) -> None:
    """Tell the person at the terminal something that is no output."""
    if not quiet:
        click.echo(text, err=True)


def write(file: str, text: str) -> None:
    """Write a file beside its place and rename it, so that no half file is ever there."""
    if not Path(file).parent.is_dir():
        raise Failure(f"{file}: there is no folder {Path(file).parent}; make it first")
    beside = Path(f"{file}.part")
    beside.write_bytes(text.encode("utf-8", "backslashreplace"))
    beside.replace(file)
