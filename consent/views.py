"""The whole view of a gate: voices, their grants, permissions and templates, beside all that `Lookup` knows."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from consent.approvals import Approval
from consent.clearance import Clearance, clear
from consent.denials import Denial, GrantHistory, Sentence
from consent.entries import Entry
from consent.errors import StoreError
from consent.events import Event, fold
from consent.lookup import Lookup
from consent.parties import Party, PartyKey
from consent.strict import Record
from consent.terms import Grant, Use
from consent.titles import Claim, Refusal
from consent.vocabulary import EventKind, PermissionKind, Subject
from consent.voices import Enrolment, Permission, Voice


@dataclass(frozen=True, slots=True)
class EnrolledVoice:
    """A template in memory, for one comparison; `confirmed` says whether its owner or agent confirmed the recording."""

    voice_id: str
    enrolment: Enrolment
    vector: tuple[float, ...]
    confirmed: bool

    def __repr__(self) -> str:
        return f"EnrolledVoice({self.voice_id!r}, {self.enrolment.enrolment_id!r}, …)"


class View(Lookup):
    """Every question of a gate, to one snapshot; questions about a state take the moment as `at`."""

    def voice(self, voice_id: str, at: datetime) -> Voice | None:
        """A voice, as it was known at a moment: somebody living may have died since it was recorded."""
        voice = self.record(f"voice:{voice_id}", Voice)
        died = any(
            e.event.kind is EventKind.DIED and max(e.recorded_at, e.event.effective_at) <= at
            for e in self.events(f"voice:{voice_id}")
        )
        return voice.model_copy(update={"subject": Subject.DECEASED}) if voice is not None and died else voice

    def record_of_voice(self, voice_id: str) -> Voice | None:
        """A voice as it was registered."""
        return self.record(f"voice:{voice_id}", Voice)

    def spokespeople(self, voice_id: str) -> frozenset[str]:
        """The parties who speak for a voice: its owner and its agents."""
        voice = self.record(f"voice:{voice_id}", Voice)
        return frozenset() if voice is None else frozenset((voice.owner_id, *voice.agent_ids))

    def grants(self, voice_id: str) -> tuple[GrantHistory, ...]:
        """Every grant for a voice, with its events."""
        found = [(e, g) for e, g in self._all([f"voice:{voice_id}"], Grant) if g.voice_id == voice_id]
        self._all([f"grant:{g.grant_id}" for _, g in found], Event)  # one question for the events of all of them
        return tuple(self._grant_history(e, g) for e, g in found)

    def _grant_history(self, entry: Entry, grant: Grant) -> GrantHistory:
        events, signed = self.events(f"grant:{grant.grant_id}"), entry.envelope is not None
        return GrantHistory(grant, entry.recorded_at, events, signed, self.discredited_at(entry))

    def clear(self, voice_id: str, use: Use, at: datetime) -> Clearance:
        """Whether a grant covers the use; for a blend, one for each of its voices too (CON-022)."""
        voice = self.voice(voice_id, at)
        if voice is None:
            text = Sentence("the registry does not know this voice", "この声は登録されていません")
            return Clearance(voice_id, (), (Denial("CON-001", "voice_id", text),))
        own = clear(voice, self.grants(voice_id), use, at)
        parts = [self.clear(source, use, at) for source in voice.blend_of]
        lacking = tuple(_part_lacks(part) for part in parts if not part.cleared)
        return Clearance(voice_id, own.grants if not lacking else (), (*own.denials, *lacking))

    def permissions(self, voice_id: str, at: datetime) -> frozenset[PermissionKind]:
        """What the voice's owner permits at a moment."""
        return frozenset(p.kind for p in self.standing_permissions(voice_id, at))

    def standing_permissions(self, voice_id: str, at: datetime) -> tuple[Permission, ...]:
        """The permissions that stand at a moment: within their term, recorded, and not withdrawn."""
        found = self._all([f"voice:{voice_id}"], Permission)
        return tuple(
            p
            for e, p in found
            if e.recorded_at <= at
            and p.term.holds(at)
            and ((gone := self.discredited_at(e)) is None or at < gone)
            and fold(self.events(f"permission:{p.permission_id}"), known_at=at, born=e.recorded_at).alive(at)
        )

    def standing_enrolment(self, voice_id: str, encoder_sha256: str, at: datetime) -> Enrolment | None:
        """The one enrolment of a voice for an encoder; None where there is none."""
        standing = [r for _, r in self._enrolment_entries(voice_id, at) if r.encoder_sha256 == encoder_sha256]
        return standing[-1] if standing else None

    def standing_enrolments(self, voice_id: str, at: datetime) -> tuple[Enrolment, ...]:
        """The enrolments of a voice, without their templates."""
        return tuple(r for _, r in self._enrolment_entries(voice_id, at))

    def voices(self) -> tuple[Voice, ...]:
        """Every voice that was ever registered."""
        return tuple(r for e in self.store.of_kind(Voice) if isinstance(r := e.record, Voice))

    def _enrolment_entries(self, voice_id: str, at: datetime) -> list[tuple[Entry, Enrolment]]:
        found = [(e, r) for e, r in self._all([f"voice:{voice_id}"], Enrolment) if e.recorded_at <= at]
        superseded = {r.supersedes for _, r in found}
        return [
            (e, r)
            for e, r in found
            if r.enrolment_id not in superseded
            and fold(self.events(f"enrolment:{r.enrolment_id}"), known_at=at, born=e.recorded_at).alive(at)
        ]

    def enrolments(self, voice_id: str, at: datetime) -> tuple[EnrolledVoice, ...]:
        """The templates of a voice that may be compared with speech that names it: none without `match`."""
        if PermissionKind.MATCH not in self.permissions(voice_id, at):
            return ()
        return self._enrolled(voice_id, at)

    def protected_voices(self, at: datetime, *, encoder_sha256: str) -> tuple[EnrolledVoice, ...]:
        """Every template that may be looked for anywhere: those of voices with `protect`."""
        found = (t for v in self._asking_protection(at) for t in self._enrolled(v, at))
        return tuple(t for t in found if t.enrolment.encoder_sha256 == encoder_sha256)

    def protected_for_others(self, at: datetime, *, encoder_sha256: str) -> frozenset[str]:
        """Voices with `protect` that have templates of other encoders only: with this one nobody can look for them."""
        known = {v: self.standing_enrolments(v, at) for v in self._asking_protection(at)}
        return frozenset(
            v for v, found in known.items() if found and all(e.encoder_sha256 != encoder_sha256 for e in found)
        )

    def _asking_protection(self, at: datetime) -> list[str]:
        owners = {p.voice_id for _, p in self._all([f"permission-kind:{PermissionKind.PROTECT}"], Permission)}
        return [v for v in sorted(owners) if PermissionKind.PROTECT in self.permissions(v, at)]

    def kept_templates(self, voice_id: str, at: datetime) -> tuple[EnrolledVoice, ...]:
        """The templates of a voice that may be kept, for a comparison that its owner granted otherwise than by `match`."""
        return self._enrolled(voice_id, at)

    def _enrolled(self, voice_id: str, at: datetime) -> tuple[EnrolledVoice, ...]:
        if PermissionKind.KEEP not in self.permissions(voice_id, at):
            return ()
        read = ((e, r, self.store.unsealed(e)) for e, r in self._enrolment_entries(voice_id, at))
        return tuple(
            EnrolledVoice(voice_id, r, unpacked(content, r.dimension), self._confirmed(r, at))
            for _, r, content in read
            if content is not None
        )

    def _confirmed(self, enrolment: Enrolment, at: datetime) -> bool:
        who = self.spokespeople(enrolment.voice_id)
        events = self.events(f"enrolment:{enrolment.enrolment_id}")
        confirmed = (e.event.by for e in events if e.event.kind is EventKind.CONFIRMED and e.counts(at))
        return enrolment.confirmed_by in who or any(by in who for by in confirmed)

    def concerned(self, record: Record) -> frozenset[str]:
        """The parties whom a record concerns: who may record events of it."""
        if isinstance(record, Grant):
            extra = (record.minor and record.minor.guardian_id, record.estate and record.estate.party_id)
            return self.spokespeople(record.voice_id) | {record.granted_by, *(p for p in extra if p)}
        if isinstance(record, Permission | Enrolment | Voice):
            return self.spokespeople(record.voice_id)
        if isinstance(record, Claim):
            return frozenset(record.holder_ids)
        if isinstance(record, Refusal):
            return frozenset({record.by})
        if isinstance(record, Approval):
            return frozenset({record.by, record.for_holder_id})
        return frozenset({record.party_id}) if isinstance(record, Party | PartyKey) else frozenset()


def packed(vector: Sequence[float]) -> bytes:
    """A template as little-endian 32-bit floats."""
    return struct.pack(f"<{len(vector)}f", *vector)


def unpacked(content: bytes, dimension: int) -> tuple[float, ...]:
    """The floats of a template.

    Raises:
        StoreError: not of this dimension.
    """
    if len(content) != 4 * dimension:
        raise StoreError(f"a template has {len(content) // 4} numbers where its enrolment says {dimension}")
    return struct.unpack(f"<{dimension}f", content)


def _part_lacks(part: Clearance) -> Denial:
    en = f"the voice {part.voice_id}, which is part of this blend, has no grant that covers the use"
    return Denial("CON-022", "blend_of", Sentence(en, f"合成元の声（{part.voice_id}）の同意がありません"))
