"""The command ``thaiwiki-clean``: what others do is called here with what was typed, and shown.

Data goes to stdout, notes and bars to stderr. Exit status: 0 all is well, 1 findings or a failure, 2 wrong usage, 130 Ctrl-C.
Heavy imports stand inside the commands: ``--help`` must answer at once.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib.util
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from thaiwiki_clean._version import __version__
from thaiwiki_clean.page import Page

if TYPE_CHECKING:
    from thaiwiki_clean.edits import Edit

__all__ = ["cli", "main"]

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")

# A name that ends so is one text; anything else that `check` is given is a source of many.
_TEXT = {"", ".txt", ".text", ".md"}
_MANY = {".parquet", ".jsonl", ".ndjson", ".csv", ".tsv", ".xml", ".bz2", ".gz", ".zst"}


def main() -> None:
    """What the installed command runs."""
    cli()


class Failure(click.ClickException):
    """An error that was to be expected, as one line."""

    def show(self, file: Any = None) -> None:
        click.echo(f"error: {self.message}", file=file, err=True)


class _Doors(click.Group):
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
    from thaiwiki_clean.folder import BuildError

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


def _source_options(command: F) -> F:
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


_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_quiet = click.option("-q", "--quiet", is_flag=True, help="No notes and no bars on stderr.")


@click.group(cls=_Doors, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="thaiwiki-clean")
@click.option("--traceback", is_flag=True, help="Show where an error came from; for bug reports.")
def cli(traceback: bool) -> None:
    """Thai Wikipedia into training data, with a reason for every character removed.

    SOURCE is the id of a data set on the Hub, a parquet, jsonl, csv or tsv file, a folder or a glob of them, or a MediaWiki dump.

    \b
    Examples:
      thaiwiki-clean build pythainlp/thai-wiki-dataset-v3 clean/
      thaiwiki-clean explain page.txt
      thaiwiki-clean check pages.jsonl
      thaiwiki-clean stats pages.parquet
    """


@cli.command()
@click.argument("source")
@click.argument("out", type=click.Path(path_type=Path, file_okay=False))
@_source_options
@click.option("--strict", is_flag=True, help="Stop at the first row that cannot be read; else it goes to dropped/ with its reason.")
@click.option("--workers", type=click.IntRange(1), metavar="N", help="Processes; all cores unless said.")
@click.option("--engine", type=click.Choice(["process", "serial", "dask"]), default="process", show_default=True, help="Who does the work.")
@click.option("--scheduler", metavar="ADDRESS", help="Of a dask cluster, such as tcp://host:8786; with --engine dask.")
@click.option("--words", type=click.Choice(["nlpo3", "newmm", "none"]), default="nlpo3", show_default=True, help="What counts the words.")
@click.option("--no-dedup", is_flag=True, help="Keep pages that say the same as another one.")
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    metavar="KIND",
    help="Kind of prompt: definition (the one unless said), varied, question, summary or section; may be given again.",
)
@click.option("--tokenizer", metavar="ID", help="Tokenizer that measures an example: an id or folder; unless said words are counted.")
@click.option(
    "--max-tokens", type=click.IntRange(1), metavar="N", help="Longest example, in tokens; a longer answer ends at an earlier sentence."
)
@click.option(
    "--evaluation",
    type=click.Path(dir_okay=False),
    multiple=True,
    metavar="FILE",
    help="Test set; examples that share a passage with it are left out. May be given again.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="For the prompts and the splits.")
@_json
@_quiet
def build(
    source: str, out: Path, where: Where, words: str, no_dedup: bool, kinds: tuple[str, ...], as_json: bool, quiet: bool, **options: Any
) -> None:
    """Build a data set from SOURCE in the folder OUT.

    OUT gets articles, dropped pages with their reasons, instruction examples, a dataset card and a manifest.
    A build that was stopped goes on when the same command is run again, and gives the same bytes.

    \b
    Examples:
      thaiwiki-clean build pythainlp/thai-wiki-dataset-v3 clean/
      thaiwiki-clean build pages.jsonl clean/ --text-column body --workers 4
      thaiwiki-clean build 'dumps/*.parquet' clean/ --words none --json > manifest.json
    """
    from thaiwiki_clean.build import build as run
    from thaiwiki_clean.progress import progress_bar
    from thaiwiki_clean.readers import Columns
    from thaiwiki_clean.summary import built

    if kinds:
        options["kinds"] = kinds
    with progress_bar(quiet=quiet) as progress:
        manifest = run(
            source,
            out,
            columns=Columns(**where.columns),
            split=where.split,
            revision=where.revision,
            words=None if words == "none" else words,
            dedup=not no_dedup,
            progress=progress,
            **options,
        )
    _data(manifest.to_json().rstrip("\n") if as_json else built(manifest, out))


@cli.command()
@click.argument("file", required=False)
@click.option("--source", metavar="SOURCE", help="Explain a page of this source, named by --title or --id.")
@click.option("--title", metavar="TITLE", help="Title of the page.")
@click.option("--id", "page_id", metavar="ID", help="Id of the page.")
@_source_options
@click.option("--html", type=click.Path(dir_okay=False, allow_dash=True), metavar="FILE", help="Write a page for the browser; - is stdout.")
@click.option("--context", type=click.IntRange(0), metavar="N", help="Show N characters beside every edit, and fold the rest.")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True, help="Colours in the terminal.")
@_json
@_quiet
def explain(file: str | None, source: str | None, where: Where, as_json: bool, html: str | None, quiet: bool, **options: Any) -> None:
    """Show a page with every edit in place, coloured and named.

    FILE is one page of plain text in UTF-8, - is stdin. The newline that ends the file is no part of the page.
    Where stdout is no terminal, or NO_COLOR is set, edits are written as ⟦reason│removed⟧ and ⟦reason│old→new⟧.
    With --json: id, title, text, verdict, and edits as offsets in characters of the raw text.

    \b
    Examples:
      thaiwiki-clean explain page.txt
      thaiwiki-clean explain --title ดาราศาสตร์ --source pages.parquet
      thaiwiki-clean explain page.txt --html page.html
      cat page.txt | thaiwiki-clean explain - --context 40
      thaiwiki-clean explain page.txt --json | jq '.edits[].reason'
    """
    from thaiwiki_clean.clean import clean_page
    from thaiwiki_clean.judge import judge
    from thaiwiki_clean.marks import to_ansi, to_html

    page = clean_page(_page(file, source, where, options["title"], options["page_id"]))
    verdict = page.dropped or judge(page)
    if as_json:
        edits = [{**edit._asdict(), "removed": page.raw[edit.start : edit.end]} for edit in page.edits]
        _data(_to_json({"id": page.id, "title": page.title, "verdict": verdict, "raw": page.raw, "text": page.text, "edits": edits}))
    elif html:
        _write(html, to_html(page.raw, page.edits, page.title, verdict=verdict))
        _note("" if html == "-" else f"written to {html}", quiet=quiet)
    else:
        _data(to_ansi(page.raw, page.edits, colour=_colour(options["color"]), context=options["context"]))
        _note(_explained(page, verdict), quiet=quiet)


@cli.command()
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@_source_options
@_json
@_quiet
@click.pass_context
def check(ctx: click.Context, sources: tuple[str, ...], where: Where, as_json: bool, quiet: bool) -> None:
    """Exit with 1 when a text still holds what cleaning would remove; for the CI of data sets.

    A file that ends in .txt, .text, .md or in nothing is one text, and so is - for stdin.
    Prints one line for every dirty text: file and row, id, and its reasons with [start:end] in characters.
    With --json one object a line.

    \b
    Examples:
      thaiwiki-clean check clean/articles
      thaiwiki-clean check README.th.txt pages.jsonl --quiet
      thaiwiki-clean check pages.parquet --json > findings.jsonl
    """
    from thaiwiki_clean.clean import clean_page

    texts = dirty = 0
    for name in sources:
        for place, page in _bar(_places(name, where), "checking", quiet=quiet):
            texts += 1
            edits = clean_page(page).edits
            if edits or page.dropped:
                dirty += 1
                _data(_to_json(_finding(place, page, edits)) if as_json else _finding_line(place, page, edits))
    _note(f"{texts:,} texts, {dirty:,} of them dirty", quiet=quiet)
    ctx.exit(1 if dirty else 0)


@cli.command()
@click.argument("source")
@_source_options
@click.option(
    "--words", type=click.Choice(["nlpo3", "newmm", "none"]), help="What counts the words; unless said, nlpo3 where it is installed."
)
@_json
@_quiet
def stats(source: str, where: Where, words: str | None, as_json: bool, quiet: bool) -> None:
    """Count what a build would remove from SOURCE, and write nothing.

    Duplicates are not looked for: that takes a build.

    \b
    Examples:
      thaiwiki-clean stats pythainlp/thai-wiki-dataset-v3
      thaiwiki-clean stats pages.parquet --words none
      thaiwiki-clean stats pages.jsonl --json
    """
    from thaiwiki_clean.summary import summary

    if words is None:
        words = "nlpo3" if all(importlib.util.find_spec(name) for name in ("nlpo3", "pythainlp")) else "none"
    pages = (page for _, page in _places(source, where))
    found = summary(_bar(pages, "counting", quiet=quiet), words=None if words == "none" else words)
    _data(_to_json(dataclasses.asdict(found)) if as_json else found.to_text())


def _page(file: str | None, source: str | None, where: Where, title: str | None, page_id: str | None) -> Page:
    """The one page that `explain` is asked for."""
    named = title is not None or page_id is not None
    if (file is None) == (source is None) or (source is not None) != named:
        raise click.UsageError("name a page: FILE, or - for stdin, or --source SOURCE with --title TITLE or --id ID")
    if file is not None:
        if Path(file).suffix in _MANY:
            raise click.UsageError(f"{file} holds many pages; name one: --source {file} --title TITLE")
        return _text_page(file)
    assert source is not None
    for _, page in where.pages(source):
        if title in (None, page.title) and page_id in (None, page.id):
            return page
    wanted = " and ".join(f"{name} {value!r}" for name, value in (("title", title), ("id", page_id)) if value is not None)
    raise Failure(f"{source}: no page with {wanted}")


def _places(name: str, where: Where) -> Iterator[tuple[str, Page]]:
    """The texts behind ``name``, each with its file and row."""
    if name == "-" or (Path(name).suffix in _TEXT and Path(name).is_file()):
        yield name, _text_page(name)
    else:
        yield from where.pages(name)


def _text_page(file: str) -> Page:
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


def _finding(place: str, page: Page, edits: Iterable[Edit]) -> dict[str, Any]:
    return {"place": place, "id": page.id, "title": page.title, "dropped": page.dropped, "edits": [edit._asdict() for edit in edits]}


def _finding_line(place: str, page: Page, edits: Iterable[Edit]) -> str:
    """``pages.jsonl:3 id 17: url [5:9], spacing [0:1] [12:13]``."""
    spans: dict[str, list[str]] = {page.dropped: [page.detail]} if page.dropped else {}
    for edit in edits:
        spans.setdefault(edit.reason, []).append(f"[{edit.start}:{edit.end}]")
    return f"{place} id {page.id}: " + ", ".join(f"{reason} {' '.join(where)}" for reason, where in spans.items())


def _explained(page: Page, verdict: str | None) -> str:
    from thaiwiki_clean.marks import count
    from thaiwiki_clean.reasons import VERDICTS

    lines = [f"\n{len(page.raw):,} characters came, {len(page.text):,} are left"]
    lines += [f"  {c.reason:<20} {c.edits:>5,} edits {c.characters:>8,} characters  {c.says}" for c in count(page.raw, page.edits)]
    return "\n".join([*lines, *([f"dropped: {verdict}. {VERDICTS.get(verdict, '')}"] if verdict else [])])


def _colour(choice: str) -> bool:
    return choice == "always" or (choice == "auto" and sys.stdout.isatty() and not os.environ.get("NO_COLOR"))


def _bar(items: Iterable[T], what: str, *, quiet: bool) -> Iterable[T]:
    from tqdm import tqdm

    bar: Iterable[T] = tqdm(items, desc=what, unit=" pages", leave=False, disable=True if quiet else None)
    return bar


def _to_json(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False)


def _data(text: str) -> None:
    """A line of output, in UTF-8 whatever the terminal says; half a surrogate pair is written as JSON writes it."""
    click.echo(text.encode("utf-8", "backslashreplace"))


def _note(text: str, *, quiet: bool) -> None:
    if text and not quiet:
        click.echo(text, err=True)


def _write(file: str, text: str) -> None:
    """Write beside and rename, so that no half page is ever there."""
    if file == "-":
        _data(text)
        return
    beside = Path(f"{file}.part")
    beside.write_bytes(text.encode("utf-8", "backslashreplace"))
    beside.replace(file)
