"""The report in the forms that people and programs read: text, JSON, HTML, and the Markdown table of answers."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from finetune.rate.stats import Interval
from finetune.rate.summary import Summary, summarise
from finetune.rate.votes import Study

__all__ = ["markdown_table", "section", "summarise", "to_html", "to_json", "to_text", "write"]


def to_text(summary: Summary) -> str:
    """The report as lines for a terminal; the first one is the answer."""
    s = _turned(summary)
    lines = [
        f"{pair.x} is preferred to {pair.y} in {_percent(pair.rate)} of votes (ties half; 95 % interval, prompts redrawn)"
        for pair in s.pairs
    ]
    if s.separated:
        lines.append("One system won, or lost, every vote: a tie was added to each pair, and the win rates are cautious.")
    lines += ["", f"{s.votes} votes and {s.repeats} repeats by {len(s.raters)} raters on {s.prompts} prompts, of {s.planned} planned"]
    lines += _table(
        ("pair", "wins", "losses", "ties", "both bad", "prompts won:lost", "Wilson", "sign test p", "p (Holm)", f"votes to a width of {s.width:.0%}"),
        [
            (
                f"{p.x} : {p.y}", p.wins_x, p.wins_y, p.ties, p.both_bad, f"{p.prompts_x}:{p.prompts_y}", _percent(p.wilson), _p(p.p), _p(p.p_holm),
                f"{p.votes_needed} more" if p.votes_needed else "enough",
            )
            for p in s.pairs
        ],
    )  # fmt: skip
    lines += [
        "",
        *_table(
            ("system", "strength", "repeats itself", "off topic"),
            [(y.name, f"{y.strength:.1%}", _percent(y.repeats), _percent(y.off_topic)) for y in s.systems],
        ),
    ]
    lines += [
        "",
        *_table(
            ("rater", "votes", "seconds: quarter, half, three quarters", "same on repeats"),
            [(r.name, r.votes, _seconds(r.seconds), "{} of {}".format(*r.same_on_repeats)) for r in s.raters],
        ),
    ]
    lines += [
        "",
        f"Agreement between raters (Krippendorff's alpha): {'none: no two raters share an item on which votes differ' if s.agreement is None else f'{s.agreement:.2f}'}",
        f"Left answer preferred: {_percent(s.left)} of decided votes, p {_p(s.left_p)} against none (50 %)",
        f"Repeats judged the same with sides swapped: {_percent(s.consistency)}; turned round: {s.flips} of {s.repeats}",
        f"Seconds per item: quarter, half, three quarters: {_seconds(s.seconds)}",
    ]
    return "\n".join(lines)


def to_json(summary: Summary) -> str:
    """The figures with their names, for a program."""
    return json.dumps(_plain(summary), ensure_ascii=False, indent=2) + "\n"


def section(summary: Summary) -> str:
    """The report as one ``<section>`` with its own styles, to stand in another page."""
    return _pages().get_template("section.html").render(s=_turned(summary))


def to_html(summary: Summary) -> str:
    """The report as one page that needs nothing else."""
    return _pages().get_template("report.html").render(s=_turned(summary))


def markdown_table(study: Study) -> str:
    """One row per prompt: the prompt, each system's answer, and the votes. Answers are text; none of it is markup.

    The table that ratings were made in before there was this page: prompt | base | tuned.
    """
    votes: dict[str, Counter[str]] = {}
    for vote in study.votes:
        if not vote.repeat:
            votes.setdefault(vote.prompt_id, Counter())[vote.winner or vote.choice.replace("_", " ")] += 1
    head = ["prompt", *map(_cell, study.systems), "votes"]
    rows = [head, ["---"] * len(head)]
    for key, prompt in study.prompts.items():
        said = ", ".join(f"{_cell(what)} {count}" for what, count in votes.get(key, Counter()).most_common())
        rows.append([_cell(prompt), *(_cell(study.answers[key, system]) for system in study.systems), said])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def write(path: Path, text: str) -> None:
    """``text`` in ``path``, all of it or the file as it was."""
    beside = path.with_name(path.name + ".part")
    beside.write_text(text, encoding="utf-8", newline="\n")
    os.replace(beside, path)


def _turned(summary: Summary) -> Summary:
    """Each pair as a sentence would put it, the preferred system first; JSON keeps the order of the files."""
    return summary._replace(pairs=tuple(pair.turned() for pair in summary.pairs))


def _pages() -> Environment:
    pages = Environment(
        loader=PackageLoader("finetune.rate"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    pages.filters.update(percent=_percent, p=_p, seconds=_seconds)
    return pages


def _percent(interval: Interval | None) -> str:
    return "-" if interval is None else f"{interval.value:.1%} [{interval.low:.1%}, {interval.high:.1%}]"


def _p(value: float | None) -> str:
    return "-" if value is None else "< 0.001" if value < 0.001 else f"{value:.3f}"


def _seconds(quartiles: tuple[float, float, float]) -> str:
    return " ".join(f"{value:.1f}" for value in quartiles)


def _cell(text: str) -> str:
    for character in "\\`*_[]~$":
        text = text.replace(character, f"\\{character}")
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("|", "&#124;"), ("\r\n", "\n"), ("\r", "\n"), ("\n", "<br>")):
        text = text.replace(character, entity)
    return text


def _table(head: tuple[str, ...], rows: list[tuple[object, ...]]) -> list[str]:
    """Columns as wide as their widest cell, counted in cells of a terminal: Thai marks take none."""
    from unicodedata import category

    def width(text: str) -> int:
        return sum(category(c) not in ("Mn", "Me", "Cf") for c in text)

    cells = [head, *(tuple(map(str, row)) for row in rows)]
    wide = [max(map(width, column)) for column in zip(*cells, strict=True)]
    return ["  ".join(cell + " " * (w - width(cell)) for cell, w in zip(row, wide, strict=True)).rstrip() for row in cells]


def _plain(value: Any) -> Any:
    if hasattr(value, "_asdict"):
        return {name: _plain(each) for name, each in value._asdict().items()}
    return [_plain(each) for each in value] if isinstance(value, tuple) else value
