"""Everybody who may be looked for, read in a few queries: templates side by side in memory, and how many are left out.

A template is opened here for one search and forgotten with the gallery; nothing is written anywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from sqlalchemy import select

from consent.entries import Entry
from consent.errors import RecordError, StoreError
from consent.events import Event, RecordedEvent, fold
from consent.sealing import unseal
from consent.store import PERSON_KEY, SEALED, Store
from consent.strict import Record
from consent.terms import Grant
from consent.titles import Refusal
from consent.views import View
from consent.vocabulary import EventKind, PermissionKind, Role
from consent.voices import Enrolment, Permission, SearchHalt, Voice

R = TypeVar("R", bound=Record)
_AT_ONCE = 5_000  # keys in one query: SQLite takes 32,766


@dataclass(frozen=True, slots=True)
class ProtectedGallery:
    """Voices with `protect` and `keep`, one row each in `templates`: little-endian float32 [shape=(n, dimension)].

    `near` marks voices that this production, its vendor or a refusal names: they are searched first. `unpermitted`
    counts enrolled voices that gave no `protect`, `elsewhere` those that are enrolled for another encoder only.
    `halt` stands where an operator switched the search off; then nothing was read.
    """

    voice_ids: tuple[str, ...] = ()
    confirmed: tuple[bool, ...] = ()
    near: tuple[bool, ...] = ()
    templates: bytes = field(default=b"", repr=False)
    dimension: int = 0
    elsewhere: frozenset[str] = frozenset()
    unpermitted: int = 0
    halt: SearchHalt | None = None


def protected_gallery(
    view: View, at: datetime, *, encoder_sha256: str, title_ids: Sequence[str] = (), vendor_ids: Sequence[str] = ()
) -> ProtectedGallery:
    """The templates of one encoder that may be looked for in anything, at a moment.

    Raises:
        StoreError: a template does not open, or has another dimension than its enrolment says.
    """
    halt = search_halt(view, at)
    if halt is not None:
        return ProtectedGallery(halt=halt)
    protect, keep = _permitted(view, at)
    standing = _standing(view, at)
    enrolled = {e.voice_id for _, e in standing}
    here = {e.voice_id for _, e in standing if e.encoder_sha256 == encoder_sha256}
    wanted = [
        (entry, e)
        for entry, e in standing
        if e.encoder_sha256 == encoder_sha256 and e.voice_id in protect and e.voice_id in keep
    ]
    opened = _opened(view.store, wanted)
    rows = sorted(((e, opened[entry.leaf_index]) for entry, e in wanted if entry.leaf_index in opened), key=_by_voice)
    dimension = rows[0][0].dimension if rows else 0
    if any(len(content) != 4 * dimension for _, content in rows):
        raise StoreError("the templates of one encoder have different dimensions", where="enrolments")
    confirming, close = _confirming(view, [e for e, _ in rows], at), _near(view, title_ids, vendor_ids)
    return ProtectedGallery(
        voice_ids=tuple(e.voice_id for e, _ in rows),
        confirmed=tuple(e.enrolment_id in confirming for e, _ in rows),
        near=tuple(e.voice_id in close or e.supplied_by in vendor_ids for e, _ in rows),
        templates=b"".join(content for _, content in rows),
        dimension=dimension,
        elsewhere=frozenset((protect & enrolled) - here),
        unpermitted=len(enrolled - protect),
    )


def protected_since(view: View, moment: datetime) -> frozenset[str]:
    """The voices that may be looked for now by a template by which nobody could at a moment, as was recorded since."""
    start = view.store.first_after(moment)
    said = (e.record for kind in (Permission, Enrolment, Event) for e in view.store.of_kind(kind, start=start))
    named = {v for record in said if (v := _voice_of(record, view)) is not None}

    def sought(voice_id: str, at: datetime) -> set[str]:
        protects = PermissionKind.PROTECT in view.permissions(voice_id, at)
        return {e.enrolment_id for e in view.standing_enrolments(voice_id, at)} if protects else set()

    return frozenset(v for v in named if sought(v, view.now) - sought(v, moment))


def _voice_of(record: Record | None, view: View) -> str | None:
    """Whose voice a permission or an enrolment, or an event of one, is about."""
    if isinstance(record, Event) and record.target in ("permission", "enrolment"):
        key = f"{record.target}:{record.target_id}"
        return _voice_of(view.record(key, Permission) or view.record(key, Enrolment), view)
    return record.voice_id if isinstance(record, Permission | Enrolment) else None


def search_halt(view: View, at: datetime) -> SearchHalt | None:
    """The operator's recorded reason for which nobody is looked for at `at`; None where the search is on."""
    for entry, halt in _records(view.store.of_kind(SearchHalt), SearchHalt):
        events = view.events(f"search_halt:{halt.halt_id}")
        alive = fold(events, known_at=at, born=entry.recorded_at).alive(at)
        if entry.recorded_at <= at and halt.term.holds(at) and alive:
            return halt
    return None


def admit_halt(view: View, halt: SearchHalt) -> None:
    """Check who switches the search off.

    Raises:
        RecordError: nobody the registry knows, or no operator.
    """
    author = view.party(halt.by)
    if author is None or Role.OPERATOR not in author.roles:
        raise RecordError(f"{halt.by} is no operator, and only an operator switches the search off")


