"""A certificate verifies for the bytes, use and moment that it is for, and is refused for everything else, by name."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_vectors import (
    ANNEX,
    AT,
    CLAIM,
    DAY,
    DUB,
    FAILED,
    GATE,
    HOLDER,
    LEDGER,
    NOW,
    ROOT,
    STRANGER,
    TRUST,
    VALID,
    VECTORS,
    VERIFIER,
    Made,
    ledger_part,
    listed,
)
from securesystemslib.dsse import Envelope

from consent.checkpoint import Checkpoint
from consent.ledger import leaf_hash
from dubgate import verify
from dubgate.certificate import refusals
from dubgate.certificate.annex import SignedCopy, annex_bytes
from dubgate.certificate.claim import Proof, Scope, SignedUsed
from dubgate.certificate.dsse import sign, signer_of
from dubgate.certificate.file import certificate_bytes
from dubgate.certificate.ledger_part import _check_proof
from dubgate.certificate.measured import Measured
from dubgate.certificate.opening import SigningKey
from dubgate.certificate.refusals import Refused
from dubgate.certificate.trust import TrustedGate, TrustedLedger, Validity
from dubgate.errors import InputError, MediaError
from dubgate.verifying import Verified

ROOTS = Path(__file__).resolve().parents[2]
GOOD = Made().data()
PUBLISH = "urn:test"


@pytest.fixture(scope="module")
def dub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("dub") / "dub.bin"
    path.write_bytes(DUB)
    return path


def asked(certificate: bytes, file: Path, **how: Any) -> Verified:
    return verify(certificate, file, **({"territory": "DE", "channel": "svod", "trust": TRUST, "now": NOW} | how))


def reason(certificate: bytes, file: Path, **how: Any) -> str:
    with pytest.raises(Refused) as refused:
        asked(certificate, file, **how)
    return refused.value.reason


def changed(certificate: bytes, change: Callable[[Any], None]) -> bytes:
    data = json.loads(certificate)
    change(data)
    return json.dumps(data).encode()


def test_it_verifies_for_what_it_is_for(dub: Path) -> None:
    verified = asked(GOOD, dub)
    assert (verified.title_id, verified.level, verified.verifier) == ("last-train", "DUBGATE_RELEASE", VERIFIER)
    assert verified.expires_at == AT + DAY
    assert not verified.consents_asked
    assert asked(GOOD, dub, territory="AT", channel="avod") == verified


# What a signature covers


@pytest.mark.parametrize("envelope", ["verdict", "measurements"])
def test_every_byte_of_both_payloads_is_covered(envelope: str, dub: Path) -> None:
    payload = base64.b64decode(json.loads(GOOD)[envelope]["payload"])
    for k in range(0, len(payload), 7):
        altered = payload[:k] + bytes([payload[k] ^ 1]) + payload[k + 1 :]
        data = changed(GOOD, lambda d, a=altered: d[envelope].update(payload=base64.b64encode(a).decode()))
        expected = "bad-signature" if envelope == "verdict" else "altered-measurements"
        assert reason(data, dub) == expected


def test_a_signature_of_other_bytes_is_refused(dub: Path) -> None:
    other = json.loads(Made().with_claim(release_id="rel-other").data())["verdict"]["signatures"]
    assert reason(changed(GOOD, lambda d: d["verdict"].update(signatures=other)), dub) == "bad-signature"
    assert reason(changed(GOOD, lambda d: d["verdict"].update(signatures=[])), dub) == "malformed"


def test_a_stranger_signs_in_vain(dub: Path) -> None:
    assert reason(replace(Made(), key=STRANGER).data(), dub) == "unknown-key"


def test_a_stranger_under_the_gates_key_id_is_refused(dub: Path) -> None:
    data = replace(Made(), key=STRANGER).data()
    keyid = listed(GATE).keyid
    assert reason(changed(data, lambda d: d["verdict"]["signatures"][0].update(keyid=keyid)), dub) == "bad-signature"


def test_signatures_of_others_beside_the_gates_change_nothing(dub: Path) -> None:
    other = json.loads(replace(Made(), key=STRANGER).data())["verdict"]["signatures"]
    assert asked(changed(GOOD, lambda d: d["verdict"].update(signatures=other + d["verdict"]["signatures"])), dub)
    many = changed(GOOD, lambda d: d["verdict"].update(signatures=other * 17))
    assert reason(many, dub) == "malformed"


def test_a_ledgers_key_signs_no_verdict(dub: Path) -> None:
    assert reason(replace(Made(), key=LEDGER).data(), dub) == "unknown-key"


@pytest.mark.parametrize(
    "kind",
    ["", "application/vnd.in-toto+jso", "application/vnd.in-toto+json ", "application/vnd.in-t\u043eto+json", "\ud800"],
)
def test_a_truncated_or_foreign_payload_type_is_refused(kind: str, dub: Path) -> None:
    assert reason(changed(GOOD, lambda d: d["verdict"].update(payloadType=kind)), dub) == "wrong-type"


def test_a_statement_of_another_kind_is_no_verdict(dub: Path) -> None:
    """The gate's own signature over the measurements does not make them a verdict."""
    assert reason(changed(GOOD, lambda d: d.update(verdict=d["measurements"])), dub) == "wrong-predicate"
    signed = sign(Made().statement() | {"_type": "https://in-toto.io/Statement/v0.1"}, signer_of(GATE))
    assert reason(certificate_bytes(signed, signed), dub) == "wrong-predicate"


