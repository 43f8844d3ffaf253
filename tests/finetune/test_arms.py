"""The arms: each rule has its group, one thing turns at a time, and what an arm promises about its rows holds on any page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import thaiwiki_clean as tw
from finetune.arms import GROUPS, MAIN, Arm, Article, group_arms, main_arms, rule_arms, shortened, unrepeated, without
from thaiwiki_clean.instruct.sentences import ends
from thaiwiki_clean.testing import rough_text, thai_text, thai_word, wiki_page

ARMS = {arm.name: arm for arm in main_arms()}

#: Lengths as a budget may count them: characters, bytes, blanks between words.
LENGTHS: list[Callable[[str], int]] = [len, lambda text: len(text.encode("utf-8", "surrogatepass")), lambda text: len(text.split(" "))]

RAW = (
    "ปลากัดเป็นปลาน้ำจืดขนาดเล็ก[1] ()\n"
    "ปลากัดตัวผู้มีสีสัน  สวยงาม \n"
    "== การเลี้ยง ==\n"
    "ผู้เลี้ยงให้ลูกน้ำเป็นอาหาร\n"
    "ปลากัด\n"
    "== ดูเพิ่ม ==\n"
    "* ปลาหมอ \n"
    "* ปลากระดี่ \n"
    "* ปลากระดี่\n"
    "ปลากัด\n"
    "== แหล่งข้อมูลอื่น ==\n"
    "* เว็บไซต์กรมประมง\n"
)
FISH = Article("1", "ปลากัด", RAW, tw.clean(RAW))


def article(raw: str, title: str = "แมว") -> Article:
    return Article("1", title, raw, tw.clean(raw))


def articles() -> st.SearchStrategy[Article]:
    return st.builds(article, wiki_page() | rough_text(), thai_word())


def lines(text: str) -> list[str]:
    """Lines that hold something, without blanks at their ends."""
    return [line.strip() for line in text.split("\n") if line.strip()]


def is_subsequence(part: Iterable[str], whole: Iterable[str]) -> bool:
    rest = iter(whole)
    return all(any(piece == other for other in rest) for piece in part)


# --------------------------------------------------------------------------- rules


def test_every_rule_is_in_exactly_one_group() -> None:
    grouped = Counter(name for names in GROUPS.values() for name in names)
    assert grouped == Counter(rule.__name__ for rule in tw.RULES)


@given(rough_text())
def test_without_no_rule_it_is_clean(raw: str) -> None:
    assert without([])(article(raw)) == tw.clean(raw)


@given(rough_text())
def test_without_all_rules_nothing_is_taken(raw: str) -> None:
    assert without([name for names in GROUPS.values() for name in names])(article(raw)) == tw.clean(raw, ())


@given(rough_text(), st.sampled_from([rule.__name__ for rule in tw.RULES]))
def test_without_a_rule_the_others_clean(raw: str, name: str) -> None:
    left = tuple(rule for rule in tw.RULES if rule.__name__ != name)
    assert without([name])(article(raw)) == tw.explain(raw, left).text


def test_a_rule_that_is_not_there_is_refused() -> None:
    with pytest.raises(KeyError, match="refrence"):
        without(["refrence"])


# --------------------------------------------------------------------------- unrepeated


@given(rough_text(), thai_word())
@example("แมว\nเสือ\n เสือ", "แมว")
def test_unrepeated_has_no_line_twice_and_no_title(text: str, title: str) -> None:
    left = lines(unrepeated(text, title))
    assert len(left) == len(set(left))
    assert title not in left


@given(rough_text(), thai_word())
def test_unrepeated_keeps_lines_as_they_are_in_their_order(text: str, title: str) -> None:
    assert is_subsequence(unrepeated(text, title).split("\n"), text.split("\n"))


@given(rough_text(), thai_word())
def test_unrepeated_takes_nothing_else(text: str, title: str) -> None:
    assert set(lines(text)) - {title} == set(lines(unrepeated(text, title)))


@given(rough_text(), thai_word())
def test_unrepeated_leaves_blank_lines(text: str, title: str) -> None:
    blank = [line for line in text.split("\n") if not line.strip()]
    assert [line for line in unrepeated(text, title).split("\n") if not line.strip()] == blank


# --------------------------------------------------------------------------- shortened


def dirt_in(raw: str) -> list[bool]:
    """For each line whether cleaning takes half of it or more: counted character by character, unlike in the code."""
    gone = [False] * len(raw)
    for edit in tw.explain(raw).edits:
        gone[edit.start : edit.end] = [True] * (edit.end - edit.start)
    found, at = [], 0
    for line in raw.split("\n"):
        found.append(2 * sum(gone[at : at + len(line)]) >= len(line))
        at += len(line) + 1
    return found


def dirty_lines(raw: str) -> list[str]:
    return [line for line, dirty in zip(raw.split("\n"), dirt_in(raw), strict=True) if dirty]


@given(articles(), st.sampled_from(LENGTHS))
def test_shortened_has_no_more_lines_and_no_more_characters_than_raw(page: Article, length: Callable[[str], int]) -> None:
    text, raw = shortened(page, length), page.raw.strip()
    assert text.count("\n") <= raw.count("\n")
    assert len(text) <= len(raw)


@given(articles(), st.sampled_from(LENGTHS))
@example(FISH, len)
@example(article("แมวเป็นสัตว์เลี้ยงลูกด้วยนม\nแมวกินปลา<ref>สมชาย ใจดี, 2547</ref>\n== ดูเพิ่ม ==\nเสือ"), len)
def test_shortened_keeps_every_dirty_line(page: Article, length: Callable[[str], int]) -> None:
    assert is_subsequence(dirty_lines(page.raw.strip()), shortened(page, length).split("\n"))


@given(articles(), st.sampled_from(LENGTHS))
@example(FISH, len)
def test_shortened_is_no_longer_than_clean_or_has_one_sentence_of_prose_left(page: Article, length: Callable[[str], int]) -> None:
    text = shortened(page, length)
    if length(text) > length(page.text):
        left = list((Counter(text.split("\n")) - Counter(dirty_lines(page.raw.strip()))).elements())
        assert len(left) <= 1
        assert [end for line in left for end in ends(line) if end < len(line.rstrip())] == []


def cut(raw: str, kept: int) -> list[str]:
    """The lines of a page with the first ``kept`` of its prose."""
    left, prose = [], 0
    for line, dirty in zip(raw.split("\n"), dirt_in(raw), strict=True):
        prose += not dirty
        left += [line] if dirty or prose <= kept else []
    return left


@given(articles(), st.sampled_from(LENGTHS))
@example(FISH, len)
def test_shortened_cuts_prose_from_its_end(page: Article, length: Callable[[str], int]) -> None:
    raw, text = page.raw.strip(), shortened(page, length).split("\n")
    tries = [whole for kept in range(len(dirt_in(raw)) + 1) if len(whole := cut(raw, kept)) == len(text)]
    differ = [[(line, part) for line, part in zip(whole, text, strict=True) if line != part] for whole in tries]
    assert any(len(places) <= 1 and all(line.startswith(part) and part for line, part in places) for places in differ)


@given(thai_text())
def test_shortened_leaves_a_page_without_dirt(text: str) -> None:
    page = article(text)
    if page.text == page.raw:
        assert shortened(page) == text


@given(st.builds(article, thai_text(max_lines=4).map(lambda text: text + "\n== ดูเพิ่ม ==\nเสือ \nสิงโต ")))
def test_prose_that_can_pay_for_the_dirt_does(page: Article) -> None:
    # A sentence has 60 characters at most, and there is more than one; a line that is said twice would be dirt, too.
    if len(page.text) > 300 and len(page.raw) - len(page.text) < 40:
        assert len(shortened(page)) <= len(page.text)


# --------------------------------------------------------------------------- main arms


@given(articles())
def test_raw_is_the_page_without_blanks_at_its_ends(page: Article) -> None:
    assert ARMS["raw"].text(page) == page.raw.strip()


@given(articles())
def test_clean_is_the_text_of_the_build(page: Article) -> None:
    assert ARMS["clean"].text(page._replace(text="อะไรก็ตาม")) == "อะไรก็ตาม"


@given(articles())
@example(FISH)
def test_links_holds_no_repeated_line(page: Article) -> None:
    left = lines(ARMS["links"].text(page))
    assert len(left) == len(set(left))
    assert page.title not in left


@given(articles())
@example(FISH)
def test_raw_unrepeated_holds_no_repeated_line(page: Article) -> None:
    left = lines(ARMS["raw_unrepeated"].text(page))
    assert len(left) == len(set(left))
    assert page.title not in left


@given(articles())
def test_an_arm_without_a_stop_has_the_rows_of_the_arm_with_one(page: Article) -> None:
    for name in ("clean", "raw"):
        assert ARMS[f"{name}_nostop"].text(page) == ARMS[name].text(page)


def test_two_arms_alone_have_no_stop() -> None:
    assert {name for name, arm in ARMS.items() if not arm.train_stop} == {"clean_nostop", "raw_nostop"}


def test_the_arms_have_names_of_their_own_and_say_what_they_are() -> None:
    every: list[Arm] = [*main_arms(), *group_arms()]
    assert len({arm.name for arm in every}) == len(every)
    assert all(arm.about for arm in every)
    assert tuple(ARMS) == MAIN


def test_the_arms_of_a_page() -> None:
    prose = "ปลากัดเป็นปลาน้ำจืดขนาดเล็ก\nปลากัดตัวผู้มีสีสัน สวยงาม\n"
    food, site = "ผู้เลี้ยงให้ลูกน้ำเป็นอาหาร", "== แหล่งข้อมูลอื่น ==\n* เว็บไซต์กรมประมง"
    dirty = "ปลากัดเป็นปลาน้ำจืดขนาดเล็ก[1] ()\nปลากัดตัวผู้มีสีสัน  สวยงาม \n== การเลี้ยง ==\n"
    assert {name: arm.text(FISH) for name, arm in ARMS.items() if arm.train_stop} == {
        "clean": f"{prose}\n{food}",
        "raw": RAW.strip(),
        "raw_short": "ปลากัดเป็นปลาน้ำจืดขนาดเล็ก[1] ()\n== การเลี้ยง ==\n" + RAW.strip().partition(f"{food}\n")[2],
        "links": f"{prose}== การเลี้ยง ==\n{food}\n== ดูเพิ่ม ==\n* ปลาหมอ\n* ปลากระดี่\n{site}",
        "raw_unrepeated": f"{dirty}{food}\n== ดูเพิ่ม ==\n* ปลาหมอ \n* ปลากระดี่ \n{site}",
    }


def test_raw_short_gives_up_no_more_sentences_than_it_must() -> None:
    lake = "ทะเลสาบแห่งนี้เป็นทะเลสาบน้ำจืดขนาดใหญ่ที่สุดในภาคใต้ของประเทศ ต่อมาได้ตื้นเขินลงเพราะการทับถมของตะกอนจากแม่น้ำ"
    page = article(f"{lake} ปัจจุบันเป็นแหล่งท่องเที่ยวที่มีชื่อเสียง\n== ดูเพิ่ม ==\nเสือ")
    assert shortened(page) == f"{lake}\n== ดูเพิ่ม ==\nเสือ"


def test_raw_short_counts_as_it_is_told() -> None:
    long = article("แมวเป็นสัตว์เลี้ยงลูกด้วยนม\nแมวกินปลาเป็นอาหารทุกวัน\nแมวชอบนอนในที่อบอุ่นตอนกลางวัน และออกหากินตอนกลางคืน\n== ดูเพิ่ม ==\nเสือ")
    by_lines = {arm.name: arm for arm in main_arms(lambda text: text.count("\n"))}
    assert ARMS["raw_short"].text(long) == "แมวเป็นสัตว์เลี้ยงลูกด้วยนม\nแมวกินปลาเป็นอาหารทุกวัน\n== ดูเพิ่ม ==\nเสือ"
    assert by_lines["raw_short"].text(long) == "แมวเป็นสัตว์เลี้ยงลูกด้วยนม\n== ดูเพิ่ม ==\nเสือ"


# --------------------------------------------------------------------------- arms that leave rules out


@pytest.mark.parametrize(
    ("group", "stays"), [("markup", "[1]"), ("headers", "== การเลี้ยง =="), ("lists", "ปลาหมอ"), ("characters", "สีสัน  สวยงาม")]
)
def test_what_a_group_would_take_stays_without_it(group: str, stays: str) -> None:
    arm = next(arm for arm in group_arms() if arm.name == f"without_{group}")
    assert stays not in FISH.text
    assert stays in arm.text(FISH)


def test_a_rule_arm_says_how_many_rows_it_changes() -> None:
    rows = [FISH, article("แมวเป็นสัตว์เลี้ยงลูกด้วยนม"), article("หมาเป็นสัตว์เลี้ยง[2]")]
    arm = next(arm for arm in rule_arms(rows) if arm.name == "without_reference")
    assert arm.about == "clean, but for reference: 2 of 3 rows differ"


def test_a_rule_that_changes_too_few_rows_has_no_arm() -> None:
    rows = [FISH, *(article(f"แมวเป็นสัตว์ตัวที่ {i}") for i in range(49))]
    assert {arm.name for arm in rule_arms(rows)} == set()
    assert "without_reference" in {arm.name for arm in rule_arms(rows, least=0.02)}


def test_a_rule_that_changes_no_row_has_no_arm() -> None:
    assert rule_arms([article("แมวเป็นสัตว์เลี้ยงลูกด้วยนม")], least=0) == ()


@settings(max_examples=settings().max_examples // 10)  # each cleans every page once for every rule
@given(st.lists(articles(), min_size=1, max_size=4))
def test_every_rule_arm_changes_some_row(rows: list[Article]) -> None:
    for arm in rule_arms(rows):
        assert any(arm.text(row) != row.text for row in rows), arm.name
