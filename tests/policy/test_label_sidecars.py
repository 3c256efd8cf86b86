"""A signed label beside a master that cannot hold one: it stands in for a label here, and nowhere else."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from made_delivery import LABELLED, NOW, SIGNED_AT, SOUNDS, World, decisive, features, make_world, sha

from dubgate.certificate.dsse import SignatureError
from dubgate.delivery.manifest import Delivery
from dubgate.errors import InputError
from dubgate.labelling import sidecar
from dubgate.labels.plan import LabelPlan
from dubgate.labels.tracks import Labels
from dubgate.policy.evidence import open_one
from dubgate.policy.label_sidecars import SIDECARS, LabelSidecar, Published, with_sidecar
from dubgate.policy.verdict import Decision

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "delivery"))
made_media = importlib.import_module("made_media")

PLAN = LabelPlan("English [AI]", "en")
NAMELESS = replace(LABELLED, name=None, machine_readable=False)
UNLABELLED = Labels((NAMELESS,), language="en")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def ac3(world: World) -> Path:
    return made_media.make(world.folder, "ac3", 0.2)


def of_ac3(delivery: Delivery, path: Path) -> Delivery:
    """The delivery with AC-3 as what is published."""
    dub = delivery.dub
    source = replace(dub.published, path=path)
    changed = {"mix": source} if dub.mix else {"stem": source}
    return replace(delivery, dub=replace(dub, **changed))


def signed(world: World, path: Path, by: str = "director", plan: LabelPlan = PLAN, **how: Any) -> bytes:
    said = {"key": world.keys[by], "at": SIGNED_AT} | how
    return sidecar(path, SOUNDS.dub, plan, by=by, **said)


def judged(
    world: World, ac3: Path, *envelopes: bytes, at: datetime = NOW, labels: Labels = UNLABELLED, **changes: Any
) -> Any:
    base = replace(of_ac3(world.delivery, ac3), **changes)
    delivery = world.with_evidence("sidecars", world.approval(), *envelopes, delivery=base)
    return world.judged(delivery=delivery, labels=labels, at=at)


def test_ac3_without_a_sidecar_blocks_and_with_one_is_released(world: World, ac3: Path) -> None:
    bare = judged(world, ac3)
    assert "LAB-001" in decisive(bare)
    labelled = judged(world, ac3, signed(world, ac3))
    assert labelled.verdict.decision is Decision.RELEASE
    [said] = [f for f in labelled.verdict.findings if f.rule == "LAB-001"]
    assert "signed sidecar ls-" in said.text.en


def another_file(world: World, ac3: Path) -> bytes:
    other = ac3.with_name("other.ac3")
    other.write_bytes(ac3.read_bytes() + ac3.read_bytes())
    return signed(world, other)


def another_sound(world: World, ac3: Path) -> bytes:
    return sidecar(
        ac3,
        replace(SOUNDS.dub, packet_sha256=sha("other")),
        PLAN,
        by="director",
        key=world.keys["director"],
        at=SIGNED_AT,
    )


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (another_file, "another file"),
        (another_sound, "other sound"),
        (lambda w, p: signed(w, p, at=NOW + timedelta(days=1)), "still to come"),
        (lambda w, p: signed(w, p, at=NOW - timedelta(days=181)), "expired"),
        (lambda w, p: signed(w, p, plan=LabelPlan("Deutsch (KI)", "de")), "labels de"),
        (lambda w, p: signed(w, p, plan=LabelPlan("English", "en")), "does not tell that AI"),
    ],
)
def test_a_sidecar_that_is_not_of_this_master_labels_nothing(
    world: World, ac3: Path, make: Callable[[World, Path], bytes], why: str
) -> None:
    found = judged(world, ac3, make(world, ac3))
    assert "LAB-001" in decisive(found)
    assert any(why in f.text.en for f in found.verdict.findings if f.rule in ("SIG-LABEL-SIDECAR", "INT-001"))


@pytest.mark.parametrize("by", ["reviewer-a", "stranger"])
def test_who_may_not_sign_labels_labels_nothing(world: World, ac3: Path, by: str) -> None:
    found = judged(world, ac3, signed(world, ac3, by=by))
    assert {"LAB-001", "INT-001"} <= decisive(found)


def test_one_flipped_byte_of_a_sidecar_is_noticed(world: World, ac3: Path, tmp_path: Path) -> None:
    envelope = signed(world, ac3)
    path = tmp_path / "label.json"
    at = envelope.index(b'"payload": "') + 60
    for k in range(at, at + 400, 37):
        path.write_bytes(envelope[:k] + bytes((envelope[k] ^ 1,)) + envelope[k + 1 :])
        with world.view() as view, pytest.raises(SignatureError):
            open_one(SIDECARS, path, view, NOW)


def test_a_package_needs_a_label_of_its_own(world: World, ac3: Path) -> None:
    found = judged(world, ac3, signed(world, ac3), stage="package", package=ac3)
    assert "LAB-001" in decisive(found)
    assert any("label of its own" in f.text.en for f in found.verdict.findings)


def test_a_container_that_can_hold_a_label_is_labelled_itself(world: World, ac3: Path, tmp_path: Path) -> None:
    flac = made_media.make(tmp_path, "flac", 0.2)
    with pytest.raises(InputError, match="can hold a label"):
        signed(world, flac)
    record = opened_record(world, ac3, tmp_path)
    now = Published(record.file_sha256, record.packets_sha256, "flac", "en", "master", NOW)
    labels, [told] = with_sidecar(UNLABELLED, [record_of_director(world, ac3, tmp_path)], now)
    assert labels.sidecar is None
    assert "can hold a label" in told.text.en


def test_a_name_that_the_file_gives_itself_is_never_painted_over(world: World, ac3: Path) -> None:
    named = Labels((replace(NAMELESS, name="English"),), language="en")
    found = judged(world, ac3, signed(world, ac3), labels=named)
    assert "LAB-001" in decisive(found)


def test_of_two_sidecars_one_stands_in(world: World, ac3: Path) -> None:
    two = (signed(world, ac3), signed(world, ac3, at=SIGNED_AT + timedelta(hours=1)))
    assert judged(world, ac3, *two).verdict.decision is Decision.RELEASE


def record_of_director(world: World, ac3: Path, folder: Path) -> Any:
    path = folder / "label.json"
    path.write_bytes(signed(world, ac3))
    with world.view() as view:
        return open_one(SIDECARS, path, view, NOW)


def opened_record(world: World, ac3: Path, folder: Path) -> LabelSidecar:
    record = record_of_director(world, ac3, folder).record
    assert isinstance(record, LabelSidecar)
    assert (record.container, record.text, record.machine_token) == ("ac3", "English [AI]", "public.machine-generated")
    assert features().published is not None
    return record


def test_a_delivery_without_sidecars_is_judged_by_its_own_labels(world: World) -> None:
    assert world.judged().verdict.decision is Decision.RELEASE  # its file is no sound: nothing looks into it


def test_the_command_reads_a_sidecar_back_with_the_registrys_keys(
    world: World, ac3: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from dubgate.cli.main import run
    from dubgate.digesting import digest_sound

    now = datetime.now(UTC)
    envelope = sidecar(ac3, digest_sound(ac3, 0), PLAN, by="director", key=world.keys["director"], at=now)
    file = tmp_path / "label.json"
    file.write_bytes(envelope)
    asked = ["label", "check", str(ac3), "--language", "en"]
    assert run(asked) == 1
    asked += ["--sidecar", str(file)]
    assert run(asked) == 2  # nobody says whose signature counts
    assert run([*asked, "--registry", str(world.registry)]) == 0
    assert "signed sidecar ls-" in capsys.readouterr().out
    file.write_bytes(envelope.replace(b'"sig": "', b'"sig": "A', 1))
    assert run([*asked, "--registry", str(world.registry)]) == 1


def test_the_command_signs_a_sidecar_into_the_deliverys_evidence(world: World, tmp_path: Path) -> None:
    from dubgate.certificate.dsse import save_private_key
    from dubgate.cli.main import run

    made_media.make(tmp_path, "ac3", 0.2)
    made_media.make(tmp_path, "flac", 0.2)
    save_private_key(world.keys["director"], tmp_path / "key.pem", None)
    manifest = tmp_path / "delivery.yaml"
    text = """schema: delivery/1.0
original: {language: de, mix: flac.flac}
dub: {language: en, mix: ac3.ac3}
cast: [{character: MARA, technique: human}]
"""
    manifest.write_text(text)
    asked = ["label", "sidecar", str(manifest), "--as", "director", "--key", str(tmp_path / "key.pem")]
    assert run([*asked, "--text", "English"]) == 2
    assert run([*asked, "--text", "English [AI]"]) == 0
    file = tmp_path / "evidence" / "label-director.json"
    with world.view() as view:
        record = open_one(SIDECARS, file, view, datetime.now(UTC)).record
    assert (record.text, record.language, record.container) == ("English [AI]", "en", "ac3")
    assert run([*asked, "--text", "English [AI]"]) == 2  # never over another
    manifest.write_text(text.replace("ac3.ac3", "flac.flac"))
    assert run([*asked, "--text", "English [AI]", "--name", "other"]) == 2
