"""Records signed by whom they concern: the right key, in the right role, at the right time, over this very record."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import datetime
from typing import Any

import pytest
from consent_examples import (
    DAY,
    NOW,
    Place,
    Ticking,
    approval,
    claim,
    event,
    grant,
    key,
    open_world,
    party,
    permission,
    refusal,
    use,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import ValidationError

from consent.approvals import approval_denials
from consent.certifications import Adoption
from consent.dsse import pre_authentication_encoding
from consent.errors import RecordError, SignatureError
from consent.parties import dsse_keyid
from consent.registry import Registry
from consent.signatures import ANSWERABLE, LIST_SCHEMA, LIST_TYPE, author_of, predicate_type
from consent.strict import Record, canonical_json
from consent.vocabulary import Capacity, EventKind, PermissionKind, Role
from consent.witnessing import Witness
from consent.writing import Addition

ADA = Ed25519PrivateKey.from_private_bytes(b"a" * 32)
STUDIO = Ed25519PrivateKey.from_private_bytes(b"s" * 32)


def public(private: Ed25519PrivateKey) -> str:
    return private.public_key().public_bytes_raw().hex()


def statement(record: Record) -> dict[str, Any]:
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [
            {"name": record.record_id, "digest": {"sha256": hashlib.sha256(canonical_json(record)).hexdigest()}}
        ],
        "predicateType": predicate_type(record),
        "predicate": {"schema": record.schema_name, **json.loads(canonical_json(record))},
    }


def enveloped(said: Any, private: Ed25519PrivateKey) -> str:
    payload = json.dumps(said).encode()
    signature = private.sign(pre_authentication_encoding(payload))
    signed = {"keyid": dsse_keyid(public(private)), "sig": base64.b64encode(signature).decode()}
    return json.dumps(
        {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": "application/vnd.in-toto+json",
            "signatures": [signed],
        }
    )


def signed(record: Record, private: Ed25519PrivateKey) -> Addition:
    return Addition(record, envelope=enveloped(statement(record), private))


KEYS = (key("p-ada", public(ADA), Role.PERFORMER), key("studio", public(STUDIO), Role.RIGHTS_HOLDER))
TERMS = grant(grant_id="g-2")


@pytest.fixture
def clock() -> Ticking:
    return Ticking()


@pytest.fixture
def registry(place: Place, clock: Ticking) -> Registry:
    return open_world(place, clock, *KEYS)


def test_a_grant_signed_by_its_performer_enters_as_signed(registry: Registry) -> None:
    registry.add(signed(TERMS, ADA), signed(event(EventKind.GIVEN, target_id="g-2"), ADA))
    registry.add(signed(approval(), STUDIO), signed(permission(PermissionKind.PROTECT), ADA), signed(refusal(), STUDIO))
    with registry.view() as view:
        assert {h.grant.grant_id: h.signed for h in view.grants("v-ada")} == {"g-ada": False, "g-2": True}
        assert view.approvals(("show-101",))[0].signed
    assert registry.audit().sound


@pytest.mark.parametrize(
    ("record", "private", "what"),
    [
        (TERMS, STUDIO, "is not one of p-ada"),
        (TERMS, Ed25519PrivateKey.from_private_bytes(b"x" * 32), "is not one of p-ada"),
        (approval(), ADA, "is not one of studio"),
        (event(EventKind.WITHDRAWN, NOW), STUDIO, "is not one of p-ada"),
        (claim(claim_id="c-9"), STUDIO, "is not signed"),
    ],
)
def test_a_signature_by_anybody_else_is_refused(registry: Registry, record: Record, private: Any, what: str) -> None:
    before = registry.head()
    with pytest.raises(SignatureError, match=what):
        registry.add(signed(record, private))
    assert registry.head() == before


def test_a_role_that_the_signers_key_lacks_is_refused(place: Place) -> None:
    agents_key = key("agency", public(ADA), Role.AGENT)
    by_agent = grant(grant_id="g-2", granted_by="agency", capacity=Capacity.AGENT, authority_sha256="f" * 64)
    with open_world(place, None, agents_key) as registry:
        registry.add(signed(by_agent, ADA))
        with pytest.raises(RecordError, match="without the role"):
            registry.add(
                signed(
                    grant(grant_id="g-3", granted_by="agency", capacity=Capacity.HEIR, authority_sha256="f" * 64), ADA
                )
            )


def test_a_key_that_has_expired_or_was_revoked_signs_nothing_more(registry: Registry, clock: Ticking) -> None:
    clock.now = NOW + 3 * DAY
    registry.add(event(EventKind.REVOKED, clock.now, target="key", target_id="k-p-ada"))
    with pytest.raises(SignatureError, match="revoked"):
        registry.add(signed(TERMS, ADA))
    clock.now = NOW + 2000 * DAY
    with pytest.raises(SignatureError, match="not valid"):
        registry.add(signed(refusal(not_after=None), STUDIO))


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda s: s["predicate"].update(languages=["fr", "de"]), "something else was signed: languages"),
        (lambda s: s["predicate"].update(extra=1), "something else was signed: extra"),
        (lambda s: s["predicate"].pop("schema"), "something else was signed: schema"),
        (lambda s: s.update(predicateType="urn:dubgate:approval:1.0"), "not a statement of type"),
        (lambda s: s.update(_type="https://in-toto.io/Statement/v0.1"), "not a statement of type"),
        (lambda s: s.update(predicate=None), "something else was signed"),
    ],
)
def test_what_was_signed_must_be_this_very_record(registry: Registry, change: Any, what: str) -> None:
    said = statement(TERMS)
    change(said)
    with pytest.raises(SignatureError, match=what):
        registry.add(Addition(TERMS, envelope=enveloped(said, ADA)))


def list_of(*approvals: Record) -> dict[str, Any]:
    """What a holder signs who approves several sounds in one gesture."""
    each = [statement(a)["predicate"] for a in approvals]
    listed = {"schema": LIST_SCHEMA, "approvals": each}
    return statement(approvals[0]) | {"predicateType": LIST_TYPE, "predicate": listed}


def test_one_signature_covers_each_approval_of_its_list(registry: Registry) -> None:
    first, second = approval(), approval(approval_id="a-2", language="de")
    envelope = enveloped(list_of(first, second), STUDIO)
    registry.add(Addition(first, envelope=envelope), Addition(second, envelope=envelope))
    with registry.view() as view:
        assert len(view.approvals(("show-101",))) == 2


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda s: s.update(_type="https://in-toto.io/Statement/v0.1"), "not a list of approvals"),
        (lambda s: s["predicate"].update(schema="consent-approvals/2.0"), "not a list of approvals"),
        (lambda s: s["predicate"].update(extra=1), "not a list of approvals"),
        (lambda s: s["predicate"].update(approvals={}), "not a list of approvals"),
        (lambda s: s.update(predicate=None), "not a list of approvals"),
        (lambda s: s["predicate"]["approvals"][0].update(language="de"), "something else was signed: language"),
        (lambda s: s["predicate"]["approvals"].pop(0), "something else was signed"),
        (lambda s: s["predicate"]["approvals"].append(s["predicate"]["approvals"][0]), "something else was signed"),
    ],
)
def test_an_approval_stands_once_and_as_it_is_in_a_list_that_was_signed(
    registry: Registry, change: Any, what: str
) -> None:
    said = list_of(approval(), approval(approval_id="a-2", language="de"))
    change(said)
    with pytest.raises(SignatureError, match=what):
        registry.add(Addition(approval(), envelope=enveloped(said, STUDIO)))


def test_a_list_of_approvals_signs_nothing_else(registry: Registry) -> None:
    with pytest.raises(SignatureError, match="not a statement of type"):
        registry.add(Addition(TERMS, envelope=enveloped(statement(TERMS) | {"predicateType": LIST_TYPE}, ADA)))


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda e: e.update(payload=e["payload"][:-4] + "AAAA"), "strict JSON|does not verify|not text"),
        (lambda e: e["signatures"][0].update(sig=base64.b64encode(bytes(64)).decode()), "does not verify"),
        (lambda e: e["signatures"][0].update(sig="!"), "not a DSSE envelope"),
        (lambda e: e["signatures"][0].pop("keyid"), "not a DSSE envelope"),
        (lambda e: e.update(signatures=[]), "one to ten"),
        (lambda e: e.update(payloadType="text/plain"), "not an in-toto"),
        (lambda e: e.pop("payloadType"), "not a DSSE envelope"),
        (lambda e: e.update(payload=base64.b64encode(b"\xff").decode()), "not text"),
        (lambda e: e.update(payload=base64.b64encode(b"[1").decode()), "strict JSON"),
    ],
)
def test_a_broken_envelope_is_refused(registry: Registry, change: Any, what: str) -> None:
    envelope = json.loads(enveloped(statement(TERMS), ADA))
    change(envelope)
    with pytest.raises(SignatureError, match=what):
        registry.add(Addition(TERMS, envelope=json.dumps(envelope)))


def test_a_repeated_key_in_an_envelope_is_refused(registry: Registry) -> None:
    envelope = enveloped(statement(TERMS), ADA).replace('{"payload"', '{"payloadType": "text/plain", "payload"', 1)
    with pytest.raises(SignatureError, match="repeated"):
        registry.add(Addition(TERMS, envelope=envelope))


def test_securesystemslib_makes_and_reads_the_same_envelopes(registry: Registry) -> None:
    from securesystemslib.dsse import Envelope
    from securesystemslib.signer import CryptoSigner, SSlibKey

    key_of_ada = SSlibKey.from_crypto(ADA.public_key())
    assert key_of_ada.keyid == dsse_keyid(public(ADA))
    envelope = Envelope(json.dumps(statement(TERMS)).encode(), "application/vnd.in-toto+json", {})
    envelope.sign(CryptoSigner(ADA, key_of_ada))
    registry.add(Addition(TERMS, envelope=json.dumps(envelope.to_dict())))
    Envelope.from_dict(json.loads(enveloped(statement(TERMS), ADA))).verify([key_of_ada], 1)


def test_a_registry_that_wants_signatures_takes_no_unsigned_consent(place: Place) -> None:
    from consent_examples import world

    with place.open(create=True, signatures_required=True) as registry:
        unsigned = [a for a in world() if not isinstance(a, type(permission(PermissionKind.MATCH)))]
        registry.add(*unsigned, *KEYS)
        for record in (grant(), permission(PermissionKind.MATCH), approval(), refusal()):
            with pytest.raises(SignatureError, match="wants its author's signature"):
                registry.add(record)
        registry.add(signed(grant(), ADA))
        with pytest.raises(SignatureError, match="wants its author's signature"):
            registry.add(event(EventKind.GIVEN))
        registry.add(signed(event(EventKind.GIVEN), ADA))
        registry.add(event(EventKind.SUSPENDED, NOW, by="op-1"))


def test_a_suspension_opens_nothing_and_needs_no_signature(place: Place) -> None:
    from consent_examples import world

    with place.open(create=True, signatures_required=True) as registry:
        registry.add(*(a for a in world() if not isinstance(a, type(permission(PermissionKind.MATCH)))), *KEYS)
        registry.add(signed(grant(), ADA), signed(event(EventKind.GIVEN), ADA))
        registry.add(event(EventKind.SUSPENDED, NOW, by="p-ada"))
        with pytest.raises(SignatureError, match="wants its author's signature"):
            registry.add(event(EventKind.RESUMED, NOW, by="p-ada"))


def test_a_stolen_keys_grant_falls_with_the_key_unless_a_witness_saw_it_before(
    registry: Registry, clock: Ticking
) -> None:
    early = grant(grant_id="g-early", languages=("fr",))
    registry.add(
        signed(early, ADA), signed(event(EventKind.GIVEN, target_id="g-early"), ADA), signed(approval(), STUDIO)
    )
    head = registry.head()
    clock.now += DAY
    registry.add(Witness(witness_id="w-1", by="studio", size=head.size, root=head.root.hex(), seen_at=clock.now))
    clock.now += DAY
    back_dated = grant(grant_id="g-late", languages=("de",))
    registry.add(signed(back_dated, ADA), signed(event(EventKind.GIVEN, target_id="g-late"), ADA))
    with registry.view() as view:
        assert view.clear("v-ada", use(language="de"), clock.now).cleared
    clock.now += DAY
    for name, by in (("k-p-ada", "p-ada"), ("k-studio", "studio")):
        registry.add(event(EventKind.REVOKED, clock.now, target="key", target_id=name, by=by, event_id=f"e-{name}"))
    with registry.view() as view:
        refused = view.clear("v-ada", use(language="de"), clock.now)
        assert ("CON-003", "g-late") in {(d.code, d.record_id) for d in refused.denials}
        assert view.clear("v-ada", use(language="de"), clock.now - DAY).cleared
        assert "g-early" in {g.grant_id for g in view.clear("v-ada", use(), clock.now).grants}
        (kept,) = view.approvals(("show-101",))
        assert kept.discredited_at is None


def test_a_witness_who_comes_after_the_revocation_saves_nothing(registry: Registry, clock: Ticking) -> None:
    registry.add(signed(approval(), STUDIO))
    clock.now += DAY
    registry.add(event(EventKind.REVOKED, clock.now, target="key", target_id="k-studio", by="studio"))
    head = registry.head()
    registry.add(Witness(witness_id="w-1", by="studio", size=head.size, root=head.root.hex(), seen_at=clock.now))
    with registry.view() as view:
        assert view.approvals(("show-101",))[0].discredited_at == clock.now


def test_an_approval_signed_by_a_key_that_was_then_revoked_does_not_count(registry: Registry, clock: Ticking) -> None:
    from consent_examples import candidate

    registry.add(signed(approval(), STUDIO))
    clock.now += DAY
    registry.add(event(EventKind.REVOKED, clock.now, target="key", target_id="k-studio", by="studio"))
    with registry.view() as view:
        (history,) = view.approvals(("show-101",))
    assert [d.field for d in approval_denials(history, candidate(), clock.now)] == ["signature"]
    assert approval_denials(history, candidate(), NOW) == ()


def test_a_party_is_identified_by_what_names_parties() -> None:
    assert party("p-eve", Role.PERFORMER, identifiers=("ipi:00014107338",)).identifiers
    with pytest.raises(ValidationError, match="isni, ipi, eidr or internal"):
        party("p-eve", Role.PERFORMER, identifiers=("isan:0000-0000-D07A-0090-Q",))


@pytest.mark.parametrize("after", [NOW, NOW - DAY])
def test_a_key_that_ends_before_it_begins_is_no_key(after: datetime) -> None:
    with pytest.raises(ValidationError):
        key("p-ada", public(ADA), Role.PERFORMER, not_before=NOW, not_after=after)


def test_a_witness_cannot_have_seen_another_ledger(registry: Registry) -> None:
    head = registry.head()
    seen = {"witness_id": "w-1", "by": "studio", "seen_at": NOW}
    with pytest.raises(RecordError, match="not the beginning"):
        registry.add(Witness(**seen, size=head.size, root="0" * 64))
    with pytest.raises(RecordError, match="not the beginning"):
        registry.add(Witness(**seen, size=head.size + 1, root=head.root.hex()))


def test_an_adoption_of_packs_is_signed_by_who_made_it_in_a_role_that_answers() -> None:
    assert author_of(Adoption.model_construct(by="qc-lead")) == ("qc-lead", ANSWERABLE)
