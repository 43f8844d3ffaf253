"""The words of the vocabulary: what is known, what is forgiven, and that every row can be read."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.strategies import rough_text
from thaiwiki_clean import vocabulary
from thaiwiki_clean.markup import clauses, is_name, is_sentence, lines_opening
from thaiwiki_clean.testing import section_title
from thaiwiki_clean.vocabulary import bare_title_kind, is_category, openers, terms, title_key, title_kind

laws = settings.get_profile("laws")

COLUMNS = {"sections": 3, "images": 2, "magic_words": 2, "categories": 2, "clauses": 3, "openers": 2, "instructions": 4}
KINDS = {"certain", "maybe", "linkage", "content", "word_class"}


@pytest.mark.parametrize("name", COLUMNS)
def test_every_row_has_all_its_columns(name: str) -> None:
    assert [row for row in terms(name) if len(row) != COLUMNS[name] or "" in row] == []


@pytest.mark.parametrize("name", COLUMNS)
def test_no_row_stands_twice(name: str) -> None:
    keys = sorted(row[:2] if name != "clauses" else row[:1] for row in terms(name))
    assert [a for a, b in pairwise(keys) if a == b] == []


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(FileNotFoundError, match="nothing"):
        terms("nothing")


def test_kinds_of_titles_are_those_that_rules_know() -> None:
    assert {row[1] for row in terms("sections")} == KINDS


def test_a_title_has_one_kind() -> None:
    kinds: dict[str, set[str]] = {}
    for title, kind, _ in terms("sections"):
        kinds.setdefault(title_key(title), set()).add(kind)
    assert {title: found for title, found in kinds.items() if len(found) > 1} == {}


@pytest.mark.parametrize("row", terms("sections"), ids=lambda row: row[0])
def test_a_title_has_its_kind_however_it_is_dressed(row: tuple[str, str, str]) -> None:
    title, kind, _ = row
    dressed = [title, f" {title} ", f"'''{title}'''", f"{title}:", f"{title}.", f"\u200b{title}", title.upper()]
    assert {title_kind(form) for form in dressed} == {kind}


@pytest.mark.parametrize("tail", ["[แก้]", " [แก้ไข]", " {{โครง}}"])
def test_what_hangs_on_a_title_is_no_part_of_it(tail: str) -> None:
    assert title_kind(f"ดูเพิ่ม{tail}") == "certain"


@laws
@given(section_title("certain").filter(lambda title: len(title_key(title)) > 12), st.data())
def test_one_lost_letter_is_forgiven_in_a_long_title(title: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(title) - 1))
    assert title_kind(title[:at] + title[at + 1 :]) != ""


@laws
@given(section_title("certain", "maybe"), section_title("certain"), st.sampled_from(["และ", " และ ", "/", ", ", " & "]))
def test_two_boilerplate_titles_joined_are_boilerplate(one: str, other: str, joint: str) -> None:
    assert title_kind(f"{one}{joint}{other}") == "certain"


@pytest.mark.parametrize("title", ["แมว", "การค้นแมว", "วงศ์ตระกูล", "ยุคต้น", "", " ", "อ้างอิงถึงแมว", "ประวัติและอ้างอิง", "ดู", "ดูเพ", "ก" * 81])
def test_other_titles_are_unknown(title: str) -> None:
    assert title_kind(title) == ""


@laws
@given(rough_text())
def test_a_line_is_never_both_a_name_and_a_sentence(text: str) -> None:
    assert [line for line in text.split("\n") if is_name(line) and is_sentence(line)] == []


@laws
@given(rough_text())
def test_what_the_vocabulary_says_of_a_line_does_not_depend_on_what_was_asked_before(text: str) -> None:
    def ask() -> list[object]:
        return [(clauses(line), title_kind(line), bare_title_kind(line), is_category(line)) for line in text.split("\n")]

    first = ask()
    for line in (text, text[::-1], "", "แมว"):
        clauses(line), title_kind(line), bare_title_kind(line), is_category(line)
    assert ask() == first


SENTENCES = [
    "แมวเป็นสัตว์เลี้ยง",
    "เมืองนี้ตั้งอยู่ริมแม่น้ำ",
    "ถูกสร้างขึ้นใหม่",
    "แม่น้ำไหลผ่านเมือง",
    "หนังสือเล่มนี้ได้รับรางวัล",
    "ชาวบ้านนิยมปลูกข้าว",
]
NAMES = [
    "สมาคมดาราศาสตร์ไทย",
    "จังหวัดเชียงใหม่",
    "เว็บไซต์อย่างเป็นทางการ",
    "กระทรวงการต่างประเทศ",
    "แมวจร (ภาพยนตร์)",
    "พ.ศ. 2547",
    "บุคคลที่ยังมีชีวิตอยู่",
    "ผู้ว่าราชการจังหวัดน่าน",
]


@pytest.mark.parametrize("line", SENTENCES)
def test_a_sentence_has_a_clause_word(line: str) -> None:
    assert is_sentence(line)


@pytest.mark.parametrize("line", NAMES)
def test_a_name_has_none_that_counts(line: str) -> None:
    assert not is_sentence(line)


RESTS = ["และในประเทศไทย", "ของประเทศไทย", "ในภาคเหนือ", "ที่กรุงเทพ", ", นกและปลา", ") ปลา", "ๆ ละตัว", "12 ตัว"]


@pytest.mark.parametrize("line", RESTS)
def test_the_rest_of_a_sentence_is_no_name(line: str) -> None:
    assert not is_name(line)


CATEGORIES = [
    "บุคคลที่ยังมีชีวิตอยู่",
    "บุคคลจากจังหวัดน่าน",
    "บริษัทที่ก่อตั้งในปี พ.ศ. 2491",
    "ภาพยนตร์ใน พ.ศ. 2547",
    "ทุกบทความที่เป็นโครง",
    "ผู้ได้รับรางวัลโนเบลสาขาฟิสิกส์",
    "เสียชีวิตจากโรคมะเร็ง",
    "สัตว์ที่ได้รับการอธิบายโดยลินเนียส",
    "นกที่ใกล้สูญพันธุ์",
    "ภาพยนตร์ที่สร้างจากนวนิยาย",
]
NO_CATEGORIES = [
    "บุคคลทั่วไปก็เข้าชมได้",
    "บริษัทก่อตั้งในปี พ.ศ. 2491",
    "วัดนี้ถูกสร้างใน พ.ศ. 2491",
    "ผู้ได้รับเลือกตั้งต้องมีอายุสามสิบปี",
    "แมวเป็นสัตว์เลี้ยง",
    "บทความนี้ยังไม่สมบูรณ์",
    "",
    "เสียชีวิตเมื่อ พ.ศ. 2547",
    "สัตว์ที่พบในประเทศไทยเป็นจำนวนมาก",
    "ภาพยนตร์ที่สร้างจากเรื่องจริงได้รับความนิยม",
    "ภาพยนตร์ที่ฉายในโรงเรียนทำให้เด็กสนใจ",
]


@pytest.mark.parametrize("line", CATEGORIES)
def test_a_category_is_known_by_its_shape(line: str) -> None:
    assert is_category(line)


@pytest.mark.parametrize("line", NO_CATEGORIES)
def test_a_sentence_has_not_the_shape_of_a_category(line: str) -> None:
    assert not is_category(line)


def test_the_openers_name_kinds_that_a_module_asks_for(root) -> None:
    asked = "".join(path.read_text("utf-8") for path in (root / "thaiwiki_clean").rglob("*.py"))
    assert [kind for kind in {kind for kinds in openers().values() for kind in kinds} if f'"{kind}"' not in asked] == []


@laws
@given(rough_text() | st.lists(st.sampled_from([*openers(), "ก", " ", "\n"])).map("".join))
def test_lines_are_found_by_how_they_begin_wherever_they_stand(text: str) -> None:
    for kind in {row[0] for row in terms("openers")}:
        known = "\n".join(opener for of, opener in terms("openers") if of == kind).replace("<blank>", " \n\t")
        begins = tuple(known.split("\n"))
        assert [text[start:end] for start, end in lines_opening(text, kind)] == [
            line for line in text.split("\n") if line.startswith(begins)
        ]


def test_the_trie_finds_what_the_words_side_by_side_find() -> None:
    """On the words themselves: the fast form must know each of them."""
    side_by_side = re.compile("|".join(row[0] for row in terms("clauses")))
    for line in [*SENTENCES, *NAMES, *CATEGORIES, *NO_CATEGORIES]:
        assert bool(vocabulary.clause_pattern().search(line)) == bool(side_by_side.search(line))
