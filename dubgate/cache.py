"""The folder where hearing and measuring are kept: bounded in bytes and age, locked for writers, each file under its own digest.

A folder in it holds everything of one hearing, so that it goes at once: `heard`, `measured-…`, and an empty file for each
voice that was compared in it, named by a digest, by which `purge` finds it. No speaker vector is ever kept: taking the vectors of
a two-hour programme anew costs about a minute, and what does not lie there cannot leak.
Set DUBGATE_CACHE to a folder, or to `off`; DUBGATE_CACHE_BYTES to what it may hold.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import stat
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dubgate import __version__
from dubgate.errors import InputError

SCHEMA = "kept/2.0"
NOWHERE = ""  # the key of what cannot be told apart from other hearings: nothing is ever kept under it
MOST_BYTES = 4 << 30
EXPIRES_S = 30 * 86_400.0  # what is older is not read any more, and goes with the next writing
_ABANDONED_S = 3600.0  # a half-written file of a process that died
_HEAD_BYTES = 4096
_KEY = re.compile(r"[0-9a-f]{64}")
_NEW, _VOICE, _LOCK = ".new-", "voice-", ".lock"


@dataclass(frozen=True, slots=True)
class Entry:
    """Everything kept of one hearing."""

    key: str
    n_bytes: int
    kept_at: float  # seconds since 1970
    used_at: float
    n_voices: int  # how many voices were compared in it
    about: str = ""
    version: str = ""  # the program's that wrote it; empty where that cannot be read


@dataclass(frozen=True, slots=True)
class Freed:
    """What was erased."""

    n_entries: int = 0
    n_bytes: int = 0


def folder() -> Path | None:
    """Where it lies; None where it is switched off."""
    chosen = os.environ.get("DUBGATE_CACHE", "")
    if chosen == "off":
        return None
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(chosen) if chosen else home / "dubgate" / "heard"


def most_bytes() -> int:
    """How many bytes may lie there.

    Raises:
        InputError: DUBGATE_CACHE_BYTES is no such number.
    """
    told = os.environ.get("DUBGATE_CACHE_BYTES", "")
    if told and not (told.isascii() and told.isdigit()):
        raise InputError(f"{told!r} is no number of bytes", where="DUBGATE_CACHE_BYTES", remedy="write a whole number")
    return int(told) if told else MOST_BYTES


def read(key: str, name: str) -> bytes | None:
    """What was kept of a hearing under a name; None where nothing is, or it is old, damaged, another version's or somebody else's."""
    where = folder()
    if where is None or key == NOWHERE:
        return None
    path = where / key / name
    try:
        with path.open("rb") as file:
            state = os.fstat(file.fileno())
            if not _is_own(state) or not 0 <= time.time() - state.st_mtime <= EXPIRES_S:
                return None
            head, payload = _head(file.readline(_HEAD_BYTES)), file.read()
        if head is None or head.get("sha256") != _digest(key, name, payload):
            return None
        os.utime(path, ns=(time.time_ns(), state.st_mtime_ns))
    except OSError:
        return None
    return payload


def write(key: str, name: str, payload: bytes, *, about: str = "", voices: Iterable[str] = ()) -> None:
    """Keep something, whole or not at all; a full or read-only disk only costs hearing again.

    Args:
        about: what it is, for people.
        voices: whose voices were compared for it, by id of the registry.
    """
    where = folder()
    if where is None or key == NOWHERE:
        return
    head = {
        "schema": SCHEMA,
        "version": __version__,
        "sha256": _digest(key, name, payload),
        "about": about[:200],
    }
    limit = most_bytes()
    with contextlib.suppress(OSError):
        where.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, waiting = tempfile.mkstemp(dir=where, prefix=_NEW)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(json.dumps(head).encode() + b"\n" + payload)
            with _locked(where):
                _mark(where / key, key, voices)
                os.replace(waiting, where / key / name)
                _prune(where, limit, EXPIRES_S)
        finally:
            Path(waiting).unlink(missing_ok=True)


def mark(key: str, voices: Iterable[str]) -> None:
    """Note whose voices are about to be compared in a hearing that is kept, before they are."""
    where = folder()
    if where is None or key == NOWHERE or not (where / key).is_dir():
        return
    with contextlib.suppress(OSError), _locked(where):
        if (where / key).is_dir():
            _mark(where / key, key, voices)


def entries() -> tuple[Entry, ...]:
    """Everything that is kept, used last first."""
    where = folder()
    found = [] if where is None else [_entry(p) for p in _folders(where)]
    return tuple(sorted(found, key=lambda e: -e.used_at))


def prune(limit: int | None = None, older_than_s: float = EXPIRES_S) -> Freed:
    """Erase what is older, and then what was used longest ago, until no more than `limit` bytes are left.

    Raises:
        InputError: the folder cannot be written to.
    """
    return _changed(lambda where: _prune(where, most_bytes() if limit is None else limit, older_than_s))


def purge(voice_id: str | None = None) -> Freed:
    """Erase all that was kept of deliveries in which a voice was compared; everything, without a voice.

    What an older version left does not say whose voices it compared, so it goes too.

    Raises:
        InputError: the folder cannot be written to.
    """

    def gone(where: Path) -> Freed:
        named = [p for p in _folders(where) if voice_id is None or (p / _marker(p.name, voice_id)).exists()]
        return _sum([*map(_erase, named), *map(_erase, _strange(where, 0.0 if voice_id is None else _ABANDONED_S))])

    return _changed(gone)


def _changed(change: object) -> Freed:
    where = folder()
    if where is None or not where.is_dir():
        return Freed()
    assert callable(change)
    try:
        with _locked(where):
            freed = change(where)
    except OSError as error:
        raise InputError(f"nothing more can be erased: {error.strerror}", where=str(where)) from error
    assert isinstance(freed, Freed)
    return freed


@contextmanager
def _locked(where: Path) -> Iterator[None]:
    """One writer at a time; the lock goes with its process, however that ends."""
    descriptor = os.open(where / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _mark(entry: Path, key: str, voices: Iterable[str]) -> None:
    entry.mkdir(exist_ok=True, mode=0o700)
    for voice in voices:
        os.close(os.open(entry / _marker(key, voice), os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600))


def _marker(key: str, voice_id: str) -> str:
    """Not the id itself: the folder does not list who is in the registry."""
    return _VOICE + hashlib.sha256(f"{key}:{voice_id}".encode()).hexdigest()


def _digest(key: str, name: str, payload: bytes) -> str:
    """Of the bytes and of their place, so that no file counts under another's name."""
    return hashlib.sha256(f"{SCHEMA}\n{key}\n{name}\n".encode() + payload).hexdigest()


