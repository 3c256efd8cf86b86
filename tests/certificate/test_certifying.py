"""What was decided enters the ledger and is signed; what was not earned is not. Registry, keys and signatures are real."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from base64 import b64decode
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from made_certificate import AT, LATER, Place, make_place, with_gate, writing
from made_delivery import SIGNED_AT, dub_voices, features

from consent.approvals import Approval, Standing
from consent.events import Event
from consent.gallery import protected_since
from consent.registry import Registry
from consent.releases import Release, ReleaseDecision
from consent.signatures import check_envelope
from consent.terms import Grant
from consent.vocabulary import ApprovalDecision, Performance
from consent.voices import Permission
from consent.writing import Addition
from dubgate import certifying, resting
from dubgate.certificate import refusals
from dubgate.certificate.dsse import public_of, sign, signer_of
from dubgate.certificate.statements import approval_statement
from dubgate.certifying import certify, clear_place
from dubgate.clearing import release_of
from dubgate.deciding import decide_in_ledger
from dubgate.errors import ChangedError, InputError, RegistryError
from dubgate.judged_kept import read_judged
from dubgate.judgement import Judgement
from dubgate.policy.approval_checks import PROGRAMME
from dubgate.policy.checks import failed
from dubgate.policy.verdict import Verdict
from dubgate.signed_evidence import signed_files
from dubgate.standing import rejected_now
from dubgate.watching import watch


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Place:
    made = make_place(tmp_path_factory.mktemp("untouched"))
    return replace(made, right=made.judged())


@pytest.fixture(scope="module")
def place(untouched: Place, tmp_path_factory: pytest.TempPathFactory) -> Place:
    return untouched.copied(tmp_path_factory.mktemp("place"))


@pytest.fixture(scope="module")
def right(untouched: Place) -> Judgement:
    return untouched.judged()


@pytest.fixture(scope="module")
def made(place: Place, right: Judgement, tmp_path_factory: pytest.TempPathFactory) -> certifying.Certified:
    return place.certified(tmp_path_factory.mktemp("certified"), right)


@pytest.fixture
def own(untouched: Place, tmp_path: Path) -> Place:
    """A place of a test's own, where the history may be spoilt."""
    return untouched.copied(tmp_path / "own")


def payload(certificate: Path, envelope: str = "verdict") -> dict[str, Any]:
    data: dict[str, Any] = json.loads(b64decode(json.loads(certificate.read_bytes())[envelope]["payload"]))
    return data


def releases(place: Place) -> list[Release]:
    with Registry.open(place.world.registry, read_only=True) as opened, opened.view() as view:
        return [r for e in view.store.of_kind(Release) if isinstance(r := e.record, Release)]


def event(target: str, kind: str, by: str) -> Event:
    name, _, target_id = target.partition(":")
    data = {"event_id": f"e-{target_id}-{kind}", "target": name, "target_id": target_id, "kind": kind, "by": by}
    return Event.model_validate_json(json.dumps(data | {"effective_at": (AT + timedelta(minutes=1)).isoformat()}))


def test_a_released_dub_gets_a_certificate_that_verifies(place: Place, made: certifying.Certified) -> None:
    verified = place.verified(made.certificate, annex=made.annex, registry=str(place.world.registry))
    assert verified.level == "DUBGATE_RELEASE_EMBEDDED"
    assert verified.consents_asked
    assert verified.n_signed == 1
    assert verified.fallback_models == ("speaker_encoder ge2e",)
    assert verified.expires_at == AT + timedelta(hours=24)


def test_the_decision_stands_in_the_ledger_with_what_it_rests_on(place: Place, made: certifying.Certified) -> None:
    verified = place.verified(made.certificate)
    [release] = [r for r in releases(place) if r.release_id == verified.release_id]
    assert release.decision is ReleaseDecision.RELEASE
    assert release.certificate_sha256 == verified.certificate_id
    assert {v.grant_id for v in release.voices} == set(verified.grant_ids)
    assert len(release.approval_ids) == 1
    ledger = payload(made.certificate)["predicate"]["urn:dubgate:release-verdict:1.0"]["ledger"]
    assert len(ledger["proofs"]) == 1 + 1 + len(verified.grant_ids)


def test_what_is_signed_names_every_file_that_was_judged(place: Place, made: certifying.Certified) -> None:
    judged = read_judged((made.certificate.parent / "judged.json").read_bytes(), "judged.json")
    assert judged.rests_on == watch(place.world.delivery.root / "delivery.yaml").rests_on
    assert len(judged.rests_on) == 6


def test_the_approval_lies_in_the_ledger_in_its_signers_own_envelope(place: Place, made: certifying.Certified) -> None:
    with Registry.open(place.world.registry, read_only=True) as opened, opened.view() as view:
        [entry] = view.store.of_kind(Approval)
        assert entry.envelope is not None
        assert check_envelope(view, entry.record, entry.envelope).party.party_id == "kestrel"


