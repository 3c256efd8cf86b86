"""What a speech model must offer: one Protocol a kind. Lists in, lists of the same length and order out.

The contract, tested for every backend in tests/speech/test_contract.py: empty in, empty out; a clip gives the same
answer alone as in a batch; the same answer twice; silence and 10 ms give a value or Unmeasured, never an exception;
arguments are not changed; `info` names the weights by digest. Clips are mono float32 [shape=(n_samples,)] at
16 kHz in -1..1. Heavy imports happen inside the constructors.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from dubgate.features import BackendInfo, Floats, LanguageWindow, Pitch, Series, Word
from dubgate.unmeasured import Unmeasured

SAMPLE_RATE_HZ = 16_000


class VoiceActivity(Protocol):
    """Speech probability."""

    @property
    def info(self) -> BackendInfo: ...

    def speech_prob(self, clips: Sequence[Floats]) -> list[Series]:
        """Probability of speech every 32 ms (512 samples), the last block padded with zeros."""
        ...

    def speech_prob_blocks(self, blocks: Iterable[Floats]) -> Series:
        """The same for one long signal that arrives block by block; equal to `speech_prob` on the joined signal."""
        ...


class PitchTracker(Protocol):
    """F0 of speech, 65 to 400 Hz by default."""

    @property
    def info(self) -> BackendInfo: ...

    def pitch(self, clips: Sequence[Floats]) -> list[Pitch]: ...


class SpeakerEncoder(Protocol):
    """Unit-length speaker vectors [shape=(dimension,)]."""

    @property
    def info(self) -> BackendInfo: ...
    @property
    def dimension(self) -> int: ...
    @property
    def min_speech_s(self) -> float: ...

    def embed(self, clips: Sequence[Floats]) -> list[Floats | Unmeasured]: ...


class Transcriber(Protocol):
    """Words with times. `languages` it can hear (BCP-47 primary subtags); None means any it says it can."""

    @property
    def info(self) -> BackendInfo: ...
    @property
    def languages(self) -> frozenset[str] | None: ...
    @property
    def at_once(self) -> int:
        """How many clips it is best handed at once."""
        ...

    def transcribe(self, clips: Sequence[Floats], *, language: str) -> list[tuple[Word, ...] | Unmeasured]:
        """Word times are relative to each clip's start."""
        ...

    def identify_language(self, clips: Sequence[Floats]) -> list[tuple[tuple[str, float], ...] | Unmeasured]:
        """Probabilities per language, most likely first; Unmeasured where the model hears one language only."""
        ...


class Aligned(Protocol):
    """The words of one text placed in one clip; see LineAlignment for `score`."""

    @property
    def words(self) -> tuple[Word, ...]: ...
    @property
    def score(self) -> float: ...


class Aligner(Protocol):
    """Places a known text in a clip."""

    @property
    def info(self) -> BackendInfo: ...
    @property
    def languages(self) -> frozenset[str] | None: ...

    def align(
        self, clips: Sequence[Floats], texts: Sequence[str], *, language: str
    ) -> Sequence[Aligned | Unmeasured]: ...


class Diarizer(Protocol):
    """Who speaks when, as cluster names "S1", "S2"… per segment, from speaker vectors or from sound."""

    @property
    def info(self) -> BackendInfo: ...

    def cluster(self, vectors: Sequence[Floats | Unmeasured], weights_s: Sequence[float]) -> list[str | None]:
        """A speaker per segment, named in order of first appearance; None where the vector is Unmeasured."""
        ...


__all__ = [
    "SAMPLE_RATE_HZ",
    "Aligned",
    "Aligner",
    "Diarizer",
    "LanguageWindow",
    "PitchTracker",
    "SpeakerEncoder",
    "Transcriber",
    "VoiceActivity",
]
