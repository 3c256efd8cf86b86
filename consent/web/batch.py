"""One gesture for a list: approvals of several requests in one statement, under one signature of one passkey.

Each approval stands in the ledger by itself, with the same envelope: the statement that lists all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import rfc8785

from consent.dsse import STATEMENT_TYPE
from consent.errors import RecordError
from consent.requests import Request
from consent.signatures import LIST_SCHEMA, LIST_TYPE, predicate_of
from consent.views import View
from consent.web.catalogue import text
from consent.web.deciding import Terms, approval_of
from consent.web.signing import propose
from consent.web.telling import dossier_of, story_of
from consent.web.visiting import Visitor


def propose_list(who: Visitor, view: View, requests: Sequence[Request]) -> str:
    """Keep the statement that approves all of these, as they were shown; the number of its page.

    Raises:
        RecordError: one of them differs from what the gate shows, or lacks what an approval names.
    """
    approvals = []
    for request in requests:
        story = story_of(view, request, dossier_of(who.desk.judge, request), who.language)
        if story.differs:
            raise RecordError(text("decide.differs", who.language), where=request.request_id)
        approvals.append(approval_of(story, request, Terms(), by=who.party_id, at=view.now, language=who.language))
    sounds = [s.packets_sha256 for a in approvals for s in a.sounds]
    statement: dict[str, Any] = {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": "dub", "digest": {"sha256": sound}} for sound in sounds],
        "predicateType": LIST_TYPE,
        "predicate": {"schema": LIST_SCHEMA, "approvals": [predicate_of(a) for a in approvals]},
    }
    ids = [r.request_id for r in requests]
    return propose(who, rfc8785.dumps(statement), {"kind": "approvals", "request_ids": ids})
