"""The set algebra of spans, held to masks on a fine grid."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dubgate.spans import Span, difference, intersection, mask, spans_of, total_s, union

HOP = 0.25
SPANS = st.lists(
    st.tuples(st.integers(0, 40), st.integers(1, 10)).map(lambda t: Span(t[0] * HOP, (t[0] + t[1]) * HOP)), max_size=8
)


def bits(spans: tuple[Span, ...] | list[Span]) -> np.ndarray:
    return mask(spans, HOP, 60)


@given(SPANS, SPANS)
def test_the_algebra_is_that_of_masks(left: list[Span], right: list[Span]) -> None:
    assert np.array_equal(bits(union(left)), bits(left))
    assert np.array_equal(bits(intersection(left, right)), bits(left) & bits(right))
    assert np.array_equal(bits(difference(left, right)), bits(left) & ~bits(right))
    assert total_s(left) == pytest.approx(bits(left).sum() * HOP)


@given(SPANS)
def test_a_mask_and_its_spans_say_the_same(spans: list[Span]) -> None:
    assert spans_of(bits(spans), HOP) == union(spans)


def test_a_span_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(ValueError, match="ends before it starts"):
        Span(2.0, 1.0)
    with pytest.raises(ValueError, match="ends before it starts"):
        Span(0.0, float("nan"))
