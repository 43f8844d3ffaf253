"""Cleaning: run the rules over a page until nothing changes, and keep every edit.

``clean`` gives the text, ``explain`` gives the text with its edits, ``Cleaner`` is the same for ``datasets.map``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, overload

from thaiwiki_clean.edits import Edit
from thaiwiki_clean.page import Page
from thaiwiki_clean.rounds import Rule, run_rules
from thaiwiki_clean.rules import RULES

__all__ = ["RULES_VERSION", "Cleaned", "Cleaner", "Rule", "clean", "clean_page", "explain"]

#: Goes up whenever the same page could come out differently; part of every manifest and of ``Cleaner``'s fingerprint.
RULES_VERSION = "1"


@dataclasses.dataclass(frozen=True, slots=True)
class Cleaned:
    """A text before and after cleaning, and the edits between."""

    raw: str
    text: str
    edits: tuple[Edit, ...]

    def removed(self) -> list[tuple[str, str]]:
        """``(reason, characters)`` for every edit, in the order of the raw text.

        >>> explain("กรุงเทพ () เป็นเมืองหลวงของประเทศไทย").removed()
        [('empty_brackets', ' ()')]
        """
        return [(edit.reason, self.raw[edit.start : edit.end]) for edit in self.edits]

    def marked(self) -> str:
        """The raw text with every edit shown in place; see :mod:`thaiwiki_clean.marks`."""
        from thaiwiki_clean.marks import to_marked

        return to_marked(self.raw, self.edits)

    def to_html(self) -> str:
        """The same as one self-contained HTML page, edits coloured and named."""
        from thaiwiki_clean.marks import to_html

        return to_html(self.raw, self.edits)


def clean(text: str, rules: Sequence[Rule] = RULES) -> str:
    """``text`` without what a wiki parser left behind.

    >>> clean("แมวเป็นสัตว์เลี้ยงลูกด้วยนม\\n== ดูเพิ่ม ==\\nเสือ \\nสิงโต \\n")
    'แมวเป็นสัตว์เลี้ยงลูกด้วยนม'

    Total on str; cleaning a clean text changes nothing. Verdicts on whole pages are :func:`thaiwiki_clean.judge`'s.
    Raises TypeError on anything but a str.
    """
    return explain(text, rules).text


def explain(text: str, rules: Sequence[Rule] = RULES) -> Cleaned:
    """``text`` cleaned, with a reason for every character that was taken out.

    >>> [(e.start, e.end, e.reason) for e in explain("แมวเป็นสัตว์ [1]").edits]
    [(12, 16, 'reference')]

    Raises TypeError on anything but a str.
    """
    if not isinstance(text, str):
        raise TypeError(f"a text is a str, got {type(text).__name__}; decode bytes as UTF-8, and leave rows without a text out")
    found, edits = run_rules(text, rules)
    return Cleaned(text, found, tuple(edits))


def clean_page(page: Page, rules: Sequence[Rule] = RULES) -> Page:
    """The page with its ``text`` and ``edits`` filled in from ``raw``."""
    done = explain(page.raw, rules)
    return dataclasses.replace(page, text=done.text, edits=done.edits)


@dataclasses.dataclass(frozen=True)
class Cleaner:
    """``clean`` as an object for pipelines: a str gives a str, a batch of columns gives the batch with its column cleaned.

    >>> Cleaner()("กรุงเทพ () เป็นเมืองหลวงของประเทศไทย")
    'กรุงเทพ เป็นเมืองหลวงของประเทศไทย'
    >>> Cleaner()({"text": ["แมวเป็นสัตว์ [1]", None], "title": ["แมว", "ว่าง"]})
    {'text': ['แมวเป็นสัตว์', None], 'title': ['แมว', 'ว่าง']}

    ``datasets.map(Cleaner(), batched=True)`` works as it stands. The rules' version is a field because ``datasets``
    fingerprints a function by its name alone and would hand out rows that an older version cached.
    A null stays null. Raises KeyError when the batch has no such column, TypeError when a value is no str.
    """

    rules: tuple[Rule, ...] = RULES
    column: str = "text"
    version: str = RULES_VERSION

    @overload
    def __call__(self, batch: str) -> str: ...
    @overload
    def __call__(self, batch: Mapping[str, Any]) -> dict[str, Any]: ...
    def __call__(self, batch: str | Mapping[str, Any]) -> str | dict[str, Any]:
        """A str cleaned, or a batch with its column cleaned."""
        if isinstance(batch, str):
            return clean(batch, self.rules)
        if self.column not in batch:
            raise KeyError(f"no column {self.column!r} among {', '.join(map(repr, batch))}; name it: Cleaner(column=...)")
        values = batch[self.column]
        if isinstance(values, str) or values is None:
            done: Any = values if values is None else clean(values, self.rules)
        else:
            done = [value if value is None else clean(value, self.rules) for value in values]
        return {**batch, self.column: done}
