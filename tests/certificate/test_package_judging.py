"""What was heard of a package is judged without media: each rendition, each label, each file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from made_vectors import AT, CLAIM

from dubgate.alignment import Comparison, Fault
from dubgate.certificate import refusals
from dubgate.certificate.package import DUB, MANIFEST, OTHER
from dubgate.labels.tracks import LabelledTrack, Labels
from dubgate.package_hearing import HeardPackage, HeardRendition
from dubgate.packaging import files_of, require_approved, require_label_rules

SAME = Comparison(0.02, 0.0, 0.0, 40, 36, 0.98, ())
OTHER_TAKE = replace(SAME, faults=(Fault(4.0, 6.0, "take"),))
LABEL = "Deutsch [KI]"


def heard(*entries: tuple[str | None, str, Comparison, bool], others: tuple[str, ...] = ()) -> HeardPackage:
    """Entries as (language, name, comparison, token)."""
    renditions = tuple(
        HeardRendition(f"m: a{k}", language, (f"a{k}.m3u8", f"a{k}.m4s"), comparison, 10.0)
        for k, (language, _, comparison, _) in enumerate(entries)
    )
    tracks = tuple(
        LabelledTrack(f"m: a{k}", name, language, token, comparison.same)
        for k, (language, name, comparison, token) in enumerate(entries)
    )
    return HeardPackage("master.m3u8", renditions, Labels(tracks), others, "1" * 64)


GOOD = ("de", LABEL, SAME, True)
MASTER: Any = SimpleNamespace(verdict=SimpleNamespace(claim=CLAIM))
RELEASE: Any = SimpleNamespace(language="de", voices=("one",))
HUMAN: Any = SimpleNamespace(language="de", voices=())


def reason(package: HeardPackage, release: Any = RELEASE, master: Any = MASTER) -> str:
    with pytest.raises(refusals.Refused) as error:
        require_approved(package, master, release)
    return error.value.reason


def test_renditions_that_are_the_approved_performance_and_labelled_pass() -> None:
    require_approved(heard(GOOD, GOOD, ("en", "English", OTHER_TAKE, False)), MASTER, RELEASE)
    require_approved(heard(("de-AT", LABEL, SAME, True)), MASTER, RELEASE)


@pytest.mark.parametrize(
    ("package", "why"),
    [
        (heard(GOOD, ("de", LABEL, OTHER_TAKE, True)), "other-performance"),
        (heard(GOOD, ("de", LABEL, replace(SAME, n_sounding=0), True)), "other-performance"),
        (heard(GOOD, (None, LABEL, OTHER_TAKE, True)), "other-performance"),
        (heard(GOOD, ("de", "Deutsch", SAME, True)), "label-lost"),
        (heard(GOOD, ("de", LABEL, SAME, False)), "label-lost"),
        (heard(GOOD, ("en", "English", SAME, False)), "label-lost"),
        (heard(GOOD, ("en", "English [AI]", SAME, True)), "label-lost"),
        (heard(("de", "Deutsch [K\u200bI]", SAME, True)), "label-lost"),
        (heard(("en", "English", OTHER_TAKE, False)), "package-incomplete"),
        (replace(heard(GOOD), labels=Labels(heard(GOOD).labels.tracks, ("one could not be read",))), "label-lost"),
        (replace(heard(GOOD), master_packets_sha256="2" * 64), "other-performance"),
    ],
)
def test_what_is_not_the_approved_performance_or_not_labelled_is_refused(package: HeardPackage, why: str) -> None:
    assert reason(package) == why


def test_a_human_dub_carries_no_label() -> None:
    require_approved(heard(("de", "Deutsch", SAME, False)), MASTER, HUMAN)
    assert reason(heard(GOOD), HUMAN) == "label-lost"


DIGESTS = {name: f"{k:064x}" for k, name in enumerate(("master.m3u8", "a0.m3u8", "a0.m4s", "v.m4s"))}


def test_every_file_has_its_part() -> None:
    files = files_of(heard(GOOD, others=("v.m4s",)), MASTER, DIGESTS)
    assert {f.path: f.role for f in files} == {
        "master.m3u8": MANIFEST,
        "a0.m3u8": DUB,
        "a0.m4s": DUB,
        "v.m4s": OTHER,
    }
    assert all(f.sha256 == DIGESTS[f.path] for f in files)


def test_a_file_that_the_dub_shares_with_another_is_the_dubs() -> None:
    shared = heard(("en", "English", OTHER_TAKE, False), GOOD)
    renditions = tuple(replace(r, files=("a0.m3u8", "a0.m4s")) for r in shared.renditions)
    files = files_of(replace(shared, renditions=renditions, others=("v.m4s",)), MASTER, DIGESTS)
    assert {f.role for f in files if f.path.startswith("a0")} == {DUB}


@pytest.mark.parametrize(
    "change", [lambda d: d.pop("a0.m4s"), lambda d: d.pop("master.m3u8"), lambda d: d.update(more="0" * 64)]
)
def test_a_missing_or_unnamed_file_is_refused(change: Callable[[dict[str, str]], Any]) -> None:
    digests = dict(DIGESTS)
    change(digests)
    with pytest.raises(refusals.PackageIncomplete):
        files_of(heard(GOOD, others=("v.m4s",)), MASTER, digests)


def test_the_vectors_language_is_the_one_of_these_tests() -> None:
    assert CLAIM.scope is not None
    assert (CLAIM.scope.language, CLAIM.expires_at) == ("de", AT + timedelta(days=1))


def test_a_label_rule_that_the_package_breaks_refuses_it(monkeypatch: pytest.MonkeyPatch) -> None:
    broken: list[str] = []
    monkeypatch.setattr("dubgate.packaging.broken_label_rules", lambda *_: tuple(broken))
    require_label_rules(heard(GOOD), MASTER, RELEASE)
    broken += ["LAB-EU", "LAB-C2PA"]
    with pytest.raises(refusals.LabelLost, match="LAB-EU; LAB-C2PA"):
        require_label_rules(heard(GOOD), MASTER, RELEASE)
