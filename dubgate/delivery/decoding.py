"""One stream decoded from start to end on the programme timeline; what is damaged is refused, never skipped.

FFmpeg conceals by default: it drops packets it cannot decode, guesses at cut ones and plays what a truncated file has
left. Here every error detection of the decoders is on and fatal, and lengths are checked against what was announced.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dubgate.delivery.ac3_frames import holds_other_programmes
from dubgate.delivery.digests import PacketDigest, PcmDigest
from dubgate.delivery.formats import sniff
from dubgate.delivery.media import is_lossless, stated_duration_s
from dubgate.delivery.mp4_edits import HIDDEN_S
from dubgate.delivery.opening import DECODERS, open_media, programme_zero
from dubgate.delivery.presentations import plays_otherwise
from dubgate.delivery.structure import mp3_frames
from dubgate.delivery.timeline import JITTER_S, VORBIS_JITTER_S, Timeline
from dubgate.errors import MediaError
from dubgate.side_by_side import beside
from dubgate.unmeasured import Unmeasured

Floats = NDArray[np.float32]
Native = NDArray[Any]  # [shape=(n_channels, n)] in the decoder's own type

_CHECKS = "crccheck+bitstream+buffer+explode"
_MAY_PAUSE = frozenset({"mov", "matroska", "mpegts", "mxf", "ogg"})
_COUNTS_SAMPLES = frozenset({"flac", "wav", "w64", "aiff", "caf"})  # checked to the sample; others state times, rounded
_SHORT_BY_S = 0.1
_REMEDY = "copy or export it again"


LOUDEST = (
    1e4  # of full scale; what lies far above overflows in the sums that are heard, and all around it is heard no more
)


class StreamDecoder:
    """Iterates over blocks [shape=(n_channels, n)] in the decoder's own sample type, gaps filled with silence.

    The first block starts at second 0. After the last block `n_samples`, `packet_sha256` and `pcm_sha256` are known
    (where `digests` is on; `apart`: of samples made by a thread of its own). `layout` names the channels, in order, as FFmpeg
    does ("FL", "FR", "FC"…). `plays_otherwise`: whether its packets hold another presentation, which some players play instead.
    """

    rate_hz: int
    n_channels: int
    layout: tuple[str, ...]
    n_samples: int
    packet_sha256: str
    pcm_sha256: str | Unmeasured

    def __init__(self, path: Path, stream_index: int, *, digests: bool = False, apart: bool = False) -> None:
        self._path, self._stream_index, self._digests, self._apart = path, stream_index, digests, apart
        self._where = f"{path} (stream {stream_index})"
        self.plays_otherwise = False

    def blocks(self, block_s: float) -> Iterator[Native]:
        """Blocks of `block_s` seconds, the last one shorter.

        Raises:
            MediaError: no such stream, damage, backward time stamps, a change of format, or no sound at all.
        """
        demuxer = sniff(self._path)
        zero = programme_zero(self._path, demuxer)
        with open_media(self._path, demuxer) as container:
            stream = self._stream(container)
            for other in container.streams:
                if other is not stream:
                    other.discard = _discard_all()
            yield from self._regular(self._placed(container, stream, zero, demuxer), block_s)

    def _stream(self, container: Any) -> Any:
        found = [s for s in container.streams.audio if s.index == self._stream_index]
        if not found:
            there = ", ".join(str(s.index) for s in container.streams.audio) or "none"
            raise MediaError(f"no such audio stream; there are: {there}", where=self._where)
        context = found[0].codec_context
        if context is None or context.name not in DECODERS:
            raise MediaError("its codec is not one that dubgate reads", where=self._where)
        context.options = {"err_detect": _CHECKS}
        context.thread_type = "AUTO"
        return found[0]

    def _placed(self, container: Any, stream: Any, zero: Fraction, demuxer: str) -> Iterator[Native]:
        """Frames in order, silence between them where time stamps leave a gap, the last one cut to its packet's end."""
        frames = self._frames(container, stream, demuxer)
        first = next(frames, None)
        if first is None:
            raise MediaError("it holds no sound", where=self._where)
        self._begin(stream, first[0])
        clock = _Clock(stream, zero, self.rate_hz)
        jitter_s = VORBIS_JITTER_S if stream.codec_context.name == "vorbis" else JITTER_S
        timeline = Timeline(self._where, self.rate_hz, float(stream.time_base), jitter_s, demuxer in _MAY_PAUSE)
        pending: Native | None = None
        last_packet_end: int | None = None
        for frame, packet_end in _chain(first, frames):
            if pending is not None:
                yield pending
            samples = self._samples(frame)
            placement = timeline.place(clock.samples(frame.pts), samples.shape[1])
            yield from self._silence(placement.silence, samples.dtype)
            pending, last_packet_end = samples[:, placement.cut :], clock.samples(packet_end)
        assert pending is not None
        beyond = timeline.end - last_packet_end if demuxer == "mov" and last_packet_end is not None else 0
        if 0 < beyond < pending.shape[1]:  # the last packet of an MP4 says how much of it is presented
            pending, timeline.end = pending[:, :-beyond], timeline.end - beyond
        yield pending
        self._finish(stream, timeline, zero, demuxer)

    def _frames(self, container: Any, stream: Any, demuxer: str) -> Iterator[tuple[Any, int | None]]:
        """Decoded frames, each with the container time at which its packet ends."""
        self._packets: PacketDigest | None = None
        self._n_packets = self._n_left_out = 0
        context = stream.codec_context
        if self._digests:
            parameters = bytes(context.extradata or b"")
            self._packets = PacketDigest(context.name, context.sample_rate, context.channels, parameters)
        for packet in container.demux(stream):
            if packet.size == 0 and packet.pts is None:  # the end: whatever the decoder still holds
                for frame in packet.decode():
                    yield frame, None
                return
            if packet.is_corrupt and demuxer not in _COUNTS_SAMPLES:
                raise MediaError(f"a damaged packet at {_at(packet)}", where=self._where, remedy=_REMEDY)
            if context.name == "eac3" and holds_other_programmes(bytes(packet)):
                raise MediaError("its E-AC-3 holds several programmes, of which one is heard", where=self._where)
            self.plays_otherwise = self.plays_otherwise or plays_otherwise(context.name, packet)
            self._n_packets += 1
            self._n_left_out += _left_out(packet)
            if self._n_left_out > HIDDEN_S * context.sample_rate:
                raise MediaError(
                    "its packets hold sound that they say is not to be played, and not every player leaves it out",
                    where=self._where,
                    remedy=_REMEDY,
                )
            if self._packets is not None:
                self._packets.add(packet)
            end = packet.pts + packet.duration if packet.pts is not None and packet.duration else None
            for frame in packet.decode():
                if frame.is_corrupt:
                    raise MediaError(f"damaged sound at {_at(packet)}", where=self._where, remedy=_REMEDY)
                yield frame, end

    def _begin(self, stream: Any, frame: Any) -> None:
        self.rate_hz = frame.sample_rate
        self.layout = tuple(c.name for c in frame.layout.channels)
        self.n_channels = len(self.layout)
        self._format = (frame.sample_rate, self.n_channels, frame.format.name)
        self._pcm: PcmDigest | None = None
        if self._digests and is_lossless(stream.codec_context):
            self._pcm = PcmDigest(
                self.rate_hz, self.n_channels, "f" if frame.format.name[:3] in ("flt", "dbl") else "i"
            )

    def _samples(self, frame: Any) -> Native:
        if (frame.sample_rate, frame.layout.nb_channels, frame.format.name) != self._format:
            raise MediaError("its sampling rate or channels change on the way", where=self._where, remedy=_REMEDY)
        samples: Native = frame.to_ndarray()
        if not frame.format.is_planar:
            samples = samples.reshape(-1, self.n_channels).T
        return samples

    def _silence(self, n: int, dtype: Any) -> Iterator[Native]:
        value = 128 if dtype == np.uint8 else 0
        while n > 0:
            chunk = min(n, self.rate_hz)
            yield np.full((self.n_channels, chunk), value, dtype=dtype)
            n -= chunk

    def _regular(self, pieces: Iterator[Native], block_s: float) -> Iterator[Native]:
        """Pieces joined and cut to blocks of one length, hashed and checked on the way."""
        with beside(self._hash, apart=self._apart) as hashing:
            for block in self._cut(pieces, block_s):
                _refuse_no_sound(block, self._where)
                hashing(block)
                yield block
        if self._pcm is not None:
            self.pcm_sha256 = self._pcm.close()

    def _hash(self, block: Native) -> None:
        if self._pcm is not None:
            self._pcm.add(block)

    def _cut(self, pieces: Iterator[Native], block_s: float) -> Iterator[Native]:
        waiting: list[Native] = []
        held = 0
        for piece in pieces:
            waiting.append(piece)
            held += piece.shape[1]
            block = max(1, round(block_s * self.rate_hz))
            if held < block:
                continue
            joined = np.concatenate(waiting, axis=1)
            whole = held - held % block
            for at in range(0, whole, block):
                yield joined[:, at : at + block]
            waiting, held = [joined[:, whole:]], held - whole
        if held:
            yield np.concatenate(waiting, axis=1)

    def _finish(self, stream: Any, timeline: Timeline, zero: Fraction, demuxer: str) -> None:
        self.n_samples = timeline.end
        if self.n_samples == 0:
            raise MediaError("it holds no sound", where=self._where)
        stated = stated_duration_s(stream, demuxer)
        start_s = (stream.start_time or 0) * float(stream.time_base) - float(zero)
        self._refuse_short(None if stated is None else start_s + stated, demuxer)
        if self._packets is not None:
            self.packet_sha256 = self._packets.close(timeline.runs, self.n_samples, self.rate_hz)
        self.pcm_sha256 = Unmeasured(f"{stream.codec_context.name} is not a lossless codec")

    def _refuse_short(self, stated_s: float | None, demuxer: str) -> None:
        """What the container announces must have been decoded."""
        heard_s, slack_s = self.n_samples / self.rate_hz, _SHORT_BY_S
        if demuxer in _COUNTS_SAMPLES:
            slack_s = 0.5 / self.rate_hz
        elif demuxer == "mp3" and (n_frames := mp3_frames(self._path)) is not None:
            stated_s, heard_s, slack_s = float(n_frames), float(self._n_packets), 0.0
        if stated_s is not None and heard_s < stated_s - slack_s:
            share = f"{100 * heard_s / stated_s:.1f} %"
            raise MediaError(
                f"damaged or cut off: {share} of what it announces decodes", where=self._where, remedy=_REMEDY
            )


