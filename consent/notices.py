"""The outbox of takedown notices: each as JSON, in plain words and signed where a key is at hand, until it is delivered.

A notice's id comes from the event that caused it: written twice it is one, sent twice the receiver sees one id.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consent.dsse import PAYLOAD_TYPE, STATEMENT_TYPE, pre_authentication_encoding
from consent.errors import StoreError
from consent.parties import dsse_keyid
from consent.webhooks import Endpoint, send

PREDICATE_TYPE = "urn:dubgate:takedown:1.0"
_ID = re.compile(r"msg-[0-9a-f]{40}\Z")
MAX_BYTES = 16_000_000


@dataclass(frozen=True, slots=True)
class Waiting:
    """A notice of the outbox: its id, what it says, where it is to go, and what came of sending it."""

    notice_id: str
    notice: Mapping[str, Any]
    url: str | None
    delivered_at: str | None
    attempts: int
    error: str | None

    @property
    def delivered(self) -> bool:
        return self.delivered_at is not None


def notice_id(event_id: str) -> str:
    """The id of the notice that an event causes; the webhook's id too."""
    return f"msg-{hashlib.sha256(f'takedown {event_id}'.encode()).hexdigest()[:40]}"


class Outbox:
    """A folder of notices: `ID.json`, `ID.txt`, `ID.dsse.json` where it is signed, `ID.status.json`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(
        self, event_id: str, notice: Mapping[str, Any], *, key: Ed25519PrivateKey | None = None, url: str | None = None
    ) -> str:
        """Write a notice, once; its id. What lies there under the same id is left as it is.

        Raises:
            StoreError: the folder cannot be written to.
        """
        name = notice_id(event_id)
        said = {"notice_id": name, **notice}
        body = rfc8785.dumps(said)
        self._put(f"{name}.txt", in_words(said).encode())
        if key is not None:
            self._put(f"{name}.dsse.json", signed(said, key))
        self._put(f"{name}.json", body)
        if not (self.folder / f"{name}.status.json").exists():
            self._say(name, url, delivered_at=None, attempts=0, error=None)
        return name

    def all(self) -> tuple[Waiting, ...]:
        """Every notice, in the order of their ids.

        Raises:
            StoreError: one of them cannot be read.
        """
        if not self.folder.is_dir():
            return ()
        names = sorted(p.stem for p in self.folder.glob("msg-*.json") if _ID.match(p.stem))
        return tuple(self._read(name) for name in names)

    def deliver(
        self,
        secret: str,
        *,
        clock: Callable[[], datetime],
        pause: Callable[[float], None],
        url: str | None = None,
        allow_private: bool = False,
        only: str | None = None,
    ) -> Iterator[Waiting]:
        """Send what is not delivered yet, to `url` or where it was to go; each with what came of it."""
        for waiting in self.all():
            target = url or waiting.url
            if waiting.delivered or target is None or only not in (None, waiting.notice_id):
                continue
            body = (self.folder / f"{waiting.notice_id}.json").read_bytes()
            endpoint = Endpoint(target, allow_private=allow_private)
            came = send(endpoint, waiting.notice_id, body, secret, clock=clock, pause=pause)
            done = clock().isoformat() if came.delivered else None
            n = waiting.attempts + came.attempts
            self._say(waiting.notice_id, target, delivered_at=done, attempts=n, error=came.error)
            yield self._read(waiting.notice_id)

    def _read(self, name: str) -> Waiting:
        notice, status = self._json(f"{name}.json"), self._json(f"{name}.status.json", {})
        return Waiting(
            name, notice, status.get("url"), status.get("delivered_at"), status.get("attempts", 0), status.get("error")
        )

    def _json(self, name: str, absent: dict[str, Any] | None = None) -> dict[str, Any]:
        path = self.folder / name
        try:
            if absent is not None and not path.exists():
                return absent
            if path.stat().st_size > MAX_BYTES:
                raise ValueError("it is too large")
            found = json.loads(path.read_bytes())
            if not isinstance(found, dict):
                raise ValueError("it is no notice")
            return found
        except (OSError, ValueError, RecursionError) as error:
            raise StoreError(f"a notice cannot be read: {error}", where=name) from None

    def _say(self, name: str, url: str | None, **what: Any) -> None:
        self._put(f"{name}.status.json", json.dumps({"url": url, **what}, sort_keys=True).encode(), over=True)

    def _put(self, name: str, data: bytes, *, over: bool = False) -> None:
        """A file that appears whole or not at all, readable by its owner only."""
        path = self.folder / name
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if path.exists() and not over:
                return
            descriptor, partial = tempfile.mkstemp(dir=self.folder, prefix=".new-")
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
            os.replace(partial, path)
        except OSError as error:
            remedy = "What was recorded stands. Free the folder, then: dubgate consent notices --write."
            raise StoreError(f"the notice cannot be written ({error.strerror})", where=name, remedy=remedy) from None


def signed(notice: Mapping[str, Any], key: Ed25519PrivateKey) -> bytes:
    """A DSSE envelope over an in-toto Statement about the releases' sounds, with the notice as its predicate."""
    sounds = sorted({r["packets_sha256"] for r in notice["releases"]})
    statement: dict[str, Any] = {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": "dub", "digest": {"sha256": sound}} for sound in sounds],
        "predicateType": PREDICATE_TYPE,
        "predicate": dict(notice),
    }
    payload = rfc8785.dumps(statement)
    by = dsse_keyid(key.public_key().public_bytes_raw().hex())
    signature = base64.b64encode(key.sign(pre_authentication_encoding(payload))).decode()
    envelope: dict[str, Any] = {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [{"keyid": by, "sig": signature}],
    }
    return json.dumps(envelope, sort_keys=True, indent=1).encode() + b"\n"


_HOW_FAR = {
    "stop_new": "Make no new release from it. What is already published may stay.",
    "stop_distribution": "Stop distributing these releases.",
    "takedown": "Take these releases down everywhere, copies and caches included.",
}


def in_words(notice: Mapping[str, Any]) -> str:
    """The notice for people, in plain English; nothing in it can move a terminal's cursor."""
    releases = [
        f"  - {r['title_id']}, {r['language']}, {', '.join(r['channels'])}, in {_some(r['territories'])}\n"
        f"    certificate {r['certificate_sha256'] or 'none'}\n"
        f"    sound {r['packets_sha256']}"
        for r in notice["releases"]
    ]
    lines = [
        f"Takedown notice {notice['notice_id']}",
        "",
        f"{notice['target']} no longer stands, from {notice['effective_at']}.",
        f"Why, in their words: {notice['reason']}",
        "",
        _HOW_FAR.get(notice["effect"], "Stop distributing these releases."),
        "",
        f"{len(releases)} live release(s) rest on it:" if releases else "No live release rests on it.",
        *releases,
        "",
        "What to offer instead, the first that you have:",
        *(f"  {n}. {option['text']}" for n, option in enumerate(notice["fallbacks"], 1)),
        "",
        f"Issued {notice['issued_at']}. A certificate that is listed here must not be used again.",
        "",
    ]
    return "\n".join(_plain(line) for line in lines)


def _some(codes: list[str]) -> str:
    return ", ".join(codes[:8]) + (f" and {len(codes) - 8} more" if len(codes) > 8 else "")


def _plain(text: str) -> str:
    return "".join(c if c.isprintable() or c == "\n" else "?" for c in text)
