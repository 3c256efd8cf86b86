"""`dubgate intake`: before anything is made, whether a title suits an AI dub, and what will be asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

EXAMPLES = """\b
Examples:
  dubgate intake                                   # asks, question by question
  dubgate intake --answers answers.yaml --out intake.json
  dubgate intake --example > answers.yaml          # a questionnaire to fill in

\b
Exit codes: 0 favourable, 3 not favourable (a guide track or a human performance is advised), 2 could not judge.
Favourable is yes, no, yes, yes: tolerant of variation, not central to the franchise's identity, reviewable in time
(computed), disclosable. It is advice before production and releases nothing."""

EXAMPLE = """\
# Before production. Answer yes, no or unknown, each with a reason; what is not known counts as unfavourable.
schema: intake-answers/1.0
title: {name: The Last Train, internal: last-train}
answered_by: Kestrel Pictures, production
original_language: de
language: en
style: lipsync
purposes: [access]          # access, language_otherwise_not_served, prototyping, creative_range, schedule, cost
tolerant_of_variation: {answer: "yes", because: The dialogue is functional and nobody quotes it.}
central_to_identity: {answer: "no", because: None of the voices is known from other films of the series.}
disclosable: {answer: "yes", because: The label is agreed with the channel and the cast is told.}
review:
  speech_minutes: 38.0
  reviewers: 2
  hours_per_day: 5.0
  first_day: 2026-11-23
  deadline: 2026-11-27
  flags_per_minute: 1.5     # from an earlier dub of this kind; without it 1 is assumed, and the answer says so
voices:
  - {character: MARA, technique: voice_clone_tts}
  - {character: JONAS, technique: voice_clone_tts}
  - {character: OTTO, technique: voice_clone_tts}
planned:
  territories: ["150", US]
  channels: [svod]
  window: {from: 2026-12-01T00:00:00Z, until: 2027-12-01T00:00:00Z}
"""


@click.command(epilog=EXAMPLES)
@click.option("--answers", type=click.Path(path_type=Path), help="A questionnaire (intake-answers/1.0). Default: ask.")
@click.option("--pack", "packs", multiple=True, metavar="NAME|FILE", help="Packs beside those that the use chooses.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("intake.json"), show_default=True)
@click.option("--example", is_flag=True, help="Print a questionnaire to fill in.")
def intake(answers: Path | None, packs: tuple[str, ...], out: Path, example: bool) -> int:
    """Ask the producer's four questions and the planned use; say whether an AI dub suits the title, and list the
    consents, approvals, labels and sign-offs that will be asked for, with the rules behind them.

    What is answered is written to a file; `dubgate check` later tells where the delivery differs from it.
    """
    from datetime import UTC, datetime

    from dubgate.errors import InputError
    from dubgate.intake.answers import read_answers
    from dubgate.intake.asking import take_in
    from dubgate.report.intakes import intake_text

    if example:
        click.echo(EXAMPLE, nl=False)
        return 0
    if out.exists():
        raise InputError("a file is already there", where=str(out), remedy="choose another name with --out")
    given = read_answers(answers) if answers is not None else _asked()
    taken = take_in(given, asked_for=packs, at=datetime.now(UTC))
    _write(out, taken.data)
    click.echo(intake_text(taken, out))
    return 0 if taken.advised.favourable else 3


def _write(out: Path, data: bytes) -> None:
    from dubgate.cli.registry_options import write_text

    write_text(out, data.decode())


def _asked() -> Any:
    """The same questions one after the other; what is typed goes through the same strict door as a file."""
    import json

    from pydantic import ValidationError

    from consent.strict import problems
    from dubgate.errors import InputError
    from dubgate.intake.answers import SCHEMA, Answers

    plain = {
        "schema": SCHEMA,
        "title": {"name": click.prompt("Title"), "internal": click.prompt("Its id in your house")},
        "answered_by": click.prompt("Who answers"),
        "original_language": click.prompt("Language of the original (BCP-47)"),
        "language": click.prompt("Language of the dub (BCP-47)"),
        "style": click.prompt("Style", type=click.Choice(["lipsync", "voiceover", "lector"]), default="lipsync"),
        "purposes": _list(
            "Purposes (access, language_otherwise_not_served, prototyping, creative_range, schedule, cost)"
        ),
        "tolerant_of_variation": _question("Is the material tolerant of variation in the performance?"),
        "central_to_identity": _question("Are these voices central to the franchise's identity?"),
        "disclosable": _question("Can it be disclosed to the audience that these voices are AI?"),
        "review": _review(),
        "voices": [_voice(text) for text in _list("Voices, as NAME=technique (voice_clone_tts, stock_tts, human, …)")],
        "planned": {
            "territories": _list("Territories (ISO 3166, UN M49, EU)"),
            "channels": _list("Channels (svod, linear, …)"),
            "partners": _list("Partners, if any", default=""),
            "window": {
                "from": click.prompt("Released from (2026-12-01T00:00:00Z)"),
                "until": click.prompt("until (a time, or open)"),
            },
        },
    }
    try:
        return Answers.model_validate_json(json.dumps(plain))
    except ValidationError as error:
        typed = _typed(plain)
        remedy = f"What you typed is in {typed}: mend it there, then dubgate intake --answers {typed}"
        raise InputError(problems(error, "").what, where="your answers", remedy=remedy) from None


def _typed(plain: dict[str, Any]) -> Path:
    """A new file with all that was typed, so that one slip does not cost thirty answers."""
    import json
    from itertools import count

    from dubgate.cli.registry_options import write_text

    names = (Path(f"answers{f'-{n}' if n > 1 else ''}.yaml") for n in count(1))
    place = next(name for name in names if not name.exists())
    write_text(place, json.dumps(plain, ensure_ascii=False, indent=1) + "\n")  # YAML reads JSON
    return place


def _list(question: str, default: str | None = None) -> list[str]:
    text = click.prompt(f"{question}, separated by commas", default=default, show_default=False)
    return [part.strip() for part in str(text).split(",") if part.strip()]


def _voice(text: str) -> dict[str, str]:
    character, _, technique = text.partition("=")
    return {"character": character.strip(), "technique": technique.strip()}


def _question(question: str) -> dict[str, str]:
    answer = click.prompt(question, type=click.Choice(["yes", "no", "unknown"]))
    return {"answer": answer, "because": click.prompt("  because")}


def _number_or_none(text: str) -> float | None:
    try:
        return float(text) if text.strip() else None
    except ValueError:
        raise click.UsageError("a number, or nothing") from None


def _review() -> dict[str, Any]:
    minutes = click.prompt("Minutes of speech", type=float)
    people = click.prompt("Reviewers who speak the language", type=int)
    hours = click.prompt("Hours a day that each can listen", type=float, default=5.0)
    first = click.prompt("First day of review (2026-11-23)")
    last = click.prompt("Deadline (2026-11-27)")
    known = click.prompt(
        "Flags a minute, from an earlier dub of this kind (empty: not known)",
        default="",
        show_default=False,
        value_proc=_number_or_none,
    )
    told = {"flags_per_minute": known} if known is not None else {}
    return {
        "speech_minutes": minutes, "reviewers": people, "hours_per_day": hours, "first_day": first, "deadline": last, **told,
    }  # fmt: skip
