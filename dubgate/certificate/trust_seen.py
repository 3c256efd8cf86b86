"""What a publisher remembers of trust stores: per root key the newest version that it saw, so that none is put back."""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
from pathlib import Path
from typing import Any

from dubgate.certificate.refusals import Malformed, TrustRolledBack
from dubgate.certificate.strict_fields import Fields, read_json
from dubgate.certificate.trust import TrustStore
from dubgate.errors import InputError

SCHEMA = "trust-seen/1.0"


def default_place() -> Path:
    """DUBGATE_TRUST_SEEN, else below the user's state folder."""
    named = os.environ.get("DUBGATE_TRUST_SEEN")
    state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    return Path(named) if named else state / "dubgate" / "trust-seen.json"


def remember(store: TrustStore, root_keyid: str, place: Path) -> None:
    """Refuse a store older than what was seen under this root key; else remember it.

    Raises:
        TrustRolledBack: an older version, or another store of the same version.
        InputError: what was seen cannot be read or written; then nobody can tell.
    """
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with open(place.with_name(f"{place.name}.lock"), "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            _compare(store, root_keyid, place)
    except OSError as error:
        remedy = "Give a place that can be written: --seen FILE, or DUBGATE_TRUST_SEEN."
        raise InputError(f"cannot be kept: {error.strerror}", where=str(place), remedy=remedy) from None


def _compare(store: TrustStore, root_keyid: str, place: Path) -> None:
    seen = _seen(place)
    version, sha256 = seen.get(root_keyid, (0, ""))
    if store.version < version:
        raise TrustRolledBack(f"version {store.version} is older than version {version}, which was seen before")
    if store.version == version and sha256 not in ("", store.sha256):
        raise TrustRolledBack(f"another trust store of version {version} was seen before")
    if (store.version, store.sha256) != (version, sha256):
        _write(place, {**seen, root_keyid: (store.version, store.sha256)})


def _seen(place: Path) -> dict[str, tuple[int, str]]:
    if not place.exists():
        return {}
    name = place.name
    try:
        fields = Fields(read_json(place.read_bytes(), name), name, SCHEMA)
        found = fields.each("seen", _one)
        fields.done()
    except Malformed as error:
        raise InputError(
            f"damaged: {error.what}", where=str(place), remedy="Find out why before removing it."
        ) from None
    return dict(found)


def _one(data: Any, name: str) -> tuple[str, tuple[int, str]]:
    fields = Fields(data, name)
    one = (fields.sha256("root"), (fields.number("version"), fields.sha256("sha256")))
    fields.done()
    return one


def _write(place: Path, seen: dict[str, tuple[int, str]]) -> None:
    listed = [{"root": k, "version": v, "sha256": s} for k, (v, s) in sorted(seen.items())]
    descriptor, name = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}.")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump({"schema": SCHEMA, "seen": listed}, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    os.replace(name, place)
