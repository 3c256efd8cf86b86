"""Where a track's voices are taken from: each cue's speech, and the speech that no cue claims."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from dubgate.delivery.script import CueSheet
from dubgate.features import Floats, VoiceSegment
from dubgate.spans import Span, difference, intersection, total_s, union
from dubgate.unmeasured import Unmeasured

if TYPE_CHECKING:
    from dubgate.delivery.audio import AudioSpool
    from dubgate.speech.protocols import Diarizer, SpeakerEncoder

LONGEST_VOICE_S = 8.0
SHORTEST_VOICE_S = 0.3
SPILL_S = 1.0
AT_ONCE_S = 300.0
PAD_S = 0.15  # encoders get the edges of words: the calibration was fitted so


@dataclass(frozen=True, slots=True)
class Line:
    """A stretch to take a voice from, and what the script claims of it."""

    span: Span
    speech: tuple[Span, ...]
    cue_id: str | None
    character: str | None


def lines_of(sheet: CueSheet | None, speech: Sequence[Span]) -> tuple[Line, ...]:
    """Where to take voices: each cue's speech, and the speech that no cue claims, in pieces of at most 8 s.

    Up to 1 s that runs on from a cue's speech, or into it, is that cue's: a line that starts early or ends late is not
    another speaker. Its voice is taken with the line's, so nothing goes unsearched.
    """
    cues = sheet.cues if sheet is not None else ()
    claimed = [list(intersection([c.span.padded(PAD_S)], speech)) for c in cues]
    unclaimed: list[Span] = []
    for span in difference(speech, [c.span.padded(PAD_S) for c in cues]):
        owner = next((own for own in claimed if any(_touch(span, piece) for piece in own)), None)
        if owner is not None and span.duration_s <= SPILL_S:
            owner.append(span)
        else:
            unclaimed.append(span)
    lines = [Line(c.span, union(own), c.id, c.character) for c, own in zip(cues, claimed, strict=True)]
    lines += [Line(piece, (piece,), None, None) for span in unclaimed for piece in pieces(span, LONGEST_VOICE_S)]
    return tuple(sorted(lines, key=lambda line: line.span))


def _touch(left: Span, right: Span) -> bool:
    return abs(left.start_s - right.end_s) < 1e-3 or abs(left.end_s - right.start_s) < 1e-3


def pieces(span: Span, longest_s: float) -> Iterator[Span]:
    """The span in equal pieces of at most `longest_s`."""
    n = max(1, int(np.ceil(span.duration_s / longest_s)))
    edges = np.linspace(span.start_s, span.end_s, n + 1)
    yield from (Span(float(a), float(b)) for a, b in pairwise(edges))


def voices_of(
    encoder: SpeakerEncoder, diarizer: Diarizer, spool: AudioSpool, lines: Sequence[Line]
) -> tuple[VoiceSegment, ...]:
    """A voice per line, and who of the track's speakers it is; lines without speech have none."""
    seconds = [total_s(line.speech) for line in lines]
    vectors: list[Floats | Unmeasured] = []
    for some in _in_turn(lines, seconds):
        vectors += encoder.embed([_joined(spool, line.speech) for line in some])
    vectors = [
        v if s >= SHORTEST_VOICE_S else Unmeasured("no speech was heard here")
        for v, s in zip(vectors, seconds, strict=True)
    ]
    clusters = diarizer.cluster(vectors, seconds)
    return tuple(
        VoiceSegment(line.span, s, line.cue_id, line.character, vector, cluster)
        for line, s, vector, cluster in zip(lines, seconds, vectors, clusters, strict=True)
    )


def _in_turn(lines: Sequence[Line], seconds: Sequence[float]) -> Iterator[list[Line]]:
    """Neighbours whose speech is in memory together: so much that batches are full, however long the track is."""
    some: list[Line] = []
    total = 0.0
    for line, own in zip(lines, seconds, strict=True):
        if some and total + own > AT_ONCE_S:
            yield some
            some, total = [], 0.0
        some.append(line)
        total += own
    if some:
        yield some


def _joined(spool: AudioSpool, spans: Sequence[Span]) -> Floats:
    if not spans:
        return np.zeros(0, dtype=np.float32)
    return np.concatenate([spool.read(s.start_s, s.end_s) for s in union(s.padded(PAD_S) for s in spans)])
