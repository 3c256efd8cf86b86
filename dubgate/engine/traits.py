"""How each character of a dub sounds, in few numbers, and which voices of a series may be compared; pure."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from consent.views import View
from consent.vocabulary import PermissionKind
from dubgate.delivery.manifest import Delivery
from dubgate.delivery.manifest_schema import CastEntry
from dubgate.delivery.script import CueSheet
from dubgate.engine.jobs import Trait, Voices
from dubgate.features import ProgrammeFeatures, TrackFeatures
from dubgate.spans import Span
from dubgate.unmeasured import Unmeasured
from dubgate.voices_heard import speakers_of

SHORTEST_S = 3.0  # of a character's speech: under it a median says little
VOICE_S = 10.0  # of speech, as wherever a voice is told by comparing (design, calibration)


def traits_of(
    delivery: Delivery, features: ProgrammeFeatures, sheet: CueSheet, view: View, at: datetime
) -> tuple[Trait, ...]:
    """One trait for each entry of the cast that speaks in the script."""
    lines: dict[str, list[Span]] = {}
    for cue in sheet.cues:
        if cue.character is not None:
            lines.setdefault(cue.character, []).append(cue.span)
    return tuple(
        _trait(entry, features.dub, tuple(lines[entry.name]), view, at)
        for entry in delivery.cast
        if entry.name in lines
    )


def voices_of(features: ProgrammeFeatures, traits: tuple[Trait, ...]) -> Voices:
    """A pooled vector for each character whose voice may be compared and was heard for long enough."""
    if isinstance(features.dub.voices, Unmeasured):
        return {}
    allowed = {t.character for t in traits if t.not_compared is None}
    found: Voices = {}
    for speaker in speakers_of(features.dub.voices):
        pooled = speaker.pooled()
        if speaker.name is not None and speaker.name in allowed and not isinstance(pooled, Unmeasured):
            found[speaker.name] = pooled
    return found


def _trait(entry: CastEntry, dub: TrackFeatures, lines: tuple[Span, ...], view: View, at: datetime) -> Trait:
    spoken = _spoken(dub, lines)
    return Trait(
        character=entry.name,
        voice_ids=entry.voice_ids,
        technique=str(entry.technique),
        vendor=entry.vendor,
        model=entry.model,
        speech_s=sum(s.duration_s for s in spoken),
        register_st=_register_st(dub, spoken),
        level_db=_level_db(dub, spoken),
        not_compared=_forbidden(entry, view, at),
    )


def _forbidden(entry: CastEntry, view: View, at: datetime) -> str | None:
    """Why the voice may not be compared; None where each voice declared allows it."""
    if not entry.voice_ids:
        return "no voice of the registry is declared, so nobody gave the permission to compare"
    missing = [v for v in entry.voice_ids if PermissionKind.MATCH not in view.permissions(v, at)]
    return f"no permission to match {', '.join(missing)}" if missing else None


def _spoken(dub: TrackFeatures, lines: tuple[Span, ...]) -> tuple[Span, ...]:
    """The stretches of dub speech inside a character's lines."""
    found = []
    for line in lines:
        for speech in dub.speech:
            start_s, end_s = max(line.start_s, speech.start_s), min(line.end_s, speech.end_s)
            if end_s > start_s:
                found.append(Span(start_s, end_s))
    return tuple(found)


def _register_st(dub: TrackFeatures, spoken: tuple[Span, ...]) -> float | Unmeasured:
    if isinstance(dub.pitch, Unmeasured):
        return dub.pitch
    series = dub.pitch.f0_hz
    f0 = np.concatenate([series.within(s) for s in spoken] or [np.zeros(0, np.float32)])
    voiced = f0[np.isfinite(f0)]
    if voiced.size * series.hop_s < SHORTEST_S / 2:
        return Unmeasured(f"less than {SHORTEST_S / 2:g} s of voiced speech")
    return float(12.0 * np.log2(np.median(voiced.astype(np.float64))))


def _level_db(dub: TrackFeatures, spoken: tuple[Span, ...]) -> float | Unmeasured:
    series = dub.energy_db
    levels = np.concatenate([series.within(s) for s in spoken] or [np.zeros(0, np.float32)]).astype(np.float64)
    if levels.size * series.hop_s < SHORTEST_S:
        return Unmeasured(f"less than {SHORTEST_S:g} s of speech")
    return float(10.0 * np.log10(np.mean(10.0 ** (levels / 10.0))))
