"""The gate behind the desk: what is signed there by passkey changes the verdict at once, and only as far as it may."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock, patch

import pytest
from made_delivery import NOW, SIGNED_AT, World, features, make_world
from made_passkey import MadePasskey
from world import candidate

from consent.approvals import Approval
from consent.clearance import Clearance
from consent.dsse import pre_authentication_encoding
from consent.parties import Party, PartyKey
from consent.passkey_signing import signed_envelope, to_sign
from consent.passkeys import challenge_of
from consent.registry import Registry
from consent.terms import VoiceAsset
from consent.vocabulary import EventKind, Role
from consent.web.protocols import Answer, CannotAnswerError, Casting, Finding
from consent.web.telling import _voiced
from consent.writing import Addition
from dubgate.certificate.dsse import strict_json
from dubgate.delivery.manifest import load_delivery
from dubgate.features import ProgrammeFeatures
from dubgate.judging_again import Judged
from dubgate.service.desk_clips import clips_of
from dubgate.service.desk_judge import DeskDeliveries


def test_a_consent_is_asked_about_the_very_model_that_is_declared() -> None:
    """A grant that names voice models covers no other, and one that was not said."""
    told, asked = VoiceAsset(vendor_id="polyglot", voice="v-ada", model_version="4.2"), Mock()
    asked.clear.return_value = Clearance("v-ada", (), ())
    casting = Casting("MARA", "voice_clone_tts", ("v-ada", "v-otto"), (told, None))
    _voiced(asked, candidate(), casting, "en")
    assert [(c.args[0], c.args[1].voice_asset) for c in asked.clear.call_args_list] == [
        ("v-ada", told),
        ("v-otto", None),
    ]


PEOPLE = {
    "kestrel-desk": ((Role.RIGHTS_HOLDER,), "kestrel"),
    "creative": ((Role.CREATIVE_LEAD,), "kestrel"),
    "supervisor": ((Role.LOCALIZATION_SUPERVISOR,), "kestrel"),
    "ear-one": ((Role.REVIEWER,), "polyglot"),
    "ear-two": ((Role.REVIEWER,), "kestrel"),
}
PRIVATE = """schema: delivery/1.0
extends: series.yaml
cast:
  - {character: MARA, technique: voice_clone_tts, voice: v-mara, vendor: Polyglot Dubs, model: cg-2024}
  - {character: JONAS, technique: voice_clone_tts, voice: v-jonas-private, vendor: Polyglot Dubs, model: cg-2024}
  - {character: OTTO, technique: voice_clone_tts, voice: v-otto, vendor: Polyglot Dubs, model: cg-2024}
"""


class Gate:
    """A delivery of made-up voices behind the desk, and people with passkeys."""

    def __init__(self, world: World) -> None:
        self.world, self.heard, self.keys = world, features(), {}
        self.manifest = world.folder / "delivery" / "delivery.yaml"
        self.desk = DeskDeliveries(
            lambda: {"d-1": self.manifest},
            str(world.registry),
            packs=(str(world.folder / "house.yaml"),),
            clock=lambda: NOW,
        )
        with Registry.open(world.registry, clock=lambda: SIGNED_AT) as registry:
            for k, (party, (roles, house)) in enumerate(PEOPLE.items()):
                self.keys[party] = MadePasskey(credential_id=f"credential-{k}".encode())
                registry.add(Party(party_id=party, roles=roles, person=True, organisation_id=house), self.key_of(party))

    def key_of(self, party: str) -> PartyKey:
        term = {"not_before": SIGNED_AT - timedelta(days=1), "not_after": NOW + timedelta(days=400)}
        passkey = self.keys[party].registered()
        return PartyKey(key_id=f"pk-{party}", party_id=party, passkey=passkey, roles=PEOPLE[party][0], **term)

    def again(self, request: Any, *, at: Any, progress: Any) -> Judged:
        delivery = load_delivery(self.manifest)
        return Judged(delivery, self.world.judged(delivery=delivery, heard=self.heard), heard_again=False)

    def signed(self, party: str, payload: bytes) -> str:
        answer = self.keys[party].answer(challenge_of(pre_authentication_encoding(payload)))
        return signed_envelope(payload, self.key_of(party), answer)

    def finding(self, rule: str) -> Finding:
        judged = self.desk.last("d-1")
        assert judged is not None
        return next(f for f in judged.findings if f.rule == rule and f.outcome not in ("pass", "not_applicable"))

    def answer(self, party: str, rule: str, **said: Any) -> str:
        """What came of an answer: the decision after it."""
        about = Answer(finding_key=self.finding(rule).key, **{"words": "Heard it all.", **said})
        payload = self.desk.draft("d-1", about, by=party, at=NOW)
        return self.desk.record("d-1", self.signed(party, payload)).decision


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    made = Gate(make_world(tmp_path))
    with patch("dubgate.service.desk_judge.judge_again", made.again):
        yield made


def without_approval(gate: Gate) -> None:
    (gate.world.folder / "delivery" / "evidence" / "approval.json").unlink()


def approved_at_the_desk(gate: Gate, **changes: Any) -> Approval:
    """What the rights holder's person signs by passkey, of exactly this delivery."""
    record = Approval.model_validate_json(json.dumps(_stated(gate.world.approval())))
    return record.model_copy(update={"approval_id": "ap-desk", "by": "kestrel-desk", **changes})


