"""newmm, the word segmentation of PyThaiNLP: the same tokens in time linear in the line, and fast where it is compiled.

    >>> Newmm(["ตาก", "ตา", "กลม", "ลม"]).segment("ตากลม 12")
    ['ตา', 'กลม', ' ', '12']

Maximal matching: words come from a dictionary and end only where a cluster of letters does (Theeramunkong et al. 2000,
https://doi.org/10.1145/355214.355225); of the ways from one certain cut to the next the one with the fewest words is taken.
Algorithm and rules for clusters are those of PyThaiNLP's ``newmm`` and ``tcc_p`` (Korakot Chaovavanich);
``tests/test_newmm.py`` compares the tokens with those of the PyThaiNLP that is installed.

Written for mypyc (docs/how-to/compile.md), which makes it eight times faster: letters are numbers, and ``ord(text[i])`` is what
it reads fastest, so the arrays of the dictionary are a str too.
"""

from __future__ import annotations

import re
import sys
from array import array
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mypy_extensions import i64  # an int for Python, a machine word for mypyc

__all__ = ["PYTHAINLP", "Newmm"]

#: The PyThaiNLP whose tokens these are.
PYTHAINLP = "5.4"

_PAD: Final = "\0" * 12  # no rule looks farther behind the end of a line
_CLUSTER: Final = 1  # a cluster ends here
_WAITS: Final = 2  # and a word, and none was looked for from here yet
_MOST_EDGES: Final = 50  # from there on, until the next cut, only the shortest word of every place counts

# What is no Thai word is parted by kinds. That "abc123" is two tokens and "$abc" one is newmm's.
_FOREIGN: Final = re.compile(r"[-a-zA-Z]+|\d+(?:[,.]\d+)*|[ \t]+|[^\u0e00-\u0e7f \t\r\n]+")


class Newmm:
    """A segmenter with the words of a dictionary."""

    def __init__(self, words: Iterable[str]) -> None:
        listed = sorted(filter(None, words))
        letters = sorted(set("".join(listed)))
        codes = bytearray(max(map(ord, letters), default=0) + 1)  # of a letter, from 1 on; 0: in no word
        for code, letter in enumerate(letters, 1):
            codes[ord(letter)] = code
        self._codes = bytes(codes)
        self._trie = _trie(listed, self._codes)

    def segment(self, line: str) -> list[str]:
        """The tokens of a line, a text without line ends; joined they are the line again.

        >>> Newmm(["แมว", "กิน", "ปลา"]).segment("แมวกินปลา")
        ['แมว', 'กิน', 'ปลา']
        """
        tokens: list[str] = []
        n: i64 = len(line)
        text = line + _PAD
        marks = _cluster_ends(text, n)
        waiting: i64 = 0  # how many places are marked _WAITS
        cut: i64 = 0  # where the last token ended
        begin: i64 = 0  # where words are looked for
        edges: list[int] = []  # the lengths of the words that begin at a place, and a 0; then those of the next
        first: list[int] = []  # at each place: where its edges begin
        n_edges: i64 = 0  # since the last cut
        at: i64
        while begin < n:
            edge: i64 = len(edges)
            waiting += self._look_up(text, begin, marks, edges, _MOST_EDGES - n_edges, _WAITS)
            n_edges += len(edges) - edge
            edges.append(0)
            if not waiting:
                at = self._unknown(line, text, n, begin, marks)
                tokens.append(line[begin:at])
                begin = cut = at
                continue
            at = begin + 1
            while marks[at] != _WAITS:
                at += 1
            if waiting > 1 or begin > cut:  # else the one word is the way
                if not first:
                    first = [0] * n
                first[begin] = edge
            if waiting == 1:
                if begin > cut:
                    for end in _fewest(cut, at, edges, first):
                        tokens.append(line[cut:end])
                        cut = end
                else:
                    tokens.append(line[cut:at])
                    cut = at
                n_edges = 0
            marks[at] = _CLUSTER
            waiting -= 1
            begin = at
        return tokens

    def _look_up(self, text: str, begin: i64, marks: list[int], lengths: list[int], room: i64, mark: i64) -> i64:
        """Append the lengths of the words that begin here, the shortest first, up to the one for which there is no room any more.

        Where they end gets a new mark; at how many places it had another one.
        """
        codes = self._codes
        n_codes: i64 = len(codes)
        trie = self._trie
        new: i64 = 0
        at: i64 = begin
        state: i64 = 1
        here: i64 = ord(trie[2])
        while True:
            letter: i64 = ord(text[at])
            if letter >= n_codes:
                return new
            to: i64 = (here >> 1) + codes[letter]
            if ord(trie[2 * to + 1]) != state:
                return new
            state = to
            here = ord(trie[2 * to])
            at += 1
            if here & 1 and marks[at]:  # a word ends here
                lengths.append(at - begin)
                if marks[at] != mark:
                    marks[at] = mark
                    new += 1
                room -= 1
                if room < 0:
                    return new

    def _unknown(self, line: str, text: str, n: i64, begin: i64, marks: list[int]) -> i64:
        """Where a token ends that begins with no word: with its kind, or where a word begins that is more than two consonants."""
        c: i64 = ord(text[begin])
        at: i64 = begin + 1
        if c == 0x20 or c == 0x09:
            while ord(text[at]) == 0x20 or ord(text[at]) == 0x09:
                at += 1
            return at
        if _is_latin(c):
            while _is_latin(ord(text[at])):
                at += 1
            return at
        if _is_foreign(c):
            found = _FOREIGN.match(line, begin)
            if found is not None:
                return found.end()
        while at < n:
            if marks[at]:
                c = ord(text[at])
                if (_is_foreign(c) and c != 0x0D) or self._word_begins(text, at, marks):
                    return at
            at += 1
        return n

    def _word_begins(self, text: str, begin: i64, marks: list[int]) -> bool:
        """Whether a word begins here that is more than one or two consonants."""
        lengths: list[int] = []
        self._look_up(text, begin, marks, lengths, len(text), _CLUSTER)  # nothing waits now, so no mark changes
        if not lengths:
            return False
        longest = lengths[-1]
        return longest > 2 or not _is_consonant(ord(text[begin])) or (longest == 2 and not _is_consonant(ord(text[begin + 1])))


