"""Exit codes through real processes: only a decided verdict is 0, 1 or 3; everything else is 2."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dubgate.cli import main as cli_main
from dubgate.sample_containers import write_flac

ROOT = Path(__file__).resolve().parents[2]


def dubgate(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "dubgate", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd or ROOT,
        check=False,
        timeout=240,
    )


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("media") / "good.flac"
    write_flac(path, np.zeros(16_000, np.float32))
    return path


def test_help_teaches_and_ends_well() -> None:
    out = dubgate("--help")
    assert out.returncode == 0
    assert "qc" in out.stdout
    assert "Exit codes" in out.stdout


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("empty.wav", b"", "empty.wav"),
        ("text.wav", b"this is not sound at all, it is a letter\n" * 20, "text.wav"),
        ("list.wav", b"ffconcat version 1.0\nfile /etc/passwd\n", "list.wav"),
        (
            "cut.mp4",
            b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2avc1mp41" + b"\x00\x10\x00\x00mdat" + b"\x00" * 500,
            "cut.mp4",
        ),
        ("junk.flac", b"fLaC" + bytes(range(256)) * 4, "junk.flac"),
    ],
)
def test_what_is_no_sound_is_refused_by_name(name: str, content: bytes, says: str, good: Path, tmp_path: Path) -> None:
    bad = tmp_path / name
    bad.write_bytes(content)
    out = dubgate("qc", good, bad, "--out", tmp_path / "report")
    assert out.returncode == 2
    assert says in out.stderr
    assert "Traceback" not in out.stderr
    assert not (tmp_path / "report").exists()


def test_a_missing_file_is_refused_by_name(good: Path, tmp_path: Path) -> None:
    out = dubgate("qc", good, tmp_path / "gone.wav")
    assert out.returncode == 2
    assert "gone.wav" in out.stderr


def test_a_stream_that_is_not_there_lists_what_is(good: Path) -> None:
    out = dubgate("qc", good, good, "--dub-stream", "7")
    assert out.returncode == 2
    assert "index 7" in out.stderr
    assert "(the dub): no audio stream has index 7; there are 0:" in out.stderr
    assert "--dub-stream" in out.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("qc",),
        ("qc", "a", "b", "--no-such-option"),
        ("qc", "a", "b", "--style", "opera"),
        ("qc", "a", "b", "--at", "yesterday"),
        ("qc", "a", "b", "--at", "2026-11-20T12:00:00"),
        ("check", "delivery.yaml"),
        ("nonsense",),
    ],
)
def test_a_call_that_is_off_is_2(arguments: tuple[str, ...]) -> None:
    assert dubgate(*arguments).returncode == 2


@pytest.mark.parametrize("tag", ["xx", "english", "", "e n"])
def test_a_dub_language_that_is_none_is_refused(good: Path, tag: str, tmp_path: Path) -> None:
    out = dubgate("qc", good, good, "--dub-language", tag, "--out", tmp_path / "report")
    assert out.returncode == 2
    assert f"--dub-language: {tag!r} names no known language" in out.stderr
    assert not (tmp_path / "report").exists()


def test_an_unknown_pack_fails_before_anything_is_heard(good: Path) -> None:
    out = dubgate("qc", good, good, "--pack", "no-such-pack")
    assert out.returncode == 2
    assert "no-such-pack" in out.stderr


def test_a_registry_that_is_missing_is_2_and_not_a_release(tmp_path: Path) -> None:
    write_flac(tmp_path / "o.flac", np.zeros(16_000, np.float32))
    (tmp_path / "delivery.yaml").write_text(
        "schema: delivery/1.0\noriginal: {language: de, mix: o.flac}\ndub: {language: en, mix: o.flac}\n"
        "cast:\n  - {character: A, technique: human}\n"
    )
    out = dubgate("check", tmp_path / "delivery.yaml", "--registry", tmp_path / "none.db")
    assert out.returncode == 2
    assert "none.db" in out.stderr


class _Boom(BaseException):
    pass


@pytest.mark.parametrize("error", [ValueError("x"), MemoryError(), SystemExit(0), SystemExit(1), _Boom()])
def test_whatever_escapes_is_2(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    def explode(*args: object, **kwargs: object) -> None:
        raise error

    monkeypatch.setattr(cli_main.cli, "main", explode)
    assert cli_main.run(["--help"]) == 2


def test_a_judging_command_that_forgets_its_decision_is_2(monkeypatch: pytest.MonkeyPatch) -> None:
    import click

    monkeypatch.setattr(cli_main.LazyGroup, "get_command", lambda *_: click.Command("qc", callback=lambda: None))
    assert cli_main.run(["qc"]) == 2
