"""Pages that say the same: exact and near duplicates, in steps that a build can spread over shards.

    >>> pages = [("1", "แมวเป็นสัตว์เลี้ยงลูกด้วยนม ชอบกินปลา"), ("2", "แมวเป็นสัตว์เลี้ยงลูกด้วยนม\\u200b  ชอบกินปลา"), ("3", "ปลา")]
    >>> clusters([signatures(pages)], lambda ids: dict(pages))
    {'1': Member(cluster='1', verdict=None), '2': Member(cluster='1', verdict='duplicate')}

:func:`signatures` reads the texts of one shard, alone; :func:`clusters` joins the signatures of all and reads again only
texts that may be near duplicates. Nothing depends on the order of pages, shards or workers. Clean first, then compare:
uncleaned stubs are alike in their headers. Lines that recur across pages are :mod:`thaiwiki_clean.recurring`'s.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]
    Ints = NDArray[np.int64]

__all__ = ["NEAR_LENGTH", "THRESHOLD", "Member", "clusters", "fold", "jaccard", "key", "signatures"]

#: Jaccard similarity of the sets of character 5-grams from which on two pages are near duplicates. High, for an encyclopedia
#: is full of true pages made from one sentence (villages, asteroids, years); 356 revisions of made pages are alike from .91 upwards.
THRESHOLD = 0.9
#: Characters of folded text from which on pages can be near duplicates. In a shorter one .9 lets a word of six characters be another,
#: and in an entry made from a template that is the name. On 200,000 made pages 810 of 812 pages that fell for an unrelated one were
#: shorter, and no planted copy is missed for it.
NEAR_LENGTH = 200
SHINGLE = 5  # characters; needs no tokeniser, and 16 times faster than sequences of five words
# One-permutation MinHash: 128 minima, of which 21 bands of 6 are compared. Pages of similarity .9 share a band with
# probability 1 - (1 - .9**6)**21 = .9999999, of .8 with .998, of .5 with .28; every pair found is then measured exactly.
_BINS, _BANDS, _ROWS = 128, 21, 6
# Of a pair that shares a band the minima tell roughly how alike it is (standard deviation .03 at .9); so far below nobody looks.
_DOUBT = 0.15
# A page is compared with the first pages of its bands that stand, and exactly with the likeliest of them:
# ten thousand stubs made from one template stay linear.
_LEADERS, _LOOKS = 1000, 32
_BATCH = 20_000  # pages whose texts are asked for at once

#: Characters of no width, which the keys leave out.
_NO_WIDTH = ("\u200b", "\u200c", "\u200d", "\u200e", "\u200f", "\u2060", "\ufeff", "\u00ad")


class Member(NamedTuple):
    """A page of a cluster: its survivor's id, and the verdict on the page; None says that this is the survivor."""

    cluster: str
    verdict: str | None


def fold(text: str) -> str:
    """``text`` as pages are compared: one blank for all blanks and line ends, nothing of no width, ำ for ํา and แ for เเ.

    >>> fold(" นํา \\u200b\\n เเมว ")
    'นำ แมว'
    >>> len({fold(word) for word in ("ป่า", "ป้า", "ป๋า", "ปา", "ป่า ")})
    4

    Nothing else is folded: no vowel, no tone, no digit, no case.
    """
    flat = text.replace("\n", " ")
    if flat.isprintable():  # then the plain blank is its only one, and nothing in it has no width, as in nearly every clean text
        while "  " in flat:
            flat = flat.replace("  ", " ")
        flat = flat.strip(" ")
    else:
        for character in _NO_WIDTH:
            if character in flat:
                flat = flat.replace(character, "")
        flat = " ".join(flat.split())
    return flat.replace("\u0e4d\u0e32", "\u0e33").replace("\u0e40\u0e40", "\u0e41")


def key(text: str) -> bytes:
    """16 bytes that are the same for exact duplicates, and else differ: BLAKE2b of the folded text."""
    return _key(fold(text))


