"""Signing in: a one-time link to the registered address, a passkey, or a recovery code; and out again."""

from __future__ import annotations

import json
import re
from datetime import timedelta

from fastapi import APIRouter, Request
from fastapi.responses import Response

from consent.web import accounts, ceremonies, recovery, sessions
from consent.web.accounts import Account
from consent.web.catalogue import LANGUAGES
from consent.web.ceremonies import CeremonyError
from consent.web.desk import Desk
from consent.web.page import go, render
from consent.web.visiting import (
    LANGUAGE_COOKIE,
    OpenForm,
    Posted,
    RefusedFormError,
    SignedIn,
    client_of,
    desk_of,
    visitor_or_nobody,
)

router = APIRouter()
QUARTER = timedelta(minutes=15)
_PATH = re.compile(r"/[A-Za-z0-9._/-]{0,200}\Z")


def inside(path: str) -> str:
    """A path of this desk to go on to; the first page where it is none."""
    return path if _PATH.match(path) and not path.startswith("//") else "/"


@router.get("/sign-in")
def ask(request: Request, next: str = "/") -> Response:
    """The form, with a passkey ceremony that has already begun."""
    desk = desk_of(request)
    if visitor_or_nobody(request) is not None:
        return go(request, "/")
    if sessions.limited(desk, f"sign-in page {client_of(request)}", 120, QUARTER):
        raise RefusedFormError("refused.often", 429)
    begun = ceremonies.begin_sign_in(desk)
    return render(request, "sign_in.html", begun=begun, options=json.dumps(begun.options), next=inside(next))


@router.post("/sign-in/mail")
def mail(request: Request, form: OpenForm) -> Response:
    """Send a link, where the address has an account; the answer is the same where it has none."""
    desk, email = desk_of(request), form.get("email").lower()[:320]
    often = sessions.limited(desk, f"mail from {client_of(request)}", 20, QUARTER)
    often |= sessions.limited(desk, f"mail to {email}", 5, QUARTER)
    if often:
        raise RefusedFormError("refused.often", 429)
    account = accounts.by_email(desk, email)
    if account is not None:
        accounts.send_link(desk, account, "sign_in")
    return go(request, "/sign-in/sent")


@router.get("/sign-in/sent")
def sent(request: Request) -> Response:
    """What happens next."""
    return render(request, "sent.html")


@router.get("/sign-in/link/{token}")
def link(request: Request, token: str) -> Response:
    """A link was opened: a button, because mail scanners open links too."""
    account = sessions.read_link(desk_of(request), token, "sign_in", "invite", "recover", "recovered")
    return render(request, "link.html", code=200 if account else 410, token=token, living=account is not None)


@router.post("/sign-in/link/{token}")
def use(request: Request, token: str, form: OpenForm) -> Response:
    """Sign in by a link, once."""
    desk = desk_of(request)
    if (account_id := sessions.use_link(desk, token, "recover")) is not None:
        recovery.begin(desk, account_id)
        return go(request, "/recover/begun")
    account_id = sessions.use_link(desk, token, "recovered")
    if account_id is not None:
        if not recovery.open_again(desk, account_id):
            return render(request, "link.html", code=410, token=token, living=False)
        return _signed_in(request, desk, account_id, "recovery", "/security")
    account_id = sessions.use_link(desk, token, "sign_in", "invite")
    if account_id is None:
        return render(request, "link.html", code=410, token=token, living=False)
    first = accounts.n_passkeys(desk, account_id) == 0
    return _signed_in(request, desk, account_id, "link", "/security" if first else "/")


@router.post("/sign-in/passkey")
def passkey(request: Request, form: OpenForm) -> Response:
    """Sign in by a passkey."""
    desk = desk_of(request)
    if sessions.limited(desk, f"passkey from {client_of(request)}", 30, QUARTER):
        raise RefusedFormError("refused.often", 429)
    account_id = ceremonies.finish_sign_in(desk, form.get("challenge_id"), form.get("answer"))
    if accounts.by_id(desk, account_id) is None:
        raise CeremonyError("ceremony.unknown_passkey")
    return _signed_in(request, desk, account_id, "passkey", inside(form.get("next") or "/"))


@router.post("/sign-in/code")
def code(request: Request, form: OpenForm) -> Response:
    """Sign in by a recovery code, which is used up."""
    desk, email = desk_of(request), form.get("email").lower()[:320]
    often = sessions.limited(desk, f"code from {client_of(request)}", 10, QUARTER)
    often |= sessions.limited(desk, f"code of {email}", 5, QUARTER)
    if often:
        raise RefusedFormError("refused.often", 429)
    account = accounts.by_email(desk, email)
    if account is None or not accounts.use_code(desk, account.account_id, form.get("code")):
        raise CeremonyError("ceremony.code")
    accounts.tell(desk, account, "mail.code_used", link=desk.link("/security"))
    return _signed_in(request, desk, account.account_id, "code", "/security")


@router.post("/sign-out")
def out(request: Request, who: SignedIn, form: Posted) -> Response:
    """End this session."""
    sessions.end(who.desk, who.session)
    answer = go(request, "/sign-in", said="out")
    answer.delete_cookie(sessions.COOKIE, path=who.desk.path or "/")
    return answer


@router.get("/recover")
def lost(request: Request) -> Response:
    """Every passkey and code is lost."""
    return render(request, "recover.html", step="ask")


@router.post("/recover")
def ask_recovery(request: Request, form: OpenForm) -> Response:
    """Send the link that opens a recovery, where the address has an account."""
    desk, email = desk_of(request), form.get("email").lower()[:320]
    often = sessions.limited(desk, f"recover from {client_of(request)}", 10, QUARTER)
    often |= sessions.limited(desk, f"recover {email}", 3, QUARTER)
    if often:
        raise RefusedFormError("refused.often", 429)
    account: Account | None = accounts.by_email(desk, email)
    if account is not None:
        accounts.send_link(desk, account, "recover")
    return go(request, "/recover/sent")


@router.get("/recover/{step}")
def recovering(request: Request, step: str) -> Response:
    """What happens next in a recovery."""
    return render(request, "recover.html", step=step if step in ("sent", "begun") else "ask")


@router.post("/language")
def language(request: Request, form: OpenForm) -> Response:
    """Change the language of pages and messages."""
    chosen = form.get("language") if form.get("language") in LANGUAGES else LANGUAGES[0]
    who = visitor_or_nobody(request)
    if who is not None:
        accounts.set_language(who.desk, who.account.account_id, chosen)
    answer = go(request, inside(form.get("next") or "/"))
    settings = desk_of(request).settings
    answer.set_cookie(
        LANGUAGE_COOKIE, chosen, max_age=31_536_000, secure=settings.secure, httponly=True, samesite="lax"
    )
    return answer


def _signed_in(request: Request, desk: Desk, account_id: str, level: str, path: str) -> Response:
    """To a page, with a new session; whoever was signed in here before is not."""
    before = visitor_or_nobody(request)
    if before is not None:
        sessions.end(desk, before.session)
    token = sessions.start(desk, account_id, level)
    answer = go(request, path)
    answer.set_cookie(
        sessions.COOKIE,
        token,
        max_age=int(desk.settings.session.total_seconds()),
        path=desk.path or "/",
        secure=desk.settings.secure,
        httponly=True,
        samesite="lax",
    )
    return answer
