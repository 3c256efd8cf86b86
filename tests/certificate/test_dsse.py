"""Envelopes: what was signed opens, anything else does not."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from securesystemslib.dsse import Envelope

from consent.dsse import STATEMENT_TYPE
from dubgate.certificate.dsse import (
    SignatureError,
    load_private_key,
    new_private_key,
    open_envelope,
    public_of,
    save_private_key,
    sign,
    signer_of,
    strict_json,
)
from dubgate.errors import InputError

KIND = "urn:dubgate:test:1.0"
STATEMENT = {"_type": STATEMENT_TYPE, "subject": [], "predicateType": KIND, "predicate": {"größe": 1}}


@pytest.fixture
def key():  # type: ignore[no-untyped-def]
    return new_private_key()


def test_what_was_signed_opens_with_the_signers_key(key) -> None:  # type: ignore[no-untyped-def]
    opened = open_envelope(sign(STATEMENT, signer_of(key)), [public_of(key)], predicate_type=KIND)
    assert opened.predicate == {"größe": 1}
    assert opened.key == public_of(key)


def test_a_strangers_key_does_not_open_it(key) -> None:  # type: ignore[no-untyped-def]
    data = sign(STATEMENT, signer_of(key))
    with pytest.raises(SignatureError, match="no listed key"):
        open_envelope(data, [public_of(new_private_key())], predicate_type=KIND)
    with pytest.raises(SignatureError, match="no listed key"):
        open_envelope(data, [], predicate_type=KIND)


def test_a_statement_of_another_type_is_refused(key) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(SignatureError, match="it states"):
        open_envelope(sign(STATEMENT, signer_of(key)), [public_of(key)], predicate_type="urn:other")


@pytest.mark.parametrize(
    "changed", [{"_type": "https://in-toto.io/Statement/v0.1"}, {"predicate": []}, {"predicate": "PASSED"}], ids=str
)
def test_what_is_no_statement_of_version_1_is_refused_though_it_is_signed(changed, key) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(SignatureError, match="not an in-toto Statement v1"):
        open_envelope(sign(STATEMENT | changed, signer_of(key)), [public_of(key)], predicate_type=KIND)


@pytest.mark.parametrize("left_out", sorted(STATEMENT))
def test_a_statement_has_its_four_fields_and_no_other(left_out: str, key) -> None:  # type: ignore[no-untyped-def]
    more, less = STATEMENT | {"expires": "never"}, {k: v for k, v in STATEMENT.items() if k != left_out}
    for statement in (more, less):
        with pytest.raises(SignatureError, match="not an in-toto Statement"):
            open_envelope(sign(statement, signer_of(key)), [public_of(key)], predicate_type=KIND)


def test_a_payload_of_another_type_is_refused_though_it_is_signed(key) -> None:  # type: ignore[no-untyped-def]
    envelope = Envelope(json.dumps(STATEMENT).encode(), "text/plain", {})
    envelope.sign(signer_of(key))
    with pytest.raises(SignatureError, match="is of type 'text/plain'"):
        open_envelope(json.dumps(envelope.to_dict()).encode(), [public_of(key)], predicate_type=KIND)


def test_an_envelope_has_its_three_fields_and_is_of_a_bounded_size(key) -> None:  # type: ignore[no-untyped-def]
    plain = json.loads(sign(STATEMENT, signer_of(key)))
    for wrong in (plain | {"note": "x"}, plain | {"signatures": []}, [plain], "x"):
        with pytest.raises(SignatureError, match="not a DSSE envelope"):
            open_envelope(json.dumps(wrong).encode(), [public_of(key)], predicate_type=KIND)
    with pytest.raises(SignatureError, match="larger than 4 MB"):
        open_envelope(json.dumps(plain).encode() + b" " * 4_000_001, [public_of(key)], predicate_type=KIND)


def test_a_key_said_twice_is_refused() -> None:
    with pytest.raises(SignatureError):
        strict_json(b'{"result": "FAILED", "result": "PASSED"}', "x")
    assert strict_json(b'{"result": "FAILED"}', "x") == {"result": "FAILED"}


def test_a_key_of_another_kind_signs_nothing(tmp_path: Path) -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    pem = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "ec.pem").write_bytes(pem)
    with pytest.raises(InputError, match="not an Ed25519 key"):
        load_private_key(tmp_path / "ec.pem", None)


def test_every_changed_byte_of_the_payload_is_refused(key) -> None:  # type: ignore[no-untyped-def]
    envelope = json.loads(sign(STATEMENT, signer_of(key)))
    payload = bytearray(base64.b64decode(envelope["payload"]))
    for k in range(len(payload)):
        changed = payload.copy()
        changed[k] ^= 1
        envelope["payload"] = base64.b64encode(bytes(changed)).decode()
        with pytest.raises(SignatureError):
            open_envelope(json.dumps(envelope).encode(), [public_of(key)], predicate_type=KIND)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff\xfe",
        b'{"payload":"","payloadType":"x","signatures":[]}',
        b'{"payload":"!!","payloadType":"application/vnd.in-toto+json","signatures":[{"keyid":"a","sig":"b"}]}',
        b'{"payload":"e30=","payload":"e30=","payloadType":"application/vnd.in-toto+json","signatures":[]}',
        b'{"payload":"e30=","payloadType":"application/vnd.in-toto+json","signatures":[{}]}',
        b"[" * 100_000,
    ],
)
def test_rubbish_is_refused_with_our_own_error(data: bytes, key) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(SignatureError):
        open_envelope(data, [public_of(key)], predicate_type=KIND)


def test_a_key_file_is_private_and_never_overwritten(key, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "holder.pem"
    save_private_key(key, path, b"secret")
    assert path.stat().st_mode & 0o077 == 0
    assert public_of(load_private_key(path, b"secret")) == public_of(key)
    with pytest.raises(InputError, match="already there"):
        save_private_key(key, path, None)
    with pytest.raises(InputError, match="cannot read"):
        load_private_key(path, b"wrong")
