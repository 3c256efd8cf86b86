"""Attacks on the registry, each tried: by a submitter, a friend, an insider, a thief of keys, an administrator of the database.

THREATS.md lists them with what stops each; test_threats.py keeps that list true.
"""

from __future__ import annotations

import hashlib
import json
import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from consent_examples import (
    DAY,
    NOW,
    VECTOR,
    Place,
    Ticking,
    approval,
    candidate,
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
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import ValidationError
from sqlalchemy import Connection, text
from test_consent_races import release
from test_signatures import ADA, KEYS, STUDIO, enveloped, public, signed, statement

from consent.acts import Act
from consent.audit import Audit, audit
from consent.checkpoint import sign
from consent.database import engine_for
from consent.errors import RecordError, SignatureError, StoreError
from consent.evidence import files_of
from consent.parties import Party
from consent.quorum import missing_approvals
from consent.registry import Registry
from consent.releases import Planned, RefusedError
from consent.sealing import read_keyring
from consent.store import Store
from consent.strict import canonical_json
from consent.terms import Evidence
from consent.titles import Title
from consent.vocabulary import (
    ApprovalKind,
    Capacity,
    EventKind,
    EvidenceKind,
    Level,
    PermissionKind,
    Quorum,
    Right,
    Role,
    Subject,
    Technique,
)
from consent.witnessing import Witness
from consent.writing import Addition

KINDS = (ApprovalKind.FINAL_SOUND,)
CONFIRMED = Addition(enrolment(confirmed_by="p-ada"), vector=VECTOR)
BLENDED = Technique.BLEND


@pytest.fixture
def clock() -> Ticking:
    return Ticking()


@pytest.fixture
def registry(tmp_path: Any, clock: Ticking) -> Registry:
    return open_world(tmp_path, clock, *KEYS)


def revoke(registry: Registry, clock: Ticking, key_id: str, by: str, **changes: Any) -> None:
    clock.now += DAY
    registry.add(event(EventKind.REVOKED, clock.now, target="key", target_id=key_id, by=by, **changes))


def missing(registry: Registry, at: Any = NOW) -> list[str]:
    """The claims of the show whose holders have not approved the candidate, as the registry sees it."""
    with registry.view() as view:
        title = view.title("show-101")
        assert title is not None
        rights = view.rights(title, Right.AI_DUB, use(), at)
        assert rights.claims
        lacking = missing_approvals(rights.claims, KINDS, view.approvals(title.title_ids), candidate(), at)
    return [m.claim.claim_id for m in lacking]


# Approvers


def test_the_friend_of_the_submitter_who_is_not_the_holder_approves_nothing(registry: Registry) -> None:
    registry.add(party("friend", Role.RIGHTS_HOLDER, organisation_id="rival"))
    with pytest.raises(RecordError, match="does not act for studio"):
        registry.add(approval(by="friend"))
    registry.add(
        approval(by="friend", for_holder_id="rival"), approval(approval_id="a-2", by="rival", for_holder_id="rival")
    )
    assert missing(registry) == ["c-show"]
    registry.add(approval(approval_id="a-3"))
    assert missing(registry) == []


def test_nobody_joins_the_holders_house_by_saying_so_later(registry: Registry) -> None:
    registry.add(party("friend", Role.RIGHTS_HOLDER))
    with pytest.raises(RecordError, match="already there"):
        registry.add(party("friend", Role.RIGHTS_HOLDER, organisation_id="studio"))


def test_one_joint_holder_with_two_people_is_still_one_holder(registry: Registry) -> None:
    registry.add(
        party("anna", Role.RIGHTS_HOLDER, organisation_id="studio"),
        Title(title_id="film", level=Level.FEATURE, name="Film"),
        claim(claim_id="c-film", title_id="film", holder_ids=("studio", "rival"), quorum=Quorum.SOME, quorum_n=2),
        approval(title_id="film"),
        approval(approval_id="a-2", by="anna", title_id="film"),
    )
    with registry.view() as view:
        asked = use(title_ids=("film",))
        title = view.title("film")
        assert title is not None
        claims = view.rights(title, Right.AI_DUB, asked, NOW).claims
        lacking = missing_approvals(claims, KINDS, view.approvals(("film",)), candidate(title_ids=("film",)), NOW)
    assert [m.claim.claim_id for m in lacking] == ["c-film"]


def test_an_approval_for_another_title_does_not_carry_a_release(registry: Registry) -> None:
    registry.add(
        Title(title_id="film", level=Level.FEATURE, name="Film"),
        claim(claim_id="c-film", title_id="film"),
        approval(title_id="film"),
    )
    before = registry.head()
    with pytest.raises(RefusedError, match="an approval is for another title"), registry.write() as writer:
        writer.release(release("rel-1", approval_ids=("a-1",)), [Planned("v-ada", use())], candidate())
    assert registry.head() == before


# Claims


def test_a_false_holder_does_not_confirm_its_own_claim(registry: Registry) -> None:
    rivals = claim(claim_id="c-rival", holder_ids=("rival",), territories=("FR",), confirmed_by=None)
    registry.add(rivals, party("clerk", Role.OPERATOR, organisation_id="rival"))
    for by in ("rival", "clerk", "op-1"):
        with pytest.raises(RecordError, match=r"second operator|somebody other"):
            registry.add(event(EventKind.CONFIRMED, NOW, target="claim", target_id="c-rival", by=by))
    with registry.view() as view:
        title = view.title("show-101")
        assert title is not None
        assert "RH-013" in {d.code for d in view.rights(title, Right.AI_DUB, use(), NOW).denials}
    registry.add(event(EventKind.CONFIRMED, NOW, target="claim", target_id="c-rival", by="op-2"))


@pytest.mark.parametrize("by", ["vendor", "rival", "p-bo", "clerk"])
def test_a_claim_does_not_arrive_confirmed_by_somebody_who_is_no_second_operator(registry: Registry, by: str) -> None:
    registry.add(party("clerk", Role.OPERATOR, organisation_id="rival"))
    with pytest.raises(RecordError, match="not a second operator"):
        registry.add(claim(claim_id="c-2", holder_ids=("rival",), territories=("FR",), confirmed_by=by))


def test_a_holder_does_not_settle_the_contest_of_its_own_claim(registry: Registry) -> None:
    said = {"target": "claim", "target_id": "c-show"}
    registry.add(event(EventKind.CONTESTED, NOW, by="rival", **said))
    registry.add(party("clerk", Role.OPERATOR, organisation_id="studio"))
    for by in ("studio", "clerk"):
        with pytest.raises(RecordError, match="not a second operator"):
            registry.add(event(EventKind.SETTLED, NOW, by=by, **said))
    with registry.view() as view:
        title = view.title("show-101")
        assert title is not None
        assert [d.code for d in view.rights(title, Right.AI_DUB, use(), NOW).denials] == ["RH-012"]
    registry.add(event(EventKind.SETTLED, NOW, by="op-1", **said))


# Standing refusals


def test_a_refusal_of_a_series_is_not_circumvented_by_an_episode_made_up_below_it(registry: Registry) -> None:
    registry.add(
        refusal(),
        Title(title_id="show-x", level=Level.EPISODE, name="Extra", parent_id="show-101"),
        grant(grant_id="g-x", title_ids=("show-x",)),
        event(EventKind.GIVEN, target_id="g-x"),
    )
    with registry.view() as view:
        below = view.title("show-x")
        assert below is not None
        assert [r.refusal_id for r in view.refusals(use(title_ids=below.title_ids), NOW)] == ["r-1"]
    with pytest.raises(RefusedError, match="No AI dub of Show"), registry.write() as writer:
        writer.release(release("rel-1", title_id="show-x"), [Planned("v-ada", use(title_ids=below.title_ids))])


def test_a_refused_voice_is_not_hidden_in_a_blend_nor_in_a_blend_of_blends(registry: Registry) -> None:
    mixed = {"subject": Subject.BLEND, "owner_id": "vendor", "agent_ids": ()}
    registry.add(
        voice(voice_id="v-mix", blend_of=("v-ada", "v-bo"), **mixed),
        voice(voice_id="v-deep", blend_of=("v-mix", "v-ada"), **mixed),
        refusal(refusal_id="r-bo", by="p-bo", title_ids=(), voice_ids=("v-bo",)),
    )
    with registry.view() as view:
        for name in ("v-bo", "v-mix", "v-deep"):
            assert [r.refusal_id for r in view.refusals(use(technique=BLENDED), NOW, voice_id=name)] == ["r-bo"]
        assert view.refusals(use(), NOW, voice_id="v-ada") == ()


def test_a_refusal_is_lifted_by_the_refuser_alone(registry: Registry) -> None:
    registry.add(refusal(), party("union", Role.UNION))
    said = {"target": "refusal", "target_id": "r-1"}
    attempts = [("op-1", k) for k in (EventKind.EXPIRED, EventKind.SUSPENDED, EventKind.REVOKED, EventKind.SUPERSEDED)]
    for by, kind in [
        *attempts,
        ("union", EventKind.SUSPENDED),
        ("p-ada", EventKind.LIFTED),
        ("op-1", EventKind.LIFTED),
    ]:
        with pytest.raises(RecordError, match=r"only studio can lift|may not record"):
            registry.add(event(kind, NOW, by=by, **said))
    with registry.view() as view:
        assert len(view.refusals(use(), NOW)) == 1
    registry.add(event(EventKind.LIFTED, NOW, by="studio", **said))
    with registry.view() as view:
        assert view.refusals(use(), NOW) == ()


def test_a_wider_or_newer_grant_does_not_overcome_a_refusal(registry: Registry) -> None:
    registry.add(
        refusal(refusal_id="r-ada", by="p-ada", title_ids=(), voice_ids=("v-ada",)),
        grant(grant_id="g-wide", territories=("001",), languages=("fr", "de")),
        event(EventKind.GIVEN, target_id="g-wide", event_id="e-wide"),
    )
    with registry.view() as view:
        assert view.clear("v-ada", use(), NOW).cleared
    with pytest.raises(RefusedError, match="refused for good"), registry.write() as writer:
        writer.release(release("rel-1"), [Planned("v-ada", use())])


# Time: back-dating and stolen keys


def test_a_back_dated_withdrawal_ends_from_its_recording_and_undoes_no_earlier_release(
    registry: Registry, clock: Ticking
) -> None:
    with registry.write() as writer:
        writer.release(release("rel-1"), [Planned("v-ada", use())])
    clock.now += DAY
    registry.add(event(EventKind.WITHDRAWN, NOW - 300 * DAY))
    with registry.view() as view:
        assert view.clear("v-ada", use(), NOW).cleared
        assert not view.clear("v-ada", use(), clock.now).cleared
        assert [r.release_id for r in view.impact("grant:g-ada", clock.now).releases] == ["rel-1"]
    with pytest.raises(RefusedError), registry.write() as writer:
        writer.release(release("rel-2"), [Planned("v-ada", use())])


def test_a_back_dated_giving_does_not_reach_behind_a_withdrawal(registry: Registry, clock: Ticking) -> None:
    clock.now += DAY
    registry.add(event(EventKind.WITHDRAWN, clock.now))
    clock.now += DAY
    with pytest.raises(RecordError, match="already recorded"):
        registry.add(event(EventKind.GIVEN))
    with registry.view() as view:
        assert not view.clear("v-ada", use(), clock.now).cleared
    registry.add(event(EventKind.GIVEN, event_id="e-again"))
    with registry.view() as view:
        assert not view.clear("v-ada", use(), clock.now - timedelta(seconds=1)).cleared
        assert view.clear("v-ada", use(), clock.now).cleared


def test_a_stolen_keys_back_dated_grant_falls_with_the_key(registry: Registry, clock: Ticking) -> None:
    forged = grant(grant_id="g-forged", languages=("de",), not_before=NOW - 300 * DAY)
    registry.add(signed(forged, ADA), signed(event(EventKind.GIVEN, NOW - 300 * DAY, target_id="g-forged"), ADA))
    revoke(registry, clock, "k-p-ada", "p-ada")
    with registry.view() as view:
        asked = view.clear("v-ada", use(language="de"), clock.now)
    assert not asked.cleared
    assert ("CON-003", "g-forged") in {(d.code, d.record_id) for d in asked.denials}


def test_a_stolen_key_does_not_reopen_what_its_owner_withdrew(registry: Registry, clock: Ticking) -> None:
    """The grant itself is honest and witnessed; only the reopening is the thief's."""
    registry.add(event(EventKind.WITHDRAWN, clock.now))
    clock.now += DAY
    registry.add(signed(event(EventKind.GIVEN, clock.now, event_id="e-thief"), ADA))
    with registry.view() as view:
        assert view.clear("v-ada", use(), clock.now).cleared
    revoke(registry, clock, "k-p-ada", "p-ada")
    with registry.view() as view:
        assert not view.clear("v-ada", use(), clock.now).cleared
        assert view.clear("v-ada", use(), clock.now - DAY).cleared  # as it was known then


@pytest.mark.parametrize("kind", [EventKind.RENEWED, EventKind.RESUMED])
def test_nor_does_it_renew_or_resume(registry: Registry, clock: Ticking, kind: EventKind) -> None:
    registry.add(event(EventKind.SUSPENDED, clock.now))
    clock.now += DAY
    registry.add(signed(event(kind, clock.now), ADA))
    revoke(registry, clock, "k-p-ada", "p-ada")
    with registry.view() as view:
        assert not view.clear("v-ada", use(), clock.now).cleared


def test_a_reopening_that_a_witness_saw_before_the_theft_goes_on_counting(registry: Registry, clock: Ticking) -> None:
    registry.add(event(EventKind.WITHDRAWN, clock.now))
    clock.now += DAY
    registry.add(signed(event(EventKind.GIVEN, clock.now, event_id="e-own"), ADA))
    head = registry.head()
    registry.add(Witness(witness_id="w-1", by="studio", size=head.size, root=head.root.hex(), seen_at=clock.now))
    revoke(registry, clock, "k-p-ada", "p-ada")
    with registry.view() as view:
        assert view.clear("v-ada", use(), clock.now).cleared


def test_a_withdrawal_by_a_stolen_key_stands_until_its_owner_gives_again(registry: Registry, clock: Ticking) -> None:
    registry.add(signed(event(EventKind.WITHDRAWN, clock.now), ADA))
    revoke(registry, clock, "k-p-ada", "p-ada")
    with registry.view() as view:
        assert not view.clear("v-ada", use(), clock.now).cleared


def test_a_refusal_lifted_by_a_stolen_key_stands_again_once_the_key_is_revoked(
    registry: Registry, clock: Ticking
) -> None:
    lifted = event(EventKind.LIFTED, clock.now, target="refusal", target_id="r-1", by="studio")
    registry.add(refusal(), signed(lifted, STUDIO))
    with registry.view() as view:
        assert view.refusals(use(), clock.now) == ()
    revoke(registry, clock, "k-studio", "studio")
    with registry.view() as view:
        assert [r.refusal_id for r in view.refusals(use(), clock.now)] == ["r-1"]


def test_a_permission_by_a_stolen_key_falls_with_the_key(registry: Registry, clock: Ticking) -> None:
    registry.add(signed(permission(PermissionKind.PROTECT), ADA))
    with registry.view() as view:
        assert PermissionKind.PROTECT in view.permissions("v-ada", clock.now)
    revoke(registry, clock, "k-p-ada", "p-ada")
    with registry.view() as view:
        assert PermissionKind.PROTECT not in view.permissions("v-ada", clock.now)
        assert PermissionKind.MATCH in view.permissions("v-ada", clock.now)


def test_a_theft_reported_late_discredits_from_the_report_and_not_from_the_date_it_names(
    registry: Registry, clock: Ticking
) -> None:
    registry.add(signed(approval(), STUDIO))
    clock.now += DAY
    registry.add(event(EventKind.REVOKED, NOW - 10 * DAY, target="key", target_id="k-studio", by="studio"))
    assert missing(registry, NOW) == []
    assert missing(registry, clock.now) == ["c-show"]


# Enrolments


def test_a_poisoned_enrolment_is_confirmed_neither_by_the_vendor_nor_an_operator(registry: Registry) -> None:
    registry.add(Addition(enrolment(), vector=VECTOR))
    for by in ("vendor", "studio"):
        with pytest.raises(RecordError, match="may not record confirmed"):
            registry.add(event(EventKind.CONFIRMED, NOW, target="enrolment", target_id="en-ada", by=by))
    registry.add(event(EventKind.CONFIRMED, NOW, target="enrolment", target_id="en-ada", by="op-1"))
    with registry.view() as view:
        assert [v.confirmed for v in view.enrolments("v-ada", NOW)] == [False]


def test_a_poisoned_enrolment_confirmed_with_a_stolen_key_is_unconfirmed_again(
    registry: Registry, clock: Ticking
) -> None:
    confirmed = event(EventKind.CONFIRMED, NOW, target="enrolment", target_id="en-ada")
    registry.add(Addition(enrolment(), vector=VECTOR), signed(confirmed, ADA))
    with registry.view() as view:
        assert [v.confirmed for v in view.enrolments("v-ada", NOW)] == [True]
    revoke(registry, clock, "k-p-ada", "p-ada")
    with registry.view() as view:
        assert [v.confirmed for v in view.enrolments("v-ada", clock.now)] == [False]


def test_a_confirmed_enrolment_is_not_replaced_by_an_unconfirmed_one_that_counts_as_confirmed(
    registry: Registry,
) -> None:
    registry.add(CONFIRMED)
    poisoned = enrolment(enrolment_id="en-2", supersedes="en-ada", audio_sha256="b" * 64)
    registry.add(Addition(poisoned, vector=(0.1, 0.2, 0.3, 0.4)))
    with registry.view() as view:
        assert [(v.enrolment.enrolment_id, v.confirmed) for v in view.enrolments("v-ada", NOW)] == [("en-2", False)]


# Signatures and identities


def test_a_withdrawn_grant_is_not_replayed_under_a_new_id(tmp_path: Any, clock: Ticking) -> None:
    place = Place.sqlite(tmp_path)
    first, given = grant(grant_id="g-1"), event(EventKind.GIVEN, target_id="g-1")
    with open_world(place, clock, *KEYS) as registry:
        registry.add(signed(first, ADA), signed(given, ADA))
        clock.now += DAY
        registry.add(event(EventKind.WITHDRAWN, clock.now, target_id="g-ada", event_id="e-w-0"))
        registry.add(signed(event(EventKind.WITHDRAWN, clock.now, target_id="g-1"), ADA))
        clock.now += DAY
        replay, old = grant(grant_id="g-9"), enveloped(statement(first), ADA)
        with pytest.raises(SignatureError, match="something else was signed: grant_id"):
            registry.add(Addition(replay, envelope=old))
        with pytest.raises(RecordError, match="already there"):
            registry.add(signed(first, ADA))
        with pytest.raises(RecordError, match="already recorded"):
            registry.add(signed(given, ADA))
        again = event(EventKind.GIVEN, target_id="g-1", event_id="e-again")
        with pytest.raises(SignatureError, match="something else was signed: event_id"):
            registry.add(Addition(again, envelope=enveloped(statement(given), ADA)))
        with registry.view() as view:
            assert not view.clear("v-ada", use(), clock.now).cleared


def test_a_signed_giving_of_one_grant_does_not_open_another(registry: Registry) -> None:
    other = grant(grant_id="g-2", territories=("001",))
    given = event(EventKind.GIVEN, target_id="g-ada", event_id="e-1")
    registry.add(signed(other, ADA))
    moved = event(EventKind.GIVEN, target_id="g-2", event_id="e-1")
    with pytest.raises(SignatureError, match="something else was signed: target_id"):
        registry.add(Addition(moved, envelope=enveloped(statement(given), ADA)))


def test_a_key_has_one_owner_whichever_id_it_is_given(registry: Registry) -> None:
    for thief in (
        key("rival", public(STUDIO), Role.RIGHTS_HOLDER),
        key("rival", public(STUDIO), Role.RIGHTS_HOLDER, key_id="k-2"),
    ):
        with pytest.raises(RecordError, match="one owner"):
            registry.add(thief)
    with pytest.raises(RecordError, match="already there"):
        registry.add(key("studio", public(Ed25519PrivateKey.generate()), Role.RIGHTS_HOLDER))


def test_a_key_that_is_not_valid_yet_has_expired_or_lacks_the_role_signs_nothing(
    registry: Registry, clock: Ticking
) -> None:
    early, late, other = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (1, 2, 3))
    registry.add(
        key("studio", public(early), Role.RIGHTS_HOLDER, key_id="k-e", not_before=NOW + 9 * DAY),
        key("studio", public(late), Role.RIGHTS_HOLDER, key_id="k-l", not_after=NOW),
        party("both", Role.RIGHTS_HOLDER, Role.LEGAL),
        key("both", public(other), Role.LEGAL, key_id="k-o"),
    )
    for private, by, what in (
        (early, "studio", "not valid"),
        (late, "studio", "not valid"),
        (other, "both", "no key for the role"),
    ):
        with pytest.raises(SignatureError, match=what):
            registry.add(signed(approval(by=by, for_holder_id=by), private))


