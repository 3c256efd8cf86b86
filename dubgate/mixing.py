"""Whether what was heard is what will be published, and what the background of a mix spoils."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from dubgate.features import Floats, MixCheck, ProgrammeFeatures, TrackFeatures
from dubgate.spans import Span, difference, union
from dubgate.unmeasured import Unmeasured

if TYPE_CHECKING:
    from dubgate.meter.unheard import SpeechProb

SPOILED_BELOW_DB = 15.0  # speech to background: under it a mix spoils voices, pitch and words
BLOCK_S = 30.0
WINDOW_S = 0.5
# Over the whole, what a stem and M&E leave of a long mix may hide a line of dialogue; in a window it cannot. Coding leaves less.
DIFFERS_DB, DIFFERS_DBFS = -15.0, -50.0
_RATE_HZ = 16_000


class Sound(Protocol):
    """Mono sound at 16 kHz on the programme timeline."""

    @property
    def duration_s(self) -> float: ...

    def read_padded(self, start_s: float, end_s: float) -> Floats:
        """Exactly the span's samples, zeros where the file has none."""
        ...


def check_mix(
    has_stem: bool,
    heard_sound: Sound,
    mix: Sound | None,
    me: Sound | None,
    heard: TrackFeatures,
    speech_prob: SpeechProb,
) -> MixCheck:
    """With stem, M&E and mix: does the sum reproduce the mix? With a mix alone: how far speech stands above the rest.

    What the sum leaves over of the mix is listened to: a voice is told at levels where noise is none.
    """
    if mix is not None and me is not None:
        residual_db, differs = _residual(heard_sound, me, mix)
        spoken = _spoken_beside(heard_sound, me, mix, speech_prob)
        return MixCheck(residual_db, _power_ratio_db(heard_sound, me, heard.speech), union((*differs, *spoken)))
    missing = "no M&E was given beside the stem" if has_stem else "no stem was given beside the mix"
    return MixCheck(Unmeasured(missing), _above_floor_db(heard))


def _residual(stem: Sound, me: Sound, mix: Sound) -> tuple[float, tuple[Span, ...]]:
    """Power of mix - stem - M&E against the mix's, in dB at 16 kHz, -120 at best; and the windows in which it stands out."""
    residual = power = 0.0
    differs: list[Span] = []
    n = round(WINDOW_S * _RATE_HZ)
    for start in map(float, np.arange(0.0, max(mix.duration_s, stem.duration_s), BLOCK_S)):
        a, b, c = (s.read_padded(start, start + BLOCK_S).astype(np.float64) for s in (mix, stem, me))
        left, whole = ((np.square(x).reshape(-1, n).sum(axis=1)) for x in (a - b - c, a))
        residual, power = residual + float(left.sum()), power + float(whole.sum())
        out = left > np.maximum(whole * 10 ** (DIFFERS_DB / 10), n * 10 ** (DIFFERS_DBFS / 10))
        differs += [Span(start + k * WINDOW_S, start + (k + 1) * WINDOW_S) for k in np.flatnonzero(out).tolist()]
    whole_db = 0.0 if power == 0 else max(-120.0, 10 * float(np.log10(max(residual / power, 1e-12))))
    return whole_db, union(differs)


def _spoken_beside(stem: Sound, me: Sound, mix: Sound, speech_prob: SpeechProb) -> tuple[Span, ...]:
    """Where the mix speaks and the sum of stem and M&E does not."""
    from dubgate.meter.added import audible
    from dubgate.meter.unheard import long_enough, unheard

    found: list[Span] = []
    for start in map(float, np.arange(0.0, mix.duration_s, BLOCK_S)):
        end = min(start + BLOCK_S, mix.duration_s)
        both = stem.read_padded(start, end) + me.read_padded(start, end)
        left = mix.read_padded(start, end) - both
        if audible(both, left):
            found += unheard(both, [left], speech_prob, start_s=start, apart=True)
    return long_enough(found)


def speech_beside(stem: Sound, me: Sound, speech_prob: SpeechProb, *, apart: bool = False) -> tuple[Span, ...]:
    """Where the music and effects say what the stem, which models heard, does not; `apart` where nothing of it can be in them."""
    from dubgate.meter.unheard import long_enough, unheard

    found: list[Span] = []
    for start in map(float, np.arange(0.0, me.duration_s, BLOCK_S)):
        end = min(start + BLOCK_S, me.duration_s)
        effects = me.read_padded(start, end)
        if effects.size and float(np.abs(effects).max()) > 0:
            found += unheard(stem.read_padded(start, end), [effects], speech_prob, start_s=start, apart=apart)
    return long_enough(found)


def _power_ratio_db(stem: Sound, me: Sound, speech: Sequence[Span]) -> float | Unmeasured:
    if not speech:
        return Unmeasured("no speech was heard")
    powers = np.zeros(2)
    for span in speech:
        for k, spool in enumerate((stem, me)):
            powers[k] += float(np.sum(spool.read_padded(span.start_s, span.end_s).astype(np.float64) ** 2))
    return min(120.0, 10 * float(np.log10(max(powers[0], 1e-20) / max(powers[1], 1e-20))))


def _above_floor_db(track: TrackFeatures) -> float | Unmeasured:
    """Median energy of speech against the 80th percentile of what lies between the speech, less that background."""
    if not track.speech:
        return Unmeasured("no speech was heard")
    energy = track.energy_db
    speech = np.concatenate([energy.within(s) for s in track.speech])
    pauses = difference([Span(0.0, track.duration_s)], [s.padded(0.1) for s in track.speech])
    between = np.concatenate([energy.within(s) for s in pauses] or [np.zeros(0, np.float32)])
    if len(between) * energy.hop_s < 0.5 or len(speech) == 0:
        return Unmeasured("the track has no pause in which its background could be heard")
    background = float(np.mean(10 ** (np.asarray(between, dtype=np.float64) / 10)))
    both = float(np.mean(10 ** (np.asarray(speech, dtype=np.float64) / 10)))
    return float(np.clip(10 * np.log10(max(both - background, 1e-13) / max(background, 1e-13)), -60.0, 120.0))


def without_what_background_spoils(features: ProgrammeFeatures) -> ProgrammeFeatures:
    """A mix whose background is near the speech: voices, pitch and words are Unmeasured there, never wrong."""
    ratio = features.mix.speech_to_background_db
    if isinstance(ratio, Unmeasured) or ratio >= SPOILED_BELOW_DB:
        return features
    why = Unmeasured(
        f"speech stands only {ratio:.0f} dB above the background of the mix (under {SPOILED_BELOW_DB:.0f} dB); "
        "hand in the dialogue stem"
    )
    spoiled = replace(features.dub, pitch=why, words=why, languages=why, voices=why, alignments=why)
    return replace(features, dub=spoiled)
