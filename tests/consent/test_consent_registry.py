"""The registry as a gate meets it: what goes in, what comes out, and what is refused at the door."""

from __future__ import annotations

from datetime import timedelta

import pytest
from consent_examples import (
    DAY,
    ENCODER,
    JANUARY,
    NEXT_YEAR,
    NOW,
    VECTOR,
    Place,
    Ticking,
    approval,
    claim,
    enrolment,
    event,
    grant,
    key,
    open_world,
    party,
    permission,
    refusal,
    use,
    voice,
)

from consent.errors import RecordError, StoreError
from consent.titles import Title
from consent.vocabulary import EventKind, Level, PermissionKind, Right, Role, Subject, Technique
from consent.writing import Addition

MATCHED = Addition(enrolment(confirmed_by="p-ada"), vector=VECTOR)


def test_a_covered_use_of_an_enrolled_voice_is_cleared(place: Place) -> None:
    with open_world(place) as registry, registry.view() as view:
        title = view.title("show-101")
        assert title is not None
        assert title.title_ids == ("show-101", "show")
        assert view.title("eidr:10.5240/7791-8534-2C23-9030-8610-5") == title
        cleared = view.clear("v-ada", use(title_ids=title.title_ids), NOW)
        assert cleared.cleared
        assert [g.grant_id for g in cleared.grants] == ["g-ada"]
        rights = view.rights(title, Right.AI_DUB, use(), NOW)
        assert [c.holder_ids for c in rights.claims] == [("studio",)]
        assert rights.denials == ()


def test_an_unknown_voice_title_party_or_key_is_not_cleared(place: Place) -> None:
    with open_world(place) as registry, registry.view() as view:
        assert not view.clear("v-nobody", use(), NOW).cleared
        assert [d.code for d in view.clear("v-bo", use(), NOW).denials] == ["CON-001"]
        assert view.title("nothing") is None
        assert view.party("nobody") is None
        assert view.key("f" * 64, NOW) is None


def test_a_blend_needs_a_grant_for_each_of_its_voices(place: Place) -> None:
    blended = Technique.BLEND
    extra = (
        voice(voice_id="v-mix", subject=Subject.BLEND, owner_id="vendor", agent_ids=(), blend_of=("v-ada", "v-bo")),
        grant(grant_id="g-mix", voice_id="v-mix", granted_by="vendor", techniques=(blended,)),
        event(EventKind.GIVEN, target_id="g-mix", by="vendor"),
        grant(grant_id="g-ada-2", techniques=(blended,)),
        event(EventKind.GIVEN, target_id="g-ada-2"),
    )
    with open_world(place, None, *extra) as registry:
        with registry.view() as view:
            lacking = view.clear("v-mix", use(technique=blended), NOW)
            assert [(d.code, d.field) for d in lacking.denials] == [("CON-022", "blend_of")]
            assert not lacking.cleared
        given = event(EventKind.GIVEN, target_id="g-bo", by="p-bo")
        registry.add(grant(grant_id="g-bo", voice_id="v-bo", granted_by="p-bo", techniques=(blended,)), given)
        with registry.view() as view:
            assert view.clear("v-mix", use(technique=blended), NOW).cleared


def test_a_standing_refusal_is_found_by_title_and_by_voice_until_it_is_lifted(place: Place) -> None:
    clock = Ticking()
    with open_world(
        place, clock, refusal(), refusal(refusal_id="r-2", by="p-bo", title_ids=(), voice_ids=("v-bo",))
    ) as registry:
        with registry.view() as view:
            assert [r.refusal_id for r in view.refusals(use(), NOW)] == ["r-1"]
            assert {r.refusal_id for r in view.refusals(use(), NOW, voice_id="v-bo")} == {"r-1", "r-2"}
            assert view.refusals(use(title_ids=("other",)), NOW) == ()
        clock.now += DAY
        registry.add(event(EventKind.LIFTED, clock.now, target="refusal", target_id="r-1", by="studio"))
        with registry.view() as view:
            assert view.refusals(use(), clock.now + DAY) == ()


def test_a_template_is_handed_out_only_where_match_is_permitted(place: Place) -> None:
    with open_world(place, None, MATCHED) as registry, registry.view() as view:
        (found,) = view.enrolments("v-ada", NOW)
        assert found.vector == VECTOR
        assert found.confirmed
        assert "0.5" not in repr(found)
        assert view.enrolments("v-bo", NOW) == ()
        assert view.protected_voices(NOW, encoder_sha256=ENCODER) == ()
        assert view.enrolments("v-ada", NEXT_YEAR) == ()


def test_a_protected_voice_is_searched_for_without_match(place: Place) -> None:
    extra = (
        permission(PermissionKind.PROTECT, "v-bo"),
        permission(PermissionKind.KEEP, "v-bo"),
        Addition(enrolment(enrolment_id="en-bo", voice_id="v-bo"), vector=VECTOR),
    )
    with open_world(place, None, *extra) as registry, registry.view() as view:
        (found,) = view.protected_voices(NOW, encoder_sha256=ENCODER)
        assert (found.voice_id, found.confirmed) == ("v-bo", False)
        assert view.enrolments("v-bo", NOW) == ()
        assert view.protected_voices(NOW, encoder_sha256="f" * 64) == ()


