"""`dubgate voices verify|identify|not-me|search`: compare a recording with who is enrolled; answer a hit; the switch.

No command prints or writes a vector. The recording is heard in the child, as `dubgate enrol` hears it.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dubgate.cli.registry_options import ID, open_registry, plain, registry_options, say
from dubgate.errors import InputError

if TYPE_CHECKING:
    from dubgate.delivery.manifest import Delivery

_models = click.option("--models", default="auto", show_default=True, metavar="auto|embedded|NAME")
_device = click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True)


@click.command()
@click.argument("voice_id")
@click.argument("recording", type=click.Path(path_type=Path))
@_models
@_device
@registry_options
def verify(
    voice_id: str, recording: Path, models: str, device: str, location: str, key_file: Path | None, form: str
) -> None:
    """Say whether RECORDING is the enrolled VOICE_ID: yes, no, or that it cannot be told.

    Asks for the voice's permission `match`. Printed are the seconds of speech, the likeness and what the calibration
    makes of it; from 5 nat on it is that voice, below -2 nat it is not.

    \b
    dubgate voices verify v-ada take.wav --registry consent.db
    dubgate voices verify v-ada take.wav --registry consent.db --format json
    """
    from dubgate.comparing import verify as verified
    from dubgate.enrolling import hear_voice

    with open_registry(location, key_file, read_only=True) as registry:
        with registry.view() as view:
            if view.voice(voice_id, view.now) is None:
                raise InputError(f"the registry knows no voice {voice_id!r}")
        heard = hear_voice(recording, models=models, device=device)
        with registry.view() as view:  # what is permitted is asked after the minutes of hearing
            found = verified(heard, voice_id, view, view.now)
    say(form, found.as_json(), found.as_text())


@click.command()
@click.argument("recording", type=click.Path(path_type=Path))
@_models
@_device
@registry_options
def identify(recording: Path, models: str, device: str, location: str, key_file: Path | None, form: str) -> None:
    """Say who of the voices that asked for protection is heard in RECORDING: somebody, nobody, or that it cannot be told.

    Looked for are voices whose permission `protect` is in force, and no others; the answer says how many were not. It
    takes 10 s of speech of one voice. A hit that strangers would be given in more than 5 % of searches is no hit.

    \b
    dubgate voices identify stranger.wav --registry consent.db
    """
    from dubgate.comparing import identify as identified
    from dubgate.enrolling import hear_voice

    with open_registry(location, key_file, read_only=True) as registry:
        heard = hear_voice(recording, models=models, device=device)
        with registry.view() as view:
            found = identified(heard, view, view.now)
    say(form, found.as_json(), found.as_text())


def say_whether_it_speaks(delivery: Delivery, character: str) -> None:
    """What is signed about a name that is none of the delivery's answers nothing, and looks as if it did."""
    from dubgate.delivery.manifest_fields import OUTSIDE

    known = [entry.name for entry in delivery.cast]
    if character not in (*known, OUTSIDE):
        click.echo(
            f"  {plain(character)} is not in the cast ({plain(', '.join(known))}): nothing will be answered by it",
            err=True,
        )


@click.command("not-me")
@click.argument("manifest", type=click.Path(path_type=Path))
@click.option("--voice", "voice_id", required=True, type=ID, metavar="VOICE", help="The voice that was hit.")
@click.option(
    "--character", required=True, metavar="NAME", help="The character that sounds like it, as the report says."
)
@click.option(
    "--as", "by", required=True, type=ID, metavar="PARTY", help="Who signs: the voice's owner or agent, or a reviewer."
)
@click.option("--key", type=click.Path(path_type=Path), required=True, help="The signer's private key.")
@click.option("--it-is-me", is_flag=True, help="Say the opposite: it is that voice, and nobody consented.")
def not_me(manifest: Path, voice_id: str, character: str, by: str, key: Path, it_is_me: bool) -> None:
    """Sign that a character of MANIFEST who sounds like a voice is not that voice: this sound only, for 30 days.

    The owner's or agent's signature suffices; else it takes two reviewers, one of them outside the vendor. Say so only
    after listening to all of the character's lines. It is written into evidence/, where `dubgate check` finds it.

    \b
    dubgate voices not-me delivery.yaml --voice v-karl --character OTTO --as p-karl --key karl.pem
    """
    from dubgate.approving import attest, save, sounds_of
    from dubgate.cli.keys import load
    from dubgate.delivery.manifest import load_delivery
    from dubgate.policy.signed_objects import About

    delivery, private = load_delivery(manifest), load(key)
    say_whether_it_speaks(delivery, character)
    about = About(scope="character", name=character)
    envelope = attest(
        sounds_of(delivery),
        rule="CON-032",
        about=about,
        answer="fail" if it_is_me else "pass",
        by=by,
        key=private,
        at=datetime.now(UTC),
        voice_id=voice_id,
    )
    click.echo(save(envelope, delivery, f"not-me-{voice_id}-{by}"))


