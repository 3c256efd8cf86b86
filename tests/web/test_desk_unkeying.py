"""However many passkeys are removed at once, the last one of an account stays: the ledger's own transaction asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from threading import Barrier
from types import SimpleNamespace
from typing import Any

import pytest
from made_passkey import MadePasskey
from made_postgresql import new_database
from sqlalchemy import insert
from world import START, World, make_world

from consent.errors import RecordError
from consent.events import Event
from consent.parties import Party, PartyKey, Personal
from consent.registry import Registry
from consent.vocabulary import EventKind, Role
from consent.web import ceremonies, unkeying
from consent.web.acting import record
from consent.web.desk import Desk
from consent.web.rows import CREDENTIAL
from consent.writing import Addition

TERM: dict[str, Any] = {"not_before": START - timedelta(days=1), "not_after": START + timedelta(days=900)}
ROLES = (Role.RIGHTS_HOLDER, Role.LEGAL)


def at_once(doings: list[Callable[[], Any]]) -> list[Any]:
    """What comes of several things that begin together; what the registry does not take is its own result."""
    together = Barrier(len(doings))

    def one(what: Callable[[], Any]) -> Any:
        together.wait()
        try:
            return what()
        except RecordError as error:
            return error

    with ThreadPoolExecutor(len(doings)) as pool:
        return list(pool.map(one, doings))


def more_keys(registry: Registry, desk: Desk, account_id: str, n: int) -> list[str]:
    """Passkeys of hana's, in the ledger and at the desk; their credentials."""
    keys = [MadePasskey(credential_id=f"hanas-{k}".encode()).registered() for k in range(n)]
    for k, key in enumerate(keys):
        registry.add(PartyKey(key_id=f"pk-more-{k}", party_id="hana", passkey=key, roles=ROLES, **TERM))
        row = {"credential_id": key.credential_id, "account_id": account_id, "public_key": bytes.fromhex(key.cose_hex)}
        made = {"sign_count": 0, "name": f"more {k}", "created_at": START.isoformat()}
        desk.tables.run(insert(CREDENTIAL).values(**row, **made))
    return [key.credential_id for key in keys]


@pytest.fixture(params=["sqlite", "postgresql"])
def desk(request: pytest.FixtureRequest, plain: World) -> Iterator[Desk]:
    """The desk over a registry that lies there, with hana in it."""
    if request.param == "sqlite":
        yield plain.desk
        return
    location = new_database(request.getfixturevalue("postgresql"))
    made = Registry.open(location, clock=lambda: START, key_file=plain.folder / "pg.key", create=True)
    made.add(Addition(Party(party_id="hana", roles=ROLES, person=True), personal=Personal(name="Hana")))
    yield replace(plain.desk, registry=made)
    made.close()


def revoked(desk: Desk) -> int:
    with desk.registry.view() as view:
        said = [e.record for e in view.store.all_entries()]
    return sum(isinstance(r, Event) and r.kind is EventKind.REVOKED for r in said)


def test_of_three_removals_at_once_the_last_passkey_stays(desk: Desk) -> None:
    account: Any = SimpleNamespace(account_id="ac-hana", party_id="hana")
    more_keys(desk.registry, desk, account.account_id, 3)
    ids = [row["credential_id"] for row in ceremonies.passkeys_of(desk, account.account_id)]
    told = at_once([partial(unkeying.remove_passkey, desk, account, i) for i in ids])
    assert sum(isinstance(t, RecordError) for t in told) == 1
    [left] = ceremonies.passkeys_of(desk, account.account_id)
    assert ceremonies.standing_key(desk, account, left["credential_id"]) is not None
    assert revoked(desk) == 2


def test_of_removals_that_are_entered_at_once_the_last_passkey_stays(desk: Desk) -> None:
    """The records that a signature brings, in the transaction that takes them."""
    account: Any = SimpleNamespace(account_id="ac-hana", party_id="hana", email="hana@example.org", language="en")
    more_keys(desk.registry, desk, account.account_id, 2)
    said: dict[str, Any] = {"target": "key", "kind": EventKind.REVOKED, "by": "hana", "effective_at": START}
    events = [Event(event_id=f"ev-{k}", target_id=f"pk-more-{k}", **said) for k in range(2)]
    who: Any = SimpleNamespace(desk=desk, account=account, party_id="hana", decides_for=lambda *_: True)
    told = at_once([partial(record, who, [e], None) for e in events])
    assert sum(isinstance(t, RecordError) for t in told) == 1
    assert revoked(desk) == 1
    assert len(ceremonies.passkeys_of(desk, account.account_id)) == 1


def test_of_two_removals_that_were_both_signed_the_second_is_refused(tmp_path: Path) -> None:
    made = make_world(tmp_path, signatures=True)
    hana = made.visit("hana")
    [first] = ceremonies.passkeys_of(made.desk, hana.account.account_id)
    [second] = more_keys(made.registry, made.desk, hana.account.account_id, 1)
    ids = (first["credential_id"], second)
    pages = [hana.send(f"/security/passkeys/{i}/remove", "/security") for i in ids]  # both, while there are two
    answers = [hana.sign(page).status_code for page in reversed(pages)]
    assert answers == [303, 409]
    assert [r["credential_id"] for r in ceremonies.passkeys_of(made.desk, hana.account.account_id)] == [ids[0]]
    made.desk.tables.close()
    made.registry.close()


def test_of_passkeys_that_no_ledger_knows_the_last_one_stays_too(kept: World) -> None:
    hana = kept.visit("hana", passkey=False)
    for k in range(2):
        row = {"credential_id": f"c-{k}", "account_id": hana.account.account_id, "public_key": b"x", "sign_count": 0}
        kept.desk.tables.run(insert(CREDENTIAL).values(**row, name=f"{k}", created_at=START.isoformat()))
    told = at_once([partial(unkeying.remove_passkey, kept.desk, hana.account, f"c-{k}") for k in range(2)])
    assert sum(isinstance(t, RecordError) for t in told) == 1
    assert len(ceremonies.passkeys_of(kept.desk, hana.account.account_id)) == 1


def test_somebody_elses_passkey_is_none_of_ones_own(plain: World) -> None:
    hana, ada = plain.visit("hana"), plain.visit("ada")
    more_keys(plain.registry, plain.desk, hana.account.account_id, 1)
    [theirs] = ceremonies.passkeys_of(plain.desk, ada.account.account_id)
    with pytest.raises(RecordError, match="no such passkey"):
        unkeying.remove_passkey(plain.desk, hana.account, theirs["credential_id"])
    assert ceremonies.standing_key(plain.desk, ada.account, theirs["credential_id"]) is not None


def test_a_passkey_that_signs_is_not_left_for_one_that_does_not(plain: World) -> None:
    hana = plain.visit("hana")
    [row] = ceremonies.passkeys_of(plain.desk, hana.account.account_id)
    dead = {"credential_id": "c-dead", "account_id": hana.account.account_id, "public_key": b"x", "sign_count": 0}
    plain.desk.tables.run(insert(CREDENTIAL).values(**dead, name="dead", created_at=START.isoformat()))
    with pytest.raises(RecordError, match="only passkey"):
        unkeying.remove_passkey(plain.desk, hana.account, row["credential_id"])
    unkeying.remove_passkey(plain.desk, hana.account, "c-dead")
    assert [r["credential_id"] for r in ceremonies.passkeys_of(plain.desk, hana.account.account_id)] == [
        row["credential_id"]
    ]
