"""Events and what they make of a record: folded in ledger order, with recorded and effective time.

The rules of the design's section on time: an ending ends from the later of its recorded and effective times; once
something ended, only a giving that was recorded later reopens it, and not before it was recorded; a resumption lifts a
suspension and nothing else; requests change nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from consent.shown import AllShown
from consent.strict import Id, Line, Record, Text, Time, Window
from consent.vocabulary import EventKind

TargetKind = Literal[
    "grant",
    "claim",
    "refusal",
    "permission",
    "enrolment",
    "approval",
    "key",
    "voice",
    "party",
    "release",
    "request",
    "use_notice",
    "search_halt",
]

OPENING = frozenset({EventKind.GIVEN, EventKind.RENEWED})
# How people call in Japanese what ended a giving, or kept it from one.
ENDED_JA = {
    EventKind.SUSPENDED: "一時停止",
    EventKind.WITHDRAWN: "撤回",
    EventKind.REVOKED: "取消し",
    EventKind.REFUSED: "拒否",
    EventKind.EXPIRED: "期限切れ",
    EventKind.INVALIDATED: "無効",
    EventKind.SUPERSEDED: "差替え",
    EventKind.REQUESTED: "依頼中",
    EventKind.DEFERRED: "保留",
}
TERMINAL = frozenset(
    {
        EventKind.REFUSED,
        EventKind.EXPIRED,
        EventKind.WITHDRAWN,
        EventKind.REVOKED,
        EventKind.INVALIDATED,
        EventKind.SUPERSEDED,
        EventKind.LIFTED,
        EventKind.ERASED,
    }
)
ALIVE = OPENING | {EventKind.RESUMED}
# What lets more happen than before: said by a stolen key, it must not outlive the key. What ends something may.
LOOSENING = ALIVE | {EventKind.CONFIRMED, EventKind.SETTLED, EventKind.MODEL_DELETED, EventKind.USE_RELEASED}


class Event(Record):
    """Something that happened to a record. When it was recorded is the registry's to say, not the event's."""

    schema_name: ClassVar[str] = "consent-event/1.0"

    event_id: Id
    target: TargetKind
    target_id: Id
    kind: EventKind
    effective_at: Time
    by: Id
    method: Line | None = None
    reason: Text | None = None
    strike: bool = False
    ref: Line | None = None
    uses: Annotated[int, Field(ge=0)] = 0
    minutes: Annotated[float, Field(ge=0)] = 0.0
    shown: AllShown | None = None

    @property
    def record_id(self) -> str:
        """The event's id."""
        return self.event_id

    def found_under(self) -> tuple[str, ...]:
        """By what it happened to, and by who did it."""
        return (f"{self.target}:{self.target_id}", f"party:{self.by}")


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """An event with its place in the ledger.

    `discredited_at` is when the key that signed an opening was revoked, where no witness had seen the signature before.
    """

    event: Event
    recorded_at: datetime
    leaf_index: int
    discredited_at: datetime | None = None

    def counts(self, known_at: datetime) -> bool:
        """Whether it had been recorded by then, and its key had not been found out."""
        return self.recorded_at <= known_at and (self.discredited_at is None or known_at < self.discredited_at)


@dataclass(frozen=True, slots=True)
class Step:
    """From `at` on the record is in this state, until the next step; `strike` where a strike suspended it."""

    at: datetime
    kind: EventKind
    strike: bool = False

    @property
    def alive(self) -> bool:
        return self.kind in ALIVE


