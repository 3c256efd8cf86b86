"""The whole way of a first day through real processes: drafted, blocked, enrolled, granted, labelled, approved, released,
withdrawn, blocked. Only what hears a sound for the first time is done here."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import soundfile
from heard_here import hear_here, kept_clips

from dubgate.cli.main import run as command_line
from dubgate.sample_containers import write_flac

ROOT = Path(__file__).resolve().parents[1]
VOICES = {
    "MARA": ("v-mara", "slt", "p-mara"),
    "JONAS": ("v-jonas", "rms", "p-jonas"),
    "OTTO": ("v-otto", "awb", "p-otto"),
}


class Day:
    """A folder of a vendor, a registry beside it, and the command line."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.registry = folder / "delivery", folder / "consent.db"
        self.folder.mkdir()
        for name in ("original.flac", "dub.flac", "script.vtt"):
            shutil.copyfile(ROOT / "samples/clean" / name, self.folder / name)

    def run(self, *arguments: object, wanted: int = 0) -> str:
        out = subprocess.run(
            [sys.executable, "-m", "dubgate", *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
            cwd=self.folder,
            env={**os.environ, "DUBGATE_REGISTRY": str(self.registry), "PYTHONPATH": str(ROOT)},
            timeout=280,
        )
        assert out.returncode == wanted, f"{arguments}: {out.returncode}\n{out.stdout}\n{out.stderr}"
        return out.stdout

    def check(self, wanted: int, run: Callable[..., object] | None = None) -> set[str]:
        """The rules that block or hold; heard anew by `run` where it is told."""
        said = ("check", "delivery.yaml", "--models", "embedded", "--quiet", "--format", "json")
        (run or self.run)(*said, wanted=wanted)
        report: dict[str, Any] = json.loads((self.folder / "report/report.json").read_text())
        return {f["rule"] for f in report["findings"] if f["outcome"] in ("block", "hold", "unknown")}


def seed(key: str) -> str:
    now = datetime.now(UTC)
    first, last = (now - timedelta(days=2)).date(), (now + timedelta(days=700)).date()
    evidence = "evidence: [{kind: contract, sha256: " + "c0" * 32 + "}]"
    rows = ["schema: consent-seed/1.0", "zone: UTC", "parties:", "  - {party_id: studio, roles: [rights_holder], person: false}",
            "  - {party_id: vendor, roles: [dubbing_vendor], person: false}",
            "  - {party_id: op-1, roles: [operator], person: true}", "  - {party_id: op-2, roles: [operator], person: true}"]  # fmt: skip
    rows += [f"  - {{party_id: {p}, roles: [performer], person: true}}" for _, _, p in VOICES.values()]
    rows += ["keys:", f"  - {{key_id: k1, party_id: studio, public_hex: '{key}', roles: [rights_holder], not_before: {first}, not_after: {last}}}",
             "titles:", "  - {title_id: train, level: feature, name: Train, identifiers: ['internal:train']}",
             "claims:", f"  - {{claim_id: c1, title_id: train, holder_ids: [studio], right: ai_dub, territories: ['001'], not_before: {first}, recorded_by: op-1, confirmed_by: op-2, {evidence}}}",
             "voices:"]  # fmt: skip
    rows += [f"  - {{voice_id: {v}, subject: living, owner_id: {p}}}" for v, _, p in VOICES.values()]
    rows += ["permissions:"]
    rows += [
        f"  - {{permission_id: pm-{v}-{k}, voice_id: {v}, kind: {k}, given_by: {p}, legal_basis: gdpr_9_2_a, not_before: {first}, not_after: {last}}}"
        for v, _, p in VOICES.values()
        for k in ("match", "keep")
    ]
    return "\n".join(rows) + "\n"


def grants() -> str:
    now = datetime.now(UTC)
    first, last = (now - timedelta(days=2)).date(), (now + timedelta(days=700)).date()
    rows = ["schema: consent-seed/1.0", "zone: UTC", "grants:"]
    for v, _, p in VOICES.values():
        rows.append(
            f"  - {{grant_id: g-{v}, voice_id: {v}, granted_by: {p}, licensee_id: vendor, title_ids: [train], "
            "intended_use: An AI dub of the film Train into English from own recordings., techniques: [voice_clone_tts], "
            "performances: [new_performance], languages: [en], territories: ['001'], channels: [svod], "
            f"not_before: {first}, not_after: {last}, evidence: [{{kind: contract, sha256: {'c0' * 32}}}]}}"
        )
    rows += ["events:"]
    rows += [
        f"  - {{event_id: e-{v}, target: grant, target_id: g-{v}, kind: given, effective_at: {first}, by: {p}}}"
        for v, _, p in VOICES.values()
    ]
    return "\n".join(rows) + "\n"


def fill_in(draft: str) -> str:
    """What a person writes where the draft says FILL IN."""
    for language in ("de", "en"):
        draft = re.sub(r"language:  # FILL IN.*", f"language: {language}", draft, count=1)
    for voice, _, _ in VOICES.values():
        draft = re.sub(r"voice:  # FILL IN.*", f"voice: {voice}", draft, count=1)
        draft = re.sub(r"technique:  # FILL IN.*", "technique: voice_clone_tts", draft, count=1)
    start = datetime.now(UTC) + timedelta(days=3)
    window = f"{{from: {start:%Y-%m-%dT%H:%M:%SZ}, until: {start + timedelta(days=90):%Y-%m-%dT%H:%M:%SZ}}}"
    return draft + (
        "title: {name: Train, internal: train}\nstyle: lipsync\nsubmitter: vendor\n"
        f"distribution: {{territories: [DE, US], channels: [svod], window: {window}}}\n"
        'label: {text: {en: "English [AI]"}}\n'
    )


@pytest.fixture
def heard_here(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """The command line in this process: the sound is that of the samples, and is not heard once more with each new label."""

    def run(*arguments: object, wanted: int) -> None:
        hear_here(monkeypatch, kept_clips())
        assert command_line([str(a) for a in arguments]) == wanted

    return run


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_first_day(tmp_path: Path, heard_here: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    day = Day(tmp_path)
    monkeypatch.chdir(day.folder)
    monkeypatch.setenv("DUBGATE_REGISTRY", str(day.registry))
    day.run("init", "--from", "original.flac", "dub.flac", "script.vtt")
    manifest = day.folder / "delivery.yaml"
    manifest.write_text(fill_in(manifest.read_text()))
    day.run("consent", "init")
    blocked = day.check(1, heard_here)
    assert {"CON-001", "RH-020", "LAB-001"} <= blocked

    holder = tmp_path / "holder.pem"
    key = day.run("keys", "new", holder, "--no-passphrase").strip()
    (tmp_path / "seed.yaml").write_text(seed(key))
    day.run("consent", "import", tmp_path / "seed.yaml")
    for voice, name, party in VOICES.values():
        day.run("enrol", voice, ROOT / f"samples/voices/{name}.flac", "--supplied-by", party, "--confirmed-by", party)
    (tmp_path / "grants.yaml").write_text(grants())
    day.run("consent", "import", tmp_path / "grants.yaml")

    samples, _ = soundfile.read(day.folder / "dub.flac", dtype="float32")
    write_flac(day.folder / "dub.flac", samples, title="English [AI]")
    assert day.check(1, heard_here) == {"RH-001"}

    day.run("approve", "delivery.yaml", "--as", "studio", "--key", holder)
    assert day.check(0) == set()

    day.run("consent", "withdraw", "g-v-mara", "--by", "p-mara", "--reason", "I changed my mind.")
    assert day.check(1) == {"CON-002"}
