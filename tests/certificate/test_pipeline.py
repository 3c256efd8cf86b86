"""The pipeline example publishes one release and refuses eleven, each for its own reason; through a real shell."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from made_certificate import AT, LATER, YEAR, Place, key_of, with_gate, writing
from made_delivery import NOW
from made_package import LABEL, make_package, make_sounding_place, read_sound
from test_rewrapped import remuxed

from consent.events import Event
from consent.titles import Refusal
from consent.vocabulary import EventKind
from dubgate.certificate.dsse import new_private_key, public_of, save_private_key, signer_of
from dubgate.certificate.key_cards import new_card

ROOT = Path(__file__).resolve().parents[2]
PUBLISH = ROOT / "samples" / "pipeline" / "publish.sh"


@dataclass(frozen=True)
class Line:
    """A publisher's pipeline: its place, its folder, and the certificate of the right release."""

    place: Place
    folder: Path
    certificate: Path

    def told(self, *arguments: object, at: datetime = LATER, **environment: object) -> str:
        """What the pipeline says; it published exactly where it says so."""
        public = self.folder / "public"
        shutil.rmtree(public, ignore_errors=True)
        keys = {
            "DUBGATE_TRUST": self.place.trust_file(self.folder),
            "DUBGATE_TRUST_ROOT": key_of(self.place.keys.root).public,
            "DUBGATE_TRUST_SEEN": self.folder / f"seen-{len(list(self.folder.iterdir()))}.json",
            "DUBGATE_REGISTRY": self.place.world.registry,
            "DUBGATE_GATE_KEY": self.folder / "gate.pem",
            "DUBGATE_LEDGER_KEY": self.folder / "ledger.pem",
            "DUBGATE_GATE_PARTY": "op-1",
            "DUBGATE_VERIFIER": self.place.trust.gates[0].verifier,
            "DUBGATE": f"{sys.executable} {Path(__file__).parent / 'dubgate_at.py'}",
            "DUBGATE_TEST_AT": at.isoformat(),
            "TERRITORY": "DE",
            "CHANNEL": "svod",
            "PUBLIC": public,
            "PYTHONPATH": ROOT,
        }
        settings = {**os.environ, **{k: str(v) for k, v in (keys | environment).items()}}
        command = ["sh", str(PUBLISH), *map(str, arguments)]
        out = subprocess.run(command, env=settings, capture_output=True, text=True, check=False, timeout=120)
        published = [p.name for p in public.iterdir()] if public.exists() else []
        assert (out.returncode == 0) == (len(published) == 1) == out.stdout.startswith("published"), out.stderr
        return out.stdout.strip()

    def reason(self, *arguments: object, **how: Any) -> str:
        said = self.told(*arguments, **how)
        assert said.startswith("refused")
        return said.partition("(")[2].rstrip(")")


@pytest.fixture(scope="module")
def line(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Line:
    folder = tmp_path_factory.mktemp("line")
    place = make_sounding_place(folder / "place", read_sound(samples / "clean" / "dub.flac", 0.0, 3.0))
    for purpose, key in (("gate", place.keys.gate), ("ledger", place.keys.ledger)):
        new_card(folder / f"{purpose}.pem", purpose, public_of(key), AT - YEAR, AT + YEAR)
        save_private_key(key, folder / f"{purpose}.pem", None)
    return Line(place, folder, place.certified(folder / "verdict").certificate)


@pytest.fixture(scope="module")
def package(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    sound = read_sound(samples / "clean" / "dub.flac", 0.0, 3.0)
    return make_package(tmp_path_factory.mktemp("package") / "film", [sound] * 2, names=[LABEL] * 2)


def test_the_release_is_published_and_a_package_of_it(line: Line, package: Path) -> None:
    assert line.told(line.certificate, line.place.file) == "published: dub.flac"
    assert line.told(line.certificate, package, line.place.file) == "published: film"


def test_nothing_is_published_without_a_certificate(line: Line, tmp_path: Path) -> None:
    assert line.reason(tmp_path / "none.json", line.place.file) == "no-certificate"


def test_other_bytes_and_a_rewrapped_file_that_lost_its_label_are_refused(line: Line, tmp_path: Path) -> None:
    other = tmp_path / "dub.flac"
    other.write_bytes(line.place.file.read_bytes() + b"\0")
    assert line.reason(line.certificate, other) == "other-bytes"
    assert line.reason(line.certificate, remuxed(line.place.file, tmp_path / "dub.mka")) == "re-wrapped"


def test_what_has_expired_or_is_for_elsewhere_is_refused(line: Line) -> None:
    assert line.reason(line.certificate, line.place.file, at=AT + timedelta(hours=25)) == "expired"
    assert line.reason(line.certificate, line.place.file, TERRITORY="JP") == "other-territory"


def ended(line: Line, folder: Path, record: Any) -> str:
    own = line.place.copied(folder / "own")
    with writing(own, AT + timedelta(minutes=1)) as registry:
        registry.add(record)
    return line.reason(line.certificate, line.place.file, DUBGATE_REGISTRY=own.world.registry)


def test_a_withdrawn_consent_is_refused(line: Line, tmp_path: Path) -> None:
    grant = line.place.world_grants()[0]
    said = {"event_id": "e-1", "target": "grant", "target_id": grant.grant_id, "kind": EventKind.WITHDRAWN}
    assert ended(line, tmp_path, Event(**said, effective_at=AT, by=grant.granted_by)) == "consent-ended"


def test_a_standing_refusal_is_refused(line: Line, tmp_path: Path) -> None:
    said = {"refusal_id": "r-1", "by": "kestrel", "title_ids": ("last-train",), "words": {"en": "No AI dub."}}
    assert ended(line, tmp_path, Refusal(**said, not_before=NOW)) == "standing-refusal"


def test_a_failed_verdict_an_unknown_key_and_a_level_that_is_not_accepted_are_refused(
    line: Line, tmp_path: Path
) -> None:
    failed = line.place.certified(tmp_path / "failed", line.place.world.judged(at=AT)).certificate
    assert line.reason(failed, line.place.file) == "failed"
    keys = replace(line.place.keys, gate=new_private_key())
    foreign = replace(line.place, keys=keys).certified(tmp_path / "foreign").certificate
    assert line.reason(foreign, line.place.file) == "unknown-key"
    strict = with_gate(line.place.trust, levels=("DUBGATE_RELEASE",))
    trust = line.place.trust_file(tmp_path, strict)
    assert line.reason(line.certificate, line.place.file, DUBGATE_TRUST=trust) == "level-not-accepted"


def test_a_label_stripped_in_one_rendition_is_refused(line: Line, package: Path, tmp_path: Path) -> None:
    spoilt = Path(shutil.copytree(package.parent, tmp_path / "film")) / "master.m3u8"
    spoilt.write_text(spoilt.read_text().replace(f'NAME="{LABEL}"', 'NAME="English"', 1))
    assert line.reason(line.certificate, spoilt, line.place.file) == "label-lost"


def test_a_tool_that_breaks_publishes_nothing(line: Line) -> None:
    assert line.reason(line.certificate, line.place.file, DUBGATE="false") == "could-not-judge"
    assert line.reason(line.certificate, line.place.file, DUBGATE="no-such-command") == "could-not-judge"
    assert signer_of(line.place.keys.gate) is not None
