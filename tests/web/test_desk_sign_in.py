"""Signing in without a password: links that work once, passkeys, recovery codes, recovery with a second person, sessions."""

from __future__ import annotations

import re
import threading

import pytest
from world import ORIGIN, World

from consent.errors import RecordError
from consent.web import accounts, recovery, sessions


@pytest.fixture
def world(kept: World) -> World:
    """On both databases: what is tried here lies in the desk's own tables."""
    return kept


def link_in(world: World, word: str = "sign-in/link") -> str:
    found = re.findall(rf"{ORIGIN}(/\S*{word}\S*)", "\n".join(world.mails()))
    return str(found[-1])


def signed_in(client: object) -> bool:
    return client.get("/").status_code == 200  # type: ignore[attr-defined]


def test_a_link_signs_in_once_and_only_by_its_button(world: World) -> None:
    accounts.add_account(world.desk, "ada", "ada@example.org")
    client = world.client()
    assert client.post("/sign-in/mail", data={"email": "Ada@Example.org"}).status_code == 303
    path = link_in(world)
    assert client.get(path).status_code == 200
    assert client.get(path).status_code == 200  # a mail scanner opens it too: nothing is used up
    assert not signed_in(client)
    assert client.post(path).headers["location"] == "/security"
    assert signed_in(client)
    assert client.post(path).status_code == 410


def test_an_unknown_address_gets_the_same_answer_and_no_mail(world: World) -> None:
    client = world.client()
    accounts.add_account(world.desk, "ada", "ada@example.org")
    answers = [client.post("/sign-in/mail", data={"email": e}) for e in ("ada@example.org", "nobody@example.org")]
    assert answers[0].headers["location"] == answers[1].headers["location"]
    assert len(world.mails()) == 1


def test_an_expired_or_earlier_link_does_nothing(world: World) -> None:
    account = accounts.add_account(world.desk, "ada", "ada@example.org")
    first = accounts.send_link(world.desk, account, "sign_in").removeprefix(ORIGIN)
    second = accounts.send_link(world.desk, account, "sign_in").removeprefix(ORIGIN)
    client = world.client()
    assert client.post(first).status_code == 410
    world.later(minutes=16)
    assert client.post(second).status_code == 410
    assert not signed_in(client)


def test_of_two_who_use_a_link_at_once_one_gets_in(world: World) -> None:
    account = accounts.add_account(world.desk, "ada", "ada@example.org")
    token = sessions.new_link(world.desk, account.account_id, "sign_in", world.desk.settings.link)
    got: list[str | None] = []
    threads = [
        threading.Thread(target=lambda: got.append(sessions.use_link(world.desk, token, "sign_in"))) for _ in range(4)
    ]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(got, key=str) == [None, None, None, account.account_id] or got.count(account.account_id) == 1


def test_links_name_the_desks_own_address_whatever_host_was_asked(world: World) -> None:
    accounts.add_account(world.desk, "ada", "ada@example.org")
    world.client().post("/sign-in/mail", data={"email": "ada@example.org"}, headers={"host": "evil.example"})
    [mail] = world.mails()
    assert "evil.example" not in mail
    assert f"{ORIGIN}/sign-in/link/" in mail


@pytest.mark.parametrize("email", ["a@b\nBcc: x@y", "a b@c.d", "<a@b.c>", "@", "", "a@" + "b" * 300, "a,b@c.d"])
def test_what_is_no_address_gets_no_account(plain: World, email: str) -> None:
    with pytest.raises(RecordError):
        accounts.add_account(plain.desk, "ada", email)


def test_nobody_whom_the_registry_does_not_know_gets_an_account(plain: World) -> None:
    with pytest.raises(RecordError, match="no party 'nobody' is registered"):
        accounts.add_account(plain.desk, "nobody", "nobody@example.org")


