"""Prints what timing, prosody and level measure on the five real dubs: table, shifts, drift, flatness, pauses, F0.

    python tests/bench/real_dubs.py [table shifts drift flatness synthetic pauses pitch speed]

Needs the shared speech folder; flatness also pyworld, which halves the range of F0.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np
import soundfile
import soxr

from dubgate.delivery.script import Cue, CueSheet, Style
from dubgate.features import Levels, MixCheck, ProgrammeFeatures, TrackFeatures
from dubgate.measure.drift import CONVERSIONS, Drift, fit_drift
from dubgate.measure.level import integrated_lufs
from dubgate.measure.measurement import Measurement, Scope
from dubgate.measure.offset import global_offset
from dubgate.measure.pauses import pauses_within
from dubgate.measure.prosody import measure_prosody
from dubgate.measure.timing import measure_timing, speech_iou
from dubgate.meter import LevelMeter
from dubgate.spans import Span
from dubgate.speech.activity import speech_spans
from dubgate.unmeasured import Unmeasured, measured

ROOT = Path(__file__).resolve().parents[2]
SPEECH = Path(os.environ.get("DUBGATE_SPEECH", ROOT.parent / "shared/speech"))
RATE_HZ = 16_000
NONE = Unmeasured("not heard in this benchmark")
ORIGINAL = "original_en"


@cache
def ears():
    import silero_vad
    import swift_f0

    from dubgate.speech.silero import SileroVad
    from dubgate.speech.swiftf0 import SwiftF0

    vad = SileroVad(Path(silero_vad.__file__).parent / "data/silero_vad_16k_sequence.onnx", "")
    return vad, SwiftF0(Path(swift_f0.__file__).parent / "model.onnx", "")


def mono(path: Path) -> np.ndarray:
    sound, rate_hz = soundfile.read(path, always_2d=True, dtype="float32")
    return soxr.resample(sound.mean(axis=1), rate_hz, RATE_HZ).astype(np.float32)


@cache
def dubs() -> dict[str, np.ndarray]:
    """All tracks at 16 kHz, cut or padded to the original's length."""
    tracks = {p.stem: mono(p) for p in sorted((SPEECH / "dubs").glob("*.flac"))}
    n = len(tracks[ORIGINAL])
    return {name: np.pad(x, (0, max(0, n - len(x))))[:n] for name, x in tracks.items()}


def names() -> list[str]:
    return [name for name in dubs() if name != ORIGINAL]


def native_levels(name: str) -> Levels:
    sound, rate_hz = soundfile.read(SPEECH / f"dubs/{name}.flac", always_2d=True, dtype="float32")
    meter = LevelMeter(rate_hz, sound.shape[1], "stereo" if sound.shape[1] == 2 else "mono")
    meter.push(np.ascontiguousarray(sound.T))
    return meter.finish()[0]


def track(sound: np.ndarray, *, pitch: bool = False) -> TrackFeatures:
    vad, f0 = ears()
    [prob] = vad.speech_prob([sound])
    meter = LevelMeter(RATE_HZ, 1, "mono")
    meter.push(sound[None])
    levels, energy = meter.finish()
    return TrackFeatures(
        name="", language=None, duration_s=len(sound) / RATE_HZ, speech_prob=prob, speech=speech_spans(prob),
        pitch=f0.pitch([sound])[0] if pitch else NONE, energy_db=energy, words=NONE, languages=NONE, levels=levels,
        voices=NONE, alignments=NONE,
    )  # fmt: skip


def programme(original: TrackFeatures, dub: TrackFeatures) -> ProgrammeFeatures:
    return ProgrammeFeatures(original, dub, MixCheck(NONE, NONE), ())


def lines_of(original: TrackFeatures, character: str) -> CueSheet:
    """The lines that `dubgate qc` finds where no script is given."""
    return CueSheet("", tuple(Cue(f"#{k + 1}", s, "", character) for k, s in enumerate(original.speech)))


def value(found: tuple[Measurement, ...], metric: str) -> str:
    [m] = [m for m in found if m.metric == metric and m.subject.scope is not Scope.LINE]
    return "unmeasured" if isinstance(m.value, Unmeasured) else f"{m.value:.3f}"


def table() -> None:
    print("| dub | speech_iou | global_offset_s | register_shift_st | range_ratio | integrated_lufs |")
    print("| --- | --- | --- | --- | --- | --- |")
    original = track(dubs()[ORIGINAL], pitch=True)
    for name in names():
        dub = replace(track(dubs()[name], pitch=True), levels=native_levels(name))
        features, script = programme(original, dub), lines_of(original, "Speaker 1")
        timing, prosody = measure_timing(features, script, Style.LIPSYNC), measure_prosody(features, script)
        iou, lufs = measured(speech_iou(original, dub)), measured(integrated_lufs(dub.levels))
        cells = (value(timing, "global_offset_s"), value(prosody, "register_shift_st"), value(prosody, "range_ratio"))
        print(f"| {name} | {iou:.3f} | {' | '.join(cells)} | {lufs:.2f} |")
        assert 0.70 <= iou <= 0.90