@click.command()
@click.option("--off", is_flag=True, help="Look for nobody until --until.")
@click.option("--on", is_flag=True, help="Look for protected voices again.")
@click.option("--by", type=ID, metavar="PARTY", help="The operator who switches it.")
@click.option("--legal-basis", metavar="WORDS", help="With --off: the law or order that it rests on.")
@click.option("--until", metavar="YYYY-MM-DD", type=click.DateTime(["%Y-%m-%d"]), help="With --off: the first day (UTC) on which it is on again.")  # fmt: skip
@registry_options
def search(
    off: bool,
    on: bool,
    by: str | None,
    legal_basis: str | None,
    until: datetime | None,
    location: str,
    key_file: Path | None,
    form: str,
) -> None:
    """Show, or switch, the search for protected voices. Switched off, CON-032 is attested by people and never passes.

    \b
    dubgate voices search --registry consent.db
    dubgate voices search --off --by op-1 --legal-basis "Order 12 of the authority" --until 2027-03-01 --registry consent.db
    dubgate voices search --on --by op-1 --registry consent.db
    """
    if (off and on) or (off and not (by and legal_basis and until)) or (on and not by):
        raise click.UsageError("--off goes with --by, --legal-basis and --until; --on with --by")
    from consent.gallery import search_halt

    with open_registry(location, key_file, read_only=not (off or on)) as registry:
        if off and by and legal_basis and until:
            registry.add(_halt(by, legal_basis, until, registry_now(registry)))
        if on and by:
            _lift(registry, by)
        with registry.view() as view:
            halt = search_halt(view, view.now)
    data: dict[str, Any] = {"on": halt is None}
    text = "Protected voices are looked for."
    if halt is not None:
        data |= {"by": halt.by, "legal_basis": halt.legal_basis, "until": halt.not_after.isoformat()}
        text = f"Off until {halt.not_after:%Y-%m-%d}, by {plain(halt.by)}: {plain(halt.legal_basis)}"
    say(form, data, text)


def registry_now(registry: Any) -> datetime:
    """The registry's clock."""
    with registry.view() as view:
        now: datetime = view.now
    return now


def _halt(by: str, legal_basis: str, until: datetime, now: datetime) -> Any:
    from pydantic import ValidationError

    from consent.strict import problems
    from consent.voices import SearchHalt

    try:
        return SearchHalt(
            halt_id=f"halt-{uuid.uuid4().hex[:20]}",
            by=by,
            legal_basis=legal_basis,
            not_before=now,
            not_after=until.replace(tzinfo=UTC),
        )
    except ValidationError as error:
        raise problems(error, "the switch") from None


def _lift(registry: Any, by: str) -> None:
    from consent.events import Event
    from consent.gallery import search_halt
    from consent.vocabulary import EventKind
    from consent.writing import Addition

    with registry.write() as writer:
        while (halt := search_halt(writer, writer.now)) is not None:
            ended = Event(
                event_id=f"on-{uuid.uuid4().hex[:20]}",
                target="search_halt",
                target_id=halt.halt_id,
                kind=EventKind.REVOKED,
                effective_at=writer.now,
                by=by,
            )
            writer.add(Addition(ended))


COMMANDS = (verify, identify, not_me, search)