def _is_latin(c: i64) -> bool:
    return 0x61 <= c <= 0x7A or 0x41 <= c <= 0x5A or c == 0x2D


def _is_foreign(c: i64) -> bool:
    """Whether a letter is none of the Thai block; a Thai digit is foreign too."""
    return c < 0x0E00 or c > 0x0E7F or 0x0E50 <= c <= 0x0E59


def _fewest(start: i64, goal: i64, edges: list[int], first: list[int]) -> list[int]:
    """Where the words end on the way with the fewest of them; of several ways the one with the shorter words first."""
    before: list[int] = [-1] * (goal - start + 1)
    queue: list[int] = [0]
    i: i64 = 0
    while True:
        vertex: i64 = queue[i]
        i += 1
        edge: i64 = first[start + vertex]
        length: i64 = edges[edge]
        while length:
            to: i64 = vertex + length
            if before[to] < 0:
                before[to] = vertex
                if start + to == goal:
                    ends: list[int] = []
                    while to:
                        ends.append(start + to)
                        to = before[to]
                    ends.reverse()
                    return ends
                queue.append(to)
            edge += 1
            length = edges[edge]


def _trie(listed: list[str], codes: bytes) -> str:
    """The words, sorted, as a double array (Aoe 1989): state 1 is the beginning, and a letter leads from state s to base[s] + its code.

    Number 2s of the str is ``2 * base[s]``, and one more where a word ends; number 2s+1 is the state that s is reached from.
    """
    width = max(codes) + 1
    base = [0] * 4 * width
    before = [0] * 4 * width
    before[0] = before[1] = -1
    free = 2
    todo = [(1, 0, len(listed), 0)]
    while todo:
        state, low, high, depth = todo.pop()
        ends = 0
        while low < high and len(listed[low]) == depth:
            ends = 1
            low += 1
        children: list[tuple[int, int, int]] = []
        while low < high:
            letter = listed[low][depth]
            following = low + 1
            while following < high and listed[following][depth] == letter:
                following += 1
            children.append((codes[ord(letter)], low, following))
            low = following
        start = 0
        if children:
            at = free = before.index(0, free)
            while not _fits(before, base, at - children[0][0], width, children):
                at = before.index(0, at + 1)
            start = at - children[0][0]
            for code, low, high in children:
                before[start + code] = state
                todo.append((start + code, low, high, depth + 1))
        base[state] = 2 * start + ends
    before[0] = before[1] = 0
    both = array("I", [0]) * (2 * len(base))
    both[0::2] = array("I", base)
    both[1::2] = array("I", before)
    return both.tobytes().decode(f"utf-32-{sys.byteorder[0]}e", "surrogatepass")


