"""A small world for the desk: a registry with everybody in it, a gate that answers from memory, and visitors with passkeys."""

from __future__ import annotations

import atexit
import base64
import hashlib
import html
import json
import re
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import insert
from starlette.testclient import TestClient

from consent.approvals import Candidate
from consent.dsse import PAYLOAD_TYPE, pre_authentication_encoding
from consent.errors import SignatureError
from consent.events import Event
from consent.parties import Party, PartyKey, Personal, dsse_keyid
from consent.passkey_signing import to_sign
from consent.registry import Registry
from consent.requests import Request, RequestKind, Wanted
from consent.signatures import SIGNED_KINDS, author_of
from consent.strict import Record, Window
from consent.terms import Evidence, Grant
from consent.titles import Claim, Title
from consent.views import View
from consent.vocabulary import (
    Channel,
    EventKind,
    EvidenceKind,
    LegalBasis,
    Level,
    Performance,
    PermissionKind,
    Right,
    Role,
    Subject,
    Technique,
)
from consent.voices import Enrolment, Permission, Voice
from consent.web import accounts, sessions
from consent.web.accounts import Account
from consent.web.app import create_desk
from consent.web.desk import Desk
from consent.web.protocols import (
    Answer,
    CannotAnswerError,
    Casting,
    Clip,
    Curves,
    Dossier,
    Finding,
    Judged,
    Line,
    Lines,
    SoundFile,
    Summary,
    Which,
)
from consent.web.rows import CREDENTIAL
from consent.web.settings import DeskSettings
from consent.writing import Addition

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "consent"))
from made_passkey import MadePasskey, base64url

ORIGIN = "https://desk.example.org"
START = datetime(2026, 11, 20, 12, tzinfo=UTC)
SOUND, OTHER_SOUND = "a" * 64, "b" * 64
LABEL_PLAN = b'{"text":"English [AI]"}'
CASTING = b'[{"character":"MARA","voice":"v-ada"}]'
PROOF = Evidence(kind=EvidenceKind.CONTRACT, sha256="c" * 64)
WINDOW = Window(start=datetime(2026, 12, 1, tzinfo=UTC), end=datetime(2027, 6, 1, tzinfo=UTC))

PEOPLE: tuple[tuple[str, tuple[Role, ...], str | None], ...] = (
    ("studio", (Role.RIGHTS_HOLDER,), None),
    ("hana", (Role.RIGHTS_HOLDER, Role.LEGAL), "studio"),
    ("rival", (Role.RIGHTS_HOLDER,), None),
    ("ada", (Role.PERFORMER,), None),
    ("berta", (Role.PERFORMER,), None),
    ("agnes", (Role.AGENT,), None),
    ("polyglot", (Role.DUBBING_VENDOR,), None),
    ("rev-a", (Role.REVIEWER,), "studio"),
    ("rev-b", (Role.REVIEWER, Role.CREATIVE_LEAD), "outside"),
    ("rev-v", (Role.REVIEWER,), "polyglot"),
    ("outside", (Role.REVIEWER,), None),
    ("op-1", (Role.OPERATOR,), None),
    ("op-2", (Role.OPERATOR,), None),
)


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def candidate(sound: str = SOUND, title: str = "moon", **changes: Any) -> Candidate:
    said: dict[str, Any] = {
        "title_ids": (title,),
        "language": "en",
        "territories": ("DE", "AT", "JP"),
        "channels": (Channel.SVOD,),
        "window": WINDOW,
        "partners": ("netflix",),
        "style": "lipsync",
        "packets_sha256": sound,
        "label_plan_sha256": digest(LABEL_PLAN),
        "script_sha256": "d" * 64,
        "original_sha256": "e" * 64,
        "casting_sha256": digest(CASTING),
        "submitted_by": "polyglot",
    }
    return Candidate(**(said | changes))


def request(number: str, to: str = "studio", *, sound: str = SOUND, at: datetime = START, **more: Any) -> Request:
    wanted = Wanted(what=RequestKind.APPROVAL, rule="RH-001", about="programme", question="Do you approve this sound?")
    said: dict[str, Any] = {"release": candidate(sound), "wanted": (wanted,), "asked_by": "polyglot"}
    return Request(request_id=number, to=to, asked_at=at, expires_at=at + timedelta(days=14), **(said | more))


