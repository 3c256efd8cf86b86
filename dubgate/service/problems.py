"""Every answer that is not a success, as problem+json (RFC 9457) with a type that a machine can branch on."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from consent.errors import ConsentError, RecordError
from dubgate.errors import DubgateError, InputError
from dubgate.service.sources import SourceRefusedError

TYPE = "urn:dubgate:problem:"
MEDIA_TYPE = "application/problem+json"
LOG = logging.getLogger("dubgate.service")

_OF_STATUS = {
    400: ("bad-request", "The request cannot be understood"),
    401: ("no-token", "A valid token is needed"),
    403: ("not-allowed", "The token may not do this"),
    404: ("not-found", "There is nothing here for this token"),
    405: ("method-not-allowed", "This cannot be done here"),
    408: ("too-slow", "The request took too long"),
    409: ("conflict", "It contradicts what is there"),
    411: ("length-required", "The request does not say how long it is"),
    413: ("too-large", "The request is too large"),
    415: ("media-type", "This content is not taken here"),
    422: ("invalid", "Something in the request is wrong"),
    429: ("too-many", "Too many requests"),
    500: ("failed", "The service failed"),
    503: ("unavailable", "The service cannot answer now"),
}

# What to do about a problem of which nobody says more.
_REMEDIES = {
    401: "Send the header `Authorization: Bearer TOKEN`; whoever runs the service makes one: dubgate tokens new.",
    429: "Wait as many seconds as the header Retry-After says.",
}
_NO_ROUTE = "The API lies below /v1, and /docs describes it."
_PLAINLY = {"missing": "it is missing", "extra_forbidden": "there is no such field here"}


class Wrong(BaseModel):
    """One thing that is wrong, and where in the request."""

    where: str = Field(examples=["query.territory"])
    what: str = Field(examples=["Field required"])


class ProblemBody(BaseModel):
    """RFC 9457: what is the matter, in a form for machines and one for people."""

    type: str = Field(examples=["urn:dubgate:problem:not-found"])
    title: str = Field(examples=["There is nothing here for this token"])
    status: int = Field(examples=[404])
    detail: str | None = Field(None, examples=["no such job"])
    remedy: str | None = Field(None, examples=["List your jobs: GET /v1/jobs"])
    request_id: str | None = Field(None, examples=["rq-4f1d2c…"])
    errors: list[Wrong] | None = None


class Problem(Exception):
    """An answer that is not a success."""

    def __init__(
        self,
        status: int,
        detail: str | None = None,
        *,
        kind: str | None = None,
        title: str | None = None,
        remedy: str | None = None,
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail or kind or str(status))
        self.status, self.detail, self.remedy = status, detail, remedy or _REMEDIES.get(status)
        usual = _OF_STATUS.get(status, ("failed", "The service failed"))
        self.kind, self.title = kind or usual[0], title or usual[1]
        self.headers, self.more = dict(headers or {}), dict(more or {})

    def body(self, request_id: str | None) -> dict[str, Any]:
        """The problem as JSON-able data; absent members are left out."""
        told = {"type": TYPE + self.kind, "title": self.title, "status": self.status, "detail": self.detail}
        told |= {"remedy": self.remedy, "request_id": request_id, **self.more}
        return {k: v for k, v in told.items() if v is not None}

    def response(self, request_id: str | None) -> JSONResponse:
        """The answer."""
        headers = {"cache-control": "no-store", **self.headers}
        return JSONResponse(self.body(request_id), self.status, headers, media_type=MEDIA_TYPE)


def not_found(what: str) -> Problem:
    """Absent, or another organisation's: nobody can tell which."""
    return Problem(404, f"no such {what}")


def unavailable(error: ConsentError | DubgateError) -> Problem:
    """The registry or database does not answer: nothing was done."""
    return Problem(503, error.what, remedy=error.remedy, headers={"retry-after": "5"})


def install(app: FastAPI) -> None:
    """Every way in which a request can fail ends as a problem."""

    @app.exception_handler(Problem)
    def _problem(request: Request, problem: Problem) -> Response:
        return problem.response(request_id(request))

    @app.exception_handler(HTTPException)
    def _http(request: Request, error: HTTPException) -> Response:
        headers = dict(error.headers or {})
        detail = str(error.detail) if error.status_code in (400, 413) else None
        remedy = _NO_ROUTE if error.status_code == 404 else None
        return Problem(error.status_code, detail, remedy=remedy, headers=headers).response(request_id(request))

    @app.exception_handler(RequestValidationError)
    def _invalid(request: Request, error: RequestValidationError) -> Response:
        wrong = [
            {"where": ".".join(str(p) for p in e["loc"])[:200], "what": _PLAINLY.get(e["type"], str(e["msg"]))[:300]}
            for e in error.errors()[:50]
        ]
        detail = f"{wrong[0]['where']}: {wrong[0]['what']}" if wrong else None
        return Problem(422, detail, remedy=_described_at(request), more={"errors": wrong}).response(request_id(request))

    @app.exception_handler(ConsentError)
    def _registry(request: Request, error: ConsentError) -> Response:
        wrong = Problem(409, error.what, remedy=error.remedy)
        problem = wrong if isinstance(error, RecordError) else unavailable(error)
        return problem.response(request_id(request))

    @app.exception_handler(DubgateError)
    def _tool(request: Request, error: DubgateError) -> Response:
        wrong = Problem(422, error.what, remedy=error.remedy)
        if isinstance(error, SourceRefusedError):
            wrong = Problem(404, error.what, kind="no-delivery", remedy=error.remedy)
        return (wrong if isinstance(error, InputError) else unavailable(error)).response(request_id(request))

    @app.exception_handler(Exception)
    def _failed(request: Request, error: Exception) -> Response:
        LOG.error("failed", exc_info=error, extra={"request_id": request_id(request)})
        return Problem(500, "the service failed; its log says how").response(request_id(request))


def _described_at(request: Request) -> str:
    """Where the operation that was asked for stands in the description, with an example of each field."""
    path = getattr(request.scope.get("route"), "path", "")
    return f"What {request.method} {path} takes, with an example: /docs#{anchor_of(request.method, path)}"


def anchor_of(verb: str, path: str) -> str:
    """The name under which an operation is found on the page of the description."""
    return re.sub(r"[^a-z0-9]+", "-", f"{verb}{path}".lower()).strip("-")


def request_id(request: Request) -> str | None:
    """The id that the request was given at the door."""
    found = getattr(request.state, "request_id", None)
    return found if isinstance(found, str) else None


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problems that a route may answer with, for its description."""
    return {
        status: {
            "description": _OF_STATUS[status][1],
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemBody"}}},
        }
        for status in statuses
    }
