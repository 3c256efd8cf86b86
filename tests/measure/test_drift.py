"""Drift and the frame-rate conversions behind it, on programmes whose stretch is known."""

from __future__ import annotations

import numpy as np
import pytest
from timing_features import lines_at, moved, track

from dubgate.measure.drift import CONVERSIONS, UNCHANGED, Drift, conversions_near, fit_drift
from dubgate.unmeasured import Unmeasured

STRETCHES = {
    "24 played at 23.976 or 30 played at 29.97": 1.001,
    "23.976 played at 24 or 29.97 played at 30": 1 / 1.001,
    "24 played at 25": 24 / 25,
    "25 played at 24": 25 / 24,
    "23.976 played at 25": 24 / 1.001 / 25,
    "25 played at 23.976": 25 * 1.001 / 24,
    UNCHANGED: 1.0,
}


def scattered(
    n_lines: int, stretch: float, *, offset_s: float = 0.0, scatter_s: float = 0.06, seed: int = 1
) -> Drift | Unmeasured:
    """The drift found in a dub whose lines lie about their places, stretched."""
    spans = lines_at(n_lines, seed=seed)
    rng = np.random.default_rng(seed)
    dub = [(a + e, b + f) for (a, b), e, f in zip(spans, *rng.normal(0, scatter_s, (2, n_lines)), strict=True)]
    end = spans[-1][1] + 2.0
    return fit_drift(track(spans, end), track(moved(dub, offset_s, stretch), end * stretch + 1.0))


def test_the_table_of_conversions_names_each_ratio_once_and_in_its_direction() -> None:
    assert pytest.approx(STRETCHES, rel=1e-9) == CONVERSIONS


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", STRETCHES)
def test_each_conversion_is_named_alone_in_a_programme_of_three_minutes(name: str, seed: int) -> None:
    found = scattered(54, STRETCHES[name], seed=seed)
    assert isinstance(found, Drift)
    assert found.candidates == (name,)
    assert found.stretch == pytest.approx(STRETCHES[name], abs=3e-4)


def test_a_conversion_is_named_in_a_late_dub_too() -> None:
    found = scattered(54, 25 / 24, offset_s=1.3)
    assert isinstance(found, Drift)
    assert found.candidates == ("25 played at 24",)


def test_longer_is_positive_and_counted_in_milliseconds_a_minute() -> None:
    found = scattered(54, 25 / 24)
    assert isinstance(found, Drift)
    assert found.ms_per_min == pytest.approx(2500, abs=20)


def test_a_short_programme_gives_a_list_and_claims_no_drift() -> None:
    found = scattered(9, 1.001)
    assert isinstance(found, Drift)
    assert {UNCHANGED, "24 played at 23.976 or 30 played at 29.97"} <= set(found.candidates)
    assert found.candidates[0] == UNCHANGED
    assert (found.ms_per_min, found.certain_stretch) == (0.0, 1.0)


def test_a_short_programme_still_tells_four_per_cent_from_none() -> None:
    found = scattered(9, 0.96)
    assert isinstance(found, Drift)
    assert UNCHANGED not in found.candidates
    assert "24 played at 25" in found.candidates
    assert found.ms_per_min < -1500


def test_a_drift_that_is_no_conversion_is_measured_and_not_named() -> None:
    found = scattered(80, 1.004)
    assert isinstance(found, Drift)
    assert found.candidates == ()
    assert found.ms_per_min == pytest.approx(240, abs=25)


def test_no_drift_is_claimed_in_clean_dubs() -> None:
    found = [scattered(30, 1.0, seed=seed) for seed in range(20)]
    assert all(isinstance(f, Drift) and f.ms_per_min == 0.0 for f in found)


def test_the_standard_error_covers_the_error() -> None:
    found = [scattered(40, 1.0, seed=seed) for seed in range(20)]
    z = np.array([(f.stretch - 1) / f.error for f in found if isinstance(f, Drift)])
    assert len(z) == 20
    assert np.abs(z).max() < 3


def test_an_unchanged_speed_has_the_benefit_of_the_doubt() -> None:
    slower = "24 played at 23.976 or 30 played at 29.97"
    assert conversions_near(1.0012, 0.0005) == (UNCHANGED, slower)
    assert conversions_near(1.0012, 0.0003) == (slower,)
    assert conversions_near(1.0, 0.0001) == (UNCHANGED,)


@pytest.mark.parametrize("stretch", [1 + 1 / 7000, 1.00053])
def test_over_two_hours_a_small_drift_is_seen(stretch: float) -> None:
    found = scattered(1700, stretch)
    assert isinstance(found, Drift)
    assert found.stretch == pytest.approx(stretch, abs=2e-5)
    assert found.ms_per_min > 0


@pytest.mark.parametrize("stretch", [1.00048, 1.00052, 0.99951])
def test_a_quarter_of_an_hour_is_searched_finely(stretch: float) -> None:
    found = scattered(240, stretch)
    assert isinstance(found, Drift)
    assert found.stretch == pytest.approx(stretch, abs=5e-5)


def test_a_drift_that_sets_in_after_the_first_half_hour_is_seen() -> None:
    spans = lines_at(1700)
    end = spans[-1][1] + 2.0
    dub = [tuple(t + max(0.0, t - 1800.0) / 10_000 for t in span) for span in spans]
    found = fit_drift(track(spans, end), track(dub, end + 1.0))
    assert isinstance(found, Drift)
    assert 2.0 < found.ms_per_min < 6.5  # 6 from then on


def test_unrelated_or_little_speech_has_no_drift() -> None:
    few = track([(1, 2), (3, 4)], 20.0)
    assert isinstance(fit_drift(few, few), Unmeasured)
    a, b = track(lines_at(40, seed=5), 200.0), track(lines_at(40, seed=6), 200.0)
    assert isinstance(fit_drift(a, b), Unmeasured)
