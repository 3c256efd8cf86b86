"""Rooms, microphones and the effects of a mixing desk, for the scenes of `behind_scenes.py`."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
import soxr
from numpy.typing import NDArray

from dubgate.features import Floats

RATE_HZ = 16_000
SOUND_MPS = 343.0
_FINER = 4  # image sources are placed at this many times the rate
_PADDED = 0.05  # s
STEREO = ("FL", "FR")
SURROUND = ("FL", "FR", "FC", "LFE", "BL", "BR")  # as FFmpeg names the channels of "5.1"

Points = NDArray[np.float64]


def images(room_m: Points, source_m: Points, reach_m: float) -> tuple[Points, NDArray[np.int64]]:
    """Mirrored sources of a box-shaped room within reach of its middle [shape=(n, 3)], and by how many walls each is mirrored."""
    per_axis = [np.arange(-n, n + 1) for n in np.ceil(reach_m / (2 * room_m)).astype(int)]
    found, counts = [], []
    for flip in np.ndindex(2, 2, 2):
        n = np.stack(np.meshgrid(*per_axis, indexing="ij"), axis=-1).reshape(-1, 3)
        at = 2 * n * room_m + np.where(flip, -source_m, source_m)
        near = np.linalg.norm(at - room_m / 2, axis=1) < reach_m
        found.append(at[near])
        counts.append(np.abs(2 * n[near] - np.asarray(flip)).sum(axis=1))
    return np.concatenate(found), np.concatenate(counts)


def impulse(
    room_m: Points,
    rt60_s: float,
    source_m: Points,
    microphone_m: Points,
    rng: np.random.Generator,
    *,
    direct: bool = True,
) -> Floats:
    """What a microphone hears of a click (image sources, walls by Eyring's formula, far images moved a little against flutter)."""
    volume = float(np.prod(room_m))
    walls = 2 * float(room_m[0] * room_m[1] + room_m[1] * room_m[2] + room_m[0] * room_m[2])
    reflected = np.sqrt(np.exp(-0.161 * volume / (walls * rt60_s)))
    reach = SOUND_MPS * min(0.8 * rt60_s, 1.0)
    at, bounces = images(room_m, source_m, reach)
    at = at + np.where(bounces[:, None] > 0, rng.uniform(-0.06, 0.06, at.shape), 0)
    if not direct:
        at, bounces = at[bounces > 0], bounces[bounces > 0]
    far = np.linalg.norm(at - microphone_m, axis=1)
    out = np.zeros(int((reach + np.linalg.norm(room_m)) / SOUND_MPS * RATE_HZ * _FINER) + 2)
    np.add.at(out, np.rint(far / SOUND_MPS * RATE_HZ * _FINER).astype(int), reflected**bounces / np.maximum(far, 0.1))
    return _audible(soxr.resample(np.pad(out, round(_PADDED * RATE_HZ * _FINER)), RATE_HZ * _FINER, RATE_HZ) * _FINER)


def _audible(response: Floats) -> Floats:
    """Without what lies below 50 Hz, which mirrored sources add up to."""
    from scipy.signal import butter, sosfilt

    return np.asarray(sosfilt(butter(2, 50, "highpass", fs=RATE_HZ, output="sos"), response), dtype=np.float32)


def convolved(voice: Floats, responses: Sequence[Floats]) -> Floats:
    """The voice through each response [shape=(n_channels, n)]."""
    from scipy.signal import fftconvolve

    first = round(_PADDED * RATE_HZ)
    return np.stack([fftconvolve(voice, r)[first : first + len(voice)] for r in responses]).astype(np.float32)


def diffuse(seed_rng: np.random.Generator, rt60_s: float) -> list[Floats]:
    """A reverberator's return: decaying noise, another in each channel, each of power 1."""
    n, ahead = int(rt60_s * RATE_HZ), round(_PADDED * RATE_HZ)
    tails = seed_rng.standard_normal((2, n)) * np.exp(-6.9 * np.arange(n) / n)
    tails /= np.linalg.norm(tails, axis=1, keepdims=True)
    return [np.pad(t, (ahead + round(seed_rng.uniform(0, 0.03) * RATE_HZ), 0)).astype(np.float32) for t in tails]


def panned(voice: Floats, to: float) -> Floats:
    """From left, 0, to right, 1, of equal power."""
    return np.stack([np.cos(to * np.pi / 2) * voice, np.sin(to * np.pi / 2) * voice]).astype(np.float32)


def late(voice: Floats, ms: float) -> Floats:
    hz = np.fft.rfftfreq(len(voice), 1 / RATE_HZ)
    return np.fft.irfft(np.fft.rfft(voice) * np.exp(-2j * np.pi * hz * ms / 1000), len(voice)).astype(np.float32)


def wavering(voice: Floats, ms: float, depth_ms: float, hz: float) -> Floats:
    """Late by a time that swings: a voice of a chorus."""
    at = (
        np.arange(len(voice))
        - (ms + depth_ms * np.sin(2 * np.pi * hz * np.arange(len(voice)) / RATE_HZ)) * RATE_HZ / 1000
    )
    return np.interp(at, np.arange(len(voice)), voice, left=0.0).astype(np.float32)


def turned(voice: Floats, degrees: float) -> Floats:
    """All pitches turned by the same phase."""
    spectrum = np.fft.rfft(voice) * np.exp(1j * np.radians(degrees))
    return np.fft.irfft(spectrum, len(voice)).astype(np.float32)


def widened(stereo: Floats, by: float) -> Floats:
    middle, side = (stereo[0] + stereo[1]) / 2, (stereo[0] - stereo[1]) / 2
    return np.stack([middle + by * side, middle - by * side]).astype(np.float32)


def banded(voice: Floats, edges_hz: Sequence[float], gain: float) -> Floats:
    """Left the voice; right, in every other band, the voice times `gain`."""
    hz = np.fft.rfftfreq(len(voice), 1 / RATE_HZ)
    right = np.where(np.searchsorted(edges_hz, hz) % 2, gain, 1.0)
    return np.stack([voice, np.fft.irfft(np.fft.rfft(voice) * right, len(voice))]).astype(np.float32)


def placed(n: int, **channels: Floats) -> Floats:
    """Six channels."""
    out = np.zeros((6, n), dtype=np.float32)
    for name, sound in channels.items():
        out[SURROUND.index(name)] += sound
    return out


def pink(n: int, rng: np.random.Generator) -> Floats:
    hz = np.maximum(np.fft.rfftfreq(n, 1 / RATE_HZ), 40)
    noise = np.fft.irfft(np.fft.rfft(rng.standard_normal(n)) / np.sqrt(hz), n)
    return np.asarray(noise / noise.std(), dtype=np.float32)


def coded(channels: Floats, codec: str, bitrate: int) -> Floats:
    """As a player decodes it: AAC in MP4 or Opus in Ogg, at 48 kHz."""
    import av

    layout = "stereo" if len(channels) == 2 else "5.1"
    at_48k = np.ascontiguousarray(np.clip(soxr.resample(channels.T, RATE_HZ, 48_000).T, -1, 1), dtype=np.float32)
    file = io.BytesIO()
    with av.open(file, "w", format="mp4" if codec == "aac" else "ogg") as out:
        stream = out.add_stream(codec, rate=48_000, layout=layout)
        stream.bit_rate = bitrate
        as_wanted = av.AudioResampler(
            format=stream.codec_context.format.name, layout=layout, rate=48_000, frame_size=960
        )
        frame = av.AudioFrame.from_ndarray(at_48k, format="fltp", layout=layout)
        frame.sample_rate, frame.pts = 48_000, 0
        for part in [*as_wanted.resample(frame), *as_wanted.resample(None), None]:
            out.mux(stream.encode(part))
    file.seek(0)
    with av.open(file) as given:
        planar = av.AudioResampler(format="fltp", layout=layout)
        heard = [part.to_ndarray() for frame in given.decode(audio=0) for part in planar.resample(frame)]
    back = soxr.resample(np.concatenate(heard, axis=1).T, 48_000, RATE_HZ).T[:, : channels.shape[1]]
    return np.asarray(back, dtype=np.float32)
