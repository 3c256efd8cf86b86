"""Who is told what, when and how often: verdicts, withdrawals, takedowns, warnings; renewals that come by themselves."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest
from made_certificate import LATER, VALID, with_gate
from made_delivery import SOUNDS
from made_service import AT, Api, House
from test_jobs_survive import found, queued
from test_races import give_again, withdraw

from consent.approvals import Approval
from consent.consequences import record_ending
from consent.events import Event
from consent.registry import Registry
from consent.releases import Release
from consent.titles import Refusal
from consent.vocabulary import ApprovalDecision, EventKind
from consent.webhooks import signature
from consent.writing import Addition
from dubgate.certificate.dsse import signer_of
from dubgate.certificate.keys import trust_store_bytes
from dubgate.certificate.trust import Validity
from dubgate.service import jobs
from dubgate.service.messages import PAUSES_S, Told, deliver_one
from dubgate.service.renewing import schedule
from dubgate.service.telling import _of_entry, tell_of_endings, tell_of_revoked_gates
from dubgate.service.warning import Warnings

ALL = ["verdict", "withdrawal", "takedown", "warning"]


@pytest.fixture
def api(released_house: House, tmp_path: Path) -> Iterator[Api]:
    with released_house.copied(tmp_path / "released").api(allow_private_webhooks=True) as opened:
        tell_of_endings(opened.state.engine, opened.state.registry, opened.state.own, AT)
        yield opened


@pytest.fixture
def placed(house: House) -> Iterator[Api]:
    """The same, with the delivery still where it was submitted, so that it can be judged again."""
    with house.api() as opened:
        opened.released()
        yield opened


class Receiver:
    """An endpoint that keeps what it gets and answers as it is told."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []

    @contextmanager
    def listening(self) -> Iterator[str]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.got.append(({k.lower(): v for k, v in self.headers.items()}, body))
                self.send_response(receiver.answers.pop(0) if receiver.answers else 204)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                return

        server = HTTPServer(("127.0.0.1", 0), Handler)
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/hook"
        finally:
            server.shutdown()
            server.server_close()


def subscribed(api: Api, url: str, kinds: list[str] | None = None) -> dict[str, Any]:
    answer = api.client.post("/v1/webhooks", json={"url": url, "kinds": kinds or ALL}, headers=api.vendor)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def sent(api: Api, kind: str | None = None) -> list[dict[str, Any]]:
    """The messages of the outbox, oldest first."""
    items = api.client.get("/v1/messages", headers=api.vendor).json()["items"]
    return [m for m in reversed(items) if kind in (None, m["kind"])]


def deliver(api: Api) -> bool:
    return deliver_one(api.state.engine, api.state.own, api.house.clock, allow_private=True)


def follow(api: Api) -> int:
    return tell_of_endings(api.state.engine, api.state.registry, api.state.own, api.house.clock())


def look(api: Api) -> int:
    """One round of warnings."""
    made = Warnings(api.state.engine, api.state.own, api.house.settings)
    return made.look(api.state.registry, api.state.trust, api.house.clock())


# Sending


def test_a_verdict_is_told_once_signed_as_standard_webhooks_says(api: Api) -> None:
    receiver = Receiver()
    with receiver.listening() as url:
        secret = subscribed(api, url)["secret"]
        queued(api.house)
        assert api.house.worker().step()
        assert deliver(api)
        assert not deliver(api)
    [(headers, body)] = receiver.got
    wanted = signature(secret, headers["webhook-id"], int(headers["webhook-timestamp"]), body)
    assert headers["webhook-signature"] == wanted
    told = json.loads(body)
    assert told["type"] == "dubgate.verdict"
    assert told["data"]["decision"] == "release"
    [message] = sent(api)
    assert message["delivered_at"] is not None
    assert message["message_id"] == headers["webhook-id"]


def test_a_receiver_that_fails_is_tried_again_with_growing_pauses_and_one_id(api: Api) -> None:
    receiver = Receiver()
    receiver.answers = [500, 503, 204]
    with receiver.listening() as url:
        subscribed(api, url)
        queued(api.house)
        assert api.house.worker().step()
        for pause in (0, *PAUSES_S[:2]):
            api.house.clock.forward(seconds=pause)
            deliver(api)
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1
    assert len(receiver.got) == 3
    assert sent(api)[0]["delivered_at"] is not None