@pytest.mark.parametrize("look_alike", ["ѕhow", "show\u200b", "Show", "show ", "ｓhow", "sho\u0301w", "show\n", ""])
def test_an_id_that_looks_like_another_is_not_an_id(look_alike: str) -> None:
    for made in (
        lambda: claim(title_id=look_alike),
        lambda: party(look_alike, Role.LEGAL),
        lambda: use(title_ids=(look_alike,)),
    ):
        with pytest.raises(ValidationError):
            made()


def test_a_title_that_only_resembles_another_has_none_of_its_rights_and_not_its_identifier(registry: Registry) -> None:
    eidr = "eidr:10.5240/7791-8534-2C23-9030-8610-5"
    with pytest.raises(RecordError, match="already has the identifier"):
        registry.add(Title(title_id="sh0w-101", level=Level.EPISODE, name="Show 1.01", identifiers=(eidr,)))
    lower = eidr.lower().replace("eidr:10.5240/", "eidr:10.5240:")
    with pytest.raises(RecordError, match="already has the identifier"):
        registry.add(Title(title_id="sh0w-101", level=Level.EPISODE, name="Show 1.01", identifiers=(lower,)))
    registry.add(Title(title_id="sh0w-101", level=Level.EPISODE, name="Show 1.01"))
    with registry.view() as view:
        title = view.title("sh0w-101")
        assert title is not None
        asked = use(title_ids=title.title_ids)
        assert [d.code for d in view.rights(title, Right.AI_DUB, asked, NOW).denials] == ["RH-010"]
        assert not view.clear("v-ada", asked, NOW).cleared


