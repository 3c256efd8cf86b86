"""Ending something, and what follows: the event, the live releases that rested on it, the notice to take them down."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from consent.events import Event
from consent.registry import Registry
from consent.releases import Impact, takedown_notice
from consent.strict import problems
from consent.vocabulary import EventKind
from consent.writing import Addition


@dataclass(frozen=True, slots=True)
class Ending:
    """An event that was recorded, when, and the releases that it touches."""

    event: Event
    recorded_at: datetime
    impact: Impact

    def notice(self) -> dict[str, Any]:
        """The takedown notice, as plain data."""
        return takedown_notice(
            f"{self.event.target}:{self.event.target_id}",
            self.event.reason or str(self.event.kind),
            self.impact,
            effective_at=max(self.event.effective_at, self.recorded_at),
            at=self.recorded_at,
        )


def record_ending(
    registry: Registry,
    target: str,
    kind: EventKind,
    *,
    by: str,
    effective_at: datetime | None = None,
    reason: str | None = None,
    strike: bool = False,
    envelope: str | None = None,
) -> Ending:
    """Record that something ended, is suspended or resumed, and say in the same moment what rested on it.

    Args:
        target: `grant:…`, `permission:…`, `approval:…`, `claim:…`, `refusal:…`, `key:…` or `enrolment:…`.
        effective_at: now where it is not said; an end never reaches back before its recording.

    Raises:
        RecordError: no such record, or `by` may not say so.
    """
    word, _, target_id = target.partition(":")
    said = {"target": word, "target_id": target_id, "kind": kind, "by": by, "reason": reason, "strike": strike}
    with registry.write() as writer:
        try:
            event = Event.model_validate(
                {"event_id": uuid.uuid4().hex, "effective_at": effective_at or writer.now} | said
            )
        except ValidationError as error:
            raise problems(error, target) from None
        impact = writer.impact(target, writer.now)
        entry = writer.add(Addition(event, envelope=envelope))
    return Ending(event, entry.recorded_at, impact)
