"""Dump readers side by side: from .xml.bz2 to parquet, and how good the text is.

    python benchmarks/dump.py speed DUMP.xml.bz2 --others PYTHON      # one run, every tool in its own process
    python benchmarks/dump.py quality TOOLS PASSAGES --others PYTHON  # against pages whose right text is known

``PYTHON`` is an interpreter that has mwparserfromhell, wikitextparser, wikiextractor and pyarrow (an environment of their own:
WikiExtractor is AGPL and wikitextparser GPL; they are run, never imported by this project). wiki-dump-reader is MIT and may stand
in this one; "and the rules" cleans what comes out, as v3 would have to be cleaned to be as good. ``TOOLS`` is the
folder that holds ``make_v3like.py`` and ``score_cleaner.py``. Seconds are CPU seconds of the process and its children.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve()

# --- the paths: dump to a parquet file of id, title, text


def ours(dump: str, out: str, workers: int, clean: bool) -> None:
    from thaiwiki_clean.readers.dump import dump_shards

    shards = [(shard, f"{out}-{shard.part:05d}", clean) for shard in dump_shards(dump)]
    with ProcessPoolExecutor(workers) as pool:
        list(pool.map(_our_shard, shards))


def _our_shard(task: tuple[Any, str, bool]) -> None:
    shard, out, clean = task
    from thaiwiki_clean.clean import clean_page
    from thaiwiki_clean.readers.dump import read_dump_shard

    def rows() -> Iterator[tuple[str, str, str]]:
        for page in read_dump_shard(shard):
            if page.dropped is None:
                yield page.id, page.title, clean_page(page).text if clean else page.raw

    to_parquet(rows(), out)


def wiki_dump_reader(dump: str, out: str, workers: int, clean: bool) -> None:
    """As v3 was made: its reader takes plain XML only, so the dump is unpacked first."""
    import bz2
    import shutil

    from wiki_dump_reader import Cleaner, iterate

    cleaner = Cleaner()
    with tempfile.NamedTemporaryFile(suffix=".xml") as plain:
        with bz2.open(dump) as packed:
            shutil.copyfileobj(packed, plain, 1 << 20)
        plain.flush()
        texts = ((str(n), title, cleaner.build_links(cleaner.clean_text(text))[0]) for n, (title, text) in enumerate(iterate(plain.name)))
        to_parquet(((n, title, rules(text)) for n, title, text in texts) if clean else texts, out)


def rules(text: str) -> str:
    from thaiwiki_clean.clean import clean

    return clean(text)


def mwparserfromhell(dump: str, out: str, workers: int, clean: bool) -> None:
    parser = importlib.import_module("mwparserfromhell")

    to_parquet(((n, title, parser.parse(text).strip_code()) for n, title, text in elements(dump)), out)


def wikitextparser(dump: str, out: str, workers: int, clean: bool) -> None:
    remove_markup = importlib.import_module("wikitextparser").remove_markup

    to_parquet(((n, title, remove_markup(text)) for n, title, text in elements(dump)), out)


def wikiextractor(dump: str, out: str, workers: int, clean: bool) -> None:
    """WikiExtractor without template expansion, its fastest way."""
    folder = tempfile.mkdtemp()
    subprocess.run(
        [sys.executable, "-m", "wikiextractor.WikiExtractor", dump, "--json", "--no-templates", "--processes", str(workers), "-q", "-o", folder],
        check=True, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    rows = (
        json.loads(line) for path in sorted(Path(folder).rglob("wiki_*")) for line in path.read_text(encoding="utf-8").split("\n") if line
    )
    to_parquet(((str(row["id"]), row["title"], row["text"]) for row in rows), out)


PATHS = {
    "ours, text only": ours,
    "wiki-dump-reader": wiki_dump_reader,
    "ours and the rules": ours,
    "wiki-dump-reader and the rules": wiki_dump_reader,
    "WikiExtractor": wikiextractor,
    "mwparserfromhell": mwparserfromhell,
    "wikitextparser": wikitextparser,
}

OTHERS = ("WikiExtractor", "mwparserfromhell", "wikitextparser")  # read with the interpreter given as --others


def elements(dump: str) -> Iterator[tuple[str, str, str]]:
    """The articles of a dump by the standard library alone, for parsers that read no dumps."""
    import bz2
    from xml.etree.ElementTree import iterparse

    with bz2.open(dump) as packed:
        for _, page in iterparse(packed):
            if page.tag.endswith("}page"):
                at = page.tag[:-4]
                if page.findtext(f"{at}ns") == "0" and page.find(f"{at}redirect") is None:
                    yield page.findtext(f"{at}id") or "", page.findtext(f"{at}title") or "", page.findtext(f"{at}revision/{at}text") or ""
                page.clear()


def to_parquet(rows: Iterable[tuple[str, str, str]], out: str) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([("id", pa.string()), ("title", pa.string()), ("text", pa.string())])
    with pq.ParquetWriter(f"{out}.parquet", schema, compression="zstd") as writer:
        batch: list[tuple[str, str, str]] = []
        for row in rows:
            batch.append(row)
            if len(batch) == 1000:
                writer.write_table(
                    pa.Table.from_arrays([pa.array(column, pa.string()) for column in zip(*batch, strict=True)], schema=schema)
                )
                batch.clear()
        if batch:
            writer.write_table(pa.Table.from_arrays([pa.array(column, pa.string()) for column in zip(*batch, strict=True)], schema=schema))


# --- speed


def run(name: str, dump: str, out: str, workers: int, python: str) -> dict[str, float]:
    """One path in a process of its own: wall seconds, CPU seconds with children, peak memory of the largest process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    subprocess.run(
        [python, str(HERE), "one", name, dump, out, str(workers)], check=True, env={**os.environ, "PYTHONPATH": str(HERE.parent.parent)}
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "wall": time.perf_counter() - began,
        "cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
    }


