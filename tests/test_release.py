"""A delivery that is right in everything is released, and with any one thing wrong it is not. Registry and signatures are real."""

from __future__ import annotations

import base64
import functools
import itertools
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from made_delivery import (
    CAST,
    DAY,
    LABELLED,
    NOBODY,
    NOT_HEARD,
    NOW,
    ORIGINAL_AXES,
    SOUNDS,
    World,
    axis,
    decisive,
    dub_voices,
    features,
    make_world,
    segments,
)

from consent.entries import Entry
from consent.views import View
from consent.vocabulary import ApprovalDecision, Channel, Technique
from dubgate.delivery.manifest import Delivery
from dubgate.delivery.manifest_schema import Label, Title, Window
from dubgate.digesting import Sound
from dubgate.features import MixCheck, ProgrammeFeatures, Published
from dubgate.gate import QualityRequest, Track
from dubgate.judgement import Judgement
from dubgate.labels.tracks import Labels
from dubgate.policy.findings import Outcome
from dubgate.policy.mix_checks import mix_findings
from dubgate.policy.model_checks import model_findings
from dubgate.policy.verdict import Decision, Verdict, decide
from dubgate.spans import Span
from dubgate.unmeasured import Unmeasured

Changes = dict[str, Any]
Make = Callable[[World, random.Random], Changes]
BLOCK, HOLD = Decision.BLOCK, Decision.HOLD
DEFECTS: dict[str, tuple[Make, Decision, str]] = {}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def view(world: World) -> Iterator[View]:
    """One snapshot of the registry; what it was asked once it need not be asked again."""
    with world.view() as opened:
        read, every = functools.cache(opened.store.entries_of), functools.cache(opened.store.of_kind)
        contents: dict[int, bytes | None] = {}
        open_seal = opened.store.unsealed

        def unsealed(entry: Entry) -> bytes | None:
            if entry.leaf_index not in contents:
                contents[entry.leaf_index] = open_seal(entry)
            return contents[entry.leaf_index]

        with (
            patch.object(opened.store, "unsealed", unsealed),
            patch.object(opened.store, "entries_of", lambda keys, kind=None: read(tuple(keys), kind)),
            patch.object(opened.store, "of_kind", every),
        ):
            yield opened


@pytest.fixture(scope="module")
def right(world: World) -> Judgement:
    return world.judged()


@pytest.fixture
def quality_judged(right: Judgement) -> Iterator[None]:
    """The quality as it was judged once: what changes in these tests are people, papers and voices."""
    passed = tuple(f for f in right.verdict.findings if f.rule in ("HOU-PEAK", "LAB-EU", "REC-PRODUCTION"))

    def judged(request: QualityRequest, heard: ProgrammeFeatures, *asked: Any, **more: Any) -> Judgement:
        sound = (*model_findings(heard.models), *mix_findings(heard, has_stem=request.stem is not None))
        return replace(right, verdict=Verdict((*passed, *sound), quality_only=True))

    with patch("dubgate.release.judge_quality", judged):
        yield


def defect(decision: Decision, rule: str) -> Callable[[Make], Make]:
    """A way in which a delivery is wrong, what follows from it, and the check that says so."""

    def named(make: Make) -> Make:
        DEFECTS[make.__name__.replace("_", " ")] = (make, decision, rule)
        return make

    return named


_fresh = itertools.count()


def _with(world: World, *envelopes: bytes, delivery: Delivery | None = None) -> Changes:
    return {"delivery": world.with_evidence(f"v{next(_fresh) % 50}", *envelopes, delivery=delivery)}


def _approved(world: World, **changes: Any) -> Changes:
    """A changed delivery that the holder approved as it is, so that nothing but the change is wrong."""
    delivery = replace(world.delivery, **changes)
    return _with(world, world.approval(delivery=delivery), delivery=delivery)


def _cast(world: World, name: str, **changes: Any) -> Changes:
    return _approved(
        world, cast=tuple(e.model_copy(update=changes) if e.name == name else e for e in world.delivery.cast)
    )


def _distributed(world: World, **changes: Any) -> Delivery:
    assert world.delivery.distribution is not None
    return replace(world.delivery, distribution=world.delivery.distribution.model_copy(update=changes))


def _someone(rng: random.Random) -> str:
    return rng.choice(list(CAST))


def _blend(own: int, other: int, share: float) -> np.ndarray:
    row = axis(own) + share * axis(other)
    return np.asarray(row / np.linalg.norm(row), dtype=np.float32)


