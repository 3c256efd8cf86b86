"""What a player may choose of the published file by itself is listened to by itself: its stem, its music and effects.

Beside the stem, music and effects may hold what the stem holds too; a stream that is played without it may hold no speech.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from dubgate.features import Floats
from dubgate.mixing import Sound, speech_beside
from dubgate.spans import Span, union
from dubgate.unmeasured import Unmeasured

if TYPE_CHECKING:
    from dubgate.delivery.audio import AudioSpool
    from dubgate.meter.unheard import SpeechProb


def speech_in(me: Sound, stem: Sound, speech_prob: SpeechProb, *, alone: bool) -> tuple[Span, ...]:
    """Where music and effects speak and the stem does not; where they can be played `alone`, wherever they speak."""
    return speech_beside(_Silence(me.duration_s) if alone else stem, me, speech_prob, apart=alone)


def lost_in_any(found: Sequence[tuple[Span, ...] | Unmeasured]) -> tuple[Span, ...] | Unmeasured:
    """Where any of some tracks speaks and its mono sum does not; unmeasured where one was not listened to."""
    known = [spans for spans in found if not isinstance(spans, Unmeasured)]
    missing = [spans for spans in found if isinstance(spans, Unmeasured)]
    return missing[0] if missing else union(span for spans in known for span in spans)


def presentations_beside(stream: int, heard: AudioSpool) -> tuple[str, ...]:
    """What other players play of the published stream itself, and FFmpeg does not decode."""
    return (f"stream {stream} in another presentation",) if heard.plays_otherwise else ()


class _Silence:
    """A stem that says nothing."""

    def __init__(self, duration_s: float) -> None:
        self.duration_s = duration_s

    def read_padded(self, start_s: float, end_s: float) -> Floats:
        return np.zeros(round(end_s * 16_000) - round(start_s * 16_000), dtype=np.float32)
