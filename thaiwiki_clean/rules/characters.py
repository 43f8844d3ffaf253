"""Characters: line ends, invisible characters, odd blanks, and Thai vowels and marks that were typed wrongly.

These rules alone may work inside a Thai letter. They drop and fold; they never put a character in.
"""

from __future__ import annotations

import re
from codecs import charmap_encode
from encodings.cp874 import encoding_table
from functools import lru_cache

import regex

from thaiwiki_clean.edits import Edit, edit_of
from thaiwiki_clean.markup import settle

__all__ = ["ODD_BYTES", "code_page", "invisible", "line_end", "odd_blank", "thai_mark", "thai_vowel"]


def line_end(text: str) -> list[Edit]:
    r"""Carriage returns: dropped before a newline, folded into a newline where they stand alone.

    >>> line_end("ก\r\nข\rค")
    [Edit(start=1, end=2, reason='line_end', new=''), Edit(start=4, end=5, reason='line_end', new='\n')]
    """
    if "\r" not in text:
        return []
    edits = []
    for m in _RETURNS.finditer(text):
        start, end = m.span()
        for at in range(start, min(end, start + 2)):
            edits.append(Edit(at, at + 1, "line_end", "" if text[at + 1 : at + 2] == "\n" else "\n"))
        if end > start + 2:  # a blank line stands already
            edits.append(Edit(start + 2, end, "line_end"))
    return edits


_RETURNS = re.compile(r"\r+")


# Joiners and direction marks carry meaning beside letters of scripts that join or run from right to left, and in emoji.
_JOINING = r"\p{Arabic}\p{Hebrew}\p{Syriac}\p{Thaana}\p{Nko}\p{Khmer}\p{Lao}\p{Myanmar}\p{Tibetan}\p{Mongolian}\p{Devanagari}\p{Bengali}\p{Gurmukhi}\p{Gujarati}\p{Oriya}\p{Tamil}\p{Telugu}\p{Kannada}\p{Malayalam}\p{Sinhala}\p{Javanese}\p{Balinese}"
_FORMAT = "\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\u061c"
_INVISIBLE = re.compile(f"[{_FORMAT}]+|[\u00ad\u180e\ufff9-\ufffb\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")
_JOINER = re.compile(f"[{_FORMAT}]")
_MEANT = regex.compile(rf"[{_JOINING}\p{{Extended_Pictographic}}\ufe0f]")


# Every character that is invisible or an odd blank: both rules look at no others. The pattern begins with one of them, not with
# a run, since to that the engine skips: a third of the time.
_ODD_ONE = "[\x00-\x09\x0b-\x1f\x7f-\xa0\u00ad\u061c\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u2069\u3000\ufeff\ufff9-\ufffb]"
_ODD = re.compile(f"{_ODD_ONE}{_ODD_ONE}*")
# The bytes of ordinary characters in the Thai code page: all but the controls and the no-break blank.
_ORDINARY = bytes([10, *range(0x20, 0x7F), *range(0x80, 0xA0), *range(0xA1, 0x100)])
#: What an invisible character or an odd blank is in that page: its controls, or the question mark for what it does not hold.
ODD_BYTES = bytes(set(range(256)).difference(_ORDINARY)) + b"?"


@lru_cache(maxsize=4)
def code_page(text: str) -> bytes:
    """The text in the Thai code page, a byte a character, with question marks for what is not in it."""
    return charmap_encode(text, "replace", encoding_table)[0]


@lru_cache(maxsize=4)
def _odd(text: str) -> list[tuple[int, int]]:
    """Where runs of invisible characters and odd blanks stand. Where all of the text is in the code page, its bytes tell faster."""
    code = code_page(text)
    if b"?" not in code and not code.translate(None, _ORDINARY):
        return []
    return [m.span() for m in _ODD.finditer(text)]


def invisible(text: str) -> list[Edit]:
    r"""Zero-width blanks, joiners, direction marks, soft hyphens and control characters where they carry no meaning.

    >>> invisible("พ.ศ.\u200b 2553")
    [Edit(start=4, end=5, reason='invisible', new='')]

    Spared beside Arabic, Hebrew, Khmer, Lao, Burmese and Indic letters and inside emoji: there they join, part or turn letters.

    >>> invisible("ทะเลแดง (البحر الأحمر\u200e) ចេនឡា\u200bគោក \U0001f469\u200d\U0001f680")
    []
    """
    found = [m for start, end in _odd(text) for m in _INVISIBLE.finditer(text, start, end)]
    return [Edit(m.start(), m.end(), "invisible") for m in found if not _means(text, m.start(), m.end())]


def _means(text: str, start: int, end: int) -> bool:
    """Whether a run of joiners and marks stands beside a letter that they act on; soft hyphens and control characters never do."""
    if _JOINER.match(text, start) is None:
        return False
    return _MEANT.match(text[start - 1 : start]) is not None or _MEANT.match(text[end : end + 1]) is not None


# A long run is one blank; of two, the second is left to the rule about doubled blanks.
_BLANKS = "\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\t\x0b\x0c"
_ODD_BLANK = re.compile(f"[{_BLANKS}]{{3,}}|[{_BLANKS}\x85\u2028\u2029]")


def odd_blank(text: str) -> list[Edit]:
    r"""No-break, thin, wide and tabulator blanks, folded into a plain blank; odd line separators into a newline.

    >>> odd_blank("10\u00a0กม.")
    [Edit(start=2, end=3, reason='odd_blank', new=' ')]
    """
    found = [m for start, end in _odd(text) for m in _ODD_BLANK.finditer(text, start, end)]
    return [Edit(m.start(), m.end(), "odd_blank", "\n" if m.group() in "\x85\u2028\u2029" else " ") for m in found]


