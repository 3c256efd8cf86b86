"""Regular files alone, opened and digested; and which container one is, told by its first bytes and never by its name."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

from dubgate.errors import ChangedError, MediaError
from dubgate.pinned import pins, place_of

HEAD_BYTES = 65_536
_TEXT_BYTES = 512
_MP4_BOXES = frozenset({b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot", b"styp"})
_W64_RIFF = bytes.fromhex("726966662e91cf11a5d628db04c10000")
MXF_PARTITION = bytes.fromhex("060e2b34020501010d01020101")  # SMPTE ST 377-1; the next byte says which partition
_REMEDY = "dubgate reads WAV, W64, FLAC, MP3, AAC, AC-3, MP4/MOV, Matroska/WebM, Ogg, MPEG-TS, AIFF, CAF and MXF"

# What FFmpeg would follow to other files, named so that the message says what it is.
_SCRIPTS = (
    (b"ffconcat", "a concat script"),
    (b"#extm3u", "an HLS playlist"),
    (b"v=0", "an SDP session description"),
    (b"<?xml", "an XML text"),
    (b"<mpd", "a DASH manifest"),
    (b"<smil", "a SMIL playlist"),
    (b"[playlist]", "a playlist"),
    (b";ffmetadata", "an FFmpeg metadata text"),
    (b"webvtt", "a WebVTT cue sheet"),
)
_PICTURES = ((b"\x89PNG", "a PNG picture"), (b"\xff\xd8\xff", "a JPEG picture"), (b"GIF8", "a GIF picture"))


def sniff(path: Path) -> str:
    """The FFmpeg demuxer for this file: one of the allow-list, from its content.

    Raises:
        MediaError: no regular readable file, an empty one, or content of a format that is not read.
    """
    head, after_tag = read_head(path)
    by_magic = _by_magic(head)
    if len(by_magic) > 1:
        what = f"this can be read as {' and as '.join(by_magic)}: players may play another sound of it"
        raise MediaError(what, where=str(path), remedy=_REMEDY)
    found = by_magic[0] if by_magic else _by_frames(after_tag)
    if found is None:
        raise MediaError(f"this is {_what_else(head)}, not a sound or video file", where=str(path), remedy=_REMEDY)
    return found


def read_head(path: Path) -> tuple[bytes, bytes]:
    """The first 64 KiB of a regular file, and the 64 KiB that follow its ID3 tag (the same bytes where it has none).

    Raises:
        MediaError: missing, a folder, a pipe or device, unreadable, or empty.
    """
    descriptor = open_regular(path)
    try:
        head = os.pread(descriptor, HEAD_BYTES, 0)
        skip = id3_bytes(head)
        after_tag = os.pread(descriptor, HEAD_BYTES, skip) if skip else head
    except OSError as error:
        raise MediaError(f"cannot be read: {error.strerror}", where=str(path)) from None
    finally:
        os.close(descriptor)
    if not head:
        raise MediaError("the file is empty", where=str(path))
    return head, after_tag


def open_regular(path: Path) -> int:
    """A read-only descriptor of a regular file; a pipe is refused without waiting for its writer.

    Raises:
        MediaError: missing, a folder, a pipe or device, or unreadable.
        ChangedError: it is pinned, and another one than was digested.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise MediaError("no such file", where=str(path)) from None
    except (OSError, ValueError) as error:
        raise MediaError(f"cannot be opened: {getattr(error, 'strerror', error)}", where=str(path)) from None
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        kind = "a folder" if stat.S_ISDIR(mode) else "a pipe" if stat.S_ISFIFO(mode) else "a device or socket"
        raise MediaError(f"this is {kind}, not a file", where=str(path))
    try:
        pins().require(str(path), place_of(descriptor))
    except ChangedError:
        os.close(descriptor)
        raise
    return descriptor


