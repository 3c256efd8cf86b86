"""Uploads and fetched deliveries go again, some hours after their last job ended; that one went stands in the ledger.

A delivery that is renewed by itself has a new job every day, so that what is live stays; and what people are still asked
about stays until they answered or their time is over. The act enters the ledger once and
first; then the folder is taken away in one step, so that no job finds a part of it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, Engine, select

from consent.registry import Registry
from dubgate.service.acts import record_act
from dubgate.service.awaited import awaited, judged_by
from dubgate.service.clock import iso, moment
from dubgate.service.database import looking, put_once
from dubgate.service.jobs import ENDED
from dubgate.service.settings import Settings
from dubgate.service.sources import UPLOAD_ID
from dubgate.service.tables import IDEMPOTENCY, JOB

GONE = ".gone-"
SERVICE = ""  # no organisation's: no caller can have used its keys before


@dataclass(frozen=True, slots=True)
class Due:
    """A folder whose time is over."""

    folder: Path
    organisation: str
    verb: str

    @property
    def key(self) -> str:
        return f"{self.verb}:{self.organisation}/{self.folder.name}"


@dataclass(slots=True)
class _Use:
    """What jobs made of a folder: which they are, whether one is open, and when the last one ended."""

    organisation: str
    job_ids: list[str] = field(default_factory=list)
    open_: bool = False
    ended: datetime | None = None


def delete_due(engine: Engine, registry: Registry, settings: Settings, now: datetime) -> int:
    """Delete what was kept long enough; how many folders went.

    Raises:
        ConsentError: the registry does not take the act; then nothing was deleted.
        OSError: a folder cannot be deleted; it is tried again in the next round.
    """
    for left in (*settings.data.glob(f"uploads/*/{GONE}*"), *settings.data.glob(f"fetched/{GONE}*")):
        shutil.rmtree(left)
    deleted = 0
    for due in tuple(_due(engine, settings, now)):
        if _recorded(registry, settings, due, now):
            gone = due.folder.with_name(f"{GONE}{due.folder.name}")
            with suppress(FileNotFoundError):  # another worker was first
                due.folder.rename(gone)
                shutil.rmtree(gone)
                deleted += 1
    return deleted


def _due(engine: Engine, settings: Settings, now: datetime) -> Iterator[Due]:
    with looking(engine) as connection:
        uses = _uses(connection)
    before = now - timedelta(hours=settings.keep_uploads_hours)
    for folder in sorted((settings.data / "uploads").glob("*/up-*")):
        if UPLOAD_ID.fullmatch(folder.name) and _over(uses.get((folder.parent.name, folder.name)), folder, before):
            yield Due(folder, folder.parent.name, "upload.deleted")
    for folder in sorted((settings.data / "fetched").glob("job-*")):
        use = uses.get(("", folder.name))
        if use is not None and _over(use, folder, before):
            yield Due(folder, use.organisation, "fetched.deleted")


def _over(use: _Use | None, folder: Path, before: datetime) -> bool:
    """Its last job that ended, or else its making, is long enough ago; whether one is open is asked in the transaction."""
    made = datetime.fromtimestamp(folder.stat().st_mtime, UTC)
    return (use.ended if use is not None and use.ended is not None else made) <= before


def _uses(connection: Connection) -> Mapping[tuple[str, str], _Use]:
    """By organisation and upload, and by `""` and job where a delivery was fetched for it."""
    of = JOB.c
    wanted = of.request.contains('"upload": "up-', autoescape=True) | of.request.contains('"url": "', autoescape=True)
    query = select(of.job_id, of.organisation, of.request, of.state, of.finished_at).where(wanted)
    found: dict[tuple[str, str], _Use] = {}
    for row in connection.execute(query):
        request = json.loads(row.request)
        key = (row.organisation, str(request["upload"])) if "upload" in request else ("", row.job_id)
        use = found.setdefault(key, _Use(row.organisation))
        use.job_ids.append(row.job_id)
        use.open_ = use.open_ or row.state not in ENDED
        if row.finished_at is not None:
            use.ended = max(moment(row.finished_at), use.ended or moment(row.finished_at))
    return found


def _recorded(registry: Registry, settings: Settings, due: Due, now: datetime) -> bool:
    """Whether it may go: no job and no open question wants it in the transaction in which the act enters the ledger, once."""
    with registry.write() as writer:
        connection = writer.store.connection
        named = (due.organisation, due.folder.name) if due.verb.startswith("upload") else ("", due.folder.name)
        use = _uses(connection).get(named)
        if use is not None and (use.open_ or awaited(writer, judged_by(connection, use.job_ids))):
            return False
        row = {"organisation": SERVICE, "key": due.key, "request_sha256": "", "status": 200, "answer": "{}"}
        if put_once(connection, IDEMPOTENCY, {**row, "created_at": iso(now)}):
            by = settings.keys.party if settings.keys is not None else due.organisation
            what = {"organisation": due.organisation, "kept_hours": str(settings.keep_uploads_hours)}
            record_act(writer, by=by, verb=due.verb, about=due.folder.name, token_id=None, what=what)
    return True
