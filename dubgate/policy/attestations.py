"""Attestations: an open question is answered by ear, by who may answer it. A measured result is never touched.

One thing measured is a question all the same: a hit on a voice that did not consent. Its owner's signed "not me", or
two reviewers', lifts it for this sound.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from consent.vocabulary import Role
from dubgate.policy.checks import CHECKS
from dubgate.policy.findings import Finding, Outcome, Text
from dubgate.policy.packs import Pack
from dubgate.policy.rule_findings import FAILED
from dubgate.policy.signed_objects import (
    Attestable,
    Attestation,
    Circumstances,
    VerifiedStatement,
    refused,
    sorted_out,
)
from dubgate.spans import Span, difference, total_s, union

UNHEARD_AT_MOST_S = 0.25  # of what a finding is about: slack for where somebody pressed play
OWNERS = frozenset({Role.PERFORMER, Role.AGENT})
# For somebody who cannot listen any more, or not yet, those answer who stand in for them.
STANDING_IN = OWNERS | {Role.GUARDIAN, Role.ESTATE, Role.HEIR}

Signed = VerifiedStatement[Attestation]


def attestable_rules(packs: Sequence[Pack]) -> Mapping[str, Attestable]:
    """Which rules can be answered by ear, by whom, and what a "no" leads to: the packs' and the program's own."""
    own = {
        check.id: Attestable(frozenset(Role(r) for r in check.attestable_by), max(check.failed, Outcome.HOLD))
        for check in CHECKS.values()
        if check.attestable_by
    }
    of_packs = {
        rule.id: Attestable(frozenset(rule.attestable_by), FAILED[rule.severity])
        for pack in packs
        for rule in pack.rules
        if rule.attestable_by
    }
    return {**of_packs, **own}


def apply_attestations(
    findings: Sequence[Finding], attestations: Iterable[Signed], now: Circumstances
) -> tuple[Finding, ...]:
    """The findings, each UNKNOWN one answered where who may answer did, and one more for each answer of no effect.

    Any "no" decides. A "yes" takes one person in a role that the rule lists; for consent it takes a performer or agent
    who speaks for that voice (of a group, one for each of its voices), or two reviewers of whom one is outside the
    vendor's house.
    """
    good, bad = sorted_out(attestations, now)
    used: set[str] = set()
    out = [_answered(f, good, now, used) for f in findings]
    idle = [a for a in good if a.record.record_id not in used]
    why = "it answers no open question, too few agree, or its signer may not answer this or did not hear all of it"
    return (*out, *bad, *(refused(a, why) for a in idle))


def _answered(finding: Finding, given: Sequence[Signed], now: Circumstances, used: set[str]) -> Finding:
    rule = now.attestable.get(finding.rule)
    if rule is None or not _is_a_question(finding):
        return finding
    mine = [
        a
        for a in given
        if a.record.rule == finding.rule
        and a.record.about.is_about(finding.subject)
        and a.record.voice_id == finding.voice_id
        and a.roles & rule.roles
    ]
    mine = [a for a in mine if _heard_all(a, finding, now)]
    deciding = [a for a in mine if a.record.answer == "fail"] or _enough(mine, finding, now)
    if not deciding:
        return finding
    used |= {a.record.record_id for a in mine}
    said_no = deciding[0].record.answer == "fail"
    return _decided(finding, max(rule.fails, finding.outcome) if said_no else Outcome.PASS, deciding)


def _is_a_question(finding: Finding) -> bool:
    """What is unknown; and a hit on a voice, which only says how alike two voices are."""
    hit = finding.voice_id is not None and finding.outcome in (Outcome.HOLD, Outcome.BLOCK)
    return hit or finding.outcome is Outcome.UNKNOWN


def _enough(mine: Sequence[Signed], finding: Finding, now: Circumstances) -> Sequence[Signed]:
    """Those whose "yes" suffices; nobody, where too few agree."""
    if not finding.rule.startswith("CON-"):
        return mine[:1]
    voices: tuple[frozenset[str], ...]
    if finding.voice_id is not None:
        voices, roles = (now.owners_of.get(finding.voice_id, frozenset()),), STANDING_IN
    else:
        voices, roles = now.speak_for.get(finding.subject.name, ()), OWNERS
    owners = [[a for a in mine if a.party in own and a.roles & roles][:1] for own in voices]
    if owners and all(owners):  # of a group each voice's own: nobody knows which of them is heard where
        return list({a.record.record_id: a for [a] in owners}.values())
    reviewers = [a for a in mine if Role.REVIEWER in a.roles]
    outside = [a for a in reviewers if a.house not in now.vendor_houses | now.submitters]
    enough = min(len({a.party for a in reviewers}), len({a.key_id for a in reviewers})) >= 2 and outside
    return reviewers if enough else []


def _heard_all(attestation: Signed, finding: Finding, now: Circumstances) -> bool:
    """Whether the signer listened to all that the finding is about; to the whole programme, where it names no part."""
    about = union(finding.spans) or (Span(0.0, now.duration_s),)
    heard = [Span(h.start_s, h.end_s) for h in attestation.record.heard]
    return total_s(difference(about, heard)) <= UNHEARD_AT_MOST_S


def _decided(finding: Finding, outcome: Outcome, by: Sequence[Signed]) -> Finding:
    who = ", ".join(dict.fromkeys(a.party for a in by))
    yes = outcome is Outcome.PASS
    en, ja = ("yes" if yes else "no"), ("適正" if yes else "不適")
    if finding.voice_id is not None:
        en, ja = (f"not {finding.voice_id}", "別人の声") if yes else (f"it is {finding.voice_id}", "本人の声")
    text = Text(
        f"{finding.text.en} Answered by ear: {en} ({who}).",
        f"{finding.text.ja} 聴取による回答: {ja}（{who}）。",
    )
    names = tuple(f"attestation {a.record.record_id} by {a.party}" for a in by)
    return replace(finding, outcome=outcome, text=text, was=finding.outcome, decided_by=names, who_can_resolve=None)
