"""`dubgate company`: what a company keeps once for all deliveries: the register of tools, and what must never be AI."""

from __future__ import annotations

from pathlib import Path

import click

from dubgate.cli.registry_options import ID
from dubgate.cli.tasks import Commands

FOLDER = click.Path(path_type=Path)

REGISTER = """\
# Tools and vendors, read once for the whole company. An overdue review holds, and so does a tool that is not here.
schema: tool-register/1.0
company: Kestrel Pictures
tools:
  - id: polyvoice
    names: [Polyvoice]                    # as production records write it
    vendor: Polyglot Dubs
    versions: ["4.*"]
    terms: {sha256: "0000000000000000000000000000000000000000000000000000000000000000", read_on: 2026-10-01, read_by: Legal}
    stores_inputs: false
    trains_on_inputs: false
    outputs_owned: true
    processed_in: [DE]
    disputes: []
    review_due: 2027-04-01
"""


@click.group(cls=Commands, epilog="\b\nExample:\n  dubgate company init company/ && dubgate company check company/")
def company() -> None:
    """The company's folder, handed to a check with --company (or DUBGATE_COMPANY): register.yaml and policies/*.json."""


@company.command(epilog="\b\nExample:\n  dubgate company init company/")
@click.argument("folder", type=FOLDER)
def init(folder: Path) -> None:
    """Write FOLDER with a register.yaml to be filled in; never over one that is there."""
    from dubgate.errors import InputError

    path = folder / "register.yaml"
    if path.exists():
        raise InputError(
            "a register is already there", where=str(path), remedy=f"Look at it: dubgate company check {folder}"
        )
    (folder / "policies").mkdir(parents=True, exist_ok=True)
    path.write_text(REGISTER, encoding="utf-8")
    click.echo(
        f"{path}: fill in your tools, then dubgate company check {folder}; policies go into {folder / 'policies'}"
    )


@company.command(
    epilog="\b\nExample:\n  dubgate company check company/\n\n\b\nExit codes: 0 in order, 3 a review is overdue or terms changed, 2 could not read."
)
@click.argument("folder", type=FOLDER)
def check(folder: Path) -> int:
    """Read FOLDER as a check does: every tool, whether its review is due, and whether its terms are those that were read."""
    from datetime import UTC, datetime

    from dubgate.company.folder import read_company
    from dubgate.company.register import overdue
    from dubgate.report.printable import printable

    found, now = read_company(folder), datetime.now(UTC)
    wrong = 0
    for tool in found.register.tools if found.register else ():
        late = overdue(tool, now)
        changed = found.register is not None and not found.register.terms_read(tool)
        said = "overdue" if late else "in order"
        said = "its terms are not those that were read" if changed else said
        wrong += late or changed
        click.echo(printable(f"{tool.id}: {tool.vendor}, review due {tool.review_due}: {said}"))
    click.echo(f"{len(found.policies)} policies")
    return 3 if wrong else 0


@company.command(
    epilog="\b\nExamples:\n  dubgate company policy --title last-train --as kestrel --key kestrel.pem --character OTTO --songs --out company/policies/last-train.json\n"
    "  dubgate company policy --title last-train --as kestrel --key kestrel.pem --scene 62.5-118 --out company/policies/last-train.json"
)
@click.option(
    "--title", required=True, type=ID, metavar="ID", help="The registry's id of the title, or of the series above it."
)
@click.option(
    "--as", "by", required=True, type=ID, metavar="PARTY", help="Who signs: of the house that holds the title."
)
@click.option("--key", type=FOLDER, required=True, help="The signer's private key.")
@click.option("--character", "characters", multiple=True, help="Always performed by a person; may be repeated.")
@click.option(
    "--scene", "scenes", multiple=True, metavar="START-END", help="Seconds of the programme; may be repeated."
)
@click.option("--songs", is_flag=True, help="Every sung line is sung by a person.")
@click.option("--nothing", is_flag=True, help="The studio looked and keeps nothing for people.")
@click.option("--words", help="Why, in your words.")
@click.option("--days", type=click.IntRange(1, 3660), default=730, show_default=True, help="How long it holds.")
@click.option("--out", type=FOLDER, required=True, help="A new file, for the folder policies/.")
def policy(
    title: str,
    by: str,
    key: Path,
    characters: tuple[str, ...],
    scenes: tuple[str, ...],
    songs: bool,
    nothing: bool,
    words: str | None,
    days: int,
    out: Path,
) -> None:
    """Sign what must never be AI in a title: characters, scenes, songs. A check blocks what breaks it."""
    from datetime import UTC, datetime, timedelta

    from pydantic import ValidationError

    from consent.strict import problems
    from dubgate.cli.keys import load
    from dubgate.company.never_ai import Scene, StudioPolicy, sign_policy
    from dubgate.errors import InputError

    now = datetime.now(UTC).replace(microsecond=0)
    try:
        record = StudioPolicy(
            policy_id=f"po-{title}-{now:%Y%m%d%H%M%S}",
            by=by,
            title_id=title,
            characters=characters,
            scenes=tuple(Scene(start_s=a, end_s=b) for a, b in map(_scene, scenes)),
            songs=songs,
            nothing=nothing,
            words=words,
            signed_at=now,
            expires_at=now + timedelta(days=days),
        )
    except ValidationError as error:
        raise InputError(str(problems(error, "the policy"))) from None
    try:
        with out.open("xb") as file:
            file.write(sign_policy(record, load(key)))
    except OSError as error:
        raise InputError(f"cannot be written ({error.strerror})", where=str(out)) from None
    click.echo(out)


def _scene(text: str) -> tuple[float, float]:
    start, _, end = text.partition("-")
    try:
        return float(start), float(end)
    except ValueError:
        raise click.BadParameter(f"{text!r} is not START-END in seconds, such as 62.5-118") from None


@company.command(epilog="\b\nExample:\n  dubgate company schema > register.schema.json")
def schema() -> None:
    """Print the JSON Schema of register.yaml, for editors."""
    import json

    from dubgate.company.register import json_schema

    click.echo(json.dumps(json_schema(), indent=1))
