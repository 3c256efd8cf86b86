"""An approval that a passkey signed opens like any other: beside a delivery, and in the annex of a certificate."""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "consent"))

from consent_examples import approval
from made_certificate import LATER, make_place
from made_delivery import DAY, NOW
from made_passkey import MadePasskey

from consent.events import Event
from consent.parties import PartyKey
from consent.passkey_signing import envelope_of, signed_envelope, to_sign
from consent.passkeys import assertion_of
from consent.registry import Registry
from consent.vocabulary import EventKind, Role
from dubgate.certificate.annex import SignedCopy, annex_bytes, check_annex
from dubgate.certificate.claim import Claim, SignedUsed
from dubgate.certificate.dsse import SignatureError, open_envelope, public_of
from dubgate.certificate.opening import open_payload
from dubgate.certificate.refusals import AlteredAnnex, ConsentEnded, Malformed
from dubgate.certificate.statements import APPROVAL, approval_statement, read_approval
from dubgate.renewing import renew

MADE = MadePasskey()
KEY = MADE.registered().key
SAID = approval()
ASKED = to_sign(SAID)
ENVELOPE = envelope_of(ASKED.payload, KEY.keyid, assertion_of(MADE.answer(ASKED.challenge))).encode()


def test_an_approval_signed_by_passkey_opens_beside_a_delivery() -> None:
    opened = open_envelope(ENVELOPE, [KEY], predicate_type=APPROVAL)
    assert read_approval(opened, "approval") == SAID
    assert opened.statement == approval_statement(SAID)


@pytest.mark.parametrize(
    ("key", "what"),
    [
        (MadePasskey().registered().key, "no listed key"),
        (replace(KEY, origins=("https://other.example.org",)), "none of the key's origins"),
        (replace(KEY, rp_id="example.org"), "another relying party"),
    ],
)
def test_another_key_site_or_party_does_not_open_it(key: object, what: str) -> None:
    with pytest.raises(SignatureError, match=what):
        open_envelope(ENVELOPE, [key], predicate_type=APPROVAL)  # type: ignore[list-item]


def claim(sha256: str, annex: bytes) -> Claim:
    end = SAID.expires_at
    signed = (SignedUsed(APPROVAL, sha256),)
    return Claim("r", "release", None, None, None, None, (), (), (), signed, (), end, hashlib.sha256(annex).hexdigest())


def test_the_annex_verifies_an_assertion_with_the_key_that_was_listed() -> None:
    annex = annex_bytes([SignedCopy(APPROVAL, ENVELOPE, "studio", KEY)], {}, ())
    payload = hashlib.sha256(ASKED.payload).hexdigest()
    check_annex(annex, claim(payload, annex), "annex")
    other = annex_bytes([SignedCopy(APPROVAL, ENVELOPE, "studio", replace(KEY, rp_id="example.org"))], {}, ())
    with pytest.raises(AlteredAnnex, match="bad-signature"):
        check_annex(other, claim(payload, other), "annex")


def test_a_plain_key_never_verifies_what_carries_an_assertion() -> None:
    from consent.dsse import PAYLOAD_TYPE
    from dubgate.certificate.dsse import new_private_key, public_of, sign, signer_of
    from dubgate.certificate.opening import ed25519_key
    from dubgate.certificate.refusals import BadSignature

    private = new_private_key()
    key = ed25519_key(public_of(private).public_hex)
    envelope = json.loads(sign(approval_statement(SAID), signer_of(private)))
    envelope["signatures"][0]["webauthn"] = json.loads(ENVELOPE)["signatures"][0]["webauthn"]
    with pytest.raises(BadSignature):
        open_payload(envelope, {key.keyid: key}, payload_type=PAYLOAD_TYPE, name="envelope")
    envelope["signatures"][0]["webauthn"] = {}
    with pytest.raises(Malformed):
        open_payload(envelope, {key.keyid: key}, payload_type=PAYLOAD_TYPE, name="envelope")


def test_a_release_approved_by_passkey_is_judged_certified_verified_and_renewed(tmp_path: Path) -> None:
    place = make_place(tmp_path)
    evidence = place.world.delivery.root / "evidence" / "approval.json"
    said = open_envelope(evidence.read_bytes(), [public_of(place.world.keys["kestrel"])], predicate_type=APPROVAL)
    approval_said = read_approval(said, "approval")
    terms = {"not_before": NOW - DAY, "not_after": NOW + 300 * DAY, "roles": (Role.RIGHTS_HOLDER,)}
    key = PartyKey(key_id="k-pass", party_id="kestrel", passkey=MADE.registered(), **terms)
    with Registry.open(place.world.registry, clock=lambda: NOW) as registry:
        registry.add(key)
    asked = to_sign(approval_said)
    evidence.write_bytes(signed_envelope(asked.payload, key, MADE.answer(asked.challenge)).encode())
    certified = place.certified(tmp_path / "verdict")
    registry_at = str(place.world.registry)
    verified = place.verified(certified.certificate, annex=certified.annex, registry=registry_at)
    assert verified.n_signed == 1
    assert b'"webauthn"' in certified.annex.read_bytes()
    asked_again = (certified.certificate.read_bytes(), certified.annex.read_bytes(), place.trust, registry_at)
    renew(*asked_again, place.gate(), clock=lambda: LATER)
    with Registry.open(place.world.registry, clock=lambda: LATER) as registry:
        ended = {"event_id": "e-1", "target": "key", "target_id": "k-pass", "kind": EventKind.REVOKED}
        registry.add(Event(**ended, effective_at=LATER, by="kestrel"))
    with pytest.raises(ConsentEnded):
        renew(*asked_again, place.gate(), clock=lambda: LATER)
