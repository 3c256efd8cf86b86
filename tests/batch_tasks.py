"""Tasks for workers of a batch that hear nothing: what they answer is written in the file that the job names."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import time
from datetime import UTC, datetime
from pathlib import Path

from dubgate.engine.jobs import Answer, Facts, Failure, Job, Result, Settings, Trait, Voices
from dubgate.engine.judges import judges_of
from dubgate.errors import DubgateError
from dubgate.features import Floats

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
SETTINGS = Settings("consent.db", AT)


def told_state(location: str, aside: Path | None = None) -> str:
    """A delivery is its manifest's bytes here."""
    return hashlib.sha256(Path(location).read_bytes()).hexdigest()


def facts(title: str = "Ep 1", decision: str = "release", **changes: object) -> Facts:
    """A judged delivery."""
    told: dict[str, object] = {
        "title": title,
        "language": "en",
        "vendor": "Polyglot",
        "submission": title,
        "series": "title:season-1",
        "decision": decision,
        "groups": (("quality", decision),),
        "blocking": ("TIM-ONSET",) if decision == "block" else (),
        "holding": ("VOI-ONE",) if decision == "hold" else (),
        "warning": (),
        "minutes": 10.0,
        "review_minutes": 0.0 if decision == "release" else 1.5,
        "report_sha256": hashlib.sha256(f"{title} {decision}".encode()).hexdigest(),
    }
    return Facts(**(told | changes))  # type: ignore[arg-type]


def judge_one(job: Job, settings: Settings) -> Result:
    """Answer what the manifest says: {"decision": …}, or die, hang or fail as it says."""
    manifest = Path(job.location)
    told = json.loads(manifest.read_text())
    with (manifest.parent / "asked").open("a") as file:
        file.write(f"{os.getpid()}\n")
    if told.get("dies") or (told.get("dies_once") and (manifest.parent / "asked").read_text().count("\n") == 1):
        os.kill(os.getpid(), signal.SIGKILL)
    if "fails" in told:
        return Failure(str(told["fails"]))
    if told.get("breaks"):
        raise DubgateError("the task itself broke")
    time.sleep(float(told.get("takes", 0)))
    found = facts(told.get("title", manifest.parent.name), told["decision"])
    voices: Voices = {k: (_vector(v), 20.0) for k, v in told.get("voices", {}).items()}
    traits = tuple(
        Trait(k, (f"v-{k}",), "voice_clone_tts", "V", told.get("model", "m1"), 20.0, 80.0, -20.0) for k in voices
    )
    told_of = Facts(**({f: getattr(found, f) for f in found.__slots__} | {"traits": traits}))
    judges, files = judges_of(settings), {"report.json": json.dumps(told).encode()}
    return Answer(told_of, files, voices, worker=f"w:{os.getpid()}", seconds=0.1, judges=judges)


def _vector(values: list[float]) -> Floats:
    import numpy as np

    return np.asarray(values, dtype=np.float32)


def told_gpu(job: Job, settings: Settings) -> Result:
    """Which GPU the worker may see."""
    return Failure(os.environ.get("CUDA_VISIBLE_DEVICES", ""))
