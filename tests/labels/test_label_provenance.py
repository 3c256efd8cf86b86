"""C2PA manifests: believed from signers under our own anchors only; altered, moved or of strangers, refused."""

from __future__ import annotations

import sys
from pathlib import Path

import label_files as files
import pytest
from signers import Authority, actions_of, authority, sign

from dubgate.errors import InputError
from dubgate.labels.anchors import Anchors, read_anchors
from dubgate.labels.containers import read_file
from dubgate.labels.tracks import Labels


def labels(path: Path, anchors: str | None) -> Labels:
    return read_file(path, language=None, anchors=None if anchors is None else Anchors(anchors))


@pytest.fixture(scope="module")
def studio() -> Authority:
    return authority("Studio Root")


@pytest.fixture
def signed(tmp_path: Path, studio: Authority) -> Path:
    return sign(files.tone(tmp_path / "plain.wav"), tmp_path / "dub.wav", studio)[0]


def test_a_trusted_manifest_of_a_machine_is_a_token(signed: Path, studio: Authority) -> None:
    read = labels(signed, studio.pem)
    [said] = read.says_ai
    assert said.language == "en"
    assert read.tracks[0].machine_readable
    assert not read.unreadable


@pytest.mark.parametrize(
    ("kind", "name"), [("mp3", "dub.mp3"), ("flac", "dub.flac"), ("mp4", "dub.mp4"), ("alac", "dub.m4a")]
)
def test_the_manifest_is_found_in_every_container_that_holds_one(
    tmp_path: Path, studio: Authority, kind: str, name: str
) -> None:
    source = files.made_media.make(tmp_path, kind, 0.2)
    path, _ = sign(source, tmp_path / f"signed-{name}", studio, "compositeSynthetic")
    assert labels(path, studio.pem).says_ai


def test_a_signature_of_a_stranger_is_refused(signed: Path) -> None:
    assert "signingCredential.untrusted" in labels(signed, authority("Other Root").pem).unreadable[0]


def test_without_anchors_nobody_is_trusted_and_nobody_is_accused(signed: Path) -> None:
    read = labels(signed, None)
    assert "trust anchors" in read.unmeasured[0]
    assert not read.tracks[0].machine_readable


def test_a_self_signed_human_recording_is_no_token(tmp_path: Path, studio: Authority) -> None:
    path, _ = sign(files.tone(tmp_path / "plain.wav"), tmp_path / "human.wav", studio, "digitalCapture")
    assert not labels(path, studio.pem).tracks[0].machine_readable


@pytest.mark.parametrize("anchored", [True, False])
def test_one_changed_bit_of_sound_is_refused(signed: Path, studio: Authority, anchored: bool) -> None:
    data = bytearray(signed.read_bytes())
    data[data.index(b"data") + 400] ^= 1
    signed.write_bytes(data)
    assert "mismatch" in labels(signed, studio.pem if anchored else None).unreadable[0]


def test_a_manifest_moved_from_another_file_is_refused(tmp_path: Path, signed: Path, studio: Authority) -> None:
    from dubgate.labels.riff import chunks

    with signed.open("rb") as file:
        [found] = [c for c in chunks(signed, file) if c.name == b"C2PA"]
        file.seek(found.start)
        body = file.read(found.size)
    moved = files.with_chunks(files.tone(tmp_path / "other.wav", 0.3), tmp_path / "moved.wav", (b"C2PA", body))
    assert "invalid" in labels(moved, studio.pem).unreadable[0]


def test_without_the_library_a_manifest_is_not_measured_and_the_remedy_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "c2pa", None)
    path = files.with_chunks(files.tone(tmp_path / "t.wav"), tmp_path / "dub.wav", (b"C2PA", b"manifest"))
    assert "pip install" in labels(path, None).unmeasured[0]


def test_a_manifest_that_is_none_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("c2pa")
    path = files.with_chunks(files.tone(tmp_path / "t.wav"), tmp_path / "dub.wav", (b"C2PA", b"manifest"))
    assert labels(path, None).unreadable


