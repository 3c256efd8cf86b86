"""Real Chromium with a virtual authenticator, over a desk that is served for it."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from world import World, make_world

from consent.web import accounts

AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@contextmanager
def chromium() -> Iterator[Any]:
    """The browser; skips where there is none."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="no playwright")
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no Chromium on this machine")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def answering(app: Any, port: int) -> Iterator[None]:
    """An application that answers on localhost."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield
    server.should_exit = True
    thread.join(10)


@contextmanager
def served(folder: Path, **how: Any) -> Iterator[World]:
    """A world whose desk answers on localhost."""
    port = free_port()
    world = make_world(folder, f"http://localhost:{port}", **how)
    with answering(world.app, port):
        yield world
    world.desk.tables.close()
    world.registry.close()


@dataclass
class Person:
    """Somebody at a browser of their own."""

    world: World
    page: Any
    context: Any
    complaints: list[str]

    def go(self, path: str) -> None:
        self.page.goto(f"{self.world.desk.settings.origin}{path}")

    @property
    def path(self) -> str:
        return str(self.page.url).removeprefix(self.world.desk.settings.origin)


@contextmanager
def person(browser: Any, world: World, party: str, *, passkey: bool = True, **options: Any) -> Iterator[Person]:
    """Somebody from a fresh start: an invitation, its button, and (unless told otherwise) a passkey, recovery codes."""
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
    page, complaints = context.new_page(), []
    page.set_default_timeout(10_000)
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda e: complaints.append(str(e)))
    session = context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    page.goto(accounts.invite(world.desk, party, f"{party}@example.org"))
    page.click("main button")
    page.wait_for_url("**/security")
    if passkey:
        page.click("main form[data-passkey] button")
        page.wait_for_url("**said=passkey_added")
        page.click("form[action='/security/codes'] button")
        page.wait_for_selector(".codes li")
    yield Person(world, page, context, complaints)
    context.close()
