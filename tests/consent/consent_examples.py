"""A small world for the tests: a studio with a series, two performers, an agent, a vendor, two operators."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from consent.approvals import Approval, ApprovedSound, Candidate
from consent.denials import GrantHistory
from consent.events import Event, RecordedEvent
from consent.parties import Party, PartyKey, Personal
from consent.registry import Registry
from consent.strict import Window
from consent.terms import Evidence, Grant, Use
from consent.titles import Claim, Refusal, Title
from consent.vocabulary import (
    ApprovalDecision,
    ApprovalKind,
    Channel,
    EventKind,
    EvidenceKind,
    LegalBasis,
    Level,
    Performance,
    PermissionKind,
    Right,
    Role,
    Subject,
    Technique,
)
from consent.voices import Enrolment, Permission, Voice
from consent.writing import Addition

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
JANUARY = datetime(2026, 1, 1, tzinfo=UTC)
NEXT_YEAR = datetime(2028, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
ENCODER = "e" * 64
EVIDENCE = (Evidence(kind=EvidenceKind.CONTRACT, sha256="c" * 64),)
WINDOW = Window(start=NOW + DAY, end=NOW + 100 * DAY)


class Ticking:
    """A clock that stands still until it is set."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def grant(**changes: Any) -> Grant:
    terms: dict[str, Any] = {
        "grant_id": "g-ada",
        "voice_id": "v-ada",
        "granted_by": "p-ada",
        "title_ids": ("show",),
        "intended_use": "An AI dub of the series Show into French from the performer's own recordings.",
        "techniques": (Technique.VOICE_CLONE_TTS,),
        "performances": (Performance.NEW,),
        "languages": ("fr",),
        "territories": ("150",),
        "channels": (Channel.SVOD, Channel.INTERNAL_TEST),
        "not_before": JANUARY,
        "not_after": NEXT_YEAR,
        "evidence": EVIDENCE,
    }
    return Grant(**(terms | changes))


def use(**changes: Any) -> Use:
    asked: dict[str, Any] = {
        "title_ids": ("show-101", "show"),
        "character": "MARTA",
        "language": "fr-FR",
        "territories": ("FR", "BE"),
        "channels": (Channel.SVOD,),
        "window": WINDOW,
        "technique": Technique.VOICE_CLONE_TTS,
        "minutes": 12.5,
    }
    return Use(**(asked | changes))


def voice(**changes: Any) -> Voice:
    return Voice(
        **({"voice_id": "v-ada", "subject": Subject.LIVING, "owner_id": "p-ada", "agent_ids": ("agency",)} | changes)
    )


def event(kind: EventKind, effective_at: datetime = JANUARY, **changes: Any) -> Event:
    said: dict[str, Any] = {
        "event_id": f"e-{kind.value.replace('_', '-')}-{effective_at:%Y%m%d%H%M}",
        "target": "grant",
        "target_id": "g-ada",
        "kind": kind,
        "effective_at": effective_at,
        "by": "p-ada",
    }
    return Event(**(said | changes))


def recorded(events: Iterable[tuple[Event, datetime]]) -> tuple[RecordedEvent, ...]:
    return tuple(RecordedEvent(e, at, index) for index, (e, at) in enumerate(events))


def given(terms: Grant | None = None, *later: tuple[Event, datetime]) -> GrantHistory:
    """A grant given in January, with what was recorded later."""
    events = recorded([(event(EventKind.GIVEN), JANUARY), *later])
    return GrantHistory(terms or grant(), JANUARY, events)


def claim(**changes: Any) -> Claim:
    said: dict[str, Any] = {
        "claim_id": "c-show",
        "title_id": "show",
        "holder_ids": ("studio",),
        "right": Right.AI_DUB,
        "territories": ("001",),
        "not_before": JANUARY,
        "recorded_by": "op-1",
        "confirmed_by": "op-2",
        "evidence": EVIDENCE,
    }
    return Claim(**(said | changes))


def approval(**changes: Any) -> Approval:
    said: dict[str, Any] = {
        "approval_id": "a-1",
        "kind": ApprovalKind.FINAL_SOUND,
        "decision": ApprovalDecision.APPROVE,
        "by": "studio",
        "for_holder_id": "studio",
        "title_id": "show-101",
        "language": "fr-FR",
        "territories": ("150",),
        "channels": (Channel.SVOD,),
        "window": Window(start=NOW, end=NOW + 200 * DAY),
        "sounds": (ApprovedSound(packets_sha256="1" * 64, pcm_sha256="2" * 64),),
        "label_plan_sha256": "3" * 64,
        "script_sha256": "4" * 64,
        "original_sha256": "5" * 64,
        "signed_at": NOW - DAY,
        "expires_at": NOW + 300 * DAY,
    }
    return Approval(**(said | changes))


