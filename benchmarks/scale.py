"""What a build costs: CPU and wall time, MB/s by stage, memory of all processes together; and ten kills.

    python ../shared/tools/make_v3like.py --passages ../shared/data/passages_dev.jsonl --rows 200000 --public-columns --recombine \\
        --format parquet --jobs 2 --out /tmp/big.parquet
    python benchmarks/scale.py whole /tmp/big.parquet --workers 2      # wall, CPU and memory against bare word segmentation
    python benchmarks/scale.py whole /tmp/big.parquet --words newmm    # the same, with the engine that a compiled wheel is quickest with
    python benchmarks/scale.py stages /tmp/big.parquet                 # CPU by stage, in one process
    python benchmarks/scale.py truth /tmp/big.parquet --out OUT        # a finished build against what the generator knows
    python benchmarks/scale.py kills /tmp/small.parquet --kills 10     # SIGKILL at random moments, then the same bytes

MB are UTF-8 bytes of the raw text. Bare segmentation is ``nlpo3.segment`` on the same lines and nothing else; it and bare reading
and writing are measured on at most ``--sample`` MB spread over the source, and scaled. CPU seconds are those of this process and
its children, so a busy machine changes them little.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from unittest import mock

import pyarrow.parquet as pq

from thaiwiki_clean.words import ENGINES
from thaiwiki_clean.words import words as segment

RUN = """
import json, sys
from thaiwiki_clean.build import build
if __name__ == "__main__":
    build(sys.argv[1], sys.argv[2], **json.loads(sys.argv[3]))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("whole", "stages", "kills", "truth"))
    parser.add_argument("source", help="a parquet file with a text column")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--words", choices=ENGINES, default=ENGINES[0], help="the engine of the build; it is compared with bare nlpo3")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0, help="of the moments of the kills")
    parser.add_argument("--sample", type=float, default=20, help="MB for what is measured on a part")
    parser.add_argument("--out", type=Path, help="a folder: `whole` leaves its build in OUT/out, `truth` reads it there")
    given = parser.parse_args()
    if given.out and given.what != "truth":
        given.out.mkdir(parents=True, exist_ok=True)
    with contextlib.nullcontext(given.out) if given.out else tempfile.TemporaryDirectory() as folder:
        if given.what == "truth":
            told = truth(given.source, given.out / "out")
        elif given.what == "kills":
            told = kills(given.source, Path(folder), given.kills, given.workers, given.seed)
        elif given.what == "stages":
            told = stages(given.source, Path(folder), given.sample, given.words)
        else:
            told = whole(given.source, Path(folder), given.workers, given.sample, given.words)
    print(json.dumps(told, indent=2))


def whole(source: str, folder: Path, workers: int, sample: float, words: str) -> dict[str, Any]:
    """One build in processes of its own, and how it compares with bare segmentation."""
    megabytes = text_bytes(source) / 1e6
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    run = start_build(source, folder / "out", words=words, workers=workers)
    peak = Peak(run.pid)
    peak.start()
    if run.wait():
        raise SystemExit(f"the build failed with status {run.returncode}")
    wall = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    bare = bare_costs(source, sample)
    return {
        "MB": round(megabytes, 1),
        "workers": workers,
        "words": words,
        "wall_s": round(wall, 1),
        "cpu_s": round(cpu, 1),
        "busy_cores": round(cpu / wall, 2),
        "MB_per_cpu_s": round(megabytes / cpu, 2),
        "peak_MB_all_processes": round(peak.bytes / 1e6),
        "bare_nlpo3_cpu_s": round(bare["nlpo3"] * megabytes, 1),
        "times_bare_nlpo3": round(cpu / (bare["nlpo3"] * megabytes), 2),
    }


#: What the longest stage is made of, and the function in ``pipeline.stages`` that does it; the rest of it reads and writes.
PARTS = {
    "cleaning": "clean_page",
    "verdicts": "_judged",
    "words": "segment",
    "repetition": "_measured_page",
    "signatures": "dedup.signatures",
    "counting lines": "recurring.line_counts",
}


