"""Unmeasured: the value of a number that could not be had, and why. It never passes (idea 3 of the design)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Unmeasured:
    """A missing measurement with its reason, as one plain sentence without a final full stop.

    It has no truth value and no order, so that it cannot slip through a comparison.
    """

    reason: str

    def __bool__(self) -> NoReturn:
        raise TypeError(f"an unmeasured value has no truth value ({self.reason})")

    def _refuse(self, other: object) -> NoReturn:
        raise TypeError(f"an unmeasured value has no order ({self.reason})")

    __lt__ = __le__ = __gt__ = __ge__ = _refuse


def measured(value: T | Unmeasured) -> T:
    """The value itself; raises ValueError on Unmeasured. For callers that have just checked, and for tests."""
    if isinstance(value, Unmeasured):
        raise ValueError(f"unmeasured: {value.reason}")
    return value
