"""The page of a comparison: whole in itself, safe whatever a model wrote, and readable on a telephone."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("pythainlp", reason="pythainlp is not installed")
pytest.importorskip("scipy", reason="scipy is not installed")

from finetune.compare import compare
from finetune.comparison import Comparison, Contrast, Study
from finetune.comparison_charts import axis, curves, forest, labels, scatters
from finetune.comparison_page import to_html

Maker = Callable[..., Path]

INJECTION = '<script>document.title="hacked"</script><img src=x onerror="document.title=1">\'"&amp;{{ 7*7 }}</div></main>'
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture(scope="module")
def whole(study: list[Path]) -> Comparison:
    contrasts = (
        Contrast("base", "", "the base by itself", "How much does the base repeat without tuning?"),
        Contrast("raw", "clean", "the dirt", "How much does the dirt add?"),
        Contrast("clean_nostop", "clean"),
    )
    plan = Study("Does dirt make a model repeat itself?", "It does.", "repetition mass", "three seeds, once")
    return compare(study, contrasts=contrasts, dial=("data", "train_stop"), study=plan, draws=200)


@pytest.fixture(scope="module")
def page(whole: Comparison) -> str:
    return to_html(whole)


class Elements(HTMLParser):
    """Opened and closed elements, attributes, and text."""

    VOID = frozenset(("meta", "link", "br", "img", "input", "line", "circle", "polyline", "hr"))

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_every_element_is_closed(page: str) -> None:
    assert Elements(page).open == []


def test_nothing_is_fetched_and_nothing_runs(page: str) -> None:
    found = Elements(page)
    assert "script" not in {tag for tag, _ in found.seen}
    asked = [value for _, attrs in found.seen for name, value in attrs.items() if name in ("src", "href", "xlink:href", "srcset", "data")]
    assert [value for value in asked if value and not value.startswith(("#", "data:,"))] == []
    assert [name for _, attrs in found.seen for name in attrs if name.startswith("on")] == []
    assert "url(" not in page
    assert "@import" not in page


def test_links_in_the_page_lead_somewhere(page: str) -> None:
    found = Elements(page)
    ids = [attrs["id"] for _, attrs in found.seen if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert {attrs["href"][1:] for tag, attrs in found.seen if tag == "a" and attrs["href"]} <= set(ids)


def test_the_question_stands_before_the_results(page: str) -> None:
    places = [page.index(part) for part in ("Does dirt make", "It does.", "three seeds, once", 'id="answer"', 'id="whose"')]
    assert places == sorted(places)


def test_every_contrast_has_a_row_with_its_sentence(page: str, whole: Comparison) -> None:
    rows = re.findall(r'<svg class="marks" height="34" role="img" aria-label="([^"]*)"', page)
    assert len(rows) == len(whole.contrasts) == 3
    assert rows[0].startswith("base by itself: ")


def test_a_difference_that_is_not_shown_has_the_same_row(fake: Maker) -> None:
    found = forest(compare([fake("one", kind="clean"), fake("two", kind="clean")], headline=("one", "two"), draws=100))
    assert [(row.says.split(" is shown")[0], row.differs) for row in found.differences] == [("No difference in repetition mass", False)]


def test_what_was_published_stands_on_axes_of_its_own(whole: Comparison) -> None:
    ours, words, theirs = scatters(whole)
    assert (ours.ours, words.ours, theirs.ours) == (True, True, False)
    assert [point.name for point in theirs.points] == ["Alpaca", "Alpaca and WikiText-103", "WikiText-103"]
    assert theirs.points[2].says == "WikiText-103: 0.103 in the data, 0.541 in the output"
    assert len(ours.points) == 4  # the base was trained on nothing here


def test_points_on_one_spot_have_numbers_apart() -> None:
    spots = [(100.0, 100.0)] * 15 + [(108.0, 100.0)] * 3
    places = labels(spots)
    apart = [((ax - bx) ** 2 + (ay - by) ** 2) ** 0.5 for i, (ax, ay) in enumerate(places) for bx, by in places[:i]]
    assert min(apart) >= 12


def test_losses_have_a_line_for_each_seed(whole: Comparison) -> None:
    drawn, steps, losses = curves(whole)
    assert {curve.arm for curve in drawn} == {"clean", "clean_nostop", "raw", "raw_nostop"}
    assert all(len(curve.training) == len(curve.held_out) == 3 for curve in drawn)
    assert all(0 <= share <= 1 for curve in drawn for line in curve.training for point in line for share in point)
    assert (steps.low, losses.low) == (0, 0)


@given(st.lists(st.floats(-1e4, 1e4), max_size=6))
def test_an_axis_holds_its_values_and_zero(values: list[float]) -> None:
    found = axis(values)
    assert all(-1e-6 <= found.share(value) <= 1 + 1e-6 for value in [*values, 0])
    assert 2 <= len(found.ticks) <= 8
    assert len({found.label(tick) for tick in found.ticks}) == len(found.ticks)


def test_what_a_model_wrote_is_text(fake: Maker) -> None:
    runs = [fake("raw"), fake("clean")]
    path = runs[0] / "answers/greedy.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
    odd = INJECTION + "\u202eกลับด้าน\x07"
    path.write_text("".join(json.dumps(row | {"answer": odd}) + "\n" for row in rows), encoding="utf-8")
    page = to_html(compare(runs, contrasts=[Contrast("raw", "clean", INJECTION, INJECTION)], study=Study(INJECTION), draws=100))
    found = Elements(page)
    assert found.open == []
    assert {"script", "img"}.isdisjoint(tag for tag, _ in found.seen)
    assert "{{ 7*7 }}" in "".join(found.text)
    assert "\u202e" not in page
    assert "\x07" not in page


def test_an_arm_may_have_any_name(fake: Maker) -> None:
    page = to_html(compare([fake("<b>raw", kind="raw"), fake('c"lean', kind="clean")], headline=("<b>raw", 'c"lean'), draws=100))
    assert Elements(page).open == []
    assert "<b>raw" not in page


def test_an_empty_answer_is_said_to_be_empty(fake: Maker) -> None:
    runs = [fake("raw"), fake("clean")]
    path = runs[1] / "answers/greedy.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
    path.write_text("".join(json.dumps(row | {"answer": ""}) + "\n" for row in rows), encoding="utf-8")
    assert '<em lang="en">(empty)</em>' in to_html(compare(runs, headline=("raw", "clean"), draws=100))


def test_a_base_alone_can_be_shown(fake: Maker) -> None:
    found = compare([fake("base"), fake("clean")], headline=("clean", "base"), draws=100)
    assert Elements(to_html(found)).open == []


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium in the PATH")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_fits_a_desk_and_a_telephone(page: str, tmp_path: Path, width: int, scheme: str) -> None:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    file = tmp_path / "comparison.html"
    file.write_text(page, encoding="utf-8")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--no-first-run"])
        sheet = browser.new_page(viewport={"width": width, "height": 844}, color_scheme=scheme)
        asked: list[str] = []
        faults: list[str] = []
        sheet.on("request", lambda request: asked.append(request.url))
        sheet.on("console", lambda message: faults.append(message.text))
        sheet.goto(file.as_uri())
        wide = sheet.evaluate("document.documentElement.scrollWidth")
        browser.close()
    assert wide <= width
    assert faults == []
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
