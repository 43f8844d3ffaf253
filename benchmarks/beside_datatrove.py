"""A whole build beside datatrove's FineWeb2-Thai chain on the same rows: CPU time, and whether the right pages fell.

    python -m venv other && other/bin/pip install 'datatrove[processing,io]==0.10.1' 'pythainlp==5.4.0'
    python ../shared/tools/make_v3like.py --passages ../shared/data/passages_dev.jsonl --rows 10000 --seed 2 --recombine --public-columns \\
        --format parquet --out /tmp/rows.parquet
    python benchmarks/beside_datatrove.py /tmp/rows.parquet --other other/bin/python [--workers 2]

The chain: Gopher repetition, FineWeb quality and Gopher quality with the values of FineWeb2's tha_Thai.yml, then MinHash of word
5-grams in 14 buckets of 8 hashes. It runs twice: as it is, where most pages fall at the first filter and cost nothing more, and with
every page through every filter and MinHash, which is the work that both do. The build does more: it also cleans, keeps every edit,
makes examples and a report; nothing of that is taken off. Its parts that do the work of both (segmentation, measures, verdicts, signatures, duplicates) are
measured apart, in one process. The truth is what ``make_v3like.py`` writes beside the rows. CPU seconds are those of all processes.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from scale import stages

ROOT = Path(__file__).resolve().parents[1]

#: The parts of a build that do what the chain does.
SAME = ("words", "repetition", "verdicts", "signatures", "duplicates")

CHAIN = r"""
import json, sys
from datatrove.executor import LocalPipelineExecutor as Run
from datatrove.pipeline.base import PipelineStep
from datatrove.pipeline.dedup import MinhashDedupBuckets, MinhashDedupCluster, MinhashDedupFilter, MinhashDedupSignature
from datatrove.pipeline.dedup.minhash import MinhashConfig
from datatrove.pipeline.filters import FineWebQualityFilter, GopherQualityFilter, GopherRepetitionFilter
from datatrove.pipeline.readers import ParquetReader
from datatrove.pipeline.writers import ParquetWriter

class Through(PipelineStep):  # every filter looks at every page, and none falls
    type, name = "filter", "through"

    def __init__(self, filters):
        super().__init__()
        self.filters = filters

    def run(self, data, rank=0, world_size=1):
        for page in data:
            for each in self.filters:
                each.filter(page)
            yield page

def main(rows, out, workers, through):
    th = {"language": "tha_Thai"}
    gopher = GopherRepetitionFilter(
        dup_line_frac=.349, dup_para_frac=0, dup_line_char_frac=0, dup_para_char_frac=0,
        top_n_grams=((2, .221), (3, .197), (4, .162)),
        dup_n_grams=((5, .185), (6, .168), (7, .152), (8, .137), (9, .124), (10, .111)), **th)
    fineweb = FineWebQualityFilter(line_punct_thr=0, short_line_thr=999, char_duplicates_ratio=.1, new_line_ratio=.153, **th)
    quality = GopherQualityFilter(
        min_avg_word_length=2, max_avg_word_length=10, max_non_alpha_words_ratio=.9, min_stop_words=2,
        stop_words=["ใน", "ที่", "และ", "ของ", "เป็น", "มี", "การ", "ได้"], **th)
    how = {"workers": workers, "skip_completed": False, "start_method": "spawn"}  # a forkserver's CPU time is nobody's child's
    reader = lambda folder: ParquetReader(folder, glob_pattern="*.parquet")
    config = MinhashConfig(n_grams=5, num_buckets=14, hashes_per_bucket=8)
    filters = [Through([gopher, fineweb, quality])] if through else [gopher, fineweb, quality]
    Run([reader(rows), *filters, ParquetWriter(f"{out}/filtered", "${rank}.parquet")], tasks=workers, logging_dir=f"{out}/1", **how).run()
    Run([reader(f"{out}/filtered"), MinhashDedupSignature(f"{out}/signatures", config, **th)], tasks=workers, logging_dir=f"{out}/2", **how).run()
    Run([MinhashDedupBuckets(f"{out}/signatures", f"{out}/buckets", config=config)], tasks=14, logging_dir=f"{out}/3", **how).run()
    Run([MinhashDedupCluster(f"{out}/buckets", f"{out}/remove", config=config)], tasks=1, logging_dir=f"{out}/4", **how).run()
    Run([reader(f"{out}/filtered"), MinhashDedupFilter(f"{out}/remove"), ParquetWriter(f"{out}/kept", "${rank}.parquet")], tasks=workers, logging_dir=f"{out}/5", **how).run()

