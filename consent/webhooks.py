"""Webhooks as Standard Webhooks describes them (1.0.0): a signed POST to an address that was looked at before.

Signed is `id.timestamp.body` by HMAC-SHA256 under a secret `whsec_…`. The host is resolved once, every address of it is
checked, and the connection goes to a checked address: a name that changes its mind in between reaches nothing inside.
Redirects are not followed. Source: https://www.standardwebhooks.com (specification, "Verifying webhook authenticity").
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from consent.errors import RecordError

TIMEOUT_S = 10.0  # of one attempt, from the first packet to the status
PAUSES_S = (1.0, 4.0)  # before the second and the third attempt
PREFIX = "whsec_"
MIN_SECRET_BYTES, MAX_SECRET_BYTES = 24, 64  # as the specification asks
_TRANSLATED = (
    ipaddress.ip_network("64:ff9b::/96"),
    ipaddress.ip_network("2002::/16"),
    ipaddress.ip_network("2001::/32"),
)

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Sequence[str]]


class WebhookError(RecordError):
    """An endpoint or a secret that cannot be used as it stands; nothing was sent."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where notices go: a checked URL, and whether addresses of this network are allowed (tests, an inner network)."""

    url: str
    allow_private: bool = False

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        try:
            port = parts.port
        except ValueError:
            port = -1
        if parts.scheme not in ("https", "http") or not parts.hostname or port == -1:
            raise WebhookError("a webhook is an https:// URL", where=_shown(self.url))
        if parts.scheme == "http" and not self.allow_private:
            raise WebhookError("a webhook is sent over https only", where=_shown(self.url))
        if parts.username is not None or parts.password is not None or not self.url.isascii() or _odd(self.url):
            raise WebhookError("a webhook's URL has no user, no password and no odd characters", where=_shown(self.url))


@dataclass(frozen=True, slots=True)
class Attempted:
    """What came of sending one message: the number of attempts, the last status, and why it was not delivered."""

    delivered: bool
    attempts: int
    status: int | None
    error: str | None


def secret_bytes(secret: str) -> bytes:
    """The key of a secret `whsec_<base64>`.

    Raises:
        WebhookError: not one of 24 to 64 bytes.
    """
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(PREFIX) or not MIN_SECRET_BYTES <= len(key) <= MAX_SECRET_BYTES:
        raise WebhookError(
            f"a webhook's secret is {PREFIX} and the base64 of {MIN_SECRET_BYTES} to {MAX_SECRET_BYTES} bytes"
        )
    return key


def signature(secret: str, message_id: str, timestamp_s: int, body: bytes) -> str:
    """`v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`."""
    signed = f"{message_id}.{timestamp_s}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(secret_bytes(secret), signed, hashlib.sha256)).decode()


def send(
    endpoint: Endpoint,
    message_id: str,
    body: bytes,
    secret: str,
    *,
    clock: Callable[[], datetime],
    pause: Callable[[float], None],
    timeout_s: float = TIMEOUT_S,
    resolve: Resolve | None = None,
    pauses: Sequence[float] = PAUSES_S,
) -> Attempted:
    """Send one message, up to three times with growing pauses (once where `pauses` is empty); never raises for what the other side does.

    The id stays the same over all attempts, so that the receiver can drop what it already has.
    """
    status, error, attempts = None, "not tried", 0
    for wait in (0.0, *pauses):
        pause(wait)
        attempts += 1
        timestamp = int(clock().timestamp())
        headers = {
            "content-type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature(secret, message_id, timestamp, body),
            "user-agent": "dubgate",
        }
        try:
            status = _post(endpoint, headers, body, timeout_s, resolve or _resolved)
        except (OSError, http.client.HTTPException, WebhookError) as problem:
            status, error = None, _said(problem)
            continue
        if 200 <= status < 300:
            return Attempted(True, attempts, status, None)
        error = f"it answered {status}"
        if status == 410:  # the specification: the receiver wants no more of these
            break
    return Attempted(False, attempts, status, error)


def _post(endpoint: Endpoint, headers: dict[str, str], body: bytes, timeout_s: float, resolve: Resolve) -> int:
    parts = urlsplit(endpoint.url)
    host, port = str(parts.hostname), parts.port or (443 if parts.scheme == "https" else 80)
    address = checked_address(host, resolve(host, port), allow_private=endpoint.allow_private)
    connection = http.client.HTTPConnection(host, port, timeout=timeout_s)
    open_ = [socket.create_connection((address, port), timeout=timeout_s)]
    cut = threading.Timer(timeout_s, lambda: _shut(open_[-1]))  # whoever answers byte by byte is cut off
    cut.daemon = True
    cut.start()
    try:
        # TLS and the Host header name the host; the packets go to the address that was checked
        if parts.scheme == "https":
            open_.append(ssl.create_default_context().wrap_socket(open_[0], server_hostname=host))
        connection.sock = open_[-1]
        connection.request("POST", _path(parts.path, parts.query), body, headers)
        return connection.getresponse().status
    finally:
        cut.cancel()
        connection.close()
        for sock in open_:
            sock.close()


def _shut(sock: socket.socket) -> None:
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        return


def _path(path: str, query: str) -> str:
    return (path or "/") + (f"?{query}" if query else "")


def checked_address(host: str, addresses: Sequence[str], *, allow_private: bool) -> str:
    """The first of a host's addresses, where every one of them is public.

    Raises:
        WebhookError: it has none, or one of them is private, loopback, link-local, reserved or multicast.
    """
    found = [ipaddress.ip_address(a.split("%", 1)[0]) for a in addresses]
    if not found:
        raise WebhookError(f"{host} has no address")
    inside = [str(a) for a in found if not _public(a)]
    if inside and not allow_private:
        raise WebhookError(
            f"{host} is at {inside[0]}, which is not a public address",
            remedy="Name a public endpoint, or allow this one: --allow-private-webhook.",
        )
    return str(found[0])


def _public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return _public(address.ipv4_mapped)
        if any(address in net for net in _TRANSLATED):  # an IPv4 address of any kind may stand behind these
            return False
        if address.is_site_local:  # deprecated, and routed inside where it still is
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _resolved(host: str, port: int) -> Sequence[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(info[4][0]) for info in found))


def _said(problem: Exception) -> str:
    if isinstance(problem, WebhookError):
        return problem.what
    if isinstance(problem, TimeoutError):
        return "it did not answer in time"
    return f"{type(problem).__name__}: {problem}"[:200] if str(problem) else type(problem).__name__


def _odd(url: str) -> bool:
    return any(c.isspace() or not c.isprintable() or c == "\\" for c in url)


def _shown(url: str) -> str:
    """The URL without what may be secret in it."""
    parts = urlsplit(url if not _odd(url) else "")
    return f"{parts.scheme}://{(parts.hostname or '?')[:200]}" if parts.scheme else "webhook"