def test_measurements_of_another_dub_are_refused(dub: Path) -> None:
    other = json.loads(replace(Made(), measured=Measured(("core/CON-001",), (), ())).data())
    assert reason(changed(GOOD, lambda d: d.update(measurements=other["measurements"])), dub) == "altered-measurements"
    assert reason(changed(GOOD, lambda d: d.update(measurements=d["verdict"])), dub) == "altered-measurements"


def test_measurements_that_failed_are_no_ground_to_pass(dub: Path) -> None:
    failing = replace(Made(), measured=Measured((), (), ("core/CON-002",)))
    assert reason(failing.data(), dub) == "altered-measurements"


def test_measurements_of_other_bytes_are_refused(dub: Path) -> None:
    made = Made()
    measured = replace(made, file_sha256="9" * 64).measurements()
    statement = made.statement()
    import rfc8785

    digest = hashlib.sha256(rfc8785.dumps(measured)).hexdigest()
    statement["predicate"]["inputAttestations"][0]["digest"]["sha256"] = digest
    signer = signer_of(GATE)
    data = certificate_bytes(sign(statement, signer), sign(measured, signer))
    assert reason(data, dub) == "altered-measurements"


def test_another_verifier_than_the_keys_is_refused(dub: Path) -> None:
    assert reason(replace(Made(), verifier="urn:dubgate:gate:other").data(), dub) == "wrong-verifier"


# What is malformed


def test_a_repeated_key_is_refused_outside_and_inside(dub: Path) -> None:
    assert reason(GOOD.replace(b'"schema":', b'"schema": "certificate/1.0", "schema":', 1), dub) == "repeated-key"
    payload = base64.b64decode(json.loads(GOOD)["verdict"]["payload"])
    twice = payload.replace(b'"result"', b'"result"').replace(
        b'"verificationResult":"PASSED"', b'"verificationResult":"FAILED","verificationResult":"PASSED"'
    )
    envelope = Envelope(payload=twice, payload_type="application/vnd.in-toto+json", signatures={})
    envelope.sign(signer_of(GATE))
    assert reason(changed(GOOD, lambda d: d.update(verdict=envelope.to_dict())), dub) == "repeated-key"


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"[]", b"\xff", b"null", b"[" * 100_000, b'{"schema": "certificate/2.0"}', b" " * 4_000_001],
    ids=["empty", "object", "list", "not-utf8", "null", "deep", "version", "large"],
)
def test_rubbish_is_malformed(data: bytes, dub: Path) -> None:
    assert reason(data, dub) == "malformed"


