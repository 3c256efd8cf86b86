"""What gates sign after a release and whom they follow: renewed and package certificates, and the rule packs adopted."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from consent.strict import Id, Line, Record, Sha256, Text


class Certification(Record):
    """A certificate beside a release's own: its renewal, or that of a package made of what was released."""

    schema_name: ClassVar[str] = "consent-certification/1.0"

    certification_id: Id
    kind: Literal["renewal", "package"]
    release_id: Id
    certificate_sha256: Sha256
    recorded_by: Id

    @property
    def record_id(self) -> str:
        """The certification's id."""
        return self.certification_id

    def found_under(self) -> tuple[str, ...]:
        """By itself, by release, and by the certificate."""
        own = f"certification:{self.certification_id}"
        return (own, f"release:{self.release_id}", f"certificate:{self.certificate_sha256}")


class Adoption(Record):
    """Somebody answerable puts a rule pack, by its very bytes, in force or out of it; always signed.

    `replaces` is the digest of the bytes that were in force before, so that a change of a threshold names what it changed.
    """

    schema_name: ClassVar[str] = "consent-adoption/1.0"

    adoption_id: Id
    kind: Literal["adopted", "retired"]
    pack: Line
    version: Line
    sha256: Sha256
    replaces: Sha256 | None = Field(default=None)
    by: Id
    reason: Text

    @property
    def record_id(self) -> str:
        """The adoption's id."""
        return self.adoption_id

    def found_under(self) -> tuple[str, ...]:
        """By itself, by pack, among all adoptions, and by who signed."""
        return (f"adoption:{self.adoption_id}", f"pack:{self.pack}", "adoptions:all", f"party:{self.by}")


def in_force(adoptions: tuple[Adoption, ...]) -> dict[str, Adoption]:
    """By name, the pack that the adoptions (in ledger order) leave in force."""
    standing: dict[str, Adoption] = {}
    for adoption in adoptions:
        if adoption.kind == "adopted":
            standing[adoption.pack] = adoption
        elif adoption.pack in standing and standing[adoption.pack].sha256 == adoption.sha256:
            del standing[adoption.pack]
    return standing
