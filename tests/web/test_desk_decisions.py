"""What people decide at the desk stands in the ledger, signed over what they were shown; and nothing else does."""

from __future__ import annotations

import base64
import json

import pytest
from made_passkey import MadePasskey
from world import SOUND, World, candidate, request

from consent.approvals import Approval
from consent.asking import request_histories
from consent.errors import SignatureError
from consent.signatures import check_envelope
from consent.vocabulary import ApprovalDecision, PermissionKind


def status(world: World, request_id: str) -> str:
    with world.registry.view() as view:
        [history] = request_histories(view, f"request:{request_id}")
        return str(history.status(view.now))


def approvals(world: World, title: str = "moon") -> list[Approval]:
    with world.registry.view() as view:
        return [h.approval for h in view.approvals([title])]


def test_an_approval_is_signed_by_passkey_over_everything_that_was_shown_and_enters_the_ledger(world: World) -> None:
    hana = world.visit("hana")
    page = hana.get("/requests/rq-1")
    where = hana.send("/requests/rq-1/approve", "/requests/rq-1", decision="approve")
    answer = hana.sign(where)
    assert answer.status_code == 303, answer.text[-1500:]
    [approval] = approvals(world)
    assert approval.decision is ApprovalDecision.APPROVE
    assert (approval.by, approval.for_holder_id) == ("hana", "studio")
    assert approval.sounds[0].packets_sha256 == SOUND
    assert status(world, "rq-1") == "answered"
    shown = {s.what: s.said for s in approval.shown or ()}
    assert shown["Label that the audience sees"] == "English [AI]"
    assert (approval.partners, shown["Partners"]) == (("netflix",), "netflix")
    import html

    for said in shown.values():
        assert html.escape(said, quote=True).replace("&#x27;", "&#39;") in page or said in ("approve", "studio")
    assert "Your approval is signed" in hana.get(answer.headers["location"])


def test_a_delivery_that_goes_through_no_partner_by_name_is_approved_for_none(world: World) -> None:
    """As most deliveries are; the page says so, and what is signed does."""
    world.registry.add(request("rq-none", sound="7" * 64, release=candidate("7" * 64, partners=())))
    hana = world.visit("hana")
    assert "Partners" in hana.get("/requests/rq-none")
    hana.sign(hana.send("/requests/rq-none/approve", "/requests/rq-none", decision="approve"))
    [approval] = approvals(world)
    assert approval.partners == ()
    assert {s.what: s.said for s in approval.shown or ()}["Partners"] == "–"


def test_a_signed_approval_verifies_offline_and_fails_after_one_character_of_what_was_shown_is_changed(
    world: World,
) -> None:
    hana = world.visit("hana")
    hana.sign(hana.send("/requests/rq-1/approve", "/requests/rq-1", decision="approve"))
    [approval] = approvals(world)
    envelope = hana.get(f"/approvals/{approval.approval_id}/envelope.json")
    with world.registry.view() as view:
        assert check_envelope(view, approval, envelope).party.party_id == "hana"
        assert approval.shown is not None
        first = approval.shown[0].model_copy(update={"said": approval.shown[0].said + "!"})
        changed = approval.model_copy(update={"shown": (first, *approval.shown[1:])})
        with pytest.raises(SignatureError, match="something else was signed"):
            check_envelope(view, changed, envelope)
        data = json.loads(envelope)
        payload = base64.b64decode(data["payload"]).replace(b"English [AI]", b"English (AI)")
        forged = json.dumps({**data, "payload": base64.b64encode(payload).decode()})
        statement = json.loads(payload)["predicate"]
        statement.pop("schema")
        with pytest.raises(SignatureError):
            check_envelope(view, Approval.model_validate_json(json.dumps(statement)), forged)


def test_a_desk_without_sound_offers_none(world: World) -> None:
    from dataclasses import replace

    assert "data-excerpt" in world.visit("hana").get("/requests/rq-1")
    world.app.state.desk = replace(world.desk, listening=None)
    page = world.visit("hana").get("/requests/rq-1")
    assert "data-excerpt" not in page
    assert "picture.svg" not in page
    assert "Line 3" in page


