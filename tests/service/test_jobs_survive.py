"""Jobs end once, with the right verdict, whatever is killed, stopped, paused or taken away in between."""

from __future__ import annotations

import functools
import os
import signal
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from made_certificate import writing
from made_service import House
from sqlalchemy import Engine, update

from consent.registry import Registry
from consent.releases import Release, ReleaseDecision
from dubgate.errors import ChildError, InputError, RegistryError
from dubgate.service import jobs, judging
from dubgate.service.database import changing, open_database
from dubgate.service.filing import file_of
from dubgate.service.jobs import Job, LeaseLostError
from dubgate.service.tables import JOB
from dubgate.service.working import Worker

STAGES = ("claimed", "watched", "judged", "rendered", "deciding", "noted", "decided", "signed", "filing", "filed")


def queued(house: House, kind: str = jobs.CHECK, **request: Any) -> str:
    """A job in the table, as the API would put it there."""
    engine, job_id = open_database(house.registry), jobs.new_job_id()
    with changing(engine) as connection:
        jobs.add(
            connection, job_id=job_id, organisation="polyglot", party="polyglot", token_id=None, kind=kind,
            request=request or {"path": str(house.manifest)}, now=house.clock(),
        )  # fmt: skip
    engine.dispose()
    return job_id


def found(house: House, job_id: str) -> Job:
    engine = open_database(house.registry)
    job = jobs.get(engine, job_id)
    engine.dispose()
    assert job is not None
    return job


def releases(house: House) -> list[Release]:
    with Registry.open(house.registry, read_only=True) as registry, registry.view() as view:
        return [r for e in view.store.of_kind(Release) if isinstance(r := e.record, Release)]


def killed_at(stage: str) -> Callable[[str], None]:
    def look(reached: str) -> None:
        if reached == stage:
            os.kill(os.getpid(), signal.SIGKILL)

    return look