def stages(source: str, folder: Path, sample: float, words: str = ENGINES[0]) -> dict[str, Any]:
    """CPU by stage of a build in this process, and by part of the longest, beside the bare costs."""
    from thaiwiki_clean.build import build

    segment("แมว", words)  # loading the dictionary is no part of any stage
    megabytes = text_bytes(source) / 1e6
    spent: dict[str, float] = {}
    at, since = "start", time.process_time()

    def progress(stage: str, done: float) -> None:
        nonlocal at, since
        now = time.process_time()
        spent[at] = spent.get(at, 0.0) + now - since
        at, since = stage, now

    start = time.process_time()
    with parts() as within:
        build(source, folder / "out", words=words, engine="serial", progress=progress)
    progress("end", 1)
    total = time.process_time() - start
    spent |= {f"cleaning and words: {part}": s for part, s in within.items()}
    spent["cleaning and words: reading and writing"] = spent["cleaning and words"] - sum(within.values())
    rows = {
        stage: {"cpu_s": round(s, 1), "ms_per_MB": round(1000 * s / megabytes, 1), "share": round(s / total, 3)}
        for stage, s in spent.items()
    }
    bare = {name: {"ms_per_MB": round(1000 * s, 1)} for name, s in bare_costs(source, sample).items()}
    return {"MB": round(megabytes, 1), "cpu_s": round(total, 1), "stages": rows, "bare": bare}


@contextlib.contextmanager
def parts() -> Iterator[dict[str, float]]:
    """CPU seconds of each of :data:`PARTS` while the block runs."""
    from thaiwiki_clean.pipeline import stages as module

    spent: dict[str, float] = dict.fromkeys(PARTS, 0.0)

    def timed(part: str, work: Any) -> Any:
        def run(*args: Any) -> Any:
            since = time.process_time()
            try:
                return work(*args)
            finally:
                spent[part] += time.process_time() - since

        return run

    with contextlib.ExitStack() as patches:
        for part, name in PARTS.items():
            owner, _, name = name.rpartition(".")
            there = getattr(module, owner) if owner else module
            patches.enter_context(mock.patch.object(there, name, timed(part, getattr(there, name))))
        yield spent


def kills(source: str, folder: Path, times: int, workers: int, seed: int) -> dict[str, Any]:
    """SIGKILL of the parent at random moments of a build, then a last run; the bytes must be those of an undisturbed one."""
    start = time.monotonic()
    if start_build(source, folder / "undisturbed", workers=workers).wait():
        raise SystemExit("the undisturbed build failed")
    whole_run = time.monotonic() - start
    draw = random.Random(seed)
    done = 0
    moments: list[float] = []
    while done < times:
        run = start_build(source, folder / "out", workers=workers)
        moment = draw.uniform(0.1, 1) * whole_run
        try:
            run.wait(moment)
            # It came to its end before the kill: begin again, for a finished build has nothing to interrupt.
            (folder / "out").rename(folder / f"finished-{done}-{len(moments)}")
        except subprocess.TimeoutExpired:
            run.kill()
            run.wait()
            done += 1
        moments.append(round(moment, 2))
    if start_build(source, folder / "out", workers=workers).wait():
        raise SystemExit("the last build failed")
    same = digest(folder / "out") == digest(folder / "undisturbed")
    others = [digest(path) == digest(folder / "undisturbed") for path in folder.glob("finished-*")]
    if not (same and all(others)):
        raise SystemExit(f"the bytes differ after kills at {moments}")
    return {"kills": done, "moments_s": moments, "finished_between": len(others), "undisturbed_s": round(whole_run, 1), "same_bytes": True}


