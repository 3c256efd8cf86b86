"""Messages to people: each is a file in the outbox first, and goes by SMTP and webhook where those are set.

Every message ends with the ledger's checkpoint of that moment, so that whoever keeps their mail can show a rewritten ledger.
"""

from __future__ import annotations

import json
import os
import smtplib
import ssl
import tempfile
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP as MAIL_POLICY
from email.utils import parsedate_to_datetime
from typing import Any

from consent.errors import StoreError
from consent.web.settings import DeskSettings, Smtp, Webhook
from consent.webhooks import Endpoint, send

SMTP_TIMEOUT_S = 20


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one address; `kind` names what it is about, `checkpoint` is the ledger's head as text."""

    to: str
    kind: str
    subject: str
    words: str
    checkpoint: str
    link: str = ""


class MailBox:
    """The folder of messages, and the ways out of it."""

    def __init__(self, settings: DeskSettings, clock: Callable[[], datetime]) -> None:
        self._settings, self._clock = settings, clock
        self._threads: list[threading.Thread] = []

    def send(self, message: Message, *, secret: bool = False) -> str:
        """Write a message and start it on its way; the id under which it lies.

        A `secret` one (a sign-in link) goes by mail alone, never to a webhook.

        Raises:
            StoreError: the outbox cannot be written to.
        """
        name = f"mail-{self._clock():%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:12]}"
        mail = self._mail(message, name)
        self._put(f"{name}.eml", mail.as_bytes(policy=MAIL_POLICY))
        smtp, webhook = self._settings.smtp, None if secret else self._settings.webhook
        if smtp is not None or webhook is not None:
            thread = threading.Thread(target=self._out, args=(name, mail, message, smtp, webhook), daemon=True)
            thread.start()
            self._threads.append(thread)
        return name

    def wait(self, seconds: float = 30) -> None:
        """Wait for what is on its way."""
        for thread in self._threads:
            thread.join(seconds)
        self._threads.clear()

    def all(self, most: int = 100) -> list[dict[str, Any]]:
        """The newest messages, without their texts: id, address, subject, and whether they went out."""
        folder = self._settings.outbox
        names = sorted((p.stem for p in folder.glob("mail-*.eml")), reverse=True)[:most] if folder.is_dir() else []
        return [self._known(name) for name in names]

    def _known(self, name: str) -> dict[str, Any]:
        import email
        from email.policy import default

        with (self._settings.outbox / f"{name}.eml").open("rb") as file:
            head = email.message_from_binary_file(file, policy=default)
        status = self._settings.outbox / f"{name}.json"
        came = json.loads(status.read_text()) if status.is_file() else {}
        told = {"id": name, "to": str(head["To"]), "subject": str(head["Subject"])}
        return {**told, "at": parsedate_to_datetime(str(head["Date"])), **came}

    def _mail(self, message: Message, name: str) -> EmailMessage:
        mail = EmailMessage()
        mail["From"] = self._settings.sender
        mail["To"] = message.to
        mail["Subject"] = " ".join(message.subject.split())
        mail["Date"] = self._clock()
        mail["Message-ID"] = f"<{name}@{self._settings.rp_id}>"
        mail["X-Dubgate-Kind"] = message.kind
        lines = [message.words, "", *([message.link, ""] if message.link else []), "-- ", "Ledger checkpoint:"]
        mail.set_content("\n".join([*lines, message.checkpoint]))
        return mail

    def _put(self, name: str, content: bytes) -> None:
        folder = self._settings.outbox
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor, temporary = tempfile.mkstemp(dir=folder, prefix=".new-")  # mkstemp: for its owner only
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
            os.replace(temporary, folder / name)
        except OSError as error:
            raise StoreError(f"the outbox cannot be written ({error.strerror})", where=str(folder)) from None

    def _out(self, name: str, mail: EmailMessage, message: Message, smtp: Smtp | None, hook: Webhook | None) -> None:
        came: dict[str, Any] = {}
        if smtp is not None:
            came["smtp"] = _by_smtp(smtp, mail)
        if hook is not None:
            endpoint = Endpoint(hook.url, allow_private=hook.allow_private)
            said = {"kind": message.kind, "subject": message.subject, "checkpoint": message.checkpoint}
            body = json.dumps({**said, "link": message.link, "schema": "desk-notice/1.0"}).encode()
            result = send(endpoint, name, body, hook.secret, clock=self._clock, pause=time.sleep)
            came["webhook"] = "delivered" if result.delivered else str(result.error)
        self._put(f"{name}.json", json.dumps(came).encode())


def _by_smtp(smtp: Smtp, mail: EmailMessage) -> str:
    """What came of it, in a word or two; the message lies in the outbox either way."""
    try:
        with smtplib.SMTP(smtp.host, smtp.port, timeout=SMTP_TIMEOUT_S) as server:
            if smtp.starttls:
                server.starttls(context=ssl.create_default_context())
            if smtp.user is not None:
                server.login(smtp.user, smtp.password or "")
            server.send_message(mail)
    except (OSError, smtplib.SMTPException) as error:
        return f"not sent: {type(error).__name__}"
    return "sent"