def test_too_many_links_or_codes_are_refused(world: World) -> None:
    accounts.add_account(world.desk, "ada", "ada@example.org")
    client = world.client()
    answers = [client.post("/sign-in/mail", data={"email": "ada@example.org"}).status_code for _ in range(6)]
    assert answers == [303] * 5 + [429]
    codes = [client.post("/sign-in/code", data={"email": "b@example.org", "code": "x"}).status_code for _ in range(6)]
    assert codes == [409] * 5 + [429]
    world.later(minutes=16)
    assert client.post("/sign-in/mail", data={"email": "ada@example.org"}).status_code == 303


def test_the_session_cookie_is_for_the_desk_alone_and_new_at_every_sign_in(world: World) -> None:
    account = accounts.add_account(world.desk, "ada", "ada@example.org")
    client = world.client()
    client.cookies.set(sessions.COOKIE, "fixed-by-somebody")
    path = accounts.send_link(world.desk, account, "sign_in").removeprefix(ORIGIN)
    cookie = client.post(path).headers["set-cookie"]
    assert "fixed-by-somebody" not in cookie
    for flag in ("HttpOnly", "Secure", "SameSite=lax", "Path=/", "Max-Age=43200"):
        assert flag in cookie


@pytest.mark.parametrize(("idle", "whole"), [(True, False), (False, True)])
def test_a_session_ends_when_nobody_uses_it_and_after_half_a_day(world: World, idle: bool, whole: bool) -> None:
    visit = world.visit("ada")
    if idle:
        world.later(minutes=61)
    for _ in range(26 if whole else 0):
        world.later(minutes=30)
        visit.client.get("/")
    assert not signed_in(visit.client)


def test_signing_out_ends_the_session_on_the_server(world: World) -> None:
    ada = world.visit("ada")
    token = ada.client.cookies[sessions.COOKIE]
    ada.send("/sign-out", "/")
    other = world.client()
    other.cookies.set(sessions.COOKIE, token)
    assert not signed_in(other)


@pytest.mark.parametrize(
    "path", ["//evil.example", "https://evil.example", "/\\evil.example", "/x?y", "javascript:alert(1)"]
)
def test_signing_in_leads_nowhere_else(plain: World, path: str) -> None:
    page = plain.client().get("/sign-in", params={"next": path}).text
    assert 'name="next" value="/"' in page


def test_by_a_link_alone_nobody_adds_a_passkey_to_an_account_that_has_one(world: World) -> None:
    ada = world.visit("ada", level="link")
    page = ada.get("/security")
    assert "You signed in by a link" in page
    for path in ("/security/passkeys", "/security/codes"):
        assert ada.post(path, "/security", challenge_id="x", answer="{}").status_code == 403
    with world.registry.view() as view:
        assert len(view.public_keys("ada")) == 1


def test_nobody_signs_before_there_is_a_second_way_back_in(world: World) -> None:
    hana = world.visit("hana", passkey=False)
    assert hana.post("/requests/rq-1/approve", "/requests/rq-1", decision="approve").status_code == 409


def test_a_recovery_code_works_once_and_is_announced(world: World) -> None:
    ada = world.visit("ada")
    [code, *_] = accounts.new_codes(world.desk, ada.account.account_id)
    client = world.client()
    fields = {"email": "ada@example.org", "code": code.upper()}
    assert client.post("/sign-in/code", data=fields).headers["location"] == "/security"
    assert world.client().post("/sign-in/code", data=fields).status_code == 409
    assert any("A recovery code of yours was used" in m for m in world.mails())


def test_a_recovery_needs_the_address_another_person_and_a_day_and_revokes_what_was_lost(world: World) -> None:
    ada, operator = world.visit("ada"), world.visit("op-1")
    client = world.client()
    client.post("/recover", data={"email": "ada@example.org"})
    assert client.post(link_in(world)).headers["location"] == "/recover/begun"
    [waiting] = recovery.all_waiting(world.desk)
    assert recovery.send_due(world.desk) == 0
    page = "/accounts"
    operator.send(f"/recoveries/{waiting['recovery_id']}/agree", page)
    world.later(hours=23)
    assert recovery.send_due(world.desk) == 0
    world.later(hours=2)
    assert recovery.send_due(world.desk) == 1
    assert client.post(link_in(world)).headers["location"] == "/security"
    assert accounts.n_passkeys(world.desk, ada.account.account_id) == 0
    with world.registry.view() as view:
        [key] = view.public_keys("ada")
        holder = view.key(key.keyid, view.now)
        assert holder is not None
        assert "revoked" in holder.problem
    subjects = "\n".join(world.mails())
    for told in ("has begun", "An operator agreed", "can be opened again", "was recovered"):
        assert told in subjects


