"""What a producer answers before anything is made, `intake-answers/1.0`: the four questions and the planned use."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from consent.partners import Partner
from consent.strict import Language, Line, Strict, Text
from consent.vocabulary import Channel
from dubgate.company.register import Day
from dubgate.delivery.manifest_fields import Making, Territory, without_repeats
from dubgate.delivery.manifest_record import Purpose
from dubgate.delivery.manifest_schema import Title, Window
from dubgate.delivery.script import Style
from dubgate.delivery.unanswered import is_answer
from dubgate.errors import InputError
from dubgate.strict_yaml import read_yaml, validate

SCHEMA = "intake-answers/1.0"


def _reason(text: str) -> str:
    if not is_answer(text):
        raise ValueError(f"{text!r} is no reason")
    return text


Reason = Annotated[Text, AfterValidator(_reason)]


class Answer(Strict):
    """Yes, no, or not known yet, and why."""

    answer: Literal["yes", "no", "unknown"]
    because: Reason


class Review(Strict):
    """Who can listen, how long, and until when; `flags_per_minute` is what a minute of speech of this kind is flagged.

    Without `flags_per_minute` one flag a minute is assumed, and the answer says that it was assumed.
    """

    speech_minutes: Annotated[float, Field(gt=0, le=10_000)]
    reviewers: Annotated[int, Field(ge=0, le=1000)]
    hours_per_day: Annotated[float, Field(gt=0, le=24)] = 5.0
    first_day: Day
    deadline: Day
    flags_per_minute: Annotated[float, Field(ge=0, le=60)] | None = None
    minutes_per_flag: Annotated[float, Field(gt=0, le=240)] = 4.0
    listens: Annotated[int, Field(ge=1, le=10)] = 1

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.deadline < self.first_day:
            raise ValueError("the deadline is before the first day of review")
        return self


class PlannedVoice(Strict):
    """A character, and how its voice is to be made."""

    character: Line
    technique: Making


class Planned(Strict):
    """Where, how and when the dub is to be heard."""

    territories: Annotated[tuple[Territory, ...], Field(min_length=1), AfterValidator(without_repeats)]
    channels: Annotated[tuple[Channel, ...], Field(min_length=1), AfterValidator(without_repeats)]
    partners: Annotated[tuple[Partner, ...], AfterValidator(without_repeats)] = ()
    window: Window


class Answers(Strict):
    """The whole questionnaire."""

    format: Literal["intake-answers/1.0"] = Field(alias="schema")
    title: Title
    answered_by: Line
    original_language: Language
    language: Language
    style: Style = Style.LIPSYNC
    purposes: Annotated[tuple[Purpose, ...], Field(min_length=1), AfterValidator(without_repeats)]
    tolerant_of_variation: Answer
    central_to_identity: Answer
    disclosable: Answer
    review: Review
    voices: Annotated[tuple[PlannedVoice, ...], Field(min_length=1, max_length=2000)]
    planned: Planned

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        if not self.title.identifiers:
            raise ValueError("the title needs an identifier (internal, eidr or isan), by which a delivery is compared")
        names = [v.character for v in self.voices]
        if repeated := sorted({n for n in names if names.count(n) > 1}):
            raise ValueError(f"the voices name {', '.join(repeated)} more than once")
        return self


def read_answers(path: Path) -> Answers:
    """The answers of a file.

    Raises:
        InputError: at `file:line:column`, all that is wrong with it.
    """
    document = read_yaml(path)
    if not isinstance(document.data, dict):
        remedy = "A questionnaire to fill in: dubgate intake --example > answers.yaml"
        raise InputError("no questionnaire: keys and values are wanted", where=document.where(), remedy=remedy)
    return validate(Answers, document, InputError)