def shifts(n: int = 100) -> None:
    rng = np.random.default_rng(7)
    original = track(dubs()[ORIGINAL])
    own = {name: measured(global_offset(original, track(dubs()[name]))) for name in names()}
    errors = []
    for k in range(n):
        name, samples = names()[k % 5], round(rng.uniform(0, 0.5) * RATE_HZ)
        sound = dubs()[name]
        late = np.concatenate([np.zeros(samples, np.float32), sound])[: len(sound)]
        found = measured(global_offset(original, track(late)))
        errors.append(abs(found - own[name] - samples / RATE_HZ) * 1000)
    median, p90, worst = np.percentile(errors, [50, 90, 100])
    print(f"{n} shifts of 0 to 0.5 s: error median {median:.1f} ms, p90 {p90:.1f} ms, largest {worst:.1f} ms")
    assert median <= 10
    assert p90 <= 30


RATIOS = {name: Fraction(ratio).limit_denominator(30_000) for name, ratio in CONVERSIONS.items()}


def drift(trials: int = 5) -> None:
    rng = np.random.default_rng(3)
    for copies in (8, 6, 3, 1):
        original = track(np.tile(dubs()[ORIGINAL], copies))
        named = listed = claimed = total = 0
        for _ in range(trials):
            order = [*rng.permutation(names()), *rng.choice(names(), copies)][:copies]
            joined = np.concatenate([dubs()[name] for name in order])
            for name, ratio in RATIOS.items():
                stretched = joined if ratio == 1 else soxr.resample(joined, RATE_HZ, RATE_HZ * float(ratio))
                found = fit_drift(original, track(stretched.astype(np.float32)))
                total += 1
                if isinstance(found, Drift):
                    named += found.candidates == (name,)
                    listed += name in found.candidates
                    claimed += name == "unchanged" and found.ms_per_min != 0
        seconds = copies * len(dubs()[ORIGINAL]) / RATE_HZ
        print(
            f"{seconds:.0f} s: named alone and right {named}, in the list {listed}, of {total}; false drift {claimed}"
        )
        assert listed == total
        assert seconds < 150 or named == total


def halved(sound: np.ndarray, factor: float) -> np.ndarray:
    """The range of the voice's F0 times `factor` (WORLD, with SwiftF0's F0); what is not speech stays as it was."""
    import pyworld

    vad, f0_tracker = ears()
    x, hop_s = sound.astype(np.float64), 0.005
    times = np.arange(int(len(x) / RATE_HZ / hop_s) + 1) * hop_s
    heard = f0_tracker.pitch([sound])[0].f0_hz
    rough = np.nan_to_num(heard.values[np.clip(np.round(times / heard.hop_s).astype(int), 0, len(heard.values) - 1)])
    f0 = pyworld.stonemask(x, rough.astype(np.float64), times, RATE_HZ)
    gain, spoken = np.zeros(len(x)), np.zeros(len(times), dtype=bool)
    for span in speech_spans(vad.speech_prob([sound])[0]):
        gain[int(span.start_s * RATE_HZ) : int(span.end_s * RATE_HZ)] = 1
        spoken[int(span.start_s / hop_s) : int(span.end_s / hop_s)] = True
    octaves = np.log2(np.maximum(f0, 1.0))
    middle = np.median(octaves[(f0 > 0) & spoken])
    voice = (f0 > 0) & spoken & (np.abs(octaves - middle) < 1)
    squeezed = np.where(voice, 2 ** (middle + factor * (octaves - middle)), f0)
    envelope, noise = pyworld.cheaptrick(x, f0, times, RATE_HZ), pyworld.d4c(x, f0, times, RATE_HZ)
    made = np.resize(pyworld.synthesize(squeezed, envelope, noise, RATE_HZ), len(x))
    window = np.hanning(801) / np.hanning(801).sum()
    gain = np.convolve(gain, window, "same")
    return (gain * made + (1 - gain) * x).astype(np.float32)


