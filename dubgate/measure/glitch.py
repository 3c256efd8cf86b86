"""Damage in the dub: full scale, holes cut into lines, clicks, another length than the original, noise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dubgate.delivery.script import CueKind, CueSheet
from dubgate.features import ProgrammeFeatures, TrackFeatures
from dubgate.measure.measurement import Measurement, Scope, Subject
from dubgate.measure.pauses import Speech, without
from dubgate.spans import Span, total_s
from dubgate.unmeasured import Unmeasured

# A hole cuts speech off where the level right before it lies this near to the line's: speech that ends by itself fades
# by more. The side after a hole tells nothing, since a voice may start at once.
CUT_WITHIN_DB = 15.0
BEFORE_S = 0.03
SHORTEST_HOLE_S = 0.05
PHRASE_END_S = 0.25  # voice activity ends this near to the sound
SHOWN_CLICK_S = 0.02
_PROGRAMME = Subject(Scope.PROGRAMME)
_EMPTY = Unmeasured("the dub is empty")
_ABRUPT = Unmeasured(
    "this voice cuts its phrases off into digital silence, so that holes cannot be told from its pauses"
)


def measure_glitch(features: ProgrammeFeatures, sheet: CueSheet) -> tuple[Measurement, ...]:
    """All damage metrics of the dub: holes line by line, the rest of the programme."""
    dub = features.dub
    return (
        *_dropouts(dub, sheet),
        _clipping(dub),
        _clicks(dub),
        _duration_difference(features.original, dub),
        Measurement("snr_db", _PROGRAMME, snr_db(dub), total_s(dub.speech)),
    )


def snr_db(track: TrackFeatures) -> float | Unmeasured:
    """80th percentile of the level of speech over the 10th of all, in 10 ms frames (quality-metrics section 5)."""
    levels = [track.energy_db.within(s) for s in track.speech]
    spoken = np.concatenate([np.zeros(0, np.float32), *levels])
    if not len(spoken):
        return Unmeasured("no speech was heard in the dub")
    return float(np.percentile(spoken, 80) - np.percentile(track.energy_db.values, 10))


def _clipping(dub: TrackFeatures) -> Measurement:
    levels = dub.levels
    value = levels.clipped_samples / levels.total_samples if levels.total_samples else _EMPTY
    return Measurement("clipping_ratio", _PROGRAMME, value, dub.duration_s, levels.clipped)


def _clicks(dub: TrackFeatures) -> Measurement:
    times = dub.levels.clicks_s
    spans = tuple(Span(max(0.0, t - SHOWN_CLICK_S / 2), t + SHOWN_CLICK_S / 2) for t in times)
    value = float(len(times)) if dub.levels.total_samples else _EMPTY
    return Measurement("click_count", _PROGRAMME, value, dub.duration_s, spans)


def _duration_difference(original: TrackFeatures, dub: TrackFeatures) -> Measurement:
    value = dub.duration_s - original.duration_s if dub.duration_s > 0 and original.duration_s > 0 else _EMPTY
    return Measurement("duration_difference_s", _PROGRAMME, value, dub.duration_s)


def _dropouts(dub: TrackFeatures, sheet: CueSheet) -> list[Measurement]:
    """The longest hole of digital silence inside each line, of 50 ms or more.

    Many dubs are digitally silent between words by design. In those a hole counts only where it cuts speech off; in
    a dub with room tone every hole does. A voice that cuts off all its phrases (espeak does) leaves it untold.
    """
    mutes, speech = Speech(dub.levels.mutes), Speech(dub.speech)
    by_design = _is_silent_by_design(dub)
    abrupt = by_design and _ends_abruptly(dub)
    out: list[Measurement] = []
    for cue in sheet.cues:
        if cue.kind is CueKind.KEPT_ORIGINAL:
            continue
        spoken = speech.within(cue.span)
        holes = tuple(h for h in mutes.within(cue.span) if h.duration_s >= SHORTEST_HOLE_S)
        value: float | Unmeasured
        if by_design and not spoken:
            holes, value = (), Unmeasured("no speech was heard in this line")
        else:
            holes = tuple(h for h in holes if not by_design or _follows_loud_sound(h, _level(spoken, dub), dub))
            value = _ABRUPT if abrupt and holes else max((h.duration_s for h in holes), default=0.0)
        subject = Subject(Scope.LINE, cue.id, cue.character)
        out.append(Measurement("dropout_s", subject, value, cue.span.duration_s, holes or (cue.span,)))
    return out


def _is_silent_by_design(dub: TrackFeatures) -> bool:
    """Whether half of what is not speech is digital silence."""
    between = without([Span(0.0, dub.duration_s)], dub.speech)
    silent_s = total_s(without(dub.levels.mutes, dub.speech))
    return silent_s >= 0.5 * total_s(between)


def _ends_abruptly(dub: TrackFeatures) -> bool:
    """Whether half of the digital silences that follow a phrase follow it at full level."""
    level = _level(dub.speech, dub)
    after = [m for m in dub.levels.mutes if any(abs(m.start_s - s.end_s) < PHRASE_END_S for s in dub.speech)]
    return sum(_follows_loud_sound(m, level, dub) for m in after) > len(after) / 2


def _level(spoken: Sequence[Span], dub: TrackFeatures) -> float:
    """The median level of some speech, dBFS."""
    frames = [dub.energy_db.within(s) for s in spoken]
    return float(np.median(np.concatenate([np.full(1, -120.0) if not frames else frames[0], *frames[1:]])))


def _follows_loud_sound(hole: Span, level_db: float, dub: TrackFeatures) -> bool:
    """Whether the sound right before the hole is about as loud as speech."""
    before = dub.energy_db.within(Span(max(0.0, hole.start_s - BEFORE_S), hole.start_s))
    return bool(len(before) and float(before.max()) >= level_db - CUT_WITHIN_DB)
