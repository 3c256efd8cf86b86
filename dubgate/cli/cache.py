"""`dubgate cache ls|prune|purge`: what is kept of earlier hearing, and erasing it."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from dubgate.cli.registry_options import plain
from dubgate.cli.tasks import Commands

if TYPE_CHECKING:
    from dubgate.cache import Entry, Freed

EXAMPLES = """\b
Examples:
  dubgate cache ls
  dubgate cache prune --most 2GB --older-than 7
  dubgate cache purge --voice v-ada
  dubgate cache purge --all

\b
What is kept: what was heard of a delivery's two tracks, and what was measured of it, so that judging again after a changed
rule or consent hears nothing again. No speaker vector is kept. It expires after 30 days.
Where: DUBGATE_CACHE (a folder, or `off`), else ~/.cache/dubgate/heard; how much: DUBGATE_CACHE_BYTES, else 4 GiB."""

_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30}


@click.group(cls=Commands, epilog=EXAMPLES)
def cache() -> None:
    """List and erase what is kept of earlier hearing."""


@cache.command("ls", epilog="\b\nExamples:\n  dubgate cache ls\n  dubgate cache ls --format json")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def list_(form: str) -> None:
    """List what is kept, used last first."""
    from dubgate import cache as kept

    found, where = kept.entries(), kept.folder()
    if form == "json":
        click.echo(json.dumps({"folder": str(where) if where else None, "entries": [_row(e) for e in found]}, indent=1))
        return
    if where is None:
        click.echo("Nothing is kept: DUBGATE_CACHE is off.")
        return
    for entry in found:
        told = _row(entry)
        voices = f"{entry.n_voices} voices compared"
        state = plain(entry.version) or "unreadable"
        click.echo(
            f"{entry.key[:12]}  {_size(entry.n_bytes):>9}  kept {str(told['kept_at'])[:16]}  used {str(told['used_at'])[:16]}  "
            f"{voices:<20} {state:<8} {plain(entry.about)}"
        )
    total = sum(e.n_bytes for e in found)
    click.echo(f"{len(found)} kept, {_size(total)} of {_size(kept.most_bytes())}, in {plain(where)}")


def _bytes(_: click.Context, __: click.Parameter, text: str | None) -> int | None:
    if text is None:
        return None
    found = re.fullmatch(r"(\d+)\s*([a-z]*)", text, re.IGNORECASE | re.ASCII)
    if found is None or found[2].upper() not in _UNITS:
        raise click.BadParameter("a number of bytes, such as 500MB or 2GiB")
    return int(found[1]) * _UNITS[found[2].upper()]


@cache.command(epilog="\b\nExamples:\n  dubgate cache prune\n  dubgate cache prune --most 2GB --older-than 7")
@click.option(
    "--most", callback=_bytes, metavar="BYTES", help="Leave at most this much, such as 500MB. Default: the limit."
)
@click.option(
    "--older-than", type=click.FloatRange(min=0), metavar="DAYS", help="Erase what was kept longer ago. Default: 30."
)
def prune(most: int | None, older_than: float | None) -> None:
    """Erase what is oldest, what nobody used for longest, and what an older version left."""
    from dubgate import cache as kept

    age_s = kept.EXPIRES_S if older_than is None else older_than * 86_400
    _say(kept.prune(most, age_s))


@cache.command(epilog="\b\nExamples:\n  dubgate cache purge --voice v-ada\n  dubgate cache purge --all")
@click.option("--voice", metavar="ID", help="Erase all that was kept of deliveries in which this voice was compared.")
@click.option("--all", "everything", is_flag=True, help="Erase everything.")
def purge(voice: str | None, everything: bool) -> None:
    """Erase everything, or everything that rests on a voice.

    What was heard and measured of a delivery says something about the people in it: where a performer withdraws, what was kept of every
    delivery in which that voice was compared goes, on each machine that judged. Entries of older versions go too, since they do
    not say whom they compared. `dubgate voices erase` does it on the machine that it runs on.
    """
    from dubgate import cache as kept

    if (voice is None) is not everything:
        raise click.UsageError("say --voice ID, or --all")
    freed = kept.purge(voice)
    _say(freed)
    if voice is not None and not freed.n_entries:
        click.echo(f"On this machine nothing that is kept was compared with {plain(voice)}.")


def _say(freed: Freed) -> None:
    click.echo(f"{freed.n_entries} erased, {_size(freed.n_bytes)}.")


def _row(entry: Entry) -> dict[str, str | int]:
    def moment(seconds: float) -> str:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    return {
        "key": entry.key,
        "bytes": entry.n_bytes,
        "kept_at": moment(entry.kept_at),
        "used_at": moment(entry.used_at),
        "voices_compared": entry.n_voices,
        "version": entry.version,
        "about": entry.about,
    }


def _size(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:.1f} MB" if n_bytes >= 100_000 else f"{n_bytes / 1e3:.1f} kB"
