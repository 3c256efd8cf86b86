"""The lines of a consent report as plain data: what each record says, how it stands, and its proof in the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, TypeVar

from consent import ledger
from consent.approvals import Approval
from consent.denials import GrantHistory
from consent.entries import Entry, iso
from consent.events import RecordedEvent, State, fold
from consent.releases import Release, live
from consent.rights import ClaimHistory
from consent.store import Store
from consent.strict import Record
from consent.terms import Grant
from consent.titles import Claim, Refusal, Title
from consent.views import View
from consent.vocabulary import EventKind
from consent.voices import Enrolment, Permission, Voice

SOON = timedelta(days=90)
Line = dict[str, Any]
RecordT = TypeVar("RecordT", bound=Record)


class Proofs:
    """Inclusion proofs against one head of the ledger; what proofs share is read once."""

    def __init__(self, store: Store, size: int) -> None:
        self._store, self.size = store, size
        self._nodes: dict[tuple[int, int], bytes] = {}

    def _read(self, level: int, position: int) -> bytes:
        if (level, position) not in self._nodes:
            self._nodes[(level, position)] = self._store.read_node(level, position)
        return self._nodes[(level, position)]

    def of(self, entry: Entry) -> Line:
        """Where an entry stands, its leaf, and the sibling hashes up to the root (RFC 9162, 2.1.3)."""
        path = ledger.inclusion_proof(entry.leaf_index, self.size, self._read)
        return {
            "entry": entry.leaf_index,
            "recorded_at": iso(entry.recorded_at),
            "signed": entry.envelope is not None,
            "leaf": entry.leaf().decode(),
            "leaf_hash": entry.leaf_hash,
            "inclusion": [sibling.hex() for sibling in path],
        }


def of_kind(view: View, keys: Iterable[str], kind: type[RecordT]) -> list[tuple[Entry, RecordT]]:
    """The records of one kind under any of the keys, in ledger order."""
    return [(e, r) for e in view.store.entries_of(sorted(set(keys)), kind) if isinstance(r := e.record, kind)]


def grant_line(history: GrantHistory, at: datetime) -> Line:
    """A consent: its terms, how it stands, what was spent, and everything that happened to it."""
    grant, state = history.grant, history.state(at)
    return {
        "grant_id": grant.grant_id,
        "voice_id": grant.voice_id,
        "status": _status(state, at, "never given", grant.not_after),
        "titles": list(grant.title_ids),
        "languages": list(grant.languages),
        "territories": list(grant.territories),
        "territories_excluded": list(grant.territories_excluded),
        "channels": [str(c) for c in grant.channels],
        "techniques": [str(t) for t in grant.techniques],
        "from": iso(grant.not_before),
        "until": iso(grant.not_after) if grant.not_after else None,
        "uses_spent": state.uses_spent,
        "uses_allowed": grant.max_uses,
        "minutes_spent": state.minutes_spent,
        "minutes_allowed": grant.max_minutes,
        "intended_use": grant.intended_use,
        "signed": history.signed,
        "events": [event_line(e) for e in history.events if e.recorded_at <= at],
    }


def event_line(recorded: RecordedEvent) -> Line:
    """What happened, when, and who said so."""
    event = recorded.event
    return {
        "kind": str(event.kind),
        "effective_at": iso(event.effective_at),
        "recorded_at": iso(recorded.recorded_at),
        "by": event.by,
        "reason": event.reason,
        "entry": recorded.leaf_index,
    }


def use_line(release: Release, voice_ids: Iterable[str], at: datetime) -> Line:
    """A decision about a dub; of its voices only those of the party that reads this."""
    return {
        "release_id": release.release_id,
        "decided_at": iso(release.decided_at),
        "decision": str(release.decision),
        "title_id": release.title_id,
        "language": release.language,
        "territories": list(release.territories),
        "territories_excluded": list(release.territories_excluded),
        "channels": [str(c) for c in release.channels],
        "from": iso(release.window.start),
        "until": iso(release.window.end) if release.window.end else None,
        "live": bool(live([release], at)),
        "label": release.label,
        "reasons": list(release.reasons),
        "voices": [v.model_dump(mode="json") for v in release.voices if v.voice_id in set(voice_ids)],
        "approvals": list(release.approval_ids),
        "certificate_sha256": release.certificate_sha256,
    }


def approval_line(view: View, approval: Approval, at: datetime) -> Line:
    """What was approved or refused, by whom, and whether it stands."""
    state = fold(view.events(f"approval:{approval.approval_id}"), known_at=at, born=approval.signed_at)
    return {
        "approval_id": approval.approval_id,
        "kind": str(approval.kind),
        "decision": str(approval.decision),
        "by": approval.by,
        "for_holder_id": approval.for_holder_id,
        "title_id": approval.title_id,
        "language": approval.language,
        "territories": list(approval.territories),
        "territories_excluded": list(approval.territories_excluded),
        "channels": [str(c) for c in approval.channels],
        **({} if approval.partners is None else {"partners": list(approval.partners)}),
        "from": iso(approval.window.start),
        "until": iso(approval.window.end) if approval.window.end else None,
        "conditions": list(approval.conditions),
        "signed_at": iso(approval.signed_at),
        "expires_at": iso(approval.expires_at),
        "status": _status(state, at, "not yet signed", approval.expires_at),
    }


def claim_line(view: View, entry: Entry, claim: Claim, at: datetime) -> Line:
    """A right in a title, and whether it counts."""
    history = _claim_history(view, entry, claim)
    stands = _status(fold(history.events, known_at=at, born=entry.recorded_at), at, "not yet recorded", claim.not_after)
    status = stands if stands != "given" else "standing"
    if status == "standing" and history.contested(at):
        status = "contested"
    elif status == "standing" and not history.confirmed(at):
        status = "unconfirmed"
    return {
        "claim_id": claim.claim_id,
        "title_id": claim.title_id,
        "right": str(claim.right),
        "holders": list(claim.holder_ids),
        "languages": list(claim.languages),
        "territories": list(claim.territories),
        "territories_excluded": list(claim.territories_excluded),
        "from": iso(claim.not_before),
        "until": iso(claim.not_after) if claim.not_after else None,
        "status": status,
    }


def claim_counts(view: View, entry: Entry, claim: Claim, at: datetime) -> bool:
    """Whether a claim opens the title's decisions to its holder: it stands, and a second operator confirmed it."""
    history = _claim_history(view, entry, claim)
    return history.stands(at) and history.confirmed(at)


