"""Discloses a delivery: digests the sounds, reads the labels back, asks the registry, and writes. Hears nothing."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from dubgate.approving import sounds_of
from dubgate.delivery.cues import read_cues
from dubgate.delivery.manifest import Delivery, load_delivery
from dubgate.delivery.media import stream_of
from dubgate.delivery.script import CueSheet
from dubgate.disclosure.gathering import Looked, gather
from dubgate.disclosure.told import Told
from dubgate.release import CheckRequest, labels_in, open_registry, quality_request


def told_of(manifest: Path, registry: str, *, packs: tuple[str, ...], at: datetime) -> Told:
    """What there is to tell of the delivery that a manifest describes.

    Raises:
        InputError: the manifest or a file that it names cannot be used.
        RegistryError: the registry cannot be read.
    """
    delivery = load_delivery(manifest)
    request = CheckRequest(manifest, registry, packs)
    sheet = script_of(delivery)
    labels = labels_in(delivery, stream_of(delivery.dub.published).index)
    looked = Looked(sounds_of(delivery), sheet, labels, quality_request(delivery, request))
    with open_registry(registry) as opened, opened.view() as view:
        return gather(delivery, looked, view, at)


def script_of(delivery: Delivery) -> CueSheet | None:
    """The cue sheet of a delivery, on the programme timeline; None where it has none."""
    if delivery.cues is None:
        return None
    code = delivery.timecode
    rate, start_s = (code.frame_rate, code.start_s) if code is not None else (None, 0.0)
    names = [entry.name for entry in delivery.cast]
    return read_cues(delivery.cues, language=delivery.dub.language, frame_rate=rate, start_s=start_s, characters=names)
