"""Where the registry wants signatures, whatever is said at the desk is signed by passkey over what was shown, or not recorded."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from made_passkey import MadePasskey
from test_desk_decisions import approvals, status
from world import START, World, make_world
from world import request as asked

from consent.approvals import Approval
from consent.entries import Entry
from consent.errors import SignatureError
from consent.events import Event
from consent.requests import RequestKind, Wanted
from consent.signatures import check_envelope
from consent.terms import Grant
from consent.titles import Refusal
from consent.vocabulary import Capacity, EventKind
from consent.web import accounts, ceremonies, scope, sessions

WITHDRAW = "/grants/g-ada/withdraw"
# Who says what, by a form of which page, and a word that the page shows.
SAID: dict[str, tuple[str, str, str, dict[str, str], str]] = {
    "withdraw a consent": ("ada", WITHDRAW, WITHDRAW, {"sure": "1", "reason": "No more."}, "may use the voice"),
    "an agent withdraws": ("agnes", WITHDRAW, WITHDRAW, {"sure": "1"}, "rest on it: 0"),
    "confirm a recording": ("ada", "/voices/v-ada/recordings/en-ada/confirm", "/voices/v-ada", {}, "supplied by polyglot"),
    "reject a recording": ("ada", "/voices/v-ada/recordings/en-ada/reject", "/voices/v-ada", {}, "31 s of speech"),
    "take a permission back": ("ada", "/voices/v-ada/permissions/pm-v-ada-keep/withdraw", "/voices/v-ada", {}, "Keep"),
    "refuse a request": ("hana", "/requests/rq-1/refuse", "/requests/rq-1", {"reason": "Not this film."}, "Moon over Harbour"),
    "refuse for good": ("hana", "/refusals", "/refusals", {"title_id": "moon", "words": "Never."}, "Moon over Harbour"),
    "refuse a voice": ("ada", "/refusals", "/refusals", {"voice_id": "v-ada", "words": "Never."}, "v-ada"),
}  # fmt: skip


@pytest.fixture
def wanting(tmp_path: Path) -> Iterator[World]:
    """A registry that takes nothing without its author's signature; everything in it is signed."""
    made = make_world(tmp_path, signatures=True)
    yield made
    made.desk.tables.close()
    made.registry.close()


def newest(world: World, n: int = 1) -> list[Entry]:
    with world.registry.view() as view:
        return list(view.store.all_entries())[-n:]


def signed_by(world: World, entry: Entry) -> str:
    assert entry.envelope is not None
    with world.registry.view() as view:
        holder = check_envelope(view, entry.record, entry.envelope)
    assert holder.key.passkey is not None
    return holder.party.party_id


def say(world: World, party: str, path: str, page: str, **fields: Any) -> Any:
    """Send a form, and sign the page that it leads to."""
    visit = world.visit(party)
    where = visit.send(path, page, **fields)
    assert where.startswith("/sign/")
    size = world.registry.head().size
    answer = visit.sign(where)
    assert answer.status_code == 303, answer.text[-1500:]
    assert world.registry.head().size > size
    return answer


@pytest.mark.parametrize("what", SAID)
def test_whatever_is_said_is_signed_over_everything_that_the_page_shows(wanting: World, what: str) -> None:
    party, path, page, fields, shown = SAID[what]
    visit, size = wanting.visit(party), wanting.registry.head().size
    where = visit.send(path, page, **fields)
    assert wanting.registry.head().size == size
    text = html.unescape(visit.get(where))
    assert shown in text
    assert visit.sign(where).status_code == 303
    [entry] = [e for e in newest(wanting, 2) if isinstance(e.record, Event | Refusal) and e.leaf_index >= size][:1]
    record = entry.record
    assert signed_by(wanting, entry) == party
    assert isinstance(record, Event | Refusal)
    assert record.shown
    for member in record.shown:
        assert member.said in text
    assert any(shown in member.said for member in record.shown)
    assert wanting.registry.audit().sound


@pytest.mark.parametrize("what", ["withdraw a consent", "refuse for good"])
def test_one_character_changed_in_what_was_shown_is_not_what_was_signed(wanting: World, what: str) -> None:
    party, path, page, fields, _ = SAID[what]
    say(wanting, party, path, page, **fields)
    [entry] = newest(wanting)
    assert isinstance(entry.record, Event | Refusal)
    first, *rest = entry.record.shown or ()
    bent = entry.record.model_copy(update={"shown": (first.model_copy(update={"said": first.said + "."}), *rest)})
    with wanting.registry.view() as view, pytest.raises(SignatureError, match="something else was signed: shown"):
        check_envelope(view, bent, entry.envelope or "")


