"""A statement taken home from the desk: verified by one command without the desk, and every way of bending it is told."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from world import START, World, make_world

from consent import ledger, taken_home
from consent.checkpoint import Checkpoint, VerifierKey, sign
from consent.dsse import PAYLOAD_TYPE, pre_authentication_encoding
from consent.entries import parse_time
from consent.errors import RecordError, SignatureError
from consent.events import Event
from consent.parties import PartyKey, dsse_keyid
from consent.passkey_signing import to_sign
from consent.registry import Registry
from consent.statement_check import Answer, Checked, _InTheFile, check_bare, check_statement
from consent.strict import canonical_json
from consent.taken_home import TakenHome, checkpoint_in, read_taken_home
from consent.vocabulary import EventKind
from consent.writing import Addition
from dubgate.cli.main import run

WITHDRAW = "/grants/g-ada/withdraw"
WORDS = "No more of my voice."


@dataclass(frozen=True)
class Taken:
    """What Ada took home, the message that she kept, and the registry as it was then."""

    world: World
    file: bytes
    message: Path
    folder: Path

    @property
    def registry(self) -> Path:
        return self.world.folder / "registry.db"

    def data(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.file)
        return found

    def read(self, data: Any = None) -> TakenHome:
        raw = self.file if data is None else json.dumps(data).encode()
        found = read_taken_home(raw, "statement.json")
        assert isinstance(found, TakenHome)
        return found

    def kept(self) -> Checkpoint:
        return self.read().head

    def verify(self, *options: str, data: Any = None, raw: bytes | None = None) -> tuple[int, str]:
        """The command's exit code and words, over the file or what somebody made of it."""
        place = self.folder / "statement.json"
        place.write_bytes(raw if raw is not None else self.file if data is None else json.dumps(data).encode())
        said = io.StringIO()
        with redirect_stdout(said), redirect_stderr(said):
            code = run(["consent", "verify", str(place), *options])
        return code, said.getvalue()


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Taken]:
    """Ada withdraws a consent by passkey, takes her statement home, and keeps the message that she got."""
    folder = tmp_path_factory.mktemp("taken")
    world = make_world(folder, signatures=True)
    ada = world.visit("ada")
    ada.sign(ada.send(WITHDRAW, WITHDRAW, sure="1", reason=WORDS))
    index = world.registry.head().size - 1
    message = folder / "message.eml"
    head = world.registry.head().body()
    message.write_text(f"From: desk@example.org\nSubject: A consent\n\nWords.\n\n-- \nLedger checkpoint:\n{head}")
    yield Taken(world, ada.get(f"/signed/{index}.json").encode(), message, folder)
    world.desk.tables.close()
    world.registry.close()


def test_with_a_message_that_was_kept_one_command_says_who_signed_what_when_and_that_the_ledger_holds_it(
    taken: Taken,
) -> None:
    code, said = taken.verify("--checkpoint", str(taken.message))
    assert code == 0, said
    assert said.startswith("HOLDS")
    for told in ("What: Consent g-ada: withdrawn", "Said by: ada", "20 Nov 2026", "passkey pk-ada", WORDS, "entry"):
        assert told in said
    assert "✗" not in said
    assert "? " not in said


def test_it_is_told_in_japanese_too(taken: Taken) -> None:
    code, said = taken.verify("--checkpoint", str(taken.message), "--lang", "ja")
    assert code == 0
    assert said.startswith("確認できました")
    assert "同意 g-ada: 撤回" in said
    assert "2026年11月20日" in said


def test_the_answer_as_data_names_every_question(taken: Taken) -> None:
    code, said = taken.verify("--checkpoint", str(taken.message), "--format", "json")
    told = json.loads(said)
    assert (code, told["answer"], told["by"], told["key_id"]) == (0, "holds", "ada", "pk-ada")
    assert [p["asks"] for p in told["points"]] == ["signature", "ledger", "checkpoint"]
    assert told["record"]["reason"] == WORDS


def test_a_file_that_agrees_only_with_itself_is_not_believed(taken: Taken) -> None:
    """Whoever can write a file can write a ledger into it."""
    code, said = taken.verify()
    assert code == 3
    assert "CANNOT BE TOLD YET" in said
    assert "--checkpoint" in said


