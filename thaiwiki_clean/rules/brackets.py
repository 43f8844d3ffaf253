"""Round brackets that hold nothing, or too many separators."""

from __future__ import annotations

import re
from collections.abc import Iterator

from thaiwiki_clean.edits import Edit, merge
from thaiwiki_clean.markup import settle

__all__ = ["empty_brackets"]

# The innermost brackets of a line. 600 characters hold the longest pair that we saw (a list of spellings) twice.
_PAIR = re.compile(r"\([^()\n]{0,600}\)")
_WIDE_PAIR = re.compile(r"（[^（）\n]{0,600}）")
# Where something may be missing: a separator without anything before it or behind it, a label without its word, nothing at all.
_SUSPECT = re.compile(r"[(（][ \t]*[;,:)）]|[;,、:：][ \t]*(?:\[[ \t]*\]|//)?[ \t]*[;,)）]")
_LANGUAGES = "อังกฤษ|ญี่ปุ่น|จีน|จีนตัวเต็ม|จีนตัวย่อ|เกาหลี|ละติน|ฝรั่งเศส|เยอรมัน|รัสเซีย|สเปน|อิตาลี|โปรตุเกส|ดัตช์|กรีก|อาหรับ|ฮิบรู|เปอร์เซีย|ฮินดี|สันสกฤต|บาลี|พม่า|ลาว|เขมร|เวียดนาม|มลายู|อินโดนีเซีย|ทมิฬ|เบงกอล|ตุรกี|โปแลนด์|เช็ก|ฮังการี|สวีเดน|นอร์เวย์|เดนมาร์ก|ฟินแลนด์|ยูเครน|ทิเบต|มองโกล|มองโกเลีย|ไทย|แอลเบเนีย|อาร์มีเนีย|อุซเบก|อุยกูร์|อูรดู|เอสโตเนีย|เอสเปรันโต|เบลารุส|บัลแกเรีย|บาสก์|คาซัค|คาตาลัน|กาตาลา|เคิร์ด|จอร์เจีย|ชวา|ซุนดา|โครเอเชีย|เซอร์เบีย|สโลวัก|สโลวีเนีย|มาซิโดเนีย|โรมาเนีย|ลัตเวีย|ลิทัวเนีย|ไอซ์แลนด์|ไอริช|เวลส์|สวาฮีลี|ฮาวาย|ตากาล็อก|ฟิลิปปินส์|เตลูกู|ปัญจาบ|มราฐี|สิงหล|เนปาล|มอญ|ไทใหญ่|ยาวี|จีนกลาง|แมนดาริน|กวางตุ้ง|แต้จิ๋ว|ฮกเกี้ยน|แคะ|อักษรโรมัน|อักษรละติน|อักษรจีน|เวด-ไจลส์|ยฺหวิดเพ็ง|ยวดเพ็ง|เป่อ่วยยี|โรมาจิ|โรมะจิ|ฮิรางานะ|ฮิระงะนะ|คาตากานะ|คะตะกะนะ|พินอิน|คันจิ|ฮันจา|ฮันกึล|ทับศัพท์|คำอ่าน|ออกเสียง|การออกเสียง|ชื่อวิทยาศาสตร์|ชื่อภาษาอังกฤษ|ย่อ|ชื่อย่อ|ตัวย่อ|แปลว่า|เสียงอ่าน|สัทอักษร|สัทอักษรสากล|IPA"
# One part between separators that says nothing: blanks, or the name of a language and a colon, or of a sound that is not there.
_NOTHING = re.compile(rf"\s*(?:(?:ภาษา)?(?:{_LANGUAGES})\s*[:：]\s*(?:\[\s*\]|//)?)?\s*")
_PARTS = re.compile(r"[;,、；，]")


def empty_brackets(text: str) -> list[Edit]:
    """Brackets that hold nothing but blanks and separators, and the separators that a vanished template left in half-empty ones.

    >>> from thaiwiki_clean.edits import apply
    >>> for text in ["เบนจี้ () เป็นหมา", "สยาม (Thailand; ไทย; ; ) คือ", "เบอร์ลิน (Berlin, ) คือ", "เฝิง (; อังกฤษ: ; 馮)"]:
    ...     print(apply(text, empty_brackets(text)))
    เบนจี้ เป็นหมา
    สยาม (Thailand; ไทย) คือ
    เบอร์ลิน (Berlin) คือ
    เฝิง (馮)

    Spared: open dates ``(พ.ศ. 2504 - )``, ``(?)``, ``(…)``, ``(-)``, and a call such as ``main()``, right behind a Latin letter.
    Source of the forms: the remnants that PyThaiNLP/ThaiWiki-clean removes, and the pages of ``facts``.
    """
    return settle(text, _emptied, "(（)）")


def _emptied(text: str) -> list[Edit]:
    edits = list(_mended(text, _PAIR)) if "(" in text else []
    return merge(edits, _mended(text, _WIDE_PAIR)) if "（" in text else edits


def _mended(text: str, pair: re.Pattern[str]) -> Iterator[Edit]:
    done = 0
    for m in pair.finditer(text):
        start, end = m.span()
        if _SUSPECT.search(text, start, end):
            for edit in _mend(text, start, end):
                # The blank between two pairs goes with the first: "() ()".
                yield edit if edit.start >= done else edit._replace(start=done)
                done = edit.end


def _mend(text: str, start: int, end: int) -> list[Edit]:
    """The edits for one pair of brackets ``text[start:end]``."""
    before = text[start - 1] if start else "\n"
    if before.isascii() and (before.isalnum() or before in "_]"):
        return []
    cuts = [start, *(m.start() for m in _PARTS.finditer(text, start + 1, end - 1)), end - 1]
    full = [i for i in range(len(cuts) - 1) if not _is_nothing(text[cuts[i] + 1 : cuts[i + 1]])]
    if not full:
        return [_whole(text, start, end)]
    edits = []
    at = start + 1  # what is kept ends here so far
    for nth, i in enumerate(full):
        first, last = cuts[i] + 1, cuts[i + 1]
        if nth == 0:
            while first < last and text[first] in " :：":
                first += 1
        else:
            first -= 1  # each part but the first keeps the separator before it
        if first > at:
            edits.append(Edit(at, first, "empty_brackets"))
        at = last
    if edits or at < end - 1:  # a blank before the closing bracket goes too, but not that of an open date: "(2504 - )"
        while text[at - 1] == " " and text[at - 2] not in "-–—":
            at -= 1
    if at < end - 1:
        edits.append(Edit(at, end - 1, "empty_brackets"))
    return edits


def _is_nothing(part: str) -> bool:
    return (
        not part.strip(" :：")
        or part.isspace()
        or (part.rstrip().endswith((":", "：", "]", "//")) and _NOTHING.fullmatch(part) is not None)
    )


def _whole(text: str, start: int, end: int) -> Edit:
    """The brackets with one blank beside them, so that none is doubled."""
    if start and text[start - 1] == " " and (end == len(text) or text[end] in " \n,.;:)"):
        return Edit(start - 1, end, "empty_brackets")
    return Edit(start, end + 1 if text[end : end + 1] == " " and (not start or text[start - 1] in " \n(") else end, "empty_brackets")
