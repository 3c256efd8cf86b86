"""`dubgate label apply`: the label arrives, the sound stays, nothing else is lost, and a refusal leaves no trace."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import label_files as files
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from label_files import AIGC, LABEL

from dubgate.cli.main import run
from dubgate.errors import InputError, MediaError
from dubgate.labels.applying import apply_label
from dubgate.labels.places import media_places
from dubgate.labels.plan import LabelPlan, planned
from dubgate.labels.riff import chunks
from dubgate.labels.riff_writing import sound_sha256, write_wav

PLAN = LabelPlan(LABEL, "en", None, AIGC)
pytestmark = pytest.mark.usefixtures("here")


def texts(path: Path) -> dict[str, str]:
    return {p.place: p.text for p in media_places(path)}


@pytest.mark.parametrize("kind", ["mp4", "mp3", "flac", "webm", "rf64"])
def test_the_sound_that_a_verdict_binds_is_the_same_after_labelling(tmp_path: Path, kind: str) -> None:
    source = files.made_media.make(tmp_path, kind, 0.5)
    out = tmp_path / f"out{source.suffix}"
    apply_label(source, out, PLAN)
    before, after = (files.run_here("digest", {"path": str(p), "stream": 0}).data for p in (source, out))
    assert before == after


def test_a_film_keeps_its_picture_its_timecode_and_the_names_of_its_other_tracks(tmp_path: Path) -> None:
    chirp = files.made_media.chirp(48_000, 0.5)
    source, out = tmp_path / "film.mov", tmp_path / "out.mov"
    made = {"languages": ["ger", "eng"], "titles": ["Deutsch", "English"], "video_at_s": 0.0, "timecode": "01:00:00:00"}
    files.made_media.write(source, [chirp, chirp], 48_000, "pcm_s24le", "mov", **made)
    applied = apply_label(source, out, PLAN)
    assert [line.split()[0] for line in applied.proof] == ["video", "audio", "audio", "data"]
    names = {p.track: p.text for p in media_places(out) if p.place == "MP4 track name"}
    assert names == {1: "Deutsch", 2: LABEL}


def test_two_tracks_of_one_language_need_a_number(tmp_path: Path) -> None:
    chirp = files.made_media.chirp(48_000, 0.2)
    source = tmp_path / "two.mkv"
    files.made_media.write(source, [chirp, chirp], 48_000, "flac", "matroska", languages=["eng", "eng"])
    with pytest.raises(MediaError, match="several audio streams"):
        apply_label(source, tmp_path / "out.mkv", PLAN)
    apply_label(source, tmp_path / "out.mkv", LabelPlan(LABEL, "en", 1))
    assert [p.text for p in media_places(tmp_path / "out.mkv") if p.names_track] == [LABEL]


def test_labelling_twice_changes_nothing_the_second_time(tmp_path: Path) -> None:
    for kind in ("wav", "mp3", "flac", "mp4"):
        source = files.made_media.make(tmp_path, kind, 0.2)
        once, twice = tmp_path / f"1{source.suffix}", tmp_path / f"2{source.suffix}"
        apply_label(source, once, PLAN)
        assert apply_label(once, twice, PLAN).changes == ()


def test_a_wav_keeps_its_other_chunks_and_what_its_description_said(tmp_path: Path) -> None:
    source = files.with_chunks(
        files.tone(tmp_path / "t.wav"),
        tmp_path / "in.wav",
        (b"bext", files.bext("Reel 3")),
        (b"LIST", files.info((b"INAM", "Episode"), (b"IART", "Studio"))),
        (b"iXML", files.IXML.encode()),
        (b"odd ", b"abc"),
    )
    apply_label(source, tmp_path / "out.wav", PLAN)
    after = texts(tmp_path / "out.wav")
    assert after["WAV bext Description"] == f"{LABEL} | Reel 3"
    assert after["WAV INFO INAM"] == LABEL
    assert after["WAV INFO IART"] == "Studio"
    assert b"odd \3\0\0\0abc\0" in (tmp_path / "out.wav").read_bytes()


NAMES = st.sampled_from([b"JUNK", b"cue ", b"smpl", b"abcd", b"iXML"])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(extra=st.dictionaries(NAMES, st.binary(max_size=40), max_size=4))
def test_whatever_chunks_a_wav_has_they_and_its_sound_stay(tmp_path: Path, extra: dict[bytes, bytes]) -> None:
    source, out = tmp_path / "in.wav", tmp_path / "out.wav"
    out.unlink(missing_ok=True)
    files.with_chunks(files.tone(tmp_path / "t.wav", 0.01), source, *extra.items())
    assert write_wav(source, out, PLAN) == (f"audio {sound_sha256(source)}",)
    assert sound_sha256(out) == sound_sha256(source)
    data = out.read_bytes()
    with out.open("rb") as file:
        kept = {c.name: data[c.start : c.start + c.size] for c in chunks(out, file)}
    assert extra.items() <= kept.items()


def test_an_mp3_keeps_its_other_frames(tmp_path: Path) -> None:
    import av

    source = files.made_media.make(tmp_path, "mp3", 0.3)
    tagged = tmp_path / "tagged.mp3"
    with av.open(str(source)) as given_file, av.open(str(tagged), "w", format="mp3") as out:
        out.metadata.update({"title": "Episode", "artist": "Studio", "comment": "reel 3"})
        files.copy_into(given_file, out)
    apply_label(tagged, tmp_path / "out.mp3", PLAN)
    assert {"English [AI]", "Studio", "reel 3"} <= files.metadata_of(tmp_path / "out.mp3")
    assert "Episode" not in files.metadata_of(tmp_path / "out.mp3")


def test_a_file_with_a_manifest_is_refused_since_a_label_would_break_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "c2pa", None)  # it is there, and nobody says whether it is valid
    path = files.with_chunks(files.tone(tmp_path / "t.wav"), tmp_path / "in.wav", (b"C2PA", b"x" * 8))
    with pytest.raises(MediaError, match="a new label would break"):
        apply_label(path, tmp_path / "out.wav", PLAN)
    assert not (tmp_path / "out.wav").exists()


def test_a_text_that_would_be_lost_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = files.tone(tmp_path / "t.wav")
    source = files.with_chunks(plain, tmp_path / "in.wav", (b"iXML", files.IXML.replace(LABEL, "reel 3").encode()))
    monkeypatch.setattr("dubgate.labels.riff_writing.write_wav", lambda _, target, plan: write_wav(plain, target, plan))
    with pytest.raises(MediaError, match="would lose WAV iXML NOTE"):
        apply_label(source, tmp_path / "out.wav", PLAN)
    assert not (tmp_path / "out.wav").exists()


def test_a_dry_run_shows_the_difference_and_writes_nothing(tmp_path: Path) -> None:
    source = files.tone(tmp_path / "t.wav")
    before = source.read_bytes()
    applied = apply_label(source, source, PLAN, dry_run=True)
    assert {c.after for c in applied.changes} >= {LABEL}
    assert not applied.written
    assert source.read_bytes() == before
    assert list(tmp_path.iterdir()) == [source]


def test_sound_that_would_change_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(source: Path, target: Path, plan: LabelPlan) -> tuple[str, ...]:
        copied = write_wav(source, target, plan)
        data = bytearray(target.read_bytes())
        data[data.index(b"data") + 100] ^= 1
        target.write_bytes(data)
        return copied

    monkeypatch.setattr("dubgate.labels.riff_writing.write_wav", careless)
    with pytest.raises(MediaError, match="packets would change"):
        apply_label(files.tone(tmp_path / "t.wav"), tmp_path / "out.wav", PLAN)
    assert [p.name for p in tmp_path.iterdir()] == ["t.wav"]


def test_hls_lines_that_are_no_entry_of_the_dub_stay(tmp_path: Path) -> None:
    master = files.hls(tmp_path, files.MASTER.replace("\n", "\r\n"))
    before = master.read_bytes().splitlines()
    apply_label(master, master, PLAN)
    after = master.read_bytes().splitlines()
    assert [k for k, (a, b) in enumerate(zip(before, after, strict=True)) if a != b] == [2]
    assert b'CHARACTERISTICS="public.machine-generated"' in after[2]


def test_a_manifest_goes_beside_what_it_names(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    with pytest.raises(InputError, match="same folder"):
        apply_label(files.dash(tmp_path), tmp_path / "elsewhere" / "m.mpd", PLAN)


@pytest.mark.parametrize("text", ["English", "English [Al]", "[A\u200bI]", 'A "AI" dub', "AI\nb", "AI" * 200])
def test_a_text_that_is_no_label_is_not_written(text: str) -> None:
    with pytest.raises(InputError):
        planned(text, "en", None, None, None)


@pytest.mark.parametrize("language", ["und", "klingonese", ""])
def test_a_label_needs_a_language(language: str) -> None:
    with pytest.raises(InputError):
        planned(LABEL, language, None, None, None)


def test_a_label_that_names_another_language_is_not_written() -> None:
    with pytest.raises(InputError, match="names another language"):
        planned(LABEL, "fr", None, None, None)
    assert planned("Français [IA]", "fr-CA", None, None, None).language == "fr-CA"


def test_half_an_aigc_label_is_not_written() -> None:
    with pytest.raises(InputError):
        planned(LABEL, "en", None, "Studio", None)


# The command, by its exit codes.


def test_the_command_writes_checks_and_refuses_to_overwrite(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, out = str(files.tone(tmp_path / "t.wav")), str(tmp_path / "out.wav")
    asked = ["label", "apply", source, "--out", out, "--text", LABEL, "--language", "en"]
    assert run(["label", "check", source]) == 1
    assert run([*asked, "--dry-run"]) == 0
    assert not Path(out).exists()
    assert run(asked) == 0
    assert run(asked) == 2
    assert run([*asked, "--in-place"]) == 2
    assert run(["label", "check", out]) == 0
    assert run(["label", "check", str(tmp_path / "gone.wav")]) == 2
    capsys.readouterr()
    assert run(["label", "check", out, "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["decision"] == "release"
    assert told["entries"][0]["human_readable"] is True


def test_the_command_replaces_a_file_only_where_that_is_asked_for(tmp_path: Path) -> None:
    source = files.tone(tmp_path / "t.wav")
    assert run(["label", "apply", str(source), "--text", LABEL, "--language", "en"]) == 2
    assert run(["label", "apply", str(source), "--in-place", "--text", LABEL, "--language", "en"]) == 0
    assert run(["label", "check", str(source), "--language", "en"]) == 0


def test_what_was_not_verified_is_exit_code_3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "c2pa", None)
    info = files.info((b"INAM", LABEL))
    path = files.with_chunks(files.tone(tmp_path / "t.wav"), tmp_path / "d.wav", (b"LIST", info), (b"C2PA", b"x" * 8))
    assert run(["label", "check", str(path)]) == 3


def test_text_of_strangers_cannot_move_the_cursor(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    info = files.info((b"INAM", "\x1b[2J\u202e[AI]"))
    path = files.with_chunks(files.tone(tmp_path / "t.wav"), tmp_path / "d.wav", (b"LIST", info))
    assert run(["label", "check", str(path)]) == 1
    assert not {"\x1b", "\u202e"} & set(capsys.readouterr().out)