def truth(source: str, out: Path) -> dict[str, Any]:
    """Duplicates that a finished build of a made source found, against what ``make_v3like.py`` wrote beside it.

    Only pages count that stood when duplicates were looked for. The generator draws sentences from few passages, so some pages
    are equal, or nearly so, that are no copies of each other: they are counted apart, by their texts.
    """
    from thaiwiki_clean.dedup import fold, jaccard

    known = [json.loads(line) for line in Path(f"{source}.truth.jsonl").read_text("utf-8").splitlines()]
    row_of = {about["index"]: row for row, about in enumerate(known, 1)}
    above = {row_of[about["index"]]: row_of.get(about["dup_of"]) for about in known}
    if not list((out / "articles").glob("*.parquet")):
        sys.exit(f"error: no build in {out}; make one first: scale.py whole {source} --out {out.parent}")
    cluster: dict[int, str] = {}
    fell: dict[int, tuple[str, str]] = {}
    texts: dict[int, str] = {}
    for name in ("articles", "dropped"):
        for path in sorted((out / name).glob("*.parquet")):
            with pq.ParquetFile(path) as file:
                for batch in file.iter_batches(2000, columns=["id", "cluster", "text", *(["reason"] if name == "dropped" else [])]):
                    for page in batch.to_pylist():
                        row = int(page["id"].rpartition(":")[2])
                        if (reason := page.get("reason")) in (None, "duplicate", "near_duplicate"):
                            cluster[row] = page["cluster"] or page["id"]
                            if page["cluster"]:
                                texts[row] = page["text"]
                            if reason:
                                fell[row] = reason, page["cluster"]
    found: dict[str, Any] = {"stand": len(cluster)}
    for kind in ("exact", "near"):
        pairs = [(row, above[row]) for row, about in enumerate(known, 1) if about["dup_kind"] == kind]
        both = [(a, b) for a, b in pairs if a in cluster and b in cluster]
        missed = [(a, b) for a, b in both if cluster[a] != cluster[b]]
        found[kind] = {
            "pairs": len(both),
            "same_cluster": len(both) - len(missed),
            "recall": round(1 - len(missed) / max(1, len(both)), 5),
            "missed": missed[:5],
        }

    def root(row: int) -> int:
        while (up := above[row]) is not None:
            row = up
        return row

    for reason in ("duplicate", "near_duplicate"):
        joins = [(row, int(survivor.rpartition(":")[2])) for row, (why, survivor) in fell.items() if why == reason]
        strangers = [(a, b) for a, b in joins if root(a) != root(b)]
        kinds = Counter(known[a - 1]["kind"] for a, _ in strangers)
        equal = [(a, b) for a, b in strangers if fold(texts[a]) == fold(texts[b])]
        others = sorted(set(strangers) - set(equal))
        found[reason] = {
            "fell": len(joins),
            "not_copies_in_the_truth": len(strangers),
            "of_kind": dict(kinds.most_common()),
            "longest_of_these_characters": max((len(texts[a]) for a, _ in strangers), default=0),
            "of_these_equal_text": len(equal),
            "jaccard_of_the_rest": sorted(round(jaccard(texts[a], texts[b]), 3) for a, b in others)[:40],
            "rest_at_threshold": sum(jaccard(texts[a], texts[b]) >= 0.9 for a, b in others),
            "precision_by_truth": round(1 - len(strangers) / max(1, len(joins)), 5),
            "precision_by_text": round(
                1
                - (len(others) if reason == "duplicate" else sum(jaccard(texts[a], texts[b]) < 0.9 for a, b in others))
                / max(1, len(joins)),
                5,
            ),
            "examples": [(a, b) for a, b in others[:5]],
        }
    survivors: dict[str, int] = {}
    for row, name in cluster.items():
        survivors[name] = survivors.get(name, 0) + (row not in fell)
    found["clusters_with_exactly_one_survivor"] = all(n == 1 for n in survivors.values())
    return found


def start_build(source: str, out: Path, **options: Any) -> subprocess.Popen[bytes]:
    script = out.parent / "run.py"
    script.write_text(RUN, "utf-8")
    root = str(Path(__file__).resolve().parent.parent)
    return subprocess.Popen([sys.executable, str(script), source, str(out), json.dumps(options)], env={"PYTHONPATH": root, **os.environ})


def digest(folder: Path) -> str:
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        total.update(path.relative_to(folder).as_posix().encode() + b"\0")
        total.update(path.read_bytes() if path.is_file() else b"")
    return total.hexdigest()


def texts(source: str) -> Iterator[str]:
    with pq.ParquetFile(source) as file:
        for batch in file.iter_batches(256, columns=["text"], use_threads=False):
            yield from (text for text in batch.column(0).to_pylist() if text)


def text_bytes(source: str) -> int:
    return sum(len(text.encode()) for text in texts(source))


def bare_costs(source: str, sample: float) -> Mapping[str, float]:
    """CPU seconds a MB of the least that has to be done."""
    import pyarrow as pa
    from pythainlp.tokenize.nlpo3 import segment

    segment("แมว")
    step = max(1, round(text_bytes(source) / 1e6 / sample))
    some = [text for n, text in enumerate(texts(source)) if n % step == 0]
    megabytes = sum(len(text.encode()) for text in some) / 1e6
    start = time.process_time()
    for text in some:
        for line in text.split("\n"):
            if line:
                segment(line)
    middle = time.process_time()
    with tempfile.NamedTemporaryFile(suffix=".parquet") as file:
        pq.write_table(pa.table({"text": some}), file.name, compression="zstd", compression_level=3)
        for _ in texts(file.name):
            pass
    end = time.process_time()
    return {"nlpo3": (middle - start) / megabytes, "read_and_write": (end - middle) / megabytes}


class Peak(threading.Thread):
    """The most memory that a process and its descendants held together: proportional set size, Linux only."""

    def __init__(self, process: int) -> None:
        super().__init__(daemon=True)
        self.process = process
        self.bytes = 0

    def run(self) -> None:  # noqa: D102  # as in threading
        while Path(f"/proc/{self.process}").exists():
            self.bytes = max(self.bytes, sum(map(held, family(self.process))))
            time.sleep(0.5)


def family(process: int) -> list[int]:
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
        except (OSError, IndexError):
            continue  # it ended while we looked
    found = [process]
    for parent in found:
        found += [child for child, its in parents.items() if its == parent]
    return found


def held(process: int) -> int:
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
    except (OSError, StopIteration):
        return 0


if __name__ == "__main__":
    main()
