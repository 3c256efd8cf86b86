"""Whether a coded rendition is the same performance as its master: aligned in time, window by window, within stated bounds.

A lossy codec keeps the waveform of speech and loses detail; another take, speed or voice does not keep it. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_BLOCK_S = 20.0
_COARSE_S, _STEP_S = 1.0, 0.01  # searched for the whole offset, by energies this far apart
_LOW_HZ, _HIGH_HZ = 80.0, 3000.0  # where lossy codecs keep the waveform
_EDGES_HZ = (100, 200, 300, 400, 510, 630, 770, 920, 1080, 1270, 1480, 1720, 2000, 2320, 2700, 3150, 3700, 4400, 5300)  # fmt: skip
_SMEAR_S = 0.02
_FLOOR = 1e-10  # power of a full-scale square: -100 dB


class Sound(Protocol):
    """Decoded sound as `AudioSpool` gives it: 16 kHz, mono."""

    rate_hz: int
    duration_s: float

    def read_padded(self, start_s: float, end_s: float) -> Floats:
        """Samples between two times, zeros outside."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What still is the approved performance; signed with each certificate of a package.

    Attributes:
        offset_s: how much earlier or later the whole may start.
        wander_s: how far a window may lie from that offset.
        length_s: how much longer or shorter the whole may be.
        correlation: the least of a window's waveforms with each other, 80 to 3000 Hz.
        envelope_db: how much a window's spectrum may differ in a critical band that is heard.
        gain_db, window_gain_db: how much the level of the whole may differ, and a window's from that.
        sounding_db: a window this far below the programme's loud ones is compared by level alone.
        quiet_dbfs: where the master is quieter than this and the rendition louder than `added_dbfs`, sound was added.
    """

    offset_s: float = 0.08
    wander_s: float = 0.01
    length_s: float = 0.15
    correlation: float = 0.85
    envelope_db: float = 8.0
    gain_db: float = 3.0
    window_gain_db: float = 2.0
    sounding_db: float = 40.0
    quiet_dbfs: float = -60.0
    added_dbfs: float = -50.0
    window_s: float = 0.5
    hop_s: float = 0.25


BOUNDS = Bounds()


@dataclass(frozen=True, slots=True)
class Fault:
    """Where and how a rendition is not the master."""

    start_s: float
    end_s: float
    what: str  # offset, length, gain, take, envelope, level, added, cancelled, spoken


@dataclass(frozen=True, slots=True)
class Comparison:
    """How a rendition lies on its master; it is the same performance where there is no fault."""

    offset_s: float
    length_difference_s: float
    gain_db: float
    n_windows: int
    n_sounding: int
    least_correlation: float
    faults: tuple[Fault, ...]

    @property
    def same(self) -> bool:
        """Whether every window of the master is there, nothing else is, and there was something to compare."""
        return not self.faults and self.n_sounding > 0


@dataclass(frozen=True, slots=True)
class _Window:
    start_s: float
    master_db: float
    rendition_db: float
    correlation: float
    gain_db: float
    envelope_db: float


def compare(master: Sound, rendition: Sound, bounds: Bounds = BOUNDS) -> Comparison:
    """Lay a rendition over its master and look at every window, to the end of the longer one."""
    offset_s = _offset_s(master, rendition, bounds)
    windows = list(_windows(master, rendition, offset_s, bounds))
    loud_db = float(np.percentile([w.master_db for w in windows], 95)) if windows else -100.0
    sounding_db = max(bounds.quiet_dbfs, loud_db - bounds.sounding_db)
    sounding = [w for w in windows if w.master_db > sounding_db]
    gain_db = float(np.median([w.gain_db for w in sounding])) if sounding else 0.0
    longer_s = rendition.duration_s - master.duration_s
    end_s = max(master.duration_s, rendition.duration_s)
    faults = [
        *([Fault(0.0, end_s, "offset")] if abs(offset_s) > bounds.offset_s else []),
        *([Fault(0.0, end_s, "length")] if abs(longer_s) > bounds.length_s else []),
        *([Fault(0.0, end_s, "gain")] if abs(gain_db) > bounds.gain_db else []),
    ]
    faults += _outside(master, rendition, offset_s, bounds)
    found = ((w, _fault(w, sounding_db, gain_db, bounds)) for w in windows)
    faults += _joined([Fault(w.start_s, w.start_s + bounds.window_s, what) for w, what in found if what])
    least = min((w.correlation for w in sounding), default=0.0)
    return Comparison(offset_s, longer_s, gain_db, len(windows), len(sounding), least, tuple(faults))


def _outside(master: Sound, rendition: Sound, offset_s: float, bounds: Bounds) -> Iterator[Fault]:
    """Sound before the master begins and after it ends, but for the few milliseconds over which a codec smears."""
    ends_s = master.duration_s + offset_s
    for start_s, end_s in ((0.0, offset_s - _SMEAR_S), (ends_s + _SMEAR_S, rendition.duration_s)):
        for at in np.arange(start_s, end_s, _SMEAR_S):
            if _level_db(rendition.read_padded(float(at), min(float(at) + _SMEAR_S, end_s))) > bounds.added_dbfs:
                yield Fault(max(0.0, float(at) - offset_s), max(_SMEAR_S, end_s - offset_s), "added")
                break


def _fault(window: _Window, sounding_db: float, gain_db: float, bounds: Bounds) -> str:
    if window.master_db > sounding_db:
        if window.correlation < bounds.correlation:
            return "take"
        if abs(window.gain_db - gain_db) > bounds.window_gain_db:
            return "level"
        return "envelope" if window.envelope_db > bounds.envelope_db else ""
    heard_db = window.rendition_db - gain_db
    return "added" if heard_db > max(bounds.added_dbfs, window.master_db + 2 * bounds.envelope_db) else ""


def _joined(faults: list[Fault]) -> list[Fault]:
    """Faults of one kind that overlap, as one."""
    out: list[Fault] = []
    for fault in faults:
        if out and out[-1].what == fault.what and fault.start_s <= out[-1].end_s:
            out[-1] = Fault(out[-1].start_s, fault.end_s, fault.what)
        else:
            out.append(fault)
    return out


# where they lie


def _offset_s(master: Sound, rendition: Sound, bounds: Bounds) -> float:
    """How late the rendition is as a whole: by energies first, then by the waveforms of its loudest windows."""
    ours, theirs = _energies(master), _energies(rendition)
    n = len(ours) + len(theirs)
    both = np.fft.irfft(np.fft.rfft(theirs, 2 * n) * np.conj(np.fft.rfft(ours, 2 * n)))
    reach = round(_COARSE_S / _STEP_S)
    lags = np.concatenate([both[-reach:], both[: reach + 1]])
    coarse_s = (int(np.argmax(lags)) - reach) * _STEP_S
    found = []
    for start_s in _loudest(ours, bounds.window_s):
        lag_s, correlation, _ = _laid(*_pair(master, rendition, start_s, coarse_s, bounds.window_s, 2 * _STEP_S))
        found += [coarse_s + lag_s] if correlation > 0.5 else []
    return float(np.median(found)) if found else coarse_s


def _energies(sound: Sound) -> Floats:
    """Log energy each 10 ms, without its mean."""
    parts = []
    for start_s in np.arange(0.0, sound.duration_s, _BLOCK_S):
        samples = sound.read_padded(float(start_s), min(float(start_s) + _BLOCK_S, sound.duration_s))
        step = round(_STEP_S * sound.rate_hz)
        whole = samples[: len(samples) // step * step].reshape(-1, step)
        parts.append(np.log10(np.mean(whole.astype(np.float64) ** 2, axis=1) + _FLOOR))
    joined = np.concatenate(parts) if parts else np.zeros(1)
    return np.asarray(joined - joined.mean(), dtype=np.float32)


def _loudest(energies: Floats, window_s: float, n: int = 24) -> Iterator[float]:
    """Starts of the loudest window in each of `n` parts of the programme."""
    width = round(window_s / _STEP_S)
    smooth = np.convolve(energies, np.ones(width), mode="valid") if len(energies) > width else energies
    for part in np.array_split(np.arange(len(smooth)), n):
        if len(part):
            yield float(part[np.argmax(smooth[part])]) * _STEP_S


def _pair(
    master: Sound, rendition: Sound, start_s: float, offset_s: float, window_s: float, reach_s: float
) -> tuple[Floats, Floats]:
    """A window of the master, and the rendition's with `reach_s` more on both sides; both in the band."""
    pad_s = 0.05
    end_s = start_s + window_s
    ours = master.read_padded(start_s - pad_s, end_s + pad_s)
    theirs = rendition.read_padded(start_s + offset_s - reach_s - pad_s, end_s + offset_s + reach_s + pad_s)
    pad = round(pad_s * master.rate_hz)
    return _in_band(ours, master.rate_hz)[pad:-pad], _in_band(theirs, master.rate_hz)[pad:-pad]


