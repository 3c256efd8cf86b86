"""What a certification and the adoption of a rule pack must be true to before they enter the history."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from consent.certifications import Adoption, Certification, in_force
from consent.errors import RecordError
from consent.releases import Release, ReleaseDecision
from consent.strict import Record
from consent.views import View


def _party(view: View, party_id: str) -> None:
    if view.party(party_id) is None:
        raise RecordError(f"no party {party_id!r} is registered")


def _certification(view: View, certification: Certification) -> None:
    _party(view, certification.recorded_by)
    release = view.record(f"release:{certification.release_id}", Release)
    if release is None or release.decision is not ReleaseDecision.RELEASE:
        raise RecordError(f"no release {certification.release_id!r} is recorded")


def _adoption(view: View, adoption: Adoption) -> None:
    _party(view, adoption.by)
    before = in_force(view.adoptions()).get(adoption.pack)
    standing = before.sha256 if before is not None else None
    if adoption.kind == "retired" and adoption.sha256 != standing:
        raise RecordError(f"these bytes of the pack {adoption.pack} are not in force")
    if adoption.kind == "adopted" and adoption.replaces != standing:
        what = "none is in force" if standing is None else f"{standing[:16]}… is in force"
        raise RecordError(f"it replaces another pack {adoption.pack} than the one in force: {what}")


NAMES: dict[type[Record], str] = {Certification: "certification", Adoption: "adoption"}
CHECKS: dict[type[Record], Callable[[View, Any], None]] = {Certification: _certification, Adoption: _adoption}
