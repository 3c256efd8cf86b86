"""The strictness of every record: frozen, no unknown field, no coercion, times in aware UTC, texts without tricks."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from consent import ids, languages, regions
from consent.errors import RecordError

# A directional mark can make a text read as something that it does not say; zero-width ones hide in names.
_HIDDEN = frozenset("\u200b\u2060\ufeff\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def _plain(text: str) -> str:
    if any(c in _HIDDEN or (unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t") for c in text):
        raise ValueError("control, directional and zero-width characters are refused")
    if not text.strip():
        raise ValueError("an empty text says nothing; leave the field out")
    return unicodedata.normalize("NFC", text)


def _utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("this time lies beyond the ends of the calendar") from None


def _territory(code: str) -> str:
    regions.countries(code)
    return code


def _one_line(text: str) -> str:
    if "\n" in text or "\t" in text:
        raise ValueError("one line only")
    return text


def _no_repeats(values: tuple[Any, ...]) -> tuple[Any, ...]:
    if len(set(values)) != len(values):
        raise ValueError("a value is repeated")
    return values


Text = Annotated[str, Field(max_length=20_000), AfterValidator(_plain)]
Line = Annotated[str, Field(max_length=500), AfterValidator(_plain), AfterValidator(_one_line)]
ID = re.compile(r"^[a-z0-9][a-z0-9._-]{0,63}\Z")
ID_MEANS = "an id is small letters and digits, with . _ - between them, 64 at most"
Id = Annotated[str, Field(pattern=ID)]
Sha256 = Annotated[str, Field(pattern=re.compile(r"^[0-9a-f]{64}\Z"))]
PublicHex = Annotated[str, Field(pattern=re.compile(r"^[0-9a-f]{64}\Z"))]
Time = Annotated[AwareDatetime, AfterValidator(_utc)]
Language = Annotated[str, AfterValidator(languages.canonical)]
Territory = Annotated[str, AfterValidator(_territory)]
Identifier = Annotated[str, AfterValidator(ids.identifier)]
Languages = Annotated[tuple[Language, ...], Field(min_length=1, max_length=500), AfterValidator(_no_repeats)]
Territories = Annotated[tuple[Territory, ...], Field(min_length=1, max_length=500), AfterValidator(_no_repeats)]
Excluded = Annotated[tuple[Territory, ...], Field(max_length=500), AfterValidator(_no_repeats)]
Ids = Annotated[tuple[Id, ...], Field(max_length=10_000), AfterValidator(_no_repeats)]


class Strict(BaseModel):
    """A frozen value; in Python its fields take their exact types, in JSON their JSON forms."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", allow_inf_nan=False)


class Window(Strict):
    """A half-open interval of time, `[start, end)`; an absent end is open."""

    start: Time
    end: Time | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.end is not None and self.end <= self.start:
            raise ValueError("the end is not after the start")
        return self

    def contains(self, other: Window) -> bool:
        """Whether all of `other` lies inside; an open end only inside an open end."""
        if other.start < self.start:
            return False
        return self.end is None or (other.end is not None and other.end <= self.end)

    def overlaps(self, other: Window) -> bool:
        """Whether the two share a moment."""
        return (self.end is None or other.start < self.end) and (other.end is None or self.start < other.end)

    def holds(self, moment: datetime) -> bool:
        """Whether `moment` lies inside."""
        return self.start <= moment and (self.end is None or moment < self.end)


class Record(Strict):
    """What the registry keeps: immutable, known by `schema_name` and an id, found again under its `keys`."""

    schema_name: ClassVar[str]

    @property
    def record_id(self) -> str:
        """The id of this record, unique within its schema."""
        raise NotImplementedError

    def found_under(self) -> tuple[str, ...]:
        """What the record is looked up by, as `kind:id`."""
        raise NotImplementedError


def canonical_json(record: BaseModel) -> bytes:
    """RFC 8785 JSON of a record, absent values left out; what is hashed, stored and signed."""
    import rfc8785

    return rfc8785.dumps(record.model_dump(mode="json", exclude_none=True))


def problems(error: ValidationError, where: str) -> RecordError:
    """One RecordError that names every problem that pydantic found."""
    details = error.errors(include_url=False)
    own = [e for e in details if e["type"] != "too_short" or not _echoes(e, details)]
    lines = [f"{'.'.join(map(str, e['loc'])) or 'record'}: {_message(e)}" for e in own]
    return RecordError("; ".join(lines), where=where)


def _echoes(short: Any, details: Sequence[Any]) -> bool:
    """A list whose items are wrong is also told to be too short; that says nothing new."""
    return any(d["loc"][: len(short["loc"])] == short["loc"] and len(d["loc"]) > len(short["loc"]) for d in details)


def _message(detail: Any) -> str:
    if detail["type"] == "extra_forbidden":
        return "unknown key"
    if detail["type"] == "string_pattern_mismatch" and detail["ctx"]["pattern"] == ID.pattern:
        return ID_MEANS
    if "input" in detail and detail["input"] is None and detail["type"] != "value_error":
        return "a value is needed"
    return str(detail["msg"]).removeprefix("Value error, ")
