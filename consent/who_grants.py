"""Whether who granted may grant for whose voice it is: a guardian for a minor, an estate for the dead, and nobody else's."""

from __future__ import annotations

from collections.abc import Iterator

from consent.terms import Grant, Use
from consent.vocabulary import Capacity, Role, Subject
from consent.voices import Voice

Found = tuple[str, str, str, str]
# In one of these roles somebody grants who is not the performer.
AUTHORITY_ROLES = {
    Capacity.GUARDIAN: frozenset({Role.GUARDIAN}),
    Capacity.COURT: frozenset({Role.GUARDIAN, Role.LEGAL}),
    Capacity.EXECUTOR: frozenset({Role.ESTATE}),
    Capacity.HEIR: frozenset({Role.HEIR}),
    Capacity.AGENT: frozenset({Role.AGENT}),
    Capacity.UNION: frozenset({Role.UNION}),
}


def subject_denials(grant: Grant, use: Use, voice: Voice) -> Iterator[Found]:
    """Why who granted cannot have granted this for whose voice it is: code, field, English, Japanese."""
    if grant.voice_id != voice.voice_id:
        yield "CON-001", "voice_id", "the grant is for another voice", "同意は別の声に対するものです"
    if voice.subject is Subject.MINOR:
        yield from _minor(grant, use)
    yield from _stands_in(grant, voice)
    by_estate = grant.capacity in (Capacity.EXECUTOR, Capacity.HEIR) and grant.estate is not None
    survives = grant.capacity is Capacity.SELF and grant.survives_death
    if voice.subject is Subject.DECEASED and not (by_estate or survives):
        yield (
            "CON-021",
            "estate",
            "the performer died and no estate has granted this",
            "実演家は故人で、遺族等の同意がありません",
        )


def _stands_in(grant: Grant, voice: Voice) -> Iterator[Found]:
    """Nobody grants as the guardian of somebody of age, nor as the estate of somebody who lives."""
    if grant.capacity is Capacity.GUARDIAN and voice.subject is not Subject.MINOR:
        yield (
            "CON-020",
            "capacity",
            "a guardian granted this, and the performer is no minor",
            "保護者による同意ですが、実演家は未成年者ではありません",
        )
    if grant.capacity in (Capacity.EXECUTOR, Capacity.HEIR) and voice.subject is not Subject.DECEASED:
        yield (
            "CON-021",
            "capacity",
            "an estate granted this, and the performer is not known to have died",
            "遺族等による同意ですが、実演家の死亡は登録されていません",
        )


def _minor(grant: Grant, use: Use) -> Iterator[Found]:
    if grant.minor is None or grant.capacity not in (Capacity.GUARDIAN, Capacity.COURT):
        yield (
            "CON-020",
            "minor",
            "the performer is a minor and no guardian has granted this",
            "未成年者で、保護者の同意がありません",
        )
    elif use.window.end is None or use.window.end > grant.minor.expires_at_majority:
        day = grant.minor.expires_at_majority.date().isoformat()
        yield (
            "CON-020",
            "minor",
            f"the guardian's grant ends at majority, on {day}",
            f"保護者の同意は成年（{day}）で終わります",
        )
