"""Judge a delivery: quality, consent, label and approval over one hearing; release, hold or block.

The order matters for privacy and for truth: the registry is asked what may be compared before anything is compared, and
every lookup starts from a voice that was heard or a byte that was delivered. The flow of `check` is in judging_again.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from consent.asking import request_histories
from consent.registry import Registry
from consent.views import View
from dubgate.answers import circumstances_of, partner_approvals, ruled_packs, with_answers
from dubgate.approved_parts import script_sha256_of
from dubgate.choosing_packs import destination_of, packs_for
from dubgate.clearing import Release, candidate_of, declared_of, registered_voices, release_of
from dubgate.company.folder import NO_COMPANY, Company
from dubgate.delivery.formats import file_sha256
from dubgate.delivery.manifest import Delivery, Source
from dubgate.delivery.script import CueSheet
from dubgate.delivery_facts import facts_of, synthetic
from dubgate.errors import ManifestError, RegistryError
from dubgate.features import ProgrammeFeatures
from dubgate.gate import QualityRequest, Track, judge_quality, lines_of, style_of
from dubgate.judgement import Judgement
from dubgate.labelling import beside
from dubgate.labels.audible import audible_of
from dubgate.labels.reading import read_labels
from dubgate.labels.tracks import Labels
from dubgate.listening import Heard as HeardSound
from dubgate.measure.measurement import Measurement, Scope, Subject
from dubgate.policy.approval_checks import approval_findings
from dubgate.policy.authorisation import told_apart
from dubgate.policy.checks import failed, passed
from dubgate.policy.clearance import clear_all
from dubgate.policy.evidence import APPROVALS, HUMAN, evidence_files, open_all
from dubgate.policy.findings import Finding, Group, Outcome
from dubgate.policy.label_checks import label_findings, since_findings
from dubgate.policy.mix_checks import stream_findings
from dubgate.policy.request_checks import refused_findings
from dubgate.policy.rulings import told_of_rulings
from dubgate.policy.speakers import Declared, Heard
from dubgate.policy.verdict import Verdict
from dubgate.record_judging import look_at_record
from dubgate.voices_heard import compare_voices


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured of a dub, and what comparing its voices gave; no vector is among it."""

    measurements: tuple[Measurement, ...]
    speakers: tuple[Heard, ...]


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """A delivery.yaml, the registry that knows whose title and voices it is about, and how to hear."""

    manifest: Path
    registry: str
    packs: tuple[str, ...] = ()
    models: str = "auto"
    device: str = "auto"
    company: Path | None = None  # its folder, with the register of tools and the policies


def open_registry(location: str) -> Registry:
    """The consent registry, read only; consent's own errors become ours."""
    from consent.errors import ConsentError

    try:
        return Registry.open(location, read_only=True)
    except ConsentError as error:
        raise RegistryError(str(error)) from error


def title_id_of(delivery: Delivery, registry: str) -> str:
    """The registry's id of the delivery's title.

    Raises:
        ManifestError: the registry knows none of its identifiers, or they are of different titles.
    """
    with open_registry(registry) as opened, opened.view() as view:
        release, findings = release_of(delivery, view)
    if release is None or release.title is None:
        raise ManifestError(
            "; ".join(f.text.en for f in findings if f.outcome > Outcome.PASS), where=str(delivery.root)
        )
    return release.title.title.title_id


def quality_request(delivery: Delivery, request: CheckRequest) -> QualityRequest:
    """What `qc` would be asked of this delivery."""
    dub = delivery.dub
    return QualityRequest(
        original=_track(delivery.original.clearest),
        dub=_track(dub.published),
        script=delivery.cues,
        stem=_track(dub.stem) if dub.stem is not None and dub.mix is not None else None,
        music_and_effects=_track(dub.me) if dub.me is not None else None,
        style=delivery.style,
        packs=request.packs,
        models=request.models,
        device=request.device,
        title=delivery.title.name if delivery.title else "",
        characters=tuple(entry.name for entry in delivery.cast),
        cue_start_s=delivery.timecode.start_s if delivery.timecode else 0.0,
        cue_frame_rate=delivery.timecode.frame_rate if delivery.timecode else None,
    )


def _track(source: Source) -> Track:
    return Track(source.path, source.stream, source.language, spoken=source.language)


def labels_of(delivery: Delivery, heard: HeardSound) -> Labels:
    """The labels of the dub as they stand in what is delivered, and whether it says aloud what it is."""
    read = labels_in(delivery, heard.streams[1])
    return replace(read, audible=audible_of(heard.features, language=delivery.dub.language))


def labels_in(delivery: Delivery, stream: int) -> Labels:
    """The labels of the dub as they stand in what is delivered; `stream` is the published one in its file."""
    published = delivery.dub.published
    return read_labels(
        published=published.path,
        stream=stream,
        language=delivery.dub.language,
        published_sha256=file_sha256(published.path),
        package=delivery.package if delivery.stage == "package" else None,
        root=delivery.root,
    )