def _fits(before: list[int], base: list[int], start: int, width: int, children: list[tuple[int, int, int]]) -> bool:
    """Whether all these places are free; there is always room behind them."""
    if start < 1:
        return False
    if start + 2 * width >= len(before):
        base += [0] * len(base)
        before += [0] * len(before)
    for code, _, _ in children:  # noqa: SIM110  # mypyc makes no generator of this one
        if before[start + code]:
            return False
    return True


# ---- clusters

# The signs that the rules for clusters name. A rule is written as in tcc_p: c is a consonant, t a tone mark that may be missing,
# k one or two consonants that a silencer makes mute, with a low vowel or none, all of which may be missing.
_RO: Final = 0x0E23
_YO: Final = 0x0E22
_O: Final = 0x0E2D
_A: Final = 0x0E30
_AN: Final = 0x0E31
_AA: Final = 0x0E32
_AM: Final = 0x0E33
_I: Final = 0x0E34
_II: Final = 0x0E35
_UEE: Final = 0x0E37
_U: Final = 0x0E38
_UU: Final = 0x0E39
_E: Final = 0x0E40
_AE: Final = 0x0E41
_OO: Final = 0x0E42
_AI: Final = 0x0E44
_SHORT: Final = 0x0E47
_SILENT: Final = 0x0E4C


def _cluster_ends(text: str, n: i64) -> list[int]:
    """:data:`_CLUSTER` where a cluster ends, 0 elsewhere."""
    marks = [0] * (n + 1)
    at: i64 = 0
    while at < n:
        at = _cluster(text, at, n)
        marks[at] = _CLUSTER
    return marks


def _cluster(text: str, at: i64, n: i64) -> i64:
    """Where the cluster ends that begins here; a letter that begins none is one."""
    first: i64 = ord(text[at])
    second: i64 = ord(text[at + 1])
    if _is_consonant(first):
        return _behind_consonant(text, at, second)
    if not (_E <= first <= _AI and _is_consonant(second)):
        return at + 1
    if first == _E:
        return _behind_e(text, at, n)
    if first == _AE:
        return _behind_ae(text, at)
    end: i64 = _tone(text, at + 2)
    if first == _OO and ord(text[end]) == _A:  # โctะ
        return end + 1
    return end  # [เ-ไ]ct


def _behind_consonant(text: str, at: i64, second: i64) -> i64:
    end: i64
    if _A <= second <= _UU:
        end = _tone(text, at + 2)
        third: i64 = ord(text[end])
        if second in (_AN, _UEE) and _is_consonant(third):  # c[ัื]tc[ุิะ]?k, of which cัtวะk is one
            third = ord(text[end + 1])
            return _muted(text, end + 2 if third in (_U, _I, _A) else end + 1)
        if second in (_I, _U, _UU) and ord(text[at + 2]) == _SILENT:  # c[ิุู]์
            return at + 3
        return _muted(text, end)  # c[ะ-ู]tk
    if second == _SHORT:  # c็
        return at + 2
    if second == _RO and ord(text[at + 2]) == _RO and _is_consonant(ord(text[at + 3])) and ord(text[at + 4]) == _SILENT:  # cรรc์
        return at + 5
    end = _tone(text, at + 1)
    if end > at + 1 and _A <= ord(text[end]) <= _AM and ord(text[end]) != _AN:
        end += 1
    return _muted(text, end)  # ct[ะาำ]?k


