"""The desk as one web application: pages, security headers, limits, and an answer for whatever goes wrong."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from consent.errors import RecordError, StoreError
from consent.registry import Registry, utc_now
from consent.web.ceremonies import CeremonyError
from consent.web.desk import Desk
from consent.web.errors_ja import error_in_japanese
from consent.web.guard import Guard
from consent.web.outbox import MailBox
from consent.web.page import go, render
from consent.web.pages import ROUTERS
from consent.web.protocols import CannotAnswerError, Judge, Listening
from consent.web.rows import Tables
from consent.web.settings import DeskSettings
from consent.web.visiting import (
    NotYoursError,
    PasskeyNeededError,
    RefusedFormError,
    SignInNeededError,
    desk_of,
    visitor_or_nobody,
)


def create_desk(
    registry: Registry,
    settings: DeskSettings,
    *,
    judge: Judge | None = None,
    listening: Listening | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> FastAPI:
    """The review desk over an open registry; mount it, or serve it as it is.

    Args:
        judge: deliveries and their verdicts; without it the desk has approvals, voices and reports.
        listening: their sound and lines.

    Raises:
        StoreError: the desk's own tables cannot be opened.
    """
    app = FastAPI(title="dubgate review desk", docs_url=None, redoc_url=None, openapi_url=None)
    tables = Tables.open(settings.tables)
    app.state.desk = Desk(registry, settings, tables, MailBox(settings, clock), clock, judge, listening, settings.path)
    for router in ROUTERS:
        app.include_router(router)
    app.mount("/static", StaticFiles(directory=str(files("consent.web").joinpath("static"))), name="static")
    app.add_middleware(Guard, settings=settings)
    for kind, answer in _ANSWERS.items():
        app.add_exception_handler(kind, answer)
    return app


def _problem(request: Request, status: int, key: str, words: str = "") -> Response:
    try:
        who = visitor_or_nobody(request)
    except (StoreError, RecordError):
        who = None
    return render(
        request,
        "problem.html",
        who,
        status,
        key=key,
        words=words,
        words_ja=_in_japanese(words),
        back=_page_before(request),
    )


def _in_japanese(words: str) -> str:
    """An error in Japanese; empty where it has none, and is then marked as English."""
    told = error_in_japanese(words)
    return "" if told == words and words.isascii() else told


def _page_before(request: Request) -> str:
    """The desk's own page on which a form stood that was not taken; empty where there is none."""
    desk, came = desk_of(request), urlsplit(request.headers.get("referer", ""))
    own = urlsplit(desk.settings.origin)
    root = str(request.scope.get("root_path", "")).rstrip("/")
    inside = (came.scheme, came.netloc) == (own.scheme, own.netloc) and came.path.startswith(f"{root}/")
    inside = inside and not came.path.removeprefix(root).startswith("//")
    return came.path.removeprefix(root) if request.method == "POST" and inside else ""


def _not_signed_in(request: Request, error: Exception) -> Response:
    if request.method == "GET":
        path = request.url.path.removeprefix(str(request.scope.get("root_path", "")))
        return go(request, f"/sign-in?next={path}")
    return go(request, "/sign-in", said="ended")


def _absent(request: Request, error: Exception) -> Response:
    return _problem(request, 404, "absent")


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    keys = {404: "absent", 405: "absent", 413: "large"}
    return _problem(request, error.status_code, keys.get(error.status_code, "refused.form"))


def _malformed(request: Request, error: Exception) -> Response:
    return _problem(request, 404 if request.method == "GET" else 400, "absent")


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, RefusedFormError)
    return _problem(request, error.status, error.key)


def _ceremony(request: Request, error: Exception) -> Response:
    assert isinstance(error, CeremonyError)
    return _problem(request, 409, error.key)


def _passkey_needed(request: Request, error: Exception) -> Response:
    return _problem(request, 409, "passkey_needed")


def _record(request: Request, error: Exception) -> Response:
    assert isinstance(error, RecordError)
    return _problem(request, 409, "not_recorded", error.what)


def _cannot(request: Request, error: Exception) -> Response:
    return _problem(request, 409, "not_recorded", str(error))


def _store(request: Request, error: Exception) -> Response:
    return _problem(request, 503, "store")


def _broken(request: Request, error: Exception) -> Response:
    return _problem(request, 500, "broken")


_ANSWERS: dict[Any, Callable[[Request, Exception], Response]] = {
    SignInNeededError: _not_signed_in,
    NotYoursError: _absent,
    HTTPException: _http,
    RequestValidationError: _malformed,
    RefusedFormError: _refused,
    CeremonyError: _ceremony,
    PasskeyNeededError: _passkey_needed,
    RecordError: _record,
    CannotAnswerError: _cannot,
    StoreError: _store,
    Exception: _broken,
}
