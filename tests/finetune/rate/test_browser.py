"""A person at the page: headless Chromium from the first page to the export, by keyboard and by finger, wide and narrow.

Needs Playwright and a Chromium in the PATH, and for the check of accessibility axe-core: its ``axe.min.js`` named in AXE
(``npm pack axe-core``). Screenshots of the how-to page are made anew by
``RATE_SCREENSHOTS=docs/how-to/img python -m pytest tests/finetune/rate/test_browser.py``.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner

from finetune.cli import main
from finetune.rate.votes import read_study

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium in the PATH")

WIDTHS = {1280: 800, 390: 844}
ARGUMENTS = (
    "no-sandbox",
    "disable-gpu",
    "disable-quic",
    "no-first-run",
    "disable-background-networking",
    "disable-component-update",
    "disable-sync",
)
AXE = os.environ.get("AXE", "")
SCREENSHOTS = os.environ.get("RATE_SCREENSHOTS", "")


class Seat(NamedTuple):
    """A page, with what went wrong on it and every address it asked for."""

    page: Any
    faults: list[str]
    asked: list[str]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=[f"--{argument}" for argument in ARGUMENTS])
        yield browser
        browser.close()


@pytest.fixture
def seat(chromium: Any) -> Iterator[Callable[..., Seat]]:
    opened = []

    def sit(width: int, scheme: str = "light", **options: Any) -> Seat:
        context = chromium.new_context(
            viewport={"width": width, "height": WIDTHS[width]}, color_scheme=scheme, has_touch=width < 500, locale="th-TH", **options
        )
        opened.append(context)
        seat = Seat(context.new_page(), [], [])
        seat.page.on("console", lambda message: seat.faults.append(f"console: {message.text}"))
        seat.page.on("pageerror", lambda error: seat.faults.append(f"script: {error}"))
        # A request that the next page cuts short (the icon, mostly) is no fault.
        seat.page.on("requestfailed", lambda r: seat.faults.append(f"{r.failure}: {r.url}") if r.failure != "net::ERR_ABORTED" else None)
        seat.page.on("response", lambda r: seat.faults.append(f"{r.status}: {r.url}") if r.status >= 400 else None)
        seat.page.on("request", lambda request: seat.asked.append(request.url))
        return seat

    yield sit
    for context in opened:
        context.close()


def join(page: Any, url: str, name: str) -> None:
    page.goto(url)
    page.get_by_label("ชื่อของคุณ").fill(name)
    page.get_by_role("button", name="เริ่มให้คะแนน").click()
    page.get_by_role("link", name="ไปให้คะแนน").click()
    page.wait_for_url("**/rate")


def press(page: Any, *keys: str) -> None:
    """Keys, the last of which leads to the next page; the page takes none in its first third of a second."""
    page.wait_for_timeout(350)
    for key in keys[:-1]:
        page.keyboard.press(key)
    with page.expect_navigation():
        page.keyboard.press(keys[-1])


@pytest.mark.parametrize("width", WIDTHS)
def test_from_the_first_page_to_the_export_by_keyboard(
    width: int, seat: Callable[..., Seat], serve: Callable[..., tuple[str, Any]], tmp_path: Path
) -> None:
    url, _ = serve("--repeat", "0.2")
    here = seat(width)
    page = here.page
    join(page, url, "สมหญิง")
    assert page.evaluate("document.documentElement.lang") == "th"
    press(page, "q", "o", "a")
    press(page, "2")
    press(page, "z")  # the second is taken back ...
    assert page.locator("button.before").get_attribute("value") == "right"
    page.wait_for_timeout(350)
    page.keyboard.press("n")
    page.keyboard.type("คำตอบนี้สั้นกว่า a b t x z 1 2")  # ... letters in a note are no votes ...
    page.keyboard.press("Escape")
    press(page, "t")
    press(page, "x")
    while "จาก" in page.title():
        press(page, "b")
    assert page.get_by_role("heading").inner_text() == "ครบทุกข้อแล้ว ขอบคุณมาก"
    with page.expect_download() as download:
        page.get_by_role("link", name="ดาวน์โหลดคะแนนของฉัน").click()
    mine = [json.loads(line) for line in Path(download.value.path()).read_text(encoding="utf-8").splitlines()]
    assert [vote["choice"] for vote in mine] == ["left", "tie", "both_bad", "right", "right", "right"]

    export = tmp_path / "votes.jsonl"
    CliRunner().invoke(main, ["rate-report", str(tmp_path / "served.sqlite"), "--jsonl", str(export)])
    votes = [json.loads(line) for line in export.read_text(encoding="utf-8").splitlines()]
    shared = ("choice", "note", "off_topic_left", "off_topic_right", "repeats_left", "repeats_right", "seconds", "at")
    assert [[vote[name] for name in shared] for vote in sorted(votes, key=lambda vote: str(vote["at"]))] == [
        [vote[name] for name in shared] for vote in sorted(mine, key=lambda vote: str(vote["at"]))
    ]
    assert (votes[0]["repeats_left"], votes[0]["off_topic_right"], votes[0]["rater"]) == (True, True, "สมหญิง")
    assert votes[1]["note"] == "คำตอบนี้สั้นกว่า a b t x z 1 2"
    assert not here.faults
    assert all(asked.startswith(url) for asked in here.asked)


@pytest.mark.parametrize("width", WIDTHS)
def test_every_button_is_large_enough_for_a_finger_and_votes(
    width: int, seat: Callable[..., Seat], serve: Callable[..., tuple[str, Any]], tmp_path: Path
) -> None:
    url, _ = serve("--repeat", "0")
    here = seat(width)
    page = here.page
    touch = page.touchscreen.tap if width < 500 else page.mouse.click
    join(page, url, "สมชาย")
    for choice in ("right", "both_bad", "tie", "left", "right"):
        small = page.evaluate(
            "[...document.querySelectorAll('button, a, label:has(input), summary')].filter(e => e.checkVisibility())"
            ".map(e => [e.textContent.trim(), e.getBoundingClientRect()]).filter(([_, r]) => r.height < 44 || r.width < 44).map(([t]) => t)"
        )
        assert not small
        box = page.locator(f"button[value={choice}]").bounding_box()
        assert box["y"] + box["height"] <= WIDTHS[width]  # in sight without scrolling, however long the answers
        with page.expect_navigation():
            touch(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert [vote.choice for vote in read_study(tmp_path / "served.sqlite").votes] == ["right", "both_bad", "tie", "left", "right"]
    assert not here.faults


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_wider_than_the_window(width: int, seat: Callable[..., Seat], serve: Callable[..., tuple[str, Any]]) -> None:
    url, _ = serve("--repeat", "0")
    page = seat(width).page
    join(page, url, "ก้อย")
    while "จาก" in page.title():
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        press(page, "t")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_key_goes_by_its_place_on_a_thai_keyboard(
    seat: Callable[..., Seat], serve: Callable[..., tuple[str, Any]], tmp_path: Path
) -> None:
    url, _ = serve("--repeat", "0")
    page = seat(1280).page
    join(page, url, "ก้อย")
    page.wait_for_timeout(350)
    with page.expect_navigation():  # the key of A types ฟ in the Kedmanee layout
        page.evaluate("document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'ฟ', code: 'KeyA', bubbles: true}))")
    assert [vote.choice for vote in read_study(tmp_path / "served.sqlite").votes] == ["left"]


def test_a_key_held_too_long_does_not_vote_on_an_unseen_item(
    seat: Callable[..., Seat], serve: Callable[..., tuple[str, Any]], tmp_path: Path
) -> None:
    url, _ = serve("--repeat", "0")
    page = seat(1280).page
    join(page, url, "ก้อย")
    press(page, "a")
    page.keyboard.press("a")
    page.wait_for_timeout(500)
    assert len(read_study(tmp_path / "served.sqlite").votes) == 1


def test_without_scripts_the_buttons_vote_all_the_same(
    seat: Callable[..., Seat], serve: Callable[..., tuple[str, Any]], tmp_path: Path
) -> None:
    url, _ = serve("--repeat", "0")
    page = seat(390, java_script_enabled=False).page
    join(page, url, "ก้อย")
    page.get_by_role("button", name="A ดีกว่า").click()
    page.get_by_text("ข้อ 2").wait_for()
    assert [vote.choice for vote in read_study(tmp_path / "served.sqlite").votes] == ["left"]


def test_what_is_folded_opens_and_is_whole(
    seat: Callable[..., Seat], serve: Callable[..., tuple[str, Any]], answers: tuple[tuple[str, str, str], ...]
) -> None:
    url, _ = serve("--repeat", "0")
    page = seat(1280).page
    join(page, url, "ก้อย")
    whole = {answer for row in answers for answer in row[1:]}
    seen = set()
    while "จาก" in page.title():
        for side in (".answer.left .text", ".answer.right .text"):
            # Without the summaries, the element holds the answer to the last character.
            seen.add(
                page.locator(side).evaluate(
                    "e => { const c = e.cloneNode(true); c.querySelectorAll('summary').forEach(s => s.remove()); return c.textContent }"
                )
            )
        press(page, "t")
    assert {text for text in whole if text and "\x07" not in text} <= seen


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_no_fault(
    width: int, scheme: str, seat: Callable[..., Seat], serve: Callable[..., tuple[str, Any]], tmp_path: Path
) -> None:
    if not Path(AXE).is_file():
        pytest.skip("axe-core is not at hand: npm pack axe-core, and name its axe.min.js in AXE")
    script = Path(AXE).read_text(encoding="utf-8")
    url, _ = serve("--repeat", "0.2")
    page = seat(width, scheme, bypass_csp=True).page  # axe is a script of another origin; the page itself would not run it
    found = []

    def look() -> None:
        page.evaluate(script)
        for fault in page.evaluate("axe.run()")["violations"]:
            found.append((page.title(), fault["impact"], fault["id"], fault["nodes"][0]["html"][:120]))

    page.goto(url)
    look()
    page.get_by_label("ชื่อของคุณ").fill("\x07")
    page.get_by_role("button", name="เริ่มให้คะแนน").click()
    look()
    join(page, url, "ก้อย")
    while "จาก" in page.title():
        page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
        look()
        press(page, "t")
    look()
    page.goto(f"{url}how")
    look()
    page.goto(f"{url}nowhere")
    look()
    report = tmp_path / "report.html"
    CliRunner().invoke(main, ["rate-report", str(tmp_path / "served.sqlite"), "--html", str(report)])
    page.goto(report.as_uri())
    look()
    assert not found


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "light")])
def test_the_how_to_page_has_its_pictures(
    width: int, scheme: str, seat: Callable[..., Seat], serve: Callable[..., tuple[str, Any]], tmp_path: Path
) -> None:
    url, _ = serve("--repeat", "0")
    page = seat(width, scheme).page
    join(page, url, "ก้อย")
    while not page.locator(".loop").count() or not page.get_by_text("ฟิสิกส์").count():  # the item of a good answer and a loop
        press(page, "t")
    page.wait_for_timeout(350)
    page.keyboard.press("q" if page.locator(".left .loop").count() else "p")
    picture = Path(SCREENSHOTS or tmp_path) / f"rate-{width}-{scheme}.png"
    page.screenshot(path=str(picture))
    assert picture.stat().st_size > 20_000  # a blank page of this size takes less
