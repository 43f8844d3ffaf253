"""Repetition: the one ruler for pages and for what a model writes.

    >>> r = repetition("ปลาช่อน\\nปลาช่อน\\nปลาช่อน\\nปลาช่อน")
    >>> r.mass, r.dup_line_frac, is_repetitive(r)
    (1.0, 0.75, True)

Three units, kept apart: *graphemes* (a Thai letter with its marks, ``\\X``) for ``mass`` and ``longest_loop``, which need
no tokeniser; *lines*, ended by ``\\n`` alone; *words* as :func:`thaiwiki_clean.words.words` cuts them, without blanks, for
everything with "gram" or "distinct" in its name. Why each measure is as it is: docs/explanation/repetition.md.
"""

from __future__ import annotations

import itertools
import re
import zlib
from collections.abc import Hashable, Iterable, Sequence
from typing import Any, NamedTuple

from thaiwiki_clean.words import WordArrays, word_arrays, words

__all__ = ["FINEWEB2_LIMITS", "LIMITS", "Limit", "Repetition", "graphemes", "is_repetitive", "loops", "over_limits", "rep_n", "repetition"]


class Repetition(NamedTuple):
    """How much a text says again: shares from 0 to 1, but for counts and ``compression``.

    ``_asdict()`` gives a dictionary for JSON or a table; the names are those of the columns that ``build`` writes.
    """

    n_words: int = 0  #: words, without blanks
    n_lines: int = 0  #: lines that are not empty
    mass: float = 0.0  #: graphemes in three or more back-to-back copies of one piece, or in a line said before; of all graphemes
    longest_loop: int = 0  #: graphemes in the longest such run of copies, 0 without one
    dup_line_frac: float = 0.0  #: lines that stand earlier in the text; of all lines that are not empty
    dup_line_chars: float = 0.0  #: characters in these lines; of the characters in all lines
    top_2gram: float = 0.0  #: characters in all copies of the commonest pair of words (said twice at least); of those in all words
    top_3gram: float = 0.0
    top_4gram: float = 0.0
    dup_5gram: float = 0.0  #: characters of words inside a sequence of five words that was said before; of those in all words
    dup_6gram: float = 0.0
    dup_7gram: float = 0.0
    dup_8gram: float = 0.0
    dup_9gram: float = 0.0
    dup_10gram: float = 0.0
    distinct_1: float = 1.0  #: different words / words, the diversity of the vocabulary; falls with the length of a text
    distinct_2: float = 1.0  #: different pairs of words / pairs
    distinct_3: float = 1.0
    diversity: float = 1.0  #: the product of distinct-2, -3 and -4, as in SimCTG
    compression: float = 1.0  #: UTF-8 bytes / bytes after zlib at level 1; about 3 for Thai prose, and grows with the length


class Limit(NamedTuple):
    """A measure, the value above which a text repeats itself, and the words and lines below which it says nothing."""

    measure: str
    above: float
    min_words: int = 0
    min_lines: int = 0
    source: str = ""


_FINEWEB2 = "FineWeb2, configs/tha_Thai.yml; the measures are Gopher's (Rae et al. 2021, Table A1)"
_WIKI = "above every one of 1,209 real Thai wiki passages with 100 words"
_DUP = ((5, 0.185), (6, 0.168), (7, 0.152), (8, 0.137), (9, 0.124), (10, 0.111))

#: FineWeb2's limits for Thai web pages, with the words that keep short true passages: 0.7 % of real wiki passages are over one.
FINEWEB2_LIMITS = (
    Limit("dup_line_frac", 0.349, source=_FINEWEB2),
    *(Limit(f"top_{n}gram", above, 100, source=_FINEWEB2) for n, above in ((2, 0.221), (3, 0.197), (4, 0.162))),
    *(Limit(f"dup_{n}gram", above, 100, source=_FINEWEB2) for n, above in _DUP),
)

#: What :func:`is_repetitive` asks: no real wiki passage is over one. In fewer than 100 words a name said twice is a large share.
LIMITS = (
    Limit("mass", 0.3, source="at most 0.02 in 1,209 real Thai wiki passages; 0.94, 0.43 and 0.39 in three answers that loop"),
    Limit("dup_line_frac", 0.349, min_lines=6, source=_FINEWEB2),
    Limit("top_2gram", 0.221, 100, source=_FINEWEB2),
    Limit("top_3gram", 0.197, 100, source=_FINEWEB2),
    Limit("top_4gram", 0.25, 100, source=_WIKI),
    *(Limit(f"dup_{n}gram", 0.3, 100, source=_WIKI) for n, _ in _DUP),
)


