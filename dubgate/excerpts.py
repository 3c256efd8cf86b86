"""Short stretches of sound for reports, cut in the child: FLAC at 16 kHz, mono."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dubgate.errors import ChildError
from dubgate.spans import Span
from dubgate.stored import Arrays, from_stored, to_stored

BEFORE_S, AFTER_S = 0.4, 0.8
MAX_BYTES = 256_000_000


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
    from dubgate.sandbox import Limits, run_in_child

    request, _ = to_stored(Cuts(tuple(cuts)))
    reply = run_in_child("excerpts", request, limits=Limits(), inputs=[Path(c.path) for c in cuts])
    try:
        return [[reply.arrays[f"c{k}s{n}"].tobytes() for n in range(len(c.spans))] for k, c in enumerate(cuts)]
    except KeyError as error:
        raise ChildError(f"an excerpt is missing: {error}") from None


def excerpts_task(request: dict[str, Any], scratch: Path, progress: Callable[[str, float], None]) -> tuple[Any, Arrays]:
    """The child's entry for `cut_excerpts`."""
    import soundfile

    from dubgate.delivery.audio import AudioSpool

    arrays: Arrays = {}
    used = 0
    for k, cut in enumerate(from_stored(Cuts, request, {}).of):
        spool = AudioSpool(Path(cut.path), cut.stream, scratch)
        for n, span in enumerate(cut.spans):
            buffer = io.BytesIO()
            sound = (
                spool.read(max(0.0, span.start_s - BEFORE_S), span.end_s + AFTER_S) if used < MAX_BYTES else np.zeros(1)
            )
            soundfile.write(buffer, np.clip(sound, -1, 1), 16_000, format="FLAC", subtype="PCM_16")
            arrays[f"c{k}s{n}"] = np.frombuffer(buffer.getvalue(), dtype=np.uint8)
            used += len(buffer.getvalue())
        spool.close()
    return {}, arrays
