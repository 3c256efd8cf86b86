"""A measurement: one metric, of one subject, as a value or Unmeasured, with what it rests on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dubgate.spans import Span
from dubgate.unmeasured import Unmeasured


class Scope(StrEnum):
    """What a measurement is about."""

    LINE = "line"
    CHARACTER = "character"
    PROGRAMME = "programme"


@dataclass(frozen=True, slots=True, order=True)
class Subject:
    """Who or what is measured: a cue's id, a character's name, or the programme (name "")."""

    scope: Scope
    name: str = ""
    character: str | None = None  # of a line


@dataclass(frozen=True, slots=True)
class Measurement:
    """`value` in the metric's unit; `weight_s` is the speech it rests on (for coverage); `spans` show where."""

    metric: str
    subject: Subject
    value: float | Unmeasured
    weight_s: float = 0.0
    spans: tuple[Span, ...] = ()
    detail: tuple[tuple[str, str | float], ...] = ()
