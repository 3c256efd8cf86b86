"""Whether somebody who is not of the vendor's house signed this very production record: a declaration is not evidence."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from consent.vocabulary import Role
from dubgate.approved_parts import plan_sha256
from dubgate.approving import APPROVAL_DAYS, Sounds, bound_to
from dubgate.certificate.dsse import sign, signer_of
from dubgate.certificate.statements import RECORD_CONFIRMATION, digest_id, statement
from dubgate.delivery.manifest import Delivery
from dubgate.errors import InputError
from dubgate.policy.findings import Finding
from dubgate.policy.signed_objects import Circumstances, RecordConfirmation, VerifiedStatement, refused, sorted_out

CONFIRMING = frozenset({Role.PRODUCTION, Role.LOCALIZATION_SUPERVISOR, Role.CREATIVE_LEAD, Role.LEGAL})

Signed = VerifiedStatement[RecordConfirmation]


def record_confirmations(
    delivery: Delivery, confirmations: Iterable[Signed], now: Circumstances
) -> tuple[tuple[Signed, ...], tuple[Finding, ...]]:
    """Those that confirm the record as it stands in the manifest, and a finding for each that does not, with the reason."""
    good, bad = sorted_out(confirmations, now)
    reasons = [(c, _why_not(c, delivery, now)) for c in good]
    counted = tuple(c for c, why in reasons if why is None)
    return counted, (*bad, *(refused(c, why) for c, why in reasons if why is not None))


def _why_not(signed: Signed, delivery: Delivery, now: Circumstances) -> str | None:
    if delivery.production is None or signed.record.record_sha256 != plan_sha256(delivery.production):
        return "it is about another production record than the delivery's"
    if signed.record.role not in CONFIRMING & signed.roles:
        return f"who signed it may not sign as {signed.record.role.replace('_', ' ')}"
    if signed.house in now.vendor_houses:
        return "its signer is of the house that submitted"
    return None


def confirm_record(
    delivery: Delivery, sounds: Sounds, *, role: Role, by: str, key: Any, at: datetime, days: int = APPROVAL_DAYS
) -> bytes:
    """A signed word that the production record, as it stands in the manifest, is true of this sound.

    Raises:
        InputError: the delivery has no production record.
    """
    if delivery.production is None:
        raise InputError("there is no production record to confirm", where=str(delivery.root))
    record = RecordConfirmation(
        confirmation_id=digest_id("rc", sounds.dub.packet_sha256, by, role, at.isoformat()),
        role=role,
        record_sha256=plan_sha256(delivery.production),
        **bound_to(sounds.dub, by, at, days),
    )
    return sign(statement(RECORD_CONFIRMATION, record, (record.packets_sha256,)), signer_of(key))
