"""Language tags (BCP 47): which are valid, their canonical form, and which a granted tag covers.

Coverage is containment, never likeness: `fr` covers `fr-CA`, `es-419` covers `es-MX`, `fr-FR` covers neither `fr-CA`
nor `fr`. Validity is the IANA registry's, through langcodes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from consent.regions import countries

_SHAPE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*")
_NO_LANGUAGE = frozenset({"und", "mul", "zxx", "mis", "root"})


@dataclass(frozen=True, slots=True)
class Tag:
    """The parts of a canonical tag; absent parts are empty."""

    language: str
    script: str
    region: str
    variants: frozenset[str]


@lru_cache(maxsize=4096)
def canonical(text: str) -> str:
    """The canonical form of a tag that names a language: `fr-ca` is `fr-CA`, `iw` is `he`.

    Raises:
        ValueError: malformed, unknown, private, extended (`-u-`, `-x-`), or no language (`und`, `mul`).
    """
    from langcodes import standardize_tag, tag_is_valid
    from langcodes.tag_parser import LanguageTagError

    try:
        known = len(text) <= 35 and _SHAPE.fullmatch(text) is not None and tag_is_valid(text)
        tag = standardize_tag(text) if known else ""
    except LanguageTagError:
        known, tag = False, ""
    if not known or tag.split("-")[0] in _NO_LANGUAGE or re.match(r"q[a-t][a-z]\b", tag):
        raise ValueError(f"{text[:40]!r} is not a language tag (BCP 47) of a known language, such as 'de' or 'es-419'")
    if (region := parts(tag).region) and not region.isdigit():
        countries(region)
    return tag


@lru_cache(maxsize=4096)
def parts(tag: str) -> Tag:
    """The parts of a canonical tag."""
    from langcodes import Language

    parsed = Language.get(tag, normalize=False)
    return Tag(parsed.language or "", parsed.script or "", parsed.territory or "", frozenset(parsed.variants or ()))


def covers(granted: str, used: str, *, subtags: bool = True) -> bool:
    """Whether a grant for the canonical tag `granted` reaches `used`; with `subtags` false only the same tag does."""
    if granted == used or not subtags:
        return granted == used
    grant, use = parts(granted), parts(used)
    return (
        grant.language == use.language
        and grant.script in ("", use.script)
        and grant.variants <= use.variants
        and _region_covers(grant.region, use.region)
    )


def overlap(left: str, right: str) -> bool:
    """Whether a refusal of one canonical tag may mean the other: one is part of the other, or of the language around both."""
    a, b = parts(left), parts(right)
    return (
        (a.language == b.language or _around(a.language) == b.language or a.language == _around(b.language))
        and (not a.script or not b.script or a.script == b.script)
        and (a.variants <= b.variants or b.variants <= a.variants)
        and (not a.region or not b.region or bool(countries(a.region) & countries(b.region)))
    )


def _around(language: str) -> str | None:
    """The macrolanguage (ISO 639-3) of a language: `zh` of `cmn` and `yue`, `no` of `nb`; Indonesian stands for itself."""
    from langcodes.data_dicts import MACROLANGUAGES

    return None if language == "id" else MACROLANGUAGES.get(language)


def _region_covers(granted: str, used: str) -> bool:
    if granted in ("", used):
        return True
    return bool(used) and countries(used) <= countries(granted)