def _behind_e(text: str, at: i64, n: i64) -> i64:
    third: i64 = ord(text[at + 2])
    end: i64 = _tone(text, at + 3)
    fourth: i64
    if _is_consonant(third):
        if ord(text[end]) == _AA and ord(text[end + 1]) == _A:  # เcctาะk
            return _muted(text, end + 2)
        fourth = ord(text[at + 3])
        if fourth == _II:
            end = _tone(text, at + 4)
            if ord(text[end]) == _YO:
                if ord(text[end + 1]) == _A:  # เccีtยะk
                    return _muted(text, end + 2)
                if _may_follow(text, end + 1, n):  # เccีtย(?=[เ-ไก-ฮ]|$)k
                    return _muted(text, end + 1)
        elif fourth == _SHORT and _is_consonant(ord(text[at + 4])):  # เcc็ck
            return _muted(text, at + 5)
        return _muted(text, at + 2)  # เck
    fourth = ord(text[end])
    if third == _SHORT:
        if _is_consonant(ord(text[at + 3])):  # เc็ck
            return _muted(text, at + 4)
    elif third == _I:
        if _is_consonant(fourth):
            if end == at + 3 and ord(text[at + 4]) == _SILENT and _is_consonant(ord(text[at + 5])):  # เcิc์ck
                return _muted(text, at + 6)
            return _muted(text, end + 1)  # เcิtck
    elif third in (_II, _UEE):
        if fourth == (_YO if third == _II else _O):  # เcีtยะ?k, เcืtอะ?k
            return _muted(text, end + 2 if ord(text[end + 1]) == _A else end + 1)
    elif third in (_U, _UU) and fourth == _YO and _may_follow(text, end + 1, n):  # เc[ิีุู]tย(?=[เ-ไก-ฮ]|$)k
        return _muted(text, end + 1)
    end = _tone(text, at + 2)
    if ord(text[end]) == _AA:
        end += 1
    if ord(text[end]) == _A:
        end += 1
    return _muted(text, end)  # เctา?ะ?k


def _behind_ae(text: str, at: i64) -> i64:
    third: i64 = ord(text[at + 2])
    if third == _SHORT and _is_consonant(ord(text[at + 3])):  # แc็c
        return at + 4
    if _is_consonant(third):
        fourth: i64 = ord(text[at + 3])
        if fourth == _SILENT:  # แcc์
            return at + 4
        fifth: i64 = ord(text[at + 4])
        if (fourth == _SHORT and _is_consonant(fifth)) or (_is_consonant(fourth) and fifth == _SILENT):  # แcc็c, แccc์
            return at + 5
        return at + 2
    end: i64 = _tone(text, at + 2)
    return end + 1 if ord(text[end]) == _A else end  # แctะ, [เ-ไ]ct


def _is_consonant(c: i64) -> bool:
    return 0x0E01 <= c <= 0x0E2E


def _may_follow(text: str, at: i64, n: i64) -> bool:
    """[เ-ไก-ฮ]|$"""
    return at == n or _is_consonant(ord(text[at])) or _E <= ord(text[at]) <= _AI


def _tone(text: str, at: i64) -> i64:
    """t: behind the tone mark, where one stands."""
    return at + 1 if 0x0E48 <= ord(text[at]) <= 0x0E4B else at


def _muted(text: str, at: i64) -> i64:
    """k: (cc?[ุูิ]?์)?"""
    if not _is_consonant(ord(text[at])):
        return at
    end: i64 = _silencer(text, at + 2) if _is_consonant(ord(text[at + 1])) else _silencer(text, at + 1)
    return end if end else at


def _silencer(text: str, at: i64) -> i64:
    """[ุูิ]?์, or 0 where it does not stand."""
    low: i64 = ord(text[at])
    if low in (_U, _UU, _I):
        at += 1
    return at + 1 if ord(text[at]) == _SILENT else 0
