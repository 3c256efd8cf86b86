"""delivery.yaml: what it says as a Delivery, and everything that it refuses at line and column."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consent.vocabulary import Channel, Technique, TrainingKind
from dubgate.delivery.manifest import Delivery, DeliveryTrack, Source, json_schema, load_delivery
from dubgate.delivery.script import Style
from dubgate.errors import ManifestError

MINIMAL = """\
schema: delivery/1.0
original: {language: en, mix: original.wav}
dub: {language: fr, mix: dub.wav}
cast:
  - {character: ANN, voice: voice-ann, technique: voice_clone_tts}
"""
FULL = """\
schema: delivery/1.0
title: {name: The Lighthouse, eidr: 10.5240/7791-8534-2c23-9030-8610-5, internal: LH-1}
stage: package
package: hls/master.m3u8
original:
  language: eng
  mix: {path: film.mp4, stream: 1}
dub:
  language: fr-ca
  mix: {path: film.mp4, stream: 2, language: fr}
  stem: dub.wav
  me: me.wav
style: lector
cues: cues.vtt
timecode: {frame_rate: 23.976, start: "01:00:00:00"}
cast:
  - {character: ANN, voice: voice-ann, technique: speech_to_speech, vendor: SpeakWell, model: sw-4}
  - {character: Bob, technique: human}
  - {group: Market, voices: [crowd-1, crowd-2], technique: stock_tts}
distribution:
  territories: [NO, EU]
  channels: [svod, theatrical]
  window: {from: 2026-12-01T00:00:00+01:00, until: open}
label:
  text: {fr-CA: "Voix générées", en: AI voices}
  machine_token: public.machine-generated
production:
  purpose: Dub of the feature.
  tools:
    - name: SpeakWell
      version: "4.2"
      settings: {speed: 1.05, seed: 7, mode: film, clean: true}
      training_data: licensed
  prompts: [{path: prompt.txt, sha256: PROMPT}]
  used_to_train: [inference]
  reviewers: [{party: mia, role: dubbing director}]
  revisions: [{at: 2026-11-01T10:00:00Z, by: mia, what: New take of line 4.}]
submitter: studio-north
evidence:
  approvals: [evidence/approval.json]
  human_performance: [evidence/human.json]
