"""The material of the experiment: pages, articles, held-out titles, the rows of each arm. Texts in, files out; no model."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from finetune.arms import Arm, Article
from finetune.generate import Prompt
from finetune.run import write_jsonl
from thaiwiki_clean.instruct import NOT_EXPLAINING
from thaiwiki_clean.instruct.contamination import Index, contaminated
from thaiwiki_clean.instruct.splits import title_family
from thaiwiki_clean.readers import open_source, read_shard

__all__ = ["PROMPT", "Material", "articles", "base_texts", "check_generator", "generated_pages", "material", "prompts", "write_arm"]

#: The prompt of the project that started this one.
PROMPT = "อธิบายความหมายและให้ข้อมูลของคำดังต่อไปนี้ {title}"

_GENERATOR = "tools/make_v3like.py"
_PASSAGES = "data/passages_dev.jsonl"


class Material(NamedTuple):
    """What every arm shares: the articles that are trained on, and those whose titles are asked for."""

    train: tuple[Article, ...]
    held_out: tuple[Article, ...]


def check_generator(shared: Path) -> None:
    """Raises ValueError when the page generator is not in the folder ``shared``."""
    if not (generator := shared / _GENERATOR).is_file():
        raise ValueError(
            f"no pages: there is no {generator}; give raw pages yourself: --pages FILE (any source that `thaiwiki-clean build` reads)"
        )


def generated_pages(out: Path, shared: Path, *, rows: int, seed: int) -> Path:
    """Pages in v3's form by the generator beside the repository, into ``out``.

    Raises ValueError when there is none, or when it does not run.
    """
    check_generator(shared)
    generator, passages = shared / _GENERATOR, shared / _PASSAGES
    if not out.exists():
        half = out.with_name(f".half-{out.name}")
        command = [
            sys.executable,
            str(generator),
            "--passages",
            str(passages),
            "--rows",
            str(rows),
            "--seed",
            str(seed),
            "--out",
            str(half),
        ]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            half.unlink(missing_ok=True)
            said = (done.stderr.strip().split("\n") or [""])[-1]
            raise ValueError(f"{generator} failed: {said}; it needs wiki-dump-reader: pip install wiki-dump-reader==0.0.4")
        half.replace(out)
    return out


def articles(pages: Path | str, build: Path) -> list[Article]:
    """The pages that our build keeps, each with its raw text and the build's; ``build`` is made where it is not there yet.

    Pages of wikis that do not explain their title, which give no instruction examples either, are left out.
    """
    import pyarrow.parquet as pq

    import thaiwiki_clean as tw

    tw.build(str(pages), build, words=None, workers=1)
    raw = {page.id: page for shard in open_source(str(pages)).shards for page in read_shard(shard)}
    rows = [row for file in sorted((build / "articles").glob("*.parquet")) for row in pq.read_table(file).to_pylist()]
    return [Article(row["id"], row["title"], raw[row["id"]].raw, row["text"]) for row in rows if row["source"] not in NOT_EXPLAINING]


def material(found: Sequence[Article], *, n_train: int, n_held_out: int, seed: int, fits: Callable[[Article], bool]) -> Material:
    """Held-out articles by a hash of their title family, and training articles from the others, those whose rows fit in every arm.

    No title family is on both sides, and no training article shares a passage with a held-out one. Held-out articles need not fit: only their titles are asked for. Raises ValueError when there are too few.
    """
    drawn = sorted(found, key=lambda a: _draw(seed, a.id))
    families = sorted({title_family(a.title) for a in found}, key=lambda family: _draw(seed, family))
    asked = {family: i for i, family in enumerate(families[:n_held_out])}
    held_out = list({title_family(a.title): a for a in reversed(drawn) if title_family(a.title) in asked}.values())
    held_out.sort(key=lambda a: asked[title_family(a.title)])
    if len(held_out) < n_held_out:
        raise ValueError(f"{len(found)} articles give {len(held_out)} held-out titles; the study needs {n_held_out}: give more pages")
    index = Index.of({"held out": [a.text for a in held_out]})
    free = (a for a in drawn if title_family(a.title) not in asked and fits(a))
    train = list(islice((a for a in free if not contaminated("", a.text, index)), n_train))
    if len(train) < n_train:
        raise ValueError(
            f"{len(found)} articles give {len(train)} rows that fit beside {n_held_out} held-out titles; the study needs {n_train}: "
            "give more pages"
        )
    return Material(tuple(train), tuple(held_out))


def _draw(seed: int, key: str) -> str:
    return hashlib.sha256(f"{seed}\n{key}".encode("utf-8", "surrogatepass")).hexdigest()


def prompts(held_out: Iterable[Article]) -> list[Prompt]:
    """One prompt a held-out title."""
    return [Prompt(f"p-{i:03d}", (_user(a.title),), a.title) for i, a in enumerate(held_out)]


def _user(title: str) -> dict[str, str]:
    return {"role": "user", "content": PROMPT.format(title=title)}


def write_arm(path: Path, arm: Arm | None, rows: Iterable[Article]) -> Path:
    """The rows of an arm as ``messages``; without an arm the build's own text, for the held-out loss."""
    write_jsonl(
        path,
        (
            {
                "messages": [_user(a.title), {"role": "assistant", "content": arm.text(a) if arm else a.text}],
                "title": a.title,
                "id": a.id,
            }
            for a in rows
        ),
    )
    return path


def base_texts(prose: Sequence[Path], held_out: Sequence[Article], *, seed: int, limit: int) -> list[str]:
    """Clean prose for the base, in an order of its own, without any text that shares a passage with a held-out article.

    ``prose`` are files with a column ``text``. At most ``limit`` texts of each.
    """
    import thaiwiki_clean as tw

    index = Index.of({"held out": [a.text for a in held_out]})
    texts = []
    for file in prose:
        pages = (page for shard in open_source(str(file)).shards for page in read_shard(shard))
        drawn = sorted(pages, key=lambda page: _draw(seed, page.id + page.title))[:limit]
        cleaned = (tw.clean(page.raw) for page in drawn)
        texts += [text for text in cleaned if text and not contaminated("", text, index)]
    return sorted(texts, key=lambda text: _draw(seed, text))


def shared_folder() -> Path:
    """The folder of data and tools beside the repository; ``THAIWIKI_SHARED`` names another place."""
    return Path(os.environ.get("THAIWIKI_SHARED") or Path(__file__).resolve().parents[2] / "shared")