def test_it_is_not_tried_again_before_its_pause_is_over_and_given_up_after_the_last(api: Api) -> None:
    receiver = Receiver()
    receiver.answers = [500] * 50
    with receiver.listening() as url:
        subscribed(api, url)
        queued(api.house)
        assert api.house.worker().step()
        for pause in PAUSES_S:
            assert deliver(api)
            api.house.clock.forward(seconds=pause - 1)
            assert not deliver(api)
            api.house.clock.forward(seconds=1)
        assert deliver(api)
        api.house.clock.forward(days=30)
        assert not deliver(api)
        [message] = sent_of(api)
        assert message["error"] == "it answered 500"
        receiver.answers = []
        path = f"/v1/webhooks/{message['webhook_id']}/messages/{message['message_id']}/replays"
        submitter = {"authorization": f"Bearer {api.house.token('polyglot', 'submit', 'read')}"}
        assert api.client.post(path, headers=submitter).status_code == 202
        assert deliver(api)
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1


def sent_of(api: Api) -> list[dict[str, Any]]:
    """As `sent`, where the usual token has expired meanwhile."""
    reader = {"authorization": f"Bearer {api.house.token('polyglot', 'read')}"}
    return list(api.client.get("/v1/messages", headers=reader).json()["items"])


def test_a_receiver_that_is_gone_wants_no_more_of_it(api: Api) -> None:
    receiver = Receiver()
    receiver.answers = [410]
    with receiver.listening() as url:
        subscribed(api, url)
        queued(api.house)
        assert api.house.worker().step()
        assert deliver(api)
    assert sent(api)[0]["next_at"] is None


@pytest.mark.parametrize(
    "address", ["10.0.0.1", "127.0.0.1", "169.254.169.254", "::1", "fd00::1", "::ffff:10.0.0.1", "fec0::1"]
)
def test_no_message_goes_to_the_inside(address: str, house: House) -> None:
    """A public name that points inside when the message is sent."""
    with house.api() as api:
        subscribed(api, "https://pipeline.example.org/hook")
        queued(house)
        assert house.worker().step()
        assert deliver_one(
            api.state.engine, api.state.own, house.clock, allow_private=False, resolve=lambda *_: [address]
        )
        assert "not a public address" in sent(api)[0]["error"]


@pytest.mark.parametrize(
    "url",
    ["http://example.org/", "ftp://example.org/x", "https://me:pw@example.org/", "https:///x", "https://exa mple.org/"],
)
def test_an_endpoint_that_is_no_public_https_url_is_refused(url: str, house: House) -> None:
    with house.api() as api:
        answer = api.client.post("/v1/webhooks", json={"url": url, "kinds": ["verdict"]}, headers=api.vendor)
        assert answer.status_code == 409, answer.text


def test_a_secret_is_shown_once_and_lies_encrypted(api: Api) -> None:
    key = {"idempotency-key": "hook-one-time"}
    body = {"url": "https://pipeline.example.org/hook", "kinds": ["verdict"]}
    first = api.client.post("/v1/webhooks", json=body, headers=api.vendor | key).json()
    again = api.client.post("/v1/webhooks", json=body, headers=api.vendor | key).json()
    assert again["webhook_id"] == first["webhook_id"]
    assert again.get("secret") is None
    assert all(w.get("secret") is None for w in api.client.get("/v1/webhooks", headers=api.vendor).json()["items"])
    secret = first["secret"].removeprefix("whsec_").encode()
    assert all(secret not in p.read_bytes() for p in api.house.folder.rglob("*") if p.is_file())


def test_a_removed_endpoint_gets_nothing_and_another_organisation_removes_nothing(api: Api) -> None:
    receiver = Receiver()
    with receiver.listening() as url:
        named = subscribed(api, url)["webhook_id"]
        queued(api.house)
        assert api.house.worker().step()
        other = api.as_("other-house", "submit")
        assert api.client.delete(f"/v1/webhooks/{named}", headers=other).status_code == 404
        assert api.client.delete(f"/v1/webhooks/{named}", headers=api.vendor).status_code == 200
        assert deliver(api)
    assert receiver.got == []


# Endings


def test_a_withdrawal_is_told_with_what_to_take_down_and_once(api: Api) -> None:
    subscribed(api, "https://pipeline.example.org/hook")
    withdraw(api.house)
    assert follow(api) == 2
    assert follow(api) == 0
    kinds = [m["kind"] for m in sent(api)]
    assert sorted(kinds) == ["takedown", "withdrawal"]