def test_a_text_with_hidden_or_turned_letters_enters_no_record() -> None:
    for hidden in ("\u202e", "\u200b", "\u2066", "\ufeff", "\x00", "\x1b"):
        with pytest.raises(ValidationError):
            refusal(words={"en": f"No {hidden}AI dub."})


def test_evidence_whose_bytes_were_swapped_is_not_what_the_grant_names(registry: Registry, tmp_path: Path) -> None:
    contract, audio = tmp_path / "contract.pdf", tmp_path / "consent.wav"
    contract.write_bytes(b"%PDF-1.7 the performer agrees to one season")
    audio.write_bytes(b"RIFF....WAVE")
    named = tuple(
        Evidence(kind=kind, sha256=hashlib.sha256(path.read_bytes()).hexdigest())
        for kind, path in ((EvidenceKind.CONTRACT, contract), (EvidenceKind.CONSENT_AUDIO, audio))
    )
    registry.add(signed(grant(grant_id="g-2", evidence=named), ADA))
    with registry.view() as view:
        kept = next(h.grant for h in view.grants("v-ada") if h.grant.grant_id == "g-2")
    assert set(files_of(kept.evidence, [contract, audio]).values()) == {contract, audio}
    with pytest.raises(RecordError, match="no file is the evidence consent_audio"):
        files_of(kept.evidence, [contract])
    with pytest.raises(RecordError, match="cannot be read"):
        files_of(kept.evidence, [contract, tmp_path / "gone.wav"])
    contract.write_bytes(b"%PDF-1.7 the performer agrees to all seasons")
    with pytest.raises(RecordError, match="not those of any evidence"):
        files_of(kept.evidence, [contract, audio])


