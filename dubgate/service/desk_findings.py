"""Verdicts and findings as the review desk shows them, each finding with the ways in which a person may answer it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from consent.web.protocols import AnswerKind, Finding, Judged
from dubgate.judgement import Judgement
from dubgate.policy.checks import CHECKS
from dubgate.policy.findings import Finding as Found
from dubgate.policy.findings import Outcome
from dubgate.policy.signed_objects import Attestable
from dubgate.policy.waivers import is_waivable

MOST_TOLD = 3
_WAITING = (Outcome.UNKNOWN, Outcome.HOLD)


def judged_of(judgement: Judgement, rules: Mapping[str, Attestable], *, heard_again: bool) -> Judged:
    """A verdict as the desk shows it."""
    verdict = judgement.verdict
    decisions: dict[int, str] = {0: "release", 1: "hold", 2: "block"}
    findings = tuple(_finding(f, rules) for f in verdict.findings)
    decision = decisions[int(verdict.decision)]
    return Judged(decision, judgement.judged_at, findings, heard_again)  # type: ignore[arg-type]


def _finding(f: Found, rules: Mapping[str, Attestable]) -> Finding:
    return Finding(
        key=key_of(f),
        rule=f.rule,
        group=str(f.group),
        outcome=f.outcome.name.lower(),  # type: ignore[arg-type]
        en=f.text.en,
        ja=f.text.ja,
        scope=f.subject.scope.value,
        name=f.subject.name,
        value=f.value,
        value_ja=f.measured.ja,
        bound=f.bound,
        bound_ja=f.wanted.ja,
        why=f.why.en,
        why_ja=f.why.ja,
        remedy=f.remedy.en,
        remedy_ja=f.remedy.ja,
        required=f.rule in CHECKS,
        spans=tuple((s.start_s, s.end_s) for s in f.spans[:50]),
        who=f.who_can_resolve or "",
        answers=_answers(f, rules),
        approvers=2 if f.outcome is Outcome.BLOCK else 1,
        voice_id=f.voice_id,
        decided_by=f.decided_by,
    )


def _answers(f: Found, rules: Mapping[str, Attestable]) -> tuple[AnswerKind, ...]:
    hit = f.voice_id is not None and f.outcome in (Outcome.HOLD, Outcome.BLOCK)
    if f.rule in rules and (f.outcome is Outcome.UNKNOWN or hit):
        return ("attest",)
    if is_waivable(f):
        return ("waive",)
    return ("sign_off",) if f.rule.startswith("SGN-") and f.outcome in _WAITING else ()


def key_of(f: Found) -> str:
    """A finding's name that stays when it is judged again: its rule, its subject, and the voice that was hit."""
    said = f"{f.pack} {f.rule} {f.subject.scope.value} {f.subject.name} {f.voice_id or ''}"
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def because_of(judged: Judged | None) -> tuple[tuple[str, str], ...]:
    """What holds or blocks, in a sentence for each rule, the worst first."""
    found: dict[str, tuple[str, str]] = {}
    for outcome in ("block", "hold", "unknown"):
        for f in judged.findings if judged is not None else ():
            if f.outcome == outcome and len(found) < MOST_TOLD:
                found.setdefault(f.rule, (f.en, f.ja))
    return tuple(found.values())


def rules_of(judged: Judged | None, outcome: str) -> tuple[str, ...]:
    """The rules that came to this outcome."""
    return tuple(sorted({f.rule for f in judged.findings if f.outcome == outcome})) if judged is not None else ()
