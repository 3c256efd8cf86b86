"""Media files made on the spot with PyAV, for tests of what reads them."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import soundfile

# name -> (file suffix, codec, muxer, sample rate): each container of the allow-list with a codec that lives in it
KINDS = {
    "wav": ("wav", "pcm_s16le", "wav", 48_000),
    "rf64": ("wav", "pcm_s24le", "wav", 48_000),
    "w64": ("w64", "pcm_s16le", "w64", 48_000),
    "flac": ("flac", "flac", "flac", 48_000),
    "mp3": ("mp3", "libmp3lame", "mp3", 44_100),
    "aac": ("aac", "aac", "adts", 44_100),
    "ac3": ("ac3", "ac3", "ac3", 48_000),
    "eac3": ("eac3", "eac3", "eac3", 48_000),
    "mp4": ("mp4", "aac", "mp4", 44_100),
    "alac": ("m4a", "alac", "ipod", 44_100),
    "mov": ("mov", "pcm_s24le", "mov", 48_000),
    "matroska": ("mkv", "flac", "matroska", 48_000),
    "webm": ("webm", "libopus", "webm", 48_000),
    "ogg": ("ogg", "vorbis", "ogg", 44_100),
    "opus": ("opus", "libopus", "opus", 48_000),
    "mpegts": ("ts", "aac", "mpegts", 44_100),
    "aiff": ("aiff", "pcm_s16be", "aiff", 44_100),
    "caf": ("caf", "pcm_s16be", "caf", 44_100),
}
DEMUXERS = {"rf64": "wav", "mp4": "mov", "alac": "mov", "webm": "matroska", "opus": "ogg"}


def chirp(rate_hz: int, seconds: float = 2.0, n_channels: int = 1) -> np.ndarray:
    """A sweep [shape=(n_channels, n)] from 200 Hz to 5 kHz at -12 dBFS: it correlates with itself at one lag only."""
    t = np.arange(round(rate_hz * seconds)) / rate_hz
    sweep = 0.25 * np.sin(2 * np.pi * (200 * t + (5000 - 200) / (2 * seconds) * t**2))
    return np.tile(sweep.astype(np.float32), (n_channels, 1))


def make(folder: Path, kind: str, seconds: float = 2.0, *, suffix: str | None = None) -> Path:
    """A file of this kind that holds the chirp."""
    ending, codec, muxer, rate_hz = KINDS[kind]
    options = {"rf64": {"rf64": "always"}, "mp4": {"movflags": "+faststart"}}.get(kind, {})
    path = folder / f"{kind}.{suffix or ending}"
    if codec == "vorbis":  # PyAV brings no Vorbis encoder
        soundfile.write(path, chirp(rate_hz, seconds)[0], rate_hz, format="OGG", subtype="VORBIS")
        return path
    write(path, [chirp(rate_hz, seconds)], rate_hz, codec, muxer, options=options)
    return path


def write(
    path: Path,
    tracks: Sequence[np.ndarray],
    rate_hz: int,
    codec: str,
    muxer: str,
    *,
    languages: Sequence[str] = (),
    titles: Sequence[str] = (),
    video_at_s: float | None = None,
    audio_at_s: float = 0.0,
    jumps: Sequence[tuple[float, float]] = (),
    frame_rate: Fraction = Fraction(25),
    timecode: str | None = None,
    options: dict[str, str] | None = None,
) -> None:
    """Encode tracks [shape=(n_channels, n)] into one file, with a picture track from `video_at_s` on.

    `jumps` are (at_s, by_s): from `at_s` of the sound on, time stamps are moved by `by_s`.
    """
    with av.open(str(path), "w", format=muxer, options=options or {}) as out:
        video = _add_video(out, frame_rate, timecode) if video_at_s is not None else None
        streams = [_add_audio(out, t, rate_hz, codec, k, languages, titles) for k, t in enumerate(tracks)]
        packets = [p for s, t in zip(streams, tracks, strict=True) for p in _encoded(s, t, rate_hz)]
        for packet in packets:
            _move(packet, audio_at_s, jumps)
        if video is not None:
            assert video_at_s is not None
            packets += _pictures(video, video_at_s, frame_rate, tracks[0].shape[1] / rate_hz)
        for packet in sorted(packets, key=lambda p: p.dts * p.time_base):
            out.mux(packet)


def _add_audio(
    out: Any, track: np.ndarray, rate_hz: int, codec: str, k: int, languages: Sequence[str], titles: Sequence[str]
) -> Any:
    stream = out.add_stream(codec, rate=rate_hz)
    stream.codec_context.layout = {1: "mono", 2: "stereo", 6: "5.1"}[track.shape[0]]
    if languages:
        stream.metadata["language"] = languages[k]
    if titles:
        stream.metadata["title"] = titles[k]
    return stream


def _encoded(stream: Any, track: np.ndarray, rate_hz: int) -> list[Any]:
    context = stream.codec_context
    context.open()
    size = context.frame_size or 1024
    resampler = av.AudioResampler(format=context.format, layout=context.layout, rate=rate_hz, frame_size=size)
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(track), format="fltp", layout=context.layout.name)
    frame.sample_rate, frame.pts, frame.time_base = rate_hz, 0, Fraction(1, rate_hz)
    frames = [*resampler.resample(frame), *resampler.resample(None)]
    return [p for f in frames for p in stream.encode(f)] + list(stream.encode(None))


def _move(packet: Any, start_s: float, jumps: Sequence[tuple[float, float]]) -> None:
    at_s = float(packet.pts * packet.time_base)
    by_s = start_s + sum(by for when, by in jumps if at_s >= when - 1e-9)
    ticks = round(by_s / packet.time_base)
    packet.pts += ticks
    packet.dts += ticks


def _add_video(out: Any, frame_rate: Fraction, timecode: str | None) -> Any:
    stream = out.add_stream("mpeg4", rate=frame_rate)
    stream.width = stream.height = 64
    stream.pix_fmt = "yuv420p"
    if timecode:
        stream.metadata["timecode"] = timecode
    return stream


def _pictures(stream: Any, at_s: float, frame_rate: Fraction, seconds: float) -> list[Any]:
    packets = []
    for k in range(max(1, round(seconds * frame_rate))):
        frame = av.VideoFrame(64, 64, "yuv420p")
        frame.pts, frame.time_base = k, 1 / frame_rate
        packets += stream.encode(frame)
    packets += stream.encode(None)
    for packet in packets:
        _move(packet, at_s, ())
    return packets


def remux(source: Path, target: Path, muxer: str) -> None:
    """The same packets in another container."""
    with av.open(str(source)) as given, av.open(str(target), "w", format=muxer) as out:
        kept = given.streams.audio[0]
        stream = out.add_stream_from_template(kept)
        for packet in given.demux(kept):
            if packet.dts is not None:
                packet.stream = stream
                out.mux(packet)


def lag_s(heard: np.ndarray, sent: np.ndarray, rate_hz: int) -> float:
    """How much later `heard` is, by the peak of the cross-correlation, between samples by a parabola."""
    n = max(len(heard), len(sent))
    spectrum = np.fft.rfft(heard, 2 * n) * np.conj(np.fft.rfft(sent, 2 * n))
    correlation = np.fft.fftshift(np.fft.irfft(spectrum))
    k = int(np.argmax(correlation))
    left, peak, right = correlation[k - 1 : k + 2]
    return (k - n + 0.5 * (left - right) / (left - 2 * peak + right)) / rate_hz
