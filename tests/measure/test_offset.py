"""Offsets of whole dubs: injected shifts come back, and where nothing can be told nothing is said."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from timing_features import lines_at, moved, probability, track

from dubgate.features import Series
from dubgate.measure.offset import best_lag, global_offset, log_odds, read_at, speech_evidence, vertex
from dubgate.unmeasured import Unmeasured, measured

LINES = lines_at(12)


@settings(max_examples=30, deadline=None)
@given(shift_s=st.floats(-2.0, 2.0))
def test_a_shift_comes_back_to_the_millisecond_though_frames_last_32(shift_s: float) -> None:
    spans = moved(LINES, 3.0)
    found = global_offset(track(spans), track(moved(spans, shift_s)))
    assert measured(found) == pytest.approx(shift_s, abs=0.004)


def test_late_is_positive() -> None:
    assert measured(global_offset(track(LINES), track(moved(LINES, 0.3)))) > 0


def test_the_offset_of_a_dub_whose_lines_scatter_is_their_middle() -> None:
    rng = np.random.default_rng(4)
    spans = lines_at(20)
    dub = [(a + 0.12 + e, b + 0.12 + e) for (a, b), e in zip(spans, rng.normal(0, 0.08, 20), strict=True)]
    assert measured(global_offset(track(spans, 90.0), track(dub, 90.0))) == pytest.approx(0.12, abs=0.05)


def test_swapping_the_tracks_turns_the_sign() -> None:
    a, b = track(LINES), track(moved(LINES, 0.37))
    assert measured(global_offset(a, b)) == pytest.approx(-measured(global_offset(b, a)), abs=1e-3)


def test_a_programme_of_two_hours_gives_its_offset_too() -> None:
    spans = lines_at(1900)
    end = spans[-1][1] + 5
    assert measured(global_offset(track(spans, end), track(moved(spans, 0.213), end))) == pytest.approx(
        0.213, abs=0.004
    )


def test_unrelated_speech_has_no_offset() -> None:
    said = [global_offset(track(lines_at(20, seed=k), 80.0), track(lines_at(20, seed=k + 50), 80.0)) for k in range(20)]
    assert sum(isinstance(s, Unmeasured) for s in said) >= 19


@pytest.mark.parametrize("by_s", [5.03, 5.6, -5.05])
def test_an_offset_beyond_the_search_is_unmeasured_and_not_the_nearest_edge(by_s: float) -> None:
    spans = lines_at(12, first_s=8.0)
    assert isinstance(global_offset(track(spans), track(moved(spans, by_s))), Unmeasured)


@pytest.mark.parametrize("spans", [[], [(1.0, 9.0)], [(1.0, 1.4), (3.0, 3.4), (5.0, 5.4)]])
def test_too_little_speech_is_unmeasured_and_says_whose(spans: list[tuple[float, float]]) -> None:
    found = global_offset(track(LINES), track(spans))
    assert isinstance(found, Unmeasured)
    assert "dub" in found.reason
    assert "original" in measured_reason(global_offset(track(spans), track(LINES)))


def measured_reason(value: float | Unmeasured) -> str:
    assert isinstance(value, Unmeasured)
    return value.reason


def test_evidence_is_nothing_for_silence_and_symmetrical_about_doubt() -> None:
    odds = log_odds(Series(0.032, np.array([0.0, 0.01, 0.5, 0.99, 1.0], dtype=np.float32)))
    assert odds == pytest.approx([0, 0, odds[4] / 2, odds[4], odds[4]], abs=1e-4)


def test_a_series_is_read_at_the_centres_of_its_hops_and_faster_when_stretched() -> None:
    values = np.arange(10.0)
    assert read_at(values, 0.032, 0.032, 5)[1:] == pytest.approx([0.5, 1.5, 2.5, 3.5])
    assert read_at(values, 0.032, 0.064, 4)[1:] == pytest.approx([1.5, 3.5, 5.5])
    assert read_at(values, 0.032, 0.032, 20)[11:] == pytest.approx(np.zeros(9))


def test_silence_has_no_lag() -> None:
    a = speech_evidence(probability([], 5.0), 0.016)
    b = speech_evidence(probability([(1, 3)], 5.0), 0.016)
    assert best_lag(a, b, 0.016, 1.0) is None
    assert best_lag(np.zeros(0), np.zeros(0), 0.016, 1.0) is None


@given(at=st.floats(-0.5, 0.5), height=st.floats(1, 100), bend=st.floats(0.1, 10))
def test_the_vertex_of_a_parabola_is_found(at: float, height: float, bend: float) -> None:
    values = np.array([height - bend * (k - at) ** 2 for k in (-1, 0, 1)])
    assert vertex(values, 1) == pytest.approx((at, height), abs=1e-6)


def test_the_edges_have_no_parabola() -> None:
    assert vertex(np.array([3.0, 2.0, 1.0]), 0) == (0.0, 3.0)
