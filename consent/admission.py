"""What a record must be true to before it enters the history: the things it names exist, and its author may say it.

Each check raises RecordError; a record that passes is appended in the same transaction, so nothing can come between.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from consent import certification_door, ledger, spoken_door
from consent.acts import Act, ReadsDigest
from consent.approvals import Approval
from consent.asking import ASKED, ASKING, admit_answer
from consent.errors import RecordError
from consent.events import ALIVE, OPENING, Event
from consent.gallery import admit_halt
from consent.impartial import require_impartial, require_second_operator
from consent.metering import require_left
from consent.parties import Party, PartyKey
from consent.releases import Release
from consent.strict import Record
from consent.terms import Grant
from consent.titles import Claim, Refusal, Title
from consent.views import View
from consent.vocabulary import ApprovalDecision, Capacity, EventKind, PermissionKind, Quorum, Role
from consent.voices import Enrolment, Permission, SearchHalt, Voice
from consent.who_grants import AUTHORITY_ROLES
from consent.witnessing import Witness

_TARGETS: dict[str, type[Record]] = {
    "grant": Grant,
    "claim": Claim,
    "refusal": Refusal,
    "permission": Permission,
    "enrolment": Enrolment,
    "approval": Approval,
    "key": PartyKey,
    "voice": Voice,
    "party": Party,
    **ASKED,
    "search_halt": SearchHalt,
}
_WORD: dict[type[Record], str] = {kind: word for word, kind in _TARGETS.items()}
_OTHERS: dict[type[Record], str] = {Title: "title", Release: "release", Witness: "witness", Event: "event"}
_WORD |= _OTHERS | spoken_door.NAMES | certification_door.NAMES | {Act: "act", ReadsDigest: "reads"}
_K = EventKind
_OPERATOR_MAY = frozenset(
    {_K.SUSPENDED, _K.REVOKED, _K.EXPIRED, _K.INVALIDATED, _K.SUPERSEDED, _K.CONTESTED, _K.SETTLED, _K.CONFIRMED}
    | {_K.USE_RESERVED, _K.USE_SPENT, _K.USE_RELEASED, _K.MODEL_DELETED, _K.DIED, _K.ERASED, _K.HEARD}
)


def admit(view: View, record: Record) -> None:
    """Check a record against what the registry holds.

    Raises:
        RecordError: with the record named in `where`.
    """
    where = f"{_WORD[type(record)]} {record.record_id}"
    try:
        _once(view, record)
        _CHECKS[type(record)](view, record)
    except RecordError as error:
        raise RecordError(error.what, where=error.where or where, remedy=error.remedy) from None


def _once(view: View, record: Record) -> None:
    own = f"{_WORD[type(record)]}:{record.record_id}"
    if isinstance(record, Event):
        if view.has_event(record):
            raise RecordError("an event of this id is already recorded")
    elif view.record(own, type(record)) is not None:
        raise RecordError("a record of this id is already there", remedy="Records never change: add a new version.")


def _parties(view: View, ids: Iterable[str | None]) -> None:
    for party_id in ids:
        if party_id is not None and view.party(party_id) is None:
            raise RecordError(f"no party {party_id!r} is registered")


def _titles(view: View, ids: Iterable[str]) -> None:
    for title_id in ids:
        if view.title(title_id) is None:
            raise RecordError(f"no title {title_id!r} is registered")


def _voices(view: View, ids: Iterable[str]) -> None:
    for voice_id in ids:
        if view.record(f"voice:{voice_id}", Voice) is None:
            raise RecordError(f"no voice {voice_id!r} is registered")


def _party(view: View, party: Party) -> None:
    _parties(view, [party.organisation_id])


def _key(view: View, key: PartyKey) -> None:
    _parties(view, [key.party_id])
    party = view.party(key.party_id)
    if party is not None and (lacking := set(key.roles) - set(party.roles)):
        raise RecordError(f"{key.party_id} does not have the role {sorted(lacking)[0]}")
    if view.record(f"public:{key.public}", PartyKey) is not None:
        raise RecordError("this public key is already registered, and a key has one owner")
    if key.passkey is not None and view.record(f"credential:{key.passkey.credential_id}", PartyKey) is not None:
        raise RecordError("this passkey's credential is already registered")


def _title(view: View, title: Title) -> None:
    if title.parent_id is not None:
        _titles(view, [title.parent_id])
    for identifier in title.identifiers:
        if view.title(identifier) is not None:
            raise RecordError(f"another title already has the identifier {identifier}")


def _claim(view: View, claim: Claim) -> None:
    _titles(view, [claim.title_id])
    _parties(view, [*claim.holder_ids, claim.recorded_by, claim.confirmed_by])
    for holder_id in claim.holder_ids:
        party = view.party(holder_id)
        if party is not None and Role.RIGHTS_HOLDER not in party.roles:
            raise RecordError(f"{holder_id} is not a rights holder")
    if claim.confirmed_by is not None:
        require_second_operator(view, claim, claim.confirmed_by)
    if claim.quorum is Quorum.SOME and len(claim.holder_ids) == 1:
        raise RecordError("a single holder needs no quorum of several")


def _refusal(view: View, refusal: Refusal) -> None:
    _parties(view, [refusal.by])
    _titles(view, refusal.title_ids)
    _voices(view, refusal.voice_ids)


def _voice(view: View, voice: Voice) -> None:
    _parties(view, [voice.owner_id, *voice.agent_ids])
    _voices(view, voice.blend_of)


def _permission(view: View, permission: Permission) -> None:
    _parties(view, [permission.given_by])
    _voices(view, [permission.voice_id])
    if permission.given_by not in view.spokespeople(permission.voice_id):
        raise RecordError(f"{permission.given_by} does not speak for the voice {permission.voice_id}")


def _enrolment(view: View, enrolment: Enrolment) -> None:
    _parties(view, [enrolment.supplied_by, enrolment.confirmed_by])
    _voices(view, [enrolment.voice_id])
    if enrolment.confirmed_by is not None and enrolment.confirmed_by not in view.spokespeople(enrolment.voice_id):
        raise RecordError(f"{enrolment.confirmed_by} does not speak for the voice {enrolment.voice_id}")
    kinds = view.permissions(enrolment.voice_id, view.now)
    if PermissionKind.KEEP not in kinds or not kinds & {PermissionKind.MATCH, PermissionKind.PROTECT}:
        raise RecordError(
            f"the voice {enrolment.voice_id} has not permitted that a template is kept for matching or protection",
            remedy="Record the permissions `keep` and `match` (or `protect`) first.",
        )
    standing = view.standing_enrolment(enrolment.voice_id, enrolment.encoder_sha256, view.now)
    if standing is not None and enrolment.supersedes != standing.enrolment_id:
        raise RecordError(
            f"the voice {enrolment.voice_id} already has the enrolment {standing.enrolment_id} for this encoder",
            remedy="A second one names it in `supersedes`.",
        )
    if standing is None and enrolment.supersedes is not None:
        raise RecordError(f"there is no standing enrolment {enrolment.supersedes!r} to supersede")


def _grant(view: View, grant: Grant) -> None:
    minor, estate = grant.minor, grant.estate
    vendors = [a.vendor_id for a in grant.voice_assets]
    named = [minor.guardian_id if minor else None, estate.party_id if estate else None, grant.licensee_id]
    _parties(view, [grant.granted_by, *named, *grant.sublicensee_ids, *vendors])
    _voices(view, [grant.voice_id])
    _titles(view, grant.title_ids)
    _authority(view, grant)
    if grant.supersedes is not None:
        before = view.record(f"grant:{grant.supersedes}", Grant)
        if before is None or before.voice_id != grant.voice_id or before.version + 1 != grant.version:
            raise RecordError(f"{grant.supersedes!r} is not the version before this one")


def _authority(view: View, grant: Grant) -> None:
    """The granting party is who its capacity says."""
    voice = view.record(f"voice:{grant.voice_id}", Voice)
    if grant.capacity is Capacity.SELF:
        if voice is not None and grant.granted_by != voice.owner_id:
            raise RecordError(f"{grant.granted_by} is not the owner of the voice {grant.voice_id}")
        return
    roles, party = AUTHORITY_ROLES[grant.capacity], view.party(grant.granted_by)
    if party is None or not roles & set(party.roles):
        raise RecordError(
            f"{grant.granted_by} grants as {grant.capacity} without the role {' or '.join(sorted(roles))}"
        )
    if grant.capacity is Capacity.AGENT and voice is not None and grant.granted_by not in voice.agent_ids:
        raise RecordError(f"{grant.granted_by} is not an agent of the voice {grant.voice_id}")


def _approval(view: View, approval: Approval) -> None:
    _parties(view, [approval.by, approval.for_holder_id])
    _titles(view, [approval.title_id])
    signer, holder = view.party(approval.by), view.party(approval.for_holder_id)
    if signer is not None and holder is not None and approval.for_holder_id not in (signer.party_id, signer.house_id):
        raise RecordError(f"{approval.by} does not act for {approval.for_holder_id}")
    if signer is not None and Role.RIGHTS_HOLDER not in signer.roles:
        raise RecordError(f"{approval.by} does not have the role {Role.RIGHTS_HOLDER}")
    if approval.decision is not ApprovalDecision.REJECT and approval.expires_at <= view.now:
        raise RecordError("the approval has already expired")


def _release(view: View, release: Release) -> None:
    _parties(view, [release.recorded_by])
    _titles(view, [release.title_id])
    _voices(view, (v.voice_id for v in release.voices))
    for grant_id in (v.grant_id for v in release.voices if v.grant_id):
        if view.record(f"grant:{grant_id}", Grant) is None:
            raise RecordError(f"no grant {grant_id!r} is registered")
    for approval_id in release.approval_ids:
        if view.record(f"approval:{approval_id}", Approval) is None:
            raise RecordError(f"no approval {approval_id!r} is registered")


def _witness(view: View, witness: Witness) -> None:
    _parties(view, [witness.by])
    size = view.store.size()
    if witness.size > size or ledger.root(witness.size, view.store.read_node).hex() != witness.root:
        raise RecordError("what the witness saw is not the beginning of this ledger")


def _act(view: View, act: Act | ReadsDigest) -> None:
    _parties(view, [act.by])


def _event(view: View, event: Event) -> None:
    _parties(view, [event.by])
    kind = _TARGETS.get(event.target)
    record = view.record(f"{event.target}:{event.target_id}", kind) if kind is not None else None
    if record is None:
        raise RecordError(f"no {event.target} {event.target_id!r} is registered")
    _standing_of(view, event, record)
    require_impartial(view, event, record)
    _sensible(view, event, record)
    admit_answer(view, event, record)
    if isinstance(record, Grant) and event.kind in (EventKind.USE_RESERVED, EventKind.USE_SPENT):
        require_left(view, event, record)


def _standing_of(view: View, event: Event, record: Record) -> None:
    """Who may say so: those whom the record concerns; an operator may end, never give."""
    author = view.party(event.by)
    operator = author is not None and Role.OPERATOR in author.roles and event.kind in _OPERATOR_MAY
    union = author is not None and Role.UNION in author.roles and event.kind is EventKind.SUSPENDED
    contests = event.kind is EventKind.CONTESTED and event.target == "claim"
    asked = event.target in ASKED  # who may answer these is asking's to say
    if not (operator or union or contests or asked or event.by in view.concerned(record)):
        raise RecordError(f"{event.by} may not record {event.kind} for {event.target} {event.target_id}")


def _sensible(view: View, event: Event, record: Record) -> None:
    status = view.state(f"{event.target}:{event.target_id}", record, view.now).status(view.now)
    if event.kind is EventKind.RESUMED and (status is None or status.kind is not EventKind.SUSPENDED):
        raise RecordError("only a suspension can be resumed")
    if event.kind is EventKind.SUSPENDED and (status is None or status.kind not in ALIVE):
        raise RecordError("only what stands can be suspended")
    if event.kind in OPENING and event.target != "grant":
        raise RecordError("only a grant is given or renewed; record a new one of the others")
    if event.kind is EventKind.CONFIRMED and isinstance(record, Claim) and event.by == record.recorded_by:
        raise RecordError("a claim is confirmed by somebody other than who recorded it")
    if event.kind is EventKind.WITHDRAWN and isinstance(record, Grant) and not record.revocation.revocable:
        raise RecordError("the grant says that it cannot be withdrawn", remedy="A court or the operator can revoke it.")


_CHECKS: dict[type[Record], Callable[[View, Any], None]] = {
    Party: _party,
    PartyKey: _key,
    Title: _title,
    Claim: _claim,
    Refusal: _refusal,
    Voice: _voice,
    Permission: _permission,
    Enrolment: _enrolment,
    SearchHalt: admit_halt,
    Grant: _grant,
    Approval: _approval,
    Release: _release,
    **ASKING,
    Witness: _witness,
    Event: _event,
    Act: _act,
    ReadsDigest: _act,
    **spoken_door.CHECKS,
    **certification_door.CHECKS,
}