def test_a_template_whose_keeping_ran_out_is_not_handed_out(place: Place) -> None:
    short = permission(PermissionKind.KEEP, "v-bo", not_after=NOW + DAY)
    extra = (
        short,
        permission(PermissionKind.MATCH, "v-bo"),
        permission(PermissionKind.PROTECT, "v-bo", not_after=NOW + 2 * DAY),
        Addition(enrolment(enrolment_id="en-bo", voice_id="v-bo"), vector=VECTOR),
    )
    with open_world(place, None, *extra) as registry, registry.view() as view:
        assert len(view.enrolments("v-bo", NOW)) == len(view.protected_voices(NOW, encoder_sha256=ENCODER)) == 1
        assert view.enrolments("v-bo", NOW + DAY) == ()
        assert view.protected_voices(NOW + DAY, encoder_sha256=ENCODER) == ()


def test_a_voice_whose_protection_ran_out_is_not_searched_for(place: Place) -> None:
    extra = (
        permission(PermissionKind.KEEP, "v-bo"),
        permission(PermissionKind.MATCH, "v-bo"),
        permission(PermissionKind.PROTECT, "v-bo", not_after=NOW + DAY),
        Addition(enrolment(enrolment_id="en-bo", voice_id="v-bo"), vector=VECTOR),
    )
    with open_world(place, None, *extra) as registry, registry.view() as view:
        assert len(view.protected_voices(NOW, encoder_sha256=ENCODER)) == 1
        assert view.protected_voices(NOW + DAY, encoder_sha256=ENCODER) == ()
        assert len(view.enrolments("v-bo", NOW + DAY)) == 1


def test_withdrawing_the_last_permission_erases_the_template_and_leaves_the_grant(place: Place) -> None:
    clock = Ticking()
    with open_world(place, clock, MATCHED) as registry:
        clock.now += DAY
        gone = event(EventKind.WITHDRAWN, clock.now, target="permission", target_id="pm-match-v-ada")
        registry.add(gone)
        with registry.view() as view:
            assert view.clear("v-ada", use(), clock.now).cleared
            assert view.enrolments("v-ada", clock.now) == ()
            erasures = [e for e in view.events("voice:v-ada") if e.event.kind is EventKind.ERASED]
            assert len(erasures) == 1
            assert erasures[0].event.ref is not None


def test_a_match_counts_as_confirmed_only_by_the_owner_or_an_agent(place: Place) -> None:
    unconfirmed = Addition(enrolment(), vector=VECTOR)
    with open_world(place, None, unconfirmed) as registry:
        with registry.view() as view:
            assert not view.enrolments("v-ada", NOW)[0].confirmed
        with pytest.raises(RecordError, match="may not record confirmed"):
            registry.add(event(EventKind.CONFIRMED, NOW, target="enrolment", target_id="en-ada", by="vendor"))
        registry.add(event(EventKind.CONFIRMED, NOW, target="enrolment", target_id="en-ada", by="agency"))
        with registry.view() as view:
            assert view.enrolments("v-ada", NOW)[0].confirmed


def test_a_key_answers_with_its_owner_role_and_validity(place: Place) -> None:
    clock = Ticking()
    public = "ab" * 32
    with open_world(place, clock, key("studio", public, Role.RIGHTS_HOLDER)) as registry:
        with registry.view() as view:
            holder = view.key(public, NOW)
            assert holder is not None
            assert holder == view.key(holder.key.keyid, NOW)
            assert holder.party.party_id == "studio"
            assert holder.refusal(Role.RIGHTS_HOLDER) == ""
            assert "no key for the role" in holder.refusal(Role.PERFORMER)
            late = view.key(public, NEXT_YEAR)
            assert late is not None
            assert "not valid" in late.refusal(Role.RIGHTS_HOLDER)
        clock.now += DAY
        registry.add(event(EventKind.REVOKED, clock.now, target="key", target_id="k-studio", by="studio"))
        with registry.view() as view:
            revoked, before = view.key(public, clock.now), view.key(public, NOW)
            assert revoked is not None
            assert before is not None
            assert "revoked" in revoked.problem
            assert before.problem == ""


