"""A programme (dub and original) heard end to end, transcription apart: times real time, and peak memory.

    python tests/bench/programme_speed.py [minutes, default 10] [--rate 48000] [--channels 2] [--rounds 3]

The sample scene repeated to that length; both tracks as FLAC of that rate and so many channels.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import tempfile
import time
from itertools import pairwise
from pathlib import Path

from masters import write_master

from dubgate.delivery.cues import read_cues
from dubgate.hearing import HearingPlan, Source, hear_here
from dubgate.samples import RATE_HZ, Scene, _read, derive, find_samples

WITHOUT = ("transcriber", "aligner")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("minutes", type=float, nargs="?", default=10.0)
    options.add_argument("--rate", type=int, default=48_000)
    options.add_argument("--channels", type=int, default=2)
    options.add_argument("--rounds", type=int, default=3)
    told = options.parse_args()
    samples = find_samples()
    scene = Scene(
        _read(samples / "clean/original.flac"),
        _read(samples / "clean/dub.flac"),
        read_cues(samples / "clean/script.vtt", language="en"),
        samples,
    )
    times = max(1, round(told.minutes * 60 / (len(scene.dub) / RATE_HZ)))
    scene = derive(scene, [{"repeat": {"times": times}}])
    seconds = len(scene.dub) / RATE_HZ
    stages: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / n for n in ("original.flac", "dub.flac")]
        for path, track in zip(paths, (scene.original, scene.dub), strict=True):
            write_master(path, track, told.rate, told.channels)
        plan = HearingPlan(
            Source(str(paths[0]), 0, "original.flac", "de"),
            Source(str(paths[1]), 0, "dub.flac", "en"),
            scene.sheet,
            "embedded",
            "cpu",
            without=WITHOUT,
        )
        took = []
        for _ in range(told.rounds):
            stages.clear()
            hear_here(plan, Path(folder), lambda stage, _share: stages.setdefault(stage, time.perf_counter()))
            took.append(time.perf_counter() - stages["decoding"])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    middle = statistics.median(took)
    print(
        f"{seconds / 60:.1f} min programme, {told.rate} Hz, {told.channels} channels: {middle:.1f} s, {seconds / middle:.1f}x real time (models loaded), peak {peak:.2f} GB resident"
    )
    names = list(stages)
    for first, second in pairwise(names):
        print(f"  {first:<26} {stages[second] - stages[first]:6.2f} s")


if __name__ == "__main__":
    main()
