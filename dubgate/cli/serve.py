"""`dubgate serve` and `dubgate worker`: the HTTP API, and what judges the deliveries that come through it."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dubgate.cli.interrupted import served_until_asked
from dubgate.cli.ports import listen, port_of
from dubgate.cli.registry_options import errors_told

if TYPE_CHECKING:
    from dubgate.certifying import Gate
    from dubgate.service.settings import Settings

FILE = click.Path(path_type=Path)
CONFIG = click.option(
    "--config",
    type=FILE,
    envvar="DUBGATE_SERVICE_CONFIG",
    help="Settings in YAML or TOML.  [env: DUBGATE_SERVICE_CONFIG]",
)
COMPANY = click.option(
    "--company",
    type=FILE,
    help="The company's folder: register of tools, and what must never be AI. Stronger than the setting `company`, and that than DUBGATE_COMPANY.",
)
SETTINGS = """\b
Settings (schema service/1.0; each also as DUBGATE_SERVICE_NAME in the environment, lists and mappings as JSON):
  registry: consent.db              # or postgresql://…, then several machines may serve and work
  data: /var/lib/dubgate            # uploads, the log of reads, the service's own key
  keys: {gate: gate.pem, ledger: ledger.pem, party: op-1}
  trust: {store: trust.json, root: 64 hex digits}
  roots: [{organisation: polyglot, path: /srv/deliveries/polyglot}]
  sources: [{organisation: polyglot, prefix: s3://dubs/polyglot/}]   # where its deliveries may be fetched from
  company: /srv/company             # register of tools, and what must never be AI; --company is stronger
  keep_uploads_hours: 168           # after the last job of an upload ended; the worker deletes it
  limits: {requests_per_minute: 60000, writes_per_minute: 600}       # rates count in each process: n servers, n times
  desk: {origin: https://desk.example.com, tables: desk.db, outbox: /var/lib/dubgate/outbox}
"""
SERVE = f"""\b
Examples:
  dubgate serve --config service.yaml
  dubgate serve --config service.yaml --show            # what is in force, without secrets
  DUBGATE_SERVICE_PORT=9000 dubgate serve --config service.yaml
  dubgate serve --openapi > openapi.json
  dubgate serve --demo --port 9137                      # the review desk over the samples

{SETTINGS}"""
WORK = f"""\b
Examples:
  dubgate worker --config service.yaml                  # until SIGTERM; start one for each GPU or two cores
  dubgate worker --config service.yaml --once           # do what waits, and end

{SETTINGS}"""


@click.command(epilog=SERVE)
@CONFIG
@COMPANY
@click.option("--show", is_flag=True, help="Print the settings in force, without secrets, and end.")
@click.option("--openapi", is_flag=True, help="Print the API's OpenAPI description, and end.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help="Port to listen on; 0 takes any that is free. Stronger than the setting `port` (8080; with --demo 8137).",
)
@click.option(
    "--demo",
    is_flag=True,
    help="The review desk over the samples, in out/desk, with a sign-in link for each role; elsewhere: dubgate desk --demo --out.",
)
def serve(config: Path | None, company: Path | None, show: bool, openapi: bool, port: int | None, demo: bool) -> int:
    """Serve the HTTP API, and the review desk below /desk where it is configured.

    Runs no model and opens no media: deliveries are judged by `dubgate worker`. Put it behind TLS.
    """
    if demo:
        from dubgate.cli.desk import PORT, demo_served

        return demo_served(port=PORT if port is None else port)
    from dubgate.service.logs import LOGGER, to_stderr

    settings = _settings(config, company)
    if port is not None:
        settings = settings.model_copy(update={"port": port})
    if show:
        click.echo(json.dumps(settings.summary(), indent=1))
        return 0
    from dubgate.service.app import create_service
    from dubgate.service.server import server_of

    to_stderr()
    with errors_told():
        app = create_service(settings)
    if openapi:
        click.echo(json.dumps(app.openapi(), indent=1, ensure_ascii=False))
        return 0
    listening = listen(settings.host, settings.port, how="--port N, or `port` in the settings")
    address = f"{settings.host}:{port_of(listening)}"
    LOGGER.info("serving", extra={"address": address, "settings": settings.summary()})
    if gone := missing_files(settings):
        LOGGER.warning(
            "files that the settings name are not on this machine: its workers need them", extra={"missing": gone}
        )
    if settings.desk is not None:
        from consent.web.watching import watch_behind

        watch_behind(app.state.review_desk.state.desk)
    with _reads_digested(app.state.service, settings), served_until_asked():
        server_of(app, settings).run(sockets=[listening])
    return 0


class _reads_digested:
    """Once a minute the digest of the log of reads enters the ledger."""

    def __init__(self, state: Any, settings: Settings) -> None:
        self.state, self.settings, self.over = state, settings, threading.Event()

    def __enter__(self) -> None:
        if self.settings.keys is not None:
            threading.Thread(target=self._run, args=(self.settings.keys.party,), daemon=True).start()

    def _run(self, party: str) -> None:
        from dubgate.service.reads import digest_quietly

        while True:
            digest_quietly(self.state.reads, self.state.registry, party)
            if self.over.wait(30):
                return

    def __exit__(self, *_: object) -> None:
        self.over.set()


@click.command(epilog=WORK)
@CONFIG
@COMPANY
@click.option("--once", is_flag=True, help="Do the jobs that wait, and end.")
@click.option("--name", help="The worker's name in logs and leases. Default: host and process.")
def worker(config: Path | None, company: Path | None, once: bool, name: str | None) -> int:
    """Judge the deliveries that were submitted: one at a time, each decision once, whatever crashes in between.

    Media are opened in a child process without keys or network. Also sends webhooks, renews and warns.
    """
    from dubgate.service.logs import LOGGER, to_stderr

    settings = _settings(config, company)
    to_stderr()
    with errors_told():
        gate = _gate(settings)
        LOGGER.info("working", extra={"settings": settings.summary()})
        _work(settings, gate, name or f"{socket.gethostname()}-{os.getpid()}", once=once)
    return 0


def missing_files(settings: Settings) -> list[str]:
    """The keys and trust store that the settings name and that are not here; an API alone needs no key."""
    own, trust = settings.keys, settings.trust
    named = [*([own.gate, own.ledger] if own is not None else []), *([trust.store] if trust is not None else [])]
    return [str(path) for path in named if not path.exists()]


def _settings(config: Path | None, company: Path | None) -> Settings:
    """The settings in force; `--company` is stronger than their own `company`.

    Raises:
        InputError: they are wrong, or there is no such company folder.
    """
    from dubgate.company.folder import read_company
    from dubgate.service.settings import read_settings

    settings = read_settings(
        config, {**os.environ, **({} if company is None else {"DUBGATE_SERVICE_COMPANY": str(company.absolute())})}
    )
    if settings.company is not None:
        read_company(settings.company)  # at the start, not in the middle of a job
    return settings


def _gate(settings: Settings) -> Gate | None:
    """With what is signed; None where the settings name no keys, and then nothing is certified."""
    if settings.keys is None:
        return None
    from dubgate.cli.certify_options import gate_of

    own = settings.keys
    return gate_of(certify=True, key=own.gate, ledger_key=own.ledger, party=own.party, verifier=own.verifier, at=None)


def _work(settings: Settings, gate: Gate | None, name: str, *, once: bool) -> None:
    from consent.registry import Registry
    from dubgate.service.chores import Chores
    from dubgate.service.database import open_database
    from dubgate.service.own_key import own_key
    from dubgate.service.trusting import TrustFile
    from dubgate.service.warning import Warnings
    from dubgate.service.working import Worker

    own, engine = own_key(settings.own_key_file), open_database(settings.registry)
    worker = Worker(settings, engine, own, gate, name, interrupt=_interrupt)
    trust = None
    if settings.trust is not None:
        trust = TrustFile(settings.trust, settings.trust.seen or settings.data / "trust-seen.json")
    with Registry.open(settings.registry) as registry:
        chores = Chores(worker, registry, trust, Warnings(engine, own, settings))
        _on_signals(worker)
        thread = None if once else chores.start()
        while not worker.stopping.is_set():
            if not worker.step():
                if once:
                    chores.once()
                    return
                worker.stopping.wait(1.0)
        if thread is not None:
            thread.join(10)


def _interrupt() -> None:
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)


def _on_signals(worker: Any) -> None:
    """SIGTERM puts the running job back; SIGUSR1 is the worker's own, for a job that nobody wants any more."""
    for kind in (signal.SIGTERM, signal.SIGINT):
        signal.signal(kind, lambda *_: worker.stop())
    signal.signal(signal.SIGUSR1, lambda *_: worker.interrupted())
