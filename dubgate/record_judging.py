"""Looks at the record of one delivery: hashes its files, opens what was signed, and holds it against policy and intake."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from consent.views import View
from dubgate.answers import CONFIRMATIONS, SIGN_OFFS, verified
from dubgate.clearing import Release
from dubgate.company.folder import Company
from dubgate.company.never_ai import POLICIES, policy_findings, standing, violations
from dubgate.delivery.manifest import Delivery
from dubgate.delivery.script import CueSheet
from dubgate.errors import InputError
from dubgate.intake.differing import differences, favourable
from dubgate.intake.file import read_intake
from dubgate.japanese.telling import in_japanese
from dubgate.measure.measurement import Scope, Subject
from dubgate.policy.audience_checks import audience_findings
from dubgate.policy.checks import failed, passed
from dubgate.policy.evidence import open_all
from dubgate.policy.findings import Finding, Group, Outcome, Text
from dubgate.policy.signed_objects import Circumstances, sorted_out
from dubgate.policy.speakers import Declared
from dubgate.record_checks import checked_files, file_findings, missing_on_card, unanswered
from dubgate.record_confirming import record_confirmations
from dubgate.record_facts import Looked
from dubgate.unmeasured import Unmeasured

PROGRAMME = Subject(Scope.PROGRAMME)
Evidence = Mapping[str, tuple[Path, ...]]


def look_at_record(
    delivery: Delivery,
    release: Release,
    declared: Sequence[Declared],
    script: CueSheet | None,
    company: Company,
    evidence: Evidence,
    now: Circumstances,
    view: View,
) -> tuple[Looked, tuple[Finding, ...]]:
    """What the rules of the record are to know, and what the program's own checks say of it."""
    files = checked_files(delivery)
    given, _bad = verified(CONFIRMATIONS, evidence, view, now.at)
    confirmed, idle = record_confirmations(delivery, given, now)
    signed, bad = open_all(POLICIES, (*company.policies, *evidence.get(POLICIES.predicate_type, ())), view, now.at)
    policies = standing(signed, release, view, now.at)
    broken = policy_findings(policies, delivery, script)
    intake, said = _intake(delivery)
    looked = Looked(
        at=now.at,
        files=files,
        register=company.register,
        confirmed=bool(confirmed),
        roles=_roles(evidence, now, view),
        credit_texts=credit_texts(declared),
        policy_given=bool(policies),
        violations=violations(broken),
        intake=intake,
    )
    found = (*audience_findings(release.channels), *file_findings(delivery, files), *broken, *said)
    return looked, (*found, *_bad, *idle, *bad, *_notes(delivery, looked))


def credit_texts(declared: Sequence[Declared]) -> tuple[str, ...]:
    """The wording that the covering grants demand in the credits."""
    grants = (g for d in declared for c in d.clearances for g in c.grants)
    return tuple(dict.fromkeys(g.credit_text for g in grants if g.credit_text))


def _roles(evidence: Evidence, now: Circumstances, view: View) -> tuple[str, ...]:
    """The roles in which somebody outside the vendor's house signed off, and nobody refused."""
    good, _ = sorted_out(verified(SIGN_OFFS, evidence, view, now.at)[0], now)
    counted = [s for s in good if s.record.role in s.roles and s.house not in now.vendor_houses]
    refused = {s.record.role for s in counted if s.record.answer == "refused"}
    return tuple(sorted({str(s.record.role) for s in counted if s.record.role not in refused}))


def _intake(delivery: Delivery) -> tuple[tuple[bool, tuple[str, ...]] | Unmeasured | None, tuple[Finding, ...]]:
    if delivery.intake is None:
        return None, ()
    try:
        intake = read_intake(delivery.intake.path)
    except InputError as error:
        en = f"the intake that the delivery names cannot be read: {error.what}"
        return Unmeasured(en), (failed("INT-007", PROGRAMME, en, f"制作前の申告を読めません（{error.what}）"),)
    differs = differences(delivery, intake)
    if not differs:
        en = "the delivery is what was said before it was made"
        return (favourable(intake), ()), (passed("INT-007", PROGRAMME, en, "納品物は制作前の申告どおりです"),)
    found = tuple(
        failed("INT-007", PROGRAMME, en, f"納品物が制作前の申告と異なります: {in_japanese(en)}") for en in differs
    )
    return (favourable(intake), differs), found


def _notes(delivery: Delivery, looked: Looked) -> Iterator[Finding]:
    """What exactly the rules of the record object to; shown, and without effect of its own."""
    for name in unanswered(delivery, looked.files):
        yield _note(f"{name} says nothing of its own", f"{name}が記入されていません")
    for text in missing_on_card(delivery, looked.credit_texts) if delivery.credits or looked.credit_texts else ():
        yield _note(f"the dub card does not say “{text}”", f"クレジットに「{text}」がありません")
    for tool in delivery.production.tools if delivery.production and looked.register else ():
        entry = looked.register.entry(tool) if looked.register else None
        if entry is None:
            yield _note(f"{tool.name} {tool.version} is not in the register of tools", f"{tool.name}は未登録です")
        elif looked.at.date() >= entry.review_due:
            yield _note(
                f"the review of {tool.name} was due on {entry.review_due}", f"{tool.name}の見直し期限が過ぎています"
            )


def _note(en: str, ja: str) -> Finding:
    return Finding("REC-NOTE", "core", Group.RECORD, PROGRAMME, Outcome.NOT_APPLICABLE, Text(f"{en}.", f"{ja}。"))
