"""A withdrawal names what rests on it, writes a notice that people and pipelines can read, and sends it until it arrives."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from consent_examples import DAY, NOW, VECTOR, Ticking, enrolment, event, grant, key, open_world, use
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consent.consequences import endings, record_ending, touched
from consent.errors import StoreError
from consent.notices import PREDICATE_TYPE, Outbox, in_words, notice_id
from consent.registry import Registry
from consent.releases import Planned, Release, ReleaseDecision, VoiceUse
from consent.strict import Window
from consent.vocabulary import Channel, EventKind, Role, Technique
from consent.webhooks import Endpoint, WebhookError, checked_address, send, signature
from consent.writing import Addition
from dubgate.certificate.dsse import PublicKey, open_envelope, save_private_key
from dubgate.certificate.records import signed
from dubgate.cli.main import run

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
Got = list[tuple[dict[str, str], bytes]]


def release(release_id: str = "rel-1", **changes: Any) -> Release:
    said: dict[str, Any] = {
        "release_id": release_id,
        "decision": ReleaseDecision.RELEASE,
        "title_id": "show-101",
        "language": "fr-FR",
        "territories": ("FR", "BE"),
        "channels": (Channel.SVOD,),
        "window": Window(start=NOW + DAY, end=NOW + 50_000 * DAY),
        "packets_sha256": "1" * 64,
        "certificate_sha256": "f" * 64,
        "voices": (VoiceUse(voice_id="v-ada", grant_id="g-ada", technique=Technique.VOICE_CLONE_TTS),),
        "recorded_by": "op-1",
        "decided_at": NOW,
    }
    return Release(**(said | changes))


def world(folder: Path, *more: Any) -> Registry:
    """A registry with one live release on Ada's grant."""
    registry = open_world(folder, Ticking(), *more)
    with registry.write() as writer:
        writer.release(release(), [Planned("v-ada", use())])
    return registry


@contextmanager
def receiver(*statuses: int, drip_s: float = 0.0, **headers: str) -> Iterator[tuple[str, Got]]:
    """A server on loopback that answers with these statuses in turn, the last one for ever."""
    got: Got = []
    left = list(statuses)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            got.append(({k.lower(): v for k, v in self.headers.items()}, body))
            status = left.pop(0) if len(left) > 1 else left[0]
            if drip_s:
                for byte in b"HTTP/1.1 200 OK\r\nx: " + b"y" * 1000:
                    self.wfile.write(bytes([byte]))
                    self.wfile.flush()
                    time.sleep(drip_s)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hooks?a=1", got
    finally:
        server.shutdown()
        server.server_close()


def sent(url: str, pauses: list[float] | None = None, **how: Any) -> Any:
    return send(
        Endpoint(url, allow_private=how.pop("allow_private", True)),
        "msg-1",
        b'{"a":1}',
        SECRET,
        clock=lambda: NOW,
        pause=(pauses if pauses is not None else []).append,
        **how,
    )


# Webhooks


def test_the_signature_is_the_one_that_the_specifications_own_libraries_make() -> None:
    # standardwebhooks, libraries/*/tests: the worked example
    made = signature(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
    )
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_webhook_that_fails_twice_is_delivered_the_third_time_under_one_id() -> None:
    pauses: list[float] = []
    with receiver(500, 503, 204) as (url, got):
        came = sent(url, pauses)
    assert (came.delivered, came.attempts, came.status, came.error) == (True, 3, 204, None)
    assert pauses == [0.0, 1.0, 4.0]
    assert {headers["webhook-id"] for headers, _ in got} == {"msg-1"}
    headers, body = got[-1]
    assert headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    assert headers["webhook-signature"] == signature(SECRET, "msg-1", int(NOW.timestamp()), body)
    assert signature(SECRET, "msg-1", int(NOW.timestamp()), body + b" ") != headers["webhook-signature"]


@pytest.mark.parametrize(("status", "attempts"), [(500, 3), (404, 3), (410, 1)])
def test_a_webhook_that_never_accepts_is_given_up_and_says_why(status: int, attempts: int) -> None:
    with receiver(status) as (url, got):
        came = sent(url)
    assert (came.delivered, came.attempts, len(got)) == (False, attempts, attempts)
    assert came.error == f"it answered {status}"


def test_a_redirect_is_not_followed() -> None:
    with receiver(200) as (inner, got_inner), receiver(302, location=inner) as (url, _):
        came = sent(url)
    assert (came.delivered, came.error, got_inner) == (False, "it answered 302", [])


def test_whoever_answers_byte_by_byte_is_cut_off() -> None:
    with receiver(200, drip_s=0.05) as (url, _):
        began = time.monotonic()
        came = sent(url, timeout_s=0.2)
        assert time.monotonic() - began < 5  # a whole answer would take 50 s
    assert not came.delivered


def test_nothing_listens_and_nothing_is_raised() -> None:
    with receiver(200) as (url, _):
        pass
    assert not sent(url).delivered