UNKNOWN = [
    (key("nobody", "ab" * 32, Role.LEGAL), "no party"),
    (claim(claim_id="c-2", holder_ids=("nobody",)), "no party"),
    (claim(claim_id="c-2", recorded_by="nobody"), "no party"),
    (claim(claim_id="c-2", confirmed_by="nobody"), "no party"),
    (refusal(by="nobody"), "no party"),
    (refusal(title_ids=("nothing",)), "no title"),
    (refusal(voice_ids=("v-none",)), "no voice"),
    (voice(voice_id="v-2", owner_id="nobody"), "no party"),
    (voice(voice_id="v-2", agent_ids=("nobody",)), "no party"),
    (voice(voice_id="v-2", subject=Subject.BLEND, blend_of=("v-ada", "v-none")), "no voice"),
    (permission(PermissionKind.PROTECT, given_by="nobody"), "no party"),
    (permission(PermissionKind.PROTECT, "v-none"), "no voice"),
    (enrolment(supplied_by="nobody"), "no party"),
    (enrolment(voice_id="v-none"), "no voice"),
    (grant(grant_id="g-2", licensee_id="nobody"), "no party"),
    (grant(grant_id="g-2", licensee_id="vendor", sublicensee_ids=("nobody",)), "no party"),
    (approval(by="nobody"), "no party"),
    (approval(for_holder_id="nobody"), "no party"),
    (approval(title_id="nothing"), "no title"),
    (release("rel-1", recorded_by="nobody"), "no party"),
    (release("rel-1", title_id="nothing"), "no title"),
    (release("rel-1", approval_ids=("a-none",)), "no approval"),
    (Witness(witness_id="w-1", by="nobody", size=0, root="0" * 64, seen_at=NOW), "no party"),
    (event(EventKind.WITHDRAWN, NOW, by="nobody"), "no party"),
    (Act(act_id="act-1", by="nobody", verb="asked", about="release:rel-1", what_sha256="0" * 64), "no party"),
    (event(EventKind.WITHDRAWN, NOW, target="release", target_id="rel-1"), "no release"),
]


