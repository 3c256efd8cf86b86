"""Writing: a record is checked, appended and, where it ends a permission, followed by what that erases."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from consent.admission import admit
from consent.approvals import Approval, Candidate, approval_denials
from consent.certifications import Adoption
from consent.denials import Denial, Sentence
from consent.entries import Entry
from consent.errors import RecordError, SignatureError
from consent.events import TERMINAL, Event
from consent.lookup import signed_with
from consent.parties import KeyHolder, Party, Personal
from consent.releases import Planned, RefusedError, Release
from consent.rights import refusal_denial
from consent.signatures import SIGNED_KINDS, check_envelope, require_one_authenticator, stands_unsigned
from consent.store import Sealable, Store
from consent.strict import Record, canonical_json
from consent.terms import Grant, Use
from consent.uses import UseNotice
from consent.views import View, packed
from consent.vocabulary import EventKind, PermissionKind, Role
from consent.voices import Enrolment, Permission, Voice

_OF_ANOTHER_TITLE = Denial(
    "RH-001", "title_id", Sentence("an approval is for another title", "承認は別の作品に対するものです")
)
_ERASED_AT_ONCE = 40  # entries that one event names, so that its line stays short


@dataclass(frozen=True, slots=True)
class Addition:
    """A record to append, and what is sealed beside it: a name and contact, or an enrolment's vector.

    `envelope` is the DSSE envelope in which its author signed it, kept as it came.
    """

    record: Record
    personal: Personal | None = None
    vector: Sequence[float] | None = None
    envelope: str | None = None


class Writer(View):
    """A view that is alone in writing until its transaction ends."""

    def __init__(self, store: Store, now: datetime, *, signatures_required: bool = False) -> None:
        super().__init__(store, now)
        self._signatures_required = signatures_required
        self.erased = False  # whether something was, which its database may still hold in some corner

    def add(self, addition: Addition) -> Entry:
        """Check a record and append it.

        Raises:
            RecordError: it may not enter; the whole transaction is undone.
        """
        record = addition.record
        admit(self, record)
        if addition.envelope is not None:
            holder = check_envelope(self, record, addition.envelope)
            require_one_authenticator(self._signed_by(holder), addition.envelope, holder)
        elif isinstance(record, Adoption) or (
            self._signatures_required and isinstance(record, SIGNED_KINDS) and not self._needs_none(record)
        ):
            raise SignatureError("this registry wants its author's signature", where=record.record_id)
        entry = self.store.append(record, self.now, sealable=_sealable(addition), envelope=addition.envelope)
        if isinstance(record, Event) and record.target == "permission" and record.kind in TERMINAL:
            self._forget_unpermitted(record)
        return entry

    def foresee(self, records: Sequence[Record]) -> None:
        """Read what admitting these records will ask for, in a few questions instead of many for each record."""
        events = [r for r in records if isinstance(r, Event)]
        if len(events) < 2:
            return
        self.store.named(Event, *(e.event_id for e in events))
        targets = [e.found_under()[0] for e in events]
        self._all(targets, Event)
        self._all([f"party:{e.by}" for e in events], Party)
        grants = self._all([t for t in targets if t.startswith("grant:")], Grant)
        self._all([f"voice:{g.voice_id}" for _, g in grants], Voice)

    def _signed_by(self, holder: KeyHolder) -> Iterator[str]:
        """The envelopes that a passkey's owner signed before."""
        if holder.key.passkey is not None:
            yield from signed_with(self, holder.key, holder.party.house_id)

    def _needs_none(self, record: Record) -> bool:
        """An operator's own events (expiry, spending) are the registry's, and what opens nothing needs no key at hand."""
        if stands_unsigned(record):
            return True
        author = self.party(record.by) if isinstance(record, Event) else None
        return author is not None and Role.OPERATOR in author.roles

    def release(self, release: Release, planned: Sequence[Planned], candidate: Candidate | None = None) -> Entry:
        """Record a release if every consent that it rests on stands now; metered uses are spent with it.

        The holder of a standing approval that it names is told of this use, which spends one of the approval's number.

        Args:
            planned: each voice that needs a grant, with its use.
            candidate: what the approvals named by the release must cover now; a standing one wants it.

        Raises:
            RefusedError: with every reason; nothing was recorded.
            RecordError: a standing approval without a candidate.
        """
        asked = [self.clear(p.voice_id, p.use, self.now) for p in planned]
        denials = [d for clearance in asked for d in clearance.denials]
        denials += [d for p in planned for d in self._refused(p)]
        denials += self._unapproved(release, candidate)
        if denials:
            raise RefusedError("the registry refuses this release", denials, where=f"release {release.release_id}")
        named = {(v.voice_id, v.grant_id) for v in release.voices}
        entry = self.add(Addition(release))
        if candidate is not None:
            for approval_id in self._standing(release):
                self.notice_use(approval_id, candidate, release.recorded_by)
        for use, clearance in zip(planned, asked, strict=True):
            chosen = [g for g in clearance.grants if (use.voice_id, g.grant_id) in named]
            if not chosen:
                raise RecordError("a planned voice is cleared by none of the grants that the release names")
            self._spend(chosen[0], use.use, release)
        return entry

    def _refused(self, planned: Planned) -> list[Denial]:
        found = self.refusals(planned.use, self.now, voice_id=planned.voice_id)
        return [refusal_denial(r) for r in found]

    def _unapproved(self, release: Release, candidate: Candidate | None) -> list[Denial]:
        if candidate is None:
            if standing := self._standing(release):
                raise RecordError(f"a release under the standing approval {standing[0]} says what is delivered")
            return []
        if candidate.packets_sha256 != release.packets_sha256:
            raise RecordError("what is said to be delivered is not the sound of the release")
        known = {h.approval.approval_id: h for h in self.approvals(candidate.title_ids)}
        named = [known[a] for a in release.approval_ids if a in known]
        denials = [d for history in named for d in approval_denials(history, candidate, self.now)]
        return [*denials, *(_OF_ANOTHER_TITLE for a in release.approval_ids if a not in known)]

    def _standing(self, release: Release) -> list[str]:
        """The standing approvals that a release names."""
        found = ((a, self.record(f"approval:{a}", Approval)) for a in release.approval_ids)
        return [a for a, approval in found if approval is not None and approval.standing is not None]

    def notice_use(self, approval_id: str, candidate: Candidate, by: str) -> UseNotice:
        """Tell the holder of a standing approval of this use of it, once; spends one of its number.

        Raises:
            RecordError: no such standing approval, or its number is used up.
        """
        approval = self.record(f"approval:{approval_id}", Approval)
        if approval is None or approval.standing is None:
            raise RecordError(f"{approval_id!r} is no standing approval of this registry")
        told = (u.notice for u in self.uses(approval_id) if u.notice.tells_of(candidate))
        if (notice := next(told, None)) is not None:
            return notice
        notice = UseNotice(
            notice_id=f"un-{uuid.uuid4().hex}",
            approval_id=approval_id,
            to=approval.for_holder_id,
            by=by,
            title_id=candidate.title_ids[0],
            language=candidate.language,
            territories=candidate.territories,
            territories_excluded=candidate.territories_excluded,
            channels=candidate.channels,
            window=candidate.window,
            packets_sha256=candidate.packets_sha256,
            object_until=self.now + timedelta(hours=approval.standing.objection_hours),
        )
        self.add(Addition(notice))
        return notice

    def _spend(self, grant: Grant, use: Use, release: Release) -> None:
        if grant.max_uses is None and grant.max_minutes is None:
            return
        self.add(
            Addition(
                Event(
                    event_id=uuid.uuid4().hex,
                    target="grant",
                    target_id=grant.grant_id,
                    kind=EventKind.USE_SPENT,
                    effective_at=self.now,
                    by=release.recorded_by,
                    ref=release.release_id,
                    uses=use.uses,
                    minutes=use.minutes or 0.0,
                )
            )
        )

    def _forget_unpermitted(self, event: Event) -> None:
        """A template goes when nothing permits that it is kept; the grant stays."""
        permission = self.record(f"permission:{event.target_id}", Permission)
        if permission is not None:
            self.forget_unpermitted(permission.voice_id, event.by)

    def forget_unpermitted(self, voice_id: str, by: str) -> bool:
        """Erase a voice's templates unless `keep`, and `match` or `protect`, stand now; whether any were erased."""
        kinds = self.permissions(voice_id, self.now)
        if PermissionKind.KEEP in kinds and kinds & {PermissionKind.MATCH, PermissionKind.PROTECT}:
            return False
        return self.erase(f"voice:{voice_id}", by, "no permission to keep a template stands")

    def erase(self, holder: str, by: str, reason: str) -> bool:
        """Destroy the key and sealed contents of `party:…` or `voice:…`, and record which entries lost theirs."""
        gone = self.store.erase(holder)
        if not gone:
            return False
        self.erased = True
        for start in range(0, len(gone), _ERASED_AT_ONCE):
            self._record_erasure(holder, by, reason, gone[start : start + _ERASED_AT_ONCE])
        return True

    def _record_erasure(self, holder: str, by: str, reason: str, gone: Sequence[int]) -> None:
        target, _, target_id = holder.partition(":")
        event = Event.model_validate(
            {
                "event_id": uuid.uuid4().hex,
                "target": target,
                "target_id": target_id,
                "kind": EventKind.ERASED,
                "effective_at": self.now,
                "by": by,
                "reason": reason,
                "ref": ",".join(map(str, gone)),
            }
        )
        self.store.append(event, self.now)


def _sealable(addition: Addition) -> Sealable | None:
    record = addition.record
    if isinstance(record, Enrolment):
        if addition.vector is None or len(addition.vector) != record.dimension:
            raise RecordError(
                "an enrolment comes with a vector of its dimension", where=f"enrolment {record.enrolment_id}"
            )
        return Sealable(f"voice:{record.voice_id}", packed(addition.vector))
    if addition.vector is not None:
        raise RecordError("only an enrolment carries a vector", where=record.record_id)
    if addition.personal is None:
        return None
    if not isinstance(record, Party | Voice):
        raise RecordError("only parties and voices have names", where=record.record_id)
    holder = f"voice:{record.voice_id}" if isinstance(record, Voice) else f"party:{record.party_id}"
    return Sealable(holder, canonical_json(addition.personal))
