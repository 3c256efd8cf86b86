"""A served process: slow clients are let go, a stop finishes what it answers, the client and the pipeline's steps ask it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from made_service import Api, House
from test_races import withdraw

from dubgate.certificate.keys import read_card
from dubgate.cli.main import run
from dubgate.cli.serve import missing_files
from dubgate.client import ApiError, Client, token_of
from dubgate.errors import InputError
from dubgate.service.settings import Settings, read_settings

ROOT = Path(__file__).resolve().parents[2]


def NO_PAUSE(seconds: float) -> None:
    """Tests do not wait."""


@dataclass
class Served:
    house: House
    port: int
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, *scopes: str, party: str = "polyglot", asks_for: tuple[str, ...] = ()) -> Client:
        return Client(self.url, self.house.token(party, *scopes, asks_for=asks_for), pause=NO_PAUSE)


def serve(house: House, folder: Path) -> Served:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    told = json.loads(house.settings.model_dump_json(by_alias=True, exclude_none=True))
    told |= {"port": port}
    told["limits"] |= {"header_seconds": 1.0, "pause_seconds": 1.0}
    config = folder / "service.yaml"
    config.write_text(json.dumps(told), encoding="utf-8")
    log = folder / "serve.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "tests/service/serve_at.py"), str(config), house.clock().isoformat()],
            stdout=out, stderr=out, cwd=ROOT,
        )  # fmt: skip
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return Served(house, port, process, log)
        except OSError:
            assert process.poll() is None, log.read_text(encoding="utf-8")
            time.sleep(0.1)
    raise AssertionError("the server does not come up")


@pytest.fixture(scope="module")
def served(released_house: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    made = serve(released_house.copied(folder / "house"), folder)
    yield made
    if made.process.poll() is None:
        made.process.kill()
        made.process.wait()


def test_the_client_asks_and_only_a_clear_yes_is_one(served: Served) -> None:
    client = served.client("read", party="op-2", asks_for=("polyglot",))
    use = {"territory": "DE", "channel": "svod", "language": "en"}
    answer = client.may_publish(served.house.place.file, **use)
    assert answer.publish
    document = client.certificate(str(answer.body["certificate_id"]))
    served.house.place.verified(document)
    refused = client.may_publish(served.house.place.file, **use | {"territory": "JP"})
    assert (refused.publish, refused.reason) == (False, "other-territory")
    assert client.may_publish("0" * 64, **use).reason == "no-certificate"
    assert client.may_publish("0" * 64, **use | {"territory": ""}).reason == "incomplete-use"
    with pytest.raises(ApiError, match="401"):
        Client(served.url, "dgt_x", pause=NO_PAUSE).may_publish("0" * 64, **use)


def test_the_client_submits_and_waits(served: Served) -> None:
    client = served.client("submit", "read")
    job_id = client.submit(path=str(served.house.manifest), key="once-and-only")
    assert client.submit(path=str(served.house.manifest), key="once-and-only") == job_id
    served.house.clock.forward(minutes=2)  # the server's clock runs
    assert served.house.worker().step()
    assert client.wait(job_id)["decision"] == "release"
    with pytest.raises(ApiError, match="404"):
        client.job("job-0")
    with pytest.raises(ApiError, match="did not end"):
        client.wait(client.submit(path=str(served.house.manifest)), most_s=0.002, every_s=0.001)


YES = json.dumps({"publish": True, "certificate_id": "x", "digest": "0" * 64, "channels": ["svod"]}).encode()
ANSWERS = (
    (200, b"{}"), (200, b'{"publish": true}'), (200, b'{"publish": 1, "certificate_id": "x"}'), (200, b"<html>yes</html>"),
    (200, b'["publish"]'), (204, b""), (302, b'{"publish": true, "certificate_id": "x"}'), (403, b"{}"), (403, b'{"publish": true, "certificate_id": "x"}'),
    (200, YES.replace(b"true", b"false")), (200, YES.replace(b"certificate_id", b"id")),
    (200, b'{"publish": true, "certificate_id": "x", "channels": ["svod"]}'), (200, YES.replace(b"000", b"111")), (200, YES.replace(b"svod", b"avod")),
    (500, b'{"publish": true, "certificate_id": "x"}'), (404, b'{"publish": false}'),
)  # fmt: skip


@pytest.mark.parametrize(("status", "body"), ANSWERS)
def test_an_answer_that_is_not_exactly_a_yes_or_a_no_is_an_error(status: int, body: bytes) -> None:
    """A cache on the way may answer another question with a yes that was one."""
    client = Client("https://gate.example.org", "t", pause=NO_PAUSE)
    with patch.object(Client, "_once", return_value=(status, body)), pytest.raises(ApiError):
        client.may_publish("0" * 64, territory="DE", channel="svod", language="de")
    with patch.object(Client, "_once", return_value=(200, YES)):
        assert client.may_publish("0" * 64, territory="DE", channel="svod", language="de").publish
        assert client.may_publish("sha256:" + "0" * 64, territory="DE", channel="svod", language="de").publish


def test_an_api_that_does_not_answer_is_asked_again_and_then_an_error() -> None:
    pauses: list[float] = []
    client = Client("http://127.0.0.1:9", "t", pause=pauses.append)
    with pytest.raises(ApiError, match="no answer"):
        client.may_publish("0" * 64, territory="DE", channel="svod", language="de")
    assert len(pauses) == 3
    for url in ("http://gate.example.org", "ftp://x", "gate"):
        with pytest.raises(InputError):
            Client(url, "t")
    with pytest.raises(InputError):
        token_of(Path("/nowhere/token"))


STEPS = ("command", "shell")


def step(
    kind: str, served: Served, folder: Path, territory: str, file: Path | None = None, *, partner: str = "", **env: str
) -> tuple[int, str]:
    """The exit code of a pipeline's step, and what it said."""
    token = folder / "token"
    token.write_text(served.house.tokens[("op-2", ("read",), ("polyglot",))], encoding="ascii")
    told = {"DUBGATE_URL": served.url, "DUBGATE_TOKEN_FILE": str(token), **env}
    target = file or served.house.place.file
    if kind == "command":
        with patch.dict(os.environ, told):
            asked = ["may-publish", str(target), "--territory", territory, "--channel", "svod", "--language", "en"]
            return run([*asked, *(["--partner", partner] if partner else [])]), ""
    if shutil.which("curl") is None:
        pytest.skip("no curl on this machine: the shell step needs it")
    script = [
        str(ROOT / "samples/pipeline/may-publish.sh"),
        str(target),
        territory,
        "svod",
        "en",
        *([partner] if partner else []),
    ]
    done = subprocess.run(script, env={**os.environ, **told}, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("kind", STEPS)
def test_a_pipelines_step_ends_with_0_for_a_yes_1_for_a_no_and_2_for_everything_else(
    kind: str, served: Served, tmp_path: Path
) -> None:
    assert step(kind, served, tmp_path, "DE")[0] == 0
    assert step(kind, served, tmp_path, "JP")[0] == 1
    assert step(kind, served, tmp_path, "DE", partner="netflix")[0] == 1  # whom nobody approved by name
    other = tmp_path / "other.flac"
    other.write_bytes(served.house.place.file.read_bytes() + b"\x00")
    assert step(kind, served, tmp_path, "DE", other)[0] == 1
    assert step(kind, served, tmp_path, "DE", tmp_path / "absent")[0] == 2
    with patch("dubgate.client.time.sleep"):
        assert step(kind, served, tmp_path, "DE", DUBGATE_URL="http://127.0.0.1:9")[0] == 2
    bad = tmp_path / "bad"
    bad.write_text(f"dgt_{'0' * 12}_{'A' * 43}", encoding="ascii")
    assert step(kind, served, tmp_path, "DE", DUBGATE_TOKEN_FILE=str(bad))[0] == 2


def answer_of(port: int, sent: bytes, *, pause: float = 0.0, more: bytes = b"", wait_s: float = 60.0) -> bytes:
    """What comes back for these bytes, until the other side closes or it is silent."""
    with socket.create_connection(("127.0.0.1", port), timeout=wait_s) as sock:
        sock.sendall(sent)
        if more:
            time.sleep(pause)
            sock.sendall(more)
        got = b""
        while chunk := sock.recv(65536):
            got += chunk
            if b"\r\n\r\n" in got and b"connection: close" not in got.lower():
                break
        return got


@pytest.mark.parametrize("sent", [b"", b"G", b"GET /healthz HTTP/1.1\r\nhost: x\r\nx-slow: "])
def test_a_connection_without_a_whole_head_of_a_request_is_closed(sent: bytes, served: Served) -> None:
    assert answer_of(served.port, sent) == b"", "or it stayed open until this side gave up"


def test_a_body_that_comes_too_slowly_is_given_up(served: Served) -> None:
    token = served.house.token("polyglot", "submit")
    head = f"POST /v1/deliveries HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n"
    got = answer_of(served.port, head.encode() + b"{")
    assert b" 408 " in got.split(b"\r\n")[0]
    assert b"application/problem+json" in got


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\ncontent-length: 5\r\n\r\nzz\r\n", b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET " + b"/" * 70_000 + b" HTTP/1.1\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"BREW /v1/jobs HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\n" + b"a: b\r\n" * 20_000 + b"\r\n",
    ],
)  # fmt: skip
def test_what_is_no_http_is_no_500_and_the_service_goes_on(sent: bytes, served: Served) -> None:
    try:
        got = answer_of(served.port, sent)
        assert b" 500 " not in got.split(b"\r\n")[0]
    except ConnectionError:
        pass
    assert b" 200 " in answer_of(served.port, b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").split(b"\r\n")[0]


def test_a_stop_finishes_what_it_answers_and_the_log_is_json_without_a_secret(
    released_house: House, tmp_path: Path
) -> None:
    served = serve(released_house.copied(tmp_path / "house"), tmp_path)
    client = served.client("read", party="op-2", asks_for=("polyglot",))
    withdraw(served.house)
    assert (
        client.may_publish(served.house.digest(), territory="DE", channel="svod", language="en").reason
        == "consent-ended"
    )
    served.process.send_signal(signal.SIGTERM)
    assert served.process.wait(30) in (0, -signal.SIGTERM)
    lines = [json.loads(line) for line in served.log.read_text(encoding="utf-8").splitlines()]
    assert [line["route"] for line in lines if line["message"] == "request"] == ["/v1/may-publish"]
    assert "dgt_" not in served.log.read_text(encoding="utf-8")


# Settings


def test_settings_come_from_yaml_toml_and_the_environment_which_wins(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text("registry: a.db\ndata: /d\nport: 1\nlimits: {streams: 3}\n", encoding="utf-8")
    (tmp_path / "s.toml").write_text(
        'registry = "a.db"\ndata = "/d"\nport = 1\n[limits]\nstreams = 3\n', encoding="utf-8"
    )
    for name in ("s.yaml", "s.toml"):
        read = read_settings(tmp_path / name, {"DUBGATE_SERVICE_PORT": "9", "DUBGATE_SERVICE_PACKS": '["core"]'})
        assert (read.registry, read.port, read.limits.streams, read.packs) == ("a.db", 9, 3, ("core",))
    bare = read_settings(None, {"DUBGATE_SERVICE_REGISTRY": "b.db", "DUBGATE_SERVICE_DATA": "/d"})
    assert isinstance(bare, Settings)


@pytest.mark.parametrize(
    ("text", "environment"),
    [
        ("registry: a\n", {}), ("registry: a\ndata: /d\nmore: 1\n", {}), ("registry: a\ndata: /d\nport: x\n", {}), ("- a\n", {}),
        ("registry: a\ndata: /d\n", {"DUBGATE_SERVICE_PROT": "1"}), ("registry: a\ndata: /d\n", {"DUBGATE_SERVICE_PACKS": "[x"}),
        ("registry: a\ndata: /d\ntrust: {store: t, root: xyz}\n", {}), ("a: &x 1\n", {}),
    ],
)  # fmt: skip
def test_settings_that_are_wrong_are_refused(text: str, environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError):
        read_settings(tmp_path / "s.yaml", environment)


def test_what_is_wrong_with_settings_is_said_in_words_all_of_it_at_once(tmp_path: Path) -> None:
    place = tmp_path / "s.yaml"
    place.write_text("prot: 1\nroots: /srv\nlimits: {request_per_minute: 3}\nport: 99999\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_settings(place, {})
    for said in (
        "registry is missing",
        "data is missing",
        "roots is a list",
        "there is no setting prot; did you mean port?",
        "there is no setting limits.request_per_minute; did you mean requests_per_minute?",
        "port: Input should be less than or equal to 65535",
        "dubgate serve --help",
    ):
        assert said in str(caught.value)
    with pytest.raises(InputError, match="no settings: name their file with --config"):
        read_settings(None, {})


def test_keys_that_are_not_on_this_machine_are_told_before_a_worker_wants_them(tmp_path: Path) -> None:
    for name in ("gate.pem", "trust.json"):
        (tmp_path / name).touch()
    keys = {"gate": tmp_path / "gate.pem", "ledger": tmp_path / "ledger.pem", "party": "op-1"}
    told = {
        "registry": "a.db",
        "data": tmp_path,
        "keys": keys,
        "trust": {"store": tmp_path / "trust.json", "root": "0" * 64},
    }
    assert missing_files(Settings.model_validate(told)) == [str(tmp_path / "ledger.pem")]
    assert missing_files(Settings.model_validate({"registry": "a.db", "data": tmp_path})) == []
    with pytest.raises(InputError, match=r"ledger\.pem: no such key"):
        read_card(tmp_path / "ledger.pem")
    with pytest.raises(InputError, match="no card says what this key is for"):
        read_card(tmp_path / "gate.pem")


def test_the_summary_of_settings_shows_no_password(tmp_path: Path) -> None:
    told = {
        "registry": "postgresql://me:hunter2@db/x?password=hunter3",
        "data": tmp_path,
        "sources": [{"organisation": "polyglot", "prefix": "s3://k:hunter4@dubs/"}],
    }
    shown = json.dumps(Settings.model_validate(told).summary())
    assert "hunter" not in shown
    assert "postgresql://me:***@db/x" in shown


def test_a_prefix_that_is_nobodys_is_refused_and_the_refusal_says_what_to_write(tmp_path: Path) -> None:
    given = {"DUBGATE_SERVICE_REGISTRY": "a", "DUBGATE_SERVICE_DATA": "/d", "DUBGATE_SERVICE_SOURCES": '["s3://dubs/"]'}
    with pytest.raises(InputError, match=r"organisation: ID, prefix: s3://dubs/"):
        read_settings(None, given)


def test_the_companys_folder_is_a_setting_which_the_summary_shows(
    tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The option is stronger than the environment's own setting, that than the file, and that than DUBGATE_COMPANY."""
    for name in "abcd":
        (tmp_path / name).mkdir()
        text = f"schema: tool-register/1.0\ncompany: {name}\ntools: []\n"
        (tmp_path / name / "register.yaml").write_text(text, encoding="utf-8")
    bare = f"registry: {tmp_path}/r.db\ndata: {tmp_path}\n"
    (tmp_path / "with.yaml").write_text(f"{bare}company: {tmp_path}/b\n", encoding="utf-8")
    (tmp_path / "without.yaml").write_text(bare, encoding="utf-8")

    def shown(config: str, *more: str) -> str | None:
        assert run(["serve", "--config", str(tmp_path / config), "--show", *more]) == 0
        told = json.loads(capsys.readouterr().out)["company"]
        return None if told is None else Path(told).name

    monkeypatch.delenv("DUBGATE_COMPANY", raising=False)
    assert shown("without.yaml") is None
    assert shown("with.yaml") == "b"
    monkeypatch.setenv("DUBGATE_COMPANY", str(tmp_path / "a"))
    assert shown("without.yaml") == "a"
    assert shown("with.yaml") == "b"
    monkeypatch.setenv("DUBGATE_SERVICE_COMPANY", str(tmp_path / "c"))
    assert shown("with.yaml") == "c"
    assert shown("with.yaml", "--company", str(tmp_path / "d")) == "d"
    assert run(["serve", "--config", str(tmp_path / "with.yaml"), "--show", "--company", str(tmp_path / "none")]) == 2
    assert "no company folder" in capsys.readouterr().err


def test_serve_shows_its_settings_and_its_description(house: House, tmp_path: Path, capsys: Any) -> None:
    config = tmp_path / "s.yaml"
    config.write_text(house.settings.model_dump_json(by_alias=True, exclude_none=True), encoding="utf-8")
    assert run(["serve", "--config", str(config), "--show"]) == 0
    assert json.loads(capsys.readouterr().out)["port"] == 8080
    assert run(["serve", "--config", str(config), "--openapi"]) == 0
    assert json.loads(capsys.readouterr().out)["openapi"].startswith("3.")


def test_tokens_are_made_listed_and_revoked_on_the_command_line(house: House, capsys: Any) -> None:
    own = ["--registry", house.registry]
    assert run(["tokens", "new", "--party", "polyglot", "--scope", "read", "--by", "op-1", *own]) == 0
    token = capsys.readouterr().out.strip()
    assert run(["tokens", "list", *own]) == 0
    listed = capsys.readouterr().out
    assert token.split("_")[1] in listed
    assert token.split("_", 2)[2] not in listed
    assert run(["tokens", "revoke", token.split("_")[1], "--by", "op-1", *own]) == 0
    assert run(["tokens", "revoke", token.split("_")[1], "--by", "op-1", *own]) == 2
    assert run(["tokens", "new", "--party", "nobody", "--scope", "read", "--by", "op-1", *own]) == 2


def test_a_worker_once_does_what_waits(house: House, tmp_path: Path) -> None:
    """The command itself, with the real ear: here the files are no media, and it says so."""
    from test_jobs_survive import found, queued

    house.clock.now = datetime.now(UTC)
    job_id = queued(house)
    config = tmp_path / "s.yaml"
    config.write_text(house.settings.model_dump_json(by_alias=True, exclude_none=True), encoding="utf-8")
    code = "import sys; from dubgate.cli.main import run; sys.exit(run(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", code, "worker", "--config", str(config), "--once"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    job = found(house, job_id)
    assert (job.state, job.decision) == ("failed", None)
    assert job.error is not None
    assert job.error["kind"] == "MediaError"
    assert Api
