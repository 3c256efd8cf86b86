"""The first screen: every command under the task that it serves, and what people type who mean one of them."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

import click

TASKS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Look at a dub, without a registry", ("qc", "compare", "demo")),
    ("Judge a delivery", ("init", "check", "batch", "rules")),
    ("Before a production", ("intake", "pilot", "company")),
    ("Whose voices, whose title", ("consent", "voices", "enrol")),
    ("Decide", ("request", "approve", "desk")),
    ("Tell the audience", ("label", "disclose")),
    ("Certify and publish", ("keys", "verify", "may-publish", "certify-package", "renew", "probe", "evidence", "replay")),
    ("Run the service", ("serve", "worker", "tokens")),
    ("This machine", ("models", "cache")),
)  # fmt: skip
OTHERS = "More"
NOT_JUDGING = "Exit codes: 0 done, 2 not done: what, where and what to do is said on standard error."

# What people type first -> what they mean here.
MEANT = {
    "audit": "consent audit",
    "certify": "check --certify",
    "diff": "compare",
    "enroll": "enrol",
    "erase": "voices erase",
    "explain": "rules explain",
    "grant": "consent import",
    "help": "--help",
    "import": "consent import",
    "lint": "rules lint",
    "list": "consent show",
    "new": "init",
    "package": "certify-package",
    "publish": "verify",
    "register": "consent import",
    "reject": "approve --reject",
    "report": "consent report",
    "revoke": "consent revoke",
    "show": "consent show",
    "sign": "approve",
    "ui": "desk",
    "validate": "check",
    "version": "--version",
    "web": "desk",
    "why": "rules explain",
    "withdraw": "consent withdraw",
}


def by_task(names: Iterable[str]) -> list[tuple[str, list[str]]]:
    """The names under their tasks, in the order of both; one that no task lists stands under `OTHERS`."""
    left = list(names)
    out = [(title, [n for n in listed if n in left]) for title, listed in TASKS]
    placed = {n for _, listed in out for n in listed}
    out.append((OTHERS, [n for n in left if n not in placed]))
    return [(title, listed) for title, listed in out if listed]


def meant(typed: str, names: Iterable[str]) -> str | None:
    """What somebody who typed `typed` probably wanted; None where nothing is near."""
    near = MEANT.get(typed.lower()) or next(iter(get_close_matches(typed.lower(), list(names), n=1)), None)
    return f"dubgate {near}" if near else None


class Commands(click.Group):
    """A group that shows the whole first sentence of each command, not as much of it as fits."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [(name, " ".join((self.commands[name].help or "").split("\n\n")[0].split())) for name in self.commands]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def with_exit_codes(command: click.Command) -> click.Command:
    """The command, its help ending in exit codes: of those that judge nothing, what holds of every one."""
    if "xit code" not in f"{command.help}{command.epilog}":
        command.epilog = f"{command.epilog or ''}\n\n\b\n{NOT_JUDGING}".strip("\n")
    for member in getattr(command, "commands", {}).values():
        with_exit_codes(member)
    return command
