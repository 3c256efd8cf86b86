"""One delivery of a batch, judged where it is heard: on this machine, or by a worker of a cluster. Commits nothing."""

from __future__ import annotations

import hashlib
import os
import pickle
import socket
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import rfc8785

from consent.views import View
from dubgate.clearing import release_of
from dubgate.delivery.manifest import Delivery
from dubgate.engine.fetching import fetched, is_url, state_of
from dubgate.engine.jobs import Answer, Facts, Failure, Job, Result, Settings, Voices
from dubgate.engine.judges import judges_of, models_in
from dubgate.engine.since import known_by
from dubgate.engine.traits import traits_of, voices_of
from dubgate.errors import ChildError, DubgateError
from dubgate.features import ProgrammeFeatures
from dubgate.judgement import Judgement
from dubgate.judging_again import Judged, judge_again
from dubgate.kept import without_vectors
from dubgate.listening import hear
from dubgate.policy.findings import Finding, Outcome
from dubgate.policy.verdict import Decision, Verdict
from dubgate.release import CheckRequest, open_registry, quality_request
from dubgate.report.json import groups_of, to_json
from dubgate.report.write import report_files
from dubgate.spans import Span, union
from dubgate.watching import watch

AROUND_S = 2.0  # listened to before and after each place that a person has to judge


def judge_one(job: Job, settings: Settings) -> Result:
    """Judge a delivery; whatever goes wrong with it is an answer, so that no other delivery suffers."""
    started = time.monotonic()
    try:
        judges = judges_of(settings)
        if settings.known and known_by(settings.registry, settings.at) != settings.known:
            return Failure("the registry that lies where it was heard is another than the batch's, or an older copy")
        answer = _judged(job, settings)
        if judges_of(settings) != judges:
            return Failure("a rule pack, the company's folder, a model or the program changed while it was judged")
    except DubgateError as error:
        return Failure(str(error), lost=isinstance(error, ChildError))
    except MemoryError:
        return Failure("the worker ran out of memory", lost=True)
    except Exception as error:  # noqa: BLE001 - one bad delivery never stops the others; nothing is judged by it
        return Failure(f"internal error: {type(error).__name__}: {error}")
    who = f"{socket.gethostname()}:{os.getpid()}"
    return replace(answer, worker=who, seconds=time.monotonic() - started, judges=judges)


def rewrite_one(job: Job, settings: Settings, more: Sequence[Finding], report_sha256: str) -> Result:
    """The reports of a delivery that is judged already, with findings that only warn.

    Nothing is judged twice under different answers: where the same judgement does not come out again, its reports stay.
    """
    if any(f.outcome is not Outcome.WARN for f in more):
        return Failure("what other episodes show may only warn")
    try:
        with fetched(job.location) as manifest:
            judged = judge_again(_request(manifest, settings), at=settings.at, progress=lambda *_: None)
            if canonical_sha256(judged.judgement) != report_sha256:
                return Failure("the delivery or the registry changed since it was judged")
            told = replace(judged.judgement, verdict=Verdict((*judged.judgement.verdict.findings, *more)))
            if told.verdict.decision is not judged.judgement.verdict.decision:
                return Failure("what other episodes show may not decide")
            files = report_files(told, settings.formats, media=settings.media, lang=settings.lang)
            facts, voices = _facts(job, judged, settings, with_voices=False, manifest=manifest)
        return Answer(facts, files, voices, judges=judges_of(settings))
    except DubgateError as error:
        return Failure(str(error))


def voices_again(job: Job, settings: Settings) -> Result:
    """The voices of a delivery that is judged already: they are kept nowhere, so they are heard again."""
    try:
        with fetched(job.location) as manifest:
            judged = judge_again(_request(manifest, settings), at=settings.at, progress=lambda *_: None)
            facts, voices = _facts(job, judged, settings, with_voices=True, manifest=manifest)
        return Answer(facts, {}, voices, judges=judges_of(settings))
    except DubgateError as error:
        return Failure(str(error))


def _request(manifest: Path, settings: Settings) -> CheckRequest:
    company = None if settings.company is None else Path(settings.company)
    return CheckRequest(manifest, settings.registry, settings.packs, settings.models, settings.device, company)


