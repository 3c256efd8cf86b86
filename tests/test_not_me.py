"""A hit on a voice that did not consent: who lifts it, who does not, and for which sound."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from made_delivery import DUB, NOT_HEARD, NOW, SIGNED_AT, SOUNDS, World, dub_voices, features, make_world

from consent.errors import RecordError
from consent.parties import Party, PartyKey
from consent.registry import Registry
from consent.views import View
from consent.vocabulary import EventKind, Role
from consent.voices import SearchHalt
from dubgate.answers import circumstances_of, with_answers
from dubgate.approving import Sounds
from dubgate.certificate.dsse import new_private_key, public_of
from dubgate.certificate.statements import ATTESTATION
from dubgate.clearing import candidate_of, release_of
from dubgate.digesting import Sound
from dubgate.hit_notices import hit_notices, record_hits
from dubgate.measure.measurement import Scope, Subject
from dubgate.policy.clearance import clear_all
from dubgate.policy.findings import Finding, Outcome
from dubgate.policy.speakers import Heard, Hit
from dubgate.policy.voice_checks import protected
from dubgate.unmeasured import Unmeasured
from dubgate.voices_heard import compare_voices

OTTO = Subject(Scope.CHARACTER, "OTTO")
KARL_HEARD = features(dub_voices({"OTTO": 3}))  # Otto speaks with Karl's voice, who asked for protection
PCM = "2" * 64


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The world, in which Karl and his agent can sign."""
    made = make_world(tmp_path_factory.mktemp("world"))
    made.keys["p-karl"] = new_private_key()
    with Registry.open(made.registry, clock=lambda: SIGNED_AT) as registry:
        registry.add(
            PartyKey(
                key_id="k-p-karl",
                party_id="p-karl",
                public_hex=public_of(made.keys["p-karl"]).public_hex,
                roles=(Role.PERFORMER,),
                not_before=SIGNED_AT - timedelta(days=100),
                not_after=SIGNED_AT + timedelta(days=100),
            )
        )
    return made


@pytest.fixture(scope="module")
def view(world: World) -> Iterator[View]:
    with world.view() as opened:
        yield opened


def hits(
    world: World, view: View, *envelopes: bytes, pcm: str | Unmeasured = NOT_HEARD, packets: str = DUB
) -> tuple[Finding, ...]:
    """CON-032 of Otto after these answers, and whatever is said of the answers themselves."""
    release, _ = release_of(world.delivery, view)
    assert release is not None
    speakers = compare_voices(KARL_HEARD, None, world.delivery, release, view, NOW)  # type: ignore[arg-type]
    published = replace(KARL_HEARD.published, packet_sha256=packets, pcm_sha256=pcm)  # type: ignore[type-var]
    candidate = candidate_of(
        world.delivery, release, replace(KARL_HEARD, published=published), script_sha256=None, pack_sha256s=(), style="lipsync"
    )  # fmt: skip
    delivery = world.with_evidence("not-me", *envelopes)
    files = tuple(sorted((delivery.root / "evidence").iterdir()))
    now = circumstances_of(delivery, candidate, (), 60.0, view, NOW)
    told = with_answers(clear_all(speakers, []), {ATTESTATION: files}, (), now, view)
    return tuple(
        f for f in told if f.rule in ("SIG-ATTESTATION", "INT-001") or (f.rule, f.subject) == ("CON-032", OTTO)
    )


def not_me(world: World, by: str, voice_id: str | None = "v-karl", **how: Any) -> bytes:
    return world.attestation(by, "CON-032", "OTTO", voice_id=voice_id, **how)


def test_a_hit_blocks_and_names_whose_answer_is_missing(world: World, view: View) -> None:
    [hit] = hits(world, view)
    assert (hit.outcome, hit.voice_id, hit.who_can_resolve) == (Outcome.BLOCK, "v-karl", "the owner of v-karl")
    assert "by chance in at most" in hit.bound


