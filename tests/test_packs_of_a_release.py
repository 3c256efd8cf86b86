"""The packs of a release's places and partners judge real deliveries; every fact that a rule reads is filled from one."""

from __future__ import annotations

import itertools
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from made_delivery import LABELLED, NOW, RECORDED_AT, SHEET, SIGNED_AT, SOUNDS, World, decisive, make_world

from consent.events import Event
from consent.registry import Registry
from consent.releases import Release, ReleaseDecision, VoiceUse
from consent.terms import (
    Compensation,
    Evidence,
    Grant,
    ModelLifecycle,
    Notice,
    Training,
    VoiceAsset,
)
from consent.vocabulary import (
    Channel,
    EventKind,
    EvidenceKind,
    PayBasis,
    Performance,
    Representation,
    Subject,
    Technique,
    TrainingKind,
    TrainingUse,
)
from consent.voices import Voice
from dubgate.approving import answer_for, rule_on
from dubgate.certificate.dsse import save_private_key
from dubgate.certificate.statements import RULING, WRITTEN_APPROVAL
from dubgate.clearing import release_of
from dubgate.cli.main import run
from dubgate.delivery.manifest import Delivery, load_delivery
from dubgate.delivery.manifest_record import ProductionRecord, Tool
from dubgate.delivery.manifest_schema import CastEntry, Window
from dubgate.delivery.script import Style
from dubgate.delivery_facts import facts_of
from dubgate.disclosure.gathering import Looked, gather
from dubgate.explaining import explain
from dubgate.judgement import Judgement
from dubgate.labels.audible import Audible
from dubgate.labels.tracks import Labels, Place
from dubgate.policy.facts import FACTS, Facts
from dubgate.policy.findings import Finding, Outcome, Severity
from dubgate.policy.pack_schema import ConditionRule
from dubgate.policy.packs import available, choosable, load_packs
from dubgate.policy.verdict import Decision
from dubgate.report.explained import explained_data, explained_text
from dubgate.signed_evidence import signed_files
from dubgate.standing import what_ended

TITLE = "last-train"
RECORDS = (
    "record.",
    "credits.",
    "policy.",
    "intake.",
)  # tests/test_record_judging.py has the deliveries that fill these
_FRESH = itertools.count()
HEARD = Labels(
    (LABELLED,), places=(Place("C2PA actions", "c2pa.created", token="C2PA"),), audible=Audible("made with AI", ())
)
RECORD = ProductionRecord(purpose="access", tools=(Tool(name="tts", version="1", vendor="Polyglot"),), used_to_train=())


def _full_grant() -> Grant:
    """A grant that says everything that a rule can ask of one."""
    return Grant(
        grant_id="g-full",
        voice_id="v-full",
        granted_by="p-mara",
        licensee_id="polyglot",
        representation=Representation.UNION_CBA,
        cba_ref="SAG-AFTRA TV/Theatrical 2026",
        title_ids=(TITLE,),
        intended_use="An AI dub of this film into English, from the performer's own recordings.",
        techniques=(Technique.VOICE_CLONE_TTS,),
        performances=(Performance.NEW,),
        languages=("en",),
        territories=("001",),
        channels=tuple(Channel),
        not_before=datetime(2026, 1, 1, tzinfo=UTC),
        not_after=datetime(2028, 1, 1, tzinfo=UTC),
        training=(Training(kind=TrainingKind.MODEL_FOR_THIS_TITLE, use=TrainingUse.ALLOWED),),
        voice_assets=(VoiceAsset(vendor_id="polyglot", voice="v-full", model_version="cg-2026", trained_for=(TITLE,)),),
        model_lifecycle=ModelLifecycle(deletion_due=datetime(2028, 2, 1, tzinfo=UTC)),
        credit_text="Mara: Sample Performer One",
        compensation=Compensation(ref="schedule 2", basis=PayBasis.SESSION),
        notice=Notice(version="1", language="en", sha256="d" * 64, shown_at=datetime(2025, 12, 20, tzinfo=UTC)),
        evidence=(Evidence(kind=EvidenceKind.ESIGN, sha256="e" * 64),),
        applicable_law=("US-CA",),
    )