def _speaking(name: str, vector: np.ndarray | Unmeasured) -> Changes:
    voices = tuple(replace(v, vector=vector) if v.character == name else v for v in dub_voices())
    return {"heard": features(voices)}


# Voices


@defect(BLOCK, "CON-000")
def a_voice_that_no_line_claims(world: World, rng: random.Random) -> Changes:
    stray = segments(None, rng.choice([0, 1, 2, NOBODY]), 9, n=1, speech_s=rng.uniform(1.5, 4))
    return {"heard": features((*dub_voices(), *stray))}


@defect(HOLD, "CON-000")
def a_sound_outside_the_lines_too_short_to_tell_a_voice(world: World, rng: random.Random) -> Changes:
    stray = segments(None, rng.choice([0, 1, 2, NOBODY]), 9, n=1, speech_s=rng.uniform(0.1, 1.4))
    return {"heard": features((*dub_voices(), *stray))}


@defect(BLOCK, "CON-000")
def a_character_who_is_not_in_the_cast(world: World, rng: random.Random) -> Changes:
    name = _someone(rng)
    return _approved(world, cast=tuple(e for e in world.delivery.cast if e.name != name))


@defect(BLOCK, "CON-000")
def an_empty_cast(world: World, rng: random.Random) -> Changes:
    return _approved(world, cast=())


@defect(BLOCK, "CON-000")
def a_dub_whose_voices_nothing_could_hear(world: World, rng: random.Random) -> Changes:
    heard = features()
    return {"heard": replace(heard, dub=replace(heard.dub, voices=NOT_HEARD))}


@defect(HOLD, "CON-035")
def nothing_heard(world: World, rng: random.Random) -> Changes:
    return {"heard": features(rng.choice([(), Unmeasured("no speaker encoder")]))}


@defect(HOLD, "CON-035")
def nothing_heard_and_two_people_who_say_that_it_is_fine(world: World, rng: random.Random) -> Changes:
    answers = [world.attestation(who, "CON-035", "") for who in ("reviewer-a", "reviewer-b")]
    return {"heard": features(()), **_with(world, world.approval(), *answers)}


@defect(BLOCK, "CON-031")
def another_voice_than_the_declared(world: World, rng: random.Random) -> Changes:
    return {"heard": features(dub_voices({_someone(rng): rng.choice([NOBODY, 13, 14])}))}


@defect(HOLD, "CON-031")
def a_voice_of_which_it_cannot_be_told(world: World, rng: random.Random) -> Changes:
    name = _someone(rng)
    own = list(CAST).index(name)
    cosine = rng.uniform(0.745, 0.815)  # 76.2 x - 57.9 nat lies between -2 and 5
    return _speaking(name, _blend(own, NOBODY, float(np.sqrt(1 - cosine**2)) / cosine))


@defect(HOLD, "CON-031")
def a_voice_that_could_not_be_measured(world: World, rng: random.Random) -> Changes:
    return _speaking(_someone(rng), Unmeasured("too short to tell a voice"))


@defect(BLOCK, "CON-032")
def a_voice_that_asked_for_protection(world: World, rng: random.Random) -> Changes:
    return {"heard": features(dub_voices({_someone(rng): 3}))}


@defect(BLOCK, "CON-033")
def a_voice_that_leans_to_one_of_the_originals(world: World, rng: random.Random) -> Changes:
    name = _someone(rng)
    return _speaking(name, _blend(list(CAST).index(name), rng.choice(ORIGINAL_AXES), rng.uniform(0.3, 0.4)))


@defect(HOLD, "CON-033")
def an_original_that_could_not_be_heard(world: World, rng: random.Random) -> Changes:
    heard = features()
    return {"heard": replace(heard, original=replace(heard.original, voices=NOT_HEARD))}


# Consent


@defect(BLOCK, "CON-014")
def a_grant_that_has_ended(world: World, rng: random.Random) -> Changes:
    return _cast(world, "MARA", voice="v-mara-2025")


@defect(BLOCK, "CON-001")
def a_voice_that_nobody_granted(world: World, rng: random.Random) -> Changes:
    return _cast(world, "OTTO", voice="v-otto-ungranted")


@defect(BLOCK, "CON-001")
def a_voice_that_the_registry_does_not_know(world: World, rng: random.Random) -> Changes:
    return _cast(world, _someone(rng), voice=f"v-{rng.randrange(10**6)}")


@defect(HOLD, "CON-030")
def a_voice_that_nobody_may_compare(world: World, rng: random.Random) -> Changes:
    return _cast(world, "JONAS", voice="v-jonas-private")


