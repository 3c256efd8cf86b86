"""SMPTE timecode: labels of frames, at every rate of film and television, drop-frame where it exists (ST 12-1)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from dubgate.delivery.cue_times import exact_rate
from dubgate.errors import InputError

_LABEL = re.compile(r"(\d{2}):(\d{2}):(\d{2})([:;.,])(\d{2,3})")
_DROP_RATES = (Fraction(30_000, 1001), Fraction(60_000, 1001))
_SLOWEST, _FASTEST = 1, 240
_MINUTES_A_DAY = 24 * 60


@dataclass(frozen=True, slots=True)
class Clock:
    """How programme seconds are written as SMPTE timecode: frame rate, drop-frame, and the timecode of second 0.

    `start_frames` counts frames since 00:00:00:00.

    Raises:
        ValueError: a rate outside 1 to 240, drop-frame at another rate than 29.97 or 59.94, a start outside a day.
    """

    frame_rate: Fraction = Fraction(25)
    drop_frame: bool = False
    start_frames: int = 0

    def __post_init__(self) -> None:
        if not _SLOWEST <= self.frame_rate <= _FASTEST:
            raise ValueError(f"a frame rate of {self.frame_rate} is none of film or television")
        if self.drop_frame and self.frame_rate not in _DROP_RATES:
            raise ValueError(f"there is no drop-frame timecode at {float(self.frame_rate):.6g} frames a second")
        if not 0 <= self.start_frames < self.frames_a_day:
            raise ValueError(f"frame {self.start_frames} lies outside a day")

    @property
    def nominal(self) -> int:
        """Labels a second: 24 for 23.976, 30 for 29.97."""
        return int(self.frame_rate + Fraction(1, 2))

    @property
    def frames_a_day(self) -> int:
        """After so many frames the labels begin again."""
        return self.nominal * 86_400 - self._dropped(_MINUTES_A_DAY)

    def _dropped(self, minutes: int) -> int:
        """Labels left out in so many minutes: the first 2 (at 59.94: 4) of each minute but the tenth."""
        return (self.nominal // 15) * (minutes - minutes // 10) if self.drop_frame else 0


@dataclass(frozen=True, slots=True, order=True)
class Timecode:
    """The label of a frame."""

    hours: int
    minutes: int
    seconds: int
    frames: int
    drop_frame: bool = False

    def __str__(self) -> str:
        mark = ";" if self.drop_frame else ":"
        return f"{self.hours:02}:{self.minutes:02}:{self.seconds:02}{mark}{self.frames:02}"


def parse_timecode(text: str, clock: Clock) -> Timecode:
    """Read `HH:MM:SS:FF`; `;` (or `.` or `,`) before the frames is drop-frame and must agree with the clock.

    Raises:
        ValueError: another form, a field beyond its end, or a label that drop-frame leaves out.
    """
    match = _LABEL.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text[:40]!r} is not a timecode HH:MM:SS:FF")
    hours, minutes, seconds, frames = (int(match[k]) for k in (1, 2, 3, 5))
    if (match[4] != ":") != clock.drop_frame:
        kind = "drop-frame" if clock.drop_frame else "non-drop"
        raise ValueError(f"{text!r} does not fit {kind} timecode")
    if hours > 23 or minutes > 59 or seconds > 59 or frames >= clock.nominal:
        raise ValueError(f"{text!r} has a field beyond its end at {float(clock.frame_rate):.6g} frames a second")
    if clock.drop_frame and seconds == 0 and frames < clock.nominal // 15 and minutes % 10:
        raise ValueError(f"{text!r} is a label that drop-frame timecode leaves out")
    return Timecode(hours, minutes, seconds, frames, clock.drop_frame)


def frame_of(timecode: Timecode, clock: Clock) -> int:
    """Frames from 00:00:00:00 to this label."""
    minutes = 60 * timecode.hours + timecode.minutes
    return (60 * minutes + timecode.seconds) * clock.nominal + timecode.frames - clock._dropped(minutes)


def label_of(frame: int, clock: Clock) -> Timecode:
    """The label of a frame counted from 00:00:00:00; past midnight the labels begin again."""
    frame %= clock.frames_a_day
    if clock.drop_frame:
        frame += _left_out_before(frame, clock.nominal)
    seconds, frames = divmod(frame, clock.nominal)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return Timecode(hours, minutes, seconds, frames, clock.drop_frame)


def _left_out_before(frame: int, nominal: int) -> int:
    """Labels that drop-frame has left out before the frame of this count."""
    drop = nominal // 15
    minute = 60 * nominal - drop
    tens, rest = divmod(frame, 10 * minute + drop)
    within = max(0, rest - drop) // minute  # the first minute of ten has all its labels
    return drop * (9 * tens + within)


def timecode_at(seconds: float, clock: Clock) -> Timecode:
    """The label of the frame that is on screen at this time of the programme; before second 0 it counts down."""
    frame = Fraction(round(seconds * 1_000_000), 1_000_000) * clock.frame_rate + Fraction(1, 1000)
    return label_of(clock.start_frames + frame.__floor__(), clock)


def seconds_of(timecode: Timecode, clock: Clock) -> float:
    """The time in the programme at which the frame of this label begins; within half a day of second 0."""
    day = clock.frames_a_day
    frames = (frame_of(timecode, clock) - clock.start_frames) % day
    return float((frames if frames < day // 2 else frames - day) / clock.frame_rate)


def start_frames(text: str, frame_rate: Fraction) -> int:
    """Frames since midnight of a start timecode as files write it; `;` before the frames is drop-frame.

    Raises:
        InputError: it is no timecode at this frame rate.
    """
    match = _LABEL.fullmatch(text.strip())
    drop = match is not None and match[4] != ":"
    try:
        clock = Clock(frame_rate, drop)
        return frame_of(parse_timecode(text, clock), clock)
    except ValueError as error:
        raise InputError(f"start timecode: {error}", remedy="state it with --start-timecode and --frame-rate") from None


def clock_from(frame_rate: str | None, start_timecode: str | None) -> Clock | None:
    """The clock that options state: `25`, `23.976`, `30000/1001`, `29.97df`; None where neither is given.

    Raises:
        InputError: no such rate or timecode, or a start without a rate.
    """
    if frame_rate is None:
        if start_timecode is None:
            return None
        raise InputError("a start timecode needs its frame rate", where="--start-timecode", remedy="add --frame-rate")
    text = frame_rate.strip().lower()
    drop = text.endswith("df") and not text.endswith("ndf")
    try:
        rate = exact_rate(text.removesuffix("ndf").removesuffix("df").strip())
        drop = drop or bool(start_timecode and rate in _DROP_RATES and ";" in start_timecode)
        clock = Clock(rate, drop)
        start = frame_of(parse_timecode(start_timecode, clock), clock) if start_timecode else 0
        return Clock(rate, drop, start)
    except ValueError as error:
        where = "--start-timecode" if start_timecode and "timecode" in str(error) else "--frame-rate"
        raise InputError(str(error), where=where) from None
