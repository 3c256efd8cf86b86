"""What a party answered when it was asked about this very sound: a no blocks, and no file of the delivery undoes it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from consent.approvals import Candidate
from consent.requests import RequestHistory, RequestKind
from dubgate.measure.measurement import Scope, Subject
from dubgate.policy.checks import said
from dubgate.policy.findings import Finding, Outcome

PROGRAMME = Subject(Scope.PROGRAMME)

# What a no is a refusal of. A permission, an enrolment or an answer by ear that is declined leaves its question open.
_REFUSES = {
    RequestKind.APPROVAL: "RH-001",
    RequestKind.SIGN_OFF: "RH-001",
    RequestKind.CLAIM: "RH-001",
    RequestKind.GRANT: "CON-005",
    RequestKind.STATEMENT: "CON-005",
}


def refused_findings(requests: Iterable[RequestHistory], candidate: Candidate, at: datetime) -> tuple[Finding, ...]:
    """A block for each kind of decision that somebody refused when asked about this sound for this release."""
    return tuple(f for r in requests for f in _refused(r, candidate, at))


def _refused(history: RequestHistory, candidate: Candidate, at: datetime) -> Iterator[Finding]:
    no, request = history.refusal(at), history.request
    if no is None or request.release.packets_sha256 != candidate.packets_sha256:
        return
    # Not its language, which is the delivery's word: the sound is the same.
    if request.release.title_ids[0] not in candidate.title_ids:
        return
    words = no.event.reason or "without words"
    for rule in sorted({_REFUSES[w.what] for w in request.wanted if w.what in _REFUSES}):
        en = f"{request.to} was asked ({request.request_id}) and refused: {words}"
        ja = f"{request.to}は依頼（{request.request_id}）を断りました: {words}"
        yield said(rule, PROGRAMME, Outcome.BLOCK, en, ja, value=request.request_id)