def _in_band(samples: Floats, rate_hz: int) -> Floats:
    spectrum = np.fft.rfft(samples)
    hz = np.fft.rfftfreq(len(samples), 1 / rate_hz)
    spectrum[(hz < _LOW_HZ) | (hz > _HIGH_HZ)] = 0
    return np.asarray(np.fft.irfft(spectrum, len(samples)), dtype=np.float32)


def _laid(ours: Floats, theirs: Floats) -> tuple[float, float, float]:
    """The lag (s at 16 kHz, from the middle) at which two waveforms fit best, their correlation there, and the gain in dB."""
    n, m = len(ours), len(theirs)
    size = 1 << (n + m).bit_length()
    cross = np.fft.irfft(np.fft.rfft(theirs, size) * np.conj(np.fft.rfft(ours, size)), size)[: m - n + 1]
    squares = np.concatenate([[0.0], np.cumsum(theirs.astype(np.float64) ** 2)])
    power = squares[n:] - squares[: m - n + 1]
    own = float(np.sum(ours.astype(np.float64) ** 2))
    scores = cross / np.sqrt(np.maximum(power * own, 1e-20))
    k = int(np.argmax(scores))
    gain = max(float(cross[k]) / max(own, 1e-20), 1e-6)
    return (k - (m - n) / 2) / 16_000, float(min(_peak(scores, k), 1.0)), 20 * float(np.log10(gain))


