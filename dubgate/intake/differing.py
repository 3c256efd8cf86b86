"""Where a delivery differs from what was said before it was made; wider is a difference, narrower is none."""

from __future__ import annotations

from collections.abc import Iterator

from dubgate.delivery.manifest import Delivery
from dubgate.delivery.manifest_schema import Distribution
from dubgate.intake.advising import advise
from dubgate.intake.answers import Answers, Planned
from dubgate.intake.file import IntakeFile
from dubgate.regions import expand


def differences(delivery: Delivery, intake: IntakeFile) -> tuple[str, ...]:
    """Everything in which the delivery goes beyond the intake, in words; and where the intake belies itself.

    Nobody signed the file: what it says of its own answers must be what they come to.
    """
    return (*_differences(delivery, intake.answers), *_untrue(intake))


def favourable(intake: IntakeFile) -> bool:
    """Whether the answers, judged again, are favourable: what the file says of itself is not believed."""
    return intake.favourable and advise(intake.answers).favourable


def _differences(delivery: Delivery, said: Answers) -> Iterator[str]:
    ids = delivery.title.identifiers if delivery.title else ()
    if not set(ids) & set(said.title.identifiers):
        yield f"the intake is for {said.title.name}"
    for what, was, now in (
        ("language", said.language, delivery.dub.language),
        ("original's language", said.original_language, delivery.original.language),
    ):
        if was != now:
            yield f"the {what} is {now}, and {was} was said"
    if delivery.style is not None and delivery.style is not said.style:
        yield f"the style is {delivery.style}, and {said.style} was said"
    yield from _voices(delivery, said)
    yield from _purposes(delivery, said)
    if delivery.distribution is None:
        yield "the delivery does not say where it is to be released"
    else:
        yield from _release(delivery.distribution, said.planned)


def _untrue(intake: IntakeFile) -> Iterator[str]:
    advised = advise(intake.answers)
    said = (intake.favourable, intake.advice, intake.review.in_time)
    if said != (advised.favourable, advised.advice, advised.reviewable.in_time):
        yield f"the intake says of itself {intake.advice}, and its answers come to {advised.advice}"
    if intake.review.needed_minutes != advised.reviewable.needed_minutes:
        yield "the minutes of review that the intake gives are not those that its answers come to"


def _voices(delivery: Delivery, said: Answers) -> Iterator[str]:
    planned = {v.character: v.technique for v in said.voices}
    for entry in delivery.cast:
        was = planned.get(entry.name)
        if not entry.synthetic:
            continue
        if was is None:
            yield f"{entry.name} was not among the voices, and is made by {entry.technique}"
        elif str(was) != str(entry.technique):
            yield f"{entry.name} is made by {entry.technique}, and {was} was said"


def _purposes(delivery: Delivery, said: Answers) -> Iterator[str]:
    record = delivery.production
    more = [] if record is None else [p for p in record.purposes if p not in said.purposes]
    if more:
        yield f"the purpose {', '.join(more)} was not said"


def _release(where: Distribution, said: Planned) -> Iterator[str]:
    if more := sorted(set(where.countries) - set(expand(said.territories))):
        yield f"{len(more)} countries were not said: {', '.join(more[:10])}"
    if channels := [c for c in where.channels if c not in said.channels]:
        yield f"channels that were not said: {', '.join(channels)}"
    partners = [p for p in getattr(where, "partners", ()) if p not in said.partners]
    if partners:
        yield f"partners that were not said: {', '.join(partners)}"
    end, said_end = where.window.end, said.window.end
    if where.window.start < said.window.start or (said_end is not None and (end is None or end > said_end)):
        yield "the release window reaches beyond the one that was said"
