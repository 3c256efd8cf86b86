"""From a submission by path to "may I publish this": judged by a worker, recorded, signed, indexed, asked."""

from __future__ import annotations

from made_service import House


def test_a_delivery_is_submitted_judged_certified_and_may_be_published(house: House) -> None:
    with house.api() as api:
        assert api.ask().json()["reason"] == "no-certificate"
        job = api.released()
        assert job["exit_code"] == 0
        answer = api.ask()
        assert answer.status_code == 200, answer.text
        assert answer.json()["certificate_id"] == job["certificate_id"]
        document = api.client.get(job["links"]["certificate"], headers=api.vendor)
        house.place.verified(document.content, annex=None, registry=house.registry, now=house.clock())
