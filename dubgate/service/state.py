"""What every route works with: settings, database, registry, keys, the publishing question, limits and the log of reads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, cast

from fastapi import Depends, Request
from sqlalchemy import Engine

from consent.registry import Registry
from dubgate.service.clock import Clock
from dubgate.service.own_key import OwnKey
from dubgate.service.problems import Problem
from dubgate.service.publishing import Publishing
from dubgate.service.settings import Settings
from dubgate.service.tokens import Caller, caller_of

if TYPE_CHECKING:
    from dubgate.service.limits import Buckets
    from dubgate.service.metrics import Metrics
    from dubgate.service.reads import ReadLog
    from dubgate.service.trusting import TrustFile


@dataclass
class State:
    """One service in one process."""

    settings: Settings
    engine: Engine
    registry: Registry
    own: OwnKey
    trust: TrustFile | None
    publishing: Publishing
    buckets: Buckets
    reads: ReadLog
    metrics: Metrics
    clock: Clock
    stopping: threading.Event = field(default_factory=threading.Event)
    streams: dict[str, int] = field(default_factory=dict)  # token -> event streams that are open
    lock: threading.Lock = field(default_factory=threading.Lock)


def state_of(request: Request) -> State:
    """The service that this request came to."""
    return cast(State, request.app.state.service)


def token_of(request: Request) -> str:
    """The bearer token.

    Raises:
        Problem: 401.
    """
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token.strip():
        raise Problem(401, "no bearer token", headers={"www-authenticate": "Bearer"})
    return token.strip()


def authenticated(request: Request) -> Caller:
    """Whose request it is, within its rate.

    Raises:
        Problem: 401 or 429.
    """
    state = state_of(request)
    address = request.client.host if request.client is not None else "?"
    state.buckets.require_known(address)
    caller = caller_of(state.engine, token_of(request), state.clock())
    if caller is None:
        state.buckets.count_unknown(address)
        raise Problem(
            401,
            "the token is unknown, revoked or expired",
            headers={"www-authenticate": 'Bearer error="invalid_token"'},
        )
    state.buckets.require_rate(caller, writing=request.method not in ("GET", "HEAD"))
    request.state.caller = caller
    return caller


def with_scope(*scopes: str) -> Callable[[Caller], Caller]:
    """A caller whose token has one of the scopes."""

    def allowed(caller: Annotated[Caller, Depends(authenticated)]) -> Caller:
        if not any(caller.may(scope) for scope in scopes):
            raise Problem(403, f"this needs a token with the scope {' or '.join(scopes)}", kind="scope-missing")
        return caller

    return allowed


Reader = Annotated[Caller, Depends(with_scope("read"))]
Submitter = Annotated[Caller, Depends(with_scope("submit"))]
Approver = Annotated[Caller, Depends(with_scope("approve"))]
Admin = Annotated[Caller, Depends(with_scope("admin"))]
Service = Annotated[State, Depends(state_of)]
