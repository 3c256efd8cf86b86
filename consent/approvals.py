"""A rights holder's approval: what was signed over, and every way in which what is delivered differs from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, ClassVar, Self

from pydantic import Field, model_validator

from consent.conditions import open_conditions
from consent.denials import Denial, Sentence
from consent.events import RecordedEvent, fold
from consent.partners import Partners, partner_denials
from consent.regions import expand
from consent.shown import AllShown
from consent.strict import (
    Excluded,
    Id,
    Language,
    Languages,
    Line,
    Record,
    Sha256,
    Strict,
    Territories,
    Text,
    Time,
    Window,
)
from consent.terms import Count
from consent.uses import UseHistory
from consent.vocabulary import ApprovalDecision, ApprovalKind, Channel


class ApprovedSound(Strict):
    """One deliverable by its digests: packets always, PCM where the codec is lossless."""

    packets_sha256: Sha256
    pcm_sha256: Sha256 | None = None


class Standing(Strict):
    """An approval in advance: for these languages under these packs (by digest), at most so many uses.

    The holder is told of every use and has `objection_hours` to object. Where it `waits`, a use is held until that time
    has passed without an objection; elsewhere it may be released at once, and an objection takes it out again.
    """

    languages: Languages
    pack_sha256s: tuple[Sha256, ...] = ()
    max_releases: Count
    objection_hours: Annotated[int, Field(ge=1, le=8760)]
    waits: bool | None = None


class Approval(Record):
    """What a holder approved, refused, or approved with conditions; what it does not say, it does not cover.

    A final-sound approval names its sounds or is standing. The digests of script, original, label plan and casting are
    compared where the approval carries them, and `final_sound` must carry script, original and label plan.
    """

    schema_name: ClassVar[str] = "consent-approval/1.0"

    approval_id: Id
    kind: ApprovalKind
    decision: ApprovalDecision
    by: Id
    for_holder_id: Id
    title_id: Id
    language: Language
    territories: Territories
    territories_excluded: Excluded = ()
    channels: Annotated[tuple[Channel, ...], Field(min_length=1)]
    window: Window
    partners: Partners | None = None
    style: Line | None = None
    sounds: Annotated[tuple[ApprovedSound, ...], Field(max_length=10_000)] = ()
    label_plan_sha256: Sha256 | None = None
    script_sha256: Sha256 | None = None
    original_sha256: Sha256 | None = None
    casting_sha256: Sha256 | None = None
    standing: Standing | None = None
    conditions: tuple[Text, ...] = ()
    shown: AllShown | None = None
    signed_at: Time
    expires_at: Time

    @property
    def record_id(self) -> str:
        """The approval's id."""
        return self.approval_id

    def found_under(self) -> tuple[str, ...]:
        """By approval, title, signer, holder and each sound."""
        own = (f"approval:{self.approval_id}", f"title:{self.title_id}", f"party:{self.by}")
        return (*own, f"party:{self.for_holder_id}", *(f"sound:{s.packets_sha256}" for s in self.sounds))

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.expires_at <= self.signed_at:
            raise ValueError("the approval expires before it was signed")
        if (self.decision is ApprovalDecision.CONDITIONS) != bool(self.conditions):
            raise ValueError("conditions are named by approve_with_conditions, and only by it")
        approves = self.decision is not ApprovalDecision.REJECT
        if approves and self.kind is ApprovalKind.FINAL_SOUND and self.standing is None:
            digests = (self.label_plan_sha256, self.script_sha256, self.original_sha256)
            if not self.sounds or None in digests:
                raise ValueError("a final-sound approval names its sounds, label plan, script and original by digest")
        return self


class Candidate(Strict):
    """What is about to be released, as heard and delivered; an absent digest is one that could not be had."""

    title_ids: Annotated[tuple[Id, ...], Field(min_length=1)]
    language: Language
    territories: Territories
    territories_excluded: Excluded = ()
    channels: Annotated[tuple[Channel, ...], Field(min_length=1)]
    window: Window
    partners: Partners | None = None
    style: Line | None = None
    packets_sha256: Sha256
    pcm_sha256: Sha256 | None = None
    label_plan_sha256: Sha256 | None = None
    script_sha256: Sha256 | None = None
    original_sha256: Sha256 | None = None
    casting_sha256: Sha256 | None = None
    pack_sha256s: tuple[Sha256, ...] = ()
    submitted_by: Id | None = None
    conditions_met: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True)
class ApprovalHistory:
    """An approval, when it was recorded, its events, and how many releases already used it (for standing ones).

    `discredited_at` is when the signing key was revoked, where no witness had seen the signature before.
    """

    approval: Approval
    recorded_at: datetime
    events: tuple[RecordedEvent, ...] = ()
    n_releases: int = 0
    signed: bool = False
    discredited_at: datetime | None = None
    uses: tuple[UseHistory, ...] = ()


def approval_denials(history: ApprovalHistory, candidate: Candidate, at: datetime) -> tuple[Denial, ...]:
    """Every reason why the approval does not cover what is delivered; empty where it does."""
    approval = history.approval
    found = (
        *_validity(history, candidate, at),
        *_scope(history, candidate, at),
        *_bytes(approval, candidate),
        *_standing(history, candidate, at),
    )
    return tuple(Denial(code, field, Sentence(en, ja), approval.approval_id) for code, field, en, ja in found)


_Found = tuple[str, str, str, str]


