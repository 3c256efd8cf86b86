"""`certificate.json`: the verdict and the measurements as envelopes in one file, and opening them against a trust store.

{"schema": "certificate/1.0", "verdict": <DSSE envelope>, "measurements": <DSSE envelope>}
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dubgate.certificate.ledger_part import CERTIFICATION_RECORD, RELEASE_RECORD, check_ledger
from dubgate.certificate.measured import Measured, read_measured
from dubgate.certificate.opening import Statement, open_statement
from dubgate.certificate.refusals import AlteredMeasurements, Malformed, NotYetValid, Refused, WrongVerifier
from dubgate.certificate.strict_fields import Fields, read_json
from dubgate.certificate.trust import TrustedGate, TrustStore
from dubgate.certificate.verdict import TEST_RESULT, VERDICT, Verdict, read_verdict

SCHEMA = "certificate/1.0"
MAX_BYTES = 4_000_000


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate whose signatures, inputs and ledger proofs hold; what it allows is another question."""

    verdict: Verdict
    measured: Measured
    gate: TrustedGate
    statement: dict[str, Any]


def certificate_bytes(verdict: bytes, measurements: bytes) -> bytes:
    """The file of two envelopes."""
    data = {"schema": SCHEMA, "verdict": json.loads(verdict), "measurements": json.loads(measurements)}
    return json.dumps(data, indent=1).encode() + b"\n"


def open_certificate(data: bytes, trust: TrustStore, now: datetime, name: str) -> Certificate:
    """Verify every signature, digest and proof in a certificate.

    Raises:
        Refused: the first thing that does not hold.
    """
    if len(data) > MAX_BYTES:
        raise Malformed("larger than 4 MB", where=name)
    fields = Fields(read_json(data, name), name, SCHEMA)
    envelope, beside = fields.take("verdict"), fields.take("measurements")
    fields.done()
    keys = {g.key.keyid: g.key for g in trust.gates}
    statement = open_statement(envelope, keys, predicate_type=VERDICT, name=f"{name}: verdict")
    gate = trust.gate(statement.keyid)
    verdict = read_verdict(statement, f"{name}: verdict")
    _check_gate(verdict, gate, now, name)
    measured = _measurements(beside, verdict, gate, f"{name}: measurements")
    if verdict.claim.ledger is not None:
        record = RELEASE_RECORD if verdict.claim.renews is None else CERTIFICATION_RECORD
        check_ledger(verdict.claim.ledger, trust, verdict.verified_at, now, f"{name}: ledger", record)
    return Certificate(verdict, measured, gate, read_json(statement.payload, name))


def _check_gate(verdict: Verdict, gate: TrustedGate, now: datetime, name: str) -> None:
    if verdict.verifier != gate.verifier:
        what = f"it speaks for {verdict.verifier[:100]!r}, and the key that signed is {gate.verifier!r}'s"
        raise WrongVerifier(what, where=name)
    if verdict.verified_at > now:
        at = verdict.verified_at.isoformat()
        raise NotYetValid(f"it is dated {at}, which is still to come", where=name, remedy="Check this machine's clock.")
    gate.validity.require(verdict.verified_at, now, f"{name}: the gate's key")


def _measurements(envelope: Any, verdict: Verdict, gate: TrustedGate, name: str) -> Measured:
    """The very measurements that the verdict names, signed by the same key, of the same file."""
    keys = {gate.key.keyid: gate.key}
    try:
        statement: Statement = open_statement(envelope, keys, predicate_type=TEST_RESULT, name=name)
        measured = read_measured(statement, name)
    except Refused as error:
        raise AlteredMeasurements(f"{error.reason}: {error.what}", where=error.where) from None
    if statement.sha256 != verdict.measurements_sha256 or statement.subjects != (verdict.file_sha256,):
        raise AlteredMeasurements("they are not those that the verdict rests on", where=name)
    if verdict.result == "PASSED" and measured.failed:
        raise AlteredMeasurements("the verdict passed what the measurements fail", where=name)
    return measured
