"""Serving: uvicorn with a limit on how long the head of a request may take, and a stop that finishes what it answers."""

from __future__ import annotations

import asyncio
from typing import Any

import uvicorn
from fastapi import FastAPI

from dubgate.service.settings import Settings

GRACE_S = 20


def _fastest() -> Any:
    """uvicorn's faster parser, where it is installed."""
    try:
        from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
    except ImportError:
        from uvicorn.protocols.http.h11_impl import H11Protocol

        return H11Protocol
    return HttpToolsProtocol


def protocol_of(settings: Settings) -> type[asyncio.Protocol]:
    """uvicorn's protocol, whose connections are closed where no whole head of a request comes in time."""
    patience_s = settings.limits.header_seconds

    base: Any = _fastest()

    class Patient(base):  # type: ignore[misc]
        """One connection."""

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._head = self.loop.call_later(patience_s, self._give_up)

        def _give_up(self) -> None:
            if self.cycle is None and not self.transport.is_closing():
                self.transport.close()

        def connection_lost(self, exc: Exception | None) -> None:
            self._head.cancel()
            super().connection_lost(exc)

        def on_response_complete(self) -> None:
            super().on_response_complete()
            self._head.cancel()  # from now on the time between requests is limited by uvicorn

    return Patient


def server_of(app: FastAPI, settings: Settings) -> uvicorn.Server:
    """A server for the application; `run()` serves until SIGTERM or SIGINT."""
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        http=protocol_of(settings),
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        limit_concurrency=settings.limits.connections,
        timeout_keep_alive=int(max(1, settings.limits.header_seconds)),
        timeout_graceful_shutdown=GRACE_S,
        h11_max_incomplete_event_size=64 * 1024,
        backlog=512,
    )
    server = uvicorn.Server(config)
    leave = server.handle_exit

    def leaving(sig: int, frame: Any) -> None:
        app.state.service.stopping.set()  # event streams end, readiness says no
        leave(sig, frame)

    server.handle_exit = leaving  # type: ignore[method-assign]
    return server
