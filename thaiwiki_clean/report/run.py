"""What a report needs of a built folder, read once: the manifest, the pages kept to be shown, lengths, measures, duplicates."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as pq

from thaiwiki_clean.page import Page
from thaiwiki_clean.pipeline.manifest import Manifest
from thaiwiki_clean.pipeline.published import BY_CHANCE
from thaiwiki_clean.pipeline.shards import read_tables, to_pages
from thaiwiki_clean.reasons import VERDICTS
from thaiwiki_clean.repetition import Repetition, repetition

__all__ = ["Cluster", "Run"]

_SAMPLES = "samples.parquet"
_CLUSTERS_SHOWN = 8
_TITLES_SHOWN = 6


class Cluster(NamedTuple):
    """Pages that say the same: the one that is kept, and some of the others."""

    kept: tuple[str, str]  #: title and address
    others: list[tuple[str, str]]
    pages: int


@dataclasses.dataclass(frozen=True)
class Run:
    """A built folder."""

    folder: Path
    manifest: Manifest

    @classmethod
    def read(cls, folder: Path | str) -> Run:
        """The run in ``folder``.

        Raises FileNotFoundError when that is no finished build, ValueError when it is one of another version.
        """
        run = cls(Path(folder), Manifest.read(folder))
        for name in (_SAMPLES, *run.manifest.files):
            if not (run.folder / name).exists():
                raise FileNotFoundError(f"{folder} has no {name}, which its manifest names; build again into an empty folder")
        return run

    def files(self, name: str) -> list[Path]:
        """The published files of ``articles`` or ``dropped``, in the order of the source."""
        return [self.folder / path for path in sorted(self.manifest.files) if path.startswith(f"{name}/")]

    @cached_property
    def _samples(self) -> tuple[list[Page], list[str]]:
        table = pq.read_table(self.folder / _SAMPLES, use_threads=False)
        return to_pages(table), table["shows"].to_pylist()

    @cached_property
    def chosen(self) -> dict[str, list[Page]]:
        """Reason or verdict -> pages that have it, with their raw text."""
        out: dict[str, list[Page]] = defaultdict(list)
        for page, shows in zip(*self._samples, strict=True):
            if shows != BY_CHANCE and page not in out[shows]:
                out[shows].append(page)
        return dict(out)

    @cached_property
    def drawn(self) -> list[Page]:
        """Pages drawn by chance, those that could not be read left out."""
        return [page for page, shows in zip(*self._samples, strict=True) if shows == BY_CHANCE and page.dropped != "bad_row"]

    @cached_property
    def measured(self) -> tuple[list[Repetition], list[Repetition]]:
        """What the ruler says of the drawn pages: as they came, and as the articles among them leave. Without words."""
        return (
            [repetition(page.raw, ()) for page in self.drawn],
            [repetition(page.text, ()) for page in self.drawn if not page.dropped],
        )

    @cached_property
    def lengths(self) -> tuple[list[int], list[int]]:
        """Characters of every page as it came, and of every article as it leaves."""
        return self._column("n_chars_raw", "articles", "dropped"), self._column("n_chars", "articles")

    def _column(self, column: str, *names: str) -> list[Any]:
        paths = [path for name in names for path in self.files(name)]
        return [value for path in paths for table in read_tables(path, [column]) for value in table[column].to_pylist()]

    @cached_property
    def clusters(self) -> list[Cluster]:
        """The largest clusters of duplicates."""
        kept: dict[tuple[str, str], tuple[str, str]] = {}
        for row in self._rows("articles", ["id", "title", "url", "cluster"]):
            if row["cluster"]:
                kept.setdefault((row["cluster"], row["id"]), (row["title"], row["url"]))
        others: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for row in self._rows("dropped", ["title", "url", "cluster"]):
            if row["cluster"]:
                others[row["cluster"]].append((row["title"], row["url"]))
        largest = sorted(others, key=lambda cluster: (-len(others[cluster]), cluster))[:_CLUSTERS_SHOWN]
        return [Cluster(kept.get((name, name), (name, "")), others[name][:_TITLES_SHOWN], len(others[name]) + 1) for name in largest]

    def _rows(self, name: str, columns: Sequence[str]) -> Iterable[dict[str, Any]]:
        for path in self.files(name):
            for table in read_tables(path, columns):
                yield from table.to_pylist()

    def examples(self, most: int = 3) -> list[dict[str, Any]]:
        """The first instruction examples: prompt, answer, title and address."""
        out: list[dict[str, Any]] = []
        for path in self.files("data"):
            if "train" in path.name and len(out) < most:
                table = next(read_tables(path, ["messages", "title", "url"]), None)
                for row in table.slice(0, most - len(out)).to_pylist() if table is not None else []:
                    asked, answered = (message["content"] for message in row["messages"][-2:])
                    out.append({"asked": asked, "answered": answered, "title": row["title"], "url": row["url"]})
        return out

    def fallen(self) -> dict[str, list[Page]]:
        """Verdict -> pages that fell by it, of those that are kept to be shown."""
        return {
            verdict: [page for page in self.chosen.get(verdict, []) if page.dropped == verdict]
            for verdict in self.manifest.dropped
            if verdict in VERDICTS or verdict in self.chosen
        }
