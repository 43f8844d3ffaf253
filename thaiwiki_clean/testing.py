"""Hypothesis strategies for Thai wiki text: what the wild contains, for tests of a cleaner, a parser or a tokeniser of your own.

A property test with pages like those of a Thai wiki dump is three lines::

    from hypothesis import given
    from thaiwiki_clean.testing import wiki_page

    @given(wiki_page())
    def test_a_clean_page_stays(page):
        assert my_clean(my_clean(page)) == my_clean(page)

``thai_sentence``, ``thai_text`` are clean prose; ``dirt`` is what stands inside a line, ``dirt_line`` what takes a line of
its own, ``header``, ``link_list``, ``table``, ``redirect`` are the larger pieces; ``wiki_page`` puts them together.
``junk`` is soup of the characters that wikis give a meaning to; ``rough_text`` is any of these, and any str at all.
All are ordinary strategies: combine them with ``|``, ``.map`` and ``.filter``. They shrink to plain short text.
Needs Hypothesis: ``pip install hypothesis``.
"""

from __future__ import annotations

from collections.abc import Callable

from thaiwiki_clean.vocabulary import terms

try:
    from hypothesis import strategies as st
except ImportError as missing:
    raise ImportError("thaiwiki_clean.testing needs Hypothesis: pip install hypothesis") from missing

__all__ = [
    "dirt",
    "dirt_line",
    "dirty_sentence",
    "header",
    "junk",
    "link_list",
    "redirect",
    "rough_text",
    "section_title",
    "table",
    "thai_sentence",
    "thai_text",
    "thai_word",
    "wiki_page",
]

_Texts = st.SearchStrategy[str]

_WORDS = ["แมว", "ปลา", "น้ำ", "ป่า", "ป้า", "วัด", "แม่น้ำ", "ข้าว", "ผีเสื้อ", "ช้าง", "ดาว", "ภูเขา", "บ้าน", "เพลง", "หนังสือ", "นก", "เกาะ", "จังหวัด", "ตลาด", "กษัตริย์", "พันธุ์", "เชียงใหม่", "กรุงเทพมหานคร", "วิทยาศาสตร์", "ศิลปะ", "ประเทศไทย", "อยุธยา", "สุโขทัย"]  # fmt: skip
_SUBJECTS = ["แมว", "ช้างเอเชีย", "แม่น้ำน่าน", "วัดนี้", "เมืองเก่า", "ข้าวเหนียว", "พระองค์", "หนังสือเล่มแรก", "ชาวบ้าน", "ดาวดวงนี้"]
_ACTS = [
    "เป็นที่รู้จักกันดี", "เป็นสัตว์เลี้ยงลูกด้วยนม", "ตั้งอยู่ทางเหนือของเมือง", "ได้รับความนิยมมาก", "ถูกสร้างขึ้นใหม่", "มีความยาวประมาณ 740 กิโลเมตร",
    "ปรากฏในเอกสารหลายฉบับ", "ใช้ทำอาหารได้หลายอย่าง", "เคยเป็นเมืองหลวง", "ไหลลงสู่แม่น้ำเจ้าพระยา",
]  # fmt: skip
_RESTS = [
    "", " ในประเทศไทย", " ตั้งแต่ พ.ศ. 2475", " และยังคงอยู่จนถึงปัจจุบัน", " ซึ่งต่างจากที่อื่น", " โดยเฉพาะในฤดูฝน", " (พ.ศ. 2504 - )", " (北京)",
    " (Felis catus)", " เช่น ปลา นก และหนู", " ๆ ละหลายครั้ง", " ที่ 9.4 °C",
]  # fmt: skip


def thai_word() -> _Texts:
    """A Thai word, with the vowels and tone marks above and below that Thai words have."""
    return st.sampled_from(_WORDS)


