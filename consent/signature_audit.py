"""Every signature of the history verified again, by the keys and roles that the entries before it had registered."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from consent.certifications import Adoption
from consent.entries import Entry
from consent.errors import SignatureError
from consent.events import Event, RecordedEvent
from consent.parties import KeyHolder, Party, PartyKey, key_problem
from consent.signatures import SIGNED_KINDS, check_envelope, stands_unsigned
from consent.store import Store
from consent.strict import Record
from consent.vocabulary import EventKind, Role


class SignatureAudit:
    """Walks beside the entries, in order, and knows of parties and keys what stood before the entry at hand."""

    def __init__(self, store: Store) -> None:
        self.required = store.wants_signatures()
        self.now = datetime.min
        self._parties: dict[str, Party] = {}
        self._keys: dict[str, PartyKey] = {}
        self._ended: dict[str, list[RecordedEvent]] = {}

    def key(self, key: str, at: datetime) -> KeyHolder | None:
        """The holder of a key by its name in envelopes, as `Lookup.key` knew it when the entry came."""
        found = self._keys.get(key)
        party = self._parties.get(found.party_id) if found is not None else None
        if found is None or party is None:
            return None
        return KeyHolder(found, party, key_problem(found, tuple(self._ended.get(found.key_id, ())), at))

    def entry(self, entry: Entry, record: Record) -> Iterator[str]:
        """What is wrong with the entry's signature, or with its having none."""
        self.now = entry.recorded_at
        if entry.envelope is not None:
            yield from self._signed(entry, record, entry.envelope)
        elif isinstance(record, Adoption) or (
            self.required and isinstance(record, SIGNED_KINDS) and not self._by_the_registry(record)
        ):
            yield f"entry {entry.leaf_index} is not signed, and this registry wants its author's signature"
        self._learn(entry, record)

    def _signed(self, entry: Entry, record: Record, envelope: str) -> Iterator[str]:
        try:
            check_envelope(self, record, envelope)
        except SignatureError as error:
            yield f"entry {entry.leaf_index} is not signed by its author: {error.what}"

    def _by_the_registry(self, record: Record) -> bool:
        """An operator's own events, the registry's note of what it erased, and what opens nothing."""
        if not isinstance(record, Event) or stands_unsigned(record):
            return isinstance(record, Event)
        author = self._parties.get(record.by)
        return record.kind is EventKind.ERASED or (author is not None and Role.OPERATOR in author.roles)

    def _learn(self, entry: Entry, record: Record) -> None:
        if isinstance(record, Party):
            self._parties.setdefault(record.party_id, record)
        if isinstance(record, PartyKey):
            self._keys.setdefault(record.keyid, record)
        if isinstance(record, Event) and record.target == "key":
            happened = RecordedEvent(record, entry.recorded_at, entry.leaf_index)
            self._ended.setdefault(record.target_id, []).append(happened)