def in_a_process_of_its_own(work: Callable[[], object]) -> int:
    """How a forked process ended."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
        finally:
            os._exit(0)
    _, status = os.waitpid(pid, 0)
    return status


@pytest.mark.parametrize("stage", STAGES)
def test_a_worker_killed_at_any_stage_leaves_a_job_that_ends_once_with_the_right_verdict(
    stage: str, house: House
) -> None:
    job_id = queued(house)
    status = in_a_process_of_its_own(lambda: house.worker("killed", reached=killed_at(stage)).step())
    assert os.WIFSIGNALED(status)
    assert os.WTERMSIG(status) == signal.SIGKILL
    assert found(house, job_id).state == (jobs.DONE if stage == "filed" else jobs.RUNNING)

    house.clock.forward(seconds=house.settings.jobs.lease_seconds + 1)
    worker = house.worker("second")
    assert worker.step() == (stage != "filed")
    job = found(house, job_id)
    assert (job.state, job.decision) == (jobs.DONE, "release")
    [release] = releases(house)
    assert release.release_id == job.release_id == f"rel-{job_id}"
    assert release.certificate_sha256 == job.certificate_id
    certificate = file_of(worker.engine, job_id, "certificate.json")
    assert certificate is not None
    house.place.verified(certificate[1], now=house.clock(), registry=house.registry)
    assert not worker.step()


def test_a_job_that_takes_every_worker_with_it_is_given_up_undecided(house: House) -> None:
    job_id = queued(house)
    worker = house.worker()
    for _ in range(jobs.MOST_ATTEMPTS):
        assert jobs.claim(worker.engine, "w", house.clock(), lease_s=60) is not None
        house.clock.forward(seconds=61)
    assert jobs.claim(worker.engine, "w", house.clock(), lease_s=60) is None
    job = found(house, job_id)
    assert (job.state, job.decision, releases(house)) == (jobs.FAILED, None, [])


def test_a_blocked_delivery_ends_blocked_however_often_its_worker_dies(house: House) -> None:
    job_id = queued(house)
    for stage in ("judged", "noted", "decided"):
        worker = functools.partial(house.worker, "w", judgement=house.blocked(), reached=killed_at(stage))
        in_a_process_of_its_own(functools.partial(_step, worker))
        house.clock.forward(seconds=61)
    assert house.worker(judgement=house.blocked()).step()
    job = found(house, job_id)
    assert (job.state, job.decision) == (jobs.DONE, "block")
    assert [r.decision for r in releases(house)] == [ReleaseDecision.BLOCK]


def _step(worker: Callable[[], Worker]) -> None:
    worker().step()


def test_a_worker_that_slept_through_its_lease_records_nothing(house: House) -> None:
    """Stopped just before it decides, it wakes up after another worker has decided and signed."""
    job_id = queued(house)
    second: list[bool] = []

    def overtaken(stage: str) -> None:
        if stage == "rendered":
            house.clock.forward(seconds=61)
            second.append(house.worker("second").step())

    assert house.worker("first", reached=overtaken).step()
    assert second == [True]
    assert len(releases(house)) == 1
    assert found(house, job_id).decision == "release"
    assert found(house, job_id).attempts == 2


def test_a_worker_that_lost_its_lease_can_neither_beat_nor_fail_nor_finish(house: House) -> None:
    job_id = queued(house)
    engine = open_database(house.registry)
    now = house.clock()
    first = jobs.claim(engine, "first", now, lease_s=60)
    second = jobs.claim(engine, "second", now + timedelta(seconds=61), lease_s=60)
    assert first is not None
    assert second is not None
    assert jobs.claim(engine, "third", now + timedelta(seconds=62), lease_s=60) is None

    def finish(connection: Any) -> None:
        jobs.finish(connection, first, now)

    for change in (
        lambda: jobs.beat(engine, first, now, lease_s=60),
        lambda: jobs.fail(engine, first, now, {}, again_at=None),
        lambda: jobs.put_back(engine, first, now),
        lambda: jobs.cancelled(engine, first, now),
        lambda: _in(engine, finish),
        lambda: _in(engine, lambda c: jobs.decide(c, first, now, decision="release", release_id="r", pending=b"")),
    ):
        with pytest.raises(LeaseLostError):
            change()
    assert found(house, job_id).lease_owner == "second"


def _in(engine: Engine, work: Callable[[Any], None]) -> None:
    with changing(engine) as connection:
        work(connection)


def test_what_is_wrong_with_a_delivery_is_told_at_once_and_not_tried_again(house: House) -> None:
    house.manifest.write_text("schema: delivery/1.0\n", encoding="utf-8")
    job_id = queued(house)
    assert house.worker().step()
    job = found(house, job_id)
    assert (job.state, job.attempts) == (jobs.FAILED, 1)
    assert job.error is not None
    assert job.error["kind"] == "ManifestError"
    assert releases(house) == []


@pytest.mark.parametrize("error", [ChildError("it crashed"), RegistryError("locked"), OSError("gone"), MemoryError()])
def test_what_breaks_is_tried_again_so_often_and_no_more(error: Exception, house: House) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise error

    job_id = queued(house)
    worker = house.worker(hear=broken)
    for attempt in range(1, house.settings.jobs.attempts + 1):
        assert worker.step()
        assert found(house, job_id).attempts == attempt
    assert not worker.step()
    job = found(house, job_id)
    assert (job.state, job.decision) == (jobs.FAILED, None)
    assert releases(house) == []


def test_what_was_heard_for_hours_is_judged_by_the_registry_as_it_is_then(house: House) -> None:
    told: list[timedelta] = []

    def hear(*_: Any, at: datetime, clock: Callable[[], datetime], **__: Any) -> Any:
        house.clock.forward(hours=3)
        told.append(clock() - at)
        raise ChildError("it crashed")

    queued(house)
    assert house.worker(hear=hear).step()
    assert told == [timedelta(hours=3)]


def test_a_job_that_breaks_once_ends_well_at_its_next_attempt(house: House) -> None:
    job_id = queued(house)
    assert house.worker(hear=_broken).step()
    assert found(house, job_id).state == jobs.QUEUED
    assert house.worker().step()
    assert found(house, job_id).decision == "release"


def _broken(*_: Any, **__: Any) -> Any:
    raise ChildError("it crashed")


def test_a_waiting_job_is_tried_again_only_after_its_pause(house: House) -> None:
    queued(house)
    house.settings = house.settings.model_copy(
        update={"jobs": house.settings.jobs.model_copy(update={"backoff_seconds": 10})}
    )
    assert house.worker(hear=_broken).step()
    assert not house.worker().step()
    house.clock.forward(seconds=11)
    assert house.worker().step()


def test_a_waiting_job_is_cancelled_at_once(house: House) -> None:
    job_id = queued(house)
    engine = open_database(house.registry)
    _in(engine, lambda c: jobs.ask_to_cancel(c, job_id, "polyglot", house.clock()))
    assert found(house, job_id).state == jobs.CANCELLED
    assert not house.worker().step()


def test_another_organisation_cancels_nothing(house: House) -> None:
    job_id = queued(house)
    engine = open_database(house.registry)
    _in(engine, lambda c: jobs.ask_to_cancel(c, job_id, "other-house", house.clock()))
    assert found(house, job_id).state == jobs.QUEUED


@pytest.mark.parametrize("stage", ["claimed", "watched", "judged", "rendered"])
def test_a_running_job_that_is_cancelled_decides_nothing(stage: str, house: House) -> None:
    job_id = queued(house)
    engine = open_database(house.registry)

    def cancel(reached: str) -> None:
        if reached == stage:
            _in(engine, lambda c: jobs.ask_to_cancel(c, job_id, "polyglot", house.clock()))

    assert house.worker(reached=cancel).step()
    assert found(house, job_id).state == jobs.CANCELLED
    assert releases(house) == []


def test_what_was_decided_is_signed_though_it_is_cancelled_then(house: House) -> None:
    job_id = queued(house)
    engine = open_database(house.registry)

    def cancel(reached: str) -> None:
        if reached == "decided":
            _in(engine, lambda c: jobs.ask_to_cancel(c, job_id, "polyglot", house.clock()))

    assert house.worker(reached=cancel).step()
    assert found(house, job_id).state == jobs.DONE


def test_a_cancelled_hearing_is_interrupted_by_the_sign_of_life(house: House) -> None:
    """The beat notices, and the worker's own interruption ends the hearing that reports nothing."""
    job_id = queued(house)
    engine, noticed = open_database(house.registry), threading.Event()
    house.settings = house.settings.model_copy(
        update={"jobs": house.settings.jobs.model_copy(update={"lease_seconds": 0.4})}
    )

    def silent(*_: Any, progress: Callable[[str, float], None], **__: Any) -> Any:
        _in(engine, lambda c: jobs.ask_to_cancel(c, job_id, "polyglot", house.clock()))
        assert noticed.wait(10)
        worker.interrupted()

    worker: Worker = house.worker(hear=silent, interrupt=noticed.set)
    assert worker.step()
    assert found(house, job_id).state == jobs.CANCELLED


