"""F0 by SwiftF0, its packaged network run as torch on either device.

Long clips are heard in windows that overlap by the network's reach, so that results do not depend on where they were
cut. Frames whose sound peaks below -60 dBFS are unvoiced: the network never saw digital silence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dubgate.features import BackendInfo, Floats, Pitch, Series
from dubgate.speech.protocols import SAMPLE_RATE_HZ

HOP = 256
HOP_S = HOP / SAMPLE_RATE_HZ
VOICED_CONFIDENCE = 0.5  # SwiftF0 0.3 calibrates its confidence so that 0.5 divides voiced from unvoiced
MIN_HZ, MAX_HZ = 65.0, 400.0  # speech, as SwiftF0's author advises
_SILENCE_PEAK = 1e-3
# The network reaches 2,815 samples each way (half of its 2,048 window and seven frames): eleven frames before, and
# ten after, of which a frame's own 256 samples are one.
_FRAMES_BEFORE, _FRAMES_AFTER = 11, 10
_CPU_WINDOW_FRAMES, _GPU_WINDOW_FRAMES = 512, 1875  # 8 s, whose activations a core's cache holds, and 30 s

Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of one clip: `sound` with its margins, of whose frames `keep` belong to the result."""

    clip: int
    sound: Floats
    keep: slice


class SwiftF0:
    """F0 in Hz every 16 ms, NaN where unvoiced; frame k is centred at `k * 16` ms.

    Args:
        weights: `model.onnx` of the swift-f0 package.
        sha256: the file's digest as checked by who resolved it.
        min_hz, max_hz: the band searched, within 46.875 to 2093.75 Hz.
        voiced_confidence: frames below it are unvoiced.

    Raises:
        ModelError: the file does not hold this network.
    """

    def __init__(
        self,
        weights: Path,
        sha256: str,
        *,
        name: str = "swift-f0",
        device: str = "cpu",
        version: str = "",
        min_hz: float = MIN_HZ,
        max_hz: float = MAX_HZ,
        voiced_confidence: float = VOICED_CONFIDENCE,
    ) -> None:
        from dubgate.speech.swiftf0_network import Network

        if not 0 < min_hz < max_hz:
            raise ValueError(f"not a band of pitch: {min_hz} to {max_hz} Hz")
        self.info = BackendInfo("pitch", name, sha256, embedded=False, device=device, version=version)
        self._voiced = voiced_confidence
        self._network = Network(weights, min_hz, max_hz, device=device)
        self._window_frames = _CPU_WINDOW_FRAMES if device == "cpu" else _GPU_WINDOW_FRAMES

    def pitch(self, clips: Sequence[Floats]) -> list[Pitch]:
        """F0 and confidence of each clip; `max(1, n_samples // 256)` frames, none for an empty clip."""
        windows = [window for k, clip in enumerate(clips) for window in _windows(k, clip, self._window_frames)]
        heard: list[list[tuple[Floats, Floats]]] = [[] for _ in clips]
        for window, (hz, confidence) in zip(windows, self._network([w.sound for w in windows]), strict=True):
            heard[window.clip].append((hz[window.keep], confidence[window.keep]))
        return [self._joined(clip, parts) for clip, parts in zip(clips, heard, strict=True)]

    def _joined(self, clip: Floats, parts: Sequence[tuple[Floats, Floats]]) -> Pitch:
        hz, confidence = (np.concatenate([p[k] for p in parts] or [np.zeros(0, np.float32)]) for k in (0, 1))
        confidence = np.where(_silent(clip, confidence.size), np.float32(0), confidence)
        f0 = np.where(confidence >= self._voiced, hz, np.float32(np.nan))
        return Pitch(Series(HOP_S, f0.astype(np.float32)), Series(HOP_S, confidence.astype(np.float32)))


def n_frames(n_samples: int) -> int:
    """Frames of a clip: one a hop, one for a clip shorter than a hop, none for an empty one."""
    return max(1, n_samples // HOP) if n_samples else 0


def _windows(clip_index: int, clip: Floats, length: int) -> list[Window]:
    n = n_frames(clip.size)
    found = []
    for start in range(0, n, length):
        end, left = min(start + length, n), max(0, start - _FRAMES_BEFORE)
        sound = clip[left * HOP : (end + _FRAMES_AFTER) * HOP if end < n else clip.size]
        found.append(Window(clip_index, sound, slice(start - left, end - left)))
    return found


def _silent(clip: Floats, n: int) -> NDArray[np.bool_]:
    """Frames whose own hop peaks below -60 dBFS [shape=(n,)]."""
    hops = clip[: n * HOP].reshape(n, HOP) if clip.size >= HOP else clip[None, :]
    return np.asarray(np.abs(hops).max(axis=1) < _SILENCE_PEAK) if n else np.zeros(0, dtype=np.bool_)
