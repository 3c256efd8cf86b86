"""What somebody signed, to be taken home: the list, one statement with how to check it, and its file with the proof."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from consent.checkpoint import MAX_NOTE_BYTES
from consent.entries import Entry
from consent.errors import RecordError, SignatureError
from consent.signatures import SIGNED_KINDS
from consent.taken_home import checkpoint_in, take_home
from consent.views import View
from consent.web import scope
from consent.web.page import render
from consent.web.pages.checkpoint import compared
from consent.web.taking import fields_in, titles_of, what_is
from consent.web.visiting import NotYoursError, Posted, SignedIn, Start, Visitor

router = APIRouter()
A_PAGE = 50


@router.get("/signed")
def every(request: Request, who: SignedIn, start: Start = 0) -> Response:
    """All that the visitor signed, or their house of its titles, the newest first."""
    start = max(0, start)
    with who.desk.registry.view() as view:
        found = _signed_by(view, who, start + A_PAGE + 1)
        names = scope.title_names(view, {t for e in found for t in titles_of(e.record)})
    shown = [(e, what_is(e.record, who.language, names)) for e in found[start : start + A_PAGE]]
    more = len(found) > start + A_PAGE
    return render(request, "signed.html", who, shown=shown, start=start, step=A_PAGE, more=more)


@router.get("/signed/{leaf_index}.json")
def file(request: Request, who: SignedIn, leaf_index: int) -> Response:
    """The statement in its envelope, with the key behind it and the proofs; over as many entries as `size` says."""
    _mine(who, leaf_index)
    asked = request.query_params.get("size", "")
    try:
        data = take_home(who.desk.registry, leaf_index, int(asked) if asked.isdecimal() and len(asked) < 16 else None)
    except RecordError:
        raise NotYoursError from None
    head = {"content-disposition": f'attachment; filename="statement-{leaf_index}.json"', "cache-control": "no-store"}
    return Response(data, media_type="application/json", headers=head)


@router.get("/signed/{leaf_index}")
def one(request: Request, who: SignedIn, leaf_index: int) -> Response:
    """One statement, its download, and the line that checks it."""
    return _page(request, who, leaf_index)


@router.post("/signed/{leaf_index}")
def against(request: Request, who: SignedIn, form: Posted, leaf_index: int) -> Response:
    """The same, with a download that is proved against a checkpoint that the visitor kept."""
    kept = form.get("checkpoint")[:MAX_NOTE_BYTES]
    try:
        three = checkpoint_in(kept)
    except SignatureError:
        return _page(request, who, leaf_index, kept=kept, answer="checkpoint.none")
    answer, size = compared(who.desk.registry, three), int(three.split("\n")[1])
    if answer == "same" and size <= leaf_index:
        return _page(request, who, leaf_index, kept=kept, answer="taken.before")
    return _page(request, who, leaf_index, kept=kept, answer=f"checkpoint.{answer}", size=size)


def _page(
    request: Request, who: Visitor, leaf_index: int, *, kept: str = "", answer: str = "", size: int = 0
) -> Response:
    entry = _mine(who, leaf_index)
    with who.desk.registry.view() as view:
        names = scope.title_names(view, titles_of(entry.record))
    told, fields = fields_in(entry, who.language)
    shown: dict[str, Any] = {
        "entry": entry,
        "what": what_is(entry.record, who.language, names),
        "told": told,
        "fields": fields,
        "kept": kept,
        "answer": answer,
        "size": size if answer == "checkpoint.same" else 0,
    }
    return render(request, "taken.html", who, **shown)


def _mine(who: Visitor, leaf_index: int) -> Entry:
    """A signed entry that the visitor may take home.

    Raises:
        NotYoursError: there is none of this number.
    """
    with who.desk.registry.view() as view:
        entry = view.store.entry(leaf_index) if 0 <= leaf_index < view.store.size() else None
    if entry is None or entry.envelope is None or not scope.may_take(who, entry.record):
        raise NotYoursError
    return entry


def _signed_by(view: View, who: Visitor, most: int) -> list[Entry]:
    keys = [f"party:{i}" for i in sorted(who.ids)]
    found = (e for kind in SIGNED_KINDS for e in view.store.newest(keys, kind, most))
    mine = (e for e in found if e.envelope is not None and scope.may_take(who, e.record))
    return sorted(mine, key=lambda e: -e.leaf_index)[:most]
