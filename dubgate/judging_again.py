"""Judging again from what was measured: after somebody's answer no model runs, only the registry is asked anew.

Kept beside the hearing are the measurements and what comparing the voices gave, scores without a vector, under a key that
names everything they rest on: the bytes, the models, the cast, and the enrolments that might be compared then. Where a
permission or an enrolment changed since, the voices are heard again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from consent.gallery import protected_gallery
from consent.views import View
from dubgate import __version__, cache
from dubgate.clearing import Release, release_of
from dubgate.company.folder import Company, read_company
from dubgate.delivery.manifest import Delivery, load_delivery
from dubgate.gate import QualityRequest, lines_of, packs_of, style_of
from dubgate.gate import measure as measure_all
from dubgate.judgement import Judgement
from dubgate.kept_measures import SCHEMA, keep, load
from dubgate.listening import Heard, asked_of, hear, heard_before
from dubgate.policy.speakers import Heard as Speaker
from dubgate.release import (
    CheckRequest,
    Measured,
    judge_delivery,
    labels_of,
    open_registry,
    quality_request,
)
from dubgate.speech.calibration import Relation, find
from dubgate.voices_heard import compare_voices, galleries_of, own_translation

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Judged:
    """A delivery and its judgement; `heard_again` says whether a model had to run for it."""

    delivery: Delivery
    judgement: Judgement
    heard_again: bool


def judge_again(
    request: CheckRequest, *, at: datetime, progress: Progress, clock: Callable[[], datetime] | None = None
) -> Judged:
    """Judge a delivery, from what was measured before where nothing that it rests on has changed.

    Args:
        clock: what time it is once it was heard, which may take hours: then it is judged as the registry is known by then,
            to its last entry: a clock that was set back unsays none. None judges as at `at`, whatever happened meanwhile.

    Raises:
        InputError: the manifest, a file it names, or a pack cannot be used.
        RegistryError: the registry is missing, locked, damaged or newer than this program.
        ModelError, ChildError: hearing was needed and could not be done.
    """
    delivery, company = load_delivery(request.manifest), read_company(request.company)
    quality = quality_request(delivery, request)
    packs_of(quality, quality.style)
    asked = asked_of(quality)
    with open_registry(request.registry) as registry:
        if (before := heard_before(asked)) is not None:
            with registry.view() as view:
                at = _moment(at, clock, view)
                if (measured := load(Measured, asked.key, key_of(delivery, before, view, at))) is not None:
                    fresh = replace(measured, speakers=refreshed(measured.speakers, delivery, view, at))
                    return Judged(
                        delivery, _judged(delivery, quality, before, fresh, company, view, at), heard_again=False
                    )
        heard = hear(quality, progress, asked)
        with registry.view() as view:
            at = _moment(at, clock, view)
            cache.mark(asked.key, compared_in(delivery, heard, view, at))
            measured = measured_of(delivery, quality, heard, view, at)
            judgement = _judged(delivery, quality, heard, measured, company, view, at)
            voices = compared_in(delivery, heard, view, at)
            keep(asked.key, key_of(delivery, heard, view, at), measured, voices=voices)
            return Judged(delivery, judgement, heard_again=True)


def _moment(at: datetime, clock: Callable[[], datetime] | None, view: View) -> datetime:
    return at if clock is None else max(at, clock(), view.store.last_recorded_at() or at)


def _judged(
    delivery: Delivery,
    quality: QualityRequest,
    heard: Heard,
    measured: Measured,
    company: Company,
    view: View,
    at: datetime,
) -> Judgement:
    labels = labels_of(delivery, heard)
    return judge_delivery(delivery, quality, heard, labels, view, at=at, company=company, measured=measured)


def measured_of(delivery: Delivery, quality: QualityRequest, heard: Heard, view: View, at: datetime) -> Measured:
    """Measure what was heard, and compare its voices as far as the registry allows now."""
    sheet, features = lines_of(heard.features, heard.sheet)
    release, _ = release_of(delivery, view)
    speakers = compare_voices(features, sheet, delivery, release, view, at) if release is not None else ()
    return Measured(measure_all(features, sheet, style_of(quality, sheet)), speakers)


def refreshed(speakers: Sequence[Speaker], delivery: Delivery, view: View, at: datetime) -> tuple[Speaker, ...]:
    """The same comparisons, with what the registry says now of the performers' own translations."""
    release, _ = release_of(delivery, view)
    if release is None:
        return tuple(speakers)
    return tuple(replace(s, original_granted=_granted(s, delivery, release, view, at)) for s in speakers)


def _granted(speaker: Speaker, delivery: Delivery, release: Release, view: View, at: datetime) -> bool:
    entry = delivery.cast_of(speaker.name) if speaker.name is not None else None
    return own_translation(entry, release, view, at)


def key_of(delivery: Delivery, heard: Heard, view: View, at: datetime) -> str:
    """Everything that the measurements and comparisons rest on, the registry's answers of now included."""
    encoder = _encoder(heard)
    cast = [entry.model_dump(mode="json") for entry in delivery.cast]
    voices = sorted({v for entry in delivery.cast for v in entry.voice_ids})
    compared = {v: sorted(e.enrolment.enrolment_id for e in view.enrolments(v, at)) for v in voices}
    protected = sorted(e.enrolment.enrolment_id for e in view.protected_voices(at, encoder_sha256=encoder))
    scale = repr(find(encoder, Relation.SAME))
    release, _ = release_of(delivery, view)
    searched = None if release is None else _searched(release, delivery, encoder, view, at)
    facts = [SCHEMA, __version__, heard.key, str(delivery.style), cast, compared, protected, searched, scale]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def compared_in(delivery: Delivery, heard: Heard, view: View, at: datetime) -> frozenset[str]:
    """Whose voices are compared in a delivery: those that its cast declares, and everybody who is looked for."""
    declared = {v for entry in delivery.cast for v in entry.voice_ids}
    release, _ = release_of(delivery, view)
    if release is None:
        return frozenset(declared)
    titles, vendors = galleries_of(release, delivery)
    among = protected_gallery(view, at, encoder_sha256=_encoder(heard), title_ids=titles, vendor_ids=vendors)
    return frozenset(declared | set(among.voice_ids))


def _encoder(heard: Heard) -> str:
    return next((m.weights_sha256 for m in heard.features.models if m.kind == "speaker_encoder"), "none")


def _searched(release: Release, delivery: Delivery, encoder: str, view: View, at: datetime) -> list[Any]:
    """Whom the search for protected voices looks among, and in what order; no template is part of it."""
    titles, vendors = galleries_of(release, delivery)
    among = protected_gallery(view, at, encoder_sha256=encoder, title_ids=titles, vendor_ids=vendors)
    halt = None if among.halt is None else among.halt.halt_id
    return [among.voice_ids, among.confirmed, among.near, sorted(among.elsewhere), among.unpermitted, halt]
