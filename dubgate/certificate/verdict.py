"""The verdict as an in-toto Statement: a SLSA Verification Summary v1 whose extension carries the claim.

References: slsa.dev/verification_summary/v1; in-toto attestation framework v1, whose extension fields are named by URI.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from consent.dsse import STATEMENT_TYPE
from dubgate.certificate.claim import FAILED, LEVELS, PASSED, Claim, PackUsed, claim_data, read_claim
from dubgate.certificate.opening import Statement
from dubgate.certificate.refusals import Malformed
from dubgate.certificate.strict_fields import Fields, iso

VERDICT = "https://slsa.dev/verification_summary/v1"
EXTENSION = "urn:dubgate:release-verdict:1.0"
TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"
POLICY = "urn:dubgate:rule-packs"
NOT_OF_THE_ID = ("ledger", "annex_sha256")  # known only after the certificate's id stands in the ledger


@dataclass(frozen=True, slots=True)
class Verdict:
    """A verdict as signed: by which verifier, when, over which file, with what result and level; and its claim."""

    verifier: str
    version: str
    verified_at: datetime
    file_sha256: str
    result: str  # PASSED or FAILED
    level: str  # one of LEVELS; FAILED where it did not pass
    measurements_sha256: str
    claim: Claim


def packs_sha256(packs: Sequence[PackUsed]) -> str:
    """One digest for the rule packs that judged, over their canonical JSON in order of names."""
    import rfc8785

    listed = sorted([p.name, p.version, p.sha256] for p in packs)
    return hashlib.sha256(rfc8785.dumps(listed)).hexdigest()


def verdict_statement(verdict: Verdict) -> dict[str, Any]:
    """The statement to sign."""
    claim = verdict.claim
    inputs = [(TEST_RESULT, verdict.measurements_sha256), *((s.kind, s.sha256) for s in claim.signed)]
    return {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": "dub", "digest": {"sha256": verdict.file_sha256}}],
        "predicateType": VERDICT,
        "predicate": {
            "verifier": {"id": verdict.verifier, "version": {"dubgate": verdict.version}},
            "timeVerified": iso(verdict.verified_at),
            "resourceUri": resource_uri(claim),
            "policy": {"uri": POLICY, "digest": {"sha256": packs_sha256(claim.packs)}},
            "inputAttestations": [{"uri": uri, "digest": {"sha256": sha256}} for uri, sha256 in inputs],
            "verificationResult": verdict.result,
            "verifiedLevels": [verdict.level],
            EXTENSION: claim_data(claim),
        },
    }


def resource_uri(claim: Claim) -> str:
    """The title that was judged, as the registry names it."""
    return f"urn:dubgate:title:{claim.title_id or 'unknown'}"


def certificate_id(statement: dict[str, Any]) -> str:
    """What the ledger names the certificate by: SHA-256 of the statement's canonical JSON without its ledger part."""
    import rfc8785

    predicate = statement["predicate"]
    claim = {k: v for k, v in predicate[EXTENSION].items() if k not in NOT_OF_THE_ID}
    return hashlib.sha256(rfc8785.dumps({**statement, "predicate": {**predicate, EXTENSION: claim}})).hexdigest()


def read_verdict(statement: Statement, name: str) -> Verdict:
    """The verdict of a statement whose signature was verified.

    Raises:
        Malformed: a field is missing, unknown, of another type, or contradicts another.
    """
    fields = Fields(statement.predicate, name)
    verifier, version = _verifier(fields.inner("verifier"))
    at, result, levels = fields.time("timeVerified"), fields.text("verificationResult"), fields.texts("verifiedLevels")
    inputs = fields.each("inputAttestations", _input)
    policy, resource = _input(fields.take("policy"), f"{name}: policy"), fields.text("resourceUri")
    claim = read_claim(fields.take(EXTENSION), f"{name}: {EXTENSION}")
    fields.done()
    if len(statement.subjects) != 1 or len(levels) != 1 or not inputs:
        raise Malformed("a verdict has one subject, one level and its inputs", where=name)
    verdict = Verdict(verifier, version, at, statement.subjects[0], result, levels[0], inputs[0][1], claim)
    if (policy, resource) != ((POLICY, packs_sha256(claim.packs)), resource_uri(claim)):
        raise Malformed("its policy or resource is not that of its claim", where=name)
    if inputs != ((TEST_RESULT, verdict.measurements_sha256), *((s.kind, s.sha256) for s in claim.signed)):
        raise Malformed("its inputs are not those of its claim", where=name)
    _agreeing(verdict, name)
    return verdict


def _agreeing(verdict: Verdict, name: str) -> None:
    """Result, level and decision say the same, and what passed says for what, under which ledger."""
    claim, passed = verdict.claim, verdict.result == PASSED
    if verdict.result not in (PASSED, FAILED) or verdict.level not in (LEVELS if passed else (FAILED,)):
        raise Malformed("its result and level do not go together", where=name)
    if passed != (claim.decision == "release") or claim.decision not in ("release", "hold", "block"):
        raise Malformed("its result and decision do not go together", where=name)
    if passed and None in (claim.scope, claim.ledger, claim.title_id, claim.packets_sha256, claim.annex_sha256):
        raise Malformed("it passed and does not say for what, or under which ledger", where=name)
    if passed and (claim.reasons or not claim.packs):
        raise Malformed("it passed with reasons against it, or without a rule pack", where=name)


def _verifier(fields: Fields) -> tuple[str, str]:
    name, versions = fields.text("id"), fields.inner("version")
    fields.done()
    version = versions.text("dubgate")
    versions.done()
    return name, version


def _input(data: Any, name: str) -> tuple[str, str]:
    fields = Fields(data, name)
    uri, digest = fields.text("uri"), fields.inner("digest")
    fields.done()
    sha256 = digest.sha256("sha256")
    digest.done()
    return uri, sha256
