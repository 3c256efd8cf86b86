"""Records found by their id at once; an index and tree of half the pages on SQLite, in byte order on PostgreSQL."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision: str | None = "0001"

_NAMES = (
    ("entry", "schema_name"),
    ("entry", "record_id"),
    ("lookup", "key"),
    ("lookup", "schema_name"),
    ("person_key", "holder"),
    ("sealed", "holder"),
)


def upgrade() -> None:
    """From schema version 1: what the history says stays as it is, only where it lies changes."""
    op.drop_index("ix_entry_schema_name", "entry")
    if op.get_bind().dialect.name == "sqlite":
        _packed_lookup()
        _packed_node()
    else:
        for table, column in _NAMES:
            op.alter_column(table, column, type_=sa.String(collation="C"))
    op.create_index("ix_entry_schema_record", "entry", ["schema_name", "record_id"])


def _packed_lookup() -> None:
    op.create_table(
        "lookup_packed",
        sa.Column("key", sa.String, primary_key=True),
        sa.Column("schema_name", sa.String, primary_key=True),
        sa.Column("leaf_index", sa.BigInteger, primary_key=True, autoincrement=False),
        sqlite_with_rowid=False,
    )
    op.execute("INSERT INTO lookup_packed SELECT key, schema_name, leaf_index FROM lookup ORDER BY 1, 2, 3")
    _in_its_place("lookup")


def _packed_node() -> None:
    op.create_table(
        "node_packed",
        sa.Column("level", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("hash", sa.String, nullable=False),
        sqlite_with_rowid=False,
    )
    op.execute("INSERT INTO node_packed SELECT level, position, hash FROM node ORDER BY 1, 2")
    _in_its_place("node")


def _in_its_place(table: str) -> None:
    """The packed table under the old name, and its triggers, which went with the old one."""
    op.drop_table(table)
    op.rename_table(f"{table}_packed", table)
    for action in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {table}_no_{action.lower()} BEFORE {action} ON {table} "
            "BEGIN SELECT RAISE(ABORT, 'history is never changed'); END"
        )