def test_no_person_s_name_is_signed_into_the_ledger(world: World) -> None:

    world.registry.add(request("rq-person", sound="7" * 64, asked_by="rev-v"))
    world.gate.known.clear()
    hana = world.visit("hana")
    assert "rev-v asks you" in hana.get("/requests/rq-person")
    hana.sign(hana.send("/requests/rq-person/approve", "/requests/rq-person", decision="approve"))
    [approval] = approvals(world)
    assert "Rev-V of Test" not in approval.model_dump_json()
    assert "Polyglot of Test" in hana.get("/requests/rq-1")  # an organisation is named


def test_one_signature_covers_a_list_of_requests(world: World) -> None:
    hana = world.visit("hana")
    world.gate.known.clear()
    where = hana.send("/requests/approve", "/requests", request_id=["rq-1", "rq-2"])
    assert hana.sign(where).status_code == 303
    assert len(approvals(world)) == 2
    assert {status(world, "rq-1"), status(world, "rq-2")} == {"answered"}
    assert world.registry.audit().problems == ()


def test_conditions_hold_until_the_same_party_marks_them_as_met(world: World) -> None:
    hana = world.visit("hana")
    fields = {"decision": "conditions", "condition_label": "Deutsch [KI]", "territories": "DE", "until": "2027-01-31"}
    assert hana.sign(hana.send("/requests/rq-1/approve", "/requests/rq-1", **fields)).status_code == 303
    [approval] = approvals(world)
    assert approval.territories == ("DE",)
    assert approval.window.end is not None
    assert approval.window.end.isoformat() == "2027-02-01T00:00:00+00:00"
    from consent.conditions import open_conditions

    path = f"/approvals/{approval.approval_id}"
    with world.registry.view() as view:
        [history] = view.approvals(["moon"])
        assert open_conditions(approval, history.events, view.now) == approval.conditions
    hana.send(f"{path}/met", path, condition=approval.conditions[0])
    with world.registry.view() as view:
        [history] = view.approvals(["moon"])
        assert open_conditions(approval, history.events, view.now) == ()


def test_a_refusal_needs_words_and_stands_until_it_is_lifted(world: World) -> None:
    hana = world.visit("hana")
    hana.send("/requests/rq-1/refuse", "/requests/rq-1", status=409, reason=" ")
    assert status(world, "rq-1") == "open"
    hana.send("/requests/rq-1/refuse", "/requests/rq-1", reason="Not this film.")
    assert status(world, "rq-1") == "refused"
    hana.send("/requests/rq-1/lift", "/requests/rq-1")
    assert status(world, "rq-1") == "open"


def test_several_requests_are_refused_in_one_gesture(world: World) -> None:
    world.visit("hana").send("/requests/refuse", "/requests", request_id=["rq-1", "rq-2"], reason="None of these.")
    assert {status(world, "rq-1"), status(world, "rq-2")} == {"refused"}


def test_a_standing_refusal_wins_from_now_on_and_can_be_lifted(world: World) -> None:
    hana = world.visit("hana")
    hana.send("/refusals", "/refusals", title_id="moon", words="No AI dub in any form.")
    with world.registry.view() as view:
        [refusal] = view.refusals_by("studio")
    hana.send(f"/refusals/{refusal.refusal_id}/lift", "/refusals")
    assert "lifted" in hana.get("/refusals")


def test_a_suspension_needs_no_passkey_acts_at_once_and_can_be_undone(world: World) -> None:
    ada = world.visit("ada", passkey=False, level="link")
    ada.send("/grants/g-ada/suspend", "/grants/g-ada/suspend")
    with world.registry.view() as view:
        assert not view.grants("v-ada")[0].state(view.now).alive(view.now)
    world.later(seconds=1)
    ada.send("/grants/g-ada/resume", "/grants/g-ada")
    with world.registry.view() as view:
        assert view.grants("v-ada")[0].state(view.now).alive(view.now)


def test_a_withdrawal_shows_its_consequences_first_and_wants_them_read(world: World) -> None:
    ada = world.visit("ada")
    page = "/grants/g-ada/withdraw"
    assert "Live releases that rest on it: 0." in ada.get(page)
    ada.send(page, page, status=409)
    ada.send(page, page, sure="1", reason="No more.")
    with world.registry.view() as view:
        assert not view.grants("v-ada")[0].state(view.now).alive(view.now)
    ada.send(page, page, status=409, sure="1")


