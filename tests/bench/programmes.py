"""Long clean programmes made with text-to-speech: what false alarms are counted on. Needs flite and espeak-ng."""

from __future__ import annotations

import importlib.util
import random
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
RATE_HZ = 16_000
GAP_S = 0.9

SUBJECTS = (
    "the doctor",
    "my sister",
    "the old captain",
    "our teacher",
    "a young soldier",
    "the night porter",
    "his lawyer",
)
GERMAN_SUBJECTS = (
    "der Arzt",
    "meine Schwester",
    "der alte Kapitän",
    "unser Lehrer",
    "ein junger Soldat",
    "der Nachtportier",
    "sein Anwalt",
)
VERBS = (
    "has hidden",
    "wants to sell",
    "never found",
    "will bring back",
    "is looking for",
    "has broken",
    "carried away",
)
GERMAN_VERBS = ("versteckte", "verkauft", "findet nie", "bringt zurück", "sucht", "zerbrach", "trug fort")
THINGS = ("the letter from the city", "a small red suitcase", "the keys of the garden house", "the photographs of the wedding",
          "an important message", "the last bottle of medicine", "the map of the northern islands")  # fmt: skip
GERMAN_THINGS = ("den Brief aus der Stadt", "einen kleinen roten Koffer", "die Schlüssel vom Gartenhaus", "die Fotos von der Hochzeit",
                 "eine wichtige Nachricht", "die letzte Flasche Medizin", "die Karte der nördlichen Inseln")  # fmt: skip
ENDS = ("before the winter comes", "because nobody asked him", "and we must not tell anyone", "although it was already dark",
        "while the others were asleep", "and that is the whole truth", "when the train had left")  # fmt: skip
GERMAN_ENDS = ("bevor der Winter kommt", "weil niemand fragte", "und wir sagen es niemandem", "obwohl es schon dunkel war",
               "während die anderen schliefen", "und das ist die ganze Wahrheit", "als der Zug fort war")  # fmt: skip
CAST = {
    "MARA": ("slt", "de+f3", 42),
    "JONAS": ("rms", "de", 48),
    "OTTO": ("awb", "de+m3", 58),
}


@dataclass(frozen=True)
class Programme:
    """Two tracks [shape=(n,)] float32 at 16 kHz and the cues as (id, start_s, end_s, character, text)."""

    original: np.ndarray
    dub: np.ndarray
    cues: tuple[tuple[str, float, float, str, str], ...]

    def vtt(self) -> str:
        rows = ["WEBVTT", "", "NOTE language: en", ""]
        for cue_id, start, end, who, text in self.cues:
            rows += [cue_id, f"{MAKE.timecode(start)} --> {MAKE.timecode(end)}", f"<v {who}>{text}", ""]
        return "\n".join(rows)


def _load_make() -> Any:
    spec = importlib.util.spec_from_file_location("samples_make", ROOT / "samples/make.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MAKE = _load_make()


def sentence(rng: random.Random) -> tuple[str, str]:
    """An English line and its German original, of the same template."""
    picks = [rng.randrange(7) for _ in range(4)]
    english = " ".join(table[k] for table, k in zip((SUBJECTS, VERBS, THINGS, ENDS), picks, strict=True))
    german = " ".join(
        table[k] for table, k in zip((GERMAN_SUBJECTS, GERMAN_VERBS, GERMAN_THINGS, GERMAN_ENDS), picks, strict=True)
    )
    return english.capitalize() + ".", german.capitalize() + "."


def make_programme(n_lines: int, seed: int) -> Programme:
    """A clean programme of `n_lines`, three characters in turn, dub and original on the same slots."""
    rng = random.Random(seed)
    originals, dubs, cues, now = [], [], [], 1.0
    with tempfile.TemporaryDirectory() as folder:
        for k in range(n_lines):
            who = rng.choice(list(CAST))
            dub_voice, original_voice, pitch = CAST[who]
            english, german = sentence(rng)
            dub = MAKE.at_level(MAKE.flite(english, dub_voice, Path(folder)))
            original = MAKE.at_level(MAKE.espeak(german, original_voice, pitch, len(dub) / RATE_HZ, Path(folder)))
            start = round(now, 3)
            end = start + max(len(dub), len(original)) / RATE_HZ
            cues.append((f"L{k + 1:04}", start, round(end, 3), who, english))
            originals.append((start, original))
            dubs.append((start, dub))
            now = end + GAP_S
    n = int((now + 1.0) * RATE_HZ)
    return Programme(_lay(originals, n, seed + 1), _lay(dubs, n, seed + 2), tuple(cues))


def _lay(takes: list[tuple[float, np.ndarray]], n: int, seed: int) -> np.ndarray:
    track = MAKE.room(n, seed)
    for start, take in takes:
        first = round(start * RATE_HZ)
        track[first : first + len(take)] += take
    return track.astype(np.float32)