@pytest.mark.parametrize(("record", "what"), UNKNOWN, ids=lambda v: getattr(v, "schema_name", v))
def test_what_names_somebody_or_something_that_nobody_registered_does_not_enter(
    registry: Registry, record: Any, what: str
) -> None:
    vector = VECTOR if record.schema_name.startswith("consent-enrolment") else None
    with pytest.raises(RecordError, match=what):
        registry.add(Addition(record, vector=vector))


def test_a_release_names_voices_and_grants_that_are_registered(registry: Registry) -> None:
    (known,) = release("x").voices
    for changes, what in (({"voice_id": "v-none"}, "no voice"), ({"grant_id": "g-none"}, "no grant")):
        with pytest.raises(RecordError, match=what):
            registry.add(release("rel-1", voices=(known.model_copy(update=changes),)))


def test_an_agent_grants_for_its_own_voices_only(registry: Registry) -> None:
    said = {"granted_by": "agency", "capacity": Capacity.AGENT, "authority_sha256": "f" * 64}
    registry.add(grant(grant_id="g-2", **said))
    with pytest.raises(RecordError, match="not an agent of the voice v-bo"):
        registry.add(grant(grant_id="g-3", voice_id="v-bo", **said))


def test_nobody_grants_by_a_court_who_is_no_guardian_and_no_counsel(registry: Registry) -> None:
    said = {"capacity": Capacity.COURT, "authority_sha256": "f" * 64}
    with pytest.raises(RecordError, match="grants as court without the role guardian or legal"):
        registry.add(grant(grant_id="g-2", **said))
    registry.add(Party(party_id="counsel", roles=(Role.LEGAL,), person=True))
    registry.add(grant(grant_id="g-3", **said, granted_by="counsel"))