PRIVATE = [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "224.0.0.1",
    "255.255.255.255", "240.0.0.1", "::1", "::", "fe80::1", "fc00::1", "ff02::1", "::ffff:127.0.0.1",
    "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "fe80::1%eth0",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_that_is_not_public_is_refused_also_beside_a_public_one(address: str) -> None:
    for found in ([address], ["93.184.215.14", address], [address, "93.184.215.14"]):
        with pytest.raises(WebhookError, match="not a public address"):
            checked_address("example.org", found, allow_private=False)
    assert checked_address("example.org", [address], allow_private=True)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"])
def test_a_public_address_is_taken(address: str) -> None:
    assert checked_address("example.org", [address], allow_private=False) == address


def test_a_public_name_that_leads_inside_gets_no_connection() -> None:
    with receiver(200) as (url, got):
        port = url.rpartition(":")[2].partition("/")[0]
        came = send(
            Endpoint(f"https://hooks.example.org:{port}/x"),
            "msg-1",
            b"{}",
            SECRET,
            clock=lambda: NOW,
            pause=lambda _: None,
            resolve=lambda host, port: ["127.0.0.1"],
        )
    assert (came.delivered, got) == (False, [])
    assert "not a public address" in str(came.error)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/x",
        "ftp://example.org/x",
        "file:///etc/passwd",
        "https:///x",
        "https://user:hunter2@example.org/",
        "https://example.org:99999/",
        "https://example.org/a b",
        "https://example.org/\r\nx: y",
        "https://exämple.org/",
        "example.org",
    ],
)
def test_a_url_that_is_no_plain_https_endpoint_is_refused(url: str) -> None:
    with pytest.raises(WebhookError) as caught:
        Endpoint(url)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_!!", "whsec_" + base64.b64encode(b"short").decode(), "x" * 40])
def test_a_secret_that_is_none_is_refused_and_not_shown(secret: str) -> None:
    with pytest.raises(WebhookError) as caught:
        signature(secret, "m", 1, b"")
    assert not secret or secret not in str(caught.value).replace("whsec_ and", "")


# The outbox


def test_a_withdrawal_writes_a_notice_that_people_can_read_and_a_key_vouches_for(tmp_path: Path) -> None:
    private = Ed25519PrivateKey.generate()
    with world(tmp_path) as registry:
        ending = record_ending(registry, "grant:g-ada", EventKind.WITHDRAWN, by="p-ada", reason="No more.")
    outbox = Outbox(tmp_path / "out")
    name = outbox.write(ending.event.event_id, ending.notice(), key=private)
    told = (tmp_path / "out" / f"{name}.txt").read_text()
    assert "f" * 64 in told
    assert "original audio with subtitles" in told
    assert "human performers" in told
    assert "No more." in told
    assert "\x1b" not in in_words(ending.notice() | {"notice_id": name, "reason": "No\x1b[2J more."})
    opened = open_envelope(
        (tmp_path / "out" / f"{name}.dsse.json").read_bytes(),
        [PublicKey(private.public_key().public_bytes_raw().hex())],
        predicate_type=PREDICATE_TYPE,
    )
    assert opened.predicate == json.loads((tmp_path / "out" / f"{name}.json").read_bytes())
    assert opened.statement["subject"][0]["digest"]["sha256"] == "1" * 64
    assert all(p.stat().st_mode & 0o077 == 0 for p in (tmp_path / "out").iterdir())


def test_a_notice_written_twice_is_one_and_an_undelivered_one_stays_until_it_is_sent(tmp_path: Path) -> None:
    with world(tmp_path) as registry:
        ending = record_ending(registry, "grant:g-ada", EventKind.WITHDRAWN, by="p-ada")
    outbox = Outbox(tmp_path / "out")
    how: dict[str, Any] = {"clock": lambda: NOW, "pause": lambda _: None, "allow_private": True}
    with receiver(500) as (url, _):
        first = outbox.write(ending.event.event_id, ending.notice(), url=url)
        again = outbox.write(ending.event.event_id, ending.notice() | {"reason": "another"}, url=url)
        [waiting] = outbox.deliver(SECRET, **how)
    assert first == again == notice_id(ending.event.event_id)
    assert (waiting.delivered, waiting.attempts, waiting.error) == (False, 3, "it answered 500")
    assert [w.notice["reason"] for w in outbox.all()] == ["withdrawn"]
    with receiver(200) as (url, got):
        [done] = outbox.deliver(SECRET, url=url, **how)
        assert done.delivered
        assert list(outbox.deliver(SECRET, url=url, **how)) == []  # what arrived is not sent again
    assert [(h["webhook-id"], json.loads(b)["certificates"]) for h, b in got] == [(first, ["f" * 64])]


def test_a_damaged_notice_is_an_error_and_not_an_empty_outbox(tmp_path: Path) -> None:
    (tmp_path / f"msg-{'a' * 40}.json").write_bytes(b"[]")
    with pytest.raises(StoreError, match="cannot be read"):
        Outbox(tmp_path).all()


# What is touched


