"""Tiny deliveries made from the committed samples: twelve seconds each, some with a fault, each with bytes of its own."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np

from dubgate.delivery.cues import read_cues, write_vtt
from dubgate.sample_containers import write_flac
from dubgate.samples import RATE_HZ, Scene, _read, derive, find_samples

SECONDS = 12.6  # three lines, one of each character
FAULTS = ("none", "late line", "no label", "no delivery", "truncated", "silent")


def tiny_scene() -> Scene:
    """The first three lines of the clean sample."""
    samples = find_samples()
    sheet = read_cues(samples / "clean/script.vtt", language="en")
    n = round(SECONDS * RATE_HZ)
    return Scene(
        _read(samples / "clean/original.flac")[:n],
        _read(samples / "clean/dub.flac")[:n],
        replace(sheet, cues=sheet.cues[:3]),
        samples,
    )


def make_deliveries(folder: Path, n: int, *, language: str = "fr", seed: int = 0, faults: bool = True) -> list[Path]:
    """`n` deliveries below `folder`; in a language that the embedded ears have no words for, hearing takes a fifth."""
    scene, found = tiny_scene(), []
    for k in range(n):
        fault = FAULTS[k % len(FAULTS)] if faults and k % 3 == 1 else "none"
        found.append(_one(scene, folder / f"d{k:03}", language, np.random.default_rng((seed, k)), fault))
    return found


def _one(scene: Scene, folder: Path, language: str, rng: np.random.Generator, fault: str) -> Path:
    folder.mkdir(parents=True)
    steps = {"late line": [{"shift_line": {"cue": "L02", "by_s": 0.9}}], "silent": [{"silence": {}}]}.get(fault, [])
    made = derive(scene, steps)  # type: ignore[arg-type]
    quiet = 1e-4 * rng.standard_normal(len(made.dub)).astype(np.float32)  # bytes of its own
    write_flac(folder / "original.flac", made.original)
    write_flac(folder / "dub.flac", made.dub + quiet, title=None if fault == "no label" else "Français [AI]")
    sheet = replace(made.sheet, language=language)
    (folder / "script.vtt").write_text(write_vtt(sheet), encoding="utf-8")
    shutil.copyfile(find_samples() / "series.yaml", folder / "series.yaml")
    told = f"schema: delivery/1.0\nextends: series.yaml\ndub: {{language: {language}, mix: dub.flac}}\n"
    (folder / "delivery.yaml").write_text(told, encoding="utf-8")
    if fault == "truncated":
        whole = (folder / "dub.flac").read_bytes()
        (folder / "dub.flac").write_bytes(whole[: len(whole) // 3])
    if fault == "no delivery":
        (folder / "delivery.yaml").write_text("schema: delivery/1.0\n", encoding="utf-8")
    return folder / "delivery.yaml"
