"""Alembic's own entry point: it works in the transaction that `upgrade.migrate` hands it, and in no other."""

from __future__ import annotations

from alembic import context
from sqlmodel import SQLModel

from consent import tables

assert tables.HISTORY  # importing the tables fills the metadata
context.configure(connection=context.config.attributes["connection"], target_metadata=SQLModel.metadata)
context.run_migrations()