def test_against_the_registry_it_is_also_told_how_the_key_and_the_statement_stand(taken: Taken) -> None:
    code, said = taken.verify("--registry", str(taken.registry))
    assert code == 0
    assert "it stood when this was recorded" in said
    assert "the beginning of this registry" in said


def test_a_consent_that_was_taken_back_since_is_told_as_that(taken: Taken) -> None:
    given = taken.world.registry.inclusion  # the grant itself: signed, in the ledger, and withdrawn since
    with taken.world.registry.view() as view:
        [entry] = [e for e in view.store.entries("grant:g-ada") if e.schema_name == "consent-grant/1.0"]
    assert given(entry.leaf_index)
    file = taken.world.visit("ada").get(f"/signed/{entry.leaf_index}.json").encode()
    code, said = taken.verify("--registry", str(taken.registry), raw=file)
    assert code == 3
    assert "it stands no more: withdrawn" in said


def _payload_changed(data: dict[str, Any]) -> None:
    envelope = json.loads(data["statement"]["envelope"])
    payload = base64.b64decode(envelope["payload"]).replace(WORDS.encode(), b"Go on with my voice.")
    data["statement"]["envelope"] = json.dumps({**envelope, "payload": base64.b64encode(payload).decode()})


def _words_changed(data: dict[str, Any]) -> None:
    data["statement"]["body"] = data["statement"]["body"].replace(WORDS, "Go on with my voice.")


def _both_changed(data: dict[str, Any]) -> None:
    _payload_changed(data)
    _words_changed(data)


def _later(data: dict[str, Any]) -> None:
    data["statement"]["recorded_at"] = data["statement"]["recorded_at"].replace("2026-11-20", "2026-11-21")


def _other_place(data: dict[str, Any]) -> None:
    data["statement"]["index"] -= 1


def _proof_of_another(data: dict[str, Any]) -> None:
    data["statement"]["inclusion"] = data["behind"][0]["inclusion"]


def _shorter_proof(data: dict[str, Any]) -> None:
    data["statement"]["inclusion"].pop()


def _other_root(data: dict[str, Any]) -> None:
    origin, size, _ = data["checkpoint"].splitlines()
    data["checkpoint"] = f"{origin}\n{size}\n{base64.b64encode(b'x' * 32).decode()}\n"


def _no_key(data: dict[str, Any]) -> None:
    data["behind"] = [e for e in data["behind"] if e["schema"] != "consent-key/1.0"]


def _no_party(data: dict[str, Any]) -> None:
    data["behind"] = [e for e in data["behind"] if e["schema"] != "consent-party/1.0"]


def _other_key(data: dict[str, Any]) -> None:
    """A key of the forger's own, put under Ada's name and this envelope's key id."""
    key = next(e for e in data["behind"] if e["schema"] == "consent-key/1.0")
    key["body"] = key["body"].replace('"party_id":"ada"', '"party_id":"agnes"')


def _renamed_key(data: dict[str, Any]) -> None:
    """The signature still verifies; what the registry said of the key is not what the file says."""
    key = next(e for e in data["behind"] if e["schema"] == "consent-key/1.0")
    key["body"] = key["body"].replace('"key_id":"pk-ada"', '"key_id":"pk-eve"')


def _more_roles(data: dict[str, Any]) -> None:
    party = next(e for e in data["behind"] if e["schema"] == "consent-party/1.0")
    party["body"] = party["body"].replace('["performer"]', '["performer","operator"]')


def _no_envelope(data: dict[str, Any]) -> None:
    del data["statement"]["envelope"]


def _key_recorded_after(data: dict[str, Any]) -> None:
    for entry in data["behind"]:
        entry["index"] = data["statement"]["index"] + 1


@pytest.mark.parametrize(
    "bend",
    [
        *(_payload_changed, _words_changed, _both_changed, _later, _other_place, _proof_of_another, _shorter_proof),
        *(_other_root, _no_key, _no_party, _other_key, _renamed_key, _more_roles, _no_envelope, _key_recorded_after),
    ],
)
def test_whatever_is_changed_in_the_file_is_told(taken: Taken, bend: Any) -> None:
    data = taken.data()
    bend(data)
    for options in ((), ("--checkpoint", str(taken.message)), ("--registry", str(taken.registry))):
        code, said = taken.verify(*options, data=data)
        assert (code, said.split("  ")[0]) == (1, "DOES NOT HOLD"), (bend.__name__, options, said)


