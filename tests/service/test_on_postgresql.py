"""Several machines share one PostgreSQL: the same line from submission to publication, and jobs that are taken once."""

from __future__ import annotations

import os
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from made_service import House
from pg_house import postgresql_house
from sqlalchemy import text
from test_jobs_survive import found, in_a_process_of_its_own, killed_at, queued, releases
from test_races import withdraw

from dubgate.service import jobs
from dubgate.service.database import changing, open_database


@pytest.fixture(scope="module")
def pg(postgresql_url: str, tmp_path_factory: pytest.TempPathFactory) -> House:
    return postgresql_house(postgresql_url, tmp_path_factory.mktemp("pg") / "house", released=False)


def test_a_worker_killed_between_deciding_and_signing_leaves_one_release_that_may_be_published(pg: House) -> None:
    for stage in ("noted", "decided"):
        before = len(releases(pg))
        job_id = queued(pg)
        status = in_a_process_of_its_own(lambda: pg.worker("killed", reached=killed_at(stage)).step())  # noqa: B023
        assert os.WIFSIGNALED(status)
        pg.clock.forward(seconds=61)
        assert pg.worker("second").step()
        assert found(pg, job_id).decision == "release"
        assert len(releases(pg)) == before + 1


def test_what_was_released_may_be_published_until_the_consent_ends(pg: House) -> None:
    with pg.api() as api:
        assert api.ask().status_code == 200
        with api.state.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            ours = "pid <> pg_backend_pid() AND backend_type = 'client backend'"
            connection.execute(text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {ours}"))
        assert api.ask().status_code == 200, "a connection that was cut off is made anew"
        assert api.ask(territory="JP").json()["reason"] == "other-territory"
        withdraw(pg)
        assert api.ask().json()["reason"] == "consent-ended"
        assert api.client.get("/readyz").json()["ready"] is True


def test_many_workers_take_each_job_once(pg: House) -> None:
    engine = open_database(pg.registry)
    made = {queued(pg) for _ in range(24)}
    taken: list[str] = []
    lock = threading.Lock()

    def work(name: str) -> None:
        while (job := jobs.claim(engine, name, pg.clock() + timedelta(seconds=1), lease_s=60)) is not None:
            with lock:
                taken.append(job.job_id)
            with changing(engine) as connection:
                jobs.finish(connection, job, pg.clock(), decision="hold")

    threads = [threading.Thread(target=work, args=(f"w{k}",)) for k in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == sorted(made)


def test_two_machines_that_start_together_make_the_tables_once(postgresql_url: str, tmp_path: Path, pg: House) -> None:
    problems: list[BaseException] = []

    def start() -> None:
        try:
            open_database(pg.registry).dispose()
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is told
            problems.append(error)

    with changing(open_database(pg.registry)) as connection:
        connection.execute(text("DROP TABLE service_worker"))
        connection.execute(text("UPDATE service_meta SET value = '0' WHERE key = 'version'"))
        for table in ("certificate", "standing", "job", "token", "file", "idempotency", "webhook", "message", "meta"):
            connection.execute(text(f"DROP TABLE service_{table}"))
    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
