"""The retention job: finds what the published schedule says is due, destroys it, and proves that by the ledger."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from consent.checkpoint import Checkpoint
from consent.entries import Entry, iso
from consent.errors import RecordError
from consent.events import TERMINAL, Event, State
from consent.ledger import leaf_hash
from consent.parties import Party
from consent.registry import Registry
from consent.rekeying import erase_entries, sealed_entries
from consent.releases import live
from consent.retention_schedule import IDLE, UNCONFIRMED
from consent.terms import Grant
from consent.titles import Claim
from consent.views import View
from consent.vocabulary import EventKind, LegalBasis, PermissionKind, Role
from consent.voices import Enrolment, Permission, Voice
from consent.writing import Writer


@dataclass(frozen=True, slots=True)
class Due:
    """Sealed contents of one holder that a rule of the schedule wants gone, and since when."""

    rule_id: str
    holder: str
    entries: tuple[int, ...]
    since: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Erased:
    """What was destroyed, and the event in the ledger that says so, with its proof against the checkpoint."""

    due: Due
    event_index: int
    leaf: str
    proof: tuple[bytes, ...]

    def data(self) -> dict[str, Any]:
        """Plain data; `inclusion` are the sibling hashes of RFC 9162, 2.1.3."""
        return due_data(self.due) | {
            "event_entry": self.event_index,
            "leaf": self.leaf,
            "leaf_hash": leaf_hash(self.leaf.encode()).hex(),
            "inclusion": [sibling.hex() for sibling in self.proof],
        }


@dataclass(frozen=True, slots=True)
class Retention:
    """What one run of the job did, under the ledger's head after it."""

    erased: tuple[Erased, ...]
    head: Checkpoint


def due_data(due: Due) -> dict[str, Any]:
    """Plain data of something that is due."""
    return {
        "rule": due.rule_id,
        "holder": due.holder,
        "erased_entries": list(due.entries),
        "due_since": iso(due.since),
        "why": due.why,
    }


def find_due(view: View, at: datetime, *, among: Collection[str] | None = None) -> tuple[Due, ...]:
    """Everything that the schedule wants gone at a moment, each sealed content under one rule.

    Args:
        among: look at these holders only.
    """
    held = sealed_entries(view.store)
    chosen = {holder: entries for holder, entries in held.items() if among is None or holder in among}
    return tuple(due for holder, entries in chosen.items() for due in _of(view, holder, entries, at))


def apply_schedule(registry: Registry, *, by: str) -> Retention:
    """Destroy what is due now, in one transaction, and prove it; where nothing is due, nothing is written.

    Args:
        by: the operator in whose name the erasures are recorded.

    Raises:
        RecordError: no such party, or it is no operator.
        StoreError: the registry cannot be written, or what has to stay cannot be opened; nothing was erased.
    """
    with registry.view() as view:  # the long search, beside which others may write
        _require_operator(view, by)
        likely = {due.holder for due in find_due(view, view.now)}
    with registry.write() as writer:
        _require_operator(writer, by)
        done = [(due, _erase(writer, due, by)) for due in find_due(writer, writer.now, among=likely)]
    if done:
        registry._flush()
    head = registry.head()
    return Retention(tuple(_proved(registry, due, index, head.size) for due, index in done), head)


def _require_operator(view: View, party_id: str) -> None:
    party = view.party(party_id)
    if party is None or Role.OPERATOR not in party.roles:
        raise RecordError(f"{party_id!r} is not an operator of this registry", remedy="Name one with --by.")


def _proved(registry: Registry, due: Due, index: int, size: int) -> Erased:
    leaf, proof = registry.inclusion(index, size)
    return Erased(due, index, leaf, tuple(proof))


