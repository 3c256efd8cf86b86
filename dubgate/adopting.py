"""Rule packs put in force and out of it: who answers for a threshold signs its very bytes, in the ledger."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any, Literal

from consent.certifications import Adoption, in_force
from consent.errors import ConsentError
from consent.registry import Clock, Registry, utc_now
from consent.writing import Addition
from dubgate.certificate.records import signed
from dubgate.errors import RegistryError
from dubgate.policy.packs import Pack


def adopt(
    packs: Sequence[Pack],
    kind: Literal["adopted", "retired"],
    *,
    location: str,
    by: str,
    key: Any,
    reason: str,
    clock: Clock = utc_now,
) -> tuple[Adoption, ...]:
    """Record that packs are in force from now on, or no longer; a pack that already is so stays as it is.

    Raises:
        RegistryError: the registry refuses it, with why; nothing was recorded.
    """
    try:
        with Registry.open(location, clock=clock) as registry:
            with registry.view() as view:
                standing = in_force(view.adoptions())
            made = [_adoption(p, kind, standing.get(p.name), by, reason) for p in packs]
            new = [a for a in made if a is not None]
            registry.add(*(Addition(a, envelope=signed(a, key)) for a in new))
            return tuple(new)
    except ConsentError as error:
        raise RegistryError(error.what, where=error.where, remedy=error.remedy) from error


def _adoption(
    pack: Pack, kind: Literal["adopted", "retired"], standing: Adoption | None, by: str, reason: str
) -> Adoption | None:
    before = standing.sha256 if standing is not None else None
    if kind == "adopted" and before == pack.sha256:
        return None
    return Adoption(
        adoption_id=f"ad-{uuid.uuid4().hex}",
        kind=kind,
        pack=pack.name,
        version=pack.version,
        sha256=pack.sha256,
        replaces=before if kind == "adopted" else None,
        by=by,
        reason=reason,
    )


def adopted_in(location: str) -> tuple[Adoption, ...]:
    """The packs in force, by name.

    Raises:
        RegistryError: it could not be asked.
    """
    try:
        with Registry.open(location, read_only=True) as registry, registry.view() as view:
            standing = in_force(view.adoptions())
    except ConsentError as error:
        raise RegistryError(error.what, where=error.where, remedy=error.remedy) from error
    return tuple(standing[name] for name in sorted(standing))
