"""Loudness of the dub, its true peak, how much of it is speech, and what the mix check said."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dubgate.features import Levels, ProgrammeFeatures, TrackFeatures
from dubgate.measure.measurement import Measurement, Scope, Subject
from dubgate.spans import mask, total_s
from dubgate.unmeasured import Unmeasured

ABSOLUTE_GATE_LUFS = -70.0
RELATIVE_GATE_LU = -10.0  # BS.1770-4
RANGE_GATE_LU = -20.0  # EBU Tech 3342
SHORTEST_RANGE_S = 60.0  # EBU R 128: loudness range is not for programmes under a minute
SHORTEST_SPEECH_S = 1.0
_PROGRAMME = Subject(Scope.PROGRAMME)
_SILENT = Unmeasured("nothing in the dub is louder than -70 LUFS")

Doubles = NDArray[np.float64]


def measure_level(features: ProgrammeFeatures) -> tuple[Measurement, ...]:
    """All level metrics of the dub, and of its mix where a stem was heard."""
    dub = features.dub
    speech_s = total_s(dub.speech)
    rows: tuple[tuple[str, float | Unmeasured, float], ...] = (
        ("integrated_lufs", integrated_lufs(dub.levels), dub.duration_s),
        ("speech_gated_lkfs", speech_gated_lkfs(dub), speech_s),
        ("loudness_range_lu", loudness_range_lu(dub.levels), dub.duration_s),
        ("true_peak_dbtp", _true_peak(dub.levels), dub.duration_s),
        ("dialogue_share", dialogue_share(dub), dub.duration_s),
        ("mix_residual_db", features.mix.residual_db, dub.duration_s),
        ("speech_to_background_db", features.mix.speech_to_background_db, speech_s),
    )
    return tuple(Measurement(metric, _PROGRAMME, value, weight_s) for metric, value, weight_s in rows)


def integrated_lufs(levels: Levels) -> float | Unmeasured:
    """Integrated loudness: mean power of 400 ms blocks above -70 LUFS and above 10 LU under those blocks' mean."""
    gated = _gated(levels.block_power, RELATIVE_GATE_LU)
    return _no_power(levels) if gated is None else _loudness(float(gated.mean()))


def speech_gated_lkfs(track: TrackFeatures) -> float | Unmeasured:
    """Loudness of the 400 ms blocks of which speech fills at least half, gated at -70 LKFS only."""
    power = track.levels.block_power
    if total_s(track.speech) < SHORTEST_SPEECH_S:
        return Unmeasured("the dub has less than 1 s of speech")
    spoken = power[_speech_share_of_blocks(track) >= 0.5]
    spoken = spoken[_audible(spoken)]
    return _loudness(float(spoken.mean())) if len(spoken) else _no_power(track.levels)


def loudness_range_lu(levels: Levels) -> float | Unmeasured:
    """EBU Tech 3342: from the 10th to the 95th percentile of short-term loudness, gated at -70 LUFS and -20 LU."""
    power = levels.short_term_power
    if levels.total_samples < SHORTEST_RANGE_S * levels.sample_rate_hz:
        return Unmeasured("loudness range is not defined for programmes under a minute (EBU R 128)")
    gated = _gated(power, RANGE_GATE_LU)
    if gated is None:
        return _no_power(levels)
    low, high = np.percentile(gated, [10, 95])
    return _loudness(float(high)) - _loudness(float(low))


def dialogue_share(track: TrackFeatures) -> float | Unmeasured:
    """Seconds of speech over the programme's."""
    if track.duration_s <= 0:
        return Unmeasured("the dub is empty")
    return min(1.0, total_s(track.speech) / track.duration_s)


def _true_peak(levels: Levels) -> float | Unmeasured:
    return levels.true_peak_dbtp if levels.true_peak_dbtp > -120.0 else Unmeasured("the dub is digital silence")


def _gated(power: Doubles, relative_lu: float) -> Doubles | None:
    """The powers above both gates; None where nothing is."""
    audible = power[_audible(power)]
    if not len(audible):
        return None
    return np.asarray(audible[audible > audible.mean() * 10 ** (relative_lu / 10)])


def _audible(power: Doubles) -> NDArray[np.bool_]:
    return np.asarray(power > 10 ** ((ABSOLUTE_GATE_LUFS + 0.691) / 10))


def _loudness(power: float) -> float:
    return -0.691 + 10 * float(np.log10(power))


def _no_power(levels: Levels) -> Unmeasured:
    if not len(levels.block_power):
        return Unmeasured("the dub is shorter than 0.4 s, or sampled below 8 kHz: too little to measure loudness")
    return _SILENT


def _speech_share_of_blocks(track: TrackFeatures) -> Doubles:
    """Share of each 400 ms block that is speech [shape=(n_blocks,)], on a 10 ms grid."""
    n, hop, width = len(track.levels.block_power), 10, 40
    spoken = np.concatenate([[0], np.cumsum(mask(track.speech, 0.01, n * hop + width))])
    starts = np.arange(n) * hop
    return np.asarray((spoken[starts + width] - spoken[starts]) / width)
