"""A house's own words are loosened only by who may speak them: not by every account of the house, nor by a mail's link."""

from __future__ import annotations

from unittest.mock import patch

import pytest
from test_desk_decisions import approvals, status
from world import World

from consent.conditions import open_conditions
from consent.errors import StoreError
from consent.parties import PartyKey
from consent.registry import Registry
from consent.web import ceremonies, unkeying


def _refusal_of(world: World, party: str = "hana") -> str:
    world.visit(party).send("/refusals", "/refusals", title_id="moon", words="No AI dub in any form.")
    with world.registry.view() as view:
        [refusal] = view.refusals_by("studio")
    return f"/refusals/{refusal.refusal_id}/lift"


def _approved_on_condition(world: World) -> tuple[str, str]:
    hana = world.visit("hana")
    where = hana.send("/requests/rq-1/approve", "/requests/rq-1", decision="conditions", condition_label="Deutsch [KI]")
    assert hana.sign(where).status_code == 303
    [approval] = approvals(world)
    return f"/approvals/{approval.approval_id}", approval.conditions[0]


def _n_open(world: World) -> int:
    [approval] = approvals(world)
    with world.registry.view() as view:
        [history] = view.approvals(["moon"])
        return len(open_conditions(approval, history.events, view.now))


def test_a_reviewer_of_the_house_does_not_lift_its_standing_refusal(world: World) -> None:
    lift, reviewer = _refusal_of(world), world.visit("rev-a")
    size = world.registry.head().size
    assert reviewer.post(lift, "/security").status_code == 404
    assert world.registry.head().size == size


def test_a_reviewer_of_the_house_does_not_say_that_a_condition_is_met_or_take_its_approval_back(world: World) -> None:
    path, condition = _approved_on_condition(world)
    reviewer = world.visit("rev-a")
    assert reviewer.post(f"{path}/met", "/security", condition=condition).status_code == 404
    assert reviewer.post(f"{path}/withdraw", "/security", reason="x").status_code == 404
    assert _n_open(world) == 1


def test_a_reviewer_of_the_house_does_not_lift_its_no_to_a_request(world: World) -> None:
    world.visit("hana").send("/requests/rq-1/refuse", "/requests/rq-1", reason="Not this film.")
    assert world.visit("rev-a").post("/requests/rq-1/lift", "/security").status_code == 404
    assert status(world, "rq-1") == "refused"


@pytest.mark.parametrize("what", ["refusal", "condition", "request"])
def test_a_mails_link_alone_loosens_nothing(world: World, what: str) -> None:
    if what == "refusal":
        path, fields = _refusal_of(world), {}
    elif what == "condition":
        approval, condition = _approved_on_condition(world)
        path, fields = f"{approval}/met", {"condition": condition}
    else:
        world.visit("hana").send("/requests/rq-1/refuse", "/requests/rq-1", reason="Not this film.")
        path, fields = "/requests/rq-1/lift", {}
    size = world.registry.head().size
    assert world.visit("hana", level="link").post(path, "/security", **fields).status_code == 403
    assert world.registry.head().size == size
    assert world.visit("hana").post(path, "/security", **fields).status_code == 303
    assert world.registry.head().size == size + 1


@pytest.mark.parametrize(
    ("path", "page"),
    [("/grants/g-ada/resume", "/grants/g-ada"), ("/voices/v-ada/recordings/en-ada/confirm", "/voices/v-ada")],
)
def test_a_mails_link_alone_opens_no_voice_of_somebody_who_has_a_passkey(world: World, path: str, page: str) -> None:
    """A suspension that its owner set, and a recording that nobody is compared with until they say that it is theirs."""
    world.visit("ada").send("/grants/g-ada/suspend", "/grants/g-ada/suspend")
    world.later(seconds=1)
    size = world.registry.head().size
    assert world.visit("ada", level="link").post(path, page).status_code == 403
    assert world.registry.head().size == size
    assert world.visit("ada").post(path, page).status_code == 303
    assert world.registry.head().size == size + 1


def test_a_passkey_that_the_ledger_could_not_revoke_stays_in_the_list_to_be_removed_again(world: World) -> None:
    hana = world.visit("hana")
    [row] = ceremonies.passkeys_of(world.desk, hana.account.account_id)
    with (
        patch.object(Registry, "write", side_effect=StoreError("the disk is full")),
        pytest.raises(StoreError),
    ):
        unkeying.remove_passkey(world.desk, hana.account, row["credential_id"], last_too=True)
    assert ceremonies.passkeys_of(world.desk, hana.account.account_id) == [row]
    unkeying.remove_passkey(world.desk, hana.account, row["credential_id"], last_too=True)
    assert ceremonies.passkeys_of(world.desk, hana.account.account_id) == []
    with world.registry.view() as view:
        key = view.record(f"credential:{row['credential_id']}", PartyKey)
        assert key is not None
        holder = view.key(key.keyid, view.now)
        assert holder is not None
        assert "revoked" in holder.problem
