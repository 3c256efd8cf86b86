"""The deliveries that a batch was asked for: one job for each, under a name that no other has."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from dubgate.engine.fetching import is_url
from dubgate.engine.jobs import Job
from dubgate.errors import InputError


def jobs_of(locations: Sequence[str]) -> tuple[tuple[Job, ...], tuple[str, ...]]:
    """One job for each delivery, and what was listed more than once.

    Raises:
        InputError: nothing is listed.
    """
    listed: dict[str, str] = {}
    twice = []
    for given in locations:
        location = given if is_url(given) else str(Path(given).absolute().resolve())
        if location in listed:
            twice.append(given)
        listed.setdefault(location, _name(location))
    if not listed:
        raise InputError("no delivery is listed")
    # Who chooses a path finds two whose short digests are one: they are told apart by the whole.
    named = Counter(listed.values())
    jobs = (Job(_name(location, 64) if named[short] > 1 else short, location) for location, short in listed.items())
    return tuple(jobs), tuple(dict.fromkeys(twice))


def _name(location: str, n: int = 8) -> str:
    """The name of its folder, and as many digits of a digest, which tell apart folders of one name."""
    folder = location.rstrip("/").split("/")[-2:-1] or ["delivery"]
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", folder[0]).strip(".-")[:60] or "delivery"
    return f"{plain}-{hashlib.sha256(location.encode()).hexdigest()[:n]}"
