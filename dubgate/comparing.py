"""One recording against who is enrolled: is it this voice, and who of those that asked for protection is it?

The answers carry numbers and ids; no vector leaves this module.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from consent.views import EnrolledVoice, View
from dubgate.enrolling import Recording
from dubgate.measure.voice_gallery import BLOCKING_RATE, HOLDING_RATE
from dubgate.policy.speakers import Hit
from dubgate.protected_voices import POOLED_S, protected_of, search
from dubgate.speech.calibration import Calibration, Relation, find
from dubgate.unmeasured import Unmeasured

ACCEPT_LLR = 5.0  # a stranger reaches it in under 0.7 % of cases, if the ratio is calibrated (Markov: exp(-5))
REJECT_LLR = -2.0
SHORTEST_S = 1.5  # net speech under which no voice can be told (quality-metrics 3.2)


@dataclass(frozen=True, slots=True)
class Verified:
    """Whether a recording is an enrolled voice: `answer` is yes, no, or why it cannot be told."""

    voice_id: str
    speech_s: float
    cosine: float | Unmeasured
    llr: float | Unmeasured
    answer: bool | Unmeasured
    confirmed: bool

    def as_json(self) -> dict[str, Any]:
        """Plain data, Unmeasured as {"unmeasured": reason}."""
        return {
            "voice_id": self.voice_id,
            "speech_s": round(self.speech_s, 2),
            "cosine": _plain(self.cosine),
            "llr_nat": _plain(self.llr),
            "accept_from_nat": ACCEPT_LLR,
            "reject_under_nat": REJECT_LLR,
            "enrolment_confirmed": self.confirmed,
            "same_voice": _plain(self.answer),
        }

    def as_text(self) -> str:
        """Lines for people."""
        told = {True: f"It is {self.voice_id}.", False: f"It is not {self.voice_id}."}
        answer = (
            f"It cannot be told: {self.answer.reason}." if isinstance(self.answer, Unmeasured) else told[self.answer]
        )
        lines = [
            f"speech      {self.speech_s:.1f} s",
            f"cosine      {_shown(self.cosine, '.3f')}",
            f"LLR         {_shown(self.llr, '.1f')} nat (yes from {ACCEPT_LLR:g}, no under {REJECT_LLR:g})",
        ]
        return "\n".join([*lines, answer])


@dataclass(frozen=True, slots=True)
class Identified:
    """Who of the protected voices a recording is: hits best first, nobody, or why it cannot be told."""

    speech_s: float
    hits: tuple[Hit, ...] | Unmeasured
    gap: Unmeasured | None
    n_searched: int | None
    n_unpermitted: int

    def as_json(self) -> dict[str, Any]:
        """Plain data, Unmeasured as {"unmeasured": reason}."""
        hits = self.hits
        return {
            "speech_s": round(self.speech_s, 2),
            "looked_for": self.n_searched,
            "not_looked_for": self.n_unpermitted,
            "holds_at_rate": HOLDING_RATE,
            "blocks_at_rate": BLOCKING_RATE,
            "hits": _plain(hits) if isinstance(hits, Unmeasured) else [_hit_json(h) for h in hits],
            "not_searched": None if self.gap is None else _plain(self.gap),
        }

    def as_text(self) -> str:
        """Lines for people."""
        counted = "" if self.n_searched is None else f"; {self.n_searched} voices looked for"
        lines = [f"{self.speech_s:.1f} s of speech{counted}; {self.n_unpermitted} enrolled without `protect` were not"]
        if isinstance(self.hits, Unmeasured):
            return "\n".join([*lines, f"It cannot be told: {self.hits.reason}."])
        lines += [_hit_text(h) for h in self.hits] or ["None of the voices that asked for protection."]
        return "\n".join([*lines, *([f"Not searched: {self.gap.reason}."] if self.gap is not None else [])])


def verify(recording: Recording, voice_id: str, view: View, at: datetime) -> Verified:
    """Whether a recording is an enrolled voice, by the best of its templates; compared only with its `match`."""
    return compare(recording, voice_id, view.enrolments(voice_id, at))


def compare(recording: Recording, voice_id: str, templates: Sequence[EnrolledVoice]) -> Verified:
    """Whether a recording is the voice of these templates; who may compare them is the caller's to have asked."""
    told = [e for e in templates if e.enrolment.encoder_sha256 == recording.encoder_sha256]
    cosines = [_likeness(recording, e.vector) for e in told]
    confirmed = bool(told) and all(e.confirmed for e in told)
    why = _unfit(recording, SHORTEST_S)
    if why is None and not told:
        why = Unmeasured("the voice gave no `match`, or has no enrolment for this speaker encoder")
    if why is None and not np.isfinite(cosines).all():
        why = Unmeasured("a template of the voice holds no voice")
    if why is not None:
        return Verified(voice_id, recording.speech_s, why, why, why, confirmed)
    best, calibration = max(cosines), find(recording.encoder_sha256, Relation.SAME)
    llr = calibration if isinstance(calibration, Unmeasured) else calibration.llr(best, recording.speech_s)
    return Verified(voice_id, recording.speech_s, best, llr, _answer(llr, confirmed), confirmed)