def test_nothing_public_names_or_measures_a_person(place: Place, made: certifying.Certified) -> None:
    """Voices, characters and performers stand in the annex only, which nobody but its owner reads."""
    public = json.dumps([payload(made.certificate, e) for e in ("verdict", "measurements")])
    with Registry.open(place.world.registry, read_only=True) as opened, opened.view() as view:
        names = [p.name for v in view.voices() if (p := view.personal(f"voice:{v.voice_id}", type(v))) is not None]
        ids = [v.voice_id for v in view.voices()]
    private = [*names, *ids, "p-mara", "p-jonas", "p-otto", "kestrel", "MARA", "JONAS", "OTTO", "llr", "nat"]
    assert [word for word in private if f'"{word}"' in public or f"{word} " in public] == []
    assert "MARA" in made.annex.read_text(encoding="utf-8")
    assert made.annex.stat().st_mode & 0o077 == 0


def test_the_envelopes_are_in_toto_statements_for_others_too(made: certifying.Certified) -> None:
    statement = payload(made.certificate, "measurements")
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["predicateType"] == "https://in-toto.io/attestation/test-result/v0.1"
    assert "core/CON-001" in statement["predicate"]["passedTests"]
    assert statement["predicate"]["result"] in ("PASSED", "WARNED")


# What is not released


def test_a_human_voice_needs_no_grant_and_is_no_use_of_one(own: Place) -> None:
    first, *others = own.world.delivery.cast
    human = replace(own.world.delivery, cast=(first.model_copy(update={"technique": "human"}), *others))
    with Registry.open(own.world.registry, clock=lambda: AT) as registry, registry.write() as writer:
        release, _ = release_of(human, writer)
        assert release is not None
        named = {entry.name for entry, _, _, _ in resting.voices_of(own.judged(), human, release, writer)}
    assert named == {entry.name for entry in others}


def test_what_is_blocked_enters_the_ledger_alone_and_spends_nothing(own: Place, tmp_path: Path) -> None:
    wrong = own.world.judged(at=AT, heard=features(dub_voices({"MARA": 12})))
    with patch("consent.writing.Writer.release", side_effect=AssertionError("it is no release")):
        assert own.certified(tmp_path / "out", wrong).verdict.result == "FAILED"


def test_a_sound_without_a_digest_has_no_history_to_stand_in(own: Place) -> None:
    karl = own.world.judged(at=AT, heard=features(dub_voices({"OTTO": 3})))
    with writing(own, AT) as registry:
        before = registry.head()
        certifying._record_hits(karl, None, registry, "op-1")
        assert registry.head() == before


def test_a_voice_heard_without_its_consent_stands_in_its_owners_history_once(own: Place, tmp_path: Path) -> None:
    karl = own.world.judged(at=AT, heard=features(dub_voices({"OTTO": 3})))
    for name in ("first", "again"):
        assert own.certified(tmp_path / name, karl).verdict.result == "FAILED"
    with writing(own, AT) as registry, registry.view() as view:
        heard = [e for e in view.store.entries("voice:v-karl") if '"kind":"heard"' in e.body]
    assert len(heard) == 1


def test_a_dub_that_is_held_or_blocked_gets_a_certificate_that_says_so(own: Place, tmp_path: Path) -> None:
    wrong = own.world.judged(at=AT, heard=features(dub_voices({"MARA": 12})))
    made = own.certified(tmp_path / "out", wrong)
    assert made.verdict.result == "FAILED"
    with pytest.raises(refusals.NotPassed, match="CON-031"):
        own.verified(made.certificate)
    [release] = releases(own)
    assert release.decision is not ReleaseDecision.RELEASE
    assert "CON-031" in release.reasons
    assert all(v.grant_id is None for v in release.voices)


def test_a_dub_of_nobodys_title_gets_its_refusal_without_an_entry(own: Place, tmp_path: Path) -> None:
    text = (own.world.delivery.root / "series.yaml").read_text(encoding="utf-8")
    (own.world.delivery.root / "series.yaml").write_text(text.replace("last-train", "nobodys"), encoding="utf-8")
    from dubgate.delivery.manifest import load_delivery

    delivery = load_delivery(own.world.delivery.root / "delivery.yaml")
    made = own.certified(tmp_path / "out", own.world.judged(at=AT, delivery=delivery))
    with pytest.raises(refusals.NotPassed, match="RH-020"):
        own.verified(made.certificate)
    assert releases(own) == []


def test_a_judgement_of_quality_alone_is_never_signed(place: Place, right: Judgement, tmp_path: Path) -> None:
    quality = replace(right, verdict=Verdict(right.verdict.findings, quality_only=True))
    with pytest.raises(ValueError):
        place.certified(tmp_path / "out", quality)


def test_a_consent_withdrawn_before_signing_leaves_no_certificate(own: Place, tmp_path: Path) -> None:
    judged = own.judged()
    grant = own.world_grants()[0]
    with writing(own, AT) as opened:
        opened.add(event(f"grant:{grant.grant_id}", "withdrawn", grant.granted_by))
    with pytest.raises(RegistryError, match="refuses this release"):
        own.certified(tmp_path / "out", judged, at=LATER)
    assert [p for p in (tmp_path / "out").rglob("*") if p.is_file()] == []
    assert releases(own) == []


def test_an_approval_taken_back_before_signing_leaves_no_certificate(own: Place, tmp_path: Path) -> None:
    own.certified(tmp_path / "earlier")  # the approval is in the ledger since
    judged = own.judged()
    with writing(own, AT) as opened:
        opened.add(_take_back_approval(own))
    with pytest.raises(RegistryError, match="taken back"):
        own.certified(tmp_path / "out", judged, at=LATER)
    assert [p for p in (tmp_path / "out").rglob("*") if p.is_file()] == []


