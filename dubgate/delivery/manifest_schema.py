"""delivery.yaml as strict frozen models: `schema: delivery/1.0`. Nothing is read from disk here.

Only the media, their languages and the cast are always there; the rest is there when a chosen pack asks for it.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from fractions import Fraction
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from consent.partners import Partner
from consent.strict import Id, Language, Line, Strict
from consent.vocabulary import Channel
from dubgate.delivery.cue_times import exact_rate, parse_time
from dubgate.delivery.manifest_fields import (
    HUMAN,
    OUTSIDE,
    Eidr,
    FrameRate,
    InternalId,
    Isan,
    Making,
    Moment,
    OpenMoment,
    RelativePath,
    Territory,
    short_or_long,
    without_repeats,
)
from dubgate.delivery.manifest_record import Credits, ProductionRecord, RecordFile
from dubgate.delivery.script import Style
from dubgate.regions import expand

SCHEMA = "delivery/1.0"


class MediaFile(Strict):
    """A file and which of its audio streams: by container index, else by language (by default the track's)."""

    path: RelativePath
    stream: Annotated[int, Field(ge=0, le=1000)] | None = None
    language: Language | None = None


MediaField = Annotated[
    Annotated[RelativePath, Tag("short")] | Annotated[MediaFile, Tag("long")], Discriminator(short_or_long)
]


class Track(Strict):
    """The original or the dub: a mix, a dialogue stem, or both with the music and effects (`me`)."""

    language: Language
    mix: MediaField | None = None
    stem: MediaField | None = None
    me: MediaField | None = None

    @model_validator(mode="after")
    def _something_to_hear(self) -> Self:
        if self.mix is None and self.stem is None:
            raise ValueError("a mix or a dialogue stem is needed")
        if self.me is not None and self.stem is None:
            raise ValueError("music and effects need the dialogue stem beside them")
        return self


class Title(Strict):
    """What the programme is; whose it is, only the registry says."""

    name: Line
    eidr: Eidr | None = None
    isan: Isan | None = None
    internal: InternalId | None = None

    @property
    def identifiers(self) -> tuple[str, ...]:
        """Canonical `scheme:value`, those that are given."""
        given = {"eidr": self.eidr, "isan": self.isan, "internal": self.internal}
        return tuple(f"{scheme}:{value}" for scheme, value in given.items() if value is not None)


class Timecode(Strict):
    """How the cue sheet's timecode counts: the frame rate, and what it shows at the programme's first frame."""

    frame_rate: FrameRate
    start: Line = "00:00:00:00"

    @model_validator(mode="after")
    def _start_exists(self) -> Self:
        parse_time(self.start, self.rate)
        return self

    @property
    def rate(self) -> Fraction:
        return exact_rate(self.frame_rate)

    @property
    def start_s(self) -> float:
        return parse_time(self.start, self.rate)


class CastEntry(Strict):
    """Who speaks a character, or a group of a crowd, and how the voice was made."""

    character: Line | None = None
    group: Line | None = None
    technique: Making
    voice: Id | None = None
    voices: Annotated[tuple[Id, ...], AfterValidator(without_repeats)] = ()
    vendor: Line | None = None
    model: Line | None = None

    @model_validator(mode="after")
    def _one_subject_and_its_voices(self) -> Self:
        if (self.character is None) == (self.group is None):
            raise ValueError("an entry is for one character or for one group")
        if self.name == OUTSIDE:
            raise ValueError(
                f"{OUTSIDE} is what a voice is called that no line claims: write the character another way"
            )
        if self.character is not None and self.voices:
            raise ValueError("a character has one 'voice'; 'voices' is for groups")
        if self.technique != HUMAN and not self.voice_ids:
            raise ValueError(f"a voice made by {self.technique} needs the id of the voice in the registry")
        return self

    @property
    def name(self) -> str:
        """The character or group, as the cue sheet writes it."""
        return self.character or self.group or ""

    @property
    def voice_ids(self) -> tuple[str, ...]:
        """The registry's ids of the voices that may be heard here."""
        return (*([self.voice] if self.voice else []), *self.voices)

    @property
    def synthetic(self) -> bool:
        """Whether the voice is declared as made or changed by a machine."""
        return self.technique != HUMAN


class Window(Strict):
    """When the dub may be heard, `[from, until)`; `until: open` has no end."""

    start: Moment = Field(alias="from")
    until: OpenMoment

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.end is not None and self.end <= self.start:
            raise ValueError("the window ends before it starts")
        return self

    @property
    def end(self) -> datetime | None:
        """None where the window is open."""
        return None if self.until == "open" else self.until


class Distribution(Strict):
    """Where, how and when the dub is to be published."""

    territories: Annotated[tuple[Territory, ...], Field(min_length=1), AfterValidator(without_repeats)]
    channels: Annotated[tuple[Channel, ...], Field(min_length=1), AfterValidator(without_repeats)]
    window: Window
    partners: Annotated[tuple[Partner, ...], AfterValidator(without_repeats)] = ()

    @property
    def countries(self) -> tuple[str, ...]:
        """The territories expanded to ISO 3166-1 countries, in alphabetical order."""
        return expand(self.territories)


class Label(Strict):
    """How the audience is told: the text people read, by language, and the token machines read."""

    text: Annotated[dict[Language, Line], Field(min_length=1)]
    machine_token: Line | None = None


class EvidenceFiles(Strict):
    """Signed objects that came with the delivery."""

    approvals: tuple[RelativePath, ...] = ()
    waivers: tuple[RelativePath, ...] = ()
    attestations: tuple[RelativePath, ...] = ()
    human_performance: tuple[RelativePath, ...] = ()
    sign_offs: tuple[RelativePath, ...] = ()


class Manifest(Strict):
    """A delivery.yaml, after what it inherits was merged in."""

    format: Literal["delivery/1.0"] = Field(alias="schema")
    extends: RelativePath | None = None
    title: Title | None = None
    stage: Literal["master", "package"] = "master"
    package: RelativePath | None = None
    original: Track
    dub: Track
    style: Style | None = None
    cues: RelativePath | None = None
    timecode: Timecode | None = None
    cast: Annotated[tuple[CastEntry, ...], Field(min_length=1)]
    distribution: Distribution | None = None
    label: Label | None = None
    production: ProductionRecord | None = None
    credits: Credits | None = None
    intake: RecordFile | None = None
    submitter: Id | None = None
    evidence: EvidenceFiles = EvidenceFiles()

    @model_validator(mode="after")
    def _whole(self) -> Self:
        names = Counter(entry.name for entry in self.cast)
        if repeated := [name for name, count in names.items() if count > 1]:
            raise ValueError(f"the cast names {', '.join(repeated)} more than once")
        if self.stage == "package" and self.package is None:
            raise ValueError("stage 'package' needs 'package', the path of its playlist")
        return self
