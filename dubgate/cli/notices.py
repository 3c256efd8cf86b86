"""`dubgate consent notices`, and what the ending commands share: where notices lie, how they are signed and sent."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dubgate.cli.registry_options import open_registry, plain, registry_options, say
from dubgate.errors import InputError

if TYPE_CHECKING:
    from consent.consequences import Ending
    from consent.notices import Outbox, Waiting

SECRET = "DUBGATE_WEBHOOK_SECRET"


class Posting:
    """Where notices go: the outbox, the webhook, and the key that signs them."""

    def __init__(
        self, notices: Path | None, webhook: str | None, secret_env: str, allow_private: bool, sign_with: Path | None
    ) -> None:
        self.notices, self.webhook, self.secret_env = notices, webhook, secret_env
        self.allow_private, self.sign_with = allow_private, sign_with

    def outbox(self, location: str) -> Outbox:
        """The folder named, else one beside the registry's file."""
        from consent.notices import Outbox

        return Outbox(self.notices or _beside(location))

    def checked(self) -> None:
        """Look at what was asked for before anything is recorded.

        Raises:
            InputError, WebhookError: the endpoint, its secret or the key cannot be used.
        """
        from consent.webhooks import Endpoint, secret_bytes

        self.key()
        if self.webhook is not None:
            Endpoint(self.webhook, allow_private=self.allow_private)
            secret_bytes(self.secret())

    def secret(self) -> str:
        """The webhook's secret, from the environment."""
        found = os.environ.get(self.secret_env)
        if not found:
            remedy = f"Set {self.secret_env} to whsec_ and the base64 of 24 to 64 random bytes."
            raise InputError("the webhook's secret is not set", where=self.secret_env, remedy=remedy)
        return found

    def key(self) -> Any:
        """The Ed25519 key that signs notices; None where none was named."""
        from dubgate.cli.keys import load

        return None if self.sign_with is None else load(self.sign_with)

    def send(self, outbox: Outbox, only: str | None = None) -> tuple[Waiting, ...]:
        """Send what waits in an outbox, bounded in time and tries."""
        return tuple(
            outbox.deliver(
                self.secret(),
                clock=lambda: datetime.now(UTC),
                pause=time.sleep,
                url=self.webhook,
                allow_private=self.allow_private,
                only=only,
            )
        )


def _beside(location: str) -> Path:
    return Path("dubgate-notices") if "://" in location else Path(f"{location}.notices")


def posting_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--notices`, `--webhook`, `--webhook-secret-env`, `--allow-private-webhook` and `--sign-with`, as one `posting`."""

    @click.option(
        "--notices",
        type=click.Path(path_type=Path),
        envvar="DUBGATE_NOTICES",
        help="The outbox folder. Default: beside the registry's file, with .notices behind its name.",
    )
    @click.option(
        "--webhook", envvar="DUBGATE_WEBHOOK", metavar="URL", help="Send notices here too (Standard Webhooks)."
    )
    @click.option(
        "--webhook-secret-env",
        "secret_env",
        default=SECRET,
        show_default=True,
        help="The environment variable that holds the secret (whsec_…).",
    )
    @click.option(
        "--allow-private-webhook", "allow_private", is_flag=True, help="Allow an address of this machine or network."
    )
    @click.option("--sign-with", type=click.Path(path_type=Path), help="Sign notices with this Ed25519 key (PEM).")
    @functools.wraps(command)
    def wrapped(
        *args: Any,
        notices: Path | None,
        webhook: str | None,
        secret_env: str,
        allow_private: bool,
        sign_with: Path | None,
        **kwargs: Any,
    ) -> Any:
        return command(*args, posting=Posting(notices, webhook, secret_env, allow_private, sign_with), **kwargs)

    return wrapped


def post(ending: Ending, posting: Posting, location: str) -> tuple[str, str]:
    """Write an ending's notice and send it; the notice's id and one line on what came of it."""
    outbox = posting.outbox(location)
    name = outbox.write(ending.event.event_id, ending.notice(), key=posting.key(), url=posting.webhook)
    where = plain(outbox.folder / f"{name}.txt")
    if posting.webhook is None:
        return name, f"Notice: {where}"
    sent = next(iter(posting.send(outbox, name)), None)
    return name, f"Notice: {where}\n{_came(sent)}"


def _came(waiting: Waiting | None) -> str:
    if waiting is None or waiting.delivered:
        return "Delivered to the webhook."
    return f"Not delivered ({plain(waiting.error)}); it waits in the outbox: dubgate consent notices --send"


@click.command()
@click.option("--send", "send_", is_flag=True, help="Send what is not delivered yet.")
@click.option("--write", "write_", is_flag=True, help="Write again what is missing, from the registry's history.")
@posting_options
@registry_options
def notices(send_: bool, write_: bool, posting: Posting, location: str, key_file: Path | None, form: str) -> int:
    """List the takedown notices of the outbox, and send again what was not delivered. Exit code 1 while some wait.

    \b
    dubgate consent notices --registry consent.db
    dubgate consent notices --send --webhook https://example.org/takedowns --registry consent.db
    """
    if posting.notices is None and not write_:
        open_registry(location, key_file, read_only=True).close()  # beside a registry that is not there lies no outbox
    outbox = posting.outbox(location)
    if write_:
        _write_missing(outbox, posting, location, key_file)
    if send_:
        posting.checked()
        posting.send(outbox)
    found = outbox.all()
    say(form, {"notices": [_data(w) for w in found]}, "\n".join(_lines(found)) or "No notice was written.")
    return 1 if any(not w.delivered and w.url for w in found) else 0


def _write_missing(outbox: Outbox, posting: Posting, location: str, key_file: Path | None) -> None:
    from consent.consequences import endings

    with open_registry(location, key_file, read_only=True) as registry, registry.view() as view:
        for ending in endings(view):
            outbox.write(ending.event.event_id, ending.notice(), key=posting.key(), url=posting.webhook)


def _data(waiting: Waiting) -> dict[str, Any]:
    return {
        "notice_id": waiting.notice_id,
        "target": waiting.notice["target"],
        "certificates": waiting.notice["certificates"],
        "webhook": waiting.url,
        "delivered_at": waiting.delivered_at,
        "attempts": waiting.attempts,
        "error": waiting.error,
    }


def _lines(found: tuple[Waiting, ...]) -> Iterator[str]:
    for w in found:
        state = (
            f"delivered {w.delivered_at}"
            if w.delivered
            else (f"waits ({w.error or 'not sent'})" if w.url else "file only")
        )
        n = len(w.notice["certificates"])
        yield f"{w.notice_id}  {plain(w.notice['target'])}  {n} certificate(s)  {plain(state)}"
