"""Prompts: a table that a curator edits, and which of its lines suit a page."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import regex

from thaiwiki_clean import vocabulary
from thaiwiki_clean.page import Page

__all__ = ["KINDS", "Template", "check", "default_templates", "suiting"]

#: kind of prompt -> the piece of a page that answers it.
KINDS: dict[str, str] = {
    "definition": "whole",
    "varied": "whole",
    "question": "lead",
    "summary": "paragraph",
    "section": "section",
}

#: what a template may be about.
_ABOUT = ("any", "person", "thing", "question", "nested")

_ASKS = regex.compile(
    r"[?？]\s*$|(?:อะไร|ใคร|ทำไม|อย่างไร|ที่ไหน|เมื่อไร|เมื่อไหร่|หรือไม่|หรือยัง|(?<=ได้|ดี|รัก|เป็น|มี|อยู่|ใช่|[ ])ไหม)$|^(?:ใคร|ทำไม|อะไร|ไฉน)"
)
_PERSON = regex.compile(
    r"""^(?:นาย|นาง|นางสาว|พลเอก|พลโท|พลตรี|พันเอก|หม่อม|สมเด็จพระ(?!ศรี)|พระเจ้า|พระนาง|พระองค์เจ้า|เจ้าชาย|เจ้าหญิง|จักรพรรดิ|ดร\.|ศาสตราจารย์)
    |^[^\n]{0,220}?(?:เกิด(?:เมื่อ|วันที่|ใน|ที่|[ ]?\p{N})|ประสูติ|เป็น(?:อดีต)?(?:นัก(?!ษัตร)|พระ(?:มหา)?กษัตริย์|พระราช(?:โอรส|ธิดา)|พระ(?:โอรส|ธิดา)|ดารา|นายแบบ|นางแบบ|นายทหาร|ผู้กำกับ|จิตรกร|กวี[ ]))""",
    regex.VERBOSE,
)


class Template(NamedTuple):
    """One way to ask: ``prompt`` names ``{title}``, and ``{section}`` or ``{parent}`` where it asks about a section."""

    id: str
    kind: str
    about: str
    prompt: str


@cache
def default_templates() -> tuple[Template, ...]:
    """The templates of ``vocabulary/instructions.tsv``, in its order.

    >>> default_templates()[0].prompt.format(title="แมว")
    'อธิบายความหมายและให้ข้อมูลของคำดังต่อไปนี้ แมว'

    Raises ValueError with the line when a template cannot be used.
    """
    found = tuple(Template(*row) for row in vocabulary.terms("instructions"))
    check(found)
    return found


def check(found: Sequence[Template]) -> None:
    """Raise ValueError unless every template has an id of its own, a known kind, and the fields that it asks with."""
    seen = set()
    for t in found:
        fields = set(regex.findall(r"\{(\w*)\}", t.prompt))
        allowed = {"title"} | ({"section"} if t.kind == "section" else set()) | ({"parent"} if t.about == "nested" else set())
        problem = (
            f"another template has the id {t.id!r}" if t.id in seen
            else f"kind {t.kind!r} is none of {', '.join(KINDS)}" if t.kind not in KINDS
            else f"about {t.about!r} is none of {', '.join(_ABOUT)}" if t.about not in _ABOUT
            else f"it names {', '.join(sorted(fields))} and should name {', '.join(sorted(allowed))}" if not {"title"} <= fields <= allowed
            else "a prompt is one line" if "\n" in t.prompt
            else ""
        )  # fmt: skip
        if problem:
            raise ValueError(f"template {t.id!r} ({t.prompt!r}): {problem}")
        seen.add(t.id)


def suiting(templates: Sequence[Template], kind: str, page: Page, *, nested: bool = False) -> list[Template]:
    """The templates of ``kind`` that suit the page; ``nested`` when they ask about a section inside another.

    >>> page = Page("1", "ทอม แฮงส์", "thaiwikipedia", "", "", "ทอม แฮงส์ เกิดเมื่อวันที่ 9 กรกฎาคม พ.ศ. 2499")
    >>> [t.id for t in suiting(default_templates(), "question", page)]
    ['who-is', 'who-is-first', 'know-who']

    Templates made for a nested section, or for a title that is a question, go before those for any.
    """
    of_kind = [t for t in templates if t.kind == kind]
    if all(t.about == "any" for t in of_kind):
        return of_kind
    asks = bool(_ASKS.search(page.title))
    special = "nested" if nested else "question" if asks else "person" if _is_person(page) else "thing"
    if special in ("nested", "question") and (made_for_it := [t for t in of_kind if t.about == special]):
        return made_for_it
    return [t for t in of_kind if t.about in ("any", special)]


def _is_person(page: Page) -> bool:
    return bool(_PERSON.match(page.title) or _PERSON.match(page.text))
