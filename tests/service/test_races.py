"""Two workers, one revocation, a hundred races: after a withdrawal there is no release, and nothing may be published."""

from __future__ import annotations

import functools
import shutil
import threading
from dataclasses import replace
from unittest.mock import patch

from made_service import House
from test_jobs_survive import queued

from consent.consequences import record_ending
from consent.registry import Registry
from consent.releases import Release
from consent.terms import Grant
from consent.vocabulary import EventKind
from dubgate import watching
from dubgate.service import jobs
from dubgate.service.working import Worker

RACES = 100


def withdraw(house: House) -> None:
    """The performer withdraws the grant that the delivery rests on."""
    _withdraw(house, house.place.world_grants()[0])


def _withdraw(house: House, grant: Grant) -> None:
    with Registry.open(house.registry, clock=house.clock) as registry:
        record_ending(registry, f"grant:{grant.grant_id}", EventKind.WITHDRAWN, by=grant.granted_by)


def give_again(house: House) -> None:
    grant = house.place.world_grants()[0]
    with Registry.open(house.registry, clock=house.clock) as registry:
        record_ending(registry, f"grant:{grant.grant_id}", EventKind.GIVEN, by=grant.granted_by)


def test_no_release_stands_in_the_ledger_after_the_withdrawal_in_any_of_a_hundred_races(house: House) -> None:
    """Each race begins with the same two jobs in a registry of its own; the withdrawal comes sooner or later."""
    ids, grant = [queued(house), queued(house)], house.place.world_grants()[0]
    load = functools.cache(watching.load_delivery)  # the files stay as they are; reading them is not what races
    n_released = []
    with patch.object(watching, "load_delivery", load):
        for race in range(RACES):
            own = _of_its_own(house, race)
            workers = [own.worker("one"), own.worker("two")]
            _run(workers, lambda: _withdraw(own, grant), delay_s=0.008 * (race % 12))  # noqa: B023
            ended = [jobs.get(workers[0].engine, job_id) for job_id in ids]
            assert all(_ended_well(job) for job in ended if job is not None)
            n_released.append(sum(job is not None and job.decision == "release" for job in ended))
            before, after = _released(own, grant)
            assert (len(before), after) == (n_released[-1], [])
            for worker in workers:
                worker.engine.dispose()
    assert len(set(n_released)) > 1, "the races were no races: all ended alike"


def _ended_well(job: jobs.Job) -> bool:
    """Released and signed; or not released; or released, withdrawn before it was signed, and so failed without a certificate."""
    if job.decision != "release":
        return job.state != jobs.DONE
    if job.state == jobs.DONE:
        return job.certificate_id is not None
    return job.state == jobs.FAILED and job.certificate_id is None and "since then" in str(job.error)


def _of_its_own(house: House, race: int) -> House:
    """The same house with a copy of its registry, to which a job's path and keys are the same."""
    place = house.folder / f"race-{race}.db"
    for suffix in ("", ".key"):
        shutil.copy(f"{house.registry}{suffix}", f"{place}{suffix}")
    world = replace(house.place.world, registry=place)
    settings = house.settings.model_copy(update={"registry": str(place)})
    return replace(house, place=replace(house.place, world=world), settings=settings)


def _run(workers: list[Worker], withdrawal: object, *, delay_s: float) -> None:
    start = threading.Barrier(3)

    def work(worker: Worker) -> None:
        start.wait()
        worker.step()

    threads = [threading.Thread(target=work, args=(w,)) for w in workers]
    for thread in threads:
        thread.start()
    start.wait()
    threading.Event().wait(delay_s)
    assert callable(withdrawal)
    withdrawal()
    for thread in threads:
        thread.join()


def _released(house: House, grant: Grant) -> tuple[list[Release], list[Release]]:
    """What the ledger's own order has before the withdrawal, and behind it."""
    with Registry.open(house.registry, read_only=True) as registry, registry.view() as view:
        [end] = [e.leaf_index for e in view.events(f"grant:{grant.grant_id}") if e.event.kind is EventKind.WITHDRAWN]
        found = view.store.of_kind(Release)
        before = [e.record for e in found if e.leaf_index < end and isinstance(e.record, Release)]
        return before, [e.record for e in found if e.leaf_index > end and isinstance(e.record, Release)]