def judge_delivery(
    delivery: Delivery,
    quality: QualityRequest,
    heard: HeardSound,
    labels: Labels,
    view: View,
    *,
    at: datetime,
    company: Company = NO_COMPANY,
    measured: Measured | None = None,
) -> Judgement:
    """Judge what was heard and read, against what the registry answers at `at`. Hears nothing.

    `company` is what the company keeps once for all deliveries. `measured` is what was measured and compared of the
    same sound before, None to do it now.
    """
    sheet, features = lines_of(heard.features, heard.sheet)
    style = style_of(quality, sheet)
    release, found = release_of(delivery, view)
    evidence, unsorted = evidence_files(delivery)
    findings = [*found, *unsorted]
    # Whose voices they are, and the labels: both decide which packs judge and what the facts say.
    earlier = measured.speakers if measured is not None else None
    speakers, declared, bad = _cleared(delivery, release, features, sheet, evidence, view, at, earlier)
    findings += bad
    labels, told = beside(labels, delivery, evidence, heard.features, view, at)
    findings += told
    destination = destination_of(delivery, release, declared)
    ruled, bad = ruled_packs(packs_for(quality, style, destination), evidence, delivery, view, at)
    findings += bad
    # What is about to be released, by its digests: what everything that people signed is held against.
    candidate = now = looked = None
    approved: tuple[str, ...] = ()
    if release is not None:
        digests = tuple(p.sha256 for p in ruled.packs)
        script = script_sha256_of(delivery)
        candidate = candidate_of(
            delivery, release, features, script_sha256=script, pack_sha256s=digests, style=str(style)
        )
        now = circumstances_of(delivery, candidate, ruled.packs, features.dub.duration_s, view, at)
        approved, bad = partner_approvals(evidence, now, view)
        findings += bad
        looked, found = look_at_record(delivery, release, declared, heard.sheet, company, evidence, now, view)
        findings += found
    facts = facts_of(
        delivery,
        release,
        declared,
        labels,
        style,
        voices=registered_voices(delivery, view, at),
        partners_approved=approved,
        looked=looked,
    )
    judged = judge_quality(
        quality,
        heard.features,
        heard.sheet,
        at=at,
        clock=heard.clock,
        streams=heard.streams,
        facts=facts,
        measurements=measured.measurements if measured is not None else None,
        packs=ruled.packs,
        window=None if release is None else (release.window.start, release.window.end),
    )
    # The checks that no pack can leave out; then, where there is a use to ask about, consent and approval.
    own = told_of_rulings(judged.verdict.findings, ruled)
    findings += _quality_asked(own)
    findings += stream_findings(features)
    findings += label_findings(labels, synthetic=synthetic(declared))
    if labels.master is not None:
        findings += since_findings(labels.master, labels, package=True)
    if release is None or candidate is None or now is None:
        return replace(judged, verdict=Verdict((*own, *findings), quality_only=False))
    findings += clear_all(speakers, declared)
    findings += refused_findings(request_histories(view, f"sound:{candidate.packets_sha256}"), candidate, at)
    approvals, bad = open_all(APPROVALS, evidence.get(APPROVALS.predicate_type, ()), view, at)
    findings += bad
    if release.title is not None:
        findings += approval_findings(release.title, candidate, approvals, view, at)
    # Last, what people answered: it changes findings, so all of them have to be there.
    told = told_apart(with_answers((*own, *findings), evidence, ruled.packs, now, view))
    return replace(judged, verdict=Verdict(told, quality_only=False))


def _quality_asked(judged: Sequence[Finding]) -> tuple[Finding, ...]:
    """INT-004: packs are chosen by who asks, so a choice under which nothing judges the quality holds."""
    asked = any(f.group is Group.QUALITY and f.outcome not in (Outcome.NOT_APPLICABLE, Outcome.WAIVED) for f in judged)
    subject = Subject(Scope.PROGRAMME)
    if asked:
        return (passed("INT-004", subject, "the quality was judged", "品質は判定されました"),)
    return (failed("INT-004", subject, "no rule judged the quality", "品質を判定した規則がありません"),)


Evidence = dict[str, tuple[Path, ...]]


def _cleared(
    delivery: Delivery,
    release: Release | None,
    features: ProgrammeFeatures,
    sheet: CueSheet,
    evidence: Evidence,
    view: View,
    at: datetime,
    compared: tuple[Heard, ...] | None,
) -> tuple[tuple[Heard, ...], list[Declared], tuple[Finding, ...]]:
    """The speakers heard, the cast with the registry's answers, and a finding for each statement of a human performance
    that does not count; without a release there is no use to ask about."""
    if release is None:
        return (), [], ()
    humans, bad = open_all(HUMAN, evidence.get(HUMAN.predicate_type, ()), view, at)
    speakers = compare_voices(features, sheet, delivery, release, view, at) if compared is None else compared
    seconds: dict[str | None, float] = {}
    for speaker in speakers:
        seconds[speaker.name] = seconds.get(speaker.name, 0.0) + speaker.speech_s
    declared = [
        declared_of(
            release, entry, view, at, speech_s=seconds.get(entry.name), human_statements=humans, features=features
        )
        for entry in delivery.cast
    ]
    return speakers, declared, bad
