"""A script that counts from the picture's timecode lies where its lines are spoken; one that fits as it is stays as it is."""

from __future__ import annotations

from fractions import Fraction

import pytest

from dubgate.delivery.cue_clock import fitted, start_of
from dubgate.delivery.cues import check_against_duration
from dubgate.delivery.script import Cue, CueSheet
from dubgate.delivery.timecode import Clock
from dubgate.errors import CueError
from dubgate.spans import Span

HOUR = Clock(Fraction(25), start_frames=90_000)
NTSC_HOUR = Clock(Fraction(24_000, 1001), start_frames=86_400)


def sheet(*starts: float, name: str = "de.srt") -> CueSheet:
    return CueSheet(name, tuple(Cue(str(k), Span(s, s + 2.0), "Wort", None) for k, s in enumerate(starts)))


def starts(found: CueSheet) -> list[float]:
    return [c.span.start_s for c in found.cues]


def test_a_script_that_counts_from_the_pictures_hour_is_moved_to_the_programmes_start() -> None:
    assert starts(fitted(sheet(3600.5, 3620.0), HOUR, 30.0)) == [0.5, 20.0]


def test_a_script_that_fits_as_it_is_is_not_moved_whatever_the_clock_shows() -> None:
    late = Clock(Fraction(25), start_frames=250)  # ten seconds
    assert starts(fitted(sheet(12.0, 20.0), late, 30.0)) == [12.0, 20.0]
    assert starts(fitted(sheet(0.5, 20.0), HOUR, 30.0)) == [0.5, 20.0]


@pytest.mark.parametrize(
    ("given", "clock", "duration_s"),
    [
        (sheet(3600.5, 3640.0), HOUR, 30.0),  # a line past the end on that clock too
        (sheet(12.0, 3620.0), HOUR, 30.0),  # a line before that clock
        (sheet(7200.5), HOUR, 30.0),
        (sheet(3600.5), Clock(Fraction(25)), 30.0),
        (sheet(3600.5), HOUR, None),
    ],
)
def test_a_script_that_fits_on_no_clock_stays_and_is_refused_where_it_lies(
    given: CueSheet, clock: Clock, duration_s: float | None
) -> None:
    assert fitted(given, clock, duration_s) is given


def test_clock_times_name_the_label_and_frames_real_time() -> None:
    assert start_of(NTSC_HOUR, "de.SRT") == 3600.0
    assert start_of(NTSC_HOUR, "de.csv") == pytest.approx(3603.6)
    assert start_of(HOUR, "de.csv") == 3600.0


def test_a_refused_script_that_starts_at_an_hour_says_how_to_say_so() -> None:
    with pytest.raises(CueError, match="--start-timecode 01:00:00:00"):
        check_against_duration(sheet(3600.5), 30.0)
    with pytest.raises(CueError) as caught:
        check_against_duration(sheet(40.0), 30.0)
    assert "--start-timecode" not in str(caught.value)
