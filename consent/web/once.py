"""A form counts once: a double click, a second press after a lost connection, or a replay records nothing again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from consent.web import sessions
from consent.web.visiting import Form, Visitor


@contextmanager
def once(who: Visitor, form: Form) -> Iterator[bool]:
    """Whether this form's number comes for the first time; where recording fails, it may come again."""
    number = f"{who.account.account_id} {form.nonce}"
    first = sessions.use_nonce(who.desk, number)
    try:
        yield first
    except BaseException:
        if first:
            sessions.give_back_nonce(who.desk, number)
        raise