def test_what_does_not_stand_is_not_suspended_and_one_holder_is_no_quorum_of_several(registry: Registry) -> None:
    registry.add(event(EventKind.WITHDRAWN, NOW))
    with pytest.raises(RecordError, match="only what stands can be suspended"):
        registry.add(event(EventKind.SUSPENDED, NOW))
    with pytest.raises(RecordError, match="needs no quorum"):
        registry.add(claim(claim_id="c-2", quorum=Quorum.SOME, quorum_n=1))


def test_an_envelope_over_4_mb_or_with_eleven_signatures_is_not_read(registry: Registry) -> None:
    envelope = json.loads(enveloped(statement(grant(grant_id="g-2")), ADA))
    with pytest.raises(SignatureError, match="larger than 4 MB"):
        registry.add(Addition(grant(grant_id="g-2"), envelope=json.dumps(envelope) + " " * 4_000_000))
    envelope["signatures"] *= 11
    with pytest.raises(SignatureError, match="one to ten"):
        registry.add(Addition(grant(grant_id="g-2"), envelope=json.dumps(envelope)))


# Metering


def test_two_characters_of_one_release_spend_both_their_minutes(registry: Registry) -> None:
    """Both rest on one grant and one release; the second must not ride on the first."""
    metered = grant(grant_id="g-m", techniques=(Technique.VOICE_CONVERSION,), max_minutes=30.0)
    registry.add(metered, event(EventKind.GIVEN, target_id="g-m"))
    asked = use(technique=Technique.VOICE_CONVERSION, minutes=20.0)
    voices = release("x").voices[0].model_copy(update={"grant_id": "g-m"})
    before = registry.head()
    with pytest.raises(RecordError, match="not so many"), registry.write() as writer:
        writer.release(release("rel-1", voices=(voices,)), [Planned("v-ada", asked), Planned("v-ada", asked)])
    assert registry.head() == before
    with registry.write() as writer:
        short = use(technique=Technique.VOICE_CONVERSION, minutes=14.0)
        writer.release(release("rel-1", voices=(voices,)), [Planned("v-ada", short), Planned("v-ada", short)])
    with registry.view() as view:
        (own,) = [h for h in view.grants("v-ada") if h.grant.grant_id == "g-m"]
        assert own.state(NOW).minutes_spent == 28.0


def test_a_spending_repeated_under_one_reference_counts_every_time(registry: Registry) -> None:
    registry.add(grant(grant_id="g-m", max_uses=3), event(EventKind.GIVEN, target_id="g-m"))

    def spend(kind: EventKind, n: int, uses: int) -> None:
        said = {"target_id": "g-m", "by": "op-1", "ref": "r", "event_id": f"e-{n}"}
        registry.add(event(kind, NOW, uses=uses, **said))

    spend(EventKind.USE_RESERVED, 1, 1)
    spend(EventKind.USE_SPENT, 2, 0)
    spend(EventKind.USE_SPENT, 3, 2)
    with pytest.raises(RecordError, match="not so many"):
        spend(EventKind.USE_SPENT, 4, 1)


# Erasures that are none


def test_nobody_says_that_something_was_erased_without_erasing_it(registry: Registry) -> None:
    registry.add(CONFIRMED)
    for by, ref in (("p-ada", "17"), ("op-1", "17"), ("p-ada", "not a number")):
        with pytest.raises(RecordError, match="recorded by erasing"):
            registry.add(event(EventKind.ERASED, NOW, target="voice", target_id="v-ada", by=by, ref=ref))
    assert registry.audit().sound


