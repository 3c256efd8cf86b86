"""How fast voice activity, pitch and speaker vectors run beside peers that run their own released code.

    .venv/bin/python tests/bench/sound_speed.py ../shared/speech

Ratios to real time over one signal, after one warm-up: by wall time, and by core time (seconds of sound a second of one
core), which other work on the machine disturbs less.
"""

from __future__ import annotations

import os
import platform
import statistics
import sys
import tempfile
import time
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from dubgate.speech.device import n_threads
from dubgate.speech.ge2e import Ge2e, at_level
from dubgate.speech.models import resolve
from dubgate.speech.silero import SileroVad
from dubgate.speech.swiftf0 import SwiftF0

ROUNDS = 5


@dataclass(frozen=True)
class Speed:
    """Medians over rounds, and the spread of the first."""

    wall: float
    lowest: float
    highest: float
    core: float


def timed(run: Callable[[], Any], seconds: float, rounds: int = ROUNDS) -> Speed:
    run()
    walls, cores = [], []
    for _ in range(rounds):
        wall, core = time.perf_counter(), time.process_time()
        run()
        walls.append(seconds / (time.perf_counter() - wall))
        cores.append(seconds / (time.process_time() - core))
    return Speed(statistics.median(walls), min(walls), max(walls), statistics.median(cores))


def row(name: str, s: Speed, seconds: float) -> None:
    print(
        f"| {name} | {seconds:.0f} s | {s.wall:.0f}x | {s.lowest:.0f} to {s.highest:.0f}x | {s.core:.0f}x |", flush=True
    )


def resemblyzer() -> Any:
    """The peer's own encoder; its module for another voice activity detector, which no longer loads, is stood in for."""
    import scipy.ndimage

    morphology = types.ModuleType("scipy.ndimage.morphology")
    morphology.binary_dilation = scipy.ndimage.binary_dilation  # type: ignore[attr-defined]
    sys.modules.update({"webrtcvad": types.ModuleType("webrtcvad"), "scipy.ndimage.morphology": morphology})
    from resemblyzer import VoiceEncoder

    return VoiceEncoder("cpu", verbose=False)


def other_trackers() -> Iterator[tuple[str, Callable[[Any], Any]]]:
    """Peers for the bench only, where somebody installed them: Praat (GPL) and torchcrepe (`pip install praat-parselmouth torchcrepe`)."""
    try:
        import parselmouth

        yield (
            "Praat through parselmouth, every 16 ms",
            lambda sound: parselmouth.Sound(sound.astype(np.float64), 16_000).to_pitch(0.016, 65, 400),
        )
    except ImportError:
        print("| Praat through parselmouth | not installed | | | |")
    try:
        import torch
        import torchcrepe

        yield (
            "torchcrepe tiny, every 16 ms",
            lambda sound: torchcrepe.predict(torch.from_numpy(sound)[None], 16_000, 256, 65, 400, "tiny"),
        )
    except ImportError:
        print("| torchcrepe | not installed | | | |")


def wespeakers(folder: Path) -> tuple[Any, Callable[[Any], Any]]:
    """dubgate's WeSpeaker and pyannote's own Inference over the same random weights: speed does not depend on them."""
    import torch
    from pyannote.audio import Inference

    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "speech"))
    from made_wespeaker import pyannote_module, write_checkpoint

    from dubgate.speech.wespeaker import WeSpeaker

    module = pyannote_module()
    write_checkpoint(folder, module)
    inference = Inference(module.eval(), window="whole")
    ours = WeSpeaker(folder, "0" * 64)
    return ours, lambda clip: inference({"waveform": torch.from_numpy(clip)[None], "sample_rate": 16_000})


def main(speech: Path) -> None:
    import librosa
    import torch
    from silero_vad import load_silero_vad
    from swift_f0 import SwiftF0 as Package

    torch.set_num_threads(n_threads())
    clips = [soundfile.read(f, dtype="float32")[0] for f in sorted((speech / "librispeech").glob("*/*.flac"))]
    whole = np.concatenate(clips)
    seconds, minute = len(whole) / 16_000, 20.0
    short = whole[: int(minute * 16_000)]
    load = os.getloadavg()[0]
    print(
        f"{datetime.now(UTC):%Y-%m-%d}, {platform.processor() or platform.machine()}, {n_threads()} threads, load {load:.1f}\n"
    )
    print("| what | sound | wall | spread | a core |\n| --- | --- | --- | --- | --- |")
    activity, pitch, voice = (resolve(k, "embedded") for k in ("voice_activity", "pitch", "speaker_encoder"))
    vad = SileroVad(activity.path, activity.sha256)
    row("silero-vad, dubgate", timed(lambda: vad.speech_prob([whole]), seconds), seconds)
    jit = load_silero_vad()
    row(
        "silero-vad, its package",
        timed(lambda: jit.audio_forward(torch.from_numpy(short)[None], 16_000), minute, 3),
        minute,
    )
    tracker = SwiftF0(pitch.path, pitch.sha256)
    row("SwiftF0, dubgate", timed(lambda: tracker.pitch([whole]), seconds), seconds)
    package = Package(threads=n_threads())
    row("SwiftF0, its package", timed(lambda: package.detect(whole, 16_000, 65, 400), seconds), seconds)
    row(
        "librosa.pyin, its defaults (32 ms)",
        timed(lambda: librosa.pyin(short, fmin=65, fmax=400, sr=16_000), minute, 3),
        minute,
    )
    same_hop = {"fmin": 65, "fmax": 400, "sr": 16_000, "hop_length": 256}
    row("librosa.pyin, every 16 ms", timed(lambda: librosa.pyin(short, **same_hop), minute, 3), minute)
    for name, peer_pitch in other_trackers():
        row(name, timed(lambda run=peer_pitch: run(short), minute, 3), minute)
    encoder = Ge2e(voice.path, voice.sha256)
    row("GE2E, dubgate", timed(lambda: encoder.embed(clips), seconds), seconds)
    peer = resemblyzer()
    row("Resemblyzer's loop", timed(lambda: [peer.embed_utterance(at_level(c)) for c in clips], seconds), seconds)
    few = clips[:20]
    few_s = sum(len(c) for c in few) / 16_000
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = wespeakers(Path(folder))
        row("WeSpeaker (random weights), dubgate", timed(lambda: ours.embed(few), few_s, 3), few_s)
        row("the same, pyannote's Inference", timed(lambda: [theirs(c) for c in few], few_s, 3), few_s)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
