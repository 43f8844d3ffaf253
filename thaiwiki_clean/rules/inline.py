"""Markup inside a line: HTML, entities, footnote marks, addresses, brackets and quotation marks of the wiki."""

from __future__ import annotations

import html as stdlib_html
import re
from collections.abc import Iterator
from functools import cache

import regex

from thaiwiki_clean.edits import Edit, merge
from thaiwiki_clean.markup import lines_opening, settle
from thaiwiki_clean.vocabulary import terms

__all__ = ["edit_link", "html", "html_entity", "magic_word", "reference", "template_parameter", "url", "wiki_markup"]

# Every bounded repeat in this file keeps hostile input linear: nothing is looked for further than this away.
_TAGS = frozenset(
    [
        "abbr",
        "a",
        "b",
        "bdi",
        "bdo",
        "big",
        "blockquote",
        "br",
        "caption",
        "categorytree",
        "ce",
        "center",
        "charinsert",
        "chem",
        "cite",
        "code",
        "dd",
        "del",
        "div",
        "dl",
        "dt",
        "em",
        "font",
        "gallery",
        "graph",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hiero",
        "hr",
        "i",
        "imagemap",
        "img",
        "includeonly",
        "indicator",
        "inputbox",
        "ins",
        "kbd",
        "li",
        "maplink",
        "mapframe",
        "mark",
        "math",
        "noinclude",
        "nowiki",
        "ol",
        "onlyinclude",
        "p",
        "poem",
        "pre",
        "q",
        "rb",
        "references",
        "ref",
        "rp",
        "rt",
        "ruby",
        "s",
        "samp",
        "score",
        "section",
        "small",
        "source",
        "span",
        "strike",
        "strong",
        "sub",
        "sup",
        "syntaxhighlight",
        "table",
        "tbody",
        "td",
        "templatestyles",
        "tfoot",
        "thead",
        "th",
        "time",
        "timeline",
        "tr",
        "tt",
        "ul",
        "u",
        "var",
        "wbr",
    ]
)
_TAG = re.compile(r"</?([A-Za-z][A-Za-z0-9]{0,15})(?=[\s/>])[^<>\n]{0,400}>")
# A tag that parts what stands before it from what follows is folded into a blank; the others only go.
_PARTING = {"br", "hr", "p", "div", "tr", "td", "th", "li", "dd", "dt", "table", "caption", "h1", "h2", "h3", "h4", "h5", "h6"}


def html(text: str) -> list[Edit]:
    """HTML comments and tags. What stands between two tags stays; a line break becomes a blank.

    >>> [(e.start, e.end, e.new) for e in html("น้ำ H<sub>2</sub>O<br/>คือ")]
    [(5, 10, ''), (11, 17, ''), (18, 23, ' ')]

    Only known tags: ``3 < 5`` and ``<ก>`` stay.
    """
    return settle(text, _html, "<>")


def _html(text: str) -> list[Edit]:
    if "<" not in text:
        return []
    tags = [
        Edit(m.start(), m.end(), "html", " " if name in _PARTING else "")
        for m in _TAG.finditer(text)
        if (name := m.group(1).lower()) in _TAGS
    ]
    return merge(list(_comments(text)), tags)


def _comments(text: str) -> Iterator[Edit]:
    at = text.find("<!--")
    while at >= 0:
        end = text.find("-->", at + 4)
        if end < 0:
            return
        yield Edit(at, end + 3, "html")
        at = text.find("<!--", end + 3)


# An ampersand that was written as an entity, once or more, opens an entity too: &amp;nbsp;
_ENTITY = re.compile(r"&(?:amp;)*+(?:\#\d{1,7}|\#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});|&(?:amp;)*+nbsp\b|&(?:amp;)++")


def html_entity(text: str) -> list[Edit]:
    """HTML entities, folded into the character that they stand for.

    >>> [(e.start, e.end, e.new) for e in html_entity("9.4&nbsp;°C &ndash; AT&T")]
    [(3, 9, ' '), (12, 19, '–')]

    An entity for a blank is a plain blank, one for an invisible character is dropped; one that stands for two characters stays.
    """
    return settle(text, _entities, "&")


def _entities(text: str) -> list[Edit]:
    if "&" not in text:
        return []
    edits: list[Edit] = []
    for m in _ENTITY.finditer(text):
        name = m.group().rpartition("amp;")[2] or "&amp;"
        char = stdlib_html.unescape("&" + name.lstrip("&").rstrip(";") + ";")
        if char.isspace():
            edits.append(Edit(m.start(), m.end(), "html_entity", " "))
        elif len(char) == 1:
            edits.append(Edit(m.start(), m.end(), "html_entity", char if char.isprintable() and char != "\ufffd" else ""))
    return edits


