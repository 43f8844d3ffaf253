"""The rating page: each route is one function, a form in and a page or a redirect out.

Every request opens the database anew and everything a rater did is in it, so the server can be killed and started at any time.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from finetune.rate import store
from finetune.rate.fold import fold
from finetune.rate.guard import MAX_BODY, YEAR, Guard
from finetune.rate.schema import reading, study
from finetune.rate.votes import own_votes

__all__ = ["access_token", "build_app"]

CHOICES = ("left", "right", "tie", "both_bad")
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
STATIC = {"rate.css": "text/css", "rate.js": "text/javascript", "icon.svg": "image/svg+xml"}

_PAGES = Environment(
    loader=PackageLoader("finetune.rate"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)


def access_token(path: Path) -> str:
    """The token of the link when the page is not on loopback: the same after a restart, and not to be guessed."""
    with reading(path) as db:
        return store.sign(study(db)["key"], "access")[:32]


def build_app(path: Path, *, hosts: frozenset[str] = LOOPBACK, token: str = "") -> ASGIApp:
    """The application over the rating database ``path``; see :class:`finetune.rate.guard.Guard` for ``hosts`` and ``token``."""
    with reading(path) as db:
        terms = study(db)
    suffix = store.sign(terms["key"], "study")[:8]  # two studies on one machine keep their cookies apart
    app = Starlette(
        routes=[
            Route("/", start, methods=["GET"]),
            Route("/join", join, methods=["POST"]),
            Route("/continue", go_on, methods=["POST"]),
            Route("/how", how, methods=["GET"]),
            Route("/rate", rate, methods=["GET"]),
            Route("/vote", vote, methods=["POST"]),
            Route("/undo", undo, methods=["POST"]),
            Route("/leave", leave, methods=["POST"]),
            Route("/votes.jsonl", own, methods=["GET"]),
            *(Route(f"/static/{name}", _static(name, kind), methods=["GET"]) for name, kind in STATIC.items()),
        ],
        exception_handlers={HTTPException: _problem, Exception: _problem},
    )
    app.state.path, app.state.cookie = path, f"rater_{suffix}"
    # Not bound to a rater: it says that a form came from a page of ours. One per study, so it outlives a restart.
    app.state.form = store.sign(terms["key"], "form")
    return Guard(app, hosts, token, f"access_{suffix}")


async def start(request: Request) -> Response:
    """The first page: a name, or the code of a rater who comes back."""
    if await _rater(request):
        return RedirectResponse("/rate", 303)
    return _page("start.html", form=request.app.state.form, problem="", name="")


async def join(request: Request) -> Response:
    """A new rater; on success the next page is the instructions, with the code to come back with."""
    fields = await _form(request)
    _check_form(request, fields)
    try:
        _, code = await run_in_threadpool(store.join, request.app.state.path, fields.get("name", ""))
    except ValueError as error:
        return _page(
            "start.html", 400, form=request.app.state.form, problem=str(error), name=fields.get("name", "")[: store.NAME_CHARACTERS]
        )
    return _signed_in(request, code, "/how")


async def go_on(request: Request) -> Response:
    """A rater who comes back with a code, from another browser."""
    fields = await _form(request)
    _check_form(request, fields)
    code = fields.get("code", "").strip()
    if not await run_in_threadpool(store.rater_of, request.app.state.path, code):
        return _page("start.html", 400, form=request.app.state.form, problem="code", name="")
    return _signed_in(request, code, "/rate")


async def leave(request: Request) -> Response:
    """Forget the rater in this browser, so that somebody else can take the seat."""
    _check_form(request, await _form(request))
    response = RedirectResponse("/", 303)
    response.delete_cookie(request.app.state.cookie, httponly=True, samesite="lax")
    return response


async def how(request: Request) -> Response:
    """What to do, the keys, and the rater's own code."""
    rater = await _rater(request)
    if rater is None:
        return RedirectResponse("/", 303)
    code = request.cookies[request.app.state.cookie]
    return _page("how.html", rater=rater, secret=code, form=request.app.state.form)