def _given(grant_id: str) -> Event:
    return Event(
        event_id=f"e-{grant_id}",
        target="grant",
        target_id=grant_id,
        kind=EventKind.GIVEN,
        effective_at=datetime(2026, 1, 1, tzinfo=UTC),
        by="p-mara",
    )


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    made = make_world(tmp_path_factory.mktemp("packs"))
    with Registry.open(made.registry, clock=lambda: RECORDED_AT) as opened:
        opened.add(Voice(voice_id="v-full", subject=Subject.LIVING, owner_id="p-mara", jurisdiction="US-CA"))
        opened.add(_full_grant(), _given("g-full"))
    return made


def released(world: World, *, cast: bool = False, **where: Any) -> Delivery:
    """The right delivery going elsewhere; with `cast`, one part spoken by the voice whose grant says everything."""
    assert world.delivery.distribution is not None
    entries = world.delivery.cast
    if cast:
        full = CastEntry(
            character="MARA",
            technique=Technique.VOICE_CLONE_TTS,
            voice="v-full",
            vendor="Polyglot Dubs",
            model="cg-2026",
        )
        entries = (full, *entries[1:])
    distribution = world.delivery.distribution.model_copy(update=where)
    return replace(world.delivery, distribution=distribution, cast=entries)


def judged(world: World, delivery: Delivery, *envelopes: bytes, labels: Labels | None = None) -> Judgement:
    """Judged with the holder's approval of exactly this, and what else was signed."""
    _judged = world.with_evidence(
        f"packs-{next(_FRESH)}", world.approval(delivery=delivery), *envelopes, delivery=delivery
    )
    return world.judged(delivery=_judged, labels=labels)


def test_a_grant_that_names_the_voice_s_model_covers_it_in_the_disclosure_too(world: World) -> None:
    with world.view() as view:
        told = gather(released(world, cast=True), Looked(SOUNDS, None, HEARD, world.quality), view, NOW)
    part = next(p for p in told.parts if p.character == "MARA")
    assert (part.grant_ids, part.lacks) == (("g-full",), ())


def test_a_grant_that_names_the_voice_s_model_still_covers_what_was_released_by_it(world: World) -> None:
    """The release's record does not say by which model the voice was made: that was asked when it was judged."""
    delivery = released(world, cast=True)
    with world.view() as view:
        asked, _ = release_of(delivery, view)
        assert asked is not None
        used = VoiceUse(
            voice_id="v-full", grant_id="g-full", character="MARA", technique=Technique.VOICE_CLONE_TTS, minutes=1.0
        )
        release = Release(
            release_id="rel-full",
            decision=ReleaseDecision.RELEASE,
            title_id=TITLE,
            language=asked.language,
            territories=asked.territories,
            channels=asked.channels,
            window=asked.window,
            packets_sha256="1" * 64,
            voices=(used,),
            recorded_by="polyglot",
            decided_at=NOW,
        )
        assert [said for said in what_ended(release, view, NOW) if said.startswith("CON-")] == []
        assert release.window.end is not None
        after = what_ended(release, view, release.window.end)
        assert [said for said in after if said.startswith("CON-")] == ["CON-014: the release window is over"]


def found(judgement: Judgement, rule: str) -> Finding:
    return next(f for f in judgement.verdict.findings if f.rule == rule)


def brought(judgement: Judgement) -> set[str]:
    return {p.name for p in judgement.packs} & {p.name for p in choosable()}


