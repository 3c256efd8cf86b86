"""Sound on the media timeline, by blocks: float32, resampled without delay, mixed down, or spooled for hearing."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dubgate.delivery.decoding import Floats, StreamDecoder, as_float32
from dubgate.errors import MediaError
from dubgate.side_by_side import beside
from dubgate.unmeasured import Unmeasured

HEARING_RATE_HZ = 16_000
BLOCK_S = 1.0

Consumer = Callable[[float, Floats], None]  # start_s, samples [shape=(n_channels, n)] at the file's own rate

_HALF_POWER = 2**-0.5
# ITU-R BS.775-3, annex 4: to two channels, then their mean. The low-frequency channel carries no speech.
_WEIGHTS = {
    "FL": 0.5, "FR": 0.5, "FC": _HALF_POWER, "LFE": 0.0, "LFE2": 0.0,
    "BL": 0.5 * _HALF_POWER, "BR": 0.5 * _HALF_POWER, "SL": 0.5 * _HALF_POWER, "SR": 0.5 * _HALF_POWER,
    "BC": 0.5, "FLC": 0.5, "FRC": 0.5, "DL": 0.5, "DR": 0.5, "WL": 0.5, "WR": 0.5,
}  # fmt: skip
_BY_COUNT = {
    6: ("FL", "FR", "FC", "LFE", "SL", "SR"),
    8: ("FL", "FR", "FC", "LFE", "BL", "BR", "SL", "SR"),
}  # SMPTE order, for files that do not name their channels


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Samples [shape=(n_channels, n)], float32, from `start_s` of the programme on."""

    start_s: float
    samples: Floats


def decode_blocks(
    path: Path, stream_index: int, *, rate_hz: int | None = None, mono: bool = False, block_s: float = BLOCK_S
) -> Iterator[Block]:
    """A stream from second 0 of the programme to its end, block by block; memory does not grow with its length.

    Blocks follow on each other without gaps; before the stream's start and in its gaps they are zero.

    Args:
        rate_hz: resample to this rate; None keeps the file's own.
        mono: mix down as `downmix_weights` says.

    Raises:
        MediaError: see StreamDecoder.
    """
    decoder = StreamDecoder(path, stream_index)
    chain: _Chain | None = None
    n = 0
    out_hz = 0
    for native in decoder.blocks(block_s):
        chain = chain or _Chain(decoder, rate_hz, mono)
        out_hz = chain.rate_hz
        samples = chain.next(as_float32(native))
        if samples.shape[1]:
            yield Block(n / out_hz, samples)
        n += samples.shape[1]
    if chain is not None and (rest := chain.last()).shape[1]:
        yield Block(n / out_hz, rest)


def downmix_weights(layout: Sequence[str]) -> Floats:
    """Weight [shape=(n_channels,)] of each channel in the mono sum that is heard.

    Stereo is the mean of left and right; surround is ITU-R BS.775 to stereo, then the mean, so that dialogue in the
    centre keeps -3 dB and nothing is scaled to fit. Files that name no channels are taken in SMPTE order (6 and 8), or
    as equals.
    """
    if len(layout) == 1:
        return np.ones(1, dtype=np.float32)
    names = layout if all(c in _WEIGHTS for c in layout) else _BY_COUNT.get(len(layout), ())
    if not names or not any(_WEIGHTS[c] for c in names):
        return np.full(len(layout), 1 / len(layout), dtype=np.float32)
    return np.array([_WEIGHTS[c] for c in names], dtype=np.float32)


class _Chain:
    """Mix down, then resample: both linear, the resampler's delay compensated (soxr, linear phase)."""

    def __init__(self, decoder: StreamDecoder, rate_hz: int | None, mono: bool) -> None:
        self.rate_hz = rate_hz or decoder.rate_hz
        self._weights = downmix_weights(decoder.layout) if mono else None
        self._n_channels = 1 if mono else decoder.n_channels
        self._resampler = None
        if self.rate_hz != decoder.rate_hz:
            import soxr

            self._resampler = soxr.ResampleStream(decoder.rate_hz, self.rate_hz, self._n_channels, dtype="float32")

    def next(self, samples: Floats, *, last: bool = False) -> Floats:
        if self._weights is not None and samples.shape[0] == len(self._weights):
            samples = (self._weights @ samples)[np.newaxis]
        if self._resampler is None:
            return samples
        out = self._resampler.resample_chunk(np.ascontiguousarray(samples.T), last=last)
        return np.ascontiguousarray(out.reshape(-1, self._n_channels).T)

    def last(self) -> Floats:
        """What the resampler still holds."""
        nothing = np.zeros((self._n_channels, 0), dtype=np.float32)
        return nothing if self._resampler is None else self.next(nothing, last=True)


