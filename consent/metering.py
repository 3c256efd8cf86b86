"""Metered grants: nobody spends what is not left."""

from __future__ import annotations

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
