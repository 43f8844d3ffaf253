"""Train, validation and test by page family, so that no article stands on two sides.

Three things make pages one family: a title that differs only in its last brackets (ไทย and ไทย (แก้ความกำกวม)),
a redirect, and a duplicate cluster. A family may have several titles, and every title draws its own side, by a hash of
the seed and the title. A family goes to the most held-out side that any of its titles drew: test before validation before train.

Why so: when a page is added, a title's draw stays the same, and a family that grows or joins another can only
move towards test. What was ever held out stays held out. The price: a family of k titles is held out about k times as often as
a single page; nearly all families have one title.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Mapping

import regex

from thaiwiki_clean.page import Page
from thaiwiki_clean.rules.redirects import redirect_target

__all__ = ["SPLITS", "Splits", "split_families", "title_family"]

#: The sides, from the one that takes to the one that gives.
SPLITS = ("test", "validation", "train")

_LAST_BRACKETS = regex.compile(r"[ _]*[(（][^()（）]*[)）]\s*$")


def title_family(title: str) -> str:
    """The title without its last brackets, blanks and letter case aside.

    >>> title_family("ไทย (แก้ความกำกวม)"), title_family("ดาว_(วงดนตรี)"), title_family("(500) Days of Summer")
    ('ไทย', 'ดาว', '(500) days of summer')
    """
    plain = " ".join(title.replace("_", " ").split()).casefold()
    return _LAST_BRACKETS.sub("", plain) or plain


@dataclasses.dataclass(frozen=True)
class Splits:
    """The side of every page. ``joined`` holds the families that have more than one title; every other title is its own family."""

    validation: float = 0.02
    test: float = 0.02
    seed: int = 0
    joined: Mapping[str, str] = dataclasses.field(default_factory=dict)  #: title family -> side

    def __post_init__(self) -> None:
        if not (self.validation >= 0 and self.test >= 0 and self.validation + self.test <= 1):
            raise ValueError(f"validation and test are shares of one whole, got {self.validation} and {self.test}")

    def of(self, page: Page) -> str:
        """``train``, ``validation`` or ``test``."""
        key = _key(page)
        return self.joined.get(key) or self.draw(key)

    def draw(self, family: str) -> str:
        """What a title family draws on its own.

        >>> Splits(seed=0).draw("แมว"), Splits(test=1, validation=0).draw("แมว")
        ('train', 'test')
        """
        digest = hashlib.sha256(f"{self.seed}\n{family}".encode("utf-8", "surrogatepass")).digest()
        share = int.from_bytes(digest[:8], "big") / 2**64
        return "test" if share < self.test else "validation" if share < self.test + self.validation else "train"


def split_families(pages: Iterable[Page], *, validation: float = 0.02, test: float = 0.02, seed: int = 0) -> Splits:
    """The sides of all ``pages``; dropped pages belong in it too, for redirects and duplicates join families.

    >>> a = Page("1", "ผำ", "thaiwikipedia", "", "", cluster="1")
    >>> b = Page("2", "ไข่ผำ", "thaiwikipedia", "", "", cluster="1")
    >>> s = split_families([a, b], test=0.5, validation=0)
    >>> s.of(a) == s.of(b)
    True

    Reads the pages once and keeps one short string a page.
    """
    above: dict[str, str] = {}

    def top(key: str) -> str:
        while (up := above.get(key, key)) != key:
            above[key] = above.get(up, up)
            key = up
        return key

    def join(a: str, b: str) -> None:
        a, b = top(a), top(b)
        if a != b:
            above[max(a, b)] = min(a, b)

    first_of: dict[str, str] = {}  # cluster -> the family of the first page seen in it
    for page in pages:
        key = _key(page)
        if page.cluster:
            join(first_of.setdefault(page.cluster, key), key)
        if page.dropped == "redirect" and (target := redirect_target(page.raw)):
            join(key, title_family(target))
    members: dict[str, list[str]] = {}
    for key in {*above, *above.values()}:
        members.setdefault(top(key), []).append(key)
    alone = Splits(validation, test, seed)
    joined: dict[str, str] = {}
    for family in members.values():
        if len(family) > 1:
            drawn = {alone.draw(key) for key in family}
            side = next(side for side in SPLITS if side in drawn)
            joined |= dict.fromkeys(sorted(family), side)
    return dataclasses.replace(alone, joined=dict(sorted(joined.items())))


def _key(page: Page) -> str:
    return title_family(page.title) or f"\n{page.source}\n{page.id}"  # no title family holds a newline
