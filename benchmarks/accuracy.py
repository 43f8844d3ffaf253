"""How well pages come out: lines dropped, prose kept, repairs and verdicts, against pages that were labelled line by line.

    python benchmarks/accuracy.py [GOLD ...] [--json] [--show N]

GOLD is a JSONL file in the schema of the labelled pages; without one, ``gold_dev.jsonl`` and ``real_dev.jsonl`` of the shared
data are scored and the table of targets is printed. The scorer itself, and the pages, are no part of the repository: they
are looked for beside it in ``../shared`` (another place: THAIWIKI_SHARED). ``cleaner`` below is what is scored, so that

    python ../shared/tools/score_cleaner.py GOLD benchmarks/accuracy.py:cleaner --show 20

gives the same figures but for one thing: without the titles of the pages, verdicts that need a title are missed.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from thaiwiki_clean.clean import clean_page  # noqa: E402
from thaiwiki_clean.judge import judge  # noqa: E402
from thaiwiki_clean.page import Page  # noqa: E402

Row = dict[str, Any]
Score = dict[str, Any]


def cleaner(text: str, title: str = "") -> str:
    """The cleaned text, or nothing when the page is judged to fall."""
    page = clean_page(Page("", title, "", "", text))
    return "" if judge(page) else page.text


class Target(NamedTuple):
    """One line of the acceptance table: what is measured, the bound, and whether it is a floor or a ceiling."""

    name: str
    key: str
    bound: float
    at_least: bool

    def reached(self, value: float) -> bool:
        """Whether ``value`` is on the right side of the bound."""
        return value >= self.bound if self.at_least else value <= self.bound


GOLD_TARGETS = (
    Target("lines dropped, precision", "drop_precision", 0.997, True),
    Target("lines dropped, recall", "drop_recall", 0.97, True),
    Target("prose lost, share of characters", "prose_chars_lost", 0.0005, False),
    Target("dirt kept, share of characters", "dirt_chars_kept", 0.03, False),
    Target("inline repairs exact", "repair_all", 0.95, True),
    Target("whole documents exact", "doc_exact", 0.80, True),
    Target("page verdicts, precision", "doc_drop_precision", 0.99, True),
    Target("page verdicts, recall", "doc_drop_recall", 0.97, True),
)
REAL_TARGETS = (
    Target("prose lines lost", "false_drops", 0, False),
    Target("lines dropped, recall", "drop_recall", 0.95, True),
)


def shared() -> Path:
    """The folder of labelled pages and tools beside the repository."""
    return Path(os.environ.get("THAIWIKI_SHARED") or ROOT.parent / "shared")


def scorer() -> ModuleType:
    """The scoring tool. Raises FileNotFoundError with what to do when it is not there."""
    path = shared() / "tools" / "score_cleaner.py"
    if not path.exists():
        raise FileNotFoundError(
            f"no scorer at {path}: the labelled pages and their tools are kept beside the repository; name their folder with THAIWIKI_SHARED"
        )
    spec = importlib.util.spec_from_file_location("score_cleaner", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def rows(path: Path) -> list[Row]:
    """The labelled pages of a file."""
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def score(pages: list[Row]) -> Score:
    """All figures of the scorer for :func:`cleaner`, and ``repair_all``, the share of dirty lines that came out exact."""
    began = time.process_time()
    out = [cleaner(row["text"], row["title"]) for row in pages]
    seconds = time.process_time() - began
    figures: Score = scorer().score(pages, out, seconds)
    return {**figures, "repair_all": (figures["repair_exact"].get("all") or [0, 0, None])[2]}


def wrong_lines(pages: list[Row]) -> list[tuple[str, str, str, str]]:
    """Page, label, class and text of every line that was dropped or kept against its label."""
    tool = scorer()
    found = []
    for row in pages:
        out = cleaner(row["text"], row["title"])
        if not out.strip() and row["doc_label"] != "keep":
            continue
        lines = row["text"].split("\n")
        golds = [label.get("gold", line) for label, line in zip(row["lines"], lines, strict=True)]
        shares = tool.match_lines(lines, [line for line in out.split("\n") if line.strip()], 0.5, golds)
        labels = [label["label"] for label in row["lines"]]
        shares = tool.share_by_key(lines, labels, shares, 0.5)
        for line, label, share in zip(lines, row["lines"], shares, strict=True):
            if label["class"] != "blank" and label["label"] in ("keep", "drop") and (label["label"] == "keep") != (share >= 0.5):
                found.append((row["id"], label["label"], label["class"], line))
    return found


def table(targets: tuple[Target, ...], figures: Score) -> str:
    """The acceptance table in Markdown."""
    out = ["| figure | target | measured | |", "|---|---|---|---|"]
    for target in targets:
        value = figures[target.key]
        shown = "-" if value is None else f"{value:.4g}"
        sign = "at least" if target.at_least else "at most"
        out.append(
            f"| {target.name} | {sign} {target.bound:g} | {shown} | {'reached' if value is not None and target.reached(value) else 'MISSED'} |"
        )
    return "\n".join(out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("gold", nargs="*", type=Path, help="labelled pages; without any, gold_dev and real_dev of the shared data")
    parser.add_argument("--json", action="store_true", help="all figures of the scorer as JSON")
    parser.add_argument("--show", type=int, default=0, metavar="N", help="print this many wrong lines of each file")
    given = parser.parse_args()
    data = shared() / "data"
    paths = given.gold or [data / "gold_dev.jsonl", data / "real_dev.jsonl"]
    if missing := [path for path in paths if not path.exists()]:
        raise SystemExit(
            f"no labelled pages at {missing[0]}: they are no part of the repository; name a file, or their folder with THAIWIKI_SHARED"
        )
    everything = {}
    for path in paths:
        pages = rows(path)
        everything[path.name] = figures = score(pages)
        if not given.json:
            print(f"{path.name}: {figures['docs']} pages, {figures['lines_scored']} lines\n")
            print(table(REAL_TARGETS if path.name.startswith("real") else GOLD_TARGETS, figures), end="\n\n")
            for page, label, kind, line in wrong_lines(pages)[: given.show]:
                print(f"    {page} want {label} {kind}: {line[:100]!r}")
    if given.json:
        print(json.dumps(everything, ensure_ascii=False))


if __name__ == "__main__":
    try:
        main()
    except FileNotFoundError as error:
        raise SystemExit(str(error)) from None
