"""The page against a hostile client: other raters, foreign pages, odd requests, and answers full of markup."""

from __future__ import annotations

import json
import re
import socket
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from finetune.rate.store import Ballot, Showing
from finetune.rate.votes import read_study

TestClient = pytest.importorskip("starlette.testclient", reason="starlette and httpx2 are not installed").TestClient
anyio = pytest.importorskip("anyio")
from finetune.rate.app import _item_page  # noqa: E402 - needs starlette
from finetune.rate.guard import HEADERS, MAX_BODY  # noqa: E402

Client = Callable[..., Any]
Forms = Callable[[str], dict[str, dict[str, str]]]

#: The fixtures stand for the whole test: a request changes nothing that the next one would see, or the test says so.
shared = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=settings().max_examples)
PATHS = ("/", "/join", "/continue", "/how", "/rate", "/vote", "/undo", "/leave", "/votes.jsonl")
FORM = {"content-type": "application/x-www-form-urlencoded"}


def every_page(browser: Any, forms: Forms) -> Iterator[str]:
    """The source of every page a rater comes through, and their download."""
    yield browser.get("/how").text
    while "/vote" in (found := forms((page := browser.get("/rate")).text)):
        yield page.text
        browser.post("/vote", data={**found["/vote"], "choice": "left"})
    yield from (page.text, browser.get("/votes.jsonl").text, browser.get("/nowhere").text)


def test_no_page_names_a_system_or_shows_the_key(client: Client, forms: Forms, systems: tuple[str, str], ratings: Path) -> None:
    db = sqlite3.connect(ratings)
    key = db.execute("SELECT value FROM study WHERE key = 'key'").fetchone()[0]
    db.close()
    pages = list(every_page(client("ก้อย"), forms)) + [client().get(f"/static/{name}").text for name in ("rate.js", "rate.css")]
    assert len(pages) == 12
    for page in pages:
        assert not [secret for secret in (*systems, key, str(ratings)) if secret in page]


