"""A pilot learns what is missing and is never a release, whatever is right."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from made_delivery import NOW, SOUNDS, World, features, make_world

from consent.vocabulary import Channel
from dubgate.delivery.manifest import load_delivery
from dubgate.delivery.script import Cue, CueSheet
from dubgate.errors import DubgateError, InputError
from dubgate.judgement import Clock as Timecode
from dubgate.labels.tracks import LabelledTrack, Labels
from dubgate.listening import Heard
from dubgate.measure.level import measure_level
from dubgate.measure.measurement import Measurement, Scope, Subject
from dubgate.pilot.excerpt import stretch_of
from dubgate.pilot.figures import too_few
from dubgate.pilot.running import Clock, Pilot, PilotRequest, run_pilot
from dubgate.policy.packs import load_packs
from dubgate.policy.verdict import Decision, Verdict
from dubgate.report.pilots import pilot_json, pilot_text
from dubgate.spans import Span

VTT = "WEBVTT\n\n" + "\n".join(
    f"{n}\n00:{t // 60:02}:{t % 60:02}.000 --> 00:{(t + 4) // 60:02}:{(t + 4) % 60:02}.000\n<v {who}>so it is\n"
    for n, (t, who) in enumerate(((2, "MARA"), (30, "JONAS"), (36, "OTTO"), (42, "MARA"), (80, "OTTO")))
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    import soundfile

    made = make_world(tmp_path_factory.mktemp("pilot"))
    noise = (0.05 * np.random.default_rng(1).standard_normal(90 * 16_000)).astype(np.float32)
    for name in ("original.flac", "dub.flac"):
        soundfile.write(made.delivery.root / name, noise, 16_000)
    (made.delivery.root / "script.vtt").write_text(VTT, encoding="utf-8")
    return replace(made, delivery=load_delivery(made.delivery.root / "delivery.yaml"))


@contextmanager
def heard(world: World, label: str = "English [AI]") -> Iterator[None]:
    """What hearing would find of the excerpt; everything beside it is the real thing."""
    from dubgate.delivery.cues import read_cues

    def hear(quality: Any, progress: Any) -> Heard:
        return Heard(features(), read_cues(quality.script, language="en"), Timecode(), (0, 0))

    track = LabelledTrack("dub.flac", label, "en", machine_readable=True, is_what_was_heard=True)
    with (
        patch("dubgate.pilot.running.hear", hear),
        patch("dubgate.pilot.running.labels_of", lambda *_: Labels((track,))),
        patch("dubgate.gate.measure", lambda heard, sheet, style: measure_level(heard)),
    ):
        yield


def piloted(world: World, out: Path, **changes: Any) -> Pilot:
    packs = (str(world.folder / "house.yaml"),)
    request = PilotRequest(world.delivery.root / "delivery.yaml", str(world.registry), out, packs=packs, **changes)
    with heard(world):
        return run_pilot(request, at=NOW, progress=lambda *_: None, clock=Clock())


@pytest.fixture(scope="module")
def pilot(world: World, tmp_path_factory: pytest.TempPathFactory) -> Pilot:
    return piloted(world, tmp_path_factory.mktemp("out") / "pilot", length_s=20.0)


def test_the_excerpt_is_the_stretch_where_most_is_said(pilot: Pilot) -> None:
    assert pilot.span == Span(30.0, 50.0)
    delivery = load_delivery(pilot.manifest)
    assert [e.name for e in delivery.cast] == ["MARA", "JONAS", "OTTO"]
    import soundfile

    assert delivery.dub.mix is not None
    assert soundfile.info(delivery.dub.mix.path).duration == pytest.approx(20.0, abs=0.01)


def test_a_pilot_goes_to_no_audience_whatever_the_delivery_is_for(pilot: Pilot) -> None:
    where = load_delivery(pilot.manifest).distribution
    assert where is not None
    assert where.channels == (Channel.INTERNAL_TEST,)
    held = [f.rule for f in pilot.judgement.verdict.findings if f.rule == "INT-006" and f.outcome.name == "HOLD"]
    assert held == ["INT-006"]
    assert pilot.judgement.verdict.decision is not Decision.RELEASE


def test_every_stage_has_its_time(pilot: Pilot) -> None:
    assert list(pilot.seconds) == ["read", "excerpt", "label", "hear", "judge", "disclose"]
    assert all(seconds >= 0 for seconds in pilot.seconds.values())


def test_what_is_missing_and_who_decides_is_told(pilot: Pilot) -> None:
    text = pilot_text(pilot)
    assert "RH-001" in text
    assert "rights holder: RH-001" in text
    assert "never a release" in text
    assert pilot.exit_code == 1
    plain = pilot_json(pilot)
    assert plain["release"] is False
    assert "decision" not in json.dumps(plain)
    assert {"rights holder"} <= {p["who"] for p in plain["people_decide"]}


def test_the_planned_label_is_written_into_the_excerpt(pilot: Pilot) -> None:
    from dubgate.labels.reading import inspect_labels

    assert pilot.notes == ()
    dub = load_delivery(pilot.manifest).dub.mix
    assert dub is not None
    assert any(t.human_readable for t in inspect_labels(dub.path).tracks)


def test_even_an_approved_pilot_is_held(world: World, pilot: Pilot) -> None:
    delivery = load_delivery(pilot.manifest)
    evidence = delivery.root / "evidence"
    evidence.mkdir(exist_ok=True)
    (evidence / "approval.json").write_bytes(world.approval(delivery=delivery, sounds=SOUNDS))
    sheet = CueSheet("script.vtt", ())
    judged = world.judged(delivery=delivery, sheet=sheet)
    outcomes = {f.rule: f.outcome.name for f in judged.verdict.findings if f.rule in ("RH-001", "INT-006")}
    assert outcomes["INT-006"] == "HOLD"
    assert judged.verdict.decision is not Decision.RELEASE
    (evidence / "approval.json").unlink()


def test_a_pilot_that_came_out_as_a_release_is_an_error(world: World, tmp_path: Path) -> None:
    with patch.object(Verdict, "decision", Decision.RELEASE), pytest.raises(DubgateError, match="can never be"):
        piloted(world, tmp_path / "pilot", length_s=20.0)


@pytest.mark.parametrize("blocking", [0, 1])
def test_the_exit_code_is_never_that_of_a_release(pilot: Pilot, blocking: int) -> None:
    some = pilot.judgement.verdict.findings[:blocking]
    assert replace(pilot, blocking=some, holding=(), people=()).exit_code == (1 if blocking else 3)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"length_s": 14.9}, "15 to 60"),
        ({"length_s": 60.1}, "15 to 60"),
        ({"start_s": 50.0, "length_s": 15.0}, "no line"),
    ],
)
def test_a_stretch_that_cannot_be_judged_is_refused(
    world: World, tmp_path: Path, changes: dict[str, Any], what: str
) -> None:
    with pytest.raises(InputError, match=what):
        piloted(world, tmp_path / "pilot", **changes)


def test_nothing_is_written_over(world: World, tmp_path: Path) -> None:
    (tmp_path / "pilot").mkdir()
    with pytest.raises(InputError, match="already there"):
        piloted(world, tmp_path / "pilot", length_s=20.0)


def test_without_a_script_somebody_says_where_it_begins() -> None:
    with pytest.raises(InputError, match="where people speak"):
        stretch_of(None, None, 30.0)
    assert stretch_of(None, 5.0, 30.0) == Span(5.0, 35.0)


def _sheet(n: int, seconds: float) -> CueSheet:
    return CueSheet("s.vtt", tuple(Cue(f"L{k}", Span(10.0 * k, 10.0 * k + seconds), "so", "MARA") for k in range(n)))


def test_what_is_too_few_is_said_with_its_bound() -> None:
    said = " ".join(too_few(_sheet(3, 1.0), (), ()))
    assert "3 lines" in said
    assert "100%" in said
    assert "under 5 s" in said
    said = " ".join(too_few(_sheet(3, 2.0), (), ()))
    assert "under 10 s" in said
    said = " ".join(too_few(_sheet(60, 2.0), (), ()))
    assert "up to 5%" in said
    assert "MARA" not in said


def test_a_tenth_percentile_of_few_values_means_nothing() -> None:
    packs = load_packs(["quality-lipsync"])
    rule = next(r for p in packs for r in p.bands if r.id == "TIM-ONSETS")
    few = tuple(Measurement(rule.metrics[0], Subject(Scope.LINE, f"L{k}"), 0.1, 1.0) for k in range(9))
    more = tuple(Measurement(rule.metrics[0], Subject(Scope.LINE, f"L{k}"), 0.1, 1.0) for k in range(10))
    assert any(s.startswith("TIM-ONSETS: p90 over 9") for s in too_few(None, few, packs))
    assert not any(s.startswith("TIM-ONSETS") for s in too_few(None, more, packs))
