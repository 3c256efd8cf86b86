"""What a judgement rested on when it was made and what has changed since: asked in the transaction that records it.

Hearing takes long, and a judgement looks at the registry as it was known when it began. Grants, refusals, requests and
approvals are asked anew apart (resting.py); here it is what people signed, and whose voice might be compared with what.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from consent.gallery import protected_since
from consent.views import View
from consent.vocabulary import PermissionKind
from dubgate.delivery.manifest import Delivery
from dubgate.signed_evidence import SignedFile, signed_files


def lapsed_since(judged_at: datetime, delivery: Delivery, signed: Sequence[SignedFile], view: View) -> Iterator[str]:
    """In words, what counted at `judged_at` and does not count at the moment of the view; and that others are to be looked for.

    Args:
        signed: what verifies now.
    """
    still = {s.payload_sha256 for s in signed}
    for file in signed_files(delivery, view, judged_at):
        if file.payload_sha256 not in still:
            yield f"{file.signed.file}, which {file.signed.by} signed, does not count any more"
    for voice_id in sorted({v for entry in delivery.cast for v in entry.voice_ids}):
        if PermissionKind.MATCH in view.permissions(voice_id, judged_at) - view.permissions(voice_id, view.now):
            yield f"the voice {voice_id} may not be compared any more"
        then, now = (view.standing_enrolments(voice_id, at) for at in (judged_at, view.now))
        if gone := {e.enrolment_id for e in then} - {e.enrolment_id for e in now}:
            yield f"the enrolment {min(gone)} of {voice_id} does not stand any more"
    if new := protected_since(view, judged_at):  # who they are is no business of who submits
        yield f"{len(new)} more voices are protected than were looked for: judge it again"
