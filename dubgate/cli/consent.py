"""`dubgate consent`: the registry from a terminal; parse, call, render."""

from __future__ import annotations

import json
import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dubgate.cli import consent_draft, consent_import, consent_migrate, consent_verify, endings, registry_files, spoken
from dubgate.cli.registry_options import open_registry, plain, read_text, registry_options, say, write_text
from dubgate.cli.tasks import Commands
from dubgate.errors import InputError

if TYPE_CHECKING:
    from consent.audit import Audit
    from consent.checkpoint import Checkpoint


_MADE = """Made the registry {}. Back its key file up apart: without it no name and no voice in it can be read.
  next, for each delivery:  dubgate consent draft delivery.yaml --out seed.yaml --registry {}
  many at once:             dubgate consent import --template grants"""
_MOST_SHOWN = 40  # of each kind
CODES = (
    "Exit codes: 0 done, 2 not done; 1 only from `audit` (not sound), `notices` (some wait), `spoken` (a step failed) and "
    "`verify` (it does not hold; 3 where something is missing)."
)


@click.group(cls=Commands, epilog=CODES)
def consent() -> None:
    """The consent registry: who agreed to what, and who took it back.

    \b
    dubgate consent init --registry consent.db
    dubgate consent draft delivery.yaml --out seed.yaml
    dubgate consent import seed.yaml --registry consent.db --dry-run
    dubgate consent show --registry consent.db
    dubgate consent show voice:v-ada --registry consent.db
    dubgate consent audit --registry consent.db --format json
    dubgate consent verify statement-142.json --checkpoint message.eml
    """


@consent.command()
@click.option("--require-signatures", is_flag=True, help="Take no consent without its author's signature.")
@registry_options
def init(require_signatures: bool, location: str, key_file: Path | None, form: str) -> None:
    """Make an empty registry, and the key that names and templates are sealed under.

    \b
    dubgate consent init --registry consent.db
    """
    with open_registry(location, key_file, create=True, signatures_required=require_signatures) as registry:
        head = registry.head()
    say(form, {"origin": head.origin, "entries": 0}, _MADE.format(plain(head.origin), plain(location)))


@consent.command()
@click.argument("key", required=False)
@registry_options
def show(key: str | None, location: str, key_file: Path | None, form: str) -> None:
    """Show every entry under a key: grant:ID, voice:ID, title:ID, party:ID, approval:ID, release:ID; without one, what
    keys there are.

    \b
    dubgate consent show --registry consent.db
    dubgate consent show grant:g-ada --registry consent.db --format json
    """
    if key is None:
        _show_all(location, key_file, form)
        return
    with open_registry(location, key_file, read_only=True) as registry, registry.view() as view:
        entries = view.store.entries(key)
    if not entries:
        raise InputError(
            f"the registry has nothing under {key}",
            remedy="Keys are grant:ID, voice:ID, title:ID, party:ID; what is there: dubgate consent show --registry REGISTRY.",
        )
    found = [
        {"entry": e.leaf_index, "recorded_at": e.recorded_at.isoformat(), "schema": e.schema_name}
        | {"record": json.loads(e.body)}
        for e in entries
    ]
    lines = [f"{f['entry']:>6}  {str(f['recorded_at'])[:19]}Z  {f['schema']:<24} {_gist(f['record'])}" for f in found]
    say(form, {"key": key, "entries": found}, "\n".join(lines))


def _show_all(location: str, key_file: Path | None, form: str) -> None:
    from datetime import UTC, datetime

    from consent.overview import overview

    with open_registry(location, key_file, read_only=True) as registry, registry.view() as view:
        found = overview(view, datetime.now(UTC))
    say(form, found, "\n".join(line for kind, rows in found.items() for line in _of_kind(kind, rows)))


def _of_kind(kind: str, rows: list[dict[str, Any]]) -> list[str]:
    """The rows of a kind for a terminal; of very many the first, and how to see the rest."""
    width = max((len(row["key"]) for row in rows[:_MOST_SHOWN]), default=0)
    lines = [f"{kind} ({len(rows)})"]
    lines += [f"  {plain(row['key']):<{width}}  {_about(row)}".rstrip() for row in rows[:_MOST_SHOWN]]
    more = len(rows) - _MOST_SHOWN
    return [*lines, f"  and {more} more: --format json"] if more > 0 else lines


def _about(row: dict[str, Any]) -> str:
    parts = []
    for name, value in row.items():
        if name == "key" or value in (None, [], False):
            continue
        said = (
            ", ".join(map(str, value))
            if isinstance(value, list)
            else last_day(str(value))
            if name == "until"
            else str(value)
        )
        parts.append(
            name if value is True else said if name in ("roles", "name", "status", "level") else f"{name} {said}"
        )
    return plain("  ".join(parts))


