"""Where a Thai text may be ended so that what is left reads as finished.

Thai writes no full stop: a blank stands between sentences, and also between clauses, around names, numbers and ``ๆ``.
So this is no sentence splitter. It names few places, and only such where the text before stands by itself:
the end of a paragraph, a blank before a word that opens a sentence, a blank after a word that closes one.

As in wikitext, an empty line parts two paragraphs and a line end alone does not: there it counts as a blank.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import NamedTuple

import regex

from thaiwiki_clean.vocabulary import clause_pattern

__all__ = ["announces", "best_end", "breaks_off", "ends", "ends_before", "reads_begun", "reads_finished"]

# A pattern that reads backwards or asks for \p{N} is regex's; the others are re's, which looks at one place in a third of the time.

# Words that begin a new sentence when a blank stands before them. Read in 1,209 passages of Thai Wikipedia: "และ",
# "ซึ่ง", "โดย", "เมื่อ", "ทำให้" after a blank mostly carry the sentence on, and are left out on purpose.
_OPENS = re.compile(
    r"""(?: ต่อมา | จากนั้น | หลังจาก | ภายหลัง(?:จาก)? | นอกจาก | นอกเหนือจาก | อย่างไรก็(?:ตาม|ดี) | ทั้งนี้ | ดังนั้น | เพราะฉะนั้น
    | ด้วยเหตุ(?:นี้|ดังกล่าว) | ปัจจุบัน | ขณะเดียวกัน | ในขณะเดียวกัน | ในปัจจุบัน | ในปี | ในช่วง | ในสมัย | ในที่สุด | ในเวลาต่อมา | ในเดือน
    | ในวันที่ | ในระหว่าง | ในทาง(?:กลับกัน|ตรงกัน) | ใน[ ](?:พ|ค)\.ศ\. | เมื่อวันที่ | เมื่อปี | เมื่อ[ ](?:พ|ค)\.ศ\. | ตัวอย่าง(?:เช่น|ของ)
    | ส่วน(?=[\u0e01-\u0e2eเแโใไ]) | โดยทั่วไป | โดยปกติ | แม้ว่า | ถึงแม้ | สุดท้าย
    | บางครั้ง | ใน(?:ตอน|ภาย)หลัง | ต่อจากนั้น | หลังสงคราม | ตั้งแต่นั้น | นับ(?:แต่|ตั้งแต่) )""",
    re.VERBOSE,
)
# The same, but not behind a number: "ในปี พ.ศ. 2500 เขา…" goes on.
_PRONOUNS = regex.compile(r"เขา(?!\w*ที่|ตะเกียบ)|เธอ|พวกเขา|พระองค์(?!เจ้า|ที่|แรก)")
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
    r"""(?: [,:;(\[{“‘«/=+&–—-] | และ | (?<!\p{N}[ ]?)หรือ | ซึ่ง | โดย | เพื่อ | เช่น(?<!เฉกเช่น) | ได้แก่ | อาทิ | คือ | (?:ต่อไป|ดัง|มีดัง)นี้ | (?<!ก)ว่า | (?:เรียก|บอก|นึก|สึก|ทึก|อีก)ว่า
    | (?<!สิ่ง|เจ้า|ข้าว)ของ | (?<!กำ|คับ|สำรับ)กับ | จาก | (?<!ภาย|ด้าน|ชั้น|ฝ่าย|ตัว|ข้าง)ใน | (?<!จำ|ลำ)เป็น | เมื่อ | (?<!\p{N}[ ]?|หลาย|ทุก|ละ|ต่อ|ครบ|ทั้ง|ตลอด|ล้าน|พัน|ร้อย|สิบ)ปี
    | (?:พ|ค|ฮ)\.ศ\. | แต่ | เพราะ | เนื่องจาก | (?:^|[ \n])ต่อมา | (?<!งบ)ประมาณ | จำนวน | ตั้งแต่ | ทั้ง | รวมถึง | รวมทั้ง | ระหว่าง
    | (?<!หน้า|พื้น|สถาน|ท้อง|คง|เต็ม|เนื้อ|เข้า|กับ|ทุก|ทั่ว|ได้|ลง)ที่ | นอกจาก(?:นี้|นั้น)? | อย่างไรก็ตาม | ดังนั้น | จากนั้น | ตัวอย่าง(?:เช่น)? | ใน(?:ปี|สมัย|ช่วง|เรื่อง|ชื่อ|เดือน|วัน) | (?:อยู่|มี|จำนวน|อีก|ทั้งหมด|ทั้งสิ้น|รวม|เพียง|บุตร|ธิดา|พี่น้อง)[ ]?\p{N}{1,3} | (?<!นาม|ราย|เสีย|เลื่อง|ลือ)ชื่อ | ส่งผลให้ | ทำให้ | หลาย | (?:^|[ \n])อีก
    | (?<=จะ|ไม่|ซึ่ง|ยัง|คือ|โดย|[ ])มี | จะ | (?<!หรือ)ไม่ | เพียง | (?:มาก|สูง|ยาว|ไกล|จน)ถึง | (?:ส่วน|สำหรับ)[^ ]{1,40}นั้น
    | (?:สี|ทาง|โทรทัศน์)ช่อง | (?:^|[ \n])(?:นับ)?ตั้งแต่(?:บัด)?นั้น(?:เป็นต้น)?มา | ของสมการ | ที่(?:จะ)?ศึกษา
    | (?:^|[ \n])(?:แต่)?(?:ถึง)?(?:กระนั้น|อย่างนั้น) | (?:^|[ \n])(?:แต่)?ทว่า | (?:ต่อจาก|หลังจาก|จาก)นั้นไม่นาน(?:นัก)? | (?:และ|[ ])ระดับ(?:ประถม|มัธยม)ศึกษา(?:ตอน(?:ต้น|ปลาย))?
    | (?:ขาย|ทำเงิน|ทำรายได้)ได้ | ในสมัย(?:รัฐบาล|ของ)? | ในหัวข้อ | (?:^|[ \n])[^ ]{1,8}(?:ปี|เดือน|วัน)(?:ต่อมา|ให้หลัง) | (?:ของ|[ ])พระ | (?:เรื่อง|เพลง|เกม|ภาพยนตร์|ดนตรี|หนัง)แนว
    | (?:แต่|และ)โดย(?:ทั่วไป|ปกติ) | โดยด้าน(?:ซ้าย|ขวา|หน้า|หลัง) | (?<!ร้อง)เรียก | ในวงศ์
    | (?:ได้|จะ|[ ])ถูก | (?:^|[ \n])(?:ถึง|ก่อนหน้านี้|หลังจาก(?:นั้น|นี้)|อนึ่ง|(?:ใน)?ขณะเดียวกัน|ปัจจุบัน) | เส้นผ่านศูนย์กลาง
    | (?:^|[ \n])(?:นิตยสาร|บริษัท|โรงเรียน|นาย|นางสาว|จังหวัด|อำเภอ|ตำบล|ถนน|ประเทศ|อัลบั้ม|คณะ) | (?:ภาพยนตร์|ละคร|โทรทัศน์|นวนิยาย|หนัง|การ์ตูน|หนังสือ|เพลง)(?:เรื่อง|ชุด)
    | (?<!นาม|ตระ|ราช|\p{N}[ ]?|หลาย|ทุก|แต่ละ|ต่าง|ใน)สกุล | (?<!\p{N}[ ]?|หลาย|ทุก|บาง|สอง|สาม|สี่|ห้า|แต่ละ|ต่าง|ตัว|ละ|เป็น|กี่)อย่าง
    | (?:และ|แต่|ซึ่ง)(?:ใน|เมื่อ)[^ ]{0,12}[ ]?(?:[พค]\.ศ\.)?[ ]?\p{N}{1,4}
    )[ ]*$""",
    regex.VERBOSE | regex.REVERSE,  # it looks at the end of a text, and looks from there: 25 times as fast
)
# A name, or a few letters, behind a word that asks for a whole clause: its verb is missing.
# Read from its end: (?<=...) asks for the word before (?!...) looks for a verb at every length of the name, four times as fast.
_VERBS = "เป็น|ได้|มี|ถูก|ขึ้น|อยู่|ไป|มา|ใน|ไม่|ให้|ใช้|ทำ|จะ|คือ|เกิด|ควร|น่า|จึง|ก็|ต้อง|ตาย|ออก|เข้า|กลับ|ลง|แล้ว"
_DANGLES = regex.compile(
    rf"""(?: (?:ชี้|พบ|เชื่อ|กล่าว|คาด|เห็น)ว่า[ ]?(?![^ ]*(?:{_VERBS}))(?<=ว่า[ ]?)[^ ()"”]{{2,45}}
    | ซึ่ง[ ]?(?![^ ]*(?:{_VERBS}))(?<=ซึ่ง[ ]?)[^ ()"”]{{2,20}}
    | (?:^|[ \n])(?:ต่อมา|จากนั้น|ภายหลัง)(?![^ ]*(?:{_VERBS}))(?<=ต่อมา|จากนั้น|ภายหลัง)[^ ()"”]{{2,20}}
    | (?:^|[ \n])(?:ใน|เมื่อ)[^ ]{{0,8}}[ ](?:\p{{N}}+[ ][^ ]{{3,10}}[ ])?(?:[พค]\.ศ\.[ ])?\p{{N}}{{3,4}}[ ](?!ที่|ณ|จังหวัด|อำเภอ|ประเทศ|กรุง|เมือง|โดย|[^ ]*(?:{_VERBS}))(?<=\p{{N}}[ ])[^ ()"”\p{{N}}]{{2,24}}
    | [^ ,\p{{N}}]{{2,}},[ ]?(?!และ|หรือ|ฯลฯ|\p{{N}}|[^ ]*(?:{_VERBS}))(?<=,[ ]?)[^ ,()"”\p{{N}}]{{2,20}}
    | [ ]จะ[^ ]{{1,4}}
    | (?:^|[ \n])(?:ปัจจุบัน|แต่)?(?:ถึง)?แม้[^ \n]{{3,60}}แล้ว
    | (?:ได้แก่|อาทิ)[ ]?(?![^ ]*(?:และ|กับ|หรือ|{_VERBS}))(?<=(?:ได้แก่|อาทิ)[ ]?)[^ ,()"”\p{{N}}]{{2,15}}  # a list of one
    )$""",
    regex.VERBOSE | regex.REVERSE,
)
# What each line of _DANGLES needs near the end: two texts of three have none of it, and are told by a fifth of the time.
_MAY_DANGLE = re.compile(r"ว่า|ซึ่ง|ต่อมา|จากนั้น|ภายหลัง|,|[ ]จะ|แล้ว$|ได้แก่|อาทิ|[^\u0e01-\u0e4eA-Za-z][ ][^ ]*$")  # the last: a number and a blank
# A clause that waits for its main clause, and an adverbial that stands before one.
_CLAUSE = re.compile(r"(?:แต่|และ|โดย|ซึ่ง|จน|ต่อ|ครั้น)?(?:เมื่อ|ครั้น|ถ้า|หาก|แม้|ถึงแม้|เนื่องจาก|หลังจาก|ภายหลังจาก|ขณะที่|ในขณะที่|พอ|ก่อนที่|เพราะ)")
_SUBORDINATES = re.compile(
    r"(?:และ|แต่)?(?:เมื่อ|ถ้า|หาก|แม้|ถึงแม้|เนื่องจาก|หลังจาก|ภายหลัง|หลัง|ขณะ|ในขณะ|ใน|จาก|ตั้งแต่|สำหรับ|นอกจาก|เพราะ|พอ|ระหว่าง|ก่อน|ต่อมา|ด้วย|นับ|ทั้งนี้|อย่างไร|ดังนั้น|ปัจจุบัน|ส่วน)"
)
# "เมื่อทรงดำรงพระอิสริยยศเป็นเจ้าหญิงแล้ว": nothing but a clause that waits for its main clause.
_LONE_CLAUSE = re.compile(rf"{_CLAUSE.pattern}[^ \n]+(?:แล้ว|ขึ้น|ลง|อยู่|นั้น)")
# The rest of a sentence.
_GOES_ON = re.compile(
    r"[)\]},;:!?.%ๆ”’»]|ซึ่ง|และ|หรือ(?!อ)|จึง|ว่า(?!ด้วย|ที่|[นวง])|ที่(?:มี|เป็น|ได้|จะ|ถูก|ใช้|ไม่|สุด)|แต่(?!ละ|ง|ก่อน|เดิม|แรก|ไหน)|กับ(?!ดัก|ข้าว|แกล้ม)"
    r"|โดย(?!ทั่วไป|ปก|ปร|ธรรม|เฉลี่ย|พื้นฐาน|สรุป|รวม|หลัก|มาก|ส่วน|เฉพาะ|แท้|ความ)|ของ(?!เ|ใช้|ที่|หวาน|ฝาก|ขวัญ|เล่น|ไหล|แข็ง|เหลว|ว่าง|คาว|แถม|กลาง)"
)
# What else no text begins with: a list whose head is gone, and a number whose noun is gone.
_BEGINS_INSIDE = regex.compile(
    r"ได้แก่|อาทิ|ตัวอย่าง(?:เช่น)?\s|เช่น(?!เดียว)|(?:มี)?ดัง(?:ต่อไป)?นี้|\p{N}{1,3}[ ](?:ซึ่ง|และ|\(|เซนติเมตร|เมตร|กิโล|กรัม|คน|ชุด|ชนิด|ครั้ง|ราย|แห่ง|ปี|บาท|ล้าน|ก็|จาก|โดย|จึง|ได้)"
    r"|[พค]\.ศ\.[ ]?\p{N}+[ ](?:จน|ถึง|และ|โดย|ซึ่ง)|[2-9]\p{N}?[.)](?!\p{N})"
)
# A paragraph that begins so goes on from the one before; "1." and "2540 –" begin items.
_WRAPPED = regex.compile(
    rf"{_GOES_ON.pattern}|[a-z]|\p{{N}}+(?:[.,–-]\p{{N}}+)*(?![\p{{N}}.)]|[ ]?[–—-])|[2-9]\)|[A-Z]|[พค]\.ศ\.|ณ[ ]|เช่น|อาทิ(?!ตย์)|ได้แก่|เป็นต้น|รวมถึง|รวมทั้ง"
    r"|มาจน|จน|เพื่อ|เพราะ|เนื่องจาก|ให้แก่|แล้ว|ทำให้|ก่อน(?:จะ|ที่)|ตามลำดับ|เท่านั้น|อีกด้วย|จำกัด[ ]"
)
# Behind a name without a verb of its own ("กรมหมื่นเจษฎาบดินทร์") these are its verb.
_VERB = re.compile(r"เป็น|ได้|มี|ถูก|คือ|จะ|กว้าง|ยาว|สูง|ไหล|นำ|ต้อง|ไม่|ปรากฏ|คล้าย|หุ้ม")
# The same without "แต่", "จึง", "โดย" and numbers, with which whole paragraphs begin too.
_PLAINLY_GOES_ON = re.compile(
    r"[)\]},;:!?.%ๆ”’»]|ซึ่ง|และ|หรือ(?!อ)|ว่า(?!ด้วย|ที่|[นวง])|กับ(?!ดัก|ข้าว|แกล้ม)|ของ(?!เ|ใช้|ที่|หวาน|ฝาก|ขวัญ|เล่น|ไหล|แข็ง|เหลว|ว่าง|คาว|แถม|กลาง)|[a-z]"
)
# What announces a list: where such a paragraph ends, the list is gone and no sentence was broken.
_ANNOUNCING = ("คือ", "ได้แก่", "ดังนี้", "ต่อไปนี้", "เช่น", "อาทิ", "ประกอบด้วย", ":", "：")
_PARAGRAPH = re.compile(r"(?m)^[ \t]*+[^ \t\n].*+(?:\n[ \t]*+[^ \t\n].*+)*+")
_NEXT_LINE = regex.compile(r"[ ]*\n[ \t]*+[^\s]")
# The blanks that _parted has to look at, and a few more: before a word that opens a sentence or a clause, or behind one that closes
# a sentence, of which the last three letters tell. A tenth of all blanks; one that is no single blank is always among them.
_BLANK = re.compile(
    rf"""[ \n]++(?: (?={_OPENS.pattern}|{_PRONOUNS.pattern}|{_CLAUSE.pattern}|{_SUBORDINATES.pattern})
    | (?<=(?:{"|".join(sorted({re.escape(word[-3:]) for word in _CLOSES}))})[ \n]) | (?<=[ \n]{{2}}) )""",
    re.VERBOSE,
)
_BRACKETS = {"(": 1, "[": 1, "{": 1, "“": 1, "«": 1, ")": -1, "]": -1, "}": -1, "”": -1, "»": -1}
_MARK = re.compile(r"""[(\[{“«)\]}”»"]""")

# No word in _WAITS, with what spares it, reaches further back from the end than this.
_REACH = 50
# Nor _DANGLES further than this; what _MAY_DANGLE asks for stands nearer.
_REACH_OF_NAMES = 90
# Of what follows, as much as is looked at.
_AHEAD = 60
# A stretch shorter than this after the last opening word is mostly its adverbial ("ในปี พ.ศ. 2500 เขา…"), not a sentence.
_SHORTEST = 45
_SHORTEST_AFTER_CLAUSE = 110
# A paragraph's end is the better end if it keeps this share of what there is up to the last end.
_PARAGRAPH_SHARE = 0.7


def ends(text: str, after: str = "", *, broken: Callable[[], bool] = bool) -> list[int]:
    """Offsets at which ``text`` may be ended, in order; the end of the text is one of them if it reads as finished.

    >>> t = "แมวเป็นสัตว์เลี้ยงลูกด้วยนมที่มนุษย์เลี้ยงไว้จับหนูในบ้านเรือน ต่อมาแมวได้กลายเป็นสัตว์เลี้ยงแก้เหงา"
    >>> [t[:end][-10:] for end in ends(t)]
    ['นบ้านเรือน', '้ยงแก้เหงา']
    >>> ends("จังหวัดที่มีชายแดนติดต่อกับลาว ได้แก่")
    []

    Never inside brackets or quotation marks that are still open, and never after a word that waits for more (ได้แก่, ว่า, ในปี).
    Few on purpose: where it is not sure, it names no place.

    ``after`` is what follows the text where it stands; it may show that the text breaks off.
    ``broken()`` says whether the paragraphs of its page do (:func:`breaks_off`): then a paragraph's end is only a blank, but for the page's end.
    """
    return list(ends_before(text, len(text), after, broken=broken))[::-1]


def ends_before(text: str, until: int, after: str = "", *, broken: Callable[[], bool] = bool) -> Iterator[int]:
    """The ends of :func:`ends` up to ``until``, the last one first; a paragraph is read when it is come to.

    >>> list(ends_before("แมวเป็นสัตว์\\n\\nหมาก็เป็นสัตว์", 20))
    [12]
    """
    for paragraph in _paragraphs(text, after):
        yield from _ends_in(text, paragraph, until, broken)


def best_end(text: str, until: int, after: str = "", *, broken: Callable[[], bool] = bool) -> int:
    """The last of :func:`ends` up to ``until``, or the end of a paragraph a little before; 0 when there is none.

    >>> best_end("แมวเป็นสัตว์\\n\\nหมาก็เป็นสัตว์", 20)
    12
    """
    best = 0
    for paragraph in _paragraphs(text, after):
        best = best or next(_ends_in(text, paragraph, until, broken), 0)
        end = paragraph.stop
        if end < _PARAGRAPH_SHARE * best:
            break
        if end <= best and (end == len(text) or text.startswith("\n\n", end)) and (end == best or _is_end(text, paragraph, broken)):
            return end
    return best


def announces(text: str) -> bool:
    """True if ``text`` ends by saying that a list follows.

    >>> announces("มีบุตรสาว 3 คน คือ"), announces("มีบุตรสาว 3 คน")
    (True, False)
    """
    return text[-_REACH:].rstrip(" ").endswith(_ANNOUNCING)


def breaks_off(text: str) -> bool:
    """True if a paragraph of ``text`` was broken inside a sentence; then its other paragraphs may be too.

    >>> breaks_off("เขาเกิดในปี\\n\\n2540 ที่เชียงใหม่"), breaks_off("สัตว์มีสองชนิด ได้แก่\\n\\nแมวเป็นสัตว์")
    (True, False)
    """
    paragraphs = [text[start:stop] for start, stop in _spans(text)]
    doubts = 0
    for before, after in pairwise(paragraphs):
        if _PLAINLY_GOES_ON.match(after) or (_waits(before, len(before)) and not announces(before)):
            return True
        doubts += _carries_over(before, after)
    return doubts > 1


class _Paragraph(NamedTuple):
    start: int
    stop: int
    following: str | None  # the beginning of what follows; None at the end of everything
    parted: bool  # whether it ends where its author ended a paragraph, and not at one of several line ends


def _paragraphs(text: str, after: str = "") -> Iterator[_Paragraph]:
    """The paragraphs of a text, the last one first."""
    spans = _spans(text)
    following = after.lstrip(" \n")[:_AHEAD] or None
    parted = not (spans and _NEXT_LINE.match(after) and "\n" in text[spans[-1][0] : spans[-1][1]])
    for start, stop in reversed(spans):
        yield _Paragraph(start, stop, following, parted)
        following, parted = text[start : start + _AHEAD], True


def _spans(text: str) -> list[tuple[int, int]]:
    """Where the paragraphs of a text stand, without the blanks behind them."""
    return [(m.start(), m.start() + len(m[0].rstrip(" "))) for m in _PARAGRAPH.finditer(text)]


def _ends_in(text: str, found: _Paragraph, until: int, broken: Callable[[], bool]) -> Iterator[int]:
    """The ends in a paragraph up to ``until``, the last one first."""
    if found.start < until:
        if found.stop <= until and _is_end(text, found, broken):
            yield found.stop
        yield from (found.start + end for end in _sentence_ends(text[found.start : found.stop], until - found.start))


def _is_end(text: str, found: _Paragraph, broken: Callable[[], bool]) -> bool:
    """Whether the text may be ended where the paragraph ends."""
    paragraph, following = text[found.start : found.stop], found.following
    if not _stops(paragraph):
        return False
    if following is None:
        return True
    if found.parted and not broken():
        return not _carries_over(paragraph, following)
    return next(_sentence_ends(f"{paragraph} {following}", len(paragraph)), 0) == len(paragraph)


def _carries_over(paragraph: str, following: str) -> bool:
    """Whether what follows goes on with the paragraph's last sentence."""
    if _WRAPPED.match(following):
        return True
    last = paragraph[max(paragraph.rfind(" "), paragraph.rfind("\n")) + 1 :]
    return _VERB.match(following) is not None and not clause_pattern().search(last)


def reads_finished(text: str) -> bool:
    """True if ``text`` may stop where it stops.

    >>> reads_finished("ปลากัดอยู่ในวงศ์ปลากัด ปลากระดี่"), reads_finished("เขาเกิดเมื่อวันที่")
    (True, False)
    """
    spans = _spans(text)
    return bool(spans) and spans[-1][1] == len(text) and not text[-1].isspace() and _stops(text[spans[-1][0] :])


def reads_begun(text: str) -> bool:
    """False if ``text`` begins with the rest of a sentence.

    >>> reads_begun("แต่ละคนมีหน้าที่"), reads_begun("และเป็นจังหวัดที่มีประชากรมาก")
    (True, False)
    """
    return not _GOES_ON.match(text) and not _BEGINS_INSIDE.match(text)


def _sentence_ends(paragraph: str, until: int) -> Iterator[int]:
    """Ends inside a paragraph up to ``until``, the last one first: before a blank that parts two sentences."""
    return (end for end in reversed(_parted(paragraph)) if end <= until and not _waits(paragraph, end))


def _parted(paragraph: str) -> list[int]:
    """Before which blanks a sentence may end, if what stands there does not wait for more."""
    found: list[int] = []
    depth_at = _open_marks(paragraph)
    since = 0  # where the stretch began that has to be long enough to hold a sentence
    need = _SHORTEST_AFTER_CLAUSE if _CLAUSE.match(paragraph) else _SHORTEST
    for blank in _BLANK.finditer(paragraph):
        here, after = blank.span()
        if not here or depth_at(here):
            continue
        opens = _OPENS.match(paragraph, after) or (not paragraph[here - 1].isnumeric() and _PRONOUNS.match(paragraph, after))
        closed = not opens and paragraph.endswith(_CLOSES, 0, here) and not _CARRIES_ON.match(paragraph, after)
        if (opens or closed) and here - since >= need:
            found.append(here)
        clause = _CLAUSE.match(paragraph, after)
        if opens or clause or _SUBORDINATES.match(paragraph, after):
            since = after
            need = _SHORTEST_AFTER_CLAUSE if clause else _SHORTEST
    return found


def _stops(paragraph: str) -> bool:
    """Whether a paragraph may stop where it stops."""
    return not _open_marks(paragraph)(len(paragraph)) and not _waits(paragraph, len(paragraph)) and not _LONE_CLAUSE.fullmatch(paragraph)


def _waits(line: str, end: int) -> bool:
    """Whether ``line[:end]`` waits for more."""
    if _WAITS.search(line, max(0, end - _REACH), end):
        return True
    if not _MAY_DANGLE.search(line, max(0, end - _REACH), end):
        return False
    return _DANGLES.search(line, max(0, end - _REACH_OF_NAMES), end) is not None


def _open_marks(text: str) -> Callable[[int], int]:
    """A function from offsets of ``text`` to the number of brackets and quotation marks that are open there."""
    depth, quoted = 0, 0
    odd = text.count('"') % 2  # an inch mark, or a quotation that nobody closed
    places, open_ = [], [0]
    for mark in _MARK.finditer(text):
        at, char = mark.start(), mark[0]
        if char != '"':
            depth = max(0, depth + _BRACKETS[char])  # "1)" closes what nobody opened
        elif not (odd and at and text[at - 1].isdigit()):
            quoted = 1 - quoted
        places.append(at)
        open_.append(depth + quoted)
    return lambda offset: open_[bisect_left(places, offset)]
