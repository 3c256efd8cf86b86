"""Requests to people and their answers; webhooks and their messages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request

from consent.asking import request_histories
from consent.requests import RequestHistory
from consent.vocabulary import EventKind
from dubgate.requesting import answer
from dubgate.service import messages
from dubgate.service.acts import record_act
from dubgate.service.bodies import (
    ID,
    Done,
    MessageBody,
    MessagePage,
    NewAnswer,
    NewWebhook,
    RequestBody,
    RequestList,
    WebhookBody,
    WebhookList,
)
from dubgate.service.idempotency import digest_of, earlier_answer, keep_answer
from dubgate.service.job_routes import Key, note_read
from dubgate.service.pages import Cursor, Limit, next_of, place_of
from dubgate.service.problems import documented, not_found, request_id
from dubgate.service.state import Approver, Reader, Service, State, Submitter
from dubgate.service.tokens import Caller

router = APIRouter(prefix="/v1", responses=documented(400, 401, 403, 404, 408, 409, 413, 422, 429, 503))
WebhookId = Annotated[str, Path(pattern=r"^wh-[0-9a-f]{24}$")]


@router.get("/requests", tags=["decisions"], summary="Decisions that somebody is asked for")
def list_requests(request: Request, state: Service, caller: Reader) -> RequestList:
    """Those that the caller's party or house asked or is asked for, whatever became of them; the newest first."""
    with state.registry.view() as view:
        known = [h for p in sorted({caller.party, caller.organisation}) for h in request_histories(view, f"party:{p}")]
        mine = {h.request.request_id: h for h in known if _concerns(h, caller)}
        items = [_told(h, view.now) for h in mine.values()]
    note_read(request, state, caller, f"{len(items)} requests")
    return RequestList(items=sorted(items, key=lambda r: r.asked_at, reverse=True)[:500])


def _concerns(history: RequestHistory, caller: Caller) -> bool:
    return bool({history.request.to, history.request.asked_by} & {caller.party, caller.organisation})


def _told(history: RequestHistory, now: Any) -> RequestBody:
    asked = history.request
    return RequestBody(
        request_id=asked.request_id,
        to=asked.to,
        asked_by=asked.asked_by,
        status=str(history.status(now)),
        title_id=asked.release.title_ids[0],
        language=asked.release.language,
        wanted=[{"what": str(w.what), "rule": w.rule, "about": w.about} for w in asked.wanted],
        asked_at=asked.asked_at,
        expires_at=asked.expires_at,
    )


@router.post(
    "/requests/{named}/answers",
    tags=["decisions"],
    status_code=201,
    summary="Say no, or not yet",
    responses=documented(404),
)
def answer_request(
    named: Annotated[str, Path(pattern=ID, examples=["rq-1f2e3d4c5b6a79880011"])],
    body: NewAnswer,
    request: Request,
    state: Service,
    caller: Approver,
) -> Done:
    """Only whom the request is to; it blocks the release of this sound until it is taken back."""
    with state.registry.write() as writer:
        found = [h for h in request_histories(writer, f"request:{named}") if h.request.request_id == named]
        if not found or not _concerns(found[0], caller):
            raise not_found("request")
        answer(writer, f"request:{named}", EventKind(body.answer), by=caller.party, reason=body.reason)
        _act(writer, caller, "request.answered", named, {"answer": body.answer}, request)
    return Done()


@router.get("/webhooks", tags=["webhooks"], summary="List endpoints")
def list_webhooks(request: Request, state: Service, caller: Reader) -> WebhookList:
    """Without their secrets."""
    items = [WebhookBody(**row) for row in messages.subscriptions(state.engine, caller.organisation)]
    note_read(request, state, caller, f"{len(items)} webhooks")
    return WebhookList(items=items)


@router.post(
    "/webhooks", tags=["webhooks"], status_code=201, summary="Be told of verdicts, withdrawals, takedowns, warnings"
)
def add_webhook(body: NewWebhook, request: Request, state: Service, caller: Submitter, key: Key = "") -> WebhookBody:
    """The secret is in this answer and nowhere else; sent twice under one idempotency key, it is not shown again."""
    told = body.model_dump()
    digest = digest_of("webhooks", told)
    with state.registry.write() as writer:
        connection, now = writer.store.connection, state.clock()
        earlier = earlier_answer(connection, caller.organisation, key, digest)
        if earlier is not None:
            return WebhookBody(**earlier)
        secret = messages.new_secret()
        named = messages.subscribe(
            connection, state.own, organisation=caller.organisation, url=body.url, kinds=body.kinds,
            asks_for=caller.asks_for, secret=secret, allow_private=state.settings.allow_private_webhooks, now=now,
        )  # fmt: skip
        _act(writer, caller, "webhook.added", named, told, request)
        made = {"webhook_id": named, "url": body.url, "kinds": sorted(set(body.kinds)), "created_at": now.isoformat()}
        keep_answer(connection, caller.organisation, key, digest, made, now)
    return WebhookBody.model_validate({**made, "secret": secret})


@router.delete("/webhooks/{webhook_id}", tags=["webhooks"], summary="Forget an endpoint", responses=documented(404))
def remove_webhook(webhook_id: WebhookId, request: Request, state: Service, caller: Submitter) -> Done:
    """Its secret is destroyed; what waits for it is not sent."""
    with state.registry.write() as writer:
        if not messages.unsubscribe(writer.store.connection, caller.organisation, webhook_id, state.clock()):
            raise not_found("webhook")
        _act(writer, caller, "webhook.removed", webhook_id, {}, request)
    return Done()


@router.get("/messages", tags=["webhooks"], summary="What was sent, and what came of it")
def list_messages(
    request: Request, state: Service, caller: Reader, limit: Limit = 50, cursor: Cursor = None
) -> MessagePage:
    """Messages to the caller's organisation, newest first."""
    before = place_of(state.own, "messages", cursor)
    rows = messages.page(state.engine, caller.organisation, before=before, limit=limit)
    note_read(request, state, caller, f"{len(rows)} messages")
    after = None
    if rows:
        last = rows[-1]
        place = f"{last['message_id']}/{last['webhook_id']}"
        after = next_of(state.own, "messages", len(rows) == limit, last["created_at"], place)
    return MessagePage(items=list(_messages(rows)), next=after)


def _messages(rows: list[dict[str, Any]]) -> Iterator[MessageBody]:
    names = MessageBody.model_fields
    yield from (MessageBody.model_validate({k: row[k] for k in names}) for row in rows)


@router.post(
    "/webhooks/{webhook_id}/messages/{message_id}/replays",
    tags=["webhooks"],
    status_code=202,
    summary="Send a message again",
    responses=documented(404),
)
def replay_message(
    webhook_id: WebhookId,
    message_id: Annotated[str, Path(pattern=r"^msg-[0-9a-f]{40}$")],
    request: Request,
    state: Service,
    caller: Submitter,
) -> Done:
    """Under its own id, so that a receiver who has it drops it."""
    with state.registry.write() as writer:
        if not messages.replay(writer.store.connection, caller.organisation, webhook_id, message_id, state.clock()):
            raise not_found("message")
        _act(writer, caller, "message.replayed", message_id, {"webhook": webhook_id}, request)
    return Done()


def _act(writer: Any, caller: Caller, verb: str, about: str, what: dict[str, Any], request: Request) -> None:
    record_act(
        writer,
        by=caller.party,
        verb=verb,
        about=about,
        token_id=caller.token_id,
        what=what,
        request_id=request_id(request),
    )


__all__ = ["State", "router"]
