"""Ordinary mixes, in which nobody hides, and what scenes are drawn from, for `behind_scenes.py`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from behind_rooms import (
    STEREO,
    SURROUND,
    coded,
    convolved,
    diffuse,
    impulse,
    late,
    panned,
    pink,
    placed,
    turned,
    wavering,
    widened,
)
from behind_voices import LEVEL, RATE_HZ, Material

from dubgate.features import Floats

LENGTH_S = 24
N = LENGTH_S * RATE_HZ
Rng = np.random.Generator


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """Channels [shape=(n_channels, n), 16 kHz], or a stem [shape=(1, n)] and music and effects; and the voice that hides in it."""

    channels: Floats
    layout: Sequence[str] = STEREO
    hidden: Floats | None = None
    effects: Floats | None = None


class Draw:
    """Chances of one scene."""

    def __init__(self, material: Material, rng: Rng) -> None:
        self.material, self.rng = material, rng
        names = [name for name in material.voices if name != material.same[1]]
        self._names = list(rng.permutation(names))

    def voice(self) -> Floats:
        """A speaker whom this scene did not have yet, from anywhere in the recording."""
        return self._from(self.material.voices[str(self._names.pop())])

    def voices(self, n: int) -> list[Floats]:
        return [self.voice() for _ in range(n)]

    def one_twice(self) -> tuple[Floats, Floats]:
        """One speaker, two texts."""
        a, b = self.material.same
        return self._from(self.material.voices[a]), self._from(self.material.voices[b])

    def music(self, db: float) -> Floats:
        """So far beside a voice [shape=(2, n)]."""
        names = sorted(self.material.music)
        whole = self.material.music[names[self.rng.integers(len(names))]]
        return np.asarray(
            np.roll(whole, -self.rng.integers(whole.shape[1]), axis=1)[:, :N] * 10 ** (db / 20), dtype=np.float32
        )

    def ambience(self, n: int, db: float) -> Floats:
        """Noise that no channel shares with another."""
        return np.stack([pink(N, self.rng) for _ in range(n)]).astype(np.float32) * LEVEL * 10 ** (db / 20)

    def between(self, low: float, high: float) -> float:
        return float(self.rng.uniform(low, high))

    def room(self, n_voices: int, *, direct: bool = True, n_channels: int = 2) -> Floats:
        """Talkers in a room before microphones some way apart [shape=(n_channels, n)], as loud as one voice."""
        small, middle, large = ((2.6, 3.5, 2.4), (5, 7, 2.9), (14, 20, 7))
        k = int(self.rng.integers(3))
        room = (
            np.asarray((small, middle, large)[k])
            * self.rng.uniform(0.9, 1.1, 3)
            * (0.93 if self.material.small else 1.12)
        )
        rt60 = self.between(*((0.2, 0.4), (0.35, 0.8), (0.8, 1.6))[k])
        middle_of = room * self.rng.uniform(0.35, 0.65, 3)
        apart = np.array([self.between(0.15, 1.0), 0, 0]) if n_channels == 2 else room * 0.2
        ears = [
            middle_of + apart * (s if n_channels == 2 else self.rng.uniform(-1, 1, 3))
            for s in np.linspace(-0.5, 0.5, n_channels)
        ]
        heard = np.zeros((n_channels, N), dtype=np.float32)
        for voice in self.voices(n_voices):
            talker = room * self.rng.uniform(0.12, 0.88, 3)
            heard += convolved(voice, [impulse(room, rt60, talker, ear, self.rng, direct=direct) for ear in ears])
        return np.asarray(heard / np.sqrt(np.mean(np.square(heard))) * LEVEL, dtype=np.float32)

    def _from(self, whole: Floats) -> Floats:
        looped = np.tile(whole, 1 + N // len(whole))
        return np.asarray(np.roll(looped, -self.rng.integers(len(looped)))[:N], dtype=np.float32)


def gain(db: float) -> float:
    return float(10 ** (db / 20))


def one_centred(d: Draw) -> Floats:
    return panned(d.voice(), 0.5)


def in_turn(d: Draw) -> Floats:
    """Two or three who speak one after the other, each from a place of their own."""
    cast = [panned(v, d.between(0, 1)) for v in d.voices(int(d.rng.integers(2, 4)))]
    return np.concatenate(
        [cast[k % len(cast)][:, a : a + 3 * RATE_HZ] for k, a in enumerate(range(0, N, 3 * RATE_HZ))], axis=1
    )


def at_once(d: Draw) -> Floats:
    a, b = d.voices(2)
    return panned(a, d.between(0, 0.4)) + panned(b, d.between(0.5, 1)) * gain(d.between(-6, 0))


def crowd(d: Draw) -> Floats:
    return np.sum(
        [panned(v, d.between(0, 1)) * gain(d.between(-10, 0)) for v in d.voices(int(d.rng.integers(4, 9)))], axis=0
    )


def aside(d: Draw) -> Floats:
    """One in the middle, one far off to a side."""
    return panned(d.voice(), 0.5) + panned(d.voice(), float(d.rng.integers(2))) * gain(d.between(-15, 3))


def reverberated(d: Draw) -> Floats:
    a = d.voice()
    return panned(a, d.between(0.3, 0.7)) + convolved(a, diffuse(d.rng, d.between(0.4, 2))) * gain(d.between(-15, -3))


def chorus(d: Draw) -> Floats:
    a = d.voice()
    doubles = [panned(wavering(a, d.between(8, 30), d.between(0.5, 4), d.between(0.2, 2)), p) for p in (0.05, 0.95)]
    return np.asarray(panned(a, 0.5) + np.sum(doubles, axis=0) * gain(d.between(-12, -3)), dtype=np.float32)


def haas(d: Draw) -> Floats:
    a = d.voice()
    return np.stack([a, late(a, d.between(3, 35)) * gain(d.between(-6, 0))])


def misaligned(d: Draw) -> Floats:
    """The same twice but for a head's azimuth, or a converter's: 0.02 to 0.4 ms, and up to 3 dB."""
    a = d.voice()
    return np.stack([a, late(a, d.between(0.02, 0.4)) * gain(d.between(-3, 3))])


def pseudo_stereo(d: Draw) -> Floats:
    """Mono made wide: combs that fill each other (what a delay adds on one side it takes away on the other)."""
    a = d.voice()
    delayed = late(a, d.between(5, 25)) * gain(d.between(-9, -3))
    return np.stack([a + delayed, a - delayed])


def made_wide(d: Draw) -> Floats:
    return widened(at_once(d) if d.rng.integers(2) else in_turn(d), d.between(1.3, 2.0))


def room_made_wide(d: Draw) -> Floats:
    return widened(reverberated(d), d.between(1.3, 2.5))


def film(d: Draw) -> Floats:
    """5.1: dialogue in the centre and a little beside it, its room all around, music in front, air behind, a rumble below."""
    a = d.voice()
    spread, wet = gain(d.between(-30, -9)), gain(d.between(-24, -9))
    around = [convolved(a, diffuse(d.rng, d.between(0.4, 1.5))) * wet for _ in range(2)]
    music, air = d.music(d.between(-20, -6)), d.ambience(2, d.between(-30, -12))
    rumble = pink(N, d.rng) * LEVEL * 0.5
    low = np.convolve(rumble, np.hanning(160) / 80, mode="same").astype(np.float32)
    front, back = around[0] + music + spread * a, around[1] + air
    return placed(N, FC=a, FL=front[0], FR=front[1], LFE=low, BL=back[0], BR=back[1])


def film_of_many(d: Draw) -> Floats:
    """5.1: one in the centre, others in other channels at once, as in a crowd or a call from behind."""
    places = d.rng.permutation(["FL", "FR", "BL", "BR"])[: int(d.rng.integers(1, 4))]
    return placed(N, FC=d.voice(), **{str(p): d.voice() * gain(d.between(-15, 0)) for p in places})


def film_in_a_room(d: Draw) -> Floats:
    five = d.room(int(d.rng.integers(1, 3)), n_channels=5)
    return np.insert(five, 3, 0, axis=0)


def stereo(make: Callable[[Draw], Floats]) -> Callable[[Draw], Scene]:
    return lambda d: Scene(make(d))


def through(make: Callable[[Draw], Scene], codec: str, *bitrates: int) -> Callable[[Draw], Scene]:
    def made(d: Draw) -> Scene:
        scene = make(d)
        return replace(scene, channels=coded(scene.channels, codec, int(d.rng.choice(bitrates))))

    return made


def any_of(*makes: Callable[[Draw], Scene]) -> Callable[[Draw], Scene]:
    return lambda d: makes[int(d.rng.integers(len(makes)))](d)


def effects_without_voices(d: Draw) -> Scene:
    """Music and air beside a stem, and what a reverberator returns of the stem."""
    a = d.voice()
    returned = convolved(a, diffuse(d.rng, d.between(0.4, 1.5)))[0] * gain(d.between(-24, -9))
    rest = d.music(d.between(-15, 0)).mean(axis=0) + d.ambience(1, d.between(-30, -15))[0]
    return Scene(a[None], ("FC",), None, rest + returned * float(d.rng.integers(2)))


surround = partial(Scene, layout=SURROUND)
_mixes = tuple(stereo(m) for m in (in_turn, at_once, crowd, aside, reverberated, haas, made_wide))
INNOCENT: Mapping[str, Callable[[Draw], Scene]] = {
    "mono, or the same twice": any_of(stereo(one_centred), lambda d: Scene(d.voice()[None], ("FC",))),
    "the same twice, off by up to 3 dB and 0.4 ms": stereo(misaligned),
    "talkers in turn, panned": stereo(in_turn),
    "two at once, panned": stereo(at_once),
    "four to eight at once, panned": stereo(crowd),
    "one in the middle, one at a side, +3 to -15 dB": stereo(aside),
    "one talker in a room": lambda d: Scene(d.room(1)),
    "two talkers in a room": lambda d: Scene(d.room(2)),
    "a room without direct sound, one talker": lambda d: Scene(d.room(1, direct=False)),
    "a room without direct sound, two talkers": lambda d: Scene(d.room(2, direct=False)),
    "a stereo reverberator's return": stereo(reverberated),
    "before real stereo music": lambda d: Scene(one_centred(d) + d.music(d.between(-15, 3))),
    "panned talkers before real stereo music": lambda d: Scene(at_once(d) + d.music(d.between(-15, 3))),
    "before noise that the channels do not share": lambda d: Scene(in_turn(d) + d.ambience(2, d.between(-25, -3))),
    "chorus": stereo(chorus),
    "Haas delay, 3 to 35 ms": stereo(haas),
    "one channel turned by 30 to 90 degrees": lambda d: Scene(
        (lambda a: np.stack([a, turned(a, d.between(30, 90))]))(d.voice())
    ),
    "mono made wide by combs": stereo(pseudo_stereo),
    "widened in M/S, 1.3 to 2": stereo(made_wide),
    "a reverberator's return, widened": stereo(room_made_wide),
    "5.1: film": lambda d: surround(film(d)),
    "5.1: several talkers": lambda d: surround(film_of_many(d)),
    "5.1: a room": lambda d: surround(film_in_a_room(d)),
    "AAC, 64 to 256 kbit/s": through(any_of(*_mixes), "aac", 64_000, 96_000, 128_000, 256_000),
    "Opus, 48 to 128 kbit/s": through(any_of(*_mixes), "libopus", 48_000, 96_000, 128_000),
    "5.1: film, AAC, 256 and 384 kbit/s": through(lambda d: surround(film(d)), "aac", 256_000, 384_000),
    "M&E without voices beside a stem": effects_without_voices,
}