def test_an_approval_that_ran_out_before_signing_leaves_no_certificate(own: Place, tmp_path: Path) -> None:
    judged = own.judged()
    with pytest.raises(RegistryError, match="nothing was certified"):
        own.certified(tmp_path / "out", judged, at=AT + timedelta(days=4000))


def test_evidence_whose_key_was_revoked_before_signing_leaves_no_certificate(own: Place, tmp_path: Path) -> None:
    """What people signed counted when hearing began; that the key was found out meanwhile must bite."""
    evidence = own.world.delivery.root / "evidence" / "human.json"
    evidence.write_bytes(own.world.human())
    own.certified(tmp_path / "before", own.judged())
    director = own.world.keys["director"]
    with writing(own, AT) as opened:
        with opened.view() as view:
            holder = view.key(public_of(director).public_hex, AT)
        assert holder is not None
        opened.add(event(f"key:{holder.key.key_id}", "revoked", "op-1"))
    with pytest.raises(RegistryError, match=r"human\.json, which director signed, does not count any more"):
        own.certified(tmp_path / "out", own.judged(), at=LATER)
    assert not (tmp_path / "out" / "certificate.json").exists()
    own.certified(tmp_path / "again", replace(own.judged(), judged_at=LATER), at=LATER)


@pytest.mark.parametrize("what", ["permission", "enrolment"])
def test_a_comparison_that_is_not_allowed_any_more_before_signing_leaves_no_certificate(
    what: str, own: Place, tmp_path: Path
) -> None:
    voice_id = own.world.delivery.cast[0].voice_ids[0]
    with writing(own, AT) as opened:
        with opened.view() as view:
            [enrolment] = view.standing_enrolments(voice_id, AT)
            [permission] = [p for p in view.standing_permissions(voice_id, AT) if p.kind == "match"]
            owner = permission.given_by
        ended = (
            f"permission:{permission.permission_id}" if what == "permission" else f"enrolment:{enrolment.enrolment_id}"
        )
        opened.add(event(ended, "withdrawn", owner))
    said = "may not be compared" if what == "permission" else "does not stand"
    with pytest.raises(RegistryError, match=f"{voice_id} {said} any more"):
        own.certified(tmp_path / "out", own.judged(), at=LATER)


def test_who_translates_their_own_performance_ends_that_apart(own: Place, tmp_path: Path) -> None:
    """Their voice may sound like the original while they allow that, whatever else they granted."""
    grant = own.world_grants()[0]
    assert grant.performances == (Performance.NEW,)
    changes = {"grant_id": "g-own", "performances": (Performance.TRANSLATION,)}
    with writing(own, AT) as opened:
        opened.add(grant.model_copy(update=changes))
        opened.add(event("grant:g-own", "given", grant.granted_by))
    judged = replace(own.judged(), judged_at=LATER)
    made = own.certified(tmp_path / "out", judged, at=LATER)
    named = [v.grant_id for v in releases(own)[-1].voices if v.voice_id == grant.voice_id]
    assert named == [grant.grant_id, "g-own"]
    registry = str(own.world.registry)
    assert own.verified(made.certificate, registry=registry, now=LATER)
    with writing(own, LATER + timedelta(minutes=1)) as opened:
        opened.add(event("grant:g-own", "withdrawn", grant.granted_by))
    with pytest.raises(refusals.ConsentEnded, match="CON-002"):
        own.verified(made.certificate, registry=registry, now=LATER + timedelta(minutes=2))
    with pytest.raises(RegistryError, match="CON-002"):
        own.certified(tmp_path / "after", judged, at=LATER + timedelta(minutes=2))


def another_grant(own: Place, grant_id: str, **changes: Any) -> Grant:
    grant = own.world_grants()[0]
    with writing(own, AT) as opened:
        opened.add(grant.model_copy(update={"grant_id": grant_id, **changes}))
        opened.add(event(f"grant:{grant_id}", "given", grant.granted_by))
    return grant


def test_one_grant_for_both_performances_is_spent_once(own: Place, tmp_path: Path) -> None:
    both = (Performance.NEW, Performance.TRANSLATION)
    grant = another_grant(own, "g-both", performances=both, max_uses=1)
    with writing(own, AT) as opened:
        opened.add(event(f"grant:{grant.grant_id}", "withdrawn", grant.granted_by))
    own.certified(tmp_path, replace(own.judged(), judged_at=LATER), at=LATER)
    assert [v.grant_id for v in releases(own)[-1].voices if v.voice_id == grant.voice_id] == ["g-both"]


def test_a_release_rests_on_the_grant_whose_terms_were_judged_or_on_none(own: Place, tmp_path: Path) -> None:
    """Another that covers the use too may break a rule that was never asked about it: unpaid, without an end, of a minor."""
    grant = another_grant(own, "g-other")
    judged, end = replace(own.judged(), judged_at=LATER), LATER + timedelta(minutes=1)
    own.certified(tmp_path / "before", judged, at=LATER)
    with writing(own, end) as opened:
        opened.add(event(f"grant:{grant.grant_id}", "withdrawn", grant.granted_by))
    with pytest.raises(RegistryError, match=f"the grant that {grant.voice_id} was judged by"):
        own.certified(tmp_path / "out", judged, at=end)
    own.certified(tmp_path / "again", replace(judged, judged_at=end), at=end)
    assert [v.grant_id for v in releases(own)[-1].voices if v.voice_id == grant.voice_id] == ["g-other"]


