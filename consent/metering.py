"""Metered grants and standing approvals: nobody spends what is not left."""

from __future__ import annotations

from consent.approvals import Approval
from consent.errors import RecordError
from consent.events import Event, RecordedEvent, fold
from consent.terms import Grant
from consent.views import View


def require_left(view: View, event: Event, grant: Grant) -> None:
    """Check that a reservation or spending fits; writers are one at a time, so the sum still stands at the commit.

    Raises:
        RecordError: it does not.
    """
    key = f"grant:{grant.grant_id}"
    now = fold(view.events(key), known_at=view.now)
    coming = RecordedEvent(event, view.now, view.store.size())
    then = fold((*view.events(key), coming), known_at=view.now)
    over = grant.max_uses is not None and then.uses_spent > max(grant.max_uses, now.uses_spent)
    longer = grant.max_minutes is not None and then.minutes_spent > max(grant.max_minutes, now.minutes_spent)
    if over or longer:
        raise RecordError("the grant has not so many uses or minutes left")


def require_use_left(view: View, approval: Approval, packets_sha256: str) -> None:
    """Check that a standing approval has a use left for one more sound; writers are one at a time.

    Raises:
        RecordError: it has none, or this use of it was already noticed.
    """
    used = {u.notice.packets_sha256 for u in view.uses(approval.approval_id)}
    if packets_sha256 in used:
        raise RecordError("the holder was already told of this use")
    if approval.standing is None or len(used) >= approval.standing.max_releases:
        raise RecordError("the standing approval's number of uses is used up")
