"""Speakers: one that was heard, with what its voice was compared with, and one that the cast declares. Frozen values."""

from __future__ import annotations

from dataclasses import dataclass

from consent.clearance import Clearance
from consent.titles import Refusal
from dubgate.spans import Span
from dubgate.unmeasured import Unmeasured

Score = float | Unmeasured


@dataclass(frozen=True, slots=True)
class Declared:
    """A cast entry with what the registry says of its voices.

    `clearances` has one entry per voice that the entry names; `may_compare` is false where a voice's owner gave no
    `match`; `unconfirmed` lists voices whose enrolment nobody confirmed; `human_statement` says why a human
    performance is not stated, or None where it is; `performed_by` lists voices whose owner or agent signed that.
    """

    name: str
    technique: str
    voice_ids: tuple[str, ...]
    clearances: tuple[Clearance, ...]
    refusals: tuple[Refusal, ...] = ()
    may_compare: bool = True
    why_not_compare: str = ""
    unconfirmed: tuple[str, ...] = ()
    human_statement: str | None = "no human-performance statement was delivered"
    performed_by: frozenset[str] = frozenset()

    @property
    def human(self) -> bool:
        return self.technique == "human"


@dataclass(frozen=True, slots=True)
class Hit:
    """A voice that did not consent and was heard: its id, the score, and whether the gallery's false-hit rate lets it
    block. Until its owner or agent `confirmed` the enrolment, a hit is unknown. `false_hit_rate` is that of the search.
    """

    voice_id: str
    llr: float
    blocks: bool
    confirmed: bool = True
    false_hit_rate: float | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """One speaker heard: what the script calls it (None outside every line), and what its voice was compared with.

    `match_llr` is against the declared voice; `accept` and `reject` are the calibration's thresholds on it.
    `original_llr` is how far the voice stands out towards one of the original's speakers; from `original_from` on it is
    a clone. `search_gap` says why a part of the search could not be made, beside what the rest of it hit; `n_searched`
    protected voices were looked for (None: nobody counted), and `n_unpermitted` enrolled ones not, for want of `protect`.
    """

    name: str | None
    speech_s: float
    spans: tuple[Span, ...]
    match_llr: Score
    accept: float
    reject: float
    hits: tuple[Hit, ...] | Unmeasured
    original_llr: Score
    original_from: float
    original_granted: bool = False
    search_gap: Unmeasured | None = None
    n_searched: int | None = None
    n_unpermitted: int = 0
