"""Batching: order and length kept, the budget held, halves when memory runs out."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dubgate.errors import ModelError
from dubgate.speech.batching import batches, in_batches, is_out_of_memory


class OutOfMemoryError(RuntimeError):
    """Named as torch's own."""


lengths = st.lists(st.floats(0.01, 100), max_size=40)


@given(lengths, st.floats(0.5, 200))
def test_results_come_in_the_order_of_the_items(items: list[float], budget: float) -> None:
    tagged = list(enumerate(items))
    assert in_batches(tagged, lambda b: [k for k, _ in b], length_s=lambda i: i[1], budget_s=budget) == [
        k for k, _ in tagged
    ]


@given(lengths, st.floats(0.5, 200))
def test_no_padded_batch_exceeds_the_budget_unless_it_holds_one(items: list[float], budget: float) -> None:
    seen: list[Sequence[float]] = []

    def run(batch: Sequence[float]) -> list[float]:
        seen.append(batch)
        return list(batch)

    in_batches(items, run, length_s=lambda x: x, budget_s=budget)
    assert all(len(b) == 1 or len(b) * max(b) <= budget * (1 + 1e-9) for b in seen)
    assert sum(len(b) for b in seen) == len(items)


@given(lengths.map(lambda xs: sorted(xs, reverse=True)), st.floats(0.5, 200))
def test_batches_cover_every_item_once(items: list[float], budget: float) -> None:
    assert [k for r in batches(items, budget) for k in r] == list(range(len(items)))


def test_a_batch_is_halved_until_it_fits_and_later_ones_start_small() -> None:
    tried: list[int] = []

    def run(batch: Sequence[int]) -> list[int]:
        tried.append(len(batch))
        if len(batch) > 3:
            raise OutOfMemoryError("CUDA out of memory")
        return [10 * x for x in batch]

    items = list(range(20))
    assert in_batches(items, run, length_s=lambda _: 1.0, budget_s=10.0) == [10 * x for x in items]
    assert tried[:3] == [10, 5, 2]
    assert max(tried[3:]) <= 2


def test_one_item_that_does_not_fit_is_named() -> None:
    def run(_: Sequence[float]) -> list[float]:
        raise OutOfMemoryError("out of memory")

    with pytest.raises(ModelError, match="90 s does not fit"):
        in_batches([1.0, 90.0], run, length_s=lambda x: x, budget_s=1.0)


def test_other_errors_are_not_taken_for_want_of_memory() -> None:
    def run(_: Sequence[float]) -> list[float]:
        raise RuntimeError("shape mismatch")

    with pytest.raises(RuntimeError, match="shape"):
        in_batches([1.0], run, length_s=lambda x: x, budget_s=1.0)
    assert is_out_of_memory(RuntimeError("CUDA failed: out of memory"))
    assert not is_out_of_memory(ValueError("out of memory"))


def test_a_model_that_answers_short_is_an_error() -> None:
    with pytest.raises(ValueError, match="zip"):
        in_batches([1.0, 2.0], lambda b: b[:1], length_s=lambda x: x, budget_s=10.0)


def test_progress_counts_to_the_end() -> None:
    told: list[tuple[int, int]] = []
    in_batches([1.0] * 7, list, length_s=lambda x: x, budget_s=2.0, progress=lambda a, b: told.append((a, b)))
    assert told == [(2, 7), (4, 7), (6, 7), (7, 7)]