@defect(HOLD, "CON-034")
def an_enrolment_that_nobody_confirmed(world: World, rng: random.Random) -> Changes:
    return _cast(world, "OTTO", voice="v-otto-new")


@defect(BLOCK, "CON-014")
def a_window_that_outlives_the_grants(world: World, rng: random.Random) -> Changes:
    end = rng.choice([None, NOW + rng.randint(500, 5000) * DAY])
    window = Window.model_validate({"from": NOW + DAY, "until": end or "open"})
    return _approved(world, distribution=_distributed(world, window=window).distribution)


@defect(BLOCK, "CON-013")
def a_channel_that_nobody_granted(world: World, rng: random.Random) -> Changes:
    more = rng.choice([c for c in Channel if c not in ("svod", "avod", "internal_test")])
    return _approved(world, distribution=_distributed(world, channels=(Channel.SVOD, more)).distribution)


@defect(BLOCK, "CON-011")
def a_language_that_nobody_granted(world: World, rng: random.Random) -> Changes:
    return _approved(world, dub=replace(world.delivery.dub, language=rng.choice(["fr", "ja", "es-MX"])))


@defect(BLOCK, "CON-005")
def a_title_whose_holder_refuses_any(world: World, rng: random.Random) -> Changes:
    delivery = replace(world.delivery, title=Title(name="Harbour Lights", internal="harbour"))
    return _with(world, world.approval(delivery=delivery, title_id="harbour"), delivery=delivery)


@defect(BLOCK, "CON-015")
def a_technique_that_nobody_granted(world: World, rng: random.Random) -> Changes:
    return _cast(world, _someone(rng), technique=Technique.SPEECH_TO_SPEECH)


@defect(BLOCK, "CON-019")
def somebody_to_whom_nobody_granted_anything(world: World, rng: random.Random) -> Changes:
    return _approved(world, submitter=rng.choice(["rival", "nobody-knows"]))


@defect(BLOCK, "RH-002")
def nobody_who_says_that_they_submit_it(world: World, rng: random.Random) -> Changes:
    return _approved(world, submitter=None)


@defect(HOLD, "CON-040")
def a_machine_declared_as_human(world: World, rng: random.Random) -> Changes:
    return _cast(world, _someone(rng), technique="human")


@defect(HOLD, "CON-040")
def a_human_voice_stated_for_another_sound(world: World, rng: random.Random) -> Changes:
    return _human(world, world.human(sounds=replace(SOUNDS, dub=Sound("9" * 64, NOT_HEARD, 60.0))))


@defect(HOLD, "CON-040")
def a_human_voice_stated_for_another_character(world: World, rng: random.Random) -> Changes:
    return _human(world, world.human(characters=("OTTO",)))


@defect(HOLD, "CON-040")
def a_human_voice_stated_in_the_future(world: World, rng: random.Random) -> Changes:
    return _human(world, world.human(at=NOW + rng.randint(1, 100) * DAY))


@defect(HOLD, "CON-040")
def a_human_voice_stated_for_another_title(world: World, rng: random.Random) -> Changes:
    return _human(world, world.human(title_id="harbour"))


@defect(HOLD, "INT-001")
def a_human_voice_stated_by_a_reviewer(world: World, rng: random.Random) -> Changes:
    return _human(world, world.human("reviewer-b"))


@defect(BLOCK, "CON-032")
def a_protected_voice_declared_as_its_owners_own_performance(world: World, rng: random.Random) -> Changes:
    """The director signs that a person performed; whose voice it is never said so."""
    cast = tuple(
        e.model_copy(update={"technique": "human", "voice": "v-karl"}) if e.name == "MARA" else e
        for e in world.delivery.cast
    )
    delivery = replace(world.delivery, cast=cast)
    heard = {"heard": features(dub_voices({"MARA": 3}))}
    return _with(world, world.approval(delivery=delivery), world.human(), delivery=delivery) | heard


def _human(world: World, statement: bytes) -> Changes:
    cast = tuple(
        e.model_copy(update={"technique": "human", "voice": None}) if e.name == "MARA" else e
        for e in world.delivery.cast
    )
    delivery = replace(world.delivery, cast=cast)
    return _with(world, world.approval(delivery=delivery), statement, delivery=delivery)


# Title and release


@defect(BLOCK, "RH-020")
def a_title_that_the_registry_does_not_know(world: World, rng: random.Random) -> Changes:
    return _approved(world, title=Title(name="X", internal=f"film-{rng.randrange(10**6)}"))


@defect(BLOCK, "RH-020")
def no_title(world: World, rng: random.Random) -> Changes:
    return _approved(world, title=rng.choice([None, Title(name="The Last Train")]))


