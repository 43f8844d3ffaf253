"""The site that `make docs` builds: no warning, no dead link, nothing asked of another host, readable wide and narrow.

Needs the docs group (`make docs` installs it); the looks need Playwright and a Chromium in the PATH.
"""

from __future__ import annotations

import functools
import http.server
import importlib.util
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urldefrag, urljoin

import pytest

import thaiwiki_clean as tw

ROOT = Path(__file__).resolve().parent.parent
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
ARGUMENTS = ("no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking", "disable-component-update", "disable-sync")  # fmt: skip


class Built(NamedTuple):
    """A site, and what the build of it said."""

    folder: Path
    status: int
    said: str


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The documents as they are, built away from the repository."""
    missing = [name for name in ("zensical", "mkdocstrings") if not importlib.util.find_spec(name)]
    if missing:
        pytest.skip(f"the site needs {' and '.join(missing)}: run make docs once")
    home = tmp_path_factory.mktemp("docs")
    shutil.copytree(ROOT / "docs", home / "docs")
    shutil.copytree(ROOT / "thaiwiki_clean", home / "thaiwiki_clean", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "zensical.toml", home)
    done = subprocess.run([sys.executable, "-m", "zensical", "build", "--strict"], cwd=home, capture_output=True, text=True, check=False)
    return Built(home / "site", done.returncode, done.stdout + done.stderr)


class Page(HTMLParser):
    """What a built page asks a browser to load, where its links lead, and the places in it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.places: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        self.places |= {told["id"]} if told.get("id") else set()
        if tag == "a" and "href" in told:
            self.links.append(told["href"])
        elif tag == "link" and told.get("rel") not in ("canonical", "prev", "next", "alternate"):
            self.loads.append(told["href"])
        elif "src" in told:
            self.loads.append(told["src"])


@pytest.fixture(scope="module")
def pages(built: Built) -> dict[str, Page]:
    return {path.relative_to(built.folder).as_posix(): Page(path) for path in sorted(built.folder.rglob("*.html"))}


def test_it_builds_without_a_warning(built: Built) -> None:
    assert built.status == 0, built.said
    assert "warning" not in built.said.lower()


def test_every_document_is_a_page(built: Built, pages: dict[str, Page]) -> None:
    documents = {path.relative_to(ROOT / "docs").with_suffix(".html").as_posix() for path in (ROOT / "docs").rglob("*.md")}
    assert documents <= set(pages)


def test_pages_load_nothing_from_another_host(pages: dict[str, Page]) -> None:
    assert [(name, address) for name, page in pages.items() for address in page.loads if "//" in address] == []


def test_links_and_anchors_lead_to_a_place_that_is_there(built: Built, pages: dict[str, Page]) -> None:
    broken = []
    for name, page in pages.items():
        for link in page.links:
            address, place = urldefrag(urljoin(f"/{name}", link))
            if "//" in link or link.startswith("mailto:") or name == "404.html":
                continue
            target = unquote(address).lstrip("/") or "index.html"
            if not (built.folder / target).exists() or (place and target in pages and unquote(place) not in pages[target].places):
                broken.append(f"{name}: {link}")
    assert broken == []


def test_every_public_name_can_be_linked_to(pages: dict[str, Page]) -> None:
    places = {place.rpartition(".")[2] for place in pages["reference/api.html"].places if place.startswith("thaiwiki_clean.")}
    assert set(tw.__all__) <= places


def test_no_docstring_shows_its_markup(built: Built) -> None:
    left = []
    for path in (built.folder / "reference").rglob("api*.html"):
        left += [
            f"{path.name}: {mark}"
            for mark in (":func:`", ":class:`", ":mod:`", "&lt;p&gt;&gt;&gt;&gt;", "<p>&gt;&gt;&gt;")
            if mark in path.read_text("utf-8")
        ]
    assert left == []


# --------------------------------------------------------------------------- looks


@pytest.fixture(scope="module")
def address(built: Built) -> Iterator[str]:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(built.folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no Chromium in the PATH")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=[f"--{argument}" for argument in ARGUMENTS])
        yield browser
        browser.close()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "dark"), (390, "light")])
def test_a_browser_shows_every_page_in_full_and_asks_nobody_else(
    width: int, scheme: str, address: str, chromium: Any, pages: dict[str, Page]
) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    seat, faults = context.new_page(), []
    seat.on(
        "request", lambda request: None if request.url.startswith((address, "data:", "blob:")) else faults.append(f"asked {request.url}")
    )
    seat.on("console", lambda message: faults.append(f"console: {message.text}") if message.type in ("error", "warning") else None)
    seat.on("pageerror", lambda error: faults.append(f"script: {error}"))
    for name in pages:
        if name != "404.html":
            seat.goto(address + name)
            wide = seat.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            faults += [f"{name} is {wide} pixels too wide"] if wide > 0 else []
    shown = seat.evaluate("document.body.dataset.mdColorScheme")
    context.close()
    assert faults == []
    assert shown == {"light": "default", "dark": "slate"}[scheme]


def test_search_finds_a_page_by_its_words(address: str, chromium: Any) -> None:
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    seat = context.new_page()
    seat.goto(address + "index.html")
    for _ in range(100):  # until the page hears keys: what is typed before would turn pages
        seat.keyboard.press("Control+k")
        seat.wait_for_timeout(200)
        if seat.evaluate("document.activeElement !== document.body"):
            break
    seat.keyboard.type("near_duplicate", delay=20)
    seat.locator("a[href*='reasons.html#verdicts-on-pages']").wait_for(timeout=60_000)
    context.close()