def test_a_worker_that_is_told_to_stop_puts_its_job_back(house: House) -> None:
    job_id = queued(house)

    def stopped(*_: Any, progress: Callable[[str, float], None], **__: Any) -> Any:
        worker.stopping.set()
        progress("hearing", 0.1)

    worker = house.worker(hear=stopped)
    assert worker.step()
    job = found(house, job_id)
    assert (job.state, job.attempts) == (jobs.QUEUED, 0)
    assert house.worker("next").step()
    assert found(house, job_id).decision == "release"


def test_a_delivery_that_names_another_submitter_is_not_judged(house: House) -> None:
    """Else its holder could hand it in under another's name and approve it itself."""
    text = (house.manifest.parent / "series.yaml").read_text(encoding="utf-8")
    (house.manifest.parent / "series.yaml").write_text(
        text.replace("submitter: polyglot", "submitter: kestrel"), encoding="utf-8"
    )
    job_id = queued(house)
    assert house.worker().step()
    job = found(house, job_id)
    assert job.state == jobs.FAILED
    assert job.error is not None
    assert "submits it" in job.error["what"]


def test_a_consent_that_ends_while_a_job_is_judged_blocks_and_is_judged_again(house: House) -> None:
    from test_races import withdraw

    job_id = queued(house)

    def look(stage: str) -> None:
        if stage == "judged" and not done:
            done.append(stage)
            withdraw(house)

    done: list[str] = []
    worker = house.worker(reached=look)
    assert worker.step()
    assert found(house, job_id).state == jobs.QUEUED
    assert releases(house) == []
    again = house.worker(judgement=house.place.world.judged(at=house.clock()))
    assert again.step()
    assert found(house, job_id).decision == "block"


