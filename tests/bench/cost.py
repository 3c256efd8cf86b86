"""What hearing costs: seconds of one core for an hour of programme by stage, beside the floor of its operations; from 1 worker to N.

    python tests/bench/cost.py [--workers 2] [--rounds 3]

Stages run one after the other on one thread over the sample scene three times over (five minutes of dub and original). Core seconds, since
other work on the machine moves wall time more. The floor is the stage's multiplications and additions at the rate that torch's own matrix
product reaches on this core: no arrangement of the same arithmetic is faster. A catalogue of 100,000 hours is one dub and one original each.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import torch
from floors import GE2E_LSTM, SILERO_LSTM, swiftf0_per_s
from masters import write_master

from dubgate.delivery.cues import read_cues
from dubgate.gate import QualityRequest, Track, judge_quality
from dubgate.hearing import HearingPlan, Source, _decoded, _pitch, hear_here
from dubgate.hearing_words import alignments_of, lines_to_place, windows_of, words_of
from dubgate.judgement import Clock
from dubgate.sample_containers import write_flac
from dubgate.samples import RATE_HZ, Scene, _read, derive, find_samples
from dubgate.speech.activity import speech_spans
from dubgate.speech.ears import load_ears
from dubgate.voice_segments import lines_of, voices_of

CATALOGUE_H = 100_000


@dataclass(frozen=True)
class Stage:
    """Core seconds for an hour of programme, and the floor where its operations were counted."""

    name: str
    tracks: int
    per_hour: float
    floor: float | None = None


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--workers", type=int, default=2)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--scenes", type=int, default=3, help="how often the scene of 102 s is repeated")
    options.add_argument("--apart", action="store_true", help="leave words and alignment out")
    options.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    told = options.parse_args()
    if told.work:
        _work()
        return
    torch.set_num_threads(1)
    print(
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, torch {torch.__version__}, load {os.getloadavg()[0]:.1f}"
    )
    flops = _matmul_rate()
    print(f"one core: {flops / 1e9:.0f} GFLOP/s in torch's matrix product (float32)\n")
    stages = _stages(told.scenes, told.rounds, flops, with_words=not told.apart)
    print(
        "| stage | tracks | core s an hour | times real time | floor, core s | hours a core hour |\n| --- | --- | --- | --- | --- | --- |"
    )
    for s in stages:
        floor = "" if s.floor is None else f"{s.floor:.1f}"
        print(
            f"| {s.name} | {s.tracks} | {s.per_hour:.1f} | {3600 * s.tracks / s.per_hour:.0f} | {floor} | {3600 / s.per_hour:.0f} |"
        )
    counted = [s for s in stages if not s.name.startswith("(")]
    without = sum(s.per_hour for s in counted if s.name not in ("words", "alignment"))
    for name, cost in (("all but words and alignment", without), ("all", sum(s.per_hour for s in counted))):
        print(
            f"{name}: {cost:.0f} core s an hour, {3600 / cost:.1f}x real time on one core; "
            f"{CATALOGUE_H:,} hours: {CATALOGUE_H * cost / 3600:,.0f} core hours"
        )
    one, many = _scaling(1), _scaling(told.workers)
    print(
        f"{told.workers} workers of one thread each: {many / one:.2f} times one ({one:.1f}x and {many:.1f}x real time)"
    )


def _matmul_rate() -> float:
    a = torch.randn(768, 768)
    best = 0.0
    for _ in range(20):
        started = time.process_time()
        for _ in range(5):
            a @ a
        best = max(best, 5 * 2 * 768**3 / max(time.process_time() - started, 1e-9))
    return best


def _scene(times: int) -> Scene:
    samples = find_samples()
    sheet = read_cues(samples / "clean/script.vtt", language="en")
    scene = Scene(_read(samples / "clean/original.flac"), _read(samples / "clean/dub.flac"), sheet, samples)
    return derive(scene, [{"repeat": {"times": times}}])


def _stages(scenes: int, rounds: int, flops: float, *, with_words: bool) -> list[Stage]:
    scene = _scene(scenes)
    seconds = len(scene.dub) / RATE_HZ
    ears = load_ears("embedded", "cpu", language="en")

    def cost(run: Callable[[], Any], n: int = rounds, *, warm: bool = True) -> tuple[float, Any]:
        took = []
        if warm:
            run()
        for _ in range(n):
            started = time.process_time()
            answer = run()
            took.append(time.process_time() - started)
        return float(np.median(took)) * 3600 / seconds, answer

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "dub.flac"
        write_flac(path, scene.dub)
        source = Source(str(path), 0, "dub.flac", "en")
        decoding, decoded = cost(lambda: _decoded(source, Path(folder), ears))
        spool = decoded.spool
        masters = []
        for n_channels in (2, 6):
            master = Path(folder) / f"{n_channels}.flac"
            write_master(master, scene.dub, 48_000, n_channels)
            masters.append(cost(partial(_decoded, Source(str(master), 0, "master", "en"), Path(folder), ears))[0])
        activity, prob = cost(lambda: ears.voice_activity.speech_prob_blocks(spool.blocks(30.0)))
        speech = speech_spans(prob)
        pitch, _ = cost(lambda: _pitch(ears, spool))
        lines = lines_of(scene.sheet, speech)
        voices, _ = cost(lambda: voices_of(ears.encoder, ears.diarizer, spool, lines))
        words = alignment = 0.0
        if with_words:
            words, _ = cost(
                lambda: words_of(ears, spool, windows_of(speech, spool.duration_s), "en", lambda *_: None),
                1,
                warm=False,
            )
            alignment, _ = cost(lambda: alignments_of(ears, spool, lines_to_place(scene.sheet), "en"), 1, warm=False)
        judging = _judging(scene, path, Path(folder), cost)
    heard_s = sum(s.duration_s for line in lines for s in line.speech) * 3600 / seconds
    return [
        Stage("decoding, levels, energy: 48 kHz stereo FLAC", 2, 2 * masters[0]),
        Stage("(of 48 kHz 5.1)", 2, 2 * masters[1]),
        Stage("(of 16 kHz mono)", 2, 2 * decoding),
        Stage("voice activity", 2, 2 * activity, 2 * 3600 * SILERO_LSTM / flops),
        Stage("pitch", 2, 2 * pitch, 2 * 3600 * swiftf0_per_s() / flops),
        Stage("voices", 2, 2 * voices, 2 * heard_s * GE2E_LSTM / flops),
        *([Stage("words", 1, words), Stage("alignment", 1, alignment)] if with_words else []),
        Stage("measuring and judging", 1, judging),
    ]


def _judging(scene: Scene, path: Path, folder: Path, cost: Callable[..., tuple[float, Any]]) -> float:
    source = Source(str(path), 0, "dub.flac", "en")
    plan = HearingPlan(source, source, scene.sheet, "embedded", "cpu", without=("transcriber", "aligner"))
    features = hear_here(plan, folder, lambda *_: None)
    request = QualityRequest(Track(path), Track(path))
    at = datetime(2026, 11, 20, tzinfo=UTC)
    took, _ = cost(lambda: judge_quality(request, features, scene.sheet, at=at, clock=Clock(), streams=(0, 0)))
    return took


def _scaling(workers: int) -> float:
    """Times real time that so many processes of one thread reach together, transcription apart."""
    command = [sys.executable, __file__, "--work"]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(workers)]
    return sum(float(p.communicate()[0].split()[-1]) for p in running)


def _work() -> None:
    """Hear the scene four times; say how many times faster than real time."""
    scene = _scene(1)
    seconds = len(scene.dub) / RATE_HZ
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{n}.flac" for n in ("original", "dub")]
        for path, track in zip(paths, (scene.original, scene.dub), strict=True):
            write_master(path, track, 48_000, 2)
        sources = [Source(str(p), 0, p.name, "en") for p in paths]
        plan = HearingPlan(*sources, scene.sheet, "embedded", "cpu", without=("transcriber", "aligner"))
        loaded = []
        hear_here(plan, Path(folder), lambda stage, _: None)
        for _ in range(4):
            marks: dict[str, float] = {}
            hear_here(plan, Path(folder), lambda stage, _, marks=marks: marks.setdefault(stage, time.perf_counter()))
            loaded.append(time.perf_counter() - marks["decoding"])
    print(seconds / float(np.median(loaded)))


if __name__ == "__main__":
    main()
