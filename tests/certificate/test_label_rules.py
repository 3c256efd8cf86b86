"""A rule about labels that passed for the master is asked of the file that is certified in its place."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dubgate.certificate.refusals import LabelLost
from dubgate.certificate.statements import RULING, WAIVER
from dubgate.label_rules import broken_label_rules
from dubgate.labels.tracks import LabelledTrack, Labels, Manifest, Place
from dubgate.packaging import _require_labelled, require_label_rules
from dubgate.policy.packs import available

TRACK = LabelledTrack("dub.mka", "English [AI]", "en", True, True)
RELEASE: Any = SimpleNamespace(language="en", voices=("v-ada",))
AT = datetime(2026, 11, 28, tzinfo=UTC)
LABELLED = Labels((TRACK,), (), (), (), "en")


def _opened(
    *names: str,
    passed: tuple[str, ...] = ("cn-gb-45438/CNG-AIGC",),
    warned: tuple[str, ...] = (),
    spoilt: bool = False,
    scope: Any = None,
    signed: tuple[Any, ...] = (),
) -> Any:
    digests = {n: sha256(available()[n].read_bytes() + (b"#" if spoilt else b"")).hexdigest() for n in names}
    claim = SimpleNamespace(
        packs=[SimpleNamespace(name=n, sha256=digest) for n, digest in digests.items()], scope=scope, signed=signed
    )
    verdict = SimpleNamespace(claim=claim, verified_at=AT)
    return SimpleNamespace(verdict=verdict, measured=SimpleNamespace(passed=passed, warned=warned, failed=()))


def test_a_label_that_a_law_demanded_of_the_master_is_demanded_of_what_was_made_of_it() -> None:
    [broken] = broken_label_rules(_opened("cn-gb-45438"), LABELLED)
    assert broken.startswith("cn-gb-45438/CNG-AIGC: The file does not carry exactly one complete AIGC label")


@pytest.mark.parametrize("passed", [(), ("cn-gb-45438/CNG-HEARD",), ("other/CNG-AIGC",)])
def test_what_did_not_pass_or_only_warns_is_not_asked(passed: tuple[str, ...]) -> None:
    assert broken_label_rules(_opened("cn-gb-45438", passed=passed), LABELLED) == ()


CREDENTIALS = Place("en.m4a: C2PA actions", "trained", token="C2PA")


def test_a_rule_that_did_not_concern_the_master_is_asked_where_the_labels_of_a_package_make_it_concern() -> None:
    """Core's own: a trusted signer's credentials in the package alone, which tell of no machine."""
    silent = replace(LABELLED, places=(replace(CREDENTIALS, token=None),))
    opened = _opened("core", passed=())
    assert broken_label_rules(opened, LABELLED) == (), "there are none"
    assert broken_label_rules(opened, replace(LABELLED, places=(CREDENTIALS,))) == ()
    [broken] = broken_label_rules(opened, silent)
    assert broken.startswith("core/LAB-C2PA: ")
    assert broken_label_rules(opened, silent, None, "package", False) == (), "no machine made voices of it"
    assert broken_label_rules(_opened("core", passed=(), warned=("core/LAB-C2PA",)), silent) == ()
    assert len(broken_label_rules(_opened("core", passed=("core/LAB-C2PA",)), silent)) == 1
    assert broken_label_rules(_opened("core", passed=("core/LAB-C2PA",)), LABELLED) == ()


HEAD = """schema: pack/1.1
pack: house
version: "2026.11"
as_of: "2026-11-20"
status: verified
group: quality
about: "A pack for tests."
"""


def condition(require: str, applies: str = "") -> str:
    first = f"    applies: '{applies}'\n" if applies else ""
    cases = "      - {facts: {}, outcome: pass}\n      - {facts: {}, outcome: block}\n"
    said = """    source: "a test"
    why: "because"
    remedy: "mend it"
    asks: {en: "The name", ja: "名前"}
    text: {en: "It is not so.", ja: "違います。"}
"""
    return f"  - id: HOU-ASKS\n{first}    require: '{require}'\n    severity: block\n{said}    tests:\n{cases}"


def _house(
    tmp_path: Path,
    rule: str,
    passed: tuple[str, ...] = (),
    head: str = HEAD,
    scope: Any = None,
    signed: tuple[Any, ...] = (),
) -> Any:
    """A certificate under a pack of a house's own, which lies beside it."""
    data = f"{head}rules:\n{rule}".encode()
    digest = sha256(data).hexdigest()
    (tmp_path / f"{digest}.yaml").write_bytes(data)
    claim = SimpleNamespace(packs=[SimpleNamespace(name="house", sha256=digest)], scope=scope, signed=signed)
    measured = SimpleNamespace(passed=passed, warned=(), failed=())
    return SimpleNamespace(verdict=SimpleNamespace(claim=claim, verified_at=AT), measured=measured)