def test_a_delivery_is_judged_by_the_packs_of_its_territories_and_by_no_others(world: World) -> None:
    home = judged(world, world.delivery)
    assert home.verdict.decision is Decision.RELEASE
    assert {"eu-ai-act", "dk-copyright", "us-california", "us-new-york", "us-tennessee"} <= brought(home)
    assert not brought(home) & {
        "cn-gb-45438",
        "kr-ai-basic-act",
        "partner-netflix",
        "channel-social",
        "union-sag-aftra",
    }
    canada = judged(world, released(world, territories=("CA",)))
    assert not {n for n in brought(canada) if n.startswith(("us-", "eu-", "union-"))}
    assert canada.verdict.decision is Decision.RELEASE


def test_china_blocks_a_dub_without_the_one_complete_label_and_takes_one_with_it(world: World) -> None:
    china = released(world, territories=("CN",))
    assert decisive(judged(world, china)) == {"CNG-AIGC"}
    text = '{"Label":"1","ContentProducer":"001191110102MAD55U9H0F10002","ProduceID":"p-1"}'
    label = Place("WAV AIGC", text, token="AIGC")
    once, twice = Labels((LABELLED,), places=(label,)), Labels((LABELLED,), places=(label, label))
    assert judged(world, china, labels=once).verdict.decision is Decision.RELEASE
    assert found(judged(world, china, labels=twice), "CNG-AIGC").outcome is Outcome.BLOCK


def test_a_pack_that_somebody_names_adds_to_those_that_apply(world: World) -> None:
    more = replace(world.quality, packs=(*world.quality.packs, "kr-ai-basic-act"))
    names = {p.name for p in world.judged(quality=more).packs}
    assert {"kr-ai-basic-act", "eu-ai-act", "core", "house"} <= names


def test_a_voice_model_that_the_grant_does_not_name_is_no_use_that_it_covers(world: World) -> None:
    named = released(world, cast=True)
    other = replace(named, cast=(named.cast[0].model_copy(update={"model": "cg-2024"}), *named.cast[1:]))
    assert "CON-017" not in decisive(judged(world, named))
    assert "CON-017" in decisive(judged(world, other))


def test_the_unions_pack_follows_the_agreement_that_a_grant_names(world: World) -> None:
    judgement = judged(world, released(world, cast=True))
    assert "union-sag-aftra" in brought(judgement)
    assert {f.outcome for f in judgement.verdict.findings if f.rule.startswith("SAG-")} == {Outcome.PASS}
    assert "union-wga" not in brought(judgement)


def _netflix(world: World) -> Delivery:
    return replace(released(world, cast=True, partners=("netflix",)), production=RECORD)


def _written(world: World, by: str = "counsel", partner: str = "netflix") -> bytes:
    return answer_for(SOUNDS, partner=partner, document=b"approved", by=by, key=world.keys[by], at=SIGNED_AT)


def test_netflix_blocks_until_somebody_outside_the_vendor_answers_for_its_written_approval(world: World) -> None:
    delivery = _netflix(world)
    assert "NFX-APPROVED" in decisive(judged(world, delivery))
    assert "NFX-APPROVED" in decisive(judged(world, delivery, _written(world, "vendor-counsel")))
    assert "NFX-APPROVED" in decisive(judged(world, delivery, _written(world, "reviewer-b")))
    assert "NFX-APPROVED" in decisive(judged(world, delivery, _written(world, partner="prime_video")))
    approved = judged(world, delivery, _written(world))
    assert found(approved, "NFX-APPROVED").outcome is Outcome.PASS
    assert found(approved, "SGN-LEGAL").outcome is Outcome.HOLD  # the pack's own sign-off is another question


def _ruling(world: World, rule: str, severity: Severity, by: str = "counsel") -> bytes:
    pack = next(p for p in choosable() if any(r.id == rule for r in p.rules))
    return rule_on(pack, rule, severity=severity, reason="ours", by=by, key=world.keys[by], at=SIGNED_AT)


