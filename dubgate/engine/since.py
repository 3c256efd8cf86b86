"""What ended in the registry since a batch was begun: all of it is judged as at one moment, and its exit code is read later."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from consent.approvals import Approval
from consent.entries import Entry
from consent.events import TERMINAL, Event
from consent.gallery import protected_since
from consent.ledger import root
from consent.terms import Grant
from consent.titles import Claim, Refusal
from consent.views import View
from consent.vocabulary import ApprovalDecision, EventKind
from dubgate.delivery.manifest import load_delivery
from dubgate.engine.fetching import is_url
from dubgate.errors import DubgateError
from dubgate.release import open_registry

_ENDS = TERMINAL | {EventKind.SUSPENDED, EventKind.CONTESTED, EventKind.OBJECTED, EventKind.DIED}


def voices_named(manifests: Iterable[str]) -> frozenset[str] | None:
    """The voices that deliveries name; None where one of them cannot be read here, so that any voice may be theirs."""
    named: set[str] = set()
    for location in manifests:
        if is_url(location):
            return None
        try:
            named.update(v for entry in load_delivery(Path(location)).cast for v in entry.voice_ids)
        except DubgateError:
            return None
    return frozenset(named)


def ended_in(location: str, began: datetime, released: Iterable[str]) -> tuple[str, ...]:
    """What ended in the registry at a place that may concern one of these deliveries.

    Raises:
        RegistryError: it cannot be asked.
    """
    with open_registry(location) as registry, registry.view() as view:
        return ended_since(view, began, voices_named(released))


def known_by(location: str, moment: datetime) -> str:
    """What the registry at a place knew by a moment: its ledger's name, size and root. Another registry knew something else.

    Raises:
        RegistryError: it cannot be asked.
    """
    with open_registry(location) as registry, registry.view() as view:
        size = view.store.first_after(moment)
        return f"{registry.head().origin} {size} {root(size, view.store.read_node).hex()}"


def told_of(ended: Sequence[str], began: datetime) -> list[str]:
    """What is said where anything ended."""
    some = ", ".join(ended[:5])
    what = f"since the batch was begun ({began.isoformat()}) something ended in the registry ({some})"
    return [f"{what}: judge it again, with another --out"] if ended else []


def ended_since(view: View, began: datetime, voices: frozenset[str] | None = None) -> tuple[str, ...]:
    """The events, refusals, claims and noes that were recorded after a moment, by their ids; but for grants of other voices
    than these. And the voices that may be looked for since: nobody looked for them."""
    entries = view.store.all_entries(start=view.store.first_after(began))
    own = None if voices is None else _with_blended(view, voices)
    ended = (e.record.record_id for e in entries if _ends(e) and not _of_another(e, view, own))
    return (*ended, *sorted(protected_since(view, began)))


def _with_blended(view: View, voices: frozenset[str]) -> frozenset[str]:
    """And the voices that blends among them are made of, however deep."""
    found, new = frozenset[str](), voices
    while new:
        found |= new
        known = (view.voice(v, view.now) for v in new)
        new = frozenset(source for voice in known if voice is not None for source in voice.blend_of) - found
    return found


def _of_another(entry: Entry, view: View, voices: frozenset[str] | None) -> bool:
    """Whether it is about a grant, and that of a voice which nobody here uses."""
    record = entry.record
    if voices is None or not isinstance(record, Event) or record.target != "grant":
        return False
    grant = view.record(f"grant:{record.target_id}", Grant)
    return grant is not None and grant.voice_id not in voices


def _ends(entry: Entry) -> bool:
    record = entry.record
    if isinstance(record, Approval):
        return record.decision is ApprovalDecision.REJECT
    if isinstance(record, Event) and record.target == "claim":
        return True  # a claim that counts now, or no more, may be another holder's
    return isinstance(record, Refusal | Claim) or (isinstance(record, Event) and record.kind in _ENDS)
