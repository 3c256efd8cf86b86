"""Episodes against the earlier ones: another voice, register, level or model is named, in its episode and no other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from batch_tasks import facts
from hypothesis import given, settings
from hypothesis import strategies as st
from made_delivery import ENCODER, NOW, SHEET, World, features, make_world

from dubgate.engine import judging, series
from dubgate.engine.jobs import Failure, Job, Settings, Trait, Voices
from dubgate.engine.series import Episode, by_series, compare, natural
from dubgate.engine.traits import traits_of, voices_of
from dubgate.measure.measurement import Scope, Subject
from dubgate.policy.findings import Finding, Group, Outcome, Text
from dubgate.speech.calibration import packaged
from dubgate.unmeasured import Unmeasured

ADA = Trait("ADA", ("v-ada",), "voice_clone_tts", "V", "m-1.0", 40.0, 85.0, -22.0)
BO = Trait("BO", ("v-bo",), "voice_clone_tts", "V", "m-1.0", 40.0, 79.0, -20.0)
D = 256


def voice(k: int, seed: int = 0) -> np.ndarray:
    """A vector as GE2E's: voices of one person are alike, those of two are not."""
    base = np.random.default_rng(k).random(D)
    take = base + 0.05 * np.random.default_rng((k, seed)).standard_normal(D)
    other = np.abs(take - 0.5)
    return np.asarray(other / np.linalg.norm(other), dtype=np.float32)


def episode(n: int, traits: Sequence[Trait] = (ADA, BO), voices: Voices | None = None, **changes: Any) -> Episode:
    told = {t.character: (voice(k, n), 40.0) for k, t in enumerate(traits)} if voices is None else voices
    name = f"Episode {n}"
    return Episode(f"ep{n}", facts(name, traits=tuple(traits), encoder_sha256=ENCODER, **changes), told)


def season(**odd: Episode) -> list[Episode]:
    return [odd.get(f"e{n}", episode(n)) for n in range(1, 13)]


def named(found: dict[str, tuple[Finding, ...]]) -> dict[str, list[tuple[str, str]]]:
    return {name: [(f.rule, f.subject.name) for f in each] for name, each in found.items() if each}


def test_a_season_of_one_cast_shows_nothing() -> None:
    assert named(compare(season())) == {}


def test_a_voice_that_changes_in_episode_7_of_12_is_named_there_alone() -> None:
    other = episode(7, voices={"ADA": (voice(5, 7), 40.0), "BO": (voice(1, 7), 40.0)})
    assert named(compare(season(e7=other))) == {"ep7": [("SER-VOICE", "ADA")]}


def test_a_voice_that_stays_changed_is_named_in_every_episode_from_there() -> None:
    changed = {f"e{n}": episode(n, voices={"ADA": (voice(5, n), 40.0)}) for n in range(7, 13)}
    assert named(compare(season(**changed))) == {f"ep{n}": [("SER-VOICE", "ADA")] for n in range(7, 13)}


def test_a_voice_is_not_compared_where_its_owner_does_not_permit_it() -> None:
    shy = replace(ADA, not_compared="no permission to match v-ada")
    other = episode(7, (shy, BO), voices={"ADA": (voice(5, 7), 40.0)})
    assert named(compare(season(e7=other))) == {}


def test_too_little_speech_names_no_voice() -> None:
    assert named(compare(season(e7=episode(7, voices={"ADA": (voice(5, 7), 4.0)})))) == {}


def test_without_a_calibration_no_voice_is_named() -> None:
    odd = season(e7=episode(7, voices={"ADA": (voice(5, 7), 40.0)}))
    unknown = [replace(e, facts=replace(e.facts, encoder_sha256="0" * 64)) for e in odd]
    assert named(compare(unknown)) == {}


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"model": "m-1.1"}, "SER-MODEL"),
        ({"vendor": "W"}, "SER-MODEL"),
        ({"technique": "human"}, "SER-MODEL"),
        ({"voice_ids": ("v-eve",)}, "SER-MODEL"),
        ({"register_st": 85.0 + series.REGISTER_ST + 0.1}, "SER-REGISTER"),
        ({"register_st": 85.0 - series.REGISTER_ST - 0.1}, "SER-REGISTER"),
        ({"level_db": -22.0 - series.LEVEL_DB - 0.1}, "SER-LEVEL"),
    ],
)
def test_what_drifts_in_episode_7_is_named(change: dict[str, Any], rule: str) -> None:
    found = named(compare(season(e7=episode(7, (replace(ADA, **change), BO)))))
    assert found.pop("ep7") == [(rule, "ADA")]
    # a change of what is declared is named once more where it is taken back, a drift is not
    assert found == ({"ep8": [(rule, "ADA")]} if rule == "SER-MODEL" else {})