def test_a_certificate_is_small(dub: Path) -> None:
    assert asked(GOOD + b" " * 1000, dub)
    assert reason(GOOD + b" " * 4_000_000, dub) == "malformed"


def test_base64_has_one_form(dub: Path) -> None:
    """The last character before the padding has bits that decode to nothing."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

    def respelt(data: Any) -> None:
        signature = data["verdict"]["signatures"][0]
        text = signature["sig"]
        assert text.endswith("==")
        other = letters[letters.index(text[-3]) ^ 1]
        assert base64.b64decode(text[:-3] + other + "==") == base64.b64decode(text)
        signature["sig"] = text[:-3] + other + "=="

    assert reason(changed(GOOD, respelt), dub) == "malformed"
    assert reason(changed(GOOD, lambda d: d["verdict"]["signatures"][0].update(sig="!")), dub) == "malformed"


def test_measurements_whose_result_is_not_their_tests_are_refused(dub: Path) -> None:
    import rfc8785

    statement, measured = Made().statement(), Made().measurements()
    measured["predicate"]["result"] = "WARNED"
    digest = hashlib.sha256(rfc8785.dumps(measured)).hexdigest()
    statement["predicate"]["inputAttestations"][0]["digest"]["sha256"] = digest
    signer = signer_of(GATE)
    assert reason(certificate_bytes(sign(statement, signer), sign(measured, signer)), dub) == "altered-measurements"


def _said(change: Callable[[dict[str, Any]], None]) -> bytes:
    """A certificate whose verdict says something else, signed by the gate's own key."""
    statement = Made().statement()
    change(statement)
    signer = signer_of(GATE)
    return certificate_bytes(sign(statement, signer), sign(Made().measurements(), signer))


