"""Tracks as studios deliver them: the samples' 16 kHz sound at another rate and number of channels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile
import soxr

from dubgate.features import Floats
from dubgate.samples import RATE_HZ

BLOCK_S = 60


def write_master(path: Path, track: Floats, rate_hz: int, n_channels: int) -> None:
    """A FLAC of 24 bits; each channel is the track, a little quieter than the one before."""
    gains = (0.9 ** np.arange(n_channels, dtype=np.float32))[:, None]
    with soundfile.SoundFile(path, "w", rate_hz, n_channels, subtype="PCM_24", format="FLAC") as file:
        resampler = soxr.ResampleStream(RATE_HZ, rate_hz, 1, dtype="float32")
        step = BLOCK_S * RATE_HZ
        for first in range(0, len(track), step):
            last = first + step >= len(track)
            block = resampler.resample_chunk(track[first : first + step], last=last).reshape(-1)
            file.write((gains * block).T)
