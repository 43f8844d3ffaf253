"""The commands ``rate`` and ``rate-report``: options in, one page served or one report written."""

from __future__ import annotations

from pathlib import Path

import click

__all__ = ["rate", "rate_report"]

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("generations", nargs=-1, required=True, type=_FILE)
@click.option("--out", type=_FILE, required=True, help="The rating database; an existing one of the same study goes on.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen. Beyond this machine the link carries a token.")
@click.option("--port", default=8017, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
@click.option("--seed", default=1, show_default=True, help="Mixed with the rater's name: order of the items, and sides.")
@click.option("--repeat", default=0.1, show_default=True, type=click.FloatRange(0, 0.5), help="Share of items shown twice, swapped.")
@click.option("--code", metavar="NAME", help="Print a new code for a rater who lost theirs, and end.")
def rate(generations: tuple[Path, ...], out: Path, host: str, port: int, seed: int, repeat: float, code: str | None) -> None:
    """Serve a page on which people compare the answers in GENERATIONS without knowing whose they are.

    GENERATIONS are two or more .jsonl or .parquet files, one per system, with prompt_id, prompt, answer and system.
    """
    from finetune.rate.generations import read
    from finetune.rate.schema import create

    try:
        fresh = create(out, [read(path) for path in generations], seed=seed, repeat=repeat)
        if code is not None:
            from finetune.rate.store import new_code

            click.echo(new_code(out, code))
            return
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    _serve(out, host, port, fresh)


def _serve(out: Path, host: str, port: int, fresh: bool) -> None:
    try:
        import uvicorn

        from finetune.rate.app import LOOPBACK, access_token, build_app
    except ImportError as error:
        raise click.ClickException(f"the rating page needs {error.name}: pip install 'thaiwiki-clean[rate]'") from None
    import socket

    local = host in LOOPBACK
    token = "" if local else access_token(out)
    # A wildcard address has no name of its own to check; the token stands guard there.
    hosts = frozenset() if host in ("0.0.0.0", "::") else frozenset({*LOOPBACK, host.lower()})
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise click.ClickException(f"cannot listen on {host} port {port} ({error.strerror}); choose another --port") from None
    app = build_app(out, hosts=hosts, token=token)
    listener.listen()  # before the link is shown: whoever opens it at once waits instead of being turned away
    shown = f"[{host}]" if ":" in host else host
    link = f"http://{shown}:{listener.getsockname()[1]}/" + (f"?token={token}" if token else "")
    click.echo(f"{'New study in' if fresh else 'Going on with'} {out}\nRate at {link}\nEnd with Ctrl+C; every vote is already on disk.")
    # No access log: it would hold the token, and who was looking when.
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        lifespan="off",
        ws="none",
        http="h11",  # whatever else is installed: the bound on a header block is h11's
        limit_concurrency=200,
        h11_max_incomplete_event_size=32_768,
    )
    uvicorn.Server(config).run(sockets=[listener])


@click.command("rate-report")
@click.argument("ratings", type=_FILE)
@click.option("--json", "json_file", type=_FILE, help="Write the figures as JSON.")
@click.option("--html", "html_file", type=_FILE, help="Write the report as one HTML page.")
@click.option("--jsonl", type=_FILE, help="Write every vote, one JSON object per line.")
@click.option("--parquet", type=_FILE, help="Write every vote as Parquet.")
@click.option("--table", type=_FILE, help="Write prompt | answer of each system | votes as a Markdown table.")
@click.option("--width", default=0.1, show_default=True, type=click.FloatRange(0.01, 0.5), help="Wanted width of the win rate's interval.")
@click.option("--seed", default=1, show_default=True, help="Of the bootstrap.")
def rate_report(
    ratings: Path,
    json_file: Path | None,
    html_file: Path | None,
    jsonl: Path | None,
    parquet: Path | None,
    table: Path | None,
    width: float,
    seed: int,
) -> None:
    """Print who wins, how sure that is, and how far the raters agree; write the votes and the report to files."""
    from finetune.rate.votes import read_study, write_jsonl, write_parquet

    try:
        study = read_study(ratings)
        if jsonl:
            write_jsonl(study.votes, jsonl)
        if parquet:
            write_parquet(study.votes, parquet)
        try:
            from finetune.rate.report import markdown_table, summarise, to_html, to_json, to_text, write
        except ImportError as error:
            raise click.ClickException(f"the report needs {error.name}: pip install 'thaiwiki-clean[rate]'") from None
        if table:
            write(table, markdown_table(study))
        summary = summarise(study, width=width, seed=seed)
        if json_file:
            write(json_file, to_json(summary))
        if html_file:
            write(html_file, to_html(summary))
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(to_text(summary))
