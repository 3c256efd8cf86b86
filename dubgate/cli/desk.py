"""`dubgate desk`: the review desk in the browser, over a registry; with --demo over the samples."""

from __future__ import annotations

import importlib.util
import sys
import threading
from pathlib import Path
from socket import socket
from typing import TYPE_CHECKING

import click

from dubgate.cli.interrupted import served_until_asked
from dubgate.cli.ports import listen, port_of

if TYPE_CHECKING:
    from dubgate.service.demo import Demo

PORT = 8137
EXAMPLES = """\b
Examples:
  dubgate desk --demo
  dubgate desk --registry consent.db --invite studio hana@studio.example
  dubgate desk --registry consent.db --origin https://desk.studio.example --port 8137

\b
Behind a proxy that speaks TLS, name the outer address as --origin: passkeys and cookies are bound to it.
Messages lie in the outbox folder; `dubgate serve` sends them by SMTP and webhook."""


@click.command(epilog=EXAMPLES)
@click.option("--demo", is_flag=True, help="The samples, a fresh registry, and a sign-in link for each role.")
@click.option("--registry", "location", metavar="PATH|URL", help="The consent registry.")
@click.option("--key-file", type=click.Path(path_type=Path), help="The registry's own key.")
@click.option("--tables", metavar="PATH|URL", help="The desk's own tables [default: beside the registry].")
@click.option("--outbox", type=click.Path(path_type=Path), help="Folder of messages [default: beside the registry].")
@click.option("--out", type=click.Path(path_type=Path), default=Path("out/desk"), help="With --demo: where it lives.")
@click.option("--samples", type=click.Path(path_type=Path), help="With --demo: the samples folder.")
@click.option("--origin", help="Where browsers reach it [default: http://localhost:PORT].")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=PORT,
    show_default=True,
    help="Port to listen on; 0 takes any that is free.",
)
@click.option("--invite", nargs=2, metavar="PARTY EMAIL", help="Give a party an account, print its link, and end.")
def desk(
    demo: bool,
    location: str | None,
    key_file: Path | None,
    tables: str | None,
    outbox: Path | None,
    out: Path,
    samples: Path | None,
    origin: str | None,
    host: str,
    port: int,
    invite: tuple[str, str] | None,
) -> int:
    """Serve the review desk: approvals, voices, refusals and reports, in English and Japanese.

    Deliveries and their sound need a gate: that is `dubgate serve`, and --demo.
    """
    if importlib.util.find_spec("fastapi") is None:
        raise click.ClickException("the desk needs its extra: pip install 'dubgate[service]'")
    if demo:
        return demo_served(out, samples, origin, host, port)
    if location is None:
        raise click.UsageError("name a registry (--registry), or --demo")
    return _serve(location, key_file, tables, outbox, origin, host, port, invite)


def demo_served(
    out: Path = Path("out/desk"),
    samples: Path | None = None,
    origin: str | None = None,
    host: str = "127.0.0.1",
    port: int = PORT,
) -> int:
    """Make the demonstration and serve it until it is stopped."""
    from dubgate.service.demo import demo_desk

    listening = listen(host, port)
    origin = origin or f"http://localhost:{port_of(listening)}"
    hears = importlib.util.find_spec("torch") is not None
    click.echo("Making a registry and enrolling the sample voices…" if hears else "Making a registry (no audio extra)…")
    made = demo_desk(out, origin=origin, samples=samples, hears=hears, say=lambda line: click.echo(f"  {line}"))
    click.echo("Sign-in links, each works once:")
    _say_links(made.links)
    if sys.stdin is not None and sys.stdin.isatty():
        click.echo("Press Enter for fresh links.")
        threading.Thread(target=_fresh_links, args=(made,), daemon=True).start()
    if hears:
        click.echo("Judging the deliveries behind the desk; requests appear in it as each is done (Ctrl-C ends it):")
        made.behind.start()
    try:
        _run(made.app, listening)
    finally:
        made.close()
    return 0


def _say_links(links: tuple[tuple[str, str], ...]) -> None:
    for role, link in links:
        click.echo(f"  {role:<38} {link}")


def _fresh_links(made: Demo) -> None:
    """Links for whoever closed the browser before there was a passkey, at each Enter."""
    for _ in sys.stdin:
        _say_links(made.fresh_links())


def _serve(
    location: str,
    key_file: Path | None,
    tables: str | None,
    outbox: Path | None,
    origin: str | None,
    host: str,
    port: int,
    invite: tuple[str, str] | None,
) -> int:
    from consent.registry import Registry
    from consent.web.accounts import invite as send_invitation
    from consent.web.app import create_desk
    from consent.web.settings import DeskSettings
    from consent.web.watching import watch_behind
    from dubgate.cli.registry_options import open_registry

    beside = Path(location) if "://" not in location else Path("desk")
    listening = None if invite is not None else listen(host, port)
    reached = origin or f"http://localhost:{port if listening is None else port_of(listening)}"
    settings = DeskSettings(
        origin=reached, tables=tables or f"{beside}.desk.db", outbox=outbox or Path(f"{beside}.outbox")
    )
    registry: Registry = open_registry(location, key_file)
    app = create_desk(registry, settings)
    try:
        if invite is not None:
            click.echo(send_invitation(app.state.desk, *invite))
        if listening is not None:
            watch_behind(app.state.desk)
            click.echo(f"The review desk: {reached} (Ctrl-C ends it)")
            _run(app, listening)
    finally:
        app.state.desk.tables.close()
        registry.close()
    return 0


def _run(app: object, listening: socket) -> None:
    import uvicorn

    config = uvicorn.Config(app, log_level="warning", server_header=False)  # type: ignore[arg-type]
    with served_until_asked():
        uvicorn.Server(config).run(sockets=[listening])
