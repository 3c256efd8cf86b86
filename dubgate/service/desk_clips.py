"""Five clips that tell what a dub is like: long lines of different characters, from all over the programme."""

from __future__ import annotations

from consent.web.protocols import Clip
from dubgate.delivery.script import Cue, CueKind
from dubgate.judgement import Judgement

N_CLIPS = 5
LONGEST_S = 12.0


def clips_of(judgement: Judgement) -> tuple[Clip, ...]:
    """The clips in the order of the programme: of every fifth of it the line with most words, new characters first."""
    cues = [c for c in judgement.sheet.cues if c.kind is CueKind.DIALOGUE and c.span.duration_s <= LONGEST_S]
    end = max((c.span.end_s for c in cues), default=0.0)
    chosen: list[Cue] = []
    for part in range(N_CLIPS):
        first, last = end * part / N_CLIPS, end * (part + 1) / N_CLIPS
        inside = [c for c in cues if first <= c.span.start_s < last]
        known = {c.character for c in chosen}
        best = max(inside, key=lambda c: (c.character not in known, len(c.text)), default=None)
        chosen += [best] if best is not None else []
    return tuple(Clip(c.span.start_s, c.span.end_s, c.character or "", c.text, c.original_text or "") for c in chosen)
