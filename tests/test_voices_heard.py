"""Voices compared: with whom they claim to be and with who asked for protection, from made-up vectors with known angles."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from made_delivery import (
    AXES,
    DAY,
    ENCODER,
    NOBODY,
    NOW,
    ORIGINAL_AXES,
    SHEET,
    D,
    World,
    axis,
    dub_voices,
    features,
    make_world,
    segments,
)

from consent.events import Event
from consent.registry import Registry
from consent.views import View
from consent.vocabulary import EventKind, LegalBasis, PermissionKind
from consent.voices import Enrolment, Permission
from consent.writing import Addition
from dubgate.clearing import release_of
from dubgate.features import ProgrammeFeatures, VoiceSegment
from dubgate.measure.measurement import Scope, Subject
from dubgate.policy.findings import Finding, Outcome
from dubgate.policy.speakers import Heard
from dubgate.policy.voice_checks import protected
from dubgate.spans import Span
from dubgate.speech.calibration import gallery_threshold, packaged
from dubgate.unmeasured import Unmeasured, measured
from dubgate.voices_heard import CLONE_Z, Speaker, clone_score, compare_voices, originals, speakers_of

SHORT = Unmeasured("too short to tell a voice")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def view(world: World) -> Iterator[View]:
    with world.view() as opened:
        yield opened


def compared(world: World, view: View, heard: ProgrammeFeatures) -> dict[str | None, Heard]:
    release, _ = release_of(world.delivery, view)
    assert release is not None
    return {h.name: h for h in compare_voices(heard, SHEET, world.delivery, release, view, NOW)}


def at_cosine(own: int, cosine: float) -> np.ndarray:
    """A unit vector at a known likeness to an axis, else along nobody's."""
    return np.asarray(cosine * axis(own) + np.sqrt(1 - cosine**2) * axis(NOBODY), dtype=np.float32)


def speaking(name: str, vector: np.ndarray | Unmeasured, speech_s: float = 4.0) -> ProgrammeFeatures:
    return features(
        tuple(replace(v, vector=vector, speech_s=speech_s) if v.character == name else v for v in dub_voices())
    )


@pytest.mark.parametrize("cosine", [0.2, 0.5, 0.76, 0.9, 1.0])
def test_the_match_is_the_calibrated_ratio_of_the_likeness_and_the_seconds(
    world: World, view: View, cosine: float
) -> None:
    found = compared(world, view, speaking("OTTO", at_cosine(AXES["v-otto"], cosine)))["OTTO"]
    band = packaged()[0].band(12.0)
    assert not isinstance(band, Unmeasured)
    assert measured(found.match_llr) == pytest.approx(band.slope * cosine + band.offset, abs=0.01)
    assert found.speech_s == pytest.approx(12.0)
    assert len(found.spans) == 3


def test_pooling_weighs_lines_by_their_seconds() -> None:
    long, short = segments("A", 0, 0, 1, speech_s=9.0), segments("A", 1, 1, 1, speech_s=1.0)
    pooled = Speaker("A", (*long, *short)).pooled()
    assert not isinstance(pooled, Unmeasured)
    vector, seconds = pooled
    assert seconds == 10.0
    assert np.linalg.norm(vector) == pytest.approx(1.0, abs=1e-6)
    assert vector[0] / vector[1] == pytest.approx(9.0, rel=0.2)


@pytest.mark.parametrize(
    "vector",
    [SHORT, np.zeros(D, dtype=np.float32), np.full(D, np.nan, dtype=np.float32), np.full(D, np.inf, dtype=np.float32)],
)
def test_a_vector_that_is_none_is_unmeasured_everywhere(
    world: World, view: View, vector: np.ndarray | Unmeasured
) -> None:
    found = compared(world, view, speaking("OTTO", vector))["OTTO"]
    assert isinstance(found.match_llr, Unmeasured)
    assert isinstance(found.hits, Unmeasured)
    assert isinstance(found.original_llr, Unmeasured)


def test_speech_too_short_for_the_calibration_is_unmeasured(world: World, view: View) -> None:
    found = compared(world, view, speaking("OTTO", axis(2), speech_s=0.4))["OTTO"]
    assert isinstance(found.match_llr, Unmeasured)
    assert isinstance(found.hits, Unmeasured)


