"""How much the answers of a run say again, whether they stop, and whether they write the wiki's headers.

    >>> m = measure("แมวเป็นสัตว์\\n== ดูเพิ่ม ==\\nแมว\\nแมว\\nแมว\\nแมว", stop="length")
    >>> round(m.mass, 2), m.no_stop, m.header_echo
    (0.44, 1.0, 1.0)

The ruler is :mod:`thaiwiki_clean.repetition`, the same for pages, for training answers and for what a model writes; nothing is
defined again here. Everything is measured on one answer, so that arms can be compared prompt by prompt.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import click

from finetune.run import read_jsonl

__all__ = ["MEASURES", "Measures", "header_echo", "measure", "measure_command", "measure_file", "measure_run", "summary", "write_measures"]

#: Its name in the folder of a run.
NAME = "measures.json"
#: The training answers among the settings of a run.
TRAINING = "training"


class Measures(NamedTuple):
    """The measures of one answer; None where what they need is not known.

    All but the two lengths are shares from 0 to 1. More is worse, but for ``diversity``, and for the lengths, which are neither.
    """

    mass: float  #: graphemes in three or more back-to-back copies of one piece, or in a line said before (docs/explanation/repetition.md)
    no_stop: float | None = None  #: 1 when the answer ran to the limit without its stop token
    header_echo: float = 0.0  #: 1 when a line is a wiki header, see :func:`header_echo`
    n_tokens: int | None = None  #: tokens of the answer, of this model's tokeniser
    n_graphemes: int = 0  #: letters with their marks, line ends among them
    dup_line_chars: float = 0.0  #: characters in lines that stand earlier (Gopher, Rae et al. 2021, Table A1)
    rep16g: float = 0.0  #: sequences of 16 graphemes that were said before; of all such sequences
    seq_rep_4: float | None = None  #: the same for four tokens (Welleck et al. 2020); only within one tokeniser
    diversity: float = 1.0  #: distinct-2 x distinct-3 x distinct-4 on words (SimCTG, Su et al. 2022), of this answer alone
    rep_2: float = 0.0  #: pairs of words said before (Repetition In Repetition Out, Li et al. 2023); pool with ``n_pairs``
    n_pairs: int = 0  #: pairs of words, by which a mean of ``rep_2`` is weighed to be that of the paper


#: What each measure is, for a reader of tables.
MEASURES: dict[str, str] = {
    "mass": "share of graphemes in back-to-back copies or in lines said before",
    "no_stop": "share of answers that ran to the limit",
    "header_echo": "share of answers with a wiki header",
    "n_tokens": "length in tokens",
    "n_graphemes": "length in graphemes",
    "dup_line_chars": "share of characters in lines said before",
    "rep16g": "share of 16-grapheme sequences said before",
    "seq_rep_4": "share of 4-token sequences said before (seq-rep-4)",
    "diversity": "product of distinct-2, -3 and -4 on words (more is better)",
    "rep_2": "share of word pairs said before (rep-2)",
}


def measure(answer: str, *, stop: str | None = None, token_ids: Sequence[int] | None = None) -> Measures:
    """The measures of one answer; ``stop`` is "stop_token" or "length", ``token_ids`` the ids as they were generated.

    >>> measure("ปลาช่อนเป็นปลาน้ำจืด", stop="stop_token", token_ids=[5, 7, 5, 9]).no_stop
    0.0

    Without ``stop`` or ``token_ids`` the measures that need them are None. An empty answer repeats nothing.
    Raises ValueError for another ``stop``, ImportError without PyThaiNLP.
    """
    from thaiwiki_clean.repetition import graphemes, rep_n, repetition

    if stop not in (None, "stop_token", "length"):
        raise ValueError(f"an answer stops by 'stop_token' or 'length', got {stop!r}")
    measured = repetition(answer)
    units = graphemes(answer)
    return Measures(
        mass=measured.mass,
        no_stop=None if stop is None else float(stop == "length"),
        header_echo=header_echo(answer),
        n_tokens=None if token_ids is None else len(token_ids),
        n_graphemes=len(units),
        dup_line_chars=measured.dup_line_chars,
        rep16g=rep_n(units, 16),
        seq_rep_4=None if token_ids is None else rep_n(token_ids, 4),
        diversity=measured.diversity,
        rep_2=1 - measured.distinct_2,
        n_pairs=max(0, measured.n_words - 1),
    )


def header_echo(answer: str) -> float:
    r"""1.0 when some line of an answer is a header of a wiki, else 0.0.

    >>> header_echo("แมวเป็นสัตว์\n== แหล่งข้อมูลอื่น =="), header_echo("แมวเป็นสัตว์\nดูเพิ่ม"), header_echo("ดูเพิ่มเรื่องแมว")
    (1.0, 1.0, 0.0)

    Any title in equals signs counts (what the rule ``section_header`` finds), also one cut off before its closing signs; without
    signs only a line that is nothing but a title under which links or references stand: kinds ``certain`` and ``maybe`` of
    thaiwiki_clean's vocabulary. A line that is "ประวัติ" alone does not: people write that, too.
    """
    from thaiwiki_clean.markup import heads
    from thaiwiki_clean.rules.sections import section_header

    known = any(shape.bare and shape.kind in ("certain", "maybe") for shape in heads(answer).values())
    return float(known or bool(section_header(answer)))


def measure_file(path: Path) -> list[dict[str, Any]]:
    """The measures of every answer in a JSONL file, one dictionary a line, with ``prompt_id`` and ``title`` where the line has them.

    Raises ValueError with the file and line that cannot be read.
    """
    return [
        {name: row[name] for name in ("prompt_id", "title") if name in row} | _of_row(row, f"{path}:{number}")
        for number, row in enumerate(read_jsonl(path), 1)
    ]


def _of_row(row: Mapping[str, Any], where: str) -> dict[str, Any]:
    if not isinstance(row.get("answer"), str):
        raise ValueError(f"{where}: an answer is text under 'answer', got {row.get('answer')!r}")
    try:
        measured = measure(row["answer"], stop=row.get("stop"), token_ids=row.get("token_ids"))
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None
    return measured._replace(n_tokens=row.get("n_tokens", measured.n_tokens))._asdict()


def summary(rows: Iterable[Mapping[str, Any] | Measures]) -> dict[str, float | int | None]:
    """Means over answers, and ``n``; None where no answer has the measure. ``rep_2`` is pooled, as its paper does.

    >>> summary([{"mass": 0.5, "rep_2": 0.0, "n_pairs": 1}, {"mass": 0.0, "rep_2": 0.5, "n_pairs": 3}])
    {'n': 2, 'mass': 0.25, 'rep_2': 0.375}
    """
    kept = [row._asdict() if isinstance(row, Measures) else row for row in rows]
    out: dict[str, float | int | None] = {"n": len(kept)}
    for name in MEASURES:
        if any(name in row for row in kept):
            known = [row for row in kept if row.get(name) is not None]
            weights = [row.get("n_pairs", 1) if name == "rep_2" else 1 for row in known]
            total = sum(weights)
            out[name] = sum(row[name] * w for row, w in zip(known, weights, strict=True)) / total if total else None
    return out


def measure_run(folder: Path, known: dict[str, list[dict[str, Any]]] | None = None) -> dict[str, Any]:
    """The measures of all answers of a run, and of those it was trained on: what ``measures.json`` holds.

    Files whose hash stands in ``known`` are not measured again; it learns the others: all seeds of an arm share their
    training answers. What ``measures.json`` holds already is taken from there, as long as answers and ruler are the same.
    Raises ValueError when ``folder`` holds no answers.
    """
    files = answer_files(folder)
    if not files:
        raise ValueError(f"{folder} holds no answers (answers/*.jsonl); write them first: python -m finetune generate {folder}")
    if (trained := folder / "training_answers.jsonl").exists():
        files[TRAINING] = trained
    known = {} if known is None else known
    known |= _measured_before(folder)
    settings = {}
    for name, path in files.items():
        key = sha256(path.read_bytes()).hexdigest()
        if key not in known:
            known[key] = measure_file(path)
        settings[name] = {"sha256": key, "summary": summary(known[key]), "rows": known[key]}
    return {"ruler": _ruler(), "settings": settings}


def write_measures(folder: Path, known: dict[str, list[dict[str, Any]]] | None = None) -> dict[str, Any]:
    """Write the measures of a run into its ``measures.json``, and give them back."""
    from thaiwiki_clean.pipeline.shards import write_text

    measured = measure_run(folder, known)
    write_text(folder / NAME, json.dumps(measured, ensure_ascii=False, separators=(",", ":")) + "\n")
    return measured


def answer_files(folder: Path) -> dict[str, Path]:
    """The files of answers of a run by the name of their setting, greedy first."""
    found = {path.stem: path for path in sorted((folder / "answers").glob("*.jsonl"))}
    return dict(sorted(found.items(), key=lambda item: (item[0] != "greedy", item[0])))


def _ruler() -> dict[str, str]:
    """What the figures hang on: our version, and the words' engine."""
    from thaiwiki_clean import __version__
    from thaiwiki_clean.words import engine_version

    return {"thaiwiki_clean": __version__, "words": engine_version()}


