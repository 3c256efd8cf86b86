"""The five real automatic dubs beside the checkout: what is measured of them, injected shifts, frame-rate drifts.

Run `python tests/bench/real_dubs.py ../shared/speech`. Words are not heard.
"""

from __future__ import annotations

import random
import sys
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import soundfile
import soxr

from dubgate.delivery.script import Style
from dubgate.features import ProgrammeFeatures
from dubgate.gate import lines_from_speech, measure, with_lines
from dubgate.hearing import HearingPlan, Source, hear_here
from dubgate.measure.measurement import Measurement
from dubgate.sample_containers import write_flac
from dubgate.unmeasured import Unmeasured

AT = datetime(2026, 11, 20, tzinfo=UTC)
RATE_HZ = 16_000
SHOWN = (
    "speech_iou",
    "global_offset_s",
    "register_shift_st",
    "range_ratio",
    "integrated_lufs",
    "speech_gated_lkfs",
    "flatness_share",
)
RATES = {"unchanged": 1.0, "23.976→24": 24 / 23.976, "24→23.976": 23.976 / 24, "24→25": 25 / 24, "25→24": 24 / 25,
         "23.976→25": 25 / 23.976, "25→23.976": 23.976 / 25}  # fmt: skip


def sound(path: Path) -> np.ndarray:
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return soxr.resample(samples.mean(axis=1), rate, RATE_HZ).astype(np.float32)


def heard(original: Path, dub: Path, stream: int = 0) -> ProgrammeFeatures:
    plan = HearingPlan(
        Source(str(original), 0, original.name, "en"),
        Source(str(dub), stream, dub.name, "es"),
        None,
        "embedded",
        "cpu",
        without=("transcriber", "aligner"),
    )
    with tempfile.TemporaryDirectory() as folder:
        return hear_here(plan, Path(folder), lambda *_: None)


def measured(features: ProgrammeFeatures) -> dict[str, Measurement]:
    sheet = lines_from_speech(features)
    found = measure(with_lines(features, sheet), sheet, Style.LIPSYNC)
    return {m.metric: m for m in found if m.subject.scope.value != "line"}


def shown(m: Measurement | None) -> str:
    if m is None or isinstance(m.value, Unmeasured):
        return "–" if m is None else f"({m.value.reason})"
    return f"{m.value:.3f}"


def table(folder: Path) -> dict[str, ProgrammeFeatures]:
    from dubgate.delivery.media import probe

    original = folder / "original_en.flac"
    kept = {}
    print("| dub |", " | ".join(SHOWN), "|\n|", " | ".join(["---"] * (len(SHOWN) + 1)), "|")
    for path in sorted([*folder.glob("??_*.flac"), *folder.glob("*.mp4")]):
        kept[path.name] = heard(original, path, probe(path).audio[0].index)
        found = measured(kept[path.name])
        print(f"| {path.name} |", " | ".join(shown(found.get(name)) for name in SHOWN), "|", flush=True)
    return kept


def shifts(folder: Path, kept: dict[str, ProgrammeFeatures], n: int = 100) -> None:
    """Injected shifts of 0 to 0.5 s against the unshifted dub's own offset."""
    from dubgate.speech.ears import load_ears

    vad = load_ears("embedded", "cpu", language=None).voice_activity
    rng, errors = random.Random(1), []
    dubs = [p for p in sorted(folder.glob("??_*.flac"))]
    own = {p.name: measured(kept[p.name])["global_offset_s"].value for p in dubs}
    for k in range(n):
        path, by = dubs[k % len(dubs)], rng.uniform(0, 0.5)
        x = sound(path)
        moved = np.concatenate([np.zeros(round(by * RATE_HZ), np.float32), x])[: len(x)]
        [prob] = vad.speech_prob([moved])
        features = replace(kept[path.name], dub=replace(kept[path.name].dub, speech_prob=prob))
        value = measured(features)["global_offset_s"].value
        errors.append(abs(value - own[path.name] - by) if not isinstance(value, Unmeasured) else np.inf)
    print(
        f"\n{n} injected shifts: median error {np.median(errors) * 1000:.1f} ms, p90 {np.percentile(errors, 90) * 1000:.1f} ms"
    )


def drifts(folder: Path) -> None:
    """Joined to more than 150 s, with a wrong frame rate: is it named?"""
    original = sound(folder / "original_en.flac")
    print("\n| dubs joined, conversion | drift ms/min | named |\n| --- | --- | --- |")
    for path in sorted(folder.glob("??_*.flac")):
        dub = sound(path)
        n = max(len(original), len(dub))
        pair = [np.tile(np.pad(x, (0, n - len(x))), 6) for x in (original, dub)]
        for name, speed in RATES.items():
            with tempfile.TemporaryDirectory() as scratch:
                write_flac(Path(scratch) / "o.flac", pair[0])
                write_flac(Path(scratch) / "d.flac", soxr.resample(pair[1], RATE_HZ * speed, RATE_HZ))
                m = measured(heard(Path(scratch) / "o.flac", Path(scratch) / "d.flac"))["drift_ms_per_min"]
            print(f"| {path.stem}, {name} | {shown(m)} | {dict(m.detail)} |", flush=True)


if __name__ == "__main__":
    speech = Path(sys.argv[1]) / "dubs"
    features_of = table(speech)
    shifts(speech, features_of)
    if "--drift" in sys.argv:
        drifts(speech)
