"""The first registry: meta, entries with their index and tree, keys and sealed contents, a history that refuses edits."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision: str | None = None


def upgrade() -> None:
    """The tables of schema version 1."""
    op.create_table(
        "meta", sa.Column("key", sa.String, primary_key=True), sa.Column("value", sa.String, nullable=False)
    )
    _entry()
    op.create_table(
        "lookup",
        sa.Column("key", sa.String, primary_key=True),
        sa.Column("schema_name", sa.String, primary_key=True),
        sa.Column("leaf_index", sa.BigInteger, primary_key=True, autoincrement=False),
    )
    op.create_table(
        "node",
        sa.Column("level", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("hash", sa.String, nullable=False),
    )
    _erasable()
    for statement in _guards():
        op.execute(statement)


def _entry() -> None:
    op.create_table(
        "entry",
        sa.Column("leaf_index", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("recorded_at", sa.String, nullable=False),
        sa.Column("schema_name", sa.String, nullable=False),
        sa.Column("record_id", sa.String, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("salt", sa.String, nullable=False),
        sa.Column("sealed_sha256", sa.String),
        sa.Column("envelope", sa.Text),
        sa.Column("leaf_hash", sa.String, nullable=False),
    )
    op.create_index("ix_entry_schema_name", "entry", ["schema_name"])


def _erasable() -> None:
    op.create_table(
        "person_key",
        sa.Column("holder", sa.String, primary_key=True),
        sa.Column("wrapped", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "sealed",
        sa.Column("leaf_index", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("holder", sa.String, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.create_index("ix_sealed_holder", "sealed", ["holder"])


def _guards() -> list[str]:
    tables = ("entry", "lookup", "node")
    if op.get_bind().dialect.name == "sqlite":
        return [
            f"CREATE TRIGGER {table}_no_{action.lower()} BEFORE {action} ON {table} "
            "BEGIN SELECT RAISE(ABORT, 'history is never changed'); END"
            for table in tables
            for action in ("UPDATE", "DELETE")
        ]
    function = (
        "CREATE OR REPLACE FUNCTION refuse_history_edit() RETURNS trigger AS "
        "$$ BEGIN RAISE EXCEPTION 'history is never changed'; END $$ LANGUAGE plpgsql"
    )
    return [function] + [
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_history_edit()"
        for table in tables
    ]