class AudioSpool:
    """One stream decoded once: 16 kHz mono float32 in a nameless file, so that any stretch can be read again cheaply.

    In the same pass each native block goes to the consumers, and the digests are made. Reading copies from the file:
    nothing is mapped, and three hours stay on disk (230 MB an hour). `apart`: digests and resampling have threads of their own.
    """

    rate_hz = HEARING_RATE_HZ

    def __init__(
        self,
        path: Path,
        stream_index: int,
        scratch: Path,
        consumers: Sequence[Consumer] = (),
        *,
        apart: bool = False,
    ) -> None:
        self._file = tempfile.TemporaryFile(dir=scratch)  # noqa: SIM115 - lives as long as the spool
        decoder = StreamDecoder(path, stream_index, digests=True, apart=apart)
        self.n_samples = self._fill(decoder, consumers, apart)
        self.native_rate_hz, self.n_channels = decoder.rate_hz, decoder.n_channels
        self.n_native_samples = decoder.n_samples
        self.duration_s: float = decoder.n_samples / decoder.rate_hz
        self.packet_sha256: str = decoder.packet_sha256
        self.pcm_sha256: str | Unmeasured = decoder.pcm_sha256
        self.plays_otherwise: bool = decoder.plays_otherwise  # to other players, another presentation of it

    def _fill(self, decoder: StreamDecoder, consumers: Sequence[Consumer], apart: bool) -> int:
        chain: _Chain | None = None
        n = written = 0

        def keep(samples: Floats) -> None:
            nonlocal chain, written
            chain = chain or _Chain(decoder, HEARING_RATE_HZ, mono=True)
            written += self._write(chain.next(samples))

        with beside(keep, apart=apart) as keeping:
            for native in decoder.blocks(BLOCK_S):
                samples = as_float32(native)
                for consume in consumers:
                    consume(n / decoder.rate_hz, samples)
                n += samples.shape[1]
                keeping(samples)
        if chain is not None:
            written += self._write(chain.last())
        self._file.flush()
        return written

    def _write(self, mono: Floats) -> int:
        try:
            self._file.write(np.ascontiguousarray(mono[0]).data)
        except OSError as error:
            raise MediaError(f"no room for the decoded sound: {error.strerror}", remedy="free disk space") from None
        return int(mono.shape[1])

    def read(self, start_s: float, end_s: float) -> Floats:
        """Samples [shape=(n,)] between two times, cut to the stream's own extent."""
        first, last = self._index(start_s), self._index(end_s)
        return self._samples(max(0, first), min(last, self.n_samples))

    def read_padded(self, start_s: float, end_s: float) -> Floats:
        """Samples [shape=(n,)] between two times, zeros outside the stream."""
        first, last = self._index(start_s), self._index(end_s)
        out = np.zeros(max(0, last - first), dtype=np.float32)
        inside = self._samples(max(0, first), min(last, self.n_samples))
        at = max(0, -first)
        out[at : at + len(inside)] = inside
        return out

    def blocks(self, block_s: float) -> Iterator[Floats]:
        """The whole stream in blocks [shape=(n,)], the last one shorter."""
        step = max(1, round(block_s * self.rate_hz))
        for first in range(0, self.n_samples, step):
            yield self._samples(first, min(first + step, self.n_samples))

    def close(self) -> None:
        """Give the disk space back."""
        self._file.close()

    def _index(self, seconds: float) -> int:
        return round(seconds * self.rate_hz)

    def _samples(self, first: int, last: int) -> Floats:
        if last <= first:
            return np.zeros(0, dtype=np.float32)
        data = os.pread(self._file.fileno(), 4 * (last - first), 4 * first)
        return np.frombuffer(data, dtype=np.float32).copy()
