"""Features of two tracks made from spans of speech and a melody, for tests of timing, prosody, level and damage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from dubgate.delivery.script import Cue, CueSheet, Style
from dubgate.features import Levels, MixCheck, Pitch, ProgrammeFeatures, Series, TrackFeatures
from dubgate.measure.measurement import Measurement, Scope
from dubgate.measure.timing import measure_timing
from dubgate.spans import Span
from dubgate.speech.activity import speech_spans
from dubgate.unmeasured import Unmeasured

HOP_S = 0.032
UNHEARD = Unmeasured("not heard in this test")
Pairs = Sequence[tuple[float, float]]


def probability(spans: Pairs, duration_s: float) -> Series:
    """What a voice detector with a memory of 32 ms says of speech in these spans (start, end)."""
    n = int(np.ceil(duration_s / HOP_S))
    spoken = np.zeros(n * 32)  # every ms
    for start, end in spans:
        spoken[max(0, round(start * 1000)) : max(0, round(end * 1000))] = 1.0
    share = spoken.reshape(n, 32).mean(axis=1)
    return Series(HOP_S, (0.01 + 0.98 * share).astype(np.float32))


def track(
    spans: Pairs,
    duration_s: float = 60.0,
    *,
    melody: Callable[[np.ndarray], np.ndarray] | None = None,
    energy_db: float = -25.0,
    **changes: Any,
) -> TrackFeatures:
    """A track that speaks in these spans, at `energy_db` over -70 dBFS of room; `melody` gives F0 in Hz at times."""
    prob = probability(spans, duration_s)
    times = np.arange(int(duration_s / 0.016)) * 0.016
    inside = np.zeros(len(times), dtype=bool)
    energy = np.full(round(duration_s * 100), -70.0, dtype=np.float32)
    for start, end in spans:
        inside[int(np.ceil(start / 0.016)) : int(np.ceil(end / 0.016))] = True
        energy[round(start * 100) : round(end * 100)] = energy_db
    pitch: Pitch | Unmeasured = UNHEARD
    if melody is not None:
        f0 = np.where(inside, melody(times), np.nan).astype(np.float32)
        pitch = Pitch(Series(0.016, f0), Series(0.016, np.where(inside, 0.95, 0.05).astype(np.float32)))
    made = TrackFeatures(
        name="dub.wav",
        language="en",
        duration_s=duration_s,
        speech_prob=prob,
        speech=speech_spans(prob),
        pitch=pitch,
        energy_db=Series(0.01, energy),
        words=UNHEARD,
        languages=UNHEARD,
        levels=Levels(16_000, 1, np.zeros(0), -6.0, 0, round(duration_s * 16_000)),
        voices=UNHEARD,
        alignments=UNHEARD,
    )
    return replace(made, **changes)


def programme(
    original: TrackFeatures, dub: TrackFeatures, *, residual_db: float | Unmeasured = UNHEARD
) -> ProgrammeFeatures:
    return ProgrammeFeatures(original, dub, MixCheck(residual_db, UNHEARD), ())


def sheet(spans: Pairs, *, texts: Sequence[str] = (), characters: Sequence[str | None] = ("ANNA",)) -> CueSheet:
    """Lines "1", "2"… over these spans, characters in turn."""
    cues = tuple(
        Cue(str(k + 1), Span(start, end), texts[k] if k < len(texts) else "", characters[k % len(characters)])
        for k, (start, end) in enumerate(spans)
    )
    return CueSheet("script.srt", cues, "en")


def by_line(found: Sequence[Measurement], metric: str) -> dict[str, float | Unmeasured]:
    """The values of a line metric by cue id."""
    return {m.subject.name: m.value for m in found if m.metric == metric and m.subject.scope is Scope.LINE}


def of(found: Sequence[Measurement], metric: str, subject: str = "") -> Measurement:
    """The one measurement of a metric of the programme or a character."""
    [m] = [m for m in found if m.metric == metric and m.subject.name == subject and m.subject.scope is not Scope.LINE]
    return m


def timing(
    original: TrackFeatures, dub: TrackFeatures, script: CueSheet, style: Style = Style.LIPSYNC, **mix: Any
) -> tuple[Measurement, ...]:
    return measure_timing(programme(original, dub, **mix), script, style)


def lines_at(n: int, *, seed: int = 0, gap_s: float = 0.9, first_s: float = 1.0) -> list[tuple[float, float]]:
    """n lines of 1 to 3.5 s with pauses of about `gap_s` between them."""
    rng = np.random.default_rng(seed)
    out, now = [], first_s
    for _ in range(n):
        end = now + rng.uniform(1.0, 3.5)
        out.append((round(now, 3), round(end, 3)))
        now = end + gap_s * rng.uniform(0.7, 1.6)
    return out


def moved(spans: Pairs, by_s: float, stretch: float = 1.0) -> list[tuple[float, float]]:
    return [(a * stretch + by_s, b * stretch + by_s) for a, b in spans]