EXTENSION = "urn:dubgate:release-verdict:1.0"
CONTRADICTIONS: dict[str, Callable[[dict[str, Any]], None]] = {
    "an unknown field": lambda s: s["predicate"].update(extra=1),
    "an unknown field of the claim": lambda s: s["predicate"][EXTENSION].update(extra=1),
    "a missing field": lambda s: s["predicate"][EXTENSION].pop("grant_ids"),
    "another schema": lambda s: s["predicate"][EXTENSION].update(schema="release-verdict/2.0"),
    "no subject": lambda s: s.update(subject=[]),
    "two subjects": lambda s: s.update(subject=s["subject"] * 2),
    "another digest of the subject": lambda s: s["subject"][0]["digest"].update(sha512="0"),
    "no inputs": lambda s: s["predicate"].update(inputAttestations=[]),
    "an input left out": lambda s: s["predicate"]["inputAttestations"].pop(),
    "two levels": lambda s: s["predicate"].update(verifiedLevels=["DUBGATE_RELEASE"] * 2),
    "an unknown level": lambda s: s["predicate"].update(verifiedLevels=["SLSA_BUILD_LEVEL_3"]),
    "an unknown result": lambda s: s["predicate"].update(verificationResult="passed"),
    "passed and blocked": lambda s: s["predicate"][EXTENSION].update(decision="block"),
    "passed with a reason against it": lambda s: s["predicate"][EXTENSION].update(reasons=["CON-002"]),
    "passed without a pack": lambda s: s["predicate"][EXTENSION].update(packs=[]),
    "passed without a scope": lambda s: s["predicate"][EXTENSION].pop("scope"),
    "passed without a ledger": lambda s: s["predicate"][EXTENSION].pop("ledger"),
    "passed without an annex": lambda s: s["predicate"][EXTENSION].pop("annex_sha256"),
    "another policy digest": lambda s: s["predicate"]["policy"]["digest"].update(sha256="0" * 64),
    "another resource": lambda s: s["predicate"].update(resourceUri="urn:dubgate:title:other"),
    "a time without a zone": lambda s: s["predicate"].update(timeVerified="2026-12-02T12:00:00.000000"),
    "a time that does not exist": lambda s: s["predicate"].update(timeVerified="2026-13-02T12:00:00.000000Z"),
    "an upper-case digest": lambda s: s["subject"][0]["digest"].update(sha256="A" * 64),
    "a list of numbers": lambda s: s["predicate"][EXTENSION].update(grant_ids=[1]),
    "a list without an end": lambda s: s["predicate"][EXTENSION].update(grant_ids=["g"] * 10_001),
    "a number for a text": lambda s: s["predicate"].update(resourceUri=1),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_what_contradicts_itself_is_malformed_though_the_gate_signed_it(name: str, dub: Path) -> None:
    assert reason(_said(CONTRADICTIONS[name]), dub) == "malformed"


# What it allows


def test_a_verdict_that_failed_publishes_nothing(dub: Path) -> None:
    assert reason(FAILED.data(), dub) == "failed"


def test_a_level_is_accepted_only_where_the_trust_store_says_so(dub: Path) -> None:
    embedded = replace(Made(), level="DUBGATE_RELEASE_EMBEDDED").data()
    assert reason(embedded, dub) == "level-not-accepted"
    gate = replace(TRUST.gates[0], levels=("DUBGATE_RELEASE", "DUBGATE_RELEASE_EMBEDDED"))
    assert asked(embedded, dub, trust=replace(TRUST, gates=(gate,))).level == "DUBGATE_RELEASE_EMBEDDED"


@pytest.mark.parametrize("k", [0, len(DUB) // 2, len(DUB) - 1])
def test_one_other_bit_in_the_file_is_other_bytes(k: int, tmp_path: Path) -> None:
    other = tmp_path / "dub.bin"
    other.write_bytes(DUB[:k] + bytes([DUB[k] ^ 1]) + DUB[k + 1 :])
    assert reason(GOOD, other) == "other-bytes"


def test_a_longer_shorter_or_empty_file_is_other_bytes(tmp_path: Path) -> None:
    for content in (DUB + b"\0", DUB[:-1], b""):
        other = tmp_path / "dub.bin"
        other.write_bytes(content)
        assert reason(GOOD, other) == "other-bytes"


def test_a_file_that_is_missing_or_a_pipe_cannot_be_asked_about(tmp_path: Path, dub: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for file in (tmp_path / "none", tmp_path / "pipe", tmp_path):
        with pytest.raises(MediaError):
            asked(GOOD, file)
        with pytest.raises(MediaError):
            asked(file, dub)  # type: ignore[arg-type]


@pytest.mark.parametrize("territory", ["FR", "150", "EU", "001"])
def test_a_territory_must_be_covered_as_a_whole(territory: str, dub: Path) -> None:
    assert reason(GOOD, dub, territory=territory) == "other-territory"


def test_a_group_that_is_covered_as_a_whole_is_allowed(dub: Path) -> None:
    eu = replace(Made(), claim=replace(Made().claim, scope=replace(CLAIM.scope, territories=("EU",))))  # type: ignore[type-var]
    assert asked(eu.data(), dub, territory="EU")
    nowhere = Made().with_claim(scope=Scope((), ("svod",), "de", AT - DAY, None))
    assert reason(nowhere.data(), dub) == "other-territory"


@pytest.mark.parametrize("territory", ["", "de", "XX", "Germany"])
def test_a_territory_that_does_not_exist_is_no_question(territory: str, dub: Path) -> None:
    with pytest.raises(InputError):
        asked(GOOD, dub, territory=territory)


@pytest.mark.parametrize("channel", ["theatrical", "", "SVOD"])
def test_another_channel_is_refused(channel: str, dub: Path) -> None:
    assert reason(GOOD, dub, channel=channel) == "other-channel"


def test_a_partner_is_served_only_where_the_holder_approved_it_by_name(dub: Path) -> None:
    scope = replace(CLAIM.scope, partners=("prime_video", "x-ours"))  # type: ignore[type-var]
    named = Made().with_claim(scope=scope).data()
    assert asked(named, dub, partner="x-ours").scope.partners == ("prime_video", "x-ours")
    assert reason(named, dub, partner="netflix") == "other-partner"
    assert reason(named, dub) == "other-partner"
    assert reason(GOOD, dub, partner="netflix") == "other-partner"
    assert b"partners" not in claim_text(GOOD)


def test_a_release_is_of_its_own_language_alone(dub: Path) -> None:
    scope = CLAIM.scope
    assert scope is not None
    assert asked(GOOD, dub, language=scope.language)
    assert reason(GOOD, dub, language="ja") == "other-language"
    with pytest.raises(InputError):
        asked(GOOD, dub, language="no language")


def claim_text(certificate: bytes) -> bytes:
    """The statements of a certificate as text."""
    envelopes = json.loads(certificate)
    return b"".join(
        base64.b64decode(e["payload"]) for e in envelopes.values() if isinstance(e, dict) and "payload" in e
    )


def test_it_expires_at_the_moment_that_it_says(dub: Path) -> None:
    assert asked(GOOD, dub, now=AT + DAY - timedelta(microseconds=1))
    assert reason(GOOD, dub, now=AT + DAY) == "expired"


def test_a_clock_set_back_does_not_revive_it_before_its_time(dub: Path) -> None:
    assert asked(GOOD, dub, now=AT)
    assert reason(GOOD, dub, now=AT - timedelta(microseconds=1)) == "not-yet-valid"


def test_the_release_window_is_kept(dub: Path) -> None:
    coming = Made().with_claim(scope=replace(CLAIM.scope, window_start=NOW + timedelta(seconds=1)))  # type: ignore[type-var]
    assert reason(coming.data(), dub) == "outside-window"
    over = Made().with_claim(scope=replace(CLAIM.scope, window_end=NOW))  # type: ignore[type-var]
    assert reason(over.data(), dub) == "outside-window"
    for_ever = Made().with_claim(scope=replace(CLAIM.scope, window_end=None))  # type: ignore[type-var]
    assert asked(for_ever.data(), dub)


# Keys and ledger


def _with(validity: Validity, *, gate: bool = True) -> Any:
    if gate:
        return replace(TRUST, gates=(replace(TRUST.gates[0], validity=validity),))
    return replace(TRUST, ledgers=(replace(TRUST.ledgers[0], validity=validity),))


@pytest.mark.parametrize("gate", [True, False], ids=["gate", "ledger"])
def test_keys_count_only_in_their_time_and_never_once_revoked(gate: bool, dub: Path) -> None:
    assert asked(GOOD, dub, trust=_with(replace(VALID, not_before=AT), gate=gate))
    late = replace(VALID, not_before=AT + timedelta(microseconds=1))
    assert reason(GOOD, dub, trust=_with(late, gate=gate)) == "key-not-valid"
    assert reason(GOOD, dub, trust=_with(replace(VALID, not_after=NOW), gate=gate)) == "key-not-valid"
    assert reason(GOOD, dub, trust=_with(replace(VALID, revoked_at=NOW), gate=gate)) == "key-revoked"
    assert asked(GOOD, dub, trust=_with(replace(VALID, revoked_at=NOW + timedelta(seconds=1)), gate=gate))


def test_a_ledger_that_nobody_lists_is_refused(dub: Path) -> None:
    other = TrustedLedger("dubgate-registry/other", listed(LEDGER).public, VALID)
    assert reason(GOOD, dub, trust=replace(TRUST, ledgers=(other,))) == "unknown-ledger"
    wrong = TrustedLedger(TRUST.ledgers[0].origin, listed(STRANGER).public, VALID)
    assert reason(GOOD, dub, trust=replace(TRUST, ledgers=(wrong,))) == "ledger-proof"
    assert asked(GOOD, dub, trust=replace(TRUST, ledgers=(wrong, *TRUST.ledgers)))


def _part(change: Callable[[Any], Any]) -> bytes:
    part = ledger_part()
    return Made().with_claim(ledger=change(part)).data()


PROOFS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "no proof": (lambda p: replace(p, proofs=()), "ledger-proof"),
    "the release's entry left out": (lambda p: replace(p, proofs=p.proofs[1:]), "ledger-proof"),
    "another place": (lambda p: replace(p, proofs=(replace(p.proofs[0], index=3),)), "ledger-proof"),
    "a path cut short": (lambda p: replace(p, proofs=(replace(p.proofs[0], path=()),)), "ledger-proof"),
    "a path that is no hash": (lambda p: replace(p, proofs=(replace(p.proofs[0], path=("x",)),)), "malformed"),
    "a grant's proof broken": (
        lambda p: replace(p, proofs=(p.proofs[0], replace(p.proofs[1], path=p.proofs[1].path[::-1]))),
        "ledger-proof",
    ),
    "a leaf with another digit": (
        lambda p: replace(p, proofs=(replace(p.proofs[0], leaf=p.proofs[0].leaf.replace("commit", "kommit")),)),
        "ledger-proof",
    ),
    "a leaf that is no object": (lambda p: replace(p, proofs=(replace(p.proofs[0], leaf="[]"),)), "malformed"),
    "no checkpoint": (lambda p: replace(p, checkpoint="nothing\n"), "ledger-proof"),
    "a checkpoint with another size": (
        lambda p: replace(p, checkpoint=p.checkpoint.replace("\n5\n", "\n6\n")),
        "ledger-proof",
    ),
    "a checkpoint that a stranger signed": (lambda _: ledger_part(key=STRANGER), "ledger-proof"),
    "the entry of something else": (lambda _: ledger_part(record="consent-grant/1.0"), "ledger-proof"),
    "an entry of another moment": (lambda _: ledger_part(AT - timedelta(seconds=1)), "ledger-proof"),
}


@pytest.mark.parametrize("name", PROOFS)
def test_a_release_that_the_ledger_does_not_prove_is_refused(name: str, dub: Path) -> None:
    change, expected = PROOFS[name]
    assert reason(_part(change), dub) == expected


def test_of_several_gates_only_the_time_of_the_key_that_signed_counts(dub: Path) -> None:
    data = replace(Made(), key=STRANGER).data()
    second = TrustedGate(VERIFIER, listed(STRANGER), VALID, ("DUBGATE_RELEASE",))
    assert asked(data, dub, trust=replace(TRUST, gates=(*TRUST.gates, second))).keyid == listed(STRANGER).keyid
    revoked = replace(second, validity=replace(VALID, revoked_at=NOW))
    assert reason(data, dub, trust=replace(TRUST, gates=(*TRUST.gates, revoked))) == "key-revoked"


def test_a_key_of_another_kind_verifies_through_securesystemslib(dub: Path) -> None:
    """As a key service signs: ECDSA over P-256."""
    from securesystemslib.signer import CryptoSigner

    signer = CryptoSigner.generate_ecdsa()
    key = SigningKey(signer.public_key.keytype, signer.public_key.scheme, signer.public_key.keyval["public"])
    assert key.keyid == signer.public_key.keyid
    data = certificate_bytes(sign(Made().statement(), signer), sign(Made().measurements(), signer))
    trust = replace(TRUST, gates=(TrustedGate(VERIFIER, key, VALID, ("DUBGATE_RELEASE",)),))
    assert asked(data, dub, trust=trust).keyid == key.keyid
    other = base64.b64encode(signer_of(GATE).sign(b"other").signature.encode()).decode()
    assert reason(changed(data, lambda d: d["verdict"]["signatures"][0].update(sig=other)), dub, trust=trust) == (
        "bad-signature"
    )


# The annex


def _annexed(annex: bytes, tmp_path: Path, dub: Path, certificate: bytes = GOOD) -> Verified:
    path = tmp_path / "annex.json"
    path.write_bytes(annex)
    return asked(certificate, dub, annex=path)


def test_the_annex_is_the_one_that_was_signed_over(tmp_path: Path, dub: Path) -> None:
    assert _annexed(ANNEX, tmp_path, dub)
    with pytest.raises(refusals.AlteredAnnex):
        _annexed(ANNEX.replace(b"holder-1", b"holder-2"), tmp_path, dub)


@pytest.mark.parametrize("who", ["holder", "stranger"])
def test_what_people_signed_is_verified_offline(who: str, tmp_path: Path, dub: Path) -> None:
    """Even an annex that the gate vouches for is refused if somebody's signature in it is not theirs."""
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "dub", "digest": {"sha256": "1" * 64}}],
        "predicateType": "urn:dubgate:approval:1.0",
        "predicate": {},
    }
    envelope = sign(statement, signer_of(HOLDER if who == "holder" else STRANGER))
    annex = annex_bytes([SignedCopy("urn:dubgate:approval:1.0", envelope, "h", listed(HOLDER).public)], {}, [])
    from made_vectors import payload_sha256

    made = Made().with_claim(
        annex_sha256=hashlib.sha256(annex).hexdigest(),
        signed=(SignedUsed("urn:dubgate:approval:1.0", payload_sha256(envelope)),),
    )
    if who == "holder":
        assert _annexed(annex, tmp_path, dub, made.data()).n_signed == 1
        other = made.with_claim(signed=(SignedUsed("urn:dubgate:approval:1.0", "7" * 64),))
        with pytest.raises(refusals.AlteredAnnex, match="rests on"):
            _annexed(annex, tmp_path, dub, other.data())
    else:
        with pytest.raises(refusals.AlteredAnnex):
            _annexed(annex, tmp_path, dub, made.data())


