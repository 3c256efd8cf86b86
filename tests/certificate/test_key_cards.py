"""Keys with one purpose each, from the command line; and a delivery checked, certified and verified with them."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest
from made_certificate import AT, Place, make_place
from made_delivery import dub_voices, features
from securesystemslib.signer import SIGNER_FOR_URI_SCHEME, CryptoSigner

from dubgate.certificate.dsse import load_private_key, new_private_key, public_of
from dubgate.certificate.key_cards import new_card
from dubgate.certificate.keys import card_path, private_for, read_card, service_signer, signer_for
from dubgate.certificate.opening import ed25519_key
from dubgate.cli.main import run
from dubgate.delivery.manifest import load_delivery
from dubgate.errors import InputError

SECRET = "a passphrase of a test"


class Clock(datetime):
    """A clock that stands at AT."""

    at = AT

    @classmethod
    def now(cls, tz: Any = None) -> datetime:
        return cls.at


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> type[Clock]:
    monkeypatch.setenv("DUBGATE_KEY_PASSPHRASE", SECRET)
    monkeypatch.setenv("DUBGATE_TRUST_SEEN", str(tmp_path / "seen.json"))
    Clock.at = AT
    for module in ("cli.keys", "cli.certify_options", "certifying", "verifying"):
        monkeypatch.setattr(f"dubgate.{module}.datetime", Clock)
    return Clock


def dubgate(*arguments: object) -> int:
    return run([str(a) for a in arguments])


def new(path: Path, purpose: str, *more: object) -> Path:
    assert dubgate("keys", "new", path, "--purpose", purpose, *more) == 0
    return path


def refused(*arguments: object, capsys: pytest.CaptureFixture[str]) -> str:
    assert dubgate(*arguments) == 2
    return capsys.readouterr().err


def told(_: str) -> bytes:
    return SECRET.encode()


def test_a_key_file_is_encrypted_and_for_its_owner_only(tmp_path: Path) -> None:
    path = new(tmp_path / "gate.pem", "gate")
    assert b"ENCRYPTED" in path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    private = private_for(path, "gate", AT, told)
    assert read_card(path).key == ed25519_key(public_of(private).public_hex)
    with pytest.raises(InputError):
        private_for(path, "gate", AT, lambda _: b"another passphrase")


def test_a_key_for_one_purpose_is_refused_for_every_other(tmp_path: Path) -> None:
    for purpose in ("gate", "ledger", "webhook", "root"):
        path = new(tmp_path / f"{purpose}.pem", purpose)
        for other in ("gate", "ledger", "webhook", "root"):
            if other == purpose:
                assert signer_for(path, other, AT, told)
                continue
            with pytest.raises(InputError, match=f"this key is for {purpose}"):
                signer_for(path, other, AT, told)


def test_a_key_without_a_card_signs_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert dubgate("keys", "new", tmp_path / "holder.pem") == 0
    with pytest.raises(InputError, match="no card"):
        signer_for(tmp_path / "holder.pem", "gate", AT, told)
    with pytest.raises(InputError, match="no such key"):
        read_card(tmp_path / "nowhere.pem")
    assert dubgate("keys", "show", tmp_path / "holder.pem") == 0


def test_a_card_put_beside_another_key_is_seen(tmp_path: Path) -> None:
    gate, ledger = new(tmp_path / "gate.pem", "gate"), new(tmp_path / "ledger.pem", "ledger")
    card_path(ledger).write_bytes(card_path(gate).read_bytes())
    with pytest.raises(InputError, match="not the key of its card"):
        signer_for(ledger, "gate", AT, told)


@pytest.mark.parametrize("content", ["", "{}", '{"schema": "key-card/1.0", "schema": "key-card/1.0"}'])
def test_a_damaged_card_is_refused(content: str, tmp_path: Path) -> None:
    path = new(tmp_path / "gate.pem", "gate")
    card_path(path).write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match="not a key's card"):
        signer_for(path, "gate", AT, told)


def test_a_card_of_an_unknown_purpose_is_refused(tmp_path: Path) -> None:
    path = new(tmp_path / "gate.pem", "gate")
    card = json.loads(card_path(path).read_text())
    card_path(path).write_text(json.dumps(card | {"purpose": "everything"}), encoding="utf-8")
    with pytest.raises(InputError, match="purpose"):
        read_card(path)


def test_no_key_is_written_over_another(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = new(tmp_path / "gate.pem", "gate")
    before = path.read_bytes()
    assert "already there" in refused("keys", "new", path, "--purpose", "ledger", capsys=capsys)
    assert "already there" in refused("keys", "new", path, capsys=capsys)
    path.rename(tmp_path / "moved.pem")
    assert "already there" in refused("keys", "new", path, "--purpose", "ledger", capsys=capsys)
    assert (tmp_path / "moved.pem").read_bytes() == before


def test_a_partys_key_is_not_given_a_card_afterwards(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert dubgate("keys", "new", tmp_path / "holder.pem") == 0
    assert "already there" in refused("keys", "new", tmp_path / "holder.pem", "--purpose", "gate", capsys=capsys)
    assert not card_path(tmp_path / "holder.pem").exists()


@pytest.mark.parametrize("name", ["holder.pem", "new.card.json"])
def test_no_card_is_made_of_a_key_that_is_there_or_under_a_cards_name(tmp_path: Path, name: str) -> None:
    (tmp_path / "holder.pem").write_text("a key of somebody else")
    public = public_of(new_private_key())
    with pytest.raises(InputError, match="already there, or it is a card's name"):
        new_card(tmp_path / name, "gate", public, AT, AT + timedelta(days=1))
    assert [p.name for p in tmp_path.iterdir()] == ["holder.pem"]


def test_a_key_ends_and_is_rotated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = new(tmp_path / "gate.pem", "gate", "--days", "30")
    assert dubgate("keys", "rotate", old, tmp_path / "gate-2.pem", "--overlap-days", "7") == 0
    before, after = read_card(old), read_card(tmp_path / "gate-2.pem")
    assert (after.purpose, after.replaces) == ("gate", before.key.keyid)
    assert before.not_after == AT + timedelta(days=7)
    assert signer_for(old, "gate", AT + timedelta(days=6), told)
    with pytest.raises(InputError, match="expired"):
        signer_for(old, "gate", AT + timedelta(days=7), told)
    with pytest.raises(InputError, match="not yet valid"):
        signer_for(old, "gate", AT - timedelta(days=1), told)
    capsys.readouterr()
    assert dubgate("keys", "list", tmp_path) == 0
    assert [line.split()[:3] for line in capsys.readouterr().out.splitlines()] == [
        ["gate-2.pem.card.json", "gate", "valid"],
        ["gate.pem.card.json", "gate", "valid"],
    ]


def test_a_revoked_key_signs_no_more_and_is_not_rotated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = new(tmp_path / "gate.pem", "gate")
    assert dubgate("keys", "revoke", path, "--reason", "lost") == 0
    first = read_card(path)
    Clock.at = AT + timedelta(days=1)
    assert dubgate("keys", "revoke", path, "--reason", "again") == 0
    assert read_card(path) == first
    with pytest.raises(InputError, match="revoked"):
        signer_for(path, "gate", AT, told)
    assert "revoked" in refused("keys", "rotate", path, tmp_path / "gate-2.pem", capsys=capsys)


def test_passphrases_come_from_files_and_by_purpose(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dubgate.cli.keys import passphrase_for

    (tmp_path / "secret").write_text("of a file\n", encoding="ascii")
    monkeypatch.setenv("DUBGATE_GATE_KEY_PASSPHRASE", "of the gate")
    monkeypatch.setenv("DUBGATE_LEDGER_KEY_PASSPHRASE_FILE", str(tmp_path / "secret"))
    found = [passphrase_for(p) for p in ("gate", "ledger", "webhook")]
    assert found == [b"of the gate", b"of a file", SECRET.encode()]
    monkeypatch.setenv("DUBGATE_LEDGER_KEY_PASSPHRASE_FILE", str(tmp_path / "none"))
    with pytest.raises(InputError):
        passphrase_for("ledger")


def test_a_gates_key_signs_for_no_party(tmp_path: Path) -> None:
    from dubgate.cli.keys import load

    with pytest.raises(InputError, match="for gate"):
        load(new(tmp_path / "gate.pem", "gate"))


# Keys in a key service


class Service(CryptoSigner):
    """A key service as securesystemslib knows them: a scheme, and a signer behind it."""

    held: Any = None

    @classmethod
    def from_priv_key_uri(cls, uri: str, key: Any, _: Any = None) -> Any:
        if uri.endswith("down"):
            raise ConnectionError("no answer")
        return cls.held


def test_a_key_in_a_service_is_used_by_its_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    Service.held = CryptoSigner.generate_ecdsa()
    monkeypatch.setitem(SIGNER_FOR_URI_SCHEME, "testkms", Service)
    pem = Service.held._private_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "service.pub").write_bytes(pem)
    card = new(tmp_path / "kms", "gate", "--uri", "testkms:gate", "--public", tmp_path / "service.pub")
    signer = signer_for(card, "gate", AT, told)
    assert signer.public_key.keyid == read_card(card).key.keyid
    assert read_card(card).key.verifies(bytes.fromhex(signer.sign(b"said").signature), b"said")
    with pytest.raises(InputError, match="file of its own"):
        private_for(card_path(card), "gate", AT, told)


def test_a_service_that_cannot_be_used_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SIGNER_FOR_URI_SCHEME, "testkms", Service)
    key = ed25519_key("0" * 64)
    with pytest.raises(InputError, match="no answer"):
        service_signer("testkms:down", key)
    with pytest.raises(InputError, match="nosuch"):
        service_signer("nosuch:key", key)


@pytest.mark.parametrize("scheme", ["awskms", "azurekms", "gcpkms", "hv", "hsm"])
def test_an_extra_that_is_missing_is_named(scheme: str) -> None:
    with pytest.raises(InputError) as error:
        service_signer(f"{scheme}:key", ed25519_key("0" * 64))
    assert error.value.remedy is None or "pip install 'securesystemslib[" in error.value.remedy
    assert scheme in str(error.value)


# Checked, certified, verified


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Place:
    made = make_place(tmp_path_factory.mktemp("untouched"))
    return replace(made, right=made.judged())


@pytest.fixture
def place(untouched: Place, tmp_path: Path) -> Place:
    return untouched.copied(tmp_path / "world")


@pytest.fixture
def signing(place: Place, tmp_path: Path) -> dict[str, Path]:
    """Keys and a trust store, made as a reader of the help makes them."""
    keys = {p: new(tmp_path / f"{p}.pem", p) for p in ("gate", "ledger", "root")}
    keys["trust"] = tmp_path / "trust.json"
    _trust(keys, place)
    return keys


def _trust(keys: dict[str, Path], place: Place, *more: object) -> None:
    arguments = ("--root", keys["root"], "--gate", keys["gate"], "--ledger", keys["ledger"], "--accept-embedded")
    assert dubgate("keys", "trust", keys["trust"], *arguments, "--registry", place.world.registry, *more) == 0


def check(place: Place, keys: dict[str, Path], out: Path, *more: object, heard: Any = None) -> int:
    judged = place.judged() if heard is None else place.world.judged(at=AT, heard=heard)
    manifest = place.world.delivery.root / "delivery.yaml"
    arguments = ["--registry", place.world.registry, "--out", out, "--quiet", "--format", "json"]
    signing = ["--certify", "--key", keys["gate"], "--ledger-key", keys["ledger"], "--as", "op-1"]
    found = SimpleNamespace(judgement=judged, delivery=load_delivery(manifest))
    with patch("dubgate.judging_again.judge_again", lambda request, at, progress, clock: found):
        return dubgate("check", manifest, *arguments, *signing, *more)


def verify(place: Place, keys: dict[str, Path], certificate: Path, *more: object, territory: str = "DE") -> int:
    use = ["--territory", territory, "--channel", "svod"]
    root = read_card(keys["root"]).key.public
    return dubgate("verify", certificate, place.file, *use, "--trust", keys["trust"], "--root", root, *more)


def test_checked_certified_and_verified(
    place: Place, signing: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert check(place, signing, out) == 0
    assert {p.name for p in out.iterdir()} == {
        *("report.json", "certificate.json", "annex.json", "judged.json", "packs"),
    }
    Clock.at = AT + timedelta(minutes=1)
    certificate = out / "certificate.json"
    assert verify(place, signing, certificate) == 0
    capsys.readouterr()
    assert (
        verify(place, signing, certificate, "--annex", out / "annex.json", "--registry", place.world.registry,
               "--format", "json") == 0
    )  # fmt: skip
    assert json.loads(capsys.readouterr().out)["consents_asked"] is True
    assert verify(place, signing, certificate, territory="JP") == 1
    assert "refused (other-territory)" in capsys.readouterr().err
    assert verify(place, signing, tmp_path / "none.json") == 2


def test_a_root_key_may_be_given_as_a_file(place: Place, signing: dict[str, Path], tmp_path: Path) -> None:
    assert check(place, signing, tmp_path / "out") == 0
    (tmp_path / "root.hex").write_text(read_card(signing["root"]).key.public + "\n", encoding="ascii")
    use = ["--territory", "DE", "--channel", "svod", "--trust", signing["trust"]]
    asked = ["verify", tmp_path / "out" / "certificate.json", place.file, *use]
    assert dubgate(*asked, "--root", tmp_path / "root.hex") == 0
    for wrong in ("00", tmp_path / "none", signing["gate"], signing["trust"]):
        assert dubgate(*asked, "--root", wrong) == 2


def test_what_is_blocked_gets_its_certificate_too_and_ends_with_1(
    place: Place, signing: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(place, signing, tmp_path / "out", heard=features(dub_voices({"MARA": 12}))) == 1
    assert verify(place, signing, tmp_path / "out" / "certificate.json") == 1
    assert "refused (failed)" in capsys.readouterr().err


def test_what_is_signed_takes_no_time_and_needs_its_keys(
    place: Place, signing: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(place, signing, tmp_path / "out", "--at", "2026-12-02T12:00:00Z") == 2
    assert "clock" in capsys.readouterr().err
    assert check(place, signing | {"gate": signing["ledger"]}, tmp_path / "out") == 2
    assert "this key is for ledger" in capsys.readouterr().err
    assert check(place, signing | {"ledger": signing["gate"]}, tmp_path / "out") == 2
    manifest = place.world.delivery.root / "delivery.yaml"
    assert dubgate("check", manifest, "--registry", place.world.registry, "--certify") == 2
    assert "needs --key" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_without_certify_no_key_is_asked_for() -> None:
    from dubgate.cli.certify_options import gate_of

    assert gate_of(certify=False, key=None, ledger_key=None, party=None, verifier="urn:x", at=None) is None


def test_a_check_that_breaks_leaves_no_certificate_of_before(
    place: Place, signing: dict[str, Path], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert check(place, signing, out) == 0
    manifest = place.world.delivery.root / "delivery.yaml"
    asked = ["--certify", "--key", signing["gate"], "--ledger-key", signing["ledger"], "--as", "op-1", "--out", out]
    with patch("dubgate.judging_again.judge_again", side_effect=RuntimeError("a model broke")):
        assert dubgate("check", manifest, "--registry", place.world.registry, *asked) == 2
    assert not (out / "certificate.json").exists()


def test_a_revoked_key_stops_publishing_with_the_next_trust_store(
    place: Place, signing: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(place, signing, tmp_path / "out") == 0
    certificate, first = tmp_path / "out" / "certificate.json", signing["trust"].read_bytes()
    assert verify(place, signing, certificate) == 0
    assert dubgate("keys", "revoke", signing["gate"], "--reason", "stolen") == 0
    _trust(signing, place)
    assert verify(place, signing, certificate) == 1
    assert "refused (key-revoked)" in capsys.readouterr().err
    signing["trust"].write_bytes(first)
    assert verify(place, signing, certificate) == 1
    assert "refused (trust-rolled-back)" in capsys.readouterr().err
    assert check(place, signing, tmp_path / "again") == 2
    assert not (tmp_path / "again").exists()


def test_a_trust_store_lists_keys_of_the_right_purpose_only(
    place: Place, signing: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["keys", "trust", signing["trust"], "--origin", "dubgate-registry/x"]
    both = [*asked, "--gate", signing["gate"], "--ledger", signing["ledger"]]
    assert "this key is for gate" in refused(*both, "--root", signing["gate"], capsys=capsys)
    swapped = [*asked, "--gate", signing["ledger"], "--ledger", signing["ledger"], "--root", signing["root"]]
    assert "this key is for ledger" in refused(*swapped, capsys=capsys)
    assert "either" in refused(*both, "--root", signing["root"], "--registry", place.world.registry, capsys=capsys)


def test_the_private_key_reads_with_cryptography_alone(tmp_path: Path) -> None:
    path = new(tmp_path / "gate.pem", "gate")
    assert load_private_key(path, SECRET.encode())
    assert replace(read_card(path), reason="x").data()["reason"] == "x"