def test_what_a_manifest_tells_is_read_with_languages_and_signer(signed: Path, studio: Authority) -> None:
    [told] = labels(signed, studio.pem).manifests
    assert told.actions == ("c2pa.created", "c2pa.translated", "c2pa.dubbed")
    assert told.sources == ("trainedAlgorithmicMedia",)
    assert (told.source_language, told.target_language) == ("ja", "en")
    assert told.signer == "Signer, Studio"
    assert told.says_ai


def test_a_manifest_about_another_track_is_no_label_of_this_one(tmp_path: Path, studio: Authority) -> None:
    chirp = files.made_media.chirp(48_000, 0.3)
    source = tmp_path / "film.mp4"
    files.made_media.write(source, [chirp, chirp], 48_000, "aac", "mp4", languages=["jpn", "eng"])
    told = actions_of("compositeSynthetic", track="2")
    path, _ = sign(source, tmp_path / "signed.mp4", studio, actions=told)
    read = labels(path, studio.pem)
    assert read.manifests[0].tracks == ("2",)
    assert [t.machine_readable for t in read.tracks] == [False, True]


@pytest.mark.parametrize("days", [(-20, -10), (10, 20)], ids=["expired", "not yet"])
def test_a_signer_out_of_time_is_refused_with_the_reason(
    tmp_path: Path, studio: Authority, days: tuple[int, int]
) -> None:
    path, _ = sign(files.tone(tmp_path / "plain.wav"), tmp_path / "dub.wav", studio, days=days)
    [refusal] = labels(path, studio.pem).unreadable
    assert "is expired, or not valid yet" in refusal


def test_a_revoked_signer_is_refused_with_the_reason(tmp_path: Path, studio: Authority) -> None:
    path, leaf = sign(files.tone(tmp_path / "plain.wav"), tmp_path / "dub.wav", studio)
    root, listed = tmp_path / "root.pem", tmp_path / "revoked.pem"
    root.write_text(studio.pem)
    listed.write_text(studio.revocations(leaf.serial_number))
    assert "revoked" in read_file(path, language=None, anchors=read_anchors(root, listed)).unreadable[0]
    listed.write_text(studio.revocations(leaf.serial_number + 1))
    assert read_file(path, language=None, anchors=read_anchors(root, listed)).manifests


def test_a_revocation_list_counts_only_from_an_authority_and_in_time(tmp_path: Path, studio: Authority) -> None:
    root, listed = tmp_path / "root.pem", tmp_path / "revoked.pem"
    root.write_text(studio.pem)
    other = authority("Studio Root")  # of the same name
    for text, why in (
        (other.revocations(1), "none of the trust anchors"),
        (studio.revocations(1, days=(-3, -1)), "out of date"),
        ("nothing", "no PEM revocation list"),
    ):
        listed.write_text(text)
        with pytest.raises(InputError, match=why):
            read_anchors(root, listed)
    with pytest.raises(InputError, match="without the authorities"):
        read_anchors(None, listed)


def test_a_manifest_that_tells_of_no_action_is_refused(tmp_path: Path, studio: Authority) -> None:
    import json
    from unittest.mock import patch

    path, _ = sign(files.tone(tmp_path / "plain.wav"), tmp_path / "dub.wav", studio)
    store = {
        "active_manifest": "m",
        "manifests": {"m": {"signature_info": {"cert_serial_number": "1"}, "assertions": []}},
    }
    with patch("dubgate.labels.provenance._read", return_value=("Trusted", json.loads(json.dumps(store)))):
        assert "no action" in labels(path, studio.pem).unreadable[0]
        store["manifests"]["m"]["signature_info"] = {}
    with patch("dubgate.labels.provenance._read", return_value=("Trusted", store)):
        assert "has no number" in labels(path, studio.pem).unreadable[0]


@pytest.mark.parametrize("data", [b"nothing", b"\xff\xfe"])
def test_anchors_that_are_no_certificates_are_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "root.pem"
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"no PEM certificate|as PEM"):
        read_anchors(path)
    with pytest.raises(InputError, match="as PEM"):
        read_anchors(tmp_path / "gone.pem")
