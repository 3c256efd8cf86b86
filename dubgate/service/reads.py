"""The log of reads: one line a question, kept in a file of its minute, whose digest then enters the ledger.

A line is written before the answer is sent, so that a killed process loses none. Who altered a line afterwards is found
by the digest; minutes that a crash left without one are digested by the next start.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from consent.acts import ReadsDigest
from consent.errors import ConsentError
from consent.registry import Registry
from consent.vocabulary import Role
from consent.writing import Addition
from dubgate.errors import DubgateError, InputError
from dubgate.service.clock import Clock, iso

_LATE = timedelta(seconds=10)  # a line whose minute was read just before it ended
_NAME = re.compile(r"reads-(\d{8}T\d{4})-([0-9a-z-]{1,64})\.jsonl\Z")


class ReadsError(DubgateError):
    """The log of reads cannot be written."""


@dataclass(frozen=True, slots=True)
class Read:
    """One question: who asked what, and what came of it."""

    request_id: str
    token_id: str
    organisation: str
    route: str
    about: str
    status: int


class ReadLog:
    """Appends lines; a new file each minute."""

    def __init__(self, folder: Path, node: str, clock: Clock) -> None:
        self.folder, self.node, self._clock = folder, node, clock
        self._lock = threading.Lock()
        self._minute, self._file = "", -1
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def add(self, read: Read) -> None:
        """Write one line.

        Raises:
            ReadsError: it cannot be written: then the question is not answered.
        """
        now = self._clock()
        fields = ("request_id", "token_id", "organisation", "route", "about", "status")
        line = json.dumps({"at": iso(now), **{k: getattr(read, k) for k in fields}}, sort_keys=True) + "\n"
        try:
            with self._lock:
                os.write(self._of(now), line.encode())
        except OSError as error:
            raise ReadsError(
                f"the log of reads cannot be written: {error.strerror}", remedy="Make room for it."
            ) from None

    def _of(self, now: datetime) -> int:
        minute = now.astimezone(UTC).strftime("%Y%m%dT%H%M")
        if minute != self._minute:
            if self._file >= 0:
                os.close(self._file)
            place = self.folder / f"reads-{minute}-{self.node}.jsonl"
            self._file = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            self._minute = minute
        return self._file

    def digest(self, registry: Registry, by: str, *, everything: bool = False) -> int:
        """Enter the digest of each past minute that has none yet; how many entered. `everything` includes this minute.

        Raises:
            ConsentError: the ledger takes none now.
        """
        current = (self._clock() - _LATE).astimezone(UTC).strftime("%Y%m%dT%H%M")
        done = 0
        for path in sorted(self.folder.glob(f"reads-*-{self.node}.jsonl")):
            match = _NAME.match(path.name)
            if match is None or (match[1] >= current and not everything) or _mark(path).exists():
                continue
            if (data := path.read_bytes()) and self._entered(registry, by, match[1], data):
                done += 1
            _mark(path).touch()
        return done

    def _entered(self, registry: Registry, by: str, minute: str, data: bytes) -> bool:
        record = digest_of(self.node, minute, data, by)
        with registry.write() as writer:
            if writer.record(f"reads:{record.reads_id}", ReadsDigest) is not None:
                return False
            writer.add(Addition(record))
        return True


def _mark(path: Path) -> Path:
    return path.with_name(path.name + ".digested")


def digest_of(node: str, minute: str, data: bytes, by: str) -> ReadsDigest:
    """The record of one minute's log."""
    begun = datetime.strptime(minute, "%Y%m%dT%H%M").replace(tzinfo=UTC)
    named = hashlib.sha256(f"{node} {minute}".encode()).hexdigest()[:24]
    digest = hashlib.sha256(data).hexdigest()
    return ReadsDigest(
        reads_id=f"reads-{named}", by=by, node=node, begun_at=begun, n_reads=data.count(b"\n"), log_sha256=digest
    )


def altered(folder: Path, registry: Registry) -> list[str]:
    """The files of the log that are not what the ledger says they were, or of which it knows nothing."""
    wrong = []
    with registry.view() as view:
        for path in sorted(folder.glob("reads-*.jsonl")):
            match = _NAME.match(path.name)
            if match is None or not _mark(path).exists():
                continue
            mine = digest_of(match[2], match[1], path.read_bytes(), "x")
            kept = view.record(f"reads:{mine.reads_id}", ReadsDigest)
            if kept is None or (kept.log_sha256, kept.n_reads) != (mine.log_sha256, mine.n_reads):
                wrong.append(path.name)
    return wrong


def digest_quietly(log: ReadLog, registry: Registry, by: str) -> int:
    """As `digest`; a ledger that takes none now is asked again in the next minute."""
    with contextlib.suppress(ConsentError):
        return log.digest(registry, by)
    return 0


def operator_of(registry: Registry, party: str) -> str:
    """The party, if it may write for the service.

    Raises:
        InputError
    """
    with registry.view() as view:
        found = view.party(party)
    if found is None or Role.OPERATOR not in found.roles:
        raise InputError(f"{party} is no operator of this registry", where="party")
    return party
