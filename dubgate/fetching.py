"""Fetches what is live, within limits: named hosts only, public addresses only, https only, so much and so long, no redirects."""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from consent.webhooks import WebhookError, checked_address
from dubgate.errors import InputError

_BLOCK = 1 << 16
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
Resolve = Callable[[str, int], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one look may cost."""

    seconds: float = 300.0
    wait_s: float = 10.0  # for a connection, and between two blocks
    files: int = 20_000
    file_bytes: int = 8 << 30
    total_bytes: int = 32 << 30


@dataclass(slots=True)
class Fetcher:
    """GETs of one look, counted together.

    Args:
        hosts: the names that may be asked, each "name" or "name:port".
        allow_loopback: http, and this machine's own addresses: for tests and a local packager.
    """

    hosts: frozenset[str]
    allow_loopback: bool = False
    bounds: Bounds = field(default_factory=Bounds)
    resolve: Resolve | None = None
    _n_files: int = 0
    _n_bytes: int = 0
    _started_s: float = field(default_factory=time.monotonic)

    def fetch(self, url: str, target: Path) -> None:
        """Write what lies at `url` to `target`.

        Raises:
            InputError: a URL, host or address that may not be asked, an answer that is no 200, or a limit.
        """
        parts = self._allowed(url)
        self._n_files += 1
        if self._n_files > self.bounds.files:
            raise InputError(f"more than {self.bounds.files:,} files are named", where=_shown(url))
        host, port = str(parts.hostname), parts.port or (443 if parts.scheme == "https" else 80)
        try:
            self._get(
                parts.scheme, host, port, (parts.path or "/") + (f"?{parts.query}" if parts.query else ""), target
            )
        except WebhookError as error:
            raise InputError(error.what, where=_shown(url), remedy="name a public host") from None
        except (OSError, http.client.HTTPException) as error:
            raise InputError(f"it could not be fetched: {error}"[:300], where=_shown(url)) from None

    def _allowed(self, url: str):  # type: ignore[no-untyped-def]
        try:
            parts = urlsplit(url)
            name = parts.hostname or ""
            named = {name, f"{name}:{parts.port}"} & self.hosts
        except ValueError:
            raise InputError("this is no URL", where=url[:200]) from None
        if (
            parts.username is not None
            or parts.password is not None
            or any(c.isspace() or not c.isprintable() for c in url)
        ):
            raise InputError("a URL with a user, a password or odd characters is not fetched", where=_shown(url))
        local = self.allow_loopback and name in _LOOPBACK
        if parts.scheme != "https" and not (parts.scheme == "http" and local):
            remedy = "name an https:// URL; --allow-loopback lets http://127.0.0.1 through"
            raise InputError("only https is fetched", where=_shown(url), remedy=remedy)
        if not named:
            raise InputError(f"{name} is not on the list of hosts", where=_shown(url), remedy="add it: --host NAME")
        return parts

    def _get(self, scheme: str, host: str, port: int, path: str, target: Path) -> None:
        """One GET to an address that was looked at before; a redirect is an answer like any other that is no 200."""
        local = self.allow_loopback and host in _LOOPBACK
        address = checked_address(host, (self.resolve or _resolved)(host, port), allow_private=local)
        raw = socket.create_connection((address, port), timeout=self.bounds.wait_s)
        connection = http.client.HTTPConnection(host, port, timeout=self.bounds.wait_s)
        try:
            connection.sock = (
                raw if scheme == "http" else ssl.create_default_context().wrap_socket(raw, server_hostname=host)
            )
            connection.request("GET", path, headers={"user-agent": "dubgate-probe", "accept-encoding": "identity"})
            answer = connection.getresponse()
            if answer.status != 200:
                raise InputError(
                    f"the host answered {answer.status}", where=f"{scheme}://{host}{path.split('?')[0]}"[:300]
                )
            self._take(answer, target)
        finally:
            connection.close()
            raw.close()

    def _take(self, answer: http.client.HTTPResponse, target: Path) -> None:
        n = 0
        with target.open("xb") as out:
            while block := answer.read(_BLOCK):
                n, self._n_bytes = n + len(block), self._n_bytes + len(block)
                if n > self.bounds.file_bytes or self._n_bytes > self.bounds.total_bytes:
                    raise InputError("more bytes than a look may fetch", where=target.name)
                if time.monotonic() - self._started_s > self.bounds.seconds:
                    raise InputError(f"the look took longer than {self.bounds.seconds:.0f} s", where=target.name)
                out.write(block)
        if answer.length:
            raise InputError(f"the answer ended {answer.length:,} bytes early", where=target.name)


def _resolved(host: str, port: int) -> Sequence[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(info[4][0]) for info in found))


def _shown(url: str) -> str:
    """Without query, which may hold a token."""
    return "".join(c for c in url.split("?")[0].split("#")[0] if c.isprintable())[:300]
