"""Makes a standing approval: a holder's signed yes in advance, for languages, packs, a number of uses and a time to object."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from consent.approvals import Approval, Standing
from consent.strict import Window
from consent.vocabulary import ApprovalDecision, ApprovalKind, Channel
from dubgate.certificate.dsse import sign, signer_of
from dubgate.certificate.statements import approval_statement, digest_id


def approve_ahead(
    title_id: str,
    *,
    by: str,
    holder: str,
    key: Any,
    languages: Sequence[str],
    territories: Sequence[str],
    channels: Sequence[Channel],
    window: Window,
    partners: Sequence[str] = (),
    terms: Standing,
    at: datetime,
    expires_at: datetime,
) -> tuple[Approval, str]:
    """A standing approval of final sounds of a title and all below it, and the envelope in which its holder signed it.

    Raises:
        ValidationError: a language, territory or time that is none, or an expiry that is over.
    """
    approval = Approval(
        approval_id=digest_id("ap", title_id, by, *languages, at.isoformat()),
        kind=ApprovalKind.FINAL_SOUND,
        decision=ApprovalDecision.APPROVE,
        by=by,
        for_holder_id=holder,
        title_id=title_id,
        language=languages[0],
        territories=tuple(territories),
        channels=tuple(channels),
        window=window,
        partners=tuple(sorted(partners)),
        standing=terms,
        signed_at=at,
        expires_at=expires_at,
    )
    return approval, sign(approval_statement(approval), signer_of(key)).decode()
