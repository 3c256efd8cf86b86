"""Follows the ledger: what ended, which live releases rested on it, and whose pipelines are told to take them down.

Taken down is for three reasons only: a consent, approval or claim that ended or was suspended, a standing refusal, or a
gate's key that was revoked. A certificate that merely expired takes nothing down.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, select

from consent.approvals import Approval
from consent.consequences import Ending, touched
from consent.entries import Entry
from consent.events import TERMINAL, Event
from consent.registry import Registry
from consent.releases import Impact, Release, live
from consent.titles import Refusal
from consent.uses import UseNotice
from consent.views import View
from consent.vocabulary import ApprovalDecision, EventKind, RevocationEffect
from dubgate.certificate.claim import PASSED
from dubgate.certificate.trust import TrustStore
from dubgate.service.clock import iso
from dubgate.service.database import changing, looking, put_over
from dubgate.service.messages import Told, message_id, tell
from dubgate.service.own_key import OwnKey
from dubgate.service.tables import CERTIFICATE, META
from dubgate.standing import refused_now, rejected_now

FOLLOWED = "followed"
AT_ONCE = 2000
_ENDS = TERMINAL | {EventKind.SUSPENDED}
_TARGETS = frozenset({"grant", "approval", "claim", "key", "enrolment"})


def tell_of_endings(engine: Engine, registry: Registry, own: OwnKey, now: datetime) -> int:
    """Tell of every ending that entered the ledger since the last call; how many messages are new."""
    start = _followed(engine)
    with registry.view() as view:
        size = view.store.size()
        if start is None:  # the service begins here: what ended before was never live through it
            start = size if not _has_certificates(engine) else 0
        end = min(size, start + AT_ONCE)
        told = [t for entry in _entries(view, start, end) for t in _of_entry(view, entry, engine, now)]
    with changing(engine) as connection:
        new = sum(tell(connection, t) for t in told)
        if start != end or not told:
            put_over(connection, META, {"key": FOLLOWED, "value": str(end)})
    return new


def _followed(engine: Engine) -> int | None:
    with looking(engine) as connection:
        value = connection.execute(select(META.c.value).where(META.c.key == FOLLOWED)).scalar_one_or_none()
    return None if value is None else int(value)


def _has_certificates(engine: Engine) -> bool:
    with looking(engine) as connection:
        return connection.execute(select(CERTIFICATE.c.certificate_id).limit(1)).first() is not None


def _entries(view: View, start: int, end: int) -> Iterator[Entry]:
    for entry in view.store.all_entries(start=start):
        if entry.leaf_index >= end:
            return
        yield entry


def _of_entry(view: View, entry: Entry, engine: Engine, now: datetime) -> Iterator[Told]:
    if entry.schema_name == Event.schema_name:
        event = entry.record
        if isinstance(event, Event) and event.kind in _ENDS and event.target in _TARGETS:
            impact = touched(view, f"{event.target}:{event.target_id}", entry.recorded_at)
            yield from _of_ending(Ending(event, entry.recorded_at, impact), engine, now)
        elif isinstance(event, Event) and event.kind is EventKind.OBJECTED:
            yield from _of_ending(Ending(event, entry.recorded_at, _objected(view, event, entry)), engine, now)
    elif entry.schema_name == Refusal.schema_name:
        refusal = entry.record
        if isinstance(refusal, Refusal):
            yield from _of_refusal(view, refusal, entry, engine, now)
    elif entry.schema_name == Approval.schema_name:
        approval = entry.record
        if isinstance(approval, Approval) and approval.decision is ApprovalDecision.REJECT:
            yield from _of_rejection(view, approval, entry, engine, now)


def _objected(view: View, event: Event, entry: Entry) -> Impact:
    """What a holder took out by objecting to one use of its standing approval: the releases of that sound under it."""
    notice = view.record(f"use_notice:{event.target_id}", UseNotice)
    near = () if notice is None else live(view.releases(f"approval:{notice.approval_id}"), entry.recorded_at)
    met = tuple(r for r in near if notice is not None and r.packets_sha256 == notice.packets_sha256)
    return Impact(met, RevocationEffect.STOP_DISTRIBUTION)


def _of_rejection(view: View, approval: Approval, entry: Entry, engine: Engine, now: datetime) -> Iterator[Told]:
    """A holder's no to what was released already: of this sound, or of any in the language."""
    keys = [f"title:{t}" for t in view.titles_under([approval.title_id])]
    near = {r.release_id: r for key in keys for r in live(view.releases(key), entry.recorded_at)}
    met = tuple(r for r in near.values() if rejected_now(r, view, approval.approval_id, max(now, approval.signed_at)))
    yield from _taken_down(f"approval:{approval.approval_id}", "the rights holder refused it", met, entry, engine, now)