def _erase(writer: Writer, due: Due, by: str) -> int:
    """Erase, and record it; the place of the event in the ledger."""
    target, _, target_id = due.holder.partition(":")
    gone = erase_entries(writer.store, due.holder, due.entries)
    said = {"target": target, "target_id": target_id, "kind": EventKind.ERASED, "effective_at": writer.now, "by": by}
    reason = f"retention schedule: {due.rule_id}; {due.why}"
    event = Event.model_validate(
        said | {"event_id": uuid.uuid4().hex, "reason": reason, "ref": ",".join(map(str, gone))}
    )
    return writer.store.append(event, writer.now).leaf_index


def _of(view: View, holder: str, entries: tuple[int, ...], at: datetime) -> Iterator[Due]:
    kind, _, own_id = holder.partition(":")
    if kind == "party":
        yield from _contact(view, holder, entries, [own_id], at)
        return
    known = [e for e in view.store.entries(holder) if e.leaf_index in entries]
    templates = [(e, r) for e in known if isinstance(r := e.record, Enrolment)]
    found = list(_templates(view, own_id, holder, entries, templates, at))
    yield from found
    voice = view.record_of_voice(own_id)
    if not templates and voice is not None:
        yield from _contact(view, holder, entries, [voice.owner_id], at)


def _templates(
    view: View,
    voice_id: str,
    holder: str,
    all_entries: tuple[int, ...],
    held: list[tuple[Entry, Enrolment]],
    at: datetime,
) -> Iterator[Due]:
    if not held:
        return
    permitted = view.permissions(voice_id, at)
    if PermissionKind.KEEP not in permitted or not permitted & {PermissionKind.MATCH, PermissionKind.PROTECT}:
        ended = _last_end(view, voice_id, at) or held[-1][0].recorded_at
        yield Due("template-not-permitted", holder, all_entries, ended, "no permission to keep it for comparing stands")
        return
    idle_since = _idle_since(view, [f"voice:{voice_id}", *(f"party:{p}" for p in view.spokespeople(voice_id))], at)
    if idle_since + IDLE <= at and _on_bipa_release(view, voice_id, at):
        yield Due("template-idle", holder, all_entries, idle_since + IDLE, f"last interaction {iso(idle_since)[:10]}")
        return
    standing = {e.enrolment_id for e in view.standing_enrolments(voice_id, at)}
    for entry, enrolment in held:
        if enrolment.enrolment_id not in standing:
            since = _ended(view, entry, enrolment, at)
            yield Due(
                "template-superseded", holder, (entry.leaf_index,), since, f"{enrolment.enrolment_id} was replaced"
            )
        elif entry.recorded_at + UNCONFIRMED <= at and not _confirmed(view, enrolment, at):
            why = f"{enrolment.enrolment_id} was recorded on {iso(entry.recorded_at)[:10]} and never confirmed"
            since = entry.recorded_at + UNCONFIRMED
            yield Due("enrolment-unconfirmed", holder, (entry.leaf_index,), since, why)


def _last_end(view: View, voice_id: str, at: datetime) -> datetime | None:
    """When the last of a voice's permissions that this needs came to its end."""
    ends: dict[PermissionKind, datetime] = {}
    for entry in view.store.entries(f"voice:{voice_id}", Permission):
        permission = entry.record
        if isinstance(permission, Permission):
            state = view.state(f"permission:{permission.permission_id}", permission, at)
            end = min((permission.not_after, *_stops(state)))
            ends[permission.kind] = max(end, ends.get(permission.kind, end))
    keep = ends.pop(PermissionKind.KEEP, None)
    known = [end for end in (keep, max(ends.values(), default=None)) if end is not None and end <= at]
    return min(known, default=None)


def _stops(state: State) -> list[datetime]:
    return [step.at for step in state.steps if step.kind in TERMINAL]


def _on_bipa_release(view: View, voice_id: str, at: datetime) -> bool:
    return any(p.legal_basis is LegalBasis.BIPA_RELEASE for p in view.standing_permissions(voice_id, at))


