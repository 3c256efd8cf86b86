"""What is in a media file: container, audio and video streams, languages, start times, timecode.

`probe` belongs into the child process; `probe_apart` is that, for the parent.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dubgate.delivery.formats import sniff
from dubgate.delivery.opening import DECODERS, FLOATING_CLOCKS, is_cover, open_media, programme_zero
from dubgate.errors import MediaError
from dubgate.stored import Arrays, from_stored, to_stored

if TYPE_CHECKING:
    from collections.abc import Callable

    from dubgate.delivery.manifest import Source
    from dubgate.sandbox import Limits

# Containers that state how long a stream is, rather than have FFmpeg guess it from bytes and bitrate.
_STATED_DURATIONS = frozenset({"mov", "wav", "w64", "aiff", "caf", "flac", "mxf"})
_MAX_TAGS, _MAX_TAG_CHARS = 200, 4000
_MAX_RATE_HZ, _MAX_CHANNELS = 768_000, 64
_CHOOSE = "Name one by its number: `stream: 1` in delivery.yaml; with qc `--original-stream 1` or `--dub-stream 1`, or by its language."
_NO_SOUND = "Hand in the file that holds the sound."


@dataclass(frozen=True, slots=True)
class AudioStream:
    """`start_s` is where its first presented sample lies on the programme timeline; None: not stated."""

    index: int
    codec: str
    sample_rate_hz: int
    n_channels: int
    layout: str
    language: str | None  # BCP-47
    title: str | None
    start_s: float
    duration_s: float | None
    lossless: bool
    bits: int | None = None


@dataclass(frozen=True, slots=True)
class VideoStream:
    """The frame rate as a ratio, 24000/1001; 0/1 where not stated."""

    index: int
    codec: str
    rate_num: int
    rate_den: int

    @property
    def frame_rate(self) -> Fraction | None:
        return Fraction(self.rate_num, self.rate_den) if self.rate_num else None


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """A media file as its container describes it.

    `zero_s` is the container time of the programme's second 0: the first picture, or the clock's zero where there is
    none (the first presented sound where that clock starts anywhere, as in a transport stream).
    `timecode` is the SMPTE timecode of the first frame as written in the file ("01:00:00:00", "10:00:00;00");
    `time_reference` is a BWF's sample count since midnight.
    """

    name: str
    container: str
    duration_s: float | None
    zero_s: float
    audio: tuple[AudioStream, ...]
    video: tuple[VideoStream, ...]
    timecode: str | None
    time_reference: int | None
    tags: tuple[tuple[str, str], ...]
    n_sounds: int = 0  # streams of sound, also those that dubgate cannot decode

    @property
    def frame_rate(self) -> Fraction | None:
        """Of the first video stream that states one."""
        return next((v.frame_rate for v in self.video if v.frame_rate), None)


def probe(path: Path) -> MediaInfo:
    """Read the headers of a media file.

    Raises:
        MediaError: missing, damaged, cut off, of a refused format, or without any stream of sound or picture.
    """
    demuxer = sniff(path)
    zero = programme_zero(path, demuxer)
    with open_media(path, demuxer) as container:
        audio = tuple(_audio(s, zero, demuxer) for s in container.streams.audio if _known(s))
        video = tuple(_video(s) for s in container.streams.video if not is_cover(s))
        if not audio and not video:
            raise MediaError("neither sound nor picture is in it that dubgate can read", where=str(path))
        return MediaInfo(
            name=path.name,
            container=demuxer,
            duration_s=container.duration / 1e6 if container.duration else None,
            zero_s=float(zero),
            audio=audio,
            video=video,
            timecode=_timecode(container),
            time_reference=_time_reference(container),
            tags=_tags(container.metadata),
            n_sounds=len(container.streams.audio),
        )


def sounds_of(path: Path) -> tuple[tuple[int, str | None], ...]:
    """Index and language of every audio stream, also of those that dubgate cannot decode: a player may.

    Raises:
        MediaError: see `probe`.
    """
    with open_media(path) as container:
        return tuple((s.index, _bcp47(s.metadata.get("language"))) for s in container.streams if s.type == "audio")


def probe_task(request: dict[str, Any], scratch: Path, progress: Callable[[str, float], None]) -> tuple[Any, Arrays]:
    """The child's entry for `probe_apart`."""
    return to_stored(probe(Path(request["path"])))


def probe_apart(path: Path, *, limits: Limits | None = None) -> MediaInfo:
    """`probe` in a child process without network, keys or time to waste; the same errors, and ChildError."""
    from dubgate.errors import ChildError
    from dubgate.sandbox import PROBE_LIMITS, run_in_child

    reply = run_in_child("probe", {"path": str(path.absolute())}, limits=limits or PROBE_LIMITS, inputs=[path])
    try:
        return from_stored(MediaInfo, reply.data, reply.arrays)
    except ValueError as error:
        raise ChildError(f"the probe's answer is malformed: {error}", where=str(path)) from None


