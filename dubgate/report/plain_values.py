"""Values and bounds as the people who mend a dub count: frames beside seconds, per cent instead of shares."""

from __future__ import annotations

import re

from dubgate.delivery.timecode import Clock
from dubgate.policy.findings import Finding, Text

_UNITS = (
    (re.compile(r"(-?[\d.]+) (?:share|prob)\b"), lambda found: f"{100 * float(found[1]):.3g} %"),
    (re.compile(r"(-?[\d.]+) ratio\b"), r"\1 times"),
    (re.compile(r"(-?[\d.]+) count\b"), r"\1"),
)
_SECONDS = re.compile(r"(-?[\d.]+) s")
_IN_FRAMES = "TIM-"  # rules about where things lie against the picture
_NONE_BEYOND_S = 60.0  # nobody counts minutes in frames


def measured_of(finding: Finding, clock: Clock) -> Text:
    """What was measured: `-0.692 s (-17 frames)`, `41.1 %`."""
    told = finding.measured
    seconds = _SECONDS.fullmatch(told.en)
    if seconds is None or not finding.rule.startswith(_IN_FRAMES) or abs(float(seconds[1])) > _NONE_BEYOND_S:
        return Text(plain(told.en), told.ja)
    frames = round(float(seconds[1]) * float(clock.frame_rate))
    word = "frame" if abs(frames) == 1 else "frames"
    return Text(f"{told.en} ({frames} {word})", f"{told.ja}（{frames}フレーム）")


def wanted_of(finding: Finding) -> Text:
    """The bound: `at most 0.6 s either way`, `at least 65 %`."""
    return Text(plain(finding.wanted.en), finding.wanted.ja)


def plain(text: str) -> str:
    """A value or bound in English without the units that only packs write."""
    for pattern, instead in _UNITS:
        text = pattern.sub(instead, text)
    return text
