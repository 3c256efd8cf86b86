"""The `dubgate` command: finds the subcommand lazily, and turns everything but a decided verdict into exit code 2."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import traceback
from typing import Any

import click

from dubgate import __version__
from dubgate.errors import DubgateError

COULD_NOT_JUDGE = 2

# name -> (module, attribute, one line for --help). Subcommands are imported when called, so that --help stays light.
COMMANDS: dict[str, tuple[str, str, str]] = {
    "qc": ("dubgate.cli.qc", "qc", "Measure a dub against its original and say what is wrong, line by line."),
    "check": (
        "dubgate.cli.check",
        "check",
        "Judge a delivery: quality, consent, label, approval; release, hold or block.",
    ),
    "batch": ("dubgate.cli.batch", "batch", "Judge many deliveries, here or on a cluster; goes on where it stood."),
    "init": ("dubgate.cli.init", "init", "Write a delivery.yaml from media files, to be filled in."),
    "compare": ("dubgate.cli.compare", "compare", "What a second report fixed, what is new, what changed unasked."),
    "rules": ("dubgate.cli.rules", "rules", "List, show, lint and test rule packs."),
    "models": ("dubgate.cli.models", "models", "List, fetch and verify speech models."),
    "consent": ("dubgate.cli.consent", "consent", "The consent registry: parties, grants, events, audit."),
    "voices": ("dubgate.cli.voices", "voices", "Enrolled voices and what they may be used for."),
    "enrol": ("dubgate.cli.enrol", "enrol", "Enrol a voice from a recording."),
    "approve": (
        "dubgate.cli.approve",
        "approve",
        "Sign a rights holder's approval, a waiver, an attestation or a statement.",
    ),
    "request": ("dubgate.cli.request", "request", "Ask the parties for the decisions that a delivery lacks."),
    "verify": ("dubgate.cli.verify", "verify", "May this file be published here, now, on this certificate? Offline."),
    "certify-package": (
        "dubgate.cli.certify_package",
        "certify_package",
        "Certify an HLS or DASH package of a certified master, file by file.",
    ),
    "renew": ("dubgate.cli.renew", "renew", "Renew a certificate: consents asked again, a re-wrapped file read again."),
    "evidence": ("dubgate.cli.evidence", "evidence", "One folder that verifies a certificate offline."),
    "replay": ("dubgate.cli.evidence", "replay", "Judge a certificate again from the measurements kept with it."),
    "probe": ("dubgate.cli.probe", "probe", "Look at what is live: its label and bytes against the certificates."),
    "keys": ("dubgate.cli.keys", "keys", "Make, list, rotate, revoke and export signing keys; sign a trust store."),
    "label": ("dubgate.cli.label", "label", "Read the AI label back from a deliverable, or write it by remux."),
    "cache": ("dubgate.cli.cache", "cache", "List and erase what is kept of earlier hearing."),
    "serve": ("dubgate.cli.serve", "serve", "Serve the HTTP API for pipelines, and the review desk."),
    "worker": ("dubgate.cli.serve", "worker", "Judge the deliveries that were submitted over HTTP."),
    "may-publish": ("dubgate.cli.may_publish", "may_publish", "Ask the API: may this file be published here, so, now?"),
    "tokens": ("dubgate.cli.tokens", "tokens", "Make, list and revoke tokens of the HTTP API."),
    "desk": ("dubgate.cli.desk", "desk", "The review desk in the browser: decide, listen, report."),
    "disclose": (
        "dubgate.cli.disclose",
        "disclose",
        "Say in eight languages what was AI, who consented, who approved.",
    ),
    "intake": (
        "dubgate.cli.intake",
        "intake",
        "Before production: does the title suit an AI dub, what will be asked for.",
    ),
    "pilot": (
        "dubgate.cli.pilot",
        "pilot",
        "Take 15 to 60 seconds of a delivery through every stage; never a release.",
    ),
    "company": ("dubgate.cli.company", "company", "The register of tools, and what must never be AI."),
    "demo": ("dubgate.cli.demo", "demo", "Judge the samples and print a table of decisions."),
}

JUDGING = frozenset(
    {"qc", "check", "batch", "demo", "request", "verify", "label", "certify-package", "renew", "evidence", "replay"}
    | {"disclose", "intake", "pilot", "may-publish", "probe"}
)

EPILOG = """Exit codes: 0 release (or, for qc, nothing to report), 3 hold, 1 block, 2 the tool could not judge.

Start with: dubgate qc original.mov dub.wav script.srt"""


class LazyGroup(click.Group):
    """A group whose commands are imported only when they are run."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for name, (module, _, _) in COMMANDS.items() if importlib.util.find_spec(module) is not None]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command = getattr(importlib.import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{module}.{attribute} is not a command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [(name, COMMANDS[name][2]) for name in self.list_commands(ctx)]
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)


@click.group(cls=LazyGroup, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="dubgate")
def cli() -> None:
    """The release gate for AI dubbing.

    Measures a dub, clears each voice heard against the consent registry, reads the AI label back from the
    deliverable, and releases nothing without the rights holder's approval.
    """


@cli.result_callback()
@click.pass_context
def _decided(ctx: click.Context, result: object) -> object:
    """A command that judges must say its exit code: a forgotten return must not read as release."""
    if ctx.invoked_subcommand in JUDGING and type(result) is not int:
        raise RuntimeError(f"{ctx.invoked_subcommand} ended without a decision")
    return result


def run(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code; never raises."""
    try:
        return _run(arguments)
    except BaseException as error:  # noqa: BLE001 - the outermost handler: whatever it was, nothing was judged
        return _could_not_judge(error)


def _run(arguments: list[str] | None) -> int:
    try:
        result: Any = cli.main(args=arguments, prog_name="dubgate", standalone_mode=False)
    except click.exceptions.Exit as stop:
        return int(stop.exit_code)
    except click.ClickException as error:
        error.show()
        return COULD_NOT_JUDGE
    return result if type(result) is int else 0


def _could_not_judge(error: BaseException) -> int:
    if isinstance(error, DubgateError):
        click.echo(f"dubgate: {error}", err=True)
    elif isinstance(error, KeyboardInterrupt | click.Abort):
        click.echo("dubgate: stopped; nothing was judged", err=True)
    else:
        click.echo(f"dubgate: internal error, nothing was judged: {type(error).__name__}: {error}", err=True)
        if os.environ.get("DUBGATE_TRACEBACK"):
            traceback.print_exception(error)
        else:
            click.echo("  set DUBGATE_TRACEBACK=1 to see where", err=True)
    return COULD_NOT_JUDGE


def main() -> None:
    """Console entry point."""
    sys.exit(run())


if __name__ == "__main__":
    main()
