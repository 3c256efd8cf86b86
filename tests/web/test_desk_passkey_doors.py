"""A passkey signs in, and is added, only by an honest answer to this desk's own question, once."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from made_passkey import ORIGIN, RP_ID, MadePasskey, base64url
from sqlalchemy import select, update
from world import Visit, World

from consent.web import ceremonies
from consent.web.ceremonies import CeremonyError
from consent.web.rows import CHALLENGE

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40
WRONG: dict[str, dict[str, Any]] = {
    "another challenge": {"client": {"challenge": "AAAA"}},
    "another origin": {"client": {"origin": "https://desk.example.org.evil.example"}},
    "not verified": {"flags": PRESENT},
    "nobody there": {"flags": VERIFIED},
}


def challenge_of(begun: ceremonies.Begun) -> bytes:
    text = begun.options["challenge"]
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def signs_in(world: World, key: MadePasskey, **changes: Any) -> str:
    begun = ceremonies.begin_sign_in(world.desk)
    answer = key.answer(challenge_of(begun), **changes)
    return ceremonies.finish_sign_in(world.desk, begun.challenge_id, json.dumps(answer))


def key_of(visit: Visit) -> MadePasskey:
    assert visit.key is not None
    return visit.key


@pytest.mark.parametrize(
    "changes", [*WRONG.values(), {"client": {"type": "webauthn.create"}}], ids=[*WRONG, "no assertion"]
)
def test_a_forged_or_unverified_answer_signs_nobody_in(world: World, changes: dict[str, Any]) -> None:
    hana = world.visit("hana")
    with pytest.raises(CeremonyError, match=r"ceremony\.refused"):
        signs_in(world, key_of(hana), **changes)
    assert signs_in(world, key_of(hana)) == hana.account.account_id  # and the honest one does


def test_another_key_of_the_same_name_or_for_another_site_signs_nobody_in(world: World) -> None:
    hana = key_of(world.visit("hana"))
    copy = MadePasskey(credential_id=hana.credential_id)
    elsewhere = MadePasskey(credential_id=hana.credential_id, private=hana.private, rp_id="evil.example")
    for key in (copy, elsewhere):
        with pytest.raises(CeremonyError, match=r"ceremony\.refused"):
            signs_in(world, key)
    with pytest.raises(CeremonyError, match=r"ceremony\.unknown_passkey"):
        signs_in(world, MadePasskey(credential_id=b"of nobody"))


def test_an_authenticator_that_counts_backwards_signs_nobody_in(world: World) -> None:
    hana = key_of(world.visit("hana"))
    hana.counter = 6
    signs_in(world, hana)
    hana.counter = 3  # a copy that was made before
    with pytest.raises(CeremonyError, match=r"ceremony\.refused"):
        signs_in(world, hana)


def test_an_answer_signs_in_once_and_for_ten_minutes(world: World) -> None:
    hana = key_of(world.visit("hana"))
    begun = ceremonies.begin_sign_in(world.desk)
    answer = json.dumps(hana.answer(challenge_of(begun)))
    ceremonies.finish_sign_in(world.desk, begun.challenge_id, answer)
    with pytest.raises(CeremonyError, match=r"ceremony\.used"):
        ceremonies.finish_sign_in(world.desk, begun.challenge_id, answer)
    late = ceremonies.begin_sign_in(world.desk)
    world.later(minutes=11)
    with pytest.raises(CeremonyError, match=r"ceremony\.late"):
        ceremonies.finish_sign_in(world.desk, late.challenge_id, json.dumps(hana.answer(challenge_of(late))))


@pytest.mark.parametrize("answer", ["", "[]", "null", "[" * 50_000, json.dumps({"id": "x" * 70_000})])
def test_what_is_no_answer_signs_nobody_in(world: World, answer: str) -> None:
    begun = ceremonies.begin_sign_in(world.desk)
    with pytest.raises(CeremonyError):
        ceremonies.finish_sign_in(world.desk, begun.challenge_id, answer)


# --- what waits for a signature ----------------------------------------------------------------------------------------


def rewrite(world: World, change: Callable[[dict[str, Any]], None]) -> None:
    """Somebody writes in the desk's table of what waits."""
    about = json.loads(world.desk.tables.one(select(CHALLENGE).where(CHALLENGE.c.purpose == "sign"))["about"])
    change(about)
    waiting = update(CHALLENGE).where(CHALLENGE.c.purpose == "sign")
    assert world.desk.tables.run(waiting.values(about=json.dumps(about))) == 1


