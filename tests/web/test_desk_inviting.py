"""Who opens an account for whom: one operator only the first one, a second operator and a day whatever comes after it."""

from __future__ import annotations

import pytest
from world import World

from consent.parties import Party, Personal
from consent.vocabulary import Role
from consent.web import accounts, inviting
from consent.web.watching import watch
from consent.writing import Addition

ROGUE = "rogue@example.org"


def ask(world: World, party: str, email: str = ROGUE, *, by: str = "op-1", level: str = "passkey") -> str:
    """Where the form leads."""
    return world.visit(by, level=level).send("/accounts", "/accounts", party_id=party, email=email, language="en")


def mails_to(world: World, address: str, word: str) -> int:
    return sum(m.startswith(f"{address} ") and word in m for m in world.mails())


def test_a_party_without_an_account_is_invited_at_once_and_told_at_its_registered_address(world: World) -> None:
    party = Party(party_id="cleo", roles=(Role.PERFORMER,), person=True)
    world.registry.add(Addition(party, personal=Personal(name="Cleo", contact="cleo@agency.example")))
    assert ask(world, "cleo").endswith("said=invited")
    assert mails_to(world, ROGUE, "You are invited") == 1
    assert mails_to(world, "cleo@agency.example", "An account was opened for you") == 1


def test_one_operator_opens_no_second_account_for_anybody(world: World) -> None:
    world.visit("ada")
    assert ask(world, "ada").endswith("said=invite_asked")
    assert accounts.by_email(world.desk, ROGUE) is None
    assert mails_to(world, ROGUE, "You are invited") == 0
    assert mails_to(world, "ada@example.org", "Somebody asks for another account for you") == 1
    world.later(days=30)
    watch(world.desk)
    assert accounts.by_email(world.desk, ROGUE) is None


def test_ending_an_account_first_does_not_help_and_is_announced(world: World) -> None:
    ada = world.visit("ada")
    world.visit("op-1").send(f"/accounts/{ada.account.account_id}/end", "/accounts")
    assert mails_to(world, "ada@example.org", "Your account was ended") == 1
    assert ask(world, "ada").endswith("said=invite_asked")
    assert accounts.by_email(world.desk, ROGUE) is None
    assert mails_to(world, "ada@example.org", "Somebody asks for another account for you") == 1


def test_one_operator_makes_no_second_operator(world: World) -> None:
    assert ask(world, "op-2").endswith("said=invite_asked")
    assert accounts.by_email(world.desk, ROGUE) is None


@pytest.mark.parametrize("level", ["link", "code", "recovery"])
def test_an_operator_without_their_passkey_makes_ends_and_opens_nothing(world: World, level: str) -> None:
    ada, operator = world.visit("ada"), world.visit("op-1", level=level)
    ask(world, "ada", by="op-2")
    [row] = inviting.waiting(world.desk)
    world.visit("op-1", level=level)
    fields = {"party_id": "berta", "email": ROGUE, "language": "en"}
    assert operator.post("/accounts", "/accounts", **fields).status_code == 409
    assert operator.post(f"/accounts/{ada.account.account_id}/end", "/accounts").status_code == 409
    assert operator.post(f"/invitations/{row['invitation_id']}/agree", "/accounts").status_code == 409
    assert accounts.by_email(world.desk, ROGUE) is None
    assert accounts.by_id(world.desk, ada.account.account_id) is not None
    assert inviting.waiting(world.desk)[0]["agreed_by"] is None


def test_a_second_operator_and_a_day_open_it_and_its_party_is_told_of_each_step(world: World) -> None:
    world.visit("ada")
    ask(world, "ada")
    [row] = inviting.waiting(world.desk)
    path = f"/invitations/{row['invitation_id']}/agree"
    assert world.visit("op-1").post(path, "/accounts").status_code == 409
    assert path not in world.visit("op-1").get("/accounts")
    assert world.visit("op-2").send(path, "/accounts").endswith("said=invite_agreed")
    assert world.visit("op-2").post(path, "/accounts").status_code == 409
    assert mails_to(world, "ada@example.org", "A second operator agreed") == 1
    watch(world.desk)
    assert accounts.by_email(world.desk, ROGUE) is None
    world.later(hours=25)
    watch(world.desk)
    opened = accounts.by_email(world.desk, ROGUE)
    assert opened is not None
    assert opened.party_id == "ada"
    assert mails_to(world, ROGUE, "You are invited") == 1
    watch(world.desk)
    assert mails_to(world, ROGUE, "You are invited") == 1


def test_whoever_it_is_for_does_not_agree_to_it(world: World) -> None:
    world.visit("op-2")
    ask(world, "op-2")
    [row] = inviting.waiting(world.desk)
    assert world.visit("op-2").post(f"/invitations/{row['invitation_id']}/agree", "/accounts").status_code == 409


def test_its_party_stops_it_and_nobody_elses_does(world: World) -> None:
    world.visit("ada")
    ask(world, "ada")
    [row] = inviting.waiting(world.desk)
    world.visit("op-2").send(f"/invitations/{row['invitation_id']}/agree", "/accounts")
    path = f"/invitations/{row['invitation_id']}/stop"
    assert world.visit("berta").post(path, "/security").status_code == 404
    assert path in world.visit("ada").get("/security")
    assert world.visit("ada").send(path, "/security").endswith("said=invite_stopped")
    world.later(days=2)
    watch(world.desk)
    assert accounts.by_email(world.desk, ROGUE) is None
    assert world.visit("ada").post(path, "/security").status_code == 404


def test_an_address_that_has_or_had_an_account_gets_no_other_one(world: World) -> None:
    ada = world.visit("ada")
    assert "already has an account" in ask_refused(world, "berta", "ada@example.org")
    accounts.end_account(world.desk, ada.account.account_id)
    assert "already has an account" in ask_refused(world, "berta", "ada@example.org")


def ask_refused(world: World, party: str, email: str) -> str:
    answer = world.visit("op-1").post("/accounts", "/accounts", party_id=party, email=email, language="en")
    assert answer.status_code == 409
    return str(answer.text)
