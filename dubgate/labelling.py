"""The label beside a master whose container cannot hold one: signed as a sidecar bound by digest, and read back at a check."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from consent.views import View
from dubgate.approving import bound_to
from dubgate.certificate.dsse import sign, signer_of
from dubgate.certificate.statements import digest_id, statement
from dubgate.delivery.formats import file_sha256, sniff
from dubgate.delivery.manifest import Delivery
from dubgate.delivery.media import probe_apart, select_stream
from dubgate.digesting import Sound, digest_sound
from dubgate.errors import InputError, RegistryError
from dubgate.features import ProgrammeFeatures
from dubgate.labels.hls import MACHINE_GENERATED
from dubgate.labels.plan import LabelPlan
from dubgate.labels.tracks import Labels
from dubgate.policy.evidence import open_all
from dubgate.policy.findings import Finding
from dubgate.policy.label_sidecars import (
    HOLDS_NO_LABEL,
    LABEL_SIDECAR,
    SIDECARS,
    LabelSidecar,
    Published,
    with_sidecar,
)

SIDECAR_DAYS = 180


def sidecar(published: Path, sound: Sound, plan: LabelPlan, *, by: str, key: Any, at: datetime) -> bytes:
    """A signed label of exactly this file, valid 180 days.

    Raises:
        InputError: the container can hold a label itself.
    """
    container = sniff(published)
    if container not in HOLDS_NO_LABEL:
        what = f"{container} can hold a label, so a sidecar would not count"
        raise InputError(what, where=published.name, remedy="write it into the file: dubgate label apply")
    file = file_sha256(published)
    record = LabelSidecar(
        sidecar_id=digest_id("ls", file, by, at.isoformat()),
        language=plan.language,
        text=plan.text,
        machine_token=MACHINE_GENERATED,
        container=container,
        file_sha256=file,
        **bound_to(sound, by, at, SIDECAR_DAYS),
    )
    return sign(statement(LABEL_SIDECAR, record, (record.packets_sha256,)), signer_of(key))


def beside(
    labels: Labels,
    delivery: Delivery,
    evidence: Mapping[str, tuple[Path, ...]],
    features: ProgrammeFeatures,
    view: View,
    at: datetime,
) -> tuple[Labels, tuple[Finding, ...]]:
    """The labels with the signed sidecar that stands in for one, where the delivery brings such; and what does not count."""
    files, published = evidence.get(LABEL_SIDECAR, ()), delivery.dub.published
    if not files or features.published is None:
        return labels, ()
    opened, bad = open_all(SIDECARS, files, view, at)
    now = Published(
        file_sha256=file_sha256(published.path),
        packets_sha256=features.published.packet_sha256,
        container=sniff(published.path),
        language=delivery.dub.language,
        stage=delivery.stage,
        at=at,
    )
    labels, found = with_sidecar(labels, opened, now)
    return labels, (*bad, *found)


def beside_file(
    labels: Labels, published: Path, file: Path, registry: str, at: datetime
) -> tuple[Labels, tuple[Finding, ...]]:
    """The same for one media file and one sidecar, without a delivery: the file is taken as a master.

    Raises:
        MediaError: the file cannot be decoded, or several sounds are in it and none is of the labels' language.
        RegistryError: the registry that knows the signer cannot be asked.
    """
    from consent.errors import ConsentError
    from consent.registry import Registry

    stream = select_stream(probe_apart(published), language=labels.language)
    sound = digest_sound(published, stream.index)
    try:
        with Registry.open(registry, read_only=True) as opened, opened.view() as view:
            signed, bad = open_all(SIDECARS, (file,), view, at)
    except ConsentError as error:
        raise RegistryError(str(error)) from error
    language = labels.language or (signed[0].record.language if signed else "und")
    now = Published(file_sha256(published), sound.packet_sha256, sniff(published), language, "master", at)
    labels, found = with_sidecar(labels, signed, now)
    return labels, (*bad, *found)
