"""Where the dialogue lines lie in both tracks: found once, for every measure that goes line by line."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from dubgate.delivery.script import CueSheet, Style
from dubgate.features import ProgrammeFeatures
from dubgate.measure.drift import Drift, fit_drift
from dubgate.measure.lines import AS_IS, Clock, Line, dialogue, place_lines
from dubgate.measure.offset import global_offset
from dubgate.unmeasured import Unmeasured

UNDER_LECTOR = Unmeasured("the original is audible under a lector; hand in the dialogue stem")


@dataclass(frozen=True, slots=True)
class Lines:
    """The dialogue lines as they lie in both tracks, in the same order."""

    original: tuple[Line, ...]
    dub: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Placement:
    """Lines, and the clock by which they were found: how late the dub is, and how fast it runs away."""

    lines: Lines
    offset_s: float | Unmeasured
    drift: Drift | Unmeasured


@lru_cache(maxsize=1)
def place(features: ProgrammeFeatures, sheet: CueSheet) -> Placement:
    """Find offset and drift, and each line in both tracks. A dub that is late as a whole is followed by its own clock."""
    original, dub, cues = features.original, features.dub, dialogue(sheet)
    drift = fit_drift(original, dub)
    stretch = 1.0 if isinstance(drift, Unmeasured) else drift.certain_stretch
    offset_s = global_offset(original, dub, stretch=stretch)
    clock = AS_IS if isinstance(offset_s, Unmeasured) else Clock(offset_s, stretch)
    return Placement(Lines(place_lines(cues, original), place_lines(cues, dub, clock)), offset_s, drift)


def is_under_lector(features: ProgrammeFeatures, style: Style | None) -> bool:
    """Whether what was heard is a lector over the original: then the dub's own speech cannot be told apart."""
    return style is Style.LECTOR and isinstance(features.mix.residual_db, Unmeasured)