NAMED = 'label.tracks.size() > 0 && label.tracks.all(t, t.name == "AI")'


def test_a_rule_about_packages_alone_is_asked_of_a_package(tmp_path: Path) -> None:
    packaged = _house(tmp_path, condition(NAMED, 'delivery.stage == "package"'))
    named = replace(LABELLED, tracks=(replace(TRACK, name="AI"),))
    assert broken_label_rules(packaged, LABELLED, tmp_path) == ("house/HOU-ASKS: It is not so.",)
    assert broken_label_rules(packaged, named, tmp_path) == ()
    assert broken_label_rules(packaged, LABELLED, tmp_path, "master") == ()
    either = _house(tmp_path, condition('delivery.stage == "master"'), passed=("house/HOU-ASKS",))
    assert len(broken_label_rules(either, named, tmp_path)) == 1
    assert broken_label_rules(either, named, tmp_path, "master") == ()


def test_what_cannot_be_told_of_a_package_refuses_it_and_what_did_not_concern_its_master_does_not(
    tmp_path: Path,
) -> None:
    more = 'delivery.stage == "package" && delivery.style == "lipsync"'
    assert len(broken_label_rules(_house(tmp_path, condition(NAMED, more)), LABELLED, tmp_path)) == 1
    elsewhere = _house(tmp_path, condition(NAMED, 'delivery.style == "lipsync"'))
    assert broken_label_rules(elsewhere, LABELLED, tmp_path) == ()
    asked = _house(tmp_path, condition(NAMED, 'delivery.style == "lipsync"'), passed=("house/HOU-ASKS",))
    assert len(broken_label_rules(asked, LABELLED, tmp_path)) == 1, "it concerned the master"
    assert broken_label_rules(asked, replace(LABELLED, tracks=(replace(TRACK, name="AI"),)), tmp_path) == ()


def test_where_and_when_a_package_is_released_is_where_and_when_its_rules_are_asked(tmp_path: Path) -> None:
    rule = condition(
        NAMED, 'delivery.stage == "package" && "svod" in distribution.channels && delivery.language == "en"'
    )
    scope = SimpleNamespace(territories=("DE",), channels=("svod",), language="en", window_start=AT, window_end=None)
    for head, n in (("", 1), ("territories: [DE]\n", 1), ("territories: [JP]\n", 0)):
        opened = _house(tmp_path, rule, head=HEAD + head, scope=scope)
        assert len(broken_label_rules(opened, LABELLED, tmp_path)) == n
    over = 'effective: {until: "2026-11-01"}\n'
    assert broken_label_rules(_house(tmp_path, rule, head=HEAD + over, scope=scope), LABELLED, tmp_path) == ()


def test_the_packs_kept_with_the_certificate_are_asked_by_their_bytes(tmp_path: Path) -> None:
    opened = _opened("cn-gb-45438", spoilt=True)
    data = available()["cn-gb-45438"].read_bytes() + b"#"
    (tmp_path / f"{sha256(data).hexdigest()}.yaml").write_bytes(data)
    assert len(broken_label_rules(opened, LABELLED, tmp_path)) == 1
    (tmp_path / f"{sha256(data).hexdigest()}.yaml").write_bytes(data + b"#")
    [broken] = broken_label_rules(opened, LABELLED, tmp_path)
    assert broken == "cn-gb-45438: this pack is not at hand as it judged, so its rules cannot be asked"


def test_a_pack_of_which_nothing_concerned_the_master_is_asked_of_a_package_by_its_bytes_or_refuses_it(
    tmp_path: Path,
) -> None:
    packaged = _house(tmp_path, condition("label.tracks.size() > 0", 'delivery.stage == "package"'))
    assert broken_label_rules(packaged, LABELLED, tmp_path) == ()
    [broken] = broken_label_rules(packaged, LABELLED, tmp_path / "elsewhere")
    assert broken == "house: this pack is not at hand as it judged, so its rules cannot be asked"


@pytest.mark.parametrize(("kind", "n"), [(RULING, 1), (WAIVER, 0)])
def test_what_counsel_may_have_ruled_to_hold_holds_a_package_too(tmp_path: Path, kind: str, n: int) -> None:
    """The pack that lies beside the certificate says only that it warns."""
    rule, signed = condition(NAMED).replace("severity: block", "severity: warn"), (SimpleNamespace(kind=kind),)
    opened = _house(tmp_path, rule, passed=("house/HOU-ASKS",), signed=signed)
    assert len(broken_label_rules(opened, LABELLED, tmp_path)) == n


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
