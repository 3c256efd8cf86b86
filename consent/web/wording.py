"""Days, places and lengths for people, in English and Japanese."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache

from consent.regions import expand

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
ZONE = {"en": " (UTC)", "ja": "（UTC）"}
SHOWN = 12


def day(value: datetime | str | None, language: str) -> str:
    """A day with the zone in which it is that day: `5 Mar 2027 (UTC)`, `2027年3月5日（UTC）`."""
    if value is None:
        return "期限なし" if language == "ja" else "no end"
    return f"{_day(value, language)}{ZONE[language]}"


def moment(value: datetime | str | None, language: str) -> str:
    """A day with its time in UTC."""
    return day(value, language) if value is None else f"{_day(value, language)} {_time(value):%H:%M} UTC"


def since(start: datetime | str, language: str) -> str:
    """The first day of a term; with its time where no day of UTC begins then: of a day in Berlin, 23:00 of the day before."""
    return day(start, language) if _whole(start) else moment(start, language)


def until(end: datetime | str | None, language: str) -> str:
    """The last day of a term: one that ends at midnight ends with the day before; with its time where no day of UTC ends then."""
    if end is None or _whole(end):
        return day(None if end is None else _last(end), language)
    return moment(end, language)


def span(start: datetime | str, end: datetime | str | None, language: str) -> str:
    """The first and the last day of a term, with the zone once where it can be: `1 Dec 2026 – 31 May 2027 (UTC)`."""
    if end is None or not (_whole(start) and _whole(end)):
        return f"{since(start, language)} – {until(end, language)}"
    return f"{_day(start, language)} – {_day(_last(end), language)}{ZONE[language]}"


def days(start: datetime | str, end: datetime | str, language: str) -> str:
    """The first and the last day of a period that somebody looks at, whatever the time: `31 Aug 2026 – 29 Nov 2026 (UTC)`."""
    last = _last(end) if _whole(end) else end
    return f"{_day(start, language)} – {_day(last, language)}{ZONE[language]}"


def _whole(value: datetime | str) -> bool:
    """Whether a day of UTC begins then."""
    return _time(value).time() == time()


def _last(end: datetime | str) -> datetime:
    return _time(end) - timedelta(microseconds=1)


def _day(value: datetime | str, language: str) -> str:
    at = _time(value)
    return f"{at.year}年{at.month}月{at.day}日" if language == "ja" else f"{at.day} {MONTHS[at.month - 1]} {at.year}"


def _time(value: datetime | str) -> datetime:
    found = datetime.fromisoformat(value) if isinstance(value, str) else value
    return found.astimezone(UTC)


def length(seconds: float) -> str:
    """Hours, minutes and seconds: `1:02:03`, `0:07`."""
    whole = int(seconds)
    hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


@lru_cache(maxsize=2048)
def country(code: str, language: str) -> str:
    """The name of a country or region in a language; its code where it has none."""
    from langcodes import Language

    if code == "001":
        return "全世界" if language == "ja" else "the whole world"
    try:
        name = Language.make(territory=code).territory_name(language)
    except (ValueError, LookupError, ImportError):
        return code
    return name if name and not name.startswith("Unknown") else code


@lru_cache(maxsize=512)
def spoken(tag: str, language: str) -> str:
    """The name of a language in a language; its tag where it has none."""
    from langcodes import Language

    try:
        return Language.get(tag).display_name(language)
    except (ValueError, LookupError, ImportError):
        return tag


def places(codes: Sequence[str], out: Sequence[str], language: str) -> str:
    """Every territory by name, and those that are excluded."""
    joint = "、" if language == "ja" else ", "
    named = joint.join(country(c, language) for c in codes)
    if not out:
        return named
    less = joint.join(country(c, language) for c in out)
    return f"{named}（{less}を除く）" if language == "ja" else f"{named}, but not {less}"


def places_short(codes: Sequence[str], out: Sequence[str], language: str) -> str:
    """The territories in at most a dozen names; long lists by their number, the whole world as that."""
    if _world() <= expand(tuple(codes), tuple(out)):
        return country("001", language)
    if len(codes) <= SHOWN:
        return places(codes, out, language)
    n = len(expand(tuple(codes), tuple(out)))
    return f"{n}の国と地域" if language == "ja" else f"{n} countries and territories"


@lru_cache(maxsize=1)
def _world() -> frozenset[str]:
    return expand(("001",), ())