def thai_sentence() -> _Texts:
    """A sentence of an encyclopaedia: someone or something, what is said of it, where or when.

    >>> from hypothesis import find
    >>> find(thai_sentence(), lambda text: True)
    'แมวเป็นที่รู้จักกันดี'
    """
    return st.builds("{}{}{}".format, st.sampled_from(_SUBJECTS), st.sampled_from(_ACTS), st.sampled_from(_RESTS))


def thai_text(*, max_lines: int = 4) -> _Texts:
    """Clean prose: up to ``max_lines`` paragraphs of one to four sentences, a newline or a blank line between."""
    paragraph = st.lists(thai_sentence(), min_size=1, max_size=4).map(" ".join)
    return st.builds(str.join, st.sampled_from(["\n", "\n\n"]), st.lists(paragraph, min_size=1, max_size=max_lines))


# --------------------------------------------------------------------------- sections

_UNKNOWN = ["การค้นพบ", "วงศ์ตระกูล", "ยุคต้น", "พ.ศ. 2475", "ชื่ออื่น ๆ", "แมว"]


def section_title(*kinds: str) -> _Texts:
    """A section title of the given kinds (``certain``, ``maybe``, ``linkage``, ``content``, ``word_class``; see
    vocabulary/sections.tsv); with no kind any of them, or one that no vocabulary knows.
    """
    known = [row[0] for row in terms("sections") if not kinds or row[1] in kinds]
    return st.sampled_from(known if kinds else [*_UNKNOWN, *known])


_DIALECTS: list[Callable[[str], str]] = [
    *(lambda title, n=n: f"{'=' * n} {title} {'=' * n}" for n in range(1, 7)),
    lambda title: f"=={title}==",
    lambda title: f"==  {title}  == ",
    lambda title: f"=== {title}=== ",
    lambda title: f"== '''{title}''' ==",
    lambda title: f"== {title} ",
    lambda title: f"{title}",
    lambda title: f"{title}.",
    lambda title: f"## {title}.",
    lambda title: f"Section::::{title}.",
]


def header(title: _Texts | None = None) -> _Texts:
    """The line of a section header in the dialects of Thai dumps: equals signs at six levels with missing, doubled and trailing
    blanks, a bare title, ``x.``, ``## x.``, ``Section::::x.``

    >>> from hypothesis import find
    >>> find(header(thai_word()), lambda text: "#" in text)
    '## แมว.'
    """
    return st.builds(lambda dialect, words: dialect(words), st.sampled_from(_DIALECTS), section_title() if title is None else title)


_MARKERS = ["", "* ", "*", "** ", "# ", ": ", ":: ", "; ", "• ", "- ", "1. "]
_NAMES = [
    "เสือโคร่ง",
    "สมาคมดาราศาสตร์ไทย",
    "รายชื่อจังหวัด",
    "เว็บไซต์อย่างเป็นทางการ",
    "กา (นก)",
    "Siam Society",
    "สิงโต",
    "วัดในจังหวัดน่าน",
    "พ.ศ. 2475",
]


def link_list(*, min_size: int = 1) -> _Texts:
    """Lines that are names or links, with or without the markers and trailing blanks that a parser leaves."""
    return st.lists(
        st.builds("{}{}{}".format, st.sampled_from(_MARKERS), st.sampled_from(_NAMES), st.sampled_from(["", " ", "  "])),
        min_size=min_size,
        max_size=5,
    ).map("\n".join)


_CELLS = ["{|", "{| border=1", "{|class=wikitable", "|-", "|- align=center", "|+ ตาราง", "|}", "||", "! ปี !! ผล", "| 2547 || ชนะ", "|| แมว", "|  | ", '| colspan="2" | ผลงาน']  # fmt: skip


def table() -> _Texts:
    """Lines of a table, some with sentences in their cells, not always opened or closed."""
    cell = (
        st.sampled_from(_CELLS) | st.builds("| {}".format, thai_sentence()) | st.builds("|| {} || {}".format, thai_word(), thai_sentence())
    )
    return st.lists(cell, min_size=1, max_size=6).map("\n".join)


