"""Makes what people sign over a delivery: an approval by the rights holder, a statement of human performance, an
attestation, a waiver, a sign-off, an answer for a partner's written approval, counsel's ruling on a rule. Signing takes no time as an argument: it is the clock of the call (a parameter only for samples and tests).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from consent.approvals import Approval, ApprovedSound
from consent.strict import Window
from consent.vocabulary import ApprovalDecision, ApprovalKind, Role
from dubgate.approved_parts import label_plan_sha256_of, plan_sha256, script_sha256_of
from dubgate.certificate.dsse import sign, signer_of
from dubgate.certificate.statements import (
    ATTESTATION,
    RULING,
    SIGN_OFF,
    WAIVER,
    WRITTEN_APPROVAL,
    HumanPerformance,
    approval_statement,
    digest_id,
    human_statement,
    statement,
)
from dubgate.delivery.manifest import Delivery, Source
from dubgate.delivery.media import stream_of
from dubgate.digesting import Sound, digest_sound
from dubgate.errors import InputError
from dubgate.policy.findings import Severity
from dubgate.policy.packs import Pack
from dubgate.policy.rulings import Ruling
from dubgate.policy.signed_objects import (
    About,
    Attestation,
    SignedObject,
    SignOff,
    Waiver,
    WaiverReason,
    WrittenApproval,
)
from dubgate.policy.signed_objects import Heard as Listened
from dubgate.spans import Span

APPROVAL_DAYS = 180
ANSWER_DAYS = 30


@dataclass(frozen=True, slots=True)
class Sounds:
    """What is signed over: the published dub and the original, by their digests."""

    dub: Sound
    original: Sound


def sounds_of(delivery: Delivery) -> Sounds:
    """Decode and digest the published dub and the original, in the child.

    Raises:
        MediaError, ChildError: one of them cannot be decoded.
    """
    return Sounds(_sound(delivery.dub.published), _sound(delivery.original.clearest))


def _sound(source: Source) -> Sound:
    return digest_sound(source.path, stream_of(source).index)


def approve(
    delivery: Delivery,
    sounds: Sounds,
    *,
    title_id: str,
    by: str,
    holder: str,
    key: Any,
    at: datetime,
    decision: ApprovalDecision = ApprovalDecision.APPROVE,
    conditions: Sequence[str] = (),
) -> bytes:
    """A signed final-sound approval of exactly this delivery, valid 180 days.

    Raises:
        InputError: the delivery lacks what an approval must name (distribution, script, label plan).
    """
    where = delivery.distribution
    if where is None or delivery.cues is None:
        raise InputError("an approval names script, territories, channels and window; the delivery lacks one")
    approval = Approval(
        approval_id=_id("ap", sounds.dub, by, at),
        kind=ApprovalKind.FINAL_SOUND,
        decision=decision,
        by=by,
        for_holder_id=holder,
        title_id=title_id,
        language=delivery.dub.language,
        territories=where.territories,
        channels=where.channels,
        window=Window(start=where.window.start, end=where.window.end),
        partners=tuple(sorted(where.partners)),
        style=str(delivery.style) if delivery.style else None,
        sounds=(ApprovedSound(packets_sha256=sounds.dub.packet_sha256, pcm_sha256=sounds.dub.lossless_sha256),),
        label_plan_sha256=label_plan_sha256_of(delivery),
        script_sha256=script_sha256_of(delivery),
        original_sha256=sounds.original.packet_sha256,
        casting_sha256=plan_sha256(delivery.cast),
        conditions=tuple(conditions),
        signed_at=at,
        expires_at=at + timedelta(days=APPROVAL_DAYS),
    )
    return sign(approval_statement(approval), signer_of(key))


def state_human(
    delivery: Delivery,
    sounds: Sounds,
    *,
    title_id: str,
    by: str,
    key: Any,
    at: datetime,
    characters: Sequence[str] = (),
) -> bytes:
    """The dubbing director's signed statement that people performed these characters (all human ones by default)."""
    performance = HumanPerformance(
        statement_id=_id("hp", sounds.dub, by, at),
        by=by,
        title_id=title_id,
        language=delivery.dub.language,
        characters=tuple(characters),
        packets_sha256=sounds.dub.packet_sha256,
        signed_at=at,
    )
    return sign(human_statement(performance), signer_of(key))


