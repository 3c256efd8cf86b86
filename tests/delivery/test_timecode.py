"""SMPTE timecode against known labels, a counter that walks through a day, and laws."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dubgate.delivery.timecode import (
    Clock,
    Timecode,
    clock_from,
    frame_of,
    label_of,
    parse_timecode,
    seconds_of,
    start_frames,
    timecode_at,
)
from dubgate.errors import InputError

NTSC = Fraction(30_000, 1001)
CLOCKS = {
    "23.976": Clock(Fraction(24_000, 1001)),
    "24": Clock(Fraction(24)),
    "25": Clock(Fraction(25)),
    "29.97": Clock(NTSC),
    "29.97df": Clock(NTSC, drop_frame=True),
    "30": Clock(Fraction(30)),
    "50": Clock(Fraction(50)),
    "59.94": Clock(2 * NTSC),
    "59.94df": Clock(2 * NTSC, drop_frame=True),
}
clocks = st.sampled_from(sorted(CLOCKS)).map(CLOCKS.__getitem__)


@pytest.mark.parametrize(
    ("rate", "label", "frame"),
    [
        ("29.97df", "00:00:59;29", 1799),
        ("29.97df", "00:01:00;02", 1800),
        ("29.97df", "00:09:59;29", 17_981),
        ("29.97df", "00:10:00;00", 17_982),
        ("29.97df", "01:00:00;00", 107_892),
        ("29.97df", "23:59:59;29", 2_589_407),
        ("59.94df", "00:01:00;04", 3600),
        ("59.94df", "01:00:00;00", 215_784),
        ("29.97", "01:00:00:00", 108_000),
        ("23.976", "01:00:00:00", 86_400),
        ("25", "10:00:00:00", 900_000),
        ("50", "00:00:01:49", 99),
    ],
)
def test_known_labels(rate: str, label: str, frame: int) -> None:
    clock = CLOCKS[rate]
    assert frame_of(parse_timecode(label, clock), clock) == frame
    assert str(label_of(frame, clock)) == label


def walk(nominal: int, dropped: int) -> Iterator[tuple[int, int, int, int]]:
    """Labels of a day by counting like a tape machine: after :59, minutes not divisible by ten skip their first labels."""
    for hours in range(24):
        for minutes in range(60):
            for seconds in range(60):
                first = dropped if seconds == 0 and minutes % 10 else 0
                for frames in range(first, nominal):
                    yield hours, minutes, seconds, frames


@pytest.mark.parametrize("rate", ["29.97df", "59.94df", "29.97", "24"])
def test_every_label_of_a_day_is_the_one_a_counter_gives(rate: str) -> None:
    clock = CLOCKS[rate]
    dropped = {"29.97df": 2, "59.94df": 4}.get(rate, 0)
    for frame, label in enumerate(walk(clock.nominal, dropped)):
        if frame % 997 in (0, 1) or label[2] == 0:
            assert label_of(frame, clock) == Timecode(*label, clock.drop_frame)
            assert frame_of(Timecode(*label, clock.drop_frame), clock) == frame
    assert frame + 1 == clock.frames_a_day


def test_drop_frame_stays_within_a_frame_or_two_of_the_clock_on_the_wall() -> None:
    clock = CLOCKS["29.97df"]
    assert abs(seconds_of(parse_timecode("10:00:00;00", clock), clock) - 36_000) < 0.05
    assert seconds_of(parse_timecode("10:00:00:00", CLOCKS["29.97"]), CLOCKS["29.97"]) == pytest.approx(36_036)


@given(clocks, st.data())
def test_a_frame_and_its_label_are_one_to_one(clock: Clock, data: st.DataObject) -> None:
    frame = data.draw(st.integers(0, clock.frames_a_day - 1))
    label = label_of(frame, clock)
    assert frame_of(label, clock) == frame
    assert parse_timecode(str(label), clock) == label


@given(clocks, st.data())
def test_the_time_at_which_a_frame_begins_lies_in_that_frame(clock: Clock, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, clock.frames_a_day - 1))
    frame = data.draw(st.integers(0, 12 * 3600))
    shifted = Clock(clock.frame_rate, clock.drop_frame, start)
    begins_s = float(frame / clock.frame_rate)
    assert timecode_at(begins_s, shifted) == label_of(start + frame, clock)
    assert timecode_at(begins_s + 0.9 / float(clock.frame_rate), shifted) == label_of(start + frame, clock)
    assert seconds_of(timecode_at(begins_s, shifted), shifted) == pytest.approx(begins_s)


@given(clocks, st.integers(-100, 100))
def test_labels_begin_again_after_midnight(clock: Clock, frame: int) -> None:
    assert label_of(frame + clock.frames_a_day, clock) == label_of(frame, clock)


def test_time_before_second_zero_counts_down_from_the_start() -> None:
    clock = Clock(Fraction(25), start_frames=90_000)
    assert str(timecode_at(0.0, clock)) == "01:00:00:00"
    assert str(timecode_at(-0.04, clock)) == "00:59:59:24"
    assert seconds_of(parse_timecode("00:59:59:24", clock), clock) == pytest.approx(-0.04)


@pytest.mark.parametrize(
    ("rate", "label"),
    [
        ("29.97df", "00:01:00;00"),
        ("29.97df", "00:01:00;01"),
        ("59.94df", "00:01:00;03"),
        ("29.97df", "00:01:00:02"),
        ("25", "00:00:00;01"),
        ("25", "00:00:00:25"),
        ("25", "00:60:00:00"),
        ("25", "24:00:00:00"),
        ("25", "1:00:00:00"),
        ("25", "00:00:01.5"),
        ("25", "noon"),
    ],
)
def test_a_label_that_does_not_exist_is_refused(rate: str, label: str) -> None:
    with pytest.raises(ValueError, match=label[:8].replace(".", r"\.")):
        parse_timecode(label, CLOCKS[rate])


@pytest.mark.parametrize("clock", [(Fraction(25), True), (Fraction(0), False), (Fraction(25), False, -1)])
def test_a_clock_that_cannot_run_is_refused(clock: tuple[Fraction, bool, int]) -> None:
    with pytest.raises(ValueError):
        Clock(*clock)


@pytest.mark.parametrize("rate", CLOCKS)
def test_the_options_name_every_clock(rate: str) -> None:
    assert clock_from(rate, None) == CLOCKS[rate]
    start = "01:00:00;00" if rate.endswith("df") else "01:00:00:00"
    clock = clock_from(rate, start)
    assert clock is not None
    assert str(label_of(clock.start_frames, clock)) == start


def test_a_start_written_with_a_semicolon_is_drop_frame() -> None:
    clock = clock_from("29.97", "01:00:00;00")
    assert clock is not None
    assert clock.drop_frame
    assert start_frames("01:00:00;00", NTSC) == 107_892
    assert start_frames("01:00:00:00", NTSC) == 108_000


def test_options_that_say_nothing_give_no_clock_and_bad_ones_an_error() -> None:
    assert clock_from(None, None) is None
    for rate, start in ((None, "01:00:00:00"), ("fast", None), ("25df", None), ("25", "01:00:00:25"), ("0", None)):
        with pytest.raises(InputError):
            clock_from(rate, start)
    with pytest.raises(InputError, match="start timecode"):
        start_frames("somewhen", Fraction(25))
