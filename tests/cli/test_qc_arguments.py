"""Files in the wrong place, or that are not there, are told by which argument of `dubgate qc` they are, before anything is heard."""

from __future__ import annotations

from pathlib import Path

import pytest

from dubgate.cli.main import run


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):  # type: ignore[no-untyped-def]
    """What `qc` says of its arguments, in a folder with a film, its dub, its script, a folder, and an empty file."""
    monkeypatch.chdir(tmp_path)
    for name in ("film.mov", "film_de.wav", "film_de.srt", "season/ep01.mov", "season/notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"RIFF")
    (tmp_path / "empty.wav").touch()
    (tmp_path / "bare").mkdir()
    monkeypatch.setattr("dubgate.gate.quality", lambda *_, **__: pytest.fail("it was heard"))

    def told(*arguments: str) -> str:
        assert run(["qc", *arguments]) == 2
        return capsys.readouterr().err

    return told


@pytest.mark.parametrize(
    ("arguments", "what", "remedy"),
    [
        (("film_de.srt", "film.mov", "film_de.wav"), "film_de.srt: a cue sheet stands where ORIGINAL", "qc ORIGINAL DUB [SCRIPT]"),
        (("film.mov", "film_de.srt", "film_de.wav"), "film_de.srt: a cue sheet stands where DUB", "qc ORIGINAL DUB [SCRIPT]"),
        (("film.mov", "film_de.wav", "film.mov"), "film.mov: a sound or video file stands where SCRIPT", "qc ORIGINAL DUB [SCRIPT]"),
        (("film.mov", "https://x.example/dub.wav"), "DUB is an address", "Download"),
        (("film.mov", "season"), "DUB is a folder", "Name one of its files: ep01.mov."),
        (("bare", "film_de.wav"), "ORIGINAL is a folder", "none in that folder"),
        (("film.mov", "film_dd.wav"), "no such file (DUB)", "Did you mean film_de.wav?"),
        (("film.mov", "film_de.wav", "film_d.srt"), "no such file (SCRIPT)", "Did you mean film_de.srt?"),
        (("nowhere/film.mov", "film_de.wav"), "no such file (ORIGINAL)", "nowhere is not there"),
        (("film.mov", "empty.wav"), "the file is empty (DUB)", "again"),
        (("film.mov", "film.mov"), "ORIGINAL and DUB are the same sound", "--dub-stream"),
        (("film.mov", "season/../film.mov"), "ORIGINAL and DUB are the same sound", "--dub-stream"),
        (("film.mov", "film.mov", "--original-stream", "de", "--dub-stream", "de"), "are the same sound", "two streams"),
    ],
)  # fmt: skip
def test_an_argument_that_is_off_is_told_by_its_name(arguments: tuple[str, ...], what: str, remedy: str, said) -> None:  # type: ignore[no-untyped-def]
    told = said(*arguments)
    assert what in told
    assert remedy in told


def test_a_folder_with_many_files_names_a_few(said, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    for k in range(9):
        (tmp_path / "season" / f"ep1{k}.mov").write_bytes(b"x")
    assert "ep01.mov, ep10.mov, ep11.mov, ep12.mov, ep13.mov, ep14.mov and 4 more." in said("film.mov", "season")


def test_two_streams_of_one_file_are_two_sounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "film.mov").write_bytes(b"RIFF")
    heard = []

    def hear(*_: object, **__: object) -> None:
        heard.append(True)
        raise KeyboardInterrupt

    monkeypatch.setattr("dubgate.gate.quality", hear)
    film = str(tmp_path / "film.mov")
    assert run(["qc", film, film, "--original-stream", "en", "--dub-stream", "de"]) == 130
    assert heard
