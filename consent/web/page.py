"""Pages from templates: escaped, in the visitor's language, with what every page needs."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from consent.entries import iso
from consent.web.catalogue import has, text, word
from consent.web.rows import new_secret
from consent.web.scope import told_name
from consent.web.visiting import Visitor, has_passkey, language_of, wants_signatures
from consent.web.wording import day, days, length, moment, places, places_short, span, spoken, until


@cache
def _environment() -> Environment:
    loader = PackageLoader("consent.web", "templates")
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.globals.update(length=length)
    return made


def render(request: Request, template: str, who: Visitor | None = None, code: int = 200, **values: Any) -> HTMLResponse:
    """One page. `who` is None where nobody is signed in."""
    language = who.language if who is not None else language_of(request)
    root = str(request.scope.get("root_path", "")).rstrip("/")
    said = request.query_params.get("said", "")
    shared = {
        "t": lambda key, **v: text(key, language, **v),
        "word": lambda group, value: word(group, value, language),
        "url": lambda path: root + path,
        "language": language,
        "who": who,
        "here": request.url.path.removeprefix(root) or "/",
        "said": text(f"said.{said}", language) if has(f"said.{said}") else "",
        "wants_signature": lambda: who is not None and wants_signatures(who),
        "has_passkey": lambda: who is not None and has_passkey(who),
        "secured": lambda: _secured(who),
        "day": lambda value: day(value, language),
        "until": lambda value: until(value, language),
        "period": lambda start, end: days(start, end, language),
        "span": lambda start, end: span(start, end, language),
        "deadline": lambda value: _deadline(value, language),
        "by_when": lambda value: _deadline(value, language, "home.until"),
        "moment": lambda value: moment(value, language),
        "spoken": lambda tag: spoken(tag, language),
        "called": _Names(who).of,
        "places": lambda codes, out=(): places(codes, out, language),
        "places_short": lambda codes, out=(): places_short(codes, out, language),
    }
    page = _environment().get_template(template).render(**shared, **values)
    return HTMLResponse(page, code, {"cache-control": "no-store"})


class _Names:
    """What parties are called on a page: an organisation by its name, a person by their id; each is read once."""

    def __init__(self, who: Visitor | None) -> None:
        self._who, self._known = who, dict[str, str]()

    def of(self, party_id: str) -> str:
        if self._who is None:
            return party_id
        if party_id not in self._known:
            with self._who.desk.registry.view() as view:
                self._known[party_id] = told_name(view, party_id)
        return self._known[party_id]


def _deadline(value: datetime, language: str, key: str | None = None) -> Markup:
    """Until when something can be done, to the minute in UTC; desk.js adds the visitor's own clock where it differs."""
    said = moment(value, language)
    words = said if key is None else text(key, language, day=said)
    shown = '<time datetime="{}" data-own="{}">{}</time>'
    return Markup(shown).format(iso(value), text("time.own", language), words)


def _secured(who: Visitor | None) -> Markup:
    """The hidden fields of a form: the session's token, and a number under which it counts once."""
    csrf = who.session.csrf if who is not None else ""
    fields = '<input type="hidden" name="csrf" value="{}"><input type="hidden" name="nonce" value="{}">'
    return Markup(fields).format(csrf, new_secret()[:32])


def go(request: Request, path: str, *, said: str = "") -> RedirectResponse:
    """To another page after a form, so that loading again sends nothing again."""
    root = str(request.scope.get("root_path", "")).rstrip("/")
    mark = ("&" if "?" in path else "?") + f"said={said}" if said else ""
    return RedirectResponse(f"{root}{path}{mark}", 303, {"cache-control": "no-store"})


def iso_minute(value: datetime) -> str:
    """A moment for file names."""
    return value.strftime("%Y%m%dT%H%MZ")