class Skeleton(HTMLParser):
    """The tags of a page with their attributes' names, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, ...]] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, *(name for name, _ in attrs)))

    def handle_endtag(self, tag: str) -> None:
        self.tags.append((f"/{tag}",))

    def handle_data(self, data: str) -> None:
        self.text += data


MARKUP = st.lists(
    st.sampled_from(
        [
            "<",
            ">",
            '"',
            "'",
            "&lt;",
            "</div>",
            "</form>",
            "<script>",
            "<!--",
            "-->",
            "]]>",
            "{{",
            "}}",
            "{%",
            "onload=",
            "ก",
            "\x00",
            "\u2028",
        ]
    )
).map("".join)


@settings(deadline=None)
@given(prompt=MARKUP | st.text(), left=MARKUP | st.text(), right=MARKUP | st.text(), note=MARKUP | st.text())
def test_no_text_becomes_markup(prompt: str, left: str, right: str, note: str) -> None:
    def page(*texts: str) -> Skeleton:
        ballot = Ballot("tie", note=texts[3])
        return Skeleton(bytes(_item_page(Showing(3, 9, *texts[:3], "ticket", "undo", ballot)).body).decode())

    plain = page("ถาม", "ก" if left else "", "ข" if right else "", "ค" if note else "")
    assert page(prompt, left, right, note).tags == plain.tags


def test_a_script_in_an_answer_is_shown_and_does_not_run(client: Client, forms: Forms) -> None:
    pages = [Skeleton(page) for page in every_page(client("ก้อย"), forms) if "hacked" in page and page.startswith("<!doctype")]
    assert pages
    for page in pages:
        assert [tag for tag in page.tags if tag[0] in ("script", "img")] == [("script", "src", "defer")]
        assert '<script>document.title="hacked"</script>' in page.text
        assert "{{ 7*7 }}" in page.text


@pytest.mark.parametrize("path", [*PATHS, "/static/rate.js", "/nowhere", "/static/../cli.py"])
def test_every_answer_carries_the_headers(client: Client, path: str) -> None:
    found = client().get(path, follow_redirects=False).headers
    kept = {"cache-control": "private, max-age=600"} if path == "/static/rate.js" else {}
    assert {name: found[name] for name in HEADERS} == {**HEADERS, **kept}


def test_without_a_rater_there_is_nothing_to_see_or_do(client: Client, forms: Forms) -> None:
    own = forms(client("ก้อย").get("/rate").text)["/vote"]
    stranger = client()
    assert [stranger.get(path, follow_redirects=False).status_code for path in ("/rate", "/how", "/votes.jsonl")] == [303, 303, 403]
    assert [stranger.post(path, data={**own, "choice": "left"}).status_code for path in ("/vote", "/undo")] == [403, 403]


def test_no_rater_votes_for_another(client: Client, forms: Forms, ratings: Path) -> None:
    noi, koi = client("น้อย"), client("ก้อย")
    form = forms(koi.get("/rate").text)["/vote"]
    assert noi.post("/vote", data={**form, "choice": "left", "rater": "2", "name": "ก้อย"}).status_code == 403
    koi.post("/vote", data={**form, "choice": "tie"})
    taken = forms(koi.get("/rate").text)["/undo"]
    assert noi.post("/undo", data=taken).status_code == 403
    assert [(v.rater, v.choice) for v in read_study(ratings).votes] == [("ก้อย", "tie")]


def test_a_name_alone_does_not_make_one_that_rater(client: Client, forms: Forms) -> None:
    client("ก้อย")
    other = client()
    form = forms(other.get("/").text)["/join"]
    assert other.post("/join", data={**form, "name": "ก้อย"}).status_code == 400
    assert other.get("/rate", follow_redirects=False).status_code == 303


def test_a_code_goes_on_in_another_browser(client: Client, forms: Forms) -> None:
    first, second = client("ก้อย"), client()
    first.post("/vote", data={**forms(first.get("/rate").text)["/vote"], "choice": "left"})
    code = re.search(r'<code class="code">([^<]+)', first.get("/how").text)
    assert code
    form = forms(second.get("/").text)["/continue"]
    assert "ข้อ 2" in second.post("/continue", data={**form, "code": f" {code[1]} "}).text


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"origin": "http://127.0.0.1:8017.evil.example"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
@pytest.mark.parametrize("path", ["/join", "/continue", "/vote", "/undo", "/leave"])
def test_a_form_of_another_page_is_refused(client: Client, forms: Forms, ratings: Path, path: str, headers: dict[str, str]) -> None:
    browser = client("ก้อย")
    form = {**forms(browser.get("/rate").text)["/vote"], "choice": "left"}
    assert browser.post(path, data=form, headers=headers).status_code == 403
    assert not read_study(ratings).votes


@pytest.mark.parametrize("path", ["/join", "/continue", "/leave", "/vote", "/undo"])
def test_a_form_without_its_ticket_is_refused(client: Client, path: str) -> None:
    assert client("ก้อย").post(path, data={"name": "x", "code": "x", "choice": "left"}).status_code == 403


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "evil.example:8017", "", "a@127.0.0.1", "[", "127.0.0.1/x"])
def test_another_host_name_is_refused(client: Client, host: str) -> None:
    assert client().get("/", headers={"host": host}).status_code == 421


@pytest.mark.parametrize("host", ["127.0.0.1:8017", "localhost", "LOCALHOST:1", "[::1]:8017"])
def test_names_of_this_machine_are_served(client: Client, host: str) -> None:
    assert client().get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "BREW"])
def test_other_methods_are_refused(client: Client, method: str) -> None:
    assert client("ก้อย").request(method, "/vote").status_code == 405


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"a=" + b"x" * MAX_BODY, FORM, 413),
        ((b"x" * 4096 for _ in range(20)), FORM, 413),  # in chunks, with no length announced
        (b"ticket=1&ticket=2", FORM, 400),
        (b"ticket=%00", FORM, 400),
        (b"ticket=%ff", FORM, 400),
        ("ticket=ก".encode(), FORM, 400),
        (b"&".join(b"a%d=1" % n for n in range(30)), FORM, 400),
        (b"{}", {"content-type": "application/json"}, 415),
        (b"ticket=1", {"content-type": "text/plain"}, 415),
        (b"", FORM, 400),
    ],
)
def test_a_body_that_is_no_form_of_ours_is_refused(client: Client, ratings: Path, body: Any, headers: dict[str, str], status: int) -> None:
    assert client("ก้อย").post("/vote", content=body, headers=headers).status_code == status
    assert not read_study(ratings).votes


def test_a_fault_of_ours_says_that_nothing_was_stored_and_nothing_else(client: Client, forms: Forms, ratings: Path) -> None:
    browser = client("ก้อย")
    form = forms(browser.get("/rate").text)["/vote"]
    db = sqlite3.connect(ratings)
    db.execute("ALTER TABLE vote RENAME TO gone")
    db.close()
    careless = TestClient(browser.app, base_url="http://127.0.0.1:8017", raise_server_exceptions=False, cookies=dict(browser.cookies))
    answer = careless.post("/vote", data={**form, "choice": "left"})
    assert answer.status_code == 500
    assert "ไม่ได้บันทึก" in answer.text
    assert "no such table" not in answer.text
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS


@pytest.mark.parametrize("change", [{"choice": "best"}, {"choice": ""}, {"note": "ก" * 2001}])
def test_a_vote_that_is_none_is_refused(client: Client, forms: Forms, ratings: Path, change: dict[str, str]) -> None:
    browser = client("ก้อย")
    form = {**forms(browser.get("/rate").text)["/vote"], "choice": "left", **change}
    assert browser.post("/vote", data=form).status_code == 400
    assert not read_study(ratings).votes


def test_the_longest_note_fits_whole(client: Client, forms: Forms, ratings: Path) -> None:
    browser = client("ก้อย")
    note = ("ก้" * 1000)[:1998] + "\r\n"  # as browsers send a line end
    browser.post("/vote", data={**forms(browser.get("/rate").text)["/vote"], "choice": "left", "note": note})
    assert [v.note for v in read_study(ratings).votes] == [note.replace("\r\n", "\n")]


def test_the_token_opens_the_page_and_leaves_the_address(client: Client) -> None:
    browser = client(token="s3cret", hosts=frozenset())
    assert browser.get("/").status_code == 403
    assert browser.get("/?token=wrong").status_code == 403
    assert browser.get("/static/rate.js").status_code == 403
    came = browser.get("/?token=s3cret", follow_redirects=False)
    assert (came.status_code, came.headers["location"]) == (303, "/")
    assert "HttpOnly" in came.headers["set-cookie"]
    assert browser.get("/").status_code == 200


TEXTS = st.text(max_size=200)
ODD_PATHS = st.sampled_from(
    ["/../../etc/passwd", "/static/%2e%2e/app.py", "/static//rate.js", "//evil.example/", "/rate/%00", "/votes.jsonl/../x"]
)
BYTES = st.binary(max_size=300).map(lambda b: b.decode("latin-1"))


@shared
@given(path=ODD_PATHS | st.text(st.characters(codec="utf-8"), max_size=40).map(lambda t: "/" + re.sub(r"[?#\x00-\x20\x7f\\]", "", t)))
def test_no_path_leads_anywhere_else(client: Client, path: str) -> None:
    with client() as browser:
        found = browser.get("/static" + path, follow_redirects=False)
    assert found.status_code == 404 or path in ("/rate.js", "/rate.css", "/icon.svg")


@shared
@given(path=st.sampled_from(PATHS), body=st.dictionaries(TEXTS, TEXTS, max_size=8), raw=st.binary(max_size=200), as_form=st.booleans())
def test_no_post_stores_a_vote_without_a_ticket(
    client: Client, ratings: Path, path: str, body: dict[str, str], raw: bytes, as_form: bool
) -> None:
    browser = client("ก้อย") if not read_study(ratings).raters else client()
    sent = (
        browser.post(path, data=body, follow_redirects=False)
        if as_form
        else browser.post(path, content=raw, headers=FORM, follow_redirects=False)
    )
    assert 400 <= sent.status_code < 500
    assert not read_study(ratings).votes
    assert len(read_study(ratings).raters) == 1


@shared
@given(
    name=st.sampled_from(["cookie", "origin", "host", "content-type", "content-length", "sec-fetch-site", "x-forwarded-for", "referer"]),
    value=BYTES,
)
def test_no_header_breaks_the_door(ratings: Path, client: Client, name: str, value: str) -> None:
    guard = client().app
    sent: list[int] = []

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            sent.append(message["status"])

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    headers = [(b"host", b"localhost")] * (name != "host") + [(name.encode(), value.encode("latin-1"))]
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/vote",
        "raw_path": b"/vote",
        "query_string": b"",
        "headers": headers,
        "root_path": "",
        "scheme": "http",
    }
    anyio.run(guard, {**scope, "server": None, "client": None, "http_version": "1.1"}, receive, send)
    assert len(sent) == 1
    assert 400 <= sent[0] < 500


@settings(shared, max_examples=shared.max_examples // 10)
@given(note=st.text(st.characters(exclude_characters="\x00\r", codec="utf-8"), max_size=100))
def test_a_note_comes_back_as_it_was_typed(client: Client, forms: Forms, ratings: Path, note: str) -> None:
    browser = client("ก้อย") if not read_study(ratings).raters else client.browser  # type: ignore[attr-defined]
    client.browser = browser  # type: ignore[attr-defined]
    form = forms(browser.get("/rate").text)
    browser.post("/vote", data={**form["/vote"], "choice": "left", "note": note})
    assert [v.note for v in read_study(ratings).votes] == [note]
    page = browser.get("/rate").text
    assert json.loads(browser.get("/votes.jsonl").text)["note"] == note
    browser.post("/undo", data=forms(page)["/undo"])


def test_a_real_server_bounds_the_header_block(serve: Callable[..., tuple[str, subprocess.Popen[str]]]) -> None:
    url, _ = serve()
    host, port = re.findall(r"//([\d.]+):(\d+)", url)[0]
    with socket.create_connection((host, int(port)), timeout=10) as raw:
        raw.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 20_000 + b"\r\n\r\n")
        assert b" 431 " in raw.recv(100)
    with socket.create_connection((host, int(port)), timeout=10) as raw:
        raw.sendall(b"GET / HTTP/1.1\r\nX: " + b"a" * 60_000)
        assert b" 400 " in raw.recv(100)


def test_beyond_this_machine_the_link_carries_a_token_that_a_restart_keeps(serve: Callable[..., tuple[str, subprocess.Popen[str]]]) -> None:
    import urllib.error
    import urllib.request

    first, second = (serve("--host", "0.0.0.0")[0] for _ in range(2))
    tokens = {re.search(r"\?token=([0-9a-f]{32})$", url)[1] for url in (first, second)}  # type: ignore[index]
    assert len(tokens) == 1
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(first.partition("?")[0].replace("0.0.0.0", "127.0.0.1"))
    caught.value.close()
    assert caught.value.code == 403
