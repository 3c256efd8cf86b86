"""A client of the HTTP API for pipelines: the standard library alone, and nothing but a clear yes counts as one.

client = Client("https://gate.example.org", token)
job = client.wait(client.submit(path="/srv/deliveries/polyglot/ep03/delivery.yaml"))
answer = client.may_publish(Path("dub.mov"), territory="DE", channel="svod", language="de")
if answer.publish: ...
"""

from __future__ import annotations

import hashlib
import http.client
import json
import random
import ssl
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from dubgate.errors import DubgateError, InputError

TIMEOUT_S, TRIES = 30.0, 4
MOST_BYTES = 64 << 20
ENDED = ("done", "failed", "cancelled")


class ApiError(DubgateError):
    """The API could not be asked, or refused the request; `status` is 0 where there was no answer."""

    def __init__(self, what: str, *, status: int = 0, kind: str = "", remedy: str | None = None) -> None:
        super().__init__(what, where=f"HTTP {status}" if status else "API", remedy=remedy)
        self.status, self.kind = status, kind


@dataclass(frozen=True, slots=True)
class Answer:
    """May it be published? `reason` says why not; `body` is all that the API said."""

    publish: bool
    reason: str
    body: Mapping[str, Any]


class Client:
    """One token at one API; `token` may be read from a file with `token_of`."""

    def __init__(self, url: str, token: str, *, pause: Callable[[float], None] | None = None) -> None:
        try:
            parts = urlsplit(url)
            local, _ = parts.hostname in ("localhost", "127.0.0.1", "::1"), parts.port
        except ValueError as error:
            raise InputError(f"this is no URL: {error}", where="url") from None
        if parts.scheme not in ("https", "http") or not parts.hostname or (parts.scheme == "http" and not local):
            raise InputError(
                "the API is an https:// URL (http:// on this machine only)",
                where="url",
                remedy="Such as https://gate.example.org: without /v1, name and password.",
            )
        self._parts, self._token, self._pause = parts, token, pause or time.sleep

    def __repr__(self) -> str:
        return f"Client({self._parts.hostname!r}, …)"

    def submit(self, *, path: str = "", upload: str = "", url: str = "", key: str = "") -> str:
        """Submit a delivery; the job's id. Sent again under the same key, it is the same job.

        Raises:
            ApiError
        """
        body = {k: v for k, v in (("path", path), ("upload", upload), ("url", url)) if v}
        return str(self._call("POST", "/v1/deliveries", body, key=key or uuid.uuid4().hex)["job_id"])

    def ask_for_decisions(self, *, path: str = "", upload: str = "", url: str = "", key: str = "") -> str:
        """Open a request to each party whose decision a delivery lacks; the job's id."""
        body = {k: v for k, v in (("path", path), ("upload", upload), ("url", url)) if v}
        return str(self._call("POST", "/v1/requests", body, key=key or uuid.uuid4().hex)["job_id"])

    def job(self, job_id: str) -> dict[str, Any]:
        """Where a job stands."""
        return self._call("GET", f"/v1/jobs/{quote(job_id, safe='')}")

    def wait(self, job_id: str, *, most_s: float = 6 * 3600, every_s: float = 2.0) -> dict[str, Any]:
        """The job once it ended; a release is `job["decision"] == "release"` and nothing else.

        Raises:
            ApiError: it did not end in time.
        """
        for _ in range(max(1, int(most_s / every_s))):
            job = self.job(job_id)
            if job["state"] in ENDED:
                return job
            self._pause(every_s)
        raise ApiError(f"job {job_id} did not end within {most_s:g} s")

    def certificate(self, certificate_id: str) -> bytes:
        """A certificate, byte for byte: what `dubgate verify` takes."""
        status, body = self._asked("GET", f"/v1/certificates/{quote(certificate_id, safe='')}", None, {})
        if status != 200:
            raise _error(status, body)
        return body

    def may_publish(
        self,
        file: Path | str,
        *,
        territory: str,
        channel: str,
        language: str,
        at: str = "now",
        partner: str | None = None,
    ) -> Answer:
        """May this file (or the file of this SHA-256) be published, for this use (and by this partner)?

        Raises:
            ApiError: it could not be asked: do not publish then either.
        """
        digest = file_digest(file) if isinstance(file, Path) else file
        asked = {"digest": digest, "territory": territory, "channel": channel, "language": language, "at": at}
        asked |= {} if partner is None else {"partner": partner}
        status, raw = self._asked("GET", f"/v1/may-publish?{urlencode(asked)}", None, {})
        body = _json(raw)
        if status == 200 and body.get("publish") is True and body.get("certificate_id"):
            if body.get("digest") != digest.removeprefix("sha256:") or channel not in body.get("channels", ()):
                raise ApiError("the answer is about another file or use: something on the way answered", status=status)
            return Answer(True, "", body)
        if status in (403, 422) and body.get("publish") is False:
            return Answer(False, str(body.get("reason", "refused")), body)
        raise _error(status, raw)

    def _call(
        self, method: str, target: str, body: Mapping[str, Any] | None = None, *, key: str = ""
    ) -> dict[str, Any]:
        headers = {"idempotency-key": key} if key else {}
        status, raw = self._asked(method, target, body, headers)
        if not 200 <= status < 300:
            raise _error(status, raw)
        return _json(raw)

    def _asked(
        self, method: str, target: str, body: Mapping[str, Any] | None, headers: Mapping[str, str]
    ) -> tuple[int, bytes]:
        """One answer; asked again where none came or the service was not there (a write only under a key)."""
        again = method == "GET" or "idempotency-key" in headers
        problem: ApiError | None = None
        for attempt in range(TRIES if again else 1):
            if attempt:
                self._pause(min(30.0, 2.0**attempt) * (0.5 + random.random() / 2))
            try:
                status, raw = self._once(method, target, body, headers)
            except (OSError, http.client.HTTPException) as error:
                what = f"no answer from {self._parts.hostname}: {type(error).__name__}"
                problem = ApiError(
                    what, remedy="Do not publish. Check the address and that the service runs; try again."
                )
                continue
            if status not in (429, 502, 503, 504):
                return status, raw
            problem = _error(status, raw)
        assert problem is not None
        raise problem

    def _once(
        self, method: str, target: str, body: Mapping[str, Any] | None, headers: Mapping[str, str]
    ) -> tuple[int, bytes]:
        host, port = str(self._parts.hostname), self._parts.port
        if self._parts.scheme == "https":
            context = ssl.create_default_context()
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                host, port, timeout=TIMEOUT_S, context=context
            )
        else:
            connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
        sent = {"authorization": f"Bearer {self._token}", "accept": "application/json", **headers}
        data = None if body is None else json.dumps(body).encode()
        if data is not None:
            sent["content-type"] = "application/json"
        try:
            connection.request(method, self._parts.path.rstrip("/") + target, data, sent)
            response = connection.getresponse()
            return response.status, response.read(MOST_BYTES)
        finally:
            connection.close()


