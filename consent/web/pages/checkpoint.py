"""The ledger's head, and whether a checkpoint that somebody kept is still the beginning of this ledger. Open to everybody."""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter, Request
from fastapi.responses import Response

from consent import ledger
from consent.checkpoint import MAX_NOTE_BYTES, Checkpoint, read_body
from consent.errors import RecordError, SignatureError
from consent.registry import Registry
from consent.web import sessions
from consent.web.page import render
from consent.web.visiting import OpenForm, RefusedFormError, client_of, desk_of, visitor_or_nobody

router = APIRouter()


@router.get("/checkpoint")
def show(request: Request) -> Response:
    """The head of now, and the form for one that was kept."""
    head = desk_of(request).registry.head()
    return render(request, "checkpoint.html", visitor_or_nobody(request), head=head, kept=None, answer="")


@router.post("/checkpoint")
def check(request: Request, form: OpenForm) -> Response:
    """Compare a kept checkpoint with the ledger as it is now."""
    desk, kept = desk_of(request), form.get("checkpoint")[:MAX_NOTE_BYTES].replace("\r\n", "\n")
    if sessions.limited(desk, f"checkpoint {client_of(request)}", 60, timedelta(minutes=15)):
        raise RefusedFormError("refused.often", 429)
    answer = compared(desk.registry, kept)
    head = desk.registry.head()
    return render(request, "checkpoint.html", visitor_or_nobody(request), head=head, kept=kept, answer=answer)


def compared(registry: Registry, kept: str) -> str:
    """`same` where what was kept is the beginning of this ledger; else `none`, `other`, `shorter` or `rewritten`."""
    try:
        old = read_body(kept.strip() + "\n")
    except SignatureError:
        return "none"
    head = registry.head()
    if old.origin != head.origin:
        return "other"
    if old.size > head.size:
        return "shorter"
    return "same" if _is_beginning(registry, old, head) else "rewritten"


def _is_beginning(registry: Registry, old: Checkpoint, head: Checkpoint) -> bool:
    try:
        proof = registry.consistency(old.size)
    except RecordError:
        return False
    return ledger.verify_consistency(old.size, head.size, old.root, head.root, proof)