def protected_now(own: Place, at: datetime, kind: str = "protect") -> None:
    """Somebody whose voice is enrolled asks that it be looked for anywhere."""
    said = {"permission_id": f"pm-{kind}", "voice_id": "v-otto-new", "kind": kind, "given_by": "p-otto"}
    term = {"not_before": SIGNED_AT.isoformat(), "not_after": (AT + timedelta(days=90)).isoformat()}
    with writing(own, at) as opened:
        opened.add(Permission.model_validate_json(json.dumps(said | term | {"legal_basis": "gdpr_9_2_a"})))


def test_a_voice_that_asked_for_protection_before_signing_leaves_no_certificate(own: Place, tmp_path: Path) -> None:
    """Nobody looked for it in what was heard."""
    protected_now(own, AT + timedelta(seconds=1))
    with pytest.raises(RegistryError, match="1 more voices are protected than were looked for: judge it again"):
        own.certified(tmp_path / "out", own.judged(), at=LATER)
    own.certified(tmp_path / "again", replace(own.judged(), judged_at=LATER), at=LATER)


def test_who_was_looked_for_before_is_no_news_and_another_recording_of_them_is(own: Place) -> None:
    moments = [AT + timedelta(seconds=n) for n in range(6)]
    protected_now(own, moments[1])
    with Registry.open(own.world.registry, read_only=True) as registry, registry.view() as view:
        [enrolled] = view.standing_enrolments("v-otto-new", AT)
    changes = {"enrolment_id": "en-newer", "supersedes": enrolled.enrolment_id}
    vector = (1.0, *(0.0,) * (enrolled.dimension - 1))
    with writing(own, moments[3]) as opened:
        opened.add(Addition(enrolled.model_copy(update=changes), vector=vector))
    protected_now(own, moments[5], "match")
    with writing(own, moments[5]) as opened, opened.view() as view:
        since = [protected_since(view, moment) for moment in moments]
    assert since == [{"v-otto-new"}] * 3 + [frozenset()] * 3
    with writing(own, LATER) as opened:
        opened.add(event("permission:pm-protect", "withdrawn", "p-otto"))
        with opened.view() as view:
            assert protected_since(view, moments[0]) == frozenset(), "who asked no more is not looked for"


def test_a_refusal_recorded_before_signing_leaves_no_certificate(own: Place, tmp_path: Path) -> None:
    from consent.titles import Refusal

    judged = own.judged()
    refusal = {
        "refusal_id": "r-now", "by": "kestrel", "title_ids": ["last-train"], "words": {"en": "Not this one."},
        "not_before": SIGNED_AT.isoformat(),
    }  # fmt: skip
    with writing(own, AT) as opened:
        opened.add(Refusal.model_validate_json(json.dumps(refusal)))
    with pytest.raises(RegistryError, match="refused for good"):
        own.certified(tmp_path / "out", judged, at=LATER)


@pytest.mark.parametrize("name", ["dub.flac", "original.flac", "script.vtt", "series.yaml", "evidence/approval.json"])
def test_what_changed_while_it_was_judged_is_not_certified(name: str, own: Place, tmp_path: Path) -> None:
    judged, root = own.judged(), own.world.delivery.root
    watched = watch(root / "delivery.yaml")
    path = root / name
    path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(InputError):
        certify(judged, watched, str(own.world.registry), own.gate(), tmp_path, clock=lambda: AT)
    assert releases(own) == []


def test_a_file_that_was_swapped_and_swapped_back_is_not_certified(own: Place, tmp_path: Path) -> None:
    judged, file = own.judged(), own.file
    watched = watch(own.world.delivery.root / "delivery.yaml")
    file.rename(tmp_path / "kept")
    file.write_bytes(b"another dub for a moment")
    file.unlink()
    (tmp_path / "kept").rename(file)
    with pytest.raises(InputError, match="changed"):
        certify(judged, watched, str(own.world.registry), own.gate(), tmp_path, clock=lambda: AT)


def test_a_file_that_changed_between_its_digest_and_its_place_is_not_certified(own: Place) -> None:
    watched = watch(own.world.delivery.root / "delivery.yaml")
    watched.require_unchanged()
    for other in (replace(watched.seen[0], sha256="0" * 64), replace(watched.seen[0], place=(0, 0, 0, 0))):
        with pytest.raises(ChangedError, match=r"changed while it was judged: delivery\.yaml"):
            replace(watched, seen=(other, *watched.seen[1:])).require_unchanged()


# In one order that a crash cannot invert

STEPS = ("ledger_part", "sign", "certificate_bytes", "place_whole")


@pytest.mark.parametrize("step", STEPS)
def test_a_crash_at_any_step_leaves_an_entry_and_no_certificate(step: str, own: Place, tmp_path: Path) -> None:
    class Crash(BaseException):
        pass

    out = tmp_path / "out"
    with patch.object(certifying, step, side_effect=Crash), pytest.raises(Crash):
        own.certified(out)
    assert not (out / "certificate.json").exists()
    assert len(releases(own)) == 1
    assert own.verified(own.certified(out).certificate)


