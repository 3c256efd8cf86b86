"""A signed label beside a master whose container cannot hold one: what it says, and whether it stands in for a label here.

It is a registered party's word that AI made the sound, bound to the file's and the packets' digests. It counts at the master
stage only: what the audience gets carries a label of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar

from consent.strict import Id, Language, Line, Sha256
from consent.vocabulary import Role
from dubgate.certificate.dsse import Opened
from dubgate.certificate.statements import record_of
from dubgate.labels.tracks import LabelledTrack, Labels
from dubgate.labels.wording import is_ai_label, speak_alike
from dubgate.measure.measurement import Scope, Subject
from dubgate.policy.evidence import Kind, Signed
from dubgate.policy.findings import Finding, Group, Outcome, Text
from dubgate.policy.signed_objects import SignedObject

LABEL_SIDECAR = "urn:dubgate:label-sidecar:1.0"
# FFmpeg's names of what holds no name that players show; every other container is labelled itself.
HOLDS_NO_LABEL = frozenset({"ac3", "eac3", "mpegts", "aac", "w64"})
_SIGNERS = (
    Role.RIGHTS_HOLDER,
    Role.LICENSEE,
    Role.DUBBING_VENDOR,
    Role.DUBBING_DIRECTOR,
    Role.LOCALIZATION_SUPERVISOR,
    Role.PRODUCTION,
)


class LabelSidecar(SignedObject):
    """The label that the container cannot hold: the text for people, its language, and a token for machines."""

    schema_name: ClassVar[str] = "label-sidecar/1.0"
    kind: ClassVar[str] = "label sidecar"

    sidecar_id: Id
    language: Language
    text: Line
    machine_token: Line | None = None
    container: Line
    file_sha256: Sha256

    @property
    def record_id(self) -> str:
        """The sidecar's id."""
        return self.sidecar_id


def read_sidecar(opened: Opened, name: str) -> LabelSidecar:
    """The sidecar in a verified envelope; see record_of."""
    return record_of(opened, LabelSidecar, "packets_sha256", name)


SIDECARS: Kind[LabelSidecar] = Kind(LABEL_SIDECAR, read_sidecar, _SIGNERS)


@dataclass(frozen=True, slots=True)
class Published:
    """What a sidecar is held against: the published file, at which stage, and when."""

    file_sha256: str
    packets_sha256: str
    container: str  # as its content says
    language: str
    stage: str
    at: datetime


def with_sidecar(
    labels: Labels, sidecars: Sequence[Signed[LabelSidecar]], now: Published
) -> tuple[Labels, tuple[Finding, ...]]:
    """The labels with what a sidecar says in place of what the container cannot, and a finding for each that does not count.

    The first that counts, in order of id, stands in; a track that the file itself names is left alone.
    """
    found: list[Finding] = []
    for signed in sorted(sidecars, key=lambda s: s.record.sidecar_id):
        why = why_it_does_not_count(signed.record, labels, now)
        if why is not None:
            found.append(_refused(signed, why))
        elif labels.sidecar is None:
            tracks = tuple(_labelled(track, signed.record) for track in labels.tracks)
            labels = replace(labels, tracks=tracks, sidecar=signed.record.sidecar_id)
    return labels, tuple(found)


def why_it_does_not_count(record: LabelSidecar, labels: Labels, now: Published) -> str | None:
    """Why a sidecar is no label here; None where it is one."""
    if now.stage != "master":
        return "what is published needs a label of its own, in its package"
    if now.container not in HOLDS_NO_LABEL:
        return f"{now.container} can hold a label: write it there (dubgate label apply)"
    if record.file_sha256 != now.file_sha256:
        return "it is about another file"
    if record.packets_sha256 != now.packets_sha256:
        return "it is about other sound"
    if now.at < record.signed_at:
        return f"it is dated {record.signed_at.isoformat()}, which is still to come"
    if now.at >= record.expires_at:
        return f"it expired on {record.expires_at.isoformat()}"
    if not speak_alike(record.language, now.language):
        return f"it labels {record.language}, and the dub speaks {now.language}"
    if not is_ai_label(record.text, record.language):
        return f"“{record.text}” does not tell that AI made it"
    named = next((t.name for t in labels.tracks if t.name), None)
    return f"the file itself calls its sound “{named}”" if named else None


def _labelled(track: LabelledTrack, record: LabelSidecar) -> LabelledTrack:
    where = f"{track.where} (by the signed sidecar {record.sidecar_id})"
    machine = track.machine_readable or record.machine_token is not None
    return replace(track, where=where, name=record.text, machine_readable=machine)


def _refused(signed: Signed[LabelSidecar], why: str) -> Finding:
    record = signed.record
    return Finding(
        rule="SIG-LABEL-SIDECAR",
        pack="core",
        group=Group.RECORD,
        subject=Subject(Scope.PROGRAMME),
        outcome=Outcome.NOT_APPLICABLE,
        text=Text(
            f"The label sidecar {record.sidecar_id} by {signed.by} does not count: {why}.",
            f"{signed.by}による表示書 {record.sidecar_id} は無効です（{why}）。",
        ),
        value=record.sidecar_id,
    )
