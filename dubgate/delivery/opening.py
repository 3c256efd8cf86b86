"""A media file opened once, by us: one demuxer, a list of decoders, no way to other files; the programme's zero."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any, NoReturn

from dubgate.delivery.formats import open_regular, sniff
from dubgate.delivery.structure import check_structure
from dubgate.errors import MediaError

DECODERS = frozenset(
    (
        *("aac", "aac_latm", "ac3", "eac3", "alac", "dca", "flac", "mlp", "truehd", "opus", "vorbis"),
        *("mp1float", "mp2", "mp2float", "mp3", "mp3float"),
        *("pcm_alaw", "pcm_mulaw", "pcm_bluray", "pcm_dvd", "pcm_s8", "pcm_u8", "pcm_s16be", "pcm_s16le"),
        *("pcm_s24be", "pcm_s24le", "pcm_s32be", "pcm_s32le", "pcm_f32be", "pcm_f32le", "pcm_f64be", "pcm_f64le"),
        *("pcm_s16le_planar", "pcm_s24le_planar"),
    )
)
# Containers whose clock starts anywhere: the programme then starts with the first thing presented.
FLOATING_CLOCKS = frozenset({"mpegts", "mp3", "aac", "ac3", "eac3"})
_REMEDY = "copy or export it again"
_MAX_STREAMS = 256
_PICTURE_PACKETS, _LOOKED_AT_PACKETS = 32, 4000


@contextmanager
def open_media(path: Path, demuxer: str | None = None) -> Iterator[Any]:
    """The PyAV container of a whole, self-contained file of an allowed format.

    Raises:
        MediaError: the file cannot be read as that format; also for errors of PyAV inside the block.
    """
    import av

    with open(open_regular(path), "rb") as file:
        demuxer = demuxer or sniff(path)
        check_structure(path, file, demuxer)
        try:
            with av.open(file, format=demuxer, io_open=_refuse_to_open, container_options=_OPTIONS) as container:
                if len(container.streams) > _MAX_STREAMS:
                    raise MediaError(f"more than {_MAX_STREAMS} streams", where=str(path))
                yield container
        except av.FFmpegError as error:
            reason = "the decoder fails" if str(error.strerror).startswith("Error number") else error.strerror
            raise MediaError(
                f"damaged, or not what it claims to be ({reason})", where=str(path), remedy=_REMEDY
            ) from None
        except (UnicodeDecodeError, OSError) as error:
            raise MediaError(f"cannot be read: {error}", where=str(path)) from None


_OPTIONS = {"codec_whitelist": ",".join(sorted(DECODERS)), "protocol_whitelist": "none", "enable_drefs": "0"}


def _refuse_to_open(url: str, flags: int, options: object) -> NoReturn:
    raise PermissionError("a media file may not open another file")


def programme_zero(path: Path, demuxer: str) -> Fraction:
    """Container time, in seconds, of the programme's second 0; see MediaInfo.zero_s."""
    with open_media(path, demuxer) as container:
        pictures = [s for s in container.streams.video if not is_cover(s)]
        if pictures and (first := _first_picture(container, pictures[0])) is not None:
            return first
        if demuxer not in FLOATING_CLOCKS:
            return Fraction(0)
        starts = [s.start_time * s.time_base for s in container.streams.audio if s.start_time is not None]
        return min(starts, default=Fraction(0))


def is_cover(stream: Any) -> bool:
    """Is this picture stream cover art, not film?"""
    from av.stream import Disposition

    return bool(stream.disposition & (Disposition.attached_pic | Disposition.still_image))


def _first_picture(container: Any, stream: Any) -> Fraction | None:
    """The earliest time stamp near the start: headers of some formats state another."""
    times = []
    for k, packet in enumerate(container.demux()):
        if packet.stream_index == stream.index and packet.pts is not None and not packet.is_discard:
            times.append(packet.pts)
        if len(times) >= _PICTURE_PACKETS or k >= _LOOKED_AT_PACKETS:
            break
    return min(times) * Fraction(stream.time_base) if times else None
