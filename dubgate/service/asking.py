"""A job that asks the parties for the decisions that a delivery lacks, and tells the submitter whom it asked."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from consent.registry import Registry
from dubgate.judging_again import Judged
from dubgate.requesting import Asking, ask
from dubgate.whom_to_ask import release_to_decide


def ask_for_decisions(judged: Judged, registry: Registry, at: datetime) -> bytes:
    """Open, keep and close requests; what came of it, as JSON.

    Raises:
        InputError: nobody could answer, since the delivery does not say what, where or by whom.
        RecordError: the registry refuses it.
    """
    with registry.write() as writer:
        release = release_to_decide(judged.delivery, judged.judgement, writer, at)
        asking = ask(writer, release, judged.judgement.verdict.findings)
    return json.dumps(told(asking), ensure_ascii=False, indent=1).encode()


def told(asking: Asking) -> dict[str, Any]:
    """What came of asking, as JSON-able data."""
    return {
        "opened": [
            {"request_id": r.request_id, "to": r.to, "expires_at": r.expires_at.isoformat()} for r in asking.opened
        ],
        "waiting": [r.request_id for r in asking.waiting],
        "closed": [r.request_id for r in asking.closed],
        "refused": [r.request_id for r in asking.refused],
        "told": [n.notice_id for n in asking.told],
        "mend_first": [{"rule": f.rule, "text": {"en": f.text.en, "ja": f.text.ja}} for f in asking.mend],
        "nobody_to_ask": [{"rule": f.rule, "text": {"en": f.text.en, "ja": f.text.ja}} for f in asking.nobody],
    }