@defect(BLOCK, "RH-001")
def no_word_on_where_it_is_to_be_released(world: World, rng: random.Random) -> Changes:
    return {"delivery": replace(world.delivery, distribution=None)}


# Approval


@defect(BLOCK, "RH-001")
def no_approval(world: World, rng: random.Random) -> Changes:
    return _with(world)


@defect(BLOCK, "RH-003")
def an_approval_of_another_sound(world: World, rng: random.Random) -> Changes:
    other = f"{rng.getrandbits(256):064x}"
    return _with(world, world.approval(sounds=replace(SOUNDS, dub=Sound(other, NOT_HEARD, 60.0))))


@defect(BLOCK, "RH-003")
def another_sound_than_the_approved(world: World, rng: random.Random) -> Changes:
    return {
        "heard": replace(
            features(),
            published=Published(f"{rng.getrandbits(256):064x}", NOT_HEARD, cancelled=(), in_effects=(), beside=()),
        )
    }


@defect(BLOCK, "RH-003")
def an_approval_of_another_original(world: World, rng: random.Random) -> Changes:
    other = f"{rng.getrandbits(256):064x}"
    return _with(world, world.approval(sounds=replace(SOUNDS, original=Sound(other, NOT_HEARD, 60.0))))


@defect(BLOCK, "RH-003")
def an_approval_of_another_script(world: World, rng: random.Random) -> Changes:
    path = world.folder / "changed.vtt"
    path.write_text(f"WEBVTT\n{rng.random()}\n", encoding="utf-8")
    return {"delivery": replace(world.delivery, cues=path)}


@defect(BLOCK, "RH-003")
def an_approval_of_another_label(world: World, rng: random.Random) -> Changes:
    label = rng.choice([None, Label(text={"en": f"AI {rng.random()}"})])
    return {"delivery": replace(world.delivery, label=label)}


@defect(BLOCK, "RH-003")
def an_approval_of_another_casting(world: World, rng: random.Random) -> Changes:
    cast = tuple(e.model_copy(update={"model": f"cg-{rng.random()}"}) for e in world.delivery.cast)
    return {"delivery": replace(world.delivery, cast=cast)}


@defect(BLOCK, "RH-001")
def an_approval_for_other_territories(world: World, rng: random.Random) -> Changes:
    return _with(world, world.approval(delivery=_distributed(world, territories=(rng.choice(["US", "150", "JP"]),))))


@defect(BLOCK, "RH-001")
def an_approval_for_other_channels(world: World, rng: random.Random) -> Changes:
    channel = rng.choice([c for c in Channel if c != Channel.SVOD])
    return _with(world, world.approval(delivery=_distributed(world, channels=(channel,))))


@defect(BLOCK, "RH-001")
def a_partner_that_nobody_approved(world: World, rng: random.Random) -> Changes:
    elsewhere = _distributed(world, partners=(rng.choice(["prime_video", "disney_plus", "x-ours"]),))
    return {"delivery": world.with_evidence("partner-more", world.approval(), delivery=elsewhere)}


@defect(BLOCK, "RH-003")
def a_partner_left_out_so_that_its_rules_are_not_asked(world: World, rng: random.Random) -> Changes:
    return _with(world, world.approval(delivery=_distributed(world, partners=(rng.choice(["netflix", "x-ours"]),))))


@defect(BLOCK, "RH-001")
def an_approval_for_a_shorter_window(world: World, rng: random.Random) -> Changes:
    window = Window.model_validate({"from": NOW, "until": NOW + rng.randint(1, 300) * DAY})
    return _with(world, world.approval(delivery=_distributed(world, window=window)))


@defect(BLOCK, "RH-001")
def an_approval_for_another_language(world: World, rng: random.Random) -> Changes:
    other = replace(world.delivery, dub=replace(world.delivery.dub, language=rng.choice(["fr", "de", "en-GB"])))
    return _with(world, world.approval(delivery=other))


@defect(BLOCK, "RH-001")
def an_approval_for_another_title(world: World, rng: random.Random) -> Changes:
    return _with(world, world.approval(title_id="harbour"))


@defect(BLOCK, "RH-001")
def a_refusal_in_place_of_an_approval(world: World, rng: random.Random) -> Changes:
    return _with(world, world.approval(), world.approval(decision=ApprovalDecision.REJECT, at=NOW - DAY))


@defect(BLOCK, "RH-002")
def an_approval_whose_condition_is_open(world: World, rng: random.Random) -> Changes:
    return _with(world, world.approval(decision=ApprovalDecision.CONDITIONS, conditions=("Mend line 4.",)))


