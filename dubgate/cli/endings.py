"""`dubgate consent withdraw|revoke|suspend|resume|impact`: ending something, and the live releases that rest on it."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dubgate.cli.notices import Posting, notices, post, posting_options
from dubgate.cli.registry_options import ID, open_registry, registry_options, say, write_text
from dubgate.cli.standing import moment, standing
from dubgate.errors import InputError

if TYPE_CHECKING:
    from consent.consequences import Ending
    from consent.releases import Impact


def _ending(name: str, kind: str, doc: str, example: str) -> click.Command:
    """The command that records events of one kind."""

    @click.command(name, help=f"{doc}\n\n\b\ndubgate consent {name} {example} --registry consent.db")
    @click.argument("target")
    @click.option(
        "--by", "by", required=True, type=ID, metavar="PARTY", help="Who says so: a party that the record concerns."
    )
    @click.option(
        "--effective",
        callback=moment,
        metavar="TIME",
        help="From when, with its offset: 2026-12-31T18:00:00+01:00. Never earlier than now for an end. Default: now.",
    )
    @click.option("--reason", help="In their words.")
    @click.option("--strike", is_flag=True, help="A suspension because of a strike.")
    @click.option("--notice", type=click.Path(path_type=Path), help="Write the takedown notice to this file as well.")
    @click.option("--key", type=click.Path(path_type=Path), help="Sign what you say with your own key (PEM).")
    @posting_options
    @registry_options
    def command(
        target: str,
        by: str,
        effective: datetime | None,
        reason: str | None,
        strike: bool,
        notice: Path | None,
        key: Path | None,
        posting: Posting,
        location: str,
        key_file: Path | None,
        form: str,
    ) -> None:
        from consent.consequences import record_ending
        from consent.vocabulary import EventKind
        from dubgate.certificate.records import signed
        from dubgate.cli.keys import load

        posting.checked()
        private = None if key is None else load(key)
        with open_registry(location, key_file) as registry:
            ending = record_ending(
                registry,
                _target(target),
                EventKind(kind),
                by=by,
                effective_at=effective,
                reason=reason,
                strike=strike,
                sign=lambda said: signed(said, private),
            )
        if notice is not None and EventKind(kind) is not EventKind.RESUMED:
            write_text(notice, json.dumps(ending.notice(), ensure_ascii=False, indent=1, sort_keys=True) + "\n")
        written = _posted(ending, posting, location)
        data = ending.notice() | {"event_id": ending.event.event_id, "notice_id": written[0]}
        say(form, data, "\n".join([_ended(ending), *filter(None, written[1:])]))

    return command


def _posted(ending: Ending, posting: Posting, location: str) -> tuple[str | None, str]:
    """The notice's id and what came of it; a resumption and an end that touches nothing need none."""
    if str(ending.event.kind) == "resumed" or not ending.impact.releases:
        return None, ""
    return post(ending, posting, location)


def _ended(ending: Ending) -> str:
    event = ending.event
    return f"Recorded: {event.target}:{event.target_id} is {event.kind}.\n{_touched(ending.impact)}"


def _target(text: str) -> str:
    from consent.strict import ID as AN_ID
    from consent.strict import ID_MEANS

    kind, colon, target_id = text.partition(":")
    kinds = ("grant", "permission", "claim", "refusal", "approval", "key", "enrolment")
    if colon and kind not in kinds:
        raise InputError(
            f"{text!r} is not one of {', '.join(k + ':ID' for k in kinds)}",
            remedy="A grant by its id alone, such as g-ada; the others with their kind before them.",
        )
    if not AN_ID.fullmatch(target_id if colon else text):
        raise InputError(f"{text!r} is no id: {ID_MEANS}", remedy="What is there: dubgate consent show.")
    return text if colon else f"grant:{text}"


def _touched(impact: Impact) -> str:
    if not impact.releases:
        return "No release that is still live rests on it."
    lines = [
        f"  {r.release_id}  {r.title_id}  {r.language}  certificate {r.certificate_sha256 or 'none'}"
        for r in impact.releases
    ]
    return f"{len(lines)} live release(s) rest on it ({impact.effect}):\n" + "\n".join(lines)


@click.command()
@click.argument("target")
@registry_options
def impact(target: str, location: str, key_file: Path | None, form: str) -> None:
    """Show which live releases would be touched by ending a grant, without ending it.

    \b
    dubgate consent impact g-ada --registry consent.db
    dubgate consent impact approval:ap-1 --registry consent.db --format json
    """
    from consent.consequences import touched

    with open_registry(location, key_file, read_only=True) as registry, registry.view() as view:
        named = _target(target)
        if not view.store.entries(named):
            kind, _, target_id = named.partition(":")
            raise InputError(f"no {kind} {target_id!r} is registered")
        found = touched(view, named, view.now)
    data = {
        "certificates": list(found.certificates),
        "releases": [r.release_id for r in found.releases],
        "effect": str(found.effect),
        "still_standing": [r.release_id for r in found.standing],
    }
    say(form, data, _touched(found))


COMMANDS = (
    _ending(
        "withdraw",
        "withdrawn",
        "The performer takes a grant (or permission:ID …) back.",
        "g-ada --by p-ada",
    ),
    _ending("revoke", "revoked", "Somebody other than the performer ends it.", "g-ada --by operator-1"),
    _ending("suspend", "suspended", "Stop it for a time.", "g-ada --by p-ada --strike"),
    _ending("resume", "resumed", "End a suspension.", "g-ada --by p-ada"),
    impact,
    notices,
    standing,
)