_REF = re.compile(r"<ref(?=[\s/>])[^<>\n]{0,400}(?:/>|>[^<]{0,2000}</ref\s*>)", re.IGNORECASE)
_REFERENCE = re.compile(
    r"""
    \[(?:
      [1-9]\d{0,2}(?:[-–][1-9]\d{0,2})?                                # [1] [12–14]
    | [๑-๙][๐-๙]{0,2}                                                  # [๑]
    | [ก-ฮ](?:[ ]\d{1,3})?                                              # [ก] [ก 1]
    | (?:lower|upper)-(?:alpha|roman|greek)[ ]\d{1,3}                   # [lower-alpha 1]
    | (?:note|nb|n|fn|หมายเหตุ|เชิงอรรถ|อ้างอิง)[ ]?[\d๐-๙]{1,3}        # [note 1]
    | ต้องการ[^\[\]\n]{0,40} | ขาดอ้างอิง | ไม่มีอ้างอิง | ไม่มีแหล่งอ้างอิง | โปรดอ้างอิง | โปรดขยายความ | ลิงก์เสีย | ลิงค์เสีย | ไม่อยู่ในแหล่งอ้างอิง | อ้างอิง | ตรวจสอบ | แหล่งอ้างอิงไม่น่าเชื่อถือ[^\[\]\n]{0,10}
    | (?:ใคร|เมื่อไร|เมื่อไหร่|เมื่อใด|ที่ไหน|อย่างไร|อันไหน|ของใคร|โดยใคร)\?? | คลุมเครือ | ไม่แน่ใจ
    | citation[ ]needed | dead[ ]link | clarification[ ]needed | verification[ ]needed | better[ ]source[ ]needed | (?:who|when|where|which|by[ ]whom)\?
    )\](?::[ ]?\d{1,4}(?:[-–,][ ]?\d{1,4}){0,5})?                       # [1]:12–14, the page beside the mark
    """,
    re.VERBOSE | re.IGNORECASE,
)
_CODE = re.compile(r"[;{}]\s*$|\w\[\d+\]\s*=|==|//")


def reference(text: str) -> list[Edit]:
    """Footnote marks, requests for a source, and ``<ref>`` with its body.

    >>> [text[e.start : e.end] for text in ["กบฏ[1][2] พ.ศ. 2492[ต้องการอ้างอิง]"] for e in reference(text)]
    ['[1]', '[2]', '[ต้องการอ้างอิง]']

    Spared: ``[0]``, years, intervals such as ``[0, 1]``, sounds such as ``[a]``, and marks in a line of program code.
    """
    return settle(text, _references, r"<\[")


def _references(text: str) -> list[Edit]:
    refs = [Edit(m.start(), m.end(), "reference") for m in _REF.finditer(text)] if "<" in text else []
    if "[" not in text or "]" not in text:
        return refs
    marks = []
    for m in _REFERENCE.finditer(text):
        start = m.start()
        blank = text[start - 1 : start] == " "
        before = text[start - 1 - blank : start - blank]
        if before.isascii() and before.isalnum() and _CODE.search(_line_at(text, start)):
            continue
        if blank and (m.end() == len(text) or text[m.end()] in " \n.,;:)"):
            start -= 1  # the blank before a mark goes only where another blank, or nothing, follows
        marks.append(Edit(start, m.end(), "reference"))
    return merge(refs, marks)


def _closes_two(text: str, at: int) -> bool:
    """Whether the brackets at ``at`` close two that were opened one by one, as in ``a[b[0]]``."""
    before = text[max(text.rfind("\n", max(0, at - 300), at) + 1, at - 300, 0) : at]
    return before.count("[") - before.count("]") >= 2 and "[[" not in before


def _line_at(text: str, at: int) -> str:
    """The line around a place, at most 300 characters of it."""
    start = max(text.rfind("\n", max(0, at - 300), at) + 1, at - 300, 0)
    end = text.find("\n", at, at + 300)
    return text[start : end if end >= 0 else at + 300]


_EDIT_LINK = re.compile(
    r"\[(?:แก้|แก้ไข|แก้ไขต้นฉบับ|แก้โค้ด|ซ่อน|แสดง|edit|edit source|hide|show)(?: ?\| ?(?:แก้|แก้ไข|แก้ไขต้นฉบับ|แก้โค้ด|edit|edit source))?\]",
    re.IGNORECASE,
)