"""
FILES = ("original.wav", "dub.wav", "me.wav", "film.mp4", "cues.vtt", "prompt.txt", "hls/master.m3u8",
         "evidence/approval.json", "evidence/human.json")  # fmt: skip


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in FILES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    return tmp_path


def load(folder: Path, text: str) -> Delivery:
    (folder / "delivery.yaml").write_text(text, encoding="utf-8")
    return load_delivery(folder / "delivery.yaml")


def refused(folder: Path, text: str) -> ManifestError:
    with pytest.raises(ManifestError) as caught:
        load(folder, text)
    return caught.value


def test_media_languages_and_cast_are_enough(folder: Path) -> None:
    delivery = load(folder, MINIMAL)
    assert delivery.original.mix == Source(folder / "original.wav", None, "en")
    assert (delivery.dub.language, delivery.stage, delivery.distribution) == ("fr", "master", None)
    assert delivery.synthetic
    assert delivery.manifests == ((folder / "delivery.yaml", digest(MINIMAL.encode())),)


def test_everything_that_can_be_said_is_read(folder: Path) -> None:
    delivery = load(folder, FULL.replace("PROMPT", digest(b"prompt.txt")))
    assert delivery.title is not None
    assert delivery.title.identifiers == ("eidr:10.5240/7791-8534-2C23-9030-8610-5", "internal:LH-1")
    assert delivery.package == folder / "hls/master.m3u8"
    assert delivery.original.language == "en"
    assert delivery.dub.mix == Source(folder / "film.mp4", 2, "fr")
    assert delivery.dub.stem == Source(folder / "dub.wav", None, "fr-CA")
    assert delivery.style is Style.LECTOR
    assert delivery.timecode is not None
    assert delivery.timecode.rate == Fraction(24_000, 1001)
    assert delivery.timecode.start_s == pytest.approx(3603.6)
    ann, bob, market = delivery.cast
    assert (ann.technique, ann.voice_ids, ann.synthetic) == (Technique.SPEECH_TO_SPEECH, ("voice-ann",), True)
    assert (bob.technique, bob.voice_ids, bob.synthetic) == ("human", (), False)
    assert (market.name, market.voice_ids) == ("Market", ("crowd-1", "crowd-2"))
    assert delivery.cast_of("Bob") is bob
    assert delivery.cast_of("Eve") is None
    assert delivery.distribution is not None
    assert len(delivery.distribution.countries) == 28
    assert delivery.distribution.channels == (Channel.SVOD, Channel.THEATRICAL)
    assert delivery.distribution.window.start == datetime(2026, 11, 30, 23, tzinfo=UTC)
    assert delivery.distribution.window.end is None
    assert delivery.label is not None
    assert delivery.label.text == {"fr-CA": "Voix générées", "en": "AI voices"}
    assert delivery.production is not None
    assert delivery.production.tools[0].settings == {"speed": 1.05, "seed": 7, "mode": "film", "clean": True}
    assert delivery.production.used_to_train == (TrainingKind.INFERENCE,)
    assert delivery.prompts[0].path == folder / "prompt.txt"
    assert delivery.evidence.human_performance == (folder / "evidence/human.json",)
    assert delivery.submitter == "studio-north"


def test_the_mix_is_published_and_the_stem_is_where_speech_is_clearest() -> None:
    mix, stem = Source(Path("film.mp4"), 2, "fr"), Source(Path("dub.wav"), None, "fr")
    both, alone = DeliveryTrack("fr", mix, stem, None), DeliveryTrack("fr", None, stem, None)
    assert (both.published, both.clearest) == (mix, stem)
    assert (alone.published, alone.clearest) == (stem, stem)
    assert DeliveryTrack("fr", mix, None, None).clearest == mix


def test_a_track_without_a_sound_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="a mix or a stem"):
        DeliveryTrack("fr", None, None, None)


def test_no_is_norway_and_a_european_union_without_it_is_27_countries(folder: Path) -> None:
    block = "distribution: {territories: [NO], channels: [svod], window: {from: 2026-12-01T00:00:00Z, until: open}}\n"
    delivery = load(folder, MINIMAL + block)
    assert delivery.distribution is not None
    assert delivery.distribution.territories == ("NO",)


def test_a_delivery_whose_voices_are_all_human_is_not_synthetic(folder: Path) -> None:
    assert not load(
        folder, MINIMAL.replace("voice: voice-ann, technique: voice_clone_tts", "technique: human")
    ).synthetic


WINDOW = "window: {from: 2026-12-01T00:00:00Z, until: open}"


def distribution(territories: str) -> str:
    return f"distribution: {{territories: {territories}, channels: [svod], {WINDOW}}}\n"


@pytest.mark.parametrize(
    ("extra", "place", "word"),
    [
        ("colour: red\n", "6:1", "unknown key 'colour'"),
        ("cast: []\n", "6:1", "repeated"),
        ("label: &l {text: {en: x}}\n", "6:8", "anchors"),
        ("label: *l\n", "6:8", "aliases"),
        ("label: !!map {}\n", "6:8", "tags"),
        ("a: &a [x, x]\nb: &b [*a, *a]\n", "6:4", "anchors"),
        ("stage: rough\n", "6:8", "stage"),
        ("stage: package\n", "1:1", "'package'"),
        ("style: opera\n", "6:8", "style"),
        ("submitter: ../x\n", "6:12", "submitter"),
        ("title: {name: X, eidr: 10.5240/7791-8534-2C23-9030-8610-6}\n", "6:24", "check digit"),
        ("title: {name: 'X\u202egnp'}\n", "6:15", "directional"),
        (distribution("[]"), "6:29", "at least 1"),
        (distribution("[XX]"), "6:30", "'XX' is not a country"),
        (distribution("[UK]"), "6:30", "'GB' may be meant"),
        (distribution("[no]"), "6:30", "'NO' may be meant"),
        (distribution("[1]"), "6:30", "string"),
        (distribution("[FR, FR]"), "6:29", "repeated"),
        (distribution("[FR]").replace("svod", "vhs"), "6:", "svod"),
        (distribution("[FR]").replace("2026-12-01T00:00:00Z", "2026-12-01"), "6:", "with its zone"),
        (distribution("[FR]").replace("2026-12-01T00:00:00Z", "2026-12-01T00:00:00"), "6:", "with its zone"),
        (distribution("[FR]").replace("2026-12-01T00:00:00Z", "2026-13-01T00:00:00Z"), "6:", "with its zone"),
        (distribution("[FR]").replace("2026-12-01T00:00:00Z", "1764547200"), "6:", "with its zone"),
        (distribution("[FR]").replace("open", "never"), "6:", "with its zone"),
        (distribution("[FR]").replace("open", "2026-11-01T00:00:00Z"), "6:", "ends before it starts"),
        (distribution("[FR]").replace(", until: open", ""), "6:", "'until' is missing"),
        ("label: {text: {}}\n", "6:15", "at least 1"),
        ("label: {text: {xx: y}}\n", "6:", "known language"),
        ("timecode: {frame_rate: fast}\n", "6:24", "frame rate"),
        ("timecode: {frame_rate: 25, start: '00:00:00:25'}\n", "6:11", "does not exist"),
        ("evidence: {approvals: [absent.json]}\n", "6:24", "no file 'absent.json'"),
        ("cues: /etc/passwd\n", "6:7", "relative to the delivery's folder"),
        ("cues: ../cues.vtt\n", "6:7", "inside the delivery's folder"),
        ("cues: hls/../../cues.vtt\n", "6:7", "inside the delivery's folder"),
        ("cues: 'C:\\cues.vtt'\n", "6:7", "relative"),
        ("cues: file:///etc/passwd\n", "6:7", "relative"),
        ("cues: ~/cues.vtt\n", "6:7", "relative"),
        ("cues: ''\n", "6:7", "empty"),
        ("cues: hls\n", "6:7", "not a file"),
        ("cues: missing.vtt\n", "6:7", "no file 'missing.vtt'"),
        ("cues: " + "x" * 300 + "\n", "6:7", "no file"),
        ("production: {purpose: p, tools: []}\n", "6:33", "at least 1"),
        ("production: {purpose: p, tools: [{name: a, version: 4.2}]}\n", "6:", "string"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_at_its_line_and_column(folder: Path, extra: str, place: str, word: str) -> None:
    error = refused(folder, MINIMAL + extra)
    assert str(error.where).startswith(f"{folder / 'delivery.yaml'}:{place}")
    assert word in error.what


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("schema: delivery/1.0", "schema: delivery/2.0", "delivery/1.0"),
        ("schema: delivery/1.0\n", "", "'schema' is missing"),
        ("language: fr, ", "", "'language' is missing"),
        ("language: fr", "language: klingonese", "language tag"),
        ("language: fr", "language: xx", "known language"),
        (", mix: dub.wav", "", "a mix or a dialogue stem"),
        ("mix: dub.wav", "mix: dub.wav, me: me.wav", "need the dialogue stem"),
        ("mix: dub.wav", "mix: {path: dub.wav, stream: -1}", "greater than or equal"),
        ("mix: dub.wav", "mix: {path: dub.wav, stream: '1'}", "integer"),
        ("mix: dub.wav", "mix: {path: dub.wav, track: 1}", "unknown key 'track'"),
        ("voice: voice-ann, ", "", "needs the id of the voice"),
        ("voice_clone_tts", "magic", "unknown technique 'magic'"),
        ("character: ANN, ", "", "one character or for one group"),
        ("character: ANN", "character: ANN, group: X", "one character or for one group"),
        ("character: ANN", 'character: "(outside every line)"', "write the character another way"),
        ("voice: voice-ann", "voices: [a, b]", "'voices' is for groups"),
        ("voice_clone_tts}\n", "voice_clone_tts}\n  - {character: ANN, technique: human}\n", "ANN more than once"),
        ("cast:\n  - {character: ANN, voice: voice-ann, technique: voice_clone_tts}\n", "cast: []\n", "at least 1"),
        (MINIMAL, "- a\n", "a mapping"),
        (MINIMAL, "", "empty"),
    ],
)
def test_a_manifest_that_lacks_or_contradicts_something_is_refused(folder: Path, old: str, new: str, word: str) -> None:
    assert old in MINIMAL
    assert word in refused(folder, MINIMAL.replace(old, new)).what


def test_everything_that_is_wrong_is_told_at_once(folder: Path) -> None:
    text = str(
        refused(folder, MINIMAL.replace("dub.wav", "absent.wav").replace("original.wav", "gone.wav") + "cues: nil\n")
    )
    assert all(word in text for word in ("absent.wav", "gone.wav", "nil"))
    text = str(refused(folder, MINIMAL.replace("fr", "xx") + "colour: red\nstage: rough\n"))
    assert all(word in text for word in ("'xx'", "'colour'", "stage"))


def test_a_link_that_leaves_the_folder_is_refused_and_one_inside_is_followed(folder: Path) -> None:
    outside = folder.with_name("outside") / "dub.wav"
    outside.parent.mkdir()
    outside.write_bytes(b"x")
    (folder / "link.wav").symlink_to(outside)
    assert "through a link" in refused(folder, MINIMAL.replace("dub.wav", "link.wav")).what
    (folder / "away").symlink_to(outside.parent)
    assert "through a link" in refused(folder, MINIMAL.replace("dub.wav", "away/dub.wav")).what
    (folder / "circle").symlink_to(folder / "circle")
    assert "no file" in refused(folder, MINIMAL.replace("dub.wav", "circle")).what
    (folder / "inner.wav").symlink_to(folder / "dub.wav")
    delivery = load(folder, MINIMAL.replace("dub.wav", "inner.wav"))
    assert delivery.dub.mix is not None
    assert delivery.dub.mix.path == folder / "dub.wav"


def test_a_missing_manifest_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"absent\.yaml"):
        load_delivery(tmp_path / "absent.yaml")


def test_the_json_schema_accepts_what_the_loader_accepts_in_names() -> None:
    schema = json_schema()
    assert schema["additionalProperties"] is False
    assert set(schema["required"]) == {"schema", "original", "dub", "cast"}
    assert {"title", "distribution", "label", "production", "evidence", "extends"} <= set(schema["properties"])
    assert "from" in schema["$defs"]["Window"]["properties"]
    json.dumps(schema)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_manifest_with_a_piece_changed_is_a_delivery_or_a_manifest_error(folder: Path, data: st.DataObject) -> None:
    text = FULL.replace("PROMPT", digest(b"prompt.txt"))
    at = data.draw(st.integers(0, len(text) - 1))
    piece = data.draw(st.text("abNO019:-{}[]&*!#\"' \n,/.~\x00é", max_size=4))
    try:
        delivery = load(folder, text[:at] + piece + text[at + data.draw(st.integers(0, 4)) :])
    except ManifestError:
        return
    files = [delivery.package, delivery.cues, delivery.dub.mix and delivery.dub.mix.path, *delivery.evidence.approvals]
    assert all(file is None or file.is_relative_to(folder) for file in files)


@given(st.binary(max_size=200))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_arbitrary_bytes_are_no_delivery_and_nothing_but_a_manifest_error(folder: Path, data: bytes) -> None:
    (folder / "delivery.yaml").write_bytes(data)
    with pytest.raises(ManifestError):
        load_delivery(folder / "delivery.yaml")