def test_the_owner_s_signed_not_me_lifts_it_and_shows(world: World, view: View) -> None:
    [hit] = hits(world, view, not_me(world, "p-karl"))
    assert (hit.outcome, hit.was, hit.who_can_resolve) == (Outcome.PASS, Outcome.BLOCK, None)
    assert "not v-karl (p-karl)" in hit.text.en
    [named] = hit.decided_by
    assert "by p-karl" in named


@pytest.mark.parametrize(
    ("by", "how"),
    [
        ("p-otto", {}),  # a stranger to Karl's voice, though it is his that was declared
        ("p-jonas", {}),
        ("reviewer-b", {}),  # one reviewer alone
        ("director", {}),
        ("p-karl", {"voice_id": None}),  # it names no voice
        ("p-karl", {"voice_id": "v-otto"}),  # it names another
        ("p-karl", {"at": NOW + timedelta(days=1)}),
        ("p-karl", {"at": NOW - timedelta(days=40)}),  # it has expired
    ],
)
def test_anybody_else_s_and_any_other_not_me_does_nothing(
    world: World, view: View, by: str, how: dict[str, Any]
) -> None:
    hit, *rest = hits(world, view, not_me(world, by, **how))
    assert (hit.outcome, hit.was) == (Outcome.BLOCK, None)
    assert rest


def test_a_not_me_signed_in_the_owner_s_name_by_another_key_does_nothing(world: World, view: View) -> None:
    for key in ("stranger", "p-otto"):
        hit, refused = hits(world, view, not_me(world, "p-karl", key=world.keys[key]))
        assert (hit.outcome, refused.rule) == (Outcome.BLOCK, "INT-001")


def test_it_lifts_this_delivery_s_sound_only(world: World, view: View) -> None:
    signed = not_me(world, "p-karl", sounds=Sounds(replace(SOUNDS.dub, pcm_sha256=PCM), SOUNDS.original))
    lifted, *_ = hits(world, view, signed, pcm=PCM)
    assert lifted.outcome is Outcome.PASS
    rewrapped, *_ = hits(world, view, signed, pcm=PCM, packets="7" * 64)
    assert rewrapped.outcome is Outcome.PASS
    changed, *rest = hits(world, view, signed, pcm="3" * 64)  # the same packets, it is said, and other samples
    assert changed.outcome is Outcome.BLOCK
    assert "other sound" in rest[0].text.en
    elsewhere = not_me(world, "p-karl", sounds=Sounds(Sound("9" * 64, NOT_HEARD, 60.0), SOUNDS.original))
    assert hits(world, view, elsewhere)[0].outcome is Outcome.BLOCK


def test_two_reviewers_lift_it_where_one_is_outside_the_vendor(world: World, view: View) -> None:
    a, b, c = (not_me(world, by) for by in ("reviewer-a", "reviewer-b", "reviewer-c"))
    assert hits(world, view, a, b)[0].outcome is Outcome.PASS
    assert hits(world, view, a, c)[0].outcome is Outcome.BLOCK  # both of the vendor's house
    assert hits(world, view, a, not_me(world, "reviewer-b", voice_id=None))[0].outcome is Outcome.BLOCK


def test_one_me_decides_over_any_number_of_not_mes(world: World, view: View) -> None:
    [hit] = hits(
        world, view, not_me(world, "p-karl", answer=False), not_me(world, "reviewer-a"), not_me(world, "reviewer-b")
    )
    assert hit.outcome is Outcome.BLOCK
    assert "it is v-karl" in hit.text.en


def test_a_not_me_answers_one_hit_of_several_and_no_open_search(world: World, view: View) -> None:
    gap = Unmeasured("4 protected voices are enrolled for another speaker encoder only")
    heard = Heard(
        "OTTO",
        12.0,
        (),
        9.0,
        5.0,
        -2.0,
        (Hit("v-karl", 9.0, True), Hit("v-otto", 8.0, False)),
        0.3,
        4.0,
        search_gap=gap,
    )
    findings = tuple(protected(heard, OTTO, "OTTO"))
    assert [(f.voice_id, f.outcome) for f in findings] == [
        ("v-karl", Outcome.BLOCK), ("v-otto", Outcome.HOLD), (None, Outcome.UNKNOWN)
    ]  # fmt: skip
    release, _ = release_of(world.delivery, view)
    assert release is not None
    candidate = candidate_of(world.delivery, release, features(), script_sha256=None, pack_sha256s=(), style="lipsync")
    files = tuple((world.with_evidence("several", not_me(world, "p-karl")).root / "evidence").iterdir())
    now = circumstances_of(world.delivery, candidate, (), 60.0, view, NOW)
    told = [f for f in with_answers(findings, {ATTESTATION: files}, (), now, view) if f.rule == "CON-032"]
    assert [f.outcome for f in told] == [Outcome.PASS, Outcome.HOLD, Outcome.UNKNOWN]


