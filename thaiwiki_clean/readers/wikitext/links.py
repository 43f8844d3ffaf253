"""Links: the words that a reader sees; pictures, categories and links between languages go."""

from __future__ import annotations

import re
from operator import itemgetter
from typing import NamedTuple

from thaiwiki_clean.readers.wikitext.vocabulary import Words

__all__ = ["Linked", "strip_links"]

FILE, CATEGORY = 6, 14
#: Brackets deeper than this are not paired: a caption holds links, nothing holds captions. It bounds how often text is copied.
MAX_DEPTH = 20

# Links without a colon in them need no vocabulary: nine in ten are such, and two substitutions do them all.
_PLAIN = re.compile(r"\[\[([^\[\]|:#/\n]+)\]\]")
_LABELLED = re.compile(r"\[\[[^\[\]|:\n]+\|([^\[\]|\n]+)\]\]")
_SINGLE = re.compile(r"\[\[([^\[\]\n]+)\]\]")
_FIRST = itemgetter(1)
_EDGE = re.compile(r"\[\[|\]\]")
_EXTERNAL = re.compile(
    r"\[(?:(?:https?|ftp|irc|news):)?(?://|(?<=mailto:))[^\s\[\]<>\"]+[ \t]*([^\[\]\n]*)\]|\[mailto:[^\s\[\]]+[ \t]*([^\[\]\n]*)\]",
    re.IGNORECASE,
)
# One bracket short: "[[ค่ายเพลง]ในหมู่มาก", "[ปลา]]"
_SHORT_END = re.compile(r"\[\[(?:[^\[\]|\n]{0,200}\|)?([^\[\]|\n]{1,200})\](?!\])")
_SHORT_START = re.compile(r"(?<!\[)\[(?:[^\[\]|\n]{0,200}\|)?([^\[\]|\n]{1,200})\]\]")
_OPEN_TARGET = re.compile(r"\[\[[^\[\]|\n]{0,200}\|")
_PARAGRAPH = re.compile(r"\n[ \t]*\n|\n=")


class Linked(NamedTuple):
    """Text without link markup, the categories of the page, and how many brackets had no partner."""

    text: str
    categories: tuple[str, ...]
    broken: int


def strip_links(text: str, words: Words) -> Linked:
    """``text`` with every link replaced by what a reader sees of it.

    >>> from thaiwiki_clean.readers.wikitext.vocabulary import words_of
    >>> strip_links("[[สยาม|ไทย]] [[เอพพิโซด 4: ความหวัง]][[ไฟล์:A.jpg|thumb|[[ข]]]][[หมวดหมู่:ค|*]] [http://a.b ง]", words_of("th"))
    Linked(text='ไทย เอพพิโซด 4: ความหวัง ง', categories=('ค',), broken=0)

    Only what stands before a colon and is a namespace or another wiki is more than a title. Brackets without a partner go, and
    the words behind them stay, but for a picture that was never closed: it takes its line.
    """
    categories: list[str] = []
    broken = 0
    if "[[" in text or "]]" in text:
        text = _LABELLED.sub(_FIRST, _PLAIN.sub(_FIRST, text))
        text = _SINGLE.sub(lambda m: _link(m[1], words, categories), text)
        if "[[" in text or "]]" in text:
            text, broken = _nested(text, words, categories)
    if "[" in text:
        text = _EXTERNAL.sub(lambda m: m[1] or m[2] or "", text)
    return Linked(text, tuple(categories), broken)


def _nested(text: str, words: Words, categories: list[str]) -> tuple[str, int]:
    """Pairs brackets inside out: captions hold links."""
    stack: list[list[str]] = []
    out: list[str] = []
    at = broken = deep = 0
    for edge in _EDGE.finditer(text):
        if at < edge.start():
            out.append(text[at : edge.start()])
        at = edge.end()
        if edge[0] == "[[":
            if len(stack) == MAX_DEPTH:
                deep += 1
                continue
            stack.append(out)
            out = []
        elif deep:
            deep -= 1
        elif stack:
            content = "".join(out)
            out = stack.pop()
            out.append(_link(content, words, categories))
        else:
            out.append("]]")
            broken += 1
    out.append(text[at:])
    if not stack and not broken:
        return "".join(out), 0
    broken += len(stack) + deep
    pieces = [*stack, out]
    whole = "".join(pieces[0]) + "".join(_unclosed("".join(piece), words) for piece in pieces[1:])
    whole = _SHORT_START.sub(r"\1", _SHORT_END.sub(r"\1", whole))
    return _OPEN_TARGET.sub("", whole).replace("[[", "").replace("]]", ""), broken


def _unclosed(content: str, words: Words) -> str:
    if _namespace(content[:80].partition(":"), words) in (FILE, CATEGORY):
        end = content.find("\n")
        return "" if end < 0 else content[end:]
    return "[[" + content


def _link(content: str, words: Words, categories: list[str]) -> str:
    target, bar, label = content.partition("|")
    if "\n" in target:
        return content  # MediaWiki: no link, and what was meant is unknown
    if "[" in target or "]" in target:  # two links, each a bracket short: "[[ยาน] กับ [ปลา]]"
        return content.replace("[", "").replace("]", "")
    shown_as_text = target.lstrip().startswith(":")
    name = target.strip(" :_")
    before, colon, behind = name.partition(":")
    key = _namespace((before, colon, behind), words) if colon else None
    prefix = before.strip().lower()
    if key is not None and not shown_as_text:
        if key == FILE:
            paragraph = _PARAGRAPH.search(content)
            return content[paragraph.start() :] if paragraph else ""
        if key == CATEGORY:
            categories.append(behind.strip().replace("_", " "))
            return ""
    if colon and key is None and prefix in words.foreign:
        if prefix in words.languages and not shown_as_text and not bar:
            return ""  # beside the page: the same subject in another language
        name = behind.lstrip(":").strip()
    if bar:
        return label if label.strip() else re.sub(r"\s*\([^()]*\)$|,.*$", "", name.rpartition(":")[2])
    return name.lstrip("#").strip("/") if name[:1] in "#/" else name


def _namespace(parts: tuple[str, str, str], words: Words) -> int | None:
    before, colon, _ = parts
    return words.namespaces.get(" ".join(before.replace("_", " ").split()).lower()) if colon else None