@pytest.mark.parametrize("what", SAID)
def test_without_a_passkey_nothing_is_recorded_and_the_page_says_how_to_get_one(wanting: World, what: str) -> None:
    party, path, page, fields, _ = SAID[what]
    visit, size = wanting.visit(party, passkey=False, level="link"), wanting.registry.head().size
    answer = visit.post(path, page, **fields)
    assert answer.status_code == 409
    assert "First add a passkey" in answer.text
    assert 'href="/security"' in answer.text
    assert wanting.registry.head().size == size


@pytest.mark.parametrize("what", ["refusal", "condition", "request"])
def test_a_reviewer_of_the_house_is_not_even_shown_what_would_loosen_its_words(wanting: World, what: str) -> None:
    """Whoever may not say it is asked for no signature over it."""
    fields: dict[str, str] = {}
    if what == "refusal":
        say(wanting, "hana", "/refusals", "/refusals", title_id="moon", words="Never.")
        [entry] = newest(wanting)
        path = f"/refusals/{entry.record.record_id}/lift"
    elif what == "condition":
        say(wanting, "hana", "/requests/rq-1/approve", "/requests/rq-1", decision="conditions", condition_label="[KI]")
        [approval] = approvals(wanting)
        path, fields = f"/approvals/{approval.approval_id}/met", {"condition": approval.conditions[0]}
    else:
        say(wanting, "hana", "/requests/rq-1/refuse", "/requests/rq-1", reason="Not this film.")
        path = "/requests/rq-1/lift"
    assert wanting.visit("rev-a").post(path, "/security", **fields).status_code == 404
    assert wanting.visit("hana").post(path, "/security", **fields).headers["location"].startswith("/sign/")


def test_what_was_signed_is_taken_home_by_whoever_signed_it_and_by_nobody_else(wanting: World) -> None:
    say(wanting, "ada", WITHDRAW, WITHDRAW, sure="1", reason="No more.")
    [entry] = newest(wanting)
    path = f"/signed/{entry.leaf_index}.json"
    ada = wanting.visit("ada")
    assert f'href="{path.removesuffix(".json")}"' in ada.get("/grants/g-ada")
    envelope = json.loads(ada.get(path))["statement"]["envelope"]
    with wanting.registry.view() as view:
        assert check_envelope(view, entry.record, envelope).party.party_id == "ada"
    for party in ("berta", "agnes", "op-1"):
        wanting.visit(party).get(path, 404)
    for none in ("999999", "-1", "x", str(2**80)):
        ada.get(f"/signed/{none}.json", 404)
    ada.get("/signed/0.json", 404)


@pytest.mark.parametrize(
    ("said_by", "houses"),
    [
        (lambda by: Grant.model_construct(granted_by=by, capacity=Capacity.SELF), False),
        (lambda by: Event.model_construct(by=by, target="grant"), False),
        (lambda by: Event.model_construct(by=by, target="refusal"), True),
        (lambda by: Refusal.model_construct(by=by), True),
        (lambda by: Approval.model_construct(by=by), True),
    ],
)
def test_of_what_a_house_signed_its_people_take_home_what_is_about_its_titles(said_by: Any, houses: bool) -> None:
    """An agency signs for many performers: none of them reads what it says of another."""
    who: Any = SimpleNamespace(party_id="ada", ids=frozenset({"ada", "agency"}))
    assert scope.may_take(who, said_by("ada")) is True
    assert scope.may_take(who, said_by("agency")) is houses
    assert scope.may_take(who, said_by("rival")) is False


def test_a_suspension_needs_no_passkey_there_either_and_its_end_does(wanting: World) -> None:
    ada = wanting.visit("ada", passkey=False, level="link")
    assert ada.send("/grants/g-ada/suspend", "/grants/g-ada/suspend").endswith("said=grant_suspend")
    with wanting.registry.view() as view:
        assert not view.grants("v-ada")[0].state(view.now).alive(view.now)
    assert ada.post("/grants/g-ada/resume", "/grants/g-ada").status_code == 409
    ada.key = wanting._passkey(ada.account, "ada")
    wanting.later(seconds=1)
    say(wanting, "ada", "/grants/g-ada/resume", "/grants/g-ada")
    with wanting.registry.view() as view:
        assert view.grants("v-ada")[0].state(view.now).alive(view.now)
    assert wanting.registry.audit().sound


