r"""Which examples share a passage with an evaluation set.

Letters, marks and digits are compared, without blanks, punctuation and letter case: Thai blanks come and go between copies,
and words depend on a dictionary. A passage of 50 letters is about 13 Thai words, the measure of Brown et al. 2020 (GPT-3).

    >>> index = Index.of({"quiz": ["ดาวพฤหัสบดีเป็นดาวเคราะห์ดวงที่ห้านับจากดวงอาทิตย์และมีขนาดใหญ่ที่สุดในระบบสุริยะ"]})
    >>> contaminated("ดาวพฤหัสบดีคืออะไร", "ดาวพฤหัสบดี เป็นดาวเคราะห์ดวงที่ห้า นับจากดวงอาทิตย์ และมีขนาดใหญ่ที่สุด", index)
    'quiz'
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import regex

__all__ = ["Index", "contaminated", "letters_of", "read_evaluation"]

_NOT_LETTERS = regex.compile(r"[^\p{L}\p{M}\p{N}]+")


@dataclasses.dataclass(frozen=True)
class Index:
    """The passages of evaluation sets, for finding a run of ``run`` letters that an example shares with them."""

    run: int
    texts: tuple[tuple[str, str], ...]  #: name of the set, letters
    windows: Mapping[str, tuple[tuple[int, int], ...]]  #: every half run of letters at a multiple of its length -> text, place
    short: Mapping[str, str]  #: texts shorter than a run -> name of the set; only a whole prompt can match them

    @classmethod
    def of(cls, sets: Mapping[str, Iterable[str]], *, run: int = 50) -> Index:
        """The index of named sets of texts. Raises ValueError when a set holds no text, or ``run`` is below 2."""
        if run < 2:
            raise ValueError(f"a run of letters to look for has 2 at least, got {run}")
        texts: list[tuple[str, str]] = []
        windows: dict[str, list[tuple[int, int]]] = {}
        short: dict[str, str] = {}
        half = _half(run)
        for name, given in sets.items():
            found = [letters for letters in dict.fromkeys(map(letters_of, given)) if letters]
            if not found:
                raise ValueError(f"the evaluation set {name!r} holds no text")
            for letters in found:
                if len(letters) < run:
                    short.setdefault(letters, name)
                    continue
                for at in range(0, len(letters) - half + 1, half):
                    windows.setdefault(letters[at : at + half], []).append((len(texts), at))
                texts.append((name, letters))
        return cls(run, tuple(texts), {key: tuple(value) for key, value in windows.items()}, short)


def contaminated(prompt: str, answer: str, index: Index) -> str:
    """The name of an evaluation set that shares ``index.run`` letters with the answer, or whose question is the prompt; else ""."""
    if found := index.short.get(letters_of(prompt)):
        return found
    letters, half = letters_of(answer), _half(index.run)
    for at in range(len(letters) - half + 1):
        for number, place in index.windows.get(letters[at : at + half], ()):
            name, text = index.texts[number]
            if _shared(letters, at, text, place, half) >= index.run:
                return name
    return ""


def read_evaluation(paths: Sequence[str | Path], *, run: int = 50) -> Index:
    """The index of evaluation sets given as files: .parquet, .jsonl, .json (SQuAD's form too), or .txt with a text a line.

    Every string in a file counts, whatever its column is called. Raises ValueError for another suffix or a file without text.
    """
    return Index.of({Path(path).name: list(_texts(Path(path))) for path in paths}, run=run)


def _texts(path: Path) -> Iterator[str]:
    if path.suffix == ".parquet":
        from pyarrow import parquet

        yield from _strings(parquet.read_table(path).to_pylist())
    elif path.suffix == ".jsonl":
        with path.open(encoding="utf-8") as file:
            for line in file:
                if line.strip():
                    yield from _strings(json.loads(line))
    elif path.suffix == ".json":
        yield from _strings(json.loads(path.read_text(encoding="utf-8")))
    elif path.suffix == ".txt":
        yield from (line for line in path.read_text(encoding="utf-8").split("\n") if line.strip())
    else:
        raise ValueError(f"{path.name}: an evaluation set is a .parquet, .jsonl, .json or .txt file")


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)


def _half(run: int) -> int:
    # A run of n letters holds a whole window that begins at a multiple of h in the indexed text if n >= 2h - 1.
    return (run + 1) // 2


def _shared(a: str, at: int, b: str, place: int, length: int) -> int:
    """Length of the common run around ``a[at:at+length]``, which stands at ``place`` in ``b``."""
    before = 0
    while before < min(at, place) and a[at - before - 1] == b[place - before - 1]:
        before += 1
    after = length
    while at + after < len(a) and place + after < len(b) and a[at + after] == b[place + after]:
        after += 1
    return before + after


def letters_of(text: str) -> str:
    """The letters, marks and digits of a text, in small letters.

    >>> letters_of("“แมว” คือ Cat!")
    'แมวคือcat'
    """
    letters: str = _NOT_LETTERS.sub("", text)
    return letters.casefold()
