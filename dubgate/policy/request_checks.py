"""What a party answered when it was asked about this very sound: a no blocks, and no file of the delivery undoes it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from consent.approvals import Candidate
from consent.denials import Sentence
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


@dataclass(frozen=True, slots=True)
class RefusedRequest:
    """A kind of decision that somebody refused when asked: the rule that it breaks, and the request, in words."""

    rule: str
    request_id: str
    text: Sentence


def refused(
    requests: Iterable[RequestHistory], packets_sha256: str, title_ids: Collection[str], at: datetime
) -> Iterator[RefusedRequest]:
    """What somebody who was asked about this sound of this title refused, and has not taken back at a moment.

    Under whatever language and for whatever use: those are the delivery's words, and the sound is the same.
    """
    for history in requests:
        no, request = history.refusal(at), history.request
        about = request.release.packets_sha256 == packets_sha256 and request.release.title_ids[0] in title_ids
        if no is None or not about:
            continue
        words = no.event.reason or "without words"
        for rule in sorted({_REFUSES[w.what] for w in request.wanted if w.what in _REFUSES}):
            en = f"{request.to} was asked ({request.request_id}) and refused: {words}"
            ja = f"{request.to}は依頼（{request.request_id}）を断りました: {words}"
            yield RefusedRequest(rule, request.request_id, Sentence(en, ja))


def refused_findings(requests: Iterable[RequestHistory], candidate: Candidate, at: datetime) -> tuple[Finding, ...]:
    """A block for each kind of decision that somebody refused when asked about this sound for this release."""
    return tuple(
        said(r.rule, PROGRAMME, Outcome.BLOCK, r.text.en, r.text.ja, value=r.request_id)
        for r in refused(requests, candidate.packets_sha256, candidate.title_ids, at)
    )
