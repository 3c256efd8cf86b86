"""What the registry answers about a delivery: whose title it is, what stands behind each voice, who approved.

Everything is asked before anything is compared: voices without the permission `match` are not fetched at all.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from consent.approvals import Candidate
from consent.clearance import Clearance
from consent.strict import Window
from consent.terms import Use, VoiceAsset
from consent.titles import Refusal, TitleRecord
from consent.views import EnrolledVoice, View
from consent.vocabulary import Performance, PermissionKind, Role, Technique, TrainingKind
from consent.voices import Voice
from dubgate.approved_parts import label_plan_sha256_of, plan_sha256, script_sha256_of
from dubgate.certificate.statements import HumanPerformance
from dubgate.delivery.manifest import Delivery
from dubgate.delivery.manifest_schema import CastEntry
from dubgate.digesting import Sound
from dubgate.features import ProgrammeFeatures
from dubgate.judgement import Judgement
from dubgate.measure.measurement import Scope, Subject
from dubgate.policy.checks import failed, passed
from dubgate.policy.evidence import Signed
from dubgate.policy.findings import Finding, Text
from dubgate.policy.speakers import Declared

PARTY_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
PROGRAMME = Subject(Scope.PROGRAMME)


@dataclass(frozen=True, slots=True)
class Release:
    """The title as the registry knows it, None where it does not; and where, how and when it is to be released."""

    title: TitleRecord | None
    language: str
    territories: tuple[str, ...]
    channels: tuple[Any, ...]
    window: Window
    submitter: str | None
    partners: tuple[str, ...] = ()
    trained: tuple[TrainingKind, ...] = ()  # what the production record says was trained with the voices


def release_of(delivery: Delivery, view: View) -> tuple[Release | None, tuple[Finding, ...]]:
    """The release that is asked for; findings for what the manifest or the registry does not say."""
    findings: list[Finding] = []
    title = None
    identifiers = delivery.title.identifiers if delivery.title else ()
    known = {t.title.title_id: t for t in (view.title(i) for i in identifiers) if t is not None}
    if len(known) == 1:
        [title] = known.values()
        findings.append(passed("RH-020", PROGRAMME, "the registry knows the title", "作品は登録されています"))
    elif len(known) > 1:
        en = f"the manifest's identifiers belong to different titles: {', '.join(sorted(known))}"
        findings.append(failed("RH-020", PROGRAMME, en, "識別子が別々の作品を指しています"))
    else:
        en = (
            "the registry knows no title with the manifest's identifiers"
            if identifiers
            else "the manifest names no title by identifier"
        )
        unknown = failed("RH-020", PROGRAMME, en, "作品が登録されていません")
        findings.append(unknown if identifiers else replace(unknown, remedy=_NAME_IT))
    where = delivery.distribution
    if where is None:
        en = "the delivery does not say where, how and when it is to be released"
        nowhere = failed("RH-001", PROGRAMME, en, "公開の地域・媒体・期間が示されていません")
        findings.append(replace(nowhere, remedy=_SAY_WHERE))
        return None, tuple(findings)
    window = Window(start=where.window.start, end=where.window.end)
    trained = (delivery.production.used_to_train if delivery.production else None) or ()
    language, submitter = delivery.dub.language, delivery.submitter
    partners = tuple(sorted(where.partners))
    release = Release(title, language, where.countries, where.channels, window, submitter, partners, trained)
    return release, tuple(findings)


_NAME_IT = Text(
    "add title to delivery.yaml, with the identifier under which the registry knows it (internal, eidr or isan)",
    "delivery.yamlのtitleに、登録簿にある作品の識別子（internal、eidr、isan）を記載してください",
)
_SAY_WHERE = Text(
    "add distribution to delivery.yaml: territories, channels and window; then ask the rights holder: dubgate request",
    "delivery.yamlのdistributionに地域・媒体・期間を記載し、権利者に依頼してください（dubgate request）",
)


def use_of(release: Release, entry: CastEntry, speech_s: float | None, voice_id: str | None = None) -> Use:
    """What the release would do with one character's voice; with `voice_id`, by which model of it."""
    title_ids = release.title.title_ids if release.title else ("unknown-title",)
    technique = Technique.VOICE_CLONE_TTS if entry.technique == "human" else entry.technique
    return Use(
        title_ids=title_ids,
        character=entry.name,
        language=release.language,
        territories=release.territories,
        channels=release.channels,
        window=release.window,
        technique=technique,
        performance=Performance.NEW,
        minutes=None if speech_s is None else speech_s / 60,
        licensee_id=release.submitter,
        training=release.trained,
        voice_asset=asset_of(release.submitter, entry, voice_id),
    )


