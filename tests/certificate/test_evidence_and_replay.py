"""What an auditor is given verifies without the registry, and judging again from what was kept gives the same verdict."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from made_certificate import AT, LATER, Place, make_place

from dubgate.certificate import refusals
from dubgate.certificate.file import open_certificate
from dubgate.certifying import Certified
from dubgate.errors import InputError
from dubgate.evidence_folder import SUMS, EvidenceRequest, _sums, check_evidence, write_evidence
from dubgate.measure.measurement import Scope, Subject
from dubgate.policy.findings import Finding, Group, Outcome, Text
from dubgate.policy.packs import load_packs
from dubgate.replaying import Replayed, _answered, packs_of_that_day, replay

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    made = make_place(tmp_path_factory.mktemp("place"))
    return replace(made, right=made.judged())


@pytest.fixture(scope="module")
def certified(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Certified:
    return place.certified(tmp_path_factory.mktemp("verdict"))


def request(place: Place, certificate: Path, folder: Path, **changes: Any) -> EvidenceRequest:
    from made_certificate import key_of

    asked = EvidenceRequest(certificate, place.trust_file(folder), key_of(place.keys.root).public, True)
    return replace(asked, **changes)


@pytest.fixture(scope="module")
def written(place: Place, certified: Certified, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("out")
    write_evidence(request(place, certified.certificate, folder), folder / "evidence", now=LATER)
    return folder / "evidence"


@pytest.fixture
def evidence(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "evidence"))


# evidence


def test_the_folder_verifies_in_another_process_without_a_registry(
    evidence: Path, place: Place, tmp_path: Path
) -> None:
    def ran(*more: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)}
        command = [sys.executable, "verify.py", *more]
        return subprocess.run(command, cwd=evidence, env=environment, capture_output=True, text=True, check=False)

    told = ran(str(place.file))
    assert told.returncode == 0, told.stderr
    for said in (
        "PASSED",
        "packs: ",
        "annex: 1 signed",
        "judged again: release, the same",
        "is the one that was judged",
    ):
        assert said in told.stdout
    other = tmp_path / "other.flac"
    other.write_bytes(place.file.read_bytes() + b"\0")
    assert "other-bytes" in ran(str(other)).stderr


def test_without_the_annex_nothing_private_is_in_it(place: Place, certified: Certified, tmp_path: Path) -> None:
    out = tmp_path / "evidence"
    write_evidence(request(place, certified.certificate, tmp_path, with_annex=False), out, now=LATER)
    assert list(check_evidence(out))[-1].startswith("packs: ")
    text = "".join(p.read_text(encoding="utf-8") for p in out.rglob("*") if p.is_file())
    assert "kestrel" not in text
    assert not (out / "annex.json").exists()


def summed(folder: Path) -> None:
    """The digests as a forger would write them anew."""
    (folder / SUMS).unlink()
    (folder / SUMS).write_text("".join(_sums(folder)), encoding="utf-8")


def one_byte(name: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = next(folder.glob(name))
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)

    return change


def other_measurement(folder: Path) -> None:
    path = folder / "judged.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    data["measurements"] = data["measurements"][1:]
    path.write_text(json.dumps(data), encoding="utf-8")


SPOILT: dict[str, tuple[Callable[[Path], Any], str]] = {
    "a pack": (one_byte("packs/*.yaml"), "altered-annex"),
    "the annex": (one_byte("annex.json"), "altered-annex"),
    "the measurements": (other_measurement, "altered-annex"),
    "the trust store": (one_byte("trust.json"), ""),
    "the certificate": (one_byte("certificate.json"), ""),
    "the root key": (lambda f: (f / "root.hex").write_text("00" * 32), "trust-unsigned"),
    "the day": (lambda f: (f / "taken_at").write_text("2040-01-01T00:00:00+00:00\n"), "trust-expired"),
    "a missing pack": (lambda f: next(f.glob("packs/*.yaml")).unlink(), ""),
}


@pytest.mark.parametrize("what", SPOILT)
def test_what_was_changed_is_refused_even_where_the_digests_were_written_anew(evidence: Path, what: str) -> None:
    change, reason = SPOILT[what]
    change(evidence)
    with pytest.raises(refusals.AlteredEvidence, match="not as it was made"):
        list(check_evidence(evidence))
    summed(evidence)
    with pytest.raises((refusals.Refused, InputError)) as error:
        list(check_evidence(evidence))
    assert not reason or (isinstance(error.value, refusals.Refused) and error.value.reason == reason)


def test_a_file_more_or_no_list_of_digests_is_refused(evidence: Path) -> None:
    (evidence / "more.txt").write_text("x", encoding="utf-8")
    with pytest.raises(refusals.AlteredEvidence, match=r"more\.txt"):
        list(check_evidence(evidence))
    (evidence / SUMS).unlink()
    with pytest.raises(refusals.AlteredEvidence, match="missing"):
        list(check_evidence(evidence))


def test_an_expired_trust_store_or_a_folder_that_is_there_writes_nothing(
    place: Place, certified: Certified, tmp_path: Path
) -> None:
    asked = request(place, certified.certificate, tmp_path)
    with pytest.raises(refusals.TrustExpired):
        write_evidence(asked, tmp_path / "evidence", now=AT.replace(year=2040))
    with pytest.raises(InputError, match="already there"):
        write_evidence(asked, tmp_path, now=LATER)
    with pytest.raises(refusals.NotYetValid):
        write_evidence(asked, tmp_path / "evidence", now=AT.replace(day=1))
    assert not (tmp_path / "evidence").exists()


# judging again


def replayed(place: Place, folder: Path, **how: Any) -> Replayed:
    data = (folder / "certificate.json").read_bytes()
    return replay(open_certificate(data, place.trust, LATER, "certificate"), folder, **how)


@pytest.fixture
def verdict(certified: Certified, tmp_path: Path) -> Path:
    return Path(shutil.copytree(certified.certificate.parent, tmp_path / "verdict"))


def test_a_release_judged_again_is_the_same_in_every_finding(place: Place, verdict: Path) -> None:
    found = replayed(place, verdict)
    assert (found.same, found.decision, found.certified_decision) == (True, "release", "release")
    assert found.n_judged >= 3


def test_a_refusal_judged_again_is_the_same_refusal(place: Place, tmp_path: Path) -> None:
    from dubgate.labels.tracks import Labels

    judgement = place.world.judged(at=AT, labels=Labels(()))
    place.certified(tmp_path / "blocked", judgement)
    found = replayed(place, tmp_path / "blocked")
    assert (found.same, found.decision) == (True, "block")


def test_another_threshold_says_what_it_changes(place: Place, verdict: Path, tmp_path: Path) -> None:
    house = (place.world.folder / "house.yaml").read_text(encoding="utf-8")
    stricter = tmp_path / "house.yaml"
    text = house.replace("at_most: -1 dBTP", "at_most: -20 dBTP").replace("values: [-3]", "values: [-30]")
    stricter.write_text(text, encoding="utf-8")
    (changed,) = [p for p in load_packs([str(stricter)]) if p.name == "house"]
    opened = open_certificate((verdict / "certificate.json").read_bytes(), place.trust, LATER, "certificate")
    of_that_day = packs_of_that_day(opened, verdict / "packs")
    packs = [changed if p.name == "house" else p for p in of_that_day]
    found = replayed(place, verdict, packs=packs)
    assert not found.same
    assert (found.decision, found.certified_decision) == ("hold", "release")
    assert found.changes == ("house/HOU-PEAK: pass then, hold now",)


def test_packs_and_measurements_that_are_not_those_of_that_day_are_refused(place: Place, verdict: Path) -> None:
    other_measurement(verdict)
    with pytest.raises(refusals.AlteredAnnex, match="measurements"):
        replayed(place, verdict)


def test_a_missing_part_cannot_be_judged(place: Place, verdict: Path) -> None:
    (verdict / "judged.json").unlink()
    with pytest.raises(InputError):
        replayed(place, verdict)


def test_findings_of_another_certificate_are_refused(place: Place, verdict: Path, tmp_path: Path) -> None:
    other = place.certified(tmp_path / "other", place.world.judged(at=AT))
    shutil.copyfile(other.annex, verdict / "annex.json")
    with pytest.raises(refusals.AlteredAnnex):
        replayed(place, verdict)


def test_what_people_answered_stands_only_where_the_rule_says_what_they_answered_to() -> None:
    subject = Subject(Scope.LINE, "L1")
    finding = Finding("TIM-ONSET", "house", Group.QUALITY, subject, Outcome.HOLD, Text("late", "遅い"))
    assert _answered(finding, {"was": "hold", "outcome": "waived"}) is Outcome.WAIVED
    assert _answered(finding, {"was": "unknown", "outcome": "pass"}) is Outcome.HOLD
    assert _answered(finding, {"was": None, "outcome": "pass"}) is Outcome.HOLD
    assert _answered(finding, None) is Outcome.HOLD


def test_a_folder_that_judges_otherwise_today_is_refused(evidence: Path) -> None:
    changed = Replayed("hold", "release", 3, ("house/HOU-PEAK: pass then, hold now",))
    with (
        patch("dubgate.evidence_folder.replay", return_value=changed),
        pytest.raises(refusals.AlteredEvidence, match="HOU-PEAK: pass then"),
    ):
        list(check_evidence(evidence))
