"""Templates: what a call in double braces leaves in the running text."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

from thaiwiki_clean.readers.wikitext.tags import BREAK
from thaiwiki_clean.readers.wikitext.vocabulary import Words

__all__ = ["EVIDENCE", "KNOWN", "UNKNOWN", "PIPE", "EQUALS", "Call", "call_of", "fill"]

#: Left where a template stood that shows no words of its own.
KNOWN = "\x01"
#: Left where a template stood that nobody here knows: words may be missing.
UNKNOWN = "\x02"
#: A bar and an equals sign that came out of a template or stand in a link: they part no arguments.
PIPE, EQUALS = "\x03", "\x04"
#: Actions that say something about the page and leave nothing.
EVIDENCE = ("disambiguation", "stub", "list_page")


class Call(NamedTuple):
    """One template call: its name in small letters, arguments by number in order, and by name."""

    name: str
    listed: tuple[str, ...]
    named: dict[str, str]

    def get(self, keys: str) -> str:
        """The first argument there is of ``2|text``: a number, a name, or ``last``."""
        for key in keys.split("|"):
            if key == "last":
                value = self.listed[-1] if self.listed else ""
            elif key.isdigit() and int(key) <= len(self.listed):
                value = self.listed[int(key) - 1]
            else:
                value = self.named.get(key, "")
            if value.strip():
                return value.strip()
        return ""


_SIGNS = re.compile(r"(\[\[|\]\]|[|=])")
_NAMED = re.compile(r"\s*([^=\n]{0,60}?)\s*=(.*)", re.DOTALL)
_PREFIX = re.compile(r"\s*(?:(?:safe)?subst:|แม่แบบ:|template:|msg:|raw:)?\s*", re.IGNORECASE)


def call_of(content: str) -> Call:
    """What stands between two braces and two braces, taken apart.

    >>> call_of("Lang|ja|[[a|b]]|text = 東京")
    Call(name='lang', listed=('ja', '[[a\\x03b]]'), named={'text': '東京'})
    """
    if "[[" in content:
        content = _shield(content)
    head, *rest = content.split("|")
    listed: list[str] = []
    named: dict[str, str] = {}
    for argument in rest:
        if "=" in argument and (pair := _NAMED.match(argument)):
            key, value = pair[1].strip().lower(), pair[2].strip()
            if key.isdigit() and int(key) == len(listed) + 1:
                listed.append(value)
            else:
                named[key] = value
        else:
            listed.append(argument)
    return Call(name_of(head), tuple(listed), named)


def _shield(content: str) -> str:
    """Bars and equals signs inside links, which part no arguments, as their stand-ins."""
    parts = _SIGNS.split(content)
    depth = 0
    for at in range(1, len(parts), 2):
        sign = parts[at]
        depth += (sign == "[[") - (sign == "]]" and depth > 0)
        if depth and sign in "|=":
            parts[at] = PIPE if sign == "|" else EQUALS
    return "".join(parts)


@lru_cache(maxsize=1 << 14)
def name_of(head: str) -> str:
    """A template's name as the vocabulary writes it."""
    at = _PREFIX.match(head)
    return " ".join(head[at.end() if at else 0 :].replace("_", " ").replace(KNOWN, "").split()).lower()


def fill(call: Call, action: str, words: Words) -> str:
    """What the call leaves in the text when its name stands for ``action``.

    >>> from thaiwiki_clean.readers.wikitext.vocabulary import words_of
    >>> fill(call_of("convert|5|km2|sqmi"), "convert", words_of("th"))
    '5 ตารางกิโลเมตร'

    The words are those of the call: a template's own words ("อังกฤษ:" before a name) are not put in, units and months are.
    """
    verb, _, keys = action.partition(" ")
    if verb in _FILLERS:
        return _FILLERS[verb](call, keys, words)
    raise ValueError(f"template {call.name!r}: no action {verb!r}; the actions are {', '.join(sorted(_FILLERS))}")


def _keep(call: Call, keys: str, words: Words) -> str:
    return call.get(keys) or KNOWN


def _joined(values: Sequence[str], sep: str = ", ") -> str:
    return sep.join(dict.fromkeys(value for value in (v.strip(f" {KNOWN}{UNKNOWN}") for v in values) if value)) or KNOWN


