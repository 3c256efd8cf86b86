"""C2PA signing of a labelled file, the last step of `dubgate label apply`: the manifest is made and put into the file by a
child process with limits; the private key stays here, and signs once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dubgate.errors import ChildError, InputError, MediaError
from dubgate.labels.anchors import Anchors
from dubgate.labels.tracks import AI_SOURCES, Manifest

MAX_SIGNED_BYTES = 2 << 30  # c2pa-rs holds about three times a WAV in memory while it signs; see tests/bench/RESULTS.md
SIGN_MEMORY_BYTES = 8 << 30
SIGN_S = 600.0
SIGNED_KINDS = ("wav", "mov", "mp3", "flac")
_TO_SIGN = b"\x84\x6aSignature1"  # a COSE Sig_structure (RFC 9052, 4.4): an array of four that begins with this text
_MAX_TO_SIGN_BYTES = 16 << 20
ASK, WRITTEN = "sign", "signed"  # what the child says: that it waits for a signature, that its file is whole


@dataclass(frozen=True, slots=True)
class Signing:
    """Who signs, and what the manifest tells beside the plan's label.

    `alg` is the COSE algorithm of the key, `sign` gives the signature as COSE wants it. `source_language` is the
    original's; `source_type` the digital source type, None for the one that fits the file.
    """

    chain_pem: str
    alg: str
    sign: Callable[[bytes], bytes]
    anchors: Anchors
    subject: str
    source_language: str
    source_type: str | None = None


def signing_of(
    key: Path,
    chain: Path,
    anchors: Anchors | None,
    *,
    source_language: str,
    source_type: str | None,
    passphrase: bytes | None,
) -> Signing:
    """The user's key and certificates, checked against each other.

    Raises:
        InputError: unreadable, not of one pair, of an algorithm that C2PA does not know, or without anchors to read
            back against.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

    from dubgate.languages import canonical

    if anchors is None:
        raise InputError(
            "a signature is read back against your own trust anchors, and none are named",
            where="--anchors",
            remedy="name the PEM file of the authority that issued the certificate: --anchors or DUBGATE_C2PA_ANCHORS",
        )
    if source_type is not None and source_type not in AI_SOURCES:
        raise InputError(
            f"{source_type!r} does not tell of a machine", where="--source-type", remedy=", ".join(sorted(AI_SOURCES))
        )
    try:
        private = load_pem_private_key(key.read_bytes(), passphrase)
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"cannot read this private key: {error}", where=str(key)) from None
    try:
        certificates = x509.load_pem_x509_certificates(chain.read_bytes())
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read this certificate chain: {error}", where=str(chain)) from None
    own = [
        k.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        for k in (private.public_key(), certificates[0].public_key())
    ]
    if own[0] != own[1]:
        raise InputError(
            "the first certificate is not of this key",
            where=f"{key}, {chain}",
            remedy="put the signer's own certificate first",
        )
    try:
        language = canonical(source_language)
    except ValueError as error:
        raise InputError(str(error), where="--source-language") from None
    alg, sign = _signer(private, key)
    text = "".join(c.public_bytes(Encoding.PEM).decode() for c in certificates)
    return Signing(text, alg, sign, anchors, certificates[0].subject.rfc4514_string(), language, source_type)


def _signer(private: Any, path: Path) -> tuple[str, Callable[[bytes], bytes]]:
    """COSE's name of the key's algorithm, and how it signs (RFC 9053, 2; C2PA 2.2, 13.2)."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    if isinstance(private, ed25519.Ed25519PrivateKey):
        return "ed25519", private.sign
    if isinstance(private, rsa.RSAPrivateKey):
        return "ps256", lambda data: _pss(private, data)
    sizes = {256: "es256", 384: "es384", 521: "es512"}
    if isinstance(private, ec.EllipticCurvePrivateKey) and private.curve.name in (
        "secp256r1",
        "secp384r1",
        "secp521r1",
    ):
        return sizes[private.curve.key_size], lambda data: _ecdsa(private, data)
    raise InputError("C2PA signs with EC (P-256, P-384, P-521), Ed25519 or RSA keys", where=str(path))


def _pss(private: Any, data: bytes) -> bytes:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    return bytes(private.sign(data, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256()))


def _ecdsa(private: Any, data: bytes) -> bytes:
    """r and s one after the other, each as long as the curve."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

    digest = {256: hashes.SHA256(), 384: hashes.SHA384(), 521: hashes.SHA512()}[private.curve.key_size]
    n = (private.curve.key_size + 7) // 8
    return b"".join(part.to_bytes(n, "big") for part in decode_dss_signature(private.sign(data, ec.ECDSA(digest))))


