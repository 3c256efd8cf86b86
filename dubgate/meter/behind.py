"""A voice behind another voice: what a sound holds where, at that moment and pitch, the judged sound is far weaker.

Two voices seldom fill one place of a spectrogram at once, so a voice that the judged sound lacks stands alone in many. What is panned,
filtered, reverberant, or late in one channel is in the judged sound too: there, its share of each place is what it always is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dubgate.features import Floats

WINDOW, HOP = 1024, 512  # 64 ms at 16 kHz: long enough to part harmonics of two voices
SMOOTHED = 5  # windows, 0.2 s: what beats between two sounds averages out
STANDS_OUT = 10**0.6  # 6 dB over the judged sound, or over what it always is at this pitch
AT_MOST = 3.0  # 5 dB: so much stronger than the judged sound may it always be at a pitch, in rooms and wide mixes
VOICED = slice(6, 256)  # pitches, 100 to 4000 Hz
NEAR = 9  # windows, 0.3 s
BEHIND_DB = -12.0  # beside the louder of both: far off in a room, chance leaves less
LAGS = range(1, 19)  # windows, 0.6 s: so long a room's sound follows what was judged
LEAST = 10**-2.3  # beside the louder of both, over all pitches: less is not listened to, even where nobody else speaks
SHORTEST_LAG, LONGEST_LAG = 1, 400  # samples: 25 ms between microphones
DELAYED = 0.3  # of what stands out agrees with one delay: a voice in antiphase reached 0.24, two delayed talkers 0.4
TURNED = 0.3  # of what the sound holds there: delays reached 0.5, bands in antiphase 0.1
N_DELAYS = 6
_FINER = 8  # lags per sample
_FLOOR = 1e-9

Spectrum = NDArray[np.complex64]
Mask = NDArray[np.bool_]


def behind(judged: Floats, sound: Floats) -> Floats | None:
    """What the sound holds by itself [both shape=(n,), 16 kHz]; None where that is too little to be heard.

    The sound's scale is such that what is in the judged one too is no louder in it.
    """
    ours, theirs = _spectrum(judged), _spectrum(sound)
    own, other = np.square(np.abs(ours)), np.square(np.abs(theirs))
    level, power = _smoothed(own), _smoothed(other)
    # Asked so that what is no number stands out.
    alone = ~(power <= STANDS_OUT * (level + _FLOOR))
    if not _enough(own, other, alone):
        return None
    phases = Phases.of(ours + theirs, ours - theirs, np.abs(theirs))
    alone &= ~(power <= STANDS_OUT * np.maximum(_usual(power, level, phases) * level, _echo(power, level)))
    alone = without_delays(alone, phases)
    return _sound(theirs * alone, len(sound)) if _enough(own, other, alone) else None


def _usual(power: Floats, level: Floats, phases: Phases) -> Floats:
    """How much stronger than the judged sound it always is at each pitch: in a room, where phases turn, or wide at all pitches.

    Where a part of the pitches is cancelled and no phase turns there, that is nobody's room.
    """
    always = np.sum(power * level, axis=0) / np.maximum(np.sum(np.square(level), axis=0), _FLOOR)
    wide = np.percentile(always[VOICED], 20)
    return np.asarray(np.clip(np.where(_near(phases.turned) >= TURNED, always, wide), 1.0, AT_MOST), dtype=np.float32)


def _echo(power: Floats, level: Floats) -> Floats:
    """What a room makes of the judged sound at each moment [shape=(n_windows, n_pitches)]: it follows it at all pitches, and dies away.

    How strongly it follows is told by how the two vary together; another voice does not follow, however loud it is.
    """
    out = np.zeros_like(level)
    with np.errstate(invalid="ignore", over="ignore"):
        for lag in LAGS:
            if lag < len(level):
                np.fmax(out[lag:], _following(power[lag:, VOICED], level[:-lag, VOICED]) * level[:-lag], out=out[lag:])
    return out


def _following(power: Floats, before: Floats) -> float:
    """By how much of what was before a sound varies at the middle one of all pitches, 0 to 1."""
    ours = before - before.mean(axis=0)
    by_pitch = np.sum((power - power.mean(axis=0)) * ours, axis=0) / np.maximum(np.sum(np.square(ours), axis=0), _FLOOR)
    return float(np.nan_to_num(np.clip(np.median(by_pitch), 0.0, 1.0)))


@dataclass(frozen=True, slots=True, eq=False)
class Phases:
    """How two sides lie to each other in each place, by how much the sound holds there [shapes=(n_windows, n_pitches)]."""

    cross: Spectrum
    weights: Floats

    @classmethod
    def of(cls, left: Spectrum, right: Spectrum, weights: Floats) -> Phases:
        """Of length `weights`, so that what is no number stays none."""
        with np.errstate(invalid="ignore"):
            return cls(weights * left * np.conj(right) / (np.abs(left * right) + _FLOOR), weights)

    @property
    def turned(self) -> Floats:
        """How far the phase of each pitch is neither 0 nor reversed, 0 to 1 [shape=(n_pitches,)]."""
        with np.errstate(invalid="ignore"):
            aside = np.sum(np.square(self.cross.imag) / (self.weights + _FLOOR), axis=0)
        return np.asarray(aside / (np.sum(self.weights, axis=0) + _FLOOR), dtype=np.float32)


def without_delays(alone: Mask, phases: Phases) -> Mask:
    """The places but for those in which a sound that reaches one side later would cancel.

    A delay leaves the same comb of pitches all along, and turns the phase of those between. A voice in antiphase leaves all pitches;
    bands that were put in antiphase turn nothing between.
    """
    alone, weights = alone.copy(), phases.weights
    turn = 2 * np.pi * np.arange(alone.shape[1]) / WINDOW / _FINER  # of each pitch, a lag
    lags = np.arange(-LONGEST_LAG * _FINER, LONGEST_LAG * _FINER + 1)
    allowed, whole = np.abs(lags) >= SHORTEST_LAG * _FINER, np.sum(weights, axis=0)
    for _ in range(N_DELAYS):
        total = max(float(np.sum(weights, where=alone)), _FLOOR)
        by_pitch = np.sum(phases.cross, axis=0, where=alone)
        agree = np.fft.irfft(by_pitch, WINDOW * _FINER)[lags] * (WINDOW * _FINER / 2) / total
        best = int(np.argmax(np.where(allowed, agree, -1.0)))
        between = whole * np.square(np.sin(turn * lags[best]))
        turned = float(np.sum(phases.turned * between)) / max(float(np.sum(between)), _FLOOR)
        if not (agree[best] >= DELAYED and turned >= TURNED):
            break
        alone &= ~(np.cos(turn * lags[best]) < -0.25)
    return alone


def _near(by_pitch: Floats) -> Floats:
    """Averaged with its neighbours, 140 Hz in all."""
    return np.asarray(np.convolve(by_pitch, np.ones(9) / 9, mode="same"), dtype=np.float32)


def _enough(own: Floats, other: Floats, alone: Mask) -> bool:
    """Whether it is, for a third of a second, loud enough beside both sounds."""
    ours, theirs, left = (_smoothed(p.sum(axis=1, keepdims=True), NEAR) for p in (own, other, other * alone))
    return not bool((left <= np.maximum(ours, theirs) * LEAST + _FLOOR).all())


def _smoothed(power: Floats, n: int = SMOOTHED) -> Floats:
    from scipy.ndimage import uniform_filter1d

    return np.asarray(uniform_filter1d(power, n, axis=0, mode="nearest"), dtype=np.float32)


def _window() -> Floats:
    """Its square adds up to one over half-overlapping windows."""
    return np.sin(np.pi * (np.arange(WINDOW, dtype=np.float32) + 0.5) / WINDOW).astype(np.float32)


def _spectrum(sound: Floats) -> Spectrum:
    """[shape=(n_windows, n_pitches)]; the first window is half before the sound."""
    from scipy.fft import rfft

    padded = np.pad(np.asarray(sound, dtype=np.float32), (HOP, WINDOW + (-len(sound)) % HOP))
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]
    return np.asarray(rfft(frames * _window(), axis=1), dtype=np.complex64)


def _sound(spectrum: Any, n: int) -> Floats:
    from scipy.fft import irfft

    frames = irfft(spectrum, WINDOW, axis=1) * _window()
    halves = frames.reshape(-1, 2, HOP)
    out = (halves[1:, 0] + halves[:-1, 1]).reshape(-1)
    return np.asarray(out[:n], dtype=np.float32)