_TWO_E = re.compile("\u0e40\u0e40")
_AM = re.compile("\u0e4d([\u0e48-\u0e4b]?)\u0e32")


def thai_vowel(text: str) -> list[Edit]:
    r"""SARA AE typed as two SARA E, and SARA AM typed as NIKHAHIT and SARA AA, folded into the one letter.

    >>> [(e.start, e.end, e.new) for e in thai_vowel("เเมว ทํา")]
    [(0, 2, 'แ'), (6, 8, 'ำ')]

    With a tone mark between (``น\u0e4d\u0e49\u0e32``) the NIKHAHIT goes and the SARA AA becomes SARA AM.
    Source: the same repairs as pythainlp.util.normalize, without its changes to blanks.
    """
    edits: list[Edit] = []
    if "\u0e40\u0e40" in text:
        edits = [edit_of((m.start(), m.end(), "thai_vowel", "\u0e41")) for m in _TWO_E.finditer(text)]
    if "\u0e4d" in text:
        for m in _AM.finditer(text):
            if m.group(1):
                edits += (Edit(m.start(), m.start() + 1, "thai_vowel"), Edit(m.end() - 1, m.end(), "thai_vowel", "\u0e33"))
            else:
                edits.append(Edit(m.start(), m.end(), "thai_vowel", "\u0e33"))
        edits.sort()
    return edits


_UPPER = "\u0e31\u0e34-\u0e3a\u0e47"  # vowels above and below, which come first
_TONE = "\u0e48-\u0e4c"  # tone marks and THANTHAKHAT, which come second
_MARKS = f"{_UPPER}{_TONE}\u0e4d"  # and NIKHAHIT
_WRONG_MARK = re.compile(rf"[\u0e48-\u0e4b]{{2,}}|[{_TONE}][{_UPPER}]|\u0e33[\u0e48-\u0e4b]|([{_UPPER}\u0e4c\u0e4d])\1+")


# Bits of a mark, for the quick look below: what it is (1 a vowel sign, 2 a tone), and what may not follow it (4, 8).
_BITS = bytearray(256)
for _code in "\u0e31\u0e34\u0e35\u0e36\u0e37\u0e38\u0e39\u0e3a\u0e47\u0e4d".encode("cp874"):
    _BITS[_code] = 1 | 4
for _code in "\u0e48\u0e49\u0e4a\u0e4b\u0e4c".encode("cp874"):
    _BITS[_code] = 2 | 4 | 8
for _code in "\u0e33".encode("cp874"):
    _BITS[_code] = 4 | 8


def _suspects(text: str) -> tuple[int, int] | None:
    """Where all places lie at which a tone, a vowel sign or SARA AM is followed by a vowel sign, or a tone or SARA AM by a tone.

    The marks' bits, one byte a letter, are read as one large number; shifted by one letter it is laid over itself,
    so that "not behind this" of each letter meets "this is" of the next. A third of the time of a regular expression.
    """
    number = int.from_bytes(code_page(text).translate(_BITS), "big")
    pairs = number & (number >> 10)  # a bit in the byte of the second letter; the first letter of the text is the highest byte
    if not pairs:
        return None
    lowest = pairs & -pairs
    return len(text) - 2 - (pairs.bit_length() - 1) // 8, len(text) - (lowest.bit_length() - 1) // 8


# Marks after the first few of a letter are noise, and so is SARA AM with a tone said again; they would take a pass each to sort.
_TOO_MANY = re.compile(rf"(?<=[{_MARKS}]{{8}})[{_MARKS}]+|(?<=\u0e33[\u0e48-\u0e4b])(?:\u0e33[\u0e48-\u0e4b])+")

# Whether there is any, without looking behind at every letter.
_MANY = re.compile(rf"[{_MARKS}][{_MARKS}]{{8}}")
_AM_AGAIN = re.compile("\u0e33[\u0e48-\u0e4b]\u0e33[\u0e48-\u0e4b]")


def thai_mark(text: str) -> list[Edit]:
    """Doubled marks, of which the first stays, and marks in the wrong order, which change places.

    >>> [(e.start, e.end, e.new) for e in thai_mark("นี้้")]
    [(3, 4, '')]
    >>> [(e.start, e.end, e.new) for e in thai_mark("พันธ์ุ")]
    [(4, 5, 'ุ'), (5, 6, '์')]

    Two different tone marks on one letter: the first stays (ได้่ is ได้). A mark that stands alone, as in the article about it, stays.
    Source: the input order of TIS 1566 (WTT 2.0): consonant, vowel above or below, tone mark.
    """
    return settle(text, _marks_out_of_place, _MARKS)


def _marks_out_of_place(text: str) -> list[Edit]:
    if (place := _suspects(text)) is None:
        return []
    if _MANY.search(text) or _AM_AGAIN.search(text):
        return [Edit(m.start(), m.end(), "thai_mark") for m in _TOO_MANY.finditer(text)]
    edits: list[Edit] = []
    for m in _WRONG_MARK.finditer(text, *place):
        a, b = m.group()[0], m.group()[1]
        if a == b or ("\u0e48" <= a <= "\u0e4b" and "\u0e48" <= b <= "\u0e4b"):
            edits.append(Edit(m.start() + 1, m.end(), "thai_mark"))
        else:
            edits += (Edit(m.start(), m.start() + 1, "thai_mark", b), Edit(m.start() + 1, m.end(), "thai_mark", a))
    return edits
