"""The set of models that hear one delivery, chosen by `--models` and `--device`, self-tested before use."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from dubgate.errors import ModelError
from dubgate.features import BackendInfo
from dubgate.speech.protocols import Aligner, Diarizer, PitchTracker, SpeakerEncoder, Transcriber, VoiceActivity
from dubgate.unmeasured import Unmeasured

if TYPE_CHECKING:
    from dubgate.speech.device import Device
    from dubgate.speech.models import ModelRef

T = TypeVar("T")

CLUSTER_COSINE_UNCALIBRATED = 0.8


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

    @property
    def infos(self) -> tuple[BackendInfo, ...]:
        """Every model that hears, with whether its weights are pinned."""
        sounds = _pinned(self.voice_activity.info, self.pitch.info, self.encoder.info)
        return (*sounds, *_infos_of_words(self.transcriber, self.aligner), self.diarizer.info)


@dataclass(frozen=True, slots=True)
class WordModels:
    """The models that hear words alone."""

    transcriber: Transcriber | Unmeasured
    aligner: Aligner | Unmeasured

    @property
    def infos(self) -> tuple[BackendInfo, ...]:
        """Those that hear, with whether their weights are pinned."""
        return _infos_of_words(self.transcriber, self.aligner)


def _infos_of_words(*models: Transcriber | Aligner | Unmeasured) -> tuple[BackendInfo, ...]:
    return _pinned(*(m.info for m in models if not isinstance(m, Unmeasured)))


def _pinned(*infos: BackendInfo) -> tuple[BackendInfo, ...]:
    from dubgate.speech.models import is_pinned

    return tuple(replace(i, pinned=is_pinned(i.weights_sha256)) for i in infos)


def load_ears(models: str, device: str, *, language: str | None, without: Sequence[str] = ()) -> Ears:
    """Load and self-test the models for a dub in `language` (BCP-47).

    Raises:
        ModelError: a weight file is missing, altered or unlisted, or the speaker encoder fails its self-test.
    """
    from dubgate.speech.device import choose_device
    from dubgate.speech.models import offline, resolve
    from dubgate.speech.swiftf0 import HOP_S, SwiftF0

    offline()
    where = choose_device(device)
    pitch = resolve("pitch", models)
    encoder, diarizer = load_voice_models(models, device)
    return Ears(
        voice_activity=load_voice_activity(models, device),
        pitch=SwiftF0(pitch.path, pitch.sha256, device=where, version=pitch.version),
        pitch_hop_s=HOP_S,
        encoder=encoder,
        diarizer=diarizer,
        transcriber=_optional(_transcriber, "transcriber", models, where, language, without),
        aligner=_optional(_aligner, "aligner", models, where, language, without),
    )


def load_voice_activity(models: str, device: str) -> VoiceActivity:
    """What tells where somebody speaks.

    Raises:
        ModelError: a weight file is missing, altered or unlisted.
    """
    from dubgate.speech.device import choose_device
    from dubgate.speech.models import resolve
    from dubgate.speech.silero import SileroVad

    ref = resolve("voice_activity", models)
    return SileroVad(ref.path, ref.sha256, device=choose_device(device), version=ref.version)


def load_word_models(models: str, device: str, *, language: str | None) -> WordModels:
    """The transcriber and the aligner for a dub in `language`.

    Raises:
        ModelError: a weight file is missing, altered or unlisted.
    """
    from dubgate.speech.device import choose_device
    from dubgate.speech.models import offline

    offline()
    where = choose_device(device)
    return WordModels(
        _optional(_transcriber, "transcriber", models, where, language, ()),
        _optional(_aligner, "aligner", models, where, language, ()),
    )


def load_voice_models(models: str, device: str) -> tuple[SpeakerEncoder, Diarizer]:
    """The speaker encoder, self-tested, and the diarizer at its calibration's threshold.

    Raises:
        ModelError: see load_encoder; or the encoder fails its self-test.
    """
    from dubgate.speech.calibration import Relation, find
    from dubgate.speech.clustering import ClusteringDiarizer
    from dubgate.speech.models import offline
    from dubgate.speech.selftest import check_encoder

    offline()
    encoder = load_encoder(models, device)
    check_encoder(encoder)
    calibration = find(encoder.info.weights_sha256, Relation.SAME)
    alike = CLUSTER_COSINE_UNCALIBRATED if isinstance(calibration, Unmeasured) else calibration.cluster_cosine
    return encoder, ClusteringDiarizer(alike)


def load_encoder(models: str, device: str) -> SpeakerEncoder:
    """The speaker encoder alone, as enrolment needs it.

    Raises:
        ModelError: its weights are missing, altered or unlisted.
    """
    from dubgate.speech.device import choose_device
    from dubgate.speech.models import resolve

    ref, where = resolve("speaker_encoder", models), choose_device(device)
    if ref.name == "ge2e":
        from dubgate.speech.ge2e import Ge2e

        return Ge2e(ref.path, ref.sha256, device=where, version=ref.version)
    from dubgate.speech.wespeaker import WeSpeaker

    return WeSpeaker(ref.path, ref.sha256, device=where, version=ref.version)


def _optional(
    load: Callable[[ModelRef, Device], T],
    kind: str,
    models: str,
    device: Device,
    language: str | None,
    without: Sequence[str],
) -> T | Unmeasured:
    """A model of a kind that a dub can be heard without; why not, where there is none."""
    from dubgate.speech.models import resolve

    if kind in without:
        return Unmeasured(f"the {kind} was switched off")
    if language is None:
        return Unmeasured("the dub's language is not known; name it with --dub-language")
    try:
        ref = resolve(kind, models, language=language)
    except ModelError as error:
        if models in ("auto", "embedded") and error.what.startswith(f"no {kind}"):
            return Unmeasured(error.what)
        raise  # altered weights are a broken tool, not a missing one
    return load(ref, device)


def _transcriber(ref: ModelRef, device: Device) -> Transcriber:
    if ref.name == "pocketsphinx":
        from dubgate.speech.pocketsphinx import PocketSphinxTranscriber

        return PocketSphinxTranscriber()
    from dubgate.speech.faster_whisper import FasterWhisperTranscriber

    return FasterWhisperTranscriber(ref.path, ref.sha256, name=ref.name, device=device)


def _aligner(ref: ModelRef, device: Device) -> Aligner:
    if ref.name == "pocketsphinx-aligner":
        from dubgate.speech.sphinx_aligner import PocketSphinxAligner

        return PocketSphinxAligner()
    from dubgate.speech.ctc import CtcAligner

    return CtcAligner(ref.path, ref.sha256, name=ref.name, device=device)
