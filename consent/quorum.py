"""Whether everybody approved who must: each claim's holders, in the kinds that the title wants, by their quorum."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from consent import languages
from consent.approvals import Approval, ApprovalHistory, Candidate, approval_denials, same_sound
from consent.denials import Denial
from consent.regions import expand
from consent.titles import Claim
from consent.vocabulary import ApprovalDecision, ApprovalKind, Quorum


@dataclass(frozen=True, slots=True)
class Missing:
    """A claim whose holders have not approved, as a kind of approval that is wanted, and why those at hand fail."""

    claim: Claim
    kind: ApprovalKind
    denials: tuple[Denial, ...]


def missing_approvals(
    claims: Sequence[Claim],
    kinds: Sequence[ApprovalKind],
    approvals: Iterable[ApprovalHistory],
    candidate: Candidate,
    at: datetime,
) -> tuple[Missing, ...]:
    """The approvals still wanted: for each claim and kind, unless its quorum of holders approved what is delivered.

    Every claim's holders answer for the territories of their claim alone. A refusal by any of them is never outvoted.
    """
    at_hand = tuple(approvals)
    asked = ((claim, kind) for claim in claims for kind in kinds)
    return tuple(m for claim, kind in asked for m in _missing(claim, kind, kinds, at_hand, candidate, at))


def _missing(
    claim: Claim,
    kind: ApprovalKind,
    kinds: Sequence[ApprovalKind],
    approvals: Sequence[ApprovalHistory],
    candidate: Candidate,
    at: datetime,
) -> Iterator[Missing]:
    """A refusal of a kind that nobody asked for is one of the release, so it stands against every kind."""
    own = [h for h in approvals if h.approval.for_holder_id in claim.holder_ids]
    own = [h for h in own if h.approval.kind is kind or (_is_no(h) and h.approval.kind not in kinds)]
    there = _within(candidate, claim)
    asked = [(h, approval_denials(h, there, at)) for h in own]
    agreed = _latest(h for h, reasons in asked if not reasons)
    refused = _latest(h for h, _ in asked if _refuses(h.approval, candidate))
    given = {holder for holder, when in agreed.items() if holder not in refused or refused[holder] < when}
    if not quorate(claim, given) or set(refused) - given:
        yield Missing(claim, kind, tuple(d for _, reasons in asked for d in reasons))


def _is_no(history: ApprovalHistory) -> bool:
    return history.approval.decision is ApprovalDecision.REJECT


def _latest(histories: Iterable[ApprovalHistory]) -> dict[str, datetime]:
    """The last time at which each holder decided so."""
    latest: dict[str, datetime] = {}
    for history in histories:
        holder = history.approval.for_holder_id
        latest[holder] = max(history.recorded_at, latest.get(holder, history.recorded_at))
    return latest


def _refuses(approval: Approval, candidate: Candidate) -> bool:
    """Whether this is a refusal of what is delivered, under whatever language it is, or of any sound in its language."""
    if approval.decision is not ApprovalDecision.REJECT or approval.title_id not in candidate.title_ids:
        return False
    if approval.sounds:
        return any(same_sound(s, candidate) for s in approval.sounds)
    return languages.overlap(approval.language, candidate.language)


def _within(candidate: Candidate, claim: Claim) -> Candidate:
    reach = expand(claim.territories, claim.territories_excluded)
    shared = sorted(expand(candidate.territories, candidate.territories_excluded) & reach)
    return candidate.model_copy(update={"territories": tuple(shared), "territories_excluded": ()})


def quorate(claim: Claim, given: set[str]) -> bool:
    """Whether those who approved suffice for a claim."""
    needed = {Quorum.LEAD: 1, Quorum.ALL: len(claim.holder_ids), Quorum.SOME: claim.quorum_n or len(claim.holder_ids)}
    return claim.lead_id in given if claim.quorum is Quorum.LEAD else len(given) >= needed[claim.quorum]