# A publisher's policy


def _demanding(text: str, tmp_path: Path, dub: Path, certificate: bytes = GOOD) -> Verified:
    path = tmp_path / "publish.yaml"
    path.write_text(f"schema: publish-policy/1.0\n{text}", encoding="utf-8")
    return asked(certificate, dub, policy=path)


def test_a_leaf_that_says_another_place_than_it_has_in_the_tree_is_refused() -> None:
    def checked(index: int) -> None:
        leaf = json.dumps({"index": index})
        _check_proof(Proof(leaf, 0, ()), Checkpoint("ledger.example", 1, leaf_hash(leaf.encode())), "entry")

    checked(0)
    for index in (1, -1):
        with pytest.raises(refusals.LedgerProof, match="entry 0"):
            checked(index)


def test_a_publisher_demands_levels_and_packs(tmp_path: Path, dub: Path) -> None:
    level = "levels: [DUBGATE_RELEASE]\n"
    assert _demanding(f"{level}packs:\n  - {{pack: core}}\n  - {{pack: core, sha256: '{'2' * 64}'}}\n", tmp_path, dub)
    with pytest.raises(refusals.LevelDemanded):
        _demanding("levels: [DUBGATE_RELEASE_EMBEDDED]\n", tmp_path, dub)
    with pytest.raises(refusals.PackDemanded):
        _demanding(f"{level}packs: [{{pack: loudness-netflix}}]\n", tmp_path, dub)
    with pytest.raises(refusals.PackDemanded):
        _demanding(f"{level}packs: [{{pack: core, sha256: '{'9' * 64}'}}]\n", tmp_path, dub)


