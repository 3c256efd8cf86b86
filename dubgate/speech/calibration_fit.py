"""Fits a calibration: lines of known voices are drawn as a programme would hold them, cosines become likelihood ratios.

A trial is one line against the pooled other lines of its character; in a trial of two voices the line is replaced by
another speaker's. Equal-variance Gaussians give slope and offset: finite also where no score overlaps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dubgate.speech.calibration import Band, Interval
from dubgate.speech.clustering import agglomerate

Doubles = NDArray[np.float64]
_NEAR_BEST_F1 = 0.02


@dataclass(frozen=True, slots=True, eq=False)
class Trials:
    """Cosines of lines with a pooled reference, and between which speakers (index of line's, of reference's)."""

    cosine: Doubles
    line: NDArray[np.int64]
    reference: NDArray[np.int64]

    @property
    def same(self) -> NDArray[np.bool_]:
        return np.asarray(self.line == self.reference)


def draw_trials(
    voices: Sequence[Doubles], references: Sequence[Doubles], *, n_pooled: int, rng: np.random.Generator, rounds: int
) -> Trials:
    """Every line of every voice against `rounds` random pools of each voice.

    Args:
        voices: vectors of lines [shape=(n_lines, d)], one array a speaker.
        references: vectors to pool, in the same order; a line's own is never pooled with it where the arrays are one.
        n_pooled: lines in a pool.
    """
    rows: list[tuple[float, int, int]] = []
    for r, pool in enumerate(references):
        for v, lines in enumerate(voices):
            for k, line in enumerate(lines):
                usable = np.array([j for j in range(len(pool)) if not (pool is lines and j == k)])
                for _ in range(rounds):
                    chosen = pool[rng.choice(usable, min(n_pooled, len(usable)), replace=False)].sum(axis=0)
                    rows.append((float(line @ chosen / np.linalg.norm(chosen)), v, r))
    cosine, line_of, reference_of = zip(*rows, strict=True)
    return Trials(np.array(cosine), np.array(line_of), np.array(reference_of))


def fit_line(trials: Trials, drawn: Doubles | None = None) -> tuple[float, float]:
    """Slope and offset of the log-likelihood ratio of two Gaussians with one variance.

    Args:
        trials: scores of known speakers.
        drawn: how often each speaker counts [shape=(n_speakers,)]; every pair of speakers weighs the product.
    """
    (mean_s, var_s), (mean_d, var_d) = _balanced(trials, True, drawn), _balanced(trials, False, drawn)
    variance = max((var_s + var_d) / 2, 1e-6)
    slope = (mean_s - mean_d) / variance
    return slope, -slope * (mean_s + mean_d) / 2


def _balanced(trials: Trials, same: bool, drawn: Doubles | None = None) -> tuple[float, float]:
    """Mean and variance over all trials of one kind; a pair of speakers weighs the same however many trials it has."""
    kept = trials.same == same
    line, reference = trials.line[kept], trials.reference[kept]
    _, at, counts = np.unique(line * 10_000 + reference, return_inverse=True, return_counts=True)
    weights = 1.0 / counts[at]
    if drawn is not None:
        weights = weights * (drawn[line] if same else drawn[line] * drawn[reference])
    mean = float(np.average(trials.cosine[kept], weights=weights))
    return mean, float(np.average((trials.cosine[kept] - mean) ** 2, weights=weights))


def strangers_deviation(trials: Trials) -> float:
    """Standard deviation of the cosines of two speakers, every pair of speakers with the same weight."""
    return float(np.sqrt(_balanced(trials, False)[1]))


def bootstrap_lines(trials: Trials, *, rng: np.random.Generator, rounds: int = 200) -> tuple[Interval, Interval]:
    """95 % intervals of slope and offset over resampled speakers.

    The offset's ends go with the slope's: they are those of the fits with the lowest and the highest slope kept.
    """
    n = int(max(trials.line.max(), trials.reference.max())) + 1
    draws = (np.bincount(rng.integers(0, n, n), minlength=n).astype(np.float64) for _ in range(rounds))
    fits = [fit_line(trials, drawn) for drawn in draws if (drawn > 0).sum() > 1]
    fits.sort()
    low, high = fits[int(0.025 * len(fits))], fits[min(len(fits) - 1, int(0.975 * len(fits)))]
    return (low[0], high[0]), (low[1], high[1])


def equal_error_rate(same: Doubles, diff: Doubles) -> float:
    """The rate at which misses and false accepts are equal, by interpolation between thresholds; 0..1."""
    thresholds = np.unique(np.concatenate([same, diff]))
    miss = np.searchsorted(np.sort(same), thresholds, side="left") / len(same)
    accept = 1.0 - np.searchsorted(np.sort(diff), thresholds, side="left") / len(diff)
    k = int(np.argmax(miss >= accept)) if (miss >= accept).any() else len(thresholds) - 1
    if k == 0:
        return float((miss[0] + accept[0]) / 2)
    left, right = miss[k - 1] - accept[k - 1], miss[k] - accept[k]
    share = float(left / (left - right)) if left != right else 0.0
    return float(miss[k - 1] + share * (miss[k] - miss[k - 1]))


def fit_band(seconds: Interval, fit: Trials, report: Trials, *, named_share: float, rng: np.random.Generator) -> Band:
    """A band fitted on some voices and reported on others; the one-voice threshold comes from the fitted ones alone."""
    slope, offset = fit_line(fit)
    slopes, offsets = bootstrap_lines(fit, rng=rng)
    threshold = float(np.quantile(slope * fit.cosine[~fit.same] + offset, named_share))
    same, diff = report.cosine[report.same], report.cosine[~report.same]
    scores = {True: slope * same + offset, False: slope * diff + offset}
    return Band(
        from_s=seconds[0], to_s=seconds[1], slope=slope, slope_interval=slopes, offset=offset, offset_interval=offsets,
        named_below_llr=threshold, named_share=named_share, n_same=int(fit.same.sum()), n_diff=int((~fit.same).sum()),
        report_n_same=len(same), report_n_diff=len(diff), report_eer=equal_error_rate(same, diff),
        report_eer_interval=_eer_interval(report, rng), report_named=float((scores[False] < threshold).mean()),
        report_false_alarm=float((scores[True] < threshold).mean()),
    )  # fmt: skip


def _eer_interval(trials: Trials, rng: np.random.Generator, rounds: int = 200) -> Interval:
    n = int(max(trials.line.max(), trials.reference.max())) + 1
    rates = []
    for _ in range(rounds):
        drawn = np.bincount(rng.integers(0, n, n), minlength=n) > 0
        kept = drawn[trials.line] & drawn[trials.reference]
        same, diff = trials.cosine[kept & trials.same], trials.cosine[kept & ~trials.same]
        if len(same) and len(diff):
            rates.append(equal_error_rate(same, diff))
    return (float(np.quantile(rates, 0.025)), float(np.quantile(rates, 0.975)))


def cluster_cosine(draws: Sequence[tuple[Doubles, Doubles, Sequence[str]]]) -> float:
    """The clustering threshold that sorts drawn lines by speaker: the lowest whose mean pairwise F1 is near the best.

    The lowest, since the synthetic voices among the fitted ones vary less than people do.

    Args:
        draws: vectors [shape=(n, d)], seconds [shape=(n,)] and speakers of lines that are clustered together.
    """
    grid = np.arange(0.5, 0.951, 0.01)
    scores = np.array(
        [np.mean([_pairwise_f1(agglomerate(v * s[:, None], t), who) for v, s, who in draws]) for t in grid]
    )
    return float(grid[scores >= scores.max() - _NEAR_BEST_F1][0])


def _pairwise_f1(labels: NDArray[np.int64], speakers: Sequence[str]) -> float:
    """Of all pairs of lines: how well "in one cluster" agrees with "by one speaker", 0..1."""
    who = np.unique(np.array(speakers), return_inverse=True)[1]
    upper = np.triu_indices(len(labels), 1)
    together = (labels[:, None] == labels[None, :])[upper]
    same = (who[:, None] == who[None, :])[upper]
    return float(2 * (together & same).sum() / max(1, together.sum() + same.sum()))
