"""`dubgate consent phrase|spoken`: issue a phrase, and check a recording of it; parse, call, render."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import click

from dubgate.cli.registry_options import open_registry, plain, registry_options, say


@click.command()
@click.argument("voice_id")
@click.option("--by", required=True, metavar="PARTY", help="Who asks for it.")
@click.option("--minutes", type=click.IntRange(1, 1440), default=15, show_default=True, help="How long it is good for.")
@registry_options
def phrase(voice_id: str, by: str, minutes: int, location: str, key_file: Path | None, form: str) -> None:
    """Issue a fresh phrase that the owner of VOICE_ID says aloud, once, to consent.

    Saying it also permits one comparison of that recording with the enrolled voice.

    \b
    dubgate consent phrase v-ada --by op-1 --registry consent.db
    """
    from consent.spoken import new_phrase

    with open_registry(location, key_file) as registry:
        with registry.view() as view:
            now = view.now
        issued = new_phrase(voice_id, by, now, valid_for=timedelta(minutes=minutes))
        registry.add(issued)
    data = {"phrase_id": issued.phrase_id, "text": issued.text, "expires_at": issued.expires_at.isoformat()}
    say(form, data, f"{issued.phrase_id}  until {issued.expires_at:%H:%M:%S} UTC\n{issued.text}")


@click.command()
@click.argument("voice_id")
@click.argument("recording", type=click.Path(path_type=Path))
@click.option("--phrase", "phrase_id", required=True, metavar="ID", help="The phrase that was issued.")
@click.option("--by", required=True, metavar="PARTY", help="Who hands the recording in.")
@registry_options
def spoken(
    voice_id: str, recording: Path, phrase_id: str, by: str, location: str, key_file: Path | None, form: str
) -> int:
    """Check RECORDING of a phrase: that it is fresh, then the words, then the voice. English.

    What was measured is kept as evidence with the recording's SHA-256; the recording is not. Exit code 0 where every
    step passed, 1 where one did not.

    \b
    dubgate consent spoken v-ada said.wav --phrase ph-0123456789abcdef0123 --by op-1 --registry consent.db
    """
    from dubgate.spoken import check_spoken

    with open_registry(location, key_file) as registry:
        said = check_spoken(registry, voice_id, recording, phrase_id, by=by)
    evidence = said.evidence
    data = {"accepted": said.accepted, **evidence.model_dump(mode="json")}
    last = f"Accepted as {evidence.spoken_id}." if said.accepted else f"Refused: the {evidence.refused_at}."
    say(form, data, "\n".join([*(plain(t) for t in said.told), last]))
    return 0 if said.accepted else 1


COMMANDS = (phrase, spoken)
