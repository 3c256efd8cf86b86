"""How much of a voice that hides behind another is found, and how often ordinary sound is held, on scenes that nobody tuned on.

    .venv/bin/python tests/bench/behind_scenes.py ../shared/speech --debian FOLDER [--split development] [--scenes 24] [--only TEXT] [--whole]

Prints Markdown tables. Scenes of 24 s are drawn with a fixed seed: speakers, texts, places, rooms, levels. The bounds of the search
(dubgate/meter/behind.py, unheard.py) may be chosen on `--split development`; on `held-out`, the default, nothing may. What is found is found
by the functions that `dubgate check` calls; `--whole` sends a few scenes through all of its hearing, as files, and compares.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import numpy as np
import soundfile
import soxr
from behind_hiding import GUILTY
from behind_mixes import INNOCENT, LENGTH_S, Draw, Scene
from behind_voices import DEBIAN, RATE_HZ, SPLITS, Material, lacking

from dubgate.features import Floats
from dubgate.meter.unheard import CancelledSpeech
from dubgate.mixing import speech_beside
from dubgate.policy.findings import Outcome
from dubgate.policy.mix_checks import mix_findings
from dubgate.spans import Span, intersection, total_s, union
from dubgate.speech.activity import speech_spans
from dubgate.speech.models import resolve
from dubgate.speech.silero import SileroVad

WHOLE = (
    "two at once, panned",
    "5.1: film",
    "antiphase, 6 dB under",
    "antiphase, 12 dB under",
    "5.1: 6 dB under the centre",
    "M&E: 6 dB under the stem",
)
Z95 = 1.96
N_DRAWS = 2000


@dataclass(frozen=True, slots=True)
class Heard:
    """Of one scene: where a voice was found, and where one hides."""

    found: tuple[Span, ...]
    hidden: tuple[Span, ...]

    @property
    def found_s(self) -> float:
        """Of what hides."""
        return total_s(intersection(self.found, self.hidden))


class Sound:
    """Mono sound at 16 kHz, as a spool reads it."""

    def __init__(self, samples: Floats) -> None:
        self._samples, self.duration_s = samples, len(samples) / RATE_HZ

    def read_padded(self, start_s: float, end_s: float) -> Floats:
        return self._samples[round(start_s * RATE_HZ) : round(end_s * RATE_HZ)]


@cache
def activity() -> SileroVad:
    ref = resolve("voice_activity", "embedded")
    return SileroVad(ref.path, ref.sha256)


def found(scene: Scene) -> tuple[Span, ...]:
    if scene.effects is not None:
        return speech_beside(Sound(scene.channels[0]), Sound(scene.effects), activity().speech_prob)
    lost = CancelledSpeech(RATE_HZ, scene.layout, activity().speech_prob)
    for first in range(0, scene.channels.shape[1], RATE_HZ):
        lost.push(scene.channels[:, first : first + RATE_HZ])
    return lost.finish()


def listened(scene: Scene) -> Heard:
    hidden = () if scene.hidden is None else speech_spans(activity().speech_prob([scene.hidden])[0])
    return Heard(found(scene), hidden)


def scenes(material: Material, kind: str, make: Callable[[Draw], Scene], n: int) -> Iterator[Scene]:
    for k in range(n):
        yield make(Draw(material, np.random.default_rng([material.seed, zlib.crc32(kind.encode()), k])))


def wilson(k: int, n: int) -> tuple[float, float]:
    """95 % of a share of independent trials."""
    middle, half = (k + Z95**2 / 2) / (n + Z95**2), Z95 * (k * (n - k) / n + Z95**2 / 4) ** 0.5 / (n + Z95**2)
    return max(0.0, middle - half), min(1.0, middle + half)


def share(heard: Sequence[Heard]) -> tuple[float, float, float]:
    """Seconds found of seconds hidden, and 95 % of it over scenes drawn again."""
    of = np.array([(h.found_s, total_s(h.hidden)) for h in heard])
    again = of[np.random.default_rng(0).integers(len(of), size=(N_DRAWS, len(of)))].sum(axis=1)
    low, high = np.percentile(again[:, 0] / again[:, 1], [2.5, 97.5])
    return float(of[:, 0].sum() / of[:, 1].sum()), float(low), float(high)


def innocent_row(kind: str, heard: Sequence[Heard]) -> str:
    held = sum(bool(h.found) for h in heard)
    low, high = wilson(held, len(heard))
    seconds = sum(total_s(h.found) for h in heard)
    return f"| {kind} | {held} of {len(heard)} | {100 * low:.2g} to {100 * high:.2g} % | {seconds:.1f} of {len(heard) * LENGTH_S} |"


def guilty_row(kind: str, heard: Sequence[Heard]) -> str:
    held = sum(bool(h.found) for h in heard)
    low, high = wilson(held, len(heard))
    of, least, most = share(heard)
    hidden = sum(total_s(h.hidden) for h in heard)
    scenes_held = f"{held} of {len(heard)} | {low:.0%} to {high:.0%}"
    return f"| {kind} | {of:.0%} of {hidden:.0f} s | {least:.0%} to {most:.0%} | {scenes_held} |"


def table(
    head: str,
    kinds: Mapping[str, Callable[[Draw], Scene]],
    row: Callable[[str, Sequence[Heard]], str],
    material: Material,
    n: int,
    only: str,
) -> list[Heard]:
    print(head, flush=True)
    everything: list[Heard] = []
    for kind, make in kinds.items():
        if only in kind:
            heard = [listened(scene) for scene in scenes(material, kind, make, n)]
            print(row(kind, heard), flush=True)
            everything += heard
    return everything


def whole(scene: Scene, folder: Path) -> tuple[tuple[Span, ...], Outcome]:
    """The scene as files at 48 kHz through all of the hearing: what was found, and what `INT-008` says."""
    from dubgate.hearing import HearingPlan, Source, hear_here
    from dubgate.unmeasured import measured

    def written(name: str, channels: Floats) -> Source:
        at_48k = soxr.resample(channels.T, RATE_HZ, 48_000)
        soundfile.write(folder / f"{name}.flac", at_48k, 48_000, subtype="PCM_24")
        return Source(str(folder / f"{name}.flac"), 0, name, "en")

    dub = written("dub", scene.channels)
    beside = {}
    if scene.effects is not None:
        beside = {
            "mix": written("mix", scene.channels + scene.effects),
            "music_and_effects": written("effects", scene.effects[None]),
        }
    features = hear_here(
        HearingPlan(dub, dub, None, "embedded", "cpu", without=("transcriber", "aligner"), **beside),
        folder,
        lambda *_: None,
    )
    assert features.published is not None
    spans = union((*measured(features.published.cancelled), *measured(features.published.in_effects)))
    said = next(f for f in mix_findings(features, has_stem=bool(beside)) if f.rule == "INT-008")
    return spans, said.outcome


def all_the_way(material: Material, n: int) -> bool:
    """A few scenes as a check hears them; whether each is held exactly where the functions above hold it."""
    print("\n| as files at 48 kHz, through all of the hearing | seconds found | by the function alone | INT-008 |")
    print("| --- | --- | --- | --- |", flush=True)
    alike = True
    for kind in WHOLE:
        for scene in scenes(material, kind, {**INNOCENT, **GUILTY}[kind], n):
            with tempfile.TemporaryDirectory() as folder:
                spans, outcome = whole(scene, Path(folder))
            alone = found(scene)
            alike &= bool(spans) == bool(alone) == (outcome is not Outcome.PASS)
            print(f"| {kind} | {total_s(spans):.1f} | {total_s(alone):.1f} | {outcome.name.lower()} |", flush=True)
    return alike


def main(arguments: argparse.Namespace) -> int:
    if why := lacking(arguments.speech, arguments.debian):
        sys.exit(why)
    material = SPLITS[arguments.split](arguments.speech, arguments.debian)
    began = time.process_time()
    print(
        f"{datetime.now(UTC):%Y-%m-%d}, split {arguments.split}, {arguments.scenes} scenes of {LENGTH_S} s of each kind\n"
    )
    if arguments.whole:
        return 0 if all_the_way(material, arguments.scenes) else 1
    heard = table(
        "| nobody hides | scenes held | 95 % | seconds |\n| --- | --- | --- | --- |",
        INNOCENT, innocent_row, material, arguments.scenes, arguments.only,
    )  # fmt: skip
    if heard:
        print(innocent_row("all", heard))
    table(
        "\n| somebody hides | seconds found | 95 % | scenes held | 95 % |\n| --- | --- | --- | --- | --- |",
        GUILTY, guilty_row, material, arguments.scenes, arguments.only,
    )  # fmt: skip
    print(f"\n{time.process_time() - began:.0f} core s")
    return 0


def _arguments() -> argparse.Namespace:
    root = Path(__file__).resolve().parents[2]
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    speech = Path(os.environ.get("DUBGATE_SPEECH", root.parent / "shared/speech"))
    asked.add_argument("speech", nargs="?", type=Path, default=speech)
    asked.add_argument("--debian", type=Path, default=DEBIAN, help="where Debian's packages are unpacked")
    asked.add_argument("--split", choices=list(SPLITS), default="held-out")
    asked.add_argument("--scenes", type=int, default=24)
    asked.add_argument("--only", default="", help="kinds whose name holds this text")
    asked.add_argument("--whole", action="store_true")
    return asked.parse_args()


if __name__ == "__main__":
    sys.exit(main(_arguments()))