def test_a_permission_is_signed_and_taken_back(world: World) -> None:
    ada = world.visit("ada")
    assert ada.sign(ada.send("/voices/v-ada/permit", "/voices/v-ada", kind="protect", years="1")).status_code == 303
    with world.registry.view() as view:
        assert PermissionKind.PROTECT in view.permissions("v-ada", view.now)
        [given] = [p for p in view.standing_permissions("v-ada", view.now) if p.kind is PermissionKind.PROTECT]
    ada.send(f"/voices/v-ada/permissions/{given.permission_id}/withdraw", "/voices/v-ada")
    with world.registry.view() as view:
        assert PermissionKind.PROTECT not in view.permissions("v-ada", view.now)


@pytest.mark.parametrize(("word", "confirmed"), [("confirm", 1), ("reject", 0)])
def test_a_recording_is_confirmed_or_rejected_by_whose_voice_it_is(world: World, word: str, confirmed: int) -> None:
    world.visit("ada").send(f"/voices/v-ada/recordings/en-ada/{word}", "/voices/v-ada")
    with world.registry.view() as view:
        known = view.enrolments("v-ada", view.now)
    assert sum(e.confirmed for e in known) == confirmed
    assert len(known) == confirmed


def test_a_block_is_waived_by_two_approvers_and_judged_again_at_once(world: World) -> None:
    fields = {
        "finding": "k-one",
        "kind": "waive",
        "reason": "creative intent",
        "words": "She laughs here.",
        "days": "30",
    }
    for n, party in enumerate(("rev-a", "rev-b")):
        if party == "rev-b":
            world.registry.add(_ask(party))
        visit = world.visit(party)
        where = visit.sign(visit.send("/deliveries/d-1/answer", "/deliveries/d-1", **fields)).headers["location"]
        outcome = next(f.outcome for f in world.gate.findings["d-1"] if f.key == "k-one")
        assert outcome == ("block" if n == 0 else "waived")
    page = visit.get(where)
    assert "blocked" in page
    assert "held" in page


def _ask(party: str) -> object:

    from consent.requests import RequestKind, Wanted

    listen = Wanted(
        what=RequestKind.ATTESTATION, rule="TXT-LANGUAGE", about="line:c3", question="Which language is it?"
    )
    return request(f"rq-{party}", party, wanted=(listen,))


def test_whose_voice_was_hit_says_not_me_by_their_own_signature(world: World) -> None:
    world.registry.add(_ask("berta"))
    berta = world.visit("berta")
    fields = {"finding": "k-hit", "kind": "attest", "agreed": "yes", "words": "This is not my voice."}
    assert berta.sign(berta.send("/deliveries/d-1/answer", "/requests/rq-berta", **fields)).status_code == 303
    assert next(f.outcome for f in world.gate.findings["d-1"] if f.key == "k-hit") == "pass"


def test_a_performer_grants_exactly_one_release(world: World) -> None:

    from consent.requests import RequestKind, Wanted

    wanted = Wanted(what=RequestKind.GRANT, rule="CON-001", about="character:MARA", question="May your voice be used?")
    world.registry.add(request("rq-ada", "ada", wanted=(wanted,)))
    ada = world.visit("ada")
    assert ada.sign(ada.send("/requests/rq-ada/grant", "/requests/rq-ada", voice_id="v-ada")).status_code == 303
    with world.registry.view() as view:
        new = next(h for h in view.grants("v-ada") if h.grant.grant_id != "g-ada")
        assert new.signed
        assert new.state(view.now).status(new.grant.not_before) is not None
        assert new.grant.territories == ("DE", "AT", "JP")
    assert status(world, "rq-ada") == "answered"


