"""Speech that an audience hears and the mono sum, or the stem, does not hold is found; ordinary stereo and surround sound is left alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import av
import numpy as np
import pytest
import soundfile
from scipy.signal import fftconvolve

from dubgate.chosen_alone import lost_in_any, speech_in
from dubgate.delivery.audio import downmix_weights
from dubgate.errors import MediaError
from dubgate.features import Floats, Published, Series
from dubgate.hearing import HearingPlan, Source, _streams_beside, hear_here
from dubgate.meter.unheard import BLOCK_S, CancelledSpeech, long_enough, lost_rows, unheard
from dubgate.mixing import check_mix, speech_beside
from dubgate.samples import RATE_HZ, _read, find_samples
from dubgate.spans import Span, total_s
from dubgate.speech.models import resolve
from dubgate.speech.silero import SileroVad
from dubgate.unmeasured import Unmeasured, measured

STEREO = ("FL", "FR")
SURROUND = ("FL", "FR", "FC", "LFE", "SL", "SR")
LENGTH_S = 36.0


@cache
def activity() -> SileroVad:
    ref = resolve("voice_activity", "embedded")
    return SileroVad(ref.path, ref.sha256)


@cache
def clips() -> tuple[Floats, Floats]:
    """One voice throughout, and another that speaks where the first is silent."""
    samples = find_samples()
    first = _read(samples / "clean/dub.flac")[: round(LENGTH_S * RATE_HZ)]
    second = np.zeros_like(first)
    said = _read(samples / "clean/dub.flac")[round(60 * RATE_HZ) : round(63 * RATE_HZ)]
    for start_s in (4.0, 16.0, 28.5):  # the last across two blocks
        at = round(start_s * RATE_HZ)
        first[at : at + len(said)] = 0
        second[at : at + len(said)] = 0.7 * said
    return first, second


def found(channels: Sequence[Floats], layout: Sequence[str]) -> tuple[Span, ...]:
    samples = np.stack(channels).astype(np.float32)
    meter = CancelledSpeech(RATE_HZ, layout, activity().speech_prob)
    for first in range(0, samples.shape[1], RATE_HZ):
        meter.push(samples[:, first : first + RATE_HZ])
    return meter.finish()


@cache
def hidden() -> dict[str, tuple[list[Floats], tuple[str, ...]]]:
    a, b = clips()
    z = np.zeros_like(a)
    return {
        "stereo in antiphase": ([a + b, a - b], STEREO),
        "the same 12 dB quieter": ([a + b / 4, a - b / 4], STEREO),
        "the subwoofer": ([z, z, a, b, z, z], SURROUND),
        "surrounds in antiphase": ([z, z, a, z, b, -b], SURROUND),
        "the centre against the front": ([a + b / 2**0.5, a + b / 2**0.5, -b, z, z, z], SURROUND),
    }


@pytest.mark.parametrize("case", hidden())
def test_a_voice_that_the_mono_sum_cancels_is_found_each_time_it_speaks(case: str) -> None:
    channels, layout = hidden()[case]
    mono = downmix_weights(layout) @ np.stack(channels)
    assert np.allclose(mono / np.abs(mono).max(), clips()[0] / np.abs(clips()[0]).max(), atol=1e-5), (
        "models hear one voice"
    )
    places = found(channels, layout)
    for start_s in (4.0, 16.0, 28.5):
        assert total_s(s for s in places if start_s <= s.start_s and s.end_s <= start_s + 3.1) > 0.8, places
    assert all(any(start <= s.start_s and s.end_s <= start + 3.1 for start in (4.0, 16.0, 28.5)) for s in places)


def test_a_voice_is_found_under_louder_sound_that_does_not_speak() -> None:
    _, b = clips()
    tone = 0.3 * np.sin(2 * np.pi * 220 * np.arange(len(b)) / RATE_HZ)
    places = found([tone + b, tone - b], STEREO)
    assert np.sqrt(np.mean(np.square(b[b != 0]))) < 0.5 * np.sqrt(np.mean(np.square(tone)))
    assert {round((s.start_s - 4) / 12) for s in places} == {0, 1, 2}


@cache
def ordinary() -> dict[str, tuple[list[Floats], tuple[str, ...]]]:
    a, b = clips()
    z = np.zeros_like(a)
    rng = np.random.default_rng(7)
    noise = 0.05 * rng.standard_normal((2, len(a)))
    rooms = [0.05 * rng.standard_normal(6000) * np.exp(-np.arange(6000) / 1500) for _ in STEREO]
    reverberant = [a + fftconvolve(a, room)[: len(a)] for room in rooms]
    return {
        "mono": ([a], ("FC",)),
        "mono twice": ([a, a], STEREO),
        "hard left": ([a, z], STEREO),
        "one voice on each side": ([a, b], STEREO),
        "wide noise": ([a + noise[0], a + noise[1]], STEREO),
        "a room": (reverberant, STEREO),
        "centre alone": ([z, z, a, z, z, z], SURROUND),
        "another in one surround": ([z, z, a, z, b, z], SURROUND),
        "silence": ([z, z], STEREO),
    }


@pytest.mark.parametrize("case", ordinary())
def test_ordinary_sound_hides_nothing(case: str) -> None:
    assert found(*ordinary()[case]) == ()


@pytest.mark.parametrize(
    "layout", [STEREO, SURROUND, (*SURROUND, "BL", "BR"), ("NONE",) * 4, ("FL", "FR", "LFE"), ("FC",)]
)
def test_the_rows_are_all_that_the_sum_loses(layout: tuple[str, ...]) -> None:
    weights, rows = downmix_weights(layout), lost_rows(layout)
    assert rows.shape == (len(layout) - 1, len(layout))
    assert np.allclose(rows @ weights, 0, atol=1e-6)
    assert np.linalg.matrix_rank(np.concatenate([weights[None], rows])) == len(layout)


class Sound:
    """Mono sound at 16 kHz, as a spool reads it."""

    def __init__(self, samples: Floats) -> None:
        self._samples = samples
        self.duration_s = len(samples) / RATE_HZ

    def read_padded(self, start_s: float, end_s: float) -> Floats:
        out = np.zeros(round(end_s * RATE_HZ) - round(start_s * RATE_HZ), dtype=np.float32)
        inside = self._samples[round(start_s * RATE_HZ) : round(end_s * RATE_HZ)]
        out[: len(inside)] = inside
        return out


def test_a_voice_in_the_music_and_effects_is_found_where_the_stem_is_silent() -> None:
    a, b = clips()
    places = speech_beside(Sound(a), Sound(b), activity().speech_prob)
    assert all(any(abs(s.start_s - at) < 1.6 for at in (4.0, 16.0, 28.5)) for s in places)
    assert {round((s.start_s - 4) / 12) for s in places} == {0, 1, 2}
    assert speech_beside(Sound(a), Sound(np.zeros_like(a)), activity().speech_prob) == ()


def hears_nothing(given: Sequence[Floats]) -> list[Series]:
    return [Series(0.032, np.zeros(-(-len(clip) // 512), np.float32)) for clip in given]


def test_a_line_that_is_only_in_the_mix_is_found_however_long_the_mix_is() -> None:
    a, b = clips()
    stem, effects = np.tile(a, 60), np.zeros(60 * len(a), dtype=np.float32)
    mix = stem.copy()
    mix[: len(b)][round(4 * RATE_HZ) : round(4.5 * RATE_HZ)] += b[round(4.5 * RATE_HZ) : round(5 * RATE_HZ)]
    heard: Any = SimpleNamespace(speech=())
    check = check_mix(True, Sound(stem), Sound(mix), Sound(effects), heard, hears_nothing)
    assert measured(check.residual_db) < -30, "over the whole it is nothing"
    assert total_s(measured(check.differs)) == pytest.approx(0.5)
    assert check_mix(True, Sound(stem), Sound(stem), Sound(effects), heard, hears_nothing).differs == ()


def test_what_is_too_short_for_a_word_is_dropped_and_short_gaps_are_closed() -> None:
    assert long_enough([Span(0, 0.3), Span(5, 5.3), Span(5.4, 5.8)]) == (Span(5, 5.8),)
    assert long_enough([]) == ()


def test_nothing_is_run_where_the_channels_are_alike() -> None:
    def never(_: Sequence[Floats]) -> list[Series]:
        raise AssertionError

    meter = CancelledSpeech(RATE_HZ, STEREO, never)
    for _ in range(BLOCK_S + 5):
        meter.push(np.full((2, RATE_HZ), 0.1, dtype=np.float32))
    assert meter.finish() == ()


def test_both_are_listened_for_in_what_is_published(tmp_path: Path) -> None:
    a, b = (clip[: 12 * RATE_HZ] for clip in clips())
    sounds = {
        "stem": a[None],
        "hiding": np.stack([a + b, a - b]),
        "effects": b[None],
        "mix": np.stack([a + 2 * b, a]),
    }
    for name, sound in sounds.items():
        soundfile.write(tmp_path / f"{name}.flac", sound.T, RATE_HZ, subtype="PCM_24")
    source = {name: Source(str(tmp_path / f"{name}.flac"), 0, name, "en") for name in sounds}

    def heard(dub: str, **more: Source) -> Published:
        plan = HearingPlan(source["stem"], source[dub], None, "embedded", "cpu", without=("transcriber", "aligner"))
        published = hear_here(replace(plan, **more), tmp_path, lambda *_: None).published
        assert published is not None
        return published

    alone = heard("hiding")
    assert total_s(measured(alone.cancelled)) > 0.8
    assert alone.in_effects == ()
    with patch("dubgate.hearing.check_mix", wraps=check_mix) as checked:
        beside = heard("stem", mix=source["hiding"], music_and_effects=source["effects"])
    assert len(checked.call_args.args[5]([a])) == 1, "what the mix holds beside stem and effects is listened to"
    assert total_s(measured(beside.cancelled)) > 0.8
    assert total_s(measured(beside.in_effects)) > 0.8
    assert alone.beside == ()
    assert heard("stem").cancelled == ()
    assert heard("stem", mix=source["mix"]).cancelled == ()


def film(path: Path, streams: Sequence[Floats]) -> None:
    """Sounds [shape=(n_channels, n)] as streams of one file."""
    with av.open(str(path), "w") as container:
        layouts = ["mono" if len(sound) == 1 else "stereo" for sound in streams]
        made = [container.add_stream("flac", rate=RATE_HZ, layout=layout) for layout in layouts]
        for stream, layout, sound in zip(made, layouts, streams, strict=True):
            whole = np.ascontiguousarray((np.clip(sound, -1, 1) * 32767).astype(np.int16).T.reshape(1, -1))
            frame = av.AudioFrame.from_ndarray(whole, format="s16", layout=layout)
            frame.sample_rate, frame.pts = RATE_HZ, 0
            container.mux([*stream.encode(frame), *stream.encode(None)])


def test_a_track_that_a_player_may_choose_is_listened_to_by_itself(tmp_path: Path) -> None:
    """Music and effects with a voice under the stem's, and a stem with one between its channels, as streams of the file."""
    a, b = (clip[2 * RATE_HZ : 8 * RATE_HZ] for clip in clips())
    under = 0.5 * np.roll(a, RATE_HZ // 4)
    path = tmp_path / "film.mka"
    film(path, [(a + under)[None], np.stack([a + b, a - b]), under[None], a[None]])
    mix, stem, effects, original = (Source(str(path), k, "film.mka", "en") for k in range(4))
    plan = HearingPlan(original, stem, None, "embedded", "cpu", mix, effects, ("transcriber", "aligner"))
    published = hear_here(plan, tmp_path, lambda *_: None).published
    assert published is not None
    assert total_s(measured(published.in_effects)) > 1.5, "the stem speaks there too, and need not be played"
    assert total_s(measured(published.cancelled)) > 0.8, "the mix holds nothing of it"
    told = [total_s(speech_in(Sound(under), Sound(a), activity().speech_prob, alone=alone)) for alone in (False, True)]
    assert told[0] < 1.0 < told[1], "what is masked where both play is not where one does"


def test_what_nobody_speaks_over_is_speech_as_any_other_is() -> None:
    """With as much certainty as is asked of a track; more is asked of what two sounds leave of each other."""

    def fairly_sure(given: Sequence[Floats]) -> list[Series]:
        return [Series(0.032, np.full(-(-len(clip) // 512), 0.8 if clip.any() else 0.0, np.float32)) for clip in given]

    effects = Sound(clips()[0][2 * RATE_HZ : 6 * RATE_HZ])
    assert total_s(speech_in(effects, effects, fairly_sure, alone=True)) > 1.5
    assert speech_in(effects, Sound(0.1 * clips()[1][: 4 * RATE_HZ]), fairly_sure, alone=False) == ()


def test_what_one_track_was_not_listened_for_is_not_known_of_all() -> None:
    found: list[tuple[Span, ...] | Unmeasured] = [(Span(3, 4),), Unmeasured("why"), (Span(1, 2),)]
    assert lost_in_any(found) == Unmeasured("why")
    assert lost_in_any([found[0], found[2]]) == (Span(1, 2), Span(3, 4))


def test_other_sounds_of_the_published_file_are_told_but_for_those_that_were_handed_in(tmp_path: Path) -> None:
    path = tmp_path / "film.mka"
    with av.open(str(path), "w") as container:
        streams = [container.add_stream("flac", rate=RATE_HZ, layout="mono") for _ in range(4)]
        for stream, language in zip(streams, ("ger", "eng", "eng", None), strict=True):
            if language is not None:
                stream.metadata["language"] = language
        for stream in streams:
            frame = av.AudioFrame.from_ndarray(np.zeros((1, RATE_HZ), dtype=np.int16), format="s16", layout="mono")
            frame.sample_rate, frame.pts = RATE_HZ, 0
            container.mux([*stream.encode(frame), *stream.encode(None)])
    sources = [Source(str(path), k, "film.mka", None) for k in range(4)]
    assert _streams_beside(sources[1], [sources[0], sources[1], None]) == ("stream 2 (en)", "stream 3 (no language)")
    assert _streams_beside(sources[1], sources) == ()
    elsewhere = replace(sources[2], path=str(tmp_path / "other.mka"))
    assert "stream 2 (en)" in _streams_beside(sources[1], [*sources[:2], elsewhere, sources[3]])


@pytest.mark.parametrize(("huge", "subtype"), [(3e38, "FLOAT"), (2e4, "FLOAT"), (1e300, "DOUBLE")])
def test_one_sample_that_overflows_hides_nothing(tmp_path: Path, huge: float, subtype: str) -> None:
    """In antiphase it is not in the mono sum, and what it makes of the rest would be no number."""
    a, b = (clip[: 8 * RATE_HZ].astype(np.float64) for clip in clips())
    sound = np.stack([a + b, a - b])
    sound[:, 10] = huge, -huge
    soundfile.write(tmp_path / "huge.wav", sound.T, RATE_HZ, subtype=subtype)
    source = Source(str(tmp_path / "huge.wav"), 0, "huge.wav", "en")
    plan = HearingPlan(source, source, None, "embedded", "cpu", without=("transcriber", "aligner"))
    with pytest.raises(MediaError, match="80 dB above full scale"):
        hear_here(plan, tmp_path, lambda *_: None)


def test_what_is_no_number_counts_as_speech_that_nobody_heard() -> None:
    def broken(given: Sequence[Floats]) -> list[Series]:
        return [Series(0.032, np.full(-(-len(clip) // 512), np.nan, np.float32)) for clip in given]

    quiet = np.full(2 * RATE_HZ, 0.1, dtype=np.float32)
    assert unheard(quiet, [quiet], broken)
    assert unheard(quiet, [quiet], broken, apart=True)
