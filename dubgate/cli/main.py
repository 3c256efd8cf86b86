"""The `dubgate` command: finds the subcommand lazily, and turns everything but a decided verdict into exit code 2."""

from __future__ import annotations

import errno
import importlib
import importlib.util
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem, shell_complete

from dubgate import __version__
from dubgate.cli.interrupted import BY_SIGNAL, end_on_signals, pipes_told, put_output_away, signal_of, told_of
from dubgate.cli.remedies import REGISTRY, add_remedy, of_file
from dubgate.cli.tasks import by_task, meant, with_exit_codes
from dubgate.errors import DubgateError

COULD_NOT_JUDGE = 2
FILES_AND_DISKS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EISDIR, errno.ENOTDIR, errno.ENOENT, errno.ENAMETOOLONG, errno.EIO, errno.EMFILE})  # fmt: skip
COMPLETE = "_DUBGATE_COMPLETE"  # what shells set to ask for completions

# name -> (module, attribute, one line for --help). Subcommands are imported when called, so that --help stays light.
COMMANDS: dict[str, tuple[str, str, str]] = {
    "qc": ("dubgate.cli.qc", "qc", "What is wrong with a dub, line by line. Start here."),
    "check": ("dubgate.cli.check", "check", "Quality, consent, label, approval: release, hold or block."),
    "batch": ("dubgate.cli.batch", "batch", "Many deliveries, here or on a cluster; can be interrupted."),
    "init": ("dubgate.cli.init", "init", "Draft the delivery.yaml that a check reads."),
    "compare": ("dubgate.cli.compare", "compare", "Two reports: fixed, new, and changed unasked."),
    "rules": ("dubgate.cli.rules", "rules", "List, explain, lint, test and adopt rule packs."),
    "models": ("dubgate.cli.models", "models", "List, fetch and verify speech models."),
    "consent": ("dubgate.cli.consent", "consent", "The registry: parties, titles, grants, withdrawals, audit."),
    "voices": ("dubgate.cli.voices", "voices", "Enrolled voices: compare, permit, search, erase."),
    "enrol": ("dubgate.cli.enrol", "enrol", "Enrol a voice from a recording."),
    "approve": ("dubgate.cli.approve", "approve", "Sign an approval, a refusal, a waiver or an attestation."),
    "request": ("dubgate.cli.request", "request", "Ask the parties for the decisions that a delivery lacks."),
    "verify": ("dubgate.cli.verify", "verify", "May this file be published here, now? Offline."),
    "certify-package": (
        "dubgate.cli.certify_package",
        "certify_package",
        "Certify the HLS or DASH package of a master.",
    ),
    "renew": ("dubgate.cli.renew", "renew", "Another day for a certificate; consents are asked again."),
    "evidence": ("dubgate.cli.evidence", "evidence", "One folder that proves a certificate offline."),
    "replay": ("dubgate.cli.evidence", "replay", "Judge again from the measurements kept with a certificate."),
    "probe": ("dubgate.cli.probe", "probe", "What is live: its label and bytes against the certificates."),
    "keys": ("dubgate.cli.keys", "keys", "Signing keys: make, rotate, revoke; sign a trust store."),
    "label": ("dubgate.cli.label", "label", "Read the AI label back from a file or package, or write it."),
    "cache": ("dubgate.cli.cache", "cache", "What is kept of earlier hearing: list and erase."),
    "serve": ("dubgate.cli.serve", "serve", "The HTTP API, and the review desk (--demo)."),
    "worker": ("dubgate.cli.serve", "worker", "Judges what was submitted over HTTP."),
    "may-publish": ("dubgate.cli.may_publish", "may_publish", "Ask a running service the same, over HTTP."),
    "tokens": ("dubgate.cli.tokens", "tokens", "Tokens of the HTTP API: make, list, revoke."),
    "desk": ("dubgate.cli.desk", "desk", "The review desk in the browser, by itself."),
    "disclose": ("dubgate.cli.disclose", "disclose", "What was AI, who consented, who approved; eight languages."),
    "intake": ("dubgate.cli.intake", "intake", "Does the title suit an AI dub, and what will be asked for?"),
    "pilot": ("dubgate.cli.pilot", "pilot", "15 to 60 seconds through every stage; never a release."),
    "company": ("dubgate.cli.company", "company", "Register of tools, and what must never be AI."),
    "demo": ("dubgate.cli.demo", "demo", "Judge the samples: every kind of release, hold and block."),
}

