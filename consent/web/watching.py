"""Who is told of what: requests, decisions, endings, hits, titles submitted without their holder, consents that end soon.

Everything is told once: a name for each message stands in the desk's tables before it is sent.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, select, update

from consent.asking import request_histories
from consent.consequences import Ending
from consent.denials import GrantHistory
from consent.entries import iso
from consent.errors import StoreError
from consent.events import Event
from consent.notices import Outbox
from consent.requests import Request
from consent.terms import Grant
from consent.uses import UseNotice
from consent.views import View
from consent.vocabulary import EventKind
from consent.web import accounts, inviting, recovery
from consent.web.desk import Desk
from consent.web.protocols import Summary
from consent.web.rows import TOLD
from consent.web.scope import title_names

EXPIRY_DAYS = (90, 30, 7)
_PLACE = "ledger"


def tell_party(desk: Desk, party_ids: Iterable[str], key: str, once: str, *, path: str = "", **values: Any) -> int:
    """Tell every account of these parties, and of the people of these houses, once; how many messages went."""
    n = 0
    for party_id in dict.fromkeys(party_ids):
        for account in accounts.of_party(desk, party_id):
            if _first(desk, f"{once} {account.account_id}"):
                accounts.tell(desk, account, f"mail.{key}", link=desk.link(path) if path else "", **values)
                n += 1
    return n


def _first(desk: Desk, name: str) -> bool:
    with desk.tables.begin() as connection:
        known = connection.execute(select(TOLD.c.name).where(TOLD.c.name == name)).first()
        if known is None:
            connection.execute(insert(TOLD).values(name=name, at=iso(desk.clock())))
    return known is None


def told_asker(desk: Desk, request_ids: Sequence[str], decision: str, reason: str) -> None:
    """Tell whoever asked what was decided."""
    with desk.registry.view() as view:
        found = [h.request for r in request_ids for h in request_histories(view, f"request:{r}")]
        names = title_names(view, (r.release.title_ids[0] for r in found))
    for asked in found:
        title = names.get(asked.release.title_ids[0], asked.release.title_ids[0])
        once = f"decided {asked.request_id} {decision}"
        values = {"title": title, "by": asked.to, "reason": reason or "–"}
        tell_party(desk, [asked.asked_by], f"decided_{decision}", once, path=f"/requests/{asked.request_id}", **values)


def told_of_ending(desk: Desk, ending: Ending) -> None:
    """Write the takedown notice of an ending, and tell whoever released what it touches."""
    event, releases = ending.event, ending.impact.releases
    if event.kind is EventKind.RESUMED or not releases:
        return
    Outbox(desk.settings.outbox / "takedown").write(event.event_id, ending.notice())
    values: dict[str, Any] = {
        "target": event.target_id,
        "kind": str(event.kind),
        "n": len(releases),
        "reason": event.reason or "–",
    }
    tell_party(desk, sorted({r.recorded_by for r in releases}), "ending", f"ending {event.event_id}", **values)


def told_of_return(desk: Desk, summary: Summary, by: str) -> None:
    """Tell the vendor that a delivery came back with notes."""
    once = f"returned {summary.delivery_id} {iso(desk.clock())}"
    path = f"/returned/{summary.delivery_id}"
    tell_party(desk, [summary.submitted_by], "returned", once, path=path, title=summary.title, by=by)


def watch(desk: Desk) -> int:
    """One round: everything that is new in the ledger since the last one, what ends soon, recoveries that are due.

    A round that fails leaves the rest for the next one; how many messages went.
    """
    n = recovery.send_due(desk) + inviting.send_due(desk)
    try:
        with desk.registry.view() as view:
            start, size = _seen(desk), view.store.size()
            entries = [e.record for e in view.store.all_entries(start=start)]
            n += sum(_new(desk, view, record) for record in entries)
            n += sum(_ends_soon(desk, view, h) for h in _ending(view))
        n += _unasked(desk)
        _see(desk, size)
    except StoreError:
        return n
    return n


def watch_behind(desk: Desk, every_s: float = 60.0) -> threading.Thread:
    """Go round as long as the process runs; a round that fails is told to nobody and tried again."""

    def rounds() -> None:
        while True:
            watch(desk)
            time.sleep(every_s)

    thread = threading.Thread(target=rounds, name="desk-watch", daemon=True)
    thread.start()
    return thread


def _seen(desk: Desk) -> int:
    row = desk.tables.one(select(TOLD.c.at).where(TOLD.c.name == _PLACE))
    return int(row["at"]) if row is not None else 0


def _see(desk: Desk, size: int) -> None:
    if desk.tables.run(update(TOLD).where(TOLD.c.name == _PLACE).values(at=str(size))) == 0:
        desk.tables.run(insert(TOLD).values(name=_PLACE, at=str(size)))


def _new(desk: Desk, view: View, record: object) -> int:
    if isinstance(record, Request):
        return _request(desk, view, record)
    if isinstance(record, UseNotice):
        values = {"title": record.title_id, "until": iso(record.object_until)[:16].replace("T", " ")}
        return tell_party(
            desk, [record.to], "use", f"use {record.notice_id}", path=f"/titles/{record.title_id}", **values
        )
    if isinstance(record, Event) and record.kind is EventKind.HEARD:
        path, once = f"/voices/{record.target_id}", f"hit {record.event_id}"
        return tell_party(desk, view.spokespeople(record.target_id), "hit", once, path=path, voice=record.target_id)
    return 0


def _request(desk: Desk, view: View, asked: Request) -> int:
    [history] = request_histories(view, f"request:{asked.request_id}")
    if not history.waiting(view.now):
        return 0
    title = title_names(view, [asked.release.title_ids[0]]).get(asked.release.title_ids[0], asked.release.title_ids[0])
    values: dict[str, Any] = {"title": title, "by": asked.asked_by, "until": _minute(asked.expires_at)}
    once = f"request {asked.request_id}"
    return tell_party(desk, [asked.to], "request", once, path=f"/requests/{asked.request_id}", **values)


def _minute(at: datetime) -> str:
    return f"{iso(at)[:16].replace('T', ' ')} UTC"


def _ending(view: View) -> list[GrantHistory]:
    """Grants whose term ends within the longest time of which people are told, and that stand now."""
    last = view.now + timedelta(days=max(EXPIRY_DAYS))
    found = (e.record for e in view.store.of_kind(Grant))
    soon = [g for g in found if isinstance(g, Grant) and g.not_after and view.now < g.not_after <= last]
    ids = {g.grant_id for g in soon}
    known = [h for v in sorted({g.voice_id for g in soon}) for h in view.grants(v) if h.grant.grant_id in ids]
    return [h for h in known if h.state(view.now).alive(view.now)]


def _ends_soon(desk: Desk, view: View, history: GrantHistory) -> int:
    grant, end = history.grant, history.grant.not_after
    if end is None:
        return 0
    days = min(d for d in EXPIRY_DAYS if end <= view.now + timedelta(days=d))
    whom = [*sorted(view.spokespeople(grant.voice_id)), *([grant.licensee_id] if grant.licensee_id else [])]
    values = {
        "grant": grant.grant_id,
        "voice": grant.voice_id,
        "day": f"{iso(end - timedelta(microseconds=1))[:10]} UTC",
        "days": days,
    }
    return tell_party(
        desk, whom, "expiry", f"expiry {grant.grant_id} {days}", path=f"/grants/{grant.grant_id}", **values
    )


def _unasked(desk: Desk) -> int:
    """Titles that were submitted by somebody else while their holder was asked nothing: the holder learns of it here."""
    n = 0
    for summary in desk.judge.deliveries() if desk.judge is not None else ():
        with desk.registry.view() as view:
            title = view.title(summary.title_id) if summary.title_id else None
            claims = view.claims(title) if title is not None else ()
            holders = {h for c in claims if c.stands(view.now) and c.confirmed(view.now) for h in c.claim.holder_ids}
            asked = {h.request.to for h in request_histories(view, f"sound:{summary.packets_sha256}")}
        whom = sorted(holders - asked - {summary.submitted_by})
        once, path = f"unasked {summary.packets_sha256}", f"/titles/{summary.title_id}"
        values = {"title": summary.title, "by": summary.submitted_by, "spoken": summary.language}
        n += tell_party(desk, whom, "unasked", once, path=path, **values)
    return n
