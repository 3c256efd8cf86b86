"""What was heard, as frozen values: the only thing that measurements are made from. Made by hearing.py.

All times are seconds on the programme timeline; arrays are read-only float32 unless said otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dubgate.spans import Span
from dubgate.unmeasured import Unmeasured

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class BackendInfo:
    """Which model heard: its kind, short name, weights by digest, and whether it is the embedded fallback."""

    kind: str  # voice_activity, transcriber, aligner, speaker_encoder, diarizer, pitch
    name: str
    weights_sha256: str
    embedded: bool
    device: str = "cpu"
    version: str = ""
    pinned: bool = True  # whether every byte is the one that the catalogue names


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """A regular series [shape=(n,)]: value k covers `k * hop_s` to `(k + 1) * hop_s`."""

    hop_s: float
    values: Floats

    def __post_init__(self) -> None:
        if self.values.ndim != 1:
            raise ValueError(f"a series has one dimension, not {self.values.ndim}")

    def within(self, span: Span) -> Floats:
        """The values whose centre lies in the span [shape=(m,)], a view."""
        first = max(0, int(np.ceil(span.start_s / self.hop_s - 0.5)))
        last = max(first, int(np.ceil(span.end_s / self.hop_s - 0.5)))
        return self.values[first:last]


@dataclass(frozen=True, slots=True, eq=False)
class Pitch:
    """F0 in Hz, NaN where unvoiced, and the tracker's confidence in 0..1, on one grid."""

    f0_hz: Series
    confidence: Series


@dataclass(frozen=True, slots=True)
class Word:
    """A heard (or aligned) word; `prob` in 0..1 is the model's own confidence, not calibrated."""

    text: str
    span: Span
    prob: float


@dataclass(frozen=True, slots=True)
class LanguageWindow:
    """Probability per language (BCP-47 primary subtag) that a stretch of speech is in it, most likely first."""

    span: Span
    probs: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Levels:
    """What the sample-accurate pass at the file's own rate found.

    `block_power` [shape=(n,)] is the K-weighted, channel-weighted mean square of 400 ms blocks every 100 ms
    (ITU-R BS.1770-4), linear; block k covers `0.1 k` to `0.1 k + 0.4` s. `short_term_power` is the same over 3 s
    every 100 ms (EBU Tech 3341). `true_peak_dbtp` is the oversampled maximum over all channels. A sample counts as
    clipped where any channel is.
    """

    sample_rate_hz: int
    n_channels: int
    block_power: NDArray[np.float64]
    true_peak_dbtp: float
    clipped_samples: int
    total_samples: int
    clipped: tuple[Span, ...] = ()
    mutes: tuple[Span, ...] = ()  # digital-mute holes: exact or near zero, 50 ms or longer
    clicks_s: tuple[float, ...] = ()
    short_term_power: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))


@dataclass(frozen=True, slots=True, eq=False)
class VoiceSegment:
    """A stretch of one track from which a voice was taken.

    `cue_id` and `character` are what the script claims; None for speech outside every cue. `speech_s` is the net
    speech it rests on. `vector` [shape=(d,)] has unit length; it lives in memory only and is never written out.
    """

    span: Span
    speech_s: float
    cue_id: str | None
    character: str | None
    vector: Floats | Unmeasured
    cluster: str | None = None  # the diarizer's speaker within this track, "S1", "S2"…


@dataclass(frozen=True, slots=True)
class LineAlignment:
    """The script's words of one cue placed in the sound.

    A word that could not be aligned has no time and is not in `words`. `score` is the mean log-likelihood ratio per
    frame of the script against a free decoding, natural logarithm, near 0 where the script was said, negative where not.
    """

    cue_id: str
    words: tuple[Word, ...]
    score: float


@dataclass(frozen=True, slots=True, eq=False)
class TrackFeatures:
    """Everything heard in one track (the original, or the dub)."""

    name: str  # file name, for messages
    language: str | None  # as declared: cue sheet, stream tag or option
    duration_s: float
    speech_prob: Series  # 32 ms hop
    speech: tuple[Span, ...]  # voice activity, threshold 0.3, pauses under 300 ms bridged
    pitch: Pitch | Unmeasured  # 16 ms hop
    energy_db: Series  # RMS in dBFS, 10 ms hop, floored at -120
    words: tuple[Word, ...] | Unmeasured
    languages: tuple[LanguageWindow, ...] | Unmeasured
    levels: Levels
    voices: tuple[VoiceSegment, ...] | Unmeasured
    alignments: tuple[LineAlignment, ...] | Unmeasured
    file_sha256: str = ""  # of the file, made by the parent
    packet_sha256: str = ""  # packets, codec parameters and timestamps: equal in a re-wrapped file
    pcm_sha256: str | Unmeasured = field(default_factory=lambda: Unmeasured("not a lossless codec"))


@dataclass(frozen=True, slots=True)
class MixCheck:
    """Whether what was heard is what will be published: stem plus M&E against the mix.

    `residual_db` is the power of (mix - stem - M&E) relative to the mix's, in dB; `speech_to_background_db` is speech
    power against background power where speech is active; `differs` is where the mix holds something else, however short.
    """

    residual_db: float | Unmeasured
    speech_to_background_db: float | Unmeasured
    differs: tuple[Span, ...] | Unmeasured = field(default_factory=lambda: Unmeasured("it was not looked at"))


@dataclass(frozen=True, slots=True)
class Published:
    """The sound that is published, the mix where a stem was heard, else the dub itself.

    Its digests; where the rhythm sounds that says AI in Morse code; where speech is heard that models did not hear, cancelled in the mono
    sum or beside the stem in the music and effects (meter/unheard.py). `beside` are the file's other audio streams, none of which
    was handed in as anything.
    """

    packet_sha256: str
    pcm_sha256: str | Unmeasured
    rhythm: tuple[Span, ...] | Unmeasured = field(default_factory=lambda: Unmeasured("it was not listened for"))
    cancelled: tuple[Span, ...] | Unmeasured = field(default_factory=lambda: Unmeasured("it was not listened for"))
    in_effects: tuple[Span, ...] | Unmeasured = field(default_factory=lambda: Unmeasured("it was not listened for"))
    beside: tuple[str, ...] | Unmeasured = field(default_factory=lambda: Unmeasured("it was not looked for"))


@dataclass(frozen=True, slots=True, eq=False)
class ProgrammeFeatures:
    """A delivery as heard: both tracks, the mix check, and the models that heard them."""

    original: TrackFeatures
    dub: TrackFeatures
    mix: MixCheck
    models: tuple[BackendInfo, ...]
    published: Published | None = None
