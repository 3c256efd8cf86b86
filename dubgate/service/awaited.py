"""Whether people are still asked about a sound that jobs judged: as long as they are, it stays where they can hear it.

Which sounds a job judged stands in its `rests_on.json`; of a job that does not say so, every open question of its
submitter counts.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, select

from consent.asking import all_requests, request_histories
from consent.requests import RequestHistory
from consent.uses import UseNotice
from consent.views import View
from dubgate.service.jobs import DONE
from dubgate.service.tables import FILE, JOB
from dubgate.service.verdicts import RESTS_ON


@dataclass(frozen=True, slots=True)
class Judged:
    """What jobs judged: the sounds by the digest of their packets, and whose jobs do not say which."""

    sounds: frozenset[str]
    unsaid: frozenset[str]


def judged_by(connection: Connection, job_ids: Iterable[str]) -> Judged:
    """The sounds of some jobs that came to their end."""
    of = JOB.c
    joined = JOB.outerjoin(FILE, (FILE.c.job_id == of.job_id) & (FILE.c.name == RESTS_ON))
    query = select(of.organisation, of.party, FILE.c.content).select_from(joined)
    sounds, unsaid = set[str](), set[str]()
    for row in connection.execute(query.where(of.job_id.in_(tuple(job_ids)), of.state == DONE)):
        told = {} if row.content is None else json.loads(row.content)
        sounds.update(told.get("sounds", ()))
        if not told.get("sounds"):
            unsaid.update((row.organisation, row.party))
    return Judged(frozenset(sounds), frozenset(unsaid))


def awaited(view: View, judged: Judged) -> bool:
    """Whether a request about one of them waits for its answer, or a holder may still object to its use."""
    if any(h.waiting(view.now) for h in _requests(view, judged)):
        return True
    notices = (e.record for s in judged.sounds for e in view.store.entries(f"sound:{s}", UseNotice))
    return any(isinstance(n, UseNotice) and n.object_until > view.now for n in notices)


def _requests(view: View, judged: Judged) -> Iterator[RequestHistory]:
    for sound in judged.sounds:
        yield from request_histories(view, f"sound:{sound}")
    if judged.unsaid:
        yield from (h for h in all_requests(view) if h.request.asked_by in judged.unsaid)