@pytest.mark.parametrize(
    "change",
    [
        {"register_st": 85.0 + series.REGISTER_ST - 0.1},
        {"level_db": -22.0 + series.LEVEL_DB - 0.1},
        {"register_st": Unmeasured("too little"), "level_db": Unmeasured("too little")},
    ],
)
def test_what_is_inside_the_bounds_or_unmeasured_is_not_named(change: dict[str, Any]) -> None:
    assert named(compare(season(e7=episode(7, (replace(ADA, **change), BO))))) == {}


def test_what_other_episodes_show_only_warns() -> None:
    odd = episode(
        7, (replace(ADA, model="m-2", register_st=95.0, level_db=-40.0), BO), voices={"ADA": (voice(5), 40.0)}
    )
    found = compare(season(e7=odd))["ep7"]
    assert {f.rule for f in found} == {"SER-MODEL", "SER-REGISTER", "SER-LEVEL", "SER-VOICE"}
    assert {f.outcome for f in found} == {Outcome.WARN}
    assert all(f.text.ja and f.why.ja and f.remedy.ja and f.value and f.bound_ja for f in found)


def test_episodes_are_in_the_order_of_their_numbers_and_languages_apart() -> None:
    mixed = [episode(n) for n in (10, 2, 1)] + [episode(3, language="fr"), episode(4, series=None)]
    [(key, each)] = by_series(mixed).items()
    assert key == ("title:season-1", "en")
    assert [e.name for e in each] == ["ep1", "ep2", "ep10"]


@given(st.text(max_size=12), st.integers(0, 10**12), st.integers(0, 10**12))
@settings(max_examples=50)
def test_any_titles_have_an_order_and_numbers_count_by_value(title: str, one: int, two: int) -> None:
    assert (natural(f"{title} {one}") < natural(f"{title} {two}")) is (one < two)


@settings(max_examples=30, deadline=None)
@given(st.permutations(range(12)))
def test_the_order_in_which_deliveries_end_changes_nothing(order: list[int]) -> None:
    each = season(e7=episode(7, voices={"ADA": (voice(5, 7), 40.0)}))
    [episodes] = by_series([each[k] for k in order]).values()
    assert named(compare(episodes)) == {"ep7": [("SER-VOICE", "ADA")]}


# -- what a delivery says of its characters ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world"))


def test_only_voices_whose_owner_permits_it_leave_a_delivery(world: World) -> None:
    with world.view() as view:
        allowed = traits_of(world.delivery, features(), SHEET, view, NOW)
        forbidden = traits_of(world.delivery, features(), SHEET, view, NOW.replace(year=2020))
    assert [t.character for t in allowed] == ["MARA", "JONAS", "OTTO"]
    permitted = {t.character for t in allowed if t.not_compared is None}
    assert "MARA" in permitted
    assert set(voices_of(features(), allowed)) == permitted
    assert all(t.not_compared is not None for t in forbidden)
    assert voices_of(features(), forbidden) == {}


def test_a_human_without_a_registered_voice_is_not_compared(world: World) -> None:
    cast = tuple(e.model_copy(update={"voice": None, "technique": "human"}) for e in world.delivery.cast)
    with world.view() as view:
        traits = traits_of(replace(world.delivery, cast=cast), features(), SHEET, view, NOW)
    assert all(t.not_compared is not None for t in traits)


def test_level_and_register_are_those_of_the_characters_own_lines(world: World) -> None:
    with world.view() as view:
        [mara, *_] = traits_of(world.delivery, features(), SHEET, view, NOW)
    assert mara.level_db == pytest.approx(-40.0, abs=0.01)
    assert mara.speech_s == pytest.approx(15.0)
    assert isinstance(mara.register_st, Unmeasured)


def test_a_finding_of_the_series_that_would_decide_is_refused() -> None:
    worse = Finding("SER-VOICE", "series", Group.QUALITY, Subject(Scope.PROGRAMME), Outcome.HOLD, Text("a", "b"))
    settings_ = Settings("r.db", NOW)
    result = judging.rewrite_one(Job("a", "/nowhere/delivery.yaml"), settings_, (worse,), "x")
    assert isinstance(result, Failure)
    assert "only warn" in result.why


def test_a_voice_is_told_from_another_by_the_shipped_calibration() -> None:
    scale = packaged()[0]
    same, other = (float(np.dot(voice(0, 1), voice(k, 2))) for k in (0, 5))
    assert scale.encoder_sha256 == ENCODER
    assert scale.llr(same, 40.0) > 0 > scale.llr(other, 40.0)  # type: ignore[operator]