def flatness(copies: int = 4) -> None:
    """Each dub four times over, since a part is judged from 20 lines or 60 s of speech on."""
    original = track(np.tile(dubs()[ORIGINAL], copies), pitch=True)
    print("| dub | F0 range | span | movement | contour | flatness_share | held |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name in names():
        for factor in (None, 1.0, 0.8, 0.65, 0.5, 0.3):
            sound = dubs()[name] if factor is None else halved(dubs()[name], factor)
            features = programme(original, track(np.tile(sound, copies), pitch=True))
            found = measure_prosody(features, lines_of(original, name))
            [m] = [m for m in found if m.metric == "flatness_share"]
            cells = " | ".join(f"{v:.2f}" for _, v in m.detail if isinstance(v, float))
            held = measured(m.value) > 0.9
            shown = "as delivered" if factor is None else f"x {factor}"
            print(f"| {m.subject.name} | {shown} | {cells} | {measured(m.value):.2f} | {'yes' if held else 'no'} |")
            assert not held or factor not in (None, 1.0)
            assert held or factor not in (0.5, 0.3)


def pauses() -> None:
    vad, _ = ears()
    folder = SPEECH / "pauses_de"
    rows = [row.split("\t") for row in (folder / "transcripts.tsv").read_text(encoding="utf-8").splitlines()]
    whole = Span(0.0, 1e4)
    right = sum(
        len(pauses_within(speech_spans(vad.speech_prob([mono(folder / f"{name}.flac")])[0]), whole))
        == text.count("[pause]")
        for name, text in rows
    )
    print(f"pause count right in {right} of {len(rows)} lines")
    assert right >= 17


def pitch(n: int = 40) -> None:
    """Gross errors (over 20 %) against pulse trains through formants whose F0 is known."""
    from scipy.signal import lfilter

    rng = np.random.default_rng(0)
    _, tracker = ears()
    wrong = total = 0
    for _ in range(n):
        seconds, middle = 3.0, rng.uniform(90, 260)
        t = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
        wander = np.interp(t * 3, np.arange(12), rng.standard_normal(12)) * 2.5
        f0 = np.clip(middle * 2 ** (wander / 12), 70, 390)
        sound = np.diff(np.floor(np.cumsum(f0) / RATE_HZ), prepend=0.0)
        for hz, width in zip(rng.uniform([400, 1200, 2400], [800, 2000, 3000]), (80, 100, 140), strict=True):
            r = np.exp(-np.pi * width / RATE_HZ)
            sound = lfilter([1 - r], [1, -2 * r * np.cos(2 * np.pi * hz / RATE_HZ), r * r], sound)
        sound = 0.3 * sound / np.abs(sound).max() + rng.standard_normal(len(t)) * 0.3 * 10 ** (-30 / 20) * 0.1
        heard = tracker.pitch([sound.astype(np.float32)])[0].f0_hz
        true = f0[np.minimum((np.arange(len(heard.values)) * heard.hop_s * RATE_HZ).astype(int), len(f0) - 1)]
        voiced = np.isfinite(heard.values)
        wrong += int((np.abs(heard.values[voiced] / true[voiced] - 1) > 0.2).sum())
        total += int(voiced.sum())
    print(f"F0 gross error on synthetic truth: {wrong / total:.2%} of {total} voiced frames")
    assert wrong / total < 0.02


def speed() -> None:
    for rate_hz, n_channels, layout in (
        (16_000, 1, "mono"),
        (48_000, 1, "mono"),
        (48_000, 2, "stereo"),
        (48_000, 6, "5.1"),
    ):
        sound = np.tile(soxr.resample(dubs()[ORIGINAL], RATE_HZ, rate_hz)[None], (n_channels, 4)).astype(np.float32)
        meter = LevelMeter(rate_hz, n_channels, layout)
        meter.push(sound[:, :rate_hz])
        started = time.perf_counter()
        for first in range(rate_hz, sound.shape[1], rate_hz):
            meter.push(sound[:, first : first + rate_hz])
        meter.finish()
        ratio = (sound.shape[1] / rate_hz - 1) / (time.perf_counter() - started)
        print(f"meter at {rate_hz} Hz, {n_channels} channels: {ratio:.0f} times real time")


def synthetic() -> None:
    """Text-to-speech voices in all roles of the sample scene: as they speak, and with F0 held at its median."""
    import subprocess
    import tempfile

    from dubgate.delivery.cues import read_cues

    scene = ROOT / "samples/clean"
    script = read_cues(scene / "script.vtt", language="en")
    original = track(mono(scene / "original.flac"), pitch=True)
    print("| voice | F0 range | span | movement | contour | flatness_share |")
    print("| --- | --- | --- | --- | --- | --- |")
    for voice in ("awb", "rms", "slt", "kal16", "festival"):
        dub = np.zeros(round(original.duration_s * RATE_HZ) + 5 * RATE_HZ, dtype=np.float32)
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "line.wav"
            for cue in script.cues:
                if voice == "festival":
                    subprocess.run(["text2wave", "-o", str(out)], input=cue.text.encode(), check=True)
                else:
                    subprocess.run(["flite", "-voice", voice, "-t", cue.text, "-o", str(out)], check=True)
                take = mono(out)
                first = round(cue.span.start_s * RATE_HZ)
                dub[first : first + len(take)] += 0.5 * take
        for factor in (None, 0.05):
            sound = dub if factor is None else halved(dub, factor)
            found = measure_prosody(programme(original, track(sound, pitch=True)), script)
            [m] = [m for m in found if m.metric == "flatness_share" and m.subject.scope is Scope.PROGRAMME]
            cells = " | ".join(f"{v:.2f}" for _, v in m.detail if isinstance(v, float))
            print(f"| {voice} | {'natural' if factor is None else 'held'} | {cells} | {measured(m.value):.2f} |")


PARTS = {f.__name__: f for f in (table, shifts, drift, flatness, synthetic, pauses, pitch, speed)}

if __name__ == "__main__":
    if not SPEECH.is_dir():
        sys.exit(f"no real speech: {SPEECH.name} is not beside the checkout (set DUBGATE_SPEECH)")
    for part in sys.argv[1:] or PARTS:
        print(f"\n## {part}")
        PARTS[part]()