def asset_of(submitter: str | None, entry: CastEntry, voice_id: str | None) -> VoiceAsset | None:
    """The voice model as declared; its maker is the vendor where that is a party's id, else who submitted."""
    vendor = entry.vendor if entry.vendor is not None and PARTY_ID.fullmatch(entry.vendor) else submitter
    if voice_id is None or entry.model is None or vendor is None:
        return None
    return VoiceAsset(vendor_id=vendor, voice=voice_id, model_version=entry.model)


def clearances_of(
    release: Release, entry: CastEntry, view: View, at: datetime, speech_s: float | None
) -> tuple[Clearance, ...]:
    """What the grants say of each voice of an entry, by the model that it declares; nothing for a human."""
    if entry.technique == "human":
        return ()
    return tuple(view.clear(v, use_of(release, entry, speech_s, v), at) for v in entry.voice_ids)


def refusals_of(
    release: Release, entry: CastEntry, view: View, at: datetime, speech_s: float | None
) -> tuple[Refusal, ...]:
    """The standing refusals of the title, or of a voice of an entry, that meet its use; nothing for a human."""
    if entry.technique == "human":
        return ()
    use = use_of(release, entry, speech_s)
    found = (r for v in (*entry.voice_ids, None) for r in view.refusals(use, at, voice_id=v))
    return tuple({r.refusal_id: r for r in found}.values())


def declared_of(
    release: Release,
    entry: CastEntry,
    view: View,
    at: datetime,
    *,
    speech_s: float | None,
    human_statements: Sequence[Signed[HumanPerformance]],
    features: ProgrammeFeatures,
) -> Declared:
    """A cast entry with the registry's answers: grants, refusals, permission to compare, confirmed enrolment."""
    human = entry.technique == "human"
    heard = None if features.published is None else features.published.packet_sha256
    forbidding = [v for v in entry.voice_ids if PermissionKind.MATCH not in view.permissions(v, at)]
    enrolled = [e for v in entry.voice_ids for e in view.enrolments(v, at)]
    theirs = {v: [s for s in human_statements if s.by in view.spokespeople(v)] for v in entry.voice_ids}
    own = [v for v, said in theirs.items() if human_refusal(release, entry, said, heard, at) is None]
    return Declared(
        name=entry.name,
        technique=str(entry.technique),
        voice_ids=entry.voice_ids,
        clearances=clearances_of(release, entry, view, at, speech_s),
        refusals=refusals_of(release, entry, view, at, speech_s),
        may_compare=not forbidding,
        why_not_compare=f"no permission to match {', '.join(forbidding)}" if forbidding else "",
        unconfirmed=tuple(sorted({e.voice_id for e in enrolled if not e.confirmed})),
        human_statement=human_refusal(release, entry, directed(human_statements), heard, at) if human else None,
        performed_by=frozenset(own) if human else frozenset(),
    )


def directed(statements: Sequence[Signed[HumanPerformance]]) -> tuple[Signed[HumanPerformance], ...]:
    """Those of a dubbing director, who alone says for the programme that people performed; performers speak for themselves."""
    return tuple(s for s in statements if Role.DUBBING_DIRECTOR in s.roles)


