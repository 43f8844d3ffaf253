"""What Thai wikis call things: section titles, namespaces, magic words. The words are data files; this reads them."""

from __future__ import annotations

import csv
import re
from functools import cache, lru_cache
from importlib.resources import files

import regex

__all__ = [
    "bare_title_kind",
    "bare_titles",
    "clause_pattern",
    "is_category",
    "opener_pattern",
    "openers",
    "terms",
    "title_key",
    "title_kind",
]

#: Titles shorter than this are compared exactly: one slip in a short word makes another word.
SLIP_LENGTH = 6


@cache
def terms(name: str) -> tuple[tuple[str, ...], ...]:
    """The rows of the data file ``name``.tsv, without its header line.

    Raises FileNotFoundError when there is no such file.
    """
    text = (files(__package__) / f"{name}.tsv").read_text(encoding="utf-8")
    rows = csv.reader((line for line in text.split("\n") if line and not line.startswith("#")), delimiter="\t", quoting=csv.QUOTE_NONE)
    next(rows)
    return tuple(tuple(row) for row in rows)


_NOISE = regex.compile(r"\s*\[แก้(?:ไข)?\]|\{\{[^{}]*\}\}|[\s'\"*\[\]\u200b-\u200f\ufeff\u00ad]+")
_JOINT = regex.compile(r"และ|หรือ|[/,&·|]")


def title_key(title: str) -> str:
    """A title as the vocabulary writes it: no blanks, quotes or brackets, no full stop at the end, small letters.

    >>> title_key(" '''แหล่งข้อมูล อื่น ๆ''' : ")
    'แหล่งข้อมูลอื่น'
    """
    bare: str = _NOISE.sub("", title)
    return bare.rstrip(".:：ๆ").replace("\u0e4d\u0e32", "\u0e33").lower()


def title_kind(title: str) -> str:
    """What a section with this title holds: ``certain`` boilerplate, ``maybe``, ``linkage``, ``content``, or "" when unknown.

    >>> title_kind("ดูเพื่มเติม"), title_kind("อ้างอิง และ เชิงอรรถ"), title_kind("ประวัติ"), title_kind("วงศ์ตระกูล")
    ('certain', 'certain', 'content', '')

    One slip of the finger is forgiven in a title of six letters or more, and titles joined by "และ" count when every part does.
    """
    return _title_kind(title) if len(title) <= 80 else ""


@lru_cache(maxsize=1 << 14)
def _title_kind(title: str) -> str:
    key = title_key(title)
    known = _titles()
    if key in known:
        return known[key]
    if not key:
        return ""
    parts = [known.get(part.rstrip(".:：ๆ"), "") for part in _JOINT.split(key)]
    if len(parts) > 1 and all(part in ("certain", "maybe") for part in parts):
        return "certain" if "certain" in parts else "maybe"
    if len(key) >= SLIP_LENGTH:
        slips = _slips()
        if _slip_starts().isdisjoint([form[:3] for form in _deletions(key[:4])]):
            return ""  # most titles begin like none that is known, a letter left out or not
        near = {slips[form] for form in _deletions(key) if form in slips}
        if len(near) == 1:
            return near.pop()
    return ""


def bare_title_kind(line: str) -> str:
    """The kind of a title that stands alone on a line, spelt as in the vocabulary, else "".

    >>> bare_title_kind(" แหล่งข้อมูลอื่น "), bare_title_kind("แหล่งข้อมูลอื่นของจังหวัด")
    ('certain', '')

    No slip is forgiven here: a bare line has no equals signs to say that it is a title. Wiktionary's word lists and
    word classes do not count, since their titles are common words.
    """
    return bare_titles().get(line.strip(" \t'\":："), "") if len(line) < 40 else ""


@cache
def bare_titles() -> dict[str, str]:
    """The titles that count when they stand alone on a line, with their kinds."""
    return {row[0]: row[1] for row in terms("sections") if row[1] in ("certain", "maybe", "content")}


@cache
def openers() -> dict[str, tuple[str, ...]]:
    """What lines begin with -> the kinds of line that may begin so: vocabulary/openers.tsv.

    >>> openers()["ดู"], "hatnote" in openers()["*"]
    (('hatnote',), True)
    """
    ones: dict[str, list[str]] = {}
    twos: dict[str, list[str]] = {}
    for kind, opener in terms("openers"):
        for head in (" ", "\t") if opener == "<blank>" else (opener,):
            (ones if len(head) == 1 else twos).setdefault(head, []).append(kind)
    both = {head: tuple(kinds + [kind for kind in ones.get(head[0], []) if kind not in kinds]) for head, kinds in twos.items()}
    return {**{head: tuple(kinds) for head, kinds in ones.items()}, **both}


@cache
def opener_pattern() -> re.Pattern[str]:
    """A newline and the line behind it, if that begins with an opener."""
    ones = "".join([head for head in openers() if len(head) == 1])
    twos = [head for head in openers() if head[0] not in ones]
    first = "".join([head[0] for head in twos])  # most lines are told by one look
    return re.compile(rf"\n(?:[{re.escape(ones)}]|(?=[{re.escape(first)}])(?:{_trie(list(map(re.escape, twos)))}))[^\n]*")


@cache
def _titles() -> dict[str, str]:
    return {title_key(row[0]): row[1] for row in terms("sections")}


@cache
def _slips() -> dict[str, str]:
    """Every boilerplate title with up to one letter left out. Two titles one slip apart share such a form (Garbe 2012, SymSpell)."""
    known = [(key, kind) for key, kind in _titles().items() if len(key) >= SLIP_LENGTH]
    out: dict[str, str] = {}
    for key, kind in known:
        for form in _deletions(key):
            out.setdefault(form, kind)
    return out


@cache
def _slip_starts() -> frozenset[str]:
    return frozenset([form[:3] for form in _slips()])


def _deletions(key: str) -> set[str]:
    return {key, *(key[:i] + key[i + 1 :] for i in range(len(key)))}


@cache
def clause_pattern() -> re.Pattern[str]:
    """All clause words as one pattern: a trie over their first letters, so that each place of a line is looked at once.

    The standard library's engine runs it five times as fast as the same words side by side.
    """
    return re.compile(_trie([row[0] for row in terms("clauses")]))


def _trie(patterns: list[str]) -> str:
    """One pattern for all; those that begin with the same plain letter share it."""
    groups: dict[str, list[str]] = {}
    for pattern in patterns:
        head = pattern[:1] if pattern[:1] not in "([\\" else ""
        groups.setdefault(head, []).append(pattern[len(head) :])
    out = []
    for head, rests in groups.items():
        if not head:
            out += [rest for rest in rests if rest]
        elif len(rests) == 1:
            out.append(head + rests[0])
        else:
            out.append(f"{head}(?:{_trie([rest for rest in rests if rest])})" + ("?" if "" in rests else ""))
    return "|".join(out)


@cache
def _category_shapes() -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{row[0]})" for row in terms("categories")))


def is_category(line: str) -> bool:
    """Whether a line has the shape of a Thai category name, clause words or not.

    >>> is_category("บุคคลที่ยังมีชีวิตอยู่"), is_category("บริษัทที่ก่อตั้งในปี พ.ศ. 2491"), is_category("บุคคลทั่วไปก็เข้าชมได้")
    (True, True, False)
    """
    return len(line) <= 90 and _has_category_shape(line)


@lru_cache(maxsize=1 << 14)
def _has_category_shape(line: str) -> bool:
    return _category_shapes().fullmatch(line) is not None
