"""Voices for calibrating and for the one-voice experiment: real readers, and synthetic voices that are installed.

Needs flite, festival and espeak-ng. Sounds are heard as `dubgate qc` hears them: silero-vad, 150 ms kept around speech.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import soundfile
import soxr
from ruamel.yaml import YAML

from dubgate.spans import union
from dubgate.speech.activity import speech_spans
from dubgate.speech.ge2e import Ge2e
from dubgate.speech.models import resolve
from dubgate.speech.silero import SileroVad

ROOT = Path(__file__).resolve().parents[2]
RATE_HZ = 16_000
PAD_S = 0.15
FLITE = ("awb", "kal16", "rms", "slt")
Sound = np.ndarray

Utterances = dict[str, list[Sound]]


def encoder(device: str = "cpu") -> Ge2e:
    ref = resolve("speaker_encoder", "ge2e")
    return Ge2e(ref.path, ref.sha256, device=device, version=ref.version)


def librispeech(speech: Path) -> Utterances:
    """Five readers, ten utterances each, net speech."""
    return {
        d.name: net_speech(_read(p) for p in sorted(d.glob("*.flac")))
        for d in sorted((speech / "librispeech").iterdir())
    }


def ljspeech(speech: Path) -> Utterances:
    return {"LJ": net_speech(_read(p) for p in sorted((speech / "ljspeech").glob("*.flac")))}


def synthetic() -> Utterances:
    """Six synthetic voices of different makers speak the sample script."""
    lines = [line[1] for line in YAML(typ="safe").load(ROOT / "samples/lines.yaml")["lines"]]
    found: Utterances = {}
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "line.wav"
        for voice in FLITE:
            found[voice] = net_speech(_spoken(["flite", "-voice", voice, "-t", t, "-o", str(out)], out) for t in lines)
        found["ked"] = net_speech(_spoken(["festival", "--batch", _festival(t, out)], out) for t in lines)
        found["espeak"] = net_speech(_spoken(["espeak-ng", "-v", "en-us", "-w", str(out), t], out) for t in lines)
    return found


def _festival(text: str, out: Path) -> str:
    return f'(begin (voice_ked_diphone) (utt.save.wave (utt.synth (Utterance Text "{text}")) "{out}"))'


def _spoken(command: list[str], out: Path) -> Sound:
    subprocess.run(command, check=True, capture_output=True)
    return _read(out)


def _read(path: Path) -> Sound:
    sound, rate = soundfile.read(path, dtype="float32", always_2d=True)
    mono = sound.mean(axis=1)
    return mono if rate == RATE_HZ else soxr.resample(mono, rate, RATE_HZ).astype(np.float32)


def net_speech(sounds: Iterable[Sound]) -> list[Sound]:
    """Each sound's speech, joined."""
    ref = resolve("voice_activity")
    heard = list(sounds)
    joined = []
    for sound, prob in zip(heard, SileroVad(ref.path, ref.sha256).speech_prob(heard), strict=True):
        spans = union(s.padded(PAD_S) for s in speech_spans(prob))
        parts = [sound[round(s.start_s * RATE_HZ) : round(s.end_s * RATE_HZ)] for s in spans]
        joined.append(np.concatenate([*parts, np.zeros(0, np.float32)]))
    return joined


def cuts(utterance: Sound, seconds: float) -> Iterator[Sound]:
    """The utterance in pieces of exactly `seconds`."""
    n = round(seconds * RATE_HZ)
    yield from (utterance[k * n : (k + 1) * n] for k in range(len(utterance) // n))


def roughened(sounds: Sequence[Sound], rng: np.random.Generator) -> list[Sound]:
    """Each at another level (±6 dB) and over another noise (white, 15 to 40 dB below the speech)."""
    out = []
    for sound in sounds:
        gain = 10 ** (rng.uniform(-6, 6) / 20)
        noise = rng.standard_normal(len(sound)) * np.sqrt(np.mean(sound**2)) * 10 ** (-rng.uniform(15, 40) / 20)
        out.append(((sound + noise) * gain).astype(np.float32))
    return out
