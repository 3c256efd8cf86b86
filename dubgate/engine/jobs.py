"""What a batch hands to whoever hears, and what comes back: frozen values; only voices are never written anywhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from dubgate.features import Floats
from dubgate.unmeasured import Unmeasured


@dataclass(frozen=True, slots=True)
class Job:
    """A delivery to judge: the path or URL of its manifest, and the folder in the batch's that its reports go to."""

    name: str
    location: str


@dataclass(frozen=True, slots=True)
class Settings:
    """How every delivery of a batch is judged; one moment for all, so that an interrupted batch ends as it would have."""

    registry: str
    at: datetime
    packs: tuple[str, ...] = ()
    models: str = "auto"
    device: str = "auto"
    formats: tuple[str, ...] = ("html", "json")
    media: str = "flagged"
    lang: str = "en"
    fixed_at: bool = False  # whether that moment was asked for, or is when the batch began
    signed: bool = False  # whether the parent will sign: the judgement then comes back whole
    elsewhere: bool = False  # whether who hears may have other disks: what was heard is then told by its digests
    company: str | None = None  # the company's folder, where whoever hears finds it
    aside: str | None = None  # the batch's own folder, which is of no delivery
    judged_by: str = ""  # a digest of all that judges: by others it is judged anew
    known: str = ""  # what the registry knew when the batch began: asked of another, it is judged anew


@dataclass(frozen=True, slots=True)
class Trait:
    """How one character sounds in one episode, and how its voice is declared to be made.

    `register_st` is the median F0 in semitones over 1 Hz, `level_db` the mean level of its speech in dBFS. `compared`
    says why its voice may not be compared with earlier episodes; None where it may.
    """

    character: str
    voice_ids: tuple[str, ...]
    technique: str
    vendor: str | None
    model: str | None
    speech_s: float
    register_st: float | Unmeasured
    level_db: float | Unmeasured
    not_compared: str | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What the journal and the summary know of a judged delivery."""

    title: str
    language: str
    vendor: str
    submission: str  # the same for every round of one dub: the title and the language
    series: str | None
    decision: str
    groups: tuple[tuple[str, str], ...]
    blocking: tuple[str, ...]
    holding: tuple[str, ...]
    warning: tuple[str, ...]
    minutes: float
    review_minutes: float
    report_sha256: str  # of the canonical report: equal wherever and however often it is made
    encoder_sha256: str = ""
    traits: tuple[Trait, ...] = ()
    models: tuple[tuple[str, str], ...] = ()  # kind and digest of the weights that heard


Voices = dict[str, tuple[Floats, float]]  # per character: a unit vector, and the seconds of speech behind it


@dataclass(frozen=True, slots=True)
class Judges:
    """What judges on a machine: the program's version and source, the packs and the company's folder by digest, the models at
    hand by name."""

    version: str
    program: str
    packs: str
    company: str
    models: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """A judged delivery: what is written beside the journal, and the voices of its characters, for memory only.

    `judges` is what judged it where it was heard. `judgement` is there where the parent signs, pickled, without any speaker
    vector. `rests_on` says by digest which files it is of, there too and where they may be another machine's; `state` how
    the files of a URL were found by whoever fetched them.
    """

    facts: Facts
    files: dict[str, bytes]
    voices: Voices = field(default_factory=dict, repr=False)
    judgement: bytes | None = field(default=None, repr=False)
    rests_on: tuple[tuple[str, str], ...] = ()
    state: str = ""
    worker: str = ""
    seconds: float = 0.0
    judges: Judges | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """A delivery that could not be judged; `lost` where whoever heard it was lost, so that another may try."""

    why: str
    lost: bool = False


Result = Answer | Failure