def token_of(path: Path) -> str:
    """The token in a file.

    Raises:
        InputError: it cannot be read.
    """
    remedy = "A file with what `dubgate tokens new` printed, and nothing else."
    try:
        token = path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise InputError(f"the token cannot be read: {error.strerror}", where=str(path), remedy=remedy) from None
    except UnicodeDecodeError:
        raise InputError("this is no token", where=str(path), remedy=remedy) from None
    if not token or len(token.split()) != 1:
        raise InputError("no token is in it" if not token else "this is no token", where=str(path), remedy=remedy)
    return token


def file_digest(path: Path) -> str:
    """SHA-256 of a file, in hex.

    Raises:
        InputError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(path)) from None


def _json(raw: bytes) -> dict[str, Any]:
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        body = None
    return body if isinstance(body, dict) else {}


def _error(status: int, raw: bytes) -> ApiError:
    body = _json(raw)
    what = str(body.get("detail") or body.get("title") or "the answer is none that this client knows")
    errors = body.get("errors")
    if isinstance(errors, list):
        what += "".join(f"\n  {e.get('where')}: {e.get('what')}" for e in errors if isinstance(e, dict))
    remedy = body.get("remedy")
    return ApiError(what[:2000], status=status, kind=str(body.get("type", "")), remedy=str(remedy) if remedy else None)