@pytest.mark.parametrize("text", ["", "levels: []\n", "levels: [ANY]\n", "levels: [DUBGATE_RELEASE]\npack: core\n"])
def test_a_policy_that_demands_nothing_or_something_unknown_does_not_load(text: str, tmp_path: Path, dub: Path) -> None:
    with pytest.raises(InputError):
        _demanding(text, tmp_path, dub)


# Laws, others' classes, vectors, weight


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255))
def test_a_certificate_with_one_other_byte_is_refused_or_says_the_same(dub: Path, k: int, byte: int) -> None:
    data = GOOD[:k] + bytes([byte]) + GOOD[k + 1 :]
    try:
        verified = asked(data, dub)
    except Refused:
        return
    assert verified == asked(GOOD, dub)
    assert json.loads(data) == json.loads(GOOD)


def test_securesystemslib_accepts_both_envelopes() -> None:
    from securesystemslib.signer import SSlibKey

    key = SSlibKey.from_crypto(GATE.public_key())
    for envelope in (json.loads(GOOD)["verdict"], json.loads(GOOD)["measurements"]):
        assert list(Envelope.from_dict(envelope).verify([key], 1)) == [listed(GATE).keyid]


def test_in_totos_own_classes_accept_both_statements() -> None:
    statement_v1 = pytest.importorskip("in_toto_attestation.v1.statement")
    from google.protobuf.json_format import ParseDict
    from in_toto_attestation.v1 import statement_pb2

    for name in ("verdict", "measurements"):
        payload = json.loads(base64.b64decode(json.loads(GOOD)[name]["payload"]))
        parsed = ParseDict(payload, statement_pb2.Statement())
        statement_v1.Statement.copy_from_pb(parsed).validate()