def _claim_history(view: View, entry: Entry, claim: Claim) -> ClaimHistory:
    return ClaimHistory(claim, entry.recorded_at, view.events(f"claim:{claim.claim_id}"))


def refusal_line(view: View, entry: Entry, refusal: Refusal, at: datetime) -> Line:
    """A standing refusal in the refuser's words."""
    state = fold(view.events(f"refusal:{refusal.refusal_id}"), known_at=at, born=entry.recorded_at)
    status = _status(state, at, "not yet recorded", refusal.not_after)
    return refusal.model_dump(mode="json", exclude_none=True) | {"status": "standing" if status == "given" else status}


def voice_line(view: View, voice: Voice, at: datetime, proofs: Proofs) -> Line:
    """A voice: what it may be compared for, and what was recorded of it; never a template."""
    key = [f"voice:{voice.voice_id}"]
    known = view.voice(voice.voice_id, at) or voice
    return {
        "voice_id": voice.voice_id,
        "subject": str(known.subject),
        "permissions": [
            _permission(view, e, p, at) | {"proof": proofs.of(e)} for e, p in of_kind(view, key, Permission)
        ],
        "enrolments": [_enrolment(view, e, r, at) | {"proof": proofs.of(e)} for e, r in of_kind(view, key, Enrolment)],
    }