def last_day(until: str) -> str:
    """The last day (UTC) of what ends at a moment: a term that ends with May has the first of June as its end."""
    return f"{datetime.fromisoformat(until) - timedelta(microseconds=1):%Y-%m-%d}"


def _gist(record: Any) -> str:
    names = (
        "grant_id",
        "event_id",
        "kind",
        "target_id",
        "voice_id",
        "title_id",
        "party_id",
        "not_before",
        "not_after",
        "by",
    )
    return "  ".join(f"{n}={plain(record[n])}" for n in names if n in record)


@consent.command()
@click.option("--checkpoint", type=click.Path(path_type=Path), help="A signed checkpoint that was kept outside.")
@click.option("--verifier-key", "vkey", help="The key that signed it (name+hash+key).")
@registry_options
def audit(checkpoint: Path | None, vkey: str | None, location: str, key_file: Path | None, form: str) -> int:
    """Verify the whole history. Exit code 0 where it is sound, 1 where it is not.

    \b
    dubgate consent audit --registry consent.db
    dubgate consent audit --registry consent.db --checkpoint checkpoint.txt --verifier-key "$(cat checkpoint.txt.vkey)"
    """
    from consent.checkpoint import open_note, verifier_key

    if (checkpoint is None) != (vkey is None):
        raise click.UsageError("--checkpoint and --verifier-key go together")
    kept = None
    if checkpoint is not None and vkey is not None:
        kept = open_note(read_text(checkpoint), verifier_key(vkey))
    with open_registry(location, key_file, read_only=True) as registry:
        found = registry.audit(kept)
    say(form, _audit_data(found), _audit_text(found))
    return 0 if found.sound else 1


def _audit_data(found: Audit) -> dict[str, Any]:
    return {
        "entries": found.size,
        "root": found.root.hex(),
        "sound": found.sound,
        "problems": list(found.problems),
        "erased": found.n_erased,
        "sealed_unread": found.n_sealed_unread,
        "checkpoint_entries": found.checkpoint_size,
    }


def _audit_text(found: Audit) -> str:
    lines = [f"{found.size} entries, root {found.root.hex()}", f"{found.n_erased} contents erased, each accounted for"]
    if found.n_sealed_unread:
        lines.append(f"{found.n_sealed_unread} sealed contents were not read: the registry's key is not here")
    if found.checkpoint_size is None:
        lines.append("No checkpoint was given: a history rewritten or rolled back as a whole could not be told.")
    else:
        lines.append(f"The checkpoint over {found.checkpoint_size} entries was held against it.")
    return "\n".join([*lines, *(f"PROBLEM  {p}" for p in found.problems), "sound" if found.sound else "NOT SOUND"])


@consent.command()
@click.option("--sign-with", type=click.Path(path_type=Path), help="The ledger's Ed25519 key (PEM).")
@click.option("--passphrase-env", help="The environment variable that holds the key's passphrase.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="Write the note here, and the verifier key beside it (.vkey)."
)
@registry_options
def checkpoint(
    sign_with: Path | None,
    passphrase_env: str | None,
    out: Path | None,
    location: str,
    key_file: Path | None,
    form: str,
) -> None:
    """Print the ledger's checkpoint, signed where a key is given. Give it to somebody outside: it exposes a rewriting.

    \b
    dubgate consent checkpoint --registry consent.db --sign-with ledger.pem --out checkpoint.txt
    """
    with open_registry(location, key_file, read_only=True) as registry:
        head = registry.head()
    note, vkey = (head.body(), None) if sign_with is None else _signed(head, sign_with, passphrase_env)
    if out is not None:
        write_text(out, note)
        if vkey is not None:
            write_text(out.with_name(out.name + ".vkey"), vkey + "\n")
    data = {"origin": head.origin, "entries": head.size, "root": head.root.hex(), "note": note, "verifier_key": vkey}
    say(form, data, note.rstrip("\n"))


def _signed(head: Checkpoint, sign_with: Path, passphrase_env: str | None) -> tuple[str, str]:
    from consent.checkpoint import VerifierKey, sign
    from dubgate.certificate.dsse import load_private_key

    passphrase = os.environ[passphrase_env].encode() if passphrase_env and passphrase_env in os.environ else None
    key = load_private_key(sign_with, passphrase)
    return sign(head, key), str(VerifierKey(head.origin, key.public_key().public_bytes_raw()))


_MORE = (
    *consent_draft.COMMANDS,
    *consent_import.COMMANDS,
    *endings.COMMANDS,
    *registry_files.COMMANDS,
    *spoken.COMMANDS,
)
for _command in (*_MORE, consent_migrate.migrate, consent_verify.verify):
    consent.add_command(_command)
