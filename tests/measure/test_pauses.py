"""Phrases and pauses: edges finer than a frame, and the pauses that German readers were marked to make."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from timing_features import probability

from dubgate.measure.pauses import Speech, pauses_within, phrases, without
from dubgate.spans import Span, difference, intersection
from dubgate.speech.activity import speech_spans

SPANS = st.lists(st.tuples(st.floats(0, 50), st.floats(0, 5)).map(lambda p: Span(p[0], p[0] + p[1])), max_size=12)


@pytest.mark.parametrize("start_s", [1.0, 1.007, 1.016, 1.031])
def test_edges_are_found_between_frames(start_s: float) -> None:
    [phrase] = phrases(probability([(start_s, start_s + 1.0)], 4.0))
    assert phrase.start_s == pytest.approx(start_s, abs=0.016)
    assert phrase.end_s == pytest.approx(start_s + 1.0, abs=0.016)


def test_a_breath_parts_phrases_that_a_pause_would_bridge() -> None:
    prob = probability([(1.0, 2.0), (2.2, 3.0)], 5.0)
    assert len(phrases(prob)) == 2
    assert len(phrases(prob, min_silence_s=0.3)) == 1


def test_pauses_lie_inside_a_line_and_not_around_it() -> None:
    speech = [Span(1.0, 2.0), Span(2.5, 3.0), Span(3.2, 4.0), Span(6.0, 7.0)]
    assert pauses_within(speech, Span(0.0, 5.0)) == (Span(2.0, 2.5),)
    assert pauses_within(speech, Span(0.0, 5.0), at_least_s=0.1) == (Span(2.0, 2.5), Span(3.0, 3.2))
    assert pauses_within([], Span(0.0, 5.0)) == ()


@given(spans=SPANS, cuts=SPANS)
def test_without_is_the_difference_of_the_span_algebra(spans: list[Span], cuts: list[Span]) -> None:
    lasting = [c for c in cuts if c.duration_s > 0]  # the algebra parts spans at moments, which cover nothing
    assert [s for s in without(spans, cuts) if s.duration_s] == [s for s in difference(spans, lasting) if s.duration_s]


@given(spans=SPANS, start=st.floats(0, 50), length=st.floats(0, 10))
def test_speech_within_a_span_is_the_intersection(spans: list[Span], start: float, length: float) -> None:
    inside = Span(start, start + length)
    assert Speech(spans).within(inside) == intersection([inside], spans)


@pytest.mark.slow
def test_readers_pauses_are_counted_right_in_at_least_17_of_21_lines(speech: Path) -> None:
    silero_vad = pytest.importorskip("silero_vad")
    import soundfile
    import soxr

    from dubgate.speech.silero import SileroVad

    vad = SileroVad(Path(silero_vad.__file__).parent / "data/silero_vad_16k_sequence.onnx", "")
    folder = speech / "pauses_de"
    rows = [line.split("\t") for line in (folder / "transcripts.tsv").read_text(encoding="utf-8").splitlines()]
    right = 0
    for name, text in rows:
        sound, rate_hz = soundfile.read(folder / f"{name}.flac", dtype="float32")
        [prob] = vad.speech_prob([soxr.resample(sound, rate_hz, 16_000).astype(np.float32)])
        right += len(pauses_within(speech_spans(prob), Span(0.0, 1e4))) == text.count("[pause]")
    assert len(rows) == 21
    assert right >= 17