def test_the_version_that_still_stands_is_offered_first(tmp_path: Path) -> None:
    other = release("rel-0", voices=(), certificate_sha256="e" * 64, packets_sha256="9" * 64)
    with world(tmp_path, other) as registry:
        ending = record_ending(registry, "grant:g-ada", EventKind.SUSPENDED, by="p-ada")
    first = ending.notice()["fallbacks"][0]
    assert (first["kind"], first["release_id"]) == ("previous_version", "rel-0")


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("grant:g-ada", ["rel-1"]),
        ("claim:c-show", ["rel-1"]),
        ("enrolment:en-ada", ["rel-1"]),
        ("permission:pm-match-v-ada", []),
        ("key:k-p-ada", []),  # it signed nothing
        ("grant:nobody", []),
    ],
)
def test_every_kind_of_ending_touches_what_rests_on_it(tmp_path: Path, target: str, expected: list[str]) -> None:
    more = (
        Addition(enrolment(), vector=VECTOR),
        key("p-ada", Ed25519PrivateKey.generate().public_key().public_bytes_raw().hex(), Role.PERFORMER),
    )
    with world(tmp_path, *more) as registry, registry.view() as view:
        assert [r.release_id for r in touched(view, target, NOW).releases] == expected
        assert touched(view, target, NOW + 60_000 * DAY).releases == ()  # the window is over


def test_a_key_that_is_revoked_touches_what_it_signed(tmp_path: Path) -> None:
    private = Ed25519PrivateKey.generate()
    mine = key("p-ada", private.public_key().public_bytes_raw().hex(), Role.PERFORMER)
    terms = grant(grant_id="g-signed")
    given = event(EventKind.GIVEN, target_id="g-signed")
    more = (mine, Addition(terms, envelope=signed(terms, private)), given)
    with open_world(tmp_path, Ticking(), *more) as registry:
        voices = (VoiceUse(voice_id="v-ada", grant_id="g-signed", technique=Technique.VOICE_CLONE_TTS),)
        registry.add(release("rel-2", voices=voices), release("rel-3"))
        with registry.view() as view:
            assert [r.release_id for r in touched(view, "key:k-p-ada", NOW).releases] == ["rel-2"]


def test_a_withdrawal_is_signed_by_whom_it_concerns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    private = Ed25519PrivateKey.generate()
    save_private_key(private, tmp_path / "ada.pem", None)
    save_private_key(Ed25519PrivateKey.generate(), tmp_path / "other.pem", None)
    mine = key("p-ada", private.public_key().public_bytes_raw().hex(), Role.PERFORMER)
    open_world(tmp_path, Ticking(), mine).close()
    monkeypatch.setattr("consent.lookup.key_problem", lambda *_: "")
    monkeypatch.setenv("DUBGATE_REGISTRY", str(tmp_path / "registry.db"))
    words = ["consent", "withdraw", "g-ada", "--by", "p-ada", "--key"]
    assert run([*words, str(tmp_path / "other.pem")]) == 2
    assert run([*words, str(tmp_path / "ada.pem")]) == 0
    with Registry.open(tmp_path / "registry.db") as registry, registry.view() as view:
        assert view.store.entries("grant:g-ada")[-1].envelope is not None


def test_lost_notices_are_found_again_in_the_history(tmp_path: Path) -> None:
    with world(tmp_path) as registry:
        ending = record_ending(registry, "grant:g-ada", EventKind.WITHDRAWN, by="p-ada", reason="No more.")
        registry.add(event(EventKind.WITHDRAWN, NOW, target="permission", target_id="pm-match-v-ada"))
        with registry.view() as view:
            assert [e.notice() for e in endings(view)] == [ending.notice()]


# The commands


def test_the_commands_write_list_and_resend(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    world(tmp_path).close()
    monkeypatch.setenv("DUBGATE_REGISTRY", str(tmp_path / "registry.db"))
    monkeypatch.setenv("DUBGATE_WEBHOOK_SECRET", SECRET)
    monkeypatch.setattr("consent.webhooks.PAUSES_S", (0.0, 0.0))
    folder = tmp_path / "registry.db.notices"
    assert run(["consent", "impact", "g-ada"]) == 0
    assert "rel-1" in capsys.readouterr().out
    assert not folder.exists()
    with receiver(500) as (url, _):
        # an inner address is refused before anything is recorded
        assert run(["consent", "withdraw", "g-ada", "--by", "p-ada", "--webhook", url]) == 2
        assert not folder.exists()
        hook = ["--webhook", url, "--allow-private-webhook"]
        assert run(["consent", "withdraw", "g-ada", "--by", "p-ada", *hook]) == 0
    assert "waits in the outbox" in capsys.readouterr().out
    assert len(list(folder.glob("*.txt"))) == 1
    assert run(["consent", "notices"]) == 1
    with receiver(200) as (url, got):
        assert (
            run(["consent", "notices", "--send", "--webhook", url, "--allow-private-webhook", "--format", "json"]) == 0
        )
    assert len(got) == 1
    assert '"delivered_at": "20' in capsys.readouterr().out
    for path in folder.iterdir():
        path.unlink()
    assert run(["consent", "notices", "--write"]) == 0
    assert len(list(folder.glob("*.txt"))) == 1
