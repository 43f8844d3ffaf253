"""What words cost: our guard against the bare engines, and hostile texts at growing lengths, as ratios within one run.

    python benchmarks/words.py [--data ../shared/data]

Linear means: the time per character of a text does not grow with its length. CPU time, the best of three.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from thaiwiki_clean import newmm as module
from thaiwiki_clean.words import ENGINES, engine_version, words

HOSTILE = {
    "ส, one letter": "ส",
    "ก": "ก",
    "a mark": "\u0e48",
    "ๆ": "ๆ",
    "x": "x",
    "a digit": "5",
    "emoji": "\U0001f642",
    "a lone surrogate": "\ud800",
    "กรอ, overlapping words": "กรอ",
    "the same with blanks": "กรอ ",
    "ด้านหน้า": "ด้านหน้า",
}


def cpu(call: Callable[[], object], repeats: int = 3) -> float:
    """CPU seconds of the fastest of some calls."""
    best = float("inf")
    for _ in range(repeats):
        start = time.process_time()
        call()
        best = min(best, time.process_time() - start)
    return best


def each(segment: Callable[[str], list[str]], texts: Sequence[str]) -> list[list[str]]:
    return [segment(text) for text in texts]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[2] / "shared/data")
    args = parser.parse_args()
    from pythainlp.tokenize.newmm import segment as newmm
    from pythainlp.tokenize.nlpo3 import segment as nlpo3

    texts = [json.loads(line)["text"] for line in (args.data / "passages_dev.jsonl").open(encoding="utf-8")]
    lines = [line for text in texts for line in text.split("\n") if line]
    megabytes = sum(len(text.encode()) for text in texts) / 1e6
    print(f"{len(texts)} real passages, {megabytes:.2f} MB; {engine_version('nlpo3')}; {Path(module.__file__).name}\n")
    print("| engine | MB/s | time / bare nlpo3 | pages with the bare engine's tokens |\n|---|---|---|---|")
    bare: float | None = None
    for name, ours, theirs in (("nlpo3", "nlpo3", nlpo3), ("newmm", "newmm", newmm)):
        theirs("แมว")
        repeats = 5 if name == "nlpo3" else 1
        alone = cpu(partial(each, theirs, lines), repeats)
        guarded = cpu(partial(each, partial(words, engine=ours), texts), repeats)
        bare = bare or alone
        same = sum(words(text, ours) == theirs(text) for text in texts)
        print(f"| bare {name}, line by line | {megabytes / alone:.2f} | {alone / bare:.2f} | |")
        print(f"| words(engine={ours!r}) | {megabytes / guarded:.2f} | {guarded / bare:.2f} | {same} of {len(texts)} |")

    prose = "".join("".join(texts).split())
    for engine in ENGINES:
        print(f"\n| text, engine {engine} | us a character at 10,000 | at 100,000 | at 1,000,000 | times prose |\n|---|---|---|---|---|")
        segment = partial(words, engine=engine)
        per_prose = cpu(partial(each, segment, texts)) / sum(map(len, texts))
        for name, piece in {"real prose without its blanks": prose, **HOSTILE}.items():
            cost = []
            for length in (10_000, 100_000, 1_000_000):
                text = (piece * (length // len(piece) + 1))[:length]
                cost.append(cpu(partial(segment, text), 3 if length < 1_000_000 else 1) / length)
            print(f"| {name} | " + " | ".join(f"{1e6 * c:.2f}" for c in cost) + f" | {cost[-1] / per_prose:.1f} |")

    print("\nbare nlpo3, which has no guard:")
    for length in (100, 400, 1600):
        print(f"  'ส' x {length}: {1e6 * cpu(partial(nlpo3, 'ส' * length), 1) / length:.0f} us a character")


if __name__ == "__main__":
    main()
