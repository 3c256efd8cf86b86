"""What the four answers come to: can this be an AI dub, or is it better a guide track or a human performance, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from dubgate.delivery.manifest_record import SAVING_ONLY
from dubgate.intake.answers import Answers, Review

ASSUMED_FLAGS_PER_MINUTE = 1.0
Advice = Literal["ai_dub", "guide_track", "human_performance"]
_RANK: tuple[Advice, ...] = ("ai_dub", "guide_track", "human_performance")


@dataclass(frozen=True, slots=True)
class Reviewable:
    """Whether the people who are there can listen in time: minutes needed against minutes at hand."""

    flags_expected: float
    needed_minutes: float
    working_days: int
    at_hand_minutes: float
    assumed: bool  # nobody said how much is flagged

    @property
    def in_time(self) -> bool:
        return self.at_hand_minutes >= self.needed_minutes


@dataclass(frozen=True, slots=True)
class Advised:
    """The advice, and for each unfavourable answer what it leads to and why."""

    reviewable: Reviewable
    advice: Advice
    reasons: tuple[str, ...]

    @property
    def favourable(self) -> bool:
        return self.advice == "ai_dub"


def reviewable(review: Review) -> Reviewable:
    """Everything is listened to once (`listens` times), and each flag takes its time on top; Monday to Friday."""
    assumed = review.flags_per_minute is None
    rate = ASSUMED_FLAGS_PER_MINUTE if review.flags_per_minute is None else review.flags_per_minute
    flags = review.speech_minutes * rate
    needed = review.speech_minutes * review.listens + flags * review.minutes_per_flag
    days = working_days(review.first_day, review.deadline)
    return Reviewable(flags, needed, days, review.reviewers * days * review.hours_per_day * 60, assumed)


def working_days(first: date, last: date) -> int:
    """Mondays to Fridays from the first day to the last, both counted; holidays are not known here."""
    return sum((first + timedelta(k)).weekday() < 5 for k in range((last - first).days + 1))


def advise(answers: Answers) -> Advised:
    """Favourable is yes, no, yes, yes; what is not known counts as unfavourable."""
    time = reviewable(answers.review)
    found: list[tuple[Advice, str]] = []
    if answers.tolerant_of_variation.answer != "yes":
        why = "the material does not tolerate variation in the performance: use AI as a guide track and have people perform it"
        found.append(("guide_track", f"{why} ({answers.tolerant_of_variation.because})"))
    if answers.central_to_identity.answer != "no":
        why = "these voices are central to the franchise's identity: have people perform them"
        found.append(("human_performance", f"{why} ({answers.central_to_identity.because})"))
    if not time.in_time:
        found.append(("guide_track", _too_late(time)))
    if answers.disclosable.answer != "yes":
        why = "what cannot be disclosed to the audience is not to be made by machine: have people perform it"
        found.append(("human_performance", f"{why} ({answers.disclosable.because})"))
    if set(answers.purposes) <= SAVING_ONLY:
        found.append(
            ("guide_track", "cost or schedule alone is no purpose that a dub can be made for: name another, or none")
        )
    worst = max((advice for advice, _ in found), key=_RANK.index, default=_RANK[0])
    return Advised(time, worst, tuple(why for _, why in found))


def _too_late(time: Reviewable) -> str:
    return (
        f"it cannot be reviewed in time: {time.needed_minutes:.0f} minutes of review are needed and "
        f"{time.at_hand_minutes:.0f} are at hand in {time.working_days} working days; "
        "move the deadline, add reviewers, or use it as a guide track"
    )
