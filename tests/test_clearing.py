"""What the registry answers about a delivery: its title, its cast, its approvals."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from made_delivery import (
    CAST,
    DAY,
    DUB,
    ENCODER,
    NOT_HEARD,
    NOW,
    ORIGINAL,
    SIGNED_AT,
    SOUNDS,
    World,
    decisive,
    features,
    make_world,
)

from consent.approvals import Approval, Standing
from consent.events import Event
from consent.registry import Registry
from consent.releases import Release as RecordedRelease
from consent.releases import ReleaseDecision
from consent.rights import TitleRights
from consent.vocabulary import ApprovalDecision, ApprovalKind, EventKind, Performance, Role, Technique
from dubgate.approved_parts import plan_sha256
from dubgate.certificate.dsse import sign, signer_of
from dubgate.certificate.statements import HumanPerformance, approval_statement
from dubgate.clearing import Release, candidate_of, declared_of, enrolled_of, release_of, use_of
from dubgate.delivery.manifest_schema import Title
from dubgate.policy import approval_checks
from dubgate.policy.evidence import Signed
from dubgate.policy.findings import Outcome
from dubgate.policy.verdict import Decision
from dubgate.unmeasured import Unmeasured


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world"))


def released(world: World) -> Release:
    with world.view() as view:
        release, findings = release_of(world.delivery, view)
    assert release is not None
    assert {f.outcome for f in findings} == {Outcome.PASS}
    return release


def test_the_release_is_what_the_manifest_asks_of_the_title_that_the_registry_knows(world: World) -> None:
    release = released(world)
    assert release.title is not None
    assert release.title.title.title_id == "last-train"
    assert {"US", "FR", "DE"} <= set(release.territories)
    assert "JP" not in release.territories
    assert (release.language, release.channels, release.submitter) == ("en", ("svod",), "polyglot")


@pytest.mark.parametrize(
    ("title", "rule"),
    [(None, "RH-020"), (Title(name="X"), "RH-020"), (Title(name="X", internal="never-registered"), "RH-020")],
)
def test_a_title_that_the_registry_does_not_know_blocks(world: World, title: Title | None, rule: str) -> None:
    with world.view() as view:
        release, [finding] = release_of(replace(world.delivery, title=title), view)
    assert release is not None
    assert release.title is None
    assert (finding.rule, finding.outcome) == (rule, Outcome.BLOCK)


def test_identifiers_of_two_titles_block(world: World) -> None:
    """Else a delivery could borrow the approval of another title by naming it too."""
    known = {"internal:last-train": "last-train", "eidr:10.5240/0000-0000-0000-0000-0000-X": "another"}
    view = SimpleNamespace(title=lambda i: SimpleNamespace(title=SimpleNamespace(title_id=known[i])))
    named = SimpleNamespace(identifiers=tuple(known), name="X")
    _, [finding] = release_of(replace(world.delivery, title=named), view)  # type: ignore[arg-type]
    assert (finding.rule, finding.outcome) == ("RH-020", Outcome.BLOCK)
    assert "another, last-train" in finding.text.en


def test_what_is_asked_of_a_voice_is_what_the_delivery_does_with_it(world: World) -> None:
    entry = world.delivery.cast[0]
    use = use_of(released(world), entry, 90.0)
    assert (use.character, use.technique, use.performance) == ("MARA", Technique.VOICE_CLONE_TTS, Performance.NEW)
    assert (use.minutes, use.licensee_id) == (1.5, "polyglot")
    assert use_of(released(world), entry, None).minutes is None


@pytest.mark.parametrize(
    ("voice", "may_compare", "unconfirmed", "cleared"),
    [
        ("v-otto", True, (), True),
        ("v-otto-new", True, ("v-otto-new",), True),
        ("v-otto-ungranted", True, (), False),
        ("v-jonas-private", False, (), True),
        ("v-nobody", False, (), False),
    ],
)
def test_a_cast_entry_comes_with_what_the_registry_says(
    world: World, voice: str, may_compare: bool, unconfirmed: tuple[str, ...], cleared: bool
) -> None:
    entry = world.delivery.cast[2].model_copy(update={"voice": voice})
    with world.view() as view:
        declared = declared_of(
            released(world), entry, view, NOW, speech_s=12.0, human_statements=(), features=features()
        )
        templates = enrolled_of(entry, view, NOW, ENCODER)
        assert enrolled_of(entry, view, NOW, "f" * 64) == ()
    assert (declared.may_compare, declared.unconfirmed) == (may_compare, unconfirmed)
    assert [c.cleared for c in declared.clearances] == [cleared]
    assert bool(templates) is may_compare


@pytest.mark.parametrize(
    ("by", "role", "stated", "performed"),
    [
        ("director", Role.DUBBING_DIRECTOR, True, ()),
        ("p-otto", Role.PERFORMER, False, ("v-otto",)),
        ("p-jonas", Role.PERFORMER, False, ()),
        ("p-otto", Role.DUBBING_DIRECTOR, True, ("v-otto",)),
    ],
)
def test_who_says_that_a_person_performed_says_it_for_all_or_for_their_own_voice(
    world: World, by: str, role: Role, stated: bool, performed: tuple[str, ...]
) -> None:
    said = {"title_id": "last-train", "language": "en", "packets_sha256": DUB, "signed_at": SIGNED_AT}
    record = HumanPerformance(statement_id="hp-1", by=by, characters=("OTTO",), **said)
    signed = Signed(record, by, "human.json", "0" * 64, frozenset({role}))
    entry = world.delivery.cast[2].model_copy(update={"technique": "human", "voice": "v-otto"})
    with world.view() as view:
        told = {"speech_s": 12.0, "human_statements": (signed,), "features": features()}
        declared = declared_of(released(world), entry, view, NOW, **told)
        other = declared_of(released(world), entry.model_copy(update={"character": "ANN"}), view, NOW, **told)
    assert (declared.human_statement is None, declared.performed_by) == (stated, frozenset(performed))
    assert (other.human_statement is None, other.performed_by) == (False, frozenset())


def test_what_is_about_to_be_released_is_named_by_its_digests(world: World) -> None:
    heard = replace(features(), published=replace(features().published, pcm_sha256="2" * 64))
    found = candidate_of(
        world.delivery, released(world), heard, script_sha256="4" * 64, pack_sha256s=("6" * 64,), style="lipsync"
    )
    assert (found.packets_sha256, found.pcm_sha256, found.original_sha256) == (DUB, "2" * 64, ORIGINAL)
    assert (found.script_sha256, found.submitted_by) == ("4" * 64, "polyglot")
    assert found.casting_sha256 == plan_sha256(world.delivery.cast)


def test_features_without_a_digest_of_the_published_sound_are_no_candidate(world: World) -> None:
    with pytest.raises(ValueError, match="digest"):
        candidate_of(
            world.delivery, released(world), replace(features(), published=None),
            script_sha256=None, pack_sha256s=(), style="lipsync",
        )  # fmt: skip


def test_the_digest_of_a_casting_depends_on_every_field(world: World) -> None:
    cast = world.delivery.cast
    others = [
        cast[:-1],
        cast[::-1],
        *(
            (cast[0].model_copy(update={field: "other"}), *cast[1:])
            for field in ("character", "voice", "vendor", "model")
        ),
    ]
    digests = {plan_sha256(c) for c in (cast, *others)}
    assert len(digests) == 1 + len(others)
    assert plan_sha256(tuple(e.model_copy() for e in cast)) == plan_sha256(cast)
    assert len(cast) == len(CAST)


def rejection(at_day: int, **changes: object) -> Approval:
    said: dict[str, object] = {
        "approval_id": f"no-{at_day}",
        "kind": ApprovalKind.FINAL_SOUND,
        "decision": ApprovalDecision.REJECT,
        "by": "kestrel",
        "for_holder_id": "kestrel",
        "title_id": "last-train",
        "language": "en",
        "territories": ("001",),
        "channels": ("svod",),
        "window": released_window(),
        "signed_at": SIGNED_AT + at_day * DAY,
        "expires_at": SIGNED_AT + 300 * DAY,
    }
    return Approval.model_validate(said | changes, strict=False)


def released_window() -> dict[str, object]:
    return {"start": NOW, "end": NOW + 600 * DAY}


def recorded(world: World, *records: object, on: int) -> None:
    with Registry.open(world.registry, clock=lambda: SIGNED_AT + on * DAY) as registry:
        registry.add(*records)  # type: ignore[arg-type]


def test_a_refusal_in_the_registry_counts_though_the_delivery_leaves_it_out(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    recorded(world, rejection(2), on=2)
    judgement = world.judged()
    assert "RH-001" in decisive(judgement)
    assert judgement.verdict.decision is Decision.BLOCK
    assert world.judged(at=SIGNED_AT + DAY).verdict.decision is Decision.RELEASE  # before it was recorded
    again = world.with_evidence("again", world.approval(at=SIGNED_AT + 3 * DAY))
    assert world.judged(delivery=again).verdict.decision is Decision.RELEASE  # the holder's later word


@pytest.mark.parametrize("changes", [{"language": "fr"}, {"title_id": "harbour"}])
def test_a_refusal_of_something_else_is_none_of_this(tmp_path: Path, changes: dict[str, object]) -> None:
    world = make_world(tmp_path)
    recorded(world, rejection(2, **changes), on=2)
    assert world.judged().verdict.decision is Decision.RELEASE


def standing(world: World, limit: int) -> tuple[Approval, bytes]:
    """An approval of everything in this language, for so many releases."""
    approval = rejection(0).model_copy(
        update={
            "approval_id": "standing",
            "decision": ApprovalDecision.APPROVE,
            "standing": Standing(languages=("en",), pack_sha256s=(), max_releases=limit, objection_hours=48),
        }
    )
    return approval, sign(approval_statement(approval), signer_of(world.keys["kestrel"]))


def test_a_standing_approval_is_used_up_by_the_releases_that_rest_on_it(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    approval, envelope = standing(world, 1)
    delivery = world.with_evidence("standing", envelope)
    assert world.judged(delivery=delivery).verdict.decision is Decision.RELEASE
    release = RecordedRelease.model_validate(
        {
            "release_id": "rel-1",
            "title_id": "last-train",
            "decision": ReleaseDecision.RELEASE,
            "recorded_by": "op-1",
            "approval_ids": ("standing",),
            "language": "en",
            "territories": ("150",),
            "channels": ("svod",),
            "window": released_window(),
            "packets_sha256": DUB,
            "decided_at": SIGNED_AT + DAY,
        },
        strict=False,
    )
    recorded(world, approval, release, on=1)
    assert "RH-002" in decisive(world.judged(delivery=delivery))


def test_an_approval_that_was_taken_back_in_the_registry_blocks(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    approval, envelope = standing(world, 5)
    delivery = world.with_evidence("standing", envelope)
    taken_back = Event(
        event_id="e-back",
        target="approval",
        target_id="standing",
        kind=EventKind.WITHDRAWN,
        effective_at=SIGNED_AT + 2 * DAY,
        by="kestrel",
    )
    recorded(world, approval, taken_back, on=2)
    assert "RH-002" in decisive(world.judged(delivery=delivery))


def test_a_grant_that_was_withdrawn_blocks_from_then_on(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    assert world.judged().verdict.decision is Decision.RELEASE
    recorded(
        world,
        Event(
            event_id="e-gone",
            target="grant",
            target_id="g-mara",
            kind=EventKind.WITHDRAWN,
            effective_at=SIGNED_AT + 2 * DAY,
            by="p-mara",
        ),
        on=2,
    )
    judgement = world.judged()
    assert judgement.verdict.decision is Decision.BLOCK
    assert "CON-002" in decisive(judgement)
    assert isinstance(SOUNDS.dub.pcm_sha256, Unmeasured)
    assert NOT_HEARD is SOUNDS.dub.pcm_sha256


def test_a_voice_enrolled_for_another_encoder_is_not_compared(world: World) -> None:
    entry = world.delivery.cast[0]
    with world.view() as view:
        known = {e.enrolment.encoder_sha256 for v in entry.voice_ids for e in view.enrolments(v, NOW)}
        assert all(enrolled_of(entry, view, NOW, encoder) for encoder in known)
        assert enrolled_of(entry, view, NOW, "0" * 64) == ()
    assert known


def test_a_title_that_nobody_holds_and_nothing_speaks_against_blocks_too(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The registry's denials say it first; were they ever silent, silence is no approval."""
    monkeypatch.setattr(approval_checks, "rights_of", lambda *_: TitleRights((), ()))
    release = released(world)
    assert release.title is not None
    candidate = candidate_of(
        world.delivery, release, features(), script_sha256=None, pack_sha256s=(), style="lipsync"
    )  # fmt: skip
    with world.view() as view:
        found = approval_checks.approval_findings(release.title, candidate, (), view, NOW)
    assert [(f.rule, f.outcome) for f in found] == [("RH-010", Outcome.BLOCK)]