def test_putting_a_decision_off_needs_no_passkey(wanting: World) -> None:
    hana = wanting.visit("hana", passkey=False, level="link")
    assert hana.send("/requests/rq-1/defer", "/requests/rq-1").endswith("said=deferred")
    assert status(wanting, "rq-1") == "deferred"


def test_several_requests_are_refused_under_one_signature(wanting: World) -> None:
    say(wanting, "hana", "/requests/refuse", "/requests", request_id=["rq-1", "rq-2"], reason="None of these.")
    first, second = newest(wanting, 2)
    assert first.envelope == second.envelope
    assert {signed_by(wanting, first), signed_by(wanting, second)} == {"hana"}
    assert {status(wanting, "rq-1"), status(wanting, "rq-2")} == {"refused"}
    assert wanting.registry.audit().sound


def test_a_refused_request_is_opened_again_by_a_signature(wanting: World) -> None:
    say(wanting, "hana", "/requests/rq-1/refuse", "/requests/rq-1", reason="Not this film.")
    wanting.later(seconds=1)
    say(wanting, "hana", "/requests/rq-1/lift", "/requests/rq-1")
    assert status(wanting, "rq-1") == "open"
    assert signed_by(wanting, newest(wanting)[0]) == "hana"


def test_a_house_s_refusal_is_signed_and_lifted_by_its_rights_holder_in_person(wanting: World) -> None:
    say(wanting, "hana", "/refusals", "/refusals", title_id="moon", words="No AI dub in any form.")
    with wanting.registry.view() as view:
        [refusal] = view.refusals_by("studio")
    wanting.later(seconds=1)
    say(wanting, "hana", f"/refusals/{refusal.refusal_id}/lift", "/refusals")
    [entry] = newest(wanting)
    assert isinstance(entry.record, Event)
    assert (entry.record.kind, entry.record.by, signed_by(wanting, entry)) == (EventKind.LIFTED, "studio", "hana")
    assert wanting.registry.audit().sound


def test_a_consent_given_to_a_request_is_one_signature_over_all_that_it_enters(wanting: World) -> None:
    wanted = Wanted(what=RequestKind.GRANT, rule="CON-001", about="character:MARA", question="May your voice be used?")
    wanting.registry.add(asked("rq-ada", "ada", wanted=(wanted,)))
    say(wanting, "ada", "/requests/rq-ada/grant", "/requests/rq-ada", voice_id="v-ada")
    entries = newest(wanting, 3)
    assert [type(e.record) for e in entries] == [Grant, Event, Event]
    assert {e.envelope for e in entries} == {entries[0].envelope}
    assert [signed_by(wanting, e) for e in entries] == ["ada"] * 3
    assert status(wanting, "rq-ada") == "answered"
    assert wanting.registry.audit().sound


def test_a_condition_is_met_and_an_approval_taken_back_by_signature(wanting: World) -> None:
    hana = wanting.visit("hana")
    where = hana.send("/requests/rq-1/approve", "/requests/rq-1", decision="conditions", condition_label="Deutsch [KI]")
    assert hana.sign(where).status_code == 303
    [approval] = approvals(wanting)
    path = f"/approvals/{approval.approval_id}"
    say(wanting, "hana", f"{path}/met", path, condition=approval.conditions[0])
    assert signed_by(wanting, newest(wanting)[0]) == "hana"
    wanting.later(seconds=1)
    say(wanting, "studio", f"{path}/withdraw", path, reason="A mistake.")
    [entry] = newest(wanting)
    assert isinstance(entry.record, Event)
    assert (entry.record.kind, entry.record.by, signed_by(wanting, entry)) == (EventKind.WITHDRAWN, "studio", "studio")
    assert wanting.registry.audit().sound


def test_somebody_elses_or_a_forged_signature_records_nothing_of_it(wanting: World) -> None:
    ada, berta = wanting.visit("ada"), wanting.visit("berta")
    where = ada.send(WITHDRAW, WITHDRAW, sure="1")
    size = wanting.registry.head().size
    assert ada.key is not None
    for key in (berta.key, MadePasskey(credential_id=ada.key.credential_id)):
        assert ada.sign(where, key).status_code == 409
    assert berta.client.get(where).status_code == 409
    assert wanting.registry.head().size == size
    assert ada.sign(where).status_code == 303
    assert ada.client.post(where, data=ada.hidden(ada.get("/voices"))).status_code == 409


