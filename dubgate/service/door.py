"""The door of the API: each request gets an id, is counted, and leaves one line; never its body, query or token."""

from __future__ import annotations

import logging
import re
import secrets
import time
from collections.abc import MutableMapping
from typing import Any

from dubgate.service.limits import App, Message, Receive, Send
from dubgate.service.state import State

LOG = logging.getLogger("dubgate.service")
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{8,64}\Z")


class Door:
    """ASGI middleware around all others."""

    def __init__(self, app: App, state: State) -> None:
        self.app, self.state = app, state

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        named = _given(scope) or f"rq-{secrets.token_hex(10)}"
        scope.setdefault("state", {})["request_id"] = named
        begun, status = time.perf_counter(), 500

        async def answered(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = int(message["status"])
                headers = message.setdefault("headers", [])
                headers.append((b"x-request-id", named.encode()))
                if not any(k.lower() == b"x-content-type-options" for k, _ in headers):
                    headers.append((b"x-content-type-options", b"nosniff"))
            await send(message)

        try:
            await self.app(scope, receive, answered)
        finally:
            self._note(scope, status, time.perf_counter() - begun)

    def _note(self, scope: MutableMapping[str, Any], status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "unknown")
        method = scope["method"] if route != "unknown" else "?"
        self.state.metrics.requests.labels(route, method, status).inc()
        self.state.metrics.seconds.labels(route).observe(seconds)
        told = {"request_id": scope["state"]["request_id"], "method": method, "route": route, "status": status}
        told["ms"] = round(1000 * seconds, 2)
        caller = scope["state"].get("caller")
        if caller is not None:
            told |= {"token_id": caller.token_id, "organisation": caller.organisation}
        LOG.info("request", extra=told)


def _given(scope: MutableMapping[str, Any]) -> str | None:
    """The caller's own id for its request, where it is a plain one."""
    found = next((v for k, v in scope.get("headers", ()) if k == b"x-request-id"), b"")
    return found.decode() if _REQUEST_ID.match(found) else None
