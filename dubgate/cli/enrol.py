"""`dubgate enrol`: put a voice into the registry from a recording."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import click

from dubgate.cli.registry_options import open_registry, registry_options


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

    The template is sealed under a key of this person; the recording itself is not kept.
    """
    from consent.voices import Enrolment
    from consent.writing import Addition
    from dubgate.enrolling import hear_recording

    with open_registry(location, key_file) as registry:
        heard = hear_recording(recording, models=models, device=device)
        digest = sha256(recording.read_bytes()).hexdigest()
        enrolment = Enrolment(
            enrolment_id=f"en-{digest[:20]}",
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
    click.echo(f"{voice_id}: enrolled from {heard.speech_s:.1f} s of speech as {enrolment.enrolment_id}")
