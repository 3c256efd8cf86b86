"""`make bench`: every benchmark and experiment, one after the other; the tables go to standard output.

Those that need the real speech beside the checkout, flite and espeak-ng, or a GPU are left out where these are absent, and
said so. Copy what is worth keeping into RESULTS.md, with date, machine and command.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).resolve().parent
SPEECH = Path(os.environ.get("DUBGATE_SPEECH", HERE.parents[2] / "shared/speech"))
SCRIPTS = (
    ("sound_speed.py", "speech"),
    ("one_voice.py", "speech"),
    ("ljspeech_script.py", "speech"),
    ("real_dubs.py", "speech"),
    ("behind_scenes.py", "scenes"),
    ("programme_speed.py", ""),
    ("cost.py", ""),
    ("three_hours.py", ""),
    ("season.py", ""),
    ("many.py", ""),
    ("rejudge_speed.py", ""),
    ("registry_speed.py", ""),
    ("verify_speed.py", ""),
    ("api_speed.py", ""),
    ("desk_speed.py", ""),
    ("label_speed.py", ""),
    ("faults.py", ""),
    ("music.py", ""),
    ("false_alarms.py", "voices"),
    ("gpu.py", "gpu"),
    ("devices.py --second gpu-code", "no gpu"),
)


def main() -> int:
    print(
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    )
    worst = 0
    for command, needs in SCRIPTS:
        print(f"\n## {command}", flush=True)
        if lacking := _lacking(needs):
            print(f"left out: {lacking}")
            continue
        name, *arguments = command.split()
        arguments += [str(SPEECH)] if needs == "speech" else []
        worst = max(worst, subprocess.run([sys.executable, str(HERE / name), *arguments], check=False).returncode)
    return worst


def _lacking(needs: str) -> str:
    """What this machine lacks of what a benchmark needs; empty where it has all."""
    if needs == "speech" and not SPEECH.is_dir():
        return "the real speech is not beside the checkout"
    if needs == "voices" and not (shutil.which("flite") and shutil.which("espeak-ng")):
        return "flite and espeak-ng are not installed"
    if needs == "scenes":
        from behind_voices import DEBIAN, lacking

        return lacking(SPEECH, DEBIAN)
    if needs.endswith("gpu"):
        import torch

        if torch.cuda.is_available() != (needs == "gpu"):
            return "torch finds no GPU" if needs == "gpu" else "gpu.py compares with the GPU itself"
    return ""


if __name__ == "__main__":
    sys.exit(main())
