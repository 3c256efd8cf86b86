"""What was done through a service, as the ledger keeps it: each write with who and about what, each minute of reads by digest."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from consent.strict import Id, Line, Record, Sha256, Time


class Act(Record):
    """Somebody wrote something through the service. What it was stands by digest: its content lies elsewhere."""

    schema_name: ClassVar[str] = "consent-act/1.0"

    act_id: Id
    by: Id
    verb: Line
    about: Line
    token_id: Line | None = None
    request_id: Line | None = None
    what_sha256: Sha256

    @property
    def record_id(self) -> str:
        """The act's id."""
        return self.act_id

    def found_under(self) -> tuple[str, ...]:
        """By itself, and by what it was about."""
        return (f"act:{self.act_id}", f"about:{self.about}")


class ReadsDigest(Record):
    """The reads of one machine in one minute: how many, and the SHA-256 of their log's lines."""

    schema_name: ClassVar[str] = "consent-reads/1.0"

    reads_id: Id
    by: Id
    node: Line
    begun_at: Time
    n_reads: Annotated[int, Field(ge=1)]
    log_sha256: Sha256

    @property
    def record_id(self) -> str:
        """The digest's id."""
        return self.reads_id

    def found_under(self) -> tuple[str, ...]:
        """By itself, and among those of its machine."""
        return (f"reads:{self.reads_id}", f"node:{self.node}")