LONGEST = max(map(len, COMMANDS))  # one column for all tasks
JUDGING = frozenset(
    {"qc", "check", "batch", "demo", "request", "verify", "label", "certify-package", "renew", "evidence", "replay"}
    | {"disclose", "intake", "pilot", "may-publish", "probe"}
)

EPILOG = """\b
Begin with two files and, if you have it, the script:
  dubgate qc original.mov dub.wav script.srt
From two files to a release (whatever blocks says what to do about it):
  dubgate init original.mov dub.wav script.srt
  dubgate consent init --registry consent.db
  dubgate check delivery.yaml --registry consent.db

\b
Exit codes of what judges: 0 release (qc: nothing to hold), 3 hold, 1 block,
2 the tool could not judge, 130 stopped by Ctrl-C. Let nothing out but on 0.
Every command has a --help with examples. NO_COLOR=1: no colour. Completion:
  eval "$(_DUBGATE_COMPLETE=bash_source dubgate)"   (zsh_source, fish_source)"""


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
        return with_exit_codes(command)

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        with pipes_told():  # --help and --version print while the words are parsed
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        with pipes_told():
            try:
                return super().invoke(ctx)
            except Exception as error:
                if isinstance(error, DubgateError) or _of_the_registry(error):
                    add_remedy(error, ctx.meta.get(REGISTRY))
                raise

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            if near := meant(args[0], self.list_commands(ctx)):
                raise click.UsageError(f"{error.message} Did you mean `{near}`?", ctx) from None
            raise

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, names in by_task(self.list_commands(ctx)):
            with formatter.section(title):
                formatter.write_dl([(name.ljust(LONGEST), COMMANDS[name][2]) for name in names])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Names from the table: completing imports no command."""
        names = [n for n in self.list_commands(ctx) if n.startswith(incomplete)]
        found = [CompletionItem(name, help=COMMANDS[name][2]) for name in names]
        return found + click.Command.shell_complete(self, ctx, incomplete)


@click.group(
    cls=LazyGroup, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}
)
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
    if arguments is None and (asked := os.environ.get(COMPLETE)):
        return shell_complete(cli, {}, "dubgate", COMPLETE, asked)
    try:
        result: Any = cli.main(args=arguments, prog_name="dubgate", standalone_mode=False)
    except click.exceptions.Exit as stop:
        return int(stop.exit_code)
    except click.Abort as stop:
        raise KeyboardInterrupt from stop
    except click.ClickException as error:
        error.show()
        return COULD_NOT_JUDGE
    return result if type(result) is int else 0


def _was_printing(error: BaseException) -> bool:
    """Whether it was raised where output is printed and flushed: by click or by rich."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    module = last.tb_frame.f_globals.get("__name__", "") if last is not None else ""
    return module.split(".")[0] in ("click", "rich")


def _could_not_judge(error: BaseException) -> int:
    if (number := signal_of(error)) is not None:
        return _stopped(number, told_of(error))
    if isinstance(error, DubgateError) or _of_the_registry(error):
        click.echo(f"dubgate: {error}", err=True)
    elif isinstance(error, OSError) and error.errno in FILES_AND_DISKS:
        where = error.filename or ("standard output" if _was_printing(error) else "a file")
        click.echo(f"dubgate: {where}: cannot be read or written ({error.strerror}); nothing was decided", err=True)
        if error.filename and (remedy := of_file(Path(os.fsdecode(error.filename)), error.strerror or "")):
            click.echo(f"  {remedy}", err=True)
    else:
        click.echo(f"dubgate: internal error, nothing was judged: {type(error).__name__}: {error}", err=True)
        if os.environ.get("DUBGATE_TRACEBACK"):
            traceback.print_exception(error)
        else:
            click.echo("  set DUBGATE_TRACEBACK=1 to see where", err=True)
    return COULD_NOT_JUDGE


def _of_the_registry(error: BaseException) -> bool:
    """consent's own errors say what, where and what to do as well; without loading it where nobody has."""
    kind = getattr(sys.modules.get("consent.errors"), "ConsentError", None)
    return kind is not None and isinstance(error, kind)


def _stopped(number: int, told: str) -> int:
    """The exit code of a run that a signal ended; nothing to say where nobody reads."""
    if number == signal.SIGPIPE:
        put_output_away()
    else:
        click.echo(f"dubgate: {told}", err=True)
    return BY_SIGNAL + number


def main() -> None:
    """Console entry point."""
    end_on_signals()
    sys.exit(run())


if __name__ == "__main__":
    main()
