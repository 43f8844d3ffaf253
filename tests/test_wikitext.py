"""Wikitext to text: laws for any text, tables of what becomes what, whole pages of our own, and real ones where they lie beside."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thaiwiki_clean.readers.wikitext import extract, redirect_target, words_of
from thaiwiki_clean.vocabulary import terms

# Pieces of markup, whole and torn, and Thai prose with marks: what a hostile page is made of.
_PIECES = [
    "[[", "]]", "{{", "}}", "{{{", "}}}", "[", "]", "{|", "|}", "|-", "|", "||", "!", "!!", "\n", "\n\n", "\n==", "==\n", "\n*", "\n:;", "'''", "''", "&nbsp;", "&#1;", "&lt;",
    "<ref>", "</ref>", "<ref name=a/>", "<!--", "-->", "<nowiki>", "</nowiki>", "<math>", "</math>", "<br/>", "<div style='display:none'>", "</div>", "<table>", "<td>", "<",
    "__NOTOC__", "-{", "}-", "(", ")", "; ", "lang-en|", "convert|5|km", "ไฟล์:ก.jpg|thumb|", "หมวดหมู่:ก", "#เปลี่ยนทาง ", "http://a.b ", "[http://a.b ก]", "\x00", "\x010\x00", "\x05", "\r\n", "\u200b",
    "กาบ้าน", "น้ำใจ ", "พ.ศ. 2545", "=", "a", " ", "\t",
]  # fmt: skip
hostile = st.lists(st.sampled_from(_PIECES), max_size=60).map("".join)

# Nested and whole: every opening has its end.
nested = st.recursive(
    st.sampled_from(["กา", "นก ", "5", "\n"]),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        inner.map(lambda x: "{{lang-en|" + x + "}}"),
        inner.map(lambda x: "{{ไม่มีใครรู้จัก|" + x + "}}"),
        inner.map(lambda x: "[[ไฟล์:ก.jpg|thumb|" + x + "]]"),
        inner.map(lambda x: "[[เป้า|" + x + "]]"),
        inner.map(lambda x: "<div>" + x + "</div>"),
        inner.map(lambda x: "\n{| class=x\n| " + x + "\n|}\n"),
        # A reference inside a reference ends with its line at the latest, in MediaWiki with the first end tag: only on one line is it whole
        inner.map(lambda x: "<ref>" + (x.replace("\n", " ").replace("{|", "") if "<ref>" in x else x) + "</ref>"),
    ),
    max_leaves=12,
)


@given(st.one_of(hostile, st.text()))
def test_any_text_gives_a_text(wikitext: str) -> None:
    assert isinstance(extract(wikitext).text, str)


@given(hostile)
def test_lines_are_tidy(wikitext: str) -> None:
    text = extract(wikitext.replace("<nowiki>", "").replace("<math>", "")).text
    assert all(line == line.strip(" ") and line for line in text.split("\n") if text)


@given(nested)
def test_whole_markup_leaves_no_markup(wikitext: str) -> None:
    text = extract(wikitext).text
    assert not any(mark in text for mark in ("[[", "]]", "{{", "}}", "{|", "|}", "<", "\x01", "\x02", "\x05"))


@given(nested)
def test_whole_markup_is_never_counted_as_torn(wikitext: str) -> None:
    assert extract(wikitext.replace("ไม่มีใครรู้จัก", "อ้างอิง")).damage == 0


@given(st.lists(st.sampled_from(["กาบินไปหาน้ำ", "น้ำใจงาม 5", "ที่นี่ (ครับ)"]), min_size=1, max_size=8))
def test_plain_prose_is_left_alone(lines: list[str]) -> None:
    prose = "\n".join(lines)
    assert extract(prose).text == prose


@given(st.sampled_from(["[[", "{{", "{|", "<ref>", "[[ไฟล์:", "{{กล่อง\n|ก=ข\n", "[http://a.b ", "'''"]), st.integers(1, 30))
def test_nothing_torn_takes_the_next_paragraph(torn: str, count: int) -> None:
    after = "ย่อหน้าต่อไปยังอยู่ครบทุกคำ"
    assert after in extract(f"ก {torn * count}\n\n{after}\n").text.split("\n")


# wikitext -> text, one behaviour each
_BECOMES = [
    ("[[นก]]", "นก"),
    ("[[วงศ์นกกา|วงศ์กา]]", "วงศ์กา"),
    ("[[สตาร์ วอร์ส: ภาค 4]]", "สตาร์ วอร์ส: ภาค 4"),
    ("[[:หมวดหมู่:นก]]", "หมวดหมู่:นก"),
    ("[[หมวดหมู่:นก|*]]", ""),
    ("[[Category:Birds]]", ""),
    ("[[en:Crow]]", ""),
    ("[[:en:Crow]]", "Crow"),
    ("[[wikt:กา]]", "กา"),
    ("[[w:กา|นกกา]]", "นกกา"),
    ("[[#ประวัติ]]", "ประวัติ"),
    ("[[ไฟล์:a.jpg|thumb|200px|คำ [[นก]] บรรยาย]]ก", "ก"),
    ("[[ภาพ:a.jpg]]", ""),
    ("[[สื่อ:a.ogg|ฟัง]]", "ฟัง"),
    ("[http://a.b กา]", "กา"),
    ("[http://a.b]", ""),
    ("[1] [ก]", "[1] [ก]"),
    ("{{lang-en|crow}}", "crow"),
    ("{{lang|ja|烏}}", "烏"),
    ("{{ภาษาอังกฤษ|crow}}", "crow"),
    ("{{zh|t=烏|s=乌|p=wū}}", "烏, 乌, wū"),
    ("{{ญี่ปุ่น|烏|からす}}", "烏, からす"),
    ("{{nowrap|ก {{small|ข}}}}", "ก ข"),
    ("{{convert|40|to|45|km2|abbr=on}}", "40–45 ตารางกิโลเมตร"),
    ("{{convert|5|cubit}}", "5 cubit"),
    ("{{birth date and age|1960|1|2}}", "2 มกราคม ค.ศ. 1960"),
    ("{{วันเกิด|2503|1|2}}", "2 มกราคม พ.ศ. 2503"),
    ("{{frac|1|2}} {{frac|3|1|2}}", "1/2 3 1/2"),
    ("{{flag|ไทย}} {{flag|JPN}}", "ไทย"),
    ("ก{{!}}ข", "ก|ข"),
    ("{{PAGENAME}}", "กา"),
    ("{{formatnum:1234567}}", "1,234,567"),
    ("{{#if: |ก|ข}}{{#if:x|ค}}", "ขค"),
    ("{{{1|ค่าเริ่ม}}}", "ค่าเริ่ม"),
    ("{{กล่องข้อมูล|ก={{lang-en|x}}\n|ข=[[ค|ง]]}}จ", "จ"),
    ("{{นำทาง}}{{โครงสัตว์}}", ""),
    ("ก<ref>ข</ref><ref name=x />ค", "กค"),
    ("ก<ref>ข<ref>ค</ref> ง</ref> จ", "ก จ"),
    ("ก<ref>ข<ref>ค</ref> ง\nจ", "ก\nจ"),
    ("ก<!-- ข -->ค", "กค"),
    ("ก<br>ข", "ก\nข"),
    ("== ก<br>ข ==", "== ก ข =="),
    ("x<sup>2</sup> H<sub>2</sub>O", "x² H₂O"),
    ("<small>ก</small> <span style='color:red'>ข</span>", "ก ข"),
    ("<span style='display:none'>00</span>5", "5"),
    ("<math>\\frac{{a}}{b}</math>", "\\frac{{a}}{b}"),
    ("<nowiki>[[ก]] {{ข}}</nowiki>", "[[ก]] {{ข}}"),
    ("<pre>\n* ก\n</pre>", "* ก"),
    ("<includeonly>ก</includeonly><onlyinclude>ข</onlyinclude><noinclude>ค</noinclude>", "ขค"),
    ("<gallery>\nไฟล์:ก.jpg|ข\n</gallery>ค", "ค"),
    ("<poem>\n:ก\n::ข\n</poem>", "ก\nข"),
    ("<table><tr><td>ก</td></tr></table>ข", "ข"),
    ("{|\n|ก\n{|\n|ข\n|}\n|}\nค", "ค"),
    ("{|\n|" + "ก" * 100 + "\n|}", "ก" * 100),
    ("|}\nก", "ก"),
    ("==ก==\n=== '''ข''' ===\n= ค=\n==ง===", "== ก ==\n=== ข ===\n= ค =\n== ง= =="),
    ("== {{ธง|ไทย}} ช ==", "== ช =="),
    ("* ก\n** ข\n#: ค\n; ง : จ\n:ฉ", "ก\nข\nค\nง : จ\nฉ"),
    ("ก\n----\nข", "ก\nข"),
    ("''ก'''ข'''''", "กข"),
    ("9.4&nbsp;°C &ndash; &amp;lt;", "9.4 °C – &lt;"),
    ("__NOTOC__ __ไม่มีสารบัญ__ __init__", "__init__"),
    ("3 < 5 แต่ 7 > 2 และ <ไม่ใช่แท็ก>", "3 < 5 แต่ 7 > 2 และ <ไม่ใช่แท็ก>"),
    ("ก  ข\n\n\nค ", "ก ข\nค"),
    ("-{zh-hans:乌;zh-hant:烏}-", "乌"),
    # mended
    ("กา ({{lang-en|crow}}; {{IPA-th|kaː}}; ข) บิน", "กา (crow; ข) บิน"),
    ("กา ({{IPA-th|kaː}}) บิน", "กา บิน"),
    ("กา (เกิด {{ไม่มีใครรู้}}) บิน", "กา บิน"),
    ("กา (ญี่ปุ่น: {{ไม่มีใครรู้}}, crow) บิน", "กา (crow) บิน"),
    ("กา (พ.ศ. 2504 – ) บิน", "กา (พ.ศ. 2504 – ) บิน"),
    ("กา (พ.ศ. 2504 –{{ต้องการอ้างอิง}} ) บิน", "กา (พ.ศ. 2504 – ) บิน"),
    ("กา (crow;{{ต้องการอ้างอิง}} 烏) บิน", "กา (crow; 烏) บิน"),
    # torn
    ("ก {{โครง ข [[ค ง", "ก โครง ข ค ง"),
    ("ใน [[กา และข้อความ", "ใน กา และข้อความ"),
    ("สนใจ[[ค่ายเพลง]ในหมู่มาก", "สนใจค่ายเพลงในหมู่มาก"),
    ("ก ]] ข }} ค", "ก ข ค"),
    ("[[กา\nนก]]", "กา\nนก"),
    ("[[ยาน] กับ [ปลา]]", "ยาน กับ ปลา"),
]


@pytest.mark.parametrize(("wikitext", "text"), _BECOMES, ids=[row[0][:30].replace("\n", "/") for row in _BECOMES])
def test_wikitext_becomes(wikitext: str, text: str) -> None:
    assert extract(wikitext, title="กา").text == text


@pytest.mark.parametrize(
    ("wikitext", "damage"),
    [
        ("มีพื้นที่ {{ไม่มีใครรู้}} ตารางกิโลเมตร", 1),
        ("{{ไม่มีใครรู้}}\nก", 0),
        ("ก {{ไม่มีใครรู้}}\nข", 0),
        ("ก{{ต้องการอ้างอิง}} ข", 0),
        ("ก {{ข", 1),
        ("ก [[ข", 1),
        ("{{lang-en|<ref><ref><div>กา</div></ref></ref>}}", 0),
        ("ก (เกิด {{ไม่มีใครรู้}}) ข", 0),
    ],
)
def test_damage_counts_missing_words(wikitext: str, damage: int) -> None:
    assert extract(wikitext).damage == damage


def test_categories_are_collected() -> None:
    assert extract("[[หมวดหมู่:นก|ก]] [[Category:Birds_of_Asia]]").categories == ("นก", "Birds of Asia")


def test_templates_speak_for_a_verdict() -> None:
    assert dict(extract("{{แก้กำกวม}} {{โครงสัตว์}}").evidence) == {"disambiguation": "แก้กำกวม", "stub": "โครงสัตว์"}


@pytest.mark.parametrize(
    ("wikitext", "target"),
    [
        ("#เปลี่ยนทาง [[พ่อ]]", "พ่อ"),
        ("#REDIRECT[[ก#ข]]", "ก#ข"),
        ("#redirect: [[ก|ข]]\n[[หมวดหมู่:ค]]", "ก"),
        ("# REDIRECT [[ก]]", None),
        ("เปลี่ยนทาง [[ก]]", None),
    ],
)
def test_redirects_name_their_target(wikitext: str, target: str | None) -> None:
    assert redirect_target(wikitext) == target


def test_a_namespace_of_the_dump_is_known() -> None:
    words = words_of("th").with_namespaces({"แฟ้ม": 6})
    assert extract("[[แฟ้ม:ก.jpg|thumb|ข]]ค", words).text == "ค"


def test_a_language_without_words_of_its_own_is_read() -> None:
    assert extract("{{convert|5|km}} [[หมวดหมู่:ก]]", words_of("lo")).text == "5 km หมวดหมู่:ก"


@pytest.mark.parametrize("language", ["common", "th"])
def test_every_action_of_the_vocabulary_runs(language: str) -> None:
    for kind, name, _, _ in terms(f"wikitext/{language}"):
        if kind == "template":
            extract("ก {{" + name.replace("*", "x") + "|1|2|3|a=b}} ข", words_of("th"))


_PAGES = Path(__file__).parent / "pages" / "wikitext"


@pytest.mark.parametrize("page", sorted(_PAGES.glob("*.wiki")), ids=lambda path: path.stem)
def test_golden_page(page: Path) -> None:
    language = page.suffixes[0][1:] if len(page.suffixes) > 1 else "th"
    want = page.with_suffix(".txt").read_text(encoding="utf-8").rstrip("\n")
    assert extract(page.read_text(encoding="utf-8"), words_of(language), title="กา").text == want


@pytest.fixture(scope="module")
def real_pages(root: Path) -> list[dict[str, str]]:
    path = root / ".." / "shared" / "data" / "raw_wikitext_dev.jsonl"
    if not path.is_file():
        pytest.skip(f"real pages are not beside the repository: {path.name}")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def test_monument_lists_leave_their_title_and_heading(real_pages: list[dict[str, str]]) -> None:
    lists = [page for page in real_pages if page["title"].startswith("รายชื่อโบราณสถาน")]
    assert len(lists) == 78
    for page in lists:
        assert extract(page["text"]).text == f"{page['title']}\n== แหล่งข้อมูลอื่น =="


def test_real_page_heads_and_dictionary_entries_read_as_they_were_proofread(real_pages: list[dict[str, str]]) -> None:
    # The text is Wikipedia's and Wiktionary's and stays out of this repository: its hash stands for what was read line by line.
    texts = [extract(page["text"], title=page["title"]).text for page in real_pages if not page["title"].startswith("รายชื่อโบราณสถาน")]
    assert len(texts) == 45
    assert hashlib.sha256("\n\n".join(texts).encode()).hexdigest()[:16] == "59fad3b2a61dee26"


_HOSTILE = {
    "link ends": "[[", "template ends": "{{", "links in links": "[[a|", "templates in templates": "{{nowrap|x", "nested tables": "{|\n|a\n", "brackets": "(((((", "equals": "=====", "blanks": "     ",
    "comments": "<!--", "references": "<ref>", "headings in templates": "{{\n==", "cells": "||a", "quotes": "'''''", "entities": "&&&&", "external": "[http://a ", "one line": "แมวกินปลา ", "tags": "<div ",
}  # fmt: skip


@pytest.mark.parametrize("piece", _HOSTILE.values(), ids=_HOSTILE.keys())
def test_time_grows_with_length_alone(piece: str) -> None:
    def seconds(count: int, closing: str) -> float:
        text = piece * count + closing * count
        began = time.process_time()
        extract(text)
        return time.process_time() - began

    for closing in ("", "}}" if piece[0] == "{" else "]]" if piece[0] == "[" else "|}\n"):
        small, large = min(seconds(12_500, closing) for _ in range(2)), seconds(100_000, closing)
        assert large < 40 * small + 0.1, f"8 times the text took {large / small:.0f} times as long"
