"""The plan of a study: what was written down before its runs, read from a file."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from finetune.comparison import Contrast, Study

__all__ = ["pair_of", "read_study"]


def read_study(path: Path) -> dict[str, Any]:
    """What a study wrote down before its runs, as keywords of :func:`compare`.

    ``question``, ``hypothesis``, ``measure`` and ``stopping_rule`` are texts; ``headline`` is "A:B" or "A:B:measure"; ``dial`` and
    ``settings`` are lists; each ``[[contrast]]`` has ``a`` and may have ``b``, ``label``, ``question``, ``dial``, ``seeds``.
    Raises ValueError for a key that is none of these.
    """
    text = path.read_text(encoding="utf-8")
    try:
        told = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except ValueError as error:
        raise ValueError(f"{path}: {error}; a study is TOML, or JSON in a file named .json") from None
    known = {*Study._fields, "headline", "dial", "settings", "contrast"}
    _known(path, told, known)
    planned: dict[str, Any] = {"study": Study(**{name: str(told[name]).strip() for name in Study._fields if name in told})}
    if "headline" in told:
        planned["headline"] = tuple(part.strip() for part in str(told["headline"]).split(":"))
        if len(planned["headline"]) not in (2, 3):
            raise ValueError(f"{path}: headline is A:B or A:B:measure, got {told['headline']!r}")
    planned |= {name: tuple(told[name]) for name in ("dial", "settings") if name in told}
    planned["contrasts"] = []
    for each in told.get("contrast", ()):
        _known(path, each, set(Contrast._fields))
        if not each.get("a"):
            raise ValueError(f"{path}: a contrast names an arm as 'a', got {each!r}")
        given: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in each.items()}
        planned["contrasts"].append(Contrast(**given))
    return planned


def _known(path: Path, told: Mapping[str, Any], known: Collection[str]) -> None:
    if odd := sorted(set(told) - set(known)):
        raise ValueError(f"{path}: no field {odd[0]!r}; there are {', '.join(sorted(known))}")


def pair_of(said: str) -> tuple[str, str]:
    """Two arms from "A:B". Raises ValueError for anything else."""
    a, colon, b = said.partition(":")
    if not (a.strip() and b.strip() and colon) or ":" in b:
        raise ValueError(f"a pair of arms is written A:B, got {said!r}")
    return a.strip(), b.strip()