def test_what_became_impossible_between_reading_and_signing_is_not_recorded(wanting: World) -> None:
    hana = wanting.visit("hana")
    where = hana.send("/requests/rq-1/refuse", "/requests/rq-1", reason="No.")
    say(wanting, "hana", "/requests/rq-1/refuse", "/requests/rq-1", reason="Once is enough.")
    size = wanting.registry.head().size
    assert hana.sign(where).status_code == 409
    assert wanting.registry.head().size == size


def test_what_the_registry_would_not_take_is_told_before_anybody_signs(wanting: World) -> None:
    hana = wanting.visit("hana")
    size = wanting.registry.head().size
    assert hana.post("/requests/rq-1/lift", "/requests/rq-1").status_code == 409  # it is not refused
    assert wanting.registry.head().size == size


def test_a_passkey_is_removed_by_a_signature_and_signs_in_no_more(wanting: World) -> None:
    hana = wanting.visit("hana")
    first = hana.key
    [row] = ceremonies.passkeys_of(wanting.desk, hana.account.account_id)
    second = MadePasskey(credential_id=b"hanas-second")
    wanting.made["hana"].key = second
    _register(wanting, second)
    path = f"/security/passkeys/{row['credential_id']}/remove"
    say(wanting, "hana", path, "/security")
    assert [r["credential_id"] for r in ceremonies.passkeys_of(wanting.desk, hana.account.account_id)] == [
        second.registered().credential_id
    ]
    where = hana.send("/requests/rq-1/refuse", "/requests/rq-1", reason="No.")
    assert hana.sign(where, first).status_code == 409
    assert any("A passkey was removed" in m for m in wanting.mails())
    assert wanting.registry.audit().sound


def _register(world: World, key: MadePasskey) -> None:
    """A second passkey of hana's, in the ledger and at the desk."""
    from datetime import timedelta

    from sqlalchemy import insert

    from consent.parties import PartyKey
    from consent.vocabulary import Role
    from consent.web.rows import CREDENTIAL

    term = {"not_before": START - timedelta(days=1), "not_after": START + timedelta(days=900)}
    roles = (Role.RIGHTS_HOLDER, Role.LEGAL)
    world.registry.add(PartyKey(key_id="pk-2", party_id="hana", passkey=key.registered(), roles=roles, **term))
    own = {"credential_id": key.registered().credential_id, "account_id": world.made["hana"].account.account_id}
    values = {"public_key": key.cose, "sign_count": 0, "name": "second", "created_at": START.isoformat()}
    world.desk.tables.run(insert(CREDENTIAL).values(**own, **values))


def test_a_recovery_revokes_lost_passkeys_in_the_name_of_the_operator_who_agreed(wanting: World) -> None:
    from consent.web import recovery

    hana, operator = wanting.visit("hana"), wanting.visit("op-1")
    recovery.begin(wanting.desk, hana.account.account_id)
    [waiting] = recovery.all_waiting(wanting.desk)
    assert not recovery.open_again(wanting.desk, hana.account.account_id)  # nobody agreed
    recovery.agree(wanting.desk, waiting["recovery_id"], operator.account)
    assert not recovery.open_again(wanting.desk, hana.account.account_id)  # the day is not over
    assert ceremonies.passkeys_of(wanting.desk, hana.account.account_id)
    wanting.later(hours=25)
    assert recovery.send_due(wanting.desk) == 1
    assert recovery.open_again(wanting.desk, hana.account.account_id)
    assert not recovery.open_again(wanting.desk, hana.account.account_id)
    assert ceremonies.passkeys_of(wanting.desk, hana.account.account_id) == []
    [entry] = newest(wanting)
    assert isinstance(entry.record, Event)
    assert (entry.record.target, entry.record.kind, entry.record.by) == ("key", EventKind.REVOKED, "op-1")
    assert accounts.n_passkeys(wanting.desk, hana.account.account_id) == 0
    assert sessions.sessions_of(wanting.desk, hana.account.account_id) == []
    assert wanting.registry.audit().sound
