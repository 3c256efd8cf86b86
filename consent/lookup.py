"""What the registry knows of parties, titles, rights, approvals and decisions, at one moment of its database."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TypeVar

from consent.approvals import Approval, ApprovalHistory
from consent.certifications import Adoption, Certification
from consent.entries import Entry
from consent.errors import StoreError
from consent.events import LOOSENING, TERMINAL, Event, RecordedEvent, State, fold
from consent.parties import KeyHolder, Party, PartyKey, Personal, key_problem
from consent.releases import Impact, Release, ReleaseDecision, live
from consent.rights import ClaimHistory, RefusalHistory, TitleRights, refused, title_rights
from consent.store import Store
from consent.strict import Record
from consent.terms import Grant, Use
from consent.titles import Claim, Refusal, Title, TitleRecord
from consent.uses import UseHistory, UseNotice
from consent.vocabulary import RevocationEffect, Right
from consent.voices import Voice
from consent.witnessing import Witness

RecordT = TypeVar("RecordT", bound=Record)

MAX_ABOVE = 16  # catalogue, franchise, series, season, episode … : more is a loop


class Lookup:
    """Questions to one snapshot; `now` is the moment for the checks at the door, other questions take theirs."""

    def __init__(self, store: Store, now: datetime) -> None:
        self.store, self.now = store, now
        self._found: dict[tuple[str, type[Record]], Entry] = {}  # a record never changes; what is absent may come

    def _one(self, key: str, kind: type[RecordT]) -> Entry | None:
        if (key, kind) not in self._found and (entry := self._read_one(key, kind)) is not None:
            self._found[(key, kind)] = entry
        return self._found.get((key, kind))

    def _read_one(self, key: str, kind: type[RecordT]) -> Entry | None:
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
        own = event.found_under()[0]
        return any(own in e.record.found_under() for e in self.store.named(Event, event.event_id))

    def events(self, key: str) -> tuple[RecordedEvent, ...]:
        """The events of one record, in ledger order."""
        target = key.split(":", 1)
        found = self._all([key], Event)
        return tuple(
            RecordedEvent(event, entry.recorded_at, entry.leaf_index, self._void_from(entry, event))
            for entry, event in found
            if [event.target, event.target_id] == target
        )

    def _void_from(self, entry: Entry, event: Event) -> datetime | None:
        """From when an event no longer counts, since a stolen key said it; whatever ends something goes on counting."""
        opens = event.kind in LOOSENING or event.target == "refusal"
        return self.discredited_at(entry) if opens and event.target != "key" else None

    def state(self, key: str, record: Record, at: datetime) -> State:
        """The state of a record at a moment; a grant needs a giving, everything else stands from its recording."""
        entry = self._one(key, type(record))
        born = None if isinstance(record, Grant) or entry is None else entry.recorded_at
        return fold(self.events(key), known_at=at, born=born)

    def party(self, party_id: str) -> Party | None:
        """A party."""
        return self.record(f"party:{party_id}", Party)

    def house_of(self, party_id: str) -> str:
        """The organisation that a party acts for; the party itself where it acts for none or is not registered."""
        party = self.party(party_id)
        return party_id if party is None else party.house_id

    def key(self, key: str, at: datetime) -> KeyHolder | None:
        """Who owns a key (32 bytes in hex, or its key id in an envelope), and whether it may be used at `at`."""
        found = self.record(f"public:{key}", PartyKey) or self.record(f"keyid:{key}", PartyKey)
        party = self.party(found.party_id) if found is not None else None
        if found is None or party is None:
            return None
        return KeyHolder(found, party, key_problem(found, self.events(f"key:{found.key_id}"), at))

    def adoptions(self) -> tuple[Adoption, ...]:
        """Which rule packs were put in force and out of it, in ledger order; what a stolen key put in force is out of it."""
        return tuple(self._adopted(e, a) for e, a in self._all(["adoptions:all"], Adoption))

    def _adopted(self, entry: Entry, adoption: Adoption) -> Adoption:
        gone = self.discredited_at(entry)
        return adoption if gone is None or self.now < gone else adoption.model_copy(update={"kind": "retired"})

    def certifications(self, release_id: str) -> tuple[Certification, ...]:
        """The certificates that were signed for a release beside its own."""
        return tuple(c for _, c in self._all([f"release:{release_id}"], Certification))

    def public_keys(self, party_id: str) -> tuple[PartyKey, ...]:
        """All keys that a party ever had."""
        return tuple(k for _, k in self._all([f"party:{party_id}"], PartyKey))

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

    def titles_under(self, title_ids: Sequence[str]) -> tuple[str, ...]:
        """The titles themselves and all that belong to them, at any depth."""
        found, known = set(title_ids), [r for e in self.store.of_kind(Title) if isinstance(r := e.record, Title)]
        while below := {t.title_id for t in known if t.parent_id in found} - found:
            found |= below
        return tuple(sorted(found))

    def refusals_by(self, party_id: str) -> tuple[Refusal, ...]:
        """The refusals that a party recorded, lifted ones too."""
        return tuple(r for _, r in self._all([f"party:{party_id}"], Refusal) if r.by == party_id)

    def refusals(self, use: Use, at: datetime, *, voice_id: str | None = None) -> tuple[Refusal, ...]:
        """The standing refusals that meet a use, of its title and of the voice or any that it is blended of."""
        voices = self._parts(voice_id) if voice_id is not None else ()
        found = self._all([*(f"title:{t}" for t in use.title_ids), *(f"voice:{v}" for v in voices)], Refusal)
        histories = [RefusalHistory(r, e.recorded_at, self.events(f"refusal:{r.refusal_id}")) for e, r in found]
        met = (r for v in voices or (None,) for r in refused(histories, use, at, voice_id=v))
        return tuple({r.refusal_id: r for r in met}.values())

    def _parts(self, voice_id: str) -> tuple[str, ...]:
        """A voice and, for a blend, every voice in it."""
        voice = self.record(f"voice:{voice_id}", Voice)
        return (voice_id, *(p for source in (voice.blend_of if voice else ()) for p in self._parts(source)))

    def approvals(self, title_ids: Sequence[str]) -> tuple[ApprovalHistory, ...]:
        """Every approval of a title or of what stands above it."""
        found = self._all((f"title:{t}" for t in title_ids), Approval)
        return tuple(self._approval_history(e, a) for e, a in found)

    def _approval_history(self, entry: Entry, approval: Approval) -> ApprovalHistory:
        events, n = self.events(f"approval:{approval.approval_id}"), self._n_releases(approval)
        signed, gone = entry.envelope is not None, self.discredited_at(entry)
        uses = self.uses(approval.approval_id) if approval.standing is not None else ()
        return ApprovalHistory(approval, entry.recorded_at, events, n, signed, gone, uses)

    def uses(self, approval_id: str) -> tuple[UseHistory, ...]:
        """The uses of a standing approval of which its holder was told, in ledger order."""
        found = self._all([f"approval:{approval_id}"], UseNotice)
        return tuple(UseHistory(n, e.recorded_at, self.events(f"use_notice:{n.notice_id}")) for e, n in found)

    def discredited_at(self, entry: Entry) -> datetime | None:
        """When the key behind an entry's signature was revoked, unless a witness had seen the entry before that."""
        keys = [k for keyid in keyids_in(entry.envelope) if (k := self.record(f"keyid:{keyid}", PartyKey)) is not None]
        ends = (e for k in keys for e in self.events(f"key:{k.key_id}") if e.event.kind in TERMINAL)
        first = min(ends, key=lambda e: e.leaf_index, default=None)
        if first is None:
            return None
        seen = (w.size for e, w in self._all(["witnesses:all"], Witness) if e.leaf_index < first.leaf_index)
        return None if entry.leaf_index < max(seen, default=0) else first.recorded_at

    def _n_releases(self, approval: Approval) -> int:
        if approval.standing is None:
            return 0
        known = self.releases(f"approval:{approval.approval_id}")
        return sum(r.decision is ReleaseDecision.RELEASE for r in known)

    def releases(self, key: str) -> tuple[Release, ...]:
        """Every recorded decision that names a `voice:`, `grant:`, `title:`, `approval:` or `certificate:`."""
        return tuple(r for _, r in self._all([key], Release))

    def impact(self, key: str, at: datetime) -> Impact:
        """What ending the grant, approval, voice or title of this key would touch, as of `at`."""
        grant = self.record(key, Grant) if key.startswith("grant:") else None
        effect = grant.revocation.effect if grant is not None else RevocationEffect.STOP_DISTRIBUTION
        return Impact(live(self.releases(key), at), effect)

    def personal(self, key: str, kind: type[Record]) -> Personal | None:
        """The sealed name and contact of a party or voice; None where there is none or it was erased."""
        entry = self._one(key, kind)
        content = self.store.unsealed(entry) if entry is not None and entry.sealed_sha256 is not None else None
        return None if content is None else Personal.model_validate_json(content)


def keyids_in(envelope: str | None) -> tuple[str, ...]:
    """The key ids of an envelope that was verified when it entered."""
    return () if envelope is None else tuple(str(s["keyid"]) for s in json.loads(envelope)["signatures"])


def signed_with(view: Lookup, key: PartyKey, house_id: str) -> Iterator[str]:
    """The envelopes that carry a key's name: its owner's own, and what its owner signed for their house (its words alone)."""
    own = view.store.entries(f"party:{key.party_id}")
    said = (e for kind in (Event, Refusal) for e in view.store.entries(f"party:{house_id}", kind))
    for entry in (*own, *(said if house_id != key.party_id else ())):
        if entry.envelope is not None and key.keyid in entry.envelope:
            yield entry.envelope


def _identities(record: Record) -> tuple[str, ...]:
    """The keys that are a record's own, under which there can be one record only."""
    if isinstance(record, PartyKey):
        return tuple(key for key in record.found_under() if not key.startswith("party:"))
    return record.found_under() if isinstance(record, Title) else record.found_under()[:1]