def _stated(envelope: bytes) -> dict[str, Any]:
    import base64

    said = json.loads(base64.b64decode(strict_json(envelope, "x")["payload"]))["predicate"]  # type: ignore[index]
    said.pop("schema")
    return dict(said)


def test_an_approval_that_stands_in_the_ledger_alone_releases_and_its_withdrawal_blocks_at_once(gate: Gate) -> None:
    without_approval(gate)
    assert gate.desk.judge("d-1").decision == "block"
    record = approved_at_the_desk(gate)
    with Registry.open(gate.world.registry, clock=lambda: SIGNED_AT) as registry:
        registry.add(Addition(record, envelope=gate.signed("kestrel-desk", to_sign(record).payload)))
    assert gate.desk.judge("d-1").decision == "release"
    from consent.consequences import record_ending

    with Registry.open(gate.world.registry, clock=lambda: NOW - timedelta(seconds=1)) as registry:
        record_ending(registry, "approval:ap-desk", EventKind.WITHDRAWN, by="kestrel-desk", reason="No.")
    assert gate.desk.judge("d-1").decision == "block"


@pytest.mark.parametrize(
    "changes",
    [
        {"sounds": ()},
        {"territories": ("DE",)},
        {"script_sha256": "0" * 64},
        {"casting_sha256": "0" * 64},
        {"language": "fr"},
    ],
)
def test_an_approval_in_the_ledger_of_something_else_releases_nothing(gate: Gate, changes: dict[str, Any]) -> None:
    without_approval(gate)
    if changes.get("sounds") == ():
        changes = {"sounds": (approved_at_the_desk(gate).sounds[0].model_copy(update={"packets_sha256": "9" * 64}),)}
    record = approved_at_the_desk(gate, **changes)
    with Registry.open(gate.world.registry, clock=lambda: SIGNED_AT) as registry:
        registry.add(Addition(record, envelope=gate.signed("kestrel-desk", to_sign(record).payload)))
    assert gate.desk.judge("d-1").decision == "block"


def test_an_unsigned_approval_in_the_ledger_releases_nothing(gate: Gate) -> None:
    without_approval(gate)
    with Registry.open(gate.world.registry, clock=lambda: SIGNED_AT) as registry:
        registry.add(approved_at_the_desk(gate))
    assert gate.desk.judge("d-1").decision == "block"


def test_an_approval_handed_to_the_gate_is_kept_with_the_delivery(gate: Gate) -> None:
    without_approval(gate)
    gate.desk.judge("d-1")
    record = approved_at_the_desk(gate)
    assert gate.desk.record("d-1", gate.signed("kestrel-desk", to_sign(record).payload)).decision == "release"
    assert len(list((gate.world.folder / "delivery" / "evidence").glob("desk-*.json"))) == 1


def test_what_could_not_be_compared_is_attested_by_two_reviewers_of_whom_one_is_outside(gate: Gate) -> None:
    gate.manifest.write_text(PRIVATE, encoding="utf-8")
    delivery = load_delivery(gate.manifest)
    (gate.manifest.parent / "evidence" / "approval.json").write_bytes(gate.world.approval(delivery=delivery))
    assert gate.desk.judge("d-1").decision == "hold"
    decided = "hold"
    for party in ("ear-one", "ear-two"):
        for rule in ("CON-030", "CON-035"):
            decided = gate.answer(party, rule, kind="attest") if _open(gate, rule) else decided
    assert decided == "release"
    gate.heard = _other_bytes(gate.heard)
    assert gate.desk.judge("d-1").decision == "block"  # one changed byte: approval and answers are of another sound