def test_an_answer_by_ear_without_a_voice_still_answers_an_open_search(world: World, view: View) -> None:
    heard = Heard("OTTO", 12.0, (), 9.0, 5.0, -2.0, Unmeasured("too short"), 0.3, 4.0)
    release, _ = release_of(world.delivery, view)
    assert release is not None
    candidate = candidate_of(world.delivery, release, features(), script_sha256=None, pack_sha256s=(), style="lipsync")
    now = circumstances_of(world.delivery, candidate, (), 60.0, view, NOW)

    def after(name: str, *envelopes: bytes) -> Outcome:
        files = tuple((world.with_evidence(name, *envelopes).root / "evidence").iterdir())
        return with_answers(tuple(protected(heard, OTTO, "OTTO")), {ATTESTATION: files}, (), now, view)[0].outcome

    ears = (not_me(world, "reviewer-a", voice_id=None), not_me(world, "reviewer-b", voice_id=None))
    assert after("open", *ears) is Outcome.PASS
    assert after("open-named", not_me(world, "reviewer-a"), not_me(world, "reviewer-b")) is Outcome.UNKNOWN


def test_with_the_search_switched_off_nobody_is_hit_and_nothing_passes(tmp_path: Path) -> None:
    world = make_world(tmp_path / "off") if (tmp_path / "off").mkdir() is None else None
    assert world is not None
    with Registry.open(world.registry, clock=lambda: SIGNED_AT) as registry:
        registry.add(
            Party(party_id="op-9", roles=(Role.OPERATOR,), person=True),
            SearchHalt(
                halt_id="h-1", by="op-9", legal_basis="Order 12.", not_before=SIGNED_AT, not_after=NOW + timedelta(days=9)
            ),
        )  # fmt: skip
    with world.view() as view:
        hit, *_ = hits(world, view)
        assert (hit.outcome, hit.voice_id) == (Outcome.UNKNOWN, None)
        assert "op-9 switched the search off: Order 12." in hit.text.en
        ears = (not_me(world, by, voice_id=None) for by in ("reviewer-a", "reviewer-b"))
        attested, *_ = hits(world, view, *ears)
    assert (attested.outcome, attested.was) == (Outcome.PASS, Outcome.UNKNOWN)


def test_the_owner_of_a_voice_that_was_hit_is_told_once_for_each_sound(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    with world.view() as view:
        found = hits(world, view)
        [notice] = hit_notices(found, view, DUB)
        again = hit_notices((*found, *found), view, "8" * 64)
        assert hit_notices([replace(f, outcome=Outcome.PASS) for f in found], view, DUB) == ()
    assert (notice.voice_id, notice.party_ids, notice.characters, notice.blocks) == (
        "v-karl",
        ("p-karl",),
        ("OTTO",),
        True,
    )
    assert "not-me" in notice.text
    with Registry.open(world.registry, clock=lambda: NOW) as registry:
        assert record_hits(registry, [notice], "op-1") == (notice,)
        assert record_hits(registry, [notice], "op-1") == ()
        assert record_hits(registry, again, "op-1") == again
        with registry.view() as view:
            events = [e.event for e in view.events("voice:v-karl")]
            assert view.voice("v-karl", NOW) is not None
        assert [(e.kind, e.ref) for e in events] == [(EventKind.HEARD, DUB), (EventKind.HEARD, "8" * 64)]
        with pytest.raises(RecordError, match="may not record"):
            record_hits(registry, [replace(notice, packets_sha256="7" * 64)], "polyglot")
        assert registry.audit().sound