def _forged(taken: Taken) -> dict[str, Any]:
    """A ledger of the forger's own making, of the true one's name and size, in which Ada says what she never said."""
    private, data = Ed25519PrivateKey.generate(), taken.data()
    public = private.public_key().public_bytes_raw().hex()
    said = Event.model_validate_json(data["statement"]["body"]).model_copy(update={"reason": "Use it for ever."})
    payload = to_sign(said).payload
    signature = base64.b64encode(private.sign(pre_authentication_encoding(payload))).decode()
    signatures = [{"keyid": dsse_keyid(public), "sig": signature}]
    envelope = {"payload": base64.b64encode(payload).decode(), "payloadType": PAYLOAD_TYPE, "signatures": signatures}
    data["statement"] |= {"envelope": json.dumps(envelope), "body": canonical_json(said).decode()}
    key = next(e for e in data["behind"] if e["schema"] == "consent-key/1.0")
    own = {"key_id": "pk-ada", "party_id": "ada", "public_hex": public, "roles": ["performer"]}
    key["body"] = json.dumps({**own, "not_before": "2026-01-01T00:00:00Z", "not_after": "2030-01-01T00:00:00Z"})
    _proved_anew(data)
    return data


def _proved_anew(data: dict[str, Any]) -> None:
    """A tree over made-up leaves, in which the file's entries stand at their places."""
    origin, size = data["checkpoint"].splitlines()[0], int(data["checkpoint"].splitlines()[1])
    entries = {e["index"]: e for e in (data["statement"], *data["behind"])}
    read = TakenHome.model_validate_json(json.dumps(data))
    leaves = {p.index: bytes.fromhex(p.entry.leaf_hash) for p in (read.statement, *read.behind)}
    nodes: dict[tuple[int, int], bytes] = {}

    def node(level: int, position: int) -> bytes:
        return nodes[(level, position)]

    for place in range(size):
        for level, position, value in ledger.completed_by(place, leaves.get(place, b"\0" * 32), node):
            nodes[(level, position)] = value
    for index, entry in entries.items():
        entry["inclusion"] = [h.hex() for h in ledger.inclusion_proof(index, size, node)]
    data["checkpoint"] = Checkpoint(origin, size, ledger.root(size, node)).body()


def test_a_whole_ledger_that_was_made_up_agrees_with_itself_and_with_nothing_that_was_kept(taken: Taken) -> None:
    data = _forged(taken)
    assert taken.verify(data=data)[0] == 3
    code, said = taken.verify("--checkpoint", str(taken.message), data=data)
    assert code == 1
    assert "contradicts it" in said
    code, said = taken.verify("--registry", str(taken.registry), data=data)
    assert code == 1
    assert "is not the beginning of this registry" in said


def test_a_key_that_the_file_brought_along_counts_only_with_its_proof(taken: Taken) -> None:
    """The forger's key, and a signature by it that verifies: only its place in the ledger is made up."""
    forged, data = _forged(taken), taken.data()
    data["behind"] = forged["behind"]
    data["statement"] |= {n: forged["statement"][n] for n in ("body", "envelope")}
    for options in ((), ("--checkpoint", str(taken.message))):
        assert taken.verify(*options, data=data)[0] == 1


def test_what_nobody_signed_is_no_statement_though_the_ledger_holds_it(tmp_path: Path) -> None:
    """A suspension needs no signature: a file about one, made by hand, proves that it is there and not who said it."""
    world = make_world(tmp_path, signatures=True)
    ada = world.visit("ada")
    ada.send("/grants/g-ada/suspend", "/grants/g-ada/suspend")
    head = world.registry.head()
    ada.get(f"/signed/{head.size - 1}.json", 404)
    with world.registry.view() as view:
        [entry] = [e for e in view.store.entries("grant:g-ada") if e.leaf_index == head.size - 1]
        proved = taken_home._proved(view, entry, head.size)
    said = {"schema": taken_home.SCHEMA, "checkpoint": head.body(), "statement": proved, "behind": []}
    found = read_taken_home(json.dumps(said).encode(), "s.json")
    assert isinstance(found, TakenHome)
    checked = check_statement(found, kept=head)
    assert [(p.asks, p.answer) for p in checked.points][:2] == [("signature", Answer.FAILS), ("ledger", Answer.HOLDS)]
    world.desk.tables.close()
    world.registry.close()


