"""Each fault of the samples at five strengths, from below to above its band: where the decision turns.

Run `python tests/bench/faults.py [fault…]`; prints a Markdown table. Words are heard only for the fault that needs them.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from dubgate.delivery.cues import read_cues
from dubgate.gate import QualityRequest, Track, judge_quality
from dubgate.hearing import HearingPlan, Source, hear_here
from dubgate.judgement import Clock
from dubgate.policy.findings import Outcome
from dubgate.sample_containers import write_flac
from dubgate.samples import RATE_HZ, Scene, _cut, _index, _paste, _read, derive, find_samples

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
NO_WORDS = ("transcriber", "aligner")
WORDS_RULES = ("TXT-", "LNG-")


@dataclass(frozen=True)
class Fault:
    """A fault, its strengths with their unit, the rules that are to see it, and how it is made."""

    name: str
    unit: str
    strengths: tuple[float, ...]
    rules: tuple[str, ...]
    make: Callable[[Scene, float], Scene]
    words: bool = False


def steps(*made: Callable[[float], dict[str, Any]]) -> Callable[[Scene, float], Scene]:
    return lambda scene, x: derive(scene, [f(x) for f in made])


def drifted(scene: Scene, percent: float) -> Scene:
    scene = derive(scene, [{"repeat": {"times": 2}}])
    return derive(scene, [{"resample": {"ratio": 1 - percent / 100}}]) if percent else scene


def somebody_else(scene: Scene, seconds: float) -> Scene:
    """The first `seconds` of L11 by another voice, the rest left out."""
    span = scene.cue("L11").span
    take = _read(find_samples() / "wrong-voice/line.flac")[: _index(seconds)]
    left, _ = _cut(scene.dub, span)
    return replace(scene, dub=_paste(left, take, span.start_s))


def sentence(scene: Scene, seconds: float) -> Scene:
    take = _read(find_samples() / "invented/line.flac")[: _index(seconds)]
    room = np.zeros(_index(5.0), np.float32)
    dub = _paste(np.concatenate([scene.dub, room]), take, len(scene.dub) / RATE_HZ)
    return replace(scene, dub=dub, original=np.concatenate([scene.original, room]))


def flatter(scene: Scene, percent: float) -> Scene:
    """The whole dub with its F0 range reduced by `percent` (WORLD)."""
    import pyworld

    x = scene.dub.astype(np.float64)
    f0, times = pyworld.harvest(x, RATE_HZ)
    voiced = f0 > 0
    flat = f0.copy()
    for cue in scene.sheet.cues:
        inside = voiced & (times >= cue.span.start_s - 0.1) & (times <= cue.span.end_s + 0.1)
        if inside.any():
            middle = np.median(f0[inside])
            flat[inside] = middle * (f0[inside] / middle) ** (1 - percent / 100)
    made = pyworld.synthesize(
        flat, pyworld.cheaptrick(x, f0, times, RATE_HZ), pyworld.d4c(x, f0, times, RATE_HZ), RATE_HZ
    )
    return replace(scene, dub=made[: len(x)].astype(np.float32))


def left_in(scene: Scene, percent: float) -> Scene:
    """The last `percent` of L12 in the original's language."""
    span = scene.cue("L12").span
    first = span.end_s - span.duration_s * percent / 100
    part = type(span)(first, span.end_s)
    left, _ = _cut(scene.dub, part)
    return replace(scene, dub=_paste(left, _cut(scene.original, part)[1], first))


def other_stem(scene: Scene, seconds: float) -> Scene:
    """A stem in which the first `seconds` of L09 are missing."""
    scene = derive(scene, [{"music": {"below_speech_db": 14.0}}])
    span = scene.cue("L09").span
    stem = (
        _cut(dict(scene.extras)["stem"], type(span)(span.start_s, span.start_s + seconds))[0]
        if seconds
        else dict(scene.extras)["stem"]
    )
    return replace(scene, extras=(("stem", stem), ("me", dict(scene.extras)["me"])))


def muted(scene: Scene, percent: float) -> Scene:
    dub = scene.dub.copy()
    dub[len(dub) - int(len(dub) * percent / 100) :] = 0
    return replace(scene, dub=dub)


