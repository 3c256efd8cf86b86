"""What a delivery inherits from its series file, and that a wrong value points to the file it stands in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from growth import LINEAR, growth

from dubgate.delivery.manifest import Delivery, load_delivery
from dubgate.errors import ManifestError

SERIES = """\
schema: delivery/1.0
title: {name: The Lighthouse, internal: LH}
style: lipsync
original: {language: en, mix: original.wav}
cast:
  - {character: ANN, voice: voice-ann, technique: voice_clone_tts}
  - {character: BOB, technique: human}
distribution:
  territories: [FR]
  channels: [svod]
  window: {from: 2026-12-01T00:00:00Z, until: open}
"""
EPISODE = """\
schema: delivery/1.0
extends: series/series.yaml
title: {name: The Storm}
dub: {language: fr, mix: dub.wav}
cast:
  - {character: BOB, voice: voice-bob, technique: stock_tts}
  - {character: EVE, technique: human}
distribution: {territories: [DE, AT]}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "series").mkdir()
    for name in ("original.wav", "dub.wav"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "series/series.yaml").write_text(SERIES)
    return tmp_path


def load(folder: Path, text: str) -> Delivery:
    (folder / "delivery.yaml").write_text(text)
    return load_delivery(folder / "delivery.yaml")


def refused(folder: Path, text: str) -> ManifestError:
    with pytest.raises(ManifestError) as caught:
        load(folder, text)
    return caught.value


def test_the_episode_wins_key_by_key_and_the_cast_merges_by_character(folder: Path) -> None:
    delivery = load(folder, EPISODE)
    assert delivery.title is not None
    assert (delivery.title.name, delivery.title.internal) == ("The Storm", "LH")
    assert [(e.name, str(e.technique)) for e in delivery.cast] == [
        ("BOB", "stock_tts"),
        ("EVE", "human"),
        ("ANN", "voice_clone_tts"),
    ]
    assert delivery.distribution is not None
    assert delivery.distribution.territories == ("DE", "AT")
    assert delivery.distribution.channels == ("svod",)
    assert [file.name for file, _ in delivery.manifests] == ["delivery.yaml", "series.yaml"]
    assert len({sha for _, sha in delivery.manifests}) == 2


def test_null_takes_an_inherited_value_away(folder: Path) -> None:
    text = EPISODE.replace("distribution: {territories: [DE, AT]}", "distribution: null")
    assert load(folder, text).distribution is None
    (folder / "series/series.yaml").write_text(SERIES + "evidence: {approvals: [original.wav]}\n")
    assert load(folder, EPISODE).evidence.approvals == (folder / "original.wav",)
    assert load(folder, EPISODE + "evidence: null\n").evidence.approvals == ()


def test_an_error_points_into_the_file_that_holds_the_value(folder: Path) -> None:
    (folder / "series/series.yaml").write_text(SERIES.replace("[FR]", "[FR, XX]").replace("voice: voice-ann, ", ""))
    text = str(refused(folder, EPISODE.replace("distribution: {territories: [DE, AT]}\n", "colour: red\n")))
    series, own = folder / "series/series.yaml", folder / "delivery.yaml"
    assert f"{series}:9:21: distribution.territories.1: 'XX'" in text
    assert f"{series}:6:5: cast.2: a voice made by" in text
    assert f"{own}:8:1: unknown key 'colour'" in text


def test_a_path_of_the_series_counts_from_the_deliverys_folder(folder: Path) -> None:
    original = load(folder, EPISODE).original.mix
    assert original is not None
    assert original.path == folder / "original.wav"


@pytest.mark.parametrize(
    ("extends", "word"),
    [
        ("../series.yaml", "inside the delivery's folder"),
        ("/etc/series.yaml", "relative"),
        ("absent.yaml", "no file"),
        ("series", "not a file"),
        ("delivery.yaml", "inherits from itself"),
        ("series/../delivery.yaml", "inside the delivery's folder"),
        ("[a, b]", "one file"),
        ("5", "one file"),
    ],
)
def test_a_series_file_that_cannot_be_one_is_refused_where_it_is_named(folder: Path, extends: str, word: str) -> None:
    error = refused(folder, EPISODE.replace("series/series.yaml", extends))
    assert word in error.what
    assert error.where == f"{folder / 'delivery.yaml'}:2:10"


def test_a_series_file_may_extend_another_but_not_come_back(folder: Path) -> None:
    (folder / "series/series.yaml").write_text(SERIES.replace("style: lipsync", "extends: studio.yaml"))
    (folder / "studio.yaml").write_text("schema: delivery/1.0\nstyle: voiceover\nsubmitter: studio-north\n")
    assert load(folder, EPISODE).submitter == "studio-north"
    (folder / "studio.yaml").write_text("extends: series/series.yaml\n")
    error = refused(folder, EPISODE)
    assert "inherits from itself" in error.what
    assert error.where == f"{folder / 'studio.yaml'}:1:10"
    (folder / "studio.yaml").write_text("extends: delivery.yaml\n")
    assert "inherits from itself" in refused(folder, EPISODE).what


def test_a_chain_of_files_has_an_end(folder: Path) -> None:
    for n in range(9):
        (folder / f"s{n}.yaml").write_text(f"extends: s{n + 1}.yaml\n")
    (folder / "s9.yaml").write_text(SERIES)
    assert "more than 5 files" in refused(folder, EPISODE.replace("series/series.yaml", "s0.yaml")).what


def test_a_link_to_the_same_series_file_is_a_circle_too(folder: Path) -> None:
    (folder / "link.yaml").symlink_to(folder / "series/series.yaml")
    (folder / "series/series.yaml").write_text(SERIES + "extends: link.yaml\n")
    assert "inherits from itself" in refused(folder, EPISODE).what


def test_a_cast_that_is_not_one_is_told_where_it_stands(folder: Path) -> None:
    error = refused(folder, EPISODE.replace("character: BOB", "character: [BOB]"))
    assert f"{folder / 'delivery.yaml'}:6:17: cast.0.character" in str(error)


def test_inheriting_a_long_cast_takes_time_in_proportion(folder: Path) -> None:
    def inheriting(n: int) -> Callable[[], object]:
        entries = "".join(f"  - {{character: C{k}, technique: human}}\n" for k in range(n))
        series = f"series/{n}.yaml"
        (folder / series).write_text(SERIES.replace("distribution:", entries + "distribution:"))
        episode = EPISODE.replace("series/series.yaml", series)
        assert len(load(folder, episode).cast) == n + 3
        return lambda: load(folder, episode)

    assert growth(inheriting, 1_000, turns=3) < LINEAR
