"""The samples: committed sounds, and the faults derived from them by arithmetic when a sample is judged.

A case is a folder with `case.yaml` (what is wrong and how it is derived) and `expected.json` (what must come out).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from dubgate.delivery.cues import read_cues, write_vtt
from dubgate.delivery.script import Cue, CueKind, CueSheet
from dubgate.errors import InputError
from dubgate.features import Floats
from dubgate.spans import Span
from dubgate.strict_yaml import load_yaml

RATE_HZ = 16_000
EDGE_S = 0.005  # faded edges, so that a cut makes no click


@dataclass(frozen=True, slots=True)
class Scene:
    """What a case is derived from: both tracks [shape=(n,)] at 16 kHz, the script, and the folder of extra takes."""

    original: Floats
    dub: Floats
    sheet: CueSheet
    folder: Path  # of the case: where its own takes lie
    extras: tuple[tuple[str, Floats], ...] = ()  # further files to write: stem, me
    between: Floats | None = None  # what the dub's two channels play in antiphase; None for a dub of one channel

    def cue(self, cue_id: str) -> Cue:
        return next(c for c in self.sheet.cues if c.id == cue_id)


Step = Callable[[Scene, dict[str, Any]], Scene]


def find_samples(start: Path | None = None) -> Path:
    """The samples folder of this checkout.

    Raises:
        InputError: dubgate was installed without its samples.
    """
    folder = start or Path(__file__).resolve().parents[1] / "samples"
    if not (folder / "clean/dub.flac").is_file():
        raise InputError("no samples here", where=str(folder), remedy="run from a checkout, or name it with --samples")
    return folder


def cases(samples: Path) -> tuple[Path, ...]:
    """The folders that hold a case, in the order of their `order` field, then by name."""
    folders = [p.parent for p in samples.glob("*/case.yaml")]
    return tuple(sorted(folders, key=lambda p: (read_case(p).get("order", 1000), p.name)))


def read_case(folder: Path) -> dict[str, Any]:
    """case.yaml as plain data."""
    path = folder / "case.yaml"
    data = load_yaml(path.read_bytes(), str(path)).data
    if not isinstance(data, dict):
        raise InputError("a case is a mapping", where=str(path))
    return data


def materialise(folder: Path, out: Path) -> Path:
    """Write the case's tracks and script below `out`; returns the folder to judge.

    `after` derives once more: what is delivered after somebody signed (see demonstration.py).
    """
    case = read_case(folder)
    scene = derive(_scene(folder.parent, str(case.get("from", "clean")), folder), case.get("derive", ()))
    target = out / folder.name
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    write_scene(scene, case, target)
    if (folder / "record").is_dir():
        shutil.copytree(folder / "record", target / "record")
    for path in (folder.parent / "series.yaml", folder / "delivery.yaml"):
        if (folder / "delivery.yaml").is_file():
            shutil.copyfile(path, target / path.name)
    return target


def derive(scene: Scene, steps: Sequence[dict[str, Any]]) -> Scene:
    """The scene after the steps, in order."""
    for step in steps:
        [(name, arguments)] = step.items()
        scene = STEPS[name](scene, arguments or {})
    return scene


def change_after(folder: Path, target: Path) -> None:
    """Derive what `after` says from the delivered dub, over it: the swap after somebody signed."""
    case = read_case(folder)
    if case.get("after"):
        scene = _scene(folder.parent, str(case.get("from", "clean")), folder)
        write_scene(derive(scene, (*case.get("derive", ()), *case["after"])), case, target)


def write_scene(scene: Scene, case: dict[str, Any], target: Path) -> None:
    """Tracks, script and containers of a scene; `label` becomes the dub's title where the case has one."""
    from dubgate.sample_containers import write_flac, write_hls, write_video

    label = case.get("label")
    write_flac(target / "original.flac", scene.original)
    channels = scene.dub if scene.between is None else np.stack([scene.dub + scene.between, scene.dub - scene.between])
    write_flac(target / "dub.flac", channels, title=label)
    for name, samples in scene.extras:
        write_flac(target / f"{name}.flac", samples)
    (target / "script.vtt").write_text(write_vtt(scene.sheet), encoding="utf-8")
    if case.get("container") == "mp4":
        write_video(target / "video.mp4", scene.original, scene.dub, title=label)
    if case.get("container") == "hls":
        write_hls(target, "original.flac" if case.get("elsewhere") else "dub.flac", name=label)