def grant(number: str, voice: str = "v-ada", by: str = "ada", **changes: Any) -> Grant:
    said: dict[str, Any] = {
        "licensee_id": "polyglot",
        "title_ids": ("moon",),
        "intended_use": "An AI dub into English of the named film, from the performer's own recordings.",
        "techniques": (Technique.VOICE_CLONE_TTS,),
        "performances": (Performance.NEW,),
        "languages": ("en",),
        "territories": ("001",),
        "channels": (Channel.SVOD, Channel.AVOD),
        "not_before": datetime(2026, 1, 1, tzinfo=UTC),
        "not_after": datetime(2027, 12, 31, tzinfo=UTC),
        "evidence": (PROOF,),
    }
    return Grant(grant_id=number, voice_id=voice, granted_by=by, **(said | changes))


def _event(number: str, target: str, target_id: str, kind: EventKind, by: str, at: datetime) -> Event:
    said = {"event_id": number, "target": target, "target_id": target_id, "kind": kind, "effective_at": at, "by": by}
    return Event.model_validate(said)


def _title(number: str, name: str, holder: str) -> tuple[Title, Claim]:
    claim = Claim(
        claim_id=f"c-{number}",
        title_id=number,
        holder_ids=(holder,),
        right=Right.AI_DUB,
        territories=("001",),
        not_before=datetime(2020, 1, 1, tzinfo=UTC),
        recorded_by="op-1",
        confirmed_by="op-2",
        evidence=(PROOF,),
    )
    return Title(title_id=number, level=Level.FEATURE, name=name), claim


def _voice(number: str, owner: str, agent: tuple[str, ...] = ()) -> list[Addition]:
    voice = Voice(voice_id=number, subject=Subject.LIVING, owner_id=owner, agent_ids=agent)
    term = {"not_before": datetime(2026, 1, 1, tzinfo=UTC), "not_after": datetime(2028, 1, 1, tzinfo=UTC)}
    given = [
        Permission(
            permission_id=f"pm-{number}-{kind}",
            voice_id=number,
            kind=kind,
            given_by=owner,
            legal_basis=LegalBasis.GDPR_EXPLICIT_CONSENT,
            **term,
        )
        for kind in (PermissionKind.MATCH, PermissionKind.KEEP)
    ]
    return [Addition(voice), *(Addition(p) for p in given)]


def _private(party: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(party.encode()).digest())


def _own_key(party: str, roles: tuple[Role, ...]) -> PartyKey:
    public = _private(party).public_key().public_bytes_raw().hex()
    term = {"not_before": datetime(2026, 1, 1, tzinfo=UTC), "not_after": START + timedelta(days=900)}
    return PartyKey(key_id=f"ed-{party}", party_id=party, public_hex=public, roles=roles, **term)


def _signed(record: Record) -> Addition:
    """A record in its author's own envelope, signed with the key that each party has in a registry that wants it."""
    author = author_of(record)
    assert author is not None
    payload = to_sign(record).payload
    signature = _private(author[0]).sign(pre_authentication_encoding(payload))
    keyid = dsse_keyid(_private(author[0]).public_key().public_bytes_raw().hex())
    entry = {"keyid": keyid, "sig": base64.b64encode(signature).decode()}
    said = {"payload": base64.b64encode(payload).decode(), "payloadType": PAYLOAD_TYPE, "signatures": [entry]}
    return Addition(record, envelope=json.dumps(said))


def fill(registry: Registry, *, signed: bool = False) -> None:
    """Everybody and everything; with `signed`, what people say in the envelopes that they signed."""

    def add(*records: Record | Addition) -> None:
        plain = [r.record if isinstance(r, Addition) else r for r in records]
        to_be = signed and all(isinstance(r, SIGNED_KINDS) for r in plain)
        registry.add(*(_signed(r) for r in plain) if to_be else records)

    organisations = {"outside", "studio", "rival", "polyglot"}
    ordered = sorted(PEOPLE, key=lambda p: p[2] is not None)
    for number, roles, house in ordered:
        party = Party(party_id=number, roles=roles, person=number not in organisations, organisation_id=house)
        add(Addition(party, personal=Personal(name=f"{number.title()} of Test")))
        if signed:
            add(_own_key(number, roles))
    add(*_title("moon", "Moon over Harbour", "studio"), *_title("tide", "<b>Tide</b>", "rival"))
    for voice, *given in (_voice("v-ada", "ada", ("agnes",)), _voice("v-berta", "berta")):
        add(voice)
        add(*given)
    at = datetime(2026, 1, 1, tzinfo=UTC)
    add(grant("g-ada"), _event("ev-1", "grant", "g-ada", EventKind.GIVEN, "ada", at))
    berta = grant("g-berta", "v-berta", "berta", title_ids=("tide",))
    add(berta, _event("ev-2", "grant", "g-berta", EventKind.GIVEN, "berta", at))
    recorded = Enrolment(
        enrolment_id="en-ada",
        voice_id="v-ada",
        encoder_sha256="f" * 64,
        dimension=4,
        speech_s=31.0,
        audio_sha256="9" * 64,
        supplied_by="polyglot",
    )
    registry.add(Addition(recorded, vector=[0.5, 0.5, 0.5, 0.5]))
    registry.add(request("rq-1"), request("rq-2", sound=OTHER_SOUND))
    registry.add(request("rq-rival", "rival", sound="8" * 64, release=candidate("8" * 64, "tide")))


