"""What the registry knows at one moment of its database: rows in, frozen values out, every question of a gate."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from consent.approvals import Approval, ApprovalHistory
from consent.clearance import Clearance, clear
from consent.denials import Denial, GrantHistory, Sentence
from consent.errors import StoreError
from consent.events import Event, RecordedEvent, State, fold
from consent.parties import KeyHolder, Party, PartyKey, Personal, key_problem
from consent.rights import ClaimHistory, RefusalHistory, TitleRights, refused, title_rights
from consent.store import Entry, Store
from consent.strict import Record
from consent.terms import Grant, Use
from consent.titles import Claim, Refusal, Title, TitleRecord
from consent.vocabulary import EventKind, PermissionKind, Right, Subject
from consent.voices import Enrolment, Permission, Voice

RecordT = TypeVar("RecordT", bound=Record)

MAX_ABOVE = 16  # catalogue, franchise, series, season, episode … : more is a loop


@dataclass(frozen=True, slots=True)
class EnrolledVoice:
    """A template in memory, for one comparison; `confirmed` says whether its owner or agent confirmed the recording."""

    voice_id: str
    enrolment: Enrolment
    vector: tuple[float, ...]
    confirmed: bool

    def __repr__(self) -> str:
        return f"EnrolledVoice({self.voice_id!r}, {self.enrolment.enrolment_id!r}, …)"


class View:
    """Questions to one snapshot; `now` is the moment for checks at the door, other questions take theirs as `at`."""

    def __init__(self, store: Store, now: datetime) -> None:
        self.store, self.now = store, now

    # records

    def _one(self, key: str, kind: type[RecordT]) -> Entry | None:
        found = self.store.entries(key, kind)
        own = [e for e in found if isinstance(e.record, kind) and key in _identities(e.record)]
        if len(own) > 1:
            raise StoreError(f"{key} is registered twice", remedy="Run `dubgate consent audit`.")
        return own[0] if own else None

    def record(self, key: str, kind: type[RecordT]) -> RecordT | None:
        """The record whose own key this is (`grant:…`, `public:…`); None where there is none."""
        entry = self._one(key, kind)
        record = entry.record if entry is not None else None
        return record if isinstance(record, kind) else None

    def _all(self, keys: Iterable[str], kind: type[RecordT]) -> list[tuple[Entry, RecordT]]:
        entries = self.store.entries_of(sorted(set(keys)), kind)
        return [(e, r) for e in entries if isinstance(r := e.record, kind)]

    def has_event(self, event: Event) -> bool:
        """Whether an event of this id is already recorded for the same record."""
        return any(e.record.record_id == event.event_id for e in self.store.entries(event.found_under()[0], Event))

    def events(self, key: str) -> tuple[RecordedEvent, ...]:
        """The events of one record, in ledger order."""
        target = key.split(":", 1)
        found = self._all([key], Event)
        return tuple(
            RecordedEvent(event, entry.recorded_at, entry.leaf_index)
            for entry, event in found
            if [event.target, event.target_id] == target
        )

    def state(self, key: str, record: Record, at: datetime) -> State:
        """The state of a record at a moment; a grant needs a giving, everything else stands from its recording."""
        entry = self._one(key, type(record))
        born = None if isinstance(record, Grant) or entry is None else entry.recorded_at
        return fold(self.events(key), known_at=at, born=born)

    # parties

    def party(self, party_id: str) -> Party | None:
        """A party."""
        return self.record(f"party:{party_id}", Party)

    def key(self, key: str, at: datetime) -> KeyHolder | None:
        """Who owns a key (32 bytes in hex, or its key id in an envelope), and whether it may be used at `at`."""
        found = self.record(f"public:{key}", PartyKey) or self.record(f"keyid:{key}", PartyKey)
        party = self.party(found.party_id) if found is not None else None
        if found is None or party is None:
            return None
        return KeyHolder(found, party, key_problem(found, self.events(f"key:{found.key_id}"), at))

    def public_keys(self, party_id: str) -> tuple[PartyKey, ...]:
        """All keys that a party ever had."""
        return tuple(k for _, k in self._all([f"party:{party_id}"], PartyKey))

    # titles

    def title(self, reference: str) -> TitleRecord | None:
        """A title by its id or by an identifier (`eidr:10.5240/…`), with everything above it."""
        key = f"identifier:{reference}" if ":" in reference else f"title:{reference}"
        title = self.record(key, Title)
        return TitleRecord(title, self._above(title)) if title is not None else None

    def _above(self, title: Title) -> tuple[Title, ...]:
        above: list[Title] = []
        while title.parent_id is not None:
            parent = self.record(f"title:{title.parent_id}", Title)
            if parent is None or len(above) >= MAX_ABOVE:
                raise StoreError(f"the titles above {title.title_id} are broken", remedy="Run `dubgate consent audit`.")
            above.append(parent)
            title = parent
        return tuple(above)

    def claims(self, title: TitleRecord) -> tuple[ClaimHistory, ...]:
        """Every claim on the title and what stands above it."""
        found = self._all((f"title:{t}" for t in title.title_ids), Claim)
        return tuple(ClaimHistory(c, e.recorded_at, self.events(f"claim:{c.claim_id}")) for e, c in found)

    def rights(self, title: TitleRecord, right: Right, use: Use, at: datetime) -> TitleRights:
        """Who holds a right for a use, and what stands in the way of knowing it."""
        return title_rights(self.claims(title), right, use, at, title=title)

    def refusals(self, use: Use, at: datetime, *, voice_id: str | None = None) -> tuple[Refusal, ...]:
        """The standing refusals that meet a use, of its title and of the voice."""
        voice = (f"voice:{voice_id}",) if voice_id is not None else ()
        found = self._all([*(f"title:{t}" for t in use.title_ids), *voice], Refusal)
        histories = (RefusalHistory(r, e.recorded_at, self.events(f"refusal:{r.refusal_id}")) for e, r in found)
        return refused(histories, use, at, voice_id=voice_id)

    def approvals(self, title_ids: Sequence[str]) -> tuple[ApprovalHistory, ...]:
        """Every approval of a title or of what stands above it."""
        found = self._all((f"title:{t}" for t in title_ids), Approval)
        return tuple(ApprovalHistory(a, e.recorded_at, self.events(f"approval:{a.approval_id}")) for e, a in found)

    # voices and grants

    def voice(self, voice_id: str, at: datetime) -> Voice | None:
        """A voice, as it was known at a moment: somebody living may have died since it was recorded."""
        voice = self.record(f"voice:{voice_id}", Voice)
        died = any(
            e.event.kind is EventKind.DIED and max(e.recorded_at, e.event.effective_at) <= at
            for e in self.events(f"voice:{voice_id}")
        )
        return voice.model_copy(update={"subject": Subject.DECEASED}) if voice is not None and died else voice

    def spokespeople(self, voice_id: str) -> frozenset[str]:
        """The parties who speak for a voice: its owner and its agents."""
        voice = self.record(f"voice:{voice_id}", Voice)
        return frozenset() if voice is None else frozenset((voice.owner_id, *voice.agent_ids))

    def grants(self, voice_id: str) -> tuple[GrantHistory, ...]:
        """Every grant for a voice, with its events."""
        found = [(e, g) for e, g in self._all([f"voice:{voice_id}"], Grant) if g.voice_id == voice_id]
        return tuple(GrantHistory(g, e.recorded_at, self.events(f"grant:{g.grant_id}")) for e, g in found)

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
            and fold(self.events(f"permission:{p.permission_id}"), known_at=at, born=e.recorded_at).alive(at)
        )

    def standing_enrolment(self, voice_id: str, encoder_sha256: str, at: datetime) -> Enrolment | None:
        """The one enrolment of a voice for an encoder; None where there is none."""
        standing = [r for _, r in self._standing_enrolments(voice_id, at) if r.encoder_sha256 == encoder_sha256]
        return standing[-1] if standing else None

    def _standing_enrolments(self, voice_id: str, at: datetime) -> list[tuple[Entry, Enrolment]]:
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
        owners = {p.voice_id for _, p in self._all([f"permission-kind:{PermissionKind.PROTECT}"], Permission)}
        allowed = [v for v in sorted(owners) if PermissionKind.PROTECT in self.permissions(v, at)]
        found = (t for v in allowed for t in self._enrolled(v, at))
        return tuple(t for t in found if t.enrolment.encoder_sha256 == encoder_sha256)

    def _enrolled(self, voice_id: str, at: datetime) -> tuple[EnrolledVoice, ...]:
        if PermissionKind.KEEP not in self.permissions(voice_id, at):
            return ()
        read = ((e, r, self.store.unsealed(e)) for e, r in self._standing_enrolments(voice_id, at))
        return tuple(
            EnrolledVoice(voice_id, r, unpacked(content, r.dimension), self._confirmed(r, at))
            for _, r, content in read
            if content is not None
        )

    def _confirmed(self, enrolment: Enrolment, at: datetime) -> bool:
        who = self.spokespeople(enrolment.voice_id)
        events = self.events(f"enrolment:{enrolment.enrolment_id}")
        confirmed = (e.event.by for e in events if e.event.kind is EventKind.CONFIRMED and e.recorded_at <= at)
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

    def personal(self, key: str, kind: type[Record]) -> Personal | None:
        """The sealed name and contact of a party or voice; None where there is none or it was erased."""
        entry = self._one(key, kind)
        content = self.store.unsealed(entry) if entry is not None and entry.sealed_sha256 is not None else None
        return None if content is None else Personal.model_validate_json(content)


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


def _identities(record: Record) -> tuple[str, ...]:
    """The keys that are a record's own, under which there can be one record only."""
    if isinstance(record, PartyKey):
        return record.found_under()[:3]
    return record.found_under() if isinstance(record, Title) else record.found_under()[:1]
