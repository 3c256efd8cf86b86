"""The kinds of value in delivery.yaml: paths, moments, territories, identifiers; each refuses with a sentence."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, WithJsonSchema

from consent.ids import SCHEMES
from consent.vocabulary import Technique
from dubgate.delivery.cue_times import exact_rate
from dubgate.delivery.inside import stays_inside
from dubgate.regions import countries

OUTSIDE = "(outside every line)"  # whom reports call a voice that no line claims; no character may be called that
HUMAN: Literal["human"] = "human"
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})")


def _moment(value: Any) -> Any:
    """An aware UTC datetime; a date alone names no moment, since it starts at another time in each zone."""
    try:
        if isinstance(value, str) and _MOMENT.fullmatch(value):
            return datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    if isinstance(value, datetime):
        return value
    raise ValueError(f"{value!r} is not a time with its zone, such as 2026-12-01T00:00:00+01:00")


def _moment_or_open(value: Any) -> Any:
    return value if value == "open" else _moment(value)


def _technique(value: Any) -> Any:
    if value == HUMAN or isinstance(value, Technique):
        return value
    if value not in set(Technique):
        raise ValueError(f"unknown technique {value!r}; known are {', '.join(Technique)}, {HUMAN}")
    return Technique(value)


def _rate(value: Any) -> str:
    """A frame rate as text, so that 24000/1001 stays exact."""
    text = str(value) if isinstance(value, str) or (type(value) in (int, float)) else repr(value)
    exact_rate(text)
    return text


def _territory(code: str) -> str:
    countries(code)
    return code


def without_repeats(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """The values; raises ValueError where one is there twice."""
    if len(set(values)) < len(values):
        raise ValueError("a value is repeated")
    return values


def short_or_long(value: Any) -> str:
    """Whether a file is written as its path alone or as a mapping."""
    return "long" if isinstance(value, dict) else "short"


RelativePath = Annotated[str, Field(max_length=500), AfterValidator(stays_inside)]
Moment = Annotated[AwareDatetime, BeforeValidator(_moment)]
OpenMoment = Annotated[AwareDatetime | Literal["open"], BeforeValidator(_moment_or_open)]
Making = Annotated[Technique | Literal["human"], BeforeValidator(_technique)]
Territory = Annotated[str, AfterValidator(_territory)]
FrameRate = Annotated[str, BeforeValidator(_rate), WithJsonSchema({"type": ["number", "string"]})]
Eidr = Annotated[str, AfterValidator(SCHEMES["eidr"])]
Isan = Annotated[str, AfterValidator(SCHEMES["isan"])]
InternalId = Annotated[str, AfterValidator(SCHEMES["internal"])]
