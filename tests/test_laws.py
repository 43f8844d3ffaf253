"""What can never happen, whatever the page: the laws of cleaning, on pages, dirty lines, soup of signs and any str.

Each law is one test; those about single rules try every rule on every text and name the rules that break it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import pytest
import regex
from hypothesis import example, given, settings
from hypothesis import strategies as st

import thaiwiki_clean as tw
from tests.strategies import dirt, dirt_line, junk, rough_text, thai_sentence, thai_text
from thaiwiki_clean.edits import check, compose, merge, pieces
from thaiwiki_clean.markup import Header, headers, lines
from thaiwiki_clean.reasons import REASONS
from thaiwiki_clean.rules import LOCAL_RULES, SIGNS, STAGES, characters, inline, signs
from thaiwiki_clean.rules.repeats import TITLE_LENGTH

Rule = Callable[[str], Sequence[tw.Edit]]

laws = settings.get_profile("laws")

# Texts that broke a law once.
BROKE = [
    "&amp;nbsp;",
    "มีรายละเอียดดังนี้\nมีรายละเอียดดังนี้",
    ": :\n: :",
    "<ref>ก<ref>ข</ref>ค</ref>",
    "www.a.b\u0e49",
    "แมวเป็นสัตว์\n*DEFAULTSORT:แมว\nสัตว์เป็นสิ่งมีชีวิต",
    " ุ0",
    "แมว\r\n== ดูเพิ่ม ==\r\n\r\nเสือ \r\n",
    "วัดปลาก้างพระร่วง – ปลากะพงแดงสั้นหางปาน\nวัดน้องฟาน\n==อื่น ๆ==\nวัดเซตีเนีย (2445)\nวัดหม่อมเจ้าประสบศรีจิรประวัติ จิรประวัติ – เรือโดยสารคลองภาษีเจริญ\n==ดูเพิ่มเติม ==",
]


def law(test: Callable[[str], None]) -> Callable[[], None]:
    """The test on as many rough texts as the profile says, after the texts that broke a law once."""
    for text in BROKE:
        test = example(text)(test)
    return laws(given(rough_text())(test))


def names(rules: list[Rule]) -> list[str]:
    return [rule.__name__ for rule in rules]


# --------------------------------------------------------------------------- laws of clean


@law
def test_whoever_has_the_raw_page_can_replay_the_edits(raw: str) -> None:
    done = tw.explain(raw)
    assert (done.raw, tw.apply(raw, done.edits)) == (raw, done.text)


@law
def test_the_raw_page_can_be_rebuilt(raw: str) -> None:
    done = tw.explain(raw)
    assert tw.undo(done.text, done.edits, [piece for _, piece in done.removed()]) == raw


@law
def test_edits_fit(raw: str) -> None:
    check(raw, tw.explain(raw).edits)


@law
def test_every_raw_character_is_kept_or_has_exactly_one_reason(raw: str) -> None:
    done = tw.explain(raw)
    taken = Counter(i for edit in done.edits for i in range(edit.start, edit.end))
    kept = [char for i, char in enumerate(raw) if i not in taken]
    folds = [edit.new for edit in done.edits if edit.new]
    assert (set(taken.values()) <= {1}, sorted([*kept, *folds])) == (True, sorted(done.text))


#: The rules that may put one character where several stood, and which. All others only drop.
FOLDS = {
    "line_end": r"\n",
    "odd_blank": r"[ \n]",
    "thai_vowel": r"[\u0e41\u0e33]",
    "thai_mark": r"[\u0e31\u0e34-\u0e3a\u0e47-\u0e4d\u0e33]",
    "html": r" ",
    "html_entity": r"[[\P{C}]&&[[\P{Z}][ ]]]",
    "table": r" ",
}


@law
def test_nothing_is_invented(raw: str) -> None:
    """But for the folds, the text is what is left of the page, read from left to right."""
    done = tw.explain(raw)
    place = iter(tw.apply(raw, [edit for edit in done.edits if edit.new]))
    assert [char for char in done.text if char not in place] == []


@law
def test_only_named_rules_fold_and_only_into_their_characters(raw: str) -> None:
    folds = [edit for edit in tw.explain(raw).edits if edit.new]
    assert [edit for edit in folds if not regex.fullmatch(FOLDS.get(edit.reason, r"(?!)"), edit.new, regex.VERSION1)] == []


@law
def test_cleaning_a_clean_text_changes_nothing(raw: str) -> None:
    assert tw.explain(tw.clean(raw)).edits == ()


@law
def test_every_reason_is_in_the_vocabulary(raw: str) -> None:
    assert {edit.reason for edit in tw.explain(raw).edits} <= REASONS.keys()


@law
def test_the_same_page_gives_the_same_edits(raw: str) -> None:
    """Whatever was remembered from the pages before."""
    first = tw.explain(raw)
    for rest in ("", "แมว", raw + "\nแมว", raw[1:]):
        tw.explain(rest)
    assert tw.explain(raw) == first


@law
def test_what_is_not_looked_at_again_holds_nothing(raw: str) -> None:
    """All rules on the whole page, round after round until nothing changes, find what ``explain`` finds with less looking."""
    edits: list[tw.Edit] = []
    found: list[tw.Edit]
    before, now = None, raw
    while now != before:
        before, found = now, []
        for stage in STAGES:
            fresh = merge(*(list(rule(now)) for rule in stage))
            now, found = tw.apply(now, fresh), compose(found, fresh)
        edits = compose(edits, found)
    assert tw.explain(raw) == tw.Cleaned(raw, now, tuple(edits))


@laws
@given(thai_text())
@example("ไมค์ (6 สิงหาคม ค.ศ. 1971 — ) เป็นนักกีฬา")
@example("ฟังก์ชัน f(x) และ g() ของ (?) ใน (北京)")
def test_clean_prose_stays_as_it_is(text: str) -> None:
    """But for a paragraph that stands twice, or that the second one begins with, where it is no longer than a title."""
    said = list(dict.fromkeys(line for line in text.split("\n") if line))
    titled = len(said) > 1 and len(said[0]) <= TITLE_LENGTH and said[1].startswith(said[0])
    assert [line for line in tw.clean(text).split("\n") if line] == said[titled:]


@laws
@given(st.lists(junk(max_size=6), max_size=8).map("".join), st.integers(1, 200))
def test_clean_is_total_on_long_junk(piece: str, times: int) -> None:
    assert isinstance(tw.clean((piece * times)[:10_000]), str)


@laws
@given(thai_sentence(), st.lists(dirt_line() | dirt(), max_size=4))
def test_a_sentence_outlives_the_dirt_that_follows(sentence: str, below: list[str]) -> None:
    """Dirt below the first line of a page cannot take that line, or any part of it."""
    text = "\n".join([sentence, *below])
    assert tw.clean(text).startswith(sentence)


@pytest.mark.parametrize("value", [b"x", None, 1, 1.5, ["x"]], ids=repr)
def test_what_is_no_text_is_refused_with_a_hint(value: object) -> None:
    with pytest.raises(
        TypeError, match=f"^a text is a str, got {type(value).__name__}; decode bytes as UTF-8, and leave rows without a text out$"
    ):
        tw.clean(value)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["", "ก", "\n", " ", "\n\n\n", "\r\n", "\u200b", "\ud800", "\x00", "่"], ids=ascii)
def test_the_smallest_texts(text: str) -> None:
    assert tw.clean(text) in (text, "")


# --------------------------------------------------------------------------- laws of each rule


@law
def test_edits_of_every_rule_fit(text: str) -> None:
    def breaks(rule: Rule) -> bool:
        try:
            check(text, rule(text))
        except ValueError:
            return True
        return False

    assert names([rule for rule in tw.RULES if breaks(rule)]) == []


@law
def test_every_rule_is_idempotent_alone(text: str) -> None:
    assert names([rule for rule in tw.RULES if rule(tw.apply(text, rule(text)))]) == []


@law
def test_every_rule_gives_reasons_of_the_vocabulary(text: str) -> None:
    assert names([rule for rule in tw.RULES if not {edit.reason for edit in rule(text)} <= REASONS.keys()]) == []


@law
def test_local_rules_look_at_one_line_at_a_time(text: str) -> None:
    def line_by_line(rule: Rule) -> list[tw.Edit]:
        found = regex.findall(r"[^\n]*\n|[^\n]+\Z", text)
        out, at = [], 0
        for line in found:
            out += [edit._replace(start=edit.start + at, end=edit.end + at) for edit in rule(line)]
            at += len(line)
        return out

    assert names([rule for rule in sorted(LOCAL_RULES, key=tw.RULES.index) if list(rule(text)) != line_by_line(rule)]) == []


def without_signs(text: str) -> list[str]:
    """The rules that find something in a text that has none of their signs."""
    there = signs(text)
    return names([rule for rule, any_of in SIGNS.items() if there.isdisjoint(any_of) and rule(text)])


@law
def test_rules_find_nothing_in_a_text_without_their_signs(text: str) -> None:
    """Looked at in pieces, since a whole page holds a sign for nearly every rule."""
    parts = (text, *text.split("\n"), *regex.split(r"[^\p{L}\p{M}\s]", text))
    assert [part for part in parts if without_signs(part)] == []


@pytest.mark.parametrize("text", [
    "ก\rข", "\u200bก", "ก\u00a0ข", "ก\u2003ข", "ก\tข", "แมว [1]", "แมว<ref>ก</ref>", "ก<br>ข", "ก&nbsp;ข", "ก [แก้]", "http://a.bc", "www.a.bc", "WWW.a.bc",
    "[mailto:a@b.c ก]", "(ก|cat=ข)", "[[ก", "ก]]", "{{ก", "ก}}", "ก~~~~", "''ก''", "----", "__NOTOC__", "DEFAULTSORT:ก", "DEFAULTSORT|ก", "| ก", "!! ก",
    "ที่มา: ก", "ที่มา = ก", "ที่มา： ก", "== ก ==", "* ก", "# ก", ": ก", "; ก", "• ก", "· ก", "BULLET::::ก", "ก () ข", "ก （） ข",
], ids=ascii)  # fmt: skip
def test_every_sign_is_known_alone(text: str) -> None:
    assert (without_signs(text), tw.explain(text).edits != ()) == ([], True)


#: These work on letters, and must.
INSIDE_LETTERS = {
    characters.line_end,
    characters.odd_blank,
    characters.invisible,
    characters.thai_vowel,
    characters.thai_mark,
    inline.html_entity,
}


@law
def test_no_edit_begins_or_ends_inside_a_letter(text: str) -> None:
    """A letter is a grapheme that begins with a letter, a figure or a picture.

    A mark that sits on a sign is a torn letter: in ``อยู[1]่`` the mark belongs to the letter before the sign, and gets back there.
    """
    letters = (m for m in regex.finditer(r"\X", text) if regex.match(r"[\p{L}\p{N}\p{So}]", m.group()))
    inside = {i for m in letters for i in range(m.start() + 1, m.end())}

    def breaks(rule: Rule) -> bool:
        return any(edit.start in inside or edit.end in inside for edit in rule(text))

    assert names([rule for rule in tw.RULES if rule not in INSIDE_LETTERS and breaks(rule)]) == []


def test_rules_stand_in_their_stages_once() -> None:
    assert tuple(rule for stage in STAGES for rule in stage) == tw.RULES
    assert len(set(tw.RULES)) == len(tw.RULES)
    assert set(tw.RULES) >= LOCAL_RULES
    assert set(tw.RULES) >= SIGNS.keys()


# --------------------------------------------------------------------------- laws of markup


@law
def test_lines_are_the_text(text: str) -> None:
    found = lines(text)
    assert "\n".join(found.line) == text
    assert [text[a : b - 1] for a, b in zip(found.start, found.start[1:], strict=False)] == found.line


@law
def test_headers_stand_in_order_with_a_title_that_their_line_holds(text: str) -> None:
    found = headers(text)

    def sound(header: Header) -> bool:
        return 1 <= header.level <= 6 and header.title != "" and header.title in lines(text).line[header.line]

    assert [header.line for header in found] == sorted({header.line for header in found})
    assert [header for header in found if not sound(header)] == []


@law
def test_pieces_are_what_the_reasons_took(raw: str) -> None:
    done = tw.explain(raw)
    assert done.removed() == list(zip([edit.reason for edit in done.edits], pieces(raw, done.edits), strict=True))