def test_a_key_that_was_registered_after_a_statement_did_not_sign_it(taken: Taken) -> None:
    read = taken.read()
    statement, behind = read.statement.entry, [p.entry for p in read.behind]
    [key] = [e.record for e in behind if isinstance(e.record, PartyKey)]
    assert _InTheFile(behind, statement).key(key.keyid, statement.recorded_at) is not None
    later = [replace(e, leaf_index=statement.leaf_index + 1) if e.record == key else e for e in behind]
    assert _InTheFile(later, statement).key(key.keyid, statement.recorded_at) is None


def test_where_nothing_was_asked_nothing_holds() -> None:
    assert Checked(None, None, None, ()).answer is Answer.OPEN


def test_another_entry_at_this_place_of_the_registry_is_told(taken: Taken) -> None:
    data = taken.data()
    data["statement"]["salt"] = "0" * 32
    keys = {p.key for p in check_statement(taken.read(data), registry=taken.world.registry).points}
    assert "other_entry" in keys


def test_a_checkpoint_of_another_ledger_is_told(taken: Taken) -> None:
    other = Checkpoint("dubgate-registry/other", taken.kept().size, taken.kept().root)
    place = taken.folder / "other.txt"
    place.write_text(other.body())
    code, said = taken.verify("--checkpoint", str(place))
    assert code == 1
    assert "of another ledger" in said


def test_an_older_checkpoint_says_nothing_and_a_newer_one_asks_for_the_file_that_is_proved_against_it(
    taken: Taken,
) -> None:
    head = taken.kept()
    place = taken.folder / "kept.txt"
    place.write_text(Checkpoint(head.origin, 3, b"r" * 32).body())
    code, said = taken.verify("--checkpoint", str(place))
    assert (code, "older than this statement" in said) == (3, True)
    place.write_text(Checkpoint(head.origin, head.size + 5, b"r" * 32).body())
    code, said = taken.verify("--checkpoint", str(place))
    assert (code, "paste yours" in said) == (3, True)


def test_a_checkpoint_of_another_size_is_held_against_the_registry_where_it_is_at_hand(taken: Taken) -> None:
    with taken.world.registry.view() as view:
        earlier = Checkpoint(taken.kept().origin, 5, ledger.root(5, view.store.read_node))
    true = check_statement(taken.read(), kept=earlier, registry=taken.world.registry)
    assert true.answer is Answer.HOLDS
    made_up = Checkpoint(earlier.origin, 5, b"r" * 32)
    assert check_statement(taken.read(), kept=made_up, registry=taken.world.registry).answer is Answer.FAILS
    longer = Checkpoint(earlier.origin, 10_000, b"r" * 32)
    assert check_statement(taken.read(), kept=longer, registry=taken.world.registry).answer is Answer.FAILS


def test_a_signed_checkpoint_counts_only_with_its_own_keys_signature(taken: Taken) -> None:
    key, other = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    head, place = taken.kept(), taken.folder / "note.txt"
    place.write_text(sign(head, key))
    vkey = str(VerifierKey(head.origin, key.public_key().public_bytes_raw()))
    code, said = taken.verify("--checkpoint", str(place), "--verifier-key", vkey)
    assert code == 0
    assert f"signed by {head.origin}" in said
    wrong = str(VerifierKey(head.origin, other.public_key().public_bytes_raw()))
    assert taken.verify("--checkpoint", str(place), "--verifier-key", wrong)[0] == 2
    assert taken.verify("--verifier-key", vkey)[0] == 2


def test_another_registry_and_a_rolled_back_one_are_told(taken: Taken, tmp_path: Path) -> None:
    other = make_world(tmp_path, signatures=True)  # the same people, another time: the entry is not there
    code, said = taken.verify("--registry", str(tmp_path / "registry.db"))
    other.desk.tables.close()
    other.registry.close()
    assert (code, "not the beginning of this registry" in said) == (1, True)
    Registry.open(tmp_path / "new.db", create=True).close()
    code, said = taken.verify("--registry", str(tmp_path / "new.db"))
    assert (code, "this registry is another one" in said) == (1, True)


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda raw: raw[: len(raw) // 2], "not the whole file"),
        (lambda raw: b"", "not the whole file"),
        (lambda raw: raw.replace(b'"salt"', b'"pepper"'), "damaged at"),
        (lambda raw: raw.replace(b'"statement":', b'"statement": {}, "statement":'), "not the whole file"),
        (lambda raw: raw.replace(b"consent-statement/1.0", b"consent-statement/9.0"), "not known"),
        (lambda raw: b'{"schema": "consent-report/1.0"}', "no statement that was taken home"),
        (lambda raw: b"[]", "no statement that was taken home"),
        (lambda raw: raw.replace(b'"checkpoint": "', b'"checkpoint": "\\n'), "damaged at checkpoint"),
        (lambda raw: raw + b" " * 10_000_001, "larger than"),
        (lambda raw: b"\xff" + raw, "not the whole file"),
    ],
)
def test_a_file_that_cannot_be_read_is_an_error_and_no_answer(taken: Taken, spoil: Any, why: str) -> None:
    code, said = taken.verify("--checkpoint", str(taken.message), raw=spoil(taken.file))
    assert (code, why in said) == (2, True), said


