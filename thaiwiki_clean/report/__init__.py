"""What a person looks at: a built folder as one HTML file, and two built folders side by side.

The file needs nothing else, no script, no font, no request. It is made from the manifest, from the pages that a build keeps to be
shown (``samples.parquet``), and from a few columns of the published files; the same folder gives the same bytes.
Charts need matplotlib, an extra; without it the numbers stand in tables and the report says what to install.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from thaiwiki_clean.marks import edits_html, look, templates, without_controls
from thaiwiki_clean.page import Page
from thaiwiki_clean.pipeline.shards import write_text
from thaiwiki_clean.reasons import REASONS, VERDICTS
from thaiwiki_clean.report import charts, figures
from thaiwiki_clean.report.excerpts import Excerpt, cover, excerpt, sights
from thaiwiki_clean.report.run import Run

__all__ = ["NAME", "render", "report_html", "write_report"]

#: Its name in the folder of a build.
NAME = "report.html"

_SECTIONS = {
    "flow": "What came in and what went out",
    "reasons": "Why characters were removed",
    "examples": "Examples of every reason",
    "pages": "Pages before and after",
    "drawn": "Pages drawn by chance",
    "fell": "Pages that fell",
    "duplicates": "Duplicates",
    "lengths": "Length before and after",
    "repetition": "Repetition before and after",
    "damage": "Damage",
    "instructions": "Instruction examples",
    "manifest": "The manifest",
}
_DRAWN_SHOWN = 5
# A page is shown up to so many characters, a page that fell up to so many: a report stays below a megabyte.
_PAGE, _FELL = 4000, 500


def write_report(folder: Path | str) -> Path:
    """Write the report of a built folder into it, and give back its path.

    Raises FileNotFoundError when ``folder`` is no finished build, ValueError when another version made it.
    """
    path = Path(folder) / NAME
    write_text(path, report_html(folder))
    return path


def report_html(folder: Path | str) -> str:
    """The report of a built folder, as one HTML page."""
    run = Run.read(folder)
    told = run.manifest
    chosen = sorted(cover([page for pages in run.chosen.values() for page in pages]), key=lambda page: bool(page.dropped))  # articles first
    repetition = figures.repetition_classes(run)
    return render(
        "report.html",
        m=told,
        sections={name: head for name, head in _SECTIONS.items() if _there(name, run)},
        removed=max(1, sum(row["characters"] for row in told.edits.values())),
        sights={reason: sights(reason, run.chosen.get(reason, ())) for reason in told.edits},
        cover=[(page, excerpt(page, most=_PAGE), _reasons(page)) for page in chosen],
        drawn=[(page, excerpt(page, most=_PAGE)) for page in run.drawn[:_DRAWN_SHOWN]],
        fell={verdict: [(page, _beginning(page)) for page in pages] for verdict, pages in run.fallen().items()},
        clusters=run.clusters,
        lengths=figures.lengths(run),
        repetition=repetition,
        charts=figures.draw(run, repetition) if charts.have_matplotlib() and told.rows else None,
        came=len(run.measured[0]),
        left=len(run.measured[1]),
        examples=run.examples(),
        settings=list(_flat(told.identity)),
        LEFT_OUT=_left_out(),
        POINTS=figures.POINTS,
    )


def render(template: str, **values: Any) -> str:
    """A template of ours with what all of them ask for."""
    always = {"look": look, "edits_html": edits_html, "REASONS": REASONS, "VERDICTS": VERDICTS, "missing": charts.MISSING, "legend": ()}
    return without_controls(templates().get_template(template).render(**always, **values))


def _there(name: str, run: Run) -> bool:
    return bool(run.drawn) if name == "drawn" else bool(run.manifest.edits) if name in ("examples", "pages") else True


def _reasons(page: Page) -> list[str]:
    found = {edit.reason for edit in page.edits}
    return [reason for reason in REASONS if reason in found] + sorted(found - REASONS.keys())


def _beginning(page: Page) -> list[Excerpt]:
    """The beginning of a page that fell: enough to see why."""
    end = _FELL
    return excerpt(page, [], most=end) if page.raw else []


def _left_out() -> Mapping[str, str]:
    from thaiwiki_clean.instruct import LEFT_OUT

    return LEFT_OUT


def _flat(told: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Settings as ``name.name``, values as JSON.

    >>> list(_flat({"a": {"b": None, "c": "ก"}}))
    [('a.b', 'null'), ('a.c', 'ก')]
    """
    for name, value in told.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value if value and isinstance(value, str) else json.dumps(value, ensure_ascii=False)
