"""No family stands on two sides, and what is held out stays held out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thaiwiki_clean.instruct.splits import SPLITS, Splits, split_families, title_family
from thaiwiki_clean.page import Page
from thaiwiki_clean.rules.redirects import redirect_target

TITLES = ["ไทย", "ไทย (แก้ความกำกวม)", "สยาม", "แมว", "แมว (ดาว)", "ดาว", "ผำ", "ไข่แหน", ""]


def page(i: int, title: str, cluster: str = "", target: str = "") -> Page:
    raw = f"redirect {target}" if target else "เนื้อความ"
    return Page(str(i), title, "thaiwikipedia", "", raw, dropped="redirect" if target else None, cluster="" if target else cluster)


PAGES = st.lists(
    st.tuples(st.sampled_from(TITLES), st.sampled_from(["", "a", "b"]), st.sampled_from(["", "", "ไทย", "ดาว", "ผำ"])), max_size=10
).map(lambda rows: [page(i, *row) for i, row in enumerate(rows)])
SEEDS = st.integers(0, 1000)


def points_to(p: Page) -> str | None:
    return redirect_target(p.raw) if p.dropped == "redirect" else None


def tied(a: Page, b: Page) -> bool:
    """Two pages that no split may part, as the issue names them."""
    families = [title_family(p.title) for p in (a, b) if p.title]
    targets = [title_family(t) for t in (points_to(a), points_to(b)) if t]
    return bool(
        (len(families) == 2 and families[0] == families[1])
        or (a.cluster and a.cluster == b.cluster)
        or (targets and points_to(a) and targets[0] == title_family(b.title))
        or (len(targets) == 2 and targets[0] == targets[1])
    )


@given(PAGES, SEEDS)
def test_no_family_stands_on_two_sides(pages: list[Page], seed: int) -> None:
    splits = split_families(pages, validation=0.3, test=0.3, seed=seed)
    for a in pages:
        for b in pages:
            if tied(a, b):
                assert splits.of(a) == splits.of(b)


@given(PAGES, PAGES, SEEDS)
def test_added_pages_move_others_towards_test_only(pages: list[Page], more: list[Page], seed: int) -> None:
    before = split_families(pages, validation=0.3, test=0.3, seed=seed)
    after = split_families([*more, *pages], validation=0.3, test=0.3, seed=seed)
    for p in pages:
        assert SPLITS.index(after.of(p)) <= SPLITS.index(before.of(p))


@pytest.mark.parametrize("sides", [("test", "train"), ("validation", "train"), ("test", "validation")], ids="-".join)
def test_a_joined_family_takes_the_more_held_out_side(sides: tuple[str, str]) -> None:
    alone = Splits(validation=0.3, test=0.3)
    titles = [next(t for i in range(100) if alone.draw(t := f"หัวเรื่อง {i}") == side) for side in sides]
    pages = [page(i, title, "a") for i, title in enumerate(titles)]
    assert {split_families(pages, validation=0.3, test=0.3).of(p) for p in pages} == {sides[0]}


@given(PAGES, SEEDS)
def test_added_strangers_move_nothing(pages: list[Page], seed: int) -> None:
    strangers = [Page(f"s{i}", f"คนแปลกหน้า {i}", "thaiwikipedia", "", "", cluster="s") for i in range(5)]
    before = split_families(pages, validation=0.3, test=0.3, seed=seed)
    after = split_families([*strangers, *pages], validation=0.3, test=0.3, seed=seed)
    assert [before.of(p) for p in pages] == [after.of(p) for p in pages]


@given(st.permutations(range(8)), SEEDS)
def test_the_order_of_pages_does_not_matter(order: list[int], seed: int) -> None:
    pages = [page(i, title, "a" if i % 3 else "", "ไทย" if i == 5 else "") for i, title in enumerate(TITLES[:8])]
    assert split_families(pages, test=0.3, seed=seed) == split_families([pages[i] for i in order], test=0.3, seed=seed)


def test_the_shares_are_those_asked_for() -> None:
    splits = Splits(validation=0.1, test=0.2, seed=7)
    drawn = [splits.draw(f"หัวเรื่อง {i}") for i in range(5000)]
    assert abs(drawn.count("test") / 5000 - 0.2) < 0.02
    assert abs(drawn.count("validation") / 5000 - 0.1) < 0.02


def test_another_seed_gives_another_split() -> None:
    titles = [f"หัวเรื่อง {i}" for i in range(200)]
    assert [Splits(test=0.5, seed=0).draw(t) for t in titles] != [Splits(test=0.5, seed=1).draw(t) for t in titles]


def test_pages_without_a_title_are_no_family() -> None:
    drawn = {Splits(test=0.5, validation=0).of(page(i, "")) for i in range(50)}
    assert drawn == {"test", "train"}


@pytest.mark.parametrize(
    ("title", "family"),
    [
        ("ไทย (แก้ความกำกวม)", "ไทย"),
        ("ไทย_(แก้ความกำกวม)", "ไทย"),
        ("Python", "python"),
        ("เอ็ม (เจมส์ บอนด์)", "เอ็ม"),
        ("ค.ศ. 1990", "ค.ศ. 1990"),
        ("(500) Days of Summer", "(500) days of summer"),
        ("(ก)", "(ก)"),
        ("พระองค์เจ้า (หม่อมเจ้า) กุญชร", "พระองค์เจ้า (หม่อมเจ้า) กุญชร"),
    ],
)
def test_a_title_family(title: str, family: str) -> None:
    assert title_family(title) == family


def test_a_redirect_that_no_verdict_names_joins_nothing() -> None:
    raw = "redirect ผำ"
    assert not split_families([Page("1", "ไข่แหน", "thaiwikipedia", "", raw), Page("2", "ผำ", "thaiwikipedia", "", raw)]).joined


def test_shares_over_one_are_refused() -> None:
    with pytest.raises(ValueError, match="shares of one whole"):
        Splits(validation=0.6, test=0.6)
