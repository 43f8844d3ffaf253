"""Cleaning: run the rules over a page until nothing changes, and keep every edit.

``clean`` gives the text, ``explain`` gives the text with its edits, ``Cleaner`` is the same for ``datasets.map``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import groupby
from typing import Any, NamedTuple, overload

from thaiwiki_clean.edits import Edit, apply, compose, merge
from thaiwiki_clean.page import Page
from thaiwiki_clean.rules import ENTITY_SIGN, LOCAL_RULES, RULES, SIGNS, STAGES, signs

__all__ = ["RULES_VERSION", "Cleaned", "Cleaner", "Rule", "clean", "clean_page", "explain"]

#: A rule reads a text and says what it would take out of it.
Rule = Callable[[str], Iterable[Edit]]
_Stages = tuple[tuple[Rule, ...], ...]

#: Goes up whenever the same page could come out differently; part of every manifest and of ``Cleaner``'s fingerprint.
RULES_VERSION = "1"

# Rules only drop and fold, so every round but the last makes the text shorter or folds a character for good:
# the loop ends by itself. The bound is a guard against a rule that folds to and fro, which is our own mistake.
_MAX_ROUNDS = 50


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
    plan = (_OURS if rules is RULES else _plans(tuple(rules)))[signs(text)]
    edits: list[Edit] = []
    now, stages = text, plan.stages
    for number in range(_MAX_ROUNDS):
        before = now
        now, fresh = _round(before, stages, plan.last if number else ())
        if not fresh:
            return Cleaned(text, now, tuple(edits))
        edits = compose(edits, fresh)
        # What the local rules found nothing in, and nobody changed, they need not see again.
        changed = _changed_lines(before, now, fresh)
        stages = plan.stages if changed and any(True for rule in plan.local if rule(changed)) else plan.distant
    names = ", ".join(getattr(rule, "__name__", repr(rule)) for rule in rules)
    raise AssertionError(f"rules do not settle after {_MAX_ROUNDS} rounds: {names}")


def _round(text: str, stages: _Stages, done: tuple[Rule, ...] = ()) -> tuple[str, list[Edit]]:
    """The text when every stage has run once, and the edits that lead there.

    ``done`` is a stage that ``text`` came from: it finds nothing before another one does.
    """
    edits: list[Edit] = []
    for stage in stages:
        if not text or (stage == done and not edits):
            break
        found = []
        for rule in stage:
            if dirt := rule(text):
                found.append(dirt)
        if found:
            fresh = merge(*found) if len(found) > 1 else list(found[0])
            text = apply(text, fresh)
            edits = compose(edits, fresh)
    return text, edits


def _changed_lines(before: str, now: str, edits: Sequence[Edit]) -> str:
    r"""The lines of ``now`` that did not stand in ``before`` as they are.

    >>> before = "แมว\nเสือ \n== ดู ==\nสิงโต"
    >>> edits = [Edit(0, 4, "link_list"), Edit(8, 9, "spacing"), Edit(10, 18, "section_header")]
    >>> _changed_lines(before, apply(before, edits), edits)
    'เสือ'

    A line that goes whole, or is emptied, changes no other.
    """
    changed: list[str] = []
    shift = 0  # offset in ``before`` minus offset in ``now``, behind the edits passed so far
    seen = -1  # the lines of ``now`` up to here are in the list
    i, n = 0, len(edits)
    while i < n:
        start, end, _, new = edits[i]
        i += 1
        while i < n and edits[i][0] == end:  # edits that touch are one hole
            _, end, _, more = edits[i]
            new += more
            i += 1
        place = start - shift
        shift += end - start - len(new)
        if not new:
            opens = not start or before[start - 1] == "\n"
            closes = end == len(before) or before[end] == "\n"
            if (opens and (closes or before[end - 1] == "\n")) or (closes and before[start] == "\n"):
                continue
        if place + len(new) > seen:
            first = now.rfind("\n", 0, place) + 1
            seen = now.find("\n", place + len(new))
            if seen < 0:
                seen = len(now)
            changed.append(now[first:seen])
    return "\n".join(changed)


class _Plan(NamedTuple):
    """The stages of some rules; the same without the rules that look at one line at a time; and these."""

    stages: _Stages
    distant: _Stages
    local: tuple[Rule, ...]
    last: tuple[Rule, ...]  # the stage that ends a round, when it is one rule of ours: alone it finds nothing twice (a law in the tests)


class _Plans(dict[frozenset[int], _Plan]):
    """The signs of a page -> the plan for it: without the rules that can find nothing where these are all the signs."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        super().__init__()
        self.rules = rules
        self.whole = _staged(rules)
        # Rules only drop, or fold into letters, blanks and newlines: a sign that is not on the page will not be. But an entity
        # may stand for any sign, and nobody knows what a rule of somebody else's folds into.
        self.free = not frozenset(rules) <= frozenset(RULES)

    def __missing__(self, there: frozenset[int]) -> _Plan:
        if self.free or ENTITY_SIGN in there:
            plan = self.whole
        else:
            plan = _staged([rule for rule in self.rules if rule not in SIGNS or not there.isdisjoint(SIGNS[rule])])
        if len(self) < 1 << 10:  # whoever sends more is not remembered
            self[there] = plan
        return plan


@lru_cache(maxsize=16)
def _plans(rules: tuple[Rule, ...]) -> _Plans:
    return _Plans(rules)


def _staged(rules: Sequence[Rule]) -> _Plan:
    """Our own rules keep their stages; a rule of somebody else's is a stage of its own."""
    home = {rule: number for number, stage in enumerate(STAGES) for rule in stage}
    numbered = groupby(enumerate(rules), key=lambda item: home.get(item[1], -1 - item[0]))
    stages = tuple(tuple(rule for _, rule in group) for _, group in numbered)
    distant = tuple(left for stage in stages if (left := tuple(rule for rule in stage if rule not in LOCAL_RULES)))
    last = stages[-1] if stages and len(stages[-1]) == 1 and stages[-1][0] in home else ()
    return _Plan(stages, distant, tuple(rule for rule in rules if rule in LOCAL_RULES), last)


_OURS = _plans(RULES)


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