def test_the_erasure_of_one_person_does_not_excuse_the_loss_of_anothers_template(tmp_path: Any) -> None:
    """An administrator writes an erasure of Bo that names Ada's template, and deletes that."""
    with open_world(tmp_path, None, CONFIRMED) as registry:
        with registry.write() as writer:
            lie = event(EventKind.ERASED, NOW, target="voice", target_id="v-bo", by="p-bo", ref="17")
            writer.store.append(lie, NOW)
            writer.store.connection.execute(text("DELETE FROM sealed WHERE leaf_index = 17"))
        assert registry.audit().problems == ("the sealed content of entry 17 is gone and no erasure says why",)


def test_a_voice_enrolled_sixty_times_is_erased_and_restored_as_erased(tmp_path: Any) -> None:
    place = Place.sqlite(tmp_path)
    with open_world(place) as registry:
        for k in range(60):
            made = enrolment(enrolment_id=f"en-{k}", supersedes=f"en-{k - 1}" if k else None)
            registry.add(Addition(made, vector=VECTOR))
        registry.backup(tmp_path / "old.jsonl", tmp_path / "keys.jsonl")
        assert registry.erase("voice:v-ada", by="p-ada", reason="asked for")
        found = registry.audit()
        assert (found.problems, found.n_erased) == ((), 61)
        registry.backup(tmp_path / "new.jsonl", tmp_path / "new-keys.jsonl")
    again = Registry.restore(
        tmp_path / "again.db", tmp_path / "new.jsonl", tmp_path / "keys.jsonl", clock=Ticking(), key_file=place.key_file
    )
    with again, again.view() as view:
        assert again.audit().sound
        assert view.enrolments("v-ada", NOW) == ()


# The administrator of the database


def rows_of(connection: Connection, table: str) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(text(f"SELECT * FROM {table}")).mappings()]


def one_byte_off(value: Any, chance: random.Random) -> Any:
    """The value with one byte changed, an absent one made present."""
    if value is None:
        return "00" * 32
    if isinstance(value, int):
        return value ^ (1 << 20)
    if isinstance(value, bytes | memoryview):
        changed = bytearray(value)
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
        return bytes(changed)
    place = chance.randrange(len(value))
    return value[:place] + chr(ord(value[place]) ^ 1) + value[place + 1 :]


def every_change(
    connection: Connection, tables: tuple[str, ...], chance: random.Random, step: int
) -> Iterator[tuple[str, str, str]]:
    """Each column of each (or every so many) row with one byte changed, one at a time, and then set right again."""
    for table in tables:
        for row in rows_of(connection, table)[::step]:
            own = " AND ".join(f"{c} IS NOT DISTINCT FROM :{c}" if row[c] is None else f"{c} = :{c}" for c in row)
            own = own.replace("IS NOT DISTINCT FROM", "IS") if connection.dialect.name == "sqlite" else own
            for column, value in row.items():
                point = connection.begin_nested()
                changed = {**row, "changed": one_byte_off(value, chance)}
                done = connection.execute(text(f"UPDATE {table} SET {column} = :changed WHERE {own}"), changed)
                assert done.rowcount == 1, (table, column, row)
                yield table, column, str(next(iter(row.values())))
                point.rollback()


def without_triggers(connection: Connection) -> None:
    """What an administrator does first."""
    for table in ("entry", "lookup", "node"):
        if connection.dialect.name == "sqlite":
            connection.execute(text(f"DROP TRIGGER {table}_no_update"))
            connection.execute(text(f"DROP TRIGGER {table}_no_delete"))
        else:
            connection.execute(text(f"DROP TRIGGER {table}_append_only ON {table}"))


@pytest.fixture
def hand(place: Place) -> Iterator[tuple[Connection, Any]]:
    """A hand on the database of a small signed history, without its triggers; nothing of what it does is kept."""
    records = (
        *KEYS,
        signed(grant(grant_id="g-2"), ADA),
        signed(event(EventKind.GIVEN, target_id="g-2"), ADA),
        CONFIRMED,
    )
    with open_world(place, None, *records) as registry:
        origin = registry.head().origin
    engine = engine_for(place.location, create=False)
    with engine.connect() as connection, connection.begin() as transaction:
        without_triggers(connection)
        keyring = read_keyring(place.key_file)
        yield connection, lambda: audit(Store(connection, keyring), origin=origin)
        transaction.rollback()
    engine.dispose()


@pytest.mark.parametrize("step", [7, pytest.param(1, marks=pytest.mark.slow)])
def test_one_changed_byte_anywhere_in_the_stored_history_is_named(hand: Any, step: int) -> None:
    connection, audited = hand
    tables = ("entry", "lookup", "node", "sealed", "person_key")
    assert audited().sound
    n = 0
    for table, column, row in every_change(connection, tables, random.Random(4), step):
        found: Audit = audited()
        assert found.problems, f"{table}.{column} of {row} was changed and nobody noticed"
        n += 1
    assert n > 400 // step
    assert audited().sound


