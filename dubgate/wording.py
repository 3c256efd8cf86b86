"""Text as it is spoken: the words of a line, normalised so that script and transcript can be compared.

NFKC and case folding, punctuation dropped, numbers spelled out (English), filled pauses left out. Works by Unicode
category, so every script that separates words with spaces does; languages that do not are split into characters.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from dubgate.languages import primary
from dubgate.numerals import spell_numbers

# Compared by characters (quality-metrics C1): no spaces between words, or, in Korean, spaces as one pleases.
CHARACTER_LANGUAGES = frozenset({"zh", "yue", "ja", "th", "ko", "lo", "km", "my"})

_FILLED_PAUSES = {
    "en": "uh uhh um umm uhm er erm hm hmm mm mmm mhm ah ahh eh",
    "de": "äh ähm öh öhm hm hmm mhm",
    "fr": "euh heu hm hmm",
    "es": "eh em ehm hm hmm",
    "it": "eh ehm hm hmm",
    "pt": "hã hum hm hmm",
}
_STAGE_DIRECTION = re.compile(r"\[[^\]]*\]|\([^)]*\)|♪|<[^>]*>")
_GROUPING = re.compile(r"(?<=\d)[.,' ](?=\d{3}(?!\d))")  # 10.000, 10,000 and 10 000 are one number
_APOSTROPHES = dict.fromkeys(map(ord, "\u2019\u02bc\u2018\u0060\u00b4\uff07"), "'")


def primary_language(tag: str | None) -> str | None:
    """The primary subtag of a language tag: `pt` of `pt-BR`, `de` of `ger`; an unknown tag's own first part."""
    if tag is None:
        return None
    try:
        return primary(tag)
    except ValueError:
        return tag.replace("_", "-").split("-")[0].lower()


def counts_characters(language: str | None) -> bool:
    """Whether lines of this language are compared by characters."""
    return primary_language(language) in CHARACTER_LANGUAGES


@lru_cache(maxsize=65_536)
def spoken_words(text: str, language: str | None) -> tuple[str, ...]:
    """The words of a line as they would be said, in order; characters where `counts_characters(language)`.

    Stage directions in brackets, tags and music signs are not spoken. Apostrophes inside a word stay ("don't"),
    hyphens part words.
    """
    language = primary_language(language)
    plain = _STAGE_DIRECTION.sub(" ", text)
    plain = unicodedata.normalize("NFKC", plain.translate(_APOSTROPHES)).casefold()
    if language == "en":
        plain = spell_numbers(plain)
    words = _split(_ascii_digits(unicodedata.normalize("NFKC", plain)))
    if language in CHARACTER_LANGUAGES:
        return tuple(c for word in words for c in word if c != "'")
    pauses = set(_FILLED_PAUSES.get(language or "", "").split())
    return tuple(w for w in words if w not in pauses)


def _split(text: str) -> list[str]:
    """Runs of letters, marks and digits, with apostrophes between them kept."""
    text = _GROUPING.sub("", text)
    spaced = "".join(c if c == "'" or unicodedata.category(c)[0] in "LMN" else " " for c in text)
    return [stripped for word in spaced.split() if (stripped := word.strip("'"))]


def _ascii_digits(text: str) -> str:
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text)
