"""Attestations: registered people answer by ear what could not be measured. A measured fail is never touched. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from consent.vocabulary import Role
from dubgate.certificate.statements import Attestation
from dubgate.policy.checks import CHECKS
from dubgate.policy.findings import Finding, Outcome, Text


@dataclass(frozen=True, slots=True)
class Attested:
    """A verified attestation: in which roles its signer's key may sign, and whether the signer is of the vendor's
    house, or is the submitter."""

    attestation: Attestation
    roles: frozenset[Role]
    of_the_vendor: bool
    speaks_for: frozenset[str] = frozenset()  # voices whose owner or agent the signer is


def apply_attestations(
    findings: Sequence[Finding],
    attested: Sequence[Attested],
    *,
    packets_sha256: str,
    voices_of: dict[str, tuple[str, ...]],
    at: datetime,
) -> tuple[Finding, ...]:
    """Each unknown finding that enough people answered becomes a pass or a fail; every other stays as it is.

    Enough is the performer or agent whose voice it is, or two reviewers of whom one is outside the vendor. An answer
    "no" by anybody who may answer fails the check at once.

    Args:
        voices_of: a character's declared voices.
    """
    valid = [
        a
        for a in attested
        if a.attestation.packets_sha256 == packets_sha256 and a.attestation.signed_at <= at < a.attestation.expires_at
    ]
    return tuple(_answered(f, valid, voices_of) if f.outcome is Outcome.UNKNOWN else f for f in findings)


def _answered(finding: Finding, valid: Sequence[Attested], voices_of: dict[str, tuple[str, ...]]) -> Finding:
    check = CHECKS.get(finding.rule)
    if check is None or not check.attestable_by:
        return finding
    mine = [a for a in valid if a.attestation.rule == finding.rule and a.attestation.subject == finding.subject.name]
    own = set(voices_of.get(finding.subject.name, ()))
    owners = [a for a in mine if own & a.speaks_for and a.roles & {Role.PERFORMER, Role.AGENT}]
    reviewers = [a for a in mine if Role.REVIEWER in a.roles]
    may_answer = [*owners, *reviewers]
    if any(not a.attestation.answer for a in may_answer):
        return _with(finding, CHECKS[finding.rule].failed, "no", may_answer)
    two = len({a.attestation.by for a in reviewers}) >= 2 and any(not a.of_the_vendor for a in reviewers)
    return _with(finding, Outcome.PASS, "yes", may_answer) if owners or two else finding


def _with(finding: Finding, outcome: Outcome, answer: str, by: Sequence[Attested]) -> Finding:
    outcome = Outcome.HOLD if outcome is Outcome.UNKNOWN else outcome
    who = ", ".join(sorted({a.attestation.by for a in by}))
    text = Text(
        f"{finding.text.en} — answered by ear: {answer} ({who})",
        f"{finding.text.ja}（聴取による回答: {answer}、{who}）",
    )
    return replace(finding, outcome=outcome, text=text, who_can_resolve=None)
