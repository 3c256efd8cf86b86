"""What makes two files, two encodings or two sounds the same: SHA-256 over bytes, over packets, over samples.

`file` over the bytes as they lie on disk. `packet` over the coded packets, the codec's parameters and where the
packets lie on the programme timeline: equal after a re-wrap that changes none of these. `pcm` over the decoded
samples of a lossless codec from second 0 on: equal across lossless codecs and containers, since their decoders agree.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dubgate.delivery.formats import open_regular
from dubgate.delivery.open_writers import is_open_for_writing
from dubgate.errors import ChangedError
from dubgate.pinned import CHANGED, REMEDY, Place, place_of

_READ_BYTES = 1 << 20
_TICK_NS = 20_000_000
_LOOKS = 100
# Their packets are cut anywhere by whoever wrote the file; only the bytes in order mean something.
_NO_PACKETS = "pcm_"
_ALIASES = {"mp3float": "mp3", "mp2float": "mp2", "mp1float": "mp1"}


@dataclass(frozen=True, slots=True)
class Seen:
    """A file as it was digested: its path, its bytes, and what it is on the disk, so that another one shows.

    `real` is where it lay when it was open, whatever links led there; the same file may lie elsewhere by now.
    """

    path: str
    sha256: str
    place: Place
    real: str = field(default="", compare=False)


def seen(path: Path) -> Seen:
    """Digest a regular file, and say which one it was: both of the one that was opened.

    Raises:
        MediaError: missing, unreadable, or no regular file.
        ChangedError: it was written to meanwhile, or somebody has it open for writing.
    """
    with open(open_regular(path), "rb") as file:
        before = _settled(file.fileno(), path)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        if is_open_for_writing(file.fileno()):
            what = "another program has it open for writing, and could change it unseen"
            raise ChangedError(what, where=path.name, remedy=REMEDY)
        if place_of(file.fileno()) != before:
            raise ChangedError(CHANGED, where=path.name, remedy=REMEDY)
        return Seen(str(path.absolute()), digest, before, _real(file.fileno(), path))


def _real(descriptor: int, path: Path) -> str:
    """Where an open file lies, as the kernel knows it; asked by path, a link could say something else by now."""
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}")
    except OSError:
        return os.path.realpath(path)


def _settled(descriptor: int, path: Path) -> Place:
    """What an open file is, once the clock that stamps changes went on since its last one.

    That clock ticks every 4 to 10 ms: what is written in the tick of an earlier change gets that change's time.

    Raises:
        ChangedError: it is written to on and on.
    """
    for _ in range(_LOOKS):
        place = place_of(descriptor)
        left_ns = _TICK_NS - (time.time_ns() - place[3])
        if not 0 < left_ns <= _TICK_NS:  # a change still to come is of another machine's clock
            return place
        time.sleep(left_ns / 1e9)
    raise ChangedError(CHANGED, where=path.name, remedy=REMEDY)


class PacketDigest:
    """Running digest of a coded stream.

    Time is taken in milliseconds, and only where the sound starts or breaks: Matroska keeps no finer clock, and inside
    an unbroken run the samples themselves say where they are.
    """

    def __init__(self, codec: str, rate_hz: int, n_channels: int, parameters: bytes) -> None:
        self._framed = not codec.startswith(_NO_PACKETS)
        self._hash = hashlib.sha256()
        head = {
            "schema": "packets/1.0",
            "codec": _ALIASES.get(codec, codec),
            "rate_hz": rate_hz,
            "n_channels": n_channels,
            "parameters_sha256": hashlib.sha256(parameters_of(codec, parameters)).hexdigest(),
        }
        self._hash.update(_line(head))

    def add(self, packet: Any) -> None:
        """A PyAV packet, in demuxing order."""
        data = memoryview(packet)
        if self._framed:
            self._hash.update(len(data).to_bytes(8, "big"))
        self._hash.update(data)

    def close(self, runs: list[tuple[int, int]], n_samples: int, rate_hz: int) -> str:
        """Hex digest, once the runs [(start sample, frames before it)] and the length are known."""
        placed = [[round(1000 * start / rate_hz), frames if self._framed else 0] for start, frames in runs]
        self._hash.update(_line({"runs": placed, "ms": round(1000 * n_samples / rate_hz)}))
        return self._hash.hexdigest()


def parameters_of(codec: str, extradata: bytes) -> bytes:
    """What the codec needs to know, freed from what containers change.

    FLAC: rate, channels, bits, total samples and the MD5 of STREAMINFO, not the block and frame sizes, which may be left 0.
    AAC: the AudioSpecificConfig without the trailing "no SBR here" that some muxers add. Others as they are.
    """
    if codec == "flac" and len(extradata) >= 34:
        return extradata[10:34]
    if codec == "aac" and extradata[-3:-1] == b"\x56\xe5" and extradata[-1] & 0x80 == 0:
        return extradata[:-3]
    return extradata


class PcmDigest:
    """Running digest of samples since second 0: integers as 32-bit left-justified, floats as 64-bit (little-endian)."""

    def __init__(self, rate_hz: int, n_channels: int, kind: str) -> None:
        self._dtype = "<i4" if kind in "iu" else "<f8"
        self._hash = hashlib.sha256()
        head = {"schema": "pcm/1.0", "rate_hz": rate_hz, "n_channels": n_channels, "samples": self._dtype}
        self._hash.update(_line(head))

    def add(self, samples: NDArray[Any]) -> None:
        """Samples [shape=(n_channels, n)] as the decoder gave them."""
        if samples.dtype.kind in "iu":
            wide = samples.astype("<i4")
            if samples.dtype == np.uint8:
                wide -= 128
            wide <<= 32 - 8 * samples.dtype.itemsize
        else:
            wide = samples.astype(self._dtype)
        self._hash.update(np.ascontiguousarray(wide.T).data)

    def close(self) -> str:
        return self._hash.hexdigest()


def _line(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode() + b"\n"
