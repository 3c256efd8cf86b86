"""Discloses a delivery: digests the sounds, reads the labels back, asks the registry, and writes. Hears nothing."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from dubgate.approving import sounds_of
from dubgate.delivery.cues import read_cues
from dubgate.delivery.digests import file_sha256
from dubgate.delivery.manifest import Delivery, load_delivery
from dubgate.delivery.media import probe_apart, select_stream
from dubgate.delivery.script import CueSheet
from dubgate.disclosure.gathering import Looked, gather
from dubgate.disclosure.told import Told
from dubgate.errors import ManifestError
from dubgate.labels.reading import read_labels
from dubgate.labels.tracks import Labels
from dubgate.release import CheckRequest, open_registry, quality_request


def told_of(manifest: Path, registry: str, *, packs: tuple[str, ...], at: datetime) -> Told:
    """What there is to tell of the delivery that a manifest describes.

    Raises:
        InputError: the manifest or a file that it names cannot be used.
        RegistryError: the registry cannot be read.
    """
    delivery = load_delivery(manifest)
    request = CheckRequest(manifest, registry, packs)
    sheet = script_of(delivery)
    looked = Looked(sounds_of(delivery), sheet, labels_in(delivery), quality_request(delivery, request))
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


def labels_in(delivery: Delivery) -> Labels:
    """The labels of the dub as they stand in what is delivered."""
    published = delivery.dub.mix or delivery.dub.stem
    if published is None:
        raise ManifestError("the delivery names no sound", where=str(delivery.root))
    language = None if published.stream is not None else published.language
    stream = select_stream(probe_apart(published.path), index=published.stream, language=language)
    return read_labels(
        published=published.path,
        stream=stream.index,
        language=delivery.dub.language,
        published_sha256=file_sha256(published.path),
        package=delivery.package if delivery.stage == "package" else None,
        root=delivery.root,
    )