def expected(folder: Path) -> dict[str, Any]:
    """What must come out: the decision, and because of exactly which rules."""
    data = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    if not isinstance(data, dict):
        raise InputError("expected.json is a mapping", where=str(folder))
    return data


def _scene(samples: Path, base: str, folder: Path) -> Scene:
    source = samples / base
    dub = folder / "dub.flac" if (folder / "dub.flac").is_file() else source / "dub.flac"
    original = folder / "original.flac" if (folder / "original.flac").is_file() else source / "original.flac"
    return Scene(_read(original), _read(dub), read_cues(source / "script.vtt", language="en"), folder)


def _read(path: Path) -> Floats:
    import soundfile

    samples, rate_hz = soundfile.read(path, dtype="float32")
    if rate_hz != RATE_HZ:
        raise InputError(f"samples are at {RATE_HZ} Hz, not {rate_hz}", where=str(path))
    return np.asarray(samples, dtype=np.float32)


def _index(seconds: float) -> int:
    return round(seconds * RATE_HZ)


def _bed(n: int) -> Floats:
    """The room tone of the scene, so that a cut leaves no digital silence."""
    noise = np.random.default_rng(5).standard_normal(n) * 10 ** (-72 / 20)
    return noise.astype(np.float32)


def _faded(samples: Floats) -> Floats:
    edge = min(_index(EDGE_S), len(samples) // 2)
    ramp = np.ones(len(samples), dtype=np.float32)
    ramp[:edge] = np.linspace(0, 1, edge)
    ramp[len(samples) - edge :] = np.linspace(1, 0, edge)
    return samples * ramp


def _cut(track: Floats, span: Span) -> tuple[Floats, Floats]:
    """The track with room tone in place of the span, and what was taken out."""
    a, b = _index(span.start_s), min(_index(span.end_s), len(track))
    left = track.copy()
    left[a:b] = _bed(b - a)
    return left, track[a:b].copy()


def _paste(track: Floats, clip: Floats, at_s: float) -> Floats:
    out = track.copy()
    a = max(0, _index(at_s))
    b = min(a + len(clip), len(out))
    out[a:b] += _faded(clip)[: b - a]
    return out


def shift_line(scene: Scene, step: dict[str, Any]) -> Scene:
    """Move the sound of one line by `by_s`."""
    span = scene.cue(step["cue"]).span
    left, line = _cut(scene.dub, span)
    return replace(scene, dub=_paste(left, line, span.start_s + step["by_s"]))


def shift_all(scene: Scene, step: dict[str, Any]) -> Scene:
    """Move the whole dub by `by_s`, its length kept."""
    n = _index(step["by_s"])
    moved = np.concatenate([_bed(max(n, 0)), scene.dub[max(-n, 0) :], _bed(max(-n, 0))])[: len(scene.dub)]
    return replace(scene, dub=moved)


def resample(scene: Scene, step: dict[str, Any]) -> Scene:
    """Play the dub at `ratio` times its speed, as a wrong frame rate does."""
    import soxr

    played = soxr.resample(scene.dub, RATE_HZ * step["ratio"], RATE_HZ)
    return replace(scene, dub=np.asarray(played, dtype=np.float32))


def gain(scene: Scene, step: dict[str, Any]) -> Scene:
    """Change the dub's level by `db`; what goes over full scale is clipped when written."""
    return replace(scene, dub=np.clip(scene.dub * np.float32(10 ** (step["db"] / 20)), -1.0, 1.0))


def silence(scene: Scene, step: dict[str, Any]) -> Scene:
    """A dub of digital silence."""
    return replace(scene, dub=np.zeros_like(scene.dub))


def replace_line(scene: Scene, step: dict[str, Any]) -> Scene:
    """Put the take `with` (a file of the case) in place of one line."""
    span = scene.cue(step["cue"]).span
    left, _ = _cut(scene.dub, span)
    return replace(scene, dub=_paste(left, _read(scene.folder / step["with"]), span.start_s))


def mute_line(scene: Scene, step: dict[str, Any]) -> Scene:
    """Leave a line out: room tone in its place."""
    return replace(scene, dub=_cut(scene.dub, scene.cue(step["cue"]).span)[0])


def keep_original(scene: Scene, step: dict[str, Any]) -> Scene:
    """Leave the original's sound in place of one dubbed line."""
    span = scene.cue(step["cue"]).span
    left, _ = _cut(scene.dub, span)
    return replace(scene, dub=_paste(left, _cut(scene.original, span)[1], span.start_s))


def mark(scene: Scene, step: dict[str, Any]) -> Scene:
    """Give a cue another character or kind."""
    changes: dict[str, Any] = {k: v for k, v in step.items() if k == "character"}
    if "kind" in step:
        changes["kind"] = CueKind(step["kind"])
    cues = tuple(replace(c, **changes) if c.id == step["cue"] else c for c in scene.sheet.cues)
    return replace(scene, sheet=replace(scene.sheet, cues=cues))


def original_speaks(scene: Scene, step: dict[str, Any]) -> Scene:
    """Put stretches of the recording `take` in place of the original's lines of a character."""
    take, at = _read(scene.folder / step["take"]), 0
    original = scene.original
    for cue in scene.sheet.cues:
        if cue.character == step["character"]:
            n = _index(cue.span.duration_s)
            at = 0 if at + n > len(take) else at
            original, _ = _cut(original, cue.span)
            original, at = _paste(original, take[at : at + n], cue.span.start_s), at + n
    return replace(scene, original=original)


def append(scene: Scene, step: dict[str, Any]) -> Scene:
    """Add the take `with` after the last line, where original and script are silent; both tracks grow by `room_s`."""
    n = _index(step["room_s"])
    dub = np.concatenate([scene.dub, _bed(n)])
    dub = _paste(dub, _read(scene.folder / step["with"]), len(scene.dub) / RATE_HZ)
    return replace(scene, dub=dub, original=np.concatenate([scene.original, _bed(n)]))


def repeat(scene: Scene, step: dict[str, Any]) -> Scene:
    """The scene `times` over, for faults that need length."""
    length_s = len(scene.original) / RATE_HZ
    cues = tuple(
        Cue(f"{c.id}.{k + 1}", c.span.shifted(k * length_s), c.text, c.character)
        for k in range(step["times"])
        for c in scene.sheet.cues
    )
    sheet = CueSheet(scene.sheet.name, cues, scene.sheet.language, scene.sheet.style)
    n = step["times"]
    return replace(scene, original=np.tile(scene.original, n), dub=np.tile(scene.dub, n), sheet=sheet)


def music(scene: Scene, step: dict[str, Any]) -> Scene:
    """Lay music under the dub at `below_speech_db`; writes stem.flac and me.flac, the dub becomes the mix."""
    from dubgate.sample_containers import music_bed

    bed = music_bed(len(scene.dub), scene.dub, step["below_speech_db"])
    stem = scene.dub
    other = _cut(stem, scene.cue(step["swapped"]).span)[0] if "swapped" in step else stem
    extras = (("stem", other), ("me", bed))
    return replace(scene, dub=(stem + bed).astype(np.float32), extras=extras)


def between_channels(scene: Scene, step: dict[str, Any]) -> Scene:
    """Let the enrolment of another voice run from `at_s` on between the dub's two channels: their mono sum stays as it was."""
    take = _read(scene.folder.parent / "voices" / f"{step['voice']}.flac")
    return replace(scene, between=_paste(np.zeros_like(scene.dub), take, step["at_s"]))


STEPS: dict[str, Step] = {
    f.__name__: f
    for f in (
        shift_line, shift_all, resample, gain, silence, replace_line, mute_line, keep_original, mark, original_speaks,
        append, repeat, music, between_channels,
    )
}  # fmt: skip
