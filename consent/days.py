"""Days and times as people write them in terms, read in a declared zone: a last day is included, doubt is refused."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from consent.errors import RecordError

FIRST_DAY = frozenset({"not_before", "start", "effective_at", "expires_at_majority", "signed_at", "shown_at"})
LAST_DAY = frozenset({"not_after", "end", "expires_at", "deletion_due"})
_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_DAY = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_WORDED = re.compile(rf"([0-9]{{1,2}}) ({'|'.join(_MONTHS)}) ([0-9]{{4}})")
_CLOCK = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})?"
)
FORMS = "2026-12-31, 31 December 2026 or 2026-12-31T18:00:00+01:00"


def zone_named(name: str) -> ZoneInfo:
    """An IANA time zone.

    Raises:
        ValueError: there is none of this name.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, TypeError, OSError):
        raise ValueError(f"{name!r} is not a time zone, such as Europe/Berlin") from None


def moment(text: str, key: str, zone: ZoneInfo | None) -> datetime:
    """The moment in UTC that a field `key` says; a day of a last-day field ends at the start of the next local day.

    Args:
        text: an ISO 8601 day or time, or a day in words; `from` or `until` may stand before it.
        zone: in which days, and times without an offset, are read.

    Raises:
        ValueError: not a time, a day without a zone, or a local time that the zone has twice or never.
    """
    word, _, rest = text.partition(" ")
    if word.lower() in ("from", "until"):
        if (word.lower() == "until") != (key in LAST_DAY):
            raise ValueError(f"{text[:60]!r} says {word!r} where the field says the {_side(key)} day")
        text = rest
    day = _day(text)
    if day is not None:
        return start_of_day(_next(day) if key in LAST_DAY else day, _needed(zone, text))
    return _clock(text, zone)


def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """The moment in UTC at which a local day starts.

    Raises:
        ValueError: its midnight comes twice or never in the zone.
    """
    return _once(datetime.combine(day, time()), zone)


def _next(day: date) -> date:
    if day == date.max:
        raise ValueError(f"{day} is the last day of the calendar; nothing can end after it")
    return day + timedelta(days=1)


def _side(key: str) -> str:
    return "last" if key in LAST_DAY else "first"


def _day(text: str) -> date | None:
    iso, worded = _DAY.fullmatch(text), _WORDED.fullmatch(text)
    if iso is None and worded is None:
        return None
    try:
        if iso is not None:
            return date.fromisoformat(text)
        assert worded is not None  # one of the two matched
        return date(int(worded[3]), _MONTHS.index(worded[2]) + 1, int(worded[1]))
    except ValueError:
        raise ValueError(f"{text!r} is not a day of the calendar") from None


def _needed(zone: ZoneInfo | None, text: str) -> ZoneInfo:
    if zone is None:
        raise ValueError(f"{text!r} is a day without a time; declare the zone that it is meant in, or give the offset")
    return zone


def _clock(text: str, zone: ZoneInfo | None) -> datetime:
    if not _CLOCK.fullmatch(text):
        raise ValueError(f"{text[:60]!r} is not a time; write {FORMS}")
    try:
        read = datetime.fromisoformat(text)
        if read.tzinfo is not None:
            return read.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r} is not a time of the calendar and clock") from None
    return _once(read, _needed(zone, text))


def _once(local: datetime, zone: ZoneInfo) -> datetime:
    """The one moment at which clocks in the zone show a local time."""
    try:
        first, second = (local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    except OverflowError:
        raise ValueError(f"{local} is beyond the calendar") from None
    if first.astimezone(zone).replace(tzinfo=None) != local:
        raise ValueError(f"{local} never comes in {zone}: clocks skip it; give a time with its offset")
    if first != second:
        raise ValueError(f"{local} comes twice in {zone}: at {first} and {second}; give the one that is meant")
    return first


def day_in_seed(text: str, key: str, zone: ZoneInfo | None) -> str | None:
    """A seed's day as an ISO 8601 time; None where `text` is no ISO day of a field that holds one.

    Raises:
        ValueError: a day without a zone, or one whose midnight the zone has twice or never.
    """
    if key not in FIRST_DAY | LAST_DAY or not _DAY.fullmatch(text):
        return None
    if zone is None:
        raise ValueError(f"{key}: {text} is a day without a time; give a time with its offset, or the seed a `zone`")
    return moment(text, key, zone).isoformat()


def declared(name: str | None, where: str) -> ZoneInfo | None:
    """The zone that an import declares; None where it declares none.

    Raises:
        RecordError: there is none of this name.
    """
    if name is None:
        return None
    try:
        return zone_named(name)
    except ValueError as error:
        raise RecordError(str(error), where=where) from None
