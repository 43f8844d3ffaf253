"""Laws and looks of marked pages. Golden pages: ``UPDATE_PAGES=1 pytest tests/test_marks.py`` writes them anew; read the diff."""

from __future__ import annotations

import os
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from thaiwiki_clean import Edit, explain
from thaiwiki_clean.edits import apply
from thaiwiki_clean.marks import count, edits_css, edits_html, from_marked, to_ansi, to_html, to_marked
from thaiwiki_clean.reasons import REASONS

PAGES = sorted((Path(__file__).parent / "pages").glob("*.txt"))

# What could be taken for a mark or for an escape, what cannot be seen, and what sits on the character before it.
TROUBLE = st.sampled_from(
    [*"⟦⟧│→\\nru 0b4e\n\r\t กุ่ำ<&\"'", "\u00a0", "\u200b", "\u200d", "\u2028", "\x00", "\x1b", "\x85", "\U000e0001", "\ud800", "\\u200b"]
)
TEXTS = st.one_of(st.lists(TROUBLE, max_size=40).map("".join), st.text())
REASON = st.one_of(st.sampled_from(list(REASONS)), TEXTS)
NEW = st.one_of(st.just(""), TROUBLE.filter(lambda s: len(s) == 1), st.characters())


@st.composite
def edited(draw: st.DrawFn) -> tuple[str, list[Edit]]:
    raw = draw(TEXTS)
    cuts = sorted(draw(st.lists(st.integers(0, len(raw)), max_size=12)))
    spans = [(a, b) for a, b in pairwise(cuts) if a < b]
    chosen = [span for span in spans if draw(st.booleans())]
    return raw, [Edit(a, b, draw(REASON), draw(NEW)) for a, b in chosen]


@given(edited())
@example(("ก" * 3, [Edit(0, 1, ""), Edit(1, 2, "│→", "⟧")]))
@example(("", []))
@example(("a \n ", [Edit(1, 3, "spacing")]))
def test_marked_text_reads_back(page: tuple[str, list[Edit]]) -> None:
    assert from_marked(to_marked(*page)) == page


@given(edited())
def test_marked_text_survives_editors_and_files(page: tuple[str, list[Edit]]) -> None:
    marked = to_marked(*page)
    marked.encode("utf-8")
    assert marked.isprintable() or (marked + "x").split("\n") == (marked + "x").splitlines()
    assert not re.search(r"[^\S\n]$", marked, re.MULTILINE)


@given(TEXTS.filter(lambda text: not re.search(r"[\\⟦⟧]", text)))
def test_a_text_without_marks_reads_as_itself(text: str) -> None:
    assert from_marked(text) == (text, [])


@given(edited(), st.one_of(st.none(), st.integers(0, 20)))
def test_no_control_character_reaches_the_terminal(page: tuple[str, list[Edit]], context: int | None) -> None:
    shown = re.sub(r"\x1b\[[0-9;]*m", "", to_ansi(*page, context=context))
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", shown)


@given(edited())
def test_without_colour_and_folding_the_terminal_view_is_the_marked_text(page: tuple[str, list[Edit]]) -> None:
    assert to_ansi(*page, colour=False) == to_marked(*page)


