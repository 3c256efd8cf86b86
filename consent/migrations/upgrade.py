"""A registry of an older schema brought to today's in one transaction: every step, or nothing, and the history as it was.

Alembic knows the steps; which of them are due says the registry's own `schema_version`. Before the first step a SQLite
file is copied beside itself, and after the last every row of the history and of what is sealed is compared.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection, Engine, text

from consent import ledger
from consent.database import (
    SCHEMA_VERSION,
    engine_for,
    newer,
    note_revision,
    reading,
    schema_version,
    sqlite_path,
    writing,
)
from consent.errors import StoreError
from consent.store import Store

# What schema version 1 says; a later version may add columns, and changes nothing in these.
_CONTENT = {
    "entry": "leaf_index, recorded_at, schema_name, record_id, body, salt, sealed_sha256, envelope, leaf_hash",
    "lookup": "key, schema_name, leaf_index",
    "node": "level, position, hash",
    "person_key": "holder, wrapped",
    "sealed": "leaf_index, holder, content",
}


@dataclass(frozen=True, slots=True)
class Migration:
    """What was done, or with a dry run what would be; `steps` is empty where the registry is of today's version."""

    version_before: int
    version_after: int
    steps: tuple[str, ...]
    size: int
    root: bytes
    backup: Path | None


def migrate(location: str | Path, *, dry_run: bool = False, busy_s: float | None = None) -> Migration:
    """Bring a registry to today's schema version, waiting `busy_s` (30 s by default) for who writes to it.

    Raises:
        StoreError: no registry, a newer one, one that cannot be locked or written; it is then as it was.
    """
    engine = engine_for(location, create=False, read_only=dry_run, busy_s=busy_s)
    copied: list[Path] = []
    try:
        with (reading if dry_run else writing)(engine) as connection:
            return _migrated(engine, connection, str(location), dry_run, copied)
    except BaseException:
        for path in copied:  # of a registry that is still as it was
            path.unlink(missing_ok=True)
        raise
    finally:
        engine.dispose()


def _migrated(engine: Engine, connection: Connection, where: str, dry_run: bool, copied: list[Path]) -> Migration:
    before = schema_version(connection, where)
    if before > SCHEMA_VERSION:
        raise newer(before, where)
    due = _due(before, where)
    if due and not dry_run:
        copied += _copy_beside(engine, before)
        _take(due, connection, before, where)
    store = Store(connection, None)
    size = store.size()
    steps = tuple(f"{s.revision}: {s.doc}" for s in due)
    root = ledger.root(size, store.read_node)
    return Migration(before, SCHEMA_VERSION, steps, size, root, copied[0] if copied else None)


def _due(version: int, where: str) -> list[Script]:
    """The steps from a version on, the first first."""
    known = {int(s.revision): s for s in ScriptDirectory.from_config(_config()).walk_revisions()}
    if version not in known:
        raise StoreError(f"no registry ever had the schema version {version}", where=where, remedy="Restore a backup.")
    return [known[v] for v in sorted(known) if version < v <= SCHEMA_VERSION]


def _take(due: list[Script], connection: Connection, before: int, where: str) -> None:
    held = _contents(connection)
    note_revision(connection, before)
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, due[-1].revision)
    connection.execute(
        text("UPDATE meta SET value = :version WHERE key = 'schema_version'"), {"version": str(SCHEMA_VERSION)}
    )
    changed = sorted(name for name, content in _contents(connection).items() if content != held[name])
    if changed:
        raise StoreError(f"the migration would change what {', '.join(changed)} says; nothing was changed", where=where)


def _contents(connection: Connection) -> dict[str, tuple[int, int]]:
    """Of each table the number of its rows and the sum of their hashes, whatever order they come in."""
    return {table: _content(connection, table, columns) for table, columns in _CONTENT.items()}


def _content(connection: Connection, table: str, columns: str) -> tuple[int, int]:
    query = text(f"SELECT {columns} FROM {table}")
    rows = connection.execute(query, execution_options={"yield_per": 1000})
    n, total = 0, 0
    for row in rows:
        n, total = n + 1, (total + int.from_bytes(hashlib.sha256(repr(tuple(row)).encode()).digest())) % 2**256
    return n, total


def _copy_beside(engine: Engine, version: int) -> list[Path]:
    """A copy of a SQLite registry as it is while nobody else can write; PostgreSQL's own transaction needs none."""
    path = sqlite_path(engine)
    if path is None:
        return []
    copy = next(c for c in _names(path, version) if not c.exists())
    try:
        os.close(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        source, target = sqlite3.connect(path), sqlite3.connect(copy)
        try:
            source.backup(target)
        finally:
            source.close()
            target.close()
    except (OSError, sqlite3.Error) as error:
        copy.unlink(missing_ok=True)
        what = f"no copy could be made before the migration ({error}); nothing was changed"
        raise StoreError(what, where=str(copy), remedy="Make room beside the registry, and try again.") from None
    return [copy]


def _names(path: Path, version: int) -> Iterator[Path]:
    yield path.with_name(f"{path.name}.v{version}.backup")
    for k in range(2, 1000):
        yield path.with_name(f"{path.name}.v{version}.backup-{k}")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
