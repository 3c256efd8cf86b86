"""The review desk below the API: reached, with its own headers, and handed the deliveries that were judged here."""

from __future__ import annotations

from made_service import House

from dubgate.service.desk_mount import manifests_of
from dubgate.service.settings import Desk


def test_the_desk_is_served_below_the_api_and_knows_the_deliveries_of_its_jobs(house: House) -> None:
    desk = Desk(origin="http://localhost:8080", tables=str(house.folder / "desk.db"), outbox=house.folder / "outbox")
    with house.api(desk=desk) as api:
        job = api.released()
        assert manifests_of(api.state.engine, house.settings) == {job["job_id"]: house.manifest.resolve()}
        page = api.client.get("/desk/", headers={"host": "localhost:8080"}, follow_redirects=True)
        assert page.status_code == 200, page.text[:300]
        assert page.headers["content-type"].startswith("text/html")
        assert "default-src" in page.headers["content-security-policy"]
        assert api.client.get("/v1/jobs", headers=api.vendor).status_code == 200
        house.manifest.rename(house.folder / "gone.yaml")
        assert manifests_of(api.state.engine, house.settings) == {}


def test_without_a_desk_in_the_settings_there_is_none(house: House) -> None:
    with house.api() as api:
        assert api.client.get("/desk/").status_code == 404