def test_a_statement_that_was_changed_where_it_waits_is_not_shown(world: World) -> None:
    hana = world.visit("hana")
    where = hana.send("/requests/rq-1/approve", "/requests/rq-1", decision="approve")
    rewrite(world, lambda about: about.update(payload=base64.b64encode(b'{"predicate": {}}').decode()))
    assert hana.client.get(where).status_code == 409


def test_what_was_signed_of_one_sound_answers_no_request_about_another(world: World) -> None:
    hana, size = world.visit("hana"), world.registry.head().size
    where = hana.send("/requests/rq-1/approve", "/requests/rq-1", decision="approve")
    rewrite(world, lambda about: about.update(request_id="rq-2"))
    assert hana.sign(where).status_code == 409
    assert world.registry.head().size == size


# --- adding one ---------------------------------------------------------------------------------------------------------


def cbor_text(text: str) -> bytes:
    return bytes([0x60 | len(text)]) + text.encode()


def made(
    key: MadePasskey, challenge: bytes, *, flags: int = PRESENT | VERIFIED, client: dict[str, Any] | None = None
) -> str:
    """What a browser says of a new credential without attestation."""
    said = {"type": "webauthn.create", "challenge": base64url(challenge), "origin": ORIGIN} | (client or {})
    data = hashlib.sha256(key.rp_id.encode()).digest() + bytes([flags | ATTESTED]) + bytes(4) + bytes(16)
    data += len(key.credential_id).to_bytes(2, "big") + key.credential_id + key.cose
    fields = cbor_text("fmt") + cbor_text("none") + cbor_text("attStmt") + b"\xa0"
    attestation = b"\xa3" + fields + cbor_text("authData") + b"\x59" + len(data).to_bytes(2, "big") + data
    return json.dumps(
        {
            "id": base64url(key.credential_id),
            "rawId": base64url(key.credential_id),
            "type": "public-key",
            "response": {
                "clientDataJSON": base64url(json.dumps(said).encode()),
                "attestationObject": base64url(attestation),
            },
        }
    )


def adds(world: World, visit: Visit, key: MadePasskey, **changes: Any) -> None:
    with world.registry.view() as view:
        party = view.party("hana")
    assert party is not None
    begun = ceremonies.begin_registration(world.desk, visit.account)
    answer = made(key, challenge_of(begun), **changes)
    ceremonies.finish_registration(world.desk, visit.account, party, begun.challenge_id, answer, "new")


@pytest.mark.parametrize(
    "changes", [*WRONG.values(), {"client": {"type": "webauthn.get"}}], ids=[*WRONG, "no registration"]
)
def test_a_forged_or_unverified_passkey_is_not_added(world: World, changes: dict[str, Any]) -> None:
    hana, key = world.visit("hana"), MadePasskey(credential_id=b"a new credential")
    size = world.registry.head().size
    with pytest.raises(CeremonyError, match=r"ceremony\.refused"):
        adds(world, hana, key, **changes)
    with pytest.raises(CeremonyError, match=r"ceremony\.refused"):
        adds(world, hana, MadePasskey(credential_id=b"elsewhere", rp_id=f"evil.{RP_ID}"))
    assert world.registry.head().size == size
    adds(world, hana, key)
    assert signs_in(world, key) == hana.account.account_id
