"""Bad input and abuse at the desk; tests/web/ABUSE.md names each case with its test."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from made_passkey import MadePasskey
from test_desk_decisions import approvals, status
from world import World, candidate, request

from consent.asking import request_histories
from consent.errors import StoreError
from consent.events import Event
from consent.vocabulary import EventKind
from consent.web import accounts, sessions
from consent.web.guard import HEADERS

OTHERS = {
    "rival": ["/requests/rq-1", "/titles/moon", "/approvals/ap-none", "/reports?title=moon", "/deliveries/d-1",
              "/deliveries/d-1/sound/dub", "/deliveries/d-1/lines", "/returned/d-1", "/voices", "/voices/v-ada",
              "/accounts", "/deliveries"],
    "berta": ["/voices/v-ada", "/grants/g-ada", "/grants/g-ada/withdraw", "/reports?voice=v-ada", "/requests/rq-1",
              "/titles", "/deliveries/d-1/excerpt/dub?start=0&end=1", "/deliveries/d-1/picture.svg?start=0&end=1",
              "/deliveries/d-1/timeline.json", "/accounts"],
    "rev-b": ["/deliveries/d-1", "/requests/rq-1", "/voices/v-ada", "/titles/moon", "/refusals"],
    "polyglot": ["/requests/rq-rival/x", "/titles/moon", "/voices/v-ada", "/accounts"],
    "op-1": ["/requests/rq-1", "/titles/moon", "/voices/v-ada", "/grants/g-ada", "/deliveries/d-1", "/refusals"],
}  # fmt: skip


@pytest.mark.parametrize("party", OTHERS)
def test_what_concerns_others_is_not_there(world: World, party: str) -> None:
    visit = world.visit(party)
    absent = visit.get("/titles/no-such-title", 404)
    for path in OTHERS[party]:
        page = visit.get(path, 404)
        assert page.replace(path, "") == absent.replace("/titles/no-such-title", "") or "There is nothing here" in page


def test_others_ids_in_forms_change_nothing(world: World) -> None:
    rival, berta = world.visit("rival"), world.visit("berta")
    size = world.registry.head().size
    tries = [
        (rival, "/requests/rq-1/approve", {"decision": "approve"}, 404),
        (rival, "/requests/rq-1/refuse", {"reason": "no"}, 404),
        (rival, "/requests/refuse", {"reason": "no", "request_id": ["rq-rival", "rq-1"]}, 404),
        (rival, "/requests/approve", {"request_id": ["rq-1"]}, 404),
        (rival, "/refusals", {"title_id": "moon", "words": "no"}, 404),
        (berta, "/refusals", {"voice_id": "v-ada", "words": "no"}, 404),
        (berta, "/grants/g-ada/suspend", {}, 404),
        (berta, "/voices/v-ada/permit", {"kind": "protect", "years": "1"}, 404),
        (berta, "/voices/v-berta/recordings/en-ada/confirm", {}, 404),
        (berta, "/voices/v-berta/permissions/pm-v-ada-match/withdraw", {}, 404),
        (rival, "/deliveries/d-1/answer", {"finding": "k-one", "kind": "waive", "words": "x"}, 404),
        (rival, "/deliveries/d-1/notes", {"words": "x"}, 404),
        (rival, "/accounts", {"party_id": "rival", "email": "x@example.org"}, 404),
    ]
    for visit, path, fields, wanted in tries:
        assert visit.post(path, "/security", **fields).status_code == wanted, path
    assert world.registry.head().size == size


def test_whoever_submitted_or_is_of_its_house_answers_nothing_about_it(world: World) -> None:
    vendor = world.visit("polyglot")
    assert (
        vendor.post("/deliveries/d-1/answer", "/security", finding="k-one", kind="waive", words="x").status_code == 404
    )
    assert "k-one" not in world.visit("rev-v").get("/deliveries/d-1").split("<form")[-1]


def test_a_house_s_other_people_see_what_it_was_asked_and_say_nothing_in_its_name(world: World) -> None:
    review = world.visit("rev-a")
    assert "Refuse this release" not in review.get("/requests/rq-1")
    size = world.registry.head().size
    for path, fields in (
        ("/requests/rq-1/refuse", {"reason": "no"}),
        ("/requests/refuse", {"reason": "no", "request_id": ["rq-1", "rq-2"]}),
        ("/requests/rq-1/defer", {}),
        ("/requests/rq-1/approve", {"decision": "approve"}),
    ):
        assert review.post(path, "/security", **fields).status_code == 404, path
    assert world.registry.head().size == size


def test_a_replayed_signature_is_recorded_once(world: World) -> None:
    hana = world.visit("hana")
    where = hana.send("/requests/rq-1/approve", "/requests/rq-1", decision="approve")
    page = hana.get(where)
    first = hana.sign(where)
    assert first.status_code == 303
    answer = hana.client.post(where, data={**hana.hidden(page), "answer": "{}"})
    assert answer.status_code == 409
    assert "nothing was recorded twice" in answer.text
    assert len(approvals(world)) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"client": {"challenge": "AAAA"}},
        {"client": {"origin": "https://desk.example.org.evil.example"}},
        {"client": {"type": "webauthn.create"}},
        {"client": {"crossOrigin": True}},
        {"flags": 0x01},
        {"flags": 0x04},
    ],
    ids=["another challenge", "another origin", "no assertion", "inside another page", "not verified", "nobody there"],
)
def test_a_forged_or_unverified_signature_records_nothing(world: World, changes: dict[str, object]) -> None:
    hana = world.visit("hana")
    where = hana.send("/requests/rq-1/approve", "/requests/rq-1", decision="approve")
    assert hana.sign(where, **changes).status_code == 409
    assert approvals(world) == []
    assert status(world, "rq-1") == "open"
    assert hana.sign(where).status_code == 303  # and the honest one still may


def test_somebody_elses_passkey_signs_nothing(world: World) -> None:
    hana, rival = world.visit("hana"), world.visit("rival")
    where = hana.send("/requests/rq-1/approve", "/requests/rq-1", decision="approve")
    assert hana.sign(where, rival.key).status_code == 409
    assert hana.key is not None
    assert hana.sign(where, MadePasskey(credential_id=hana.key.credential_id)).status_code == 409
    assert rival.client.get(where).status_code == 409  # nor does another account see what waits for a signature
    assert approvals(world) == []


def test_a_removed_passkey_signs_nothing_any_more(world: World) -> None:
    hana = world.visit("hana")
    where = hana.send("/requests/rq-1/approve", "/requests/rq-1", decision="approve")
    from consent.web.ceremonies import passkeys_of
    from consent.web.unkeying import remove_passkey

    world.later(seconds=1)
    [own] = passkeys_of(world.desk, hana.account.account_id)
    remove_passkey(world.desk, hana.account, own["credential_id"], last_too=True)
    world.later(seconds=1)
    answer = hana.sign(where)
    assert answer.status_code == 409
    assert "revoked or has expired" in answer.text
    assert approvals(world) == []


def test_an_approval_of_what_changed_meanwhile_is_refused(world: World) -> None:
    hana = world.visit("hana")
    where = hana.send("/requests/rq-1/approve", "/requests/rq-1", decision="approve")
    said = {"target": "request", "target_id": "rq-1", "kind": EventKind.SUPERSEDED, "by": "polyglot"}
    world.registry.add(Event.model_validate({"event_id": "ev-new", "effective_at": world.now[0], **said}))
    answer = hana.sign(where)
    assert answer.status_code == 409
    assert "Nothing was recorded" in answer.text
    assert approvals(world) == []


def test_nothing_is_approved_while_the_gate_shows_other_bytes_than_were_asked_about(world: World) -> None:
    hana = world.visit("hana")
    changed = candidate(label_plan_sha256="1" * 64)
    world.registry.add(request("rq-3", release=changed))
    assert "is not what you were asked about" in hana.get("/requests/rq-3")
    assert hana.post("/requests/rq-3/approve", "/requests/rq-3", decision="approve").status_code == 409


def test_a_double_click_records_once(world: World) -> None:
    ada = world.visit("ada")
    hidden = ada.hidden(ada.get("/grants/g-ada/suspend"))
    size = world.registry.head().size
    answers = [ada.client.post("/grants/g-ada/suspend", data=hidden) for _ in range(3)]
    assert [a.status_code for a in answers] == [303] * 3
    assert answers[1].headers["location"].endswith("said=already")
    assert world.registry.head().size == size + 1


def test_two_people_of_one_house_at_once_decide_once_and_the_second_is_told(world: World) -> None:
    hana, studio = world.visit("hana"), world.visit("studio")
    pages = [v.send("/requests/rq-1/approve", "/requests/rq-1", decision="approve") for v in (hana, studio)]
    answers: list[int] = []

    def sign(k: int) -> None:
        answers.append((hana, studio)[k].sign(pages[k]).status_code)

    threads = [threading.Thread(target=sign, args=(k,)) for k in range(2)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(answers) == [303, 409]
    assert len(approvals(world)) == 1


def test_an_approval_and_a_refusal_at_once_leave_one_of_them(world: World) -> None:
    hana, studio = world.visit("hana"), world.visit("studio")
    where = hana.send("/requests/rq-1/approve", "/requests/rq-1", decision="approve")
    studio.send("/requests/rq-1/refuse", "/requests/rq-1", reason="No.")
    assert hana.sign(where).status_code == 409
    assert (approvals(world), status(world, "rq-1")) == ([], "refused")


def test_script_in_names_titles_and_notes_is_shown_as_text(world: World) -> None:
    evil = '<script>alert(1)</script><img src=x onerror="x">'
    review = world.visit("rev-a")
    review.send("/deliveries/d-1/notes", "/deliveries/d-1", words=evil, line_id=evil, start_s="1", end_s="2")
    review.send("/deliveries/d-1/return", "/deliveries/d-1")
    world.visit("hana").send("/requests/rq-2/refuse", "/requests/rq-2", reason=evil)
    pages = [
        review.get("/deliveries/d-1"),
        review.get("/deliveries/d-1/lines"),
        world.visit("polyglot").get("/returned/d-1"),
        world.visit("hana").get("/requests/rq-2"),
        world.visit("rival").get("/requests/rq-rival"),
        world.visit("rival").get("/titles"),
    ]
    for page in pages:
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "<b>Tide" not in page
    assert "&lt;script&gt;" in pages[0]


def test_a_body_of_more_than_a_megabyte_is_refused_before_it_is_read(world: World) -> None:
    hana = world.visit("hana")
    large = hana.client.post("/refusals", content=b"x" * 1_100_000, headers={"content-type": "text/plain"})
    assert large.status_code == 413

    def endless() -> object:
        for _ in range(40):
            yield b"words=" + b"x" * 50_000

    chunked = hana.client.post(
        "/refusals", content=endless(), headers={"content-type": "application/x-www-form-urlencoded"}
    )
    assert chunked.status_code in (400, 413)
    files = hana.client.post("/refusals", files={"words": ("a.txt", b"x" * 1000)}, data={})
    assert files.status_code == 400
    assert large.headers["content-security-policy"]


def test_a_session_that_ended_in_the_middle_of_a_decision_records_nothing(world: World) -> None:
    hana = world.visit("hana")
    page = hana.get("/requests/rq-1")
    world.later(hours=2)
    answer = hana.client.post("/requests/rq-1/refuse", data={**hana.hidden(page), "reason": "no"})
    assert answer.headers["location"] == "/sign-in?said=ended"
    assert status(world, "rq-1") == "open"


def test_a_form_that_failed_may_be_sent_again_and_one_that_worked_may_not(world: World) -> None:
    hana = world.visit("hana")
    hidden = hana.hidden(hana.get("/requests/rq-1"))
    from consent.web import acting

    def broken(*_: object, **__: object) -> None:
        raise StoreError("the disk is full")

    kept, acting.record = acting.record, broken  # type: ignore[assignment]
    try:
        assert hana.client.post("/requests/rq-1/refuse", data={**hidden, "reason": "no"}).status_code == 503
    finally:
        acting.record = kept
    assert status(world, "rq-1") == "open"
    assert hana.client.post("/requests/rq-1/refuse", data={**hidden, "reason": "no"}).status_code == 303
    assert status(world, "rq-1") == "refused"
    again = hana.client.post("/requests/rq-1/refuse", data={**hidden, "reason": "no"})
    assert again.headers["location"].endswith("said=already")


@pytest.mark.parametrize(
    ("headers", "csrf"),
    [
        ({"origin": "https://evil.example"}, None),
        ({"origin": "null"}, None),
        ({"origin": ""}, None),
        ({"sec-fetch-site": "cross-site"}, None),
        ({"sec-fetch-site": "same-site"}, None),
        ({}, "wrong"),
        ({}, ""),
    ],
)
def test_a_form_of_another_site_or_session_is_refused(world: World, headers: dict[str, str], csrf: str | None) -> None:
    ada = world.visit("ada")
    hidden = ada.hidden(ada.get("/grants/g-ada/suspend"))
    if csrf is not None:
        hidden["csrf"] = csrf
    size = world.registry.head().size
    assert ada.client.post("/grants/g-ada/suspend", data=hidden, headers=headers).status_code == 403
    assert world.registry.head().size == size


def test_another_sessions_token_is_refused(world: World) -> None:
    ada, berta = world.visit("ada"), world.visit("berta")
    hidden = berta.hidden(berta.get("/grants/g-berta/suspend"))
    assert ada.client.post("/grants/g-ada/suspend", data=hidden).status_code == 403


def test_whoever_sends_too_many_forms_waits(world: World) -> None:
    ada = world.visit("ada")
    hidden = ada.hidden(ada.get("/security"))
    answers = {ada.client.post("/security/sessions/end", data=hidden).status_code for _ in range(125)}
    assert answers == {303, 429}


@pytest.mark.parametrize(
    "path",
    [
        "/requests/..%2f..%2fetc",
        "/static/..%2fapp.py",
        "/titles/moon%00",
        "/deliveries/%2e%2e",
        "/sign/ch-1",
        "/x" * 900,
        *(f"{page}start={n}" for page in ("/requests?", "/titles?", "/reports?") for n in ("-1", "9" * 30)),
    ],
)
def test_odd_addresses_are_nothing(world: World, path: str) -> None:
    assert world.visit("hana").client.get(path).status_code in (404, 409)


def test_every_answer_carries_the_strict_headers(world: World) -> None:
    hana = world.visit("hana")
    for path in ("/", "/sign-in", "/static/desk.css", "/no-such-page", "/record.json"):
        answer = hana.client.get(path)
        for name, value in HEADERS.items():
            assert answer.headers[name] == value
        assert "strict-transport-security" in answer.headers
    assert "unsafe" not in HEADERS["content-security-policy"]


def test_no_page_has_script_or_style_of_its_own(world: World) -> None:
    import re

    for party, path in (
        ("hana", "/requests/rq-1"),
        ("rev-a", "/deliveries/d-1"),
        ("hana", "/reports"),
        ("ada", "/voices/v-ada"),
    ):
        page = world.visit(party).get(path)
        assert not re.search(r"<script(?![^>]*\bsrc=)", page)
        assert not re.search(r"\son[a-z]+=", page)
        assert not re.search(r"\sstyle=|<style", page)


def test_excerpts_are_only_of_ones_own_clips_and_never_long(world: World) -> None:
    ada = world.visit("ada")
    path = "/deliveries/d-1/excerpt/dub"
    assert ada.client.get(f"{path}?start=2.0&end=3.5").status_code == 200
    for span in (
        "start=2.0&end=9.0",
        "start=100&end=101",
        "start=3&end=2",
        "start=-1&end=1",
        "start=0&end=1e9",
        "start=nan&end=1",
    ):
        assert ada.client.get(f"{path}?{span}").status_code in (404, 422), span
    assert ada.client.get("/deliveries/d-1/sound/dub").status_code == 404
    assert world.visit("rev-a").client.get(f"{path}?start=0&end=60").status_code == 404


def test_sound_is_served_by_range(world: World) -> None:
    answer = world.visit("rev-a").client.get("/deliveries/d-1/sound/dub", headers={"range": "bytes=10-19"})
    assert (answer.status_code, len(answer.content)) == (206, 10)
    assert answer.headers["content-range"].startswith("bytes 10-19/")


def test_a_registry_that_does_not_answer_is_told_and_decides_nothing(world: World) -> None:
    hana = world.visit("hana")
    hidden = hana.hidden(hana.get("/requests/rq-1"))
    path = world.folder / "registry.db"
    path.rename(world.folder / "gone.db")
    try:
        answer = hana.client.post("/requests/rq-1/refuse", data={**hidden, "reason": "no"})
    finally:
        (world.folder / "gone.db").rename(path)
    assert answer.status_code == 503
    assert status(world, "rq-1") == "open"


def test_a_role_that_the_registry_took_away_is_gone_with_the_account(world: World) -> None:
    hana = world.visit("hana")
    assert hana.client.get("/titles").status_code == 200
    accounts.end_account(world.desk, hana.account.account_id)
    assert hana.client.get("/titles").status_code == 303
    assert sessions.sessions_of(world.desk, hana.account.account_id) == []


def test_a_claim_that_does_not_count_opens_nothing(world: World) -> None:
    hana = world.visit("hana")
    withdrawn = {"target": "claim", "target_id": "c-moon", "kind": EventKind.WITHDRAWN, "by": "studio"}
    world.registry.add(Event.model_validate({"event_id": "ev-c", "effective_at": world.now[0], **withdrawn}))
    world.later(seconds=1)
    hana.get("/titles/moon", 404)
    assert "Moon over" not in hana.get("/titles")


def test_terms_that_go_beyond_what_was_asked_are_refused(world: World) -> None:
    hana = world.visit("hana")
    for fields in ({"territories": "US"}, {"territories": "XX"}, {"until": "2030-01-01"}, {"until": "2020-01-01"}, {}):
        sent = hana.post("/requests/rq-1/approve", "/requests/rq-1", decision="conditions", **fields)
        assert sent.status_code == 409, fields


def test_an_answer_that_the_gate_does_not_take_records_nothing(world: World) -> None:
    review = world.visit("rev-a")
    where = review.send("/deliveries/d-1/answer", "/deliveries/d-1", finding="k-one", kind="waive", words="Meant so.")
    del world.gate.findings["d-1"][0]
    assert (
        review.post("/deliveries/d-1/answer", "/deliveries/d-1", finding="k-one", kind="waive", words="x").status_code
        == 404
    )
    assert review.sign(where).status_code == 303  # signed and kept, and it has nothing left to change
    assert all(f.key != "k-one" for f in world.gate.findings["d-1"])


def test_a_list_changed_under_the_signature_enters_not_even_in_part(world: World) -> None:
    hana = world.visit("hana")
    world.gate.known.clear()
    where = hana.send("/requests/approve", "/requests", request_id=["rq-1", "rq-2"])
    said = {"target": "request", "target_id": "rq-2", "kind": EventKind.WITHDRAWN, "by": "polyglot"}
    world.registry.add(Event.model_validate({"event_id": "ev-w", "effective_at": world.now[0], **said}))
    assert hana.sign(where).status_code == 409
    assert approvals(world) == []
    with world.registry.view() as view:
        [history] = request_histories(view, "request:rq-1")
        assert history.waiting(view.now)


def test_a_signature_page_is_over_after_ten_minutes(world: World) -> None:
    hana = world.visit("hana")
    where = hana.send("/requests/rq-1/approve", "/requests/rq-1", decision="approve")
    world.later(minutes=11)
    assert hana.client.get(where).status_code == 409
    assert "Ten minutes" in hana.client.get(where).text


def test_the_outbox_and_the_tables_keep_no_secret_in_clear(world: World) -> None:
    hana = world.visit("hana")
    token = hana.client.cookies[sessions.COOKIE]
    codes = accounts.new_codes(world.desk, hana.account.account_id)
    link = sessions.new_link(world.desk, hana.account.account_id, "sign_in", timedelta(minutes=5))
    world.desk.tables.close()
    kept = b"".join(p.read_bytes() for p in world.folder.glob("desk.db*"))
    for secret in (token, *codes, link):
        assert secret.encode() not in kept
