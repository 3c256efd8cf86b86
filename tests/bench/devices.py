"""Every sample judged on two devices: the same verdicts, findings and outcomes? And how far does each metric differ?

    python tests/bench/devices.py [--first cpu] [--second cuda] [--jobs 2] [--only CASE …] [--out FOLDER]

Prints a table for tests/bench/RESULTS.md. Exit code 1 where a decision, a finding's outcome or what could be measured differs. Each device
hears for itself (the cache knows on which device something was heard); `--first cpu --second cpu` compares what was kept with itself, and
`--second gpu-code` the processor with the GPU's code on the processor (gpu_code.py), where no GPU is.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gpu_code import gpu_code

from dubgate.demonstration import Row, judge_samples

GPU_CODE = "gpu-code"

Key = tuple[str, str, str]  # what is told, and the scope and name that it is told of


@dataclass(frozen=True, slots=True)
class Compared:
    """What differs between two reports of one case."""

    outcomes: tuple[str, ...]
    gaps: dict[tuple[str, str], list[float]]  # by metric and unit, one absolute difference for each value on both
    measured_once: tuple[str, ...]


def compare(first: dict[str, Any], second: dict[str, Any]) -> Compared:
    """Two reports (report.json) held against each other."""
    outcomes = _unlike(_outcomes(first), _outcomes(second))
    here, there = _measures(first), _measures(second)
    once = _unlike({k: _told(m) for k, m in here.items()}, {k: _told(m) for k, m in there.items()})
    gaps: dict[tuple[str, str], list[float]] = {}
    for key in here.keys() & there.keys():
        a, b = here[key]["value"], there[key]["value"]
        if isinstance(a, int | float) and isinstance(b, int | float):
            gaps.setdefault((key[0], str(here[key]["unit"])), []).append(abs(a - b))
    return Compared(outcomes, gaps, once)


def _outcomes(report: dict[str, Any]) -> dict[Any, Any]:
    told: dict[Any, Any] = {"decision": report["decision"]}
    for f in report["findings"]:
        told.setdefault((f["rule"], f["pack"], *_of(f)), []).append(f["outcome"])
    return told


def _measures(report: dict[str, Any]) -> dict[Key, dict[str, Any]]:
    return {(str(m["metric"]), *_of(m)): m for m in report["measurements"]}


def _of(told: dict[str, Any]) -> tuple[str, str]:
    subject = told["subject"]
    return str(subject["scope"]), str(subject["name"])


def _told(measurement: dict[str, Any]) -> str:
    """Whether it was measured, or why it was not."""
    value = measurement["value"]
    return "measured" if not isinstance(value, dict) else str(value)


def _unlike(first: dict[Any, Any], second: dict[Any, Any]) -> tuple[str, ...]:
    keys = sorted(first.keys() | second.keys(), key=str)
    return tuple(f"{k}: {first.get(k)} / {second.get(k)}" for k in keys if first.get(k) != second.get(k))


def table(compared: Iterable[Compared]) -> str:
    """The greatest difference of each metric over all cases."""
    gaps: dict[tuple[str, str], list[float]] = {}
    for each in compared:
        for key, values in each.gaps.items():
            gaps.setdefault(key, []).extend(values)
    rows = [
        f"| {metric} | {unit} | {len(values)} | {sum(v > 0 for v in values)} | {max(values):.2g} |"
        for (metric, unit), values in sorted(gaps.items())
    ]
    return "\n".join(
        ["| metric | unit | values | differ | greatest difference |", "| --- | --- | --- | --- | --- |", *rows]
    )


def _judged(device: str, folder: Path, only: Sequence[str], jobs: int) -> dict[str, dict[str, Any]]:
    def progress(stage: str, _: float) -> None:
        print(f"{device}: {stage}", file=sys.stderr)

    rows: tuple[Row, ...]
    if device == GPU_CODE:
        with gpu_code():
            rows = judge_samples(None, folder / device, only=only, jobs=1, progress=progress, device="cpu")
    else:
        rows = judge_samples(None, folder / device, only=only, jobs=jobs, progress=progress, device=device)
    return {r.case: json.loads(r.report.with_suffix(".json").read_text(encoding="utf-8")) for r in rows}


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--first", default="cpu")
    options.add_argument("--second", default="cuda")
    options.add_argument("--jobs", type=int, default=2)
    options.add_argument("--only", action="append", default=[])
    options.add_argument("--out", type=Path)
    told = options.parse_args()
    with tempfile.TemporaryDirectory() as made:
        out = told.out or Path(made)
        first, second = (
            _judged(device, out / which, told.only, told.jobs)
            for which, device in (("first", told.first), ("second", told.second))
        )
    compared = {case: compare(first[case], second[case]) for case in first}
    print(
        f"{datetime.now(UTC):%Y-%m-%d}, {told.first} and {told.second}: {_device_name()}\n\n{table(compared.values())}\n"
    )
    unlike = {case: (*c.outcomes, *c.measured_once) for case, c in compared.items() if c.outcomes or c.measured_once}
    n_findings = sum(len(report["findings"]) for report in first.values())
    print(
        f"identical verdicts and outcomes in {len(first) - len(unlike)} of {len(first)} samples ({n_findings} findings)"
    )
    for case, lines in unlike.items():
        print("\n".join([case, *(f"  {line}" for line in lines)]))
    return 1 if unlike else 0


def _device_name() -> str:
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"


if __name__ == "__main__":
    sys.exit(main())
