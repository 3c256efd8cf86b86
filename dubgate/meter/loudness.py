"""K-weighting (ITU-R BS.1770-4) for any sample rate, and the powers that loudness is made of.

The standard gives its two filters for 48 kHz only. The analogue filters behind those numbers give them back at 48 kHz;
at other rates the usual transform bends the shelf and scales the high-pass (0.1 LU too loud on speech at 16 kHz), so
there the response at 48 kHz is fitted.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from dubgate.features import Floats

Doubles = NDArray[np.float64]

STANDARD_RATE_HZ = 48_000
LOWEST_RATE_HZ = 8_000  # below, the shelf at 1.7 kHz comes too near to half the rate
HOPS_PER_S = 10
BLOCK_HOPS = 4  # 400 ms, BS.1770-4
SHORT_TERM_HOPS = 30  # 3 s, EBU Tech 3341

_SHELF_HZ, _SHELF_DB, _SHELF_Q, _SHELF_SLOPE = (
    1681.974450955533,
    3.999843853973347,
    0.7071752369554196,
    0.4996667741545416,
)
_HIGHPASS_HZ, _HIGHPASS_Q = 38.13547087602444, 0.5003270373238773

_SURROUND_GAIN = 10 ** (1.5 / 10)  # BS.1770-4 table 4: azimuth 60 to 120 degrees
_BESIDE = frozenset({"SL", "SR"})
_BEHIND = frozenset({"BL", "BR"})
_SILENT = frozenset({"LFE", "LFE2"})


@cache
def k_weighting(rate_hz: int) -> tuple[tuple[float, ...], ...]:
    """The two filters as second-order sections (b0, b1, b2, 1, a1, a2): shelf, then high-pass."""
    shelf = _shelf(rate_hz)
    return (shelf if rate_hz == STANDARD_RATE_HZ else _fitted(shelf, rate_hz), _highpass(rate_hz))


def _shelf(rate_hz: int) -> tuple[float, ...]:
    k = math.tan(math.pi * _SHELF_HZ / rate_hz)
    high = 10 ** (_SHELF_DB / 20)
    band = high**_SHELF_SLOPE * k / _SHELF_Q
    a0 = 1 + k / _SHELF_Q + k * k
    numerator = ((high + band + k * k) / a0, 2 * (k * k - high) / a0, (high - band + k * k) / a0)
    return (*numerator, 1.0, 2 * (k * k - 1) / a0, (1 - k / _SHELF_Q + k * k) / a0)


def _highpass(rate_hz: int) -> tuple[float, ...]:
    """The standard prints its numerator without the division by a0; its gain at 48 kHz is kept at every rate."""
    (k, a0), (_, printed_a0) = (_highpass_gain(r) for r in (rate_hz, STANDARD_RATE_HZ))
    b = printed_a0 / a0
    return (b, -2 * b, b, 1.0, 2 * (k * k - 1) / a0, (1 - k / _HIGHPASS_Q + k * k) / a0)


def _highpass_gain(rate_hz: int) -> tuple[float, float]:
    k = math.tan(math.pi * _HIGHPASS_HZ / rate_hz)
    return k, 1 + k / _HIGHPASS_Q + k * k


def _fitted(start: tuple[float, ...], rate_hz: int) -> tuple[float, ...]:
    """The shelf at this rate whose gain in dB comes nearest to the standard's, from 20 Hz to almost half the rate."""
    from scipy.optimize import least_squares

    hz = np.geomspace(20.0, 0.48 * min(rate_hz, STANDARD_RATE_HZ), 200)
    wanted = _gain_db(np.array(_shelf(STANDARD_RATE_HZ)), hz, STANDARD_RATE_HZ)

    def error(free: Doubles) -> Doubles:
        return _gain_db(np.insert(free, 3, 1.0), hz, rate_hz) - wanted

    b0, b1, b2, a1, a2 = least_squares(error, np.delete(start, 3)).x.tolist()
    return (b0, b1, b2, 1.0, a1, a2)


def _gain_db(section: Doubles, hz: Doubles, rate_hz: int) -> Doubles:
    z = np.exp(-2j * np.pi * hz[:, None] / rate_hz) ** np.arange(3)
    return np.asarray(20 * np.log10(np.abs(z @ section[:3]) / np.abs(z @ section[3:])))


def channel_weights(channels: Sequence[str]) -> Doubles:
    """Weight [shape=(n_channels,)] of each channel's power: 1 in front, 1.41 beside, 0 for LFE (BS.1770-4).

    The back pair of 5.1 and quad stands for the surrounds; with a side pair beside it, it lies behind 120 degrees: 1.
    """
    names = set(channels)
    surround = _BESIDE if names & _BESIDE else _BEHIND
    return np.array([0.0 if c in _SILENT else _SURROUND_GAIN if c in surround else 1.0 for c in channels])


class LoudnessMeter:
    """Sums of K-weighted squares every 100 ms, over seconds of sound pushed one after the other."""

    def __init__(self, rate_hz: int, channels: Sequence[str]) -> None:
        self._weights = channel_weights(channels)
        self._heard = np.flatnonzero(self._weights)
        self._rate_hz = rate_hz
        self._sections = np.array(k_weighting(rate_hz)) if rate_hz >= LOWEST_RATE_HZ else None
        self._state = np.zeros((2, len(self._heard), 2))
        self._sums: list[Doubles] = []
        self._counts: list[NDArray[np.int64]] = []

    def push(self, second: Floats) -> None:
        """A whole second [shape=(n_channels, rate_hz)], or the shorter rest at the end."""
        if self._sections is None or not len(self._heard):
            return
        from scipy.signal import sosfilt

        edges = np.arange(HOPS_PER_S + 1) * self._rate_hz // HOPS_PER_S
        edges = edges[edges <= second.shape[1]]  # an unfinished hop at the end is left out, as the standard asks
        weighted, self._state = sosfilt(self._sections, second[self._heard].astype(np.float64), zi=self._state)
        if len(edges) < 2:
            return
        power = self._weights[self._heard] @ np.square(weighted)
        self._sums.append(np.add.reduceat(power[: edges[-1]], edges[:-1]))
        self._counts.append(np.diff(edges))

    def powers(self, n_hops: int) -> Doubles:
        """Mean square over windows of `n_hops`, one every hop [shape=(n,)]; empty for a shorter track."""
        sums = np.concatenate([np.zeros(0), *self._sums])
        counts = np.concatenate([np.zeros(0, np.int64), *self._counts])
        if len(sums) < n_hops:
            return np.zeros(0)
        ones = np.ones(n_hops)
        return np.asarray(np.convolve(sums, ones, "valid") / np.convolve(counts, ones, "valid"))
