"""The streaming meter: whole seconds of native samples to every level and damage measure, whatever the block size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

import numpy as np

from dubgate.delivery.audio import downmix_weights
from dubgate.features import Floats, Levels, Series
from dubgate.meter.damage import CLIPPED_AT, CLIPPED_TOGETHER_S, MUTED_BELOW, SHORTEST_MUTE_S, ClickMeter, Runs
from dubgate.meter.loudness import BLOCK_HOPS, SHORT_TERM_HOPS, LoudnessMeter
from dubgate.meter.true_peak import TruePeakMeter
from dubgate.side_by_side import beside

ENERGY_HOP_S = 0.01
FLOOR_DB = -120.0
_FRAMES_PER_S = 100


class LevelMeter:
    """Loudness powers, true peak, full scale, digital holes, clicks and short-time energy of one stream, in one pass.

    Samples are cut into whole seconds inside, so that results do not depend on how they arrive.

    Args:
        sample_rate_hz: the file's own rate.
        n_channels: channels in every push.
        layout: FFmpeg's name of the layout ("stereo", "5.1(side)") or its channels in order ("FL", "FR"); where it
            names no channels, 6 and 8 are taken in SMPTE order and others as equals in front.
    """

    def __init__(self, sample_rate_hz: int, n_channels: int, layout: str | Sequence[str]) -> None:
        self.sample_rate_hz, self.n_channels = sample_rate_hz, n_channels
        channels = channels_of(layout, n_channels)
        self._downmix = downmix_weights(channels)
        self._loudness = LoudnessMeter(sample_rate_hz, channels)
        self._true_peak = TruePeakMeter(sample_rate_hz, n_channels)
        self._clicks = ClickMeter(sample_rate_hz, n_channels)
        self._clipped = Runs(sample_rate_hz, join_s=CLIPPED_TOGETHER_S)
        self._mutes = Runs(sample_rate_hz, at_least_s=SHORTEST_MUTE_S)
        self._pending = np.zeros((n_channels, 0), dtype=np.float32)
        self._measures: tuple[Callable[[Floats], None], ...] = (
            self._loudness.push,
            self._true_peak.push,
            self._clicks.push,
            self._measure_samples,
        )
        self._energy: list[Floats] = []
        self._clipped_samples = self._total_samples = 0

    def push(self, samples: Floats) -> None:
        """The next samples [shape=(n_channels, n)], float32, full scale ±1, any n.

        Raises:
            ValueError: another number of channels than announced.
        """
        if samples.ndim != 2 or samples.shape[0] != self.n_channels:
            raise ValueError(f"expected [{self.n_channels}, n] samples, got {list(samples.shape)}")
        joined = np.concatenate([self._pending, samples], axis=1) if self._pending.shape[1] else samples
        whole = joined.shape[1] // self.sample_rate_hz * self.sample_rate_hz
        for first in range(0, whole, self.sample_rate_hz):
            self._second(joined[:, first : first + self.sample_rate_hz])
        self._pending = joined[:, whole:].copy()

    @contextmanager
    def side_by_side(self) -> Iterator[None]:
        """What is pushed inside is measured by several threads, each measure by one; all of it was measured when it ends."""
        alone = self._measures
        try:
            with ExitStack() as threads:
                self._measures = tuple(threads.enter_context(beside(measure, apart=True)) for measure in alone)
                yield
        finally:
            self._measures = alone

    def finish(self) -> tuple[Levels, Series]:
        """The levels of all that was pushed, and RMS of the mono mix in dBFS every 10 ms, floored at -120."""
        if self._pending.shape[1]:
            self._second(self._pending)
            self._pending = self._pending[:, :0]
        peak = self._true_peak.finish()
        levels = Levels(
            sample_rate_hz=self.sample_rate_hz,
            n_channels=self.n_channels,
            block_power=self._loudness.powers(BLOCK_HOPS),
            true_peak_dbtp=max(FLOOR_DB, 20 * float(np.log10(max(peak, 1e-30)))),
            clipped_samples=self._clipped_samples,
            total_samples=self._total_samples,
            clipped=self._clipped.spans(),
            mutes=self._mutes.spans(),
            clicks_s=tuple(self._clicks.times_s),
            short_term_power=self._loudness.powers(SHORT_TERM_HOPS),
        )
        return levels, Series(ENERGY_HOP_S, np.concatenate([np.zeros(0, np.float32), *self._energy]))

    def _second(self, second: Floats) -> None:
        """One whole second, or the shorter rest at the end."""
        for measure in self._measures:
            measure(second)

    def _measure_samples(self, second: Floats) -> None:
        loudest = np.abs(second).max(axis=0)
        clipped = loudest >= CLIPPED_AT
        self._clipped.push(clipped)
        self._clipped_samples += int(np.count_nonzero(clipped))
        self._total_samples += second.shape[1]
        self._mutes.push(loudest <= MUTED_BELOW)
        self._energy.append(self._rms_db(second))

    def _rms_db(self, second: Floats) -> Floats:
        mono = second[0] if self.n_channels == 1 else self._downmix @ second
        edges = np.unique(np.arange(_FRAMES_PER_S) * self.sample_rate_hz // _FRAMES_PER_S)
        edges = edges[edges < len(mono)]
        power = np.add.reduceat(np.square(mono, dtype=np.float64), edges) / np.diff(np.append(edges, len(mono)))
        return np.asarray(10 * np.log10(np.maximum(power, 10 ** (FLOOR_DB / 10))), dtype=np.float32)


def channels_of(layout: str | Sequence[str], n_channels: int) -> tuple[str, ...]:
    """The channels' names in order, as FFmpeg calls them; "FC" for each where nobody knows."""
    names = _named(layout) if isinstance(layout, str) else tuple(layout)
    if len(names) == n_channels and all(n not in ("NONE", "UNK", "") for n in names):
        return names
    return _SMPTE.get(n_channels, ("FC",) * n_channels)


_SMPTE = {
    6: ("FL", "FR", "FC", "LFE", "SL", "SR"),
    8: ("FL", "FR", "FC", "LFE", "BL", "BR", "SL", "SR"),
}


def _named(layout: str) -> tuple[str, ...]:
    import av

    try:
        return tuple(channel.name for channel in av.AudioLayout(layout).channels)
    except ValueError:
        return ()
