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
    import hashlib
    from importlib.util import find_spec
    from pathlib import Path

    from dubgate.speech.clustering import ClusteringDiarizer
    from dubgate.speech.ge2e import Ge2e
    from dubgate.speech.pocketsphinx import PocketSphinxAligner, PocketSphinxTranscriber
    from dubgate.speech.silero import SileroVad
    from dubgate.speech.swiftf0 import HOP_S, SwiftF0

    def at(package: str, file: str) -> tuple[Path, str]:
        path = Path(find_spec(package).origin).parent / file
        return path, hashlib.sha256(path.read_bytes()).hexdigest()

    english = language is not None and language.split("-")[0] == "en"
    no = Unmeasured(f"no model here hears {language}")
    return Ears(
        SileroVad(*at("silero_vad", "data/silero_vad_16k_sequence.onnx")),
        SwiftF0(*at("swift_f0", "model.onnx")),
        HOP_S,
        Ge2e(*at("resemblyzer", "pretrained.pt")),
        ClusteringDiarizer(0.75),
        PocketSphinxTranscriber() if english and "transcriber" not in without else no,
        PocketSphinxAligner() if english and "aligner" not in without else no,
    )
