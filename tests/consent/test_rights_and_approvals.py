"""Whose title it is, who refused for good, and which approvals are still wanted."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from consent_examples import DAY, EVIDENCE, JANUARY, NOW, approval, candidate, claim, event, recorded, refusal, use
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from consent.approvals import ApprovalHistory, ApprovedSound, Candidate, Standing, approval_denials
from consent.events import Event
from consent.quorum import missing_approvals
from consent.regions import expand
from consent.rights import ClaimHistory, RefusalHistory, refusal_denial, refused, title_rights
from consent.strict import Window, canonical_json
from consent.terms import Use
from consent.titles import Claim, Title, TitleRecord
from consent.vocabulary import ApprovalDecision, ApprovalKind, Channel, EventKind, Level, Quorum, Right, Technique

TITLE = TitleRecord(
    Title(title_id="show-101", level=Level.EPISODE, name="Show 1.01", parent_id="show"),
    (Title(title_id="show", level=Level.SERIES, name="Show"),),
)


def held(*events: tuple[Event, datetime], since: datetime = JANUARY, **changes: Any) -> ClaimHistory:
    return ClaimHistory(claim(**changes), since, recorded(events))


def claimed(kind: EventKind, at: datetime, **changes: Any) -> tuple[Event, datetime]:
    return event(kind, at, **({"target": "claim", "target_id": "c-show", "by": "studio"} | changes)), at


def reasons(*histories: ClaimHistory, asked: Use | None = None, at: datetime = NOW) -> list[str]:
    found = title_rights(histories, Right.AI_DUB, asked or use(), at, title=TITLE)
    return [d.code for d in found.denials]


def test_a_claim_on_the_series_covers_its_episode() -> None:
    assert reasons(held()) == []


@pytest.mark.parametrize(
    "histories",
    [
        (),
        (held(title_id="other"),),
        (held(right=Right.DISTRIBUTE),),
        (held(territories=("FR",)),),
        (held(territories=("US",)),),
        (held(territories_excluded=("BE",)),),
        (held(languages=("de",)),),
        (held(languages=("fr-CA",)),),
        (held(not_after=NOW + 50 * DAY),),
        (held(since=NOW + DAY),),
        (held(claimed(EventKind.WITHDRAWN, NOW - DAY)),),
    ],
)
def test_a_title_that_nobody_holds_for_all_of_the_use_is_unclaimed(histories: tuple[ClaimHistory, ...]) -> None:
    assert reasons(*histories) == ["RH-010"]


def test_an_empty_territory_is_held_by_nobody() -> None:
    assert reasons(held(), asked=use(territories=("FR",), territories_excluded=("FR",))) == ["RH-010"]


def test_two_claims_may_share_the_countries_between_them() -> None:
    french, belgian = held(territories=("FR",)), held(claim_id="c-2", holder_ids=("rival",), territories=("BE",))
    assert reasons(french, belgian) == []
    found = title_rights((french, belgian), Right.AI_DUB, use(), NOW, title=TITLE)
    assert [c.claim_id for c in found.claims] == ["c-show", "c-2"]


@pytest.mark.parametrize(
    "second",
    [
        {},
        {"territories": ("FR",)},
        {"title_id": "show-101"},
        {"not_after": NOW + 30 * DAY},
        {"languages": ("fr",)},
        {"holder_ids": ("studio", "rival")},
    ],
)
def test_two_holders_for_one_right_are_named(second: dict[str, Any]) -> None:
    rival = held(**({"claim_id": "c-2", "holder_ids": ("rival",)} | second))
    assert "RH-011" in reasons(held(), rival)
    assert "RH-011" in reasons(rival, held())


def test_a_claim_for_another_language_or_country_is_no_second_holder() -> None:
    assert reasons(held(), held(claim_id="c-2", holder_ids=("rival",), languages=("de",))) == []
    assert reasons(held(territories=("150",)), held(claim_id="c-2", holder_ids=("rival",), territories=("021",))) == []


def test_a_contested_claim_is_doubtful_until_it_is_settled() -> None:
    contested = claimed(EventKind.CONTESTED, NOW - 2 * DAY, by="rival")
    settled = claimed(EventKind.SETTLED, NOW - DAY, by="op-1")
    assert reasons(held(contested)) == ["RH-012"]
    assert reasons(held(contested, settled)) == []
    assert reasons(held(contested, settled, claimed(EventKind.CONTESTED, NOW, by="rival", event_id="e-9"))) == [
        "RH-012"
    ]


def test_a_claim_counts_once_a_second_operator_confirmed_it() -> None:
    assert set(reasons(held(confirmed_by=None))) == {"RH-010", "RH-013"}
    assert set(reasons(held(claimed(EventKind.CONFIRMED, NOW - DAY, by="op-1"), confirmed_by=None))) == {
        "RH-010",
        "RH-013",
    }
    assert reasons(held(claimed(EventKind.CONFIRMED, NOW - DAY, by="op-2"), confirmed_by=None)) == []


def test_an_unconfirmed_second_claim_leaves_doubt() -> None:
    assert reasons(held(), held(claim_id="c-2", holder_ids=("rival",), confirmed_by=None)) == ["RH-013"]


PLACES = st.lists(
    st.sampled_from(["FR", "BE", "DE", "US", "150", "EU", "001"]), min_size=1, max_size=3, unique=True
).map(tuple)


@given(st.lists(PLACES, max_size=3), PLACES)
def test_every_country_of_a_use_is_held_by_exactly_one_or_something_is_said(
    claims: list[tuple[str, ...]], used: tuple[str, ...]
) -> None:
    histories = [held(claim_id=f"c-{k}", holder_ids=(f"h-{k}",), territories=places) for k, places in enumerate(claims)]
    owners = {c: [k for k, places in enumerate(claims) if c in expand(places)] for c in expand(used)}
    codes = reasons(*histories, asked=use(territories=used))
    assert ("RH-010" in codes) == any(not who for who in owners.values())
    assert ("RH-011" in codes) == any(len(who) > 1 for who in owners.values())


@pytest.mark.parametrize(
    "changes",
    [
        {"confirmed_by": "op-1"},
        {"evidence": ()},
        {"quorum": Quorum.LEAD},
        {"quorum": Quorum.LEAD, "lead_id": "rival"},
        {"quorum": Quorum.SOME, "quorum_n": 2},
        {"not_after": JANUARY},
        {"languages": ("FR-fr",)},
        {"territories": ()},
    ],
)
def test_a_claim_of_the_wrong_form_does_not_exist(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        claim(**changes)


# Standing refusals


@pytest.mark.parametrize(
    ("changes", "asked", "met"),
    [
        ({}, {}, True),
        ({"title_ids": ("show-101",)}, {}, True),
        ({"title_ids": ("other",)}, {}, False),
        ({"techniques": (Technique.VOICE_CLONE_TTS,)}, {}, True),
        ({"techniques": (Technique.LIP_SYNC_VISUAL,)}, {}, False),
        ({"characters": ("MARTA",)}, {}, True),
        ({"characters": ("MARTA",)}, {"character": None}, True),
        ({"characters": ("PIA",)}, {}, False),
        ({"languages": ("fr-FR",)}, {}, True),
        ({"languages": ("fr",)}, {}, True),
        ({"languages": ("fr-CA",)}, {"language": "fr"}, True),
        ({"languages": ("fr-CA",)}, {}, False),
        ({"languages": ("zh",)}, {"language": "cmn-Hans"}, True),  # the same under another name
        ({"languages": ("yue",)}, {"language": "zh"}, True),
        ({"languages": ("yue",)}, {"language": "cmn"}, False),
        ({"languages": ("no",)}, {"language": "nb-NO"}, True),
        ({"languages": ("sr",)}, {"language": "hr"}, False),
        ({"languages": ("ms",)}, {"language": "id"}, False),
        ({"languages": ("zh-Hant",)}, {"language": "cmn-Hans"}, False),
        ({"languages": ("es-005",)}, {"language": "es-419"}, True),
        ({"languages": ("ca-valencia",)}, {"language": "ca"}, True),
        ({"territories": ("EU",)}, {}, True),
        ({"territories": ("BE",)}, {}, True),
        ({"territories": ("US",)}, {}, False),
        ({"not_after": NOW}, {}, False),
        ({"not_before": NOW + 50 * DAY}, {}, True),
        ({"not_before": NOW + 150 * DAY}, {}, False),
        ({"title_ids": (), "voice_ids": ("v-ada",)}, {}, True),
        ({"title_ids": (), "voice_ids": ("v-bo",)}, {}, False),
        ({"voice_ids": ("v-ada",)}, {"title_ids": ("other",)}, False),
    ],
)
def test_a_refusal_meets_any_use_that_it_touches(changes: dict[str, Any], asked: dict[str, Any], met: bool) -> None:
    found = refused([RefusalHistory(refusal(**changes), JANUARY)], use(**asked), NOW, voice_id="v-ada")
    assert bool(found) is met


@pytest.mark.parametrize(
    "written", ["MARA", "Mara", "mara ", "Ｍａｒａ", "M\u0430ra", "Mára", "Ma\u00adra", "\u039c\u0391RA"]
)
def test_a_refusal_of_a_character_meets_it_however_its_name_is_written(written: str) -> None:
    asked = [RefusalHistory(refusal(characters=("Mara",)), JANUARY)]
    assert refused(asked, use().model_copy(update={"character": written}), NOW)
    assert not refused(asked, use(character="Marta"), NOW)


def test_a_refusal_speaks_in_the_refusers_words() -> None:
    both = refusal(words={"en": "Not with our songs.", "ja": "私たちの歌では許しません。"})
    denial = refusal_denial(both)
    assert (denial.code, denial.record_id) == ("RH-020", "r-1")
    assert "Not with our songs." in denial.text.en
    assert "私たちの歌では許しません。" in denial.text.ja
    assert "Nur auf Deutsch." in refusal_denial(refusal(words={"de": "Nur auf Deutsch."})).text.en


def test_a_refusal_that_is_not_recorded_yet_or_was_lifted_is_silent() -> None:
    lifted = recorded([(event(EventKind.LIFTED, NOW - DAY, target="refusal", target_id="r-1", by="studio"), NOW - DAY)])
    assert refused([RefusalHistory(refusal(), NOW + DAY)], use(), NOW) == ()
    assert refused([RefusalHistory(refusal(), JANUARY, lifted)], use(), NOW) == ()
    assert refused([RefusalHistory(refusal(), JANUARY, lifted)], use(), NOW - 2 * DAY) != ()


def test_a_refusal_of_nothing_in_particular_is_refused() -> None:
    with pytest.raises(ValidationError, match="names the titles or the voices"):
        refusal(title_ids=())


# Approvals


def approved(
    *events: tuple[Event, datetime], since: datetime = NOW - DAY, n: int = 0, **changes: Any
) -> ApprovalHistory:
    return ApprovalHistory(approval(**changes), since, recorded(events), n)


def denied(history: ApprovalHistory, delivered: Candidate | None = None, at: datetime = NOW) -> list[str]:
    return [d.field for d in approval_denials(history, delivered or candidate(), at)]


def test_an_approval_of_exactly_what_is_delivered_has_no_denial() -> None:
    assert denied(approved()) == []


@pytest.mark.parametrize(
    ("field", "delivered"),
    [
        ("title_id", {"title_ids": ("other",)}),
        ("language", {"language": "fr-CA"}),
        ("territories", {"territories": ("FR", "US")}),
        ("channels", {"channels": (Channel.SVOD, Channel.GAME)}),
        ("window", {"window": Window(start=NOW - DAY, end=NOW + DAY)}),
        ("window", {"window": Window(start=NOW)}),
        ("packets_sha256", {"packets_sha256": "9" * 64}),
        ("packets_sha256", {"pcm_sha256": "9" * 64}),
        ("label_plan_sha256", {"label_plan_sha256": "9" * 64}),
        ("label_plan_sha256", {"label_plan_sha256": None}),
        ("script_sha256", {"script_sha256": "9" * 64}),
        ("original_sha256", {"original_sha256": None}),
    ],
)
def test_whatever_differs_from_what_was_signed_is_named(field: str, delivered: dict[str, Any]) -> None:
    assert denied(approved(), candidate(**delivered)) == [field]


@pytest.mark.parametrize(
    ("field", "signed"),
    [
        ("decision", {"decision": ApprovalDecision.REJECT}),
        ("expires_at", {"expires_at": NOW}),
        ("conditions", {"decision": ApprovalDecision.CONDITIONS, "conditions": ("Mute scene 4.",)}),
        ("style", {"style": "voiceover"}),
        ("casting_sha256", {"casting_sha256": "7" * 64}),
    ],
)
def test_whatever_the_approval_withholds_is_named(field: str, signed: dict[str, Any]) -> None:
    assert denied(approved(**signed)) == [field]


PRIME, NETFLIX = ("prime_video",), ("netflix",)


@pytest.mark.parametrize(
    ("signed", "delivered", "code"),
    [
        (PRIME, PRIME, None),
        ((), (), None),
        (("prime_video", "netflix"), ("netflix", "prime_video"), None),
        ((), NETFLIX, "RH-001"),
        (PRIME, ("netflix", "prime_video"), "RH-001"),
        (NETFLIX, (), "RH-003"),  # dropped, so that its rules are not asked
        (NETFLIX, None, "RH-003"),
        (None, NETFLIX, "RH-001"),  # signed before partners were
        (None, (), None),
    ],
)
def test_a_dub_goes_through_exactly_the_partners_that_were_approved(
    signed: tuple[str, ...] | None, delivered: tuple[str, ...] | None, code: str | None
) -> None:
    found = approval_denials(approved(partners=signed), candidate(partners=delivered), NOW)
    assert [(d.code, d.field) for d in found] == ([] if code is None else [(code, "partners")])


def test_another_partner_in_place_of_the_approved_one_is_denied_both_ways() -> None:
    assert denied(approved(partners=NETFLIX), candidate(partners=PRIME)) == ["partners", "partners"]


def test_an_approval_of_before_partners_were_signed_reads_and_signs_as_it_did() -> None:
    before = approval()
    assert b"partners" not in canonical_json(before)
    assert b'"partners":[]' in canonical_json(approval(partners=()))
    with pytest.raises(ValidationError):
        approval(partners=("netflicks",))
    with pytest.raises(ValidationError):
        approval(partners=NETFLIX * 2)


def test_an_approval_dated_after_the_judging_does_not_count() -> None:
    assert "signed_at" in denied(approved(signed_at=NOW + DAY))


def test_whoever_submitted_does_not_approve() -> None:
    assert denied(approved(), candidate(submitted_by="studio")) == ["submitted_by"]
    assert denied(approved(), candidate(submitted_by="vendor")) == []


def test_a_condition_that_was_met_is_no_denial() -> None:
    with_condition = approved(decision=ApprovalDecision.CONDITIONS, conditions=("Mute scene 4.",))
    assert denied(with_condition, candidate(conditions_met=("Mute scene 4.",))) == []


def test_an_approval_that_was_taken_back_is_named() -> None:
    gone = event(EventKind.REVOKED, NOW - DAY, target="approval", target_id="a-1", by="studio")
    assert denied(approved((gone, NOW - DAY), since=NOW - 2 * DAY, signed_at=NOW - 3 * DAY)) == ["events"]


def test_an_approval_signed_by_a_stolen_key_falls_with_the_key_and_stood_before() -> None:
    stolen = replace(approved(), discredited_at=NOW)
    assert denied(stolen) == ["signature"]
    assert denied(stolen, at=NOW - timedelta(seconds=1)) == []


def test_one_signature_may_cover_a_list_of_sounds() -> None:
    sounds = tuple(ApprovedSound(packets_sha256=digit * 64) for digit in "789")
    assert denied(approved(sounds=sounds), candidate(packets_sha256="8" * 64)) == []
    assert denied(approved(sounds=sounds)) == ["packets_sha256"]


def test_a_standing_approval_covers_its_languages_packs_and_number() -> None:
    standing = Standing(languages=("fr-FR", "de"), pack_sha256s=("d" * 64,), max_releases=2, objection_hours=48)
    signed = {
        "standing": standing,
        "sounds": (),
        "label_plan_sha256": None,
        "script_sha256": None,
        "original_sha256": None,
    }
    packed: dict[str, Any] = {"pack_sha256s": ("d" * 64, "e" * 64)}
    assert denied(approved(**signed), candidate(**packed)) == []
    assert denied(approved(**signed), candidate(language="de", **packed)) == []
    assert denied(approved(**signed), candidate(language="it", **packed)) == ["language"]
    assert denied(approved(**signed), candidate()) == ["standing"]
    assert denied(approved(n=2, **signed), candidate(**packed)) == ["standing"]


@pytest.mark.parametrize(
    "changes",
    [
        {"sounds": ()},
        {"script_sha256": None},
        {"expires_at": NOW - 2 * DAY},
        {"conditions": ("x",)},
        {"decision": ApprovalDecision.CONDITIONS},
        {"territories": ("Europe",)},
    ],
)
def test_an_approval_of_the_wrong_form_does_not_exist(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        approval(**changes)


# Who must approve


def wanted(
    claims: list[Claim], *histories: ApprovalHistory, kinds: tuple[ApprovalKind, ...] = (ApprovalKind.FINAL_SOUND,)
) -> int:
    return len(missing_approvals(claims, kinds, histories, candidate(), NOW))


def test_each_holder_approves_for_its_own_countries() -> None:
    claims = [claim(territories=("FR",)), claim(claim_id="c-2", holder_ids=("rival",), territories=("BE",))]
    rival = approved(approval_id="a-2", by="rival", for_holder_id="rival", territories=("BE",))
    assert wanted(claims) == 2
    assert wanted(claims, approved(territories=("FR",))) == 1
    assert wanted(claims, approved(territories=("FR",)), rival) == 0
    assert wanted(claims, approved(territories=("BE",)), rival) == 1


def test_an_approval_of_one_kind_is_none_of_another() -> None:
    kinds = (ApprovalKind.CASTING, ApprovalKind.FINAL_SOUND)
    assert wanted([claim()], approved(), kinds=kinds) == 1
    assert wanted([claim()], approved(), approved(approval_id="a-2", kind=ApprovalKind.CASTING), kinds=kinds) == 0


@pytest.mark.parametrize(
    ("quorum", "given_by", "missing"),
    [
        ({"quorum": Quorum.ALL}, ("studio",), 1),
        ({"quorum": Quorum.ALL}, ("studio", "rival", "third"), 0),
        ({"quorum": Quorum.LEAD, "lead_id": "rival"}, ("studio", "third"), 1),
        ({"quorum": Quorum.LEAD, "lead_id": "rival"}, ("rival",), 0),
        ({"quorum": Quorum.SOME, "quorum_n": 2}, ("third",), 1),
        ({"quorum": Quorum.SOME, "quorum_n": 2}, ("third", "studio"), 0),
        ({"quorum": Quorum.SOME, "quorum_n": 2}, ("third", "third"), 1),
        ({"quorum": Quorum.SOME, "quorum_n": 1}, ("stranger",), 1),
    ],
)
def test_joint_holders_approve_by_their_quorum(quorum: dict[str, Any], given_by: tuple[str, ...], missing: int) -> None:
    joint = claim(holder_ids=("studio", "rival", "third"), **quorum)
    given = [approved(approval_id=f"a-{k}", by=who, for_holder_id=who) for k, who in enumerate(given_by)]
    assert wanted([joint], *given) == missing


def test_a_refusal_by_one_joint_holder_is_not_outvoted_until_it_approves() -> None:
    joint = claim(holder_ids=("studio", "rival"), quorum=Quorum.SOME, quorum_n=1)
    no = approved(approval_id="a-no", by="rival", for_holder_id="rival", decision=ApprovalDecision.REJECT)
    yes = approved(since=NOW, approval_id="a-yes", by="rival", for_holder_id="rival")
    assert wanted([joint], approved(), no) == 1
    assert wanted([joint], approved(), no, yes) == 0


def test_a_refusal_after_an_approval_wins_and_one_of_another_sound_says_nothing() -> None:
    no = approved(since=NOW, approval_id="a-no", decision=ApprovalDecision.REJECT)
    other = (ApprovedSound(packets_sha256="8" * 64),)
    assert wanted([claim()], approved(), no) == 1
    assert (
        wanted(
            [claim()],
            approved(),
            approved(since=NOW, approval_id="a-no", decision=ApprovalDecision.REJECT, sounds=other),
        )
        == 0
    )
    assert (
        wanted(
            [claim()], approved(), approved(since=NOW, approval_id="a-no", decision=ApprovalDecision.REJECT, sounds=())
        )
        == 1
    )


def test_a_refusal_of_a_kind_that_the_title_does_not_want_is_a_refusal_all_the_same() -> None:
    no = approved(since=NOW, approval_id="a-no", kind=ApprovalKind.CASTING, decision=ApprovalDecision.REJECT)
    yes = approved(since=NOW + DAY, approval_id="a-yes")
    assert wanted([claim()], approved(), no) == 1
    assert wanted([claim()], approved(), no, yes) == 0, "the holder approved the sound since"
    both = (ApprovalKind.CASTING, ApprovalKind.FINAL_SOUND)
    cast = approved(since=NOW + DAY, approval_id="a-cast", kind=ApprovalKind.CASTING)
    assert len(missing_approvals([claim()], both, [approved(), no, cast], candidate(), NOW + 2 * DAY)) == 0


def test_a_refused_sound_stays_refused_under_another_language() -> None:
    """Handed in again as `fr-CA` and approved by another holder, what one refused as `fr-FR` is the same sound."""
    joint = claim(holder_ids=("studio", "rival"), quorum=Quorum.SOME, quorum_n=1)
    no = {"approval_id": "a-no", "by": "rival", "for_holder_id": "rival", "decision": ApprovalDecision.REJECT}
    assert wanted([joint], approved(), approved(**no, language="de")) == 1
    assert wanted([joint], approved(), approved(**no, language="de", sounds=())) == 0, "of any sound in German"
    assert wanted([joint], approved(), approved(**no, language="fr", sounds=())) == 1


def test_the_reasons_why_an_approval_fails_are_handed_on() -> None:
    (missing,) = missing_approvals(
        [claim()], [ApprovalKind.FINAL_SOUND], [approved(script_sha256="9" * 64)], candidate(), NOW
    )
    assert [d.field for d in missing.denials] == ["script_sha256"]
    assert missing.claim.evidence == EVIDENCE
