"""What was decided is signed, and verifies; what was not earned is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_certificate import Place, make_place


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return make_place(tmp_path_factory.mktemp("place"))


def test_a_released_dub_gets_a_certificate_that_verifies(place: Place, tmp_path: Path) -> None:
    made = place.certified(tmp_path / "out")
    verified = place.verified(made.certificate, annex=made.annex, registry=str(place.world.registry))
    assert verified.level == "DUBGATE_RELEASE_EMBEDDED"
    assert verified.consents_asked
