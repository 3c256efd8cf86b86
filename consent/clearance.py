"""The question that a gate asks of a voice: does some one grant cover the whole use, and if none does, why not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from consent.denials import Denial, GrantHistory, Sentence, denials
from consent.terms import Grant, Use
from consent.vocabulary import EventKind
from consent.voices import Voice

NOBODY_GRANTED = Denial(
    "CON-001",
    "voice_id",
    Sentence("nobody has granted any use of this voice", "この声の利用には誰も同意していません"),
)


@dataclass(frozen=True, slots=True)
class Clearance:
    """The answer for one voice: the grants that cover the use, or every reason of every grant that does not."""

    voice_id: str
    grants: tuple[Grant, ...]
    denials: tuple[Denial, ...]

    @property
    def cleared(self) -> bool:
        return bool(self.grants) and not self.denials


def clear(voice: Voice, histories: Iterable[GrantHistory], use: Use, at: datetime) -> Clearance:
    """Whether some one grant covers the whole use of a voice; with no grant at all, CON-001.

    A superseded version speaks neither for nor against. For a blend, ask `clear` for each of its voices as well.
    """
    asked = [(h, denials(h, use, at, voice=voice)) for h in histories]
    covering = tuple(h.grant for h, reasons in asked if not reasons)
    if covering:
        return Clearance(voice.voice_id, covering, ())
    against = tuple(d for h, reasons in asked for d in reasons if not _superseded(h, at))
    return Clearance(voice.voice_id, (), against or (NOBODY_GRANTED,))


def _superseded(history: GrantHistory, at: datetime) -> bool:
    status = history.state(at).status(at)
    return status is not None and status.kind is EventKind.SUPERSEDED
