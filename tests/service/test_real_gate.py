"""Once with everything real: a sample is submitted over HTTP, heard in the child, judged, certified, verified, published."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from made_certificate import VALID, VERIFIER, key_of

from consent.registry import Registry
from dubgate.certificate.claim import LEVEL_EMBEDDED
from dubgate.certificate.dsse import new_private_key, public_of, signer_of
from dubgate.certificate.keys import trust_store_bytes
from dubgate.certificate.trust import TrustedGate, TrustedLedger, TrustStore
from dubgate.certifying import Gate
from dubgate.delivery.formats import file_sha256
from dubgate.sample_registry import make_registry, sign_case
from dubgate.samples import find_samples, materialise, read_case
from dubgate.service.app import create_service
from dubgate.service.database import open_database
from dubgate.service.own_key import own_key
from dubgate.service.settings import Settings
from dubgate.service.tokens import issue
from dubgate.service.working import Worker
from dubgate.verifying import verify

NOW = datetime(2026, 12, 2, 12, tzinfo=UTC)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_sample_goes_from_submission_to_publication_with_real_ears(tmp_path: Path) -> None:
    root, gate, ledger = new_private_key(), new_private_key(), new_private_key()
    registry = make_registry(find_samples(), tmp_path)
    target = materialise(find_samples() / "released", tmp_path)
    sign_case(read_case(find_samples() / "released"), target / "delivery.yaml", registry)
    location = str(registry.path)
    with Registry.open(location, read_only=True) as opened:
        origin = opened.head().origin
    store = TrustStore(
        1, VALID.not_before, VALID.not_after, (TrustedGate(VERIFIER, key_of(gate), VALID, (LEVEL_EMBEDDED,)),),
        (TrustedLedger(origin, key_of(ledger).public, VALID),),
    )  # fmt: skip
    trust = tmp_path / "trust.json"
    trust.write_bytes(trust_store_bytes(store, signer_of(root)))
    settings = Settings.model_validate({
        "registry": location, "data": tmp_path / "data", "models": "embedded",
        "roots": [{"organisation": "polyglot", "path": target}],
        "trust": {"store": trust, "root": public_of(root).public_hex},
    })  # fmt: skip
    app = create_service(settings, clock=lambda: NOW)
    with Registry.open(location, clock=lambda: NOW) as opened:
        token = issue(opened, party="polyglot", scopes=("submit", "read"), by="op-1").token
    with TestClient(app, headers={"authorization": f"Bearer {token}"}) as client:
        answer = client.post("/v1/deliveries", json={"path": str(target / "delivery.yaml")})
        assert answer.status_code == 202, answer.text
        engine, own = open_database(location), own_key(settings.own_key_file)
        signer = Gate(VERIFIER, "op-1", signer_of(gate), ledger)
        assert Worker(settings, engine, own, signer, "w1", clock=lambda: NOW).step()
        job = client.get(f"/v1/jobs/{answer.json()['job_id']}").json()
        assert job["decision"] == "release", job
        assert "<html" in client.get(job["links"]["report"]).text
        dub = target / "dub.flac"
        use = {"digest": file_sha256(dub), "territory": "DE", "channel": "svod", "language": "en", "at": "now"}
        yes = client.get("/v1/may-publish", params=use)
        assert yes.status_code == 200, yes.text
        document = client.get(job["links"]["certificate"]).content
    verified = verify(document, dub, territory="DE", channel="svod", trust=store, now=NOW, registry=location)
    assert verified.consents_asked
