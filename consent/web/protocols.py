"""What only a gate can do for the desk, as two Protocols and the plain values that they exchange.

Without a `Judge` the desk has approvals, voices and reports, and no deliveries; without `Listening` no sound and no lines.
Every text in these values is shown as text, never as markup. Methods may be called from several threads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol

from consent.terms import VoiceAsset

Decision = Literal["release", "hold", "block", "unjudged"]
Outcome = Literal["not_applicable", "pass", "waived", "warn", "unknown", "hold", "block"]
Which = Literal["original", "dub"]
AnswerKind = Literal["waive", "attest", "sign_off"]


class CannotAnswerError(Exception):
    """Why a proposed answer can have no effect, in one sentence for people."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule says of one subject. `key` stays the same when the delivery is judged again.

    `answers` are the ways in which a person may change it; `approvers` is how many must waive it. What has no Japanese
    is shown in English, and marked as that.
    """

    key: str
    rule: str
    group: str
    outcome: Outcome
    en: str
    ja: str
    scope: Literal["line", "character", "programme"]
    name: str = ""
    value: str = ""
    bound: str = ""
    why: str = ""
    remedy: str = ""
    spans: tuple[tuple[float, float], ...] = ()
    who: str = ""
    answers: tuple[AnswerKind, ...] = ()
    approvers: int = 1
    voice_id: str | None = None
    decided_by: tuple[str, ...] = ()
    value_ja: str = ""
    bound_ja: str = ""
    why_ja: str = ""
    remedy_ja: str = ""
    required: bool = False  # `why` says what must be so, and not why somebody asks


@dataclass(frozen=True, slots=True)
class Judged:
    """A judgement: what was decided when, by which findings; `heard_again` where a model had to run for it."""

    decision: Decision
    judged_at: datetime
    findings: tuple[Finding, ...]
    heard_again: bool = False


@dataclass(frozen=True, slots=True)
class Summary:
    """A delivery in a list. `predecessor_id` is the delivery that this one replaces after it was sent back.

    `because` are sentences in English and Japanese, the worst first, one a rule: what holds or blocks it.
    """

    delivery_id: str
    title_id: str
    title: str
    language: str
    submitted_by: str
    packets_sha256: str
    duration_s: float
    decision: Decision
    judged_at: datetime | None
    holding: tuple[str, ...] = ()
    blocking: tuple[str, ...] = ()
    predecessor_id: str | None = None
    because: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Casting:
    """Who is voiced by whom, and how it is made; for each voice the model of it that is declared, where one is."""

    character: str
    technique: str
    voice_ids: tuple[str, ...]
    models: tuple[VoiceAsset | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Clip:
    """A short stretch that is worth hearing: what is said there, by whom, on the programme's timeline in seconds."""

    start_s: float
    end_s: float
    character: str
    text: str
    original_text: str = ""


@dataclass(frozen=True, slots=True)
class Dossier:
    """What a party is shown before it decides, with the bytes behind the digests that an approval names.

    `label_plan` and `casting` are canonical JSON; the desk compares their SHA-256 with the request's before it shows them.
    """

    summary: Summary
    original_language: str
    label: str | None
    label_plan: bytes | None
    cast: tuple[Casting, ...]
    casting: bytes
    disclosure: Mapping[str, str] = field(default_factory=dict)
    clips: tuple[Clip, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a reviewer wants to say about a finding; `days` until it expires."""

    kind: AnswerKind
    finding_key: str
    words: str
    agreed: bool = True
    reason: str = ""
    days: int = 30


class Judge(Protocol):
    """Deliveries, judged from stored measurements; what people sign about them is kept with them."""

    def deliveries(self) -> Sequence[Summary]:
        """Every delivery, the newest first; fast, nothing is judged for it."""

    def dossier(self, delivery_id: str) -> Dossier | None:
        """What there is to know of a delivery; None where there is none."""

    def of_sound(self, packets_sha256: str) -> str | None:
        """The delivery of this very sound."""

    def last(self, delivery_id: str) -> Judged | None:
        """The last judgement, as it was kept; None where it was never judged."""

    def judge(self, delivery_id: str) -> Judged:
        """Judge again now, from stored measurements where nothing that they rest on has changed."""

    def draft(self, delivery_id: str, answer: Answer, *, by: str, at: datetime) -> bytes:
        """The statement that `by` has to sign for this answer, as canonical JSON.

        Raises:
            CannotAnswerError: it could have no effect (the wrong rule or role, the submitter's own answer).
        """

    def record(self, delivery_id: str, envelope: str) -> Judged:
        """Keep a signed answer or approval with the delivery, and judge again at once.

        Raises:
            CannotAnswerError: the envelope does not verify, or is about another sound.
        """


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the script: on the programme's timeline in seconds, with the findings that concern it."""

    line_id: str
    start_s: float
    end_s: float
    character: str
    text: str
    original_text: str
    outcome: Outcome
    finding_keys: tuple[str, ...] = ()
    timecode: str = ""


@dataclass(frozen=True, slots=True)
class Lines:
    """A stretch of the list of lines, and how many there are in all."""

    lines: tuple[Line, ...]
    total: int
    flagged: int


@dataclass(frozen=True, slots=True)
class Curves:
    """Pictures of one stretch: F0 in Hz (None where unvoiced) and level in dBFS, evenly spaced from `start_s` on."""

    start_s: float
    end_s: float
    f0: Mapping[Which, tuple[float | None, ...]]
    level: Mapping[Which, tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class SoundFile:
    """A file that a browser can play."""

    path: Path
    media_type: str


class Listening(Protocol):
    """Sound and lines of deliveries."""

    def lines(self, delivery_id: str, *, start: int, count: int, flagged_first: bool = True) -> Lines:
        """A stretch of the lines, flagged ones first or in the programme's order."""

    def curves(self, delivery_id: str, start_s: float, end_s: float) -> Curves | None:
        """F0 and level of a stretch of at most 60 s; None where nothing was kept."""

    def sound(self, delivery_id: str, which: Which) -> SoundFile | None:
        """The whole programme, for a reviewer or a rights holder."""

    def excerpt(self, delivery_id: str, which: Which, start_s: float, end_s: float) -> bytes | None:
        """At most 20 s as FLAC, for whoever may hear this stretch and no more."""
