"""`dubgate desk`: the review desk in the browser, over a registry; with --demo over the samples."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import click

from dubgate.cli.interrupted import served_until_asked

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
@click.option("--port", default=8137, show_default=True, help="Port to listen on.")
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
    reached = origin or f"http://localhost:{port}"
    if demo:
        return demo_served(out, samples, reached, host, port)
    if location is None:
        raise click.UsageError("name a registry (--registry), or --demo")
    return _serve(location, key_file, tables, outbox, reached, host, port, invite)


def demo_served(out: Path, samples: Path | None, origin: str, host: str, port: int) -> int:
    """Make the demonstration and serve it until it is stopped."""
    from dubgate.service.demo import demo_desk

    hears = importlib.util.find_spec("torch") is not None
    click.echo("Making a registry and enrolling the sample voices…" if hears else "Making a registry (no audio extra)…")
    made = demo_desk(out, origin=origin, samples=samples, hears=hears, say=lambda line: click.echo(f"  {line}"))
    click.echo("Sign-in links, each works once:")
    for role, link in made.links:
        click.echo(f"  {role:<38} {link}")
    if hears:
        click.echo("Judging the deliveries behind the desk; requests appear in it as each is done (Ctrl-C ends it):")
        made.behind.start()
    try:
        _run(made.app, host, port)
    finally:
        made.close()
    return 0


def _serve(
    location: str,
    key_file: Path | None,
    tables: str | None,
    outbox: Path | None,
    origin: str,
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
    settings = DeskSettings(
        origin=origin, tables=tables or f"{beside}.desk.db", outbox=outbox or Path(f"{beside}.outbox")
    )
    registry: Registry = open_registry(location, key_file)
    app = create_desk(registry, settings)
    try:
        if invite is not None:
            click.echo(send_invitation(app.state.desk, *invite))
        else:
            watch_behind(app.state.desk)
            _run(app, host, port)
    finally:
        app.state.desk.tables.close()
        registry.close()
    return 0


def _run(app: object, host: str, port: int) -> None:
    import uvicorn

    with served_until_asked():
        uvicorn.run(app, host=host, port=port, log_level="warning", server_header=False)  # type: ignore[arg-type]