def select_stream(info: MediaInfo, *, index: int | None = None, language: str | None = None) -> AudioStream:
    """One audio stream: by container index, else by language (`es` finds `es-MX`), or the only one.

    Raises:
        MediaError: none or several fit; the message lists what is there.
    """
    if index is not None:
        found = [s for s in info.audio if s.index == index]
        wanted = f"no audio stream has index {index}"
    elif language is not None:
        found = [s for s in info.audio if _speaks(s, language)]
        found = found or ([s for s in info.audio if s.language is None] if len(info.audio) == 1 else [])
        wanted = f"no audio stream is marked as {language}" if not found else f"several audio streams are in {language}"
    else:
        found = list(info.audio)
        wanted = "it has several audio streams" if found else "it has no audio stream"
    if len(found) == 1:
        return found[0]
    raise MediaError(f"{wanted}; {_listing(info)}", where=info.name, remedy=_CHOOSE if info.audio else _NO_SOUND)


def stream_of(source: Source) -> AudioStream:
    """The stream that a manifest means, looked up in a child.

    Raises:
        MediaError: the file cannot be read, or none or several of its streams fit.
    """
    return select_stream(probe_apart(source.path), index=source.stream, language=source.language)


def _speaks(stream: AudioStream, language: str) -> bool:
    have, want = (stream.language or "").lower(), language.lower()
    return have == want or have.startswith(want + "-") or (have != "" and want.startswith(have + "-"))


def _listing(info: MediaInfo) -> str:
    if not info.audio:
        other = f"{info.n_sounds} of a codec that dubgate does not decode are" if info.n_sounds else "only pictures are"
        return f"{other} in it"
    rows = (
        f"{s.index}: {s.language or 'no language'}, {s.codec}, {s.n_channels} channels"
        + (f", {s.title!r}" if s.title else "")
        for s in info.audio
    )
    return "there are " + "; ".join(rows)


def _known(stream: Any) -> bool:
    """A stream with a decoder of the list and believable numbers."""
    context = stream.codec_context
    return (
        context is not None
        and context.name in DECODERS
        and 0 < context.sample_rate <= _MAX_RATE_HZ
        and 0 < context.channels <= _MAX_CHANNELS
    )


def _audio(stream: Any, zero: Fraction, demuxer: str) -> AudioStream:
    context = stream.codec_context
    start = (stream.start_time or 0) * Fraction(stream.time_base) - zero
    return AudioStream(
        index=stream.index,
        codec=context.name.removesuffix("float"),
        sample_rate_hz=context.sample_rate,
        n_channels=context.channels,
        layout=context.layout.name,
        language=_bcp47(stream.metadata.get("language")),
        title=_short(stream.metadata.get("title") or _handler(stream)),
        start_s=float(start) if demuxer not in FLOATING_CLOCKS or stream.start_time is not None else 0.0,
        duration_s=stated_duration_s(stream, demuxer),
        lossless=is_lossless(context),
        bits=_bits(context),
    )


def is_lossless(context: Any) -> bool:
    """Do all decoders of this codec give the same samples?"""
    return bool(context.codec.lossless and not context.codec.lossy)


def stated_duration_s(stream: Any, demuxer: str) -> float | None:
    """How long the container says the stream is; None where it does not say, or FFmpeg only guesses."""
    if demuxer not in _STATED_DURATIONS or not stream.duration or stream.duration < 0:
        return None
    seconds = float(stream.duration * stream.time_base)
    return seconds if math.isfinite(seconds) else None


def _bits(context: Any) -> int | None:
    if context.name.startswith("pcm_"):
        digits = "".join(c for c in context.name.split("_")[1] if c.isdigit())
        return int(digits) if digits else None
    extradata = context.extradata or b""
    if context.name == "flac" and len(extradata) >= 18:
        return (((extradata[12] & 1) << 4) | (extradata[13] >> 4)) + 1  # RFC 9639, 8.2
    return extradata[17] if context.name == "alac" and len(extradata) >= 18 else None


def _video(stream: Any) -> VideoStream:
    rate = stream.average_rate or stream.guessed_rate or Fraction(0)
    name = stream.codec_context.name if stream.codec_context is not None else "unknown"
    return VideoStream(stream.index, name, rate.numerator, rate.denominator)


def _bcp47(tag: str | None) -> str | None:
    """Containers hold ISO 639-2 ("fre", "ger") or BCP-47; "und" is nothing."""
    import langcodes

    if not tag or len(tag) > 40:
        return None
    try:
        found = langcodes.standardize_tag(tag.replace("_", "-"))
    except ValueError:
        return None
    return found if found.split("-")[0] not in ("und", "zxx", "mis", "mul") else None


def _timecode(container: Any) -> str | None:
    holders = [*container.streams.video, *container.streams.data, container]
    found = (h.metadata.get(key) for h in holders for key in ("timecode", "TIMECODE"))
    return _short(next((t for t in found if t), None))


def _time_reference(container: Any) -> int | None:
    text = container.metadata.get("time_reference", "")
    return int(text) if text.isdecimal() and len(text) < 20 else None


def _tags(metadata: dict[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple((k[:100], v[:_MAX_TAG_CHARS]) for k, v in sorted(metadata.items())[:_MAX_TAGS])


_NAMELESS = frozenset(
    {
        "soundhandler",
        "core media audio",
        "mainconcept mp4 sound media handler",
        "iso media file produced by google inc.",
    }
)


def _handler(stream: Any) -> str | None:
    """MP4's own place for a track's name (hdlr); what programs write there by default names nothing."""
    name = str(stream.metadata.get("handler_name", "")).strip("\x00 ")
    return None if not name or name.lower() in _NAMELESS else name


def _short(text: str | None) -> str | None:
    return text[:200] if text else None