def human_refusal(
    release: Release,
    entry: CastEntry,
    statements: Sequence[Signed[HumanPerformance]],
    packets_sha256: str | None,
    at: datetime,
) -> str | None:
    """Why no statement says that a person performed this character in this sound; None where one does."""
    reasons = []
    for signed in statements:
        record, why = signed.record, []
        if release.title is None or record.title_id not in release.title.title_ids:
            why.append("it is for another title")
        if record.language != release.language:
            why.append("it is for another language")
        if record.packets_sha256 != packets_sha256:
            why.append("it is for another sound")
        if record.characters and entry.name not in record.characters:
            why.append("it does not name this character")
        if record.signed_at > at:
            why.append("it is dated later than the moment of judging")
        if signed.by == release.submitter:
            why.append("the submitter signed it alone")
        if not why:
            return None
        reasons.append(f"{signed.file}: {', '.join(why)}")
    return "; ".join(reasons) or "no human-performance statement was delivered"


def registered_voices(delivery: Delivery, view: View, at: datetime) -> dict[str, Voice]:
    """The voices that the cast names and the registry knows, by id, as they were known at a moment."""
    named = (v for entry in delivery.cast for v in entry.voice_ids)
    return {v: record for v in named if (record := view.voice(v, at)) is not None}


def enrolled_of(entry: CastEntry, view: View, at: datetime, encoder_sha256: str) -> tuple[EnrolledVoice, ...]:
    """The templates that this entry's characters may be compared with, of the encoder that hears."""
    found = (e for v in entry.voice_ids for e in view.enrolments(v, at))
    return tuple(e for e in found if e.enrolment.encoder_sha256 == encoder_sha256)


def published_sound(features: ProgrammeFeatures) -> Sound | None:
    """The published sound that was heard, by its digests; None where features were not made by hearing."""
    published = features.published
    if published is None:
        return None
    return Sound(published.packet_sha256, published.pcm_sha256, features.dub.duration_s)


def candidate_judged(judgement: Judgement, delivery: Delivery, release: Release) -> Candidate:
    """What was judged, as something to be released: under the packs and in the style that judged it."""
    return candidate_of(
        delivery,
        release,
        judgement.features,
        script_sha256=script_sha256_of(delivery),
        pack_sha256s=tuple(p.sha256 for p in judgement.packs),
        style=str(judgement.style),
    )


def candidate_of(
    delivery: Delivery,
    release: Release,
    features: ProgrammeFeatures,
    *,
    script_sha256: str | None,
    pack_sha256s: tuple[str, ...],
    style: str,
) -> Candidate:
    """What is about to be released, by the digests of what was heard and delivered."""
    dub = published_sound(features)
    if dub is None:
        raise ValueError("these features were not made by hearing: the published sound has no digest")
    return candidate_over(
        delivery,
        release,
        dub,
        features.original.packet_sha256,
        script_sha256=script_sha256,
        pack_sha256s=pack_sha256s,
        style=style,
    )


def candidate_over(
    delivery: Delivery,
    release: Release,
    dub: Sound,
    original_sha256: str | None,
    *,
    script_sha256: str | None,
    pack_sha256s: tuple[str, ...],
    style: str,
) -> Candidate:
    """The same of sounds that were digested and not heard; `original_sha256` is of the original's packets."""
    return Candidate(
        title_ids=release.title.title_ids if release.title else ("unknown-title",),
        language=release.language,
        territories=release.territories,
        channels=release.channels,
        window=release.window,
        partners=release.partners,
        style=style,
        packets_sha256=dub.packet_sha256,
        pcm_sha256=dub.lossless_sha256,
        label_plan_sha256=label_plan_sha256_of(delivery),
        script_sha256=script_sha256,
        original_sha256=original_sha256,
        casting_sha256=plan_sha256(delivery.cast),
        pack_sha256s=pack_sha256s,
        submitted_by=delivery.submitter,
    )
