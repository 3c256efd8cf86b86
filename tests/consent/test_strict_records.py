"""What no field of a record takes: hidden characters, empty texts, lines that break, repeats, windows that end first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any, ClassVar

import pytest
from pydantic import ValidationError

from consent.strict import Ids, Line, Record, Text, Time, Window, problems

START = datetime(2026, 12, 1, tzinfo=UTC)
DAY = timedelta(days=1)


class Said(Record):
    """A record of each kind of field."""

    schema_name: ClassVar[str] = "said/1.0"

    text: Text = "a\tb\nc"
    line: Line = "a line"
    ids: Ids = ()
    at: Time = START
    window: Window = Window(start=START)


def refused(**fields: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        Said.model_validate(fields)
    return problems(caught.value, "said").what


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"text": "left\u202eright"}, "text: control, directional and zero-width"),
        ({"text": "a\x00"}, "text: control, directional and zero-width"),
        ({"text": " \n"}, "text: an empty text says nothing"),
        ({"line": ""}, "line: an empty text says nothing"),
        ({"line": "one\ntwo"}, "line: one line only"),
        ({"line": "one\ttwo"}, "line: one line only"),
        ({"ids": ("a", "b", "a")}, "ids: a value is repeated"),
        ({"ids": ("Ada",)}, "an id is small letters"),
        ({"at": datetime.max.replace(tzinfo=timezone(-DAY / 24))}, "at: this time lies beyond the ends"),
        ({"window": {"start": START, "end": START}}, "window: the end is not after the start"),
        ({"more": 1}, "more: unknown key"),
        ({"line": None}, "line: a value is needed"),
    ],
)
def test_what_no_field_takes_is_told_by_its_name(fields: dict[str, Any], what: str) -> None:
    assert what in refused(**fields)


def test_a_text_is_kept_in_its_composed_form() -> None:
    assert Said(text="Zoe\u0308").text == "Zo\u00eb"


@pytest.mark.parametrize(
    ("outer_days", "inner", "inside"),
    [
        (3, (1, 2), True),
        (3, (0, 3), True),
        (3, (-1, 2), False),
        (3, (1, 4), False),
        (3, (1, None), False),
        (None, (1, None), True),
        (None, (-1, None), False),
    ],
)
def test_a_window_contains_what_begins_and_ends_in_it(
    outer_days: int | None, inner: tuple[int, int | None], inside: bool
) -> None:
    outer = Window(start=START, end=None if outer_days is None else START + outer_days * DAY)
    start, end = inner
    assert outer.contains(Window(start=START + start * DAY, end=None if end is None else START + end * DAY)) is inside
