"""Labels against each other, against the language, and against what is declared."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dubgate.labels.tracks import LabelledTrack, Labels, Manifest, Place
from dubgate.labels.wording import language_named, only_looks_like_ai, skeleton
from dubgate.policy.findings import Finding, Outcome
from dubgate.policy.label_checks import label_findings, wording_findings
from dubgate.policy.verdict import Decision, decide
from dubgate.unmeasured import Unmeasured

TRACK = LabelledTrack("dub.m4a: stream 1", "English [AI]", "en", machine_readable=True, is_what_was_heard=True)
SIGNED = Place("C2PA actions", "c2pa.dubbed, trainedAlgorithmicMedia", token="C2PA")
UNPROVED = Unmeasured("no statement")


def found(labels: Labels, synthetic: bool | Unmeasured = True) -> list[Finding]:
    return [f for f in label_findings(labels, synthetic=synthetic) if f.outcome is Outcome.BLOCK]


@pytest.mark.parametrize("synthetic", [False, UNPROVED])
def test_a_human_claim_against_a_signed_manifest_of_a_machine_blocks(synthetic: bool | Unmeasured) -> None:
    plain = replace(TRACK, name="English", machine_readable=False)
    [finding] = found(Labels((plain,), places=(SIGNED,)), synthetic)
    assert "declared as human" in finding.text.en
    assert found(Labels((plain,)), synthetic) == []


def test_a_signed_manifest_of_a_human_recording_against_a_machines_voice_blocks() -> None:
    told = Manifest("dub.wav", "Studio", ("c2pa.created",), ("digitalCapture",))
    [finding] = found(Labels((TRACK,), manifests=(told,)))
    assert "tells of digitalCapture" in finding.text.en
    assert len(found(Labels((TRACK, TRACK), manifests=(replace(told, entry=0), replace(told, entry=1))))) == 1
    assert found(Labels((TRACK,), manifests=(replace(told, tracks=("1",)),))) == []
    assert found(Labels((TRACK,), manifests=(replace(told, sources=("compositeSynthetic",)),))) == []
    assert found(Labels((replace(TRACK, name="English", machine_readable=False),), manifests=(told,)), False) == []


def test_a_signed_manifest_of_a_machine_suits_a_dub_that_is_declared_so() -> None:
    assert decide(label_findings(Labels((TRACK,), places=(SIGNED,)), synthetic=True)) is Decision.RELEASE


@pytest.mark.parametrize(
    ("tag", "blocks"), [("en", False), ("en-GB", False), ("eng", False), ("fr", True), (None, False)]
)
def test_an_entry_is_marked_with_the_language_that_the_dub_speaks(tag: str | None, blocks: bool) -> None:
    labels = Labels((replace(TRACK, language=tag),), language="en")
    assert any("speaks en" in f.text.en for f in found(labels)) is blocks


@pytest.mark.parametrize(
    ("name", "tag", "blocks"),
    [
        ("English [AI]", "fr", True),
        ("Deutsch (KI)", "de", False),
        ("Deutsch (KI)", "en", True),
        ("日本語 [AI]", "ja", False),
        ("AI voices", "fr", False),
    ],
)
def test_a_name_is_of_the_language_that_the_entry_is_marked_with(name: str, tag: str, blocks: bool) -> None:
    labels = Labels((replace(TRACK, name=name, language=tag),))
    assert any("is called" in f.text.en for f in found(labels)) is blocks


def test_a_token_on_one_entry_of_the_dub_and_not_on_the_other_blocks() -> None:
    other = replace(TRACK, machine_readable=False)
    assert any("others do not" in f.text.en for f in found(Labels((TRACK, other), language="en")))
    assert found(Labels((TRACK, TRACK), language="en")) == []
    assert found(Labels((other, other), language="en")) == []


def test_names_of_one_track_that_contradict_each_other_block() -> None:
    names = (Place("MP4 hdlr", "English", 1, "en", True), Place("MP4 track name", "English [AI]", 1, "en", True))
    assert any("contradict" in f.text.en for f in found(Labels((TRACK,), places=names)))
    assert found(Labels((TRACK,), places=(names[0], replace(names[1], track=2)))) == []


def test_a_manifest_that_tells_of_another_language_blocks() -> None:
    said = replace(SIGNED, language="fr-FR")
    assert any("translation into fr-FR" in f.text.en for f in found(Labels((TRACK,), places=(said,), language="en")))
    assert found(Labels((TRACK,), places=(replace(said, language="en-GB"),), language="en")) == []


def test_what_was_not_verified_holds_and_says_what_would() -> None:
    labels = Labels((TRACK,), unmeasured=("dub.wav carries a manifest: name the anchors",))
    [finding] = [f for f in wording_findings(labels) if f.outcome is Outcome.UNKNOWN]
    assert finding.remedy.en == "name the anchors"
    assert decide(label_findings(labels, synthetic=True)) is Decision.HOLD


@pytest.mark.parametrize("other", ["English [\u0410I]", "ENGLISH [A\u200bI]", "English [Al]", "Ｅnglish  [AI]"])
def test_texts_that_look_alike_have_one_skeleton(other: str) -> None:
    assert skeleton(other) == skeleton("English [AI]")


@pytest.mark.parametrize(
    ("text", "only"), [("English [Al]", True), ("A\u200bI", True), ("English [AI]", False), ("Album", False)]
)
def test_what_only_looks_like_a_label_is_told_from_one(text: str, only: bool) -> None:
    assert only_looks_like_ai(text) is only


@pytest.mark.parametrize(
    ("text", "tag"), [("Français – IA", "fr"), ("(English) AI", "en"), ("Klingon [AI]", None), ("", None)]
)
def test_the_language_that_a_name_begins_with(text: str, tag: str | None) -> None:
    assert language_named(text) == tag
