"""Metered grants and standing approvals: nobody spends what is not left."""

from __future__ import annotations

from consent.approvals import Approval
from consent.errors import RecordError
from consent.events import Event, RecordedEvent, fold
from consent.terms import Grant
from consent.uses import UseNotice
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


def require_use_left(view: View, approval: Approval, notice: UseNotice) -> None:
    """Check that a standing approval has a use left for one more notice; writers are one at a time.

    Raises:
        RecordError: it has none, or the holder was told of this use already.
    """
    told = view.uses(approval.approval_id)
    if any(u.notice.tells_of(notice) for u in told):
        raise RecordError("the holder was already told of this use")
    if approval.standing is None or len(told) >= approval.standing.max_releases:
        raise RecordError("the standing approval's number of uses is used up")
