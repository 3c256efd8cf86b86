"""The review desk over a delivery of made-up voices, with people who have passkeys; what they sign decides for real."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from sqlalchemy import insert
from starlette.testclient import TestClient

TESTS = Path(__file__).resolve().parents[1]
for place in ("consent", "web"):
    if str(TESTS / place) not in sys.path:
        sys.path.insert(0, str(TESTS / place))

from made_certificate import AT, Place  # noqa: E402
from made_delivery import SOUNDS, features  # noqa: E402
from made_passkey import MadePasskey, base64url  # noqa: E402
from world import Visit  # noqa: E402

from consent.approvals import Approval, Candidate  # noqa: E402
from consent.parties import Party, PartyKey  # noqa: E402
from consent.registry import Registry  # noqa: E402
from consent.requests import Request, RequestKind, Wanted  # noqa: E402
from consent.vocabulary import Role  # noqa: E402
from consent.web import accounts, sessions  # noqa: E402
from consent.web.app import create_desk  # noqa: E402
from consent.web.desk import Desk  # noqa: E402
from consent.web.rows import CREDENTIAL  # noqa: E402
from consent.web.settings import DeskSettings  # noqa: E402
from dubgate.certificate.dsse import strict_json  # noqa: E402
from dubgate.certifying import Certified  # noqa: E402
from dubgate.delivery.manifest import load_delivery  # noqa: E402
from dubgate.features import ProgrammeFeatures  # noqa: E402
from dubgate.judgement import Judgement  # noqa: E402
from dubgate.judging_again import Judged  # noqa: E402
from dubgate.service.desk_judge import DeskDeliveries  # noqa: E402

BEFORE = AT - timedelta(hours=1)  # when people decide: an hour before it is certified
PEOPLE: dict[str, tuple[tuple[Role, ...], str | None]] = {
    "kestrel-desk": ((Role.RIGHTS_HOLDER,), "kestrel"),
    "creative": ((Role.CREATIVE_LEAD,), "kestrel"),
    "supervisor": ((Role.LOCALIZATION_SUPERVISOR,), "kestrel"),
    "ear": ((Role.REVIEWER,), "kestrel"),
}


def stated(envelope: bytes) -> Approval:
    """The approval in an envelope."""
    import base64
    import json

    payload = base64.b64decode(strict_json(envelope, "envelope")["payload"])  # type: ignore[index]
    said = json.loads(payload)["predicate"]
    said.pop("schema")
    return Approval.model_validate_json(json.dumps(said))


def asked_for(approval: Approval) -> Candidate:
    """What a request asks about, where exactly this would approve it."""
    [sound] = approval.sounds
    said = approval.model_dump(include=set(Candidate.model_fields) & set(Approval.model_fields))
    more = {"title_ids": (approval.title_id,), "submitted_by": "polyglot", "window": approval.window}
    return Candidate(**(said | more), packets_sha256=sound.packets_sha256, pcm_sha256=sound.pcm_sha256)


@dataclass
class Desked:
    """A place, the desk over it, and who is at the desk; `heard` is what the ears of the gate hear, and how it is judged."""

    place: Place
    registry: Registry
    gate: DeskDeliveries
    app: Any
    now: list[datetime]
    heard: ProgrammeFeatures = field(default_factory=features)
    judge: dict[str, Any] = field(default_factory=dict)
    made: dict[str, Visit] = field(default_factory=dict)

    @property
    def desk(self) -> Desk:
        desk: Desk = self.app.state.desk
        return desk

    @property
    def manifest(self) -> Path:
        return self.place.world.delivery.root / "delivery.yaml"

    def judged(self, at: datetime) -> Judgement:
        """The delivery as it lies there, judged at a moment."""
        delivery = load_delivery(self.manifest)
        return self.place.world.judged(delivery=delivery, heard=self.heard, at=at, **self.judge)

    def decision(self) -> str:
        """What the gate decides now."""
        return self.gate.judge("d-1").decision

    def outcome(self, rule: str) -> set[str]:
        """What the last judgement says under a rule."""
        last = self.gate.last("d-1")
        assert last is not None
        return {f.outcome for f in last.findings if f.rule == rule}

    def open_findings(self, rule: str) -> list[str]:
        """The findings of a rule that a person may answer, by their keys."""
        last = self.gate.last("d-1")
        assert last is not None
        return [f.key for f in last.findings if f.rule == rule and f.answers]

    def visit(self, party: str) -> Visit:
        """Somebody with a passkey and codes, at a browser without script."""
        if party not in self.made:
            key = MadePasskey(credential_id=f"credential-{party}".encode())
            self.registry.add(_key(party, key))
            account = accounts.add_account(self.desk, party, f"{party}@example.org")
            _keep(self.desk, account.account_id, key)
            origin = self.desk.settings.origin
            client = TestClient(self.app, base_url=origin, headers={"origin": origin}, follow_redirects=False)
            client.cookies.set(sessions.COOKIE, sessions.start(self.desk, account.account_id, "passkey"))
            self.made[party] = Visit(None, client, account, key)  # type: ignore[arg-type]
        return self.made[party]

    def certified(self, folder: Path) -> Certified:
        """The certificate of what the gate decides at AT, whatever it is."""
        return self.place.certified(folder, self.judged(AT))


def _key(party: str, key: MadePasskey) -> PartyKey:
    roles = PEOPLE[party][0] if party in PEOPLE else (Role.PERFORMER,)
    term = {"not_before": BEFORE - timedelta(days=1), "not_after": AT + timedelta(days=400)}
    return PartyKey(key_id=f"pk-{party}", party_id=party, passkey=key.registered(), roles=roles, **term)


def _keep(desk: Desk, account_id: str, key: MadePasskey) -> None:
    own = {"credential_id": base64url(key.credential_id), "account_id": account_id, "public_key": key.cose}
    more = {"sign_count": 0, "name": "test", "created_at": BEFORE.isoformat()}
    desk.tables.run(insert(CREDENTIAL).values(**own, **more))
    accounts.new_codes(desk, account_id)


@contextmanager
def desked(place: Place, origin: str = "https://desk.example.org") -> Iterator[Desked]:
    """The desk over a place whose delivery nobody has approved yet; its rights holder is asked in `rq-1`."""
    world, now = place.world, [BEFORE]
    evidence = world.delivery.root / "evidence" / "approval.json"
    asked = asked_for(stated(world.approval(sounds=SOUNDS)))
    evidence.unlink()

    def clock() -> datetime:
        return now[0]

    packs = (str(world.folder / "house.yaml"),)
    gate = DeskDeliveries(
        lambda: {"d-1": world.delivery.root / "delivery.yaml"}, str(world.registry), packs=packs, clock=clock
    )
    settings = DeskSettings(origin=origin, tables=str(world.folder / "desk.db"), outbox=world.folder / "outbox")
    with Registry.open(world.registry, clock=clock) as registry:
        registry.add(
            *(Party(party_id=p, roles=r, person=True, organisation_id=h) for p, (r, h) in PEOPLE.items()), _asked(asked)
        )
        app = create_desk(registry, settings, judge=gate, clock=clock)
        made = Desked(place, registry, gate, app, now)
        with patch("dubgate.service.desk_judge.judge_again", _again(made)):
            yield made
        app.state.desk.tables.close()


def _asked(candidate: Candidate) -> Request:
    wanted = Wanted(what=RequestKind.APPROVAL, rule="RH-001", about="programme", question="Do you approve this sound?")
    said = {"release": candidate, "wanted": (wanted,), "asked_by": "polyglot", "to": "kestrel"}
    return Request(request_id="rq-1", asked_at=BEFORE, expires_at=BEFORE + timedelta(days=14), **said)


def _again(made: Desked) -> Callable[..., Judged]:
    def again(request: Any, *, at: datetime, progress: Any) -> Judged:
        delivery = load_delivery(made.manifest)
        return Judged(delivery, made.judged(at), heard_again=False)

    return again


__all__ = ["AT", "BEFORE", "Desked", "desked", "stated"]