if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), "through" in sys.argv)
"""

BUILD = """
import sys
from thaiwiki_clean.build import build
if __name__ == "__main__":
    build(sys.argv[1], sys.argv[2], workers=int(sys.argv[3]))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", type=Path, help="of make_v3like.py --format parquet, with the truth beside it")
    parser.add_argument("--other", required=True, help="a python that has datatrove")
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    truth = [json.loads(line) for line in Path(f"{given.rows}.truth.jsonl").read_text("utf-8").splitlines()]
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        source, megabytes = numbered(given.rows, work / "rows", given.workers)
        costs = {}
        for label, python, code, read in (
            ("datatrove", given.other, CHAIN, source),
            ("through", given.other, CHAIN, source),
            ("ours", sys.executable, BUILD, f"{source}/*.parquet"),
        ):
            script = work / f"run_{label}.py"
            script.write_text(code, "utf-8")
            costs[label] = cost([python, str(script), str(read), str(work / label), str(given.workers), label], work / f"{label}.log")
        same = sum(stage["cpu_s"] for name, stage in stages(str(given.rows), work, 5)["stages"].items() if name.rpartition(": ")[2] in SAME)
        stand = {"datatrove": set(ids(work / "datatrove/kept")), "ours": set(ids(work / "ours/articles"))}
    print(f"{len(truth):,} rows, {megabytes:.1f} MB, {given.workers} workers\n")
    print("| | wall s | CPU s | CPU ms/MB | good pages that fell | pages of no use that stand | copies that stand beside their page |")
    print("|---|---|---|---|---|---|---|")
    for label, says in (
        ("datatrove", "datatrove, the chain"),
        ("through", "datatrove, every page through every step"),
        ("ours", "ours, the whole build"),
    ):
        wall, cpu = costs[label]
        quality = judged(truth, stand[label]) if label in stand else ("", "", "")
        print(f"| {says} | {wall:.1f} | {cpu:.1f} | {1000 * cpu / megabytes:.0f} | {' | '.join(quality)} |")
    print(f"| ours, {', '.join(SAME)} alone | | {same:.1f} | {1000 * same / megabytes:.0f} | | | |")
    through = costs["through"][1]
    print(
        f"\nCPU of every page through every step: {through / costs['ours'][1]:.2f} times the whole build, {through / same:.2f} times those parts"
    )
    for label, found in stand.items():
        wrong = Counter(each["kind"] for row, each in enumerate(truth) if good(each) and row not in found)
        useless = Counter(
            each["doc_label"] for row, each in enumerate(truth) if each["doc_label"] not in ("keep", "drop_duplicate") and row in found
        )
        print(f"{label}: good pages that fell {dict(wrong.most_common())}, of no use that stand {dict(useless.most_common())}")


def numbered(rows: Path, folder: Path, files: int) -> tuple[Path, float]:
    """The rows with their number as id, in as many files as there are workers: datatrove shares out files. Gives the MB of text, too."""
    folder.mkdir()
    table = pq.read_table(rows)
    table = table.append_column("id", pa.array([str(row) for row in range(len(table))]))
    each = -(-len(table) // files)
    for number in range(files):
        pq.write_table(table.slice(number * each, each), folder / f"{number}.parquet", row_group_size=1000)
    return folder, sum(len(text.encode()) for text in table["text"].to_pylist() if text) / 1e6


def cost(command: list[str], log: Path) -> tuple[float, float]:
    """Wall and CPU seconds of a command, its children's included."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    with log.open("w") as said:
        done = subprocess.run(command, stdout=said, stderr=said, cwd=ROOT)
    if done.returncode:
        sys.exit(f"{log.read_text('utf-8', 'replace')[-2000:]}\nfailed")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.monotonic() - start, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def ids(folder: Path) -> Iterator[int]:
    for path in sorted(folder.glob("*.parquet")):
        yield from (int(name) for name in pq.read_table(path, columns=["id"])["id"].to_pylist())


def good(page: Mapping[str, Any]) -> bool:
    """A page to keep that is no copy of another."""
    return page["doc_label"] == "keep" and page["dup_of"] is None


def judged(truth: list[dict[str, Any]], stand: set[int]) -> tuple[str, str, str]:
    """Good pages that fell; pages that a curator leaves out and that stand; copies that stand beside what they are copies of."""
    row_of = {page["index"]: row for row, page in enumerate(truth)}
    fine = [row for row, page in enumerate(truth) if good(page)]
    useless = [row for row, page in enumerate(truth) if page["doc_label"] not in ("keep", "drop_duplicate")]
    pairs = [(row, row_of[page["dup_of"]]) for row, page in enumerate(truth) if page["dup_of"] in row_of]
    both = [(row, other) for row, other in pairs if truth[other]["doc_label"] == "keep"]
    missed = sum(row in stand and other in stand for row, other in both)
    return (
        share(sum(row not in stand for row in fine), len(fine)),
        share(sum(row in stand for row in useless), len(useless)),
        share(missed, len(both)),
    )


def share(some: int, of: int) -> str:
    return f"{some:,} of {of:,} ({some / max(1, of):.1%})"


if __name__ == "__main__":
    main()
