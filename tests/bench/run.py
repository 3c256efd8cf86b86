"""`make bench`: every benchmark and experiment, one after the other; the tables go to standard output.

Those that need the real speech beside the checkout, or flite and espeak-ng, are left out where these are absent, and
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
    ("programme_speed.py", ""),
    ("cost.py", ""),
    ("three_hours.py", ""),
    ("season.py", ""),
    ("many.py", ""),
    ("rejudge_speed.py", ""),
    ("registry_speed.py", ""),
    ("verify_speed.py", ""),
    ("faults.py", ""),
    ("music.py", ""),
    ("false_alarms.py", "voices"),
)


def main() -> int:
    print(
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    )
    worst = 0
    for name, needs in SCRIPTS:
        print(f"\n## {name}", flush=True)
        if needs == "speech" and not SPEECH.is_dir():
            print("left out: the real speech is not beside the checkout")
        elif needs == "voices" and not (shutil.which("flite") and shutil.which("espeak-ng")):
            print("left out: flite and espeak-ng are not installed")
        else:
            arguments = [str(SPEECH)] if needs == "speech" else []
            worst = max(worst, subprocess.run([sys.executable, str(HERE / name), *arguments], check=False).returncode)
    return worst


if __name__ == "__main__":
    sys.exit(main())
