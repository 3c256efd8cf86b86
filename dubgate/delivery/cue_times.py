"""Times as cue sheets write them: seconds, clock times, and SMPTE timecode with its frame rate."""

from __future__ import annotations

import re
from fractions import Fraction

_SECONDS = re.compile(r"\d{1,7}(?:\.\d{1,9})?")
_CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{1,2}):(\d{2})(?:[.,](\d{1,9}))?")
_SMPTE = re.compile(r"(\d{1,2}):(\d{2}):(\d{2})([:;])(\d{2,3})")
_NTSC = Fraction(1000, 1001)


def exact_rate(rate: float | Fraction | str) -> Fraction:
    """A frame rate as the exact fraction that is meant: 23.976 is 24000/1001.

    Raises:
        ValueError: not a positive finite rate up to 1000.
    """
    try:
        given = Fraction(rate).limit_denominator(1001)
    except (ValueError, OverflowError, ZeroDivisionError):
        raise ValueError(f"{rate!r} is not a frame rate") from None
    if not 0 < given <= 1000:
        raise ValueError(f"{rate!r} is not a frame rate between 0 and 1000")
    ntsc = round(given / _NTSC) * _NTSC
    return ntsc if abs(given - ntsc) < Fraction(1, 100) and given.denominator != 1 else given


def parse_time(text: str, frame_rate: Fraction | None) -> float:
    """Seconds from `12.5`, `[HH:]MM:SS[.mmm]` (comma too) or SMPTE `HH:MM:SS:FF` (`;FF` is drop-frame).

    Raises:
        ValueError: none of these, negative, beyond its field, or SMPTE without a frame rate.
    """
    text = text.strip()
    if text.startswith(("-", "−")):
        raise ValueError(f"{text!r} is a negative time")
    if _SECONDS.fullmatch(text):
        return float(text)
    if match := _CLOCK.fullmatch(text):
        hours, minutes, seconds, fraction = match.groups(default="0")
        return float(_hms(text, hours, minutes, seconds) + Fraction(int(fraction), 10 ** len(fraction)))
    if match := _SMPTE.fullmatch(text):
        if frame_rate is None:
            raise ValueError(f"{text!r} is timecode with frames, and the frame rate is not known")
        hours, minutes, seconds, mark, frames = match.groups()
        return smpte_s(_hms(text, hours, minutes, seconds), int(frames), frame_rate, drop=mark == ";")
    raise ValueError(f"{text[:40]!r} is not a time")


def _hms(text: str, hours: str, minutes: str, seconds: str) -> int:
    if int(seconds) > 59 or int(minutes) > 59:
        raise ValueError(f"{text!r} has a minute or second above 59")
    return int(hours) * 3600 + int(minutes) * 60 + int(seconds)


def smpte_s(label_s: int, frames: int, rate: Fraction, *, drop: bool) -> float:
    """Real seconds of a timecode label, `label_s` being its hours, minutes and seconds as a number.

    Labels count at the rounded rate; in drop-frame the first labels of every minute but each tenth do not exist
    (SMPTE ST 12-1): two at 29.97, four at 59.94.

    Raises:
        ValueError: a frame number the rate does not have, a dropped label, or drop-frame at a rate without it.
    """
    nominal = round(rate)
    if frames >= nominal:
        raise ValueError(f"frame {frames} does not exist at {float(rate):g} frames a second")
    count = label_s * nominal + frames
    if drop:
        if nominal % 30 or rate.denominator == 1:
            raise ValueError(f"there is no drop-frame timecode at {float(rate):g} frames a second")
        dropped, minutes = nominal // 15, label_s // 60
        if frames < dropped and label_s % 60 == 0 and minutes % 10:
            raise ValueError(f"frame {frames} of this minute does not exist in drop-frame timecode")
        count -= dropped * (minutes - minutes // 10)
    return float(count / rate)


def clock(seconds: float, point: str = ".") -> str:
    """`HH:MM:SS.mmm`, rounded to the millisecond."""
    ms = round(seconds * 1000)
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}{point}{ms % 1000:03}"