def redirect() -> _Texts:
    """The whole text of a redirect page, in the forms of five wikis and two languages."""
    words = st.sampled_from(
        ["redirect ", "REDIRECT ", "#REDIRECT [[", "redirect: ", "เปลี่ยนทาง ", "เปลี่ยนทาง", "#เปลี่ยนทาง [[", "# เปลี่ยนทาง "]
    )
    return st.builds("{}{}{}".format, words, thai_word(), st.sampled_from(["", "]]", "#ประวัติ", "\nหน้าเปลี่ยนทาง", "|แมว]]"]))


# --------------------------------------------------------------------------- dirt

_INLINE = [
    " ()", "()", " (; )", "(, )", " (Thailand; ไทย|links=no; ; )", " (Berlin, )", "(; 日本; )", " (แมว (; ) )", " (อังกฤษ: ; 馮)", "( )", "(", ")", "（）",
    "[1]", " [12]", "[๑]", "[ต้องการอ้างอิง]", "[แก้]", " [ แก้ ]", "[[แมว]]", "[[แมวบ้าน|แมว]]", "[[", "]]", "[[ปลา]", "{{โครง}}", "{{", "}}", "{{{1}}}", "'''", "''", "~~~~",
    "<br/>", "<br />", "<ref>สมชาย, 2547</ref>", '<ref name="ก"/>', "<ref", "</ref>", "<!-- แก้ -->", "<!--", "<small>", "</small>", "<div style='x'>", "H<sub>2</sub>O", "<ก>", " < ", " > ",
    "&nbsp;", "&ndash;", "&amp;", "&amp;nbsp;", "&lt;br&gt;", "&#8211;", "&#x200b;", "&nbsp", "&", "&quot;",
    "http://example.org/ก?x=1", "[http://a.example แมว]", "[http://a.example]", "www.example.com", "//b.example/x", "__NOTOC__", "__ไม่มีสารบัญ__",
    "thumb", "200px", "|links=no", "|", "||", "5'10''", "f(x)", "(?)", "(-)", "[0]", "x == y", "a=b", ":)", "*", "#1", "\\",
]  # fmt: skip
_CHARACTERS = [
    "\r", "\r\n", "\u00a0", "\u200b", "\u200c", "\u200d", "\u200e", "\ufeff", "\u00ad", "\u2003", "\u3000", "\t", "\u2028", "\x85", "\x00", "\x0b", "\x1f", "  ", "   ", " ",
    "เเ", "ทํา", "น\u0e4d\u0e49า", "\u0e4d", "า", "ี้้", "้ี", "์ุ", "่้", "ััั", "ำ้", "\u0e48", "\u0e31", "\u0e47", "\u0e33", "e\u0301", "\u0301",
    "می\u200cخواهم", "البحر\u200e", "\U0001f469\u200d\U0001f680", "\U0001f1f9\U0001f1ed", "ចេនឡា\u200bគោក", "北京",
]  # fmt: skip


def dirt() -> _Texts:
    """A piece that a parser, an editor or a keyboard leaves inside a line; some look like dirt and are none: ``f(x)``, ``(北京)``."""
    return st.sampled_from(_INLINE) | st.sampled_from(_CHARACTERS)


def dirty_sentence() -> _Texts:
    """A sentence with up to four pieces of dirt before, in and behind it, also inside words."""
    return st.builds(_strew, thai_sentence(), st.lists(st.tuples(st.integers(0, 40), dirt()), max_size=4))


def _strew(sentence: str, pieces: list[tuple[int, str]]) -> str:
    for at, piece in pieces:
        sentence = sentence[:at] + piece + sentence[at:]
    return sentence


