"""How each line sounds, in a few numbers: what a later report is compared with to see whether a line was touched."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

import numpy as np

from dubgate.features import Floats, Series, TrackFeatures, Word
from dubgate.judgement import Judgement
from dubgate.report.occurrences import dub_extents
from dubgate.spans import Span
from dubgate.unmeasured import Unmeasured

CONTOUR_HOP_S = 0.1
_FLOOR_DB = -120
_SILENT = "no sound in this line"
_UNVOICED = "no voiced sound in this line"
_REFERENCE_HZ = 100.0


def line_sounds(judgement: Judgement) -> dict[str, dict[str, Any]]:
    """Per cue id: `words_heard`, and for each track its speech, mean level, F0 median and spread, and level contour."""
    features = judgement.features
    extents = dub_extents(judgement)
    original, dub = _Track(features.original), _Track(features.dub)
    return {
        cue.id: {
            "words_heard": words_heard(features.dub, extents.get(cue.id, cue.span)),
            "original": original.summary(cue.span),
            "dub": dub.summary(extents.get(cue.id, cue.span)),
        }
        for cue in judgement.sheet.cues
    }


def words_heard(track: TrackFeatures, span: Span) -> Any:
    """The words whose middle lies in a span, as one text, or why there are none to be had."""
    if isinstance(track.words, Unmeasured):
        return {"unmeasured": track.words.reason}
    return " ".join(w.text for w in words_in(track.words, span))


def words_in(words: Sequence[Word], span: Span) -> list[Word]:
    """The words whose middle lies in a span; words are in order of time."""
    first = bisect_left(words, span.start_s, key=_middle_s)
    last = bisect_left(words, span.end_s, key=_middle_s)
    return list(words[first:last])


def _middle_s(word: Word) -> float:
    return (word.span.start_s + word.span.end_s) / 2


class _Track:
    """One track, asked about many spans."""

    def __init__(self, track: TrackFeatures) -> None:
        self._track = track
        self._speech_ends = [s.end_s for s in track.speech]

    def summary(self, span: Span) -> dict[str, Any]:
        f0_hz, f0_mad_st = self._pitch(span)
        return {
            "start_s": round(span.start_s, 3),
            "end_s": round(span.end_s, 3),
            "speech": [[round(s.start_s, 3), round(s.end_s, 3)] for s in self._speech(span)],
            "energy_db": _mean_db(self._track.energy_db.within(span)),
            "f0_hz": f0_hz,
            "f0_mad_st": f0_mad_st,
            "contour_db": _contour(self._track.energy_db, span),
        }

    def _speech(self, span: Span) -> list[Span]:
        first = bisect_left(self._speech_ends, span.start_s)
        found = []
        for s in self._track.speech[first:]:
            if s.start_s >= span.end_s:
                break
            if s.end_s > span.start_s:
                found.append(Span(max(s.start_s, span.start_s), min(s.end_s, span.end_s)))
        return found

    def _pitch(self, span: Span) -> tuple[Any, Any]:
        if isinstance(self._track.pitch, Unmeasured):
            why = {"unmeasured": self._track.pitch.reason}
            return why, why
        voiced = self._track.pitch.f0_hz.within(span)
        voiced = voiced[np.isfinite(voiced)]
        if not len(voiced):
            return {"unmeasured": _UNVOICED}, {"unmeasured": _UNVOICED}
        semitones = 12 * np.log2(voiced / _REFERENCE_HZ)
        spread = float(np.median(np.abs(semitones - np.median(semitones))))
        return round(float(np.median(voiced)), 1), round(spread, 2)


def _mean_db(energy_db: Floats) -> Any:
    power = np.power(10.0, energy_db.astype(np.float64) / 10)
    mean = float(power.mean()) if len(power) else 0.0
    return round(10 * float(np.log10(mean)), 1) if mean > 10 ** (_FLOOR_DB / 10) * 2 else {"unmeasured": _SILENT}


def _contour(energy_db: Series, span: Span) -> list[int]:
    """Mean level of each 0.1 s from the start of the span, in whole dBFS."""
    frames = energy_db.within(span).astype(np.float64)
    step = max(1, round(CONTOUR_HOP_S / energy_db.hop_s))
    n = len(frames) // step
    if not n:
        return []
    power = np.power(10.0, frames[: n * step] / 10).reshape(n, step).mean(axis=1)
    return [int(v) for v in np.round(10 * np.log10(np.maximum(power, 1e-12)))]


__all__ = ["CONTOUR_HOP_S", "line_sounds", "words_heard", "words_in"]
