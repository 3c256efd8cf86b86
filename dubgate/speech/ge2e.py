"""Speaker vectors by GE2E: the network and front end of Resemblyzer in torch, over the weights inside its package.

The package itself is never imported (its webrtcvad no longer loads); only its `pretrained.pt` is read, as plain
tensors. The mel spectrogram is of power, not of its logarithm: that is what the network was trained on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dubgate.errors import ModelError
from dubgate.features import BackendInfo, Floats
from dubgate.speech.batching import in_batches
from dubgate.speech.protocols import SAMPLE_RATE_HZ
from dubgate.unmeasured import Unmeasured

if TYPE_CHECKING:
    import torch

DIMENSION = 256
MIN_SPEECH_S = 0.5
_N_FFT, _HOP, _MELS = 400, 160, 40
_PARTIAL_FRAMES = 160  # 1.6 s, the length the network was trained on
_UNHEARD = 0.2  # of a partial's length: so much of a clip is not worth another partial
_LEVEL_DBFS = -30.0
_BATCH_BUDGET_S = 64 * 1.6  # what fits the processor's cache beats larger batches
_GPU_BUDGET_S = 4096 * 1.6


class Ge2e:
    """Speaker vectors of unit length [shape=(256,)], non-negative.

    Args:
        weights: `pretrained.pt` of the Resemblyzer package.
        sha256: the file's digest as checked by who resolved it.

    Raises:
        ModelError: the file does not hold this network.
    """

    dimension = DIMENSION
    min_speech_s = MIN_SPEECH_S

    def __init__(
        self, weights: Path, sha256: str, *, name: str = "ge2e", device: str = "cpu", version: str = ""
    ) -> None:
        import torch

        self._device = torch.device(device)
        self._lstm, self._linear = _network(weights)
        self._lstm.to(self._device)
        self._linear.to(self._device)
        self._window = torch.hann_window(_N_FFT, device=self._device)
        self._filters = torch.from_numpy(mel_filters()).to(self._device)
        self._budget_s = _GPU_BUDGET_S if self._device.type == "cuda" else _BATCH_BUDGET_S
        self.info = BackendInfo("speaker_encoder", name, sha256, embedded=True, device=device, version=version)

    def embed(self, clips: Sequence[Floats]) -> list[Floats | Unmeasured]:
        """A vector per clip; Unmeasured for silence and for clips under half a second.

        Clips hold speech only. One under about 1.5 s gives a vector that is fit for pooling, not for judging alone.
        """
        import torch

        from dubgate.speech.device import exactly

        refused = [_too_little(clip) for clip in clips]
        usable = [k for k, reason in enumerate(refused) if reason is None]
        with exactly(self._device):
            partials = in_batches(
                [clips[k] for k in usable],
                self._partials,
                length_s=lambda c: c.size / SAMPLE_RATE_HZ,
                budget_s=self._budget_s,
            )
            flat = list(torch.cat(partials)) if partials else []
            vectors = in_batches(flat, self._run, length_s=lambda _: 1.6, budget_s=self._budget_s)
        out: list[Floats | Unmeasured] = [Unmeasured("not heard") if r is None else r for r in refused]
        first = 0
        for k, own in zip(usable, partials, strict=True):
            out[k] = _unit(np.mean(vectors[first : first + len(own)], axis=0))
            first += len(own)
        return out

    def mels(self, sounds: Sequence[Floats]) -> list[torch.Tensor]:
        """Mel power spectrogram [shape=(n_frames, 40)] of each sound [shape=(n_samples,)], 25 ms windows every 10 ms.

        The sounds are laid end to end on multiples of the hop with a window's silence between them, and analysed at
        once: frames do not know their neighbours.
        """
        import torch

        counts = [1 + sound.size // _HOP for sound in sounds]
        starts = np.cumsum([0, *(n + _N_FFT // _HOP for n in counts)])
        laid = np.zeros(int(starts[-1]) * _HOP, dtype=np.float32)
        for start, sound in zip(starts, sounds, strict=False):
            laid[start * _HOP : start * _HOP + sound.size] = sound
        spectrum = torch.stft(
            torch.from_numpy(laid).to(self._device),
            _N_FFT, _HOP, window=self._window, center=True, pad_mode="constant", return_complex=True,
        )  # fmt: skip
        mel = (self._filters @ spectrum.abs().square()).T
        return [mel[s : s + n] for s, n in zip(starts, counts, strict=False)]

    def _partials(self, clips: Sequence[Floats]) -> list[torch.Tensor]:
        """Each clip's stretches of 1.6 s as mel spectrograms [shape=(n, 160, 40)]."""
        import torch

        starts = [partial_starts(clip.size) for clip in clips]
        loud = [_at_least(at_level(c), (s[-1] + _PARTIAL_FRAMES) * _HOP) for c, s in zip(clips, starts, strict=True)]
        mels = self.mels(loud)
        return [torch.stack([m[s : s + _PARTIAL_FRAMES] for s in own]) for m, own in zip(mels, starts, strict=True)]

    def _run(self, partials: Sequence[torch.Tensor]) -> list[Floats]:
        import torch

        _, (hidden, _) = self._lstm(torch.stack(list(partials)))
        raw = self._linear(hidden[-1]).relu()
        return list((raw / raw.norm(dim=1, keepdim=True).clamp_min(1e-9)).cpu().numpy())


