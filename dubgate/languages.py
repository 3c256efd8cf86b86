"""Language tags (BCP 47) as deliveries and media write them: canonical form, and whether two name one language.

Validity is the registry's (consent.languages): `ger` is `de` and `iw` is `he`, while `und`, `mul`, private and unknown
tags name no language.
"""

from __future__ import annotations

from functools import lru_cache

from consent.languages import canonical

__all__ = ["canonical", "primary", "same_language"]


@lru_cache(maxsize=4096)
def primary(tag: str) -> str:
    """The primary subtag of the canonical form: `pt` of `pt-BR`.

    Raises:
        ValueError: the tag names no known language.
    """
    return canonical(tag).split("-")[0]


def same_language(left: str, right: str) -> bool:
    """Whether two tags share the primary language; regions and scripts may differ.

    Raises:
        ValueError: a tag names no known language.
    """
    return primary(left) == primary(right)
