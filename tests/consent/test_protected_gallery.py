"""Who may be looked for: the bulk reading against the one by one, permissions, confirmation, and the operator's switch."""

from __future__ import annotations

import random
import sqlite3
import struct
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from consent_examples import (
    DAY,
    ENCODER,
    NEXT_YEAR,
    NOW,
    Place,
    Ticking,
    enrolment,
    event,
    open_world,
    party,
    refusal,
    voice,
)
from consent_examples import permission as permitted

from consent.errors import RecordError, StoreError
from consent.gallery import ProtectedGallery, protected_gallery, protected_since, search_halt
from consent.registry import Registry
from consent.views import View, unpacked
from consent.vocabulary import EventKind, PermissionKind, Role
from consent.voices import SearchHalt
from consent.writing import Addition

OTHER_ENCODER = "f" * 64


def halt(**changes: Any) -> SearchHalt:
    said: dict[str, Any] = {
        "halt_id": "h-1",
        "by": "op-1",
        "legal_basis": "No biometric identification here: order 12 of the data protection authority.",
        "not_before": NOW,
        "not_after": NOW + 30 * DAY,
    }
    return SearchHalt(**(said | changes))


def somebody(k: int, rng: random.Random) -> list[Any]:
    """A voice with some permissions and perhaps a template: of this encoder or another, confirmed or not."""
    owner, own = f"p-{k}", f"v-{k}"
    made: list[Any] = [party(owner, Role.PERFORMER), voice(voice_id=own, owner_id=owner, agent_ids=())]
    kinds = [PermissionKind.KEEP, *rng.sample([PermissionKind.MATCH, PermissionKind.PROTECT], rng.choice([1, 1, 2]))]
    until = {kind: rng.choice([NEXT_YEAR, NEXT_YEAR, NOW + DAY]) for kind in kinds}
    made += [permitted(kind, own, given_by=owner, not_after=until[kind]) for kind in kinds]
    record = enrolment(
        enrolment_id=f"en-{k}",
        voice_id=own,
        encoder_sha256=rng.choice([ENCODER, ENCODER, OTHER_ENCODER]),
        confirmed_by=rng.choice([None, owner]),
    )
    made.append(Addition(record, vector=[rng.random() for _ in range(4)]))
    fate = rng.random()
    if fate < 0.2:
        target = {"target": "permission", "target_id": f"pm-{rng.choice(kinds).value}-{own}"}
        made.append(event(EventKind.WITHDRAWN, NOW, event_id=f"e-{k}", by=owner, **target))
    elif fate < 0.4:
        target = {"target": "enrolment", "target_id": f"en-{k}"}
        kind = rng.choice([EventKind.CONFIRMED, EventKind.INVALIDATED])
        made.append(event(kind, NOW, event_id=f"e-{k}", by=owner, **target))
    return made


def one_by_one(view: View, at: Any) -> list[tuple[str, tuple[float, ...], bool]]:
    return [(e.voice_id, e.vector, e.confirmed) for e in view.protected_voices(at, encoder_sha256=ENCODER)]


def at_once(found: ProtectedGallery) -> list[tuple[str, tuple[float, ...], bool]]:
    size = 4 * found.dimension
    rows = [found.templates[k * size : (k + 1) * size] for k in range(len(found.voice_ids))]
    vectors = [unpacked(row, found.dimension) for row in rows]
    return list(zip(found.voice_ids, vectors, found.confirmed, strict=True))


