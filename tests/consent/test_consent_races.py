"""Many at once, and the plug pulled: nothing is spent twice, no release postdates a withdrawal, nothing said is lost."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import random
import signal
import time
from typing import Any

import pytest
from consent_examples import (
    DAY,
    NOW,
    Place,
    Ticking,
    approval,
    candidate,
    event,
    grant,
    open_world,
    party,
    refusal,
    use,
    voice,
)

from consent.errors import RecordError
from consent.registry import Registry
from consent.releases import Planned, RefusedError, Release, ReleaseDecision, VoiceUse
from consent.vocabulary import Channel, EventKind, Role, Technique

FORK = multiprocessing.get_context("forkserver")
FORK.set_forkserver_preload(["consent.registry", "consent_examples"])  # a process then costs milliseconds, not a second


def release(name: str, **changes: Any) -> Release:
    said: dict[str, Any] = {
        "release_id": name,
        "decision": ReleaseDecision.RELEASE,
        "title_id": "show-101",
        "language": "fr-FR",
        "territories": ("FR", "BE"),
        "channels": (Channel.SVOD,),
        "window": use().window,
        "packets_sha256": "1" * 64,
        "voices": (VoiceUse(voice_id="v-ada", grant_id="g-ada", technique=Technique.VOICE_CLONE_TTS),),
        "recorded_by": "op-1",
        "decided_at": NOW,
    }
    return Release(**(said | changes))


def spend_once(place: Place, name: str, together: Any, spent: Any) -> None:
    """One process that wants one use of the grant."""
    metered = (VoiceUse(voice_id="v-ada", grant_id="g-metered", technique=Technique.VOICE_CONVERSION),)
    planned = Planned("v-ada", use(technique=Technique.VOICE_CONVERSION))
    with place.open() as registry:
        together.wait(120)
        try:
            with registry.write() as writer:
                writer.release(release(name, voices=metered), [planned])
        except RefusedError as refusal:
            spent.put(f"refused {max(d.code for d in refusal.denials if d.record_id == 'g-metered')}")
        else:
            spent.put("spent")


@pytest.mark.slow
def test_fifty_processes_spend_a_grant_with_ten_uses_exactly_ten_times(place: Place) -> None:
    terms = grant(grant_id="g-metered", techniques=(Technique.VOICE_CONVERSION,), max_uses=10)
    open_world(place, None, terms, event(EventKind.GIVEN, target_id="g-metered")).close()
    answers, together = FORK.Queue(), FORK.Barrier(50)
    crowd = [FORK.Process(target=spend_once, args=(place, f"rel-{k}", together, answers)) for k in range(50)]
    for process in crowd:
        process.start()
    told = sorted(answers.get(timeout=200) for _ in crowd)
    for process in crowd:
        process.join(60)
    assert told == ["refused CON-016"] * 40 + ["spent"] * 10
    with place.open() as registry, registry.view() as view:
        (metered,) = [h for h in view.grants("v-ada") if h.grant.grant_id == "g-metered"]
        assert metered.state(NOW).uses_spent == 10
        assert len(view.store.of_kind(Release)) == 10
        assert registry.audit().sound


def late(role: str, k: int, chance: random.Random) -> float:
    """Seconds that a side holds back: now one is sure to be second, now the other, mostly it is anybody's race."""
    if k % 4 < 2:
        return 0.02 if (k % 4 == 0) == (role == "release") else 0.0
    return chance.uniform(0.0, 0.003)


def race(place: Place, role: str, n: int, barrier: Any) -> None:
    """One side of the races: it releases, or it withdraws, `n` grants one after the other."""
    chance = random.Random(role)
    with place.open() as registry:
        for k in range(n):
            barrier.wait(120)
            time.sleep(late(role, k, chance))
            if role == "withdraw":
                registry.add(event(EventKind.WITHDRAWN, NOW, target_id=f"g-{k}", event_id=f"e-w-{k}"))
                continue
            voices = (VoiceUse(voice_id=f"v-{k}", grant_id=f"g-{k}", technique=Technique.VOICE_CLONE_TTS),)
            try:
                with registry.write() as writer:
                    writer.release(release(f"rel-{k}", voices=voices), [Planned(f"v-{k}", use())])
            except RefusedError:
                continue


@pytest.mark.slow
def test_in_two_hundred_races_no_release_comes_after_its_withdrawal(place: Place) -> None:
    n = 200
    voices = [voice(voice_id=f"v-{k}") for k in range(n)]
    made = [grant(grant_id=f"g-{k}", voice_id=f"v-{k}") for k in range(n)]
    given = [event(EventKind.GIVEN, target_id=f"g-{k}", event_id=f"e-g-{k}") for k in range(n)]
    open_world(place, None, *voices, *made, *given).close()
    barrier = FORK.Barrier(2)
    sides = [FORK.Process(target=race, args=(place, role, n, barrier)) for role in ("release", "withdraw")]
    for side in sides:
        side.start()
    for side in sides:
        side.join(280)
        assert side.exitcode == 0
    with place.open() as registry, registry.view() as view:
        released = {r.record.record_id: r.leaf_index for r in view.store.of_kind(Release)}
        for k in range(n):
            (withdrawn,) = [e for e in view.events(f"grant:g-{k}") if e.event.kind is EventKind.WITHDRAWN]
            assert released.get(f"rel-{k}", -1) < withdrawn.leaf_index
            assert not view.clear(f"v-{k}", use(), NOW).cleared
        assert n // 4 <= len(released) <= n - n // 4 + 10  # both sides won races: nothing was vacuous
        assert registry.audit().sound


