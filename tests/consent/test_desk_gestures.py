"""What one gesture signs: a house's word by a person of it, several records under one signature, and what was shown."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from made_passkey import MadePasskey

from consent.dsse import pre_authentication_encoding
from consent.errors import SignatureError
from consent.events import Event
from consent.parties import Party, PartyKey, dsse_keyid
from consent.passkey_signing import last_counter, signed_envelope, to_sign
from consent.passkeys import challenge_of
from consent.registry import Registry
from consent.shown import Shown
from consent.signatures import RECORDS_SCHEMA, check_envelope, records_statement
from consent.strict import Record
from consent.titles import Refusal, Title
from consent.vocabulary import EventKind, Level, Role
from consent.writing import Addition

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
TERM = {"not_before": AT - timedelta(days=1), "not_after": AT + timedelta(days=1)}
HOLDER, REVIEWER, STRANGER = (Ed25519PrivateKey.from_private_bytes(c * 32) for c in (b"h", b"r", b"s"))
PEOPLE = {
    "hana": (HOLDER, (Role.RIGHTS_HOLDER,), "studio"),
    "rev": (REVIEWER, (Role.REVIEWER,), "studio"),
    "rival": (STRANGER, (Role.RIGHTS_HOLDER,), None),
}
PASSKEY = MadePasskey(counter=0)


def _public(private: Ed25519PrivateKey) -> str:
    return private.public_key().public_bytes_raw().hex()


def _records() -> Iterator[Record]:
    yield Party(party_id="studio", roles=(Role.RIGHTS_HOLDER,), person=False)
    yield Title(title_id="moon", level=Level.FEATURE, name="Moon")
    for party, (private, roles, house) in PEOPLE.items():
        yield Party(party_id=party, roles=roles, person=True, organisation_id=house)
        yield PartyKey(key_id=f"k-{party}", party_id=party, public_hex=_public(private), roles=roles, **TERM)
    yield PartyKey(key_id="k-pass", party_id="hana", passkey=PASSKEY.registered(), roles=(Role.RIGHTS_HOLDER,), **TERM)


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    with Registry.open(tmp_path / "r.db", create=True, clock=lambda: AT, signatures_required=True) as made:
        made.add(*_records())
        yield made


def refusal(number: str = "rf-1", **changes: Any) -> Refusal:
    said = {"by": "studio", "title_ids": ("moon",), "not_before": AT, "words": {"en": "No."}}
    return Refusal(refusal_id=number, **(said | changes))


def lifted(number: str = "ev-1", **changes: Any) -> Event:
    said = {"target": "refusal", "target_id": "rf-1", "kind": EventKind.LIFTED, "effective_at": AT, "by": "studio"}
    return Event.model_validate({"event_id": number, **said, **changes})


def enveloped(statement: Any, private: Ed25519PrivateKey = HOLDER) -> str:
    payload = statement if isinstance(statement, bytes) else rfc8785.dumps(statement)
    sig = base64.b64encode(private.sign(pre_authentication_encoding(payload))).decode()
    said = {"payload": base64.b64encode(payload).decode(), "payloadType": "application/vnd.in-toto+json"}
    return json.dumps({**said, "signatures": [{"keyid": dsse_keyid(_public(private)), "sig": sig}]})


def signed(record: Record, private: Ed25519PrivateKey = HOLDER) -> Addition:
    return Addition(record, envelope=enveloped(to_sign(record).payload, private))


def test_a_house_refuses_and_lifts_by_its_rights_holders_key(registry: Registry) -> None:
    registry.add(signed(refusal()))
    registry.add(signed(lifted()))
    assert registry.audit().sound


@pytest.mark.parametrize(
    "private", [REVIEWER, STRANGER], ids=["a person of the house in another role", "a rights holder of another house"]
)
def test_nobody_else_signs_in_the_name_of_a_house(registry: Registry, private: Ed25519PrivateKey) -> None:
    with pytest.raises(SignatureError, match="is not one of studio"):
        registry.add(signed(refusal(), private))
    registry.add(signed(refusal()))
    with pytest.raises(SignatureError, match="is not one of studio"):
        registry.add(signed(lifted(), private))


@pytest.mark.parametrize(
    "record",
    [
        lifted(target="party", target_id="studio", kind=EventKind.SUSPENDED),
        lifted(target="key", target_id="k-hana", kind=EventKind.REVOKED),
    ],
    ids=["its own standing", "a key"],
)
def test_for_its_house_a_person_signs_of_refusals_and_approvals_alone(registry: Registry, record: Event) -> None:
    with registry.view() as view, pytest.raises(SignatureError, match="is not one of studio"):
        check_envelope(view, record, enveloped(to_sign(record).payload))


def test_a_key_that_was_revoked_says_nothing_for_its_house(registry: Registry) -> None:
    registry.add(signed(lifted(target="key", target_id="k-hana", kind=EventKind.REVOKED, by="hana")))
    with pytest.raises(SignatureError):
        registry.add(signed(refusal()))


def test_one_signature_enters_several_records_and_each_of_them_whole(registry: Registry) -> None:
    records = (refusal(), refusal("rf-2", words={"en": "Never."}))
    envelope = enveloped(records_statement(records))
    registry.add(*(Addition(r, envelope=envelope) for r in records))
    assert registry.audit().sound


def _statement(*records: Record, **changes: Any) -> Any:
    said = records_statement(records)
    return {**said, **changes, "predicate": {**said["predicate"], **changes.pop("predicate", {})}}


@pytest.mark.parametrize(
    "statement",
    [
        _statement(refusal("rf-2"), refusal("rf-3")),
        _statement(refusal(words={"en": "No!"}), refusal("rf-2")),
        _statement(refusal(), refusal()),
        _statement(refusal(), predicate={"schema": RECORDS_SCHEMA.replace("1.0", "2.0")}),
        _statement(refusal(), predicate={"more": 1}),
        _statement(refusal(), predicate={"records": "all"}),
        {**_statement(refusal()), "_type": "https://in-toto.io/Statement/v2"},
        {**_statement(refusal()), "predicate": None},
    ],
    ids=["another", "other words", "twice", "another schema", "another member", "no list", "another statement", "none"],
)
def test_what_a_gesture_does_not_say_exactly_is_not_signed_by_it(registry: Registry, statement: Any) -> None:
    with registry.view() as view, pytest.raises(SignatureError):
        check_envelope(view, refusal(), enveloped(statement))


def test_one_character_of_what_was_shown_is_signed_too(registry: Registry) -> None:
    said = refusal(shown=(Shown(what="Title", said="Moon"),))
    envelope = enveloped(to_sign(said).payload)
    with registry.view() as view:
        check_envelope(view, said, envelope)
        bent = said.model_copy(update={"shown": (Shown(what="Title", said="Moom"),)})
        with pytest.raises(SignatureError, match="something else was signed: shown"):
            check_envelope(view, bent, envelope)


@pytest.mark.parametrize("record", [refusal(), lifted()], ids=["refusal", "event"])
def test_what_shows_nothing_reads_as_it_always_did(record: Record) -> None:
    assert b"shown" not in to_sign(record).payload


def _by_passkey(records: Sequence[Record], registry: Registry) -> str:
    payload = rfc8785.dumps(records_statement(records))
    with registry.view() as view:
        key = view.record("key:k-pass", PartyKey)
        assert key is not None
        answer = PASSKEY.answer(challenge_of(pre_authentication_encoding(payload)))
        return signed_envelope(payload, key, answer, last_counter=last_counter(view, key))


def test_what_a_passkey_signed_for_its_house_counts_its_counter_on(registry: Registry) -> None:
    said = refusal("rf-2"), refusal("rf-3")
    envelope = _by_passkey(said, registry)
    registry.add(*(Addition(r, envelope=envelope) for r in said))
    with registry.view() as view:
        key = view.record("key:k-pass", PartyKey)
        assert key is not None
        assert last_counter(view, key) == PASSKEY.counter
    copied, PASSKEY.counter = PASSKEY.counter, (PASSKEY.counter or 1) - 1
    with pytest.raises(SignatureError, match="counter"):
        _by_passkey((refusal("rf-4"),), registry)
    PASSKEY.counter = copied
