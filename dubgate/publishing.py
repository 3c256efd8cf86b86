"""A publisher's own demands on a certificate: which rule packs must have judged, and which levels will do.

schema: publish-policy/1.0
levels: [DUBGATE_RELEASE]
packs:
  - {pack: core}
  - {pack: quality-lipsync, sha256: …}      # these very bytes
adopted: true                               # with --registry: only packs that are in force there, by their bytes
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from consent.strict import Line, Sha256
from dubgate.certificate.refusals import LevelDemanded, PackDemanded
from dubgate.certificate.verdict import Verdict
from dubgate.errors import InputError
from dubgate.strict_yaml import load_yaml, validate


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


class PackDemand(_Strict):
    """A pack that must have judged, by name, and by digest where one is given."""

    pack: Line
    sha256: Sha256 | None = None


class Demands(_Strict):
    """A publish policy."""

    schema_: Literal["publish-policy/1.0"] = Field(alias="schema")
    levels: tuple[Literal["DUBGATE_RELEASE", "DUBGATE_RELEASE_EMBEDDED"], ...] = Field(min_length=1)
    packs: tuple[PackDemand, ...] = ()
    adopted: bool = False


def read_demands(path: Path) -> Demands:
    """A publish policy from its file.

    Raises:
        InputError: everything that is wrong with it, at `file:line:column`.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(path)) from None
    return validate(Demands, load_yaml(data, path.name), InputError)


def check_demands(demands: Demands, verdict: Verdict) -> None:
    """Hold a verdict against the demands.

    Raises:
        LevelDemanded, PackDemanded
    """
    if verdict.level not in demands.levels:
        raise LevelDemanded(f"the verdict is of level {verdict.level}, and {' or '.join(demands.levels)} is demanded")
    for demand in demands.packs:
        used = [p.sha256 for p in verdict.claim.packs if p.name == demand.pack]
        if not used:
            raise PackDemanded(f"the pack {demand.pack} is demanded and did not judge")
        if demand.sha256 is not None and demand.sha256 not in used:
            raise PackDemanded(f"the pack {demand.pack} judged as {used[0][:16]}…, not as {demand.sha256[:16]}…")


def check_adopted(verdict: Verdict, location: str) -> None:
    """Every pack that judged is in force in the registry, by its very bytes: an answerable person signed for it.

    Raises:
        PackDemanded: one is not, or other bytes of it are.
        RegistryError: it could not be asked.
    """
    from consent.certifications import in_force
    from consent.errors import ConsentError
    from consent.registry import Registry
    from dubgate.errors import RegistryError

    try:
        with Registry.open(location, read_only=True) as registry, registry.view() as view:
            standing = in_force(view.adoptions())
    except ConsentError as error:
        raise RegistryError(error.what, where=error.where, remedy=error.remedy) from error
    for pack in verdict.claim.packs:
        adopted = standing.get(pack.name)
        if adopted is None:
            raise PackDemanded(f"the pack {pack.name} judged, and nobody has put it in force")
        if adopted.sha256 != pack.sha256:
            raise PackDemanded(
                f"the pack {pack.name} judged as {pack.sha256[:16]}…, and {adopted.sha256[:16]}… is in force"
            )
