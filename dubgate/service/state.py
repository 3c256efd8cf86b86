"""What every route works with: settings, database, registry, keys, the publishing question, limits and the log of reads."""

from __future__ import annotations

import threading
import time
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
from dubgate.service.tokens import Caller, caller_of, hashed

if TYPE_CHECKING:
    from dubgate.service.limits import Buckets
    from dubgate.service.metrics import Metrics
    from dubgate.service.reads import ReadLog
    from dubgate.service.trusting import TrustFile


MOST_KNOWN = 10_000


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
    known: Known
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


def authenticated(request: Request, known_s: float = 0.0) -> Caller:
    """Whose request it is, within its rate; a token looked up less than `known_s` seconds ago is believed.

    Raises:
        Problem: 401 or 429.
    """
    state = state_of(request)
    address = request.client.host if request.client is not None else "?"
    state.buckets.require_known(address)
    caller = state.known.caller(token_of(request), known_s)
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


def known_caller(request: Request) -> Caller:
    """The same as a dependency: the token is looked up anew for each request.

    Raises:
        Problem: 401 or 429; 422 for a parameter that the route does not know, which would be passed over in silence.
    """
    caller = authenticated(request)
    known = {field.alias for field in request.scope["route"].dependant.query_params}
    if unknown := sorted(set(request.query_params) - known):
        wrong = [{"where": f"query.{name[:100]}", "what": "unknown parameter"} for name in unknown[:20]]
        raise Problem(422, more={"errors": wrong})
    return caller


class Known:
    """Tokens that were looked up, for as long as their reader wants to believe that."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine, self._clock = engine, clock
        self._found: dict[str, tuple[float, Caller]] = {}

    def caller(self, token: str, known_s: float) -> Caller | None:
        """Whose token it is; what is not found is not remembered."""
        named = hashed(token)
        at, known = self._found.get(named, (-1e9, None))
        if known is not None and time.monotonic() - at < known_s and known.expires_at > self._clock():
            return known
        found = caller_of(self._engine, token, self._clock())
        if found is None:
            self._found.pop(named, None)
        else:
            if len(self._found) > MOST_KNOWN:
                self._found.clear()
            self._found[named] = (time.monotonic(), found)
        return found


def with_scope(*scopes: str) -> Callable[[Caller], Caller]:
    """A caller whose token has one of the scopes."""

    def allowed(caller: Annotated[Caller, Depends(known_caller)]) -> Caller:
        if not any(caller.may(scope) for scope in scopes):
            raise Problem(403, f"this needs a token with the scope {' or '.join(scopes)}", kind="scope-missing")
        return caller

    return allowed


Reader = Annotated[Caller, Depends(with_scope("read"))]
Submitter = Annotated[Caller, Depends(with_scope("submit"))]
Approver = Annotated[Caller, Depends(with_scope("approve"))]
Service = Annotated[State, Depends(state_of)]
