"""What was decided about a dub, and what a withdrawal then touches: release records, their recording, takedown notices.

A release is recorded in the same transaction in which its consents are looked up again, so it either comes before a
withdrawal or is refused by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, model_validator

from consent.denials import Denial
from consent.errors import RecordError
from consent.strict import Excluded, Id, Ids, Language, Line, Record, Sha256, Strict, Territories, Text, Time, Window
from consent.terms import Use
from consent.vocabulary import Channel, RevocationEffect, Technique


class ReleaseDecision(StrEnum):
    """What a gate decided."""

    RELEASE = "release"
    HOLD = "hold"
    BLOCK = "block"


class VoiceUse(Strict):
    """One voice in a dub, and the grant that cleared it (none where the decision is not a release)."""

    voice_id: Id
    grant_id: Id | None = None
    character: Line | None = None
    technique: Technique
    minutes: Annotated[float, Field(ge=0)] = 0.0


class Release(Record):
    """A decision about one sound: for which use, resting on which grants and approvals, by which certificate."""

    schema_name: ClassVar[str] = "consent-release/1.0"

    release_id: Id
    decision: ReleaseDecision
    title_id: Id
    language: Language
    territories: Territories
    territories_excluded: Excluded = ()
    channels: Annotated[tuple[Channel, ...], Field(min_length=1)]
    window: Window
    packets_sha256: Sha256
    certificate_sha256: Sha256 | None = None
    voices: tuple[VoiceUse, ...] = ()
    approval_ids: Ids = ()
    label: Text | None = None
    reasons: tuple[Line, ...] = ()
    recorded_by: Id
    decided_at: Time

    @property
    def record_id(self) -> str:
        """The release's id."""
        return self.release_id

    def found_under(self) -> tuple[str, ...]:
        """By release, title, voices, grants, approvals and certificate."""
        voices = (f"voice:{v.voice_id}" for v in self.voices)
        grants = (f"grant:{v.grant_id}" for v in self.voices if v.grant_id)
        certificate = (f"certificate:{self.certificate_sha256}",) if self.certificate_sha256 else ()
        approvals = (f"approval:{a}" for a in self.approval_ids)
        return (f"release:{self.release_id}", f"title:{self.title_id}", *voices, *grants, *approvals, *certificate)

    @model_validator(mode="after")
    def _released(self) -> Self:
        if self.decision is ReleaseDecision.RELEASE and any(v.grant_id is None for v in self.voices):
            raise ValueError("a released voice names the grant that cleared it")
        return self


class RefusedError(RecordError):
    """A release or a reservation that the registry refuses as it stands now, with every reason."""

    def __init__(self, what: str, denials: Sequence[Denial], *, where: str | None = None) -> None:
        super().__init__(what + "".join(f"\n  {d.code}: {d.text.en}" for d in denials), where=where)
        self.denials = tuple(denials)


@dataclass(frozen=True, slots=True)
class Planned:
    """A voice of a dub that is about to be released, with the use that its grant must cover."""

    voice_id: str
    use: Use


@dataclass(frozen=True, slots=True)
class Impact:
    """The releases that ending a grant, approval or voice's consent touches, and how far the ending reaches."""

    releases: tuple[Release, ...]
    effect: RevocationEffect
    standing: tuple[Release, ...] = ()  # other versions of the same titles and languages, which it does not touch

    @property
    def certificates(self) -> tuple[str, ...]:
        """The digests of the certificates concerned."""
        return tuple(sorted({r.certificate_sha256 for r in self.releases if r.certificate_sha256}))


def live(releases: Sequence[Release], at: datetime) -> tuple[Release, ...]:
    """Those that were released and whose window is not over."""
    return tuple(
        r for r in releases if r.decision is ReleaseDecision.RELEASE and (r.window.end is None or r.window.end > at)
    )


def takedown_notice(
    target: str, reason: str, impact: Impact, *, effective_at: datetime, at: datetime
) -> dict[str, Any]:
    """What a pipeline is told: which certificates no longer stand, from when, how far, and what to offer instead."""
    return {
        "schema": "consent-takedown/1.1",
        "target": target,
        "reason": reason,
        "effect": str(impact.effect),
        "effective_at": effective_at.isoformat(),
        "issued_at": at.isoformat(),
        "certificates": list(impact.certificates),
        "releases": [_named(r) for r in impact.releases],
        "fallback": "Offer the original audio with subtitles, or a human dub; do not leave the title without sound.",
        "fallbacks": [*(_earlier(r) for r in impact.standing), *_FALLBACKS] if impact.releases else [],
    }


_FALLBACKS = (
    {"kind": "original_with_subtitles", "text": "The original audio with subtitles in the language of the dub."},
    {"kind": "human_dub", "text": "A dub by human performers, where there is one; else ask the rights holder for one."},
    {"kind": "other_language", "text": "Another language version that still stands, so that the title keeps a sound."},
)


def _earlier(release: Release) -> dict[str, str]:
    """Another version that still stands, as something to offer."""
    certificate = release.certificate_sha256 or "none"
    text = f"The version {release.release_id} of {release.title_id} in {release.language} (certificate {certificate})."
    return {"kind": "previous_version", "text": text, "release_id": release.release_id}


def _named(release: Release) -> dict[str, Any]:
    return {
        "release_id": release.release_id,
        "title_id": release.title_id,
        "language": release.language,
        "territories": list(release.territories),
        "channels": [str(c) for c in release.channels],
        "window": release.window.model_dump(mode="json"),
        "packets_sha256": release.packets_sha256,
        "certificate_sha256": release.certificate_sha256,
        "label": release.label,
    }
