"""Certificate authorities, signers and C2PA manifests of tests, made on the spot."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import NameOID

from dubgate.labels.provenance import CLAIM_SIGNING

SOURCE = "http://cv.iptc.org/newscodes/digitalsourcetype/"
EMAIL = "1.3.6.1.5.5.7.3.4"
_AUTHORITY_USAGE = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
_SIGNER_USAGE = x509.KeyUsage(True, False, False, False, False, False, False, False, False)


@dataclass(frozen=True)
class Authority:
    """A root: its key and its certificate."""

    key: Any
    certificate: x509.Certificate

    @property
    def pem(self) -> str:
        return pem(self.certificate)

    def signer(self, key: Any = None, *, days: tuple[int, int] = (-1, 2)) -> tuple[Any, x509.Certificate]:
        """A key and its certificate, valid from and until so many days from now."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        return key, _certificate("Signer", key, self.key, self.certificate.subject, days, is_authority=False)

    def revocations(self, *serials: int, days: tuple[int, int] = (-1, 2)) -> str:
        """A list of certificates that were taken back, in PEM."""
        now = datetime.now(UTC)
        builder = x509.CertificateRevocationListBuilder(
            issuer_name=self.certificate.subject,
            last_update=now + timedelta(days=days[0]),
            next_update=now + timedelta(days=days[1]),
        )
        for serial in serials:
            builder = builder.add_revoked_certificate(x509.RevokedCertificateBuilder(serial, now).build())
        return builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def authority(name: str) -> Authority:
    """A new root of this name."""
    key = ec.generate_private_key(ec.SECP256R1())
    return Authority(key, _certificate(name, key, key, _name(name), (-30, 30), is_authority=True))


def _certificate(
    name: str, key: Any, signing_key: Any, issuer: x509.Name, days: tuple[int, int], *, is_authority: bool
) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(
        subject_name=_name(name),
        issuer_name=issuer,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=now + timedelta(days=days[0]),
        not_valid_after=now + timedelta(days=days[1]),
    )
    usage = _AUTHORITY_USAGE if is_authority else _SIGNER_USAGE
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


def key_pem(key: Any, passphrase: bytes | None = None) -> bytes:
    """A private key as PKCS8."""
    how = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    return bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, how))


def actions_of(source_type: str, *, language: str = "en", track: str | None = None) -> list[dict[str, Any]]:
    """What a manifest tells of a dub from Japanese, of the whole file or of one track."""
    region = [{"region": [{"type": "identified", "item": {"identifier": "track_id", "value": track}}]}]
    return [
        {"action": "c2pa.created", "digitalSourceType": SOURCE + source_type},
        {"action": "c2pa.translated", "parameters": {"sourceLanguage": "ja", "targetLanguage": language}},
        {"action": "c2pa.dubbed"} | ({"changes": region} if track else {}),
    ]


def sign(
    source: Path,
    target: Path,
    root: Authority,
    source_type: str = "trainedAlgorithmicMedia",
    *,
    actions: list[dict[str, Any]] | None = None,
    days: tuple[int, int] | None = None,
) -> tuple[Path, x509.Certificate]:
    """A file with a manifest signed by a signer of `root`, by c2pa itself and not by dubgate; and the certificate.

    With `days` the signer's certificate is valid then: c2pa signs with no such certificate, so it is put in the place of
    one that is valid now, in what is signed and in the file.
    """
    c2pa = pytest.importorskip("c2pa")
    key, leaf = root.signer(ed25519.Ed25519PrivateKey.generate())
    told = leaf if days is None else _as_long(root, key, leaf, days)
    old, new = (c.public_bytes(serialization.Encoding.DER) for c in (leaf, told))
    manifest = {
        "claim_generator_info": [{"name": "test", "version": "1"}],
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": actions or actions_of(source_type)}}],
    }
    settings = {"version": 1, "verify": {"verify_after_sign": False, "verify_trust": False}}
    chain = pem(leaf) + root.pem
    with (
        c2pa.Context.from_dict(settings) as context,
        c2pa.Signer.from_callback(
            lambda d: key.sign(d.replace(old, new)), c2pa.C2paSigningAlg.ED25519, chain
        ) as signer,
        c2pa.Builder(manifest, context) as builder,
    ):
        builder.sign_file(str(source), str(target), signer)
    target.write_bytes(target.read_bytes().replace(old, new))
    return target, told


def _as_long(root: Authority, key: Any, leaf: x509.Certificate, days: tuple[int, int]) -> x509.Certificate:
    """Another certificate of the key that takes exactly as many bytes."""
    wanted = len(leaf.public_bytes(serialization.Encoding.DER))
    made = (root.signer(key, days=days)[1] for _ in range(500))
    return next(c for c in made if len(c.public_bytes(serialization.Encoding.DER)) == wanted)