@pytest.mark.parametrize(
    ("record", "what"),
    [
        (grant(), "already there"),
        (grant(grant_id="g-2", granted_by="p-bo"), "not the owner"),
        (grant(grant_id="g-2", granted_by="nobody"), "no party"),
        (grant(grant_id="g-2", title_ids=("other",)), "no title"),
        (grant(grant_id="g-2", voice_id="v-x"), "no voice"),
        (grant(grant_id="g-2", version=3, supersedes="g-ada"), "not the version before"),
        (claim(claim_id="c-2", holder_ids=("vendor",)), "not a rights holder"),
        (claim(claim_id="c-2", title_id="other"), "no title"),
        (Title(title_id="t-2", level=Level.EPISODE, name="T", parent_id="nothing"), "no title"),
        (
            Title(
                title_id="t-2", level=Level.EPISODE, name="T", identifiers=("eidr:10.5240/7791-8534-2C23-9030-8610-5",)
            ),
            "another title already has",
        ),
        (permission(PermissionKind.PROTECT, given_by="vendor"), "does not speak for"),
        (party("p-new", Role.PERFORMER, organisation_id="nowhere"), "no party"),
        (approval(by="rival"), "does not act for"),
        (approval(by="vendor", for_holder_id="vendor"), "does not have the role"),
        (approval(signed_at=NOW - 2 * DAY, expires_at=NOW - DAY), "already expired"),
        (key("vendor", "ab" * 32, Role.RIGHTS_HOLDER), "does not have the role"),
        (event(EventKind.WITHDRAWN, NOW, by="vendor"), "may not record"),
        (event(EventKind.GIVEN, NOW, by="op-1"), "may not record"),
        (event(EventKind.RESUMED, NOW), "only a suspension"),
        (event(EventKind.GIVEN, NOW, target="claim", target_id="c-show", by="studio"), "only a grant is given"),
        (event(EventKind.WITHDRAWN, NOW, target_id="nothing"), "no grant"),
        (event(EventKind.GIVEN), "already recorded"),
        (enrolment(voice_id="v-bo"), "has not permitted"),
        (enrolment(confirmed_by="vendor"), "does not speak for"),
        (enrolment(supersedes="en-0"), "no standing enrolment"),
    ],
)
def test_what_contradicts_the_registry_does_not_enter_it(place: Place, record: object, what: str) -> None:
    vector = VECTOR if type(record).__name__ == "Enrolment" else None
    with open_world(place) as registry:
        before = registry.head()
        with pytest.raises(RecordError, match=what):
            registry.add(refusal(), Addition(record, vector=vector))
        assert registry.head() == before


def test_a_second_enrolment_for_one_encoder_must_supersede_the_first(place: Place) -> None:
    second = enrolment(enrolment_id="en-2", confirmed_by="p-ada")
    with open_world(place, None, MATCHED) as registry:
        with pytest.raises(RecordError, match="already has the enrolment en-ada"):
            registry.add(Addition(second, vector=VECTOR))
        registry.add(Addition(second.model_copy(update={"supersedes": "en-ada"}), vector=VECTOR[::-1]))
        with registry.view() as view:
            assert [e.enrolment.enrolment_id for e in view.enrolments("v-ada", NOW)] == ["en-2"]


def test_all_that_is_under_a_key_is_found_whatever_its_kind(place: Place) -> None:
    with open_world(place, None, MATCHED) as registry, registry.view() as view:
        kinds = {type(e.record).__name__ for e in view.store.entries("voice:v-ada")}
        assert {"Voice", "Enrolment", "Grant"} <= kinds
        both = view.store.entries_of(["voice:v-ada", "party:p-ada"])
        assert [e.leaf_index for e in both] == sorted({e.leaf_index for e in both})
        assert {type(e.record).__name__ for e in both} > kinds


def test_a_key_has_one_owner(place: Place) -> None:
    registry = open_world(place, None, key("studio", "ab" * 32, Role.RIGHTS_HOLDER))
    with pytest.raises(RecordError, match="one owner"):
        registry.add(key("rival", "ab" * 32, Role.RIGHTS_HOLDER))


def test_an_irrevocable_grant_is_not_withdrawn_but_revoked(place: Place) -> None:
    terms = grant(grant_id="g-2", revocation={"revocable": False})
    with open_world(place, None, terms, event(EventKind.GIVEN, target_id="g-2")) as registry:
        with pytest.raises(RecordError, match="cannot be withdrawn"):
            registry.add(event(EventKind.WITHDRAWN, NOW, target_id="g-2"))
        registry.add(event(EventKind.REVOKED, NOW, target_id="g-2", by="op-1"))


def test_times_of_recording_never_run_backwards(place: Place) -> None:
    clock = Ticking()
    with open_world(place, clock) as registry:
        clock.now = NOW - timedelta(minutes=1)
        (entry,) = registry.add(refusal())
        assert entry.recorded_at == NOW
        clock.now = NOW - timedelta(hours=1)
        with pytest.raises(StoreError, match="behind the last entry"):
            registry.add(refusal(refusal_id="r-2"))


def test_a_death_that_is_recorded_later_ends_what_the_performer_gave(place: Place) -> None:
    clock = Ticking()
    with open_world(place, clock) as registry:
        clock.now += DAY
        registry.add(event(EventKind.DIED, JANUARY, target="voice", target_id="v-ada", by="op-1"))
        with registry.view() as view:
            assert [d.code for d in view.clear("v-ada", use(), clock.now).denials] == ["CON-021"]
            assert view.clear("v-ada", use(), NOW).cleared