@defect(BLOCK, "RH-002")
def an_approval_that_has_expired(world: World, rng: random.Random) -> Changes:
    return _with(world, world.approval(at=NOW - rng.randint(180, 400) * DAY))


@defect(BLOCK, "RH-002")
def an_approval_from_the_future(world: World, rng: random.Random) -> Changes:
    return _with(world, world.approval(at=NOW + rng.randint(1, 400) * DAY))


@defect(BLOCK, "RH-002")
def an_approval_by_somebody_elses_holder(world: World, rng: random.Random) -> Changes:
    return _with(world, world.approval("rival", holder="kestrel"))


@defect(BLOCK, "RH-001")
def an_approval_by_a_stranger(world: World, rng: random.Random) -> Changes:
    return _with(world, world.approval(key=world.keys["stranger"]))


@defect(BLOCK, "RH-001")
def an_approval_in_another_partys_name(world: World, rng: random.Random) -> Changes:
    signer = rng.choice(["rival", "kestrel-clerk"])
    return _with(world, world.approval("kestrel", key=world.keys[signer]))


@defect(BLOCK, "RH-001")
def an_approval_by_a_key_that_has_lapsed(world: World, rng: random.Random) -> Changes:
    return _with(world, world.approval("kestrel-lapsed"))


@defect(BLOCK, "RH-001")
def an_approval_by_a_key_for_another_role(world: World, rng: random.Random) -> Changes:
    return _with(world, world.approval("kestrel-ear"))


@defect(BLOCK, "RH-001")
def an_approval_that_was_tampered_with(world: World, rng: random.Random) -> Changes:
    plain = json.loads(world.approval())
    payload = bytearray(base64.b64decode(plain["payload"]))
    payload[rng.randrange(len(payload))] ^= 1 << rng.randrange(7)
    plain["payload"] = base64.b64encode(bytes(payload)).decode()
    return _with(world, json.dumps(plain).encode())


@defect(BLOCK, "RH-001")
def an_approval_whose_signature_is_another(world: World, rng: random.Random) -> Changes:
    plain = json.loads(world.approval())
    signature = bytearray(base64.b64decode(plain["signatures"][0]["sig"]))
    signature[rng.randrange(len(signature))] ^= 1 << rng.randrange(8)
    plain["signatures"][0]["sig"] = base64.b64encode(bytes(signature)).decode()
    return _with(world, json.dumps(plain).encode())


@defect(BLOCK, "RH-002")
def an_approval_by_who_submits_it(world: World, rng: random.Random) -> Changes:
    by = rng.choice(["kestrel", "kestrel-clerk"])  # the holder itself, and somebody of its house who hands it in
    delivery = replace(world.delivery, submitter=by)
    return _with(world, world.approval(by, delivery=delivery), delivery=delivery)


@defect(HOLD, "INT-001")
def something_in_the_evidence_that_is_none(world: World, rng: random.Random) -> Changes:
    junk = rng.choice([b"", b"{}", b"[]", b"\xff", b'{"payload": 1}', b"[" * 5000, rng.randbytes(60)])
    return _with(world, world.approval(), junk)


# Label and sound


@defect(BLOCK, "LAB-001")
def no_entry_for_the_dub(world: World, rng: random.Random) -> Changes:
    return {"labels": Labels(())}


@defect(BLOCK, "LAB-001")
def a_name_that_tells_of_no_machine(world: World, rng: random.Random) -> Changes:
    name = rng.choice(["English", None, "Air", "MAID", "Al dub", "", "english (ai)"])
    return {"labels": Labels((replace(LABELLED, name=name),))}


@defect(BLOCK, "LAB-001")
def one_entry_of_two_without_a_label(world: World, rng: random.Random) -> Changes:
    entries = [LABELLED, replace(LABELLED, name="English 5.1")]
    rng.shuffle(entries)
    return {"labels": Labels(tuple(entries))}


@defect(BLOCK, "LAB-010")
def a_name_with_something_invisible(world: World, rng: random.Random) -> Changes:
    sign = rng.choice(["\u200b", "\u202e", "\u2066", "\x07", "\ue000"])
    return {"labels": Labels((replace(LABELLED, name=f"English [A{sign}I]"),))}


@defect(BLOCK, "LAB-010")
def a_label_that_could_not_be_read(world: World, rng: random.Random) -> Changes:
    return {"labels": Labels(rng.choice([(), (LABELLED,)]), ("master.m3u8: not an HLS playlist",))}


