"""The journal of a batch: one line for each step that stands, chained by digest, on the disk before the next is taken.

It says what was judged, so that a batch that was interrupted goes on where it stood and judges nothing twice. A last line that was cut
off counts as not written; any other damage is an error. No speaker vector is in it.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dubgate.engine.jobs import Facts
from dubgate.errors import InputError
from dubgate.stored import from_stored, to_stored

SCHEMA = "batch-journal/1.0"
NAME = "journal.jsonl"
ERROR = "error"  # the decision of a delivery that could not be judged


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a delivery in one round: `facts`, or `why` it could not be judged.

    `state` tells the files apart from those of another round, and after a dash the rules that judged them. `worker` and
    `seconds` say who heard it and for how long; they and `at` are all that may differ when the same is judged elsewhere.
    """

    name: str
    location: str
    state: str
    facts: Facts | None
    why: str = ""
    worker: str = ""
    seconds: float = 0.0
    certificate: str = ""

    @property
    def decision(self) -> str:
        return ERROR if self.facts is None else self.facts.decision


@dataclass(frozen=True, slots=True)
class Signing:
    """A release is about to enter the ledger: without a Done after it nobody knows whether it did."""

    name: str
    state: str


@dataclass(slots=True)
class Journal:
    """An open journal; only one process has it."""

    path: Path
    options: dict[str, Any]
    started_at: str
    done: list[Done] = field(default_factory=list)
    signing: list[Signing] = field(default_factory=list)
    _descriptor: int = -1
    _lock: int = -1
    _last: str = ""

    def add(self, step: Done | Signing) -> None:
        """Write a step, and wait until it is on the disk.

        Raises:
            InputError: it cannot be written; the step does not stand.
        """
        data, _ = to_stored(step)
        self._write({type(step).__name__.lower(): data})
        (self.done if isinstance(step, Done) else self.signing).append(step)  # type: ignore[arg-type]

    def standing(self, name: str, state: str) -> Done | None:
        """What came of a delivery in its last round, where that was of this very state; None where it could not be judged.

        An earlier round of the same state does not stand: the reports that lie there are the last round's.
        """
        last = next((d for d in reversed(self.done) if d.name == name), None)
        return last if last is not None and last.state == state and last.facts is not None else None

    def half_signed(self, name: str, state: str) -> bool:
        """Whether signing this delivery began and nobody knows how it ended, by whatever rules it was judged."""
        ended = sum(d.name == name and d.state.rsplit("-", 1)[0] == state and bool(d.certificate) for d in self.done)
        return self.signing.count(Signing(name, state)) > ended

    def close(self) -> None:
        for descriptor in (self._descriptor, self._lock):
            if descriptor >= 0:
                os.close(descriptor)
        self._descriptor = self._lock = -1

    def _write(self, body: dict[str, Any]) -> None:
        text = json.dumps(body, sort_keys=True, allow_nan=False)
        digest = _chained(self._last, text)
        line = f'{{"sha256": "{digest}", "step": {text}}}\n'.encode()
        start = os.fstat(self._descriptor).st_size
        try:
            if os.write(self._descriptor, line) != len(line):
                raise OSError("the disk is full")
            os.fsync(self._descriptor)
        except OSError as error:
            os.ftruncate(self._descriptor, start)
            raise InputError(f"the journal cannot be written: {error}", where=str(self.path)) from error
        self._last = digest


def open_journal(folder: Path, options: dict[str, Any], started_at: str) -> Journal:
    """Open the journal of a batch's folder, or begin one.

    Raises:
        InputError: another batch is running here, the journal is damaged, or it is of a batch with other options.
    """
    path = folder / NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise InputError(f"the folder cannot be written to: {error.strerror}", where=str(folder)) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise InputError("another batch is running in this folder", where=str(folder)) from None
    journal = Journal(path, options, started_at, _lock=lock)
    try:
        _begin(journal)
    except BaseException:
        journal.close()
        raise
    return journal


def _begin(journal: Journal) -> None:
    steps, length = _read(journal.path)
    journal._descriptor = os.open(journal.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    os.ftruncate(journal._descriptor, length)  # a line that was cut off
    if not steps:
        journal._write({"batch": {"schema": SCHEMA, "options": journal.options, "started_at": journal.started_at}})
        return
    head = steps[0][1].get("batch")
    if not isinstance(head, dict) or head.get("schema") != SCHEMA:
        raise InputError("this journal is of another version", where=str(journal.path), remedy="choose another --out")
    if head.get("options") != journal.options:
        changed = sorted(k for k, v in journal.options.items() if head.get("options", {}).get(k) != v)
        raise InputError(
            f"this folder holds a batch with other options ({', '.join(changed)})",
            where=str(journal.path),
            remedy="repeat its options to go on with it, or choose another --out",
        )
    journal.started_at, journal._last = str(head["started_at"]), steps[-1][0]
    _fill(journal, steps[1:])


def _fill(journal: Journal, steps: list[tuple[str, dict[str, Any]]]) -> None:
    try:
        for _, step in steps:
            if "done" in step:
                journal.done.append(from_stored(Done, step["done"], {}))
            else:
                journal.signing.append(from_stored(Signing, step["signing"], {}))
    except (ValueError, KeyError) as error:
        raise _damaged(journal.path, str(error)) from None


def _read(path: Path) -> tuple[list[tuple[str, dict[str, Any]]], int]:
    """The steps with their digests, and how many bytes they take; a last line without its end is left out."""
    data = path.read_bytes() if path.exists() else b""
    *lines, _ = data.split(b"\n")
    steps: list[tuple[str, dict[str, Any]]] = []
    last = ""
    for n, line in enumerate(lines, 1):
        try:
            told = json.loads(line)
            digest, step = told["sha256"], told["step"]
        except (ValueError, KeyError, TypeError, RecursionError):
            raise _damaged(path, f"line {n} is no step") from None
        if digest != _chained(last, json.dumps(step, sort_keys=True)):
            raise _damaged(path, f"line {n} is not what was written there")
        steps.append((digest, step))
        last = digest
    return steps, sum(len(line) + 1 for line in lines)


def _chained(last: str, text: str) -> str:
    return hashlib.sha256(f"{last}\n{text}".encode()).hexdigest()


def _damaged(path: Path, why: str) -> InputError:
    return InputError(f"the journal is damaged: {why}", where=str(path), remedy="choose another --out: judge anew")