def attest(
    sounds: Sounds,
    *,
    rule: str,
    about: About,
    answer: Literal["pass", "fail"],
    by: str,
    key: Any,
    at: datetime,
    heard: Sequence[Span] | None = None,
    voice_id: str | None = None,
    days: int = ANSWER_DAYS,
) -> bytes:
    """A signed answer, by ear, to a question that could not be measured; `heard` None says the whole programme.

    With `voice_id` it answers a hit on that voice: "pass" is "not me".
    """
    spans = heard if heard is not None else (Span(0.0, sounds.dub.duration_s),)
    attestation = Attestation(
        attestation_id=_id("at", sounds.dub, f"{by} {rule} {about.scope} {about.name} {voice_id or ''}", at),
        rule=rule,
        about=about,
        answer=answer,
        heard=tuple(Listened(start_s=s.start_s, end_s=s.end_s) for s in spans),
        voice_id=voice_id,
        **bound_to(sounds.dub, by, at, days),
    )
    return _signed(ATTESTATION, attestation, key)


def waive(
    sounds: Sounds,
    *,
    rule: str,
    about: Sequence[About],
    reason: WaiverReason,
    words: str,
    by: str,
    key: Any,
    at: datetime,
    days: int = ANSWER_DAYS,
) -> bytes:
    """A signed waiver of a failed quality rule, for these subjects, with its reason and an expiry."""
    waiver = Waiver(
        waiver_id=_id("wv", sounds.dub, f"{by} {rule} {[a.name for a in about]}", at),
        rule=rule,
        about=tuple(about),
        reason=reason,
        words=words,
        **bound_to(sounds.dub, by, at, days),
    )
    return _signed(WAIVER, waiver, key)


def sign_off(
    sounds: Sounds, *, role: Role, agreed: bool, by: str, key: Any, at: datetime, days: int = APPROVAL_DAYS
) -> bytes:
    """A signed sign-off in a role that a pack demands."""
    answer: Literal["agreed", "refused"] = "agreed" if agreed else "refused"
    record = SignOff(
        sign_off_id=_id("so", sounds.dub, f"{by} {role}", at),
        role=role,
        answer=answer,
        **bound_to(sounds.dub, by, at, days),
    )
    return _signed(SIGN_OFF, record, key)


def answer_for(
    sounds: Sounds,
    *,
    partner: str,
    document: bytes,
    by: str,
    key: Any,
    at: datetime,
    words: str | None = None,
    days: int = APPROVAL_DAYS,
) -> bytes:
    """A signed answer for having seen a partner's written approval of this sound, by the digest of the document."""
    record = WrittenApproval(
        written_approval_id=_id("wr", sounds.dub, f"{by} {partner}", at),
        partner=partner,
        document_sha256=hashlib.sha256(document).hexdigest(),
        words=words,
        **bound_to(sounds.dub, by, at, days),
    )
    return _signed(WRITTEN_APPROVAL, record, key)


def rule_on(
    pack: Pack,
    rule: str,
    *,
    severity: Severity,
    reason: str,
    by: str,
    key: Any,
    at: datetime,
    days: int = APPROVAL_DAYS,
) -> bytes:
    """Counsel's signed ruling on what one rule of a pack does when it fails; bound to the pack's bytes, not to a sound."""
    ruling = Ruling(
        ruling_id=digest_id("ru", pack.sha256, rule, by, at.isoformat()),
        by=by,
        pack=pack.name,
        pack_sha256=pack.sha256,
        rule=rule,
        severity=severity,
        reason=reason,
        signed_at=at,
        expires_at=at + timedelta(days=days),
    )
    return sign(statement(RULING, ruling, (pack.sha256,), "rules"), signer_of(key))


def bound_to(sound: Sound, by: str, at: datetime, days: int) -> dict[str, Any]:
    """What binds every signed object: who, over which sound, from when until when."""
    return {
        "by": by,
        "packets_sha256": sound.packet_sha256,
        "pcm_sha256": sound.lossless_sha256,
        "signed_at": at,
        "expires_at": at + timedelta(days=days),
    }


def _signed(predicate_type: str, record: SignedObject, key: Any) -> bytes:
    return sign(statement(predicate_type, record, (record.packets_sha256,)), signer_of(key))


def _id(prefix: str, sound: Sound, by: str, at: datetime) -> str:
    return digest_id(prefix, sound.packet_sha256, by, at.isoformat())


def save(envelope: bytes, delivery: Delivery, name: str) -> Path:
    """Write an envelope into the delivery's folder `evidence/`, where a check finds it; never over another."""
    folder = delivery.root / "evidence"
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.json"
    try:
        with path.open("xb") as file:
            file.write(envelope)
    except FileExistsError as error:
        raise InputError("there is already such evidence", where=str(path), remedy="choose another --name") from error
    return path
