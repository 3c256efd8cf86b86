"""Calibrations: read strictly, fitted on known distributions, and what a hit in a gallery is worth."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dubgate.errors import ModelError
from dubgate.speech.calibration import (
    Calibration,
    Relation,
    as_norm,
    bayes_threshold,
    false_hit_rate,
    find,
    gallery_threshold,
    packaged,
    read,
    write,
)
from dubgate.speech.calibration_fit import (
    Trials,
    bootstrap_lines,
    cluster_cosine,
    draw_trials,
    equal_error_rate,
    fit_band,
    fit_line,
    strangers_deviation,
)
from dubgate.unmeasured import Unmeasured, measured


@pytest.fixture(scope="module")
def shipped() -> Calibration:
    [found] = [c for c in packaged() if c.name == "ge2e-read-same"]
    return found


def test_what_is_written_is_read_again(shipped: Calibration) -> None:
    assert read(write(shipped)) == shipped


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("schema", "dubgate.calibration/2.0", "schema"),
        ("schema", None, "schema"),
        ("bands", [], "no bands"),
        ("relation", "sideways", "sideways"),
        ("cluster_cosine", 1.5, "out of range"),
        ("unknown", 1, "unknown"),
        ("encoder", ..., "encoder"),
    ],
)
def test_a_calibration_that_makes_no_sense_is_refused(
    shipped: Calibration, field: str, value: object, why: str
) -> None:
    data = json.loads(write(shipped))
    data[field] = value
    if value is ...:
        del data[field]
    with pytest.raises(ModelError, match=why):
        read(json.dumps(data))


@pytest.mark.parametrize(("field", "value"), [("slope", -1.0), ("slope", math.nan), ("to_s", 1.0), ("from_s", 0.1)])
def test_bands_that_make_no_sense_are_refused(shipped: Calibration, field: str, value: float) -> None:
    data = json.loads(write(shipped))
    data["bands"][1][field] = value
    with pytest.raises(ModelError):
        read(json.dumps(data))


def test_the_shipped_file_is_of_the_pinned_encoder_and_honest_about_its_data(shipped: Calibration) -> None:
    from dubgate.speech.models import is_pinned

    assert is_pinned(shipped.encoder_sha256)
    assert not {v.data for v in shipped.fitted_on} & {v.data for v in shipped.reported_on}
    assert sum(v.n_speakers for v in shipped.reported_on) == 5
    for band in shipped.bands:
        assert band.slope_interval[0] < band.slope < band.slope_interval[1]
        assert band.report_eer_interval[0] <= band.report_eer <= band.report_eer_interval[1] <= 0.05
        assert band.report_named >= 0.95
    text = write(shipped)
    assert len(text) < 20_000  # numbers, no vectors


def test_one_is_found_only_for_its_encoder_and_relation(shipped: Calibration) -> None:
    assert find(shipped.encoder_sha256, Relation.SAME) == shipped
    for sha256, relation in ((shipped.encoder_sha256, Relation.ACROSS), ("0" * 64, Relation.SAME)):
        missing = find(sha256, relation)
        assert isinstance(missing, Unmeasured)
        assert "no calibration" in missing.reason


def test_lines_take_the_band_of_their_length(shipped: Calibration) -> None:
    assert isinstance(shipped.band(1.49), Unmeasured)
    assert shipped.band(1.5) == shipped.bands[0]
    assert shipped.band(shipped.bands[0].to_s) == shipped.bands[1]
    assert shipped.band(1e9) == shipped.bands[-1]
    assert measured(shipped.llr(1.0, 5.0)) > 0 > measured(shipped.llr(0.3, 5.0))


def test_the_low_end_of_a_ratio_is_never_above_it(shipped: Calibration) -> None:
    for cosine in np.linspace(0.3, 1.0, 20):
        assert shipped.bands[-1].llr_at_least(float(cosine)) <= shipped.bands[-1].llr(float(cosine))


def gaussian_trials(n_speakers: int, rng: np.random.Generator) -> Trials:
    """Cosines of which the true ratio is known: N(0.8, 0.1) of one speaker, N(0.5, 0.1) of two."""
    line, reference = (a.ravel() for a in np.meshgrid(range(n_speakers), range(n_speakers)))
    line, reference = np.repeat(line, 300), np.repeat(reference, 300)
    mean = np.where(line == reference, 0.8, 0.5)
    return Trials(mean + 0.1 * rng.standard_normal(len(mean)), line, reference)


def test_a_fit_finds_the_true_ratio() -> None:
    slope, offset = fit_line(gaussian_trials(8, np.random.default_rng(0)))
    assert slope == pytest.approx(0.3 / 0.01, rel=0.05)  # (0.8 - 0.5) / variance
    assert -offset / slope == pytest.approx(0.65, abs=0.01)


def test_a_band_covers_the_truth_and_names_the_share_it_promises() -> None:
    rng = np.random.default_rng(1)
    band = fit_band((2.0, 4.0), gaussian_trials(8, rng), gaussian_trials(6, rng), named_share=0.9, rng=rng)
    assert band.slope_interval[0] < band.slope < band.slope_interval[1]
    assert band.slope == pytest.approx(30, rel=0.05)
    assert band.report_named == pytest.approx(0.9, abs=0.02)
    assert band.report_eer == pytest.approx(0.0668, abs=0.01)  # 1 - Phi(1.5)
    assert band.report_eer_interval[0] < band.report_eer < band.report_eer_interval[1]


def test_intervals_cover_the_truth_when_speakers_differ() -> None:
    covered = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        trials = gaussian_trials(10, rng)
        own = 0.06 * rng.standard_normal((10, 10))  # what each pair of speakers has of its own
        shifted = Trials(trials.cosine + own[trials.line, trials.reference], trials.line, trials.reference)
        (low, high), _ = bootstrap_lines(shifted, rng=rng)
        covered += low < 0.3 / (0.01 + 0.06**2) < high
    assert covered >= 30


def test_fitting_where_no_score_overlaps_stays_finite() -> None:
    trials = Trials(np.array([0.9, 0.9, 0.2, 0.2]), np.array([0, 1, 0, 1]), np.array([0, 1, 1, 0]))
    slope, offset = fit_line(trials)
    assert math.isfinite(slope)
    assert -offset / slope == pytest.approx(0.55)


def test_strangers_spread_as_they_were_drawn() -> None:
    assert strangers_deviation(gaussian_trials(8, np.random.default_rng(2))) == pytest.approx(0.1, rel=0.05)


@pytest.mark.parametrize(
    ("same", "diff", "rate"),
    [([0.9, 0.8], [0.1, 0.2], 0.0), ([0.1, 0.2], [0.8, 0.9], 1.0), ([1, 2, 3, 4], [0, 1.5, 2.5, 0.5], 0.375)],
)
def test_equal_error_rates_by_hand(same: list[float], diff: list[float], rate: float) -> None:
    assert equal_error_rate(np.array(same, dtype=float), np.array(diff, dtype=float)) == pytest.approx(rate, abs=0.13)


def test_equal_error_rate_of_two_normals() -> None:
    rng = np.random.default_rng(0)
    same, diff = rng.standard_normal(40_000) + 2, rng.standard_normal(40_000)
    assert equal_error_rate(same, diff) == pytest.approx(0.1587, abs=0.005)  # 1 - Phi(1)


def test_a_line_is_never_pooled_with_itself() -> None:
    lines = [np.eye(6)[:3], np.eye(6)[3:]]
    trials = draw_trials(lines, lines, n_pooled=2, rng=np.random.default_rng(0), rounds=1)
    assert np.allclose(trials.cosine, 0.0)  # every line is orthogonal to all others
    assert trials.same.sum() == 6


def test_the_clustering_threshold_lies_between_voices() -> None:
    rng = np.random.default_rng(0)
    rows = np.concatenate([np.eye(16)[k] + 0.1 * rng.standard_normal((6, 16)) for k in range(4)])
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    found = cluster_cosine([(rows, np.full(24, 2.0), [str(k // 6) for k in range(24)])])
    assert 0.5 <= found < 0.9


def test_the_bayes_threshold_weighs_costs_and_priors() -> None:
    assert bayes_threshold(0.5) == 0.0
    assert bayes_threshold(0.01) == pytest.approx(math.log(99))
    assert bayes_threshold(0.5, cost_false_accept=10) == pytest.approx(math.log(10))
    with pytest.raises(ValueError, match="prior"):
        bayes_threshold(1.0)


@given(st.floats(1e-6, 0.5), st.integers(1, 10_000))
def test_a_gallery_threshold_gives_its_rate(rate: float, n: int) -> None:
    assert false_hit_rate(gallery_threshold(rate, n), n) == pytest.approx(rate, rel=1e-6)


@given(st.floats(-5, 30), st.integers(0, 1000))
def test_a_larger_gallery_is_hit_by_chance_more_often(llr: float, n: int) -> None:
    assert false_hit_rate(llr, n) <= false_hit_rate(llr, n + 1) <= 1.0
    assert false_hit_rate(llr, 0) == 0.0


def test_the_false_hit_bound_holds_for_calibrated_scores() -> None:
    rng = np.random.default_rng(0)
    d = 2.5  # two normals of distance d: the ratio of a stranger is N(-d²/2, d)
    strangers = rng.normal(-d * d / 2, d, 200_000)
    for llr in (1.0, 3.0, 5.0):
        assert (strangers >= llr).mean() <= false_hit_rate(llr, 1)


def test_as_norm_by_hand() -> None:
    # top two of each cohort: 4, 2 (mean 3, deviation 1) and 6, 2 (mean 4, deviation 2)
    assert as_norm(6.0, [0, 2, 4], [2, 6, -9], top=2) == pytest.approx(((6 - 3) / 1 + (6 - 4) / 2) / 2)
    with pytest.raises(ValueError, match="cohort"):
        as_norm(1.0, [1.0], [1.0, 2.0])
    with pytest.raises(ValueError, match="equal"):
        as_norm(1.0, [1.0, 1.0], [1.0, 2.0])


def test_another_minor_version_is_read(shipped: Calibration) -> None:
    assert read(write(shipped).replace("calibration/1.0", "calibration/1.3")) == replace(shipped)