class Gate:
    """A gate for tests: two deliveries with findings in memory; an answer counts when its envelope verifies."""

    def __init__(self, registry: Registry, folder: Path) -> None:
        self.registry, self.folder, self.envelopes = registry, folder, []
        summary = Summary(
            "d-1", "moon", "Moon over Harbour", "en", "polyglot", SOUND, 12.0, "hold", START, ("VOI-ONE",)
        )
        self.known = {"d-1": summary}
        self.findings: dict[str, list[Finding]] = {"d-1": [_waivable(), _attestable(), _hit(), _passed()]}

    def deliveries(self) -> Sequence[Summary]:
        return [replace(s, decision=self._decision(s.delivery_id)) for s in reversed(self.known.values())]

    def _decision(self, delivery_id: str) -> Any:
        outcomes = {f.outcome for f in self.findings[delivery_id]}
        return "block" if "block" in outcomes else "hold" if outcomes & {"hold", "unknown"} else "release"

    def dossier(self, delivery_id: str) -> Dossier | None:
        summary = next((s for s in self.deliveries() if s.delivery_id == delivery_id), None)
        if summary is None:
            return None
        cast = (Casting("MARA", "voice_clone_tts", ("v-ada",)),)
        clips = tuple(Clip(2.0 * k, 2.0 * k + 1.5, "MARA", f"Line {k} <i>", f"Zeile {k}") for k in range(5))
        return Dossier(summary, "de", "English [AI]", LABEL_PLAN, cast, CASTING, {"en": "Made with AI."}, clips)

    def of_sound(self, packets_sha256: str) -> str | None:
        return next((s.delivery_id for s in self.known.values() if s.packets_sha256 == packets_sha256), None)

    def last(self, delivery_id: str) -> Judged | None:
        found = self.findings.get(delivery_id)
        return Judged(self._decision(delivery_id), START, tuple(found)) if found is not None else None

    def judge(self, delivery_id: str) -> Judged:
        found = self.last(delivery_id)
        assert found is not None
        return found

    def draft(self, delivery_id: str, answer: Answer, *, by: str, at: datetime) -> bytes:
        said = {"schema": "answer/1.0", "by": by, "finding": answer.finding_key, "kind": answer.kind}
        predicate = {**said, "agreed": answer.agreed, "words": answer.words, "signed_at": at.isoformat()}
        statement = {"_type": "https://in-toto.io/Statement/v1", "predicateType": "urn:test", "predicate": predicate}
        return rfc8785.dumps({**statement, "subject": [{"name": "dub", "digest": {"sha256": SOUND}}]})

    def record(self, delivery_id: str, envelope: str) -> Judged:
        payload = json.loads(base64.b64decode(json.loads(envelope)["payload"]))
        self.envelopes.append(envelope)
        predicate = payload["predicate"]
        with self.registry.view() as view:
            _require_signed(view, envelope, predicate)
        if payload["predicateType"] == "urn:test":
            self._answer(delivery_id, predicate)
        return self.judge(delivery_id)

    def _answer(self, delivery_id: str, said: dict[str, Any]) -> None:
        found = self.findings[delivery_id]
        for k, finding in enumerate(found):
            if finding.key != said["finding"]:
                continue
            by = (*finding.decided_by, said["by"])
            enough = len(set(by)) >= finding.approvers
            good = "waived" if said["kind"] == "waive" else "pass" if said["agreed"] else "block"
            found[k] = replace(finding, decided_by=by, outcome=good if enough else finding.outcome)

    def lines(self, delivery_id: str, *, start: int, count: int, flagged_first: bool = True) -> Lines:
        every = [
            Line(
                f"c{k}",
                2.0 * k,
                2.0 * k + 1.5,
                "MARA",
                f"Line {k} <script>",
                f"Zeile {k}",
                "hold" if k == 3 else "pass",
            )
            for k in range(6)
        ]
        ordered = sorted(every, key=lambda x: x.outcome == "pass") if flagged_first else every
        return Lines(tuple(ordered[start : start + count]), len(every), 1)

    def curves(self, delivery_id: str, start_s: float, end_s: float) -> Curves | None:
        f0: dict[Which, tuple[float | None, ...]] = {"original": (None, 120.0, 130.0), "dub": (200.0, 210.0, None)}
        level: dict[Which, tuple[float, ...]] = {"original": (-60.0, -20.0, -30.0), "dub": (-50.0, -25.0, -22.0)}
        return Curves(start_s, end_s, f0, level)

    def sound(self, delivery_id: str, which: Which) -> SoundFile | None:
        path = self.folder / f"{which}.wav"
        path.write_bytes(_wav())
        return SoundFile(path, "audio/wav")

    def excerpt(self, delivery_id: str, which: Which, start_s: float, end_s: float) -> bytes | None:
        return b"fLaC" + b"\0" * 64