FAULTS = (
    Fault("late", "s", (0.1, 0.3, 0.5, 0.7, 0.9), ("TIM-ONSET",), steps(lambda x: {"shift_line": {"cue": "L08", "by_s": x}})),
    Fault("late-throughout", "s", (0.02, 0.06, 0.12, 0.2, 0.4), ("TIM-OFFSET",), steps(lambda x: {"shift_all": {"by_s": x}})),
    Fault("drift", "%", (0.0, 0.05, 0.1, 0.5, 4.1), ("TIM-DRIFT",), drifted),
    Fault("wrong-voice", "s", (0.6, 1.0, 1.6, 2.4, 3.6), ("VOI-",), somebody_else),
    Fault("invented", "s", (0.3, 0.7, 1.2, 2.0, 3.5), ("TIM-UNEXPECTED",), sentence),
    Fault("monotone", "% less range", (0, 10, 20, 30, 60), ("PRO-FLAT",), flatter),
    Fault("clipped", "dB", (0, 12, 20, 28, 36), ("LVL-CLIP",), steps(lambda x: {"gain": {"db": x}})),
    Fault("source-left-in", "% of a line", (10, 30, 50, 80, 100), ("TXT-", "LNG-"), left_in, words=True),
    Fault("swapped-stem", "s missing", (0.0, 0.02, 0.2, 1.0, 3.0), ("INT-002",), other_stem),
    Fault("silent", "% of the dub", (0, 5, 15, 40, 100), ("TIM-UNCOVERED", "TIM-IOU"), muted),
)  # fmt: skip


def judged(scene: Scene, words: bool, folder: Path) -> list[tuple[str, Outcome]]:
    """Every finding that fails, words apart where they were not heard."""
    for name, sound in (("original", scene.original), ("dub", scene.dub), *scene.extras):
        write_flac(folder / f"{name}.flac", sound)
    sources = {
        n: Source(str(folder / f"{n}.flac"), 0, f"{n}.flac", "de" if n == "original" else "en")
        for n in ("original", "dub", "stem", "me")
    }
    mixed = bool(scene.extras)
    plan = HearingPlan(
        sources["original"],
        sources["stem" if mixed else "dub"],
        scene.sheet,
        "embedded",
        "cpu",
        sources["dub"] if mixed else None,
        sources["me"] if mixed else None,
        () if words else NO_WORDS,
    )
    features = hear_here(plan, folder, lambda *_: None)
    stem = Track(folder / "stem.flac") if mixed else None
    request = QualityRequest(Track(folder / "original.flac"), Track(folder / "dub.flac"), stem=stem)
    judgement = judge_quality(request, features, scene.sheet, at=AT, clock=Clock(), streams=(0, 0))
    return [
        (f.rule, f.outcome)
        for f in judgement.verdict.findings
        if f.outcome > Outcome.PASS and (words or not f.rule.startswith(WORDS_RULES))
    ]


def main(wanted: list[str]) -> None:
    samples = find_samples()
    base = Scene(
        _read(samples / "clean/original.flac"),
        _read(samples / "clean/dub.flac"),
        read_cues(samples / "clean/script.vtt", language="en"),
        samples / "clean",
    )
    print("| fault | strength | outcome of its rules | anything else that holds or blocks |\n| --- | --- | --- | --- |")
    for fault in FAULTS:
        for strength in fault.strengths if not wanted or fault.name in wanted else ():
            with tempfile.TemporaryDirectory() as folder:
                found = judged(fault.make(base, strength), fault.words, Path(folder))
            own = max((o for r, o in found if r.startswith(fault.rules)), default=Outcome.PASS)
            other = sorted(
                {f"{r} {o.name.lower()}" for r, o in found if o > Outcome.WARN and not r.startswith(fault.rules)}
            )
            print(
                f"| {fault.name} | {strength:g} {fault.unit} | {own.name.lower()} | {', '.join(other) or '–'} |",
                flush=True,
            )


if __name__ == "__main__":
    main(sys.argv[1:])
