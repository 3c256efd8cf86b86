"""Days, places and lengths for people, in English and Japanese."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

from consent.regions import expand

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
SHOWN = 12


def day(value: datetime | str | None, language: str) -> str:
    """A day in UTC: `5 Mar 2027`, `2027年3月5日`."""
    if value is None:
        return "期限なし" if language == "ja" else "no end"
    at = _time(value)
    return f"{at.year}年{at.month}月{at.day}日" if language == "ja" else f"{at.day} {MONTHS[at.month - 1]} {at.year}"


def moment(value: datetime | str | None, language: str) -> str:
    """A day with its time in UTC."""
    return day(value, language) if value is None else f"{day(value, language)} {_time(value):%H:%M} UTC"


def _time(value: datetime | str) -> datetime:
    return datetime.fromisoformat(value) if isinstance(value, str) else value


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