def _wav() -> bytes:
    samples = b"\0\0" * 16_000
    head = b"RIFF" + (36 + len(samples)).to_bytes(4, "little") + b"WAVEfmt " + (16).to_bytes(4, "little")
    form = (1).to_bytes(2, "little") * 2 + (16_000).to_bytes(4, "little") + (32_000).to_bytes(4, "little")
    return (
        head
        + form
        + (2).to_bytes(2, "little")
        + (16).to_bytes(2, "little")
        + b"data"
        + len(samples).to_bytes(4, "little")
        + samples
    )


def _require_signed(view: View, envelope: str, predicate: dict[str, Any]) -> None:
    from consent.dsse import pre_authentication_encoding
    from consent.passkeys import PasskeyError, assertion_in, check_assertion

    data = json.loads(envelope)
    [entry] = data["signatures"]
    holder = view.key(entry["keyid"], view.now)
    signer = predicate.get("by") or predicate.get("approvals", [{}])[0].get("by")
    if holder is None or holder.problem or holder.key.passkey is None or holder.party.party_id != signer:
        raise CannotAnswerError("no key of this signer")
    try:
        assertion = assertion_in(entry["webauthn"], base64.b64decode(entry["sig"]))
        check_assertion(
            holder.key.passkey.key, assertion, pre_authentication_encoding(base64.b64decode(data["payload"]))
        )
    except (PasskeyError, SignatureError) as error:
        raise CannotAnswerError(str(error)) from None


def _waivable() -> Finding:
    return Finding(
        "k-one", "VOI-ONE", "quality", "block", "A line is spoken by another voice.", "別の声の台詞があります。", "character",
        "MARA", "3 lines", "at most 0", "One character, one voice.", "Record the lines again.", ((6.0, 7.5),), "",
        ("waive",), 2, value_ja="3行", bound_ja="0以下", why_ja="一人の登場人物に一つの声。",
    )  # fmt: skip


def _attestable() -> Finding:
    return Finding(
        "k-lang", "TXT-LANGUAGE", "quality", "unknown", "Nobody could hear the language.", "言語を聴き取れません。", "line",
        "c3", who="reviewer", answers=("attest",), spans=((6.0, 7.5),),
    )  # fmt: skip


def _hit() -> Finding:
    return Finding(
        "k-hit", "CON-032", "consent", "hold", "MARA sounds like v-berta.", "MARAはv-bertaに似ています。", "character",
        "MARA", who="performer", answers=("attest",), voice_id="v-berta", spans=((2.5, 4.0),),
    )  # fmt: skip


def _passed() -> Finding:
    return Finding("k-loud", "LOU-PEAK", "quality", "pass", "Loud enough.", "音量は適切です。", "programme")