def one(name: str, dump: str, out: str, workers: int) -> None:
    PATHS[name](dump, out, workers, name.endswith("and the rules"))
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    Path(f"{out}.peak").write_text(str(peak / 1024))


def speed(dump: str, others: str, names: list[str], repeats: int, workers: int) -> None:
    import bz2

    size = 0
    with bz2.open(dump) as packed:
        while data := packed.read(1 << 22):
            size += len(data)
    print(f"{dump}: {size / 1e6:.0f} MB of XML, {os.path.getsize(dump) / 1e6:.0f} MB packed; {workers} workers, {os.cpu_count()} cores")
    print("| path | wall s | CPU s | MB per CPU second | peak MB of the largest process |\n|---|---|---|---|---|")
    for _ in range(repeats):
        for name in names:
            with tempfile.TemporaryDirectory() as folder:
                out = f"{folder}/out"
                took = run(name, dump, out, workers, others if name in OTHERS else sys.executable)
                peak = float(Path(f"{out}.peak").read_text())
            print(f"| {name} | {took['wall']:.1f} | {took['cpu']:.1f} | {size / 1e6 / took['cpu']:.1f} | {peak:.0f} |", flush=True)


# --- quality


def gold_rows(tools: str, passages: str, rows: int, seed: int, restored: bool) -> list[dict[str, Any]]:
    """Pages of the generator with their right text. ``restored`` puts back what only v3's parser loses: names in {{zh}} and
    {{ญี่ปุ่น}}, the words before a colon in a link, between < and >, and behind an open [[."""
    sys.path.insert(0, tools)
    maker: Any = importlib.import_module("make_v3like")

    if restored:
        put = {"{{{{zh|t={zh}|s={zh}}}}}": "{zh}", "{{{{ญี่ปุ่น|{ja}}}}}": "{ja}"}
        maker.PARENBITS = [((form[0], form[1], put.get(form[0], form[2])), *rest) for form, *rest in maker.PARENBITS]
    args = argparse.Namespace(
        passages=passages,
        rows=rows,
        seed=seed,
        forms="dev",
        dirt=1.0,
        recombine=False,
        jobs=1,
        xml=False,
        public_columns=False,
        sources=None,
    )
    pages = list(maker.stream(args))
    if restored:
        for page in pages:
            for line, info in zip(page["text"].split("\n"), page["lines"], strict=True):
                if "broken" in info.get("tags", ()):
                    _restore(page, line, info)
    return pages


def _restore(page: dict[str, Any], line: str, info: dict[str, Any]) -> None:
    before = info.get("gold", line)
    start = next(start for start in ("ข้อความนี้มีแม่แบบ", "ข้อความนี้มีลิงก์", "กำหนดให้", "ภาพยนตร์เรื่อง") if line.startswith(start))
    whole = next(wiki for wiki in page["wikitext"].split("\n") if wiki.startswith(start))
    gold = whole.partition("{{")[0].replace("[[", "").replace("]]", "").strip()
    info["gold"] = gold
    page["gold_text"] = page["gold_text"].replace(before, gold)


def write_dump(pages: list[dict[str, Any]], path: str, tools: str) -> None:
    """The pages as a dump; a page's number is its place in the list. The title goes with the page, whatever wiki it is of."""
    import bz2

    sys.path.insert(0, tools)
    maker: Any = importlib.import_module("make_v3like")

    plain = path.removesuffix(".bz2")
    maker.write_xml(
        (
            {"id": n, "title": page["title"], "wikitext": page["wikitext"], "redirect": None, "source": ""}
            for n, page in enumerate(pages, 1)
        ),
        plain,
    )
    Path(path).write_bytes(bz2.compress(Path(plain).read_bytes()))


