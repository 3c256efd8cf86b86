"""A passkey's assertion counts as a signature over one payload, at one site, by somebody present and verified."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from consent_examples import (
    JANUARY,
    NEXT_YEAR,
    NOW,
    Place,
    Ticking,
    approval,
    event,
    grant,
    key,
    open_world,
    permission,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from made_passkey import ORIGIN, RP_ID, MadePasskey, base64url, cbor
from pydantic import ValidationError

from consent import cose
from consent.errors import RecordError, SignatureError
from consent.parties import PartyKey, Passkey
from consent.passkey_signing import credentials_of, last_counter, signed_envelope, to_sign
from consent.passkeys import PasskeyError, PasskeyKey, assertion_in, assertion_of, check_assertion, unbase64url
from consent.registry import Registry
from consent.seed import import_seed
from consent.signatures import check_envelope, counters_of
from consent.signed_entries import read_entry
from consent.vocabulary import EventKind, PermissionKind, Role
from consent.writing import Addition

SIGNED = b"DSSEv1 what is signed"
ADA, STUDIO = MadePasskey(), MadePasskey("EdDSA", credential_id=b"studio", counter=0)


def passkey_of(party_id: str, made: MadePasskey, *roles: Role, **changes: Any) -> Any:
    said = {"key_id": f"k-{party_id}", "party_id": party_id, "roles": roles, "passkey": made.registered()}
    return PartyKey(**(said | {"not_before": JANUARY, "not_after": NEXT_YEAR} | changes))


KEYS = (passkey_of("p-ada", ADA, Role.PERFORMER), passkey_of("studio", STUDIO, Role.RIGHTS_HOLDER))


def challenge() -> bytes:
    from consent.passkeys import challenge_of

    return challenge_of(SIGNED)


def checked(made: MadePasskey, answer: dict[str, Any], **changes: Any) -> None:
    known = made.registered(**changes).key
    check_assertion(known, assertion_of(answer), SIGNED)


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA", "RS256"])
def test_a_passkey_of_each_kind_signs(algorithm: str) -> None:
    made = MadePasskey(algorithm)
    assert cose.algorithm_of(made.cose) == algorithm
    checked(made, made.answer(challenge()))


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA", "RS256"])
def test_a_passkey_of_each_kind_signed_nothing_else_and_for_nobody_else(algorithm: str) -> None:
    made, other = MadePasskey(algorithm), MadePasskey(algorithm)
    answer = made.answer(challenge())["response"]
    data, client = unbase64url(answer["authenticatorData"]), unbase64url(answer["clientDataJSON"])
    signature, signed = unbase64url(answer["signature"]), data + hashlib.sha256(client).digest()
    assert cose.verifies(made.cose, signature, signed)
    assert not cose.verifies(made.cose, signature, data + hashlib.sha256(client + b" ").digest())
    assert not cose.verifies(other.cose, signature, signed)


def test_what_the_specification_allows_beside_the_fields_is_left_alone() -> None:
    more = {"other_keys_can_be_added_here": "do not compare clientDataJSON against a template", "tokenBinding": {}}
    checked(ADA, ADA.answer(challenge(), client=more))
    checked(ADA, ADA.answer(challenge(), flags=0x05 | 0x80, behind=b"\xa0"))
    checked(ADA, ADA.answer(challenge(), flags=0x05 | 0x18))


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        ({"client": {"type": "webauthn.create"}}, "not webauthn.get"),
        ({"client": {"challenge": base64url(b"x" * 32)}}, "the challenge is another"),
        ({"client": {"challenge": base64url(challenge()) + "="}}, "the challenge is another"),
        ({"client": {"origin": "https://desk.example.org.evil.net"}}, "none of the key's origins"),
        ({"client": {"origin": "http://desk.example.org"}}, "none of the key's origins"),
        ({"client": {"origin": ["https://desk.example.org"]}}, "none of the key's origins"),
        ({"client": {"crossOrigin": True}}, "another site's page"),
        ({"client": {"crossOrigin": "false"}}, "another site's page"),
        ({"client": {"topOrigin": "https://evil.net"}}, "another site's page"),
        ({"flags": 0x04}, "nobody was present"),
        ({"flags": 0x01}, "not verified"),
        ({"flags": 0x05 | 0x10}, "contradict"),
        ({"flags": 0x05 | 0x40, "behind": b"x" * 60}, "registration"),
        ({"flags": 0x05 | 0x80}, "longer or shorter"),
        ({"behind": b"\0"}, "longer or shorter"),
        ({"flags": 0x85, "behind": b"\xa0" * 5000}, "no such length"),
        ({"client_json": b"[]"}, "no object"),
        ({"client_json": b"\xff{}"}, "not strict JSON"),
        ({"client_json": b'{"type":"webauthn.create","type":"webauthn.get"}'}, "a key is repeated"),
        ({"client_json": b'{"a":NaN}'}, "not strict JSON"),
        ({"client_json": b"[" * 8000}, "not strict JSON"),
        ({"client_json": b" " * 8193}, "larger than 8 KB"),
    ],
)
def test_an_assertion_that_signs_something_else_or_somewhere_else_is_refused(answer: dict[str, Any], what: str) -> None:
    with pytest.raises(PasskeyError, match=what):
        checked(ADA, ADA.answer(challenge(), **answer))


def test_another_party_relying_party_or_credential_is_refused() -> None:
    answer = ADA.answer(challenge())
    with pytest.raises(PasskeyError, match="signature does not verify"):
        checked(MadePasskey(), answer)
    with pytest.raises(PasskeyError, match="another credential"):
        checked(MadePasskey(private=ADA.private, credential_id=b"other"), answer)
    with pytest.raises(PasskeyError, match="another relying party"):
        checked(ADA, answer, rp_id="example.org")


@pytest.mark.parametrize("part", ["authenticatorData", "clientDataJSON", "signature"])
def test_one_bit_of_any_part_changed_is_refused(part: str) -> None:
    answer = ADA.answer(challenge(), client={"padding": "a"})
    raw = bytearray(unbase64url(answer["response"][part]))
    raw[-2] ^= 1
    answer["response"][part] = base64url(bytes(raw))
    with pytest.raises(PasskeyError):
        checked(ADA, answer)


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "password"},
        {"response": None},
        {"rawId": base64url(b"another")},
        {"id": "", "rawId": ""},
        {"id": "a+b/", "rawId": "a+b/"},
        {"id": "QQ==", "rawId": "QQ=="},
        {"id": "QR", "rawId": "QR"},
        {"id": 7, "rawId": 7},
    ],
)
def test_what_is_no_answer_of_a_passkey_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(PasskeyError):
        assertion_of(ADA.answer(challenge()) | changes)


EC = {1: 2, 3: -7, -1: 1, -2: b"x" * 32, -3: b"y" * 32}
GOOD = ADA.cose


@pytest.mark.parametrize(
    "data",
    [
        b"",
        GOOD[:-1],
        GOOD + b"\0",
        cbor(EC),  # no point of the curve
        cbor({1: 2, 3: -7, -1: 1, -2: b"x" * 32}),
        cbor({1: 2, 3: -7, -1: 2, -2: b"x" * 32, -3: b"y" * 32}),
        cbor({1: 1, 3: -8, -1: 6, -2: b"x" * 31}),
        cbor({1: 1, 3: -8, -1: 7, -2: b"x" * 32}),
        cbor({1: 1, 3: -8, -1: 6, -2: 5}),
        cbor({1: 1, 3: -7, -1: 6, -2: b"x" * 32}),
        cbor({3: -8, 1: 1, -1: 6, -2: b"x" * 32}),
        cbor({1: 3, 3: -257, -1: b"\xff" * 128, -2: b"\x01\x00\x01"}),
        cbor({1: 3, 3: -257, -1: b"\xff" * 256, -2: b"\x03"}),
        cbor({1: 3, 3: -257, -1: b"\0" + b"\xff" * 256, -2: b"\x01\x00\x01"}),
        cbor({1: 4, 3: 5}),
        b"\xbf" + GOOD[1:] + b"\xff",
        b"\xa2\x01\x01\x01\x01",
        b"\xa5\x18\x01" + GOOD[2:],
        b"\xff" * 2000,
    ],
)
def test_a_key_that_is_not_whole_canonical_and_on_its_curve_is_refused(data: bytes) -> None:
    with pytest.raises(cose.CoseError):
        cose.algorithm_of(data)
    assert not cose.verifies(data, b"x" * 64, SIGNED)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"\xa0" * 1025, "larger than 1 KB"),
        (b"\x83" + GOOD[1:], "not a map"),
        (b"\xb1" + GOOD[1:], "not a map"),
        (GOOD.replace(b"\x20\x01\x21", b"\x20\x02\x21", 1), "P-256"),
        (b"\xa2\x01\x02\x01\x02", "twice"),
        (b"\xa1\x61\x41\x01", "an integer"),
        (b"\xa1\x01\xf5", "an integer"),
        (b"\xa1\x1a\x00\x00\x00\x01\x02", "too large"),
        (b"\xa1\x01\x5f", "too large"),
        (b"\xa1\x18\x17\x02", "shortest"),
        (b"\xa1\x01\x59\x00\x01\x41", "shortest"),
        (cbor({1: 1, 3: -8, -1: 6, -2: 5}), "number of its kind"),
    ],
)
def test_what_is_wrong_with_a_key_is_said(data: bytes, what: str) -> None:
    with pytest.raises(cose.CoseError, match=what):
        cose.algorithm_of(data)


@pytest.mark.parametrize("text", [5, None, "QR==", "QQ", "QQ==\n", "x" * 30_000])
def test_base64_has_one_form(text: Any) -> None:
    said = {"authenticator_data": "QQ==", "client_data_json": "QQ==", "credential_id": "QQ=="}
    assert assertion_in(said, b"").credential_id == b"A"
    with pytest.raises(PasskeyError, match="base64"):
        assertion_in(said | {"credential_id": text}, b"")


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200), st.integers(0, len(GOOD) - 1), st.integers(0, 255))
def test_no_bytes_make_the_reader_of_keys_fall_over(data: bytes, place: int, value: int) -> None:
    for given_bytes in (data, GOOD[:place] + bytes([value]) + GOOD[place + 1 :]):
        assert cose.verifies(given_bytes, b"x" * 64, SIGNED) is False


@settings(max_examples=200, deadline=None)
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=8), lambda x: st.lists(x, max_size=3)))
def test_no_answer_makes_the_door_fall_over(value: Any) -> None:
    inner = {"authenticatorData": value, "clientDataJSON": value, "signature": value}
    for answer in ({"type": value, "response": value}, {"type": "public-key", "id": value, "response": inner}):
        with pytest.raises(PasskeyError):
            checked(ADA, answer)


@pytest.mark.parametrize(
    "changes",
    [
        {"origins": ("http://desk.example.org",)},
        {"origins": ("https://desk.example.org/",)},
        {"origins": ("https://evil.org",)},
        {"origins": ("https://evildesk.example.org.net",)},
        {"origins": ("https://xdesk.example.org",)},
        {"origins": ()},
        {"rp_id": "Desk.example.org"},
        {"rp_id": "https://desk.example.org"},
        {"cose_hex": "00"},
        {"cose_hex": GOOD.hex().upper()},
        {"credential_id": "a=b"},
        {"credential_id": "QR"},
        {"credential_id": "A" * 1366},  # 1,024 bytes
    ],
)
def test_a_passkey_is_registered_only_for_https_origins_of_its_relying_party(changes: dict[str, Any]) -> None:
    with pytest.raises((ValidationError, ValueError)):
        ADA.registered(**changes)
    assert ADA.registered(origins=(ORIGIN, f"https://eu.{RP_ID}:8443")).rp_id == RP_ID
    assert ADA.registered(credential_id="A" * 1364).key
    assert ADA.registered(rp_id="localhost", origins=("http://localhost:8000",)).origins


def test_a_key_is_either_ed25519_or_a_passkey() -> None:
    with pytest.raises(ValidationError, match="either"):
        key("p-ada", "a" * 64, Role.PERFORMER, passkey=ADA.registered())
    with pytest.raises(ValidationError, match="either"):
        passkey_of("p-ada", ADA, Role.PERFORMER, passkey=None)


# in the registry


@pytest.fixture
def registry(place: Place) -> Registry:
    return open_world(place, Ticking(), *KEYS)


def signed(record: Any, made: MadePasskey, of: Any, **answer: Any) -> Addition:
    asked = to_sign(record)
    return Addition(record, envelope=signed_envelope(asked.payload, of, made.answer(asked.challenge, **answer)))


TERMS = grant(grant_id="g-2")


def test_records_and_approvals_signed_by_passkey_enter_exactly_like_others(registry: Registry) -> None:
    registry.add(signed(TERMS, ADA, KEYS[0]), signed(event(EventKind.GIVEN, target_id="g-2"), ADA, KEYS[0]))
    registry.add(signed(permission(PermissionKind.PROTECT), ADA, KEYS[0]), signed(approval(), STUDIO, KEYS[1]))
    with registry.view() as view:
        assert {h.grant.grant_id: h.signed for h in view.grants("v-ada")} == {"g-ada": False, "g-2": True}
        assert view.approvals(("show-101",))[0].signed
        assert credentials_of(view, "p-ada", view.now) == (KEYS[0],)
        assert credentials_of(view, "p-ada", NOW.replace(year=2040)) == ()
        assert last_counter(view, KEYS[1]) == STUDIO.counter
    assert registry.audit().sound


def test_the_audit_verifies_every_assertion_again(registry: Registry) -> None:
    from sqlalchemy import text

    registry.add(signed(TERMS, ADA, KEYS[0]))
    with registry._engine.begin() as connection:
        sqlite = registry._engine.dialect.name == "sqlite"
        connection.execute(
            text("drop trigger entry_no_update" if sqlite else "drop trigger entry_append_only on entry")
        )
        kept = connection.execute(text("select envelope from entry where envelope is not null")).scalar_one()
        envelope = json.loads(kept)
        client = json.loads(base64.b64decode(envelope["signatures"][0]["webauthn"]["client_data_json"]))
        changed = base64.b64encode(json.dumps(client | {"more": 1}).encode()).decode()
        envelope["signatures"][0]["webauthn"]["client_data_json"] = changed
        connection.execute(
            text("update entry set envelope = :e where envelope is not null"), {"e": json.dumps(envelope)}
        )
    found = " ".join(registry.audit().problems)
    assert "is not signed by its author: the passkey's signature does not verify" in found


def test_a_passkey_that_is_anothers_revoked_or_of_another_role_signs_nothing(registry: Registry) -> None:
    with pytest.raises(SignatureError, match="is not one of p-ada"):
        registry.add(signed(TERMS, STUDIO, KEYS[1]))
    registry.add(event(EventKind.REVOKED, target="key", target_id=KEYS[0].key_id, event_id="e-revoked"))
    with pytest.raises(SignatureError, match="was revoked"):
        registry.add(signed(TERMS, ADA, KEYS[0]))


def test_a_signature_over_another_record_is_refused(registry: Registry) -> None:
    other = signed(grant(grant_id="g-3"), ADA, KEYS[0]).envelope
    with pytest.raises(SignatureError, match="something else was signed"):
        registry.add(Addition(TERMS, envelope=other))
    envelope = json.loads(str(other))
    envelope["payload"] = json.loads(str(signed(TERMS, ADA, KEYS[0]).envelope))["payload"]
    with pytest.raises(SignatureError, match="the challenge is another"):
        registry.add(Addition(TERMS, envelope=json.dumps(envelope)))


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s.pop("webauthn"),
        lambda s: s.update(webauthn=None),
        lambda s: s["webauthn"].pop("credential_id"),
        lambda s: s["webauthn"].update(more=""),
        lambda s: s["webauthn"].update(credential_id=5),
        lambda s: s["webauthn"].update(credential_id="****"),
        lambda s: s.update(more=1),
        lambda s: s.update(keyid=5),
    ],
)
def test_an_envelope_in_another_form_is_refused(registry: Registry, change: Any) -> None:
    envelope = json.loads(str(signed(TERMS, ADA, KEYS[0]).envelope))
    change(envelope["signatures"][0])
    with registry.view() as view, pytest.raises(SignatureError):
        check_envelope(view, TERMS, json.dumps(envelope))


@pytest.mark.parametrize("entry", [None, [], {"keyid": "k"}, {"keyid": "k", "sig": ""} | {"webauthn": []}])
def test_an_entry_is_an_object_with_its_members(entry: Any) -> None:
    assert read_entry({"keyid": "k", "sig": "QQ=="}).assertion is None
    with pytest.raises(ValueError, match=r"signature has|no object"):
        read_entry(entry)


def test_a_credential_has_one_owner(registry: Registry) -> None:
    for made in (MadePasskey(private=ADA.private, credential_id=b"new"), MadePasskey(credential_id=ADA.credential_id)):
        with pytest.raises(RecordError, match="already registered"):
            registry.add(passkey_of("rival", made, Role.RIGHTS_HOLDER))


def test_a_counter_that_stands_still_or_goes_back_is_refused_when_the_browser_answers() -> None:
    made = MadePasskey(counter=7)
    asked = to_sign(TERMS)
    for last, accepted in ((7, True), (9, False), (10, False)):
        answer = made.answer(asked.challenge)
        if accepted:
            signed_envelope(asked.payload, passkey_of("p-ada", made, Role.PERFORMER), answer, last_counter=last)
        else:
            with pytest.raises(SignatureError, match="did not go up"):
                signed_envelope(asked.payload, passkey_of("p-ada", made, Role.PERFORMER), answer, last_counter=last)


def test_one_count_of_one_passkey_over_two_records_is_refused_in_any_order(place: Place) -> None:
    original = MadePasskey(counter=3)
    copied = MadePasskey(private=original.private, counter=3)
    own = passkey_of("p-ada", original, Role.PERFORMER)
    with open_world(place, None, own) as registry:
        registry.add(signed(TERMS, original, own))
        with pytest.raises(SignatureError, match="may have been copied"):
            registry.add(signed(grant(grant_id="g-3"), copied, own))
        registry.add(signed(grant(grant_id="g-3"), copied, own))


def test_the_browsers_answer_comes_as_json_too_and_nothing_else(registry: Registry) -> None:
    asked = to_sign(TERMS)
    answer = json.dumps(ADA.answer(asked.challenge))
    assert signed_envelope(asked.payload, KEYS[0], answer) == signed_envelope(
        asked.payload, KEYS[0], json.loads(answer)
    )
    for wrong in ("[]", "{", answer + " " * 70_000):
        with pytest.raises(SignatureError):
            signed_envelope(asked.payload, KEYS[0], wrong)
    with pytest.raises(SignatureError, match="the challenge is another"):
        signed_envelope(to_sign(grant(grant_id="g-3")).payload, KEYS[0], answer)
    envelope = signed_envelope(
        asked.payload,
        KEYS[0],
        MadePasskey(private=ADA.private, counter=4, credential_id=ADA.credential_id).answer(asked.challenge),
    )
    assert (list(counters_of(envelope, KEYS[0].keyid)), counters_of(envelope, KEYS[1].keyid)) == ([5], {})
    with pytest.raises(SignatureError, match="no passkey"):
        signed_envelope(asked.payload, key("p-ada", "a" * 64, Role.PERFORMER), answer)


def test_a_passkey_is_read_from_its_json_form() -> None:
    made = Passkey.model_validate_json(ADA.registered().model_dump_json())
    assert made.key == PasskeyKey(ADA.cose, ADA.credential_id, RP_ID, (ORIGIN,))


def test_a_passkey_comes_in_a_seed_too(registry: Registry, tmp_path: Path) -> None:
    made = MadePasskey(credential_id=b"rival").registered()
    passkey = (
        f"{{cose_hex: '{made.cose_hex}', credential_id: '{made.credential_id}', rp_id: {RP_ID}, origins: ['{ORIGIN}']}}"
    )
    row = f"{{key_id: k-rival, party_id: rival, roles: [rights_holder], not_before: 2026-01-01, not_after: 2027-01-01, passkey: {passkey}}}"
    (tmp_path / "seed.yaml").write_text(f"schema: consent-seed/1.0\nzone: UTC\nkeys:\n  - {row}\n", encoding="utf-8")
    import_seed(registry, tmp_path / "seed.yaml")
    with registry.view() as view:
        assert [k.kind for k in view.public_keys("rival")] == ["passkey"]