def test_a_protected_voice_is_hit_and_blocks_with_enough_speech_only(world: World, view: View) -> None:
    [hit] = measured_hits(compared(world, view, speaking("OTTO", axis(3)))["OTTO"])
    assert (hit.voice_id, hit.blocks) == ("v-karl", True)
    [short] = measured_hits(compared(world, view, speaking("OTTO", axis(3), speech_s=3.0))["OTTO"])
    assert (short.voice_id, short.blocks) == ("v-karl", False)


@pytest.mark.parametrize(("over_nat", "hits", "blocks"), [(-0.2, 0, False), (0.2, 1, False)])
def test_a_search_holds_from_a_false_hit_rate_of_5_percent(
    world: World, view: View, over_nat: float, hits: int, blocks: bool
) -> None:
    band = packaged()[0].band(12.0)
    assert not isinstance(band, Unmeasured)
    cosine = (gallery_threshold(0.05, 1) + over_nat - band.offset) / band.slope
    found = measured_hits(compared(world, view, speaking("OTTO", at_cosine(3, cosine)))["OTTO"])
    assert [h.blocks for h in found] == [blocks] * hits


def mixed(axis_of_some: int, n: int = 2, speech_s: float = 6.0) -> ProgrammeFeatures:
    """OTTO speaks 120 s with his own voice, and in between with another."""
    rest = tuple(v for v in dub_voices() if v.character != "OTTO")
    own, other = segments("OTTO", AXES["v-otto"], 30, 20, speech_s=6.0), segments("OTTO", axis_of_some, 50, n, speech_s)
    return features((*rest, *own, *other))


def test_a_protected_voice_in_some_of_a_characters_lines_is_hit(world: World, view: View) -> None:
    """Pooled with ten times as much of the declared voice it would be neither missed nor found."""
    [hit] = measured_hits(compared(world, view, mixed(AXES["v-karl"]))["OTTO"])
    assert (hit.voice_id, hit.blocks) == ("v-karl", True)
    [short] = measured_hits(compared(world, view, mixed(AXES["v-karl"], n=1))["OTTO"])
    assert (short.voice_id, short.blocks) == ("v-karl", False)
    assert measured_hits(compared(world, view, mixed(AXES["v-otto"]))["OTTO"]) == ()
    assert measured_hits(compared(world, view, mixed(AXES["v-karl"], n=1, speech_s=4.0))["OTTO"]) == (), "too little"


def test_a_stranger_in_some_of_a_characters_lines_leaves_the_match_open(world: World, view: View) -> None:
    found = compared(world, view, mixed(NOBODY))["OTTO"].match_llr
    assert isinstance(found, Unmeasured)
    assert "12.0 s of it sound like somebody else" in found.reason
    assert measured(compared(world, view, mixed(AXES["v-otto"]))["OTTO"].match_llr) > 10
    assert measured(compared(world, view, mixed(NOBODY, n=1, speech_s=1.0))["OTTO"].match_llr) > 5, "too little"


def test_a_stranger_in_many_lines_too_short_to_tell_a_voice_is_told_by_all_of_them(world: World, view: View) -> None:
    stranger = compared(world, view, mixed(NOBODY, n=5, speech_s=1.2))["OTTO"].match_llr
    assert isinstance(stranger, Unmeasured)
    assert "6.0 s of it sound like somebody else" in stranger.reason
    [hit] = measured_hits(compared(world, view, mixed(AXES["v-karl"], n=5, speech_s=1.2))["OTTO"])
    assert hit.voice_id == "v-karl"


def together(heard: ProgrammeFeatures) -> ProgrammeFeatures:
    """The same, with all of OTTO's lines in one of the diarizer's clusters."""
    assert not isinstance(heard.dub.voices, Unmeasured)
    voices = tuple(replace(v, cluster="S1") if v.character == "OTTO" else v for v in heard.dub.voices)
    return replace(heard, dub=replace(heard.dub, voices=voices))


@pytest.mark.parametrize("speech_s", [2.0, 4.0])
def test_one_line_of_a_stranger_leaves_the_match_open_whatever_the_diarizer_hears(
    world: World, view: View, speech_s: float
) -> None:
    found = compared(world, view, together(mixed(NOBODY, n=1, speech_s=speech_s)))["OTTO"].match_llr
    assert isinstance(found, Unmeasured)
    assert f"{speech_s:.1f} s of it sound like somebody else" in found.reason
    assert measured(compared(world, view, together(mixed(AXES["v-otto"], n=1)))["OTTO"].match_llr) > 10


def test_a_protected_voice_is_hit_in_lines_that_the_diarizer_does_not_part(world: World, view: View) -> None:
    [hit] = measured_hits(compared(world, view, together(mixed(AXES["v-karl"])))["OTTO"])
    assert (hit.voice_id, hit.blocks) == ("v-karl", True)