class Reading(HTMLParser):
    """What a marked text in HTML says: the text as it came and as it is left, and the labels."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.came, self.left, self.labels = "", "", []
        self.inside: list[str] = []
        self.tags: set[str] = set()
        self.addresses: list[str | None] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses += [value for name, value in attrs if name in {"src", "href", "action", "srcset"} or name.startswith("on")]
        if tag not in {"meta", "link", "input"}:
            self.inside.append(dict(attrs).get("class") or tag)

    def handle_endtag(self, tag: str) -> None:
        self.inside.pop()

    def handle_data(self, data: str) -> None:
        if "why" in self.inside:
            self.labels.append(data)
            return
        text = from_marked(data)[0] if self.inside[-1:] == ["chip"] else data
        self.came += "" if "ins" in self.inside else text
        self.left += "" if {"del", "lead"} & {*self.inside} else text


@given(edited())
def test_html_holds_the_text_as_it_came_and_as_it_is_left(page: tuple[str, list[Edit]]) -> None:
    read = Reading(str(edits_html(*page)))
    assert (read.came, read.left) == (page[0], apply(*page))


@given(edited())
def test_no_control_character_reaches_the_browser(page: tuple[str, list[Edit]]) -> None:
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", to_html(*page, title=page[0]))


def test_html_names_every_edit() -> None:
    edits = [Edit(0, 1, "table"), Edit(2, 3, "<script>"), Edit(4, 5, "spacing", "\n")]
    assert Reading(str(edits_html("กขคงจ", edits))).labels == ["table", "<script>", "spacing"]


MARKED = [
    # raw, edits, marked
    ("แมว", [], "แมว"),
    ("แมว () ไทย", [Edit(4, 7, "empty_brackets")], "แมว ⟦empty_brackets│() ⟧ไทย"),
    ("9&nbsp;°C", [Edit(1, 7, "html_entity", " ")], "9⟦html_entity│&nbsp;→ ⟧°C"),
    ("ก\n== ข ==\nค", [Edit(2, 10, "section_header")], "ก\n⟦section_header│== ข ==\n⟧ค"),
    ("ก\n\n\nข", [Edit(2, 4, "spacing")], "ก\n⟦spacing│\\n\\n⟧ข"),
    ("ก \nข", [Edit(1, 2, "spacing")], "ก⟦spacing│ ⟧\nข"),
    ("ก \nข ", [], "ก\\u0020\nข\\u0020"),
    ("ก\r\nข", [Edit(1, 2, "line_end")], "ก⟦line_end│\\r⟧\nข"),
    ("ก<br/>ข", [Edit(1, 6, "html", "\n")], "ก⟦html│<br/>→\\n⟧ข"),
    ("ก่่", [Edit(1, 2, "thai_mark")], "ก⟦thai_mark│\\u0e48⟧\\u0e48"),
    ("قره\u200cباغ", [], "قره\\u200cباغ"),
    ("a → b │ c", [Edit(0, 4, "url")], "⟦url│a \\→ ⟧b │ c"),
    ("⟦\\frac⟧", [], "\\⟦\\\\frac\\⟧"),
]


@pytest.mark.parametrize(("raw", "edits", "marked"), MARKED)
def test_marked_form(raw: str, edits: list[Edit], marked: str) -> None:
    assert to_marked(raw, edits) == marked


UNREADABLE = [
    # marked, what the message says
    ("แมว\n⟦url│http", "line 2: a mark is"),
    ("แมว⟧", "line 1: a mark is"),
    ("⟦url⟧", "a mark is"),
    ("⟦url│a│b⟧", "a mark is"),
    ("⟦url│⟦url│a⟧⟧", "a mark is"),
    ("ก\n\nก⟦url│⟧", "line 3: a mark removes"),
    ("⟦url│a→⟧", "folds it into one"),
    ("⟦url│a→bc⟧", "folds it into one"),
    ("ก\\x41", "escapes are"),
    ("ก\n⟦url│\\u20⟧", "line 2: escapes are"),
    ("\\UFFFFFFFF", "escapes are"),
    ("\\U00110000", "escapes are"),
    ("ก\\", "a mark is"),
]


@pytest.mark.parametrize(("marked", "says"), UNREADABLE)
def test_an_unreadable_mark_is_refused_with_its_line(marked: str, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        from_marked(marked)


def test_edits_that_do_not_fit_are_refused() -> None:
    for view in (to_marked, to_ansi, to_html, edits_html):
        with pytest.raises(ValueError, match=r"url: \[1:9\] does not fit"):
            view("แมว", [Edit(1, 9, "url")])


def test_the_terminal_names_every_reason() -> None:
    text = " ".join(REASONS)
    edits = [Edit(m.start(), m.end(), m.group()) for m in re.finditer(r"\S+", text)]
    assert re.findall(r"\[(\w+)\]", re.sub(r"\x1b\[[0-9;]*m", "", to_ansi(text, edits))) == list(REASONS)


def test_a_fold_in_the_terminal_cuts_no_letter() -> None:
    raw = "กี่" * 40
    for context in range(7):
        kept = re.sub(r"\[….*?…\]", "|", to_ansi(raw, [Edit(60, 63, "url")], colour=False, context=context))
        assert "\\u" not in kept
        assert re.fullmatch(r"\|(กี่)*⟦url│กี่⟧(กี่)*\|", kept)


def test_reasons_look_different_without_their_hue_or_their_line() -> None:
    looks = {c.look for reason in REASONS for c in count("ก", [Edit(0, 1, reason)])}
    assert len(looks) == len(REASONS)


def test_counts_follow_the_order_of_the_reasons() -> None:
    found = count("กขคงจ", [Edit(0, 1, "spacing"), Edit(1, 3, "my_rule"), Edit(3, 4, "table"), Edit(4, 5, "spacing")])
    assert [(c.reason, c.edits, c.characters) for c in found] == [("table", 1, 1), ("spacing", 2, 2), ("my_rule", 1, 2)]


def test_the_page_asks_for_nothing_and_runs_nothing() -> None:
    hostile = "</style><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7*7 }}"
    page = to_html(hostile, [Edit(0, 8, "url"), Edit(8, 9, hostile)], title=hostile, verdict=hostile)
    assert "{{ 7*7 }}" in page
    read = Reading(page)
    assert not {"script", "img", "iframe", "object", "embed", "form"} & read.tags
    assert read.addresses == ["data:,"]
    assert not re.search(r"url\(|@import", page)


def test_the_page_counts_what_it_shows() -> None:
    page = to_html("แมว () ไทย" * 200, [Edit(4, 7, "empty_brackets")], title="แมว", verdict="stub")
    assert '<html lang="th">' in page
    assert '<h1 lang="th">แมว</h1>' in page
    assert "<b>2,000</b> characters came, <b>1,997</b> are left" in page
    assert REASONS["empty_brackets"] in page
    assert "dropped: <b>stub</b>" in page


def test_the_style_of_a_fragment_has_every_hue_and_line() -> None:
    css = str(edits_css())
    looks = " ".join(c.look for reason in [*REASONS, "my_rule"] for c in count("ก", [Edit(0, 1, reason)])).split()
    assert all(f".{look} {{" in css for look in looks)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_golden_page(path: Path) -> None:
    """The raw text of the page, cleaned and marked again, is the page."""
    marked = path.read_text("utf-8").removesuffix("\n")
    now = explain(from_marked(marked)[0]).marked()
    if os.environ.get("UPDATE_PAGES"):
        path.write_text(now + "\n", "utf-8", newline="\n")
    else:
        assert now == marked
