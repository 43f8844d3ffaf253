"""Where a Thai text may be ended so that what is left reads as finished.

Thai writes no full stop: a blank stands between sentences, and also between clauses, around names, numbers and ``ๆ``.
So this is no sentence splitter. It names few places, and only such where the text before stands by itself:
the end of a line, a blank before a word that opens a sentence, a blank after a word that closes one.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator

import regex

__all__ = ["ends", "ends_before", "reads_begun", "reads_finished"]

# Words that begin a new sentence when a blank stands before them. Read in 1,209 passages of Thai Wikipedia: "และ",
# "ซึ่ง", "โดย", "เมื่อ", "ทำให้" after a blank mostly carry the sentence on, and are left out on purpose.
_OPENS = regex.compile(
    r"""(?: ต่อมา | จากนั้น | หลังจาก | ภายหลัง(?:จาก)? | นอกจาก | นอกเหนือจาก | อย่างไรก็(?:ตาม|ดี) | ทั้งนี้ | ดังนั้น | เพราะฉะนั้น
    | ด้วยเหตุ(?:นี้|ดังกล่าว) | ปัจจุบัน | ขณะเดียวกัน | ในขณะเดียวกัน | ในปัจจุบัน | ในปี | ในช่วง | ในสมัย | ในที่สุด | ในเวลาต่อมา | ในเดือน
    | ในวันที่ | ในระหว่าง | ในทาง(?:กลับกัน|ตรงกัน) | ใน[ ](?:พ|ค)\.ศ\. | เมื่อวันที่ | เมื่อปี | เมื่อ[ ](?:พ|ค)\.ศ\. | ตัวอย่าง(?:เช่น|ของ) | สำหรับ
    | ส่วน(?=[\u0e01-\u0e2eเแโใไ]) | โดยทั่วไป | โดยปกติ | แม้ว่า | ถึงแม้ | สุดท้าย | เขา(?!\w*ที่ | ตะเกียบ) | เธอ | พวกเขา | พระองค์(?!เจ้า|ที่|แรก)
    | บางครั้ง | ใน(?:ตอน|ภาย)หลัง | ต่อจากนั้น | หลังสงคราม | ตั้งแต่นั้น | นับ(?:แต่|ตั้งแต่) )""",
    regex.VERBOSE,
)
# Words that close a sentence; whatever follows the blank begins a new one, unless it is one of _CARRIES_ON.
# fmt: off
_CLOSES = (
    "อีกด้วย", "นั่นเอง", "นี้เอง", "เป็นต้น", "ตามลำดับ", "เช่นกัน", "เช่นเดียวกัน", "เท่านั้น", "อีกต่อไป", "ทุกวันนี้", "ถึงปัจจุบัน",
    "โดยทั่วไป", "ก็ตาม", "ต่าง ๆ", "อื่น ๆ", "ฯลฯ",
)
# fmt: on
_CARRIES_ON = regex.compile(
    r"[a-z,;:.)\]”’%–—-]|ๆ|และ|หรือ|ซึ่ง|ที่|แต่|โดย|ของ|กับ|ว่า|เพื่อ|ทำให้|จึง|จน|ก็|แล้ว|เพราะ|เนื่อง|รวม|ได้แก่|เช่น|คือ|เป็น|ไป|มา|ตาม|ใน|จาก|ด้วย|ถึง|อีก|อย่าง|เท่า|กัน|นี้|นั้น|\p{N}"
)
# A text that ends in one of these waits for more. A word that also ends longer words is spared by what stands before it:
# "กว่า", "ที่" in พื้นที่, "ของ" in สิ่งของ, "กับ" in ผู้กำกับ, "เป็น" in จำเป็น, "ใน" in ภายใน, "ปี" after a number.
# A number waits for its unit where something is counted; "ช่อง 3", "ร้อยละ 1" and "ภาค 7" do not.
_WAITS = regex.compile(
    r"""(?: [,:;(\[{“‘«/=+&–—-] | และ | (?<!\p{N}[ ]?)หรือ | ซึ่ง | โดย | เพื่อ | เช่น(?<!เฉกเช่น) | ได้แก่ | อาทิ | คือ | (?:ต่อไป|ดัง|มีดัง)นี้ | (?<!ก)ว่า
    | (?<!สิ่ง|เจ้า|ข้าว)ของ | (?<!กำ|คับ|สำรับ)กับ | จาก | (?<!ภาย|ด้าน|ชั้น|ฝ่าย|ตัว|ข้าง)ใน | (?<!จำ|ลำ)เป็น | เมื่อ | (?<!\p{N}[ ]?|หลาย|ทุก|ละ|ต่อ|ครบ|ทั้ง|ตลอด|ล้าน|พัน|ร้อย|สิบ)ปี
    | (?:พ|ค|ฮ)\.ศ\. | แต่ | เพราะ | เนื่องจาก | (?:^|[ ])ต่อมา | (?<!งบ)ประมาณ | จำนวน | ตั้งแต่ | ทั้ง | รวมถึง | รวมทั้ง | ระหว่าง
    | (?<!หน้า|พื้น|สถาน|ท้อง|คง|เต็ม|เนื้อ|เข้า|กับ|ทุก|ทั่ว|ได้|ลง)ที่ | นอกจาก(?:นี้|นั้น)? | อย่างไรก็ตาม | ดังนั้น | จากนั้น | ตัวอย่าง(?:เช่น)? | ใน(?:ปี|สมัย|ช่วง|เรื่อง|ชื่อ|เดือน|วัน) | (?:อยู่|มี|จำนวน|อีก|ทั้งหมด|ทั้งสิ้น|รวม|เพียง|บุตร|ธิดา|พี่น้อง)[ ]?\p{N}{1,3} | (?<!นาม|ราย|เสีย|เลื่อง|ลือ)ชื่อ | ส่งผลให้ | ทำให้ | หลาย | (?:^|[ ])อีก
    | (?<=จะ|ไม่|ซึ่ง|ยัง|[ ])มี | จะ | (?<!หรือ)ไม่ | เพียง | (?:มาก|สูง|ยาว|ไกล|จน)ถึง | (?:ส่วน|สำหรับ)[^ ]{1,40}นั้น
    )[ ]*$""",
    regex.VERBOSE,
)
# What every text that waits ends in, blanks aside: a look that spares nine of ten texts the expression above.
# fmt: off
_MAY_WAIT = (
    ",", ":", ";", "(", "[", "{", "“", "‘", "«", "/", "=", "+", "&", "–", "—", "-", ".ศ.",
    "และ", "หรือ", "ซึ่ง", "โดย", "เพื่อ", "เช่น", "ได้แก่", "อาทิ", "คือ", "นี้", "ว่า", "ของ", "กับ", "จาก", "ใน", "เป็น", "เมื่อ", "ปี", "แต่", "เพราะ",
    "ต่อมา", "ประมาณ", "จำนวน", "ทั้ง", "ถึง", "ระหว่าง", "ที่", "นั้น", "ตาม", "ตัวอย่าง", "สมัย", "ช่วง", "เรื่อง", "ชื่อ", "เดือน", "วัน", "ให้", "หลาย",
    "อีก", "มี", "จะ", "ไม่", "เพียง",
)
# fmt: on
# A clause that waits for its main clause, and an adverbial that stands before one.
_CLAUSE = regex.compile(r"(?:แต่|และ|โดย|ซึ่ง|จน)?(?:เมื่อ|ถ้า|หาก|แม้|ถึงแม้|เนื่องจาก|หลังจาก|ภายหลังจาก|ขณะที่|ในขณะที่|พอ|ก่อนที่|เพราะ)")
_SUBORDINATES = regex.compile(
    r"(?:เมื่อ|ถ้า|หาก|แม้|ถึงแม้|เนื่องจาก|หลังจาก|ภายหลัง|หลัง|ขณะ|ในขณะ|ใน|จาก|ตั้งแต่|สำหรับ|นอกจาก|เพราะ|พอ|ระหว่าง|ก่อน|ต่อมา|ด้วย|นับ|ทั้งนี้|อย่างไร|ดังนั้น|ปัจจุบัน|ส่วน)"
)
# The rest of a sentence.
_GOES_ON = regex.compile(
    r"[)\]},;:!?.%ๆ”’»]|ซึ่ง|และ|หรือ(?!อ)|จึง|ว่า(?!ด้วย|ที่|[นวง])|แต่(?!ละ|ง|ก่อน|เดิม|แรก|ไหน)|ของ(?!เ|ใช้|ที่|หวาน|ฝาก|ขวัญ|เล่น|ไหล|แข็ง|เหลว|ว่าง|คาว|แถม|กลาง)"
)
# What else no text begins with: a list whose head is gone, and a number whose noun is gone.
_BEGINS_INSIDE = regex.compile(
    r"ได้แก่|อาทิ|ตัวอย่าง(?:เช่น)?\s|เช่น(?!เดียว)|(?:มี)?ดัง(?:ต่อไป)?นี้|\p{N}{1,3}[ ](?:ซึ่ง|และ|\(|เซนติเมตร|เมตร|กิโล|คน|ชุด|ครั้ง|ราย|แห่ง)"
)
# A line that begins so goes on from the one before; "1." and "2540 –" begin items.
_WRAPPED = regex.compile(rf"{_GOES_ON.pattern}|[a-z]|\p{{N}}+(?![\p{{N}}.)]|[ ]?[–—-])")
_BLANK = regex.compile(r"(?<=\S) +(?=\S)")
_BRACKETS = {"(": 1, "[": 1, "{": 1, "“": 1, "«": 1, ")": -1, "]": -1, "}": -1, "”": -1, "»": -1}
_MARK = regex.compile(r"""[(\[{“«)\]}”»"]""")

# No word in _WAITS, with what spares it, reaches further back from the end than this.
_REACH = 50
# A stretch shorter than this after the last opening word is mostly its adverbial ("ในปี พ.ศ. 2500 เขา…"), not a sentence.
_SHORTEST = 45
_SHORTEST_AFTER_CLAUSE = 110


def ends(text: str) -> list[int]:
    """Offsets at which ``text`` may be ended, in order; the end of the text is one of them if it reads as finished.

    >>> t = "แมวเป็นสัตว์เลี้ยงลูกด้วยนมที่มนุษย์เลี้ยงไว้จับหนูในบ้านเรือน ต่อมาแมวได้กลายเป็นสัตว์เลี้ยงแก้เหงา"
    >>> [t[:end][-10:] for end in ends(t)]
    ['นบ้านเรือน', '้ยงแก้เหงา']
    >>> ends("จังหวัดที่มีชายแดนติดต่อกับลาว ได้แก่")
    []

    Never inside brackets or quotation marks that are still open, and never after a word that waits for more (ได้แก่, ว่า, ในปี).
    Few on purpose: where it is not sure, it names no place.
    """
    out: list[int] = []
    start = 0
    for line in text.split("\n"):
        if out and out[-1] == start - 1 and _WRAPPED.match(line):
            out.pop()  # the line before was broken inside a sentence
        out += (start + end for end in _line_ends(line))
        start += len(line) + 1
    return out


def ends_before(text: str, until: int) -> Iterator[int]:
    """The ends of :func:`ends` up to ``until``, the last one first; a line is read when it is come to.

    >>> list(ends_before("แมวเป็นสัตว์\\nหมาก็เป็นสัตว์", 20))
    [12]
    """
    start = text.rfind("\n", 0, until) + 1
    stop = _line_stop(text, start)
    while True:
        for end in reversed(list(_line_ends(text[start:stop]))):
            here = start + end
            if here <= until and not (here == stop < len(text) and _WRAPPED.match(text, stop + 1, _line_stop(text, stop + 1))):
                yield here
        if not start:
            return
        stop = start - 1
        start = text.rfind("\n", 0, stop) + 1


def _line_stop(text: str, start: int) -> int:
    stop = text.find("\n", start)
    return len(text) if stop < 0 else stop


def reads_finished(text: str) -> bool:
    """True if ``text`` may stop where it stops.

    >>> reads_finished("ปลากัดอยู่ในวงศ์ปลากัด ปลากระดี่"), reads_finished("เขาเกิดเมื่อวันที่")
    (True, False)
    """
    last = text.rsplit("\n", 1)[-1]
    return bool(last) and not last[-1].isspace() and _line_finished(last)


def reads_begun(text: str) -> bool:
    """False if ``text`` begins with the rest of a sentence.

    >>> reads_begun("แต่ละคนมีหน้าที่"), reads_begun("และเป็นจังหวัดที่มีประชากรมาก")
    (True, False)
    """
    return not _GOES_ON.match(text) and not _BEGINS_INSIDE.match(text)


def _line_ends(line: str) -> Iterator[int]:
    if not line.strip(" "):
        return
    depth_at = _open_marks(line)
    since = 0  # where the stretch began that has to be long enough to hold a sentence
    need = _SHORTEST_AFTER_CLAUSE if _CLAUSE.match(line) else _SHORTEST
    for blank in _BLANK.finditer(line):
        here, after = blank.start(), blank.end()
        if depth_at(here):
            continue
        opens = _OPENS.match(line, after)
        closed = not opens and line.endswith(_CLOSES, 0, here) and not _CARRIES_ON.match(line, after)
        if (opens or closed) and here - since >= need and not _waits(line, here):
            yield here
        if opens or _CLAUSE.match(line, after) or _SUBORDINATES.match(line, after):
            since = after
            need = _SHORTEST_AFTER_CLAUSE if _CLAUSE.match(line, after) else _SHORTEST
    stripped = line.rstrip(" ")
    if not depth_at(len(stripped)) and not _waits(stripped, len(stripped)):
        yield len(stripped)


def _waits(line: str, end: int) -> bool:
    """Whether ``line[:end]`` waits for more."""
    last = line[max(0, end - _REACH) : end].rstrip(" ")
    if not (last.endswith(_MAY_WAIT) or last[-1:].isnumeric()):
        return False
    return _WAITS.search(line, max(0, end - _REACH), end) is not None


def _line_finished(line: str) -> bool:
    return not _open_marks(line)(len(line)) and not _waits(line, len(line))


def _open_marks(line: str) -> Callable[[int], int]:
    """A function from offsets of ``line`` to the number of brackets and quotation marks that are open there."""
    depth, quoted = 0, 0
    odd = line.count('"') % 2  # an inch mark, or a quotation that runs over the line
    places, open_ = [], [0]
    for mark in _MARK.finditer(line):
        at, char = mark.start(), mark[0]
        if char != '"':
            depth = max(0, depth + _BRACKETS[char])  # "1)" closes what nobody opened
        elif not (odd and at and line[at - 1].isdigit()):
            quoted = 1 - quoted
        places.append(at)
        open_.append(depth + quoted)
    return lambda offset: open_[bisect_left(places, offset)]
