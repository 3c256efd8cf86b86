"""A judgement: everything a report shows, in one frozen value. Made by gate.py, rendered by report/."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from dubgate.delivery.script import CueSheet, Style
from dubgate.delivery.timecode import Clock as Clock
from dubgate.features import ProgrammeFeatures
from dubgate.measure.measurement import Measurement
from dubgate.policy.facts import Facts
from dubgate.policy.verdict import Verdict


@dataclass(frozen=True, slots=True)
class PackRef:
    """A rule pack that judged, by digest of its bytes."""

    name: str
    version: str
    sha256: str
    data: bytes = field(default=b"", repr=False, compare=False)  # the pack itself, for whoever judges again


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """`sheet` is the script, or the lines found by voice activity where `scripted` is false (texts empty then).

    `original_media` and `dub_media` are the files as given, for the player in the HTML report.
    """

    title: str
    judged_at: datetime  # aware UTC
    original_media: Path
    dub_media: Path
    original_stream: int
    dub_stream: int
    features: ProgrammeFeatures
    sheet: CueSheet
    scripted: bool
    style: Style
    measurements: tuple[Measurement, ...]
    verdict: Verdict
    packs: tuple[PackRef, ...]
    clock: Clock = field(default_factory=Clock)
    facts: Facts | None = None  # a delivery's, as its rules read them
    notes: tuple[str, ...] = ()  # said on the first page: embedded models, what was not measured at all
