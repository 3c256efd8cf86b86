"""`dubgate consent` and `dubgate voices` through the real command line: what they print and what they return."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from consent_examples import DAY, NOW, Ticking, open_world, use
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from test_consent_seed import SEED

from consent.registry import Registry
from consent.releases import Planned, Release, ReleaseDecision, VoiceUse
from consent.strict import Window
from consent.vocabulary import Channel, Technique
from dubgate.cli.consent import _of_kind
from dubgate.cli.main import run


@pytest.fixture
def said(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Runs a command on the test's registry; answers (exit code, its JSON or its text)."""
    monkeypatch.setenv("DUBGATE_REGISTRY", str(tmp_path / "registry.db"))

    def call(*words: str) -> tuple[int, Any]:
        code = run(list(words))
        printed = capsys.readouterr()
        if code == 2:
            return code, printed.err
        return code, json.loads(printed.out) if "json" in words else printed.out

    return call


@pytest.fixture
def seed(tmp_path: Path) -> str:
    path = tmp_path / "seed.yaml"
    path.write_text(SEED, encoding="utf-8")
    return str(path)


def test_the_first_day_of_a_registry(said: Callable[..., Any], seed: str, tmp_path: Path) -> None:
    assert said("consent", "init")[0] == 0
    code, dry = said("consent", "import", seed, "--dry-run", "--format", "json")
    assert (code, dry["dry_run"], dry["imported"]["grants"]) == (0, True, 1)
    assert said("consent", "show", "grant:g-ada")[0] == 2
    assert said("consent", "import", seed)[0] == 0
    code, shown = said("consent", "show", "grant:g-ada", "--format", "json")
    assert [e["schema"] for e in shown["entries"]] == ["consent-grant/1.0", "consent-event/1.0"]
    code, withdrawn = said("consent", "withdraw", "g-ada", "--by", "p-ada", "--reason", "No more.", "--format", "json")
    assert (code, withdrawn["reason"], withdrawn["releases"]) == (0, "No more.", [])
    code, audit = said("consent", "audit", "--format", "json")
    assert (code, audit["sound"], audit["entries"]) == (0, True, 15)


def test_a_registry_shows_its_keys_to_whoever_knows_none(said: Callable[..., Any], seed: str) -> None:
    said("consent", "init")
    assert said("consent", "show")[1].splitlines() == ["parties (0)", "titles (0)", "voices (0)", "grants (0)"]
    said("consent", "import", seed)
    code, shown = said("consent", "show", "--format", "json")
    assert code == 0
    assert [(g["key"], g["voice"], g["status"]) for g in shown["grants"]] == [("grant:g-ada", "v-ada", "given")]
    for row in (row for rows in shown.values() for row in rows):
        assert said("consent", "show", row["key"])[0] == 0  # each key that it names can be asked
    assert "Ada" not in json.dumps(shown["parties"])  # a person's name lies sealed
    said("consent", "withdraw", "g-ada", "--by", "p-ada", "--reason", "No more.")
    assert any("grant:g-ada" in line and "withdrawn" in line for line in said("consent", "show")[1].splitlines())
    assert "dubgate consent show --registry" in said("consent", "show", "grant:g-ad")[1]


def test_of_very_many_the_first_are_shown_and_the_rest_is_counted() -> None:
    rows = [{"key": f"party:p-{k}", "roles": ["performer"], "of": None} for k in range(100)]
    lines = _of_kind("parties", rows)
    assert lines[:2] == ["parties (100)", "  party:p-0   performer"]
    assert lines[-1] == "  and 60 more: --format json"


def test_errors_name_the_file_and_line_and_return_two(said: Callable[..., Any], seed: str) -> None:
    said("consent", "init")
    Path(seed).write_text(SEED.replace("languages: [fr]", "languages: [french]"), encoding="utf-8")
    code, told = said("consent", "import", seed)
    assert code == 2
    assert "seed.yaml:" in told
    assert "not a language tag" in told
    assert "Traceback" not in told


@pytest.mark.parametrize(
    "words",
    [
        ("consent", "show", "grant:nothing"),
        ("consent", "import", "/nowhere/seed.yaml"),
        ("consent", "withdraw", "g-ada"),
        ("consent", "withdraw", "g-ada", "--by", "studio"),
        ("consent", "withdraw", "nothing", "--by", "p-ada"),
        ("consent", "withdraw", "planet:mars", "--by", "p-ada"),
        ("consent", "withdraw", "g-ada", "--by", "p-ada", "--effective", "tomorrow"),
        ("consent", "withdraw", "g-ada", "--by", "p-ada", "--effective", "2026-12-31T00:00:00"),
        ("consent", "resume", "g-ada", "--by", "p-ada"),
        ("consent", "init"),
        ("consent", "audit", "--checkpoint", "/nowhere"),
        ("voices", "show", "v-nobody"),
        ("voices", "erase", "v-ada", "--by", "nobody", "--reason", "x"),
        ("voices", "erase", "v-nobody", "--by", "p-ada", "--reason", "x"),
    ],
)
def test_what_cannot_be_done_returns_two(said: Callable[..., Any], seed: str, words: tuple[str, ...]) -> None:
    said("consent", "init")
    said("consent", "import", seed)
    before = said("consent", "checkpoint")
    assert said(*words)[0] == 2
    assert said("consent", "checkpoint") == before


