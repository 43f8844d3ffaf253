"""The manifest of a build: what went in, what came out, and enough to do it again."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from thaiwiki_clean.addresses import address_of
from thaiwiki_clean.pipeline.shards import read_tables, row_count, stats
from thaiwiki_clean.reasons import REASONS, VERDICTS

__all__ = ["NAME", "Manifest", "differences", "gather", "identity_hash"]

#: Its name in the folder of a build. It is written last: a folder that holds one is whole.
NAME = "manifest.json"


@dataclasses.dataclass(frozen=True)
class Manifest:
    """What a build did. No clock and no machine in it: the same input gives the same bytes."""

    identity: dict[str, Any]  #: versions, configuration and source: two builds with the same identity are the same build
    identity_hash: str
    source: dict[str, Any]  #: name, kind and fingerprint of what was read
    command: str  #: what to type to do it again
    rows: int  #: rows read; every one is in ``articles`` or in ``dropped``
    articles: int
    dropped: dict[str, int]  #: verdict -> pages
    examples: dict[str, int]  #: split -> rows
    left_out: dict[str, int]  #: why a page gave no example -> how often
    edits: dict[str, dict[str, int]]  #: reason -> edits, pages that have one, and characters that are gone
    characters: dict[str, int]  #: of all pages, raw and cleaned
    lengths: dict[str, dict[str, int]]  #: of the articles: n_chars and n_words, their sum, percentiles and maximum
    wikis: dict[str, int]  #: value of ``source`` -> pages
    duplicates: dict[str, int]  #: clusters, and pages in them
    damage: dict[str, Any]  #: rows that could not be read: how many, id and detail of the first, and where files break off
    files: dict[str, dict[str, Any]]  #: path -> rows, bytes, sha256

    def to_json(self) -> str:
        """The manifest as it stands in ``manifest.json``."""
        return json.dumps(dataclasses.asdict(self), ensure_ascii=False, indent=2) + "\n"

    @classmethod
    def read(cls, folder: Path | str) -> Manifest:
        """The manifest of a built folder.

        Raises FileNotFoundError when there is none, ValueError when it is no manifest of ours.
        """
        path = Path(folder) / NAME
        try:
            return cls.from_json(path.read_bytes(), str(path))
        except FileNotFoundError:
            if address := address_of(folder):
                raise FileNotFoundError(
                    f"{address} is an address, and this wants a folder of this machine: copy the build to one first"
                ) from None
            raise FileNotFoundError(
                f"no {NAME} in {folder}: that is no finished build; run: thaiwiki-clean build SOURCE {folder}"
            ) from None

    @classmethod
    def from_json(cls, text: bytes, path: str) -> Manifest:
        """The manifest that :meth:`to_json` wrote to ``path``. Raises ValueError when it is no manifest of ours."""
        try:
            return cls(**json.loads(text.decode("utf-8")))
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"{path} is no manifest of this version of thaiwiki-clean ({error}); build again into an empty folder"
            ) from None


def gather(
    start: Mapping[str, Any],
    *,
    read: Sequence[Path],
    measured: Sequence[Path],
    duplicates: Path,
    examples: Sequence[Path],
    files: Mapping[str, Path],
) -> Manifest:
    """The manifest of a build: what the stages wrote into their files about themselves, added up."""
    damages, tallies, made = ([stats(path) for path in paths] for paths in (read, measured, examples))
    told = stats(duplicates)
    edits, pages, removed, wikis = (_total(tallies, name) for name in ("edits", "pages", "removed", "wikis"))
    rows, kept, fallen = sum(file["rows"] for file in damages), sum(told["kept"]), sum(told["dropped"])
    assert rows == kept + fallen, f"{rows} rows read, {kept} articles and {fallen} dropped"
    return Manifest(
        **start,
        identity_hash=identity_hash(start["identity"]),
        rows=rows,
        articles=kept,
        dropped=_in_order(told["verdicts"], VERDICTS),
        examples=_total(made, "splits"),
        left_out=_total(made, "left_out"),
        edits={name: {"edits": edits[name], "pages": pages[name], "characters": removed[name]} for name in _in_order(edits, REASONS)},
        characters={name: sum(tally[name] for tally in tallies) for name in ("raw", "text")},
        lengths=_lengths([path for name, path in files.items() if name.startswith("articles/")]),
        wikis=dict(sorted(wikis.items())),
        duplicates=told["duplicates"],
        damage={
            "rows": sum(file["damaged"] for file in damages),
            "first": [row for file in damages for row in file["damage"]][:20],
            "broken_off": [line for file in damages for line in file["broken_off"]],
        },
        files={name: _described(path) for name, path in files.items()},
    )


def _total(files: Sequence[Mapping[str, Any]], name: str) -> dict[str, int]:
    total: Counter[str] = Counter()
    for file in files:
        total.update(file[name])
    return dict(total)


def _in_order(counts: Mapping[str, int], known: Mapping[str, str]) -> dict[str, int]:
    """``counts`` in the order of ``known``: that of a report."""
    order = {name: n for n, name in enumerate(known)}
    return {name: counts[name] for name in sorted(counts, key=lambda name: (order.get(name, len(order)), name))}


def _lengths(articles: Sequence[Path]) -> dict[str, dict[str, int]]:
    import pyarrow as pa
    import pyarrow.compute as pc

    out = {}
    for name in ("n_chars", "n_words"):
        column = pa.chunked_array(
            [table[name].combine_chunks() for path in articles for table in read_tables(path, [name])], pa.int32()
        ).drop_null()
        if len(column):
            at = dict(
                zip(
                    ("p5", "p50", "p95", "p99", "max"),
                    pc.quantile(column, [0.05, 0.5, 0.95, 0.99, 1], interpolation="lower").to_pylist(),
                    strict=True,
                )
            )
            out[name] = {"sum": pc.sum(column).as_py(), **at}
    return out


def _described(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {"rows": row_count(path), "bytes": path.stat().st_size, "sha256": digest}


def identity_hash(identity: Mapping[str, Any]) -> str:
    """A short name for an identity, the same on every machine.

    >>> identity_hash({"a": 1, "b": 2}) == identity_hash({"b": 2, "a": 1})
    True
    """
    return hashlib.sha256(json.dumps(identity, ensure_ascii=False, sort_keys=True).encode()).hexdigest()[:16]


def differences(old: Mapping[str, Any], new: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Where two identities part, as ``name: old -> new``.

    >>> differences({"configuration": {"seed": 0, "dedup": True}}, {"configuration": {"seed": 1, "dedup": True}})
    ['configuration.seed: 0 -> 1']
    """
    out: list[str] = []
    for name in sorted({*old, *new}):
        a, b = old.get(name), new.get(name)
        if isinstance(a, Mapping) and isinstance(b, Mapping):
            out += differences(a, b, f"{prefix}{name}.")
            continue
        # As text: 1 and true are the same to Python, and null is not nothing.
        was, now = (json.dumps(side[name], ensure_ascii=False, sort_keys=True) if name in side else "nothing" for side in (old, new))
        if was != now:
            out.append(f"{prefix}{name}: {was} -> {now}")
    return out
