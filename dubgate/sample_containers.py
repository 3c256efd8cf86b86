"""What the samples are wrapped in: music under speech, FLAC with a title, MP4 with two audio streams, an HLS package."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from dubgate.features import Floats

RATE_HZ = 16_000
FRAME_RATE = 25


def write_flac(path: Path, samples: Floats, *, title: str | None = None) -> None:
    """16-bit FLAC at 16 kHz of samples [shape=(n,) or (n_channels, n)]; what lies over full scale is clipped."""
    import soundfile

    channels = np.atleast_2d(samples)
    with soundfile.SoundFile(path, "w", RATE_HZ, len(channels), "PCM_16", format="FLAC") as file:
        if title is not None:
            file.title = title
        file.write(np.clip(channels.T, -1.0, 1.0))


def write_video(path: Path, original: Floats, dub: Floats, *, title: str | None) -> None:
    """An MP4 with a grey picture at 25 frames a second and two FLAC-in-MP4 streams, German and English."""
    import av

    with av.open(str(path), "w") as container:
        picture = container.add_stream("mpeg4", rate=FRAME_RATE)
        picture.width, picture.height, picture.pix_fmt = 64, 36, "yuv420p"
        streams = []
        for language, name in (("ger", "Deutsch"), ("eng", title)):
            stream: Any = container.add_stream("flac", rate=RATE_HZ)
            stream.layout = "mono"
            stream.metadata["language"] = language
            if name is not None:
                stream.metadata["handler_name"] = stream.metadata["title"] = name
            streams.append(stream)
        _encode_picture(container, picture, max(len(original), len(dub)) / RATE_HZ)
        for stream, samples in zip(streams, (original, dub), strict=True):
            _encode_sound(container, stream, samples)


def _encode_picture(container: Any, stream: Any, duration_s: float) -> None:
    import av

    frame = av.VideoFrame.from_ndarray(np.full((36, 64, 3), 96, dtype=np.uint8), format="rgb24")
    for k in range(int(duration_s * FRAME_RATE)):
        frame.pts, frame.time_base = k, Fraction(1, FRAME_RATE)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def _encode_sound(container: Any, stream: Any, samples: Floats) -> None:
    import av

    pcm = np.round(np.clip(samples, -1.0, 1.0) * 32767).astype(np.int16)
    for first in range(0, len(pcm), 4096):
        frame = av.AudioFrame.from_ndarray(pcm[np.newaxis, first : first + 4096], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE_HZ, first, Fraction(1, RATE_HZ)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def write_hls(folder: Path, played: str, *, name: str | None) -> None:
    """A master playlist whose English rendition plays the file `played` as one segment."""
    label = name or "English"
    (folder / "master.m3u8").write_text(
        "#EXTM3U\n"
        f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="{label}",LANGUAGE="en",DEFAULT=YES,'
        'CHARACTERISTICS="public.machine-generated",URI="english.m3u8"\n'
        '#EXT-X-STREAM-INF:BANDWIDTH=128000,AUDIO="a"\nvideo.m3u8\n',
        encoding="utf-8",
    )
    (folder / "english.m3u8").write_text(
        f"#EXTM3U\n#EXT-X-TARGETDURATION:200\n#EXTINF:200,\n{played}\n#EXT-X-ENDLIST\n", encoding="utf-8"
    )


def music_bed(n: int, speech: Floats, below_speech_db: float) -> Floats:
    """A slow chord sequence with decaying partials, scaled to lie below the speech's RMS."""
    t = np.arange(n) / RATE_HZ
    chords = ((220.0, 261.6, 329.6), (174.6, 220.0, 261.6), (196.0, 246.9, 293.7), (164.8, 207.7, 246.9))
    out = np.zeros(n)
    for k, chord in enumerate(chords):
        beat = (t // 2).astype(int) % len(chords) == k
        for note in chord:
            for partial in (1, 2, 3):
                out += beat * np.sin(2 * np.pi * note * partial * t) / partial**1.5
    out *= 0.4 + 0.6 * np.exp(-1.5 * (t % 2.0))
    loud = speech[np.abs(speech) > 0.01]
    level = np.sqrt(np.mean(loud**2)) if len(loud) else 0.05
    return np.asarray(out * level / np.sqrt(np.mean(out**2)) * 10 ** (-below_speech_db / 20), dtype=np.float32)
