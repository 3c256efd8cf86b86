"""Territories: the registry's table of countries and groups, with words for whoever wrote another code.

The table is the consent registry's (ISO 3166-1, UN M49 and EU; containment of CLDR), so that a release and a grant mean
the same countries. Parts of countries are not told apart.
"""

from __future__ import annotations

from collections.abc import Iterable

from consent import regions

COUNTRIES: tuple[str, ...] = tuple(sorted(regions.countries("001")))
EU: frozenset[str] = regions.countries("EU")

_MEANT = {"UK": "GB", "EL": "GR", "USA": "US", "WW": "001", "WORLD": "001", "WORLDWIDE": "001", "LATAM": "419"}


def countries(code: str) -> frozenset[str]:
    """The countries (ISO 3166-1 alpha-2, and XK) that a code stands for: a country itself, or a group's members.

    Raises:
        ValueError: the code is not known; the message names the code that may have been meant.
    """
    try:
        return regions.countries(code)
    except ValueError as error:
        raise ValueError(f"{error}{_hint(code)}") from None


def _hint(code: str) -> str:
    meant = _MEANT.get(code.upper(), code.upper())
    if meant != code and _is_known(meant):
        return f"; {meant!r} may be meant"
    return "; parts of countries are not told apart, name the country" if _is_known(code[:2]) else ""


def _is_known(code: str) -> bool:
    try:
        return bool(regions.countries(code))
    except ValueError:
        return False


def expand(codes: Iterable[str]) -> tuple[str, ...]:
    """All countries that the codes stand for, in alphabetical order.

    Raises:
        ValueError: a code is not known.
    """
    return tuple(sorted(frozenset[str]().union(*(countries(code) for code in codes))))


def covers(outer: Iterable[str], inner: Iterable[str]) -> bool:
    """Whether every country of `inner` is one of `outer`'s; nothing covers, or is covered by, an empty list.

    Raises:
        ValueError: a code is not known.
    """
    wanted = expand(inner)
    return bool(wanted) and set(wanted) <= set(expand(outer))