def _answer(llr: float | Unmeasured, confirmed: bool) -> bool | Unmeasured:
    if isinstance(llr, Unmeasured):
        return llr
    if not confirmed:
        return Unmeasured("neither its owner nor an agent confirmed the enrolment")
    if REJECT_LLR <= llr < ACCEPT_LLR:
        return Unmeasured(f"{llr:.1f} nat lie between {REJECT_LLR:g} and {ACCEPT_LLR:g}")
    return llr >= ACCEPT_LLR


def identify(recording: Recording, view: View, at: datetime) -> Identified:
    """Who of the voices with `protect` in force a recording is; it takes 10 s of speech of one voice."""
    why = _unfit(recording, POOLED_S)
    if why is not None:
        return Identified(recording.speech_s, why, None, None, 0)
    calibration: Calibration | Unmeasured = find(recording.encoder_sha256, Relation.SAME)
    among = protected_of(view, at, recording.encoder_sha256)
    found = search((recording.vector, recording.speech_s), among, frozenset(), calibration)
    return Identified(recording.speech_s, found.hits, found.gap, found.n, among.unpermitted)


def _unfit(recording: Recording, at_least_s: float) -> Unmeasured | None:
    if recording.n_voices > 1:
        return Unmeasured(f"{recording.n_voices} voices are heard in the recording")
    if recording.speech_s < at_least_s:
        return Unmeasured(f"{recording.speech_s:.1f} s of speech; it takes {at_least_s:g} s")
    return None if float(np.linalg.norm(recording.vector)) > 0 else Unmeasured("no voice is heard in the recording")


def _likeness(recording: Recording, template: tuple[float, ...]) -> float:
    enrolled = np.asarray(template, dtype=np.float64)
    length = float(np.linalg.norm(enrolled))
    return float(recording.vector.astype(np.float64) @ enrolled) / length if length > 0 else float("nan")


def _hit_json(hit: Hit) -> dict[str, Any]:
    return {
        "voice_id": hit.voice_id,
        "llr_nat": round(hit.llr, 2),
        "false_hit_rate_at_most": hit.false_hit_rate,
        "blocks": hit.blocks and hit.confirmed,
        "enrolment_confirmed": hit.confirmed,
    }


def _hit_text(hit: Hit) -> str:
    sure = "beyond doubt" if hit.blocks else "perhaps"
    rest = "" if hit.confirmed else "; nobody confirmed that enrolment"
    rate = "" if hit.false_hit_rate is None else f", by chance in at most {hit.false_hit_rate:.2g} of searches"
    return f"{hit.voice_id:<24} {sure}: {hit.llr:.1f} nat{rate}{rest}"


def _plain(value: Any) -> Any:
    if isinstance(value, Unmeasured):
        return {"unmeasured": value.reason}
    return round(value, 4) if isinstance(value, float) else value


def _shown(value: float | Unmeasured, form: str) -> str:
    return f"not measured ({value.reason})" if isinstance(value, Unmeasured) else format(value, form)