class _Clock:
    """Container time stamps to samples since the programme's second 0."""

    def __init__(self, stream: Any, zero: Fraction, rate_hz: int) -> None:
        scale = Fraction(stream.time_base) * rate_hz
        self._num, self._den, self._zero = scale.numerator, scale.denominator, float(zero * rate_hz)

    def samples(self, pts: int | None) -> int | None:
        return None if pts is None else round(pts * self._num / self._den - self._zero)


def _refuse_no_sound(block: Native, where: str) -> None:
    if block.dtype.kind == "f" and not (np.abs(block) <= LOUDEST).all():
        if not np.isfinite(block).all():
            raise MediaError("it holds samples that are not numbers (NaN or infinite)", where=where)
        raise MediaError("it holds samples over 80 dB above full scale", where=where, remedy=_REMEDY)


def as_float32(samples: Native) -> Floats:
    """Samples as float32 with full scale at 1.0, channel after channel; floats keep what goes beyond it."""
    # Interleaved samples arrive as a transposed view, over which measures of a channel would take several times as long.
    values = samples.astype(np.float32, order="C", copy=False)
    if samples.dtype == np.uint8:
        return (values - np.float32(128)) / np.float32(128)
    if samples.dtype.kind == "i":
        return values * np.float32(2.0 ** (1 - 8 * samples.dtype.itemsize))
    return values


def _chain(first: Any, rest: Iterator[Any]) -> Iterator[Any]:
    yield first
    yield from rest


def _left_out(packet: Any) -> int:
    """Samples of a packet that FFmpeg drops: an encoder's delay, what fills the last packet, DiscardPadding in Matroska."""
    if not packet.has_sidedata("skip_samples"):
        return 0
    said = bytes(packet.get_sidedata("skip_samples"))
    return int.from_bytes(said[:4], "little") + int.from_bytes(said[4:8], "little")


def _at(packet: Any) -> str:
    return "an unknown time" if packet.pts is None else f"{float(packet.pts * packet.time_base):.3f} s"


def _discard_all() -> Any:
    from av.stream import Discard

    return Discard.all
