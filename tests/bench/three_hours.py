"""A long programme end to end with its memory curve: `dubgate qc` on the sample scene repeated, resident memory by the second.

    python tests/bench/three_hours.py [minutes, default 180] [--language fr]

The programme is made on the fly in a temporary folder (230 MB an hour of both tracks as FLAC, and as much again while it is
heard). In a language that the embedded ears have no words for (fr, the default) transcription is apart; with en it takes most of the time.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import soundfile

from dubgate.delivery.cues import read_cues, write_vtt
from dubgate.delivery.script import Cue
from dubgate.samples import RATE_HZ, _read, find_samples

MOST_BYTES = 2 << 30
PAGE = os.sysconf("SC_PAGE_SIZE")


def make_programme(folder: Path, minutes: float, language: str) -> float:
    """The clean scene over and over, written block by block; the seconds that it lasts."""
    samples = find_samples()
    sheet = read_cues(samples / "clean/script.vtt", language="en")
    tracks = {name: _read(samples / f"clean/{name}.flac") for name in ("original", "dub")}
    length_s = len(tracks["dub"]) / RATE_HZ
    times = max(1, round(minutes * 60 / length_s))
    for name, track in tracks.items():
        with soundfile.SoundFile(folder / f"{name}.flac", "w", RATE_HZ, 1, format="FLAC") as file:
            for _ in range(times):
                file.write(track)
    cues = tuple(
        Cue(f"{c.id}.{k}", c.span.shifted(k * length_s), c.text, c.character) for k in range(times) for c in sheet.cues
    )
    (folder / "script.vtt").write_text(write_vtt(replace(sheet, cues=cues, language=language)), encoding="utf-8")
    return length_s * times


def resident(pid: int) -> dict[int, int]:
    """Resident bytes of a process and of everything below it."""
    found, waiting = {}, [pid]
    while waiting:
        one = waiting.pop()
        try:
            found[one] = int(Path(f"/proc/{one}/statm").read_text().split()[1]) * PAGE
            for task in Path(f"/proc/{one}/task").iterdir():
                waiting += [int(p) for p in (task / "children").read_text().split()]
        except (OSError, ValueError, IndexError):
            continue
    return found


def main() -> int:
    options = argparse.ArgumentParser()
    options.add_argument("minutes", type=float, nargs="?", default=180.0)
    options.add_argument("--language", default="fr")
    told = options.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        seconds = make_programme(folder, told.minutes, told.language)
        command = [sys.executable, "-m", "dubgate", "qc", *(str(folder / n) for n in ("original.flac", "dub.flac"))]
        command += [str(folder / "script.vtt"), "--models", "embedded", "--device", "cpu", "--quiet"]
        command += ["--dub-language", told.language, "--out", str(folder / "out")]
        environment = {**os.environ, "DUBGATE_CACHE": str(folder / "cache"), "TMPDIR": str(folder)}
        started = time.perf_counter()
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        threading.Thread(target=process.wait, daemon=True).start()
        curve: list[tuple[float, int, int]] = []
        while process.poll() is None:
            each = resident(process.pid)
            parent = each.pop(process.pid, 0)
            curve.append((time.perf_counter() - started, parent, max(each.values(), default=0)))
            time.sleep(0.5)
        took = time.perf_counter() - started
        size = sum(p.stat().st_size for p in (folder / "out").glob("*")) / 1e6
        assert process.stderr is not None
        errors = process.stderr.read().decode()
    if process.returncode not in (0, 1, 3):
        print(errors)
        return 2
    _show(curve, seconds, took, told.language, size)
    return 0 if max(p + c for _, p, c in curve) < MOST_BYTES else 1


def _show(curve: list[tuple[float, int, int]], seconds: float, took: float, language: str, size_mb: float) -> None:
    print(
        f"{datetime.now(UTC):%Y-%m-%d}, {seconds / 60:.0f} min of dub and original ({language}), {took:.0f} s, "
        f"{seconds / took:.1f}x real time, load {os.getloadavg()[0]:.1f}, reports {size_mb:.1f} MB"
    )
    print("| after | parent | its child | |\n| --- | --- | --- | --- |")
    step = max(1, len(curve) // 20)
    for k in range(0, len(curve), step):
        at, parent, child = curve[k][0], *(max(c[n] for c in curve[k : k + step]) for n in (1, 2))
        print(f"| {at:.0f} s | {parent / 1e6:.0f} MB | {child / 1e6:.0f} MB | {'#' * round((parent + child) / 50e6)} |")
    print(
        f"peak: parent {max(c[1] for c in curve) / 1e6:.0f} MB, child {max(c[2] for c in curve) / 1e6:.0f} MB, "
        f"together {max(c[1] + c[2] for c in curve) / 1e6:.0f} MB (limit {MOST_BYTES / 1e6:.0f})"
    )


if __name__ == "__main__":
    sys.exit(main())
