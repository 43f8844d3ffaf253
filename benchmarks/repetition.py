"""Repetition: cost on every page, hostile texts at growing lengths, and what the limits flag of real prose.

    python benchmarks/repetition.py [--data ../shared/data]

CPU time, the best of three, as ratios to segmentation in the same run.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq

from thaiwiki_clean.repetition import FINEWEB2_LIMITS, LIMITS, Repetition, over_limits, repetition
from thaiwiki_clean.words import words

HOSTILE = {"one letter": "ก", "one line": "ปลาช่อน\n", "one sentence, no line end": "แมวเป็นสัตว์เลี้ยงลูกด้วยนม ", "dashes": "-"}


def cpu(call: Callable[[], object], repeats: int = 3) -> float:
    """CPU seconds of the fastest of some calls."""
    best = float("inf")
    for _ in range(repeats):
        start = time.process_time()
        call()
        best = min(best, time.process_time() - start)
    return best


def cost(name: str, texts: list[str]) -> None:
    megabytes = sum(len(text.encode()) for text in texts) / 1e6
    tokens = [words(text) for text in texts]
    segment = cpu(lambda: [words(text) for text in texts])
    whole = cpu(lambda: [repetition(text, some) for text, some in zip(texts, tokens, strict=True)])
    without = cpu(lambda: [repetition(text, ()) for text in texts])
    print(
        f"| {name} | {len(texts)} | {megabytes:.1f} | {megabytes / segment:.1f} | {megabytes / whole:.1f} | {megabytes / without:.1f} |"
        f" {whole / segment:.2f} |"
    )


def flagged(name: str, measured: list[Repetition]) -> None:
    for label, limits in (("ours", LIMITS), ("FineWeb2's", FINEWEB2_LIMITS)):
        over = [over_limits(one, limits) for one in measured]
        by = ", ".join(f"{measure} {count}" for measure, count in Counter(m for some in over for m in some).most_common(4))
        print(
            f"| {name} | {label} | {sum(map(bool, over))} of {len(measured)} ({100 * sum(map(bool, over)) / len(measured):.2f} %) | {by} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared/data")
    args = parser.parse_args()
    passages = [json.loads(line)["text"] for line in (args.data / "passages_dev.jsonl").open(encoding="utf-8")]
    gold = [json.loads(line) for line in (args.data / "gold_dev.jsonl").open(encoding="utf-8")]
    news: list[str] = pq.read_table(args.data / "thaigov_public_domain.parquet", columns=["text"])["text"].to_pylist()[::8]

    print(
        "| texts | number | MB | words(), MB/s | repetition of tokens, MB/s | without words, MB/s | time / words() |\n|---|---|---|---|---|---|---|"
    )
    cost("wiki passages", passages)
    cost("government news", news[:400])

    print("\n| text | 10,000 characters, us each | 100,000 | 1,000,000 |\n|---|---|---|---|")
    for name, piece in HOSTILE.items():
        row = []
        for length in (10_000, 100_000, 1_000_000):
            text = (piece * (length // len(piece) + 1))[:length]
            tokens = words(piece) * (length // len(piece))
            start = time.process_time()
            repetition(text, tokens)
            row.append(f"{1e6 * (time.process_time() - start) / length:.2f}")
        print(f"| {name} | {' | '.join(row)} |")

    print("\n| texts | limits | flagged | by |\n|---|---|---|---|")
    measured = [repetition(text) for text in passages]
    flagged("wiki passages", measured)
    flagged("clean gold pages", [repetition(page["gold_text"]) for page in gold if page["doc_label"] == "keep"])
    flagged("the same pages, raw", [repetition(page["text"]) for page in gold if page["doc_label"] == "keep"])
    flagged("government news, raw", [repetition(text) for text in news])

    print("\n| measure, wiki passages | p50 | p95 | p99 | max |\n|---|---|---|---|---|")
    for field in Repetition._fields:
        values = sorted(getattr(one, field) for one in measured)
        at = [values[int(share * (len(values) - 1))] for share in (0.5, 0.95, 0.99, 1)]
        print(f"| {field} | " + " | ".join(f"{value:.3g}" for value in at) + " |")


if __name__ == "__main__":
    main()
