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
    """One plain sentence for people, in English and Japanese, without metric names.

    `ja` is empty where nobody wrote one (a pack from outside): then the English is shown, marked as English.
    """

    en: str
    ja: str

    def within(self, lang: str) -> str:
        """The sentence in a language; in English where it has no other."""
        return self.ja if lang == "ja" and self.ja else self.en


SILENT = Text("", "")
NOT_MEASURED = Text("not measured", "測定不能")


def same(words: str) -> Text:
    """What needs no translation: a number with its unit, an id."""
    return Text(words, words)


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule says of one subject.

    `value` and `bound` are printed as they stand ("0.92 s", "at most 0.5 s"), in Japanese too where that needs other
    words; `spans` are occurrences on the dub's
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
    why: Text = SILENT
    remedy: Text = SILENT
    source: str = ""
    spans: tuple[Span, ...] = ()
    who_can_resolve: str | None = None
    was: Outcome | None = None
    decided_by: tuple[str, ...] = ()
    voice_id: str | None = None
    value_ja: str = ""
    bound_ja: str = ""

    @property
    def measured(self) -> Text:
        """The value in both languages."""
        return Text(self.value, self.value_ja or self.value)

    @property
    def wanted(self) -> Text:
        """The bound in both languages."""
        return Text(self.bound, self.bound_ja or self.bound)


__all__ = ["NOT_MEASURED", "SILENT", "Finding", "Group", "Outcome", "Severity", "Text", "same"]