@pytest.mark.parametrize(
    "other",
    [
        {"payloadType": "application/vnd.dubgate.trust-store+json", "payload": "e30=", "signatures": []},
        {"payloadType": "application/vnd.in-toto+json", "payload": "e30=", "signatures": []},
    ],
    ids=["a trust store", "a statement of another kind"],
)
def test_what_else_somebody_signed_is_no_statement_of_which_more_could_be_told(taken: Taken, other: Any) -> None:
    code, said = taken.verify(raw=json.dumps(other).encode())
    assert code == 2
    assert "no statement" in said
    assert "Nothing contradicts it" not in said


def test_another_signed_thing_is_not_taken_for_a_bare_envelope() -> None:
    store = {"payloadType": "application/vnd.dubgate.trust-store+json", "payload": "e30=", "signatures": []}
    with pytest.raises(RecordError, match="no statement"):
        read_taken_home(json.dumps(store).encode(), "trust.json")


def test_a_statement_is_proved_in_no_ledger_that_lacks_the_key_behind_it(
    taken: Taken, monkeypatch: pytest.MonkeyPatch
) -> None:
    index, registry = taken.data()["statement"]["index"], taken.world.registry
    monkeypatch.setattr(taken_home, "_behind", lambda *_: [SimpleNamespace(leaf_index=registry.head().size)])
    with pytest.raises(RecordError, match="the key behind it is not in a ledger of this size"):
        taken_home.take_home(registry, index)


def test_a_bare_envelope_is_looked_up_in_a_registry_and_proves_nothing_without_one(taken: Taken) -> None:
    envelope = taken.data()["statement"]["envelope"].encode()
    code, said = taken.verify(raw=envelope)
    assert (code, "bare envelope" in said) == (3, True)
    code, said = taken.verify("--registry", str(taken.registry), raw=envelope)
    assert (code, "Said by: ada" in said) == (0, True)
    data = taken.data()
    _payload_changed(data)
    code, said = taken.verify("--registry", str(taken.registry), raw=data["statement"]["envelope"].encode())
    assert (code, "no entry with this envelope" in said) == (1, True)
    assert taken.verify("--registry", str(taken.registry), raw=b'{"payload": "", "payloadType": "", "signatures": []}')[0] == 2  # fmt: skip


def test_a_key_that_was_revoked_since_is_told(tmp_path: Path) -> None:
    world = make_world(tmp_path, signatures=True)
    ada = world.visit("ada")
    ada.sign(ada.send("/refusals", "/refusals", voice_id="v-ada", words="Never."))
    index = world.registry.head().size - 1
    found = read_taken_home(ada.get(f"/signed/{index}.json").encode(), "s.json")
    assert isinstance(found, TakenHome)
    assert check_statement(found, registry=world.registry).answer is Answer.HOLDS
    world.later(days=1)
    gone = Event(
        event_id="ev-gone", target="key", target_id="pk-ada", kind=EventKind.REVOKED, by="op-1", effective_at=world.now[0]
    )  # fmt: skip
    world.registry.add(Addition(gone))
    checked = check_statement(found, registry=world.registry)
    assert (checked.answer, [p.key for p in checked.points if p.answer is Answer.OPEN]) == (
        Answer.OPEN,
        ["revoked_since"],
    )
    assert check_bare(found.statement.envelope or "", world.registry).answer is Answer.OPEN  # type: ignore[union-attr]
    world.desk.tables.close()
    world.registry.close()


