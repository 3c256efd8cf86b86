"""Features of a dub of which only words, alignments and languages are of interest, for tests and benchmarks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dubgate.delivery.script import Cue, CueKind, CueSheet
from dubgate.features import (
    BackendInfo,
    LanguageWindow,
    Levels,
    LineAlignment,
    MixCheck,
    ProgrammeFeatures,
    Series,
    TrackFeatures,
    Word,
)
from dubgate.measure.content import measure_content
from dubgate.measure.measurement import Measurement, Scope
from dubgate.spans import Span
from dubgate.unmeasured import Unmeasured

UNHEARD = Unmeasured("not heard in this test")


def programme(
    words: Sequence[Word] | Unmeasured = UNHEARD,
    alignments: Sequence[LineAlignment] | Unmeasured = UNHEARD,
    languages: Sequence[LanguageWindow] | Unmeasured = UNHEARD,
    *,
    language: str | None = "en",
    aligner: str = "pocketsphinx",
) -> ProgrammeFeatures:
    """A delivery in which the dub holds just these."""
    silence = Series(0.032, np.zeros(10, dtype=np.float32))
    levels = Levels(16_000, 1, np.zeros(0), -120.0, 0, 0)

    def track(is_dub: bool) -> TrackFeatures:
        return TrackFeatures(
            name="dub.wav" if is_dub else "original.wav",
            language=language,
            duration_s=60.0,
            speech_prob=silence,
            speech=(Span(0.0, 60.0),),
            pitch=UNHEARD,
            energy_db=silence,
            words=(words if isinstance(words, Unmeasured) else tuple(words)) if is_dub else UNHEARD,
            languages=(languages if isinstance(languages, Unmeasured) else tuple(languages)) if is_dub else UNHEARD,
            levels=levels,
            voices=UNHEARD,
            alignments=(alignments if isinstance(alignments, Unmeasured) else tuple(alignments)) if is_dub else UNHEARD,
        )

    models = (BackendInfo("aligner", aligner, "00", embedded=True),)
    return ProgrammeFeatures(track(False), track(True), MixCheck(UNHEARD, UNHEARD), models)


def spoken(text: str, start_s: float = 0.0, *, word_s: float = 0.4, prob: float = 0.9) -> list[Word]:
    """The words of a text, one after the other."""
    return [Word(w, Span(start_s + k * word_s, start_s + (k + 0.9) * word_s), prob) for k, w in enumerate(text.split())]


def script(*lines: str | Cue, language: str | None = "en", line_s: float = 5.0) -> CueSheet:
    """A sheet of dialogue lines "1", "2"… of `line_s` seconds each, one after the other."""
    cues = [
        cue if isinstance(cue, Cue) else Cue(str(k + 1), Span(k * line_s, (k + 1) * line_s - 0.5), cue, "ANNA")
        for k, cue in enumerate(lines)
    ]
    return CueSheet("script.srt", tuple(cues), language)


def song(cue_id: str, start_s: float, end_s: float, text: str = "") -> Cue:
    return Cue(cue_id, Span(start_s, end_s), text, "ANNA", CueKind.SONG)


def measured_content(features: ProgrammeFeatures, sheet: CueSheet) -> dict[tuple[str, str], Measurement]:
    """Measurements by metric and line ("" for the programme)."""
    found = measure_content(features, sheet)
    out = {(m.metric, m.subject.name if m.subject.scope is Scope.LINE else ""): m for m in found}
    assert len(out) == len(found), "a measurement came twice"
    return out
