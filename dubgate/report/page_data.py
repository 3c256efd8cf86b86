"""What the page's script works on: lines, findings, levels and pitch of both tracks, small enough for long programmes."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from dubgate.features import Series, TrackFeatures, Word
from dubgate.japanese.telling import in_japanese
from dubgate.judgement import Clock, Judgement
from dubgate.measure.measurement import Measurement, Scope
from dubgate.measure.metrics import METRICS
from dubgate.policy.bands import told, with_unit
from dubgate.policy.checks import CHECKS
from dubgate.policy.findings import Finding
from dubgate.report.line_sound import words_in
from dubgate.report.occurrences import LineFindings, dub_extents, failed, lines_with_findings
from dubgate.report.plain_values import measured_of, plain, wanted_of
from dubgate.report.printable import printable
from dubgate.report.sounds import window_of
from dubgate.spans import Span
from dubgate.unmeasured import Unmeasured

MOST_POINTS = 700_000  # of a series; longer ones are pooled
LOWEST_DB = -100.0
STEPS_A_DB = 2.5
LOWEST_HZ = 50.0
STEPS_A_SEMITONE = 6.0


def page_data(judgement: Judgement) -> dict[str, Any]:
    """Plain data; every text in it is safe to show, none of it is markup."""
    features, clock = judgement.features, judgement.clock
    told = failed(judgement.verdict.findings)
    place = {id(f): k for k, f in enumerate(told)}
    return {
        "duration_s": round(max(features.original.duration_s, features.dub.duration_s, 0.1), 3),
        "clock": {
            "rate": [clock.frame_rate.numerator, clock.frame_rate.denominator],
            "drop": clock.drop_frame,
            "start": clock.start_frames,
        },
        "scale": {"lowest_db": LOWEST_DB, "a_db": STEPS_A_DB, "lowest_hz": LOWEST_HZ, "a_st": STEPS_A_SEMITONE},
        "tracks": {"original": _track(features.original), "dub": _track(features.dub)},
        "findings": [_finding(f, clock) for f in told],
        "metrics": {m.name: {"en": m.means, "ja": m.means_ja} for m in METRICS.values()},
        "lines": _lines(judgement, place),
    }


def _track(track: TrackFeatures) -> dict[str, Any]:
    pitch = track.pitch
    return {
        "speech": [[round(s.start_s, 2), round(s.end_s, 2)] for s in track.speech],
        "energy": energy_series(track.energy_db),
        "f0": None if isinstance(pitch, Unmeasured) else f0_series(pitch.f0_hz),
        **_why_no_f0(pitch),
    }


def _why_no_f0(pitch: object) -> dict[str, str]:
    why = pitch.reason if isinstance(pitch, Unmeasured) else ""
    return {"why_no_f0": printable(why), "why_no_f0_ja": printable(in_japanese(why))}


def energy_series(energy_db: Series) -> dict[str, Any]:
    """Levels as bytes: `(dB + 100) * 2.5`; the loudest of what is pooled."""
    pool = max(1, -(-len(energy_db.values) // MOST_POINTS))
    n = len(energy_db.values) // pool * pool
    pooled = energy_db.values[:n].reshape(-1, pool).max(axis=1) if n else energy_db.values[:0]
    return _bytes((np.nan_to_num(pooled, nan=LOWEST_DB) - LOWEST_DB) * STEPS_A_DB, energy_db.hop_s * pool)


def f0_series(f0_hz: Series) -> dict[str, Any]:
    """F0 as bytes: 0 where unvoiced, else `1 + 6 * semitones above 50 Hz`."""
    pool = max(1, -(-len(f0_hz.values) // MOST_POINTS))
    values = f0_hz.values[::pool].astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        steps = 1 + STEPS_A_SEMITONE * 12 * np.log2(values / LOWEST_HZ)
    return _bytes(np.where(np.isfinite(steps), np.maximum(steps, 1), 0), f0_hz.hop_s * pool)


def _bytes(values: Any, hop_s: float) -> dict[str, Any]:
    packed = np.clip(np.round(values), 0, 255).astype(np.uint8)
    return {"hop_s": hop_s, "bytes": base64.b64encode(packed.tobytes()).decode()}


def _finding(f: Finding, clock: Clock) -> dict[str, Any]:
    measured, wanted = measured_of(f, clock), wanted_of(f)
    return {
        "outcome": f.outcome.name.lower(),
        "rule": printable(f.rule),
        "pack": printable(f.pack),
        "en": printable(f.text.en),
        "ja": printable(f.text.ja),
        "value": printable(measured.en),
        "value_ja": printable(measured.ja),
        "bound": printable(wanted.en),
        "bound_ja": printable(wanted.ja),
        "why": printable(f.why.en),
        "why_ja": printable(f.why.ja),
        "required": f.rule in CHECKS,
        "remedy": printable(f.remedy.en),
        "remedy_ja": printable(f.remedy.ja),
        "source": printable(f.source),
        "who": printable(f.who_can_resolve or ""),
        "who_ja": printable(in_japanese(f.who_can_resolve or "")),
        "decided_by": [printable(d) for d in f.decided_by],
        "decided_by_ja": [printable(in_japanese(d)) for d in f.decided_by],
        "spans": [_span(s) for s in f.spans[:50]],
    }


def _span(span: Span) -> list[float]:
    return [round(span.start_s, 3), round(span.end_s, 3)]


def _lines(judgement: Judgement, place: dict[int, int]) -> list[dict[str, Any]]:
    extents = dub_extents(judgement)
    measured: dict[str, list[Measurement]] = {}
    for m in judgement.measurements:
        if m.subject.scope is Scope.LINE:
            measured.setdefault(m.subject.name, []).append(m)
    words = judgement.features.dub.words
    heard: Sequence[Word] | None = None if isinstance(words, Unmeasured) else words
    return [
        _line(line, extents.get(line.cue.id), measured.get(line.cue.id, ()), heard, place)
        for line in lines_with_findings(judgement)
    ]


def _line(
    line: LineFindings,
    extent: Span | None,
    measured: Iterable[Measurement],
    heard: Sequence[Word] | None,
    place: dict[int, int],
) -> dict[str, Any]:
    cue, window = line.cue, window_of(line.cue, extent)
    return {
        "id": printable(cue.id),
        "key": cue.id,
        "at": _span(cue.span),
        "dub": _span(extent) if extent else None,
        "window": _span(window),
        "who": printable(cue.character or ""),
        "text": printable(cue.text),
        "original_text": printable(cue.original_text or ""),
        "kind": cue.kind.value,
        "kind_ja": in_japanese(cue.kind.value),
        "outcome": line.outcome.name.lower(),
        "own": [place[id(f)] for f in line.own],
        "touching": [place[id(f)] for f in line.touching],
        "n_passed": line.n_passed,
        "words": None if heard is None else [[printable(w.text), *_span(w.span)] for w in words_in(heard, window)],
        "heard": None if heard is None else " ".join(printable(w.text) for w in words_in(heard, extent or cue.span)),
        "measured": [_measured(m) for m in measured],
    }


def _measured(m: Measurement) -> list[str]:
    if isinstance(m.value, Unmeasured):
        return [m.metric, "", printable(m.value.reason), "", printable(in_japanese(m.value.reason))]
    metric = METRICS.get(m.metric)
    shown = (
        (plain(with_unit(m.value, metric.unit)), told(m.value, metric.unit, "ja")) if metric else (f"{m.value:g}",) * 2
    )
    return [m.metric, shown[0], "", shown[1], ""]
