"""The sample pages hold every kind of dirt, and the answers beside them fit."""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import regex

from thaiwiki_clean import samples
from thaiwiki_clean.clean import clean_page
from thaiwiki_clean.judge import judge
from thaiwiki_clean.page import HOSTS, Page
from thaiwiki_clean.reasons import VERDICTS

CLEAN = Path(__file__).with_name("pages") / "sample_clean.jsonl"


def rows(path: Path) -> list[dict[str, Any]]:
    # not splitlines: it would end a row at U+2028 and its kin
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


PAGES = rows(samples.path())
ANSWERS = rows(CLEAN)

# kind of dirt -> a pattern of it. (?m): ^ and $ are the ends of a line.
DIRT = {
    **{f"header, level {n}": rf"(?m)^={{{n}}}[^=\n]+={{{n}}} *$" for n in range(1, 7)},
    "header without blanks": r"(?m)^==[^= \n][^=\n]*[^= \n]==$",
    "header with doubled blanks": r"(?m)^=+  +[^ =]",
    "header with a trailing blank": r"(?m)^=.*= +$",
    "header in bold": r"(?m)^=+ *'''.+''' *=+$",
    "bare header": r"(?m)^(ประวัติ|ลักษณะทั่วไป|ภูมิศาสตร์|วัฒนธรรม|การอนุรักษ์)$",
    "bare boilerplate title": r"(?m)^(อ้างอิง|ดูเพิ่ม|แหล่งข้อมูลอื่น)$",
    "header x.": r"(?m)^[\u0e00-\u0e7f]+\.$",
    "header ## x.": r"(?m)^## .+\.$",
    "header Section::::x.": r"(?m)^Section::::.+\.$",
    "empty section": r"(?m)^=+ *(อ้างอิง|เชิงอรรถ|บรรณานุกรม) *=+\n=",
    "slip of the pen in a title": r"ดูเพื่มเติม|แหล่งข้อข้อมูลอื่น|ดูเพื่ิม|อ้างอิ่ง|แหล่งขอมูลอื่น",
    "English boilerplate title": r"(?m)^== (See also|External links|References) ==$",
    "trap: หมายเหตุ over prose": r"(?m)^=+ *หมายเหตุ *=+\n.{80,}",
    "trap: เว็บไซต์ over prose": r"(?m)^== (เว็บไซต์|ลิงก์) ==\n.{80,}",
    "trap: ข้อมูลอื่น over prose": r"(?m)^=+ *(ข้อมูลอื่น|เพิ่มเติม) *=+\n.{80,}",
    "link with a trailing blank": r"(?m)^[^=\n]{3,40} $",
    "list marker": r"(?m)^[*:#] \S",
    "lone list marker": r"(?m)^\*\n",
    "sort key, a letter": r"(?m)^[ก-ฮ]$",
    "sort key, a star": r"\n\*$",
    "sort key, a blank": r"\n $",
    "category with prefix": r"(?m)^หมวดหมู่:",
    "announcement of a list": r"(?m)^.{0,60}ดังนี้$|ดังต่อไปนี้:$",
    "table start": r"(?m)^\{\|",
    "table start without a blank, or with other attributes": r"\{\|(class|\s*border)=",
    "table row": r"(?m)^\|-$",
    "table end": r"(?m)^\|\}$",
    "table head": r"(?m)^! ",
    "table cells in one line": r"(?m)^\|.+\|\|",
    "table cells that begin with two bars": r"(?m)^\|\| ?\S",
    "cell attributes": r"(colspan|rowspan|style|align)=",
    "image word": r"(?m)^(thumb|left|right|\d+px)$",
    "image word that touches prose": r"(?m)^(thumb|right|\d+px)['ก-๙]",
    "gallery line": r"(?m)^(ไฟล์|ภาพ|File):[^|\n]+\|",
    "magic word": r"__\w+__",
    "Thai magic word": r"__[\u0e00-\u0e7f]+__",
    "footnote mark": r"\[\d+\]",
    "citation needed": r"\[ต้องการ(แหล่ง)?อ้างอิง\]",
    "edit link": r"\[แก้(ไข)?\]",
    "stray brackets": r"\[\[|\]\]",
    "stray braces": r"(?<!\{)\{\{(?!\{)|\}\}",
    "bold": r"'''",
    "bare address": r"(?m)(^| )(https?://|www\.)\S+$",
    "bracketed address": r"\[https?://",
    "ref": r"<ref",
    "br": r"<br ?/>",
    "comment": r"<!--.*?-->",
    "other tags": r"</?(div|small)",
    "entity": r"&(nbsp|ndash|mdash|quot|lt|#\d+);",
    "empty brackets": r"\( ?\)",
    "brackets of separators": r"\([;, ]*[;,][;, ]*\)",
    "separator first": r"\([;,] ?[^;,) ]",
    "separator last": r"[^(;, ][;,] ?\)",
    "template parameter": r"\|links=no",
    "nested empty brackets": r"\([^()\n]*\([;, ]*\)",
    "carriage return": r"\r\n",
    "no-break blank": "\u00a0",
    "wide blank": "[\u2003\u3000]",
    "zero-width blank": "\u200b",
    "byte order mark": "\ufeff",
    "two SARA E": "เเ",
    "nikhahit and SARA AA": r"ํ[่-๋]?า",
    "doubled mark": r"([\u0e31\u0e34-\u0e3a\u0e47-\u0e4e])\1",
    "tone before vowel": r"[่-๋][ิ-ู]",
    "doubled blank": r"\S  +\S",
    "run of blank lines": r"\n[ \r]*\n[ \r]*\n",
    "header, then an empty line": r"(?m)=\r?\n\r?\n",
    "hatnote": r"(?m)^(ดูบทความหลัก|บทความหลัก|ดูเพิ่มเติมที่|บทความนี้เกี่ยวกับ)",
    "navigation": r"ก่อนหน้า.*\| ถัดไป|สารบัญ \| ถัดไป",
    "source line": r"(?m)^\* ที่มา:",
    "translation without words": r"(?m)^(จีน|ลาว|เกาหลี): ?$",
    "book entry": r"สำนักพิมพ์",
    "soft line break": r"(?m)^[\u0e00-\u0e7f].*[^ \n]\n(หมายถึง|ผู้แต่ง)",
    # and what looks like dirt and is none
    "kept: open date": r"\d{4} [–—-] \)",
    "kept: foreign script in brackets": r"\(\p{Han}+\)",
    "kept: f(x)": r"f\(x\)",
    "kept: joiner in Persian": r"\p{Arabic}\u200c\p{Arabic}",
    "kept: joiner in an emoji": "\u200d",
    "kept: Sanskrit nikhahit": "สํก",
    "kept: definition list": r"(?m)^: การรำ|^: เครื่องสวม",
}

