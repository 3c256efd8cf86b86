"""What looks like a slip of whoever called, not like a fault of the dub: said on the first page, before all that follows from it.

The original handed in as the dub, the script of another episode, a conversion of the frame rate: each makes dozens of
findings, and one sentence saves reading them. Nothing here decides anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dubgate.delivery.script import CueSheet
from dubgate.features import ProgrammeFeatures
from dubgate.measure.measurement import Measurement
from dubgate.unmeasured import Unmeasured

_CONVERTED = 25 / 24  # film at 24 or 23.976 pictures a second, played at 25
_ROOM = 0.002
_LEAST_S = 20.0  # of a programme whose length says something
_FEW_WORDS = 0.2  # share of a line's words that is heard, by chance, of the script of something else
_LEAST_LINES = 3


def slips(
    features: ProgrammeFeatures, script: CueSheet | None, measurements: Sequence[Measurement], streams: tuple[int, int]
) -> tuple[str, ...]:
    """Each slip in a sentence; `streams` are which stream of its file original and dub are."""
    return (
        *_same_sound(features, streams),
        *_one_language(features),
        *_other_script(script, measurements),
        *_converted(features),
    )


def _same_sound(features: ProgrammeFeatures, streams: tuple[int, int]) -> Iterator[str]:
    original, dub = features.original, features.dub
    files = original.file_sha256 != "" and original.file_sha256 == dub.file_sha256 and streams[0] == streams[1]
    if files or (original.packet_sha256 != "" and original.packet_sha256 == dub.packet_sha256):
        yield "the dub is the original's own sound: nothing was dubbed, or the wrong file or stream was named"


def _one_language(features: ProgrammeFeatures) -> Iterator[str]:
    original, dub = features.original.language, features.dub.language
    if original and original == dub:
        yield f"original and dub are both in {dub}: are files and streams the right ones?"


def _other_script(script: CueSheet | None, measurements: Sequence[Measurement]) -> Iterator[str]:
    heard = sorted(
        m.value for m in measurements if m.metric == "script_words_heard" and not isinstance(m.value, Unmeasured)
    )
    if script is not None and len(heard) >= _LEAST_LINES and heard[len(heard) // 2] <= _FEW_WORDS:
        yield "hardly a word of the script is heard: is it the script of this dub, and in its language?"


def _converted(features: ProgrammeFeatures) -> Iterator[str]:
    original, dub = features.original.duration_s, features.dub.duration_s
    if min(original, dub) < _LEAST_S:
        return
    if abs(max(original, dub) / min(original, dub) - _CONVERTED) <= _ROOM:
        yield "the lengths of original and dub differ as a conversion between 24 and 25 pictures a second makes them"
