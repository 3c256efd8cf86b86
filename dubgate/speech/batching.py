"""The one home of batching: clips in, results of the same length and order out, within a budget of seconds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from dubgate.errors import ModelError

Item = TypeVar("Item")
Result = TypeVar("Result")

Progress = Callable[[int, int], None]  # items done, items in all


def in_batches(
    items: Sequence[Item],
    run: Callable[[Sequence[Item]], Sequence[Result]],
    *,
    length_s: Callable[[Item], float],
    budget_s: float,
    progress: Progress | None = None,
) -> list[Result]:
    """Run a model over all items, longest first, so that what does not fit is known at once.

    A batch costs its longest item times its number, since shorter ones are padded. Where the device runs out of
    memory the batch is halved, and so are those after it.

    Args:
        items: what the model takes, in any order.
        run: one batch in, as many results out, in the same order.
        length_s: seconds of an item.
        budget_s: seconds that a padded batch may hold; an item that is longer alone is a batch of its own.
        progress: called after every batch.

    Raises:
        ModelError: one item alone does not fit the device's memory.
        ValueError: the model gave another number of results than it was given items.
    """
    order = sorted(range(len(items)), key=lambda k: length_s(items[k]), reverse=True)
    results: dict[int, Result] = {}
    waiting = list(batches([length_s(items[k]) for k in order], budget_s))[::-1]
    limit = len(items)
    while waiting:
        batch = waiting.pop()
        if len(batch) > limit:
            waiting += [batch[limit:], batch[:limit]]
            continue
        keys = [order[k] for k in batch]
        try:
            found = run([items[k] for k in keys])
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            _give_memory_back()
            limit = _halved(len(batch), length_s(items[keys[0]]), error)
            waiting.append(batch)
            continue
        results.update(zip(keys, found, strict=True))
        if progress is not None:
            progress(len(results), len(items))
    return [results[k] for k in range(len(items))]


def batches(lengths_s: Sequence[float], budget_s: float) -> Iterator[range]:
    """Runs of neighbours, longest first, whose padded sum stays within the budget; never empty."""
    first = 0
    while first < len(lengths_s):
        longest = max(lengths_s[first], 1e-9)
        n = max(1, min(len(lengths_s) - first, int(budget_s / longest)))
        yield range(first, first + n)
        first += n


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a model failed for want of memory: torch's own class, or the words of a runtime that has none."""
    return type(error).__name__ == "OutOfMemoryError" or (
        isinstance(error, RuntimeError) and "out of memory" in str(error).lower()
    )


def _halved(n: int, longest_s: float, error: Exception) -> int:
    if n > 1:
        return n // 2
    raise ModelError(
        f"a clip of {longest_s:.0f} s does not fit the device's memory",
        remedy="free the device, or choose --device cpu",
    ) from error


def _give_memory_back() -> None:
    """What the failed batch left in torch's cache would make the halved one fail too."""
    import sys

    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()
