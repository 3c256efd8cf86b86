"""Who is asking: the visitor of a request, and what a posted form must show before anything is done with it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import Depends, Query, Request
from starlette.datastructures import FormData

from consent.parties import Party
from consent.vocabulary import Role
from consent.web import accounts, sessions
from consent.web.accounts import Account
from consent.web.catalogue import LANGUAGES, preferred
from consent.web.desk import Desk
from consent.web.sessions import Session

LANGUAGE_COOKIE = "desk-language"
_NONCE = re.compile(r"[A-Za-z0-9_-]{16,64}\Z")
PERFORMING = (Role.PERFORMER, Role.AGENT, Role.GUARDIAN, Role.ESTATE, Role.HEIR, Role.TTS_VENDOR)
REVIEWING = (Role.REVIEWER, Role.CREATIVE_LEAD, Role.LOCALIZATION_SUPERVISOR, Role.LEGAL, Role.PRODUCTION)
VENDING = (Role.DUBBING_VENDOR, Role.DUBBING_DIRECTOR)


class SignInNeededError(Exception):
    """Nobody is signed in, or no longer."""


class NotYoursError(Exception):
    """There is no such thing, or it is none of the visitor's business: the answer is the same."""


class PasskeyNeededError(Exception):
    """This has to be signed, and the visitor has no passkey; nothing was recorded."""


class RefusedFormError(Exception):
    """A form that did not come from the desk's own page; `status` is the answer."""

    def __init__(self, key: str, status: int = 403) -> None:
        super().__init__(key)
        self.key, self.status = key, status


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who is signed in, as the registry knows them."""

    desk: Desk
    session: Session
    account: Account
    party: Party

    @property
    def party_id(self) -> str:
        return self.party.party_id

    @property
    def language(self) -> str:
        return self.account.language

    def has(self, *roles: Role) -> bool:
        """Whether the registry gives them one of these roles."""
        return bool(set(roles) & set(self.party.roles))

    @property
    def ids(self) -> frozenset[str]:
        """The party itself, and the house that it decides for."""
        return frozenset((self.party_id, self.party.house_id))

    def decides_for(self, party_id: str, *roles: Role) -> bool:
        """Whether the visitor may loosen what this party said: it is themselves, or their house, in one of these roles."""
        return party_id == self.party_id or (party_id == self.party.house_id and self.has(*roles))

    @property
    def by_link(self) -> bool:
        """Whether nothing but a mail's link shows who they are."""
        return self.session.level == "link"

    @property
    def holder(self) -> bool:
        return self.has(Role.RIGHTS_HOLDER)

    @property
    def performer(self) -> bool:
        return self.has(*PERFORMING)

    @property
    def reviewer(self) -> bool:
        return self.has(*REVIEWING)

    @property
    def vendor(self) -> bool:
        return self.has(*VENDING)

    @property
    def operator(self) -> bool:
        return self.has(Role.OPERATOR)


def require_more_than_a_link(who: Visitor) -> None:
    """What opens a use that somebody had closed is not said by whoever reads their mail.

    Raises:
        RefusedFormError: the session began with a link alone.
    """
    if who.by_link:
        raise RefusedFormError("refused.link")


def has_passkey(who: Visitor) -> bool:
    """Whether the account has a passkey, so that what a mail's link may not say can be said with that."""
    return accounts.n_passkeys(who.desk, who.account.account_id) > 0


def wants_signatures(who: Visitor) -> bool:
    """Whether the registry takes nothing without its author's signature."""
    with who.desk.registry.view() as view:
        return view.store.wants_signatures()


def desk_of(request: Request) -> Desk:
    """The desk that answers; where it is mounted is known from the request."""
    desk: Desk = request.app.state.desk
    path = str(request.scope.get("root_path", "")).rstrip("/")
    if desk.path == path:
        return desk
    from dataclasses import replace

    return replace(desk, path=path)


def language_of(request: Request) -> str:
    """The visitor's language before anybody is signed in."""
    chosen = request.cookies.get(LANGUAGE_COOKIE, "")
    return chosen if chosen in LANGUAGES else preferred(request.headers.get("accept-language", ""))


def client_of(request: Request) -> str:
    """The address that a request came from, for rate limits."""
    return request.client.host if request.client is not None else "unknown"


def visitor_or_nobody(request: Request) -> Visitor | None:
    """Who is signed in; None where nobody is."""
    desk, token = desk_of(request), request.cookies.get(sessions.COOKIE, "")
    session = sessions.find(desk, token) if token else None
    account = accounts.by_id(desk, session.account_id) if session is not None else None
    if session is None or account is None:
        return None
    with desk.registry.view() as view:
        party = view.party(account.party_id)
    return None if party is None else Visitor(desk, session, account, party)


def signed_in(request: Request) -> Visitor:
    """Who is signed in.

    Raises:
        SignInNeededError: nobody is.
    """
    visitor = visitor_or_nobody(request)
    if visitor is None:
        raise SignInNeededError
    return visitor


SignedIn = Annotated[Visitor, Depends(signed_in)]
Start = Annotated[int, Query(ge=0, le=10_000_000)]  # where a page of a long list begins


@dataclass(frozen=True, slots=True)
class Form:
    """A posted form: its fields as text, every one of them at most 20,000 characters."""

    fields: Mapping[str, tuple[str, ...]]

    def get(self, name: str) -> str:
        """A field without white space around it; empty where it is not there."""
        return self.fields.get(name, ("",))[0].strip()

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of a field."""
        return self.fields.get(name, ())

    @property
    def nonce(self) -> str:
        """The form's own number, under which it counts once.

        Raises:
            RefusedFormError: it has none.
        """
        nonce = self.get("nonce")
        if not _NONCE.match(nonce):
            raise RefusedFormError("refused.form", 400)
        return nonce


async def same_origin(request: Request) -> Form:
    """A form that this desk's own page posted, by its Origin; for pages on which nobody is signed in yet.

    Raises:
        RefusedFormError: it came from elsewhere, or is no such form.
    """
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site", "same-origin")
    if origin != desk_of(request).settings.origin or site != "same-origin":
        raise RefusedFormError("refused.origin")
    return _form(await request.form(max_files=0, max_fields=1000, max_part_size=64_000))


def _form(data: FormData) -> Form:
    fields: dict[str, tuple[str, ...]] = {}
    for name, value in data.multi_items():
        if not isinstance(value, str) or len(value) > 20_000:
            raise RefusedFormError("refused.form", 400)
        fields[name] = (*fields.get(name, ()), value)
    return Form(fields)


async def posted(request: Request, who: SignedIn, form: Annotated[Form, Depends(same_origin)]) -> Form:
    """A form of somebody who is signed in, with their session's own token.

    Raises:
        RefusedFormError: another session's token, or too many forms in a minute.
    """
    if not who.session.says(form.get("csrf")):
        raise RefusedFormError("refused.csrf")
    if sessions.limited(who.desk, f"form {who.account.account_id}", 120, timedelta(minutes=1)):
        raise RefusedFormError("refused.often", 429)
    return form


OpenForm = Annotated[Form, Depends(same_origin)]
Posted = Annotated[Form, Depends(posted)]