def repetition(text: str, tokens: Sequence[str] | None = None, found: WordArrays | None = None) -> Repetition:
    """All measures of one text.

    >>> r = repetition("แมวกินปลา แมวกินปลา แมวกินปลา แมวกินปลา")
    >>> r.n_words, r.longest_loop, r.mass
    (12, 35, 1.0)
    >>> r.distinct_1, r.top_3gram
    (0.25, 1.0)

    ``tokens`` are those of :func:`thaiwiki_clean.words.words` for the same text, where they exist already,
    and ``found`` is what :func:`thaiwiki_clean.words.word_arrays` makes of them, where that exists too.
    With ``()`` no tokeniser is needed, and the measures on words say nothing (0, and 1 for distinct and diversity).
    Before lines and graphemes are compared, ``[ \\\\t\\u00a0\\u200b\\ufeff]+`` becomes one blank, none at the ends of lines.
    An empty text repeats nothing. Raises ImportError without numpy, or without PyThaiNLP where tokens are needed.
    """
    if tokens is None:
        tokens = words(text)
    if found is None:
        found = word_arrays(tokens)
    flat = _one_blank(text)
    lines = flat.split("\n")
    again = _said_before(lines)
    n_lines = len(lines) - lines.count("")
    mass, longest = _mass(flat, lines, again)
    raw = text.encode("utf-8", "surrogatepass")
    return Repetition(
        n_lines=n_lines,
        mass=mass,
        longest_loop=longest,
        dup_line_frac=len(again) / n_lines if again else 0.0,
        dup_line_chars=sum(len(lines[i]) for i in again) / (len(flat) - len(lines) + 1) if again else 0.0,
        compression=len(raw) / len(zlib.compress(raw, 1)) if raw else 1.0,
        **_on_words(found, tokens),
    )


def is_repetitive(measured: Repetition) -> bool:
    """Whether a text says the same thing again and again: some measure is over its limit for Thai.

    >>> is_repetitive(repetition("ปลาช่อนเป็นปลาน้ำจืดชนิดหนึ่ง มีรูปร่างเรียวยาว"))
    False
    """
    return bool(over_limits(measured))


def over_limits(measured: Repetition, limits: Iterable[Limit] = LIMITS) -> list[str]:
    """The measures that are over their limit, to say why.

    >>> over_limits(repetition("ๆ" * 500))
    ['mass']
    """
    return [
        limit.measure
        for limit in limits
        if getattr(measured, limit.measure) > limit.above and measured.n_words >= limit.min_words and measured.n_lines >= limit.min_lines
    ]


# ---- words


def _on_words(found: WordArrays, tokens: Sequence[str]) -> dict[str, Any]:
    """The measures on words. A sequence of n words is only counted where both sequences of n-1 words in it come twice."""
    np = _numpy()
    words = found.hashes
    total = len(words)
    if not total:
        return {}
    ends = np.concatenate(([0], found.lengths.cumsum()))  # in the text without blanks
    characters = int(ends[-1])
    out: dict[str, Any] = {"n_words": total, "distinct_1": _different(np.sort(words)) / total, "diversity": 1.0}
    at = np.arange(total - 1)  # where the sequences begin that may come twice
    shorter = words[:-1]  # a number for the n-1 words there
    for n in range(2, 6):
        if n > 2:
            both = np.flatnonzero(at[1:] - at[:-1] == 1)
            at, shorter = at[both], shorter[both]
        if not len(at):
            break
        grams, different = _numbered(shorter * np.uint64(0x9E3779B97F4A7C15) + words[at + (n - 1)])
        counts = np.bincount(grams)[grams]
        if n <= 4:
            distinct = 1 - (len(grams) - different) / (total - n + 1)
            out["diversity"] *= distinct
            if n <= 3:
                out[f"distinct_{n}"] = distinct
            most = int(counts.max())
            if most > 1:  # of several that come as often, the longest
                commonest = at[counts == most]
                longest = int((ends[commonest + n] - ends[commonest]).max())
                out[f"top_{n}gram"] = min(1.0, most * longest / characters)
        again = counts > 1
        at, shorter = at[again], grams[again].astype(np.uint64)
    if len(at):
        text, places, offsets = "".join(itertools.filterfalse(str.isspace, tokens)), at.tolist(), ends.tolist()
        for n in range(5, 11):
            out[f"dup_{n}gram"] = _said_again(text, places, offsets, n) / characters
            places = _both(places)
    return out


def _different(ranked: Any) -> int:
    """How many different numbers there are in a sorted array."""
    return int(_numpy().count_nonzero(ranked[1:] != ranked[:-1])) + 1


