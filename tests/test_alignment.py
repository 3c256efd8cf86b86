"""A rendition is its master only within every bound: signals with known answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from dubgate.alignment import BOUNDS, compare

RATE_HZ = 16_000
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Held:
    """Samples in memory, read as `AudioSpool` reads them."""

    samples: Floats
    rate_hz: int = RATE_HZ

    @property
    def duration_s(self) -> float:
        return len(self.samples) / self.rate_hz

    def read_padded(self, start_s: float, end_s: float) -> Floats:
        first, last = round(start_s * self.rate_hz), round(end_s * self.rate_hz)
        out = np.zeros(max(0, last - first), dtype=np.float32)
        inside = self.samples[max(0, first) : max(0, min(last, len(self.samples)))]
        out[max(0, -first) : max(0, -first) + len(inside)] = inside
        return out


def speech(seed: int, seconds: float = 6.0) -> Floats:
    """Noise in the band of speech, in syllables, with a second of stillness at 3 s."""
    n = round(seconds * RATE_HZ)
    rng = np.random.default_rng(seed)
    spectrum = np.fft.rfft(rng.standard_normal(n))
    hz = np.fft.rfftfreq(n, 1 / RATE_HZ)
    spectrum *= ((hz > 100) & (hz < 4000)) * 300 / np.maximum(hz, 300)
    voice = np.fft.irfft(spectrum, n)
    times = np.arange(n) / RATE_HZ
    syllables = 0.5 * (1 + np.sin(2 * np.pi * 3 * times + seed))
    still = (times > 3) & (times < 4)
    return np.asarray(0.1 * voice / voice.std() * syllables * ~still, dtype=np.float32)


MASTER = speech(0)


def late(samples: Floats, seconds: float) -> Floats:
    return np.concatenate([np.zeros(round(seconds * RATE_HZ), np.float32), samples])


def at(start_s: float, end_s: float) -> slice:
    return slice(round(start_s * RATE_HZ), round(end_s * RATE_HZ))


def changed(where: slice, change: Callable[[Floats], Floats]) -> Floats:
    out = MASTER.copy()
    out[where] = change(out[where])
    return out


def resampled(factor: float) -> Floats:
    n = len(MASTER)
    return np.interp(np.arange(0, n, factor), np.arange(n), MASTER).astype(np.float32)


def found(rendition: Floats, master: Floats = MASTER) -> set[str]:
    comparison = compare(Held(master), Held(rendition))
    assert comparison.same == (not comparison.faults and comparison.n_sounding > 0)
    return {fault.what for fault in comparison.faults}


@pytest.mark.parametrize("seconds", [0.0, 0.021, 0.0705])
@pytest.mark.parametrize("gain", [1.0, 0.75, 1.35])
def test_the_master_itself_is_found_within_its_bounds(seconds: float, gain: float) -> None:
    rng = np.random.default_rng(1)
    coded = MASTER + (rng.standard_normal(len(MASTER)) * 0.08 * np.abs(MASTER)).astype(np.float32)
    comparison = compare(Held(MASTER), Held(gain * late(coded, seconds)))
    assert comparison.same
    assert comparison.offset_s == pytest.approx(seconds, abs=0.001)
    assert comparison.gain_db == pytest.approx(20 * np.log10(gain), abs=0.2)
    assert comparison.least_correlation > BOUNDS.correlation


DIFFERENT: dict[str, tuple[Floats, str]] = {
    "another take": (speech(1), "take"),
    "another take of one line": (changed(at(1, 2), lambda x: np.ascontiguousarray(x[::-1])), "take"),
    "one line shifted by 20 ms": (changed(at(1, 2), lambda x: np.roll(x, 320)), "take"),
    "one line turned over": (changed(at(1, 2), lambda x: -x), "take"),
    "1 % faster": (resampled(1.01), "take"),
    "1 % slower": (resampled(0.99), "take"),
    "100 ms late": (late(MASTER, 0.1), "offset"),
    "100 ms early": (MASTER[1600:], "offset"),
    "cut short": (MASTER[: -RATE_HZ // 2], "length"),
    "too long": (np.concatenate([MASTER, 0 * MASTER[:3200]]), "length"),
    "too soft": (0.6 * MASTER, "gain"),
    "too loud": (1.6 * MASTER, "gain"),
    "one line louder": (changed(at(1, 2), lambda x: 1.6 * x), "level"),
    "one line gone": (changed(at(1, 2), lambda x: 0 * x), "take"),
    "sound in the stillness": (changed(at(3.2, 3.9), lambda x: x + speech(2)[: len(x)]), "added"),
    "sound behind the end": (np.concatenate([MASTER, speech(2)[:1600]]), "added"),
    "a whistle over a line": (
        changed(
            at(1, 2), lambda x: x + 0.02 * np.sin(2 * np.pi * 4900 * np.arange(len(x)) / RATE_HZ).astype(np.float32)
        ),
        "envelope",
    ),
    "nothing": (0 * MASTER, "take"),
}


@pytest.mark.parametrize("what", DIFFERENT)
def test_what_is_not_the_master_is_found_by_its_kind(what: str) -> None:
    rendition, kind = DIFFERENT[what]
    assert kind in found(rendition)


def test_a_fault_says_where_it_is() -> None:
    comparison = compare(Held(MASTER), Held(DIFFERENT["another take of one line"][0]))
    (fault,) = [f for f in comparison.faults if f.what == "take"]
    assert 0.5 <= fault.start_s <= 1.0
    assert 2.0 <= fault.end_s <= 2.5


def test_silence_is_no_performance_that_could_be_compared() -> None:
    comparison = compare(Held(0 * MASTER), Held(0 * MASTER))
    assert comparison.n_sounding == 0
    assert not comparison.same
    assert not replace(compare(Held(MASTER), Held(MASTER)), n_sounding=0).same  # without a fault too