def _is_own(state: os.stat_result) -> bool:
    """Whether nobody else can have written it: a verdict rests on it, and its digest only says that it is whole."""
    return state.st_uid in (os.geteuid(), 0) and not state.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _head(line: bytes) -> dict[str, str] | None:
    try:
        head = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return head if isinstance(head, dict) and head.get("schema") == SCHEMA else None


def _folders(where: Path) -> list[Path]:
    with contextlib.suppress(OSError):
        return sorted(p for p in where.iterdir() if _KEY.fullmatch(p.name) and p.is_dir())
    return []


def _strange(where: Path, abandoned_s: float) -> list[Path]:
    """What this version never reads: entries of older ones, and what processes that died left half-written."""
    now, old = time.time(), [p for p in where.glob("*.npz") if p.is_file()]
    left = [p for p in where.glob(f"{_NEW}*") if now - p.lstat().st_mtime >= abandoned_s]
    return [*old, *left, *([where / "measured"] if (where / "measured").is_dir() else [])]


def _files(entry: Path) -> list[tuple[Path, os.stat_result]]:
    return [(p, p.stat()) for p in entry.rglob("*") if p.is_file()] if entry.is_dir() else [(entry, entry.stat())]


def _entry(path: Path) -> Entry:
    files = _files(path)
    told = [(p, s) for p, s in files if not p.name.startswith(_VOICE)]
    heads = [h for p, _ in told if (h := _head_of(p)) is not None]
    return Entry(
        key=path.name,
        n_bytes=sum(s.st_size for _, s in files),
        kept_at=min((s.st_mtime for _, s in told), default=0.0),
        used_at=max((s.st_atime for _, s in told), default=0.0),
        n_voices=len(files) - len(told),
        about=next((h["about"] for h in heads if h.get("about")), ""),
        version=next((h["version"] for h in heads if h.get("version")), ""),
    )


def _head_of(path: Path) -> dict[str, str] | None:
    with contextlib.suppress(OSError), path.open("rb") as file:
        return _head(file.readline(_HEAD_BYTES))
    return None


def _prune(where: Path, limit: int, older_than_s: float) -> Freed:
    freed, now = [_erase(p) for p in _strange(where, _ABANDONED_S)], time.time()
    found = sorted(map(_measure, _folders(where)), key=lambda e: -e[2])
    total = 0
    for path, n_bytes, _, kept_at in found:
        total += n_bytes
        if total > limit or now - kept_at > older_than_s:
            freed.append(_erase(path))
            total -= n_bytes
    return _sum(freed)


def _measure(path: Path) -> tuple[Path, int, float, float]:
    """An entry, its bytes, when it was used last, and when the oldest of it was kept."""
    stats = [(s.st_size, s.st_atime, s.st_mtime) for p, s in _files(path) if not p.name.startswith(_VOICE)]
    return (
        path,
        sum(s[0] for s in stats),
        max((s[1] for s in stats), default=0.0),
        min((s[2] for s in stats), default=0.0),
    )


def _erase(path: Path) -> Freed:
    size = sum(s.st_size for _, s in _files(path))
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    return Freed(1, size)


def _sum(freed: Iterable[Freed]) -> Freed:
    every = list(freed)
    return Freed(sum(f.n_entries for f in every), sum(f.n_bytes for f in every))
