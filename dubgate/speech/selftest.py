"""Before any verdict: a speaker encoder must find one voice more like itself than like another.

A wrong front end turns scores around without an error (logarithms forgotten, bands in the wrong order, another rate). Three
voices are computed here from a glottal source and moving formants, so that the test needs no file and is the same anywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dubgate.errors import ModelError
from dubgate.features import Floats
from dubgate.speech.protocols import SAMPLE_RATE_HZ, SpeakerEncoder
from dubgate.unmeasured import Unmeasured

Doubles = NDArray[np.float64]

# First three formants in Hz of ten vowels of men's speech (Peterson & Barney 1952, table II).
_VOWELS_HZ = (
    (270, 2290, 3010), (390, 1990, 2550), (530, 1840, 2480), (660, 1720, 2410), (730, 1090, 2440),
    (570, 840, 2410), (440, 1020, 2240), (300, 870, 2240), (640, 1190, 2390), (490, 1350, 1690),
)  # fmt: skip
_HIGHER_HZ = (3500.0, 4500.0, 5500.0, 6500.0, 7500.0)
_VOWEL_S = 0.16
_UTTERANCE_S = 2.4
_CONTROL = 80  # samples between points at which formants and pitch are set
_MARGIN = 0.02
# What known weights must find with the right front end; a wrong one may keep the order but not the numbers.
_EXPECTED = {
    "39373b86598fa3da9fcddee6142382efe09777e8d37dc9c0561f41f0070f134e": (0.877, 0.714),
}
_TOLERANCE = 0.01


@dataclass(frozen=True, slots=True)
class MadeVoice:
    """A voice by its pitch, the length of its tract (formants divide by it), and how fast its source falls off."""

    f0_hz: float
    tract: float
    tilt_db_per_octave: float
    breath: float


VOICES = (MadeVoice(105.0, 1.06, -14.0, 0.01), MadeVoice(205.0, 0.86, -11.0, 0.03), MadeVoice(140.0, 0.97, -8.0, 0.02))


@dataclass(frozen=True, slots=True)
class Likeness:
    """The least alike pair of one voice, and the most alike pair of two."""

    same: float
    different: float


def check_encoder(encoder: SpeakerEncoder) -> Likeness:
    """Run the self-test.

    Raises:
        ModelError: the encoder gives no vectors, confuses the voices, or finds others' likenesses than its weights do.
    """
    clips = [utterance(voice, seed) for voice in VOICES for seed in (1, 2)]
    vectors = encoder.embed(clips)
    rows = [v for v in vectors if not isinstance(v, Unmeasured)]
    if len(rows) != len(clips) or not all(np.isfinite(r).all() for r in rows):
        raise _failed(encoder, "it gave no vector for plain speech")
    found = likeness(rows)
    if not found.same > found.different + _MARGIN:
        raise _failed(encoder, f"one voice scored {found.same:.3f} with itself, two voices {found.different:.3f}")
    expected = _EXPECTED.get(encoder.info.weights_sha256)
    if expected and max(abs(found.same - expected[0]), abs(found.different - expected[1])) > _TOLERANCE:
        raise _failed(encoder, f"likenesses {found.same:.3f} and {found.different:.3f} instead of {expected}")
    return found


def likeness(rows: Sequence[Floats]) -> Likeness:
    """Of vectors in pairs, two a voice."""
    alike = np.array(rows, dtype=np.float64) @ np.array(rows, dtype=np.float64).T
    who = np.arange(len(rows)) // 2
    pairs = ~np.eye(len(rows), dtype=np.bool_)
    one = (who[:, None] == who) & pairs
    return Likeness(float(alike[one].min()), float(alike[who[:, None] != who].max()))


def _failed(encoder: SpeakerEncoder, what: str) -> ModelError:
    return ModelError(
        f"the speaker encoder failed its self-test: {what}",
        where=encoder.info.name,
        remedy="its weights or its front end are not what they should be: `dubgate models verify`, then report it",
    )


def utterance(voice: MadeVoice, seed: int) -> Floats:
    """2.4 s of one voice, other vowels and another melody for every seed [shape=(38400,)]."""
    rng = np.random.default_rng(seed)
    n = round(_UTTERANCE_S * SAMPLE_RATE_HZ)
    control = np.arange(0, n + _CONTROL, _CONTROL) / SAMPLE_RATE_HZ
    vowels = np.array(_VOWELS_HZ, dtype=np.float64)[rng.permutation(np.tile(np.arange(len(_VOWELS_HZ)), 2))]
    knots = (np.arange(len(vowels)) + 0.5) * _VOWEL_S
    formants = [np.interp(control, knots, vowels[:, k]) / voice.tract for k in range(3)]
    formants += [np.full_like(control, hz / voice.tract) for hz in _HIGHER_HZ]
    melody = voice.f0_hz * 2 ** (np.interp(control, knots, rng.uniform(-2.0, 2.0, len(vowels))) / 12)
    time = np.arange(n) / SAMPLE_RATE_HZ
    loud = np.abs(np.sin(np.pi * time / (2 * _VOWEL_S))) ** 0.5
    sound = (_harmonics(control, melody, formants, voice, time) + voice.breath * rng.standard_normal(n)) * loud
    return np.asarray(0.1 * sound / np.sqrt(np.mean(sound**2)), dtype=np.float32)


def _harmonics(
    control: Doubles, f0_hz: Doubles, formants: Sequence[Doubles], voice: MadeVoice, time: Doubles
) -> Doubles:
    """The sum of the source's harmonics, each as loud as tilt and formants make it at every control point."""
    top_hz = 0.48 * SAMPLE_RATE_HZ
    phase = 2 * np.pi * np.cumsum(np.interp(time, control, f0_hz)) / SAMPLE_RATE_HZ
    out = np.zeros_like(time)
    for k in range(1, int(top_hz / f0_hz.min())):
        gain = 10 ** (voice.tilt_db_per_octave * np.log2(k) / 20) * np.clip((top_hz - k * f0_hz) / 200.0, 0.0, 1.0)
        for centre in formants:
            gain = gain * _resonance(k * f0_hz, centre)
        out += np.interp(time, control, gain) * np.sin(k * phase)
    return out


def _resonance(hz: Doubles, centre_hz: Doubles) -> Doubles:
    """Gain of a second-order resonance that is 1 at 0 Hz; the bandwidth grows with the centre."""
    width = 50.0 + 0.03 * centre_hz
    gain: Doubles = centre_hz**2 / np.sqrt((centre_hz**2 - hz**2) ** 2 + (width * hz) ** 2)
    return gain
