"""One character, one voice: on made-up vectors whose answer is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from dubgate.delivery.script import Cue, CueKind, CueSheet
from dubgate.features import (
    BackendInfo,
    Levels,
    MixCheck,
    ProgrammeFeatures,
    Series,
    TrackFeatures,
    VoiceSegment,
)
from dubgate.measure.measurement import Measurement, Scope
from dubgate.measure.voice import measure_voice, one_voice_scores
from dubgate.spans import Span
from dubgate.speech.calibration import Calibration, packaged
from dubgate.unmeasured import Unmeasured, measured

D = 64


@pytest.fixture(scope="module")
def calibration() -> Calibration:
    return packaged()[0]


def vector(speaker: int, seed: int, spread: float = 0.45) -> np.ndarray:
    """A line of a speaker. Two lines of one are about 0.83 alike, of two about 0.45: as GE2E's."""
    rng = np.random.default_rng((speaker, seed))
    row = np.full(D, 0.9 / np.sqrt(D)) + spread * rng.standard_normal(D) / np.sqrt(D)
    row[speaker] += 1.0
    return (row / np.linalg.norm(row)).astype(np.float32)


def line(k: int, speaker: int, speech_s: float = 2.5, spread: float = 0.45, character: str = "ANNA") -> VoiceSegment:
    return VoiceSegment(Span(4.0 * k, 4.0 * k + 3), speech_s, f"L{k}", character, vector(speaker, k, spread))


def features(dub: Sequence[VoiceSegment] | Unmeasured, original: Sequence[VoiceSegment] = ()) -> ProgrammeFeatures:
    empty = Series(0.032, np.zeros(0, dtype=np.float32))
    none = Unmeasured("not needed here")
    levels = Levels(48_000, 1, np.zeros(0), -10.0, 0, 1)

    def track(name: str, voices: tuple[VoiceSegment, ...] | Unmeasured) -> TrackFeatures:
        return TrackFeatures(name, "en", 600.0, empty, (), none, empty, none, none, levels, voices, none)

    encoder = BackendInfo("speaker_encoder", "ge2e", packaged()[0].encoder_sha256, embedded=True)
    voices = dub if isinstance(dub, Unmeasured) else tuple(dub)
    return ProgrammeFeatures(track("o.wav", tuple(original)), track("d.wav", voices), MixCheck(none, none), (encoder,))


def sheet(lines: Sequence[VoiceSegment], kind: CueKind = CueKind.DIALOGUE) -> CueSheet:
    cues = tuple(Cue(s.cue_id or "", s.span, "x", s.character, kind) for s in lines)
    return CueSheet("s.vtt", cues)


def of(rows: Sequence[Measurement], metric: str, name: str) -> Measurement:
    [found] = [m for m in rows if m.metric == metric and m.subject.name == name]
    return found


def test_a_line_by_somebody_else_is_named_and_no_other() -> None:
    lines = [line(k, speaker=5 if k == 7 else 1) for k in range(10)]
    rows = measure_voice(features(lines), sheet(lines))
    outliers = of(rows, "one_voice_outliers", "ANNA")
    assert outliers.value == 1.0
    assert outliers.spans == (lines[7].span,)
    assert ("lines", "L7") in outliers.detail
    assert measured(of(rows, "one_voice_score", "L7").value) < 0
    assert all(measured(of(rows, "one_voice_score", f"L{k}").value) > 0 for k in range(10) if k != 7)


def test_a_character_of_one_voice_names_nobody() -> None:
    lines = [line(k, speaker=1) for k in range(12)]
    assert of(measure_voice(features(lines), sheet(lines)), "one_voice_outliers", "ANNA").value == 0.0


def test_a_second_voice_in_almost_half_the_lines_cannot_hide_in_the_pool() -> None:
    lines = [line(k, speaker=5 if k % 5 < 2 else 1) for k in range(10)]
    outliers = of(measure_voice(features(lines), sheet(lines)), "one_voice_outliers", "ANNA")
    assert outliers.value == 4.0
    assert ("lines", "L0, L1, L5, L6") in outliers.detail