def _ended(view: View, entry: Entry, enrolment: Enrolment, at: datetime) -> datetime:
    """When a newer enrolment, or an event, ended this one."""
    newer = (
        e.recorded_at
        for e in view.store.entries(f"voice:{enrolment.voice_id}", Enrolment)
        if isinstance(e.record, Enrolment) and e.record.supersedes == enrolment.enrolment_id
    )
    own = _stops(view.state(f"enrolment:{enrolment.enrolment_id}", enrolment, at))
    return min([*newer, *own], default=entry.recorded_at)


def _confirmed(view: View, enrolment: Enrolment, at: datetime) -> bool:
    who = view.spokespeople(enrolment.voice_id)
    events = view.events(f"enrolment:{enrolment.enrolment_id}")
    said = {e.event.by for e in events if e.event.kind is EventKind.CONFIRMED and e.recorded_at <= at}
    return bool(who & (said | {enrolment.confirmed_by}))


def _contact(view: View, holder: str, entries: tuple[int, ...], people: list[str], at: datetime) -> Iterator[Due]:
    """A name that nothing needs any more: no living matter for three years, and nobody heard of the person."""
    parties = [p for party_id in people if (p := view.party(party_id)) is not None]
    if not parties or (holder.startswith("party:") and not all(p.person for p in parties)):
        return  # an organisation's own name is no personal data; a voice's is, whoever owns the voice
    keys = [holder, *(f"party:{p.party_id}" for p in parties)]
    voices = _voices_of(view, people)
    keys += [f"voice:{v}" for v in voices]
    histories = [*_grants_of(view, people, voices)]
    ends = [_grant_end(view, g, at) for g in histories]
    if any(end is None or end > at for end in ends) or _needed(view, parties, voices, at):
        return
    quiet = max([_idle_since(view, keys, at), *(end for end in ends if end is not None)])
    if quiet + IDLE <= at:
        yield Due("contact-idle", holder, entries, quiet + IDLE, f"no living matter since {iso(quiet)[:10]}")


def _voices_of(view: View, people: Iterable[str]) -> list[str]:
    entries = view.store.entries_of([f"party:{p}" for p in people], Voice)
    return [r.voice_id for e in entries if isinstance(r := e.record, Voice)]


def _grants_of(view: View, people: Iterable[str], voices: list[str]) -> list[Grant]:
    keys = [*(f"party:{p}" for p in people), *(f"voice:{v}" for v in voices)]
    return [r for e in view.store.entries_of(keys, Grant) if isinstance(r := e.record, Grant)]


def _grant_end(view: View, grant: Grant, at: datetime) -> datetime | None:
    """When a grant ended or will end; None where it is open."""
    stops = [s for s in _stops(view.state(f"grant:{grant.grant_id}", grant, at)) if s <= at]
    status = view.state(f"grant:{grant.grant_id}", grant, at).status(at)
    over = status is not None and status.kind in TERMINAL
    return max(stops) if over and stops else grant.not_after


def _needed(view: View, parties: list[Party], voices: list[str], at: datetime) -> bool:
    """Whether a key, a claim, a permission or a live release still needs the person to be reachable."""
    ids = [p.party_id for p in parties]
    claims = [c for e in view.store.entries_of([f"party:{i}" for i in ids], Claim) if isinstance(c := e.record, Claim)]
    return (
        any(key.not_after > at for i in ids for key in view.public_keys(i))
        or any(c.not_after is None or c.not_after > at for c in claims)
        or any(view.standing_permissions(v, at) for v in voices)
        or any(live(view.releases(f"voice:{v}"), at) for v in voices)
    )


def _idle_since(view: View, keys: list[str], at: datetime) -> datetime:
    """When anything about these was last recorded; erasures are the registry's own and count for nobody."""
    entries = view.store.entries_of(sorted(set(keys)))
    times = [e.recorded_at for e in entries if not _is_erasure(e) and e.recorded_at <= at]
    return max(times, default=at)


def _is_erasure(entry: Entry) -> bool:
    return isinstance(entry.record, Event) and entry.record.kind is EventKind.ERASED
