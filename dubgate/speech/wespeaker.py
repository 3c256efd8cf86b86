"""Speaker vectors by WeSpeaker's ResNet34 as pyannote packs it, in plain torch: no pyannote, no code from a file.

A checkpoint is read with `weights_only=True`. The few classes that pyannote pickles into it become inert stand-ins, so
that nothing of pyannote is imported; its loader would import whatever module the file names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
_MELS, _WINDOW, _HOP = 80, 400, 160
_FILES = ("model.safetensors", "pytorch_model.bin")
_CPU_BUDGET_S = 9.0  # so little that activations stay in the cache: 60 s at once took twice as long
_GPU_BUDGET_S = 1_200.0
_SILENT = 1e-4
_EXPECTED = {"sample_rate": 16000, "num_channels": 1, "num_mel_bins": 80, "frame_length": 25, "frame_shift": 10,
             "window_type": "hamming", "use_energy": False, "dither": 0.0}  # fmt: skip
_STAND_INS = (
    "pyannote.audio.core.task.Specifications",
    "pyannote.audio.core.task.Problem",
    "pyannote.audio.core.task.Resolution",
    "lightning.fabric.utilities.data.AttributeDict",
    "lightning_fabric.utilities.data.AttributeDict",
    "pytorch_lightning.utilities.parsing.AttributeDict",
)


class WeSpeaker:
    """Speaker vectors of unit length [shape=(256,)].

    Args:
        weights: a folder with `model.safetensors` or `pytorch_model.bin` in pyannote's layout, or one of those files.
        sha256: the digest as checked by who resolved it.

    Raises:
        ModelError: the file is missing, would run code, or does not hold this network with this front end.
    """

    dimension = DIMENSION
    min_speech_s = MIN_SPEECH_S

    def __init__(
        self, weights: Path, sha256: str, *, name: str = "wespeaker", device: str = "cpu", version: str = ""
    ) -> None:
        import torch

        from dubgate.speech.wespeaker_network import build

        self._device = torch.device(device)
        cuda = self._device.type == "cuda"
        order = torch.contiguous_format if cuda else torch.channels_last
        path = _weights_file(weights)
        state = read_state(path)
        try:
            self._network = build(state).to(self._device)
            self._network.to(memory_format=order)  # type: ignore[call-overload]  # torch's stubs leave it out
        except (RuntimeError, KeyError) as error:
            raise ModelError("this is not pyannote's WeSpeaker ResNet34", where=path.name) from error
        self._budget_s = _GPU_BUDGET_S if cuda else _CPU_BUDGET_S
        self.info = BackendInfo("speaker_encoder", name, sha256, embedded=False, device=device, version=version)

    def embed(self, clips: Sequence[Floats]) -> list[Floats | Unmeasured]:
        """A vector per clip of speech; Unmeasured for silence and for clips under half a second."""
        refused = [_too_little(clip) for clip in clips]
        usable = [clip for clip, reason in zip(clips, refused, strict=True) if reason is None]
        vectors = iter(
            in_batches(usable, self._batch, length_s=lambda c: c.size / SAMPLE_RATE_HZ, budget_s=self._budget_s)
        )
        return [next(vectors) if reason is None else reason for reason in refused]

    def _batch(self, clips: Sequence[Floats]) -> list[Floats | Unmeasured]:
        import torch

        from dubgate.speech.device import exactly

        with exactly(self._device):
            mels = fbanks([torch.tensor(clip, device=self._device) for clip in clips])
            frames = torch.tensor([len(m) for m in mels], device=self._device)
            raw = self._network(torch.nn.utils.rnn.pad_sequence(mels, batch_first=True), frames).cpu().numpy()
        return [_unit(row) for row in raw]


def fbanks(clips: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    """Kaldi log-mel energies of each clip [shape=(n_frames, 80)], each band's mean over the clip removed.

    The clips are laid end to end on multiples of the hop and analysed at once: frames do not know their neighbours.
    """
    import torch
    from torchaudio.compliance import kaldi

    starts, laid, at = [], [], 0
    for clip in clips:
        starts.append(at // _HOP)
        room = -clip.numel() % _HOP
        laid += [clip, clip.new_zeros(room)]
        at += clip.numel() + room
    joined = torch.cat([*laid, laid[0].new_zeros(_WINDOW)])[None] * 32768.0
    features = kaldi.fbank(
        joined, num_mel_bins=_MELS, frame_length=25.0, frame_shift=10.0, dither=0.0, window_type="hamming",
        sample_frequency=float(SAMPLE_RATE_HZ), use_energy=False, snip_edges=True, round_to_power_of_two=True,
    )  # fmt: skip
    counts = [1 + (clip.numel() - _WINDOW) // _HOP for clip in clips]
    own = [features[s : s + n] for s, n in zip(starts, counts, strict=True)]
    return [f - f.mean(dim=0, keepdim=True) for f in own]


def read_state(path: Path) -> dict[str, torch.Tensor]:
    """The network's tensors, by name, of a checkpoint that can run no code.

    Raises:
        ModelError: a pickle that asks for anything but tensors and the stand-ins, or another front end.
    """
    if path.suffix == ".safetensors":
        return _read_safetensors(path)
    import torch

    inert = [(_stand_in(name), name) for name in _STAND_INS]
    try:
        with torch.serialization.safe_globals(inert):  # type: ignore[arg-type]  # (class, name) pairs are taken too
            checkpoint = torch.load(path, map_location="cpu", weights_only=True)
        state = checkpoint["state_dict"]
    except Exception as error:  # unpickling refuses in many classes
        raise ModelError(
            "the checkpoint holds more than tensors, or is no checkpoint; it was not opened",
            where=path.name,
            remedy="fetch it again with `dubgate models pull wespeaker`",
        ) from error
    _check_front_end(checkpoint.get("hyper_parameters", {}), path)
    return {str(k): v for k, v in state.items()}


def _read_safetensors(path: Path) -> dict[str, torch.Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return dict(load_file(path))
    except (SafetensorError, OSError) as error:
        raise ModelError("this is not a safetensors file", where=path.name) from error


def _stand_in(name: str) -> type:
    """A class that holds what a pickle gives it and does nothing."""

    def keep(self: Any, *args: Any, **kwargs: Any) -> None:
        self.__dict__["given"] = args

    body = {"__init__": keep, "__setstate__": lambda self, state: self.__dict__.update(state=state)}
    base: tuple[type, ...] = (dict,) if name.endswith("AttributeDict") else ()
    return type(name.rsplit(".", 1)[1], base, {} if base else body)


def _check_front_end(given: object, path: Path) -> None:
    if not isinstance(given, Mapping):
        raise ModelError("its hyper-parameters are unreadable", where=path.name)
    other = {k: given[k] for k, v in _EXPECTED.items() if k in given and given[k] != v}
    if other or given.get("fbank_centering_span") is not None:
        raise ModelError(f"it was trained on another front end: {other}", where=path.name)


def _weights_file(weights: Path) -> Path:
    if weights.is_file():
        return weights
    for name in _FILES:
        if (weights / name).is_file():
            return weights / name
    raise ModelError(f"neither {' nor '.join(_FILES)} is there", where=str(weights))


def _too_little(clip: Floats) -> Unmeasured | None:
    if clip.size < MIN_SPEECH_S * SAMPLE_RATE_HZ:
        return Unmeasured(f"less than {MIN_SPEECH_S:g} s of speech tell no voice")
    return Unmeasured("silence has no voice") if float(np.abs(clip).max()) < _SILENT else None


def _unit(vector: Floats) -> Floats | Unmeasured:
    length = float(np.linalg.norm(vector))
    if not (np.isfinite(length) and length > 0):
        return Unmeasured("the encoder found no voice")
    return np.asarray(vector / length, dtype=np.float32)