def file_sha256(path: Path) -> str:
    """SHA-256 of a regular file's bytes, in hex.

    Raises:
        MediaError: missing, unreadable, or no regular file.
        ChangedError: it is pinned, and another one than was digested.
    """
    with open(open_regular(path), "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def id3_bytes(head: bytes) -> int:
    """Length of an ID3v2 tag at the start, header included; 0 where there is none."""
    if head[:3] != b"ID3" or len(head) < 10 or any(b & 0x80 for b in head[6:10]):
        return 0
    size = (head[6] << 21) | (head[7] << 14) | (head[8] << 7) | head[9]
    return 10 + size + (10 if head[5] & 0x10 else 0)


def is_packed_sound(data: bytes) -> bool:
    """Whether bytes begin sound without a container (AAC in ADTS, MP3, AC-3), which holds no label but in its tags."""
    return _by_frames(data) in ("aac", "mp3", "ac3", "eac3")


def _by_magic(head: bytes) -> list[str]:
    """Every format that it may be taken for; MXF may begin behind other bytes (ST 377-1, run-in)."""
    starts = ((_W64_RIFF, "w64"), (b"OggS", "ogg"), (b"caff", "caf"), (b"\x1aE\xdf\xa3", "matroska"))
    found = [name for magic, name in starts if head.startswith(magic)]
    if head[:4] in (b"RIFF", b"RF64", b"BW64") and head[8:12] == b"WAVE":
        found.append("wav")
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        found.append("aiff")
    if head[4:8] in _MP4_BOXES:
        found.append("mov")
    if MXF_PARTITION in head:
        found += ["mxf"] if head.startswith(MXF_PARTITION) else ["mxf", "something else before it"]
    return found


def _by_frames(data: bytes) -> str | None:
    """Streams without a header of their own: two sync words, one frame apart, must agree."""
    if data.startswith(b"fLaC"):
        return "flac"
    for stride, offset in ((188, 0), (192, 4)):
        syncs = data[offset : offset + 5 * stride : stride]
        if syncs and syncs == b"\x47" * len(syncs) and len(data) >= offset + stride:
            return "mpegts"
    if data[:2] == b"\x0b\x77" and len(data) > 5:
        return "eac3" if data[5] >> 3 > 10 else "ac3"
    if _frames_follow(data, _adts_frame_bytes):
        return "aac"
    return "mp3" if _frames_follow(data, mpeg_frame_bytes) else None


def _frames_follow(data: bytes, frame_bytes: object) -> bool:
    assert callable(frame_bytes)
    first = frame_bytes(data[:16])
    if not first:
        return False
    return len(data) <= first or bool(frame_bytes(data[first : first + 16]))


def _adts_frame_bytes(header: bytes) -> int:
    """Frame length from an ADTS header, 0 where it is none (ISO/IEC 13818-7, 6.2)."""
    if len(header) < 7 or header[0] != 0xFF or header[1] & 0xF6 != 0xF0 or (header[2] >> 2) & 0xF > 12:
        return 0
    length = ((header[3] & 3) << 11) | (header[4] << 3) | (header[5] >> 5)
    return length if length > 7 else 0


_KBPS_V1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_KBPS_V2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_HZ = (44100, 48000, 32000)


def mpeg_frame_bytes(header: bytes) -> int:
    """Frame length from an MPEG-1/2 layer III header, 0 where it is none (ISO/IEC 11172-3, 2.4.1)."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE6 != 0xE2:
        return 0
    version, rate, bitrate = (header[1] >> 3) & 3, (header[2] >> 2) & 3, header[2] >> 4
    if version == 1 or rate == 3 or bitrate in (0, 15):
        return 0
    hz = _HZ[rate] >> {3: 0, 2: 1, 0: 2}[version]
    kbps, factor = (_KBPS_V1[bitrate], 144) if version == 3 else (_KBPS_V2[bitrate], 72)
    return factor * kbps * 1000 // hz + ((header[2] >> 1) & 1)


def _what_else(head: bytes) -> str:
    text = head[:_TEXT_BYTES].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for start, name in _SCRIPTS:
        if text.startswith(start):
            return name
    for magic, name in _PICTURES:
        if head.startswith(magic):
            return name
    printable = sum(32 <= b < 127 or b in b"\t\r\n" or b >= 128 for b in head[:_TEXT_BYTES])
    looks_like_text = b"\0" not in head[:_TEXT_BYTES] and printable >= 0.95 * len(head[:_TEXT_BYTES])
    return "text" if looks_like_text else "of a format that is not read"
