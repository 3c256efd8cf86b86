"""Waivers: a failed quality rule is forgiven by name, with a reason and an expiry; never consent, rights or labels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from consent.vocabulary import Role
from dubgate.policy.checks import CHECKS
from dubgate.policy.findings import Finding, Group, Outcome, Text
from dubgate.policy.pack_schema import RESERVED
from dubgate.policy.signed_objects import Circumstances, VerifiedStatement, Waiver, WaiverReason, refused, sorted_out

MAY_WAIVE = frozenset({Role.LOCALIZATION_SUPERVISOR, Role.CREATIVE_LEAD, Role.PRODUCTION})

_REASONS_JA = {
    WaiverReason.CREATIVE_INTENT: "演出意図",
    WaiverReason.BEST_POSSIBLE: "これ以上は不可能",
    WaiverReason.FALSE_ALARM: "誤検出",
}

Signed = VerifiedStatement[Waiver]


def is_waivable(finding: Finding) -> bool:
    """Whether a waiver can touch this: a failed rule of quality that no part of the program reserves."""
    failed = finding.outcome in (Outcome.HOLD, Outcome.BLOCK)
    reserved = finding.rule in CHECKS or finding.rule.startswith(RESERVED)
    return failed and finding.group is Group.QUALITY and not reserved


def apply_waivers(findings: Sequence[Finding], waivers: Iterable[Signed], now: Circumstances) -> tuple[Finding, ...]:
    """The findings, each failed one WAIVED where enough approvers forgive it, and one more for each waiver of no effect.

    One approver forgives what holds; what blocks takes two different people with two different keys. An approver holds a
    role in MAY_WAIVE and is not of the submitter's house.
    """
    good, bad = sorted_out(waivers, now)
    counted = [w for w in good if _why_not(w, now) is None]
    bad += [refused(w, why) for w in good if (why := _why_not(w, now)) is not None]
    used: set[str] = set()
    out = [_forgiven(f, counted, used) for f in findings]
    idle = [w for w in counted if w.record.record_id not in used]
    return (*out, *bad, *(refused(w, "it forgives nothing that failed, or too few approvers signed") for w in idle))


def _why_not(waiver: Signed, now: Circumstances) -> str | None:
    if waiver.house in now.submitters | now.vendor_houses:
        return f"{waiver.party} is of the house that submitted the delivery"
    if not waiver.roles & MAY_WAIVE:
        return f"{waiver.party} may sign none of: {', '.join(sorted(MAY_WAIVE))}"
    return None


def _forgiven(finding: Finding, waivers: Sequence[Signed], used: set[str]) -> Finding:
    if not is_waivable(finding):
        return finding
    mine = [
        w for w in waivers if w.record.rule == finding.rule and any(a.is_about(finding.subject) for a in w.record.about)
    ]
    needed = 2 if finding.outcome is Outcome.BLOCK else 1
    if min(len({w.party for w in mine}), len({w.key_id for w in mine})) < needed:
        return finding
    used |= {w.record.record_id for w in mine}
    en, ja = ("; ".join(_told(w, lang) for w in mine) for lang in ("en", "ja"))
    text = Text(f"{finding.text.en} Waived: {en}.", f"{finding.text.ja} 免除: {ja}。")
    by = tuple(f"waiver {w.record.record_id} by {w.party}" for w in mine)
    return replace(finding, outcome=Outcome.WAIVED, text=text, was=finding.outcome, decided_by=by)


def _told(waiver: Signed, lang: str) -> str:
    record, until = waiver.record, waiver.record.expires_at.date().isoformat()
    words = record.words.rstrip(".。 ")
    if lang == "ja":
        return f"{_REASONS_JA[record.reason]}（{waiver.party}、{until}まで）: {words}"
    return f"{record.reason} ({waiver.party}, until {until}): {words}"
