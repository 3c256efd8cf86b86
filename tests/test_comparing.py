"""A recording against who is enrolled: yes, no, nobody, somebody, and everything that leaves the question open."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from made_delivery import ENCODER, NOBODY, NOW, D, World, axis, make_world

from consent.parties import Party
from consent.registry import Registry
from consent.views import View
from consent.vocabulary import Role
from dubgate.cli.main import run
from dubgate.comparing import ACCEPT_LLR, REJECT_LLR, identify, verify
from dubgate.enrolling import Recording, check_enrolment, level_and_noise
from dubgate.errors import InputError
from dubgate.features import Series
from dubgate.spans import Span
from dubgate.speech.calibration import packaged
from dubgate.unmeasured import Unmeasured, measured

BAND = measured(packaged()[0].band(12.0))


def recording(own: int, cosine: float = 1.0, **changes: Any) -> Recording:
    row = cosine * axis(own) + np.sqrt(1 - cosine**2) * axis(NOBODY)
    heard = Recording(row.astype(np.float32), 12.0, 4, 1, 0.0, ENCODER, -20.0, 40.0)
    return replace(heard, **changes)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def view(world: World) -> Iterator[View]:
    with world.view() as opened:
        yield opened


def cosine_at(llr: float) -> float:
    return (llr - BAND.offset) / BAND.slope


@pytest.mark.parametrize(
    ("llr", "answer"),
    [(ACCEPT_LLR + 0.1, True), (ACCEPT_LLR - 0.1, None), (REJECT_LLR + 0.1, None), (REJECT_LLR - 0.1, False)],
)
def test_a_recording_is_the_voice_is_not_or_cannot_be_told(view: View, llr: float, answer: bool | None) -> None:
    found = verify(recording(2, cosine_at(llr)), "v-otto", view, NOW)
    assert measured(found.llr) == pytest.approx(llr, abs=0.01)
    assert found.answer is answer or (answer is None and isinstance(found.answer, Unmeasured))


@pytest.mark.parametrize(
    ("voice_id", "changes", "why"),
    [
        ("v-karl", {}, "no `match`"),
        ("v-jonas-private", {}, "no `match`"),
        ("v-otto", {"encoder_sha256": "f" * 64}, "no enrolment"),
        ("v-otto", {"n_voices": 2}, "2 voices"),
        ("v-otto", {"speech_s": 1.0}, "1.0 s of speech"),
        ("v-otto", {"vector": np.zeros(D, np.float32)}, "no voice"),
    ],
)
def test_what_may_not_or_cannot_be_compared_is_unmeasured(
    view: View, voice_id: str, changes: dict[str, Any], why: str
) -> None:
    found = verify(recording(2, **changes), voice_id, view, NOW)
    for value in (found.cosine, found.llr, found.answer):
        assert isinstance(value, Unmeasured)
        assert why in value.reason


def test_a_match_with_an_enrolment_that_nobody_confirmed_is_unknown(view: View) -> None:
    found = verify(recording(2), "v-otto-new", view, NOW)
    assert measured(found.llr) > ACCEPT_LLR
    assert isinstance(found.answer, Unmeasured)
    assert "confirmed" in found.answer.reason


def test_who_asked_for_protection_is_identified_and_a_stranger_is_nobody(view: View) -> None:
    found = identify(recording(3), view, NOW)
    assert [(h.voice_id, h.blocks) for h in measured(found.hits)] == [("v-karl", True)]
    assert (found.n_searched, found.n_unpermitted) == (1, 6)
    assert identify(recording(NOBODY), view, NOW).hits == ()


def test_an_enrolled_voice_without_protect_is_not_identified(view: View) -> None:
    assert identify(recording(2), view, NOW).hits == ()


@pytest.mark.parametrize("changes", [{"speech_s": 9.9}, {"n_voices": 2}, {"vector": np.zeros(D, np.float32)}])
def test_a_search_takes_ten_seconds_of_one_voice(view: View, changes: dict[str, Any]) -> None:
    assert isinstance(identify(recording(3, **changes), view, NOW).hits, Unmeasured)


def said(world: World, capsys: pytest.CaptureFixture[str], heard: Recording, *words: str) -> tuple[int, Any]:
    with patch("dubgate.enrolling.hear_voice", lambda path, **_: heard):
        code = run([*words, "--registry", str(world.registry)])
    out = capsys.readouterr()
    return code, json.loads(out.out) if "json" in words else out.out + out.err


def test_the_commands_answer_in_words_and_json_and_print_no_vector(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = recording(2, vector=np.float32(0.123456) * np.ones(D, np.float32) + axis(2))
    code, text = said(world, capsys, recording(2), "voices", "verify", "v-otto", "take.wav")
    assert (code, text.splitlines()[-1]) == (0, "It is v-otto.")
    code, data = said(world, capsys, mine, "voices", "verify", "v-otto", "take.wav", "--format", "json")
    assert (code, data["voice_id"], data["accept_from_nat"]) == (0, "v-otto", ACCEPT_LLR)
    assert "0.1234" not in json.dumps(data)
    code, text = said(world, capsys, recording(3), "voices", "identify", "take.wav")
    assert code == 0
    assert "1 voices looked for; 6 enrolled without `protect` were not" in text
    assert "v-karl" in text
    code, data = said(world, capsys, recording(NOBODY), "voices", "identify", "take.wav", "--format", "json")
    assert (code, data["hits"], data["looked_for"]) == (0, [], 1)
    code, text = said(world, capsys, recording(2), "voices", "verify", "v-nobody", "take.wav")
    assert code == 2
    assert "knows no voice" in text


def test_the_search_is_shown_switched_off_and_on_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Registry.open(tmp_path / "r.db", create=True) as registry:
        registry.add(Party(party_id="op-9", roles=(Role.OPERATOR,), person=True))
        registry.add(Party(party_id="vendor", roles=(Role.DUBBING_VENDOR,), person=False))

    def switched(*words: str) -> tuple[int, str]:
        code = run(["voices", "search", *words, "--registry", str(tmp_path / "r.db")])
        out = capsys.readouterr()
        return code, (out.out + out.err).strip()

    off = ("--off", "--legal-basis", "Order 12.", "--until", "2099-01-01")
    assert switched() == (0, "Protected voices are looked for.")
    assert switched("--off", "--by", "op-9")[0] == 2
    assert switched(*off, "--by", "vendor")[0] == 2
    assert switched() == (0, "Protected voices are looked for.")
    assert switched(*off, "--by", "op-9") == (0, "Off until 2099-01-01, by op-9: Order 12.")
    assert switched("--on", "--by", "op-9") == (0, "Protected voices are looked for.")


GOOD = recording(2)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"speech_s": 9.9}, "an enrolment needs 10 s"),
        ({"clipped_share": 0.002}, "clipped"),
        ({"n_voices": 2}, "2 voices"),
        ({"level_dbfs": -50.5}, "dBFS"),
        ({"snr_db": 14.0}, "noise lies only 14 dB"),
        ({"snr_db": Unmeasured("nobody speaks in it")}, "nobody speaks"),
    ],
)
def test_a_recording_that_is_not_good_enough_enrols_nobody(changes: dict[str, Any], why: str) -> None:
    check_enrolment(GOOD, "ada.wav")
    with pytest.raises(InputError, match=why) as refused:
        check_enrolment(replace(GOOD, **changes), "ada.wav")
    assert refused.value.remedy


def test_level_and_noise_of_a_known_recording() -> None:
    energy = np.full(1000, -60.0, dtype=np.float32)
    energy[200:800] = -20.0
    assert level_and_noise(Series(0.01, energy), [Span(2.0, 8.0)]) == (pytest.approx(-20.0), pytest.approx(40.0))
    assert isinstance(level_and_noise(Series(0.01, energy), [])[1], Unmeasured)


def test_noise_is_told_without_long_pauses_too() -> None:
    rng = np.random.default_rng(3)
    words = np.where(np.arange(2000) % 25 < 21, -20.0, -120.0)  # gaps of 40 ms between words
    for under_db in (10.0, 20.0, 40.0):
        noisy = 10 * np.log10(10 ** (words / 10) + 10 ** ((-20.0 - under_db + rng.normal(0, 0.3, 2000)) / 10))
        _, noise = level_and_noise(Series(0.01, noisy.astype(np.float32)), [Span(0.0, 20.0)])
        assert measured(noise) == pytest.approx(under_db, abs=0.8)


def test_halved_speech_lies_three_decibels_lower() -> None:
    energy = np.full(1000, -20.0, dtype=np.float32)
    energy[400:600] = -120.0
    assert level_and_noise(Series(0.01, energy), [Span(2.0, 6.0)])[0] == pytest.approx(-23.0, abs=0.02)
