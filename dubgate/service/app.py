"""The API as an ASGI application: its routes, its doors, and what one process of it holds open."""

from __future__ import annotations

import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse

from consent.errors import ConsentError
from consent.registry import Registry
from dubgate import __version__
from dubgate.errors import RegistryError
from dubgate.service import job_routes, operation_routes, people_routes, problems, publish_routes, upload_routes
from dubgate.service.bodies import MayPublish, RefusalBody
from dubgate.service.clock import Clock, utc_now
from dubgate.service.database import open_database
from dubgate.service.docs_page import POLICY, docs_page
from dubgate.service.door import Door
from dubgate.service.limits import Bounded, Buckets
from dubgate.service.metrics import Metrics
from dubgate.service.own_key import own_key
from dubgate.service.problems import ProblemBody
from dubgate.service.publishing import Publishing
from dubgate.service.reads import ReadLog
from dubgate.service.settings import Settings
from dubgate.service.state import Known, State
from dubgate.service.trusting import TrustFile

ABOUT = """The release gate for AI dubbing over HTTP.

Submit a delivery, follow its job, fetch verdict, report and certificate; and before anything is published, ask
`GET /v1/may-publish`: **200, and nothing else, is a yes**. Every other answer is `application/problem+json`.

Authenticate with `Authorization: Bearer dgt_…` (`dubgate tokens new`). Send an `Idempotency-Key` with every write.
"""


def open_state(settings: Settings, *, clock: Clock = utc_now, node: str | None = None) -> State:
    """Everything that the routes need.

    Raises:
        DubgateError: the registry, the service's key or its folder cannot be used.
    """
    own = own_key(settings.own_key_file)
    engine = open_database(settings.registry)
    try:
        registry = Registry.open(settings.registry, clock=clock, busy_s=5.0)
    except ConsentError as error:
        raise RegistryError(error.what, where=error.where, remedy=error.remedy) from error
    trust = None
    if settings.trust is not None:
        trust = TrustFile(settings.trust, settings.trust.seen or settings.data / "trust-seen.json")
    return State(
        settings=settings,
        engine=engine,
        registry=registry,
        own=own,
        trust=trust,
        publishing=Publishing(engine, registry, trust, own, clock),
        buckets=Buckets(settings.limits),
        reads=ReadLog(settings.data / "reads", node or _node(), clock),
        metrics=Metrics(),
        clock=clock,
        known=Known(engine, clock),
    )


def _node() -> str:
    return re.sub(r"[^0-9a-z-]", "-", socket.gethostname().lower())[:64] or "node"


def create_service(settings: Settings, *, clock: Clock = utc_now, node: str | None = None) -> FastAPI:
    """The application; `app.state.service` is what it holds open, closed when it shuts down.

    Raises:
        DubgateError: as `open_state`.
    """
    state = open_state(settings, clock=clock, node=node)

    @asynccontextmanager
    async def living(app: FastAPI) -> AsyncIterator[None]:
        yield
        state.stopping.set()
        state.registry.close()
        state.engine.dispose()

    app = FastAPI(
        title="dubgate",
        version=__version__,
        description=ABOUT,
        lifespan=living,
        redirect_slashes=False,
        docs_url=None,
        redoc_url=None,
    )
    app.state.service = state
    problems.install(app)
    for routes in (job_routes, upload_routes, publish_routes, people_routes, operation_routes):
        app.include_router(routes.router)
    _mount_desk(app, state)
    app.add_api_route("/docs", lambda: _read(app), include_in_schema=False)
    app.add_middleware(Bounded, limits=settings.limits)
    app.add_middleware(Door, state=state)
    app.openapi = lambda: _described(app)  # type: ignore[method-assign]
    return app


def _mount_desk(app: FastAPI, state: State) -> None:
    """The review desk, where the settings say where it is reached."""
    if state.settings.desk is None:
        return
    from dubgate.service.desk_mount import PATH, desk_of

    app.state.review_desk = desk_of(state, state.settings.desk)
    app.mount(PATH, app.state.review_desk)


def _described(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI description: problems instead of FastAPI's own errors, and how to authenticate."""
    if app.openapi_schema is None:
        schema = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        parts = schema.setdefault("components", {})
        parts["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "dgt_…"}}
        schemas = parts.setdefault("schemas", {})
        for model in (ProblemBody, RefusalBody, MayPublish):
            told = model.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas |= told.pop("$defs", {})
            schemas[model.__name__] = told
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        _secure(schema)
        app.openapi_schema = schema
    return app.openapi_schema


def _read(app: FastAPI) -> HTMLResponse:
    """The description for people."""
    return HTMLResponse(docs_page(app.openapi()), headers={"content-security-policy": POLICY})


def _secure(schema: dict[str, Any]) -> None:
    for path, operations in schema["paths"].items():
        for operation in operations.values():
            if path.startswith("/v1/") or path == "/metrics":
                operation["security"] = [{"token": []}]
