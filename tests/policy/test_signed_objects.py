"""Waivers, attestations and sign-offs: what each may change, for whom, and everything that makes one count for nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pack_texts import HEAD, band, pack
from pydantic import ValidationError

from consent.vocabulary import Role
from dubgate.measure.measurement import Scope, Subject
from dubgate.policy.attestations import apply_attestations, attestable_rules
from dubgate.policy.checks import CHECKS
from dubgate.policy.findings import Finding, Group, Outcome, Text
from dubgate.policy.packs import load_packs
from dubgate.policy.signed_objects import (
    About,
    Attestable,
    Attestation,
    Circumstances,
    Heard,
    SignOff,
    VerifiedStatement,
    Waiver,
    WaiverReason,
)
from dubgate.policy.signoffs import sign_off_findings
from dubgate.policy.verdict import Decision, decide
from dubgate.policy.waivers import apply_waivers, is_waivable
from dubgate.spans import Span
from dubgate.unmeasured import Unmeasured

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
SOUND, OTHER, PCM = "a" * 64, "b" * 64, "c" * 64
LINE = Subject(Scope.LINE, "L7", "MARA")
MARA = Subject(Scope.CHARACTER, "MARA")

NOW = Circumstances(
    at=AT,
    packets_sha256=SOUND,
    pcm_sha256=PCM,
    submitters=frozenset({"vendor-clerk", "vendor"}),
    vendor_houses=frozenset({"vendor"}),
    duration_s=60.0,
    attestable={
        "TIM-ONSET": Attestable(frozenset({Role.REVIEWER}), Outcome.HOLD),
        "CON-030": Attestable(frozenset({Role.PERFORMER, Role.AGENT, Role.REVIEWER}), Outcome.HOLD),
        "CON-031": Attestable(frozenset({Role.PERFORMER, Role.AGENT, Role.REVIEWER}), Outcome.BLOCK),
    },
    speak_for={"MARA": (frozenset({"actress", "her-agent"}),)},
)


def finding(outcome: Outcome = Outcome.HOLD, rule: str = "TIM-ONSET", **changes: Any) -> Finding:
    plain = Finding(
        rule, "quality-lipsync", Group.QUALITY, LINE, outcome, Text("It is late.", "遅い。"), spans=(Span(3.0, 5.0),)
    )
    return replace(plain, **changes)


def waiver(
    party: str = "lead", *, house: str = "studio", key: str = "", roles: tuple[Role, ...] = (), **changes: Any
) -> Any:
    fields: dict[str, Any] = {
        "waiver_id": f"w-{party}",
        "by": party,
        "packets_sha256": SOUND,
        "rule": "TIM-ONSET",
        "about": (About.of(LINE),),
        "reason": WaiverReason.CREATIVE_INTENT,
        "words": "she waits on purpose",
        "signed_at": AT - timedelta(days=1),
        "expires_at": AT + timedelta(days=30),
        **changes,
    }
    chosen = frozenset(roles or (Role.CREATIVE_LEAD,))
    return VerifiedStatement(Waiver(**fields), party, house, chosen, key or f"key-of-{party}")


def waived(findings: list[Finding], *waivers: Any, now: Circumstances = NOW) -> Outcome:
    return apply_waivers(findings, waivers, now)[0].outcome


def test_one_approver_forgives_a_line_that_holds_by_name_with_reason_and_expiry() -> None:
    [found] = apply_waivers([finding()], [waiver()], NOW)
    assert (found.outcome, found.was) == (Outcome.WAIVED, Outcome.HOLD)
    assert found.decided_by == ("waiver w-lead by lead",)
    for part in ("It is late.", "creative intent", "lead", "2026-12-20", "she waits on purpose"):
        assert part in found.text.en
    assert "免除: 演出意図（lead、2026-12-20まで）" in found.text.ja


def test_what_blocks_takes_two_people_with_two_keys() -> None:
    blocked = finding(Outcome.BLOCK)
    assert waived([blocked], waiver()) is Outcome.BLOCK
    assert waived([blocked], waiver(), waiver("lead", waiver_id="w-2")) is Outcome.BLOCK
    assert waived([blocked], waiver(key="one"), waiver(key="two", waiver_id="w-2")) is Outcome.BLOCK
    assert waived([blocked], waiver(key="same"), waiver("chief", key="same")) is Outcome.BLOCK
    assert waived([blocked], waiver(), waiver("chief")) is Outcome.WAIVED


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"rule": "TIM-IOU"}, "nothing that failed"),
        ({"about": (About.of(MARA),)}, "nothing that failed"),
        ({"about": (About(scope="character", name="L7"),)}, "nothing that failed"),
        ({"about": (About(scope="line", name="L8"),)}, "nothing that failed"),
        ({"packets_sha256": OTHER}, "other sound"),
        ({"pcm_sha256": OTHER}, "other sound"),
        ({"expires_at": AT}, "expired"),
        ({"signed_at": AT + timedelta(seconds=1)}, "still to come"),
        ({"by": "somebody"}, "speaks for somebody"),
        ({"party": "vendor-clerk"}, "submitted the delivery"),
        ({"house": "vendor"}, "house that submitted"),
        ({"roles": (Role.REVIEWER, Role.DUBBING_VENDOR)}, "may sign none"),
    ],
)
def test_a_waiver_that_does_not_fit_changes_nothing_and_is_shown(changes: dict[str, Any], why: str) -> None:
    held, shown = apply_waivers([finding()], [waiver(**changes)], NOW)
    assert held == finding()
    assert shown.outcome is Outcome.NOT_APPLICABLE
    assert shown.rule == "SIG-WAIVER"
    assert why in shown.text.en


def test_nobody_waives_where_it_is_not_known_who_submitted() -> None:
    assert waived([finding()], waiver(), now=replace(NOW, submitters=frozenset())) is Outcome.HOLD


def test_a_waiver_of_lossless_sound_follows_its_pcm_into_another_wrapping() -> None:
    rewrapped = replace(NOW, packets_sha256=OTHER)
    assert waived([finding()], waiver(), now=rewrapped) is Outcome.HOLD
    assert waived([finding()], waiver(pcm_sha256=PCM), now=rewrapped) is Outcome.WAIVED
    lossy = replace(rewrapped, pcm_sha256=Unmeasured("not a lossless codec"))
    assert waived([finding()], waiver(pcm_sha256=PCM), now=lossy) is Outcome.HOLD


@pytest.mark.parametrize("outcome", [Outcome.UNKNOWN, Outcome.WARN, Outcome.PASS, Outcome.NOT_APPLICABLE])
def test_a_waiver_forgives_only_what_failed(outcome: Outcome) -> None:
    assert waived([finding(outcome)], waiver()) is outcome


@pytest.mark.parametrize("rule", ["CON-001", "CON-999", "RH-001", "RH-X", "LAB-EU", "LAB-001", "INT-002", *CHECKS])
@pytest.mark.parametrize("group", [Group.QUALITY, Group.CONSENT])
def test_consent_rights_labels_and_integrity_are_never_waived(rule: str, group: Group) -> None:
    held = finding(rule=rule, group=group)
    assert waived([held], waiver(rule=rule), waiver("chief", rule=rule)) is Outcome.HOLD


@pytest.mark.parametrize("group", [g for g in Group if g is not Group.QUALITY])
def test_only_quality_is_waived(group: Group) -> None:
    assert not is_waivable(finding(group=group))
    assert is_waivable(finding())


def test_a_waiver_needs_a_reason_of_the_list_and_a_term() -> None:
    for change in (
        {"reason": "because"},
        {"expires_at": AT - timedelta(days=2)},
        {"about": ()},
        {"words": ""},
        {"more": 1},
    ):
        with pytest.raises(ValidationError):
            waiver(**change)


def test_a_dub_of_which_all_is_waived_is_no_release() -> None:
    assert decide(apply_waivers([finding()], [waiver()], NOW)) is Decision.HOLD
    assert decide(apply_waivers([finding(), finding(Outcome.PASS)], [waiver()], NOW)) is Decision.RELEASE


@given(
    st.lists(st.sampled_from(list(Outcome)), max_size=6), st.permutations(["lead", "chief", "boss"]), st.integers(0, 3)
)
def test_waivers_touch_nothing_else_and_their_order_is_nothing(
    outcomes: list[Outcome], order: list[str], n: int
) -> None:
    findings = [finding(o, subject=Subject(Scope.LINE, f"L{k}")) for k, o in enumerate(outcomes)]
    about = (About(scope="line", name="L0"),)
    waivers = [waiver(p, about=about) for p in order[:n]]
    out = apply_waivers(findings, waivers, NOW)
    assert out[1 : len(findings)] == tuple(findings[1:])
    assert sorted(out, key=repr) == sorted(apply_waivers(findings, waivers[::-1], NOW), key=repr)


def attestation(
    party: str = "ear",
    rule: str = "TIM-ONSET",
    *,
    house: str = "lab",
    roles: tuple[Role, ...] = (Role.REVIEWER,),
    key: str = "",
    heard: tuple[tuple[float, float], ...] = ((2.0, 6.0),),
    **changes: Any,
) -> Any:
    fields: dict[str, Any] = {
        "attestation_id": f"a-{party}",
        "by": party,
        "packets_sha256": SOUND,
        "rule": rule,
        "about": About.of(LINE if rule.startswith("TIM") else MARA),
        "answer": "pass",
        "heard": tuple(Heard(start_s=a, end_s=b) for a, b in heard),
        "signed_at": AT - timedelta(hours=1),
        "expires_at": AT + timedelta(days=30),
        **changes,
    }
    return VerifiedStatement(Attestation(**fields), party, house, frozenset(roles), key or f"key-of-{party}")


OPEN = finding(Outcome.UNKNOWN, who_can_resolve="reviewer")
OPEN_VOICE = finding(Outcome.UNKNOWN, rule="CON-031", subject=MARA, group=Group.CONSENT)


def answered(found: Finding, *given: Any, now: Circumstances = NOW) -> Outcome:
    return apply_attestations([found], given, now)[0].outcome


def test_somebody_who_listened_answers_an_open_question() -> None:
    [yes] = apply_attestations([OPEN], [attestation()], NOW)
    assert (yes.outcome, yes.was, yes.who_can_resolve) == (Outcome.PASS, Outcome.UNKNOWN, None)
    assert yes.decided_by == ("attestation a-ear by ear",)
    assert "by ear: yes (ear)" in yes.text.en
    [no] = apply_attestations([OPEN], [attestation(answer="fail")], NOW)
    assert no.outcome is Outcome.HOLD
    assert "by ear: no (ear)" in no.text.en


@pytest.mark.parametrize("outcome", [o for o in Outcome if o is not Outcome.UNKNOWN])
def test_an_attestation_never_touches_what_was_measured(outcome: Outcome) -> None:
    measured = finding(outcome)
    for answer in ("pass", "fail"):
        assert apply_attestations([measured], [attestation(answer=answer)], NOW)[0] == measured


@pytest.mark.parametrize(
    "changes",
    [
        {"rule": "TIM-IOU"},
        {"about": About.of(MARA)},
        {"about": About(scope="line", name="L8")},
        {"packets_sha256": OTHER},
        {"expires_at": AT},
        {"signed_at": AT + timedelta(seconds=1)},
        {"by": "somebody"},
        {"party": "vendor-clerk"},
        {"roles": (Role.DUBBING_VENDOR,)},
        {"heard": ((3.0, 4.5),)},
        {"heard": ((3.5, 9.0),)},
        {"heard": ((10.0, 20.0),)},
    ],
)
def test_an_attestation_that_does_not_fit_changes_nothing_and_is_shown(changes: dict[str, Any]) -> None:
    left, shown = apply_attestations([OPEN], [attestation(**changes)], NOW)
    assert left == OPEN
    assert (shown.outcome, shown.rule) == (Outcome.NOT_APPLICABLE, "SIG-ATTESTATION")


def test_a_question_about_the_programme_takes_listening_to_all_of_it() -> None:
    whole = finding(Outcome.UNKNOWN, spans=())
    assert answered(whole, attestation(heard=((0.0, 30.0),))) is Outcome.UNKNOWN
    assert answered(whole, attestation(heard=((0.0, 30.0), (30.0, 60.0)))) is Outcome.PASS


def test_a_no_decides_over_any_number_of_yeses() -> None:
    given = [attestation(), attestation("second"), attestation("third", answer="fail")]
    assert answered(OPEN, *given) is Outcome.HOLD
    assert answered(
        OPEN_VOICE, *(attestation(p, "CON-031") for p in ("x", "y")), attestation("z", "CON-031", answer="fail")
    ) is (Outcome.BLOCK)


@pytest.mark.parametrize("heard", [(5.0, 5.0), (5.0, 4.0), (-1.0, 4.0)])
def test_what_was_heard_runs_forward_from_the_programme_s_start(heard: tuple[float, float]) -> None:
    with pytest.raises(ValidationError):
        attestation(heard=(heard,))


def test_a_rule_that_nobody_may_attest_stays_open() -> None:
    assert answered(OPEN, attestation(), now=replace(NOW, attestable={})) is Outcome.UNKNOWN


def test_for_consent_the_performer_or_agent_of_that_voice_answers() -> None:
    def said(party: str, role: Role) -> Outcome:
        return answered(OPEN_VOICE, attestation(party, "CON-031", roles=(role,)))

    assert said("actress", Role.PERFORMER) is Outcome.PASS
    assert said("her-agent", Role.AGENT) is Outcome.PASS
    assert said("another-actress", Role.PERFORMER) is Outcome.UNKNOWN
    assert said("actress", Role.REVIEWER) is Outcome.UNKNOWN


def test_of_a_group_each_voices_own_answers_for_that_voice_alone() -> None:
    now = replace(NOW, speak_for={"MARA": (frozenset({"actress", "her-agent"}), frozenset({"actor"}))})
    asked = finding(Outcome.UNKNOWN, "CON-031", subject=MARA)
    hers, agents, his = (
        attestation(p, rule="CON-031", about=About.of(MARA), roles=(Role.PERFORMER, Role.AGENT))
        for p in ("actress", "her-agent", "actor")
    )
    assert answered(asked, hers, agents, now=now) is Outcome.UNKNOWN
    assert answered(asked, his, now=now) is Outcome.UNKNOWN
    assert answered(asked, agents, his, now=now) is Outcome.PASS
    of_both = replace(now, speak_for={"MARA": (frozenset({"actress"}), frozenset({"actress", "actor"}))})
    assert answered(asked, hers, now=of_both) is Outcome.PASS
    nobodys = replace(now, speak_for={"MARA": ()})
    assert answered(asked, hers, now=nobodys) is Outcome.UNKNOWN
    assert answered(asked, *(attestation(p, "CON-031", house=p) for p in ("x", "y")), now=nobodys) is Outcome.PASS


def test_for_consent_it_otherwise_takes_two_reviewers_one_of_them_outside_the_vendor() -> None:
    def both(*houses: str, parties: tuple[str, str] = ("x", "y"), keys: tuple[str, str] = ("k1", "k2")) -> Outcome:
        given = [
            attestation(p, "CON-031", house=h, key=k, attestation_id=f"a-{i}")
            for i, (p, h, k) in enumerate(zip(parties, houses, keys, strict=True))
        ]
        return answered(OPEN_VOICE, *given)

    assert answered(OPEN_VOICE, attestation("x", "CON-031")) is Outcome.UNKNOWN
    assert both("vendor", "vendor") is Outcome.UNKNOWN
    assert both("lab", "vendor") is Outcome.PASS
    assert both("lab", "lab") is Outcome.PASS
    assert both("lab", "vendor", parties=("x", "x")) is Outcome.UNKNOWN
    assert both("lab", "vendor", keys=("k1", "k1")) is Outcome.UNKNOWN


def test_who_may_attest_is_what_the_rules_and_checks_say() -> None:
    table = attestable_rules(load_packs(["quality-lipsync"]))
    assert table["TIM-ONSET"] == Attestable(frozenset({Role.LOCALIZATION_SUPERVISOR, Role.REVIEWER}), Outcome.HOLD)
    assert table["TIM-IOU"].fails is Outcome.BLOCK
    assert "LVL-CLIP" not in table
    assert table["CON-031"] == Attestable(frozenset({Role.PERFORMER, Role.AGENT, Role.REVIEWER}), Outcome.BLOCK)
    assert table["CON-030"].fails is Outcome.HOLD
    assert {"CON-001", "RH-001", "LAB-001", "INT-001"}.isdisjoint(table)
    assert attestable_rules([]).keys() == {c.id for c in CHECKS.values() if c.attestable_by}


@given(st.lists(st.sampled_from(list(Outcome)), min_size=1, max_size=6), st.sampled_from(["pass", "fail"]))
def test_attestations_make_nothing_of_a_measured_programme(outcomes: list[Outcome], answer: str) -> None:
    findings = [
        finding(o, subject=Subject(Scope.LINE, f"L{k}")) for k, o in enumerate(outcomes) if o is not Outcome.UNKNOWN
    ]
    given_ = [attestation(f"p{k}", about=About(scope="line", name=f"L{k}"), answer=answer) for k in range(6)]
    assert apply_attestations(findings, given_, NOW)[: len(findings)] == tuple(findings)


DEMANDING = pack(band(), head=HEAD + "sign_offs: [legal, creative_lead]\n")


def sign_off(role: Role = Role.LEGAL, party: str = "counsel", *, house: str = "studio", **changes: Any) -> Any:
    roles = changes.pop("roles", (role,))
    fields: dict[str, Any] = {
        "sign_off_id": f"s-{party}-{role}",
        "by": party,
        "packets_sha256": SOUND,
        "role": role,
        "answer": "agreed",
        "signed_at": AT - timedelta(hours=1),
        "expires_at": AT + timedelta(days=30),
        **changes,
    }
    return VerifiedStatement(SignOff(**fields), party, house, frozenset(roles), f"key-of-{party}")


def signed(*sign_offs: Any) -> dict[str, Outcome]:
    found = sign_off_findings([DEMANDING], sign_offs, NOW)
    return {f.rule: f.outcome for f in found}


def test_a_role_that_a_pack_demands_holds_until_it_signs() -> None:
    legal, lead = sign_off_findings([DEMANDING], [sign_off()], NOW)
    assert (legal.rule, legal.outcome, legal.who_can_resolve) == ("SGN-LEGAL", Outcome.PASS, None)
    assert (lead.rule, lead.outcome, lead.who_can_resolve) == ("SGN-CREATIVE-LEAD", Outcome.HOLD, "creative lead")
    assert lead.group is Group.APPROVAL
    both = sign_off_findings([DEMANDING], [sign_off(), sign_off(Role.CREATIVE_LEAD, "lead")], NOW)
    assert decide(both) is Decision.RELEASE


def test_a_refusal_blocks_whoever_else_agrees() -> None:
    found = sign_off_findings(
        [DEMANDING], [sign_off(), sign_off(party="other", answer="refused", words="no licence")], NOW
    )
    assert found[0].outcome is Outcome.BLOCK
    assert "no licence" in found[0].text.en


@pytest.mark.parametrize(
    "changes",
    [
        {"packets_sha256": OTHER},
        {"expires_at": AT},
        {"by": "somebody"},
        {"party": "vendor-clerk"},
        {"house": "vendor"},
        {"roles": (Role.REVIEWER,)},
        {"role": Role.PRODUCTION},
    ],
)
def test_a_sign_off_that_does_not_fit_leaves_the_role_open_and_is_shown(changes: dict[str, Any]) -> None:
    assert signed(sign_off(**changes)) == {
        "SGN-LEGAL": Outcome.HOLD,
        "SGN-CREATIVE-LEAD": Outcome.HOLD,
        "SIG-SIGN-OFF": Outcome.NOT_APPLICABLE,
    }


def test_packs_that_demand_nobody_ask_nobody() -> None:
    assert sign_off_findings([pack(band())], [], NOW) == ()
