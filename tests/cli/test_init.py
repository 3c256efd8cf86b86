"""`dubgate init`: from files where they lie to a manifest that names them, and to the commands that come next."""

from __future__ import annotations

import shlex
from pathlib import Path

import numpy as np
import pytest

from dubgate.cli.main import run
from dubgate.sample_containers import write_flac
from dubgate.strict_yaml import load_yaml


@pytest.fixture
def show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A delivery's folder, with a blank in its name, in which the command runs."""
    folder = tmp_path / "my show"
    (folder / "media").mkdir(parents=True)
    for name in ("original.flac", "dub.flac"):
        write_flac(folder / "media" / name, np.zeros(1600, np.float32))
    (folder / "script.srt").write_text("1\n00:00:00,010 --> 00:00:00,050\nMARA: Hello.\n")
    monkeypatch.chdir(folder)
    return folder


def test_files_are_named_from_the_manifests_own_folder_and_the_next_commands_can_be_pasted(
    show: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["init", "media/dub.flac", "media/original.flac", "script.srt"]) == 0
    draft = load_yaml((show / "delivery.yaml").read_bytes(), "draft").data
    assert isinstance(draft, dict)
    assert (draft["original"]["mix"], draft["dub"]["mix"]) == ("media/original.flac", "media/dub.flac")
    said = capsys.readouterr().out
    commands = [line.split(":  ")[1].strip() for line in said.splitlines()[1:]]
    assert [shlex.split(c)[:2] for c in commands] == [
        ["dubgate", "qc"], ["dubgate", "consent"], ["dubgate", "consent"], ["dubgate", "check"],
    ]  # fmt: skip
    assert shlex.split(commands[0])[2:4] == ["media/original.flac", "media/dub.flac"]


def test_the_older_way_of_calling_it_stays(show: Path) -> None:
    assert run(["init", "--from", "media/original.flac", "media/dub.flac"]) == 0


def test_a_manifest_names_nothing_outside_its_folder(show: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (show / "sub").mkdir()
    assert run(["init", "media/original.flac", "media/dub.flac", "--out", "sub/delivery.yaml"]) == 2
    assert "outside the folder" in capsys.readouterr().err
    (show / "media/link.flac").symlink_to("/etc/hostname")
    assert run(["init", "media/original.flac", "media/link.flac"]) == 2
    assert "outside the folder" in capsys.readouterr().err
    assert not (show / "delivery.yaml").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "dubgate init original.mov dub.wav script.srt"),
        (("media/original.flac",), "an original and a dub are needed"),
        (("media/original.flac", "media/dub.flac", "script.srt", "other.srt"), "several cue sheets"),
        (("media/original.flac", "media/dub.flac", "--out", "none/delivery.yaml"), "no such folder"),
        (("media/original.flac", "media/dub.flac", "--out", "script.srt"), "already there"),
        (("media/original.flac", "media/gone.flac"), "gone.flac"),
        (("media/original.flac", "media/d\nub.flac"), "control characters"),
    ],
)
def test_what_cannot_be_drafted_is_refused_with_what_to_do(
    arguments: tuple[str, ...], says: str, show: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(show.rglob("*"))
    assert run(["init", *arguments]) == 2
    assert says in capsys.readouterr().err
    assert sorted(show.rglob("*")) == before
