"""Open-set identification on vectors whose likeness is set: who is found, how sure, and what a larger gallery changes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dubgate.measure.voice_gallery import BLOCKING_RATE, HOLDING_RATE, Gallery, Identified, identify
from dubgate.speech.calibration import Band, gallery_threshold, packaged
from dubgate.unmeasured import Unmeasured, measured

D = 256
CALIBRATION = packaged()[0]
BAND: Band = measured(CALIBRATION.band(12.0))
VOICE = np.eye(D, dtype=np.float32)[0]
EMPTY = Gallery.of([], np.zeros((0, D), np.float32))


def alike(cosine: float, k: int = 1) -> np.ndarray:
    """A template at a known likeness to the voice that is heard."""
    row = np.zeros(D)
    row[0], row[k] = cosine, math.sqrt(1 - cosine**2)
    return row.astype(np.float32)


def gallery(*cosines: float, first: int = 0) -> Gallery:
    """Voices `v0`, `v1`… at known likenesses."""
    ids = [f"v{first + k}" for k in range(len(cosines))]
    return Gallery.of(ids, np.array([alike(c, 1 + k % (D - 1)) for k, c in enumerate(cosines)]).reshape(-1, D))


def strangers(n: int) -> Gallery:
    """Voices that nobody would take for the one that is heard."""
    return Gallery.of([f"s{k}" for k in range(n)], np.tile(alike(0.4), (n, 1)))


def at_llr(llr: float) -> float:
    """The cosine that the calibration makes `llr` of."""
    return (llr - BAND.offset) / BAND.slope


def found(*galleries: Gallery, apart_from: frozenset[str] = frozenset()) -> Identified:
    return measured(identify(VOICE, 12.0, galleries, CALIBRATION, apart_from=apart_from))


def test_the_voice_itself_is_found_among_strangers_beyond_doubt() -> None:
    [match] = found(gallery(0.5, 1.0, 0.6)).matches
    assert (match.voice_id, match.beyond_doubt) == ("v1", True)
    assert match.llr == pytest.approx(BAND.llr(1.0), abs=1e-4)
    assert match.sure_llr == pytest.approx(BAND.llr_at_least(1.0), abs=1e-4)


def test_in_an_open_set_nobody_may_be_found() -> None:
    assert found(gallery(0.5, 0.6)).matches == ()
    assert found(EMPTY) == Identified(())


@pytest.mark.parametrize("n", [1, 40, 2_000])
@pytest.mark.parametrize(("over_nat", "hit"), [(-0.05, False), (0.05, True)])
def test_the_threshold_is_that_of_the_gallery_s_size(n: int, over_nat: float, hit: bool) -> None:
    rows = np.vstack(
        [strangers(n - 1).rows.reshape(-1, D), alike(at_llr(gallery_threshold(HOLDING_RATE, n) + over_nat))]
    )
    ids = [f"s{k}" for k in range(n - 1)] + ["near"]
    assert [m.voice_id for m in found(Gallery.of(ids, rows)).matches] == ["near"] * hit


def test_a_hit_is_beyond_doubt_from_the_lowest_ratio_that_the_fit_allows() -> None:
    needed = gallery_threshold(BLOCKING_RATE, 1)
    cosines = np.linspace(0.7, 1.0, 600)
    first = next(c for c in cosines if BAND.llr_at_least(c) >= needed)
    for cosine, sure in ((first - 0.003, False), (first + 0.001, True)):
        [match] = found(gallery(float(cosine))).matches
        assert match.beyond_doubt is sure
    assert BAND.llr(first - 0.003) > needed  # the plain ratio would have claimed it


def test_a_small_gallery_keeps_its_power_beside_a_large_one() -> None:
    cosine = at_llr(gallery_threshold(HOLDING_RATE / 2, 3) + 0.1)
    near, crowd = gallery(cosine, 0.4, 0.4), strangers(5_000)
    assert [m.voice_id for m in found(near, crowd).matches] == ["v0"]
    joined = Gallery.of([*near.voice_ids, *crowd.voice_ids], np.vstack([near.rows, crowd.rows]))
    assert found(joined).matches == ()


def test_two_galleries_share_the_rate() -> None:
    cosine = at_llr(gallery_threshold(HOLDING_RATE, 1) + 0.2)
    assert len(found(gallery(cosine)).matches) == 1
    assert found(gallery(cosine), strangers(1)).matches == ()


def test_who_is_declared_is_neither_found_nor_counted() -> None:
    cosine = at_llr(gallery_threshold(HOLDING_RATE, 1) + 0.1)
    both = gallery(1.0, cosine)
    assert [m.voice_id for m in found(both).matches] == ["v0"]
    assert [m.voice_id for m in found(both, apart_from=frozenset({"v0"})).matches] == ["v1"]
    assert found(both, apart_from=frozenset({"v0", "v1"})) == Identified(())


def test_a_gallery_that_chance_would_win_is_a_gap_beside_what_the_small_one_gave() -> None:
    hopeless = math.ceil(HOLDING_RATE * math.exp(BAND.llr_at_least(1.0)) * 1.1)
    crowd = Gallery(np.broadcast_to(np.array("s"), hopeless), np.broadcast_to(alike(0.4), (hopeless, D)))
    alone = found(crowd)
    assert alone.matches == ()
    assert "cannot carry a search among" in measured_gap(alone)
    beside = found(gallery(1.0), crowd)
    assert [m.voice_id for m in beside.matches] == ["v0"]
    assert "cannot carry" in measured_gap(beside)


def measured_gap(said: Identified) -> str:
    assert said.gap is not None
    return said.gap.reason


@pytest.mark.parametrize("row", [np.zeros(D), np.full(D, np.nan), np.full(D, np.inf)])
def test_a_template_that_holds_no_voice_leaves_the_search_open(row: np.ndarray) -> None:
    broken = Gallery.of(["v0", "v1"], np.array([row, alike(1.0)], dtype=np.float32))
    said = found(broken)
    assert [m.voice_id for m in said.matches] == ["v1"]
    assert measured_gap(said) == "1 templates hold no voice"


@pytest.mark.parametrize("vector", [np.zeros(D), np.full(D, np.nan)])
def test_a_heard_vector_that_is_no_voice_is_unmeasured(vector: np.ndarray) -> None:
    assert isinstance(identify(vector.astype(np.float32), 12.0, [gallery(1.0)], CALIBRATION), Unmeasured)


def test_speech_too_short_for_the_calibration_is_unmeasured() -> None:
    assert isinstance(identify(VOICE, 1.0, [gallery(1.0)], CALIBRATION), Unmeasured)


def test_templates_of_any_length_are_compared_by_their_direction() -> None:
    scaled = Gallery.of(["v0"], 7.5 * alike(0.95)[None])
    assert found(scaled).matches[0].llr == pytest.approx(found(gallery(0.95)).matches[0].llr, abs=1e-3)


def test_a_voice_with_two_templates_is_found_once_at_its_best() -> None:
    twice = Gallery.of(["v0", "v0"], np.array([alike(0.9), alike(0.99)]))
    [match] = found(twice).matches
    assert match.llr == pytest.approx(BAND.llr(0.99), abs=1e-3)


def test_ids_and_rows_that_do_not_go_together_are_refused() -> None:
    with pytest.raises(ValueError, match="one id"):
        Gallery.of(["v0"], np.zeros((2, D), np.float32))


COSINES = st.lists(st.floats(0.3, 1.0), max_size=12)


@settings(max_examples=150, deadline=None)
@given(COSINES, st.integers(0, 300), st.booleans())
def test_a_larger_gallery_never_makes_a_hit_of_a_voice_that_was_none(
    cosines: Sequence[float], more: int, beside: bool
) -> None:
    own = gallery(*cosines)
    before = {m.voice_id: m for m in found(own).matches}
    grown = strangers(more)
    if beside:
        after = found(own, grown).matches
    else:
        joined = Gallery.of([*own.voice_ids, *grown.voice_ids], np.vstack([own.rows, grown.rows]))
        after = found(joined).matches
    assert {m.voice_id for m in after} <= before.keys()
    assert all(m.false_hit_rate >= before[m.voice_id].false_hit_rate for m in after)


@settings(max_examples=150, deadline=None)
@given(COSINES, st.randoms(use_true_random=False))
def test_the_order_of_a_gallery_is_nothing(cosines: Sequence[float], rng: object) -> None:
    own = gallery(*cosines)
    order = list(range(len(own)))
    rng.shuffle(order)  # type: ignore[attr-defined]
    turned = Gallery.of([str(own.voice_ids[k]) for k in order], own.rows[order])
    assert found(turned) == found(own)


@settings(max_examples=60, deadline=None)
@given(st.floats(0.3, 1.0), st.integers(1, 2_000), st.integers(0, 2_000))
def test_the_stated_rate_is_the_markov_bound_of_both_galleries_together(cosine: float, n: int, m: int) -> None:
    own = Gallery.of([f"v{k}" for k in range(n)], np.vstack([alike(cosine), np.tile(alike(0.1), (n - 1, 1))]))
    for match in found(own, strangers(m)).matches:
        expected = (2 if m else 1) * (1 - (1 - math.exp(-match.sure_llr)) ** n)
        assert match.false_hit_rate == pytest.approx(min(1.0, expected))
