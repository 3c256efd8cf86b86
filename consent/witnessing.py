"""Witness records: somebody outside saw the ledger at a size; a revoked key's earlier signatures rest on that."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from consent.strict import Id, Record, Sha256, Time


class Witness(Record):
    """A party saw the first `size` entries under this root, and keeps the checkpoint."""

    schema_name: ClassVar[str] = "consent-witness/1.0"

    witness_id: Id
    by: Id
    size: Annotated[int, Field(ge=0, le=2**53)]
    root: Sha256
    seen_at: Time

    @property
    def record_id(self) -> str:
        """The witness record's id."""
        return self.witness_id

    def found_under(self) -> tuple[str, ...]:
        """By itself, by witness, and among all witness records."""
        return (f"witness:{self.witness_id}", f"party:{self.by}", "witnesses:all")
