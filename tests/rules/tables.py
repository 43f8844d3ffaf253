"""How the tables of the rules are read: ``CUT`` holds what a rule takes out, ``KEPT``, at least as long, what it leaves alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

import thaiwiki_clean as tw

Rule = Callable[[str], Iterable[tw.Edit]]
#: rule -> (before, what the rule alone leaves); where other rules go on, a third text says what ``clean`` leaves.
Cut = dict[Rule, list[tuple[str, ...]]]
#: rule -> texts that neither the rule nor ``clean`` touches.
Kept = dict[Rule, list[str]]


def check_tables(cut: Cut, kept: Kept) -> tuple[Callable[..., None], ...]:
    """The tests of the tables: two for what is cut, two for what is kept, one for their lengths."""

    @pytest.mark.parametrize(("rule", "before", "after"), [(rule, *row[:2]) for rule, rows in cut.items() for row in rows], ids=_name)
    def test_the_rule_alone_cuts(rule: Rule, before: str, after: str) -> None:
        assert tw.apply(before, rule(before)) == after

    @pytest.mark.parametrize(
        ("rule", "before", "after"), [(rule, row[0], row[-1]) for rule, rows in cut.items() for row in rows], ids=_name
    )
    def test_clean_cuts_for_the_reason_of_the_rule(rule: Rule, before: str, after: str) -> None:
        done = tw.explain(before)
        assert done.text == after
        assert rule.__name__ in {edit.reason for edit in done.edits}

    @pytest.mark.parametrize(("rule", "text"), [(rule, text) for rule, texts in kept.items() for text in texts], ids=_name)
    def test_the_rule_alone_keeps(rule: Rule, text: str) -> None:
        assert list(rule(text)) == []

    @pytest.mark.parametrize(("rule", "text"), [(rule, text) for rule, texts in kept.items() for text in texts], ids=_name)
    def test_clean_keeps(rule: Rule, text: str) -> None:
        done = tw.explain(text)
        assert (done.text, done.removed()) == (text, [])

    @pytest.mark.parametrize("rule", cut, ids=_name)
    def test_at_least_as_much_is_kept_as_cut(rule: Rule) -> None:
        assert len(kept[rule]) >= len(cut[rule])

    return (
        test_the_rule_alone_cuts,
        test_clean_cuts_for_the_reason_of_the_rule,
        test_the_rule_alone_keeps,
        test_clean_keeps,
        test_at_least_as_much_is_kept_as_cut,
    )


def _name(value: object) -> str | None:
    return getattr(value, "__name__", None) or (ascii(value)[1:40] if isinstance(value, str) and not value.isprintable() else None)