def test_every_dropped_event_and_every_reordered_pair_is_named(hand: Any) -> None:
    connection, audited = hand
    size = audited().size
    for k in range(0, size - 1, 3):
        point = connection.begin_nested()
        for table in ("entry", "lookup"):
            connection.execute(text(f"DELETE FROM {table} WHERE leaf_index = {k}"))
        assert audited().problems
        point.rollback()
        point = connection.begin_nested()
        for was, becomes in ((k, -1), (k + 1, k), (-1, k + 1)):
            for table in ("entry", "lookup"):
                connection.execute(text(f"UPDATE {table} SET leaf_index = {becomes} WHERE leaf_index = {was}"))
        assert any(f"entry {k}" in p for p in audited().problems), k
        point.rollback()
    assert audited().sound


def test_an_entry_forged_with_a_good_hash_and_no_good_signature_is_named(registry: Registry) -> None:
    """An administrator can compute hashes; the author's signature they cannot."""
    thief = Ed25519PrivateKey.generate()
    forged = grant(grant_id="g-f", territories=("001",))
    with registry.write() as writer:
        writer.store.append(forged, writer.now, envelope=enveloped(statement(forged), thief))
        other = grant(grant_id="g-e", territories=("001",))
        writer.store.append(other, writer.now, envelope=enveloped(statement(forged), ADA))
    problems = registry.audit().problems
    size = registry.head().size
    assert any(f"entry {size - 2} is not signed by its author" in p and "is not one of p-ada" in p for p in problems)
    assert any(f"entry {size - 1}" in p and "something else was signed: grant_id" in p for p in problems)


def test_an_entry_that_is_not_in_canonical_form_is_named(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its hash is right and its record too; its bytes could hide something that a reader passes over."""
    monkeypatch.setattr("consent.store.canonical_json", lambda r: canonical_json(r).replace(b",", b", ", 1))
    registry.add(grant(grant_id="g-2"))
    size = registry.head().size
    assert registry.audit().problems == (f"entry {size - 1} is not in canonical form",)


def test_a_checkpoint_is_not_signed_under_a_name_that_would_split_its_line(registry: Registry) -> None:
    for name in ("two words", "a+b", "line\nbreak", ""):
        with pytest.raises(SignatureError, match="cannot name a key"):
            sign(registry.head(), ADA, name=name or " ")


def test_an_unsigned_entry_slipped_into_a_registry_that_wants_signatures_is_named(tmp_path: Any) -> None:
    from consent_examples import world

    permissions = [r for r in world() if getattr(r, "schema_name", "") == "consent-permission/1.0"]
    rest = [r for r in world() if r not in permissions]
    with Place.sqlite(tmp_path).open(create=True, signatures_required=True) as registry:
        registry.add(*rest, *KEYS, *(signed(p, ADA) for p in permissions), CONFIRMED)
        registry.add(signed(grant(), ADA), signed(event(EventKind.GIVEN), ADA))
        registry.add(event(EventKind.SUSPENDED, NOW, by="op-1", event_id="e-op"))
        registry.erase("voice:v-ada", by="p-ada", reason="asked for")
        assert registry.audit().sound
        size = registry.head().size
        with registry.write() as writer:
            writer.store.append(event(EventKind.RESUMED, NOW), writer.now)
            writer.store.append(grant(grant_id="g-unsigned"), writer.now)
        assert registry.audit().problems == tuple(
            f"entry {k} is not signed, and this registry wants its author's signature" for k in (size, size + 1)
        )


def test_a_signature_of_a_time_when_its_key_was_good_is_still_sound_after_the_key_is_gone(
    registry: Registry, clock: Ticking
) -> None:
    registry.add(signed(grant(grant_id="g-2"), ADA))
    revoke(registry, clock, "k-p-ada", "p-ada")
    assert registry.audit().sound
    with registry.write() as writer:
        late = grant(grant_id="g-3")
        writer.store.append(late, writer.now, envelope=enveloped(statement(late), ADA))
    assert any("was revoked" in p for p in registry.audit().problems)


def test_keys_and_templates_that_changed_owners_do_not_open(tmp_path: Any) -> None:
    bos = (permission(PermissionKind.KEEP, "v-bo"), permission(PermissionKind.MATCH, "v-bo"))
    second = Addition(enrolment(enrolment_id="en-bo", voice_id="v-bo"), vector=VECTOR[::-1])
    open_world(tmp_path, None, CONFIRMED, *bos, second).close()
    engine = engine_for(tmp_path / "registry.db", create=False)
    keyring = read_keyring(tmp_path / "registry.db.key")
    swaps = (
        "UPDATE person_key SET wrapped = (SELECT wrapped FROM person_key WHERE holder = 'voice:v-bo') WHERE holder = 'voice:v-ada'",
        "UPDATE sealed SET content = (SELECT content FROM sealed WHERE leaf_index = 20) WHERE leaf_index = 17",
        "UPDATE sealed SET holder = 'voice:v-bo' WHERE leaf_index = 17",
    )
    with engine.connect() as connection, connection.begin():
        assert audit(Store(connection, keyring), origin="").sound
        for swap in swaps:
            point = connection.begin_nested()
            connection.execute(text(swap))
            assert any("entry 17" in p for p in audit(Store(connection, keyring), origin="").problems), swap
            point.rollback()
    engine.dispose()


def test_of_many_who_make_a_registry_at_once_one_does_and_nobody_takes_it_away(tmp_path: Path) -> None:
    place, meet = tmp_path / "registry.db", threading.Barrier(6, timeout=20)

    def make() -> bool:
        meet.wait()
        try:
            Registry.open(place, create=True).close()
        except StoreError:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(lambda _: make(), range(6))) == [False] * 5 + [True]
    Registry.open(place).close()