def _open(gate: Gate, rule: str) -> bool:
    judged = gate.desk.last("d-1")
    return judged is not None and any(f.rule == rule and f.outcome == "unknown" for f in judged.findings)


def _other_bytes(heard: ProgrammeFeatures) -> ProgrammeFeatures:
    assert heard.published is not None
    return replace(heard, published=replace(heard.published, packet_sha256="7" * 64))


def test_a_reviewer_who_hears_that_it_is_wrong_blocks_it(gate: Gate) -> None:
    gate.manifest.write_text(PRIVATE, encoding="utf-8")
    (gate.manifest.parent / "evidence" / "approval.json").write_bytes(
        gate.world.approval(delivery=load_delivery(gate.manifest))
    )
    gate.desk.judge("d-1")
    gate.answer("ear-two", "CON-030", kind="attest", agreed=False)
    assert gate.finding("CON-030").outcome in ("hold", "block")


def _too_loud(heard: ProgrammeFeatures) -> ProgrammeFeatures:
    return replace(heard, dub=replace(heard.dub, levels=replace(heard.dub.levels, true_peak_dbtp=-0.2)))


def test_a_held_rule_is_waived_by_the_creative_lead_and_not_by_a_reviewer_without_that_role(gate: Gate) -> None:
    gate.heard = _too_loud(gate.heard)
    assert gate.desk.judge("d-1").decision == "hold"
    assert gate.finding("HOU-PEAK").answers == ("waive",)
    assert gate.answer("ear-two", "HOU-PEAK", kind="waive", reason="creative intent") == "hold"
    assert gate.answer("creative", "HOU-PEAK", kind="waive", reason="creative intent") == "release"
    assert gate.finding("HOU-PEAK").outcome == "waived"


def test_every_finding_of_the_gate_says_why_and_what_to_do_in_japanese_but_of_packs_from_outside(gate: Gate) -> None:
    """HOU-PEAK is of a house's own pack, which writes in English only: it is shown so, and not made up."""
    without_approval(gate)
    gate.heard = _too_loud(gate.heard)
    found = gate.desk.judge("d-1").findings
    own = [f for f in found if not f.rule.startswith("HOU-")]
    assert sum(bool(f.why) for f in own) > 20
    for f in own:
        assert (bool(f.why_ja), bool(f.remedy_ja)) == (bool(f.why), bool(f.remedy)), f.rule
        assert f.why_ja != f.why or not f.why, f.rule
    [listed] = gate.desk.deliveries()
    assert listed.because[0] == (gate.finding("RH-001").en, gate.finding("RH-001").ja)
    assert len(listed.because) == len({*listed.blocking, *listed.holding}) <= 3
    peak = gate.finding("HOU-PEAK")
    assert (peak.why, peak.why_ja) == ("because", "")
    assert (peak.bound.startswith("at most"), peak.bound_ja.endswith("以下")) == (True, True)


def test_consent_and_approval_are_never_waived(gate: Gate) -> None:
    without_approval(gate)
    gate.desk.judge("d-1")
    assert gate.finding("RH-001").answers == ()
    with pytest.raises(CannotAnswerError, match="quality"):
        gate.answer("creative", "RH-001", kind="waive", reason="creative intent")
    with pytest.raises(CannotAnswerError, match="role"):
        gate.answer("creative", "RH-001", kind="sign_off")


def test_the_submitter_answers_nothing(gate: Gate) -> None:
    gate.heard = _too_loud(gate.heard)
    gate.desk.judge("d-1")
    about = Answer("waive", gate.finding("HOU-PEAK").key, "mine", reason="false alarm")
    with pytest.raises(CannotAnswerError, match="submitted"):
        gate.desk.draft("d-1", about, by="polyglot", at=NOW)


def _another_sound(gate: Gate, payload: bytes) -> str:
    return gate.signed("creative", payload.replace(b"1" * 64, b"2" * 64))


def _bent(gate: Gate, payload: bytes) -> str:
    envelope = json.loads(gate.signed("creative", payload))
    import base64

    envelope["payload"] = base64.b64encode(payload.replace(b"creative intent", b"best possible!!")).decode()
    return json.dumps(envelope)


