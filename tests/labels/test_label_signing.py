"""C2PA signing as the last step of `dubgate label apply`: read back as trusted, or nothing appears."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import label_files as files
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from label_files import LABEL
from signers import Authority, authority, key_pem, pem

from dubgate.cli.main import run
from dubgate.errors import ChildError, InputError, MediaError
from dubgate.labels import signing as signing_module
from dubgate.labels.anchors import Anchors
from dubgate.labels.applying import apply_label
from dubgate.labels.containers import read_file
from dubgate.labels.plan import LabelPlan
from dubgate.labels.signing import Signing, read_back, signing_of
from dubgate.labels.tracks import Manifest
from dubgate.sandbox import Reply, run_in_child

PLAN = LabelPlan(LABEL, "en", None, files.AIGC)
pytestmark = pytest.mark.usefixtures("here")
pytest.importorskip("c2pa", reason="needs dubgate[c2pa]")


@pytest.fixture(scope="module")
def studio() -> Authority:
    return authority("Studio Root")


def signed_by(folder: Path, root: Authority, key: Any = None, **changes: Any) -> Signing:
    """A signer of `root`, as a user names one: by files."""
    key, leaf = root.signer(key)
    (folder / "key.pem").write_bytes(key_pem(key))
    (folder / "chain.pem").write_text(pem(leaf) + root.pem)
    asked: dict[str, Any] = {"source_language": "ja", "source_type": None, "passphrase": None} | changes
    return signing_of(folder / "key.pem", folder / "chain.pem", asked.pop("anchors", Anchors(root.pem)), **asked)


@pytest.mark.parametrize("kind", ["wav", "mp3", "flac", "alac", "mp4", "mov"])
def test_a_signed_label_is_trusted_and_c2pa_itself_says_so(tmp_path: Path, studio: Authority, kind: str) -> None:
    import c2pa

    source = files.made_media.make(tmp_path, kind, 0.3)
    out = tmp_path / f"out{source.suffix}"
    applied = apply_label(source, out, PLAN, signing=signed_by(tmp_path, studio))
    assert applied.written
    assert any("C2PA trusted, signed by Signer" in str(c.after) for c in applied.changes)
    read = read_file(out, language=None, anchors=Anchors(studio.pem))
    [told] = read.manifests
    assert told.actions == ("c2pa.created", "c2pa.translated", "c2pa.dubbed")
    assert (told.source_language, told.target_language) == ("ja", "en")
    assert read.tracks[0].machine_readable
    assert read.tracks[0].human_readable
    assert read.aigc == ("1",)
    trust = {"version": 1, "trust": {"trust_anchors": studio.pem}, "verify": {"ocsp_fetch": False}}
    with c2pa.Context.from_dict(trust) as context, c2pa.Reader(str(out), context=context) as reader:
        assert reader.get_validation_state() == "Trusted"


def test_a_film_is_signed_as_a_composite_about_the_dubs_track_alone(tmp_path: Path, studio: Authority) -> None:
    chirp = files.made_media.chirp(48_000, 0.5)
    source, out = tmp_path / "film.mp4", tmp_path / "out.mp4"
    made = {"languages": ["jpn", "eng"], "titles": ["Japanese", "English"], "video_at_s": 0.0}
    files.made_media.write(source, [chirp, chirp], 48_000, "aac", "mp4", **made)
    applied = apply_label(source, out, LabelPlan(LABEL, "en"), signing=signed_by(tmp_path, studio))
    assert [line.split()[0] for line in applied.proof] == ["video", "audio", "audio"]
    read = read_file(out, language=None, anchors=Anchors(studio.pem))
    assert read.manifests[0].sources == ("compositeSynthetic",)
    assert {t.language: t.machine_readable for t in read.tracks} == {"ja": False, "en": True}


@pytest.mark.parametrize(
    ("key", "alg"),
    [
        (ed25519.Ed25519PrivateKey.generate(), "ed25519"),
        (ec.generate_private_key(ec.SECP384R1()), "es384"),
        (ec.generate_private_key(ec.SECP521R1()), "es512"),
        (rsa.generate_private_key(65537, 2048), "ps256"),
    ],
    ids=["ed25519", "es384", "es512", "ps256"],
)
def test_every_kind_of_key_that_c2pa_knows_signs(tmp_path: Path, studio: Authority, key: Any, alg: str) -> None:
    signing = signed_by(tmp_path, studio, key)
    assert signing.alg == alg
    out = tmp_path / "out.wav"
    assert apply_label(files.tone(tmp_path / "t.wav"), out, PLAN, signing=signing).written
    assert read_file(out, language=None, anchors=Anchors(studio.pem)).manifests


def refused(tmp_path: Path, source: Path, signing: Signing) -> str:
    """Why nothing was written, where nothing was."""
    before = sorted(p.name for p in tmp_path.iterdir())
    with pytest.raises((MediaError, ChildError)) as told:
        apply_label(source, tmp_path / f"out{source.suffix}", PLAN, signing=signing)
    assert sorted(p.name for p in tmp_path.iterdir()) == before
    return str(told.value)


def test_a_signer_whom_the_anchors_do_not_know_leaves_no_file(tmp_path: Path, studio: Authority) -> None:
    signing = signed_by(tmp_path, authority("Other Root"), anchors=Anchors(studio.pem))
    assert "no trust anchor knows its signer" in refused(tmp_path, files.tone(tmp_path / "t.wav"), signing)


def test_a_container_without_manifests_is_refused_before_anything_is_done(tmp_path: Path, studio: Authority) -> None:
    for kind in ("matroska", "rf64"):
        source = files.made_media.make(tmp_path, kind, 0.2)
        assert "holds no C2PA manifest" in refused(tmp_path, source, signed_by(tmp_path, studio))
    with pytest.raises(MediaError, match="sign the media files"):
        apply_label(files.hls(tmp_path), tmp_path / "o.m3u8", PLAN, signing=signed_by(tmp_path, studio))


def test_a_file_beyond_the_cap_is_refused_and_told_of_it(
    tmp_path: Path, studio: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signing_module, "MAX_SIGNED_BYTES", 1000)
    assert "bounded to 1,000" in refused(tmp_path, files.tone(tmp_path / "t.wav"), signed_by(tmp_path, studio))


def test_a_certificate_that_expired_signs_nothing(tmp_path: Path, studio: Authority) -> None:
    _, leaf = studio.signer(days=(-20, -10))
    signing = replace(signed_by(tmp_path, studio), chain_pem=pem(leaf) + studio.pem)
    assert "not valid at time of signing" in refused(tmp_path, files.tone(tmp_path / "t.wav"), signing)


def test_a_signature_of_another_key_leaves_no_file(tmp_path: Path, studio: Authority) -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    signing = replace(signed_by(tmp_path, studio), sign=signing_module._signer(other, tmp_path)[1])
    assert refused(tmp_path, files.tone(tmp_path / "t.wav"), signing)


def hostile_child(asks: bytes, times: int) -> Any:
    """A child that asks for signatures of its own choosing."""

    def run_it(task: str, request: dict[str, Any], **given: Any) -> Reply:
        if "sign" not in request:
            return files.run_here(task, request, **given)
        tmp = given["scratch"] / "dubgate-x" / "tmp"
        tmp.mkdir(parents=True)
        (tmp / "to-sign").write_bytes(asks)
        for _ in range(times):
            given["progress"]("sign", 0.5)
        raise AssertionError("it was answered")

    return run_it


CLAIM = b"\x84\x6aSignature1..."


@pytest.mark.parametrize(
    ("asks", "times", "why"),
    [(b"pay 1000", 1, "no claim"), (CLAIM, 2, "second signature"), (CLAIM + bytes(17 << 20), 1, "more than a claim")],
)
def test_a_child_gets_one_signature_over_a_claim_and_no_other(
    tmp_path: Path, studio: Authority, monkeypatch: pytest.MonkeyPatch, asks: bytes, times: int, why: str
) -> None:
    monkeypatch.setattr("dubgate.sandbox.run_in_child", hostile_child(asks, times))
    assert why in refused(tmp_path, files.tone(tmp_path / "t.wav"), signed_by(tmp_path, studio))


def test_a_child_that_signs_nothing_is_no_success(
    tmp_path: Path, studio: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    def idle(task: str, request: dict[str, Any], **given: Any) -> Any:
        return None if "sign" in request else files.run_here(task, request, **given)

    monkeypatch.setattr("dubgate.sandbox.run_in_child", idle)
    assert "signed no file" in refused(tmp_path, files.tone(tmp_path / "t.wav"), signed_by(tmp_path, studio))


def test_a_child_that_writes_a_link_in_place_of_a_file_is_refused(
    tmp_path: Path, studio: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    def linking(task: str, request: dict[str, Any], **given: Any) -> Any:
        if "sign" not in request:
            return files.run_here(task, request, **given)
        tmp = given["scratch"] / "dubgate-x" / "tmp"
        tmp.mkdir(parents=True)
        (tmp / "labelled").symlink_to("/etc/hostname")
        given["progress"]("signed", 1.0)
        raise AssertionError("the link was taken")

    monkeypatch.setattr("dubgate.sandbox.run_in_child", linking)
    assert "not a file" in refused(tmp_path, files.tone(tmp_path / "t.wav"), signed_by(tmp_path, studio))


TOLD = Manifest("dub.wav", "Studio", ("c2pa.dubbed",), ("trainedAlgorithmicMedia",), "ja", "en")


@pytest.mark.parametrize(
    "manifests",
    [(), (TOLD, TOLD), (replace(TOLD, sources=("digitalCapture",)),), (replace(TOLD, target_language="fr"),)],
)
def test_what_reads_back_as_something_else_is_no_success(manifests: tuple[Manifest, ...]) -> None:
    assert read_back((TOLD,), "en-GB", "dub.wav") == "C2PA trusted, signed by Studio"
    with pytest.raises(MediaError):
        read_back(manifests, "en", "dub.wav")


def test_a_dry_run_signs_nothing_and_says_who_would(tmp_path: Path, studio: Authority) -> None:
    def never(_: bytes) -> bytes:
        raise AssertionError("a dry run signs nothing")

    signing = replace(signed_by(tmp_path, studio), sign=never)
    applied = apply_label(files.tone(tmp_path / "t.wav"), tmp_path / "o.wav", PLAN, signing=signing, dry_run=True)
    assert "would be signed by" in str(applied.changes[-1].after)
    assert "CN=Signer" in str(applied.changes[-1].after)
    assert not (tmp_path / "o.wav").exists()


def test_key_chain_and_anchors_are_held_against_each_other_first(tmp_path: Path, studio: Authority) -> None:
    with pytest.raises(InputError, match="none are named"):
        signed_by(tmp_path, studio, anchors=None)
    with pytest.raises(InputError, match="does not tell of a machine"):
        signed_by(tmp_path, studio, source_type="digitalCapture")
    with pytest.raises(InputError, match="klingonese"):
        signed_by(tmp_path, studio, source_language="klingonese")
    signed_by(tmp_path, studio)
    asked: dict[str, Any] = {"source_language": "ja", "source_type": None, "passphrase": None}
    (tmp_path / "key.pem").write_bytes(key_pem(ec.generate_private_key(ec.SECP256R1())))
    with pytest.raises(InputError, match="not of this key"):
        signing_of(tmp_path / "key.pem", tmp_path / "chain.pem", Anchors(studio.pem), **asked)
    (tmp_path / "key.pem").write_bytes(key_pem(ec.generate_private_key(ec.SECP256K1())))
    with pytest.raises(InputError):
        signing_of(tmp_path / "key.pem", tmp_path / "chain.pem", Anchors(studio.pem), **asked)


def test_the_command_signs_in_the_shut_in_child_with_a_key_under_a_passphrase(
    tmp_path: Path, studio: Authority, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def only_signing_apart(task: str, request: dict[str, Any], **given: Any) -> Reply:
        return (run_in_child if "sign" in request else files.run_here)(task, request, **given)

    monkeypatch.setattr("dubgate.sandbox.run_in_child", only_signing_apart)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DUBGATE_C2PA_KEY_PASSPHRASE", "open sesame")
    key, leaf = studio.signer()
    (tmp_path / "key.pem").write_bytes(key_pem(key, b"open sesame"))
    (tmp_path / "chain.pem").write_text(pem(leaf) + studio.pem)
    (tmp_path / "root.pem").write_text(studio.pem)
    asked = ["label", "apply", files.tone(tmp_path / "t.wav").name, "--out", "o.wav"]
    asked += ["--text", LABEL, "--language", "en", "--c2pa-key", str(tmp_path / "key.pem")]
    assert run(asked) == 2  # neither chain nor language of the original
    asked += ["--c2pa-chain", str(tmp_path / "chain.pem"), "--source-language", "ja"]
    assert run(asked) == 2  # no anchors
    assert run([*asked, "--anchors", str(tmp_path / "root.pem")]) == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == ["chain.pem", "key.pem", "o.wav", "root.pem", "t.wav"]
    assert run(["label", "check", str(tmp_path / "o.wav"), "--anchors", str(tmp_path / "root.pem")]) == 0
    assert "C2PA" in capsys.readouterr().out
