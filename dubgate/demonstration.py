"""The samples judged through real processes: what `dubgate demo` prints and what the tests compare."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dubgate.errors import DubgateError, InputError
from dubgate.sample_registry import SampleRegistry, make_registry, sign_case
from dubgate.samples import cases, change_after, expected, find_samples, materialise, read_case

AT = "2026-11-20T12:00:00Z"
DECISIONS = {0: "release", 1: "block", 3: "hold"}

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Row:
    """A judged case: decision, the rules that block and that hold (unknown counts as hold), what was expected, and
    where the report lies."""

    case: str
    what: str
    decision: str
    blocking: tuple[str, ...]
    holding: tuple[str, ...]
    wanted: dict[str, Any]
    report: Path

    @property
    def because(self) -> tuple[str, ...]:
        """The decisive rules: those whose outcome is the decision."""
        return {"block": self.blocking, "hold": self.holding, "release": ()}[self.decision]

    @property
    def as_expected(self) -> bool:
        return self.wanted == {"decision": self.decision, "because": list(self.because)}


def judge_samples(
    samples: Path | None,
    out: Path,
    *,
    only: Sequence[str],
    jobs: int,
    progress: Progress,
    device: str = "auto",
) -> tuple[Row, ...]:
    """Derive and judge every case, heard on that device; in the order of the samples.

    Raises:
        DubgateError: a case could not be judged.
    """
    root = find_samples(samples)
    every = cases(root)
    if unknown := sorted(set(only) - {f.name for f in every}):
        known = ", ".join(f.name for f in every)
        raise InputError(f"no sample is called {', '.join(unknown)}", where="--only", remedy=f"There are: {known}.")
    folders = [f for f in every if not only or f.name in only]
    done = 0
    progress("enrolling voices", 0.0)
    whole = any(read_case(f).get("command") == "check" for f in folders)
    registry = make_registry(root, out) if whole else None

    def judged(folder: Path) -> Row:
        nonlocal done
        row = judge_case(folder, out, registry, threads=max(1, (os.cpu_count() or 1) // jobs), device=device)
        done += 1
        progress(f"{done} of {len(folders)} judged", done / len(folders))
        return row

    with ThreadPoolExecutor(jobs) as pool:
        return tuple(pool.map(judged, folders))


def judge_case(
    folder: Path, out: Path, registry: SampleRegistry | None, *, threads: int = 1, device: str = "auto"
) -> Row:
    """One case through a real process; what `sign` asks for is signed before, what `after` says is done after that.

    Args:
        threads: of each model; processes side by side that each take every core stand in each other's way.
    """
    case, target = read_case(folder), materialise(folder, out)
    if registry is not None and case.get("command") == "check":
        sign_case(case, target / "delivery.yaml", registry)
        change_after(folder, target)
    report = target / "report"
    run = subprocess.run(
        [sys.executable, "-m", "dubgate", *_arguments(case, target), "--device", device, "--out", str(report)],
        capture_output=True,
        text=True,
        check=False,
        env={"OMP_NUM_THREADS": str(threads), **os.environ},
    )
    if run.returncode not in DECISIONS:
        raise DubgateError(f"the sample {folder.name} could not be judged: {run.stderr.strip()}")
    findings = json.loads((report / "report.json").read_text(encoding="utf-8"))["findings"]
    return Row(
        case=folder.name,
        what=str(case.get("what", "")),
        decision=DECISIONS[run.returncode],
        blocking=_rules(findings, {"block"}),
        holding=_rules(findings, {"hold", "unknown"}),
        wanted=expected(folder) if (folder / "expected.json").is_file() else {},
        report=report / "report.html",
    )


def _arguments(case: dict[str, Any], target: Path) -> list[str]:
    common = ["--models", "embedded", "--at", AT, "--quiet", *map(str, case.get("options", ()))]
    if case.get("command", "qc") == "check":
        company = ["--company", str(target.parent / "company")] if case.get("company") else []
        asked = ["check", str(target / "delivery.yaml"), "--registry", str(target.parent / "registry.db")]
        return [*asked, *company, *common]
    stem = target / "stem.flac"
    mixed = ["--stem", str(stem), "--me", str(target / "me.flac")] if stem.is_file() else []
    tracks = [str(target / name) for name in ("original.flac", "dub.flac", "script.vtt")]
    return ["qc", *tracks, "--dub-language", "en", *mixed, *common]


def _rules(findings: Sequence[dict[str, Any]], outcomes: set[str]) -> tuple[str, ...]:
    return tuple(sorted({str(f["rule"]) for f in findings if f["outcome"] in outcomes}))


def print_table(rows: Sequence[Row], out: Path) -> None:
    """The rows for a terminal; readable without colour, and at 80 columns: names and rules are never cut."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for name, cut in (("sample", False), ("what is wrong", True), ("decision", False), ("because of", True)):
        table.add_column(name, no_wrap=not cut, overflow="fold", min_width=17 if name == "because of" else None)
    for row in rows:
        style = {"release": "green", "hold": "yellow", "block": "red"}[row.decision]
        because = (
            Text(", ".join(row.because)) if row.as_expected else Text(f"NOT AS EXPECTED: {row.wanted}", "bold red")
        )
        table.add_row(row.case, row.what, Text(row.decision, style), because)
    console = Console(width=None if sys.stdout.isatty() else 160)
    with console.capture() as drawn:
        console.print(table)
    console.file.write("".join(f"{line.rstrip()}\n" for line in drawn.get().splitlines()))
    for line in lines_after(rows, out):
        console.print(Text(line), soft_wrap=True)


def lines_after(rows: Sequence[Row], out: Path) -> tuple[str, ...]:
    """How many came out as they should, where the reports lie, and what a rule's name means."""
    right = sum(row.as_expected for row in rows)
    count = f"{right} of {len(rows)} came out as they should"
    first = next((rule for row in rows for rule in row.because), "RH-001")
    where = f"reports: {out}/SAMPLE/report/report.html, for example {rows[0].report}" if rows else ""
    return (count, *([where] if where else []), f"what a rule asks: dubgate rules explain {first}")
