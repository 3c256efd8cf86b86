"""Language tags: BCP 47 (RFC 5646) validity and canonical form, through langcodes and the IANA registry it carries."""

from __future__ import annotations

import re
from functools import lru_cache

from dubgate.regions import countries

# Tags that name no language: undetermined, several, none, uncoded.
_NO_LANGUAGE = frozenset({"und", "mul", "zxx", "mis", "root"})
_TAG = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{1,8})*")


@lru_cache(maxsize=4096)
def canonical(tag: str) -> str:
    """The canonical form of a tag that names a language: `EN-us` is `en-US`, `ger` (ISO 639-2) is `de`, `iw` is `he`.

    Raises:
        ValueError: malformed, unknown to the registry, private (`qaa`, `x-…`), or a tag that names no language.
    """
    import langcodes
    from langcodes.tag_parser import LanguageTagError

    if len(tag) > 35 or _TAG.fullmatch(tag) is None:  # RFC 5646, 4.4.1: 35 characters hold every registered tag
        raise ValueError(f"{tag[:40]!r} is not a language tag (BCP 47), such as 'de' or 'pt-BR'")
    try:
        valid, standard = langcodes.tag_is_valid(tag), langcodes.standardize_tag(tag)
        parts = langcodes.Language.get(standard)
    except LanguageTagError:
        raise ValueError(f"{tag!r} is not a language tag (BCP 47), such as 'de' or 'pt-BR'") from None
    language = parts.language or "und"
    if not valid or language in _NO_LANGUAGE or "qaa" <= language <= "qtz" or _unknown_region(parts.territory):
        raise ValueError(f"{tag!r} names no known language")
    return standard


def _unknown_region(territory: str | None) -> bool:
    try:
        return territory is not None and not countries(territory)
    except ValueError:
        return True


def primary(tag: str) -> str:
    """The primary subtag of the canonical form: `pt` of `pt-BR`.

    Raises:
        ValueError: as `canonical`.
    """
    return canonical(tag).split("-")[0]


def same_language(left: str, right: str) -> bool:
    """Whether two tags share the primary language; regions and scripts may differ.

    Raises:
        ValueError: as `canonical`.
    """
    return primary(left) == primary(right)
