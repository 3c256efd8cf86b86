"""Matching words: against jiwer, within reach of time, in order; and the clock that a late dub runs by."""

from __future__ import annotations

from collections.abc import Callable

import jiwer
import numpy as np
import pytest
from growth import LINEAR, growth
from hypothesis import given
from hypothesis import strategies as st

from dubgate.measure.word_clock import Clock, fit_clock
from dubgate.measure.word_match import Pair, Placed, match_words
from dubgate.spans import Span

WORDS = st.lists(st.sampled_from("abcdef"), min_size=1, max_size=14)


def _placed(words: list[str], span: Span | None = None) -> list[Placed]:
    return [Placed(w, span or Span(k, k + 0.5)) for k, w in enumerate(words)]


def _errors(script: list[str], heard: list[str], pairs: tuple[Pair, ...]) -> int:
    return sum(p.script is None or p.heard is None or script[p.script] != heard[p.heard] for p in pairs)


@given(WORDS, WORDS)
def test_the_number_of_edits_is_jiwers(script: list[str], heard: list[str]) -> None:
    pairs = match_words(_placed(script, Span(0, 20)), _placed(heard), reach_s=100.0, misheard_reach_s=100.0)
    counted = jiwer.process_words(" ".join(script), " ".join(heard))
    assert _errors(script, heard, pairs) == counted.substitutions + counted.deletions + counted.insertions


@given(WORDS, st.lists(st.sampled_from("abcdef"), max_size=14), st.floats(0, 4), st.floats(0, 4))
def test_every_word_is_passed_once_in_order_and_pairs_stay_in_reach(
    script: list[str], heard: list[str], reach_s: float, misheard_s: float
) -> None:
    left, right = _placed(script), _placed(heard)
    pairs = match_words(left, right, reach_s=reach_s, misheard_reach_s=misheard_s)
    assert [p.script for p in pairs if p.script is not None] == list(range(len(script)))
    assert [p.heard for p in pairs if p.heard is not None] == list(range(len(heard)))
    for p in pairs:
        if p.script is not None and p.heard is not None:
            middle = right[p.heard].span.start_s + 0.25
            away_s = max(0.0, left[p.script].span.start_s - middle, middle - left[p.script].span.end_s)
            assert away_s <= (reach_s if script[p.script] == heard[p.heard] else misheard_s) + 1e-9


def test_of_two_equal_words_the_nearer_is_taken() -> None:
    heard = [Placed("no", Span(1, 1.2)), Placed("no", Span(6, 6.2))]
    pairs = match_words([Placed("no", Span(6, 7))], heard, reach_s=8, misheard_reach_s=1)
    assert Pair(0, 1) in pairs


def test_matching_takes_time_in_proportion() -> None:
    def matching(n: int) -> Callable[[], object]:
        rng = np.random.default_rng(0)
        script = [Placed(str(rng.integers(3000)), Span(k // 8 * 3.0, k // 8 * 3.0 + 2.5)) for k in range(n)]
        at = [w.span.start_s + k % 8 * 0.3 for k, w in enumerate(script)]
        heard = [Placed(w.text if rng.random() > 0.3 else "x", Span(s, s)) for w, s in zip(script, at, strict=True)]
        pairs = match_words(script, heard, reach_s=8, misheard_reach_s=1)
        assert sum(p.script == p.heard for p in pairs) > 0.95 * n
        return lambda: match_words(script, heard, reach_s=8, misheard_reach_s=1)

    assert growth(matching, 4_000) < LINEAR


def test_the_clock_is_found_under_false_matches() -> None:
    rng = np.random.default_rng(1)
    script_s = np.sort(rng.uniform(0, 150, 200))
    heard_s = script_s * 1.0427 + 0.7 + rng.normal(0, 0.2, 200)
    heard_s[::6] += rng.uniform(-6, 6, len(heard_s[::6]))
    clock = fit_clock(script_s, heard_s)  # type: ignore[arg-type]
    assert clock.offset_s == pytest.approx(0.7, abs=0.15)
    assert clock.slope == pytest.approx(0.0427, abs=0.002)
    assert clock.there(Span(100, 102)).start_s == pytest.approx(100 + 0.7 + 0.0427 * 101, abs=0.3)


def test_words_that_do_not_agree_are_no_clock() -> None:
    rng = np.random.default_rng(2)
    script_s = np.sort(rng.uniform(0, 150, 100))
    assert fit_clock(script_s, script_s + rng.uniform(-8, 8, 100)) == Clock()  # type: ignore[arg-type]
    assert fit_clock([1.0, 2.0], [3.0, 4.0]) == Clock()
