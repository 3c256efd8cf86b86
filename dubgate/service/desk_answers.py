"""Answers of reviewers and performers as signed objects: what is to be signed, and keeping what was signed."""

from __future__ import annotations

import hashlib
import os
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import rfc8785

from consent.signatures import LIST_TYPE
from consent.views import View
from consent.vocabulary import Role
from consent.web.protocols import Answer, CannotAnswerError
from dubgate.answers import ATTESTATIONS, SIGN_OFFS, WAIVERS
from dubgate.approving import bound_to
from dubgate.certificate.dsse import MAX_ENVELOPE_BYTES, SignatureError
from dubgate.certificate.statements import ATTESTATION, SIGN_OFF, WAIVER, digest_id, statement
from dubgate.clearing import published_sound
from dubgate.delivery.manifest import Delivery
from dubgate.judgement import Judgement
from dubgate.policy.evidence import APPROVALS, Kind, open_one, predicate_type_of
from dubgate.policy.findings import Finding
from dubgate.policy.signed_objects import About, Attestation, Heard, SignedObject, SignOff, Waiver, WaiverReason
from dubgate.policy.waivers import is_waivable

KINDS: dict[str, Kind[Any]] = {k.predicate_type: k for k in (APPROVALS, ATTESTATIONS, WAIVERS, SIGN_OFFS)}


def draft_of(judgement: Judgement, finding: Finding, answer: Answer, *, by: str, at: datetime) -> bytes:
    """The statement of an answer, as canonical JSON.

    Raises:
        CannotAnswerError: this finding is not answered in this way.
    """
    sound = published_sound(judgement.features)
    if sound is None:
        raise CannotAnswerError("the delivery's sound has no digest")
    bound = bound_to(sound, by, at, answer.days)
    kind, record = _RECORDS[answer.kind](judgement, finding, answer, bound)
    return rfc8785.dumps(statement(kind, record, (record.packets_sha256,)))


def _number(prefix: str, finding: Finding, bound: dict[str, Any]) -> str:
    over = bound["packets_sha256"], bound["by"], bound["signed_at"].isoformat()
    return digest_id(prefix, *over, finding.rule, finding.subject.name)


def _waiver(j: Judgement, finding: Finding, answer: Answer, bound: dict[str, Any]) -> tuple[str, SignedObject]:
    if not is_waivable(finding):
        raise CannotAnswerError("only a failed rule of quality can be waived")
    record = Waiver(
        waiver_id=_number("wv", finding, bound),
        rule=finding.rule,
        about=(About.of(finding.subject),),
        reason=WaiverReason(answer.reason),
        words=answer.words,
        **bound,
    )
    return WAIVER, record


def _attestation(j: Judgement, finding: Finding, answer: Answer, bound: dict[str, Any]) -> tuple[str, SignedObject]:
    spans = [(s.start_s, s.end_s) for s in finding.spans] or [(0.0, j.features.dub.duration_s)]
    verdict: Literal["pass", "fail"] = "pass" if answer.agreed else "fail"
    record = Attestation(
        attestation_id=_number("at", finding, bound),
        rule=finding.rule,
        about=About.of(finding.subject),
        answer=verdict,
        heard=tuple(Heard(start_s=a, end_s=b) for a, b in spans),
        voice_id=finding.voice_id,
        words=answer.words,
        **bound,
    )
    return ATTESTATION, record


def _sign_off(j: Judgement, finding: Finding, answer: Answer, bound: dict[str, Any]) -> tuple[str, SignedObject]:
    role = finding.rule.removeprefix("SGN-").lower().replace("-", "_")
    if not finding.rule.startswith("SGN-") or role not in {str(r) for r in Role}:
        raise CannotAnswerError("no role signs this off")
    record = SignOff(
        sign_off_id=_number("so", finding, bound),
        role=Role(role),
        answer="agreed" if answer.agreed else "refused",
        words=answer.words,
        **bound,
    )
    return SIGN_OFF, record


_RECORDS = {"waive": _waiver, "attest": _attestation, "sign_off": _sign_off}


def keep_envelope(delivery: Delivery, envelope: bytes, sound: str, view: View, at: datetime) -> None:
    """Put a signed object into the delivery's folder `evidence/`, once it verifies and is about this sound.

    A list of approvals is not kept there: each of them stands in the ledger, where judging finds it.

    Raises:
        CannotAnswerError: it does not verify, is of another kind, or of another sound.
    """
    if len(envelope) > MAX_ENVELOPE_BYTES:
        raise CannotAnswerError("larger than 4 MB")
    folder = delivery.root / "evidence"
    folder.mkdir(exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=folder, prefix=".new-")
    place = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(envelope)
        if predicate_type_of(envelope, "the answer") == LIST_TYPE:
            return
        _require_good(place, envelope, sound, view, at)
        os.replace(place, folder / f"desk-{hashlib.sha256(envelope).hexdigest()[:20]}.json")
    except SignatureError as error:
        raise CannotAnswerError(error.what) from None
    finally:
        place.unlink(missing_ok=True)


def _require_good(place: Path, envelope: bytes, sound: str, view: View, at: datetime) -> None:
    kind = KINDS.get(predicate_type_of(envelope, "the answer"))
    if kind is None:
        raise CannotAnswerError("no gate asks for such a statement")
    record = open_one(kind, place, view, at).record
    named = {s.packets_sha256 for s in getattr(record, "sounds", ())} or {getattr(record, "packets_sha256", "")}
    if sound not in named:
        raise CannotAnswerError("it is about another sound")
