"""Pause score, the IWSLT metrics and length compliance against their published formulas."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from timing_features import sheet

from dubgate.measure.isochrony import FRAME_S, iwslt_metrics, length_compliance, pause_score
from dubgate.spans import Span
from dubgate.unmeasured import Unmeasured, measured

Segments = tuple[Span, ...]


def segments(*durations: float, pause_s: float = 0.5) -> Segments:
    """Speech of these durations with equal pauses between."""
    out, now = [], 1.0
    for duration in durations:
        out.append(Span(now, now + duration))
        now += duration + pause_s
    return tuple(out)


def count_durations(pairs: list[tuple[list[int], list[int]]]) -> tuple[float, float, float]:
    """count_durations.py of iwslt-autodub-task as its formula stands, in frames."""
    relative, ratio, frames = [], [], []
    for reference, hypothesis in pairs:
        if len(reference) != len(hypothesis):
            relative += [1.0] * len(reference)
            ratio += [0.0] * len(reference)
            frames += [35.0] * len(reference)
            continue
        for r, h in zip(reference, hypothesis, strict=True):
            relative.append(abs(h - r) / r)
            ratio.append(min(h, r) / max(h, r))
            frames.append(abs(h - r))
    return 1 - float(np.mean(relative)), float(np.mean(ratio)), float(np.mean(frames))


@settings(max_examples=40)
@given(st.lists(st.tuples(*[st.lists(st.integers(1, 400), min_size=1, max_size=4)] * 2), min_size=1, max_size=6))
def test_iwslt_metrics_are_those_of_the_published_script(lines: list[tuple[list[int], list[int]]]) -> None:
    pairs = [(segments(*(r * FRAME_S for r in a)), segments(*(h * FRAME_S for h in b))) for a, b in lines]
    m1, m2, frames = count_durations(lines)
    assert iwslt_metrics(pairs) == pytest.approx((m1, m2, frames * FRAME_S), abs=1e-6)


def stopes(pairs: list[tuple[Segments, Segments]]) -> float:
    """The stopes formula on a fine proportional word alignment, every pairing tried."""
    scored = weight = 0.0
    for a, b in pairs:
        pa, pb = paused(a), paused(b)
        weight += sum(d for d, _ in pa) + sum(d for d, _ in pb)
        words = (np.arange(2000) + 0.5) / 2000
        small, large = sorted((pa, pb), key=len)
        best = (-1.0, 0.0)
        for chosen in itertools.permutations(large, len(small)):
            joint = [
                min(x, y) / max(x, y) * float(np.mean((words - at) * (words - to) > 0))
                for (x, at), (y, to) in zip(small, chosen, strict=True)
            ]
            weighted = sum(j * (x + y) for j, (x, _), (y, _) in zip(joint, small, chosen, strict=True))
            best = max(best, (sum(joint), weighted))
        scored += best[1]
    return scored / weight


def paused(spans: Segments) -> list[tuple[float, float]]:
    spoken = sum(s.duration_s for s in spans)
    at = np.cumsum([s.duration_s for s in spans]) / spoken
    return [(b.start_s - a.end_s, float(p)) for a, b, p in zip(spans[:-1], spans[1:], at[:-1], strict=True)]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_the_pause_score_is_the_stopes_formula(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pairs = [
        tuple(segments(*rng.uniform(0.3, 2, rng.integers(1, 5)), pause_s=float(rng.uniform(0.3, 1))) for _ in range(2))
        for _ in range(6)
    ]
    score = pause_score(pairs)
    if isinstance(score, Unmeasured):
        assert sum(len(a) + len(b) - 2 for a, b in pairs) < 5
    else:
        assert score == pytest.approx(stopes(pairs), abs=2e-3)


def test_the_same_pauses_score_1_and_none_against_many_0() -> None:
    line = segments(1.0, 1.0, 1.0, 1.0)
    assert measured(pause_score([(line, line)])) == pytest.approx(1.0)
    assert measured(pause_score([(line, segments(4.0)), (line, segments(3.0))])) == 0.0


def test_a_handful_of_pauses_is_too_few() -> None:
    assert isinstance(pause_score([(segments(1, 1), segments(1, 1))]), Unmeasured)


def test_length_compliance_counts_lines_within_ten_per_cent_and_leaves_short_ones_out() -> None:
    script = sheet([(k, k + 0.5) for k in range(4)], texts=("x" * 20, "x" * 22, "x" * 23, "yes"))
    cues = tuple(replace(c, original_text="o" * 20 if k < 3 else "oui") for k, c in enumerate(script.cues))
    assert measured(length_compliance(replace(script, cues=cues))) == pytest.approx(2 / 3)
    assert isinstance(length_compliance(script), Unmeasured)
