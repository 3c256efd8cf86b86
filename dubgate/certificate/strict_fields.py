"""Strict JSON from strangers, read field by field: nothing repeated, nothing missing, nothing unknown, no coercion.

By hand and not by pydantic, so that verifying starts in a moment.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from consent.dsse import RepeatedKeyError, loads_strictly
from dubgate.certificate.refusals import Malformed, RepeatedKey

T = TypeVar("T")
MAX_ITEMS = 10_000
SHA256 = re.compile(r"[0-9a-f]{64}")
# The one form of a time that is signed here: UTC, microseconds, Z.
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


def iso(moment: datetime) -> str:
    """A time as it is signed."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def read_json(data: bytes, name: str) -> Any:
    """JSON in UTF-8 without repeated keys, NaN or infinities.

    Raises:
        RepeatedKey: an object names a key twice.
        Malformed: it is not JSON.
    """
    try:
        return loads_strictly(data.decode("utf-8"))
    except RepeatedKeyError:
        raise RepeatedKey("a key stands twice in one object", where=name) from None
    except (ValueError, RecursionError) as error:
        raise Malformed(f"not JSON: {error}", where=name) from None


class Fields:
    """An object whose fields are taken one by one; `done` refuses what nobody took."""

    def __init__(self, data: Any, name: str, schema: str | None = None) -> None:
        if not isinstance(data, dict):
            raise Malformed("an object is wanted", where=name)
        self._left, self.name = dict(data), name
        if schema is not None and (said := self.text("schema")) != schema:
            newer = said.partition("/")[0] == schema.partition("/")[0]  # else it is another kind of file altogether
            remedy = "Update dubgate, or ask who made it." if newer else None
            raise Malformed(f"its schema is not {schema}", where=name, remedy=remedy)

    def take(self, key: str) -> Any:
        """Any value that must be there."""
        if key not in self._left:
            raise Malformed(f"it lacks {key!r}", where=self.name)
        return self._left.pop(key)

    def has(self, key: str) -> bool:
        """Whether a field that may be left out is there."""
        return key in self._left

    def text(self, key: str) -> str:
        """A string."""
        return self._of(key, str)

    def boolean(self, key: str) -> bool:
        """True or false."""
        return self._of(key, bool)

    def number(self, key: str) -> int:
        """A whole number of 0 or more."""
        value = self._of(key, int)
        if value < 0:
            raise Malformed(f"{key} is below 0", where=self.name)
        return value

    def integer(self, key: str) -> int:
        """A whole number, below 0 too."""
        return self._of(key, int)

    def _of(self, key: str, kind: type[T]) -> T:
        value = self.take(key)
        if type(value) is not kind:
            raise Malformed(f"{key} is not of type {kind.__name__}", where=self.name)
        return value

    def texts(self, key: str, at_most: int = MAX_ITEMS) -> tuple[str, ...]:
        """A list of strings."""
        found = self.each(key, lambda item, _: item, at_most)
        if not all(type(item) is str for item in found):
            raise Malformed(f"{key} is not a list of strings", where=self.name)
        return found

    def sha256(self, key: str) -> str:
        """A SHA-256 in lower-case hex."""
        value = self.text(key)
        if not SHA256.fullmatch(value):
            raise Malformed(f"{key} is not a SHA-256 in hex", where=self.name)
        return value

    def time(self, key: str) -> datetime:
        """A time in UTC, in its one form."""
        value = self.text(key)
        try:
            if _TIME.fullmatch(value):
                return datetime.fromisoformat(value)
        except ValueError:
            pass
        raise Malformed(f"{key} is not a time such as 2026-12-01T00:00:00.000000Z", where=self.name)

    def each(self, key: str, read: Callable[[Any, str], T], at_most: int = MAX_ITEMS) -> tuple[T, ...]:
        """A list, each item read with its place in the message."""
        value = self._of(key, list)
        if len(value) > at_most:
            raise Malformed(f"{key} has more than {at_most} items", where=self.name)
        return tuple(read(item, f"{self.name}: {key}[{k}]") for k, item in enumerate(value))

    def inner(self, key: str) -> Fields:
        """An object in this object."""
        return Fields(self.take(key), f"{self.name}: {key}")

    def done(self) -> None:
        """Nothing may be left that nobody knows."""
        if self._left:
            raise Malformed(f"unknown field {sorted(self._left)[0]!r}", where=self.name)
