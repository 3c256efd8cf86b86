"""Values survive the trip through JSON and arrays, and nothing else gets back in."""

from __future__ import annotations

import json

import numpy as np
import pytest

from dubgate.features import Levels, Series, VoiceSegment, Word
from dubgate.spans import Span
from dubgate.stored import from_stored, to_stored
from dubgate.unmeasured import Unmeasured

LEVELS = Levels(48000, 2, np.array([0.1, 0.2]), -1.5, 3, 96000, (Span(0.0, 0.5),), (), (1.25,))


def test_a_value_comes_back_as_it_went() -> None:
    data, arrays = to_stored(LEVELS)
    back = from_stored(Levels, json.loads(json.dumps(data)), arrays)
    assert to_stored(back)[0] == data
    assert back.clipped == (Span(0.0, 0.5),)
    assert np.array_equal(back.block_power, LEVELS.block_power)


def test_what_comes_back_cannot_be_written_to() -> None:
    back = from_stored(Levels, *to_stored(LEVELS))
    with pytest.raises(ValueError, match="read-only"):
        back.block_power[0] = 1.0


def test_unmeasured_keeps_its_reason() -> None:
    segment = VoiceSegment(Span(0.0, 1.0), 1.0, None, None, Unmeasured("too short"))
    assert from_stored(VoiceSegment, *to_stored(segment)).vector == Unmeasured("too short")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"extra": 1}, "fields differ"),
        ({"prob": "high"}, "expected float"),
        ({"prob": float("nan")}, "not a finite number"),
        ({"prob": True}, "expected float"),
        ({"text": 5}, "expected str"),
        ({"span": {"start_s": 2.0, "end_s": 1.0}}, "ends before it starts"),
        ({"span": [0.0, 1.0]}, "fields differ"),
    ],
)
def test_what_does_not_fit_is_refused(change: dict[str, object], message: str) -> None:
    data, _ = to_stored(Word("hello", Span(0.0, 1.0), 0.5))
    with pytest.raises(ValueError, match=message):
        from_stored(Word, {**data, **change}, {})


@pytest.mark.parametrize("array", [np.zeros((2, 2), np.float32), np.zeros(3, np.float64), np.array(["x"])])
def test_an_array_of_another_kind_is_refused(array: np.ndarray) -> None:
    with pytest.raises(ValueError, match="expected a series"):
        from_stored(Series, {"hop_s": 0.01, "values": {"array": "a0"}}, {"a0": array})


def test_a_missing_array_is_refused() -> None:
    with pytest.raises(ValueError, match="expected"):
        from_stored(Series, {"hop_s": 0.01, "values": {"array": "a7"}}, {})
