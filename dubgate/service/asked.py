"""Remembers what a registry was asked for an answer, so that the answer holds until one of those questions has a new one.

An answer about consents is made from the entries found under some keys and from the moment. As long as the ledger has no
new entry under any of these keys, and no moment that stands in any of these entries has come, asking again gives the
same answer. So a certificate's consents are looked up whole once, and afterwards one query asks whether anything changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from consent.entries import Entry
from consent.sealing import Keyring
from consent.store import Store
from consent.strict import Record

_MOMENT = re.compile(r'"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?(?:Z|[+-]\d{2}:\d{2}))"')
LONGEST = timedelta(hours=1)  # nothing is believed for longer without being asked whole again


class AskedStore(Store):
    """A store that keeps which keys it was asked, and which entries it gave."""

    def __init__(self, connection: Connection, keyring: Keyring | None = None) -> None:
        super().__init__(connection, keyring)
        self.keys: set[tuple[str, str]] = set()
        self.given: dict[int, Entry] = {}

    def entries(self, key: str, kind: type[Record] | None = None) -> list[Entry]:
        """As the store's; a question for every kind cannot be remembered."""
        if kind is None:
            raise NotImplementedError("what is asked of every kind is not remembered")
        self.keys.add((key, kind.schema_name))
        return self._kept(super().entries(key, kind))

    def entries_of(self, keys: Sequence[str], kind: type[Record] | None = None) -> list[Entry]:
        """As the store's."""
        if kind is None:
            raise NotImplementedError("what is asked of every kind is not remembered")
        self.keys |= {(key, kind.schema_name) for key in keys}
        return self._kept(super().entries_of(keys, kind))

    def named(self, kind: type[Record], *record_ids: str) -> list[Entry]:
        """Never: it looks under no key."""
        raise NotImplementedError("what is found by its id alone is not remembered")

    def of_kind(self, kind: type[Record], *, start: int = 0) -> list[Entry]:
        """Never: it looks under no key."""
        raise NotImplementedError("a whole kind is not remembered")

    def newest(self, keys: Sequence[str], kind: type[Record], most: int) -> list[Entry]:
        """Never: what a part of an answer rests on is not remembered."""
        raise NotImplementedError("a part of what is found is not remembered")

    def count(self, key: str, kind: type[Record]) -> int:
        """Never, as newest."""
        raise NotImplementedError("a number of entries is not remembered")

    def all_entries(self, *, start: int = 0) -> Iterable[Entry]:
        """Never: it looks under no key."""
        raise NotImplementedError("the whole history is not remembered")

    def _kept(self, entries: list[Entry]) -> list[Entry]:
        self.given |= {e.leaf_index: e for e in entries}
        return entries

    def holds_until(self, now: datetime) -> datetime:
        """The first moment after `now` that stands in anything that was given; an hour at most."""
        return min(coming(self.given.values(), now), default=now + LONGEST)


def coming(entries: Iterable[Entry], now: datetime) -> list[datetime]:
    """The moments to come in these entries, within the longest time that anything is believed for."""
    texts = {text for entry in entries for text in _MOMENT.findall(entry.body)}
    moments = {m for text in texts if (m := _read(text)) is not None}
    return sorted(m for m in moments if now < m <= now + LONGEST)


def every_moment(entries: Iterable[Entry]) -> set[datetime]:
    """All moments that stand in these entries."""
    texts = {text for entry in entries for text in _MOMENT.findall(entry.body)}
    return {m for text in texts if (m := _read(text)) is not None}


def _read(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