@pytest.mark.parametrize("seed", range(2))
def test_reading_all_at_once_finds_whom_reading_one_by_one_finds(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    people = [record for k in range(30) for record in somebody(k, rng)]
    with open_world(tmp_path, None, *people) as registry, registry.view() as view:
        for at in (NOW, NOW + 2 * DAY, NOW - DAY):
            found = protected_gallery(view, at, encoder_sha256=ENCODER)
            assert at_once(found) == one_by_one(view, at)
            assert found.elsewhere == view.protected_for_others(at, encoder_sha256=ENCODER)
        assert len(protected_gallery(view, NOW, encoder_sha256=ENCODER).voice_ids) > 3


def bo(*kinds: PermissionKind, **changes: Any) -> list[Any]:
    """The voice of p-bo, enrolled."""
    record = enrolment(enrolment_id="en-bo", voice_id="v-bo", **changes)
    return [*(permitted(kind, "v-bo") for kind in kinds), Addition(record, vector=(1.0, 0.0, 0.0, 0.0))]


ASKING = (PermissionKind.KEEP, PermissionKind.PROTECT)


def test_a_protected_voice_is_read_on_both_databases(place: Place) -> None:
    with open_world(place, None, *bo(*ASKING)) as registry, registry.view() as view:
        found = protected_gallery(view, NOW, encoder_sha256=ENCODER)
    assert (found.voice_ids, found.dimension) == (("v-bo",), 4)
    assert struct.unpack("<4f", found.templates) == (1.0, 0.0, 0.0, 0.0)
    assert "templates" not in repr(found)


def test_a_voice_without_protect_is_not_read_and_is_counted(tmp_path: Path) -> None:
    with (
        open_world(tmp_path, None, *bo(PermissionKind.KEEP, PermissionKind.MATCH)) as registry,
        registry.view() as view,
    ):
        found = protected_gallery(view, NOW, encoder_sha256=ENCODER)
    assert (found.voice_ids, found.templates, found.unpermitted) == ((), b"", 1)


def test_voices_of_the_title_of_the_vendor_and_of_refusals_are_near(tmp_path: Path) -> None:
    ada = [permitted(PermissionKind.PROTECT), Addition(enrolment(confirmed_by="p-ada"), vector=(0.0, 1.0, 0.0, 0.0))]
    with open_world(tmp_path, None, *ada, *bo(*ASKING, supplied_by="p-bo")) as registry:

        def near(**how: Any) -> tuple[bool, ...]:
            with registry.view() as view:
                return protected_gallery(view, NOW, encoder_sha256=ENCODER, **how).near

        assert near() == (False, False)
        assert near(title_ids=("show-101", "show")) == (True, False)
        assert near(vendor_ids=("vendor",)) == (True, False)  # it supplied Ada's recording
        registry.add(refusal(refusal_id="r-bo", by="p-bo", title_ids=(), voice_ids=("v-bo",)))
        assert near() == (False, True)


def test_without_the_registry_s_key_no_template_is_read(tmp_path: Path) -> None:
    with open_world(tmp_path, None, *bo(*ASKING)):
        pass
    (tmp_path / "registry.db.key").unlink()
    registry = Registry.open(tmp_path / "registry.db", clock=Ticking())
    with registry, registry.view() as view, pytest.raises(StoreError, match="key is not here"):
        protected_gallery(view, NOW, encoder_sha256=ENCODER)


def test_templates_of_one_encoder_with_other_dimensions_are_not_compared(tmp_path: Path) -> None:
    shorter = Addition(enrolment(dimension=3), vector=(0.0, 1.0, 0.0))
    ada = [permitted(PermissionKind.PROTECT), shorter]
    with (
        open_world(tmp_path, None, *ada, *bo(*ASKING)) as registry,
        registry.view() as view,
        pytest.raises(StoreError, match="different dimensions"),
    ):
        protected_gallery(view, NOW, encoder_sha256=ENCODER)


def test_a_person_whose_key_is_gone_is_not_left_out(tmp_path: Path) -> None:
    with open_world(tmp_path, None, *bo(*ASKING)):
        pass
    with sqlite3.connect(tmp_path / "registry.db") as connection:
        connection.execute("DELETE FROM person_key WHERE holder = 'voice:v-bo'")
    registry = Registry.open(tmp_path / "registry.db", clock=Ticking())
    with registry, registry.view() as view, pytest.raises(StoreError, match="the key of voice:v-bo is gone"):
        protected_gallery(view, NOW, encoder_sha256=ENCODER)


def test_an_operator_switches_the_search_off_on_a_legal_basis_until_a_day(place: Place) -> None:
    clock = Ticking()
    with open_world(place, clock, *bo(*ASKING), halt()) as registry:

        def read(at: Any) -> ProtectedGallery:
            with registry.view() as view:
                return protected_gallery(view, at, encoder_sha256=ENCODER)

        off = read(NOW)
        assert off.halt == halt()
        assert (off.voice_ids, off.templates) == ((), b"")
        assert read(NOW + 30 * DAY).halt is None
        assert read(NOW - timedelta(seconds=1)).halt is None
        on_again = {"target": "search_halt", "target_id": "h-1"}
        registry.add(event(EventKind.REVOKED, NOW, event_id="e-on", by="op-2", **on_again))
        assert read(NOW).halt is None
        assert read(NOW).voice_ids == ("v-bo",)
        assert registry.audit().sound


@pytest.mark.parametrize("by", ["vendor", "p-ada", "studio", "nobody"])
def test_only_an_operator_switches_the_search_off(tmp_path: Path, by: str) -> None:
    with open_world(tmp_path) as registry:
        with pytest.raises(RecordError, match="operator"):
            registry.add(halt(by=by))
        with registry.view() as view:
            assert search_halt(view, NOW) is None


@pytest.mark.parametrize("changes", [{"not_after": NOW}, {"legal_basis": " "}, {"not_after": None}])
def test_a_switch_has_a_reason_and_an_end(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"halt|term|empty|not_after"):
        halt(**changes)


@pytest.mark.parametrize("by", ["vendor", "p-bo"])
def test_only_an_operator_switches_it_on_again(tmp_path: Path, by: str) -> None:
    on_again = event(EventKind.REVOKED, NOW, event_id="e-on", by=by, target="search_halt", target_id="h-1")
    with open_world(tmp_path, None, halt()) as registry, pytest.raises(RecordError, match="may not record"):
        registry.add(on_again)


def test_a_permission_that_is_resumed_makes_its_voice_one_that_is_looked_for_since(tmp_path: Path) -> None:
    clock = Ticking()
    enrolled = Addition(enrolment(confirmed_by="p-ada"), vector=[0.5] * enrolment().dimension)
    asked = permitted(PermissionKind.PROTECT)
    target = {"target": "permission", "target_id": asked.permission_id}
    with open_world(tmp_path, clock, asked, enrolled) as registry:
        clock.now += DAY / 4
        registry.add(event(EventKind.SUSPENDED, clock.now, event_id="e-1", **target))
        clock.now = NOW + DAY
        registry.add(event(EventKind.RESUMED, clock.now, event_id="e-2", **target))
        clock.now += DAY
        with registry.view() as view:
            assert protected_since(view, NOW + DAY / 2) == {"v-ada"}
            assert protected_since(view, NOW + 1.5 * DAY) == frozenset()
