"""SwiftF0's network in torch over its ONNX weights: many windows at once on a GPU, one after the other on a CPU.

Three log-mel spectrograms (windows of 64, 128 and 32 ms) go through residual convolutions over frequency and time;
one head scores 95 pitch steps, another the voicing. Read off the packaged graph, whose Fourier transforms are matrix
products: through onnxruntime they, and putting tensors into other orders, cost more than the convolutions.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dubgate.errors import ModelError
from dubgate.features import Floats
from dubgate.speech.batching import in_batches
from dubgate.speech.onnx_weights import Tensors, read_initializers
from dubgate.speech.protocols import SAMPLE_RATE_HZ

if TYPE_CHECKING:
    import torch

_HOP = 256
_MELS = 128
_STEPS = 95
_LOG_FLOOR = 1e-8
_GPU_BUDGET_S = 480.0  # about 1.5 GB of activations; two tracks are heard at once
_CPU_BUDGET_S = 9.0  # about one window, whose activations stay in the cache
# Names of the graph's initializers: window length, analysis window, mel filterbank as flat indices and values.
_SPECTRA = ((1024, "v41", "v123", "v124"), (2048, "v161", "v241", "v242"), (512, "v262", "v342", "v343"))
# (weight, bias, dilation over frequency): the first convolution, then two a residual block.
_CONVOLUTIONS = (
    ("v353", "v354", 1),
    *(("v357", "v358", 1), ("v361", "v362", 1)),
    *(("v366", "v367", 17), ("v370", "v371", 17)),
    *(("v375", "v376", 27), ("v379", "v380", 27)),
    *(("v384", "v385", 40), ("v388", "v389", 40)),
    *(("v393", "v394", 48), ("v397", "v398", 48)),
    *(("v402", "v403", 2), ("v406", "v407", 2)),
)
_LAST_REACH = 6  # bands that a convolution of the last block sees to either side
_NARROW, _VOICING, _PITCH = ("v413", "v414"), ("v417", "v418"), ("v425", "v426")
_VOICING_HEAD = (("v430", "v431"), ("v434", "v435"))
_STEP_HZ, _STEP_LOG_HZ = "v438", "v455"


class Network:
    """Windows of any lengths, padded together; what lies past a window's end is silenced after every layer.

    Raises:
        ModelError: the file does not hold this network.
    """

    def __init__(self, weights: Path, min_hz: float, max_hz: float, *, device: str = "cpu") -> None:
        import torch

        onnx = read_initializers(weights)
        self._device = torch.device(device)
        cuda = self._device.type == "cuda"
        self._budget_s = _GPU_BUDGET_S if cuda else _CPU_BUDGET_S
        # With the channels last, a CPU's convolutions need no other order of what goes in and comes out.
        self._order = torch.contiguous_format if cuda else torch.channels_last
        try:
            self._w = {name: self._placed(torch.from_numpy(np.array(onnx[name]))) for name in _named()}
            self._mels = [_filterbank(onnx, n, at, of).to(self._device) for n, _, at, of in _SPECTRA]
        except (KeyError, ValueError, IndexError) as error:
            raise ModelError("this is not SwiftF0's network", where=weights.name) from error
        hz = self._w[_STEP_HZ]
        self._allowed: torch.Tensor = (hz >= min_hz).logical_and(hz <= max_hz)

    def __call__(self, windows: Sequence[Floats]) -> list[tuple[Floats, Floats]]:
        """F0 in Hz and confidence [shape=(n_frames,)] of every frame of each window, in the same order."""
        return in_batches(windows, self._batch, length_s=lambda w: w.size / SAMPLE_RATE_HZ, budget_s=self._budget_s)

    def _placed(self, weight: torch.Tensor) -> torch.Tensor:
        placed = weight.to(self._device)
        return placed.contiguous(memory_format=self._order) if placed.dim() == 4 else placed

    def _batch(self, windows: Sequence[Floats]) -> list[tuple[Floats, Floats]]:
        import torch

        from dubgate.speech.device import exactly

        frames = [max(1, w.size // _HOP) for w in windows]
        joined = np.zeros((len(windows), max(_HOP, *(w.size for w in windows))), dtype=np.float32)
        for row, window in zip(joined, windows, strict=True):
            row[: window.size] = window
        with exactly(self._device):
            hz, confidence = self._forward(torch.from_numpy(joined).to(self._device), self._live(frames))
            answers = zip(hz.float().cpu().numpy(), confidence.cpu().numpy(), frames, strict=True)
            return [(h[:n].copy(), c[:n].copy()) for h, c, n in answers]

    def _live(self, frames: Sequence[int]) -> torch.Tensor:
        """1 where a frame is a window's own, 0 in what pads it [shape=(n_windows, 1, 1, n frames)]."""
        import torch

        own = torch.arange(max(frames)).expand(len(frames), -1) < torch.tensor(frames)[:, None]
        return own[:, None, None, :].float().to(self._device)

    def _forward(self, sound: torch.Tensor, live: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Hz and confidence of each frame from sound [shape=(n, n_samples)] and which frames are real."""
        spectra = self._spectra(sound, live.shape[-1]) * live
        narrow = self._trunk(spectra, None if len(sound) == 1 else live)
        scores = self._conv(narrow, *_PITCH)[:, 0].transpose(1, 2)
        voicing = self._voicing(narrow, spectra, live)
        return self._hz(scores), voicing.sigmoid() * self._allowed[scores.argmax(-1)]

    def _spectra(self, sound: torch.Tensor, n: int) -> torch.Tensor:
        """Log-mel spectrograms [shape=(n_windows, 3, 128 bands, n frames)]."""
        import torch
        from torch.nn import functional as f

        found = []
        for (size, window, _, _), mels in zip(_SPECTRA, self._mels, strict=True):
            padded = f.pad(sound, (size // 2, size // 2))
            frames = padded.unfold(1, size, _HOP)[:, :n] * self._w[window]
            parts = torch.view_as_real(torch.fft.rfft(frames))
            magnitude = torch.hypot(parts[..., 0], parts[..., 1])
            found.append((magnitude @ mels).add_(_LOG_FLOOR).log_())
        return torch.stack(found, dim=1).transpose(2, 3)

    def _trunk(self, spectra: torch.Tensor, live: torch.Tensor | None) -> torch.Tensor:
        from torch.nn import functional as f

        def ended(y: torch.Tensor) -> torch.Tensor:
            return y.relu_() if live is None else y.relu_().mul_(live)

        y = ended(self._conv(spectra.contiguous(memory_format=self._order), *_CONVOLUTIONS[0]))
        *blocks, last = zip(_CONVOLUTIONS[1::2], _CONVOLUTIONS[2::2], strict=True)
        for first, second in blocks:
            y = ended(self._conv(ended(self._conv(y, *first)), *second).add_(y))
        # The heads see the lower bands only, so of the last block no more is computed than reaches them.
        used = _STEPS + 1
        inner = ended(self._conv(y[:, :, : used + 2 * _LAST_REACH], *last[0]))[:, :, : used + _LAST_REACH]
        y = ended(self._conv(inner, *last[1])[:, :, :used] + y[:, :, :used])
        cut = f.pad(y, (1, 1, 1, 0))
        return f.conv2d(cut, self._w[_NARROW[0]], self._w[_NARROW[1]]).relu_()

    def _voicing(self, narrow: torch.Tensor, spectra: torch.Tensor, live: torch.Tensor) -> torch.Tensor:
        import torch
        from torch.nn import functional as f

        peaks = self._conv(narrow, *_VOICING).amax(2)
        both = torch.cat([peaks, spectra.mean((1, 2))[:, None]], dim=1) * live[:, 0]
        (inner_w, inner_b), (out_w, out_b) = _VOICING_HEAD
        inner = f.conv1d(both, self._w[inner_w], self._w[inner_b], padding=1).relu()
        return f.conv1d(inner, self._w[out_w], self._w[out_b])[:, 0]

    def _hz(self, scores: torch.Tensor) -> torch.Tensor:
        """F0 from the best step allowed and its two neighbours, weighted by their scores, in double precision."""
        import torch
        from torch.nn import functional as f

        allowed = torch.where(self._allowed, scores, -torch.inf)
        best = allowed.argmax(-1, keepdim=True) + torch.arange(-1, 2, device=scores.device)
        near = f.pad(allowed, (1, 1), value=-torch.inf).gather(-1, best + 1).double().softmax(-1)
        return (near * self._w[_STEP_LOG_HZ][best.clamp(0, _STEPS - 1)]).sum(-1).exp()

    def _conv(self, y: torch.Tensor, weight: str, bias: str, dilation: int = 1) -> torch.Tensor:
        """A convolution over frequency (dilated) and time that keeps both sizes."""
        from torch.nn import functional as f

        w = self._w[weight]
        padding = ((w.shape[2] - 1) // 2 * dilation, (w.shape[3] - 1) // 2)
        return f.conv2d(y, w, self._w[bias], padding=padding, dilation=(dilation, 1))


def _named() -> list[str]:
    pairs = [*((w, b) for w, b, _ in _CONVOLUTIONS), _NARROW, _VOICING, _PITCH, *_VOICING_HEAD]
    return [name for pair in pairs for name in pair] + [w for _, w, _, _ in _SPECTRA] + [_STEP_HZ, _STEP_LOG_HZ]


def _filterbank(onnx: Tensors, size: int, indices: str, values: str) -> torch.Tensor:
    """Mel filters [shape=(size // 2 + 1, 128)], stored as the places and values that are not zero."""
    import torch

    flat = np.zeros((size // 2 + 1) * _MELS, dtype=np.float32)
    flat[onnx[indices]] = onnx[values]
    return torch.from_numpy(flat.reshape(-1, _MELS))
