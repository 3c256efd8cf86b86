"""Whether the aligner in arrays decides as PocketSphinx's own decoders do: texts that were said, and others, on real speech.

    python tests/bench/aligner_agreement.py [--shifts 3]

Each clip of ljspeech and librispeech (shared speech), whole and with white noise 20 dB under it, against its own text and the texts
of the clips behind it. Told: times, scores, what the limits of measure/evidence.py make of them, and processor time.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "speech"))

import numpy as np
from ljspeech_script import SPEECH, load
from sphinx_decoders import Decoders

from dubgate.features import Floats
from dubgate.measure.evidence import _LINE_FITS_NATS, _WORD_FITS_NATS
from dubgate.speech.pocketsphinx import packaged_model
from dubgate.speech.sphinx_aligner import PlacedText, PocketSphinxAligner
from dubgate.speech.sphinx_weights import SCORE_NATS
from dubgate.wording import spoken_words


@dataclass(frozen=True)
class Seen:
    """A text as one of the two placed it: each word's frames and nats, and the line's nats."""

    words: tuple[tuple[str, int, int], ...]
    word_nats: tuple[float, ...]
    nats: float


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--shifts", type=int, default=2)
    told = options.parse_args()
    aligner, took = PocketSphinxAligner(), {"package": 0.0, "arrays": 0.0}
    pairs: dict[bool, list[tuple[Seen, Seen]]] = {True: [], False: []}
    with tempfile.TemporaryDirectory() as folder:
        decoders = Decoders(packaged_model(), Path(folder))
        seconds = 0.0
        for clip, own, text in _cases(told.shifts):
            words = [w for w in spoken_words(text, "en") if aligner._words.first(w)]
            seconds += len(clip) / 16_000
            started = time.process_time()
            package = _package(decoders, clip, words)
            took["package"] += time.process_time() - started
            started = time.process_time()
            [placed] = aligner.align([clip], [" ".join(words)], language="en")
            took["arrays"] += time.process_time() - started
            if package is None or not isinstance(placed, PlacedText):
                print("not placed by one or both:", text[:40])
                continue
            pairs[own].append((package, _arrays(placed)))
    for own, some in pairs.items():
        _table("said" if own else "not said", some)
    for name, cpu in took.items():
        print(f"{name}: {1000 * cpu / seconds:.1f} ms of processor time for a second of clips ({seconds:.0f} s)")


def _cases(shifts: int) -> Iterator[tuple[Floats, bool, str]]:
    rng = np.random.default_rng(0)
    for folder in (SPEECH / "ljspeech", *sorted((SPEECH / "librispeech").iterdir())):
        if not (folder / "transcripts.tsv").exists():
            continue
        clips = load(folder)
        for k, (_, _, sound) in enumerate(clips):
            level = float(np.sqrt(np.mean(sound**2))) * 10 ** (-20 / 20)
            noisy = (sound + level * rng.standard_normal(sound.size)).astype(np.float32)
            for shift in range(shifts + 1):
                for clip in (sound, noisy):
                    yield clip, shift == 0, clips[(k + shift) % len(clips)][1]


def _package(decoders: Decoders, clip: Floats, words: list[str]) -> Seen | None:
    path, free = decoders.line(clip, words), decoders.free(clip)
    spoken = [k for k, s in enumerate(path) if s[0][0] not in "<[~"]
    if len(spoken) != len(words):
        return None
    alone = np.concatenate([np.full(last + 1 - first, score / (last + 1 - first)) for _, first, last, score in free])

    def nats(some: list[tuple[str, int, int, int]]) -> float:
        first, last = some[0][1], some[-1][2]
        return float(SCORE_NATS * (sum(s[3] for s in some) - alone[first : last + 1].sum()) / (last + 1 - first))

    return Seen(
        tuple(path[k][:3] for k in spoken),
        tuple(nats([path[k]]) for k in spoken),
        nats(path[spoken[0] : spoken[-1] + 1]),
    )


def _arrays(placed: PlacedText) -> Seen:
    words = tuple((w.text, round(100 * w.span.start_s), round(100 * w.span.end_s) - 1) for w in placed.words)
    return Seen(words, tuple(math.log(w.prob) for w in placed.words), placed.score)


def _table(name: str, pairs: list[tuple[Seen, Seen]]) -> None:
    frames = np.array(
        [
            abs(a - b)
            for p, q in pairs
            for x, y in zip(p.words, q.words, strict=True)
            for a, b in zip(x[1:], y[1:], strict=True)
        ]
    )
    line = np.array([(p.nats, q.nats) for p, q in pairs])
    word = np.minimum(0.0, [(a, b) for p, q in pairs for a, b in zip(p.word_nats, q.word_nats, strict=True)])
    other_line = int(
        np.sum((line[:, 0] >= _LINE_FITS_NATS["pocketsphinx"]) != (line[:, 1] >= _LINE_FITS_NATS["pocketsphinx"]))
    )
    other_word = int(
        np.sum((word[:, 0] >= _WORD_FITS_NATS["pocketsphinx"]) != (word[:, 1] >= _WORD_FITS_NATS["pocketsphinx"]))
    )
    line_off, word_off = np.abs(np.diff(line, axis=1)), np.abs(np.diff(word, axis=1))
    print(
        f"| {name} | {len(pairs)} | {len(word)} | {np.mean(frames == 0):.2%} | {np.mean(frames <= 1):.2%} | {frames.max()} | "
        f"{np.median(line_off):.3f}, {line_off.max():.3f} | {other_line} | {np.median(word_off):.3f}, {np.quantile(word_off, 0.99):.3f} | {other_word} |"
    )


if __name__ == "__main__":
    main()
