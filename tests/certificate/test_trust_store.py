"""A trust store counts only as its root key signed it, in its time, and never again once a newer one was seen."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from made_vectors import DUB, GATE, LEDGER, NOW, ROOT, STRANGER, TRUST, VALID, VERIFIER, Made, listed
from securesystemslib.dsse import Envelope

from dubgate import verify
from dubgate.certificate import refusals
from dubgate.certificate.dsse import signer_of
from dubgate.certificate.keys import trust_store_bytes
from dubgate.certificate.trust import PAYLOAD_TYPE, TrustedGate, TrustedLedger, TrustStore, read_trust
from dubgate.certificate.trust_seen import default_place
from dubgate.errors import InputError

SIGNED = trust_store_bytes(TRUST, signer_of(ROOT))


@pytest.fixture
def dub(tmp_path: Path) -> Path:
    (tmp_path / "dub.bin").write_bytes(DUB)
    (tmp_path / "certificate.json").write_bytes(Made().data())
    return tmp_path / "dub.bin"


def asked(dub: Path, trust: bytes, **how: Any) -> None:
    path = dub.with_name("trust.json")
    path.write_bytes(trust)
    asking = {"territory": "DE", "channel": "svod", "trust": path, "root": listed(ROOT), "now": NOW} | how
    verify(dub.with_name("certificate.json"), dub, **asking)


def signed(store: TrustStore, root: Any = ROOT) -> bytes:
    return trust_store_bytes(store, signer_of(root))


def test_it_is_read_as_it_was_signed(dub: Path) -> None:
    assert read_trust(SIGNED, listed(ROOT)) == TRUST
    asked(dub, SIGNED)
    asked(dub, SIGNED, root=listed(ROOT).public)


def test_no_root_key_is_no_question(dub: Path) -> None:
    with pytest.raises(InputError, match="root"):
        asked(dub, SIGNED, root=None)


@pytest.mark.parametrize(
    "data",
    [
        signed(TRUST, STRANGER),
        json.dumps(TRUST.data()).encode(),
        SIGNED.replace(b"vnd.dubgate.trust-store", b"vnd.dubgate.trust-stor"),
        json.dumps(json.loads(SIGNED) | {"signatures": []}).encode(),
    ],
    ids=["stranger", "unsigned", "another type", "no signature"],
)
def test_an_unsigned_one_is_refused(data: bytes, dub: Path) -> None:
    with pytest.raises(refusals.TrustUnsigned):
        asked(dub, data)


def _said(change: dict[str, Any]) -> bytes:
    """Signed by the root key, and not what a trust store is."""
    envelope = Envelope(json.dumps(TRUST.data() | change).encode(), PAYLOAD_TYPE, {})
    envelope.sign(signer_of(ROOT))
    return json.dumps(envelope.to_dict()).encode()


GATE_DATA, LEDGER_DATA = TRUST.data()["gates"][0], TRUST.data()["ledgers"][0]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        SIGNED + b" " * 4_000_000,
        _said({"schema": "trust-store/2.0"}),
        _said({"more": 1}),
        _said({"version": "1"}),
        _said({"version": -1}),
        _said({"gates": [GATE_DATA, GATE_DATA]}),
        _said({"gates": [GATE_DATA | {"levels": []}]}),
        _said({"gates": [GATE_DATA | {"levels": ["ANY"]}]}),
        _said({"gates": [GATE_DATA | {"more": 1}]}),
        _said({"ledgers": [LEDGER_DATA | {"public": GATE_DATA["key"]["public"]}]}),
    ],
    ids=[
        "empty", "no json", "large", "version", "unknown", "text", "negative", "twice", "no level", "any level",
        "unknown in gate", "one key for both",
    ],
)  # fmt: skip
def test_what_is_no_trust_store_is_refused(data: bytes, dub: Path) -> None:
    with pytest.raises(refusals.TrustMalformed):
        asked(dub, data)


def test_it_counts_in_its_time_only(dub: Path) -> None:
    for store in (replace(TRUST, expires_at=NOW), replace(TRUST, issued_at=NOW + timedelta(seconds=1))):
        with pytest.raises(refusals.TrustExpired):
            asked(dub, signed(store))
    asked(dub, signed(replace(TRUST, issued_at=NOW, expires_at=NOW + timedelta(seconds=1))))


def test_an_older_one_is_refused_once_a_newer_was_seen(dub: Path, tmp_path: Path) -> None:
    seen = tmp_path / "state" / "seen.json"
    asked(dub, SIGNED, seen=seen)
    asked(dub, SIGNED, seen=seen)
    asked(dub, signed(replace(TRUST, version=3)), seen=seen)
    for version in (1, 2):
        with pytest.raises(refusals.TrustRolledBack):
            asked(dub, signed(replace(TRUST, version=version)), seen=seen)
    asked(dub, signed(replace(TRUST, version=4)), seen=seen)
    asked(dub, SIGNED)  # whoever keeps no memory cannot tell


def test_another_one_of_the_same_version_is_refused(dub: Path, tmp_path: Path) -> None:
    seen = tmp_path / "seen.json"
    asked(dub, SIGNED, seen=seen)
    with pytest.raises(refusals.TrustRolledBack):
        asked(dub, signed(replace(TRUST, expires_at=TRUST.expires_at + timedelta(days=1))), seen=seen)


def test_an_expired_newer_store_is_not_remembered(dub: Path, tmp_path: Path) -> None:
    """Nor can a stranger's store push the memory forward."""
    seen = tmp_path / "seen.json"
    for data in (signed(replace(TRUST, version=9, expires_at=NOW)), signed(replace(TRUST, version=9), STRANGER)):
        with pytest.raises(refusals.Refused):
            asked(dub, data, seen=seen)
    asked(dub, SIGNED, seen=seen)


