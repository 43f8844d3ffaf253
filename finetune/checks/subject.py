"""What a check is given, and what it gives back."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from finetune.config import Config
from finetune.data import Prepared, Row
from finetune.presets import Preset

__all__ = ["Finding", "Machine", "Subject", "called", "error", "evenly", "of", "shown", "warning"]

#: Rows that a costly check looks at: enough to see one row in a thousand, and a second or two of time.
LOOKS = 2000


class Finding(NamedTuple):
    """Something that is wrong. An error spoils the run; a warning may be meant."""

    check: str
    level: Literal["error", "warning"]
    found: str  #: what, with numbers
    mend: str  #: what to do about it
    example: str = ""  #: one row, or a piece of what was found

    @property
    def message(self) -> str:
        """All of it in one line."""
        example = f" (such as {self.example})" if self.example else ""
        return f"{self.found}{example}; to mend it: {self.mend}"


class Machine(NamedTuple):
    """Where the run will compute."""

    device: Literal["cpu", "cuda"]
    name: str = ""
    bfloat16: bool = True  #: whether the device multiplies in bfloat16 by itself


@dataclasses.dataclass(frozen=True)
class Subject:
    """A run before it starts: everything that a check may look at. Nothing of it is a weight."""

    config: Config
    tokenizer: Any
    rows: Sequence[Row]
    prepared: Prepared | None  #: None where the rows could not be tokenised
    eval_rows: Sequence[Row] = ()
    preset: Preset | None = None
    base: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)  #: the base's small JSON files, by name
    machine: Machine | None = None  #: None where nobody looked
    out: Path | None = None  #: the folder that the run will write


def error(found: str, mend: str, example: str = "") -> Finding:
    """A finding that spoils the run; ``preflight`` puts the check's name in."""
    return Finding("", "error", found, mend, example)


def warning(found: str, mend: str, example: str = "") -> Finding:
    """A finding that may be meant."""
    return Finding("", "warning", found, mend, example)


def of(part: int, whole: int, what: str = "rows") -> str:
    """A count with its share.

    >>> of(3, 400), of(1, 3000, "answers")
    ('3 of 400 rows (0.75 %)', '1 of 3,000 answers (0.03 %)')
    """
    share = 100 * part / whole if whole else 0.0
    return f"{part:,} of {whole:,} {what} ({share:.{0 if share >= 10 else 1 if share >= 1 else 2}f} %)"


def called(row: Row, number: int) -> str:
    """What a finding calls the row with this number, counted from 0; people count from 1.

    >>> called(Row(({"role": "user", "content": "แมวคืออะไร"},), "สัตว์", "แมว"), 0)
    'row 1, แมว'
    """
    return f"row {number + 1}, {row.title or row.id or shown(row.prompt[-1]['content'], 30)}"


def shown(text: str, most: int = 60) -> str:
    r"""A piece of a text on one line, with its newlines and invisible characters to be seen.

    >>> shown("แมว\nปลา"), shown("ก" * 9, 5)
    ("'แมว\\nปลา'", "'กกกกก…'")
    """
    return repr(text if len(text) <= most else text[:most] + "…")


def evenly(count: int, most: int = LOOKS) -> range | list[int]:
    """Up to ``most`` of the numbers below ``count``, from the whole length: the same ones each time.

    >>> evenly(10, 4)
    [0, 2, 5, 7]
    """
    return range(count) if count <= most else [i * count // most for i in range(most)]
