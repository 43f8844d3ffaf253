"""Verdicts on whole pages: which fall, and which short true pages stay."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import example, given, settings

import thaiwiki_clean as tw
from tests.rules.test_redirects import TARGETS
from tests.strategies import link_list, redirect, rough_text, thai_text
from thaiwiki_clean.clean import clean_page
from thaiwiki_clean.reasons import VERDICTS

laws = settings.get_profile("laws")

MARKERS = "*#:;•-1. "
CAT = "แมวเป็นสัตว์เลี้ยงลูกด้วยนมขนาดเล็กที่มนุษย์เลี้ยงไว้ในบ้านมานานหลายพันปี"


def page(raw: str, title: str = "แมว") -> tw.Page:
    return clean_page(tw.Page("1", title, "thaiwikipedia", "", raw))


# --------------------------------------------------------------------------- laws


@laws
@given(rough_text())
@example("")
@example("\ud800")
def test_a_verdict_is_one_of_the_vocabulary(raw: str) -> None:
    assert tw.judge(page(raw)) in {None, *VERDICTS}


@laws
@given(rough_text())
def test_the_same_page_gets_the_same_verdict(raw: str) -> None:
    assert tw.judge(page(raw)) == tw.judge(page(raw))


@laws
@given(redirect())
def test_a_redirect_falls_whatever_its_form(raw: str) -> None:
    assert tw.judge(page(raw)) == "redirect"


@laws
@given(thai_text(max_lines=3))
def test_prose_that_says_two_things_stays(text: str) -> None:
    assert tw.judge(page(f"{CAT}\n{text}")) is None


@laws
@given(link_list(min_size=5).filter(lambda text: len({line.strip(MARKERS) for line in text.split("\n")}) > 3))
def test_nothing_but_links_under_a_list_title_falls(text: str) -> None:
    assert tw.judge(page(text, "รายชื่อสัตว์ในประเทศไทย")) in {"list_page", "empty"}


@given(rough_text())
def test_a_page_that_fell_before_keeps_its_reason(raw: str) -> None:
    assert tw.judge(dataclasses.replace(page(raw), dropped="duplicate")) == "duplicate"


# --------------------------------------------------------------------------- tables

LIST = "เสือโคร่ง\nสิงโต\nเสือดาว\nเสือชีตาห์\nแมวป่า"

FALL = [
    *((raw, "ไข่แหน", "redirect") for raw in TARGETS),
    ("กา อาจหมายถึง\nกา (นก)\nกา (เพลง)\nกาน้ำ", "กา", "disambiguation"),
    ("กา อาจหมายถึง:\n* กา (นก) นกชนิดหนึ่ง\n* กา (เพลง) เพลงของวงลูกกา\n* กาน้ำ ภาชนะใส่น้ำ", "กา", "disambiguation"),
    ("กา สามารถหมายถึง\nกา (นก)\nกา (เพลง)", "กา", "disambiguation"),
    ("กา มีหลายความหมาย ได้แก่\nกา (นก)\nกา (เพลง)", "กา", "disambiguation"),
    ("กา หมายถึงได้หลายอย่าง ดังนี้\nกา (นก)\nกา (เพลง)", "กา", "disambiguation"),
    ("กา เป็นได้ทั้ง\nกา (นก)\nกา (เพลง)", "กา (แก้ความกำกวม)", "disambiguation"),
    (f"รายชื่อสัตว์ในวงศ์เสือและแมว\n{LIST}", "รายชื่อสัตว์ในวงศ์เสือและแมว", "list_page"),
    (f"ต่อไปนี้เป็นรายชื่อสัตว์ในวงศ์เสือและแมว\n{LIST}", "รายชื่อสัตว์ในวงศ์เสือและแมว", "list_page"),
    ("นี่คือรายชื่อวัดในจังหวัดน่าน\n{| class=wikitable\n! วัด !! อำเภอ\n|-\n| วัดภูมินทร์ || เมืองน่าน\n|}", "วัดในจังหวัดน่าน", "list_page"),
    (f"== สัตว์ ==\n{LIST}", "สัตว์ในวงศ์เสือและแมว", "list_page"),
    ("", "แมว", "empty"),
    (" \n \n", "แมว", "empty"),
    ("2547", "แมว", "empty"),
    ("== อ้างอิง ==\n== แหล่งข้อมูลอื่น ==\nสมาคมแมวไทย ", "แมว", "empty"),
    ("{{โครง}}\n__NOTOC__", "แมว", "empty"),
    ("The cat is a small animal that people have kept in their houses for thousands of years.", "Cat", "not_thai"),
    (
        "猫は人に飼われている小さな動物で、何千年も前から人間の家で暮らしてきた動物であり、ねずみを捕ることで知られている。",
        "猫",
        "not_thai",
    ),
    ("แมวเป็นสัตว์", "แมว", "stub"),
    ("แมวเป็นสัตว์\n== อ้างอิง ==\nสมชาย ใจดี. แมวไทย. กรุงเทพฯ : มติชน, 2547.", "แมว", "stub"),
]

STAY = [
    (CAT, "แมว"),
    (f"{CAT}\n== ดูเพิ่ม ==\n{LIST}", "แมว"),
    (
        f"รายชื่อสัตว์ในวงศ์เสือและแมว\n{LIST}\n{CAT} เพราะจับหนูเก่งและอยู่กับคนได้โดยไม่ต้องฝึก จึงแพร่ไปทั่วโลกพร้อมกับเรือสินค้า นักวิทยาศาสตร์เชื่อว่าแมวบ้านสืบสายมาจากแมวป่า",
        "รายชื่อสัตว์",
    ),
    ("กาอาจหมายถึงนกสีดำขนาดใหญ่ที่พบได้ทั่วไป กินอาหารได้ทุกอย่างและฉลาดมาก คนไทยจึงเล่านิทานเรื่องกากันมานาน", "กา"),
    ("กาเป็นนกสีดำขนาดใหญ่ คำว่ากาอาจหมายถึงกาน้ำด้วย แต่ในบทความนี้กล่าวถึงนกเท่านั้น ซึ่งพบได้ทั่วประเทศไทย", "กา"),
    ("เปลี่ยนทางเดินรถเป็นทางเดียวเมื่อ พ.ศ. 2510 ถนนสายนี้จึงมีรถน้อยลงมาก และชาวบ้านก็ข้ามถนนได้สะดวกขึ้น", "ถนน"),
    (
        "กาเป็นนกที่ได้รับการกล่าวถึงในนิทานหลายเรื่อง แต่ในบางเรื่องก็ไม่ได้เป็นนก คำนี้จึงอาจหมายถึงสิ่งอื่น\n"
        "กาน้ำเป็นภาชนะที่ใช้ต้มน้ำ\nกาในแบบฟอร์มเป็นเครื่องหมายที่ใช้เลือกคำตอบ",
        "กา",
    ),
    ("หมู่บ้านนาดี เป็นหมู่บ้านในอำเภอเมือง จังหวัดน่าน", "นาดี"),
    ("โคราช (อังกฤษ: Korat cat) เป็นแมวสายพันธุ์หนึ่ง มีขนสีเทาและตาสีเขียว", "โคราช (แมว)"),
    ("น. สัตว์สี่เท้าที่เลี้ยงไว้ในบ้าน มีขนสั้นและเล็บแหลม", "แมว"),
    (f"ภาษาละตินว่า Felis catus ภาษาอังกฤษว่า domestic cat ภาษาฝรั่งเศสว่า chat domestique {CAT}", "แมว"),
    ("จะหักอื่นขืนหักก็จักได้\nหักอาลัยนี้ไม่หลุดสุดจะหัก\nสารพัดตัดขาดประหลาดนัก\nแต่ตัดรักนี้ไม่ขาดประหลาดใจ", "กลอน"),
    ("1. ล้างผักให้สะอาด แล้วหั่นเป็นชิ้น\n2. ตั้งน้ำให้เดือด แล้วใส่ผักลงไป\n3. ปรุงรสแล้วยกลงจากเตา", "แกงจืด"),
    (
        "ลำดับเหตุการณ์ของเมืองเริ่มขึ้นเมื่อ พ.ศ. 2304 ซึ่งเป็นปีที่มีการสร้างกำแพงเมือง และต่อมาใน พ.ศ. 2310 กำแพงก็ถูกทำลายลงในสงคราม ชาวเมืองจึงอพยพไปอยู่ที่อื่นเป็นเวลานาน",
        "ลำดับเหตุการณ์ของเมืองเก่า",
    ),
]


@pytest.mark.parametrize(("raw", "title", "verdict"), FALL)
def test_a_page_falls(raw: str, title: str, verdict: str) -> None:
    assert tw.judge(page(raw, title)) == verdict


@pytest.mark.parametrize(("raw", "title"), STAY)
def test_a_page_stays(raw: str, title: str) -> None:
    assert tw.judge(page(raw, title)) is None


def test_a_text_is_judged_as_a_page_without_a_title() -> None:
    assert tw.judge("\u200bredirect ผำ") == "redirect"
    assert (tw.judge("redirect ผำ"), tw.judge("แมวเป็นสัตว์ [1]"), tw.judge(CAT)) == ("redirect", "stub", None)


@pytest.mark.parametrize("value", [None, b"x", 1, {"text": CAT}], ids=repr)
def test_what_is_neither_page_nor_text_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match=f"^judge takes a Page or a str, got {type(value).__name__}$"):
        tw.judge(value)  # type: ignore[arg-type]
