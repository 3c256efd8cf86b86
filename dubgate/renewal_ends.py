"""What a certificate rests on and when each part of it ends: how long it can be renewed, and what to warn of before."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from consent.approvals import Approval
from consent.releases import Release
from consent.terms import Grant
from consent.views import View
from dubgate.certificate.refusals import AlteredAnnex, ConsentEnded
from dubgate.standing import what_ended

WARN_AHEAD = timedelta(hours=72)


@dataclass(frozen=True, slots=True)
class End:
    """A part of what a release rests on, and when it ends."""

    at: datetime
    what: str


@dataclass(frozen=True, slots=True)
class SignedPart:
    """What somebody signed, as the annex has it: its kind, key ids, and its own end where it has one."""

    kind: str
    keyids: tuple[str, ...]
    expires_at: datetime | None


def signed_parts(annex: bytes) -> tuple[SignedPart, ...]:
    """Everything that people signed, from an annex that was checked against its certificate.

    Raises:
        AlteredAnnex: a time in it cannot be read.
    """
    return tuple(_part(item) for item in json.loads(annex)["signed"])


def _part(item: Any) -> SignedPart:
    envelope = item["envelope"]
    predicate = json.loads(base64.b64decode(envelope["payload"]))["predicate"]
    said = predicate.get("expires_at")
    try:
        ends = None if said is None else datetime.fromisoformat(said)
    except (TypeError, ValueError):
        ends = datetime.min
    if ends is not None and ends.tzinfo is None:
        raise AlteredAnnex(f"{str(said)[:60]!r} is no time at which something ends")
    return SignedPart(str(item["kind"]), tuple(str(s["keyid"]) for s in envelope["signatures"]), ends)


def ends_of(release: Release, signed: Sequence[SignedPart], view: View, at: datetime) -> tuple[End, ...]:
    """Every end that is known, in order of time.

    Raises:
        ConsentEnded: a key that signed something it rests on is not valid any more, or what was signed has ended.
    """
    found = sorted((*_of_registry(release, view), *_of_signed(signed, view, at)), key=lambda e: (e.at, e.what))
    if over := [e.what for e in found if e.at <= at]:
        raise ConsentEnded(f"ended: {', '.join(over)}", where=f"release {release.release_id}")
    return tuple(found)


def _of_registry(release: Release, view: View) -> Iterator[End]:
    if release.window.end is not None:
        yield End(release.window.end, "the release window")
    for grant_id in dict.fromkeys(v.grant_id for v in release.voices if v.grant_id):
        grant = view.record(f"grant:{grant_id}", Grant)
        if grant is not None and grant.not_after is not None:
            yield End(grant.not_after, f"the grant {grant_id}")
    for approval_id in release.approval_ids:
        approval = view.record(f"approval:{approval_id}", Approval)
        if approval is not None:
            yield End(approval.expires_at, f"the approval {approval_id}")


def _of_signed(signed: Sequence[SignedPart], view: View, at: datetime) -> Iterator[End]:
    for part in signed:
        name = part.kind.removeprefix("urn:dubgate:").partition(":")[0]
        if part.expires_at is not None:
            yield End(part.expires_at, f"a signed {name}")
        for keyid in part.keyids:
            holder = view.key(keyid, at)
            if holder is None or holder.problem:
                problem = "is not registered" if holder is None else holder.problem
                raise ConsentEnded(f"a signed {name}: {problem if holder else f'its key {keyid[:16]}… {problem}'}")
            yield End(holder.key.not_after, f"the key {holder.key.key_id} behind a signed {name}")


def warnings_of(
    release: Release, signed: Sequence[SignedPart], view: View, at: datetime, ahead: timedelta = WARN_AHEAD
) -> tuple[End, ...]:
    """What will stop a renewal within `ahead`, as far as it is known at `at`: ends, and endings already announced."""
    until = at + ahead
    ends = [e for e in ends_of(release, signed, view, at) if e.at <= until]
    if not ends:
        ends = [End(until, f"announced: {what}") for what in what_ended(release, view, until)]
    return tuple(ends)