def edit_link(text: str) -> list[Edit]:
    """The [edit] link of a section header, and the [show] and [hide] of a box.

    >>> [(e.start, e.end) for e in edit_link("ประวัติ [แก้] ")]
    [(7, 13)]
    """
    if "[" not in text or "]" not in text:
        return []
    return [Edit(m.start() - (text[m.start() - 1 : m.start()] == " "), m.end(), "edit_link") for m in _EDIT_LINK.finditer(text)]


_ADDRESS = r"""(?:https?:|ftp:|mailto:)?//[^\s\[\]<>{}|"]{1,2000}|(?:https?:|ftp:)/[^\s\[\]<>{}|"]{1,2000}|mailto:[^\s\[\]<>{}|"]{1,300}"""
_BRACKETED = regex.compile(rf"\[\[?({_ADDRESS})(?: +([^\[\]\n]{{0,400}}))?\]\]?", regex.IGNORECASE)
_OPENED = regex.compile(rf"\[({_ADDRESS}) *", regex.IGNORECASE)
_BARE_START = re.compile(r"://|www\.|WWW\.|mailto:")  # without one of these no address stands outside brackets
_BARE = regex.compile(
    r"""(?:(?:https?|ftp)://|\b(?-i:mailto):|\b(?-i:www|WWW)\.(?=[a-z0-9-]+\.))(?:[^\s\[\]<>{}|"'\p{Thai}]|(?<=[/=_%-])\p{Thai}[^\s\[\]<>{}|"']*){1,2000}(?<![.,;:!?)])\p{M}*""",
    regex.IGNORECASE,
)


def url(text: str) -> list[Edit]:
    """Web addresses, bare or in single brackets. The words beside the address in the brackets stay.

    >>> [(e.start, e.end) for e in url("ดู [http://a.example ข่าว] และ https://b.example/x?y=1.")]
    [(3, 21), (25, 26), (31, 54)]

    Names such as Astronomy.com, without ``http`` or ``www``, are prose.
    """
    if "/" not in text and "mailto:" not in text and not ("w" in text and "www." in text) and not ("W" in text and "WWW." in text):
        return []
    bare = [_with_pointer(text, m.start(), m.end()) for m in _BARE.finditer(text)] if _BARE_START.search(text) else []
    if "[" not in text:
        return bare
    inside: list[Edit] = []
    for m in _BRACKETED.finditer(text):
        if m.group(2) and not m.group(2).isspace():
            inside += (Edit(m.start(), m.start(2), "url"), Edit(m.end(2), m.end(), "url"))
        else:
            inside.append(Edit(m.start(), m.end(), "url"))
    opened = [Edit(m.start(), m.end(), "url") for m in _OPENED.finditer(text)]
    return merge(inside, opened, bare)


# What brackets say before an address that they only point to.
_POINTER = re.compile(r"[ ]?\((?:ดู(?:ที่|เพิ่ม(?:เติม)?(?:ที่)?)?|ที่มา|จาก|อ้างอิง(?:จาก)?|เว็บไซต์|see|source)[ :]{1,3}$", re.IGNORECASE)


def _with_pointer(text: str, start: int, end: int) -> Edit:
    """An address; with the brackets around it where they only point to it, as in ``(ดู http://a.example)``; the last one in them with its blank."""
    if text[end : end + 1] != ")":
        return Edit(start, end, "url")
    if m := _POINTER.search(text[max(0, start - 40) : start]):
        return Edit(start - len(m.group()), end + 1, "url")
    return Edit(start - (start > 0 and text[start - 1] == " "), end, "url")


_LINK = re.compile(r"\[\[(?:[^\[\]|\n]{0,300}\|)?([^\[\]\n]{0,300}?)\]\]?(?!\])")
# A template with templates in it, three deep: what is deeper goes in the next step, and no text makes this slow.
_TEMPLATE = re.compile(r"\{\{[^{}\n]*+(?:\{\{[^{}\n]*+(?:\{\{[^{}\n]*+\}\}[^{}\n]*+)*+\}\}[^{}\n]*+)*+\}\}")
_ARGUMENT = re.compile(r"\{\{\{[^{}\n]{0,200}\}\}\}")
_STRAY = re.compile(r"\[\[(?:\[\[)*|\]\](?:\]\])*|\{\{\{*|\}\}\}*|~~~+|'''+")
_RULE = re.compile(r"^-{4,}$", re.MULTILINE)
_QUOTES = re.compile(r"(?<!')''(?!')")