def test_the_three_lines_are_found_in_whatever_was_kept_and_never_guessed() -> None:
    three = Checkpoint("dubgate-registry/x", 7, b"r" * 32).body()
    assert checkpoint_in(three.strip()) == three
    assert checkpoint_in(f"Dear Ada,\r\n\r\n-- \r\nLedger checkpoint:\r\n{three}".replace("\n", "\r\n")) == three
    for none in ("", "hello", three + Checkpoint("dubgate-registry/x", 8, b"s" * 32).body(), three.replace("7", "-7")):
        with pytest.raises(SignatureError):
            checkpoint_in(none)


def test_the_page_of_a_statement_gives_the_file_the_command_and_a_proof_against_what_was_kept(taken: Taken) -> None:
    ada, index = taken.world.visit("ada"), taken.read().statement.index
    page = ada.get(f"/signed/{index}")
    assert f"dubgate consent verify statement-{index}.json --checkpoint message.eml" in page
    assert WORDS in page
    assert f'href="/signed/{index}"' in ada.get("/signed")
    assert f'href="/signed/{index}"' in ada.get("/grants/g-ada")
    taken.world.visit("berta").send("/refusals", "/refusals", voice_id="v-berta", words="Never.")
    later = taken.world.registry.head()
    answer = ada.send(f"/signed/{index}", f"/signed/{index}", 200, checkpoint=taken.message.read_text())
    wanted = f"/signed/{index}.json?size={taken.kept().size}"
    assert f'href="{wanted}"' in answer
    assert later.size >= taken.kept().size
    again = ada.get(wanted).encode()
    assert taken.verify("--checkpoint", str(taken.message), raw=again)[0] == 0


@pytest.mark.parametrize(
    ("kept", "told"),
    [
        (lambda head: "nothing", "This is not a checkpoint"),
        (lambda head: Checkpoint("dubgate-registry/other", head.size, head.root).body(), "of another ledger"),
        (lambda head: Checkpoint(head.origin, head.size, b"r" * 32).body(), "the history was changed"),
        (lambda head: Checkpoint(head.origin, 9_999, b"r" * 32).body(), "Entries are missing"),
    ],
)
def test_what_was_kept_and_is_no_beginning_of_this_ledger_is_told_on_the_page(
    taken: Taken, kept: Any, told: str
) -> None:
    index = taken.read().statement.index
    page = taken.world.visit("ada").send(f"/signed/{index}", f"/signed/{index}", 200, checkpoint=kept(taken.kept()))
    assert told in page
    assert "?size=" not in page


def test_a_checkpoint_from_before_the_statement_is_told_on_the_page(taken: Taken) -> None:
    index, origin = taken.read().statement.index, taken.kept().origin
    with taken.world.registry.view() as view:
        early = Checkpoint(origin, 4, ledger.root(4, view.store.read_node)).body()
    page = taken.world.visit("ada").send(f"/signed/{index}", f"/signed/{index}", 200, checkpoint=early)
    assert "older than the statement" in page
    for size in ("4", "0", str(index), "99999", "9" * 15):
        taken.world.visit("ada").get(f"/signed/{index}.json?size={size}", 404)


def test_nobody_else_sees_or_takes_a_statement(taken: Taken) -> None:
    index = taken.read().statement.index
    for party in ("berta", "agnes", "op-1", "hana"):
        visit = taken.world.visit(party)
        visit.get(f"/signed/{index}", 404)
        visit.get(f"/signed/{index}.json", 404)
        assert f"/signed/{index}" not in visit.get("/signed")
        assert visit.post(f"/signed/{index}", "/security", checkpoint="x").status_code == 404
    with taken.world.registry.view() as view:
        [given] = [e.leaf_index for e in view.store.entries("grant:g-ada") if e.schema_name == "consent-grant/1.0"]
    assert f"/signed/{given}" in taken.world.visit("ada").get("/signed")
    assert f"/signed/{given}" not in taken.world.visit("polyglot").get("/signed")  # to whom she gave it


def test_the_file_names_nobody_and_shows_no_other_entry(taken: Taken) -> None:
    """Names lie sealed; what else the ledger holds, only hashes tell of."""
    shown = taken.file.decode()
    assert "Ada of Test" not in shown
    assert "berta" not in shown
    assert {e["schema"] for e in taken.data()["behind"]} == {"consent-key/1.0", "consent-party/1.0"}
    assert parse_time(taken.data()["statement"]["recorded_at"]) == START