def test_each_character_is_compared_with_itself() -> None:
    lines = [line(k, 1) for k in range(5)] + [line(k, 5, character="BEN") for k in range(5, 10)]
    rows = measure_voice(features(lines), sheet(lines))
    assert [of(rows, "one_voice_outliers", who).value for who in ("ANNA", "BEN")] == [0.0, 0.0]


def test_short_lines_are_unmeasured_and_left_out_of_nothing_silently() -> None:
    lines = [line(k, 1) for k in range(5)] + [line(5, 5, speech_s=1.2)]
    rows = measure_voice(features(lines), sheet(lines))
    short = of(rows, "one_voice_score", "L5")
    assert isinstance(short.value, Unmeasured)
    assert "1.2 s" in short.value.reason
    outliers = of(rows, "one_voice_outliers", "ANNA")
    assert outliers.value == 0.0
    assert dict(outliers.detail)["lines_left_out"] == 1.0
    assert outliers.weight_s == pytest.approx(12.5)


def test_a_character_with_too_little_to_compare_is_unmeasured(calibration: Calibration) -> None:
    for lines in ([line(0, 1)], [line(0, 1, 2.0), line(1, 1, 2.0)], [line(0, 1, 1.0), line(1, 1, 1.0)]):
        rows = measure_voice(features(lines), sheet(lines))
        assert isinstance(of(rows, "one_voice_outliers", "ANNA").value, Unmeasured)


def test_a_line_in_which_nobody_spoke_is_unmeasured() -> None:
    lines = [line(k, 1) for k in range(5)]
    rows = measure_voice(features(lines[:4]), sheet(lines))
    silent = of(rows, "one_voice_score", "L4").value
    assert isinstance(silent, Unmeasured)
    assert "no speech" in silent.reason


def test_songs_crowds_and_efforts_are_not_held_to_one_voice() -> None:
    lines = [line(k, 1) for k in range(5)]
    assert measure_voice(features(lines), sheet(lines, CueKind.SONG)) == ()


def test_unmeasured_voices_stay_unmeasured_with_their_reason() -> None:
    lines = [line(k, 1) for k in range(3)]
    rows = measure_voice(features(Unmeasured("background spoils the voices")), sheet(lines))
    assert len(rows) == 4
    assert all(isinstance(m.value, Unmeasured) and "spoils" in m.value.reason for m in rows)


def test_without_a_calibration_for_the_encoder_nothing_is_judged() -> None:
    lines = [line(k, speaker=5 if k == 3 else 1) for k in range(10)]
    rows = measure_voice(features(lines), sheet(lines), calibrations=())
    assert all(isinstance(m.value, Unmeasured) and "no calibration" in m.value.reason for m in rows)


def test_a_character_whose_lines_all_differ_is_given_more_room(calibration: Calibration) -> None:
    calm = one_voice_scores([line(k, 1, spread=0.3) for k in range(10)], calibration)
    wild = one_voice_scores([line(k, 1, spread=0.95) for k in range(10)], calibration)
    assert min(measured(s.score) for s in calm) > min(measured(s.score) for s in wild)
    band = calibration.band(2.5)
    assert not isinstance(band, Unmeasured)
    bound = [s.cosine - measured(s.score) / band.slope for s in (calm[0], wild[0])]
    assert bound[0] == pytest.approx(band.named_below_cosine)
    assert bound[0] - 0.1 - 1e-9 <= bound[1] < bound[0]


def test_several_segments_of_one_cue_count_as_one_line() -> None:
    lines = [line(k, 1) for k in range(6)]
    halves = [replace(lines[0], speech_s=1.0), replace(lines[0], speech_s=1.0, vector=vector(1, 99))]
    score = of(measure_voice(features([*halves, *lines[1:]]), sheet(lines)), "one_voice_score", "L0")
    assert measured(score.value) > 0
    assert score.weight_s == 2.0


def test_subjects_name_line_and_character() -> None:
    lines = [line(k, 1) for k in range(4)]
    rows = measure_voice(features(lines), sheet(lines))
    assert [m.subject.scope for m in rows] == [Scope.LINE] * 4 + [Scope.CHARACTER]
    assert rows[0].subject.character == "ANNA"