def test_a_line_that_is_unlike_the_others_and_like_the_enrolled_voice_is_its_own(world: World, view: View) -> None:
    heard = together(mixed(AXES["v-otto"], n=1, speech_s=3.0))
    assert not isinstance(heard.dub.voices, Unmeasured)
    whispered = at_cosine(AXES["v-otto"], 0.71)
    voices = tuple(replace(v, vector=whispered) if v.speech_s == 3.0 else v for v in heard.dub.voices)
    found = compared(world, view, replace(heard, dub=replace(heard.dub, voices=voices)))["OTTO"]
    assert measured(found.match_llr) > 10


def test_one_voice_in_two_moods_is_still_its_own(world: World, view: View) -> None:
    """The diarizer may take them for two; what is alike enough is not rejected."""
    heard = mixed(AXES["v-otto"])
    assert not isinstance(heard.dub.voices, Unmeasured)
    moods = tuple(replace(v, cluster="S9") if v.span.start_s >= 240 else v for v in heard.dub.voices)
    found = compared(world, view, replace(heard, dub=replace(heard.dub, voices=moods)))["OTTO"]
    assert measured(found.match_llr) > 10
    assert measured_hits(found) == ()


def test_a_clone_of_an_original_speaker_in_some_of_a_characters_lines_stands_out(world: World, view: View) -> None:
    assert measured(compared(world, view, mixed(ORIGINAL_AXES[1]))["OTTO"].original_llr) > CLONE_Z
    assert measured(compared(world, view, mixed(ORIGINAL_AXES[1], n=1))["OTTO"].original_llr) < CLONE_Z, "too little"
    assert measured(compared(world, view, mixed(AXES["v-otto"]))["OTTO"].original_llr) < CLONE_Z


def measured_hits(heard: Heard) -> tuple:  # type: ignore[type-arg]
    assert not isinstance(heard.hits, Unmeasured)
    return heard.hits


def test_a_declared_protected_voice_is_no_hit_of_itself(world: World, view: View) -> None:
    cast = tuple(e.model_copy(update={"voice": "v-karl"}) if e.name == "OTTO" else e for e in world.delivery.cast)
    changed = replace(world, delivery=replace(world.delivery, cast=cast))
    found = compared(changed, view, speaking("OTTO", axis(3)))["OTTO"]
    assert found.hits == ()
    # `protect` is no `match`: the declared voice itself may not be compared
    assert isinstance(found.match_llr, Unmeasured)


