"""Two workers, one revocation, a hundred races: after a withdrawal there is no release, and nothing may be published."""

from __future__ import annotations

import functools
import threading
from datetime import timedelta
from unittest.mock import patch

from made_service import House
from test_jobs_survive import queued, releases

from consent.consequences import record_ending
from consent.registry import Registry
from consent.releases import Release
from consent.vocabulary import EventKind
from dubgate import certifying
from dubgate.service import jobs
from dubgate.service.working import Worker

RACES = 100


def withdraw(house: House) -> None:
    """The performer withdraws the grant that the delivery rests on."""
    grant = house.place.world_grants()[0]
    with Registry.open(house.registry, clock=house.clock) as registry:
        record_ending(registry, f"grant:{grant.grant_id}", EventKind.WITHDRAWN, by=grant.granted_by)


def give_again(house: House) -> None:
    grant = house.place.world_grants()[0]
    with Registry.open(house.registry, clock=house.clock) as registry:
        record_ending(registry, f"grant:{grant.grant_id}", EventKind.GIVEN, by=grant.granted_by)


def test_no_release_stands_in_the_ledger_after_the_withdrawal_in_any_of_a_hundred_races(house: House) -> None:
    workers, released = [house.worker("one"), house.worker("two")], []
    load = functools.cache(certifying.load_delivery)  # the files stay as they are; reading them is not what races
    with patch.object(certifying, "load_delivery", load):
        for race in range(RACES):
            ids = [queued(house), queued(house)]
            _run(workers, lambda: withdraw(house), delay_s=0.012 * (race % 10))
            ended = [jobs.get(workers[0].engine, job_id) for job_id in ids]
            assert all((job.decision == "release") == (job.state == jobs.DONE) for job in ended if job is not None)
            released.append(sum(job is not None and job.decision == "release" for job in ended))
            assert _released_after_the_end(house) == []
            for job_id in ids:  # those that the registry refused would be judged again, and blocked
                _drop(workers[0], job_id, house)
            give_again(house)
            house.clock.forward(seconds=1)
    assert len(set(released)) > 1, "the races were no races: all ended alike"
    assert len(releases(house)) == sum(released)


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


def _released_after_the_end(house: House) -> list[Release]:
    """What the ledger's own order has behind the last withdrawal."""
    grant = house.place.world_grants()[0].grant_id
    with Registry.open(house.registry, read_only=True) as registry, registry.view() as view:
        last = max(e.leaf_index for e in view.events(f"grant:{grant}") if e.event.kind is EventKind.WITHDRAWN)
        return [e.record for e in view.store.all_entries(start=last) if isinstance(e.record, Release)]


def _drop(worker: Worker, job_id: str, house: House) -> None:
    """What waits to be judged again is out of the next race."""
    from dubgate.service.database import changing

    with changing(worker.engine) as connection:
        jobs.ask_to_cancel(connection, job_id, "polyglot", house.clock() + timedelta(0))