def partial_starts(n_samples: int) -> list[int]:
    """First frames of the partials of a clip: evenly spread from its start to its end, side by side or overlapping.

    Up to 0.3 s of a clip may lie between partials or at its edges. Resemblyzer takes one every 0.77 s, twice as many;
    on LibriSpeech's readers the error rates of both are the same (0.44 % for whole utterances).
    """
    room = math.ceil((n_samples + 1) / _HOP) - 1 - _PARTIAL_FRAMES
    if room <= 0:
        return [0]
    n = max(1, math.ceil(room / _PARTIAL_FRAMES - _UNHEARD) + 1)
    return [round(k * room / (n - 1)) for k in range(n)] if n > 1 else [room // 2]


def _at_least(clip: Floats, n_samples: int) -> Floats:
    return clip if clip.size >= n_samples else np.pad(clip, (0, n_samples - clip.size))


def at_level(clip: Floats) -> Floats:
    """The clip raised to -30 dBFS; a louder one is left as it is."""
    rms_dbfs = 10 * math.log10(max(float(np.mean(np.square(clip, dtype=np.float64))), 1e-20))
    return clip * np.float32(10 ** (max(0.0, _LEVEL_DBFS - rms_dbfs) / 20))


def mel_filters() -> Floats:
    """Slaney's mel filters, each of unit area [shape=(40, 201)], as librosa's default.

    Source: M. Slaney, Auditory Toolbox (1998): linear to 1 kHz, then logarithmic.
    """
    edges_hz = _mel_to_hz(np.linspace(0.0, _hz_to_mel(SAMPLE_RATE_HZ / 2), _MELS + 2))
    bins_hz = np.linspace(0.0, SAMPLE_RATE_HZ / 2, _N_FFT // 2 + 1)
    low, centre, high = edges_hz[:-2, None], edges_hz[1:-1, None], edges_hz[2:, None]
    triangles = np.minimum((bins_hz - low) / (centre - low), (high - bins_hz) / (high - centre))
    return np.asarray(np.maximum(triangles, 0.0) * 2.0 / (high - low), dtype=np.float32)


_LINEAR_HZ_PER_MEL = 200.0 / 3
_KNEE_MEL = 1000.0 / _LINEAR_HZ_PER_MEL
_LOG_STEP = math.log(6.4) / 27


def _hz_to_mel(hz: float) -> float:
    return hz / _LINEAR_HZ_PER_MEL if hz < 1000.0 else _KNEE_MEL + math.log(hz / 1000.0) / _LOG_STEP


def _mel_to_hz(
    mel: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.where(mel < _KNEE_MEL, mel * _LINEAR_HZ_PER_MEL, 1000.0 * np.exp(_LOG_STEP * (mel - _KNEE_MEL)))


def _too_little(clip: Floats) -> Unmeasured | None:
    if clip.size < MIN_SPEECH_S * SAMPLE_RATE_HZ:
        return Unmeasured(f"less than {MIN_SPEECH_S:g} s of speech tell no voice")
    return Unmeasured("silence has no voice") if float(np.abs(clip).max()) < 1e-4 else None


def _unit(vector: Floats) -> Floats | Unmeasured:
    length = float(np.linalg.norm(vector))
    if not length > 0:
        return Unmeasured("the encoder found no voice")
    return np.asarray(vector / length, dtype=np.float32)


def _network(weights: Path) -> tuple[torch.nn.LSTM, torch.nn.Linear]:
    import torch

    try:
        state = torch.load(weights, map_location="cpu", weights_only=True)["model_state"]
        lstm = torch.nn.LSTM(_MELS, DIMENSION, 3, batch_first=True)
        linear = torch.nn.Linear(DIMENSION, DIMENSION)
        lstm.load_state_dict({k.removeprefix("lstm."): v for k, v in state.items() if k.startswith("lstm.")})
        linear.load_state_dict({k.removeprefix("linear."): v for k, v in state.items() if k.startswith("linear.")})
    except Exception as error:  # unpickling refuses in many classes; none of them is ours
        raise ModelError("this file does not hold GE2E's weights", where=weights.name) from error
    return lstm.eval(), linear.eval()
