"""Many deliveries through the local engine and through Ray on one machine, killed on the way and gone on with: the same answers.

    python tests/bench/many.py [--n 200] [--workers 2] [--engines local ray] [--language fr]

Each engine has a cache of its own, so that each hears by itself. On the way a worker is killed, then the driver; the same command goes
on. Compared are the facts of every delivery (decision, groups, rules, minutes, the digest of the whole JSON report); apart from
them only worker, seconds and the order of the lines may differ.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from made_batch import make_deliveries  # noqa: E402

from dubgate.sample_registry import make_registry  # noqa: E402
from dubgate.samples import find_samples  # noqa: E402

AT = "2026-11-20T12:00:00Z"
MAY_DIFFER = ("worker", "seconds")


def main() -> int:
    options = argparse.ArgumentParser()
    options.add_argument("--n", type=int, default=200)
    options.add_argument("--workers", type=int, default=2)
    options.add_argument("--engines", nargs="+", default=["local", "ray"])
    options.add_argument("--language", default="fr")
    options.add_argument("--no-kill", action="store_true")
    told = options.parse_args()
    print(
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {told.n} deliveries of 12.6 s, {told.workers} workers of one thread"
    )
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        manifests = make_deliveries(home / "in", told.n, language=told.language)
        registry = make_registry(find_samples(), home).path
        answers = [_engine(e, manifests, registry, home, told) for e in told.engines]
    same = all(a == answers[0] for a in answers)
    print(
        f"answers of {' and '.join(told.engines)}: {'identical' if same else 'DIFFERENT'} (apart from {', '.join(MAY_DIFFER)})"
    )
    for name in sorted(answers[0]):
        if any(a.get(name) != answers[0][name] for a in answers):
            print(f"  {name}: {[a.get(name) for a in answers]}")
    return 0 if same else 1


def _engine(engine: str, manifests: list[Path], registry: Path, home: Path, told: Any) -> dict[str, Any]:
    out = home / f"out-{engine}"
    command = [sys.executable, "-m", "dubgate", "batch", *map(str, manifests), "--registry", str(registry)]
    command += ["--out", str(out), "--engine", engine, "--workers", str(told.workers), "--models", "embedded"]
    command += ["--device", "cpu", "--at", AT, "--format", "json", "--quiet"]
    env = {**os.environ, "DUBGATE_CACHE": str(home / f"cache-{engine}"), "OMP_NUM_THREADS": "1"}
    started, killed = time.perf_counter(), ""
    if not told.no_kill:
        killed = _killed(command, env, out, len(manifests))
    code = subprocess.run(command, env=env, capture_output=True, text=True, check=False).returncode
    took = time.perf_counter() - started
    steps = [json.loads(line)["step"] for line in (out / "journal.jsonl").read_text().splitlines()]
    done = [s["done"] for s in steps if "done" in s]
    judged = [d for d in done if d["facts"] is not None]
    assert len({d["name"] for d in judged}) == len(judged), "something was judged twice"
    assert {d["name"] for d in done} >= {d["name"] for d in judged}
    decisions = {k: sum((d["facts"] or {}).get("decision") == k for d in judged) for k in ("release", "hold", "block")}
    print(
        f"{engine}: {took:.0f} s, exit code {code}, {decisions}, {len({d['name'] for d in done}) - len(judged)} not judged; {killed}"
    )
    return {d["name"]: {k: v for k, v in d.items() if k not in MAY_DIFFER} | {"why": bool(d["why"])} for d in done}


def _killed(command: list[str], env: dict[str, str], out: Path, n: int) -> str:
    """Kill a worker after a fifth and the driver after two fifths."""
    driver = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    worker = None
    while driver.poll() is None:
        time.sleep(0.2)
        journal = out / "journal.jsonl"
        ended = journal.read_bytes().count(b"\n") - 1 if journal.exists() else 0
        if worker is None and ended >= n // 5:
            worker = next(iter(_workers(driver.pid)), None)
            if worker is not None:
                os.kill(worker, signal.SIGKILL)
        if ended >= 2 * n // 5:
            driver.send_signal(signal.SIGKILL)
            driver.wait()
            return f"worker {'killed' if worker else 'NOT killed'}, driver killed after {ended}"
    return "ended before it could be killed"


def _workers(driver: int) -> list[int]:
    """The processes of the driver's own tree that judge: Ray names its actors, multiprocessing its children."""
    parents, names = {}, {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(path.name)] = int((path / "stat").read_text().rpartition(")")[2].split()[1])
            names[int(path.name)] = (path / "cmdline").read_bytes()
        except (OSError, ValueError, IndexError):
            continue
    mine = {driver}
    while more := {p for p, above in parents.items() if above in mine} - mine:
        mine |= more
    return sorted(p for p in mine - {driver} if b"ray::Hearer" in names[p] or b"multiprocessing.spawn" in names[p])


if __name__ == "__main__":
    sys.exit(main())
