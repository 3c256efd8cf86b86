"""`dubgate voices retention`: what the published schedule says is due; with --apply it is destroyed, with proof."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dubgate.cli.registry_options import open_registry, plain, registry_options, say, write_text

if TYPE_CHECKING:
    from consent.retention import Due, Retention


def _print_schedule(context: click.Context, _: click.Parameter, form: str | None) -> None:
    """Print the schedule and end; an eager option, since it needs no registry."""
    if form is None or context.resilient_parsing:
        return
    from consent.retention_schedule import schedule_data, schedule_text

    click.echo(json.dumps(schedule_data(), ensure_ascii=False, indent=1) if form == "json" else schedule_text())
    context.exit()


def _moment(_: click.Context, __: click.Parameter, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter("not a time, such as 2027-12-31T18:00:00+01:00") from None
    if moment.tzinfo is None:
        raise click.BadParameter("give the offset from UTC, such as +01:00 or Z")
    return moment.astimezone(UTC)


@click.command()
@click.option("--apply", "act", is_flag=True, help="Destroy what is due now. Without it nothing is written.")
@click.option("--by", metavar="PARTY", help="With --apply: the operator in whose name it is recorded.")
@click.option("--as-of", callback=_moment, metavar="TIME", help="Without --apply: what is due at another time.")
@click.option("--proof", type=click.Path(path_type=Path), help="With --apply: write the proof as JSON to this file.")
@click.option(
    "--schedule",
    type=click.Choice(["text", "json"]),
    is_flag=False,
    flag_value="text",
    is_eager=True,
    expose_value=False,
    callback=_print_schedule,
    help="Print the schedule, to be published, and end.",
)
@registry_options
def retention(
    act: bool,
    by: str | None,
    as_of: datetime | None,
    proof: Path | None,
    location: str,
    key_file: Path | None,
    form: str,
) -> None:
    """List what the retention schedule says is due; with --apply destroy it, and print the proof.

    Keys and ciphertexts are destroyed; the ledger keeps salted commitments and records each erasure, and the proof shows
    that event in it, against the checkpoint. A second run finds nothing to do.

    \b
    dubgate voices retention --registry consent.db
    dubgate voices retention --apply --by operator-1 --proof erased.json --registry consent.db
    dubgate voices retention --schedule json > retention-schedule.json
    """
    from consent.retention import apply_schedule, due_data, find_due

    if act and as_of is not None:
        raise click.UsageError("--apply acts now; --as-of only looks ahead")
    if act != (by is not None) or (proof is not None and not act):
        raise click.UsageError("--apply goes with --by, and --proof with --apply")
    if act and by is not None:
        with open_registry(location, key_file) as registry:
            done = apply_schedule(registry, by=by)
        if proof is not None:
            write_text(proof, json.dumps(_proof(done), indent=1, sort_keys=True) + "\n")
        say(form, _proof(done), _erased_text(done))
        return
    with open_registry(location, key_file, read_only=True) as registry, registry.view() as view:
        moment = as_of or view.now
        due = find_due(view, moment)
    say(form, {"as_of": moment.isoformat(), "applied": False, "due": [due_data(d) for d in due]}, _due_text(due))


def _proof(done: Retention) -> dict[str, Any]:
    return {
        "schema": "retention-proof/1.0",
        "applied": True,
        "erased": [e.data() for e in done.erased],
        "checkpoint": {"origin": done.head.origin, "entries": done.head.size, "root": done.head.root.hex()},
        "note": done.head.body(),
    }


def _due_text(due: tuple[Due, ...]) -> str:
    if not due:
        return "Nothing is due."
    lines = [_line(d) for d in due]
    return "\n".join([*lines, f"{len(due)} due. Nothing was erased: --apply --by OPERATOR does it."])


def _line(due: Due) -> str:
    since, n = due.since.date().isoformat(), len(due.entries)
    return f"{due.rule_id:<24} {plain(due.holder):<24} since {since}  {n} sealed  {plain(due.why)}"


def _erased_text(done: Retention) -> str:
    if not done.erased:
        return "Nothing was due; nothing was erased."
    lines = [f"{_line(e.due)}\n  erased; recorded as entry {e.event_index}" for e in done.erased]
    head = f"The ledger {done.head.origin} has {done.head.size} entries, root {done.head.root.hex()}."
    return "\n".join([*lines, head, "The proof of each erasure is in --proof FILE or --format json."])