def candidate(**changes: Any) -> Candidate:
    said: dict[str, Any] = {
        "title_ids": ("show-101", "show"),
        "language": "fr-FR",
        "territories": ("FR", "BE"),
        "channels": (Channel.SVOD,),
        "window": WINDOW,
        "packets_sha256": "1" * 64,
        "pcm_sha256": "2" * 64,
        "label_plan_sha256": "3" * 64,
        "script_sha256": "4" * 64,
        "original_sha256": "5" * 64,
    }
    return Candidate(**(said | changes))


def permission(kind: PermissionKind, voice_id: str = "v-ada", **changes: Any) -> Permission:
    said: dict[str, Any] = {
        "permission_id": f"pm-{kind.value}-{voice_id}",
        "voice_id": voice_id,
        "kind": kind,
        "given_by": "p-ada" if voice_id == "v-ada" else "p-bo",
        "legal_basis": LegalBasis.GDPR_EXPLICIT_CONSENT,
        "not_before": JANUARY,
        "not_after": NEXT_YEAR,
    }
    return Permission(**(said | changes))


def enrolment(**changes: Any) -> Enrolment:
    said: dict[str, Any] = {
        "enrolment_id": "en-ada",
        "voice_id": "v-ada",
        "encoder_sha256": ENCODER,
        "dimension": 4,
        "speech_s": 31.0,
        "audio_sha256": "a" * 64,
        "supplied_by": "vendor",
    }
    return Enrolment(**(said | changes))


VECTOR = (0.5, -0.25, 0.125, 0.75)


def party(party_id: str, *roles: Role, **changes: Any) -> Party:
    return Party(**({"party_id": party_id, "roles": roles, "person": party_id.startswith("p-")} | changes))


def key(party_id: str, public_hex: str, *roles: Role, **changes: Any) -> PartyKey:
    said: dict[str, Any] = {
        "key_id": f"k-{party_id}",
        "party_id": party_id,
        "public_hex": public_hex,
        "roles": roles,
        "not_before": JANUARY,
        "not_after": NEXT_YEAR,
    }
    return PartyKey(**(said | changes))


def refusal(**changes: Any) -> Refusal:
    said: dict[str, Any] = {
        "refusal_id": "r-1",
        "by": "studio",
        "title_ids": ("show",),
        "not_before": JANUARY,
        "words": {"en": "No AI dub of Show in any form."},
    }
    return Refusal(**(said | changes))


def world() -> list[Addition | Any]:
    """Everything but the grant and what happened to it."""
    return [
        party("studio", Role.RIGHTS_HOLDER),
        party("rival", Role.RIGHTS_HOLDER),
        Addition(party("p-ada", Role.PERFORMER), personal=Personal(name="Ada Example", contact="ada@example.org")),
        Addition(party("p-bo", Role.PERFORMER), personal=Personal(name="Bo Sample")),
        party("agency", Role.AGENT),
        party("vendor", Role.DUBBING_VENDOR),
        party("op-1", Role.OPERATOR),
        party("op-2", Role.OPERATOR),
        Title(title_id="show", level=Level.SERIES, name="Show"),
        Title(
            title_id="show-101",
            level=Level.EPISODE,
            name="Show 1.01",
            parent_id="show",
            identifiers=("eidr:10.5240/7791-8534-2C23-9030-8610-5",),
        ),
        claim(),
        Addition(voice(), personal=Personal(name="Ada Example")),
        voice(voice_id="v-bo", owner_id="p-bo", agent_ids=()),
        permission(PermissionKind.MATCH),
        permission(PermissionKind.KEEP),
    ]


@dataclass(frozen=True)
class Place:
    """Where a registry lies, and its key."""

    location: str
    key_file: Path

    @classmethod
    def sqlite(cls, folder: Path) -> Place:
        return cls(str(folder / "registry.db"), folder / "registry.db.key")

    def open(self, clock: Ticking | None = None, **how: Any) -> Registry:
        return Registry.open(self.location, clock=clock or Ticking(), key_file=self.key_file, **how)


def open_world(place: Place | Path, clock: Ticking | None = None, *extra: Any) -> Registry:
    """A fresh registry with the world, a grant given in January, and what is handed in."""
    registry = (Place.sqlite(place) if isinstance(place, Path) else place).open(clock, create=True)
    registry.add(*world(), grant(), event(EventKind.GIVEN), *extra)
    return registry