REDIRECTS = {
    "redirect": r"^redirect [^:]",
    "capitals": r"^REDIRECT [^:]",
    "Thai": r"^เปลี่ยนทาง \S+$",
    "Thai, no blank, section": r"^เปลี่ยนทาง\S+#",
    "colon and brackets": r"^REDIRECT: \[\[.+\]\]",
    "number sign": r"^#เปลี่ยนทาง",
    "two lines": r"^เปลี่ยนทาง .+\nหน้าเปลี่ยนทาง$",
}


@pytest.mark.parametrize("kind", DIRT)
def test_every_kind_of_dirt_is_there_twice(kind: str) -> None:
    hits = sum(len(regex.findall(DIRT[kind], page["text"])) for page in PAGES)
    assert hits >= (1 if kind.startswith("kept") else 2)


@pytest.mark.parametrize("form", REDIRECTS)
def test_every_form_of_redirect_is_there(form: str) -> None:
    assert any(regex.search(REDIRECTS[form], page["text"]) for page in PAGES)


def test_every_verdict_on_a_page_that_can_be_read_is_there() -> None:
    assert {answer["dropped"] for answer in ANSWERS} - {None} == set(VERDICTS) - {
        "bad_row",
        "other_namespace",
        "other_model",
    }  # a broken row, and pages of a dump


def test_redirects_disambiguations_and_lists_are_there_in_number() -> None:
    fall = Counter(answer["dropped"] for answer in ANSWERS)
    assert (fall["redirect"] >= 4, fall["disambiguation"] >= 2, fall["list_page"] >= 2, fall[None] >= 30) == (True,) * 4