def _key(folded: str) -> bytes:
    return hashlib.blake2b(folded.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def jaccard(a: str, b: str) -> float:
    """Share of the different 5-grams of characters of two texts that both have.

    >>> jaccard("แมวกินปลา", "แมวกินปลา")
    1.0
    >>> round(jaccard("แมวกินปลาช่อน", "แมวกินปลาดุก"), 2)
    0.42

    A text shorter than five characters is one gram.
    """
    return _jaccard(_grams(fold(a)), _grams(fold(b)))


# ---- one shard


def signatures(pages: Iterable[tuple[str, str]]) -> pa.Table:
    """What :func:`clusters` needs to know of pages, given as ``(id, text)``: one row each, in order, some 330 bytes wide.

    Columns: ``id``; ``key`` (16 bytes); ``n_chars`` of the folded text; ``bands``, 21 hashes of six minima each;
    ``minima``, a byte of every minimum.
    Give it the cleaned text of pages that still stand; a page that fell must not be the survivor of another.
    """
    import numpy as np
    import pyarrow as pa

    ids: list[str] = []
    keys: list[bytes] = []
    lengths: list[int] = []
    minima: list[Hashes] = []
    for page_id, text in pages:
        folded = fold(text)
        ids.append(page_id)
        keys.append(_key(folded))
        lengths.append(len(folded))
        minima.append(_minima(_hashes(folded)))
    of_pages = np.array(minima, np.uint64).reshape(-1, _BINS)
    return pa.table(
        {
            "id": pa.array(ids, pa.string()),
            "key": pa.array(keys, pa.binary(16)),
            "n_chars": pa.array(lengths, pa.int32()),
            "bands": pa.FixedSizeListArray.from_arrays(pa.array(_bands(of_pages).ravel(), pa.uint64()), _BANDS),
            "minima": pa.array(map(bytes, of_pages.astype(np.uint8)), pa.binary(_BINS)),
        }
    )


def _hashes(folded: str) -> Hashes:
    """A 64-bit hash of every 5-gram, in the order of the text."""
    import numpy as np

    folded = folded.ljust(SHINGLE, "\0")
    c = np.frombuffer(folded.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    n = len(c) - SHINGLE + 1
    hashed = c[:n].copy()
    for i in range(1, SHINGLE):
        hashed *= np.uint64(0x9E3779B97F4A7C15)
        hashed += c[i : i + n]
    # Mix high bits into low ones and back: neighbours in the alphabet must not be neighbours among the hashes.
    hashed ^= hashed >> np.uint64(29)
    hashed *= np.uint64(0xBF58476D1CE4E5B9)
    hashed ^= hashed >> np.uint64(32)
    return hashed


def _minima(hashes: Hashes) -> Hashes:
    """The least hash in each of 128 equal ranges (one-permutation MinHash, Li, Owen and Zhang 2012)."""
    import numpy as np

    bins = np.arange(_BINS, dtype=np.uint32)
    shift = np.uint32(32 - _BINS.bit_length() + 1)
    short = hashes.astype(np.uint32)  # the low half; its top bits name the range
    short.sort()
    at = np.searchsorted(short, bins << shift)
    least = short[np.minimum(at, len(short) - 1)]
    full = np.flatnonzero(least >> shift == bins)
    if len(full) < _BINS:
        # An empty range takes the minimum of the next full one, round the circle (Shrivastava and Li 2014); no distance is
        # added, for a minimum of 32 bits still says which range it comes from.
        least = least[full[np.searchsorted(full, bins) % len(full)]]
    return least.astype(np.uint64)


def _bands(minima: Hashes) -> Hashes:
    """Of the minima of pages, a row each, hashes of six at a time."""
    import numpy as np

    rows = minima[:, : _BANDS * _ROWS].reshape(-1, _BANDS, _ROWS)
    banded = rows[..., 0].copy()
    for i in range(1, _ROWS):
        banded *= np.uint64(0x9E3779B97F4A7C15)
        banded ^= banded >> np.uint64(31)
        banded += rows[..., i]
    return banded


def _grams(folded: str) -> Hashes:
    import numpy as np

    return np.unique(_hashes(folded))


def _jaccard(a: Hashes, b: Hashes) -> float:
    import numpy as np

    both = len(np.intersect1d(a, b, assume_unique=True))
    return both / (len(a) + len(b) - both)


# ---- all shards


#: Lengths are compared in steps of this ratio: a revision that lost or gained a word is no reason to prefer it to the page
#: that came first.
NEARLY = 0.97


def clusters(
    records: Iterable[pa.Table], texts: Callable[[Sequence[str]], Mapping[str, str]], *, threshold: float = THRESHOLD
) -> dict[str, Member]:
    """Every page that another page doubles, with its cluster and its verdict; pages that stand alone are not in it.

    ``records`` are the tables of :func:`signatures`, in any order. ``texts(ids)`` gives the texts of some pages, the same that
    were signed: it is asked, in batches, only for pages that may be near duplicates.
    Pages are taken in the order of preference: the longer first, in steps of 3 % (:data:`NEARLY`), within a step the smaller id
    (numbers as numbers: the shorter, then the smaller). A page falls when it is itself alike to one that stands, for the likeliest
    if there are several; any other page stands, and survives. So survivors are not alike (but where thousands share a template
    not all are compared), and of a chain of revisions several may survive. A cluster is called after its survivor.
    A page with the survivor's own :func:`key` is a ``duplicate``, any other a ``near_duplicate``; pages shorter than
    :data:`NEAR_LENGTH` can only be the former.
    Raises ValueError when an id comes twice.
    """
    import numpy as np
    import pyarrow as pa

    table: Any = pa.concat_tables([signatures(()), *records])
    names: list[str] = table["id"].to_pylist()
    if len(set(names)) != len(names):
        raise ValueError("ids come twice among the pages to compare; make them differ, for a cluster is called after an id")
    steps = [int(math.log(max(n, 1), NEARLY)) for n in table["n_chars"].to_pylist()]  # the longer, the less
    # From here on a page is its place in the order of preference, so no input order shows.
    order = sorted(range(len(names)), key=lambda i: (steps[i], len(names[i]), names[i]))
    table = table.take(pa.array(order, pa.int64()))
    names = table["id"].to_pylist()
    keys: list[bytes] = table["key"].to_pylist()

    first: dict[bytes, int] = {}
    for i, k in enumerate(keys):
        first.setdefault(k, i)
    singles = np.array(list(first.values()), np.int64)
    singles = singles[table["n_chars"].to_numpy()[singles] >= NEAR_LENGTH]
    bands = table["bands"].combine_chunks().flatten().to_numpy().reshape(-1, _BANDS)[singles]
    minima = np.frombuffer(b"".join(table["minima"].to_pylist()), np.uint8).reshape(-1, _BINS)
    fallen: dict[int, int] = {}
    for groups in _batches(_groups(bands, singles)):
        ids = sorted({i for group in groups for i in group})
        found = texts([names[i] for i in ids])
        fallen |= _fallen(groups, {i: found[names[i]] for i in ids}, minima, threshold)

    survivors = [fallen.get(first[k], first[k]) for k in keys]
    doubled = {survivor for i, survivor in enumerate(survivors) if survivor != i}
    return {
        names[i]: Member(names[at], None if at == i else "duplicate" if keys[i] == keys[at] else "near_duplicate")
        for i, at in enumerate(survivors)
        if at in doubled
    }


class _Sets:
    """Disjoint sets of numbers; a set is known by its least member."""

    def __init__(self, size: int) -> None:
        self.parent = list(range(size))

    def find(self, i: int) -> int:
        parent = self.parent
        while parent[i] != i:
            parent[i] = i = parent[parent[i]]
        return i

    def join(self, i: int, j: int) -> None:
        i, j = self.find(i), self.find(j)
        self.parent[max(i, j)] = min(i, j)


def _groups(bands: Hashes, pages: Ints) -> list[tuple[int, ...]]:
    """Pages that share a band, every such group once, sorted."""
    import numpy as np

    groups: set[tuple[int, ...]] = set()
    for column in range(bands.shape[1]):
        order = np.argsort(bands[:, column], kind="stable")
        values = bands[order, column]
        edges = np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1], [True]]))
        for at in np.flatnonzero(np.diff(edges) > 1).tolist():
            groups.add(tuple(pages[order[edges[at] : edges[at + 1]]].tolist()))
    return sorted(groups)


