"""The door of the rating page: what is not a plain request from this page's own forms goes no further.

An ASGI middleware, because the checks concern the raw request and hold for every route alike: size of the headers,
host (DNS rebinding), method, content type, origin (CSRF), and the token of the link when the page is not on loopback.
Every answer, also a refusal, carries headers under which a browser runs no script and loads nothing but this page's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, urlsplit

from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from finetune.rate.store import same

__all__ = ["MAX_BODY", "Guard"]

MAX_HEADERS = 16_384  #: bytes, all names and values together
MAX_BODY = 32_768  #: bytes; a note of 2,000 Thai characters takes 18,000 when a form escapes it
YEAR = 365 * 24 * 3600

HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",  # "no-referrer" would make browsers send "Origin: null" with our own forms
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


@dataclass(frozen=True)
class Guard:
    """Wraps ``app``; ``hosts`` are the names it answers to (empty: any), ``token`` opens it (empty: no token needed)."""

    app: ASGIApp
    hosts: frozenset[str]
    token: str
    cookie: str

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it; either way the answer gets the headers."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # no websockets here: nothing answered, the server closes

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                names = {name for name, _ in message["headers"]}
                extra = [(k.encode(), v.encode()) for k, v in HEADERS.items() if k.encode() not in names]
                message = {**message, "headers": [*message["headers"], *extra]}
            await send(message)

        refusal = self.refuse(scope)
        await (refusal or self.app)(scope, receive, send_guarded)

    def refuse(self, scope: Scope) -> Response | None:
        """The answer to a request that may not pass, or None."""
        if sum(len(name) + len(value) for name, value in scope["headers"]) > MAX_HEADERS:
            return _no(431, "the headers are too large")
        headers: dict[str, list[str]] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name.decode("latin-1"), []).append(value.decode("latin-1"))
        host = headers.get("host", [])
        if len(host) != 1 or (self.hosts and _name(host[0]) not in self.hosts):
            return _no(421, "this page does not answer to that host name; open the link that the command printed")
        if scope["method"] not in ("GET", "HEAD", "POST"):
            return _no(405, "only GET and POST")
        if self.token:
            given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
            if given and same(given, self.token):
                go_on = RedirectResponse("/", 303)  # the token leaves the address bar
                go_on.set_cookie(self.cookie, self.token, max_age=YEAR, httponly=True, samesite="lax")
                return go_on
            if not same(_cookie(headers, self.cookie), self.token):
                return _no(403, "open the link with the token that whoever runs the page gave you")
        if scope["method"] == "POST":
            return _refuse_post(headers, host[0])
        return None


def _refuse_post(headers: dict[str, list[str]], host: str) -> Response | None:
    # A browser always names the origin of a POST; a client without a browser has no cookies that a foreign page could use.
    for origin in headers.get("origin", []):
        if urlsplit(origin).netloc != host:
            return _no(403, "this form was sent by another page")
    if any(site not in ("same-origin", "none") for site in headers.get("sec-fetch-site", [])):
        return _no(403, "this form was sent by another page")
    if headers.get("content-type", [""])[0].partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        return _no(415, "a form comes as application/x-www-form-urlencoded")
    length = headers.get("content-length", ["0"])[0]
    if not length.isdecimal() or int(length[:12]) > MAX_BODY:
        return _no(413, f"a form has at most {MAX_BODY} bytes")
    return None


def _name(host: str) -> str:
    """The name in a Host header, without the port.

    >>> _name("[::1]:8000"), _name("LOCALHOST")
    ('::1', 'localhost')
    """
    try:
        return (urlsplit(f"//{host}").hostname or "") if not set(host) & set("/@?#\\ ") else ""
    except ValueError:
        return ""


def _cookie(headers: dict[str, list[str]], name: str) -> str:
    try:
        jar = SimpleCookie("; ".join(headers.get("cookie", [])))
    except CookieError:
        return ""
    return jar[name].value if name in jar else ""


def _no(status: int, why: str) -> Response:
    return PlainTextResponse(f"{why}\n", status)
