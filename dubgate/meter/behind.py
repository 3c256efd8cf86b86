"""A voice behind another voice: what a sound holds where, at that moment and pitch, the judged sound is far weaker.

Two voices seldom fill one place of a spectrogram at once, so a voice that the judged sound lacks stands alone in many. What is panned,
filtered, reverberant, or late in one channel is in the judged sound too: there, its share of each place is what it always is.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dubgate.features import Floats

WINDOW, HOP = 1024, 512  # 64 ms at 16 kHz: long enough to part harmonics of two voices
SMOOTHED = 5  # windows, 0.2 s: what beats between two sounds averages out
STANDS_OUT = 10**0.6  # 6 dB over the judged sound, or over what it always is at this pitch
AT_MOST = 3.0  # 5 dB: so much stronger than the judged sound may it always be at a pitch, as in rooms and wide mixes
NEAR = 9  # windows, 0.3 s
BEHIND_DB = -10.0  # beside the louder of both: far off in a room, chance leaves less
LEAST = 10 ** ((BEHIND_DB - 3) / 10)  # over all pitches, before its own voice is listened to
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
    always = np.sum(power * level, axis=0) / np.maximum(np.sum(np.square(level), axis=0), _FLOOR)
    # Asked so that what is no number stands out.
    alone = ~(power <= STANDS_OUT * np.clip(always, 1.0, AT_MOST) * (level + _FLOOR))
    if not _enough(own, other, alone):
        return None
    alone = without_delays(alone, ours + theirs, ours - theirs, np.abs(theirs))
    return _sound(theirs * alone, len(sound)) if _enough(own, other, alone) else None


def without_delays(alone: Mask, left: Spectrum, right: Spectrum, weights: Floats) -> Mask:
    """The places but for those in which a sound that reaches one side later would cancel.

    A delay leaves the same comb of pitches all along, and turns the phase of those between. A voice in antiphase leaves all pitches;
    bands that were put in antiphase turn nothing between.
    """
    alone = alone.copy()
    turn = 2 * np.pi * np.arange(alone.shape[1]) / WINDOW / _FINER  # of each pitch, a lag
    lags = np.arange(-LONGEST_LAG * _FINER, LONGEST_LAG * _FINER + 1)
    with np.errstate(invalid="ignore"):
        cross = weights * left * np.conj(right) / (np.abs(left * right) + _FLOOR)
        aside = np.sum(np.square(cross.imag) / (weights + _FLOOR), axis=0)
    whole = np.sum(weights, axis=0)
    allowed = np.abs(lags) >= SHORTEST_LAG * _FINER
    for _ in range(N_DELAYS):
        total = max(float(np.sum(weights, where=alone)), _FLOOR)
        agree = np.fft.irfft(np.sum(cross, axis=0, where=alone), WINDOW * _FINER)[lags] * (WINDOW * _FINER / 2) / total
        best = lags[int(np.argmax(np.where(allowed, agree, -1.0)))]
        between = np.square(np.sin(turn * best))
        turned = np.sum(aside * between) / max(float(np.sum(whole * between)), _FLOOR)
        if not (agree[best + lags[-1]] >= DELAYED and turned >= TURNED):
            break
        alone &= ~(np.cos(turn * best) < -0.25)
    return alone


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