def test_a_release_that_the_registry_does_not_cover_leaves_nothing(place: Place) -> None:
    with open_world(place) as registry:
        before = registry.head()
        with pytest.raises(RefusedError) as caught, registry.write() as writer:
            writer.release(release("rel-1"), [Planned("v-ada", use(territories=("US",)))])
        assert [d.code for d in caught.value.denials] == ["CON-012"]
        with pytest.raises(RecordError, match="none of the grants"), registry.write() as writer:
            writer.release(release("rel-1", voices=()), [Planned("v-ada", use())])
        assert registry.head() == before


def test_a_release_looks_again_at_refusals_and_approvals(place: Place) -> None:
    planned, gone = (
        [Planned("v-ada", use())],
        event(EventKind.REVOKED, NOW, target="approval", target_id="a-1", by="studio"),
    )
    approved = release("rel-1", approval_ids=("a-1",))
    with open_world(place, None, approval()) as registry:
        with registry.write() as writer:
            writer.release(approved, planned, candidate())
        registry.add(gone)
        with pytest.raises(RefusedError, match="taken back"), registry.write() as writer:
            writer.release(release("rel-2", approval_ids=("a-1",)), planned, candidate())
        registry.add(refusal())
        with pytest.raises(RefusedError, match="No AI dub of Show"), registry.write() as writer:
            writer.release(release("rel-3"), planned)


def test_uses_are_reserved_spent_and_given_back(place: Place) -> None:
    terms = grant(grant_id="g-2", max_uses=2, max_minutes=30.0)
    with open_world(place, None, terms, event(EventKind.GIVEN, target_id="g-2")) as registry:

        def meter(kind: EventKind, ref: str, uses: int = 0, minutes: float = 0.0) -> None:
            said = {"event_id": f"e-{kind}-{ref}", "target_id": "g-2", "by": "op-1", "ref": ref}
            registry.add(event(kind, NOW, **said, uses=uses, minutes=minutes))

        meter(EventKind.USE_RESERVED, "a", 1, 20.0)
        with pytest.raises(RecordError, match="not so many"):
            meter(EventKind.USE_RESERVED, "b", 1, 11.0)
        with pytest.raises(RecordError, match="not so many"):
            meter(EventKind.USE_SPENT, "c", 2)
        meter(EventKind.USE_SPENT, "a")
        meter(EventKind.USE_RESERVED, "d", 1, 10.0)
        meter(EventKind.USE_RELEASED, "d")
        meter(EventKind.USE_SPENT, "f", 1, 10.0)


def write_pairs(place: Place, attempt: int, acknowledge: Any) -> None:
    """Writes two events to a transaction, and says each time that they are recorded."""
    with place.open() as registry:
        for k in range(100):
            registry.add(*(event(EventKind.REQUESTED, NOW, event_id=f"e-{attempt}-{k}-{side}") for side in "ab"))
            acknowledge.send(k)


def killed_at_some_moment(place: Place, attempt: int, chance: random.Random) -> int:
    """How many writes a writer acknowledged before it was killed."""
    heard, acknowledge = FORK.Pipe(duplex=False)
    writer = FORK.Process(target=write_pairs, args=(place, attempt, acknowledge))
    writer.start()
    acknowledge.close()
    heard.recv()
    time.sleep(chance.uniform(0.0, 0.1))
    assert writer.pid is not None
    os.kill(writer.pid, signal.SIGKILL)
    n = 1
    with contextlib.suppress(EOFError):
        while True:
            n = heard.recv() + 1
    writer.join(60)
    return n


@pytest.mark.slow
def test_nothing_acknowledged_is_missing_after_a_kill(place: Place) -> None:
    chance, acknowledged = random.Random(7), 0
    open_world(place).close()
    for attempt in range(10):
        n = killed_at_some_moment(place, attempt, chance)
        acknowledged += n
        with place.open() as registry, registry.view() as view:
            recorded = [e.event.event_id for e in view.events("grant:g-ada") if e.event.kind is EventKind.REQUESTED]
            mine = [name for name in recorded if name.startswith(f"e-{attempt}-")]
            pairs = [f"e-{attempt}-{k}-{side}" for k in range(len(mine) // 2) for side in "ab"]
            assert mine == pairs  # in order, none half
            assert len(mine) // 2 in (n, n + 1)  # the last may be recorded and not yet said
            assert registry.audit().sound
    assert acknowledged >= 10


def test_a_batch_of_records_is_all_there_or_not_at_all(place: Place) -> None:
    with open_world(place) as registry:
        before = registry.head()
        with pytest.raises(RecordError):
            registry.add(party("new-1", Role.LEGAL), party("new-2", Role.LEGAL), party("new-1", Role.LEGAL))
        assert registry.head() == before
        with registry.view() as view:
            assert view.party("new-2") is None


def test_a_view_sees_one_moment_while_others_write(place: Place) -> None:
    clock = Ticking()
    with open_world(place, clock) as registry, registry.view() as view:
        assert view.clear("v-ada", use(), NOW).cleared
        clock.now += DAY
        registry.add(event(EventKind.WITHDRAWN, clock.now))
        assert view.clear("v-ada", use(), clock.now).cleared
        with registry.view() as later:
            assert not later.clear("v-ada", use(), clock.now).cleared


def test_a_database_that_goes_away_is_a_clear_error(postgresql_place: Place) -> None:
    from sqlalchemy import text

    from consent.errors import StoreError

    open_world(postgresql_place).close()
    with postgresql_place.open() as registry, postgresql_place.open() as other:
        assert isinstance(registry, Registry)

        def interrupted() -> None:
            with registry.view() as view, other.view() as killer:
                pid = view.store.connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
                killer.store.connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
                view.clear("v-ada", use(), NOW)

        with pytest.raises(StoreError, match="connection to the database was lost"):
            interrupted()
        with registry.view() as view:
            assert view.clear("v-ada", use(), NOW).cleared