def _numbered(keys: Any) -> tuple[Any, int]:
    """A number from 1 upwards for each of ``keys``, the same for the same, and how many different ones there are."""
    np = _numpy()
    order = keys.argsort()
    ranked = keys[order]
    new = np.ones(len(keys), bool)
    np.not_equal(ranked[1:], ranked[:-1], out=new[1:])
    numbers = np.empty(len(keys), np.int64)
    numbers[order] = new.cumsum()
    return numbers, int(np.count_nonzero(new))


def _both(at: Sequence[int]) -> list[int]:
    """The places with the next place among them too."""
    places = set(at)
    return [i for i in at if i + 1 in places]


def _said_again(text: str, at: Sequence[int], ends: Sequence[int], n: int) -> int:
    """Characters in sequences of n words met before, left to right; behind one that was met before it goes on.

    So counts datatrove, whose limits these are: the first copy is free, and no character counts twice.
    """
    seen: set[str] = set()
    characters = free = 0
    for i in at:
        if i >= free:
            words = text[ends[i] : ends[i + n]]
            if words in seen:
                characters += len(words)
                free = i + n
            else:
                seen.add(words)
    return characters


def rep_n(units: Sequence[Hashable], n: int) -> float:
    """``1 - different sequences of n units / all of them``: seq-rep-n of Welleck et al. 2020 on tokens, words or graphemes.

    >>> rep_n([5, 7, 5, 7, 5], 2)
    0.5

    0 when there are fewer than ``n`` units. Tokens of two tokenisers are not comparable; ``rep_n(graphemes(text), 16)`` is.
    """
    count = len(units) - n + 1
    return 1 - len(set(zip(*(units[i:] for i in range(n)), strict=False))) / count if count > 0 else 0.0


# ---- graphemes and lines

# A run of copies is a loop from here on; these three make 700 real articles measure exactly 0.
MAX_PERIOD = 150  # graphemes in the piece that is said again
MIN_COPIES = 3
MIN_LOOP = 12  # graphemes in the whole run: "555" and "ๆๆๆ" are no loops

# In text of these characters alone \X is a character with the Thai marks behind it, and re is three times as fast.
_PLAIN = re.compile("[\n -~\u00a1-\u00ac\u00ae-\u00ff\u0e01-\u0e3a\u0e3f-\u0e5b\u2010-\u2027]*")
_LETTERS = re.compile("\n|[^\n][\u0e31\u0e33-\u0e3a\u0e47-\u0e4e]*")

_LINE = re.compile("[^\n]*\n|[^\n]+")

_BLANKS = re.compile("[ \t\u00a0\u200b\ufeff]+")
_ODD = ("  ", " \n", "\n ", "\t", "\u00a0", "\u200b", "\ufeff", "\r")


def graphemes(text: str) -> list[str]:
    """The letters of ``text``, each with its marks (extended grapheme clusters).

    >>> graphemes("น้ำใจ")
    ['น้ำ', 'ใ', 'จ']
    """
    if _PLAIN.fullmatch(text):
        return _LETTERS.findall(text)
    import regex

    out: list[str] = []
    for line in _LINE.findall(text):  # no cluster goes on behind a line end
        out += _LETTERS.findall(line) if _PLAIN.fullmatch(line) else regex.findall(r"\X", line)
    return out


