"""Speech that an audience hears and the sound that is judged does not hold.

Models hear the mono sum. What two channels play in antiphase cancels in it, and what only a subwoofer plays is left out; what lies in
the music and effects beside a stem is not in the stem. A voice there would be searched for by nobody, so the places are found, while
nobody else speaks and behind those who do (behind.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dubgate.delivery.audio import HEARING_RATE_HZ, downmix_weights
from dubgate.features import Floats, Series
from dubgate.meter.behind import BEHIND_DB, behind
from dubgate.meter.meter import channels_of
from dubgate.spans import Span, union

if TYPE_CHECKING:
    from dubgate.delivery.audio import AudioSpool

SpeechProb = Callable[[Sequence[Floats]], list[Series]]
Flags = NDArray[np.bool_]

BLOCK_S = 30
STEP = 512  # samples at 16 kHz: a step of voice activity, 32 ms
STEP_S = STEP / HEARING_RATE_HZ
MAYBE_SPOKEN = 0.3  # probability: under it there is no speech
SPOKEN = 0.7  # there is, in a sound that holds nothing of the judged one
SPOKEN_ALONE = 0.9  # in what is left of one that does: music through the gaps of a louder voice is a little like speech
NEAR_STEPS = 9  # 0.3 s: so far an ending word may be heard later in one than in the other
AUDIBLE_DBFS = -50.0
MASKED_DB = -20.0  # so far under what is judged, nobody hears it out
SHORTEST_S = 0.4
BRIDGED_S = 0.2
_PAIRS = (("FL", "FR"), ("SL", "SR"), ("BL", "BR"), ("FLC", "FRC"), ("DL", "DR"), ("WL", "WR"))
_FLOOR = 1e-12


class CancelledSpeech:
    """Finds speech in the channels of a track that their mono sum does not hold, pushed second by second.

    Args:
        rate_hz: of what is pushed.
        layout: the channels' names, see `downmix_weights`.
        speech_prob: voice activity over clips at 16 kHz, a probability every 32 ms.
    """

    def __init__(self, rate_hz: int, layout: Sequence[str], speech_prob: SpeechProb) -> None:
        self._rate_hz, self._speech_prob = rate_hz, speech_prob
        weights = downmix_weights(layout)
        self._rows = np.concatenate([weights[None], lost_rows(layout)]).astype(np.float32)
        self._seconds: list[Floats] = []
        self._audible = np.zeros(len(self._rows), dtype=np.bool_)
        self._at_s, self._spans = 0.0, list[Span]()

    def push(self, samples: Floats) -> None:
        """A second [shape=(n_channels, rate_hz)], or the shorter rest at the end."""
        if len(self._rows) == 1:
            return
        rows = self._rows @ samples
        power = np.mean(np.square(rows), axis=1)
        self._audible |= ~(power <= np.maximum(10 ** (AUDIBLE_DBFS / 10), power[0] * 10 ** (MASKED_DB / 10)))
        self._seconds.append(rows)
        if len(self._seconds) == BLOCK_S:
            self._block()

    def finish(self) -> tuple[Span, ...]:
        """Where such speech is, in seconds of the programme."""
        if self._seconds:
            self._block()
        return long_enough(self._spans)

    def _block(self) -> None:
        import soxr

        rows, audible = np.concatenate(self._seconds, axis=1), self._audible.copy()
        self._seconds, self._audible = [], np.zeros(len(self._rows), dtype=np.bool_)
        if audible[1:].any():
            audible[0] = True
            at_16k = soxr.resample(rows[audible].T, self._rate_hz, HEARING_RATE_HZ).T
            judged, *others = map(np.ascontiguousarray, at_16k)
            self._spans += unheard(judged, others, self._speech_prob, start_s=self._at_s)
        self._at_s += rows.shape[1] / self._rate_hz


def decode_listening(
    path: Path, stream_index: int, scratch: Path, speech_prob: SpeechProb
) -> tuple[AudioSpool, tuple[Span, ...]]:
    """A track decoded once, and where the speech lies that its mono sum does not hold.

    Raises:
        MediaError: see AudioSpool.
    """
    from dubgate.delivery.audio import AudioSpool
    from dubgate.delivery.media import probe, select_stream

    stream = select_stream(probe(path), index=stream_index)
    lost = CancelledSpeech(stream.sample_rate_hz, channels_of(stream.layout, stream.n_channels), speech_prob)
    spool = AudioSpool(path, stream_index, scratch, (lambda _, second: lost.push(second),))
    return spool, lost.finish()


def lost_rows(layout: Sequence[str]) -> Floats:
    """What the mono sum loses of such channels [shape=(n_channels - 1, n_channels)].

    Differences of pairs, channels that have no part in the sum, and directions that complete these. Their scale is such that sound in
    one channel alone is no louder in a row than in the sum.
    """
    weights = downmix_weights(layout).astype(np.float64)
    n, names = len(weights), list(layout)
    rows = [weights / np.linalg.norm(weights)]
    for a, b in _PAIRS:
        if a in names and b in names and weights[names.index(a)] == weights[names.index(b)] != 0:
            rows.append((np.eye(n)[names.index(a)] - np.eye(n)[names.index(b)]) / np.sqrt(2))
    rows += [np.eye(n)[k] for k in np.flatnonzero(weights == 0)]
    rest = np.linalg.svd(np.array(rows))[2][len(rows) :]
    lost = np.concatenate([np.array(rows[1:]).reshape(-1, n), rest])
    summed = weights != 0
    least = np.abs(weights[summed]).min()
    shares = np.max(np.abs(lost[:, summed]) / weights[summed], axis=1, initial=0.0)
    return np.asarray(lost / np.where(shares > 0, shares, 1 / least)[:, None], dtype=np.float32)


def unheard(
    judged: Floats, others: Sequence[Floats], speech_prob: SpeechProb, *, start_s: float = 0.0, apart: bool = False
) -> list[Span]:
    """Where one of the other sounds says what the judged one, of the same length at 16 kHz, does not hold.

    Args:
        apart: nothing of the judged sound is in the others, so that speech in them where it is silent is not its own. Else that proves
            nothing: a detector may hear a voice in one mix of it and not in another, in which music or a room is louder.
    """
    own, *probs = (series.values for series in speech_prob([judged, *others]))
    # Asked so that what is no number counts as speech that is not in what is judged.
    silent = ~(_most_near(own) >= MAYBE_SPOKEN)
    level = _power(judged, len(own))
    found = np.zeros(len(own), dtype=np.bool_)
    alone: list[tuple[Floats, NDArray[np.float64], Flags]] = []
    for sound, prob in zip(others, probs, strict=True):
        power = _power(sound, len(own))
        heard = _audible(power, level, MASKED_DB)
        found |= ~(prob < SPOKEN) & heard & silent if apart else np.isnan(own) | np.isnan(prob)
        maybe = ~(_most_near(prob) < MAYBE_SPOKEN)
        if (maybe & heard).any() and (left := behind(judged, sound)) is not None:
            alone.append((left, np.maximum(power, level), maybe))
    beside_db = np.where(silent, MASKED_DB, BEHIND_DB)
    for (left, louder, maybe), series in zip(alone, speech_prob([left for left, *_ in alone]), strict=True):
        found |= maybe & ~(series.values < SPOKEN_ALONE) & _audible(_power(left, len(own)), louder, beside_db)
    return [Span(start_s + a * STEP_S, start_s + b * STEP_S) for a, b in _runs(found)]


def long_enough(spans: Sequence[Span]) -> tuple[Span, ...]:
    """Spans with short gaps closed, without those in which nobody could say a word."""
    near = union(Span(s.start_s, s.end_s + BRIDGED_S) for s in spans)
    return tuple(Span(s.start_s, s.end_s - BRIDGED_S) for s in near if s.duration_s - BRIDGED_S >= SHORTEST_S)


def _audible(power: NDArray[np.float64], level: NDArray[np.float64], beside_db: float | NDArray[np.float64]) -> Flags:
    """Where a sound of this power stands out so far beside one of that level; what is no number does."""
    return np.asarray(~(power <= np.maximum(10 ** (AUDIBLE_DBFS / 10), level * 10 ** (beside_db / 10))))


def _power(sound: Floats, n: int) -> NDArray[np.float64]:
    """Mean power around each step [shape=(n,)], over 0.3 s."""
    padded = np.zeros(n * STEP, dtype=np.float64)
    padded[: min(len(sound), n * STEP)] = sound[: n * STEP]
    steps = np.mean(np.square(padded).reshape(n, STEP), axis=1)
    return np.convolve(steps, np.ones(NEAR_STEPS) / NEAR_STEPS, mode="same") + _FLOOR


def _most_near(prob: Floats) -> Floats:
    padded = np.pad(prob, NEAR_STEPS, mode="edge")
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, 2 * NEAR_STEPS + 1).max(axis=1))


def _runs(flags: Flags) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).view(np.int8))).tolist()
    return [(a, b) for k, (a, b) in enumerate(pairwise(edges)) if k % 2 == 0]