@dataclass(frozen=True, slots=True)
class State:
    """A record's states over time, and what was spent of it, as known at one moment."""

    steps: tuple[Step, ...] = ()
    uses_spent: int = 0
    minutes_spent: float = 0.0
    happened: frozenset[EventKind] = frozenset()

    def status(self, moment: datetime) -> Step | None:
        """The state at `moment`; None before anything was given."""
        return next((s for s in reversed(self.steps) if s.at <= moment), None)

    def alive(self, moment: datetime) -> bool:
        """Whether a giving stands at `moment`."""
        step = self.status(moment)
        return step is not None and step.alive

    def interruption(self, window: Window) -> Step | datetime | None:
        """What breaks a giving within `window`: the step that ends it, or the window's start where none stands yet."""
        status = self.status(window.start)
        if status is None or not status.alive:
            return status or window.start
        later = (s for s in self.steps if s.at > window.start and (window.end is None or s.at < window.end))
        return next((s for s in later if not s.alive), None)


def fold(events: Iterable[RecordedEvent], *, known_at: datetime, born: datetime | None = None) -> State:
    """The state that follows from what had been recorded by `known_at`.

    Args:
        events: of one record, in any order; the ledger's order decides.
        born: for records that stand from their recording (claims, refusals, permissions), the moment they begin.
    """
    known = sorted((e for e in events if e.counts(known_at)), key=lambda e: e.leaf_index)
    steps = [Step(born, EventKind.GIVEN)] if born is not None else []
    for recorded in known:
        steps = _after(steps, recorded)
    uses, minutes = _spent(known)
    return State(tuple(steps), uses, minutes, frozenset(e.event.kind for e in known))


def _after(steps: list[Step], recorded: RecordedEvent) -> list[Step]:
    event = recorded.event
    late = max(event.effective_at, recorded.recorded_at)
    if event.kind in TERMINAL:
        return _insert(steps, Step(late, event.kind))
    if event.kind is EventKind.SUSPENDED:
        return _suspend(steps, Step(late, event.kind, event.strike))
    if event.kind is EventKind.RESUMED:
        return _resume(steps, Step(late, event.kind))
    if event.kind in OPENING:
        ended = any(not s.alive for s in steps)
        return _insert(steps, Step(late if ended else event.effective_at, event.kind))
    return steps


def _insert(steps: list[Step], step: Step) -> list[Step]:
    """`step` and nothing after it: what had been planned for later is overtaken."""
    return [*(s for s in steps if s.at < step.at), step]


def _suspend(steps: list[Step], step: Step) -> list[Step]:
    """A suspension of something that lives; an end that was already planned stays planned."""
    before = [s for s in steps if s.at <= step.at]
    planned = [s for s in steps if s.at > step.at and s.kind in TERMINAL]
    if not before:
        return [step]  # before anything stood: what was planned falls, and only a new giving opens
    if not before[-1].alive:
        return steps
    return [*(s for s in before if s.at < step.at), step, *planned]


def _resume(steps: list[Step], step: Step) -> list[Step]:
    """The end of a suspension; of nothing else."""
    before = [s for s in steps if s.at <= step.at]
    if not before or before[-1].kind is not EventKind.SUSPENDED or not any(s.alive for s in before):
        return steps
    return [*before, step, *(s for s in steps if s.at > step.at and s.kind in TERMINAL)]


def _spent(events: list[RecordedEvent]) -> tuple[int, float]:
    """Uses and minutes reserved or spent, less what was released before it was spent."""
    meter: dict[str, tuple[int, float]] = {}
    spent: set[str] = set()
    for recorded in events:
        event, ref = recorded.event, recorded.event.ref or recorded.event.event_id
        settles = ref in meter and ref not in spent  # a spending settles its reservation once; another one adds to it
        if event.kind is EventKind.USE_RESERVED or (event.kind is EventKind.USE_SPENT and not settles):
            uses, minutes = meter.get(ref, (0, 0.0))
            meter[ref] = (uses + event.uses, minutes + event.minutes)
        if event.kind is EventKind.USE_SPENT:
            spent.add(ref)
        if event.kind is EventKind.USE_RELEASED and ref not in spent:
            meter.pop(ref, None)
    return sum(u for u, _ in meter.values()), sum(m for _, m in meter.values())