def test_a_takedown_names_the_certificates_of_that_organisation_alone(api: Api) -> None:
    from sqlalchemy import select

    from dubgate.service.tables import MESSAGE

    subscribed(api, "https://pipeline.example.org/hook", ["takedown"])
    other = api.client.post(
        "/v1/webhooks", json={"url": "https://o.example.org/", "kinds": ALL}, headers=api.as_("other-house", "submit")
    )
    assert other.status_code == 201
    certificate = api.client.get("/v1/certificates", headers=api.vendor).json()["items"][0]
    withdraw(api.house)
    follow(api)
    with api.state.engine.connect() as connection:
        [row] = connection.execute(select(MESSAGE)).mappings().all()
    assert row["organisation"] == "polyglot"
    assert json.loads(row["body"])["data"]["certificates"] == [certificate["certificate_id"]]


def test_a_standing_refusal_takes_down_what_it_meets(api: Api) -> None:
    subscribed(api, "https://pipeline.example.org/hook")
    for refusal_id, title in (("r-other", []), ("r-now", ["last-train"])):
        told = {
            "refusal_id": refusal_id, "by": "kestrel", "title_ids": title, "words": {"en": "Not this one."},
            "voice_ids": [] if title else ["v-karl"], "not_before": "2026-11-15T09:00:00Z",
        }  # fmt: skip
        with Registry.open(api.house.registry, clock=api.house.clock) as registry:
            registry.add(Refusal.model_validate_json(json.dumps(told)))
    assert follow(api) == 1
    assert [m["kind"] for m in sent(api)] == ["takedown"]


def test_a_holders_no_takes_down_what_it_meets(api: Api) -> None:
    """May-publish says no from then on; who published already is told."""
    subscribed(api, "https://pipeline.example.org/hook", ["takedown"])
    world = api.house.place.world
    for sounds in (replace(SOUNDS, dub=replace(SOUNDS.dub, packet_sha256="9" * 64)), SOUNDS):
        envelope = world.approval(sounds=sounds, decision=ApprovalDecision.REJECT, at=api.house.clock())
        record = json.loads(b64decode(json.loads(envelope)["payload"]))["predicate"]
        record.pop("schema")
        with Registry.open(api.house.registry, clock=api.house.clock) as registry:
            registry.add(Addition(Approval.model_validate_json(json.dumps(record)), envelope=envelope.decode()))
        assert follow(api) == (1 if sounds == SOUNDS else 0)
    assert [m["kind"] for m in sent(api)] == ["takedown"]


def test_an_objection_to_a_use_takes_down_the_releases_of_that_sound(api: Api) -> None:
    """As of a standing approval; here the one that the release rests on is taken for one."""
    subscribed(api, "https://pipeline.example.org/hook", ["takedown"])
    with api.state.registry.view() as view:
        [release] = [r for e in view.store.of_kind(Release) if isinstance(r := e.record, Release)]
        [approval_id] = release.approval_ids
        said = {"event_id": "e-no", "target": "use_notice", "target_id": "un-1", "kind": "objected", "by": "kestrel"}
        event = Event.model_validate_json(json.dumps(said | {"effective_at": AT.isoformat()}))
        entry: Any = SimpleNamespace(schema_name=Event.schema_name, record=event, recorded_at=AT)

        def told(packets_sha256: str) -> list[Told]:
            notice = SimpleNamespace(approval_id=approval_id, packets_sha256=packets_sha256)
            with patch.object(type(view), "record", return_value=notice):
                return [*_of_entry(view, entry, api.state.engine, AT)]

        assert [t.kind for t in told(release.packets_sha256)] == ["withdrawal", "takedown"]
        assert told("9" * 64) == []


def test_a_revoked_gate_takes_down_what_it_signed_and_once(api: Api) -> None:
    subscribed(api, "https://pipeline.example.org/hook")
    store = api.house.place.trust
    assert tell_of_revoked_gates(api.state.engine, store, LATER) == 0
    revoked = with_gate(store, validity=Validity(VALID.not_before, VALID.not_after, AT))
    assert tell_of_revoked_gates(api.state.engine, revoked, LATER) == 1
    assert tell_of_revoked_gates(api.state.engine, revoked, LATER + timedelta(days=1)) == 0


def test_what_merely_expires_is_told_to_nobody(api: Api) -> None:
    subscribed(api, "https://pipeline.example.org/hook")
    api.house.clock.forward(days=2)
    assert follow(api) == 0


def test_endings_before_the_service_began_are_not_told(house: House) -> None:
    withdraw(house)
    with house.api(allow_private_webhooks=True) as api:
        subscribed(api, "https://pipeline.example.org/hook")
        assert follow(api) == 0


# Renewal and warnings


