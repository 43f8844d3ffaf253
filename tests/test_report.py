"""The report: every reason is there, the file needs nothing but itself, and the same folder gives the same bytes."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from thaiwiki_clean import samples
from thaiwiki_clean.build import build
from thaiwiki_clean.cli import cli
from thaiwiki_clean.edits import Edit, apply
from thaiwiki_clean.marks import to_html
from thaiwiki_clean.page import Page
from thaiwiki_clean.pipeline.manifest import NAME as MANIFEST
from thaiwiki_clean.pipeline.manifest import Manifest
from thaiwiki_clean.pipeline.published import draw
from thaiwiki_clean.pipeline.tally import DRAWN, Tally
from thaiwiki_clean.reasons import REASONS, VERDICTS
from thaiwiki_clean.report import report_html, write_report
from thaiwiki_clean.report.compare import Comparison, compare
from thaiwiki_clean.report.diff import GONE, Span, pieces, spans
from thaiwiki_clean.report.excerpts import cover, excerpt
from thaiwiki_clean.report.run import Run

ROOT = Path(__file__).resolve().parent.parent
EMPTY = {"meta", "link", "input", "br", "wbr", "path", "use", "rect"}


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample pages, built; and a row that cannot be read."""
    folder = tmp_path_factory.mktemp("report")
    source = folder / "pages.jsonl"
    source.write_text(samples.path().read_text("utf-8") + '{"title": "เสีย <b>", "text": null, "source": "thaiwikipedia"}\n', "utf-8")
    build(str(source), folder / "out", engine="serial")
    return folder / "out"