def _peak(scores: NDArray[np.float64], k: int) -> float:
    """The height of the parabola through the best lag and its neighbours: the true lag lies between samples."""
    if not 0 < k < len(scores) - 1:
        return float(scores[k])
    left, middle, right = (float(x) for x in scores[k - 1 : k + 2])
    bend = left - 2 * middle + right
    return middle if bend >= 0 else middle - (left - right) ** 2 / (8 * bend)


# window by window


def _windows(master: Sound, rendition: Sound, offset_s: float, bounds: Bounds) -> Iterator[_Window]:
    end_s = max(master.duration_s, rendition.duration_s - offset_s)
    last_s = max(0.0, end_s - bounds.window_s)
    starts = [*np.arange(0.0, last_s, bounds.hop_s), last_s]
    for start_s in map(float, starts):
        ours = master.read_padded(start_s, start_s + bounds.window_s)
        theirs = rendition.read_padded(start_s + offset_s, start_s + offset_s + bounds.window_s)
        banded = _pair(master, rendition, start_s, offset_s, bounds.window_s, bounds.wander_s)
        _, correlation, gain_db = _laid(*banded)
        difference = _envelope_db(ours, theirs, gain_db, master.rate_hz)
        yield _Window(start_s, _level_db(ours), _level_db(theirs), correlation, gain_db, difference)


def _level_db(samples: Floats) -> float:
    """Level in dB of full scale; of nothing, the floor."""
    if not len(samples):
        return 10 * float(np.log10(_FLOOR))
    return 10 * float(np.log10(np.mean(samples.astype(np.float64) ** 2) + _FLOOR))


def _envelope_db(ours: Floats, theirs: Floats, gain_db: float, rate_hz: int) -> float:
    """The largest difference in a critical band, of those within 25 dB of the loudest; what lies below counts from there."""
    a, b = _bands_db(ours, rate_hz), _bands_db(theirs, rate_hz) - gain_db
    floor = float(a.max()) - 25.0
    return float(np.max(np.abs(np.maximum(a, floor) - np.maximum(b, floor))))


def _bands_db(samples: Floats, rate_hz: int) -> NDArray[np.float64]:
    power = np.abs(np.fft.rfft(samples * np.hanning(len(samples)))) ** 2
    hz = np.fft.rfftfreq(len(samples), 1 / rate_hz)
    edges = np.searchsorted(hz, _EDGES_HZ)
    sums = np.add.reduceat(power, edges)[:-1]
    return np.asarray(10 * np.log10(sums + 1e-9))
