"""A request at the registry's door: who may ask, who may answer, until when, and what a no means."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from consent_examples import DAY, NOW, Ticking, candidate, event, open_world, party
from pydantic import ValidationError

from consent.asking import all_requests, request_histories
from consent.errors import RecordError
from consent.events import Event
from consent.requests import Request, RequestKind, RequestStatus, Wanted, asks_the_same
from consent.vocabulary import EventKind, Role

APPROVE = Wanted(what=RequestKind.APPROVAL, rule="RH-001", about="programme", question="Do you approve this?")
LISTEN = Wanted(what=RequestKind.ATTESTATION, rule="CON-035", about="programme", question="Is it them?")


def request(**changes: Any) -> Request:
    said: dict[str, Any] = {
        "request_id": "rq-1",
        "to": "studio",
        "asked_by": "vendor",
        "release": candidate(),
        "wanted": (APPROVE,),
        "asked_at": NOW,
        "expires_at": NOW + 14 * DAY,
    }
    return Request(**(said | changes))


def said(kind: EventKind, by: str = "studio", **changes: Any) -> Event:
    return event(kind, NOW, **({"target": "request", "target_id": "rq-1", "by": by} | changes))


def test_a_request_is_found_by_who_is_asked_and_by_its_sound(tmp_path: Path) -> None:
    with open_world(tmp_path, Ticking(), request()) as registry, registry.view() as view:
        for key in ("party:studio", "party:vendor", "title:show-101", f"sound:{'1' * 64}", "request:rq-1"):
            [found] = request_histories(view, key)
            assert found.status(NOW) is RequestStatus.OPEN
        assert len(all_requests(view)) == 1
        assert found.status(NOW - DAY) is None
        assert found.status(NOW + 14 * DAY) is RequestStatus.EXPIRED


@pytest.mark.parametrize(
    ("kind", "by", "status"),
    [
        (EventKind.REFUSED, "studio", RequestStatus.REFUSED),
        (EventKind.REFUSED, "studio-clerk", RequestStatus.REFUSED),
        (EventKind.DEFERRED, "studio", RequestStatus.DEFERRED),
        (EventKind.CONFIRMED, "studio", RequestStatus.ANSWERED),
        (EventKind.SETTLED, "vendor", RequestStatus.SETTLED),
        (EventKind.WITHDRAWN, "vendor", RequestStatus.WITHDRAWN),
        (EventKind.SUPERSEDED, "vendor", RequestStatus.SUPERSEDED),
    ],
)
def test_who_is_asked_answers_and_who_asked_closes(
    tmp_path: Path, kind: EventKind, by: str, status: RequestStatus
) -> None:
    clerk = party("studio-clerk", Role.RIGHTS_HOLDER, organisation_id="studio")
    with open_world(tmp_path, Ticking(), clerk, request(), said(kind, by)) as registry, registry.view() as view:
        [found] = request_histories(view, "request:rq-1")
        assert found.status(NOW) is status
        assert found.waiting(NOW) is (status is RequestStatus.DEFERRED)
        assert (found.refusal(NOW + 900 * DAY) is not None) is (status is RequestStatus.REFUSED)  # a no does not expire


@pytest.mark.parametrize(
    ("kind", "by"),
    [
        (EventKind.REFUSED, "vendor"),
        (EventKind.CONFIRMED, "vendor"),
        (EventKind.CONFIRMED, "op-1"),
        (EventKind.REFUSED, "rival"),
        (EventKind.SETTLED, "studio"),
        (EventKind.SETTLED, "op-1"),
        (EventKind.LIFTED, "studio"),
        (EventKind.GIVEN, "studio"),
        (EventKind.OBJECTED, "studio"),
    ],
)
def test_nobody_speaks_for_another(tmp_path: Path, kind: EventKind, by: str) -> None:
    with open_world(tmp_path, Ticking(), request()) as registry:
        before = registry.head()
        with pytest.raises(RecordError):
            registry.add(said(kind, by))
        assert registry.head() == before


@pytest.mark.parametrize("kind", [EventKind.OBJECTED, EventKind.INVALIDATED])
def test_a_request_has_answers_and_ends_and_nothing_else(tmp_path: Path, kind: EventKind) -> None:
    with open_world(tmp_path, Ticking(), request()) as registry:
        for by in ("studio", "vendor"):
            with pytest.raises(RecordError, match=f"a request is not {kind}"):
                registry.add(said(kind, by))


def test_a_no_stands_until_the_same_party_lifts_it(tmp_path: Path) -> None:
    with open_world(tmp_path, Ticking(), request(), said(EventKind.REFUSED, reason="Never.")) as registry:
        for late in (EventKind.CONFIRMED, EventKind.DEFERRED):
            with pytest.raises(RecordError, match="no longer open"):
                registry.add(said(late))
        with pytest.raises(RecordError, match="no longer open"):
            registry.add(said(EventKind.SETTLED, "vendor"))
        with pytest.raises(RecordError, match="only studio"):
            registry.add(said(EventKind.LIFTED, "vendor"))
        registry.add(said(EventKind.LIFTED))
        with registry.view() as view:
            assert request_histories(view, "request:rq-1")[0].waiting(NOW)


PEOPLE = {
    "clerk": (Role.LOCALIZATION_SUPERVISOR, "studio"),
    "reviewer": (Role.REVIEWER, "studio"),
    "counsel": (Role.RIGHTS_HOLDER, "studio"),
    "guest": (Role.RIGHTS_HOLDER, "rival"),
}


@pytest.mark.parametrize(
    ("by", "lifted"),
    [("clerk", True), ("reviewer", False), ("counsel", True), ("studio", True), ("guest", False), ("nobody", False)],
)
def test_a_houses_no_is_lifted_by_who_said_it_or_by_who_decides_for_the_house(
    tmp_path: Path, by: str, lifted: bool
) -> None:
    people = [party(p, role, organisation_id=house) for p, (role, house) in PEOPLE.items()]
    no = said(EventKind.REFUSED, "clerk", reason="Never.")
    with open_world(tmp_path, Ticking(), *people, request(), no) as registry:
        before = registry.head()
        if lifted:
            registry.add(said(EventKind.LIFTED, by))
        else:
            with pytest.raises(RecordError):
                registry.add(said(EventKind.LIFTED, by))
            assert registry.head() == before
        with registry.view() as view:
            [history] = request_histories(view, "request:rq-1")
            assert history.waiting(NOW) is lifted
            assert (history.refusal(NOW) is None) is lifted


@pytest.mark.parametrize(
    "changes",
    [
        {"to": "nobody"},
        {"asked_by": "nobody"},
        {"release": candidate(title_ids=("elsewhere",))},
        {"expires_at": NOW, "asked_at": NOW - DAY},
    ],
)
def test_a_request_of_what_is_not_there_does_not_enter(tmp_path: Path, changes: dict[str, Any]) -> None:
    with open_world(tmp_path, Ticking()) as registry, pytest.raises(RecordError):
        registry.add(request(**changes))


@pytest.mark.parametrize(
    "changes",
    [{"to": "vendor"}, {"wanted": ()}, {"wanted": (APPROVE, APPROVE)}, {"expires_at": NOW}],
)
def test_a_request_that_contradicts_itself_is_none(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        request(**changes)


def test_the_same_question_about_another_sound_or_with_more_in_it_is_another(tmp_path: Path) -> None:
    with open_world(tmp_path, Ticking(), request()) as registry, registry.view() as view:
        [found] = request_histories(view, "request:rq-1")
    assert asks_the_same(found, candidate(), (APPROVE,))
    assert not asks_the_same(found, candidate(), (APPROVE, LISTEN))
    assert not asks_the_same(found, candidate(packets_sha256="8" * 64), (APPROVE,))
    assert not asks_the_same(found, candidate(label_plan_sha256="8" * 64), (APPROVE,))
