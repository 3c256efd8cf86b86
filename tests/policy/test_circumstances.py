"""Who counts as the submitter where signed objects are held against a delivery: the person, and the house behind them."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from test_signed_objects import AT, NOW, SOUND, finding, waived, waiver

from consent.parties import Party
from consent.vocabulary import Role
from dubgate.answers import circumstances_of
from dubgate.policy.findings import Outcome
from dubgate.policy.partner_approvals import partners_who_approved
from dubgate.policy.signed_objects import Circumstances, VerifiedStatement, WrittenApproval

CLERK = Party(party_id="clerk", roles=(Role.DUBBING_VENDOR,), person=True, organisation_id="vendor")


def _now(submitter: str | None = "clerk") -> Circumstances:
    view: Any = SimpleNamespace(house_of=lambda number: CLERK.house_id if number == "clerk" else number)
    delivery: Any = SimpleNamespace(submitter=submitter, cast=())
    candidate: Any = SimpleNamespace(packets_sha256=SOUND, pcm_sha256=None)
    return circumstances_of(delivery, candidate, (), 60.0, view, AT)


def _written(party: str, house: str) -> Any:
    record = WrittenApproval(
        written_approval_id="wr-1", by=party, partner="x-streamer", document_sha256="d" * 64, packets_sha256=SOUND,
        signed_at=AT, expires_at=AT.replace(year=2027),
    )  # fmt: skip
    return VerifiedStatement(record, party, house, frozenset({Role.LEGAL}), f"key-of-{party}")


def test_a_colleague_of_the_person_who_submitted_waives_nothing() -> None:
    assert waived([finding()], waiver("colleague", house="vendor"), now=_now()) is Outcome.HOLD
    assert waived([finding()], waiver("vendor", house="vendor"), now=_now()) is Outcome.HOLD
    assert waived([finding()], waiver("lead", house="studio"), now=_now()) is Outcome.WAIVED


def test_a_colleague_of_the_person_who_submitted_answers_for_no_partner() -> None:
    assert partners_who_approved([_written("colleague", "vendor")], _now())[0] == ()
    assert partners_who_approved([_written("counsel", "studio")], _now())[0] == ("x-streamer",)


@pytest.mark.parametrize("house", ["vendor", "studio"])
def test_where_nobody_knows_who_submitted_nothing_counts(house: str) -> None:
    assert waived([finding()], waiver("lead", house=house), now=_now(None)) is Outcome.HOLD
    assert partners_who_approved([_written("counsel", house)], _now(None))[0] == ()


def test_the_houses_that_made_it_count_as_its_submitters() -> None:
    now = replace(NOW, submitters=frozenset({"clerk"}))
    assert waived([finding()], waiver("colleague", house="vendor"), now=now) is Outcome.HOLD
    assert partners_who_approved([_written("colleague", "vendor")], now)[0] == ()


def test_what_the_submitters_house_itself_signed_is_the_submitters() -> None:
    assert _now().submitters == {"clerk", "vendor"}
    assert _now().vendor_houses == {"clerk", "vendor"}
    assert _now(None).submitters == frozenset()
