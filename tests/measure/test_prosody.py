"""Prosody: register, range, melody and pace of parts whose F0 is known; flatness in range, movement and contour."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from timing_features import UNHEARD, by_line, lines_at, of, programme, sheet, track

from dubgate.delivery.script import CueSheet, Style
from dubgate.features import TrackFeatures
from dubgate.measure.contours import POINTS, contours, correlation, movement_st_per_s, span_st, warped_correlation
from dubgate.measure.flatness import Melodies, flatness_share
from dubgate.measure.measurement import Measurement, Scope
from dubgate.measure.metrics import METRICS
from dubgate.measure.prosody import f0_dtw_lift, measure_prosody
from dubgate.unmeasured import Unmeasured, measured

LINES = lines_at(24)
END = LINES[-1][1] + 2.0
SCRIPT = sheet(LINES)
Voice = Callable[[np.ndarray], np.ndarray]


def sung(seed: int, *, range_st: float = 3.0, middle_hz: float = 120.0, fall_st: float = 0.0) -> Voice:
    """A melody that wanders by `range_st` about a middle, slowly, and falls by `fall_st` over each line."""
    rng = np.random.default_rng(seed)
    knots = rng.standard_normal(int(END * 3) + 10)

    def at(times: np.ndarray) -> np.ndarray:
        wander = np.interp(times * 3, np.arange(len(knots)), knots) * range_st
        for start, end in LINES:
            inside = (times >= start) & (times < end)
            wander[inside] += fall_st * (0.5 - (times[inside] - start) / (end - start))
        return middle_hz * 2 ** (wander / 12)

    return at


def scaled(voice: Voice, factor: float, shift_st: float = 0.0, middle_hz: float = 120.0) -> Voice:
    """The same melody with its range times `factor`, moved up by `shift_st`."""
    return lambda t: middle_hz * (voice(t) / middle_hz) ** factor * 2 ** (shift_st / 12)


def voiced(voice: Voice, **changes: object) -> TrackFeatures:
    return track(LINES, END, melody=voice, **changes)  # type: ignore[arg-type]


def prosody(original: Voice, dub: Voice, script: CueSheet = SCRIPT) -> tuple[Measurement, ...]:
    return measure_prosody(programme(voiced(original), voiced(dub)), script)


def flat(original: Voice, dub: Voice) -> float:
    return measured(of(prosody(original, dub), "flatness_share", "ANNA").value)


@settings(max_examples=20, deadline=None)
@given(shift_st=st.floats(-7, 7), factor=st.floats(0.3, 2.0))
def test_a_moved_and_scaled_melody_gives_its_shift_and_factor_back(shift_st: float, factor: float) -> None:
    found = prosody(sung(1), scaled(sung(1), factor, shift_st))
    middle = 12 * np.log2(np.nanmedian(voiced(sung(1)).pitch.f0_hz.values) / 120.0)  # type: ignore[union-attr]
    assert measured(of(found, "register_shift_st", "ANNA").value) == pytest.approx(
        shift_st + (factor - 1) * middle, abs=0.05
    )
    assert measured(of(found, "range_ratio", "ANNA").value) == pytest.approx(factor, rel=0.05)


def test_higher_is_positive() -> None:
    assert measured(of(prosody(sung(1), scaled(sung(1), 1.0, 3.0)), "register_shift_st", "ANNA").value) > 0


def test_octave_errors_of_the_tracker_do_not_move_register_or_range() -> None:
    rng = np.random.default_rng(3)
    dub = voiced(sung(1))
    assert not isinstance(dub.pitch, Unmeasured)
    f0 = dub.pitch.f0_hz.values.copy()
    wrong = rng.random(len(f0)) < 0.05
    f0[wrong] *= rng.choice([0.5, 2.0], wrong.sum())
    dub = replace(dub, pitch=replace(dub.pitch, f0_hz=replace(dub.pitch.f0_hz, values=f0)))
    found = measure_prosody(programme(voiced(sung(1)), dub), SCRIPT)
    assert measured(of(found, "register_shift_st", "ANNA").value) == pytest.approx(0.0, abs=0.2)
    assert measured(of(found, "range_ratio", "ANNA").value) == pytest.approx(1.0, abs=0.1)


def test_notes_of_music_far_above_the_voice_widen_no_range() -> None:
    rng = np.random.default_rng(3)
    dub = voiced(sung(1))
    assert not isinstance(dub.pitch, Unmeasured)
    f0 = dub.pitch.f0_hz.values.copy()
    f0[rng.random(len(f0)) < 0.1] = 1900.0
    dub = replace(dub, pitch=replace(dub.pitch, f0_hz=replace(dub.pitch.f0_hz, values=f0)))
    found = measure_prosody(programme(voiced(sung(1)), dub), SCRIPT)
    span_ratio = dict(of(found, "flatness_share", "ANNA").detail)["range of F0 against the original"]
    assert span_ratio == pytest.approx(1.0, abs=0.05)


def test_a_line_with_half_the_range_shows_in_that_line() -> None:
    start, end = LINES[4]
    whole, half = sung(1), scaled(sung(1), 0.5)
    dub = lambda t: np.where((t >= start) & (t < end), half(t), whole(t))  # noqa: E731
    found = by_line(prosody(whole, dub), "line_range_ratio")
    assert measured(found["5"]) == pytest.approx(0.5, abs=0.08)
    assert measured(found["6"]) == pytest.approx(1.0, abs=0.01)


def test_a_dub_that_follows_its_lines_has_lift_and_one_that_follows_others_has_none() -> None:
    assert measured(of(prosody(sung(1), scaled(sung(1), 0.8)), "f0_dtw_lift", "ANNA").value) > 0.2
    assert abs(measured(of(prosody(sung(1), sung(2)), "f0_dtw_lift", "ANNA").value)) < 0.15


def test_lines_that_all_fall_alike_follow_their_own_no_more_than_others() -> None:
    falling = sung(1, range_st=0.0, fall_st=6.0)
    assert measured(of(prosody(falling, falling), "f0_dtw_lift", "ANNA").value) == pytest.approx(0.0, abs=0.02)


def test_final_falls_that_become_rises_are_counted() -> None:
    falling, rising = sung(1, range_st=0.0, fall_st=6.0), sung(1, range_st=0.0, fall_st=-6.0)
    assert of(prosody(falling, falling), "final_rise_match", "ANNA").value == 1.0
    assert of(prosody(falling, rising), "final_rise_match", "ANNA").value == 0.0
    level = sung(1, range_st=0.0)
    assert isinstance(of(prosody(falling, level), "final_rise_match", "ANNA").value, Unmeasured)


def test_a_dub_as_lively_as_its_original_is_not_flat_though_its_melody_is_its_own() -> None:
    for seed in range(2, 8):
        assert flat(sung(1), sung(seed)) < 0.9


@pytest.mark.parametrize("factor", [0.5, 0.25, 0.05])
def test_a_melody_of_its_own_squeezed_is_flat(factor: float) -> None:
    assert flat(sung(1), scaled(sung(2), factor)) == 1.0


def test_a_narrow_voice_that_follows_the_original_is_not_flat() -> None:
    assert flat(sung(1), scaled(sung(1), 0.4)) == pytest.approx(2 / 3)


def test_a_lively_voice_with_few_wide_steps_is_not_flat() -> None:
    quick = lambda t: 120.0 * 2 ** (2.0 * np.sin(2 * np.pi * 2.5 * t) / 12)  # noqa: E731
    assert flat(sung(1), quick) == pytest.approx(2 / 3)


def test_a_part_of_under_20_lines_and_60_s_is_not_judged_flat_and_all_parts_together_are() -> None:
    script = sheet(LINES, characters=("ANNA", "BEN", "CARL"))
    found = measure_prosody(programme(voiced(sung(1)), voiced(scaled(sung(2), 0.2))), script)
    for name in ("ANNA", "BEN", "CARL"):
        value = of(found, "flatness_share", name).value
        assert isinstance(value, Unmeasured)
        assert "under 20 lines and 60 s" in value.reason
    assert of(found, "flatness_share").value == 1.0


def test_a_lone_character_is_not_judged_twice() -> None:
    found = [m for m in prosody(sung(1), sung(2)) if m.metric == "flatness_share"]
    assert [m.subject.name for m in found] == ["ANNA"]


def test_two_characters_of_different_register_are_each_taken_about_their_own_middle() -> None:
    low, high = sung(2, middle_hz=100.0, range_st=0.3), sung(2, middle_hz=220.0, range_st=0.3)
    first = [span for k, span in enumerate(LINES) if k % 2 == 0]
    of_first = lambda t: np.any([(t >= a) & (t < b) for a, b in first], axis=0)  # noqa: E731
    dub = lambda t: np.where(of_first(t), low(t), high(t))  # noqa: E731
    script = sheet(LINES, characters=("ANNA", "BEN"))
    found = measure_prosody(programme(voiced(sung(1)), voiced(dub)), script)
    assert of(found, "flatness_share").value == 1.0  # the octave between them is no range


def test_lines_of_nobody_are_the_programmes() -> None:
    found = prosody(sung(1), sung(2), sheet(LINES, characters=(None,)))
    assert measured(of(found, "range_ratio").value) > 0
    assert not any(m.subject.scope is Scope.CHARACTER for m in found)


@pytest.mark.parametrize(
    ("part", "value"),
    [
        (Melodies(1.0, 1.4, 0.1, 30, 90.0, 40.0), 1 / 3),
        (Melodies(0.5, 1.0, 0.1, 30, 90.0, 40.0), 1.0),
        (Melodies(0.5, 1.0, 0.6, 30, 90.0, 40.0), 2 / 3),
        (Melodies(0.5, 1.0, 0.1, 5, 61.0, 40.0), 1.0),
        (Melodies(0.5, 1.0, 0.1, 20, 30.0, 9.0), 1.0),
    ],
)
def test_flatness_is_the_share_of_its_three_signs(part: Melodies, value: float) -> None:
    assert measured(flatness_share(part)) == pytest.approx(value)


def test_hardly_any_voiced_speech_is_no_ground_to_call_a_part_flat() -> None:
    assert isinstance(flatness_share(Melodies(0.0, 0.0, 0.0, 30, 90.0, 2.0)), Unmeasured)


def test_energy_and_pace_are_compared_where_they_can_be() -> None:
    texts = ["a" * round(10 * (b - a) * (1 + 0.2 * (k % 5))) for k, (a, b) in enumerate(LINES)]
    script = sheet(LINES, texts=texts)
    script = replace(script, cues=tuple(replace(c, original_text=c.text) for c in script.cues))
    found = prosody(sung(1), sung(2), script)
    assert measured(of(found, "rate_spearman", "ANNA").value) == pytest.approx(1.0)
    assert isinstance(of(prosody(sung(1), sung(2)), "rate_spearman", "ANNA").value, Unmeasured)
    louder = voiced(sung(1)).energy_db
    wide = replace(louder, values=(louder.values * 2).astype(np.float32))
    ramp = np.interp(np.arange(len(louder.values)), [0, len(louder.values)], [0, 10]).astype(np.float32)
    original = voiced(sung(1), energy_db=-20.0)
    original = replace(original, energy_db=replace(louder, values=louder.values + ramp))
    dub = replace(original, energy_db=replace(wide, values=louder.values + 2 * ramp))
    found = measure_prosody(programme(original, dub), SCRIPT)
    assert measured(of(found, "energy_range_ratio", "ANNA").value) == pytest.approx(2.0, abs=0.05)


def test_without_pitch_or_under_a_lector_everything_is_unmeasured_with_the_reason() -> None:
    heard = voiced(sung(1))
    cases = [
        (programme(heard, replace(heard, pitch=UNHEARD)), SCRIPT, "not heard"),
        (programme(replace(heard, pitch=UNHEARD), heard), SCRIPT, "not heard"),
        (programme(heard, heard), replace(SCRIPT, style=Style.LECTOR), "lector"),
        (programme(heard, heard), CueSheet("x", ()), "no dialogue"),
    ]
    for features, script, reason in cases:
        found = measure_prosody(features, script)
        assert {m.metric for m in found} >= {n for n, m in METRICS.items() if m.group == "prosody"} - {
            "line_range_ratio"
        }
        assert all(isinstance(m.value, Unmeasured) and reason in m.value.reason for m in found)


def test_a_silent_dub_has_no_prosody() -> None:
    silent = track([], END, melody=sung(1))
    found = measure_prosody(programme(voiced(sung(1)), silent), SCRIPT)
    assert all(isinstance(m.value, Unmeasured) for m in found)


def plain_dtw(a: np.ndarray, b: np.ndarray, reach: int) -> float:
    """Symmetric dynamic time warping, written out."""
    n = len(a)
    total = np.full((n + 1, n + 1), np.inf)
    total[0, 0] = 0.0
    for i in range(1, n + 1):
        for j in range(1, n + 1):
            if abs(i - j) <= reach:
                cost = (a[i - 1] - b[j - 1]) ** 2
                total[i, j] = min(total[i - 1, j] + cost, total[i, j - 1] + cost, total[i - 1, j - 1] + 2 * cost)
    return 1 - total[n, n] / (2 * n) / 2


def test_warping_in_batches_is_warping_one_by_one() -> None:
    rng = np.random.default_rng(0)
    raw = np.cumsum(rng.standard_normal((2, 6, POINTS)), axis=2)
    a, b = (raw - raw.mean(axis=2, keepdims=True)) / raw.std(axis=2, keepdims=True)
    assert warped_correlation(a, b) == pytest.approx([plain_dtw(x, y, 8) for x, y in zip(a, b, strict=True)])
    assert correlation(a, a) == pytest.approx(np.ones(6))
    assert warped_correlation(a, a) == pytest.approx(np.ones(6))
    assert (warped_correlation(a, b) >= correlation(a, b) - 1e-9).all()


def test_warping_forgives_a_delay_that_plain_correlation_does_not() -> None:
    x = np.linspace(0, 4 * np.pi, POINTS)
    a, b = (np.sqrt(2) * np.sin(x - d)[None] for d in (0.0, 0.9))
    assert warped_correlation(a, b)[0] > correlation(a, b)[0] + 0.2


def test_too_few_contours_have_no_lift() -> None:
    assert isinstance(f0_dtw_lift(np.zeros((4, POINTS)), np.zeros((4, POINTS))), Unmeasured)


def test_a_contour_bridges_unvoiced_frames_and_needs_a_quarter_second() -> None:
    frames = np.linspace(0.0, 4.0, 60)
    gap = frames.copy()
    gap[20:35] = np.nan
    whole, bridged = contours([frames, gap], 0.016)
    assert whole is not None
    assert bridged == pytest.approx(whole, abs=0.05)
    assert whole.mean() == pytest.approx(0, abs=1e-9)
    assert whole.std() == pytest.approx(1)
    assert contours([np.array([1.0] * 15 + [np.nan] * 50)], 0.016) == [None]
    assert contours([np.full(60, 2.0)], 0.016)[0] == pytest.approx(np.zeros(POINTS))


def test_movement_counts_steps_between_voiced_frames_only() -> None:
    line = np.array([0.0, 0.1, 0.3, np.nan, 5.0, 5.2])
    assert movement_st_per_s([line, np.array([0.0, 12.0])], 0.016) == pytest.approx((0.1 + 0.2 + 0.2) / 3 / 0.016)
    assert movement_st_per_s([], 0.016) == 0.0
    assert span_st(np.arange(101.0)) == pytest.approx(90.0)