def loops(units: Sequence[Hashable], max_period: int = MAX_PERIOD) -> list[tuple[int, int]]:
    """``[start, end)`` of every run of three or more back-to-back copies of one piece, 12 units long or longer.

    >>> loops("ไก่" + "ปลา " * 4)
    [(3, 19)]

    The last copy may be cut short. A piece has up to ``max_period`` units. Runs of different pieces may overlap.
    """
    np = _numpy()
    vocabulary: dict[Hashable, int] = {}
    ids = np.array([vocabulary.setdefault(unit, len(vocabulary)) for unit in units], np.int32)
    found: set[tuple[int, int]] = set()
    for period in range(1, min(max_period, len(ids) // MIN_COPIES) + 1):
        same = ids[period:] == ids[:-period]
        need = max((MIN_COPIES - 1) * period, MIN_LOOP - period)
        if np.count_nonzero(same) < need:
            continue
        edges = np.flatnonzero(np.diff(same.view(np.int8), prepend=0, append=0))
        starts, ends = edges[::2], edges[1::2]
        long = ends - starts >= need
        found.update(zip(starts[long].tolist(), (ends[long] + period).tolist(), strict=True))
    return sorted(found)


def _mass(flat: str, lines: Sequence[str], again: Sequence[int]) -> tuple[float, int]:
    """Share of graphemes in loops or in lines said before, and the longest loop. Most texts have neither and are not cut up."""
    where = _may_loop(flat)
    if not where and not again:
        return 0.0, 0
    np = _numpy()
    units = graphemes(flat)
    starts = np.cumsum(np.fromiter(itertools.chain([0], map(len, units)), np.int64, len(units) + 1))
    inside = np.zeros(len(units), bool)
    longest = 0
    for *span, reach in where:
        first, last = np.searchsorted(starts, span).tolist()
        for start, end in loops(units[first:last], min(reach, MAX_PERIOD)):
            inside[first + start : first + end] = True
            longest = max(longest, end - start)
    line_ends = list(itertools.accumulate((len(line) + 1 for line in lines), initial=0))
    for first, last in np.searchsorted(starts, [(line_ends[i], line_ends[i + 1] - 1) for i in again]).tolist():
        inside[first:last] = True
    return int(np.count_nonzero(inside)) / len(units), longest


def _may_loop(flat: str) -> list[tuple[int, int, int]]:
    """Spans of characters outside which no run of copies is, each with the most characters that its piece can have.

    A quick look at how far back four characters were last seen.

    In a run of three or more copies of q characters, 12 or more in all, at least ``max(2q - 3, 9 - q)`` positions in a row
    have their four characters at most q before. So for a power of two Q >= q > Q / 2 there are Q - 1 of them, and 5 where Q is 4.
    """
    n = len(flat)
    if n < MIN_LOOP:
        return []
    np = _numpy()
    bits = n.bit_length()
    kind = np.uint32 if bits <= 14 else np.uint64
    c = np.frombuffer(flat.encode("utf-32-le", "surrogatepass"), np.uint32).astype(kind, copy=False)
    # Hash and position in one number: sorting brings equal hashes together, in order, and the distance is their difference.
    # A collision, or a neighbour among the hashes that is taken for the same, only shortens a distance.
    two = c[:-1] * kind(0x9E3779B1) + c[1:]
    keys = (two[:-2] * kind(0x85EBCA77) + two[2:]) * kind(0xC2B2AE3D if kind is np.uint32 else 0x9E3779B97F4A7C15)
    keys &= kind(~((1 << bits) - 1) & np.iinfo(kind).max)
    keys |= np.arange(n - 3, dtype=kind)
    keys.sort()
    distances = keys[1:] - keys[:-1]
    seen = np.flatnonzero(distances < kind(1 << bits))
    back = np.full(n, n, np.int64)  # n: not seen before; so it is at both ends
    back[(keys[1:][seen] & kind((1 << bits) - 1)).astype(np.int64) + 1] = distances[seen]

    most = n - 1  # characters in a piece, as far as is known; so many positions in a row allow for no longer one
    while True:
        starts, ends = _stretches(back <= most)
        longest = int((ends - starts).max(initial=0))
        if longest < 5:
            return []
        if most <= (longest + 3) // 2:
            break
        most = (longest + 3) // 2
    spans: list[tuple[int, int, int]] = []
    reach = 4
    while reach < 2 * most:
        starts, ends = _stretches(back <= reach)
        for i in np.flatnonzero(ends - starts >= max(5, reach - 1)).tolist():
            spans.append((max(0, int(starts[i]) - reach), min(n, int(ends[i]) + 3), reach))
        reach *= 2
    merged: list[tuple[int, int, int]] = []
    for start, end, reach in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1]), max(reach, merged[-1][2])
        else:
            merged.append((start, end, reach))
    return merged


def _stretches(near: Any) -> tuple[Any, Any]:
    """Where stretches of True begin and end; there is none at the first place nor at the last."""
    edges = (near[1:] != near[:-1]).nonzero()[0]
    return edges[::2], edges[1::2]


def _one_blank(text: str) -> str:
    if text[:1] != " " and text[-1:] != " " and not any(odd in text for odd in _ODD):
        return text
    return "\n".join(line.strip(" \r") for line in _BLANKS.sub(" ", text).split("\n"))


def _said_before(lines: Sequence[str]) -> list[int]:
    """Indices of the lines that are not empty and stand earlier."""
    if len(set(lines)) == len(lines):
        return []
    seen: set[str] = {""}
    again: list[int] = []
    for i, line in enumerate(lines):
        if line in seen and line:
            again.append(i)
        seen.add(line)
    return again


def _numpy() -> Any:
    try:
        import numpy
    except ImportError as error:
        raise ImportError("measuring repetition needs numpy: pip install 'thaiwiki-clean[words]'") from error
    return numpy
