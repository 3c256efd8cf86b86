"""Rates and sizes: what one token, one address and one request may use; slow senders and readers are let go."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.exceptions import HTTPException

from dubgate.service.problems import Problem
from dubgate.service.settings import Limits
from dubgate.service.tokens import Caller

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]
MOST_KEYS = 10_000


class Buckets:
    """Token buckets: each is full at first, and fills again within a minute."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits, self._clock, self._lock = limits, clock, threading.Lock()
        self._left: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()

    def require_rate(self, caller: Caller, *, writing: bool) -> None:
        """Count one request of a token.

        Raises:
            Problem: 429, with when to come again.
        """
        self._require("token", caller.token_id, self._limits.requests_per_minute)
        if writing:
            self._require("writes", caller.token_id, self._limits.writes_per_minute)

    def require_known(self, address: str) -> None:
        """An address that came with too many bad tokens is not listened to for a while.

        Raises:
            Problem: 429
        """
        if self._peek("unknown", address, self._limits.unknown_per_minute) < 1:
            raise _too_many(60 / self._limits.unknown_per_minute)

    def count_unknown(self, address: str) -> None:
        """Count one request with a bad token."""
        self._take("unknown", address, self._limits.unknown_per_minute)

    def _require(self, kind: str, key: str, per_minute: int) -> None:
        if not self._take(kind, key, per_minute):
            raise _too_many(60 / per_minute)

    def _peek(self, kind: str, key: str, per_minute: int) -> float:
        with self._lock:
            left, at = self._left.get((kind, key), (float(per_minute), self._clock()))
            return min(per_minute, left + (self._clock() - at) * per_minute / 60)

    def _take(self, kind: str, key: str, per_minute: int) -> bool:
        left = self._peek(kind, key, per_minute)
        with self._lock:
            self._left[(kind, key)] = (max(0.0, left - 1), self._clock())
            self._left.move_to_end((kind, key))
            while len(self._left) > MOST_KEYS:
                self._left.popitem(last=False)
        return left >= 1


def _too_many(seconds: float) -> Problem:
    return Problem(429, "too many requests", headers={"retry-after": str(max(1, round(seconds)))})


class _TooLargeError(HTTPException):
    """Of Starlette's kind, which a route that reads its body passes on as it is."""

    def __init__(self) -> None:
        super().__init__(413)


class _TooSlowError(HTTPException):
    def __init__(self) -> None:
        super().__init__(408, headers={"connection": "close"})


class Bounded:
    """ASGI middleware: a body of at most so many bytes, in at most so much time, without long pauses either way."""

    def __init__(self, app: App, limits: Limits) -> None:
        self.app, self.limits = app, limits

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        bounds = _Bounds(self.limits, self._most(scope), receive, send)
        try:
            bounds.require_honest(scope)
            await self.app(scope, bounds.receive, bounds.send)
        except _TooLargeError:
            await bounds.refuse(scope, Problem(413, "the request's body is too large"))
        except _TooSlowError:
            await bounds.refuse(
                scope, Problem(408, "the request's body came too slowly", headers={"connection": "close"})
            )

    def _most(self, scope: MutableMapping[str, Any]) -> int:
        return self.limits.upload_bytes if scope.get("path") == "/v1/uploads" else self.limits.body_bytes


class _Bounds:
    """One request's receive and send, watched."""

    def __init__(self, limits: Limits, most: int, receive: Receive, send: Send) -> None:
        self._limits, self._most, self._receive, self._send = limits, most, receive, send
        self._got, self._started, self._begun, self._whole = 0, time.monotonic(), False, False

    def require_honest(self, scope: MutableMapping[str, Any]) -> None:
        """A declared length that is too large is refused before a byte is read."""
        lengths = [v for k, v in scope.get("headers", ()) if k == b"content-length"]
        if lengths and lengths[0].isdigit() and int(lengths[0]) > self._most:
            raise _TooLargeError

    async def receive(self) -> Message:
        """The next part of the body."""
        if self._whole:
            return await self._receive()  # only news of a disconnection is left
        left = self._limits.request_seconds - (time.monotonic() - self._started)
        try:
            async with asyncio.timeout(max(0.001, min(self._limits.pause_seconds, left))):
                message = await self._receive()
        except TimeoutError:
            raise _TooSlowError from None
        if message["type"] == "http.request":
            self._got += len(message.get("body", b""))
            self._whole = not message.get("more_body", False)
            if self._got > self._most:
                raise _TooLargeError
        return message

    async def send(self, message: Message) -> None:
        """The next part of the answer; who does not take it is let go."""
        self._begun = True
        try:
            async with asyncio.timeout(self._limits.pause_seconds):
                await self._send(message)
        except TimeoutError:
            raise ConnectionError("the client does not read") from None

    async def refuse(self, scope: MutableMapping[str, Any], problem: Problem) -> None:
        """A problem as the answer, where none has begun."""
        if not self._begun:
            state = scope.get("state") or {}
            response = problem.response(state.get("request_id"))
            await response(scope, self._receive, self._send)
