"""Names of languages and countries, days, numbers and lists as a language writes them: CLDR's, through babel."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from functools import lru_cache

from babel import Locale
from babel.core import UnknownLocaleError
from babel.dates import format_date
from babel.lists import format_list
from babel.numbers import format_decimal

from dubgate.errors import InputError


class Localised:
    """How one language writes things."""

    def __init__(self, language: str) -> None:
        self.locale = _locale(language)

    def language(self, tag: str) -> str:
        """The name of a language; its tag where CLDR has no name for it. The region is told where the tag has one."""
        names = self.locale.languages
        whole, _, region = tag.partition("-")
        known = names.get(tag.replace("-", "_"))
        if known is not None:
            return str(known)
        name = str(names.get(whole, tag))
        return f"{name} ({self.territory(region)})" if region and whole in names else name

    def territory(self, code: str) -> str:
        """The name of a country or group; its code where there is none."""
        return str(self.locale.territories.get(code, code))

    def day(self, moment: datetime | date) -> str:
        """The UTC day of a moment, written out."""
        day = moment.astimezone(UTC) if isinstance(moment, datetime) else moment
        return format_date(day, "long", locale=self.locale)

    def number(self, value: int | float) -> str:
        """A number with the separators of the language."""
        return format_decimal(value, locale=self.locale)

    def listed(self, items: Sequence[str]) -> str:
        """Several things in one sentence, each once."""
        return format_list(list(dict.fromkeys(items)), locale=self.locale)


@lru_cache(maxsize=64)
def _locale(language: str) -> Locale:
    try:
        return Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError):
        raise InputError(f"CLDR knows no locale {language!r}", where="--lang") from None
