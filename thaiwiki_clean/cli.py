"""The command ``thaiwiki-clean``: what others do is called here with what was typed, and shown.

A command is one short function: :mod:`thaiwiki_clean.doors` has the options, the input and the output that commands share.
Heavy imports stand inside the commands: ``--help`` must answer at once.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from thaiwiki_clean import doors
from thaiwiki_clean._version import __version__
from thaiwiki_clean.doors import Where, json_option, quiet_option, source_options

if TYPE_CHECKING:
    from thaiwiki_clean.edits import Edit
    from thaiwiki_clean.page import Page

__all__ = ["cli", "main"]

# Files that hold many pages: none of them is a page to explain.
_MANY = {".parquet", ".arrow", ".jsonl", ".ndjson", ".csv", ".tsv", ".xml", ".bz2", ".gz", ".zst"}


def main() -> None:
    """What the installed command runs."""
    cli()


@click.group(cls=doors.Doors, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="thaiwiki-clean")
@click.option("--traceback", is_flag=True, help="Show where an error came from; for bug reports.")
def cli(traceback: bool) -> None:
    """Thai Wikipedia into training data, with a reason for every character removed.

    SOURCE is the id of a data set on the Hub, a parquet, jsonl, csv or tsv file, a folder or a glob of them, or a MediaWiki dump;
    files may be at an address that fsspec knows, such as s3://bucket/pages/*.parquet or https://host/thwiki.xml.bz2.

    \b
    Examples:
      thaiwiki-clean build pythainlp/thai-wiki-dataset-v3 clean/
      thaiwiki-clean explain page.txt
      thaiwiki-clean check pages.jsonl
      thaiwiki-clean stats pages.parquet
      thaiwiki-clean report clean/
    """


@cli.command()
@click.argument("source")
@click.argument("out", type=click.Path(file_okay=False))
@source_options
@click.option("--strict", is_flag=True, help="Stop at the first row that cannot be read; else it goes to dropped/ with its reason.")
@click.option("--workers", type=click.IntRange(1), metavar="N", help="Processes; all cores unless said.")
@click.option("--engine", type=click.Choice(["process", "serial", "dask"]), default="process", show_default=True, help="Who does the work.")
@click.option("--scheduler", metavar="ADDRESS", help="Of a dask cluster, such as tcp://host:8786; with --engine dask.")
@click.option(
    "--work",
    type=click.Path(file_okay=False),
    metavar="DIR",
    help="Work in a folder of its own in DIR, and put the files into OUT at the end; for an OUT that is an address the cache unless said.",
)
@click.option("--words", type=click.Choice(["nlpo3", "newmm", "none"]), default="nlpo3", show_default=True, help="What counts the words.")
@click.option("--no-dedup", is_flag=True, help="Keep pages that say the same as another one.")
@click.option(
    "--kind",
    "kinds",
    type=click.Choice(["definition", "varied", "question", "summary", "section"]),
    multiple=True,
    help="Kind of prompt, definition unless said; may be given again.",
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
@json_option
@quiet_option
def build(
    source: str, out: str, where: Where, words: str, no_dedup: bool, kinds: tuple[str, ...], as_json: bool, quiet: bool, **options: Any
) -> None:
    """Build a data set from SOURCE in OUT, a folder or an address that fsspec knows, such as s3://bucket/clean.

    OUT gets articles, dropped pages with their reasons, instruction examples, a dataset card and a manifest.
    A build that was stopped goes on when the same command is run again, and gives the same bytes.
    Of a damaged dump OUT gets the pages that can be read; stderr names the damage, and the exit status is 1.

    \b
    Examples:
      thaiwiki-clean build pythainlp/thai-wiki-dataset-v3 clean/
      thaiwiki-clean build pages.jsonl clean/ --text-column body --workers 4
      thaiwiki-clean build 'dumps/*.parquet' clean/ --words none --json > manifest.json
      thaiwiki-clean build pages.parquet s3://bucket/clean
    """
    from thaiwiki_clean.addresses import is_address
    from thaiwiki_clean.build import build as run
    from thaiwiki_clean.pipeline.progress import progress_bar
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
    if as_json:
        doors.data(manifest.to_json().rstrip("\n"))
    else:
        doors.data(built(manifest, Path(out)) + (f"\n  {out}" if is_address(out) else ""))
    if broken := manifest.damage.get("broken_off"):
        raise doors.Failure(
            f"{broken[0]}; {out} holds what could be read" + (f"; {len(broken) - 1} more such places" if broken[1:] else "")
        )


@cli.command()
@click.argument("file", required=False)
@click.option("--source", metavar="SOURCE", help="Explain a page of this source, named by --title or --id.")
@click.option("--title", metavar="TITLE", help="Title of the page.")
@click.option("--id", "page_id", metavar="ID", help="Id of the page.")
@source_options
@click.option("--html", type=click.Path(dir_okay=False, allow_dash=True), metavar="FILE", help="Write a page for the browser; - is stdout.")
@click.option("--context", type=click.IntRange(0), metavar="N", help="Show N characters beside every edit, and fold the rest.")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True, help="Colours in the terminal.")
@json_option
@quiet_option
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

    if as_json and html:
        raise click.UsageError("--json or --html, not both")
    page = clean_page(_page(file, source, where, options["title"], options["page_id"]))
    verdict = page.dropped or judge(page)
    if as_json:
        edits = [{**edit._asdict(), "removed": page.raw[edit.start : edit.end]} for edit in page.edits]
        doors.json_data({"id": page.id, "title": page.title, "verdict": verdict, "raw": page.raw, "text": page.text, "edits": edits})
    elif html == "-":
        doors.data(to_html(page.raw, page.edits, page.title, verdict=verdict))
    elif html:
        doors.write(html, to_html(page.raw, page.edits, page.title, verdict=verdict))
        doors.note(f"written to {html}", quiet=quiet)
    else:
        doors.data(to_ansi(page.raw, page.edits, colour=doors.colour(options["color"]), context=options["context"]))
        doors.note(_explained(page, verdict), quiet=quiet)


@cli.command()
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@source_options
@json_option
@quiet_option
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
        # A bar in the terminal that the findings go to would stand between them.
        for place, page in doors.bar(where.texts(name), "checking", quiet=quiet or sys.stdout.isatty()):
            texts += 1
            edits = clean_page(page).edits
            if edits or page.dropped:
                dirty += 1
                if as_json:
                    doors.json_data(_finding(place, page, edits))
                else:
                    doors.data(_finding_line(place, page, edits))
    doors.note(f"{texts:,} texts, {dirty:,} of them dirty", quiet=quiet)
    ctx.exit(1 if dirty else 0)


@cli.command()
@click.argument("source")
@source_options
@click.option(
    "--words", type=click.Choice(["nlpo3", "newmm", "none"]), help="What counts the words; unless said, nlpo3 where it is installed."
)
@json_option
@quiet_option
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
    pages = (page for _, page in where.texts(source))
    found = summary(doors.bar(pages, "counting", quiet=quiet), words=None if words == "none" else words)
    if as_json:
        doors.json_data(dataclasses.asdict(found))
    else:
        doors.data(found.to_text())


@cli.command()
@click.argument("out", type=click.Path(path_type=Path, file_okay=False))
@click.argument("repo", metavar="USER/NAME")
@click.option("--dry-run", is_flag=True, help="Say what would be sent, and send nothing; needs no token.")
@click.option(
    "--private/--public", default=True, show_default="private", help="Who may see a new data set; one that is there stays as it is."
)
@click.option("--tag", metavar="NAME", help="Set this tag on the commit, such as v1.0.")
@click.option("--create-pr", is_flag=True, help="Ask for the change in a pull request.")
@click.option("--replace", is_flag=True, help="Publish although the columns differ from those on the Hub.")
@click.option("--message", metavar="TEXT", help="Message of the commit.")
@json_option
@quiet_option
def publish(out: Path, repo: str, as_json: bool, quiet: bool, **options: Any) -> None:
    """Publish the build in the folder OUT as a data set on the Hugging Face Hub.

    Only what differs is sent, in one commit. What others wrote there, files and text of the card, stays.
    The token is that of the Hub's own client: hf auth login, or HF_TOKEN.

    \b
    Examples:
      thaiwiki-clean publish clean/ user/thai-wiki --dry-run
      thaiwiki-clean publish clean/ user/thai-wiki --public --tag v1.0
      thaiwiki-clean publish clean/ somebody/thai-wiki --create-pr
    """
    if options["tag"] and options["create_pr"]:
        raise click.UsageError("--tag or --create-pr: the tag is set when the pull request is merged")
    if quiet or not sys.stderr.isatty():
        os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")  # the client's own bars; it reads this when it is imported
    from thaiwiki_clean.hub import publish as run

    told = run(out, repo, **options)
    if as_json:
        doors.json_data(dataclasses.asdict(told))
    else:
        doors.data(told.to_text())
    if options["dry_run"]:
        doors.note("dry run: nothing was sent", quiet=quiet)


@cli.command()
@click.argument("folder", metavar="OUT", type=click.Path(path_type=Path, file_okay=False))
@click.argument("second", metavar="[OUT_B]", required=False, type=click.Path(path_type=Path, file_okay=False))
@click.option("--out", "file", type=click.Path(dir_okay=False, allow_dash=True), metavar="FILE", help="Write the page here; - is stdout.")
@json_option
@quiet_option
def report(folder: Path, second: Path | None, file: str | None, as_json: bool, quiet: bool) -> None:
    """Write the report of a build again, or compare two builds.

    OUT is a folder that build made; its report is OUT/report.html unless --out says otherwise.
    With a second folder: what is different in it, as text, with --json as JSON, and with --out as a page for the browser.

    \b
    Examples:
      thaiwiki-clean report clean/
      thaiwiki-clean report clean/ --out report.html
      thaiwiki-clean report before/ after/
      thaiwiki-clean report before/ after/ --out changes.html
      thaiwiki-clean report before/ after/ --json | jq '.changes[0]'
    """
    from thaiwiki_clean.report import NAME, report_html
    from thaiwiki_clean.report.charts import MISSING, have_matplotlib
    from thaiwiki_clean.report.compare import compare

    if as_json and (second is None or file == "-"):
        raise click.UsageError("--json goes with two builds, OUT and OUT_B, and not with --out -")
    if second is None:
        html, file = report_html(folder), file or str(folder / NAME)
        if not have_matplotlib():
            doors.note(f"no charts: they need matplotlib ({MISSING})", quiet=quiet)
    else:
        found = compare(folder, second)
        html = found.to_html() if file else ""
        if as_json:
            doors.json_data(found.to_json())
        elif file != "-":
            doors.data(found.to_text())
    if file == "-":
        doors.data(html)
    elif file:
        doors.write(file, html)
        doors.note(f"written to {file}", quiet=quiet)


def _page(file: str | None, source: str | None, where: Where, title: str | None, page_id: str | None) -> Page:
    """The one page that `explain` is asked for."""
    named = title is not None or page_id is not None
    if (file is None) == (source is None) or (source is not None) != named:
        raise click.UsageError("name a page: FILE, or - for stdin, or --source SOURCE with --title TITLE or --id ID")
    if file is not None:
        if Path(file).suffix in _MANY:
            raise click.UsageError(f"{file} holds many pages; name one: --source {file} --title TITLE")
        return doors.text_page(file)
    assert source is not None
    for _, page in where.pages(source):
        if title in (None, page.title) and page_id in (None, page.id):
            return page
    wanted = " and ".join(f"{name} {value!r}" for name, value in (("title", title), ("id", page_id)) if value is not None)
    raise doors.Failure(f"{source}: no page with {wanted}")


def _finding(place: str, page: Page, edits: Iterable[Edit]) -> dict[str, Any]:
    return {"place": place, "id": page.id, "title": page.title, "dropped": page.dropped, "edits": [edit._asdict() for edit in edits]}


def _finding_line(place: str, page: Page, edits: Iterable[Edit]) -> str:
    """A line such as ``pages.jsonl:3 id 17: url [5:9], spacing [0:1] [12:13]``."""
    spans: dict[str, list[str]] = {page.dropped: [page.detail]} if page.dropped else {}
    for edit in edits:
        spans.setdefault(edit.reason, []).append(f"[{edit.start}:{edit.end}]")
    named = place if page.id == place else f"{place} id {page.id}"
    return f"{named}: " + ", ".join(f"{reason} {' '.join(where)}" for reason, where in spans.items())


def _explained(page: Page, verdict: str | None) -> str:
    from thaiwiki_clean.marks import count
    from thaiwiki_clean.reasons import VERDICTS

    lines = [f"\n{len(page.raw):,} characters came, {len(page.text):,} are left"]
    lines += [f"  {c.reason:<20} {c.edits:>5,} edits {c.characters:>8,} characters  {c.says}" for c in count(page.raw, page.edits)]
    return "\n".join([*lines, *([f"dropped: {verdict}. {VERDICTS.get(verdict, '')}"] if verdict else [])])
