"""A season of 12 episodes in which one character's voice changes in episode 7: whether `dubgate batch` names it there and nowhere else.

    python tests/bench/season.py [--episodes 12] [--changed 7]

Each episode is the first nine lines of the clean sample (three of each character), with noise of its own. In the changed one OTTO's lines
are cut from the recording of another voice (samples/voices/kal16.flac) at the same level.
"""

from __future__ import annotations

import argparse
import csv
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from dubgate.delivery.cues import read_cues, write_vtt
from dubgate.sample_containers import write_flac
from dubgate.sample_registry import make_registry
from dubgate.samples import RATE_HZ, _read, find_samples

AT = "2026-11-20T12:00:00Z"
WHO, OTHER = "OTTO", "kal16"


def main() -> int:
    options = argparse.ArgumentParser()
    options.add_argument("--episodes", type=int, default=12)
    options.add_argument("--changed", type=int, default=7)
    told = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        manifests = [_episode(home / f"ep{n:02}", n, n == told.changed) for n in range(1, told.episodes + 1)]
        registry = make_registry(find_samples(), home).path
        command = [sys.executable, "-m", "dubgate", "batch", *map(str, manifests), "--registry", str(registry)]
        command += [
            "--out",
            str(home / "out"),
            "--workers",
            "2",
            "--models",
            "embedded",
            "--at",
            AT,
            "--format",
            "json",
        ]
        started = time.perf_counter()
        run = subprocess.run(
            [*command, "--quiet"],
            env={**os.environ, "DUBGATE_CACHE": str(home / "cache")},
            capture_output=True,
            text=True,
            check=False,
        )
        took = time.perf_counter() - started
        if not (home / "out" / "summary-series.csv").exists():
            print(run.stderr)
            return 2
        rows = list(csv.DictReader((home / "out" / "summary-series.csv").read_text("utf-8-sig").splitlines()))
    print(f"{datetime.now(UTC):%Y-%m-%d}, {told.episodes} episodes, {took:.0f} s, exit code {run.returncode}")
    for row in rows:
        print(f"  {row['delivery'][:4]} {row['rule']}: {row['sentence en']} ({row['value']}, wanted {row['bound']})")
    named = {(r["delivery"][:4], r["character"]) for r in rows if r["rule"] == "SER-VOICE"}
    right = named == {(f"ep{told.changed:02}", WHO)}
    print("named there and nowhere else" if right else f"WRONG: {named}")
    return 0 if right else 1


def _episode(folder: Path, n: int, changed: bool) -> Path:
    samples = find_samples()
    sheet = read_cues(samples / "clean/script.vtt", language="en")
    cues = sheet.cues[:9]
    last = round((cues[-1].span.end_s + 0.5) * RATE_HZ)
    original, dub = (_read(samples / f"clean/{name}.flac")[:last].copy() for name in ("original", "dub"))
    if changed:
        take, at = _read(samples / f"voices/{OTHER}.flac"), RATE_HZ // 2
        for cue in cues:
            if cue.character == WHO:
                first, end = (round(t * RATE_HZ) for t in (cue.span.start_s, cue.span.end_s))
                piece = take[at : at + end - first]
                louder = np.sqrt(np.mean(dub[first:end] ** 2) / max(float(np.mean(piece**2)), 1e-12))
                dub[first:end] = np.clip(piece * louder, -1, 1)
                at += end - first
    folder.mkdir()
    noise = np.random.default_rng(n).standard_normal(last).astype(np.float32)
    write_flac(folder / "original.flac", original)
    write_flac(folder / "dub.flac", dub + np.float32(1e-4) * noise, title="Français [AI]")
    (folder / "script.vtt").write_text(write_vtt(replace(sheet, cues=cues, language="fr")), encoding="utf-8")
    shutil.copyfile(samples / "series.yaml", folder / "series.yaml")
    told = "schema: delivery/1.0\nextends: series.yaml\ndub: {language: fr, mix: dub.flac}\n"
    (folder / "delivery.yaml").write_text(told, encoding="utf-8")
    return folder / "delivery.yaml"


if __name__ == "__main__":
    sys.exit(main())