def _permission(view: View, entry: Entry, permission: Permission, at: datetime) -> Line:
    state = view.state(f"permission:{permission.permission_id}", permission, at)
    status = _status(state, at, "not yet recorded", permission.not_after)
    return {
        "permission_id": permission.permission_id,
        "kind": str(permission.kind),
        "legal_basis": str(permission.legal_basis),
        "from": iso(permission.not_before),
        "until": iso(permission.not_after),
        "status": "standing" if status == "given" else status,
    }


def _enrolment(view: View, entry: Entry, enrolment: Enrolment, at: datetime) -> Line:
    said = view.events(f"enrolment:{enrolment.enrolment_id}")
    who = view.spokespeople(enrolment.voice_id)
    by = {e.event.by for e in said if e.event.kind is EventKind.CONFIRMED and e.recorded_at <= at}
    sealed = entry.leaf_index not in _erased(view, enrolment.voice_id, at)
    return {
        "enrolment_id": enrolment.enrolment_id,
        "speech_s": enrolment.speech_s,
        "supplied_by": enrolment.supplied_by,
        "confirmed": bool(who & (by | {enrolment.confirmed_by})),
        "standing": any(
            s.enrolment_id == enrolment.enrolment_id for s in view.standing_enrolments(enrolment.voice_id, at)
        ),
        "template": "kept, encrypted" if sealed else "erased",
    }


def _erased(view: View, voice_id: str, at: datetime) -> set[int]:
    events = view.events(f"voice:{voice_id}")
    refs = [e.event.ref for e in events if e.event.kind is EventKind.ERASED and e.recorded_at <= at]
    return {int(index) for ref in refs if ref for index in ref.split(",")}


def _status(state: State, at: datetime, none: str, end: datetime | None) -> str:
    step = state.status(at)
    if step is None:
        return none
    return "term over" if step.alive and end is not None and end <= at else str(step.kind)


def history_lines(view: View, own: list[str], titles: list[str], at: datetime, proofs: Proofs) -> list[Line]:
    """Every entry of the ledger that names the party, its voices or its titles, with its proof.

    What performers granted or refused for a title is theirs to see, not the title's holder's.
    """
    known = {e.leaf_index: e for e in view.store.entries_of(sorted(set(own)))}
    of_titles = view.store.entries_of(sorted(set(titles)))
    known |= {e.leaf_index: e for e in of_titles if not isinstance(e.record, Grant | Refusal)}
    return [
        {"record": e.schema_name.removeprefix("consent-").rpartition("/")[0], "id": e.record.record_id} | proofs.of(e)
        for _, e in sorted(known.items())
        if e.recorded_at <= at
    ]


def title_names(view: View, title_ids: Iterable[str]) -> dict[str, str]:
    """The names of titles by their ids."""
    return {t.title_id: t.name for _, t in of_kind(view, (f"title:{i}" for i in title_ids), Title)}


def ending_soon(kind: str, own_id: str, end: str | None, alive: bool, at: datetime) -> Iterator[Line]:
    """A line for what ends within 90 days."""
    if alive and end is not None and iso(at) < end <= iso(at + SOON):
        yield {"kind": kind, "id": own_id, "ends_at": end}


def grant_waits(history: GrantHistory, at: datetime) -> Iterator[Line]:
    """A grant that was asked for and not answered."""
    known = [e for e in history.events if e.recorded_at <= at]
    if known and known[-1].event.kind in (EventKind.REQUESTED, EventKind.DEFERRED):
        since, by = iso(known[-1].recorded_at), known[-1].event.by
        yield {"kind": "grant", "id": history.grant.grant_id, "since": since, "what": f"asked for by {by}"}


def grants_of(view: View, voice_ids: Iterable[str]) -> list[tuple[Entry, GrantHistory]]:
    """Every grant for the voices, with its entry."""
    ids = list(voice_ids)
    entries = {g.grant_id: e for e, g in of_kind(view, (f"voice:{v}" for v in ids), Grant)}
    return [(entries[h.grant.grant_id], h) for v in ids for h in view.grants(v)]
