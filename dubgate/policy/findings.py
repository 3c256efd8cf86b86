"""Findings: what every rule says of every subject, passes too; and the order in which outcomes outweigh each other."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from dubgate.measure.measurement import Subject
from dubgate.spans import Span


class Severity(StrEnum):
    """What a rule does when it fails."""

    WARN = "warn"
    HOLD = "hold"
    BLOCK = "block"


class Outcome(IntEnum):
    """What came of a rule for a subject, from harmless to worst. UNKNOWN holds."""

    NOT_APPLICABLE = 0
    PASS = 1
    WAIVED = 2
    WARN = 3
    UNKNOWN = 4
    HOLD = 5
    BLOCK = 6


class Group(StrEnum):
    """The part of the verdict a rule belongs to; each is shown with its own state."""

    QUALITY = "quality"
    CONSENT = "consent"
    LABEL = "label"
    APPROVAL = "approval"
    RECORD = "record"
    INTEGRITY = "integrity"


@dataclass(frozen=True, slots=True)
class Text:
    """One plain sentence for people, in English and Japanese, without metric names."""

    en: str
    ja: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule says of one subject.

    `value` and `bound` are printed as they stand ("0.92 s", "at most 0.5 s"); `spans` are occurrences on the dub's
    timeline; `who_can_resolve` names whose decision is missing where only a person can lift it ("rights holder"…).
    `decided_by` names the signed objects that changed the outcome from what it `was`. `voice_id` names the voice that
    a hit is of: only an answer that names it too can lift it.
    """

    rule: str
    pack: str
    group: Group
    subject: Subject
    outcome: Outcome
    text: Text
    value: str = ""
    bound: str = ""
    why: str = ""
    remedy: str = ""
    source: str = ""
    spans: tuple[Span, ...] = ()
    who_can_resolve: str | None = None
    was: Outcome | None = None
    decided_by: tuple[str, ...] = ()
    voice_id: str | None = None


__all__ = ["Finding", "Group", "Outcome", "Severity", "Text"]
