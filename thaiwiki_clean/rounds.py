"""The loop of cleaning: the rules in rounds, stage by stage, until a round finds nothing.

What a round need not do again is left out: rules whose signs are not on the page, and rules that look at one line at a time where no line has changed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

import regex

from thaiwiki_clean.edits import Edit, apply, compose, merge
from thaiwiki_clean.markup import is_intro, is_sentence, lines
from thaiwiki_clean.rules import ENTITY_SIGN, LOCAL_RULES, RULES, SIGNS, STAGES, signs

__all__ = ["Rule", "run_rules"]

#: A rule reads a text and says what it would take out of it.
Rule = Callable[[str], Iterable[Edit]]
_Stages = tuple[tuple[Rule, ...], ...]
_NOTHING: tuple[Rule, ...] = ()

# Rules only drop and fold, so every round but the last makes the text shorter or folds a character for good: the loop ends by
# itself. Where two rules take turns at uncovering what the other takes ("| * | * | *"), it might end only after as many rounds as
# there are characters: after so many rounds it is cut short. Real pages take five.
_DEEP = 20
# A guard against a rule that folds to and fro, which is our own mistake.
_MAX_ROUNDS = 50
_SIGN = regex.compile(r"[^\p{L}\p{M}\p{N}\s]\p{M}*+")


def run_rules(text: str, rules: Sequence[Rule] = RULES) -> tuple[str, list[Edit]]:
    """The text in which no rule finds anything, and the edits of ``text`` that lead there.

    >>> run_rules("แมวเป็นสัตว์ [1]")
    ('แมวเป็นสัตว์', [Edit(start=12, end=16, reason='reference', new='')])

    Raises AssertionError when rules of somebody else's fold to and fro.
    """
    plans = _OURS if rules is RULES else _plans(tuple(rules))
    plan = plans[signs(text)]
    edits: list[Edit] = []
    now, stages, done = text, plan.stages, _NOTHING
    for number in range(_MAX_ROUNDS):
        before = now
        now, fresh = _round(before, stages, done)
        done = plan.last
        if not fresh:
            return now, edits
        if number >= _DEEP and not plans.free:
            more = _cut_short(before, now, fresh)
            now, fresh, done = apply(now, more), compose(fresh, more), _NOTHING
        edits = compose(edits, fresh)
        # What the local rules found nothing in, and nobody changed, they need not see again.
        changed = "\n".join([now[start:end] for start, end, _ in _changed_lines(before, now, fresh)])
        stages = plan.stages if changed and any(True for rule in plan.local if rule(changed)) else plan.distant
    names = ", ".join(getattr(rule, "__name__", repr(rule)) for rule in rules)
    raise AssertionError(f"rules do not settle after {_MAX_ROUNDS} rounds: {names}")


def _round(text: str, stages: _Stages, done: tuple[Rule, ...]) -> tuple[str, list[Edit]]:
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


def _changed_lines(before: str, now: str, edits: Sequence[Edit]) -> list[tuple[int, int, str]]:
    r"""Where the lines of ``now`` stand that did not stand in ``before`` as they are, each with the reason of a change.

    >>> before = "แมว\nเสือ \n== ดู ==\nสิงโต"
    >>> edits = [Edit(0, 4, "link_list"), Edit(8, 9, "spacing"), Edit(10, 18, "section_header")]
    >>> _changed_lines(before, apply(before, edits), edits)
    [(0, 4, 'spacing')]

    A line that goes whole, or is emptied, changes no other.
    """
    changed: list[tuple[int, int, str]] = []
    shift = 0  # offset in ``before`` minus offset in ``now``, behind the edits passed so far
    seen = -1  # the lines of ``now`` up to here are in the list
    i, n = 0, len(edits)
    while i < n:
        start, end, reason, new = edits[i]
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
            changed.append((first, seen, reason))
    return changed


def _cut_short(before: str, now: str, edits: Sequence[Edit]) -> list[Edit]:
    """What goes from ``now`` where ``edits`` show that dirt uncovers dirt without end.

    A line that they changed loses its signs; where they dropped lines, the lines around that say no sentence go as well.
    """
    changed = _changed_lines(before, now, edits)
    signs = [Edit(m.start(), m.end(), reason) for start, end, reason in changed for m in _SIGN.finditer(now, start, end)]
    found = lines(now)
    blocks: list[Edit] = []
    shift = passed = 0
    for start, end, reason, new in edits:
        place = start - shift
        shift += end - start - len(new)
        while passed < len(changed) and changed[passed][1] < place:
            passed += 1
        in_changed = passed < len(changed) and changed[passed][0] <= place
        if in_changed or (blocks and place <= blocks[-1].end):
            continue
        first = last = bisect_right(found.start, place, 0, len(found.line)) - 1
        while first and not _says_something(found.line[first - 1]):
            first -= 1
        while last < len(found.line) and not _says_something(found.line[last]):
            last += 1
        if first < last and found.start[first] < len(now):
            blocks.append(Edit(found.start[first], min(found.start[last], len(now)), reason))
    return merge(signs, blocks)


def _says_something(line: str) -> bool:
    return is_sentence(line) and not is_intro(line)


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