def test_nobody_agrees_to_their_own_recovery_and_only_by_a_passkey(world: World) -> None:
    operator = world.visit("op-1")
    recovery.begin(world.desk, operator.account.account_id)
    [waiting] = recovery.all_waiting(world.desk)
    path = f"/recoveries/{waiting['recovery_id']}/agree"
    assert operator.post(path, "/accounts").status_code == 409
    second = world.visit("op-2", level="link")
    assert second.post(path, "/accounts").status_code == 409
    assert world.visit("ada").post(path, "/security").status_code == 404
    assert world.visit("op-2").post(path, "/accounts").status_code == 303


def test_whoever_still_has_a_passkey_stops_a_recovery(world: World) -> None:
    ada, operator = world.visit("ada"), world.visit("op-1")
    recovery.begin(world.desk, ada.account.account_id)
    [waiting] = recovery.all_waiting(world.desk)
    operator.send(f"/recoveries/{waiting['recovery_id']}/agree", "/accounts")
    assert "Somebody asked to recover" in ada.get("/security")
    ada.send("/security/recovery/stop", "/security")
    world.later(days=3)
    assert recovery.send_due(world.desk) == 0


def test_a_recovery_is_stopped_after_its_link_was_sent_too(world: World) -> None:
    ada, operator = world.visit("ada"), world.visit("op-1")
    recovery.begin(world.desk, ada.account.account_id)
    [waiting] = recovery.all_waiting(world.desk)
    operator.send(f"/recoveries/{waiting['recovery_id']}/agree", "/accounts")
    world.later(hours=25)
    assert recovery.send_due(world.desk) == 1
    world.visit("ada").send("/security/recovery/stop", "/security")
    answer = world.client().post(link_in(world))
    assert answer.status_code == 410
    assert accounts.n_passkeys(world.desk, ada.account.account_id) == 1


def test_every_message_carries_the_ledgers_checkpoint_and_a_page_checks_one_that_was_kept(world: World) -> None:
    account = accounts.add_account(world.desk, "ada", "ada@example.org")
    accounts.send_link(world.desk, account, "sign_in")
    kept = world.mails()[0].split("Ledger checkpoint:\n")[1].strip()
    client = world.client()
    world.visit("hana").send("/refusals", "/refusals", title_id="moon", words="No.")
    assert "is the beginning of this ledger" in client.post("/checkpoint", data={"checkpoint": kept}).text
    lines = kept.splitlines()
    other = client.post("/checkpoint", data={"checkpoint": "\n".join(["elsewhere", *lines[1:]])}).text
    assert "another ledger" in other
    root = "A" + lines[2][1:] if lines[2][0] != "A" else "B" + lines[2][1:]
    assert (
        "the history was changed" in client.post("/checkpoint", data={"checkpoint": "\n".join([*lines[:2], root])}).text
    )
    longer = "\n".join([lines[0], "99999", lines[2]])
    assert "shorter than the one" in client.post("/checkpoint", data={"checkpoint": longer}).text
    assert "not a checkpoint" in client.post("/checkpoint", data={"checkpoint": "x"}).text


def test_the_outbox_is_for_its_owner_alone(world: World) -> None:
    account = accounts.add_account(world.desk, "ada", "ada@example.org")
    accounts.send_link(world.desk, account, "sign_in")
    [file] = world.desk.settings.outbox.glob("*.eml")
    assert file.stat().st_mode & 0o077 == 0
