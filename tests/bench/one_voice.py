"""One line of ten by another voice: how often it is named, and how often nobody is in clean characters.

    .venv/bin/python tests/bench/one_voice.py ../shared/speech

Readers are LibriSpeech's; the threshold was fixed beforehand on LJ Speech and synthetic voices (fit_voice_calibration.py).
Lines of 1 s are Unmeasured in a check; their row says what would happen if they were judged.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from dubgate.features import VoiceSegment
from dubgate.measure.voice import one_voice_scores
from dubgate.spans import Span
from dubgate.speech.calibration import Calibration, Relation, find, packaged
from dubgate.speech.ge2e import Ge2e
from dubgate.speech.models import resolve
from dubgate.speech.swiftf0 import SwiftF0

sys.path.insert(0, str(Path(__file__).parent))
from voice_material import Utterances, cuts, encoder, librispeech, roughened  # beside this script, not in a package

N_LINES, N_DRAWS = 10, 200
LOW_UNDER_HZ = 140.0  # median F0: readers on one side of it are taken to be of one sex

Pieces = dict[str, list[list[np.ndarray]]]  # speaker, utterance, cut: vectors


@dataclass(frozen=True)
class Shares:
    """Of draws: the swapped line named, it alone named, nobody named in a clean character; draws behind each."""

    named: float
    alone: float
    clean: float
    false_lines: float
    n: int


def pieces_of(
    heard_by: Ge2e, voices: Utterances, seconds: float, treat: Callable[[list[np.ndarray]], list[np.ndarray]]
) -> Pieces:
    found: Pieces = {}
    for speaker, utterances in voices.items():
        rows = [
            [v for v in heard_by.embed(treat(list(cuts(u, seconds)))) if isinstance(v, np.ndarray)] for u in utterances
        ]
        found[speaker] = [row for row in rows if row]
    return found


def draw(pieces: Pieces, speaker: str, other: str | None, rng: np.random.Generator) -> tuple[list[np.ndarray], int]:
    """Ten lines of a speaker, from as many utterances as there are, one of them replaced by another's."""
    own = pieces[speaker]
    order = [int(k) for k in rng.permutation(len(own))]
    lines, used = [], set()
    while len(lines) < N_LINES:
        k = order[len(lines) % len(order)]
        free = [j for j in range(len(own[k])) if (k, j) not in used]
        j = int(rng.choice(free or range(len(own[k]))))
        used.add((k, j))
        lines.append(own[k][j])
    swapped = int(rng.integers(N_LINES))
    if other is not None:
        utterance = pieces[other][int(rng.integers(len(pieces[other])))]
        lines[swapped] = utterance[int(rng.integers(len(utterance)))]
    return lines, swapped


def named(lines: Sequence[np.ndarray], seconds: float, calibration: Calibration) -> list[bool]:
    segments = [VoiceSegment(Span(k, k + seconds), seconds, str(k), "X", v) for k, v in enumerate(lines)]
    return [s.named for s in one_voice_scores(segments, calibration)]


def experiment(
    pieces: Pieces, seconds: float, pairs: Sequence[tuple[str, str]], calibration: Calibration, rng: np.random.Generator
) -> Shares:
    hits, alone, clean, false_lines = 0, 0, 0, 0
    for _ in range(N_DRAWS):
        speaker, other = pairs[int(rng.integers(len(pairs)))]
        lines, swapped = draw(pieces, speaker, other, rng)
        found = named(lines, seconds, calibration)
        hits += found[swapped]
        alone += found[swapped] and sum(found) == 1
        false = sum(named(draw(pieces, speaker, None, rng)[0], seconds, calibration))
        clean += false == 0
        false_lines += false
    return Shares(hits / N_DRAWS, alone / N_DRAWS, clean / N_DRAWS, false_lines / (N_DRAWS * N_LINES), N_DRAWS)


def pairs_of(low: dict[str, bool], same_sex: bool | None) -> list[tuple[str, str]]:
    return [(a, b) for a in low for b in low if a != b and (same_sex is None or (low[a] == low[b]) == same_sex)]


def low_voices(voices: Utterances) -> dict[str, bool]:
    ref = resolve("pitch")
    tracker = SwiftF0(ref.path, ref.sha256)
    f0 = {who: np.concatenate([p.f0_hz.values for p in tracker.pitch(sounds)]) for who, sounds in voices.items()}
    return {who: bool(np.nanmedian(values) < LOW_UNDER_HZ) for who, values in f0.items()}


def down_to(calibration: Calibration, seconds: float) -> Calibration:
    """The same, as if its first band began earlier: what would happen if shorter lines were judged."""
    first = replace(calibration.bands[0], from_s=seconds)
    return replace(calibration, bands=(first, *calibration.bands[1:]))


def main(speech: Path) -> None:
    heard_by = encoder()
    calibration = find(heard_by.info.weights_sha256, Relation.SAME, among=packaged())
    assert isinstance(calibration, Calibration)
    voices = librispeech(speech)
    rng = np.random.default_rng(7)
    print("| lines | sound | pairs | swapped line named | it alone | clean: nobody named | own lines named |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    low = low_voices(voices)
    print(f"<!-- low voices: {', '.join(who for who in low if low[who])} -->")
    for seconds in (1.0, 1.5, 2.0, 3.0, 4.0):
        judged = calibration if seconds >= 1.5 else down_to(calibration, seconds)
        for sound, treat in (("clean", list), ("rough", lambda s: roughened(s, rng))):
            pieces = pieces_of(heard_by, voices, seconds, treat)
            for title, same_sex in (("all", None), ("same sex", True), ("other sex", False)):
                r = experiment(pieces, seconds, pairs_of(low, same_sex), judged, rng)
                print(
                    f"| {seconds:g} s | {sound} | {title} | {r.named:.1%} | {r.alone:.1%} | {r.clean:.1%} | {r.false_lines:.3%} |"
                )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
