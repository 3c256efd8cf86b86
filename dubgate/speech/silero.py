"""Voice activity by silero-vad's 16 kHz network, in plain torch over its packaged ONNX weights.

The network hears 512 samples with the 64 before them; an LSTM carries what it heard. Run step by step it manages
135 times real time on one thread; with everything but the LSTM computed for many steps at once, 2,000 times. The LSTM
itself takes a signal from its start to its end: cut into chunks with 32 s of run-up each, it still gave up to 85 of
11,923 steps the other answer (noisy LibriSpeech), so its memory is longer than any run-up worth the time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dubgate.errors import ModelError
from dubgate.features import BackendInfo, Floats, Series
from dubgate.speech.batching import in_batches
from dubgate.speech.onnx_weights import Tensors, read_initializers
from dubgate.speech.protocols import SAMPLE_RATE_HZ

if TYPE_CHECKING:
    import torch

STEP = 512
CONTEXT = 64
HOP_S = STEP / SAMPLE_RATE_HZ
_HIDDEN = 128
_STFT, _STFT_HOP, _BINS = 256, 128, 129
_CPU_BLOCK_STEPS = 512  # 16 s: what fits the processor's cache beats longer blocks
_GPU_BLOCK_STEPS = 18_750  # 10 min: one call of the LSTM and one transfer each, 150 MB of activations
_BATCH_BUDGET_S = 3_600.0

State = tuple["torch.Tensor", "torch.Tensor"]


class SileroVad:
    """Speech probability every 32 ms.

    Args:
        weights: `silero_vad_16k_sequence.onnx` of the silero-vad package (its safetensors file holds older weights).
        sha256: the file's digest as checked by who resolved it.
        device: "cpu" or "cuda".

    Raises:
        ModelError: the file does not hold this network.
    """

    def __init__(
        self, weights: Path, sha256: str, *, name: str = "silero-vad", device: str = "cpu", version: str = ""
    ) -> None:
        import torch

        self._device = torch.device(device)
        self._weights = {k: v.to(self._device) for k, v in _torch_weights(read_initializers(weights), weights).items()}
        self._lstm = _lstm(self._weights).to(self._device)
        self._block_steps = _GPU_BLOCK_STEPS if self._device.type == "cuda" else _CPU_BLOCK_STEPS
        self.info = BackendInfo("voice_activity", name, sha256, embedded=False, device=device, version=version)

    def speech_prob(self, clips: Sequence[Floats]) -> list[Series]:
        """Probability of speech every 32 ms (512 samples), the last block padded with zeros."""
        return in_batches(clips, self._batch, length_s=lambda c: c.size / SAMPLE_RATE_HZ, budget_s=_BATCH_BUDGET_S)

    def speech_prob_blocks(self, blocks: Iterable[Floats]) -> Series:
        """The same for one long signal that arrives block by block, in memory that does not grow with its sound."""
        import torch

        state: State | None = None
        tail = np.zeros(CONTEXT, dtype=np.float32)
        found: list[Floats] = []
        for block in blocks:
            heard = np.concatenate([tail, block])
            n = (heard.size - CONTEXT) // STEP
            tail = heard[n * STEP :].copy()
            if n:
                probs, state = self._run(torch.from_numpy(heard[: CONTEXT + n * STEP])[None], state)
                found.append(probs[0])
        if tail.size > CONTEXT:
            rest = np.pad(tail, (0, CONTEXT + STEP - tail.size))
            found.append(self._run(torch.from_numpy(rest)[None], state)[0][0])
        return Series(HOP_S, np.concatenate(found) if found else np.zeros(0, dtype=np.float32))

    def _batch(self, clips: Sequence[Floats]) -> list[Series]:
        import torch

        steps = [-(-clip.size // STEP) for clip in clips]
        joined = np.zeros((len(clips), CONTEXT + max(steps) * STEP), dtype=np.float32)
        for row, clip in zip(joined, clips, strict=True):
            row[CONTEXT : CONTEXT + clip.size] = clip
        probs, _ = self._run(torch.from_numpy(joined), None)
        return [Series(HOP_S, row[:n].copy()) for row, n in zip(probs, steps, strict=True)]

    def _run(self, samples: torch.Tensor, state: State | None) -> tuple[Floats, State | None]:
        """Probabilities [shape=(n_clips, n_steps)] of samples [shape=(n_clips, 64 + n_steps * 512)]."""
        import torch

        from dubgate.speech.device import exactly, one_thread

        n_steps = (samples.shape[1] - CONTEXT) // STEP
        found = [torch.zeros(samples.shape[0], 0)]
        with exactly(self._device), one_thread():
            for first in range(0, n_steps, self._block_steps):
                last = min(n_steps, first + self._block_steps)
                piece = samples[:, first * STEP : CONTEXT + last * STEP].to(self._device)
                probs, state = self._block(piece.unfold(1, CONTEXT + STEP, STEP), state)
                found.append(probs.cpu())
        return torch.cat(found, dim=1).numpy(), state

    def _block(self, frames: torch.Tensor, state: State | None) -> tuple[torch.Tensor, State]:
        """Frames [shape=(n_clips, n_steps, 576)] to probabilities [shape=(n_clips, n_steps)]."""
        import torch
        from torch.nn import functional as f

        w = self._weights
        n_clips, n_steps, _ = frames.shape
        y = f.pad(frames.reshape(n_clips * n_steps, 1, -1), (0, _STFT // 4), mode="reflect")
        y = f.conv1d(y, w["stft"], stride=_STFT_HOP)
        y = (y[:, :_BINS].square() + y[:, _BINS:].square()).sqrt()
        for k, stride in enumerate((1, 2, 2, 1)):
            y = f.conv1d(y, w[f"conv{k}.weight"], w[f"conv{k}.bias"], stride=stride, padding=1).relu()
        hidden, state = self._lstm(y.reshape(n_clips, n_steps, _HIDDEN), state)
        logits = hidden.relu() @ w["out.weight"] + w["out.bias"]
        assert state is not None
        return torch.sigmoid(logits), state


def _torch_weights(onnx: Tensors, path: Path) -> dict[str, torch.Tensor]:
    """The file's tensors under our names; ONNX orders an LSTM's gates i, o, f, c and torch i, f, c, o."""
    import torch

    try:
        # The exporter numbers the LSTM's tensors in order: input weights, recurrent weights, both biases in one.
        weight_ih, weight_hh, bias = (onnx[k][0] for k in sorted(k for k in onnx if k.startswith("onnx::LSTM")))
        named = {
            "stft": onnx["stft.forward_basis_buffer"],
            "lstm.weight_ih": _gates(weight_ih.reshape(4 * _HIDDEN, _HIDDEN)),
            "lstm.weight_hh": _gates(weight_hh.reshape(4 * _HIDDEN, _HIDDEN)),
            "lstm.bias_ih": _gates(bias[: 4 * _HIDDEN]),
            "lstm.bias_hh": _gates(bias[4 * _HIDDEN :]),
            "out.weight": onnx["output.weight"].reshape(_HIDDEN),
            "out.bias": onnx["output.bias"],
        }
        for k in range(4):
            named[f"conv{k}.weight"], named[f"conv{k}.bias"] = onnx[f"encoder.{k}.weight"], onnx[f"encoder.{k}.bias"]
    except (KeyError, ValueError) as error:
        raise ModelError("this is not silero-vad's 16 kHz network", where=path.name) from error
    return {name: torch.from_numpy(np.array(value, dtype=np.float32)) for name, value in named.items()}


def _gates(rows: Floats) -> Floats:
    i, o, f, c = np.split(rows, 4)
    return np.concatenate([i, f, c, o])


def _lstm(weights: dict[str, torch.Tensor]) -> torch.nn.LSTM:
    import torch

    lstm = torch.nn.LSTM(_HIDDEN, _HIDDEN, batch_first=True)
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    lstm.load_state_dict({f"{name}_l0": weights[f"lstm.{name}"] for name in names})
    return lstm.eval()
