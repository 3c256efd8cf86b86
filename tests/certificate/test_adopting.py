"""Rule packs are put in force by a signature over their very bytes, and a publisher can demand that."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from made_certificate import AT, LATER, Place, make_place, writing

from consent.certifications import Adoption, Certification, in_force
from consent.errors import RecordError, SignatureError
from consent.events import Event
from consent.registry import Registry
from consent.witnessing import Witness
from consent.writing import Addition
from dubgate.adopting import adopt, adopted_in
from dubgate.certificate import refusals
from dubgate.certificate.dsse import public_of, save_private_key
from dubgate.certificate.file import open_certificate
from dubgate.cli.main import run
from dubgate.errors import InputError, RegistryError
from dubgate.labels.tracks import Labels
from dubgate.policy.packs import Pack, load_packs
from dubgate.replaying import packs_of_that_day


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Place:
    made = make_place(tmp_path_factory.mktemp("place"))
    return replace(made, right=made.judged())


@pytest.fixture
def place(first: Place, tmp_path: Path) -> Place:
    return first.copied(tmp_path / "place")


def packs_of(place: Place) -> tuple[Pack, ...]:
    return load_packs([str(place.world.folder / "house.yaml")])


def adopted(place: Place, packs: Any, kind: Any = "adopted", by: str = "qc-lead", key: str = "qc-lead") -> Any:
    where = str(place.world.registry)
    return adopt(
        packs, kind, location=where, by=by, key=place.world.keys[key], reason="the first rules", clock=lambda: LATER
    )


def all_of(place: Place, folder: Path) -> tuple[Pack, ...]:
    """Every pack that judged: those that were asked for, and those that the release itself called for."""
    opened = open_certificate((folder / "certificate.json").read_bytes(), place.trust, LATER, "certificate")
    return packs_of_that_day(opened, folder / "packs")


def other(pack: Pack) -> Pack:
    return replace(pack, sha256="b" * 64, version="2027.01")


def test_adopted_packs_are_in_force_by_their_bytes_until_others_replace_them(place: Place) -> None:
    core, house = packs_of(place)
    assert [a.pack for a in adopted(place, (core, house))] == ["core", "house"]
    assert adopted(place, (core, house)) == ()
    (change,) = adopted(place, (other(house),))
    assert (change.replaces, change.version) == (house.sha256, "2027.01")
    assert [(a.pack, a.sha256) for a in adopted_in(str(place.world.registry))] == [
        ("core", core.sha256),
        ("house", "b" * 64),
    ]
    adopted(place, (core,), "retired")
    assert [a.pack for a in adopted_in(str(place.world.registry))] == ["house"]
    with Registry.open(place.world.registry, read_only=True) as registry:
        assert registry.audit().sound


def said(place: Place, **changes: Any) -> Adoption:
    house = packs_of(place)[1]
    given = {"adoption_id": "ad-1", "kind": "adopted", "pack": "house", "version": "1", "sha256": house.sha256}
    return Adoption(**(given | {"by": "qc-lead", "reason": "because"} | changes))


def test_retiring_the_bytes_of_an_earlier_day_leaves_todays_in_force() -> None:
    made = {"pack": "house", "version": "1", "by": "qc-lead", "reason": "because"}
    first, second = (Adoption(adoption_id=f"ad-{x}", kind="adopted", sha256=x * 64, **made) for x in "ab")
    retired = Adoption(adoption_id="ad-c", kind="retired", sha256="a" * 64, **made)
    assert in_force((first, second, retired)) == {"house": second}
    assert in_force((second, first, retired)) == {}


def test_an_adoption_without_its_authors_signature_never_enters(place: Place) -> None:
    with writing(place, AT) as registry, pytest.raises(SignatureError, match="signature"):
        registry.add(said(place))
    with pytest.raises(RegistryError, match="is not one of qc-lead"):
        adopted(place, packs_of(place), key="rival")
    with pytest.raises(RegistryError, match="no key for the role operator or legal"):
        adopted(place, packs_of(place), by="kestrel", key="kestrel")
    assert adopted_in(str(place.world.registry)) == ()


def test_what_a_stolen_key_put_in_force_is_in_force_no_more_and_what_was_before_it_is_again(place: Place) -> None:
    core, house = packs_of(place)
    adopted(place, (house,))
    with writing(place, LATER) as registry:  # the ledger until here is seen by a witness
        head = registry.head()
        witness = {"witness_id": "w-1", "by": "op-1", "size": head.size, "root": head.root.hex()}
        registry.add(Witness.model_validate_json(json.dumps(witness | {"seen_at": LATER.isoformat()})))
    adopted(place, (core, other(house)))
    with writing(place, LATER + timedelta(minutes=1)) as registry:
        with registry.view() as view:
            holder = view.key(public_of(place.world.keys["qc-lead"]).public_hex, LATER)
        assert holder is not None
        revoked = {"event_id": "e-1", "target": "key", "target_id": holder.key.key_id, "kind": "revoked", "by": "op-1"}
        registry.add(Event.model_validate_json(json.dumps(revoked | {"effective_at": LATER.isoformat()})))
        with registry.view() as view:
            standing = in_force(view.adoptions())
            assert {a.pack for a in view.adoptions()} == {"core", "house"}, (
                "core is known: no certificate of it is renewed"
            )
    assert [(name, a.sha256) for name, a in standing.items()] == [("house", house.sha256)]


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"replaces": "c" * 64}, "none is in force"),
        ({"kind": "retired"}, "not in force"),
        ({"by": "nobody"}, "no party"),
    ],
)
def test_a_change_that_does_not_follow_on_what_is_in_force_is_refused(
    place: Place, changes: dict[str, Any], what: str
) -> None:
    from dubgate.certificate.records import signed

    record = said(place, **changes)
    envelope = signed(record, place.world.keys["qc-lead"])
    with writing(place, AT) as registry, pytest.raises(RecordError, match=what):
        registry.add(Addition(record, envelope=envelope))


def test_a_certification_is_of_a_release_that_is_recorded(place: Place, tmp_path: Path) -> None:
    blocked = place.certified(tmp_path / "blocked", place.world.judged(at=AT, labels=Labels(())))
    said = {"certification_id": "ren-1", "kind": "renewal", "certificate_sha256": "c" * 64, "recorded_by": "op-1"}
    with writing(place, LATER) as registry:
        for release_id in ("rel-none", blocked.verdict.claim.release_id):
            with pytest.raises(RecordError, match="no release"):
                registry.add(Certification(**said, release_id=release_id))


def test_the_audit_finds_an_adoption_whose_signature_is_gone(place: Place) -> None:
    from sqlalchemy import text

    adopted(place, packs_of(place))
    with writing(place, AT) as registry:
        with registry._engine.begin() as connection:
            names = connection.execute(text("select name from sqlite_master where type = 'trigger'")).scalars().all()
            for name in names:
                connection.execute(text(f"drop trigger {name}"))
            connection.execute(text("update entry set envelope = null where schema_name = 'consent-adoption/1.0'"))
        assert any("is not signed" in problem for problem in registry.audit().problems)


def policy(folder: Path, text: str = "adopted: true\n") -> Path:
    path = folder / "publish.yaml"
    levels = "[DUBGATE_RELEASE, DUBGATE_RELEASE_EMBEDDED]"
    path.write_text(f"schema: publish-policy/1.0\nlevels: {levels}\n{text}", encoding="utf-8")
    return path


def test_a_publisher_can_demand_packs_that_are_in_force(place: Place, tmp_path: Path) -> None:
    certificate = place.certified(tmp_path / "verdict").certificate
    asked = {"policy": policy(tmp_path), "registry": str(place.world.registry)}
    with pytest.raises(refusals.PackDemanded, match="nobody has put it in force"):
        place.verified(certificate, **asked)
    with pytest.raises(InputError, match="no registry"):
        place.verified(certificate, policy=asked["policy"])
    judged = all_of(place, tmp_path / "verdict")
    house = next(p for p in judged if p.name == "house")
    adopted(place, [other(p) if p is house else p for p in judged])
    with pytest.raises(refusals.PackDemanded, match="is in force"):
        place.verified(certificate, **asked)
    adopted(place, (house,))
    assert place.verified(certificate, **asked, now=LATER)


def certify_elsewhere(place: Place, folder: Path) -> Path:
    """The folder of a certificate of the same release, in another registry."""
    return place.copied(folder / "elsewhere").certified(folder / "first").certificate.parent


def test_the_commands_adopt_retire_and_write_a_policy(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_private_key(place.world.keys["qc-lead"], tmp_path / "lead.pem", None)
    registry = ["--registry", str(place.world.registry)]
    answer = [*registry, "--as", "qc-lead", "--key", str(tmp_path / "lead.pem"), "--reason", "first"]
    house = str(place.world.folder / "house.yaml")
    others = [p.name for p in all_of(place, certify_elsewhere(place, tmp_path)) if p.name != "house"]
    assert run(["rules", "adopt", *others, house, *answer]) == 0
    assert "adopted: house 2026.11" in capsys.readouterr().out
    assert run(["rules", "adopt", house, *answer]) == 0
    assert "already in force" in capsys.readouterr().out
    assert run(["rules", "adopted", *registry, "--format", "policy"]) == 0
    written = policy(tmp_path, "")
    written.write_text(
        capsys.readouterr().out.replace("[DUBGATE_RELEASE]", "[DUBGATE_RELEASE_EMBEDDED]"), encoding="utf-8"
    )
    assert run(["rules", "retire", house, *answer]) == 0
    assert run(["rules", "adopted", *registry]) == 0
    assert "house" not in capsys.readouterr().out.split("retired: ")[-1].splitlines()[-1]
    assert run(["rules", "retire", house, *answer]) == 2
    assert place.verified(place.certified(tmp_path / "verdict").certificate, policy=written)
