"""Whether the holders approved this release, and what is delivered is what they approved (RH-*). Asks the registry only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from consent.approvals import Approval, ApprovalHistory, Candidate, same_sound
from consent.denials import Denial
from consent.quorum import Missing, missing_approvals
from consent.releases import ReleaseDecision
from consent.rights import TitleRights
from consent.terms import Use
from consent.titles import Claim, TitleRecord
from consent.views import View
from consent.vocabulary import ApprovalDecision, Quorum, Right, Technique
from dubgate.measure.measurement import Scope, Subject
from dubgate.policy.checks import failed, passed
from dubgate.policy.evidence import Signed
from dubgate.policy.findings import Finding

PROGRAMME = Subject(Scope.PROGRAMME)


def approval_findings(
    title: TitleRecord, candidate: Candidate, approvals: Sequence[Signed[Approval]], view: View, at: datetime
) -> tuple[Finding, ...]:
    """Whether everybody who holds the title approved exactly this; RH-*."""
    rights = rights_of(title, candidate, view, at)
    findings = [_denied(d, "") for d in rights.denials]
    if candidate.submitted_by is None:
        en = "the delivery does not say who submits it, so its approval may be its submitter's own"
        findings.append(failed("RH-002", PROGRAMME, en, "納品者が示されていません"))
    findings += [f for s in approvals for f in _signer(s, rights, candidate, view)]
    histories = at_hand(title, candidate, approvals, view, at)
    missing = missing_approvals(rights.claims, title.title.approvals, histories, candidate, at)
    findings += [f for m in missing for f in _missing(m)]
    if rights.claims and not missing and not rights.denials:
        findings += _approved(rights)
    elif not findings:
        findings.append(failed("RH-010", PROGRAMME, "nobody is known to hold this right", "権利者が登録されていません"))
    return tuple(findings)


def rights_of(title: TitleRecord, candidate: Candidate, view: View, at: datetime) -> TitleRights:
    """Who holds the right to dub the title by machine, where and when it is to be released."""
    use = Use(
        title_ids=title.title_ids,
        language=candidate.language,
        territories=candidate.territories,
        channels=candidate.channels,
        window=candidate.window,
        technique=Technique.VOICE_CLONE_TTS,
    )
    return view.rights(title, Right.AI_DUB, use, at)


def at_hand(
    title: TitleRecord, candidate: Candidate, approvals: Sequence[Signed[Approval]], view: View, at: datetime
) -> tuple[ApprovalHistory, ...]:
    """The approvals that may count: delivered ones by who may sign them, and what the registry itself holds."""
    rights = rights_of(title, candidate, view, at)
    counted = [s for s in approvals if _why_not(s, rights, candidate, view) is None]
    delivered = {s.record.approval_id for s in counted}
    return (
        *(_history(s.record, view) for s in counted),
        *_refused_earlier(title, view, at),
        *(h for h in _held_ones(title, rights, candidate, view, at) if h.approval.approval_id not in delivered),
    )


def holders_wanted(
    title: TitleRecord, candidate: Candidate, approvals: Sequence[Signed[Approval]], view: View, at: datetime
) -> tuple[str, ...]:
    """The holders whose approval is missing, each once: of a claim that only its lead decides, the lead."""
    rights = rights_of(title, candidate, view, at)
    histories = at_hand(title, candidate, approvals, view, at)
    missing = missing_approvals(rights.claims, title.title.approvals, histories, candidate, at)
    alone = ((h, _alone(m.claim, h)) for m in missing for h in _deciding(m.claim))
    wanted = (h for h, c in alone if missing_approvals([c], title.title.approvals, histories, candidate, at))
    return tuple(dict.fromkeys(wanted))


def _deciding(claim: Claim) -> tuple[str, ...]:
    return (claim.lead_id,) if claim.quorum is Quorum.LEAD and claim.lead_id is not None else claim.holder_ids


def _alone(claim: Claim, holder: str) -> Claim:
    return claim.model_copy(update={"holder_ids": (holder,), "quorum": Quorum.ALL, "lead_id": None, "quorum_n": None})


def _missing(missing: Missing) -> Iterator[Finding]:
    holders = ", ".join(missing.claim.holder_ids)
    yield from (_denied(d, f"{holders}: ") for d in missing.denials)
    if all(d.code == "RH-004" for d in missing.denials) and not _waits_only(missing):
        en = f"{holders} has not approved this release ({missing.kind.replace('_', ' ')})"
        yield failed("RH-001", PROGRAMME, en, f"権利者（{holders}）の承認がありません")


def _waits_only(missing: Missing) -> bool:
    """Whether nothing but the time to object is missing: a sole holder's standing approval covers the rest."""
    return bool(missing.denials) and len(missing.claim.holder_ids) == 1


