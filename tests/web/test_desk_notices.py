"""Who is told of what, once: requests, decisions, hits, titles submitted without their holder, consents that end soon."""

from __future__ import annotations

import http.server
import json
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from world import SOUND, START, World

from consent.events import Event
from consent.releases import Release, ReleaseDecision, VoiceUse
from consent.vocabulary import Channel, EventKind, Technique
from consent.web import accounts
from consent.web.outbox import MailBox, Message
from consent.web.settings import Smtp, Webhook
from consent.web.watching import watch


def told(world: World, word: str) -> list[str]:
    return [m.splitlines()[0] for m in world.mails() if word in m]


@pytest.fixture
def addressed(world: World) -> World:
    for party in ("studio", "hana", "rival", "ada", "berta", "polyglot", "op-1"):
        accounts.add_account(world.desk, party, f"{party}@example.org")
    return world


def test_everybody_is_told_of_a_request_once(addressed: World) -> None:
    watch(addressed.desk)
    assert (
        len(told(addressed, "You are asked to decide: Moon over Harbour")) == 2
    )  # two requests, one address of the studio
    n = len(addressed.mails())
    watch(addressed.desk)
    assert len(addressed.mails()) == n


def test_whoever_asked_learns_of_the_decision_in_the_decider_s_words(addressed: World) -> None:
    from consent.web.watching import told_asker

    told_asker(addressed.desk, ["rq-1"], "refused", "Not this film.")
    [mail] = [m for m in addressed.mails() if "Refused: Moon over Harbour" in m]
    assert mail.startswith("polyglot@example.org")
    assert "Not this film." in mail


def test_an_owner_learns_that_their_voice_was_heard_and_a_holder_that_a_title_was_submitted_without_them(
    addressed: World,
) -> None:
    said = {"target": "voice", "target_id": "v-berta", "kind": EventKind.HEARD, "by": "op-1", "ref": SOUND}
    addressed.registry.add(Event.model_validate({"event_id": "hit-1", "effective_at": START, **said}))
    summary = addressed.gate.known["d-1"]
    stolen = replace(summary, delivery_id="d-2", title_id="tide", title="Tide", packets_sha256="4" * 64)
    addressed.gate.known["d-2"] = stolen
    addressed.gate.findings["d-2"] = []
    watch(addressed.desk)
    assert told(addressed, "Your voice was heard") == [
        "berta@example.org Your voice was heard in a delivery that you did not grant"
    ]
    assert told(addressed, "submitted without you") == ["rival@example.org Your title was submitted without you: Tide"]


def test_consents_that_end_are_told_of_at_90_30_and_7_days(addressed: World) -> None:
    end = datetime.fromisoformat("2027-12-31T00:00:00+00:00")
    counts = []
    for days in (91, 89, 60, 29, 8, 6, 1):
        addressed.now[0] = end - timedelta(days=days)
        watch(addressed.desk)
        counts.append(len([m for m in addressed.mails() if m.startswith("ada@") and "A consent ends on" in m]))
    assert counts == [0, 1, 1, 2, 2, 3, 3]
    assert all(
        "30 UTC" in m for m in addressed.mails() if "A consent ends on" in m
    )  # its last day, not the midnight after


def test_a_withdrawal_writes_the_takedown_notice_and_tells_who_released(addressed: World) -> None:
    from world import WINDOW

    addressed.registry.add(
        Release(
            release_id="r-1",
            decision=ReleaseDecision.RELEASE,
            title_id="moon",
            language="en",
            territories=("DE",),
            channels=(Channel.SVOD,),
            window=WINDOW,
            packets_sha256=SOUND,
            voices=(VoiceUse(voice_id="v-ada", grant_id="g-ada", technique=Technique.VOICE_CLONE_TTS),),
            recorded_by="op-1",
            decided_at=START,
        )
    )
    from consent.consequences import record_ending
    from consent.web.watching import told_of_ending

    addressed.later(seconds=1)
    ending = record_ending(addressed.registry, "grant:g-ada", EventKind.WITHDRAWN, by="ada", reason="No more.")
    told_of_ending(addressed.desk, ending)
    assert told(addressed, "A consent has ended") == ["op-1@example.org A consent has ended, and releases rest on it"]
    [notice] = (addressed.desk.settings.outbox / "takedown").glob("msg-*.txt")
    assert "No more." in notice.read_text()


@pytest.fixture
def endpoint() -> Iterator[tuple[str, list[Any]]]:
    """Somebody who listens for webhooks and for mail that is not encrypted."""
    got: list[Any] = []

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append((dict(self.headers), self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = socketserver.TCPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/hook", got
    server.shutdown()
    server.server_close()


def test_a_notice_goes_to_the_webhook_and_a_sign_in_link_never_does(
    world: World, endpoint: tuple[str, list[Any]]
) -> None:
    url, got = endpoint
    secret = "whsec_" + "A" * 32
    settings = replace(world.desk.settings, webhook=Webhook(url, secret, allow_private=True))
    box = MailBox(settings, world.desk.clock)
    message = Message("a@example.org", "request", "Asked\r\nBcc: x@y", "Words", "head", "https://x")
    box.send(message, secret=True)
    box.wait()
    assert got == []
    name = box.send(message)
    box.wait()
    [(headers, body)] = got
    assert headers["webhook-id"] == name
    assert json.loads(body)["checkpoint"] == "head"
    assert "Bcc" not in (world.desk.settings.outbox / f"{name}.eml").read_text().split("\n\n")[0].replace(
        "Asked Bcc", ""
    )
    assert {m.get("webhook") for m in box.all()} == {None, "delivered"}


def test_mail_that_cannot_be_sent_lies_in_the_outbox_and_says_so(world: World) -> None:
    settings = replace(world.desk.settings, smtp=Smtp("127.0.0.1", 1, starttls=False))
    box = MailBox(settings, world.desk.clock)
    box.send(Message("a@example.org", "request", "Asked", "Words", "head"))
    box.wait()
    assert [m["smtp"] for m in box.all()] == ["not sent: ConnectionRefusedError"]