def _by_voice(row: tuple[Enrolment, bytes]) -> tuple[str, str]:
    return row[0].voice_id, row[0].enrolment_id


def _records(entries: Iterable[Entry], kind: type[R]) -> Iterator[tuple[Entry, R]]:
    return ((e, r) for e in entries if isinstance(r := e.record, kind))


def _permitted(view: View, at: datetime) -> tuple[set[str], set[str]]:
    """The voices with a standing `protect`, and those with a standing `keep`."""
    known = [
        (e, p)
        for e, p in _records(view.store.of_kind(Permission), Permission)
        if p.kind is not PermissionKind.MATCH and e.recorded_at <= at and p.term.holds(at)
    ]
    events = _events(view, "permission", [p.permission_id for _, p in known])
    standing = [p for e, p in known if _alive(e, events.get(p.permission_id, ()), at)]
    protect = {p.voice_id for p in standing if p.kind is PermissionKind.PROTECT}
    return protect, {p.voice_id for p in standing if p.kind is PermissionKind.KEEP}


def _standing(view: View, at: datetime) -> list[tuple[Entry, Enrolment]]:
    known = [(e, r) for e, r in _records(view.store.of_kind(Enrolment), Enrolment) if e.recorded_at <= at]
    superseded = {(r.voice_id, r.supersedes) for _, r in known}
    current = [(e, r) for e, r in known if (r.voice_id, r.enrolment_id) not in superseded]
    events = _events(view, "enrolment", [r.enrolment_id for _, r in current])
    return [(e, r) for e, r in current if _alive(e, events.get(r.enrolment_id, ()), at)]


def _alive(entry: Entry, events: Sequence[RecordedEvent], at: datetime) -> bool:
    return fold(events, known_at=at, born=entry.recorded_at).alive(at)


def _events(view: View, target: str, ids: Sequence[str]) -> Mapping[str, list[RecordedEvent]]:
    """The events of many records of one kind, by the record's id."""
    found: dict[str, list[RecordedEvent]] = {}
    for first in range(0, len(ids), _AT_ONCE):
        some = ids[first : first + _AT_ONCE]
        entries = view.store.entries_of([f"{target}:{i}" for i in some], Event)
        for entry, event in _records(entries, Event):
            if event.target == target:
                found.setdefault(event.target_id, []).append(RecordedEvent(event, entry.recorded_at, entry.leaf_index))
    return found


def _opened(store: Store, wanted: Sequence[tuple[Entry, Enrolment]]) -> dict[int, bytes]:
    """The sealed contents by entry; what was erased is not among them."""
    found: dict[int, bytes] = {}
    for first in range(0, len(wanted), _AT_ONCE):
        expected = {entry.leaf_index: entry.sealed_sha256 for entry, _ in wanted[first : first + _AT_ONCE]}
        query = (
            select(SEALED.c.leaf_index, SEALED.c.holder, SEALED.c.content, PERSON_KEY.c.wrapped)
            .join_from(SEALED, PERSON_KEY, SEALED.c.holder == PERSON_KEY.c.holder, isouter=True)
            .where(SEALED.c.leaf_index.in_(expected))
        )
        for row in store.connection.execute(query):
            found[row.leaf_index] = _unsealed(store, row.holder, row.wrapped, row, expected[row.leaf_index])
    return found


def _unsealed(store: Store, holder: str, wrapped: bytes | None, row: object, expected: str | None) -> bytes:
    if store.keyring is None:
        remedy = "Name its key file: --key-file, or DUBGATE_REGISTRY_KEY."
        raise StoreError("templates are sealed and the registry's key is not here", remedy=remedy)
    if wrapped is None:
        raise StoreError(f"the key of {holder} is gone", remedy="It was erased, or the keys were not restored.")
    index, content = row.leaf_index, row.content  # type: ignore[attr-defined]
    return unseal(store.keyring.unwrap(holder, wrapped), f"entry {index}", content, expected)


def _confirming(view: View, enrolments: Sequence[Enrolment], at: datetime) -> frozenset[str]:
    """The enrolments that the voice's owner or an agent confirmed by `at`."""
    voices = {v.voice_id: v for _, v in _records(view.store.of_kind(Voice), Voice)} if enrolments else {}
    events = _events(view, "enrolment", [e.enrolment_id for e in enrolments])

    def confirmed(enrolment: Enrolment) -> bool:
        voice = voices[enrolment.voice_id]
        own = {voice.owner_id, *voice.agent_ids}
        said = (
            r.event.by
            for r in events.get(enrolment.enrolment_id, ())
            if r.event.kind is EventKind.CONFIRMED and r.recorded_at <= at
        )
        return enrolment.confirmed_by in own or any(by in own for by in said)

    return frozenset(e.enrolment_id for e in enrolments if confirmed(e))


def _near(view: View, title_ids: Sequence[str], vendor_ids: Sequence[str]) -> set[str]:
    """Voices that grants for the title or to the vendor name, and those of which somebody refused a use for good."""
    keys = [*(f"title:{t}" for t in title_ids), *(f"party:{p}" for p in vendor_ids)]
    granted = {g.voice_id for _, g in _records(view.store.entries_of(keys, Grant), Grant)} if keys else set()
    refused = {v for _, r in _records(view.store.of_kind(Refusal), Refusal) for v in r.voice_ids}
    return granted | refused
