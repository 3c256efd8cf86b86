"""What PocketSphinx's acoustic model hears of sound: cepstra of 25 mel bands every 10 ms with noise taken out, and their changes.

The front end of the package in numpy, many clips at once: settings as its model's feat.params, arithmetic in double precision.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from dubgate.features import Floats
from dubgate.speech.protocols import SAMPLE_RATE_HZ

Doubles = NDArray[np.float64]

SHIFT, WINDOW, FFT = 160, 410, 512  # samples: every 10 ms, of 25.6 ms
N_CEPSTRA = 13
_FILTERS, _LOWEST_HZ, _HIGHEST_HZ = 25, 130.0, 6800.0
_EMPHASIS, _LIFTER, _LOG_FLOOR = 0.97, 22, 1e-4
_REACH = 3  # frames on both sides that the changes of changes look at
# Noise: smoothed power, a floor under it that falls fast and rises slowly, masking after peaks; the gain within 20 times.
_POWER, _RISE, _FALL, _FADE, _MASKED, _MOST_GAIN, _BESIDE = 0.7, 0.995, 0.5, 0.85, 0.2, 20.0, 4


def n_frames(n_samples: int) -> int:
    """How many frames a clip has; what is left at its end fills one more, padded with silence."""
    if n_samples < WINDOW:
        return 1 if n_samples else 0
    return 2 + (n_samples - WINDOW) // SHIFT


def features(clips: Sequence[Floats]) -> list[Floats | None]:
    """Cepstra, their changes and the changes of these [shape=(n_frames, 39)] of each clip of 16 kHz; None where nothing sounds."""
    bands = [_bands(clip) for clip in clips]
    longest = max((len(b) for b in bands), default=0)
    padded = np.zeros((len(clips), longest, _FILTERS))
    for row, band in zip(padded, bands, strict=True):
        row[: len(band)] = band
    quiet = _without_noise(padded)
    cepstra = [_cepstra(row[: len(band)]) for row, band in zip(quiet, bands, strict=True)]
    return [None if each is None else _with_changes(each) for each in cepstra]


def _bands(clip: Floats) -> Doubles:
    """Power in each mel band [shape=(n_frames, 25)] of a clip, taken as 16-bit samples."""
    samples = np.trunc(np.clip(np.nan_to_num(clip), -1.0, 1.0) * 32767.0)
    sharpened = samples - _EMPHASIS * np.concatenate([[0.0], samples[:-1]])
    n = n_frames(len(samples))
    padded = np.zeros(max(0, (n - 1) * SHIFT) + WINDOW)
    padded[: min(len(padded), len(sharpened))] = sharpened[: len(padded)]
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::SHIFT][:n]
    spectrum = np.fft.rfft(frames * np.hamming(WINDOW), FFT, axis=1)
    return np.asarray((np.square(spectrum.real) + np.square(spectrum.imag)) @ _mel_filters().T)


@cache
def _mel_filters() -> Doubles:
    """Triangles of unit area [shape=(25, 257)], their corners on bins of the transform."""
    bin_hz = SAMPLE_RATE_HZ / FFT
    low, high = (2595.0 * np.log10(1.0 + hz / 700.0) for hz in (_LOWEST_HZ, _HIGHEST_HZ))
    corners = 700.0 * (10.0 ** (np.linspace(low, high, _FILTERS + 2) / 2595.0) - 1.0)
    corners = np.floor(corners / bin_hz + 0.5) * bin_hz
    hz = np.arange(FFT // 2 + 1) * bin_hz
    left, middle, right = (corners[k : k + _FILTERS, None] for k in range(3))
    rising, falling = (hz - left) / (middle - left), (right - hz) / (right - middle)
    return np.asarray(np.clip(np.minimum(rising, falling), 0.0, None) * 2 / (right - left))


def _without_noise(bands: Doubles) -> Doubles:
    """Bands [shape=(n_clips, n_frames, 25)] scaled down where they do not stand out of what lies under them."""
    n = bands.shape[1]
    if n == 0:
        return bands
    power = bands[:, 0].copy()
    noise, floor = power / _MOST_GAIN, power / _MOST_GAIN
    peak = np.zeros_like(power)
    gain = np.empty_like(bands)
    with np.errstate(divide="ignore", invalid="ignore"):
        for t in range(n):
            power = _POWER * power + (1 - _POWER) * bands[:, t]
            noise = _under(power, noise)
            signal = np.maximum(power - noise, 1.0)
            floor = _under(signal, floor)
            heard, peak = signal, peak * _FADE
            signal = np.where(signal < _FADE * peak, peak * _MASKED, signal)
            peak = np.maximum(peak, heard)
            signal = np.maximum(signal, floor)
            gain[:, t] = np.where(signal < _MOST_GAIN * power, signal / power, _MOST_GAIN)
    np.maximum(gain, 1 / _MOST_GAIN, out=gain)
    return bands * _smoothed(gain)


def _under(value: Doubles, floor: Doubles) -> Doubles:
    share = np.where(value >= floor, _RISE, _FALL)
    return np.asarray(share * floor + (1 - share) * value)


def _smoothed(gain: Doubles) -> Doubles:
    """Each band's mean with the four on either side."""
    sums = np.concatenate([np.zeros((*gain.shape[:-1], 1)), np.cumsum(gain, axis=-1)], axis=-1)
    at = np.arange(_FILTERS)
    first, last = np.maximum(at - _BESIDE, 0), np.minimum(at + _BESIDE, _FILTERS - 1) + 1
    return np.asarray((sums[..., last] - sums[..., first]) / (last - first))


def _cepstra(bands: Doubles) -> Doubles | None:
    """Cosine transform of the logarithms [shape=(n_frames, 13)], liftered, the mean of frames that sound taken off; None
    where none does (the package divides by nothing there)."""
    basis = np.cos(np.pi / _FILTERS * np.arange(N_CEPSTRA)[:, None] * (np.arange(_FILTERS) + 0.5))
    basis *= np.sqrt(np.where(np.arange(N_CEPSTRA) == 0, 1.0, 2.0) / _FILTERS)[:, None]
    lifter = 1 + _LIFTER / 2 * np.sin(np.arange(N_CEPSTRA) * np.pi / _LIFTER)
    cepstra = np.log(bands + _LOG_FLOOR) @ (basis * lifter[:, None]).T
    loud = cepstra[:, 0] >= 0
    return np.asarray(cepstra - cepstra[loud].mean(axis=0)) if loud.any() else None


def _with_changes(cepstra: Doubles) -> Floats:
    n = len(cepstra)
    padded = np.pad(cepstra, ((_REACH, _REACH), (0, 0)), mode="edge")

    def at(k: int) -> Doubles:
        return padded[_REACH + k : _REACH + k + n]

    parts = (cepstra, at(2) - at(-2), (at(3) - at(-1)) - (at(1) - at(-3)))
    return np.concatenate(parts, axis=1).astype(np.float32)