@defect(BLOCK, "LAB-009")
def a_label_on_something_else(world: World, rng: random.Random) -> Changes:
    return {"labels": Labels((replace(LABELLED, is_what_was_heard=rng.choice([False, None])),))}


@defect(BLOCK, "INT-002")
def a_stem_that_is_not_in_the_mix(world: World, rng: random.Random) -> Changes:
    return _stem(world, rng.uniform(-29.9, 3))


@defect(HOLD, "INT-002")
def a_stem_of_which_that_cannot_be_told(world: World, rng: random.Random) -> Changes:
    return _stem(world, Unmeasured("no music and effects"))


@defect(BLOCK, "INT-002")
def a_mix_that_holds_something_else_for_a_moment(world: World, rng: random.Random) -> Changes:
    return _stem(world, rng.uniform(-60, -31), _moment(rng))


@defect(HOLD, "INT-002")
def a_mix_that_was_not_looked_at_throughout(world: World, rng: random.Random) -> Changes:
    return _stem(world, rng.uniform(-60, -31), Unmeasured("it was not looked at"))


@defect(HOLD, "INT-008")
def speech_that_the_mono_sum_cancels(world: World, rng: random.Random) -> Changes:
    return _published(cancelled=rng.choice([_moment(rng), Unmeasured("it was not listened for")]))


@defect(HOLD, "INT-008")
def speech_beside_the_stem(world: World, rng: random.Random) -> Changes:
    return _published(in_effects=rng.choice([_moment(rng), Unmeasured("it was not listened for")]))


@defect(HOLD, "INT-009")
def another_sound_in_the_published_file(world: World, rng: random.Random) -> Changes:
    return _published(
        beside=rng.choice([("stream 2 (en)",), ("stream 3 (no language)",), Unmeasured("not looked for")])
    )


def _moment(rng: random.Random) -> tuple[Span, ...]:
    start_s = rng.uniform(0, 5)
    return (Span(start_s, start_s + rng.uniform(0.4, 3)),)


def _published(**changes: Any) -> Changes:
    heard = features()
    assert heard.published is not None
    return {"heard": replace(heard, published=replace(heard.published, **changes))}


def _stem(world: World, residual: float | Unmeasured, differs: tuple[Span, ...] | Unmeasured = ()) -> Changes:
    stem = Track(world.delivery.root / "dub.flac")
    return {
        "quality": replace(world.quality, stem=stem),
        "heard": replace(features(), mix=MixCheck(residual, NOT_HEARD, differs)),
    }


NAMES = sorted(DEFECTS)


def test_a_delivery_that_is_right_in_everything_is_released(right: Judgement) -> None:
    assert right.verdict.decision is Decision.RELEASE
    assert {"CON-000", "CON-001", "CON-030", "CON-031", "CON-032", "CON-033", "CON-035", "RH-001", "RH-003", "RH-020"} | {
        "LAB-001", "LAB-002", "LAB-009", "INT-002", "INT-003", "INT-004", "INT-008", "INT-009", "HOU-PEAK",
    } <= {f.rule for f in right.verdict.findings}  # fmt: skip
    assert not right.verdict.quality_only


@pytest.mark.usefixtures("quality_judged")
def test_the_same_with_the_quality_judged_beforehand_is_released(world: World, view: View) -> None:
    assert world.judged(view=view).verdict.decision is Decision.RELEASE


@pytest.mark.usefixtures("quality_judged")
@pytest.mark.parametrize("name", NAMES)
def test_one_defect_is_found_by_its_own_check(world: World, view: View, name: str) -> None:
    make, decision, rule = DEFECTS[name]
    judgement = world.judged(view=view, **make(world, random.Random(1)))
    assert (judgement.verdict.decision, rule in decisive(judgement)) == (decision, True), decisive(judgement)


@pytest.mark.timeout(900)
@pytest.mark.usefixtures("quality_judged")
@pytest.mark.parametrize("thousand", [0, *(pytest.param(k, marks=pytest.mark.slow) for k in range(1, 10))])
def test_of_10_000_deliveries_with_one_random_defect_each_none_is_released(
    world: World, view: View, thousand: int
) -> None:
    assert _released(world, view, 1_000, seed=2026 + thousand) == []


def _released(world: World, view: View, n: int, seed: int) -> list[tuple[int, str]]:
    rng = random.Random(seed)
    out = []
    for k in range(n):
        name = rng.choice(NAMES)
        verdict = world.judged(view=view, **DEFECTS[name][0](world, rng)).verdict
        if verdict.decision is Decision.RELEASE:
            out.append((k, name))
    return out


