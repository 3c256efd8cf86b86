"""What stands before every page: security headers on each answer, and an end to bodies that are too large."""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from consent.web.settings import DeskSettings

MAX_BODY_BYTES = 1_000_000
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; "
    "connect-src 'self'; font-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), "
    "publickey-credentials-get=(self), publickey-credentials-create=(self)",
}
STRICT_TRANSPORT = "max-age=63072000"


class _TooLargeError(Exception):
    pass


class Guard:
    """ASGI middleware around the desk alone, so that a service that mounts it keeps its own headers."""

    def __init__(self, app: ASGIApp, settings: DeskSettings) -> None:
        self._app, self._secure = app, settings.secure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        length = Headers(scope=scope).get("content-length", "0")
        if not length.isascii() or not length.isdigit() or int(length) > MAX_BODY_BYTES:
            await self._too_large(send)
            return
        seen, started = 0, False

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > MAX_BODY_BYTES:
                raise _TooLargeError
            return message

        async def headed(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                self._add(MutableHeaders(scope=message), static="/static/" in scope["path"])
            await send(message)

        try:
            await self._app(scope, counted, headed)
        except _TooLargeError:
            if not started:
                await self._too_large(send)

    def _add(self, headers: MutableHeaders, *, static: bool) -> None:
        for name, value in HEADERS.items():
            headers[name] = value
        if self._secure:
            headers["strict-transport-security"] = STRICT_TRANSPORT
        if "cache-control" not in headers:
            headers["cache-control"] = "public, max-age=86400" if static else "no-store"

    async def _too_large(self, send: Send) -> None:
        head = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]
        own = [(k.encode(), v.encode()) for k, v in HEADERS.items()]
        await send({"type": "http.response.start", "status": 413, "headers": head + own})
        await send({"type": "http.response.body", "body": b"Too large: a form has at most 1 MB. Nothing was recorded."})
