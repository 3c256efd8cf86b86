"""The coded packets of every stream of a file as digests, without decoding: equal before and after a re-wrap."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from dubgate.delivery.digests import PacketDigest
from dubgate.delivery.formats import open_regular, sniff
from dubgate.delivery.opening import DECODERS
from dubgate.delivery.structure import check_structure
from dubgate.labels.bounds import refused
from dubgate.stored import Arrays

_MS = 1000  # PacketDigest takes times as samples; a sample here is a millisecond


# Without these FFmpeg does not learn how large a picture is; nothing is decoded but what its header needs.
_PICTURES = ("h264", "hevc", "mpeg4", "mpeg2video", "prores", "dnxhd", "mjpeg", "png", "av1", "libdav1d", "vp8", "vp9")
_OPTIONS = {
    "codec_whitelist": ",".join((*sorted(DECODERS), *_PICTURES)),
    "protocol_whitelist": "none",
    "enable_drefs": "0",
}


@contextmanager
def open_to_copy(path: Path) -> Iterator[Any]:
    """The PyAV container of a whole file whose packets are to be copied or digested; in the child process only.

    Raises:
        MediaError: the file cannot be read, or what is done in the block cannot be done with its streams.
    """
    import av

    demuxer = sniff(path)
    with open(open_regular(path), "rb") as file:
        check_structure(path, file, demuxer)
        try:
            with av.open(file, format=demuxer, io_open=_refuse_to_open, container_options=_OPTIONS) as container:
                yield container
        except (av.FFmpegError, ValueError, UnicodeDecodeError) as error:
            raise refused(path, f"its packets cannot be copied ({error})") from None


def _refuse_to_open(url: str, flags: int, options: object) -> NoReturn:
    raise PermissionError("a media file may not open another file")


def packets_task(request: dict[str, Any]) -> tuple[Any, Arrays]:
    """The child's entry: one digest a stream, in the order of the file."""
    return {"packets": packet_digests(Path(request["packets"]))}, {}


def packet_digests(path: Path) -> list[str]:
    """ "type sha256" for each stream: codec, parameters, packets in order, and when the stream starts and ends.

    Raises:
        MediaError: it cannot be read.
    """
    with open_to_copy(path) as container:
        digests = StreamDigests(container)
        for packet in container.demux():
            if packet.size:
                digests.add(packet)
        return digests.close()


class StreamDigests:
    """The same while packets pass; a packet is taken in before anything else is done with it, which may change its times."""

    def __init__(self, container: Any) -> None:
        self._kinds = {s.index: s.type for s in container.streams}
        self._running = {s.index: _digest(s) for s in container.streams}
        self._first: dict[int, int] = {}
        self._last: dict[int, int] = {}

    def add(self, packet: Any) -> None:
        """A packet of any stream."""
        k = packet.stream_index
        self._running[k].add(packet)
        if packet.pts is not None:
            at = round(_MS * packet.pts * packet.time_base)
            self._first[k], self._last[k] = min(self._first.get(k, at), at), max(self._last.get(k, at), at)

    def close(self) -> list[str]:
        """One digest a stream, in the order of the file."""
        return [
            f"{kind} {self._running[k].close([(self._first.get(k, 0), 0)], self._last.get(k, 0), _MS)}"
            for k, kind in self._kinds.items()
        ]


def _digest(stream: Any) -> PacketDigest:
    context = stream.codec_context
    if context is None:
        return PacketDigest(stream.type, 0, 0, b"")
    rate, channels = getattr(context, "sample_rate", 0) or 0, getattr(context, "channels", 0) or 0
    return PacketDigest(context.name, rate, channels, context.extradata or b"")