def _by_another(gate: Gate, payload: bytes) -> str:
    return gate.signed("supervisor", payload)


@pytest.mark.parametrize(
    "bend", [_another_sound, _bent, _by_another], ids=["another sound", "changed", "another signer"]
)
def test_what_does_not_verify_or_is_of_another_sound_is_not_kept(
    gate: Gate, bend: Callable[[Gate, bytes], str]
) -> None:
    gate.heard = _too_loud(gate.heard)
    gate.desk.judge("d-1")
    about = Answer("waive", gate.finding("HOU-PEAK").key, "Meant so.", reason="creative intent")
    payload = gate.desk.draft("d-1", about, by="creative", at=NOW)
    with pytest.raises(CannotAnswerError):
        gate.desk.record("d-1", bend(gate, payload))
    kept = [p.name for p in (gate.manifest.parent / "evidence").iterdir()]
    assert kept == ["approval.json"]


def test_the_dossier_gives_the_bytes_behind_the_digests_that_an_approval_names(gate: Gate) -> None:
    import hashlib

    gate.desk.judge("d-1")
    dossier, approval = gate.desk.dossier("d-1"), approved_at_the_desk(gate)
    assert dossier is not None
    assert dossier.label_plan is not None
    assert hashlib.sha256(dossier.label_plan).hexdigest() == approval.label_plan_sha256
    assert hashlib.sha256(dossier.casting).hexdigest() == approval.casting_sha256
    assert dossier.label == "English [AI]"
    assert gate.desk.of_sound("1" * 64) == "d-1"
    assert gate.desk.of_sound("2" * 64) is None
    assert [c.character for c in dossier.cast] == ["MARA", "JONAS", "OTTO"]
    assert 3 <= len(dossier.clips) <= 5
    kept = gate.desk.kept_judgement("d-1")
    assert kept is not None
    assert {c.character for c in clips_of(kept[1])} == {"MARA", "JONAS", "OTTO"}


def test_the_dossier_gives_the_disclosure_in_its_readers_languages_and_says_nothing_of_the_approval_asked_for(
    gate: Gate,
) -> None:
    without_approval(gate)
    gate.desk.judge("d-1")
    dossier = gate.desk.dossier("d-1")
    assert dossier is not None
    assert sorted(dossier.disclosure) == ["en", "ja"]
    english, japanese = dossier.disclosure["en"], dossier.disclosure["ja"]
    assert "“The Last Train”, dub in English: AI voices in 3 of 3 roles." in english
    assert "Consent of the people whose voices were used is on record for: MARA, JONAS, and OTTO." in english
    assert "Voices made or changed with AI: MARA, JONAS, and OTTO" in english
    assert "approv" not in english.lower()
    assert "The Last Train" in japanese
    assert "MARA" in japanese


def test_a_disclosure_says_whose_consent_is_lacking(gate: Gate) -> None:
    gate.manifest.write_text(PRIVATE.replace("v-jonas-private", "v-karl"), encoding="utf-8")
    gate.desk.judge("d-1")
    dossier = gate.desk.dossier("d-1")
    assert dossier is not None
    assert "No sufficient consent is on record for: JONAS." in dossier.disclosure["en"]


def test_flagged_lines_come_first_and_lines_come_in_stretches(gate: Gate) -> None:
    gate.desk.judge("d-1")
    whole = gate.desk.lines("d-1", start=0, count=100, flagged_first=False)
    assert [x.line_id for x in whole.lines] == [f"L{k}" for k in range(9)]
    part = gate.desk.lines("d-1", start=3, count=2, flagged_first=False)
    assert ([x.line_id for x in part.lines], part.total) == (["L3", "L4"], 9)
    curves = gate.desk.curves("d-1", 0.0, 5.0)
    assert curves is not None
    assert curves.f0["dub"] == ()
    assert 100 < len(curves.level["dub"]) <= 300


def test_a_delivery_that_was_never_judged_is_listed_as_that(gate: Gate) -> None:
    [summary] = gate.desk.deliveries()
    assert (summary.decision, summary.title_id, summary.title) == ("unjudged", "last-train", "The Last Train")
    assert gate.desk.last("d-1") is None
    with pytest.raises(CannotAnswerError):
        gate.desk.record("d-1", "{}")
    with pytest.raises(CannotAnswerError):
        gate.desk.judge("d-none")
