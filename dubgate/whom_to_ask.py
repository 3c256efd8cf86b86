"""Whom to ask: for each open finding the kind of decision that it lacks, and the parties of the registry whose it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from consent.approvals import Approval, Candidate
from consent.parties import Party
from consent.requests import RequestHistory, RequestKind, Wanted
from consent.titles import Claim
from consent.views import View
from consent.vocabulary import Role
from dubgate.clearing import candidate_judged, release_of
from dubgate.delivery.manifest import Delivery
from dubgate.errors import InputError
from dubgate.judgement import Judgement
from dubgate.policy.approval_checks import holders_wanted
from dubgate.policy.evidence import APPROVALS, Signed, evidence_files, open_all
from dubgate.policy.findings import Finding

_OF_VOICE = {
    "CON-030": RequestKind.PERMISSION,
    "CON-034": RequestKind.ENROLMENT,
}
_APPROVING = ("RH-001", "RH-002", "RH-003")
_VOICES = ("performer", "agent", "guardian", "estate", "heir")


@dataclass(frozen=True, slots=True)
class Release:
    """The delivery as something to decide on: what is asked about, and who may be asked."""

    delivery: Delivery
    candidate: Candidate
    at: datetime


def release_to_decide(delivery: Delivery, judgement: Judgement, view: View, at: datetime) -> Release:
    """What people are asked to decide on.

    Raises:
        InputError: the delivery does not say what, where or by whom, so that nobody could answer.
    """
    release, _ = release_of(delivery, view)
    if release is None or release.title is None or delivery.submitter is None:
        what = "nobody can be asked about a delivery without a registered title, a distribution and a submitter"
        raise InputError(what, where=str(delivery.root), remedy="Complete delivery.yaml.")
    return Release(delivery, candidate_judged(judgement, delivery, release), at)


def wanted_by_party(
    view: View, release: Release, findings: Iterable[Finding], before: Sequence[RequestHistory]
) -> tuple[dict[str, list[Wanted]], list[Finding]]:
    """What each party is to be asked, and the findings for which the registry names nobody to ask."""
    asked: dict[str, list[Wanted]] = {}
    nobody: list[Finding] = []
    refused = {h.request.to for h in before if h.refusal(view.now) is not None}
    for finding in findings:
        if finding.who_can_resolve is None or finding.rule == "RH-004":
            continue
        kind, parties = _whom(view, release, finding)
        if kind in (RequestKind.PERMISSION, RequestKind.ENROLMENT) and set(parties) <= refused:
            kind, parties = RequestKind.ATTESTATION, _in_role(view, Role.REVIEWER)  # declined: somebody listens
        parties = tuple(p for p in parties if p != release.candidate.submitted_by and p not in refused)
        if not parties:
            nobody.append(finding)
        for party in parties:
            _add(asked.setdefault(party, []), _wanted(kind, finding))
    return asked, nobody


def _add(wanted: list[Wanted], one: Wanted) -> None:
    if one.key not in {w.key for w in wanted}:
        wanted.append(one)


def _wanted(kind: RequestKind, finding: Finding) -> Wanted:
    scope, name = finding.subject.scope.value, finding.subject.name
    about = f"{scope}:{name}" if name else scope
    if kind is RequestKind.APPROVAL:
        return Wanted(
            what=kind, rule="RH-001", about=about, question="Do you approve exactly this sound for this release?"
        )
    return Wanted(what=kind, rule=finding.rule, about=about, question=f"{finding.why.en}: {finding.text.en}")


def _whom(view: View, release: Release, finding: Finding) -> tuple[RequestKind, tuple[str, ...]]:
    """The kind of decision that a finding lacks, and the parties of the registry whose decision it is."""
    who, submitter = finding.who_can_resolve or "", release.candidate.submitted_by or ""
    if finding.rule in _APPROVING:
        return RequestKind.APPROVAL, _holders(view, release)
    if finding.voice_id is not None:  # somebody's voice was heard who may not have consented: only they can say
        return RequestKind.ATTESTATION, tuple(sorted(view.spokespeople(finding.voice_id)))
    if finding.rule == "RH-013":
        return RequestKind.CLAIM, _confirmers(view, finding.value)
    if who in _VOICES:
        kind = _OF_VOICE.get(finding.rule, RequestKind.GRANT)
        return kind, _speaking_for(view, release.delivery, finding.subject.name)
    if who == "reviewer":
        return RequestKind.ATTESTATION, _in_role(view, Role.REVIEWER)
    if who == "dubbing director":
        directors = _in_role(view, Role.DUBBING_DIRECTOR)
        return RequestKind.STATEMENT, tuple(p for p in directors if _same_house(view, p, submitter))
    if finding.rule.startswith("SGN-"):
        people = _in_role(view, Role(who.replace(" ", "_")))
        return RequestKind.SIGN_OFF, tuple(p for p in people if not _same_house(view, p, submitter))
    return RequestKind.CLAIM, ()


def _holders(view: View, release: Release) -> tuple[str, ...]:
    title = view.title(release.candidate.title_ids[0])
    if title is None:
        return ()
    return holders_wanted(title, release.candidate, approvals_of(view, release), view, release.at)


def approvals_of(view: View, release: Release) -> tuple[Signed[Approval], ...]:
    """The approvals that came with the delivery and verify."""
    evidence, _ = evidence_files(release.delivery)
    return open_all(APPROVALS, evidence.get(APPROVALS.predicate_type, ()), view, release.at)[0]


def _confirmers(view: View, claim_id: str) -> tuple[str, ...]:
    claim = view.record(f"claim:{claim_id}", Claim)
    return tuple(p for p in _in_role(view, Role.OPERATOR) if claim is not None and p != claim.recorded_by)


def _speaking_for(view: View, delivery: Delivery, character: str) -> tuple[str, ...]:
    """The owners and agents of a character's voices, and the guardians and estates that granted for them."""
    entry = delivery.cast_of(character)
    found: dict[str, None] = {}
    for voice_id in entry.voice_ids if entry is not None else ():
        found |= dict.fromkeys(sorted(view.spokespeople(voice_id)))
        found |= dict.fromkeys(h.grant.granted_by for h in view.grants(voice_id))
    return tuple(found)


def _in_role(view: View, role: Role) -> tuple[str, ...]:
    known = (e.record for e in view.store.of_kind(Party))
    return tuple(p.party_id for p in known if isinstance(p, Party) and role in p.roles)


def _same_house(view: View, one: str, other: str) -> bool:
    return view.house_of(one) == view.house_of(other)