def test_a_voice_is_not_compared_without_match_even_where_it_is_enrolled(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    world = make_world(tmp_path_factory.mktemp("withdrawn"))
    with Registry.open(world.registry, clock=lambda: NOW - DAY) as registry:
        registry.add(
            Event(
                event_id="e-no-match",
                target="permission",
                target_id="pm-v-otto-match",
                kind=EventKind.WITHDRAWN,
                effective_at=NOW - DAY,
                by="p-otto",
            )
        )
    with world.view() as view:
        found = compared(world, view, features())
    assert isinstance(found["OTTO"].match_llr, Unmeasured)
    assert not isinstance(found["MARA"].match_llr, Unmeasured)


def test_a_protected_voice_enrolled_for_another_encoder_only_leaves_the_search_open(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    world = make_world(tmp_path_factory.mktemp("other-encoder"))
    other = replace(features(), models=(replace(features().models[0], weights_sha256="f" * 64),))
    with world.view() as view:
        assert {type(h.hits) for h in compared(world, view, other).values()} == {Unmeasured}
        assert all(h.hits == () for h in compared(world, view, features()).values())
    with Registry.open(world.registry, clock=lambda: NOW - DAY) as registry:
        second = Enrolment(
            enrolment_id="en-karl-2",
            voice_id="v-karl",
            encoder_sha256="f" * 64,
            dimension=D,
            speech_s=30.0,
            audio_sha256="a" * 64,
            supplied_by="p-karl",
            confirmed_by="p-karl",
        )
        registry.add(Addition(second, vector=[float(x) for x in axis(3)]))
    with world.view() as view:
        assert all(h.hits == () for h in compared(world, view, features()).values())
        reasons = {h.hits.reason for h in compared(world, view, other).values() if isinstance(h.hits, Unmeasured)}
    assert all("calibration" in r for r in reasons)
    assert reasons


def test_no_speaker_encoder_compares_nothing(world: World, view: View) -> None:
    [only] = compared(world, view, replace(features(), models=())).values()
    assert only.name is None
    assert isinstance(only.match_llr, Unmeasured)
    assert isinstance(only.hits, Unmeasured)


def test_voices_that_nothing_could_hear_are_one_speaker_outside_every_line(world: World, view: View) -> None:
    heard = features()
    deaf = replace(heard, dub=replace(heard.dub, voices=SHORT))
    [only] = compared(world, view, deaf).values()
    assert (only.name, only.spans) == (None, heard.dub.speech)
    assert compared(world, view, replace(deaf, dub=replace(deaf.dub, speech=()))) == {}


def test_speakers_are_characters_and_one_for_each_stranger_outside_the_lines() -> None:
    voices = (*segments("A", 0, 0), *segments("B", 1, 3), *segments(None, 5, 6, 2), *segments(None, 6, 8, 1))
    found = speakers_of(voices)
    assert [(s.name, len(s.segments)) for s in found] == [("A", 3), ("B", 3), (None, 2), (None, 1)]
    assert sum(s.speech_s for s in found) == pytest.approx(sum(v.speech_s for v in voices))


def test_lines_without_speech_are_nobody() -> None:
    silent = VoiceSegment(Span(0, 1), 0.0, "L0", "A", SHORT)
    assert speakers_of([silent]) == ()


def test_the_originals_speakers_are_its_clusters() -> None:
    pooled = originals(features())
    assert not isinstance(pooled, Unmeasured)
    assert [int(np.argmax(v)) for v in pooled] == list(ORIGINAL_AXES)


def test_a_clone_stands_out_towards_one_original_speaker_and_a_stranger_does_not() -> None:
    null = originals(features())
    clone = Speaker("A", segments("A", ORIGINAL_AXES[1], 40))
    assert measured(clone_score(clone, null)) > 5 * CLONE_Z
    for k in range(30):
        assert measured(clone_score(Speaker("A", segments("A", NOBODY, 50 + 3 * k)), null)) < CLONE_Z


@pytest.mark.parametrize("n", [0, 1])
def test_an_original_with_fewer_than_two_speakers_tells_nothing(n: int) -> None:
    null = tuple(axis(k) for k in ORIGINAL_AXES[:n])
    assert isinstance(clone_score(Speaker("A", segments("A", 0, 0)), null), Unmeasured)


def test_templates_and_voices_of_one_encoder_only_are_compared(world: World, view: View) -> None:
    assert {e.enrolment.encoder_sha256 for e in view.protected_voices(NOW, encoder_sha256=ENCODER)} == {ENCODER}
    assert view.protected_voices(NOW, encoder_sha256="f" * 64) == ()
    assert view.protected_for_others(NOW, encoder_sha256="f" * 64) == {"v-karl"}
    assert view.protected_for_others(NOW, encoder_sha256=ENCODER) == frozenset()


def test_the_report_says_how_many_were_looked_for_and_how_many_were_not(world: World, view: View) -> None:
    for heard in compared(world, view, features()).values():
        assert (heard.n_searched, heard.n_unpermitted) == (1, 6)  # Karl alone asked for protection
    [said] = protected_findings(compared(world, view, features())["OTTO"])
    assert said.text.en.endswith("(1 looked for; 6 enrolled without `protect` were not)")


def protected_findings(heard: Heard) -> list[Finding]:
    return list(protected(heard, Subject(Scope.CHARACTER, "OTTO"), "OTTO"))


def test_a_hit_of_an_enrolment_that_nobody_confirmed_is_unknown(tmp_path_factory: pytest.TempPathFactory) -> None:
    world = make_world(tmp_path_factory.mktemp("poisoned"))
    with Registry.open(world.registry, clock=lambda: NOW - DAY) as registry:
        registry.add(
            Permission(
                permission_id="pm-new-protect",
                voice_id="v-otto-new",
                kind=PermissionKind.PROTECT,
                given_by="p-otto",
                legal_basis=LegalBasis.GDPR_EXPLICIT_CONSENT,
                not_before=NOW - DAY,
                not_after=NOW + DAY,
            )
        )
    with world.view() as view:
        found = compared(world, view, speaking("MARA", axis(2)))["MARA"]
    [hit] = measured_hits(found)
    assert (hit.voice_id, hit.confirmed) == ("v-otto-new", False)
    [said] = protected_findings(found)
    assert (said.outcome, said.voice_id) == (Outcome.UNKNOWN, "v-otto-new")
    assert "nobody confirmed" in said.text.en
