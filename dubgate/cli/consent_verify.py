"""`dubgate consent verify`: one signed statement, as somebody took it home, verified without the desk."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dubgate.cli.registry_options import errors_told, open_registry, plain, read_text
from dubgate.errors import InputError

if TYPE_CHECKING:
    from consent.checkpoint import Checkpoint
    from consent.statement_check import Checked

EXIT_CODES = """Exit codes: 0 it holds, 3 nothing contradicts it and something is missing (no checkpoint, a consent taken back since),
1 it does not hold (changed, another key, another ledger), 2 the file could not be read."""


@click.command(epilog=EXIT_CODES)
@click.argument("statement", type=click.Path(path_type=Path))
@click.option(
    "--checkpoint",
    type=click.Path(path_type=Path),
    help="A checkpoint that you kept: its three lines, or the message of the desk that carried it.",
)
@click.option(
    "--verifier-key",
    "vkey",
    metavar="NAME+HASH+KEY",
    help="The ledger's key, where the checkpoint is signed: the signature must verify.",
)
@click.option(
    "--registry",
    "location",
    metavar="PATH|URL",
    help="The registry itself, or a copy: also says whether the key was revoked, and how it stands today.",
)
@click.option("--lang", type=click.Choice(["en", "ja"]), default="en", show_default=True)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def verify(
    statement: Path, checkpoint: Path | None, vkey: str | None, location: str | None, lang: str, form: str
) -> int:  # fmt: skip
    """Verify one STATEMENT that was downloaded from the review desk: who signed what, when and with which key, and whether the
    ledger holds it. It needs no network, no desk and no model.

    A file can only agree with itself. That its ledger is the true one, a checkpoint shows that you kept elsewhere (each message of
    the desk carries one), or the registry.

    \b
    dubgate consent verify statement-142.json --checkpoint message.eml
    dubgate consent verify statement-142.json --checkpoint checkpoint.txt --verifier-key "$(cat checkpoint.txt.vkey)"
    dubgate consent verify statement-142.json --registry consent.db
    dubgate consent verify ap-1.dsse.json --registry consent.db --lang ja
    """
    from consent.statement_check import EXIT

    if vkey is not None and checkpoint is None:
        raise click.UsageError("--verifier-key is for the checkpoint: name it with --checkpoint")
    with errors_told():
        checked = _checked(statement, _kept(checkpoint, vkey), vkey, location)
    click.echo(json.dumps(_data(checked), ensure_ascii=False, indent=1) if form == "json" else _text(checked, lang))
    return EXIT[checked.answer]


def _kept(path: Path | None, vkey: str | None) -> Checkpoint | None:
    """The checkpoint that somebody kept; out of a message's text, where that is what was kept."""
    from consent.checkpoint import open_note, read_body, verifier_key
    from consent.taken_home import checkpoint_in

    if path is None:
        return None
    text = read_text(path)
    if vkey is not None:
        return open_note(text, verifier_key(vkey))
    return read_body(checkpoint_in(_message(text)))


def _message(text: str) -> str:
    """The words of an e-mail that was saved; any other text as it stands."""
    import email
    from email.policy import default

    if not text.lower().startswith(("from:", "received:", "return-path:", "delivered-to:", "to:", "subject:", "date:")):
        return text
    body = email.message_from_string(text, policy=default).get_body(("plain",))
    return str(body.get_content()) if body is not None else text


def _checked(path: Path, kept: Checkpoint | None, vkey: str | None, location: str | None) -> Checked:
    from contextlib import ExitStack

    from consent.statement_check import check_statement
    from consent.taken_home import read_taken_home

    with ExitStack() as stack:
        taken = read_taken_home(_bytes(path), path.name)
        registry = stack.enter_context(open_registry(location, None, read_only=True)) if location else None
        if isinstance(taken, str):
            return _of_bare(taken, registry, path.name)
        signed_by = vkey.partition("+")[0] if vkey is not None else None
        return check_statement(taken, kept=kept, signed_by=signed_by, registry=registry)


def _of_bare(envelope: str, registry: Any, name: str) -> Checked:
    from consent.statement_check import Answer, Checked, Point, check_bare, said_in

    if registry is None:
        said_in(envelope)  # whatever else somebody signed is no statement of which more could be told
        return Checked(None, None, None, (Point("ledger", Answer.OPEN, "bare"),))
    found = check_bare(envelope, registry)
    return found or Checked(None, None, None, (Point("registry", Answer.FAILS, "not_there"),))


def _bytes(path: Path) -> bytes:
    from consent.taken_home import MOST_BYTES

    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=str(path)) from None


def _data(checked: Checked) -> dict[str, Any]:
    entry = checked.entry
    said = {
        "answer": checked.answer.name.lower(),
        "points": [
            {"asks": p.asks, "answer": p.answer.name.lower(), "key": p.key, "values": {k: str(v) for k, v in p.values.items()}}
            for p in checked.points
        ],
    }  # fmt: skip
    if entry is None or checked.record is None:
        return said
    return said | {
        "entry": entry.leaf_index,
        "recorded_at": entry.recorded_at.isoformat(),
        "schema": entry.schema_name,
        "record": json.loads(entry.body),
        "by": checked.holder.party.party_id if checked.holder else None,
        "key_id": checked.holder.key.key_id if checked.holder else None,
    }


def _text(checked: Checked, lang: str) -> str:
    return "\n".join(plain(line) for line in _lines(checked, lang))


def _lines(checked: Checked, lang: str) -> Iterator[str]:
    from consent.web.catalogue import text
    from consent.web.taking import fields_in, told_point, what_is
    from consent.web.wording import moment

    answer = checked.answer.name.lower()
    yield f"{text(f'verify.{answer}', lang)}  {text(f'verify.{answer}_words', lang)}"
    if checked.entry is not None and checked.record is not None:
        yield ""
        yield f"  {text('verify.what', lang)}: {what_is(checked.record, lang)}"
        if checked.holder is not None:
            yield f"  {text('verify.by', lang)}: {checked.holder.party.party_id}"
        yield f"  {text('verify.when', lang)}: {moment(checked.entry.recorded_at, lang)}"
    yield ""
    for point in checked.points:
        mark = {"holds": "✓", "open": "?", "fails": "✗"}[point.answer.name.lower()]
        yield f"  {mark} {text(f'verify.asks.{point.asks}', lang)}: {told_point(point, lang)}"
    if checked.entry is not None and checked.record is not None:
        for key, fields in zip(("shown", "fields"), fields_in(checked.entry, lang), strict=True):
            if fields:
                yield ""
                yield f"{text(f'verify.{key}', lang)}:"
                yield from (f"  {name}: {' / '.join(said.splitlines())}" for name, said in fields)
    yield ""
    yield text("verify.no_permission", lang)
