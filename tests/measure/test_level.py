"""Level measures from block powers whose loudness is known; the meter itself is in tests/test_meter.py."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from timing_features import UNHEARD, of, programme, track

from dubgate.features import Levels, MixCheck
from dubgate.measure.level import integrated_lufs, measure_level, speech_gated_lkfs
from dubgate.measure.metrics import METRICS
from dubgate.unmeasured import Unmeasured, measured


def power(lufs: float) -> float:
    return float(10 ** ((lufs + 0.691) / 10))


def levels(*stretches: tuple[float, float], peak: float = -3.0) -> Levels:
    """Blocks at these loudnesses (LUFS, seconds); silence is minus infinity."""
    blocks = np.concatenate([np.full(round(s * 10), power(lufs)) for lufs, s in stretches])
    seconds = len(blocks) / 10
    return Levels(48_000, 1, blocks, peak, 0, round(seconds * 48_000), short_term_power=blocks)


def test_loudness_is_gated_absolutely_then_relatively() -> None:
    assert measured(integrated_lufs(levels((-23, 10)))) == pytest.approx(-23.0)
    assert measured(integrated_lufs(levels((-23, 10), (-71, 100)))) == pytest.approx(-23.0)
    assert measured(integrated_lufs(levels((-23, 10), (-37, 10)))) == pytest.approx(-23.0)
    both = 10 * np.log10((power(-23) + power(-28)) / 2) - 0.691
    assert measured(integrated_lufs(levels((-23, 10), (-28, 10)))) == pytest.approx(both)


def test_speech_loudness_counts_blocks_with_speech_only() -> None:
    dub = track([(10.0, 20.0)], 40.0, levels=levels((-35, 10), (-27, 10), (-35, 20)))
    assert measured(speech_gated_lkfs(dub)) == pytest.approx(-27.0, abs=0.2)  # blocks at the edges hold both
    assert measured(speech_gated_lkfs(replace(dub, levels=levels((-27, 40))))) == pytest.approx(-27.0)


def test_all_metrics_of_the_group_come_out_once() -> None:
    found = measure_level(programme(track([(1, 5)]), track([(1, 5)], levels=levels((-23, 90)))))
    assert sorted(m.metric for m in found) == sorted(n for n, m in METRICS.items() if m.group == "level")
    assert measured(of(found, "dialogue_share").value) == pytest.approx(4 / 60, abs=0.01)
    assert measured(of(found, "true_peak_dbtp").value) == -3.0
    assert measured(of(found, "loudness_range_lu").value) == pytest.approx(0.0)


def test_a_silent_dub_has_no_loudness_that_could_pass() -> None:
    silent = track([], levels=levels((-np.inf, 60), peak=-120.0))
    found = {m.metric: m.value for m in measure_level(programme(track([(1, 5)]), silent))}
    assert found.pop("dialogue_share") == 0.0
    assert all(isinstance(v, Unmeasured) for v in found.values())


def test_a_dub_under_a_minute_has_no_loudness_range() -> None:
    found = measure_level(programme(track([(1, 5)]), track([(1, 5)], levels=levels((-23, 59)))))
    assert isinstance(of(found, "loudness_range_lu").value, Unmeasured)


def test_the_mix_check_is_passed_on() -> None:
    features = replace(programme(track([(1, 5)]), track([(1, 5)])), mix=MixCheck(-52.0, UNHEARD))
    found = measure_level(features)
    assert of(found, "mix_residual_db").value == -52.0
    assert of(found, "speech_to_background_db").value == UNHEARD