def test_a_registry_that_is_not_there_returns_two_through_a_real_process(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "dubgate", "consent", "audit", "--registry", str(tmp_path / "none.db")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "there is no registry" in done.stderr
    assert done.stdout == ""


def test_a_damaged_history_returns_one(said: Callable[..., Any], seed: str, tmp_path: Path) -> None:
    import sqlite3

    said("consent", "init")
    said("consent", "import", seed)
    with sqlite3.connect(tmp_path / "registry.db") as connection:
        connection.execute("DROP TRIGGER entry_no_update")
        connection.execute("UPDATE entry SET body = replace(body, 'fr', 'de') WHERE schema_name = 'consent-grant/1.0'")
    code, told = said("consent", "audit")
    assert code == 1
    assert "entry 12 was changed" in told
    assert "NOT SOUND" in told


def test_a_checkpoint_kept_outside_exposes_a_registry_that_was_set_back(
    said: Callable[..., Any], seed: str, tmp_path: Path
) -> None:
    key = tmp_path / "ledger.pem"
    key.write_bytes(Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    said("consent", "init")
    said("consent", "import", seed)
    kept = tmp_path / "kept.txt"
    early = (tmp_path / "registry.db").read_bytes()
    said("consent", "withdraw", "g-ada", "--by", "p-ada")
    assert said("consent", "checkpoint", "--sign-with", str(key), "--out", str(kept))[0] == 0
    vkey = Path(f"{kept}.vkey").read_text().strip()
    audit = ("consent", "audit", "--checkpoint", str(kept), "--verifier-key", vkey)
    assert said(*audit)[0] == 0
    for path in tmp_path.glob("registry.db-*"):
        path.unlink()
    (tmp_path / "registry.db").write_bytes(early)
    code, told = said(*audit)
    assert code == 1
    assert "rolled back" in told
    kept.write_text(kept.read_text().replace("15", "14"))
    assert said(*audit)[0] == 2


def test_a_withdrawal_names_the_live_releases_and_writes_the_notice(said: Callable[..., Any], tmp_path: Path) -> None:
    planned = Planned("v-ada", use())
    release = Release(
        release_id="rel-1",
        decision=ReleaseDecision.RELEASE,
        title_id="show-101",
        language="fr-FR",
        territories=("FR", "BE"),
        channels=(Channel.SVOD,),
        window=Window(start=NOW + DAY, end=NOW + 50_000 * DAY),
        packets_sha256="1" * 64,
        certificate_sha256="f" * 64,
        voices=(VoiceUse(voice_id="v-ada", grant_id="g-ada", technique=Technique.VOICE_CLONE_TTS),),
        recorded_by="op-1",
        decided_at=NOW,
    )
    with open_world(tmp_path, Ticking()) as registry, registry.write() as writer:
        writer.release(release, [planned])
    code, before = said("consent", "impact", "g-ada", "--format", "json")
    assert (code, before["certificates"]) == (0, ["f" * 64])
    notice = tmp_path / "notice.json"
    code, told = said("consent", "withdraw", "g-ada", "--by", "p-ada", "--notice", str(notice))
    assert code == 0
    assert "1 live release(s)" in told
    written = json.loads(notice.read_text())
    assert written["certificates"] == ["f" * 64]
    assert written["releases"][0]["release_id"] == "rel-1"
    assert "fallback" in written


def test_voices_are_listed_shown_and_erased_without_a_template(
    said: Callable[..., Any], seed: str, tmp_path: Path
) -> None:
    said("consent", "init")
    said("consent", "import", seed)
    _, listed = said("voices", "list", "--format", "json")
    assert listed["voices"][0]["permissions"] == ["keep", "match"]
    assert listed["voices"][0]["enrolments"] == ["en-ada"]
    assert "0.5" not in json.dumps(listed)
    _, permitted = said("voices", "permissions", "v-ada", "--format", "json")
    assert {p["kind"] for p in permitted["permissions"]} == {"keep", "match"}
    erase = ("voices", "erase", "v-ada", "--by", "p-ada", "--reason", "asked", "--format", "json")
    assert said(*erase)[1]["erased"] is True
    assert said(*erase)[1]["erased"] is False
    with Registry.open(tmp_path / "registry.db") as registry, registry.view() as view:
        assert view.enrolments("v-ada", view.now) == ()


@pytest.mark.parametrize("group", ["consent", "voices"])
def test_every_command_shows_an_example_in_its_help(group: str, capsys: pytest.CaptureFixture[str]) -> None:
    from dubgate.cli.consent import consent
    from dubgate.cli.voices import voices

    for name in {"consent": consent, "voices": voices}[group].commands:
        assert run([group, name, "--help"]) == 0
        assert f"dubgate {group} {name}" in capsys.readouterr().out.split("Options:")[0].split("\n", 1)[1]


def test_what_is_shown_cannot_move_the_cursor(said: Callable[..., Any], tmp_path: Path) -> None:
    from dubgate.cli.registry_options import plain

    assert plain("a\x1b[2Jb\u202e\n") == "a?[2Jb??"