def test_the_verdict_is_a_verification_summary_as_slsa_writes_it() -> None:
    """The fields that slsa.dev/verification_summary/v1 requires, with its own words for result and level."""
    predicate = json.loads(base64.b64decode(json.loads(GOOD)["verdict"]["payload"]))["predicate"]
    assert predicate["verificationResult"] == "PASSED"
    assert predicate["verifiedLevels"] == ["DUBGATE_RELEASE"]
    assert {"id", "version"} == set(predicate["verifier"])
    assert [set(i) for i in predicate["inputAttestations"]] == [{"uri", "digest"}] * 2
    assert {"timeVerified", "resourceUri", "policy"} <= set(predicate)


@pytest.mark.parametrize("case", json.loads((VECTORS / "cases.json").read_text()), ids=lambda c: c["certificate"])
def test_the_published_vectors_verify_as_they_say(case: dict[str, Any]) -> None:
    from datetime import datetime

    from made_vectors import test_key as key

    assert listed(key("root")).public == (VECTORS / "root.hex").read_text().strip() == listed(ROOT).public
    how = {
        "territory": case["territory"],
        "channel": case["channel"],
        "trust": VECTORS / "trust.json",
        "root": (VECTORS / "root.hex").read_text().strip(),
        "annex": VECTORS / "annex.json",
        "now": datetime.fromisoformat(case["now"]),
    }
    if case["reason"] is None:
        assert verify(VECTORS / case["certificate"], VECTORS / "dub.bin", **how).release_id == "rel-vector"
    else:
        with pytest.raises(Refused) as refused:
            verify(VECTORS / case["certificate"], VECTORS / "dub.bin", **how)
        assert refused.value.reason == case["reason"]