def _of_ending(ending: Ending, engine: Engine, now: datetime) -> Iterator[Told]:
    """To each organisation: that it ended, and where it reaches that far, what to take down."""
    for organisation, releases in _by_organisation(engine, ending.impact.releases).items():
        mine = Ending(ending.event, ending.recorded_at, Impact(releases, ending.impact.effect, ending.impact.standing))
        about = f"{ending.event.event_id} {organisation}"
        notice = mine.notice()
        yield Told(message_id("withdrawal", about), organisation, "withdrawal", notice, now)
        if ending.impact.effect is not RevocationEffect.STOP_NEW:
            yield Told(message_id("takedown", about), organisation, "takedown", notice, now)


def _of_refusal(view: View, refusal: Refusal, entry: Entry, engine: Engine, now: datetime) -> Iterator[Told]:
    keys = [f"title:{t}" for t in view.titles_under(refusal.title_ids)] + [f"voice:{v}" for v in refusal.voice_ids]
    near = {r.release_id: r for key in keys for r in live(view.releases(key), entry.recorded_at)}
    met = tuple(r for r in near.values() if refused_now(r, view, refusal.refusal_id, max(now, refusal.not_before)))
    words = next(iter(refusal.words.values()), "refused")
    since = max(entry.recorded_at, refusal.not_before)
    yield from _taken_down(f"refusal:{refusal.refusal_id}", words, met, entry, engine, now, since)


def _taken_down(
    target: str,
    reason: str,
    met: Sequence[Release],
    entry: Entry,
    engine: Engine,
    now: datetime,
    since: datetime | None = None,
) -> Iterator[Told]:
    """To each organisation what of its own is to be taken down; `since` where it is not from the recording on."""
    for organisation, releases in _by_organisation(engine, met).items():
        data = {
            "schema": "consent-takedown/1.1",
            "target": target,
            "reason": reason,
            "effect": str(RevocationEffect.STOP_DISTRIBUTION),
            "effective_at": iso(since or entry.recorded_at),
            "certificates": sorted(r.certificate_sha256 for r in releases if r.certificate_sha256),
            "releases": [
                {"release_id": r.release_id, "title_id": r.title_id, "language": r.language} for r in releases
            ],
        }
        about = f"{target.partition(':')[2]} {organisation}"
        yield Told(message_id("takedown", about), organisation, "takedown", data, now)


def _by_organisation(engine: Engine, releases: Sequence[Release]) -> dict[str, tuple[Release, ...]]:
    """The releases by whose certificates they have."""
    named = sorted({r.certificate_sha256 for r in releases if r.certificate_sha256})
    owners: dict[str, str] = {}
    with looking(engine) as connection:
        for start in range(0, len(named), 500):
            of = CERTIFICATE.c
            query = select(of.certificate_id, of.organisation).where(of.certificate_id.in_(named[start : start + 500]))
            owners |= {row.certificate_id: row.organisation for row in connection.execute(query)}
    found: dict[str, list[Release]] = {}
    for release in releases:
        if (owner := owners.get(release.certificate_sha256 or "")) is not None:
            found.setdefault(owner, []).append(release)
    return {owner: tuple(mine) for owner, mine in sorted(found.items())}


def tell_of_revoked_gates(engine: Engine, trust: TrustStore, now: datetime) -> int:
    """Tell of every certificate that a revoked gate signed and whose release window is not over; how many are new."""
    revoked = [g.key.keyid for g in trust.gates if g.validity.revoked_at is not None and g.validity.revoked_at <= now]
    if not revoked:
        return 0
    query = select(CERTIFICATE.c.organisation, CERTIFICATE.c.keyid, CERTIFICATE.c.facts)
    query = query.where(CERTIFICATE.c.keyid.in_(revoked), CERTIFICATE.c.result == PASSED)
    with looking(engine) as connection:
        rows = connection.execute(query).all()
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        facts = json.loads(row.facts)
        if facts["window_end"] is None or facts["window_end"] > iso(now):
            found.setdefault((row.organisation, row.keyid), []).append(facts)
    with changing(engine) as connection:
        return sum(_tell_revoked(connection, org, keyid, facts, now) for (org, keyid), facts in sorted(found.items()))


def _tell_revoked(
    connection: Connection, organisation: str, keyid: str, facts: list[dict[str, Any]], now: datetime
) -> int:
    data = {
        "schema": "consent-takedown/1.1",
        "target": f"gate:{keyid}",
        "reason": "the key of the gate that signed was revoked",
        "effect": str(RevocationEffect.STOP_DISTRIBUTION),
        "effective_at": iso(now),
        "certificates": sorted(f["certificate_id"] for f in facts),
        "releases": [{k: f[k] for k in ("release_id", "title_id", "language")} for f in facts],
    }
    return tell(
        connection, Told(message_id("takedown", f"{keyid} {organisation}"), organisation, "takedown", data, now)
    )
