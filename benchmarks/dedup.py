"""Duplicates against the generator's truth: precision, recall, documents a second, memory, and how cost grows.

    python ../shared/tools/make_v3like.py --passages ../shared/data/passages_dev.jsonl --rows 12000 \
        --public-columns --recombine --jobs 2 --format parquet --out /tmp/pages.parquet
    python benchmarks/dedup.py /tmp/pages.parquet [--grow ../shared/data/thaigov_public_domain.parquet] [--scale]

The truth names the page that a copy was made from. Pages that a verdict drops (redirects, stubs, ...) are left out first, as in
a build. The generator draws from few sentences, so pages come out equal, or over the threshold, that its truth calls unrelated:
they are counted as wrong joins and shown beside, so that a reader can judge them.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from thaiwiki_clean.clean import clean
from thaiwiki_clean.dedup import THRESHOLD, Member, clusters, fold, jaccard, key, signatures
from thaiwiki_clean.judge import judge
from thaiwiki_clean.page import Page
from thaiwiki_clean.recurring import line_counts, merge_counts, recurring, recurring_edits

Pages = Sequence[tuple[str, str]]


def reader(pages: Pages) -> Callable[[Sequence[str]], Mapping[str, str]]:
    texts = dict(pages)
    return lambda ids: texts


def timed(pages: Pages) -> tuple[dict[str, Member], float, float]:
    """Clusters, and CPU seconds for signatures and for clusters."""
    start = time.process_time()
    signed = signatures(pages)
    middle = time.process_time()
    found = clusters([signed], reader(pages))
    return found, middle - start, time.process_time() - middle


def accuracy(source: Path) -> None:
    rows = pq.read_table(source, columns=["title", "text", "source"]).to_pylist()
    truth = [json.loads(line) for line in Path(f"{source}.truth.jsonl").read_text("utf-8").splitlines()]
    texts: dict[int, str] = {}
    for row, known in zip(rows, truth, strict=True):
        text = clean(row["text"])
        if judge(Page("", row["title"], row["source"], "", row["text"], text=text)) is None:
            texts[known["index"]] = text
    origin = {known["index"]: known["dup_of"] for known in truth}

    def family(index: int) -> int:
        while origin.get(index) is not None:
            index = origin[index]
        return index

    pages = [(str(index), text) for index, text in texts.items()]
    found, signing, joining = timed(pages)
    megabytes = sum(len(text.encode()) for text in texts.values()) / 1e6
    print(f"{len(rows)} rows, {len(pages)} pages stand after verdicts, {megabytes:.1f} MB of clean text, threshold {THRESHOLD}")
    print(f"signatures {len(pages) / signing:,.0f} pages/s, {megabytes / signing:.0f} MB/s; clusters {joining:.2f} s\n")
    print("| copies in the truth, both pages standing | pairs | same cluster | recall |\n|---|---|---|---|")
    for kind in ("exact", "near"):
        pairs = [(k["index"], k["dup_of"]) for k in truth if k["dup_kind"] == kind and k["index"] in texts and k["dup_of"] in texts]
        together = sum(str(a) in found and str(b) in found and found[str(a)].cluster == found[str(b)].cluster for a, b in pairs)
        print(f"| {kind} | {len(pairs)} | {together} | {together / max(1, len(pairs)):.4f} |")
    fallen = [(int(page), int(member.cluster), member.verdict) for page, member in found.items() if member.verdict]
    print(
        "\n| verdict | pages that fell | less alike to their survivor than the threshold | of another family in the truth | the same text after folding | Jaccard of the rest |\n|---|---|---|---|---|---|"
    )
    for verdict in ("duplicate", "near_duplicate"):
        some = [(a, b) for a, b, v in fallen if v == verdict]
        wrong = [(a, b) for a, b in some if family(a) != family(b)]
        same = sum(key(texts[a]) == key(texts[b]) for a, b in wrong)
        rest = ", ".join(f"{jaccard(texts[a], texts[b]):.2f}" for a, b in wrong if key(texts[a]) != key(texts[b]))
        far = sum(jaccard(texts[a], texts[b]) < THRESHOLD for a, b in some)
        print(f"| {verdict} | {len(some)} | {far} | {len(wrong)} | {same} | {rest} |")
    start = time.process_time()
    hashes = recurring(merge_counts([line_counts(texts.values())]))
    counting = time.process_time() - start
    edited = sum(bool(recurring_edits(text, hashes)) for text in texts.values())
    print(f"\nlines: counted at {megabytes / counting:.0f} MB/s; {len(hashes)} recur; {edited} pages lose one")


def growth(source: Path) -> None:
    """Real prose, cut into pieces of a page's length, with every tenth piece copied and one place of it changed.

    Then stubs of one template, alike by .85, of which nearly all stand: the worst that a wiki does to a search for duplicates.
    """
    texts = [text for text in pq.read_table(source, columns=["text"])["text"].to_pylist() if text]
    pieces = [text[at : at + 2000] for text in texts for at in range(0, len(text), 2000)]

    def prose(count: int) -> Pages:
        pages = [(str(i), text) for i, text in enumerate(pieces[: int(count * 0.9)])]
        copies = [(f"{i}c", text[: len(text) // 2] + "แก้" + text[len(text) // 2 + 3 :]) for i, text in pages[::9]]
        return pages + copies[: count // 10]

    def stubs(count: int) -> Pages:
        draw = random.Random(1)
        a, b = texts[0][:130], texts[0][130:260]
        return [(str(i), f"{draw.getrandbits(32):09x}"[:9] + a + f"{draw.getrandbits(32):09x}"[:9] + b) for i in range(count)]

    for name, made in (("prose", prose), ("stubs of one template", stubs)):
        grown(name, made)


def grown(name: str, made: Callable[[int], Pages]) -> None:
    print(
        f"\n| {name}, pages | signatures, pages/s | clusters, s | clusters, us a page | fell | most memory of the process, MB |\n|---|---|---|---|---|---|"
    )
    for count in (2_000, 5_000, 10_000, 20_000):
        pages = made(count)
        found, signing, joining = timed(pages)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
        fell = sum(member.verdict is not None for member in found.values())
        print(
            f"| {len(pages):,} | {len(pages) / signing:,.0f} | {joining:.2f} | {1e6 * joining / len(pages):.0f} | {fell} | {memory:.0f} |"
        )


def libraries(source: Path) -> None:
    """Signatures of 128 minima by rensa, on the same folded text, beside ours (which hold keys and bands as well)."""
    from rensa import RMinHash

    texts = [fold(text) for text in pq.read_table(source, columns=["text"])["text"].to_pylist()[:1000] if text]

    def minhash(text: str) -> object:
        sketch = RMinHash(num_perm=128, seed=1)
        sketch.update([text[i : i + 5] for i in range(len(text) - 4)])
        return sketch.digest()

    start = time.process_time()
    for text in texts:
        minhash(text)
    theirs = time.process_time() - start
    start = time.process_time()
    signatures((str(i), text) for i, text in enumerate(texts))
    ours = time.process_time() - start
    print(
        f"\nsignatures, pages/s: ours {len(texts) / ours:,.0f}, rensa RMinHash {len(texts) / theirs:,.0f} ({theirs / ours:.1f} times ours)"
    )


def scale() -> None:
    """Clusters of many pages, from made-up signatures: one page in ten doubles another exactly, one in ten nearly."""
    print("\n| made-up signatures | clusters, s | us a page | most memory of the process, MB |\n|---|---|---|---|")
    template = signatures([("0", "")])
    for count in (20_000, 200_000, 1_000_000):
        rng = np.random.default_rng(1)
        bands = rng.integers(0, 2**63, (count, 21), np.uint64)
        minima = rng.integers(0, 256, (count, 128), np.uint8)
        keys = rng.integers(0, 256, (count, 16), np.uint8)
        tenth = count // 10
        keys[:tenth] = keys[tenth : 2 * tenth]
        bands[:tenth] = bands[tenth : 2 * tenth]
        bands[2 * tenth : 3 * tenth, :11] = bands[3 * tenth : 4 * tenth, :11]
        minima[2 * tenth : 3 * tenth] = minima[3 * tenth : 4 * tenth]
        table = pa.table(
            [
                pa.array([str(i) for i in range(count)]),
                pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), count, [None, pa.py_buffer(keys.tobytes())]),
                pa.array(np.full(count, 1000, np.int32)),
                pa.FixedSizeListArray.from_arrays(pa.array(bands.ravel()), 21),
                pa.FixedSizeBinaryArray.from_buffers(pa.binary(128), count, [None, pa.py_buffer(minima.tobytes())]),
            ],
            schema=template.schema,
        )
        start = time.process_time()
        clusters([table], lambda ids: dict.fromkeys(ids, "แมวเป็นสัตว์เลี้ยงลูกด้วยนม"))
        seconds = time.process_time() - start
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
        print(f"| {count:,} | {seconds:.1f} | {1e6 * seconds / count:.0f} | {memory:.0f} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", type=Path)
    parser.add_argument("--grow", type=Path, help="a parquet file with a text column of real prose")
    parser.add_argument("--scale", action="store_true", help="clusters of up to a million made-up signatures")
    args = parser.parse_args()
    accuracy(args.pages)
    if args.grow:
        growth(args.grow)
        libraries(args.grow)
    if args.scale:
        scale()