_LINES = [
    "thumb", "200px", "thumb|200px|แมว", "ไฟล์:Wat Arun.jpg|วัดอรุณ", "[[ไฟล์:A.jpg|thumb|แมว]]", "File:Map.svg", "แผนที่.png", "thumbแมวเป็นสัตว์", "left|แมวเป็นสัตว์เลี้ยง",
    "*", "* ", "#", ":", "----", "", "", " ", "  ", "=", "==", "====", "*:", ": :", "* 'แมว'", "|", "!", "{", "}",
    "หมวดหมู่:สัตว์เลี้ยง", "[[หมวดหมู่:แมว|*]]", "บุคคลที่ยังมีชีวิตอยู่", "สัตว์เลี้ยง", "ก", "Category:Cats", "DEFAULTSORT:แมว", "__NOTOC__", "{{โครง}}",
    "ดูบทความหลักที่ แมวบ้าน", "สำหรับความหมายอื่น ดูที่ แมว (แก้ความกำกวม)", "ดูเพิ่มเติมที่: เสือ", "ก่อนหน้า | สารบัญ | ถัดไป", "← บทก่อน", "จาก วิกิพีเดีย สารานุกรมเสรี",
    "* ที่มา: สุภาษิตไทย, 2507", "ที่มา: สำนักพิมพ์ดอกหญ้า", "มีรายละเอียดดังนี้", "กา อาจหมายถึง", "ได้แก่", "แมว", "แมว ", "แมวเป็นสัตว์", "BULLET::::- แมว", ";แมว: สัตว์", "; แมว", "#แมว",
    "สมชาย ใจดี. ปลาไทย. กรุงเทพฯ : มติชน, 2547.", "http://example.org", "* [http://a.example แมว] ", "( )", "แมว\u200b", "\u0e48แมว", "-", "—", "1.", "<br>", "<ref>ก</ref>",
]  # fmt: skip


def dirt_line() -> _Texts:
    """A line that is no prose: what is left of images, categories, templates, lists, navigation; some hold nothing at all."""
    return st.sampled_from(_LINES)


def wiki_page(*, max_parts: int = 8) -> _Texts:
    r"""A page as a parser of dumps leaves it: prose, headers, lists, tables, dirt, in up to ``max_parts`` parts, with newlines of either kind.

    >>> from hypothesis import find
    >>> "|}" in find(wiki_page(), lambda page: "|}" in page)
    True
    """
    boilerplate = st.builds("{}\n{}".format, header(section_title("certain", "maybe", "linkage")), link_list())
    part = st.one_of(thai_text(max_lines=2), dirty_sentence(), header(), dirt_line(), boilerplate, link_list(), table(), redirect())
    page = st.builds(str.join, st.sampled_from(["\n", "\n", "\n\n", "\n\n\n", " \n"]), st.lists(part, max_size=max_parts))
    return st.builds(lambda text, end: text.replace("\n", end) if end else text, page, st.sampled_from(["", "", "", "\r\n"]))


_SIGNS = [*"=[]{}()<>|!*#:;'\"&~_-–—/.,@\\ \n\t\rกขเแาำ่้ั์ิุABab012๑", "\n", "==", "[[", "]]", "{{", "}}", "{|", "|}", "|-", "||", "<ref>", "</ref>", "<!--", "-->", "&amp;", "&#", ";", "//", "http://", "__", "''", "(;", "; )", "\u200b", "\ud800", "\x00"]  # fmt: skip


def junk(*, max_size: int = 40) -> _Texts:
    """Soup of up to ``max_size`` signs that mean something to a wiki, with Thai letters, loose marks, a NUL and a lone surrogate between."""
    return st.lists(st.sampled_from(_SIGNS), max_size=max_size).map("".join)


def rough_text() -> _Texts:
    """Anything that a cleaner may meet: pages, single dirty lines, soup of signs, and any str at all, lone surrogates included."""
    return st.one_of(
        wiki_page(),
        st.lists(dirt_line() | dirty_sentence() | dirt() | header(), max_size=6).map("\n".join),
        junk(),
        st.text(st.characters()),
    )