def test_a_live_release_is_renewed_before_it_expires_and_by_itself(placed: Api) -> None:
    house = placed.house
    assert schedule(placed.state.engine, placed.state.own, house.settings, house.clock()) == 0
    house.clock.forward(hours=18, minutes=1)
    assert schedule(placed.state.engine, placed.state.own, house.settings, house.clock()) == 1
    assert schedule(placed.state.engine, placed.state.own, house.settings, house.clock()) == 0, "one is open"
    assert house.worker(judgement=house.place.world.judged(at=house.clock())).step()
    house.clock.forward(hours=6)
    answer = placed.ask()
    assert answer.status_code == 200, "without the renewal it would have expired"
    assert answer.json()["verified_at"].startswith("2026-12-03")
    assert schedule(placed.state.engine, placed.state.own, house.settings, house.clock()) == 0


def test_what_was_refused_since_is_not_renewed(placed: Api) -> None:
    house = placed.house
    house.clock.forward(hours=1)
    queued(house)
    assert house.worker(judgement=house.blocked()).step()
    house.clock.forward(hours=18)
    assert schedule(placed.state.engine, placed.state.own, house.settings, house.clock()) == 0


def test_a_renewal_without_consent_is_blocked_and_not_renewed_again(placed: Api) -> None:
    house = placed.house
    withdraw(house)
    house.clock.forward(hours=18, minutes=1)
    assert schedule(placed.state.engine, placed.state.own, house.settings, house.clock()) == 1
    assert house.worker(judgement=house.place.world.judged(at=house.clock())).step()
    house.clock.forward(hours=2)
    assert schedule(placed.state.engine, placed.state.own, house.settings, house.clock()) == 0
    assert placed.ask().json()["reason"] == "failed"


def test_a_renewal_that_fails_is_queued_again_an_hour_later_and_through_an_outage(placed: Api) -> None:
    house = placed.house
    house.clock.forward(hours=18, minutes=1)
    assert schedule(placed.state.engine, placed.state.own, house.settings, house.clock()) == 1
    from test_jobs_survive import _broken

    worker = house.worker(hear=_broken)
    while worker.step():
        pass
    assert schedule(placed.state.engine, placed.state.own, house.settings, house.clock()) == 0, "not twice in one hour"
    house.clock.forward(hours=30)
    assert schedule(placed.state.engine, placed.state.own, house.settings, house.clock()) == 1


def test_a_renewal_can_be_asked_for(placed: Api) -> None:
    named = placed.client.get("/v1/certificates", headers=placed.vendor).json()["items"][0]["certificate_id"]
    answer = placed.client.post(f"/v1/certificates/{named}/renewals", headers=placed.vendor)
    assert answer.status_code == 202, answer.text
    job_id = answer.json()["job_id"]
    placed.house.clock.forward(minutes=1)
    from dubgate.service.sources import source_sha256

    before = found(placed.house, job_id)
    assert before.request["renews"] == named
    assert before.kind == jobs.RENEW
    assert source_sha256("polyglot", before.request) != source_sha256("other-house", before.request)


def test_what_will_stop_a_release_is_told_three_days_before_and_once(api: Api) -> None:
    """The holder's key ends at a moment that is already known, and with it the approval that it signed."""
    house = api.house
    subscribed(api, "https://pipeline.example.org/hook")
    end = house.clock() + timedelta(hours=80)
    with Registry.open(house.registry, clock=house.clock) as registry, registry.view() as view:
        [approval] = view.releases("title:last-train")[0].approval_ids
    with Registry.open(house.registry, clock=house.clock) as registry:
        record_ending(
            registry, f"approval:{approval}", EventKind.WITHDRAWN, by="kestrel", effective_at=end, reason="planned"
        )
    assert look(api) == 0
    house.clock.forward(hours=9)
    assert look(api) == 1
    assert look(api) == 0
    [message] = [m for m in sent(api) if m["kind"] == "warning"]
    assert message["kind"] == "warning"


def test_the_end_of_the_trust_store_is_warned_of_72_hours_ahead_and_not_before(api: Api) -> None:
    house = api.house
    subscribed(api, "https://pipeline.example.org/hook")
    store = replace(house.place.trust, expires_at=AT + timedelta(hours=80), version=2)
    (house.folder / "trust.json").write_bytes(trust_store_bytes(store, signer_of(house.place.keys.root)))
    api.state.trust._looked = -1e9  # type: ignore[union-attr]
    assert look(api) == 0
    house.clock.forward(hours=9)
    assert look(api) == 1
    assert look(api) == 0
    [message] = sent(api)
    assert message["kind"] == "warning"


def test_a_withdrawal_that_is_given_back_leaves_it_publishable(api: Api) -> None:
    withdraw(api.house)
    give_again(api.house)
    assert api.ask().status_code == 200
