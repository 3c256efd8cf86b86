"""Whether the holders approved this release, and what is delivered is what they approved (RH-*). Asks the registry only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from consent.approvals import Approval, ApprovalHistory, Candidate
from consent.quorum import missing_approvals
from consent.releases import ReleaseDecision
from consent.terms import Use
from consent.titles import TitleRecord
from consent.views import View
from consent.vocabulary import ApprovalDecision, Right, Technique
from dubgate.measure.measurement import Scope, Subject
from dubgate.policy.checks import failed, passed
from dubgate.policy.evidence import Signed
from dubgate.policy.findings import Finding

PROGRAMME = Subject(Scope.PROGRAMME)


def approval_findings(
    title: TitleRecord, candidate: Candidate, approvals: Sequence[Signed[Approval]], view: View, at: datetime
) -> tuple[Finding, ...]:
    """Whether everybody who holds the title approved exactly this; RH-*."""
    use = Use(
        title_ids=title.title_ids,
        language=candidate.language,
        territories=candidate.territories,
        channels=candidate.channels,
        window=candidate.window,
        technique=Technique.VOICE_CLONE_TTS,
    )
    rights = view.rights(title, Right.AI_DUB, use, at)
    findings = [failed(d.code, PROGRAMME, d.text.en, d.text.ja, value=d.record_id or "") for d in rights.denials]
    if candidate.submitted_by is None:
        en = "the delivery does not say who submits it, so its approval may be its submitter's own"
        findings.append(failed("RH-002", PROGRAMME, en, "納品者が示されていません"))
    own = [
        s
        for s in approvals
        if not _of_submitter(s.by, candidate, view) and _acts_for(s.by, s.record.for_holder_id, view)
    ]
    findings += [
        failed(
            "RH-002",
            PROGRAMME,
            f"{s.file}: {s.by} does not act for {s.record.for_holder_id}",
            "署名者は権利者を代表していません",
        )
        for s in approvals
        if not _acts_for(s.by, s.record.for_holder_id, view)
    ]
    findings += [
        failed(
            "RH-002",
            PROGRAMME,
            f"{s.file}: who submitted the delivery, or its house, signed its approval",
            "納品者自身が承認しています",
        )
        for s in approvals
        if _of_submitter(s.by, candidate, view)
    ]
    histories = [*(_history(s.record, view) for s in own), *_refused_earlier(title, view, at)]
    missing = missing_approvals(rights.claims, title.title.approvals, histories, candidate, at)
    for m in missing:
        holders = ", ".join(m.claim.holder_ids)
        findings += [
            failed(d.code, PROGRAMME, f"{holders}: {d.text.en}", d.text.ja, value=d.record_id or "") for d in m.denials
        ]
        if not m.denials:
            findings.append(
                failed(
                    "RH-001",
                    PROGRAMME,
                    f"{holders} has not approved this release ({m.kind})",
                    "権利者の承認がありません",
                )
            )
    if rights.claims and not missing and not rights.denials:
        who = ", ".join(sorted({h for c in rights.claims for h in c.holder_ids}))
        findings.append(
            passed(
                "RH-001",
                PROGRAMME,
                f"{who} approved exactly this sound for this release",
                "権利者がこの音声の公開を承認しています",
            )
        )
        findings.append(
            passed("RH-003", PROGRAMME, "what is delivered is what was approved", "納品物は承認されたものと一致します")
        )
    elif not findings:
        findings.append(failed("RH-010", PROGRAMME, "nobody is known to hold this right", "権利者が登録されていません"))
    return tuple(findings)


def _history(approval: Approval, view: View) -> ApprovalHistory:
    """What came of a delivered approval: its events, and how many releases already rest on it."""
    key = f"approval:{approval.approval_id}"
    n_releases = sum(r.decision is ReleaseDecision.RELEASE for r in view.releases(key))
    return ApprovalHistory(approval, approval.signed_at, view.events(key), n_releases)


def _refused_earlier(title: TitleRecord, view: View, at: datetime) -> list[ApprovalHistory]:
    """Refusals that the registry holds: who submits cannot leave them out as it can a file of the delivery."""
    known = view.approvals(title.title_ids)
    return [h for h in known if h.approval.decision is ApprovalDecision.REJECT and h.recorded_at <= at]


def _of_submitter(by: str, candidate: Candidate, view: View) -> bool:
    """Whether a party is the submitter or of its house: nobody approves what their own house submitted."""
    submitter = candidate.submitted_by
    return submitter is not None and house_of(by, view) == house_of(submitter, view)


def _acts_for(by: str, holder: str, view: View) -> bool:
    """Whether a party is the holder or of its house, as the registry shows it."""
    party = view.party(by)
    return party is not None and holder in (party.party_id, party.house_id)


def house_of(party_id: str, view: View) -> str:
    """The organisation that a party acts for, or the party itself."""
    party = view.party(party_id)
    return party_id if party is None else party.house_id
