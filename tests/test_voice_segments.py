"""Where voices are taken from: each cue's speech and all speech besides; nothing heard is left out."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dubgate.delivery.script import Cue, CueSheet
from dubgate.features import Floats
from dubgate.spans import Span, intersection, total_s, union
from dubgate.unmeasured import Unmeasured
from dubgate.voice_segments import LONGEST_VOICE_S, PAD_S, SHORTEST_VOICE_S, Line, lines_of, pieces, voices_of


def sheet(*spans: Span) -> CueSheet:
    return CueSheet("s.vtt", tuple(Cue(f"L{k}", s, "x", "ADA") for k, s in enumerate(spans)))


def test_a_cues_voice_is_the_speech_within_its_padded_span() -> None:
    [line] = lines_of(sheet(Span(10, 14)), [Span(9.9, 14.1)])
    assert line == Line(Span(10, 14), (Span(9.9, 14.1),), "L0", "ADA")


def test_speech_that_no_cue_claims_is_a_line_of_nobody() -> None:
    lines = lines_of(sheet(Span(10, 14)), [Span(2, 5), Span(10, 14)])
    assert [(line.cue_id, line.character, line.span) for line in lines] == [
        (None, None, Span(2, 5)),
        ("L0", "ADA", Span(10, 14)),
    ]


def test_without_a_script_all_speech_is_nobodys() -> None:
    lines = lines_of(None, [Span(0, 20)])
    assert {line.character for line in lines} == {None}
    assert all(line.span.duration_s <= LONGEST_VOICE_S for line in lines)


SPANS = st.lists(st.tuples(st.floats(0, 100), st.floats(0.01, 30)).map(lambda t: Span(t[0], t[0] + t[1])), max_size=6)


@given(SPANS, SPANS)
def test_all_speech_is_in_some_line_and_nothing_else_is(cues: list[Span], spoken: list[Span]) -> None:
    speech = union(spoken)
    lines = lines_of(sheet(*cues), speech)
    taken = union(s for line in lines for s in line.speech)
    assert total_s(taken) == pytest.approx(total_s(speech), abs=1e-6)
    assert total_s(intersection(taken, speech)) == pytest.approx(total_s(speech), abs=1e-6)
    for line in lines:
        if line.cue_id is None:
            assert all(line.span.overlap_s(c.padded(PAD_S)) < 1e-6 for c in cues)
    assert sorted(line.cue_id for line in lines if line.cue_id) == sorted(f"L{k}" for k in range(len(cues)))


@given(st.floats(0, 1000), st.floats(0.01, 100), st.floats(0.5, 20))
def test_pieces_are_equal_touch_and_make_up_the_whole(start_s: float, length_s: float, longest_s: float) -> None:
    span = Span(start_s, start_s + length_s)
    found = list(pieces(span, longest_s))
    assert found[0].start_s == pytest.approx(span.start_s)
    assert found[-1].end_s == pytest.approx(span.end_s)
    assert all(a.end_s == b.start_s for a, b in pairwise(found))
    assert all(p.duration_s <= longest_s + 1e-9 for p in found)


class Spool:
    """One sample a millisecond, each its own time."""

    def read(self, start_s: float, end_s: float) -> Floats:
        return np.arange(round(1000 * start_s), round(1000 * end_s), dtype=np.float32)


class Encoder:
    def embed(self, clips: Sequence[Floats]) -> list[Floats | Unmeasured]:
        self.clips = list(clips)
        return [np.asarray([len(c), 1.0], dtype=np.float32) for c in clips]


class Diarizer:
    def cluster(self, vectors: Sequence[Floats | Unmeasured], seconds: Sequence[float]) -> list[str | None]:
        return [None if isinstance(v, Unmeasured) else f"S{k + 1}" for k, v in enumerate(vectors)]


def test_a_voice_is_taken_from_a_lines_speech_with_the_edges_of_its_words_and_no_other_sound() -> None:
    encoder = Encoder()
    line = Line(Span(0, 10), (Span(1, 2), Span(5, 5.5)), "L0", "ADA")
    [voice] = voices_of(encoder, Diarizer(), Spool(), [line])  # type: ignore[arg-type]
    assert encoder.clips[0].tolist() == [*range(850, 2150), *range(4850, 5650)]
    assert (voice.span, voice.speech_s, voice.cue_id, voice.character, voice.cluster) == (
        Span(0, 10), 1.5, "L0", "ADA", "S1",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("seconds", "told"), [(0.0, False), (SHORTEST_VOICE_S - 0.01, False), (SHORTEST_VOICE_S, True)]
)
def test_a_line_with_hardly_any_speech_has_no_voice_whatever_the_encoder_says(seconds: float, told: bool) -> None:
    line = Line(Span(0, 10), (Span(1, 1 + seconds),) if seconds else (), "L0", "ADA")
    [voice] = voices_of(Encoder(), Diarizer(), Spool(), [line])  # type: ignore[arg-type]
    assert isinstance(voice.vector, Unmeasured) is not told
    assert (voice.cluster is not None) is told