async def rate(request: Request) -> Response:
    """The next item, or the last page when there is none."""
    rater = await _rater(request)
    if rater is None:
        return RedirectResponse("/", 303)
    item = await run_in_threadpool(store.showing, request.app.state.path, rater, _now_ms())
    if not item.ticket:
        return _page("done.html", rater=rater, item=item, form=request.app.state.form)
    return await run_in_threadpool(_item_page, item)


async def vote(request: Request) -> Response:
    """Store a vote; the redirect to the next item leaves only when the disk has it."""
    fields = await _form(request)
    rater = await _rater(request)
    if rater is None:
        raise HTTPException(403, "rater")
    note = fields.get("note", "").replace("\r\n", "\n")
    if fields.get("choice") not in CHOICES or len(note) > store.NOTE_CHARACTERS:
        raise HTTPException(400, "form")
    ballot = store.Ballot(fields["choice"], tuple(mark in fields for mark in store.MARKS), note)  # type: ignore[arg-type]
    return _after(await run_in_threadpool(store.vote, request.app.state.path, rater, fields.get("ticket", ""), ballot, _now_ms()))


async def undo(request: Request) -> Response:
    """Take the last vote back; its item comes up again with what was said about it."""
    fields = await _form(request)
    rater = await _rater(request)
    if rater is None:
        raise HTTPException(403, "rater")
    return _after(await run_in_threadpool(store.undo, request.app.state.path, rater, fields.get("ticket", "")))


async def own(request: Request) -> Response:
    """The rater's own votes as JSONL, as blind as the page was."""
    rater = await _rater(request)
    if rater is None:
        raise HTTPException(403, "rater")
    votes = await run_in_threadpool(own_votes, request.app.state.path, rater.id)
    body = "".join(json.dumps(vote, ensure_ascii=False) + "\n" for vote in votes)
    return Response(body, media_type="application/x-ndjson", headers={"content-disposition": 'attachment; filename="votes.jsonl"'})


def _item_page(item: store.Showing) -> Response:
    before = item.before or store.Ballot("")
    return _page(
        "rate.html",
        item=item,
        sides=(("A", "left", fold(item.left)), ("B", "right", fold(item.right))),
        before={"choice": before.choice, "note": before.note, **dict(zip(store.MARKS, before.marks, strict=True))},
        note_characters=store.NOTE_CHARACTERS,
    )


def _after(outcome: store.Outcome) -> Response:
    if outcome == "forged":
        raise HTTPException(403, "form")
    if outcome == "stale":
        raise HTTPException(409, "stale")
    return RedirectResponse("/rate", 303)


async def _rater(request: Request) -> store.Rater | None:
    code = request.cookies.get(request.app.state.cookie, "")
    return await run_in_threadpool(store.rater_of, request.app.state.path, code) if code else None


async def _form(request: Request) -> dict[str, str]:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise HTTPException(413, "form")
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, encoding="utf-8", errors="strict", max_num_fields=20)
    except ValueError:
        raise HTTPException(400, "form") from None
    if len(dict(pairs)) != len(pairs) or any("\x00" in value for _, value in pairs):
        raise HTTPException(400, "form")
    return dict(pairs)


def _check_form(request: Request, fields: Mapping[str, str]) -> None:
    if not store.same(fields.get("form", ""), request.app.state.form):
        raise HTTPException(403, "form")


def _signed_in(request: Request, code: str, to: str) -> Response:
    response = RedirectResponse(to, 303)
    response.set_cookie(request.app.state.cookie, code, max_age=YEAR, httponly=True, samesite="lax")
    return response


def _page(template: str, code: int = 200, **values: Any) -> Response:
    return HTMLResponse(_PAGES.get_template(template).render(**values), code)


async def _problem(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return _page("problem.html", status, status=status, why=error.detail if isinstance(error, HTTPException) else "")


def _static(name: str, kind: str) -> Any:
    content = (files("finetune.rate") / "static" / name).read_bytes()

    async def serve(request: Request) -> Response:
        return Response(content, media_type=kind, headers={"cache-control": "private, max-age=600"})  # not anew with each item

    return serve


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
