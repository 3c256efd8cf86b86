"""What an operator sets of the desk: where it is reached, where its own tables lie, how long things live, how mail goes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from consent.errors import StoreError

LOCAL = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Smtp:
    """A mail server; the password comes from the environment of the process, never from a file of the project."""

    host: str
    port: int = 587
    user: str | None = None
    password: str | None = None
    starttls: bool = True

    def __repr__(self) -> str:
        return f"Smtp({self.host!r}, {self.port})"


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where notices go as signed POST requests (Standard Webhooks), beside the mail."""

    url: str
    secret: str
    allow_private: bool = False

    def __repr__(self) -> str:
        return f"Webhook({urlsplit(self.url).hostname!r})"


@dataclass(frozen=True, slots=True)
class DeskSettings:
    """Settings of one desk.

    Args:
        origin: scheme, host and port under which browsers reach it; its host is the passkeys' relying party.
        tables: path or URL of the desk's own tables (sessions, accounts, notes); never the ledger's.
        outbox: the folder in which every message lies, sent or not.
        path: where the desk is mounted, such as `/desk`; nothing where it is served by itself.
    """

    origin: str
    tables: str
    outbox: Path
    sender: str = "desk@localhost"
    smtp: Smtp | None = None
    webhook: Webhook | None = None
    session: timedelta = timedelta(hours=12)
    idle: timedelta = timedelta(hours=1)
    link: timedelta = timedelta(minutes=15)
    invitation: timedelta = timedelta(days=7)
    recovery_delay: timedelta = timedelta(hours=24)
    path: str = ""

    def __post_init__(self) -> None:
        parts = urlsplit(self.origin)
        if parts.scheme not in ("https", "http") or not parts.hostname or parts.path or parts.query:
            raise StoreError("the desk's origin is scheme://host[:port]", where=self.origin)
        if parts.scheme == "http" and parts.hostname not in LOCAL:
            remedy = "Put it behind TLS; http is for localhost only."
            raise StoreError("passkeys and cookies want https", where=self.origin, remedy=remedy)

    @property
    def secure(self) -> bool:
        """Whether cookies are marked Secure: always, but for a desk on this very machine."""
        return self.origin.startswith("https://")

    @property
    def rp_id(self) -> str:
        """The relying party of passkeys."""
        return str(urlsplit(self.origin).hostname)