def _measured_before(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Hash of a file of answers -> its measures, where they were made with this ruler."""
    try:
        there = json.loads((folder / NAME).read_text(encoding="utf-8"))
        return {each["sha256"]: each["rows"] for each in there["settings"].values()} if there["ruler"] == _ruler() else {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


@click.command("measure")
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Print the means as one JSON object instead of a table.")
def measure_command(runs: tuple[Path, ...], as_json: bool) -> None:
    """Measure the answers in the folders RUNS, and those they were trained on; write RUN/measures.json."""
    known: dict[str, list[dict[str, Any]]] = {}
    out: dict[str, dict[str, Any]] = {}
    for folder in runs:
        measured = write_measures(folder, known)
        out[str(folder)] = {name: each["summary"] for name, each in measured["settings"].items()}
    click.echo(json.dumps(out, ensure_ascii=False, indent=2) if as_json else _table(out))


def _table(runs: Mapping[str, Mapping[str, Mapping[str, float | None]]]) -> str:
    head = ["run", "answers", "n", *MEASURES]
    rows = [
        [run, name, f"{told['n']}", *(number(told.get(key), key) for key in MEASURES)]
        for run, named in runs.items()
        for name, told in named.items()
    ]
    wide = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(w) if i < 2 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, wide, strict=True)))
        for row in [head, *rows]
    )


def number(value: float | None, measure: str = "") -> str:
    """A figure as tables show it: lengths with one place, shares with three; "-" where there is none.

    >>> number(0.5), number(57.25, "n_tokens"), number(None)
    ('0.500', '57.2', '-')
    """
    return "-" if value is None else f"{value:.{1 if measure.startswith('n_') else 3}f}".replace("-", "−")