def test_a_performer_grants_nothing_where_the_delivery_is_not_what_was_asked_about(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    from consent.requests import RequestKind, Wanted

    wanted = Wanted(what=RequestKind.GRANT, rule="CON-001", about="character:MARA", question="May your voice be used?")
    world.registry.add(request("rq-ada", "ada", wanted=(wanted,)))
    ada, shown = world.visit("ada"), world.gate.dossier

    def differs(delivery_id: str) -> object:
        found = shown(delivery_id)
        return None if found is None else replace(found, casting=b"another cast")

    monkeypatch.setattr(world.gate, "dossier", differs)
    answer = ada.post("/requests/rq-ada/grant", "/requests/rq-ada", voice_id="v-ada")
    assert answer.status_code == 409, answer.status_code
    assert "/sign/" not in answer.headers.get("location", "")
    with world.registry.view() as view:
        assert [h.grant.grant_id for h in view.grants("v-ada")] == ["g-ada"]
    assert status(world, "rq-ada") == "open"


def test_notes_go_back_to_the_vendor_with_their_times(world: World) -> None:
    review, vendor = world.visit("rev-a"), world.visit("polyglot")
    page = "/deliveries/d-1"
    review.send(f"{page}/return", page, status=409)
    review.send(f"{page}/notes", page, words="=cmd Too late", line_id="c3", start_s="6.0", end_s="7.5")
    assert "Too late" not in vendor.get("/returned/d-1")
    assert "Too late" not in vendor.get(page)
    review.send(f"{page}/return", page)
    assert "Too late" in vendor.get("/returned/d-1")
    assert "6.000,7.500,c3,rev-a,'=cmd Too late" in vendor.get("/returned/d-1/notes.csv")
    assert "note 1\t0:06.000\t0:01.500\tdecimal\tCue\t'=cmd Too late" in vendor.get("/returned/d-1/markers.txt")
    assert any("polyglot@example.org Sent back with notes" in m for m in world.mails())


def test_another_passkey_signs_nothing_in_somebody_elses_name(world: World) -> None:
    hana, rival = world.visit("hana"), world.visit("rival")
    where = hana.send("/requests/rq-1/approve", "/requests/rq-1", decision="approve")
    assert hana.sign(where, rival.key).status_code == 409
    assert hana.sign(where, MadePasskey(credential_id=hana.key.credential_id)).status_code == 409  # type: ignore[union-attr]
    assert approvals(world) == []


def test_a_resubmission_is_linked_to_its_predecessor_and_shows_what_changed_line_by_line(world: World) -> None:
    from dataclasses import replace

    from consent.web.protocols import Lines

    summary, lines = world.gate.known["d-1"], world.gate.lines

    def mended(delivery_id: str, *, start: int, count: int, flagged_first: bool = True) -> Lines:
        found = lines(delivery_id, start=start, count=count, flagged_first=flagged_first)
        if delivery_id == "d-1":
            return found
        changed = {
            "c3": {"outcome": "pass"},
            "c1": {"text": "Another line"},
            "c2": {"start_s": 4.5},
            "c4": {"outcome": "hold"},
        }
        kept = [replace(x, **changed.get(x.line_id, {})) for x in found.lines if x.line_id != "c5"]
        return Lines((*kept, replace(found.lines[0], line_id="c9", start_s=99.0)), 6, 0)

    world.gate.lines = mended  # type: ignore[method-assign]
    world.gate.known["d-2"] = replace(summary, delivery_id="d-2", packets_sha256="3" * 64, predecessor_id="d-1")
    world.gate.findings["d-2"] = []
    review = world.visit("rev-a")
    review.send("/deliveries/d-1/notes", "/deliveries/d-1", words="Late.", line_id="c3", start_s="6", end_s="7")
    review.send("/deliveries/d-1/return", "/deliveries/d-1")
    assert 'href="/deliveries/d-2/changes"' in review.get("/deliveries/d-2")
    assert 'href="/deliveries/d-2"' in world.visit("polyglot").get("/returned/d-1")
    page = review.get("/deliveries/d-2/changes")
    rows = {r.split("<")[0].strip(): r for r in page.split('<th scope="row" data-label="Line">')[1:]}
    said = {
        line: [
            w
            for w in ("mended", "new finding", "other words", "moved", "added", "removed")
            if f">{w}</span>" in rows[line]
        ]
        for line in rows
    }
    assert said == {
        "c1": ["other words"],
        "c2": ["moved"],
        "c3": ["mended"],
        "c4": ["new finding"],
        "c5": ["removed"],
        "c9": ["added"],
    }
    assert "asked for" in rows["c3"]
    review.get("/deliveries/d-1/changes", 404)