def test_stores_of_different_roots_do_not_disturb_each_other(dub: Path, tmp_path: Path) -> None:
    seen = tmp_path / "seen.json"
    asked(dub, signed(replace(TRUST, version=7), STRANGER), root=listed(STRANGER), seen=seen)
    asked(dub, SIGNED, seen=seen)
    with pytest.raises(refusals.TrustRolledBack):
        asked(dub, signed(TRUST, STRANGER), root=listed(STRANGER), seen=seen)


@pytest.mark.parametrize("content", [b"", b"{}", b'{"schema": "trust-seen/1.0", "seen": [{"root": "x"}]}'])
def test_a_damaged_memory_is_no_memory_of_nothing(content: bytes, dub: Path, tmp_path: Path) -> None:
    seen = tmp_path / "seen.json"
    seen.write_bytes(content)
    with pytest.raises(InputError, match="damaged"):
        asked(dub, SIGNED, seen=seen)


def test_a_memory_that_cannot_be_kept_is_an_error(dub: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(InputError, match="kept"):
        asked(dub, SIGNED, seen=tmp_path / "file" / "seen.json")


def test_the_memory_lies_in_the_users_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("DUBGATE_TRUST_SEEN", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert default_place() == tmp_path / "dubgate" / "trust-seen.json"
    monkeypatch.setenv("DUBGATE_TRUST_SEEN", str(tmp_path / "x"))
    assert default_place() == tmp_path / "x"


def test_one_key_may_not_sign_verdicts_for_two_verifiers() -> None:
    gates = (*TRUST.gates, TrustedGate(VERIFIER + "2", listed(GATE), VALID, ("DUBGATE_RELEASE",)))
    with pytest.raises(refusals.TrustMalformed):
        read_trust(signed(replace(TRUST, gates=gates)), listed(ROOT))


def test_several_ledgers_and_gates_are_kept_apart(dub: Path) -> None:
    more = TrustedLedger("dubgate-registry/second", listed(STRANGER).public, VALID)
    store = replace(TRUST, ledgers=(more, *TRUST.ledgers))
    asked(dub, signed(store))
    assert [e.public for e in store.ledger_keys("dubgate-registry/vectors")] == [listed(LEDGER).public]
