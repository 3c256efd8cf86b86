"""A partner's written approval: counted where somebody outside the submitter's house answers for it by signature."""

from __future__ import annotations

from collections.abc import Iterable

from consent.vocabulary import Role
from dubgate.policy.findings import Finding
from dubgate.policy.signed_objects import Circumstances, VerifiedStatement, WrittenApproval, refused, sorted_out

MAY_ANSWER = frozenset({Role.LEGAL, Role.PRODUCTION, Role.LICENSEE, Role.RIGHTS_HOLDER})

Signed = VerifiedStatement[WrittenApproval]


def partners_who_approved(
    statements: Iterable[Signed], now: Circumstances
) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
    """The partners whose written approval of this sound stands, and a finding for each answer without effect."""
    good, bad = sorted_out(statements, now)
    counted = [s for s in good if _why_not(s, now) is None]
    bad += [refused(s, why) for s in good if (why := _why_not(s, now)) is not None]
    return tuple(sorted({s.record.partner for s in counted})), tuple(bad)


def _why_not(statement: Signed, now: Circumstances) -> str | None:
    if statement.house in now.submitters | now.vendor_houses:
        return f"{statement.party} is of the house that submitted the delivery"
    if not statement.roles & MAY_ANSWER:
        return f"{statement.party} may sign none of: {', '.join(sorted(MAY_ANSWER))}"
    return None
