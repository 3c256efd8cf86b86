"""The figures of one GPU in one run: each stage, the whole check without words, its memory, and the verdicts against the CPU's.

    python tests/bench/gpu.py [--minutes 60] [--rounds 5] [--device cuda] [--at-once 8] [--without-verdicts]

Needs no speech but the samples'. Rates are times real time of one track, medians after one warm-up; floors are the network's multiplications
and additions at the rate that torch's own float32 matrix product reaches on the card. With `--device cpu --minutes 2` it runs anywhere.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from floors import GE2E_LSTM, SILERO_LSTM, swiftf0_per_s

from dubgate.delivery.cues import read_cues
from dubgate.hearing import GPU_ACTIVITY_BLOCK_S, HearingPlan, Source, _decoded, _pitch, hear_here
from dubgate.sample_containers import write_flac
from dubgate.samples import RATE_HZ, Scene, _read, derive, find_samples
from dubgate.speech.activity import speech_spans
from dubgate.speech.device import n_threads
from dubgate.speech.ears import Ears, load_ears
from dubgate.voice_segments import lines_of, voices_of

WITHOUT_WORDS = ("transcriber", "aligner")
THREE_HOURS_MIN = 180.0
LONGEST_S = 400.0  # a worker that died must not hold the others for ever


@dataclass(frozen=True, slots=True)
class Taken:
    """Seconds of each round, and the most bytes that torch held on the card meanwhile."""

    seconds: tuple[float, ...]
    peak_bytes: int

    def row(self, name: str, sound_s: float, target: str = "", floor_s: float | None = None) -> str:
        rates = sorted(sound_s / s for s in self.seconds)
        floor = "" if floor_s is None else f"{sound_s / floor_s:,.0f}x"
        spread = f"{rates[0]:,.0f} to {rates[-1]:,.0f}x"
        return f"| {name} | {statistics.median(rates):,.0f}x | {spread} | {floor} | {self.peak_bytes / 1e9:.2f} GB | {target} |"


def take(run: Callable[[], Any], rounds: int) -> Taken:
    """One warm-up, then each round by the clock until the card has ended."""
    cuda = torch.cuda.is_available()
    run()
    if cuda:
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
    seconds = []
    for _ in range(rounds):
        started = time.perf_counter()
        run()
        if cuda:
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - started)
    return Taken(tuple(seconds), torch.cuda.max_memory_allocated() if cuda else 0)


def made(folder: Path, minutes: float) -> tuple[HearingPlan, float]:
    """A programme of about so long in a folder, and its seconds."""
    samples = find_samples()
    sheet = read_cues(samples / "clean/script.vtt", language="en")
    scene = Scene(_read(samples / "clean/original.flac"), _read(samples / "clean/dub.flac"), sheet, samples)
    scene = derive(scene, [{"repeat": {"times": max(1, round(minutes * 60 * RATE_HZ / len(scene.dub)))}}])
    sources = []
    for name, track in (("original", scene.original), ("dub", scene.dub)):
        write_flac(folder / f"{name}.flac", track)
        sources.append(Source(str(folder / f"{name}.flac"), 0, f"{name}.flac", "en"))
    return HearingPlan(sources[0], sources[1], scene.sheet, "embedded", without=WITHOUT_WORDS), len(scene.dub) / RATE_HZ


def matmul_flops(device: str) -> float:
    """Multiplications and additions a second of torch's float32 matrix product, without TF32."""
    n = 8192 if device == "cuda" else 768
    a = torch.randn(n, n, device=device)
    return 2 * n**3 / min(take(lambda: a @ a, 10).seconds)


def stages(plan: HearingPlan, seconds: float, device: str, rounds: int, scratch: Path) -> None:
    """Prints a row a stage: over the dub, decoded before."""
    ears = load_ears("embedded", device, language="en", without=WITHOUT_WORDS)
    spool = _decoded(plan.dub, scratch).spool
    flops = matmul_flops(device)
    print(f"torch's float32 matrix product: {flops / 1e12:.2f} TFLOP/s; {seconds / 60:.0f} minutes of sound\n")
    print(
        "| stage | times real time | spread | floor | most on the card | target |\n| --- | --- | --- | --- | --- | --- |"
    )
    prob = ears.voice_activity.speech_prob_blocks(spool.blocks(GPU_ACTIVITY_BLOCK_S))
    lines = lines_of(plan.sheet, speech_spans(prob))
    heard_s = sum(s.duration_s for line in lines for s in line.speech)
    activity = take(lambda: ears.voice_activity.speech_prob_blocks(spool.blocks(GPU_ACTIVITY_BLOCK_S)), rounds)
    print(activity.row("voice activity", seconds, floor_s=seconds * SILERO_LSTM / flops), flush=True)
    pitch = take(lambda: _pitch(ears, spool), rounds)
    print(pitch.row("pitch", seconds, "5,000x", seconds * swiftf0_per_s() / flops), flush=True)
    voices = take(lambda: _voices(ears, spool, lines), rounds)
    print(voices.row("speaker vectors (GE2E), of speech", heard_s, "5,000x", heard_s * GE2E_LSTM / flops), flush=True)
    _wespeaker(spool, lines, heard_s, device, rounds, scratch)
    print(
        take(lambda: _decoded(plan.dub, scratch, ears), rounds).row("decoding and levels (processor)", seconds),
        flush=True,
    )