def _judged(job: Job, settings: Settings) -> Answer:
    with fetched(job.location) as manifest:
        request = _request(manifest, settings)
        aside = None if settings.aside is None else Path(settings.aside)
        told = settings.signed or settings.elsewhere
        watched = watch(manifest, company=request.company, aside=aside) if told else None
        with nullcontext() if watched is None else watched.pinned():
            judged = judge_again(request, at=settings.at, progress=lambda *_: None)
        files = report_files(judged.judgement, settings.formats, media=settings.media, lang=settings.lang)
        facts, voices = _facts(job, judged, settings, with_voices=True, manifest=manifest)
        if watched is not None:
            watched.require_judged(judged.delivery)
            watched.require_unchanged()
    whole = pickle.dumps(_bare(judged.judgement)) if settings.signed else None
    state = state_of(job.location) if is_url(job.location) else ""
    return Answer(facts, files, voices, whole, () if watched is None else watched.rests_on, state)


def _bare(judgement: Judgement) -> Judgement:
    return replace(judgement, features=without_vectors(judgement.features))


def canonical_sha256(judgement: Judgement) -> str:
    """The digest of everything that the JSON report says; no host, worker or duration of the work is in it."""
    return hashlib.sha256(rfc8785.dumps(to_json(judgement))).hexdigest()


def _facts(job: Job, judged: Judged, settings: Settings, *, with_voices: bool, manifest: Path) -> tuple[Facts, Voices]:
    delivery, judgement = judged.delivery, judged.judgement
    with open_registry(settings.registry) as registry, registry.view() as view:
        series = series_of(delivery, view)
        traits = () if series is None else traits_of(delivery, judgement.features, judgement.sheet, view, settings.at)
    voices: Voices = {}
    if with_voices and any(t.not_compared is None for t in traits):
        features = judgement.features if judged.heard_again else _heard_again(delivery, manifest, settings)
        voices = voices_of(features, traits)
    features = judgement.features
    decision = judgement.verdict.decision
    facts = Facts(
        title=judgement.title,
        language=delivery.dub.language,
        vendor=_vendor(delivery),
        submission=_submission(delivery, job),
        series=series,
        decision=decision.name.lower(),
        groups=tuple((g.value, judgement.verdict.of(g).name.lower()) for g in groups_of(judgement)),
        blocking=_rules(judgement, Outcome.BLOCK),
        holding=_rules(judgement, Outcome.HOLD, Outcome.UNKNOWN),
        warning=_rules(judgement, Outcome.WARN),
        minutes=features.dub.duration_s / 60,
        review_minutes=review_s(judgement) / 60,
        report_sha256=canonical_sha256(judgement),
        encoder_sha256=next((m.weights_sha256 for m in features.models if m.kind == "speaker_encoder"), ""),
        traits=traits,
        models=models_in(features.models),
    )
    return facts, voices


def _heard_again(delivery: Delivery, manifest: Path, settings: Settings) -> ProgrammeFeatures:
    """The voices alone are heard: everything else of this delivery is kept."""
    return hear(quality_request(delivery, _request(manifest, settings)), lambda *_: None).features


def series_of(delivery: Delivery, view: View) -> str | None:
    """What the title belongs to, as the registry knows it; else the series file that the manifest inherits from."""
    release, _ = release_of(delivery, view)
    above = release.title.above if release is not None and release.title is not None else ()
    if above:
        return f"title:{above[-1].title_id}"
    return f"extends:{delivery.manifests[-1][1][:16]}" if len(delivery.manifests) > 1 else None


def _vendor(delivery: Delivery) -> str:
    named = sorted({entry.vendor for entry in delivery.cast if entry.vendor})
    return delivery.submitter or ", ".join(named) or "not stated"


def _submission(delivery: Delivery, job: Job) -> str:
    identifiers = delivery.title.identifiers if delivery.title is not None else ()
    return f"{identifiers[0] if identifiers else job.name} {delivery.dub.language}"


def _rules(judgement: Judgement, *outcomes: Outcome) -> tuple[str, ...]:
    return tuple(sorted({f.rule for f in judgement.verdict.findings if f.outcome in outcomes}))


def review_s(judgement: Judgement) -> float:
    """How many seconds a person has to listen to: the places that hold or block, with two seconds around each.

    A finding without a place costs no listening. Where nothing has to be decided there is nothing to review.
    """
    if judgement.verdict.decision is Decision.RELEASE:
        return 0.0
    wanted = (Outcome.HOLD, Outcome.BLOCK, Outcome.UNKNOWN)
    places = [s for f in judgement.verdict.findings if f.outcome in wanted for s in f.spans]
    end_s = judgement.features.dub.duration_s
    padded = [Span(max(0.0, p.start_s - AROUND_S), min(end_s, p.end_s + AROUND_S)) for p in places if p.start_s < end_s]
    return float(sum(s.duration_s for s in union(padded)))
