"""What the API hands an auditor: the folder that `check --certify` writes, with which evidence and replay work."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from made_certificate import LATER, key_of
from made_service import Api, House
from sqlalchemy import delete, select, update
from test_jobs_survive import found, queued, releases

from dubgate.certificate import refusals
from dubgate.certificate.file import open_certificate
from dubgate.company.folder import company_sha256
from dubgate.errors import InputError
from dubgate.evidence_folder import EvidenceRequest, check_evidence, write_evidence
from dubgate.judged_kept import judged_bytes, read_judged
from dubgate.replaying import Replayed, replay
from dubgate.service.database import changing, looking, open_database
from dubgate.service.tables import FILE
from dubgate.service.verdicts import archive_of, verdict_files
from dubgate.watching import watch

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def api(released_house: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A service with one delivery that was submitted, judged and certified through it."""
    house = released_house.copied(tmp_path_factory.mktemp("verdicts") / "house")
    with house.api() as opened:
        yield opened


def job_of(api: Api) -> dict[str, Any]:
    [job] = api.client.get("/v1/jobs", headers=api.vendor).json()["items"]
    return dict(job)


def auditor(api: Api) -> dict[str, str]:
    return api.as_("polyglot", "read", "admin")


def fetched(api: Api, folder: Path, **asked: Any) -> Path:
    """What an auditor of the organisation gets, unpacked."""
    answer = api.client.get(
        f"{job_of(api)['links']['verdict']}", params={"private": True} | asked, headers=auditor(api)
    )
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture(scope="module")
def kept(api: Api, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fetched(api, tmp_path_factory.mktemp("fetched"))


@pytest.fixture
def verdict(kept: Path, tmp_path: Path) -> Path:
    import shutil

    return Path(shutil.copytree(kept, tmp_path / "verdict"))


def _request(api: Api, verdict: Path, folder: Path) -> EvidenceRequest:
    place = api.house.place
    return EvidenceRequest(
        verdict / "certificate.json", place.trust_file(folder), key_of(place.keys.root).public, with_annex=True
    )


def _replayed(api: Api, verdict: Path) -> Replayed:
    data = (verdict / "certificate.json").read_bytes()
    return replay(open_certificate(data, api.house.place.trust, LATER, "certificate"), verdict)


def test_a_delivery_that_came_through_the_api_gives_evidence_that_verifies_without_the_registry(
    api: Api, verdict: Path, tmp_path: Path
) -> None:
    write_evidence(_request(api, verdict, tmp_path), tmp_path / "evidence", now=LATER)
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)}
    command = [sys.executable, "verify.py", str(api.house.place.file)]
    ran = subprocess.run(
        command, cwd=tmp_path / "evidence", env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    for said in ("PASSED", "annex: 1 signed", "judged again: release, the same", "is the one that was judged"):
        assert said in ran.stdout


def test_it_is_judged_again_to_the_same_verdict(api: Api, verdict: Path) -> None:
    again = _replayed(api, verdict)
    assert (again.same, again.decision) == (True, "release")
    assert again.n_judged >= 3


def test_a_pack_that_was_changed_is_named(api: Api, verdict: Path, tmp_path: Path) -> None:
    opened = open_certificate((verdict / "certificate.json").read_bytes(), api.house.place.trust, LATER, "c")
    [house] = [p for p in opened.verdict.claim.packs if p.name == "house"]
    pack = verdict / "packs" / f"{house.sha256}.yaml"
    pack.write_bytes(pack.read_bytes().replace(b"-1 dBTP", b"-2 dBTP"))
    with pytest.raises(refusals.AlteredAnnex, match="the pack house is not the one that judged"):
        _replayed(api, verdict)
    with pytest.raises(refusals.AlteredAnnex, match="the pack house is not the one that judged"):
        write_evidence(_request(api, verdict, tmp_path), tmp_path / "evidence", now=LATER)
    assert not (tmp_path / "evidence").exists()


def test_the_measurements_name_every_file_that_was_judged(api: Api, verdict: Path) -> None:
    judged = read_judged((verdict / "judged.json").read_bytes(), "judged.json")
    assert judged.rests_on == watch(api.house.manifest).rests_on
    assert dict(judged.rests_on)["dub.flac"] == api.house.digest()


def test_measurements_that_an_earlier_program_kept_are_read(api: Api) -> None:
    data = json.loads(judged_bytes(api.house.right, [("dub.flac", "0" * 64)]))
    old = {k: v for k, v in data.items() if k != "rests_on"} | {"schema": "certificate-judged/1.0"}
    assert read_judged(json.dumps(old).encode(), "j").rests_on == ()
    assert read_judged(json.dumps(data).encode(), "j").rests_on == (("dub.flac", "0" * 64),)
    spoilt: tuple[dict[str, Any], ...] = (
        {k: v for k, v in data.items() if k != "rests_on"},
        old | {"rests_on": []},
        data | {"rests_on": [["dub.flac"]]},
        data | {"rests_on": [["dub.flac", 1]]},
        data | {"rests_on": ["dub.flac"]},
        data | {"schema": "certificate-judged/2.0"},
    )
    for each in spoilt:
        with pytest.raises(refusals.Refused):
            read_judged(json.dumps(each).encode(), "j")


# who may read it


def test_what_is_private_is_for_the_organisations_own_admin(api: Api) -> None:
    link = job_of(api)["links"]["verdict"]
    for headers, params, status in (
        (api.vendor, {}, 200),
        (api.vendor, {"private": True}, 403),
        (auditor(api), {"private": True}, 200),
        (api.as_("other-house", "read", "admin"), {"private": True}, 404),
        (api.as_("other-house", "read"), {}, 404),
        (api.as_("polyglot", "admin"), {"private": True}, 403),
        ({}, {}, 401),
    ):
        assert api.client.get(link, params=params, headers=headers).status_code == status, (params, status)


def test_without_the_annex_nothing_private_is_in_it(api: Api, tmp_path: Path) -> None:
    folder = fetched(api, tmp_path / "open", private=False)
    names = {p.relative_to(folder).as_posix().split("/")[0] for p in folder.rglob("*")}
    assert names == {"certificate.json", "packs"}
    asked = _request(api, folder, tmp_path)
    write_evidence(EvidenceRequest(asked.certificate, asked.trust, asked.root), tmp_path / "evidence", now=LATER)
    assert list(check_evidence(tmp_path / "evidence"))[-1].startswith("packs: ")


def test_the_measurements_lie_under_lock_in_the_database(api: Api) -> None:
    with looking(api.state.engine) as connection:
        rows = {r.name: bytes(r.content) for r in connection.execute(select(FILE.c.name, FILE.c.content))}
    assert "judged.json" not in rows
    assert "annex.json" not in rows
    assert b"measurements" not in rows["judged.json.locked"]
    for name in ("judged.json.locked", "annex.json.locked", "judged.json", "annex.json"):
        answer = api.client.get(f"/v1/jobs/{job_of(api)['job_id']}/files/{name}", headers=auditor(api))
        assert answer.status_code == 404


def test_reading_it_is_in_the_log_of_reads(api: Api, tmp_path: Path) -> None:
    fetched(api, tmp_path)
    logs = "".join(p.read_text(encoding="utf-8") for p in (api.house.settings.data / "reads").rglob("*") if p.is_file())
    assert f"{job_of(api)['job_id']}/verdict with annex" in logs


def test_an_archive_is_the_same_whenever_it_is_asked_for() -> None:
    files = {"certificate.json": b"{}", "annex.json": b"{}", "packs/a.yaml": b"x"}
    assert archive_of(files) == archive_of(dict(reversed(files.items())))
    with zipfile.ZipFile(io.BytesIO(archive_of(files))) as archive:
        modes = {i.filename: i.external_attr >> 16 for i in archive.infolist()}
    assert modes == {"annex.json": 0o600, "certificate.json": 0o644, "packs/a.yaml": 0o644}


# what is kept, and when


def test_a_job_that_an_earlier_program_decided_has_no_such_folder(released_house: House, tmp_path: Path) -> None:
    house = released_house.copied(tmp_path / "house")
    with house.api() as api:
        link = job_of(api)["links"]["verdict"]
        with changing(api.state.engine) as connection:
            connection.execute(delete(FILE).where(FILE.c.name == "judged.json.locked"))
        assert api.client.get(link, params={"private": True}, headers=auditor(api)).status_code == 404
        assert api.client.get(link, headers=api.vendor).status_code == 200
        with changing(api.state.engine) as connection:
            connection.execute(delete(FILE).where(FILE.c.name.startswith("packs/")))
        assert api.client.get(link, headers=api.vendor).status_code == 404


def test_what_was_altered_in_the_database_is_not_handed_out(released_house: House, tmp_path: Path) -> None:
    house = released_house.copied(tmp_path / "house")
    with house.api() as api:
        job_id = job_of(api)["job_id"]
        locked = FILE.c.name == "judged.json.locked"
        with changing(api.state.engine) as connection:
            annex = connection.execute(select(FILE.c.content).where(FILE.c.name == "annex.json.locked")).scalar_one()
            connection.execute(update(FILE).where(locked).values(content=bytes(annex)))
        with pytest.raises(InputError, match="does not open"):
            verdict_files(api.state.engine, api.state.own, job_id, private=True)


def test_what_a_killed_worker_decided_is_kept_for_who_signs_it(house: House) -> None:
    job_id = queued(house)

    def dies(stage: str) -> None:
        if stage == "decided":
            raise RuntimeError("gone")

    assert house.worker(reached=dies).step()
    engine = open_database(house.registry)
    worker = house.worker("next")
    assert verdict_files(engine, worker.own, job_id, private=True) is None  # nothing is signed yet
    assert worker.step()
    files = verdict_files(engine, worker.own, job_id, private=True)
    assert files is not None
    assert {"certificate.json", "annex.json", "judged.json"} < set(files)
    assert len(releases(house)) == 1
    engine.dispose()


def _company(folder: Path) -> Path:
    folder.mkdir()
    (folder / "register.yaml").write_text("schema: tool-register/1.0\ncompany: K\ntools: []\n", encoding="utf-8")
    return folder


def test_a_job_records_by_digest_what_it_used(house: House, tmp_path: Path) -> None:
    company = _company(tmp_path / "company")
    house.settings = house.settings.model_copy(update={"company": company})
    with house.api() as api:
        job = api.released()
        told = api.client.get(f"/v1/jobs/{job['job_id']}/files/rests_on.json", headers=api.vendor).json()
    assert told["company_sha256"] == company_sha256(company)
    assert told["files"]["dub.flac"] == house.digest()
    features = house.right.features
    assert features.published is not None
    assert set(told["sounds"]) == {features.dub.packet_sha256, features.published.packet_sha256}
    assert set(told["packs"]) == {p.name for p in house.right.packs}
    assert not any(name.startswith("company") for name in told["files"])


def test_the_companys_folder_may_not_change_while_a_delivery_is_judged(house: House, tmp_path: Path) -> None:
    company = _company(tmp_path / "company")
    house.settings = house.settings.model_copy(update={"company": company})
    job_id = queued(house)

    def change(stage: str) -> None:
        if stage == "judged":
            (company / "register.yaml").write_text(
                "schema: tool-register/1.0\ncompany: J\ntools: []\n", encoding="utf-8"
            )

    assert house.worker(reached=change).step()
    job = found(house, job_id)
    assert job.state == "failed"
    assert job.error is not None
    assert "company:register.yaml" in job.error["what"]
    assert releases(house) == []


def test_another_delivery_than_was_watched_is_not_decided(house: House) -> None:
    from dataclasses import replace

    from dubgate.judging_again import Judged

    def hear(request: Any, *, at: Any, **_: Any) -> Any:
        other = replace(house.place.world.delivery, cast=house.place.world.delivery.cast[1:])
        return Judged(other, replace(house.right, judged_at=at), heard_again=True)

    job_id = queued(house)
    assert house.worker(hear=hear).step()
    assert found(house, job_id).state == "failed"
    assert releases(house) == []


def test_a_worker_hears_with_the_delivery_pinned(house: House) -> None:
    """Its folder is another one while it is heard, and itself again before anybody looks: nothing is decided."""
    from contextlib import suppress

    from dubgate.errors import ChangedError
    from dubgate.pinned import read_pinned

    root = house.manifest.parent
    seen: list[str] = []

    def hear(request: Any, *, at: Any, **_: Any) -> Any:
        import shutil

        shutil.copytree(root, root.with_name("evil"))
        root.rename(root.with_name("aside"))
        root.with_name("evil").rename(root)
        try:
            read_pinned(root / "dub.flac")
        except ChangedError as error:
            seen.append(error.what)
            raise
        finally:
            with suppress(OSError):
                root.rename(root.with_name("evil"))
                root.with_name("aside").rename(root)

    job_id = queued(house)
    assert house.worker(hear=hear).step()
    assert seen == ["a file changed while it was being read"]
    assert found(house, job_id).state == "failed"
    assert releases(house) == []
