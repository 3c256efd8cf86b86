"""What changed while it was judged is not decided, and what was decided is signed as it was decided."""

from __future__ import annotations

from dataclasses import replace

import pytest
from made_service import House
from test_jobs_survive import found, queued, releases

from dubgate.errors import RegistryError
from dubgate.service import filing
from dubgate.service.signing import Pending, read_pending


@pytest.mark.parametrize("name", ["dub.flac", "script.vtt", "series.yaml", "evidence/approval.json"])
def test_what_changes_while_it_is_judged_is_not_decided(name: str, house: House) -> None:
    job_id = queued(house)

    def change(stage: str) -> None:
        if stage == "judged":
            path = house.manifest.parent / name
            path.write_bytes(path.read_bytes() + b"\n")

    assert house.worker(reached=change).step()
    assert found(house, job_id).state == "failed"
    assert releases(house) == []


def test_what_waits_for_its_signature_is_read_back_as_it_was() -> None:
    pending = Pending("release", "rel-1", {"a": 1}, {"b": [2]}, b"\x00annex", (3, 4))
    assert read_pending(pending.data()) == pending


def test_a_certificate_that_does_not_verify_is_not_filed(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key service that signs with another key than it says."""
    job_id = queued(house)
    trust = filing.own_trust

    def other(*asked: object) -> object:
        store = trust(*asked)  # type: ignore[arg-type]
        return replace(store, gates=house.place.trust.gates[:0])

    monkeypatch.setattr(filing, "own_trust", other)
    assert house.worker().step()
    job = found(house, job_id)
    assert job.state == "queued"
    assert job.certificate_id is None
    assert job.error is not None
    assert job.error["kind"] == RegistryError.__name__
    monkeypatch.setattr(filing, "own_trust", trust)
    assert house.worker("next").step()
    assert found(house, job_id).decision == "release"
    assert len(releases(house)) == 1
