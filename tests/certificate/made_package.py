"""A master in FLAC and its HLS or DASH package of AAC renditions, made on the spot by PyAV's own muxers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import soundfile
import soxr
from made_certificate import AT, Place, make_place
from made_delivery import SOUNDS, features
from numpy.typing import NDArray

from dubgate.delivery.audio import AudioSpool
from dubgate.digesting import Sound as DubSound
from dubgate.features import Published

Sound = NDArray[np.float32]  # [shape=(n,)], mono
RATE_HZ = 48_000
BITRATES = (64_000, 96_000, 128_000)
LABEL = "English [AI]"


def read_sound(path: Path, start_s: float, end_s: float) -> Sound:
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    chosen = samples[round(start_s * rate) : round(end_s * rate)].mean(axis=1)
    return np.asarray(soxr.resample(chosen, rate, RATE_HZ), dtype=np.float32)


def write_master(path: Path, sound: Sound) -> Path:
    soundfile.write(path, sound, RATE_HZ, format="FLAC", subtype="PCM_16")
    return path


def rendition(folder: Path, sound: Sound, bitrate: int, *, form: str = "fmp4", segment_s: int = 2) -> None:
    """A media playlist `index.m3u8` of AAC segments in `folder`; of sound [shape=(2, n)] in stereo."""
    folder.mkdir(parents=True)
    options = {
        "hls_time": str(segment_s),
        "hls_playlist_type": "vod",
        "hls_list_size": "0",
        "hls_segment_filename": str(folder / ("s%d.ts" if form == "ts" else "s%d.m4s")),
        **({} if form == "ts" else {"hls_segment_type": "fmp4", "hls_fmp4_init_filename": "init.mp4"}),
    }
    with av.open(str(folder / "index.m3u8"), "w", format="hls", options=options) as out:
        channels = np.atleast_2d(sound)
        layout = "mono" if len(channels) == 1 else "stereo"
        stream = out.add_stream("aac", rate=RATE_HZ, layout=layout)
        stream.bit_rate = bitrate
        for at in range(0, channels.shape[1], 1024):
            piece = np.ascontiguousarray(channels[:, at : at + 1024])
            frame = av.AudioFrame.from_ndarray(piece, format="fltp", layout=layout)
            frame.sample_rate, frame.pts, frame.time_base = RATE_HZ, at, Fraction(1, RATE_HZ)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))


def master_playlist(folder: Path, names: Sequence[tuple[str, str]], *, token: bool = True) -> Path:
    """`master.m3u8` with one group per rendition: (folder, NAME)."""
    rows = ["#EXTM3U", "#EXT-X-VERSION:7"]
    marked = ',CHARACTERISTICS="public.machine-generated"' if token else ""
    for k, (place, name) in enumerate(names):
        rows.append(
            f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a{k}",NAME="{name}",LANGUAGE="en"{marked},URI="{place}/index.m3u8"'
        )
    for k, (place, _) in enumerate(names):
        rows.append(f'#EXT-X-STREAM-INF:BANDWIDTH={BITRATES[k % 3]},CODECS="mp4a.40.2",AUDIO="a{k}"')
        rows.append(f"{place}/index.m3u8")
    path = folder / "master.m3u8"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


# a place whose master is real sound


def make_sounding_place(folder: Path, sound: Sound) -> Place:
    """A place whose dub is `sound` in FLAC, judged, with what was heard of it standing for that very file."""
    folder.mkdir(exist_ok=True)
    made = make_place(folder)
    world = made.world
    dub = write_master(world.delivery.root / "dub.flac", sound)
    (folder / "scratch").mkdir()
    spool = AudioSpool(dub, 0, folder / "scratch")
    pcm = spool.pcm_sha256
    approved = DubSound(spool.packet_sha256, pcm, spool.duration_s)
    sounds = replace(SOUNDS, dub=approved)
    (world.delivery.root / "evidence" / "approval.json").write_bytes(world.approval(sounds=sounds))
    heard = features()
    heard = replace(heard, dub=replace(heard.dub, packet_sha256=spool.packet_sha256))
    heard = replace(heard, published=Published(spool.packet_sha256, pcm, cancelled=(), in_effects=(), beside=()))
    return replace(made, right=world.judged(at=AT, heard=heard))


def make_package(
    folder: Path,
    sounds: Sequence[Sound],
    *,
    names: Sequence[str] = (LABEL,) * 3,
    form: str = "fmp4",
    token: bool = True,
) -> Path:
    """An HLS package of three bitrates in `folder`; its master playlist."""
    folder.mkdir(parents=True)
    for k, sound in enumerate(sounds):
        rendition(folder / f"a{k}", sound, BITRATES[k], form=form)
    return master_playlist(folder, [(f"a{k}", name) for k, name in enumerate(names)], token=token)
