"""Braces: finds template calls, inside out, and puts what they leave in their place. One pass, no recursion."""

from __future__ import annotations

import re
from typing import NamedTuple

from thaiwiki_clean.readers.wikitext.templates import EQUALS, EVIDENCE, KNOWN, PIPE, UNKNOWN, call_of, fill, name_of
from thaiwiki_clean.readers.wikitext.vocabulary import Words

__all__ = ["Expanded", "expand"]

#: MediaWiki's own limit: braces that stand deeper are not paired. It also bounds how often a character is copied.
MAX_DEPTH = 40
#: A call that nobody closed is dropped with its name when the rest of its line is shorter than this; a longer rest is prose.
#: Names of templates are short: the longest of 15,503 calls in the pages at hand has 50 characters.
SHORT = 80

_RUN = re.compile(r"\{\{+|\}\}+")  # each branch begins with a plain character: twice as fast as "{2,}"
_INNERMOST = re.compile(r"\{\{([^{}\n]+)\}\}(?!\})")  # most calls hold no other, and stand on one line
_PAGE_NAMES = frozenset(("PAGENAME", "FULLPAGENAME", "SUBPAGENAME", "BASEPAGENAME", "ชื่อหน้า"))
_FUNCTION = re.compile(r"\s*(#?[\w ]+):(.*)", re.DOTALL)


class Expanded(NamedTuple):
    """Text without braces, the names of templates that say something about the page, and how many braces had no partner."""

    text: str
    evidence: tuple[tuple[str, str], ...]  #: (what for, name)
    broken: int


def expand(text: str, words: Words, title: str = "") -> Expanded:
    """``text`` with every template call replaced by what it leaves.

    >>> from thaiwiki_clean.readers.wikitext.vocabulary import words_of
    >>> expand("{{lang-en|Siam}} มี {{convert|{{formatnum:5}}|km}} {{โครง", words_of("th")).text
    'Siam มี 5 กิโลเมตร \\x02'

    Braces are paired as MediaWiki pairs them: three before two, the innermost first. Braces without a partner go, what follows
    them stays: the name alone when it fills the line, and the parameters of a box, line by line.
    """
    if "{{" not in text and "}}" not in text:
        return Expanded(text, (), 0)
    evidence: list[tuple[str, str]] = []
    text = _INNERMOST.sub(lambda m: _call(m[1], words, title, evidence), text)
    if "{{" not in text and "}}" not in text:
        return Expanded(text.replace(PIPE, "|").replace(EQUALS, "="), tuple(evidence), 0)
    stack: list[_Open] = []
    out: list[str] = []  # pieces of the innermost open call, or of the page
    at = broken = deep = 0
    for run in _RUN.finditer(text):
        start, end = run.span()
        if at < start:
            out.append(text[at:start])
        at, count = end, end - start
        if text[start] == "{":
            if len(stack) >= MAX_DEPTH:
                deep += count
            else:
                stack.append(_Open(count, out))
                out = []
            continue
        if deep:
            count, deep = max(count - deep, 0), max(deep - count, 0)
        while count >= 2 and stack:
            opened = stack.pop()
            take = 3 if min(count, opened.braces) >= 3 else 2
            content = "".join(out)
            out = opened.before
            left = opened.braces - take
            if left >= 2:  # "{{{{a}} b}}": the outer pair is still open
                stack.append(_Open(left, out))
                out = []
            count -= take
            if "\n==" in content:
                broken += 1  # a call does not hold a section: these braces belong to no one
                out.append(_unclosed(content))
            else:
                out.append(_parameter(content) if take == 3 else _call(content, words, title, evidence))
        broken += count >= 2
    out.append(text[at:])
    broken += deep // 2
    if stack:
        broken += len(stack)
        pages = [*(opened.before for opened in stack[1:]), out]
        out = stack[0].before
        for pieces in pages:
            out.append(_unclosed("".join(pieces)))
    return Expanded("".join(out).replace(PIPE, "|").replace(EQUALS, "="), tuple(evidence), broken)


class _Open(NamedTuple):
    """Braces that wait for their partner, and the pieces in front of them."""

    braces: int
    before: list[str]


def _call(content: str, words: Words, title: str, evidence: list[tuple[str, str]]) -> str:
    bar = content.find("|", 0, 200)
    head = content[:200] if bar < 0 else content[:bar]
    name = name_of(head)
    action = words.action(name)
    if action is None:
        left = _function(content, title) if ":" in head or "|" not in content else None
    elif action == "drop":
        return KNOWN
    else:
        if action in EVIDENCE:
            evidence.append((action, name))
        left = fill(call_of(content), action, words)
    if left is None:
        return UNKNOWN
    return left.replace("|", PIPE).replace("=", EQUALS)


def _parameter(content: str) -> str:
    """``{{{name|what stands when it is not given}}}``: on the page itself, it is never given."""
    return content.partition("|")[2]


def _function(content: str, title: str) -> str | None:
    """What a parser function or a variable leaves; None when this is no such thing."""
    bare = content.strip()
    if bare in _PAGE_NAMES:
        return title.rpartition("/")[2] if bare == "SUBPAGENAME" else title
    if ":" not in content or not (found := _FUNCTION.match(content)):
        return KNOWN if bare.isupper() and bare.isascii() else None  # a variable such as CURRENTYEAR
    name, value = found[1].strip().lower(), found[2]
    if name == "#if":
        test, _, branches = value.partition("|")
        yes, _, no = branches.partition("|")
        return (yes if test.strip(f" \n{KNOWN}") else no.partition("|")[0]).strip()
    if name in ("formatnum", "lc", "uc", "lcfirst", "ucfirst"):
        number = value.partition("|")[0].strip()
        if name == "formatnum" and re.fullmatch(r"\d{4,15}", number):
            return f"{int(number):,}"
        return {"lc": number.lower(), "uc": number.upper()}.get(name, number)
    return KNOWN if name.startswith("#") or name in ("defaultsort", "displaytitle", "เรียงลำดับ", "int", "plural", "grammar") else None


_BOX_LINES = re.compile(r"(?:[ \t]*\|[^\n]*\n?)*")


def _unclosed(content: str) -> str:
    """What is left of a call that was never closed."""
    end = content.find("\n")
    end = len(content) if end < 0 else end
    line = content[:end]
    if "|" not in line:
        kept = "" if len(line) < SHORT and "[[" not in line else line
    else:
        last = line.rpartition("|")[2]
        kept = last if len(last) >= SHORT else ""
    box = _BOX_LINES.match(content, end + 1)
    return UNKNOWN + kept + content[end : end + 1] + content[box.end() if box else end + 1 :]