def test_no_quality_rule_never_releases(world: World) -> None:
    judgement = world.judged(quality=replace(world.quality, packs=("core",)))
    assert judgement.verdict.decision is Decision.HOLD
    assert decisive(judgement) == {"INT-004"}


def test_a_quality_rule_that_fails_holds(world: World) -> None:
    heard = features()
    loud = replace(heard.dub, levels=replace(heard.dub.levels, true_peak_dbtp=0.7))
    judgement = world.judged(heard=replace(heard, dub=loud))
    assert decisive(judgement) == {"HOU-PEAK"}
    assert judgement.verdict.decision is Decision.HOLD


@pytest.mark.parametrize("pinned", [False, None])
def test_a_model_that_nobody_pinned_holds(world: World, pinned: bool | None) -> None:
    heard = features()
    models = tuple(replace(m, pinned=False) for m in heard.models) if pinned is False else ()
    voiceless = features(Unmeasured("no encoder"))
    judgement = world.judged(heard=replace(heard if models else voiceless, models=models))
    assert "INT-003" in decisive(judgement)
    assert judgement.verdict.decision is not Decision.RELEASE


@pytest.mark.parametrize(
    ("residual", "decision"), [(-45.0, Decision.RELEASE), (-3.0, BLOCK), (Unmeasured("no music and effects"), HOLD)]
)
def test_a_stem_is_released_only_where_it_makes_up_the_mix(
    world: World, residual: float | Unmeasured, decision: Decision
) -> None:
    judgement = world.judged(**_stem(world, residual))
    assert judgement.verdict.decision is decision
    assert decisive(judgement) == (set() if decision is Decision.RELEASE else {"INT-002"})


@pytest.mark.usefixtures("quality_judged")
def test_a_human_dub_is_released_with_a_statement_and_without_a_label(world: World, view: View) -> None:
    cast = tuple(e.model_copy(update={"technique": "human", "voice": None}) for e in world.delivery.cast)
    delivery = replace(world.delivery, cast=cast)
    plain = Labels((replace(LABELLED, name="English", machine_readable=False),))
    signed = _with(world, world.approval(delivery=delivery), world.human(), delivery=delivery)
    judgement = world.judged(view=view, labels=plain, **signed)
    assert judgement.verdict.decision is Decision.RELEASE
    assert {f.outcome for f in judgement.verdict.findings if f.rule == "LAB-001"} == {Outcome.NOT_APPLICABLE}
    unsigned = _with(world, world.approval(delivery=delivery), delivery=delivery)
    assert world.judged(view=view, labels=plain, **unsigned).verdict.decision is Decision.HOLD


@pytest.mark.usefixtures("quality_judged")
def test_somebody_of_the_holders_house_may_approve(world: World, view: View) -> None:
    assert world.judged(view=view, **_with(world, world.approval("kestrel-clerk"))).verdict.decision is Decision.RELEASE


@pytest.mark.usefixtures("quality_judged")
@pytest.mark.parametrize(
    ("who", "decision"),
    [
        (("p-otto",), Decision.RELEASE),
        (("reviewer-a", "reviewer-b"), Decision.RELEASE),
        (("reviewer-b",), HOLD),
        (("reviewer-a", "reviewer-c"), HOLD),  # both of the vendor's house
        (("p-jonas",), HOLD),  # a performer, but not of this voice
        (("reviewer-a", "reviewer-d"), HOLD),  # a reviewer whose key may sign as performer only
        (("reviewer-b", "reviewer-b"), HOLD),  # one person, twice
    ],
)
def test_an_unconfirmed_voice_is_answered_by_its_owner_or_by_two_reviewers(
    world: World, view: View, who: tuple[str, ...], decision: Decision
) -> None:
    delivery: Delivery = _cast(world, "OTTO", voice="v-otto-new")["delivery"]
    answers = [world.attestation(by, "CON-034", "OTTO") for by in who]
    judgement = world.judged(view=view, **_with(world, world.approval(delivery=delivery), *answers, delivery=delivery))
    assert judgement.verdict.decision is decision


@pytest.mark.usefixtures("quality_judged")
@pytest.mark.parametrize(
    "how",
    [
        {"rule": "CON-031"},
        {"subject": "MARA"},
        {"sounds": replace(SOUNDS, dub=Sound("8" * 64, NOT_HEARD, 60.0))},
        {"at": NOW - 31 * DAY},
        {"at": NOW + DAY},
        {"key": "stranger"},
        {"key": "p-jonas"},
    ],
    ids=["other rule", "other subject", "other sound", "expired", "from the future", "stranger's key", "other's key"],
)
def test_an_attestation_of_something_else_answers_nothing(world: World, view: View, how: Changes) -> None:
    delivery: Delivery = _cast(world, "OTTO", voice="v-otto-new")["delivery"]
    said = {"rule": "CON-034", "subject": "OTTO"} | how
    if "key" in said:
        said["key"] = world.keys[said["key"]]
    rule, subject = said.pop("rule"), said.pop("subject")
    answer = world.attestation("p-otto", rule, subject, **said)
    changes = _with(world, world.approval(delivery=delivery), answer, delivery=delivery)
    assert "CON-034" in decisive(world.judged(view=view, **changes))