def _all_from(call: Call, keys: str, words: Words) -> str:
    """All from a number on; behind an empty one stand remarks: ``{{alt|th|ไท|ไทย์||เลิกใช้}}``."""
    values = [value.strip() for value in call.listed[int(keys) - 1 :]]
    end = next((at for at, value in enumerate(values) if at and not value), len(values))
    return _joined(values[:end])


def _brackets(call: Call, keys: str, words: Words) -> str:
    inside = _joined(call.listed[int(keys) - 1 :])
    return inside if inside == KNOWN else "(" + re.sub(r", (or|and|หรือ|และ), ", r" \1 ", inside) + ")"


def _usage(call: Call, keys: str, words: Words) -> str:
    """A sentence and its translation, without the signs that say how to romanise it."""
    sentence, *rest = (call.get(key) for key in keys.split())
    return _joined([re.sub(r"[\^%]", "", sentence), *rest], " – ")


def _quote(call: Call, keys: str, words: Words) -> str:
    text = call.get("text|quote|1|คำพูด|ข้อความ")
    return f"{BREAK}{text}{BREAK}" if text else KNOWN


def _text(call: Call, keys: str, words: Words) -> str:
    return re.sub(r"\{(\d)\}", lambda m: call.get(m[1]), keys.strip('"'))


def _fraction(call: Call, keys: str, words: Words) -> str:
    parts = [value.strip() for value in call.listed[:3]]
    if not all(parts):
        return KNOWN
    return ["", "1/{}", "{}/{}", "{} {}/{}"][len(parts)].format(*parts) or KNOWN


#: ``{{convert|5|to|10|km}}``: words between two numbers.
_RANGE = {"-": "–", "–": "–", "to": "–", "and": ", ", "or": ", ", "x": " × ", "by": " × ", "to(-)": "–", "ถึง": "–"}


def _convert(call: Call, keys: str, words: Words) -> str:
    parts = [value.strip() for value in call.listed]
    number, rest = (parts[0], parts[1:]) if parts else ("", [])
    if len(rest) > 2 and rest[0] in _RANGE:
        number, rest = number + _RANGE[rest[0]] + rest[1], rest[2:]
    if not number:
        return UNKNOWN
    unit = rest[0] if rest else ""
    return f"{number} {words.units.get(unit.lower(), unit)}".strip()


def _date(call: Call, keys: str, words: Words) -> str:
    numbers = [value.strip() for value in call.listed if value.strip().isdigit()][:3]
    if not numbers or len(numbers[0]) != 4:
        text = call.get("1")
        return text if re.search(r"\d", text) else UNKNOWN
    year = int(numbers[0])
    form = words.dates["buddhist_era" if year >= 2300 and "buddhist_era" in words.dates else "common_era"]
    month = words.months.get(str(int(numbers[1])), "") if len(numbers) > 1 else ""
    day = str(int(numbers[2])) if len(numbers) > 2 and month else ""
    return " ".join(form.format(day=day, month=month, year=numbers[0]).split())


def _name(call: Call, keys: str, words: Words) -> str:
    name = call.get("1")
    return KNOWN if re.fullmatch(r"[A-Z]{2,3}|", name) else name


_FILLERS: dict[str, Callable[[Call, str, Words], str]] = {
    "drop": lambda call, keys, words: KNOWN,
    "disambiguation": lambda call, keys, words: KNOWN,
    "stub": lambda call, keys, words: KNOWN,
    "list_page": lambda call, keys, words: KNOWN,
    "keep": _keep,
    "term": lambda call, keys, words: call.get("3|2|1") if len(call.listed) > 1 else KNOWN,
    "all": lambda call, keys, words: _joined([call.get(key) for key in keys.split()]),
    "all_from": _all_from,
    "words": lambda call, keys, words: " ".join(filter(None, (call.get(key) for key in keys.split()))) or KNOWN,
    "usage": _usage,
    "list": lambda call, keys, words: _joined(call.listed),
    "concat": lambda call, keys, words: "".join(value.strip() for value in call.listed) or KNOWN,
    "brackets": _brackets,
    "quote": _quote,
    "text": _text,
    "fraction": _fraction,
    "convert": _convert,
    "date": _date,
    "name": _name,
}
