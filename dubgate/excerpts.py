"""Short stretches of sound for reports, cut in the child: FLAC at 16 kHz, mono."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from dubgate.errors import ChildError
from dubgate.spans import Span
from dubgate.stored import Arrays, from_stored, to_stored

BEFORE_S, AFTER_S = 0.4, 0.8
MAX_BYTES = 256_000_000  # handed over at once; what is left is cut in a further pass


@dataclass(frozen=True, slots=True)
class Cut:
    """Stretches of one stream."""

    path: str
    stream: int
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Cuts:
    """Several streams' stretches; all of the cut is answered in the same order."""

    of: tuple[Cut, ...]


def cut_excerpts(cuts: Sequence[Cut]) -> list[list[bytes]]:
    """FLAC bytes per cut and span.

    Raises:
        MediaError, ChildError: a stream could not be decoded again.
    """
    found: dict[tuple[int, int], bytes] = {}
    wanted = [(k, n) for k, cut in enumerate(cuts) for n in range(len(cut.spans))]
    while left := [place for place in wanted if place not in found]:
        found |= _pass(cuts, left)
    return [[found[k, n] for n in range(len(cut.spans))] for k, cut in enumerate(cuts)]


def _pass(cuts: Sequence[Cut], left: Sequence[tuple[int, int]]) -> dict[tuple[int, int], bytes]:
    """What the child hands over of these stretches, in order; at least one, so that passes end.

    Raises:
        MediaError, ChildError
    """
    from dubgate.sandbox import Limits, run_in_child

    asked = {k: [n for of, n in left if of == k] for k in dict.fromkeys(k for k, _ in left)}
    chosen = tuple(replace(cuts[k], spans=tuple(cuts[k].spans[n] for n in spans)) for k, spans in asked.items())
    request, _ = to_stored(Cuts(chosen))
    reply = run_in_child("excerpts", request, limits=Limits(), inputs=[Path(c.path) for c in chosen])
    told = {(k, n): reply.arrays.get(f"c{i}s{m}") for i, k in enumerate(asked) for m, n in enumerate(asked[k])}
    found = {place: sound.tobytes() for place, sound in told.items() if sound is not None}
    if not found:
        raise ChildError("an excerpt is missing: the child cut none")
    return found


def excerpts_task(request: dict[str, Any], scratch: Path, progress: Callable[[str, float], None]) -> tuple[Any, Arrays]:
    """The child's entry for `cut_excerpts`: as many of the stretches as may be handed over, the first of them always."""
    import soundfile

    from dubgate.delivery.audio import AudioSpool

    arrays: Arrays = {}
    used = 0
    for k, cut in enumerate(from_stored(Cuts, request, {}).of):
        if used >= MAX_BYTES:
            break
        spool = AudioSpool(Path(cut.path), cut.stream, scratch)
        for n, span in enumerate(cut.spans):
            if used >= MAX_BYTES:
                break
            buffer = io.BytesIO()
            sound = spool.read(max(0.0, span.start_s - BEFORE_S), span.end_s + AFTER_S)
            soundfile.write(buffer, np.clip(sound, -1, 1), 16_000, format="FLAC", subtype="PCM_16")
            arrays[f"c{k}s{n}"] = np.frombuffer(buffer.getvalue(), dtype=np.uint8)
            used += len(buffer.getvalue())
        spool.close()
    return {}, arrays
