"""Whom a hit concerns: the owner and agents of a voice that was heard without consent, told once for each sound."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from consent.events import Event
from consent.registry import Registry
from consent.views import View
from consent.vocabulary import EventKind
from consent.writing import Addition
from dubgate.policy.findings import Finding, Outcome


@dataclass(frozen=True, slots=True)
class HitNotice:
    """One voice that one sound was held or blocked for, as which characters, and who is to be told."""

    voice_id: str
    party_ids: tuple[str, ...]
    characters: tuple[str, ...]
    blocks: bool
    packets_sha256: str

    @property
    def event_id(self) -> str:
        """The same for the same voice and sound, so that nobody is told twice."""
        return f"hit-{hashlib.sha256(f'{self.voice_id} {self.packets_sha256}'.encode()).hexdigest()[:20]}"

    @property
    def text(self) -> str:
        """What the owner reads."""
        who, done = ", ".join(self.characters), "blocked" if self.blocks else "held"
        return (
            f"A delivery was {done} because {who} sounds like the voice {self.voice_id}, which did not consent to it. "
            f"If it is not that voice, say so over this sound: dubgate voices not-me (sound {self.packets_sha256})."
        )


def hit_notices(findings: Iterable[Finding], view: View, packets_sha256: str) -> tuple[HitNotice, ...]:
    """A notice for each voice whose hit is still open, in the order of the voices' ids."""
    by_voice: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.voice_id is not None and finding.outcome >= Outcome.UNKNOWN:
            by_voice.setdefault(finding.voice_id, []).append(finding)
    return tuple(
        HitNotice(
            voice_id=voice_id,
            party_ids=tuple(sorted(view.spokespeople(voice_id))),
            characters=tuple(dict.fromkeys(f.subject.name for f in found)),
            blocks=any(f.outcome is Outcome.BLOCK for f in found),
            packets_sha256=packets_sha256,
        )
        for voice_id, found in sorted(by_voice.items())
    )


def record_hits(registry: Registry, notices: Iterable[HitNotice], by: str) -> tuple[HitNotice, ...]:
    """Put each hit into the history under its voice, where its owner's report finds it; those that are new.

    Raises:
        RecordError: `by` is no operator of the registry.
    """
    new = []
    with registry.write() as writer:
        for notice in notices:
            event = Event(
                event_id=notice.event_id,
                target="voice",
                target_id=notice.voice_id,
                kind=EventKind.HEARD,
                effective_at=writer.now,
                by=by,
                ref=notice.packets_sha256,
                reason=notice.text,
            )
            if not writer.has_event(event):
                writer.add(Addition(event))
                new.append(notice)
    return tuple(new)
