"""Everything that registered people signed over a delivery and that verifies now, with its bytes, key and end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from consent.parties import PartyKey
from consent.strict import Record
from consent.views import View
from dubgate.answers import ATTESTATIONS, CONFIRMATIONS, RULINGS, SIGN_OFFS, WAIVERS, WRITTEN
from dubgate.certificate.annex import SignedCopy
from dubgate.certificate.dsse import SignatureError
from dubgate.delivery.manifest import Delivery
from dubgate.pinned import read_pinned
from dubgate.policy.evidence import APPROVALS, HUMAN, Kind, Signed, evidence_files, open_one
from dubgate.policy.label_sidecars import SIDECARS

KINDS: tuple[Kind[Any], ...] = (
    APPROVALS,
    HUMAN,
    ATTESTATIONS,
    WAIVERS,
    SIGN_OFFS,
    CONFIRMATIONS,
    WRITTEN,
    RULINGS,
    SIDECARS,
)


@dataclass(frozen=True, slots=True)
class SignedFile:
    """A signed object as it came: what was verified, its envelope, and when it and its key end."""

    signed: Signed[Any]
    copy: SignedCopy
    ends_at: tuple[datetime, ...]

    @property
    def record(self) -> Record:
        """What was signed."""
        record: Record = self.signed.record
        return record

    @property
    def payload_sha256(self) -> str:
        """By which the verdict names it."""
        return self.signed.payload_sha256


def signed_files(delivery: Delivery, view: View, at: datetime) -> tuple[SignedFile, ...]:
    """What verifies, in order of kinds and files; what does not is a finding of the judgement and is left out."""
    return tuple(_each(delivery, view, at))


def _each(delivery: Delivery, view: View, at: datetime) -> Iterator[SignedFile]:
    files, _ = evidence_files(delivery)
    for kind in KINDS:
        for path in files.get(kind.predicate_type, ()):
            try:
                signed = open_one(kind, path, view, at)
            except SignatureError:
                continue
            key = view.record(f"key:{signed.key_id}", PartyKey)
            if key is None:
                continue
            copy = SignedCopy(kind.predicate_type, read_pinned(path), signed.by, key.verifier)
            own_end = getattr(signed.record, "expires_at", None)
            ends = (key.not_after, *((own_end,) if own_end is not None else ()))
            yield SignedFile(signed, copy, ends)