def refuse_unsignable(path: Path, kind: str) -> None:
    """Refuse before anything is written what could not be signed at the end.

    Raises:
        MediaError: the container holds no manifest, or the file is larger than signing is bounded to.
    """
    with path.open("rb") as file:
        kind = kind if file.read(4) not in (b"RF64", b"BW64") else "RF64"  # c2pa-rs reads RIFF alone
    if kind not in SIGNED_KINDS:
        what = f"{kind} holds no C2PA manifest"
        remedy = "leave --c2pa-key out, and sign the label beside it: dubgate label sidecar"
        raise MediaError(what, where=path.name, remedy=remedy)
    size = path.stat().st_size
    if size > MAX_SIGNED_BYTES:
        what = f"it holds {size:,} bytes; signing takes several times that in memory and is bounded to {MAX_SIGNED_BYTES:,}"
        raise MediaError(what, where=path.name, remedy="sign the published renditions, or leave --c2pa-key out")


def manifest_of(language: str, signing: Signing, *, sound_alone: bool, track_id: str | None) -> dict[str, Any]:
    """The manifest definition: made by a machine, translated, dubbed, and in which track (C2PA 2.2, 18.14)."""
    from dubgate import __version__

    kind = signing.source_type or ("trainedAlgorithmicMedia" if sound_alone else "compositeSynthetic")
    address = f"http://cv.iptc.org/newscodes/digitalsourcetype/{kind}"
    dubbed: dict[str, Any] = {"action": "c2pa.dubbed", "digitalSourceType": address}
    if track_id is not None:
        item = {"identifier": "track_id", "value": track_id}
        dubbed["changes"] = [{"region": [{"type": "identified", "item": item}]}]
    languages = {"sourceLanguage": signing.source_language, "targetLanguage": language}
    actions = [
        {"action": "c2pa.created", "digitalSourceType": address},
        {"action": "c2pa.translated", "parameters": languages},
        dubbed,
    ]
    return {
        "claim_generator_info": [{"name": "dubgate", "version": __version__}],
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": actions}}],
    }


def sign_file(staged: Path, manifest: dict[str, Any], signing: Signing, *, name: str) -> None:
    """Put a signed manifest into `staged`, by one rename; `name` is what people call the file.

    Raises:
        ChildError: the child broke a limit, asked for a signature that is none, or for a second one.
        MediaError: c2pa refused.
    """
    from dubgate.labels.remuxing import FILE_NAME
    from dubgate.sandbox import Limits, run_in_child

    signed: list[bytes] = []

    def answer(stage: str, _: float) -> None:
        if stage == ASK:
            _answer(_only(staged.parent, "to-sign"), signing, signed)
        elif stage == WRITTEN:
            _only(staged.parent, FILE_NAME).rename(staged)

    request = {"sign": str(staged.absolute()), "manifest": manifest, "chain": signing.chain_pem}
    request |= {"alg": signing.alg, "name": name}
    limits = Limits(wall_s=SIGN_S, cpu_s=int(SIGN_S), memory_bytes=SIGN_MEMORY_BYTES, file_bytes=2 * MAX_SIGNED_BYTES)
    before = staged.stat().st_ino
    # The parent replaces the file while the child runs; so it is no input that must stay as it was.
    run_in_child("labels", request, limits=limits, inputs=[staged.parent], progress=answer, scratch=staged.parent)
    if staged.stat().st_ino == before or not signed:
        raise ChildError("the child process signed no file")


def _only(folder: Path, name: str) -> Path:
    """The child's own file of this name, which must be one."""
    [made] = folder.glob(f"dubgate-*/tmp/{name}")
    if made.is_symlink() or not made.is_file():
        raise ChildError("the child process wrote what is not a file")
    return made


def _answer(asked: Path, signing: Signing, signed: list[bytes]) -> None:
    """Sign what a C2PA claim signs, and only once: the child reads a stranger's file."""
    if asked.stat().st_size > _MAX_TO_SIGN_BYTES:
        raise ChildError("the child process asks for a signature over more than a claim can be")
    data = asked.read_bytes()
    if not data.startswith(_TO_SIGN):
        raise ChildError("the child process asks for a signature over what is no claim")
    if signed:
        raise ChildError("the child process asks for a second signature")
    signed.append(data)
    part = asked.with_name("signature.part")
    part.write_bytes(signing.sign(data))
    part.rename(asked.with_name("signature"))


def read_back(manifests: tuple[Manifest, ...], language: str, name: str) -> str:
    """What the signed file tells, where it is trusted and tells of this dub.

    Raises:
        MediaError: it does not.
    """
    from dubgate.labels.wording import speak_alike

    if len(manifests) != 1 or not manifests[0].says_ai:
        raise MediaError("the signed manifest could not be read back", where=name)
    [told] = manifests
    if not speak_alike(told.target_language or "", language):
        raise MediaError(f"the signed manifest tells of {told.target_language}, not {language}", where=name)
    return f"C2PA trusted, signed by {told.signer}"
