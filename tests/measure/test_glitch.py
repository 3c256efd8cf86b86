"""Damage: holes that cut into lines against silence by design, clipping, clicks, length and noise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from timing_features import by_line, lines_at, of, programme, sheet, track

from dubgate.delivery.script import CueKind
from dubgate.features import Levels, Series, TrackFeatures
from dubgate.measure.glitch import measure_glitch, snr_db
from dubgate.measure.metrics import METRICS
from dubgate.spans import Span, difference
from dubgate.unmeasured import Unmeasured, measured

LINES = lines_at(6)
END = 40.0
SCRIPT = sheet(LINES)


def with_levels(made: TrackFeatures, **levels: object) -> TrackFeatures:
    return replace(made, levels=replace(made.levels, **levels))


def holed(holes: list[Span], *, silent_by_design: bool = False, fade: bool = False) -> TrackFeatures:
    """A dub with holes of digital silence; the level falls before silence by design, before holes if `fade`."""
    made = track(LINES, END)
    energy = made.energy_db.values.copy()
    between = difference([Span(0.0, END)], made.speech) if silent_by_design else ()
    for hole in (*holes, *between):
        first, last = round(hole.start_s * 100), round(hole.end_s * 100)
        energy[first:last] = -120.0
        if first >= 8 and (fade or hole not in holes):
            energy[first - 8 : first] = np.linspace(-30, -70, 8)
    return with_levels(replace(made, energy_db=Series(0.01, energy)), mutes=(*sorted((*holes, *between)),))


def dropouts(dub: TrackFeatures) -> dict[str, float | Unmeasured]:
    return by_line(measure_glitch(programme(track(LINES, END), dub), SCRIPT), "dropout_s")


def hole_in(k: int, length_s: float = 0.2) -> Span:
    middle = sum(LINES[k]) / 2
    return Span(middle, middle + length_s)


def test_a_hole_in_a_line_is_found_in_that_line() -> None:
    found = dropouts(holed([hole_in(2)]))
    assert measured(found["3"]) == pytest.approx(0.2)
    assert [measured(v) for name, v in found.items() if name != "3"] == [0.0] * 5


def test_a_hole_between_lines_is_nobodys() -> None:
    hole = Span(LINES[1][1] + 0.1, LINES[1][1] + 0.3)
    assert set(dropouts(holed([hole])).values()) == {0.0}


def test_in_a_dub_that_is_digitally_silent_between_words_only_cuts_count() -> None:
    assert measured(dropouts(holed([hole_in(2)], silent_by_design=True))["3"]) == pytest.approx(0.2)
    assert set(dropouts(holed([hole_in(2)], silent_by_design=True, fade=True)).values()) == {0.0}
    assert measured(dropouts(holed([hole_in(2)], fade=True))["3"]) == pytest.approx(0.2)


def test_a_voice_that_cuts_all_its_phrases_off_leaves_holes_untold() -> None:
    made = holed([hole_in(2)], silent_by_design=True)
    energy = made.energy_db.values.copy()
    for span in made.speech:  # full level up to the frame before digital silence
        energy[round(span.end_s * 100) - 4 : round(span.end_s * 100)] = -25.0
    found = dropouts(replace(made, energy_db=Series(0.01, energy)))
    assert isinstance(found.pop("3"), Unmeasured)
    assert set(found.values()) == {0.0}


def test_a_digitally_silent_dub_is_unmeasured_and_not_free_of_dropouts() -> None:
    silent = with_levels(track([], END), mutes=(Span(0.0, END),))
    assert all(isinstance(v, Unmeasured) for v in dropouts(silent).values())


def test_kept_originals_are_left_out() -> None:
    script = replace(SCRIPT, cues=(replace(SCRIPT.cues[0], kind=CueKind.KEPT_ORIGINAL), *SCRIPT.cues[1:]))
    found = by_line(measure_glitch(programme(track(LINES, END), track(LINES, END)), script), "dropout_s")
    assert "1" not in found
    assert len(found) == 5


def test_every_metric_of_the_group_comes_out() -> None:
    found = measure_glitch(programme(track(LINES, END), track(LINES, END)), SCRIPT)
    assert {m.metric for m in found} == {n for n, m in METRICS.items() if m.group == "glitch"}


def test_clipping_clicks_and_length_are_passed_on_with_their_places() -> None:
    dub = with_levels(track(LINES, END), clipped_samples=64, clipped=(Span(1.0, 1.1),), clicks_s=(2.0, 3.0))
    found = measure_glitch(programme(track(LINES, END - 1.5), dub), SCRIPT)
    assert measured(of(found, "clipping_ratio").value) == pytest.approx(64 / (END * 16_000))
    assert of(found, "clipping_ratio").spans == (Span(1.0, 1.1),)
    assert of(found, "click_count").value == 2.0
    assert [s.start_s < t < s.end_s for s, t in zip(of(found, "click_count").spans, (2.0, 3.0), strict=True)] == [
        True
    ] * 2
    assert measured(of(found, "duration_difference_s").value) == pytest.approx(1.5)


def test_an_empty_dub_is_unmeasured_throughout() -> None:
    empty = track([], 0.0, levels=Levels(16_000, 1, np.zeros(0), -120.0, 0, 0))
    found = measure_glitch(programme(track(LINES, END), empty), sheet([]))
    assert all(isinstance(m.value, Unmeasured) for m in found)


def test_the_noise_floor_is_told_from_speech() -> None:
    assert measured(snr_db(track(LINES, END))) == pytest.approx(45.0)
    assert isinstance(snr_db(track([], END)), Unmeasured)
