"""Mounts the review desk below the API, and hands it what only dubgate can do: judge again, play an excerpt."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from dubgate.errors import InputError
from dubgate.service.database import looking
from dubgate.service.jobs import DONE
from dubgate.service.settings import Desk, Settings
from dubgate.service.sources import SourceRefusedError, manifest_of
from dubgate.service.tables import JOB

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from dubgate.service.state import State

MOST = 2000
PATH = "/desk"  # where the desk is mounted; links in messages begin with it


def desk_of(state: State, desk: Desk) -> Any:
    """The desk's application.

    Raises:
        InputError: the desk is not installed.
    """
    try:
        from consent.web.app import create_desk
        from consent.web.settings import DeskSettings, Smtp, Webhook
        from dubgate.service.desk_judge import DeskDeliveries
    except ImportError as error:
        raise InputError(f"the review desk is not here: {error}", where="desk") from None
    settings = state.settings
    deliveries = DeskDeliveries(
        lambda: manifests_of(state.engine, settings),
        settings.registry,
        models=settings.models,
        device=settings.device,
        packs=tuple(settings.packs),
        company=settings.company,
    )
    smtp, hook = None, None
    if desk.mail is not None:
        password = os.environ.get("DUBGATE_SMTP_PASSWORD")
        smtp = Smtp(desk.mail.host, desk.mail.port, desk.mail.user, password, desk.mail.starttls)
    if desk.webhook is not None:
        secret = os.environ.get("DUBGATE_DESK_WEBHOOK_SECRET", "")
        hook = Webhook(desk.webhook, secret, settings.allow_private_webhooks)
    told = DeskSettings(desk.origin, desk.tables, desk.outbox, desk.sender, smtp, hook, path=PATH)
    return create_desk(state.registry, told, judge=deliveries, listening=deliveries, clock=state.clock)


def manifests_of(engine: Engine, settings: Settings) -> dict[str, Path]:
    """The deliveries that were judged here and still lie where they lay, by the id of their newest job, newest first."""
    query = select(JOB.c.job_id, JOB.c.organisation, JOB.c.request).where(JOB.c.state == DONE)
    with looking(engine) as connection:
        rows = connection.execute(query.order_by(JOB.c.finished_at.desc()).limit(MOST)).all()
    found: dict[str, Path] = {}
    seen: set[Path] = set()
    for row in rows:
        place = _place(row, settings)
        if place is not None and place not in seen:
            seen.add(place)
            found[row.job_id] = place
    return found


def _place(row: Any, settings: Settings) -> Path | None:
    request = json.loads(row.request)
    if "url" in request:
        fetched = settings.data / "fetched" / row.job_id / "delivery.yaml"
        return fetched if fetched.is_file() else None
    try:
        return manifest_of(request, row.organisation, settings)
    except SourceRefusedError:
        return None
