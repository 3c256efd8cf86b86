"""A standing approval: its holder is told of each use and may object; the number is spent once, whoever asks at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from consent_examples import DAY, NOW, Place, Ticking, approval, candidate, event, open_world, party, use
from test_notices import release

from consent.approvals import Approval, ApprovalHistory, Candidate, Standing, approval_denials
from consent.errors import RecordError
from consent.registry import Registry
from consent.releases import Planned, RefusedError
from consent.strict import Window
from consent.uses import UseHistory, UseNotice
from consent.vocabulary import Channel, EventKind, Role
from consent.writing import Addition

HOURS = 48
NO_BYTES: dict[str, Any] = {
    "sounds": (),
    "label_plan_sha256": None,
    "script_sha256": None,
    "original_sha256": None,
}


def standing(*, waits: bool | None = None, n: int = 2, **changes: Any) -> Approval:
    terms = Standing(languages=("fr-FR",), max_releases=n, objection_hours=HOURS, waits=waits)
    return approval(standing=terms, **(NO_BYTES | changes))


def sound(k: int) -> Candidate:
    return candidate(packets_sha256=f"{k:064x}", pcm_sha256=None)


def released(registry: Registry, k: int, **how: Any) -> None:
    made = release(f"rel-{k}", packets_sha256=f"{k:064x}", approval_ids=("a-1",))
    with registry.write() as writer:
        writer.release(made, [Planned("v-ada", use())], how.get("candidate", sound(k)))


def notices(registry: Registry) -> tuple[UseHistory, ...]:
    with registry.view() as view:
        return view.uses("a-1")


def objection(notice: UseNotice, **changes: Any) -> Any:
    said = {"target": "use_notice", "target_id": notice.notice_id, "by": "studio", "reason": "Not this one."}
    return event(EventKind.OBJECTED, NOW, **(said | changes))


def denied(terms: Approval, uses: tuple[UseHistory, ...], at: Any = NOW, k: int = 1) -> list[str]:
    history = ApprovalHistory(terms, NOW - DAY, uses=uses)
    return [d.code for d in approval_denials(history, sound(k), at)]


def test_every_use_is_told_to_the_holder_and_spends_one(tmp_path: Path) -> None:
    with open_world(tmp_path, Ticking(), standing()) as registry:
        released(registry, 1)
        released(registry, 2)
        told = notices(registry)
        assert [u.notice.packets_sha256 for u in told] == [f"{k:064x}" for k in (1, 2)]
        assert {u.notice.to for u in told} == {"studio"}
        assert {u.notice.object_until for u in told} == {NOW + timedelta(hours=HOURS)}
        before = registry.head()
        with pytest.raises(RefusedError, match="used up"):
            released(registry, 3)
        assert registry.head() == before  # nothing of it was recorded


def test_a_use_that_was_told_before_is_not_told_or_spent_again(tmp_path: Path) -> None:
    with open_world(tmp_path, Ticking(), standing(n=1)) as registry:
        with registry.write() as writer:
            first = writer.notice_use("a-1", sound(1), "vendor")
            assert writer.notice_use("a-1", sound(1), "vendor") == first
        released(registry, 1)
        assert len(notices(registry)) == 1
        with pytest.raises(RecordError, match="used up"), registry.write() as writer:
            writer.notice_use("a-1", sound(2), "vendor")


@pytest.mark.parametrize(
    "told_of",
    [
        {"territories": ("FR",)},
        {"channels": (Channel.AVOD,)},
        {"window": Window(start=NOW, end=NOW + DAY)},
        {"title_ids": ("t-season",)},
    ],
    ids=("places", "channels", "window", "title"),
)
def test_whoever_was_told_of_less_was_not_told_of_this_use(tmp_path: Path, told_of: dict[str, Any]) -> None:
    """Told of one country and the time to object over, the same sound goes nowhere else without another word."""
    asked = sound(1)
    less = asked.model_copy(update=told_of)
    with open_world(tmp_path, Ticking(), standing(waits=True)) as registry:
        with registry.write() as writer:
            first = writer.notice_use("a-1", less, "vendor")
            late = first.object_until
            history = ApprovalHistory(standing(waits=True), NOW - DAY, uses=writer.uses("a-1"))
            assert [d.code for d in approval_denials(history, asked, late)] == ["RH-004"]
            second = writer.notice_use("a-1", asked, "vendor")
            assert second.notice_id != first.notice_id
            assert writer.notice_use("a-1", asked, "vendor") == second
            with pytest.raises(RecordError, match="already told"):
                writer.add(Addition(second.model_copy(update={"notice_id": "n-again"})))
        assert denied(standing(waits=True), notices(registry), second.object_until) == []
        registry.add(objection(first))
        assert denied(standing(waits=True), notices(registry), second.object_until) == ["RH-001"]


def test_of_eight_who_ask_at_once_three_get_the_three_uses(tmp_path: Path) -> None:
    open_world(tmp_path, Ticking(), standing(n=3)).close()

    def use_one(k: int) -> bool:
        with Place.sqlite(tmp_path).open(Ticking()) as registry:
            try:
                with registry.write() as writer:
                    writer.notice_use("a-1", sound(k), "vendor")
            except RecordError:
                return False
            return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(use_one, range(8))) == 3
    with Place.sqlite(tmp_path).open(Ticking()) as registry:
        assert len(notices(registry)) == 3
        assert registry.audit().sound


def test_a_release_under_it_says_what_is_delivered(tmp_path: Path) -> None:
    with open_world(tmp_path, Ticking(), standing()) as registry:
        with pytest.raises(RecordError, match="says what is delivered"):
            released(registry, 1, candidate=None)
        with pytest.raises(RecordError, match="not the sound"):
            released(registry, 1, candidate=sound(2))


def test_an_objection_takes_the_use_out_until_it_is_lifted(tmp_path: Path) -> None:
    clock = Ticking()
    with open_world(tmp_path, clock, standing()) as registry:
        released(registry, 1)
        [told] = notices(registry)
        assert denied(standing(), (told,)) == []
        registry.add(objection(told.notice))
        assert denied(standing(), notices(registry)) == ["RH-001"]
        assert denied(standing(), notices(registry), k=2) == []  # another use is another question
        with pytest.raises(RefusedError, match="Not this one"):
            released(registry, 1)
        registry.add(event(EventKind.LIFTED, NOW, target="use_notice", target_id=told.notice.notice_id, by="studio"))
        assert denied(standing(), notices(registry)) == []


def test_a_houses_objection_is_lifted_by_who_made_it_or_by_who_decides_for_the_house(tmp_path: Path) -> None:
    people = [
        party("clerk", Role.LOCALIZATION_SUPERVISOR, organisation_id="studio"),
        party("reviewer", Role.REVIEWER, organisation_id="studio"),
        party("counsel", Role.RIGHTS_HOLDER, organisation_id="studio"),
    ]
    with open_world(tmp_path, Ticking(), *people, standing()) as registry:
        released(registry, 1)
        [told] = notices(registry)
        where = {"target": "use_notice", "target_id": told.notice.notice_id}
        with pytest.raises(RecordError, match="only a refusal can be lifted"):
            registry.add(event(EventKind.LIFTED, NOW, by="counsel", **where))
        for lifter in ("clerk", "counsel", "studio"):
            registry.add(objection(told.notice, by="clerk", event_id=f"e-no-{lifter}"))
            with pytest.raises(RecordError, match="clerk said this no"):
                registry.add(event(EventKind.LIFTED, NOW, by="reviewer", **where))
            assert denied(standing(), notices(registry)) == ["RH-001"]
            registry.add(event(EventKind.LIFTED, NOW, by=lifter, event_id=f"e-yes-{lifter}", **where))
            assert denied(standing(), notices(registry)) == []


@pytest.mark.parametrize(
    ("changes", "later", "what"),
    [
        ({"by": "vendor"}, 0, "only studio"),
        ({"by": "op-1"}, 0, "only studio"),
        ({"kind": EventKind.CONFIRMED}, 0, "is not confirmed"),
        ({}, HOURS, "the time to object ended"),
    ],
)
def test_only_the_holder_objects_and_only_in_time(
    tmp_path: Path, changes: dict[str, Any], later: int, what: str
) -> None:
    clock = Ticking()
    with open_world(tmp_path, clock, standing()) as registry:
        released(registry, 1)
        [told] = notices(registry)
        clock.now = NOW + timedelta(hours=later)
        said = objection(told.notice).model_copy(update=changes)
        with pytest.raises(RecordError, match=what):
            registry.add(said)


def test_one_that_waits_is_held_until_the_time_to_object_has_passed(tmp_path: Path) -> None:
    clock = Ticking()
    with open_world(tmp_path, clock, standing(waits=True)) as registry:
        assert denied(standing(waits=True), ()) == ["RH-004"]
        with pytest.raises(RefusedError, match="has not been told"):
            released(registry, 1)
        with registry.write() as writer:
            writer.notice_use("a-1", sound(1), "vendor")
        told = notices(registry)
        end = NOW + timedelta(hours=HOURS)
        assert denied(standing(waits=True), told, end - timedelta(seconds=1)) == ["RH-004"]
        assert denied(standing(waits=True), told, end) == []
        with pytest.raises(RefusedError, match="may still object"):
            released(registry, 1)
        clock.now = end
        released(registry, 1)


@pytest.mark.parametrize(
    "changes",
    [
        {"to": "rival"},
        {"approval_id": "a-9"},
        {"object_until": NOW + timedelta(hours=HOURS - 1)},
        {"by": "nobody"},
    ],
)
def test_a_notice_that_is_wrong_does_not_enter(tmp_path: Path, changes: dict[str, Any]) -> None:
    with open_world(tmp_path, Ticking(), standing()) as registry:
        with registry.write() as writer:
            good = writer.notice_use("a-1", sound(1), "vendor")
        bad = good.model_copy(update={"notice_id": "un-2", "packets_sha256": "7" * 64} | changes)
        with pytest.raises(RecordError):
            registry.add(Addition(bad))
        with pytest.raises(RecordError, match="already told"):
            registry.add(good.model_copy(update={"notice_id": "un-3"}))