@dataclass
class World:
    """The registry, the desk over it, and the time, which a test moves."""

    registry: Registry
    folder: Path
    gate: Gate
    now: list[datetime]
    app: Any = None
    made: dict[str, Visit] = field(default_factory=dict)

    @property
    def desk(self) -> Desk:
        desk: Desk = self.app.state.desk
        return desk

    def later(self, **by: float) -> None:
        self.now[0] += timedelta(**by)

    def client(self) -> TestClient:
        return TestClient(self.app, base_url=ORIGIN, headers={"origin": ORIGIN}, follow_redirects=False)

    def visit(self, party: str, *, passkey: bool = True, level: str = "passkey") -> Visit:
        """Somebody who is signed in, with an account and (by default) a passkey and codes."""
        if party not in self.made:
            account = accounts.add_account(self.desk, party, f"{party}@example.org")
            key = self._passkey(account, party) if passkey else None
            self.made[party] = Visit(self, self.client(), account, key)
        visit = self.made[party]
        visit.client.cookies.set(sessions.COOKIE, sessions.start(self.desk, visit.account.account_id, level))
        return visit

    def _passkey(self, account: Account, party: str) -> MadePasskey:
        key = MadePasskey(credential_id=f"credential-of-{party}".encode())
        roles = next(roles for number, roles, _ in PEOPLE if number == party)
        self.registry.add(
            PartyKey(
                key_id=f"pk-{party}",
                party_id=party,
                passkey=key.registered(),
                roles=roles,
                not_before=START - timedelta(days=1),
                not_after=START + timedelta(days=900),
            )
        )
        self.desk.tables.run(
            insert(CREDENTIAL).values(
                credential_id=base64url(key.credential_id),
                account_id=account.account_id,
                public_key=key.cose,
                sign_count=0,
                name="test",
                created_at=START.isoformat(),
            )
        )
        accounts.new_codes(self.desk, account.account_id)
        return key

    def mails(self) -> list[str]:
        import email
        from email.policy import default

        files = sorted(self.desk.settings.outbox.glob("mail-*.eml"))
        found = [email.message_from_bytes(f.read_bytes(), policy=default) for f in files]
        return [f"{m['To']} {m['Subject']}\n{m.get_content()}".replace("\r\n", "\n") for m in found]


@dataclass
class Visit:
    """A browser without script: it reads forms, fills them in and sends them."""

    world: World
    client: TestClient
    account: Account
    key: MadePasskey | None

    def get(self, path: str, status: int = 200) -> str:
        answer = self.client.get(path)
        assert answer.status_code == status, (path, answer.status_code, answer.text[:2000])
        return answer.text

    def hidden(self, page: str) -> dict[str, str]:
        found = re.findall(r'<input type="hidden" name="(csrf|nonce)" value="([^"]*)">', page)
        return dict(reversed(found)) if found else {}

    def post(self, path: str, page: str, **fields: Any) -> Any:
        """Send a form of a page: `page` is the address on which it stands."""
        said = {**self.hidden(self.get(page)), **fields}
        return self.client.post(path, data=said)

    def send(self, path: str, page: str, status: int = 303, **fields: Any) -> str:
        """The same, and where it leads (or the page, where it does not)."""
        answer = self.post(path, page, **fields)
        assert answer.status_code == status, (path, answer.status_code, answer.text[:2500])
        return str(answer.headers.get("location", answer.text))

    def sign(self, path: str, key: MadePasskey | None = None, **changes: Any) -> Any:
        """Sign the statement of a page by passkey, as the browser's script does."""
        page = self.get(path)
        statement = html.unescape(re.search(r'<pre id="statement"[^>]*>(.*?)</pre>', page, re.S)[1])
        kind = b"application/vnd.in-toto+json"
        payload = statement.encode()
        challenge = hashlib.sha256(b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)).digest()
        options = json.loads(html.unescape(re.search(r'data-options="([^"]*)"', page)[1]))
        assert options["challenge"] == base64url(challenge)
        used = key or self.key
        assert used is not None
        answer = json.dumps(used.answer(challenge, **changes))
        return self.client.post(path, data={**self.hidden(page), "answer": answer})


@cache
def filled(signatures: bool) -> Path:
    """A folder with a registry in which everybody is, filled once for all tests of a process, with its key."""
    folder = Path(tempfile.mkdtemp(prefix="filled-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    place = folder / "registry.db"
    with Registry.open(place, create=True, clock=lambda: START, signatures_required=signatures) as registry:
        fill(registry, signed=signatures)
    return folder


def make_world(
    folder: Path,
    origin: str = ORIGIN,
    *,
    path: str = "",
    gate: bool = True,
    signatures: bool = False,
    tables: str | None = None,
) -> World:
    now = [START]
    for kept in filled(signatures).iterdir():
        shutil.copy(kept, folder / kept.name)
    registry = Registry.open(folder / "registry.db", clock=lambda: now[0])
    behind = Gate(registry, folder)
    kept = tables or str(folder / "desk.db")
    settings = DeskSettings(origin=origin, tables=kept, outbox=folder / "outbox", path=path)
    world = World(registry, folder, behind, now)
    given = behind if gate else None
    world.app = create_desk(registry, settings, judge=given, listening=given, clock=lambda: now[0])
    return world
