"""Through whom a dub is published: partners by name, and whether a delivery goes through those that were approved."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from consent.vocabulary import Partner as KnownPartner

_OTHER = re.compile(r"x-[a-z0-9][a-z0-9_-]{1,60}")


def known_partner(name: str) -> str:
    """The name, where it is a partner's.

    Raises:
        ValueError: neither a known partner nor one of one's own.
    """
    if name not in set(KnownPartner) and not _OTHER.fullmatch(name):
        raise ValueError(f"unknown partner {name!r}; known are {', '.join(KnownPartner)}, and others as x-name")
    return name


def _no_repeats(names: tuple[Any, ...]) -> tuple[Any, ...]:
    if len(set(names)) != len(names):
        raise ValueError("a partner is repeated")
    return names


Partner = Annotated[str, AfterValidator(known_partner)]
Partners = Annotated[tuple[Partner, ...], Field(max_length=100), AfterValidator(_no_repeats)]


def partner_denials(
    approved: tuple[str, ...] | None, delivered: tuple[str, ...] | None
) -> Iterator[tuple[str, str, str, str]]:
    """How the partners of a delivery differ from those approved, as check, field, English and Japanese.

    Both ways: one more was not approved, and one fewer would not be asked for its rules. `approved` None is an approval
    of before partners were signed, which covers none by name.
    """
    going = set(delivered or ())
    if more := ", ".join(sorted(going - set(approved or ()))):
        yield (
            "RH-001",
            "partners",
            f"the approval does not cover the partners {more}",
            f"承認は次の配信先を含みません: {more}",
        )
    if fewer := ", ".join(sorted(set(approved or ()) - going)):
        en = f"the approval is for publication by {fewer}, and the delivery does not say so: their rules were not asked"
        yield "RH-003", "partners", en, f"承認された配信先{fewer}が納品物に示されていません"
