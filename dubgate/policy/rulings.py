"""Rulings: an operator's counsel raises or lowers what a rule of a pack does when it fails, by signature, for a time.

A ruling is bound to the pack's digest and the rule's id. None touches consent, rights, labels and integrity, nor any
other rule of the program's own pack; those of quality are for waivers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from consent.strict import Id, Line, Record, Sha256, Text, Time
from consent.vocabulary import Role
from dubgate.measure.measurement import Scope, Subject
from dubgate.policy.checks import CHECKS, CHECKS_PACK
from dubgate.policy.findings import Finding, Group, Outcome, Severity
from dubgate.policy.findings import Text as Sentence
from dubgate.policy.pack_schema import RESERVED, ConditionRule, Rule
from dubgate.policy.packs import Pack
from dubgate.policy.rule_findings import FAILED
from dubgate.policy.signed_objects import VerifiedStatement

_ORDER = (Severity.WARN, Severity.HOLD, Severity.BLOCK)
MAY_RULE = Role.LEGAL


class Ruling(Record):
    """Counsel's signed word on one rule of one pack, by the digest of the pack's bytes."""

    schema_name: ClassVar[str] = "ruling/1.0"

    ruling_id: Id
    by: Id
    pack: Line
    pack_sha256: Sha256
    rule: Line
    severity: Annotated[Severity, Field(strict=False)]
    reason: Text
    signed_at: Time
    expires_at: Time

    @property
    def record_id(self) -> str:
        """The ruling's id."""
        return self.ruling_id

    def found_under(self) -> tuple[str, ...]:
        """By ruling, signer and pack."""
        return (f"ruling:{self.ruling_id}", f"party:{self.by}", f"pack:{self.pack_sha256}")

    @model_validator(mode="after")
    def _has_a_term(self) -> Self:
        if self.expires_at <= self.signed_at:
            raise ValueError("it expires before it was signed")
        return self


Signed = VerifiedStatement[Ruling]


@dataclass(frozen=True, slots=True)
class Ruled:
    """Packs as counsel ruled on them, the ruling in force on each changed rule, and findings for those without effect."""

    packs: tuple[Pack, ...]
    in_force: Mapping[tuple[str, str], tuple[Signed, Severity]]  # by pack and rule, with the pack's own severity
    idle: tuple[Finding, ...] = ()


def with_rulings(
    packs: Sequence[Pack], rulings: Iterable[Signed], *, at: datetime, submitters: frozenset[str]
) -> Ruled:
    """The packs with the severities that counsel ruled; where two rulings differ, the stricter one counts, also where it
    only says what the pack says itself.

    Args:
        submitters: the party and house ids of who handed the delivery in; where nobody knows, nothing counts.
    """
    rules = {(p.name, r.id): (p, r) for p in packs for r in p.rules}
    chosen: dict[tuple[str, str], Signed] = {}
    idle: list[Finding] = []
    for signed in sorted(rulings, key=lambda s: (_ORDER.index(s.record.severity), s.record.ruling_id), reverse=True):
        why = _why_not(signed, rules, at, submitters)
        key = (signed.record.pack, signed.record.rule)
        if why is None and chosen.setdefault(key, signed) is not signed:
            why = "a stricter ruling on this rule counts"
        elif why is None and rules[key][1].severity is signed.record.severity:
            why = f"{signed.record.rule} does that already"  # and no milder ruling counts beside it
        if why is not None:
            idle.append(_refused(signed, why))
    chosen = {key: s for key, s in chosen.items() if rules[key][1].severity is not s.record.severity}
    changed = tuple(replace(pack, rules=tuple(_ruled(pack, rule, chosen) for rule in pack.rules)) for pack in packs)
    return Ruled(changed, {key: (s, rules[key][1].severity) for key, s in chosen.items()}, tuple(idle))


def _why_not(
    signed: Signed,
    rules: Mapping[tuple[str, str], tuple[Pack, Rule]],
    at: datetime,
    submitters: frozenset[str],
) -> str | None:
    record = signed.record
    if record.by != signed.party:
        return f"it speaks for {record.by}, and {signed.party} signed it"
    if MAY_RULE not in signed.roles:
        return f"{signed.party} may not sign as {MAY_RULE}"
    if not submitters or signed.house in submitters or signed.party in submitters:
        return f"{signed.party} is of the house that submitted the delivery, or nobody knows who did"
    if not record.signed_at <= at < record.expires_at:
        return f"it is for {record.signed_at.date()} to {record.expires_at.date()}"
    return _not_of(record, rules.get((record.pack, record.rule)))


def _not_of(record: Ruling, found: tuple[Pack, Rule] | None) -> str | None:
    """Why a ruling does not fit the rule that it names."""
    if record.rule in CHECKS or record.rule.startswith(RESERVED) or record.pack == CHECKS_PACK:
        return f"{record.rule} is the program's own, and no ruling touches it"
    if found is None:
        return f"no pack that judges here has a rule {record.pack}/{record.rule}"
    pack, rule = found
    if pack.sha256 != record.pack_sha256:
        return f"it is about other bytes of {record.pack} than these"
    if not isinstance(rule, ConditionRule):
        return f"{record.rule} judges a measurement: a waiver can forgive it"
    return None


def _ruled(pack: Pack, rule: Rule, chosen: Mapping[tuple[str, str], Signed]) -> Rule:
    signed = chosen.get((pack.name, rule.id))
    return rule if signed is None else rule.model_copy(update={"severity": signed.record.severity})


def told_of_rulings(findings: Sequence[Finding], ruled: Ruled) -> tuple[Finding, ...]:
    """The findings, each of a rule that counsel ruled on with the ruling in its words and under `decided_by`."""
    return (*(_told(f, ruled) for f in findings), *ruled.idle)


def _told(finding: Finding, ruled: Ruled) -> Finding:
    found = ruled.in_force.get((finding.pack, finding.rule))
    if found is None or finding.outcome is Outcome.NOT_APPLICABLE:
        return finding
    signed, own = found
    record = signed.record
    until = record.expires_at.date().isoformat()
    en = f"Counsel ({signed.party}) ruled that this does {record.severity}, not {own}, until {until}: {record.reason}"
    ja = f"法務（{signed.party}）が{until}まで{own}ではなく{record.severity}と判断: {record.reason}"
    failed = finding.outcome is FAILED[record.severity]
    return replace(
        finding,
        text=Sentence(f"{finding.text.en} {en}", f"{finding.text.ja} {ja}"),
        was=FAILED[own] if failed else finding.was,
        decided_by=(*finding.decided_by, f"ruling {record.ruling_id} by {signed.party}"),
    )


def _refused(signed: Signed, why: str) -> Finding:
    record = signed.record
    return Finding(
        rule="SIG-RULING",
        pack=CHECKS_PACK,
        group=Group.RECORD,
        subject=Subject(Scope.PROGRAMME),
        outcome=Outcome.NOT_APPLICABLE,
        text=Sentence(
            f"The ruling {record.ruling_id} by {signed.party} does not count: {why}.",
            f"{signed.party}による判断{record.ruling_id}は無効です（{why}）。",
        ),
        value=record.ruling_id,
    )
