"""The units of every number dubgate reports, and the reading of a quantity such as `0.3 s` in a rule pack."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from enum import StrEnum


class Unit(StrEnum):
    """A unit as it is written in packs and reports. `ratio` is a plain number that may exceed 1; `share` lies in 0..1."""

    SECONDS = "s"
    MILLISECONDS_PER_MINUTE = "ms/min"
    SEMITONES = "st"
    DECIBELS = "dB"
    LUFS = "LUFS"
    LKFS = "LKFS"
    LOUDNESS_UNITS = "LU"
    DBTP = "dBTP"
    RATIO = "ratio"
    SHARE = "share"
    CORRELATION = "r"
    NATS = "nat"
    COUNT = "count"
    WORDS = "words"
    PROBABILITY = "prob"


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its unit."""

    value: float
    unit: Unit

    def __str__(self) -> str:
        return f"{self.value:g} {self.unit}"


_QUANTITY = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s+(\S+)\s*")


def parse_quantity(text: str) -> Quantity:
    """Read `number unit`, both required.

    Raises:
        ValueError: no unit, an unknown unit, or a number that is not finite.
    """
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a number with a unit, such as '0.3 s'")
    number, unit = float(match[1]), match[2]
    if not math.isfinite(number):
        raise ValueError(f"{text!r} is not a finite number")
    try:
        return Quantity(number, Unit(unit))
    except ValueError:
        raise ValueError(f"{unit!r} is not a unit; known are {', '.join(Unit)}") from None
