"""Backup and restore: the history as one file, the wrapped keys as another, so that an erasure outlives its backups.

A backup is JSON lines: a header, then every entry, then every sealed content (ciphertext). Wrapped keys are written
apart. A restore appends the entries again, must come to the same root, and replays the erasures that the history names:
a key or content that was erased does not come back, whatever an older file of keys holds.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert, select

from consent import ledger
from consent.entries import Entry, entry_of, iso
from consent.errors import RecordError, StoreError
from consent.events import Event
from consent.store import ENTRY, LOOKUP, NODE, PERSON_KEY, SEALED, Store
from consent.vocabulary import EventKind

SCHEMA = "consent-backup/1.0"
KEYS_SCHEMA = "consent-backup-keys/1.0"
_WHAT_TO_NAME = (
    "Name the history and the keys that one `dubgate consent backup` wrote, in this order; a cut copy, copy again."
)


def write_backup(connection: Connection, meta: dict[str, str], path: Path, keys_path: Path) -> int:
    """Write the history to `path` and the wrapped keys to `keys_path`; both appear whole or not at all.

    Returns:
        The number of entries.

    Raises:
        RecordError: it cannot be written, or something else than an older backup is there, such as the registry itself.
    """
    for place, schema in ((path, SCHEMA), (keys_path, KEYS_SCHEMA)):
        _require_free(place, schema)
    store = Store(connection, None)
    size = store.size()
    root = ledger.root(size, store.read_node)
    header = {"schema": SCHEMA, "meta": meta, "size": size, "root": root.hex()}
    _write(path, [header, *(_entry(e) for e in store.all_entries()), *_sealed(connection)])
    _write(keys_path, [{"schema": KEYS_SCHEMA, "origin": meta["origin"]}, *_keys(connection)])
    return size


def _require_free(path: Path, schema: str) -> None:
    """Nothing is there, or an older backup of this kind: never the registry, nor the key without which nobody reads it."""
    if not path.is_file():
        return
    try:
        older = next(_lines(path), {}).get("schema") == schema
    except RecordError:
        older = False
    if not older:
        raise RecordError("another file is already there", where=str(path), remedy="Name a new file.")


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "leaf_index": entry.leaf_index,
        "recorded_at": iso(entry.recorded_at),
        "schema_name": entry.schema_name,
        "body": entry.body,
        "salt": entry.salt,
        "sealed_sha256": entry.sealed_sha256,
        "envelope": entry.envelope,
        "leaf_hash": entry.leaf_hash,
    }


def _sealed(connection: Connection) -> Iterator[dict[str, Any]]:
    for row in connection.execute(select(SEALED).order_by(SEALED.c.leaf_index)):
        content = base64.b64encode(row.content).decode()
        yield {"sealed": row.leaf_index, "holder": row.holder, "content": content}


def _keys(connection: Connection) -> Iterator[dict[str, Any]]:
    for row in connection.execute(select(PERSON_KEY).order_by(PERSON_KEY.c.holder)):
        yield {"holder": row.holder, "wrapped": base64.b64encode(row.wrapped).decode()}


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    partial = path.with_name(path.name + ".partial")
    try:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.writelines(json.dumps(row, sort_keys=True) + "\n" for row in rows)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        raise RecordError(f"cannot be written ({error.strerror})", where=str(path)) from None


def read_header(path: Path) -> dict[str, Any]:
    """The first line of a backup.

    Raises:
        RecordError: it cannot be read, or is no backup of this version.
    """
    header = next(_lines(path), {})
    if header.get("schema") != SCHEMA:
        raise RecordError(f"not a backup ({SCHEMA})", where=str(path), remedy=_WHAT_TO_NAME)
    return header


def restore(connection: Connection, path: Path, keys_path: Path) -> int:
    """Fill an empty registry from a backup, in the caller's transaction.

    Returns:
        The number of holders whose keys were not restored because the history says that they were erased.

    Raises:
        RecordError: the files are damaged, of two registries, or do not come to the root that they name.
    """
    lines = _lines(path)
    header = next(lines)
    store = _Restoring(connection)
    for line in lines:
        store.take(line, path)
    if (store.n_entries, store.root().hex()) != (header["size"], header["root"]):
        raise RecordError("the entries do not come to the root that the backup names", where=str(path))
    return _restore_keys(connection, keys_path, header["meta"]["origin"], store.erased)


class _Restoring:
    """Appends entries and sealed contents as they are read."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.nodes: dict[tuple[int, int], bytes] = {}
        self.n_entries = 0
        self.erased: dict[str, set[int]] = {}

    def root(self) -> bytes:
        return ledger.root(self.n_entries, lambda level, position: self.nodes[(level, position)])

    def take(self, line: dict[str, Any], path: Path) -> None:
        try:
            if "sealed" in line:
                self._sealed(line)
            else:
                self._entry(entry_of(line))
        except (KeyError, TypeError, ValueError, StoreError) as error:
            raise RecordError(f"entry {self.n_entries} is damaged: {error}", where=str(path)) from None

    def _entry(self, entry: Entry) -> None:
        leaf = ledger.leaf_hash(entry.leaf())
        if entry.leaf_index != self.n_entries or leaf.hex() != entry.leaf_hash:
            raise ValueError("it is not the entry that was recorded")
        record = entry.record
        self.n_entries += 1
        self.connection.execute(insert(ENTRY), _entry(entry) | {"record_id": record.record_id})
        keys = [
            {"key": k, "schema_name": entry.schema_name, "leaf_index": entry.leaf_index}
            for k in set(record.found_under())
        ]
        self.connection.execute(insert(LOOKUP), keys)
        for level, position, value in ledger.completed_by(entry.leaf_index, leaf, lambda lv, p: self.nodes[(lv, p)]):
            self.nodes[(level, position)] = value
            self.connection.execute(insert(NODE), {"level": level, "position": position, "hash": value.hex()})
        if isinstance(record, Event) and record.kind is EventKind.ERASED and record.ref:
            holder = f"{record.target}:{record.target_id}"
            self.erased.setdefault(holder, set()).update(int(i) for i in record.ref.split(","))

    def _sealed(self, line: dict[str, Any]) -> None:
        if line["sealed"] in self.erased.get(line["holder"], set()):
            return
        content = base64.b64decode(line["content"], validate=True)
        self.connection.execute(
            insert(SEALED), {"leaf_index": line["sealed"], "holder": line["holder"], "content": content}
        )


def _restore_keys(connection: Connection, path: Path, origin: str, erased: dict[str, set[int]]) -> int:
    lines = _lines(path)
    header = next(lines, {})
    if header.get("schema") != KEYS_SCHEMA or header.get("origin") != origin:
        raise RecordError("these are not the keys of that registry", where=str(path), remedy=_WHAT_TO_NAME)
    in_use = set(connection.execute(select(SEALED.c.holder)).scalars())
    left_out = 0
    for line in lines:
        if line["holder"] in erased and line["holder"] not in in_use:
            left_out += 1
            continue
        wrapped = base64.b64decode(line["wrapped"], validate=True)
        connection.execute(insert(PERSON_KEY), {"holder": line["holder"], "wrapped": wrapped})
    return left_out


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                value = json.loads(line)
                if not isinstance(value, dict):
                    raise ValueError(f"line {number} is no object")
                yield value
    except OSError as error:
        raise RecordError(f"cannot be read ({error.strerror})", where=str(path)) from None
    except ValueError as error:
        raise RecordError(f"damaged, or no backup: {error}", where=str(path), remedy=_WHAT_TO_NAME) from None
