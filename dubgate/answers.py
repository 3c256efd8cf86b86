"""What registered people decided about a delivery, as signed objects that came with it: answers by ear, waivers, sign-offs.

Each is bound to the sound, counted and shown; none touches consent, rights, labels or a measured fail where it may not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from consent.approvals import Candidate
from consent.strict import Record
from consent.views import View
from consent.vocabulary import Role
from dubgate.certificate.dsse import Opened
from dubgate.certificate.statements import (
    ATTESTATION,
    RECORD_CONFIRMATION,
    RULING,
    SIGN_OFF,
    WAIVER,
    WRITTEN_APPROVAL,
    record_of,
)
from dubgate.delivery.manifest import Delivery
from dubgate.policy.attestations import apply_attestations, attestable_rules
from dubgate.policy.evidence import Kind, Signed, open_all
from dubgate.policy.findings import Finding
from dubgate.policy.packs import Pack
from dubgate.policy.partner_approvals import partners_who_approved
from dubgate.policy.rulings import Ruled, Ruling, with_rulings
from dubgate.policy.signed_objects import (
    Attestation,
    Circumstances,
    RecordConfirmation,
    SignOff,
    VerifiedStatement,
    Waiver,
    WrittenApproval,
)
from dubgate.policy.signoffs import sign_off_findings
from dubgate.policy.waivers import apply_waivers
from dubgate.unmeasured import Unmeasured

S = TypeVar("S", bound=Record)


def _attestation(opened: Opened, name: str) -> Attestation:
    return record_of(opened, Attestation, "packets_sha256", name)


def _waiver(opened: Opened, name: str) -> Waiver:
    return record_of(opened, Waiver, "packets_sha256", name)


def _sign_off(opened: Opened, name: str) -> SignOff:
    return record_of(opened, SignOff, "packets_sha256", name)


def _record_confirmation(opened: Opened, name: str) -> RecordConfirmation:
    return record_of(opened, RecordConfirmation, "packets_sha256", name)


def _written(opened: Opened, name: str) -> WrittenApproval:
    return record_of(opened, WrittenApproval, "packets_sha256", name)


def _ruling(opened: Opened, name: str) -> Ruling:
    return record_of(opened, Ruling, "pack_sha256", name)


# Any role may sign; which of them count for what is policy's to say.
ATTESTATIONS: Kind[Attestation] = Kind(ATTESTATION, _attestation, tuple(Role))
WAIVERS: Kind[Waiver] = Kind(WAIVER, _waiver, tuple(Role))
SIGN_OFFS: Kind[SignOff] = Kind(SIGN_OFF, _sign_off, tuple(Role))
CONFIRMATIONS: Kind[RecordConfirmation] = Kind(RECORD_CONFIRMATION, _record_confirmation, tuple(Role))
WRITTEN: Kind[WrittenApproval] = Kind(WRITTEN_APPROVAL, _written, tuple(Role))
RULINGS: Kind[Ruling] = Kind(RULING, _ruling, tuple(Role))


def with_answers(
    findings: Sequence[Finding],
    evidence: Mapping[str, tuple[Path, ...]],
    packs: Sequence[Pack],
    now: Circumstances,
    view: View,
) -> tuple[Finding, ...]:
    """The findings after everything that people signed, in the order attestations, waivers, sign-offs."""
    attested, bad_attested = verified(ATTESTATIONS, evidence, view, now.at)
    waived, bad_waived = verified(WAIVERS, evidence, view, now.at)
    agreed, bad_agreed = verified(SIGN_OFFS, evidence, view, now.at)
    hit = {f.voice_id for f in findings if f.voice_id is not None}
    now = replace(now, owners_of={voice_id: view.spokespeople(voice_id) for voice_id in hit})
    answered = apply_waivers(apply_attestations(findings, attested, now), waived, now)
    return (*answered, *sign_off_findings(packs, agreed, now), *bad_attested, *bad_waived, *bad_agreed)


def partner_approvals(
    evidence: Mapping[str, tuple[Path, ...]], now: Circumstances, view: View
) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
    """The partners whose written approval of this sound stands, with findings for what has no effect."""
    written, bad = verified(WRITTEN, evidence, view, now.at)
    partners, idle = partners_who_approved(written, now)
    return partners, (*bad, *idle)


def ruled_packs(
    packs: Sequence[Pack],
    evidence: Mapping[str, tuple[Path, ...]],
    delivery: Delivery,
    view: View,
    at: datetime,
) -> tuple[Ruled, tuple[Finding, ...]]:
    """The packs as counsel ruled on them, with findings for the rulings that do not verify."""
    rulings, bad = verified(RULINGS, evidence, view, at)
    submitter = delivery.submitter
    houses = frozenset((submitter, view.house_of(submitter))) if submitter is not None else frozenset()
    return with_rulings(packs, rulings, at=at, submitters=houses), bad


def verified(
    kind: Kind[S], evidence: Mapping[str, tuple[Path, ...]], view: View, at: datetime
) -> tuple[list[VerifiedStatement[S]], tuple[Finding, ...]]:
    """What people signed of one kind and verifies, and a finding for each file that does not."""
    opened, bad = open_all(kind, evidence.get(kind.predicate_type, ()), view, at)
    return [_statement(signed, view) for signed in opened], bad


def _statement(signed: Signed[S], view: View) -> VerifiedStatement[S]:
    return VerifiedStatement(signed.record, signed.by, view.house_of(signed.by), signed.roles, signed.key_id)


def circumstances_of(
    delivery: Delivery, candidate: Candidate, packs: Sequence[Pack], duration_s: float, view: View, at: datetime
) -> Circumstances:
    """What signed objects are held against; the submitter's house is taken for the vendor's."""
    submitter = delivery.submitter
    houses = frozenset((submitter, view.house_of(submitter))) if submitter is not None else frozenset()
    return Circumstances(
        at=at,
        packets_sha256=candidate.packets_sha256,
        pcm_sha256=Unmeasured("not a lossless codec") if candidate.pcm_sha256 is None else candidate.pcm_sha256,
        submitters=houses,
        vendor_houses=houses,
        duration_s=duration_s,
        attestable=attestable_rules(packs),
        speak_for={entry.name: tuple(view.spokespeople(v) for v in entry.voice_ids) for entry in delivery.cast},
    )
