"""Kept measures: what was measured of a hearing lies beside it, under a key that names everything else that it rests on.

No speaker vector is in it. A damaged or older entry counts as none.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from dubgate import __version__, cache
from dubgate.kept import DAMAGED
from dubgate.measure.measurement import Measurement
from dubgate.stored import from_stored, to_stored

SCHEMA = "kept-measures/2.0"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Measures:
    """What `qc` measured: nobody's voice was compared with a registry's."""

    measurements: tuple[Measurement, ...]


def quality_key(style: str) -> str:
    """What measuring alone rests on, beside the hearing, its script and this program."""
    return hashlib.sha256(json.dumps([SCHEMA, __version__, "quality", style]).encode()).hexdigest()


def load(answer: type[T], heard_key: str, key: str) -> T | None:
    """What was kept; None where there is nothing, or it is damaged."""
    payload = cache.read(heard_key, f"measured-{key}")
    if payload is None:
        return None
    try:
        return from_stored(answer, json.loads(payload), {})
    except DAMAGED:
        return None


def keep(heard_key: str, key: str, measured: object, *, voices: Iterable[str] = ()) -> None:
    """Keep what was measured; a full disk, an array, or a number that is none, only costs hearing again.

    Args:
        voices: whose voices were compared for it.
    """
    try:
        data, arrays = to_stored(measured)
        payload = json.dumps(data, allow_nan=False).encode()
    except (ValueError, TypeError):
        return
    if not arrays:
        cache.write(heard_key, f"measured-{key}", payload, voices=voices)
