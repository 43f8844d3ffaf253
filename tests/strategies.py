"""The strategies of the tests: those that users get from ``thaiwiki_clean.testing``, and edits to try the machinery with."""

from __future__ import annotations

import itertools

from hypothesis import strategies as st

from thaiwiki_clean.edits import Edit
from thaiwiki_clean.testing import (
    dirt,
    dirt_line,
    dirty_sentence,
    header,
    junk,
    link_list,
    redirect,
    rough_text,
    table,
    thai_sentence,
    thai_text,
    wiki_page,
)

__all__ = [
    "dirt",
    "dirt_line",
    "dirty_sentence",
    "edits_of",
    "header",
    "junk",
    "link_list",
    "overlapping_edits_of",
    "redirect",
    "rough_text",
    "short_text",
    "table",
    "thai_sentence",
    "thai_text",
    "wiki_page",
]

REASONS = st.sampled_from(["url", "html", "table", "spacing"])


def short_text() -> st.SearchStrategy[str]:
    """A few characters: laws of edits are about offsets, and break on short texts if they break."""
    return st.text("กขน้ำ (;)\n", max_size=12)


@st.composite
def edits_of(draw: st.DrawFn, text: str) -> list[Edit]:
    """Edits that fit ``text``: sorted, disjoint, drops and folds, some of them side by side."""
    cuts = draw(st.lists(st.integers(0, len(text)), max_size=8, unique=True).map(sorted)) if text else []
    spans = [(a, b) for a, b in itertools.pairwise(cuts) if draw(st.booleans())]
    return [Edit(a, b, draw(REASONS), draw(st.sampled_from(["", "", "แ", " "]))) for a, b in spans]


@st.composite
def overlapping_edits_of(draw: st.DrawFn, text: str) -> list[Edit]:
    """Edits inside ``text`` in any order, one over the other."""
    span = st.tuples(st.integers(0, len(text)), st.integers(0, len(text))).map(sorted).filter(lambda ends: ends[0] < ends[1])
    return [Edit(a, b, draw(REASONS)) for a, b in draw(st.lists(span, max_size=5))] if text else []
