"""Health, readiness and metrics."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response
from sqlalchemy import text

from consent.errors import ConsentError
from dubgate.certificate.refusals import Refused
from dubgate.errors import DubgateError
from dubgate.service.bodies import Health, Readiness
from dubgate.service.database import looking
from dubgate.service.metrics import CONTENT_TYPE
from dubgate.service.problems import Problem, documented
from dubgate.service.state import Service, State, authenticated, state_of

router = APIRouter(tags=["operation"])


@router.get("/healthz", summary="Does the process run?")
async def health() -> Health:
    """Without asking the database."""
    return Health()


@router.get("/readyz", summary="Can the service answer?", responses={503: {"model": Readiness}})
def ready(state: Service) -> JSONResponse:
    """Database, ledger and trust store, each with `ok` or what is the matter."""
    parts = {
        "database": _database(state),
        "trust": _trust(state),
        "stopping": "no" if not state.stopping.is_set() else "yes",
    }
    good = parts["database"] == parts["trust"] == "ok" and parts["stopping"] == "no"
    body = Readiness(ready=good, parts=parts)
    return JSONResponse(body.model_dump(), 200 if good else 503, {"cache-control": "no-store"})


def _database(state: State) -> str:
    try:
        with looking(state.engine) as connection:
            connection.execute(text("SELECT 1 FROM service_meta")).all()
        return "ok"
    except ConsentError:
        return "does not answer"


def _trust(state: State) -> str:
    if state.trust is None:
        return "no trust store is configured: nothing may be published"
    try:
        state.trust.store(state.clock())
        return "ok"
    except (Refused, DubgateError) as error:
        return getattr(error, "reason", "cannot be read")


def _may_scrape(request: Request, state: Annotated[State, Depends(state_of)]) -> None:
    if not state.settings.metrics_open and not authenticated(request).may("admin"):
        raise Problem(403, "metrics need a token with the scope admin", kind="scope-missing")


@router.get(
    "/metrics",
    summary="Prometheus metrics",
    response_class=Response,
    dependencies=[Depends(_may_scrape)],
    responses={200: {"content": {"text/plain": {}}}, **documented(401, 403, 429, 503)},
)
def metrics(state: Service) -> Response:
    """Requests, answers, jobs and workers in numbers; no id of anybody."""
    return Response(state.metrics.text(state.engine), media_type=CONTENT_TYPE)
