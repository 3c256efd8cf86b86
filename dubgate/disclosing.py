"""Discloses a delivery: digests the sounds, reads the labels back, asks the registry, and writes. Hears nothing."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from dubgate.approving import sounds_of
from dubgate.delivery.manifest import load_delivery
from dubgate.delivery.manifest_script import script_of
from dubgate.delivery.media import stream_of
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
