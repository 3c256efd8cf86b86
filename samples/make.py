"""Makes the committed sounds of samples/ with installed text-to-speech voices: flite for dubs, espeak-ng for originals.

Run `make samples`. Needs flite and espeak-ng; pyworld for the monotone take. Everything else (shifts, gains, mutes)
is derived from these files when the samples are judged: see dubgate/samples.py. `python samples/make.py record` writes
only what follows from the production record's texts: the intake, and the digests by which delivery and register name files.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import soundfile
import soxr
from ruamel.yaml import YAML

HERE = Path(__file__).parent
RATE_HZ = 16_000
GAP_S = 0.9  # between lines: longer than the pause that voice activity bridges
LEAD_S = 1.0
ROOM_DBFS = -72.0
SPEECH_LUFS = -27.0


def run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


def trimmed(path: Path) -> np.ndarray:
    """Speech without the silence around it, float64 at 16 kHz; edges where the level first reaches -45 dB of its peak."""
    samples, rate = soundfile.read(path)
    samples = soxr.resample(samples, rate, RATE_HZ) if rate != RATE_HZ else samples
    level = np.sqrt(np.convolve(samples**2, np.ones(160) / 160, "same"))
    loud = np.flatnonzero(level > level.max() * 10 ** (-45 / 20))
    return samples[loud[0] : loud[-1] + 1]


def flite(text: str, voice: str, scratch: Path, stretch: float = 1.0) -> np.ndarray:
    out = scratch / "flite.wav"
    run("flite", "-voice", voice, "--setf", f"duration_stretch={stretch}", "-t", text, "-o", str(out))
    return trimmed(out)


def espeak(text: str, voice: str, pitch: int, duration_s: float, scratch: Path) -> np.ndarray:
    """The German line at the speaking rate whose duration comes nearest to `duration_s`."""

    def take(words_per_minute: int) -> np.ndarray:
        out = scratch / "espeak.wav"
        run("espeak-ng", "-v", voice, "-p", str(pitch), "-s", str(words_per_minute), "-w", str(out), text)
        return trimmed(out)

    slow, fast = 90, 300
    takes = {rate: take(rate) for rate in (slow, fast)}
    while fast - slow > 2:
        rate = (slow + fast) // 2
        takes[rate] = take(rate)
        slow, fast = (rate, fast) if len(takes[rate]) / RATE_HZ > duration_s else (slow, rate)
    return min(takes.values(), key=lambda samples: abs(len(samples) / RATE_HZ - duration_s))


def at_level(samples: np.ndarray, lufs: float = SPEECH_LUFS) -> np.ndarray:
    """Speech scaled so that its RMS lies near `lufs` (K-weighting moves speech by under 1 dB; corrected on the whole)."""
    return samples * 10 ** ((lufs + 0.7) / 20) / np.sqrt(np.mean(samples**2))


def room(n: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(n) * 10 ** (ROOM_DBFS / 20)


def write(path: Path, samples: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.clip(samples, -1, 1), RATE_HZ, subtype="PCM_16")


def timecode(seconds: float) -> str:
    milliseconds = round(seconds * 1000)
    return f"{milliseconds // 3600000:02}:{milliseconds // 60000 % 60:02}:{milliseconds // 1000 % 60:02}.{milliseconds % 1000:03}"


def monotone(samples: np.ndarray) -> np.ndarray:
    """The same take with every voiced frame at its median F0 (WORLD vocoder; a flat reading)."""
    import pyworld

    f0, times = pyworld.harvest(samples, RATE_HZ)
    envelope = pyworld.cheaptrick(samples, f0, times, RATE_HZ)
    aperiodicity = pyworld.d4c(samples, f0, times, RATE_HZ)
    flat = np.where(f0 > 0, np.median(f0[f0 > 0]), 0.0)
    return pyworld.synthesize(flat, envelope, aperiodicity, RATE_HZ)[: len(samples)]


def scene(script: dict, scratch: Path) -> None:
    """clean/: original, dub and script; and the takes that faults need."""
    cast, rows = script["characters"], script["lines"]
    dubs = [at_level(flite(english, cast[who]["dub_voice"], scratch)) for who, english, _ in rows]
    originals = [
        at_level(espeak(german, cast[who]["original_voice"], cast[who]["original_pitch"], len(dub) / RATE_HZ, scratch))
        for (who, _, german), dub in zip(rows, dubs, strict=True)
    ]
    starts, now = [], LEAD_S
    for dub, original in zip(dubs, originals, strict=True):
        starts.append(round(now, 3))
        now += max(len(dub), len(original)) / RATE_HZ + GAP_S
    n = int((now + LEAD_S) * RATE_HZ)
    tracks = {"original": room(n, 1), "dub": room(n, 2), "monotone": room(n, 2)}
    cues = ["WEBVTT", "", "NOTE language: en", ""]
    for k, (start, (who, english, _)) in enumerate(zip(starts, rows, strict=True)):
        first = round(start * RATE_HZ)
        flat = at_level(monotone(dubs[k]))
        for name, take in (("original", originals[k]), ("dub", dubs[k]), ("monotone", flat)):
            tracks[name][first : first + len(take)] += take
        end = start + max(len(dubs[k]), len(originals[k])) / RATE_HZ
        cues += [f"L{k + 1:02}", f"{timecode(start)} --> {timecode(end)}", f"<v {who}>{english}", ""]
    write(HERE / "clean/original.flac", tracks["original"])
    write(HERE / "clean/dub.flac", tracks["dub"])
    write(HERE / "monotone/dub.flac", tracks["monotone"])
    (HERE / "clean/script.vtt").write_text("\n".join(cues), encoding="utf-8")


def extras(script: dict, scratch: Path) -> None:
    wrong, invented = script["extra"]["wrong-voice"], script["extra"]["invented"]
    text = script["lines"][wrong["line"] - 1][1]
    write(HERE / "wrong-voice/line.flac", at_level(flite(text, wrong["voice"], scratch)))
    write(HERE / "invented/line.flac", at_level(flite(invented["text"], invented["voice"], scratch)))
    for voice in script["enrolment"]["voices"]:
        take = at_level(flite(script["enrolment"]["text"], voice, scratch))
        write(HERE / f"voices/{voice}.flac", take + room(len(take), 3))


def record() -> None:
    """production-record/ and company/: the intake from its answers, and every digest from the bytes that lie there."""
    from dubgate.intake.answers import read_answers
    from dubgate.intake.asking import take_in

    case = HERE / "production-record"
    answers = read_answers(case / "record/answers.yaml")
    taken = take_in(answers, asked_for=("production-record",), at=datetime(2026, 10, 20, 9, tzinfo=UTC))
    (case / "record/intake.json").write_bytes(taken.data)
    with_digests(case / "delivery.yaml", r'path: (?P<file>\S+), sha256: "(?P<sha256>[0-9a-f]{64})"')
    with_digests(HERE / "company/register.yaml", r'sha256: "(?P<sha256>[0-9a-f]{64})".*file: (?P<file>[^}]+)}')


def with_digests(path: Path, named: str) -> None:
    """The file with each digest made anew from the file named beside it."""

    def digest(found: re.Match[str]) -> str:
        data = (path.parent / found["file"]).read_bytes()
        return found[0].replace(found["sha256"], hashlib.sha256(data).hexdigest())

    path.write_text(re.sub(named, digest, path.read_text(encoding="utf-8")), encoding="utf-8")


def main() -> None:
    if sys.argv[1:] == ["record"]:
        record()
        return
    script = YAML(typ="safe").load((HERE / "lines.yaml").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as scratch:
        scene(script, Path(scratch))
        extras(script, Path(scratch))
    record()


if __name__ == "__main__":
    main()