@pytest.mark.usefixtures("quality_judged")
def test_who_submits_a_dub_does_not_attest_to_it(world: World, view: View) -> None:
    delivery: Delivery = replace(_cast(world, "OTTO", voice="v-otto-new")["delivery"], submitter="p-otto")
    answer = world.attestation("p-otto", "CON-034", "OTTO")
    changes = _with(world, world.approval(delivery=delivery), answer, delivery=delivery)
    assert "CON-034" in decisive(world.judged(view=view, **changes))


@pytest.mark.usefixtures("quality_judged")
def test_no_attestation_touches_what_was_measured_as_another_voice(world: World, view: View) -> None:
    answers = [world.attestation(by, "CON-031", "OTTO") for by in ("p-otto", "reviewer-a", "reviewer-b")]
    changes = {"heard": features(dub_voices({"OTTO": NOBODY})), **_with(world, world.approval(), *answers)}
    assert "CON-031" in decisive(world.judged(view=view, **changes))


@pytest.mark.usefixtures("quality_judged")
def test_the_order_of_findings_does_not_matter_and_another_never_improves(world: World, view: View) -> None:
    rng = random.Random(9)
    for name in NAMES:
        found = list(world.judged(view=view, **DEFECTS[name][0](world, rng)).verdict.findings)
        decision = decide(found)
        rng.shuffle(found)
        assert decide(found) is decision
        parts = [decide(found[:k]) for k in range(1, len(found) + 1)]
        judged_from = next(k for k, f in enumerate(found) if f.outcome not in (Outcome.NOT_APPLICABLE, Outcome.WAIVED))
        assert parts[judged_from:] == sorted(parts[judged_from:])


def test_the_registry_is_opened_for_reading_only(world: World) -> None:
    before = world.registry.read_bytes()
    world.judged()
    assert world.registry.read_bytes() == before


@pytest.mark.usefixtures("quality_judged")
@pytest.mark.parametrize("by", ["kestrel", "kestrel-clerk"])
def test_nobody_approves_what_they_submitted(world: World, view: View, by: str) -> None:
    delivery = replace(world.delivery, submitter=by)
    changes = _with(world, world.approval(by, delivery=delivery), delivery=delivery)
    assert {"RH-001", "RH-002"} <= decisive(world.judged(view=view, **changes))


@pytest.mark.usefixtures("quality_judged")
@pytest.mark.parametrize(("submitter", "by"), [("kestrel", "kestrel-clerk"), ("kestrel-clerk", "kestrel")])
def test_a_holder_may_approve_its_own_title_and_the_verdict_says_so(
    world: World, view: View, submitter: str, by: str
) -> None:
    cast = tuple(e.model_copy(update={"technique": "human", "voice": None}) for e in world.delivery.cast)
    delivery = replace(world.delivery, cast=cast, submitter=submitter)
    signed = _with(world, world.approval(by, delivery=delivery), world.human(), delivery=delivery)
    plain = Labels((replace(LABELLED, name="English", machine_readable=False),))
    judgement = world.judged(view=view, labels=plain, **signed)
    assert judgement.verdict.decision is Decision.RELEASE
    [said] = [f for f in judgement.verdict.findings if f.rule == "RH-005"]
    assert said.outcome is Outcome.PASS
    assert "the registry shows kestrel as the holder" in said.text.en


@pytest.mark.usefixtures("quality_judged")
def test_the_submitters_house_does_not_approve_what_the_registry_shows_as_somebody_elses(
    world: World, view: View
) -> None:
    # rival submits, and its clerk signs in the house's own name: a rights holder, but not of this title
    delivery = replace(world.delivery, submitter="rival")
    changes = _with(world, world.approval("rival-clerk", holder="rival", delivery=delivery), delivery=delivery)
    found = world.judged(view=view, **changes).verdict.findings
    assert {f.outcome for f in found if f.rule == "RH-005"} == {Outcome.BLOCK}
    assert "RH-001" in {f.rule for f in found if f.outcome is Outcome.BLOCK}