def test_every_refusal_has_a_reason_of_its_own() -> None:
    found = [r for r in vars(refusals).values() if isinstance(r, type) and issubclass(r, Refused)]
    reasons = [r.reason for r in found]
    assert len(set(reasons)) == len(reasons) > 25


VERIFYING = f"""
import sys
from pathlib import Path
from datetime import datetime
from dubgate import verify
v = Path({str(VECTORS)!r})
verify(v / "released.json", v / "dub.bin", territory="DE", channel="svod", trust=v / "trust.json",
       root=(v / "root.hex").read_text().strip(), annex=v / "annex.json", now=datetime.fromisoformat("{NOW.isoformat()}"))
"""
TELLING = """
import resource, sys
used = resource.getrusage(resource.RUSAGE_SELF)
print(used.ru_utime + used.ru_stime, *sorted(m for m in sys.modules if "." not in m))
"""


def told_of(program: str) -> list[str]:
    """The processor seconds of this program with its interpreter's start, and the modules that it loaded."""
    ran = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, cwd=ROOTS)
    return ran.stdout.split()


def test_verifying_is_light_and_starts_in_a_moment() -> None:
    """A few interpreters' starts of processor time, and no model, database or validation library."""
    turns = [(told_of(TELLING), told_of(VERIFYING + TELLING)) for _ in range(5)]
    loaded = turns[0][1][1:]
    heavy = {"torch", "torchaudio", "numpy", "av", "sqlmodel", "sqlalchemy", "cel", "pydantic", "scipy", "click"}
    assert not heavy & set(loaded)
    bare, verifying = (min(float(told[0]) for told in each) for each in zip(*turns, strict=True))
    assert verifying < 12 * bare, "it was 5 times when this was written"