def test_a_crash_in_the_transaction_leaves_nothing(own: Place, tmp_path: Path) -> None:
    class Crash(BaseException):
        pass

    with patch("consent.writing.Writer._spend", side_effect=Crash), pytest.raises(Crash):
        own.certified(tmp_path / "out")
    assert releases(own) == []
    with Registry.open(own.world.registry, read_only=True) as opened, opened.view() as view:
        assert view.store.of_kind(Approval) == []


def test_a_full_disk_leaves_no_certificate(own: Place, tmp_path: Path) -> None:
    full = OSError(28, "No space left on device")
    with patch("dubgate.certifying.os.fsync", side_effect=full), pytest.raises(InputError, match="No space left"):
        own.certified(tmp_path / "out")
    assert [p for p in (tmp_path / "out").rglob("*") if p.is_file()] == []


def test_a_key_service_that_fails_leaves_no_certificate(own: Place, tmp_path: Path) -> None:
    class Silent:
        def sign(self, _: bytes) -> Any:
            raise TimeoutError("the key service does not answer")

    gate = replace(own.gate(), signer=Silent())
    watched = watch(own.world.delivery.root / "delivery.yaml")
    with pytest.raises(InputError, match="does not answer"):
        certify(own.judged(), watched, str(own.world.registry), gate, tmp_path, clock=lambda: AT)
    assert not (tmp_path / "certificate.json").exists()


@pytest.mark.parametrize("hours", [1, 23, 25])
def test_a_certificate_ends_with_the_keys_that_sign_it(hours: int, own: Place, tmp_path: Path) -> None:
    end = AT + timedelta(hours=hours)
    gate = replace(own.gate(), ends_at=(end, end + timedelta(days=1)))
    watched = watch(own.world.delivery.root / "delivery.yaml")
    made = certify(own.judged(), watched, str(own.world.registry), gate, tmp_path, clock=lambda: AT)
    assert made.verdict.claim.expires_at == min(end, AT + timedelta(hours=24))


def test_a_certificate_ends_with_the_approval_that_it_rests_on(own: Place, tmp_path: Path) -> None:
    """The holder's key, and an approval that ends in an hour."""
    evidence = own.world.delivery.root / "evidence" / "approval.json"
    evidence.write_bytes(own.world.approval(at=AT - timedelta(days=179, hours=12)))
    made = own.certified(tmp_path / "out", own.world.judged(at=AT))
    assert made.verdict.claim.expires_at == AT + timedelta(hours=12)


def test_nothing_is_signed_by_a_key_that_has_ended(own: Place, tmp_path: Path) -> None:
    gate = replace(own.gate(), ends_at=(AT,))
    watched = watch(own.world.delivery.root / "delivery.yaml")
    with pytest.raises(RegistryError, match="has ended"):
        certify(own.judged(), watched, str(own.world.registry), gate, tmp_path, clock=lambda: AT)
    assert releases(own) == []


def test_a_release_to_nowhere_is_never_recorded(own: Place) -> None:
    """Whatever was judged, the registry is asked about what the delivery says."""
    nowhere = replace(own.world.delivery, distribution=None)
    with writing(own, AT) as opened, pytest.raises(RegistryError, match="nothing was certified"):
        decide_in_ledger(own.judged(), nowhere, "0" * 64, "urn:test", "op-1", opened)
    assert releases(own) == []


def season(own: Place, n: int) -> Approval:
    """A standing approval for n releases, which the registry holds and no file of the delivery brings."""
    with Registry.open(own.world.registry, clock=lambda: SIGNED_AT) as registry:
        with registry.view() as view:
            [delivered] = [
                f.record for f in signed_files(own.world.delivery, view, AT) if isinstance(f.record, Approval)
            ]
        terms = Standing(languages=("en",), pack_sha256s=(), max_releases=n, objection_hours=48)
        approval = delivered.model_copy(update={"approval_id": "season", "standing": terms, "sounds": ()})
        envelope = sign(approval_statement(approval), signer_of(own.world.keys["kestrel"]))
        registry.add(Addition(approval, envelope=envelope.decode()))
    return approval


def test_a_standing_approval_that_the_registry_holds_is_told_and_spent(own: Place) -> None:
    season(own, 1)
    bare = own.world.with_evidence("bare")
    asked = (own.judged(), bare, "0" * 64, "urn:test", "op-1")
    with writing(own, AT) as opened:
        decide_in_ledger(*asked, opened)
        with opened.view() as view:
            [notice] = view.uses("season")
        assert notice.notice.to == "kestrel"
    [release] = releases(own)
    assert release.approval_ids == ("season",)


def test_what_a_party_refused_when_asked_is_not_certified(own: Place) -> None:
    """Though the refusal came after judging and before signing."""
    no = failed("RH-001", PROGRAMME, "p was asked (rq-1) and refused", "")
    with (
        writing(own, AT) as opened,
        patch("dubgate.resting.refused_findings", return_value=(no,)),
        pytest.raises(RegistryError, match="was asked"),
    ):
        decide_in_ledger(own.judged(), own.world.delivery, "0" * 64, "urn:test", "op-1", opened)
    assert releases(own) == []