def test_what_was_decided_is_not_signed_once_a_consent_ended(house: House) -> None:
    """Its worker died in between: a certificate of later would verify offline for a day."""
    from test_races import withdraw

    job_id = queued(house)
    in_a_process_of_its_own(lambda: house.worker("killed", reached=killed_at("decided")).step())
    withdraw(house)
    house.clock.forward(seconds=house.settings.jobs.lease_seconds + 1)
    worker = house.worker("second")
    assert worker.step()
    job = found(house, job_id)
    assert job.state == jobs.FAILED
    assert job.error is not None
    assert "never certified, and since then: CON-002" in job.error["what"]
    assert file_of(worker.engine, job_id, "certificate.json") is None
    assert not worker.step()


@pytest.mark.parametrize("party", ["kestrel", "director", "reviewer-a"])
def test_who_hands_in_for_their_house_answered_nothing_in_it(house: House, party: str) -> None:
    """Neither its approval, nor whose performance it is, nor an open question; with or without keys to sign it."""
    evidence, world = house.manifest.parent / "evidence", house.place.world
    evidence.joinpath("human.json").write_bytes(world.human())
    evidence.joinpath("ear.json").write_bytes(world.attestation("reviewer-a", "CON-031", "MARA"))
    job_id = queued(house)
    worker = house.worker()
    worker.gate = None
    with changing(worker.engine) as connection:
        connection.execute(update(JOB).values(party=party))
    assert worker.step()
    job = found(house, job_id)
    assert (job.state, job.decision) == (jobs.FAILED, None)
    assert job.error is not None
    assert f"{party} submitted this delivery and signed" in job.error["what"]


def test_nobodys_own_approval_carries_what_they_handed_in(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The delivery names the house as its submitter, and the token is of the very person who approved it; where that lies in
    the registry, no file of the delivery says so."""
    job_id = queued(house)
    worker = house.worker()
    monkeypatch.setattr(judging, "require_other_signers", lambda *_: None)
    with changing(worker.engine) as connection:
        connection.execute(update(JOB).values(party="kestrel"))
    assert worker.step()
    job = found(house, job_id)
    assert job.state == jobs.FAILED
    assert job.error is not None
    assert job.error["what"] == "kestrel submitted this delivery and signed its approval"
    assert releases(house) == []


def test_without_keys_a_job_ends_with_a_decision_and_no_certificate(house: House) -> None:
    job_id = queued(house)
    worker = house.worker()
    worker.gate = None
    assert worker.step()
    job = found(house, job_id)
    assert (job.state, job.decision, job.certificate_id) == (jobs.DONE, "release", None)
    assert releases(house) == []


def test_the_annex_lies_encrypted_in_the_database(house: House) -> None:
    job_id = queued(house)
    worker = house.worker()
    assert worker.step()
    annex = file_of(worker.engine, job_id, "annex.json.locked")
    assert annex is not None
    assert b"MARA" not in annex[1]
    assert b"MARA" in worker.own.decrypted(f"{job_id}/annex.json", annex[1])
    with pytest.raises(InputError):
        worker.own.decrypted("job-other/annex.json", annex[1])


def test_a_clock_that_was_set_back_records_nothing(house: House) -> None:
    job_id = queued(house)
    with writing(house.place, house.clock() + timedelta(days=1)) as registry:
        from consent.parties import Party
        from consent.vocabulary import Role

        registry.add(Party(party_id="later", roles=(Role.REVIEWER,), person=True))
    assert house.worker().step()
    assert found(house, job_id).decision is None
    assert releases(house) == []
