"""The deliveries that a batch was asked for: one job for each, under a name that no other has."""

from __future__ import annotations

import hashlib
import re
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
    jobs: dict[str, Job] = {}
    twice = []
    for given in locations:
        location = given if is_url(given) else str(Path(given).absolute().resolve())
        if location in jobs:
            twice.append(given)
        jobs.setdefault(location, Job(_name(location), location))
    if not jobs:
        raise InputError("no delivery is listed")
    return tuple(jobs.values()), tuple(dict.fromkeys(twice))


def _name(location: str) -> str:
    """The name of its folder, and a digest that tells apart folders of one name."""
    folder = location.rstrip("/").split("/")[-2:-1] or ["delivery"]
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", folder[0]).strip(".-")[:60] or "delivery"
    return f"{plain}-{hashlib.sha256(location.encode()).hexdigest()[:8]}"
