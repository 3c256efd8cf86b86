"""Kept hearing: what was heard of the same bytes by the same models with the same script is not heard again.

Speaker vectors are never kept: they are taken anew where they are needed (hearing.voices_task). A damaged or older entry
counts as none.
"""

from __future__ import annotations

import hashlib
import io
import json
import tokenize
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from dubgate import __version__, cache
from dubgate.features import ProgrammeFeatures, TrackFeatures, VoiceSegment
from dubgate.hearing import HearingPlan
from dubgate.program import code_sha256
from dubgate.stored import from_stored, to_stored
from dubgate.unmeasured import Unmeasured

SCHEMA = "kept-hearing/1.0"
NAME = "heard"
DAMAGED = (  # whatever zipfile, zlib, NumPy and JSON raise over bytes that are not what was kept
    OSError,
    ValueError,
    LookupError,
    EOFError,
    TypeError,
    RuntimeError,
    MemoryError,
    SyntaxError,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)
code_sha256()  # what this process began with is what it goes on with
NOT_KEPT = Unmeasured("speaker vectors are not kept")


def key_of(plan: HearingPlan, file_sha256s: Sequence[str], model_sha256s: Sequence[str]) -> str:
    """What decides what is heard: the bytes, the streams, the script, the models, and this program by its version and source.

    Empty where the source cannot be told: nothing is kept under that, and nothing found.
    """
    code = code_sha256()
    if code is None:
        return cache.NOWHERE
    told, _ = to_stored(plan)
    for source in ("original", "dub", "mix", "music_and_effects"):
        if told[source] is not None:
            told[source].pop("path")
    facts = [SCHEMA, __version__, code, told, list(file_sha256s), list(model_sha256s)]
    return hashlib.sha256(json.dumps(facts, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


def load(key: str) -> ProgrammeFeatures | None:
    """The features kept under a key, without vectors; None where there are none or they are damaged."""
    payload = cache.read(key, NAME)
    if payload is None:
        return None
    try:
        with np.load(io.BytesIO(payload), allow_pickle=False) as stored:
            data = json.loads(bytes(stored["data"]).decode())
            arrays = {name: stored[name] for name in stored.files if name != "data"}
        return from_stored(ProgrammeFeatures, data, arrays)
    except DAMAGED:
        return None


def keep(key: str, features: ProgrammeFeatures, folder: Path | None = None) -> None:
    """Keep features under a key, atomically; a full or read-only disk only costs hearing again.

    Args:
        folder: where the dub lay, for people: every delivery calls its files alike.
    """
    if cache.folder() is None or key == cache.NOWHERE:
        return
    data, arrays = to_stored(without_vectors(features))
    buffer = io.BytesIO()
    encoded = np.frombuffer(json.dumps(data, allow_nan=False).encode(), dtype=np.uint8)
    np.savez_compressed(buffer, data=encoded, **arrays)  # type: ignore[arg-type]
    about = f"{features.original.name} / {features.dub.name}"
    cache.write(key, NAME, buffer.getvalue(), about=about if folder is None else f"{about} in {folder}")


def without_vectors(features: ProgrammeFeatures) -> ProgrammeFeatures:
    """The same features with every speaker vector taken out."""
    return replace(features, original=_stripped(features.original), dub=_stripped(features.dub))


def _stripped(track: TrackFeatures) -> TrackFeatures:
    if isinstance(track.voices, Unmeasured):
        return track
    return replace(track, voices=tuple(_bare(v) for v in track.voices))


def _bare(segment: VoiceSegment) -> VoiceSegment:
    return segment if isinstance(segment.vector, Unmeasured) else replace(segment, vector=NOT_KEPT)