def wiki_markup(text: str) -> list[Edit]:
    """Links, templates, bold and italics that the parser left: the words of a link stay, the signs go.

    >>> text = "ใน[[ค่ายเพลง|ค่าย]]และ [[ปลา '''ใหญ่'''"
    >>> from thaiwiki_clean.edits import apply
    >>> apply(text, wiki_markup(text))
    'ในค่ายและ ปลา ใหญ่'

    A closed template goes with all that it holds, since nobody knows what it would have shown.
    ``5'10''`` is a length: two single quotes behind a figure stay unless a second pair stands in the line.
    """
    return settle(text, _stray_markup, r"\[\]{}'~-")


def _stray_markup(text: str) -> list[Edit]:
    ruled = len(lines_opening(text, "rule")) > 0
    if not ruled and not any(sign in text and sign + sign in text for sign in "[]{}~'"):
        return []
    arguments: list[Edit] = []
    edits: list[Edit] = []
    if "{" in text:
        arguments = [Edit(m.start(), m.end(), "wiki_markup") for m in _ARGUMENT.finditer(text)]
        edits = [Edit(m.start(), m.end(), "wiki_markup") for m in _TEMPLATE.finditer(text)]
    links: list[Edit] = []
    if "[[" in text and "]" in text:
        for m in _LINK.finditer(text):
            if m.group(1):
                links += (Edit(m.start(), m.start(1), "wiki_markup"), Edit(m.end(1), m.end(), "wiki_markup"))
            else:
                links.append(Edit(m.start(), m.end(), "wiki_markup"))
    stray = [
        Edit(m.start(), m.end(), "wiki_markup") for m in _STRAY.finditer(text) if m.group() != "]]" or not _closes_two(text, m.start())
    ]
    if ruled:
        stray += [Edit(m.start(), m.end(), "wiki_markup") for m in _RULE.finditer(text)]
    if "'" in text and "''" in text:
        for m in _QUOTES.finditer(text):
            if not text[m.start() - 1 : m.start()].isdigit() or len(_QUOTES.findall(_line_at(text, m.start()))) > 1:
                stray.append(Edit(m.start(), m.end(), "wiki_markup"))
    return merge(arguments, edits, links, stray) if arguments or edits or links or stray else []


@cache
def _switches() -> tuple[re.Pattern[str], regex.Pattern[str]]:
    words = {form: "|".join(row[1] for row in terms("magic_words") if row[0] == form) for form in ("switch", "variable")}
    return (
        re.compile(rf"__(?=[^_])(?:(?i:{words['switch']})|[A-Z]{{3,30}})__"),
        regex.compile(rf"[ \t]*(?:{words['variable']})[ \t]*[:|].*"),
    )


def magic_word(text: str) -> list[Edit]:
    """MediaWiki switches such as ``__NOTOC__`` and ``__ไม่มีสารบัญ__``, and lines such as ``DEFAULTSORT:ก``.

    >>> [(e.start, e.end) for e in magic_word("__NOTOC__\\nแมว")]
    [(0, 9)]
    """
    switch, variable = _switches()
    edits = [Edit(m.start(), m.end(), "magic_word") for m in switch.finditer(text)] if "_" in text and "__" in text else []
    lonely = [Edit(start, end, "magic_word") for start, end in lines_opening(text, "switch") if variable.fullmatch(text, start, end)]
    return merge(edits, lonely) if lonely else edits


_PARAMETER = regex.compile(
    r"\|[ ]?(?:links?|label|italics?|no(?:cat|link|italic)|cat|lang|script|sc|lit(?:eral)?|first|labels?|sort|tr|gloss|abbr|disp|sp|adj|[a-z]{2,12}\d?)[ ]?=[^|()\[\]{};,\n]{0,60}"
)


def template_parameter(text: str) -> list[Edit]:
    """What a template's call leaves behind a bar inside brackets: ``(ไทย|links=no)``.

    >>> [(e.start, e.end) for e in template_parameter("สยาม (ไทย|links=no; )")]
    [(9, 18)]

    Spared outside round brackets, and where the name has one letter, as in ``P(A|b=1)``.
    """
    if "|" not in text or "=" not in text:
        return []
    return [Edit(m.start(), m.end(), "template_parameter") for m in _PARAMETER.finditer(text) if _in_brackets(text, m.start(), m.end())]


def _in_brackets(text: str, start: int, end: int) -> bool:
    line = _line_at(text, start)
    before = line[: line.find(text[start:end])]
    return before.rfind("(") > before.rfind(")")