def test_the_certificate_of_an_earlier_run_is_gone_before_judging(tmp_path: Path) -> None:
    for name in ("certificate.json", "annex.json", "report.html"):
        (tmp_path / name).write_bytes(b"old")
    clear_place(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(InputError):
        clear_place(tmp_path / "file")


def test_a_party_that_the_registry_does_not_know_records_nothing(own: Place, tmp_path: Path) -> None:
    gate = replace(own.gate(), party="nobody")
    watched = watch(own.world.delivery.root / "delivery.yaml")
    with pytest.raises(RegistryError, match="nobody"):
        certify(own.judged(), watched, str(own.world.registry), gate, tmp_path, clock=lambda: AT)


# The registry asked again


def ended(place: Place, certificate: Path) -> str:
    with pytest.raises(refusals.Refused) as refused:
        place.verified(certificate, registry=str(place.world.registry))
    assert place.verified(certificate)  # offline nobody can know
    return f"{refused.value.reason}: {refused.value.what}"


def _withdraw_grant(place: Place) -> Event:
    grant = place.world_grants()[0]
    return event(f"grant:{grant.grant_id}", "withdrawn", grant.granted_by)


def _suspend_grant(place: Place) -> Event:
    return event(f"grant:{place.world_grants()[0].grant_id}", "suspended", "op-1")


def _take_back_approval(place: Place) -> Event:
    with Registry.open(place.world.registry, read_only=True) as opened, opened.view() as view:
        [approval] = [e.record for e in view.store.of_kind(Approval)]
    return event(f"approval:{approval.record_id}", "withdrawn", "kestrel")


def _revoke_approvers_key(_: Place) -> Event:
    return event("key:k-kestrel", "revoked", "op-1")


ENDINGS: dict[str, tuple[Callable[[Place], Event], str]] = {
    "a grant withdrawn": (_withdraw_grant, "CON-002"),
    "a grant suspended": (_suspend_grant, "CON-002"),
    "an approval taken back": (_take_back_approval, "taken back"),
    "an approver's key revoked": (_revoke_approvers_key, "key that signed"),
}


@pytest.mark.parametrize("name", ENDINGS)
def test_a_consent_that_ended_since_is_seen_with_the_registry(name: str, own: Place, tmp_path: Path) -> None:
    made = own.certified(tmp_path / "out")
    end, says = ENDINGS[name]
    with writing(own, AT + timedelta(minutes=1)) as opened:
        opened.add(end(own))
    told = ended(own, made.certificate)
    assert told.startswith("consent-ended: ")
    assert says in told


def test_a_refusal_since_is_seen_with_the_registry(own: Place, tmp_path: Path) -> None:
    from consent.titles import Refusal

    made = own.certified(tmp_path / "out")
    refusal = {
        "refusal_id": "r-now", "by": "kestrel", "title_ids": ["last-train"], "words": {"en": "Not any more."},
        "not_before": SIGNED_AT.isoformat(),
    }  # fmt: skip
    with writing(own, AT + timedelta(minutes=1)) as opened:
        opened.add(Refusal.model_validate_json(json.dumps(refusal)))
    assert "CON-005" in ended(own, made.certificate)


def test_a_rejection_by_the_holder_since_is_seen_with_the_registry(own: Place, tmp_path: Path) -> None:
    from consent.writing import Addition

    made = own.certified(tmp_path / "out")
    envelope = own.world.approval(decision=ApprovalDecision.REJECT, at=AT)
    record = json.loads(b64decode(json.loads(envelope)["payload"]))["predicate"]
    record.pop("schema")
    with writing(own, AT + timedelta(minutes=1)) as opened:
        opened.add(Addition(Approval.model_validate_json(json.dumps(record)), envelope=envelope.decode()))
    assert "RH-001" in ended(own, made.certificate)
    with writing(own, AT + timedelta(minutes=2)) as opened, opened.view() as view:
        [release] = view.releases("title:last-train")
        assert rejected_now(release, view, record["approval_id"], AT + timedelta(minutes=2))
        end = release.window.end
        assert end is not None
        assert not rejected_now(release, view, record["approval_id"], end), "it is over: nothing is to be taken down"


def test_a_rejection_that_the_holder_answered_with_an_approval_does_not_end_the_release(
    own: Place, tmp_path: Path
) -> None:
    _reject(own, AT - timedelta(hours=2))
    with pytest.raises(RegistryError, match=r"RH-001|refused"):
        own.certified(tmp_path / "before")
    later = own.world.approval(at=AT - timedelta(hours=1))
    (own.world.delivery.root / "evidence" / "approval.json").write_bytes(later)
    made = own.certified(tmp_path / "out")
    assert own.verified(made.certificate, registry=str(own.world.registry))
    _reject(own, AT + timedelta(minutes=1))
    assert "RH-001" in ended(own, made.certificate)


def test_a_title_that_is_held_jointly_since_wants_all_whom_its_quorum_wants(own: Place, tmp_path: Path) -> None:
    """One of the two approved when it held the title alone."""
    made = own.certified(tmp_path / "out")
    with writing(own, AT + timedelta(minutes=1)) as opened:
        with opened.view() as view:
            title = view.title("last-train")
            assert title is not None
            [held] = [h.claim for h in view.claims(title) if h.claim.right == "ai_dub"]
        opened.add(event(f"claim:{held.claim_id}", "superseded", "kestrel"))
        joint = {
            "claim_id": "c-joint",
            "holder_ids": ("kestrel", "rival"),
            "recorded_by": "op-1",
            "confirmed_by": "op-2",
        }
        opened.add(held.model_copy(update=joint))
    assert "kestrel, rival holds the title now" in ended(own, made.certificate)


def test_who_approved_a_part_of_the_release_alone_is_named_by_none(own: Place, tmp_path: Path) -> None:
    """Europe is held by one and the States by another: a release of both names approvals of both, that each can take back."""
    delivery, evidence = own.world.delivery, own.world.delivery.root / "evidence"
    assert delivery.distribution is not None
    with writing(own, AT) as opened:
        with opened.view() as view:
            title = view.title("last-train")
            assert title is not None
            [held] = [h.claim for h in view.claims(title) if h.claim.right == "ai_dub"]
        opened.add(event(f"claim:{held.claim_id}", "superseded", "kestrel"))
        for holder, place in (("kestrel", "150"), ("rival", "US")):
            part = {"claim_id": f"c-{holder}", "holder_ids": (holder,), "territories": (place,)}
            opened.add(held.model_copy(update=part | {"recorded_by": "op-1", "confirmed_by": "op-2"}))

    def approved(holder: str, *places: str) -> None:
        there = replace(delivery, distribution=delivery.distribution.model_copy(update={"territories": places}))
        said = own.world.approval(holder, delivery=there, holder=holder)
        evidence.joinpath("approval.json" if holder == "kestrel" else "rival.json").write_bytes(said)

    approved("kestrel", "150")
    approved("rival", "US")
    judged = replace(own.judged(), judged_at=LATER)
    with pytest.raises(RegistryError, match="for a part of its places alone"):
        own.certified(tmp_path / "out", judged, at=LATER)
    approved("kestrel", "150", "US")
    approved("rival", "150", "US")
    made = own.certified(tmp_path / "again", judged, at=LATER)
    assert len(releases(own)[-1].approval_ids) == 2
    assert own.verified(made.certificate, registry=str(own.world.registry), now=LATER)


def test_a_rejection_of_the_sound_ends_the_release_under_whatever_language_it_is_said(
    own: Place, tmp_path: Path
) -> None:
    made = own.certified(tmp_path / "out")
    delivery = own.world.delivery
    french = replace(delivery, dub=replace(delivery.dub, language="fr"))
    _reject(own, AT + timedelta(minutes=1), delivery=french)
    assert "RH-001" in ended(own, made.certificate)


def _reject(place: Place, at: Any, **changes: Any) -> None:
    envelope = place.world.approval(decision=ApprovalDecision.REJECT, at=at, **changes)
    record = json.loads(b64decode(json.loads(envelope)["payload"]))["predicate"]
    record.pop("schema")
    with writing(place, at) as opened:
        opened.add(Addition(Approval.model_validate_json(json.dumps(record)), envelope=envelope.decode()))


def test_an_approval_that_the_release_does_not_rest_on_may_end(own: Place, tmp_path: Path) -> None:
    from consent.writing import Addition

    made = own.certified(tmp_path / "out")
    envelope = own.world.approval(at=AT)  # a second one, signed later
    record = json.loads(b64decode(json.loads(envelope)["payload"]))["predicate"]
    record.pop("schema")
    approval = Approval.model_validate_json(json.dumps(record))
    with writing(own, AT + timedelta(minutes=1)) as opened:
        opened.add(Addition(approval, envelope=envelope.decode()))
        opened.add(event(f"approval:{approval.approval_id}", "withdrawn", "kestrel"))
    assert own.verified(made.certificate, registry=str(own.world.registry))


def test_what_ended_by_the_registrys_clock_has_ended_by_a_clock_that_is_behind(own: Place, tmp_path: Path) -> None:
    made = own.certified(tmp_path / "out")
    with writing(own, LATER) as opened:
        opened.add(_withdraw_grant(own))
    for behind in (timedelta(0), timedelta(minutes=4), timedelta(days=1)):
        with pytest.raises(refusals.Refused) as refused:
            own.verified(made.certificate, registry=str(own.world.registry), now=max(AT, LATER - behind))
        assert refused.value.reason == "consent-ended"


def test_what_is_signed_is_what_was_decided(own: Place, tmp_path: Path) -> None:
    """Even if what is recorded and what was judged came apart inside the program."""
    held = own.world.judged(at=AT, heard=features(()))

    def confused(_: Judgement, *rest: Any, **more: Any) -> Any:
        return decide_in_ledger(own.judged(), *rest, **more)

    with patch("dubgate.certifying.decide_in_ledger", confused), pytest.raises(RuntimeError):
        own.certified(tmp_path / "out", held)
    assert [p for p in (tmp_path / "out").rglob("*") if p.is_file()] == []


def test_a_later_history_of_other_things_changes_nothing(own: Place, tmp_path: Path) -> None:
    made = own.certified(tmp_path / "out")
    own.certified(tmp_path / "again", at=AT + timedelta(minutes=1))
    assert own.verified(made.certificate, registry=str(own.world.registry))


def _edited(place: Place, sql: str) -> None:
    """By somebody who owns the database: its triggers go first."""
    with sqlite3.connect(place.world.registry) as database:
        for (trigger,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {trigger}")
        assert database.execute(sql).rowcount > 0


EDITS = {
    "the release": "UPDATE entry SET body = replace(body, '\"svod\"', '\"avod\"') WHERE schema_name LIKE '%release%'",
    "a grant": "UPDATE entry SET body = replace(body, '\"perpetual_ack\":false', '\"perpetual_ack\":true') "
    "WHERE schema_name LIKE '%grant%'",
    "the tree": "UPDATE node SET hash = CASE substr(hash, 1, 1) WHEN '0' THEN '1' ELSE '0' END || substr(hash, 2) WHERE level > 3",
    "an index": "UPDATE entry SET recorded_at = replace(recorded_at, '2026', '2025') WHERE schema_name LIKE '%release%'",
}


EDITS |= {
    "its name": "UPDATE meta SET value = 'dubgate-registry/other' WHERE key = 'origin'",
    "its index": "DELETE FROM lookup WHERE key LIKE 'voice:%'",
}


@pytest.mark.parametrize("name", EDITS)
def test_a_rewritten_ledger_is_seen(name: str, own: Place, tmp_path: Path) -> None:
    made = own.certified(tmp_path / "out")
    _edited(own, EDITS[name])
    assert ended(own, made.certificate).startswith("ledger-rewritten")


def test_a_ledger_that_was_rolled_back_is_seen(own: Place, tmp_path: Path) -> None:
    before = own.world.registry.read_bytes()
    made = own.certified(tmp_path / "out")
    for old in own.world.registry.parent.glob("registry.db-*"):
        old.unlink()
    own.world.registry.write_bytes(before)
    assert ended(own, made.certificate).startswith("ledger-rewritten")


def test_another_registry_is_seen(own: Place, place: Place, tmp_path: Path) -> None:
    made = own.certified(tmp_path / "out")
    with pytest.raises(refusals.LedgerRewritten):
        own.verified(made.certificate, registry=str(place.world.registry))


def test_a_registry_that_is_missing_cannot_be_asked(place: Place, made: certifying.Certified, tmp_path: Path) -> None:
    with pytest.raises(RegistryError):
        place.verified(made.certificate, registry=str(tmp_path / "none.db"))


def test_a_certificate_that_its_own_ledger_does_not_name_is_refused(own: Place, tmp_path: Path) -> None:
    """Two certificates over one entry: whoever has the gate's key still cannot say more than what was recorded."""
    from dubgate.certificate.dsse import sign
    from dubgate.certificate.file import certificate_bytes

    made = own.certified(tmp_path / "out")
    statement = payload(made.certificate)
    statement["predicate"]["urn:dubgate:release-verdict:1.0"]["scope"]["territories"].append("JP")
    signer = signer_of(own.keys.gate)
    forged = certificate_bytes(sign(statement, signer), sign(payload(made.certificate, "measurements"), signer))
    assert own.verified(forged, territory="JP")
    with pytest.raises(refusals.LedgerRewritten, match="another certificate"):
        own.verified(forged, registry=str(own.world.registry))


# One byte of the audio, the certificate, the pack or the ledger


def test_one_byte_changed_is_refused_each_for_its_own_reason(own: Place, tmp_path: Path) -> None:
    made = own.certified(tmp_path / "out")
    policy = tmp_path / "publish.yaml"
    house = Path(own.world.quality.packs[0])

    def reason(**how: Any) -> str:
        try:
            own.verified(how.pop("certificate", made.certificate), **how)
        except refusals.Refused as refused:
            return refused.reason
        return "published"

    def demanded() -> Path:
        import hashlib

        digest = hashlib.sha256(house.read_bytes()).hexdigest()
        policy.write_text(
            f"schema: publish-policy/1.0\nlevels: [DUBGATE_RELEASE_EMBEDDED]\npacks: [{{pack: house, sha256: {digest}}}]\n"
        )
        return policy

    registry = str(own.world.registry)
    assert reason(policy=demanded(), registry=registry, annex=made.annex) == "published"
    certificate = made.certificate.read_bytes()
    k = certificate.index(b'"payload": "') + 500
    altered = certificate[:k] + (b"A" if certificate[k : k + 1] != b"A" else b"B") + certificate[k + 1 :]
    audio = tmp_path / "dub.flac"
    audio.write_bytes(bytes([own.file.read_bytes()[0] ^ 1]) + own.file.read_bytes()[1:])
    house.write_bytes(house.read_bytes().replace(b"-1 dBTP", b"-2 dBTP"))
    found = [reason(file=audio), reason(certificate=altered), reason(policy=demanded())]
    _edited(own, EDITS["a grant"])
    found.append(reason(registry=registry))
    assert found == ["other-bytes", "bad-signature", "pack-demanded", "ledger-rewritten"]


def test_an_embedded_level_is_not_accepted_unless_the_store_says_so(place: Place, made: certifying.Certified) -> None:
    with pytest.raises(refusals.LevelNotAccepted):
        place.verified(made.certificate, trust=with_gate(place.trust, levels=("DUBGATE_RELEASE",)))


def test_the_cli_says_the_reason_and_ends_with_1(place: Place, made: certifying.Certified, tmp_path: Path) -> None:
    """Through a real process, at the real time: this certificate is of a fixed past or future moment."""
    from made_certificate import key_of

    arguments = [
        "verify", made.certificate, place.file, "--territory", "DE", "--channel", "svod", "--format", "json",
        "--trust", place.trust_file(tmp_path), "--root", key_of(place.keys.root).public, "--seen", tmp_path / "seen",
    ]  # fmt: skip
    out = subprocess.run(
        [sys.executable, "-m", "dubgate", *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert out.returncode == 1
    assert json.loads(out.stdout)["reason"] in ("not-yet-valid", "expired", "trust-expired")
