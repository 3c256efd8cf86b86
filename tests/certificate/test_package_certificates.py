"""A package's certificate verifies for the files it was signed over, and for nothing else; from fixed keys, without media."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from made_vectors import AT, DAY, GATE, LEDGER, NOW, STRANGER, TRUST, VERIFIER, Made, ledger_part, listed

from dubgate import verify
from dubgate.certificate import refusals
from dubgate.certificate.dsse import sign, signer_of
from dubgate.certificate.package import (
    DUB,
    MANIFEST,
    OTHER,
    PackageClaim,
    PackageFile,
    RenditionShown,
    is_package_certificate,
    open_package,
    package_certificate_bytes,
    package_sha256,
    package_statement,
)
from dubgate.certificate.trust import TrustedGate, TrustStore, Validity
from dubgate.certificate.verdict import certificate_id
from dubgate.errors import InputError
from dubgate.package_files import digests_in

MASTER = Made()
FILES = {"master.m3u8": b"master", "a/init.mp4": b"init", "a/s0.m4s": b"segment", "de/s0.m4s": b"other"}
ROLES = {"master.m3u8": MANIFEST, "a/init.mp4": DUB, "a/s0.m4s": DUB, "de/s0.m4s": OTHER}
CLAIM = PackageClaim(
    package_id="pkg-vector",
    certificate_id=certificate_id(MASTER.statement()),
    release_id=MASTER.claim.release_id,
    master_sha256=MASTER.file_sha256,
    verifier=VERIFIER,
    packaged_at=AT,
    files=tuple(PackageFile(p, hashlib.sha256(d).hexdigest(), ROLES[p]) for p, d in sorted(FILES.items())),
    renditions=(RenditionShown("a", "English [AI]", -3, 12, 30, 28, 990_000),),
    bounds={"offset_s": "0.08"},
    ledger=ledger_part(AT, "consent-certification/1.0"),
)


def made(claim: PackageClaim = CLAIM, *, key: Any = GATE, master: Made = MASTER, **statement: Any) -> bytes:
    envelope = sign(package_statement(claim) | statement, signer_of(key))
    return package_certificate_bytes(envelope, master.data())


GOOD = made()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("package")
    for path, data in FILES.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_bytes(data)
    return folder


def asked(data: bytes, file: Path, **how: Any) -> Any:
    return verify(data, file, **({"territory": "DE", "channel": "svod", "trust": TRUST, "now": NOW} | how))


def reason(data: bytes, file: Path, **how: Any) -> str:
    with pytest.raises(refusals.Refused) as error:
        asked(data, file, **how)
    return error.value.reason


def test_a_file_of_the_dub_the_manifest_and_the_whole_folder_verify(folder: Path) -> None:
    assert is_package_certificate(GOOD)
    assert not is_package_certificate(MASTER.data())
    for file in (folder / "a" / "init.mp4", folder / "a" / "s0.m4s", folder / "master.m3u8", folder):
        found = asked(GOOD, file)
        assert (found.package_id, found.n_package_files) == ("pkg-vector", 4)
    assert open_package(GOOD, TRUST, NOW, "package").claim == CLAIM
    assert open_package(GOOD, TRUST, NOW, "package").sha256 == package_sha256(package_statement(CLAIM))


def test_other_files_other_bytes_and_other_folders_do_not(folder: Path, tmp_path: Path) -> None:
    assert reason(GOOD, folder / "de" / "s0.m4s") == "not-the-dub"
    own = tmp_path / "own"
    own.mkdir()
    for path, data in FILES.items():
        (own / path).parent.mkdir(exist_ok=True)
        (own / path).write_bytes(data)
    (own / "a" / "s0.m4s").write_bytes(b"Segment")
    assert reason(GOOD, own / "a" / "s0.m4s") == reason(GOOD, own) == "other-bytes"
    (own / "a" / "s0.m4s").unlink()
    assert reason(GOOD, own) == "package-incomplete"
    (own / "a" / "s0.m4s").write_bytes(b"segment")
    (own / "more.m3u8").write_bytes(b"master")
    assert reason(GOOD, own) == "package-incomplete"
    (own / "more.m3u8").unlink()
    (own / "a" / "s0.m4s").rename(own / "a" / "s1.m4s")
    assert reason(GOOD, own) == "package-incomplete"


SPOKEN = MASTER.claim.scope.language if MASTER.claim.scope is not None else ""
WITH_OTHERS = replace(CLAIM, others=(("de/index.m3u8", "xx"), ("fr/index.m3u8", "fr")))
BEFORE = replace(CLAIM, others=None)


@pytest.mark.parametrize(("claim", "named"), [(WITH_OTHERS, "de/index.m3u8 (xx)"), (BEFORE, "de/s0.m4s")])
def test_a_folder_with_other_languages_verifies_only_for_the_language_that_was_judged(
    claim: PackageClaim, named: str, folder: Path
) -> None:
    """Of a certificate that does not say what its other files are, they may be anything."""
    data = made(claim)
    assert open_package(data, TRUST, NOW, "package").claim == claim
    with pytest.raises(refusals.NotTheDub, match="nothing was judged about it") as error:
        asked(data, folder)
    assert named in error.value.what
    found = asked(data, folder, language=SPOKEN)
    assert found.not_judged[0] == named
    assert reason(data, folder, language="fr") == "other-language"
    assert reason(data, folder / "a" / "s0.m4s", language="fr") == "other-language"
    assert reason(data, folder / "de" / "s0.m4s", language=SPOKEN) == "not-the-dub"
    assert asked(data, folder / "a" / "s0.m4s").not_judged == found.not_judged
    with pytest.raises(InputError, match="language"):
        asked(data, folder, language="no such language")


def test_a_folder_of_the_dub_alone_needs_no_language(folder: Path) -> None:
    found = asked(GOOD, folder)
    assert found.not_judged == ()
    assert reason(GOOD, folder, language="fr") == "other-language"
    assert asked(GOOD, folder, language=SPOKEN)


def test_a_claim_of_the_version_before_is_read_as_what_it_was() -> None:
    statement = package_statement(BEFORE)
    assert statement["predicate"]["schema"] == "release-package/1.0"
    assert "others" not in statement["predicate"]
    assert package_statement(CLAIM)["predicate"]["schema"] == "release-package/1.1"


def test_a_link_in_the_folder_cannot_be_verified(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder / "master.m3u8")
    with pytest.raises(InputError, match="a link"):
        digests_in(tmp_path)
    with pytest.raises(InputError, match="a link"):
        asked(GOOD, tmp_path)


def test_a_folder_of_too_many_files_is_not_read_to_its_end(folder: Path) -> None:
    assert len(digests_in(folder)) == len(FILES)
    with patch("dubgate.package_files.MAX_FILES", 3), pytest.raises(InputError, match="more than 3 files"):
        digests_in(folder)


def test_what_the_master_does_not_allow_its_package_does_not(folder: Path) -> None:
    assert reason(GOOD, folder, territory="FR") == "other-territory"
    assert reason(GOOD, folder, channel="theatrical") == "other-channel"
    assert reason(GOOD, folder, now=AT + DAY) == "expired"
    failed = replace(
        Made().with_claim(decision="block", reasons=("CON-002",), grant_ids=()), result="FAILED", level="FAILED"
    )
    failed = replace(failed, measured=type(failed.measured)((), (), ("core/CON-002",)))
    claim = replace(CLAIM, certificate_id=certificate_id(failed.statement()), master_sha256=failed.file_sha256)
    assert reason(made(claim, master=failed), folder) == "failed"
    embedded = replace(MASTER, level="DUBGATE_RELEASE_EMBEDDED")
    claim = replace(CLAIM, certificate_id=certificate_id(embedded.statement()))
    assert reason(made(claim, master=embedded), folder) == "level-not-accepted"


def with_gate(**validity: Any) -> TrustStore:
    gate = TRUST.gates[0]
    return replace(TRUST, gates=(replace(gate, validity=replace(gate.validity, **validity)),))


CHANGED: dict[str, tuple[PackageClaim, str]] = {
    "another certificate": (replace(CLAIM, certificate_id="0" * 64), "other-master"),
    "another release": (replace(CLAIM, release_id="rel-other"), "other-master"),
    "another master": (replace(CLAIM, master_sha256="0" * 64), "other-master"),
    "another verifier": (replace(CLAIM, verifier="urn:other"), "wrong-verifier"),
    "older than its master": (
        replace(CLAIM, packaged_at=AT - DAY, ledger=ledger_part(AT - DAY, "consent-certification/1.0")),
        "malformed",
    ),
    "still to come": (
        replace(CLAIM, packaged_at=NOW + DAY / 2, ledger=ledger_part(NOW + DAY / 2, "consent-certification/1.0")),
        "not-yet-valid",
    ),
    "no ledger": (replace(CLAIM, ledger=None), "malformed"),
    "the release's own entry": (replace(CLAIM, ledger=ledger_part(AT)), "ledger-proof"),
    "an entry of another time": (
        replace(CLAIM, ledger=ledger_part(AT - timedelta(seconds=1), "consent-certification/1.0")),
        "ledger-proof",
    ),
    "a checkpoint by another key": (
        replace(CLAIM, ledger=ledger_part(AT, "consent-certification/1.0", key=STRANGER)),
        "ledger-proof",
    ),
    "no rendition": (replace(CLAIM, renditions=()), "malformed"),
    "no file of the dub": (replace(CLAIM, files=tuple(replace(f, role=OTHER) for f in CLAIM.files)), "malformed"),
    "a file twice": (replace(CLAIM, files=(*CLAIM.files, CLAIM.files[0])), "malformed"),
    "an unknown role": (replace(CLAIM, files=(replace(CLAIM.files[0], role="x"), *CLAIM.files[1:])), "malformed"),
}


@pytest.mark.parametrize("what", CHANGED)
def test_a_claim_that_does_not_belong_to_its_master_is_refused(folder: Path, what: str) -> None:
    claim, why = CHANGED[what]
    assert reason(made(claim), folder) == why


def statement_with(**predicate: Any) -> bytes:
    statement = package_statement(CLAIM)
    inner = {k: v for k, v in (statement["predicate"] | predicate).items() if v is not ...}
    return made(predicate=inner)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (made(key=STRANGER), "unknown-key"),
        (made(key=LEDGER), "unknown-key"),
        (made(predicateType="urn:dubgate:approval:1.0"), "wrong-predicate"),
        (made(_type="https://in-toto.io/Statement/v0.1"), "wrong-predicate"),
        (made(more=1), "malformed"),
        (statement_with(more=1), "malformed"),
        (statement_with(schema="release-package/2.0"), "malformed"),
        (statement_with(roles=["dub"]), "malformed"),
        (statement_with(bounds=[["a"]]), "malformed"),
        (statement_with(others=[["de"]]), "malformed"),
        (statement_with(others=...), "malformed"),
        (statement_with(schema="release-package/1.0"), "malformed"),
        (statement_with(bounds=[["a", 1]]), "malformed"),
        (statement_with(renditions=[{"where": "a"}]), "malformed"),
        (statement_with(package_id=5), "malformed"),
        (statement_with(certificate_id="x"), "malformed"),
        (statement_with(release_id=...), "malformed"),
        (b" " * 64_000_001, "malformed"),
    ],
)
def test_an_envelope_of_something_else_is_refused(folder: Path, data: bytes, why: str) -> None:
    if not is_package_certificate(data):
        with pytest.raises(refusals.Refused) as error:
            open_package(data, TRUST, NOW, "package")
        assert error.value.reason == why
    else:
        assert reason(data, folder) == why


def test_a_key_that_was_revoked_or_not_valid_signs_no_package(folder: Path) -> None:
    assert reason(GOOD, folder, trust=with_gate(revoked_at=NOW)) == "key-revoked"
    assert reason(GOOD, folder, trust=with_gate(not_before=AT + timedelta(seconds=1))) == "key-not-valid"
    ended = TrustedGate(VERIFIER, listed(STRANGER), Validity(AT - 9 * DAY, AT - DAY), ("DUBGATE_RELEASE",))
    two = replace(TRUST, gates=(*TRUST.gates, ended))
    assert reason(made(key=STRANGER), folder, trust=two) == "key-not-valid"
    good = replace(TRUST, gates=(*TRUST.gates, replace(ended, validity=TRUST.gates[0].validity)))
    assert asked(made(key=STRANGER), folder, trust=good)


def test_a_certificate_beyond_64_megabytes_is_not_read(folder: Path) -> None:
    with pytest.raises(refusals.Malformed, match="larger than 64 MB"):
        open_package(GOOD + b" " * 64_000_000, TRUST, NOW, "package")


SPOILT: dict[str, Callable[[dict[str, Any]], object]] = {
    "another payload": lambda d: d["package"].update(payload=d["package"]["payload"][:-8] + "AAAAAAA="),
    "another signature": lambda d: d["package"]["signatures"][0].update(sig="A" * 86 + "=="),
    "another master": lambda d: d.update(master=json.loads(Made().with_claim(release_id="rel-2").data())),
    "a verdict for a package": lambda d: d.update(package=d["master"]["verdict"]),
    "a package for a master": lambda d: d.update(master=d["package"]),
    "one part more": lambda d: d.update(more=1),
    "one part less": lambda d: d.pop("master"),
}


@pytest.mark.parametrize("what", SPOILT)
def test_one_part_exchanged_is_refused(folder: Path, what: str) -> None:
    data = json.loads(GOOD)
    SPOILT[what](data)
    with pytest.raises(refusals.Refused):
        asked(json.dumps(data, indent=1).encode(), folder)


def test_a_key_said_twice_is_refused(folder: Path) -> None:
    twice = GOOD.replace(b'"package": {', b'"package": {}, "package": {', 1)
    assert reason(twice, folder) == "repeated-key"


def test_a_renewed_certificate_stands_under_a_certification_and_no_other_does(folder: Path) -> None:
    renewed = MASTER.with_claim(renews="0" * 64)
    assert reason_of_master(renewed) == "ledger-proof"
    own = MASTER.with_claim(renews="0" * 64, ledger=ledger_part(AT, "consent-certification/1.0"))
    verify(own.data(), dub(folder), territory="DE", channel="svod", trust=TRUST, now=NOW)
    plain = MASTER.with_claim(ledger=ledger_part(AT, "consent-certification/1.0"))
    assert reason_of_master(plain) == "ledger-proof"


def dub(folder: Path) -> Path:
    from made_vectors import DUB as BYTES

    path = folder.parent / "dub.bin"
    path.write_bytes(BYTES)
    return path


def reason_of_master(master: Made) -> str:
    with pytest.raises(refusals.Refused) as error:
        verify(master.data(), Path(__file__), territory="DE", channel="svod", trust=TRUST, now=NOW)
    return error.value.reason
