"""`dubgate enrol`: put a voice into the registry from a recording."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dubgate.cli.registry_options import open_registry, registry_options
from dubgate.errors import InputError

if TYPE_CHECKING:
    from consent.registry import Registry


@click.command(
    epilog="\b\nExample:\n  dubgate enrol v-ada ada.wav --supplied-by p-ada --confirmed-by p-ada --registry consent.db"
)
@click.argument("voice_id")
@click.argument("recording", type=click.Path(path_type=Path))
@click.option("--supplied-by", required=True, metavar="PARTY", help="Who handed the recording in.")
@click.option(
    "--confirmed-by", metavar="PARTY", help="The voice's owner or agent; until one confirmed, a match is unknown."
)
@click.option("--models", default="auto", show_default=True, metavar="auto|embedded|NAME")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True)
@registry_options
def enrol(
    voice_id: str,
    recording: Path,
    supplied_by: str,
    confirmed_by: str | None,
    models: str,
    device: str,
    location: str,
    key_file: Path | None,
    form: str,
) -> None:
    """Enrol VOICE_ID from RECORDING: one voice, 10 s of speech or more, unclipped.

    The template is sealed under a key of this person; the recording itself is not kept. Where the recording is enrolled
    already, --confirmed-by records that its owner or agent says so; nothing is heard again.
    """
    from consent.voices import Enrolment
    from consent.writing import Addition
    from dubgate.delivery.formats import file_sha256
    from dubgate.enrolling import hear_recording

    digest = file_sha256(recording)
    enrolment_id = f"en-{digest[:20]}"
    with open_registry(location, key_file) as registry:
        if _is_there(registry, enrolment_id, voice_id, str(recording)):
            click.echo(_confirm(registry, enrolment_id, voice_id, confirmed_by))
            return
        heard = hear_recording(recording, models=models, device=device)
        enrolment = Enrolment(
            enrolment_id=enrolment_id,
            voice_id=voice_id,
            encoder_sha256=heard.encoder_sha256,
            dimension=len(heard.vector),
            speech_s=heard.speech_s,
            audio_sha256=digest,
            supplied_by=supplied_by,
            confirmed_by=confirmed_by,
            n_segments=heard.n_segments,
        )
        registry.add(Addition(enrolment, vector=[float(x) for x in heard.vector]))
    click.echo(f"{voice_id}: enrolled from {heard.speech_s:.1f} s of speech as {enrolment_id}")
    if confirmed_by is None:
        click.echo(
            "  until its owner or agent confirms it, a match is not known: the same command with --confirmed-by OWNER"
        )


def _is_there(registry: Registry, enrolment_id: str, voice_id: str, recording: str) -> bool:
    """Whether this recording is this voice's enrolment already; asked before minutes of hearing.

    Raises:
        InputError: the registry knows no such voice, or the recording is another one's.
    """
    with registry.view() as view:
        if view.voice(voice_id, view.now) is None:
            remedy = "Register it first: dubgate consent draft, or dubgate consent import --template voices."
            raise InputError(f"the registry knows no voice {voice_id!r}", remedy=remedy)
        entries = view.store.entries(f"enrolment:{enrolment_id}")
        if not entries:
            return False
        own = any(e.enrolment_id == enrolment_id for e in view.standing_enrolments(voice_id, view.now))
    if not own:
        raise InputError("this recording was enrolled for another voice, or its enrolment has ended", where=recording)
    return True


def _confirm(registry: Registry, enrolment_id: str, voice_id: str, by: str | None) -> str:
    """Record that the owner or agent says that a recording is this voice.

    Raises:
        InputError: nobody was named.
        RecordError: it may not be said by them, or wants their signature.
    """
    from consent.events import Event
    from consent.vocabulary import EventKind

    if by is None:
        remedy = "Its owner or agent confirms it with --confirmed-by, or at the desk."
        raise InputError(f"{voice_id} is enrolled from this recording already ({enrolment_id})", remedy=remedy)
    with registry.view() as view:
        now, owners = view.now, view.spokespeople(voice_id)
    if by not in owners:
        raise InputError(
            f"{by} does not speak for {voice_id}",
            where="--confirmed-by",
            remedy=f"Can confirm it: {', '.join(sorted(owners))}.",
        )
    said = {
        "target": "enrolment",
        "target_id": enrolment_id,
        "kind": EventKind.CONFIRMED,
        "effective_at": now,
        "by": by,
    }
    registry.add(Event.model_validate({"event_id": f"confirmed-{uuid.uuid4().hex[:20]}", **said}))
    return f"{voice_id}: {by} confirmed the enrolment {enrolment_id}"
