"""The rows of the registry: an append-only history with its index and tree, and beside it what can be erased.

Everything that was ever said is one table of entries; the rest of the history is derived from it (`lookup`, `node`) and
an audit derives it again. Only `person_key` and `sealed` may lose rows: erasure is the loss of a key.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, LargeBinary, String, Text
from sqlmodel import Field, SQLModel

HISTORY = ("entry", "lookup", "node")

# Bytes decide the order, on PostgreSQL too: a locale's order is slower, and an index in it breaks with the C library.
_NAME = String().with_variant(String(collation="C"), "postgresql")


class MetaRow(SQLModel, table=True):
    """What the registry is: its schema version, its id, the name in its checkpoints."""

    __tablename__ = "meta"

    key: str = Field(primary_key=True)
    value: str


class EntryRow(SQLModel, table=True):
    """One entry of the ledger: a record's canonical JSON, salted and hashed; times are ISO 8601 in UTC."""

    __tablename__ = "entry"
    __table_args__ = (Index("ix_entry_schema_record", "schema_name", "record_id"),)

    leaf_index: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    recorded_at: str
    schema_name: str = Field(sa_column=Column(_NAME, nullable=False))
    record_id: str = Field(sa_column=Column(_NAME, nullable=False))
    body: str = Field(sa_column=Column(Text, nullable=False))
    salt: str
    sealed_sha256: str | None = None
    envelope: str | None = Field(default=None, sa_column=Column(Text, nullable=True))
    leaf_hash: str


class LookupRow(SQLModel, table=True):
    """An entry under one of the keys that its record gives (`voice:…`, `title:…`)."""

    __tablename__ = "lookup"
    __table_args__ = {"sqlite_with_rowid": False}  # the key is the row: one page to write instead of two

    key: str = Field(sa_column=Column(_NAME, primary_key=True))
    schema_name: str = Field(sa_column=Column(_NAME, primary_key=True))
    leaf_index: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))


class NodeRow(SQLModel, table=True):
    """The hash of a complete subtree of the Merkle tree."""

    __tablename__ = "node"
    __table_args__ = {"sqlite_with_rowid": False}

    level: int = Field(primary_key=True)
    position: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    hash: str


class PersonKeyRow(SQLModel, table=True):
    """The key of one person or voice, wrapped under the registry's key; deleted by erasure."""

    __tablename__ = "person_key"

    holder: str = Field(sa_column=Column(_NAME, primary_key=True))
    wrapped: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class SealedRow(SQLModel, table=True):
    """A name, a contact or a template, encrypted under its holder's key; its commitment is in the entry."""

    __tablename__ = "sealed"

    leaf_index: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    holder: str = Field(sa_column=Column(_NAME, nullable=False, index=True))
    content: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