def test_counsel_raises_a_warning_to_a_hold_and_lowers_a_block_to_a_warning(world: World) -> None:
    assert found(judged(world, world.delivery), "EUA-SIGNED").outcome is Outcome.WARN
    raised = judged(world, world.delivery, _ruling(world, "EUA-SIGNED", Severity.HOLD))
    assert decisive(raised) == {"EUA-SIGNED"}
    assert found(raised, "EUA-SIGNED").decided_by
    lowered = judged(world, released(world, territories=("CN",)), _ruling(world, "CNG-AIGC", Severity.WARN))
    assert (found(lowered, "CNG-AIGC").outcome, found(lowered, "CNG-AIGC").was) == (Outcome.WARN, Outcome.BLOCK)
    assert lowered.verdict.decision is Decision.RELEASE


def test_the_vendors_own_counsel_lowers_nothing(world: World) -> None:
    china = released(world, territories=("CN",))
    assert decisive(judged(world, china, _ruling(world, "CNG-AIGC", Severity.WARN, "vendor-counsel"))) == {"CNG-AIGC"}


def test_what_counsel_and_partners_signed_stands_in_the_certificates_claim(world: World) -> None:
    envelopes = (_ruling(world, "EUA-SIGNED", Severity.HOLD), _written(world))
    delivery = world.with_evidence("claimed", *envelopes)
    with world.view() as view:
        kinds = {s.copy.kind for s in signed_files(delivery, view, NOW)}
    assert kinds == {RULING, WRITTEN_APPROVAL}


@pytest.fixture(scope="module")
def key(world: World) -> str:
    path = world.folder / "counsel.pem"
    save_private_key(world.keys["counsel"], path, None)
    return str(path)


def _approve(world: World, delivery: Delivery, key: str, *words: str) -> int:
    who = ("--as", "counsel", "--key", key, "--registry", str(world.registry))
    return run(["approve", str(delivery.root / "delivery.yaml"), *who, *words])


def _copied(world: World, name: str) -> Delivery:
    folder = world.folder / name
    shutil.copytree(world.folder / "delivery", folder)
    return load_delivery(folder / "delivery.yaml")


def test_counsel_signs_a_ruling_at_the_command_line_and_the_check_takes_it(world: World, key: str) -> None:
    delivery = _copied(world, "ruled")
    words = ("--ruling", "EUA-SIGNED", "--severity", "hold", "--words", "our house standard")
    assert _approve(world, delivery, key, *words) == 0
    held = found(world.judged(delivery=delivery, at=datetime.now(UTC)), "EUA-SIGNED")
    assert held.outcome is Outcome.HOLD
    assert "our house standard" in held.text.en


def test_counsel_answers_for_a_written_approval_at_the_command_line(world: World, key: str, tmp_path: Path) -> None:
    delivery, mail = _copied(world, "written"), tmp_path / "reply.eml"
    mail.write_bytes(b"approved")
    with patch("dubgate.approving.sounds_of", lambda delivery: SOUNDS):
        assert _approve(world, delivery, key, "--written", "netflix", "--document", str(mail)) == 0
    partners = delivery.distribution.model_copy(update={"partners": ("netflix",)}) if delivery.distribution else None
    judgement = world.judged(delivery=replace(delivery, distribution=partners), at=datetime.now(UTC))
    assert found(judgement, "NFX-APPROVED").outcome is Outcome.PASS


@pytest.mark.parametrize(
    "words",
    [
        ("--ruling", "EUA-SIGNED", "--severity", "hold"),
        ("--ruling", "EUA-SIGNED", "--words", "why"),
        ("--written", "netflix"),
        ("--ruling", "LAB-EU", "--severity", "warn", "--words", "why"),
        ("--ruling", "CON-001", "--severity", "warn", "--words", "why"),
        ("--ruling", "EUA-SIGNED", "--severity", "hold", "--words", "why", "--reject"),
    ],
)
def test_half_a_ruling_or_one_on_the_programs_own_is_not_signed(world: World, key: str, words: tuple[str, ...]) -> None:
    delivery = _copied(world, f"half-{next(_FRESH)}")
    assert _approve(world, delivery, key, *words) == 2
    assert len(list((delivery.root / "evidence").iterdir())) == 1


