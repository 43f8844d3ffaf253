"""Lines that stand at the same end of many pages: notices and navigation, which no look at a single page can tell.

    >>> pages = [f"{town}เป็นจังหวัด\\n" + f"เรื่อง{town}\\n" * 6 + "กลับหน้าแรก" for town in ("น่าน", "แพร่", "ตาก")]
    >>> hashes = recurring(merge_counts([line_counts(pages)]), min_pages=3)
    >>> recurring_edits("น่าน\\nเชียงใหม่\\nกลับหน้าแรก", hashes)
    [Edit(start=14, end=26, reason='recurring_line', new='')]

What is asked before a line goes:

* it is on ``min_pages`` pages at least, counted once a page, and only on pages long enough to have a middle;
* on nine of ten of them it stands at the same end, among the first three or among the last three lines. An item of lists, a
  verse, a heading or a sentence that only happens to be written twice stands anywhere;
* a line that may be a sentence (two of the commonest Thai function words) is on ten times as many pages.

Then it goes from that end of every page, the first page too: a notice is no more worth reading there. It stays in the
middle of a page, and where it is all that a page says.
"""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from collections.abc import Iterable, Set
from typing import TYPE_CHECKING, Any

from thaiwiki_clean.dedup import fold
from thaiwiki_clean.edits import Edit

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["MIN_PAGES", "line_counts", "merge_counts", "recurring", "recurring_edits"]

#: Pages on which a line must stand.
MIN_PAGES = 50
#: How many times as many a line needs that may be a sentence.
SENTENCE_FACTOR = 10
_ZONE = 3  # lines at each end
_ENOUGH = 2 * _ZONE + 1  # lines of a page that has a middle
_SHARE = 0.9  # of its pages on which a line stands at the same end
_FUNCTION_WORDS = ("ใน", "ที่", "และ", "ของ", "เป็น", "มี", "การ", "ได้")  # FineWeb2's stop words for Thai; two of them there, too


def line_counts(texts: Iterable[str]) -> pa.Table:
    """How many of ``texts`` have each line: one shard's share of what :func:`recurring` needs.

    Columns: ``line``, a hash of the folded line, ascending; ``pages`` that have it; on how many it stands among the first three
    lines (``top``) and the last three (``bottom``); ``sentence``, whether one that stands there may be one. Lines of texts with
    less than seven lines are in it, too, but these texts count nothing.
    """
    import pyarrow as pa

    pages: Counter[str] = Counter()
    top: Counter[str] = Counter()
    bottom: Counter[str] = Counter()
    for text in texts:
        lines = _folded(text)
        if len(lines) >= _ENOUGH:
            pages.update(set(lines))
            top.update(set(lines[:_ZONE]))
            bottom.update(set(lines[-_ZONE:]))
        else:
            pages.update(dict.fromkeys(lines, 0))
    rows = []
    for line, n in pages.items():
        ends = top.get(line, 0), bottom.get(line, 0)
        rows.append((_hash(line), n, *ends, _may_be_sentence(line) if any(ends) else 0))
    rows.sort()
    columns: list[Any] = list(zip(*rows, strict=True)) or [()] * len(_TYPES)
    return pa.table({name: pa.array(column, kind) for (name, kind), column in zip(_TYPES.items(), columns, strict=True)})


def _folded(text: str) -> list[str]:
    """The lines of a text that hold more than blanks, each as :func:`fold` leaves it."""
    lines = list(filter(None, text.split("\n")))
    if " ".join(lines) == fold(text):  # then no line has anything to fold, as in nearly every clean text
        return lines
    return [folded for line in lines if (folded := fold(line))]


_TYPES: dict[str, Any] = {"line": "uint64", "pages": "int32", "top": "int32", "bottom": "int32", "sentence": "int32"}


def merge_counts(counts: Iterable[pa.Table]) -> pa.Table:
    """The counts of several shards, added; in any order and grouping the same."""
    import pyarrow as pa

    table: Any = pa.concat_tables([line_counts(()), *counts])
    added = [(name, "sum") for name in ("pages", "top", "bottom")]
    merged = table.group_by("line", use_threads=False).aggregate([*added, ("sentence", "max")]).sort_by("line")
    merged = merged.rename_columns([name.removesuffix("_sum").removesuffix("_max") for name in merged.column_names])
    return merged.select(list(_TYPES)).cast(table.schema)


def recurring(counts: pa.Table, min_pages: int = MIN_PAGES) -> frozenset[int]:
    """The lines that recur, as hashes, by the evidence that stands at the head of this module.

    Raises ValueError for less than two pages: a line on one page recurs nowhere.
    """
    if min_pages < 2:
        raise ValueError(f"a line recurs on two pages at least, got min_pages={min_pages}")
    import pyarrow.compute as pc

    compute: Any = pc
    table: Any = counts
    some = table.filter(compute.greater_equal(table["pages"], min_pages))
    return frozenset(
        row["line"]
        for row in some.to_pylist()
        if max(row["top"], row["bottom"]) >= _SHARE * row["pages"] and (not row["sentence"] or row["pages"] >= min_pages * SENTENCE_FACTOR)
    )


def recurring_edits(text: str, hashes: Set[int]) -> list[Edit]:
    """The edits that drop recurring lines from both ends of ``text``, each with its line end; none where nothing else is left.

    Blank lines between a dropped line and the end of the text go with it. Give it the cleaned text and compose the edits:
    ``compose(page.edits, recurring_edits(page.text, hashes))``.
    """
    if not _stands_at_an_end(text, hashes):
        return []
    lines = _lines(text)
    last = len(lines) - _ZONE
    gone = {i for i, (_, _, folded) in enumerate(lines) if (i < _ZONE or i >= last) and _hash(folded) in hashes}
    if len(gone) == len(lines):
        return []
    edits: list[Edit] = []
    kept = [i for i in range(len(lines)) if i not in gone]
    for i in sorted(gone):
        start = lines[i][0]
        # Up to the next line; behind the last line that stays, from the end of the line before.
        if i > kept[-1]:
            start = lines[i - 1][1] if i else 0
            end = lines[i][1] if i + 1 < len(lines) else len(text)
        else:
            start, end = (0 if i == 0 else start), lines[i + 1][0]
        edits.append(Edit(start, end, "recurring_line"))
    return edits


def _stands_at_an_end(text: str, hashes: Set[int]) -> bool:
    """Whether one of the lines is among the first or the last of a text; in most texts none is, and the lines between are not read."""
    if not hashes:
        return False
    lines = text.split("\n")
    ends = (itertools.islice(filter(None, map(fold, some)), _ZONE) for some in (lines, reversed(lines)))
    return any(_hash(folded) in hashes for folded in itertools.chain.from_iterable(ends))


def _lines(text: str) -> list[tuple[int, int, str]]:
    """``(start, end, folded)`` of every line that holds more than blanks."""
    out = []
    at = 0
    for line in text.split("\n"):
        if folded := fold(line):
            out.append((at, at + len(line), folded))
        at += len(line) + 1
    return out


def _hash(folded: str) -> int:
    return int.from_bytes(hashlib.blake2b(folded.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def _may_be_sentence(folded: str) -> int:
    return int(sum(word in folded for word in _FUNCTION_WORDS) >= 2)
