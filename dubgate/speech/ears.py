"""The set of models that hear one delivery, chosen by `--models` and `--device`, self-tested before use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dubgate.features import BackendInfo
from dubgate.speech.protocols import Aligner, Diarizer, PitchTracker, SpeakerEncoder, Transcriber, VoiceActivity
from dubgate.unmeasured import Unmeasured


@dataclass(frozen=True, slots=True)
class Ears:
    """One model of each kind; a transcriber or aligner may be Unmeasured where none hears the dub's language."""

    voice_activity: VoiceActivity
    pitch: PitchTracker
    pitch_hop_s: float
    encoder: SpeakerEncoder
    diarizer: Diarizer
    transcriber: Transcriber | Unmeasured
    aligner: Aligner | Unmeasured
    transcriber_batch: int = 8

    @property
    def infos(self) -> tuple[BackendInfo, ...]:
        optional = [m.info for m in (self.transcriber, self.aligner) if not isinstance(m, Unmeasured)]
        return (self.voice_activity.info, self.pitch.info, self.encoder.info, self.diarizer.info, *optional)


def load_ears(models: str, device: str, *, language: str | None, without: Sequence[str] = ()) -> Ears:
    """Load and self-test the models for a dub in `language` (BCP-47).

    Raises:
        ModelError: a weight file is missing, altered or unlisted, or the speaker encoder fails its self-test.
    """
    raise NotImplementedError
