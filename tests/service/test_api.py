"""The API's doors: tokens and their scopes, organisations apart, idempotency, pages, problems, sizes and rates."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from made_service import Api, House
from sqlalchemy import select, text

from consent.acts import Act
from consent.registry import Registry
from dubgate.errors import InputError
from dubgate.service.limits import Buckets
from dubgate.service.logs import JsonLines, without_secrets
from dubgate.service.own_key import OwnKey, own_key
from dubgate.service.reads import altered
from dubgate.service.tables import TOKEN
from dubgate.service.tokens import issue, revoke


@pytest.fixture
def api(released_house: House, tmp_path: Path) -> Iterator[Api]:
    with released_house.copied(tmp_path / "released").api() as opened:
        yield opened


def acts(house: House) -> list[Act]:
    with Registry.open(house.registry, read_only=True) as registry, registry.view() as view:
        return [r for e in view.store.of_kind(Act) if isinstance(r := e.record, Act)]


def newest_job(api: Api) -> str:
    return str(api.client.get("/v1/jobs", headers=api.vendor).json()["items"][0]["job_id"])


# Who may

GUARDED = (
    ("GET", "/v1/may-publish"), ("POST", "/v1/deliveries"), ("POST", "/v1/requests"), ("GET", "/v1/requests"),
    ("GET", "/v1/jobs"), ("GET", "/v1/jobs/job-1"), ("DELETE", "/v1/jobs/job-1"), ("GET", "/v1/jobs/job-1/events"),
    ("GET", "/v1/jobs/job-1/files/report.json"), ("GET", "/v1/jobs/job-1/verdict"), ("POST", "/v1/uploads"), ("GET", "/v1/certificates"),
    ("GET", f"/v1/certificates/{'0' * 64}"), ("POST", f"/v1/certificates/{'0' * 64}/renewals"),
    ("GET", "/v1/affected?target=grant:g"), ("POST", "/v1/requests/rq-1/answers"), ("GET", "/v1/webhooks"),
    ("POST", "/v1/webhooks"), ("DELETE", f"/v1/webhooks/wh-{'0' * 24}"), ("GET", "/v1/messages"), ("GET", "/metrics"),
    ("POST", f"/v1/webhooks/wh-{'0' * 24}/messages/msg-{'0' * 40}/replays"),
)  # fmt: skip


def test_every_route_but_health_and_readiness_needs_a_token(api: Api) -> None:
    described = {
        (method.upper(), path)
        for path, operations in api.client.get("/openapi.json").json()["paths"].items()
        for method in operations
    }
    assert len(GUARDED) == len(described - {("GET", "/healthz"), ("GET", "/readyz")})
    for method, path in GUARDED:
        for headers in ({}, {"authorization": "Bearer x"}, {"authorization": f"Bearer dgt_{'0' * 12}_{'A' * 43}"}):
            answer = api.client.request(method, path, headers=headers)
            assert answer.status_code == 401, (method, path, answer.text)
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.headers["www-authenticate"].startswith("Bearer")
    assert api.client.get("/healthz").status_code == 200


NEEDS = {
    "read": "GET /v1/jobs",
    "submit": "POST /v1/deliveries",
    "approve": "POST /v1/requests/rq-1/answers",
    "admin": "GET /metrics",
}


@pytest.mark.parametrize("scope", NEEDS)
def test_a_scope_opens_its_own_routes_and_no_others(scope: str, api: Api) -> None:
    headers = api.as_("other-house", scope)
    for needed, route in NEEDS.items():
        method, path = route.split()
        answer = api.client.request(method, path, headers=headers, json={} if method == "POST" else None)
        assert (answer.status_code == 403) == (needed != scope), (route, answer.text)
        if needed != scope:
            assert answer.json()["type"] == "urn:dubgate:problem:scope-missing"


def test_a_token_that_expired_or_was_revoked_is_no_token(api: Api) -> None:
    headers = api.as_("other-house", "read")
    assert api.client.get("/v1/jobs", headers=headers).status_code == 200
    with Registry.open(api.house.registry, clock=api.house.clock) as registry:
        assert revoke(registry, headers["authorization"].split("_")[1], by="op-1")
        assert not revoke(registry, headers["authorization"].split("_")[1], by="op-1")
    assert api.client.get("/v1/jobs", headers=headers).status_code == 401
    api.house.clock.forward(days=30)
    assert api.client.get("/v1/jobs", headers=api.vendor).status_code == 401


@pytest.mark.parametrize(
    "wrong",
    [
        {"scopes": ()}, {"scopes": ("root",)}, {"scopes": ("submit", "approve")}, {"scopes": ("submit", "admin")},
        {"scopes": ("approve", "admin")}, {"by": "polyglot"}, {"by": "nobody"}, {"party": "nobody"}, {"days": 0},
        {"days": 400}, {"asks_for": ("nobody",)},
    ],
)  # fmt: skip
def test_a_token_that_joins_duties_or_names_nobody_is_not_made(wrong: dict[str, Any], api: Api) -> None:
    told: dict[str, Any] = {"party": "polyglot", "scopes": ("read",), "by": "op-1"} | wrong
    with Registry.open(api.house.registry, clock=api.house.clock) as registry, pytest.raises(InputError):
        issue(registry, **told)


def test_tokens_are_kept_as_hashes_and_stand_in_the_ledger_without_their_secret(api: Api) -> None:
    token = api.vendor["authorization"].removeprefix("Bearer ")
    with api.state.engine.connect() as connection:
        rows = [dict(row) for row in connection.execute(select(TOKEN)).mappings()]
    secret = token.split("_", 2)[2]
    assert secret not in json.dumps(rows)
    assert {a.verb for a in acts(api.house)} >= {"token.issued", "job.check"}
    assert secret.encode() not in b"".join(p.read_bytes() for p in api.house.folder.rglob("*") if p.is_file())


def test_another_organisations_ids_are_not_there(api: Api) -> None:
    other = api.as_("other-house", "read")
    other_submits = api.as_("other-house", "submit")
    job_id, mine = newest_job(api), api.client.get("/v1/certificates", headers=api.vendor).json()["items"][0]
    for path in (
        f"/v1/jobs/{job_id}",
        f"/v1/jobs/{job_id}/events",
        f"/v1/jobs/{job_id}/files/report.json",
        f"/v1/certificates/{mine['certificate_id']}",
    ):
        answer = api.client.get(path, headers=other)
        absent = api.client.get(path.replace(job_id, "job-0").replace(mine["certificate_id"], "0" * 64), headers=other)
        assert answer.status_code == absent.status_code == 404
        told, known = answer.json(), absent.json()
        assert {**told, "request_id": ""} == {**known, "request_id": ""}, "the two can be told apart"
    assert api.client.delete(f"/v1/jobs/{job_id}", headers=other_submits).status_code == 404
    assert (
        api.client.post(f"/v1/certificates/{mine['certificate_id']}/renewals", headers=other_submits).status_code == 404
    )
    for listed in ("/v1/jobs", "/v1/certificates", "/v1/messages", "/v1/requests"):
        assert api.client.get(listed, headers=other).json()["items"] == []
    assert api.ask(headers=other).json()["reason"] == "no-certificate"
    grant = api.house.place.world_grants()[0].grant_id
    assert api.client.get(f"/v1/affected?target=grant:{grant}", headers=other).json()["items"] == []
    assert len(api.client.get(f"/v1/affected?target=grant:{grant}", headers=api.vendor).json()["items"]) == 1


# Submitting


def test_a_delivery_sent_twice_under_one_key_is_one_job(api: Api) -> None:
    key = {"idempotency-key": "ep03-first-try"}
    first, second = api.submit(**key), api.submit(**key)
    assert first == second
    assert api.submit() != first
    body = {"path": str(api.house.manifest), "url": None}
    assert api.client.post("/v1/requests", json={"path": body["path"]}, headers=api.vendor | key).status_code == 409
    for wrong in ("short", "x" * 200, "with space", "ключ-ключ"):
        sent = {"idempotency-key": wrong.encode()} | {k: v.encode() for k, v in api.vendor.items()}
        assert api.client.post("/v1/deliveries", json={"path": body["path"]}, headers=sent).status_code == 422


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd", "/etc/delivery.yaml", "delivery.yaml", "../delivery.yaml", "{root}/../house.yaml", "{root}/nothing.yaml",
        "{root}/script.vtt", "{root}", "{root}/evidence/../delivery.yaml", "{root}/link.yaml", "{root}/\u0000.yaml", "~/delivery.yaml",
    ],
)  # fmt: skip
def test_a_path_outside_the_organisations_folders_is_refused_with_one_text_for_all(path: str, api: Api) -> None:
    root = api.house.manifest.parent
    (root / "link.yaml").symlink_to(api.house.folder / "house.yaml")
    answer = api.client.post("/v1/deliveries", json={"path": path.format(root=root)}, headers=api.vendor)
    assert answer.status_code == 404, answer.text
    assert answer.json()["detail"] == "no delivery there that this organisation may submit"
    other = api.as_("other-house", "submit")
    assert api.client.post("/v1/deliveries", json={"path": str(api.house.manifest)}, headers=other).status_code == 404


def test_a_path_that_becomes_a_link_after_it_was_submitted_is_refused_by_the_worker(api: Api) -> None:
    job_id = api.submit()
    api.house.manifest.rename(api.house.folder / "moved.yaml")
    api.house.manifest.symlink_to(api.house.folder / "moved.yaml")
    assert api.house.worker().step()
    assert api.job(job_id)["state"] == "failed"


@pytest.mark.parametrize(
    "body",
    [{}, {"path": "/a/delivery.yaml", "url": "s3://a/delivery.yaml"}, {"path": 1}, {"path": ""}, {"upload": "up-1"}, {"more": 1},
     [], "x", 1, None, {"path": "/" + "a" * 2000}],
)  # fmt: skip
def test_a_body_that_names_not_exactly_one_delivery_is_refused(body: Any, api: Api) -> None:
    answer = api.client.post("/v1/deliveries", json=body, headers=api.vendor)
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:dubgate:problem:invalid"


def test_only_so_many_jobs_of_one_organisation_are_open(house: House) -> None:
    limits = house.settings.limits.model_copy(update={"open_jobs": 2})
    with house.api(limits=limits) as api:
        api.submit(), api.submit()
        answer = api.client.post("/v1/deliveries", json={"path": str(house.manifest)}, headers=api.vendor)
        assert answer.status_code == 429
        assert answer.headers["retry-after"]


def test_a_job_is_followed_as_events_until_its_end(api: Api) -> None:
    job_id = newest_job(api)
    answer = api.client.get(f"/v1/jobs/{job_id}/events", headers=api.vendor)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert "event: end\ndata: {" in answer.text
    assert '"decision":"release"' in answer.text
    assert api.state.streams == {api.tokens[("polyglot", ("submit", "read"), ())].split("_")[1]: 0}


def test_reports_are_shut_in_and_files_are_listed_ones_only(api: Api) -> None:
    job_id = newest_job(api)
    page = api.client.get(f"/v1/jobs/{job_id}/files/report.html", headers=api.vendor)
    assert page.headers["content-security-policy"] == "sandbox allow-scripts"
    assert page.headers["x-content-type-options"] == "nosniff"
    for name in ("annex.json", "annex.json.locked", "..%2Freport.json", "nothing"):
        assert api.client.get(f"/v1/jobs/{job_id}/files/{name}", headers=api.vendor).status_code == 404


def test_a_cancelled_job_is_cancelled_by_its_own_organisation(api: Api) -> None:
    job_id = api.submit()
    assert api.client.delete(f"/v1/jobs/{job_id}", headers=api.vendor).json()["state"] == "cancelled"
    assert api.job(job_id)["exit_code"] is None


# Pages


def test_pages_show_every_job_once_newest_first(api: Api) -> None:
    made = [newest_job(api)]
    for _ in range(5):
        api.house.clock.forward(seconds=1)
        made.insert(0, api.submit())
    seen, cursor = [], None
    while True:
        params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = api.client.get("/v1/jobs", params=params, headers=api.vendor).json()
        seen += [job["job_id"] for job in page["items"]]
        if (cursor := page["next"]) is None:
            break
    assert seen == made
    queued = api.client.get("/v1/jobs?status=queued", headers=api.vendor).json()["items"]
    assert len(queued) == 5


@pytest.mark.parametrize("cursor", ["x", "AAAA", "ü", "a" * 500])
def test_a_cursor_that_was_made_up_is_refused(cursor: str, api: Api) -> None:
    for listed in ("jobs", "certificates", "messages"):
        assert api.client.get(f"/v1/{listed}", params={"cursor": cursor}, headers=api.vendor).status_code in (404, 422)
    mine = api.state.own.signed_cursor("jobs\n2026\njob-1")
    assert api.client.get("/v1/certificates", params={"cursor": mine}, headers=api.vendor).status_code == 404


# Problems


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/v2/jobs", 404),
        ("PUT", "/v1/jobs", 405),
        ("DELETE", "/healthz", 405),
        ("GET", "/v1/jobs/", 404),
    ],
)
def test_what_is_not_there_or_not_done_is_a_problem_with_its_request_id(
    method: str, path: str, status: int, api: Api
) -> None:
    answer = api.client.request(method, path, headers={"x-request-id": "my-own-id-1"})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["request_id"] == answer.headers["x-request-id"] == "my-own-id-1"
    assert (status != 405) or answer.headers["allow"]
    strange = api.client.request(method, path, headers={"x-request-id": "a\tb; c"})
    assert strange.headers["x-request-id"].startswith("rq-")


def test_what_breaks_inside_is_a_problem_that_says_nothing_of_the_inside(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError("secret place /srv/x")

    monkeypatch.setattr(api.state.publishing, "ask", broken)
    answer = api.ask()
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret" not in answer.text


def test_a_parameter_that_a_route_does_not_know_is_refused(api: Api) -> None:
    answer = api.client.get("/v1/jobs", params={"limit": 1, "organisation": "kestrel"}, headers=api.vendor)
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"where": "query.organisation", "what": "unknown parameter"}]


def test_malformed_json_is_a_problem(api: Api) -> None:
    for content in (b"{", b"\xff", b'{"path": NaN}', b"[" * 100_000):
        headers = api.vendor | {"content-type": "application/json"}
        answer = api.client.post("/v1/deliveries", content=content, headers=headers)
        assert answer.status_code in (400, 422), answer.text
        assert answer.headers["content-type"] == "application/problem+json"


# Sizes and rates


def test_a_body_that_is_too_large_is_refused_whether_or_not_it_says_so(api: Api) -> None:
    most = api.house.settings.limits.body_bytes
    whole = api.client.post("/v1/deliveries", content=b"x" * (most + 1), headers=api.vendor)
    assert whole.status_code == 413

    def parts() -> Iterator[bytes]:
        for _ in range(most // 1000 + 2):
            yield b"x" * 1000

    answer = api.client.post("/v1/deliveries", content=parts(), headers=api.vendor)
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_token_that_asks_too_often_is_told_when_to_come_again(house: House) -> None:
    limits = house.settings.limits.model_copy(update={"requests_per_minute": 5, "writes_per_minute": 1})
    with house.api(limits=limits) as api:
        answers = [api.client.get("/v1/jobs", headers=api.vendor).status_code for _ in range(7)]
        assert answers == [200] * 5 + [429] * 2
        assert api.client.get("/v1/jobs", headers=api.as_("other-house", "read")).status_code == 200


def test_junk_is_answered_and_changes_nothing_and_an_address_that_guesses_tokens_is_not_heard(house: House) -> None:
    """Ten thousand requests without a valid token: none gets in, and the guesser is shut out early."""
    logging.getLogger("dubgate.service").setLevel(logging.ERROR)
    with house.api() as api:
        api.state.buckets = Buckets(house.settings.limits, lambda: 0.0)  # within one moment
        before = Registry.open(house.registry, read_only=True).head()
        seen: dict[int, int] = {}
        for k in range(10_000):
            path = ("/v1/jobs", "/v1/may-publish?digest=%00", "/%2e%2e/etc/passwd", "/v1/deliveries")[k % 4]
            answer = _quick(api, path, f"Bearer dgt_{k:012x}_{'A' * 43}")
            seen[answer] = seen.get(answer, 0) + 1
        assert set(seen) <= {401, 404, 405, 429}
        assert seen[401] == house.settings.limits.unknown_per_minute
        assert seen[429] > 4500
        assert Registry.open(house.registry, read_only=True).head() == before
        assert api.client.get("/healthz").status_code == 200


def _quick(api: Api, path: str, authorization: str) -> int:
    """One request straight into the application: no client in between."""
    import asyncio
    from urllib.parse import unquote

    status = 0

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        nonlocal status
        status = message.get("status", status)

    plain, _, query = path.partition("?")
    scope = {
        "type": "http", "method": "GET", "path": unquote(plain), "raw_path": plain.encode(), "query_string": query.encode(),
        "headers": [(b"authorization", authorization.encode())], "client": ("203.0.113.9", 1), "server": ("testserver", 80),
        "scheme": "http", "http_version": "1.1", "root_path": "",
    }  # fmt: skip
    loop = _LOOP.setdefault("loop", asyncio.new_event_loop())
    loop.run_until_complete(api.client.app(scope, receive, send))  # type: ignore[arg-type]
    return status


_LOOP: dict[str, Any] = {}


# Reads are logged, and their digest enters the ledger


def test_reads_are_logged_and_each_minutes_digest_enters_the_ledger_once(api: Api) -> None:
    for _ in range(3):
        assert api.ask().status_code == 200
    api.ask(territory="JP")
    log = api.state.reads
    assert log.digest(api.state.registry, "op-1") == 0, "the minute is not over"
    api.house.clock.forward(minutes=2)
    assert log.digest(api.state.registry, "op-1") == 1
    assert log.digest(api.state.registry, "op-1") == 0
    [path] = [p for p in log.folder.glob("reads-*.jsonl") if "1200" in p.name]
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [line["status"] for line in lines if line["route"] == "/v1/may-publish"][-4:] == [200, 200, 200, 403]
    assert all("authorization" not in json.dumps(line) and "dgt_" not in json.dumps(line) for line in lines)
    assert altered(log.folder, api.state.registry) == []
    path.write_text(path.read_text(encoding="utf-8").replace("JP", "DE"), encoding="utf-8")
    assert altered(log.folder, api.state.registry) == [path.name]


def test_a_read_that_cannot_be_logged_is_not_answered(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> int:
        raise OSError(28, "No space left on device")

    assert api.ask().status_code == 200
    monkeypatch.setattr("dubgate.service.reads.os.write", full)
    answer = api.ask()
    assert answer.status_code == 503
    assert "publish" not in answer.json()


# Logs and the service's own key


def test_no_secret_is_in_a_log_line() -> None:
    texts = (
        f"token dgt_{'0' * 12}_{'Ab-_' * 10}abc is bad", "Authorization: Bearer abc.def.ghi", "postgresql://me:hunter2@db/x",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "-----BEGIN PRIVATE KEY-----\nMC4CAQAw\n-----END PRIVATE KEY-----",
    )  # fmt: skip
    for told in texts:
        record = logging.LogRecord("dubgate", logging.INFO, "", 0, told, None, None)
        line = JsonLines().format(record)
        json.loads(line)
        for secret in ("Ab-_", "abc.def", "hunter2", "MfKQ9", "MC4CAQ"):
            assert secret not in line, line
        assert "***" in without_secrets(told)


def test_what_is_logged_of_a_request_is_a_fixed_list(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="dubgate.service"):
        api.ask()
    [line] = [json.loads(JsonLines().format(r)) for r in caplog.records if r.getMessage() == "request"]
    assert set(line) == {
        "at",
        "level",
        "logger",
        "message",
        "request_id",
        "method",
        "route",
        "status",
        "ms",
        "token_id",
        "organisation",
    }
    assert line["route"] == "/v1/may-publish"


def test_the_services_own_key_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    place = tmp_path / "data" / "service.key"
    first, second = own_key(place), own_key(place)
    assert first.sealed(b"x", second.seal(b"x"))
    assert not OwnKey(b"0" * 32).sealed(b"x", first.seal(b"x"))
    assert place.stat().st_mode & 0o077 == 0
    place.chmod(0o644)
    with pytest.raises(InputError, match="others"):
        own_key(place)
    place.chmod(0o600)
    place.write_bytes(b"AAAA\n")
    with pytest.raises(InputError, match="32 bytes"):
        own_key(place)


def test_health_readiness_and_metrics(api: Api) -> None:
    assert api.client.get("/readyz").json() == {
        "ready": True,
        "parts": {"database": "ok", "trust": "ok", "stopping": "no"},
    }
    api.ask(), api.ask(territory="JP")
    scraped = api.client.get("/metrics", headers=api.as_("op-2", "admin")).text
    assert 'dubgate_may_publish_total{reason="yes"} 1.0' in scraped
    assert 'dubgate_may_publish_total{reason="other-territory"} 1.0' in scraped
    assert 'dubgate_jobs{state="done"} 1.0' in scraped
    api.house.clock.forward(days=400)
    answer = api.client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["parts"]["trust"] == "trust-expired"


def test_tables_of_a_later_program_are_refused(api: Api) -> None:
    from dubgate.errors import RegistryError
    from dubgate.service.database import changing, open_database

    with changing(api.state.engine) as connection:
        connection.execute(text("UPDATE service_meta SET value = '2' WHERE key = 'version'"))
    with pytest.raises(RegistryError, match="version 2"):
        open_database(api.house.registry)


def test_the_index_of_certificates_only_grows(api: Api) -> None:
    from consent.errors import StoreError
    from dubgate.service.database import changing

    for statement in ("DELETE FROM service_certificate", "UPDATE service_certificate SET file_sha256 = 'x'"):
        with pytest.raises((StoreError, Exception), match="never changed"), changing(api.state.engine) as connection:
            connection.execute(text(statement))


def test_may_publish_needs_the_scope_read(api: Api) -> None:
    for scope in ("submit", "approve", "admin"):
        answer = api.ask(headers=api.as_("other-house", scope))
        assert answer.status_code == 403
        assert answer.json()["type"] == "urn:dubgate:problem:scope-missing"