def quality(tools: str, passages: str, others: str, rows: int, seed: int) -> None:
    sys.path.insert(0, tools)
    import pyarrow.parquet as pq

    score_cleaner = importlib.import_module("score_cleaner")

    from thaiwiki_clean.clean import clean_page
    from thaiwiki_clean.judge import judge
    from thaiwiki_clean.page import Page
    from thaiwiki_clean.readers.dump import dump_shards, read_dump_shard

    def judged(page: Page) -> str:
        done = clean_page(page)
        return "" if judge(done) else done.text

    with tempfile.TemporaryDirectory() as folder:
        for restored in (False, True):
            pages = gold_rows(tools, passages, rows, seed, restored)
            dump = f"{folder}/gold-{restored}.xml.bz2"
            write_dump(pages, dump, tools)
            read = [page for shard in dump_shards(dump) for page in read_dump_shard(shard) if page.dropped != "other_namespace"]
            texts = {"ours, before the rules": ["" if page.dropped else page.raw for page in read], "ours": [judged(page) for page in read]}
            texts["v3 column, before the rules"] = [page["text"] for page in pages]
            texts["v3 column and the same rules"] = [
                judged(Page(str(page["id"]), page["title"], page["source"], "", page["text"])) for page in pages
            ]
            for name in ("WikiExtractor", "mwparserfromhell", "wikitextparser"):
                run(name, dump, f"{folder}/other", 1, others)
                table = pq.read_table(f"{folder}/other.parquet").to_pydict()
                by_id = dict(zip(table["id"], table["text"], strict=True))
                texts[f"{name}, before the rules"] = [by_id.get(str(n * 10), "") for n in range(1, len(pages) + 1)]
                texts[f"{name} and the same rules"] = [
                    judged(Page(str(page["id"]), page["title"], page["source"], "", text)) if text else ""
                    for page, text in zip(pages, texts[f"{name}, before the rules"], strict=True)
                ]
            print(
                f"\n{len(pages)} pages, seed {seed}, "
                + ("gold with what v3's parser loses put back" if restored else "the generator's own gold")
                + "\n"
            )
            print(
                "| path | drop P | drop R | prose lost | dirt kept | repair exact | intact | pages exact | page drop P | page drop R |\n"
                + "|---" * 10
                + "|"
            )
            for name, out in texts.items():
                s = score_cleaner.score(pages, list(out), 1.0)
                cells = [
                    s["drop_precision"],
                    s["drop_recall"],
                    s["prose_chars_lost"],
                    s["dirt_chars_kept"],
                    s["repair_exact"].get("all", [0, 0, None])[2],
                    s["clean_lines_intact"],
                    s["doc_exact"],
                    s["doc_drop_precision"],
                    s["doc_drop_recall"],
                ]
                print(f"| {name} | " + " | ".join("-" if cell is None else f"{cell:.4f}" for cell in cells) + " |", flush=True)
            torn = [n for n, page in enumerate(pages) if any("broken" in info.get("tags", ()) for info in page["lines"])]
            v3, now = (sum(len(texts[name][n]) for n in torn) for name in ("v3 column and the same rules", "ours"))
            print(
                f"\n{len(torn)} pages with torn markup or a colon in a link: {v3:,} characters by v3 and the same rules, {now:,} by ours: {now - v3:,} recovered"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    part = commands.add_parser("speed")
    part.add_argument("dump")
    part.add_argument("--others", default=sys.executable)
    part.add_argument("--paths", nargs="+", default=[name for name in PATHS if name != "wikitextparser"], choices=list(PATHS))
    part.add_argument("--repeats", type=int, default=1)
    part.add_argument("--workers", type=int, default=2)
    part = commands.add_parser("quality")
    part.add_argument("tools")
    part.add_argument("passages")
    part.add_argument("--others", default=sys.executable)
    part.add_argument("--rows", type=int, default=1500)
    part.add_argument("--seed", type=int, default=11)
    part = commands.add_parser("one")
    part.add_argument("name", choices=list(PATHS))
    part.add_argument("dump")
    part.add_argument("out")
    part.add_argument("workers", type=int)
    got = parser.parse_args()
    if got.command == "speed":
        speed(got.dump, got.others, got.paths, got.repeats, got.workers)
    elif got.command == "quality":
        quality(got.tools, got.passages, got.others, got.rows, got.seed)
    else:
        one(got.name, got.dump, got.out, got.workers)


if __name__ == "__main__":
    main()