def _validity(history: ApprovalHistory, candidate: Candidate, at: datetime) -> Iterator[_Found]:
    approval = history.approval
    if approval.decision is ApprovalDecision.REJECT:
        yield "RH-001", "decision", "the holder refused it", "権利者が承認を拒否しました"
    if approval.signed_at > at:
        en = "the approval is dated later than the moment of judging"
        yield "RH-002", "signed_at", en, "承認の日付が判定時より後です"
    if approval.expires_at <= at:
        yield "RH-002", "expires_at", "the approval has expired", "承認の有効期限が切れています"
    if candidate.submitted_by is not None and approval.by == candidate.submitted_by:
        yield "RH-002", "submitted_by", "whoever submits a dub does not approve it", "提出者自身は承認できません"
    if history.discredited_at is not None and history.discredited_at <= at:
        yield "RH-002", "signature", "the key that signed the approval was revoked", "署名に使われた鍵は失効しています"
    if not fold(history.events, known_at=at, born=approval.signed_at).alive(max(at, approval.signed_at)):
        yield "RH-002", "events", "the approval was taken back", "承認は取り消されています"


def _scope(history: ApprovalHistory, candidate: Candidate, at: datetime) -> Iterator[_Found]:
    approval = history.approval
    if approval.title_id not in candidate.title_ids:
        yield "RH-001", "title_id", "the approval is for another title", "承認は別の作品に対するものです"
    if candidate.language != approval.language and (
        approval.standing is None or candidate.language not in approval.standing.languages
    ):
        yield (
            "RH-001",
            "language",
            f"the approval is for {approval.language}",
            f"承認は{approval.language}版に対するものです",
        )
    released = expand(candidate.territories, candidate.territories_excluded)
    if missing := sorted(released - expand(approval.territories, approval.territories_excluded)):
        some = ", ".join(missing[:8]) + (f" and {len(missing) - 8} more" if len(missing) > 8 else "")
        yield "RH-001", "territories", f"the approval does not cover {some}", f"承認は次の地域を含みません: {some}"
    if channels := sorted(set(candidate.channels) - set(approval.channels)):
        some = ", ".join(channels)
        yield "RH-001", "channels", f"the approval does not cover {some}", f"承認は次の媒体を含みません: {some}"
    if not approval.window.contains(candidate.window):
        en = "the release window goes beyond the approved one"
        yield "RH-001", "window", en, "公開期間が承認された期間を超えています"
    yield from partner_denials(approval.partners, candidate.partners)
    for condition in set(open_conditions(approval, history.events, at)) - set(candidate.conditions_met):
        yield (
            "RH-002",
            "conditions",
            f"a condition of the approval is open: {condition}",
            f"承認の条件が満たされていません: {condition}",
        )


def _bytes(approval: Approval, candidate: Candidate) -> Iterator[_Found]:
    """Digests that the approval carries and the delivery does not have, one by one."""
    if approval.sounds and not any(same_sound(s, candidate) for s in approval.sounds):
        yield (
            "RH-003",
            "packets_sha256",
            "another sound was approved than is delivered",
            "承認された音声と納品された音声が異なります",
        )
    for field, what in _COMPARED.items():
        approved, delivered = getattr(approval, field), getattr(candidate, field)
        if approved is not None and approved != delivered:
            yield (
                "RH-003",
                field,
                f"another {what[0]} was approved than is delivered",
                f"承認された{what[1]}と納品物が異なります",
            )


_COMPARED = {
    "label_plan_sha256": ("label plan", "表示計画"),
    "script_sha256": ("script", "台本"),
    "original_sha256": ("original", "原音"),
    "casting_sha256": ("casting", "配役"),
    "style": ("style of dubbing", "吹替形式"),
}


def same_sound(sound: ApprovedSound, candidate: Candidate) -> bool:
    """Whether what was approved is what is delivered: packets always, and PCM where both have it."""
    if sound.pcm_sha256 is not None and candidate.pcm_sha256 is not None:
        return sound.pcm_sha256 == candidate.pcm_sha256 and sound.packets_sha256 == candidate.packets_sha256
    return sound.packets_sha256 == candidate.packets_sha256


def _standing(history: ApprovalHistory, candidate: Candidate, at: datetime) -> Iterator[_Found]:
    standing = history.approval.standing
    if standing is None:
        return
    known = [u for u in history.uses if u.recorded_at <= at]
    own = next((u for u in known if u.notice.tells_of(candidate)), None)
    yield from _objections(standing, own, [u for u in known if u.notice.packets_sha256 == candidate.packets_sha256], at)
    if own is None and max(history.n_releases, len(known)) >= standing.max_releases:
        yield (
            "RH-002",
            "standing",
            "the standing approval's number of releases is used up",
            "包括承認の回数を使い切りました",
        )
    if standing.pack_sha256s and not set(standing.pack_sha256s) <= set(candidate.pack_sha256s):
        yield (
            "RH-003",
            "standing",
            "it is judged by other rule packs than the standing approval names",
            "包括承認と異なる規則で判定されています",
        )


def _objections(
    standing: Standing, own: UseHistory | None, of_sound: Sequence[UseHistory], at: datetime
) -> Iterator[_Found]:
    """Whether the holder was told of this use, and what it said of any use of this sound; RH-004 is the time that is to pass."""
    objections = [said for u in of_sound if (said := u.objection(at)) is not None]
    if objections:
        words = objections[0].event.reason or "without words"
        yield "RH-001", "standing", f"the holder objected to this use: {words}", f"権利者が異議を述べました: {words}"
    elif own is None:
        if standing.waits:
            en = "the holder has not been told of this use of its standing approval"
            yield "RH-004", "standing", en, "包括承認の利用が権利者に通知されていません"
    elif standing.waits and at < own.notice.object_until:
        until = own.notice.object_until.isoformat()
        en = f"the holder may still object to this use, until {until}"
        yield "RH-004", "standing", en, f"権利者は{until}まで異議を述べることができます"
