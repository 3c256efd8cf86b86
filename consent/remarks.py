"""What is worth a second look in a grant that covers a use: its length and its pay. Pure functions of its terms.

Codes follow the design's rule list. A remark never stands against a use, but for a union's grant without a payment.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from consent.terms import Grant
from consent.vocabulary import Representation

# Licence terms of the NO FAKES Act of 2026 (S.4591, a bill): years for an adult and for a minor.
YEARS, YEARS_OF_A_MINOR = 10, 5

Remark = tuple[str, str, str, str]  # code, term, English, Japanese


def remarks(grant: Grant) -> tuple[Remark, ...]:
    """Everything that a grant is warned about: CON-024 a long or endless term, CON-025 no payment named."""
    return (*_long(grant), *_unpaid(grant))


def unpaid_union_work(grant: Grant) -> tuple[Remark, ...]:
    """CON-025 where the grant rests on a union's agreement: it stands against the use then."""
    return tuple(_unpaid(grant)) if grant.representation is Representation.UNION_CBA else ()


def _long(grant: Grant) -> Iterator[Remark]:
    years = YEARS if grant.minor is None else YEARS_OF_A_MINOR
    if grant.not_after is None:
        yield "CON-024", "not_after", "the grant has no end", "同意に期限がありません"
    elif grant.not_after > later(grant.not_before, years):
        en = f"the grant runs for more than {years} years"
        yield "CON-024", "not_after", en, f"同意の期間が{years}年を超えています"


def _unpaid(grant: Grant) -> Iterator[Remark]:
    if grant.compensation is None:
        yield "CON-025", "compensation", "the grant names no payment", "同意に報酬の記載がありません"


def later(moment: datetime, years: int) -> datetime:
    """The same day so many years later; for 29 February the first of March."""
    try:
        return moment.replace(year=moment.year + years)
    except ValueError:
        return moment.replace(year=moment.year + years, month=3, day=1)