def _voices(ears: Ears, spool: Any, lines: Any) -> Any:
    return voices_of(ears.encoder, ears.diarizer, spool, lines)


def _wespeaker(spool: Any, lines: Any, heard_s: float, device: str, rounds: int, scratch: Path) -> None:
    """With random weights: its speed does not depend on them."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "speech"))
    try:
        from made_wespeaker import pyannote_module, write_checkpoint
    except ImportError as error:
        print(f"| speaker vectors (WeSpeaker) | not run: {error} | | | | |")
        return
    from dubgate.speech.wespeaker import WeSpeaker

    write_checkpoint(scratch, pyannote_module())
    encoder = WeSpeaker(scratch, "0" * 64, device=device)
    clips = [np.concatenate([spool.read(s.start_s, s.end_s) for s in line.speech]) for line in lines if line.speech]
    row = take(lambda: encoder.embed(clips), max(1, rounds // 2))
    print(row.row("speaker vectors (WeSpeaker, random weights), of speech", heard_s, "5,000x"), flush=True)


def programme(minutes: float, device: str, rounds: int, target: str) -> None:
    """Both tracks from files to features, words apart, models loaded anew each time but not counted."""
    with tempfile.TemporaryDirectory() as folder:
        plan, seconds = made(Path(folder), minutes)
        plan = HearingPlan(plan.original, plan.dub, plan.sheet, plan.models, device, without=plan.without)
        seconds_taken: list[float] = []

        def run() -> None:
            marks: dict[str, float] = {}
            hear_here(plan, Path(folder), lambda stage, _: marks.setdefault(stage, time.perf_counter()))
            seconds_taken.append(time.perf_counter() - marks["decoding"])

        peak = take(run, rounds).peak_bytes
        print(
            Taken(tuple(seconds_taken[1:]), peak).row(
                f"dub and original, {minutes:.0f} min, words apart", seconds, target
            )
        )


def programmes(minutes: float, device: str, n: int) -> None:
    """`n` programmes side by side in a process each on the one card, as `dubgate batch --workers n` hears them.

    The clock runs from when the last has loaded its models and been through a first programme until the last has ended.
    """
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        plan, seconds = made(Path(folder), minutes)
        plan = HearingPlan(plan.original, plan.dub, plan.sheet, plan.models, device, without=plan.without)
        ready, heard = context.Barrier(n + 1), context.Barrier(n + 1)
        threads = str(max(1, n_threads() // n))
        workers = [context.Process(target=_worker, args=(plan, threads, ready, heard)) for _ in range(n)]
        for worker in workers:
            worker.start()
        ready.wait(timeout=LONGEST_S)
        started = time.perf_counter()
        heard.wait(timeout=LONGEST_S)
        taken = Taken((time.perf_counter() - started,), 0)
        for worker in workers:
            worker.join()
    print(
        taken.row(
            f"{n} programmes at once, dub and original, {minutes:.0f} min each, words apart", n * seconds, "1,000x"
        )
    )


def _worker(plan: HearingPlan, threads: str, ready: Any, heard: Any) -> None:
    os.environ["OMP_NUM_THREADS"] = threads
    torch.set_num_threads(int(threads))
    with tempfile.TemporaryDirectory() as scratch:
        hear_here(plan, Path(scratch), lambda *_: None)
    waited = False

    def progress(stage: str, _: float) -> None:
        nonlocal waited
        if stage == "decoding" and not waited:
            waited = True
            ready.wait(timeout=LONGEST_S)

    with tempfile.TemporaryDirectory() as scratch:
        hear_here(plan, Path(scratch), progress)
    heard.wait(timeout=LONGEST_S)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--minutes", type=float, default=60.0)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--device", default="cuda", choices=["cpu", "cuda"])
    options.add_argument("--at-once", type=int, default=8, help="programmes side by side on the card")
    options.add_argument("--without-verdicts", action="store_true")
    options.add_argument("--without-three-hours", action="store_true")
    told = options.parse_args()
    card = torch.cuda.get_device_name() if told.device == "cuda" else "the processor"
    print(
        f"{datetime.now(UTC):%Y-%m-%d}, {card}, {os.cpu_count()} cores, {n_threads()} threads, torch {torch.__version__}"
    )
    with tempfile.TemporaryDirectory() as folder:
        plan, seconds = made(Path(folder), told.minutes)
        stages(plan, seconds, told.device, told.rounds, Path(folder))
    programme(told.minutes, told.device, max(1, told.rounds // 2), "1,000x")
    programmes(told.minutes, told.device, told.at_once)
    if not told.without_three_hours:
        programme(THREE_HOURS_MIN, told.device, 1, "under 6 GB")
    if told.without_verdicts:
        return 0
    print(flush=True)
    jobs = str(max(2, (os.cpu_count() or 2) // 2))
    beside = Path(__file__).with_name("devices.py")
    return subprocess.run(
        [sys.executable, str(beside), "--second", told.device, "--jobs", jobs], check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