def test_titles_are_unique() -> None:
    assert [title for title, n in Counter(page["title"] for page in PAGES).items() if n > 1] == []


def test_rows_have_the_columns_of_v3_and_every_wiki_is_there() -> None:
    assert {tuple(page) for page in PAGES} == {("title", "text", "source")}
    assert {page["source"] for page in PAGES} == set(HOSTS)


def test_invisible_characters_are_written_as_escapes() -> None:
    raw = samples.path().read_text(encoding="utf-8") + CLEAN.read_text(encoding="utf-8")
    assert {c for c in raw if c not in " \n" and unicodedata.category(c) in {"Cf", "Cc", "Zs", "Zl", "Zp", "Cn", "Co"}} == set()


def test_each_page_has_its_answer_in_the_same_order() -> None:
    assert [answer["title"] for answer in ANSWERS] == [page["title"] for page in PAGES]


@pytest.mark.parametrize("page", range(len(PAGES)), ids=[page["title"] for page in PAGES])
def test_an_answer_is_what_is_left_of_its_page(page: int) -> None:
    """Read left to right, every character of the answer is found in the page; two characters folded into one count as found."""
    raw = folded(PAGES[page]["text"])
    at = iter(raw)
    assert [c for c in folded(ANSWERS[page]["text"]) if c not in at] == []


@pytest.mark.parametrize("page", range(len(PAGES)), ids=[page["title"] for page in PAGES])
def test_lines_that_may_stay_or_go_are_lines_of_the_answer(page: int) -> None:
    assert set(ANSWERS[page].get("either", ())) <= set(ANSWERS[page]["text"].split("\n"))


def test_the_duplicate_is_exact_and_the_near_duplicate_is_not() -> None:
    text = {page["title"]: page["text"] for page in PAGES}
    assert text["แมลงผีเสื้อ"] == text["ผีเสื้อ"]
    assert text["แม่น้ำโขง (ฉบับเก่า)"] != text["แม่น้ำโขง"]


# page -> why its lines do not come out as the editor's yet
KNOWN: dict[str, str] = {}

# Verdicts on a page alone. The others need its neighbours, or the words of the text.
ALONE = {None, "redirect", "disambiguation", "list_page", "stub", "not_thai", "empty", "repetitive"}


def cleaned(page: int) -> Page:
    row = PAGES[page]
    return clean_page(Page(id=str(page), title=row["title"], source=row["source"], url="", raw=row["text"]))


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(
            n, id=row["title"], marks=[pytest.mark.xfail(strict=True, reason=KNOWN[row["title"]])] if row["title"] in KNOWN else []
        )
        for n, row in enumerate(PAGES)
        if ANSWERS[n]["dropped"] not in {"redirect", "disambiguation", "list_page", "repetitive"}
    ],
)
def test_a_page_comes_out_as_an_editor_would_leave_it(page: int) -> None:
    """Line by line. Empty lines between paragraphs are a matter of taste and not compared."""
    either = {"", *ANSWERS[page].get("either", ())}
    left = [line for line in cleaned(page).text.split("\n") if line not in either]
    assert left == [line for line in ANSWERS[page]["text"].split("\n") if line not in either]


@pytest.mark.parametrize("page", [pytest.param(n, id=a["title"]) for n, a in enumerate(ANSWERS) if a["dropped"] in ALONE])
def test_a_page_gets_the_verdict_an_editor_would_give(page: int) -> None:
    assert judge(cleaned(page)) == ANSWERS[page]["dropped"]


def folded(text: str) -> str:
    """``text`` without blanks, with the folds that rules may make already made; marks are sorted, for a rule may put them in order."""
    for old, new in {
        "&nbsp;": " ",
        "&ndash;": "–",
        "&mdash;": "—",
        "&quot;": '"',
        "&lt;": "<",
        "&#8211;": "–",
        "เเ": "แ",
        "ํา": "ำ",
    }.items():
        text = text.replace(old, new)
    text = regex.sub(r"ํ([่-๋])า", r"\1ำ", text)
    text = regex.sub(r"([่-๋])([ัิ-ู็])", r"\2\1", text)
    return regex.sub(r"\s", "", text)
