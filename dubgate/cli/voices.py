"""`dubgate voices`: whose voices the registry knows, and what they may be compared for; never a template."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dubgate.cli import voices_compare
from dubgate.cli.registry_options import open_registry, registry_options, say
from dubgate.cli.retention import retention
from dubgate.cli.tasks import Commands
from dubgate.errors import InputError

if TYPE_CHECKING:
    from consent.views import View
    from consent.voices import Voice


@click.group(cls=Commands)
def voices() -> None:
    """Enrolled voices: whose they are, what they may be compared for, and how they are forgotten.

    \b
    dubgate voices list --registry consent.db
    dubgate voices permissions v-ada --registry consent.db
    dubgate voices erase v-ada --by p-ada --reason "asked by the performer" --registry consent.db
    """


@voices.command("list")
@registry_options
def list_(location: str, key_file: Path | None, form: str) -> None:
    """List the voices, their permissions and enrolments; never a template.

    \b
    dubgate voices list --registry consent.db --format json
    """
    with open_registry(location, key_file, read_only=True) as registry, registry.view() as view:
        rows = [_voice_row(view, voice.voice_id) for voice in view.voices()]
    text = "\n".join(
        f"{r['voice_id']:<24} {r['subject']:<20} {', '.join(r['permissions']) or 'no permission'}" for r in rows
    )
    say(form, {"voices": rows}, text or "The registry has no voices.")


@voices.command("show")
@click.argument("voice_id")
@registry_options
def show_voice(voice_id: str, location: str, key_file: Path | None, form: str) -> None:
    """Show one voice.

    \b
    dubgate voices show v-ada --registry consent.db
    """
    with open_registry(location, key_file, read_only=True) as registry, registry.view() as view:
        row = _voice_row(view, voice_id)
    say(form, row, "\n".join(f"{key:<14} {value}" for key, value in row.items()))


@voices.command()
@click.argument("voice_id")
@registry_options
def permissions(voice_id: str, location: str, key_file: Path | None, form: str) -> None:
    """Show what a voice may be compared for now: match, protect, keep; with term and legal basis.

    \b
    dubgate voices permissions v-ada --registry consent.db
    """
    with open_registry(location, key_file, read_only=True) as registry, registry.view() as view:
        _known_voice(view, voice_id)
        standing = view.standing_permissions(voice_id, view.now)
    rows = [{"kind": p.kind, "until": p.not_after.isoformat(), "legal_basis": p.legal_basis} for p in standing]
    text = "\n".join(f"{r['kind']:<8} until {r['until']}  ({r['legal_basis']})" for r in rows)
    say(form, {"voice_id": voice_id, "permissions": rows}, text or "Nothing is permitted.")


@voices.command()
@click.argument("voice_id")
@click.option("--by", required=True, metavar="PARTY", help="Who asks for it.")
@click.option("--reason", required=True)
@registry_options
def erase(voice_id: str, by: str, reason: str, location: str, key_file: Path | None, form: str) -> None:
    """Erase a voice's templates and sealed name: its key is destroyed, the history and grants stay.

    What this machine kept of hearing deliveries in which it was compared goes too; elsewhere `dubgate cache purge --voice`.

    \b
    dubgate voices erase v-ada --by p-ada --reason "asked by the performer" --registry consent.db
    """
    from dubgate.cache import purge

    with open_registry(location, key_file) as registry:
        with registry.view() as view:
            _known_voice(view, voice_id)
        purge(voice_id)
        erased = registry.erase(f"voice:{voice_id}", by=by, reason=reason)
    say(form, {"voice_id": voice_id, "erased": erased}, "Erased." if erased else "There was nothing to erase.")


voices.add_command(retention)


def _known_voice(view: View, voice_id: str) -> Voice:
    voice = view.voice(voice_id, view.now)
    if voice is None:
        raise InputError(f"the registry knows no voice {voice_id!r}")
    return voice


def _voice_row(view: View, voice_id: str) -> dict[str, Any]:
    voice = _known_voice(view, voice_id)
    return {
        "voice_id": voice_id,
        "subject": str(voice.subject),
        "owner_id": voice.owner_id,
        "permissions": sorted(str(p) for p in view.permissions(voice_id, view.now)),
        "enrolments": [e.enrolment_id for e in view.standing_enrolments(voice_id, view.now)],
        "grants": sorted(h.grant.grant_id for h in view.grants(voice_id)),
    }


for _command in voices_compare.COMMANDS:
    voices.add_command(_command)