@pytest.fixture(scope="session")
def before(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same pages as older rules would have left them: no empty brackets were removed, and one page more fell."""
    folder = tmp_path_factory.mktemp("before") / "out"
    shutil.copytree(built, folder)
    for path in sorted(folder.glob("*/*.parquet")):
        if path.parent.name in ("articles", "dropped"):
            table = pq.read_table(path)
            rows = [_older(row) for row in table.to_pylist()]
            pq.write_table(type(table).from_pylist(rows, schema=table.schema), path)
    told = json.loads((folder / MANIFEST).read_text("utf-8"))
    del told["edits"]["empty_brackets"]
    told["identity"]["versions"]["rules"] = "0"
    (folder / MANIFEST).write_text(json.dumps(told), "utf-8")
    return folder


RAW = {page["title"]: page["text"] for page in map(json.loads, samples.path().read_text("utf-8").splitlines())}


def _older(row: dict[str, Any]) -> dict[str, Any]:
    edits = [Edit(**edit) for edit in row["edits"] if edit["reason"] != "empty_brackets"]
    if len(edits) == len(row["edits"]):
        return row
    return {**row, "text": apply(RAW[row["title"]], edits), "edits": [edit._asdict() for edit in edits]}


@pytest.fixture(scope="session")
def html(built: Path) -> str:
    return (built / "report.html").read_text("utf-8")


@pytest.fixture(scope="session")
def compared(before: Path, built: Path) -> Comparison:
    return compare(before, built)


class Tree(HTMLParser):
    """Complains about a tag that closes what is not open, and gathers ids, links and text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.inner: list[str] = []
        self.outer: list[str] = []
        self.asked: list[str] = []
        self.text: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in EMPTY:
            self.open.append(tag)
        for name, value in attrs:
            told = value or ""
            if name == "id":
                self.ids.append(told)
            elif name in ("href", "xlink:href") and told.startswith("#"):
                self.inner.append(told[1:])
            elif tag == "a" and name == "href":
                self.outer.append(told)
            elif name in ("src", "srcset", "href", "xlink:href", "data", "action", "poster") or name.startswith("on"):
                self.asked.append(f"{name}={told}")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in EMPTY:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> at {self.getpos()}"

    def handle_data(self, data: str) -> None:
        self.text.append(data)


# ---- laws

LETTERS = st.text("กำเแา่้ ab\n[]", max_size=60)


@st.composite
def cleanings(draw: st.DrawFn) -> tuple[str, list[Edit], list[Edit]]:
    """A raw text and two lists of edits on it."""
    raw = draw(LETTERS)

    def edits() -> list[Edit]:
        cuts = sorted(draw(st.lists(st.integers(0, len(raw)), max_size=8, unique=True)))
        reason = st.sampled_from(["url", "spacing", "table"])
        return [Edit(a, b, draw(reason), draw(st.sampled_from(["", "x"]))) for a, b in zip(cuts[::2], cuts[1::2], strict=False)]

    return raw, edits(), edits()


@given(cleanings())
def test_spans_say_what_both_cleanings_did(case: tuple[str, list[Edit], list[Edit]]) -> None:
    raw, a, b = case
    found = spans(apply(raw, a), a, apply(raw, b), b, len(raw))
    assert found is not None
    assert sum(span.characters for span in found) == len(raw)
    at = 0
    for span in found:
        assert span.text in ("", raw[at : at + span.characters])
        assert bool(span.text) == (not span.was or not span.now)
        for n in range(at, at + span.characters):
            assert [next((e.reason for e in side if e.start <= n < e.end), "") for side in (a, b)] == [span.was, span.now]
        at += span.characters


@given(cleanings())
def test_no_difference_is_folded_away(case: tuple[str, list[Edit], list[Edit]]) -> None:
    raw, a, b = case
    found = spans(apply(raw, a), a, apply(raw, b), b, len(raw))
    assert found is not None
    differ = [span for span in found if span.text and span.was != span.now]
    assert len([piece for piece in pieces(found) if piece.what in ("removed", "back")]) == len(differ)


@given(cleanings(), st.integers(1, 80), st.integers(0, 20))
def test_excerpts_are_pieces_of_the_page_with_its_edits(case: tuple[str, list[Edit], list[Edit]], most: int, context: int) -> None:
    raw, edits, _ = case
    page = Page("1", "", "", "", raw=raw, text=apply(raw, edits), edits=tuple(edits))
    at = 0
    for piece in excerpt(page, most=most, context=context):
        at += piece.skipped
        assert raw[at : at + len(piece.raw)] == piece.raw
        apply(piece.raw, piece.edits)  # raises when they do not fit
        assert all(any(e.start <= at + p.start and at + p.end <= e.end and e.reason == p.reason for e in edits) for p in piece.edits)
        at += len(piece.raw)
    assert at == len(raw)


@given(st.lists(st.sets(st.sampled_from("abcdefg")), max_size=8))
def test_the_pages_chosen_show_every_reason(held: list[set[str]]) -> None:
    pages = [
        Page(str(n), "", "", "", raw="x" * 9, edits=tuple(Edit(i, i + 1, r) for i, r in enumerate(sorted(s)))) for n, s in enumerate(held)
    ]
    chosen = cover(pages)
    assert {edit.reason for page in chosen for edit in page.edits} == set().union(*held)
    assert len(chosen) <= len(set().union(*held))


# ---- one build


def test_every_reason_stands_there_with_its_sentence_and_an_example(built: Path, html: str) -> None:
    tree = Tree(html)
    table = "".join(Tree(html[html.index('<section id="reasons">') : html.index('<section id="examples">')]).text)
    told = Manifest.read(built)
    assert set(told.edits) == {row for row in REASONS if f"reason-{row}" in tree.ids}
    for reason in told.edits:
        assert REASONS[reason] in table
        section = html[html.index(f'id="reason-{reason}"') :].partition("</section>")[0]
        assert REASONS[reason] in "".join(Tree(f"<section {section}</section>").text)
        assert f'data-reason="{reason}"' in section, reason


def test_the_pages_before_and_after_show_every_reason(built: Path, html: str) -> None:
    section = html[html.index('<section id="pages">') : html.index('<section id="drawn">')]
    assert set(re.findall(r'data-reason="(\w+)"', section)) == set(Manifest.read(built).edits)


def test_every_verdict_stands_there_with_its_sentence_and_a_page(built: Path, html: str) -> None:
    dropped = Manifest.read(built).dropped
    assert "bad_row" in dropped
    for verdict in dropped:
        section = html[html.index(f'id="fell-{verdict}"') :].partition("</section>")[0]
        assert VERDICTS[verdict] in section
        assert "<figcaption>" in section, verdict


def test_the_numbers_are_those_of_the_manifest(built: Path, html: str) -> None:
    told = Manifest.read(built)
    text = re.sub(r"\s+", " ", "".join(Tree(html).text))
    for number, what in (
        (told.rows, "pages came"),
        (told.articles, "articles stay"),
        (told.rows - told.articles, "pages fell"),
        (told.characters["raw"] - told.characters["text"], "characters were removed"),
        (sum(told.examples.values()), "instruction examples"),
    ):
        assert f"{number:,} {what}" in text
    assert told.command in text
    assert told.source["fingerprint"] in text


@pytest.mark.parametrize("page", ["report", "comparison"])
def test_html_is_well_formed_and_asks_for_nothing(html: str, compared: Comparison, page: str) -> None:
    held = html if page == "report" else compared.to_html()
    tree = Tree(held)
    assert tree.open == []
    assert sorted(tree.ids) == sorted(set(tree.ids))
    assert set(tree.inner) <= set(tree.ids)
    assert tree.asked == ["href=data:,"]  # the icon, which without that line a browser would ask for
    assert [url for url in tree.outer if not url.startswith("https://")] == []
    assert re.findall(r"url\((?!#)|@import|<script|<iframe|<img|xmlns", held) == []


def test_headings_do_not_skip_a_level_and_tables_have_captions(html: str) -> None:
    levels = [int(level) for level in re.findall(r"<h([1-6])\b", html)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b <= a + 1 for a, b in pairwise(levels))
    assert html.count("<table") == html.count("<caption>")
    assert (
        html.count("<svg")
        == html.count('<svg class="chart" ')
        == len(re.findall(r'role="img" aria-labelledby="(\w+-says)"><title id="\1">', html))
    )


def test_text_of_pages_is_text(built: Path, html: str) -> None:
    assert "เสีย &lt;b&gt;" in html
    assert "เสีย <b>" not in html


def test_the_same_folder_gives_the_same_bytes(built: Path, html: str) -> None:
    held = (built / "report.html").read_bytes()
    assert report_html(built).encode() == held
    code = "import sys; from thaiwiki_clean.report import report_html; sys.stdout.buffer.write(report_html(sys.argv[1]).encode())"
    other = subprocess.run([sys.executable, "-c", code, str(built)], capture_output=True, check=True, cwd=ROOT)  # another hash seed
    assert other.stdout == held


def test_nothing_says_where_or_when(built: Path, html: str) -> None:
    assert str(built.parent) not in html
    assert re.findall(r"\d{4}-\d\d-\d\dT|Created with|Matplotlib v", html) == []


def test_the_report_of_the_sample_is_small(html: str) -> None:
    assert len(html.encode()) < 400_000


def test_without_matplotlib_the_rest_stands_and_says_what_to_install(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    held = report_html(built)
    assert "<svg" not in held
    assert "pip install &#39;thaiwiki-clean[report]&#39;" in held
    assert Tree(held).open == []
    assert "the middle one" in held


def test_with_matplotlib_there_are_charts(html: str) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is an extra")
    assert html.count('<svg class="chart"') == 3
    assert set(re.findall(r"(?:fill|stroke): (#[0-9a-f]+)", html)) <= {"#000000"}  # all paint is the page's


def test_a_long_page_is_shown_in_part_and_with_its_reasons() -> None:
    raw = "ก" * 50_000 + "() " + "ข" * 50_000 + "[1]" + "ค" * 50_000
    page = Page("1", "", "", "", raw=raw, edits=(Edit(50_000, 50_003, "empty_brackets"), Edit(100_003, 100_006, "reference")))
    shown = excerpt(page, most=1000)
    assert {edit.reason for piece in shown for edit in piece.edits} == {"empty_brackets", "reference"}
    assert sum(len(piece.raw) for piece in shown) < 1500


def test_a_long_removed_section_is_shown_by_its_ends() -> None:
    raw = "ก" * 10 + "ข" * 90_000 + "ค" * 10
    shown = excerpt(Page("1", "", "", "", raw=raw, edits=(Edit(10, 90_010, "boilerplate_section"),)), most=1000)
    assert sum(len(piece.raw) for piece in shown) < 1000
    assert shown[0].raw.startswith("ก" * 10)
    assert shown[-1].raw.endswith("ค" * 10)


@pytest.mark.parametrize("start", range(9))
def test_no_excerpt_begins_inside_a_letter(start: int) -> None:
    page = Page("1", "", "", "", raw="น้ำเก่า " + "ก" * 200, edits=(Edit(start + 40, start + 41, "url"),))
    first = excerpt(page, page.edits, context=40)[0]
    assert first.raw[0] in "นเก "


def test_a_build_without_rows_has_a_report(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text("", "utf-8")
    build(str(tmp_path / "in.jsonl"), tmp_path / "out", engine="serial", words=None)
    assert "No page came." in (tmp_path / "out" / "report.html").read_text("utf-8")


def test_what_is_drawn_by_chance_does_not_hang_on_the_shards() -> None:
    pages = [Page(str(n), f"หน้า {n}", "thaiwikipedia", "", raw="ก") for n in range(1000)]

    def drawn(shards: list[list[Page]]) -> list[str]:
        told = []
        for shard in shards:
            tally = Tally()
            tally.add(shard)
            told.append(tally.about()["drawn"])
        return [shards[number][row].id for _, number, row in draw(told, DRAWN)]

    whole = drawn([pages])
    assert len(whole) == DRAWN
    assert drawn([pages[n::3] for n in range(3)]) == whole
    assert 350 < statistics.mean(map(int, whole)) < 650  # of all of the source, not of its beginning


def test_every_page_that_is_shown_is_attributed(built: Path, html: str) -> None:
    outer = Tree(html).outer
    run = Run.read(built)
    assert {page.url for page in cover([page for pages in run.chosen.values() for page in pages])} <= set(outer)
    assert {page.url for pages in run.fallen().values() for page in pages} <= set(outer)


# ---- two builds


def test_a_build_is_the_same_as_itself(built: Path) -> None:
    same = compare(built, built)
    assert (same.pages["changed"], same.moves, same.changes, same.settings, same.shown) == (0, [], [], [], [])


def test_the_comparison_finds_what_the_new_rule_removes(compared: Comparison, built: Path) -> None:
    gone = Manifest.read(built).edits["empty_brackets"]
    new = [change for change in compared.changes if change.now == "empty_brackets"]
    assert [(change.was, change.pages, change.characters) for change in new] == [("", gone["pages"], gone["characters"])]
    assert compared.pages["changed"] == gone["pages"]
    assert compared.settings == ['versions.rules: "0" -> "1"']


def test_the_other_way_round_it_comes_back(compared: Comparison, before: Path, built: Path) -> None:
    back = compare(built, before)
    assert [(c.now, c.was, c.pages, c.characters) for c in back.changes] == [tuple(change) for change in compared.changes]
    assert {piece.what for page in back.shown for piece in pieces(page.spans)} >= {"back"}


def test_every_change_is_shown_on_a_page(compared: Comparison) -> None:
    held = compared.to_html()
    assert "− empty_brackets" in held
    shown = {span.now for page in compared.shown for span in page.spans if span.text and span.was != span.now}
    assert shown == {change.now for change in compared.changes}


def test_a_page_that_fell_since_is_a_move(built: Path, tmp_path: Path) -> None:
    shutil.copytree(built, tmp_path / "out")
    path = next((tmp_path / "out" / "dropped").glob("*.parquet"))
    table = pq.read_table(path)
    rows = table.to_pylist()
    changed = next(row for row in rows if row["reason"] == "stub")
    changed["reason"] = "list_page"
    pq.write_table(type(table).from_pylist(rows, schema=table.schema), path)
    (move,) = compare(built, tmp_path / "out").moves
    assert (move.was, move.now, move.pages, move.some[0][0]) == ("stub", "list_page", 1, changed["title"])


def test_what_was_folded_stands_once_where_the_fold_begins() -> None:
    fold = [Edit(1, 7, "html_entity", " ")]
    assert spans("ก&nbsp;ข", [], "ก ข", fold, 8) == [("", "", 1, "ก", ""), ("", "html_entity", 6, "&nbsp;", " "), ("", "", 1, "ข", "")]
    assert spans("ก ข", fold, "ก&nbsp;ข", [], 8) == [("", "", 1, "ก", ""), ("html_entity", "", 6, "&nbsp;", " "), ("", "", 1, "ข", "")]
    split = spans("ก&sp;ข", [Edit(2, 4, "url")], "ก ข", fold, 8)
    assert split is not None
    assert [(span.now, span.text, span.new) for span in split[1:4]] == [
        ("html_entity", "&", " "),
        ("html_entity", "", ""),
        ("html_entity", "sp;", ""),
    ]


def test_what_is_alike_is_folded_and_what_both_removed_is_a_sign() -> None:
    far = "ก" * 300
    raw = f"{far}www{'ข' * 130}() [1] ท้าย"
    both = [Edit(433, 435, "empty_brackets"), Edit(436, 439, "reference")]
    found = spans(apply(raw, both), both, apply(raw, [Edit(300, 303, "url"), *both]), [Edit(300, 303, "url"), *both], len(raw))
    assert found is not None
    assert pieces(found) == [
        ("skipped", "240", "", ""),
        ("kept", "ก" * 60, "", ""),
        ("removed", "www", "url", ""),
        ("kept", "ข" * 60, "", ""),
        ("skipped", str(70 + len(f"{GONE} {GONE} ท้าย")), "", ""),
    ]
    near = spans("กwwwข ", [Edit(5, 7, "url")], "กข ", [Edit(1, 4, "url"), Edit(5, 6, "url"), Edit(6, 7, "table")], 8)
    assert near is not None
    assert pieces(near) == [("kept", "ก", "", ""), ("removed", "www", "url", ""), ("kept", f"ข{GONE} ", "", "")]
    between = pieces([Span("", "url", 3, "www"), Span("", "", 150, "ก" * 150), Span("", "url", 3, "www")])
    assert [piece.what for piece in between] == ["removed", "kept", "removed"]  # a note would take as much room


def test_pages_of_another_source_are_not_compared_letter_by_letter() -> None:
    assert spans("แมว", [], "หมา", [], 3) is None
    assert spans("แมว", [], "แมวน้ำ", [], 3) is None
    assert spans("แมว", [], "แม", [Edit(2, 3, "url")], 3) is not None


def test_a_control_character_never_reaches_the_html(compared: Comparison) -> None:
    odd = dataclasses.replace(compared, settings=["ก\x00\x1b\u202e"])
    assert r"ก\u0000\u001b\u202e" in odd.to_html()
    assert GONE in odd.to_html()


# ---- the command


def run(*args: str) -> Result:
    return CliRunner().invoke(cli, ["report", *args])


def test_the_command_writes_the_report_again(built: Path, html: str, tmp_path: Path) -> None:
    shutil.copytree(built, tmp_path / "out")
    (tmp_path / "out" / "report.html").unlink()
    assert run(str(tmp_path / "out")).exit_code == 0
    assert (tmp_path / "out" / "report.html").read_text("utf-8") == html
    assert write_report(tmp_path / "out").read_text("utf-8") == html


def test_the_command_compares(before: Path, built: Path, tmp_path: Path, compared: Comparison) -> None:
    told = run(str(before), str(built), "--json", "--out", str(tmp_path / "changes.html"), "--quiet")
    assert json.loads(told.stdout) == compared.to_json()
    assert (tmp_path / "changes.html").read_text("utf-8") == compared.to_html()
    assert "kept -> empty_brackets" in run(str(before), str(built)).stdout
    assert run(str(before), str(built), "--out", "-").stdout == compared.to_html() + "\n"


@pytest.mark.parametrize(("missing", "says"), [("manifest.json", "no finished build"), ("samples.parquet", "which its manifest names")])
def test_what_is_no_build_is_one_line(built: Path, tmp_path: Path, missing: str, says: str) -> None:
    shutil.copytree(built, tmp_path / "out")
    (tmp_path / "out" / missing).unlink()
    told = run(str(tmp_path / "out"))
    assert (told.exit_code, told.stdout) == (1, "")
    assert says in told.stderr
    assert told.stderr.count("\n") == 1


def test_json_of_one_build_is_wrong_usage(built: Path) -> None:
    assert run(str(built), "--json").exit_code == 2


# ---- in a browser

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
ARGUMENTS = ("no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking")
ARGUMENTS += ("disable-component-update", "disable-sync")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no Chromium in the PATH")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=[f"--{argument}" for argument in ARGUMENTS])
        yield browser
        browser.close()


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("page", ["report", "comparison"])
def test_a_browser_shows_it_without_a_request_or_a_complaint(
    chromium: Any, built: Path, compared: Comparison, tmp_path: Path, width: int, page: str
) -> None:
    file = built / "report.html"
    if page == "comparison":
        file = tmp_path / "changes.html"
        file.write_text(compared.to_html(), "utf-8")
    tab = chromium.new_page(viewport={"width": width, "height": 900})
    faults: list[str] = []
    asked: list[str] = []
    tab.on("console", lambda message: faults.append(message.text))
    tab.on("pageerror", lambda error: faults.append(str(error)))
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(file.as_uri())
    tab.wait_for_load_state("networkidle")
    assert faults == []
    assert [url for url in asked if not url.startswith("data:")] == [file.as_uri()]
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert tab.evaluate("document.querySelectorAll('details').length") == (
        0 if page == "comparison" else len(Run.read(built).drawn[:5]) + 10
    )
    tab.close()


def test_the_choice_above_the_pages_works_without_a_script(chromium: Any, built: Path) -> None:
    tab = chromium.new_context(java_script_enabled=False).new_page()
    tab.goto((built / "report.html").as_uri())
    removed = tab.locator("#pages details[open] .marked del").first
    example = tab.locator("#examples .marked del").first
    assert removed.is_visible()
    tab.get_by_label("The text that is left").check()
    assert not removed.is_visible()
    assert example.is_visible()  # the examples are not what is chosen for
    tab.get_by_label("The text as it came").check()
    assert removed.is_visible()
    tab.close()


def test_the_page_of_explain_shows_the_text_that_is_left(chromium: Any, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(to_html("แมว www น้ำ&nbsp;ใส", [Edit(3, 7, "url"), Edit(11, 17, "html_entity", " ")]), "utf-8")
    tab = chromium.new_context(java_script_enabled=False).new_page()
    tab.goto((tmp_path / "page.html").as_uri())
    tab.get_by_label("The text that is left").check()
    assert tab.locator(".marked").inner_text() == "แมว น้ำ ใส"
    tab.get_by_label("The text as it came").check()
    assert tab.locator(".marked").inner_text() == "แมว www น้ำ&nbsp;ใส"
    tab.close()


def test_on_paper_the_folded_pages_are_open(chromium: Any, built: Path) -> None:
    tab = chromium.new_page()
    tab.goto((built / "report.html").as_uri())
    folded = tab.locator("#pages details:not([open]) article").first
    assert not folded.is_visible()
    tab.emulate_media(media="print")
    assert folded.is_visible()
    tab.close()