def test_a_window_that_reaches_a_laws_first_day_is_under_it(world: World) -> None:
    start = datetime(2026, 11, 20, tzinfo=UTC)
    short = Window.model_validate({"from": start, "until": datetime(2026, 11, 30, tzinfo=UTC)})
    long = Window.model_validate({"from": start, "until": datetime(2026, 12, 10, tzinfo=UTC)})
    assert found(judged(world, released(world, window=short)), "EUA-SIGNED").outcome is Outcome.NOT_APPLICABLE
    assert found(judged(world, released(world, window=long)), "EUA-SIGNED").outcome is Outcome.WARN


def test_explaining_agrees_with_judging_and_says_what_is_not_known_yet(world: World) -> None:
    delivery = released(world, cast=True, channels=(Channel.SVOD, Channel.SOCIAL), partners=("netflix",))
    with world.view() as view:
        told = explain(delivery, view, NOW)
    assert {c.pack.name for c in told.choices if c.applies} - {"core", "quality-lipsync"} == brought(
        judged(world, delivery)
    )
    text = explained_text(told)
    assert "partners: netflix" in text
    assert "label.tracks" in text
    assert "none of its territories is (CN)" in text
    rows = {row["pack"]: row for row in explained_data(told)["packs"]}
    assert rows["union-sag-aftra"]["applies"]
    assert not rows["cn-gb-45438"]["applies"]
    blind = {c.pack.name: c for c in explain(delivery, None, NOW).choices}
    assert blind["union-wga"].applies  # nobody asked the registry, so it cannot be left out
    assert blind["union-wga"].missing


def test_explaining_takes_the_style_that_a_check_would_take_from_the_script(world: World) -> None:
    delivery = replace(released(world), style=None)
    with world.view() as view, patch("dubgate.explaining.script_of", return_value=replace(SHEET, style=Style.LECTOR)):
        told = explain(delivery, view, NOW)
    assert {c.pack.name for c in told.choices if c.applies} & {"quality-voiceover", "quality-lipsync"} == {
        "quality-voiceover"
    }


@pytest.fixture(scope="module")
def filled(world: World) -> list[Facts]:
    """The facts of real deliveries, as judging filled them."""
    seen: list[Facts] = []

    def watched(*asked: Any, **more: Any) -> Facts:
        seen.append(facts_of(*asked, **more))
        return seen[-1]

    with patch("dubgate.release.facts_of", watched):
        for delivery, labels in ((_netflix(world), HEARD), (world.delivery, None)):
            judged(world, delivery, _written(world), labels=labels)
    return seen


def _reads(rule: ConditionRule) -> set[str]:
    conditions = (*rule.conditions, *(e.condition for e in rule.exemptions))
    return {path for condition in conditions if condition is not None for path in condition.reads}


def test_every_fact_that_a_rule_reads_is_filled_from_a_real_delivery(filled: list[Facts]) -> None:
    packs = [load_packs([name])[-1] for name in available()]
    read = {path for pack in packs for rule in pack.conditions for path in _reads(rule) if not path.startswith(RECORDS)}
    assert len(read) > 30
    open_everywhere = {p for p in read if not any(_is_filled(facts, p) for facts in filled)}
    assert open_everywhere == set()


def _is_filled(facts: Facts, path: str) -> bool:
    """A value, and for a field of a list's items, that of at least one item."""
    if facts.reason(path) is not None:
        return False
    return "[]" not in path or bool(facts.values[path.partition("[]")[0]])


def test_every_fact_that_says_who_fills_it_is_filled(filled: list[Facts]) -> None:
    claimed = {path for path, fact in FACTS.items() if fact.filled_by is not None and not path.startswith(RECORDS)}
    assert {p for p in claimed if not any(facts.reason(p) is None for facts in filled)} == set()
