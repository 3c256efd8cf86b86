"""A rule about labels that passed for the master is asked of the file that is certified in its place."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dubgate.certificate.refusals import LabelLost
from dubgate.label_rules import broken_label_rules
from dubgate.labels.tracks import LabelledTrack, Labels, Manifest
from dubgate.packaging import _require_labelled, require_label_rules
from dubgate.policy.packs import available

TRACK = LabelledTrack("dub.mka", "English [AI]", "en", True, True)
RELEASE: Any = SimpleNamespace(language="en")
LABELLED = Labels((TRACK,), (), (), (), "en")


def _opened(*names: str, passed: tuple[str, ...] = ("cn-gb-45438/CNG-AIGC",), spoilt: bool = False) -> Any:
    digests = {n: sha256(available()[n].read_bytes() + (b"#" if spoilt else b"")).hexdigest() for n in names}
    claim = SimpleNamespace(packs=[SimpleNamespace(name=n, sha256=digest) for n, digest in digests.items()])
    return SimpleNamespace(verdict=SimpleNamespace(claim=claim), measured=SimpleNamespace(passed=passed))


def test_a_label_that_a_law_demanded_of_the_master_is_demanded_of_what_was_made_of_it() -> None:
    [broken] = broken_label_rules(_opened("cn-gb-45438"), LABELLED)
    assert broken.startswith("cn-gb-45438/CNG-AIGC: The file does not carry exactly one complete AIGC label")


@pytest.mark.parametrize("passed", [(), ("cn-gb-45438/CNG-HEARD",), ("other/CNG-AIGC",)])
def test_what_did_not_pass_or_only_warns_is_not_asked(passed: tuple[str, ...]) -> None:
    assert broken_label_rules(_opened("cn-gb-45438", passed=passed), LABELLED) == ()


def test_the_packs_kept_with_the_certificate_are_asked_by_their_bytes(tmp_path: Path) -> None:
    opened = _opened("cn-gb-45438", spoilt=True)
    data = available()["cn-gb-45438"].read_bytes() + b"#"
    (tmp_path / f"{sha256(data).hexdigest()}.yaml").write_bytes(data)
    assert len(broken_label_rules(opened, LABELLED, tmp_path)) == 1
    (tmp_path / f"{sha256(data).hexdigest()}.yaml").write_bytes(data + b"#")
    [broken] = broken_label_rules(opened, LABELLED, tmp_path)
    assert broken == "cn-gb-45438: this pack is not at hand as it judged, so its rules cannot be asked"


def test_a_package_that_breaks_a_rule_the_master_passed_is_refused() -> None:
    heard: Any = SimpleNamespace(renditions=(SimpleNamespace(language="en"),), labels=LABELLED)
    with pytest.raises(LabelLost, match="CNG-AIGC"):
        require_label_rules(heard, _opened("cn-gb-45438"), RELEASE)
    require_label_rules(heard, _opened("cn-gb-45438", passed=()), RELEASE)


@pytest.mark.parametrize("entry", [None, 0, 1])
def test_credentials_in_the_dubs_own_media_that_tell_of_a_human_refuse_the_package(entry: int | None) -> None:
    """The same as in a delivery; what the media of another language carry says nothing of the dub."""
    human = Manifest("en.m4a", "Studio", ("c2pa.created",), ("digitalCapture",), entry=entry)
    labels = Labels((TRACK, TRACK), manifests=(human,), language="en")
    renditions = (SimpleNamespace(language="en"), SimpleNamespace(language="de"))
    heard: Any = SimpleNamespace(renditions=renditions, labels=labels)
    release: Any = SimpleNamespace(language="en", voices=("v-mara",))
    if entry == 1:
        _require_labelled(heard, release)
        return
    with pytest.raises(LabelLost, match="digitalCapture"):
        _require_labelled(heard, release)