def _batches(groups: Sequence[tuple[int, ...]]) -> Iterator[list[tuple[int, ...]]]:
    """Groups in lists that concern a bounded number of pages; groups that share pages stay together."""
    pages = sorted({i for group in groups for i in group})
    place = {page: at for at, page in enumerate(pages)}
    linked = _Sets(len(pages))
    for group in groups:
        for page in group[1:]:
            linked.join(place[group[0]], place[page])
    together: dict[int, list[tuple[int, ...]]] = {}
    for group in groups:
        together.setdefault(linked.find(place[group[0]]), []).append(group)
    batch: list[tuple[int, ...]] = []
    size = 0
    for some in together.values():
        batch += some
        size += len({page for group in some for page in group})
        if size >= _BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _fallen(groups: Iterable[tuple[int, ...]], texts: Mapping[int, str], minima: NDArray[np.uint8], threshold: float) -> dict[int, int]:
    """Pages that are alike to one before them that stands, with that one; it must share a group with them."""
    import numpy as np

    of_page: dict[int, list[list[int]]] = {}  # for every group that a page is in, those that stand
    for group in groups:
        standing: list[int] = []
        for page in group:
            of_page.setdefault(page, []).append(standing)
    grams: dict[int, Hashes] = {}
    fallen: dict[int, int] = {}
    for page in sorted(of_page):
        others = np.array(sorted(set().union(*of_page[page])), np.int64)
        near = np.count_nonzero(minima[others] == minima[page], axis=1) / _BINS
        likeliest = np.argsort(-near, kind="stable")[:_LOOKS]
        for other in others[likeliest[near[likeliest] >= threshold - _DOUBT]].tolist():
            for i in (page, other):
                if i not in grams:
                    grams[i] = _grams(fold(texts[i]))
            if _jaccard(grams[page], grams[other]) >= threshold:
                fallen[page] = other
                del grams[page]
                break
        else:
            for standing in of_page[page]:
                if len(standing) < _LEADERS:
                    standing.append(page)
    return fallen
