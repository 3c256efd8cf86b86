"""C2PA manifests: believed from signers under our own anchors only; altered, moved or of strangers, refused."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import label_files as files
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from dubgate.labels.anchors import Anchors
from dubgate.labels.containers import read_file
from dubgate.labels.provenance import CLAIM_SIGNING
from dubgate.labels.tracks import Labels

SOURCE = "http://cv.iptc.org/newscodes/digitalsourcetype/"
EMAIL = "1.3.6.1.5.5.7.3.4"


def authority(name: str) -> tuple[Any, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    return key, _certificate(name, key, key, name, usage, is_authority=True)


def _certificate(
    name: str, key: Any, signing_key: Any, issuer: str, usage: x509.KeyUsage, *, is_authority: bool
) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(
        subject_name=_name(name),
        issuer_name=_name(issuer),
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=now - timedelta(days=1),
        not_valid_after=now + timedelta(days=2),
    )
    extended = x509.ExtendedKeyUsage([x509.ObjectIdentifier(EMAIL), x509.ObjectIdentifier(CLAIM_SIGNING)])
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(signing_key.public_key())
    builder = builder.add_extension(x509.BasicConstraints(is_authority, None), True).add_extension(usage, True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
    if not is_authority:
        builder = builder.add_extension(extended, False).add_extension(identifier, False)
    return builder.sign(signing_key, hashes.SHA256())


def _name(name: str) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Studio"), x509.NameAttribute(NameOID.COMMON_NAME, name)]
    )


def pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def sign(source: Path, target: Path, root: tuple[Any, x509.Certificate], source_type: str) -> Path:
    """A manifest that tells of a dub from Japanese into English, signed by a signer of `root`."""
    c2pa = pytest.importorskip("c2pa")
    key = ec.generate_private_key(ec.SECP256R1())
    usage = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
    issuer = root[1].subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
    leaf = _certificate("Signer", key, root[0], str(issuer), usage, is_authority=False)
    actions = [
        {"action": "c2pa.created", "digitalSourceType": SOURCE + source_type},
        {"action": "c2pa.translated", "parameters": {"sourceLanguage": "ja", "targetLanguage": "en"}},
    ]
    manifest = {
        "claim_generator_info": [{"name": "test", "version": "1"}],
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": actions}}],
    }
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    chain = (pem(leaf) + pem(root[1])).encode()
    info = c2pa.C2paSignerInfo(alg=b"es256", sign_cert=chain, private_key=secret, ta_url=None)
    with c2pa.Context() as context, c2pa.Signer.from_info(info) as signer, c2pa.Builder(manifest, context) as builder:
        builder.sign_file(str(source), str(target), signer)
    return target


def labels(path: Path, anchors: str | None) -> Labels:
    return read_file(path, language=None, anchors=None if anchors is None else Anchors(anchors))


@pytest.fixture(scope="module")
def studio() -> tuple[Any, x509.Certificate]:
    return authority("Studio Root")


@pytest.fixture
def signed(tmp_path: Path, studio: tuple[Any, x509.Certificate]) -> Path:
    return sign(files.tone(tmp_path / "plain.wav"), tmp_path / "dub.wav", studio, "trainedAlgorithmicMedia")


def test_a_trusted_manifest_of_a_machine_is_a_token(signed: Path, studio: tuple[Any, x509.Certificate]) -> None:
    read = labels(signed, pem(studio[1]))
    [said] = read.says_ai
    assert said.language == "en"
    assert read.tracks[0].machine_readable
    assert not read.unreadable


@pytest.mark.parametrize(
    ("kind", "name"), [("mp3", "dub.mp3"), ("flac", "dub.flac"), ("mp4", "dub.mp4"), ("alac", "dub.m4a")]
)
def test_the_manifest_is_found_in_every_container_that_holds_one(
    tmp_path: Path, studio: tuple[Any, x509.Certificate], kind: str, name: str
) -> None:
    source = files.made_media.make(tmp_path, kind, 0.2)
    path = sign(source, tmp_path / f"signed-{name}", studio, "compositeSynthetic")
    assert labels(path, pem(studio[1])).says_ai


def test_a_signature_of_a_stranger_is_refused(signed: Path) -> None:
    assert "signingCredential.untrusted" in labels(signed, pem(authority("Other Root")[1])).unreadable[0]


def test_without_anchors_nobody_is_trusted_and_nobody_is_accused(signed: Path) -> None:
    read = labels(signed, None)
    assert "trust anchors" in read.unmeasured[0]
    assert not read.tracks[0].machine_readable


def test_a_self_signed_human_recording_is_no_token(tmp_path: Path, studio: tuple[Any, x509.Certificate]) -> None:
    path = sign(files.tone(tmp_path / "plain.wav"), tmp_path / "human.wav", studio, "digitalCapture")
    assert not labels(path, pem(studio[1])).tracks[0].machine_readable


@pytest.mark.parametrize("anchored", [True, False])
def test_one_changed_bit_of_sound_is_refused(
    signed: Path, studio: tuple[Any, x509.Certificate], anchored: bool
) -> None:
    data = bytearray(signed.read_bytes())
    data[data.index(b"data") + 400] ^= 1
    signed.write_bytes(data)
    assert "mismatch" in labels(signed, pem(studio[1]) if anchored else None).unreadable[0]


def test_a_manifest_moved_from_another_file_is_refused(
    tmp_path: Path, signed: Path, studio: tuple[Any, x509.Certificate]
) -> None:
    from dubgate.labels.riff import chunks

    with signed.open("rb") as file:
        [found] = [c for c in chunks(signed, file) if c.name == b"C2PA"]
        file.seek(found.start)
        body = file.read(found.size)
    moved = files.with_chunks(files.tone(tmp_path / "other.wav", 0.3), tmp_path / "moved.wav", (b"C2PA", body))
    assert "invalid" in labels(moved, pem(studio[1])).unreadable[0]


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
