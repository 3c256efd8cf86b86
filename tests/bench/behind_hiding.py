"""Mixes in which a voice hides that models do not hear, for `behind_scenes.py`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from behind_mixes import Draw, Scene, at_once, gain, reverberated, through
from behind_rooms import SURROUND, banded, panned, placed

from dubgate.features import Floats


def against(front: Floats, b: Floats, left: float = 1.0, right: float = -1.0) -> Scene:
    """A voice between the channels."""
    return Scene(np.asarray(front + np.stack([left * b, right * b]), dtype=np.float32), hidden=b)


def under(db: float) -> Callable[[Draw], Scene]:
    """In antiphase under one who speaks in the middle."""
    return lambda d: against(np.stack([d.voice()] * 2), gain(db) * d.voice())


def bands(d: Draw, right: float) -> Scene:
    """Nobody but the voice, whose channels cancel in every other of some bands, so that models hear the rest of it."""
    a = d.voice()
    edges = np.cumsum(d.rng.uniform(150, 1500, 24))
    return Scene(banded(a, [float(d.rng.choice([0, edges[0]])), *edges[edges < 7800]], right), hidden=a)


def bands_under(d: Draw) -> Scene:
    """Some bands of a voice, 6 dB under another."""
    a, b = d.voices(2)
    edges = np.cumsum(d.rng.uniform(300, 1500, 24))
    two = banded(b, [float(e) for e in edges if e < 7800], 0.0) * gain(-6)
    part = (two[0] - two[1]).astype(np.float32)
    return against(np.stack([a, a]), part)


def in_five(d: Draw) -> Scene:
    """6 dB under the centre: front against front, back against back, below, or front against centre."""
    a, b = d.voice(), d.voice() * gain(-6)
    one = [{"FL": b, "FR": -b}, {"BL": b, "BR": -b}, {"LFE": b}, {"FL": b, "BL": -b * 2**0.5 / 2}][
        int(d.rng.integers(4))
    ]
    return Scene(placed(len(a), FC=a * 2**0.5, **one), SURROUND, b)


def in_effects(db: float, music_db: float | None = None) -> Callable[[Draw], Scene]:
    def made(d: Draw) -> Scene:
        a, b = d.voice(), d.voice() * gain(db)
        bed = 0.0 if music_db is None else d.music(music_db + db).mean(axis=0)
        return Scene(a[None], ("FC",), b, np.asarray(b + bed, dtype=np.float32))

    return made


def same_speaker(d: Draw) -> Scene:
    a, b = d.one_twice()
    return against(np.stack([a, a]), gain(-6) * b)


GUILTY: Mapping[str, Callable[[Draw], Scene]] = {
    **{f"antiphase, {db} dB under": under(-db) for db in (0, 6, 12, 18)},
    "antiphase, 6 dB under, AAC 96 and 128": through(under(-6), "aac", 96_000, 128_000),
    "antiphase, 12 dB under, AAC 96 and 128": through(under(-12), "aac", 96_000, 128_000),
    "antiphase, 6 dB under, Opus 96": through(under(-6), "libopus", 96_000),
    "the same speaker, 6 dB under": same_speaker,
    "6 dB under, one channel 1 to 6 dB weaker": lambda d: against(
        np.stack([d.voice()] * 2), gain(-6) * d.voice(), 1, -gain(d.between(-6, -1))
    ),
    "6 dB under one who is panned": lambda d: against(
        2**0.5 * panned(d.voice(), d.between(0, 0.4)), gain(-6) * d.voice()
    ),
    "6 dB under two at once, panned": lambda d: against(2**0.5 * at_once(d), gain(-6) * d.voice()),
    "6 dB under, real stereo music": lambda d: against(np.stack([d.voice()] * 2) + d.music(-9), gain(-6) * d.voice()),
    "6 dB under one with a stereo reverberator's return": lambda d: against(
        2**0.5 * reverberated(d), gain(-6) * d.voice()
    ),
    "6 dB under a talker in a room": lambda d: against(d.room(1), gain(-6) * d.voice()),
    "some bands of it, 6 dB under": bands_under,
    "the front voice itself cancelled in some bands": lambda d: bands(d, -1.0),
    "the front voice itself weakened in some bands": lambda d: bands(d, d.between(-0.8, -0.4)),
    "5.1: 6 dB under the centre": in_five,
    **{f"M&E: {db} dB under the stem": in_effects(-db) for db in (0, 6, 12)},
    "M&E: 6 dB under the stem, over music": in_effects(-6, -6),
}
