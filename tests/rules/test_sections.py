"""Sections: boilerplate to its true end, headers in five dialects, and the traps whose prose stays."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

import thaiwiki_clean as tw
from tests.rules.tables import check_tables
from thaiwiki_clean.edits import Edit
from thaiwiki_clean.rules.sections import bare_header, boilerplate_section, section_header
from thaiwiki_clean.vocabulary import terms, title_kind

LEAD = "แมวเป็นสัตว์เลี้ยงลูกด้วยนมขนาดเล็กที่มนุษย์เลี้ยงไว้ในบ้านมานานหลายพันปี"
BODY = "แมวถูกเลี้ยงไว้จับหนูตั้งแต่สมัยอียิปต์โบราณ และต่อมาก็แพร่ไปทั่วโลกพร้อมกับเรือสินค้า"
PARAGRAPH = "ชาวอียิปต์โบราณเลี้ยงแมวไว้จับหนู และนับถือแมวเป็นสัตว์ศักดิ์สิทธิ์ เมื่อแมวตายก็จะทำมัมมี่ให้ ต่อมาพ่อค้าได้นำแมวลงเรือไปด้วย จึงแพร่ไปทั่วโลก"

# A header in every dialect, over a body that stays.
DIALECTS = [
    *(f"{'=' * n} สายพันธุ์ที่พบ {'=' * n}" for n in range(1, 7)),
    "==สายพันธุ์==",
    "== สายพันธุ์==",
    "==สายพันธุ์ ==",
    "==  สายพันธุ์  ==",
    "== สายพันธุ์ == ",
    " == สายพันธุ์ ==",
    "=== สายพันธุ์=== ",
    "== '''สายพันธุ์''' ==",
    "== สายพันธุ์ ===",
    "== สายพันธุ์ =",
    "== สายพันธุ์",
    "==  ==",
    "====",
]
BARE = [
    "ประวัติ",
    "ประวัติ ",
    "ประวัติ:",
    "ประวัติ.",
    "## ประวัติ.",
    "## ประวัติ",
    "Section::::ประวัติ.",
    "Section::::สายพันธุ์ที่พบ.",
    "## สายพันธุ์ที่พบ.",
    "สายพันธุ์.",
]

LINKS = "เสือโคร่ง\nสิงโต \n* [http://a.example แมวไทย] "
END = [("== ดูเพิ่ม ==", "== ลักษณะ =="), ("ดูเพิ่ม", "== ลักษณะ =="), ("Section::::ดูเพิ่ม.", "Section::::ลักษณะ."), ("## ดูเพิ่ม.", "## ลักษณะ.")]

CUT = {
    section_header: [(f"{LEAD}\n{head}\n{BODY}", f"{LEAD}\n\n{BODY}") for head in DIALECTS],
    bare_header: [
        *((f"{LEAD}\n{head}\n{BODY}", f"{LEAD}\n\n{BODY}") for head in BARE),
        (f"{LEAD}\nประวัติ\n{BODY}\nลักษณะ\n{PARAGRAPH}\nขนและลาย\nแมวมีขนหลายสี เช่น ดำ ขาว ส้ม และบางตัวก็มีลายเหมือนเสืออยู่บนลำตัวด้วย",
         f"{LEAD}\n\n{BODY}\n\n{PARAGRAPH}\n\nแมวมีขนหลายสี เช่น ดำ ขาว ส้ม และบางตัวก็มีลายเหมือนเสืออยู่บนลำตัวด้วย"),
    ],
    boilerplate_section: [
        (f"{LEAD}\n== ดูเพิ่ม ==\n{LINKS}", f"{LEAD}\n", LEAD),
        (f"{LEAD}\n== ดูเพิ่ม ==\n{LINKS}\n== ลักษณะ ==\n{BODY}", f"{LEAD}\n== ลักษณะ ==\n{BODY}", f"{LEAD}\n\n{BODY}"),
        (f"{LEAD}\n== อ้างอิง ==\n== ดูเพิ่ม ==\n{LINKS}", f"{LEAD}\n", LEAD),
        (f"{LEAD}\n== อ้างอิง ==\n\n== ลักษณะ ==\n{BODY}", f"{LEAD}\n== ลักษณะ ==\n{BODY}", f"{LEAD}\n\n{BODY}"),
        (f"{LEAD}\n== อ้างอิง ==", f"{LEAD}\n", LEAD),
        (f"{LEAD}\n== ดูเพิ่ม ==\nเสือ\n=== สัตว์อื่น ===\nสิงโต\n==== วงศ์ ====\nเสือดาว", f"{LEAD}\n", LEAD),
        (f"{LEAD}\n== ลักษณะ ==\n{BODY}\n=== อ้างอิง ===\nสมชาย ใจดี. แมวไทย. กรุงเทพฯ : มติชน, 2547.\n== นิสัย ==\n{PARAGRAPH}",
         f"{LEAD}\n== ลักษณะ ==\n{BODY}\n== นิสัย ==\n{PARAGRAPH}", f"{LEAD}\n\n{BODY}\n\n{PARAGRAPH}"),
        (f"{LEAD}\n== บรรณานุกรม ==\nสมชาย ใจดี. แมวไทย. กรุงเทพฯ : มติชน, 2547.\nสมหญิง ใจงาม (2550). แมวกับคน. สำนักพิมพ์แมว. หน้า 12.", f"{LEAD}\n", LEAD),
        (f"{LEAD}\n== ดูเพิ่ม ==\n{LINKS}\n{PARAGRAPH}", f"{LEAD}\n{PARAGRAPH}"),
        (f"{LEAD}\n== แหล่งข้อมูลอื่น ==\n{LINKS}\nสัตว์เลี้ยง\nแมว", f"{LEAD}\n", LEAD),
        (f"{LEAD}\n== หมายเหตุ ==\nเสือ\nสิงโต", f"{LEAD}\n", LEAD),
        (f"{LEAD}\n== เว็บไซต์ ==\nสมาคมแมวไทย ", f"{LEAD}\n", LEAD),
        (f"{LEAD}\n== หมายเหตุ ==\n== ลักษณะ ==\n{BODY}", f"{LEAD}\n== ลักษณะ ==\n{BODY}", f"{LEAD}\n\n{BODY}"),
        (f"{LEAD}\n== See also ==\n{LINKS}", f"{LEAD}\n", LEAD),
        (f"{LEAD}\n== EXTERNAL LINKS ==\n{LINKS}", f"{LEAD}\n", LEAD),
        (f"{LEAD}\n== อ้างอิงและเชิงอรรถ ==\n{LINKS}", f"{LEAD}\n", LEAD),
        (f"{LEAD}\n== อ้างอิง / ดูเพิ่ม ==\n{LINKS}", f"{LEAD}\n", LEAD),
        (f"{LEAD}\n== แหล่งข้อมูล อื่น ๆ ==\n{LINKS}", f"{LEAD}\n", LEAD),
        (f"{LEAD}\n== '''ดูเพิ่มเติม''' ==\n{LINKS}", f"{LEAD}\n", LEAD),
        (f"{LEAD}\n== ดูเพื่มเติม ==\n{LINKS}", f"{LEAD}\n", LEAD),
        (f"{LEAD}\n== แหล่งขอมูลอื่น ==\n{LINKS}", f"{LEAD}\n", LEAD),
        (f"{LEAD}\n== บรรณนุกรม ==\n{LINKS}", f"{LEAD}\n", LEAD),
        *((f"{LEAD}\n{head}\n{LINKS}\n{after}\n{BODY}", f"{LEAD}\n{after}\n{BODY}", f"{LEAD}\n\n{BODY}") for head, after in END),
    ],
}  # fmt: skip

KEPT = {
    section_header: [
        "ถ้า a == b เป็นจริง โปรแกรมก็จะทำงาน",
        "สมการ E = mc² เป็นสมการที่รู้จักกันมาก",
        "ค่า x = 5 เป็นคำตอบ",
        "= เป็นเครื่องหมายเท่ากับ ซึ่งใช้ในสมการ",
        "ใช้ === เมื่อเปรียบเทียบชนิดด้วย",
        "x = y = z เป็นการกำหนดค่า",
        "=> เป็นลูกศรที่ใช้ในภาษานี้",
        "== และ != เป็นตัวดำเนินการที่ใช้เปรียบเทียบ",
        "1 + 1 = 2 เป็นสมการที่ทุกคนรู้จัก",
        "a=b เป็นการกำหนดค่า\nb=c ก็เป็นการกำหนดค่า",
        "เครื่องหมาย = ถูกใช้ครั้งแรกใน พ.ศ. 2100",
        "ถ้า a==b และ b==c แล้ว a==c",
        "รหัส ==ABC== เป็นรหัสที่อยู่ท้ายข้อความ",
        LEAD,
        BODY,
        PARAGRAPH,
        f"{LEAD}\n{BODY}",
        f"{LEAD}\n\n{BODY}",
        "พื้นที่ = กว้าง × ยาว เป็นสูตรที่ใช้กันมาก",
    ],
    bare_header: [
        LEAD,
        f"{LEAD}\n{BODY}",
        f"{LEAD}\n\n{PARAGRAPH}\n\n{BODY}",
        "ประวัติของแมวเริ่มขึ้นในอียิปต์โบราณ\nลักษณะของแมวเป็นสัตว์ที่มีขนสั้น",
        "ประวัติศาสตร์เป็นวิชาที่ศึกษาเรื่องในอดีต",
        "อ้างอิงจากจดหมายเหตุ เมืองนี้ถูกสร้างขึ้นเมื่อ พ.ศ. 2304",
        "ดูเพิ่มเติมแล้วก็จะเห็นว่าแมวเป็นสัตว์ที่นอนมาก",
        "เครื่องหมาย # ใช้เป็นเครื่องหมายนำหน้าตัวเลขในภาษาอังกฤษ",
        "#1 เป็นอันดับที่ดีที่สุดในตาราง",
        "เขาเกิดเมื่อ พ.ศ.\n2504 ที่จังหวัดน่าน",
        "Section 5 เป็นมาตราที่ถูกยกเลิก",
    ],
    boilerplate_section: [
        LEAD,
        PARAGRAPH,
        f"{LEAD}\n{BODY}",
        "เขาอ้างอิงงานของครูอยู่เสมอ",
        "อ้างอิงจากจดหมายเหตุ เมืองนี้ถูกสร้างขึ้นเมื่อ พ.ศ. 2304",
        "ดูเพิ่มเติมแล้วก็จะเห็นว่าแมวเป็นสัตว์ที่นอนมาก",
        "แหล่งข้อมูลอื่นกล่าวว่าเมืองนี้ถูกสร้างขึ้นก่อนหน้านั้น",
        "บรรณานุกรมเป็นรายการหนังสือที่ผู้เขียนได้อ้างถึง",
        "เชิงอรรถเป็นข้อความที่อยู่ท้ายหน้า",
        "หมายเหตุว่าแมวไม่ได้เป็นสุนัข",
        "เว็บไซต์ของสมาคมถูกเปิดขึ้นเมื่อ พ.ศ. 2540",
        "ลิงก์เป็นคำที่เชื่อมหน้าหนึ่งไปยังอีกหน้าหนึ่ง",
        "เพิ่มเติมจากนั้น แมวยังเป็นสัตว์ที่นอนมาก",
        "See also เป็นคำที่ใช้ท้ายบทความในภาษาอังกฤษ",
        "References เป็นคำภาษาอังกฤษที่แปลว่าอ้างอิง",
        "หนังสืออ้างอิงเป็นหนังสือที่ใช้ค้นหาข้อมูล",
        "หัวข้อที่เกี่ยวข้องกับแมวเป็นที่สนใจมาก",
        f"{LEAD}\nหนังสืออ้างอิงเป็นหนังสือที่ใช้ค้นหาข้อมูล",
        f"{LEAD}\nแหล่งข้อมูลอื่นกล่าวว่าแมวถูกเลี้ยงมานานกว่านั้น",
        f"{LEAD}\n\nอ่านเพิ่มเติมได้จากหนังสือที่เขาเขียน",
        "แม้จะดูเพิ่มขึ้น แต่จำนวนแมวก็ยังน้อยกว่าสุนัข",
        "ข้อมูลอื่นที่พบเป็นข้อมูลที่ไม่ได้ถูกตีพิมพ์",
        "ภายนอกเป็นสีขาว ส่วนภายในเป็นสีแดง",
        "โยงอื่นในระบบเป็นโยงที่ใช้เดินสายไฟ",
        "คำตรงข้ามของร้อนก็คือเย็น",
        "สำนวนไทยเป็นคำพูดที่มีความหมายไม่ตรงตัว",
    ],
}  # fmt: skip

test_rule_cuts, test_clean_cuts, test_rule_keeps, test_clean_keeps, test_lengths = check_tables(CUT, KEPT)


# --------------------------------------------------------------------------- titles

CERTAIN = [row[0] for row in terms("sections") if row[1] == "certain"]
MAYBE = [row[0] for row in terms("sections") if row[1] in ("maybe", "linkage")]
CONTENT = [row[0] for row in terms("sections") if row[1] in ("content", "word_class")]


@pytest.mark.parametrize("title", CERTAIN)
@pytest.mark.parametrize("dialect", ["== {} ==", "==={}=== ", "Section::::{}."])
def test_a_boilerplate_section_goes_whatever_its_dialect(title: str, dialect: str) -> None:
    assert tw.clean(f"{LEAD}\n{dialect.format(title)}\n{LINKS}\n{dialect.format('ลักษณะ')}\n{BODY}") == f"{LEAD}\n\n{BODY}"


@pytest.mark.parametrize("title", CERTAIN)
def test_an_empty_boilerplate_section_goes(title: str) -> None:
    assert tw.clean(f"{LEAD}\n== {title} ==\n== ลักษณะ ==\n{BODY}\n== {title} ==") == f"{LEAD}\n\n{BODY}"


@pytest.mark.parametrize("title", MAYBE)
def test_a_section_that_may_be_boilerplate_goes_when_it_says_nothing(title: str) -> None:
    assert tw.clean(f"{LEAD}\n== {title} ==\nเสือโคร่ง\nสิงโต \n== ลักษณะ ==\n{BODY}") == f"{LEAD}\n\n{BODY}"


@pytest.mark.parametrize("title", [*MAYBE, *CONTENT])
def test_the_prose_of_a_trap_stays(title: str) -> None:
    assert tw.clean(f"{LEAD}\n== {title} ==\n{BODY}\n== ลักษณะ ==\n{PARAGRAPH}") == f"{LEAD}\n\n{BODY}\n\n{PARAGRAPH}"


@pytest.mark.parametrize("title", ["เว็บไซต์", "เพิ่มเติม", "หมายเหตุ", "ลิงก์", "ข้อมูลอื่น", "ภายนอก", "อื่น"])
def test_one_sentence_is_enough_to_keep_the_body_of_a_trap(title: str) -> None:
    sentence = "สมาคมเปิดเว็บไซต์เมื่อ พ.ศ. 2540 และปิดไปแล้ว"
    assert tw.clean(f"{LEAD}\n== {title} ==\n{sentence}\nเสือโคร่ง\n== ลักษณะ ==\n{BODY}") == f"{LEAD}\n\n{sentence}\nเสือโคร่ง\n\n{BODY}"


def variants(shared: Path) -> list[tuple[str, str]]:
    path = shared / "facts" / "section_variants.tsv"
    if not path.exists():
        pytest.skip(f"no {path}: the table of titles is no part of the repository")
    with path.open(encoding="utf-8") as file:
        return [(row["canonical"], row["variant"]) for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]


def test_every_variant_of_a_title_that_was_seen_is_known(shared: Path) -> None:
    boilerplate = {"อ้างอิง", "ดูเพิ่ม", "แหล่งข้อมูลอื่น", "บรรณานุกรม"}
    rows = variants(shared)
    assert [title for canonical, title in rows if canonical in boilerplate and title_kind(title) not in ("certain", "maybe")] == []
    assert [
        title for canonical, title in rows if canonical.startswith("(sections that stand") and title_kind(title) not in ("certain", "maybe")
    ] == []
    assert [
        title for canonical, title in rows if canonical.startswith("(wiktionary: part of speech") and title_kind(title) == "certain"
    ] == []


def test_sections_of_every_variant_that_was_seen_go(shared: Path) -> None:
    left = [
        title
        for canonical, title in variants(shared)
        if canonical in ("อ้างอิง", "ดูเพิ่ม", "แหล่งข้อมูลอื่น", "บรรณานุกรม") and tw.clean(f"{LEAD}\n== {title} ==\n{LINKS}") != LEAD
    ]
    assert left == []


def test_content_titles_that_were_seen_keep_their_body(shared: Path) -> None:
    lost = [
        title
        for canonical, title in variants(shared)
        if canonical == "ประวัติ" and tw.clean(f"{LEAD}\n== {title} ==\n{BODY}") != f"{LEAD}\n\n{BODY}"
    ]
    assert lost == []


def test_a_bare_title_is_left_to_the_rule_of_bare_titles() -> None:
    text = f"{LEAD} (a = b)\nประวัติ\n{BODY}"
    assert (section_header(text), [edit.reason for edit in bare_header(text)]) == ([], ["bare_header"])


def test_a_header_whose_title_is_equals_signs_goes_once() -> None:
    assert section_header(f"{LEAD}\n== == ==\n{BODY}") == [Edit(len(LEAD) + 1, len(LEAD) + 9, "section_header")]
