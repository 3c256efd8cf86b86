"""The disclosure that a rights holder is shown with a delivery: what the audience is told in words, before it is approved."""

from __future__ import annotations

from datetime import datetime

from consent.views import View
from dubgate.approving import Sounds
from dubgate.clearing import published_sound
from dubgate.delivery.manifest import Delivery
from dubgate.digesting import Sound
from dubgate.disclosure.gathering import Looked, gather
from dubgate.disclosure.words import shipped, wording
from dubgate.disclosure.writing import write_for_decision
from dubgate.errors import DubgateError
from dubgate.gate import QualityRequest
from dubgate.judgement import Judgement
from dubgate.labels.tracks import Labels
from dubgate.unmeasured import Unmeasured

READERS = ("en", "ja")  # the desk's own languages; beside them the audience's, which is the dub's


def disclosures_of(
    delivery: Delivery, judgement: Judgement, quality: QualityRequest, view: View, at: datetime
) -> dict[str, str]:
    """The text in each language that its readers have, as on record at `at`; none where it cannot be written.

    Social text and credits name no label, so that none is read back for them. It decides nothing: the page says so where
    there is none, and a verdict does not wait for it.
    """
    dub, original = published_sound(judgement.features), judgement.features.original
    if dub is None or not original.packet_sha256:
        return {}
    sounds = Sounds(dub, Sound(original.packet_sha256, Unmeasured("not asked for"), original.duration_s))
    sheet = judgement.sheet if judgement.scripted else None
    try:
        told = gather(delivery, Looked(sounds, sheet, Labels(()), quality), view, at)
        return {language: write_for_decision(told, wording(language)) for language in _languages(delivery)}
    except DubgateError:
        return {}


def _languages(delivery: Delivery) -> tuple[str, ...]:
    heard = delivery.dub.language.split("-")[0]
    return tuple(dict.fromkeys((*READERS, *((heard,) if heard in shipped() else ()))))
