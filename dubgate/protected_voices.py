"""Who asked for protection, looked for in one voice: what the registry hands out, and what the search of it is worth.

Templates stay in memory for the search. A voice without the permission `protect` is not among them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from consent.gallery import protected_gallery
from consent.views import View
from dubgate.features import Floats
from dubgate.measure.voice_gallery import Gallery, identify
from dubgate.policy.speakers import Hit
from dubgate.speech.calibration import Calibration
from dubgate.unmeasured import Unmeasured

POOLED_S = 10.0  # searching many voices needs this much speech of a character (design, calibration)


@dataclass(frozen=True, slots=True, eq=False)
class Protected:
    """Who is looked for in this delivery: the small gallery, the rest, whose enrolment was confirmed; who is not."""

    near: Gallery
    rest: Gallery
    confirmed: frozenset[str]
    elsewhere: frozenset[str] = frozenset()
    unpermitted: int = 0
    off: Unmeasured | None = None

    @property
    def nobody(self) -> bool:
        """Whether there is no template to compare with."""
        return not any(len(g) or g.unusable for g in (self.near, self.rest))


def protected_of(
    view: View, at: datetime, encoder_sha256: str, *, title_ids: Sequence[str] = (), vendor_ids: Sequence[str] = ()
) -> Protected:
    """The voices with `protect` in force; those of this production, its vendor and the refusals apart from the rest."""
    found = protected_gallery(view, at, encoder_sha256=encoder_sha256, title_ids=title_ids, vendor_ids=vendor_ids)
    rows = np.frombuffer(found.templates, dtype="<f4").reshape(len(found.voice_ids), found.dimension)
    near = np.array(found.near, dtype=np.bool_)
    ids = np.array(found.voice_ids, dtype=np.str_)
    halt = found.halt
    return Protected(
        near=Gallery.of(list(ids[near]), rows[near]),
        rest=Gallery.of(list(ids[~near]), rows[~near]),
        confirmed=frozenset(v for v, yes in zip(found.voice_ids, found.confirmed, strict=True) if yes),
        elsewhere=found.elsewhere,
        unpermitted=found.unpermitted,
        off=None if halt is None else Unmeasured(f"{halt.by} switched the search off: {halt.legal_basis}"),
    )


@dataclass(frozen=True, slots=True)
class Searched:
    """What the search for one speaker gave; see Heard."""

    hits: tuple[Hit, ...] | Unmeasured
    gap: Unmeasured | None = None
    n: int | None = None


def search(
    pooled: tuple[Floats, float] | Unmeasured,
    among: Protected,
    own: frozenset[str],
    calibration: Calibration | Unmeasured,
) -> Searched:
    """Voices that asked for protection and are heard; a hit blocks only from 10 s of speech on, and beyond doubt.

    Args:
        pooled: the unit vector of a voice and the net seconds behind it.
        own: voices that are declared for this speaker; they are not looked for.

    Finding nobody says nothing where some voices are enrolled for another encoder only, or could not be searched.
    """
    if among.off is not None:
        return Searched(among.off)
    elsewhere = len(among.elsewhere - own)
    gaps = [f"{elsewhere} protected voices are enrolled for another speaker encoder only"] if elsewhere else []
    if among.nobody:
        return _told((), gaps, 0)
    if isinstance(pooled, Unmeasured):
        return Searched(pooled)
    if isinstance(calibration, Unmeasured):
        return Searched(calibration)
    found = identify(*pooled, (among.near, among.rest), calibration, apart_from=own)
    if isinstance(found, Unmeasured):
        return Searched(found)
    sure = pooled[1] >= POOLED_S
    hits = tuple(
        Hit(m.voice_id, m.llr, sure and m.beyond_doubt, m.voice_id in among.confirmed, m.false_hit_rate)
        for m in found.matches
    )
    gaps += [found.gap.reason] if found.gap is not None else []
    return _told(hits, gaps, len(among.near) + len(among.rest))


def _told(hits: tuple[Hit, ...], gaps: list[str], n: int) -> Searched:
    """Hits beside what could not be searched; with nobody hit, what could not be searched is all that there is."""
    gap = Unmeasured("; ".join(gaps)) if gaps else None
    return Searched(hits, gap, n) if hits or gap is None else Searched(gap)
