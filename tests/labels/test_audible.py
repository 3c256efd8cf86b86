"""The rhythm of AI in Morse code in real samples, and the spoken disclaimer in what was heard."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dubgate.features import Word
from dubgate.labels.audible import Audible, disclaimer
from dubgate.meter.rhythm import ai_rhythm, rhythm_spans
from dubgate.spans import Span
from dubgate.unmeasured import Unmeasured

RATE = 16_000
AI = "10111000101"  # ITU-R M.1677-1: short long, a gap of three, short short
NOT_AI = {
    "U, I": "1010111000101",
    "N, I": "11101000101",
    "E, T, E, E": "10001110001000100",
    "MAIL": "1110111000101110001010001011101010",
    "A alone": "10111",
    "I alone": "101",
    "four shorts": "1010101",
}


def beeps(
    pattern: str, unit_s: float = 0.1, hz: float = 1000.0, snr_db: float | None = None, *, seed: int = 0
) -> np.ndarray:
    """Tones after a pattern of units, silence around it, in white noise where that is asked for."""
    silence = np.zeros(2 * RATE)
    shape = np.concatenate([silence, *(np.full(round(unit_s * RATE), float(c)) for c in pattern), silence])
    ramp = np.hanning(64) / np.hanning(64).sum()
    sound = 0.2 * np.convolve(shape, ramp, "same") * np.sin(2 * np.pi * hz * np.arange(len(shape)) / RATE)
    if snr_db is not None:
        sound += np.random.default_rng(seed).normal(size=len(sound)) * np.sqrt(0.02) * 10 ** (-snr_db / 20)
    return sound.astype(np.float32)


@pytest.mark.parametrize("unit_s", [0.05, 0.08, 0.12, 0.24, 0.4])
@pytest.mark.parametrize("hz", [400.0, 800.0, 1234.0, 3000.0])
@pytest.mark.parametrize("snr_db", [None, 10.0, 3.0])
def test_the_rhythm_is_found_at_its_place_at_any_speed_and_pitch_and_in_noise(
    unit_s: float, hz: float, snr_db: float | None
) -> None:
    [span] = rhythm_spans(beeps(AI, unit_s, hz, snr_db))
    assert span.start_s == pytest.approx(2.0, abs=0.03)
    assert span.end_s == pytest.approx(2.0 + 11 * unit_s, abs=0.05)


@pytest.mark.parametrize("pattern", NOT_AI.values(), ids=NOT_AI)
def test_other_letters_are_not_taken_for_it(pattern: str) -> None:
    assert rhythm_spans(beeps(pattern)) == ()


@pytest.mark.parametrize("unit_s", [0.03, 0.6])
def test_what_is_too_fast_or_too_slow_to_be_heard_as_a_rhythm_is_none(unit_s: float) -> None:
    assert rhythm_spans(np.concatenate([beeps(AI, unit_s), np.zeros(4 * RATE, np.float32)])) == ()


def test_beeps_of_another_pitch_or_loudness_are_no_rhythm() -> None:
    sound = beeps(AI)
    last = round(2.75 * RATE)  # between the third beep and the last
    assert rhythm_spans(np.concatenate([sound[:last], beeps(AI, hz=1700.0)[last:]])) == ()
    assert rhythm_spans(np.concatenate([sound[:last], 0.2 * sound[last:]])) == ()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**31), st.floats(0.001, 0.5))
def test_noise_is_no_rhythm(seed: int, level: float) -> None:
    assert rhythm_spans((np.random.default_rng(seed).normal(size=RATE) * level).astype(np.float32)) == ()


def test_silence_and_a_moment_are_no_rhythm() -> None:
    assert rhythm_spans(np.zeros(RATE, np.float32)) == rhythm_spans(np.zeros(10, np.float32)) == ()
    assert ai_rhythm(lambda a, b: np.zeros(0, np.float32), 0.0) == ()


def test_melodies_of_few_notes_are_no_rhythm() -> None:
    """Staccato notes of whole units, the likest thing to it: an hour of them gave no alarm, ten minutes are tried here."""
    rng = np.random.default_rng(7)
    for _ in range(10):
        unit, notes, parts = rng.uniform(0.06, 0.3), 440 * 2 ** (rng.choice([0, 4, 7], 2) / 12), []
        while sum(map(len, parts)) < 60 * RATE:
            at = np.arange(round(unit * rng.choice([1, 1, 2, 3]) * RATE)) / RATE
            note = 0.2 * np.sin(2 * np.pi * rng.choice(notes) * at)
            parts += [note, np.zeros(round(unit * rng.choice([0, 1, 1, 2, 3]) * RATE))]
        assert rhythm_spans(np.concatenate(parts).astype(np.float32)) == ()


@pytest.mark.parametrize("at_s", [0.0, 57.9, 59.4, 130.0])
def test_in_a_long_sound_it_is_found_once_wherever_it_lies(at_s: float) -> None:
    sound = np.concatenate([np.zeros(round(at_s * RATE), np.float32), beeps(AI), np.zeros(20 * RATE, np.float32)])
    [span] = ai_rhythm(lambda a, b: sound[round(a * RATE) : round(b * RATE)], len(sound) / RATE)
    assert span.start_s == pytest.approx(at_s + 2.0, abs=0.03)


def test_real_speech_gives_no_false_alarm(speech: Path) -> None:
    """Every third file of the shared speech; the whole, 803 s, gave none (tests/bench/RESULTS.md)."""
    import soundfile
    import soxr

    heard_s = 0.0
    for path in sorted(speech.rglob("*.flac"))[::3]:
        sound, rate = soundfile.read(path, dtype="float32", always_2d=True)
        mono = soxr.resample(sound.mean(axis=1), rate, RATE)
        heard_s += len(mono) / RATE
        assert rhythm_spans(mono) == ()
    assert heard_s > 60


def words(text: str, start_s: float = 1.0) -> tuple[Word, ...]:
    return tuple(Word(w, Span(start_s + 0.4 * k, start_s + 0.4 * k + 0.3), 0.9) for k, w in enumerate(text.split()))


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "The voices in this programme were made with artificial intelligence."),
        ("en-GB", "this dub was created by a. i."),
        ("en", "You are about to hear a synthetic voice"),
        ("en", "These voices are not human, they are synthetic"),
        ("en", "Not one of these voices is an actor's: artificial intelligence made them"),
        ("de", "Die Stimmen wurden mit Künstlicher Intelligenz erzeugt"),
        ("fr", "Les voix de ce film ont été créées par intelligence artificielle"),
        ("es-419", "Las voces fueron generadas con inteligencia artificial"),
        ("pt-BR", "As vozes foram geradas por inteligência artificial"),
        ("it", "Le voci sono create con intelligenza artificiale"),
        ("ja", "この 番組 の 音声 は AI で 作られ て います"),
        ("ko", "이 작품의 음성은 인공지능으로 제작되었습니다"),
        ("zh", "本片 配音 由 人工智能 生成"),
    ],
)
def test_a_spoken_disclaimer_is_heard_in_the_dubs_language(language: str, text: str) -> None:
    assert disclaimer(words(text), language)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "She wrote her thesis on artificial intelligence in the spring of that year"),
        ("en", "The voices in this programme are those of real people"),
        ("en", ""),
        ("de", "the voices were made with artificial intelligence"),
        ("en", "artificial intelligence " + "word " * 20 + "voices"),
        ("en", "No synthetic voices were used in this programme"),
        ("en", "the voices in this film were not made with artificial intelligence"),
        ("de", "Die Stimmen wurden nicht mit Künstlicher Intelligenz erzeugt"),
        ("fr", "Les voix ont été créées sans intelligence artificielle"),
        ("ja", "この 番組 の 音声 に AI は 使用 していません"),
    ],
)
def test_what_is_no_disclaimer_is_none(language: str, text: str) -> None:
    assert disclaimer(words(text), language) == ""


def test_a_disclaimer_that_comes_late_is_none() -> None:
    said = "the voices were made with artificial intelligence"
    assert disclaimer(words(said, 29.0), "en")
    assert disclaimer(words(said, 30.5), "en") == ""


def test_where_nobody_hears_the_language_it_is_not_measured() -> None:
    assert isinstance(disclaimer(Unmeasured("no model"), "en"), Unmeasured)
    assert isinstance(disclaimer(words("ääni"), "fi"), Unmeasured)


NOBODY = Unmeasured("nobody listened")


@pytest.mark.parametrize(
    ("spoken", "rhythm", "heard"),
    [
        ("ai voices", (), True),
        ("", (Span(0, 1),), True),
        (NOBODY, (Span(0, 1),), True),
        ("", (), False),
        (NOBODY, (), NOBODY),
        ("", NOBODY, NOBODY),
    ],
)
def test_either_is_enough_and_unknown_is_never_yes(spoken: object, rhythm: object, heard: object) -> None:
    assert Audible(spoken, rhythm).heard == heard  # type: ignore[arg-type]
