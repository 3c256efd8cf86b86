"""A service over a real registry with real keys, and a worker whose ears are made up; everything else is the product's."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient
from made_certificate import AT, VERIFIER, Place, make_place
from made_delivery import dub_voices, features

from consent.parties import Party
from consent.registry import Registry
from consent.vocabulary import Role
from dubgate.certificate.dsse import public_of, signer_of
from dubgate.certificate.keys import trust_store_bytes
from dubgate.delivery.manifest import load_delivery
from dubgate.judgement import Judgement
from dubgate.judging_again import Judged
from dubgate.release import CheckRequest
from dubgate.service.app import create_service
from dubgate.service.database import open_database
from dubgate.service.own_key import own_key
from dubgate.service.settings import Settings
from dubgate.service.state import State
from dubgate.service.tokens import issue
from dubgate.service.working import Worker


def nothing(stage: str) -> None:
    """A look at a stage that sees nothing."""


@dataclass
class Clock:
    """A clock that a test moves."""

    now: datetime = AT

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass
class House:
    """A place, its settings, and the judgements that made-up ears give."""

    place: Place
    folder: Path
    settings: Settings
    right: Judgement
    clock: Clock = field(default_factory=Clock)
    tokens: dict[Any, str] = field(default_factory=dict)

    @property
    def manifest(self) -> Path:
        return self.place.world.delivery.root / "delivery.yaml"

    @property
    def registry(self) -> str:
        return str(self.place.world.registry)

    def copied(self, folder: Path) -> House:
        place = self.place.copied(folder)
        return House(place, folder, settings_of(place, folder), self.right, tokens=dict(self.tokens))

    def worker(
        self,
        name: str = "w1",
        *,
        judgement: Judgement | None = None,
        reached: Callable[[str], None] = nothing,
        **more: Any,
    ) -> Worker:
        """A worker that hears nothing and judges as it is told; it signs and records for real."""
        judged = judgement or self.right

        def hear(request: CheckRequest, *, at: datetime, progress: Callable[[str, float], None], **_: Any) -> Judged:
            progress("hearing", 0.5)
            own = request.manifest == self.manifest
            delivery = self.place.world.delivery if own else load_delivery(request.manifest)
            return Judged(delivery, replace(judged, judged_at=at), heard_again=True)

        engine, own = open_database(self.settings.registry), own_key(self.settings.own_key_file)
        asked = {
            "hear": hear,
            "render": lambda judged: {"report.json": b"{}", "report.html": b"<p>"},
            "clock": self.clock,
        }
        return Worker(self.settings, engine, own, self.place.gate(), name, reached=reached, **(asked | more))

    def blocked(self) -> Judgement:
        """The judgement of a dub with somebody else's voice."""
        return self.place.world.judged(at=AT, heard=features(dub_voices({"MARA": 12})))

    def token(self, party: str, *scopes: str, asks_for: tuple[str, ...] = (), days: int = 30) -> str:
        open_database(self.registry).dispose()
        with Registry.open(self.registry, clock=self.clock) as registry:
            return issue(registry, party=party, scopes=scopes, by="op-1", asks_for=asks_for, days=days).token

    @contextmanager
    def api(self, **how: Any) -> Iterator[Api]:
        """The application, as a client in the same process."""
        settings = self.settings.model_copy(update=how)
        app = create_service(settings, clock=self.clock, node="test")
        with TestClient(app, raise_server_exceptions=False, base_url="http://testserver") as client:
            yield Api(self, client, app.state.service, self.tokens)

    def digest(self) -> str:
        """The published file's."""
        from dubgate.delivery.formats import file_sha256

        return file_sha256(self.place.file)


@dataclass
class Api:
    """A client with tokens."""

    house: House
    client: TestClient
    state: State
    tokens: dict[Any, str] = field(default_factory=dict)

    def as_(self, party: str, *scopes: str, asks_for: tuple[str, ...] = ()) -> dict[str, str]:
        """The header of a token, made at its first use."""
        key = (party, scopes, asks_for)
        if key not in self.tokens:
            self.tokens[key] = self.house.token(party, *scopes, asks_for=asks_for)
        return {"authorization": f"Bearer {self.tokens[key]}"}

    @property
    def vendor(self) -> dict[str, str]:
        return self.as_("polyglot", "submit", "read")

    @property
    def pipeline(self) -> dict[str, str]:
        return self.as_("op-2", "read", asks_for=("polyglot",))

    def submit(self, **how: Any) -> str:
        """Submit the delivery; the job's id."""
        answer = self.client.post("/v1/deliveries", json={"path": str(self.house.manifest)}, headers=self.vendor | how)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["job_id"])

    def job(self, job_id: str) -> dict[str, Any]:
        return dict(self.client.get(f"/v1/jobs/{job_id}", headers=self.vendor).json())

    def released(self) -> dict[str, Any]:
        """The job of the right delivery, submitted and judged."""
        job_id = self.submit()
        assert self.house.worker().step()
        job = self.job(job_id)
        assert job["decision"] == "release", job
        return job

    def ask(self, digest: str | None = None, *, headers: dict[str, str] | None = None, **use: Any) -> Any:
        """may-publish, for a use that the right delivery is released for unless told otherwise."""
        asked = {
            "digest": digest or self.house.digest(),
            "territory": "DE",
            "channel": "svod",
            "language": "en",
            "at": "now",
        }
        params = {k: v for k, v in (asked | use).items() if v is not None}
        return self.client.get("/v1/may-publish", params=params, headers=headers or self.pipeline)


def settings_of(place: Place, folder: Path, **more: Any) -> Settings:
    """Settings for a place."""
    trust = folder / "trust.json"
    trust.write_bytes(trust_store_bytes(place.trust, signer_of(place.keys.root)))
    told: dict[str, Any] = {
        "registry": str(place.world.registry),
        "data": folder / "data",
        "roots": ({"organisation": "polyglot", "path": folder / "delivery"},),
        "trust": {"store": trust, "root": public_of(place.keys.root).public_hex},
        "packs": (str(folder / "house.yaml"),),
        "jobs": {"backoff_seconds": 0.0},
    }
    return Settings.model_validate(told | more)


def make_house(folder: Path) -> House:
    """Everything, made anew."""
    place = make_place(folder)
    with Registry.open(place.world.registry, clock=lambda: AT - timedelta(days=5)) as registry:
        registry.add(Party(party_id="other-house", roles=(Role.DUBBING_VENDOR,), person=False))
    return House(place, folder, settings_of(place, folder), place.judged())


__all__ = ["AT", "VERIFIER", "Api", "Clock", "House", "make_house", "settings_of", "threading"]