def _denied(denial: Denial, whose: str) -> Finding:
    return failed(
        denial.code, PROGRAMME, f"{whose}{denial.text.en}", f"{whose}{denial.text.ja}", value=denial.record_id or ""
    )


def _approved(rights: TitleRights) -> Iterator[Finding]:
    who = ", ".join(sorted({h for c in rights.claims for h in c.holder_ids}))
    en = f"{who} approved exactly this sound for this release"
    yield passed("RH-001", PROGRAMME, en, f"権利者（{who}）がこの音声の公開を承認しています")
    yield passed("RH-003", PROGRAMME, "what is delivered is what was approved", "納品物は承認されたものと一致します")


def _signer(signed: Signed[Approval], rights: TitleRights, candidate: Candidate, view: View) -> Iterator[Finding]:
    """What is to be said of who signed: why it does not count, or that a holder approves its own title."""
    why = _why_not(signed, rights, candidate, view)
    if why is not None:
        yield failed(why[0], PROGRAMME, f"{signed.file}: {why[1]}", f"{signed.file}: {why[2]}")
    elif _of_submitters_house(signed.by, candidate, view):
        en = (
            f"{signed.file}: {signed.by} approved what their own house {candidate.submitted_by} submitted; "
            f"the registry shows {signed.record.for_holder_id} as the holder of the title"
        )
        ja = f"権利者として登録された{signed.record.for_holder_id}が自社の作品を承認しています"
        yield passed("RH-005", PROGRAMME, en, ja, value=signed.record.approval_id)


def _why_not(
    signed: Signed[Approval], rights: TitleRights, candidate: Candidate, view: View
) -> tuple[str, str, str] | None:
    """Why an approval does not count because of who signed it: check, English, Japanese; None where it may.

    Nobody approves what they submitted themselves. Somebody else of the submitter's house approves only where the
    registry shows that very house as a holder of the title.
    """
    by, holder = signed.by, signed.record.for_holder_id
    if not _acts_for(by, holder, view):
        return "RH-002", f"{by} does not act for {holder}", "署名者は権利者を代表していません"
    if candidate.submitted_by == by:
        return "RH-002", "who submitted the delivery signed its approval", "納品者自身が承認しています"
    if _of_submitters_house(by, candidate, view) and not _holds(holder, rights):
        return (
            "RH-005",
            f"{by} is of the house that submitted the delivery, and the registry does not show it as the holder",
            "納品者と同じ組織が承認していますが、権利者として登録されていません",
        )
    return None


def _holds(holder: str, rights: TitleRights) -> bool:
    """Whether the registry shows a party as a holder of the title for this release, beyond doubt."""
    return not rights.denials and any(holder in claim.holder_ids for claim in rights.claims)


def _history(approval: Approval, view: View) -> ApprovalHistory:
    """What came of a delivered approval: its events, how many releases rest on it, and of which uses it was told."""
    key = f"approval:{approval.approval_id}"
    n_releases = sum(r.decision is ReleaseDecision.RELEASE for r in view.releases(key))
    uses = view.uses(approval.approval_id)
    return ApprovalHistory(approval, approval.signed_at, view.events(key), n_releases, uses=uses)


def _refused_earlier(title: TitleRecord, view: View, at: datetime) -> list[ApprovalHistory]:
    """Refusals that the registry holds: who submits cannot leave them out as it can a file of the delivery."""
    known = view.approvals(title.title_ids)
    return [h for h in known if h.approval.decision is ApprovalDecision.REJECT and h.recorded_at <= at]


def _held_ones(
    title: TitleRecord, rights: TitleRights, candidate: Candidate, view: View, at: datetime
) -> Iterable[ApprovalHistory]:
    """Approvals that the registry holds under their holder's signature, standing ones and those that were signed at the
    desk over this very sound; a delivery need not bring them."""
    for history in view.approvals(title.title_ids):
        approval = history.approval
        if not history.signed or history.recorded_at > at or not _may_concern(approval, candidate):
            continue
        if approval.decision is ApprovalDecision.REJECT:
            continue
        signed = Signed(approval, approval.by, "the registry", "")
        if _why_not(signed, rights, candidate, view) is None:
            yield history


def _may_concern(approval: Approval, candidate: Candidate) -> bool:
    """Whether it is standing or names this sound: what was approved of other sounds says nothing here."""
    return approval.standing is not None or any(same_sound(s, candidate) for s in approval.sounds)


def _of_submitters_house(by: str, candidate: Candidate, view: View) -> bool:
    """Whether a party is the submitter or of its house."""
    submitter = candidate.submitted_by
    return submitter is not None and view.house_of(by) == view.house_of(submitter)


def _acts_for(by: str, holder: str, view: View) -> bool:
    """Whether a party is the holder or of its house, as the registry shows it."""
    party = view.party(by)
    return party is not None and holder in (party.party_id, party.house_id)
