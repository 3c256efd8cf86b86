"""Timing line by line: what is late is seen to be late by as much, and its neighbours are not blamed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from growth import LINEAR, growth
from hypothesis import given, settings
from hypothesis import strategies as st
from timing_features import by_line, lines_at, moved, of, programme, sheet, timing, track

from dubgate.delivery.script import Cue, CueKind, CueSheet, Style
from dubgate.features import LineAlignment, Word
from dubgate.measure.metrics import METRICS
from dubgate.measure.timing import measure_timing, speech_iou
from dubgate.spans import Span
from dubgate.unmeasured import Unmeasured, measured

LINES = lines_at(10)
END = LINES[-1][1] + 3.0


def late_line(k: int, by_s: float, lines: list[tuple[float, float]] = LINES) -> list[tuple[float, float]]:
    return [(a + by_s, b + by_s) if i == k else (a, b) for i, (a, b) in enumerate(lines)]


def onsets(dub: list[tuple[float, float]], lines: list[tuple[float, float]] = LINES) -> dict[str, float | Unmeasured]:
    end = max(lines[-1][1], dub[-1][1] if dub else 0.0) + 2.0
    return by_line(timing(track(lines, end), track(dub, end), sheet(lines)), "onset_error_s")


def test_a_dub_in_time_has_no_errors() -> None:
    found = timing(track(LINES, END), track(LINES, END), sheet(LINES))
    assert all(abs(measured(v)) < 0.01 for v in by_line(found, "onset_error_s").values())
    assert all(measured(v) == 0.0 for v in by_line(found, "slot_overrun_s").values())
    assert measured(of(found, "speech_iou").value) == pytest.approx(1.0)
    assert measured(of(found, "uncovered_original_s").value) == 0.0
    assert measured(of(found, "unexpected_speech_s").value) == 0.0
    assert measured(of(found, "cross_overlap_s").value) == 0.0


def test_every_metric_of_the_timing_group_comes_out_once_a_subject() -> None:
    found = timing(track(LINES, END), track(LINES, END), sheet(LINES))
    assert {m.metric for m in found} == {name for name, metric in METRICS.items() if metric.group == "timing"}
    assert len({(m.metric, m.subject) for m in found}) == len(found)


@pytest.mark.parametrize("k", range(10))
@pytest.mark.parametrize("by_s", [0.3, 0.6, 0.9, -0.4])
def test_a_line_that_is_late_is_seen_to_be_late_by_as_much_and_no_other_is(k: int, by_s: float) -> None:
    found = onsets(late_line(k, by_s))
    assert measured(found[str(k + 1)]) == pytest.approx(by_s, abs=0.06)
    others = [v for name, v in found.items() if name != str(k + 1) and not isinstance(v, Unmeasured)]
    assert all(abs(v) < 0.06 for v in others)
    assert len(others) >= 8


@settings(max_examples=40, deadline=None)
@given(k=st.integers(0, 9), by_s=st.floats(-0.5, 1.2), gap_s=st.floats(0.35, 1.5), seed=st.integers(0, 50))
def test_whatever_the_gaps_a_moved_line_never_makes_another_one_wrong(
    k: int, by_s: float, gap_s: float, seed: int
) -> None:
    lines = lines_at(10, gap_s=gap_s, seed=seed)
    found = onsets(late_line(k, by_s, lines), lines)
    others = [v for name, v in found.items() if name != str(k + 1) and not isinstance(v, Unmeasured)]
    assert all(abs(v) < 0.3 for v in others)
    own = found[str(k + 1)]
    assert isinstance(own, Unmeasured) or own == pytest.approx(by_s, abs=0.1)


def test_a_close_line_after_a_late_one_is_not_confused() -> None:
    lines = [(1.0, 3.0), (3.3, 5.0), (6.0, 8.0), (9.0, 11.0), (12.0, 14.0)]
    found = onsets(late_line(0, 0.9, lines), lines)
    assert measured(found["1"]) == pytest.approx(0.9, abs=0.03)
    second = found["2"]  # its start drowns in the first line's end
    assert isinstance(second, Unmeasured)
    assert "runs on" in second.reason


def test_a_short_line_that_is_late_beyond_its_own_end_is_still_found() -> None:
    lines = [(1.0, 3.0), (4.0, 4.5), (7.0, 9.0), (10.0, 12.0), (13.0, 15.0)]
    assert measured(onsets(late_line(1, 0.9, lines), lines)["2"]) == pytest.approx(0.9, abs=0.03)


def test_a_late_line_that_runs_into_the_next_is_not_taken_for_the_next_being_early() -> None:
    lines = [(1.0, 3.7), (4.7, 6.0), (7.0, 10.3), (11.8, 12.8), (13.7, 15.4), (16.9, 19.0)]
    found = onsets(late_line(3, 1.0, lines), lines)
    assert measured(found["4"]) == pytest.approx(1.0, abs=0.03)
    assert isinstance(found["5"], Unmeasured)


def test_a_missing_line_is_unmeasured_and_its_neighbours_are_in_time() -> None:
    found = onsets(LINES[:4] + LINES[5:])
    missing = found.pop("5")
    assert isinstance(missing, Unmeasured)
    assert "no speech" in missing.reason
    assert all(abs(measured(v)) < 0.02 for v in found.values())


def test_pauses_inside_a_line_are_not_its_start() -> None:
    lines = [(1.0, 5.0), (6.0, 9.0), (10.0, 12.0), (13.0, 15.0)]
    dub = [(1.3, 2.0), (2.8, 5.0), (6.0, 7.0), (7.6, 9.0), (10.0, 12.0), (13.0, 15.0)]
    found = onsets(dub, lines)
    assert [round(measured(v), 1) for v in found.values()] == [0.3, 0.0, 0.0, 0.0]


def test_a_dub_late_as_a_whole_is_late_in_every_line_even_by_more_than_the_gaps() -> None:
    lines = lines_at(12, gap_s=0.5)
    found = onsets(moved(lines, 1.6), lines)
    assert [measured(v) for v in found.values()] == pytest.approx([1.6] * 12, abs=0.03)


def test_a_dub_that_drifts_is_late_by_ever_more() -> None:
    lines = lines_at(60)
    found = list(onsets(moved(lines, 0.0, 25 / 24), lines).values())
    wanted = [a / 24 for a, _ in lines]
    assert [measured(v) for v in found] == pytest.approx(wanted, abs=0.1)


def test_the_originals_own_start_counts_and_not_the_cue() -> None:
    lines = [(1.5, 3.0), (4.5, 6.0), (7.5, 9.0), (10.5, 12.0)]
    cues = [(a - 0.2, b + 0.2) for a, b in lines]
    found = by_line(timing(track(lines, 14.0), track(moved(lines, 0.1), 14.0), sheet(cues)), "onset_error_s")
    assert [measured(v) for v in found.values()] == pytest.approx([0.1] * 4, abs=0.02)


def test_where_the_original_is_silent_the_cue_counts() -> None:
    dub = moved(LINES, 0.0)
    found = timing(track(LINES[:4] + LINES[5:], END), track(dub, END), sheet(LINES))
    assert measured(by_line(found, "onset_error_s")["5"]) == pytest.approx(0.0, abs=0.02)


def test_lines_that_run_on_in_both_tracks_start_as_their_first_does() -> None:
    speech = [(1.0, 5.0), (6.0, 8.0), (9.0, 11.0), (12.0, 14.0)]
    cues = [(1.0, 3.0), (3.0, 5.0), (6.0, 8.0), (9.0, 11.0), (12.0, 14.0)]
    found = timing(track(speech, 16.0), track(late_line(0, 0.3, speech), 16.0), sheet(cues))
    errors = by_line(found, "onset_error_s")
    assert measured(errors["1"]) == pytest.approx(0.3, abs=0.02)
    assert errors["2"] == errors["1"]


def test_aligned_words_tell_a_start_that_voice_activity_cannot() -> None:
    speech = [(1.0, 3.0), (3.4, 5.0), (6.0, 8.0), (9.0, 11.0)]
    words = (Word("now", Span(3.6, 3.9), 0.9),)
    dub = track([(1.0, 5.2), (6.0, 8.0), (9.0, 11.0)], 13.0, alignments=(LineAlignment("2", words, -0.1),))
    found = by_line(timing(track(speech, 13.0), dub, sheet(speech)), "onset_error_s")
    assert measured(found["2"]) == pytest.approx(0.2, abs=0.02)


def test_an_overrun_is_counted_from_the_next_lines_start() -> None:
    lines = [(1.0, 3.0), (4.0, 6.0), (7.0, 9.0), (10.0, 12.0)]
    dub = [(1.0, 3.0), (4.0, 6.8), (7.0, 9.0), (10.0, 12.0)]
    inside = by_line(timing(track(lines), track(dub), sheet(lines)), "slot_overrun_s")
    assert all(measured(v) == 0.0 for v in inside.values())
    dub[1:3] = [(4.0, 7.35), (7.6, 9.0)]
    found = by_line(timing(track(lines), track(dub), sheet(lines)), "slot_overrun_s")
    assert measured(found["2"]) == pytest.approx(0.35, abs=0.03)


def test_songs_crowds_and_kept_originals_are_not_held_to_time() -> None:
    script = sheet(LINES)
    kinds = (CueKind.SONG, CueKind.CROWD, CueKind.EFFORT, CueKind.KEPT_ORIGINAL)
    cues = tuple(replace(c, kind=kinds[k]) if k < 4 else c for k, c in enumerate(script.cues))
    found = timing(track(LINES, END), track(LINES, END), replace(script, cues=cues))
    assert set(by_line(found, "onset_error_s")) == {str(k) for k in range(5, 11)}


def test_speech_iou_is_the_share_of_speech_in_common() -> None:
    a, b = track([(1.0, 3.0), (5.0, 6.0)], 10.0), track([(2.0, 4.0), (5.0, 6.0)], 10.0)
    assert measured(speech_iou(a, b)) == pytest.approx(2 / 4, abs=0.02)
    assert isinstance(speech_iou(track([], 10.0), a), Unmeasured)
    assert measured(speech_iou(a, track([], 10.0))) == 0.0


def test_uncovered_original_speech_is_found_with_its_place() -> None:
    found = timing(track([(1.0, 3.0), (5.0, 9.0)]), track([(1.0, 3.0), (5.0, 6.0), (8.0, 9.0)]), sheet([(1.0, 9.0)]))
    longest = of(found, "uncovered_original_s")
    assert measured(longest.value) == pytest.approx(2.0, abs=0.05)
    assert longest.spans[0].start_s == pytest.approx(6.0, abs=0.05)
    assert measured(of(found, "uncovered_original_share").value) == pytest.approx(2 / 6, abs=0.02)


def test_speech_where_original_and_script_are_silent_is_unexpected() -> None:
    dub = [*LINES, (END + 1.0, END + 3.5)]
    found = timing(track(LINES, END + 5), track(dub, END + 5), sheet(LINES))
    assert measured(of(found, "unexpected_speech_s").value) == pytest.approx(2.5, abs=0.05)
    expected = sheet([*LINES, (END + 1.0, END + 3.5)])
    found = timing(track(LINES, END + 5), track(dub, END + 5), expected)
    assert measured(of(found, "unexpected_speech_s").value) < 0.05


TEXTS = ("one two three four five six seven eight",) * 8
EVEN = [(1.0 + 3 * k, 3.0 + 3 * k) for k in range(6)]


def test_a_line_spoken_twice_as_fast_as_the_others_has_ratio_2() -> None:
    dub = [(a, a + 1.0) if k == 2 else (a, b) for k, (a, b) in enumerate(EVEN)]
    found = by_line(timing(track(EVEN, 25.0), track(dub, 25.0), sheet(EVEN, texts=TEXTS)), "rate_ratio")
    assert measured(found["3"]) == pytest.approx(2.0, abs=0.1)
    assert measured(found["1"]) == pytest.approx(1.0, abs=0.05)


def test_without_texts_there_is_no_rate_and_no_length() -> None:
    found = timing(track(EVEN, 25.0), track(EVEN, 25.0), sheet(EVEN))
    assert all(isinstance(v, Unmeasured) for v in by_line(found, "rate_ratio").values())
    assert isinstance(of(found, "length_compliance").value, Unmeasured)


def test_overlapping_characters_are_estimated_from_the_text_and_need_it() -> None:
    after = [(13.0 + 3 * k, 15.0 + 3 * k) for k in range(4)]
    speech = [*EVEN[:2], (7.0, 9.0), (9.4, 11.4), *after]
    dub = [*EVEN[:2], (7.9, 11.4), *after]  # the third line is 0.9 s late, over the fourth
    script = sheet(speech, texts=TEXTS, characters=("ANNA", "BEN"))
    found = of(timing(track(speech, 30.0), track(dub, 30.0), script), "cross_overlap_s")
    assert measured(found.value) == pytest.approx(0.5, abs=0.15)
    without_text = sheet(speech, characters=("ANNA", "BEN"))
    untold = of(timing(track(speech, 30.0), track(dub, 30.0), without_text), "cross_overlap_s")
    assert isinstance(untold.value, Unmeasured)
    assert "4" in untold.value.reason


def test_under_a_lector_nothing_is_told_without_a_stem() -> None:
    found = timing(track(LINES, END), track(LINES, END), sheet(LINES), Style.LECTOR)
    assert {m.metric for m in found} == {name for name, metric in METRICS.items() if metric.group == "timing"}
    assert all(isinstance(m.value, Unmeasured) and "lector" in m.value.reason for m in found)
    with_stem = timing(track(LINES, END), track(LINES, END), sheet(LINES), Style.LECTOR, residual_db=-60.0)
    assert measured(of(with_stem, "speech_iou").value) == pytest.approx(1.0)


def test_a_silent_dub_and_a_silent_original_give_no_number_that_could_pass() -> None:
    silent = track([], END)
    for original, dub in ((track(LINES, END), silent), (silent, track(LINES, END)), (silent, silent)):
        found = timing(original, dub, sheet(LINES))
        for metric in ("global_offset_s", "drift_ms_per_min", "pause_score"):
            assert isinstance(of(found, metric).value, Unmeasured)
    silent_dub = timing(track(LINES, END), silent, sheet(LINES))
    assert measured(of(silent_dub, "speech_iou").value) == 0.0
    assert measured(of(silent_dub, "uncovered_original_share").value) == 1.0
    for metric in ("unexpected_speech_s", "cross_overlap_s"):
        assert isinstance(of(silent_dub, metric).value, Unmeasured)


def test_an_empty_script_still_measures_the_programme() -> None:
    found = timing(track(LINES, END), track(LINES, END), CueSheet("empty.srt", ()))
    assert measured(of(found, "global_offset_s").value) == pytest.approx(0.0, abs=0.002)


def test_the_same_features_give_the_same_measurements() -> None:
    features, script = programme(track(LINES, END), track(late_line(3, 0.4), END)), sheet(LINES)
    assert measure_timing(features, script, Style.LIPSYNC) == measure_timing(features, script, Style.LIPSYNC)


def test_timing_is_measured_in_time_in_proportion() -> None:
    def measuring(n: int) -> Callable[[], object]:
        lines = lines_at(n)
        end = lines[-1][1] + 2
        features, script = programme(track(lines, end), track(lines, end)), sheet(lines)
        assert len(by_line(measure_timing(features, script, Style.LIPSYNC), "onset_error_s")) == n
        return lambda: measure_timing(features, script, Style.LIPSYNC)

    assert growth(measuring, 500) < LINEAR


def test_a_cue_of_no_length_is_not_an_error() -> None:
    script = CueSheet("x.srt", (Cue("1", Span(2.0, 2.0), "", "ANNA"), *sheet(LINES[3:]).cues))
    found = by_line(timing(track(LINES, END), track(LINES, END), script), "onset_error_s")
    assert "1" in found
